// SPDX-License-Identifier: Apache-2.0
/* Job files as anybody may have left them: what is taken survives being written
 * and read again, and its texts mean something to all that ask. */
#include <string.h>

#include "base/auto.h"
#include "engine/job/fields.h"
#include "engine/job/job.h"
#include "engine/job/selection.h"
#include "tests/fuzz/fuzz_mf.h"

/* Two VMs of one name, in a folder and in none, and one that is broken. */
static struct eng_vm_disk disks[] = { { .name = (char[]){ "a.raw" } },
                                      { .name = (char[]){ "b.raw" } } };
static struct eng_container in_a[] = {
    { .kind = ENG_FOLDER, .name = (char[]){ "a" }, .n_vms = 1 },
    { .kind = ENG_TAG, .name = (char[]){ "gold" }, .n_vms = 1 }
};
static struct eng_vm vms[] = {
    { .id = (char[]){ "a/web" },
      .name = (char[]){ "web" },
      .containers = in_a,
      .n_containers = 2,
      .disks = disks,
      .n_disks = 2 },
    { .id = (char[]){ "b" },
      .name = (char[]){ "b" },
      .problem = (char[]){ "broken" } },
    { .id = (char[]){ "web" },
      .name = (char[]){ "web" },
      .disks = disks,
      .n_disks = 1 },
};
static const struct eng_inventory lab = {
    .vms = vms, .n_vms = 3, .containers = in_a, .n_containers = 2
};

static void select_from(const struct eng_job *j)
{
    struct err e = { 0 };
    const struct eng_looked looked[] = { { "lab", &lab, NULL },
                                         { "off", NULL, "is off" } };
    AUTO_ENG_SELECTION struct eng_selection s = { 0 };

    if (eng_select(j, looked, 2, &s, &e) < 0) {
        MUST(e.kind == ERR_USAGE);
        return;
    }
    MUST(s.n_vms <= 3);
    for (size_t i = 0; i < s.n_vms; i++) {
        bool some = s.vms[i].vm->problem != NULL;
        for (size_t k = 0; k < s.vms[i].vm->n_disks; k++)
            some |= s.vms[i].disks[k];
        MUST(some);
        for (size_t k = 0; k < i; k++)
            MUST(strcmp(s.vms[i].name, s.vms[k].name) != 0);
    }
}

/* What was checked holds for whoever asks later. */
static void ask(const struct eng_job *j)
{
    struct err e = { 0 };
    struct eng_schedule schedule;
    struct eng_schedule_retry retry;
    struct eng_keeping keeping;
    char zone[ENG_ZONE_NAME_CHARS];
    bool has = false;
    bool due = false;

    MUST(eng_job_schedule(j, &schedule, &e) == 0);
    MUST(eng_job_retry(j, &retry, &e) == 0);
    MUST(retry.times >= 0 && retry.wait_s >= 0);
    MUST(eng_job_keeping(j, zone, &keeping, &has, &e) == 0);
    MUST(!has || keeping.days > 0);
    (void)eng_compression_of(j->compression);
    (void)eng_job_guest(j, "lab", "a/web", "web");
    const char *const fulls[] = { j->active_full, j->synthetic_full };
    for (size_t i = 0; i < 2; i++) {
        if (fulls[i] == NULL)
            continue;
        MUST(eng_job_full_due(fulls[i], "UTC", 1, INT64_C(1774656000), &due,
                              &e) == 0);
        MUST(due); /* since 1970 there was such a day */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    AUTO_ENG_JOB struct eng_job j = { 0 };
    AUTO_ENG_JOB struct eng_job same = { 0 };
    AUTO_BUF struct buf first = buf_init((size_t)1 << 24);
    AUTO_BUF struct buf second = buf_init((size_t)1 << 24);

    if (eng_fields_decode(&eng_kind_job, span_of(data, size), &j, &e) < 0) {
        MUST(e.kind == ERR_CONFIG);
        return 0;
    }
    MUST(eng_job_text(&j, &first, &e) == 0);
    MUST(eng_fields_decode(&eng_kind_job, buf_span(&first), &same, &e) == 0);
    MUST(eng_job_text(&same, &second, &e) == 0);
    MUST(span_eq(buf_span(&first), buf_span(&second)));
    j.name = strdup("fuzz");
    if (j.name == NULL)
        return 0;
    if (eng_job_check(&j, &e) < 0) {
        MUST(e.kind == ERR_USAGE);
        return 0;
    }
    ask(&j);
    select_from(&j);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What a job may say: the form of each member is its field's; here is what the
 * texts mean, and how they fit together.
 */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/units.h"
#include "base/utf8.h"
#include "engine/job/fields.h"
#include "engine/job/job.h"
#include "engine/job/reference.h"
#include "engine/schedule/days.h"

#define RETRIES_MAX 100
#define RETRY_WAIT_MAX_S 86400
#define DAY_S 86400

/* What is not fit for a file is not fit for a job: it is written as one, and
 * read again by the same table. */
static int check_form(const struct eng_job *j, struct err *e)
{
    AUTO_ENG_JOB struct eng_job again = { 0 };
    AUTO_BUF struct buf text = buf_init(ENG_CONFIG_BYTES_MAX);

    if (eng_fields_encode(&eng_kind_job, j, &text, e) == 0 &&
        eng_fields_decode(&eng_kind_job, buf_span(&text), &again, e) == 0)
        return 0;
    if (e->kind != ERR_NOMEM)
        e->kind = ERR_USAGE;
    return -1;
}

/* A foreign text as a message may show it. */
struct shown {
    char text[NEAREST_CHARS];
};
static struct shown show(struct span s)
{
    struct shown out = { 0 };
    char raw[NEAREST_CHARS] = "";

    if (s.len > 0)
        memcpy(raw, s.p, s.len < sizeof raw ? s.len : sizeof raw - 1);
    utf8_copy(out.text, sizeof out.text, raw);
    utf8_clean(out.text, false);
    return out;
}

static int bad_entry(const char *field, size_t i, const char *text,
                     const char *form, struct err *e)
{
    return err_set(e, ERR_USAGE, 0, "%s[%zu]: \"%s\" is no %s", field, i,
                   show(span_str(text)).text, form);
}

/* What two entries of a list would say twice, or against each other. */
static int check_twice(const char *field, const struct eng_texts *t,
                       struct err *e)
{
    for (size_t i = 0; i < t->n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(t->v[i], t->v[k]) == 0)
                return err_set(e, ERR_USAGE, 0,
                               "%s[%zu]: \"%s\" is there twice", field, i,
                               show(span_str(t->v[i])).text);
    return 0;
}

/* A path below a source's folder: no part is empty, "." or "..". */
static bool is_path(const char *s)
{
    for (;;) {
        size_t n = strcspn(s, "/");
        if (n == 0 || (n == 1 && s[0] == '.') ||
            (n == 2 && s[0] == '.' && s[1] == '.'))
            return false;
        if (s[n] == '\0')
            return true;
        s += n + 1;
    }
}

static int check_included(const struct eng_job *j, struct err *e)
{
    struct eng_ref ref;

    for (size_t i = 0; i < j->vms.n; i++)
        if (!eng_ref_split(j->vms.v[i], &ref) || ref.rest[0] == '\0')
            return bad_entry("vms", i, j->vms.v[i],
                             "VM; write SOURCE:NAME or SOURCE:ID", e);
    for (size_t i = 0; i < j->containers.n; i++) {
        const char *text = j->containers.v[i];
        if (!eng_ref_split(text, &ref))
            return bad_entry("containers", i, text,
                             "container; write SOURCE:PATH, SOURCE:pool=NAME, "
                             "SOURCE:network=NAME, SOURCE:tag=NAME or SOURCE:",
                             e);
        struct eng_container_ref c = eng_container_ref_of(ref.rest);
        if (ref.rest[0] == '\0')
            continue;
        if (c.kind == ENG_FOLDER ? !is_path(c.name) : c.name[0] == '\0')
            return bad_entry("containers", i, text,
                             "container: what is behind the source is neither "
                             "a folder's path below it nor a name",
                             e);
    }
    if (j->vms.n + j->containers.n == 0)
        return err_set(e, ERR_USAGE, 0,
                       "the job has neither vms nor containers to back up");
    return check_twice("vms", &j->vms, e) < 0
               ? -1
               : check_twice("containers", &j->containers, e);
}

/* A source that a pattern names must be one that the job has VMs of: else it
 * is a mistake, which would show when it is too late. */
static int check_pattern(const char *field, size_t i,
                         const struct eng_vm_pattern *p,
                         const struct eng_texts *sources, struct err *e)
{
    if (p->source.len == 0)
        return 0;
    for (size_t k = 0; k < sources->n; k++)
        if (eng_pattern_matches(p->source, sources->v[k]))
            return 0;
    struct shown name = show(p->source);
    (void)err_set(e, ERR_USAGE, 0,
                  "%s[%zu]: no VM or container of the job is in a source "
                  "\"%s\"; the nearest that it has is \"%s\"",
                  field, i, name.text,
                  nearest_word((const char *const *)sources->v, name.text));
    return err_hint(e, "for a ':' in a VM's name write '?'");
}

/* "all", "first", or disks with commas between. */
static bool is_choice(const char *disks)
{
    for (;;) {
        size_t n = strcspn(disks, ",");
        if (n == 0)
            return false;
        if (disks[n] == '\0')
            return true;
        disks += n + 1;
    }
}

static int check_excluded(const struct eng_job *j,
                          const struct eng_texts *sources, struct err *e)
{
    struct eng_vm_pattern p;
    const char *disks = NULL;

    for (size_t i = 0; i < j->exclude_vms.n; i++) {
        const char *text = j->exclude_vms.v[i];
        p = eng_vm_pattern_of(span_str(text));
        if (p.vm.len == 0)
            return bad_entry("exclude_vms", i, text,
                             "pattern of VMs; write NAME or SOURCE:NAME, or "
                             "SOURCE:* for all of a source",
                             e);
        if (check_pattern("exclude_vms", i, &p, sources, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < j->exclude_disks.n; i++) {
        const char *text = j->exclude_disks.v[i];
        if (!eng_disk_ref_split(text, ':', &p, &disks))
            return bad_entry("exclude_disks", i, text,
                             "disk of a VM; write VM:DISK or SOURCE:VM:DISK",
                             e);
        if (check_pattern("exclude_disks", i, &p, sources, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < j->disks.n; i++) {
        const char *text = j->disks.v[i];
        if (!eng_disk_ref_split(text, '=', &p, &disks) || !is_choice(disks))
            return bad_entry("disks", i, text,
                             "choice of disks; write VM=all, VM=first or "
                             "VM=DISK,DISK",
                             e);
        if (check_pattern("disks", i, &p, sources, e) < 0)
            return -1;
    }
    return 0;
}

static bool takes_part(const char *mode)
{
    return mode != NULL && strcmp(mode, "disable") != 0;
}

/* field: where it is; mode: what holds for it.  Settings of a guest that is not
 * asked are a mistake: somebody would take its points for consistent ones. */
static int check_guest(const char *field, const struct eng_guest *g,
                       const char *mode, struct err *e)
{
    if (g->credentials != NULL && eng_config_name_check(g->credentials, e) < 0)
        return err_ctx(e, "%s.credentials", field);
    if (takes_part(mode) || (g->credentials == NULL && g->logs == NULL))
        return 0;
    return err_set(
        e, ERR_USAGE, 0,
        "%s.%s: has no use with mode disable%s; write require or try", field,
        g->credentials != NULL ? "credentials" : "logs",
        mode == NULL ? ", which is the default" : "");
}

static int check_guest_of(const struct eng_job *j, size_t i,
                          const struct eng_texts *sources, struct err *e)
{
    const struct eng_guest_of *g = &j->guests[i];
    const char *mode = g->guest.mode != NULL ? g->guest.mode : j->guest.mode;
    struct eng_ref ref;
    char field[40];

    if (!eng_ref_split(g->vm, &ref) || ref.rest[0] == '\0')
        return err_set(e, ERR_USAGE, 0,
                       "guests[%zu].vm: \"%s\" is no VM; write SOURCE:NAME or "
                       "SOURCE:ID",
                       i, show(span_str(g->vm)).text);
    struct eng_vm_pattern p = { .source = ref.source };
    if (check_pattern("guests", i, &p, sources, e) < 0)
        return -1;
    for (size_t k = 0; k < i; k++)
        if (strcmp(g->vm, j->guests[k].vm) == 0)
            return err_set(e, ERR_USAGE, 0,
                           "guests[%zu].vm: \"%s\" is there twice", i,
                           show(span_str(g->vm)).text);
    (void)snprintf(field, sizeof field, "guests[%zu]", i);
    return check_guest(field, &g->guest, mode, e);
}

static int check_guests(const struct eng_job *j,
                        const struct eng_texts *sources, struct err *e)
{
    const char *mode = j->guest.mode;

    for (size_t i = 0; i < j->n_guests; i++) {
        if (check_guest_of(j, i, sources, e) < 0)
            return -1;
        if (takes_part(j->guests[i].guest.mode))
            mode = j->guests[i].guest.mode; /* one that uses the job's */
    }
    return check_guest("guest", &j->guest, mode, e);
}

static int check_selection(const struct eng_job *j, struct err *e)
{
    AUTO_ENG_TEXTS struct eng_texts sources = { 0 };

    if (check_included(j, e) < 0 || eng_job_sources(j, &sources, e) < 0 ||
        check_excluded(j, &sources, e) < 0)
        return -1;
    return check_guests(j, &sources, e);
}

static int check_days(const char *field, const char *text, struct err *e)
{
    struct eng_schedule days;

    if (text != NULL && eng_days_parse(text, &days, e) < 0)
        return err_ctx(e, "%s", field);
    return 0;
}

static int check_storage(const struct eng_job *j, struct err *e)
{
    uint32_t days = 0;
    struct eng_gfs_rules gfs;

    if (eng_config_name_check(j->repo, e) < 0)
        return err_ctx(e, "repo");
    if (j->gfs != NULL && j->retention == NULL)
        return err_set(
            e, ERR_USAGE, 0,
            "gfs: needs retention, which says how long all the other "
            "points are kept");
    if (j->retention != NULL &&
        eng_retention_parse_days(j->retention, &days, e) < 0)
        return err_ctx(e, "retention");
    if (j->gfs != NULL && eng_gfs_parse(j->gfs, &gfs, e) < 0)
        return err_ctx(e, "gfs");
    if (check_days("active_full", j->active_full, e) < 0 ||
        check_days("synthetic_full", j->synthetic_full, e) < 0)
        return -1;
    if (j->block_size != 0 && eng_config_block_size_check(j->block_size, e) < 0)
        return err_ctx(e, "block_size");
    if (j->deleted_vms_s != 0 && j->deleted_vms_s < DAY_S)
        return err_set(e, ERR_USAGE, 0,
                       "deleted_vms_after: must be at least 1d");
    return 0;
}

static int check_encryption(const struct eng_job *j, struct err *e)
{
    static const char *const words[] = { "none", "password", "kms:NAME", NULL };
    const char *says = j->encrypt;
    const char *kms = eng_job_kms(j);

    if (j->keyset != NULL && eng_keyset_check_label(j->keyset, e) < 0)
        return err_ctx(e, "keyset");
    if (says == NULL && (j->keyset != NULL || j->password != NULL))
        return err_set(e, ERR_USAGE, 0,
                       "encrypt: is missing, so nothing would be encrypted; %s "
                       "is there",
                       j->keyset != NULL ? "keyset" : "password");
    if (says == NULL || strcmp(says, "password") == 0)
        return 0;
    if (kms != NULL)
        return eng_config_name_check(kms, e) < 0 ? err_ctx(e, "encrypt") : 0;
    if (strcmp(says, "none") != 0) {
        struct shown word = show(span_str(says));
        return err_set(
            e, ERR_USAGE, 0,
            "encrypt: \"%s\" is neither none, password nor kms:NAME; "
            "the nearest is \"%s\"",
            word.text, nearest_word(words, word.text));
    }
    if (j->keyset != NULL || j->password != NULL)
        return err_set(e, ERR_USAGE, 0, "%s: has no use with encrypt none",
                       j->keyset != NULL ? "keyset" : "password");
    return 0;
}

static int check_when(const struct eng_job *j, struct err *e)
{
    struct eng_schedule s;
    struct eng_schedule_retry retry;

    if (eng_job_schedule(j, &s, e) < 0 || eng_job_retry(j, &retry, e) < 0)
        return -1;
    if (s.kind != ENG_SCHEDULE_AFTER)
        return 0;
    if (eng_config_name_check(s.after, e) < 0)
        return err_ctx(e, "schedule: after");
    if (strcmp(s.after, j->name) == 0)
        return err_set(e, ERR_USAGE, 0,
                       "schedule: a job cannot run after itself");
    return 0;
}

static int check_notify_on(const char *text, struct err *e)
{
    static const char *const words[] = { "success", "warning", "failed",
                                         "stopped", NULL };

    for (;;) {
        size_t n = strcspn(text, ",");
        struct shown word = show(span_of(text, n));
        const char *nearest = nearest_word(words, word.text);
        if (strcmp(nearest, word.text) != 0)
            return err_set(e, ERR_USAGE, 0,
                           "notify.on: \"%s\" is no result; the nearest known "
                           "one is \"%s\"",
                           word.text, nearest);
        if (text[n] == '\0')
            return 0;
        text += n + 1;
    }
}

static bool is_web_url(const char *url)
{
    size_t scheme = strncmp(url, "http://", 7) == 0    ? 7
                    : strncmp(url, "https://", 8) == 0 ? 8
                                                       : 0;
    return scheme > 0 && strchr("/:?#", url[scheme]) == NULL &&
           strchr(url, ' ') == NULL;
}

static int check_notify(const struct eng_job *j, struct err *e)
{
    if (j->notify_on != NULL && check_notify_on(j->notify_on, e) < 0)
        return -1;
    if (j->webhook != NULL && !is_web_url(j->webhook))
        return err_set(e, ERR_USAGE, 0,
                       "notify.webhook: must be http://HOST/... or "
                       "https://HOST/...");
    if (j->notify_on != NULL && j->webhook == NULL && j->mail.n == 0)
        return err_set(e, ERR_USAGE, 0,
                       "notify.on: needs webhook or mail, to tell it by");
    return 0;
}

int eng_job_check(const struct eng_job *j, struct err *e)
{
    if (eng_config_name_check(j->name, e) < 0)
        return err_ctx(e, "job");
    if (check_form(j, e) < 0 || check_selection(j, e) < 0 ||
        check_storage(j, e) < 0 || check_encryption(j, e) < 0)
        return -1;
    return check_when(j, e) < 0 ? -1 : check_notify(j, e);
}

static bool digits(const char *s, size_t n, int *value)
{
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9' || i > 2)
            return false;
        *value = *value * 10 + (s[i] - '0');
    }
    return n > 0;
}

int eng_job_retry(const struct eng_job *j, struct eng_schedule_retry *out,
                  struct err *e)
{
    static const char after[] = " after ";

    *out = ENG_SCHEDULE_RETRY;
    if (j->retries == NULL)
        return 0;
    if (strcmp(j->retries, "none") == 0) {
        out->times = 0;
        return 0;
    }
    size_t n = strcspn(j->retries, " ");
    const char *rest = j->retries + n;
    bool ok = digits(j->retries, n, &out->times);
    if (ok && rest[0] != '\0')
        ok = strncmp(rest, after, strlen(after)) == 0 &&
             units_parse_duration(rest + strlen(after), &out->wait_s);
    if (!ok || out->times < 1 || out->times > RETRIES_MAX || out->wait_s < 1 ||
        out->wait_s > RETRY_WAIT_MAX_S)
        return err_set(
            e, ERR_USAGE, 0,
            "retries: \"%s\" is neither none, a number up to %d, nor "
            "such as 3 after 10m, with up to 1d between",
            show(span_str(j->retries)).text, RETRIES_MAX);
    return 0;
}

int eng_job_schedule(const struct eng_job *j, struct eng_schedule *out,
                     struct err *e)
{
    *out = (struct eng_schedule){ 0 };
    if (j->schedule != NULL && eng_schedule_parse(j->schedule, out, e) < 0)
        return err_ctx(e, "schedule");
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_JOB_JOBS_H
#define TESTS_UNIT_ENGINE_JOB_JOBS_H

/* Jobs from texts, for tests. */
#include "tests/unit/engine/job/homed.h"

#include "engine/job/job.h"
#include "tests/unit/must.h"

/* A job that says nothing but what it must; more: further fields, with a comma
 * before each. */
static inline void put_job(const struct fixture *f, const char *name,
                           const char *more)
{
    char file[80];
    AUTO_BUF struct buf text = buf_init(1 << 20);

    (void)snprintf(file, sizeof file, "jobs/%s.json", name);
    buf_printf(&text, "{\"vms\":[\"lab:web\"],\"repo\":\"main\"%s}", more);
    put(f, file, buf_cstr(&text));
}

/* What becomes of a job of these fields besides vms and repo. */
static inline struct err read_more(const struct fixture *f, const char *more)
{
    struct err e = { 0 };
    AUTO_ENG_JOB struct eng_job j = { 0 };

    put_job(f, "j", more);
    if (eng_job_load(&f->home, "j", &j, &e) < 0)
        assert_null(j.name);
    return e;
}

/* It is refused as a file that is wrong, and told so (behind the path). */
static inline void refused(const struct fixture *f, const char *more,
                           const char *message)
{
    struct err e = read_more(f, more);
    char want[700];

    (void)snprintf(want, sizeof want, "%s/jobs/j.json: %s", f->config, message);
    if (strncmp(e.msg, want, strlen(want)) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", more, e.msg, want);
    assert_int_equal(e.kind, ERR_CONFIG);
}

static inline void taken(const struct fixture *f, const char *more)
{
    struct err e = read_more(f, more);

    if (e.kind != ERR_NONE)
        fail_msg("%s: %s", more, e.msg);
}

#endif

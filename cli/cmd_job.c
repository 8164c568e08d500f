// SPDX-License-Identifier: Apache-2.0
/* job list, show, delete, enable, disable and next. */
#include <string.h>

#include "base/utc.h"
#include "cli/job.h"

/* --- list --- */

/* "2 VMs, 1 container" */
static void count_text(const struct eng_job *j, struct buf *out)
{
    size_t vms = j->vms.n;
    size_t containers = j->containers.n;

    if (vms > 0)
        buf_printf(out, "%zu VM%s", vms, vms == 1 ? "" : "s");
    if (containers > 0)
        buf_printf(out, "%s%zu container%s", vms > 0 ? ", " : "", containers,
                   containers == 1 ? "" : "s");
}

static void list_good(const struct eng_job *j, int64_t next, const char *why,
                      struct jsonw *w, struct cli_table *t)
{
    AUTO_BUF struct buf what = buf_init(80);

    jsonw_kbool(w, "enabled", !j->disabled);
    jsonw_kuint(w, "vms", j->vms.n);
    jsonw_kuint(w, "containers", j->containers.n);
    cli_json_text(w, "repo", j->repo);
    cli_json_text(w, "schedule", j->schedule);
    cli_json_time(w, "next", next);
    jsonw_knull(w, "problem");
    count_text(j, &what);
    cli_table_add(t, "%s", j->disabled ? "no" : "yes");
    cli_table_add(t, "%s", buf_cstr(&what));
    cli_table_add(t, "%s", j->repo);
    cli_table_add(t, "%s", j->schedule != NULL ? j->schedule : "manual");
    if (next != 0)
        cli_table_time(t, next);
    else
        cli_table_add(t, "%s", why);
}

static void list_bad(const char *problem, struct jsonw *w, struct cli_table *t)
{
    static const char *const members[] = { "enabled", "vms",      "containers",
                                           "repo",    "schedule", "next" };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        jsonw_knull(w, members[i]);
    cli_json_text(w, "problem", problem);
    cli_table_add(t, "%s", "");
    cli_table_add(t, "%s", "(wrong configuration)");
    for (int i = 0; i < 3; i++)
        cli_table_add(t, "%s", "");
}

/* One element, and row; a file that is wrong is a warning. */
static bool list_one(struct cli_ctx *c, const char *name, struct jsonw *w,
                     struct cli_table *t)
{
    struct err problem = { 0 };
    int64_t next = 0;
    AUTO_ENG_JOB struct eng_job j = { 0 };
    AUTO_BUF struct buf why = buf_init(200);
    bool ok = eng_job_load(&c->home, name, &j, &problem) == 0 &&
              cli_job_next_moment(&j, utc_now(), &next, &why, &problem) == 0;

    jsonw_object(w);
    jsonw_kstring(w, "name", name);
    cli_table_add(t, "%s", name);
    if (ok) {
        list_good(&j, next, buf_cstr(&why), w, t);
    } else {
        cli_error_line(&problem);
        list_bad(problem.msg, w, t);
    }
    jsonw_end_object(w);
    return ok;
}

int cli_job_list(struct cli_ctx *c, struct err *e)
{
    static const char *const heads[] = { "NAME",       "ENABLED",  "WHAT",
                                         "REPOSITORY", "SCHEDULE", "NEXT RUN",
                                         NULL };

    return cli_list_configured(c, "jobs", "llllll", heads, list_one, e);
}

/* --- show --- */

int cli_job_show(struct cli_ctx *c, struct err *e)
{
    AUTO_ENG_JOB struct eng_job j = { 0 };

    if (eng_job_load(&c->home, c->call->args[0], &j, e) < 0)
        return -1;
    if (c->json)
        return cli_job_document(c, &j, e);
    cli_job_summary(&j, &c->out);
    return 0;
}

/* --- delete --- */

/* A job that another one runs after would leave that one without a meaning. */
static int check_followers(struct cli_ctx *c, const char *name, struct err *e)
{
    char **names = NULL;
    size_t n = 0;
    int r = 0;

    if (eng_config_names(&c->home, "jobs", &names, &n, e) < 0)
        return -1;
    for (size_t i = 0; r == 0 && i < n; i++) {
        AUTO_ENG_JOB struct eng_job j = { 0 };
        struct eng_schedule s = { 0 };
        struct err ignored = { 0 };
        /* What is wrong with another one's file is not this command's. */
        if (eng_job_load(&c->home, names[i], &j, &ignored) == 0 &&
            eng_job_schedule(&j, &s, &ignored) == 0 &&
            s.kind == ENG_SCHEDULE_AFTER && strcmp(s.after, name) == 0)
            r = err_set(e, ERR_USAGE, 0,
                        "job %s runs after job %s: change its schedule first "
                        "(objvault job edit %s)",
                        names[i], name, names[i]);
    }
    eng_config_names_free(names, n);
    return r;
}

/* The job is there, right or wrong. */
static int check_there(struct cli_ctx *c, const char *name, struct err *e)
{
    AUTO_ENG_JOB struct eng_job j = { 0 };

    if (eng_job_load(&c->home, name, &j, e) == 0 || e->kind == ERR_CONFIG)
        return 0;
    return -1;
}

int cli_job_delete(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    bool dry_run = cli_given(c, CLI_OPT_DRY_RUN);
    AUTO_BUF struct buf question = buf_init(200);

    if (check_there(c, name, e) < 0 || check_followers(c, name, e) < 0)
        return -1;
    buf_printf(&question, "Delete job %s?  Its points stay.", name);
    if (!dry_run && (cli_confirm(c, buf_cstr(&question), e) < 0 ||
                     eng_job_remove(&c->home, name, e) < 0))
        return -1;
    cli_say(c, "job %s %s; its points stay", name,
            dry_run ? "would be deleted" : "is deleted");
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "job", name);
    jsonw_kbool(&w, "deleted", !dry_run);
    return cli_json_end(c, &w, e);
}

/* --- enable, disable --- */

static int switch_job(struct cli_ctx *c, bool disabled, struct err *e)
{
    AUTO_ENG_JOB struct eng_job j = { 0 };

    if (eng_job_load(&c->home, c->call->args[0], &j, e) < 0)
        return -1;
    bool changes = j.disabled != disabled;
    j.disabled = disabled;
    if (changes && eng_job_save(&c->home, &j, true, e) < 0)
        return -1;
    cli_say(c, "job %s is %s%s", j.name, changes ? "" : "already ",
            disabled ? "disabled" : "enabled");
    return c->json ? cli_job_document(c, &j, e) : 0;
}

int cli_job_enable(struct cli_ctx *c, struct err *e)
{
    return switch_job(c, false, e);
}

int cli_job_disable(struct cli_ctx *c, struct err *e)
{
    return switch_job(c, true, e);
}

/* --- next --- */

#define COUNT_DEFAULT 5

static int next_moments(const struct eng_job *j, struct eng_zone *z,
                        uint64_t count, struct jsonw *w, struct cli_table *t,
                        struct err *e)
{
    int64_t at = utc_now();
    int r = 0;
    AUTO_BUF struct buf why = buf_init(200);

    jsonw_key(w, "moments");
    jsonw_array(w);
    for (uint64_t i = 0; i < count && why.len == 0; i++) {
        char local[CLI_MOMENT_CHARS];
        r = cli_job_next_moment(j, at, &at, &why, e);
        /* What ends the list is told only where there is nothing else. */
        if (r < 0 || (at == 0 && i > 0))
            break;
        cli_table_add(t, "%s", j->name);
        if (at == 0) {
            cli_table_add(t, "%s", buf_cstr(&why));
            cli_table_add(t, "%s", "");
            continue;
        }
        cli_moment_text(z, at, false, local);
        cli_table_add(t, "%s", local);
        cli_table_time(t, at);
        cli_moment_text(z, at, true, local);
        jsonw_object(w);
        jsonw_ktime(w, "time", at);
        jsonw_kstring(w, "local", local);
        jsonw_end_object(w);
    }
    jsonw_end_array(w);
    if (why.len > 0)
        jsonw_kstring(w, "why", buf_cstr(&why));
    else
        jsonw_knull(w, "why");
    return r;
}

static int next_one(struct cli_ctx *c, const char *name, struct jsonw *w,
                    struct cli_table *t, struct err *e)
{
    char zone[ENG_ZONE_NAME_CHARS];
    AUTO_ENG_JOB struct eng_job j = { 0 };
    uint64_t count = cli_given(c, CLI_OPT_COUNT) ? cli_number(c, CLI_OPT_COUNT)
                                                 : COUNT_DEFAULT;

    if (eng_job_load(&c->home, name, &j, e) < 0)
        return -1;
    AUTO_ENG_ZONE struct eng_zone *z = eng_zone_open(eng_job_zone(&j, zone), e);
    if (z == NULL)
        return -1;
    jsonw_object(w);
    jsonw_kstring(w, "name", name);
    jsonw_kbool(w, "enabled", !j.disabled);
    cli_json_text(w, "schedule", j.schedule);
    jsonw_kstring(w, "timezone", eng_job_zone(&j, zone));
    int r = next_moments(&j, z, count, w, t, e);
    jsonw_end_object(w);
    return r;
}

/* Of every job; a file that is wrong is a warning. */
static int next_all(struct cli_ctx *c, struct jsonw *w, struct cli_table *t,
                    bool *bad, struct err *e)
{
    char **names = NULL;
    size_t n = 0;
    int r = 0;

    if (eng_config_names(&c->home, "jobs", &names, &n, e) < 0)
        return -1;
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct err problem = { 0 };
        r = next_one(c, names[i], w, t, &problem);
        if (r == 0)
            continue;
        r = problem.kind == ERR_NOMEM ? err_nomem(e) : 0;
        cli_error_line(&problem);
        *bad = true;
    }
    eng_config_names_free(names, n);
    return r;
}

int cli_job_next(struct cli_ctx *c, struct err *e)
{
    bool bad = false;
    AUTO_CLI_TABLE struct cli_table t = { .align = "lll" };

    cli_table_add(&t, "JOB");
    cli_table_add(&t, "NEXT RUN");
    cli_table_add(&t, "UTC");
    struct jsonw w = cli_json_begin(c);
    jsonw_key(&w, "jobs");
    jsonw_array(&w);
    int r = c->call->n_args > 0 ? next_one(c, c->call->args[0], &w, &t, e)
                                : next_all(c, &w, &t, &bad, e);
    if (r < 0)
        return -1;
    jsonw_end_array(&w);
    if (cli_list_end(c, &w, &t, e) < 0)
        return -1;
    return bad ? 3 : 0;
}

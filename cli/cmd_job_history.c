// SPDX-License-Identifier: Apache-2.0
/* job history: what runs there were; put back from manifests where the history
 * was lost. */
#include "cli/cmd_job_history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/unlock.h"

#define SHOWN 20 /* runs, unless told otherwise */

/* --- runs put back --- */

/* What is said of a repository whose runs, or some of them, are not there. */
static void say_left_out(const char *repo, const struct err *why)
{
    cli_message("repository %s: its runs are not put back: %s", repo, why->msg);
}

static int put_back(struct cli_ctx *c, struct eng_history *h,
                    const struct eng_job *job, size_t *n, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };

    cli_unlock_refer(c, job->password);
    int r = cli_repo_open(c, job->repo, CLI_INTERACTIVE, &repo, e);
    if (r == 0)
        r = cli_unlock_open(c, repo.repo, e);
    if (r == 0)
        r = eng_history_rebuild(h, repo.repo, c->cancel, n, e);
    if (r == 0)
        (void)cli_unlock_say_closed(repo.repo, "tell of no runs");
    cli_unlock_refer(c, NULL);
    return r;
}

static bool is_among(char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

struct names {
    char **v;
    size_t n;
};

static void names_fini(struct names *x)
{
    eng_config_names_free(x->v, x->n);
}

/* Repositories that were asked; borrowed from jobs. */
struct asked {
    struct eng_job *jobs; /* owned */
    char **repos;
    size_t n_jobs, n;
};

static void asked_fini(struct asked *a)
{
    for (size_t i = 0; i < a->n_jobs; i++)
        eng_job_fini(&a->jobs[i]);
    free(a->jobs);
    free(a->repos);
}

/* Asks the repositories of all jobs that are configured.  *put: runs put
 * back. */
static int rebuild(struct cli_ctx *c, struct eng_history *h, uint64_t *put,
                   struct err *e)
{
    AUTO(names_fini) struct names jobs = { 0 };
    AUTO(asked_fini) struct asked a = { 0 };

    if (eng_config_names(&c->home, "jobs", &jobs.v, &jobs.n, e) < 0)
        return -1;
    a.jobs = calloc(jobs.n + 1, sizeof(*a.jobs));
    a.repos = calloc(jobs.n + 1, sizeof(*a.repos));
    if (a.jobs == NULL || a.repos == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < jobs.n; i++) {
        struct eng_job *job = &a.jobs[a.n_jobs];
        struct err why = { 0 };
        size_t n = 0;
        if (eng_job_load(&c->home, jobs.v[i], job, &why) < 0) {
            cli_message("%s", why.msg);
            continue;
        }
        a.n_jobs++;
        if (is_among(a.repos, a.n, job->repo))
            continue;
        a.repos[a.n++] = job->repo;
        if (put_back(c, h, job, &n, &why) < 0 && why.kind != ERR_CANCELLED)
            say_left_out(job->repo, &why);
        if (cancel_check(c->cancel, e) < 0)
            return -1;
        *put += n;
        if (n > 0)
            cli_message("repository %s: %zu runs are put back, as its "
                        "manifests tell",
                        job->repo, n);
    }
    return a.n > 0 ? eng_history_asked(h, e) : 0;
}

struct eng_history *cli_history_open(struct cli_ctx *c, bool anew,
                                     uint64_t *put, struct err *e)
{
    bool fresh = false;
    struct eng_history *h = eng_history_open(c->home.state, &fresh, e);

    *put = 0;
    if (h == NULL || (!fresh && !anew))
        return h;
    cli_unlock_never_ask(c);
    if (rebuild(c, h, put, e) == 0)
        return h;
    eng_history_close(h);
    return NULL;
}

int cli_history_none(const struct cli_ctx *c, const char *job, struct err *e)
{
    AUTO_ENG_JOB struct eng_job j = { 0 };

    /* A name that no job has is said so. */
    if (eng_job_load(&c->home, job, &j, e) < 0 && e->kind == ERR_NOTFOUND)
        return -1;
    return err_set(e, ERR_NOTFOUND, 0,
                   "job %s: no run of it is known on this machine", job);
}

/* --- what is shown --- */

struct runs {
    struct eng_run_record *r;
    size_t n;
};

static void runs_fini(struct runs *x)
{
    eng_history_runs_free(x->r, x->n);
}

static void print_runs(struct cli_ctx *c, const struct runs *x)
{
    static const char *const heads[] = { "RUN",  "JOB",    "BEGAN",
                                         "TOOK", "STATUS", "TRIES",
                                         "VMS",  "READ",   "STORED" };
    AUTO_CLI_TABLE struct cli_table t = { .align = "rlllllrrr" };

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        cli_table_add(&t, "%s", heads[i]);
    for (size_t i = 0; i < x->n; i++) {
        const struct eng_run_record *r = &x->r[i];
        struct eng_report_sums sums = eng_report_sum(r);
        char took[UNITS_TEXT_CHARS] = "-";
        if (r->ended > 0)
            units_format_duration(r->ended - r->started, took);
        cli_table_add(&t, "%" PRId64, r->id);
        cli_table_add(&t, "%s", r->job);
        cli_table_time(&t, r->started);
        cli_table_add(&t, "%s", took);
        cli_table_add(&t, "%s%s", eng_status_name(r->status),
                      r->rebuilt ? " (as manifests tell)" : "");
        cli_table_add(&t, "%u", r->tries);
        cli_table_add(&t, "%zu of %zu", sums.points, r->n_vms);
        cli_table_size(&t, sums.read_bytes);
        cli_table_size(&t, sums.stored_bytes);
    }
    cli_table_print(&t, &c->out);
}

static int json_runs(struct cli_ctx *c, const struct runs *x, uint64_t put,
                     struct err *e)
{
    struct jsonw w = cli_json_begin(c);

    jsonw_key(&w, "runs");
    jsonw_array(&w);
    for (size_t i = 0; i < x->n; i++) {
        jsonw_object(&w);
        eng_report_json_run(&w, &x->r[i]);
        jsonw_end_object(&w);
    }
    jsonw_end_array(&w);
    jsonw_kuint(&w, "put_back", put);
    return cli_json_end(c, &w, e);
}

int cli_job_history(struct cli_ctx *c, struct err *e)
{
    const char *job = c->call->n_args > 0 ? c->call->args[0] : NULL;
    size_t count =
        cli_given(c, CLI_OPT_RUNS) ? cli_number(c, CLI_OPT_RUNS) : SHOWN;
    AUTO(runs_fini) struct runs x = { 0 };
    uint64_t put = 0;
    AUTO_ENG_HISTORY struct eng_history *h =
        cli_history_open(c, cli_given(c, CLI_OPT_REBUILD), &put, e);

    if (h == NULL || eng_history_runs(h, job, count, &x.r, &x.n, e) < 0)
        return -1;
    if (job != NULL && x.n == 0)
        return cli_history_none(c, job, e);
    if (c->json)
        return json_runs(c, &x, put, e);
    if (x.n > 0)
        print_runs(c, &x);
    else
        cli_say(c, "no run of a job is known on this machine");
    return 0;
}

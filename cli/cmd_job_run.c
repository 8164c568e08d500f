// SPDX-License-Identifier: Apache-2.0
/* job run and job stop: what engine/run does, shown. */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/job.h"
#include "cli/unlock.h"
#include "engine/history/report.h"
#include "engine/run/job_run.h"

#define WAIT_MS (INT64_C(366) * 86400 * 1000)

/* What a run needs of the command line, until it has ended. */
struct job_call {
    struct cli_ctx *c;
    struct eng_job job;
    struct cli_repo repo;
    struct cli_encrypt encrypt;
};

static void job_call_fini(struct job_call *x)
{
    cli_encrypt_fini(&x->encrypt);
    cli_repo_close(&x->repo);
    cli_unlock_refer(x->c, NULL);
    eng_job_fini(&x->job);
}

static int open_repo(void *ctx, struct eng_repo **repo,
                     const struct eng_encrypt_opts **encrypt, struct err *e)
{
    struct job_call *x = ctx;
    struct cli_ctx *c = x->c;

    c->limit_upload = x->job.limit_upload;
    if (cli_repo_open(c, x->job.repo, CLI_TRANSFER, &x->repo, e) < 0)
        return -1;
    x->encrypt.word = x->job.encrypt;
    x->encrypt.label = x->job.keyset;
    cli_unlock_refer(c, x->job.password);
    if (cli_encrypt_begin(c, x->repo.repo, &x->encrypt, e) < 0)
        return -1;
    *repo = x->repo.repo;
    *encrypt = &x->encrypt.o;
    return 0;
}

/* A line as each VM ends. */
static void told(void *ctx, const struct eng_vm_record *v)
{
    const struct job_call *x = ctx;
    char size[UNITS_TEXT_CHARS];

    if (v->status == ENG_STATUS_RUNNING)
        return;
    if (v->status != ENG_STATUS_SUCCESS) {
        cli_message("%s: %s%s%s", v->vm, eng_status_name(v->status),
                    v->message != NULL ? ": " : "",
                    v->message != NULL ? v->message : "");
        return;
    }
    units_format_size(v->stored_bytes, size);
    if (!x->c->json && !x->c->quiet)
        cli_message("%s: %s point, %s stored in %.1f s", v->vm, v->kind, size,
                    v->seconds);
}

static int run(struct job_call *x, struct eng_run_record *r, struct err *e)
{
    struct cli_ctx *c = x->c;
    AUTO_PROGRESS struct progress *progress = progress_new(e);
    AUTO_CLI_RENDER struct cli_render *render =
        progress != NULL ? cli_render_start(c, progress, e) : NULL;
    struct eng_job_run_opts o = {
        .home = &c->home,
        .job = &x->job,
        .why =
            cli_given(c, CLI_OPT_SCHEDULED) ? ENG_WHY_SCHEDULE : ENG_WHY_ASKED,
        .retry = cli_given(c, CLI_OPT_RETRY),
        .full = cli_given(c, CLI_OPT_FULL),
        .only = c->call->opt[CLI_OPT_RUN_VM].all,
        .n_only = c->call->opt[CLI_OPT_RUN_VM].times,
        .open = open_repo,
        .told = told,
        .ctx = x,
        .memory_bytes = cli_number(c, CLI_OPT_MEMORY),
        .cancel = c->cancel,
        .progress = progress,
    };

    return render != NULL ? eng_job_run(&o, r, e) : -1;
}

/* What to say of a run that gave no point: its first error, or that it was
 * stopped, by a signal or by `job stop`. */
static void judge(const struct cli_ctx *c, const struct eng_run_record *r,
                  struct err *error)
{
    if (r->status == ENG_STATUS_STOPPED && cancel_requested(c->cancel))
        (void)err_set(error, ERR_CANCELLED, 0, "job %s: interrupted", r->job);
    else if (r->status == ENG_STATUS_STOPPED)
        (void)err_set(error, ERR_FAILED, 0, "job %s was stopped", r->job);
    else if (error->kind == ERR_NONE)
        (void)err_set(error, ERR_FAILED, 0, "job %s failed", r->job);
}

static int show_json(struct cli_ctx *c, const struct eng_run_record *r,
                     bool done, const struct err *error, struct err *e)
{
    struct jsonw w = done ? cli_json_begin(c) : cli_json_begin_failed(c, error);

    eng_report_json_run(&w, r);
    return cli_json_end(c, &w, e);
}

static void show_table(struct cli_ctx *c, const struct eng_run_record *r)
{
    AUTO_CLI_TABLE struct cli_table t = { 0 };

    for (size_t i = 0; i < r->n_vms; i++) {
        const struct eng_vm_record *v = &r->vms[i];
        if (v->point == NULL || v->tried != r->tries)
            continue;
        const struct cli_made made = {
            .point = v->point,
            .kind = v->kind,
            .read_bytes = v->read_bytes,
            .new_blocks = v->new_blocks,
            .stored_bytes = v->stored_bytes,
            .seconds = v->seconds,
            .bottleneck = v->bottleneck,
        };
        cli_table_made(&t, &made);
    }
    if (t.n > 0)
        cli_table_print(&t, &c->out);
}

static int show(struct cli_ctx *c, const struct eng_run_record *r,
                struct err *error, struct err *e)
{
    bool done =
        r->status == ENG_STATUS_SUCCESS || r->status == ENG_STATUS_WARNING;

    if (!done)
        judge(c, r, error);
    for (size_t i = 0; i < r->n_warnings; i++)
        cli_message("job %s: %s", r->job, r->warnings[i]);
    if (!done)
        cli_error_line(error);
    if (c->json && show_json(c, r, done, error, e) < 0)
        return -1;
    if (!c->json && !c->quiet)
        show_table(c, r);
    if (!done)
        return cli_exit_of(error->kind);
    return r->status == ENG_STATUS_WARNING ? 3 : 0;
}

int cli_job_run_named(struct cli_ctx *c, const char *name, struct err *e)
{
    AUTO(job_call_fini) struct job_call x = { .c = c };
    AUTO_ENG_RUN_RECORD struct eng_run_record r = { 0 };
    struct err error = { 0 };

    if (eng_job_load(&c->home, name, &x.job, e) < 0 ||
        eng_job_check_home(&c->home, &x.job, e) < 0)
        return -1;
    if (run(&x, &r, &error) < 0) {
        *e = error;
        return -1;
    }
    return show(c, &r, &error, e);
}

int cli_job_run(struct cli_ctx *c, struct err *e)
{
    return cli_job_run_named(c, c->call->args[0], e);
}

int cli_job_stop(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    bool graceful = cli_given(c, CLI_OPT_GRACEFUL);
    bool wait = cli_given(c, CLI_OPT_STOP_WAIT);

    if (eng_config_name_check(name, e) < 0 ||
        eng_job_stop(&c->home, name,
                     graceful ? ENG_STOP_GRACEFULLY : ENG_STOP_NOW, e) < 0 ||
        (wait && eng_job_wait(&c->home, name, WAIT_MS, c->cancel, e) < 0))
        return -1;
    if (!c->json) {
        cli_say(c, wait ? "job %s has stopped" : "job %s is asked to stop",
                name);
        return 0;
    }
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "job", name);
    jsonw_kbool(&w, "graceful", graceful);
    jsonw_kbool(&w, "ended", wait);
    return cli_json_end(c, &w, e);
}

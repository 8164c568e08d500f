// SPDX-License-Identifier: Apache-2.0
/* job report: one run of a job, with its past and its points. */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/utc.h"
#include "cli/cmd_job_history.h"
#include "cli/unlock.h"
#include "engine/care/kept.h"

#define BEFORE 30 /* runs that a run is compared with */
#define TEXT_MAX ((size_t)256 << 20)

struct call {
    struct cli_ctx *c;
    const char *name;
    struct eng_job job;
    bool has_job; /* its file can be read */
    char here[ENG_ZONE_NAME_CHARS];
    struct eng_run_record *runs; /* the run, and those before it */
    size_t n_runs;
    struct eng_points listed; /* owns what points borrow */
    struct eng_report_point *points;
    struct eng_report report;
};

static void call_fini(struct call *x)
{
    eng_job_fini(&x->job);
    eng_history_runs_free(x->runs, x->n_runs);
    eng_points_free(&x->listed);
    free(x->points);
}

/* The job's file may be gone, or be wrong: its runs are shown all the same. */
static void read_job(struct call *x)
{
    struct err ignored = { 0 };

    x->has_job = eng_job_load(&x->c->home, x->name, &x->job, &ignored) == 0;
    if (x->has_job) {
        x->report.zone = eng_job_zone(&x->job, x->here);
    } else {
        eng_zone_here(x->here);
        x->report.zone = x->here;
    }
}

/* The newest run, or --run; and those before it. */
static int choose(struct call *x, struct err *e)
{
    struct cli_ctx *c = x->c;
    int64_t id = (int64_t)cli_number(c, CLI_OPT_RUN_ID);
    uint64_t put = 0;
    size_t at = 0;
    AUTO_ENG_HISTORY struct eng_history *h =
        cli_history_open(c, false, &put, e);

    if (h == NULL ||
        eng_history_runs(h, x->name, id != 0 ? SIZE_MAX : BEFORE + 1, &x->runs,
                         &x->n_runs, e) < 0)
        return -1;
    if (x->n_runs == 0)
        return cli_history_none(c, x->name, e);
    while (id != 0 && at < x->n_runs && x->runs[at].id != id)
        at++;
    if (at == x->n_runs)
        return err_set(e, ERR_NOTFOUND, 0, "job %s has no run %lld", x->name,
                       (long long)id);
    x->report.run = &x->runs[at];
    x->report.before = &x->runs[at] + 1;
    x->report.n_before = x->n_runs - at - 1;
    if (x->report.n_before > BEFORE)
        x->report.n_before = BEFORE;
    return 0;
}

/* --- points --- */

static bool is_of_run(const struct eng_run_record *r, const char *vm)
{
    for (size_t i = 0; i < r->n_vms; i++)
        if (r->vms[i].vm != NULL && strcmp(r->vms[i].vm, vm) == 0)
            return true;
    return false;
}

static int take_points(struct call *x, struct eng_repo *repo, struct err *e)
{
    struct cli_ctx *c = x->c;

    if (eng_points_list_all(repo, c->cancel, NULL, &x->listed, e) < 0)
        return -1;
    AUTO_MEM struct eng_kept *kept =
        eng_kept_judge(repo, c->cancel, &x->listed, utc_now(), e);
    if (kept == NULL)
        return -1;
    x->points = calloc(x->listed.n + 1, sizeof(*x->points));
    if (x->points == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < x->listed.n; i++) {
        const struct eng_point *p = &x->listed.p[i];
        if (p->manifest == NULL || !is_of_run(x->report.run, p->vm))
            continue;
        x->points[x->report.n_points++] = (struct eng_report_point){
            .vm = p->vm,
            .time = p->time,
            .chain = p->manifest->chain,
            .full = p->manifest->kind == MF_FULL,
            .visible_until = kept[i].until,
            .locked_until = p->manifest->locked_until,
        };
    }
    x->report.points = x->points;
    return 0;
}

/* Reads the points, where nobody has to be asked for a password.  What cannot
 * be read is said, and the report goes without. */
static int read_points(struct call *x, struct err *e)
{
    struct cli_ctx *c = x->c;
    const char *name = x->report.run->repo;
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    struct err why = { 0 };

    cli_unlock_never_ask(c);
    if (x->has_job)
        cli_unlock_refer(c, x->job.password);
    if (cli_repo_open(c, name, CLI_INTERACTIVE, &repo, &why) == 0 &&
        cli_unlock_open(c, repo.repo, &why) == 0 &&
        take_points(x, repo.repo, &why) == 0) {
        (void)cli_unlock_say_closed(repo.repo, "are not shown");
        return 0;
    }
    if (why.kind == ERR_CANCELLED || why.kind == ERR_NOMEM) {
        *e = why;
        return -1;
    }
    cli_message("repository %s: its points are not shown: %s", name, why.msg);
    return 0;
}

/* --- what is shown --- */

static void json_before(struct jsonw *w, const struct eng_report *r)
{
    jsonw_key(w, "before");
    jsonw_array(w);
    for (size_t i = 0; i < r->n_before; i++) {
        const struct eng_run_record *b = &r->before[i];
        jsonw_object(w);
        jsonw_kuint(w, "run", (uint64_t)b->id);
        jsonw_kstring(w, "status", eng_status_name(b->status));
        cli_json_time(w, "started", b->started);
        cli_json_time(w, "ended", b->ended);
        jsonw_kuint(w, "stored_bytes", eng_report_sum(b).stored_bytes);
        jsonw_end_object(w);
    }
    jsonw_end_array(w);
}

static void json_points(struct jsonw *w, const struct eng_report *r)
{
    jsonw_key(w, "points");
    if (r->points == NULL) {
        jsonw_null(w);
        return;
    }
    jsonw_array(w);
    for (size_t i = 0; i < r->n_points; i++) {
        const struct eng_report_point *p = &r->points[i];
        jsonw_object(w);
        cli_json_text(w, "vm", p->vm);
        cli_json_time(w, "time", p->time);
        jsonw_kstring(w, "kind", p->full ? "full" : "incremental");
        cli_json_time(w, "chain", p->chain);
        cli_json_time(w, "visible_until", p->visible_until);
        cli_json_time(w, "locked_until", p->locked_until);
        jsonw_end_object(w);
    }
    jsonw_end_array(w);
}

static int json_report(const struct call *x, const char *file, struct err *e)
{
    struct jsonw w = cli_json_begin(x->c);

    jsonw_key(&w, "report");
    jsonw_object(&w);
    eng_report_json_run(&w, x->report.run);
    json_before(&w, &x->report);
    json_points(&w, &x->report);
    jsonw_end_object(&w);
    cli_json_text(&w, "html", file);
    return cli_json_end(x->c, &w, e);
}

static int write_page(const struct call *x, const char *file, struct err *e)
{
    AUTO_BUF struct buf page = buf_init(TEXT_MAX);

    if (eng_report_html(&x->report, &page, e) < 0)
        return -1;
    if (strcmp(file, "-") == 0) {
        buf_append(&x->c->out, page.p, page.len);
        return 0;
    }
    if (io_write_file(file, buf_span(&page), 0644, false, e) < 0)
        return -1;
    cli_say(x->c, "the report is in %s", file);
    return 0;
}

static int show_text(const struct call *x, struct err *e)
{
    AUTO_BUF struct buf text = buf_init(TEXT_MAX);

    if (eng_report_text(&x->report, &text, e) < 0)
        return -1;
    buf_append(&x->c->out, text.p, text.len);
    return 0;
}

int cli_job_report(struct cli_ctx *c, struct err *e)
{
    AUTO(call_fini) struct call x = { .c = c, .name = c->call->args[0] };
    const char *file = cli_text(c, CLI_OPT_HTML);
    bool points = cli_given(c, CLI_OPT_POINTS);

    if (file != NULL && strcmp(file, "-") == 0 && c->json)
        return err_set(e, ERR_USAGE, 0, "--html - and --json both want stdout");
    if (points && file == NULL && !c->json)
        return err_set(e, ERR_USAGE, 0,
                       "--points is for --html and --json: see point list");
    read_job(&x);
    if (choose(&x, e) < 0 || (points && read_points(&x, e) < 0) ||
        (file != NULL && write_page(&x, file, e) < 0))
        return -1;
    if (c->json)
        return json_report(&x, file, e);
    return file != NULL ? 0 : show_text(&x, e);
}

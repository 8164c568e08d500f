// SPDX-License-Identifier: Apache-2.0
/*
 * A run of a job from its lock to its notification:
 *   lock → lost runs are closed → selection → into the history → the program
 *   before → the repository → VMs → the program after → its end.
 * What is in the history at each moment is what a run that is killed then
 * leaves: who begins the next one closes it.
 */
#include "engine/run/job_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"
#include "engine/run/job_past.h"
#include "engine/run/job_run_impl.h"
#include "engine/run/notify.h"

#define LOOK_MS 100 /* between looks whether somebody asks to stop */

void eng_job_warn(struct eng_run_record *run, char *text)
{
    if (text == NULL)
        return;
    char **grown =
        realloc(run->warnings, (run->n_warnings + 1) * sizeof(char *));
    if (grown == NULL) {
        free(text);
        return;
    }
    run->warnings = grown;
    run->warnings[run->n_warnings++] = text;
}

static void work_fini(struct eng_job_work *w)
{
    free(w->items);
    eng_selection_fini(&w->selection);
    eng_held_free(w->held);
    eng_history_close(w->history);
    if (w->cancel_made)
        cancel_fini(&w->cancel);
    pthread_mutex_destroy(&w->told);
    eng_job_lock_release(&w->lock);
}

/* --- the beginning --- */

/* Without a history jobs run all the same. */
static void open_history(struct eng_job_work *w)
{
    struct err e = { 0 };

    w->history = eng_history_open(w->o->home->state, NULL, &e);
    if (w->history != NULL &&
        eng_job_lock_close_lost(w->history, w->job->name, &e) == 0)
        return;
    log_warn("run", "job %s: its history is not kept: %s", w->job->name, e.msg);
    eng_history_close(STEAL(w->history));
}

/* The record of the last run, which this is another try of. */
static int take_last(struct eng_job_work *w, struct err *e)
{
    struct eng_run_record *runs = NULL;
    size_t n = 0;

    if (w->history == NULL)
        return err_set(e, ERR_IO, 0,
                       "job %s: without its history nobody knows what failed",
                       w->job->name);
    if (eng_history_runs(w->history, w->job->name, 1, &runs, &n, e) < 0)
        return -1;
    bool left = n == 1 && eng_job_is_left(&runs[0]);
    if (left) {
        *w->run = runs[0];
        runs[0] = (struct eng_run_record){ 0 };
        w->run->tries++; /* as the history will have it */
        for (size_t i = 0; i < w->run->n_warnings; i++)
            free(w->run->warnings[i]);
        w->run->n_warnings = 0;
    }
    eng_history_runs_free(runs, n);
    return left ? 0
                : err_set(e, ERR_NOTFOUND, 0,
                          "job %s: nothing failed in its last run",
                          w->job->name);
}

static int new_record(struct eng_job_work *w, struct err *e)
{
    char host[64] = "";

    (void)gethostname(host, sizeof(host) - 1);
    *w->run = (struct eng_run_record){
        .job = strdup(w->job->name),
        .repo = strdup(w->job->repo),
        .host = strdup(host),
        .why = w->o->why,
        .status = ENG_STATUS_RUNNING,
        .tries = 1,
        .started = utc_now(),
    };
    if (w->run->job == NULL || w->run->repo == NULL || w->run->host == NULL)
        return err_nomem(e);
    return 0;
}

/* From here on the run is in the history, with all of its VMs. */
static void record_begin(struct eng_job_work *w)
{
    struct err e = { 0 };

    if (w->history != NULL &&
        (w->o->retry ? eng_history_again(w->history, w->run, &e)
                     : eng_history_begin(w->history, w->run, &e)) < 0) {
        log_warn("run", "job %s: its history is not kept: %s", w->job->name,
                 e.msg);
        eng_history_close(STEAL(w->history));
    }
    for (size_t i = 0; i < w->n_items; i++)
        eng_job_tell(w, &w->run->vms[w->items[i].at]);
}

/* What only makes this run wrong is no run; a source that fails is one. */
static bool is_no_run(const struct eng_job_work *w, const struct err *e)
{
    return e->kind == ERR_NOMEM ||
           (e->kind == ERR_NOTFOUND && w->o->n_only > 0 && w->held != NULL);
}

/* --- asked to stop --- */

struct watcher {
    struct eng_job_work *w;
    pthread_t thread;
    bool runs;
    struct cancel over;
};

static void *watch(void *ctx)
{
    struct watcher *x = ctx;
    struct err e = { 0 };
    enum eng_stop how = ENG_STOP_NOW;

    while (cancel_sleep(&x->over, LOOK_MS, &e) == 0) {
        if (!eng_job_lock_asked(&x->w->lock, &how))
            continue;
        if (!atomic_exchange(&x->w->enough, true))
            log_warn("run", "job %s is being stopped", x->w->job->name);
        if (how == ENG_STOP_NOW)
            cancel_request(&x->w->cancel);
    }
    return NULL;
}

static int watch_begin(struct watcher *x, struct err *e)
{
    if (cancel_init(&x->over, NULL, e) < 0)
        return -1;
    int sys = pthread_create(&x->thread, NULL, watch, x);
    x->runs = sys == 0;
    return sys == 0 ? 0 : err_set(e, ERR_FAILED, sys, "start a thread");
}

static void watch_end(struct watcher *x)
{
    cancel_request(&x->over);
    if (x->runs)
        (void)pthread_join(x->thread, NULL);
    cancel_fini(&x->over);
}

/* --- the run --- */

static int carry_out(struct eng_job_work *w, struct err *e)
{
    if (w->n_items == 0)
        return err_set(e, ERR_NOTFOUND, 0, "job %s selects no VM%s",
                       w->job->name,
                       w->o->retry ? " any more of those that failed" : "");
    if (eng_job_script(w->job, &w->job->before, w->run->id, NULL, &w->cancel,
                       e) < 0 ||
        eng_job_keeping(w->job, w->zone_room, &w->keeping, &w->keeps, e) < 0 ||
        w->o->open(w->o->ctx, &w->repo, &w->encrypt, e) < 0)
        return -1;
    return eng_job_process(w, e);
}

/* Those whose turn did not come.  why NULL: the run was stopped. */
static void close_items(struct eng_job_work *w, const char *why)
{
    for (size_t i = 0; i < w->n_items; i++) {
        struct eng_vm_record *v = &w->run->vms[w->items[i].at];
        if (v->status != ENG_STATUS_RUNNING)
            continue;
        v->status = why != NULL ? ENG_STATUS_FAILED : ENG_STATUS_STOPPED;
        v->message =
            strdup(why != NULL ? why : "not begun: the run was stopped");
        v->ended = utc_now();
        eng_job_tell(w, v);
    }
}

/* The run as a whole failed, or was stopped before it came to its VMs. */
static void take_failure(struct eng_job_work *w, const struct err *e)
{
    bool stopped = e->kind == ERR_CANCELLED &&
                   (cancel_requested(&w->cancel) || atomic_load(&w->enough));

    if (stopped) {
        w->stopped = true;
        return;
    }
    free(w->run->message);
    w->run->message = strdup(e->msg);
    w->first = *e;
    close_items(w, "not begun: the run failed");
}

/* A run that was stopped before it knew its VMs did nothing. */
static void judge(struct eng_job_work *w)
{
    w->run->status = eng_run_judge(w->run);
    if (w->stopped && w->run->n_vms == 0)
        w->run->status = ENG_STATUS_STOPPED;
}

/* For what is done whatever became of the run: a stop ends it only where it
 * comes while that is done. */
static const struct cancel *cancel_of_end(struct eng_job_work *w)
{
    return cancel_requested(&w->cancel) ? NULL : &w->cancel;
}

/* Whatever became of the run. */
static void run_after(struct eng_job_work *w)
{
    struct err e = { 0 };

    if (eng_job_script(w->job, &w->job->after, w->run->id,
                       eng_status_name(w->run->status), cancel_of_end(w),
                       &e) == 0)
        return;
    log_warn("run", "job %s: %s", w->job->name, e.msg);
    eng_job_warn(w->run, strdup(e.msg));
    judge(w);
}

/* Something in it is left for the daemon to try again. */
static bool will_be_tried_again(const struct eng_job_work *w)
{
    struct eng_schedule schedule;
    struct eng_schedule_retry retry;
    struct err e = { 0 };
    struct eng_schedule_past past;

    if (eng_job_schedule(w->job, &schedule, &e) < 0 ||
        eng_job_retry(w->job, &retry, &e) < 0)
        return false;
    eng_job_past(w->run, 0, &retry, &past);
    return eng_schedule_tries_again(&schedule, &past, &retry);
}

static void finish(struct eng_job_work *w)
{
    struct err e = { 0 };

    close_items(w, NULL);
    judge(w);
    run_after(w);
    w->run->ended = utc_now();
    if (w->history != NULL && eng_history_end(w->history, w->run, &e) < 0)
        log_warn("run", "job %s: its end is not kept: %s", w->job->name, e.msg);
    /* Who was stopped still tells of it. */
    if (!will_be_tried_again(w) &&
        eng_notify(w->job, w->run, cancel_of_end(w), &e) < 0)
        log_warn("run", "job %s: %s", w->job->name, e.msg);
}

static int run(struct eng_job_work *w, struct err *e)
{
    AUTO(watch_end) struct watcher x = { .w = w };
    struct err chosen = { 0 };

    if ((w->o->retry ? take_last(w, e) : new_record(w, e)) < 0 ||
        watch_begin(&x, e) < 0)
        return -1;
    int r = eng_job_choose(w, &chosen);
    if (r < 0 && is_no_run(w, &chosen)) {
        *e = chosen;
        return -1;
    }
    record_begin(w);
    if (r < 0)
        *e = chosen;
    else
        r = carry_out(w, e);
    if (r < 0)
        take_failure(w, e);
    finish(w);
    *e = w->first;
    return 0;
}

int eng_job_run(const struct eng_job_run_opts *o, struct eng_run_record *out,
                struct err *e)
{
    AUTO(work_fini)
    struct eng_job_work w = {
        .o = o, .job = o->job, .run = out, .lock = { .fd = -1 }
    };

    pthread_mutex_init(&w.told, NULL);
    if (eng_job_lock_take(&w.lock, o->home, o->job->name, e) < 0 ||
        cancel_init(&w.cancel, o->cancel, e) < 0)
        return -1;
    w.cancel_made = true;
    open_history(&w);
    return run(&w, e);
}

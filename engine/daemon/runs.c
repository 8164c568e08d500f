// SPDX-License-Identifier: Apache-2.0
/*
 * Runs of jobs.  All that is known of them is in the history, so that runs that
 * somebody began by hand count like those of the daemon; but what it began
 * itself it also remembers, for a run that dies before it could be recorded
 * must not begin again and again.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utc.h"
#include "engine/daemon/loop.h"
#include "engine/run/job_run.h"

#define EXIT_WARNING 3
#define EXIT_INTERRUPTED 130
#define HOST_CHARS 256

static const struct eng_schedule manual;

/* A run that is due. */
struct due {
    struct eng_known_job *job;
    struct eng_schedule_decision d;
};

size_t eng_runs_under_way(const struct eng_loop *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->known.n; i++)
        n += l->known.jobs[i]->handle != 0;
    return n;
}

/* A job that does not run by itself is not tried again either. */
static int read_past(struct eng_loop *l, struct eng_known_job *j, struct err *e)
{
    const struct eng_schedule *s =
        j->state == ENG_KNOWN_ON ? &j->schedule : &manual;
    size_t limit = 1;

    /* Whoever follows it asks for the last run that is over. */
    do {
        if (eng_past_read(l->history, j->name, limit, s, j->since, &j->retry,
                          &j->past, e) < 0)
            return -1;
        limit *= ENG_PAST_RUNS;
    } while (j->followed && j->past.over == 0 && limit == ENG_PAST_RUNS);
    if (j->untold.id != 0 && !eng_past_is_newer(&j->past, &j->untold))
        j->past = j->untold;
    return 0;
}

/* The past of a job as it is now.  What is `running` and is neither ours nor
 * has its job's lock was cut off. */
static int look_at(struct eng_loop *l, struct eng_known_job *j, struct err *e)
{
    if (eng_known_since(j, l->history, l->now, e) < 0 || read_past(l, j, e) < 0)
        return -1;
    if (!j->past.past.running || j->handle != 0)
        return 0;
    int runs = eng_job_runs(l->o->home, j->name, e);
    if (runs != 0)
        return runs < 0 ? -1 : 0;
    if (eng_job_close_lost(l->o->home, l->history, j->name, e) < 0)
        return -1;
    return read_past(l, j, e);
}

static void look_at_all(struct eng_loop *l)
{
    for (size_t i = 0; i < l->known.n; i++) {
        struct eng_known_job *j = l->known.jobs[i];
        struct err e = { 0 };
        j->past_known = look_at(l, j, &e) == 0;
        if (!j->past_known) {
            (void)err_ctx(&e, "history of job %s", j->name);
            eng_loop_trouble(l, &e);
        }
    }
}

void eng_runs_close_lost(struct eng_loop *l)
{
    for (size_t i = 0; i < l->known.n; i++) {
        struct err e = { 0 };
        if (eng_job_close_lost(l->o->home, l->history, l->known.jobs[i]->name,
                               &e) < 0)
            eng_loop_trouble(l, &e);
    }
}

static enum eng_status status_of(int code)
{
    if (code == 0)
        return ENG_STATUS_SUCCESS;
    if (code == EXIT_WARNING)
        return ENG_STATUS_WARNING;
    return code == EXIT_INTERRUPTED ? ENG_STATUS_STOPPED : ENG_STATUS_FAILED;
}

/* A run that ended without a word in the history: it is told there for it. */
static int tell_for(struct eng_loop *l, const struct eng_known_job *j, int code,
                    struct err *e)
{
    char host[HOST_CHARS] = "";
    char message[128];
    char *job = j->name;
    struct eng_run_record r = { .id = j->before.id,
                                .job = job,
                                .repo = j->repo,
                                .host = host,
                                .why = ENG_WHY_SCHEDULE,
                                .tries = j->before.tries,
                                .started = j->begun };

    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(message, sizeof message,
                   "it ended with exit code %d before it began; the daemon's "
                   "log says why",
                   code);
    if (j->what == ENG_WORK_AGAIN) {
        if (eng_history_again(l->history, &r, e) < 0)
            return -1;
    } else {
        r.tries = 1;
        if (eng_history_begin(l->history, &r, e) < 0)
            return -1;
    }
    r.ended = l->now;
    r.status = status_of(code);
    r.message = r.status == ENG_STATUS_SUCCESS ? NULL : message;
    return eng_history_end(l->history, &r, e);
}

/* Where not even that is possible it is remembered here. */
static void remember(struct eng_known_job *j, int code, int64_t now)
{
    bool again = j->what == ENG_WORK_AGAIN;

    j->untold = (struct eng_past){
        .id = again ? j->before.id : j->before.id + 1,
        .tries = again ? j->before.tries + 1 : 1,
        .status = status_of(code),
        .past = { .start = j->begun,
                  .end = now,
                  .result = status_of(code) == ENG_STATUS_FAILED
                                ? ENG_SCHEDULE_FAILED
                                : ENG_SCHEDULE_DONE,
                  .retries = again ? j->before.past.retries + 1 : 0 },
        .over = j->before.over,
    };
}

static void log_end(const struct eng_known_job *j, int code)
{
    const struct eng_past *p = &j->past;
    bool bad = p->status == ENG_STATUS_FAILED;

    log_write(bad ? LOG_WARN : LOG_INFO, "daemon",
              "%s%s has ended: %s, %zu VMs, exit code %d%s%s",
              eng_work_text(j->what), j->name, eng_status_name(p->status),
              p->n_vms, code, p->message[0] != '\0' ? ": " : "", p->message);
}

static void ended(struct eng_loop *l, struct eng_known_job *j, int code)
{
    struct err e = { 0 };

    j->handle = 0;
    j->stop_asked = 0;
    if (eng_job_close_lost(l->o->home, l->history, j->name, &e) < 0 ||
        read_past(l, j, &e) < 0 ||
        (!eng_past_is_newer(&j->past, &j->before) &&
         (tell_for(l, j, code, &e) < 0 || read_past(l, j, &e) < 0))) {
        eng_loop_trouble(l, &e);
        remember(j, code, l->now);
        j->past = j->untold;
    }
    log_end(j, code);
}

void eng_runs_reap(struct eng_loop *l)
{
    const struct eng_world *w = l->o->world;

    for (size_t i = 0; i < l->known.n; i++) {
        struct eng_known_job *j = l->known.jobs[i];
        int code = 0;
        if (j->handle != 0 && w->ended(w->ctx, j->handle, &code))
            ended(l, j, code);
    }
}

static void log_begin(const struct eng_known_job *j,
                      const struct eng_schedule_decision *d)
{
    char iso[UTC_ISO_CHARS];

    if (d->act == ENG_SCHEDULE_AGAIN) {
        log_info("daemon", "retry %d of %d of job %s begins",
                 j->past.past.retries + 1, j->retry.times, j->name);
        return;
    }
    utc_format_iso(d->at, iso);
    log_info("daemon", "run of job %s begins%s%s", j->name,
             d->missed ? "; it was due at " : "", d->missed ? iso : "");
}

static int decide(struct eng_loop *l, struct eng_known_job *j,
                  struct eng_schedule_decision *d, struct err *e)
{
    struct eng_schedule_past past = j->past.past;

    past.since = j->since;
    if (j->handle != 0) {
        /* It may not have got as far as the history. */
        past.running = true;
        past.start = j->begun;
    }
    if (j->schedule.kind == ENG_SCHEDULE_AFTER) {
        const struct eng_known_job *other =
            eng_known_find(&l->known, j->schedule.after);
        past.other_end = other != NULL ? other->past.over : 0;
    }
    return eng_schedule_decide(&j->schedule, j->zone, &past, &j->retry, l->now,
                               d, e);
}

static void begin(struct eng_loop *l, const struct due *due)
{
    const struct eng_world *w = l->o->world;
    struct eng_known_job *j = due->job;
    struct err e = { 0 };

    j->what = due->d.act == ENG_SCHEDULE_AGAIN ? ENG_WORK_AGAIN : ENG_WORK_RUN;
    j->begun = l->now;
    j->before = j->past;
    log_begin(j, &due->d);
    if (w->begin(w->ctx, j->what, j->name, &(struct eng_work_opts){ 0 },
                 &j->handle, &e) == 0) {
        struct eng_schedule_decision d;
        if (decide(l, j, &d, &e) == 0) /* when it has to end */
            eng_loop_at(l, d.at);
        return;
    }
    log_error("daemon", "%s%s cannot begin: %s", eng_work_text(j->what),
              j->name, e.msg);
    ended(l, j, 1);
    eng_loop_at(l, l->now + j->retry.wait_s);
}

/* Its window has closed. */
static void stop(struct eng_loop *l, struct eng_known_job *j)
{
    const struct eng_world *w = l->o->world;
    int64_t id = j->past.id != 0 ? j->past.id : -1;
    struct err e = { 0 };

    if (j->stop_asked == id)
        return;
    j->stop_asked = id;
    log_info("daemon", "run of job %s is stopped: its window has closed",
             j->name);
    if (j->handle != 0)
        w->stop(w->ctx, j->handle);
    else if (eng_job_stop(l->o->home, j->name, ENG_STOP_NOW, &e) < 0 &&
             e.kind != ERR_NOTFOUND)
        eng_loop_trouble(l, &e);
}

static int compare_due(const void *a, const void *b)
{
    const struct due *x = a;
    const struct due *y = b;

    if (x->d.at != y->d.at)
        return x->d.at < y->d.at ? -1 : 1;
    return strcmp(x->job->name, y->job->name);
}

/* Fills the list of what is due, and stops what is to end; how much is due. */
static size_t decide_all(struct eng_loop *l, struct due *list)
{
    size_t n = 0;

    for (size_t i = 0; i < l->known.n; i++) {
        struct eng_known_job *j = l->known.jobs[i];
        struct eng_schedule_decision d;
        struct err e = { 0 };
        if (j->state != ENG_KNOWN_ON || !j->past_known)
            continue;
        if (decide(l, j, &d, &e) < 0) {
            (void)err_ctx(&e, "job %s", j->name);
            eng_loop_trouble(l, &e);
        } else if (d.act == ENG_SCHEDULE_WAIT) {
            eng_loop_at(l, d.at);
        } else if (d.act == ENG_SCHEDULE_STOP) {
            stop(l, j);
        } else {
            list[n++] = (struct due){ j, d };
        }
    }
    return n;
}

void eng_runs_turn(struct eng_loop *l)
{
    size_t max = l->known.config.max_runs != 0 ? l->known.config.max_runs
                                               : ENG_DAEMON_RUNS;
    size_t running = eng_runs_under_way(l);
    struct err e = { 0 };
    AUTO_MEM struct due *list = calloc(l->known.n + 1, sizeof *list);

    if (list == NULL) {
        (void)err_nomem(&e);
        eng_loop_trouble(l, &e);
        return;
    }
    look_at_all(l);
    size_t n = decide_all(l, list);
    qsort(list, n, sizeof *list, compare_due);
    for (size_t i = 0; i < n && running < max; i++, running++)
        begin(l, &list[i]);
    l->due = l->due || (n > 0 && running >= max);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The daemon's loop.  Each turn looks at everything anew: files, history,
 * clocks; what is to be done follows from these alone.  So it does not matter
 * what woke it, whether something woke it in vain, or what happened while
 * nobody looked.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>

#include "base/io.h"
#include "base/log.h"
#include "engine/daemon/loop.h"
#include "engine/history/report.h"

#define TROUBLE_S 60  /* until what went wrong is tried again */
#define CLOCK_SET_S 2 /* clocks that differ by more: one was set */
#define TRIM_S 86400  /* between two looks at old runs */
#define KEEP_RUNS 30  /* of each job, however old */

void eng_loop_trouble(struct eng_loop *l, const struct err *e)
{
    l->troubled = true;
    eng_loop_at(l, l->now + TROUBLE_S);
    if (l->problem != NULL && strcmp(l->problem, e->msg) == 0)
        return;
    log_error("daemon", "%s", e->msg);
    free(l->problem);
    l->problem = strdup(e->msg);
}

/* One daemon for each state folder, as long as this is open. */
static int take_lock(const struct eng_home *h, struct err *e)
{
    AUTO_MEM char *path = io_join(h->state, "daemon.lock", e);
    AUTO_FD int fd = -1;

    if (path == NULL || io_mkdirs_for(path, 0700, e) < 0)
        return -1;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(e, err_of_errno(errno), errno, "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? err_set(e, ERR_EXISTS, 0,
                             "another daemon works with %s already", h->state)
                   : err_set(e, ERR_IO, errno, "lock %s", path);
    return STEAL_FD(fd);
}

static void look_at_clocks(struct eng_loop *l)
{
    const struct eng_world *w = l->o->world;
    int64_t now = w->now(w->ctx);
    int64_t steady = w->steady(w->ctx);
    int64_t set = (now - l->now) - (steady - l->steady);

    if (l->steady != 0 && (set > CLOCK_SET_S || set < -CLOCK_SET_S))
        log_warn("daemon", "the clock was set by %+" PRId64 " seconds", set);
    l->now = now;
    l->steady = steady;
}

static void look_at_files(struct eng_loop *l)
{
    struct err e = { 0 };
    int changed = eng_known_look(&l->known, &e);

    if (changed < 0 ||
        (changed > 0 && eng_chore_list(&l->chores, &l->known, l->now, &e) < 0))
        eng_loop_trouble(l, &e);
}

static void begin_chore(struct eng_loop *l, struct eng_chore *one)
{
    const struct eng_world *w = l->o->world;
    const char *level = l->known.config.check_level;
    struct eng_work_opts how = { .check_level =
                                     level != NULL ? level : "list" };
    struct err e = { 0 };

    one->stop_asked = false;
    log_info("daemon", "%s%s begins", eng_work_text(one->what), one->name);
    if (w->begin(w->ctx, one->what, one->name, &how, &one->handle, &e) < 0)
        log_error("daemon", "%s%s cannot begin: %s", eng_work_text(one->what),
                  one->name, e.msg);
    /* Whatever becomes of it: the next one is at its time. */
    if (eng_chore_done(&l->known, one, l->now, &e) < 0)
        eng_loop_trouble(l, &e);
}

static void stop_chore(struct eng_loop *l, struct eng_chore *one)
{
    const struct eng_world *w = l->o->world;

    if (one->stop_asked)
        return;
    one->stop_asked = true;
    log_info("daemon", "%s%s is stopped: its window has closed",
             eng_work_text(one->what), one->name);
    w->stop(w->ctx, one->handle);
}

static void reap_chores(struct eng_loop *l)
{
    const struct eng_world *w = l->o->world;

    for (size_t i = 0; i < l->chores.n; i++) {
        struct eng_chore *one = &l->chores.v[i];
        int code = 0;
        if (one->handle == 0 || !w->ended(w->ctx, one->handle, &code))
            continue;
        one->handle = 0;
        log_write(code == 0 ? LOG_INFO : LOG_WARN, "daemon",
                  "%s%s has ended: exit code %d", eng_work_text(one->what),
                  one->name, code);
    }
}

static size_t chores_under_way(const struct eng_loop *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->chores.n; i++)
        n += l->chores.v[i].handle != 0;
    return n;
}

static void turn_chores(struct eng_loop *l)
{
    for (size_t i = 0; i < l->chores.n; i++) {
        struct eng_chore *one = &l->chores.v[i];
        struct eng_schedule_decision d;
        struct err e = { 0 };
        if (!one->wanted)
            continue;
        int r = eng_chore_decide(&l->chores, one, &l->known, l->now, &d, &e);
        if (r == 0 && d.act == ENG_SCHEDULE_RUN) {
            begin_chore(l, one);
            r = eng_chore_decide(&l->chores, one, &l->known, l->now, &d, &e);
        }
        if (r < 0)
            eng_loop_trouble(l, &e);
        else if (d.act == ENG_SCHEDULE_STOP)
            stop_chore(l, one);
        else
            eng_loop_at(l, d.at);
    }
}

static void trim(struct eng_loop *l)
{
    int64_t keep = l->known.config.keep_history_s != 0
                       ? l->known.config.keep_history_s
                       : ENG_DAEMON_HISTORY_S;
    struct err e = { 0 };

    if (l->trimmed != 0 && l->steady - l->trimmed < TRIM_S)
        return;
    l->trimmed = l->steady;
    if (eng_history_trim(l->history, l->now - keep, KEEP_RUNS, &e) < 0)
        eng_loop_trouble(l, &e);
}

/* What the metrics' file would tell now. */
static uint64_t telling(const struct eng_loop *l)
{
    uint64_t sum = 1;

    for (size_t i = 0; i < l->known.n; i++) {
        const struct eng_past *p = &l->known.jobs[i]->past;
        sum = sum * 31 + (uint64_t)p->id;
        sum = sum * 31 + (uint64_t)p->tries * 8 + (uint64_t)p->status;
    }
    return sum * 31 + l->known.stamp;
}

static void write_metrics(struct eng_loop *l)
{
    uint64_t sum = telling(l);
    const char *path = l->known.config.metrics;
    struct err e = { 0 };

    if (path == NULL || sum == l->told)
        return;
    l->told = sum;
    AUTO_MEM char **names = calloc(l->known.n + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < l->known.n; i++)
        names[i] = l->known.jobs[i]->name;
    if (names == NULL)
        (void)err_nomem(&e);
    if (names == NULL ||
        eng_metrics_update(l->history, names, l->known.n, path, &e) < 0)
        log_error("daemon", "metrics: %s", e.msg);
}

/* One turn: what is over, what has changed, what is due. */
static void turn(struct eng_loop *l)
{
    look_at_clocks(l);
    l->next = ENG_SCHEDULE_NEVER;
    l->due = false;
    l->troubled = false;
    eng_runs_reap(l);
    reap_chores(l);
    look_at_files(l);
    eng_runs_turn(l);
    turn_chores(l);
    eng_known_tidy(&l->known);
    trim(l);
    write_metrics(l);
    if (!l->troubled) {
        free(l->problem);
        l->problem = NULL;
    }
}

/* Ends all that runs. */
static void end(struct eng_loop *l)
{
    const struct eng_world *w = l->o->world;

    log_info("daemon", "told to stop; %zu runs are under way",
             eng_runs_under_way(l));
    for (size_t i = 0; i < l->known.n; i++)
        if (l->known.jobs[i]->handle != 0)
            w->stop(w->ctx, l->known.jobs[i]->handle);
    for (size_t i = 0; i < l->chores.n; i++)
        if (l->chores.v[i].handle != 0)
            w->stop(w->ctx, l->chores.v[i].handle);
    w->finish(w->ctx);
    look_at_clocks(l);
    eng_runs_reap(l);
    reap_chores(l);
}

static int run(struct eng_loop *l, struct err *e)
{
    const struct eng_world *w = l->o->world;

    look_at_clocks(l);
    look_at_files(l);
    eng_runs_close_lost(l);
    for (;;) {
        turn(l);
        bool idle = eng_runs_under_way(l) + chores_under_way(l) == 0 && !l->due;
        if (l->o->until_idle && idle)
            return 0;
        int64_t wait = l->next == ENG_SCHEDULE_NEVER || l->next > l->now
                           ? l->next - l->now
                           : 1;
        if (w->wait(w->ctx, wait, e) == 0)
            continue;
        if (e->kind != ERR_CANCELLED)
            return -1;
        end(l);
        *e = (struct err){ 0 };
        return 0;
    }
}

static void loop_fini(struct eng_loop *l)
{
    eng_history_close(l->history);
    eng_chore_fini(&l->chores);
    eng_known_fini(&l->known);
    free(l->problem);
}

int eng_daemon_run(const struct eng_daemon_opts *o, struct err *e)
{
    AUTO_FD int lock = take_lock(o->home, e);
    AUTO(loop_fini) struct eng_loop l = { .o = o, .known.home = o->home };

    if (lock < 0)
        return -1;
    l.history = eng_history_open(o->home->state, NULL, e);
    if (l.history == NULL)
        return -1;
    log_info("daemon", "begins with %s and %s", o->home->config,
             o->home->state);
    int r = run(&l, e);
    log_info("daemon", "ends");
    return r;
}

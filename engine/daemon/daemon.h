// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_DAEMON_DAEMON_H
#define ENGINE_DAEMON_DAEMON_H

/*
 * The daemon: begins runs when they are due (engine/schedule decides), tries
 * again what failed, ends runs at the end of their window, and looks after
 * repositories.  One thread; runs and housekeeping are processes of their own,
 * so that nothing that goes wrong in one reaches another.
 *
 * What it does is all in what it asks of its world, so that a test plays a
 * quarter of a year in seconds with the same loop.
 */
#include "base/cancel.h"
#include "engine/history/history.h"
#include "engine/job/config.h"

/* A piece of work that the daemon begins. */
enum eng_work {
    ENG_WORK_RUN,     /* a run of job `name` */
    ENG_WORK_AGAIN,   /* ... what failed in it, once more */
    ENG_WORK_DELETED, /* points of VMs that are gone for long, of job `name` */
    ENG_WORK_GC,      /* retention and collection of repository `name` */
    ENG_WORK_CHECK,   /* a check of it */
    ENG_WORKS
};

/* How a piece of work is done. */
struct eng_work_opts {
    const char *check_level; /* check: "list" or "sample" */
};

struct eng_world {
    /* Unix seconds of the engine's time, and those of a clock that is never
     * set and goes on while the machine sleeps. */
    int64_t (*now)(void *ctx);
    int64_t (*steady)(void *ctx);
    /* Waits for so many seconds, at most until work has ended, configuration or
     * history may have changed, the clock was set, or the daemon is told to
     * stop (ERR_CANCELLED).  May return earlier. */
    int (*wait)(void *ctx, int64_t seconds, struct err *e);
    /* Begins work; *handle names it, and is not 0. */
    int (*begin)(void *ctx, enum eng_work what, const char *name,
                 const struct eng_work_opts *how, uint64_t *handle,
                 struct err *e);
    /* 1: it has ended, with this exit code, and the handle is no more; 0: it
     * has not. */
    int (*ended)(void *ctx, uint64_t handle, int *code);
    /* Asks it to stop, and sees to it that it ends within a minute. */
    void (*stop)(void *ctx, uint64_t handle);
    /* Waits for the end of all that was asked to stop. */
    void (*finish)(void *ctx);
    void *ctx;
};

struct eng_daemon_opts {
    const struct eng_home *home;
    const struct eng_world *world;
    bool until_idle; /* ends once nothing runs and nothing is due */
};

/* Runs until told to stop (0, after its work was stopped) or idle.  Files that
 * cannot be read are told once, in the log, and left out until they change.
 * ERR_EXISTS: another daemon works with this state folder. */
int eng_daemon_run(const struct eng_daemon_opts *o, struct err *e)
    __attribute__((warn_unused_result));

/* The world as it is: clocks, processes of this program (`program`: its path),
 * with the home and state folders of h.  Made, used and freed by one thread,
 * with which its processes would die.  All is borrowed. */
struct eng_real_world;
struct eng_real_world *eng_real_world_new(const struct eng_home *h,
                                          const char *program,
                                          const struct cancel *cancel,
                                          struct eng_world *out, struct err *e);
/* Something may have changed: ends the wait.  Any thread. */
void eng_real_world_wake(struct eng_real_world *w);
void eng_real_world_free(struct eng_real_world *w); /* NULL is fine */
static inline void eng_real_world_freep(struct eng_real_world **w)
{
    eng_real_world_free(*w);
}
#define AUTO_ENG_REAL_WORLD AUTO(eng_real_world_freep)

/* The units of systemd: a timer that lets `program daemon --until-idle` do what
 * is due each minute, and that service; or instead a service that stays. */
enum eng_unit {
    ENG_UNIT_SERVICE,
    ENG_UNIT_TIMER,
    ENG_UNIT_RESIDENT,
    ENG_UNITS
};
const char *eng_unit_name(enum eng_unit u); /* "objvault.timer" */
/* Appends its text, with the folders of h. */
void eng_unit_text(enum eng_unit u, const struct eng_home *h,
                   const char *program, struct buf *out);

#endif

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
    ENG_WORK_GC,      /* retention and collection of repository `name` */
    ENG_WORK_CHECK,   /* a check of it */
    ENG_WORK_DELETED, /* points of VMs that are gone for long, of job `name` */
};

struct eng_world {
    /* Unix seconds of the engine's time, and those of a clock that is never
     * set. */
    int64_t (*now)(void *ctx);
    int64_t (*steady)(void *ctx);
    /* Waits for so many seconds, until work has ended, configuration may have
     * changed, or the daemon is told to stop (ERR_CANCELLED). */
    int (*wait)(void *ctx, int64_t seconds, struct err *e);
    /* Begins work; *handle names it. */
    int (*begin)(void *ctx, enum eng_work what, const char *name,
                 uint64_t *handle, struct err *e);
    /* 1: it has ended; 0: it has not. */
    int (*ended)(void *ctx, uint64_t handle);
    /* Asks it to stop. */
    void (*stop)(void *ctx, uint64_t handle);
    void *ctx;
};

struct eng_daemon_opts {
    const struct eng_home *home;
    const struct eng_world *world;
    bool until_idle; /* ends once nothing runs and nothing is due */
    const struct cancel *cancel;
};

/* Runs until cancelled (0, after its runs were stopped) or idle.  Files that
 * cannot be read are told once and left out until they change. */
int eng_daemon_run(const struct eng_daemon_opts *o, struct err *e)
    __attribute__((warn_unused_result));

/* The world as it is: clocks, processes of this program (`program`: its path),
 * with the home and state folders of h. */
struct eng_real_world;
struct eng_real_world *eng_real_world_new(const struct eng_home *h,
                                          const char *program,
                                          const struct cancel *cancel,
                                          struct eng_world *out, struct err *e);
void eng_real_world_free(struct eng_real_world *w); /* NULL is fine */

#endif

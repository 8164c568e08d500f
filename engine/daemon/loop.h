// SPDX-License-Identifier: Apache-2.0
/* Private to engine/daemon/. */
#ifndef ENGINE_DAEMON_LOOP_H
#define ENGINE_DAEMON_LOOP_H

/* What the turns of the daemon's loop share. */
#include "engine/daemon/housekeeping.h"
#include "engine/daemon/known.h"

struct eng_loop {
    const struct eng_daemon_opts *o;
    struct eng_history *history;
    struct eng_known known;
    struct eng_chores chores;
    int64_t now, steady; /* of the present turn */
    int64_t next;        /* engine's time of the next turn, so far */
    bool due;            /* something is due and waits for something else */
    int64_t trimmed;     /* steady time; 0: not yet */
    uint64_t told;       /* what the metrics' file tells */
    char *problem;       /* that was logged last, until it is over */
    bool troubled;       /* in the present turn */
};

/* --- runs.c --- */

/* Notes which runs have ended. */
void eng_runs_reap(struct eng_loop *l);
/* Begins, and stops, what is to be now. */
void eng_runs_turn(struct eng_loop *l);
/* Closes runs that a machine's or a process's end has cut off. */
void eng_runs_close_lost(struct eng_loop *l);
/* How many there are that the daemon began. */
size_t eng_runs_under_way(const struct eng_loop *l);

/* --- loop.c --- */

/* Something went wrong that the next turn, within a minute, tries again: told
 * once. */
void eng_loop_trouble(struct eng_loop *l, const struct err *e);
/* The next turn is at t at the latest. */
static inline void eng_loop_at(struct eng_loop *l, int64_t t)
{
    if (t < l->next)
        l->next = t;
}

#endif

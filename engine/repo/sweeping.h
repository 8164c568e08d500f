// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_SWEEPING_H
#define ENGINE_REPO_SWEEPING_H

/*
 * The other side of runlease.h: a collector's turn on a repository without
 * locks.  While it lasts no run is under way.  And the sweep counter, by which
 * an index knows whether somebody has deleted since it was brought up to date.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "engine/repo/lease.h"

struct eng_repo;

/* A turn is as long as this; its mark lasts for longer, for it may have to wait
 * for a run first. */
#define ENG_SWEEP_SLICE_S 60
#define ENG_SWEEP_MARK_S 300

#define ENG_COUNTER_KEY "gc/counter"
#define ENG_COUNTER_CHARS 65

/* The sweep counter, as a digest to compare; "": there was no sweep yet. */
int eng_counter_read(struct eng_repo *r, const struct cancel *cancel,
                     char out[ENG_COUNTER_CHARS], struct err *e)
    __attribute__((warn_unused_result));

/* The same for who trusts an index, or has a new lease: waits until no sweep is
 * under way, and renews the lease of a run meanwhile.  The counter is the same
 * before the last look at sweeps and after it. */
int eng_counter_settled(struct eng_repo *r, const struct cancel *cancel,
                        char out[ENG_COUNTER_CHARS], struct err *e)
    __attribute__((warn_unused_result));

/* Sets a new one: before the first deletion of a turn. */
int eng_counter_renew(struct eng_repo *r, const struct cancel *cancel,
                      int64_t sign_before, struct err *e)
    __attribute__((warn_unused_result));

struct eng_sweep {
    struct eng_repo *repo;
    struct eng_lease mark; /* in a bucket */
    int fd;                /* in a directory: holds the lock */
    bool counted;          /* the counter was set */
    int64_t began_ms;      /* utc_mono_ms */
    uint64_t unanswered;   /* the store's, when it began */
};

/* Who is in the way. */
struct eng_sweep_way {
    char who[ENG_LEASE_TEXT_CHARS];
    char vm[ENG_LEASE_VM_CHARS]; /* digest of its VM; "": none, not known */
    int64_t until; /* it counts before, server's time; 0: not known */
};

/* Begins a turn, waiting until give_up_ms (utc_mono_ms) for runs and other
 * collectors.  0: nobody else is at work, and nobody will be before the turn
 * is over; 1: somebody is in the way, and nothing was begun.  ERR_UNSUPPORTED:
 * files cannot be locked here. */
int eng_sweep_begin(struct eng_repo *r, const struct cancel *cancel,
                    int64_t give_up_ms, struct eng_sweep *s,
                    struct eng_sweep_way *way, struct err *e)
    __attribute__((warn_unused_result));

/* The same without a mark, to look whether it is worth beginning. */
int eng_sweep_look(struct eng_repo *r, const struct cancel *cancel,
                   int64_t give_up_ms, struct eng_sweep_way *way, struct err *e)
    __attribute__((warn_unused_result));

/* Before a deletion: sets the counter, once. */
int eng_sweep_count(struct eng_sweep *s, const struct cancel *cancel,
                    struct err *e) __attribute__((warn_unused_result));

/* For the deletions of this turn, as in struct obj_req. */
int64_t eng_sweep_sign_before(const struct eng_sweep *s);

/* False: the turn is over, let others in. */
bool eng_sweep_has_time(const struct eng_sweep *s);

/* Ends it.  Its mark is written as ended, unless a request may be carried out
 * yet: then it runs out.  cancel is not asked. */
void eng_sweep_end(struct eng_sweep *s);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_LOCKS_IMPL_H
#define ENGINE_CARE_LOCKS_IMPL_H

/* Private to the files of the lock verification. */
#include <pthread.h>

#include "engine/care/idset.h"
#include "engine/care/locks.h"
#include "engine/care/look.h"
#include "engine/care/pagerefs.h"
#include "engine/repo/index.h"

/* A manifest whose point is locked. */
struct locks_manifest {
    struct mf_key key;
    uint32_t rank; /* of its point */
    bool seen;     /* a version of it was listed */
};

struct locks {
    struct eng_repo *repo;
    const struct eng_points *points;
    const struct eng_locks_opts *o;
    struct eng_locks_result *res;
    /* Indexes of points whose lock lasts, the latest date first: a place in
     * here is a point's rank.  What several points need is needed until the
     * date of the smallest rank. */
    size_t *order; /* owned */
    size_t n_order;
    struct locks_manifest *manifests; /* owned; by key, n_order of them */
    struct eng_pagerefs pages;        /* each once, of the smallest rank */
    bool *page_seen;                  /* owned; for each of pages */
    struct eng_idset set;    /* blocks of one range; the note is rank + 1 */
    struct eng_index *index; /* owned; this machine's, or NULL */
    uint64_t seed;           /* of the sample */
    bool first;              /* range: all but blocks is asked for as well */
    bool descriptor_seen;
    size_t slots_seen;
    struct progress_task *task;
    pthread_mutex_t lock; /* around the set while it is filled, the result and
                             the reports */
};

/* How many slots in force the keyset has. */
size_t eng_locks_slots(const struct locks *l);
/* Until when an object of this rank must be locked. */
int64_t eng_locks_date(const struct locks *l, uint32_t rank);
/* Counts and reports; rank: of a point that needs the object. */
int eng_locks_find(struct locks *l, struct eng_locks_finding *f, uint32_t rank,
                   struct err *e) __attribute__((warn_unused_result));

/* --- locks_mark.c --- */

/* Fills the set from byte lo on, by reading the pages. */
int eng_locks_mark(struct locks *l, unsigned lo, struct err *e)
    __attribute__((warn_unused_result));

/* --- locks_ask.c --- */

/* Asks for the blocks in range, the first time for all the rest too. */
int eng_locks_ask(struct locks *l, struct err *e)
    __attribute__((warn_unused_result));

#endif

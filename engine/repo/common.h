// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_COMMON_H
#define ENGINE_REPO_COMMON_H

/*
 * Private to engine/repo: what handles of one open repository (eng_repo_again)
 * have together of a keyset that they write to: its index, and the mark of
 * their runs.  Bringing the index up to date is one handle's at a time; the
 * others wait for their turn, and find what it has learned.  So is making a
 * keyset.
 */
#include <pthread.h>

#include "base/cancel.h"
#include "base/err.h"
#include "engine/repo/index.h"
#include "engine/repo/runmark.h"
#include "engine/repo/sweeping.h"
#include "manifest/objkey.h"

struct eng_common {
    char keyset[MF_KEYSET_CHARS];
    unsigned users; /* handles that have joined; guarded by the list's lock */
    bool busy;      /* somebody has the turn; guarded by it as well */
    struct eng_common *next;
    /* Whoever has the turn may use these. */
    struct eng_index *index; /* NULL: nobody has opened it yet */
    struct eng_runmark mark;
    char sweep[ENG_COUNTER_CHARS]; /* the counter that it was filled under */
    int64_t looked_ms; /* utc_mono_ms: when its points were looked at last */
    bool listed;       /* what it knows was listed since it was opened here */
    bool filled;       /* whoever brought it up to date last came to the end */
};

/* Of the first handle. */
struct eng_commons {
    pthread_mutex_t lock;
    pthread_cond_t free;
    bool making; /* somebody makes a keyset; guarded */
    struct eng_common *first;
};

void eng_commons_init(struct eng_commons *all);
void eng_commons_fini(struct eng_commons *all);

/* Joins r to what there is of its keyset.  ERR_NOMEM. */
int eng_common_join(struct eng_repo *r, struct err *e)
    __attribute__((warn_unused_result));
/* Leaves it; the last one closes it.  Not joined: nothing happens. */
void eng_common_leave(struct eng_repo *r);

/* Waits for the turn, and renews the lease of r's run meanwhile.
 * ERR_CANCELLED. */
int eng_common_begin(struct eng_repo *r, const struct cancel *cancel,
                     struct err *e) __attribute__((warn_unused_result));
void eng_common_end(struct eng_repo *r);

/* The same for making a keyset: of handles that need one at the same time the
 * first makes it, and the others find it in a list that they read in their
 * turn. */
int eng_commons_begin_making(struct eng_repo *r, const struct cancel *cancel,
                             struct err *e) __attribute__((warn_unused_result));
void eng_commons_end_making(struct eng_repo *r);

#endif

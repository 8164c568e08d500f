// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_COLLECT_IMPL_H
#define ENGINE_CARE_COLLECT_IMPL_H

/* Private to the files of collection. */
#include <pthread.h>

#include "engine/care/collect.h"
#include "engine/care/idset.h"
#include "engine/care/look.h"
#include "engine/care/names.h"
#include "engine/care/pagerefs.h"
#include "engine/repo/damaged.h"

#define COLLECT_BATCH 1000 /* deletions in one request */
/* Up to so many objects one listing is cheaper than 256. */
#define COLLECT_FEW 10000
#define COLLECT_PREFIXES 256
/* Pieces of a repository: blocks and pages by their prefixes, points, marks of
 * protected points, the descriptor. */
#define COLLECT_BLOCKS 0
#define COLLECT_PAGES COLLECT_PREFIXES
#define COLLECT_POINTS (2 * COLLECT_PREFIXES)
#define COLLECT_KEEPS (COLLECT_POINTS + 1)
#define COLLECT_DESCRIPTOR (COLLECT_POINTS + 2)
#define COLLECT_PIECES (COLLECT_POINTS + 3)

struct collect {
    struct eng_repo *repo;
    const struct eng_collect_opts *o;
    struct eng_collect_result *res;
    bool versions;             /* the bucket keeps them */
    bool locked;               /* locks decide, not turns */
    int64_t give_up_ms;        /* until when runs are waited for */
    struct err stopped;        /* the first keyset that could not be done */
    uint64_t points;           /* of the keyset that are kept */
    struct eng_names expired;  /* keys of manifests, sorted */
    struct eng_names roots;    /* ... that were listed for the mark, sorted */
    struct eng_pagerefs pages; /* that they need */
    struct eng_idset blocks;   /* ... those of one range */
    struct eng_damaged marks;  /* of damaged objects */
    bool *mark_live;           /* owned; which are needed */
    int64_t marked_at;         /* server's time before the mark */
    int64_t sign_before;       /* of a deletion by this mark, or turn */
    struct eng_sweep turn;     /* in it while it is under way */
    bool in_turn;
    bool counted;                  /* locked: the counter was set */
    uint64_t work[COLLECT_PIECES]; /* what the last count found to do */
    bool fine; /* blocks and pages are listed by their prefixes, in parallel;
                  else by one listing each, as their first pieces */
    bool counting; /* else deleting */
    bool first;    /* the range that has all but the blocks of other ranges */
    bool told;     /* this range's junk was counted and named */
    pthread_mutex_t lock; /* around all below, the result, the sets while they
                             are filled, and the reports */
    struct eng_names bad,
        parents;              /* manifests that were not read; known ones */
    struct eng_pagerefs lost; /* pages that were not read */
    char lost_why[300];
    uint64_t asked; /* leftovers whose date was asked for */
};

/* One version of a key, or a delete marker. */
struct collect_version {
    char id[OBJ_VERSION_CHARS];
    uint64_t size;
    int64_t modified;
    bool marker;
};

/* Deletions that are to be sent; one worker's. */
struct collect_batch {
    struct collect *c;
    const struct cancel *cancel;
    struct obj_name names[COLLECT_BATCH];
    char keys[COLLECT_BATCH][MF_KEY_CHARS];
    char versions[COLLECT_BATCH][OBJ_VERSION_CHARS];
    uint64_t sizes[COLLECT_BATCH];
    size_t n;
    uint64_t *done; /* counter of what is gone; NULL: res->deleted */
};

void eng_collect_say(struct collect *c, enum eng_collect_word word,
                     const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- collect_mark.c --- */

/* What all points need, as of now: their pages. */
int eng_collect_roots(struct collect *c, struct err *e)
    __attribute__((warn_unused_result));
/* Their blocks from first byte lo on, in a range that fits into memory. */
int eng_collect_mark(struct collect *c, unsigned lo, struct err *e)
    __attribute__((warn_unused_result));
/* Adds what points need that are there since the mark. */
int eng_collect_catch_up(struct collect *c, struct err *e)
    __attribute__((warn_unused_result));

/* --- collect_delete.c --- */

/* No deletion is signed any more: the turn is over, or the mark too old. */
bool eng_collect_time_is_up(const struct collect *c);
/* Adds a version; sends the batch when it is full.  1: time is up. */
int eng_collect_doom(struct collect_batch *b, const char *key,
                     const struct collect_version *v, struct err *e)
    __attribute__((warn_unused_result));
int eng_collect_flush(struct collect_batch *b, struct err *e)
    __attribute__((warn_unused_result));
/* A version that the server holds: counted, and its date asked for. */
void eng_collect_left(struct collect *c, const struct cancel *cancel,
                      const char *key, const char *version, uint64_t size);

/* --- collect_sweep.c --- */

/* Always -1. */
int eng_collect_refuse_marker(const char *key, struct err *e);

/* Goes through all pieces: counts what there is to do, or does it.  Of blocks
 * only those in range. */
int eng_collect_pass(struct collect *c, struct err *e)
    __attribute__((warn_unused_result));

/* --- collect_surplus.c --- */

/* Of several versions of what is needed (newest first, no markers) those go
 * that another one makes surplus.  1: time is up. */
int eng_collect_surplus(struct collect_batch *b, struct eng_looker *looker,
                        const struct eng_look_want *w,
                        const struct collect_version *v, size_t n,
                        struct err *e) __attribute__((warn_unused_result));

/* --- collect_tidy.c --- */

/* What lies below gc/ and is of no use any more. */
int eng_collect_tidy(struct collect *c, struct err *e)
    __attribute__((warn_unused_result));

/* --- collect_points.c --- */

/* Points whose time is over: they are named, and removed. */
int eng_collect_expire(struct collect *c, struct err *e)
    __attribute__((warn_unused_result));

/* --- collect.c --- */

/* Begins a turn, where there are turns.  0; 1: somebody is in the way. */
int eng_collect_begin_turn(struct collect *c, struct err *e)
    __attribute__((warn_unused_result));
void eng_collect_end_turn(struct collect *c);

#endif

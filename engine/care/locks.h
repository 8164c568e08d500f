// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_LOCKS_H
#define ENGINE_CARE_LOCKS_H

/*
 * Until when what points need is locked: as their manifests say, at once; and
 * as the server says, asked object by object.  Nothing is changed.  Memory is
 * bounded as in the check: blocks are dealt with range by range.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "base/progress.h"
#include "engine/repo/points.h"
#include "engine/repo/repo.h"

/* When a repository could be empty at the earliest, if all its points were
 * given up.  Unix seconds; 0: no point is locked. */
struct eng_locks_empty {
    int64_t from; /* not before: the latest date that a point names */
    int64_t by;   /* locks of what points need reach up to a generation
                     further, and are over by then */
};
struct eng_locks_empty eng_locks_empty(const struct eng_repo *r,
                                       const struct eng_points *ps);

/* What is wrong with an object. */
enum eng_locks_word {
    ENG_LOCKS_SHORT,      /* no good version is locked for long enough */
    ENG_LOCKS_MISSING,    /* it is not there */
    ENG_LOCKS_UNREADABLE, /* it does not verify; what a manifest or page names
                             is not known then */
};
const char *eng_locks_word_name(enum eng_locks_word w);

struct eng_locks_finding {
    enum eng_locks_word word;
    const char *key;
    const char *version; /* the one with the latest date; "" without one */
    const char *mode;    /* of its lock: "none", ... */
    int64_t has;         /* until when it is locked; 0: not */
    int64_t wants;       /* until when it should be; 0: not known */
    const char *point;   /* one that needs it so long: vm@time */
    const char *why;     /* UNREADABLE: what is wrong; else "" */
};

/* Called from one thread at a time; everything is borrowed. */
typedef void (*eng_locks_fn)(void *ctx, const struct eng_locks_finding *f);

#define ENG_LOCKS_ALL_PPM 1000000u

struct eng_locks_opts {
    unsigned sample_ppm; /* how many of a million blocks are asked for;
                            descriptor, manifests and pages always are */
    size_t ids_max;      /* ids in memory at once; 0: a million */
    const struct cancel *cancel;
    struct progress *progress;
    eng_locks_fn report; /* or NULL */
    void *ctx;
};

struct eng_locks_result {
    uint64_t points;  /* whose lock lasts; of others nothing is asked */
    uint64_t objects; /* distinct ones that they need */
    uint64_t asked;   /* of those, how many the server was asked for */
    uint64_t denied;  /* ... and would not say: these keys may not see locks */
    uint64_t shorts, missing, unreadable;
    uint64_t sealed; /* points whose keyset's key is not at hand: not asked */
    int64_t latest;  /* the latest date of a lock that was seen; 0: none */
};

/* Asks the server for the lock of each object that the points of ps (all of
 * the repository, eng_points_list_all, or of a keyset) need while they are
 * locked: descriptor, the keyset's slots, manifests, pages, both blocks of each
 * entry; each object once, for the latest date that any point needs.  The
 * version that counts is the one that this machine's index knows, or the only
 * one; else the content is verified. 0: it was looked at to the end, whatever
 * was found.  ERR_USAGE: no locked repository. */
int eng_locks_verify(struct eng_repo *r, const struct eng_points *ps,
                     const struct eng_locks_opts *o,
                     struct eng_locks_result *res, struct err *e)
    __attribute__((warn_unused_result));

/* True where something falls short of what its points promise. */
static inline bool eng_locks_broken(const struct eng_locks_result *r)
{
    return r->shorts + r->missing + r->unreadable > 0;
}

#endif

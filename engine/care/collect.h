// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_COLLECT_H
#define ENGINE_CARE_COLLECT_H

/*
 * Collection: points whose time is over, then the blocks and pages that no
 * point names any more, and what lies below gc/.  It may be killed at any
 * moment and run again, beside runs and beside other collectors: DESIGN.md
 * "Collection" has the rules and the argument.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "engine/repo/repo.h"
#include "engine/repo/sweeping.h"
#include "manifest/point.h"

/* What a message is about. */
enum eng_collect_word {
    ENG_COLLECT_EXPIRED, /* a point whose time is over */
    ENG_COLLECT_JUNK,    /* not ours; left alone */
    ENG_COLLECT_NOTE,    /* something could not be done */
};

/* Called from one thread at a time; what: one line. */
typedef void (*eng_collect_fn)(void *ctx, enum eng_collect_word word,
                               const char *what);

struct eng_collect_opts {
    bool dry_run;
    int64_t wait_s; /* for runs that are in the way */
    size_t ids_max; /* ids in memory at once; 0: a million and a half */
    const struct cancel *cancel;
    eng_collect_fn report; /* or NULL */
    void *ctx;
};

struct eng_collect_count {
    uint64_t objects, bytes; /* versions, where there are any */
};

struct eng_collect_result {
    uint64_t expired, removed;        /* points */
    uint64_t points;                  /* that are kept */
    uint64_t pages, blocks;           /* that they name, each once */
    struct eng_collect_count garbage; /* nobody names it */
    struct eng_collect_count surplus; /* further versions of what is named */
    struct eng_collect_count deleted;
    struct eng_collect_count locked;   /* refused by the server, for now */
    int64_t locked_first, locked_last; /* ... until, as far as it was asked;
                                          0: it was not */
    uint64_t tidied;                   /* objects below gc/ */
    uint64_t junk;
    uint64_t keysets_skipped; /* their keys are not at hand */
    unsigned marks;           /* how often all pages were read */
    bool blocked;             /* somebody was in the way: not all was done */
    struct eng_sweep_way way; /* ... who */
    char way_vm[MF_NAME_MAX + 1]; /* ... with which VM; "": not known */
};

/* Collects.  ERR_CORRUPT: a delete marker on a key of ours, or a manifest or
 * page that cannot be read: nothing is deleted that might be needed then.
 * ERR_UNSUPPORTED: files cannot be locked in this directory; ERR_DENIED: a
 * right is missing. */
int eng_collect_run(struct eng_repo *r, const struct eng_collect_opts *o,
                    struct eng_collect_result *res, struct err *e)
    __attribute__((warn_unused_result));

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_RECOVER_H
#define ENGINE_CARE_RECOVER_H

/*
 * Undoing what somebody with the keys has done to a repository in a bucket that
 * keeps versions: delete markers, rubbish over objects, false manifests.
 * Everything that is named by its content says itself which of its versions is
 * the good one.  Each step is right by itself, so it may be killed at any
 * moment and run again.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "base/progress.h"
#include "engine/care/check.h"
#include "engine/repo/repo.h"

enum eng_recover_area {
    ENG_RECOVER_DESCRIPTOR,
    ENG_RECOVER_SLOTS, /* that hold the keys of keysets */
    ENG_RECOVER_POINTS,
    ENG_RECOVER_PAGES,
    ENG_RECOVER_BLOCKS,
    ENG_RECOVER_OTHER, /* marks of protected points, leases and the like */
    ENG_RECOVER_AREAS
};
/* "descriptor", "points", ... */
extern const char *const eng_recover_area_names[ENG_RECOVER_AREAS + 1];

/* What was found, and (but for a dry run) done. */
struct eng_recover_count {
    uint64_t markers;     /* delete markers */
    uint64_t removed;     /* ... that are gone now */
    uint64_t overwritten; /* objects whose newest version is not the good one */
    uint64_t uncovered;   /* ... over which nothing lies any more */
    uint64_t put;         /* ... whose good version was put once more */
    uint64_t lost;        /* objects without any good version */
    uint64_t junk;        /* what never was a manifest, or slot */
    uint64_t junk_removed;
    uint64_t added;   /* manifests that are there since then, and verify */
    uint64_t refused; /* deletions that the server refused */
};

struct eng_recover_result {
    struct eng_recover_count areas[ENG_RECOVER_AREAS];
    struct eng_check_result points; /* what can be restored, as listed */
    /* Objects where the repository has folders (repo/folders.h) that stay: a
     * dry run, or the server refused.  No point was looked at then. */
    uint64_t hiding;
    bool denied; /* of the refused ones some for want of a right */
};

enum eng_recover_word {
    ENG_RECOVER_MARKER,      /* a delete marker on it */
    ENG_RECOVER_OVERWRITTEN, /* its newest version is not the good one */
    ENG_RECOVER_LOST,        /* none of its versions is good */
    ENG_RECOVER_JUNK,        /* never was what its name says */
    ENG_RECOVER_HIDING,      /* stands where the repository has a folder */
    ENG_RECOVER_ADDED,       /* a point that is there since then */
    ENG_RECOVER_REFUSED,     /* could not be removed */
    ENG_RECOVER_POINT_BACK,  /* a point that can be restored */
    ENG_RECOVER_POINT_LOST,  /* one that cannot, or not wholly */
};
/* Called from one thread at a time; what: one line, or a key. */
typedef void (*eng_recover_fn)(void *ctx, enum eng_recover_word word,
                               const char *what);

struct eng_recover_opts {
    int64_t as_of; /* only what was done since then, by the server's clock; 0:
                      whenever */
    bool dry_run;  /* find it, and change nothing */
    const struct cancel *cancel;
    struct progress *progress;
    eng_recover_fn report; /* or NULL */
    /* Reads the list of keysets and opens those it can: called where slots were
     * hidden until now.  NULL: the list is read. */
    int (*open)(void *ctx, struct eng_repo *r, struct err *e);
    void *ctx;
};

/* Recovers.  ERR_UNSUPPORTED: the bucket keeps no versions. */
int eng_recover_run(struct eng_repo *r, const struct eng_recover_opts *o,
                    struct eng_recover_result *res, struct err *e)
    __attribute__((warn_unused_result));

/* True where every point comes back that has to: those that are locked; in a
 * repository without locks, all. */
bool eng_recover_complete(const struct eng_repo *r,
                          const struct eng_recover_result *res);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_CHECK_H
#define ENGINE_CARE_CHECK_H

/*
 * Checking a whole repository: is all there that its points need, and is it
 * what it says it is?  Pages are always read, since they say what is needed.
 * Memory is bounded: blocks are dealt with range by range of their ids' first
 * byte, at the price of reading the pages again for each further range.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "base/progress.h"
#include "engine/repo/damaged.h"
#include "engine/repo/points.h"
#include "engine/repo/repo.h"

enum eng_check_level {
    ENG_CHECK_LIST,   /* every block is listed, with a size that can be */
    ENG_CHECK_SAMPLE, /* ... and some of them are read and verified */
    ENG_CHECK_FULL,   /* every block is read and verified */
};

/* What a message is about. */
enum eng_check_word {
    ENG_CHECK_DAMAGED,  /* an object is damaged or missing */
    ENG_CHECK_POINT,    /* a point needs such objects, or is one */
    ENG_CHECK_MISSING,  /* a manifest that this machine has seen is gone */
    ENG_CHECK_HIDDEN,   /* an object is hidden or overwritten, an older version
                           of it is good */
    ENG_CHECK_JUNK,     /* not ours */
    ENG_CHECK_REPAIRED, /* a good copy was put again */
    ENG_CHECK_WELL,     /* a point lacks nothing (where asked for) */
    ENG_CHECK_NOTE,     /* something could not be done */
};

/* Called from one thread at a time; what: one line. */
typedef void (*eng_check_fn)(void *ctx, enum eng_check_word word,
                             const char *what);

struct eng_check_opts {
    enum eng_check_level level;
    unsigned sample_ppm;   /* how many of a million blocks are read */
    bool repair;           /* put good copies again */
    struct eng_repo *from; /* ... also those of this repository; or NULL */
    uint64_t memory_bytes; /* 0: ENG_MEMORY_DEFAULT; for blocks being read */
    bool name_all;         /* say which points are well, too */
    bool no_marks;         /* nothing is written */
    /* Blocks that are read at every level, as those with marks are; or NULL. */
    const struct eng_damaged *suspects;
    size_t ids_max; /* ids in memory at once; 0: a million */
    const struct cancel *cancel;
    struct progress *progress;
    eng_check_fn report; /* or NULL */
    void *ctx;
};

struct eng_check_result {
    uint64_t points, damaged_points;   /* damaged: after repairing */
    uint64_t missing_points;           /* this machine has seen them */
    uint64_t locked_lost;              /* damaged points that are locked now */
    uint64_t pages, blocks;            /* distinct ones that were looked at */
    uint64_t read_objects, read_bytes; /* read and verified, as stored */
    uint64_t damaged;                  /* objects, those repaired included */
    uint64_t hidden;                   /* objects, those repaired included */
    uint64_t repaired;                 /* of damaged and hidden ones */
    uint64_t hidden_repaired;          /* ... of the hidden ones */
    uint64_t junk;
    uint64_t keysets_skipped; /* their keys are not at hand */
    uint64_t sealed_points;   /* in these; only their manifests were compared
                                 with their names */
    uint64_t marked;          /* marks of damaged objects that stand now */
    unsigned ranges;          /* how many times the pages were read */
};

/* Checks.  0: it was looked at to the end, whatever was found.  Damaged blocks
 * and pages are marked (engine/repo/damaged.h), so that the next run that meets
 * their content puts them again. */
int eng_check_run(struct eng_repo *r, const struct eng_check_opts *o,
                  struct eng_check_result *res, struct err *e)
    __attribute__((warn_unused_result));

/* True where points are damaged or gone. */
static inline bool eng_check_damage(const struct eng_check_result *r)
{
    return r->damaged_points + r->missing_points > 0;
}

/* True where points are readable by older versions of objects only. */
static inline bool eng_check_hidden(const struct eng_check_result *r)
{
    return r->hidden > r->hidden_repaired;
}

#endif

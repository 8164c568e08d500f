// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_RESTORE_RESTORE_H
#define ENGINE_RESTORE_RESTORE_H

/* The flow repository → target, and the same without a target: verifying. */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "base/progress.h"
#include "engine/repo/points.h"
#include "engine/restore/target.h"

struct eng_restore_opts {
    bool force;
    enum eng_target_format format; /* disks; files are always as they were */
    uint64_t memory_bytes;         /* 0: ENG_MEMORY_DEFAULT */
    const struct cancel *cancel;
    struct progress *progress;
};

struct eng_restore_result {
    uint64_t disks, files;
    uint64_t bytes;                         /* sizes of what was restored */
    uint64_t fetched_blocks, fetched_bytes; /* plaintext */
    double seconds;
};

/* Restores one disk of a point to path (file, device or "-").  The disk may be
 * left out (NULL) where the point has just one.  ERR_NOTFOUND names the disks
 * there are.  ERR_CORRUPT names the object that does not verify: then no file
 * appears under the final name. */
int eng_restore_disk(struct eng_repo *repo, const struct eng_point *point,
                     const char *disk, const char *path,
                     const struct eng_restore_opts *o,
                     struct eng_restore_result *res, struct err *e)
    __attribute__((warn_unused_result));

/* Restores all disks and files into dir, which is made if it is not there.
 * Names that exist are refused before anything is written (ERR_EXISTS). */
int eng_restore_vm(struct eng_repo *repo, const struct eng_point *point,
                   const char *dir, const struct eng_restore_opts *o,
                   struct eng_restore_result *res, struct err *e)
    __attribute__((warn_unused_result));

enum eng_verify_level {
    ENG_VERIFY_FULL, /* everything is read and verified */
    ENG_VERIFY_LIST, /* pages are read; blocks must be there, by listing */
};

struct eng_verify_result {
    uint64_t pages, blocks; /* looked at, distinct */
    uint64_t damaged;       /* objects damaged or missing */
};

/* Called for every object that is damaged or missing, from one thread at a
 * time; what: "block 1a2b…: …" with disk and offset. */
typedef void (*eng_verify_fn)(void *ctx, const char *what);

/* Verifies a point.  0 where it was looked at to the end, damage or not (see
 * res->damaged); a damaged manifest counts as one damaged object.
 * ERR_NOTFOUND: the point was removed meanwhile, so what it lacks says
 * nothing (eng_restore_disk and eng_restore_vm say so, too). */
int eng_verify_point(struct eng_repo *repo, const struct eng_point *point,
                     enum eng_verify_level level,
                     const struct eng_restore_opts *o, eng_verify_fn report,
                     void *ctx, struct eng_verify_result *res, struct err *e)
    __attribute__((warn_unused_result));

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_EXTEND_H
#define ENGINE_REPO_EXTEND_H

/*
 * The extension step of a locked repository, and the manifest after it.  When
 * the manifest becomes visible, everything that it needs is locked at least
 * until its `locked_until`: descriptor, pages, and both objects of each entry,
 * each by the version that we know to be good.  Only those are extended whose
 * known date is too early, and a date is known only if it was set or read for
 * that very version.
 */
#include "engine/repo/map.h"
#include "engine/repo/points.h"

struct eng_extend {
    struct mf_point *point; /* its locked_until is set; pages may change */
    /* Of its disks, then of its files; entries may change. */
    struct eng_map *maps;
    size_t n_maps;
    /* An object that block i of a stream needs is gone: reads the block from
     * its source and puts it whole (eng_block_put_again), and fills the slot.
     * On the calling thread. */
    int (*again)(void *ctx, size_t stream, uint64_t i, struct mf_entry *slot,
                 struct err *e);
    void *ctx;
    const struct cancel *cancel;
    struct eng_blockio_use *use; /* grows by what was put again */

    /* Out. */
    char file[MF_POINT_FILE_CHARS]; /* the manifest's */
    uint64_t extended;              /* objects */
    bool unseen; /* these keys may not see whether the locks are there */
};

/* Locks what the point needs, puts its manifest, and looks whether the server
 * did lock it and some of the blocks.  ERR_PRECONDITION: the step took too long
 * for the immutability, five times; ERR_FAILED: stored, but not locked. */
int eng_extend_commit(struct eng_repo *r, struct eng_extend *x, struct err *e)
    __attribute__((warn_unused_result));

#endif

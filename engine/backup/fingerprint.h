// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_BACKUP_FINGERPRINT_H
#define ENGINE_BACKUP_FINGERPRINT_H

/*
 * Private to engine/backup: what each unit of a disk held at its newest point,
 * as 128-bit GMACs in a local file.  So a run that reads an unchanged disk
 * need not hash it, and one changed sector costs a unit instead of a block.
 *
 * The file is a cache.  It counts only for the point that its header is bound
 * to (repository, keyset, VM, disk, size, block size, and the manifest's file
 * name with the digest in it), and each block's record only if its checksum
 * fits, which includes the file's generation and the block's number.  All else
 * (none, a copy of an older one, another disk's, cut off, a flipped bit) is as
 * if nothing were known: then blocks are hashed and compared by id.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/span.h"

/* Which disk; all texts are borrowed during the call only. */
struct eng_fingerprints_of {
    const char *dir; /* folder of the files; made when needed */
    const char *repo_id;
    const char *keyset;
    const char *vm_key;
    const char *disk;
    uint32_t block_size;
    bool compare_only; /* nothing is kept for the next run */
};

struct eng_fingerprints; /* of one disk in one run: the parent's, and its own */

/* Opens those of the parent point (its manifest's file name and the disk's size
 * there; NULL: there is no parent) and begins new ones for a disk of `size`
 * bytes.  Neither needs to succeed: what cannot be read or written is logged,
 * and then nothing is known, or nothing is kept.  NULL: ERR_NOMEM. */
struct eng_fingerprints *
eng_fingerprints_open(const struct eng_fingerprints_of *of, const char *parent,
                      uint64_t parent_size, uint64_t size, struct err *e);

/* The point stands: its fingerprints (point: its manifest's file name) take the
 * place of the old ones.  Any failure only costs the next run time. */
void eng_fingerprints_commit(struct eng_fingerprints *fp, const char *point);

/* Without a commit before, the new ones are thrown away.  NULL is fine. */
void eng_fingerprints_close(struct eng_fingerprints *fp);

/* A worker's hand: buffers and a key made ready. */
struct eng_fingerprinter;
struct eng_fingerprinter *eng_fingerprinter_new(struct eng_fingerprints *fp,
                                                struct err *e);
void eng_fingerprinter_free(struct eng_fingerprinter *f); /* NULL is fine */

/* Takes the fingerprints of block i and keeps them for the next run.  True:
 * the parent's are known, and *changed has bit u set where unit u is not what
 * it was; the caller uses it only where the block had this length there. */
bool eng_fingerprints_take(struct eng_fingerprinter *f, uint64_t i,
                           struct span block, uint64_t *changed);

static inline void eng_fingerprinter_freep(struct eng_fingerprinter **f)
{
    eng_fingerprinter_free(*f);
}
#define AUTO_ENG_FINGERPRINTER AUTO(eng_fingerprinter_freep)

#endif

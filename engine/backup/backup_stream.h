// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_BACKUP_BACKUP_STREAM_H
#define ENGINE_BACKUP_BACKUP_STREAM_H

/* Private to engine/backup: one disk (or file) from its image into the
 * repository: workers, each read → zero? → changed? → hash → put. */
#include "base/progress.h"
#include "engine/backup/backup.h"
#include "engine/backup/fingerprint.h"
#include "engine/repo/blockio.h"
#include "engine/repo/map.h"
#include "engine/source/image.h"

struct eng_stream_use { /* summed over the workers */
    struct eng_blockio_use io;
    uint64_t read_bytes;
    uint64_t zero_blocks;
    uint64_t kept_blocks; /* content as in the parent */
    uint64_t source_ns, hash_ns;
};

struct eng_stream_run {
    struct eng_repo *repo;
    struct eng_image *image;
    const struct eng_map *parent; /* NULL: none, or of another block size */
    struct eng_fingerprints *fingerprints; /* NULL: none are taken */
    const char *name;                      /* for messages */
    int level;                             /* zstd */
    unsigned workers;
    bool dry_run;
    bool reuse; /* what the parent and the index name is there, and need not be
                   put; also as parts of composed blocks */
    const struct cancel *cancel;
    struct progress_task *task;
};

/* Backs up the image's blocks: fills map (made by eng_map_init with the
 * image's size), adds to *use.  When it returns 0, every block that the map
 * names is in the repository (but for a dry run). */
int eng_stream_blocks(const struct eng_stream_run *run, struct eng_map *map,
                      struct eng_stream_use *use, struct err *e)
    __attribute__((warn_unused_result));

/* An object that block i needs is gone: reads the block from run->image and
 * puts it whole; slot is its entry, old and new.  ERR_PRECONDITION: the source
 * does not hold any more what it held.  run: repo, image, name, level and
 * cancel count. */
int eng_stream_again(const struct eng_stream_run *run,
                     const struct eng_map *map, uint64_t i,
                     struct mf_entry *slot, struct eng_stream_use *use,
                     struct err *e) __attribute__((warn_unused_result));

#endif

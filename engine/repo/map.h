// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_MAP_H
#define ENGINE_REPO_MAP_H

/* The map of a disk (or file): one entry per block, stored as pages. */
#include <stdint.h>

#include "base/auto.h"
#include "base/cancel.h"
#include "base/err.h"
#include "engine/repo/blockio.h"
#include "manifest/point.h"

struct eng_map {
    struct mf_entry *entries; /* owned; one per block */
    uint64_t n;
    uint64_t size; /* bytes of the disk */
    uint32_t block_size;
};

/* A map of zeros.  ERR_NOMEM. */
int eng_map_init(struct eng_map *m, uint64_t size, uint32_t block_size,
                 struct err *e) __attribute__((warn_unused_result));
void eng_map_fini(struct eng_map *m);
#define AUTO_ENG_MAP AUTO(eng_map_fini)

/* Bytes of block i. */
uint32_t eng_map_block_len(const struct eng_map *m, uint64_t i);

/* Reads the stream's pages, several at a time, into a new map.  ERR_CORRUPT
 * names the page and the stream. */
int eng_map_load(struct eng_repo *repo, const struct mf_stream *s,
                 const struct cancel *cancel, struct eng_map *m, struct err *e)
    __attribute__((warn_unused_result));

/* Reads one page of a stream into its place of m (made by eng_map_init with
 * the stream's size and block size). */
int eng_map_load_page(struct eng_blockio *io, const struct mf_stream *s,
                      uint64_t page, struct eng_map *m, struct err *e)
    __attribute__((warn_unused_result));

/* Puts the pages that the repository does not hold and fills s->pages and
 * s->n_pages (s->size and block size must be the map's).  *use (may be NULL)
 * grows by what it took. */
int eng_map_store(struct eng_repo *repo, const struct eng_map *m,
                  const struct cancel *cancel, struct mf_stream *s,
                  struct eng_blockio_use *use, struct err *e)
    __attribute__((warn_unused_result));

#endif

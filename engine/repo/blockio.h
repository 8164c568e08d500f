// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_BLOCKIO_H
#define ENGINE_REPO_BLOCKIO_H

/*
 * One worker's way to blocks and pages: its buffers and codec contexts, made
 * once and used for every block.  put = hash is known → look up → encode →
 * put; get = get → decode → verify.  One thread per blockio.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/repo/repo.h"
#include "manifest/entry.h"

struct eng_blockio;

/* level: zstd's, for puts.  NULL: ERR_NOMEM. */
struct eng_blockio *eng_blockio_new(struct eng_repo *repo, int level,
                                    const struct cancel *cancel, struct err *e);
void eng_blockio_free(struct eng_blockio *b); /* NULL is fine */

/* What all workers of a run may take together, unless told otherwise. */
#define ENG_MEMORY_DEFAULT (150u << 20)

/* Threads that a memory budget (0: the default) allows for puts of blocks of
 * this size: each needs two blocks and its codec contexts.  1..64. */
unsigned eng_blockio_count(uint64_t memory_bytes, uint32_t block_size,
                           int level);

/* The budget of each of n runs at the same time that have this one together (0:
 * the default). */
uint64_t eng_blockio_share(uint64_t memory_bytes, unsigned n);

/* The same for gets alone, from the keyset that the repository has chosen: one
 * that is sealed needs a third block. */
unsigned eng_blockio_readers(const struct eng_repo *repo, uint64_t memory_bytes,
                             uint32_t block_size);

/* What this worker spent and moved, for reports. */
struct eng_blockio_use {
    uint64_t compress_ns, seal_ns, network_ns;
    uint64_t new_blocks, reused_blocks; /* reused: known to the index */
    uint64_t new_bytes;                 /* plaintext of new blocks */
    uint64_t stored_bytes;              /* objects put, pages included */
    uint64_t new_pages;
    uint64_t fetched_bytes; /* plaintext of blocks got */
    uint64_t fetched_blocks;
};
const struct eng_blockio_use *eng_blockio_use(const struct eng_blockio *b);

/* Adds what one worker used to a sum. */
void eng_blockio_use_add(struct eng_blockio_use *sum,
                         const struct eng_blockio_use *one);

/* Makes sure that the repository holds the block `plain` whose id the caller
 * computed: known ones cost a look into the index.  The repository was
 * prepared for writes. */
int eng_block_put(struct eng_blockio *b, const struct mf_id *id,
                  struct span plain, struct err *e)
    __attribute__((warn_unused_result));

/* The same, known or not: it was found to be gone. */
int eng_block_put_again(struct eng_blockio *b, const struct mf_id *id,
                        struct span plain, struct err *e)
    __attribute__((warn_unused_result));

/* Whether an object's bytes are those of a block, or a page; ERR_CORRUPT. */
int eng_block_verify(struct eng_blockio *b, const struct mf_id *id,
                     struct span object, struct err *e)
    __attribute__((warn_unused_result));
int eng_page_verify(struct eng_blockio *b, const struct mf_id *id,
                    struct span object, struct err *e)
    __attribute__((warn_unused_result));

/* Whether the index knows the block: what a dry run asks instead. */
bool eng_block_known(struct eng_blockio *b, const struct mf_id *id);

/* Whether the index knows all that an entry names. */
bool eng_entry_known(struct eng_blockio *b, const struct mf_entry *m);

/* The same for content that the repository holds as a base and an overlay
 * (eng_block_remember): the entry that names them. */
bool eng_block_composed(struct eng_blockio *b, const struct mf_id *id,
                        uint32_t block_size, struct mf_entry *out);
void eng_block_remember(struct eng_blockio *b, const struct mf_entry *m,
                        uint32_t block_size);

/* As eng_block_put, for a page's canonical JSON; *id is filled. */
int eng_page_put(struct eng_blockio *b, struct span json, struct mf_id *id,
                 struct err *e) __attribute__((warn_unused_result));

/* Gets a block of exactly len bytes into out and verifies it.  A copy that
 * does not verify is fetched anew before it is called damaged.  ERR_CORRUPT
 * names the object, also one that is gone. */
int eng_block_get(struct eng_blockio *b, const struct mf_id *id, uint8_t *out,
                  uint32_t len, struct err *e)
    __attribute__((warn_unused_result));

/* The content of a map entry: block_len bytes of a disk whose full blocks have
 * block_size.  At most two objects are read. */
int eng_entry_get(struct eng_blockio *b, const struct mf_entry *m,
                  uint32_t block_size, uint32_t block_len, uint8_t *out,
                  struct err *e) __attribute__((warn_unused_result));

/* Gets a page, verified, and decodes its n entries (bounds as
 * mf_page_decode's). */
int eng_page_get(struct eng_blockio *b, const struct mf_id *id,
                 struct mf_entry *m, size_t n, uint32_t block_size,
                 uint32_t last_len, struct err *e)
    __attribute__((warn_unused_result));

static inline void eng_blockio_freep(struct eng_blockio **b)
{
    eng_blockio_free(*b);
}
#define AUTO_ENG_BLOCKIO AUTO(eng_blockio_freep)

#endif

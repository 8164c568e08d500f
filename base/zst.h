// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_ZST_H
#define BASE_ZST_H

/* zstd with contexts that a worker uses again for every block. */
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/span.h"

struct zst; /* a compression and a decompression context; one thread */

/* Makes the contexts lazily; NULL: ERR_NOMEM. */
struct zst *zst_new(struct err *e);
void zst_free(struct zst *z); /* NULL is fine */

/* A token (borrowed; NULL: none) that ends a compression under way within a
 * fraction of a second: at the strongest levels a block takes many of them. */
void zst_stop_by(struct zst *z, const struct cancel *cancel);

/* Compresses in to one frame with its content size in the header, at zstd
 * level `level` (negative ones are the fast levels), and appends it to out,
 * which should have room for zst_bound(in.len): with less, a frame that would
 * just fit may be refused as too large (ERR_CORRUPT).  ERR_CANCELLED. */
int zst_compress(struct zst *z, int level, struct span in, struct buf *out,
                 struct err *e) __attribute__((warn_unused_result));

/* The room that the frame of so many bytes takes at most. */
size_t zst_bound(size_t content_bytes);

/* Decompresses in, which must be exactly one frame, with content size, of at
 * most cap bytes, into out; *len is the content's size.  Else ERR_CORRUPT.
 * Hostile input is expected: memory is bounded by cap. */
int zst_decompress(struct zst *z, struct span in, uint8_t *out, size_t cap,
                   size_t *len, struct err *e)
    __attribute__((warn_unused_result));

/* The content size that the frame header claims, for callers that allocate;
 * ERR_CORRUPT where there is none, or it is over max. */
int zst_content_size(struct span in, size_t max, size_t *len, struct err *e)
    __attribute__((warn_unused_result));

/* A buffer that is kept with the contexts, emptied and of at most max bytes:
 * for a frame that has to be taken out of something first.  Its content lasts
 * until the next call. */
struct buf *zst_scratch(struct zst *z, size_t max);

/* Upper bound of the memory that one worker's contexts take, in bytes, for
 * contents of up to block_bytes at this level. */
size_t zst_memory_bytes(int level, size_t block_bytes);

static inline void zst_freep(struct zst **z)
{
    zst_free(*z);
}
#define AUTO_ZST AUTO(zst_freep)

#endif

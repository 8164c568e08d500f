// SPDX-License-Identifier: Apache-2.0
#ifndef MANIFEST_BLOCK_H
#define MANIFEST_BLOCK_H

/*
 * Blocks and their units (FORMAT.md "Block").  A block object in `plain` is
 * one zstd frame with content size whose plaintext's SHA-256 is its name; in
 * other keysets its name is a MAC, and the frame is sealed (keys.h).
 */
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "base/zst.h"
#include "manifest/id.h"
#include "manifest/keys.h"

#define MF_BLOCK_MIN (256u << 10)
#define MF_BLOCK_MAX (8u << 20)
#define MF_BLOCK_DEFAULT (4u << 20)
#define MF_UNITS 64 /* per full block */

/* A power of two within the limits. */
bool mf_block_size_ok(uint64_t block_size);

/* How many blocks a disk of size bytes has, and the bytes of block i (the last
 * may be short; i is below the count). */
uint64_t mf_block_count(uint64_t size, uint32_t block_size);
uint32_t mf_block_len(uint64_t size, uint32_t block_size, uint64_t i);

/* Largest object that a block or page of cap plaintext bytes can be. */
size_t mf_object_max(size_t cap);

/* Appends the block object of plain, which has this id, to out, at this zstd
 * level. */
int mf_block_encode(const struct mf_keys *k, struct zst *z, int level,
                    const struct mf_id *id, struct span plain, struct buf *out,
                    struct err *e) __attribute__((warn_unused_result));

/* mf_block_encode in its two steps, for who wants to know what each of them
 * takes.  *at: where in out the object begins.  In `plain` there is nothing to
 * seal, and the second step may be left out. */
int mf_block_compress(const struct mf_keys *k, struct zst *z, int level,
                      struct span plain, struct buf *out, size_t *at,
                      struct err *e) __attribute__((warn_unused_result));
int mf_block_seal(const struct mf_keys *k, const struct mf_id *id,
                  struct buf *out, size_t at, struct err *e)
    __attribute__((warn_unused_result));

/* Opens a block object into out (cap bytes) and checks that its plaintext has
 * this id.  *len: plaintext bytes.  ERR_CORRUPT. */
int mf_block_decode(const struct mf_keys *k, struct zst *z, struct span object,
                    const struct mf_id *id, uint8_t *out, size_t cap,
                    size_t *len, struct err *e)
    __attribute__((warn_unused_result));

#endif

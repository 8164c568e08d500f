// SPDX-License-Identifier: Apache-2.0
#ifndef MANIFEST_ENTRY_H
#define MANIFEST_ENTRY_H

/*
 * A map entry: what one block of a disk holds (FORMAT.md "Map entry").
 *   null                        zeros
 *   "id"                        a whole block
 *   ["id","over","units","whole"]  the block `id` (or zeros) in which the units
 *                               of the mask are replaced by those of `over`
 *                               (or zeros); `whole` is the id of the result,
 *                               where it was computed
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "manifest/id.h"

enum mf_entry_kind { MF_ZERO, MF_WHOLE, MF_OVER };

struct mf_entry {
    uint8_t kind;    /* enum mf_entry_kind */
    bool has_base;   /* MF_OVER: id is set, else the base is zeros */
    bool has_over;   /* MF_OVER: over is set, else the units became zeros */
    bool has_whole;  /* MF_OVER: whole is set */
    uint64_t units;  /* MF_OVER: bit i = unit i is replaced; never 0 */
    struct mf_id id; /* MF_WHOLE, MF_OVER with has_base */
    struct mf_id over;
    struct mf_id whole;
};

bool mf_entry_eq(const struct mf_entry *a, const struct mf_entry *b);

/* Units of a block of block_len bytes where a full one has block_size: how
 * many, and the length of unit i in bytes. */
unsigned mf_unit_count(uint32_t block_size, uint32_t block_len);
uint32_t mf_unit_len(uint32_t block_size, uint32_t block_len, unsigned i);

/* Bytes that the `over` object of this mask has; ERR_CORRUPT where a bit lies
 * past the block's end or the mask is 0. */
int mf_units_bytes(uint64_t units, uint32_t block_size, uint32_t block_len,
                   uint32_t *bytes, struct err *e)
    __attribute__((warn_unused_result));

/* The id that the entry's whole content has, or NULL where it is not known or
 * is zeros: what a writer compares a new block's id with. */
const struct mf_id *mf_entry_content(const struct mf_entry *m);

/* Lays an MF_OVER entry's units over block (block_len bytes, which holds the
 * base's content, or zeros): from over (NULL: zeros), over_len bytes. */
int mf_entry_compose(const struct mf_entry *m, uint32_t block_size,
                     uint8_t *block, uint32_t block_len, const uint8_t *over,
                     size_t over_len, struct err *e)
    __attribute__((warn_unused_result));

/* The inverse: moves these units' bytes to the front of block (block_len
 * bytes), in ascending order: an overlay's plaintext.  Returns its length; the
 * rest of block is garbage then.  No bit of units lies past the block's end. */
uint32_t mf_units_gather(uint64_t units, uint32_t block_size, uint8_t *block,
                         uint32_t block_len);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef MANIFEST_PAGE_H
#define MANIFEST_PAGE_H

/* Pages of a disk's map (FORMAT.md "Page"): canonical JSON of up to 1,024
 * entries; stored as one zstd frame, named by the JSON's SHA-256; in other
 * keysets than `plain` named by a MAC, and sealed (keys.h). */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "base/zst.h"
#include "manifest/entry.h"
#include "manifest/keys.h"

#define MF_PAGE_ENTRIES 1024
#define MF_PAGE_JSON_MAX (512u << 10)

/* Pages of a map of `blocks` entries, and the entries of page i. */
uint64_t mf_page_count(uint64_t blocks);
size_t mf_page_len(uint64_t blocks, uint64_t i);

/* True where all entries are zeros: the manifest then says null. */
bool mf_page_is_zero(const struct mf_entry *m, size_t n);

/* Appends the canonical JSON. */
int mf_page_encode(const struct mf_entry *m, size_t n, struct buf *json,
                   struct err *e) __attribute__((warn_unused_result));

/* Decodes JSON that must be canonical and have exactly n entries.  block_size
 * and the disk's last block's length (last_len; block_size unless this is the
 * disk's last page) bound the unit masks. */
int mf_page_decode(struct span json, struct mf_entry *m, size_t n,
                   uint32_t block_size, uint32_t last_len, struct err *e)
    __attribute__((warn_unused_result));

/* JSON → stored object, and back with the check of its id. */
int mf_page_seal(const struct mf_keys *k, struct zst *z, struct span json,
                 struct mf_id *id, struct buf *object, struct err *e)
    __attribute__((warn_unused_result));
int mf_page_open(const struct mf_keys *k, struct zst *z, struct span object,
                 const struct mf_id *id, struct buf *json, struct err *e)
    __attribute__((warn_unused_result));

#endif

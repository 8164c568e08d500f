// SPDX-License-Identifier: Apache-2.0
/* Block objects, and the arithmetic that cuts a disk into blocks. */
#include "manifest/block.h"

#include "base/checked.h"

bool mf_block_size_ok(uint64_t block_size)
{
    return block_size >= MF_BLOCK_MIN && block_size <= MF_BLOCK_MAX &&
           (block_size & (block_size - 1)) == 0;
}

uint64_t mf_block_count(uint64_t size, uint32_t block_size)
{
    return checked_div_up(size, block_size);
}

uint32_t mf_block_len(uint64_t size, uint32_t block_size, uint64_t i)
{
    return (uint32_t)checked_min(block_size, size - i * block_size);
}

size_t mf_object_max(size_t cap)
{
    /* zstd's own bound is cap + cap / 256 + 64; the rest is room for a frame
     * checksum and for what a sealed object has around the frame. */
    return cap + cap / 256 + 1024;
}

int mf_block_compress(const struct mf_keys *k, struct zst *z, int level,
                      struct span plain, struct buf *out, size_t *at,
                      struct err *e)
{
    if (plain.len == 0 || plain.len > MF_BLOCK_MAX)
        return err_set(e, ERR_INTERNAL, 0, "a block of %zu bytes", plain.len);
    *at = mf_keys_seal_begin(k, out);
    return zst_compress(z, level, plain, out, e);
}

int mf_block_seal(const struct mf_keys *k, const struct mf_id *id,
                  struct buf *out, size_t at, struct err *e)
{
    return mf_keys_seal_end(k, MF_OBJECT_BLOCK, mf_id_span(id), out, at, e);
}

int mf_block_encode(const struct mf_keys *k, struct zst *z, int level,
                    const struct mf_id *id, struct span plain, struct buf *out,
                    struct err *e)
{
    size_t at = 0;

    if (mf_block_compress(k, z, level, plain, out, &at, e) < 0)
        return -1;
    return mf_block_seal(k, id, out, at, e);
}

static int decode(const struct mf_keys *k, struct zst *z, struct span object,
                  const struct mf_id *id, uint8_t *out, size_t cap, size_t *len,
                  struct err *e)
{
    struct span frame;

    if (object.len > mf_object_max(cap))
        return err_set(e, ERR_CORRUPT, 0,
                       "object has %zu bytes, more than any block of %zu bytes",
                       object.len, cap);
    if (mf_keys_open(k, MF_OBJECT_BLOCK, mf_id_span(id), object,
                     zst_scratch(z, mf_object_max(cap)), &frame, e) < 0 ||
        zst_decompress(z, frame, out, cap, len, e) < 0)
        return -1;
    if (*len == 0)
        return err_set(e, ERR_CORRUPT, 0, "object holds no bytes");
    return mf_keys_check_id(k, MF_OBJECT_BLOCK, span_of(out, *len), id, e);
}

int mf_block_decode(const struct mf_keys *k, struct zst *z, struct span object,
                    const struct mf_id *id, uint8_t *out, size_t cap,
                    size_t *len, struct err *e)
{
    if (decode(k, z, object, id, out, cap, len, e) == 0)
        return 0;

    char hex[MF_ID_CHARS];
    mf_id_hex(id, hex);
    return err_ctx(e, "block %s", hex);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * zstd, one frame per content.  Contexts are made at the first use, so that a
 * worker which only compresses has no decompression context, and are kept:
 * making one costs more than a small block.
 */
#include "base/zst.h"

#include <stdlib.h>
/* ZSTD_estimate*, ZSTD_getCParams, ZSTD_c_stable*Buffer */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "base/checked.h"

/* Bytes that are compressed between two looks at the token: one of zstd's own
 * blocks, 20 to 50 ms at the strongest level. */
#define STEP_BYTES ZSTD_BLOCKSIZE_MAX

struct zst {
    ZSTD_CCtx *c;
    ZSTD_DCtx *d;
    const struct cancel *cancel;
    struct buf scratch;
};

struct zst *zst_new(struct err *e)
{
    struct zst *z = calloc(1, sizeof(*z));

    if (z == NULL)
        err_nomem(e);
    return z;
}

void zst_free(struct zst *z)
{
    if (z == NULL)
        return;
    ZSTD_freeCCtx(z->c);
    ZSTD_freeDCtx(z->d);
    buf_free(&z->scratch);
    free(z);
}

struct buf *zst_scratch(struct zst *z, size_t max)
{
    buf_reset(&z->scratch);
    z->scratch.max = max;
    return &z->scratch;
}

void zst_stop_by(struct zst *z, const struct cancel *cancel)
{
    z->cancel = cancel;
}

size_t zst_bound(size_t content_bytes)
{
    return ZSTD_compressBound(content_bytes);
}

static int compress_failed(size_t code, struct buf *out, struct err *e)
{
    ZSTD_ErrorCode why = ZSTD_getErrorCode(code);

    if (why == ZSTD_error_memory_allocation)
        return err_nomem(e);
    if (why == ZSTD_error_dstSize_tooSmall) {
        out->failed = true;
        (void)!buf_check(out, e); /* it failed: this fills e */
        return err_ctx(e, "compress");
    }
    return err_set(e, ERR_INTERNAL, 0, "compress: %s", ZSTD_getErrorName(code));
}

/* Parameters of the frame that begins now.  Buffers that stay where they are
 * let zstd refer to them instead of copying, as in a single call. */
static size_t begin_frame(ZSTD_CCtx *c, int level, size_t content)
{
    size_t r = ZSTD_CCtx_reset(c, ZSTD_reset_session_only);

    if (!ZSTD_isError(r))
        r = ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
    if (!ZSTD_isError(r))
        r = ZSTD_CCtx_setParameter(c, ZSTD_c_stableInBuffer, 1);
    if (!ZSTD_isError(r))
        r = ZSTD_CCtx_setParameter(c, ZSTD_c_stableOutBuffer, 1);
    /* zstd writes the size into the header and takes no larger window than it
     * needs. */
    return ZSTD_isError(r) ? r : ZSTD_CCtx_setPledgedSrcSize(c, content);
}

/* 0, zstd's error, or *stopped. */
static size_t compress_steps(struct zst *z, struct span in, ZSTD_outBuffer *to,
                             bool *stopped)
{
    ZSTD_inBuffer from = { .src = in.p };
    size_t r = 0;

    do {
        *stopped = cancel_requested(z->cancel);
        if (*stopped)
            return 0;
        from.size += checked_min(in.len - from.size, STEP_BYTES);
        r = ZSTD_compressStream2(
            z->c, to, &from, from.size < in.len ? ZSTD_e_continue : ZSTD_e_end);
    } while (!ZSTD_isError(r) && from.size < in.len);
    /* What is left would never fit: the room does not grow. */
    return r == 0 || ZSTD_isError(r) ? r
                                     : (size_t)0 - ZSTD_error_dstSize_tooSmall;
}

int zst_compress(struct zst *z, int level, struct span in, struct buf *out,
                 struct err *e)
{
    bool stopped = false;

    if (z->c == NULL)
        z->c = ZSTD_createCCtx();
    if (z->c == NULL)
        return err_nomem(e);

    /* The bound may be over the maximum where the frame itself is not. */
    size_t room = ZSTD_compressBound(in.len);
    if (room > out->max - out->len)
        room = out->max - out->len;
    uint8_t *at = buf_reserve(out, room);
    if (at == NULL) {
        (void)!buf_check(out, e); /* it failed: this fills e */
        return err_ctx(e, "compress");
    }
    ZSTD_outBuffer to = { .dst = at, .size = room };
    size_t r = begin_frame(z->c, level, in.len);
    if (!ZSTD_isError(r))
        r = compress_steps(z, in, &to, &stopped);
    if (ZSTD_isError(r))
        return compress_failed(r, out, e);
    if (stopped)
        return cancel_check(z->cancel, e);
    out->len += to.pos;
    return 0;
}

int zst_content_size(struct span in, size_t max, size_t *len, struct err *e)
{
    /* The magic number is looked at here because zstd would also take
     * skippable frames (as empty) and formats from before 1.0. */
    static const uint8_t magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
    if (in.len < sizeof(magic) || memcmp(in.p, magic, sizeof(magic)) != 0)
        return err_set(e, ERR_CORRUPT, 0, "not a zstd frame");

    unsigned long long size = ZSTD_getFrameContentSize(in.p, in.len);
    if (size == ZSTD_CONTENTSIZE_ERROR)
        return err_set(e, ERR_CORRUPT, 0, "damaged zstd frame header");
    if (size == ZSTD_CONTENTSIZE_UNKNOWN)
        return err_set(e, ERR_CORRUPT, 0, "zstd frame without content size");
    if (size > max)
        return err_set(e, ERR_CORRUPT, 0,
                       "zstd frame of %llu bytes, at most %zu are allowed",
                       size, max);
    *len = (size_t)size;
    return 0;
}

int zst_decompress(struct zst *z, struct span in, uint8_t *out, size_t cap,
                   size_t *len, struct err *e)
{
    size_t size = 0;
    uint8_t none = 0;

    if (zst_content_size(in, cap, &size, e) < 0)
        return -1;
    size_t frame = ZSTD_findFrameCompressedSize(in.p, in.len);
    if (ZSTD_isError(frame))
        return err_set(e, ERR_CORRUPT, 0, "damaged zstd frame: %s",
                       ZSTD_getErrorName(frame));
    if (frame != in.len)
        return err_set(e, ERR_CORRUPT, 0, "%zu bytes behind the zstd frame",
                       in.len - frame);

    if (z->d == NULL)
        z->d = ZSTD_createDCtx();
    if (z->d == NULL)
        return err_nomem(e);
    size_t r = ZSTD_decompressDCtx(z->d, out != NULL ? out : &none, size, in.p,
                                   in.len);
    if (ZSTD_isError(r) && ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation)
        return err_nomem(e);
    if (ZSTD_isError(r))
        return err_set(e, ERR_CORRUPT, 0, "damaged zstd frame: %s",
                       ZSTD_getErrorName(r));
    if (r != size)
        return err_set(e, ERR_CORRUPT, 0,
                       "zstd frame of %zu bytes that claims %zu", r, size);
    *len = size;
    return 0;
}

size_t zst_memory_bytes(int level, size_t block_bytes)
{
    /* zstd has a set of parameters for each of these ranges of content size,
     * and a smaller content does not always need less. */
    const size_t tiers[] = { block_bytes, 256 << 10, 128 << 10, 16 << 10 };
    size_t most = 0;

    for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++) {
        size_t content = tiers[i] < block_bytes ? tiers[i] : block_bytes;
        size_t need = ZSTD_estimateCCtxSize_usingCParams(
            ZSTD_getCParams(level, content, 0));
        if (need > most)
            most = need;
    }
    return sizeof(struct zst) + most + ZSTD_estimateDCtxSize();
}

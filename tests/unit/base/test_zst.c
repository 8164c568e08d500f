// SPDX-License-Identifier: Apache-2.0
/* zstd frames: round trips, and everything that is not exactly one frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/zst.h"

static bool no_cctx;
static bool no_dctx;
static bool no_memory;

ZSTD_CCtx *__real_ZSTD_createCCtx(void);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void);
ZSTD_DCtx *__real_ZSTD_createDCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

ZSTD_CCtx *__wrap_ZSTD_createCCtx(void)
{
    return no_cctx ? NULL : __real_ZSTD_createCCtx();
}

ZSTD_DCtx *__wrap_ZSTD_createDCtx(void)
{
    return no_dctx ? NULL : __real_ZSTD_createDCtx();
}

void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory ? NULL : __real_calloc(n, size);
}

/* An error that zstd's calls return in place of working; 0: none. */
static ZSTD_ErrorCode zstd_error;
static bool fail_parameter;
static size_t lose; /* so many bytes less are reported as decompressed */

size_t __real_ZSTD_CCtx_setParameter(ZSTD_CCtx *c, ZSTD_cParameter p, int v);
size_t __wrap_ZSTD_CCtx_setParameter(ZSTD_CCtx *c, ZSTD_cParameter p, int v);
size_t __real_ZSTD_compressStream2(ZSTD_CCtx *c, ZSTD_outBuffer *out,
                                   ZSTD_inBuffer *in, ZSTD_EndDirective end);
size_t __wrap_ZSTD_compressStream2(ZSTD_CCtx *c, ZSTD_outBuffer *out,
                                   ZSTD_inBuffer *in, ZSTD_EndDirective end);
size_t __real_ZSTD_decompressDCtx(ZSTD_DCtx *d, void *out, size_t room,
                                  const void *in, size_t len);
size_t __wrap_ZSTD_decompressDCtx(ZSTD_DCtx *d, void *out, size_t room,
                                  const void *in, size_t len);

size_t __wrap_ZSTD_CCtx_setParameter(ZSTD_CCtx *c, ZSTD_cParameter p, int v)
{
    if (fail_parameter)
        return (size_t)0 - (size_t)ZSTD_error_parameter_unsupported;
    return __real_ZSTD_CCtx_setParameter(c, p, v);
}

static struct cancel *request_after_step; /* stopped in mid-block */

size_t __wrap_ZSTD_compressStream2(ZSTD_CCtx *c, ZSTD_outBuffer *out,
                                   ZSTD_inBuffer *in, ZSTD_EndDirective end)
{
    if (zstd_error != 0)
        return (size_t)0 - (size_t)zstd_error;
    size_t r = __real_ZSTD_compressStream2(c, out, in, end);
    cancel_request(request_after_step);
    return r;
}

size_t __wrap_ZSTD_decompressDCtx(ZSTD_DCtx *d, void *out, size_t room,
                                  const void *in, size_t len)
{
    if (zstd_error != 0)
        return (size_t)0 - (size_t)zstd_error;
    return __real_ZSTD_decompressDCtx(d, out, room, in, len) - lose;
}

enum { BIG = 1 << 20 };

static uint8_t content[BIG]; /* half of it compresses */
static uint8_t back[BIG];
static struct zst *z;

static int set_up(void **state)
{
    struct err e = { 0 };
    uint32_t x = 12345;

    (void)state;
    for (size_t i = 0; i < BIG; i++) {
        x = x * 1664525 + 1013904223;
        content[i] =
            (i / 4096) % 2 == 0 ? (uint8_t)(x >> 24) : (uint8_t)(i % 7);
    }
    z = zst_new(&e);
    return z == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    zst_free(z);
    return 0;
}

static void frame_of(struct span in, int level, struct buf *out)
{
    struct err e = { 0 };
    assert_int_equal(zst_compress(z, level, in, out, &e), 0);
    assert_int_equal(buf_check(out, &e), 0);
}

static void contents_of_any_size_and_level_come_back(void **state)
{
    static const size_t sizes[] = { 0, 1, 5, 4096, 70000, BIG };
    static const int levels[] = { -5, -1, 1, 3, 9, 19 };
    struct err e = { 0 };

    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        for (size_t l = 0; l < sizeof(levels) / sizeof(levels[0]); l++) {
            AUTO_BUF struct buf b = buf_init(zst_bound(sizes[s]));
            size_t len = 99;
            frame_of(span_of(content, sizes[s]), levels[l], &b);
            assert_int_equal(zst_content_size(buf_span(&b), sizes[s], &len, &e),
                             0);
            assert_int_equal(len, sizes[s]);
            len = 99;
            assert_int_equal(
                zst_decompress(z, buf_span(&b), back, sizes[s], &len, &e), 0);
            assert_int_equal(len, sizes[s]);
            assert_memory_equal(back, content, len);
        }
    }
}

static void an_empty_content_needs_no_room(void **state)
{
    AUTO_BUF struct buf b = buf_init(100);
    struct err e = { 0 };
    size_t len = 99;

    (void)state;
    frame_of(span_of(NULL, 0), 3, &b);
    assert_int_equal(zst_decompress(z, buf_span(&b), NULL, 0, &len, &e), 0);
    assert_int_equal(len, 0);
}

static void compressing_appends(void **state)
{
    AUTO_BUF struct buf b = buf_init(10000);
    struct err e = { 0 };
    size_t len = 0;

    (void)state;
    buf_append_str(&b, "head");
    frame_of(span_of(content, 1000), 3, &b);
    assert_memory_equal(b.p, "head", 4);
    assert_int_equal(
        zst_decompress(z, span_of(b.p + 4, b.len - 4), back, BIG, &len, &e), 0);
    assert_int_equal(len, 1000);
}

static void the_bound_is_not_needed_where_the_frame_is_smaller(void **state)
{
    AUTO_BUF struct buf exact = buf_init(zst_bound(BIG));
    struct err e = { 0 };
    size_t len = 0;

    (void)state;
    frame_of(span_of(content, BIG), 3, &exact);
    AUTO_BUF struct buf b = buf_init(exact.len + 1024);
    frame_of(span_of(content, BIG), 3, &b);
    assert_int_equal(zst_decompress(z, buf_span(&b), back, BIG, &len, &e), 0);
    assert_memory_equal(back, content, BIG);

    AUTO_BUF struct buf small = buf_init(exact.len - 1);
    assert_int_equal(zst_compress(z, 3, span_of(content, BIG), &small, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "larger than"));
    assert_true(small.failed);
    /* A buffer that failed before takes nothing either. */
    assert_int_equal(zst_compress(z, 3, span_of(content, 1), &small, &e), -1);
    assert_int_equal(small.len, 0);
}

static void refuse(struct span in, size_t cap, const char *why)
{
    struct err e = { 0 };
    size_t len = 99;

    assert_int_equal(zst_decompress(z, in, back, cap, &len, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(len, 99);
    if (strstr(e.msg, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", e.msg, why);
}

static void contents_over_the_maximum_are_refused(void **state)
{
    AUTO_BUF struct buf b = buf_init(10000);

    (void)state;
    frame_of(span_of(content, 1000), 3, &b);
    refuse(buf_span(&b), 999, "1000 bytes, at most 999");
    refuse(buf_span(&b), 0, "at most 0");
}

static void what_is_not_exactly_one_frame_is_refused(void **state)
{
    AUTO_BUF struct buf b = buf_init(10000);

    (void)state;
    refuse(span_of(NULL, 0), BIG, "not a zstd frame");
    refuse(span_str("hello, world"), BIG, "not a zstd frame");
    frame_of(span_of(content, 1000), 3, &b);
    for (size_t len = 0; len < b.len; len++)
        refuse(span_of(b.p, len), BIG, "");
    size_t one = b.len;
    buf_append_char(&b, 0);
    refuse(buf_span(&b), BIG, "1 bytes behind");
    b.len = one;
    frame_of(span_of(content, 1000), 3, &b);
    refuse(buf_span(&b), BIG, "behind the zstd frame");
}

static void skippable_frames_are_refused(void **state)
{
    AUTO_BUF struct buf b = buf_init(10000);

    (void)state;
    buf_append(&b, "\x50\x2a\x4d\x18\x04\x00\x00\x00skip", 12);
    refuse(buf_span(&b), BIG, "not a zstd frame");
    frame_of(span_of(content, 10), 3, &b);
    refuse(buf_span(&b), BIG, "not a zstd frame");
    buf_reset(&b);
    frame_of(span_of(content, 10), 3, &b);
    buf_append(&b, "\x50\x2a\x4d\x18\x04\x00\x00\x00skip", 12);
    refuse(buf_span(&b), BIG, "12 bytes behind");
}

static void frames_without_content_size_are_refused(void **state)
{
    uint8_t frame[2000];
    ZSTD_CCtx *c = __real_ZSTD_createCCtx();

    (void)state;
    ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    size_t n = ZSTD_compress2(c, frame, sizeof(frame), content, 1000);
    ZSTD_freeCCtx(c);
    assert_false(ZSTD_isError(n));
    refuse(span_of(frame, n), BIG, "without content size");
}

/* A frame with one raw block; its header claims another size. */
static void frames_that_lie_about_their_size_are_refused(void **state)
{
    uint8_t frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 3, /* 3 bytes */
                        0x19, 0x00, 0x00, 'a',  'b',  'c' };
    struct err e = { 0 };
    size_t len = 0;

    (void)state;
    struct span in = span_of(frame, sizeof(frame));
    assert_int_equal(zst_decompress(z, in, back, BIG, &len, &e), 0);
    assert_int_equal(len, 3);
    frame[5] = 2;
    refuse(in, BIG, "damaged");
    frame[5] = 4;
    refuse(in, BIG, "");
}

static void no_damaged_byte_writes_past_the_claimed_size(void **state)
{
    AUTO_BUF struct buf b = buf_init(10000);

    (void)state;
    frame_of(span_of(content + 2000, 6000), 3, &b);
    for (size_t at = 0; at < b.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            /* On the heap, so that a sanitizer sees an overrun. */
            AUTO_MEM uint8_t *out = malloc(6000);
            struct err e = { 0 };
            size_t len = 0;
            b.p[at] ^= (uint8_t)(1 << bit);
            int r = zst_decompress(z, buf_span(&b), out, 6000, &len, &e);
            b.p[at] ^= (uint8_t)(1 << bit);
            if (r < 0)
                assert_int_equal(e.kind, ERR_CORRUPT);
            else
                assert_in_range(len, 0, 6000);
        }
    }
}

static void content_size_is_bounded(void **state)
{
    /* 2^62 bytes, claimed by a header of nine bytes */
    const uint8_t huge[] = { 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0,   0,
                             0,    0,    0,    0,    0,    0x40 };
    struct err e = { 0 };
    size_t len = 99;

    (void)state;
    assert_int_equal(
        zst_content_size(span_of(huge, sizeof(huge)), 1 << 23, &len, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(len, 99);
    assert_int_equal(zst_content_size(span_of(huge, 5), 1 << 23, &len, &e), -1);
    assert_non_null(strstr(e.msg, "damaged zstd frame header"));
}

static void contexts_that_cannot_be_made_are_out_of_memory(void **state)
{
    AUTO_BUF struct buf b = buf_init(1000);
    struct err e = { 0 };
    size_t len = 0;

    (void)state;
    no_memory = true;
    struct zst *none = zst_new(&e);
    no_memory = false;
    assert_null(none);
    assert_int_equal(e.kind, ERR_NOMEM);

    AUTO_ZST struct zst *fresh = zst_new(&e);
    e.kind = ERR_NONE;
    no_cctx = true;
    int r = zst_compress(fresh, 3, span_str("x"), &b, &e);
    no_cctx = false;
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_NOMEM);
    frame_of(span_str("x"), 3, &b);
    e.kind = ERR_NONE;
    no_dctx = true;
    r = zst_decompress(fresh, buf_span(&b), back, BIG, &len, &e);
    no_dctx = false;
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_NOMEM);
    zst_free(NULL);
}

static void failures_of_zstd_are_told_apart(void **state)
{
    AUTO_BUF struct buf b = buf_init(1000);
    AUTO_BUF struct buf no = buf_init(1000);
    struct err e = { 0 };
    size_t len = 0;

    (void)state;
    frame_of(span_str("abc"), 3, &b);
    zstd_error = ZSTD_error_memory_allocation;
    assert_int_equal(zst_compress(z, 3, span_str("x"), &no, &e), -1);
    assert_int_equal(e.kind, ERR_NOMEM);
    e.kind = ERR_NONE;
    assert_int_equal(zst_decompress(z, buf_span(&b), back, BIG, &len, &e), -1);
    assert_int_equal(e.kind, ERR_NOMEM);
    zstd_error = ZSTD_error_GENERIC;
    assert_int_equal(zst_compress(z, 3, span_str("x"), &no, &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    zstd_error = 0;
    fail_parameter = true;
    assert_int_equal(zst_compress(z, 3, span_str("x"), &no, &e), -1);
    fail_parameter = false;
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_int_equal(no.len, 0);
    lose = 1;
    refuse(buf_span(&b), BIG, "frame of 2 bytes that claims 3");
    lose = 0;
}

/* One context for contents of several sizes, as a worker has it. */
static size_t memory_used(int level, size_t block)
{
    const size_t sizes[] = { block, block / 3, 5000, block };
    size_t most = 0;
    AUTO_MEM uint8_t *in = calloc(1, block);
    AUTO_MEM uint8_t *out = malloc(zst_bound(block));
    ZSTD_CCtx *c = __real_ZSTD_createCCtx();
    ZSTD_DCtx *d = __real_ZSTD_createDCtx();

    ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t n = ZSTD_compress2(c, out, zst_bound(block), in, sizes[i]);
        assert_false(ZSTD_isError(n));
        n = ZSTD_decompressDCtx(d, in, block, out, n);
        assert_int_equal(n, sizes[i]);
        size_t used = ZSTD_sizeof_CCtx(c) + ZSTD_sizeof_DCtx(d);
        if (used > most)
            most = used;
    }
    ZSTD_freeCCtx(c);
    ZSTD_freeDCtx(d);
    return most;
}

static void memory_is_estimated_from_above_and_closely(void **state)
{
    static const size_t blocks[] = { 256 << 10, 1 << 20, 4 << 20, 8 << 20 };

    (void)state;
    for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++) {
        for (int level = -7; level <= 19; level++) {
            size_t used = memory_used(level, blocks[b]);
            size_t bound = zst_memory_bytes(level, blocks[b]);
            if (bound < used || bound > 4 * used)
                fail_msg("level %d, blocks of %zu: %zu used, %zu estimated",
                         level, blocks[b], used, bound);
        }
    }
}

static void a_block_is_given_up_halfway_when_the_work_is_to_stop(void **state)
{
    AUTO_BUF struct buf b = buf_init(zst_bound(BIG));
    struct cancel c;
    struct err e = { 0 };
    size_t len = 0;

    (void)state;
    assert_int_equal(cancel_init(&c, NULL, &e), 0);
    zst_stop_by(z, &c);
    request_after_step = &c;
    assert_int_equal(zst_compress(z, 19, span_of(content, BIG), &b, &e), -1);
    request_after_step = NULL;
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_int_equal(b.len, 0);

    /* The context is as good as new. */
    zst_stop_by(z, NULL);
    frame_of(span_of(content, BIG), 3, &b);
    assert_int_equal(zst_decompress(z, buf_span(&b), back, BIG, &len, &e), 0);
    assert_memory_equal(content, back, BIG);
    cancel_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_of_any_size_and_level_come_back),
        cmocka_unit_test(an_empty_content_needs_no_room),
        cmocka_unit_test(compressing_appends),
        cmocka_unit_test(the_bound_is_not_needed_where_the_frame_is_smaller),
        cmocka_unit_test(contents_over_the_maximum_are_refused),
        cmocka_unit_test(what_is_not_exactly_one_frame_is_refused),
        cmocka_unit_test(skippable_frames_are_refused),
        cmocka_unit_test(frames_without_content_size_are_refused),
        cmocka_unit_test(frames_that_lie_about_their_size_are_refused),
        cmocka_unit_test(no_damaged_byte_writes_past_the_claimed_size),
        cmocka_unit_test(content_size_is_bounded),
        cmocka_unit_test(a_block_is_given_up_halfway_when_the_work_is_to_stop),
        cmocka_unit_test(contexts_that_cannot_be_made_are_out_of_memory),
        cmocka_unit_test(failures_of_zstd_are_told_apart),
        cmocka_unit_test(memory_is_estimated_from_above_and_closely),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

// SPDX-License-Identifier: Apache-2.0
/* Block objects and the arithmetic of blocks. */
#include "base/digest.h"
#include "manifest/block.h"
#include "tests/unit/manifest/mf_test.h"

static void block_sizes_are_powers_of_two_in_the_limits(void **state)
{
    (void)state;
    assert_true(mf_block_size_ok(MF_BLOCK_MIN));
    assert_true(mf_block_size_ok(MF_BLOCK_DEFAULT));
    assert_true(mf_block_size_ok(MF_BLOCK_MAX));
    assert_false(mf_block_size_ok(0));
    assert_false(mf_block_size_ok(1));
    assert_false(mf_block_size_ok(MF_BLOCK_MIN / 2));
    assert_false(mf_block_size_ok(MF_BLOCK_MAX * 2ull));
    assert_false(mf_block_size_ok(MF_BLOCK_MIN + 1));
    assert_false(mf_block_size_ok(3ull * MF_BLOCK_MIN));
    assert_false(mf_block_size_ok((1ull << 32) | MF_BLOCK_MIN));
}

static void blocks_cover_the_disk_and_the_last_may_be_short(void **state)
{
    (void)state;
    const uint32_t bs = MF_BLOCK_DEFAULT;

    assert_int_equal(mf_block_count(0, bs), 0);
    assert_int_equal(mf_block_count(1, bs), 1);
    assert_int_equal(mf_block_count(bs, bs), 1);
    assert_int_equal(mf_block_count(bs + 1ull, bs), 2);
    assert_int_equal(mf_block_count(UINT64_MAX, MF_BLOCK_MIN), 1ull << 46);

    assert_int_equal(mf_block_len(1, bs, 0), 1);
    assert_int_equal(mf_block_len(bs, bs, 0), bs);
    assert_int_equal(mf_block_len(3ull * bs - 1, bs, 1), bs);
    assert_int_equal(mf_block_len(3ull * bs - 1, bs, 2), bs - 1);
}

/* A block that does not compress, and one that does, at several levels. */
static void a_block_comes_back_at_every_level(void **state)
{
    (void)state;
    static const int levels[] = { -5, 1, 3, 19 };
    struct err e = { 0 };
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_MEM uint8_t *plain = malloc(MF_BLOCK_MIN);
    AUTO_MEM uint8_t *back = malloc(MF_BLOCK_MIN);
    AUTO_BUF struct buf object = buf_init(mf_object_max(MF_BLOCK_MIN));

    assert_true(z != NULL && plain != NULL && back != NULL);
    for (int random = 0; random < 2; random++) {
        memset(plain, 7, MF_BLOCK_MIN);
        if (random == 1)
            assert_int_equal(digest_random(plain, MF_BLOCK_MIN, &e), 0);
        for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
            struct span in = span_of(plain, MF_BLOCK_MIN);
            struct mf_id id;
            size_t len = 0;

            buf_reset(&object);
            assert_int_equal(mf_id_of(in, &id, &e), 0);
            assert_int_equal(mf_block_encode(plain_keys(), z, levels[i], &id,
                                             in, &object, &e),
                             0);
            assert_int_equal(mf_block_decode(plain_keys(), z, buf_span(&object),
                                             &id, back, MF_BLOCK_MIN, &len, &e),
                             0);
            assert_int_equal(len, MF_BLOCK_MIN);
            assert_memory_equal(back, plain, MF_BLOCK_MIN);
        }
    }
}

static void encoding_refuses_what_is_no_block(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_BUF struct buf out = buf_init(1u << 20);
    const struct mf_id id = { 0 };
    uint8_t one = 1;

    assert_int_equal(
        mf_block_encode(plain_keys(), z, 1, &id, span_of(&one, 0), &out, &e),
        -1);
    assert_err(&e, ERR_INTERNAL, "0 bytes");
    assert_int_equal(mf_block_encode(plain_keys(), z, 1, &id,
                                     span_of(&one, MF_BLOCK_MAX + 1ull), &out,
                                     &e),
                     -1);
    assert_err(&e, ERR_INTERNAL, "8388609 bytes");
}

static void encoding_fails_where_the_object_does_not_fit(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_BUF struct buf out = buf_init(4);
    const struct mf_id id = { 0 };

    assert_int_equal(
        mf_block_encode(plain_keys(), z, 1, &id, span_str("content"), &out, &e),
        -1);
    assert_int_not_equal(e.kind, ERR_NONE);
}

struct sample {
    struct zst *z;
    struct buf object;
    struct mf_id id;
    uint8_t out[64];
    size_t len;
    struct err e;
};

static int sample_up(void **state)
{
    struct sample *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return -1;
    *state = s;
    s->object = buf_init(4096);
    s->z = zst_new(&s->e);
    return s->z == NULL || mf_id_of(span_str("content"), &s->id, &s->e) < 0 ||
                   mf_block_encode(plain_keys(), s->z, 3, &s->id,
                                   span_str("content"), &s->object, &s->e) < 0
               ? -1
               : 0;
}

static int sample_down(void **state)
{
    struct sample *s = *state;

    zst_free(s->z);
    buf_free(&s->object);
    free(s);
    return 0;
}

static void expect_corrupt(struct sample *s, struct span object,
                           const char *text)
{
    char hex[MF_ID_CHARS];

    mf_id_hex(&s->id, hex);
    s->e = (struct err){ 0 };
    assert_int_equal(mf_block_decode(plain_keys(), s->z, object, &s->id, s->out,
                                     sizeof(s->out), &s->len, &s->e),
                     -1);
    assert_err(&s->e, ERR_CORRUPT, text);
    assert_err(&s->e, ERR_CORRUPT, hex); /* the block is named */
}

static void a_block_under_another_name_is_corrupt(void **state)
{
    struct sample *s = *state;

    s->id.b[31] ^= 1;
    expect_corrupt(s, buf_span(&s->object), "SHA-256 of its name");
}

/* Some bits of a frame's header mean nothing: an object that decodes all the
 * same has the content of its name. */
static void flipped_bits_never_change_content_unseen(void **state)
{
    struct sample *s = *state;
    size_t harmless = 0;

    for (size_t i = 0; i < 8 * s->object.len; i++) {
        s->object.p[i / 8] ^= (uint8_t)(1u << i % 8);
        s->e = (struct err){ 0 };
        memset(s->out, 0, sizeof(s->out));
        if (mf_block_decode(plain_keys(), s->z, buf_span(&s->object), &s->id,
                            s->out, sizeof(s->out), &s->len, &s->e) == 0) {
            assert_int_equal(s->len, 7);
            assert_memory_equal(s->out, "content", 7);
            harmless++;
        } else {
            assert_err(&s->e, ERR_CORRUPT, "block ");
        }
        s->object.p[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_true(harmless <= 2);
}

static void every_cut_object_is_corrupt(void **state)
{
    struct sample *s = *state;

    for (size_t n = 0; n < s->object.len; n++)
        expect_corrupt(s, span_of(s->object.p, n), "block ");
}

static void bytes_after_the_frame_are_corrupt(void **state)
{
    struct sample *s = *state;

    buf_append_char(&s->object, 'x');
    expect_corrupt(s, buf_span(&s->object), "block ");
}

static void a_block_that_is_longer_than_expected_is_corrupt(void **state)
{
    struct sample *s = *state;

    s->e = (struct err){ 0 };
    assert_int_equal(mf_block_decode(plain_keys(), s->z, buf_span(&s->object),
                                     &s->id, s->out, 6, &s->len, &s->e),
                     -1);
    assert_err(&s->e, ERR_CORRUPT, "block ");
}

static void an_object_larger_than_any_block_is_not_even_opened(void **state)
{
    struct sample *s = *state;

    expect_corrupt(s, span_of(s->object.p, mf_object_max(sizeof(s->out)) + 1),
                   "more than any block");
}

static void an_empty_block_is_corrupt(void **state)
{
    struct sample *s = *state;

    buf_reset(&s->object);
    assert_int_equal(mf_id_of(span_of("", 0), &s->id, &s->e), 0);
    assert_int_equal(zst_compress(s->z, 3, span_of("", 0), &s->object, &s->e),
                     0);
    expect_corrupt(s, buf_span(&s->object), "holds no bytes");
}

#define WITH_SAMPLE(f)                                                         \
    cmocka_unit_test_setup_teardown(f, sample_up, sample_down)

/* A sealed block is named and read by its keyset alone, whatever byte of it is
 * changed. */
static void a_sealed_block_with_any_byte_flipped_is_refused(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_id id;
    uint8_t out[16];
    size_t len;
    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);
    AUTO_MF_KEYS struct mf_keys *other = sealed_keys(1);
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_BUF struct buf o = buf_init(4096);

    assert_int_equal(
        mf_keys_id(k, MF_OBJECT_BLOCK, span_str("content"), &id, &e), 0);
    assert_int_equal(mf_block_encode(k, z, 3, &id, span_str("content"), &o, &e),
                     0);
    assert_int_equal(
        mf_block_decode(k, z, buf_span(&o), &id, out, sizeof(out), &len, &e),
        0);
    assert_true(span_eq(span_of(out, len), span_str("content")));
    for (size_t i = 0; i < o.len; i++) {
        o.p[i] ^= 0x40;
        e = (struct err){ 0 };
        assert_int_equal(mf_block_decode(k, z, buf_span(&o), &id, out,
                                         sizeof(out), &len, &e),
                         -1);
        assert_err(&e, ERR_CORRUPT, "block ");
        o.p[i] ^= 0x40;
    }
    assert_int_equal(mf_block_decode(other, z, buf_span(&o), &id, out,
                                     sizeof(out), &len, &e),
                     -1);
    assert_int_equal(mf_block_decode(plain_keys(), z, buf_span(&o), &id, out,
                                     sizeof(out), &len, &e),
                     -1);
}

/* Whoever has the key can seal what has another id. */
static void a_sealed_block_of_another_id_is_corrupt(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_id id = { 0 };
    uint8_t out[16];
    size_t len;
    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_BUF struct buf o = buf_init(4096);

    assert_int_equal(mf_block_encode(k, z, 3, &id, span_str("content"), &o, &e),
                     0);
    assert_int_equal(
        mf_block_decode(k, z, buf_span(&o), &id, out, sizeof(out), &len, &e),
        -1);
    assert_err(&e, ERR_CORRUPT, "id that is its name");
}

/* What zstd cannot shrink still fits, seal and all. */
static void the_largest_sealed_block_fits(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_id id = { 0 };
    size_t len = 0;
    uint64_t x = 88172645463325252u;
    AUTO_MEM uint8_t *p = malloc(MF_BLOCK_MAX);
    AUTO_MEM uint8_t *back = malloc(MF_BLOCK_MAX);
    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_BUF struct buf o = buf_init(mf_object_max(MF_BLOCK_MAX));

    assert_non_null(p);
    assert_non_null(back);
    for (size_t i = 0; i < MF_BLOCK_MAX; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        p[i] = (uint8_t)x;
    }
    struct span plain = span_of(p, MF_BLOCK_MAX);
    assert_int_equal(mf_keys_id(k, MF_OBJECT_BLOCK, plain, &id, &e), 0);
    assert_int_equal(mf_block_encode(k, z, 1, &id, plain, &o, &e), 0);
    assert_true(o.len > MF_BLOCK_MAX);
    assert_int_equal(
        mf_block_decode(k, z, buf_span(&o), &id, back, MF_BLOCK_MAX, &len, &e),
        0);
    assert_true(span_eq(span_of(back, len), plain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_sizes_are_powers_of_two_in_the_limits),
        cmocka_unit_test(blocks_cover_the_disk_and_the_last_may_be_short),
        cmocka_unit_test(a_block_comes_back_at_every_level),
        cmocka_unit_test(encoding_refuses_what_is_no_block),
        cmocka_unit_test(encoding_fails_where_the_object_does_not_fit),
        WITH_SAMPLE(a_block_under_another_name_is_corrupt),
        WITH_SAMPLE(flipped_bits_never_change_content_unseen),
        WITH_SAMPLE(every_cut_object_is_corrupt),
        WITH_SAMPLE(bytes_after_the_frame_are_corrupt),
        WITH_SAMPLE(a_block_that_is_longer_than_expected_is_corrupt),
        WITH_SAMPLE(an_object_larger_than_any_block_is_not_even_opened),
        WITH_SAMPLE(an_empty_block_is_corrupt),
        cmocka_unit_test(a_sealed_block_with_any_byte_flipped_is_refused),
        cmocka_unit_test(a_sealed_block_of_another_id_is_corrupt),
        cmocka_unit_test(the_largest_sealed_block_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Pages: canonical JSON and stored object. */
#include "manifest/block.h"
#include "manifest/page.h"
#include "tests/unit/manifest/mf_test.h"

#define BS MF_BLOCK_MIN
#define QA "\"" HEX_A "\""
#define QB "\"" HEX_B "\""
#define QC "\"" HEX_C "\""

/* Five entries; the last block has 4,097 bytes, that is 2 units. */
#define N 5
#define LAST 4097
static const char sample[] = "{\"v\":1,\"blocks\":[null," QA ",[" QA "," QB
                             ",\"8000000000000001\"," QC "],"
                             "[null," QB ",\"000000000000000a\",null],"
                             "[" QB ",null,\"0000000000000002\",null]]}";

static int decode(struct span json, size_t n, struct err *e)
{
    struct mf_entry m[MF_PAGE_ENTRIES];

    *e = (struct err){ 0 };
    return mf_page_decode(json, m, n, BS, LAST, e);
}

static void a_map_is_cut_into_pages_of_1024(void **state)
{
    (void)state;
    assert_int_equal(mf_page_count(0), 0);
    assert_int_equal(mf_page_count(1), 1);
    assert_int_equal(mf_page_count(1024), 1);
    assert_int_equal(mf_page_count(1025), 2);
    assert_int_equal(mf_page_len(1, 0), 1);
    assert_int_equal(mf_page_len(1025, 0), 1024);
    assert_int_equal(mf_page_len(1025, 1), 1);
    assert_int_equal(mf_page_len(2048, 1), 1024);
}

static void all_kinds_of_entries_are_read(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_entry m[N];
    struct mf_id a = id_of_hex(HEX_A);
    struct mf_id b = id_of_hex(HEX_B);
    struct mf_id c = id_of_hex(HEX_C);

    assert_int_equal(mf_page_decode(span_str(sample), m, N, BS, LAST, &e), 0);
    assert_int_equal(m[0].kind, MF_ZERO);
    assert_int_equal(m[1].kind, MF_WHOLE);
    assert_true(mf_id_eq(&m[1].id, &a));
    assert_int_equal(m[2].kind, MF_OVER);
    assert_true(m[2].has_base && m[2].has_over && m[2].has_whole);
    assert_true(mf_id_eq(&m[2].id, &a) && mf_id_eq(&m[2].over, &b) &&
                mf_id_eq(&m[2].whole, &c));
    assert_true(m[2].units == ((1ull << 63) | 1));
    assert_true(!m[3].has_base && m[3].has_over && !m[3].has_whole);
    assert_true(m[3].units == 10);
    assert_true(m[4].has_base && !m[4].has_over && m[4].units == 2);
    assert_false(mf_page_is_zero(m, N));
    assert_true(mf_page_is_zero(m, 1));

    AUTO_BUF struct buf out = buf_init(MF_PAGE_JSON_MAX);
    assert_int_equal(mf_page_encode(m, N, &out, &e), 0);
    assert_string_equal(buf_cstr(&out), sample);
}

static void the_largest_page_fits_its_limit(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_entry m[MF_PAGE_ENTRIES];
    struct mf_entry back[MF_PAGE_ENTRIES];

    for (size_t i = 0; i < MF_PAGE_ENTRIES; i++)
        m[i] = (struct mf_entry){ .kind = MF_OVER,
                                  .has_base = true,
                                  .has_over = true,
                                  .has_whole = true,
                                  .units = i + 1,
                                  .id = id_of_hex(HEX_A),
                                  .over = id_of_hex(HEX_B),
                                  .whole = id_of_hex(HEX_C) };
    AUTO_BUF struct buf out = buf_init(MF_PAGE_JSON_MAX);
    assert_int_equal(mf_page_encode(m, MF_PAGE_ENTRIES, &out, &e), 0);
    assert_int_equal(
        mf_page_decode(buf_span(&out), back, MF_PAGE_ENTRIES, BS, BS, &e), 0);
    for (size_t i = 0; i < MF_PAGE_ENTRIES; i++)
        assert_true(mf_entry_eq(&m[i], &back[i]));
}

static void encoding_refuses_entries_that_no_reader_takes(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(MF_PAGE_JSON_MAX);
    struct mf_entry m[2] = { { .kind = MF_WHOLE, .id = id_of_hex(HEX_A) } };

    assert_int_equal(mf_page_encode(m, 0, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "0 map entries");
    assert_int_equal(mf_page_encode(m, MF_PAGE_ENTRIES + 1, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "1025 map entries");
    assert_int_equal(mf_page_encode(&m[1], 1, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "zeros only");
    m[1].kind = 3;
    assert_int_equal(mf_page_encode(m, 2, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "entry 1");
    m[1] = (struct mf_entry){ .kind = MF_OVER, .has_base = true };
    assert_int_equal(mf_page_encode(m, 2, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "entry 1");
    m[1] = (struct mf_entry){ .kind = MF_OVER, .units = 1 };
    assert_int_equal(mf_page_encode(m, 2, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "entry 1");
    assert_int_equal(out.len, 0);

    AUTO_BUF struct buf tiny = buf_init(10);
    assert_int_equal(mf_page_encode(m, 1, &tiny, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
}

static void wrong_pages_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        enum err_kind kind;
        const char *text;
    } cases[] = {
        /* version */
        { "\"v\":1", "\"v\":2", ERR_UNSUPPORTED, "version 2" },
        { "\"v\":1", "\"v\":2,\"new\":[]", ERR_UNSUPPORTED, "version 2" },
        { "\"v\":1", "\"v\":0", ERR_CORRUPT, "not a format version" },
        { "\"v\":1", "\"v\":\"1\"", ERR_CORRUPT, "v" },
        { "\"v\":1,", "", ERR_CORRUPT, "v" },
        /* fields */
        { "\"v\":1,", "\"v\":1,\"x\":0,", ERR_CORRUPT, "x" },
        { "\"v\":1,", "\"v\":1,\"v\":1,", ERR_CORRUPT, "v" },
        { "\"blocks\"", "\"block\"", ERR_CORRUPT, "block" },
        { "null,", "", ERR_CORRUPT, "has 4 elements where the map has 5" },
        { "null,", "null,null,", ERR_CORRUPT, "has 6 elements" },
        /* canonical form */
        { "{", "{ ", ERR_CORRUPT, "not in canonical form (from byte 1 on)" },
        { "]]}", "]]}\n", ERR_CORRUPT, "canonical" },
        { "\"v\":1,", "\"v\":1.0,", ERR_CORRUPT, "canonical" },
        { "\"aaa", "\"\\u0061aa", ERR_CORRUPT, "canonical" },
        /* entries */
        { "null,", "0,", ERR_CORRUPT, "blocks[0]" },
        { "null,", "\"\",", ERR_CORRUPT, "blocks[0]" },
        { "null,", "{},", ERR_CORRUPT, "blocks[0]" },
        { "\"aaaa", "\"aaa", ERR_CORRUPT, "blocks[1]" },
        { "\"aaaa", "\"Aaaa", ERR_CORRUPT, "blocks[1]" },
        { "," QC "]", "]", ERR_CORRUPT, "blocks[2]" },
        { "," QC "]", "," QC ",null]", ERR_CORRUPT, "blocks[2]" },
        { "," QC "]", ",0]", ERR_CORRUPT, "blocks[2][3]" },
        { "[null," QB, "[null,null", ERR_CORRUPT, "neither" },
        { "00000000000a", "000000000000", ERR_CORRUPT, "no unit" },
        { "00000000000a", "00000000000A", ERR_CORRUPT, "blocks[3][2]" },
        { "00000000000a", "00000000000", ERR_CORRUPT, "blocks[3][2]" },
        { "\"000000000000000a\"", "null", ERR_CORRUPT, "blocks[3][2]" },
        { "000000000002", "000000000004", ERR_CORRUPT, "past the end" },
        { "}", "", ERR_CORRUPT, "page" },
    };
    AUTO_BUF struct buf b = buf_init(1u << 20);
    struct err e;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span json = replaced(&b, sample, cases[i].from, cases[i].to);
        if (decode(json, N, &e) == 0)
            fail_msg("case %zu was taken: %s", i, cases[i].to);
        assert_err(&e, cases[i].kind, cases[i].text);
        assert_err(&e, cases[i].kind, "page");
    }
}

static void a_page_of_zeros_is_no_page(void **state)
{
    (void)state;
    struct err e;

    assert_int_equal(decode(span_str("{\"v\":1,\"blocks\":[null]}"), 1, &e),
                     -1);
    assert_err(&e, ERR_CORRUPT, "zeros only");
}

static void a_page_of_more_json_than_any_is_not_parsed(void **state)
{
    (void)state;
    struct err e;
    AUTO_MEM char *big = calloc(1, MF_PAGE_JSON_MAX + 1);

    assert_non_null(big);
    memset(big, ' ', MF_PAGE_JSON_MAX + 1);
    assert_int_equal(decode(span_of(big, MF_PAGE_JSON_MAX + 1), 1, &e), -1);
    assert_err(&e, ERR_CORRUPT, "bytes of JSON");
}

static void asking_for_an_impossible_page_is_a_bug(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_entry m[1];
    struct span s = span_str(sample);

    assert_int_equal(mf_page_decode(s, m, 0, BS, BS, &e), -1);
    assert_err(&e, ERR_INTERNAL, "no page");
    assert_int_equal(mf_page_decode(s, m, MF_PAGE_ENTRIES + 1, BS, BS, &e), -1);
    assert_err(&e, ERR_INTERNAL, "no page");
    assert_int_equal(mf_page_decode(s, m, 1, BS + 1, BS, &e), -1);
    assert_err(&e, ERR_INTERNAL, "no page");
    assert_int_equal(mf_page_decode(s, m, 1, BS, BS + 1, &e), -1);
    assert_err(&e, ERR_INTERNAL, "no page");
    assert_int_equal(mf_page_decode(s, m, 1, BS, 0, &e), -1);
    assert_err(&e, ERR_INTERNAL, "no page");
}

static void a_sealed_page_opens_under_its_id_only(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_BUF struct buf object = buf_init(1u << 20);
    AUTO_BUF struct buf json = buf_init(MF_PAGE_JSON_MAX);
    struct mf_id id;
    struct mf_id want;

    assert_int_equal(
        mf_page_seal(plain_keys(), z, span_str(sample), &id, &object, &e), 0);
    assert_int_equal(mf_id_of(span_str(sample), &want, &e), 0);
    assert_true(mf_id_eq(&id, &want));
    assert_int_equal(
        mf_page_open(plain_keys(), z, buf_span(&object), &id, &json, &e), 0);
    assert_string_equal(buf_cstr(&json), sample);

    size_t before = json.len;
    id.b[0] ^= 1;
    assert_int_equal(
        mf_page_open(plain_keys(), z, buf_span(&object), &id, &json, &e), -1);
    assert_err(&e, ERR_CORRUPT, "SHA-256 of its name");
    assert_int_equal(json.len, before);
}

static void damaged_page_objects_are_corrupt(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_BUF struct buf object = buf_init(1u << 20);
    AUTO_BUF struct buf json = buf_init(MF_PAGE_JSON_MAX);
    AUTO_BUF struct buf tiny = buf_init(10);
    struct mf_id id;
    char hex[MF_ID_CHARS];

    assert_int_equal(
        mf_page_seal(plain_keys(), z, span_str(sample), &id, &object, &e), 0);
    mf_id_hex(&id, hex);
    for (size_t n = 0; n < object.len; n++) {
        assert_int_equal(
            mf_page_open(plain_keys(), z, span_of(object.p, n), &id, &json, &e),
            -1);
        assert_err(&e, ERR_CORRUPT, hex);
    }
    for (size_t i = 0; i < object.len; i++) {
        object.p[i] ^= 0x80;
        if (mf_page_open(plain_keys(), z, buf_span(&object), &id, &json, &e) ==
            0)
            assert_string_equal(buf_cstr(&json), sample);
        else
            assert_err(&e, ERR_CORRUPT, hex);
        buf_reset(&json);
        object.p[i] ^= 0x80;
    }
    assert_int_equal(
        mf_page_open(plain_keys(), z, buf_span(&object), &id, &tiny, &e), -1);
    assert_err(&e, ERR_CORRUPT, hex);
    assert_int_equal(
        mf_page_open(plain_keys(), z,
                     span_of(object.p, mf_object_max(MF_PAGE_JSON_MAX) + 1),
                     &id, &json, &e),
        -1);
    assert_err(&e, ERR_CORRUPT, "more than any page");
    assert_int_equal(json.len, 0);
}

static void a_frame_that_claims_too_much_is_not_allocated(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_MEM uint8_t *zeros = calloc(1, MF_PAGE_JSON_MAX + 1);
    AUTO_BUF struct buf object = buf_init(1u << 20);
    AUTO_BUF struct buf json = buf_init(1u << 30);
    struct mf_id id = { 0 };

    assert_int_equal(
        zst_compress(z, 3, span_of(zeros, MF_PAGE_JSON_MAX + 1), &object, &e),
        0);
    assert_int_equal(
        mf_page_open(plain_keys(), z, buf_span(&object), &id, &json, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(json.cap, 0);
}

static void a_sealed_page_with_any_byte_flipped_is_refused(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_id id;
    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_BUF struct buf o = buf_init(4096);
    AUTO_BUF struct buf json = buf_init(4096);

    assert_int_equal(mf_page_seal(k, z, span_str(sample), &id, &o, &e), 0);
    assert_int_equal(mf_page_open(k, z, buf_span(&o), &id, &json, &e), 0);
    assert_true(span_eq(buf_span(&json), span_str(sample)));
    buf_reset(&json);
    for (size_t i = 0; i < o.len; i++) {
        o.p[i] ^= 0x40;
        e = (struct err){ 0 };
        assert_int_equal(mf_page_open(k, z, buf_span(&o), &id, &json, &e), -1);
        assert_err(&e, ERR_CORRUPT, "page ");
        assert_int_equal(json.len, 0);
        o.p[i] ^= 0x40;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_is_cut_into_pages_of_1024),
        cmocka_unit_test(all_kinds_of_entries_are_read),
        cmocka_unit_test(the_largest_page_fits_its_limit),
        cmocka_unit_test(encoding_refuses_entries_that_no_reader_takes),
        cmocka_unit_test(wrong_pages_are_refused),
        cmocka_unit_test(a_page_of_zeros_is_no_page),
        cmocka_unit_test(a_page_of_more_json_than_any_is_not_parsed),
        cmocka_unit_test(asking_for_an_impossible_page_is_a_bug),
        cmocka_unit_test(a_sealed_page_opens_under_its_id_only),
        cmocka_unit_test(damaged_page_objects_are_corrupt),
        cmocka_unit_test(a_frame_that_claims_too_much_is_not_allocated),
        cmocka_unit_test(a_sealed_page_with_any_byte_flipped_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

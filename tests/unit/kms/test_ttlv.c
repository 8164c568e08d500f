// SPDX-License-Identifier: Apache-2.0
/* TTLV: the examples of the specification (KMIP 1.2, 9.1.2), and what is not
 * well-formed. */
#include "kms/ttlv.h"

#include "tests/unit/kms/kms_test.h"

#define TAG 0x420020

static void every_primitive_is_written_as_the_specification_shows(void **state)
{
    static const uint8_t big[] = { 0x03, 0xfd, 0x35, 0xeb, 0x6b, 0xc2,
                                   0xdf, 0x46, 0x18, 0x08, 0x00, 0x00 };
    AUTO_BUF struct buf b = buf_init(4096);
    struct ttlv_writer w = ttlv_writer(&b);

    (void)state;
    ttlv_put_int(&w, TAG, 8);
    ttlv_put_big(&w, TAG, span_of(big, sizeof(big)));
    ttlv_put_enum(&w, TAG, 255);
    ttlv_put_bool(&w, TAG, true);
    ttlv_put_text(&w, TAG, span_str("Hello World"));
    ttlv_put_bytes(&w, TAG, span_of("\1\2\3", 3));
    ttlv_put_date(&w, TAG, 1205495800);
    ttlv_begin(&w, TAG);
    ttlv_put_enum(&w, 0x420004, 254);
    ttlv_put_int(&w, 0x420005, 255);
    ttlv_end(&w);
    must(ttlv_written(&w, why));
    assert_hex(buf_span(&b), "42002002000000040000000800000000"
                             "42002004000000100000000003fd35eb6bc2df4618080000"
                             "4200200500000004000000ff00000000"
                             "42002006000000080000000000000001"
                             "420020070000000b48656c6c6f20576f726c640000000000"
                             "42002008000000030102030000000000"
                             "42002009000000080000000047da67f8"
                             "42002001000000204200040500000004000000fe00000000"
                             "4200050200000004000000ff00000000");
}

static void numbers_keep_their_sign(void **state)
{
    AUTO_BUF struct buf b = buf_init(4096);
    struct ttlv_writer w = ttlv_writer(&b);

    (void)state;
    ttlv_put_int(&w, TAG, -1);
    ttlv_put_long(&w, TAG, -2);
    ttlv_put_big(&w, TAG, span_of("\x80", 1));
    ttlv_put_bool(&w, TAG, false);
    must(ttlv_written(&w, why));
    assert_hex(buf_span(&b), "4200200200000004ffffffff00000000"
                             "4200200300000008fffffffffffffffe"
                             "4200200400000008ffffffffffffff80"
                             "42002006000000080000000000000000");
}

static void values_come_back_through_the_cursor(void **state)
{
    AUTO_BUF struct buf b = buf_init(4096);
    struct ttlv_writer w = ttlv_writer(&b);
    struct ttlv_item root, item;
    int32_t i = 0;
    int64_t l = 0;
    uint32_t u = 0;
    bool yes = false;

    (void)state;
    ttlv_begin(&w, TAG);
    ttlv_put_int(&w, 1, -7);
    ttlv_put_long(&w, 2, -8);
    ttlv_put_enum(&w, 3, 0x80000001);
    ttlv_put_bool(&w, 4, true);
    ttlv_put_date(&w, 5, -9);
    ttlv_put_text(&w, 6, span_str("grün"));
    ttlv_end(&w);
    must(ttlv_written(&w, why));
    must(ttlv_check(buf_span(&b), why));
    assert_true(ttlv_root(buf_span(&b), &root));
    assert_int_equal(root.tag, TAG);
    struct ttlv_cursor c = ttlv_children(&root);
    assert_true(ttlv_next(&c, &item) && ttlv_int(&item, &i) && i == -7);
    assert_true(ttlv_next(&c, &item) && ttlv_long(&item, &l) && l == -8);
    assert_false(ttlv_int(&item, &i));
    assert_true(ttlv_next(&c, &item) && ttlv_enum(&item, &u));
    assert_true(u == 0x80000001);
    assert_true(ttlv_next(&c, &item) && ttlv_bool(&item, &yes) && yes);
    assert_true(ttlv_next(&c, &item) && ttlv_date(&item, &l) && l == -9);
    assert_false(ttlv_long(&item, &l));
    assert_true(ttlv_next(&c, &item));
    assert_true(span_eq(item.value, span_str("grün")));
    assert_false(ttlv_enum(&item, &u) || ttlv_bool(&item, &yes) ||
                 ttlv_date(&item, &l));
    assert_false(ttlv_next(&c, &item));
    assert_false(ttlv_next(&c, &item));
    assert_true(ttlv_find(&root, 6, TTLV_TEXT, &item));
    assert_false(ttlv_find(&root, 6, TTLV_BYTES, &item));
    assert_false(ttlv_find(&root, 7, TTLV_TEXT, &item));
}

static void what_is_no_structure_has_no_children(void **state)
{
    AUTO_BUF struct buf b = buf_init(64);
    struct ttlv_item item;

    (void)state;
    add_hex(&b, "4200200200000004ffffffff00000000");
    assert_false(ttlv_root(buf_span(&b), &item));
    struct ttlv_cursor c = ttlv_children(&item);
    assert_false(ttlv_next(&c, &item));
}

static void a_writer_says_that_it_was_misused(void **state)
{
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(4096);
    struct ttlv_writer open = ttlv_writer(&b);
    struct ttlv_writer closed = ttlv_writer(&b);
    struct ttlv_writer deep = ttlv_writer(&b);
    struct ttlv_writer empty = ttlv_writer(&b);

    (void)state;
    ttlv_begin(&open, TAG);
    assert_int_equal(ttlv_written(&open, &e), -1);
    assert_err(&e, ERR_INTERNAL, "not whole");
    ttlv_end(&closed);
    assert_int_equal(ttlv_written(&closed, &e), -1);
    for (int i = 0; i <= TTLV_DEPTH_MAX; i++)
        ttlv_begin(&deep, TAG);
    for (int i = 0; i < TTLV_DEPTH_MAX; i++)
        ttlv_end(&deep);
    assert_int_equal(ttlv_written(&deep, &e), -1);
    ttlv_put_big(&empty, TAG, span_of(NULL, 0));
    assert_int_equal(ttlv_written(&empty, &e), -1);
}

static void a_message_beyond_its_room_is_an_error(void **state)
{
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(24);
    struct ttlv_writer w = ttlv_writer(&b);

    (void)state;
    ttlv_begin(&w, TAG);
    ttlv_put_text(&w, TAG, span_str("twelve bytes"));
    ttlv_end(&w);
    assert_int_equal(ttlv_written(&w, &e), -1);
    assert_err(&e, ERR_CORRUPT, "larger than 24 bytes");
}

/* The check of this message, as hex, says that. */
static void refused(const char *hex, const char *text)
{
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(1 << 20);

    add_hex(&b, hex);
    /* A copy of the exact size, so that a sanitizer sees what reads past it. */
    uint8_t *exact = malloc(b.len > 0 ? b.len : 1);
    assert_non_null(exact);
    if (b.len > 0)
        memcpy(exact, b.p, b.len);
    int r = ttlv_check(span_of(exact, b.len), &e);
    free(exact);
    if (r == 0)
        fail_msg("taken: %s", hex);
    assert_err(&e, ERR_CORRUPT, text);
}

static void what_is_not_well_formed_is_refused(void **state)
{
    (void)state;
    refused("", "without a whole header");
    refused("42002001000000", "without a whole header");
    /* Not one structure. */
    refused("42002002000000040000000800000000", "not one structure");
    refused("42002001000000004200200100000000", "not one structure");
    /* Longer than what holds it; so long that its padding would overflow. */
    refused("4200200100000008", "longer than what holds it");
    refused("42002001000000104200200700000009"
            "4142434445464748",
            "longer than what holds it");
    refused("420020010000001042002008ffffffff"
            "4142434445464748",
            "longer than what holds it");
    refused("420020010000000842002008fffffff9", "longer than what holds it");
    /* The padding lies outside the parent. */
    refused("420020010000000c420020020000000400000008",
            "longer than what holds it");
    refused("420020010000000c42002002000000040000000800000000", "length");
    refused("4200200100000004"
            "4200200100000000",
            "length");
    /* Lengths of fixed types. */
    refused("42002001000000104200200200000008"
            "0000000000000000",
            "length");
    refused("42002001000000104200200500000003"
            "0000000000000000",
            "length");
    refused("42002001000000104200200a00000002"
            "0000000000000000",
            "length");
    refused("42002001000000104200200300000004"
            "0000000000000000",
            "length");
    refused("42002001000000104200200900000004"
            "0000000000000000",
            "length");
    refused("42002001000000104200200b00000004"
            "0000000000000000",
            "length");
    refused("42002001000000104200200600000004"
            "0000000000000000",
            "length");
    refused("42002001000000104200200400000004"
            "0000000000000000",
            "length");
    refused("42002001000000084200200400000000", "length");
    refused("42002001000000104200200600000008"
            "0000000000000002",
            "boolean");
    /* Types that there are not. */
    refused("42002001000000104200200c00000008"
            "0000000000000000",
            "unknown type");
    refused("42002001000000104200200000000008"
            "0000000000000000",
            "unknown type");
    /* Not UTF-8: a lone continuation, an overlong form, half a character. */
    refused("42002001000000104200200700000001"
            "8000000000000000",
            "UTF-8");
    refused("42002001000000104200200700000002"
            "c080000000000000",
            "UTF-8");
    refused("42002001000000104200200700000001"
            "c300000000000000",
            "UTF-8");
}

/* A message of `depth` structures, one within the other. */
static void nest(struct buf *b, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        char head[17];
        (void)snprintf(head, sizeof(head), "42002001%08x", 8 * (depth - 1 - i));
        add_hex(b, head);
    }
}

static void nesting_ends_at_the_limit(void **state)
{
    struct err e = { 0 };
    AUTO_BUF struct buf at = buf_init(1 << 16);
    AUTO_BUF struct buf past = buf_init(1 << 16);

    (void)state;
    nest(&at, TTLV_DEPTH_MAX);
    must(ttlv_check(buf_span(&at), why));
    nest(&past, TTLV_DEPTH_MAX + 1);
    assert_int_equal(ttlv_check(buf_span(&past), &e), -1);
    assert_err(&e, ERR_CORRUPT, "too deep");
}

/* A structure with n empty texts. */
static void crowd(struct buf *b, unsigned n)
{
    struct ttlv_writer w = ttlv_writer(b);

    ttlv_begin(&w, TAG);
    for (unsigned i = 0; i < n; i++)
        ttlv_put_text(&w, TAG, span_str(""));
    ttlv_end(&w);
    must(ttlv_written(&w, why));
}

static void the_number_of_items_has_a_limit(void **state)
{
    struct err e = { 0 };
    AUTO_BUF struct buf at = buf_init(1 << 20);
    AUTO_BUF struct buf past = buf_init(1 << 20);

    (void)state;
    crowd(&at, TTLV_ITEMS_MAX - 1);
    must(ttlv_check(buf_span(&at), why));
    crowd(&past, TTLV_ITEMS_MAX);
    assert_int_equal(ttlv_check(buf_span(&past), &e), -1);
    assert_err(&e, ERR_CORRUPT, "too many items");
}

static void unknown_tags_and_the_content_of_padding_do_not_matter(void **state)
{
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    add_hex(&b, "54abcd01000000205412340200000004"
                "00000008deadbeef"
                "00000007000000016100000000000001");
    must(ttlv_check(buf_span(&b), why));
}

static void a_cursor_stays_within_memory_that_nobody_checked(void **state)
{
    AUTO_BUF struct buf b = buf_init(64);
    struct ttlv_item root = { .type = TTLV_STRUCTURE };
    struct ttlv_item item;

    (void)state;
    add_hex(&b, "42002002000000040000000100000000420020080000ffff");
    root.value = buf_span(&b);
    struct ttlv_cursor c = ttlv_children(&root);
    assert_true(ttlv_next(&c, &item));
    assert_false(ttlv_next(&c, &item));
    assert_false(ttlv_next(&c, &item));
}

/* The frame's answer: bytes that follow, or -1. */
static long frame(const char *hex, size_t max, struct err *e)
{
    AUTO_BUF struct buf b = buf_init(64);
    size_t follow = 0;

    add_hex(&b, hex);
    assert_int_equal(b.len, TTLV_HEADER_BYTES);
    return ttlv_frame(b.p, 0x42007b, max, &follow, e) == 0 ? (long)follow : -1;
}

static void eight_bytes_decide_about_a_whole_answer(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(frame("42007b0100000048", 80, &e), 72);
    assert_int_equal(frame("42007b0100000000", 8, &e), 0);
    assert_int_equal(frame("42007b0100000048", 79, &e), -1);
    assert_err(&e, ERR_CORRUPT, "limit is 79");
    assert_int_equal(frame("42007b017ffffff8", 65536, &e), -1);
    assert_int_equal(frame("42007b01fffffff8", 65536, &e), -1);
    assert_err(&e, ERR_CORRUPT, "limit is 65536");
    assert_int_equal(frame("42007b0100000081", 65536, &e), -1);
    assert_err(&e, ERR_CORRUPT, "multiple of 8");
    assert_int_equal(frame("4200780100000048", 65536, &e), -1);
    assert_err(&e, ERR_CORRUPT, "not a KMIP message");
    assert_int_equal(frame("42007b0200000048", 65536, &e), -1);
    assert_int_equal(frame("42007b0100000000", 7, &e), -1);
    assert_int_equal(frame("485454502f312e31", 65536, &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_primitive_is_written_as_the_specification_shows),
        cmocka_unit_test(numbers_keep_their_sign),
        cmocka_unit_test(values_come_back_through_the_cursor),
        cmocka_unit_test(what_is_no_structure_has_no_children),
        cmocka_unit_test(a_writer_says_that_it_was_misused),
        cmocka_unit_test(a_message_beyond_its_room_is_an_error),
        cmocka_unit_test(what_is_not_well_formed_is_refused),
        cmocka_unit_test(nesting_ends_at_the_limit),
        cmocka_unit_test(the_number_of_items_has_a_limit),
        cmocka_unit_test(unknown_tags_and_the_content_of_padding_do_not_matter),
        cmocka_unit_test(a_cursor_stays_within_memory_that_nobody_checked),
        cmocka_unit_test(eight_bytes_decide_about_a_whole_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: parts of objects.
 */
#include "suite.h"

static void range_gives_exactly_that_part(void **state)
{
    static const struct {
        struct obj_range range;
        const char *expected;
    } cases[] = {
        { { 0, 0 }, "0123456789" },
        { { 0, 1 }, "0" },
        { { 0, 100 }, "0123456789" },
        { { 2, 3 }, "234" },
        { { 7, 0 }, "789" },
        { { 7, 3 }, "789" },
        { { 7, 100 }, "789" },
        { { 9, 1 }, "9" },
        { { 9, UINT64_MAX - 9 }, "9" },
    };

    (void)state;
    must_put(&plain, "k", "0123456789");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF struct buf out = buf_init(100);
        struct obj_info info = { 0 };
        struct obj_attempt a =
            get(&plain, "k", NULL, &cases[i].range, &out, &info);
        assert_outcome(a, OBJ_OK);
        assert_string_equal(buf_cstr(&out), cases[i].expected);
        assert_int_equal(a.received, out.len);
        assert_int_equal(info.size, 10); /* of the object, not of the part */
    }
}

static void range_beyond_the_end_is_refused(void **state)
{
    static const struct obj_range cases[] = {
        { 10, 0 }, { 10, 1 }, { 99, 5 }, { UINT64_MAX, 5 }, { UINT64_MAX, 0 },
    };

    (void)state;
    must_put(&plain, "k", "0123456789");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF struct buf out = buf_init(100);
        buf_append_str(&out, "kept");
        assert_outcome(get(&plain, "k", NULL, &cases[i], &out, NULL),
                       OBJ_REJECTED);
        assert_string_equal(buf_cstr(&out), "kept");
    }
}

static void range_at_the_begin_of_an_empty_object_is_empty(void **state)
{
    static const struct obj_range cases[] = { { 0, 0 }, { 0, 1 }, { 0, 99 } };

    (void)state;
    must_put(&plain, "k", "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF struct buf out = buf_init(100);
        struct obj_info info = { .size = 9 };
        assert_outcome(get(&plain, "k", NULL, &cases[i], &out, &info), OBJ_OK);
        assert_int_equal(out.len, 0);
        assert_int_equal(info.size, 0);
    }
}

static void range_of_a_large_object_is_found(void **state)
{
    const size_t len = (3u << 20) + 17;
    AUTO_MEM uint8_t *body = make_body(len, 7);
    static const struct obj_range cases[] = { { (1u << 20) - 1, 2 },
                                              { (2u << 20) + 5, 1u << 20 },
                                              { (3u << 20) + 16, 1 } };

    (void)state;
    assert_outcome(put_as(&plain, "k", span_of(body, len), NULL, NULL), OBJ_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF struct buf out = buf_init(2u << 20);
        size_t want = len - cases[i].offset;
        if (cases[i].len < want)
            want = cases[i].len;
        assert_outcome(get(&plain, "k", NULL, &cases[i], &out, NULL), OBJ_OK);
        assert_true(
            span_eq(buf_span(&out), span_of(body + cases[i].offset, want)));
    }
}

static void range_of_what_is_not_there_is_absent(void **state)
{
    static const struct obj_range part = { 1, 1 };
    AUTO_BUF struct buf out = buf_init(100);

    (void)state;
    assert_outcome(get(&plain, "k", NULL, &part, &out, NULL), OBJ_ABSENT);
}

static const struct test tests[] = {
    TEST(range_gives_exactly_that_part, 0),
    TEST(range_beyond_the_end_is_refused, 0),
    TEST(range_at_the_begin_of_an_empty_object_is_empty, 0),
    TEST(range_of_a_large_object_is_found, 0),
    TEST(range_of_what_is_not_there_is_absent, 0),
};
THEME(theme_ranges, "ranges");

// SPDX-License-Identifier: Apache-2.0
/* The growing buffer; realloc can be made to fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/buf.h"

static bool no_memory;

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_realloc(void *p, size_t n)
{
    return no_memory ? NULL : __real_realloc(p, n);
}

static void appends_add_up(void **state)
{
    AUTO_BUF struct buf b = buf_init(1000);
    struct err e = { 0 };

    (void)state;
    buf_append(&b, "ab", 2);
    buf_append_str(&b, "cd");
    buf_append_char(&b, 'e');
    buf_append(&b, NULL, 0);
    buf_printf(&b, "-%d", 42);
    assert_int_equal(buf_check(&b, &e), 0);
    assert_int_equal(b.len, 8);
    assert_string_equal(buf_cstr(&b), "abcde-42");
    assert_int_equal(b.len, 8);
    assert_true(span_eq(buf_span(&b), span_str("abcde-42")));
}

static void content_survives_growth(void **state)
{
    AUTO_BUF struct buf b = buf_init(100000);
    struct err e = { 0 };

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_append_char(&b, (char)(i * 31));
    assert_int_equal(buf_check(&b, &e), 0);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(b.p[i], (uint8_t)(i * 31));
}

static void the_maximum_can_be_filled_but_not_passed(void **state)
{
    AUTO_BUF struct buf b = buf_init(100);
    struct err e = { 0 };
    uint8_t bytes[100] = { 1 };

    (void)state;
    buf_append(&b, bytes, 100);
    assert_int_equal(buf_check(&b, &e), 0);
    assert_int_equal(b.len, 100);
    buf_append(&b, bytes, 0);
    assert_int_equal(buf_check(&b, &e), 0);
    buf_append_char(&b, 'x');
    assert_int_equal(b.len, 100);
    assert_int_equal(buf_check(&b, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_string_equal(e.msg, "larger than 100 bytes");
}

static void a_failed_buffer_takes_no_more(void **state)
{
    AUTO_BUF struct buf b = buf_init(4);

    (void)state;
    buf_append_str(&b, "abc");
    buf_append_str(&b, "de");
    assert_true(b.failed);
    assert_false(b.nomem);
    buf_append_char(&b, 'd'); /* would fit */
    buf_printf(&b, "d");
    assert_null(buf_reserve(&b, 0));
    assert_int_equal(b.len, 3);
    assert_string_equal(buf_cstr(&b), "");
}

static void reset_forgets_content_and_failure(void **state)
{
    AUTO_BUF struct buf b = buf_init(4);
    struct err e = { 0 };

    (void)state;
    buf_append_str(&b, "abcde");
    assert_true(b.failed);
    buf_reset(&b);
    assert_int_equal(buf_check(&b, &e), 0);
    buf_append_str(&b, "abcd");
    uint8_t *before = b.p;
    buf_reset(&b);
    assert_ptr_equal(b.p, before);
    assert_int_equal(b.len, 0);
    assert_string_equal(buf_cstr(&b), "");
    buf_append_str(&b, "xy");
    assert_string_equal(buf_cstr(&b), "xy");
}

static void free_keeps_the_maximum(void **state)
{
    struct buf b = buf_init(3);

    (void)state;
    buf_append_str(&b, "abc");
    buf_free(&b);
    assert_null(b.p);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, 0);
    assert_int_equal(b.max, 3);
    buf_free(&b);
}

static void printf_of_any_length_is_whole(void **state)
{
    (void)state;
    for (int n = 250; n < 262; n++) {
        AUTO_BUF struct buf b = buf_init(1000);
        buf_append_char(&b, '<');
        buf_printf(&b, "%*d", n, 7);
        assert_int_equal(b.len, n + 1);
        const char *s = buf_cstr(&b);
        assert_int_equal(strlen(s), n + 1);
        assert_int_equal(s[0], '<');
        assert_int_equal(s[n - 1], ' ');
        assert_int_equal(s[n], '7');
    }
}

static void printf_over_the_maximum_fails(void **state)
{
    AUTO_BUF struct buf b = buf_init(500);

    (void)state;
    buf_printf(&b, "%*d", 500, 7);
    assert_int_equal(b.len, 500);
    assert_false(b.failed);
    buf_reset(&b);
    buf_printf(&b, "%*d", 501, 7);
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
}

static void printf_of_what_cannot_be_printed_fails(void **state)
{
    AUTO_BUF struct buf b = buf_init(500);

    (void)state;
    buf_printf(&b, "%lc", (wint_t)0xd800); /* no character in any locale */
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
}

static void reserve_gives_room_to_fill(void **state)
{
    AUTO_BUF struct buf b = buf_init(SIZE_MAX);
    struct err e = { 0 };

    (void)state;
    buf_append_char(&b, 'a');
    uint8_t *at = buf_reserve(&b, 5000);
    assert_ptr_equal(at, b.p + 1);
    memset(at, 'b', 5000);
    assert_int_equal(b.len, 1);
    b.len += 5000;
    assert_int_equal(strlen(buf_cstr(&b)), 5001);
    assert_int_equal(buf_check(&b, &e), 0);
}

static void sizes_that_overflow_are_refused(void **state)
{
    AUTO_BUF struct buf b = buf_init(SIZE_MAX);

    (void)state;
    buf_append_char(&b, 'a');
    assert_null(buf_reserve(&b, SIZE_MAX - 1)); /* no room for the NUL */
    assert_true(b.failed);
    buf_reset(&b);
    buf_append_char(&b, 'a');
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
}

static void no_memory_is_told_from_too_large(void **state)
{
    AUTO_BUF struct buf b = buf_init(1000);
    struct err e = { 0 };

    (void)state;
    buf_append_str(&b, "abc");
    no_memory = true;
    buf_append(&b, (uint8_t[500]){ 0 }, 500);
    buf_printf(&b, "%*d", 500, 7);
    no_memory = false;
    assert_int_equal(b.len, 3);
    assert_int_equal(buf_check(&b, &e), -1);
    assert_int_equal(e.kind, ERR_NOMEM);
}

static void printf_without_memory_fails(void **state)
{
    AUTO_BUF struct buf b = buf_init(1000);

    (void)state;
    no_memory = true;
    buf_printf(&b, "%*d", 500, 7);
    no_memory = false;
    assert_true(b.nomem);
}

static void text_of_an_empty_buffer_without_memory_is_empty(void **state)
{
    AUTO_BUF struct buf b = buf_init(1000);

    (void)state;
    no_memory = true;
    const char *s = buf_cstr(&b);
    no_memory = false;
    assert_string_equal(s, "");
    assert_true(b.nomem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_add_up),
        cmocka_unit_test(content_survives_growth),
        cmocka_unit_test(the_maximum_can_be_filled_but_not_passed),
        cmocka_unit_test(a_failed_buffer_takes_no_more),
        cmocka_unit_test(reset_forgets_content_and_failure),
        cmocka_unit_test(free_keeps_the_maximum),
        cmocka_unit_test(printf_of_any_length_is_whole),
        cmocka_unit_test(printf_over_the_maximum_fails),
        cmocka_unit_test(printf_of_what_cannot_be_printed_fails),
        cmocka_unit_test(reserve_gives_room_to_fill),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(no_memory_is_told_from_too_large),
        cmocka_unit_test(printf_without_memory_fails),
        cmocka_unit_test(text_of_an_empty_buffer_without_memory_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The error value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

static void set_fills_every_field_and_returns_minus_one(void **state)
{
    struct err e = { .kind = ERR_LOCKED, .http = 403, .msg = "old" };

    (void)state;
    assert_int_equal(err_set(&e, ERR_NOTFOUND, 0, "point %s", "a@b"), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(e.sys, 0);
    assert_int_equal(e.http, 0);
    assert_string_equal(e.msg, "point a@b");
}

static void set_appends_the_text_of_an_errno(void **state)
{
    struct err e = { 0 };

    (void)state;
    err_set(&e, ERR_IO, EIO, "read %s", "disk");
    assert_int_equal(e.sys, EIO);
    assert_string_equal(e.msg, "read disk: Input/output error");
}

static void set_may_quote_the_message_that_it_replaces(void **state)
{
    struct err e = { 0 };

    (void)state;
    err_set(&e, ERR_IO, 0, "inner");
    err_set(&e, ERR_CONFIG, 0, "outer (%s)", e.msg);
    assert_string_equal(e.msg, "outer (inner)");
    assert_int_equal(e.kind, ERR_CONFIG);
}

static void context_goes_in_front_and_hints_behind(void **state)
{
    struct err e = { 0 };

    (void)state;
    err_set(&e, ERR_DENIED, EACCES, "open");
    e.http = 403;
    assert_int_equal(err_ctx(&e, "disk %d", 3), -1);
    assert_int_equal(err_hint(&e, "run as %s", "root"), -1);
    assert_string_equal(e.msg, "disk 3: open: Permission denied; run as root");
    assert_int_equal(e.kind, ERR_DENIED);
    assert_int_equal(e.sys, EACCES);
    assert_int_equal(e.http, 403);
}

static void long_texts_are_cut_and_terminated(void **state)
{
    struct err e = { 0 };
    char text[2 * sizeof(e.msg)];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    err_set(&e, ERR_IO, EIO, "%s", text);
    assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
    err_ctx(&e, "in %s", "front");
    assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
    assert_memory_equal(e.msg, "in front: xxx", 13);
    err_hint(&e, "lost");
    assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
    assert_int_equal(e.msg[sizeof(e.msg) - 2], 'x');
}

static void hints_and_context_fill_up_to_the_last_byte(void **state)
{
    struct err e = { 0 };
    char text[sizeof(e.msg)];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(e.msg) - 4] = '\0'; /* leaves three characters */
    err_set(&e, ERR_IO, 0, "%s", text);
    err_hint(&e, "yz");
    assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
    assert_string_equal(e.msg + sizeof(e.msg) - 4, "; y");
}

static void nomem_is_its_own_kind(void **state)
{
    struct err e = { .sys = EIO };

    (void)state;
    assert_int_equal(err_nomem(&e), -1);
    assert_int_equal(e.kind, ERR_NOMEM);
    assert_int_equal(e.sys, 0);
    assert_string_equal(e.msg, "out of memory");
}

static void errnos_map_to_kinds(void **state)
{
    (void)state;
    assert_int_equal(err_of_errno(ENOENT), ERR_NOTFOUND);
    assert_int_equal(err_of_errno(EACCES), ERR_DENIED);
    assert_int_equal(err_of_errno(EPERM), ERR_DENIED);
    assert_int_equal(err_of_errno(ENOSPC), ERR_FULL);
    assert_int_equal(err_of_errno(EDQUOT), ERR_FULL);
    assert_int_equal(err_of_errno(EEXIST), ERR_EXISTS);
    assert_int_equal(err_of_errno(ENOMEM), ERR_NOMEM);
    assert_int_equal(err_of_errno(EIO), ERR_IO);
    assert_int_equal(err_of_errno(0), ERR_IO);
}

static void every_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = ERR_NONE; i <= ERR_INTERNAL; i++) {
        const char *name = err_kind_name((enum err_kind)i);
        assert_true(strlen(name) > 1);
        for (const char *at = name; *at != '\0'; at++)
            assert_true(islower((unsigned char)*at) || *at == '-');
        for (int j = ERR_NONE; j < i; j++)
            assert_string_not_equal(name, err_kind_name((enum err_kind)j));
    }
    assert_string_equal(err_kind_name(ERR_NOTFOUND), "not-found");
    assert_string_equal(err_kind_name(ERR_CANCELLED), "cancelled");
    assert_string_equal(err_kind_name((enum err_kind)(ERR_INTERNAL + 1)),
                        "internal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_every_field_and_returns_minus_one),
        cmocka_unit_test(set_appends_the_text_of_an_errno),
        cmocka_unit_test(set_may_quote_the_message_that_it_replaces),
        cmocka_unit_test(context_goes_in_front_and_hints_behind),
        cmocka_unit_test(long_texts_are_cut_and_terminated),
        cmocka_unit_test(hints_and_context_fill_up_to_the_last_byte),
        cmocka_unit_test(nomem_is_its_own_kind),
        cmocka_unit_test(errnos_map_to_kinds),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

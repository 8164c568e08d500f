// SPDX-License-Identifier: Apache-2.0
/* Numbers as they are typed in dialogues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cli/dialogue.h"

struct picked {
    char text[100];
};

static int pick(void *ctx, size_t i, struct err *e)
{
    struct picked *p = ctx;
    size_t n = strlen(p->text);

    (void)e;
    (void)snprintf(p->text + n, sizeof p->text - n, "%zu ", i);
    return 0;
}

static void numbers_and_ranges_are_picked_in_their_order(void **state)
{
    static const struct {
        const char *answer, *picked;
    } cases[] = {
        { "1", "0 " },
        { "5", "4 " },
        { "3,1", "2 0 " },
        { "2-4", "1 2 3 " },
        { "1, 3-3 ,5", "0 2 4 " },
        { "all", "0 1 2 3 4 " },
        { "ALL", "0 1 2 3 4 " },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct picked p = { "" };
        struct err e = { 0 };
        if (cli_dialogue_numbers(cases[i].answer, 5, pick, &p, &e) < 0)
            fail_msg("%s: %s", cases[i].answer, e.msg);
        assert_string_equal(p.text, cases[i].picked);
    }
}

static void nothing_is_picked_where_a_number_is_wrong(void **state)
{
    static const char *const wrong[] = {
        "0",  "6",   "1,6", "1,",  "2-1", "1-",
        "-1", "1 2", "x",   "1,x", "1-9", "18446744073709551617",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct picked p = { "" };
        struct err e = { 0 };
        if (cli_dialogue_numbers(wrong[i], 5, pick, &p, &e) == 0)
            fail_msg("%s is taken", wrong[i]);
        assert_int_equal(e.kind, ERR_USAGE);
        assert_string_equal(p.text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_ranges_are_picked_in_their_order),
        cmocka_unit_test(nothing_is_picked_where_a_number_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

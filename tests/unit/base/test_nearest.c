// SPDX-License-Identifier: Apache-2.0
/* The nearest of a few words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "base/nearest.h"

static void the_word_with_the_fewest_changes_is_found(void **state)
{
    (void)state;
    static const char *const words[] = { "daily", "monthly", "every", NULL };

    assert_string_equal(nearest_word(words, "dialy"), "daily");
    assert_string_equal(nearest_word(words, "montly"), "monthly");
    assert_string_equal(nearest_word(words, "ever"), "every");
    assert_string_equal(nearest_word(words, "every"), "every");
    assert_string_equal(nearest_word(civil_weekday_words, "fir"), "fri");
    assert_string_equal(nearest_word(civil_month_words, "sept"), "sep");
}

static void an_empty_list_has_none(void **state)
{
    (void)state;
    static const char *const words[] = { NULL };

    assert_null(nearest_word(words, "daily"));
}

/* Of longer ones only the beginning counts; nothing is read behind it. */
static void long_words_are_taken_by_their_beginning(void **state)
{
    (void)state;
    static const char *const words[] = { "daily", "monthly", NULL };
    char word[4 * NEAREST_CHARS];

    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    assert_non_null(nearest_word(words, word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_with_the_fewest_changes_is_found),
        cmocka_unit_test(an_empty_list_has_none),
        cmocka_unit_test(long_words_are_taken_by_their_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

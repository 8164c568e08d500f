// SPDX-License-Identifier: Apache-2.0
/* Names and texts. */
#include "manifest/name.h"
#include "tests/unit/manifest/mf_test.h"

static void utf8_is_read_strictly(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "B\xc3\xbcro",
        "\x01",
    };
    static const char *const bad[] = {
        "",
        "\x80",
        "\xbf",
        "a\xc3",
        "\xc3(",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
        "ok\xf0\x90\x80",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!mf_name_is_text(good[i], 100))
            fail_msg("good text %zu was refused", i);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (mf_name_is_text(bad[i], 100))
            fail_msg("bad text %zu was taken", i);
    }
}

static void the_maximum_counts_bytes(void **state)
{
    (void)state;
    assert_true(mf_name_is_text("abc", 3));
    assert_false(mf_name_is_text("abcd", 3));
    assert_true(mf_name_is_plain("\xc3\xbc", 2));
    assert_false(mf_name_is_plain("\xc3\xbc", 1));
}

static void plain_names_have_no_control_characters(void **state)
{
    (void)state;
    assert_true(mf_name_is_plain(" a\\/\xc2\xa0", 100));
    assert_false(mf_name_is_plain("a\n", 100));
    assert_false(mf_name_is_plain("\x1f", 100));
    assert_false(mf_name_is_plain("\x7f", 100));
    assert_false(mf_name_is_plain("\xc2\x80", 100));
    assert_false(mf_name_is_plain("\xc2\x9f", 100));
}

static void disk_names_are_single_components(void **state)
{
    (void)state;
    assert_true(mf_name_is_disk("a.raw"));
    assert_true(mf_name_is_disk("..."));
    assert_true(mf_name_is_disk(".hidden"));
    assert_true(mf_name_is_disk("a\\b"));
    assert_false(mf_name_is_disk(""));
    assert_false(mf_name_is_disk("."));
    assert_false(mf_name_is_disk(".."));
    assert_false(mf_name_is_disk("a/b"));
    assert_false(mf_name_is_disk("/a"));
    assert_false(mf_name_is_disk("a\t"));
}

static void paths_stay_below_their_folder(void **state)
{
    (void)state;
    static const char *const good[] = { "a", "a/b/c", "..a/.b/c..", "...",
                                        "a b/\xc3\xbc" };
    static const char *const bad[] = { "",      "/",    "/a",     "a/",
                                       "a//b",  ".",    "..",     "./a",
                                       "../a",  "a/..", "a/.",    "a/../b",
                                       "a/./b", "a\n",  "a/\x01", "\xff" };
    char longest[MF_PATH_MAX + 2];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!mf_name_is_path(good[i]))
            fail_msg("%s was refused", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (mf_name_is_path(bad[i]))
            fail_msg("%s was taken", bad[i]);
    }
    memset(longest, 'x', sizeof(longest));
    longest[MF_PATH_MAX] = '\0';
    assert_true(mf_name_is_path(longest));
    longest[MF_PATH_MAX] = 'x';
    longest[MF_PATH_MAX + 1] = '\0';
    assert_false(mf_name_is_path(longest));
}

static void what_is_in_a_folder_follows_it_in_order(void **state)
{
    (void)state;
    static const char *const order[] = { "",      "x",  "x/a", "x/b",
                                         "x\x01", "x!", "x.",  "x0",
                                         "xy",    "y",  "\xff" };
    const size_t n = sizeof(order) / sizeof(order[0]);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            int c = mf_name_compare(order[i], order[k]);
            if ((i < k && c >= 0) || (i == k && c != 0) || (i > k && c <= 0))
                fail_msg("%zu and %zu compare as %d", i, k, c);
        }
    }
}

static void a_folder_covers_what_is_below_it(void **state)
{
    (void)state;
    assert_true(mf_name_covers("x", "x"));
    assert_true(mf_name_covers("x", "x/y"));
    assert_false(mf_name_covers("x", "xy"));
    assert_false(mf_name_covers("x/y", "x"));
    assert_false(mf_name_covers("x", "y/x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_read_strictly),
        cmocka_unit_test(the_maximum_counts_bytes),
        cmocka_unit_test(plain_names_have_no_control_characters),
        cmocka_unit_test(disk_names_are_single_components),
        cmocka_unit_test(paths_stay_below_their_folder),
        cmocka_unit_test(what_is_in_a_folder_follows_it_in_order),
        cmocka_unit_test(a_folder_covers_what_is_below_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

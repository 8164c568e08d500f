// SPDX-License-Identifier: Apache-2.0
/* Listings of the file driver: order, pages, prefixes, and what is no object.
 */
#include "directory.h"

#include <fcntl.h>

static const char *const odd[] = {
    " lead",     "!",           "%41%2F",
    "'quote\"",  "(x)~$=,;:@&", "+plus",
    "-/a",       ".hidden/x",   ".tmpx",
    "A",         "B/.tmp/x",    "a b+c",
    "a!/x",      "a",           "a-b",
    "a-b-",      "a-b0",        "a-c/d",
    "a.b",       "a.c/x",       "a0",
    "ab",        "b/c",         "b/c-d",
    "b/c.d",     "b/c0",        "b0/x",
    "b~/x",      "caf\xc3\xa9", "cafe\xcc\x81",
    "d/e/f/g/h", "d/e-f",       "d/e/f-",
    "lost",      "z?#*|\\<>",   "\xf0\x9f\x98\x80"
};
#define ODD (sizeof odd / sizeof *odd)

static int by_bytes(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

static void odd_keys_are_listed_in_byte_order_at_any_page_size(void **state)
{
    const char *sorted[ODD];

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    memcpy(sorted, odd, sizeof odd);
    qsort(sorted, ODD, sizeof *sorted, by_bytes);
    for (size_t i = 0; i < ODD; i++)
        must_put(s, odd[i], odd[i]);
    for (size_t i = 0; i < ODD; i++)
        assert_holds(s, odd[i], odd[i]);
    for (unsigned page = 1; page <= ODD + 1; page++) {
        struct list l = { 0 };
        list_all(s, "", NULL, page, &l);
        assert_int_equal(l.n, ODD);
        for (size_t i = 0; i < ODD; i++)
            assert_string_equal(l.keys[i], sorted[i]);
        list_free(&l);
    }
}

static void prefix_and_after_choose_a_part_of_the_listing(void **state)
{
    static const char *const probes[] = { "",     "a",    "a-",        "a-c/",
                                          "b/c",  "b/c-", "d/e",       "d/e/",
                                          "zz",   "A",    "d/e/f/g/h", "a/",
                                          "\xf0", "-" };
    const char *sorted[ODD];

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    memcpy(sorted, odd, sizeof odd);
    qsort(sorted, ODD, sizeof *sorted, by_bytes);
    for (size_t i = 0; i < ODD; i++)
        must_put(s, odd[i], "x");
    for (size_t p = 0; p < sizeof probes / sizeof *probes; p++) {
        for (size_t a = 0; a < sizeof probes / sizeof *probes; a++) {
            struct list l = { 0 };
            size_t n = 0;
            list_all(s, probes[p], probes[a], 3, &l);
            for (size_t i = 0; i < ODD; i++) {
                if (strncmp(sorted[i], probes[p], strlen(probes[p])) != 0 ||
                    strcmp(sorted[i], probes[a]) <= 0)
                    continue;
                assert_true(n < l.n);
                assert_string_equal(l.keys[n++], sorted[i]);
            }
            assert_int_equal(l.n, n);
            list_free(&l);
        }
    }
}

static void listings_of_every_length_are_complete(void **state)
{
    static const size_t counts[] = { 0, 1, 1000, 1001, 2500 };
    size_t made = 0;

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        struct list l = { 0 };
        struct obj_counters before;
        struct obj_counters after;
        for (; made < counts[c]; made++) {
            char path[128];
            snprintf(path, sizeof path, "%s/p%zu", root, made % 7);
            (void)mkdir(path, 0700);
            snprintf(path, sizeof path, "%s/p%zu/%05zu", root, made % 7, made);
            int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
            assert_true(fd >= 0);
            close(fd);
        }
        obj_store_counters(s, &before);
        list_all(s, "", NULL, 0, &l);
        obj_store_counters(s, &after);
        assert_int_equal(l.n, counts[c]);
        for (size_t i = 1; i < l.n; i++)
            assert_true(strcmp(l.keys[i - 1], l.keys[i]) < 0);
        size_t pages = counts[c] == 0 ? 1 : (counts[c] + 999) / 1000;
        assert_int_equal(after.requests[OBJ_LIST] - before.requests[OBJ_LIST],
                         pages);
        list_free(&l);
    }
}

static void a_callback_may_stop_the_listing_or_fail_it(void **state)
{
    struct obj_req r = { .key = "" };
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "a", "x");
    must_put(s, "b", "x");
    must_put(s, "c", "x");
    struct list l = { .stop_at = 2, .result = 1 };
    assert_int_equal(obj_list(s, &r, NULL, collect, &l, &e), 0);
    assert_int_equal(l.n, 2);
    list_free(&l);
    l = (struct list){ .stop_at = 1, .result = -1 };
    assert_int_equal(obj_list(s, &r, NULL, collect, &l, &e), -1);
    assert_int_equal(e.kind, ERR_BUSY);
    assert_int_equal(l.n, 1);
    list_free(&l);
}

static void only_files_of_ours_are_listed(void **state)
{
    char path[128];
    struct list l = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "k", "x");
    must_put(s, "k", "y"); /* makes .tmp */
    snprintf(path, sizeof path, "%s/link", root);
    assert_int_equal(symlink("k", path), 0);
    snprintf(path, sizeof path, "%s/.tmp/objvault-x.part", root);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    snprintf(path, sizeof path, "%s/lost+found", root);
    assert_int_equal(mkdir(path, 0), 0);
    snprintf(path, sizeof path, "%s/fifo", root);
    assert_int_equal(mkfifo(path, 0600), 0);
    list_all(s, "", NULL, 0, &l);
    assert_int_equal(l.n, 1);
    list_free(&l);
    assert_int_equal(get_kind(s, "link"), ERR_NOTFOUND);
    assert_int_equal(get_kind(s, "fifo"), ERR_NOTFOUND);
    struct obj_req r = { .key = "link" };
    struct err e = { 0 };
    assert_int_equal(obj_head(s, &r, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(odd_keys_are_listed_in_byte_order_at_any_page_size),
        TEST(prefix_and_after_choose_a_part_of_the_listing),
        TEST(listings_of_every_length_are_complete),
        TEST(a_callback_may_stop_the_listing_or_fail_it),
        TEST(only_files_of_ours_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: listings are complete, in byte order, page by page.
 */
#include "suite.h"

/* Names that sort against the slash in every way, within the alphabet that all
 * drivers have, and others behind them. */
static const char *const simple[] = {
    "-/a",   "A",      "B/.tmp/x", "a-b",       "a-b-",  "a-b0",
    "a-c/d", "a.b",    "a.c/x",    "a0",        "ab",    "b/c",
    "b/c-d", "b/c.d",  "b/c0",     "b0/x",      "b_/x",  "d/e/f/g/h",
    "d/e-f", "d/e/f-", "lost",     ".hidden/x", ".tmpx",
};
#define SIMPLE (sizeof simple / sizeof *simple)

static const char *const odd[] = {
    " lead",
    "!",
    "%41%2F",
    "'quote\"",
    "(x)~$=,;:@&",
    "+plus",
    "a b+c",
    "a!/x",
    "a",
    "a&b<c>",
    "b~/x",
    "caf\xc3\xa9",
    "cafe\xcc\x81",
    "end ",
    "z?#*|\\^`{}[]",
    "\xe2\x82\xac",
    "\xf0\x9f\x98\x80",
};
#define ODD (sizeof odd / sizeof *odd)

static int by_bytes(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

static void sort(const char **out, const char *const *names, size_t n)
{
    memcpy(out, names, n * sizeof *out);
    qsort(out, n, sizeof *out, by_bytes);
}

static void check_pages(const char *const *names, size_t n)
{
    const unsigned pages[] = { 1, 2, 3, 7, (unsigned)n, (unsigned)n + 1, 0 };

    for (size_t i = 0; i < n; i++)
        must_put(&plain, names[i], names[i]);
    for (size_t i = 0; i < n; i++)
        assert_holds(&plain, names[i], NULL, names[i]);
    for (size_t p = 0; p < sizeof pages / sizeof *pages; p++) {
        AUTO_LISTING struct listing l = { 0 };
        const struct obj_list_opts o = { .page = pages[p] };
        list(&plain, "", &o, &l);
        assert_int_equal(l.n, n);
        for (size_t i = 0; i < n; i++) {
            assert_string_equal(l.rows[i].name, names[i]);
            assert_int_equal(l.rows[i].info.size, strlen(names[i]));
        }
    }
}

static void keys_are_listed_in_byte_order_at_any_page_size(void **state)
{
    const char *sorted[SIMPLE];

    (void)state;
    sort(sorted, simple, SIMPLE);
    check_pages(sorted, SIMPLE);
}

static void odd_keys_are_kept_and_listed_byte_for_byte(void **state)
{
    const char *sorted[SIMPLE + ODD];

    (void)state;
    memcpy(sorted, odd, sizeof odd);
    memcpy(sorted + ODD, simple, sizeof simple);
    qsort(sorted, SIMPLE + ODD, sizeof *sorted, by_bytes);
    check_pages(sorted, SIMPLE + ODD);
}

/* Stored under another name it would be lost, or take another's place. */
static void key_that_the_driver_cannot_say_is_refused(void **state)
{
    AUTO_LISTING struct listing l = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    unsigned refused = 0;

    (void)state;
    for (size_t i = 0; i < ODD; i++) {
        struct obj_attempt a =
            put_as(&plain, odd[i], span_str(odd[i]), NULL, NULL);
        if (a.outcome == OBJ_OK) {
            assert_holds(&plain, odd[i], NULL, odd[i]);
            continue;
        }
        refused++;
        assert_int_equal(a.http, 0); /* nothing was sent */
        assert_true(a.outcome == OBJ_UNABLE || a.outcome == OBJ_REJECTED);
        assert_outcome(get(&plain, odd[i], NULL, NULL, &out, NULL), a.outcome);
        assert_outcome(head(&plain, odd[i], NULL, NULL), a.outcome);
        assert_outcome(removed(&plain, odd[i], NULL, false), a.outcome);
    }
    assert_true(refused > 0);
    list(&plain, "", NULL, &l);
    assert_int_equal(l.n, ODD - refused);
}

static void prefix_and_after_choose_a_part_of_the_listing(void **state)
{
    static const char *const prefixes[] = { "",     "a",    "a-",
                                            "a-c/", "b/c",  "b/c-",
                                            "d/e",  "d/e/", "zz" };
    static const char *const afters[] = { "",     "a-b", "a-c/",      "b/c",
                                          "b/c-", "d/e", "d/e/f/g/h", "zz" };
    const char *sorted[SIMPLE];
    const struct obj_list_opts all = { .page = 5 };

    (void)state;
    sort(sorted, simple, SIMPLE);
    for (size_t i = 0; i < SIMPLE; i++)
        must_put(&plain, simple[i], "x");
    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++) {
        for (size_t f = 0; f < sizeof afters / sizeof *afters; f++) {
            AUTO_LISTING struct listing l = { 0 };
            struct obj_list_opts o = all;
            size_t n = 0;
            o.after = afters[f];
            list(&plain, prefixes[p], &o, &l);
            for (size_t i = 0; i < SIMPLE; i++) {
                if (strncmp(sorted[i], prefixes[p], strlen(prefixes[p])) != 0 ||
                    strcmp(sorted[i], afters[f]) <= 0)
                    continue;
                assert_true(n < l.n);
                assert_string_equal(l.rows[n++].name, sorted[i]);
            }
            assert_int_equal(l.n, n);
        }
    }
}

#define MANY 2500

static void name_of(uint64_t i, char out[32])
{
    snprintf(out, 32, "p%llu/%05llu", (unsigned long long)(i / 900),
             (unsigned long long)i);
}

static int put_one(void *ctx, uint64_t i, struct err *e)
{
    char name[32];

    (void)ctx;
    name_of(i, name);
    struct obj_attempt a = put_as(&plain, name, span_of(NULL, 0), NULL, NULL);
    if (a.outcome != OBJ_OK)
        return err_set(e, ERR_FAILED, 0, "put %s: outcome %d, %s", name,
                       (int)a.outcome, a.message);
    return 0;
}

static void listings_of_every_length_are_complete(void **state)
{
    static const size_t counts[] = { 0, 1, 999, 1000, 1001, 2500 };

    (void)state;
    in_threads(16, MANY, put_one, NULL);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        AUTO_LISTING struct listing l = { 0 };
        struct obj_list_opts o = { 0 };
        char name[32];
        size_t first = MANY - counts[c];
        if (first > 0) {
            name_of(first - 1, name);
            o.after = name;
        }
        list(&plain, "p", &o, &l);
        assert_int_equal(l.n, counts[c]);
        for (size_t i = 0; i < l.n; i++) {
            char want[32];
            name_of(first + i, want);
            assert_string_equal(l.rows[i].name, want);
        }
        size_t full = (counts[c] + 999) / 1000;
        /* A server may learn by an empty page that there is no more. */
        assert_true(l.pages >= (full > 0 ? full : 1) && l.pages <= full + 1);
    }
}

static void listing_after_a_put_or_a_removal_shows_it(void **state)
{
    AUTO_LISTING struct listing l = { 0 };
    char name[16];

    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "k%d", i);
        must_put(&plain, name, "x");
        list(&plain, "", NULL, &l);
        assert_int_equal(l.n, 1);
        assert_string_equal(l.rows[0].name, name);
        assert_outcome(removed(&plain, name, NULL, false), OBJ_OK);
        list(&plain, "", NULL, &l);
        assert_int_equal(l.n, 0);
    }
}

struct seen {
    unsigned n, enough;
    int result;
};

static int count(void *ctx, const char *key, const struct obj_info *info,
                 struct err *e)
{
    struct seen *seen = ctx;

    (void)key;
    (void)info;
    if (++seen->n < seen->enough)
        return 0;
    return seen->result < 0 ? err_set(e, ERR_BUSY, 0, "enough") : 1;
}

static void callback_may_stop_the_listing_or_fail_it(void **state)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key };
    const struct obj_list_opts o = { .page = 1 };
    struct err e = { 0 };
    struct seen stop = { .enough = 2, .result = 1 };
    struct seen fail = { .enough = 2, .result = -1 };

    (void)state;
    must_put(&plain, "a", "x");
    must_put(&plain, "b", "x");
    must_put(&plain, "c", "x");
    whole_key(&plain, "", key);
    assert_int_equal(obj_list(plain.store, &r, &o, count, &stop, &e), 0);
    assert_int_equal(stop.n, 2);
    assert_int_equal(obj_list(plain.store, &r, &o, count, &fail, &e), -1);
    assert_int_equal(fail.n, 2);
    assert_int_equal(e.kind, ERR_BUSY);
}

static const struct test tests[] = {
    TEST(keys_are_listed_in_byte_order_at_any_page_size, 0),
    TEST(odd_keys_are_kept_and_listed_byte_for_byte, CAP_ANY_KEY),
    TEST_WITHOUT(key_that_the_driver_cannot_say_is_refused, CAP_ANY_KEY),
    TEST(prefix_and_after_choose_a_part_of_the_listing, 0),
    TEST_SLOW(listings_of_every_length_are_complete, 0),
    TEST(callback_may_stop_the_listing_or_fail_it, 0),
    TEST(listing_after_a_put_or_a_removal_shows_it, 0),
};
THEME(theme_listings, "listings");

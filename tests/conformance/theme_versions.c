// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: versions and delete markers.
 */
#include "suite.h"

#define UNKNOWN "11111111-2222-3333-4444-555555555555"

static const struct obj_list_opts all = { .versions = true };

static void each_put_makes_a_version_that_stays_readable(void **state)
{
    static const char *const texts[] = { "1", "two", "" };
    struct obj_info put[3];
    struct obj_info info = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++)
        put[i] = must_put(&versioned, "k", texts[i]);
    for (int i = 0; i < 3; i++) {
        assert_true(put[i].version[0] != '\0');
        assert_string_not_equal(put[i].version, put[(i + 1) % 3].version);
        assert_holds(&versioned, "k", put[i].version, texts[i]);
        assert_outcome(head(&versioned, "k", put[i].version, &info), OBJ_OK);
        assert_string_equal(info.version, put[i].version);
        assert_int_equal(info.size, strlen(texts[i]));
    }
    assert_holds(&versioned, "k", NULL, texts[2]);
    assert_outcome(head(&versioned, "k", NULL, &info), OBJ_OK);
    assert_string_equal(info.version, put[2].version);
}

static void check_row(const struct row *row, const char *name,
                      const char *version, bool latest)
{
    assert_string_equal(row->name, name);
    assert_int_equal(row->info.delete_marker, version == NULL);
    assert_int_equal(row->info.latest, latest);
    assert_true(row->info.version[0] != '\0');
    if (version != NULL)
        assert_string_equal(row->info.version, version);
}

static void versions_are_listed_newest_first_over_pages(void **state)
{
    AUTO_LISTING struct listing l = { 0 };
    struct obj_list_opts o = all;

    (void)state;
    struct obj_info a1 = must_put(&versioned, "v/a", "1");
    struct obj_info a2 = must_put(&versioned, "v/a", "2");
    assert_outcome(removed(&versioned, "v/a", NULL, false), OBJ_OK);
    struct obj_info b = must_put(&versioned, "v/b+ c", "3");
    struct obj_info d = must_put(&versioned, "v/d", "4");
    must_put(&versioned, "w", "outside");
    for (unsigned page = 1; page <= 6; page++) {
        o.page = page;
        list(&versioned, "v/", &o, &l);
        assert_int_equal(l.n, 5);
        check_row(&l.rows[0], "v/a", NULL, true);
        check_row(&l.rows[1], "v/a", a2.version, false);
        check_row(&l.rows[2], "v/a", a1.version, false);
        check_row(&l.rows[3], "v/b+ c", b.version, true);
        check_row(&l.rows[4], "v/d", d.version, true);
        assert_int_equal(l.rows[1].info.size, 1);
    }
    o = all;
    o.after = "v/a";
    list(&versioned, "v/", &o, &l);
    assert_int_equal(l.n, 2);
    o.after = "v/b+ c";
    list(&versioned, "v/", &o, &l);
    assert_int_equal(l.n, 1);
    check_row(&l.rows[0], "v/d", d.version, true);
    /* A plain listing shows what is not hidden, once. */
    list(&versioned, "v/", NULL, &l);
    assert_int_equal(l.n, 2);
}

static void marker_hides_the_object_but_not_its_versions(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);
    AUTO_LISTING struct listing l = { 0 };

    (void)state;
    struct obj_info put = must_put(&versioned, "k", "still there");
    assert_outcome(removed(&versioned, "k", NULL, false), OBJ_OK);
    assert_outcome(get(&versioned, "k", NULL, NULL, &out, NULL), OBJ_ABSENT);
    assert_outcome(head(&versioned, "k", NULL, NULL), OBJ_ABSENT);
    assert_holds(&versioned, "k", put.version, "still there");
    list(&versioned, "k", NULL, &l);
    assert_int_equal(l.n, 0);
    /* Once more leaves one thing to remove, not more. */
    assert_outcome(removed(&versioned, "k", NULL, false), OBJ_OK);
    list(&versioned, "k", &all, &l);
    assert_true(l.n == 2 || l.n == 3);
    assert_true(l.rows[0].info.delete_marker);
}

static void removing_the_marker_brings_the_object_back(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);
    AUTO_LISTING struct listing l = { 0 };
    struct obj_info info;

    (void)state;
    must_put(&versioned, "k", "still there");
    assert_outcome(removed(&versioned, "k", NULL, false), OBJ_OK);
    list(&versioned, "k", &all, &l);
    assert_int_equal(l.n, 2);
    assert_true(l.rows[0].info.delete_marker);
    /* The marker can be named, but there is nothing to read. */
    const char *marker = l.rows[0].info.version;
    assert_outcome(get(&versioned, "k", marker, NULL, &out, NULL), OBJ_ABSENT);
    assert_outcome(head(&versioned, "k", marker, &info), OBJ_ABSENT);
    assert_outcome(removed(&versioned, "k", marker, false), OBJ_OK);
    assert_holds(&versioned, "k", NULL, "still there");
}

static void removed_version_is_gone_for_good(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);
    AUTO_LISTING struct listing l = { 0 };

    (void)state;
    struct obj_info one = must_put(&versioned, "k", "1");
    struct obj_info two = must_put(&versioned, "k", "2");
    assert_outcome(removed(&versioned, "k", two.version, false), OBJ_OK);
    assert_outcome(get(&versioned, "k", two.version, NULL, &out, NULL),
                   OBJ_ABSENT);
    assert_holds(&versioned, "k", NULL, "1");
    assert_outcome(removed(&versioned, "k", one.version, false), OBJ_OK);
    assert_outcome(removed(&versioned, "k", one.version, false), OBJ_OK);
    assert_outcome(get(&versioned, "k", NULL, NULL, &out, NULL), OBJ_ABSENT);
    list(&versioned, "k", &all, &l);
    assert_int_equal(l.n, 0);
}

static void unknown_version_is_absent(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);

    (void)state;
    must_put(&versioned, "k", "x");
    assert_outcome(get(&versioned, "k", UNKNOWN, NULL, &out, NULL), OBJ_ABSENT);
    assert_outcome(head(&versioned, "k", UNKNOWN, NULL), OBJ_ABSENT);
    assert_outcome(removed(&versioned, "k", UNKNOWN, false), OBJ_OK);
    assert_holds(&versioned, "k", NULL, "x");
}

static void driver_without_versions_refuses_them(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);
    struct obj_name names[] = { { .key = "k", .version = UNKNOWN },
                                { .key = "free" } };
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key };
    struct obj_page page = { 0 };
    struct obj_attempt a = { 0 };

    (void)state;
    must_put(&plain, "k", "x");
    assert_outcome(get(&plain, "k", UNKNOWN, NULL, &out, NULL), OBJ_UNABLE);
    assert_outcome(head(&plain, "k", UNKNOWN, NULL), OBJ_UNABLE);
    assert_outcome(removed(&plain, "k", UNKNOWN, false), OBJ_UNABLE);
    if ((spec->caps & CAP_MANY) != 0) {
        assert_outcome(removed_many(&plain, names, 2, false), OBJ_OK);
        assert_int_equal(names[0].result, ERR_UNSUPPORTED);
        assert_int_equal(names[1].result, ERR_NONE);
    }
    whole_key(&plain, "", key);
    plain.store->driver->list(plain.store->self, &r, &all, &page, &a);
    assert_outcome(a, OBJ_UNABLE);
    assert_holds(&plain, "k", NULL, "x");
}

static const struct test tests[] = {
    TEST(each_put_makes_a_version_that_stays_readable, CAP_VERSIONS),
    TEST(versions_are_listed_newest_first_over_pages, CAP_VERSIONS),
    TEST(marker_hides_the_object_but_not_its_versions, CAP_VERSIONS),
    TEST(removing_the_marker_brings_the_object_back, CAP_VERSIONS),
    TEST(removed_version_is_gone_for_good, CAP_VERSIONS),
    TEST(unknown_version_is_absent, CAP_VERSIONS),
    TEST_WITHOUT(driver_without_versions_refuses_them, CAP_VERSIONS),
};
THEME(theme_versions, "versions");

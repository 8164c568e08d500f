// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: removing objects, one and many.
 */
#include "suite.h"

static void what_is_removed_is_absent(void **state)
{
    (void)state;
    assert_outcome(removed(&plain, "a/b", NULL, false), OBJ_OK);
    must_put(&plain, "a/b", "x");
    must_put(&plain, "a/c", "y");
    assert_outcome(removed(&plain, "a/b", NULL, false), OBJ_OK);
    assert_outcome(head(&plain, "a/b", NULL, NULL), OBJ_ABSENT);
    assert_outcome(removed(&plain, "a/b", NULL, false), OBJ_OK);
    assert_holds(&plain, "a/c", NULL, "y");
    must_put(&plain, "a/b", "again");
    assert_holds(&plain, "a/b", NULL, "again");
}

static void removing_a_part_of_a_key_removes_nothing(void **state)
{
    (void)state;
    must_put(&plain, "a/b", "x");
    assert_outcome(removed(&plain, "a", NULL, false), OBJ_OK);
    assert_outcome(removed(&plain, "a/b/c", NULL, false), OBJ_OK);
    assert_holds(&plain, "a/b", NULL, "x");
}

static void many_are_removed_at_once(void **state)
{
    AUTO_LISTING struct listing l = { 0 };
    struct obj_name names[] = { { .key = "many/a" },
                                { .key = "many/missing" },
                                { .key = "many/c" },
                                { .key = "many/c" } };

    (void)state;
    must_put(&plain, "many/a", "x");
    must_put(&plain, "many/c", "x");
    must_put(&plain, "many/d", "x");
    for (size_t i = 0; i < 4; i++)
        names[i].result = ERR_FAILED;
    assert_outcome(removed_many(&plain, names, 4, false), OBJ_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(names[i].result, ERR_NONE);
    list(&plain, "many/", NULL, &l);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.rows[0].name, "many/d");
}

static void odd_names_are_removed_among_many(void **state)
{
    AUTO_LISTING struct listing l = { 0 };
    struct obj_name names[] = { { .key = "a & b" },
                                { .key = "<c>\"'" },
                                { .key = "caf\xc3\xa9" } };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        must_put(&plain, names[i].key, "x");
    assert_outcome(removed_many(&plain, names, 3, false), OBJ_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(names[i].result, ERR_NONE);
    list(&plain, "", NULL, &l);
    assert_int_equal(l.n, 0);
}

/* One request holds a thousand; the store cuts longer lists. */
static void thousands_are_removed(void **state)
{
    const size_t n = 2001;
    AUTO_MEM struct obj_name *names = calloc(n, sizeof *names);
    AUTO_MEM char *keys = calloc(n, OBJ_KEY_MAX + 1);
    struct obj_req r = { .key = "" };
    struct err e = { 0 };

    (void)state;
    assert_true(names != NULL && keys != NULL);
    must_put(&plain, "0000", "x");
    must_put(&plain, "1000", "x");
    must_put(&plain, "2000", "x");
    must_put(&plain, "2001", "kept");
    for (size_t i = 0; i < n; i++) {
        char *key = keys + i * (OBJ_KEY_MAX + 1);
        char name[8];
        snprintf(name, sizeof name, "%04u", (unsigned)i);
        whole_key(&plain, name, key);
        names[i] = (struct obj_name){ .key = key, .result = ERR_FAILED };
    }
    if (obj_delete_many(plain.store, &r, names, n, false, &e) < 0)
        fail_msg("%s", e.msg);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(names[i].result, ERR_NONE);
    assert_outcome(head(&plain, "0000", NULL, NULL), OBJ_ABSENT);
    assert_outcome(head(&plain, "1000", NULL, NULL), OBJ_ABSENT);
    assert_outcome(head(&plain, "2000", NULL, NULL), OBJ_ABSENT);
    assert_holds(&plain, "2001", NULL, "kept");
}

static const struct test tests[] = {
    TEST(what_is_removed_is_absent, 0),
    TEST(removing_a_part_of_a_key_removes_nothing, 0),
    TEST(many_are_removed_at_once, CAP_MANY),
    TEST(odd_names_are_removed_among_many, CAP_ANY_KEY | CAP_MANY),
    TEST(thousands_are_removed, CAP_MANY),
};
THEME(theme_deletes, "deletes");

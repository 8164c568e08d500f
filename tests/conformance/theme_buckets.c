// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: buckets that are there, and one that is not.
 */
#include "suite.h"

static struct obj_attempt create(const struct place *p, bool object_lock)
{
    struct obj_req r = { .key = "" };
    struct obj_attempt a = { 0 };

    p->store->driver->bucket_create(p->store->self, &r, object_lock, &a);
    return a;
}

/* A name that no other test and no other run has. */
static struct place open_missing(const char *what)
{
    char name[sizeof plain.bucket];

    snprintf(name, sizeof name, "%.40s-%s", plain.bucket, what);
    return place_open(name, NULL);
}

static void missing_bucket_is_told_apart_from_a_missing_key(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);
    struct obj_name name = { .key = "k" };
    struct obj_req r = { .key = "" };
    struct obj_list_opts o = { 0 };
    struct obj_page page = { 0 };
    struct obj_attempt a = { 0 };
    struct obj_bucket b;

    (void)state;
    struct place p = open_missing("missing");
    assert_outcome(put_as(&p, "k", span_str("x"), NULL, NULL), OBJ_NO_BUCKET);
    assert_outcome(get(&p, "k", NULL, NULL, &out, NULL), OBJ_NO_BUCKET);
    p.store->driver->list(p.store->self, &r, &o, &page, &a);
    assert_outcome(a, OBJ_NO_BUCKET);
    assert_int_equal(page.n, 0);
    assert_outcome(bucket_info(&p, &b), OBJ_NO_BUCKET);
    if ((spec->caps & CAP_MANY) != 0)
        assert_outcome(removed_many(&p, &name, 1, false), OBJ_NO_BUCKET);
    place_close(&p);
}

static void bucket_is_made_once_and_again(void **state)
{
    struct obj_bucket b = { .object_lock = true };

    (void)state;
    struct place p = open_missing("new");
    assert_outcome(create(&p, false), OBJ_OK);
    must_put(&p, "k", "x");
    assert_outcome(create(&p, false), OBJ_OK);
    assert_holds(&p, "k", NULL, "x");
    assert_outcome(bucket_info(&p, &b), OBJ_OK);
    assert_int_equal(b.versioning, OBJ_VERSIONS_NEVER);
    assert_false(b.object_lock);
    assert_int_equal(b.default_mode, OBJ_LOCK_NONE);
    assert_outcome(removed(&p, "k", NULL, false), OBJ_OK);
    place_close(&p);
}

static void information_tells_versions_and_lock(void **state)
{
    struct obj_bucket b = { 0 };

    (void)state;
    assert_outcome(bucket_info(&versioned, &b), OBJ_OK);
    assert_int_equal(b.versioning, OBJ_VERSIONS_ON);
    assert_true(b.object_lock);
    assert_int_equal(b.default_mode, OBJ_LOCK_NONE);
    assert_outcome(create(&versioned, true), OBJ_OK);
}

static void lock_is_not_added_to_a_bucket_without(void **state)
{
    struct obj_bucket b = { .object_lock = true };

    (void)state;
    assert_outcome(create(&plain, true), OBJ_THERE);
    assert_outcome(bucket_info(&plain, &b), OBJ_OK);
    assert_false(b.object_lock);
}

static void bucket_with_lock_is_refused(void **state)
{
    (void)state;
    struct place p = open_missing("locked");
    assert_outcome(create(&p, true), OBJ_UNABLE);
    place_close(&p);
}

/* "a" names neither "ab/x" nor what lies in another store. */
static void prefix_of_a_store_is_part_of_every_key(void **state)
{
    char prefix[sizeof plain.prefix];
    struct obj_config like = { .prefix = prefix };
    struct obj_req r = { .key = "k" };
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(100);

    (void)state;
    snprintf(prefix, sizeof prefix, "%.200srepo/one", plain.prefix);
    struct place p = place_open(plain.bucket, &like);
    must_put(&plain, "repo/oneself", "of another");
    assert_int_equal(obj_put(p.store, &r, span_str("x"), NULL, NULL, &e), 0);
    assert_holds(&plain, "repo/one/k", NULL, "x");
    assert_int_equal(obj_get(p.store, &r, NULL, &out, NULL, &e), 0);
    assert_string_equal(buf_cstr(&out), "x");
    assert_int_equal(obj_delete(p.store, &r, false, &e), 0);
    assert_outcome(head(&plain, "repo/one/k", NULL, NULL), OBJ_ABSENT);
    assert_holds(&plain, "repo/oneself", NULL, "of another");
    place_close(&p);
}

static const struct test tests[] = {
    TEST(missing_bucket_is_told_apart_from_a_missing_key, 0),
    TEST(bucket_is_made_once_and_again, 0),
    TEST(information_tells_versions_and_lock, CAP_LOCK),
    TEST(lock_is_not_added_to_a_bucket_without, CAP_LOCK),
    TEST_WITHOUT(bucket_with_lock_is_refused, CAP_LOCK),
    TEST(prefix_of_a_store_is_part_of_every_key, 0),
};
THEME(theme_buckets, "buckets");

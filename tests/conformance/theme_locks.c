// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: retention and legal hold, from the put to the removal.
 */
#include "suite.h"

static struct obj_lock until(enum obj_lock_mode mode, int64_t seconds)
{
    return (struct obj_lock){ .mode = mode,
                              .until = server_now(&versioned) + seconds };
}

static struct obj_info put_locked(const char *name, struct obj_lock lock)
{
    const struct obj_put_opts o = { .lock = lock };
    struct obj_info info = { 0 };

    assert_outcome(put_as(&versioned, name, span_str("locked"), &o, &info),
                   OBJ_OK);
    assert_true(info.version[0] != '\0');
    return info;
}

/* Both modes, in one wait. */
static void locked_version_is_removed_only_after_its_date(void **state)
{
    (void)state;
    struct obj_info c = put_locked("c", until(OBJ_LOCK_COMPLIANCE, 2));
    struct obj_info g = put_locked("g", until(OBJ_LOCK_GOVERNANCE, 2));
    assert_outcome(removed(&versioned, "c", c.version, false), OBJ_WORM);
    assert_outcome(removed(&versioned, "c", c.version, true), OBJ_WORM);
    assert_outcome(removed(&versioned, "g", g.version, false), OBJ_WORM);
    assert_holds(&versioned, "c", c.version, "locked");
    spec->pass(3);
    assert_outcome(removed(&versioned, "c", c.version, false), OBJ_OK);
    assert_outcome(removed(&versioned, "g", g.version, false), OBJ_OK);
    assert_outcome(head(&versioned, "c", c.version, NULL), OBJ_ABSENT);
}

/* What the engine gets to see: the kind of the error. */
static void store_says_locked(void **state)
{
    char key[OBJ_KEY_MAX + 1];
    struct err e = { 0 };

    (void)state;
    struct obj_lock lock = until(OBJ_LOCK_COMPLIANCE, 10);
    struct obj_info put = put_locked("k", lock);
    whole_key(&versioned, "k", key);
    struct obj_req r = { .key = key, .version = put.version };
    assert_int_equal(obj_delete(versioned.store, &r, false, &e), -1);
    assert_int_equal(e.kind, ERR_LOCKED);
    struct obj_lock shorter = lock;
    shorter.until--;
    assert_int_equal(obj_set_lock(versioned.store, &r, &shorter, true, &e), -1);
    assert_int_equal(e.kind, ERR_LOCKED);
}

static void lock_is_reported_by_head_get_and_itself(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);
    struct obj_info info = { 0 };
    struct obj_lock got = { 0 };

    (void)state;
    struct obj_lock lock = until(OBJ_LOCK_GOVERNANCE, 4);
    lock.legal_hold = true;
    struct obj_info put = put_locked("k", lock);
    assert_outcome(head(&versioned, "k", put.version, &info), OBJ_OK);
    assert_int_equal(info.lock.mode, lock.mode);
    assert_int_equal(info.lock.until, lock.until);
    assert_true(info.lock.legal_hold);
    assert_outcome(get(&versioned, "k", put.version, NULL, &out, &info),
                   OBJ_OK);
    assert_int_equal(info.lock.mode, lock.mode);
    assert_int_equal(info.lock.until, lock.until);
    assert_outcome(get_lock(&versioned, "k", put.version, &got), OBJ_OK);
    assert_int_equal(got.mode, lock.mode);
    assert_int_equal(got.until, lock.until);
    assert_true(got.legal_hold);
    /* Without a version it is the newest one's. */
    assert_outcome(get_lock(&versioned, "k", NULL, &got), OBJ_OK);
    assert_int_equal(got.mode, lock.mode);
    lock = (struct obj_lock){ .legal_hold = false };
    assert_outcome(set_lock(&versioned, "k", put.version, lock, false), OBJ_OK);
}

static void lock_of_an_unlocked_object_is_none(void **state)
{
    struct obj_lock got = { .mode = OBJ_LOCK_COMPLIANCE };

    (void)state;
    struct obj_info put = must_put(&versioned, "k", "x");
    assert_outcome(get_lock(&versioned, "k", put.version, &got), OBJ_OK);
    assert_int_equal(got.mode, OBJ_LOCK_NONE);
    assert_int_equal(got.until, 0);
    assert_false(got.legal_hold);
    assert_outcome(get_lock(&versioned, "not-there", NULL, &got), OBJ_ABSENT);
}

/* Also where the driver knows of no locks at all. */
static void lock_in_a_bucket_without_locks_is_none(void **state)
{
    struct obj_lock got = { .mode = OBJ_LOCK_COMPLIANCE };

    (void)state;
    must_put(&plain, "k", "x");
    assert_outcome(get_lock(&plain, "k", NULL, &got), OBJ_OK);
    assert_int_equal(got.mode, OBJ_LOCK_NONE);
    assert_int_equal(got.until, 0);
    assert_false(got.legal_hold);
}

static void lock_on_a_bucket_without_locks_is_refused(void **state)
{
    const struct obj_lock lock = { OBJ_LOCK_COMPLIANCE, server_now(&plain) + 60,
                                   false };
    const struct obj_put_opts locked = { .lock = lock };
    const struct obj_put_opts held = { .lock = { .legal_hold = true } };

    (void)state;
    assert_outcome(put_as(&plain, "k", span_str("x"), &locked, NULL),
                   OBJ_UNABLE);
    assert_outcome(put_as(&plain, "k", span_str("x"), &held, NULL), OBJ_UNABLE);
    assert_outcome(head(&plain, "k", NULL, NULL), OBJ_ABSENT);
    must_put(&plain, "k", "x");
    assert_outcome(set_lock(&plain, "k", NULL, lock, false), OBJ_UNABLE);
}

static void date_in_the_past_is_refused(void **state)
{
    const struct obj_put_opts o = { .lock = until(OBJ_LOCK_COMPLIANCE, -60) };

    (void)state;
    assert_outcome(put_as(&versioned, "k", span_str("x"), &o, NULL),
                   OBJ_REJECTED);
    assert_outcome(head(&versioned, "k", NULL, NULL), OBJ_ABSENT);
}

static void legal_hold_forbids_removal_until_lifted(void **state)
{
    const struct obj_lock hold = { .legal_hold = true };
    const struct obj_lock none = { 0 };
    struct obj_lock got = { 0 };

    (void)state;
    struct obj_info put = put_locked("k", hold);
    assert_outcome(get_lock(&versioned, "k", put.version, &got), OBJ_OK);
    assert_true(got.legal_hold);
    assert_int_equal(got.mode, OBJ_LOCK_NONE);
    assert_outcome(removed(&versioned, "k", put.version, false), OBJ_WORM);
    assert_outcome(removed(&versioned, "k", put.version, true), OBJ_WORM);
    assert_outcome(set_lock(&versioned, "k", put.version, none, false), OBJ_OK);
    assert_outcome(get_lock(&versioned, "k", put.version, &got), OBJ_OK);
    assert_false(got.legal_hold);
    /* Laid on afterwards it counts as well. */
    assert_outcome(set_lock(&versioned, "k", put.version, hold, false), OBJ_OK);
    assert_outcome(removed(&versioned, "k", put.version, false), OBJ_WORM);
    assert_outcome(set_lock(&versioned, "k", put.version, none, false), OBJ_OK);
    assert_outcome(removed(&versioned, "k", put.version, false), OBJ_OK);
}

static void marker_is_laid_over_a_locked_version_and_removed(void **state)
{
    AUTO_LISTING struct listing l = { 0 };
    const struct obj_list_opts all = { .versions = true };

    (void)state;
    struct obj_info put = put_locked("k", until(OBJ_LOCK_COMPLIANCE, 2));
    assert_outcome(removed(&versioned, "k", NULL, false), OBJ_OK);
    assert_holds(&versioned, "k", put.version, "locked");
    list(&versioned, "k", &all, &l);
    assert_int_equal(l.n, 2);
    assert_outcome(removed(&versioned, "k", l.rows[0].info.version, false),
                   OBJ_OK);
    assert_holds(&versioned, "k", NULL, "locked");
}

static void overwriting_leaves_the_locked_version(void **state)
{
    struct obj_lock got = { .mode = OBJ_LOCK_COMPLIANCE };

    (void)state;
    struct obj_info old = put_locked("k", until(OBJ_LOCK_COMPLIANCE, 2));
    struct obj_info new = must_put(&versioned, "k", "new");
    assert_holds(&versioned, "k", old.version, "locked");
    assert_holds(&versioned, "k", NULL, "new");
    assert_outcome(get_lock(&versioned, "k", new.version, &got), OBJ_OK);
    assert_int_equal(got.mode, OBJ_LOCK_NONE);
    assert_outcome(removed(&versioned, "k", new.version, false), OBJ_OK);
    assert_outcome(removed(&versioned, "k", old.version, false), OBJ_WORM);
}

static const struct test tests[] = {
    TEST(locked_version_is_removed_only_after_its_date, CAP_LOCK),
    TEST(store_says_locked, CAP_LOCK),
    TEST(lock_is_reported_by_head_get_and_itself, CAP_LOCK),
    TEST(lock_of_an_unlocked_object_is_none, CAP_LOCK),
    TEST(lock_in_a_bucket_without_locks_is_none, CAP_GET_LOCK),
    TEST(lock_on_a_bucket_without_locks_is_refused, 0),
    TEST(date_in_the_past_is_refused, CAP_LOCK),
    TEST(legal_hold_forbids_removal_until_lifted, CAP_LOCK),
    TEST(marker_is_laid_over_a_locked_version_and_removed, CAP_LOCK),
    TEST(overwriting_leaves_the_locked_version, CAP_LOCK),
};
THEME(theme_locks, "locks");

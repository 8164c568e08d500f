// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: what may be done to a lock, and removals among locks.
 */
#include "suite.h"

static struct obj_info put_locked(const char *name, enum obj_lock_mode mode,
                                  int64_t until, bool hold)
{
    const struct obj_put_opts o = { .lock = { mode, until, hold } };
    struct obj_info info = { 0 };

    assert_outcome(put_as(&versioned, name, span_str("locked"), &o, &info),
                   OBJ_OK);
    return info;
}

static enum obj_outcome change(const char *version, enum obj_lock_mode mode,
                               int64_t until, bool bypass)
{
    const struct obj_lock lock = { mode, until, false };
    struct obj_attempt a = set_lock(&versioned, "k", version, lock, bypass);

    assert_int_equal(a.verb, OBJ_RETENTION);
    return a.outcome;
}

static void assert_lock(const char *version, enum obj_lock_mode mode,
                        int64_t until)
{
    struct obj_lock got = { 0 };

    assert_outcome(get_lock(&versioned, "k", version, &got), OBJ_OK);
    assert_int_equal(got.mode, mode);
    assert_int_equal(got.until, until);
}

static void compliance_is_extended_but_never_shortened(void **state)
{
    (void)state;
    int64_t t = server_now(&versioned) + 4;
    struct obj_info k = put_locked("k", OBJ_LOCK_COMPLIANCE, t, false);
    assert_int_equal(change(k.version, OBJ_LOCK_COMPLIANCE, t, false), OBJ_OK);
    assert_int_equal(change(k.version, OBJ_LOCK_COMPLIANCE, t + 2, false),
                     OBJ_OK);
    assert_lock(k.version, OBJ_LOCK_COMPLIANCE, t + 2);
    assert_int_equal(change(k.version, OBJ_LOCK_COMPLIANCE, t + 1, false),
                     OBJ_WORM);
    assert_int_equal(change(k.version, OBJ_LOCK_COMPLIANCE, t + 1, true),
                     OBJ_WORM);
    assert_lock(k.version, OBJ_LOCK_COMPLIANCE, t + 2);
}

static void compliance_never_becomes_governance(void **state)
{
    (void)state;
    int64_t t = server_now(&versioned) + 4;
    struct obj_info k = put_locked("k", OBJ_LOCK_COMPLIANCE, t, false);
    assert_int_equal(change(k.version, OBJ_LOCK_GOVERNANCE, t + 60, false),
                     OBJ_WORM);
    assert_int_equal(change(k.version, OBJ_LOCK_GOVERNANCE, t + 60, true),
                     OBJ_WORM);
    assert_lock(k.version, OBJ_LOCK_COMPLIANCE, t);
}

static void governance_gives_way_to_a_bypass(void **state)
{
    (void)state;
    int64_t t = server_now(&versioned) + 600;
    struct obj_info k = put_locked("k", OBJ_LOCK_GOVERNANCE, t, false);
    assert_outcome(removed(&versioned, "k", k.version, false), OBJ_WORM);
    assert_int_equal(change(k.version, OBJ_LOCK_GOVERNANCE, t + 60, false),
                     OBJ_OK);
    assert_int_equal(change(k.version, OBJ_LOCK_GOVERNANCE, t, false),
                     OBJ_WORM);
    assert_lock(k.version, OBJ_LOCK_GOVERNANCE, t + 60);
    assert_int_equal(change(k.version, OBJ_LOCK_GOVERNANCE, t, true), OBJ_OK);
    assert_lock(k.version, OBJ_LOCK_GOVERNANCE, t);
    assert_outcome(removed(&versioned, "k", k.version, true), OBJ_OK);
}

static void governance_becomes_compliance_with_a_bypass(void **state)
{
    (void)state;
    int64_t t = server_now(&versioned) + 4;
    struct obj_info k = put_locked("k", OBJ_LOCK_GOVERNANCE, t, false);
    assert_int_equal(change(k.version, OBJ_LOCK_COMPLIANCE, t, true), OBJ_OK);
    assert_lock(k.version, OBJ_LOCK_COMPLIANCE, t);
    assert_outcome(removed(&versioned, "k", k.version, true), OBJ_WORM);
}

static void unlocked_version_is_locked_afterwards(void **state)
{
    (void)state;
    int64_t t = server_now(&versioned) + 4;
    struct obj_info old = must_put(&versioned, "k", "old");
    struct obj_info new = must_put(&versioned, "k", "new");
    assert_int_equal(change(old.version, OBJ_LOCK_COMPLIANCE, t, false),
                     OBJ_OK);
    assert_lock(old.version, OBJ_LOCK_COMPLIANCE, t);
    assert_lock(new.version, OBJ_LOCK_NONE, 0);
    assert_outcome(removed(&versioned, "k", old.version, true), OBJ_WORM);
    assert_outcome(removed(&versioned, "k", new.version, false), OBJ_OK);
}

static void change_to_a_date_in_the_past_is_refused(void **state)
{
    (void)state;
    int64_t now = server_now(&versioned);
    struct obj_info k = must_put(&versioned, "k", "x");
    assert_int_equal(change(k.version, OBJ_LOCK_COMPLIANCE, now - 60, false),
                     OBJ_REJECTED);
    assert_lock(k.version, OBJ_LOCK_NONE, 0);
}

static void hold_and_retention_change_apart(void **state)
{
    const struct obj_lock hold = { .legal_hold = true };
    const struct obj_lock none = { 0 };
    struct obj_lock got = { 0 };

    (void)state;
    int64_t t = server_now(&versioned) + 4;
    struct obj_info k = put_locked("k", OBJ_LOCK_COMPLIANCE, t, false);
    assert_outcome(set_lock(&versioned, "k", k.version, hold, false), OBJ_OK);
    assert_int_equal(change(k.version, OBJ_LOCK_COMPLIANCE, t + 1, false),
                     OBJ_OK);
    assert_outcome(get_lock(&versioned, "k", k.version, &got), OBJ_OK);
    assert_true(got.legal_hold);
    assert_int_equal(got.until, t + 1);
    assert_outcome(set_lock(&versioned, "k", k.version, none, false), OBJ_OK);
    assert_lock(k.version, OBJ_LOCK_COMPLIANCE, t + 1);
}

static void each_name_of_many_has_its_own_result(void **state)
{
    (void)state;
    int64_t now = server_now(&versioned);
    struct obj_info locked =
        put_locked("locked", OBJ_LOCK_COMPLIANCE, now + 4, false);
    struct obj_info governed =
        put_locked("governed", OBJ_LOCK_GOVERNANCE, now + 60, false);
    struct obj_info held = put_locked("held", OBJ_LOCK_NONE, 0, true);
    struct obj_info one = must_put(&versioned, "free", "1");
    struct obj_info two = must_put(&versioned, "free", "2");
    struct obj_name names[] = {
        { .key = "locked", .version = locked.version },
        { .key = "free", .version = two.version },
        { .key = "held", .version = held.version },
        { .key = "governed", .version = governed.version },
        { .key = "free", .version = one.version },
        { .key = "gone", .version = "11111111-2222-3333-4444-555555555555" },
        { .key = "locked" }, /* a marker */
    };
    static const enum err_kind expected[] = { ERR_LOCKED, ERR_NONE, ERR_LOCKED,
                                              ERR_LOCKED, ERR_NONE, ERR_NONE,
                                              ERR_NONE };
    const struct obj_lock none = { 0 };

    assert_outcome(removed_many(&versioned, names, 7, false), OBJ_OK);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(names[i].result, expected[i]);
    assert_holds(&versioned, "locked", locked.version, "locked");
    assert_outcome(head(&versioned, "locked", NULL, NULL), OBJ_ABSENT);
    assert_outcome(head(&versioned, "free", two.version, NULL), OBJ_ABSENT);

    names[0] = names[3];
    assert_outcome(removed_many(&versioned, names, 1, true), OBJ_OK);
    assert_int_equal(names[0].result, ERR_NONE);
    assert_outcome(set_lock(&versioned, "held", held.version, none, false),
                   OBJ_OK);
}

static const struct test tests[] = {
    TEST(compliance_is_extended_but_never_shortened, CAP_LOCK),
    TEST(compliance_never_becomes_governance, CAP_LOCK),
    TEST(governance_gives_way_to_a_bypass, CAP_LOCK),
    TEST(governance_becomes_compliance_with_a_bypass, CAP_LOCK),
    TEST(unlocked_version_is_locked_afterwards, CAP_LOCK),
    TEST(change_to_a_date_in_the_past_is_refused, CAP_LOCK),
    TEST(hold_and_retention_change_apart, CAP_LOCK),
    TEST(each_name_of_many_has_its_own_result, CAP_LOCK),
};
THEME(theme_lock_changes, "lock changes");

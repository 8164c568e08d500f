// SPDX-License-Identifier: Apache-2.0
//
// The S3 driver's retention and legal hold on a real server; skipped where the
// environment names none.  Locks here last a few seconds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <unistd.h>

#include "s3_real.h"

#define D obj_s3_driver

static enum obj_outcome remove_version(const char *key, const char *version,
                                       bool bypass)
{
    struct obj_req r = real_version(key, version);
    struct obj_attempt a = { 0 };

    D.remove(real.versions, &r, bypass, &a);
    return a.outcome;
}

static struct obj_lock lock_of(const char *key, const char *version)
{
    struct obj_req r = real_version(key, version);
    struct obj_attempt a = { 0 };
    struct obj_lock lock;

    D.get_lock(real.versions, &r, &lock, &a);
    assert_outcome(&a, OBJ_OK);
    return lock;
}

static enum obj_outcome set_lock(const char *key, const char *version,
                                 enum obj_lock_mode mode, int64_t until,
                                 bool hold, bool bypass)
{
    struct obj_req r = real_version(key, version);
    const struct obj_lock lock = { mode, until, hold };
    struct obj_attempt a = { 0 };

    D.set_lock(real.versions, &r, &lock, bypass, &a);
    assert_int_equal(a.verb, OBJ_RETENTION);
    return a.outcome;
}

static void locked_version_is_deleted_only_after_its_date(void **state)
{
    (void)state;
    struct obj_info put =
        real_put_locked(real.versions, "expiry", OBJ_LOCK_COMPLIANCE, 3, false);
    assert_int_equal(remove_version("expiry", put.version, false), OBJ_WORM);
    assert_int_equal(remove_version("expiry", put.version, true), OBJ_WORM);
    sleep(4);
    assert_int_equal(remove_version("expiry", put.version, false), OBJ_OK);
}

static void lock_is_reported_by_head_and_get(void **state)
{
    struct obj_attempt a = { 0 };
    struct obj_info info;
    AUTO_BUF struct buf out = buf_init(100);

    (void)state;
    int64_t now = utc_real_now();
    struct obj_info put = real_put_locked(real.versions, "reported",
                                          OBJ_LOCK_GOVERNANCE, 4, true);
    struct obj_req r = real_version("reported", put.version);
    D.head(real.versions, &r, &info, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(info.lock.mode, OBJ_LOCK_GOVERNANCE);
    assert_true(info.lock.until >= now + 4 && info.lock.until <= now + 6);
    assert_true(info.lock.legal_hold);
    D.get(real.versions, &r, NULL, &out, &info, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(info.lock.mode, OBJ_LOCK_GOVERNANCE);
    struct obj_lock lock = lock_of("reported", put.version);
    assert_int_equal(lock.mode, OBJ_LOCK_GOVERNANCE);
    assert_int_equal(lock.until, info.lock.until);
    assert_true(lock.legal_hold);
    assert_int_equal(
        set_lock("reported", put.version, OBJ_LOCK_NONE, 0, false, false),
        OBJ_OK);
    assert_false(lock_of("reported", put.version).legal_hold);
}

static void lock_of_an_unlocked_object_is_none(void **state)
{
    struct obj_attempt a = { 0 };
    struct obj_lock lock;

    (void)state;
    struct obj_info put = real_put(real.versions, "unlocked", "x");
    lock = lock_of("unlocked", put.version);
    assert_int_equal(lock.mode, OBJ_LOCK_NONE);
    assert_int_equal(lock.until, 0);
    assert_false(lock.legal_hold);
    /* A bucket that knows no locks. */
    real_put(real.plain, "unlocked", "x");
    struct obj_req r = real_req("unlocked");
    D.get_lock(real.plain, &r, &lock, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(lock.mode, OBJ_LOCK_NONE);
    r = real_req("not-there");
    D.get_lock(real.versions, &r, &lock, &a);
    assert_outcome(&a, OBJ_ABSENT);
}

static void compliance_is_extended_but_never_shortened(void **state)
{
    (void)state;
    struct obj_info put =
        real_put_locked(real.versions, "extend", OBJ_LOCK_COMPLIANCE, 2, false);
    int64_t until = lock_of("extend", put.version).until;
    assert_int_equal(set_lock("extend", put.version, OBJ_LOCK_COMPLIANCE,
                              until + 2, false, false),
                     OBJ_OK);
    assert_int_equal(lock_of("extend", put.version).until, until + 2);
    assert_int_equal(set_lock("extend", put.version, OBJ_LOCK_COMPLIANCE,
                              until + 1, false, false),
                     OBJ_WORM);
    assert_int_equal(set_lock("extend", put.version, OBJ_LOCK_COMPLIANCE,
                              until + 1, false, true),
                     OBJ_WORM);
    assert_int_equal(set_lock("extend", put.version, OBJ_LOCK_GOVERNANCE,
                              until + 60, false, false),
                     OBJ_WORM);
    assert_int_equal(lock_of("extend", put.version).until, until + 2);
}

static void governance_gives_way_to_a_bypass(void **state)
{
    (void)state;
    struct obj_info put = real_put_locked(real.versions, "bypass",
                                          OBJ_LOCK_GOVERNANCE, 600, false);
    int64_t until = lock_of("bypass", put.version).until;
    assert_int_equal(remove_version("bypass", put.version, false), OBJ_WORM);
    assert_int_equal(set_lock("bypass", put.version, OBJ_LOCK_GOVERNANCE,
                              until - 60, false, false),
                     OBJ_WORM);
    assert_int_equal(set_lock("bypass", put.version, OBJ_LOCK_GOVERNANCE,
                              until - 60, false, true),
                     OBJ_OK);
    assert_int_equal(remove_version("bypass", put.version, true), OBJ_OK);
}

static void legal_hold_forbids_deletion_until_lifted(void **state)
{
    (void)state;
    struct obj_info put =
        real_put_locked(real.versions, "hold", OBJ_LOCK_NONE, 0, true);
    assert_true(lock_of("hold", put.version).legal_hold);
    assert_int_equal(remove_version("hold", put.version, true), OBJ_WORM);
    assert_int_equal(
        set_lock("hold", put.version, OBJ_LOCK_NONE, 0, false, false), OBJ_OK);
    assert_int_equal(remove_version("hold", put.version, false), OBJ_OK);
}

static void delete_marker_needs_no_permission_of_the_lock(void **state)
{
    struct obj_req r = real_req("marked");
    struct obj_attempt a = { 0 };

    (void)state;
    real_put_locked(real.versions, "marked", OBJ_LOCK_COMPLIANCE, 2, false);
    D.remove(real.versions, &r, false, &a);
    assert_outcome(&a, OBJ_OK);
}

static void lock_on_a_bucket_without_locks_is_not_possible(void **state)
{
    const struct obj_put_opts o = {
        .lock = { OBJ_LOCK_COMPLIANCE, utc_real_now() + 60, false },
    };
    struct obj_req r = real_req("k");
    struct obj_attempt a = { 0 };

    (void)state;
    D.put(real.plain, &r, span_str("x"), &o, NULL, &a);
    assert_outcome(&a, OBJ_UNABLE);
}

static void date_in_the_past_is_rejected(void **state)
{
    const struct obj_put_opts o = {
        .lock = { OBJ_LOCK_COMPLIANCE, utc_real_now() - 60, false },
    };
    struct obj_req r = real_req("past");
    struct obj_attempt a = { 0 };

    (void)state;
    D.put(real.versions, &r, span_str("x"), &o, NULL, &a);
    assert_outcome(&a, OBJ_REJECTED);
}

static void bulk_put_carries_its_lock(void **state)
{
    struct obj_config c = real_config(real.versions_name);
    const struct obj_put_opts o = {
        .bulk = true,
        .lock = { OBJ_LOCK_COMPLIANCE, utc_real_now() + 2, false },
    };
    struct obj_req r = real_req("bulk");
    struct obj_attempt a = { 0 };
    struct obj_info info;

    (void)state;
    c.payload = OBJ_PAYLOAD_CRC32C;
    void *self = real_open_config(&c);
    D.put(self, &r, span_str("body"), &o, &info, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(lock_of("bulk", info.version).mode, OBJ_LOCK_COMPLIANCE);
    obj_s3_driver.close(self);
}

static void each_name_of_a_multi_delete_has_its_own_result(void **state)
{
    struct obj_req all = real_req("");
    struct obj_attempt a = { 0 };

    (void)state;
    struct obj_info locked = real_put_locked(real.versions, "mix/locked",
                                             OBJ_LOCK_COMPLIANCE, 3, false);
    struct obj_info governed = real_put_locked(real.versions, "mix/governed",
                                               OBJ_LOCK_GOVERNANCE, 60, false);
    struct obj_info held =
        real_put_locked(real.versions, "mix/held", OBJ_LOCK_NONE, 0, true);
    struct obj_info one = real_put(real.versions, "mix/free", "1");
    struct obj_info two = real_put(real.versions, "mix/free", "2");
    struct obj_name names[] = {
        { .key = "mix/locked", .version = locked.version },
        { .key = "mix/free", .version = two.version },
        { .key = "mix/held", .version = held.version },
        { .key = "mix/governed", .version = governed.version },
        { .key = "mix/free", .version = one.version },
        { .key = "mix/gone",
          .version = "11111111-2222-3333-4444-555555555555" },
        { .key = "mix/locked" },
    };
    D.remove_many(real.versions, &all, names, 7, false, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(names[0].result, ERR_LOCKED);
    assert_int_equal(names[1].result, ERR_NONE);
    assert_int_equal(names[2].result, ERR_LOCKED);
    assert_int_equal(names[3].result, ERR_LOCKED);
    assert_int_equal(names[4].result, ERR_NONE);
    assert_int_equal(names[5].result, ERR_NONE);
    assert_int_equal(names[6].result, ERR_NONE); /* a marker */

    D.remove_many(real.versions, &all, &names[3], 1, true, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(names[3].result, ERR_NONE);
    assert_int_equal(
        set_lock("mix/held", held.version, OBJ_LOCK_NONE, 0, false, false),
        OBJ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locked_version_is_deleted_only_after_its_date),
        cmocka_unit_test(lock_is_reported_by_head_and_get),
        cmocka_unit_test(lock_of_an_unlocked_object_is_none),
        cmocka_unit_test(compliance_is_extended_but_never_shortened),
        cmocka_unit_test(governance_gives_way_to_a_bypass),
        cmocka_unit_test(legal_hold_forbids_deletion_until_lifted),
        cmocka_unit_test(delete_marker_needs_no_permission_of_the_lock),
        cmocka_unit_test(lock_on_a_bucket_without_locks_is_not_possible),
        cmocka_unit_test(date_in_the_past_is_rejected),
        cmocka_unit_test(bulk_put_carries_its_lock),
        cmocka_unit_test(each_name_of_a_multi_delete_has_its_own_result),
    };

    if (!real_wanted())
        return 77;
    return cmocka_run_group_tests(tests, real_setup, real_teardown);
}

// SPDX-License-Identifier: Apache-2.0
/* The policy and the flags of new points, and synthetic fulls. */
#include "tests/unit/engine/backup/vm.h"

#include "base/utc.h"
#include "engine/backup/keeping.h"

/* The engine's clock, for this test's runs. */
static void at(const char *iso)
{
    struct err e = { 0 };

    setenv("OBJVAULT_NOW", iso, 1);
    assert_int_equal(utc_shift_from_env(&e), 0);
}

static int teardown(void **state)
{
    struct err e = { 0 };

    unsetenv("OBJVAULT_NOW");
    return utc_shift_from_env(&e) < 0 ? -1 : fixture_teardown(state);
}

static struct mf_point *latest(struct eng_repo *r)
{
    struct eng_point p;

    must(eng_point_find(r, NULL, "vm@latest", &p, why));
    struct mf_point *m = STEAL(p.manifest);
    eng_point_free(&p);
    return m;
}

static struct eng_keeping keeping_of(const char *gfs)
{
    struct eng_keeping k = { .days = 14, .timezone = "Europe/Berlin" };

    k.gfs = ENG_GFS_NONE;
    if (gfs != NULL)
        must(eng_gfs_parse(gfs, &k.gfs, why));
    return k;
}

/* A run at that time; the flags of its point. */
static unsigned flags_at(struct eng_repo *r, const char *dir, const char *iso,
                         const char *gfs)
{
    struct eng_keeping k = keeping_of(gfs);
    struct eng_backup_opts o = { .keeping = &k };

    at(iso);
    (void)vm_run(r, dir, &o);
    AUTO_MF_POINT struct mf_point *p = latest(r);
    return p->gfs;
}

static void a_point_carries_the_policy_of_its_run(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_keeping k = keeping_of("weekly=4,monthly=12,yearly=3");
    struct eng_backup_opts o = { .keeping = &k };

    (void)vm_run(r, dir, &o);
    AUTO_MF_POINT struct mf_point *p = latest(r);
    assert_true(p->retention.present);
    assert_int_equal(p->retention.days, 14);
    assert_int_equal(p->retention.weekly, 4);
    assert_int_equal(p->retention.monthly, 12);
    assert_int_equal(p->retention.yearly, 3);
    assert_string_equal(p->retention.timezone, "Europe/Berlin");
    assert_int_equal(p->gfs, MF_GFS_WEEKLY | MF_GFS_MONTHLY | MF_GFS_YEARLY);
    free(dir);
    eng_repo_close(r);
}

static void a_run_without_a_policy_makes_a_point_without_one(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");

    (void)vm_run(r, dir, NULL);
    AUTO_MF_POINT struct mf_point *p = latest(r);
    assert_false(p->retention.present);
    assert_int_equal(p->gfs, 0);
    free(dir);
    eng_repo_close(r);
}

/* 4 January 2026 is a Sunday; 23:30 UTC is the next day in Berlin. */
static void flags_depend_on_the_points_before(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    const char *rules = "weekly=4,monthly=12,yearly=3";
    const unsigned all = MF_GFS_WEEKLY | MF_GFS_MONTHLY | MF_GFS_YEARLY;

    assert_int_equal(flags_at(r, dir, "2026-01-03T12:00:00Z", rules), all);
    assert_int_equal(flags_at(r, dir, "2026-01-03T22:59:00Z", rules), 0);
    assert_int_equal(flags_at(r, dir, "2026-01-03T23:30:00Z", rules),
                     MF_GFS_WEEKLY);
    assert_int_equal(flags_at(r, dir, "2026-01-05T12:00:00Z", rules), 0);
    /* a run without GFS in between, and weeks without any */
    assert_int_equal(flags_at(r, dir, "2026-02-01T12:00:00Z", NULL), 0);
    assert_int_equal(flags_at(r, dir, "2026-02-04T12:00:00Z", rules),
                     MF_GFS_WEEKLY | MF_GFS_MONTHLY);
    assert_int_equal(flags_at(r, dir, "2027-01-01T12:00:00Z", rules), all);
    free(dir);
    eng_repo_close(r);
}

/* Of a period the first point has the flag: one manifest tells. */
static void flags_cost_few_requests(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct obj_counters before;
    struct obj_counters after;
    char iso[UTC_ISO_CHARS];

    for (unsigned d = 1; d <= 20; d++) {
        snprintf(iso, sizeof(iso), "2026-01-%02uT12:00:00Z", d);
        (void)flags_at(r, dir, iso, "yearly=3");
    }
    eng_repo_close(r);
    r = fixture_open(*state);
    at("2026-01-21T12:00:00Z");
    obj_store_counters(eng_repo_store(r), &before);
    (void)vm_run(r, dir, NULL);
    obj_store_counters(eng_repo_store(r), &after);
    uint64_t without = after.requests[OBJ_GET] - before.requests[OBJ_GET];
    eng_repo_close(r);
    r = fixture_open(*state);
    struct eng_keeping k = keeping_of("yearly=3");
    struct eng_backup_opts o = { .keeping = &k };
    at("2026-01-22T12:00:00Z");
    obj_store_counters(eng_repo_store(r), &before);
    (void)vm_run(r, dir, &o);
    obj_store_counters(eng_repo_store(r), &after);
    assert_in_range(after.requests[OBJ_GET] - before.requests[OBJ_GET], without,
                    without + 1);
    free(dir);
    eng_repo_close(r);
}

static void a_zone_that_is_not_known_makes_no_point(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_keeping k = keeping_of(NULL);
    struct eng_backup_opts o = { .keeping = &k };
    struct eng_backup_result res;
    struct eng_points ps = { 0 };
    struct err e = { 0 };
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(dir, &e);

    k.timezone = "Europe/Atlantis";
    assert_int_equal(eng_backup_machine(r, m, &o, &res, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    must(eng_points_list(r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 0);
    free(dir);
    eng_repo_close(r);
}

static void a_synthetic_full_is_the_newest_point_once_more(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_keeping k = keeping_of("weekly=4");
    struct eng_backup_opts o = { .synthetic_full = true, .keeping = &k };

    at("2026-01-04T12:00:00Z");
    (void)vm_run(r, dir, NULL);
    vm_poke(dir, 5, "not in any point");
    uint64_t puts = vm_puts_so_far(r);
    struct eng_backup_result res = vm_run(r, dir, &o);
    assert_int_equal(vm_puts_so_far(r) - puts, 1); /* the manifest */
    assert_int_equal(res.kind, MF_FULL);
    assert_int_equal(res.read_bytes, 0);
    assert_string_equal(res.point, "vm@2026-01-04T12:00:01Z");
    AUTO_MF_POINT struct mf_point *p = latest(r);
    assert_null(p->parent);
    assert_true(p->chain == p->time);
    assert_int_equal(p->n_disks, 1);
    assert_int_equal(p->n_files, 1);
    assert_int_equal(p->gfs, MF_GFS_WEEKLY);
    vm_poke(dir, 5, "not in any point");
    (void)vm_run(r, dir, NULL);
    vm_check_restore(r, *state, dir);
    free(dir);
    eng_repo_close(r);
}

static void a_synthetic_full_without_its_pages_is_none(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_backup_opts o = { .synthetic_full = true };
    struct eng_backup_result res;
    struct err e = { 0 };
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(dir, &e);

    assert_int_equal(eng_backup_machine(r, m, &o, &res, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    (void)vm_run(r, dir, NULL);
    vm_shell(*state, "rm -r plain/pages");
    assert_int_equal(eng_backup_machine(r, m, &o, &res, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    free(dir);
    eng_repo_close(r);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_point_carries_the_policy_of_its_run),
        T(a_run_without_a_policy_makes_a_point_without_one),
        T(flags_depend_on_the_points_before),
        T(flags_cost_few_requests),
        T(a_zone_that_is_not_known_makes_no_point),
        T(a_synthetic_full_is_the_newest_point_once_more),
        T(a_synthetic_full_without_its_pages_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

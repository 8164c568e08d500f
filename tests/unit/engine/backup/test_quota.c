// SPDX-License-Identifier: Apache-2.0
/* Quotas: what is counted, and what comes of it. */
#include "tests/unit/engine/backup/vm.h"

#include "engine/repo/internal.h"
#include "engine/repo/quota.h"

#define BLOCK UINT64_C(262144) /* FIXTURE_BLOCK */

static uint64_t counted(struct eng_repo *r)
{
    uint64_t n = 0;

    must(eng_index_bytes(r->index, &n, why));
    return n;
}

static uint64_t stored(struct eng_repo *r)
{
    struct eng_repo_stats s;

    must(eng_repo_stats(r, NULL, &s, why));
    return s.block_bytes + s.page_bytes;
}

/* Opens it as for a run, and says what is counted then. */
static uint64_t counted_anew(struct fixture *f)
{
    struct eng_repo *r = fixture_open(f);

    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    uint64_t n = counted(r);
    eng_repo_close(r);
    return n;
}

static uint64_t lists_so_far(struct eng_repo *r)
{
    struct obj_counters c;

    obj_store_counters(eng_repo_store(r), &c);
    return c.requests[OBJ_LIST];
}

static int try_run(struct fixture *f, const char *dir, uint64_t *puts,
                   struct eng_backup_result *res, struct err *e)
{
    struct eng_repo *r = fixture_open(f);
    struct eng_backup_opts o = { 0 };
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(dir, e);

    assert_non_null(m);
    int made = eng_backup_machine(r, m, &o, res, e);
    *puts = vm_puts_so_far(r);
    eng_repo_close(r);
    return made;
}

static void what_is_stored_is_counted_without_a_listing(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct eng_repo *r = fixture_open(f);

    vm_run(r, dir, NULL);
    assert_true(counted(r) > VM_BLOCKS * BLOCK);
    assert_int_equal(counted(r), stored(r));
    vm_poke(dir, 3 * BLOCK, "changed");
    vm_run(r, dir, NULL);
    assert_int_equal(counted(r), stored(r));
    uint64_t n = stored(r);
    eng_repo_close(r);
    assert_int_equal(counted_anew(f), n); /* it was kept ... */

    char command[128]; /* ... and is found out by a listing else */
    snprintf(command, sizeof command, "rm -rf '%s'", f->state);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    assert_int_equal(counted_anew(f), n);
    free(dir);
}

static void another_hosts_points_are_counted(void **state)
{
    struct fixture *f = *state;
    struct fixture other = *f;
    char *one = vm_make(f, "one");
    char *two = vm_make(f, "two");

    vm_poke(two, 0, "another disk");
    snprintf(other.state, sizeof other.state, "%s/state2", f->dir);
    other.place.state_dir = other.state;
    struct eng_repo *here = fixture_open(f);
    vm_run(here, one, NULL);
    eng_repo_close(here);
    struct eng_repo *there = fixture_open(&other);
    vm_run(there, two, NULL);
    uint64_t n = stored(there);
    eng_repo_close(there);
    assert_int_equal(counted_anew(f), n);
    free(one);
    free(two);
}

static void no_run_begins_once_the_hard_quota_is_reached(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct eng_backup_result res;
    struct err e = { 0 };
    uint64_t puts = 0;

    /* The run that crosses it is not stopped. */
    f->place.quota_hard = 3 * BLOCK;
    must(try_run(f, dir, &puts, &res, why));
    assert_string_equal(res.warning, "");
    for (int round = 0; round < 2; round++) {
        vm_poke(dir, 3 * BLOCK, round == 0 ? "one" : "two");
        assert_int_equal(try_run(f, dir, &puts, &res, &e), -1);
        assert_int_equal(e.kind, ERR_QUOTA);
        assert_int_equal(puts, 0);
        assert_non_null(strstr(e.msg, "holds 2.5 MiB"));
        assert_non_null(strstr(e.msg, "hard quota is 768.0 KiB"));
        assert_non_null(strstr(e.msg, "repo gc test"));
        assert_non_null(strstr(e.msg, "--quota-hard"));
    }
    struct eng_backup_opts synthetic = { .synthetic_full = true };
    struct eng_repo *r = fixture_open(f);
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(dir, &e);
    assert_int_equal(eng_backup_machine(r, m, &synthetic, &res, &e), -1);
    assert_int_equal(e.kind, ERR_QUOTA);
    eng_repo_close(r);
    f->place.quota_hard = 300 * BLOCK;
    must(try_run(f, dir, &puts, &res, why));
    free(dir);
}

static void reading_goes_on_over_the_hard_quota(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct eng_backup_result res;
    uint64_t puts = 0;

    must(try_run(f, dir, &puts, &res, why));
    f->place.quota_hard = 1;
    struct eng_repo *r = fixture_open(f);
    vm_check_restore(r, f, dir);
    eng_repo_close(r);
    free(dir);
}

static void over_the_soft_quota_a_run_warns_and_names_both(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct eng_backup_result res;
    uint64_t puts = 0;

    f->place.quota = 300 * BLOCK;
    must(try_run(f, dir, &puts, &res, why));
    assert_string_equal(res.warning, "");
    f->place.quota = 3 * BLOCK;
    vm_poke(dir, 3 * BLOCK, "changed");
    must(try_run(f, dir, &puts, &res, why));
    assert_non_null(strstr(res.warning, "holds 2.5 MiB"));
    assert_non_null(strstr(res.warning, "soft quota is 768.0 KiB"));
    free(dir);
}

/* What is put over itself counts twice until it is listed. */
static void nobody_is_refused_for_what_was_counted_twice(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct eng_backup_opts all = { .upload = ENG_UPLOAD_ALL };
    struct eng_backup_result res;
    uint64_t puts = 0;
    struct eng_repo *r = fixture_open(f);

    vm_run(r, dir, NULL);
    uint64_t once = counted(r);
    vm_run(r, dir, &all);
    eng_repo_close(r);
    r = fixture_open(f);
    vm_run(r, dir, &all);
    assert_true(counted(r) > once + once / 2);
    eng_repo_close(r);
    f->place.quota_hard = once + once / 2;
    must(try_run(f, dir, &puts, &res, why));
    assert_true(counted_anew(f) < once + once / 2);
    free(dir);
}

static void a_quota_costs_no_request(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    uint64_t lists[2] = { 0 };

    for (int with = 0; with < 2; with++) {
        f->place.quota = with == 0 ? 0 : 300 * BLOCK;
        f->place.quota_hard = f->place.quota;
        for (int round = 0; round < 2; round++) {
            struct eng_repo *r = fixture_open(f);
            vm_run(r, dir, NULL);
            lists[with] = lists_so_far(r);
            eng_repo_close(r);
        }
    }
    assert_int_equal(lists[0], lists[1]);
    free(dir);
}

#define CASE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_stored_is_counted_without_a_listing),
        CASE(another_hosts_points_are_counted),
        CASE(no_run_begins_once_the_hard_quota_is_reached),
        CASE(reading_goes_on_over_the_hard_quota),
        CASE(over_the_soft_quota_a_run_warns_and_names_both),
        CASE(nobody_is_refused_for_what_was_counted_twice),
        CASE(a_quota_costs_no_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

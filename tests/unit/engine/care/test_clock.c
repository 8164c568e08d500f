// SPDX-License-Identifier: Apache-2.0
/* The clock guard: while this machine's clock and the server's differ by more
 * than is allowed nothing is removed and nothing locked, whichever is wrong. */
#include "tests/unit/engine/care/collecting.h"

#define BOUND_S 600

/* Within the quarter of an hour for which servers take signatures, and not. */
static const int64_t skews[] = {
    660, -660, 7200, -7200, 400 * DAY, -400 * DAY
};
#define SKEWS (sizeof skews / sizeof skews[0])

/* What removes or locks, so far. */
static uint64_t changes(struct attacked *a)
{
    return s3server_requests(a->server, "DeleteObject") +
           s3server_requests(a->server, "DeleteObjects") +
           s3server_requests(a->server, "PutObjectRetention");
}

static int on_version(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    size_t *n = ctx;

    (void)info;
    (void)e;
    *n += strncmp(key, "gc/", 3) != 0;
    return 0;
}

/* Versions of all but leases, while the clocks agree. */
static size_t versions(struct attacked *a)
{
    struct eng_repo *r = fixture_open(&a->f);
    struct obj_req req = { .key = "" };
    struct obj_list_opts o = { .versions = true };
    size_t n = 0;

    must(obj_list(eng_repo_store(r), &req, &o, on_version, &n, why));
    eng_repo_close(r);
    return n;
}

typedef int (*work_fn)(struct attacked *a, struct eng_repo *r, struct err *e);

static int gc(struct attacked *a, struct eng_repo *r, struct err *e)
{
    const struct eng_collect_opts o = { 0 };
    struct eng_collect_result res;

    (void)a;
    return eng_collect_run(r, &o, &res, e);
}

static int back_up(struct attacked *a, struct eng_repo *r, struct err *e)
{
    const struct eng_backup_opts o = { .full = true };
    struct eng_backup_result res;
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(a->vm, e);

    assert_non_null(m);
    return eng_backup_machine(r, m, &o, &res, e);
}

static void assert_refused(int r, const struct err *e, int64_t skew)
{
    assert_int_equal(r, -1);
    if (e->kind != ERR_PRECONDITION)
        fail_msg("%lld s: %s", (long long)skew, e->msg);
    assert_non_null(strstr(e->msg, skew > 0 ? "ahead of ours" : "behind ours"));
    assert_non_null(strstr(e->msg, "more than the 600 s allowed"));
    assert_non_null(strstr(e->msg, "set the clock that is wrong"));
}

/* By a program that is started then, and by one that is at work already. */
static void assert_nothing_done(struct attacked *a, work_fn work)
{
    size_t before = versions(a);

    for (size_t i = 0; i < SKEWS; i++) {
        struct err e = { 0 };
        struct eng_repo *r = fixture_open(&a->f);
        uint64_t done = changes(a);

        s3server_set_clock(a->server, skews[i]);
        assert_refused(work(a, r, &e), &e, skews[i]);
        eng_repo_close(r);
        r = eng_repo_open(&a->f.place, NULL, &e);
        assert_refused(r == NULL ? -1 : work(a, r, &e), &e, skews[i]);
        eng_repo_close(r);
        assert_int_equal(changes(a), done);
        s3server_set_clock(a->server, 0);
        assert_int_equal(versions(a), before);
    }
}

static int setup_bound(void **state)
{
    attacked_setup(state);
    ((struct attacked *)*state)->f.place.store.max_clock_skew_s = BOUND_S;
    return 0;
}

static int setup_bound_locked(void **state)
{
    attacked_setup_locked(state);
    ((struct attacked *)*state)->f.place.store.max_clock_skew_s = BOUND_S;
    return 0;
}

static void a_wrong_clock_collects_nothing(void **state)
{
    struct attacked *a = *state;
    struct err e = { 0 };
    struct eng_repo *r = fixture_open(&a->f);

    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    for (int i = 0; i < 6; i++)
        put_old(r, 1767268800 + i * DAY);
    eng_repo_close(r);
    assert_nothing_done(a, gc);

    size_t before = versions(a);
    r = fixture_open(&a->f);
    if (gc(a, r, &e) < 0)
        fail_msg("%s", e.msg);
    eng_repo_close(r);
    assert_int_equal(versions(a), before - 3); /* the newest 3 stay */
}

static void a_wrong_clock_locks_and_stores_nothing(void **state)
{
    struct attacked *a = *state;
    struct err e = { 0 };

    assert_nothing_done(a, back_up);
    /* Leases that could not be ended keep no run of this host waiting. */
    struct eng_repo *r = fixture_open(&a->f);
    if (back_up(a, r, &e) < 0)
        fail_msg("%s", e.msg);
    eng_repo_close(r);
}

static void a_locked_repository_is_not_collected_by_a_wrong_clock(void **state)
{
    assert_nothing_done(*state, gc);
}

/* The clock is set while a run is under way: its point is not made, and no lock
 * is reckoned from another time. */
static void a_clock_that_jumps_ends_the_run_without_a_point(void **state)
{
    static const struct s3server_rule jump[] = {
        { .op = "PutObject",
          .key = "plain/pages/*",
          .act = S3SERVER_SKEW_DATE,
          .ms = INT64_C(3600) * 1000 },
    };
    struct attacked *a = *state;
    struct err e = { 0 };
    AUTO_ENG_POINTS struct eng_points ps = { 0 };
    struct eng_repo *r = fixture_open(&a->f);
    uint64_t done = changes(a);

    vm_poke(a->vm, 0, "changed");
    s3server_script(a->server, jump, 1);
    assert_refused(back_up(a, r, &e), &e, 3600);
    assert_true(s3server_acted(a->server, 0) > 0);
    eng_repo_close(r);
    s3server_script(a->server, NULL, 0);
    assert_int_equal(changes(a), done);
    r = fixture_open(&a->f);
    must(eng_points_list(r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 1);
    eng_repo_close(r);
}

static void within_the_bound_all_goes_on(void **state)
{
    struct attacked *a = *state;

    for (int i = 0; i < 2; i++) {
        struct err e = { 0 };
        s3server_set_clock(a->server, i == 0 ? BOUND_S - 60 : 60 - BOUND_S);
        struct eng_repo *r = fixture_open(&a->f);
        if (back_up(a, r, &e) < 0 || gc(a, r, &e) < 0)
            fail_msg("%s", e.msg);
        eng_repo_close(r);
    }
    s3server_set_clock(a->server, 0);
}

#define CASE(name, setup)                                                      \
    cmocka_unit_test_setup_teardown(name, setup, attacked_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_wrong_clock_collects_nothing, setup_bound),
        CASE(a_wrong_clock_locks_and_stores_nothing, setup_bound_locked),
        CASE(a_locked_repository_is_not_collected_by_a_wrong_clock,
             setup_bound_locked),
        CASE(a_clock_that_jumps_ends_the_run_without_a_point,
             setup_bound_locked),
        CASE(within_the_bound_all_goes_on, setup_bound_locked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

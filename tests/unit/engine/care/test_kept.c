// SPDX-License-Identifier: Apache-2.0
/* Marks of protected points, and whole series as retention judges them. */
#include "tests/unit/engine/fixture.h"

#include "engine/care/kept.h"
#include "engine/repo/keep.h"
#include "engine/repo/learn.h"
#include "engine/repo/point_store.h"

#define T0 1767268800 /* 2026-01-01T12:00:00Z */
#define DAY_S 86400

static void put(struct eng_repo *r, const char *vm, int64_t time,
                const char *zone)
{
    struct err e = { 0 };
    AUTO_MF_POINT struct mf_point *p = mf_point_new(&e);
    struct eng_point_made made = { 0 };

    assert_non_null(p);
    p->vm.name = strdup(vm);
    p->vm.source = strdup("dir:/x");
    p->program = strdup("objvault test");
    p->time = time;
    p->chain = time;
    p->kind = MF_FULL;
    if (zone != NULL) {
        p->retention.present = true;
        p->retention.days = 1;
        p->retention.timezone = strdup(zone);
    }
    must(eng_point_put(r, NULL, p, &made, why));
}

static struct eng_repo *writable(struct fixture *f)
{
    struct eng_repo *r = fixture_open(f);

    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    return r;
}

static struct eng_kept *judge(struct eng_repo *r, struct eng_points *ps)
{
    struct err e = { 0 };

    must(eng_points_list(r, NULL, NULL, ps, why));
    struct eng_kept *kept = eng_kept_judge(r, NULL, ps, T0 + 100 * DAY_S, &e);
    if (kept == NULL)
        fail_msg("%s", e.msg);
    return kept;
}

/* Five days of "a" with a policy, five of "b" without one. */
static void each_series_is_judged_by_itself(void **state)
{
    struct eng_repo *r = writable(*state);
    AUTO_ENG_POINTS struct eng_points ps = { 0 };

    for (int i = 0; i < 5; i++) {
        put(r, "a", T0 + (int64_t)i * DAY_S, "UTC");
        put(r, "b", T0 + (int64_t)i * DAY_S, NULL);
        put(r, "c", T0 + (int64_t)i * DAY_S, "Europe/Atlantis");
    }
    AUTO_MEM struct eng_kept *kept = judge(r, &ps);
    assert_int_equal(ps.n, 15);
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(kept[i].reason, i < 2   ? ENG_KEEP_NOT
                                         : i < 5 ? ENG_KEEP_NEWEST
                                                 : ENG_KEEP_NO_POLICY);
    eng_repo_close(r);
}

static void a_mark_protects_its_point_alone(void **state)
{
    struct eng_repo *r = writable(*state);
    AUTO_ENG_POINTS struct eng_points ps = { 0 };
    struct err e = { 0 };
    bool changed = false;

    for (int i = 0; i < 5; i++) {
        put(r, "a b", T0 + (int64_t)i * DAY_S, "UTC");
        put(r, "a", T0 + (int64_t)i * DAY_S, "UTC");
    }
    AUTO_MEM struct eng_kept *before = judge(r, &ps);
    assert_true(before[0].expired && before[5].expired);
    assert_int_equal(eng_keep_forbids(r, NULL, &ps.p[5], &e), 0);
    must(eng_keep_put(r, NULL, &ps.p[5], &changed, why));
    assert_true(changed);
    must(eng_keep_put(r, NULL, &ps.p[5], &changed, why));
    assert_false(changed);
    assert_int_equal(eng_keep_forbids(r, NULL, &ps.p[5], &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    eng_points_free(&ps);
    AUTO_MEM struct eng_kept *during = judge(r, &ps);
    for (size_t i = 0; i < ps.n; i++)
        assert_int_equal(during[i].protect, i == 5);
    assert_int_equal(during[5].reason, ENG_KEEP_PROTECTED);
    must(eng_keep_remove(r, NULL, &ps.p[5], &changed, why));
    assert_true(changed);
    must(eng_keep_remove(r, NULL, &ps.p[5], &changed, why));
    assert_false(changed);
    eng_points_free(&ps);
    AUTO_MEM struct eng_kept *after = judge(r, &ps);
    assert_true(after[5].expired);
    eng_repo_close(r);
}

static void other_names_below_keep_are_junk(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = writable(f);
    AUTO_ENG_KEEPS struct eng_keeps marks = { 0 };
    AUTO_MEM char *path = fixture_path(f, "store/plain/keep/a/hello");

    must(io_mkdirs_for(path, 0700, why));
    must(io_write_file(path, span_str("x"), 0600, false, why));
    must(eng_keeps_list(r, NULL, NULL, &marks, why));
    assert_int_equal(marks.n, 0);
    eng_repo_close(r);
}

/* A damaged manifest stands beside the series, and counts for nothing. */
static void a_damaged_point_is_said_to_be_damaged(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = writable(f);
    AUTO_ENG_POINTS struct eng_points ps = { 0 };
    char command[256];

    for (int i = 0; i < 4; i++)
        put(r, "a", T0 + (int64_t)i * DAY_S, "UTC");
    snprintf(command, sizeof(command),
             "for f in '%s'/plain/points/a/20260104*; do echo x >$f; done",
             f->store);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    AUTO_MEM struct eng_kept *kept = judge(r, &ps);
    assert_int_equal(ps.n, 4);
    assert_int_equal(kept[3].reason, ENG_KEEP_DAMAGED);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(kept[i].reason, ENG_KEEP_NEWEST);
    eng_repo_close(r);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_series_is_judged_by_itself),
        T(a_mark_protects_its_point_alone),
        T(other_names_below_keep_are_junk),
        T(a_damaged_point_is_said_to_be_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

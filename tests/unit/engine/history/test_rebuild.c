// SPDX-License-Identifier: Apache-2.0
/* The history put back from the manifests of a repository. */
#include "tests/unit/engine/fixture.h"
#include "tests/unit/engine/history/runs.h"

#include "engine/repo/learn.h"
#include "engine/repo/point_store.h"

static void put(struct eng_repo *r, const char *vm, int64_t time,
                unsigned seconds, const char *job)
{
    struct err e = { 0 };
    struct eng_point_made made = { 0 };
    AUTO_MF_POINT struct mf_point *p = mf_point_new(&e);

    assert_non_null(p);
    runs_set(&p->vm.name, vm);
    runs_set(&p->vm.source, "dir:/x");
    runs_set(&p->program, "objvault test");
    runs_set(&p->job, job);
    p->time = p->chain = time;
    p->kind = MF_FULL;
    p->stats.seconds = seconds;
    p->stats.stored_bytes = 4096;
    must(eng_point_put(r, NULL, p, &made, why));
}

static struct eng_repo *writable(struct fixture *f)
{
    struct eng_repo *r = fixture_open(f);

    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    return r;
}

static struct eng_history *opened(struct fixture *f)
{
    struct err e = { 0 };
    struct eng_history *h = eng_history_open(f->state, NULL, &e);

    assert_non_null(h);
    return h;
}

static size_t rebuilt(struct eng_history *h, struct eng_repo *r)
{
    size_t n = 99;

    must(eng_history_rebuild(h, r, NULL, &n, why));
    return n;
}

static void points_of_one_run_come_back_as_one_run(void **state)
{
    struct eng_repo *r = writable(*state);
    AUTO_ENG_HISTORY struct eng_history *h = opened(*state);
    struct eng_run_record *runs = NULL;
    size_t n = 0;

    put(r, "a", T0, 30, "nightly");
    put(r, "b", T0 + 1, 100, "nightly");
    put(r, "c", T0 + 130, 5, "nightly");  /* within a minute of b's end */
    put(r, "b", T0 + 900, 10, "nightly"); /* ten minutes later */
    put(r, "a", T0 + 905, 10, "other");
    put(r, "x", T0, 10, NULL); /* by hand */
    assert_int_equal(rebuilt(h, r), 3);

    must(eng_history_runs(h, "nightly", 10, &runs, &n, why));
    assert_int_equal(n, 2);
    assert_true(runs[0].rebuilt);
    assert_int_equal(runs[0].started, T0 + 900);
    assert_int_equal(runs[0].n_vms, 1);
    assert_int_equal(runs[1].started, T0);
    assert_int_equal(runs[1].ended, T0 + 135);
    assert_int_equal(runs[1].status, ENG_STATUS_SUCCESS);
    assert_string_equal(runs[1].repo, "test");
    assert_null(runs[1].host);
    assert_int_equal(runs[1].n_vms, 3);
    const struct eng_vm_record *b = &runs[1].vms[1];
    assert_string_equal(b->vm, "b");
    assert_null(b->source);
    assert_string_equal(b->point, "b@2026-11-28T10:00:01Z");
    assert_string_equal(b->kind, "full");
    assert_string_equal(b->keyset, "plain");
    assert_true(b->stored_bytes == 4096);
    assert_int_equal(b->ended, T0 + 101);
    eng_history_runs_free(runs, n);
    eng_repo_close(r);
}

static void a_vm_that_comes_again_begins_another_run(void **state)
{
    struct eng_repo *r = writable(*state);
    AUTO_ENG_HISTORY struct eng_history *h = opened(*state);

    for (int i = 0; i < 4; i++)
        put(r, "a", T0 + i * 20, 10, "continuous");
    assert_int_equal(rebuilt(h, r), 4);
    eng_repo_close(r);
}

static void what_the_history_has_is_not_put_back(void **state)
{
    struct eng_repo *r = writable(*state);
    AUTO_ENG_HISTORY struct eng_history *h = opened(*state);
    AUTO_ENG_RUN_RECORD struct eng_run_record run = run_new("nightly", T0);
    AUTO(eng_vm_record_fini) struct eng_vm_record v = vm_new("a", T0);
    struct eng_run_record *runs = NULL;
    size_t n = 0;

    runs_set(&run.repo, "test");
    put(r, "a", T0 - 500, 5, "nightly"); /* before */
    put(r, "a", T0 - 3, 5, "nightly");   /* recorded, by another clock */
    put(r, "b", T0 + 10, 5, "nightly");  /* made, and not recorded any more */
    must(eng_history_begin(h, &run, why));
    runs_set(&v.point, "a@2026-11-28T09:59:57Z");
    must(eng_history_vm(h, run.id, &v, why));
    run.status = ENG_STATUS_SUCCESS;
    run.ended = T0 + 60;
    must(eng_history_end(h, &run, why));

    assert_int_equal(rebuilt(h, r), 1);
    assert_int_equal(rebuilt(h, r), 0);
    must(eng_history_runs(h, "nightly", 10, &runs, &n, why));
    assert_int_equal(n, 2);
    assert_int_equal(runs[0].id, run.id);
    assert_int_equal(runs[1].started, T0 - 500);
    eng_history_runs_free(runs, n);
    eng_repo_close(r);
}

static void what_is_put_back_is_older_than_what_was_recorded(void **state)
{
    struct eng_repo *r = writable(*state);
    AUTO_ENG_HISTORY struct eng_history *h = opened(*state);
    AUTO_ENG_RUN_RECORD struct eng_run_record run = run_new("nightly", T0);
    struct eng_run_record *runs = NULL;
    size_t n = 0;

    must(eng_history_begin(h, &run, why)); /* of another repository */
    put(r, "a", T0 + 5000, 5, "nightly");
    put(r, "a", T0 + 8000, 5, "nightly");
    assert_int_equal(rebuilt(h, r), 2);
    must(eng_history_runs(h, "nightly", 10, &runs, &n, why));
    assert_int_equal(n, 3);
    assert_int_equal(runs[0].id, run.id);
    assert_int_equal(runs[1].started, T0 + 8000);
    assert_int_equal(runs[2].started, T0 + 5000);
    eng_history_runs_free(runs, n);
    eng_repo_close(r);
}

int main(void)
{
#define REPO_TEST(f)                                                           \
    cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        REPO_TEST(points_of_one_run_come_back_as_one_run),
        REPO_TEST(a_vm_that_comes_again_begins_another_run),
        REPO_TEST(what_the_history_has_is_not_put_back),
        REPO_TEST(what_is_put_back_is_older_than_what_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

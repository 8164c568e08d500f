// SPDX-License-Identifier: Apache-2.0
/* The sweep counter: how a run hears that somebody has swept. */
#include "tests/unit/engine/repo/leasing.h"

#include <pthread.h>

#include "engine/repo/learn.h"

static void sweep_once(struct eng_repo *r)
{
    struct eng_sweep s;
    struct eng_sweep_way way;

    must(eng_sweep_begin(r, NULL, 0, &s, &way, why));
    must(eng_sweep_count(&s, NULL, why));
    must(eng_sweep_count(&s, NULL, why));
    eng_sweep_end(&s);
}

static void a_run_whose_lease_lapsed_hears_of_a_sweep(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    int64_t sign_before = 0;
    bool swept = false;

    must(eng_runlease_begin(run, "vm", NULL, why));
    must(eng_repo_prepare_writes(run, ENG_UPLOAD_NEW, NULL, why));
    pass(a, run, 2 * HOUR);
    pass(a, other, 2 * HOUR);
    /* Without a sweep a new lease is all. */
    must(eng_runlease_confirm(run, NULL, &sign_before, &swept, why));
    assert_false(swept);
    assert_true(in_the_way(other));
    pass(a, run, 4 * HOUR);
    pass(a, other, 4 * HOUR);
    sweep_once(other);
    eng_runlease_tick(run, NULL); /* too late */
    must(eng_runlease_confirm(run, NULL, &sign_before, &swept, why));
    assert_true(swept);
    must(eng_repo_distrust(run, NULL, why));
    must(eng_runlease_confirm(run, NULL, &sign_before, &swept, why));
    assert_false(swept);
    eng_repo_close(run);
    eng_repo_close(other);
}

/* What the run referred to before was not looked at when its index was filled
 * anew: only who looks for everything may rely on the new counter. */
static void an_index_filled_anew_does_not_hide_a_sweep(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    int64_t sign_before = 0;
    bool swept = false;

    must(eng_runlease_begin(run, "vm", NULL, why));
    must(eng_repo_prepare_writes(run, ENG_UPLOAD_NEW, NULL, why));
    pass(a, run, 2 * HOUR);
    pass(a, other, 2 * HOUR);
    sweep_once(other);
    must(eng_repo_distrust(run, NULL, why));
    must(eng_runlease_confirm(run, NULL, &sign_before, &swept, why));
    assert_true(swept);
    must(eng_repo_distrust(run, NULL, why));
    eng_runlease_rely(run);
    pass(a, run, 4 * HOUR);
    must(eng_runlease_confirm(run, NULL, &sign_before, &swept, why));
    assert_false(swept);
    eng_repo_close(run);
    eng_repo_close(other);
}

/* Another thread's look at whether somebody sweeps: at the counter alone, or at
 * the end of a run. */
struct looking {
    struct eng_repo *repo;
    bool confirms;
    bool swept;
    char counter[ENG_COUNTER_CHARS];
};

static void *look_for_sweeps(void *ctx)
{
    struct looking *l = ctx;
    int64_t sign_before = 0;

    if (l->confirms)
        must(eng_runlease_confirm(l->repo, NULL, &sign_before, &l->swept, why));
    else
        must(eng_counter_settled(l->repo, NULL, l->counter, why));
    return NULL;
}

/* A sweep that is under way when the counter is read sets another one, and ends
 * before its mark is looked for. */
static void look_while_a_sweep_ends(struct attacked *a, struct looking *l,
                                    struct eng_repo *other)
{
    const struct s3server_rule slow = {
        .op = "ListObjectsV2", .times = 1, .act = S3SERVER_DELAY, .ms = 1000
    };
    struct eng_sweep s;
    struct eng_sweep_way way;
    pthread_t t;

    must(eng_sweep_begin(other, NULL, 0, &s, &way, why));
    s3server_script(a->server, &slow, 1);
    assert_int_equal(pthread_create(&t, NULL, look_for_sweeps, l), 0);
    while (s3server_acted(a->server, 0) == 0)
        usleep(1000);
    must(eng_sweep_count(&s, NULL, why));
    eng_sweep_end(&s);
    pthread_join(t, NULL);
}

static void a_counter_is_none_from_before_a_sweep_that_is_over(void **state)
{
    struct attacked *a = *state;
    struct looking l = { .repo = fixture_open(&a->f) };
    struct eng_repo *other = fixture_open(&a->f);
    char now[ENG_COUNTER_CHARS];

    sweep_once(other);
    look_while_a_sweep_ends(a, &l, other);
    must(eng_counter_read(other, NULL, now, why));
    assert_string_equal(l.counter, now);
    eng_repo_close(l.repo);
    eng_repo_close(other);
}

static void a_run_hears_of_a_sweep_that_ends_while_it_looks(void **state)
{
    struct attacked *a = *state;
    struct looking l = { .repo = fixture_open(&a->f), .confirms = true };
    struct eng_repo *other = fixture_open(&a->f);

    must(eng_runlease_begin(l.repo, "vm", NULL, why));
    must(eng_repo_prepare_writes(l.repo, ENG_UPLOAD_NEW, NULL, why));
    pass(a, l.repo, 2 * HOUR);
    pass(a, other, 2 * HOUR);
    look_while_a_sweep_ends(a, &l, other);
    assert_true(l.swept);
    eng_repo_close(l.repo);
    eng_repo_close(other);
}

#define S(name)                                                                \
    cmocka_unit_test_setup_teardown(name, attacked_setup_plain,                \
                                    attacked_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        S(a_run_whose_lease_lapsed_hears_of_a_sweep),
        S(an_index_filled_anew_does_not_hide_a_sweep),
        S(a_counter_is_none_from_before_a_sweep_that_is_over),
        S(a_run_hears_of_a_sweep_that_ends_while_it_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

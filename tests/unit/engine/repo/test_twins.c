// SPDX-License-Identifier: Apache-2.0
/* Runs of one VM that begin at the same time: one goes on, the others wait. */
#include "tests/unit/engine/repo/leasing.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int at_work;

static void *take_turns(void *ctx)
{
    struct eng_repo *r = ctx;

    for (int i = 0; i < 4; i++) {
        must(eng_runlease_begin(r, "vm", NULL, why));
        assert_int_equal(atomic_fetch_add(&at_work, 1), 0);
        usleep(20000);
        atomic_fetch_sub(&at_work, 1);
        eng_runlease_end(r);
    }
    return NULL;
}

/* Whatever second it is, and however often they meet. */
static void of_several_that_begin_at_once_one_goes_on(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r[3];
    pthread_t t[3];

    for (int i = 0; i < 3; i++) {
        r[i] = fixture_open(&a->f);
        assert_int_equal(pthread_create(&t[i], NULL, take_turns, r[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
        eng_repo_close(r[i]);
    }
}

static atomic_bool begun;

static void *begin_run(void *ctx)
{
    must(eng_runlease_begin(ctx, "vm", NULL, why));
    atomic_store(&begun, true);
    return NULL;
}

static void wait_until_begun(void)
{
    for (int i = 0; i < 120 && !atomic_load(&begun); i++)
        usleep(100000);
    if (!atomic_load(&begun))
        fail_msg("the run does not begin");
}

/* Its own lease, which it cannot end by the rule for runs that have put
 * something, must not be what it waits for. */
static void who_stands_back_waits_for_others_alone(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *one = fixture_open(&a->f);
    struct eng_repo *later = fixture_open(&a->f);
    const struct s3server_rule rule = { .op = "PutObject",
                                        .key = "*gc/leases/*",
                                        .times = 1,
                                        .act = S3SERVER_LOSE_ANSWER };
    pthread_t t;

    must(eng_runlease_begin(one, "vm", NULL, why));
    usleep(1100000); /* it is the older one */
    s3server_script(a->server, &rule, 1);
    atomic_store(&begun, false);
    assert_int_equal(pthread_create(&t, NULL, begin_run, later), 0);
    usleep(1500000);
    assert_int_equal(s3server_acted(a->server, 0), 1);
    s3server_script(a->server, NULL, 0);
    assert_false(atomic_load(&begun));
    eng_runlease_end(one);
    wait_until_begun();
    pthread_join(t, NULL);
    eng_runlease_end(later);
    assert_false(in_the_way(one));
    eng_repo_close(one);
    eng_repo_close(later);
}

/* Nobody sees a lease that was broken, so a run that waits must not go on by
 * it. */
static void
a_run_whose_lease_is_broken_while_it_waits_takes_another(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    struct eng_lease twin;
    struct eng_lease_seen was;
    pthread_t t;

    must(eng_runlease_begin(other, "vm", NULL, why));
    struct eng_lease its = living(other);
    eng_runlease_end(other);
    must(
        eng_lease_init(eng_repo_store(other), ENG_LEASE_RUN, HOUR, &twin, why));
    memcpy(twin.vm, its.vm, sizeof twin.vm);
    twin.begun += MINUTE; /* younger than the run, which does not stand back */
    must(eng_lease_put(eng_repo_store(other), NULL, &twin, 0, 0, why));
    atomic_store(&begun, false);
    assert_int_equal(pthread_create(&t, NULL, begin_run, run), 0);
    usleep(1000000);
    struct eng_lease first = living(other);
    assert_string_not_equal(first.name, twin.name);
    must(eng_lease_break(eng_repo_store(other), NULL, first.name, &was, why));
    assert_false(atomic_load(&begun));
    twin.ended = true;
    must(eng_lease_put(eng_repo_store(other), NULL, &twin, 0, 0, why));
    pass(a, run, 5 * MINUTE + 1); /* it is time to renew */
    wait_until_begun();
    pthread_join(t, NULL);
    struct eng_lease now = newest(other);
    assert_string_not_equal(now.name, first.name);
    assert_false(now.ended);
    eng_repo_close(run);
    eng_repo_close(other);
}

int main(void)
{
#define S(test)                                                                \
    cmocka_unit_test_setup_teardown(test, attacked_setup_plain,                \
                                    attacked_teardown)
    const struct CMUnitTest tests[] = {
        S(of_several_that_begin_at_once_one_goes_on),
        S(who_stands_back_waits_for_others_alone),
        S(a_run_whose_lease_is_broken_while_it_waits_takes_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

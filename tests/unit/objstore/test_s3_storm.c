// SPDX-License-Identifier: Apache-2.0
//
// Many threads on a server that refuses most, or is away: all ends well, and
// the number of requests in flight follows what the server bears.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <unistd.h>

#include "sim_ops.h"

#define THREADS 16
#define EACH 12

struct crowd {
    struct sim sim;
    atomic_uint next, failed, least;
    struct err e; /* of the first that failed */
};

static void note_limit(struct crowd *c)
{
    unsigned is = obj_pace_limit(&c->sim.store->shared->pace);
    unsigned least = atomic_load(&c->least);

    while (is < least && !atomic_compare_exchange_weak(&c->least, &least, is))
        ;
}

static void *put_some(void *ctx)
{
    struct crowd *c = ctx;
    char key[32];

    for (int i = 0; i < EACH; i++) {
        const struct obj_req r = { .key = key };
        struct err e = { 0 };
        unsigned nr = atomic_fetch_add(&c->next, 1);
        snprintf(key, sizeof key, "obj-%u", nr);
        if (obj_put(c->sim.store, &r, span_of(sim_body(), SIM_BODY / 10), NULL,
                    NULL, &e) < 0 &&
            atomic_fetch_add(&c->failed, 1) == 0)
            c->e = e;
        note_limit(c);
    }
    return NULL;
}

static void open_crowd(struct crowd *c, const struct s3server_rule *rules,
                       size_t n)
{
    const struct obj_config config = { .bucket = "plain",
                                       .max_in_flight = THREADS };

    memset(c, 0, sizeof *c);
    atomic_init(&c->least, THREADS);
    sim_open_with(&c->sim, NULL, &config, 10000, 60000);
    s3server_script(c->sim.server, rules, n);
}

static void run_crowd(struct crowd *c)
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_some, c), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (atomic_load(&c->failed) > 0)
        fail_msg("%u failed, one of them: %s", atomic_load(&c->failed),
                 c->e.msg);
    assert_int_equal(s3server_keys(c->sim.server, "plain"),
                     atomic_load(&c->next));
}

static void storm_of_throttling_is_ridden_out_with_fewer_in_flight(void **state)
{
    const struct s3server_rule rules[] = {
        { .op = "PutObject",
          .times = 150,
          .chance = 700,
          .act = S3SERVER_REPLY,
          .status = 503,
          .code = "SlowDown" },
        { .op = "PutObject",
          .times = 50,
          .chance = 500,
          .act = S3SERVER_REPLY,
          .status = 429,
          .code = "TooManyRequests",
          .headers = "Retry-After: 60\r\n" },
    };
    struct obj_counters count;
    struct crowd c;

    (void)state;
    open_crowd(&c, rules, 2);
    int64_t from = utc_mono_ms();
    run_crowd(&c);
    /* One obeyed wish of the server's would take a minute. */
    assert_true(utc_mono_ms() - from < 40000);
    obj_store_counters(c.sim.store, &count);
    assert_int_equal(count.throttled, s3server_acted(c.sim.server, 0) +
                                          s3server_acted(c.sim.server, 1));
    assert_true(count.throttled > 100);
    unsigned first = obj_tuning_default.pace.least;
    assert_true(atomic_load(&c.least) < first);

    /* In peace the number grows again, to where it was at least. */
    s3server_script(c.sim.server, NULL, 0);
    from = utc_mono_ms();
    while (obj_pace_limit(&c.sim.store->shared->pace) < first &&
           utc_mono_ms() - from < 30000) {
        struct err e;
        assert_int_equal(sim_put(&c.sim, &e), 0);
        usleep(10000);
    }
    assert_true(obj_pace_limit(&c.sim.store->shared->pace) >= first);
    sim_close(&c.sim);
}

static void *end_outage(void *ctx)
{
    struct crowd *c = ctx;

    usleep(1500000);
    s3server_script(c->sim.server, NULL, 0);
    return NULL;
}

static void outage_of_a_server_that_had_answered_is_waited_out(void **state)
{
    const struct s3server_rule away[] = {
        { .act = S3SERVER_RESET_ACCEPT },
        { .act = S3SERVER_RESET_HEAD },
    };
    struct obj_counters count;
    pthread_t healer;
    struct crowd c;
    struct err e;

    (void)state;
    open_crowd(&c, NULL, 0);
    assert_int_equal(sim_put(&c.sim, &e), 0);
    atomic_store(&c.next, 2); /* obj-1 is there */
    s3server_write(c.sim.server, "plain", "pre/obj-0", "x", 1);
    s3server_script(c.sim.server, away, 2);
    assert_int_equal(pthread_create(&healer, NULL, end_outage, &c), 0);
    run_crowd(&c);
    pthread_join(healer, NULL);
    /* Far more than the caps of one call allow. */
    obj_store_counters(c.sim.store, &count);
    assert_true(count.retries > THREADS);
    sim_close(&c.sim);
}

static void server_that_never_answered_is_given_up_soon(void **state)
{
    const struct s3server_rule away = { .act = S3SERVER_RESET_ACCEPT };
    const struct obj_config config = { .bucket = "plain" };
    struct err e = { 0 };
    struct sim s;

    (void)state;
    sim_open_with(&s, NULL, &config, 10000, 60000);
    s3server_script(s.server, &away, 1);
    int64_t from = utc_mono_ms();
    assert_int_equal(sim_put(&s, &e), -1);
    assert_true(utc_mono_ms() - from < 20000);
    assert_int_equal(e.kind, ERR_UNREACHABLE);
    assert_non_null(strstr(e.msg, SIM_KEY));
    assert_non_null(strstr(e.msg, s3server_endpoint(s.server)));
    sim_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            storm_of_throttling_is_ridden_out_with_fewer_in_flight),
        cmocka_unit_test(outage_of_a_server_that_had_answered_is_waited_out),
        cmocka_unit_test(server_that_never_answered_is_given_up_soon),
    };

    sim_env();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

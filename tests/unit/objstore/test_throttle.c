// SPDX-License-Identifier: Apache-2.0
/* How the retry layer waits: back-off, budget, places in flight, byte rates,
 * and how each wait is cancelled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "retry_fixture.h"

static void damage_does_not_shrink_the_limit_but_throttling_does(void **state)
{
    struct obj_config c = { .max_in_flight = 10 };
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e = { 0 };

    (void)state;
    say(OBJ_UNREADABLE, 503, "SlowDownRead");
    AUTO_OBJ_STORE struct obj_store *s = open_store(&c, NULL);
    assert_int_equal(get_key(s, &out, &e), -1);
    assert_int_equal(obj_pace_limit(&s->shared->pace), 4);
    script_reset();
    say(OBJ_THROTTLE, 503, "SlowDown");
    say(OBJ_OK, 200, "");
    assert_int_equal(put_key(s, false, &e), 0);
    assert_true(obj_pace_limit(&s->shared->pace) < 4);
}

static void a_retry_after_only_lowers_the_wait(void **state)
{
    struct obj_tuning t = quick_tuning();
    struct err e = { 0 };
    struct answer got = {
        .a = { .outcome = OBJ_THROTTLE, .http = 429, .retry_after_ms = 60000 }
    };

    (void)state;
    script_add(got);
    script_add(got);
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, &t);
    int64_t from = utc_mono_ms();
    assert_int_equal(put_key(s, false, &e), 0);
    assert_true(utc_mono_ms() - from < 2000);

    /* A short wish replaces a long back-off. */
    script_reset();
    t.rules[OBJ_RULE_THROTTLE].base_ms = 1;
    t.rules[OBJ_RULE_THROTTLE].cap_ms = 60000;
    got.a.retry_after_ms = 2;
    for (int i = 0; i < 18; i++)
        script_add(got);
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s2 = open_store(NULL, &t);
    from = utc_mono_ms();
    assert_int_equal(put_key(s2, false, &e), 0);
    assert_int_equal(script.calls, 19);
    assert_true(utc_mono_ms() - from < 2000);
}

static void back_off_grows_up_to_its_cap(void **state)
{
    struct obj_tuning t = quick_tuning();
    struct err e = { 0 };
    int64_t longest = 0;

    (void)state;
    t.rules[OBJ_RULE_UNAVAIL] = (struct obj_rule){ 40, 4, 40, 1 };
    say(OBJ_UNAVAIL, 500, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, &t);
    assert_int_equal(put_key(s, false, &e), -1);
    assert_int_equal(script.calls, 41);
    for (size_t i = 1; i < 41; i++) {
        int64_t gap = script.seen[i].at_ms - script.seen[i - 1].at_ms;
        longest = gap > longest ? gap : longest;
    }
    assert_true(script.seen[1].at_ms - script.seen[0].at_ms < 500);
    assert_true(longest >= 10);  /* 36 draws of 0..40 ms, all below 10: no */
    assert_true(longest < 1000); /* room for a busy machine */
}

static void an_empty_budget_slows_down_to_probes(void **state)
{
    struct obj_tuning t = quick_tuning();
    struct err e = { 0 };

    (void)state;
    t.pace.budget = 28; /* two retries */
    t.pace.probe_ms = 100;
    say(OBJ_UNAVAIL, 500, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, &t);
    int64_t from = utc_mono_ms();
    assert_int_equal(put_key(s, false, &e), -1);
    /* 10 retries: 2 paid, 8 probes, the first at once. */
    assert_int_equal(script.calls, 11);
    assert_true(utc_mono_ms() - from >= 690);
}

static void success_refills_the_budget(void **state)
{
    struct obj_tuning t = quick_tuning();
    struct err e = { 0 };

    (void)state;
    t.pace.budget = 14;
    t.pace.probe_ms = 100000;
    say(OBJ_UNAVAIL, 500, "");
    say(OBJ_OK, 200, "");
    say(OBJ_UNAVAIL, 500, "");
    say(OBJ_OK, 200, "");
    say(OBJ_UNAVAIL, 500, "");
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, &t);
    int64_t from = utc_mono_ms();
    for (int i = 0; i < 3; i++)
        assert_int_equal(put_key(s, false, &e), 0);
    assert_true(utc_mono_ms() - from < 2000);
}

static void an_outage_is_outlived_until_the_deadline(void **state)
{
    struct obj_config c = { .deadline_ms = 600 };
    struct err e = { 0 };

    (void)state;
    say(OBJ_OK, 200, "");
    say(OBJ_NETWORK, 0, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(&c, NULL);
    assert_int_equal(put_key(s, false, &e), 0);
    int64_t from = utc_mono_ms();
    assert_int_equal(put_key(s, false, &e), -1);
    assert_int_equal(e.kind, ERR_UNREACHABLE);
    assert_true(script.calls > 12); /* 10 retries would be the cap */
    assert_true(utc_mono_ms() - from >= 590);
}

struct waiter {
    struct obj_store *s;
    struct cancel *c;
    int result;
    struct err e;
};

static void *put_until_cancelled(void *arg)
{
    struct waiter *w = arg;
    struct obj_req r = { .key = "k", .cancel = w->c };

    w->result = obj_put(w->s, &r, span_str("x"), NULL, NULL, &w->e);
    return NULL;
}

static void cancels_within_a_second(const struct obj_tuning *t,
                                    const struct obj_config *conf)
{
    struct cancel c;
    struct err e = { 0 };
    struct waiter w = { .c = &c };
    pthread_t thread;

    assert_int_equal(cancel_init(&c, NULL, &e), 0);
    AUTO_OBJ_STORE struct obj_store *s = open_store(conf, t);
    w.s = s;
    assert_int_equal(pthread_create(&thread, NULL, put_until_cancelled, &w), 0);
    (void)!cancel_sleep(NULL, 100, &e);
    int64_t from = utc_mono_ms();
    cancel_request(&c);
    pthread_join(thread, NULL);
    assert_true(utc_mono_ms() - from < 1000);
    assert_int_equal(w.result, -1);
    assert_int_equal(w.e.kind, ERR_CANCELLED);
    cancel_fini(&c);
}

static void a_back_off_is_cancelled_within_a_second(void **state)
{
    struct obj_tuning t = obj_tuning_default;

    (void)state;
    for (int i = 0; i < OBJ_RULES; i++)
        t.rules[i].base_ms = t.rules[i].cap_ms = 30000;
    say(OBJ_THROTTLE, 503, "SlowDown");
    cancels_within_a_second(&t, NULL);
}

static void a_wait_for_the_budget_is_cancelled_within_a_second(void **state)
{
    struct obj_tuning t = quick_tuning();

    (void)state;
    t.pace.budget = 0;
    t.pace.probe_ms = 60000;
    t.pace.slice_ms = 100;
    t.deadline_ms = 60000;
    say(OBJ_THROTTLE, 503, "SlowDown");
    cancels_within_a_second(&t, NULL);
}

static void a_wait_for_the_rate_is_cancelled_within_a_second(void **state)
{
    struct obj_config c = { .upload_bytes_per_s = 1 };
    struct obj_tuning t = quick_tuning();

    (void)state;
    t.rules[OBJ_RULE_UNAVAIL].retries = 1000;
    script_add((struct answer){
        .a = { .outcome = OBJ_UNAVAIL, .http = 500, .sent = 60 } });
    cancels_within_a_second(&t, &c);
    assert_int_equal(script.calls, 1);
}

static void a_wait_for_the_download_rate_gives_back_what_it_booked(void **state)
{
    struct obj_config conf = { .download_bytes_per_s = 10 };
    AUTO_BUF struct buf out = buf_init(1000);
    struct cancel c;
    struct obj_req r = { .key = "a/b", .cancel = &c };
    struct obj_range range = { 0, 100000 };
    struct err e = { 0 };

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_OK, .http = 200 },
                                .body = "hello" });
    AUTO_OBJ_STORE struct obj_store *s = open_store(&conf, NULL);
    assert_int_equal(get_key(s, &out, &e), 0); /* half a second's worth */
    assert_int_equal(cancel_init(&c, NULL, &e), 0);
    cancel_request(&c);
    assert_int_equal(obj_get(s, &r, &range, &out, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    int64_t from = utc_mono_ms();
    assert_int_equal(get_key(s, &out, &e), 0);
    assert_true(utc_mono_ms() - from < 5000); /* not 100,000 bytes later */
    cancel_fini(&c);
}

static void
a_request_that_is_cancelled_before_it_starts_is_not_sent(void **state)
{
    struct cancel c;
    struct err e = { 0 };
    struct obj_req r = { .key = "k", .cancel = &c };

    (void)state;
    say(OBJ_OK, 200, "");
    assert_int_equal(cancel_init(&c, NULL, &e), 0);
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    cancel_request(&c);
    assert_int_equal(obj_delete(s, &r, false, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_int_equal(script.calls, 0);
    cancel_fini(&c);
}

#define MANY 32

static void *put_one(void *arg)
{
    struct waiter *w = arg;

    w->result = put_key(w->s, false, &w->e);
    return NULL;
}

static void put_from_many(struct obj_store *s, struct waiter w[MANY])
{
    pthread_t threads[MANY];

    for (size_t i = 0; i < MANY; i++) {
        w[i] = (struct waiter){ .s = s };
        assert_int_equal(pthread_create(&threads[i], NULL, put_one, &w[i]), 0);
    }
    for (size_t i = 0; i < MANY; i++)
        pthread_join(threads[i], NULL);
}

static void no_more_than_the_limit_is_in_flight(void **state)
{
    struct obj_config c = { .max_in_flight = 4 };
    struct waiter w[MANY];

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_OK, .http = 200 },
                                .takes_ms = 20 });
    AUTO_OBJ_STORE struct obj_store *s = open_store(&c, NULL);
    put_from_many(s, w);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(w[i].result, 0);
    assert_int_equal(script.peak, 4);
    assert_int_equal(script.calls, MANY);
}

static void *put_many(void *arg)
{
    struct waiter *w = arg;

    for (int i = 0; i < 40 && w->result == 0; i++)
        w->result = put_key(w->s, false, &w->e);
    return NULL;
}

static void a_server_that_answers_more_at_once_is_asked_more(void **state)
{
    struct waiter w[MANY];
    pthread_t threads[MANY];

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_OK, .http = 200 },
                                .takes_ms = 20 });
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(obj_pace_limit(&s->shared->pace), 4);
    for (size_t i = 0; i < MANY; i++) {
        w[i] = (struct waiter){ .s = s };
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, &w[i]), 0);
    }
    for (size_t i = 0; i < MANY; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(w[i].result, 0);
    }
    assert_true(script.peak > 12);
}

static void many_threads_outlive_a_throttle_storm(void **state)
{
    struct waiter w[MANY];
    struct obj_counters n;

    (void)state;
    for (int i = 0; i < 60; i++)
        say(OBJ_THROTTLE, 503, "SlowDown");
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    put_from_many(s, w);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(w[i].result, 0);
    obj_store_counters(s, &n);
    assert_int_equal(n.throttled, 60);
    assert_int_equal(n.requests[OBJ_PUT], 60 + MANY);
}

static void a_wait_for_a_place_ends_at_the_deadline(void **state)
{
    struct obj_config c = { .max_in_flight = 1, .deadline_ms = 100 };
    struct waiter w[MANY];
    size_t late = 0;

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_OK, .http = 200 },
                                .takes_ms = 80 });
    AUTO_OBJ_STORE struct obj_store *s = open_store(&c, NULL);
    put_from_many(s, w);
    for (size_t i = 0; i < MANY; i++) {
        if (w[i].result < 0)
            assert_int_equal(w[i].e.kind, ERR_TIMEOUT);
        late += w[i].result < 0;
    }
    assert_true(late >= MANY - 4);
}

static void the_limit_grows_back_in_peace(void **state)
{
    struct obj_pace_tuning t = quick_tuning().pace;
    struct obj_pace p;
    struct err e = { 0 };
    int64_t later = utc_mono_ms() + 10000;

    (void)state;
    t.least = 20;
    t.grow_ms = 50;
    t.shrink_ms = 10;
    assert_int_equal(obj_pace_init(&p, &t, 20, 0, 0, &e), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(obj_pace_enter(&p, NULL, later, &e), 0);
    obj_pace_leave(&p, OBJ_SIGNAL_THROTTLED, 0); /* 10 were in flight */
    assert_in_range(obj_pace_limit(&p), 7, 8);   /* 8: a busy machine */
    obj_pace_leave(&p, OBJ_SIGNAL_THROTTLED, 0); /* too soon for another cut */
    assert_true(obj_pace_limit(&p) >= 7);
    (void)!cancel_sleep(NULL, 160, &e);
    assert_in_range(obj_pace_limit(&p), 9, 20);
    for (int i = 0; i < 7; i++)
        obj_pace_leave(&p, OBJ_SIGNAL_NONE, 0);
    obj_pace_leave(&p, OBJ_SIGNAL_SLOW, 0); /* one: no less than one */
    assert_in_range(obj_pace_limit(&p), 1, 3);
    (void)!cancel_sleep(NULL, 1200, &e);
    assert_int_equal(obj_pace_limit(&p), 20);
    obj_pace_fini(&p);
}

static void uploads_keep_to_their_rate(void **state)
{
    struct obj_config c = { .upload_bytes_per_s = 50 };
    struct err e = { 0 };

    (void)state;
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(&c, NULL);
    int64_t from = utc_mono_ms();
    for (int i = 0; i < 6; i++) /* 5 bytes each: 25 before the last starts */
        assert_int_equal(put_key(s, false, &e), 0);
    int64_t took = utc_mono_ms() - from;
    assert_true(took >= 380 && took < 3000);
}

static void
downloads_keep_to_their_rate_and_it_is_not_the_deadline(void **state)
{
    struct obj_config c = { .download_bytes_per_s = 50, .deadline_ms = 50 };
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e = { 0 };

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_OK, .http = 200 },
                                .body = "hello" });
    AUTO_OBJ_STORE struct obj_store *s = open_store(&c, NULL);
    int64_t from = utc_mono_ms();
    for (int i = 0; i < 6; i++)
        assert_int_equal(get_key(s, &out, &e), 0);
    int64_t took = utc_mono_ms() - from;
    assert_true(took >= 380 && took < 3000);
    assert_int_equal(out.len, 30);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(damage_does_not_shrink_the_limit_but_throttling_does),
        TEST(a_retry_after_only_lowers_the_wait),
        TEST(back_off_grows_up_to_its_cap),
        TEST(an_empty_budget_slows_down_to_probes),
        TEST(success_refills_the_budget),
        TEST(an_outage_is_outlived_until_the_deadline),
        TEST(a_back_off_is_cancelled_within_a_second),
        TEST(a_wait_for_the_budget_is_cancelled_within_a_second),
        TEST(a_wait_for_the_rate_is_cancelled_within_a_second),
        TEST(a_wait_for_the_download_rate_gives_back_what_it_booked),
        TEST(a_request_that_is_cancelled_before_it_starts_is_not_sent),
        TEST(no_more_than_the_limit_is_in_flight),
        TEST(a_server_that_answers_more_at_once_is_asked_more),
        TEST(many_threads_outlive_a_throttle_storm),
        TEST(a_wait_for_a_place_ends_at_the_deadline),
        TEST(the_limit_grows_back_in_peace),
        TEST(uploads_keep_to_their_rate),
        TEST(downloads_keep_to_their_rate_and_it_is_not_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

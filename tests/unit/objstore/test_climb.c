// SPDX-License-Identifier: Apache-2.0
/* How many requests in flight are found for servers of several kinds.  The
 * servers are arithmetic, and so is their clock: each run is the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

#include "objstore/climb.h"

#define LEAST 4
#define MOST 64
#define CORES_MAX 64
#define MS INT64_C(1000000)

/* A server `away` from here whose cores serve one request after the other. */
struct server {
    unsigned cores;
    int64_t service_ns, away_ns;
    unsigned noise; /* percent that a service takes more or less */
    uint64_t bytes; /* of each request */
};

struct run {
    struct obj_climb climb;
    struct server server;
    unsigned workers; /* that want to send */
    int64_t now_ns;
    int64_t core_free_ns[CORES_MAX];
    int64_t done_ns[MOST]; /* of what is in flight */
    unsigned in_flight;
    uint32_t random;
    uint64_t answers;
    double limit_sum; /* over the answers */
};

static struct run begin(struct server s)
{
    struct run r = { .server = s, .workers = MOST, .random = 1 };
    obj_climb_init(&r.climb, LEAST, MOST);
    return r;
}

static int64_t service_ns(struct run *r)
{
    r->random = r->random * 1664525u + 1013904223u;
    int64_t percent = (int64_t)(r->random >> 16) % (2 * r->server.noise + 1);
    return r->server.service_ns * (100 + percent - r->server.noise) / 100;
}

static void send_one(struct run *r)
{
    unsigned core = 0;
    for (unsigned i = 1; i < r->server.cores; i++)
        if (r->core_free_ns[i] < r->core_free_ns[core])
            core = i;
    int64_t start = r->now_ns + r->server.away_ns;
    if (r->core_free_ns[core] > start)
        start = r->core_free_ns[core];
    r->core_free_ns[core] = start + service_ns(r);
    r->done_ns[r->in_flight++] = r->core_free_ns[core];
}

/* Runs until then, with as much in flight as is allowed and there is. */
static void run_for(struct run *r, int64_t ns)
{
    int64_t until = r->now_ns + ns;
    r->answers = 0;
    r->limit_sum = 0;
    while (r->now_ns < until) {
        while (r->in_flight < r->climb.limit && r->in_flight < r->workers)
            send_one(r);
        unsigned next = 0;
        for (unsigned i = 1; i < r->in_flight; i++)
            if (r->done_ns[i] < r->done_ns[next])
                next = i;
        r->now_ns = r->done_ns[next];
        obj_climb_done(&r->climb, r->now_ns, r->server.bytes,
                       r->in_flight >= r->climb.limit);
        r->done_ns[next] = r->done_ns[--r->in_flight];
        r->answers++;
        r->limit_sum += r->climb.limit;
    }
}

static double mean_limit(const struct run *r)
{
    return r->limit_sum / (double)r->answers;
}

static double per_second(const struct run *r, int64_t ns)
{
    return (double)r->answers * 1e9 / (double)ns;
}

static void a_server_whose_cores_are_busy_gets_few(void **state)
{
    (void)state;
    for (unsigned noise = 0; noise <= 50; noise += 25) {
        struct run r = begin((struct server){ .cores = 2,
                                              .service_ns = 12 * MS,
                                              .noise = noise,
                                              .bytes = 4u << 20 });
        run_for(&r, 5000 * MS);
        assert_true(mean_limit(&r) < 6);
        run_for(&r, 30000 * MS);
        assert_true(mean_limit(&r) < 6);
        assert_true(per_second(&r, 30000 * MS) > 0.98 * 2 / 0.012);
    }
}

static void a_distant_server_gets_many_within_seconds(void **state)
{
    (void)state;
    for (unsigned noise = 0; noise <= 50; noise += 25) {
        struct run r = begin((struct server){ .cores = CORES_MAX,
                                              .service_ns = 10 * MS,
                                              .away_ns = 20 * MS,
                                              .noise = noise,
                                              .bytes = 1u << 20 });
        run_for(&r, 1500 * MS);
        assert_true(r.climb.base >= 40);
        run_for(&r, 30000 * MS);
        assert_true(mean_limit(&r) > 48);
        /* 64 all the time would do 64 / 30 ms. */
        assert_true(per_second(&r, 30000 * MS) > 0.85 * 64 / 0.030);
    }
}

static void a_server_gets_what_its_distance_and_its_cores_need(void **state)
{
    (void)state;
    /* 2 cores at 5 ms each, 45 ms away: 400 a second, 20 of them on their way
     * or being served. */
    struct run r = begin((struct server){ .cores = 2,
                                          .service_ns = 5 * MS,
                                          .away_ns = 45 * MS,
                                          .noise = 25,
                                          .bytes = 16384 });
    run_for(&r, 3000 * MS);
    run_for(&r, 30000 * MS);
    assert_true(mean_limit(&r) > 14 && mean_limit(&r) < 32);
    assert_true(per_second(&r, 30000 * MS) > 0.9 * 400);
}

static void a_server_that_changes_is_followed_both_ways(void **state)
{
    (void)state;
    struct server far_away = { .cores = CORES_MAX,
                               .service_ns = 5 * MS,
                               .away_ns = 20 * MS,
                               .noise = 20,
                               .bytes = 1u << 20 };
    struct run r = begin(far_away);
    run_for(&r, 5000 * MS);
    assert_true(r.climb.base >= 40);
    /* Others take its cores. */
    r.server.cores = 2;
    run_for(&r, 60000 * MS);
    run_for(&r, 30000 * MS);
    assert_true(mean_limit(&r) < 20);
    assert_true(per_second(&r, 30000 * MS) > 0.9 * 400);
    r.server = far_away;
    run_for(&r, 10000 * MS);
    run_for(&r, 10000 * MS);
    assert_true(mean_limit(&r) > 40);
}

static void places_that_nobody_takes_are_not_asked_for(void **state)
{
    (void)state;
    struct run r = begin((struct server){ .cores = CORES_MAX,
                                          .service_ns = 5 * MS,
                                          .away_ns = 20 * MS,
                                          .bytes = 1u << 20 });
    r.workers = 7;
    run_for(&r, 60000 * MS);
    assert_in_range(r.climb.base, 6, 9);
    assert_true(per_second(&r, 60000 * MS) > 0.8 * 7 / 0.025);
    r.workers = MOST; /* more work has come */
    run_for(&r, 5000 * MS);
    assert_true(r.climb.base >= 40);
}

static void a_range_of_one_number_stays_there(void **state)
{
    struct run r = begin((struct server){
        .cores = 2, .service_ns = 5 * MS, .noise = 50, .bytes = 1 });
    (void)state;
    obj_climb_init(&r.climb, LEAST, 2);
    run_for(&r, 10000 * MS);
    assert_int_equal(r.climb.limit, 2);
    assert_int_equal(r.climb.base, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_whose_cores_are_busy_gets_few),
        cmocka_unit_test(a_distant_server_gets_many_within_seconds),
        cmocka_unit_test(a_server_gets_what_its_distance_and_its_cores_need),
        cmocka_unit_test(a_server_that_changes_is_followed_both_ways),
        cmocka_unit_test(places_that_nobody_takes_are_not_asked_for),
        cmocka_unit_test(a_range_of_one_number_stays_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

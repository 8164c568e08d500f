// SPDX-License-Identifier: Apache-2.0
/* The worker group: who gets which item, which error comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/workers.h"

static int creates_left = -1; /* then pthread_create fails; -1: never */
static bool no_memory;

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
                          void *(*fn)(void *), void *arg)
{
    if (creates_left == 0)
        return EAGAIN;
    if (creates_left > 0)
        creates_left--;
    return __real_pthread_create(t, a, fn, arg);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory ? NULL : __real_calloc(n, size);
}

enum { ITEMS = 10000, THREADS = 8 };

struct shared {
    atomic_int seen[ITEMS];
    atomic_int workers[THREADS]; /* calls by worker index */
    atomic_int ready;            /* steps of the scene that is played */
    struct cancel *token;
    int64_t stop_at;
};

static struct shared shared;

static int reset(void **state)
{
    (void)state;
    memset(&shared, 0, sizeof(shared));
    return 0;
}

static int count_items(void *ctx, struct workers *w, unsigned index,
                       struct err *e)
{
    struct shared *s = ctx;
    uint64_t item = 0;

    (void)e;
    atomic_fetch_add(&s->workers[index], 1);
    while (workers_claim(w, &item))
        atomic_fetch_add(&s->seen[item], 1);
    return 0;
}

static void each_item_is_claimed_exactly_once(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(
        workers_run(THREADS, ITEMS, NULL, count_items, &shared, &e), 0);
    for (int i = 0; i < ITEMS; i++)
        assert_int_equal(atomic_load(&shared.seen[i]), 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(atomic_load(&shared.workers[i]), 1);
}

static void no_items_is_no_work(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(workers_run(3, 0, NULL, count_items, &shared, &e), 0);
    assert_int_equal(atomic_load(&shared.seen[0]), 0);
    assert_int_equal(atomic_load(&shared.workers[2]), 1);
}

static void at_least_one_worker_runs(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(workers_run(0, 5, NULL, count_items, &shared, &e), 0);
    assert_int_equal(atomic_load(&shared.workers[0]), 1);
    assert_int_equal(atomic_load(&shared.workers[1]), 0);
    assert_int_equal(atomic_load(&shared.seen[4]), 1);
}

static int note_thread(void *ctx, struct workers *w, unsigned index,
                       struct err *e)
{
    pthread_t *who = ctx;
    uint64_t item = 0;

    (void)index;
    (void)e;
    while (workers_claim(w, &item))
        *who = pthread_self();
    return 0;
}

static void one_worker_needs_no_thread(void **state)
{
    struct err e = { 0 };
    pthread_t who = { 0 };

    (void)state;
    creates_left = 0;
    int r = workers_run(1, 3, NULL, note_thread, &who, &e);
    creates_left = -1;
    assert_int_equal(r, 0);
    assert_true(pthread_equal(who, pthread_self()));
}

static void wait_for_step(struct shared *s, int step)
{
    while (atomic_load(&s->ready) < step)
        usleep(1000);
}

/* Worker 0 fails while all others sleep in the middle of an item. */
static int one_fails(void *ctx, struct workers *w, unsigned index,
                     struct err *e)
{
    struct shared *s = ctx;
    uint64_t item = 0;

    if (!workers_claim(w, &item))
        return 0;
    atomic_fetch_add(&s->seen[item], 1);
    atomic_fetch_add(&s->ready, 1);
    if (index == 0) {
        wait_for_step(s, THREADS);
        return err_set(e, ERR_DENIED, 0, "item %d", 7);
    }
    return cancel_sleep(workers_cancel(w), 60000, e);
}

static void the_first_error_stops_all_and_is_reported(void **state)
{
    struct err e = { 0 };
    int seen = 0;

    (void)state;
    assert_int_equal(workers_run(THREADS, ITEMS, NULL, one_fails, &shared, &e),
                     -1);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_string_equal(e.msg, "item 7");
    for (int i = 0; i < ITEMS; i++)
        seen += atomic_load(&shared.seen[i]);
    assert_int_equal(seen, THREADS);
}

/* An echo of the cancellation is recorded first, the cause after it. */
static int echo_comes_first(void *ctx, struct workers *w, unsigned index,
                            struct err *e)
{
    struct shared *s = ctx;

    if (index == 0) {
        atomic_store(&s->ready, 1);
        return err_set(e, ERR_CANCELLED, 0, "echo");
    }
    (void)!cancel_sleep(workers_cancel(w), 60000, e);
    return err_set(e, index == 1 ? ERR_FULL : ERR_CANCELLED, 0, "cause");
}

static void a_real_error_is_not_hidden_by_an_earlier_echo(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(workers_run(3, 9, NULL, echo_comes_first, &shared, &e),
                     -1);
    assert_int_equal(e.kind, ERR_FULL);
    assert_string_equal(e.msg, "cause");
}

/* Worker 1 fails with another error once worker 0's has cancelled the group. */
static int two_fail(void *ctx, struct workers *w, unsigned index, struct err *e)
{
    (void)ctx;
    if (index == 0)
        return err_set(e, ERR_CORRUPT, 0, "first");
    (void)!cancel_sleep(workers_cancel(w), 60000, e);
    return err_set(e, ERR_FULL, 0, "second");
}

static void a_later_error_does_not_replace_the_first(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(workers_run(4, 9, NULL, two_fail, &shared, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_string_equal(e.msg, "first");
}

static void a_cancelled_parent_lets_nobody_claim(void **state)
{
    struct cancel parent;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(cancel_init(&parent, NULL, &e), 0);
    cancel_request(&parent);
    assert_int_equal(workers_run(4, ITEMS, &parent, count_items, &shared, &e),
                     -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    for (int i = 0; i < ITEMS; i++)
        assert_int_equal(atomic_load(&shared.seen[i]), 0);
    cancel_fini(&parent);
}

/* Requests the parent's token while doing item stop_at. */
static int cancel_at(void *ctx, struct workers *w, unsigned index,
                     struct err *e)
{
    struct shared *s = ctx;
    uint64_t item = 0;

    (void)index;
    (void)e;
    while (workers_claim(w, &item)) {
        atomic_fetch_add(&s->seen[item], 1);
        if (item == (uint64_t)s->stop_at)
            cancel_request(s->token);
    }
    return 0;
}

static void a_cancelled_run_is_not_done(void **state)
{
    struct cancel parent;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(cancel_init(&parent, NULL, &e), 0);
    shared.token = &parent;
    shared.stop_at = 10;
    assert_int_equal(workers_run(1, ITEMS, &parent, cancel_at, &shared, &e),
                     -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_int_equal(atomic_load(&shared.seen[10]), 1);
    assert_int_equal(atomic_load(&shared.seen[11]), 0);
    cancel_fini(&parent);
}

static void cancelling_in_the_last_item_changes_nothing(void **state)
{
    struct cancel parent;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(cancel_init(&parent, NULL, &e), 0);
    shared.token = &parent;
    shared.stop_at = 99;
    assert_int_equal(workers_run(1, 100, &parent, cancel_at, &shared, &e), 0);
    cancel_fini(&parent);
}

static void a_groups_own_failure_does_not_reach_its_parent(void **state)
{
    struct cancel parent;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(cancel_init(&parent, NULL, &e), 0);
    assert_int_equal(workers_run(4, 9, &parent, two_fail, &shared, &e), -1);
    assert_false(cancel_requested(&parent));
    cancel_fini(&parent);
}

static int leave_early(void *ctx, struct workers *w, unsigned index,
                       struct err *e)
{
    uint64_t item = 0;

    (void)ctx;
    (void)index;
    (void)e;
    workers_claim(w, &item);
    return 0;
}

static void items_left_by_all_are_an_internal_error(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(workers_run(2, 9, NULL, leave_early, &shared, &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_non_null(strstr(e.msg, "2 of 9 items"));
}

static int fail_silently(void *ctx, struct workers *w, unsigned index,
                         struct err *e)
{
    (void)ctx;
    (void)w;
    (void)index;
    (void)e;
    return -1;
}

static void a_failure_without_a_reason_is_an_internal_error(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(workers_run(2, 9, NULL, fail_silently, &shared, &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
}

static int sleep_long(void *ctx, struct workers *w, unsigned index,
                      struct err *e)
{
    struct shared *s = ctx;

    (void)index;
    int r = cancel_sleep(workers_cancel(w), 60000, e);
    atomic_fetch_add(&s->ready, 1);
    return r;
}

static void a_thread_that_cannot_start_ends_the_group(void **state)
{
    struct err e = { 0 };

    (void)state;
    creates_left = 2;
    int r = workers_run(4, 9, NULL, sleep_long, &shared, &e);
    creates_left = -1;
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_FAILED);
    assert_int_equal(e.sys, EAGAIN);
    assert_non_null(strstr(e.msg, "worker 3 of 4"));
    assert_int_equal(atomic_load(&shared.ready), 2); /* both were joined */
}

static void no_memory_for_the_group_is_reported(void **state)
{
    struct err e = { 0 };

    (void)state;
    no_memory = true;
    int r = workers_run(4, 9, NULL, count_items, &shared, &e);
    no_memory = false;
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_NOMEM);
    assert_int_equal(atomic_load(&shared.workers[0]), 0);
}

static void a_chain_without_room_is_reported(void **state)
{
    struct cancel all[8];
    struct err e = { 0 };

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(cancel_init(&all[i], i == 0 ? NULL : &all[i - 1], &e),
                         0);
    assert_int_equal(workers_run(4, 9, &all[7], count_items, &shared, &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    for (int i = 0; i < 8; i++)
        cancel_fini(&all[i]);
}

#define GROUP_TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GROUP_TEST(each_item_is_claimed_exactly_once),
        GROUP_TEST(no_items_is_no_work),
        GROUP_TEST(at_least_one_worker_runs),
        GROUP_TEST(one_worker_needs_no_thread),
        GROUP_TEST(the_first_error_stops_all_and_is_reported),
        GROUP_TEST(a_real_error_is_not_hidden_by_an_earlier_echo),
        GROUP_TEST(a_later_error_does_not_replace_the_first),
        GROUP_TEST(a_cancelled_parent_lets_nobody_claim),
        GROUP_TEST(a_cancelled_run_is_not_done),
        GROUP_TEST(cancelling_in_the_last_item_changes_nothing),
        GROUP_TEST(a_groups_own_failure_does_not_reach_its_parent),
        GROUP_TEST(items_left_by_all_are_an_internal_error),
        GROUP_TEST(a_failure_without_a_reason_is_an_internal_error),
        GROUP_TEST(a_thread_that_cannot_start_ends_the_group),
        GROUP_TEST(no_memory_for_the_group_is_reported),
        GROUP_TEST(a_chain_without_room_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

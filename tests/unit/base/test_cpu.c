// SPDX-License-Identifier: Apache-2.0
/* Places at the processors: never more holders than places, and a stop is
 * heard by those who wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

#include "base/cpu.h"

#define THREADS 16
#define TURNS 200

static atomic_uint holders, most, done;

static void *take_turns(void *arg)
{
    struct err e = { 0 };

    for (int i = 0; i < TURNS; i++) {
        if (cpu_enter(arg, &e) < 0)
            return NULL;
        unsigned now = atomic_fetch_add(&holders, 1) + 1;
        unsigned seen = atomic_load(&most);
        while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now)) {
        }
        sched_yield();
        atomic_fetch_sub(&holders, 1);
        cpu_leave();
        atomic_fetch_add(&done, 1);
    }
    return NULL;
}

static void no_more_hold_a_place_than_there_are_processors(void **state)
{
    pthread_t t[THREADS];
    cpu_set_t set;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    assert_int_equal(cpu_places(), CPU_COUNT(&set));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, take_turns, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(atomic_load(&done), THREADS * TURNS);
    assert_true(atomic_load(&most) <= cpu_places());
}

static void who_waits_for_a_place_hears_a_stop(void **state)
{
    struct cancel c;
    struct err e = { 0 };
    pthread_t t;

    (void)state;
    assert_int_equal(cancel_init(&c, NULL, &e), 0);
    for (unsigned i = 0; i < cpu_places(); i++)
        assert_int_equal(cpu_enter(NULL, &e), 0);
    atomic_store(&done, 0);
    assert_int_equal(pthread_create(&t, NULL, take_turns, &c), 0);
    cancel_request(&c);
    pthread_join(t, NULL);
    assert_int_equal(atomic_load(&done), 0);
    for (unsigned i = 0; i < cpu_places(); i++)
        cpu_leave();
    assert_int_equal(cpu_enter(&c, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_int_equal(cpu_enter(NULL, &e), 0);
    cpu_leave();
    cancel_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_hold_a_place_than_there_are_processors),
        cmocka_unit_test(who_waits_for_a_place_hears_a_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

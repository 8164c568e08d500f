// SPDX-License-Identifier: Apache-2.0
#include "base/cond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utc.h"

struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rings;
    bool rang;
};

static int setup(void **state)
{
    static struct bell b;

    b.rang = false;
    *state = &b;
    cond_init(&b.rings);
    return pthread_mutex_init(&b.lock, NULL);
}

static int teardown(void **state)
{
    struct bell *b = *state;

    pthread_cond_destroy(&b->rings);
    return pthread_mutex_destroy(&b->lock);
}

static void a_wait_for_nothing_ends_when_its_time_is_over(void **state)
{
    /* Over a second's end too, wherever in the second this begins. */
    static const int64_t waits[] = { 0, 1, 30, 1050 };
    struct bell *b = *state;

    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        int64_t from = utc_mono_ms();
        /* A condition may wake up for no reason. */
        while (cond_wait_ms(&b->rings, &b->lock,
                            waits[i] - (utc_mono_ms() - from)))
            assert_true(utc_mono_ms() - from <= waits[i]);
        int64_t took = utc_mono_ms() - from;
        assert_in_range(took, waits[i], waits[i] + 5000);
    }
    pthread_mutex_unlock(&b->lock);
}

static void *ring(void *ctx)
{
    struct bell *b = ctx;

    pthread_mutex_lock(&b->lock);
    b->rang = true;
    pthread_cond_signal(&b->rings);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void a_signal_ends_a_wait(void **state)
{
    struct bell *b = *state;
    int64_t from = utc_mono_ms();
    pthread_t t;

    pthread_mutex_lock(&b->lock);
    assert_int_equal(pthread_create(&t, NULL, ring, b), 0);
    while (!b->rang)
        assert_true(cond_wait_ms(&b->rings, &b->lock, 60000));
    pthread_mutex_unlock(&b->lock);
    assert_true(utc_mono_ms() - from < 30000);
    pthread_join(t, NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_wait_for_nothing_ends_when_its_time_is_over),
        T(a_signal_ends_a_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

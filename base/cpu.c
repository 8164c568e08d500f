// SPDX-License-Identifier: Apache-2.0
/* The places are counted under a lock; who waits looks at its token now and
 * then, since a place is held for milliseconds. */
#include "base/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#define LOOK_NS 100000000L

static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    pthread_cond_t left;
    unsigned places;
    unsigned taken; /* guarded */
} cpu = { .once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER };

static void count(void)
{
    cpu_set_t set;
    pthread_condattr_t attr;

    cpu.places = sched_getaffinity(0, sizeof(set), &set) == 0
                     ? (unsigned)CPU_COUNT(&set)
                     : 1;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&cpu.left, &attr);
    pthread_condattr_destroy(&attr);
}

unsigned cpu_places(void)
{
    pthread_once(&cpu.once, count);
    return cpu.places;
}

static void wait_a_little(void)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&cpu.left, &cpu.lock, &until);
}

int cpu_enter(const struct cancel *c, struct err *e)
{
    unsigned places = cpu_places();
    int r = 0;

    pthread_mutex_lock(&cpu.lock);
    while ((r = cancel_check(c, e)) == 0 && cpu.taken >= places)
        wait_a_little();
    if (r == 0)
        cpu.taken++;
    pthread_mutex_unlock(&cpu.lock);
    return r;
}

void cpu_leave(void)
{
    pthread_mutex_lock(&cpu.lock);
    cpu.taken--;
    pthread_cond_signal(&cpu.left);
    pthread_mutex_unlock(&cpu.lock);
}

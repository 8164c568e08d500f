// SPDX-License-Identifier: Apache-2.0
/* The places are counted under a lock; who waits looks at its token now and
 * then, since a place is held for milliseconds. */
#include "base/cpu.h"

#include <pthread.h>
#include <sched.h>

#include "base/cond.h"

#define LOOK_MS 100

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

    cpu.places = sched_getaffinity(0, sizeof(set), &set) == 0
                     ? (unsigned)CPU_COUNT(&set)
                     : 1;
    cond_init(&cpu.left);
}

unsigned cpu_places(void)
{
    pthread_once(&cpu.once, count);
    return cpu.places;
}

int cpu_enter(const struct cancel *c, struct err *e)
{
    unsigned places = cpu_places();
    int r = 0;

    pthread_mutex_lock(&cpu.lock);
    while ((r = cancel_check(c, e)) == 0 && cpu.taken >= places)
        (void)cond_wait_ms(&cpu.left, &cpu.lock, LOOK_MS);
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

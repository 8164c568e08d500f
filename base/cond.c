// SPDX-License-Identifier: Apache-2.0
#include "base/cond.h"

#include <errno.h>
#include <time.h>

#include "base/utc.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* What may fail elsewhere is plain memory on Linux. */
void cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

bool cond_wait_ms(pthread_cond_t *c, pthread_mutex_t *m, int64_t ms)
{
    int64_t ns = utc_mono_ns() + ms * NS_PER_MS;
    const struct timespec until = { .tv_sec = (time_t)(ns / NS_PER_S),
                                    .tv_nsec = (long)(ns % NS_PER_S) };

    return pthread_cond_timedwait(c, m, &until) != ETIMEDOUT;
}

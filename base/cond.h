// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_COND_H
#define BASE_COND_H

/* Condition variables that are waited for by the clock that never jumps. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* *c is the caller's, who destroys it with pthread_cond_destroy. */
void cond_init(pthread_cond_t *c);

/* Waits for c (of cond_init) at most ms milliseconds, 0 or more; m is held, and
 * free meanwhile.  False: the time is over.  As with any condition, true says
 * nothing about what is waited for. */
bool cond_wait_ms(pthread_cond_t *c, pthread_mutex_t *m, int64_t ms);

#endif

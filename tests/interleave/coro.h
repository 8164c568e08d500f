// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_CORO_H
#define TESTS_INTERLEAVE_CORO_H

/* Coroutines: functions with stacks of their own on one thread, so that a test
 * alone decides who goes on, and when.  Nothing here is thread-safe. */
#include <stdbool.h>
#include <stdint.h>

struct coro;

/* Ready to run fn(arg) on a stack of its own.  Never NULL: no memory ends the
 * test. */
struct coro *coro_new(void (*fn)(void *arg), void *arg);

/* Only of one that has ended. */
void coro_free(struct coro *c);

/* Runs c until it yields or ends; not from within a coroutine. */
void coro_resume(struct coro *c);

/* Back to who resumed; only from within a coroutine. */
void coro_yield(void);

bool coro_ended(const struct coro *c);

#endif

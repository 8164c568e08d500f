// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

/*
 * Run-to-completion workers: n threads claim item numbers one by one and do
 * each from beginning to end.  No queue.  The first error requests the group's
 * cancel token, nobody claims another item, all threads are joined.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"

struct workers; /* one group; lives during workers_run */

/* The body of one worker: claims items until there are none.  index is
 * 0..n-1.  -1 with e filled ends the group with that error. */
typedef int (*workers_fn)(void *ctx, struct workers *w, unsigned index,
                          struct err *e);

/* Runs n workers (at least 1) over items 0..items-1 and joins them.  One worker
 * runs on the calling thread, more run on threads of their own.  parent may be
 * NULL.  -1: the error that came
 * first (a plain ERR_CANCELLED of others never hides it); ERR_CANCELLED where
 * the token kept items from being claimed; ERR_INTERNAL where all workers
 * returned 0 and left items, so that work not done never looks done. */
int workers_run(unsigned n, uint64_t items, const struct cancel *parent,
                workers_fn fn, void *ctx, struct err *e)
    __attribute__((warn_unused_result));

/* The next item; false: none left, or the group was cancelled (its error is
 * reported by workers_run, so the worker just returns 0). */
bool workers_claim(struct workers *w, uint64_t *item);

/* The group's token, for requests and sleeps made by a worker. */
struct cancel *workers_cancel(struct workers *w);

#endif

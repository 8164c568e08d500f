// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

/*
 * A flag that stops work.  Tokens form a chain: the process's token is set by
 * a signal, a group of workers has its own below it, set by the first error.
 * Requesting is async-signal-safe.  NULL is a token that is never requested.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct cancel {
    atomic_bool requested;
    int fd;                      /* eventfd, readable once requested */
    const struct cancel *parent; /* borrowed; may be NULL */
};

/* At most 8 tokens in a chain (ERR_INTERNAL).  A c that failed may be given
 * to cancel_fini. */
int cancel_init(struct cancel *c, const struct cancel *parent, struct err *e)
    __attribute__((warn_unused_result));
void cancel_fini(struct cancel *c);

void cancel_request(struct cancel *c);

/* Own or any ancestor's request. */
bool cancel_requested(const struct cancel *c);

/* Sleeps ms milliseconds or until requested.  0: slept; -1: ERR_CANCELLED. */
int cancel_sleep(const struct cancel *c, int64_t ms, struct err *e)
    __attribute__((warn_unused_result));

/* 0, or -1 with ERR_CANCELLED. */
int cancel_check(const struct cancel *c, struct err *e)
    __attribute__((warn_unused_result));

#endif

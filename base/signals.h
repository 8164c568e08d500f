// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

/* Signals are blocked in every thread and waited for by one: INT, TERM and HUP
 * request the token, a second one ends the process at once (exit 130); USR1,
 * and HUP where one is set for it, call a hook.  SIGPIPE is ignored. */
#include "base/cancel.h"
#include "base/err.h"

/* A signal that was ignored when the program started (INT in a shell's
 * background job) stays ignored.  Call once, in main, before any other thread
 * exists.  c lives as long as the process. */
int signals_start(struct cancel *c, struct err *e)
    __attribute__((warn_unused_result));

/* Called on the signal thread for each USR1; NULL: nothing happens.  Waits for
 * a call of the former hook to end, so its ctx may be freed afterwards; the
 * caller holds no lock that the hook takes. */
void signals_on_usr1(void (*fn)(void *ctx), void *ctx);

/* The same for HUP, which requests the token where fn is NULL. */
void signals_on_hup(void (*fn)(void *ctx), void *ctx);

/* In a child between fork and exec: the signal mask and dispositions that a
 * program expects.  Async-signal-safe. */
void signals_child_reset(void);

#endif

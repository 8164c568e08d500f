// SPDX-License-Identifier: Apache-2.0
/*
 * One poll for three things: the line, the clock, and the tokens that say that
 * nobody wants the answer any more.
 */
#include "kms/wait.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>

#include "base/utc.h"

#define CANCEL_DEPTH 8 /* the longest chain that cancel_init makes */

int kms_wait(int fd, short events, int64_t deadline,
             const struct cancel *cancel, struct err *e)
{
    struct pollfd fds[1 + CANCEL_DEPTH] = { { .fd = fd, .events = events } };
    nfds_t n = 1;

    for (const struct cancel *t = cancel; t != NULL && n <= CANCEL_DEPTH;
         t = t->parent)
        fds[n++] = (struct pollfd){ .fd = t->fd, .events = POLLIN };
    for (;;) {
        if (cancel_check(cancel, e) < 0)
            return -1;
        int64_t left = deadline - utc_mono_ms();
        if (left <= 0)
            return err_set(e, ERR_TIMEOUT, 0, "no answer in time");
        int ready = poll(fds, n, left < INT_MAX ? (int)left : INT_MAX);
        if (ready < 0 && errno != EINTR)
            return err_set(e, ERR_FAILED, errno, "wait for the key server");
        if (ready > 0 && fds[0].revents != 0)
            return cancel_check(cancel, e);
    }
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Cancel tokens.  The flag is what code looks at between steps, the eventfd is
 * what a sleeping thread wakes up by; both are set once and never taken back.
 */
#include "base/cancel.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/utc.h"

/* Tokens in one chain, so that a sleep polls a fixed array. */
enum { CANCEL_CHAIN_MAX = 8 };

int cancel_init(struct cancel *c, const struct cancel *parent, struct err *e)
{
    int depth = 1;

    atomic_init(&c->requested, false);
    c->fd = -1;
    c->parent = parent;
    for (const struct cancel *p = parent; p != NULL; p = p->parent)
        depth++;
    if (depth > CANCEL_CHAIN_MAX)
        return err_set(e, ERR_INTERNAL, 0,
                       "chain of %d cancel tokens, at most %d are possible",
                       depth, CANCEL_CHAIN_MAX);
    c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->fd < 0)
        return err_set(e, ERR_FAILED, errno, "make an eventfd");
    return 0;
}

void cancel_fini(struct cancel *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

void cancel_request(struct cancel *c)
{
    int saved = errno;
    uint64_t one = 1;

    /* The first request alone writes, so the counter never fills up and the
     * write cannot fail. */
    if (c != NULL && !atomic_exchange(&c->requested, true))
        (void)!write(c->fd, &one, sizeof(one));
    errno = saved;
}

bool cancel_requested(const struct cancel *c)
{
    for (; c != NULL; c = c->parent) {
        if (atomic_load(&c->requested))
            return true;
    }
    return false;
}

int cancel_check(const struct cancel *c, struct err *e)
{
    if (cancel_requested(c))
        return err_set(e, ERR_CANCELLED, 0, "interrupted");
    return 0;
}

int cancel_sleep(const struct cancel *c, int64_t ms, struct err *e)
{
    struct pollfd fds[CANCEL_CHAIN_MAX];
    nfds_t count = 0;
    int64_t now = utc_mono_ms();
    int64_t end = 0;

    if (__builtin_add_overflow(now, ms, &end))
        end = INT64_MAX;
    for (const struct cancel *t = c; t != NULL && count < CANCEL_CHAIN_MAX;
         t = t->parent)
        fds[count++] = (struct pollfd){ .fd = t->fd, .events = POLLIN };

    for (; now < end; now = utc_mono_ms()) {
        int64_t left = end - now;
        if (cancel_requested(c))
            break;
        if (poll(fds, count, left < INT_MAX ? (int)left : INT_MAX) < 0 &&
            errno != EINTR)
            return err_set(e, ERR_FAILED, errno, "wait %lld ms", (long long)ms);
    }
    return cancel_check(c, e);
}

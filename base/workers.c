// SPDX-License-Identifier: Apache-2.0
/*
 * The worker group.  Items are handed out by one atomic counter; the only
 * other thing that the threads share is the first error.
 */
#include "base/workers.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"

struct workers {
    uint64_t items;
    workers_fn fn;
    void *ctx;
    struct cancel cancel;
    atomic_uint_fast64_t next;
    atomic_bool cut; /* an item was refused because of the token */
    pthread_mutex_t lock;
    struct {
        bool failed;
        struct err first;
    } locked;
};

struct worker {
    struct workers *group;
    unsigned index;
    pthread_t thread;
};

/* The first error stays; one that only says "cancelled" gives way, because it
 * is the echo of another's failure. */
static void record(struct workers *w, const struct err *e)
{
    pthread_mutex_lock(&w->lock);
    if (!w->locked.failed ||
        (w->locked.first.kind == ERR_CANCELLED && e->kind != ERR_CANCELLED))
        w->locked.first = *e;
    w->locked.failed = true;
    pthread_mutex_unlock(&w->lock);
    cancel_request(&w->cancel);
}

static void work(struct workers *w, unsigned index)
{
    struct err e = { 0 };

    if (w->fn(w->ctx, w, index, &e) < 0) {
        if (e.kind == ERR_NONE)
            err_set(&e, ERR_INTERNAL, 0, "worker %u failed without a reason",
                    index);
        record(w, &e);
    }
}

static void *worker_main(void *arg)
{
    const struct worker *self = arg;
    char name[16]; /* the kernel's limit */

    snprintf(name, sizeof(name), "worker-%u", self->index);
    pthread_setname_np(pthread_self(), name);
    work(self->group, self->index);
    return NULL;
}

static void start_and_join(struct workers *w, struct worker *all, unsigned n)
{
    unsigned started = 0;

    for (; started < n; started++) {
        all[started] = (struct worker){ .group = w, .index = started };
        int r = pthread_create(&all[started].thread, NULL, worker_main,
                               &all[started]);
        if (r != 0) {
            struct err e = { 0 };
            err_set(&e, ERR_FAILED, r, "start worker %u of %u", started + 1, n);
            record(w, &e);
            break;
        }
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(all[i].thread, NULL);
}

/* All workers have ended: nothing needs the lock any more. */
static int outcome(struct workers *w, struct err *e)
{
    if (w->locked.failed) {
        *e = w->locked.first;
        return -1;
    }
    if (atomic_load(&w->cut))
        return err_set(e, ERR_CANCELLED, 0, "interrupted");
    /* Work that nobody did must not look like work done. */
    uint64_t claimed = atomic_load(&w->next);
    if (claimed < w->items)
        return err_set(e, ERR_INTERNAL, 0,
                       "workers ended after %" PRIu64 " of %" PRIu64 " items",
                       claimed, w->items);
    return 0;
}

int workers_run(unsigned n, uint64_t items, const struct cancel *parent,
                workers_fn fn, void *ctx, struct err *e)
{
    if (n == 0)
        n = 1;
    AUTO_MEM struct worker *all = calloc(n, sizeof(*all));
    if (all == NULL)
        return err_nomem(e);

    struct workers w = { .items = items, .fn = fn, .ctx = ctx };
    atomic_init(&w.next, 0);
    atomic_init(&w.cut, false);
    if (cancel_init(&w.cancel, parent, e) < 0)
        return -1;
    pthread_mutex_init(&w.lock, NULL);
    if (n == 1)
        work(&w, 0);
    else
        start_and_join(&w, all, n);
    int r = outcome(&w, e);
    pthread_mutex_destroy(&w.lock);
    cancel_fini(&w.cancel);
    return r;
}

bool workers_claim(struct workers *w, uint64_t *item)
{
    if (cancel_requested(&w->cancel)) {
        if (atomic_load(&w->next) < w->items)
            atomic_store(&w->cut, true);
        return false;
    }
    /* Each worker counts past the end once: no overflow for item numbers
     * that fit a disk. */
    uint64_t mine = atomic_fetch_add(&w->next, 1);
    if (mine >= w->items)
        return false;
    *item = mine;
    return true;
}

struct cancel *workers_cancel(struct workers *w)
{
    return &w->cancel;
}

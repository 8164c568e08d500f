// SPDX-License-Identifier: Apache-2.0
//
// Counters of long work.  Tasks are only ever added, and live as long as their
// progress, so that a worker may raise the counters of its task without a
// lock; the lock guards the list alone.
#include "base/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/utc.h"
#include "base/utf8.h"

struct progress_task {
    struct progress_task *next;
    char verb[sizeof(((struct progress_view *)NULL)->verb)];
    char name[PROGRESS_NAME_CHARS];
    uint64_t total;
    int64_t started_ms;
    atomic_uint_least64_t done, read, moved;
    atomic_int_least64_t ended_ms; /* 0 while running */
};

struct progress {
    struct {
        pthread_mutex_t lock;
        struct progress_task *first; /* owned, oldest first */
        struct progress_task **end;  /* where the next one is linked in */
    } locked;
};

struct progress *progress_new(struct err *e)
{
    struct progress *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        err_nomem(e);
        return NULL;
    }
    pthread_mutex_init(&p->locked.lock, NULL);
    p->locked.end = &p->locked.first;
    return p;
}

void progress_free(struct progress *p)
{
    if (p == NULL)
        return;
    for (struct progress_task *t = p->locked.first; t != NULL;) {
        struct progress_task *next = t->next;
        free(t);
        t = next;
    }
    pthread_mutex_destroy(&p->locked.lock);
    free(p);
}

struct progress_task *progress_begin(struct progress *p, const char *verb,
                                     const char *name, uint64_t total)
{
    if (p == NULL)
        return NULL;
    struct progress_task *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    utf8_copy(t->verb, sizeof(t->verb), verb);
    utf8_copy(t->name, sizeof(t->name), name);
    t->total = total;
    t->started_ms = utc_mono_ms();

    pthread_mutex_lock(&p->locked.lock);
    *p->locked.end = t;
    p->locked.end = &t->next;
    pthread_mutex_unlock(&p->locked.lock);
    return t;
}

void progress_end(struct progress_task *t)
{
    if (t == NULL)
        return;
    /* The clock may stand at 0, which would say "running". */
    int64_t now = utc_mono_ms();
    atomic_store(&t->ended_ms, now == 0 ? 1 : now);
}

void progress_add(struct progress_task *t, uint64_t done, uint64_t read,
                  uint64_t moved)
{
    if (t == NULL)
        return;
    atomic_fetch_add_explicit(&t->done, done, memory_order_relaxed);
    atomic_fetch_add_explicit(&t->read, read, memory_order_relaxed);
    atomic_fetch_add_explicit(&t->moved, moved, memory_order_relaxed);
}

static void view_fill(struct progress_view *out, struct progress_task *t)
{
    *out = (struct progress_view){
        .total = t->total,
        .started_ms = t->started_ms,
        /* First the end: whoever sees it sees the final counters. */
        .ended_ms = atomic_load(&t->ended_ms),
    };
    out->done = atomic_load_explicit(&t->done, memory_order_relaxed);
    out->read = atomic_load_explicit(&t->read, memory_order_relaxed);
    out->moved = atomic_load_explicit(&t->moved, memory_order_relaxed);
    utf8_copy(out->verb, sizeof(out->verb), t->verb);
    utf8_copy(out->name, sizeof(out->name), t->name);
}

size_t progress_snapshot(struct progress *p, struct progress_view *out,
                         size_t cap)
{
    if (p == NULL)
        return 0;
    size_t n = 0;
    pthread_mutex_lock(&p->locked.lock);
    for (struct progress_task *t = p->locked.first; t != NULL; t = t->next) {
        if (n < cap)
            view_fill(&out[n], t);
        n++;
    }
    pthread_mutex_unlock(&p->locked.lock);
    return n;
}

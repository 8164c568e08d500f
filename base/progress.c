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

/* What tasks and groups count alike. */
struct counted {
    char verb[sizeof(((struct progress_view *)NULL)->verb)];
    char name[PROGRESS_NAME_CHARS];
    int64_t started_ms;
    atomic_uint_least64_t total, done, read, moved;
    atomic_int_least64_t ended_ms; /* 0 while running */
};

struct progress_task {
    struct progress_task *next;
    struct progress_group *group; /* or NULL */
    struct counted c;
};

struct progress_group {
    struct progress_group *next;
    struct counted c; /* its verb is guarded by the list's lock */
};

struct progress {
    atomic_size_t expected;
    struct {
        pthread_mutex_t lock;
        struct progress_task *first; /* owned, oldest first */
        struct progress_task **end;  /* where the next one is linked in */
        struct progress_group *first_group;
        struct progress_group **end_group;
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
    p->locked.end_group = &p->locked.first_group;
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
    for (struct progress_group *g = p->locked.first_group; g != NULL;) {
        struct progress_group *next = g->next;
        free(g);
        g = next;
    }
    pthread_mutex_destroy(&p->locked.lock);
    free(p);
}

static void begin(struct counted *c, const char *name, uint64_t total)
{
    utf8_copy(c->name, sizeof(c->name), name);
    atomic_store(&c->total, total);
    c->started_ms = utc_mono_ms();
}

static void end(struct counted *c)
{
    /* The clock may stand at 0, which would say "running". */
    int64_t now = utc_mono_ms();
    atomic_store(&c->ended_ms, now == 0 ? 1 : now);
}

static void add(struct counted *c, uint64_t done, uint64_t read, uint64_t moved)
{
    atomic_fetch_add_explicit(&c->done, done, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->read, read, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->moved, moved, memory_order_relaxed);
}

struct progress_task *progress_begin_in(struct progress *p,
                                        struct progress_group *g,
                                        const char *verb, const char *name,
                                        uint64_t total)
{
    if (p == NULL)
        return NULL;
    struct progress_task *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    begin(&t->c, name, total);
    utf8_copy(t->c.verb, sizeof(t->c.verb), verb);
    t->group = g;

    pthread_mutex_lock(&p->locked.lock);
    *p->locked.end = t;
    p->locked.end = &t->next;
    if (g != NULL && g->c.verb[0] == '\0')
        utf8_copy(g->c.verb, sizeof(g->c.verb), verb);
    pthread_mutex_unlock(&p->locked.lock);
    return t;
}

struct progress_task *progress_begin(struct progress *p, const char *verb,
                                     const char *name, uint64_t total)
{
    return progress_begin_in(p, NULL, verb, name, total);
}

void progress_end(struct progress_task *t)
{
    if (t != NULL)
        end(&t->c);
}

void progress_add(struct progress_task *t, uint64_t done, uint64_t read,
                  uint64_t moved)
{
    if (t == NULL)
        return;
    add(&t->c, done, read, moved);
    if (t->group != NULL)
        add(&t->group->c, done, read, moved);
}

void progress_expect(struct progress *p, size_t groups)
{
    if (p != NULL)
        atomic_store(&p->expected, groups);
}

size_t progress_expected(struct progress *p)
{
    return p != NULL ? atomic_load(&p->expected) : 0;
}

struct progress_group *progress_group_begin(struct progress *p,
                                            const char *name)
{
    if (p == NULL)
        return NULL;
    struct progress_group *g = calloc(1, sizeof(*g));
    if (g == NULL)
        return NULL;
    begin(&g->c, name, 0);

    pthread_mutex_lock(&p->locked.lock);
    *p->locked.end_group = g;
    p->locked.end_group = &g->next;
    pthread_mutex_unlock(&p->locked.lock);
    return g;
}

void progress_group_total(struct progress_group *g, uint64_t total)
{
    if (g != NULL)
        atomic_store(&g->c.total, total);
}

void progress_group_end(struct progress_group *g)
{
    if (g != NULL)
        end(&g->c);
}

static void view_fill(struct progress_view *out, struct counted *c)
{
    *out = (struct progress_view){
        .total = atomic_load(&c->total),
        .started_ms = c->started_ms,
        /* First the end: whoever sees it sees the final counters. */
        .ended_ms = atomic_load(&c->ended_ms),
    };
    out->done = atomic_load_explicit(&c->done, memory_order_relaxed);
    out->read = atomic_load_explicit(&c->read, memory_order_relaxed);
    out->moved = atomic_load_explicit(&c->moved, memory_order_relaxed);
    utf8_copy(out->verb, sizeof(out->verb), c->verb);
    utf8_copy(out->name, sizeof(out->name), c->name);
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
            view_fill(&out[n], &t->c);
        n++;
    }
    pthread_mutex_unlock(&p->locked.lock);
    return n;
}

size_t progress_groups(struct progress *p, struct progress_view *out,
                       size_t cap)
{
    if (p == NULL)
        return 0;
    size_t n = 0;
    pthread_mutex_lock(&p->locked.lock);
    for (struct progress_group *g = p->locked.first_group; g != NULL;
         g = g->next) {
        if (n < cap)
            view_fill(&out[n], &g->c);
        n++;
    }
    pthread_mutex_unlock(&p->locked.lock);
    return n;
}

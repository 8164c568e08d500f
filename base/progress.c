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
    struct progress_task *group; /* that it counts for, too; or NULL */
    char verb[sizeof(((struct progress_view *)NULL)->verb)]; /* a group's is
                                           guarded by the lock */
    char name[PROGRESS_NAME_CHARS];
    int64_t started_ms;
    atomic_uint_least64_t total, done, read, moved;
    atomic_int_least64_t ended_ms; /* 0 while running */
};

/* Owned, oldest first. */
struct list {
    struct progress_task *first;
    struct progress_task **end; /* where the next one is linked in */
};

struct progress {
    atomic_size_t expected;
    struct {
        pthread_mutex_t lock;
        struct list tasks, groups;
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
    p->locked.tasks.end = &p->locked.tasks.first;
    p->locked.groups.end = &p->locked.groups.first;
    return p;
}

static void free_all(struct list *l)
{
    for (struct progress_task *t = l->first; t != NULL;) {
        struct progress_task *next = t->next;
        free(t);
        t = next;
    }
}

void progress_free(struct progress *p)
{
    if (p == NULL)
        return;
    free_all(&p->locked.tasks);
    free_all(&p->locked.groups);
    pthread_mutex_destroy(&p->locked.lock);
    free(p);
}

static struct progress_task *begin(struct progress *p, struct list *l,
                                   struct progress_task *group,
                                   const char *verb, const char *name,
                                   uint64_t total)
{
    struct progress_task *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    utf8_copy(t->verb, sizeof(t->verb), verb);
    utf8_copy(t->name, sizeof(t->name), name);
    atomic_store(&t->total, total);
    t->started_ms = utc_mono_ms();
    t->group = group;

    pthread_mutex_lock(&p->locked.lock);
    *l->end = t;
    l->end = &t->next;
    if (group != NULL && group->verb[0] == '\0')
        utf8_copy(group->verb, sizeof(group->verb), verb);
    pthread_mutex_unlock(&p->locked.lock);
    return t;
}

struct progress_task *progress_begin_in(struct progress *p,
                                        struct progress_task *group,
                                        const char *verb, const char *name,
                                        uint64_t total)
{
    if (p == NULL)
        return NULL;
    return begin(p, &p->locked.tasks, group, verb, name, total);
}

struct progress_task *progress_begin(struct progress *p, const char *verb,
                                     const char *name, uint64_t total)
{
    return progress_begin_in(p, NULL, verb, name, total);
}

struct progress_task *progress_begin_group(struct progress *p, const char *name)
{
    if (p == NULL)
        return NULL;
    return begin(p, &p->locked.groups, NULL, "", name, 0);
}

void progress_total(struct progress_task *t, uint64_t total)
{
    if (t != NULL)
        atomic_store(&t->total, total);
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
    for (; t != NULL; t = t->group) {
        atomic_fetch_add_explicit(&t->done, done, memory_order_relaxed);
        atomic_fetch_add_explicit(&t->read, read, memory_order_relaxed);
        atomic_fetch_add_explicit(&t->moved, moved, memory_order_relaxed);
    }
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

static void view_fill(struct progress_view *out, struct progress_task *t)
{
    *out = (struct progress_view){
        .total = atomic_load(&t->total),
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

static size_t view_all(struct progress *p, const struct list *l,
                       struct progress_view *out, size_t cap)
{
    size_t n = 0;
    pthread_mutex_lock(&p->locked.lock);
    for (struct progress_task *t = l->first; t != NULL; t = t->next) {
        if (n < cap)
            view_fill(&out[n], t);
        n++;
    }
    pthread_mutex_unlock(&p->locked.lock);
    return n;
}

size_t progress_snapshot(struct progress *p, struct progress_view *out,
                         size_t cap)
{
    return p != NULL ? view_all(p, &p->locked.tasks, out, cap) : 0;
}

size_t progress_groups(struct progress *p, struct progress_view *out,
                       size_t cap)
{
    return p != NULL ? view_all(p, &p->locked.groups, out, cap) : 0;
}

// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

/*
 * What long work has done, for whoever shows it.  The engine owns the numbers
 * (atomics, raised at completion); cli/ takes snapshots on its own thread.  A
 * NULL progress or task is accepted everywhere and does nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"

#define PROGRESS_NAME_CHARS 96

struct progress;
struct progress_task; /* one disk or file, or a group of them: a VM; owned by
                         its progress */

struct progress *progress_new(struct err *e);
void progress_free(struct progress *p);

/* A new task of `total` bytes ("backup", "web1/vda.qcow2"); NULL without
 * memory, which only loses the display. */
struct progress_task *progress_begin(struct progress *p, const char *verb,
                                     const char *name, uint64_t total);
void progress_end(struct progress_task *t);

/* So many groups will be begun in all, so that whoever shows it can say how
 * much is left.  Not called: it is about tasks alone. */
void progress_expect(struct progress *p, size_t groups);
size_t progress_expected(struct progress *p); /* 0: nothing was said */

/* A new group: a task that counts what others do, which are begun in it; NULL
 * as above.  It is ended likewise. */
struct progress_task *progress_begin_group(struct progress *p,
                                           const char *name);
/* How many bytes a task has, or all of a group's together, once it is known. */
void progress_total(struct progress_task *t, uint64_t total);
/* A task whose bytes count for the group (NULL: for none), too. */
struct progress_task *progress_begin_in(struct progress *p,
                                        struct progress_task *group,
                                        const char *verb, const char *name,
                                        uint64_t total);

/* Adds bytes of the task dealt with, of them read from the source, and bytes
 * that went to (or came from) the storage. */
void progress_add(struct progress_task *t, uint64_t done, uint64_t read,
                  uint64_t moved);

struct progress_view {
    char verb[16];
    char name[PROGRESS_NAME_CHARS];
    uint64_t total, done, read, moved;
    int64_t started_ms, ended_ms; /* utc_mono_ms; ended 0 while running */
};

/* Copies up to cap tasks, but no groups, oldest first; returns how many there
 * are. */
size_t progress_snapshot(struct progress *p, struct progress_view *out,
                         size_t cap);
/* The same of groups; their verb is that of their first task, or "". */
size_t progress_groups(struct progress *p, struct progress_view *out,
                       size_t cap);

static inline void progress_freep(struct progress **p)
{
    progress_free(*p);
}
#define AUTO_PROGRESS AUTO(progress_freep)

#endif

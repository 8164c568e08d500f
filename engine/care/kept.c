// SPDX-License-Identifier: Apache-2.0
/* From points as they are listed to series as retention judges them. */
#include "engine/care/kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/repo/keep.h"

static struct eng_kept kept_of(const struct eng_point *p,
                               const struct eng_keeps *marks)
{
    const struct mf_point *m = p->manifest;
    struct eng_kept k = { .time = p->time,
                          .protect = eng_keeps_has(marks, p),
                          .damaged = m == NULL };

    if (m != NULL) {
        k.gfs = m->gfs;
        k.locked_until = m->locked_until;
        k.policy = &m->retention;
    }
    return k;
}

static bool same_series(const struct eng_point *a, const struct eng_point *b)
{
    return strcmp(a->vm_key, b->vm_key) == 0 &&
           strcmp(a->keyset, b->keyset) == 0;
}

struct eng_kept *eng_kept_judge(struct eng_repo *r, const struct cancel *cancel,
                                const struct eng_points *ps, int64_t now,
                                struct err *e)
{
    AUTO_ENG_KEEPS struct eng_keeps marks = { 0 };
    AUTO_MEM struct eng_kept *kept =
        calloc(ps->n > 0 ? ps->n : 1, sizeof(*kept));

    if (kept == NULL) {
        err_nomem(e);
        return NULL;
    }
    for (size_t i = 0; i < ps->n; i++) {
        if ((i == 0 || strcmp(ps->p[i].keyset, ps->p[i - 1].keyset) != 0) &&
            eng_keeps_of_keyset(r, cancel, ps->p[i].keyset, &marks, e) < 0)
            return NULL;
        kept[i] = kept_of(&ps->p[i], &marks);
    }
    for (size_t from = 0, i = 1; i <= ps->n; i++) {
        if (i < ps->n && same_series(&ps->p[i], &ps->p[from]))
            continue;
        struct err why = { 0 };
        if (eng_retention_apply(kept + from, i - from, now, &why) < 0)
            log_warn("retention", "%s: nothing expires: %s", ps->p[from].vm,
                     why.msg);
        from = i;
    }
    return STEAL(kept);
}

/* --- points that are gone --- */

struct ghost {
    struct eng_kept kept;
    bool *over; /* where the answer goes; NULL: the point is there */
};

static int by_time(const void *pa, const void *pb)
{
    int64_t a = ((const struct ghost *)pa)->kept.time;
    int64_t b = ((const struct ghost *)pb)->kept.time;

    return a == b ? 0 : a < b ? -1 : 1;
}

/* False: no point's key. */
static bool ghost_of(const char *keyset, const char *key,
                     char vm_key[MF_VMKEY_CHARS], int64_t *time)
{
    char file[MF_POINT_FILE_CHARS];
    uint8_t hash[8];

    return mf_key_parse_point(key, keyset, vm_key, file) &&
           mf_point_file_parse(file, time, hash);
}

/* The points of vm_key that are there, and the policy of the last of them. */
static size_t add_points(const struct eng_points *ps, const char *vm_key,
                         struct ghost *out, const struct mf_retention **policy)
{
    static const struct eng_keeps none = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < ps->n; i++) {
        if (strcmp(ps->p[i].vm_key, vm_key) != 0)
            continue;
        out[n].kept = kept_of(&ps->p[i], &none);
        out[n].over = NULL;
        if (out[n].kept.policy != NULL)
            *policy = out[n].kept.policy;
        n++;
    }
    return n;
}

/* A whole series, with those that are gone; kept: as much room. */
static void judge_ghosts(struct ghost *all, size_t n, struct eng_kept *kept,
                         int64_t now)
{
    struct err ignored = { 0 };

    qsort(all, n, sizeof(*all), by_time);
    for (size_t i = 0; i < n; i++)
        kept[i] = all[i].kept;
    if (eng_retention_apply(kept, n, now, &ignored) < 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (all[i].over != NULL)
            *all[i].over = kept[i].expired;
}

bool *eng_kept_were_over(const char *keyset, const struct eng_points *ps,
                         const struct eng_names *gone, int64_t now,
                         struct err *e)
{
    AUTO_MEM bool *over = calloc(gone->n + 1, sizeof(*over));
    size_t room = ps->n + gone->n + 1;
    AUTO_MEM struct ghost *all = calloc(room, sizeof(*all));
    AUTO_MEM struct eng_kept *kept = calloc(room, sizeof(*kept));

    if (over == NULL || all == NULL || kept == NULL) {
        err_nomem(e);
        return NULL;
    }
    for (size_t i = 0, next = 0; i < gone->n; i = next) {
        char vm_key[MF_VMKEY_CHARS];
        char its[MF_VMKEY_CHARS];
        int64_t time = 0;
        const struct mf_retention *policy = NULL;
        next = i + 1;
        if (!ghost_of(keyset, gone->s[i], vm_key, &time))
            continue;
        size_t n = add_points(ps, vm_key, all, &policy);
        for (next = i;
             next < gone->n && ghost_of(keyset, gone->s[next], its, &time) &&
             strcmp(its, vm_key) == 0;
             next++)
            all[n++] = (struct ghost){
                .kept = { .time = time, .policy = policy },
                .over = &over[next],
            };
        judge_ghosts(all, n, kept, now);
    }
    return STEAL(over);
}

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
    if (eng_keeps_list(r, cancel, NULL, &marks, e) < 0)
        return NULL;
    for (size_t i = 0; i < ps->n; i++)
        kept[i] = kept_of(&ps->p[i], &marks);
    for (size_t from = 0, i = 1; i <= ps->n; i++) {
        if (i < ps->n && strcmp(ps->p[i].vm_key, ps->p[from].vm_key) == 0)
            continue;
        struct err why = { 0 };
        if (eng_retention_apply(kept + from, i - from, now, &why) < 0)
            log_warn("retention", "%s: nothing expires: %s", ps->p[from].vm,
                     why.msg);
        from = i;
    }
    return STEAL(kept);
}

/* The series of vm_key in out, which has room for it, without marks.  Its
 * newest policy stands for that of a point that is gone. */
static size_t series_of(const struct eng_points *ps, const char *vm_key,
                        struct eng_kept *out,
                        const struct mf_retention **policy)
{
    static const struct eng_keeps none = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < ps->n; i++) {
        if (strcmp(ps->p[i].vm_key, vm_key) != 0)
            continue;
        out[n] = kept_of(&ps->p[i], &none);
        if (out[n].policy != NULL)
            *policy = out[n].policy;
        n++;
    }
    return n;
}

bool eng_kept_was_over(const struct eng_points *ps, const char *vm_key,
                       int64_t time, int64_t now)
{
    AUTO_MEM struct eng_kept *kept = calloc(ps->n + 1, sizeof(*kept));
    struct eng_kept gone = { .time = time };
    struct err ignored = { 0 };

    if (kept == NULL)
        return false;
    size_t n = series_of(ps, vm_key, kept, &gone.policy);
    size_t at = n;
    while (at > 0 && kept[at - 1].time > time)
        at--;
    memmove(kept + at + 1, kept + at, (n - at) * sizeof(*kept));
    kept[at] = gone;
    return eng_retention_apply(kept, n + 1, now, &ignored) == 0 &&
           kept[at].expired;
}

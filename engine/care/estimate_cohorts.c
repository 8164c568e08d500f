// SPDX-License-Identifier: Apache-2.0
/*
 * Locks, as expectations.  An object that was locked for lock date M carries
 * the first moment of its phase that is not before M.  For L > M it has to be
 * extended exactly if that moment lies before L; phases are spread evenly over
 * a generation G, so the share is (L - M) / G, at most 1.  So all that matters
 * of an object is the latest lock date of the points that needed it.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/care/estimate_impl.h"

int eng_estimate_cohorts_init(struct estimate_cohorts *c, size_t cap,
                              struct err *e)
{
    *c = (struct estimate_cohorts){ .c = calloc(cap, sizeof(*c->c)) };
    return c->c != NULL ? 0 : err_nomem(e);
}

void eng_estimate_cohorts_add(struct estimate_cohorts *c, int64_t until,
                              double n)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->c[i].until == until) {
            c->c[i].n += n;
            return;
        }
    c->c[c->n++] = (struct estimate_cohort){ .until = until, .n = n };
}

double eng_estimate_cohorts_total(const struct estimate_cohorts *c)
{
    double n = 0;

    for (size_t i = 0; i < c->n; i++)
        n += c->c[i].n - c->c[i].gone;
    return n;
}

void eng_estimate_cohorts_leave(struct estimate_cohorts *c, double share)
{
    for (size_t i = 0; i < c->n; i++)
        c->c[i].n *= 1 - share;
}

double eng_estimate_cohorts_extend(struct estimate_cohorts *c, int64_t until,
                                   uint64_t generation_s)
{
    size_t kept = 0;
    double joined = 0;
    double calls = 0;

    for (size_t i = 0; i < c->n; i++) {
        struct estimate_cohort now = c->c[i];
        if (now.until > until) {
            c->c[kept++] = now;
            continue;
        }
        joined += now.n;
        calls +=
            now.n * fmin(1, (double)(until - now.until) / (double)generation_s);
    }
    c->n = kept;
    if (joined > 0)
        eng_estimate_cohorts_add(c, until, joined);
    return calls;
}

double eng_estimate_cohorts_delete(struct estimate_cohorts *c, int64_t t,
                                   uint64_t generation_s)
{
    size_t kept = 0;
    double deleted = 0;

    for (size_t i = 0; i < c->n; i++) {
        struct estimate_cohort now = c->c[i];
        double over = generation_s == 0
                          ? 1
                          : (double)(t - now.until) / (double)generation_s;
        double gone = now.n * fmax(0, fmin(1, over));
        if (gone > now.gone) {
            deleted += gone - now.gone;
            now.gone = gone;
        }
        if (over < 1)
            c->c[kept++] = now;
    }
    c->n = kept;
    return deleted;
}

void eng_estimate_cohorts_free(struct estimate_cohorts *c)
{
    free(c->c);
    *c = (struct estimate_cohorts){ 0 };
}

/* The share of the newest point's objects that are as old as `runs` runs. */
static double older(const struct estimate_vm *vm, enum estimate_class class,
                    double runs)
{
    const struct eng_estimate_series *of = vm->of;
    double stay = eng_estimate_stays(vm->leave[class], runs);

    if (class != ESTIMATE_OVERLAYS || of->overlays <= 0)
        return stay;
    /* Where changes go on top of old blocks, younger overlays are those of all
     * blocks that were changed since. */
    double blocks = fmax(of->bases, of->overlays);
    return fmax(0, 1 - blocks / of->overlays * (1 - stay));
}

void eng_estimate_cohorts_begin(struct estimate_vm *vm,
                                enum estimate_class class, double n)
{
    struct estimate_cohorts *to = &vm->needed[class];
    const struct eng_kept *newest = &vm->points[vm->n_points - 1];
    int64_t until = newest->locked_until;
    double rest = n;

    for (size_t i = vm->n_points - 1; i-- > 0;) {
        const struct eng_kept *p = &vm->points[i];
        if (p->locked_until <= until)
            continue;
        double runs = round((double)(newest->time - p->time) / ESTIMATE_DAY_S);
        double as_old = fmin(rest, n * older(vm, class, runs));
        eng_estimate_cohorts_add(to, until, rest - as_old);
        rest = as_old;
        until = p->locked_until;
    }
    eng_estimate_cohorts_add(to, until, rest);
}

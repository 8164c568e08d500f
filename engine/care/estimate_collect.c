// SPDX-License-Identifier: Apache-2.0
/*
 * What a collection asks for, in the order of collect.c: points that are over,
 * what the others need, a count of what they do not, its deletion, and what
 * lies below gc/.
 */
#include <math.h>
#include <string.h>

#include "engine/care/collect_impl.h"
#include "engine/care/estimate_impl.h"

static double runs_between(const struct eng_kept *a, const struct eng_kept *b)
{
    return round((double)(b->time - a->time) / ESTIMATE_DAY_S);
}

/* Of a point's objects those that the next one does not need. */
static double dropped(const struct estimate_vm *vm, size_t i,
                      enum estimate_class class)
{
    double runs = runs_between(&vm->points[i], &vm->points[i + 1]);

    return eng_estimate_cohorts_total(&vm->needed[class]) *
           (1 - eng_estimate_stays(vm->leave[class], runs));
}

double eng_estimate_older(const struct estimate_vm *vm,
                          enum estimate_class class)
{
    double n = 0;

    for (size_t i = 0; i + 1 < vm->n_points; i++)
        n += dropped(vm, i, class);
    return n;
}

static void remove_point(struct estimate *s, struct estimate_vm *vm, size_t i)
{
    s->bytes -= vm->of->manifest_bytes;
    for (size_t j = i + 1; j < vm->n_points; j++) {
        vm->points[j - 1] = vm->points[j];
        memcpy(vm->deleted[j - 1], vm->deleted[j], sizeof(vm->deleted[j]));
    }
    vm->n_points--;
}

/* Points that are over: their number, and of these those that the server still
 * holds.  Before them: points that are there. */
static int expire(struct estimate *s, int64_t t, double *over, double *held,
                  struct err *e)
{
    double there = eng_estimate_points(s);
    double kept = 0;

    for (size_t v = 0; v < s->f->n_series; v++) {
        struct estimate_vm *vm = &s->vm[v];
        if (eng_retention_apply(vm->points, vm->n_points, t, e) < 0)
            return -1;
        for (size_t i = 0; i < vm->n_points; i++) {
            if (vm->points[i].expired)
                *held += 1 - eng_estimate_unlocked(s, &vm->points[i], t);
            else
                kept++;
        }
    }
    *over = there - kept;
    s->collected = t;
    return 0;
}

/* What becomes of the objects of a class that point i, which is over, was the
 * last to need: those that are freed, and of these those that no lock holds. */
struct fate {
    double freed, unlocked;
};

/* They are freed once the manifests of this and all older points that have them
 * are gone; a point that stays keeps them for itself. */
static struct fate fate_of(const struct estimate *s,
                           const struct estimate_vm *vm, size_t i,
                           enum estimate_class class, int64_t t)
{
    double unlocked = eng_estimate_unlocked(s, &vm->points[i], t);
    double freed = dropped(vm, i, class) * unlocked;

    for (size_t k = i; k-- > 0;) {
        const struct eng_kept *p = &vm->points[k];
        double has = eng_estimate_stays(vm->leave[class],
                                        runs_between(p, &vm->points[i]));
        double gone = p->expired ? eng_estimate_unlocked(s, p, t) : 0;
        freed *= 1 - has * (1 - gone);
        if (!p->expired)
            break;
    }
    return (struct fate){ freed, freed * unlocked };
}

/* Objects of a class that points need which are there. */
static double needed(const struct estimate *s, enum estimate_class class)
{
    double n = 0;

    for (size_t v = 0; v < s->f->n_series; v++) {
        const struct estimate_vm *vm = &s->vm[v];
        n += eng_estimate_cohorts_total(&vm->needed[class]) +
             eng_estimate_older(vm, class);
        for (size_t i = 0; i + 1 < vm->n_points; i++)
            if (vm->points[i].expired)
                n -= fate_of(s, vm, i, class, s->collected).freed;
    }
    return n;
}

/* Of one kind (blocks, pages): deletes what can go, *left is what is freed and
 * held by locks. */
static double free_expired(struct estimate *s, unsigned kind, int64_t t,
                           double *left)
{
    double n = 0;

    for (size_t v = 0; v < s->f->n_series; v++) {
        struct estimate_vm *vm = &s->vm[v];
        for (size_t i = 0; i + 1 < vm->n_points; i++) {
            struct fate all = { 0 };
            if (!vm->points[i].expired)
                continue;
            for (int k = 0; k < ESTIMATE_CLASSES; k++) {
                struct fate f = fate_of(s, vm, i, (enum estimate_class)k, t);
                if ((k == ESTIMATE_PAGES) == (kind == 1)) {
                    all.freed += f.freed;
                    all.unlocked += f.unlocked;
                }
            }
            double now = fmax(0, all.unlocked - vm->deleted[i][kind]);
            vm->deleted[i][kind] += now;
            *left += all.freed - all.unlocked;
            n += now;
        }
    }
    return n;
}

/* Nothing is left of points whose locks are all over. */
static void forget_expired(struct estimate *s, int64_t t)
{
    for (size_t v = 0; v < s->f->n_series; v++) {
        struct estimate_vm *vm = &s->vm[v];
        for (size_t i = 0; i < vm->n_points;)
            if (vm->points[i].expired &&
                eng_estimate_unlocked(s, &vm->points[i], t) >= 1)
                remove_point(s, vm, i);
            else
                i++;
    }
}

static void read_points(struct estimate *s)
{
    eng_estimate_ask(s, OBJ_LIST,
                     eng_estimate_list_pages(eng_estimate_points(s)));
    eng_estimate_ask(s, OBJ_GET, eng_estimate_points(s));
    for (size_t v = 0; v < s->f->n_series; v++)
        s->out->received_bytes +=
            (double)s->vm[v].n_points * s->vm[v].of->manifest_bytes;
}

/* Leases that were written lately are read: those of the day's runs. */
static void look_at_leases(struct estimate *s)
{
    eng_estimate_ask(s, OBJ_LIST, 1 + eng_estimate_list_pages(s->leases));
    eng_estimate_ask(s, OBJ_GET, (double)s->f->n_series);
}

/* Where no locks decide: nobody is at work, our mark, nobody still. */
static void turn(struct estimate *s)
{
    if (s->f->locked)
        return;
    look_at_leases(s);
    eng_estimate_ask(s, OBJ_PUT, 2);
    look_at_leases(s);
    eng_estimate_ask(s, OBJ_GET, 1);
}

/* Retention judges, and once more before it removes. */
static int do_points(struct estimate *s, int64_t t, double *held, struct err *e)
{
    double before = eng_estimate_points(s);
    double over = 0;

    read_points(s);
    eng_estimate_ask(s, OBJ_LIST, 1); /* which are protected */
    if (expire(s, t, &over, held, e) < 0)
        return -1;
    if (over <= 0)
        return 0;
    turn(s);
    eng_estimate_ask(s, OBJ_LIST, 2 * eng_estimate_list_pages(before) + 1);
    eng_estimate_ask(s, OBJ_GET, before);
    eng_estimate_ask(s, OBJ_DELETE, ceil(over / COLLECT_BATCH));
    return 0;
}

static double block_bytes(const struct estimate *s)
{
    return (double)s->f->stored.block_bytes /
           fmax(1, (double)s->f->stored.blocks);
}

static double list_all(double n, bool fine)
{
    return fine ? COLLECT_PREFIXES *
                      eng_estimate_list_pages(n / COLLECT_PREFIXES)
                : eng_estimate_list_pages(n);
}

/* Objects of one kind: `unused` of n are listed and deleted. */
static double free_objects(struct estimate *s, unsigned kind, double *n,
                           int64_t t, bool fine)
{
    struct estimate_cohorts *c = &s->unused[kind];
    double deleted = eng_estimate_cohorts_delete(
        c, t, s->f->locked ? s->f->generation_s : 0);
    double left = eng_estimate_cohorts_total(c);

    deleted += free_expired(s, kind, t, &left);

    if (deleted + left < 1)
        return 0;
    /* Only pieces where there is something are listed again. */
    double pieces =
        fine ? COLLECT_PREFIXES *
                   (1 - pow(1 - 1.0 / COLLECT_PREFIXES, deleted + left))
             : 1;
    eng_estimate_ask(s, OBJ_LIST,
                     list_all(*n, fine) * pieces /
                         (fine ? COLLECT_PREFIXES : 1));
    eng_estimate_ask(s, OBJ_DELETE,
                     pieces * ceil((deleted + left) / pieces / COLLECT_BATCH));
    s->bytes -=
        deleted * (kind == 1 ? eng_estimate_page_bytes(s) : block_bytes(s));
    *n -= deleted;
    s->swept = true;
    return left;
}

static void sweep(struct estimate *s, int64_t t, double held)
{
    bool fine =
        needed(s, ESTIMATE_BASES) + needed(s, ESTIMATE_OVERLAYS) > COLLECT_FEW;

    eng_estimate_ask(s, OBJ_LIST,
                     list_all(s->blocks, fine) + list_all(s->pages, fine) +
                         eng_estimate_list_pages(eng_estimate_points(s)) + 2);
    s->swept = false;
    double left = free_objects(s, 0, &s->blocks, t, fine) +
                  free_objects(s, 1, &s->pages, t, fine);
    if (s->swept) {
        turn(s);
        eng_estimate_ask(s, OBJ_PUT, 1); /* the sweep counter */
        if (!s->f->locked)               /* points that came since */
            eng_estimate_ask(s, OBJ_LIST,
                             eng_estimate_list_pages(eng_estimate_points(s)));
    }
    /* What the server holds is asked for its date. */
    if (s->f->locked)
        eng_estimate_ask(s, OBJ_RETENTION, fmin(1000, left + held));
}

static void tidy(struct estimate *s)
{
    double versions = s->leases * (s->f->versions ? 2 : 1);

    look_at_leases(s);
    eng_estimate_ask(s, OBJ_LIST, eng_estimate_list_pages(versions));
    if (versions >= 1)
        eng_estimate_ask(s, OBJ_DELETE, ceil(versions / COLLECT_BATCH));
    s->leases = 0;
}

int eng_estimate_collection(struct estimate *s, int64_t t, struct err *e)
{
    double held = 0;

    s->out->collections++;
    eng_estimate_ask_open(s);
    eng_estimate_ask(s, OBJ_BUCKET, 2);
    if (!s->f->locked)
        look_at_leases(s);
    eng_estimate_ask(s, OBJ_LIST, 2); /* keysets, damaged objects */
    if (do_points(s, t, &held, e) < 0)
        return -1;
    read_points(s);
    double pages = needed(s, ESTIMATE_PAGES);
    eng_estimate_ask(s, OBJ_GET, pages);
    s->out->received_bytes += pages * eng_estimate_page_bytes(s);
    sweep(s, t, held);
    tidy(s);
    forget_expired(s, t);
    return 0;
}

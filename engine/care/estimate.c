// SPDX-License-Identifier: Apache-2.0
/* The days to come, one by one, and what they cost. */
#include "engine/care/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/care/estimate_impl.h"

#define GIB 1073741824.0
#define MONTH_DAYS 30.0

void eng_estimate_ask(struct estimate *s, enum obj_verb verb, double n)
{
    s->out->requests[verb] += n;
}

void eng_estimate_extend(struct estimate *s, double n)
{
    eng_estimate_ask(s, OBJ_RETENTION, n);
    s->out->extensions += n;
    s->out->extensions_of_day[s->day] += n;
}

double eng_estimate_list_pages(double n)
{
    return fmax(1, ceil(n / ESTIMATE_LIST_PAGE));
}

double eng_estimate_stays(double leave, double runs)
{
    return pow(1 - leave, runs);
}

double eng_estimate_unlocked(const struct estimate *s, const struct eng_kept *p,
                             int64_t t)
{
    int64_t until = p->locked_until + (int64_t)s->f->generation_s;
    int64_t from = p->locked_until;

    if (!s->f->locked || t >= until)
        return 1;
    /* What is there now did not go before. */
    if (from < s->f->now)
        from = s->f->now;
    return t <= from ? 0 : (double)(t - from) / (double)(until - from);
}

double eng_estimate_points(const struct estimate *s)
{
    double n = 0;

    for (size_t v = 0; v < s->f->n_series; v++)
        for (size_t i = 0; i < s->vm[v].n_points; i++) {
            const struct eng_kept *p = &s->vm[v].points[i];
            n += p->expired ? 1 - eng_estimate_unlocked(s, p, s->collected) : 1;
        }
    return n;
}

double eng_estimate_page_bytes(const struct estimate *s)
{
    return (double)s->f->stored.page_bytes /
           fmax(1, (double)s->f->stored.pages);
}

/* --- as it is now --- */

static int begin_policy(struct estimate_vm *vm, struct err *e)
{
    const struct mf_retention *policy = vm->points[vm->n_points - 1].policy;

    vm->gfs = ENG_GFS_NONE;
    if (policy == NULL || !policy->present)
        return 0;
    vm->gfs.weekly = policy->weekly;
    vm->gfs.monthly = policy->monthly;
    vm->gfs.yearly = policy->yearly;
    vm->zone = eng_zone_open(policy->timezone, e);
    return vm->zone != NULL ? 0 : -1;
}

static int begin_vm(struct estimate *s, struct estimate_vm *vm,
                    const struct eng_estimate_series *of, unsigned days,
                    struct err *e)
{
    const double now[ESTIMATE_CLASSES] = {
        [ESTIMATE_BASES] = of->bases,
        [ESTIMATE_OVERLAYS] = of->overlays,
        [ESTIMATE_PAGES] = of->pages,
    };

    vm->of = of;
    vm->units = of->units;
    vm->points = calloc(of->n_points + days, sizeof(*vm->points));
    vm->deleted = calloc(of->n_points + days, sizeof(*vm->deleted));
    if (vm->points == NULL || vm->deleted == NULL)
        return err_nomem(e);
    memcpy(vm->points, of->points, of->n_points * sizeof(*vm->points));
    vm->n_points = of->n_points;
    vm->leave[ESTIMATE_BASES] = s->change * of->whole_share;
    vm->leave[ESTIMATE_OVERLAYS] = s->change;
    if (of->disk_pages > 0)
        vm->leave[ESTIMATE_PAGES] =
            of->disk_pages / of->page_refs *
            (1 - eng_estimate_stays(s->change, of->used / of->disk_pages));
    for (int k = 0; k < ESTIMATE_CLASSES; k++) {
        if (eng_estimate_cohorts_init(&vm->needed[k], of->n_points + days + 1,
                                      e) < 0)
            return -1;
        eng_estimate_cohorts_begin(vm, (enum estimate_class)k, now[k]);
    }
    for (size_t i = 0; i < of->n_points; i++)
        if (of->points[i].locked_until > s->descriptor_until)
            s->descriptor_until = of->points[i].locked_until;
    return begin_policy(vm, e);
}

/* What is stored and not needed.  On a locked repository it lost its points day
 * by day over a generation, and what could go is gone. */
static void begin_unused(struct estimate *s, unsigned kind, double n)
{
    unsigned days =
        s->f->locked ? (unsigned)(s->f->generation_s / ESTIMATE_DAY_S) : 1;
    double weight = 0;

    days = days > 0 ? days : 1;
    for (unsigned d = 0; d < days; d++)
        weight += 1 - (double)d / days;
    for (unsigned d = 0; d < days; d++) {
        struct estimate_cohort c = {
            .until = s->f->now - (int64_t)d * ESTIMATE_DAY_S,
            .n = n / weight,
        };
        c.gone = c.n * d / days;
        s->unused[kind].c[s->unused[kind].n++] = c;
    }
}

static int begin_stored(struct estimate *s, struct err *e)
{
    const struct eng_repo_stats *stored = &s->f->stored;
    size_t generation =
        s->f->locked ? s->f->generation_s / ESTIMATE_DAY_S + 2 : 2;
    double needed[2] = { 0 };
    const double all[2] = { (double)stored->blocks, (double)stored->pages };

    s->blocks = all[0];
    s->pages = all[1];
    s->bytes = (double)stored->block_bytes + (double)stored->page_bytes +
               (double)stored->manifest_bytes;
    for (size_t v = 0; v < s->f->n_series; v++)
        for (int k = 0; k < ESTIMATE_CLASSES; k++)
            needed[k == ESTIMATE_PAGES] +=
                eng_estimate_cohorts_total(&s->vm[v].needed[k]) +
                eng_estimate_older(&s->vm[v], (enum estimate_class)k);
    for (unsigned k = 0; k < 2; k++) {
        if (eng_estimate_cohorts_init(&s->unused[k], generation, e) < 0)
            return -1;
        begin_unused(s, k, fmax(0, all[k] - needed[k]));
    }
    return 0;
}

static int begin(struct estimate *s, unsigned days, struct err *e)
{
    s->vm = calloc(s->f->n_series + 1, sizeof(*s->vm));
    if (s->vm == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < s->f->n_series; i++)
        if (begin_vm(s, &s->vm[i], &s->f->series[i], days, e) < 0)
            return -1;
    return begin_stored(s, e);
}

static void finish(struct estimate *s)
{
    for (size_t i = 0; s->vm != NULL && i < s->f->n_series; i++) {
        for (int k = 0; k < ESTIMATE_CLASSES; k++)
            eng_estimate_cohorts_free(&s->vm[i].needed[k]);
        eng_zone_close(s->vm[i].zone);
        free(s->vm[i].points);
        free(s->vm[i].deleted);
    }
    free(s->vm);
    eng_estimate_cohorts_free(&s->unused[0]);
    eng_estimate_cohorts_free(&s->unused[1]);
}

/* --- the days --- */

/* A day after the newest point, but not before now. */
static int64_t first_run(const struct eng_estimate_facts *f)
{
    int64_t t = f->now;

    for (size_t i = 0; i < f->n_series; i++) {
        const struct eng_estimate_series *v = &f->series[i];
        int64_t next = v->points[v->n_points - 1].time + ESTIMATE_DAY_S;
        if (next > t)
            t = next;
    }
    /* A clock that was set wrong is no reason to wait. */
    return t > f->now + ESTIMATE_DAY_S ? f->now : t;
}

static int pass_days(struct estimate *s, unsigned days, struct err *e)
{
    struct eng_estimate *out = s->out;
    int64_t t = first_run(s->f);

    out->first = t;
    out->stored_bytes = out->stored_bytes_peak = s->bytes;
    for (s->day = 0; s->day < days; s->day++, t += ESTIMATE_DAY_S) {
        if (eng_estimate_runs(s, t, e) < 0)
            return -1;
        out->stored_bytes_peak = fmax(out->stored_bytes_peak, s->bytes);
        if ((s->day + 1) % ENG_ESTIMATE_COLLECT_DAYS == 0 &&
            eng_estimate_collection(s, t, e) < 0)
            return -1;
        out->gib_months += s->bytes / GIB / MONTH_DAYS;
    }
    out->stored_bytes_end = s->bytes;
    return 0;
}

static void set_prices(struct eng_estimate *out, const struct eng_prices *p)
{
    for (int v = 0; v < OBJ_VERBS; v++) {
        out->request_prices[v] = out->requests[v] / 1000 * p->requests[v];
        out->price += out->request_prices[v];
    }
    out->stored_price = out->gib_months * p->stored;
    out->received_price = out->received_bytes / GIB * p->received;
    out->price += out->stored_price + out->received_price;
}

int eng_estimate_make(const struct eng_estimate_facts *f, double change,
                      unsigned days, const struct eng_prices *prices,
                      struct eng_estimate *out, struct err *e)
{
    struct estimate s = { .f = f, .out = out, .change = change };

    *out = (struct eng_estimate){ 0 };
    if (days < 1 || days > ENG_ESTIMATE_DAYS_MAX || !(change >= 0) ||
        change > 1)
        return err_set(e, ERR_USAGE, 0,
                       "an estimate is made for 1 to %d days and a change of 0 "
                       "to 100 %%",
                       ENG_ESTIMATE_DAYS_MAX);
    int result = begin(&s, days, e);
    if (result == 0)
        result = pass_days(&s, days, e);
    finish(&s);
    if (result == 0)
        set_prices(out, prices);
    return result;
}

void eng_estimate_add(struct eng_estimate *to, const struct eng_estimate *x)
{
    for (int v = 0; v < OBJ_VERBS; v++) {
        to->requests[v] += x->requests[v];
        to->request_prices[v] += x->request_prices[v];
    }
    for (int d = 0; d < ENG_ESTIMATE_DAYS_MAX; d++)
        to->extensions_of_day[d] += x->extensions_of_day[d];
    to->first = x->first;
    to->extensions += x->extensions;
    to->sent_bytes += x->sent_bytes;
    to->received_bytes += x->received_bytes;
    to->stored_bytes += x->stored_bytes;
    to->stored_bytes_end += x->stored_bytes_end;
    /* Peaks of different days are fewer bytes than their sum. */
    to->stored_bytes_peak += x->stored_bytes_peak;
    to->gib_months += x->gib_months;
    to->points += x->points;
    if (x->collections > to->collections)
        to->collections = x->collections;
    to->stored_price += x->stored_price;
    to->received_price += x->received_price;
    to->price += x->price;
}

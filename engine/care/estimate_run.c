// SPDX-License-Identifier: Apache-2.0
/* The requests of a day's runs, in the order in which the engine makes them. */
#include <math.h>

#include "engine/care/estimate_impl.h"
#include "engine/repo/lock.h"
#include "manifest/block.h"

/* A run looks at the locks of so many blocks from all over the point. */
#define SAMPLE 8.0
/* More blocks than this are listed by prefix. */
#define ONE_LISTING 1000
#define PREFIXES 256

void eng_estimate_ask_open(struct estimate *s)
{
    eng_estimate_ask(s, OBJ_GET, 1);
    if (s->f->versions)
        eng_estimate_ask(s, OBJ_LIST, 1);
}

/* A collection has been by: the index is filled anew. */
static void list_anew(struct estimate *s)
{
    if (s->blocks <= ONE_LISTING) {
        eng_estimate_ask(s, OBJ_LIST, eng_estimate_list_pages(s->blocks));
    } else {
        eng_estimate_ask(s, OBJ_LIST, 2); /* more than one listing does */
        eng_estimate_ask(s, OBJ_LIST,
                         PREFIXES *
                             eng_estimate_list_pages(s->blocks / PREFIXES));
    }
    eng_estimate_ask(s, OBJ_LIST, eng_estimate_list_pages(s->pages));
    s->swept = false;
}

/* The first run of a command: is the bucket still fit for locks, are there new
 * points? */
static void ask_first(struct estimate *s)
{
    eng_estimate_ask(s, OBJ_BUCKET, s->f->locked ? 3 : 1);
    /* Of keysets; before the manifest, slots that have to be locked. */
    eng_estimate_ask(s, OBJ_LIST, s->f->locked ? 2 : 1);
    eng_estimate_ask(s, OBJ_LIST,
                     eng_estimate_list_pages(eng_estimate_points(s)));
    if (s->swept)
        list_anew(s);
}

/* Lease, twin, sweeps, the counter, marks of damaged objects; the n-th run of a
 * command sees the leases of those before it. */
static void ask_lease(struct estimate *s, size_t nth)
{
    s->leases++;
    eng_estimate_ask(s, OBJ_PUT, 2); /* its beginning and its end */
    eng_estimate_ask(s, OBJ_LIST, 1);
    eng_estimate_ask(s, OBJ_LIST, eng_estimate_list_pages(s->leases));
    eng_estimate_ask(s, OBJ_GET, (double)nth + 1);
    eng_estimate_ask(s, OBJ_GET, 1);
    if (s->f->locked)
        return;
    eng_estimate_ask(s, OBJ_LIST, 1);
    eng_estimate_ask(s, OBJ_GET, 1); /* the counter after the look at sweeps */
    eng_estimate_ask(s, OBJ_GET, 1); /* a look before the manifest */
}

/* Manifests that a run reads for its flags: of each period those up to the one
 * that has it. */
static double flags_read(const struct estimate_vm *vm, int64_t t)
{
    double n = 0;

    for (unsigned kind = MF_GFS_WEEKLY; kind <= MF_GFS_YEARLY; kind <<= 1) {
        int64_t from = 0;
        int64_t until = 0;
        bool taken = false;
        if (eng_gfs_count(&vm->gfs, kind) == 0)
            continue;
        eng_gfs_period(&vm->gfs, kind, eng_zone_day(vm->zone, t), &from,
                       &until);
        for (size_t i = 0; i < vm->n_points && !taken; i++) {
            int64_t day = eng_zone_day(vm->zone, vm->points[i].time);
            if (day < from || day >= until)
                continue;
            /* The newest was read as the parent. */
            n += i + 1 < vm->n_points;
            taken = (vm->points[i].gfs & kind) != 0;
        }
        if (taken)
            break;
    }
    return n;
}

static void read_parent(struct estimate *s, const struct estimate_vm *vm,
                        int64_t t)
{
    double manifests = 1;

    if (vm->zone != NULL)
        manifests += flags_read(vm, t);
    eng_estimate_ask(s, OBJ_LIST,
                     eng_estimate_list_pages((double)vm->n_points));
    eng_estimate_ask(s, OBJ_GET, manifests + vm->of->page_refs);
    s->out->received_bytes += manifests * vm->of->manifest_bytes +
                              vm->of->page_refs * eng_estimate_page_bytes(s);
}

/* The stored size of a changed block's object.  An overlay holds what was
 * changed before as well, until more than half of the block is. */
static double put_bytes(struct estimate *s, struct estimate_vm *vm)
{
    const struct eng_estimate_series *of = vm->of;
    double whole = of->whole_share;
    double overlay = fmin(MF_UNITS / 2.0, vm->units + of->added);

    vm->units += s->change * ((1 - whole) * overlay - vm->units);
    return of->unit_bytes * (whole * MF_UNITS + (1 - whole) * overlay);
}

/* Changed blocks and the pages that name them are put with their locks; what
 * stays is extended. */
static void change(struct estimate *s, struct estimate_vm *vm, int64_t until)
{
    const struct eng_estimate_series *of = vm->of;
    double blocks = s->change * of->used;
    const double fresh[ESTIMATE_CLASSES] = {
        [ESTIMATE_BASES] = blocks * of->whole_share,
        [ESTIMATE_OVERLAYS] = blocks * (1 - of->whole_share),
        [ESTIMATE_PAGES] = of->page_refs * vm->leave[ESTIMATE_PAGES],
    };
    double bytes = blocks * put_bytes(s, vm) +
                   fresh[ESTIMATE_PAGES] * eng_estimate_page_bytes(s) +
                   of->manifest_bytes;

    for (int k = 0; k < ESTIMATE_CLASSES; k++) {
        struct estimate_cohorts *needed = &vm->needed[k];
        eng_estimate_cohorts_leave(needed, vm->leave[k]);
        if (s->f->locked)
            eng_estimate_extend(s, eng_estimate_cohorts_extend(
                                       needed, until, s->f->generation_s));
        eng_estimate_cohorts_add(needed, until, fresh[k]);
        eng_estimate_ask(s, OBJ_PUT, fresh[k]);
    }
    s->blocks += blocks;
    s->pages += fresh[ESTIMATE_PAGES];
    s->bytes += bytes;
    s->out->sent_bytes += bytes;
}

/* The manifest, and on locked repositories the descriptor's lock before it and
 * looks at locks after it. */
static void make_visible(struct estimate *s, const struct estimate_vm *vm,
                         int64_t until)
{
    const struct eng_estimate_series *of = vm->of;

    eng_estimate_ask(s, OBJ_PUT, 1);
    s->out->points++;
    if (!s->f->locked)
        return;
    if (until > s->descriptor_until) {
        eng_estimate_extend(s, fmin(1, (double)(until - s->descriptor_until) /
                                           (double)s->f->generation_s));
        s->descriptor_until = until;
    }
    double overlays =
        eng_estimate_cohorts_total(&vm->needed[ESTIMATE_OVERLAYS]);
    double whole = fmax(0, of->used - overlays) / fmax(1, of->entries);
    double looks = ceil(of->entries / (floor(of->entries / SAMPLE) + 1));
    eng_estimate_ask(s, OBJ_HEAD, 1 + looks * whole);
}

static int back_up(struct estimate *s, struct estimate_vm *vm, int64_t t,
                   struct err *e)
{
    const struct mf_retention *policy = vm->points[vm->n_points - 1].policy;
    struct eng_kept p = { .time = t, .policy = policy };
    int64_t end = 0;

    if (vm->zone != NULL) {
        p.gfs = eng_gfs_flags(&vm->gfs, vm->zone, vm->points, vm->n_points, t);
        if (eng_retention_end(policy, p.gfs, t, &end, e) < 0)
            return -1;
    }
    if (s->f->locked)
        p.locked_until =
            eng_lock_until(s->f->scope, s->f->immutability_s, t, end);
    read_parent(s, vm, t);
    change(s, vm, p.locked_until);
    make_visible(s, vm, p.locked_until);
    vm->points[vm->n_points++] = p;
    return 0;
}

int eng_estimate_runs(struct estimate *s, int64_t t, struct err *e)
{
    if (s->f->n_series == 0)
        return 0;
    eng_estimate_ask_open(s);
    for (size_t i = 0; i < s->f->n_series; i++) {
        ask_lease(s, i);
        if (i == 0)
            ask_first(s);
        if (back_up(s, &s->vm[i], t, e) < 0)
            return -1;
    }
    return 0;
}

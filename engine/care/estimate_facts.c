// SPDX-License-Identifier: Apache-2.0
/*
 * What an estimate is made of: sizes by a listing, all manifests, and of each
 * VM the maps of its newest point and of the one before it.  The difference of
 * the two says how changed blocks are stored, and how large that is.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/utc.h"
#include "engine/care/estimate.h"
#include "engine/care/idset.h"
#include "engine/care/kept.h"
#include "engine/repo/map.h"
#include "manifest/block.h"

/* So many ids are told apart; of more a part, which ids are for at random. */
#define IDS_MAX 1000000.0
#define PREFIXES 256

struct gathering {
    struct eng_repo *repo;
    const struct cancel *cancel;
    struct eng_estimate_facts *f;
    struct eng_idset blocks, pages; /* of the series so far */
    double scale;                   /* of one id in them */
};

static void gathering_fini(struct gathering *g)
{
    eng_idset_fini(&g->blocks);
    eng_idset_fini(&g->pages);
}

/* --- one VM --- */

/* How many of the newest points are compared with the one before them: what one
 * day has put may be far from the mean. */
#define COMPARED 4

/* What they put. */
struct difference {
    double blocks, whole, pages;
    double units, added; /* of the overlays; that were not there before */
    double stored_bytes;
};

/* That an overlay replaces. */
static double units_of(const struct mf_entry *m)
{
    return m->kind == MF_OVER ? __builtin_popcountll(m->units) : 0;
}

static int add_id(struct gathering *g, struct eng_idset *to,
                  const struct mf_id *id, double *n, struct err *e)
{
    size_t before = to->n;

    if (eng_idset_add(to, id, 1, e) < 0)
        return -1;
    *n += (double)(to->n - before) * g->scale;
    return 0;
}

static int add_map(struct gathering *g, const struct eng_map *map, bool disk,
                   struct eng_estimate_series *s, struct err *e)
{
    s->entries += (double)map->n;
    for (uint64_t i = 0; i < map->n; i++) {
        const struct mf_entry *m = &map->entries[i];
        if (m->kind == MF_ZERO)
            continue;
        s->used += disk;
        s->units += disk ? units_of(m) : 0; /* the sum, as yet */
        if ((m->kind == MF_WHOLE || m->has_base) &&
            add_id(g, &g->blocks, &m->id, &s->bases, e) < 0)
            return -1;
        if (m->kind == MF_OVER && m->has_over &&
            add_id(g, &g->blocks, &m->over, &s->overlays, e) < 0)
            return -1;
    }
    return 0;
}

static int add_pages(struct gathering *g, const struct mf_stream *stream,
                     bool disk, struct eng_estimate_series *s, struct err *e)
{
    for (uint64_t i = 0; i < stream->n_pages; i++) {
        if (stream->pages[i].zero)
            continue;
        s->page_refs++;
        s->disk_pages += disk;
        if (add_id(g, &g->pages, &stream->pages[i].id, &s->pages, e) < 0)
            return -1;
    }
    return 0;
}

static void compare(const struct mf_stream *now, const struct eng_map *map,
                    const struct mf_stream *before, const struct eng_map *old,
                    struct difference *d)
{
    for (uint64_t i = 0; i < map->n && i < old->n; i++) {
        const struct mf_entry *m = &map->entries[i];
        if (m->kind == MF_ZERO || mf_entry_eq(m, &old->entries[i]))
            continue;
        d->blocks++;
        d->whole += m->kind == MF_WHOLE;
        d->units += units_of(m);
        d->added += fmax(0, units_of(m) - units_of(&old->entries[i]));
    }
    for (uint64_t i = 0; i < now->n_pages && i < before->n_pages; i++)
        d->pages += !now->pages[i].zero &&
                    (before->pages[i].zero ||
                     !mf_id_eq(&now->pages[i].id, &before->pages[i].id));
}

static const struct mf_stream *same_disk(const struct mf_point *p,
                                         const struct mf_stream *s)
{
    for (size_t i = 0; p != NULL && i < p->n_disks; i++)
        if (strcmp(p->disks[i].name, s->name) == 0 &&
            p->disks[i].block_size == s->block_size)
            return &p->disks[i];
    return NULL;
}

/* The points of `newest` with those before them; each map is read once.  map:
 * of this disk in the newest; it gets others. */
static int compare_disk(struct gathering *g, const struct mf_stream *disk,
                        const struct mf_point *const *newest,
                        struct eng_map *map, struct difference *d,
                        struct err *e)
{
    for (int i = 1; i <= COMPARED && newest[i] != NULL; i++) {
        AUTO_ENG_MAP struct eng_map old = { 0 };
        const struct mf_stream *was = same_disk(newest[i], disk);
        if (was == NULL)
            return 0;
        if (eng_map_load(g->repo, was, g->cancel, &old, e) < 0)
            return -1;
        compare(disk, map, was, &old, d);
        struct eng_map newer = *map;
        *map = old;
        old = newer; /* freed */
        disk = was;
    }
    return 0;
}

/* newest: NULL where it is not compared. */
static int add_stream(struct gathering *g, const struct mf_stream *stream,
                      const struct mf_point *const *newest,
                      struct eng_estimate_series *s, struct difference *d,
                      struct err *e)
{
    AUTO_ENG_MAP struct eng_map map = { 0 };
    bool disk = newest != NULL;

    if (eng_map_load(g->repo, stream, g->cancel, &map, e) < 0 ||
        add_map(g, &map, disk, s, e) < 0 ||
        add_pages(g, stream, disk, s, e) < 0)
        return -1;
    return disk ? compare_disk(g, stream, newest, &map, d, e) : 0;
}

static double mean(uint64_t bytes, double n)
{
    return n > 0 ? (double)bytes / n : 0;
}

/* How a changed block is stored; where nothing tells, as a whole one. */
static void judge_changes(const struct gathering *g, const struct difference *d,
                          struct eng_estimate_series *s)
{
    const struct eng_repo_stats *stored = &g->f->stored;
    double pages = d->pages * mean(stored->page_bytes, (double)stored->pages);
    double units = d->whole * MF_UNITS + d->units;

    s->whole_share = 1;
    s->unit_bytes =
        mean(stored->block_bytes, (double)stored->blocks) / MF_UNITS;
    s->units = s->used > 0 ? s->units / s->used : 0;
    if (d->blocks < 1)
        return;
    s->whole_share = d->whole / d->blocks;
    if (d->blocks > d->whole)
        s->added = d->added / (d->blocks - d->whole);
    if (d->stored_bytes > pages && units > 0)
        s->unit_bytes = (d->stored_bytes - pages) / units;
}

/* newest: its points, the newest first, COMPARED and one; NULL: there are no
 * more. */
static int add_series(struct gathering *g, const struct mf_point *const *newest,
                      struct eng_estimate_series *s, struct err *e)
{
    const struct eng_repo_stats *stored = &g->f->stored;
    const struct mf_point *now = newest[0];
    struct difference d = { 0 };

    for (size_t i = 0; i < now->n_disks; i++)
        if (add_stream(g, &now->disks[i], newest, s, &d, e) < 0)
            return -1;
    for (size_t i = 0; i < now->n_files; i++)
        if (add_stream(g, &now->files[i], NULL, s, &d, e) < 0)
            return -1;
    for (int i = 0; i < COMPARED && newest[i + 1] != NULL; i++)
        d.stored_bytes += (double)newest[i]->stats.stored_bytes;
    judge_changes(g, &d, s);
    s->manifest_bytes = mean(stored->manifest_bytes, (double)stored->points);
    return 0;
}

/* --- all of them --- */

/* Points first .. end of the list are one VM's; damaged ones, and those of the
 * future, count for nothing. */
static int take_series(struct gathering *g, size_t first, size_t end,
                       struct err *e)
{
    struct eng_estimate_facts *f = g->f;
    struct eng_estimate_series *s = &f->series[f->n_series];
    const struct mf_point *newest[COMPARED + 1] = { NULL };

    s->points = &f->kept[first];
    for (size_t i = first; i < end; i++) {
        if (f->kept[i].damaged || f->kept[i].time > f->now)
            continue;
        s->points[s->n_points++] = f->kept[i];
        for (int k = COMPARED; k > 0; k--)
            newest[k] = newest[k - 1];
        newest[0] = f->points.p[i].manifest;
    }
    if (newest[0] == NULL)
        return 0;
    f->n_series++;
    if (add_series(g, newest, s, e) < 0)
        return err_ctx(e, "VM %s", newest[0]->vm.name);
    return 0;
}

/* A part of all ids, where there are too many. */
static void begin_ids(struct gathering *g)
{
    const struct eng_repo_stats *stored = &g->f->stored;
    double n = (double)stored->blocks + (double)stored->pages;
    unsigned prefixes = PREFIXES;

    while (prefixes > 1 && n * prefixes / PREFIXES > IDS_MAX)
        prefixes /= 2;
    g->scale = (double)PREFIXES / prefixes;
    eng_idset_begin(&g->blocks, 0, prefixes, SIZE_MAX);
    eng_idset_begin(&g->pages, 0, prefixes, SIZE_MAX);
}

static int gather(struct gathering *g, struct err *e)
{
    struct eng_estimate_facts *f = g->f;
    size_t first = 0;

    if (eng_repo_keeps_versions(g->repo, g->cancel, &f->versions, e) < 0 ||
        eng_points_stats(g->repo, g->cancel, &f->points, &f->stored, e) < 0)
        return -1;
    f->now = utc_now();
    f->kept = eng_kept_judge(g->repo, g->cancel, &f->points, f->now, e);
    f->series = calloc(f->points.n + 1, sizeof(*f->series));
    if (f->kept == NULL)
        return -1;
    if (f->series == NULL)
        return err_nomem(e);
    begin_ids(g);
    for (size_t i = 1; i <= f->points.n; i++) {
        if (i < f->points.n &&
            strcmp(f->points.p[i].vm_key, f->points.p[first].vm_key) == 0)
            continue;
        if (take_series(g, first, i, e) < 0)
            return -1;
        first = i;
    }
    return 0;
}

int eng_estimate_gather(struct eng_repo *r, const struct cancel *cancel,
                        struct eng_estimate_facts *out, struct err *e)
{
    const struct mf_descriptor *d = eng_repo_descriptor(r);
    AUTO(gathering_fini)
    struct gathering g = { .repo = r, .cancel = cancel, .f = out };

    *out = (struct eng_estimate_facts){ .locked = d->locked };
    if (eng_repo_is_simple(r))
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "%s is a directory: nobody counts requests there",
                       eng_repo_name(r));
    if (d->locked) {
        out->scope = d->scope;
        out->immutability_s = eng_repo_immutability(r);
        out->generation_s = d->generation_s;
    }
    if (gather(&g, e) == 0)
        return 0;
    eng_estimate_facts_free(out);
    return -1;
}

void eng_estimate_facts_free(struct eng_estimate_facts *f)
{
    free(f->series);
    free(f->kept);
    eng_points_free(&f->points);
    *f = (struct eng_estimate_facts){ 0 };
}

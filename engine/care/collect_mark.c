// SPDX-License-Identifier: Apache-2.0
/* What points need: manifests, the pages that they name, and the blocks that
 * those name.  Roots are all manifests that verify, hidden or not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/workers.h"
#include "engine/care/collect_impl.h"
#include "engine/repo/internal.h"
#include "engine/repo/point_store.h"
#include "manifest/page.h"

#define ROUNDS 5

static int stop(const char *what, const char *why, struct err *e)
{
    err_set(e, ERR_CORRUPT, 0, "%s cannot be read: %.300s", what, why);
    return err_hint(e, "collection stops, nothing that it may need is "
                       "deleted; see repo recover and repo check");
}

/* --- manifests --- */

static int note_parent(struct collect *c, const struct eng_point *p,
                       struct err *e)
{
    if (p->manifest->parent == NULL)
        return 0;
    struct mf_key key = mf_key_point(p->keyset, p->vm_key, p->manifest->parent);
    return eng_names_add(&c->parents, key.s, e);
}

/* Reads one manifest, takes what it needs, and lets it go. */
static int take_point(struct collect *c, const struct cancel *cancel,
                      struct eng_point *p, struct eng_pagerefs *to,
                      struct err *e)
{
    struct mf_key key = eng_point_key(p);

    if (eng_point_load(c->repo, cancel, p, e) < 0)
        return -1;
    pthread_mutex_lock(&c->lock);
    int r = p->manifest == NULL ? eng_names_add(&c->bad, key.s, e)
                                : eng_pagerefs_add(to, p->manifest, 0, e);
    if (r == 0 && p->manifest != NULL)
        r = note_parent(c, p, e);
    pthread_mutex_unlock(&c->lock);
    mf_point_free(p->manifest);
    p->manifest = NULL;
    return r;
}

struct points_job {
    struct collect *c;
    struct eng_points *names;
};

static int points_worker(void *ctx, struct workers *w, unsigned index,
                         struct err *e)
{
    struct points_job *j = ctx;
    uint64_t i = 0;

    (void)index;
    while (workers_claim(w, &i)) {
        struct mf_key key = eng_point_key(&j->names->p[i]);
        /* A dry run sees what would be there without them. */
        if (j->c->o->dry_run && eng_names_has(&j->c->expired, key.s))
            continue;
        if (take_point(j->c, workers_cancel(w), &j->names->p[i], &j->c->pages,
                       e) < 0)
            return -1;
    }
    return 0;
}

/* A manifest that was not read: it went away meanwhile, it never was one, or
 * nobody may say what it needs. */
static int judge_bad(struct collect *c, struct eng_looker *l,
                     const struct eng_names *known, const char *key,
                     struct err *e)
{
    struct eng_look_want w;
    struct eng_looked found;

    if (!eng_look_manifest(c->repo, key, &w) || eng_look(l, &w, &found, e) < 0)
        return -1;
    if (found.state == ENG_LOOK_ABSENT)
        return 0;
    if (found.state != ENG_LOOK_BAD) {
        AUTO_MF_POINT struct mf_point *m =
            mf_point_decode(eng_looker_plain(l), e);
        return m == NULL ? -1 : eng_pagerefs_add(&c->pages, m, 0, e);
    }
    if (!found.never || eng_names_has(known, key) ||
        eng_names_has(&c->parents, key))
        return stop(key, found.why, e);
    if (c->first && !c->told) {
        c->res->junk++;
        eng_collect_say(c, ENG_COLLECT_JUNK, "%s never was a manifest", key);
    }
    return 0;
}

static int judge_all_bad(struct collect *c, struct err *e)
{
    AUTO_ENG_NAMES struct eng_names seen = { 0 };

    if (c->bad.n == 0)
        return 0;
    AUTO_ENG_LOOKER struct eng_looker *l =
        eng_looker_new(c->repo, c->o->cancel, e);
    if (l == NULL || eng_names_seen(c->repo, &seen, e) < 0)
        return -1;
    eng_names_sort(&c->parents);
    for (size_t i = 0; i < c->bad.n; i++)
        if (judge_bad(c, l, &seen, c->bad.s[i], e) < 0)
            return -1;
    eng_names_free(&c->bad);
    return 0;
}

static int note_roots(struct collect *c, const struct eng_points *names,
                      struct err *e)
{
    eng_names_free(&c->roots);
    for (size_t i = 0; i < names->n; i++) {
        struct mf_key key = eng_point_key(&names->p[i]);
        if (eng_names_add(&c->roots, key.s, e) < 0)
            return -1;
    }
    eng_names_sort(&c->roots);
    return 0;
}

int eng_collect_roots(struct collect *c, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points names = { 0 };
    struct points_job j = { c, &names };

    eng_pagerefs_free(&c->pages);
    eng_names_free(&c->parents);
    eng_names_free(&c->bad);
    if (eng_points_names(c->repo, c->o->cancel, NULL, &names, e) < 0 ||
        note_roots(c, &names, e) < 0)
        return -1;
    if (names.n > 0 &&
        workers_run((unsigned)checked_min(names.n, ENG_REPO_READERS), names.n,
                    c->o->cancel, points_worker, &j, e) < 0)
        return -1;
    if (judge_all_bad(c, e) < 0)
        return -1;
    eng_pagerefs_sort(&c->pages);
    c->points = names.n - (c->o->dry_run ? c->expired.n : 0);
    return 0;
}

/* --- pages --- */

/* One worker's. */
struct reading {
    struct collect *c;
    struct eng_looker *looker;
    struct mf_entry *entries;
};

static void reading_fini(struct reading *r)
{
    eng_looker_free(r->looker);
    free(r->entries);
}

static int reading_init(struct reading *r, struct collect *c,
                        const struct cancel *cancel, struct err *e)
{
    *r = (struct reading){ .c = c };
    r->entries = calloc(MF_PAGE_ENTRIES, sizeof(*r->entries));
    if (r->entries == NULL)
        return err_nomem(e);
    r->looker = eng_looker_new(c->repo, cancel, e);
    return r->looker != NULL ? 0 : -1;
}

static int note_lost(struct collect *c, const struct eng_pageref *p,
                     const char *why, struct err *e)
{
    (void)snprintf(c->lost_why, sizeof(c->lost_why), "%.299s", why);
    return eng_pagerefs_add_one(&c->lost, p, e);
}

static int add_blocks(struct reading *r, const struct eng_pageref *p,
                      struct err *e)
{
    for (uint32_t i = 0; i < p->entries; i++) {
        struct eng_block_need need[2];
        int n = eng_entry_needs(p, &r->entries[i], i, need, e);
        for (int k = 0; k < n; k++)
            if (eng_idset_add(&r->c->blocks, &need[k].id, need[k].len, e) < 0)
                return -1;
        if (n < 0)
            return -1;
    }
    return 0;
}

static int read_page(struct reading *r, const struct eng_pageref *p,
                     struct err *e)
{
    struct eng_looked found;
    int good = eng_pageref_read(r->looker, p, r->entries, &found, e);

    if (good < 0)
        return -1;
    pthread_mutex_lock(&r->c->lock);
    int result =
        good == 1 ? add_blocks(r, p, e) : note_lost(r->c, p, found.why, e);
    pthread_mutex_unlock(&r->c->lock);
    return result;
}

static int pages_worker(void *ctx, struct workers *w, unsigned index,
                        struct err *e)
{
    struct collect *c = ctx;
    AUTO(reading_fini) struct reading r = { 0 };
    uint64_t i = 0;

    (void)index;
    if (reading_init(&r, c, workers_cancel(w), e) < 0)
        return -1;
    while (workers_claim(w, &i))
        if (read_page(&r, &c->pages.p[i], e) < 0)
            return -1;
    return 0;
}

static int read_pages(struct collect *c, unsigned lo, struct err *e)
{
    size_t max = c->o->ids_max != 0 ? c->o->ids_max : 1500000;

    eng_pagerefs_free(&c->lost);
    eng_idset_begin(&c->blocks, lo, 256, max);
    c->res->marks++;
    if (c->pages.n == 0)
        return 0;
    return workers_run((unsigned)checked_min(c->pages.n, ENG_REPO_READERS),
                       c->pages.n, c->o->cancel, pages_worker, c, e);
}

/* Pages that were not read: their points may have been removed meanwhile.  With
 * the roots as they are now: does anybody need them? */
static int still_needed(struct collect *c, struct err *e)
{
    for (size_t i = 0; i < c->lost.n; i++) {
        if (!eng_pagerefs_has(&c->pages, &c->lost.p[i].id))
            continue;
        struct mf_key key =
            mf_key_page(eng_repo_keyset(c->repo), &c->lost.p[i].id);
        return stop(key.s, c->lost_why, e);
    }
    return 0;
}

int eng_collect_mark(struct collect *c, unsigned lo, struct err *e)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (read_pages(c, lo, e) < 0)
            return -1;
        if (c->lost.n == 0)
            return 0;
        if (eng_collect_roots(c, e) < 0 || still_needed(c, e) < 0)
            return -1;
    }
    return err_set(e, ERR_BUSY, 0,
                   "points are removed faster than they are read");
}

/* --- what came since --- */

/* The pages of one new point.  1: it is gone again. */
static int take_new(struct collect *c, struct reading *r, struct eng_point *p,
                    struct err *e)
{
    AUTO_ENG_PAGEREFS struct eng_pagerefs its = { 0 };
    struct mf_key key = eng_point_key(p);

    eng_names_free(&c->bad);
    eng_pagerefs_free(&c->lost);
    if (take_point(c, c->o->cancel, p, &its, e) < 0)
        return -1;
    eng_pagerefs_sort(&its);
    for (size_t i = 0; i < its.n; i++)
        if (read_page(r, &its.p[i], e) < 0)
            return -1;
    if (c->bad.n == 0 && c->lost.n == 0) {
        for (size_t i = 0; i < its.n; i++)
            if (eng_pagerefs_add_one(&c->pages, &its.p[i], e) < 0)
                return -1;
        return eng_names_add(&c->roots, key.s, e);
    }
    struct eng_look_want w;
    struct eng_looked found;
    if (!eng_look_manifest(c->repo, key.s, &w) ||
        eng_look(r->looker, &w, &found, e) < 0)
        return -1;
    if (found.state == ENG_LOOK_ABSENT)
        return 0;
    return c->bad.n > 0 ? stop(key.s, found.why, e)
                        : stop("a page of a new point", c->lost_why, e);
}

int eng_collect_catch_up(struct collect *c, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points names = { 0 };
    AUTO(reading_fini) struct reading r = { 0 };
    size_t before = c->roots.n;

    if (eng_points_names(c->repo, c->o->cancel, NULL, &names, e) < 0)
        return -1;
    for (size_t i = 0; i < names.n; i++) {
        struct mf_key key = eng_point_key(&names.p[i]);
        struct eng_names known = { c->roots.s, before, before };
        if (eng_names_has(&known, key.s))
            continue;
        if (r.looker == NULL && reading_init(&r, c, c->o->cancel, e) < 0)
            return -1;
        if (take_new(c, &r, &names.p[i], e) < 0)
            return -1;
    }
    eng_names_sort(&c->roots);
    eng_pagerefs_sort(&c->pages);
    return 0;
}

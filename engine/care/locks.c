// SPDX-License-Identifier: Apache-2.0
/* Dates of locks as manifests tell them, and the order of a verification. */
#include "engine/care/locks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "engine/care/locks_impl.h"
#include "engine/repo/internal.h"
#include "engine/repo/keysets.h"
#include "engine/repo/locked.h"

#define IDS_MAX ((size_t)1000000)

struct eng_locks_empty eng_locks_empty(const struct eng_repo *r,
                                       const struct eng_points *ps)
{
    struct eng_locks_empty d = { 0 };

    for (size_t i = 0; i < ps->n; i++) {
        const struct mf_point *m = ps->p[i].manifest;
        if (m != NULL && m->locked_until > d.from)
            d.from = m->locked_until;
    }
    /* A cover lies less than a generation behind its date. */
    if (d.from != 0)
        d.by = d.from + (int64_t)eng_repo_descriptor(r)->generation_s;
    return d;
}

const char *eng_locks_word_name(enum eng_locks_word w)
{
    static const char *const names[] = {
        [ENG_LOCKS_SHORT] = "short",
        [ENG_LOCKS_MISSING] = "missing",
        [ENG_LOCKS_UNREADABLE] = "unreadable",
    };
    return names[w];
}

int64_t eng_locks_date(const struct locks *l, uint32_t rank)
{
    return l->points->p[l->order[rank]].manifest->locked_until;
}

static int find(struct locks *l, struct eng_locks_finding *f,
                const struct eng_point *p, struct err *e)
{
    AUTO_MEM char *name = eng_point_text(l->points, p, e);

    if (name == NULL)
        return -1;
    f->point = name;
    pthread_mutex_lock(&l->lock);
    l->res->shorts += f->word == ENG_LOCKS_SHORT;
    l->res->missing += f->word == ENG_LOCKS_MISSING;
    l->res->unreadable += f->word == ENG_LOCKS_UNREADABLE;
    if (l->o->report != NULL)
        l->o->report(l->o->ctx, f);
    pthread_mutex_unlock(&l->lock);
    return 0;
}

int eng_locks_find(struct locks *l, struct eng_locks_finding *f, uint32_t rank,
                   struct err *e)
{
    f->wants = eng_locks_date(l, rank);
    return find(l, f, &l->points->p[l->order[rank]], e);
}

/* A manifest that did not verify: what its point needs is not known, unless it
 * never was one, or is gone by now. */
static int judge_unreadable(struct locks *l, const struct eng_point *p,
                            struct err *e)
{
    struct mf_key key = eng_point_key(p);
    struct eng_look_want w;
    struct eng_looked found;
    AUTO_ENG_LOOKER struct eng_looker *looker =
        eng_looker_new(l->repo, l->o->cancel, e);

    if (looker == NULL || !eng_look_manifest(l->repo, key.s, &w) ||
        eng_look(looker, &w, &found, e) < 0)
        return -1;
    if (found.state == ENG_LOOK_ABSENT ||
        (found.state == ENG_LOOK_BAD && found.never))
        return 0;
    struct eng_locks_finding f = { .word = ENG_LOCKS_UNREADABLE,
                                   .key = key.s,
                                   .version = "",
                                   .mode = "none",
                                   .why = found.state == ENG_LOOK_BAD
                                              ? found.why
                                              : "it changed just now" };
    return find(l, &f, p, e);
}

struct dated {
    int64_t until;
    size_t point;
};

static int by_date(const void *pa, const void *pb)
{
    const struct dated *a = pa;
    const struct dated *b = pb;

    if (a->until != b->until)
        return a->until > b->until ? -1 : 1;
    return a->point < b->point ? -1 : 1;
}

/* Points whose lock lasts, the latest first. */
static int order_points(struct locks *l, struct err *e)
{
    int64_t now = eng_locked_server_now(l->repo);
    AUTO_MEM struct dated *d = calloc(l->points->n + 1, sizeof(*d));

    l->order = calloc(l->points->n + 1, sizeof(*l->order));
    if (d == NULL || l->order == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < l->points->n; i++) {
        const struct mf_point *m = l->points->p[i].manifest;
        if (m == NULL && judge_unreadable(l, &l->points->p[i], e) < 0)
            return -1;
        if (m != NULL && m->locked_until > now)
            d[l->n_order++] = (struct dated){ m->locked_until, i };
    }
    if (l->n_order >= ENG_IDSET_NOTE_MAX)
        return err_set(e, ERR_UNSUPPORTED, 0, "too many points");
    if (l->n_order > 1)
        qsort(d, l->n_order, sizeof(*d), by_date);
    for (size_t i = 0; i < l->n_order; i++)
        l->order[i] = d[i].point;
    l->res->points += l->n_order;
    return 0;
}

static int by_key(const void *pa, const void *pb)
{
    const struct locks_manifest *a = pa;
    const struct locks_manifest *b = pb;

    return strcmp(a->key.s, b->key.s);
}

size_t eng_locks_slots(const struct locks *l)
{
    const struct eng_keyset *k =
        eng_keysets_find(l->repo, eng_repo_keyset(l->repo));

    return k != NULL ? k->n_slots : 0;
}

static int gather(struct locks *l, struct err *e)
{
    l->manifests = calloc(l->n_order + 1, sizeof(*l->manifests));
    if (l->manifests == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < l->n_order; i++) {
        const struct eng_point *p = &l->points->p[l->order[i]];
        l->manifests[i] = (struct locks_manifest){ .key = eng_point_key(p),
                                                   .rank = (uint32_t)i };
        if (eng_pagerefs_add(&l->pages, p->manifest, (uint32_t)i, e) < 0)
            return -1;
    }
    if (l->n_order > 1)
        qsort(l->manifests, l->n_order, sizeof(*l->manifests), by_key);
    eng_pagerefs_sort(&l->pages);
    l->page_seen = calloc(l->pages.n + 1, sizeof(*l->page_seen));
    if (l->page_seen == NULL)
        return err_nomem(e);
    l->res->objects += 1 + l->n_order + eng_locks_slots(l);
    for (size_t i = 0; i < l->pages.n; i++)
        l->res->objects += eng_pagerefs_at(&l->pages, &l->pages.p[i].id) == i;
    return 0;
}

static int verify(struct locks *l, struct err *e)
{
    unsigned lo = 0;

    if (digest_random(&l->seed, sizeof(l->seed), e) < 0 ||
        order_points(l, e) < 0)
        return -1;
    if (l->n_order == 0)
        return 0;
    if (gather(l, e) < 0)
        return -1;
    l->index = eng_repo_existing_index(l->repo);
    l->first = true;
    while (lo < 256) {
        if (eng_locks_mark(l, lo, e) < 0 || eng_locks_ask(l, e) < 0)
            return -1;
        l->res->objects += l->set.n;
        l->first = false;
        lo = l->set.hi;
    }
    return 0;
}

static int verify_keyset(struct eng_repo *r, const struct eng_points *ps,
                         const struct eng_locks_opts *o,
                         struct eng_locks_result *res, struct err *e)
{
    struct locks l = { .repo = r, .points = ps, .o = o, .res = res };

    if (eng_repo_select(r, ps->p[0].keyset, e) < 0)
        return -1;
    l.set.max = o->ids_max != 0 ? o->ids_max : IDS_MAX;
    pthread_mutex_init(&l.lock, NULL);
    int result = verify(&l, e);
    pthread_mutex_destroy(&l.lock);
    eng_index_close(l.index);
    eng_pagerefs_free(&l.pages);
    eng_idset_fini(&l.set);
    free(l.page_seen);
    free(l.manifests);
    free(l.order);
    return result;
}

/* Points of one keyset come one after the other. */
static int verify_all(struct eng_repo *r, const struct eng_points *ps,
                      const struct eng_locks_opts *o,
                      struct eng_locks_result *res, struct err *e)
{
    size_t from = 0;

    for (size_t i = 1; i <= ps->n; i++) {
        if (i < ps->n && strcmp(ps->p[i].keyset, ps->p[from].keyset) == 0)
            continue;
        const struct eng_points of = { .p = ps->p + from, .n = i - from };
        if (of.p[0].sealed)
            res->sealed += of.n;
        else if (verify_keyset(r, &of, o, res, e) < 0)
            return -1;
        from = i;
    }
    return 0;
}

int eng_locks_verify(struct eng_repo *r, const struct eng_points *ps,
                     const struct eng_locks_opts *o,
                     struct eng_locks_result *res, struct err *e)
{
    char before[MF_KEYSET_CHARS];
    struct err ignored = { 0 };

    *res = (struct eng_locks_result){ 0 };
    if (!eng_repo_descriptor(r)->locked)
        return err_set(e, ERR_USAGE, 0,
                       "repository %s has no locks that could be verified: it "
                       "was made without --immutable",
                       eng_repo_name(r));
    (void)snprintf(before, sizeof(before), "%s", eng_repo_keyset(r));
    int result = verify_all(r, ps, o, res, e);
    int back = eng_repo_select(r, before, result < 0 ? &ignored : e);
    return result < 0 ? -1 : back;
}

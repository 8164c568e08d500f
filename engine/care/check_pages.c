// SPDX-License-Identifier: Apache-2.0
/* The pages that points need: each read once per pass, whoever shares it. */
#include <stdlib.h>

#include "base/checked.h"
#include "base/workers.h"
#include "engine/care/check_impl.h"
#include "engine/repo/internal.h"
#include "manifest/page.h"

int eng_check_gather_pages(struct check *c, struct err *e)
{
    for (size_t i = 0; i < c->points.n; i++) {
        const struct mf_point *m = c->points.p[i].manifest;
        if (m != NULL && eng_pagerefs_add(&c->refs, m, 0, e) < 0)
            return -1;
    }
    eng_pagerefs_sort(&c->refs);
    c->pages = calloc(c->refs.n + 1, sizeof(*c->pages));
    if (c->pages == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < c->refs.n; i++)
        c->pages[i].at = &c->refs.p[i];
    c->res->pages += c->refs.n;
    return 0;
}

struct check_page *eng_check_find_page(struct check *c,
                                       const struct mf_stream *s, uint64_t page)
{
    struct eng_pageref p = eng_pageref_of(s, page);
    const struct eng_pageref *at = eng_pagerefs_find(&c->refs, &p);

    return at != NULL ? &c->pages[at - c->refs.p] : NULL;
}

/* One worker's pass over pages. */
struct reading {
    struct check *c;
    enum check_pass pass;
    struct eng_looker *here, *from;
    struct mf_entry *entries;
};

/* Does something for each block that the entries name. */
static int each_block(struct reading *r, struct check_page *p,
                      int (*fn)(struct reading *r, struct check_page *p,
                                const struct mf_id *id, uint32_t len,
                                struct err *e),
                      struct err *e)
{
    for (uint32_t i = 0; i < p->at->entries; i++) {
        struct eng_block_need need[2];
        int n = eng_entry_needs(p->at, &r->entries[i], i, need, e);
        for (int k = 0; k < n; k++)
            if (fn(r, p, &need[k].id, need[k].len, e) < 0)
                return -1;
        if (n < 0)
            return -1;
    }
    return 0;
}

static int collect(struct reading *r, struct check_page *p,
                   const struct mf_id *id, uint32_t len, struct err *e)
{
    (void)p;
    return eng_idset_add(&r->c->set, id, len, e);
}

/* The set holds what is lost. */
static int count(struct reading *r, struct check_page *p,
                 const struct mf_id *id, uint32_t len, struct err *e)
{
    struct eng_idset_slot *s = NULL;

    (void)e;
    while ((s = eng_idset_find(&r->c->set, id, s)) != NULL)
        if (s->len == len && p->lost_blocks++ == 0)
            p->example = *id;
    return 0;
}

/* The page does not verify: noted, and put again where a good one is at hand.
 * 1: it was. */
static int lost_page(struct reading *r, struct check_page *p,
                     const struct eng_look_want *w,
                     const struct eng_looked *found, struct err *e)
{
    size_t index = 0;

    p->lost = true;
    if (eng_check_add_bad(r->c, w, found, &index, e) < 0)
        return -1;
    if (!r->c->o->repair || r->from == NULL)
        return 0;
    return eng_check_mend_one(r->c, r->here, r->from, index, e);
}

static int read_page(struct reading *r, struct check_page *p, struct err *e)
{
    struct eng_look_want w = eng_look_page(r->c->repo, &p->at->id);
    struct eng_looked found;

    if (p->lost)
        return 0;
    int got = eng_pageref_read(r->here, p->at, r->entries, &found, e);
    if (got == 0) {
        int mended = lost_page(r, p, &w, &found, e);
        if (mended <= 0)
            return mended;
        got = eng_pageref_read(r->here, p->at, r->entries, &found, e);
        p->lost = got == 0;
    } else if (got == 1 && found.state == ENG_LOOK_OLDER &&
               r->pass == CHECK_FIRST &&
               eng_check_add_bad(r->c, &w, &found, NULL, e) < 0) {
        return -1;
    }
    if (got <= 0)
        return got;
    if (r->pass == CHECK_COUNT)
        return each_block(r, p, count, e);
    pthread_mutex_lock(&r->c->lock);
    int result = each_block(r, p, collect, e);
    pthread_mutex_unlock(&r->c->lock);
    return result;
}

struct pass {
    struct check *c;
    enum check_pass pass;
};

static int read_worker(void *ctx, struct workers *w, unsigned index,
                       struct err *e)
{
    struct pass *p = ctx;
    struct check *c = p->c;
    uint64_t i = 0;
    AUTO_ENG_LOOKER struct eng_looker *here =
        eng_looker_new(c->repo, workers_cancel(w), e);
    AUTO_ENG_LOOKER struct eng_looker *from = NULL;
    AUTO_MEM struct mf_entry *entries =
        calloc(MF_PAGE_ENTRIES, sizeof(*entries));

    (void)index;
    if (here == NULL)
        return -1;
    if (entries == NULL)
        return err_nomem(e);
    if (eng_check_open_from(c, workers_cancel(w), &from, e) < 0)
        return -1;
    struct reading r = { c, p->pass, here, from, entries };
    while (workers_claim(w, &i))
        if (read_page(&r, &c->pages[i], e) < 0)
            return -1;
    if (p->pass != CHECK_FIRST)
        return 0;
    pthread_mutex_lock(&c->lock);
    c->res->read_bytes += eng_looker_bytes(here);
    pthread_mutex_unlock(&c->lock);
    return 0;
}

int eng_check_read_pages(struct check *c, enum check_pass pass, struct err *e)
{
    struct pass p = { c, pass };

    if (c->refs.n == 0)
        return 0;
    if (pass == CHECK_FIRST)
        c->res->read_objects += c->refs.n;
    return workers_run((unsigned)checked_min(c->refs.n, ENG_REPO_READERS),
                       c->refs.n, c->o->cancel, read_worker, &p, e);
}

// SPDX-License-Identifier: Apache-2.0
/* The pages that points need: each read once per pass, whoever shares it. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/workers.h"
#include "engine/care/check_impl.h"
#include "engine/repo/internal.h"
#include "manifest/block.h"
#include "manifest/page.h"

static int by_page(const void *pa, const void *pb)
{
    const struct check_page *a = pa;
    const struct check_page *b = pb;
    int d = memcmp(a->id.b, b->id.b, MF_ID_BYTES);

    if (d != 0)
        return d;
    if (a->entries != b->entries)
        return a->entries < b->entries ? -1 : 1;
    if (a->block_size != b->block_size)
        return a->block_size < b->block_size ? -1 : 1;
    if (a->last_len != b->last_len)
        return a->last_len < b->last_len ? -1 : 1;
    return 0;
}

static void sort_pages(struct check *c)
{
    size_t kept = 0;

    if (c->n_pages > 1)
        qsort(c->pages, c->n_pages, sizeof(*c->pages), by_page);
    for (size_t i = 0; i < c->n_pages; i++)
        if (kept == 0 || by_page(&c->pages[kept - 1], &c->pages[i]) != 0)
            c->pages[kept++] = c->pages[i];
    c->n_pages = kept;
}

static struct check_page page_of(const struct mf_stream *s, uint64_t page)
{
    uint64_t blocks = mf_block_count(s->size, s->block_size);
    size_t n = mf_page_len(blocks, page);
    uint64_t last = page * MF_PAGE_ENTRIES + n - 1;

    return (struct check_page){ .id = s->pages[page].id,
                                .entries = (uint32_t)n,
                                .block_size = s->block_size,
                                .last_len = mf_block_len(s->size, s->block_size,
                                                         last) };
}

/* Points share most of their pages: before the array grows they are counted
 * once. */
static int add_page(struct check *c, const struct check_page *p, struct err *e)
{
    if (c->n_pages == c->cap_pages)
        sort_pages(c);
    if (c->n_pages >= c->cap_pages / 4 * 3) {
        size_t cap = c->cap_pages == 0 ? 4096 : c->cap_pages * 2;
        struct check_page *grown = realloc(c->pages, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        c->pages = grown;
        c->cap_pages = cap;
    }
    c->pages[c->n_pages++] = *p;
    return 0;
}

static int gather(struct check *c, const struct mf_stream *s, size_t n,
                  struct err *e)
{
    for (size_t i = 0; i < n; i++)
        for (uint64_t page = 0; page < s[i].n_pages; page++) {
            if (s[i].pages[page].zero)
                continue;
            struct check_page p = page_of(&s[i], page);
            if (add_page(c, &p, e) < 0)
                return -1;
        }
    return 0;
}

int eng_check_gather_pages(struct check *c, struct err *e)
{
    for (size_t i = 0; i < c->points.n; i++) {
        const struct mf_point *m = c->points.p[i].manifest;
        if (m != NULL && (gather(c, m->disks, m->n_disks, e) < 0 ||
                          gather(c, m->files, m->n_files, e) < 0))
            return -1;
    }
    sort_pages(c);
    c->res->pages = c->n_pages;
    return 0;
}

struct check_page *eng_check_find_page(struct check *c,
                                       const struct mf_stream *s, uint64_t page)
{
    struct check_page p = page_of(s, page);

    return c->n_pages == 0
               ? NULL
               : bsearch(&p, c->pages, c->n_pages, sizeof(*c->pages), by_page);
}

/* One worker's pass over pages. */
struct reading {
    struct check *c;
    enum check_pass pass;
    struct eng_looker *here, *from;
    struct mf_entry *entries;
};

/* 1: entries are filled; 0: not, *found says why. */
static int open_page(struct reading *r, const struct check_page *p,
                     const struct eng_look_want *w, struct eng_looked *found,
                     struct err *e)
{
    struct err why = { 0 };

    if (eng_look(r->here, w, found, e) < 0)
        return -1;
    if (found->state != ENG_LOOK_GOOD && found->state != ENG_LOOK_OLDER)
        return 0;
    if (mf_page_decode(eng_looker_plain(r->here), r->entries, p->entries,
                       p->block_size, p->last_len, &why) == 0)
        return 1;
    if (why.kind != ERR_CORRUPT) {
        *e = why;
        return -1;
    }
    /* Its name is right, but not for the place where it stands. */
    found->state = ENG_LOOK_BAD;
    memcpy(found->why, why.msg, sizeof(found->why) - 1);
    return 0;
}

/* Does something for each block that the entries name. */
static int each_block(struct reading *r, struct check_page *p,
                      int (*fn)(struct reading *r, struct check_page *p,
                                const struct mf_id *id, uint32_t len,
                                struct err *e),
                      struct err *e)
{
    for (uint32_t i = 0; i < p->entries; i++) {
        const struct mf_entry *m = &r->entries[i];
        uint32_t len = i + 1 == p->entries ? p->last_len : p->block_size;
        uint32_t over = 0;
        if ((m->kind == MF_WHOLE || (m->kind == MF_OVER && m->has_base)) &&
            fn(r, p, &m->id, len, e) < 0)
            return -1;
        if (m->kind != MF_OVER || !m->has_over)
            continue;
        if (mf_units_bytes(m->units, p->block_size, len, &over, e) < 0 ||
            fn(r, p, &m->over, over, e) < 0)
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
    struct eng_look_want w = eng_look_page(&p->id);
    struct eng_looked found;

    if (p->lost)
        return 0;
    int got = open_page(r, p, &w, &found, e);
    if (got == 0) {
        int mended = lost_page(r, p, &w, &found, e);
        if (mended <= 0)
            return mended;
        got = open_page(r, p, &w, &found, e);
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

    if (c->n_pages == 0)
        return 0;
    if (pass == CHECK_FIRST)
        c->res->read_objects += c->n_pages;
    return workers_run((unsigned)checked_min(c->n_pages, ENG_REPO_READERS),
                       c->n_pages, c->o->cancel, read_worker, &p, e);
}

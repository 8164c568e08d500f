// SPDX-License-Identifier: Apache-2.0
#include "engine/care/pagerefs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/block.h"
#include "manifest/page.h"

/* The same page at a place of the same shape. */
static int by_place(const void *pa, const void *pb)
{
    const struct eng_pageref *a = pa;
    const struct eng_pageref *b = pb;
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

static int by_rank(const void *pa, const void *pb)
{
    const struct eng_pageref *a = pa;
    const struct eng_pageref *b = pb;
    int d = by_place(a, b);

    if (d != 0 || a->rank == b->rank)
        return d;
    return a->rank < b->rank ? -1 : 1;
}

void eng_pagerefs_sort(struct eng_pagerefs *s)
{
    size_t kept = 0;

    if (s->n > 1)
        qsort(s->p, s->n, sizeof(*s->p), by_rank);
    for (size_t i = 0; i < s->n; i++)
        if (kept == 0 || by_place(&s->p[kept - 1], &s->p[i]) != 0)
            s->p[kept++] = s->p[i];
    s->n = kept;
}

/* Points share most of their pages: before the array grows they are counted
 * once. */
int eng_pagerefs_add_one(struct eng_pagerefs *s, const struct eng_pageref *p,
                         struct err *e)
{
    if (s->n == s->cap) {
        eng_pagerefs_sort(s);
        if (s->n >= s->cap / 4 * 3) {
            size_t cap = s->cap == 0 ? 4096 : s->cap * 2;
            struct eng_pageref *grown = realloc(s->p, cap * sizeof(*grown));
            if (grown == NULL)
                return err_nomem(e);
            s->p = grown;
            s->cap = cap;
        }
    }
    s->p[s->n++] = *p;
    return 0;
}

struct eng_pageref eng_pageref_of(const struct mf_stream *s, uint64_t page)
{
    uint64_t blocks = mf_block_count(s->size, s->block_size);
    size_t n = mf_page_len(blocks, page);
    uint64_t last = page * MF_PAGE_ENTRIES + n - 1;

    return (struct eng_pageref){ .id = s->pages[page].id,
                                 .entries = (uint32_t)n,
                                 .block_size = s->block_size,
                                 .last_len = mf_block_len(
                                     s->size, s->block_size, last) };
}

static int add_streams(struct eng_pagerefs *s, const struct mf_stream *of,
                       size_t n, uint32_t rank, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        for (uint64_t page = 0; page < of[i].n_pages; page++) {
            if (of[i].pages[page].zero)
                continue;
            struct eng_pageref p = eng_pageref_of(&of[i], page);
            p.rank = rank;
            if (eng_pagerefs_add_one(s, &p, e) < 0)
                return -1;
        }
    return 0;
}

int eng_pagerefs_add(struct eng_pagerefs *s, const struct mf_point *m,
                     uint32_t rank, struct err *e)
{
    if (add_streams(s, m->disks, m->n_disks, rank, e) < 0)
        return -1;
    return add_streams(s, m->files, m->n_files, rank, e);
}

const struct eng_pageref *eng_pagerefs_find(const struct eng_pagerefs *s,
                                            const struct eng_pageref *p)
{
    return s->n == 0 ? NULL : bsearch(p, s->p, s->n, sizeof(*s->p), by_place);
}

size_t eng_pagerefs_at(const struct eng_pagerefs *s, const struct mf_id *id)
{
    size_t lo = 0;
    size_t hi = s->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (memcmp(s->p[mid].id.b, id->b, MF_ID_BYTES) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->n && mf_id_eq(&s->p[lo].id, id) ? lo : s->n;
}

bool eng_pagerefs_has(const struct eng_pagerefs *s, const struct mf_id *id)
{
    return eng_pagerefs_at(s, id) < s->n;
}

void eng_pagerefs_free(struct eng_pagerefs *s)
{
    free(s->p);
    *s = (struct eng_pagerefs){ 0 };
}

int eng_pageref_read(struct eng_looker *l, const struct eng_pageref *p,
                     struct mf_entry *entries, struct eng_looked *found,
                     struct err *e)
{
    struct eng_look_want w = eng_look_page(eng_looker_repo(l), &p->id);
    struct err why = { 0 };

    if (eng_look(l, &w, found, e) < 0)
        return -1;
    if (found->state != ENG_LOOK_GOOD && found->state != ENG_LOOK_OLDER)
        return 0;
    if (mf_page_decode(eng_looker_plain(l), entries, p->entries, p->block_size,
                       p->last_len, &why) == 0)
        return 1;
    if (why.kind != ERR_CORRUPT) {
        *e = why;
        return -1;
    }
    /* Its name is right, but not for the place where it stands. */
    found->state = ENG_LOOK_BAD;
    (void)snprintf(found->why, sizeof(found->why), "%.299s", why.msg);
    return 0;
}

int eng_entry_needs(const struct eng_pageref *p, const struct mf_entry *m,
                    uint32_t i, struct eng_block_need out[2], struct err *e)
{
    uint32_t len = i + 1 == p->entries ? p->last_len : p->block_size;
    int n = 0;

    if (m->kind == MF_WHOLE || (m->kind == MF_OVER && m->has_base))
        out[n++] = (struct eng_block_need){ m->id, len };
    if (m->kind != MF_OVER || !m->has_over)
        return n;
    out[n] = (struct eng_block_need){ .id = m->over };
    if (mf_units_bytes(m->units, p->block_size, len, &out[n].len, e) < 0)
        return -1;
    return n + 1;
}

// SPDX-License-Identifier: Apache-2.0
/* Which blocks locked points need, and which of them the longest: told by their
 * pages, each read once for each range. */
#include <stdlib.h>

#include "base/checked.h"
#include "base/workers.h"
#include "engine/care/locks_impl.h"
#include "engine/repo/internal.h"
#include "manifest/page.h"

/* Lengths do not matter here: an id is one object, and one element. */
#define ANY_LEN 1

/* One worker's. */
struct reading {
    struct locks *l;
    struct eng_looker *looker;
    struct mf_entry *entries;
};

static int add_block(struct locks *l, const struct mf_id *id, uint32_t rank,
                     struct err *e)
{
    if (eng_idset_add(&l->set, id, ANY_LEN, e) < 0)
        return -1;
    struct eng_idset_slot *s = eng_idset_find(&l->set, id, NULL);
    /* NULL: of a later range. */
    if (s != NULL && (s->note == 0 || rank + 1 < s->note))
        s->note = (rank + 1) & ENG_IDSET_NOTE_MAX;
    return 0;
}

static int add_blocks(struct reading *r, const struct eng_pageref *p,
                      struct err *e)
{
    for (uint32_t i = 0; i < p->entries; i++) {
        struct eng_block_need need[2];
        int n = eng_entry_needs(p, &r->entries[i], i, need, e);
        if (n < 0)
            return -1;
        for (int k = 0; k < n; k++)
            if (add_block(r->l, &need[k].id, p->rank, e) < 0)
                return -1;
    }
    return 0;
}

/* A page that is not there is named when it is asked for. */
static int lost(struct locks *l, const struct eng_pageref *p,
                const struct eng_looked *found, struct err *e)
{
    struct mf_key key = mf_key_page(eng_repo_keyset(l->repo), &p->id);
    struct eng_locks_finding f = { .word = ENG_LOCKS_UNREADABLE,
                                   .key = key.s,
                                   .version = "",
                                   .mode = "none",
                                   .why = found->why };

    if (!l->first || found->state == ENG_LOOK_ABSENT)
        return 0;
    return eng_locks_find(l, &f, p->rank, e);
}

static int read_page(struct reading *r, const struct eng_pageref *p,
                     struct err *e)
{
    struct eng_looked found;
    int good = eng_pageref_read(r->looker, p, r->entries, &found, e);

    if (good < 0)
        return -1;
    if (good == 0)
        return lost(r->l, p, &found, e);
    pthread_mutex_lock(&r->l->lock);
    int result = add_blocks(r, p, e);
    pthread_mutex_unlock(&r->l->lock);
    return result;
}

static int work(void *ctx, struct workers *w, unsigned index, struct err *e)
{
    struct locks *l = ctx;
    uint64_t i = 0;
    AUTO_ENG_LOOKER struct eng_looker *looker =
        eng_looker_new(l->repo, workers_cancel(w), e);
    AUTO_MEM struct mf_entry *entries =
        calloc(MF_PAGE_ENTRIES, sizeof(*entries));

    (void)index;
    if (looker == NULL)
        return -1;
    if (entries == NULL)
        return err_nomem(e);
    struct reading r = { l, looker, entries };
    while (workers_claim(w, &i))
        if (read_page(&r, &l->pages.p[i], e) < 0)
            return -1;
    return 0;
}

int eng_locks_mark(struct locks *l, unsigned lo, struct err *e)
{
    eng_idset_begin(&l->set, lo, 256, l->set.max);
    if (l->pages.n == 0)
        return 0;
    return workers_run((unsigned)checked_min(l->pages.n, ENG_REPO_READERS),
                       l->pages.n, l->o->cancel, work, l, e);
}

// SPDX-License-Identifier: Apache-2.0
/* Putting good copies again, and marking what has none. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/workers.h"
#include "engine/care/check_impl.h"
#include "engine/care/mend.h"

#define MENDERS 4 /* each may hold two objects, opened */

/* Another repository seals by other keys, under other names; a copy of this one
 * (a second bucket) has the same. */
int eng_check_choose_from(struct check *c, struct err *e)
{
    const char *keyset = eng_repo_keyset(c->repo);
    struct eng_repo *from = c->o->from;

    c->use_from = c->o->repair && from != NULL;
    if (!c->use_from)
        return 0;
    if (strcmp(keyset, MF_KEYSET_PLAIN) != 0)
        c->use_from = strcmp(eng_repo_descriptor(from)->id,
                             eng_repo_descriptor(c->repo)->id) == 0 &&
                      eng_keyset_at_hand(from, keyset);
    return c->use_from ? eng_repo_select(from, keyset, e) : 0;
}

int eng_check_open_from(struct check *c, const struct cancel *cancel,
                        struct eng_looker **out, struct err *e)
{
    *out = NULL;
    if (!c->use_from)
        return 0;
    *out = eng_looker_new(c->o->from, cancel, e);
    return *out != NULL ? 0 : -1;
}

/* Finds a good copy: its bytes in *stored, its lock.  1, 0, -1. */
static int find_copy(struct check *c, struct eng_looker *here,
                     struct eng_looker *from, const struct eng_look_want *w,
                     struct span *stored, struct obj_lock *lock, struct err *e)
{
    struct eng_looked found;

    if (eng_look(here, w, &found, e) < 0)
        return -1;
    if (found.state == ENG_LOOK_OLDER) {
        *stored = eng_looker_stored(here);
        return eng_mend_lock_of(c->repo, c->o->cancel, w, found.version, lock,
                                e) < 0
                   ? -1
                   : 1;
    }
    /* GOOD: somebody else was faster; to put it once more does no harm. */
    if (found.state == ENG_LOOK_GOOD) {
        *stored = eng_looker_stored(here);
    } else {
        if (from == NULL)
            return 0;
        if (eng_look(from, w, &found, e) < 0)
            return err_ctx(e, "repository %s", eng_repo_name(c->o->from));
        if (found.state != ENG_LOOK_GOOD && found.state != ENG_LOOK_OLDER)
            return 0;
        *stored = eng_looker_stored(from);
    }
    return eng_mend_lock_until(c->repo, w, c->until, lock, e) < 0 ? -1 : 1;
}

int eng_check_mend_one(struct check *c, struct eng_looker *here,
                       struct eng_looker *from, size_t index, struct err *e)
{
    struct span stored = { 0 };
    struct obj_lock lock = { 0 };

    pthread_mutex_lock(&c->lock);
    struct eng_look_want w = c->bad[index].want;
    pthread_mutex_unlock(&c->lock);
    int found = find_copy(c, here, from, &w, &stored, &lock, e);
    if (found <= 0)
        return found;
    if (eng_mend_put(c->repo, c->o->cancel, &w, stored, &lock, e) < 0)
        return err_ctx(e, "put %s again", w.key.s);
    pthread_mutex_lock(&c->lock);
    c->bad[index].repaired = true;
    c->res->repaired++;
    c->res->hidden_repaired += c->bad[index].state == ENG_LOOK_OLDER;
    eng_check_say(c, ENG_CHECK_REPAIRED, "%s is put again", w.key.s);
    pthread_mutex_unlock(&c->lock);
    return 1;
}

static enum eng_index_kind kind_of(const struct eng_look_want *w)
{
    return w->kind == ENG_LOOK_PAGE ? ENG_INDEX_PAGE : ENG_INDEX_BLOCK;
}

/* Whether something of this kind carries a mark. */
static bool can_be_marked(const struct check_bad *b)
{
    return b->want.kind != ENG_LOOK_MANIFEST && b->state != ENG_LOOK_OLDER;
}

static int mark_one(struct check *c, const struct check_bad *b,
                    const struct cancel *cancel, struct err *e)
{
    struct obj_store *store = eng_repo_store(c->repo);
    const struct eng_damaged_id *mark =
        eng_damaged_find(&c->marks, kind_of(&b->want), &b->want.id);
    bool stands = mark != NULL && !mark->cleared;

    if (stands)
        c->mark_used[mark - c->marks.ids] = true;
    if (b->repaired && stands)
        eng_damaged_remove(store, cancel, kind_of(&b->want), &b->want.id);
    if (b->repaired)
        return 0;
    if (!stands && eng_damaged_mark(store, cancel, kind_of(&b->want),
                                    &b->want.id, e) < 0) {
        if (e->kind != ERR_DENIED)
            return err_ctx(e, "mark %s as damaged", b->want.key.s);
        pthread_mutex_lock(&c->lock);
        eng_check_say(
            c, ENG_CHECK_NOTE,
            "%s cannot be marked as damaged: these keys may not write",
            b->want.key.s);
        pthread_mutex_unlock(&c->lock);
        return 0;
    }
    pthread_mutex_lock(&c->lock);
    c->res->marked++;
    pthread_mutex_unlock(&c->lock);
    return 0;
}

static int mend_worker(void *ctx, struct workers *w, unsigned index,
                       struct err *e)
{
    struct check *c = ctx;
    uint64_t i = 0;
    AUTO_ENG_LOOKER struct eng_looker *here =
        eng_looker_new(c->repo, workers_cancel(w), e);
    AUTO_ENG_LOOKER struct eng_looker *from = NULL;

    (void)index;
    if (here == NULL || eng_check_open_from(c, workers_cancel(w), &from, e) < 0)
        return -1;
    while (workers_claim(w, &i)) {
        if (c->o->repair && !c->bad[i].repaired &&
            eng_check_mend_one(c, here, from, i, e) < 0)
            return -1;
        if (can_be_marked(&c->bad[i]) &&
            mark_one(c, &c->bad[i], workers_cancel(w), e) < 0)
            return -1;
    }
    return 0;
}

void eng_check_old_marks(struct check *c)
{
    if (c->o->no_marks)
        return;
    for (size_t i = 0; i < c->marks.n; i++) {
        const struct eng_damaged_id *mark = &c->marks.ids[i];
        if (c->mark_used[i] || (!mark->cleared && c->res->keysets_skipped > 0))
            continue;
        eng_damaged_remove(eng_repo_store(c->repo), c->o->cancel, mark->kind,
                           &mark->id);
    }
}

int eng_check_mend(struct check *c, struct err *e)
{
    if (c->o->no_marks)
        return 0;
    if (c->n_bad == 0)
        return 0;
    return workers_run((unsigned)checked_min(c->n_bad, MENDERS), c->n_bad,
                       c->o->cancel, mend_worker, c, e);
}

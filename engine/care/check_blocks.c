// SPDX-License-Identifier: Apache-2.0
/* The blocks of one range: looked for in listings, or read. */
#include <string.h>

#include "base/checked.h"
#include "base/workers.h"
#include "engine/care/check_impl.h"
#include "engine/repo/blockio.h"
#include "engine/repo/internal.h"
#include "manifest/block.h"

static int on_block(void *ctx, const char *key, const struct obj_info *info,
                    struct err *e)
{
    struct check *c = ctx;
    struct eng_idset_slot *s = NULL;
    struct mf_id id;
    bool newest = !c->versions || info->latest;

    (void)e;
    if (!mf_key_parse_block(key, eng_repo_keyset(c->repo), &id)) {
        pthread_mutex_lock(&c->lock);
        c->res->junk++;
        eng_check_say(c, ENG_CHECK_JUNK, "%s is no object of a repository",
                      key);
        pthread_mutex_unlock(&c->lock);
        return 0;
    }
    while ((s = eng_idset_find(&c->set, &id, s)) != NULL) {
        bool can_be = !info->delete_marker && info->size > 0 &&
                      info->size <= mf_object_max(s->len);
        s->there |= can_be;
        s->hidden |= newest && !can_be;
        s->impossible |= !info->delete_marker && !can_be;
    }
    return 0;
}

/* Prefixes are disjoint, so no two workers touch the same slot. */
static int list_worker(void *ctx, struct workers *w, unsigned index,
                       struct err *e)
{
    struct check *c = ctx;
    struct obj_list_opts opts = { .versions = c->versions };
    uint64_t i = 0;

    (void)index;
    while (workers_claim(w, &i)) {
        struct mf_key key = mf_key_blocks_prefix(eng_repo_keyset(c->repo),
                                                 (int)(c->set.lo + i));
        struct obj_req req = { .key = key.s, .cancel = workers_cancel(w) };
        if (obj_list(eng_repo_store(c->repo), &req, &opts, on_block, c, e) < 0)
            return -1;
    }
    return 0;
}

static int judge_slot(struct check *c, const struct eng_idset_slot *s,
                      struct err *e)
{
    struct eng_look_want w = eng_look_block(c->repo, &s->id, s->len);
    struct eng_looked found = { .state = ENG_LOOK_ABSENT };

    if (s->there && !s->hidden)
        return 0;
    if (s->there) {
        found.state = ENG_LOOK_OLDER;
    } else if (s->impossible) {
        found.state = ENG_LOOK_BAD;
        memcpy(found.why, "it has a size that it cannot have",
               sizeof("it has a size that it cannot have"));
    }
    return eng_check_add_bad(c, &w, &found, NULL, e);
}

static int list_blocks(struct check *c, struct err *e)
{
    uint64_t prefixes = c->set.hi - c->set.lo;

    if (workers_run((unsigned)checked_min(prefixes, ENG_REPO_READERS), prefixes,
                    c->o->cancel, list_worker, c, e) < 0)
        return -1;
    for (size_t i = 0; i < c->set.cap; i++)
        if (c->set.slots[i].len != 0 && judge_slot(c, &c->set.slots[i], e) < 0)
            return -1;
    return 0;
}

/* There is reason to look at it: its mark stands, or somebody says so. */
static bool is_suspect(const struct check *c, const struct mf_id *id)
{
    const struct eng_damaged_id *mark =
        eng_damaged_find(&c->marks, ENG_INDEX_BLOCK, id);

    if (mark != NULL && !mark->cleared)
        return true;
    return c->o->suspects != NULL &&
           eng_damaged_find(c->o->suspects, ENG_INDEX_BLOCK, id) != NULL;
}

static bool in_sample(const struct check *c, const struct eng_idset_slot *s)
{
    if (c->o->level == ENG_CHECK_FULL)
        return true;
    if (!s->there || s->hidden)
        return false; /* said already */
    if (s == c->one || is_suspect(c, &s->id))
        return true;
    if (c->o->level == ENG_CHECK_LIST)
        return false;
    return eng_idset_sampled(&s->id, c->seed, c->o->sample_ppm);
}

/* However small the share, something is read. */
static const struct eng_idset_slot *choose_one(const struct check *c)
{
    for (size_t i = 0; i < c->set.cap; i++) {
        const struct eng_idset_slot *s =
            &c->set.slots[(i + c->seed) & (c->set.cap - 1)];
        if (s->len != 0 && s->there && !s->hidden)
            return s;
    }
    return NULL;
}

static int read_blocks(struct check *c, struct workers *w,
                       struct eng_looker *here, uint64_t *objects,
                       struct err *e)
{
    uint64_t i = 0;

    while (workers_claim(w, &i)) {
        const struct eng_idset_slot *s = &c->set.slots[i];
        struct eng_looked found;
        if (s->len == 0 || !in_sample(c, s))
            continue;
        struct eng_look_want want = eng_look_block(c->repo, &s->id, s->len);
        uint64_t before = eng_looker_bytes(here);
        if (eng_look(here, &want, &found, e) < 0)
            return -1;
        ++*objects;
        progress_add(c->task, s->len, 0, eng_looker_bytes(here) - before);
        if (found.state != ENG_LOOK_GOOD &&
            eng_check_add_bad(c, &want, &found, NULL, e) < 0)
            return -1;
    }
    return 0;
}

static int read_worker(void *ctx, struct workers *w, unsigned index,
                       struct err *e)
{
    struct check *c = ctx;
    uint64_t objects = 0;
    AUTO_ENG_LOOKER struct eng_looker *here =
        eng_looker_new(c->repo, workers_cancel(w), e);

    (void)index;
    if (here == NULL)
        return -1;
    int r = read_blocks(c, w, here, &objects, e);
    pthread_mutex_lock(&c->lock);
    c->res->read_objects += objects;
    c->res->read_bytes += eng_looker_bytes(here);
    pthread_mutex_unlock(&c->lock);
    return r;
}

static int read_chosen(struct check *c, struct err *e)
{
    uint64_t bytes = 0;
    unsigned n = eng_blockio_readers(c->repo, c->o->memory_bytes, MF_BLOCK_MAX);

    c->one = c->o->level == ENG_CHECK_SAMPLE ? choose_one(c) : NULL;
    for (size_t i = 0; i < c->set.cap; i++)
        if (c->set.slots[i].len != 0 && in_sample(c, &c->set.slots[i]))
            bytes += c->set.slots[i].len;
    if (bytes == 0)
        return 0;
    c->task = progress_begin(c->o->progress, "check", "blocks", bytes);
    int r = workers_run(n, c->set.cap, c->o->cancel, read_worker, c, e);
    progress_end(c->task);
    return r;
}

int eng_check_blocks(struct check *c, struct err *e)
{
    c->res->blocks += c->set.n;
    if (c->set.n == 0)
        return 0;
    /* Reading tells all that a listing could. */
    if (c->o->level != ENG_CHECK_FULL && list_blocks(c, e) < 0)
        return -1;
    return read_chosen(c, e);
}

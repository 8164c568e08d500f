// SPDX-License-Identifier: Apache-2.0
/*
 * The extension step: which objects does the point need whose lock is known to
 * end too early (or not known at all)?  Workers extend them, each by its
 * version.  What turns out to be gone is put again, and then all is looked at
 * once more.
 */
#include "engine/repo/extend.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/utc.h"
#include "base/workers.h"
#include "engine/repo/extend_one.h"
#include "engine/repo/keysets.h"
#include "engine/repo/lockcheck.h"
#include "engine/repo/locked.h"
#include "engine/repo/point_store.h"
#include "engine/repo/runlease.h"

/* More objects than this whose version is not known are looked for by one
 * listing instead of one by one. */
#define LIST_FROM 1000
#define HEAL_ROUNDS 5
#define COMMIT_TRIES 5
#define SAMPLE 8

struct needs {
    struct eng_extend_item *items; /* owned; sorted, each once */
    size_t n, cap;
    uint64_t unknown; /* of which no version is known */
};

static void needs_fini(struct needs *s)
{
    free(s->items);
    *s = (struct needs){ 0 };
}

static int add(struct eng_repo *r, struct needs *s,
               const struct eng_extend_item *item, int64_t until, struct err *e)
{
    struct eng_index_version v;

    if (!eng_index_get_version(r->index, item->kind, &item->id, &v))
        s->unknown++;
    else if (v.until >= until)
        return 0;
    if (s->n == s->cap) {
        size_t cap = s->cap == 0 ? 1024 : s->cap * 2;
        struct eng_extend_item *grown = realloc(s->items, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        s->items = grown;
        s->cap = cap;
    }
    s->items[s->n++] = *item;
    return 0;
}

static int add_entry(struct eng_repo *r, struct needs *s,
                     const struct mf_entry *m, int64_t until, struct err *e)
{
    struct eng_extend_item item = { .kind = ENG_INDEX_BLOCK };

    if (m->kind == MF_WHOLE || (m->kind == MF_OVER && m->has_base)) {
        item.id = m->id;
        if (add(r, s, &item, until, e) < 0)
            return -1;
    }
    if (m->kind == MF_OVER && m->has_over) {
        item.id = m->over;
        return add(r, s, &item, until, e);
    }
    return 0;
}

static struct mf_stream *stream_of(const struct eng_extend *x, size_t i)
{
    return i < x->point->n_disks ? &x->point->disks[i]
                                 : &x->point->files[i - x->point->n_disks];
}

static int add_stream(struct eng_repo *r, struct needs *s,
                      const struct eng_map *map, const struct mf_stream *stream,
                      int64_t until, struct err *e)
{
    for (uint64_t i = 0; i < map->n; i++)
        if (add_entry(r, s, &map->entries[i], until, e) < 0)
            return -1;
    for (uint64_t i = 0; i < stream->n_pages; i++) {
        struct eng_extend_item item = { .kind = ENG_INDEX_PAGE,
                                        .id = stream->pages[i].id };
        if (!stream->pages[i].zero && add(r, s, &item, until, e) < 0)
            return -1;
    }
    return 0;
}

static int by_kind_and_id(const void *pa, const void *pb)
{
    const struct eng_extend_item *a = pa;
    const struct eng_extend_item *b = pb;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return memcmp(a->id.b, b->id.b, MF_ID_BYTES);
}

static int add_object(struct eng_repo *r, struct needs *s, const char *key,
                      bool slot, int64_t until, struct err *e)
{
    struct eng_extend_item item = { .kind = ENG_INDEX_OBJECT,
                                    .key = key,
                                    .slot = slot };

    if (digest_sha256(span_str(key), item.id.b, e) < 0)
        return -1;
    return add(r, s, &item, until, e);
}

/* The current slots of the keyset, as they are listed now.  One that is gone is
 * never put again; without any nobody could read the point. */
static int add_slots(struct eng_repo *r, const struct cancel *cancel,
                     struct needs *s, int64_t until, struct err *e)
{
    if (!mf_keys_sealed(r->keys))
        return 0;
    if (eng_keysets_load(r, cancel, e) < 0)
        return -1;
    const struct eng_keyset *k = eng_keysets_find(r, eng_repo_keyset(r));
    if (k == NULL || k->n_slots == 0)
        return err_set(e, ERR_DENIED, 0,
                       "keyset %s has no slot any more: what is sealed by it "
                       "could not be read again",
                       eng_repo_keyset(r));
    for (size_t i = 0; i < k->n_slots; i++)
        if (add_object(r, s, k->slots[i].key.s, true, until, e) < 0)
            return -1;
    return 0;
}

/* What the point needs and is not known to be locked until then. */
static int gather(struct eng_repo *r, const struct eng_extend *x, int64_t until,
                  struct needs *s, struct err *e)
{
    size_t kept = 0;

    *s = (struct needs){ 0 };
    if (add_object(r, s, MF_DESCRIPTOR_KEY, false, until, e) < 0 ||
        add_slots(r, x->cancel, s, until, e) < 0)
        return -1;
    for (size_t i = 0; i < x->n_maps; i++)
        if (add_stream(r, s, &x->maps[i], stream_of(x, i), until, e) < 0)
            return -1;
    if (s->n > 1)
        qsort(s->items, s->n, sizeof(*s->items), by_kind_and_id);
    for (size_t i = 0; i < s->n; i++)
        if (i == 0 || by_kind_and_id(&s->items[i], &s->items[kept - 1]) != 0)
            s->items[kept++] = s->items[i];
    s->n = kept;
    return 0;
}

struct job {
    struct eng_repo *repo;
    struct needs *needs;
    int64_t until;
};

static int work(void *ctx, struct workers *w, unsigned index, struct err *e)
{
    struct job *j = ctx;
    struct eng_extend_worker one = { .repo = j->repo,
                                     .until = j->until,
                                     .cancel = workers_cancel(w) };
    uint64_t i = 0;
    int result = 0;

    (void)index;
    while (result == 0 && workers_claim(w, &i)) {
        eng_runlease_tick(j->repo, one.cancel);
        result = eng_extend_one(&one, &j->needs->items[i], e);
    }
    eng_blockio_free(one.io);
    return result;
}

static bool is_gone(const struct needs *s, enum eng_index_kind kind,
                    const struct mf_id *id)
{
    const struct eng_extend_item want = { .kind = kind, .id = *id };
    const struct eng_extend_item *found =
        bsearch(&want, s->items, s->n, sizeof(*s->items), by_kind_and_id);

    return found != NULL && found->gone;
}

static bool needs_gone(const struct needs *s, const struct mf_entry *m)
{
    return ((m->kind == MF_WHOLE || (m->kind == MF_OVER && m->has_base)) &&
            is_gone(s, ENG_INDEX_BLOCK, &m->id)) ||
           (m->kind == MF_OVER && m->has_over &&
            is_gone(s, ENG_INDEX_BLOCK, &m->over));
}

/* Puts again what a stream has lost, and the pages that change by it. */
static int heal_stream(struct eng_repo *r, const struct eng_extend *x,
                       size_t stream, const struct needs *s, struct err *e)
{
    struct eng_map *map = &x->maps[stream];
    struct mf_stream *of = stream_of(x, stream);
    bool changed = false;

    for (uint64_t i = 0; i < of->n_pages && !changed; i++)
        changed =
            !of->pages[i].zero && is_gone(s, ENG_INDEX_PAGE, &of->pages[i].id);
    for (uint64_t i = 0; i < map->n; i++) {
        if (!needs_gone(s, &map->entries[i]))
            continue;
        if (x->again(x->ctx, stream, i, &map->entries[i], e) < 0)
            return err_ctx(e, "%s at byte %" PRIu64, of->name,
                           i * map->block_size);
        changed = true;
    }
    return changed ? eng_map_store(r, map, x->cancel, of, x->use, e) : 0;
}

static int heal(struct eng_repo *r, const struct eng_extend *x,
                const struct needs *s, struct err *e)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->items[i].gone)
            eng_index_forget(r->index, s->items[i].kind, &s->items[i].id);
    for (size_t i = 0; i < x->n_maps; i++)
        if (heal_stream(r, x, i, s, e) < 0)
            return -1;
    return 0;
}

/* 0: all is locked; 1: something was gone and is put again; -1. */
static int extend_round(struct eng_repo *r, struct eng_extend *x, int64_t until,
                        struct err *e)
{
    AUTO(needs_fini) struct needs s = { 0 };
    struct job j = { .repo = r, .needs = &s, .until = until };
    uint64_t gone = 0;

    if (gather(r, x, until, &s, e) < 0)
        return -1;
    if (s.n == 0)
        return 0;
    if (s.unknown > LIST_FROM && eng_learn_listing(r, x->cancel, true, e) < 0)
        return -1;
    if (workers_run((unsigned)checked_min(s.n, ENG_EXTEND_WORKERS), s.n,
                    x->cancel, work, &j, e) < 0)
        return -1;
    for (size_t i = 0; i < s.n; i++)
        gone += s.items[i].gone;
    x->extended += s.n - gone;
    if (gone == 0)
        return 0;
    log_warn("repo",
             "%" PRIu64 " objects that the point needs are gone; they are "
             "stored again",
             gone);
    return heal(r, x, &s, e) < 0 ? -1 : 1;
}

/* Everything that the point needs is locked until `until`. */
static int extend(struct eng_repo *r, struct eng_extend *x, int64_t until,
                  struct err *e)
{
    int more = 1;

    for (int round = 0; more == 1; round++) {
        if (round == HEAL_ROUNDS)
            return err_set(e, ERR_CORRUPT, 0,
                           "objects go on vanishing while they are locked");
        more = extend_round(r, x, until, e);
    }
    return more < 0 ? err_ctx(e, "extend the locks of what the point needs")
                    : 0;
}

/* Looks at the locks of a few blocks, from all over the point. */
static int check_sample(struct eng_repo *r, struct eng_extend *x, struct err *e)
{
    uint64_t total = 0;

    for (size_t i = 0; i < x->n_maps; i++)
        total += x->maps[i].n;
    uint64_t step = total / SAMPLE + 1;
    uint64_t at = 0;
    for (size_t i = 0; i < x->n_maps; at += x->maps[i].n, i++)
        for (uint64_t b = (step - at % step) % step; b < x->maps[i].n;
             b += step) {
            const struct mf_entry *m = &x->maps[i].entries[b];
            struct eng_index_version v;
            if (m->kind != MF_WHOLE ||
                !eng_index_get_version(r->index, ENG_INDEX_BLOCK, &m->id, &v))
                continue;
            struct mf_key key = mf_key_block(eng_repo_keyset(r), &m->id);
            int seen = eng_lockcheck_object(r->store, x->cancel, key.s, v.id,
                                            x->point->locked_until, e);
            if (seen < 0)
                return -1;
            x->unseen = x->unseen || seen == 0;
        }
    return 0;
}

static int check_locks(struct eng_repo *r, struct eng_extend *x,
                       const struct eng_point_made *made, struct err *e)
{
    const char *version =
        made->info.version[0] != '\0' ? made->info.version : NULL;
    int seen = eng_lockcheck_object(r->store, x->cancel, made->key.s, version,
                                    x->point->locked_until, e);

    if (seen < 0)
        return -1;
    x->unseen = seen == 0;
    return check_sample(r, x, e);
}

/* One try: 0; 1: it took too long, and nothing was put; -1. */
static int try_commit(struct eng_repo *r, struct eng_extend *x,
                      struct eng_point_made *made, struct err *e)
{
    int64_t until = eng_locked_until(r, eng_locked_now(r));

    *made = (struct eng_point_made){
        .sign_before =
            eng_lock_sign_before(eng_locked_server_now(r), r->immutability_s),
    };
    x->point->locked_until = until;
    if (extend(r, x, until, e) < 0)
        return -1;
    if (eng_point_put(r, x->cancel, x->point, made, e) == 0)
        return 0;
    return e->kind == ERR_PRECONDITION &&
                   eng_locked_server_now(r) > made->sign_before
               ? 1
               : -1;
}

int eng_extend_commit(struct eng_repo *r, struct eng_extend *x, struct err *e)
{
    struct eng_point_made made;
    int late = 1;

    for (int tries = 1; late == 1; tries++) {
        late = try_commit(r, x, &made, e);
        if (late < 0)
            return -1;
        if (late == 1 && tries == COMMIT_TRIES)
            return err_set(e, ERR_PRECONDITION, 0,
                           "extending the locks took longer than a quarter of "
                           "the immutability, %d times",
                           tries);
        if (late == 1)
            log_info("repo", "extending the locks took too long for the "
                             "manifest: they are extended once more");
    }
    memcpy(x->file, made.file, sizeof(x->file));
    log_info("repo", "%" PRIu64 " objects got a longer lock", x->extended);
    return check_locks(r, x, &made, e);
}

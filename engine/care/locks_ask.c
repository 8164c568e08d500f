// SPDX-License-Identifier: Apache-2.0
/*
 * Asking the server.  Versions are listed by prefix, in parallel; for each
 * object that a point needs the lock of a version that is good is looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/workers.h"
#include "engine/care/locks_impl.h"
#include "engine/repo/extend_one.h"
#include "engine/repo/internal.h"
#include "engine/repo/keysets.h"
#include "engine/repo/locked.h"

#define PREFIXES 256
/* Pieces: blocks and pages by their prefixes, manifests, the descriptor,
 * the keyset's slots. */
enum {
    PIECE_PAGES = PREFIXES,
    PIECE_POINTS = 2 * PREFIXES,
    PIECE_DESCRIPTOR,
    PIECE_SLOTS,
    PIECES
};

/* One worker. */
struct asker {
    struct locks *l;
    const struct cancel *cancel;
    struct eng_looker *looker; /* made when content has to be verified */
    char key[OBJ_KEY_MAX];     /* being listed; "": none */
    /* Owned; versions of the key that are objects, newest first. */
    char (*v)[OBJ_VERSION_CHARS];
    size_t n, cap;
};

/* What points need of the key that is being listed. */
struct need {
    struct eng_look_want want;
    enum eng_index_kind kind;
    uint32_t rank;
};

static bool in_sample(const struct locks *l, const struct mf_id *id)
{
    return eng_idset_sampled(id, l->seed, l->o->sample_ppm);
}

static const char *mode_name(enum obj_lock_mode m)
{
    static const char *const names[] = {
        [OBJ_LOCK_NONE] = "none",
        [OBJ_LOCK_GOVERNANCE] = "governance",
        [OBJ_LOCK_COMPLIANCE] = "compliance",
    };
    return names[m];
}

/* --- what is needed --- */

static bool need_block(struct locks *l, const struct mf_id *id, struct need *n)
{
    struct eng_idset_slot *s = eng_idset_find(&l->set, id, NULL);

    if (s == NULL || !in_sample(l, id))
        return false;
    s->there = true;
    n->want = eng_look_block(l->repo, id, 0);
    n->kind = ENG_INDEX_BLOCK;
    n->rank = s->note - 1;
    return true;
}

/* The same page may stand at places of several shapes. */
static uint32_t page_rank(const struct locks *l, size_t at)
{
    uint32_t rank = l->pages.p[at].rank;

    for (size_t i = at + 1;
         i < l->pages.n && mf_id_eq(&l->pages.p[i].id, &l->pages.p[at].id); i++)
        if (l->pages.p[i].rank < rank)
            rank = l->pages.p[i].rank;
    return rank;
}

static bool need_page(struct locks *l, const struct mf_id *id, struct need *n)
{
    size_t at = eng_pagerefs_at(&l->pages, id);

    if (at == l->pages.n)
        return false;
    l->page_seen[at] = true;
    n->want = eng_look_page(l->repo, id);
    n->kind = ENG_INDEX_PAGE;
    n->rank = page_rank(l, at);
    return true;
}

static int by_key(const void *key, const void *m)
{
    return strcmp(key, ((const struct locks_manifest *)m)->key.s);
}

static bool need_manifest(struct locks *l, const char *key, struct need *n)
{
    struct locks_manifest *m =
        bsearch(key, l->manifests, l->n_order, sizeof(*l->manifests), by_key);

    if (m == NULL || !eng_look_manifest(l->repo, key, &n->want))
        return false;
    m->seen = true;
    n->kind = ENG_INDEX_OBJECT;
    n->rank = m->rank;
    return true;
}

/* All points need the slots in force. */
static bool need_slot(struct locks *l, const char *key, struct need *n)
{
    const struct eng_keyset *k =
        eng_keysets_find(l->repo, eng_repo_keyset(l->repo));

    for (size_t i = 0; k != NULL && i < k->n_slots; i++) {
        if (strcmp(k->slots[i].key.s, key) != 0)
            continue;
        l->slots_seen++;
        n->want = eng_look_slot(key);
        n->kind = ENG_INDEX_OBJECT;
        n->rank = 0;
        return true;
    }
    return false;
}

/* False: no point needs the key, or it is not in the sample. */
static bool need_of(struct locks *l, const char *key, struct need *n)
{
    struct mf_id id;

    if (mf_key_parse_block(key, eng_repo_keyset(l->repo), &id))
        return need_block(l, &id, n);
    if (mf_key_parse_page(key, eng_repo_keyset(l->repo), &id))
        return need_page(l, &id, n);
    if (strcmp(key, MF_DESCRIPTOR_KEY) != 0)
        return need_slot(l, key, n) || need_manifest(l, key, n);
    l->descriptor_seen = true;
    n->want = eng_look_descriptor();
    n->kind = ENG_INDEX_OBJECT;
    n->rank = 0;
    return true;
}

/* --- one object --- */

enum said { SAID, GONE, NOT_ALLOWED };

/* What the versions of a key that were looked at came to. */
struct tried {
    struct eng_locks_finding f;
    bool denied;
    bool rubbish; /* a version is locked, and does not verify */
};

/* What the server says of one version; -1 with e filled. */
static int ask(struct asker *a, const char *version, struct obj_lock *lock,
               struct err *e)
{
    struct obj_store *store = eng_repo_store(a->l->repo);
    struct obj_req req = { .key = a->key,
                           .version = version,
                           .cancel = a->cancel };
    struct obj_info info = { 0 };

    int r = obj_head(store, &req, &info, e);
    *lock = info.lock;
    /* Without the right to see locks a HEAD shows none. */
    if (r == 0 && lock->mode == OBJ_LOCK_NONE)
        r = obj_get_lock(store, &req, lock, e);
    if (r == 0)
        return SAID;
    if (e->kind == ERR_NOTFOUND)
        return GONE;
    return e->kind == ERR_DENIED ? NOT_ALLOWED : -1;
}

/* A lock that anybody may lift is none in a repository of the other mode. */
static bool holds(const struct locks *l, const struct obj_lock *lock,
                  int64_t until)
{
    bool strict = eng_repo_descriptor(l->repo)->mode == MF_LOCK_COMPLIANCE;

    return lock->until >= until && lock->mode != OBJ_LOCK_NONE &&
           (lock->mode == OBJ_LOCK_COMPLIANCE || !strict);
}

static int verifies(struct asker *a, const struct need *n, const char *version,
                    struct err *e)
{
    struct obj_info info;

    if (a->looker == NULL)
        a->looker = eng_looker_new(a->l->repo, a->cancel, e);
    if (a->looker == NULL)
        return -1;
    return eng_look_version(a->looker, &n->want, version, &info, e);
}

/* Readers take the oldest descriptor or slot that is one, so no other counts.
 */
static int trust_oldest(struct asker *a, const struct need *n, struct err *e)
{
    for (size_t i = a->n; i > 0; i--) {
        int r = verifies(a, n, a->v[i - 1], e);
        if (r < 0)
            return -1;
        if (r == 0)
            continue;
        memmove(a->v[0], a->v[i - 1], sizeof(a->v[0]));
        a->n = 1;
        return 1;
    }
    a->n = 0;
    return 0;
}

/* Puts the version that this machine knows to be good first.  1: the first one
 * counts without its content being looked at; -1. */
static int trust_first(struct asker *a, const struct need *n, struct err *e)
{
    struct eng_index_version known;

    if ((n->want.kind == ENG_LOOK_DESCRIPTOR ||
         n->want.kind == ENG_LOOK_SLOT) &&
        a->n > 1)
        return trust_oldest(a, n, e);
    if (a->l->index == NULL || n->kind == ENG_INDEX_OBJECT ||
        !eng_index_get_version(a->l->index, n->kind, &n->want.id, &known))
        return a->n == 1;
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->v[i], known.id) != 0)
            continue;
        memmove(a->v[i], a->v[0], sizeof(a->v[0]));
        memcpy(a->v[0], known.id, sizeof(a->v[0]));
        return 1;
    }
    return 0;
}

/* Counts an object that was asked for, and lets it be found where it is not as
 * it should be (f not NULL), unless its time has come meanwhile. */
static int settle(struct asker *a, const struct need *n,
                  struct eng_locks_finding *f, bool denied, int64_t latest,
                  struct err *e)
{
    struct locks *l = a->l;

    pthread_mutex_lock(&l->lock);
    l->res->asked++;
    l->res->denied += denied;
    if (latest > l->res->latest)
        l->res->latest = latest;
    pthread_mutex_unlock(&l->lock);
    if (n->kind == ENG_INDEX_BLOCK)
        progress_add(l->task, eng_repo_descriptor(l->repo)->block_size, 0, 0);
    if (f == NULL || denied ||
        eng_locks_date(l, n->rank) <= eng_locked_server_now(l->repo))
        return 0;
    return eng_locks_find(l, f, n->rank, e);
}

/* Looks at one version.  1: it holds; 0: not, and f tells the best of those;
 * -1.
 */
static int try_version(struct asker *a, const struct need *n, size_t i,
                       bool trusted, struct tried *t, struct err *e)
{
    struct obj_lock lock = { 0 };
    int said = ask(a, a->v[i], &lock, e);

    if (said < 0)
        return -1;
    t->denied |= said == NOT_ALLOWED;
    if (said != SAID)
        return 0;
    if (holds(a->l, &lock, eng_locks_date(a->l, n->rank))) {
        int good = trusted ? 1 : verifies(a, n, a->v[i], e);
        if (good == 1)
            t->f.has = lock.until;
        t->rubbish |= good == 0;
        return good; /* what does not verify is no version of it */
    }
    if (t->f.version[0] == '\0' || lock.until > t->f.has) {
        t->f.version = a->v[i];
        t->f.mode = mode_name(lock.mode);
        t->f.has = lock.until;
    }
    return 0;
}

/* All versions of a key that is needed are known. */
static int judge(struct asker *a, const struct need *n, struct err *e)
{
    struct tried t = { .f = { .word = ENG_LOCKS_SHORT,
                              .key = a->key,
                              .version = "",
                              .mode = "none",
                              .why = "" } };
    int trusted = trust_first(a, n, e);
    int good = trusted < 0 ? -1 : 0;

    for (size_t i = 0; i < a->n && good == 0; i++)
        good = try_version(a, n, i, trusted == 1 && i == 0, &t, e);
    if (good < 0)
        return -1;
    if (t.f.version[0] == '\0' && t.rubbish) {
        t.f.word = ENG_LOCKS_UNREADABLE;
        t.f.why = "nothing of it verifies";
    } else if (t.f.version[0] == '\0') {
        t.f.word = ENG_LOCKS_MISSING;
    }
    /* Of a page that was said when it was read. */
    bool said = n->kind == ENG_INDEX_PAGE && t.f.word == ENG_LOCKS_UNREADABLE;
    return settle(a, n, good == 1 || said ? NULL : &t.f, good == 0 && t.denied,
                  t.f.has, e);
}

/* --- listings --- */

static int finish_key(struct asker *a, struct err *e)
{
    struct need n;
    size_t versions = a->n;

    if (versions == 0 || !need_of(a->l, a->key, &n))
        return 0;
    return judge(a, &n, e);
}

static int on_version(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    struct asker *a = ctx;

    if (strcmp(key, a->key) != 0) {
        if (finish_key(a, e) < 0)
            return -1;
        (void)snprintf(a->key, sizeof(a->key), "%s", key);
        a->n = 0;
    }
    if (info->delete_marker)
        return 0;
    if (a->n == a->cap) {
        size_t cap = a->cap == 0 ? 4 : a->cap * 2;
        void *grown = realloc(a->v, cap * sizeof(*a->v));
        if (grown == NULL)
            return err_nomem(e);
        a->v = grown;
        a->cap = cap;
    }
    memcpy(a->v[a->n++], info->version, sizeof(*a->v));
    return 0;
}

static struct mf_key prefix_of(const struct locks *l, unsigned piece)
{
    struct mf_key key = { MF_DESCRIPTOR_KEY };

    if (piece < PIECE_PAGES)
        return mf_key_blocks_prefix(eng_repo_keyset(l->repo), (int)piece);
    if (piece < PIECE_POINTS)
        return mf_key_pages_prefix(eng_repo_keyset(l->repo),
                                   (int)(piece - PIECE_PAGES));
    if (piece == PIECE_POINTS)
        return mf_key_points_prefix(eng_repo_keyset(l->repo), NULL);
    if (piece == PIECE_SLOTS)
        return mf_key_slots_prefix(eng_repo_keyset(l->repo));
    return key;
}

/* Which pieces hold something to ask for. */
struct round {
    struct locks *l;
    bool due[PIECES];
};

static int work(void *ctx, struct workers *w, unsigned index, struct err *e)
{
    struct round *r = ctx;
    struct asker a = { .l = r->l, .cancel = workers_cancel(w) };
    struct obj_list_opts opts = { .versions = true };
    uint64_t i = 0;
    int result = 0;

    (void)index;
    while (result == 0 && workers_claim(w, &i)) {
        if (!r->due[i])
            continue;
        struct mf_key prefix = prefix_of(r->l, (unsigned)i);
        struct obj_req req = { .key = prefix.s, .cancel = a.cancel };
        a.key[0] = '\0';
        a.n = 0;
        result = obj_list(eng_repo_store(r->l->repo), &req, &opts, on_version,
                          &a, e);
        if (result == 0)
            result = finish_key(&a, e);
    }
    eng_looker_free(a.looker);
    free(a.v);
    return result;
}

static uint64_t plan(struct round *r)
{
    const struct locks *l = r->l;
    uint64_t blocks = 0;

    for (size_t i = 0; i < l->set.cap; i++) {
        const struct eng_idset_slot *s = &l->set.slots[i];
        if (s->len == 0 || !in_sample(l, &s->id))
            continue;
        r->due[s->id.b[0]] = true;
        blocks++;
    }
    for (size_t i = 0; i < l->pages.n; i++)
        r->due[PIECE_PAGES + l->pages.p[i].id.b[0]] = l->first;
    r->due[PIECE_POINTS] = r->due[PIECE_DESCRIPTOR] = l->first;
    r->due[PIECE_SLOTS] = l->first && eng_locks_slots(l) > 0;
    return blocks;
}

/* --- what was not listed --- */

static int missing(struct asker *a, const char *key, enum eng_index_kind kind,
                   uint32_t rank, struct err *e)
{
    struct need n = { .kind = kind, .rank = rank };
    struct eng_locks_finding f = { .word = ENG_LOCKS_MISSING,
                                   .key = key,
                                   .version = "",
                                   .mode = "none",
                                   .why = "" };

    return settle(a, &n, &f, false, 0, e);
}

static int missing_blocks(struct asker *a, struct err *e)
{
    struct locks *l = a->l;

    for (size_t i = 0; i < l->set.cap; i++) {
        const struct eng_idset_slot *s = &l->set.slots[i];
        if (s->len == 0 || s->there || !in_sample(l, &s->id))
            continue;
        struct mf_key key = mf_key_block(eng_repo_keyset(l->repo), &s->id);
        if (missing(a, key.s, ENG_INDEX_BLOCK, s->note - 1, e) < 0)
            return -1;
    }
    return 0;
}

static int missing_others(struct asker *a, struct err *e)
{
    struct locks *l = a->l;

    for (size_t i = 0; i < l->pages.n; i++) {
        struct mf_key key =
            mf_key_page(eng_repo_keyset(l->repo), &l->pages.p[i].id);
        if (l->page_seen[i] ||
            eng_pagerefs_at(&l->pages, &l->pages.p[i].id) != i)
            continue;
        if (missing(a, key.s, ENG_INDEX_PAGE, page_rank(l, i), e) < 0)
            return -1;
    }
    for (size_t i = 0; i < l->n_order; i++)
        if (!l->manifests[i].seen &&
            missing(a, l->manifests[i].key.s, ENG_INDEX_OBJECT,
                    l->manifests[i].rank, e) < 0)
            return -1;
    for (size_t i = l->slots_seen; i < eng_locks_slots(l); i++)
        if (missing(a, "a slot of the keyset", ENG_INDEX_OBJECT, 0, e) < 0)
            return -1;
    return l->descriptor_seen
               ? 0
               : missing(a, MF_DESCRIPTOR_KEY, ENG_INDEX_OBJECT, 0, e);
}

int eng_locks_ask(struct locks *l, struct err *e)
{
    struct round r = { .l = l };
    struct asker a = { .l = l, .cancel = l->o->cancel };
    uint64_t blocks = plan(&r);

    l->task = progress_begin(l->o->progress, "verify", "locks",
                             blocks * eng_repo_descriptor(l->repo)->block_size);
    int result =
        workers_run(ENG_EXTEND_WORKERS, PIECES, l->o->cancel, work, &r, e);
    if (result == 0)
        result = missing_blocks(&a, e);
    if (result == 0 && l->first)
        result = missing_others(&a, e);
    progress_end(l->task);
    return result;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * One key and its versions.  Delete markers are never ours: they go.  Of what
 * is named by its content the newest version that verifies is the good one;
 * what lies over it was read and does not verify, so nothing needs it.  Where
 * it cannot be deleted (locked, or no right to), the good bytes are put again,
 * with the good version's lock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/care/mend.h"
#include "engine/care/recover_impl.h"
#include "engine/repo/keysets.h"

static bool in_time(const struct recover_worker *w,
                    const struct recover_version *v)
{
    return v->modified >= w->r->o->as_of;
}

/* --- deletions --- */

static void note_refusal(struct recover_worker *w, const char *key,
                         enum err_kind kind)
{
    char text[MF_KEY_CHARS + 64];

    (void)snprintf(text, sizeof(text), "%s (%s)", key, err_kind_name(kind));
    pthread_mutex_lock(&w->r->lock);
    w->r->res->denied |= kind == ERR_DENIED;
    pthread_mutex_unlock(&w->r->lock);
    eng_recover_note(w, &eng_recover_area_count(w)->refused,
                     ENG_RECOVER_REFUSED, text);
}

int eng_recover_delete(struct recover_worker *w, const char *key,
                       const char *version, struct err *e)
{
    struct obj_req req = { .key = key,
                           .version = version,
                           .cancel = w->cancel };

    if (obj_delete(eng_repo_store(w->r->repo), &req, false, e) == 0)
        return 1;
    if (e->kind != ERR_LOCKED && e->kind != ERR_DENIED)
        return err_ctx(e, "remove a version of %s", key);
    note_refusal(w, key, e->kind);
    return 0;
}

static int delete_singly(struct recover_worker *w, struct err *e)
{
    struct recover_batch *b = w->batch;

    for (size_t i = 0; i < b->n; i++) {
        int r = eng_recover_delete(w, b->keys[i], b->versions[i], e);
        if (r < 0)
            return -1;
        pthread_mutex_lock(&w->r->lock);
        eng_recover_area_count(w)->removed += (uint64_t)r;
        pthread_mutex_unlock(&w->r->lock);
    }
    b->n = 0;
    return 0;
}

int eng_recover_flush(struct recover_worker *w, struct err *e)
{
    struct recover_batch *b = w->batch;
    struct obj_req req = { .cancel = w->cancel };

    if (b->n == 0)
        return 0;
    for (size_t i = 0; i < b->n; i++)
        b->names[i] =
            (struct obj_name){ .key = b->keys[i], .version = b->versions[i] };
    if (obj_delete_many(eng_repo_store(w->r->repo), &req, b->names, b->n, false,
                        e) < 0)
        return e->kind == ERR_UNSUPPORTED || e->kind == ERR_DENIED
                   ? delete_singly(w, e)
                   : err_ctx(e, "remove delete markers");
    for (size_t i = 0; i < b->n; i++) {
        if (b->names[i].result != ERR_NONE) {
            note_refusal(w, b->keys[i], b->names[i].result);
            continue;
        }
        pthread_mutex_lock(&w->r->lock);
        eng_recover_area_count(w)->removed++;
        pthread_mutex_unlock(&w->r->lock);
    }
    b->n = 0;
    return 0;
}

/* Takes the delete markers out of w->key; they are deleted with others. */
static int take_markers(struct recover_worker *w, struct err *e)
{
    struct recover_key *k = &w->key;
    size_t kept = 0;
    /* Of a name that is too long to be ours the markers stay. */
    bool ours = strlen(k->key) < MF_KEY_CHARS;

    for (size_t i = 0; i < k->n; i++) {
        if (!k->v[i].marker) {
            k->v[kept++] = k->v[i];
            continue;
        }
        if (!ours || !in_time(w, &k->v[i]))
            continue;
        eng_recover_note(w, &eng_recover_area_count(w)->markers,
                         ENG_RECOVER_MARKER, k->key);
        if (w->r->o->dry_run)
            continue;
        struct recover_batch *b = w->batch;
        memcpy(b->keys[b->n], k->key, strlen(k->key) + 1);
        memcpy(b->versions[b->n++], k->v[i].id, OBJ_VERSION_CHARS);
        if (b->n == RECOVER_BATCH && eng_recover_flush(w, e) < 0)
            return -1;
    }
    k->n = kept;
    return 0;
}

/* --- what lies over the good version --- */

/* The good version was looked at last: the looker has its bytes. */
static int put_good(struct recover_worker *w, const struct eng_look_want *want,
                    const char *version, struct err *e)
{
    struct obj_lock lock = { 0 };

    if (eng_mend_lock_of(w->r->repo, w->cancel, want, version, &lock, e) < 0 ||
        eng_mend_put(w->r->repo, w->cancel, want, eng_looker_stored(w->looker),
                     &lock, e) < 0)
        return err_ctx(e, "put the good version of %s again", want->key.s);
    pthread_mutex_lock(&w->r->lock);
    eng_recover_area_count(w)->put++;
    pthread_mutex_unlock(&w->r->lock);
    return 0;
}

/* Versions 0..good-1 do not verify, `good` does. */
static int uncover(struct recover_worker *w, const struct eng_look_want *want,
                   size_t good, struct err *e)
{
    bool all = true;

    eng_recover_note(w, &eng_recover_area_count(w)->overwritten,
                     ENG_RECOVER_OVERWRITTEN, w->key.key);
    if (w->r->o->dry_run)
        return 0;
    for (size_t i = 0; i < good; i++) {
        int r = eng_recover_delete(w, w->key.key, w->key.v[i].id, e);
        if (r < 0)
            return -1;
        all &= r == 1;
    }
    if (!all)
        return put_good(w, want, w->key.v[good].id, e);
    pthread_mutex_lock(&w->r->lock);
    eng_recover_area_count(w)->uncovered++;
    pthread_mutex_unlock(&w->r->lock);
    return 0;
}

/* --- content-named objects --- */

static int note_lost(struct recover_worker *w, const struct eng_look_want *want,
                     struct err *e)
{
    struct eng_damaged *lost = &w->r->lost;
    struct eng_damaged_id id = { .kind = want->kind == ENG_LOOK_PAGE
                                             ? ENG_INDEX_PAGE
                                             : ENG_INDEX_BLOCK,
                                 .id = want->id };
    int r = 0;

    eng_recover_note(w, &eng_recover_area_count(w)->lost, ENG_RECOVER_LOST,
                     w->key.key);
    if (want->kind == ENG_LOOK_MANIFEST)
        return 0;
    pthread_mutex_lock(&w->r->lock);
    if (lost->n == lost->cap) {
        size_t cap = lost->cap == 0 ? 16 : lost->cap * 2;
        struct eng_damaged_id *grown = realloc(lost->ids, cap * sizeof(*grown));
        if (grown == NULL) {
            r = err_nomem(e);
        } else {
            lost->ids = grown;
            lost->cap = cap;
        }
    }
    if (r == 0)
        lost->ids[lost->n++] = id;
    pthread_mutex_unlock(&w->r->lock);
    return r;
}

/* All versions of w->key, which is not ours. */
static int remove_junk(struct recover_worker *w, struct err *e)
{
    struct eng_recover_count *n = eng_recover_area_count(w);
    bool all = true;

    eng_recover_note(w, &n->junk, ENG_RECOVER_JUNK, w->key.key);
    if (w->r->o->dry_run)
        return 0;
    for (size_t i = 0; i < w->key.n; i++) {
        int r = eng_recover_delete(w, w->key.key, w->key.v[i].id, e);
        if (r < 0)
            return -1;
        all &= r == 1;
    }
    pthread_mutex_lock(&w->r->lock);
    n->junk_removed += all;
    pthread_mutex_unlock(&w->r->lock);
    return 0;
}

/* No version is a manifest.  Where nobody knows of it, and none of them ever
 * was what its name says, it goes, as far as it may. */
static int judge_manifest(struct recover_worker *w,
                          const struct eng_look_want *want, bool never,
                          struct err *e)
{
    if (!never || eng_names_has(&w->r->known, w->key.key))
        return note_lost(w, want, e);
    return remove_junk(w, e);
}

/* All versions were uploaded alike, as far as the server recorded it: then none
 * of them is better than the newest, and nothing needs to be read. */
static bool all_alike(const struct recover_key *k)
{
    for (size_t i = 1; i < k->n; i++)
        if (k->v[i].size != k->v[0].size || k->v[i].etag[0] == '\0' ||
            strcmp(k->v[i].etag, k->v[0].etag) != 0)
            return false;
    return true;
}

/* Whether the object has to be read to be judged. */
static bool must_look(const struct recover_worker *w,
                      const struct eng_look_want *want)
{
    if (want->kind == ENG_LOOK_MANIFEST)
        return true; /* they are few, and any may be false */
    /* What is new since a moment may have been put in place of what was
     * deleted. */
    if (w->r->o->as_of > 0)
        return true;
    return !all_alike(&w->key);
}

static int judge_content(struct recover_worker *w,
                         const struct eng_look_want *want, struct err *e)
{
    struct recover_key *k = &w->key;
    struct obj_info info;
    bool never = true;

    if (!must_look(w, want))
        return 0;
    for (size_t i = 0; i < k->n; i++) {
        int is = eng_look_version(w->looker, want, k->v[i].id, &info, e);
        if (is < 0)
            return -1;
        if (is == 1) {
            if (w->r->o->as_of > 0 && want->kind == ENG_LOOK_MANIFEST &&
                in_time(w, &k->v[k->n - 1]))
                eng_recover_note(w, &eng_recover_area_count(w)->added,
                                 ENG_RECOVER_ADDED, k->key);
            return i == 0 ? 0 : uncover(w, want, i, e);
        }
        never &= eng_look_false(want, eng_looker_stored(w->looker), &info);
    }
    if (want->kind == ENG_LOOK_MANIFEST)
        return judge_manifest(w, want, never, e);
    return note_lost(w, want, e);
}

/* What the key should hold; false: it is not named by its content. */
static bool wanted(const struct recover_worker *w, struct eng_look_want *want)
{
    struct mf_id id;

    switch (w->area) {
    case ENG_RECOVER_BLOCKS:
        if (!mf_key_parse_block(w->key.key, eng_repo_keyset(w->r->repo), &id))
            return false;
        *want = eng_look_block(w->r->repo, &id, 0);
        return true;
    case ENG_RECOVER_PAGES:
        if (!mf_key_parse_page(w->key.key, eng_repo_keyset(w->r->repo), &id))
            return false;
        *want = eng_look_page(w->r->repo, &id);
        return true;
    case ENG_RECOVER_POINTS:
        return eng_look_manifest(w->r->repo, w->key.key, want);
    case ENG_RECOVER_DESCRIPTOR:
        *want = eng_look_descriptor();
        return true;
    case ENG_RECOVER_SLOTS:
        *want = eng_look_slot(w->key.key);
        return true;
    case ENG_RECOVER_OTHER:
    case ENG_RECOVER_AREAS:
        break;
    }
    return false;
}

/* Whether the newest version holds what the looker has just got of another. */
static int same_as_newest(struct recover_worker *w,
                          const struct eng_look_want *want, bool *same,
                          struct err *e)
{
    struct span good = eng_looker_stored(w->looker);
    AUTO_BUF struct buf kept = buf_init(good.len);

    buf_append(&kept, good.p, good.len);
    if (buf_check(&kept, e) < 0)
        return -1;
    int is = eng_look_version(w->looker, want, w->key.v[0].id, NULL, e);
    if (is < 0)
        return -1;
    *same = is == 1 && span_eq(eng_looker_stored(w->looker), buf_span(&kept));
    return 0;
}

static bool is_forged(const struct recover_worker *w)
{
    struct mf_slot_name n;

    if (!mf_key_parse_slot(w->key.key, &n))
        return false;
    const struct eng_keyset *k = eng_keysets_find(w->r->repo, n.keyset);
    return k != NULL && eng_keyset_is_forged(k, w->key.key);
}

/* A descriptor, or a slot.  The oldest version that is one counts: nobody of
 * ours ever puts another, but a recovery, which puts the same. */
static int judge_oldest(struct recover_worker *w,
                        const struct eng_look_want *want, struct err *e)
{
    bool same = false;
    bool never = true;
    struct obj_info info;
    struct eng_recover_count *n = eng_recover_area_count(w);

    if (w->area != ENG_RECOVER_SLOTS && w->key.n > 1 && all_alike(&w->key))
        return 0;
    for (size_t i = w->key.n; i-- > 0;) {
        int is = eng_look_version(w->looker, want, w->key.v[i].id, &info, e);
        if (is < 0)
            return -1;
        never &= is == 0 &&
                 eng_look_false(want, eng_looker_stored(w->looker), &info);
        if (is == 0)
            continue;
        if (i == 0)
            return 0;
        if (same_as_newest(w, want, &same, e) < 0)
            return -1;
        if (same)
            return 0;
        /* It is put again from what the looker holds. */
        is = eng_look_version(w->looker, want, w->key.v[i].id, NULL, e);
        return is == 1 ? uncover(w, want, i, e) : is;
    }
    /* A slot of a later format cannot be told from junk: it stays. */
    if (w->area == ENG_RECOVER_SLOTS && never && is_forged(w))
        return remove_junk(w, e);
    if (w->area == ENG_RECOVER_SLOTS && never)
        eng_recover_note(w, &n->junk, ENG_RECOVER_JUNK, w->key.key);
    else
        eng_recover_note(w, &n->lost, ENG_RECOVER_LOST, w->key.key);
    return 0;
}

int eng_recover_one(struct recover_worker *w, struct err *e)
{
    struct eng_look_want want;
    bool touched = false;

    if (eng_recover_is_folder(w->r, w->key.key))
        return 0; /* it was looked at before all others */
    for (size_t i = 0; i < w->key.n; i++)
        touched |= in_time(w, &w->key.v[i]);
    if (!touched)
        return 0;
    if (take_markers(w, e) < 0)
        return -1;
    if (w->key.n == 0)
        return 0;
    if (!wanted(w, &want)) {
        if (w->area != ENG_RECOVER_OTHER)
            eng_recover_note(w, &eng_recover_area_count(w)->junk,
                             ENG_RECOVER_JUNK, w->key.key);
        return 0;
    }
    if (w->area == ENG_RECOVER_DESCRIPTOR || w->area == ENG_RECOVER_SLOTS)
        return judge_oldest(w, &want, e);
    return judge_content(w, &want, e);
}

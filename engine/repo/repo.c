// SPDX-License-Identifier: Apache-2.0
/* Making, opening and closing a repository; its descriptor. */
#include "engine/repo/repo.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/io.h"
#include "base/log.h"
#include "engine/repo/internal.h"
#include "engine/repo/runlease.h"
#include "engine/repo/versions.h"
#include "manifest/objkey.h"

#define DESCRIPTOR_MAX (64u << 10)

int eng_repo_get(struct eng_repo *r, const struct cancel *cancel,
                 const char *key, struct buf *out, struct err *e)
{
    struct obj_req req = { .key = key, .cancel = cancel };

    return obj_get(r->store, &req, NULL, out, NULL, e);
}

static int decode_descriptor(void *ctx, struct span bytes, struct err *e)
{
    return mf_descriptor_decode(bytes, ctx, e);
}

static bool same_descriptor(const struct mf_descriptor *a,
                            const struct mf_descriptor *b)
{
    return strcmp(a->id, b->id) == 0 && a->created == b->created &&
           a->block_size == b->block_size && a->locked == b->locked &&
           a->mode == b->mode && a->immutability_s == b->immutability_s &&
           a->scope == b->scope && a->generation_s == b->generation_s;
}

/* The oldest version of the descriptor, where the newest (*have: it was read
 * well, as this version) is not it. */
static int read_oldest(struct obj_store *store, const struct cancel *cancel,
                       const char *newest, bool *have, struct mf_descriptor *d,
                       struct err *e)
{
    struct mf_descriptor oldest;
    const struct eng_verify verify = { decode_descriptor, &oldest };
    AUTO_ENG_VERSIONS struct eng_versions all = { 0 };
    AUTO_BUF struct buf text = buf_init(DESCRIPTOR_MAX);

    if (eng_versions_of(store, cancel, MF_DESCRIPTOR_KEY, &all, e) < 0)
        return -1;
    if (*have && all.n > 0 && strcmp(all.v[0].id, newest) == 0)
        return 0;
    if (eng_versions_find(store, cancel, MF_DESCRIPTOR_KEY, &verify, &text,
                          NULL, e) < 0)
        return -1;
    /* What a recovery has put over something that is locked is the same. */
    if (!*have || !same_descriptor(d, &oldest))
        log_warn("repo",
                 "%s: the descriptor is hidden or overwritten; its oldest "
                 "version counts",
                 obj_store_name(store));
    *d = oldest;
    *have = true;
    return 0;
}

static int read_newest(struct obj_store *store, const struct cancel *cancel,
                       struct obj_info *info, struct mf_descriptor *d,
                       struct err *e)
{
    AUTO_BUF struct buf text = buf_init(DESCRIPTOR_MAX);
    struct obj_req req = { .key = MF_DESCRIPTOR_KEY, .cancel = cancel };

    if (obj_get(store, &req, NULL, &text, info, e) < 0)
        return -1;
    return mf_descriptor_decode(buf_span(&text), d, e);
}

/* What the oldest version cannot be asked about, or does not change. */
static bool newest_will_do(const struct err *why)
{
    return why->kind == ERR_NOTFOUND || why->kind == ERR_CORRUPT ||
           why->kind == ERR_UNSUPPORTED || why->kind == ERR_DENIED;
}

int eng_repo_read_descriptor(struct obj_store *store,
                             const struct cancel *cancel,
                             struct mf_descriptor *d, struct err *e)
{
    struct obj_info info = { 0 };
    struct err why = { 0 };
    bool have = read_newest(store, cancel, &info, d, e) == 0;

    if (!have && !newest_will_do(e))
        return err_ctx(e, "%s", MF_DESCRIPTOR_KEY);
    /* Without an id the bucket keeps no versions, or this one is older than
     * its keeping any. */
    if ((!have || info.version[0] != '\0') &&
        read_oldest(store, cancel, info.version, &have, d, &why) < 0) {
        if (!newest_will_do(&why)) {
            *e = why;
            return -1;
        }
        if (have && why.kind == ERR_DENIED)
            log_warn("repo",
                     "whether the descriptor was overwritten cannot be seen: "
                     "%s",
                     why.msg);
    }
    if (have)
        return 0;
    if (e->kind == ERR_NOTFOUND)
        return err_hint(e, "make one with `objvault repo create`");
    return err_ctx(e, "%s", MF_DESCRIPTOR_KEY);
}

/* A driver without locks would store what nothing protects. */
static int refuse_locked(const struct eng_repo_place *place,
                         const struct mf_descriptor *d, struct err *e)
{
    if (!d->locked || place->store.driver != OBJ_DRIVER_LIBS3)
        return 0;
    return err_set(e, ERR_UNSUPPORTED, 0,
                   "the repository is locked (immutable): driver libs3 has no "
                   "locks; use driver s3");
}

static struct eng_repo *repo_open(const struct eng_repo_place *place,
                                  const struct cancel *cancel, struct err *e)
{
    AUTO_ENG_REPO struct eng_repo *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        err_nomem(e);
        return NULL;
    }
    r->root = r;
    eng_commons_init(&r->commons);
    pthread_mutex_init(&r->versions.lock, NULL);
    r->name = strdup(place->name);
    r->simple = place->store.driver == OBJ_DRIVER_FILE;
    if (r->simple)
        r->dir = strdup(place->store.path);
    r->store = obj_store_open(&place->store, e);
    if (r->store == NULL)
        return NULL;
    if (r->name == NULL || (r->simple && r->dir == NULL)) {
        err_nomem(e);
        return NULL;
    }
    r->plain = mf_keys_plain(e);
    r->keys = r->plain;
    if (r->plain == NULL)
        return NULL;
    if (eng_repo_read_descriptor(r->store, cancel, &r->descriptor, e) < 0 ||
        refuse_locked(place, &r->descriptor, e) < 0) {
        err_ctx(e, "%s", obj_store_name(r->store));
        return NULL;
    }
    if (r->descriptor.locked) {
        r->immutability_s = r->descriptor.immutability_s;
        if (r->immutability_s < place->immutability_s)
            r->immutability_s = place->immutability_s;
    }
    r->quota = place->quota;
    r->quota_hard = place->quota_hard;
    r->probe = place->probe;
    r->state_dir = io_join(place->state_dir, r->descriptor.id, e);
    return r->state_dir != NULL ? STEAL(r) : NULL;
}

struct eng_repo *eng_repo_open(const struct eng_repo_place *place,
                               const struct cancel *cancel, struct err *e)
{
    struct eng_repo *r = repo_open(place, cancel, e);

    if (r == NULL)
        err_ctx(e, "repository %s", place->name);
    return r;
}

void eng_repo_rest(struct eng_repo *r)
{
    eng_runlease_end(r);
    eng_common_leave(r);
    r->sweep[0] = '\0';
    r->retention_end = 0;
    r->other_known = false;
    eng_damaged_free(&r->damaged);
}

void eng_repo_close(struct eng_repo *r)
{
    if (r == NULL)
        return;
    eng_repo_rest(r);
    eng_keysets_free(&r->keysets);
    mf_keys_free(r->plain);
    obj_store_close(r->store);
    pthread_mutex_destroy(&r->versions.lock);
    if (r->root == r)
        eng_commons_fini(&r->commons);
    free(r->name);
    free(r->dir);
    free(r->state_dir);
    free(r);
}

uint64_t eng_repo_immutability(const struct eng_repo *r)
{
    return r->immutability_s;
}

const char *eng_repo_name(const struct eng_repo *r)
{
    return r->name;
}

const struct mf_descriptor *eng_repo_descriptor(const struct eng_repo *r)
{
    return &r->descriptor;
}

struct obj_store *eng_repo_store(struct eng_repo *r)
{
    return r->store;
}

bool eng_repo_is_simple(const struct eng_repo *r)
{
    return r->simple;
}

const char *eng_repo_keyset(const struct eng_repo *r)
{
    return mf_keys_keyset(r->keys);
}

const struct mf_keys *eng_repo_keys(const struct eng_repo *r)
{
    return r->keys;
}

const char *eng_repo_state_dir(const struct eng_repo *r)
{
    return r->state_dir;
}

// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/extend_one.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utc.h"
#include "engine/repo/keyset_slot.h"
#include "engine/repo/locked.h"
#include "engine/repo/versions.h"
#include "manifest/block.h"
#include "manifest/objkey.h"

static struct mf_key key_of(const struct eng_repo *r,
                            const struct eng_extend_item *item)
{
    struct mf_key key = { "" };

    switch (item->kind) {
    case ENG_INDEX_BLOCK:
        return mf_key_block(eng_repo_keyset(r), &item->id);
    case ENG_INDEX_PAGE:
        return mf_key_page(eng_repo_keyset(r), &item->id);
    case ENG_INDEX_OBJECT:
        snprintf(key.s, sizeof(key.s), "%s", item->key);
        break;
    }
    return key;
}

struct verifying {
    const struct eng_repo *repo;
    struct eng_blockio *io;
    const struct eng_extend_item *item;
};

static int verify_slot(const struct verifying *v, struct span bytes,
                       struct err *e)
{
    struct mf_slot ignored;

    return eng_slot_decode(v->repo, v->item->key, bytes, &ignored, e);
}

static int verify(void *ctx, struct span bytes, struct err *e)
{
    const struct verifying *v = ctx;
    struct mf_descriptor ignored;

    switch (v->item->kind) {
    case ENG_INDEX_BLOCK:
        return eng_block_verify(v->io, &v->item->id, bytes, e);
    case ENG_INDEX_PAGE:
        return eng_page_verify(v->io, &v->item->id, bytes, e);
    case ENG_INDEX_OBJECT:
        break;
    }
    if (v->item->slot)
        return verify_slot(v, bytes, e);
    return mf_descriptor_decode(bytes, &ignored, e);
}

/* Of several versions the oldest whose content verifies. */
static int find_good(struct eng_extend_worker *w,
                     const struct eng_extend_item *item, const char *key,
                     char version[OBJ_VERSION_CHARS], struct err *e)
{
    AUTO_BUF struct buf object = buf_init(mf_object_max(MF_BLOCK_MAX));

    if (w->io == NULL)
        w->io = eng_blockio_new(w->repo, 0, w->cancel, e);
    if (w->io == NULL)
        return -1;
    struct verifying v = { w->repo, w->io, item };
    const struct eng_verify how = { verify, &v };
    return eng_versions_find(w->repo->store, w->cancel, key, &how, &object,
                             version, e);
}

/* 0: found; 1: there is none; -1.  replaced: the version that was known is
 * gone, so that what is there was put by somebody else and has to verify. */
static int find_version(struct eng_extend_worker *w,
                        const struct eng_extend_item *item, const char *key,
                        bool replaced, char version[OBJ_VERSION_CHARS],
                        struct err *e)
{
    AUTO_ENG_VERSIONS struct eng_versions all = { 0 };
    size_t n = 0;

    if (eng_versions_of(w->repo->store, w->cancel, key, &all, e) < 0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].marker)
            continue;
        n++;
        memcpy(version, all.v[i].id, sizeof(all.v[i].id));
    }
    if (n == 0)
        return 1;
    if (n == 1 && !replaced)
        return 0;
    if (find_good(w, item, key, version, e) == 0)
        return 0;
    return e->kind == ERR_NOTFOUND || e->kind == ERR_CORRUPT ? 1 : -1;
}

/* Errors that say nothing about the object. */
static bool is_outage(const struct err *e)
{
    return e->kind == ERR_CANCELLED || e->kind == ERR_UNREACHABLE ||
           e->kind == ERR_THROTTLED || e->kind == ERR_TIMEOUT ||
           e->kind == ERR_NOMEM;
}

/* The date may be late enough already: another host's doing, or that of a
 * longer immutability, which a server refuses to shorten. */
static int read_back(struct eng_extend_worker *w, const struct obj_req *req,
                     struct eng_index_version *v, struct err *e)
{
    struct obj_lock is = { 0 };
    struct err why = { 0 };
    char iso[UTC_ISO_CHARS];

    if (obj_get_lock(w->repo->store, req, &is, &why) < 0) {
        /* Keys that may neither extend nor read. */
        if (e->kind == ERR_DENIED && why.kind == ERR_DENIED)
            return -1;
        /* Nobody has said that the lock is too short: what stands in the way
         * is that it cannot be read. */
        *e = why;
        return err_ctx(e, "read a lock that cannot be extended");
    }
    if (is.mode != OBJ_LOCK_NONE && is.until >= w->until) {
        v->until = is.until;
        return 0;
    }
    utc_format_iso(is.until, iso);
    return err_hint(e, "it is locked until %s only",
                    is.mode != OBJ_LOCK_NONE ? iso : "now");
}

static int extend_version(struct eng_extend_worker *w,
                          const struct eng_extend_item *item, const char *key,
                          struct eng_index_version *v, struct err *e)
{
    struct obj_req req = { .key = key, .version = v->id, .cancel = w->cancel };
    struct obj_lock lock = eng_locked_lock(w->repo, w->until, item->id.b);

    if (obj_set_lock(w->repo->store, &req, &lock, false, e) == 0) {
        v->until = lock.until;
        return 0;
    }
    if (e->kind == ERR_NOTFOUND || is_outage(e))
        return -1;
    return read_back(w, &req, v, e);
}

int eng_extend_one(struct eng_extend_worker *w, struct eng_extend_item *item,
                   struct err *e)
{
    struct eng_index *ix = w->repo->index;
    struct mf_key key = key_of(w->repo, item);
    struct eng_index_version v;
    bool known = eng_index_get_version(ix, item->kind, &item->id, &v);

    /* A listing may have brought more than was known before. */
    if (known && v.until >= w->until)
        return 0;
    if (known) {
        if (extend_version(w, item, key.s, &v, e) == 0)
            return eng_index_set_version(ix, item->kind, &item->id, &v, e);
        if (e->kind != ERR_NOTFOUND)
            return -1;
        log_info("repo", "%s: the version that was known is gone", key.s);
    }
    v = (struct eng_index_version){ 0 };
    int found = find_version(w, item, key.s, known, v.id, e);
    if (found == 0)
        found = extend_version(w, item, key.s, &v, e);
    if (found == 0)
        return eng_index_set_version(ix, item->kind, &item->id, &v, e);
    if (found < 0 && e->kind != ERR_NOTFOUND)
        return -1;
    if (item->kind == ENG_INDEX_OBJECT && !item->slot)
        return err_set(e, ERR_CORRUPT, 0, "%s is gone", key.s);
    item->gone = true;
    return 0;
}

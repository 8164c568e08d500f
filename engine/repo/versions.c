// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/repo/internal.h"

struct gather {
    const char *key;
    struct eng_versions *out;
};

/* Other keys only begin alike; they come later, so the walk can end. */
static int on_version(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    struct gather *g = ctx;
    struct eng_versions *out = g->out;

    if (strcmp(key, g->key) != 0)
        return 1;
    if (out->n == out->cap) {
        size_t cap = out->cap == 0 ? 4 : out->cap * 2;
        struct eng_version *grown = realloc(out->v, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        out->v = grown;
        out->cap = cap;
    }
    struct eng_version *v = &out->v[out->n++];
    *v = (struct eng_version){ .size = info->size,
                               .modified = info->modified,
                               .marker = info->delete_marker };
    snprintf(v->id, sizeof(v->id), "%s", info->version);
    return 0;
}

int eng_versions_of(struct obj_store *store, const struct cancel *cancel,
                    const char *key, struct eng_versions *out, struct err *e)
{
    struct gather g = { .key = key, .out = out };
    struct obj_req req = { .key = key, .cancel = cancel };
    struct obj_list_opts opts = { .versions = true };

    *out = (struct eng_versions){ 0 };
    if (obj_list(store, &req, &opts, on_version, &g, e) < 0) {
        eng_versions_free(out);
        return -1;
    }
    /* Listings are newest first. */
    for (size_t i = 0; i < out->n / 2; i++) {
        struct eng_version v = out->v[i];
        out->v[i] = out->v[out->n - 1 - i];
        out->v[out->n - 1 - i] = v;
    }
    return 0;
}

void eng_versions_free(struct eng_versions *v)
{
    free(v->v);
    *v = (struct eng_versions){ 0 };
}

int eng_versions_any(struct eng_repo *r, const struct cancel *cancel,
                     const char *key, bool markers, struct err *e)
{
    struct obj_req req = { .key = key, .cancel = cancel };
    AUTO_ENG_VERSIONS struct eng_versions all = { 0 };
    struct obj_info info;
    bool kept = false;

    if (eng_repo_keeps_versions(r, cancel, &kept, e) < 0)
        return -1;
    if (!kept) {
        if (obj_head(r->store, &req, &info, e) == 0)
            return 1;
        if (e->kind != ERR_NOTFOUND)
            return -1;
        *e = (struct err){ 0 };
        return 0;
    }
    if (eng_versions_of(r->store, cancel, key, &all, e) < 0)
        return -1;
    for (size_t i = 0; i < all.n; i++)
        if (markers || !all.v[i].marker)
            return 1;
    return 0;
}

/* 1: this version is it; 0: it is not, e says why; -1. */
static int try_version(struct obj_store *store, const struct cancel *cancel,
                       const char *key, const char *version,
                       const struct eng_verify *verify, struct buf *out,
                       struct err *e)
{
    struct obj_req req = { .key = key, .version = version, .cancel = cancel };

    buf_reset(out);
    if (obj_get(store, &req, NULL, out, NULL, e) < 0)
        return e->kind == ERR_NOTFOUND || e->kind == ERR_CORRUPT ? 0 : -1;
    if (verify->fn(verify->ctx, buf_span(out), e) == 0)
        return 1;
    return e->kind == ERR_CORRUPT || e->kind == ERR_UNSUPPORTED ? 0 : -1;
}

int eng_versions_find(struct obj_store *store, const struct cancel *cancel,
                      const char *key, const struct eng_verify *verify,
                      struct buf *out, char version[OBJ_VERSION_CHARS],
                      struct err *e)
{
    AUTO_ENG_VERSIONS struct eng_versions all = { 0 };
    size_t tried = 0;

    if (eng_versions_of(store, cancel, key, &all, e) < 0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].marker)
            continue;
        tried++;
        int is = try_version(store, cancel, key, all.v[i].id, verify, out, e);
        if (is < 0)
            return -1;
        if (is == 0)
            continue;
        if (version != NULL)
            memcpy(version, all.v[i].id, sizeof(all.v[i].id));
        return 0;
    }
    if (tried == 0)
        return err_set(e, ERR_NOTFOUND, 0, "%s: there is no version of it",
                       key);
    return err_set(e, ERR_CORRUPT, 0, "%s: none of %zu versions verifies", key,
                   tried);
}

/* Settings that may not be read are not needed to read the repository. */
static int ask(struct eng_repo *r, const struct cancel *cancel, struct err *e)
{
    struct obj_req req = { .key = "", .cancel = cancel };
    struct obj_bucket b;

    if (obj_bucket_info(r->store, &req, &b, e) == 0) {
        r->versions.kept = b.versioning != OBJ_VERSIONS_NEVER;
    } else {
        if (e->kind != ERR_DENIED)
            return -1;
        log_info("repo",
                 "whether the bucket keeps versions cannot be asked: "
                 "%s",
                 e->msg);
        r->versions.kept = r->descriptor.locked;
    }
    r->versions.known = true;
    return 0;
}

int eng_repo_keeps_versions(struct eng_repo *r, const struct cancel *cancel,
                            bool *kept, struct err *e)
{
    int result = 0;

    pthread_mutex_lock(&r->versions.lock);
    if (!r->versions.known)
        result = ask(r, cancel, e);
    *kept = r->versions.kept;
    pthread_mutex_unlock(&r->versions.lock);
    return result;
}

static void tell(struct eng_repo *r, const char *key, const struct err *why)
{
    log_info("repo", "%s: an older version is used (%s)", key, why->msg);
    pthread_mutex_lock(&r->versions.lock);
    bool told = r->versions.told;
    r->versions.told = true;
    pthread_mutex_unlock(&r->versions.lock);
    if (!told)
        log_warn("repo",
                 "%s: objects are hidden or overwritten (%s is one); older "
                 "versions of them are used",
                 r->name, key);
}

int eng_versions_rescue(struct eng_repo *r, const struct cancel *cancel,
                        const char *key, const struct eng_verify *verify,
                        struct buf *out, struct err *e)
{
    struct err why = { 0 };
    bool kept = false;

    if (e->kind != ERR_NOTFOUND && e->kind != ERR_CORRUPT)
        return -1;
    if (eng_repo_keeps_versions(r, cancel, &kept, &why) < 0) {
        *e = why;
        return -1;
    }
    if (!kept)
        return -1;
    if (eng_versions_find(r->store, cancel, key, verify, out, NULL, &why) ==
        0) {
        tell(r, key, e);
        return 0;
    }
    if (why.kind != ERR_NOTFOUND && why.kind != ERR_CORRUPT)
        *e = why;
    return -1;
}

int eng_versions_get(struct eng_repo *r, const struct cancel *cancel,
                     const char *key, const struct eng_verify *verify,
                     struct buf *out, struct err *e)
{
    for (int n = 1; n <= ENG_GET_TRIES; n++) {
        buf_reset(out);
        if (eng_repo_get(r, cancel, key, out, e) < 0)
            break;
        if (verify->fn(verify->ctx, buf_span(out), e) == 0)
            return 0;
        if (e->kind != ERR_CORRUPT)
            break;
        log_info("repo", "%s: %s; fetching it again", key, e->msg);
    }
    return eng_versions_rescue(r, cancel, key, verify, out, e);
}

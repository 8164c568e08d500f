// SPDX-License-Identifier: Apache-2.0
/* One object: fetched, opened, compared with its name. */
#include "engine/care/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/digest.h"
#include "base/zst.h"
#include "engine/repo/keyset_slot.h"
#include "engine/repo/versions.h"
#include "manifest/block.h"
#include "manifest/page.h"
#include "manifest/point.h"

struct eng_looker {
    struct eng_repo *repo;
    const struct cancel *cancel;
    struct zst *z;
    struct buf stored; /* the object */
    struct buf json;   /* a page's, or a sealed manifest's */
    uint8_t *block;    /* a block's plaintext; made when needed */
    struct span plain; /* of one of these */
    struct obj_info info;
    uint64_t bytes;
};

struct eng_look_want eng_look_block(const struct eng_repo *r,
                                    const struct mf_id *id, uint32_t len)
{
    return (struct eng_look_want){ .kind = ENG_LOOK_BLOCK,
                                   .id = *id,
                                   .len = len,
                                   .key =
                                       mf_key_block(eng_repo_keyset(r), id) };
}

struct eng_look_want eng_look_page(const struct eng_repo *r,
                                   const struct mf_id *id)
{
    return (struct eng_look_want){ .kind = ENG_LOOK_PAGE,
                                   .id = *id,
                                   .key = mf_key_page(eng_repo_keyset(r), id) };
}

bool eng_look_manifest(const struct eng_repo *r, const char *key,
                       struct eng_look_want *w)
{
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];

    *w = (struct eng_look_want){ .kind = ENG_LOOK_MANIFEST };
    if (!mf_key_parse_point(key, eng_repo_keyset(r), vm_key, file))
        return false;
    w->key = mf_key_point(eng_repo_keyset(r), vm_key, file);
    return true;
}

struct eng_look_want eng_look_descriptor(void)
{
    return (struct eng_look_want){ .kind = ENG_LOOK_DESCRIPTOR,
                                   .key = { MF_DESCRIPTOR_KEY } };
}

struct eng_look_want eng_look_slot(const char *key)
{
    struct eng_look_want w = { .kind = ENG_LOOK_SLOT };

    (void)snprintf(w.key.s, sizeof(w.key.s), "%s", key);
    return w;
}

struct eng_looker *eng_looker_new(struct eng_repo *r,
                                  const struct cancel *cancel, struct err *e)
{
    struct eng_looker *l = calloc(1, sizeof(*l));

    if (l == NULL) {
        err_nomem(e);
        return NULL;
    }
    l->repo = r;
    l->cancel = cancel;
    l->stored = buf_init(mf_object_max(MF_BLOCK_MAX));
    l->json = buf_init(MF_PAGE_JSON_MAX);
    l->z = zst_new(e);
    if (l->z == NULL) {
        eng_looker_free(l);
        return NULL;
    }
    zst_stop_by(l->z, cancel);
    return l;
}

void eng_looker_free(struct eng_looker *l)
{
    if (l == NULL)
        return;
    zst_free(l->z);
    buf_free(&l->stored);
    buf_free(&l->json);
    free(l->block);
    free(l);
}

struct eng_repo *eng_looker_repo(const struct eng_looker *l)
{
    return l->repo;
}

struct span eng_looker_stored(const struct eng_looker *l)
{
    return buf_span(&l->stored);
}

struct span eng_looker_plain(const struct eng_looker *l)
{
    return l->plain;
}

uint64_t eng_looker_bytes(const struct eng_looker *l)
{
    return l->bytes;
}

enum eng_look_record eng_look_record(struct span stored,
                                     const struct obj_info *info)
{
    uint8_t recorded[DIGEST_MD5_BYTES];
    uint8_t now[DIGEST_MD5_BYTES];
    struct err e = { 0 };

    /* Other forms (several parts, encrypted by the server) are no digest. */
    if (!digest_unhex(info->etag, strlen(info->etag), recorded,
                      sizeof(recorded)) ||
        digest_md5(stored, now, &e) < 0)
        return ENG_RECORD_NONE;
    return memcmp(recorded, now, sizeof(now)) == 0 ? ENG_RECORD_MATCHES
                                                   : ENG_RECORD_DIFFERS;
}

bool eng_look_false(const struct eng_look_want *w, struct span stored,
                    const struct obj_info *info)
{
    const char *file = strrchr(w->key.s, '/');
    struct err e = { 0 };

    if (eng_look_record(stored, info) != ENG_RECORD_MATCHES)
        return false;
    return w->kind != ENG_LOOK_MANIFEST || file == NULL ||
           (mf_point_file_verify(file + 1, stored, &e) < 0 &&
            e.kind == ERR_CORRUPT);
}

static int open_block(struct eng_looker *l, const struct eng_look_want *w,
                      struct err *e)
{
    size_t len = 0;

    if (l->block == NULL)
        l->block = malloc(MF_BLOCK_MAX);
    if (l->block == NULL)
        return err_nomem(e);
    if (cpu_enter(l->cancel, e) < 0)
        return -1;
    int r = mf_block_decode(eng_repo_keys(l->repo), l->z, buf_span(&l->stored),
                            &w->id, l->block, MF_BLOCK_MAX, &len, e);
    cpu_leave();
    if (r < 0)
        return -1;
    if (w->len != 0 && len != w->len)
        return err_set(e, ERR_CORRUPT, 0,
                       "it has %zu bytes where the map needs %u", len, w->len);
    l->plain = span_of(l->block, len);
    return 0;
}

static int open_page(struct eng_looker *l, const struct eng_look_want *w,
                     struct err *e)
{
    buf_reset(&l->json);
    if (mf_page_open(eng_repo_keys(l->repo), l->z, buf_span(&l->stored), &w->id,
                     &l->json, e) < 0)
        return -1;
    l->plain = buf_span(&l->json);
    return 0;
}

/* A manifest says itself which VM and time it is for. */
static int open_manifest(struct eng_looker *l, const struct eng_look_want *w,
                         struct err *e)
{
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];
    char own[MF_VMKEY_CHARS];
    const struct mf_keys *keys = eng_repo_keys(l->repo);
    int64_t time = 0;
    uint8_t hash[8];

    if (!mf_key_parse_point(w->key.s, eng_repo_keyset(l->repo), vm_key, file) ||
        !mf_point_file_parse(file, &time, hash))
        return err_set(e, ERR_CORRUPT, 0, "no name of a manifest");
    buf_reset(&l->json);
    l->json.max = MF_POINT_JSON_MAX;
    int opened = mf_point_open(keys, vm_key, file, buf_span(&l->stored),
                               &l->json, &l->plain, e);
    l->json.max = MF_PAGE_JSON_MAX;
    if (opened < 0)
        return -1;
    AUTO_MF_POINT struct mf_point *m = mf_point_decode(l->plain, e);
    if (m == NULL || mf_keys_vm_key(keys, m->vm.name, own, e) < 0)
        return -1;
    if (strcmp(own, vm_key) != 0 || m->time != time)
        return err_set(e, ERR_CORRUPT, 0, "it belongs to another VM or time");
    return 0;
}

static int open_descriptor(struct eng_looker *l, struct err *e)
{
    struct mf_descriptor d;

    if (mf_descriptor_decode(buf_span(&l->stored), &d, e) < 0)
        return -1;
    l->plain = buf_span(&l->stored);
    return 0;
}

static int open_slot(struct eng_looker *l, const struct eng_look_want *w,
                     struct err *e)
{
    struct mf_slot s;

    if (eng_slot_decode(l->repo, w->key.s, buf_span(&l->stored), &s, e) < 0)
        return -1;
    const struct eng_keyset *k = eng_keysets_find(l->repo, s.keyset);
    if (k != NULL && k->proven && k->keys != NULL) {
        int proven = mf_slot_proven(&s, k->keys, e);
        if (proven < 0)
            return -1;
        if (proven == 0)
            return err_set(e, ERR_CORRUPT, 0,
                           "nobody made it who has the keyset's key");
    }
    l->plain = buf_span(&l->stored);
    return 0;
}

static int open_it(struct eng_looker *l, const struct eng_look_want *w,
                   struct err *e)
{
    switch (w->kind) {
    case ENG_LOOK_BLOCK:
        return open_block(l, w, e);
    case ENG_LOOK_PAGE:
        return open_page(l, w, e);
    case ENG_LOOK_MANIFEST:
        return open_manifest(l, w, e);
    case ENG_LOOK_DESCRIPTOR:
        return open_descriptor(l, e);
    case ENG_LOOK_SLOT:
        return open_slot(l, w, e);
    }
    return err_set(e, ERR_INTERNAL, 0, "object of kind %d", (int)w->kind);
}

/* Whether an error of a get is the object's own: also of a slot that the server
 * refuses, which anybody can put (archived, encrypted by a key of theirs). */
static bool is_bad(const struct eng_look_want *w, const struct err *e)
{
    return e->kind == ERR_NOTFOUND || e->kind == ERR_CORRUPT ||
           (w->kind == ENG_LOOK_SLOT &&
            (e->kind == ERR_DENIED || e->kind == ERR_FAILED));
}

/* 1: verified; 0: not, e says why (ERR_NOTFOUND: there is nothing). */
static int fetch(struct eng_looker *l, const struct eng_look_want *w,
                 const char *version, struct err *e)
{
    struct obj_req req = { .key = w->key.s,
                           .version = version,
                           .cancel = l->cancel };

    l->stored.max = w->kind == ENG_LOOK_MANIFEST ? MF_POINT_JSON_MAX
                                                 : mf_object_max(MF_BLOCK_MAX);
    for (int n = 1;; n++) {
        buf_reset(&l->stored);
        l->info = (struct obj_info){ 0 };
        if (obj_get(eng_repo_store(l->repo), &req, NULL, &l->stored, &l->info,
                    e) < 0)
            return is_bad(w, e) ? 0 : -1;
        if (open_it(l, w, e) == 0) {
            l->bytes += l->stored.len;
            return 1;
        }
        if (e->kind != ERR_CORRUPT && e->kind != ERR_UNSUPPORTED)
            return -1;
        /* What the server recorded fits: it was not hurt on its way. */
        if (n == ENG_GET_TRIES ||
            eng_look_record(buf_span(&l->stored), &l->info) ==
                ENG_RECORD_MATCHES)
            return 0;
    }
}

int eng_look_version(struct eng_looker *l, const struct eng_look_want *w,
                     const char *version, struct obj_info *info, struct err *e)
{
    int r = fetch(l, w, version, e);

    if (r >= 0 && info != NULL)
        *info = l->info;
    return r;
}

/* Oldest first, as everywhere: what was there first was ours. */
static int look_for_older(struct eng_looker *l, const struct eng_look_want *w,
                          struct eng_looked *out, struct err *e)
{
    AUTO_ENG_VERSIONS struct eng_versions all = { 0 };
    struct err why = { 0 };
    bool kept = false;

    if (eng_repo_keeps_versions(l->repo, l->cancel, &kept, e) < 0)
        return -1;
    if (!kept)
        return 0;
    if (eng_versions_of(eng_repo_store(l->repo), l->cancel, w->key.s, &all, e) <
        0)
        return -1;
    out->never = true;
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].marker)
            continue;
        if (out->state == ENG_LOOK_ABSENT)
            out->state = ENG_LOOK_BAD;
        int r = fetch(l, w, all.v[i].id, &why);
        if (r < 0) {
            *e = why;
            return -1;
        }
        if (r == 0) {
            out->never &= eng_look_false(w, buf_span(&l->stored), &l->info);
            continue;
        }
        out->state = ENG_LOOK_OLDER;
        memcpy(out->version, all.v[i].id, sizeof(out->version));
        return 0;
    }
    out->never &= out->state == ENG_LOOK_BAD;
    return 0;
}

int eng_look(struct eng_looker *l, const struct eng_look_want *w,
             struct eng_looked *out, struct err *e)
{
    *out = (struct eng_looked){ 0 };
    int r = fetch(l, w, NULL, e);

    if (r < 0)
        return -1;
    if (r == 1) {
        memcpy(out->version, l->info.version, sizeof(out->version));
        return 0;
    }
    (void)snprintf(out->why, sizeof(out->why), "%.299s", e->msg);
    out->state = e->kind == ERR_NOTFOUND ? ENG_LOOK_ABSENT : ENG_LOOK_BAD;
    if (out->state == ENG_LOOK_BAD)
        out->record = eng_look_record(buf_span(&l->stored), &l->info);
    return look_for_older(l, w, out, e);
}

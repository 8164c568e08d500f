// SPDX-License-Identifier: Apache-2.0
/*
 * Slots as objects.  A slot is put under a name that nobody has used before,
 * read back, unwrapped and compared: before that nothing is sealed by its key,
 * for what is sealed by a key that no slot holds is lost.
 */
#include "engine/repo/keyset_slot.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "engine/repo/internal.h"
#include "engine/repo/locked.h"
#include "engine/repo/versions.h"

int eng_keyset_random_id(char out[ENG_KEYSET_ID_CHARS], struct err *e)
{
    uint8_t raw[(ENG_KEYSET_ID_CHARS - 1) / 2];

    if (digest_random(raw, sizeof(raw), e) < 0)
        return -1;
    digest_hex(span_of(raw, sizeof(raw)), out);
    return 0;
}

int eng_slot_decode(const struct eng_repo *r, const char *key,
                    struct span bytes, struct mf_slot *out, struct err *e)
{
    if (mf_slot_decode(bytes, out, e) < 0)
        return err_ctx(e, "%s", key);
    return mf_slot_verify(out, r->descriptor.id, key, e);
}

struct reading {
    const struct eng_repo *repo;
    const char *key;
    struct mf_slot *s; /* out */
};

static int verify(void *ctx, struct span bytes, struct err *e)
{
    const struct reading *v = ctx;

    return eng_slot_decode(v->repo, v->key, bytes, v->s, e);
}

int eng_slot_read(struct eng_repo *r, const char *key, bool oldest,
                  const struct cancel *cancel, struct mf_slot *out,
                  struct err *e)
{
    struct reading v = { r, key, out };
    const struct eng_verify how = { verify, &v };
    AUTO_BUF struct buf bytes = buf_init(MF_SLOT_JSON_MAX);
    struct err why = { 0 };

    int got = oldest ? eng_versions_find(r->store, cancel, key, &how, &bytes,
                                         NULL, &why)
                     : eng_versions_get(r, cancel, key, &how, &bytes, &why);
    if (got == 0)
        return 0;
    if (why.kind != ERR_CORRUPT && why.kind != ERR_NOTFOUND &&
        why.kind != ERR_UNSUPPORTED) {
        *e = why;
        return -1;
    }
    log_warn("repo", "%s cannot be used: %s", key, why.msg);
    return 1;
}

static int wrap(struct mf_slot *s, struct span data_key,
                const struct eng_key_way *way, const struct cancel *cancel,
                struct err *e)
{
    AUTO_BUF struct buf aad = buf_init(MF_SLOT_JSON_MAX);
    struct wrapped w = { .len = 0 };

    if (way->describe == NULL || way->wrap == NULL)
        return err_set(e, ERR_INTERNAL, 0, "%s makes no slots", way->name);
    if (way->describe(way->ctx, cancel, s, e) < 0 ||
        wrap_print(data_key, s->keyset, s->key_print, e) < 0 ||
        mf_slot_aad(s, &aad, e) < 0 ||
        way->wrap(way->ctx, cancel, s, buf_span(&aad), data_key, &w, e) < 0)
        return err_ctx(e, "%s", way->name);
    if (w.len > sizeof(s->data))
        return err_set(e, ERR_INTERNAL, 0, "a wrapped key of %zu bytes", w.len);
    memcpy(s->iv, w.iv, sizeof(s->iv));
    memcpy(s->tag, w.tag, sizeof(s->tag));
    memcpy(s->data, w.data, w.len);
    s->data_len = w.len;
    return 0;
}

/* The object is what was put, and holds the key. */
static int compare(struct eng_repo *r, const char *key, struct span bytes,
                   struct span data_key, const struct eng_key_way *way,
                   const struct cancel *cancel, struct err *e)
{
    AUTO_BUF struct buf back = buf_init(MF_SLOT_JSON_MAX);
    struct mf_slot s;

    if (eng_repo_get(r, cancel, key, &back, e) < 0 ||
        eng_slot_decode(r, key, buf_span(&back), &s, e) < 0)
        return -1;
    if (!span_eq(bytes, buf_span(&back)))
        return err_set(e, ERR_CORRUPT, 0, "it is not what was put");
    if (way->unwrap == NULL) /* a public key */
        return 0;
    AUTO_SECRET struct secret *again =
        eng_slot_unwrap(way, &s, false, cancel, e);
    if (again == NULL)
        return -1;
    return span_eq(secret_span(again), data_key)
               ? 0
               : err_set(e, ERR_CORRUPT, 0, "it holds another key");
}

int eng_slot_put(struct eng_repo *r, struct mf_slot *s, struct span data_key,
                 const struct eng_key_way *way, int64_t until,
                 const struct cancel *cancel, struct err *e)
{
    AUTO_BUF struct buf bytes = buf_init(MF_SLOT_JSON_MAX);
    struct mf_key key = mf_key_slot(s->keyset, s->gen, s->slot);
    struct obj_req req = { .key = key.s, .cancel = cancel };
    struct obj_put_opts opts = { .if_absent = true,
                                 .content_type = "application/json" };
    uint8_t hash[ENG_LOCK_HASH_BYTES];
    int64_t now = eng_locked_until(r, eng_locked_now(r));

    if (wrap(s, data_key, way, cancel, e) < 0 ||
        mf_slot_encode(s, &bytes, e) < 0 ||
        eng_lock_key_hash(key.s, hash, e) < 0)
        return -1;
    opts.lock = eng_locked_lock(r, until > now ? until : now, hash);
    int put = obj_put(r->store, &req, buf_span(&bytes), &opts, NULL, e);
    /* The name is random: where no condition can be set, none is needed. */
    if (put < 0 && e->kind == ERR_UNSUPPORTED) {
        opts.if_absent = false;
        put = obj_put(r->store, &req, buf_span(&bytes), &opts, NULL, e);
    }
    if (put < 0 ||
        compare(r, key.s, buf_span(&bytes), data_key, way, cancel, e) < 0)
        return err_ctx(e, "slot %s", key.s);
    return 0;
}

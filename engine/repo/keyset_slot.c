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

/* It says nothing of others: also what a server refuses may be the object's own
 * fault, which may be archived, or encrypted by a key of somebody else. */
static bool is_about_one(const struct err *e)
{
    return e->kind == ERR_CORRUPT || e->kind == ERR_NOTFOUND ||
           e->kind == ERR_UNSUPPORTED || e->kind == ERR_DENIED ||
           e->kind == ERR_FAILED;
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
    if (!is_about_one(&why)) {
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

/* --- putting --- */

/* What every reader takes for the slot: of several versions the oldest. */
static int read_back(struct eng_repo *r, const char *key, bool oldest,
                     const struct cancel *cancel, struct buf *out,
                     struct err *e)
{
    struct mf_slot s;
    struct reading v = { r, key, &s };
    const struct eng_verify how = { verify, &v };
    bool kept = false;

    if (oldest && eng_repo_keeps_versions(r, cancel, &kept, e) < 0)
        return -1;
    return kept ? eng_versions_find(r->store, cancel, key, &how, out, NULL, e)
                : eng_repo_get(r, cancel, key, out, e);
}

/* The name is free as far as this host has listed.  Two hosts that give a slot
 * its next generation use the same one: the condition lets one of them win.
 * Where the server knows none, what stands after the put decides; there the
 * slower of two hosts can still take the place of the other one, whose slot is
 * lost then, and whose password opens nothing. */
static int put(struct eng_repo *r, const char *key, struct span bytes,
               struct obj_put_opts *opts, const struct cancel *cancel,
               struct err *e)
{
    struct obj_req req = { .key = key, .cancel = cancel };
    AUTO_BUF struct buf back = buf_init(MF_SLOT_JSON_MAX);

    int done = obj_put(r->store, &req, bytes, opts, NULL, e);
    if (done < 0 && e->kind == ERR_UNSUPPORTED) {
        opts->if_absent = false;
        done = obj_put(r->store, &req, bytes, opts, NULL, e);
    }
    if (done < 0 || read_back(r, key, !opts->if_absent, cancel, &back, e) < 0)
        return -1;
    return span_eq(bytes, buf_span(&back))
               ? 0
               : err_set(e, ERR_CORRUPT, 0, "it is not what was put");
}

int eng_slot_store(struct eng_repo *r, struct mf_slot *s,
                   const struct mf_keys *keys, int64_t until,
                   const struct cancel *cancel, struct err *e)
{
    AUTO_BUF struct buf bytes = buf_init(MF_SLOT_JSON_MAX);
    struct mf_key key = mf_key_slot(s->keyset, s->gen, s->slot);
    struct obj_put_opts opts = { .if_absent = true,
                                 .content_type = "application/json" };
    uint8_t hash[ENG_LOCK_HASH_BYTES];
    int64_t now = eng_locked_until(r, eng_locked_now(r));

    if (mf_slot_sign(s, keys, e) < 0 || mf_slot_encode(s, &bytes, e) < 0 ||
        eng_lock_key_hash(key.s, hash, e) < 0)
        return -1;
    opts.lock = eng_locked_lock(r, until > now ? until : now, hash);
    return put(r, key.s, buf_span(&bytes), &opts, cancel, e) < 0
               ? err_ctx(e, "slot %s", key.s)
               : 0;
}

/* That what stands opens, and holds the key. */
static int open_again(const struct mf_slot *s, struct span data_key,
                      const struct eng_key_way *way,
                      const struct cancel *cancel, struct err *e)
{
    if (way->unwrap == NULL) /* a public key */
        return 0;
    AUTO_SECRET struct secret *again =
        eng_slot_unwrap(way, s, false, cancel, e);
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
    AUTO_MF_KEYS struct mf_keys *keys =
        mf_keys_derive(r->descriptor.id, s->keyset, data_key, e);

    if (keys == NULL || wrap(s, data_key, way, cancel, e) < 0 ||
        eng_slot_store(r, s, keys, until, cancel, e) < 0)
        return -1;
    return open_again(s, data_key, way, cancel, e) < 0
               ? err_ctx(e, "slot %s",
                         mf_key_slot(s->keyset, s->gen, s->slot).s)
               : 0;
}

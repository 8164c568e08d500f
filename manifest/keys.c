// SPDX-License-Identifier: Apache-2.0
/* Sub-keys, ids, vm keys and seals of a keyset. */
#include "manifest/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/aead.h"
#include "base/digest.h"
#include "base/secret.h"

#define KEY_BYTES 32
#define REPO_BYTES 16
#define KEYSET_BYTES 8
#define MAGIC_BYTES 4 /* of mf_seal_head, before the version */
/* A manifest's id: vm key, '/', time. */
#define ID_MAX (MF_VMKEY_CHARS + 32)

/* What a sub-key is for; in this order in memory. */
enum use {
    USE_BLOCK_ID,
    USE_PAGE_ID,
    USE_VM_NAME,
    USE_BLOCK,
    USE_PAGE,
    USE_MANIFEST,
    USE_SLOT,
    USES
};
static const char *const uses[USES] = { "block-id", "page-id", "vm-name",
                                        "block",    "page",    "manifest",
                                        "slot" };

struct mf_keys {
    char keyset[MF_KEYSET_CHARS];
    uint8_t repo[REPO_BYTES], number[KEYSET_BYTES]; /* as bytes */
    struct secret *sub;                             /* USES keys; NULL: plain */
};

static struct span sub_key(const struct mf_keys *k, enum use u)
{
    return span_of(secret_span(k->sub).p + (size_t)u * KEY_BYTES, KEY_BYTES);
}

struct mf_keys *mf_keys_plain(struct err *e)
{
    struct mf_keys *k = calloc(1, sizeof(*k));

    if (k == NULL)
        err_nomem(e);
    else
        memcpy(k->keyset, MF_KEYSET_PLAIN, sizeof(MF_KEYSET_PLAIN));
    return k;
}

static int derive_all(const struct mf_keys *k, struct span data_key,
                      uint8_t out[USES * KEY_BYTES], struct err *e)
{
    char info[64];

    for (int u = 0; u < USES; u++) {
        int n = snprintf(info, sizeof(info), "objvault-1 %s %s", uses[u],
                         k->keyset);
        if (digest_hkdf_sha256(data_key, span_of(k->repo, sizeof(k->repo)),
                               span_of(info, (size_t)n),
                               out + (size_t)u * KEY_BYTES, KEY_BYTES, e) < 0)
            return -1;
    }
    return 0;
}

static int derive(struct mf_keys *k, const char *repo, const char *keyset,
                  struct span data_key, struct err *e)
{
    uint8_t raw[USES * KEY_BYTES];

    if (!digest_unhex(repo, strlen(repo), k->repo, sizeof(k->repo)) ||
        strncmp(keyset, "k-", 2) != 0 ||
        !digest_unhex(keyset + 2, strlen(keyset + 2), k->number,
                      sizeof(k->number)) ||
        data_key.len != MF_DATA_KEY_BYTES)
        return err_set(e, ERR_INTERNAL, 0, "keys of what is no keyset");
    memcpy(k->keyset, keyset, sizeof(k->keyset));
    int r = derive_all(k, data_key, raw, e);
    if (r == 0)
        k->sub = secret_new(span_of(raw, sizeof(raw)), e);
    secret_wipe(raw, sizeof(raw));
    return r == 0 && k->sub != NULL ? 0 : -1;
}

struct mf_keys *mf_keys_derive(const char *repo, const char *keyset,
                               struct span data_key, struct err *e)
{
    AUTO_MF_KEYS struct mf_keys *k = calloc(1, sizeof(*k));

    if (k == NULL) {
        err_nomem(e);
        return NULL;
    }
    return derive(k, repo, keyset, data_key, e) == 0 ? STEAL(k) : NULL;
}

struct mf_keys *mf_keys_copy(const struct mf_keys *k, struct err *e)
{
    AUTO_MF_KEYS struct mf_keys *copy = malloc(sizeof(*copy));

    if (copy == NULL) {
        err_nomem(e);
        return NULL;
    }
    *copy = *k;
    copy->sub = NULL;
    if (k->sub != NULL)
        copy->sub = secret_new(secret_span(k->sub), e);
    return k->sub == NULL || copy->sub != NULL ? STEAL(copy) : NULL;
}

void mf_keys_free(struct mf_keys *k)
{
    if (k == NULL)
        return;
    secret_free(k->sub);
    free(k);
}

const char *mf_keys_keyset(const struct mf_keys *k)
{
    return k->keyset;
}

bool mf_keys_same(const struct mf_keys *a, const struct mf_keys *b)
{
    if (strcmp(a->keyset, b->keyset) != 0 ||
        (a->sub == NULL) != (b->sub == NULL))
        return false;
    return a->sub == NULL || span_eq(secret_span(a->sub), secret_span(b->sub));
}

bool mf_keys_sealed(const struct mf_keys *k)
{
    return k->sub != NULL;
}

int mf_keys_id(const struct mf_keys *k, enum mf_object kind, struct span plain,
               struct mf_id *id, struct err *e)
{
    if (k->sub == NULL)
        return mf_id_of(plain, id, e);
    enum use u = kind == MF_OBJECT_PAGE ? USE_PAGE_ID : USE_BLOCK_ID;
    return digest_hmac_sha256(sub_key(k, u), plain, id->b, e);
}

int mf_keys_check_id(const struct mf_keys *k, enum mf_object kind,
                     struct span plain, const struct mf_id *id, struct err *e)
{
    struct mf_id found;

    if (mf_keys_id(k, kind, plain, &found, e) < 0)
        return -1;
    if (!mf_id_eq(&found, id))
        return err_set(e, ERR_CORRUPT, 0, "content does not have the %s",
                       k->sub == NULL ? "SHA-256 of its name"
                                      : "id that is its name");
    return 0;
}

int mf_keys_vm_key(const struct mf_keys *k, const char *name,
                   char out[MF_VMKEY_CHARS], struct err *e)
{
    uint8_t mac[DIGEST_SHA256_BYTES];

    /* It also says what is no name. */
    if (mf_vmkey_encode(name, out, e) < 0)
        return -1;
    if (k->sub == NULL)
        return 0;
    if (digest_hmac_sha256(sub_key(k, USE_VM_NAME), span_str(name), mac, e) < 0)
        return -1;
    digest_hex(span_of(mac, sizeof(mac) / 2), out);
    return 0;
}

int mf_keys_slot_mac(const struct mf_keys *k, struct span json,
                     uint8_t mac[MF_SLOT_MAC_BYTES], struct err *e)
{
    uint8_t full[DIGEST_SHA256_BYTES];

    if (k->sub == NULL)
        return err_set(e, ERR_INTERNAL, 0, "a slot of a keyset without keys");
    if (digest_hmac_sha256(sub_key(k, USE_SLOT), json, full, e) < 0)
        return -1;
    memcpy(mac, full, MF_SLOT_MAC_BYTES);
    return 0;
}

/* --- seals --- */

/* Every object has a key of its own, so that a nonce which chance repeats meets
 * another key. */
static int object_key(const struct mf_keys *k, enum mf_object kind,
                      struct span id, uint8_t key[KEY_BYTES], struct err *e)
{
    static const enum use of[] = { [MF_OBJECT_BLOCK] = USE_BLOCK,
                                   [MF_OBJECT_PAGE] = USE_PAGE,
                                   [MF_OBJECT_MANIFEST] = USE_MANIFEST };

    if (k->sub == NULL || id.len > ID_MAX)
        return err_set(e, ERR_INTERNAL, 0, "a seal in a keyset without keys");
    return digest_hmac_sha256(sub_key(k, of[kind]), id, key, e);
}

const uint8_t mf_seal_head[MF_SEAL_NONCE_AT] = { 'O', 'V', 'E', '1', 1 };

/* What a seal binds beside its content. */
static struct span additional(const struct mf_keys *k, enum mf_object kind,
                              struct span id, uint8_t *room)
{
    uint8_t *at = room;

    memcpy(at, mf_seal_head, sizeof(mf_seal_head));
    at += sizeof(mf_seal_head);
    memcpy(at, k->repo, REPO_BYTES);
    at += REPO_BYTES;
    memcpy(at, k->number, KEYSET_BYTES);
    at += KEYSET_BYTES;
    *at++ = (uint8_t)kind;
    memcpy(at, id.p, id.len);
    return span_of(room, (size_t)(at - room) + id.len);
}
#define ADDITIONAL_MAX                                                         \
    (MF_SEAL_NONCE_AT + REPO_BYTES + KEYSET_BYTES + 1 + ID_MAX)

size_t mf_keys_seal_begin(const struct mf_keys *k, struct buf *out)
{
    size_t at = out->len;

    if (k->sub != NULL && buf_reserve(out, MF_SEAL_HEAD_BYTES) != NULL)
        out->len += MF_SEAL_HEAD_BYTES;
    return at;
}

int mf_keys_seal_end(const struct mf_keys *k, enum mf_object kind,
                     struct span id, struct buf *out, size_t at, struct err *e)
{
    uint8_t key[KEY_BYTES];
    uint8_t aad[ADDITIONAL_MAX];

    if (k->sub == NULL)
        return buf_check(out, e);
    uint8_t *tag = buf_reserve(out, AEAD_TAG_BYTES);
    if (tag == NULL)
        return buf_check(out, e);
    uint8_t *head = out->p + at;
    uint8_t *nonce = head + MF_SEAL_NONCE_AT;
    struct span content =
        span_of(head + MF_SEAL_HEAD_BYTES, out->len - at - MF_SEAL_HEAD_BYTES);
    memcpy(head, mf_seal_head, sizeof(mf_seal_head));
    if (digest_random(nonce, AEAD_NONCE_BYTES, e) < 0 ||
        object_key(k, kind, id, key, e) < 0)
        return -1;
    int r = aead_seal(key, nonce, additional(k, kind, id, aad), content,
                      head + MF_SEAL_HEAD_BYTES, tag, e);
    secret_wipe(key, sizeof(key));
    if (r == 0)
        out->len += AEAD_TAG_BYTES;
    return r;
}

int mf_keys_open(const struct mf_keys *k, enum mf_object kind, struct span id,
                 struct span object, struct buf *room, struct span *content,
                 struct err *e)
{
    uint8_t key[KEY_BYTES];
    uint8_t aad[ADDITIONAL_MAX];

    *content = object;
    if (k->sub == NULL)
        return 0;
    if (object.len < MF_SEAL_BYTES ||
        memcmp(object.p, mf_seal_head, MAGIC_BYTES) != 0)
        return err_set(e, ERR_CORRUPT, 0, "no sealed object");
    if (object.p[MAGIC_BYTES] != mf_seal_head[MAGIC_BYTES])
        return err_set(e, ERR_CORRUPT, 0,
                       "sealed object of version %u, which is not known",
                       object.p[MAGIC_BYTES]);
    size_t len = object.len - MF_SEAL_BYTES;
    uint8_t *at = buf_reserve(room, len);
    if (at == NULL)
        return buf_check(room, e);
    if (object_key(k, kind, id, key, e) < 0)
        return -1;
    int r = aead_open(key, object.p + MF_SEAL_NONCE_AT,
                      additional(k, kind, id, aad),
                      span_of(object.p + MF_SEAL_HEAD_BYTES, len),
                      object.p + MF_SEAL_HEAD_BYTES + len, at, e);
    secret_wipe(key, sizeof(key));
    if (r < 0)
        return -1;
    room->len += len;
    *content = span_of(at, len);
    return 0;
}

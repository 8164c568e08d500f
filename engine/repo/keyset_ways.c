// SPDX-License-Identifier: Apache-2.0
/* Passwords, key pairs and key servers as ways to a data key. */
#include <stdio.h>
#include <string.h>

#include "engine/repo/keyset_open.h"

static struct wrapped wrapped_of(const struct mf_slot *s)
{
    struct wrapped w = { .len = s->data_len };

    memcpy(w.iv, s->iv, sizeof(w.iv));
    memcpy(w.tag, s->tag, sizeof(w.tag));
    memcpy(w.data, s->data, s->data_len);
    return w;
}

/* --- passwords --- */

/* A slot that asks for more memory or time than ours do may have been planted
 * to take both: it waits until the others have been tried. */
static enum eng_fit password_fits(const void *ctx, const struct mf_slot *s)
{
    const uint64_t usual = (uint64_t)WRAP_SCRYPT_N * WRAP_SCRYPT_R;
    uint64_t asked = (uint64_t)s->password.n * s->password.r;

    (void)ctx;
    if (s->type != MF_SLOT_PASSWORD && s->type != MF_SLOT_RECOVERY)
        return ENG_FIT_NO;
    return asked <= usual && asked * s->password.p <= usual * WRAP_SCRYPT_P
               ? ENG_FIT_LIKELY
               : ENG_FIT_MAYBE;
}

static struct wrap_scrypt scrypt_of(const struct mf_slot *s)
{
    struct wrap_scrypt c = { .n = s->password.n,
                             .r = s->password.r,
                             .p = s->password.p };

    memcpy(c.salt, s->password.salt, sizeof(c.salt));
    return c;
}

static struct secret *password_unwrap(void *ctx, const struct cancel *cancel,
                                      const struct mf_slot *s, struct span aad,
                                      bool restoring, struct err *e)
{
    const struct eng_password *p = ctx;
    struct wrap_scrypt cost = scrypt_of(s);
    struct wrapped w = wrapped_of(s);

    (void)restoring;
    if (cancel != NULL && cancel_check(cancel, e) < 0)
        return NULL;
    return unwrap_by_password(secret_span(p->password), &cost, aad, &w, e);
}

static int password_describe(void *ctx, const struct cancel *cancel,
                             struct mf_slot *s, struct err *e)
{
    const struct eng_password *p = ctx;
    struct wrap_scrypt cost;

    (void)cancel;
    if (wrap_scrypt_new(&cost, e) < 0)
        return -1;
    s->type = p->recovery ? MF_SLOT_RECOVERY : MF_SLOT_PASSWORD;
    s->password.n = cost.n;
    s->password.r = cost.r;
    s->password.p = cost.p;
    memcpy(s->password.salt, cost.salt, sizeof(cost.salt));
    if (p->hint == NULL)
        return 0;
    if (strlen(p->hint) >= sizeof(s->password.hint))
        return err_set(e, ERR_USAGE, 0, "the hint is too long");
    memcpy(s->password.hint, p->hint, strlen(p->hint) + 1);
    return 0;
}

static int password_wrap(void *ctx, const struct cancel *cancel,
                         const struct mf_slot *s, struct span aad,
                         struct span key, struct wrapped *out, struct err *e)
{
    const struct eng_password *p = ctx;
    struct wrap_scrypt cost = scrypt_of(s);

    (void)cancel;
    return wrap_by_password(secret_span(p->password), &cost, aad, key, out, e);
}

struct eng_key_way eng_way_password(struct eng_password *p)
{
    return (struct eng_key_way){
        .ctx = p,
        .name = "password",
        .fits = password_fits,
        .unwrap = password_unwrap,
        .describe = password_describe,
        .wrap = password_wrap,
    };
}

/* --- key pairs --- */

static enum eng_fit pkey_fits(const void *ctx, const struct mf_slot *s)
{
    const struct eng_pkey *p = ctx;
    uint8_t own[WRAP_FINGERPRINT_BYTES];

    if (s->type != MF_SLOT_PUBKEY)
        return ENG_FIT_NO;
    wrap_pkey_fingerprint(p->key, own);
    /* What it opens proves no slot: other ways are tried before. */
    return memcmp(own, s->pubkey.fingerprint, sizeof(own)) == 0 ? ENG_FIT_MAYBE
                                                                : ENG_FIT_NO;
}

static struct secret *pkey_unwrap(void *ctx, const struct cancel *cancel,
                                  const struct mf_slot *s, struct span aad,
                                  bool restoring, struct err *e)
{
    const struct eng_pkey *p = ctx;
    struct wrapped w = wrapped_of(s);

    (void)cancel;
    /* Anybody can wrap a key of theirs for a public key: what it opens is good
     * to be read, and nothing is written by it. */
    if (!restoring) {
        err_set(e, ERR_DENIED, 0, "a private key is for restores only");
        return NULL;
    }
    return unwrap_by_private(
        p->key, s->pubkey.alg == MF_SLOT_X25519 ? s->pubkey.ephemeral : NULL,
        aad, &w, e);
}

static int pkey_describe(void *ctx, const struct cancel *cancel,
                         struct mf_slot *s, struct err *e)
{
    struct eng_pkey *p = ctx;

    (void)cancel;
    s->type = MF_SLOT_PUBKEY;
    wrap_pkey_fingerprint(p->key, s->pubkey.fingerprint);
    s->pubkey.alg = wrap_pkey_alg(p->key) == WRAP_X25519 ? MF_SLOT_X25519
                                                         : MF_SLOT_RSA_OAEP;
    if (s->pubkey.alg == MF_SLOT_RSA_OAEP)
        return 0;
    secret_free(p->ephemeral);
    p->ephemeral = NULL;
    return wrap_ephemeral(s->pubkey.ephemeral, &p->ephemeral, e);
}

static int pkey_wrap(void *ctx, const struct cancel *cancel,
                     const struct mf_slot *s, struct span aad, struct span key,
                     struct wrapped *out, struct err *e)
{
    struct eng_pkey *p = ctx;

    (void)cancel;
    (void)s;
    int r = wrap_by_public(p->key, p->ephemeral, aad, key, out, e);
    eng_pkey_fini(p); /* it is for this wrap alone */
    return r;
}

struct eng_key_way eng_way_pkey(struct eng_pkey *p)
{
    return (struct eng_key_way){
        .ctx = p,
        .name = "private key",
        .fits = pkey_fits,
        .unwrap = p->private_half ? pkey_unwrap : NULL,
        .describe = pkey_describe,
        .wrap = pkey_wrap,
    };
}

void eng_pkey_fini(struct eng_pkey *p)
{
    secret_free(p->ephemeral);
    p->ephemeral = NULL;
}

/* --- key servers --- */

static enum eng_fit kms_fits(const void *ctx, const struct mf_slot *s)
{
    const struct eng_kms *k = ctx;

    if (s->type != MF_SLOT_KMS)
        return ENG_FIT_NO;
    return strcmp(s->kms.name, k->name) == 0 ? ENG_FIT_LIKELY : ENG_FIT_MAYBE;
}

/* The slot says which key it was; the server may have another under that name
 * by now. */
static int check_kcv(const struct mf_slot *s, struct span kek, struct err *e)
{
    uint8_t kcv[WRAP_KCV_BYTES];

    if (!s->kms.has_kcv)
        return 0;
    if (wrap_kcv(kek, s->repo, kcv, e) < 0)
        return -1;
    if (memcmp(kcv, s->kms.kcv, sizeof(kcv)) == 0)
        return 0;
    return err_set(e, ERR_CORRUPT, 0,
                   "the key %s of the server is not the one that the slot was "
                   "made with",
                   s->kms.key);
}

static struct secret *kms_unwrap(void *ctx, const struct cancel *cancel,
                                 const struct mf_slot *s, struct span aad,
                                 bool restoring, struct err *e)
{
    const struct eng_kms *k = ctx;
    struct wrapped w = wrapped_of(s);
    AUTO_SECRET struct secret *kek = NULL;

    if (s->kms.mode == MF_SLOT_REMOTE) {
        if (k->unwrap_remote != NULL)
            /* A secret has memory of its own. */
            /* cppcheck-suppress returnDanglingLifetime */
            return k->unwrap_remote(k->client, cancel, s->kms.key, aad, &w,
                                    restoring, e);
        err_set(e, ERR_UNSUPPORTED, 0, "the server has to decrypt, and cannot");
        return NULL;
    }
    if (k->key_get(k->client, cancel, s->kms.key, false, restoring, &kek, e) <
            0 ||
        check_kcv(s, secret_span(kek), e) < 0)
        return NULL;
    return unwrap_by_key(secret_span(kek), aad, &w, e);
}

static int copy(const char *s, char out[MF_SLOT_TEXT_CHARS], struct err *e)
{
    if (strlen(s) >= MF_SLOT_TEXT_CHARS)
        return err_set(e, ERR_CONFIG, 0, "%s: too long for a slot", s);
    memcpy(out, s, strlen(s) + 1);
    return 0;
}

static int kms_describe(void *ctx, const struct cancel *cancel,
                        struct mf_slot *s, struct err *e)
{
    const struct eng_kms *k = ctx;
    AUTO_SECRET struct secret *kek = NULL;

    s->type = MF_SLOT_KMS;
    if (copy(k->name, s->kms.name, e) < 0 || copy(k->key, s->kms.key, e) < 0 ||
        copy(k->key_name, s->kms.key_name, e) < 0)
        return -1;
    s->kms.mode = k->remote ? MF_SLOT_REMOTE : MF_SLOT_GET;
    if (k->remote)
        return 0;
    if (k->key_get(k->client, cancel, k->key, true, false, &kek, e) < 0)
        return -1;
    s->kms.has_kcv = true;
    return wrap_kcv(secret_span(kek), s->repo, s->kms.kcv, e);
}

static int kms_wrap(void *ctx, const struct cancel *cancel,
                    const struct mf_slot *s, struct span aad, struct span key,
                    struct wrapped *out, struct err *e)
{
    const struct eng_kms *k = ctx;
    AUTO_SECRET struct secret *kek = NULL;

    if (k->remote)
        return k->wrap_remote != NULL
                   ? k->wrap_remote(k->client, cancel, k->key, aad, key, out, e)
                   : err_set(e, ERR_UNSUPPORTED, 0,
                             "the server has to encrypt, and cannot");
    if (k->key_get(k->client, cancel, k->key, true, false, &kek, e) < 0 ||
        check_kcv(s, secret_span(kek), e) < 0)
        return -1;
    return wrap_by_key(secret_span(kek), aad, key, out, e);
}

static int kms_ask(void *ctx, const struct cancel *cancel,
                   const struct mf_slot *s, struct err *e)
{
    const struct eng_kms *k = ctx;

    return k->key_ask(k->client, cancel, s->kms.key, e);
}

struct eng_key_way eng_way_kms(struct eng_kms *k)
{
    return (struct eng_key_way){
        .ctx = k,
        .name = k->name,
        .fits = kms_fits,
        .unwrap = kms_unwrap,
        .describe = kms_describe,
        .wrap = kms_wrap,
        .ask = k->key_ask != NULL ? kms_ask : NULL,
        .ask_s = k->ask_s,
        .grace_s = k->grace_s,
    };
}

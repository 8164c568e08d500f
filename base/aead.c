// SPDX-License-Identifier: Apache-2.0
/*
 * AES-256-GCM.  The algorithm is looked up once for the process (a fetch takes
 * locks), a context lives for one call.
 */
#include "base/aead.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/auto.h"
#include "base/secret.h"

/* EVP counts in int. */
#define STEP_MAX ((size_t)1 << 30)

static EVP_CIPHER *gcm; /* read-only after the first use */
static pthread_once_t gcm_once = PTHREAD_ONCE_INIT;

static void gcm_fetch(void)
{
    gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static void ctx_freep(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}
#define AUTO_CTX AUTO(ctx_freep)

static EVP_CIPHER_CTX *ctx_new(const uint8_t *key, const uint8_t *nonce,
                               bool sealing, struct err *e)
{
    pthread_once(&gcm_once, gcm_fetch);
    if (gcm == NULL) {
        err_set(e, ERR_INTERNAL, 0, "OpenSSL offers no AES-256-GCM");
        return NULL;
    }
    /* GCM's nonce is 12 bytes unless something else is asked for. */
    AUTO_CTX EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL ||
        EVP_CipherInit_ex2(ctx, gcm, key, nonce, sealing ? 1 : 0, NULL) != 1) {
        err_nomem(e);
        return NULL;
    }
    return STEAL(ctx);
}

/* Passes `in` through ctx; out is NULL for additional data. */
static bool update(EVP_CIPHER_CTX *ctx, uint8_t *out, struct span in)
{
    while (in.len > 0) {
        size_t n = in.len < STEP_MAX ? in.len : STEP_MAX;
        int done = 0;
        if (EVP_CipherUpdate(ctx, out, &done, in.p, (int)n) != 1)
            return false;
        if (out != NULL)
            out += n;
        in = span_of(in.p + n, in.len - n);
    }
    return true;
}

int aead_seal(const uint8_t key[AEAD_KEY_BYTES],
              const uint8_t nonce[AEAD_NONCE_BYTES], struct span aad,
              struct span plain, uint8_t *out, uint8_t tag[AEAD_TAG_BYTES],
              struct err *e)
{
    uint8_t rest[AEAD_TAG_BYTES]; /* GCM leaves nothing for the final call */
    int none = 0;

    AUTO_CTX EVP_CIPHER_CTX *ctx = ctx_new(key, nonce, true, e);
    if (ctx == NULL)
        return -1;
    if (!update(ctx, NULL, aad) || !update(ctx, out, plain) ||
        EVP_CipherFinal_ex(ctx, rest, &none) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, tag) !=
            1)
        return err_set(e, ERR_INTERNAL, 0, "OpenSSL could not encrypt");
    return 0;
}

int aead_open(const uint8_t key[AEAD_KEY_BYTES],
              const uint8_t nonce[AEAD_NONCE_BYTES], struct span aad,
              struct span cipher, const uint8_t tag[AEAD_TAG_BYTES],
              uint8_t *out, struct err *e)
{
    uint8_t rest[AEAD_TAG_BYTES];
    uint8_t expected[AEAD_TAG_BYTES]; /* EVP wants it writable */
    int none = 0;

    AUTO_CTX EVP_CIPHER_CTX *ctx = ctx_new(key, nonce, false, e);
    if (ctx == NULL) {
        secret_wipe(out, cipher.len);
        return -1;
    }
    memcpy(expected, tag, sizeof(expected));
    if (!update(ctx, NULL, aad) || !update(ctx, out, cipher) ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_BYTES,
                            expected) != 1) {
        secret_wipe(out, cipher.len);
        return err_set(e, ERR_INTERNAL, 0, "OpenSSL could not decrypt");
    }
    if (EVP_CipherFinal_ex(ctx, rest, &none) != 1) {
        secret_wipe(out, cipher.len);
        return err_set(e, ERR_CORRUPT, 0,
                       "does not decrypt: damaged, forged, or another key's");
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* GMAC over OpenSSL EVP.  The key schedule is made once; a message only sets
 * the nonce again. */
#include "base/gmac.h"

#include <openssl/evp.h>

#define NONCE_BYTES 12

struct gmac {
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *ctx;
};

struct gmac *gmac_new(const uint8_t key[GMAC_KEY_BYTES], struct err *e)
{
    static const uint8_t nonce[NONCE_BYTES] = { 0 };
    AUTO_GMAC struct gmac *g = calloc(1, sizeof(*g));

    if (g == NULL) {
        err_nomem(e);
        return NULL;
    }
    g->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    g->ctx = EVP_CIPHER_CTX_new();
    if (g->cipher == NULL || g->ctx == NULL ||
        EVP_CipherInit_ex2(g->ctx, g->cipher, key, nonce, 1, NULL) != 1) {
        err_set(e, ERR_INTERNAL, 0, "OpenSSL offers no AES-256-GCM");
        return NULL;
    }
    return STEAL(g);
}

void gmac_free(struct gmac *g)
{
    if (g == NULL)
        return;
    EVP_CIPHER_CTX_free(g->ctx); /* wipes the key schedule */
    EVP_CIPHER_free(g->cipher);
    free(g);
}

int gmac_tag(struct gmac *g, uint8_t use, struct span data,
             uint8_t tag[GMAC_TAG_BYTES], struct err *e)
{
    uint8_t nonce[NONCE_BYTES] = { use };
    uint8_t rest[GMAC_TAG_BYTES];
    int n = 0;

    if (EVP_CipherInit_ex2(g->ctx, NULL, NULL, nonce, 1, NULL) != 1 ||
        EVP_CipherUpdate(g->ctx, NULL, &n, data.p, (int)data.len) != 1 ||
        EVP_CipherFinal_ex(g->ctx, rest, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(g->ctx, EVP_CTRL_AEAD_GET_TAG, GMAC_TAG_BYTES,
                            tag) != 1)
        return err_set(e, ERR_INTERNAL, 0, "OpenSSL could not make a GMAC");
    return 0;
}

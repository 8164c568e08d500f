// SPDX-License-Identifier: Apache-2.0
/* Wrapping by a public key: RSA-OAEP-SHA256, and X25519 with HKDF and GCM. */
#include "kms/wrap_public.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/digest.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define KEY_MAX 64 /* of what is wrapped: fits into the smallest RSA */
#define PEM_MAX ((size_t)64 << 10)
#define X25519_INFO "objvault-1 slot x25519"

struct wrap_pkey {
    EVP_PKEY *pkey; /* owned */
    enum wrap_alg alg;
    uint8_t fingerprint[WRAP_FINGERPRINT_BYTES];
};

static void pkey_freep(EVP_PKEY **p)
{
    EVP_PKEY_free(*p);
}
#define AUTO_PKEY AUTO(pkey_freep)

static void ctx_freep(EVP_PKEY_CTX **p)
{
    EVP_PKEY_CTX_free(*p);
}
#define AUTO_CTX AUTO(ctx_freep)

void wrap_pkey_free(struct wrap_pkey *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

enum wrap_alg wrap_pkey_alg(const struct wrap_pkey *k)
{
    return k->alg;
}

void wrap_pkey_fingerprint(const struct wrap_pkey *k,
                           uint8_t out[WRAP_FINGERPRINT_BYTES])
{
    memcpy(out, k->fingerprint, WRAP_FINGERPRINT_BYTES);
}

/* --- reading --- */

static int find_alg(struct wrap_pkey *k, struct err *e)
{
    int bits = EVP_PKEY_get_bits(k->pkey);

    if (EVP_PKEY_is_a(k->pkey, "X25519")) {
        k->alg = WRAP_X25519;
        return 0;
    }
    if (!EVP_PKEY_is_a(k->pkey, "RSA"))
        return err_set(e, ERR_CONFIG, 0, "neither an RSA nor an X25519 key");
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
        return err_set(e, ERR_CONFIG, 0,
                       "an RSA key of %d bits; %d to %d are taken", bits,
                       RSA_BITS_MIN, RSA_BITS_MAX);
    k->alg = WRAP_RSA_OAEP_SHA256;
    return 0;
}

static int fingerprint(struct wrap_pkey *k, struct err *e)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(k->pkey, &der);

    if (len <= 0)
        return err_set(e, ERR_CONFIG, 0, "the key has no public part");
    int r = digest_sha256(span_of(der, (size_t)len), k->fingerprint, e);
    OPENSSL_free(der);
    return r;
}

/* Takes pkey over. */
static struct wrap_pkey *adopt(EVP_PKEY *pkey, struct err *e)
{
    struct wrap_pkey *k = calloc(1, sizeof(*k));

    if (k == NULL) {
        EVP_PKEY_free(pkey);
        err_nomem(e);
        return NULL;
    }
    k->pkey = pkey;
    if (find_alg(k, e) == 0 && fingerprint(k, e) == 0)
        return k;
    wrap_pkey_free(k);
    ERR_clear_error();
    return NULL;
}

/* What OpenSSL asks for a passphrase; without a callback it would ask whoever
 * sits at the terminal. */
struct asked {
    struct span passphrase;
    bool asked;
};

static int tell_passphrase(char *buf, int size, int writing, void *arg)
{
    struct asked *a = arg;

    (void)writing;
    a->asked = true;
    if (a->passphrase.len == 0 || size < 0 || a->passphrase.len > (size_t)size)
        return -1;
    memcpy(buf, a->passphrase.p, a->passphrase.len);
    return (int)a->passphrase.len;
}

static EVP_PKEY *read_pem(struct span pem, bool private, struct asked *a)
{
    if (pem.len == 0 || pem.len > PEM_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
    if (bio == NULL)
        return NULL;
    EVP_PKEY *k = private
                      ? PEM_read_bio_PrivateKey(bio, NULL, tell_passphrase, a)
                      : PEM_read_bio_PUBKEY(bio, NULL, tell_passphrase, a);
    BIO_free(bio);
    ERR_clear_error();
    return k;
}

struct wrap_pkey *wrap_pkey_public(struct span pem, struct err *e)
{
    struct asked a = { .asked = false };
    EVP_PKEY *k = read_pem(pem, false, &a);

    if (k != NULL)
        return adopt(k, e);
    err_set(e, ERR_CONFIG, 0, "no public key in PEM");
    return NULL;
}

struct wrap_pkey *wrap_pkey_private(struct span pem, struct span passphrase,
                                    struct err *e)
{
    struct asked a = { .passphrase = passphrase };
    EVP_PKEY *k = read_pem(pem, true, &a);

    if (k != NULL)
        return adopt(k, e);
    if (!a.asked)
        err_set(e, ERR_CONFIG, 0, "no private key in PEM");
    else if (passphrase.len == 0)
        err_set(e, ERR_DENIED, 0, "the private key needs its passphrase");
    else
        err_set(e, ERR_DENIED, 0, "wrong passphrase of the private key");
    return NULL;
}

/* --- RSA --- */

static bool set_oaep(EVP_PKEY_CTX *ctx, struct span label)
{
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) <= 0 ||
        EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) <= 0 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) <= 0)
        return false;
    if (label.len == 0)
        return true;
    void *copy = OPENSSL_memdup(label.p, label.len); /* the context's, below */
    if (copy == NULL)
        return false;
    if (label.len <= INT32_MAX &&
        EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, (int)label.len) > 0)
        return true;
    OPENSSL_free(copy);
    return false;
}

static int rsa_wrap(const struct wrap_pkey *to, struct span aad,
                    struct span key, struct wrapped *out, struct err *e)
{
    AUTO_CTX EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(to->pkey, NULL);
    size_t len = sizeof(out->data);

    if (ctx == NULL || EVP_PKEY_encrypt_init(ctx) <= 0 || !set_oaep(ctx, aad) ||
        EVP_PKEY_encrypt(ctx, out->data, &len, key.p, key.len) <= 0) {
        ERR_clear_error();
        return err_set(e, ERR_INTERNAL, 0, "OpenSSL could not encrypt by RSA");
    }
    out->len = len;
    return 0;
}

static struct secret *rsa_unwrap(const struct wrap_pkey *of, struct span aad,
                                 const struct wrapped *in, struct err *e)
{
    uint8_t key[WRAP_DATA_MAX];
    size_t len = sizeof(key);
    struct secret *s = NULL;
    AUTO_CTX EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(of->pkey, NULL);

    if (ctx != NULL && EVP_PKEY_decrypt_init(ctx) > 0 && set_oaep(ctx, aad) &&
        EVP_PKEY_decrypt(ctx, key, &len, in->data, in->len) > 0)
        s = secret_new(span_of(key, len), e);
    else
        err_set(e, ERR_CORRUPT, 0,
                "does not decrypt: damaged, forged, or another key's");
    ERR_clear_error();
    secret_wipe(key, sizeof(key));
    return s;
}

/* --- X25519 --- */

int wrap_ephemeral(uint8_t ephemeral[WRAP_EPHEMERAL_BYTES],
                   struct secret **secret, struct err *e)
{
    uint8_t raw[32];
    size_t len = sizeof(raw);
    size_t public_len = WRAP_EPHEMERAL_BYTES;
    AUTO_PKEY EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    bool ok = pair != NULL &&
              EVP_PKEY_get_raw_private_key(pair, raw, &len) == 1 &&
              EVP_PKEY_get_raw_public_key(pair, ephemeral, &public_len) == 1;

    *secret = NULL;
    if (ok)
        *secret = secret_new(span_of(raw, len), e);
    else
        err_set(e, ERR_INTERNAL, 0, "OpenSSL could not make an X25519 key");
    secret_wipe(raw, sizeof(raw));
    return *secret != NULL ? 0 : -1;
}

/* The shared secret of one's private and the other's public key.  OpenSSL
 * refuses one that is all zeros. */
static bool agree(EVP_PKEY *mine, EVP_PKEY *theirs, uint8_t shared[32])
{
    size_t len = 32;
    AUTO_CTX EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(mine, NULL);

    return ctx != NULL && EVP_PKEY_derive_init(ctx) > 0 &&
           EVP_PKEY_derive_set_peer(ctx, theirs) > 0 &&
           EVP_PKEY_derive(ctx, shared, &len) > 0 && len == 32;
}

/* The wrapping key: the shared secret through HKDF, bound to both public keys.
 */
static int x25519_kek(EVP_PKEY *mine, EVP_PKEY *theirs,
                      const uint8_t ephemeral[32], EVP_PKEY *recipient,
                      uint8_t kek[WRAP_KEY_BYTES], struct err *e)
{
    uint8_t shared[32];
    uint8_t salt[64];
    size_t len = 32;
    int r = -1;

    memcpy(salt, ephemeral, 32);
    if (mine != NULL && theirs != NULL && agree(mine, theirs, shared) &&
        EVP_PKEY_get_raw_public_key(recipient, salt + 32, &len) == 1)
        r = digest_hkdf_sha256(span_of(shared, sizeof(shared)),
                               span_of(salt, sizeof(salt)),
                               span_str(X25519_INFO), kek, WRAP_KEY_BYTES, e);
    else
        err_set(e, ERR_CORRUPT, 0, "no X25519 agreement with this key");
    ERR_clear_error();
    secret_wipe(shared, sizeof(shared));
    return r;
}

static int x25519_wrap(const struct wrap_pkey *to, const struct secret *secret,
                       struct span aad, struct span key, struct wrapped *out,
                       struct err *e)
{
    struct span raw = secret_span(secret);
    uint8_t kek[WRAP_KEY_BYTES];
    uint8_t ephemeral[32];
    size_t len = sizeof(ephemeral);
    AUTO_PKEY EVP_PKEY *mine =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, raw.p, raw.len);

    if (mine == NULL || EVP_PKEY_get_raw_public_key(mine, ephemeral, &len) != 1)
        return err_set(e, ERR_INTERNAL, 0, "no ephemeral X25519 key");
    int r = x25519_kek(mine, to->pkey, ephemeral, to->pkey, kek, e);
    if (r == 0)
        r = wrap_by_key(span_of(kek, sizeof(kek)), aad, key, out, e);
    secret_wipe(kek, sizeof(kek));
    return r;
}

static struct secret *x25519_unwrap(const struct wrap_pkey *of,
                                    const uint8_t *ephemeral, struct span aad,
                                    const struct wrapped *in, struct err *e)
{
    uint8_t kek[WRAP_KEY_BYTES];
    struct secret *s = NULL;
    AUTO_PKEY EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(
        EVP_PKEY_X25519, NULL, ephemeral, WRAP_EPHEMERAL_BYTES);

    if (x25519_kek(of->pkey, theirs, ephemeral, of->pkey, kek, e) == 0)
        s = unwrap_by_key(span_of(kek, sizeof(kek)), aad, in, e);
    secret_wipe(kek, sizeof(kek));
    return s;
}

/* --- either --- */

int wrap_by_public(const struct wrap_pkey *to, const struct secret *secret,
                   struct span aad, struct span key, struct wrapped *out,
                   struct err *e)
{
    if (key.len == 0 || key.len > KEY_MAX ||
        (to->alg == WRAP_X25519) != (secret != NULL))
        return err_set(e, ERR_INTERNAL, 0, "no key that could be wrapped");
    memset(out, 0, sizeof(*out));
    if (to->alg == WRAP_X25519)
        return x25519_wrap(to, secret, aad, key, out, e);
    return rsa_wrap(to, aad, key, out, e);
}

struct secret *unwrap_by_private(const struct wrap_pkey *of,
                                 const uint8_t *ephemeral, struct span aad,
                                 const struct wrapped *in, struct err *e)
{
    if (in->len == 0 || in->len > sizeof(in->data) ||
        (of->alg == WRAP_X25519) != (ephemeral != NULL)) {
        err_set(e, ERR_CORRUPT, 0, "not wrapped for a key of this kind");
        return NULL;
    }
    if (of->alg == WRAP_X25519)
        return x25519_unwrap(of, ephemeral, aad, in, e);
    return rsa_unwrap(of, aad, in, e);
}

// SPDX-License-Identifier: Apache-2.0
/* Wrapping by a key or a password: AES-256-GCM, HMAC-SHA256, scrypt. */
#include "kms/wrap.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "base/digest.h"

static int check_kek(struct span kek, struct err *e)
{
    if (kek.len != WRAP_KEY_BYTES)
        return err_set(e, ERR_INTERNAL, 0, "a wrapping key of %zu bytes",
                       kek.len);
    return 0;
}

int wrap_by_key(struct span kek, struct span aad, struct span key,
                struct wrapped *out, struct err *e)
{
    if (check_kek(kek, e) < 0)
        return -1;
    if (key.len == 0 || key.len > WRAP_DATA_MAX)
        return err_set(e, ERR_INTERNAL, 0, "a key of %zu bytes", key.len);
    memset(out, 0, sizeof(*out));
    if (digest_random(out->iv, sizeof(out->iv), e) < 0)
        return -1;
    out->len = key.len;
    return aead_seal(kek.p, out->iv, aad, key, out->data, out->tag, e);
}

struct secret *unwrap_by_key(struct span kek, struct span aad,
                             const struct wrapped *in, struct err *e)
{
    uint8_t key[WRAP_DATA_MAX];
    struct secret *s = NULL;

    if (check_kek(kek, e) < 0)
        return NULL;
    if (in->len == 0 || in->len > WRAP_DATA_MAX) {
        err_set(e, ERR_CORRUPT, 0, "a wrapped key of %zu bytes", in->len);
        return NULL;
    }
    if (aead_open(kek.p, in->iv, aad, span_of(in->data, in->len), in->tag, key,
                  e) == 0)
        s = secret_new(span_of(key, in->len), e);
    secret_wipe(key, sizeof(key));
    return s;
}

/* The first len bytes of HMAC-SHA256(key, what || of). */
static int mark(struct span key, const char *what, const char *of, uint8_t *out,
                size_t len, struct err *e)
{
    uint8_t mac[DIGEST_SHA256_BYTES];
    AUTO_BUF struct buf text = buf_init(1024);

    buf_append_str(&text, what);
    buf_append_str(&text, of);
    if (buf_check(&text, e) < 0 ||
        digest_hmac_sha256(key, buf_span(&text), mac, e) < 0)
        return -1;
    memcpy(out, mac, len);
    secret_wipe(mac, sizeof(mac));
    return 0;
}

int wrap_kcv(struct span kek, const char *repo_id, uint8_t kcv[WRAP_KCV_BYTES],
             struct err *e)
{
    return mark(kek, "objvault-kcv-v1", repo_id, kcv, WRAP_KCV_BYTES, e);
}

int wrap_print(struct span data_key, const char *keyset,
               uint8_t print[WRAP_PRINT_BYTES], struct err *e)
{
    return mark(data_key, "objvault-1 key-print ", keyset, print,
                WRAP_PRINT_BYTES, e);
}

/* --- passwords --- */

int wrap_scrypt_new(struct wrap_scrypt *s, struct err *e)
{
    *s = (struct wrap_scrypt){ .n = WRAP_SCRYPT_N,
                               .r = WRAP_SCRYPT_R,
                               .p = WRAP_SCRYPT_P };
    return digest_random(s->salt, sizeof(s->salt), e);
}

/* What scrypt takes in memory: 128 r bytes for each of n steps, for each of p
 * lanes, and two more. */
static uint64_t scrypt_bytes(const struct wrap_scrypt *s)
{
    return (uint64_t)128 * s->r * ((uint64_t)s->n + s->p + 2);
}

static bool scrypt_in_bounds(const struct wrap_scrypt *s)
{
    if (s->n < 2 || s->n > WRAP_SCRYPT_N_MAX || (s->n & (s->n - 1)) != 0 ||
        s->r < 1 || s->r > WRAP_SCRYPT_R_MAX || s->p < 1 ||
        s->p > WRAP_SCRYPT_P_MAX)
        return false;
    /* RFC 7914: n < 2^(16 r). */
    if (s->r == 1 && s->n >= 65536)
        return false;
    return (uint64_t)128 * s->r * s->n <= WRAP_SCRYPT_BYTES_MAX;
}

/* OpenSSL's parameters are not const, though it does not write to them. */
static OSSL_PARAM octets(const char *name, struct span s)
{
    void *p = NULL;

    memcpy(&p, &s.p, sizeof(p));
    return OSSL_PARAM_construct_octet_string(name, p, s.len);
}

static bool derive(struct span password, const struct wrap_scrypt *s,
                   uint8_t out[WRAP_KEY_BYTES])
{
    uint64_t n = s->n;
    uint32_t r = s->r;
    uint32_t p = s->p;
    uint64_t room = scrypt_bytes(s);
    OSSL_PARAM params[] = {
        octets(OSSL_KDF_PARAM_PASSWORD, password),
        octets(OSSL_KDF_PARAM_SALT, span_of(s->salt, sizeof(s->salt))),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &room),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    bool ok =
        ctx != NULL && EVP_KDF_derive(ctx, out, WRAP_KEY_BYTES, params) == 1;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    ERR_clear_error();
    return ok;
}

struct secret *wrap_password_key(struct span password,
                                 const struct wrap_scrypt *s, struct err *e)
{
    uint8_t key[WRAP_KEY_BYTES];
    struct secret *out = NULL;

    if (password.len == 0) {
        err_set(e, ERR_USAGE, 0, "the password is empty");
        return NULL;
    }
    if (!scrypt_in_bounds(s)) {
        err_set(e, ERR_CORRUPT, 0,
                "scrypt with n=%u, r=%u, p=%u, which is out of bounds", s->n,
                s->r, s->p);
        return NULL;
    }
    if (derive(password, s, key))
        out = secret_new(span_of(key, sizeof(key)), e);
    else
        err_set(e, ERR_NOMEM, 0, "no %llu MiB of memory for scrypt",
                (unsigned long long)(scrypt_bytes(s) >> 20) + 1);
    secret_wipe(key, sizeof(key));
    return out;
}

int wrap_by_password(struct span password, const struct wrap_scrypt *s,
                     struct span aad, struct span key, struct wrapped *out,
                     struct err *e)
{
    AUTO_SECRET struct secret *kek = wrap_password_key(password, s, e);

    return kek == NULL ? -1 : wrap_by_key(secret_span(kek), aad, key, out, e);
}

struct secret *unwrap_by_password(struct span password,
                                  const struct wrap_scrypt *s, struct span aad,
                                  const struct wrapped *in, struct err *e)
{
    AUTO_SECRET struct secret *kek = wrap_password_key(password, s, e);

    if (kek == NULL)
        return NULL;
    struct err why = { .kind = ERR_NONE };
    struct secret *key = unwrap_by_key(secret_span(kek), aad, in, &why);
    if (key == NULL && why.kind == ERR_CORRUPT)
        err_set(e, ERR_DENIED, 0,
                "wrong password, or what it protects is damaged");
    else if (key == NULL)
        *e = why;
    return key;
}

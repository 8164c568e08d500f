// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_WRAP_H
#define KMS_WRAP_H

/*
 * Wrapping a data key on this machine: by a key, or by a password, which
 * becomes one.  AES-256-GCM with a random nonce; the additional data binds a
 * wrap to its place, so that it opens nowhere else.  Public keys:
 * wrap_public.h. Functions share nothing: any thread may call them.
 */
#include <stdint.h>

#include "base/aead.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/span.h"

#define WRAP_KEY_BYTES 32
#define WRAP_IV_BYTES AEAD_NONCE_BYTES
#define WRAP_TAG_BYTES AEAD_TAG_BYTES
#define WRAP_DATA_MAX 1024 /* RSA with 8,192 bits */
#define WRAP_KCV_BYTES 8
#define WRAP_PRINT_BYTES 16
#define WRAP_SALT_BYTES 16

/* A wrapped key: nothing in it is secret. */
struct wrapped {
    uint8_t iv[WRAP_IV_BYTES]; /* unused by RSA, as is tag */
    uint8_t tag[WRAP_TAG_BYTES];
    uint8_t data[WRAP_DATA_MAX];
    size_t len; /* of data */
};

/* kek: WRAP_KEY_BYTES; key: at most WRAP_DATA_MAX bytes.  -1: ERR_INTERNAL. */
int wrap_by_key(struct span kek, struct span aad, struct span key,
                struct wrapped *out, struct err *e)
    __attribute__((warn_unused_result));

/* The key, owned by the caller.  NULL: ERR_CORRUPT (damaged, another place's,
 * or another kek), ERR_NOMEM. */
struct secret *unwrap_by_key(struct span kek, struct span aad,
                             const struct wrapped *in, struct err *e);

/* Key check value: tells another key (a new database behind the same name) from
 * a damaged slot.  The first bytes of HMAC-SHA256(kek, "objvault-kcv-v1" ||
 * repo_id), where repo_id is text: 32 hex digits. */
int wrap_kcv(struct span kek, const char *repo_id, uint8_t kcv[WRAP_KCV_BYTES],
             struct err *e) __attribute__((warn_unused_result));

/* Key print: equal in all slots of a keyset, looked at after each unwrapping.
 * The first bytes of HMAC-SHA256(data_key, "objvault-1 key-print " || keyset).
 */
int wrap_print(struct span data_key, const char *keyset,
               uint8_t print[WRAP_PRINT_BYTES], struct err *e)
    __attribute__((warn_unused_result));

/* Parameters of scrypt (RFC 7914); those of a slot are not trusted. */
struct wrap_scrypt {
    uint32_t n, r, p;
    uint8_t salt[WRAP_SALT_BYTES];
};
#define WRAP_SCRYPT_N 131072
#define WRAP_SCRYPT_R 8
#define WRAP_SCRYPT_P 1
/* Bounds: n a power of two. */
#define WRAP_SCRYPT_N_MAX ((uint32_t)1 << 20)
#define WRAP_SCRYPT_R_MAX 16
#define WRAP_SCRYPT_P_MAX 4
#define WRAP_SCRYPT_BYTES_MAX ((uint64_t)512 << 20)

/* The default cost and a new random salt. */
int wrap_scrypt_new(struct wrap_scrypt *s, struct err *e)
    __attribute__((warn_unused_result));

/* The key that a password is, WRAP_KEY_BYTES, owned by the caller; takes up to
 * some seconds and 512 MiB (with the default a third of a second, 128 MiB).
 * NULL: ERR_USAGE (an empty password), ERR_CORRUPT (parameters out of bounds),
 * ERR_NOMEM. */
struct secret *wrap_password_key(struct span password,
                                 const struct wrap_scrypt *s, struct err *e);

/* The two together.  Unwrapping: ERR_DENIED where the password is wrong (or the
 * slot damaged: a password cannot tell). */
int wrap_by_password(struct span password, const struct wrap_scrypt *s,
                     struct span aad, struct span key, struct wrapped *out,
                     struct err *e) __attribute__((warn_unused_result));
struct secret *unwrap_by_password(struct span password,
                                  const struct wrap_scrypt *s, struct span aad,
                                  const struct wrapped *in, struct err *e);

#endif

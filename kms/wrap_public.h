// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_WRAP_PUBLIC_H
#define KMS_WRAP_PUBLIC_H

/*
 * Wrapping a data key for the owner of a private key that lies elsewhere: hosts
 * make such slots without a secret.  RSA (2,048 to 8,192 bits): OAEP with
 * SHA-256, its label is the additional data.  X25519: a key pair for this wrap
 * alone, HKDF-SHA256 of the shared secret (salt: ephemeral and recipient's
 * public key; info "objvault-1 slot x25519"), and AES-256-GCM by it.
 *
 * Neither says who wrapped: whoever unwraps checks the key print.
 */
#include "kms/wrap.h"

#define WRAP_FINGERPRINT_BYTES 32
#define WRAP_EPHEMERAL_BYTES 32

enum wrap_alg { WRAP_RSA_OAEP_SHA256 = 1, WRAP_X25519 };

/* A public key, or a private one with its public part.  Immutable; any thread.
 */
struct wrap_pkey;

/* Reads PEM: "PUBLIC KEY" (SubjectPublicKeyInfo), or a private key as PKCS#8 or
 * in OpenSSL's forms.  passphrase: where it has none, an empty span; nobody is
 * ever asked.  NULL: ERR_CONFIG (no such key, RSA of another size, another
 * algorithm), ERR_DENIED (private: the passphrase is missing or wrong). */
struct wrap_pkey *wrap_pkey_public(struct span pem, struct err *e);
struct wrap_pkey *wrap_pkey_private(struct span pem, struct span passphrase,
                                    struct err *e);
void wrap_pkey_free(struct wrap_pkey *k);

static inline void wrap_pkey_freep(struct wrap_pkey **k)
{
    wrap_pkey_free(*k);
}
#define AUTO_WRAP_PKEY AUTO(wrap_pkey_freep)

enum wrap_alg wrap_pkey_alg(const struct wrap_pkey *k);

/* SHA-256 of the SubjectPublicKeyInfo (DER); the same for both halves. */
void wrap_pkey_fingerprint(const struct wrap_pkey *k,
                           uint8_t out[WRAP_FINGERPRINT_BYTES]);

/* A key pair for one wrap by X25519.  Its public half stands in the slot, and
 * so in the additional data: hence a step of its own.  secret: owned by the
 * caller. */
int wrap_ephemeral(uint8_t ephemeral[WRAP_EPHEMERAL_BYTES],
                   struct secret **secret, struct err *e)
    __attribute__((warn_unused_result));

/* secret: of wrap_ephemeral for X25519; NULL for RSA.  key: at most 64 bytes.
 */
int wrap_by_public(const struct wrap_pkey *to, const struct secret *secret,
                   struct span aad, struct span key, struct wrapped *out,
                   struct err *e) __attribute__((warn_unused_result));

/* ephemeral: of the slot for X25519; NULL for RSA.  The key, owned by the
 * caller.  NULL: ERR_CORRUPT (damaged, another place's, another's key). */
struct secret *unwrap_by_private(const struct wrap_pkey *of,
                                 const uint8_t *ephemeral, struct span aad,
                                 const struct wrapped *in, struct err *e);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_AEAD_H
#define BASE_AEAD_H

/* AES-256-GCM over OpenSSL EVP (NIST SP 800-38D). */
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define AEAD_KEY_BYTES 32
#define AEAD_NONCE_BYTES 12
#define AEAD_TAG_BYTES 16

/* Encrypts plain to out (plain.len bytes) and writes the tag.  The caller
 * guarantees that (key, nonce) was never used for other data. */
int aead_seal(const uint8_t key[AEAD_KEY_BYTES],
              const uint8_t nonce[AEAD_NONCE_BYTES], struct span aad,
              struct span plain, uint8_t *out, uint8_t tag[AEAD_TAG_BYTES],
              struct err *e) __attribute__((warn_unused_result));

/* Opens cipher to out (cipher.len bytes).  -1 with ERR_CORRUPT where the tag
 * does not fit: out is wiped then. */
int aead_open(const uint8_t key[AEAD_KEY_BYTES],
              const uint8_t nonce[AEAD_NONCE_BYTES], struct span aad,
              struct span cipher, const uint8_t tag[AEAD_TAG_BYTES],
              uint8_t *out, struct err *e) __attribute__((warn_unused_result));

#endif

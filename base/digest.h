// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

/* SHA-256, HMAC-SHA256, MD5 (OpenSSL EVP), CRC32C, hex and base64.
 * All functions may be called from any thread. */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define DIGEST_SHA256_BYTES 32
#define DIGEST_MD5_BYTES 16

/* One-shot digests.  They fail only where OpenSSL has no memory or no such
 * algorithm (ERR_INTERNAL). */
int digest_sha256(struct span in, uint8_t out[DIGEST_SHA256_BYTES],
                  struct err *e) __attribute__((warn_unused_result));
int digest_hmac_sha256(struct span key, struct span in,
                       uint8_t out[DIGEST_SHA256_BYTES], struct err *e)
    __attribute__((warn_unused_result));
/* HKDF-SHA256 (RFC 5869), extract and expand: len bytes, at most 8,160.  What
 * comes out is a key: the caller wipes it. */
int digest_hkdf_sha256(struct span key, struct span salt, struct span info,
                       uint8_t *out, size_t len, struct err *e)
    __attribute__((warn_unused_result));

int digest_md5(struct span in, uint8_t out[DIGEST_MD5_BYTES], struct err *e)
    __attribute__((warn_unused_result));

/* CRC-32C (Castagnoli), as x-amz-checksum-crc32c wants it. */
uint32_t digest_crc32c(struct span in);

/* Lower-case hex of in and a NUL; out holds 2 * in.len + 1 bytes. */
void digest_hex(struct span in, char *out);

/* Exactly len bytes from 2 * len lower-case hex digits at s (not
 * NUL-terminated).  False for anything else, upper case included. */
bool digest_unhex(const char *s, size_t slen, uint8_t *out, size_t len);

/* Standard base64 with padding and a NUL; out holds 4 * ((n + 2) / 3) + 1. */
void digest_base64(struct span in, char *out);

/* The inverse: into out, which holds slen / 4 * 3 bytes; *len is how many they
 * are.  False for what digest_base64 never writes. */
bool digest_unbase64(const char *s, size_t slen, uint8_t *out, size_t *len);

/* Fills p with random bytes from OpenSSL's generator. */
int digest_random(void *p, size_t len, struct err *e)
    __attribute__((warn_unused_result));

#endif

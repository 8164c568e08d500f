// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_TLS_H
#define KMS_TLS_H

/*
 * What TLS with a key server rests on: our certificate and key, the CA that
 * its certificates come from, and the rules that there is no switch for (TLS
 * 1.2 or newer, strong ciphers, both sides verified, no renegotiation,
 * compression or resumption).
 */
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* SHA-256 of a SubjectPublicKeyInfo (DER). */
struct kms_pin {
    uint8_t sha256[32];
};

/* All texts are borrowed while kms_tls_new runs. */
struct kms_tls_config {
    const char *ca_file;   /* PEM; the only certificates that are trusted */
    const char *cert_file; /* PEM; ours, then its chain */
    const char *key_file;  /* PEM, not encrypted, nobody else may read it */
    /* With pins: the server's key must be one of them, too. */
    const struct kms_pin *pins;
    size_t npins;
    /* OpenSSL's list of ciphers of TLS 1.2, for old appliances; NULL: AES-GCM
     * and ChaCha20 with ECDHE. */
    const char *tls12_ciphers;
    bool tls13_only;
};

struct kms_tls; /* immutable; any thread */

/* Reads the files.  NULL: ERR_CONFIG (a file is wrong, or can be read by
 * others), ERR_NOMEM, ERR_INTERNAL. */
struct kms_tls *kms_tls_new(const struct kms_tls_config *c, struct err *e);
void kms_tls_free(struct kms_tls *t); /* NULL is fine */

/* A client's session for host (a name or an address, which the server's
 * certificate must hold); the caller's, SSL_free.  NULL: ERR_NOMEM,
 * ERR_CONFIG. */
SSL *kms_tls_session(const struct kms_tls *t, const char *host, struct err *e);

/* Whether the peer's key is pinned, or nothing is.  -1: ERR_DENIED. */
int kms_tls_check_pin(const struct kms_tls *t, const SSL *s, struct err *e)
    __attribute__((warn_unused_result));

/* Our certificate; borrowed. */
const X509 *kms_tls_certificate(const struct kms_tls *t);

/* Whole days until the certificate expires; negative: it has. */
int kms_tls_days_left(const X509 *certificate);

/* OpenSSL's newest error as a text, for messages; the queue is empty then. */
const char *kms_tls_reason(void);

#endif

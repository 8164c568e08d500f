// SPDX-License-Identifier: Apache-2.0
/*
 * The TLS context.  Everything that decides whom we trust is set here, and
 * explicitly: what the system's openssl.cnf says does not matter.
 */
#include "kms/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/secret.h"
#include "base/secretref.h"

#define TLS12_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define SECURITY_LEVEL 2 /* 112 bits: RSA from 2048, no SHA-1 */

struct kms_tls {
    SSL_CTX *ctx;
    struct kms_pin *pins; /* owned */
    size_t npins;
};

const char *kms_tls_reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return text != NULL ? text : "unknown reason";
}

/* Nobody is asked for a password, which OpenSSL would do on the terminal. */
// NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type
static int no_password(char *out, int cap, int writing, void *ctx)
{
    (void)out;
    (void)cap;
    (void)writing;
    (void)ctx;
    return -1;
}

static void free_key(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void free_bio(BIO **b)
{
    BIO_free(*b);
}

static int use_key(SSL_CTX *ctx, const char *path, struct err *e)
{
    AUTO_SECRET_BUF struct buf pem = buf_init(0);
    AUTO(free_bio) BIO *bio = NULL;
    AUTO(free_key) EVP_PKEY *key = NULL;

    if (secretref_key_file(path, &pem, e) < 0)
        return -1;
    bio = BIO_new_mem_buf(pem.p, (int)pem.len);
    if (bio == NULL)
        return err_nomem(e);
    key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    if (key == NULL)
        return err_set(e, ERR_CONFIG, 0,
                       "key file %s: %s (it must be PEM, and not encrypted)",
                       path, kms_tls_reason());
    if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
        return err_set(e, ERR_CONFIG, 0, "key file %s: %s", path,
                       kms_tls_reason());
    return 0;
}

static int use_files(SSL_CTX *ctx, const struct kms_tls_config *c,
                     struct err *e)
{
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    if (SSL_CTX_load_verify_file(ctx, c->ca_file) != 1)
        return err_set(e, ERR_CONFIG, 0, "CA file %s: %s", c->ca_file,
                       kms_tls_reason());
    if (SSL_CTX_use_certificate_chain_file(ctx, c->cert_file) != 1)
        return err_set(e, ERR_CONFIG, 0, "certificate file %s: %s",
                       c->cert_file, kms_tls_reason());
    if (use_key(ctx, c->key_file, e) < 0)
        return -1;
    if (SSL_CTX_check_private_key(ctx) != 1)
        return err_set(e, ERR_CONFIG, 0, "key file %s and certificate %s: %s",
                       c->key_file, c->cert_file, kms_tls_reason());
    return 0;
}

static int use_ciphers(SSL_CTX *ctx, const char *wanted, struct err *e)
{
    const char *list = wanted != NULL ? wanted : TLS12_CIPHERS;

    /* "@SECLEVEL=0" would undo what is not to be undone. */
    if (strchr(list, '@') != NULL || SSL_CTX_set_cipher_list(ctx, list) != 1) {
        ERR_clear_error();
        return err_set(e, ERR_CONFIG, 0, "\"%s\" is no list of ciphers", list);
    }
    SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
    return 0;
}

static int set_up(struct kms_tls *t, const struct kms_tls_config *c,
                  struct err *e)
{
    SSL_CTX *ctx = t->ctx;

    if (SSL_CTX_set_min_proto_version(
            ctx, c->tls13_only ? TLS1_3_VERSION : TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, 0) != 1)
        return err_set(e, ERR_INTERNAL, 0, "TLS: %s", kms_tls_reason());
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_clear_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF |
                                   SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    /* A write that has to wait may go on from where the bytes are then. */
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (use_ciphers(ctx, c->tls12_ciphers, e) < 0 || use_files(ctx, c, e) < 0)
        return -1;
    if (c->npins > 0) {
        t->pins = reallocarray(NULL, c->npins, sizeof *t->pins);
        if (t->pins == NULL)
            return err_nomem(e);
        memcpy(t->pins, c->pins, c->npins * sizeof *t->pins);
        t->npins = c->npins;
    }
    return 0;
}

struct kms_tls *kms_tls_new(const struct kms_tls_config *c, struct err *e)
{
    if (c->ca_file == NULL || c->cert_file == NULL || c->key_file == NULL) {
        err_set(e, ERR_CONFIG, 0,
                "a key server needs the files of a CA, of a certificate and "
                "of its key");
        return NULL;
    }
    struct kms_tls *t = calloc(1, sizeof *t);
    if (t != NULL)
        t->ctx = SSL_CTX_new(TLS_client_method());
    if (t == NULL || t->ctx == NULL) {
        free(t);
        err_nomem(e);
        return NULL;
    }
    if (set_up(t, c, e) < 0) {
        kms_tls_free(t);
        return NULL;
    }
    return t;
}

void kms_tls_free(struct kms_tls *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->ctx);
    free(t->pins);
    free(t);
}

static bool is_address(const char *host)
{
    uint8_t raw[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, raw) == 1 ||
           inet_pton(AF_INET6, host, raw) == 1;
}

SSL *kms_tls_session(const struct kms_tls *t, const char *host, struct err *e)
{
    SSL *s = SSL_new(t->ctx);
    char *name = NULL; /* OpenSSL's macro takes no const, and only reads */
    int good = 0;

    if (s == NULL) {
        err_nomem(e);
        return NULL;
    }
    memcpy(&name, &host, sizeof name);
    if (is_address(host)) {
        good = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s), host);
    } else {
        SSL_set_hostflags(s, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        good = SSL_set1_host(s, host) == 1 &&
               SSL_set_tlsext_host_name(s, name) == 1;
    }
    if (good != 1) {
        SSL_free(s);
        ERR_clear_error();
        err_set(e, ERR_CONFIG, 0, "\"%s\" is no name of a host", host);
        return NULL;
    }
    SSL_set_connect_state(s);
    return s;
}

int kms_tls_check_pin(const struct kms_tls *t, const SSL *s, struct err *e)
{
    uint8_t found[DIGEST_SHA256_BYTES];
    uint8_t *der = NULL;

    if (t->npins == 0)
        return 0;
    X509 *peer = SSL_get0_peer_certificate(s);
    int len =
        peer == NULL ? -1 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(peer), &der);
    if (len <= 0)
        return err_set(e, ERR_DENIED, 0, "the server's key cannot be read");
    int bad = digest_sha256(span_of(der, (size_t)len), found, e);
    OPENSSL_free(der);
    if (bad < 0)
        return -1;
    for (size_t i = 0; i < t->npins; i++) {
        if (memcmp(t->pins[i].sha256, found, sizeof found) == 0)
            return 0;
    }
    char hex[2 * sizeof found + 1];
    digest_hex(span_of(found, sizeof found), hex);
    return err_set(e, ERR_DENIED, 0,
                   "the server's key is none of the pinned ones: its SHA-256 "
                   "is %s",
                   hex);
}

const X509 *kms_tls_certificate(const struct kms_tls *t)
{
    return SSL_CTX_get0_certificate(t->ctx);
}

int kms_tls_days_left(const X509 *certificate)
{
    int days = 0, seconds = 0;

    if (ASN1_TIME_diff(&days, &seconds, NULL,
                       X509_get0_notAfter(certificate)) != 1)
        return 0;
    /* -12 hours is a day too late, not none. */
    return seconds < 0 ? days - 1 : days;
}

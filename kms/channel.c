// SPDX-License-Identifier: Apache-2.0
/*
 * Connecting, the TLS handshake, and exchanges.  The socket never blocks;
 * OpenSSL says what it waits for, and kms_wait does.  OpenSSL reaches the
 * socket through a BIO of ours (channel_bio.c).
 */
#include "kms/channel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/secret.h"
#include "base/utc.h"
#include "kms/channel_bio.h"
#include "kms/kmip.h"
#include "kms/resolve.h"
#include "kms/ttlv.h"
#include "kms/wait.h"

#define ALERT                                                                  \
    1000 /* OpenSSL's reason of a received alert is 1000 + its code            \
          */

struct kms_channel {
    struct kms_line line;
    SSL *ssl;
    X509 *peer; /* owned */
};

/* The time, the token and what failed, on their way through one call. */
struct limits {
    int64_t deadline;
    const struct cancel *cancel;
};

static int connect_one(const struct addrinfo *a, int64_t deadline,
                       const struct cancel *cancel, struct err *e)
{
    AUTO_FD int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int sys = 0, one = 1;
    socklen_t len = sizeof sys;

    if (fd < 0)
        return err_set(e, ERR_UNREACHABLE, errno, "make a socket");
    /* Requests are one small write each: sent at once. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
        if (errno != EINPROGRESS)
            return err_set(e, ERR_UNREACHABLE, errno, "connect");
        if (kms_wait(fd, POLLOUT, deadline, cancel, e) < 0)
            return err_ctx(e, "connect");
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &sys, &len) < 0)
            sys = errno;
        if (sys != 0)
            return err_set(e, ERR_UNREACHABLE, sys, "connect");
    }
    return STEAL_FD(fd);
}

/* One address after the other, each with its share of the time that is left. */
static int connect_any(const struct addrinfo *list, int64_t deadline,
                       const struct cancel *cancel, struct err *e)
{
    int left = 0;

    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
        left++;
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next, left--) {
        int64_t now = utc_mono_ms();
        int fd = connect_one(a, now + (deadline - now) / left, cancel, e);
        if (fd >= 0 || e->kind == ERR_CANCELLED)
            return fd;
    }
    return -1;
}

/* Why the wait, or what came before TLS, failed. */
static enum kms_fault fault_of(const struct err *e)
{
    return e->kind == ERR_UNREACHABLE || e->kind == ERR_TIMEOUT
               ? KMS_FAULT_LINE
               : KMS_FAULT_LOCAL;
}

/* Alerts by which a server says what it thinks of our certificate. */
static bool is_about_our_certificate(int reason)
{
    switch (reason - ALERT) {
    case SSL3_AD_NO_CERTIFICATE:
    case SSL3_AD_BAD_CERTIFICATE:
    case SSL3_AD_UNSUPPORTED_CERTIFICATE:
    case SSL3_AD_CERTIFICATE_REVOKED:
    case SSL3_AD_CERTIFICATE_EXPIRED:
    case SSL3_AD_CERTIFICATE_UNKNOWN:
    case TLS1_AD_UNKNOWN_CA:
    case TLS1_AD_ACCESS_DENIED:
    case TLS13_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

static bool is_about_tls(int reason)
{
    switch (reason) {
    case ALERT + SSL3_AD_HANDSHAKE_FAILURE:
    case ALERT + TLS1_AD_PROTOCOL_VERSION:
    case ALERT + TLS1_AD_INSUFFICIENT_SECURITY:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED:
    case SSL_R_DH_KEY_TOO_SMALL:
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_WRONG_SIGNATURE_TYPE:
        return true;
    default:
        return false;
    }
}

/* Reads what OpenSSL has to say about a call that failed for good. */
static int ssl_failed(const struct kms_channel *c, int code,
                      enum kms_fault *fault, struct err *e)
{
    unsigned long error = ERR_peek_last_error();
    int reason = error == 0 ? 0 : ERR_GET_REASON(error);
    long verdict = SSL_get_verify_result(c->ssl);

    *fault = KMS_FAULT_LINE;
    if (verdict != X509_V_OK) {
        *fault = KMS_FAULT_IDENTITY;
        ERR_clear_error();
        return err_set(e, ERR_DENIED, 0,
                       "the server's certificate does not verify: %s",
                       X509_verify_cert_error_string(verdict));
    }
    if (code == SSL_ERROR_SSL && is_about_our_certificate(reason)) {
        *fault = KMS_FAULT_REFUSED;
        return err_set(e, ERR_DENIED, 0,
                       "the server does not take our certificate: %s",
                       kms_tls_reason());
    }
    if (code == SSL_ERROR_SSL && is_about_tls(reason)) {
        *fault = KMS_FAULT_TLS;
        return err_set(e, ERR_CONFIG, 0,
                       "no TLS that both sides take: %s (old servers may need "
                       "other TLS 1.2 ciphers)",
                       kms_tls_reason());
    }
    if (code == SSL_ERROR_SYSCALL && c->line.sys != 0) {
        ERR_clear_error();
        return err_set(e, ERR_UNREACHABLE, c->line.sys, "the line broke");
    }
    if (code == SSL_ERROR_SSL && reason != SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return err_set(e, ERR_UNREACHABLE, 0, "TLS: %s", kms_tls_reason());
    ERR_clear_error();
    return err_set(e, ERR_UNREACHABLE, 0, "the server closed the connection");
}

/* What a call of OpenSSL that returned `result` means.  1: call it again. */
static int ssl_next(struct kms_channel *c, int result, const struct limits *l,
                    enum kms_fault *fault, struct err *e)
{
    int code = SSL_get_error(c->ssl, result);
    short events = 0;

    if (code == SSL_ERROR_WANT_READ)
        events = POLLIN;
    else if (code == SSL_ERROR_WANT_WRITE)
        events = POLLOUT;
    else
        return ssl_failed(c, code, fault, e);
    if (kms_wait(c->line.fd, events, l->deadline, l->cancel, e) < 0) {
        *fault = fault_of(e);
        return -1;
    }
    return 1;
}

static int shake_hands(struct kms_channel *c, const struct kms_tls *tls,
                       const struct limits *l, enum kms_fault *fault,
                       struct err *e)
{
    for (;;) {
        ERR_clear_error();
        int result = SSL_do_handshake(c->ssl);
        if (result == 1)
            break;
        if (ssl_next(c, result, l, fault, e) < 0)
            return err_ctx(e, "TLS handshake");
    }
    c->peer = SSL_get1_peer_certificate(c->ssl);
    if (c->peer == NULL || SSL_get_verify_result(c->ssl) != X509_V_OK) {
        *fault = KMS_FAULT_IDENTITY;
        return err_set(e, ERR_DENIED, 0, "the server has no certificate");
    }
    if (kms_tls_check_pin(tls, c->ssl, e) < 0) {
        *fault = e->kind == ERR_DENIED ? KMS_FAULT_IDENTITY : KMS_FAULT_LOCAL;
        return -1;
    }
    return 0;
}

static int connect_to(struct kms_channel *c, struct kms_endpoint to,
                      int64_t deadline, const struct cancel *cancel,
                      struct err *e)
{
    struct addrinfo *list = NULL;

    if (kms_resolve(to.host, to.port, deadline, cancel, &list, e) < 0)
        return -1;
    c->line.fd = connect_any(list, deadline, cancel, e);
    freeaddrinfo(list);
    return c->line.fd < 0 ? -1 : 0;
}

struct kms_channel *kms_channel_open(const struct kms_tls *tls,
                                     struct kms_endpoint to,
                                     int64_t connect_deadline, int64_t deadline,
                                     const struct cancel *cancel,
                                     enum kms_fault *fault, struct err *e)
{
    const struct limits l = { .deadline = deadline, .cancel = cancel };
    struct kms_channel *c = calloc(1, sizeof *c);

    *fault = KMS_FAULT_LOCAL;
    if (c == NULL) {
        err_nomem(e);
        return NULL;
    }
    c->line.fd = -1;
    if (connect_deadline > deadline)
        connect_deadline = deadline;
    if (connect_to(c, to, connect_deadline, cancel, e) < 0) {
        *fault = fault_of(e);
        kms_channel_close(c);
        return NULL;
    }
    c->ssl = kms_tls_session(tls, to.host, e);
    if (c->ssl == NULL || kms_line_attach(&c->line, c->ssl, e) < 0 ||
        shake_hands(c, tls, &l, fault, e) < 0) {
        kms_channel_close(c);
        return NULL;
    }
    *fault = KMS_FAULT_NONE;
    return c;
}

void kms_channel_close(struct kms_channel *c)
{
    if (c == NULL)
        return;
    ERR_clear_error();
    if (c->ssl != NULL) {
        if (SSL_is_init_finished(c->ssl))
            (void)SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
    }
    ERR_clear_error();
    X509_free(c->peer);
    if (c->line.fd >= 0)
        close(c->line.fd);
    free(c);
}

bool kms_channel_idle(struct kms_channel *c)
{
    uint8_t byte = 0;

    ERR_clear_error();
    /* Session tickets are taken in here, a good-bye is seen. */
    int result = SSL_peek(c->ssl, &byte, 1);
    bool idle =
        result <= 0 && SSL_get_error(c->ssl, result) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return idle;
}

static int send_all(struct kms_channel *c, struct span request,
                    const struct limits *l, bool *sent, enum kms_fault *fault,
                    struct err *e)
{
    if (cancel_check(l->cancel, e) < 0)
        return -1;
    for (;;) {
        ERR_clear_error();
        *sent = true;
        /* All or nothing: partial writes are not switched on. */
        int result = SSL_write(c->ssl, request.p, (int)request.len);
        if (result > 0)
            return 0;
        if (ssl_next(c, result, l, fault, e) < 0)
            return -1;
    }
}

static int receive(struct kms_channel *c, uint8_t *p, size_t len,
                   const struct limits *l, enum kms_fault *fault, struct err *e)
{
    while (len > 0) {
        ERR_clear_error();
        int result = SSL_read(c->ssl, p, (int)len);
        if (result > 0) {
            p += result;
            len -= (size_t)result;
        } else if (ssl_next(c, result, l, fault, e) < 0) {
            return -1;
        }
    }
    return 0;
}

static int receive_reply(struct kms_channel *c, size_t max,
                         const struct limits *l, struct buf *reply,
                         enum kms_fault *fault, struct err *e)
{
    uint8_t header[TTLV_HEADER_BYTES];
    size_t len = 0;

    if (receive(c, header, sizeof header, l, fault, e) < 0)
        return -1;
    if (ttlv_frame(header, KMIP_RESPONSE_TAG, max, &len, e) < 0) {
        *fault = KMS_FAULT_GARBAGE;
        return -1;
    }
    AUTO_SECRET_BUF struct buf b = secret_buf(sizeof header + len);
    if (buf_reserve(&b, b.max) == NULL) {
        *fault = KMS_FAULT_LOCAL;
        return buf_check(&b, e);
    }
    buf_append(&b, header, sizeof header);
    if (receive(c, b.p + b.len, len, l, fault, e) < 0)
        return -1;
    b.len += len;
    *reply = b;
    b = buf_init(0);
    return 0;
}

int kms_channel_exchange(struct kms_channel *c, struct span request, size_t max,
                         int64_t deadline, const struct cancel *cancel,
                         struct buf *reply, bool *sent, enum kms_fault *fault,
                         struct err *e)
{
    const struct limits l = { .deadline = deadline, .cancel = cancel };

    *sent = false;
    *fault = KMS_FAULT_LOCAL;
    if (send_all(c, request, &l, sent, fault, e) < 0 ||
        receive_reply(c, max, &l, reply, fault, e) < 0)
        return -1;
    *fault = KMS_FAULT_NONE;
    return 0;
}

const X509 *kms_channel_certificate(const struct kms_channel *c)
{
    return c->peer;
}

const char *kms_channel_protocol(const struct kms_channel *c)
{
    return SSL_get_version(c->ssl);
}

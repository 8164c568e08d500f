// SPDX-License-Identifier: Apache-2.0
/* Connections, TLS, and the faults that lie in how an answer is sent. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kms/kmip.h"
#include "kms/ttlv.h"
#include "tests/kmsserver/impl.h"

#define REQUEST_MAX (64 << 10)
#define OPS 64

struct kmsserver {
    SSL_CTX *ctx;
    int listening;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    struct shelf shelf;
    const char *user, *password; /* borrowed; as long as the server runs */
    struct kmsserver_fault fault;
    int fault_used, fault_passed;
    unsigned requests[OPS], connections;
    int open; /* the connection, or -1 */
    bool stopping;
};

/* --- the fault at hand --- */

static bool is_of_connection(enum kmsserver_act act)
{
    return act >= KMSSERVER_NO_HANDSHAKE && act <= KMSSERVER_RESET;
}

static struct kmsserver_fault take_fault(struct kmsserver *s, uint32_t op,
                                         bool connection)
{
    struct kmsserver_fault f = s->fault;

    if (is_of_connection(f.act) != connection || (f.op != 0 && f.op != op) ||
        (f.times > 0 && s->fault_used >= f.times))
        return (struct kmsserver_fault){ .act = KMSSERVER_GOOD };
    if (s->fault_passed < f.after) {
        s->fault_passed++;
        return (struct kmsserver_fault){ .act = KMSSERVER_GOOD };
    }
    s->fault_used++;
    return f;
}

/* --- the line --- */

static void reset(int fd)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* Until the client has closed, or we are stopped. */
static void wait_for_end(int fd)
{
    char bytes[4096];

    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        ;
}

static bool read_all(SSL *ssl, uint8_t *p, size_t len)
{
    while (len > 0) {
        int n = SSL_read(ssl, p, (int)len);
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool read_request(SSL *ssl, struct buf *b)
{
    uint8_t header[8];

    if (!read_all(ssl, header, sizeof header))
        return false;
    size_t len = (size_t)header[4] << 24 | (size_t)header[5] << 16 |
                 (size_t)header[6] << 8 | header[7];
    if (len > REQUEST_MAX)
        return false;
    buf_append(b, header, sizeof header);
    uint8_t *p = buf_reserve(b, len);
    if (p == NULL || !read_all(ssl, p, len))
        return false;
    b->len += len;
    return true;
}

static void drip(SSL *ssl, struct span answer)
{
    for (size_t i = 0; i < answer.len; i++) {
        if (SSL_write(ssl, answer.p + i, 1) <= 0)
            return;
        poll(NULL, 0, 200);
    }
}

static void bend_header(enum kmsserver_act act, uint8_t *p)
{
    static const uint8_t huge[] = { 0x7f, 0xff, 0xff, 0xf8 };
    static const uint8_t odd[] = { 0, 0, 0, 0x81 };
    static const uint8_t larger[] = { 0, 1, 0, 0 };

    if (act == KMSSERVER_HUGE)
        memcpy(p + 4, huge, 4);
    if (act == KMSSERVER_ODD)
        memcpy(p + 4, odd, 4);
    if (act == KMSSERVER_LARGER)
        memcpy(p + 4, larger, 4);
    if (act == KMSSERVER_WRONG_MESSAGE)
        p[2] = 0x78;
}

/* False: the connection is over. */
static bool send_answer(SSL *ssl, int fd, enum kmsserver_act act,
                        struct buf *answer)
{
    int len = (int)answer->len;

    switch ((int)act) {
    case KMSSERVER_NEVER:
        wait_for_end(fd);
        return false;
    case KMSSERVER_LOST:
    case KMSSERVER_DROP:
        return false;
    case KMSSERVER_DRIP:
        drip(ssl, buf_span(answer));
        return false;
    case KMSSERVER_HALF:
    case KMSSERVER_HALF_BYE:
    case KMSSERVER_HALF_RESET:
        SSL_write(ssl, answer->p, len / 2);
        if (act == KMSSERVER_HALF_BYE)
            SSL_shutdown(ssl);
        if (act == KMSSERVER_HALF_RESET) {
            poll(NULL, 0, 50); /* RST overtakes what was not read */
            reset(fd);
        }
        return false;
    default:
        bend_header(act, answer->p);
        if (SSL_write(ssl, answer->p, len) != len)
            return false;
        if (act == KMSSERVER_TWICE)
            SSL_write(ssl, answer->p, len);
        if (act == KMSSERVER_ONE_EACH)
            SSL_shutdown(ssl);
        return act != KMSSERVER_ONE_EACH;
    }
}

static bool serve_one(struct kmsserver *s, SSL *ssl, int fd)
{
    AUTO_BUF struct buf request = buf_init(REQUEST_MAX + 8);
    AUTO_BUF struct buf answer = buf_init(1 << 20);

    if (!read_request(ssl, &request))
        return false;
    struct err e;
    if (ttlv_check(buf_span(&request), &e) < 0)
        return false;
    uint32_t op = kmsserver_operation(buf_span(&request));
    pthread_mutex_lock(&s->lock);
    if (op < OPS) {
        s->requests[op]++;
        if (op != 0)
            s->requests[0]++;
    }
    struct kmsserver_fault f = take_fault(s, op, false);
    if (s->user != NULL &&
        !kmsserver_is_user(buf_span(&request), s->user, s->password))
        f = (struct kmsserver_fault){
            .act = KMSSERVER_REFUSE,
            .reason = KMIP_AUTHENTICATION_NOT_SUCCESSFUL,
        };
    if (f.act != KMSSERVER_DROP)
        kmsserver_answer(&s->shelf, buf_span(&request), f.act, f.reason,
                         &answer);
    pthread_mutex_unlock(&s->lock);
    return send_answer(ssl, fd, f.act, &answer);
}

static void serve_tls(struct kmsserver *s, int fd, enum kmsserver_act act)
{
    SSL *ssl = SSL_new(s->ctx);

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && act != KMSSERVER_HANG_UP &&
        act != KMSSERVER_RESET) {
        while (serve_one(s, ssl, fd))
            ;
    }
    if (act == KMSSERVER_RESET)
        reset(fd);
    ERR_clear_error();
    SSL_free(ssl);
}

static void serve(struct kmsserver *s, int fd)
{
    static const char plain[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

    pthread_mutex_lock(&s->lock);
    s->connections++;
    s->open = fd;
    bool stopping = s->stopping;
    struct kmsserver_fault f = take_fault(s, 0, true);
    pthread_mutex_unlock(&s->lock);
    if (stopping)
        return;
    if (f.act == KMSSERVER_NO_HANDSHAKE) {
        wait_for_end(fd);
    } else if (f.act == KMSSERVER_PLAIN) {
        (void)send(fd, plain, sizeof plain - 1, MSG_NOSIGNAL);
        wait_for_end(fd);
    } else {
        serve_tls(s, fd, f.act);
    }
}

static void *run(void *arg)
{
    struct kmsserver *s = arg;
    sigset_t none;

    /* The client's thread keeps SIGPIPE as it is: it must not need this. */
    sigemptyset(&none);
    sigaddset(&none, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &none, NULL);
    for (;;) {
        int fd = accept4(s->listening, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        serve(s, fd);
        pthread_mutex_lock(&s->lock);
        s->open = -1;
        pthread_mutex_unlock(&s->lock);
        close(fd);
    }
}

/* --- starting and stopping --- */

static bool use_certificates(SSL_CTX *ctx, const struct kmsserver_opts *o)
{
    char path[3][512];
    const char *cert = o->cert != NULL ? o->cert : "server";

    (void)snprintf(path[0], sizeof path[0], "%s/%s.crt", o->pki, cert);
    (void)snprintf(path[1], sizeof path[1], "%s/%s.key", o->pki, cert);
    (void)snprintf(path[2], sizeof path[2], "%s/ca.crt", o->pki);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
    return SSL_CTX_use_certificate_file(ctx, path[0], SSL_FILETYPE_PEM) == 1 &&
           SSL_CTX_use_PrivateKey_file(ctx, path[1], SSL_FILETYPE_PEM) == 1 &&
           SSL_CTX_load_verify_file(ctx, path[2]) == 1;
}

static bool set_up_tls(struct kmsserver *s, const struct kmsserver_opts *o)
{
    s->ctx = SSL_CTX_new(TLS_server_method());
    if (s->ctx == NULL)
        return false;
    /* It takes what the client must not. */
    SSL_CTX_set_security_level(s->ctx, 0);
    return SSL_CTX_set_min_proto_version(s->ctx, o->tls_min) == 1 &&
           SSL_CTX_set_max_proto_version(s->ctx, o->tls_max) == 1 &&
           (o->ciphers == NULL ||
            SSL_CTX_set_cipher_list(s->ctx, o->ciphers) == 1) &&
           use_certificates(s->ctx, o);
}

static bool start_listening(struct kmsserver *s, bool six)
{
    struct sockaddr_in four_at = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct sockaddr_in6 six_at = {
        .sin6_family = AF_INET6,
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
    };
    struct sockaddr *at =
        six ? (struct sockaddr *)&six_at : (struct sockaddr *)&four_at;
    socklen_t len = six ? sizeof six_at : sizeof four_at;

    s->listening = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listening < 0 || bind(s->listening, at, len) < 0 ||
        listen(s->listening, 16) < 0 || getsockname(s->listening, at, &len) < 0)
        return false;
    s->port = ntohs(six ? six_at.sin6_port : four_at.sin_port);
    return true;
}

struct kmsserver *kmsserver_start(const struct kmsserver_opts *o)
{
    struct kmsserver *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->open = -1;
    s->listening = -1;
    s->shelf.minor = o->minor;
    s->user = o->user;
    s->password = o->password;
    pthread_mutex_init(&s->lock, NULL);
    if (set_up_tls(s, o) && start_listening(s, o->six) &&
        pthread_create(&s->thread, NULL, run, s) == 0)
        return s;
    (void)fprintf(stderr, "kmsserver: error %d, %s\n", errno,
                  ERR_reason_error_string(ERR_peek_last_error()));
    if (s->listening >= 0)
        close(s->listening);
    SSL_CTX_free(s->ctx);
    free(s);
    return NULL;
}

void kmsserver_stop(struct kmsserver *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    shutdown(s->listening, SHUT_RDWR);
    if (s->open >= 0)
        shutdown(s->open, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    close(s->listening);
    SSL_CTX_free(s->ctx);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

uint16_t kmsserver_port(const struct kmsserver *s)
{
    return s->port;
}

void kmsserver_fault(struct kmsserver *s, struct kmsserver_fault f)
{
    pthread_mutex_lock(&s->lock);
    s->fault = f;
    s->fault_used = 0;
    s->fault_passed = 0;
    pthread_mutex_unlock(&s->lock);
}

unsigned kmsserver_key(struct kmsserver *s, const char *name, uint32_t state,
                       uint8_t fill)
{
    pthread_mutex_lock(&s->lock);
    struct shelf_key *k = &s->shelf.keys[s->shelf.count];
    (void)snprintf(k->name, sizeof k->name, "%s", name);
    k->state = state;
    memset(k->bytes, fill, sizeof k->bytes);
    unsigned uid = ++s->shelf.count;
    pthread_mutex_unlock(&s->lock);
    return uid;
}

void kmsserver_set_state(struct kmsserver *s, unsigned uid, uint32_t state)
{
    pthread_mutex_lock(&s->lock);
    s->shelf.keys[uid - 1].state = state;
    pthread_mutex_unlock(&s->lock);
}

uint32_t kmsserver_state(struct kmsserver *s, unsigned uid)
{
    pthread_mutex_lock(&s->lock);
    uint32_t state = s->shelf.keys[uid - 1].state;
    pthread_mutex_unlock(&s->lock);
    return state;
}

unsigned kmsserver_keys(struct kmsserver *s)
{
    pthread_mutex_lock(&s->lock);
    unsigned n = s->shelf.count;
    pthread_mutex_unlock(&s->lock);
    return n;
}

unsigned kmsserver_requests(struct kmsserver *s, uint32_t op)
{
    pthread_mutex_lock(&s->lock);
    unsigned n = op < OPS ? s->requests[op] : 0;
    pthread_mutex_unlock(&s->lock);
    return n;
}

unsigned kmsserver_connections(struct kmsserver *s)
{
    pthread_mutex_lock(&s->lock);
    unsigned n = s->connections;
    pthread_mutex_unlock(&s->lock);
    return n;
}

void kmsserver_hang_up(struct kmsserver *s)
{
    pthread_mutex_lock(&s->lock);
    if (s->open >= 0)
        shutdown(s->open, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
}

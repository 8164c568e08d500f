// SPDX-License-Identifier: Apache-2.0
/* What a channel makes of a key server's bytes.  Input: how many of them come
 * at once (1 byte), how the server ends (1 byte: it says good-bye, or does
 * not), then the bytes that it answers a request with, over TLS.  A reply is
 * the beginning of them, as long as its first eight say and never longer than
 * asked for; else the fault is that they are no message, or that the line
 * ended. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/utc.h"
#include "kms/channel.h"
#include "kms/kmip.h"
#include "kms/ttlv.h"
#include "tests/fuzz/fuzz_mf.h"

#define REPLY_MAX 4096
#define PATIENCE_MS 20000

/* The server: written before a request is sent, read after it came. */
static struct {
    SSL_CTX *ctx;
    int listening;
    uint16_t port;
    struct span answer;
    size_t at_once;
    bool good_bye;
    sem_t done; /* with the answer, which is only lent */
} server;
static struct kms_tls *client;

static void answer(SSL *s)
{
    uint8_t request[8];

    if (SSL_accept(s) != 1 || SSL_read(s, request, sizeof(request)) != 8)
        return;
    struct span rest = server.answer;
    while (rest.len > 0) {
        size_t n = rest.len < server.at_once ? rest.len : server.at_once;
        if (SSL_write(s, rest.p, (int)n) <= 0)
            return;
        rest = span_of(rest.p + n, rest.len - n);
    }
    if (server.good_bye)
        SSL_shutdown(s);
}

static void *serve(void *arg)
{
    (void)arg;
    for (;;) {
        int fd = accept(server.listening, NULL, NULL);
        if (fd < 0)
            continue;
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        SSL *s = SSL_new(server.ctx);
        SSL_set_fd(s, fd);
        answer(s);
        SSL_free(s);
        /* What the client still sends must not become a reset. */
        shutdown(fd, SHUT_WR);
        char rest[256];
        while (recv(fd, rest, sizeof(rest), 0) > 0)
            ;
        close(fd);
        sem_post(&server.done);
    }
    return NULL;
}

/* A certificate that signs itself: the server's, the client's and the CA's. */
static X509 *certificate(EVP_PKEY *key)
{
    X509 *c = X509_new();

    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 864000);
    X509_set_pubkey(c, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                               (const uint8_t *)"fuzz", -1, -1, 0);
    X509_set_issuer_name(c, X509_get_subject_name(c));
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    MUST(names != NULL && X509_add_ext(c, names, -1) == 1);
    X509_EXTENSION_free(names);
    MUST(X509_sign(c, key, EVP_sha256()) > 0);
    return c;
}

static void make_client(EVP_PKEY *key, X509 *c)
{
    char folder[] = "/tmp/objvault-fuzz-XXXXXX";
    char cert_path[64], key_path[64];
    struct err e = { 0 };

    MUST(mkdtemp(folder) != NULL);
    (void)snprintf(cert_path, sizeof(cert_path), "%s/crt", folder);
    (void)snprintf(key_path, sizeof(key_path), "%s/key", folder);
    FILE *f = fopen(cert_path, "w");
    MUST(f != NULL && PEM_write_X509(f, c) == 1 && fclose(f) == 0);
    int fd = open(key_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    f = fdopen(fd, "w");
    MUST(f != NULL &&
         PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 &&
         fclose(f) == 0);
    client = kms_tls_new(&(const struct kms_tls_config){ .ca_file = cert_path,
                                                         .cert_file = cert_path,
                                                         .key_file = key_path },
                         &e);
    MUST(client != NULL);
    unlink(cert_path);
    unlink(key_path);
    rmdir(folder);
}

static void listen_here(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(at);

    server.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(bind(server.listening, (struct sockaddr *)&at, len) == 0 &&
         listen(server.listening, 8) == 0 &&
         getsockname(server.listening, (struct sockaddr *)&at, &len) == 0);
    server.port = ntohs(at.sin_port);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    pthread_t thread;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *c = certificate(key);

    (void)argc;
    (void)argv;
    (void)signal(SIGPIPE, SIG_IGN); /* of the server's side */
    server.ctx = SSL_CTX_new(TLS_server_method());
    MUST(SSL_CTX_use_certificate(server.ctx, c) == 1 &&
         SSL_CTX_use_PrivateKey(server.ctx, key) == 1);
    SSL_CTX_set_num_tickets(server.ctx, 0);
    make_client(key, c);
    listen_here();
    MUST(sem_init(&server.done, 0, 0) == 0);
    MUST(pthread_create(&thread, NULL, serve, NULL) == 0);
    pthread_detach(thread);
    X509_free(c);
    EVP_PKEY_free(key);
    return 0;
}

static void check(struct span sent, int result, enum kms_fault fault,
                  const struct buf *reply, const struct err *e)
{
    struct err ignored = { 0 };
    size_t follow = 0;
    bool whole = sent.len >= TTLV_HEADER_BYTES;
    bool framed = whole && ttlv_frame(sent.p, KMIP_RESPONSE_TAG, REPLY_MAX,
                                      &follow, &ignored) == 0;

    if (framed && sent.len - TTLV_HEADER_BYTES >= follow) {
        MUST(result == 0 && fault == KMS_FAULT_NONE);
        MUST(reply->len == TTLV_HEADER_BYTES + follow);
        MUST(reply->len <= REPLY_MAX);
        MUST(memcmp(reply->p, sent.p, reply->len) == 0);
        return;
    }
    MUST(result == -1 && reply->len == 0);
    if (whole && !framed)
        MUST(fault == KMS_FAULT_GARBAGE && e->kind == ERR_CORRUPT);
    else
        MUST(fault == KMS_FAULT_LINE && e->kind == ERR_UNREACHABLE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char request[8] = "request";
    int64_t deadline = utc_mono_ms() + PATIENCE_MS;
    const struct kms_endpoint to = { "127.0.0.1", server.port };
    enum kms_fault fault = KMS_FAULT_NONE;
    struct err e = { 0 };
    bool sent = false;
    AUTO_SECRET_BUF struct buf reply = buf_init(0);

    if (size < 2 || size > 2 * REPLY_MAX)
        return 0;
    /* In no more than 64 pieces, which is enough of them. */
    server.at_once = size / 64 + data[0] + 1;
    server.good_bye = (data[1] & 1) != 0;
    server.answer = span_of(data + 2, size - 2);
    struct kms_channel *c =
        kms_channel_open(client, to, deadline, deadline, NULL, &fault, &e);
    MUST(c != NULL);
    int result = kms_channel_exchange(
        c, span_of((const uint8_t *)request, sizeof(request)), REPLY_MAX,
        deadline, NULL, &reply, &sent, &fault, &e);
    MUST(sent);
    check(server.answer, result, fault, &reply, &e);
    kms_channel_close(c);
    while (sem_wait(&server.done) < 0)
        ;
    return 0;
}

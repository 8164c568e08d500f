// SPDX-License-Identifier: Apache-2.0
/*
 * A BIO over a socket, which OpenSSL's own is not good enough for, twice:
 *
 * Its writes raise SIGPIPE where the server has gone.  These do not.
 *
 * And with TLS 1.3 a server judges our certificate after the handshake: it
 * sends an alert and closes, while we send the first request.  A failed write
 * would end the session there, and the alert that says why would stay unread.
 * So a line that takes no more bytes swallows them here, and the read that
 * follows every write tells: the alert, if it came, or the end.
 */
#include "kms/channel_bio.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static bool must_wait(int sys)
{
    return sys == EAGAIN || sys == EINTR;
}

static int line_write(BIO *b, const char *p, int len)
{
    struct kms_line *line = BIO_get_data(b);
    ssize_t n = send(line->fd, p, (size_t)len, MSG_NOSIGNAL);

    BIO_clear_retry_flags(b);
    if (n >= 0)
        return (int)n;
    if (must_wait(errno)) {
        BIO_set_retry_write(b);
        return -1;
    }
    if (line->sys == 0)
        line->sys = errno;
    return len;
}

static int line_read(BIO *b, char *p, int len)
{
    struct kms_line *line = BIO_get_data(b);
    ssize_t n = recv(line->fd, p, (size_t)len, 0);

    BIO_clear_retry_flags(b);
    if (n >= 0)
        return (int)n;
    if (must_wait(errno))
        BIO_set_retry_read(b);
    else if (line->sys == 0)
        line->sys = errno;
    return -1;
}

static long line_ctrl(BIO *b, int command, long number, void *p)
{
    (void)b;
    (void)number;
    (void)p;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static void make_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK |
                                     BIO_TYPE_DESCRIPTOR,
                                 "key server");

    if (m != NULL && BIO_meth_set_write(m, line_write) == 1 &&
        BIO_meth_set_read(m, line_read) == 1 &&
        BIO_meth_set_ctrl(m, line_ctrl) == 1) {
        method = m;
        return;
    }
    BIO_meth_free(m);
}

int kms_line_attach(struct kms_line *line, SSL *s, struct err *e)
{
    pthread_once(&method_once, make_method);
    BIO *b = method == NULL ? NULL : BIO_new(method);
    if (b == NULL)
        return err_nomem(e);
    BIO_set_data(b, line);
    BIO_set_init(b, 1);
    SSL_set_bio(s, b, b);
    return 0;
}

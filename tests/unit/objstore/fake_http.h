// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_FAKE_HTTP_H
#define TESTS_UNIT_OBJSTORE_FAKE_HTTP_H

/* A server on the loopback that answers by script, one reply per request on
 * whatever connection, and keeps what it was asked.  Faults are replies too:
 * nothing at all, half a body, a reset. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAKE_CONNECTIONS 16
#define FAKE_REQUESTS 16
#define FAKE_HEAD_MAX 16384

enum fake_fault {
    FAKE_NONE,
    FAKE_CLOSE,           /* after the reply, which may be a part of one */
    FAKE_RESET,           /* the same, the hard way */
    FAKE_CLOSE_HEAD,      /* reset as soon as the head is there */
    FAKE_CLOSE_HEAD_LATE, /* answer at the head, reset a moment later */
    FAKE_LATE,            /* half a second before the reply */
    FAKE_HANG,            /* after the reply, do nothing more */
};

struct fake_reply {
    char *text; /* status line, headers, body: as it goes out; owned */
    enum fake_fault fault;
};

struct fake {
    int listener;
    int stop[2];
    unsigned port;
    pthread_t thread;
    const char *greeting; /* sent to every new connection; or NULL */
    bool silent;          /* nobody is told to go on who asks by Expect */
    struct fake_reply replies[FAKE_REQUESTS];
    size_t nreplies;
    /* Read by the test after the call that made the request has ended. */
    pthread_mutex_t lock;
    struct fake_request {
        char head[FAKE_HEAD_MAX];
        char body[4096]; /* its start */
        size_t body_len;
        unsigned connection; /* counted from 1 */
    } requests[FAKE_REQUESTS];
    size_t n;
    unsigned connections;
};

struct fake_connection {
    int fd;
    unsigned nr;
};

/* Reads a head; false: the connection has ended. */
static inline bool fake_read_head(int fd, char *head)
{
    size_t n = 0;

    while (n + 1 < FAKE_HEAD_MAX) {
        if (read(fd, head + n, 1) != 1)
            return false;
        head[++n] = '\0';
        if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

static inline size_t fake_body_length(const char *head)
{
    const char *at = strcasestr(head, "\r\ncontent-length:");

    return at == NULL ? 0 : strtoul(at + 17, NULL, 10);
}

static inline void fake_end(struct fake_connection *c, bool reset)
{
    const struct linger hard = { 1, 0 };

    if (reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(c->fd);
    c->fd = -1;
}

/* Who waits for it sends the body only then (or after a second). */
static inline void fake_go_on(const struct fake *f, int fd, const char *head)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (!f->silent && strcasestr(head, "\r\nexpect: 100-continue") != NULL)
        send(fd, text, sizeof text - 1, MSG_NOSIGNAL);
}

/* One request of a connection. */
static inline void fake_serve(struct fake *f, struct fake_connection *c)
{
    struct fake_request *q = malloc(sizeof *q);

    *q = (struct fake_request){ .connection = c->nr };
    if (!fake_read_head(c->fd, q->head)) {
        fake_end(c, false);
        free(q);
        return;
    }
    pthread_mutex_lock(&f->lock);
    size_t at = f->n < FAKE_REQUESTS ? f->n++ : FAKE_REQUESTS - 1;
    struct fake_reply reply = { NULL, FAKE_CLOSE };
    if (at < f->nreplies)
        reply = f->replies[at];
    /* The script may change while this is being sent. */
    char *text = reply.text == NULL ? NULL : strdup(reply.text);
    pthread_mutex_unlock(&f->lock);

    bool early =
        reply.fault == FAKE_CLOSE_HEAD || reply.fault == FAKE_CLOSE_HEAD_LATE;
    size_t left = early ? 0 : fake_body_length(q->head);
    if (left > 0)
        fake_go_on(f, c->fd, q->head);
    while (left > 0) {
        char chunk[65536];
        ssize_t n =
            read(c->fd, chunk, left < sizeof chunk ? left : sizeof chunk);
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n && q->body_len + 1 < sizeof q->body; i++)
            q->body[q->body_len++] = chunk[i];
        left -= (size_t)n;
    }
    pthread_mutex_lock(&f->lock);
    f->requests[at] = *q;
    pthread_mutex_unlock(&f->lock);
    free(q);
    if (reply.fault == FAKE_LATE)
        usleep(500000);
    size_t len = text == NULL ? 0 : strlen(text);
    bool sent =
        len == 0 || send(c->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
    free(text);
    if (!sent)
        fake_end(c, true);
    else if (reply.fault == FAKE_CLOSE_HEAD_LATE) {
        usleep(200000); /* the answer must get through */
        fake_end(c, true);
    } else if (reply.fault == FAKE_CLOSE)
        fake_end(c, false);
    else if (reply.fault == FAKE_RESET || reply.fault == FAKE_CLOSE_HEAD)
        fake_end(c, true);
}

static inline void *fake_run(void *ctx)
{
    struct fake *f = ctx;
    struct fake_connection c[FAKE_CONNECTIONS];

    for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
        c[i].fd = -1;
    for (;;) {
        struct pollfd p[FAKE_CONNECTIONS + 2] = {
            { .fd = f->stop[0], .events = POLLIN },
            { .fd = f->listener, .events = POLLIN },
        };
        for (size_t i = 0; i < FAKE_CONNECTIONS; i++)
            p[i + 2] = (struct pollfd){ .fd = c[i].fd, .events = POLLIN };
        poll(p, FAKE_CONNECTIONS + 2, -1);
        if (p[0].revents != 0)
            break;
        for (size_t i = 0; i < FAKE_CONNECTIONS; i++) {
            if (c[i].fd >= 0 && p[i + 2].revents != 0)
                fake_serve(f, &c[i]);
        }
        for (size_t i = 0; p[1].revents != 0 && i < FAKE_CONNECTIONS; i++) {
            if (c[i].fd >= 0)
                continue;
            c[i].fd = accept(f->listener, NULL, NULL);
            c[i].nr = ++f->connections;
            pthread_mutex_lock(&f->lock);
            const char *hello = f->greeting;
            pthread_mutex_unlock(&f->lock);
            if (hello != NULL)
                send(c[i].fd, hello, strlen(hello), MSG_NOSIGNAL);
            break;
        }
    }
    for (size_t i = 0; i < FAKE_CONNECTIONS; i++) {
        if (c[i].fd >= 0)
            close(c[i].fd);
    }
    return NULL;
}

static inline struct fake *fake_start(void)
{
    struct fake *f = calloc(1, sizeof *f);
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof a;

    f->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(f->listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(f->listener, 16) != 0 ||
        getsockname(f->listener, (struct sockaddr *)&a, &len) != 0 ||
        pipe(f->stop) != 0)
        abort();
    f->port = ntohs(a.sin_port);
    pthread_mutex_init(&f->lock, NULL);
    if (pthread_create(&f->thread, NULL, fake_run, f) != 0)
        abort();
    return f;
}

static inline void fake_stop(struct fake *f)
{
    if (write(f->stop[1], "x", 1) != 1)
        abort();
    pthread_join(f->thread, NULL);
    pthread_mutex_destroy(&f->lock);
    for (size_t i = 0; i < f->nreplies; i++)
        free(f->replies[i].text);
    close(f->listener);
    close(f->stop[0]);
    close(f->stop[1]);
    free(f);
}

/* text is copied; NULL: no answer. */
static inline void fake_add(struct fake *f, const char *text,
                            enum fake_fault fault)
{
    pthread_mutex_lock(&f->lock);
    if (f->nreplies == FAKE_REQUESTS)
        abort();
    f->replies[f->nreplies++] =
        (struct fake_reply){ text == NULL ? NULL : strdup(text), fault };
    pthread_mutex_unlock(&f->lock);
}

/* Begins anew: no replies, no requests. */
static inline void fake_forget(struct fake *f)
{
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->nreplies; i++)
        free(f->replies[i].text);
    f->nreplies = 0;
    f->n = 0;
    pthread_mutex_unlock(&f->lock);
}

/* A copy of the nth request's head, in a buffer that the next call uses
 * again. */
static inline const char *fake_head(struct fake *f, size_t nth)
{
    static char head[FAKE_HEAD_MAX];

    pthread_mutex_lock(&f->lock);
    if (nth >= f->n)
        head[0] = '\0';
    else
        memcpy(head, f->requests[nth].head, sizeof head);
    pthread_mutex_unlock(&f->lock);
    return head;
}

static inline size_t fake_requests(struct fake *f)
{
    pthread_mutex_lock(&f->lock);
    size_t n = f->n;
    pthread_mutex_unlock(&f->lock);
    return n;
}

#endif

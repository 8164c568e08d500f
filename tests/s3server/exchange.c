// SPDX-License-Identifier: Apache-2.0
/*
 * One connection: requests are read, carried out and answered, one after the
 * other, and disturbed where a rule says so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/utc.h"
#include "tests/s3server/impl.h"

#define HEAD_MAX (64u << 10)
#define BODY_MAX (128u << 20)
#define SETTLE_MS 20 /* what was sent must arrive before the reset */

struct line {
    struct s3server *s;
    int fd;
    bool open;  /* goes on with the next request */
    bool reset; /* ends by a reset */
    size_t len; /* bytes read and not used */
    char in[HEAD_MAX];
};

static void cut(struct line *l)
{
    l->open = false;
}

static void reset(struct line *l)
{
    l->open = false;
    l->reset = true;
    s3server_pause(l->s, SETTLE_MS);
}

static bool send_all(struct line *l, const void *p, size_t n)
{
    const uint8_t *at = p;

    while (n > 0) {
        ssize_t sent = send(l->fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            cut(l);
            return false;
        }
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* Reads until a head is complete; a NUL-terminated copy; NULL: the end. */
static char *read_head(struct line *l)
{
    for (;;) {
        const char *end = memmem(l->in, l->len, "\r\n\r\n", 4);
        if (end != NULL) {
            size_t n = (size_t)(end - l->in) + 4;
            char *head = s3server_alloc(n + 1);
            memcpy(head, l->in, n);
            memmove(l->in, l->in + n, l->len - n);
            l->len -= n;
            return head;
        }
        ssize_t got = l->len < sizeof l->in ? recv(l->fd, l->in + l->len,
                                                   sizeof l->in - l->len, 0)
                                            : -1;
        if (got <= 0)
            return NULL;
        l->len += (size_t)got;
    }
}

/* Reads n bytes to p.  False: the connection ended before. */
static bool read_body(struct line *l, uint8_t *p, size_t n)
{
    size_t have = n < l->len ? n : l->len;

    memcpy(p, l->in, have);
    memmove(l->in, l->in + have, l->len - have);
    l->len -= have;
    while (have < n) {
        ssize_t got = recv(l->fd, p + have, n - have, 0);
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

static void flip(uint8_t *p, size_t len, uint64_t at)
{
    if (len > 0)
        p[at < len ? at : len - 1] ^= 0x20;
}

static size_t least(uint64_t at, size_t len)
{
    return at < len ? (size_t)at : len;
}

/* The headers that every answer has. */
static void write_head(struct line *l, const struct s3_answer *a,
                       const struct s3server_rule *r, struct buf *out)
{
    int64_t date = s3server_now(l->s);
    char text[UTC_HTTP_CHARS];
    bool endless =
        r->act == S3SERVER_NO_LENGTH || r->act == S3SERVER_NO_LENGTH_CUT;

    if (r->act == S3SERVER_SKEW_DATE)
        date += r->ms / 1000;
    utc_format_http(date, text);
    buf_printf(out,
               "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: AmazonS3\r\n"
               "x-amz-request-id: %s\r\nx-amz-id-2: host\r\n",
               a->status, s3server_reason(a->status), text, a->request_id);
    buf_append(out, a->headers.p, a->headers.len);
    if (endless)
        buf_append_str(out, "Connection: close\r\n\r\n");
    else if (a->status == 204 || a->status == 304)
        buf_append_str(out, "\r\n");
    else
        buf_printf(out, "Content-Length: %zu\r\n\r\n", a->len);
}

static void send_body(struct line *l, const struct s3_answer *a,
                      const struct s3server_rule *r)
{
    static const uint8_t more[4096] = "more than was announced ";
    uint8_t *p = a->body->p + a->from;
    size_t at = least(r->at, a->len);

    switch ((int)r->act) {
    case S3SERVER_RESET_ANSWER_BODY:
        send_all(l, p, at);
        reset(l);
        return;
    case S3SERVER_CUT_ANSWER:
    case S3SERVER_NO_LENGTH_CUT:
        send_all(l, p, at);
        cut(l);
        return;
    case S3SERVER_NO_LENGTH:
        send_all(l, p, a->len);
        cut(l);
        return;
    case S3SERVER_STALL_BODY:
        if (send_all(l, p, at) && s3server_pause(l->s, r->ms))
            send_all(l, p + at, a->len - at);
        return;
    case S3SERVER_OVERLONG:
        send_all(l, p, a->len);
        send_all(l, more, least(r->at, sizeof more));
        return;
    default:
        send_all(l, p, a->len);
    }
}

/* Flipping must not touch what is stored. */
static void own_body(struct s3_answer *a)
{
    if (a->body == NULL)
        return;
    struct s3_blob *copy = s3server_blob_new(a->body->p + a->from, a->len);
    s3server_blob_unref(a->body);
    a->body = copy;
    a->from = 0;
}

static void spoil(struct s3_answer *a, const struct s3server_rule *r)
{
    if (r->act == S3SERVER_FLIP_ANSWER && a->body != NULL && !a->is_head) {
        own_body(a);
        flip(a->body->p, a->len, r->at);
    }
    if (r->act == S3SERVER_WRONG_ETAG) {
        uint8_t *etag =
            a->headers.len == 0
                ? NULL
                : memmem(a->headers.p, a->headers.len, "ETag: \"", 7);
        if (etag != NULL)
            etag[7] = etag[7] == '0' ? '1' : '0';
    }
}

static void deliver(struct line *l, struct s3_answer *a,
                    const struct s3server_rule *r)
{
    AUTO_BUF struct buf head = buf_init(256u << 10);

    spoil(a, r);
    if (r->act == S3SERVER_LOSE_ANSWER) {
        reset(l);
        return;
    }
    if (r->act == S3SERVER_CLOSE_ANSWER) {
        cut(l);
        return;
    }
    if (r->act == S3SERVER_NOT_HTTP) {
        send_all(l, "SSH-2.0-OpenSSH_9.2\r\n", 21);
        cut(l);
        return;
    }
    if (r->act == S3SERVER_STALL_ANSWER && !s3server_pause(l->s, r->ms)) {
        cut(l);
        return;
    }
    write_head(l, a, r, &head);
    if (r->act == S3SERVER_RESET_ANSWER_HEAD) {
        send_all(l, head.p, head.len / 2);
        reset(l);
        return;
    }
    if (send_all(l, head.p, head.len) && a->body != NULL && !a->is_head)
        send_body(l, a, r);
    else if (r->act == S3SERVER_NO_LENGTH || r->act == S3SERVER_NO_LENGTH_CUT)
        cut(l);
}

static void reply(struct s3_answer *a, const struct s3_request *q,
                  const struct s3server_rule *r)
{
    AUTO_BUF struct buf page = buf_init(4096);

    buf_reset(&a->headers);
    s3server_blob_unref(a->body);
    a->body = NULL;
    a->from = a->len = 0;
    a->is_head = false;
    a->status = r->status;
    if (r->headers != NULL)
        buf_append_str(&a->headers, r->headers);
    if (r->code != NULL) {
        s3server_error(a, q, r->status, r->code,
                       r->message != NULL ? r->message : r->code, NULL);
    } else if (r->status >= 300 && strcmp(q->method, "HEAD") != 0) {
        buf_append_str(&page, "<html>a gateway's own page</html>");
        s3server_xml(a, &page);
    }
}

/* Counts; *n is the number of those that run. */
static void count(struct s3server *s, const char *op)
{
    size_t i = 0;

    pthread_mutex_lock(&s->lock);
    s->counts.requests++;
    s->running++;
    if (s->running > s->counts.peak)
        s->counts.peak = s->running;
    while (i < S3SERVER_OPS && s->tally[i].op != NULL &&
           strcmp(s->tally[i].op, op) != 0)
        i++;
    if (i < S3SERVER_OPS) {
        s->tally[i].op = op;
        s->tally[i].n++;
    }
    pthread_mutex_unlock(&s->lock);
}

static void uncount(struct s3server *s)
{
    pthread_mutex_lock(&s->lock);
    s->running--;
    pthread_mutex_unlock(&s->lock);
}

/* The request's body.  False: the connection ends. */
static bool take_body(struct line *l, struct s3_request *q,
                      const struct s3server_rule *r)
{
    const char *length = s3server_header(q, "content-length");
    const char *expect = s3server_header(q, "expect");
    uint64_t n = length == NULL ? 0 : strtoull(length, NULL, 10);

    if (n > BODY_MAX || s3server_header(q, "transfer-encoding") != NULL) {
        cut(l);
        return false;
    }
    if (r->act == S3SERVER_RESET_HEAD) {
        reset(l);
        return false;
    }
    if (expect != NULL && strcasecmp(expect, "100-continue") == 0 &&
        !send_all(l, "HTTP/1.1 100 Continue\r\n\r\n", 25))
        return false;
    q->body = s3server_blob_new(NULL, (size_t)n);
    if (r->act == S3SERVER_RESET_UPLOAD) {
        read_body(l, q->body->p, least(r->at, (size_t)n));
        reset(l);
        return false;
    }
    if (!read_body(l, q->body->p, (size_t)n)) {
        cut(l);
        return false;
    }
    return true;
}

static bool is_reply(const struct s3server_rule *r)
{
    return r->act == S3SERVER_REPLY || r->act == S3SERVER_REPLY_AFTER;
}

/* A request with its body.  True: to be repeated later. */
static bool answer(struct line *l, struct s3_request *q,
                   const struct s3server_rule *r, bool ruled)
{
    struct s3_answer a = { .headers = buf_init(64u << 10) };

    snprintf(a.request_id, sizeof a.request_id, "%016" PRIX64,
             s3server_next_id(l->s));
    if (ruled && r->act == S3SERVER_RESET_BEFORE) {
        reset(l);
        return false;
    }
    if (ruled && r->act == S3SERVER_DELAY && !s3server_pause(l->s, r->ms)) {
        cut(l);
        return false;
    }
    if (ruled && r->act == S3SERVER_FLIP_REQUEST)
        flip(q->body->p, q->body->len, r->at);
    if (!ruled || r->act != S3SERVER_REPLY)
        s3server_execute(l->s, q, &a);
    if (ruled && is_reply(r))
        reply(&a, q, r);
    deliver(l, &a, r);
    buf_free(&a.headers);
    s3server_blob_unref(a.body);
    return ruled && r->act == S3SERVER_TWICE;
}

static void one(struct line *l)
{
    char *head = read_head(l);
    struct s3_request *q = head == NULL ? NULL : s3server_alloc(sizeof *q);
    struct s3server_rule r = { .act = S3SERVER_DELAY };

    if (q == NULL) {
        cut(l);
        return;
    }
    if (!s3server_parse(l->s, q, head)) {
        send_all(l, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                 47);
        cut(l);
        s3server_request_free(q);
        free(q);
        return;
    }
    count(l->s, q->op);
    const char *connection = s3server_header(q, "connection");
    if (connection != NULL && strcasecmp(connection, "close") == 0)
        cut(l);
    bool ruled = s3server_match(l->s, q, &r);
    bool again = take_body(l, q, &r) && answer(l, q, &r, ruled);
    uncount(l->s);
    if (again) {
        s3server_repeat(l->s, q, r.ms);
    } else {
        s3server_request_free(q);
        free(q);
    }
    s3server_rule_free(&r);
}

void s3server_serve(struct s3server *s, struct s3_worker *w, int fd)
{
    const struct linger hard = { 1, 0 };
    struct line *l = s3server_alloc(sizeof *l);

    l->s = s;
    l->fd = fd;
    l->open = true;
    while (l->open)
        one(l);
    pthread_mutex_lock(&s->lock);
    w->fd = -1;
    pthread_mutex_unlock(&s->lock);
    if (l->reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
    free(l);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Objects as a whole: put, get, head, delete.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/utc.h"
#include "tests/s3server/impl.h"

#define META_MAX 2048

/* The etag of a condition, with or without quotes. */
static bool same_etag(const char *condition, const char *etag)
{
    size_t n = strlen(etag);

    if (strcmp(condition, "*") == 0)
        return true;
    condition += *condition == '"' ? 1 : 0;
    return strncmp(condition, etag, n) == 0 &&
           (condition[n] == '\0' || condition[n] == '"');
}

static bool may_put(struct s3_work *w)
{
    const struct s3_version *is =
        s3server_newest(s3server_find(w->b, w->q->key));
    const char *absent = s3server_header(w->q, "if-none-match");
    const char *match = s3server_header(w->q, "if-match");
    bool there = is != NULL && !is->marker;

    if (absent != NULL && strcmp(absent, "*") != 0) {
        s3server_fail(w, 501, "NotImplemented",
                      "A header you provided implies functionality that is "
                      "not implemented");
        return false;
    }
    if (match != NULL && !there) {
        s3server_fail(w, 404, "NoSuchKey", "The specified key does not exist.");
        return false;
    }
    if ((absent != NULL && there) ||
        (match != NULL && !same_etag(match, is->etag))) {
        s3server_fail(w, 412, "PreconditionFailed",
                      "At least one of the pre-conditions you specified did "
                      "not hold");
        return false;
    }
    return true;
}

/* What comes back with the object. */
static bool take_headers(struct s3_work *w, struct s3_version *v)
{
    AUTO_BUF struct buf lines = buf_init(16u << 10);
    size_t meta = 0;

    for (size_t i = 0; i < w->q->nheaders; i++) {
        const struct s3_header *h = &w->q->headers[i];
        bool own = strncmp(h->name, "x-amz-meta-", 11) == 0;
        if (own)
            meta += strlen(h->name) - 11 + strlen(h->value);
        if (own || strcmp(h->name, "content-type") == 0)
            buf_printf(&lines, "%s: %s\r\n", h->name, h->value);
    }
    if (meta > META_MAX) {
        s3server_fail(w, 400, "MetadataTooLarge",
                      "Your metadata headers exceed the maximum allowed "
                      "metadata size");
        return false;
    }
    v->headers = s3server_copy(buf_cstr(&lines));
    return true;
}

static void add_version_id(struct s3_work *w, const struct s3_version *v)
{
    if (w->b->versioning != S3SERVER_NEVER)
        buf_printf(&w->a->headers, "x-amz-version-id: %s\r\n", v->id);
}

void s3server_put_object(struct s3_work *w)
{
    struct s3_lock lock = { 0 };
    uint8_t md5[DIGEST_MD5_BYTES];
    struct err e;

    if (s3server_header(w->q, "x-amz-copy-source") != NULL) {
        s3server_fail(w, 501, "NotImplemented", "no copies here");
        return;
    }
    if (!may_put(w) || !s3server_lock_of_put(w, &lock))
        return;
    struct s3_version *v = s3server_alloc(sizeof *v);
    if (!take_headers(w, v)) {
        free(v);
        return;
    }
    if (digest_md5(span_of(w->q->body->p, w->q->body->len), md5, &e) < 0)
        abort();
    digest_hex(span_of(md5, sizeof md5), v->etag);
    v->body = s3server_blob_ref(w->q->body);
    v->checksum = s3server_copy(w->checksum);
    v->modified = s3server_now(w->s);
    v->lock = lock;
    s3server_shelve(w->s, w->b, w->q->key, v);
    buf_printf(&w->a->headers, "ETag: \"%s\"\r\n%s", v->etag, v->checksum);
    add_version_id(w, v);
}

static void add_info(struct s3_work *w, const struct s3_version *v)
{
    const char *mode = s3server_header(w->q, "x-amz-checksum-mode");
    struct buf *h = &w->a->headers;
    char text[UTC_HTTP_CHARS], until[UTC_ISO_CHARS];

    utc_format_http(v->modified, text);
    buf_printf(h, "ETag: \"%s\"\r\nLast-Modified: %s\r\n", v->etag, text);
    buf_printf(h, "Accept-Ranges: bytes\r\n%s", v->headers);
    if (mode != NULL && strcasecmp(mode, "ENABLED") == 0 && w->a->status == 200)
        buf_append_str(h, v->checksum);
    add_version_id(w, v);
    if (v->lock.mode != S3_MODE_NONE) {
        utc_format_iso(v->lock.until, until);
        buf_printf(h,
                   "x-amz-object-lock-mode: %s\r\n"
                   "x-amz-object-lock-retain-until-date: %.19s.000Z\r\n",
                   s3server_mode_name(v->lock.mode), until);
    }
    if (v->lock.hold)
        buf_append_str(h, "x-amz-object-lock-legal-hold: ON\r\n");
}

/* "bytes=2-4", "5-", "-3".  False: none, or one that is to be ignored. */
static bool read_range(const char *text, uint64_t size, uint64_t *from,
                       uint64_t *to)
{
    char *end;

    if (text == NULL || strncmp(text, "bytes=", 6) != 0 ||
        strchr(text, ',') != NULL)
        return false;
    text += 6;
    if (*text == '-') {
        uint64_t n = strtoull(text + 1, &end, 10);
        *from = n < size ? size - n : 0;
        *to = n == 0 ? 0 : size;
        if (n == 0)
            *from = size; /* nothing: not satisfiable */
        return *end == '\0';
    }
    *from = strtoull(text, &end, 10);
    if (end == text || *end != '-')
        return false;
    text = end + 1;
    *to = size;
    if (*text != '\0') {
        uint64_t last = strtoull(text, &end, 10);
        if (*end != '\0' || last < *from)
            return false;
        *to = last < size ? last + 1 : size;
    }
    return true;
}

static bool conditions_hold(struct s3_work *w, const struct s3_version *v)
{
    const char *match = s3server_header(w->q, "if-match");
    const char *none = s3server_header(w->q, "if-none-match");

    if (match != NULL && !same_etag(match, v->etag)) {
        s3server_fail(w, 412, "PreconditionFailed",
                      "At least one of the pre-conditions you specified did "
                      "not hold");
        return false;
    }
    if (none != NULL && same_etag(none, v->etag)) {
        w->a->status = 304;
        return false;
    }
    return true;
}

void s3server_get_object(struct s3_work *w)
{
    uint64_t from = 0, to;
    struct s3_version *v = s3server_target(w);

    if (v == NULL || !conditions_hold(w, v))
        return;
    to = v->body->len;
    if (read_range(s3server_header(w->q, "range"), v->body->len, &from, &to)) {
        if (from >= v->body->len) {
            buf_printf(&w->a->headers, "Content-Range: bytes */%zu\r\n",
                       v->body->len);
            s3server_fail(w, 416, "InvalidRange",
                          "The requested range is not satisfiable");
            return;
        }
        w->a->status = 206;
        buf_printf(&w->a->headers,
                   "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%zu\r\n", from,
                   to - 1, v->body->len);
    } else {
        from = 0;
        to = v->body->len;
    }
    add_info(w, v);
    w->a->body = s3server_blob_ref(v->body);
    w->a->from = (size_t)from;
    w->a->len = (size_t)(to - from);
    w->a->is_head = strcmp(w->q->method, "HEAD") == 0;
}

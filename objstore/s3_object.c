// SPDX-License-Identifier: Apache-2.0
/*
 * S3 driver: objects as a whole.  What an answer claims about lengths and
 * ranges is held against what came.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/utc.h"
#include "objstore/s3.h"
#include "objstore/xml.h"

/* Texts of a PUT's headers, which live as long as its call. */
struct put_text {
    bool crc32c; /* the checksum is one, and the body is not signed */
    char sha256[OBJ_SIGV4_HEX_CHARS];
    char checksum[48];
    char until[UTC_ISO_CHARS];
};

static void add_lock(struct obj_s3_call *c, const struct obj_lock *lock,
                     struct put_text *t)
{
    if (lock->mode != OBJ_LOCK_NONE) {
        utc_format_iso(lock->until, t->until);
        obj_s3_call_header(c, "x-amz-object-lock-mode",
                           lock->mode == OBJ_LOCK_COMPLIANCE ? "COMPLIANCE"
                                                             : "GOVERNANCE");
        obj_s3_call_header(c, "x-amz-object-lock-retain-until-date", t->until);
    }
    /* Only where wanted: even OFF makes some servers forget the bucket's
     * default retention. */
    if (lock->legal_hold)
        obj_s3_call_header(c, "x-amz-object-lock-legal-hold", "ON");
}

/* One hash over the body, in the header that the server verifies; two checksum
 * headers at once would be refused. */
static int add_checksum(struct obj_s3_call *c, const struct obj_put_opts *o,
                        struct put_text *t, struct err *e)
{
    uint8_t digest[DIGEST_SHA256_BYTES];
    bool locked = o->lock.mode != OBJ_LOCK_NONE || o->lock.legal_hold;

    /* if_absent cannot be sent again with another protection: the object of
     * the first time would be in its way. */
    t->crc32c = o->bulk && !o->if_absent &&
                c->s3->payload == OBJ_PAYLOAD_CRC32C &&
                !atomic_load(&c->s3->sign_bulk);
    if (t->crc32c) {
        uint32_t crc = digest_crc32c(c->body);
        const uint8_t bytes[4] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16),
                                   (uint8_t)(crc >> 8), (uint8_t)crc };
        digest_base64(span_of(bytes, sizeof bytes), t->checksum);
        obj_s3_call_header(c, "x-amz-checksum-crc32c", t->checksum);
        c->payload = OBJ_SIGV4_UNSIGNED;
        return 0;
    }
    if (digest_sha256(c->body, digest, e) < 0)
        return -1;
    digest_hex(span_of(digest, sizeof digest), t->sha256);
    c->payload = t->sha256;
    /* Amazon wants a checksum where a lock applies, be it by a default of the
     * bucket, and the signed hash does not count as one.  Others may not know
     * the header: they get it only with a lock, or when they ask for it. */
    if (locked || c->s3->aws || atomic_load(&c->s3->wants_checksum)) {
        digest_base64(span_of(digest, sizeof digest), t->checksum);
        obj_s3_call_header(c, "x-amz-checksum-sha256", t->checksum);
    }
    return 0;
}

/* A server that checks a checksum repeats it in its answer; one that does not
 * know the header may have stored anything.  Others refuse what is not signed,
 * by themselves or by a policy.  Both get signed bodies, this one first. */
static void learn_checksum(const struct obj_s3_call *c, const char *sent)
{
    struct obj_s3 *s3 = c->s3;
    struct obj_attempt *a = c->a;
    bool refused = a->outcome == OBJ_REJECTED || a->outcome == OBJ_FORBIDDEN ||
                   a->outcome == OBJ_UNABLE;

    if (a->outcome == OBJ_OK) {
        const char *taken = obj_http_header(c->http, "x-amz-checksum-crc32c");
        if (taken != NULL && strcmp(taken, sent) == 0) {
            atomic_store(&s3->takes_crc32c, true);
            return;
        }
    } else if (!refused || atomic_load(&s3->takes_crc32c)) {
        return;
    }
    if (!atomic_exchange(&s3->sign_bulk, true))
        log_info("s3",
                 "%s: no sign that CRC-32C checksums are verified (%d %s): "
                 "bodies are signed from now on",
                 s3->bucket, a->http, a->code);
    a->outcome = OBJ_DIGEST;
    obj_xml_copy(a->message, sizeof a->message,
                 "the server did not show that it verified the checksum");
}

/* The bucket's default retention makes a server want a checksum that it did
 * not get: from now on it does.  The same put, tried again, has one. */
static void learn_demand(struct obj_s3_call *c, const struct put_text *t)
{
    if (t->checksum[0] != '\0' || c->a->http != 400 ||
        strcasestr(c->a->message, "x-amz-checksum-") == NULL)
        return;
    atomic_store(&c->s3->wants_checksum, true);
    c->a->outcome = OBJ_CONFLICT;
}

void obj_s3_put(void *self, const struct obj_req *r, struct span body,
                const struct obj_put_opts *o, struct obj_info *info,
                struct obj_attempt *a)
{
    static const struct obj_put_opts plain = { 0 };
    struct obj_info answer;
    struct put_text text = { 0 };
    char nonce[sizeof a->nonce];
    struct err e;

    if (o == NULL)
        o = &plain;
    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, self, r, r->key, OBJ_PUT, "PUT", a);
    c.body = body;
    c.has_body = true;
    c.if_absent = o->if_absent;
    obj_s3_call_header(&c, "content-type",
                       o->content_type == NULL ? "application/octet-stream"
                                               : o->content_type);
    if (o->if_absent)
        obj_s3_call_header(&c, "if-none-match", "*");
    if (a->nonce[0] != '\0') {
        memcpy(nonce, a->nonce, sizeof nonce);
        obj_s3_call_header(&c, OBJ_S3_NONCE_HEADER, nonce);
    }
    add_lock(&c, &o->lock, &text);
    if (add_checksum(&c, o, &text, &e) < 0) {
        obj_s3_fail(a, &e);
        return;
    }
    obj_s3_send(&c);
    if (text.crc32c)
        learn_checksum(&c, text.checksum);
    else
        learn_demand(&c, &text);
    if (a->outcome != OBJ_OK || !obj_s3_info(&c, &answer))
        return;
    answer.size = body.len;
    if (info != NULL)
        *info = answer;
}

/* A refused HEAD has no body that could say why, and a clock to be set, a token
 * to be renewed and a missing right all look alike.  A GET of one byte says it.
 */
static void ask_why(struct obj_s3 *s3, const struct obj_req *r,
                    struct obj_attempt *a)
{
    AUTO_BUF struct buf out = buf_init(1);
    struct obj_attempt ask = obj_s3_further(a);

    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, s3, r, r->key, OBJ_GET, "GET", &ask);
    if (r->version != NULL)
        obj_s3_call_query(&c, "versionId", r->version);
    obj_s3_call_header(&c, "range", "bytes=0-0");
    c.out = &out;
    if (obj_s3_send(&c) || ask.code[0] == '\0')
        return;
    ask.verb = a->verb;
    *a = ask;
}

void obj_s3_head(void *self, const struct obj_req *r, struct obj_info *info,
                 struct obj_attempt *a)
{
    struct obj_info answer;

    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, self, r, r->key, OBJ_HEAD, "HEAD", a);
    if (r->version != NULL)
        obj_s3_call_query(&c, "versionId", r->version);
    a->nonce[0] = '\0';
    if (!obj_s3_send(&c)) {
        if (a->code[0] == '\0' &&
            (a->outcome == OBJ_FORBIDDEN ||
             (a->outcome == OBJ_REJECTED && a->http == 400)))
            ask_why(self, r, a);
        return;
    }
    if (!obj_s3_info(&c, &answer))
        return;
    if (!obj_http_length(c.http, &answer.size)) {
        a->outcome = OBJ_NETWORK;
        obj_xml_copy(a->message, sizeof a->message,
                     "the answer does not say the object's length");
        return;
    }
    const char *nonce = obj_http_header(c.http, OBJ_S3_NONCE_HEADER);
    if (nonce != NULL && strlen(nonce) < sizeof a->nonce)
        memcpy(a->nonce, nonce, strlen(nonce) + 1);
    if (info != NULL)
        *info = answer;
}

/* Takes a number and the character behind it off *text. */
static bool take_number(const char **text, char behind, uint64_t *out)
{
    char *end = NULL;

    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    *out = strtoull(*text, &end, 10);
    if (errno != 0 || *end != behind)
        return false;
    *text = end + (behind != '\0');
    return true;
}

/* "bytes 0-9/100" */
static bool parse_content_range(const char *text, uint64_t *first,
                                uint64_t *last, uint64_t *total)
{
    static const char unit[] = "bytes ";

    if (text == NULL || strncmp(text, unit, sizeof unit - 1) != 0)
        return false;
    text += sizeof unit - 1;
    return take_number(&text, '-', first) && take_number(&text, '/', last) &&
           take_number(&text, '\0', total) && *first <= *last && *last < *total;
}

/* Did the server send the part that was asked for? */
static int check_range(const struct obj_s3_call *c,
                       const struct obj_range *range, uint64_t got,
                       uint64_t *total, struct err *e)
{
    const char *text = obj_http_header(c->http, "content-range");
    uint64_t first, last;

    if (c->a->http != 206)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "the server does not send parts of objects");
    if (!parse_content_range(text, &first, &last, total))
        return err_set(e, ERR_CORRUPT, 0,
                       "the answer's content-range makes no sense: \"%.60s\"",
                       text == NULL ? "" : text);
    uint64_t want = *total - first;
    if (range->len != 0 && range->len < want)
        want = range->len;
    if (first != range->offset || last - first + 1 != want || got != want)
        return err_set(e, ERR_CORRUPT, 0,
                       "asked for %" PRIu64 " bytes at %" PRIu64
                       ", got %" PRIu64 " bytes of \"%.60s\"",
                       range->len, range->offset, got, text);
    return 0;
}

static int check_whole(const struct obj_s3_call *c, uint64_t got,
                       struct obj_info *info, struct err *e)
{
    if (c->a->http != 200)
        return err_set(e, ERR_CORRUPT, 0,
                       "asked for the whole object, got an answer %d",
                       c->a->http);
    info->size = got;
    return 0;
}

static bool get_answer(struct obj_s3_call *c, const struct obj_range *range,
                       uint64_t got, struct obj_info *info)
{
    uint64_t length;
    struct err e;

    if (!obj_s3_info(c, info))
        return false;
    if (!obj_http_length(c->http, &length) || length != got) {
        c->a->outcome = OBJ_NETWORK;
        obj_xml_copy(c->a->message, sizeof c->a->message,
                     "the answer does not say the object's length");
        return false;
    }
    int r = range == NULL ? check_whole(c, got, info, &e)
                          : check_range(c, range, got, &info->size, &e);
    if (r < 0)
        return obj_s3_fail(c->a, &e);
    return true;
}

/* No part of an object can be had, not even its first byte: it has none. */
static bool empty_answer(struct obj_s3_call *c, struct obj_info *info)
{
    c->a->outcome = OBJ_OK;
    c->a->code[0] = '\0';
    c->a->message[0] = '\0';
    return obj_s3_info(c, info);
}

/* False: no object is that long.  Servers keep positions in 63 bits and take a
 * range that has more for none at all. */
static bool range_text(const struct obj_range *range, char *out, size_t cap)
{
    if (range->offset > INT64_MAX)
        return false;
    if (range->len == 0 || range->len > (uint64_t)INT64_MAX - range->offset)
        snprintf(out, cap, "bytes=%" PRIu64 "-", range->offset);
    else
        snprintf(out, cap, "bytes=%" PRIu64 "-%" PRIu64, range->offset,
                 range->offset + range->len - 1);
    return true;
}

void obj_s3_get(void *self, const struct obj_req *r,
                const struct obj_range *range, struct buf *out,
                struct obj_info *info, struct obj_attempt *a)
{
    size_t before = out->len;
    struct obj_info answer;
    char bytes[64];

    if (range != NULL && range->offset == 0 && range->len == 0)
        range = NULL;
    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, self, r, r->key, OBJ_GET, "GET", a);
    if (r->version != NULL)
        obj_s3_call_query(&c, "versionId", r->version);
    if (range != NULL) {
        if (!range_text(range, bytes, sizeof bytes)) {
            a->outcome = OBJ_REJECTED;
            obj_xml_copy(a->message, sizeof a->message,
                         "the range begins behind 2^63");
            return;
        }
        obj_s3_call_header(&c, "range", bytes);
    }
    c.out = out;
    c.expect_bytes =
        range != NULL && range->len > 0 ? range->len : (uint64_t)OBJ_BODY_MAX;
    bool good = obj_s3_send(&c);
    if (good)
        good = get_answer(&c, range, out->len - before, &answer);
    else if (a->http == 416 && range != NULL && range->offset == 0)
        good = empty_answer(&c, &answer);
    if (!good) {
        /* The next attempt begins where this one did. */
        out->len = before;
        return;
    }
    if (info != NULL)
        *info = answer;
}

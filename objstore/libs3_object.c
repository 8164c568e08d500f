// SPDX-License-Identifier: Apache-2.0
/*
 * Driver libs3: objects.  libs3's word for "done" is never enough: it takes a
 * body that was cut for a whole one, a PUT that was refused without a text for
 * a good one, and one that succeeded for a lost one, by turns.
 */
#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "objstore/libs3.h"
#include "objstore/xml.h"

#define MD5_DIGITS ((size_t)2 * DIGEST_MD5_BYTES)

/* True, and info filled, where the object is there. */
static bool look(struct obj_libs3 *s, const struct obj_req *r,
                 struct obj_info *info, char *nonce, size_t nonce_cap,
                 struct obj_attempt *a)
{
    struct obj_libs3_call c =
        obj_libs3_call_of(s, r, OBJ_LIBS3_HEAD, true, OBJ_HEAD, a);

    if (obj_libs3_send(&c)) {
        if (nonce != NULL)
            obj_xml_copy(nonce, nonce_cap, c.r.nonce);
        return obj_libs3_info(&c.r, info, a);
    }
    if (a->outcome != OBJ_ABSENT)
        return false;
    /* A HEAD's refusal has no text: the key's absence, or the bucket's? */
    struct obj_libs3_call bucket =
        obj_libs3_call_of(s, r, OBJ_LIBS3_HEAD, false, OBJ_BUCKET, a);
    if (obj_libs3_send(&bucket) || a->outcome == OBJ_FORBIDDEN) {
        a->http = 404;
        a->message[0] = '\0';
        a->outcome = OBJ_ABSENT;
    }
    return false;
}

void obj_libs3_head(void *self, const struct obj_req *r, struct obj_info *info,
                    struct obj_attempt *a)
{
    struct obj_info answer = { 0 };
    char nonce[64] = "";

    a->verb = OBJ_HEAD;
    a->nonce[0] = '\0';
    if (!obj_libs3_can_send(r, a) ||
        !look(self, r, &answer, nonce, sizeof nonce, a))
        return;
    if (strlen(nonce) < sizeof a->nonce)
        memcpy(a->nonce, nonce, strlen(nonce) + 1);
    if (info != NULL)
        *info = answer;
}

static bool is_md5(const char *etag)
{
    return strlen(etag) == MD5_DIGITS &&
           strspn(etag, "0123456789abcdef") == MD5_DIGITS;
}

/* After a PUT that libs3 thinks well of, or of which it saw no answer: what
 * does the server have? */
static void confirm(struct obj_libs3 *s, const struct obj_req *r, uint64_t size,
                    const char *md5, struct obj_info *info,
                    struct obj_attempt *a)
{
    const struct obj_attempt put = *a;
    struct obj_info got;

    if (!look(s, r, &got, NULL, 0, a)) {
        if (a->outcome != OBJ_ABSENT) {
            a->maybe_done = true;
            return;
        }
    } else if (got.size == size && strcmp(got.etag, md5) == 0) {
        a->maybe_done = false;
        if (info != NULL)
            *info = got;
        return;
    } else if (got.size == size && !is_md5(got.etag)) {
        obj_libs3_end(a, OBJ_UNABLE,
                      "the server's ETags are no MD5: whether it stores what "
                      "libs3 sends cannot be known");
        return;
    }
    uint64_t sent = a->sent, received = a->received;
    *a = put;
    a->sent = sent;
    a->received = received;
    if (put.outcome == OBJ_OK) {
        a->http = 0;
        obj_libs3_end(a, OBJ_UNAVAIL,
                      "the server took it and does not have it");
    }
}

void obj_libs3_put(void *self, const struct obj_req *r, struct span body,
                   const struct obj_put_opts *o, struct obj_info *info,
                   struct obj_attempt *a)
{
    static const struct obj_put_opts plain = { 0 };
    uint8_t digest[DIGEST_MD5_BYTES];
    char base64[4 * ((DIGEST_MD5_BYTES + 2) / 3) + 1];
    char hex[MD5_DIGITS + 1];
    struct err e;

    a->verb = OBJ_PUT;
    if (o == NULL)
        o = &plain;
    if (!obj_libs3_can_send(r, a))
        return;
    if (o->if_absent || o->lock.mode != OBJ_LOCK_NONE || o->lock.legal_hold) {
        obj_libs3_end(a, OBJ_UNABLE,
                      "driver libs3 has neither conditions nor locks");
        return;
    }
    if (digest_md5(body, digest, &e) < 0) {
        obj_libs3_fail(a, &e);
        return;
    }
    digest_hex(span_of(digest, sizeof digest), hex);
    digest_base64(span_of(digest, sizeof digest), base64);
    struct obj_libs3_call c =
        obj_libs3_call_of(self, r, OBJ_LIBS3_PUT, true, OBJ_PUT, a);
    c.q.body = body.p;
    c.q.body_len = body.len;
    c.q.md5 = base64;
    c.q.content_type =
        o->content_type == NULL ? "application/octet-stream" : o->content_type;
    bool good = obj_libs3_send(&c);
    bool unknown = c.r.end == OBJ_LIBS3_DONE && a->outcome == OBJ_NETWORK &&
                   strcmp(c.r.status, "ConnectionFailed") == 0 &&
                   c.r.sent == body.len;
    if (good || unknown)
        confirm(self, r, body.len, hex, info, a);
}

static bool get_body(struct obj_libs3 *s, const struct obj_req *r,
                     const struct obj_range *range, struct buf *out,
                     struct obj_info *info, struct obj_attempt *a)
{
    struct obj_libs3_call c =
        obj_libs3_call_of(s, r, OBJ_LIBS3_GET, true, OBJ_GET, a);

    if (range != NULL) {
        c.q.offset = range->offset;
        c.q.len = range->len;
    }
    c.out = out;
    if (!obj_libs3_send(&c))
        return false;
    if (c.got != c.r.length)
        return obj_libs3_end(a, OBJ_NETWORK,
                             c.r.length == 0
                                 ? "the answer does not say the object's length"
                                 : "the body ended early");
    return obj_libs3_info(&c.r, info, a);
}

/* A part.  libs3 shows neither 206 nor Content-Range, so the size is asked
 * first: what comes must be as long as that part, of that object. */
static bool get_part(struct obj_libs3 *s, const struct obj_req *r,
                     const struct obj_range *range, struct buf *out,
                     struct obj_info *info, struct obj_attempt *a)
{
    size_t before = out->len;
    struct obj_info whole = { 0 }, part = { 0 };
    struct err e;

    if (!look(s, r, &whole, NULL, 0, a))
        return false;
    if (range->offset == 0 && whole.size == 0) {
        *info = whole;
        return true;
    }
    if (range->offset >= whole.size) {
        a->http = 416;
        return obj_libs3_end(a, OBJ_REJECTED, "the object ends before");
    }
    uint64_t left = whole.size - range->offset;
    const struct obj_range exact = {
        .offset = range->offset,
        .len = range->len != 0 && range->len < left ? range->len : left,
    };
    if (!get_body(s, r, &exact, out, &part, a))
        return false;
    if (strcmp(part.etag, whole.etag) != 0)
        return obj_libs3_end(a, OBJ_CONFLICT, "the object changed meanwhile");
    if (part.size != exact.len) {
        err_set(&e, ERR_UNSUPPORTED, 0,
                "asked for %" PRIu64 " bytes at %" PRIu64 ", got %" PRIu64
                ": the server does not send parts of objects",
                exact.len, exact.offset, part.size);
        out->len = before;
        return obj_libs3_fail(a, &e);
    }
    *info = whole;
    return true;
}

void obj_libs3_get(void *self, const struct obj_req *r,
                   const struct obj_range *range, struct buf *out,
                   struct obj_info *info, struct obj_attempt *a)
{
    size_t before = out->len;
    struct obj_info answer = { 0 };

    a->verb = OBJ_GET;
    if (!obj_libs3_can_send(r, a))
        return;
    bool part = range != NULL && (range->offset != 0 || range->len != 0);
    bool good = part ? get_part(self, r, range, out, &answer, a)
                     : get_body(self, r, NULL, out, &answer, a);
    if (!good) {
        out->len = before;
        return;
    }
    if (info != NULL)
        *info = answer;
}

void obj_libs3_remove(void *self, const struct obj_req *r, bool bypass,
                      struct obj_attempt *a)
{
    (void)bypass; /* lifts locks, which there are none of */
    a->verb = OBJ_DELETE;
    if (!obj_libs3_can_send(r, a))
        return;
    struct obj_libs3_call c =
        obj_libs3_call_of(self, r, OBJ_LIBS3_DELETE, true, OBJ_DELETE, a);
    if (!obj_libs3_send(&c) && a->outcome == OBJ_ABSENT)
        a->outcome = OBJ_OK;
}

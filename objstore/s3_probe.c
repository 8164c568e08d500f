// SPDX-License-Identifier: Apache-2.0
/*
 * S3 driver: the wrong requests of probe.h.
 */
#include "base/digest.h"
#include "objstore/s3.h"

#define OTHER_BODY "another body than the one that is sent"

/* Texts of a request's headers, which live as long as its call. */
struct guard_text {
    char sha256[OBJ_SIGV4_HEX_CHARS];
    char checksum[48];
};

static void crc32c_text(struct span of, char *out)
{
    uint32_t crc = digest_crc32c(of);
    const uint8_t bytes[4] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16),
                               (uint8_t)(crc >> 8), (uint8_t)crc };

    digest_base64(span_of(bytes, sizeof bytes), out);
}

static int add_guard(struct obj_s3_call *c, const struct obj_probe *how,
                     struct guard_text *t, struct err *e)
{
    struct span of =
        how->wrong ? span_of(OTHER_BODY, sizeof OTHER_BODY - 1) : c->body;
    uint8_t digest[DIGEST_SHA256_BYTES];

    c->payload = OBJ_SIGV4_UNSIGNED;
    switch (how->guard) {
    case OBJ_PROBE_SIGNED:
        if (digest_sha256(of, digest, e) < 0)
            return -1;
        digest_hex(span_of(digest, sizeof digest), t->sha256);
        c->payload = t->sha256;
        return 0;
    case OBJ_PROBE_CRC32C:
        crc32c_text(of, t->checksum);
        obj_s3_call_header(c, "x-amz-checksum-crc32c", t->checksum);
        return 0;
    case OBJ_PROBE_MD5:
        if (digest_md5(of, digest, e) < 0)
            return -1;
        digest_base64(span_of(digest, DIGEST_MD5_BYTES), t->checksum);
        obj_s3_call_header(c, "content-md5", t->checksum);
        return 0;
    case OBJ_PROBE_SHA256:
        if (digest_sha256(of, digest, e) < 0)
            return -1;
        digest_base64(span_of(digest, sizeof digest), t->checksum);
        obj_s3_call_header(c, "x-amz-checksum-sha256", t->checksum);
        return 0;
    }
    return err_set(e, ERR_INTERNAL, 0, "no such guard: %d", (int)how->guard);
}

void obj_s3_probe_put(void *self, const struct obj_req *r, struct span body,
                      const struct obj_probe *how, struct obj_attempt *a)
{
    struct guard_text text;
    struct err e;

    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, self, r, r->key, OBJ_PUT, "PUT", a);
    c.body = body;
    c.has_body = true;
    c.region = how->region;
    a->clock_offset -= how->signed_ago_s;
    obj_s3_call_header(&c, "content-type", "application/octet-stream");
    if (add_guard(&c, how, &text, &e) < 0)
        obj_s3_fail(a, &e);
    else
        obj_s3_send(&c);
}

void obj_s3_probe_unlock(void *self, const struct obj_req *r,
                         struct obj_attempt *a)
{
    AUTO_BUF struct buf xml = buf_init(256);

    buf_append_str(&xml, "<Retention xmlns=\"http://s3.amazonaws.com/doc/"
                         "2006-03-01/\"></Retention>");
    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, self, r, r->key, OBJ_RETENTION, "PUT", a);
    obj_s3_call_query(&c, "retention", "");
    if (r->version != NULL)
        obj_s3_call_query(&c, "versionId", r->version);
    obj_s3_call_header(&c, OBJ_S3_BYPASS_HEADER, "true");
    if (obj_s3_call_xml(&c, &xml))
        obj_s3_send(&c);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * S3 driver: what a bucket is, and making one.
 */
#include <string.h>

#include "objstore/s3.h"
#include "objstore/xml.h"

/* Servers without versions or locks say so in several ways. */
static bool is_not_known(const struct obj_attempt *a)
{
    return a->outcome == OBJ_UNABLE || a->http == 405 ||
           strcmp(a->code, "ObjectLockConfigurationNotFoundError") == 0 ||
           strcmp(a->code, "NoSuchObjectLockConfiguration") == 0 ||
           strcmp(a->code, "NoSuchLifecycleConfiguration") == 0;
}

/* GET of a setting.  True with an empty xml: it was never made. */
static bool ask(struct obj_s3 *s3, const struct obj_req *r, const char *what,
                struct buf *xml, struct obj_attempt *a)
{
    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, s3, r, NULL, OBJ_BUCKET, "GET", a);
    obj_s3_call_query(&c, what, "");
    c.out = xml;
    if (obj_s3_send(&c))
        return obj_s3_body_is_good(&c, buf_span(xml));
    if (!is_not_known(a))
        return false;
    a->outcome = OBJ_OK;
    return true;
}

void obj_s3_bucket_info(void *self, const struct obj_req *r,
                        struct obj_bucket *b, struct obj_attempt *a)
{
    AUTO_BUF struct buf versions = buf_init(OBJ_HTTP_ERROR_BODY_MAX);
    AUTO_BUF struct buf lock = buf_init(OBJ_HTTP_ERROR_BODY_MAX);
    struct obj_bucket got = { 0 };
    struct err e;

    if (!ask(self, r, "versioning", &versions, a) ||
        !ask(self, r, "object-lock", &lock, a))
        return;
    got.server_time = a->server_time;
    if ((versions.len > 0 &&
         obj_xml_versioning(buf_span(&versions), &got.versioning, &e) < 0) ||
        (lock.len > 0 && obj_xml_lock_config(buf_span(&lock), &got, &e) < 0)) {
        obj_s3_fail(a, &e);
        return;
    }
    *b = got;
}

void obj_s3_lifecycle(void *self, const struct obj_req *r,
                      struct obj_lifecycle *l, struct obj_attempt *a)
{
    AUTO_BUF struct buf xml = buf_init(OBJ_S3_XML_MAX);
    struct obj_lifecycle got = { 0 };
    struct err e;

    if (!ask(self, r, "lifecycle", &xml, a))
        return;
    if (xml.len > 0 &&
        obj_xml_lifecycle(buf_span(&xml), r->key, &got, &e) < 0) {
        obj_s3_fail(a, &e);
        return;
    }
    *l = got;
}

static bool send_create(struct obj_s3 *s3, const struct obj_req *r,
                        bool object_lock, struct obj_attempt *a)
{
    AUTO_BUF struct buf xml = buf_init(1024);
    char region[OBJ_S3_REGION_CHARS];

    pthread_mutex_lock(&s3->locked.mutex);
    memcpy(region, s3->locked.region, sizeof region);
    pthread_mutex_unlock(&s3->locked.mutex);
    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, s3, r, NULL, OBJ_BUCKET, "PUT", a);
    c.has_body = true;
    if (object_lock)
        obj_s3_call_header(&c, "x-amz-bucket-object-lock-enabled", "true");
    /* The one region that must not be named. */
    if (strcmp(region, "us-east-1") == 0) {
        obj_s3_call_header(&c, "content-type", "application/xml");
    } else {
        buf_printf(&xml,
                   "<CreateBucketConfiguration "
                   "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                   "<LocationConstraint>%s</LocationConstraint>"
                   "</CreateBucketConfiguration>",
                   region);
        if (!obj_s3_call_xml(&c, &xml))
            return false;
    }
    return obj_s3_send(&c);
}

void obj_s3_bucket_create(void *self, const struct obj_req *r, bool object_lock,
                          struct obj_attempt *a)
{
    struct obj_bucket b = { 0 };

    if (!send_create(self, r, object_lock, a)) {
        if (strcmp(a->code, "BucketAlreadyExists") == 0) {
            a->outcome = OBJ_THERE; /* somebody else's */
            return;
        }
        if (strcmp(a->code, "BucketAlreadyOwnedByYou") != 0)
            return;
        a->outcome = OBJ_OK;
    }
    if (!object_lock)
        return;
    /* Some answer 200 for a bucket that was there, and leave it as it was. */
    obj_s3_bucket_info(self, r, &b, a);
    if (a->outcome == OBJ_OK && !b.object_lock) {
        a->outcome = OBJ_THERE;
        obj_xml_copy(a->message, sizeof a->message,
                     "the bucket is there, without object lock");
    }
}

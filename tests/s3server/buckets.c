// SPDX-License-Identifier: Apache-2.0
/*
 * Buckets: making and removing them, and their settings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/s3server/impl.h"

static void malformed(struct s3_work *w)
{
    s3server_fail(w, 400, "MalformedXML",
                  "The XML you provided was not well-formed or did not "
                  "validate against our published schema");
}

void s3server_create_bucket(struct s3_work *w)
{
    const char *lock =
        s3server_header(w->q, "x-amz-bucket-object-lock-enabled");
    const char *at = NULL;
    char region[64];
    bool named = s3server_element((const char *)w->q->body->p, &at,
                                  "LocationConstraint", region, sizeof region);

    if (strlen(w->q->bucket) < 3) {
        s3server_fail(w, 400, "InvalidBucketName",
                      "The specified bucket is not valid.");
        return;
    }
    if (named ? strcmp(region, w->s->opts.region) != 0
              : strcmp(w->s->opts.region, "us-east-1") != 0) {
        s3server_fail(w, 400, "IllegalLocationConstraintException",
                      "The location constraint is incompatible with the "
                      "region this request was sent to.");
        return;
    }
    if (w->b != NULL) {
        s3server_fail(w, 409, "BucketAlreadyOwnedByYou",
                      "Your previous request to create the named bucket "
                      "succeeded and you already own it.");
        return;
    }
    struct s3_bucket *b = s3server_add_bucket(w->s, w->q->bucket);
    b->lock = lock != NULL && strcasecmp(lock, "true") == 0;
    b->versioning = b->lock ? S3SERVER_ENABLED : S3SERVER_NEVER;
    buf_printf(&w->a->headers, "Location: /%s\r\n", b->name);
}

void s3server_delete_bucket(struct s3_work *w)
{
    for (size_t i = 0; i < w->b->n; i++) {
        if (w->b->objects[i]->n == 0)
            continue;
        s3server_fail(w, 409, "BucketNotEmpty",
                      "The bucket you tried to delete is not empty");
        return;
    }
    s3server_drop_bucket(w->s, w->b);
    w->b = NULL;
    w->a->status = 204;
}

void s3server_get_location(struct s3_work *w)
{
    AUTO_BUF struct buf xml = buf_init(1024);
    const char *region = w->s->opts.region;

    buf_printf(&xml,
               "<LocationConstraint " S3SERVER_XMLNS ">%s</LocationConstraint>",
               strcmp(region, "us-east-1") == 0 ? "" : region);
    s3server_xml(w->a, &xml);
}

void s3server_get_versioning(struct s3_work *w)
{
    static const char *const states[] = {
        [S3SERVER_NEVER] = "",
        [S3SERVER_ENABLED] = "<Status>Enabled</Status>",
        [S3SERVER_SUSPENDED] = "<Status>Suspended</Status>",
    };
    AUTO_BUF struct buf xml = buf_init(1024);

    buf_printf(&xml,
               "<VersioningConfiguration " S3SERVER_XMLNS
               ">%s</VersioningConfiguration>",
               states[w->b->versioning]);
    s3server_xml(w->a, &xml);
}

void s3server_put_versioning(struct s3_work *w)
{
    const char *at = NULL;
    char status[16];

    if (!s3server_element((const char *)w->q->body->p, &at, "Status", status,
                          sizeof status)) {
        malformed(w);
    } else if (strcmp(status, "Enabled") == 0) {
        w->b->versioning = S3SERVER_ENABLED;
    } else if (strcmp(status, "Suspended") != 0) {
        malformed(w);
    } else if (w->b->lock) {
        s3server_fail(w, 409, "InvalidBucketState",
                      "An Object Lock configuration is present on this "
                      "bucket, so the versioning state cannot be changed.");
    } else {
        w->b->versioning = S3SERVER_SUSPENDED;
    }
}

void s3server_get_lock_config(struct s3_work *w)
{
    AUTO_BUF struct buf xml = buf_init(1024);

    if (!w->b->lock) {
        s3server_fail(w, 404, "ObjectLockConfigurationNotFoundError",
                      "Object Lock configuration does not exist for this "
                      "bucket");
        return;
    }
    buf_append_str(&xml, "<ObjectLockConfiguration " S3SERVER_XMLNS
                         "><ObjectLockEnabled>Enabled</ObjectLockEnabled>");
    if (w->b->default_mode != S3_MODE_NONE)
        buf_printf(&xml,
                   "<Rule><DefaultRetention><Mode>%s</Mode><Days>%u</Days>"
                   "</DefaultRetention></Rule>",
                   s3server_mode_name(w->b->default_mode), w->b->default_days);
    buf_append_str(&xml, "</ObjectLockConfiguration>");
    s3server_xml(w->a, &xml);
}

void s3server_put_lock_config(struct s3_work *w)
{
    const char *doc = (const char *)w->q->body->p;
    const char *at = NULL;
    char enabled[16], mode[32], number[16];
    enum s3_mode wanted = S3_MODE_NONE;
    unsigned long n = 0;

    if (!w->vouched) {
        s3server_fail(w, 400, "InvalidRequest",
                      "Missing required header for this request: Content-MD5");
        return;
    }
    if (w->b->versioning != S3SERVER_ENABLED) {
        s3server_fail(w, 409, "InvalidBucketState",
                      "Versioning must be 'Enabled' on the bucket to apply a "
                      "Object Lock configuration");
        return;
    }
    if (!s3server_element(doc, &at, "ObjectLockEnabled", enabled,
                          sizeof enabled) ||
        strcmp(enabled, "Enabled") != 0) {
        malformed(w);
        return;
    }
    at = NULL;
    if (s3server_element(doc, &at, "Mode", mode, sizeof mode)) {
        at = NULL;
        bool years = s3server_element(doc, &at, "Years", number, sizeof number);
        at = NULL;
        if (years || s3server_element(doc, &at, "Days", number, sizeof number))
            n = strtoul(number, NULL, 10) * (years ? 365 : 1);
        if (!s3server_mode(mode, &wanted) || n == 0 || n > 36500) {
            malformed(w);
            return;
        }
    }
    w->b->lock = true;
    w->b->default_mode = wanted;
    w->b->default_days = (unsigned)n;
}

void s3server_get_lifecycle(struct s3_work *w)
{
    AUTO_BUF struct buf xml = buf_init(64u << 10);

    if (w->b->lifecycle == NULL) {
        s3server_fail(w, 404, "NoSuchLifecycleConfiguration",
                      "The lifecycle configuration does not exist");
        return;
    }
    buf_append_str(&xml, w->b->lifecycle);
    s3server_xml(w->a, &xml);
}

void s3server_put_lifecycle(struct s3_work *w)
{
    free(w->b->lifecycle);
    w->b->lifecycle = s3server_copy((const char *)w->q->body->p);
}

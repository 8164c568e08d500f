// SPDX-License-Identifier: Apache-2.0
/*
 * Object lock by AWS's rules: what PutObject asks for, retention, legal hold,
 * and what they forbid.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utc.h"
#include "tests/s3server/impl.h"

#define PROTECTED "Access Denied because object protected by object lock."

bool s3server_mode(const char *text, enum s3_mode *mode)
{
    if (strcmp(text, "COMPLIANCE") == 0)
        *mode = S3_MODE_COMPLIANCE;
    else if (strcmp(text, "GOVERNANCE") == 0)
        *mode = S3_MODE_GOVERNANCE;
    else
        return false;
    return true;
}

const char *s3server_mode_name(enum s3_mode mode)
{
    return mode == S3_MODE_COMPLIANCE ? "COMPLIANCE" : "GOVERNANCE";
}

bool s3server_bypasses(const struct s3_work *w)
{
    const char *text =
        s3server_header(w->q, "x-amz-bypass-governance-retention");

    return text != NULL && strcasecmp(text, "true") == 0;
}

bool s3server_is_held(struct s3_work *w, const struct s3_version *v)
{
    if (v->marker)
        return false;
    if (v->lock.hold)
        return true;
    if (v->lock.mode == S3_MODE_NONE || v->lock.until <= s3server_now(w->s))
        return false;
    return v->lock.mode == S3_MODE_COMPLIANCE || !s3server_bypasses(w);
}

static bool refuse(struct s3_work *w, const char *code, const char *message)
{
    s3server_fail(w, 400, code, message);
    return false;
}

/* Reads mode and date from their texts. */
static bool read_retention(struct s3_work *w, const char *mode,
                           const char *until, struct s3_lock *lock)
{
    if (mode == NULL || until == NULL)
        return refuse(w, "InvalidArgument",
                      "x-amz-object-lock-retain-until-date and "
                      "x-amz-object-lock-mode must both be supplied");
    if (!s3server_mode(mode, &lock->mode))
        return refuse(w, "InvalidArgument", "Unknown wormMode directive.");
    if (!utc_parse_rfc3339(until, &lock->until))
        return refuse(w, "InvalidArgument",
                      "The retain until date must be provided in ISO 8601 "
                      "format");
    if (lock->until <= s3server_now(w->s))
        return refuse(w, "InvalidArgument",
                      "The retain until date must be in the future!");
    return true;
}

bool s3server_lock_of_put(struct s3_work *w, struct s3_lock *lock)
{
    const char *mode = s3server_header(w->q, "x-amz-object-lock-mode");
    const char *until =
        s3server_header(w->q, "x-amz-object-lock-retain-until-date");
    const char *hold = s3server_header(w->q, "x-amz-object-lock-legal-hold");
    bool asked = mode != NULL || until != NULL;

    if ((asked || hold != NULL) && !w->b->lock)
        return refuse(w, "InvalidRequest",
                      "Bucket is missing Object Lock Configuration");
    if (hold != NULL && strcmp(hold, "ON") != 0 && strcmp(hold, "OFF") != 0)
        return refuse(w, "InvalidArgument",
                      "Legal Hold must be either of 'ON' or 'OFF'");
    if (asked && !read_retention(w, mode, until, lock))
        return false;
    if (!asked && w->b->default_mode != S3_MODE_NONE) {
        lock->mode = w->b->default_mode;
        lock->until = s3server_now(w->s) + (int64_t)w->b->default_days * 86400;
    }
    lock->hold = hold != NULL && strcmp(hold, "ON") == 0;
    if ((lock->mode != S3_MODE_NONE || hold != NULL) && !w->vouched)
        return refuse(w, "InvalidRequest",
                      "Content-MD5 OR x-amz-checksum- HTTP header is required "
                      "for Put Object requests with Object Lock parameters");
    return true;
}

struct s3_version *s3server_target(struct s3_work *w)
{
    const char *id = s3server_param(w->q, "versionId");
    const struct s3_object *o = s3server_find(w->b, w->q->key);
    struct s3_version *v =
        id == NULL ? s3server_newest(o) : s3server_find_version(o, id);

    if (id != NULL && !s3server_version_id_is_sound(id)) {
        s3server_fail(w, 400, "InvalidArgument",
                      "Invalid version id specified");
        return NULL;
    }
    if (v != NULL && !v->marker)
        return v;
    if (v != NULL)
        buf_printf(&w->a->headers,
                   "x-amz-delete-marker: true\r\nx-amz-version-id: %s\r\n",
                   v->id);
    if (v != NULL && id != NULL)
        s3server_fail(w, 405, "MethodNotAllowed",
                      "The specified method is not allowed against this "
                      "resource.");
    else if (id != NULL)
        s3server_fail(w, 404, "NoSuchVersion",
                      "The specified version does not exist.");
    else
        s3server_fail(w, 404, "NoSuchKey", "The specified key does not exist.");
    return NULL;
}

/* What ?retention and ?legal-hold have in common; NULL: answered. */
static struct s3_version *lock_target(struct s3_work *w)
{
    if (!w->b->lock) {
        s3server_fail(w, 400, "InvalidRequest",
                      "Bucket is missing Object Lock Configuration");
        return NULL;
    }
    if (strcmp(w->q->method, "PUT") == 0 && !w->vouched) {
        s3server_fail(w, 400, "InvalidRequest",
                      "Missing required header for this request: Content-MD5");
        return NULL;
    }
    return s3server_target(w);
}

/* May the lock become this? */
static bool may_change(struct s3_work *w, const struct s3_version *v,
                       const struct s3_lock *to)
{
    const struct s3_lock *is = &v->lock;
    bool weaker = to->until < is->until || to->mode != is->mode;

    if (is->mode == S3_MODE_NONE || is->until <= s3server_now(w->s) || !weaker)
        return true;
    return is->mode == S3_MODE_GOVERNANCE && s3server_bypasses(w);
}

void s3server_put_retention(struct s3_work *w)
{
    struct s3_version *v = lock_target(w);
    struct s3_lock to = { 0 };
    const char *xml = (const char *)w->q->body->p;
    const char *at = NULL;
    char mode[32], until[64];

    if (v == NULL)
        return;
    if (strstr(xml, "<Retention") == NULL) {
        s3server_fail(w, 400, "MalformedXML",
                      "The XML you provided was not well-formed");
        return;
    }
    bool has_mode = s3server_element(xml, &at, "Mode", mode, sizeof mode);
    at = NULL;
    bool has_date =
        s3server_element(xml, &at, "RetainUntilDate", until, sizeof until);
    if ((has_mode || has_date) && !read_retention(w, has_mode ? mode : NULL,
                                                  has_date ? until : NULL, &to))
        return;
    if (!may_change(w, v, &to)) {
        s3server_fail(w, 403, "AccessDenied", PROTECTED);
        return;
    }
    v->lock.mode = to.mode;
    v->lock.until = to.until;
}

void s3server_get_retention(struct s3_work *w)
{
    AUTO_BUF struct buf xml = buf_init(1024);
    const struct s3_version *v = lock_target(w);
    char until[UTC_ISO_CHARS];

    if (v == NULL)
        return;
    if (v->lock.mode == S3_MODE_NONE) {
        s3server_fail(w, 404, "NoSuchObjectLockConfiguration",
                      "The specified object does not have a ObjectLock "
                      "configuration");
        return;
    }
    utc_format_iso(v->lock.until, until);
    buf_printf(&xml,
               "<Retention " S3SERVER_XMLNS "><Mode>%s</Mode>"
               "<RetainUntilDate>%.19s.000Z</RetainUntilDate></Retention>",
               s3server_mode_name(v->lock.mode), until);
    s3server_xml(w->a, &xml);
}

void s3server_put_hold(struct s3_work *w)
{
    struct s3_version *v = lock_target(w);
    const char *at = NULL;
    char status[16];

    if (v == NULL)
        return;
    if (!s3server_element((const char *)w->q->body->p, &at, "Status", status,
                          sizeof status) ||
        (strcmp(status, "ON") != 0 && strcmp(status, "OFF") != 0)) {
        s3server_fail(w, 400, "MalformedXML",
                      "The XML you provided was not well-formed");
        return;
    }
    v->lock.hold = strcmp(status, "ON") == 0;
}

void s3server_get_hold(struct s3_work *w)
{
    AUTO_BUF struct buf xml = buf_init(1024);
    const struct s3_version *v = lock_target(w);

    if (v == NULL)
        return;
    if (!v->lock.hold) {
        s3server_fail(w, 404, "NoSuchObjectLockConfiguration",
                      "The specified object does not have a ObjectLock "
                      "configuration");
        return;
    }
    buf_append_str(&xml, "<LegalHold " S3SERVER_XMLNS "><Status>ON</Status>"
                         "</LegalHold>");
    s3server_xml(w->a, &xml);
}

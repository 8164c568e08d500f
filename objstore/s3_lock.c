// SPDX-License-Identifier: Apache-2.0
/*
 * S3 driver: retention and legal hold of one version.
 */
#include <string.h>

#include "base/utc.h"
#include "objstore/s3.h"
#include "objstore/xml.h"

#define XMLNS "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

/* "There is no lock here" has several forms, and one of them is said about
 * buckets that know no locks at all. */
static bool is_unlocked(const struct obj_attempt *a)
{
    return strcmp(a->code, "NoSuchObjectLockConfiguration") == 0 ||
           strcmp(a->code, "ObjectLockConfigurationNotFoundError") == 0 ||
           (a->http == 400 && strcmp(a->code, "InvalidRequest") == 0);
}

/* GET of ?retention or ?legal-hold.  True with an empty xml: there is none. */
static bool ask(struct obj_s3 *s3, const struct obj_req *r, const char *what,
                struct buf *xml, struct obj_attempt *a)
{
    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, s3, r, r->key, OBJ_RETENTION, "GET", a);
    obj_s3_call_query(&c, what, "");
    if (r->version != NULL)
        obj_s3_call_query(&c, "versionId", r->version);
    c.out = xml;
    if (obj_s3_send(&c))
        return obj_s3_body_is_good(&c, buf_span(xml));
    if (!is_unlocked(a))
        return false;
    a->outcome = OBJ_OK;
    return true;
}

void obj_s3_get_lock(void *self, const struct obj_req *r, struct obj_lock *lock,
                     struct obj_attempt *a)
{
    AUTO_BUF struct buf retention = buf_init(OBJ_HTTP_ERROR_BODY_MAX);
    AUTO_BUF struct buf hold = buf_init(OBJ_HTTP_ERROR_BODY_MAX);
    struct obj_lock got = { 0 };
    struct err e;

    if (!ask(self, r, "retention", &retention, a))
        return;
    if (retention.len > 0 &&
        obj_xml_retention(buf_span(&retention), &got, &e) < 0) {
        obj_s3_fail(a, &e);
        return;
    }
    bool answered = ask(self, r, "legal-hold", &hold, a);
    /* A right of its own, which few policies grant, and a function that some
     * servers lack: the retention is known all the same. */
    if (!answered && (a->outcome == OBJ_FORBIDDEN || a->outcome == OBJ_UNABLE))
        a->outcome = OBJ_OK;
    else if (!answered)
        return;
    else if (hold.len > 0 &&
             obj_xml_legal_hold(buf_span(&hold), &got.legal_hold, &e) < 0) {
        obj_s3_fail(a, &e);
        return;
    }
    *lock = got;
}

static void write_lock(const struct obj_lock *lock, struct buf *xml)
{
    char until[UTC_ISO_CHARS];

    if (lock->mode == OBJ_LOCK_NONE) {
        buf_printf(xml, "<LegalHold " XMLNS "><Status>%s</Status></LegalHold>",
                   lock->legal_hold ? "ON" : "OFF");
        return;
    }
    utc_format_iso(lock->until, until);
    buf_printf(xml,
               "<Retention " XMLNS "><Mode>%s</Mode>"
               "<RetainUntilDate>%s</RetainUntilDate></Retention>",
               lock->mode == OBJ_LOCK_COMPLIANCE ? "COMPLIANCE" : "GOVERNANCE",
               until);
}

/* Would the change have taken something away?  Then it is the lock, and not a
 * missing right, that forbids it. */
static bool weakens(const struct obj_lock *is, const struct obj_lock *wanted)
{
    if (is->mode == OBJ_LOCK_NONE)
        return false;
    return wanted->until < is->until || wanted->mode != is->mode;
}

void obj_s3_set_lock(void *self, const struct obj_req *r,
                     const struct obj_lock *lock, bool bypass,
                     struct obj_attempt *a)
{
    AUTO_BUF struct buf xml = buf_init(1024);
    bool retention = lock->mode != OBJ_LOCK_NONE;
    struct obj_lock is;

    write_lock(lock, &xml);
    AUTO_OBJ_S3_CALL struct obj_s3_call c;
    obj_s3_call_init(&c, self, r, r->key, OBJ_RETENTION, "PUT", a);
    obj_s3_call_query(&c, retention ? "retention" : "legal-hold", "");
    if (r->version != NULL)
        obj_s3_call_query(&c, "versionId", r->version);
    if (bypass && retention)
        obj_s3_call_header(&c, OBJ_S3_BYPASS_HEADER, "true");
    if (!obj_s3_call_xml(&c, &xml) || obj_s3_send(&c))
        return;
    if (retention &&
        (a->outcome == OBJ_FORBIDDEN ||
         strcmp(a->code, "InvalidRequest") == 0) &&
        obj_s3_is_locked(self, r, a, &is) && weakens(&is, lock))
        a->outcome = OBJ_WORM;
}

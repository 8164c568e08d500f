// SPDX-License-Identifier: Apache-2.0
/*
 * Readers of S3's small documents: errors and the settings of buckets and
 * objects.  Listings and deletions are in xml_list.c.
 */
#include "objstore/xml.h"

#include <string.h>
#include <strings.h>

#include "base/utc.h"
#include "base/xml_walk.h"
#include "objstore/xml_answer.h"

void obj_xml_copy(char *out, size_t cap, const char *text)
{
    size_t n = 0;

    for (; text[n] != '\0' && n + 1 < cap; n++) {
        unsigned char c = (unsigned char)text[n];
        out[n] = text[n];
        if (c < 0x20 || c == 0x7f)
            out[n] = '?';
    }
    out[n] = '\0';
}

/* Most documents that are looked at are none: their first element says so. */
static int error_begin(void *ctx, const char *path,
                       const char *const *attributes, struct err *e)
{
    (void)ctx;
    (void)attributes;
    return obj_xml_root(path, "Error", e);
}

static int error_end(void *ctx, const char *path, char *text, struct err *e)
{
    struct obj_xml_error *x = ctx;

    (void)e;
    if (strcmp(path, "Error/Code") == 0)
        obj_xml_copy(x->code, sizeof x->code, text);
    else if (strcmp(path, "Error/Message") == 0)
        obj_xml_copy(x->message, sizeof x->message, text);
    else if (strcmp(path, "Error/Region") == 0)
        obj_xml_copy(x->region, sizeof x->region, text);
    else if (strcmp(path, "Error/RequestId") == 0)
        obj_xml_copy(x->request_id, sizeof x->request_id, text);
    return 0;
}

bool obj_xml_error(struct span doc, struct obj_xml_error *out)
{
    struct err e;

    *out = (struct obj_xml_error){ 0 };
    if (xml_walk(doc, error_begin, error_end, out, &e) == 0 &&
        out->code[0] != '\0')
        return true;
    *out = (struct obj_xml_error){ 0 };
    return false;
}

bool obj_xml_lock_mode(const char *text, enum obj_lock_mode *mode)
{
    if (strcasecmp(text, "COMPLIANCE") == 0)
        *mode = OBJ_LOCK_COMPLIANCE;
    else if (strcasecmp(text, "GOVERNANCE") == 0)
        *mode = OBJ_LOCK_GOVERNANCE;
    else
        return false;
    return true;
}

static int read_mode(const char *text, enum obj_lock_mode *mode, struct err *e)
{
    if (obj_xml_lock_mode(text, mode))
        return 0;
    return err_set(e, ERR_CORRUPT, 0, "\"%.40s\" is no retention mode", text);
}

static int retention_end(void *ctx, const char *path, char *text, struct err *e)
{
    struct obj_lock *lock = ctx;

    if (strcmp(path, "Retention/Mode") == 0 && text[0] != '\0')
        return read_mode(text, &lock->mode, e);
    if (strcmp(path, "Retention/RetainUntilDate") == 0 && text[0] != '\0' &&
        !utc_parse_rfc3339(text, &lock->until))
        return err_set(e, ERR_CORRUPT, 0, "\"%.40s\" is no date", text);
    return obj_xml_root(path, "Retention", e);
}

int obj_xml_retention(struct span doc, struct obj_lock *lock, struct err *e)
{
    lock->mode = OBJ_LOCK_NONE;
    lock->until = 0;
    if (xml_walk(doc, NULL, retention_end, lock, e) < 0)
        return err_ctx(e, "retention");
    if ((lock->mode == OBJ_LOCK_NONE) != (lock->until == 0))
        return err_set(e, ERR_CORRUPT, 0,
                       "retention: a mode without a date, or the reverse");
    return 0;
}

static int hold_end(void *ctx, const char *path, char *text, struct err *e)
{
    bool *on = ctx;

    if (strcmp(path, "LegalHold/Status") == 0) {
        *on = strcasecmp(text, "ON") == 0;
        if (!*on && strcasecmp(text, "OFF") != 0 && text[0] != '\0')
            return err_set(e, ERR_CORRUPT, 0, "\"%.40s\" is neither ON nor OFF",
                           text);
    }
    return obj_xml_root(path, "LegalHold", e);
}

int obj_xml_legal_hold(struct span doc, bool *on, struct err *e)
{
    *on = false;
    if (xml_walk(doc, NULL, hold_end, on, e) < 0)
        return err_ctx(e, "legal hold");
    return 0;
}

static int lock_config_end(void *ctx, const char *path, char *text,
                           struct err *e)
{
    struct obj_bucket *b = ctx;

    if (strcmp(path, "ObjectLockConfiguration/ObjectLockEnabled") == 0)
        b->object_lock = strcasecmp(text, "Enabled") == 0;
    if (strcmp(path, "ObjectLockConfiguration/Rule/DefaultRetention/Mode") == 0)
        return read_mode(text, &b->default_mode, e);
    return obj_xml_root(path, "ObjectLockConfiguration", e);
}

int obj_xml_lock_config(struct span doc, struct obj_bucket *b, struct err *e)
{
    b->object_lock = false;
    b->default_mode = OBJ_LOCK_NONE;
    if (xml_walk(doc, NULL, lock_config_end, b, e) < 0)
        return err_ctx(e, "object lock configuration");
    return 0;
}

static int versioning_end(void *ctx, const char *path, char *text,
                          struct err *e)
{
    enum obj_versioning *v = ctx;

    if (strcmp(path, "VersioningConfiguration/Status") == 0 &&
        text[0] != '\0') {
        if (strcasecmp(text, "Enabled") == 0)
            *v = OBJ_VERSIONS_ON;
        else if (strcasecmp(text, "Suspended") == 0)
            *v = OBJ_VERSIONS_OFF;
        else
            return err_set(e, ERR_CORRUPT, 0,
                           "\"%.40s\" is no versioning status", text);
    }
    return obj_xml_root(path, "VersioningConfiguration", e);
}

int obj_xml_versioning(struct span doc, enum obj_versioning *v, struct err *e)
{
    *v = OBJ_VERSIONS_NEVER;
    if (xml_walk(doc, NULL, versioning_end, v, e) < 0)
        return err_ctx(e, "versioning configuration");
    return 0;
}

struct location_reader {
    char *region;
    size_t cap;
};

static int location_end(void *ctx, const char *path, char *text, struct err *e)
{
    struct location_reader *l = ctx;

    if (strcmp(path, "LocationConstraint") == 0)
        return obj_xml_set_exact(l->region, l->cap, text, "region", e);
    return obj_xml_root(path, "LocationConstraint", e);
}

int obj_xml_location(struct span doc, char *region, size_t cap, struct err *e)
{
    struct location_reader l = { .region = region, .cap = cap };

    region[0] = '\0';
    if (xml_walk(doc, NULL, location_end, &l, e) < 0)
        return err_ctx(e, "location");
    const char *name = region[0] == '\0'           ? "us-east-1"
                       : strcmp(region, "EU") == 0 ? "eu-west-1"
                                                   : region;
    return name == region ? 0
                          : obj_xml_set_exact(region, cap, name, "region", e);
}

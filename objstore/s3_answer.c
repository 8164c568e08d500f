// SPDX-License-Identifier: Apache-2.0
/*
 * What an answer means.  Servers agree on few codes and hide much in texts;
 * every rule about them stands here, so that the rest of the driver and the
 * retry layer see nothing but outcome classes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utc.h"
#include "objstore/s3.h"
#include "objstore/xml.h"

#define RETRY_AFTER_MAX_MS INT64_C(3600000)

/* Is the code one of the NULL-terminated words? */
static bool is_one_of(const char *code, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(code, *words) == 0)
            return true;
    }
    return false;
}

static bool begins(const char *code, const char *word)
{
    return strncmp(code, word, strlen(word)) == 0;
}

static bool is_throttle(const struct obj_s3_answer *s)
{
    static const char *const words[] = {
        "RequestLimitExceeded",     "RequestRateLimitExceeded",
        "BandwidthLimitExceeded",   "RequestThrottled",
        "TooManyRequestsException", "ProvisionedThroughputExceededException",
        "TooManyRequests",          NULL
    };

    /* Some servers throttle with 400 or 403: the code counts first. */
    if (begins(s->code, "SlowDown") || begins(s->code, "Throttl") ||
        is_one_of(s->code, words))
        return true;
    return s->status == 429 || (s->status == 503 && s->code[0] == '\0');
}

static bool is_full(const struct obj_s3_answer *s)
{
    static const char *const words[] = { "QuotaExceeded",
                                         "XMinioStorageFull",
                                         "XMinioAdminBucketQuotaExceeded",
                                         "InsufficientStorage",
                                         "InsufficientCapacity",
                                         NULL };

    return s->status == 507 || is_one_of(s->code, words) ||
           (s->status >= 500 &&
            strcasestr(s->message, "no space left on device") != NULL);
}

static bool is_digest(const char *code)
{
    static const char *const words[] = { "BadDigest", "InvalidDigest",
                                         "XAmzContentSHA256Mismatch",
                                         "XAmzContentChecksumMismatch", NULL };

    return is_one_of(code, words);
}

static bool is_auth(const struct obj_s3_answer *s)
{
    static const char *const words[] = { "InvalidAccessKeyId",
                                         "SignatureDoesNotMatch",
                                         "ExpiredToken",
                                         "ExpiredTokenException",
                                         "InvalidToken",
                                         "InvalidTokenId",
                                         "TokenRefreshRequired",
                                         "InvalidClientTokenId",
                                         "UnrecognizedClientException",
                                         NULL };

    return s->status == 401 || is_one_of(s->code, words);
}

/* The texts of several servers, all about locked versions. */
static bool is_worm(const struct obj_s3_answer *s)
{
    if (s->status < 400 || s->status > 499)
        return false;
    return strcmp(s->code, "ObjectLocked") == 0 ||
           strcasestr(s->message, "WORM protected") != NULL ||
           strcasestr(s->message, "protected by object lock") != NULL ||
           strcasestr(s->message, "forbidden by object lock") != NULL;
}

static enum obj_outcome classify_404(const struct obj_s3_answer *s)
{
    static const char *const key[] = { "NoSuchKey", "NoSuchVersion", "NotFound",
                                       NULL };

    if (strcmp(s->code, "NoSuchBucket") == 0)
        return OBJ_NO_BUCKET;
    if (s->of_key && is_one_of(s->code, key))
        return OBJ_ABSENT;
    /* HEAD has no body to say more.  Any other answer without a code comes
     * from something that is no S3 server: that must not read as "there is no
     * such object". */
    if (s->of_key && s->verb == OBJ_HEAD && s->code[0] == '\0')
        return OBJ_ABSENT;
    return OBJ_REJECTED;
}

static bool is_region(const struct obj_s3_answer *s)
{
    if (s->status == 301 || s->status == 307 || s->status == 308)
        return true;
    if (strcmp(s->code, "AuthorizationHeaderMalformed") == 0)
        return s->region[0] != '\0';
    /* HEAD: a header is all that there is. */
    return s->status == 400 && s->code[0] == '\0' && s->region[0] != '\0' &&
           strcmp(s->region, s->signed_for) != 0;
}

static enum obj_outcome classify_4xx(const struct obj_s3_answer *s)
{
    static const char *const again[] = { "OperationAborted",
                                         "ConditionalRequestConflict", NULL };
    static const char *const cut[] = { "RequestTimeout", "IncompleteBody",
                                       "ClientDisconnected", NULL };

    if (s->status == 412)
        return s->if_absent ? OBJ_THERE : OBJ_PRECOND;
    if (s->status == 404)
        return classify_404(s);
    if (s->status == 405 && s->of_key && s->delete_marker)
        return OBJ_ABSENT; /* GET of a delete marker by its version */
    if (is_one_of(s->code, again))
        return OBJ_CONFLICT;
    if (s->status == 408 || s->status == 499 || is_one_of(s->code, cut))
        return OBJ_NETWORK;
    if (strcmp(s->code, "NotImplemented") == 0)
        return OBJ_UNABLE;
    if (strcmp(s->code, "InvalidRequest") == 0 &&
        strcasestr(s->message, "missing ObjectLockConfiguration") != NULL)
        return OBJ_UNABLE;
    if (strcmp(s->code, "InvalidRequest") == 0 &&
        strcasestr(s->message, "missing Object Lock Configuration") != NULL)
        return OBJ_UNABLE;
    return s->status == 403 ? OBJ_FORBIDDEN : OBJ_REJECTED;
}

enum obj_outcome obj_s3_classify(const struct obj_s3_answer *s)
{
    if (s->status >= 200 && s->status < 300 && s->code[0] == '\0')
        return OBJ_OK;
    /* Looks like throttling and is none: the object is damaged. */
    if (strcmp(s->code, "SlowDownRead") == 0)
        return s->verb == OBJ_GET ? OBJ_UNREADABLE : OBJ_THROTTLE;
    if (is_full(s))
        return OBJ_NO_SPACE;
    if (s->status >= 500 && s->verb == OBJ_GET &&
        strcasestr(s->message, "file is corrupted") != NULL)
        return OBJ_UNREADABLE;
    if (is_throttle(s))
        return OBJ_THROTTLE;
    if (strcmp(s->code, "RequestTimeTooSkewed") == 0)
        return OBJ_CLOCK;
    if (is_digest(s->code))
        return OBJ_DIGEST;
    if (is_region(s))
        return OBJ_REGION;
    if (is_auth(s))
        return OBJ_AUTH;
    if (is_worm(s))
        return OBJ_WORM;
    if (s->status == 501)
        return OBJ_UNABLE;
    if (s->status >= 500 || begins(s->code, "InternalError") ||
        strcmp(s->code, "ServiceUnavailable") == 0)
        return OBJ_UNAVAIL;
    if (s->status == 304)
        return OBJ_PRECOND;
    return s->status >= 400 || s->status < 300 ? classify_4xx(s) : OBJ_REJECTED;
}

/* Seconds or a date; milliseconds by Amazon's own header. */
static int64_t retry_after_ms(const struct obj_s3_call *c, int64_t server_time)
{
    const char *own = obj_http_header(c->http, "x-amz-retry-after");
    const char *text = obj_http_header(c->http, "retry-after");
    char *end = NULL;
    int64_t ms = 0, at = 0;

    errno = 0;
    if (own != NULL) {
        ms = strtoll(own, &end, 10);
        if (end == own || *end != '\0')
            ms = 0;
    } else if (text != NULL && utc_parse_http(text, &at)) {
        ms = (at - (server_time != 0 ? server_time : utc_real_now())) * 1000;
    } else if (text != NULL) {
        int64_t s = strtoll(text, &end, 10);
        if (end != text && *end == '\0' && s <= RETRY_AFTER_MAX_MS / 1000)
            ms = s * 1000;
    }
    return errno == 0 && ms > 0 && ms <= RETRY_AFTER_MAX_MS ? ms : 0;
}

static void copy_header(const struct obj_s3_call *c, const char *name,
                        char *out, size_t cap)
{
    const char *text = obj_http_header(c->http, name);

    if (text != NULL)
        obj_xml_copy(out, cap, text);
}

/* An error page that is no XML: its first line says more than nothing. */
static void first_line(struct span body, char *out, size_t cap)
{
    size_t n = 0;

    while (n < body.len && n + 1 < cap && body.p[n] != '\n' && body.p[n] != 0) {
        uint8_t c = body.p[n];
        if (c < 0x20 || c == 0x7f)
            c = ' ';
        out[n++] = (char)c;
    }
    out[n] = '\0';
}

/* What is wanted of an <Error>, headers filling its gaps. */
static void read_error(const struct obj_s3_call *c, struct span body,
                       struct obj_xml_error *x)
{
    if (!obj_xml_error(body, x)) {
        first_line(body, x->message, sizeof x->message);
        copy_header(c, "x-minio-error-code", x->code, sizeof x->code);
    }
    if (x->region[0] == '\0')
        copy_header(c, "x-amz-bucket-region", x->region, sizeof x->region);
    if (x->message[0] == '\0')
        copy_header(c, "x-minio-error-desc", x->message, sizeof x->message);
}

static bool header_is(const struct obj_s3_call *c, const char *name,
                      const char *value)
{
    const char *text = obj_http_header(c->http, name);

    return text != NULL && strcasecmp(text, value) == 0;
}

static void apply_error(struct obj_s3_call *c, const struct obj_xml_error *x,
                        const char *signed_for)
{
    struct obj_attempt *a = c->a;
    const char *location = obj_http_header(c->http, "location");
    struct obj_s3_answer s = {
        .status = a->http,
        .verb = c->verb,
        .if_absent = c->if_absent,
        .of_key = c->key != NULL,
        .delete_marker = header_is(c, "x-amz-delete-marker", "true"),
        .code = x->code,
        .message = x->message,
        .region = x->region,
        .signed_for = signed_for,
    };

    a->outcome = obj_s3_classify(&s);
    obj_xml_copy(a->code, sizeof a->code, x->code);
    obj_xml_copy(a->message, sizeof a->message, x->message);
    if (a->http >= 300 && a->http < 400 && location != NULL) {
        char text[160];
        obj_xml_copy(text, sizeof text, location);
        snprintf(a->message, sizeof a->message, "redirects to %s", text);
    }
    if (a->outcome == OBJ_REGION && strlen(x->region) < sizeof a->region &&
        strcmp(x->region, signed_for) != 0)
        obj_xml_copy(a->region, sizeof a->region, x->region);
    if (a->request_id[0] == '\0')
        obj_xml_copy(a->request_id, sizeof a->request_id, x->request_id);
    a->retry_after_ms = retry_after_ms(c, a->server_time);
    /* A gateway that gave up does not know what the server behind it did.  A
     * refusal is certain, but for a condition that our own request may have
     * made false: the transport may have sent it twice. */
    a->maybe_done =
        a->http >= 500 || (a->outcome == OBJ_THERE && a->maybe_done);
}

void obj_s3_answer(struct obj_s3_call *c, struct span error_body,
                   const char *signed_for)
{
    struct obj_attempt *a = c->a;
    const char *date = obj_http_header(c->http, "date");
    struct obj_xml_error x = { 0 };

    copy_header(c, "x-amz-request-id", a->request_id, sizeof a->request_id);
    if (date == NULL || !utc_parse_http(date, &a->server_time))
        a->server_time = 0;
    if (a->outcome != OBJ_OK)
        return;
    if (a->http >= 200 && a->http < 300) {
        a->maybe_done = false;
        /* A 200 may be sent before the work is done, and take it back. */
        if (c->out == NULL)
            obj_s3_body_is_good(c, error_body);
        return;
    }
    read_error(c, error_body, &x);
    apply_error(c, &x, signed_for);
}

bool obj_s3_body_is_good(struct obj_s3_call *c, struct span body)
{
    struct obj_xml_error x;

    if (!obj_xml_error(body, &x))
        return true;
    apply_error(c, &x, "");
    c->a->maybe_done = true;
    return false;
}

static int set_exact(char *out, size_t cap, const char *text, size_t len,
                     const char *what, struct err *e)
{
    if (len >= cap)
        return err_set(e, ERR_CORRUPT, 0, "the answer's %s has %zu characters",
                       what, len);
    memcpy(out, text, len);
    out[len] = '\0';
    return 0;
}

static int read_etag(const char *text, struct obj_info *info, struct err *e)
{
    if (begins(text, "W/"))
        text += 2;
    size_t len = strlen(text);
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text++;
        len -= 2;
    }
    return set_exact(info->etag, sizeof info->etag, text, len, "etag", e);
}

static int read_lock(const struct obj_s3_call *c, struct obj_lock *lock,
                     struct err *e)
{
    const char *mode = obj_http_header(c->http, "x-amz-object-lock-mode");
    const char *until =
        obj_http_header(c->http, "x-amz-object-lock-retain-until-date");

    lock->legal_hold = header_is(c, "x-amz-object-lock-legal-hold", "ON");
    if (mode == NULL || until == NULL)
        return 0;
    if (!obj_xml_lock_mode(mode, &lock->mode))
        return err_set(e, ERR_CORRUPT, 0,
                       "the answer's retention mode is unknown: \"%.40s\"",
                       mode);
    if (!utc_parse_rfc3339(until, &lock->until))
        return err_set(e, ERR_CORRUPT, 0,
                       "the answer's retention date is none: \"%.40s\"", until);
    return 0;
}

bool obj_s3_info(const struct obj_s3_call *c, struct obj_info *info)
{
    const char *etag = obj_http_header(c->http, "etag");
    const char *version = obj_http_header(c->http, "x-amz-version-id");
    const char *modified = obj_http_header(c->http, "last-modified");
    struct err e;

    *info = (struct obj_info){ .server_time = c->a->server_time };
    info->delete_marker = header_is(c, "x-amz-delete-marker", "true");
    if (modified != NULL && !utc_parse_http(modified, &info->modified))
        info->modified = 0;
    if ((etag != NULL && read_etag(etag, info, &e) < 0) ||
        (version != NULL &&
         set_exact(info->version, sizeof info->version, version,
                   strlen(version), "version id", &e) < 0) ||
        read_lock(c, &info->lock, &e) < 0)
        return obj_s3_fail(c->a, &e);
    return true;
}

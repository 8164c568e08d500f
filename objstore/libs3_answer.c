// SPDX-License-Identifier: Apache-2.0
/*
 * Driver libs3: what an answer means.  libs3 shows neither the HTTP status nor
 * the code of an error that it does not know, only its message; so both are
 * reconstructed here as far as they can be, and handed to the rules of the s3
 * driver.  libs3's own idea of what may be tried again is not used: it takes
 * SlowDown for final.
 */
#include <string.h>
#include <strings.h>

#include "objstore/libs3.h"
#include "objstore/s3.h"
#include "objstore/xml.h"

/* libs3 gives up below 1 KB/s after this long, and calls it a failed
 * connection. */
#define STALL_MS 14000
#define MD5_OF_NOTHING "d41d8cd98f00b204e9800998ecf8427e"

/* The HTTP status that goes with a status of libs3; other "Error..." are
 * 400. */
static int http_of(const char *status)
{
    static const struct {
        const char *name;
        int http;
    } known[] = {
        { "OK", 200 },
        { "ErrorAccessDenied", 403 },
        { "ErrorAccountProblem", 403 },
        { "ErrorBucketAlreadyExists", 409 },
        { "ErrorBucketAlreadyOwnedByYou", 409 },
        { "ErrorInternalError", 500 },
        { "ErrorInvalidAccessKeyId", 403 },
        { "ErrorInvalidRange", 416 },
        { "ErrorMethodNotAllowed", 405 },
        { "ErrorMissingContentLength", 411 },
        { "ErrorNoSuchBucket", 404 },
        { "ErrorNoSuchKey", 404 },
        { "ErrorNotImplemented", 501 },
        { "ErrorNotSignedUp", 403 },
        { "ErrorOperationAborted", 409 },
        { "ErrorPermanentRedirect", 301 },
        { "ErrorPreconditionFailed", 412 },
        { "ErrorRedirect", 307 },
        { "ErrorRequestTimeTooSkewed", 403 },
        { "ErrorSignatureDoesNotMatch", 403 },
        { "ErrorSlowDown", 503 },
        { "ErrorTemporaryRedirect", 307 },
        { "HttpErrorMovedTemporarily", 307 },
        { "HttpErrorBadRequest", 400 },
        { "HttpErrorForbidden", 403 },
        { "HttpErrorNotFound", 404 },
        { "HttpErrorConflict", 409 },
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(status, known[i].name) == 0)
            return known[i].http;
    }
    return strncmp(status, "Error", 5) == 0 ? 400 : 0;
}

/* What a code that libs3 does not know probably was, by the message that came
 * with it. */
static const char *guess(const char *message, int *http)
{
    static const struct {
        const char *text, *code;
        int http;
    } known[] = {
        { "is unreadable, please reduce", "SlowDownRead", 503 },
        { "reduce your request rate", "SlowDown", 503 },
        { "minimum free drive threshold", "XMinioStorageFull", 507 },
        { "no space left on device", "InsufficientStorage", 507 },
        { "quota", "QuotaExceeded", 507 },
        { "WORM protected", "ObjectLocked", 400 },
        { "AWS4-HMAC-SHA256", "InvalidRequest", 400 },
        { "SigV2", "InvalidRequest", 400 },
        { "signature version", "InvalidRequest", 400 },
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcasestr(message, known[i].text) != NULL) {
            *http = known[i].http;
            return known[i].code;
        }
    }
    return NULL;
}

/* An error that the server named. */
static void classify_refusal(const struct obj_libs3_result *r,
                             enum obj_verb verb, bool of_key,
                             struct obj_attempt *a)
{
    const char *code = r->status + 5; /* behind "Error" */
    const char *region = r->region;

    a->http = http_of(r->status);
    if (strcmp(code, "Unknown") == 0) {
        code = guess(r->message, &a->http);
        if (code == NULL) {
            /* 4xx and 5xx look alike here.  All that is done may be done
             * again, so it is. */
            a->http = 0;
            obj_libs3_end(a, OBJ_UNAVAIL,
                          r->message[0] != '\0'
                              ? r->message
                              : "an error that libs3 does not know");
            return;
        }
    }
    const struct obj_s3_answer answer = {
        .status = a->http,
        .verb = verb,
        .of_key = of_key,
        .code = code,
        .message = r->message,
        .region = region,
        .signed_for = region, /* there is no other region to sign for */
    };
    obj_xml_copy(a->code, sizeof a->code, code);
    obj_libs3_end(a, obj_s3_classify(&answer), r->message);
}

/* One that has an HTTP status and no <Error>. */
static void classify_http(const struct obj_libs3_result *r, enum obj_verb verb,
                          bool of_key, struct obj_attempt *a)
{
    const struct obj_s3_answer answer = { .status = http_of(r->status),
                                          .verb = verb,
                                          .of_key = of_key,
                                          .code = "",
                                          .message = "",
                                          .region = "",
                                          .signed_for = "" };

    a->http = answer.status;
    if (a->http == 0)
        obj_libs3_end(a, OBJ_UNAVAIL, "an answer that libs3 does not know");
    else if (a->http == 409)
        obj_libs3_end(a, OBJ_CONFLICT, "");
    else if (a->http == 404 && !of_key && verb != OBJ_LIST)
        obj_libs3_end(a, OBJ_NO_BUCKET, "");
    else
        obj_libs3_end(a, obj_s3_classify(&answer), "");
}

/* What libs3 or its libcurl ran into without an answer, or in mid-answer. */
static void classify_failure(const struct obj_libs3_result *r, int64_t ms,
                             struct obj_attempt *a)
{
    struct err e;

    if (strcmp(r->status, "OutOfMemory") == 0) {
        err_nomem(&e);
        obj_libs3_fail(a, &e);
    } else if (strcmp(r->status, "ConnectionFailed") == 0 && ms >= STALL_MS) {
        obj_libs3_end(a, OBJ_SLOW, "stalled");
    } else if (strcmp(r->status, "NameLookupError") == 0) {
        obj_libs3_end(a, OBJ_NETWORK, "cannot find the server's address");
    } else if (strcmp(r->status, "FailedToConnect") == 0) {
        obj_libs3_end(a, OBJ_NETWORK, "cannot connect to the server");
    } else if (strcmp(r->status, "ConnectionFailed") == 0 ||
               strcmp(r->status, "InternalError") == 0 ||
               strcmp(r->status, "Interrupted") == 0) {
        obj_libs3_end(a, OBJ_NETWORK, "the connection was lost");
    } else if (strcmp(r->status, "XmlParseFailure") == 0) {
        obj_libs3_end(a, OBJ_UNAVAIL, "the answer is a page that is no XML");
    } else {
        obj_libs3_end(a, OBJ_REJECTED, r->status);
    }
}

/* libs3 follows redirects by itself; one that is left leads nowhere. */
static void no_region(struct obj_attempt *a)
{
    if (a->outcome == OBJ_REGION)
        obj_libs3_end(a, OBJ_REJECTED, "the server redirects to another one");
}

void obj_libs3_classify(const struct obj_libs3_result *r, enum obj_verb verb,
                        bool of_key, uint64_t body_len, int64_t ms,
                        struct obj_attempt *a)
{
    a->http = 0;
    a->code[0] = '\0';
    a->message[0] = '\0';
    a->region[0] = '\0';
    obj_xml_copy(a->request_id, sizeof a->request_id, r->request_id);
    if (r->end == OBJ_LIBS3_STOPPED) {
        obj_libs3_end(a, OBJ_STOPPED, "interrupted");
    } else if (r->end == OBJ_LIBS3_LATE) {
        obj_libs3_end(a, OBJ_SLOW, "not done in time");
    } else if (strcmp(r->status, "OK") == 0 && r->end == OBJ_LIBS3_DONE) {
        a->outcome = OBJ_OK;
        a->http = 200;
    } else if (strncmp(r->status, "Error", 5) == 0) {
        classify_refusal(r, verb, of_key, a);
    } else if (strncmp(r->status, "HttpError", 9) == 0) {
        classify_http(r, verb, of_key, a);
    } else {
        classify_failure(r, ms, a);
        /* An answer that had begun well tells a cut body from no answer. */
        if (r->headers && a->outcome == OBJ_NETWORK)
            a->http = 200;
    }
    no_region(a);
    bool changes = verb == OBJ_PUT || verb == OBJ_DELETE || verb == OBJ_BUCKET;
    bool sent = verb == OBJ_PUT ? r->sent >= body_len && body_len > 0
                                : strcmp(r->status, "NameLookupError") != 0 &&
                                      strcmp(r->status, "FailedToConnect") != 0;
    a->maybe_done = changes && sent && a->outcome != OBJ_OK &&
                    (a->http == 0 || a->http >= 500);
}

/* libs3 matches the names of headers with their case, and takes a length that
 * is not there for 0.  An answer without an ETag is one whose headers it
 * could not read; an empty object must have the ETag of one. */
bool obj_libs3_info(const struct obj_libs3_result *r, struct obj_info *info,
                    struct obj_attempt *a)
{
    size_t len = strlen(r->etag);
    const char *etag = r->etag;

    *info = (struct obj_info){ .size = r->length };
    if (len >= 2 && etag[0] == '"' && etag[len - 1] == '"') {
        etag++;
        len -= 2;
    }
    if (!r->headers || len == 0 || len >= sizeof info->etag) {
        /* A head that was cut looks like this, too: no answer came then. */
        a->http = 0;
        return obj_libs3_end(a, OBJ_NETWORK,
                             "libs3 finds no ETag among the answer's headers");
    }
    memcpy(info->etag, etag, len);
    if (r->modified > 0)
        info->modified = r->modified;
    if (r->length == 0 && strcmp(info->etag, MD5_OF_NOTHING) != 0)
        return obj_libs3_end(a, OBJ_NETWORK,
                             "the answer does not say the object's length");
    return true;
}

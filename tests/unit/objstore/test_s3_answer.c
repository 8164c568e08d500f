// SPDX-License-Identifier: Apache-2.0
//
// The table of answers and what they mean, row by row.
#include "objstore/s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
    int status;
    const char *code;
    enum obj_outcome expected;
    const char *message; /* NULL: "" */
};

static enum obj_outcome classify(const struct row *r, enum obj_verb verb)
{
    const struct obj_s3_answer s = {
        .status = r->status,
        .verb = verb,
        .of_key = true,
        .code = r->code,
        .message = r->message == NULL ? "" : r->message,
        .region = "",
        .signed_for = "us-east-1",
    };

    return obj_s3_classify(&s);
}

static void assert_rows(const struct row *rows, size_t n, enum obj_verb verb)
{
    for (size_t i = 0; i < n; i++) {
        enum obj_outcome o = classify(&rows[i], verb);
        if (o != rows[i].expected)
            fail_msg("%d %s: %d instead of %d", rows[i].status, rows[i].code,
                     (int)o, (int)rows[i].expected);
    }
}
#define ASSERT_ROWS(rows, verb)                                                \
    assert_rows((rows), sizeof(rows) / sizeof(rows)[0], (verb))

static void answers_to_a_put(void **state)
{
    static const struct row rows[] = {
        { 200, "", OBJ_OK, NULL },
        { 204, "", OBJ_OK, NULL },
        { 200, "InternalError", OBJ_UNAVAIL, NULL },
        { 200, "SlowDown", OBJ_THROTTLE, NULL },
        { 200, "AccessDenied", OBJ_REJECTED, NULL },
        { 304, "", OBJ_PRECOND, NULL },
        { 302, "", OBJ_REJECTED, NULL },
        { 301, "", OBJ_REGION, NULL },
        { 307, "TemporaryRedirect", OBJ_REGION, NULL },
        { 400, "", OBJ_REJECTED, NULL },
        { 400, "InvalidArgument", OBJ_REJECTED, NULL },
        { 400, "RequestTimeout", OBJ_NETWORK, NULL },
        { 400, "IncompleteBody", OBJ_NETWORK, NULL },
        { 400, "BadDigest", OBJ_DIGEST, NULL },
        { 400, "InvalidDigest", OBJ_DIGEST, NULL },
        { 400, "XAmzContentSHA256Mismatch", OBJ_DIGEST, NULL },
        { 400, "XAmzContentChecksumMismatch", OBJ_DIGEST, NULL },
        { 400, "RequestRateLimitExceeded", OBJ_THROTTLE, NULL },
        { 400, "ExpiredToken", OBJ_AUTH, NULL },
        { 400, "InvalidToken", OBJ_AUTH, NULL },
        { 400, "AuthorizationHeaderMalformed", OBJ_REJECTED, NULL },
        { 400, "InvalidRequest", OBJ_WORM,
          "Object is WORM protected and cannot be overwritten" },
        { 400, "InvalidRequest", OBJ_UNABLE,
          "Bucket is missing ObjectLockConfiguration" },
        { 400, "InvalidRequest", OBJ_UNABLE,
          "Bucket is missing Object Lock Configuration" },
        { 400, "InvalidRequest", OBJ_REJECTED, "something else" },
        { 401, "", OBJ_AUTH, NULL },
        { 403, "", OBJ_FORBIDDEN, NULL },
        { 403, "AccessDenied", OBJ_FORBIDDEN, NULL },
        { 403, "AccessDenied", OBJ_WORM, "protected by object lock" },
        { 403, "AccessDenied", OBJ_WORM, "forbidden by object lock" },
        { 403, "InvalidAccessKeyId", OBJ_AUTH, NULL },
        { 403, "SignatureDoesNotMatch", OBJ_AUTH, NULL },
        { 403, "InvalidTokenId", OBJ_AUTH, NULL },
        { 403, "RequestTimeTooSkewed", OBJ_CLOCK, NULL },
        { 403, "QuotaExceeded", OBJ_NO_SPACE, NULL },
        { 404, "NoSuchBucket", OBJ_NO_BUCKET, NULL },
        { 404, "NoSuchKey", OBJ_ABSENT, NULL },
        { 404, "NoSuchUpload", OBJ_REJECTED, NULL },
        { 404, "", OBJ_REJECTED, NULL },
        { 405, "MethodNotAllowed", OBJ_REJECTED, NULL },
        { 408, "", OBJ_NETWORK, NULL },
        { 409, "OperationAborted", OBJ_CONFLICT, NULL },
        { 409, "ConditionalRequestConflict", OBJ_CONFLICT, NULL },
        { 409, "InvalidBucketState", OBJ_REJECTED, NULL },
        { 412, "PreconditionFailed", OBJ_PRECOND, NULL },
        { 416, "InvalidRange", OBJ_REJECTED, NULL },
        { 429, "", OBJ_THROTTLE, NULL },
        { 429, "TooManyRequests", OBJ_THROTTLE, NULL },
        { 499, "ClientDisconnected", OBJ_NETWORK, NULL },
        { 500, "InternalError", OBJ_UNAVAIL, NULL },
        { 500, "InternalError", OBJ_NO_SPACE,
          "cause(no space left on device)" },
        { 500, "", OBJ_UNAVAIL, NULL },
        { 501, "NotImplemented", OBJ_UNABLE, NULL },
        { 400, "NotImplemented", OBJ_UNABLE, NULL },
        { 502, "", OBJ_UNAVAIL, NULL },
        { 503, "", OBJ_THROTTLE, NULL },
        { 503, "SlowDown", OBJ_THROTTLE, NULL },
        { 503, "SlowDownWrite", OBJ_THROTTLE, NULL },
        { 503, "SlowDownRead", OBJ_THROTTLE, NULL },
        { 503, "ThrottlingException", OBJ_THROTTLE, NULL },
        { 503, "ServiceUnavailable", OBJ_UNAVAIL, NULL },
        { 503, "XMinioServerNotInitialized", OBJ_UNAVAIL, NULL },
        { 504, "", OBJ_UNAVAIL, NULL },
        { 507, "", OBJ_NO_SPACE, NULL },
        { 507, "XMinioStorageFull", OBJ_NO_SPACE, NULL },
    };

    (void)state;
    ASSERT_ROWS(rows, OBJ_PUT);
}

static void answers_to_a_get(void **state)
{
    static const struct row rows[] = {
        { 206, "", OBJ_OK, NULL },
        { 404, "NoSuchVersion", OBJ_ABSENT, NULL },
        { 404, "", OBJ_REJECTED, NULL },
        { 503, "SlowDownRead", OBJ_UNREADABLE, NULL },
        { 500, "InternalError", OBJ_UNREADABLE, "cause(file is corrupted)" },
        { 500, "InternalError", OBJ_UNAVAIL, "cause(other)" },
        { 503, "SlowDown", OBJ_THROTTLE, NULL },
    };

    (void)state;
    ASSERT_ROWS(rows, OBJ_GET);
}

static void answers_to_a_head(void **state)
{
    static const struct row rows[] = {
        { 404, "", OBJ_ABSENT, NULL },
        { 404, "NoSuchBucket", OBJ_NO_BUCKET, NULL },
        { 403, "", OBJ_FORBIDDEN, NULL },
        { 400, "", OBJ_REJECTED, NULL },
        { 500, "", OBJ_UNAVAIL, NULL },
    };

    (void)state;
    ASSERT_ROWS(rows, OBJ_HEAD);
}

static void condition_decides_what_412_means(void **state)
{
    struct obj_s3_answer s = { .status = 412,
                               .verb = OBJ_PUT,
                               .of_key = true,
                               .code = "PreconditionFailed",
                               .message = "",
                               .region = "",
                               .signed_for = "" };

    (void)state;
    assert_int_equal(obj_s3_classify(&s), OBJ_PRECOND);
    s.if_absent = true;
    assert_int_equal(obj_s3_classify(&s), OBJ_THERE);
}

static void delete_marker_reads_as_absent(void **state)
{
    struct obj_s3_answer s = { .status = 405,
                               .verb = OBJ_GET,
                               .of_key = true,
                               .delete_marker = true,
                               .code = "MethodNotAllowed",
                               .message = "",
                               .region = "",
                               .signed_for = "" };

    (void)state;
    assert_int_equal(obj_s3_classify(&s), OBJ_ABSENT);
    s.delete_marker = false;
    assert_int_equal(obj_s3_classify(&s), OBJ_REJECTED);
}

static void region_of_a_head_is_in_its_header(void **state)
{
    struct obj_s3_answer s = { .status = 400,
                               .verb = OBJ_HEAD,
                               .of_key = true,
                               .code = "",
                               .message = "",
                               .region = "eu-west-1",
                               .signed_for = "us-east-1" };

    (void)state;
    assert_int_equal(obj_s3_classify(&s), OBJ_REGION);
    s.signed_for = "eu-west-1";
    assert_int_equal(obj_s3_classify(&s), OBJ_REJECTED);
    s.code = "AuthorizationHeaderMalformed";
    assert_int_equal(obj_s3_classify(&s), OBJ_REGION);
}

static void missing_key_of_a_bucket_request_is_no_absence(void **state)
{
    const struct obj_s3_answer s = { .status = 404,
                                     .verb = OBJ_HEAD,
                                     .code = "",
                                     .message = "",
                                     .region = "",
                                     .signed_for = "" };

    (void)state;
    assert_int_equal(obj_s3_classify(&s), OBJ_REJECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_to_a_put),
        cmocka_unit_test(answers_to_a_get),
        cmocka_unit_test(answers_to_a_head),
        cmocka_unit_test(condition_decides_what_412_means),
        cmocka_unit_test(delete_marker_reads_as_absent),
        cmocka_unit_test(region_of_a_head_is_in_its_header),
        cmocka_unit_test(missing_key_of_a_bucket_request_is_no_absence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
//
// What the S3 driver makes of refusals: their class, and the further questions
// that some of them need.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "s3_rig.h"

static void refusals_are_classified_with_all_that_is_known(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, ERROR("503", "SlowDown", "less", "Retry-After: 7\r\n"),
             FAKE_CLOSE);
    put(rig, "x");
    assert_outcome(&rig->a, OBJ_THROTTLE);
    assert_int_equal(rig->a.retry_after_ms, 7000);
    assert_int_equal(rig->a.server_time, DATE_UNIX);
    assert_string_equal(rig->a.code, "SlowDown");
    assert_string_equal(rig->a.message, "less");
    assert_string_equal(rig->a.request_id, "RID");
    /* Who knows what stands behind that gateway. */
    assert_true(rig->a.maybe_done);

    fake_add(rig->fake,
             ERROR("429", "TooManyRequests", "less",
                   "Retry-After: Sun, 22 Nov 2026 19:55:16 GMT\r\n"
                   "x-amz-request-id: HEAD\r\n"),
             FAKE_CLOSE);
    put(rig, "x");
    assert_outcome(&rig->a, OBJ_THROTTLE);
    assert_int_equal(rig->a.retry_after_ms, 10000);
    assert_string_equal(rig->a.request_id, "HEAD");
    assert_false(rig->a.maybe_done);

    fake_add(rig->fake,
             ERROR("503", "ServiceUnavailable", "",
                   "Retry-After: soon\r\n"
                   "x-amz-retry-after: 250\r\n"),
             FAKE_CLOSE);
    put(rig, "x");
    assert_outcome(&rig->a, OBJ_UNAVAIL);
    assert_int_equal(rig->a.retry_after_ms, 250);

    fake_add(rig->fake,
             ERROR("500", "InternalError",
                   "We failed: cause(no space left on device)", ""),
             FAKE_CLOSE);
    put(rig, "x");
    assert_outcome(&rig->a, OBJ_NO_SPACE);

    fake_add(rig->fake, ERROR("503", "SlowDownRead", "unreadable", ""),
             FAKE_CLOSE);
    get(rig);
    assert_outcome(&rig->a, OBJ_UNREADABLE);

    fake_add(rig->fake,
             "HTTP/1.1 400 Bad Request\r\nContent-Length: 48\r\n\r\n"
             "Client sent an HTTP request to an HTTPS server.\n",
             FAKE_CLOSE);
    get(rig);
    assert_outcome(&rig->a, OBJ_REJECTED);
    assert_string_equal(rig->a.message,
                        "Client sent an HTTP request to an HTTPS server.");
}

static void absence_needs_the_word_of_an_s3_server(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake,
             "HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\n"
             "<html></html>\n",
             FAKE_CLOSE);
    get(rig);
    assert_outcome(&rig->a, OBJ_REJECTED);
    fake_add(rig->fake,
             "HTTP/1.1 404 Not Found\r\nx-minio-error-code: NoSuchBucket\r\n"
             "Content-Length: 14\r\n\r\n",
             FAKE_CLOSE);
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_NO_BUCKET);
    fake_add(rig->fake, "HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\n",
             FAKE_CLOSE);
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_ABSENT);
}

static void other_region_is_named(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake,
             "HTTP/1.1 400 x\r\nConnection: close\r\n\r\n<Error><Code>"
             "AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region>"
             "</Error>",
             FAKE_CLOSE);
    get(rig);
    assert_outcome(&rig->a, OBJ_REGION);
    assert_string_equal(rig->a.region, "eu-west-1");
    D.set_region(rig->self, rig->a.region);

    fake_add(rig->fake,
             "HTTP/1.1 400 x\r\nx-amz-bucket-region: eu-west-2\r\n"
             "Connection: close\r\n\r\n",
             FAKE_CLOSE);
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_REGION);
    assert_string_equal(rig->a.region, "eu-west-2");
    assert_non_null(
        strstr(header_of(rig->fake, 1, "Authorization"), "/eu-west-1/s3/"));
    /* What is no region is not taken over. */
    D.set_region(rig->self, "x/../y");
    fake_add(rig->fake, OK_EMPTY, FAKE_CLOSE);
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_non_null(
        strstr(header_of(rig->fake, 2, "Authorization"), "/eu-west-1/s3/"));
}

static void region_that_is_not_named_is_asked_for(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake,
             ERROR("301", "PermanentRedirect", "elsewhere",
                   "Location: http://other/\r\n"),
             FAKE_CLOSE);
    fake_add(rig->fake,
             "HTTP/1.1 200 OK\r\nConnection: close\r\n"
             "Transfer-Encoding: chunked\r\n\r\n47\r\n"
             "<LocationConstraint>eu-south-9</LocationConstraint>"
             "                    \r\n0\r\n\r\n",
             FAKE_CLOSE);
    get(rig);
    assert_outcome(&rig->a, OBJ_REGION);
    assert_string_equal(rig->a.region, "eu-south-9");
    assert_non_null(strstr(fake_head(rig->fake, 1), "GET /bucket?location="));

    /* A redirect that has nothing to do with regions. */
    fake_add(rig->fake,
             "HTTP/1.1 301 Moved\r\nLocation: https://other/\r\n"
             "Content-Length: 0\r\n\r\n",
             FAKE_CLOSE);
    fake_add(rig->fake,
             "HTTP/1.1 301 Moved\r\nLocation: https://other/\r\n"
             "Content-Length: 0\r\n\r\n",
             FAKE_CLOSE);
    get(rig);
    assert_outcome(&rig->a, OBJ_REJECTED);
    assert_string_equal(rig->a.message, "redirects to https://other/");
}

static void refused_deletion_is_looked_into(void **state)
{
    struct rig *rig = *state;
    char text[6][512];
    const char *denied = ERROR("403", "AccessDenied", "Access Denied", "");

    rig->r.version = "v1";
    /* Locked. */
    fake_add(rig->fake, denied, FAKE_CLOSE);
    fake_add(rig->fake,
             with_body(text[0], sizeof text[0], "200 OK",
                       "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>"
                       "2026-12-22T00:00:00Z</RetainUntilDate></Retention>"),
             FAKE_CLOSE);
    fake_add(rig->fake, denied, FAKE_CLOSE); /* no right to see holds */
    D.remove(rig->self, &rig->r, false, &rig->a);
    assert_outcome(&rig->a, OBJ_WORM);
    assert_int_equal(rig->a.http, 403);
    assert_non_null(strstr(fake_head(rig->fake, 1),
                           "GET /bucket/k?retention=&versionId=v1 "));

    /* Its lock has run out: a right is missing. */
    fake_add(rig->fake, denied, FAKE_CLOSE);
    fake_add(rig->fake,
             with_body(text[1], sizeof text[1], "200 OK",
                       "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>"
                       "2026-10-22T00:00:00Z</RetainUntilDate></Retention>"),
             FAKE_CLOSE);
    fake_add(rig->fake,
             with_body(text[2], sizeof text[2], "200 OK",
                       "<LegalHold><Status>OFF</Status></LegalHold>"),
             FAKE_CLOSE);
    D.remove(rig->self, &rig->r, false, &rig->a);
    assert_outcome(&rig->a, OBJ_FORBIDDEN);

    /* Nothing can be found out. */
    fake_add(rig->fake, denied, FAKE_CLOSE);
    fake_add(rig->fake, denied, FAKE_CLOSE);
    D.remove(rig->self, &rig->r, true, &rig->a);
    assert_outcome(&rig->a, OBJ_FORBIDDEN);
    assert_string_equal(
        header_of(rig->fake, 6, "x-amz-bypass-governance-retention"), "true");

    /* A hold only. */
    fake_add(rig->fake, denied, FAKE_CLOSE);
    fake_add(rig->fake,
             ERROR("404", "NoSuchObjectLockConfiguration", "none", ""),
             FAKE_CLOSE);
    fake_add(rig->fake,
             with_body(text[3], sizeof text[3], "200 OK",
                       "<LegalHold><Status>ON</Status></LegalHold>"),
             FAKE_CLOSE);
    D.remove(rig->self, &rig->r, false, &rig->a);
    assert_outcome(&rig->a, OBJ_WORM);

    /* Without a version nothing can be locked: no further question. */
    rig->r.version = NULL;
    size_t asked = fake_requests(rig->fake);
    fake_add(rig->fake, denied, FAKE_CLOSE);
    D.remove(rig->self, &rig->r, false, &rig->a);
    assert_outcome(&rig->a, OBJ_FORBIDDEN);
    assert_int_equal(fake_requests(rig->fake), asked + 1);
}

static void refused_extension_is_no_lock_but_a_missing_right(void **state)
{
    struct rig *rig = *state;
    const struct obj_lock longer = { OBJ_LOCK_COMPLIANCE, DATE_UNIX + 9999999,
                                     false };
    const struct obj_lock shorter = { OBJ_LOCK_COMPLIANCE, DATE_UNIX + 10,
                                      false };
    const char *denied = ERROR("403", "AccessDenied", "Access Denied", "");
    char text[256];

    with_body(text, sizeof text, "200 OK",
              "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>"
              "2026-12-22T00:00:00Z</RetainUntilDate></Retention>");
    for (int i = 0; i < 2; i++) {
        fake_add(rig->fake, denied, FAKE_CLOSE);
        fake_add(rig->fake, text, FAKE_CLOSE);
        fake_add(rig->fake, denied, FAKE_CLOSE);
    }
    D.set_lock(rig->self, &rig->r, &longer, false, &rig->a);
    assert_outcome(&rig->a, OBJ_FORBIDDEN);
    assert_int_equal(memcmp(rig->fake->requests[0].body, "<Retention", 10), 0);
    assert_non_null(header_of(rig->fake, 0, "content-md5"));
    D.set_lock(rig->self, &rig->r, &shorter, false, &rig->a);
    assert_outcome(&rig->a, OBJ_WORM);
}

static void lock_that_cannot_be_read_is_an_error(void **state)
{
    struct rig *rig = *state;
    struct obj_lock lock;
    char text[4][256];

    fake_add(rig->fake,
             with_body(text[0], sizeof text[0], "200 OK", "<Retention>"),
             FAKE_CLOSE);
    D.get_lock(rig->self, &rig->r, &lock, &rig->a);
    assert_outcome(&rig->a, OBJ_LOCAL);

    with_body(text[1], sizeof text[1], "200 OK", "<Retention/>");
    fake_add(rig->fake, text[1], FAKE_CLOSE);
    fake_add(rig->fake,
             with_body(text[2], sizeof text[2], "200 OK", "<LegalHold>"),
             FAKE_CLOSE);
    D.get_lock(rig->self, &rig->r, &lock, &rig->a);
    assert_outcome(&rig->a, OBJ_LOCAL);

    fake_add(rig->fake, text[1], FAKE_CLOSE);
    fake_add(rig->fake, ERROR("500", "InternalError", "", ""), FAKE_CLOSE);
    D.get_lock(rig->self, &rig->r, &lock, &rig->a);
    assert_outcome(&rig->a, OBJ_UNAVAIL);
}

static void names_of_a_multi_delete_get_what_the_server_says(void **state)
{
    struct rig *rig = *state;
    struct obj_name names[] = {
        { .key = "a" },
        { .key = "b" },
        { .key = "c" },
        { .key = "d" },
        { .key = "e" },
        { .key = "f" },
        { .key = "g", .version = "v1" },
        { .key = "h", .version = "v1" },
        { .key = "i", .version = "v1" },
        { .key = "j" },
        { .key = "k" },
        { .key = "l" },
    };
    char text[1500], retention[256];

    with_body(
        text, sizeof text, "200 OK",
        "<DeleteResult><Deleted><Key>a</Key></Deleted>"
        "<Deleted><Key>unknown</Key></Deleted>"
        "<Error><Key>b</Key><Code>AccessDenied</Code></Error>"
        "<Error><Key>c</Key><Code>InternalError</Code></Error>"
        "<Error><Key>d</Key><Code>SlowDown</Code></Error>"
        "<Error><Key>e</Key><Code>NoSuchKey</Code></Error>"
        "<Error><Key>g</Key><VersionId>v1</VersionId>"
        "<Code>AccessDenied</Code><Message>Access Denied because object "
        "protected by object lock.</Message></Error>"
        "<Error><Key>h</Key><VersionId>v1</VersionId>"
        "<Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        "<Error><Key>i</Key><VersionId>v1</VersionId>"
        "<Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        "<Error><Key>j</Key><Code>OperationAborted</Code></Error>"
        "<Error><Key>k</Key><Code>NoSuchBucket</Code></Error>"
        "<Error><Key>l</Key><Code>Strange</Code></Error>"
        "</DeleteResult>");
    const char *denied = ERROR("403", "AccessDenied", "Access Denied", "");
    fake_add(rig->fake, text, FAKE_CLOSE);
    /* h: locked, by the further question; i: not. */
    fake_add(rig->fake,
             with_body(retention, sizeof retention, "200 OK",
                       "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>"
                       "2026-12-22T00:00:00Z</RetainUntilDate></Retention>"),
             FAKE_CLOSE);
    fake_add(rig->fake, denied, FAKE_CLOSE);
    fake_add(rig->fake, denied, FAKE_CLOSE);
    D.remove_many(rig->self, &rig->r, names, 12, true, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    static const enum err_kind expected[] = {
        ERR_NONE,      ERR_DENIED,   ERR_UNREACHABLE,
        ERR_THROTTLED, ERR_NONE,     ERR_FAILED /* not mentioned */,
        ERR_LOCKED,    ERR_LOCKED,   ERR_DENIED,
        ERR_BUSY,      ERR_NOTFOUND, ERR_FAILED,
    };
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(names[i].result, expected[i]);
    assert_non_null(strstr(fake_head(rig->fake, 0), "POST /bucket?delete= "));
    assert_non_null(header_of(rig->fake, 0, "content-md5"));
    assert_string_equal(
        header_of(rig->fake, 0, "x-amz-bypass-governance-retention"), "true");
}

/* A bucket with a default retention, at a server that goes by Amazon's rule. */
static void checksum_is_sent_once_a_server_asks_for_it(void **state)
{
    struct rig *rig = *state;
    const char *wanted = ERROR("400", "InvalidRequest",
                               "Content-MD5 OR x-amz-checksum- HTTP header is "
                               "required for Put Object requests with Object "
                               "Lock parameters",
                               "");

    fake_add(rig->fake, wanted, FAKE_CLOSE);
    put(rig, "hello");
    assert_outcome(&rig->a, OBJ_CONFLICT); /* try again */
    assert_null(header_of(rig->fake, 0, "x-amz-checksum-sha256"));
    fake_add(rig->fake, OK_EMPTY, FAKE_CLOSE);
    put(rig, "hello");
    assert_outcome(&rig->a, OBJ_OK);
    assert_string_equal(header_of(rig->fake, 1, "x-amz-checksum-sha256"),
                        "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");
    /* With one, the same answer means something else. */
    fake_add(rig->fake, wanted, FAKE_CLOSE);
    put(rig, "hello");
    assert_outcome(&rig->a, OBJ_REJECTED);
}

/* Servers say once what became of a name that was sent twice. */
static void name_given_twice_has_its_result_twice(void **state)
{
    struct rig *rig = *state;
    struct obj_name names[] = {
        { .key = "a" },
        { .key = "b" },
        { .key = "a" },
        { .key = "b", .version = "v1" }, /* another one, not mentioned */
        { .key = "b" },
    };
    static const enum err_kind expected[] = { ERR_NONE, ERR_DENIED, ERR_NONE,
                                              ERR_FAILED, ERR_DENIED };
    char text[500];

    with_body(text, sizeof text, "200 OK",
              "<DeleteResult><Deleted><Key>a</Key></Deleted>"
              "<Error><Key>b</Key><Code>AccessDenied</Code></Error>"
              "</DeleteResult>");
    fake_add(rig->fake, text, FAKE_CLOSE);
    D.remove_many(rig->self, &rig->r, names, 5, false, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(names[i].result, expected[i]);
}

static void failed_multi_delete_is_no_success(void **state)
{
    struct rig *rig = *state;
    struct obj_name name = { .key = "a" };
    char text[2][256];

    fake_add(rig->fake,
             with_body(text[0], sizeof text[0], "200 OK",
                       "<Error><Code>SlowDown</Code></Error>"),
             FAKE_CLOSE);
    D.remove_many(rig->self, &rig->r, &name, 1, false, &rig->a);
    assert_outcome(&rig->a, OBJ_THROTTLE);
    fake_add(rig->fake,
             with_body(text[1], sizeof text[1], "200 OK", "<DeleteResult>"),
             FAKE_CLOSE);
    D.remove_many(rig->self, &rig->r, &name, 1, false, &rig->a);
    assert_outcome(&rig->a, OBJ_LOCAL);
    assert_int_not_equal(name.result, ERR_NONE);
}

static void
bucket_of_a_simple_server_has_neither_versions_nor_lock(void **state)
{
    struct rig *rig = *state;
    struct obj_bucket b = { .object_lock = true };
    char text[2][256];

    fake_add(rig->fake, ERROR("501", "NotImplemented", "", ""), FAKE_CLOSE);
    fake_add(rig->fake, ERROR("405", "MethodNotAllowed", "", ""), FAKE_CLOSE);
    D.bucket_info(rig->self, &rig->r, &b, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    assert_int_equal(b.versioning, OBJ_VERSIONS_NEVER);
    assert_false(b.object_lock);

    fake_add(rig->fake, ERROR("403", "AccessDenied", "", ""), FAKE_CLOSE);
    D.bucket_info(rig->self, &rig->r, &b, &rig->a);
    assert_outcome(&rig->a, OBJ_FORBIDDEN);

    fake_add(rig->fake,
             with_body(text[0], sizeof text[0], "200 OK",
                       "<VersioningConfiguration><Status>x</Status>"
                       "</VersioningConfiguration>"),
             FAKE_CLOSE);
    fake_add(rig->fake,
             ERROR("404", "ObjectLockConfigurationNotFoundError", "", ""),
             FAKE_CLOSE);
    D.bucket_info(rig->self, &rig->r, &b, &rig->a);
    assert_outcome(&rig->a, OBJ_LOCAL);
}

static void key_that_is_gone_counts_as_deleted(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, ERROR("404", "NoSuchKey", "", ""), FAKE_CLOSE);
    D.remove(rig->self, &rig->r, false, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    fake_add(rig->fake, ERROR("404", "NoSuchBucket", "", ""), FAKE_CLOSE);
    D.remove(rig->self, &rig->r, false, &rig->a);
    assert_outcome(&rig->a, OBJ_NO_BUCKET);
}

static void codes_of_a_multi_delete_become_kinds(void **state)
{
    static const struct {
        const char *code;
        enum err_kind kind;
    } cases[] = {
        { "NotImplemented", ERR_UNSUPPORTED },  { "QuotaExceeded", ERR_FULL },
        { "BadDigest", ERR_CORRUPT },           { "ExpiredToken", ERR_DENIED },
        { "RequestTimeout", ERR_UNREACHABLE },  { "NoSuchVersion", ERR_NONE },
        { "RequestTimeTooSkewed", ERR_FAILED },
    };
    struct rig *rig = *state;
    char text[512], body[300];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct obj_name name = { .key = "a" };
        snprintf(body, sizeof body,
                 "<DeleteResult><Error><Key>a</Key><Code>%s</Code></Error>"
                 "</DeleteResult>",
                 cases[i].code);
        fake_add(rig->fake, with_body(text, sizeof text, "200 OK", body),
                 FAKE_CLOSE);
        D.remove_many(rig->self, &rig->r, &name, 1, false, &rig->a);
        assert_outcome(&rig->a, OBJ_OK);
        assert_int_equal(name.result, cases[i].kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(refusals_are_classified_with_all_that_is_known),
        WITH_SERVER(absence_needs_the_word_of_an_s3_server),
        WITH_SERVER(other_region_is_named),
        WITH_SERVER(region_that_is_not_named_is_asked_for),
        WITH_SERVER(refused_deletion_is_looked_into),
        WITH_SERVER(refused_extension_is_no_lock_but_a_missing_right),
        WITH_SERVER(lock_that_cannot_be_read_is_an_error),
        WITH_SERVER(names_of_a_multi_delete_get_what_the_server_says),
        WITH_SERVER(checksum_is_sent_once_a_server_asks_for_it),
        WITH_SERVER(name_given_twice_has_its_result_twice),
        WITH_SERVER(failed_multi_delete_is_no_success),
        WITH_SERVER(bucket_of_a_simple_server_has_neither_versions_nor_lock),
        WITH_SERVER(key_that_is_gone_counts_as_deleted),
        WITH_SERVER(codes_of_a_multi_delete_become_kinds),
    };

    no_proxy();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

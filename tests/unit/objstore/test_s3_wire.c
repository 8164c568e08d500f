// SPDX-License-Identifier: Apache-2.0
//
// What exactly the S3 driver sends, reads from headers, logs, and refuses to
// open.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "s3_rig.h"

static void request_is_exactly_what_was_signed(void **state)
{
    struct rig *rig = *state;
    const struct obj_put_opts o = {
        .if_absent = true,
        .lock = { OBJ_LOCK_COMPLIANCE, DATE_UNIX, true },
        .content_type = "application/json",
    };
    char host[40];

    rig->r.key = "a//../b c+\xc3\xa9%41?*";
    memcpy(rig->a.nonce, "00112233445566778899aabbccddeeff", 33);
    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    D.put(rig->self, &rig->r, span_str("hello"), &o, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    struct fake *f = rig->fake;
    assert_non_null(
        strstr(fake_head(f, 0),
               "PUT /bucket/a//../b%20c%2B%C3%A9%2541%3F%2A HTTP/1.1\r\n"));
    snprintf(host, sizeof host, "127.0.0.1:%u", f->port);
    assert_string_equal(header_of(f, 0, "Host"), host);
    assert_string_equal(header_of(f, 0, "content-type"), "application/json");
    assert_string_equal(header_of(f, 0, "content-length"), "5");
    assert_string_equal(header_of(f, 0, "if-none-match"), "*");
    assert_string_equal(header_of(f, 0, "x-amz-meta-objvault-nonce"),
                        "00112233445566778899aabbccddeeff");
    assert_string_equal(header_of(f, 0, "x-amz-object-lock-mode"),
                        "COMPLIANCE");
    assert_string_equal(header_of(f, 0, "x-amz-object-lock-retain-until-date"),
                        "2026-11-22T19:55:06Z");
    assert_string_equal(header_of(f, 0, "x-amz-object-lock-legal-hold"), "ON");
    assert_string_equal(header_of(f, 0, "x-amz-content-sha256"),
                        "2cf24dba5fb0a30e26e83b2ac5b9e29e"
                        "1b161e5c1fa7425e73043362938b9824");
    /* Amazon wants it with a lock. */
    assert_string_equal(header_of(f, 0, "x-amz-checksum-sha256"),
                        "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");
    assert_string_equal(header_of(f, 0, "x-amz-security-token"), TOKEN);
    assert_null(header_of(f, 0, "expect"));
    assert_null(header_of(f, 0, "transfer-encoding"));
    const char *auth = header_of(f, 0, "Authorization");
    assert_non_null(strstr(auth, "Credential=AKID/"));
    assert_non_null(strstr(
        auth, "SignedHeaders=content-type;host;if-none-match;"
              "x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date;"
              "x-amz-meta-objvault-nonce;x-amz-object-lock-legal-hold;"
              "x-amz-object-lock-mode;x-amz-object-lock-retain-until-date;"
              "x-amz-security-token,"));
    assert_memory_equal(f->requests[0].body, "hello", 5);
}

static void unlocked_put_has_one_hash_only(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    put(rig, "hello");
    assert_outcome(&rig->a, OBJ_OK);
    assert_null(header_of(rig->fake, 0, "x-amz-checksum-sha256"));
    assert_null(header_of(rig->fake, 0, "if-none-match"));
    assert_null(header_of(rig->fake, 0, "x-amz-meta-objvault-nonce"));
    assert_string_equal(header_of(rig->fake, 0, "content-type"),
                        "application/octet-stream");
}

#define OK_CRC32C                                                              \
    "HTTP/1.1 200 OK\r\n" DATE                                                 \
    "x-amz-checksum-crc32c: 4waSgw==\r\nContent-Length: 0\r\n\r\n"

/* Puts "123456789" as a block would be, by a driver with the default
 * protection, once for each answer.  The caller closes. */
static void *put_bulk(struct rig *rig, const struct obj_put_opts *o,
                      const char *const *answers, size_t n)
{
    char endpoint[64];
    char *name = NULL;
    struct err e;
    const struct obj_config c = { .bucket = "bucket", .endpoint = endpoint };

    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", rig->fake->port);
    void *self = D.open(&c, &name, &e);
    assert_non_null(self);
    free(name);
    for (size_t i = 0; i < n; i++)
        fake_add(rig->fake, answers[i], FAKE_CLOSE);
    for (size_t i = 0; i < n; i++)
        D.put(self, &rig->r, span_str("123456789"), o, NULL, &rig->a);
    return self;
}

static bool is_signed(const struct rig *rig, size_t request)
{
    return strcmp(header_of(rig->fake, request, "x-amz-content-sha256"),
                  "UNSIGNED-PAYLOAD") != 0;
}

static void bulk_put_is_unsigned_with_a_signed_checksum(void **state)
{
    struct rig *rig = *state;
    static const char *const answers[] = { OK_CRC32C };
    const struct obj_put_opts o = {
        .bulk = true, .lock = { OBJ_LOCK_GOVERNANCE, DATE_UNIX, false }
    };

    void *self = put_bulk(rig, &o, answers, 1);
    assert_outcome(&rig->a, OBJ_OK);
    assert_false(is_signed(rig, 0));
    /* 0xe3069283, the check value of CRC-32C. */
    assert_string_equal(header_of(rig->fake, 0, "x-amz-checksum-crc32c"),
                        "4waSgw==");
    assert_null(header_of(rig->fake, 0, "x-amz-checksum-sha256"));
    assert_non_null(strstr(header_of(rig->fake, 0, "Authorization"),
                           ";x-amz-checksum-crc32c;"));
    /* All else is signed. */
    fake_add(rig->fake, OK_EMPTY, FAKE_CLOSE);
    fake_add(rig->fake, OK_EMPTY, FAKE_CLOSE);
    D.put(self, &rig->r, span_str("123456789"), NULL, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    assert_true(is_signed(rig, 1));
    const struct obj_put_opts once = { .bulk = true, .if_absent = true };
    D.put(self, &rig->r, span_str("123456789"), &once, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    assert_true(is_signed(rig, 2));
    D.close(self);
}

static void
a_checksum_that_is_not_confirmed_is_followed_by_a_signature(void **s)
{
    static const char *const first[] = {
        OK_EMPTY,
        "HTTP/1.1 200 OK\r\n" DATE
        "x-amz-checksum-crc32c: AAAAAA==\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\n" DATE "Content-Length: 0\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\n" DATE "Content-Length: 0\r\n\r\n",
        "HTTP/1.1 501 Not Implemented\r\n" DATE "Content-Length: 0\r\n\r\n",
    };
    struct rig *rig = *s;
    const struct obj_put_opts bulk = { .bulk = true };

    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        const size_t at = 2 * i;
        void *self = put_bulk(rig, &bulk, &first[i], 1);
        assert_outcome(&rig->a, OBJ_DIGEST);
        assert_false(is_signed(rig, at));
        fake_add(rig->fake, OK_EMPTY, FAKE_CLOSE);
        D.put(self, &rig->r, span_str("123456789"), &bulk, NULL, &rig->a);
        assert_outcome(&rig->a, OBJ_OK);
        assert_true(is_signed(rig, at + 1));
        assert_null(header_of(rig->fake, at + 1, "x-amz-checksum-crc32c"));
        D.close(self);
    }
}

static void
a_server_that_took_the_checksum_is_believed_when_it_refuses(void **s)
{
    static const char *const answers[] = {
        OK_CRC32C,
        "HTTP/1.1 403 Forbidden\r\n" DATE "Content-Length: 0\r\n\r\n",
    };
    struct rig *rig = *s;
    const struct obj_put_opts bulk = { .bulk = true };

    void *self = put_bulk(rig, &bulk, answers, 2);
    assert_outcome(&rig->a, OBJ_FORBIDDEN);
    assert_false(is_signed(rig, 1));
    D.close(self);
}

static void bucket_may_be_part_of_the_host(void **state)
{
    struct rig *rig = *state;
    struct obj_page page = { 0 };
    char host[40];
    void *self = open_on(rig->fake->port, "localhost", OBJ_ADDR_VIRTUAL, NULL);

    fake_add(rig->fake, OK_EMPTY, FAKE_CLOSE);
    fake_add(rig->fake,
             "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n"
             "<ListBucketResult/>",
             FAKE_CLOSE);
    D.put(self, &rig->r, span_str("x"), NULL, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    snprintf(host, sizeof host, "bucket.localhost:%u", rig->fake->port);
    assert_string_equal(header_of(rig->fake, 0, "Host"), host);
    assert_non_null(strstr(fake_head(rig->fake, 0), "PUT /k HTTP/1.1\r\n"));
    rig->r.key = "p/";
    D.list(self, &rig->r, NULL, &page, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    assert_non_null(
        strstr(fake_head(rig->fake, 1),
               "GET /?encoding-type=url&list-type=2&max-keys=1000&prefix=p%2F "
               "HTTP/1.1\r\n"));
    D.close(self);
}

static void lock_headers_are_read_in_any_case(void **state)
{
    struct rig *rig = *state;
    struct obj_info info;

    fake_add(rig->fake,
             "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nETag: W/\"e\"\r\n"
             "X-Amz-Object-Lock-Mode: compliance\r\n"
             "X-Amz-Object-Lock-Retain-Until-Date: "
             "2026-11-22T20:55:06.123456789+01:00\r\n"
             "X-AMZ-OBJECT-LOCK-LEGAL-HOLD: ON\r\nX-AMZ-VERSION-ID: null\r\n"
             "X-Amz-Meta-Objvault-Nonce: abc\r\n"
             "Last-Modified: Sun, 22 Nov 2026 19:55:06 GMT\r\n\r\n",
             FAKE_NONE);
    D.head(rig->self, &rig->r, &info, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    assert_int_equal(info.size, 7);
    assert_int_equal(info.lock.mode, OBJ_LOCK_COMPLIANCE);
    assert_int_equal(info.lock.until, DATE_UNIX);
    assert_true(info.lock.legal_hold);
    assert_string_equal(info.version, "null");
    assert_string_equal(info.etag, "e");
    assert_int_equal(info.modified, DATE_UNIX);
    assert_string_equal(rig->a.nonce, "abc");
}

static void bucket_is_made_in_the_region_that_is_signed_for(void **state)
{
    struct rig *rig = *state;

    D.set_region(rig->self, "eu-north-7");
    fake_add(rig->fake, OK_EMPTY, FAKE_CLOSE);
    D.bucket_create(rig->self, &rig->r, false, &rig->a);
    assert_outcome(&rig->a, OBJ_OK);
    assert_non_null(strstr(fake_head(rig->fake, 0), "PUT /bucket HTTP/1.1"));
    assert_non_null(
        strstr(rig->fake->requests[0].body, "<LocationConstraint>eu-north-7<"));
    assert_null(header_of(rig->fake, 0, "x-amz-bucket-object-lock-enabled"));

    D.set_region(rig->self, "us-east-1");
    fake_add(rig->fake, ERROR("409", "BucketAlreadyExists", "taken", ""),
             FAKE_CLOSE);
    D.bucket_create(rig->self, &rig->r, true, &rig->a);
    assert_outcome(&rig->a, OBJ_THERE);
    assert_string_equal(header_of(rig->fake, 1, "content-length"), "0");
    assert_string_equal(
        header_of(rig->fake, 1, "x-amz-bucket-object-lock-enabled"), "true");

    fake_add(rig->fake, ERROR("403", "AccessDenied", "no", ""), FAKE_CLOSE);
    D.bucket_create(rig->self, &rig->r, true, &rig->a);
    assert_outcome(&rig->a, OBJ_FORBIDDEN);
}

static void log_names_requests_but_no_secrets(void **state)
{
    struct rig *rig = *state;
    char path[] = "/tmp/objvault-unit-XXXXXX";
    char text[16384];
    int file = mkstemp(path), saved = dup(2);

    assert_true(file >= 0 && saved >= 0);
    fake_add(rig->fake,
             ERROR("403", "SignatureDoesNotMatch", "no\nnew line",
                   "x-amz-request-id: R1\r\n"),
             FAKE_CLOSE);
    dup2(file, 2);
    log_setup(LOG_DEBUG, false);
    put(rig, "body of the object");
    log_setup(LOG_WARN, false);
    dup2(saved, 2);
    close(saved);
    ssize_t n = pread(file, text, sizeof text - 1, 0);
    close(file);
    unlink(path);
    assert_true(n > 0);
    text[n] = '\0';
    assert_outcome(&rig->a, OBJ_AUTH);
    assert_non_null(strstr(text, "PUT /bucket/k"));
    assert_non_null(strstr(text, "status=403"));
    assert_non_null(strstr(text, "sent=18"));
    assert_non_null(strstr(text, "request_id=R1"));
    assert_non_null(strstr(text, "code=SignatureDoesNotMatch no?new line"));
    assert_null(strstr(text, SECRET));
    assert_null(strstr(text, TOKEN));
    assert_null(strstr(text, "Signature="));
    assert_null(strstr(text, "AKID"));
    assert_null(strstr(text, "body of"));
}

static void assert_not_opened(struct obj_config c, enum err_kind kind,
                              const char *why)
{
    char *name = NULL;
    struct err e = { 0 };

    if (c.bucket == NULL)
        c.bucket = "bucket";
    assert_null(D.open(&c, &name, &e));
    assert_null(name);
    assert_int_equal(e.kind, kind);
    if (strstr(e.msg, why) == NULL)
        fail_msg("%s", e.msg);
}

static void wrong_configuration_is_refused(void **state)
{
    static const char *const buckets[] = { "",    "ab",  "UPPER", "a..b",
                                           "-ab", "ab-", "a/b",   "a b" };
    static const char *const endpoints[] = {
        "ftp://h",      "http://h/path", "http://h?q",
        "http://u:p@h", "http://h#f",    "not a url",
        "http://",      "h:9000",        "unix:/x",
    };
    char large[65];

    (void)state;
    for (size_t i = 0; i < sizeof buckets / sizeof buckets[0]; i++)
        assert_not_opened((struct obj_config){ .bucket = buckets[i] },
                          ERR_USAGE, "bucket ");
    memset(large, 'a', 64);
    large[64] = '\0';
    assert_not_opened((struct obj_config){ .bucket = large }, ERR_USAGE, "63");
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++)
        assert_not_opened((struct obj_config){ .endpoint = endpoints[i] },
                          ERR_USAGE, "expected http[s]://host[:port]");
    assert_not_opened((struct obj_config){ .region = "a/b" }, ERR_USAGE,
                      "is no region");
    assert_not_opened((struct obj_config){ .region = "" }, ERR_USAGE,
                      "is no region");
    assert_not_opened((struct obj_config){ .ca_file = "/no/such/file" },
                      ERR_CONFIG, "certificates /no/such/file");
    assert_not_opened((struct obj_config){ .credentials_file = "/no/such" },
                      ERR_DENIED, "/no/such");
}

static void store_is_named_by_bucket_prefix_and_endpoint(void **state)
{
    static const struct {
        const char *endpoint, *prefix, *name;
    } cases[] = {
        { NULL, NULL, "s3://bucket" },
        { NULL, "a/b", "s3://bucket/a/b" },
        { "https://h:443", "", "s3://bucket on https://h" },
        { "http://h:80/", "p", "s3://bucket/p on http://h" },
        { "http://[::1]:9000", NULL, "s3://bucket on http://[::1]:9000" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct obj_config c = { .bucket = "bucket",
                                      .endpoint = cases[i].endpoint,
                                      .prefix = cases[i].prefix,
                                      .region = "eu-west-1" };
        char *name = NULL;
        struct err e;
        void *self = D.open(&c, &name, &e);
        assert_non_null(self);
        assert_string_equal(name, cases[i].name);
        D.close(self);
        free(name);
    }
    D.close(NULL);
}

/* What libcurl asks a proxy for is the host that it was told. */
static void assert_amazon_host(struct rig *rig, const struct obj_config *c,
                               const char *expected)
{
    char *name = NULL;
    struct err e;
    void *self = D.open(c, &name, &e);

    assert_non_null(self);
    fake_forget(rig->fake);
    fake_add(rig->fake, "HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n",
             FAKE_CLOSE);
    D.head(self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_NETWORK);
    assert_non_null(strstr(fake_head(rig->fake, 0), expected));
    D.close(self);
    free(name);
}

static void amazon_has_a_host_for_each_region(void **state)
{
    struct rig *rig = *state;
    struct obj_config c = { .bucket = "bucket", .region = "eu-west-1" };
    char proxy[64];

    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", rig->fake->port);
    setenv("https_proxy", proxy, 1);
    assert_amazon_host(rig, &c,
                       "CONNECT bucket.s3.eu-west-1.amazonaws.com:443 ");
    c.region = "cn-north-1";
    assert_amazon_host(rig, &c,
                       "CONNECT bucket.s3.cn-north-1.amazonaws.com.cn:443 ");
    c.addressing = OBJ_ADDR_PATH;
    assert_amazon_host(rig, &c, "CONNECT s3.cn-north-1.amazonaws.com.cn:443 ");
    /* No certificate covers a dot more. */
    c.addressing = OBJ_ADDR_AUTO;
    c.bucket = "bucket.with.dots";
    assert_amazon_host(rig, &c, "CONNECT s3.cn-north-1.amazonaws.com.cn:443 ");
    c.bucket = "bucket";
    c.endpoint = "https://s3.us-west-2.amazonaws.com";
    assert_amazon_host(rig, &c,
                       "CONNECT bucket.s3.us-west-2.amazonaws.com:443 ");
    unsetenv("https_proxy");
}

static void header_with_a_line_break_is_not_sent(void **state)
{
    struct rig *rig = *state;
    const struct obj_put_opts o = { .content_type = "text/plain\r\nx-evil: 1" };

    D.put(rig->self, &rig->r, span_str("x"), &o, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_LOCAL);
    assert_int_equal(rig->a.err.kind, ERR_USAGE);
    assert_int_equal(fake_requests(rig->fake), 0);
}

static void keys_that_cannot_be_read_again_are_kept(void **state)
{
    struct rig *rig = *state;

    unsetenv("AWS_SECRET_ACCESS_KEY");
    assert_false(D.refresh(rig->self));
    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    put(rig, "x");
    assert_outcome(&rig->a, OBJ_OK);
    setenv("AWS_ACCESS_KEY_ID", "NEWER", 1);
    setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    assert_true(D.refresh(rig->self));
    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    put(rig, "x");
    assert_non_null(strstr(header_of(rig->fake, 1, "Authorization"), "NEWER/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(request_is_exactly_what_was_signed),
        WITH_SERVER(unlocked_put_has_one_hash_only),
        WITH_SERVER(bulk_put_is_unsigned_with_a_signed_checksum),
        WITH_SERVER(
            a_checksum_that_is_not_confirmed_is_followed_by_a_signature),
        WITH_SERVER(
            a_server_that_took_the_checksum_is_believed_when_it_refuses),
        WITH_SERVER(bucket_may_be_part_of_the_host),
        WITH_SERVER(lock_headers_are_read_in_any_case),
        WITH_SERVER(bucket_is_made_in_the_region_that_is_signed_for),
        WITH_SERVER(log_names_requests_but_no_secrets),
        WITH_SERVER(wrong_configuration_is_refused),
        WITH_SERVER(store_is_named_by_bucket_prefix_and_endpoint),
        WITH_SERVER(amazon_has_a_host_for_each_region),
        WITH_SERVER(header_with_a_line_break_is_not_sent),
        WITH_SERVER(keys_that_cannot_be_read_again_are_kept),
    };

    no_proxy();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

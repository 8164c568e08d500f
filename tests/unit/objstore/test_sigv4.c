// SPDX-License-Identifier: Apache-2.0
//
// The signer against the vectors that Amazon publishes, and the rules of the
// canonical form one by one.
#include "objstore/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ACCESS_KEY "AKIAIOSFODNN7EXAMPLE"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define VIRTUAL_HOST "examplebucket.s3.amazonaws.com"
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* 20130524T000000Z */
static const struct obj_sigv4_scope scope = { .time = 1369353600,
                                              .region = "us-east-1",
                                              .service = "s3" };

static void make_key(uint8_t key[OBJ_SIGV4_KEY_BYTES])
{
    struct err e;

    assert_int_equal(obj_sigv4_key(span_str(SECRET_KEY), &scope, key, &e), 0);
}

/* The signature of a request is the end of its Authorization header. */
static void assert_signature(const struct obj_sigv4_request *r,
                             const char *expected)
{
    AUTO_BUF struct buf out = buf_init(65536);
    uint8_t key[OBJ_SIGV4_KEY_BYTES];
    struct err e;

    make_key(key);
    assert_int_equal(
        obj_sigv4_authorization(r, &scope, ACCESS_KEY, key, &out, &e), 0);
    const char *text = buf_cstr(&out);
    const char *at = strstr(text, ",Signature=");
    assert_non_null(at);
    assert_string_equal(at + strlen(",Signature="), expected);
}

static void signing_key_is_the_published_one(void **state)
{
    uint8_t key[OBJ_SIGV4_KEY_BYTES];
    char hex[OBJ_SIGV4_HEX_CHARS];

    (void)state;
    make_key(key);
    digest_hex(span_of(key, sizeof key), hex);
    assert_string_equal(hex, "dbb893acc010964918f1fd433add87c7"
                             "0e8b0db6be30c1fbeafefa5ec6ba8378");
}

static void get_of_a_range_signs_as_published(void **state)
{
    const struct obj_sigv4_pair headers[] = {
        { "Host", VIRTUAL_HOST },
        { "Range", "bytes=0-9" },
        { "x-amz-content-sha256", OBJ_SIGV4_EMPTY_SHA256 },
        { "x-amz-date", "20130524T000000Z" },
    };
    const struct obj_sigv4_request r = {
        "GET", "/test.txt", "", headers, COUNT(headers), OBJ_SIGV4_EMPTY_SHA256
    };
    AUTO_BUF struct buf out = buf_init(65536);
    uint8_t key[OBJ_SIGV4_KEY_BYTES];
    struct err e;

    (void)state;
    make_key(key);
    assert_int_equal(
        obj_sigv4_authorization(&r, &scope, ACCESS_KEY, key, &out, &e), 0);
    assert_string_equal(
        buf_cstr(&out),
        "AWS4-HMAC-SHA256 Credential=" ACCESS_KEY
        "/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature="
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void put_signs_as_published(void **state)
{
    AUTO_BUF struct buf path = buf_init(100);
    uint8_t digest[DIGEST_SHA256_BYTES];
    char hash[OBJ_SIGV4_HEX_CHARS];
    struct err e;

    (void)state;
    obj_sigv4_encode(&path, "/test$file.text", true);
    assert_int_equal(
        digest_sha256(span_str("Welcome to Amazon S3."), digest, &e), 0);
    digest_hex(span_of(digest, sizeof digest), hash);
    const struct obj_sigv4_pair headers[] = {
        { "Date", "Fri, 24 May 2013 00:00:00 GMT" },
        { "Host", VIRTUAL_HOST },
        { "x-amz-date", "20130524T000000Z" },
        { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
        { "x-amz-content-sha256", hash },
    };
    const struct obj_sigv4_request r = { "PUT",   buf_cstr(&path), "",
                                         headers, COUNT(headers),  hash };
    assert_signature(&r, "98ad721746da40c64f1a55b78f14c238"
                         "d841ea1380cd77a1b5971af0ece108bd");
}

static void assert_get_of_bucket(const struct obj_sigv4_pair *params, size_t n,
                                 const char *expected)
{
    const struct obj_sigv4_pair headers[] = {
        { "host", VIRTUAL_HOST },
        { "x-amz-content-sha256", OBJ_SIGV4_EMPTY_SHA256 },
        { "x-amz-date", "20130524T000000Z" },
    };
    AUTO_BUF struct buf query = buf_init(1000);
    struct err e;

    assert_int_equal(obj_sigv4_query(params, n, &query, &e), 0);
    const struct obj_sigv4_request r = { "GET",
                                         "/",
                                         buf_cstr(&query),
                                         headers,
                                         COUNT(headers),
                                         OBJ_SIGV4_EMPTY_SHA256 };
    assert_signature(&r, expected);
}

static void subresource_signs_as_published(void **state)
{
    const struct obj_sigv4_pair params[] = { { "lifecycle", "" } };

    (void)state;
    assert_get_of_bucket(params, 1,
                         "fea454ca298b7da1c68078a5d1bdbfbb"
                         "e0d65c699e0f91ac7a200a0136783543");
}

static void listing_signs_as_published(void **state)
{
    const struct obj_sigv4_pair params[] = { { "prefix", "J" },
                                             { "max-keys", "2" } };

    (void)state;
    assert_get_of_bucket(params, 2,
                         "34b48302e7b5fa45bde8084f4b7868a8"
                         "6f0a534bc59db6670ed5711ef69dc6f7");
}

static void presigned_url_signs_as_published(void **state)
{
    const struct obj_sigv4_pair params[] = {
        { "X-Amz-SignedHeaders", "host" },
        { "X-Amz-Expires", "86400" },
        { "X-Amz-Date", "20130524T000000Z" },
        { "X-Amz-Credential",
          ACCESS_KEY "/20130524/us-east-1/s3/aws4_request" },
        { "X-Amz-Algorithm", OBJ_SIGV4_ALGORITHM },
    };
    const struct obj_sigv4_pair headers[] = { { "host", VIRTUAL_HOST } };
    AUTO_BUF struct buf query = buf_init(1000);
    struct err e;

    (void)state;
    assert_int_equal(obj_sigv4_query(params, COUNT(params), &query, &e), 0);
    const struct obj_sigv4_request r = {
        "GET", "/test.txt", buf_cstr(&query), headers, 1, OBJ_SIGV4_UNSIGNED
    };
    assert_signature(&r, "aeeed9bbccd4d02ee5c0109b86d86835"
                         "f995330da4c265957d157751f604d404");
}

/* One link of a chunked upload's chain; signature is the former one before,
 * the new one after. */
static void sign_chunk(const char *algorithm, const char *empty,
                       struct span data, char signature[OBJ_SIGV4_HEX_CHARS])
{
    AUTO_BUF struct buf text = buf_init(4096);
    uint8_t key[OBJ_SIGV4_KEY_BYTES];
    uint8_t digest[DIGEST_SHA256_BYTES];
    char hash[OBJ_SIGV4_HEX_CHARS];
    struct err e;

    make_key(key);
    assert_int_equal(digest_sha256(data, digest, &e), 0);
    digest_hex(span_of(digest, sizeof digest), hash);
    buf_printf(&text, "%s\n20130524T000000Z\n", algorithm);
    obj_sigv4_scope_text(&scope, &text);
    buf_printf(&text, "\n%s\n%s%s", signature, empty, hash);
    assert_int_equal(obj_sigv4_signature(key, buf_span(&text), signature, &e),
                     0);
}

static void sign_seed(const struct obj_sigv4_request *r,
                      char signature[OBJ_SIGV4_HEX_CHARS])
{
    AUTO_BUF struct buf canonical = buf_init(4096);
    AUTO_BUF struct buf names = buf_init(4096);
    AUTO_BUF struct buf text = buf_init(4096);
    uint8_t key[OBJ_SIGV4_KEY_BYTES];
    struct err e;

    make_key(key);
    assert_int_equal(obj_sigv4_canonical(r, &canonical, &names, &e), 0);
    assert_int_equal(
        obj_sigv4_string_to_sign(&scope, buf_span(&canonical), &text, &e), 0);
    assert_int_equal(obj_sigv4_signature(key, buf_span(&text), signature, &e),
                     0);
}

static const uint8_t *letters(void)
{
    static uint8_t a[65536];

    memset(a, 'a', sizeof a);
    return a;
}

#define CHUNK "AWS4-HMAC-SHA256-PAYLOAD"
#define CHUNK_EMPTY OBJ_SIGV4_EMPTY_SHA256 "\n"

static void chunked_upload_signs_as_published(void **state)
{
    const struct obj_sigv4_pair headers[] = {
        { "content-encoding", "aws-chunked" },
        { "content-length", "66824" },
        { "host", "s3.amazonaws.com" },
        { "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
        { "x-amz-date", "20130524T000000Z" },
        { "x-amz-decoded-content-length", "66560" },
        { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
    };
    const struct obj_sigv4_request r = {
        "PUT",          "/examplebucket/chunkObject.txt",    "", headers,
        COUNT(headers), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    };
    char s[OBJ_SIGV4_HEX_CHARS];

    (void)state;
    sign_seed(&r, s);
    assert_string_equal(s, "4f232c4386841ef735655705268965c4"
                           "4a0e4690baa4adea153f7db9fa80a0a9");
    sign_chunk(CHUNK, CHUNK_EMPTY, span_of(letters(), 65536), s);
    assert_string_equal(s, "ad80c730a21e5b8d04586a2213dd63b9"
                           "a0e99e0e2307b0ade35a65485a288648");
    sign_chunk(CHUNK, CHUNK_EMPTY, span_of(letters(), 1024), s);
    assert_string_equal(s, "0055627c9e194cb4542bae2aa5492e3c"
                           "1575bbb81b612b7d234b86a503ef5497");
    sign_chunk(CHUNK, CHUNK_EMPTY, span_of("", 0), s);
    assert_string_equal(s, "b6c6ea8a5354eaf15b3cb7646744f427"
                           "5b71ea724fed81ceb9323e279d449df9");
}

static void chunked_upload_with_a_trailer_signs_as_published(void **state)
{
    const struct obj_sigv4_pair headers[] = {
        { "content-encoding", "aws-chunked" },
        { "host", "s3.amazonaws.com" },
        { "x-amz-content-sha256",
          "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" },
        { "x-amz-date", "20130524T000000Z" },
        { "x-amz-decoded-content-length", "66560" },
        { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
        { "x-amz-trailer", "x-amz-checksum-crc32c" },
    };
    const struct obj_sigv4_request r = {
        "PUT",
        "/examplebucket/chunkObject.txt",
        "",
        headers,
        COUNT(headers),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    };
    char s[OBJ_SIGV4_HEX_CHARS];

    (void)state;
    sign_seed(&r, s);
    assert_string_equal(s, "106e2a8a18243abcf37539882f36619c"
                           "00e2dfc72633413f02d3b74544bfeb8e");
    sign_chunk(CHUNK, CHUNK_EMPTY, span_of(letters(), 65536), s);
    sign_chunk(CHUNK, CHUNK_EMPTY, span_of(letters(), 1024), s);
    sign_chunk(CHUNK, CHUNK_EMPTY, span_of("", 0), s);
    sign_chunk("AWS4-HMAC-SHA256-TRAILER", "",
               span_str("x-amz-checksum-crc32c:sOO8/Q==\n"), s);
    assert_string_equal(s, "d81f82fc3505edab99d459891051a732"
                           "e8730629a2e4a59689829ca17fe2e435");
}

static void assert_encoded(const char *text, bool keep_slash,
                           const char *expected)
{
    AUTO_BUF struct buf out = buf_init(1000);

    obj_sigv4_encode(&out, text, keep_slash);
    assert_string_equal(buf_cstr(&out), expected);
}

static void all_but_unreserved_bytes_are_encoded_once(void **state)
{
    (void)state;
    assert_encoded("AZaz09-_.~", false, "AZaz09-_.~");
    assert_encoded("a/b", true, "a/b");
    assert_encoded("a/b", false, "a%2Fb");
    assert_encoded(" +&=?#%*'()!$,;:@", true,
                   "%20%2B%26%3D%3F%23%25%2A%27%28%29%21%24%2C%3B%3A%40");
    assert_encoded("\xc3\xa9\x01\x7f", true, "%C3%A9%01%7F");
    /* Not a second time, and nothing is normalised. */
    assert_encoded("%41/../a//b/.", true, "%2541/../a//b/.");
    assert_encoded("", true, "");
}

static void query_is_sorted_by_encoded_name_then_value(void **state)
{
    /* '-' sorts before '=': names must be compared alone. */
    const struct obj_sigv4_pair params[] = {
        { "b", "2" },      { "a-b", "x" }, { "a", "z/+ " },    { "b", "10" },
        { "uploads", "" }, { "B", "~" },   { "\xc3\xa9", "" },
    };
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e;

    (void)state;
    assert_int_equal(obj_sigv4_query(params, COUNT(params), &out, &e), 0);
    assert_string_equal(buf_cstr(&out),
                        "%C3%A9=&B=~&a=z%2F%2B%20&a-b=x&b=10&b=2&uploads=");
}

static void query_of_too_many_parameters_is_refused(void **state)
{
    struct obj_sigv4_pair params[OBJ_SIGV4_PAIRS_MAX + 1];
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(params); i++)
        params[i] = (struct obj_sigv4_pair){ "a", "b" };
    assert_int_equal(obj_sigv4_query(params, COUNT(params), &out, &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
}

static void headers_are_trimmed_sorted_and_joined(void **state)
{
    const struct obj_sigv4_pair headers[] = {
        { "x-amz-meta-a-b", "1" },
        { "x-amz-meta-a", "  two   inner\tblanks  " },
        { "HOST", "h:9000" },
        { "My-Header", "second" },
        { "x-amz-empty", " \t " },
        { "my-header", "first" },
    };
    const struct obj_sigv4_request r = { "GET",   "/k",           "a=b",
                                         headers, COUNT(headers), "HASH" };
    AUTO_BUF struct buf canonical = buf_init(1000);
    AUTO_BUF struct buf names = buf_init(1000);
    struct err e;

    (void)state;
    assert_int_equal(obj_sigv4_canonical(&r, &canonical, &names, &e), 0);
    assert_string_equal(buf_cstr(&canonical),
                        "GET\n/k\na=b\n"
                        "host:h:9000\n"
                        "my-header:second,first\n"
                        "x-amz-empty:\n"
                        "x-amz-meta-a:two inner blanks\n"
                        "x-amz-meta-a-b:1\n"
                        "\n"
                        "host;my-header;x-amz-empty;x-amz-meta-a;"
                        "x-amz-meta-a-b\n"
                        "HASH");
    assert_string_equal(
        buf_cstr(&names),
        "host;my-header;x-amz-empty;x-amz-meta-a;x-amz-meta-a-b");
}

static void request_of_too_many_headers_is_refused(void **state)
{
    struct obj_sigv4_pair headers[OBJ_SIGV4_PAIRS_MAX + 1];
    const struct obj_sigv4_request r = { "GET",          "/", "", headers,
                                         COUNT(headers), "" };
    AUTO_BUF struct buf out = buf_init(65536);
    const uint8_t key[OBJ_SIGV4_KEY_BYTES] = { 0 };
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++)
        headers[i] = (struct obj_sigv4_pair){ "a", "b" };
    assert_int_equal(
        obj_sigv4_authorization(&r, &scope, ACCESS_KEY, key, &out, &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
}

static void output_that_does_not_fit_is_an_error(void **state)
{
    const struct obj_sigv4_pair headers[] = { { "host", VIRTUAL_HOST } };
    const struct obj_sigv4_request r = { "GET", "/test.txt",       "", headers,
                                         1,     OBJ_SIGV4_UNSIGNED };
    const struct obj_sigv4_pair param = { "prefix", "abcdef" };
    AUTO_BUF struct buf small = buf_init(8);
    AUTO_BUF struct buf names = buf_init(8);
    const uint8_t key[OBJ_SIGV4_KEY_BYTES] = { 0 };
    struct err e;

    (void)state;
    assert_int_equal(obj_sigv4_query(&param, 1, &small, &e), -1);
    buf_reset(&small);
    assert_int_equal(
        obj_sigv4_authorization(&r, &scope, ACCESS_KEY, key, &small, &e), -1);
    buf_reset(&small);
    assert_int_equal(
        obj_sigv4_string_to_sign(&scope, span_str("x"), &small, &e), -1);
    buf_reset(&small);
    AUTO_BUF struct buf large = buf_init(4096);
    AUTO_BUF struct buf tiny = buf_init(2);
    assert_int_equal(obj_sigv4_canonical(&r, &small, &names, &e), -1);
    assert_int_equal(obj_sigv4_canonical(&r, &large, &tiny, &e), -1);
}

static void overlong_secret_is_refused(void **state)
{
    uint8_t key[OBJ_SIGV4_KEY_BYTES];
    char secret[300];
    struct err e;

    (void)state;
    memset(secret, 's', sizeof secret);
    assert_int_equal(
        obj_sigv4_key(span_of(secret, sizeof secret), &scope, key, &e), -1);
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_int_equal(obj_sigv4_key(span_of(secret, 256), &scope, key, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signing_key_is_the_published_one),
        cmocka_unit_test(get_of_a_range_signs_as_published),
        cmocka_unit_test(put_signs_as_published),
        cmocka_unit_test(subresource_signs_as_published),
        cmocka_unit_test(listing_signs_as_published),
        cmocka_unit_test(presigned_url_signs_as_published),
        cmocka_unit_test(chunked_upload_signs_as_published),
        cmocka_unit_test(chunked_upload_with_a_trailer_signs_as_published),
        cmocka_unit_test(all_but_unreserved_bytes_are_encoded_once),
        cmocka_unit_test(query_is_sorted_by_encoded_name_then_value),
        cmocka_unit_test(query_of_too_many_parameters_is_refused),
        cmocka_unit_test(headers_are_trimmed_sorted_and_joined),
        cmocka_unit_test(request_of_too_many_headers_is_refused),
        cmocka_unit_test(output_that_does_not_fit_is_an_error),
        cmocka_unit_test(overlong_secret_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

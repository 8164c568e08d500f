// SPDX-License-Identifier: Apache-2.0
//
// What an S3 server says to keys, clocks and signatures of ours; skipped where
// the environment names none (OBJVAULT_TEST_S3_ENDPOINT, _ACCESS_KEY,
// _SECRET_KEY, perhaps _CA).  What every driver must do is in
// tests/conformance.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/utc.h"
#include "objstore/driver.h"

#define D obj_s3_driver

static void *driver; /* on a bucket made for this run */
static char bucket[64];

static void *open_driver(const char *name)
{
    const struct obj_config c = {
        .bucket = name,
        .endpoint = getenv("OBJVAULT_TEST_S3_ENDPOINT"),
        .ca_file = getenv("OBJVAULT_TEST_S3_CA"),
        .region = getenv("OBJVAULT_TEST_S3_REGION"),
    };
    struct err e = { 0 };
    char *text = NULL;
    void *self = D.open(&c, &text, &e);

    if (self == NULL)
        fail_msg("%s", e.msg);
    free(text);
    return self;
}

static void assert_outcome(const struct obj_attempt *a,
                           enum obj_outcome expected)
{
    if (a->outcome != expected)
        fail_msg("outcome %d instead of %d: %d %s %s %s", (int)a->outcome,
                 (int)expected, a->http, a->code, a->message,
                 a->outcome == OBJ_LOCAL ? a->err.msg : "");
}

static struct obj_req request(const char *key)
{
    return (struct obj_req){ .key = key };
}

static struct obj_attempt put(const char *key, const char *body)
{
    struct obj_req r = request(key);
    struct obj_attempt a = { 0 };

    D.put(driver, &r, span_str(body), NULL, NULL, &a);
    assert_outcome(&a, OBJ_OK);
    return a;
}

static int setup(void **state)
{
    struct obj_req none = request("");
    struct obj_attempt a = { 0 };
    uint8_t random[8];
    char run[2 * sizeof random + 1];
    struct err e;

    (void)state;
    if (digest_random(random, sizeof random, &e) < 0)
        return -1;
    digest_hex(span_of(random, sizeof random), run);
    snprintf(bucket, sizeof bucket, "objvault-unit-%s", run);
    driver = open_driver(bucket);
    D.bucket_create(driver, &none, false, &a);
    return a.outcome == OBJ_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    D.close(driver);
    return 0;
}

static void answer_is_known_by_status_request_id_and_etag(void **state)
{
    struct obj_req r = request("k");
    struct obj_attempt a = put("k", "hello");
    struct obj_info info;

    (void)state;
    assert_int_equal(a.http, 200);
    assert_int_equal(a.verb, OBJ_PUT);
    assert_true(a.request_id[0] != '\0');
    D.head(driver, &r, &info, &a);
    assert_outcome(&a, OBJ_OK);
    assert_string_equal(info.etag, "5d41402abc4b2a76b9719d911017c592");
    r.key = "nothing";
    D.head(driver, &r, NULL, &a);
    assert_outcome(&a, OBJ_ABSENT);
    assert_int_equal(a.http, 404);
    assert_string_equal(a.code, "NoSuchKey");
}

static void key_that_xml_cannot_say_is_not_sent(void **state)
{
    struct obj_req all = request("");
    struct obj_attempt a = { 0 };
    struct obj_name name = { .key = "many/\x01" };

    (void)state;
    D.remove_many(driver, &all, &name, 1, false, &a);
    assert_outcome(&a, OBJ_UNABLE);
    assert_int_equal(a.http, 0);
}

static void wrong_keys_are_refused(void **state)
{
    struct obj_req r = request("absent");
    struct obj_attempt a = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    const char *good = getenv("OBJVAULT_TEST_S3_SECRET_KEY");

    (void)state;
    setenv("AWS_SECRET_ACCESS_KEY", "wrong-wrong-wrong", 1);
    void *self = open_driver(bucket);
    D.get(self, &r, NULL, &out, NULL, &a);
    assert_outcome(&a, OBJ_AUTH);
    assert_string_equal(a.code, "SignatureDoesNotMatch");
    D.head(self, &r, NULL, &a);
    assert_outcome(&a, OBJ_AUTH);
    /* A large body is refused before it was sent. */
    AUTO_BUF struct buf body = buf_init(8u << 20);
    memset(buf_reserve(&body, 8u << 20), 'x', 8u << 20);
    body.len = 8u << 20;
    D.put(self, &r, buf_span(&body), NULL, NULL, &a);
    assert_outcome(&a, OBJ_AUTH);

    /* The right ones in the meantime: refreshed, once. */
    assert_false(obj_s3_driver.refresh(self));
    setenv("AWS_SECRET_ACCESS_KEY", good, 1);
    assert_true(obj_s3_driver.refresh(self));
    assert_false(obj_s3_driver.refresh(self));
    D.get(self, &r, NULL, &out, NULL, &a);
    assert_outcome(&a, OBJ_ABSENT);
    obj_s3_driver.close(self);
}

static void skewed_clock_is_named_and_corrected_by_the_offset(void **state)
{
    struct obj_req r = request("a/b");
    struct obj_attempt a = { .clock_offset = -1200 };

    (void)state;
    put("a/b", "hello");
    AUTO_BUF struct buf out = buf_init(100);
    D.get(driver, &r, NULL, &out, NULL, &a);
    assert_outcome(&a, OBJ_CLOCK);
    assert_true(llabs(a.server_time - utc_real_now()) < 60);
    a.clock_offset = 0;
    D.get(driver, &r, NULL, &out, NULL, &a);
    assert_outcome(&a, OBJ_OK);
}

static void nothing_is_signed_after_its_time(void **state)
{
    struct obj_req r = { .key = "late", .sign_before = utc_real_now() - 1 };
    struct obj_attempt a = { 0 };

    (void)state;
    D.put(driver, &r, span_str("x"), NULL, NULL, &a);
    assert_outcome(&a, OBJ_LOCAL);
    assert_int_equal(a.err.kind, ERR_PRECONDITION);
    assert_int_equal(a.sent, 0);
    r.sign_before = utc_real_now() + 60;
    /* It is the server's time that counts. */
    a = (struct obj_attempt){ .clock_offset = 120 };
    D.put(driver, &r, span_str("x"), NULL, NULL, &a);
    assert_outcome(&a, OBJ_LOCAL);
    a = (struct obj_attempt){ 0 };
    D.put(driver, &r, span_str("x"), NULL, NULL, &a);
    assert_outcome(&a, OBJ_OK);
}

static void dead_connection_is_replaced(void **state)
{
    struct obj_req r = request("a/b");
    struct obj_attempt a = { .fresh_connection = true };

    (void)state;
    put("a/b", "hello");
    D.head(driver, &r, NULL, &a);
    assert_outcome(&a, OBJ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_is_known_by_status_request_id_and_etag),
        cmocka_unit_test(key_that_xml_cannot_say_is_not_sent),
        cmocka_unit_test(wrong_keys_are_refused),
        cmocka_unit_test(skewed_clock_is_named_and_corrected_by_the_offset),
        cmocka_unit_test(nothing_is_signed_after_its_time),
        cmocka_unit_test(dead_connection_is_replaced),
    };
    const char *access = getenv("OBJVAULT_TEST_S3_ACCESS_KEY");
    const char *secret = getenv("OBJVAULT_TEST_S3_SECRET_KEY");

    if (getenv("OBJVAULT_TEST_S3_ENDPOINT") == NULL || access == NULL ||
        secret == NULL)
        return 77;
    setenv("AWS_ACCESS_KEY_ID", access, 1);
    setenv("AWS_SECRET_ACCESS_KEY", secret, 1);
    unsetenv("AWS_SESSION_TOKEN");
    return cmocka_run_group_tests(tests, setup, teardown);
}

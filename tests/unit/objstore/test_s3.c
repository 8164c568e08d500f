// SPDX-License-Identifier: Apache-2.0
//
// The S3 driver's objects, listings and buckets on a real server; skipped
// where the environment names none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "s3_real.h"

#define D obj_s3_driver

static void object_comes_back_with_its_properties(void **state)
{
    struct obj_req r = real_req("a/b");
    struct obj_attempt a = { 0 };
    struct obj_info put, got, head;
    AUTO_BUF struct buf out = buf_init(100);

    (void)state;
    D.put(real.plain, &r, span_str("hello"), NULL, &put, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(a.http, 200);
    assert_int_equal(a.verb, OBJ_PUT);
    assert_int_equal(a.sent, 5);
    assert_true(a.request_id[0] != '\0');
    assert_int_equal(put.size, 5);
    assert_string_equal(put.etag, "5d41402abc4b2a76b9719d911017c592");
    assert_string_equal(put.version, "");
    assert_true(llabs(put.server_time - utc_real_now()) < 60);

    buf_append_str(&out, "before ");
    D.get(real.plain, &r, NULL, &out, &got, &a);
    assert_outcome(&a, OBJ_OK);
    assert_string_equal(buf_cstr(&out), "before hello");
    assert_int_equal(a.received, 5);
    assert_int_equal(got.size, 5);
    assert_string_equal(got.etag, put.etag);

    D.head(real.plain, &r, &head, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(head.size, 5);
    assert_string_equal(head.etag, put.etag);
    assert_true(llabs(head.modified - utc_real_now()) < 60);
    assert_int_equal(head.lock.mode, OBJ_LOCK_NONE);
    assert_string_equal(a.nonce, "");
}

static void body_of_any_size_survives(void **state)
{
    static const size_t sizes[] = { 0, 1, 100000, 9u << 20 };
    struct obj_req r = real_req("size");

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        AUTO_BUF struct buf in = buf_init(sizes[i] + 1);
        AUTO_BUF struct buf out = buf_init(sizes[i]);
        struct obj_attempt a = { 0 };
        struct obj_info info;
        uint8_t *p = buf_reserve(&in, sizes[i] + 1);
        for (size_t n = 0; n < sizes[i]; n++)
            p[n] = (uint8_t)(n * 31 + n / 251);
        in.len = sizes[i];
        D.put(real.plain, &r, buf_span(&in), NULL, NULL, &a);
        assert_outcome(&a, OBJ_OK);
        D.get(real.plain, &r, NULL, &out, &info, &a);
        assert_outcome(&a, OBJ_OK);
        assert_int_equal(info.size, sizes[i]);
        assert_true(span_eq(buf_span(&in), buf_span(&out)));
    }
}

static void keys_with_odd_characters_are_kept_byte_for_byte(void **state)
{
    static const char *const keys[] = {
        "odd/a b+c",      "odd/\xc3\xa9\xe2\x82\xac",
        "odd/a&b<c>\"'",  "odd/%41%2F",
        "odd/~!$()=,;:@", "odd/?#[]{}|^`",
        "odd/tab\there",  "odd/new\nline",
        "odd/\x01\x7f",
    };
    size_t n = sizeof keys / sizeof keys[0];
    struct obj_req all = real_req("odd/");
    struct obj_page page = { 0 };
    struct obj_attempt a = { 0 };

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct obj_req r = real_req(keys[i]);
        char got[100];
        real_put(real.plain, keys[i], keys[i]);
        assert_int_equal(real_get(real.plain, &r, NULL, got, sizeof got),
                         OBJ_OK);
        assert_string_equal(got, keys[i]);
    }
    D.list(real.plain, &all, NULL, &page, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(page.n, n);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < n && strcmp(page.entries[i].key, keys[k]) != 0)
            k++;
        assert_true(k < n);
        assert_int_equal(page.entries[i].info.size, strlen(keys[k]));
    }
    obj_page_clear(&page);
}

static void range_gives_exactly_that_part(void **state)
{
    static const struct {
        struct obj_range range;
        const char *expected;
    } cases[] = {
        { { 0, 0 }, "0123456789" }, { { 2, 3 }, "234" }, { { 7, 0 }, "789" },
        { { 7, 100 }, "789" },      { { 0, 1 }, "0" },
    };
    struct obj_req r = real_req("range");
    struct obj_attempt a = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    char got[100];

    (void)state;
    real_put(real.plain, "range", "0123456789");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            real_get(real.plain, &r, &cases[i].range, got, sizeof got), OBJ_OK);
        assert_string_equal(got, cases[i].expected);
    }
    /* info is about the object, not about the part. */
    const struct obj_range part = { 2, 3 };
    struct obj_info info;
    D.get(real.plain, &r, &part, &out, &info, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(info.size, 10);

    const struct obj_range beyond = { 10, 5 };
    D.get(real.plain, &r, &beyond, &out, NULL, &a);
    assert_outcome(&a, OBJ_REJECTED);
    assert_int_equal(a.http, 416);
    assert_int_equal(out.len, 3);
    const struct obj_range overflow = { UINT64_MAX, 5 };
    D.get(real.plain, &r, &overflow, &out, NULL, &a);
    assert_outcome(&a, OBJ_REJECTED);
}

static void object_larger_than_the_buffer_is_refused(void **state)
{
    struct obj_req r = real_req("large");
    AUTO_BUF struct buf out = buf_init(9);
    struct obj_attempt a = { 0 };

    (void)state;
    real_put(real.plain, "large", "0123456789");
    D.get(real.plain, &r, NULL, &out, NULL, &a);
    assert_outcome(&a, OBJ_LOCAL);
    assert_int_equal(a.err.kind, ERR_CORRUPT);
    assert_int_equal(out.len, 0);
}

static void what_is_not_there_is_absent(void **state)
{
    struct obj_req r = real_req("nothing");
    struct obj_attempt a = { 0 };
    AUTO_BUF struct buf out = buf_init(100);

    (void)state;
    D.get(real.plain, &r, NULL, &out, NULL, &a);
    assert_outcome(&a, OBJ_ABSENT);
    assert_string_equal(a.code, "NoSuchKey");
    D.head(real.plain, &r, NULL, &a);
    assert_outcome(&a, OBJ_ABSENT);
    D.remove(real.plain, &r, false, &a);
    assert_outcome(&a, OBJ_OK);
}

static void missing_bucket_is_told_apart_from_a_missing_key(void **state)
{
    struct obj_req r = real_req("k");
    struct obj_attempt a = { 0 };
    struct obj_page page = { 0 };
    struct obj_bucket b;
    AUTO_BUF struct buf out = buf_init(100);
    struct obj_name name = { .key = "k" };
    void *self = real_open("objvault-unit-no-such-bucket");

    (void)state;
    D.put(self, &r, span_str("x"), NULL, NULL, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    D.get(self, &r, NULL, &out, NULL, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    D.list(self, &r, NULL, &page, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    D.bucket_info(self, &r, &b, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    D.remove_many(self, &r, &name, 1, false, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    obj_s3_driver.close(self);
}

static void put_if_absent_refuses_an_existing_object(void **state)
{
    const struct obj_put_opts o = { .if_absent = true };
    struct obj_req r = real_req("once");
    struct obj_attempt a = { .nonce = "00112233445566778899aabbccddeeff" };
    struct obj_attempt second = { .nonce = "ffffffffffffffffffffffffffffffff" };
    struct obj_attempt head = { 0 };

    (void)state;
    D.put(real.plain, &r, span_str("first"), &o, NULL, &a);
    assert_outcome(&a, OBJ_OK);
    D.put(real.plain, &r, span_str("second"), &o, NULL, &second);
    assert_outcome(&second, OBJ_THERE);
    assert_int_equal(second.http, 412);
    /* The nonce tells whose it is. */
    D.head(real.plain, &r, NULL, &head);
    assert_outcome(&head, OBJ_OK);
    assert_string_equal(head.nonce, "00112233445566778899aabbccddeeff");
}

static void unsigned_payload_with_a_checksum_is_accepted(void **state)
{
    struct obj_config c = real_config(real.plain_name);
    const struct obj_put_opts bulk = { .bulk = true };
    struct obj_req r = real_req("bulk");
    struct obj_attempt a = { 0 };
    char got[100];

    (void)state;
    c.payload = OBJ_PAYLOAD_CRC32C;
    void *self = real_open_config(&c);
    D.put(self, &r, span_str("bulk body"), &bulk, NULL, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(real_get(self, &r, NULL, got, sizeof got), OBJ_OK);
    assert_string_equal(got, "bulk body");
    D.put(self, &r, span_str(""), &bulk, NULL, &a);
    assert_outcome(&a, OBJ_OK);
    obj_s3_driver.close(self);
}

static void listing_goes_on_over_pages(void **state)
{
    AUTO_BUF struct buf keys = buf_init(10000);
    struct obj_list_opts o = { .page = 3 };
    char key[20];

    (void)state;
    for (int i = 0; i < 7; i++) {
        snprintf(key, sizeof key, "list/%c", 'a' + i);
        real_put(real.plain, key, "x");
    }
    real_put(real.plain, "list0", "outside");
    assert_int_equal(real_list(real.plain, "list/", &o, &keys), 3);
    assert_string_equal(buf_cstr(&keys),
                        "list/a;list/b;list/c;list/d;list/e;list/f;list/g;");

    buf_reset(&keys);
    o.after = "list/e";
    assert_int_equal(real_list(real.plain, "list/", &o, &keys), 1);
    assert_string_equal(buf_cstr(&keys), "list/f;list/g;");

    buf_reset(&keys);
    assert_int_equal(real_list(real.plain, "no-such/", &o, &keys), 1);
    assert_int_equal(keys.len, 0);
}

static void many_are_deleted_at_once(void **state)
{
    struct obj_req all = real_req("");
    struct obj_attempt a = { 0 };
    AUTO_BUF struct buf keys = buf_init(1000);
    const struct obj_list_opts o = { 0 };
    struct obj_name names[] = { { .key = "many/a & b" },
                                { .key = "many/missing" },
                                { .key = "many/c" },
                                { .key = "many/c" } };

    (void)state;
    real_put(real.plain, "many/a & b", "x");
    real_put(real.plain, "many/c", "x");
    real_put(real.plain, "many/d", "x");
    D.remove_many(real.plain, &all, names, 3, false, &a);
    assert_outcome(&a, OBJ_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(names[i].result, ERR_NONE);
    real_list(real.plain, "many/", &o, &keys);
    assert_string_equal(buf_cstr(&keys), "many/d;");
}

static void key_that_xml_cannot_say_is_not_sent(void **state)
{
    struct obj_req all = real_req("");
    struct obj_attempt a = { 0 };
    struct obj_name name = { .key = "many/\x01" };

    (void)state;
    D.remove_many(real.plain, &all, &name, 1, false, &a);
    assert_outcome(&a, OBJ_UNABLE);
    assert_int_equal(a.http, 0);
}

static void thousand_keys_are_deleted_in_one_request(void **state)
{
    static struct obj_name names[1000];
    static char keys[1000][24];
    struct obj_req all = real_req("");
    struct obj_attempt a = { 0 };

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        snprintf(keys[i], sizeof keys[i], "thousand/%04zu", i);
        names[i].key = keys[i];
    }
    real_put(real.plain, keys[0], "x");
    real_put(real.plain, keys[999], "x");
    D.remove_many(real.plain, &all, names, 1000, false, &a);
    assert_outcome(&a, OBJ_OK);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(names[i].result, ERR_NONE);
    struct obj_req last = real_req(keys[999]);
    D.head(real.plain, &last, NULL, &a);
    assert_outcome(&a, OBJ_ABSENT);
}

static void bucket_information_tells_versions_and_lock(void **state)
{
    struct obj_req r = real_req("");
    struct obj_attempt a = { 0 };
    struct obj_bucket b;

    (void)state;
    D.bucket_info(real.plain, &r, &b, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(b.versioning, OBJ_VERSIONS_NEVER);
    assert_false(b.object_lock);
    assert_int_equal(b.default_mode, OBJ_LOCK_NONE);
    assert_true(llabs(b.server_time - utc_real_now()) < 60);
    D.bucket_info(real.versions, &r, &b, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(b.versioning, OBJ_VERSIONS_ON);
    assert_true(b.object_lock);
}

static void own_bucket_may_be_made_again_unless_it_lacks_the_lock(void **state)
{
    struct obj_req r = real_req("");
    struct obj_attempt a = { 0 };

    (void)state;
    D.bucket_create(real.plain, &r, false, &a);
    assert_outcome(&a, OBJ_OK);
    D.bucket_create(real.versions, &r, true, &a);
    assert_outcome(&a, OBJ_OK);
    D.bucket_create(real.plain, &r, true, &a);
    assert_outcome(&a, OBJ_THERE);
    assert_non_null(strstr(a.message, "without object lock"));
}

static void wrong_keys_are_refused(void **state)
{
    struct obj_req r = real_req("k");
    struct obj_attempt a = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    const char *good = getenv("OBJVAULT_TEST_S3_SECRET_KEY");

    (void)state;
    setenv("AWS_SECRET_ACCESS_KEY", "wrong-wrong-wrong", 1);
    void *self = real_open(real.plain_name);
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
    struct obj_req r = real_req("a/b");
    struct obj_attempt a = { .clock_offset = -1200 };

    (void)state;
    real_put(real.plain, "a/b", "hello");
    AUTO_BUF struct buf out = buf_init(100);
    D.get(real.plain, &r, NULL, &out, NULL, &a);
    assert_outcome(&a, OBJ_CLOCK);
    assert_true(llabs(a.server_time - utc_real_now()) < 60);
    a.clock_offset = 0;
    D.get(real.plain, &r, NULL, &out, NULL, &a);
    assert_outcome(&a, OBJ_OK);
}

static void nothing_is_signed_after_its_time(void **state)
{
    struct obj_req r = { .key = "late", .sign_before = utc_real_now() - 1 };
    struct obj_attempt a = { 0 };

    (void)state;
    D.put(real.plain, &r, span_str("x"), NULL, NULL, &a);
    assert_outcome(&a, OBJ_LOCAL);
    assert_int_equal(a.err.kind, ERR_PRECONDITION);
    assert_int_equal(a.sent, 0);
    r.sign_before = utc_real_now() + 60;
    /* It is the server's time that counts. */
    a = (struct obj_attempt){ .clock_offset = 120 };
    D.put(real.plain, &r, span_str("x"), NULL, NULL, &a);
    assert_outcome(&a, OBJ_LOCAL);
    a = (struct obj_attempt){ 0 };
    D.put(real.plain, &r, span_str("x"), NULL, NULL, &a);
    assert_outcome(&a, OBJ_OK);
}

static void dead_connection_is_replaced(void **state)
{
    struct obj_req r = real_req("a/b");
    struct obj_attempt a = { .fresh_connection = true };

    (void)state;
    real_put(real.plain, "a/b", "hello");
    D.head(real.plain, &r, NULL, &a);
    assert_outcome(&a, OBJ_OK);
}

#define THREADS 8
#define ROUNDS 40

static void *hammer(void *ctx)
{
    const char *name = ctx;

    for (int i = 0; i < ROUNDS; i++) {
        struct obj_req r = real_req(name);
        AUTO_BUF struct buf out = buf_init(100);
        struct obj_attempt a = { 0 };
        D.put(real.plain, &r, span_str(name), NULL, NULL, &a);
        if (a.outcome != OBJ_OK)
            return ctx;
        D.get(real.plain, &r, NULL, &out, NULL, &a);
        if (a.outcome != OBJ_OK || strcmp(buf_cstr(&out), name) != 0)
            return ctx;
    }
    return NULL;
}

static void one_driver_serves_many_threads(void **state)
{
    pthread_t threads[THREADS];
    char names[THREADS][16];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        snprintf(names[i], sizeof names[i], "thread/%d", i);
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, names[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_comes_back_with_its_properties),
        cmocka_unit_test(body_of_any_size_survives),
        cmocka_unit_test(keys_with_odd_characters_are_kept_byte_for_byte),
        cmocka_unit_test(range_gives_exactly_that_part),
        cmocka_unit_test(object_larger_than_the_buffer_is_refused),
        cmocka_unit_test(what_is_not_there_is_absent),
        cmocka_unit_test(missing_bucket_is_told_apart_from_a_missing_key),
        cmocka_unit_test(put_if_absent_refuses_an_existing_object),
        cmocka_unit_test(unsigned_payload_with_a_checksum_is_accepted),
        cmocka_unit_test(listing_goes_on_over_pages),
        cmocka_unit_test(many_are_deleted_at_once),
        cmocka_unit_test(key_that_xml_cannot_say_is_not_sent),
        cmocka_unit_test(thousand_keys_are_deleted_in_one_request),
        cmocka_unit_test(bucket_information_tells_versions_and_lock),
        cmocka_unit_test(own_bucket_may_be_made_again_unless_it_lacks_the_lock),
        cmocka_unit_test(wrong_keys_are_refused),
        cmocka_unit_test(skewed_clock_is_named_and_corrected_by_the_offset),
        cmocka_unit_test(nothing_is_signed_after_its_time),
        cmocka_unit_test(dead_connection_is_replaced),
        cmocka_unit_test(one_driver_serves_many_threads),
    };

    if (!real_wanted())
        return 77;
    return cmocka_run_group_tests(tests, real_setup, real_teardown);
}

// SPDX-License-Identifier: Apache-2.0
/* Wrapping by a key or a password.  The expected values were computed by
 * another implementation (Python's hmac and hashlib.scrypt, and AES-GCM of its
 * package `cryptography`). */
#include "kms/wrap.h"

#include "tests/unit/kms/kms_test.h"

#define AAD span_str("{\"slot\":\"1\"}")
#define PASSWORD span_str("correct horse")
#define DATA "9d1f7af5ad2cdc54229ce2f6e39487bc27a1bcfdef37a1461f00189ca2a9aa24"
#define TAG "4173fb942dcdd8ebf82201ac9961e179"

static uint8_t kek_room[32], key_room[32];

static struct span kek(void)
{
    return counting(0, kek_room, sizeof(kek_room));
}

static struct span data_key(void)
{
    return counting(0xe0, key_room, sizeof(key_room));
}

/* What the other implementation wrapped, with the nonce 10..1b. */
static struct wrapped theirs(void)
{
    struct wrapped w = { .len = 32 };

    (void)counting(0x10, w.iv, sizeof(w.iv));
    assert_true(digest_unhex(DATA, 64, w.data, 32));
    assert_true(digest_unhex(TAG, 32, w.tag, sizeof(w.tag)));
    return w;
}

static void a_key_opens_what_another_implementation_wrapped(void **state)
{
    struct err e = { 0 };
    struct wrapped w = theirs();
    AUTO_SECRET struct secret *key = unwrap_by_key(kek(), AAD, &w, &e);

    (void)state;
    assert_non_null(key);
    assert_true(span_eq(secret_span(key), data_key()));
}

static void each_wrap_has_a_nonce_of_its_own_and_opens(void **state)
{
    struct err e = { 0 };
    struct wrapped a, b;

    (void)state;
    must(wrap_by_key(kek(), AAD, data_key(), &a, why));
    must(wrap_by_key(kek(), AAD, data_key(), &b, why));
    assert_memory_not_equal(a.iv, b.iv, sizeof(a.iv));
    assert_memory_not_equal(a.data, b.data, 32);
    AUTO_SECRET struct secret *key = unwrap_by_key(kek(), AAD, &a, &e);
    assert_non_null(key);
    assert_true(span_eq(secret_span(key), data_key()));
}

/* It does not open. */
static void closed(struct span by, struct span aad, const struct wrapped *w)
{
    struct err e = { 0 };

    assert_null(unwrap_by_key(by, aad, w, &e));
    assert_int_equal(e.kind, ERR_CORRUPT);
}

static void no_changed_byte_and_no_other_place_opens(void **state)
{
    struct wrapped w = theirs();
    uint8_t other[32];

    (void)state;
    closed(counting(1, other, sizeof(other)), AAD, &w);
    closed(kek(), span_str("{\"slot\":\"2\"}"), &w);
    closed(kek(), span_of(NULL, 0), &w);
    for (size_t bit = 0; bit < 32 * 8; bit++) {
        w.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        closed(kek(), AAD, &w);
        w = theirs();
        if (bit < sizeof(w.iv) * 8) {
            w.iv[bit / 8] ^= (uint8_t)(1 << bit % 8);
            closed(kek(), AAD, &w);
            w = theirs();
        }
        if (bit < sizeof(w.tag) * 8) {
            w.tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
            closed(kek(), AAD, &w);
            w = theirs();
        }
    }
    w.len = 31;
    closed(kek(), AAD, &w);
    w.len = 0;
    closed(kek(), AAD, &w);
    w.len = WRAP_DATA_MAX + 1;
    closed(kek(), AAD, &w);
}

static void a_wrapping_key_of_another_size_is_a_bug(void **state)
{
    struct err e = { 0 };
    struct wrapped w = theirs();

    (void)state;
    assert_null(unwrap_by_key(span_of(kek().p, 16), AAD, &w, &e));
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_int_equal(wrap_by_key(span_of(kek().p, 31), AAD, data_key(), &w, &e),
                     -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_int_equal(wrap_by_key(kek(), AAD, span_of(NULL, 0), &w, &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
}

static void check_value_and_print_are_those_of_another_implementation(void **s)
{
    uint8_t kcv[WRAP_KCV_BYTES], print[WRAP_PRINT_BYTES];

    (void)s;
    must(wrap_kcv(kek(), "000102030405060708090a0b0c0d0e0f", kcv, why));
    assert_hex(span_of(kcv, sizeof(kcv)), "5d5fdc8f5bdbc9ca");
    must(wrap_print(data_key(), "k-0123456789abcdef", print, why));
    assert_hex(span_of(print, sizeof(print)),
               "8eb0ac01e2b859ac02e68d8e9cf11811");
}

static struct wrap_scrypt cost(uint32_t n, uint32_t r, uint32_t p)
{
    struct wrap_scrypt s = { .n = n, .r = r, .p = p };

    (void)counting(0, s.salt, sizeof(s.salt));
    return s;
}

static void password_is(uint32_t n, uint32_t r, uint32_t p, const char *hex)
{
    struct err e = { 0 };
    struct wrap_scrypt s = cost(n, r, p);
    AUTO_SECRET struct secret *key = wrap_password_key(PASSWORD, &s, &e);

    if (key == NULL)
        fail_msg("%s", e.msg);
    assert_hex(secret_span(key), hex);
}

static void a_password_becomes_the_key_that_scrypt_says(void **state)
{
    (void)state;
    password_is(
        16, 8, 1,
        "43b11c1f5ef93ff91c53b244d87454faa4d1aeafc14ba51b09160f741682e72f");
    password_is(
        1024, 16, 4,
        "17e5ff9a0a090942e425e7c86b404f51e14dc2795bf96d93b0881f2ed04b4439");
    password_is(
        WRAP_SCRYPT_N, WRAP_SCRYPT_R, WRAP_SCRYPT_P,
        "4c6bc95145350a07e4000e6b475195a0b9c727c25a0517bbc2ac76edc10e426c");
}

static void a_cost_out_of_bounds_is_refused_before_it_is_paid(void **state)
{
    static const uint32_t bad[][3] = {
        { 0, 8, 1 },
        { 1, 8, 1 },
        { 1000, 8, 1 },
        { (uint32_t)1 << 21, 1, 1 },
        { (uint32_t)1 << 31, 8, 1 },
        { 16, 0, 1 },
        { 16, 17, 1 },
        { 16, 8, 0 },
        { 16, 8, 5 },
        { UINT32_MAX, UINT32_MAX, UINT32_MAX },
        /* 1 GiB; and what RFC 7914 forbids. */
        { (uint32_t)1 << 20, 8, 1 },
        { (uint32_t)1 << 19, 16, 1 },
        { 65536, 1, 1 },
    };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct wrap_scrypt s = cost(bad[i][0], bad[i][1], bad[i][2]);
        assert_null(wrap_password_key(PASSWORD, &s, &e));
        assert_err(&e, ERR_CORRUPT, "out of bounds");
    }
    struct wrap_scrypt s = cost(16, 8, 1);
    assert_null(wrap_password_key(span_str(""), &s, &e));
    assert_err(&e, ERR_USAGE, "empty");
}

static void a_new_cost_is_the_default_with_another_salt(void **state)
{
    struct wrap_scrypt a, b;

    (void)state;
    must(wrap_scrypt_new(&a, why));
    must(wrap_scrypt_new(&b, why));
    assert_true(a.n == WRAP_SCRYPT_N && a.r == WRAP_SCRYPT_R &&
                a.p == WRAP_SCRYPT_P);
    assert_memory_not_equal(a.salt, b.salt, sizeof(a.salt));
}

static void a_wrong_password_is_said_to_be_one(void **state)
{
    struct err e = { 0 };
    struct wrap_scrypt s = cost(16, 8, 1);
    struct wrapped w;

    (void)state;
    must(wrap_by_password(PASSWORD, &s, AAD, data_key(), &w, why));
    AUTO_SECRET struct secret *key =
        unwrap_by_password(PASSWORD, &s, AAD, &w, &e);
    assert_non_null(key);
    assert_true(span_eq(secret_span(key), data_key()));
    assert_null(unwrap_by_password(span_str("wrong"), &s, AAD, &w, &e));
    assert_err(&e, ERR_DENIED, "wrong password");
    assert_null(strstr(e.msg, "correct horse"));
    s.salt[0] ^= 1;
    assert_null(unwrap_by_password(PASSWORD, &s, AAD, &w, &e));
    assert_int_equal(e.kind, ERR_DENIED);
    s.n = 3;
    assert_null(unwrap_by_password(PASSWORD, &s, AAD, &w, &e));
    assert_int_equal(e.kind, ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_opens_what_another_implementation_wrapped),
        cmocka_unit_test(each_wrap_has_a_nonce_of_its_own_and_opens),
        cmocka_unit_test(no_changed_byte_and_no_other_place_opens),
        cmocka_unit_test(a_wrapping_key_of_another_size_is_a_bug),
        cmocka_unit_test(
            check_value_and_print_are_those_of_another_implementation),
        cmocka_unit_test(a_password_becomes_the_key_that_scrypt_says),
        cmocka_unit_test(a_cost_out_of_bounds_is_refused_before_it_is_paid),
        cmocka_unit_test(a_new_cost_is_the_default_with_another_salt),
        cmocka_unit_test(a_wrong_password_is_said_to_be_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

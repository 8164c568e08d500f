// SPDX-License-Identifier: Apache-2.0
/* Wrapping by a public key, held to what another implementation wrapped. */
#include "kms/wrap_public.h"

#include "tests/unit/kms/kms_test.h"
#include "tests/unit/kms/sample_keys.h"

#define AAD span_str("{\"slot\":\"1\"}")
#define NONE span_of(NULL, 0)

static uint8_t key_room[32];

static struct span data_key(void)
{
    return counting(0xe0, key_room, sizeof(key_room));
}

static struct wrap_pkey *private_key(const char *pem)
{
    struct err e = { 0 };
    struct wrap_pkey *k = wrap_pkey_private(span_str(pem), NONE, &e);

    if (k == NULL)
        fail_msg("%s", e.msg);
    return k;
}

static struct wrap_pkey *public_key(const char *pem)
{
    struct err e = { 0 };
    struct wrap_pkey *k = wrap_pkey_public(span_str(pem), &e);

    if (k == NULL)
        fail_msg("%s", e.msg);
    return k;
}

/* Both halves are of this algorithm and have this fingerprint. */
static void halves(const char *private_pem, const char *public_pem,
                   enum wrap_alg alg, const char *fingerprint)
{
    uint8_t print[WRAP_FINGERPRINT_BYTES];
    AUTO_WRAP_PKEY struct wrap_pkey *mine = private_key(private_pem);
    AUTO_WRAP_PKEY struct wrap_pkey *shared = public_key(public_pem);

    assert_int_equal(wrap_pkey_alg(mine), alg);
    assert_int_equal(wrap_pkey_alg(shared), alg);
    wrap_pkey_fingerprint(mine, print);
    assert_hex(span_of(print, sizeof(print)), fingerprint);
    wrap_pkey_fingerprint(shared, print);
    assert_hex(span_of(print, sizeof(print)), fingerprint);
}

static void both_halves_have_the_fingerprint_of_the_public_one(void **state)
{
    (void)state;
    halves(RSA_PRIVATE, RSA_PUBLIC, WRAP_RSA_OAEP_SHA256, RSA_FINGERPRINT);
    halves(X25519_PRIVATE, X25519_PUBLIC, WRAP_X25519, X25519_FINGERPRINT);
}

static struct wrapped rsa_theirs(void)
{
    struct wrapped w = { .len = 256 };

    assert_true(digest_unhex(RSA_WRAPPED, 512, w.data, 256));
    return w;
}

static struct wrapped x25519_theirs(uint8_t ephemeral[WRAP_EPHEMERAL_BYTES])
{
    struct wrapped w = { .len = 32 };

    (void)counting(0x10, w.iv, sizeof(w.iv));
    assert_true(digest_unhex(X25519_DATA, 64, w.data, 32));
    assert_true(digest_unhex(X25519_TAG, 32, w.tag, 16));
    assert_true(digest_unhex(X25519_EPHEMERAL, 64, ephemeral, 32));
    return w;
}

static void private_keys_open_what_another_implementation_wrapped(void **state)
{
    struct err e = { 0 };
    uint8_t ephemeral[WRAP_EPHEMERAL_BYTES];
    struct wrapped r = rsa_theirs();
    struct wrapped x = x25519_theirs(ephemeral);
    AUTO_WRAP_PKEY struct wrap_pkey *rsa = private_key(RSA_PRIVATE);
    AUTO_WRAP_PKEY struct wrap_pkey *x25519 = private_key(X25519_PRIVATE);

    (void)state;
    AUTO_SECRET struct secret *a = unwrap_by_private(rsa, NULL, AAD, &r, &e);
    AUTO_SECRET struct secret *b =
        unwrap_by_private(x25519, ephemeral, AAD, &x, &e);
    assert_non_null(a);
    assert_non_null(b);
    assert_true(span_eq(secret_span(a), data_key()));
    assert_true(span_eq(secret_span(b), data_key()));
}

static void what_a_host_wraps_its_owner_opens(void **state)
{
    struct err e = { 0 };
    uint8_t ephemeral[WRAP_EPHEMERAL_BYTES];
    struct wrapped r, x;
    AUTO_SECRET struct secret *once = NULL;
    AUTO_WRAP_PKEY struct wrap_pkey *rsa = public_key(RSA_PUBLIC);
    AUTO_WRAP_PKEY struct wrap_pkey *x25519 = public_key(X25519_PUBLIC);
    AUTO_WRAP_PKEY struct wrap_pkey *rsa_owner = private_key(RSA_PRIVATE);
    AUTO_WRAP_PKEY struct wrap_pkey *x_owner = private_key(X25519_PRIVATE);

    (void)state;
    must(wrap_by_public(rsa, NULL, AAD, data_key(), &r, why));
    assert_int_equal(r.len, 256);
    must(wrap_ephemeral(ephemeral, &once, why));
    must(wrap_by_public(x25519, once, AAD, data_key(), &x, why));
    assert_int_equal(x.len, 32);
    AUTO_SECRET struct secret *a =
        unwrap_by_private(rsa_owner, NULL, AAD, &r, &e);
    AUTO_SECRET struct secret *b =
        unwrap_by_private(x_owner, ephemeral, AAD, &x, &e);
    assert_non_null(a);
    assert_non_null(b);
    assert_true(span_eq(secret_span(a), data_key()));
    assert_true(span_eq(secret_span(b), data_key()));
    /* Its host cannot. */
    assert_null(unwrap_by_private(rsa, NULL, AAD, &r, &e));
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_null(unwrap_by_private(x25519, ephemeral, AAD, &x, &e));
    assert_int_equal(e.kind, ERR_CORRUPT);
}

static void closed(const struct wrap_pkey *k, const uint8_t *ephemeral,
                   struct span aad, const struct wrapped *w)
{
    struct err e = { 0 };

    assert_null(unwrap_by_private(k, ephemeral, aad, w, &e));
    assert_int_equal(e.kind, ERR_CORRUPT);
}

static void no_changed_byte_and_no_other_place_opens(void **state)
{
    static const uint8_t zeros[WRAP_EPHEMERAL_BYTES];
    uint8_t ephemeral[WRAP_EPHEMERAL_BYTES];
    struct wrapped r = rsa_theirs();
    struct wrapped x = x25519_theirs(ephemeral);
    AUTO_WRAP_PKEY struct wrap_pkey *rsa = private_key(RSA_PRIVATE);
    AUTO_WRAP_PKEY struct wrap_pkey *x25519 = private_key(X25519_PRIVATE);

    (void)state;
    closed(rsa, NULL, span_str("{\"slot\":\"2\"}"), &r);
    closed(rsa, NULL, NONE, &r);
    closed(x25519, ephemeral, span_str("{\"slot\":\"2\"}"), &x);
    /* Of the other kind. */
    closed(rsa, ephemeral, AAD, &x);
    closed(x25519, NULL, AAD, &r);
    /* A point of small order: no secret is agreed on. */
    closed(x25519, zeros, AAD, &x);
    for (size_t i = 0; i < r.len; i += 15) {
        r.data[i] ^= 1;
        closed(rsa, NULL, AAD, &r);
        r.data[i] ^= 1;
    }
    for (size_t i = 0; i < 32; i++) {
        x.data[i] ^= 1;
        closed(x25519, ephemeral, AAD, &x);
        x.data[i] ^= 1;
        ephemeral[i] ^= 1;
        closed(x25519, ephemeral, AAD, &x);
        ephemeral[i] ^= 1;
    }
    r.len = 255;
    closed(rsa, NULL, AAD, &r);
    r.len = WRAP_DATA_MAX + 1;
    closed(rsa, NULL, AAD, &r);
    r.len = 0;
    closed(rsa, NULL, AAD, &r);
}

static void a_passphrase_is_needed_and_must_be_right(void **state)
{
    struct err e = { 0 };
    struct span pem = span_str(X25519_LOCKED);

    (void)state;
    AUTO_WRAP_PKEY struct wrap_pkey *k =
        wrap_pkey_private(pem, span_str("sesame"), &e);
    assert_non_null(k);
    assert_null(wrap_pkey_private(pem, span_str("sesam"), &e));
    assert_err(&e, ERR_DENIED, "wrong passphrase");
    /* Nobody is asked at the terminal. */
    assert_null(wrap_pkey_private(pem, NONE, &e));
    assert_err(&e, ERR_DENIED, "needs its passphrase");
}

static void what_is_no_fit_key_is_refused(void **state)
{
    struct err e = { 0 };
    char *large = calloc(1, 70000);

    (void)state;
    assert_non_null(large);
    memset(large, 'A', 69999);
    assert_null(wrap_pkey_public(span_str(RSA_SMALL_PUBLIC), &e));
    assert_err(&e, ERR_CONFIG, "1024 bits");
    assert_null(wrap_pkey_public(span_str(P256_PUBLIC), &e));
    assert_err(&e, ERR_CONFIG, "neither");
    assert_null(wrap_pkey_public(span_str(X25519_PRIVATE), &e));
    assert_err(&e, ERR_CONFIG, "no public key");
    assert_null(wrap_pkey_private(span_str(X25519_PUBLIC), NONE, &e));
    assert_err(&e, ERR_CONFIG, "no private key");
    assert_null(wrap_pkey_public(NONE, &e));
    assert_null(wrap_pkey_private(span_str("nothing"), NONE, &e));
    assert_null(wrap_pkey_public(span_str(large), &e));
    free(large);
}

static void what_cannot_be_wrapped_is_a_bug(void **state)
{
    static const uint8_t zeros[65];
    struct err e = { 0 };
    struct wrapped w;
    AUTO_WRAP_PKEY struct wrap_pkey *rsa = public_key(RSA_PUBLIC);
    AUTO_WRAP_PKEY struct wrap_pkey *x25519 = public_key(X25519_PUBLIC);

    (void)state;
    assert_int_equal(
        wrap_by_public(rsa, NULL, AAD, span_of(zeros, sizeof(zeros)), &w, &e),
        -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_int_equal(wrap_by_public(rsa, NULL, AAD, NONE, &w, &e), -1);
    assert_int_equal(wrap_by_public(x25519, NULL, AAD, data_key(), &w, &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_halves_have_the_fingerprint_of_the_public_one),
        cmocka_unit_test(private_keys_open_what_another_implementation_wrapped),
        cmocka_unit_test(what_a_host_wraps_its_owner_opens),
        cmocka_unit_test(no_changed_byte_and_no_other_place_opens),
        cmocka_unit_test(a_passphrase_is_needed_and_must_be_right),
        cmocka_unit_test(what_is_no_fit_key_is_refused),
        cmocka_unit_test(what_cannot_be_wrapped_is_a_bug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Digests against published vectors.  The source is included, so that the
 * table version of CRC-32C is tested on machines that have the instruction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.c"
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

static bool openssl_fails;

int __real_EVP_Digest(const void *p, size_t len, unsigned char *out,
                      unsigned *size, const EVP_MD *md, ENGINE *engine);
int __wrap_EVP_Digest(const void *p, size_t len, unsigned char *out,
                      unsigned *size, const EVP_MD *md, ENGINE *engine);
int __real_EVP_MAC_final(EVP_MAC_CTX *ctx, unsigned char *out, size_t *len,
                         size_t size);
int __wrap_EVP_MAC_final(EVP_MAC_CTX *ctx, unsigned char *out, size_t *len,
                         size_t size);
EVP_MAC_CTX *__real_EVP_MAC_CTX_dup(const EVP_MAC_CTX *ctx);
EVP_MAC_CTX *__wrap_EVP_MAC_CTX_dup(const EVP_MAC_CTX *ctx);
EVP_MAC *__real_EVP_MAC_fetch(OSSL_LIB_CTX *lib, const char *name,
                              const char *props);
EVP_MAC *__wrap_EVP_MAC_fetch(OSSL_LIB_CTX *lib, const char *name,
                              const char *props);
int __real_EVP_MAC_CTX_set_params(EVP_MAC_CTX *ctx, const OSSL_PARAM *params);
int __wrap_EVP_MAC_CTX_set_params(EVP_MAC_CTX *ctx, const OSSL_PARAM *params);
int __real_RAND_priv_bytes(unsigned char *p, int n);
int __wrap_RAND_priv_bytes(unsigned char *p, int n);

int __wrap_EVP_Digest(const void *p, size_t len, unsigned char *out,
                      unsigned *size, const EVP_MD *md, ENGINE *engine)
{
    if (openssl_fails)
        return 0;
    return __real_EVP_Digest(p, len, out, size, md, engine);
}

int __wrap_EVP_MAC_final(EVP_MAC_CTX *ctx, unsigned char *out, size_t *len,
                         size_t size)
{
    return openssl_fails ? 0 : __real_EVP_MAC_final(ctx, out, len, size);
}

static bool no_memory;

EVP_MAC_CTX *__wrap_EVP_MAC_CTX_dup(const EVP_MAC_CTX *ctx)
{
    return no_memory ? NULL : __real_EVP_MAC_CTX_dup(ctx);
}

EVP_MAC *__wrap_EVP_MAC_fetch(OSSL_LIB_CTX *lib, const char *name,
                              const char *props)
{
    return no_memory ? NULL : __real_EVP_MAC_fetch(lib, name, props);
}

int __wrap_EVP_MAC_CTX_set_params(EVP_MAC_CTX *ctx, const OSSL_PARAM *params)
{
    return openssl_fails ? 0 : __real_EVP_MAC_CTX_set_params(ctx, params);
}

int __wrap_RAND_priv_bytes(unsigned char *p, int n)
{
    return openssl_fails ? 0 : __real_RAND_priv_bytes(p, n);
}

static void assert_hex(const uint8_t *p, size_t len, const char *expected)
{
    char text[129];

    digest_hex(span_of(p, len), text);
    assert_string_equal(text, expected);
}

static void sha256_matches_fips_180(void **state)
{
    uint8_t out[DIGEST_SHA256_BYTES];
    struct err e = { 0 };

    (void)state;
    assert_int_equal(digest_sha256(span_str("abc"), out, &e), 0);
    assert_hex(out, sizeof(out),
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
               "f20015ad");
    assert_int_equal(digest_sha256(span_of(NULL, 0), out, &e), 0);
    assert_hex(out, sizeof(out),
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
               "7852b855");
}

static void md5_matches_rfc_1321(void **state)
{
    uint8_t out[DIGEST_MD5_BYTES];
    struct err e = { 0 };

    (void)state;
    assert_int_equal(digest_md5(span_str("message digest"), out, &e), 0);
    assert_hex(out, sizeof(out), "f96b697d7cb7938d525a2f31aaf161d0");
    assert_int_equal(digest_md5(span_of(NULL, 0), out, &e), 0);
    assert_hex(out, sizeof(out), "d41d8cd98f00b204e9800998ecf8427e");
}

static void hmac_matches_rfc_4231(void **state)
{
    uint8_t out[DIGEST_SHA256_BYTES];
    uint8_t key[131];
    struct err e = { 0 };

    (void)state;
    memset(key, 0x0b, 20);
    assert_int_equal(
        digest_hmac_sha256(span_of(key, 20), span_str("Hi There"), out, &e), 0);
    assert_hex(out, sizeof(out),
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c"
               "2e32cff7");
    assert_int_equal(
        digest_hmac_sha256(span_str("Jefe"),
                           span_str("what do ya want for nothing?"), out, &e),
        0);
    assert_hex(out, sizeof(out),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b9"
               "64ec3843");
    memset(key, 0xaa, sizeof(key)); /* longer than a block */
    assert_int_equal(
        digest_hmac_sha256(span_of(key, sizeof(key)),
                           span_str("Test Using Larger Than Block-Size Key - "
                                    "Hash Key First"),
                           out, &e),
        0);
    assert_hex(out, sizeof(out),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f"
               "0ee37f54");
}

static void hkdf_matches_rfc_5869(void **state)
{
    static const char want[] =
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf340072"
        "08d5b887185865";
    struct err e = { 0 };
    uint8_t key[22];
    uint8_t salt[13];
    uint8_t info[10];
    uint8_t out[42];
    char hex[2 * sizeof(out) + 1];

    (void)state;
    memset(key, 0x0b, sizeof(key));
    for (uint8_t i = 0; i < sizeof(salt); i++)
        salt[i] = i;
    for (uint8_t i = 0; i < sizeof(info); i++)
        info[i] = (uint8_t)(0xf0 + i);
    assert_int_equal(digest_hkdf_sha256(
                         span_of(key, sizeof(key)), span_of(salt, sizeof(salt)),
                         span_of(info, sizeof(info)), out, sizeof(out), &e),
                     0);
    digest_hex(span_of(out, sizeof(out)), hex);
    assert_string_equal(hex, want);
}

static void hmac_takes_an_empty_key_and_message(void **state)
{
    const char *expected = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6"
                           "c712144292c5ad";
    uint8_t out[DIGEST_SHA256_BYTES];
    struct err e = { 0 };

    (void)state;
    assert_int_equal(
        digest_hmac_sha256(span_of(NULL, 0), span_of(NULL, 0), out, &e), 0);
    assert_hex(out, sizeof(out), expected);
    assert_int_equal(digest_hmac_sha256(span_str(""), span_str(""), out, &e),
                     0);
    assert_hex(out, sizeof(out), expected);
}

static void failures_of_openssl_are_internal_errors(void **state)
{
    uint8_t out[DIGEST_SHA256_BYTES];
    struct err e[4] = { 0 };

    (void)state;
    openssl_fails = true;
    int sha = digest_sha256(span_str("a"), out, &e[0]);
    int md5 = digest_md5(span_str("a"), out, &e[1]);
    int mac = digest_hmac_sha256(span_str("a"), span_str("b"), out, &e[2]);
    int rnd = digest_random(out, sizeof(out), &e[3]);
    openssl_fails = false;
    assert_int_equal(sha, -1);
    assert_int_equal(md5, -1);
    assert_int_equal(mac, -1);
    assert_int_equal(rnd, -1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(e[i].kind, ERR_INTERNAL);
    no_memory = true;
    mac = digest_hmac_sha256(span_str("a"), span_str("b"), out, &e[0]);
    no_memory = false;
    assert_int_equal(mac, -1);
    assert_int_equal(e[0].kind, ERR_NOMEM);
}

static void missing_algorithms_are_internal_errors(void **state)
{
    uint8_t out[DIGEST_SHA256_BYTES];
    struct err e = { 0 };

    (void)state;
    pthread_once(&algs_once, algs_fetch);
    EVP_MD *sha256 = STEAL(algs.sha256);
    EVP_MAC_CTX *hmac = STEAL(algs.hmac_sha256);
    int sha = digest_sha256(span_str("a"), out, &e);
    enum err_kind sha_kind = e.kind;
    int mac = digest_hmac_sha256(span_str("a"), span_str("b"), out, &e);
    algs.sha256 = sha256;
    algs.hmac_sha256 = hmac;
    assert_int_equal(sha, -1);
    assert_int_equal(sha_kind, ERR_INTERNAL);
    assert_int_equal(mac, -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
}

static void a_template_that_cannot_be_made_is_none(void **state)
{
    (void)state;
    no_memory = true;
    EVP_MAC_CTX *a = new_hmac_template();
    no_memory = false;
    openssl_fails = true;
    EVP_MAC_CTX *b = new_hmac_template();
    openssl_fails = false;
    assert_null(a);
    assert_null(b);
}

/* Vectors of RFC 3720, B.4, and the check value of the CRC catalogue. */
static void crc32c_matches_rfc_3720(void **state)
{
    uint8_t p[32] = { 0 };

    (void)state;
    assert_true(digest_crc32c(span_of(p, 32)) == 0x8a9136aa);
    memset(p, 0xff, 32);
    assert_true(digest_crc32c(span_of(p, 32)) == 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        p[i] = (uint8_t)i;
    assert_true(digest_crc32c(span_of(p, 32)) == 0x46dd794e);
    assert_true(digest_crc32c(span_str("123456789")) == 0xe3069283);
    assert_true(digest_crc32c(span_of(NULL, 0)) == 0);
}

static uint32_t crc_bit_by_bit(uint32_t crc, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? CRC32C_POLY : 0);
    }
    return crc;
}

static void crc32c_versions_agree_at_every_length_and_alignment(void **state)
{
    uint8_t p[100];

    (void)state;
    digest_crc32c(span_str("")); /* fills the tables */
    for (size_t i = 0; i < sizeof(p); i++)
        p[i] = (uint8_t)(i * i + 3);
    for (size_t at = 0; at < 9; at++) {
        for (size_t len = 0; at + len <= sizeof(p); len++) {
            uint32_t want = crc_bit_by_bit(~0U, p + at, len);
            assert_true(crc_by_table(~0U, p + at, len) == want);
            assert_true(digest_crc32c(span_of(p + at, len)) == ~want);
        }
    }
}

static void crc32c_is_the_same_done_in_stretches(void **state)
{
    static uint8_t p[40000]; /* three times three stretches of 4 KiB */

    (void)state;
    digest_crc32c(span_str("")); /* fills the tables */
    for (size_t i = 0; i < sizeof(p); i++)
        p[i] = (uint8_t)(i * i % 251 + i / 256);
    for (size_t len = 12288 - 9; len <= sizeof(p); len += 12288) {
        for (size_t n = len; n < len + 18 && n + 3 <= sizeof(p); n++) {
            uint32_t want = crc_by_table(~0U, p + 3, n);
            assert_true(digest_crc32c(span_of(p + 3, n)) == ~want);
        }
    }
}

static void hex_is_lower_case_and_comes_back(void **state)
{
    uint8_t bytes[256];
    uint8_t back[256];
    char text[513];

    (void)state;
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    digest_hex(span_of(bytes, sizeof(bytes)), text);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text + 2 * 0xab, "abac", 4);
    assert_true(digest_unhex(text, 512, back, 256));
    assert_memory_equal(back, bytes, 256);
    digest_hex(span_of(NULL, 0), text);
    assert_string_equal(text, "");
}

static void unhex_refuses_all_but_lower_case_of_the_length(void **state)
{
    static const char *const bad[] = {
        "abc",  "abcdef", "",     "AB12", "ab1G",
        "ab1/", "ab1:",   "ab1`", " ab1", "0xab"
    };
    uint8_t out[2];

    (void)state;
    assert_true(digest_unhex("0af9", 4, out, 2));
    assert_int_equal(out[0], 0x0a);
    assert_int_equal(out[1], 0xf9);
    assert_true(digest_unhex("", 0, out, 0));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(digest_unhex(bad[i], strlen(bad[i]), out, 2));
    assert_false(digest_unhex("abcde", 5, out, 2));
}

static void base64_matches_rfc_4648(void **state)
{
    static const char *const pairs[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };
    char text[16];

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        digest_base64(span_str(pairs[i][0]), text);
        assert_string_equal(text, pairs[i][1]);
        uint8_t back[8];
        size_t len = 99;
        assert_true(digest_unbase64(text, strlen(text), back, &len));
        assert_true(span_eq(span_of(back, len), span_str(pairs[i][0])));
    }
}

static void base64_that_we_do_not_write_is_refused(void **state)
{
    static const char *const bad[] = { "Zg",   "Zg=",      "Zg===", "Zh==",
                                       "Zm9=", "Z===",     "====",  "Zm 9",
                                       "Zm9-", "Zg==Zg==", "\nZm9v" };
    uint8_t out[16];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (digest_unbase64(bad[i], strlen(bad[i]), out, &len))
            fail_msg("taken: %s", bad[i]);
    }
}

static void base64_of_large_input_has_no_seam(void **state)
{
    const size_t len = ((size_t)3 << 20) + 4;
    AUTO_MEM uint8_t *zeros = calloc(1, len);
    AUTO_MEM char *text = malloc(4 * ((len + 2) / 3) + 1);

    (void)state;
    digest_base64(span_of(zeros, len), text);
    assert_int_equal(strlen(text), 4 * ((len + 2) / 3));
    assert_int_equal(strspn(text, "A"), strlen(text) - 2);
    assert_string_equal(text + strlen(text) - 4, "AA==");
}

static void random_bytes_differ(void **state)
{
    uint8_t a[32] = { 0 };
    uint8_t b[32] = { 0 };
    struct err e = { 0 };

    (void)state;
    assert_int_equal(digest_random(a, sizeof(a), &e), 0);
    assert_int_equal(digest_random(b, sizeof(b), &e), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(digest_random(NULL, 0, &e), 0);
}

static void *digest_many(void *arg)
{
    uintptr_t wrong = 0;
    uint8_t sha[DIGEST_SHA256_BYTES];
    uint8_t mac[DIGEST_SHA256_BYTES];
    struct err e;

    (void)arg;
    for (int i = 0; i < 200; i++) {
        wrong += digest_crc32c(span_str("123456789")) != 0xe3069283;
        wrong += digest_sha256(span_str("abc"), sha, &e) < 0 || sha[0] != 0xba;
        wrong += digest_hmac_sha256(span_str("Jefe"),
                                    span_str("what do ya want for nothing?"),
                                    mac, &e) < 0 ||
                 mac[0] != 0x5b;
    }
    return (void *)wrong;
}

/* Runs first, so that the threads meet in the look-up of the algorithms. */
static void any_thread_may_compute(void **state)
{
    pthread_t threads[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, digest_many, NULL),
                         0);
    for (int i = 0; i < 8; i++) {
        void *wrong = NULL;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_thread_may_compute),
        cmocka_unit_test(sha256_matches_fips_180),
        cmocka_unit_test(md5_matches_rfc_1321),
        cmocka_unit_test(hmac_matches_rfc_4231),
        cmocka_unit_test(hkdf_matches_rfc_5869),
        cmocka_unit_test(hmac_takes_an_empty_key_and_message),
        cmocka_unit_test(failures_of_openssl_are_internal_errors),
        cmocka_unit_test(missing_algorithms_are_internal_errors),
        cmocka_unit_test(a_template_that_cannot_be_made_is_none),
        cmocka_unit_test(crc32c_matches_rfc_3720),
        cmocka_unit_test(crc32c_versions_agree_at_every_length_and_alignment),
        cmocka_unit_test(crc32c_is_the_same_done_in_stretches),
        cmocka_unit_test(hex_is_lower_case_and_comes_back),
        cmocka_unit_test(unhex_refuses_all_but_lower_case_of_the_length),
        cmocka_unit_test(base64_matches_rfc_4648),
        cmocka_unit_test(base64_that_we_do_not_write_is_refused),
        cmocka_unit_test(base64_of_large_input_has_no_seam),
        cmocka_unit_test(random_bytes_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

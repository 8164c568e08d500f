// SPDX-License-Identifier: Apache-2.0
/* AES-256-GCM against the vectors of the GCM specification. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/aead.h"
#include "base/digest.h"
#include "base/io.h"
#include "tests/unit/base/coverage.h"

static int fail_nth; /* the nth EVP_CipherUpdate from now fails; 0: none */
static bool no_context;
static bool no_final;

int __real_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n,
                            const unsigned char *in, int len);
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n,
                            const unsigned char *in, int len);
EVP_CIPHER_CTX *__real_EVP_CIPHER_CTX_new(void);
EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void);
int __real_EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n);
int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n);

int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n,
                            const unsigned char *in, int len)
{
    if (fail_nth > 0 && --fail_nth == 0)
        return 0;
    return __real_EVP_CipherUpdate(ctx, out, n, in, len);
}

EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void)
{
    return no_context ? NULL : __real_EVP_CIPHER_CTX_new();
}

int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n)
{
    return no_final ? 0 : __real_EVP_CipherFinal_ex(ctx, out, n);
}

static bool no_cipher;

EVP_CIPHER *__real_EVP_CIPHER_fetch(OSSL_LIB_CTX *lib, const char *name,
                                    const char *props);
EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *lib, const char *name,
                                    const char *props);

EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *lib, const char *name,
                                    const char *props)
{
    return no_cipher ? NULL : __real_EVP_CIPHER_fetch(lib, name, props);
}

struct vector {
    const char *key, *nonce, *aad, *plain, *cipher, *tag;
};

/* Test cases 13 to 16 of McGrew and Viega. */
static const struct vector vectors[] = {
    { "00000000000000000000000000000000"
      "00000000000000000000000000000000",
      "000000000000000000000000", "", "", "",
      "530f8afbc74536b9a963b4f1c4cb738b" },
    { "00000000000000000000000000000000"
      "00000000000000000000000000000000",
      "000000000000000000000000", "", "00000000000000000000000000000000",
      "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919" },
    { "feffe9928665731c6d6a8f9467308308"
      "feffe9928665731c6d6a8f9467308308",
      "cafebabefacedbaddecaf888", "",
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
      "b094dac5d93471bdec1a502270e3cc6c" },
    { "feffe9928665731c6d6a8f9467308308"
      "feffe9928665731c6d6a8f9467308308",
      "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
      "76fc6ece0f4e1768cddf8853bb2d551b" },
};

/* A vector in bytes; [0..len) of each array. */
struct bytes {
    uint8_t key[AEAD_KEY_BYTES], nonce[AEAD_NONCE_BYTES], tag[AEAD_TAG_BYTES];
    uint8_t aad[32], plain[64], cipher[64];
    size_t aad_len, len;
};

static void from_hex(const char *hex, uint8_t *out, size_t *len)
{
    *len = strlen(hex) / 2;
    assert_true(digest_unhex(hex, strlen(hex), out, *len));
}

static struct bytes load(const struct vector *v)
{
    struct bytes b = { 0 };
    size_t n = 0;

    from_hex(v->key, b.key, &n);
    assert_int_equal(n, sizeof(b.key));
    from_hex(v->nonce, b.nonce, &n);
    from_hex(v->tag, b.tag, &n);
    from_hex(v->aad, b.aad, &b.aad_len);
    from_hex(v->cipher, b.cipher, &b.len);
    from_hex(v->plain, b.plain, &b.len);
    return b;
}

static int open_it(const struct bytes *b, uint8_t *out, struct err *e)
{
    return aead_open(b->key, b->nonce, span_of(b->aad, b->aad_len),
                     span_of(b->cipher, b->len), b->tag, out, e);
}

static void vectors_are_sealed_and_opened(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct bytes b = load(&vectors[i]);
        uint8_t out[64] = { 0 };
        uint8_t tag[AEAD_TAG_BYTES] = { 0 };
        struct err e = { 0 };
        assert_int_equal(aead_seal(b.key, b.nonce, span_of(b.aad, b.aad_len),
                                   span_of(b.plain, b.len), out, tag, &e),
                         0);
        assert_memory_equal(out, b.cipher, sizeof(out));
        assert_memory_equal(tag, b.tag, sizeof(tag));
        assert_int_equal(open_it(&b, out, &e), 0);
        assert_memory_equal(out, b.plain, sizeof(out));
    }
}

static void sealing_in_place_works(void **state)
{
    struct bytes b = load(&vectors[3]);
    uint8_t tag[AEAD_TAG_BYTES];
    struct err e = { 0 };

    (void)state;
    uint8_t data[64];
    memcpy(data, b.plain, sizeof(data));
    assert_int_equal(aead_seal(b.key, b.nonce, span_of(b.aad, b.aad_len),
                               span_of(data, b.len), data, tag, &e),
                     0);
    assert_memory_equal(data, b.cipher, b.len);
    assert_int_equal(aead_open(b.key, b.nonce, span_of(b.aad, b.aad_len),
                               span_of(data, b.len), tag, data, &e),
                     0);
    assert_memory_equal(data, b.plain, b.len);
}

/* A damaged input never opens, and leaves no plaintext. */
static void assert_refused(const struct bytes *b)
{
    uint8_t out[64];
    struct err e = { 0 };

    memset(out, 0x55, sizeof(out));
    assert_int_equal(open_it(b, out, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_true(io_all_zero(out, b->len));
}

static void any_changed_bit_is_refused_and_the_output_wiped(void **state)
{
    struct bytes b = load(&vectors[3]);
    const struct {
        uint8_t *p;
        size_t len;
    } parts[] = {
        { b.key, sizeof(b.key) }, { b.nonce, sizeof(b.nonce) },
        { b.tag, sizeof(b.tag) }, { b.aad, b.aad_len },
        { b.cipher, b.len },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        for (size_t bit = 0; bit < 8 * parts[i].len; bit++) {
            parts[i].p[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_refused(&b);
            parts[i].p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    b.aad_len--;
    assert_refused(&b);
    b.aad_len++;
    b.len--;
    assert_refused(&b);
    b.len = 0;
    assert_refused(&b);
}

static void failures_of_openssl_are_reported_and_the_output_wiped(void **state)
{
    struct bytes b = load(&vectors[3]);
    uint8_t out[64];
    uint8_t cipher[64];
    uint8_t tag[AEAD_TAG_BYTES];
    struct err e = { 0 };

    (void)state;
    for (int nth = 1; nth <= 2; nth++) {
        fail_nth = nth;
        assert_int_equal(aead_seal(b.key, b.nonce, span_of(b.aad, b.aad_len),
                                   span_of(b.plain, b.len), out, tag, &e),
                         -1);
        assert_int_equal(e.kind, ERR_INTERNAL);
        fail_nth = nth;
        memset(out, 0x55, sizeof(out));
        assert_int_equal(open_it(&b, out, &e), -1);
        assert_int_equal(e.kind, ERR_INTERNAL);
        assert_true(io_all_zero(out, b.len));
    }
    no_final = true;
    int r = aead_seal(b.key, b.nonce, span_of(b.aad, b.aad_len),
                      span_of(b.plain, b.len), out, tag, &e);
    no_final = false;
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    no_context = true;
    memset(out, 0x55, sizeof(out));
    r = open_it(&b, out, &e);
    enum err_kind opened = e.kind;
    int sealed = aead_seal(b.key, b.nonce, span_of(b.aad, b.aad_len),
                           span_of(b.plain, b.len), cipher, tag, &e);
    no_context = false;
    assert_int_equal(opened, ERR_NOMEM);
    assert_int_equal(sealed, -1);
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_NOMEM);
    assert_true(io_all_zero(out, b.len));
}

/* Runs first, in a child: the look-up happens once per process. */
static void a_missing_algorithm_is_an_internal_error(void **state)
{
    int status = 0;
    pid_t pid = fork();

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0) {
        struct bytes b = { 0 };
        uint8_t out[64];
        struct err e = { 0 };
        no_cipher = true;
        int r = aead_seal(b.key, b.nonce, span_of(NULL, 0), span_of(NULL, 0),
                          out, b.tag, &e);
        coverage_write();
        _exit(r == -1 && e.kind == ERR_INTERNAL ? 42 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_algorithm_is_an_internal_error),
        cmocka_unit_test(vectors_are_sealed_and_opened),
        cmocka_unit_test(sealing_in_place_works),
        cmocka_unit_test(any_changed_bit_is_refused_and_the_output_wiped),
        cmocka_unit_test(failures_of_openssl_are_reported_and_the_output_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* What held a key is wiped before it is given back: free, realloc and munmap
 * are wrapped in this program, and OpenSSL's memory passes through it too. What
 * they get is searched for the keys.  (Stacks and registers are not seen.) */
#include <malloc.h>
#include <openssl/crypto.h>
#include <sys/mman.h>

#include "kms/wrap_public.h"
#include "tests/unit/kms/kmip_rig.h"
#include "tests/unit/kms/sample_keys.h"

#define PASSWORD "a password of some length"

static uint8_t needle[2][32]; /* a data key and a wrapping key */
static unsigned leaks, looked;

static void look(const void *p, size_t len)
{
    looked++;
    for (size_t i = 0; p != NULL && i < 2; i++)
        if (memmem(p, len, needle[i], sizeof(needle[i])) != NULL)
            leaks++;
    if (p != NULL && memmem(p, len, PASSWORD, sizeof(PASSWORD) - 1) != NULL)
        leaks++;
}

void __real_free(void *p);
void *__real_realloc(void *p, size_t n);
int __real_munmap(void *p, size_t n);
void __wrap_free(void *p);
void *__wrap_realloc(void *p, size_t n);
int __wrap_munmap(void *p, size_t n);

void __wrap_free(void *p)
{
    if (p != NULL)
        look(p, malloc_usable_size(p));
    __real_free(p);
}

void *__wrap_realloc(void *p, size_t n)
{
    if (p != NULL)
        look(p, malloc_usable_size(p));
    return __real_realloc(p, n);
}

int __wrap_munmap(void *p, size_t n)
{
    look(p, n);
    return __real_munmap(p, n);
}

static void *ssl_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(n);
}

static void *ssl_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(p, n);
}

static void ssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    __wrap_free(p);
}

static struct span data_key(void)
{
    return span_of(needle[0], sizeof(needle[0]));
}

static struct span kek(void)
{
    return span_of(needle[1], sizeof(needle[1]));
}

static int fresh(void **state)
{
    (void)state;
    leaks = looked = 0;
    return 0;
}

static void the_search_finds_what_is_not_wiped(void **state)
{
    uint8_t *p = malloc(64);

    (void)state;
    assert_non_null(p);
    memcpy(p + 5, needle[0], sizeof(needle[0]));
    __wrap_free(p);
    assert_int_equal(leaks, 1);
    p = OPENSSL_malloc(64);
    assert_non_null(p);
    memcpy(p + 16, needle[1], sizeof(needle[1]));
    OPENSSL_free(p);
    assert_int_equal(leaks, 2);
}

/* Clean, and something was looked at. */
static void assert_clean(void)
{
    assert_true(looked > 0);
    assert_int_equal(leaks, 0);
}

static void wrapping_by_a_key_leaves_none_behind(void **state)
{
    struct err e = { 0 };
    struct wrapped w;

    (void)state;
    must(wrap_by_key(kek(), span_str("x"), data_key(), &w, why));
    secret_free(unwrap_by_key(kek(), span_str("x"), &w, &e));
    assert_null(unwrap_by_key(kek(), span_str("y"), &w, &e));
    assert_clean();
}

static void wrapping_by_a_password_leaves_none_behind(void **state)
{
    struct err e = { 0 };
    struct wrapped w;
    struct wrap_scrypt s = { .n = 16, .r = 8, .p = 1 };

    (void)state;
    must(wrap_by_password(span_str(PASSWORD), &s, span_str("x"), data_key(), &w,
                          why));
    secret_free(
        unwrap_by_password(span_str(PASSWORD), &s, span_str("x"), &w, &e));
    assert_clean();
}

static void wrapping_by_a_public_key_leaves_none_behind(void **state)
{
    static const char *const pems[] = { RSA_PRIVATE, X25519_PRIVATE };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t ephemeral[WRAP_EPHEMERAL_BYTES];
        struct wrapped w;
        AUTO_SECRET struct secret *once = NULL;
        AUTO_WRAP_PKEY struct wrap_pkey *k =
            wrap_pkey_private(span_str(pems[i]), span_of(NULL, 0), &e);
        assert_non_null(k);
        if (i == 1)
            must(wrap_ephemeral(ephemeral, &once, why));
        must(wrap_by_public(k, once, span_str("x"), data_key(), &w, why));
        secret_free(unwrap_by_private(k, i == 1 ? ephemeral : NULL,
                                      span_str("x"), &w, &e));
    }
    assert_clean();
}

/* The batch of key and state answered, the state as told. */
static void answer_key(struct answer *a, uint32_t state, bool twice)
{
    answer_begin(a, V14, 2);
    item_begin(a, KMIP_GET, 1, KMIP_SUCCESS, 0);
    ttlv_put_enum(&a->w, 0x420057, KMIP_SYMMETRIC_KEY);
    put_uid(a, "1");
    ttlv_begin(&a->w, 0x42008f);
    ttlv_begin(&a->w, 0x420040);
    ttlv_put_enum(&a->w, 0x420042, 1);
    ttlv_begin(&a->w, 0x420045);
    ttlv_put_bytes(&a->w, 0x420043, kek());
    ttlv_end(&a->w);
    ttlv_end(&a->w);
    ttlv_end(&a->w);
    item_end(a);
    item_begin(a, KMIP_GET_ATTRIBUTES, 2, KMIP_SUCCESS, 0);
    put_uid(a, "1");
    for (int i = 0; i < (twice ? 2 : 1); i++) {
        ttlv_begin(&a->w, 0x420008);
        ttlv_put_text(&a->w, 0x42000a, span_str("State"));
        ttlv_put_enum(&a->w, 0x42000b, state);
        ttlv_end(&a->w);
    }
    item_end(a);
}

static void messages_with_a_key_leave_none_behind(void **state)
{
    static const struct kmip_item ask[] = {
        { .op = KMIP_GET, .uid = "1" },
        { .op = KMIP_GET_ATTRIBUTES, .uid = "1" },
    };
    const struct kmip_item give = { .op = KMIP_REGISTER,
                                    .key = kek(),
                                    .attrs = { .algorithm = KMIP_AES,
                                               .length = 256 } };
    struct kmip_request asked = asking(V14, ask, 2);
    struct kmip_request given = asking(V20, &give, 1);
    struct kmip_result r[2];
    struct err e = { 0 };

    (void)state;
    for (int twice = 0; twice < 2; twice++) {
        AUTO_ANSWER struct answer a;
        answer_key(&a, KMIP_ACTIVE, twice == 1);
        int got = kmip_decode(&asked, answer_end(&a), r, &e);
        assert_int_equal(got, twice == 1 ? -1 : 0);
        assert_int_equal(r[0].key != NULL, twice == 0);
        kmip_results_free(r, 2);
    }
    given.username = "host-1";
    given.password = span_str(PASSWORD);
    AUTO_SECRET_BUF struct buf b = secret_buf(KMIP_REQUEST_MAX);
    must(kmip_encode(&given, &b, why));
    buf_free(&b);
    assert_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_search_finds_what_is_not_wiped, fresh),
        cmocka_unit_test_setup(wrapping_by_a_key_leaves_none_behind, fresh),
        cmocka_unit_test_setup(wrapping_by_a_password_leaves_none_behind,
                               fresh),
        cmocka_unit_test_setup(wrapping_by_a_public_key_leaves_none_behind,
                               fresh),
        cmocka_unit_test_setup(messages_with_a_key_leave_none_behind, fresh),
    };

    /* Before anything of OpenSSL has run. */
    if (CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free) != 1)
        return 1;
    (void)counting(0xa0, needle[0], sizeof(needle[0]));
    (void)counting(0x50, needle[1], sizeof(needle[1]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Fault loops: each allocation and each digest of a call fails once, and every
 * time the call says so and leaks nothing.  Linked with --wrap for the
 * functions that fail. */
#include "base/digest.h"
#include "manifest/block.h"
#include "manifest/descriptor.h"
#include "manifest/objkey.h"
#include "manifest/page.h"
#include "manifest/point.h"
#include "manifest/slot.h"
#include "tests/unit/manifest/mf_test.h"
#include "tests/unit/manifest/point_sample.h"

static unsigned long fail_at; /* 0: none fails */

static bool fails(void)
{
    return fail_at > 0 && --fail_at == 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

int __real_digest_sha256(struct span in, uint8_t out[DIGEST_SHA256_BYTES],
                         struct err *e);
int __wrap_digest_sha256(struct span in, uint8_t out[DIGEST_SHA256_BYTES],
                         struct err *e);

int __wrap_digest_sha256(struct span in, uint8_t out[DIGEST_SHA256_BYTES],
                         struct err *e)
{
    return fails() ? err_nomem(e) : __real_digest_sha256(in, out, e);
}

/* Runs call with the 1st, 2nd, ... allocation failing until one run meets no
 * failure any more; returns how many failures there were. */
static unsigned long loop(int (*call)(struct err *e))
{
    for (unsigned long nth = 1; nth < 1000; nth++) {
        struct err e = { 0 };

        fail_at = nth;
        int r = call(&e);
        bool unused = fail_at > 0;
        fail_at = 0;
        if (unused) {
            if (r != 0)
                fail_msg("fails without a reason: %s", e.msg);
            return nth - 1;
        }
        if (r == 0 || e.kind != ERR_NOMEM)
            fail_msg("allocation %lu: result %d, \"%s\"", nth, r, e.msg);
    }
    fail_msg("never succeeds");
    return 0;
}

static int decode_point(struct err *e)
{
    AUTO_MF_POINT struct mf_point *p =
        mf_point_decode(span_str(point_sample), e);

    return p == NULL ? -1 : 0;
}

static void decoding_a_point_survives_lack_of_memory(void **state)
{
    (void)state;
    assert_true(loop(decode_point) > 15); /* it copies as many texts */
}

static struct mf_point *sample;

static int encode_point(struct err *e)
{
    AUTO_BUF struct buf out = buf_init(1u << 20);

    return mf_point_encode(sample, &out, e);
}

static void encoding_a_point_survives_lack_of_memory(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_MF_POINT struct mf_point *p =
        mf_point_decode(span_str(point_sample), &e);

    assert_non_null(p);
    sample = p;
    assert_true(loop(encode_point) >= 2);
    sample = NULL;
}

static int page_round(struct err *e)
{
    struct mf_entry m[2] = { { .kind = MF_WHOLE }, { .kind = MF_ZERO } };
    AUTO_BUF struct buf json = buf_init(MF_PAGE_JSON_MAX);
    AUTO_BUF struct buf back = buf_init(MF_PAGE_JSON_MAX);
    AUTO_BUF struct buf object = buf_init(1u << 20);
    struct mf_id id;
    AUTO_ZST struct zst *z = zst_new(e);

    if (z == NULL || mf_page_encode(m, 2, &json, e) < 0 ||
        mf_page_seal(plain_keys(), z, buf_span(&json), &id, &object, e) < 0 ||
        mf_page_open(plain_keys(), z, buf_span(&object), &id, &back, e) < 0)
        return -1;
    return mf_page_decode(buf_span(&back), m, 2, MF_BLOCK_MIN, 1, e);
}

static void pages_survive_lack_of_memory(void **state)
{
    (void)state;
    assert_true(loop(page_round) >= 5);
}

static int descriptor_round(struct err *e)
{
    static const struct mf_descriptor d = {
        .id = "00112233445566778899aabbccddeeff", .block_size = MF_BLOCK_MIN
    };
    struct mf_descriptor back;
    AUTO_BUF struct buf json = buf_init(MF_DESCRIPTOR_JSON_MAX);

    if (mf_descriptor_encode(&d, &json, e) < 0)
        return -1;
    return mf_descriptor_decode(buf_span(&json), &back, e);
}

static void descriptors_survive_lack_of_memory(void **state)
{
    (void)state;
    assert_true(loop(descriptor_round) >= 3);
}

static int block_round(struct err *e)
{
    struct span plain = span_str("content");
    AUTO_BUF struct buf object = buf_init(1u << 20);
    uint8_t out[16];
    size_t len;
    struct mf_id id;
    AUTO_ZST struct zst *z = zst_new(e);

    if (z == NULL || mf_id_of(plain, &id, e) < 0 ||
        mf_block_encode(plain_keys(), z, 3, &id, plain, &object, e) < 0)
        return -1;
    return mf_block_decode(plain_keys(), z, buf_span(&object), &id, out,
                           sizeof(out), &len, e);
}

static void blocks_survive_lack_of_memory(void **state)
{
    (void)state;
    assert_true(loop(block_round) >= 2);
}

static int names_round(struct err *e)
{
    char key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];
    char name[301];

    memset(name, 'x', sizeof(name));
    name[300] = '\0';
    if (mf_vmkey_encode(name, key, e) < 0 ||
        mf_point_file(1, span_str("x"), file, e) < 0)
        return -1;
    return mf_point_file_verify(file, span_str("x"), e);
}

static void names_survive_a_digest_that_fails(void **state)
{
    (void)state;
    assert_int_equal(loop(names_round), 3);
}

static const struct mf_keys *sealed;

static int sealed_block_round(struct err *e)
{
    struct span plain = span_str("content");
    AUTO_BUF struct buf object = buf_init(1u << 20);
    uint8_t out[16];
    size_t len;
    struct mf_id id;
    AUTO_ZST struct zst *z = zst_new(e);

    if (z == NULL || mf_keys_id(sealed, MF_OBJECT_BLOCK, plain, &id, e) < 0 ||
        mf_block_encode(sealed, z, 3, &id, plain, &object, e) < 0)
        return -1;
    return mf_block_decode(sealed, z, buf_span(&object), &id, out, sizeof(out),
                           &len, e);
}

static int sealed_point_round(struct err *e)
{
    AUTO_BUF struct buf stored = buf_init(1u << 20);
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];

    if (mf_point_seal(sealed, sample, &stored, vm_key, file, e) < 0 ||
        mf_point_is_sealed(buf_span(&stored), e) < 0)
        return -1;
    AUTO_MF_POINT struct mf_point *p =
        mf_point_unseal(sealed, vm_key, file, buf_span(&stored), e);
    return p != NULL ? 0 : -1;
}

static void sealed_objects_survive_lack_of_memory(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);
    AUTO_MF_POINT struct mf_point *p =
        mf_point_decode(span_str(point_sample), &e);

    assert_non_null(p);
    sealed = k;
    sample = p;
    assert_true(loop(sealed_block_round) >= 3);
    assert_true(loop(sealed_point_round) >= 10);
    sample = NULL;
    sealed = NULL;
}

static int slot_round(struct err *e)
{
    static const char removed[] =
        "{\"objvault\":1,\"repo\":\"00112233445566778899aabbccddeeff\","
        "\"keyset\":\"k-0123456789abcdef\",\"label\":\"a\","
        "\"created\":\"2026-11-22T10:00:00Z\",\"supersedes\":null,"
        "\"slot\":\"0123456789abcdef\",\"gen\":1,"
        "\"made\":\"2026-11-22T10:00:00Z\",\"type\":\"removed\","
        "\"password\":null,\"kms\":null,\"pubkey\":null,"
        "\"key_print\":null,\"iv\":null,\"data\":null,\"tag\":null,"
        "\"mac\":\"00112233445566778899aabbccddeeff\"}";
    struct mf_slot s;
    AUTO_BUF struct buf json = buf_init(MF_SLOT_JSON_MAX);

    if (mf_slot_decode(span_str(removed), &s, e) < 0)
        return -1;
    AUTO_MF_KEYS struct mf_keys *k =
        mf_keys_derive(s.repo, s.keyset, span_of(s.repo, MF_DATA_KEY_BYTES), e);
    if (k == NULL || mf_slot_sign(&s, k, e) < 0 || mf_slot_proven(&s, k, e) < 0)
        return -1;
    return mf_slot_encode(&s, &json, e);
}

static void slots_survive_lack_of_memory(void **state)
{
    (void)state;
    assert_true(loop(slot_round) >= 3);
}

int main(void)
{
    (void)plain_keys(); /* made before memory is lacking */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_a_point_survives_lack_of_memory),
        cmocka_unit_test(encoding_a_point_survives_lack_of_memory),
        cmocka_unit_test(pages_survive_lack_of_memory),
        cmocka_unit_test(descriptors_survive_lack_of_memory),
        cmocka_unit_test(blocks_survive_lack_of_memory),
        cmocka_unit_test(sealed_objects_survive_lack_of_memory),
        cmocka_unit_test(slots_survive_lack_of_memory),
        cmocka_unit_test(names_survive_a_digest_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

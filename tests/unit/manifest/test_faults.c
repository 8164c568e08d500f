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
        mf_page_seal(z, buf_span(&json), &id, &object, e) < 0 ||
        mf_page_open(z, buf_span(&object), &id, &back, e) < 0)
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
        mf_block_encode(z, 3, plain, &object, e) < 0)
        return -1;
    return mf_block_decode(z, buf_span(&object), &id, out, sizeof(out), &len,
                           e);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_a_point_survives_lack_of_memory),
        cmocka_unit_test(encoding_a_point_survives_lack_of_memory),
        cmocka_unit_test(pages_survive_lack_of_memory),
        cmocka_unit_test(descriptors_survive_lack_of_memory),
        cmocka_unit_test(blocks_survive_lack_of_memory),
        cmocka_unit_test(names_survive_a_digest_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Manifests as they are stored in each keyset. */
#include "base/digest.h"
#include "manifest/point.h"
#include "tests/unit/manifest/mf_test.h"
#include "tests/unit/manifest/point_sample.h"

#define TIME INT64_C(1795428000) /* of the sample */

struct stored {
    struct buf bytes;
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];
};

static void seal(const struct mf_keys *k, struct stored *s)
{
    struct err e = { 0 };
    AUTO_MF_POINT struct mf_point *p =
        mf_point_decode(span_str(point_sample), &e);

    assert_non_null(p);
    s->bytes = buf_init(1u << 20);
    if (mf_point_seal(k, p, &s->bytes, s->vm_key, s->file, &e) < 0)
        fail_msg("%s", e.msg);
}

/* Opens bytes as those of a name whose hash fits them. */
static int open_as(const struct mf_keys *k, const char *vm_key, int64_t time,
                   struct span bytes, struct err *e)
{
    char file[MF_POINT_FILE_CHARS];

    *e = (struct err){ 0 };
    assert_int_equal(mf_point_file(time, bytes, file, e), 0);
    AUTO_MF_POINT struct mf_point *p =
        mf_point_unseal(k, vm_key, file, bytes, e);
    return p != NULL ? 0 : -1;
}

static void in_plain_the_manifest_is_its_json(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct stored s;

    seal(plain_keys(), &s);
    assert_true(span_eq(buf_span(&s.bytes), span_str(point_sample)));
    assert_string_equal(s.vm_key, "B_C3_BCro_201");
    AUTO_MF_POINT struct mf_point *p =
        mf_point_unseal(plain_keys(), s.vm_key, s.file, buf_span(&s.bytes), &e);
    assert_non_null(p);
    assert_int_equal(mf_point_is_sealed(buf_span(&s.bytes), &e), -1);
    assert_err(&e, ERR_CORRUPT, "is not a sealed manifest");
    buf_free(&s.bytes);
}

static void a_sealed_manifest_comes_back_and_shows_nothing(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct stored s;
    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);
    AUTO_BUF struct buf room = buf_init(1u << 20);
    struct span json;

    seal(k, &s);
    assert_memory_equal(s.file, "20261123T100000Z-", 17);
    assert_int_equal(strlen(s.vm_key), 32);
    assert_null(strstr(buf_cstr(&s.bytes), "nightly"));
    assert_null(strstr(buf_cstr(&s.bytes), "a.qcow2"));
    assert_int_equal(mf_point_is_sealed(buf_span(&s.bytes), &e), 0);
    assert_int_equal(mf_point_open(k, s.vm_key, s.file, buf_span(&s.bytes),
                                   &room, &json, &e),
                     0);
    assert_true(span_eq(json, span_str(point_sample)));
    AUTO_MF_POINT struct mf_point *p =
        mf_point_unseal(k, s.vm_key, s.file, buf_span(&s.bytes), &e);
    assert_non_null(p);
    assert_string_equal(p->job, "nightly");
    buf_free(&s.bytes);
}

static void a_sealed_manifest_with_any_byte_flipped_is_refused(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct stored s;
    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);

    seal(k, &s);
    struct span bytes = buf_span(&s.bytes);
    assert_int_equal(open_as(k, s.vm_key, TIME, bytes, &e), 0);
    for (size_t i = 0; i < bytes.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            s.bytes.p[i] ^= (uint8_t)(1u << bit);
            /* By its name, and by its seal even where the name fits. */
            assert_null(mf_point_unseal(k, s.vm_key, s.file, bytes, &e));
            assert_int_equal(e.kind, ERR_CORRUPT);
            assert_int_equal(open_as(k, s.vm_key, TIME, bytes, &e), -1);
            assert_true(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
            s.bytes.p[i] ^= (uint8_t)(1u << bit);
        }
    }
    for (size_t n = 0; n < bytes.len; n++)
        assert_int_equal(open_as(k, s.vm_key, TIME, span_of(bytes.p, n), &e),
                         -1);
    buf_free(&s.bytes);
}

static void a_sealed_manifest_opens_nowhere_else(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct stored s;
    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);
    AUTO_MF_KEYS struct mf_keys *other = sealed_keys(1);
    struct span json = span_str(point_sample);

    seal(k, &s);
    struct span bytes = buf_span(&s.bytes);
    assert_int_equal(open_as(k, s.vm_key, TIME + 1, bytes, &e), -1);
    assert_err(&e, ERR_CORRUPT, "does not decrypt");
    assert_int_equal(open_as(k, "0123", TIME, bytes, &e), -1);
    assert_err(&e, ERR_CORRUPT, "does not decrypt");
    assert_int_equal(open_as(other, s.vm_key, TIME, bytes, &e), -1);
    assert_err(&e, ERR_CORRUPT, "does not decrypt");
    assert_int_equal(open_as(plain_keys(), s.vm_key, TIME, bytes, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    /* Nobody without the key makes a manifest for a keyset. */
    assert_int_equal(open_as(k, s.vm_key, TIME, json, &e), -1);
    assert_err(&e, ERR_CORRUPT, "is not a sealed manifest");
    buf_free(&s.bytes);
}

static void a_manifest_under_another_name_is_refused_in_plain_too(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct span json = span_str(point_sample);

    assert_int_equal(open_as(plain_keys(), "B_C3_BCro_201", TIME, json, &e), 0);
    assert_int_equal(open_as(plain_keys(), "B_C3_BCro_202", TIME, json, &e),
                     -1);
    assert_err(&e, ERR_CORRUPT, "another VM or time");
    assert_int_equal(open_as(plain_keys(), "B_C3_BCro_201", TIME + 1, json, &e),
                     -1);
    assert_err(&e, ERR_CORRUPT, "another VM or time");
}

static void junk_and_later_versions_are_told_from_sealed_manifests(void **state)
{
    (void)state;
    static const char *const junk[] = {
        "",
        "{}",
        "{\"objvault\":1}",
        "{\"objvault\":1,\"sealed\":{\"v\":1,\"nonce\":\"",
        "{\"objvault\":1,\"sealed\":{\"v\":1,"
        "\"nonce\":\"000000000000000000000000\","
        "\"tag\":\"00000000000000000000000000000000\",\"data\":\"AB==\"}}",
        "{\"objvault\":1,\"sealed\":{\"v\":1,"
        "\"nonce\":\"000000000000000000000000\","
        "\"tag\":\"00000000000000000000000000000000\",\"data\":\"AA==\"}} ",
    };
    struct err e = { 0 };

    for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
        e = (struct err){ 0 };
        assert_int_equal(mf_point_is_sealed(span_str(junk[i]), &e), -1);
        assert_err(&e, ERR_CORRUPT, "manifest");
    }
    assert_int_equal(
        mf_point_is_sealed(span_str("{\"objvault\":1,\"sealed\":{\"v\":1,"
                                    "\"nonce\":\"000000000000000000000000\","
                                    "\"tag\":\"00000000000000000000000000000000"
                                    "\",\"data\":\"AA==\"}}"),
                           &e),
        0);
    assert_int_equal(
        mf_point_is_sealed(span_str("{\"objvault\":2,\"x\":1}"), &e), -1);
    assert_err(&e, ERR_UNSUPPORTED, "version 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_plain_the_manifest_is_its_json),
        cmocka_unit_test(a_sealed_manifest_comes_back_and_shows_nothing),
        cmocka_unit_test(a_sealed_manifest_with_any_byte_flipped_is_refused),
        cmocka_unit_test(a_sealed_manifest_opens_nowhere_else),
        cmocka_unit_test(a_manifest_under_another_name_is_refused_in_plain_too),
        cmocka_unit_test(
            junk_and_later_versions_are_told_from_sealed_manifests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

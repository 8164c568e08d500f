// SPDX-License-Identifier: Apache-2.0
/* The repository descriptor. */
#include "manifest/block.h"
#include "manifest/descriptor.h"
#include "tests/unit/manifest/mf_test.h"

#define ID "00112233445566778899aabbccddeeff"

static const char plain[] =
    "{\"objvault\":1,\"id\":\"" ID "\",\"created\":\"2026-11-22T10:00:00Z\","
    "\"block_size\":4194304,\"lock\":null}";
static const char locked[] =
    "{\"objvault\":1,\"id\":\"" ID "\",\"created\":\"2026-11-22T10:00:00Z\","
    "\"block_size\":4194304,\"lock\":{\"mode\":\"governance\","
    "\"immutability\":1209600,\"scope\":\"retention\",\"generation\":864000}}";

static void decode_and_encode_give_the_same_bytes(void **state)
{
    (void)state;
    const char *const texts[] = { plain, locked };
    struct mf_descriptor d;
    struct err e = { 0 };

    for (size_t i = 0; i < 2; i++) {
        AUTO_BUF struct buf out = buf_init(MF_DESCRIPTOR_JSON_MAX);
        assert_int_equal(mf_descriptor_decode(span_str(texts[i]), &d, &e), 0);
        assert_string_equal(d.id, ID);
        assert_int_equal(d.created, 1795341600);
        assert_int_equal(d.block_size, MF_BLOCK_DEFAULT);
        assert_int_equal(d.locked, i == 1);
        assert_int_equal(mf_descriptor_encode(&d, &out, &e), 0);
        assert_string_equal(buf_cstr(&out), texts[i]);
    }
    assert_int_equal(d.mode, MF_LOCK_GOVERNANCE);
    assert_int_equal(d.scope, MF_SCOPE_RETENTION);
    assert_int_equal(d.immutability_s, 1209600);
    assert_int_equal(d.generation_s, 864000);
}

static void wrong_descriptors_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        enum err_kind kind;
        const char *text;
    } cases[] = {
        { "\"objvault\":1", "\"objvault\":7", ERR_UNSUPPORTED, "version 7" },
        { "\"objvault\":1,\"id\"", "\"objvault\":2,\"x\"", ERR_UNSUPPORTED,
          "version 2" },
        { "\"objvault\":1", "\"objvault\":0", ERR_CORRUPT, "objvault" },
        { "\"objvault\":1", "\"objvault\":-1", ERR_CORRUPT, "objvault" },
        { "\"objvault\":1", "\"objvault\":1.5", ERR_CORRUPT, "objvault" },
        { "\"objvault\":1,", "", ERR_CORRUPT, "objvault" },
        { "\"id\"", "\"x\":1,\"id\"", ERR_CORRUPT, "x" },
        { "eeff", "eef", ERR_CORRUPT, "id" },
        { "eeff", "eefF", ERR_CORRUPT, "id" },
        { "10:00:00Z", "10:00:00", ERR_CORRUPT, "created" },
        { "2026-11-22", "2026-02-30", ERR_CORRUPT, "created" },
        { "4194304", "4194305", ERR_CORRUPT, "block_size" },
        { "4194304", "131072", ERR_CORRUPT, "block_size" },
        { "4194304", "16777216", ERR_CORRUPT, "block_size" },
        { "4194304", "4.194304e6", ERR_CORRUPT, "canonical" },
        { "governance", "none", ERR_CORRUPT, "lock.mode" },
        { "\"retention\"", "\"all\"", ERR_CORRUPT, "lock.scope" },
        { "1209600", "0", ERR_CORRUPT, "lock.immutability" },
        { "1209600", "3153600001", ERR_CORRUPT, "lock.immutability" },
        { "864000", "0", ERR_CORRUPT, "lock.generation" },
        { ",\"generation\":864000", "", ERR_CORRUPT, "generation" },
        { "864000", "864000,\"y\":1", ERR_CORRUPT, "lock" },
        { "\"lock\":{", "\"lock\":{ ", ERR_CORRUPT, "canonical" },
        { ",\"block_size\":4194304", "", ERR_CORRUPT, "block_size" },
        { "}}", "}", ERR_CORRUPT, "descriptor" },
        { "}}", "}} ", ERR_CORRUPT, "descriptor" },
    };
    AUTO_BUF struct buf b = buf_init(1u << 16);
    struct mf_descriptor d;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err e = { 0 };
        struct span json = replaced(&b, locked, cases[i].from, cases[i].to);
        if (mf_descriptor_decode(json, &d, &e) == 0)
            fail_msg("case %zu was taken: %s", i, cases[i].to);
        assert_err(&e, cases[i].kind, cases[i].text);
    }
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "[]", "1", "null", "\"x\"", "{}", "{\"objvault\":1}"
    };
    struct mf_descriptor d;
    char big[MF_DESCRIPTOR_JSON_MAX + 1];
    struct err e = { 0 };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(mf_descriptor_decode(span_str(texts[i]), &d, &e), -1);
        assert_err(&e, ERR_CORRUPT, "descriptor");
    }
    memset(big, ' ', sizeof(big));
    assert_int_equal(mf_descriptor_decode(span_of(big, sizeof(big)), &d, &e),
                     -1);
    assert_err(&e, ERR_CORRUPT, "4097 bytes");
}

static void encoding_refuses_what_decoding_would(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = buf_init(MF_DESCRIPTOR_JSON_MAX);
    const struct mf_descriptor good = { .id = ID,
                                        .created = 1,
                                        .block_size = MF_BLOCK_MIN,
                                        .locked = true,
                                        .immutability_s = 1,
                                        .generation_s = 1 };
    struct mf_descriptor d = good;
    struct err e = { 0 };

    assert_int_equal(mf_descriptor_encode(&d, &out, &e), 0);
    d.id[0] = 'X';
    assert_int_equal(mf_descriptor_encode(&d, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "id");
    d = good;
    d.id[31] = '\0';
    assert_int_equal(mf_descriptor_encode(&d, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "id");
    d = good;
    d.created = -1;
    assert_int_equal(mf_descriptor_encode(&d, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "creation time");
    d = good;
    d.created = 253402300800;
    assert_int_equal(mf_descriptor_encode(&d, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "creation time");
    d = good;
    d.block_size = 0;
    assert_int_equal(mf_descriptor_encode(&d, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "block size 0");
    d = good;
    d.immutability_s = 0;
    assert_int_equal(mf_descriptor_encode(&d, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "lock settings");
    d = good;
    d.generation_s = MF_LOCK_SECONDS_MAX + 1;
    assert_int_equal(mf_descriptor_encode(&d, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "lock settings");
    d = good;
    d.mode = (enum mf_lock_mode)2;
    assert_int_equal(mf_descriptor_encode(&d, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "lock settings");
    d = good;
    d.scope = (enum mf_lock_scope)2;
    assert_int_equal(mf_descriptor_encode(&d, &out, &e), -1);
    assert_err(&e, ERR_INTERNAL, "lock settings");
    d = good;
    d.locked = false; /* then they do not count */
    d.immutability_s = 0;
    assert_int_equal(mf_descriptor_encode(&d, &out, &e), 0);

    AUTO_BUF struct buf tiny = buf_init(10);
    assert_int_equal(mf_descriptor_encode(&good, &tiny, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_and_encode_give_the_same_bytes),
        cmocka_unit_test(wrong_descriptors_are_refused),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(encoding_refuses_what_decoding_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

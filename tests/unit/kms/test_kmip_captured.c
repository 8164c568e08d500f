// SPDX-License-Identifier: Apache-2.0
/* What three other implementations of KMIP answered, captured byte for byte. */
#include "tests/unit/kms/foreign_vectors.h"
#include "tests/unit/kms/kmip_rig.h"

/* State and then something that uses the key, as the client asks it. */
static void ask_both(const char *uid, const struct kmip_item *second,
                     struct kmip_item items[2])
{
    items[0] = (struct kmip_item){ .op = KMIP_GET_ATTRIBUTES,
                                   .uid = uid,
                                   .attrs = { .has = KMIP_ATTR_STATE } };
    items[1] = *second;
    items[1].uid = uid;
}

static const struct kmip_item get_aes256 = {
    .op = KMIP_GET,
    .attrs = { .has = KMIP_ATTR_OBJECT_TYPE | KMIP_ATTR_ALGORITHM |
                      KMIP_ATTR_LENGTH,
               .object_type = KMIP_SYMMETRIC_KEY,
               .algorithm = KMIP_AES,
               .length = 256 },
};

static void each_server_brings_key_and_state(void **state)
{
    static const struct {
        struct kmip_version version;
        const char *uid, *hex;
    } cases[] = {
        { { 1, 4 }, COSMIAN_14_KEY_UID, COSMIAN_14_KEY },
        { { 2, 0 }, COSMIAN_20_KEY_UID, COSMIAN_20_KEY },
        { { 1, 4 }, OVH_14_KEY_UID, OVH_14_KEY },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kmip_item items[2];
        struct kmip_result r[2];
        AUTO_BUF struct buf b = buf_init(4096);
        ask_both(cases[i].uid, &get_aes256, items);
        struct kmip_request q = asking(cases[i].version, items, 2);
        decodes(&q, &b, cases[i].hex, r);
        assert_int_equal(r[0].status, KMIP_SUCCESS);
        assert_int_equal(r[0].attrs.state, KMIP_ACTIVE);
        assert_int_equal(r[1].status, KMIP_SUCCESS);
        assert_string_equal(r[1].uid, cases[i].uid);
        assert_int_equal(secret_span(r[1].key).len, 32);
        kmip_results_free(r, 2);
    }
}

static void each_server_gives_ciphertext_and_tag(void **state)
{
    static const struct {
        struct kmip_version version;
        const char *uid, *hex;
    } cases[] = {
        { { 2, 0 }, COSMIAN_20_ENCRYPTED_UID, COSMIAN_20_ENCRYPTED },
        { { 1, 4 }, OVH_14_ENCRYPTED_UID, OVH_14_ENCRYPTED },
    };
    const struct kmip_item encrypt = encrypt_item();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kmip_item items[2];
        struct kmip_result r[2];
        AUTO_BUF struct buf b = buf_init(4096);
        ask_both(cases[i].uid, &encrypt, items);
        struct kmip_request q = asking(cases[i].version, items, 2);
        decodes(&q, &b, cases[i].hex, r);
        assert_int_equal(r[0].attrs.state, KMIP_ACTIVE);
        assert_int_equal(r[1].tag_len, 16);
        assert_int_equal(secret_span(r[1].data).len, 32);
        kmip_results_free(r, 2);
    }
}

static void attributes_among_a_vendors_are_read(void **state)
{
    const uint32_t all = KMIP_ATTR_OBJECT_TYPE | KMIP_ATTR_ALGORITHM |
                         KMIP_ATTR_LENGTH | KMIP_ATTR_USAGE | KMIP_ATTR_NAME |
                         KMIP_ATTR_STATE;
    const struct kmip_item it = { .op = KMIP_GET_ATTRIBUTES,
                                  .uid = GEMALTO_20_ATTRIBUTES_UID,
                                  .attrs = { .has = all } };
    struct kmip_request q = asking(V20, &it, 1);
    struct kmip_result r;
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    decodes(&q, &b, GEMALTO_20_ATTRIBUTES, &r);
    assert_int_equal(r.attrs.has & all, all);
    assert_int_equal(r.attrs.object_type, KMIP_SYMMETRIC_KEY);
    assert_int_equal(r.attrs.algorithm, KMIP_AES);
    assert_int_equal(r.attrs.length, 256);
    assert_int_equal(r.attrs.usage, 0x3c);
    assert_int_equal(r.attrs.state, KMIP_ACTIVE);
    assert_int_equal(r.attrs.name_count, 1);
    kmip_results_free(&r, 1);
}

static void references_of_2_0_are_read(void **state)
{
    const struct kmip_item it = { .op = KMIP_GET_ATTRIBUTE_LIST,
                                  .uid = COSMIAN_20_LIST_UID };
    struct kmip_request q = asking(V20, &it, 1);
    struct kmip_result r;
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    decodes(&q, &b, COSMIAN_20_LIST, &r);
    assert_int_equal(r.attrs.has, KMIP_ATTR_OBJECT_TYPE | KMIP_ATTR_ALGORITHM |
                                      KMIP_ATTR_LENGTH | KMIP_ATTR_USAGE |
                                      KMIP_ATTR_NAME | KMIP_ATTR_STATE |
                                      KMIP_ATTR_INITIAL_DATE);
    kmip_results_free(&r, 1);
}

static void a_key_that_was_destroyed_tells_its_state(void **state)
{
    struct kmip_item items[2];
    struct kmip_result r[2];
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    ask_both(COSMIAN_20_DESTROYED_UID, &get_aes256, items);
    struct kmip_request q = asking(V20, items, 2);
    decodes(&q, &b, COSMIAN_20_DESTROYED, r);
    assert_int_equal(r[0].attrs.state, KMIP_DESTROYED);
    assert_int_equal(r[1].reason, KMIP_OBJECT_DESTROYED);
    assert_int_equal(kmip_result_check(&r[1], &e), -1);
    assert_err(&e, ERR_NOTFOUND, "object destroyed");
    kmip_results_free(r, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_brings_key_and_state),
        cmocka_unit_test(each_server_gives_ciphertext_and_tag),
        cmocka_unit_test(attributes_among_a_vendors_are_read),
        cmocka_unit_test(references_of_2_0_are_read),
        cmocka_unit_test(a_key_that_was_destroyed_tells_its_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* KMIP requests byte for byte, and what honest servers answer. */
#include "tests/unit/kms/kmip_rig.h"

static void create_in_1_1_is_the_published_one(void **state)
{
    struct kmip_item it = create_aes128();
    struct kmip_request q = asking(V11, &it, 1);
    struct kmip_result r;
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    encodes(&q, O1_REQUEST);
    decodes(&q, &b, O1_RESPONSE, &r);
    assert_int_equal(r.status, KMIP_SUCCESS);
    assert_string_equal(r.uid, "fb4b5b9c-6188-4c63-8142-fe9c328129fc");
    assert_int_equal(r.attrs.object_type, KMIP_SYMMETRIC_KEY);
    kmip_results_free(&r, 1);
}

static void locate_in_1_1_is_the_published_one(void **state)
{
    struct kmip_item it = {
        .op = KMIP_LOCATE,
        .attrs = { .has = KMIP_ATTR_OBJECT_TYPE | KMIP_ATTR_NAME,
                   .object_type = KMIP_SYMMETRIC_KEY,
                   .names = { span_str("Key1") },
                   .name_count = 1 },
    };
    struct kmip_request q = asking(V11, &it, 1);
    struct kmip_result r;
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    encodes(&q, O2_REQUEST);
    decodes(&q, &b, O2_RESPONSE, &r);
    assert_int_equal(r.found, 1);
    assert_string_equal(r.uid, O2_UID);
    kmip_results_free(&r, 1);
}

static void get_in_1_1_is_the_published_one(void **state)
{
    struct kmip_item it = { .op = KMIP_GET, .uid = O2_UID };
    struct kmip_request q = asking(V11, &it, 1);
    struct kmip_result r;
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    encodes(&q, O3_REQUEST);
    decodes(&q, &b, O3_RESPONSE, &r);
    assert_hex(secret_span(r.key),
               "7367578051012a6d134a855e25c8cd5e4ca131455729d3c8");
    assert_int_equal(r.attrs.algorithm, KMIP_TRIPLE_DES);
    assert_int_equal(r.attrs.length, 168);
    assert_string_equal(r.uid, O2_UID);
    kmip_results_free(&r, 1);
    assert_null(r.key);
}

static void create_in_2_0_has_attributes_without_names(void **state)
{
    struct kmip_item it = create_aes128();
    struct kmip_request q = asking(V20, &it, 1);
    struct kmip_result r;
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    it.attrs.length = 256;
    it.attrs.usage |= KMIP_USE_WRAP | KMIP_USE_UNWRAP;
    it.attrs.has |= KMIP_ATTR_NAME | KMIP_ATTR_OBJECT_TYPE;
    it.attrs.object_type = KMIP_SYMMETRIC_KEY;
    it.attrs.names[0] = span_str("obk/kek/repo1/2.0");
    it.attrs.name_count = 1;
    encodes(&q, M1_REQUEST);
    decodes(&q, &b, M1_RESPONSE, &r);
    assert_string_equal(r.uid, "7");
    kmip_results_free(&r, 1);
}

static const struct kmip_item key_and_state[] = {
    { .op = KMIP_GET,
      .uid = "1",
      .attrs = { .has = KMIP_ATTR_ALGORITHM | KMIP_ATTR_LENGTH,
                 .algorithm = KMIP_AES,
                 .length = 256 } },
    { .op = KMIP_GET_ATTRIBUTES,
      .uid = "1",
      .attrs = { .has = KMIP_ATTR_STATE } },
};

static void a_batch_brings_key_and_state(void **state)
{
    struct kmip_request q = asking(V14, key_and_state, 2);
    struct kmip_result r[2];
    uint8_t kek[32];
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    encodes(&q, M2_REQUEST);
    decodes(&q, &b, M2_RESPONSE, r);
    assert_true(span_eq(secret_span(r[0].key), counting(0, kek, sizeof(kek))));
    assert_int_equal(r[1].attrs.has, KMIP_ATTR_STATE);
    assert_int_equal(r[1].attrs.state, KMIP_ACTIVE);
    assert_string_equal(r[1].uid, "1");
    kmip_results_free(r, 2);
}

static void attributes_of_2_0_are_referred_to_by_tag(void **state)
{
    struct kmip_item it = { .op = KMIP_GET_ATTRIBUTES,
                            .uid = "2",
                            .attrs = { .has = KMIP_ATTR_STATE } };
    struct kmip_request q = asking(V20, &it, 1);
    struct kmip_result r;
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    encodes(&q, M3_REQUEST);
    decodes(&q, &b, M3_RESPONSE, &r);
    assert_int_equal(r.attrs.state, KMIP_PRE_ACTIVE);
    kmip_results_free(&r, 1);
}

#define M4_DATA                                                                \
    "4af8f19af168c7f94ceced715c68d5dd960712176cc5246bc4daf7c781bb1912"
#define M4_TAG "bc3713f34faac0d177920e8eb5737407"

static void encrypt_gives_data_and_tag(void **state)
{
    struct kmip_item it = encrypt_item();
    struct kmip_request q = asking(V14, &it, 1);
    struct kmip_result r;
    AUTO_BUF struct buf data = buf_init(64);
    AUTO_BUF struct buf tag = buf_init(64);
    AUTO_ANSWER struct answer a;

    (void)state;
    encodes(&q, M4_REQUEST);
    add_hex(&data, M4_DATA);
    add_hex(&tag, M4_TAG);
    answer_begin(&a, V14, 1);
    item_begin(&a, KMIP_ENCRYPT, 0, KMIP_SUCCESS, 0);
    put_uid(&a, "1");
    ttlv_put_bytes(&a.w, 0x4200c2, buf_span(&data));
    ttlv_put_bytes(&a.w, 0x4200ff, buf_span(&tag));
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_hex(secret_span(r.data), M4_DATA);
    assert_hex(span_of(r.tag, r.tag_len), M4_TAG);
    assert_int_equal(r.iv_len, 0);
    kmip_results_free(&r, 1);
}

static void a_nonce_of_the_servers_own_comes_back(void **state)
{
    struct kmip_item it = encrypt_item();
    struct kmip_request q = asking(V14, &it, 1);
    struct kmip_result r;
    AUTO_SECRET_BUF struct buf b = secret_buf(KMIP_REQUEST_MAX);
    AUTO_ANSWER struct answer a;

    (void)state;
    it.iv = span_of(NULL, 0);
    must(kmip_encode(&q, &b, why));
    /* RandomIV true and IVLength 12 stand before TagLength. */
    AUTO_BUF struct buf want = buf_init(64);
    add_hex(&want, "4200c506000000080000000000000001"
                   "4200cd02000000040000000c00000000"
                   "4200ce02000000040000001000000000");
    assert_non_null(memmem(b.p, b.len, want.p, want.len));
    answer_begin(&a, V14, 1);
    item_begin(&a, KMIP_ENCRYPT, 0, KMIP_SUCCESS, 0);
    put_uid(&a, "1");
    ttlv_put_bytes(&a.w, 0x4200c2, it.data);
    ttlv_put_bytes(&a.w, 0x42003d, span_str("twelve bytes"));
    ttlv_put_bytes(&a.w, 0x4200ff, span_str("sixteen bytes...."));
    item_end(&a);
    struct err e = { 0 };
    assert_int_equal(kmip_decode(&q, answer_end(&a), &r, &e), -1);
    assert_err(&e, ERR_CORRUPT, "a tag of 17 bytes");
    answer_free(&a);

    answer_begin(&a, V14, 1);
    item_begin(&a, KMIP_ENCRYPT, 0, KMIP_SUCCESS, 0);
    put_uid(&a, "1");
    ttlv_put_bytes(&a.w, 0x4200c2, it.data);
    ttlv_put_bytes(&a.w, 0x42003d, span_str("twelve bytes"));
    ttlv_put_bytes(&a.w, 0x4200ff, span_str("sixteen bytes..."));
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_true(span_eq(span_of(r.iv, r.iv_len), span_str("twelve bytes")));
    kmip_results_free(&r, 1);
}

static void decrypt_sends_the_tag_last(void **state)
{
    struct kmip_item it = encrypt_item();
    struct kmip_request q = asking(V14, &it, 1);
    AUTO_BUF struct buf tag = buf_init(64);
    AUTO_SECRET_BUF struct buf b = secret_buf(KMIP_REQUEST_MAX);
    struct kmip_result r;
    AUTO_ANSWER struct answer a;

    (void)state;
    add_hex(&tag, M4_TAG);
    it.op = KMIP_DECRYPT;
    it.tag = buf_span(&tag);
    must(kmip_encode(&q, &b, why));
    AUTO_BUF struct buf end = buf_init(64);
    add_hex(&end, "4200fe08000000077265706f3d723100"
                  "4200ff0800000010" M4_TAG);
    assert_memory_equal(b.p + b.len - end.len, end.p, end.len);
    answer_begin(&a, V14, 1);
    item_begin(&a, KMIP_DECRYPT, 0, KMIP_SUCCESS, 0);
    put_uid(&a, "1");
    ttlv_put_bytes(&a.w, 0x4200c2, it.data);
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_true(span_eq(secret_span(r.data), it.data));
    kmip_results_free(&r, 1);
}

static void a_destroyed_key_is_not_found(void **state)
{
    struct kmip_item it = { .op = KMIP_GET, .uid = "1" };
    struct kmip_request q = asking(V14, &it, 1);
    struct kmip_result r;
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    encodes(&q, M5_REQUEST);
    decodes(&q, &b, M5_RESPONSE, &r);
    assert_int_equal(r.status, KMIP_FAILED);
    assert_int_equal(r.reason, KMIP_ITEM_NOT_FOUND);
    assert_string_equal(r.message, "Could not locate object: 1");
    assert_null(r.key);
    assert_int_equal(kmip_result_check(&r, &e), -1);
    assert_err(&e, ERR_NOTFOUND,
               "KMIP Get: not found (reason 0x1); Could not locate object: 1");
    kmip_results_free(&r, 1);
}

static void a_refusal_of_the_message_answers_all_of_it(void **state)
{
    struct kmip_request q = asking(V14, key_and_state, 2);
    struct kmip_result r[2];
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(4096);

    (void)state;
    /* Its header says 1.0, and there is no operation and no id. */
    decodes(&q, &b, M6_RESPONSE, r);
    for (int i = 0; i < 2; i++) {
        assert_true(r[i].answered);
        assert_int_equal(r[i].reason, KMIP_AUTHENTICATION_NOT_SUCCESSFUL);
        assert_int_equal(kmip_result_check(&r[i], &e), -1);
        assert_err(&e, ERR_DENIED, "verifying the client certificate");
    }
    kmip_results_free(r, 2);
}

static void what_comes_after_a_failed_item_may_be_missing(void **state)
{
    struct kmip_request q = asking(V14, key_and_state, 2);
    struct kmip_result r[2];
    struct err e = { 0 };
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V14, 1);
    item_begin(&a, KMIP_GET, 1, KMIP_FAILED, KMIP_PERMISSION_DENIED);
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), r, why));
    assert_int_equal(kmip_result_check(&r[0], &e), -1);
    assert_err(&e, ERR_DENIED, "permission denied");
    assert_false(r[1].answered);
    assert_int_equal(r[1].status, KMIP_UNDONE);
    assert_int_equal(kmip_result_check(&r[1], &e), -1);
    assert_err(&e, ERR_FAILED, "Get Attributes: not answered");
    kmip_results_free(r, 2);
}

/* The batch answered: the key's item and the state's. */
static void put_key_item(struct answer *a)
{
    uint8_t key[32];

    item_begin(a, KMIP_GET, 1, KMIP_SUCCESS, 0);
    ttlv_put_enum(&a->w, 0x420057, KMIP_SYMMETRIC_KEY);
    put_uid(a, "1");
    ttlv_begin(&a->w, 0x42008f);
    ttlv_begin(&a->w, 0x420040);
    ttlv_put_enum(&a->w, 0x420042, 7);
    ttlv_begin(&a->w, 0x420045);
    ttlv_begin(&a->w, 0x420043);
    ttlv_put_bytes(&a->w, 0x42003f, counting(7, key, sizeof(key)));
    ttlv_end(&a->w);
    /* What another client died on: an attribute within the key value. */
    ttlv_begin(&a->w, 0x420008);
    ttlv_put_text(&a->w, 0x42000a, span_str("Cryptographic Length"));
    ttlv_put_int(&a->w, 0x42000b, 256);
    ttlv_end(&a->w);
    ttlv_end(&a->w);
    ttlv_put_enum(&a->w, 0x420028, KMIP_AES);
    ttlv_end(&a->w);
    ttlv_end(&a->w);
    ttlv_put_text(&a->w, 0x54abcd, span_str("of the vendor"));
    item_end(a);
}

static void a_transparent_key_and_answers_in_another_order_are_taken(void **s)
{
    struct kmip_request q = asking(V14, key_and_state, 2);
    struct kmip_result r[2];
    uint8_t key[32];
    AUTO_ANSWER struct answer a;

    (void)s;
    answer_begin(&a, V14, 2);
    item_begin(&a, KMIP_GET_ATTRIBUTES, 2, KMIP_SUCCESS, 0);
    put_uid(&a, "1");
    ttlv_put_int(&a.w, 0x54abcd, 3);
    ttlv_begin(&a.w, 0x420008);
    ttlv_put_text(&a.w, 0x42000a, span_str("x-of-the-vendor"));
    ttlv_put_text(&a.w, 0x42000b, span_str("anything"));
    ttlv_end(&a.w);
    ttlv_begin(&a.w, 0x420008);
    ttlv_put_text(&a.w, 0x42000a, span_str("State"));
    ttlv_put_int(&a.w, 0x420009, 0);
    ttlv_put_enum(&a.w, 0x42000b, KMIP_DEACTIVATED);
    ttlv_end(&a.w);
    item_end(&a);
    put_key_item(&a);
    must(kmip_decode(&q, answer_end(&a), r, why));
    assert_true(span_eq(secret_span(r[0].key), counting(7, key, sizeof(key))));
    assert_int_equal(r[0].attrs.length, 256);
    assert_int_equal(r[1].attrs.state, KMIP_DEACTIVATED);
    kmip_results_free(r, 2);
}

static void names_and_dates_of_a_key_are_read(void **state)
{
    const struct kmip_item it = { .op = KMIP_GET_ATTRIBUTES,
                                  .uid = "1",
                                  .attrs = { .has = KMIP_ATTR_NAME |
                                                    KMIP_ATTR_INITIAL_DATE } };
    struct kmip_request q = asking(V20, &it, 1);
    struct kmip_result r;
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V20, 1);
    item_begin(&a, KMIP_GET_ATTRIBUTES, 0, KMIP_SUCCESS, 0);
    put_uid(&a, "1");
    ttlv_begin(&a.w, 0x420125);
    for (int i = 0; i < 10; i++) {
        char name[] = "name-0";
        name[5] = (char)('0' + i);
        ttlv_begin(&a.w, 0x420053);
        ttlv_put_text(&a.w, 0x420055, span_str(name));
        ttlv_put_enum(&a.w, 0x420054, 1);
        ttlv_end(&a.w);
    }
    ttlv_put_date(&a.w, 0x420039, 1700000000);
    ttlv_end(&a.w);
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_int_equal(r.attrs.has, KMIP_ATTR_NAME | KMIP_ATTR_INITIAL_DATE);
    assert_int_equal(r.attrs.initial_date, 1700000000);
    assert_int_equal(r.attrs.name_count, KMIP_NAMES_MAX);
    assert_true(kmip_attrs_named(&r.attrs, "name-0"));
    assert_true(kmip_attrs_named(&r.attrs, "name-7"));
    assert_false(kmip_attrs_named(&r.attrs, "name"));
    kmip_results_free(&r, 1);
}

static void a_list_of_attributes_has_names_or_references(void **state)
{
    const struct kmip_item it = { .op = KMIP_GET_ATTRIBUTE_LIST, .uid = "1" };
    struct kmip_request old = asking(V12, &it, 1);
    struct kmip_request new = asking(V20, &it, 1);
    struct kmip_result r;
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V12, 1);
    item_begin(&a, KMIP_GET_ATTRIBUTE_LIST, 0, KMIP_SUCCESS, 0);
    put_uid(&a, "1");
    ttlv_put_text(&a.w, 0x42000a, span_str("State"));
    ttlv_put_text(&a.w, 0x42000a, span_str("x-other"));
    ttlv_put_text(&a.w, 0x42000a, span_str("Name"));
    item_end(&a);
    must(kmip_decode(&old, answer_end(&a), &r, why));
    assert_int_equal(r.attrs.has, KMIP_ATTR_STATE | KMIP_ATTR_NAME);
    kmip_results_free(&r, 1);
    answer_free(&a);

    answer_begin(&a, V20, 1);
    item_begin(&a, KMIP_GET_ATTRIBUTE_LIST, 0, KMIP_SUCCESS, 0);
    put_uid(&a, "1");
    ttlv_put_enum(&a.w, 0x42013b, 0x42008d);
    ttlv_begin(&a.w, 0x42013b);
    ttlv_put_text(&a.w, 0x42009d, span_str("vendor"));
    ttlv_put_text(&a.w, 0x42000a, span_str("State"));
    ttlv_end(&a.w);
    ttlv_put_enum(&a.w, 0x42013b, 0x420028);
    item_end(&a);
    must(kmip_decode(&new, answer_end(&a), &r, why));
    assert_int_equal(r.attrs.has, KMIP_ATTR_STATE | KMIP_ATTR_ALGORITHM);
    kmip_results_free(&r, 1);
}

static void nothing_located_is_a_success(void **state)
{
    const struct kmip_item it = { .op = KMIP_LOCATE, .max_items = 2 };
    struct kmip_request q = asking(V14, &it, 1);
    struct kmip_result r;
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V14, 1);
    ttlv_begin(&a.w, 0x42000f);
    ttlv_put_enum(&a.w, 0x42005c, KMIP_LOCATE);
    ttlv_put_enum(&a.w, 0x42007f, KMIP_SUCCESS);
    ttlv_end(&a.w);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_int_equal(r.status, KMIP_SUCCESS);
    assert_int_equal(r.found, 0);
    assert_string_equal(r.uid, "");
    kmip_results_free(&r, 1);
}

static void versions_operations_and_vendor_are_read(void **state)
{
    static const struct kmip_version ours[] = { { 2, 0 }, { 1, 4 } };
    const struct kmip_item items[] = {
        { .op = KMIP_DISCOVER_VERSIONS, .versions = ours, .version_count = 2 },
        { .op = KMIP_QUERY,
          .functions =
              1 << KMIP_QUERY_OPERATIONS | 1 << KMIP_QUERY_SERVER_INFORMATION },
    };
    struct kmip_request q = asking(V14, items, 2);
    struct kmip_result r[2];
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V14, 2);
    item_begin(&a, KMIP_DISCOVER_VERSIONS, 1, KMIP_SUCCESS, 0);
    for (int i = 0; i < 20; i++) {
        ttlv_begin(&a.w, 0x420069);
        ttlv_put_int(&a.w, 0x42006a, 1);
        ttlv_put_int(&a.w, 0x42006b, 20 - i);
        ttlv_end(&a.w);
    }
    item_end(&a);
    item_begin(&a, KMIP_QUERY, 2, KMIP_SUCCESS, 0);
    ttlv_put_enum(&a.w, 0x42005c, KMIP_GET);
    ttlv_put_enum(&a.w, 0x42005c, KMIP_ENCRYPT);
    ttlv_put_enum(&a.w, 0x42005c, 0x80000001);
    ttlv_put_enum(&a.w, 0x420057, 2);
    ttlv_put_text(&a.w, 0x42009d, span_str("a\033[31m\nvendor"));
    ttlv_begin(&a.w, 0x420088);
    ttlv_end(&a.w);
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), r, why));
    assert_int_equal(r[0].version_count, KMIP_VERSIONS_MAX);
    assert_int_equal(r[0].versions[0].minor, 20);
    assert_int_equal(r[1].operations, 1ULL << KMIP_GET | 1ULL << KMIP_ENCRYPT);
    assert_string_equal(r[1].vendor, "a?[31m vendor");
    kmip_results_free(r, 2);
}

static void refusals_are_errors_of_their_kind(void **state)
{
    static const struct {
        uint32_t reason;
        enum err_kind kind;
    } cases[] = {
        { 0x01, ERR_NOTFOUND },    { 0x36, ERR_NOTFOUND },
        { 0x37, ERR_NOTFOUND },    { 0x03, ERR_DENIED },
        { 0x0c, ERR_DENIED },      { 0x16, ERR_DENIED },
        { 0x17, ERR_DENIED },      { 0x39, ERR_DENIED },
        { 0x43, ERR_DENIED },      { 0x05, ERR_UNSUPPORTED },
        { 0x3f, ERR_UNSUPPORTED }, { 0x35, ERR_EXISTS },
        { 0x3a, ERR_QUOTA },       { 0x100, ERR_FAILED },
        { 0x2a, ERR_FAILED },      { 0x12345, ERR_FAILED },
        { 0, ERR_FAILED },
    };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kmip_result r = { .op = KMIP_GET,
                                 .answered = true,
                                 .status = KMIP_FAILED,
                                 .reason = cases[i].reason };
        assert_int_equal(kmip_result_check(&r, &e), -1);
        assert_err(&e, cases[i].kind, "KMIP Get: ");
    }
    struct kmip_result later = { .op = KMIP_GET,
                                 .answered = true,
                                 .status = KMIP_PENDING };
    assert_int_equal(kmip_result_check(&later, &e), -1);
    assert_err(&e, ERR_UNSUPPORTED, "answers later");
    later.status = KMIP_SUCCESS;
    assert_int_equal(kmip_result_check(&later, &e), 0);
    assert_string_equal(kmip_state_name(KMIP_COMPROMISED), "compromised");
    assert_string_equal(kmip_state_name(0), "in an unknown state");
    assert_string_equal(kmip_state_name(77), "in an unknown state");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_in_1_1_is_the_published_one),
        cmocka_unit_test(locate_in_1_1_is_the_published_one),
        cmocka_unit_test(get_in_1_1_is_the_published_one),
        cmocka_unit_test(create_in_2_0_has_attributes_without_names),
        cmocka_unit_test(a_batch_brings_key_and_state),
        cmocka_unit_test(attributes_of_2_0_are_referred_to_by_tag),
        cmocka_unit_test(encrypt_gives_data_and_tag),
        cmocka_unit_test(a_nonce_of_the_servers_own_comes_back),
        cmocka_unit_test(decrypt_sends_the_tag_last),
        cmocka_unit_test(a_destroyed_key_is_not_found),
        cmocka_unit_test(a_refusal_of_the_message_answers_all_of_it),
        cmocka_unit_test(what_comes_after_a_failed_item_may_be_missing),
        cmocka_unit_test(
            a_transparent_key_and_answers_in_another_order_are_taken),
        cmocka_unit_test(names_and_dates_of_a_key_are_read),
        cmocka_unit_test(a_list_of_attributes_has_names_or_references),
        cmocka_unit_test(nothing_located_is_a_success),
        cmocka_unit_test(versions_operations_and_vendor_are_read),
        cmocka_unit_test(refusals_are_errors_of_their_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

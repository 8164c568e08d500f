// SPDX-License-Identifier: Apache-2.0
/* KMIP requests beside those of the vectors, byte for byte, and what is not
 * asked. */
#include "tests/unit/kms/kmip_rig.h"

/* The payload of one request, as hex, in this version. */
static void payload_is(struct kmip_version v, const struct kmip_item *it,
                       const char *hex)
{
    struct kmip_request q = asking(v, it, 1);
    struct ttlv_item root, item, payload;
    AUTO_SECRET_BUF struct buf b = secret_buf(KMIP_REQUEST_MAX);

    must(kmip_encode(&q, &b, why));
    must(ttlv_check(buf_span(&b), why));
    assert_true(ttlv_root(buf_span(&b), &root));
    assert_true(ttlv_find(&root, 0x42000f, TTLV_STRUCTURE, &item));
    assert_true(ttlv_find(&item, 0x420079, TTLV_STRUCTURE, &payload));
    assert_hex(payload.value, hex);
}

static void the_other_operations_are_written_in_the_order_of_the_text(void **s)
{
    static const struct kmip_version ours[] = { { 1, 4 } };
    struct kmip_item it = { .op = KMIP_ACTIVATE, .uid = "1" };
    static const char uid[] = "42009407000000013100000000000000";

    (void)s;
    payload_is(V12, &it, uid);
    it.op = KMIP_DESTROY;
    payload_is(V20, &it, uid);
    it.op = KMIP_GET_ATTRIBUTE_LIST;
    payload_is(V20, &it, uid);
    it = (struct kmip_item){ .op = KMIP_REVOKE,
                             .uid = "1",
                             .revoke = KMIP_SUPERSEDED };
    payload_is(V14, &it,
               "42009407000000013100000000000000"
               "4200810100000010"
               "42008205000000040000000500000000");
    it.revoke = KMIP_KEY_COMPROMISE;
    it.message = "lost";
    it.compromised = 1205495800;
    payload_is(V14, &it,
               "42009407000000013100000000000000"
               "4200810100000020"
               "42008205000000040000000200000000"
               "42008007000000046c6f737400000000"
               "42002109000000080000000047da67f8");
    it = (struct kmip_item){ .op = KMIP_QUERY, .functions = 1 << 1 | 1 << 3 };
    payload_is(V14, &it,
               "42007405000000040000000100000000"
               "42007405000000040000000300000000");
    it = (struct kmip_item){ .op = KMIP_DISCOVER_VERSIONS };
    payload_is(V14, &it, "");
    it.versions = ours;
    it.version_count = 1;
    payload_is(V14, &it,
               "4200690100000020"
               "42006a02000000040000000100000000"
               "42006b02000000040000000400000000");
    it = (struct kmip_item){ .op = KMIP_LOCATE, .max_items = 2 };
    payload_is(V14, &it, "42004f02000000040000000200000000");
    payload_is(V20, &it,
               "42004f02000000040000000200000000"
               "4201250100000000");
}

static void every_attribute_can_be_asked_for(void **state)
{
    const struct kmip_item it = { .op = KMIP_GET_ATTRIBUTES,
                                  .uid = "1",
                                  .attrs = {
                                      .has = KMIP_ATTR_NAME | KMIP_ATTR_STATE |
                                             KMIP_ATTR_DEACTIVATION_DATE } };

    (void)state;
    payload_is(V14, &it,
               "42009407000000013100000000000000"
               "42000a07000000044e616d6500000000"
               "42000a07000000055374617465000000"
               "42000a0700000011446561637469766174696f6e20446174"
               "6500000000000000");
    payload_is(V20, &it,
               "42009407000000013100000000000000"
               "42013b05000000040042005300000000"
               "42013b05000000040042008d00000000"
               "42013b05000000040042002f00000000");
}

static void register_carries_the_key_behind_its_attributes(void **state)
{
    struct kmip_item it = create_aes128();

    (void)state;
    it.op = KMIP_REGISTER;
    it.attrs.has = KMIP_ATTR_USAGE;
    it.key = span_str("sixteen bytes...");
    payload_is(V20, &it,
               "42005705000000040000000200000000"
               "4201250100000010"
               "42002c02000000040000000c00000000"
               "42008f0100000058"
               "4200400100000050"
               "42004205000000040000000100000000"
               "4200450100000018"
               "4200430800000010"
               "7369787465656e2062797465732e2e2e"
               "42002805000000040000000300000000"
               "42002a02000000040000008000000000");
    it.attrs.has = 0;
    payload_is(V12, &it,
               "42005705000000040000000200000000"
               "4200910100000000"
               "42008f0100000058"
               "4200400100000050"
               "42004205000000040000000100000000"
               "4200450100000018"
               "4200430800000010"
               "7369787465656e2062797465732e2e2e"
               "42002805000000040000000300000000"
               "42002a02000000040000008000000000");
}

static void the_header_has_credentials_and_the_largest_response(void **state)
{
    const struct kmip_item it = { .op = KMIP_GET, .uid = "1" };
    struct kmip_request q = asking(V14, &it, 1);

    (void)state;
    q.max_response = 65536;
    q.username = "host-1";
    q.password = span_str("open");
    encodes(&q, "42007801000000c8"
                "4200770100000090"
                "4200690100000020"
                "42006a02000000040000000100000000"
                "42006b02000000040000000400000000"
                "42005002000000040001000000000000"
                "42000c0100000040"
                "4200230100000038"
                "42002405000000040000000100000000"
                "4200250100000020"
                "4200990700000006686f73742d310000"
                "4200a107000000046f70656e00000000"
                "42000d02000000040000000100000000"
                "42000f0100000028"
                "42005c05000000040000000a00000000"
                "4200790100000010"
                "42009407000000013100000000000000");
}

/* The request is not written, for this reason. */
static void not_asked(struct kmip_version v, const struct kmip_item *it,
                      enum err_kind kind, const char *text)
{
    struct kmip_request q = asking(v, it, 1);
    struct err e = { 0 };
    AUTO_SECRET_BUF struct buf b = secret_buf(KMIP_REQUEST_MAX);

    assert_int_equal(kmip_encode(&q, &b, &e), -1);
    assert_err(&e, kind, text);
    assert_int_equal(b.len, 0);
}

static void what_a_version_does_not_have_is_not_asked(void **state)
{
    struct kmip_item it = encrypt_item();

    (void)state;
    not_asked(V12, &it, ERR_UNSUPPORTED, "KMIP 1.2 has no Encrypt");
    it = (struct kmip_item){ .op = KMIP_DISCOVER_VERSIONS };
    not_asked(V10, &it, ERR_UNSUPPORTED, "has no Discover Versions");
    it = (struct kmip_item){ .op = KMIP_QUERY };
    not_asked((struct kmip_version){ 1, 5 }, &it, ERR_UNSUPPORTED, "1.5");
    not_asked((struct kmip_version){ 2, 2 }, &it, ERR_UNSUPPORTED, "2.2");
    not_asked((struct kmip_version){ 0, 0 }, &it, ERR_UNSUPPORTED, "0.0");
    payload_is((struct kmip_version){ 2, 1 }, &it, "");
}

static void an_identifier_that_is_none_is_not_sent(void **state)
{
    char longest[KMIP_UID_CHARS + 1];
    struct kmip_item it = { .op = KMIP_GET };

    (void)state;
    /* Without one, servers take the object of the request before. */
    not_asked(V14, &it, ERR_USAGE, "identifier");
    it.uid = "";
    not_asked(V14, &it, ERR_USAGE, "identifier");
    it.uid = "a\nb";
    not_asked(V14, &it, ERR_USAGE, "identifier");
    it.uid = "\xff";
    not_asked(V14, &it, ERR_USAGE, "identifier");
    memset(longest, 'a', sizeof(longest) - 1);
    longest[KMIP_UID_CHARS] = '\0';
    it.uid = longest;
    not_asked(V14, &it, ERR_USAGE, "identifier");
}

static void what_makes_no_sense_is_not_asked(void **state)
{
    struct kmip_item it = { .op = KMIP_REVOKE,
                            .uid = "1",
                            .revoke = KMIP_SUPERSEDED,
                            .compromised = 1 };

    (void)state;
    not_asked(V14, &it, ERR_INTERNAL, "no compromise");
    it.compromised = 0;
    it.message = "\xc0";
    not_asked(V14, &it, ERR_USAGE, "UTF-8");
    it = encrypt_item();
    it.iv = span_str("short");
    not_asked(V14, &it, ERR_INTERNAL, "nonce of 5");
    it = encrypt_item();
    it.op = KMIP_DECRYPT;
    not_asked(V14, &it, ERR_INTERNAL, "tag of 0");
    it = create_aes128();
    it.op = KMIP_REGISTER;
    not_asked(V14, &it, ERR_INTERNAL, "no key");
    it = create_aes128();
    it.attrs.has |= KMIP_ATTR_NAME;
    not_asked(V14, &it, ERR_INTERNAL, "names");
    it.attrs.name_count = 1;
    it.attrs.names[0] = span_str("\xff");
    not_asked(V14, &it, ERR_USAGE, "UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_other_operations_are_written_in_the_order_of_the_text),
        cmocka_unit_test(every_attribute_can_be_asked_for),
        cmocka_unit_test(register_carries_the_key_behind_its_attributes),
        cmocka_unit_test(the_header_has_credentials_and_the_largest_response),
        cmocka_unit_test(what_a_version_does_not_have_is_not_asked),
        cmocka_unit_test(an_identifier_that_is_none_is_not_sent),
        cmocka_unit_test(what_makes_no_sense_is_not_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

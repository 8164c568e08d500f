// SPDX-License-Identifier: Apache-2.0
/* Answers as servers of others rightly give them, by what KMIP leaves open:
 * each is understood, and nothing more than it says. */
#include "tests/unit/kms/kmip_rig.h"

static const struct kmip_item key_and_state[] = {
    { .op = KMIP_GET_ATTRIBUTES,
      .uid = "1",
      .attrs = { .has = KMIP_ATTR_STATE } },
    { .op = KMIP_GET, .uid = "1" },
};

/* The payload of Get: an AES key of 256 bits. */
static void put_key(struct answer *a)
{
    uint8_t key[32];

    ttlv_put_enum(&a->w, 0x420057, 2);
    put_uid(a, "1");
    ttlv_begin(&a->w, 0x42008f);
    ttlv_begin(&a->w, 0x420040);
    ttlv_put_enum(&a->w, 0x420042, 1);
    ttlv_begin(&a->w, 0x420045);
    ttlv_put_bytes(&a->w, 0x420043, counting(0x40, key, sizeof(key)));
    ttlv_end(&a->w);
    ttlv_put_enum(&a->w, 0x420028, KMIP_AES);
    ttlv_put_int(&a->w, 0x42002a, 256);
    ttlv_end(&a->w);
    ttlv_end(&a->w);
}

static void put_attribute(struct answer *a, const char *name, int32_t index)
{
    ttlv_begin(&a->w, 0x420008);
    ttlv_put_text(&a->w, 0x42000a, span_str(name));
    ttlv_put_int(&a->w, 0x420009, index);
}

static void an_answer_in_another_minor_version_is_understood(void **state)
{
    const struct kmip_item it = { .op = KMIP_GET, .uid = "1" };
    struct kmip_request q = asking(V12, &it, 1);
    struct kmip_result r;
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V14, 1);
    item_begin(&a, KMIP_GET, 0, 0, 0);
    put_key(&a);
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_int_equal(secret_span(r.key).len, 32);
    assert_int_equal(r.spoken.major, 1);
    assert_int_equal(r.spoken.minor, 4);
    kmip_results_free(&r, 1);
}

/* All that a header and an item may have, and what a vendor adds. */
static void each_field_that_is_optional_is_passed_over(void **state)
{
    const struct kmip_item it = { .op = KMIP_GET, .uid = "1" };
    struct kmip_request q = asking(V14, &it, 1);
    struct kmip_result r;
    AUTO_ANSWER struct answer a = { .b = secret_buf(1 << 16) };

    (void)state;
    a.w = ttlv_writer(&a.b);
    ttlv_begin(&a.w, KMIP_RESPONSE_TAG);
    ttlv_begin(&a.w, 0x42007a);
    ttlv_begin(&a.w, 0x420069);
    ttlv_put_int(&a.w, 0x42006a, 1);
    ttlv_put_int(&a.w, 0x42006b, 4);
    ttlv_end(&a.w);
    ttlv_begin(&a.w, 0x4200c8); /* nonce */
    ttlv_put_bytes(&a.w, 0x4200c9, span_str("id"));
    ttlv_put_bytes(&a.w, 0x4200ca, span_str("value"));
    ttlv_end(&a.w);
    ttlv_put_enum(&a.w, 0x4200c7, 1); /* attestation */
    ttlv_put_text(&a.w, 0x420105, span_str("client's correlation"));
    ttlv_put_text(&a.w, 0x420106, span_str("server's correlation"));
    ttlv_put_int(&a.w, 0x42000d, 1);
    ttlv_end(&a.w);
    ttlv_begin(&a.w, 0x42000f);
    ttlv_put_enum(&a.w, 0x42005c, KMIP_GET);
    /* An id, though nothing in a batch of one needs it. */
    ttlv_put_bytes(&a.w, 0x420093, span_str("a longer id"));
    ttlv_put_enum(&a.w, 0x42007f, KMIP_SUCCESS);
    ttlv_put_text(&a.w, 0x42007d, span_str("all went well"));
    ttlv_begin(&a.w, 0x42007c);
    put_key(&a);
    ttlv_put_bytes(&a.w, 0x540001, span_str("a vendor's"));
    ttlv_end(&a.w);
    ttlv_begin(&a.w, 0x420051); /* message extension */
    ttlv_put_text(&a.w, 0x42009d, span_str("vendor"));
    ttlv_put_bool(&a.w, 0x420026, false);
    ttlv_end(&a.w);
    ttlv_end(&a.w);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_int_equal(r.status, KMIP_SUCCESS);
    assert_string_equal(r.message, "all went well");
    assert_int_equal(secret_span(r.key).len, 32);
    kmip_results_free(&r, 1);
}

static void attributes_that_nobody_asked_for_are_passed_over(void **state)
{
    struct kmip_request q = asking(V14, key_and_state, 1);
    struct kmip_result r;
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V14, 1);
    item_begin(&a, KMIP_GET_ATTRIBUTES, 0, 0, 0);
    put_uid(&a, "1");
    for (int32_t i = 0; i < 2; i++) {
        put_attribute(&a, "x-Colour", i);
        ttlv_put_text(&a.w, 0x42000b, span_str("red"));
        ttlv_end(&a.w);
        put_attribute(&a, "Link", i);
        ttlv_begin(&a.w, 0x42000b);
        ttlv_put_enum(&a.w, 0x42004b, 0x106);
        ttlv_put_text(&a.w, 0x42004c, span_str("7"));
        ttlv_end(&a.w);
        ttlv_end(&a.w);
    }
    put_attribute(&a, "State", 0);
    ttlv_put_enum(&a.w, 0x42000b, KMIP_DEACTIVATED);
    ttlv_end(&a.w);
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_int_equal(r.attrs.has, KMIP_ATTR_STATE);
    assert_int_equal(r.attrs.state, KMIP_DEACTIVATED);
    kmip_results_free(&r, 1);
}

/* Since 2.0 what a vendor adds stands as an Attribute among the others. */
static void vendors_attributes_of_2_0_are_passed_over(void **state)
{
    struct kmip_request q = asking(V20, key_and_state, 1);
    struct kmip_result r;
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V20, 1);
    item_begin(&a, KMIP_GET_ATTRIBUTES, 0, 0, 0);
    put_uid(&a, "1");
    ttlv_begin(&a.w, 0x420125);
    ttlv_begin(&a.w, 0x420008);
    ttlv_put_text(&a.w, 0x42009d, span_str("x"));
    ttlv_put_text(&a.w, 0x42000a, span_str("State"));
    ttlv_put_text(&a.w, 0x42000b, span_str("tired"));
    ttlv_end(&a.w);
    ttlv_put_enum(&a.w, 0x42008d, KMIP_ACTIVE);
    ttlv_end(&a.w);
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_int_equal(r.attrs.has, KMIP_ATTR_STATE);
    assert_int_equal(r.attrs.state, KMIP_ACTIVE);
    kmip_results_free(&r, 1);
}

/* A server that goes on after a failure: both answers are told, each as it
 * is. */
static void an_item_after_one_that_failed_may_be_answered(void **state)
{
    struct kmip_request q = asking(V14, key_and_state, 2);
    struct kmip_result r[2];
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V14, 2);
    ttlv_begin(&a.w, 0x42000f);
    ttlv_put_enum(&a.w, 0x42005c, KMIP_GET_ATTRIBUTES);
    ttlv_put_bytes(&a.w, 0x420093, span_of((const uint8_t *)"\1", 1));
    ttlv_put_enum(&a.w, 0x42007f, KMIP_FAILED);
    ttlv_put_enum(&a.w, 0x42007e, KMIP_PERMISSION_DENIED);
    ttlv_end(&a.w);
    item_begin(&a, KMIP_GET, 2, 0, 0);
    put_key(&a);
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), r, why));
    assert_int_equal(r[0].reason, KMIP_PERMISSION_DENIED);
    assert_int_equal(r[1].status, KMIP_SUCCESS);
    assert_non_null(r[1].key);
    kmip_results_free(r, 2);
}

/* One item with this status in a message whose header counts `count`. */
static int counted(int32_t count, uint32_t status, struct err *e)
{
    struct kmip_request q = asking(V14, key_and_state, 2);
    struct kmip_result r[2];
    AUTO_ANSWER struct answer a;

    answer_begin(&a, V14, count);
    ttlv_begin(&a.w, 0x42000f);
    ttlv_put_enum(&a.w, 0x42007f, status);
    if (status == KMIP_FAILED)
        ttlv_put_enum(&a.w, 0x42007e, KMIP_INVALID_MESSAGE);
    ttlv_end(&a.w);
    int got = kmip_decode(&q, answer_end(&a), r, e);
    if (got == 0) {
        got = kmip_result_check(&r[1], e);
        kmip_results_free(r, 2);
    }
    return got;
}

static void a_refusal_that_counts_nothing_is_a_refusal(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(counted(0, KMIP_FAILED, &e), -1);
    assert_err(&e, ERR_UNSUPPORTED, "invalid message");
    assert_int_equal(counted(0, KMIP_PENDING, &e), -1);
    assert_err(&e, ERR_CORRUPT, "header says 0");
    assert_int_equal(counted(0, KMIP_SUCCESS, &e), -1);
    assert_err(&e, ERR_CORRUPT, "header says 0");
}

/* Locate with as many identifiers, and a number of all that fit (-1: none). */
static size_t located(int identifiers, int32_t all)
{
    const struct kmip_item it = { .op = KMIP_LOCATE, .max_items = 2 };
    struct kmip_request q = asking(V14, &it, 1);
    struct kmip_result r;
    AUTO_ANSWER struct answer a;

    answer_begin(&a, V14, 1);
    item_begin(&a, KMIP_LOCATE, 0, 0, 0);
    if (all >= 0)
        ttlv_put_int(&a.w, 0x4200d5, all);
    for (int i = 0; i < identifiers; i++)
        put_uid(&a, i == 0 ? "first" : "second");
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_string_equal(r.uid, identifiers > 0 ? "first" : "");
    size_t found = r.found;
    kmip_results_free(&r, 1);
    return found;
}

static void one_identifier_of_many_is_not_the_only_one(void **state)
{
    (void)state;
    assert_int_equal(located(1, -1), 1);
    assert_int_equal(located(1, 1), 1);
    assert_int_equal(located(1, 0), 1);
    assert_int_equal(located(1, 2), 2);
    assert_int_equal(located(2, 1), 2);
    assert_int_equal(located(2, 2000000000), 2000000000);
    assert_int_equal(located(0, 0), 0);
    /* Without an identifier there is nothing to take. */
    assert_int_equal(located(0, 5), 0);
}

static void
the_nonce_may_be_repeated_and_fields_stand_in_any_order(void **state)
{
    const struct kmip_item it = encrypt_item();
    struct kmip_request q = asking(V14, &it, 1);
    struct kmip_result r;
    AUTO_ANSWER struct answer a;

    (void)state;
    answer_begin(&a, V14, 1);
    item_begin(&a, KMIP_ENCRYPT, 0, 0, 0);
    ttlv_put_bytes(&a.w, 0x4200ff, span_str("0123456789abcdef"));
    ttlv_put_bytes(&a.w, 0x42003d, it.iv);
    ttlv_put_bytes(&a.w, 0x4200d6, span_str("correlation"));
    ttlv_put_bytes(&a.w, 0x4200c2, it.data);
    put_uid(&a, "1");
    item_end(&a);
    must(kmip_decode(&q, answer_end(&a), &r, why));
    assert_memory_equal(r.tag, "0123456789abcdef", 16);
    assert_true(span_eq(secret_span(r.data), it.data));
    kmip_results_free(&r, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_in_another_minor_version_is_understood),
        cmocka_unit_test(each_field_that_is_optional_is_passed_over),
        cmocka_unit_test(attributes_that_nobody_asked_for_are_passed_over),
        cmocka_unit_test(vendors_attributes_of_2_0_are_passed_over),
        cmocka_unit_test(an_item_after_one_that_failed_may_be_answered),
        cmocka_unit_test(a_refusal_that_counts_nothing_is_a_refusal),
        cmocka_unit_test(one_identifier_of_many_is_not_the_only_one),
        cmocka_unit_test(
            the_nonce_may_be_repeated_and_fields_stand_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

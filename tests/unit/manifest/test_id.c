// SPDX-License-Identifier: Apache-2.0
/* Ids: text form and digest. */
#include "tests/unit/manifest/mf_test.h"

static void hex_and_back_is_the_same_id(void **state)
{
    (void)state;
    char hex[MF_ID_CHARS];
    struct mf_id id = id_of_hex(HEX_B);

    assert_int_equal(id.b[0], 0x01);
    assert_int_equal(id.b[31], 0xef);
    mf_id_hex(&id, hex);
    assert_string_equal(hex, HEX_B);
}

static void only_64_lower_case_digits_are_an_id(void **state)
{
    (void)state;
    struct mf_id id;
    char text[80] = HEX_A;

    assert_true(mf_id_parse(text, &id));
    text[63] = '\0';
    assert_false(mf_id_parse(text, &id));
    assert_false(mf_id_parse(HEX_A "a", &id));
    assert_false(mf_id_parse(HEX_A "aa", &id));
    assert_false(mf_id_parse("", &id));
    text[63] = 'A';
    assert_false(mf_id_parse(text, &id));
    text[63] = 'g';
    assert_false(mf_id_parse(text, &id));
}

static void the_id_of_content_is_its_sha256(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_id id;
    struct mf_id want = id_of_hex(
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    assert_int_equal(mf_id_of(span_str("abc"), &id, &e), 0);
    assert_true(mf_id_eq(&id, &want));
    assert_int_equal(mf_id_of(span_str("abd"), &id, &e), 0);
    assert_false(mf_id_eq(&id, &want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_and_back_is_the_same_id),
        cmocka_unit_test(only_64_lower_case_digits_are_an_id),
        cmocka_unit_test(the_id_of_content_is_its_sha256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

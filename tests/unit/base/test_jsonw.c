// SPDX-License-Identifier: Apache-2.0
//
// What the JSON writer puts into a buffer, byte by byte.
#include "base/jsonw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static void is(struct buf *b, const char *expected)
{
    struct err e = { 0 };
    assert_int_equal(buf_check(b, &e), 0);
    assert_string_equal(buf_cstr(b), expected);
}

static void write_sample(struct jsonw *w)
{
    static const uint8_t id[] = { 0x00, 0xab, 0x7f };
    jsonw_object(w);
    jsonw_kuint(w, "v", UINT64_MAX);
    jsonw_kstring(w, "name", "web1");
    jsonw_kstring(w, "none", NULL);
    jsonw_key(w, "list");
    jsonw_array(w);
    jsonw_null(w);
    jsonw_int(w, -5);
    jsonw_hex(w, id, sizeof(id));
    jsonw_array(w);
    jsonw_end_array(w);
    jsonw_object(w);
    jsonw_end_object(w);
    jsonw_end_array(w);
    jsonw_kbool(w, "on", true);
    jsonw_kbool(w, "off", false);
    jsonw_knull(w, "nil");
    jsonw_ktime(w, "at", 1795341600);
    jsonw_key(w, "raw");
    jsonw_raw(w, "[1]");
    jsonw_key(w, "rate");
    jsonw_double(w, 2.456, 2);
    jsonw_end_object(w);
}

static void canonical_output_has_no_blanks(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = buf_init(1000);
    struct jsonw w = jsonw_init(&b, false);
    write_sample(&w);
    is(&b, "{\"v\":18446744073709551615,\"name\":\"web1\",\"none\":null,"
           "\"list\":[null,-5,\"00ab7f\",[],{}],\"on\":true,\"off\":false,"
           "\"nil\":null,\"at\":\"2026-11-22T10:00:00Z\",\"raw\":[1],"
           "\"rate\":2.46}");
}

static void indented_output_has_a_line_per_element(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = buf_init(1000);
    struct jsonw w = jsonw_init(&b, true);
    write_sample(&w);
    is(&b, "{\n"
           "  \"v\": 18446744073709551615,\n"
           "  \"name\": \"web1\",\n"
           "  \"none\": null,\n"
           "  \"list\": [\n"
           "    null,\n"
           "    -5,\n"
           "    \"00ab7f\",\n"
           "    [],\n"
           "    {}\n"
           "  ],\n"
           "  \"on\": true,\n"
           "  \"off\": false,\n"
           "  \"nil\": null,\n"
           "  \"at\": \"2026-11-22T10:00:00Z\",\n"
           "  \"raw\": [1],\n"
           "  \"rate\": 2.46\n"
           "}");
}

static void strings_and_keys_are_escaped(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = buf_init(1000);
    struct jsonw w = jsonw_init(&b, false);
    jsonw_object(&w);
    jsonw_kstring(&w, "a\"b", "\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9");
    jsonw_end_object(&w);
    is(&b, "{\"a\\\"b\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"
           "\xc3\xa9\"}");
}

static void every_escaped_string_is_read_back(void **state)
{
    (void)state;
    char all[128];
    for (int i = 1; i < 128; i++)
        all[i - 1] = (char)i;
    all[127] = '\0';
    AUTO_BUF struct buf b = buf_init(1000);
    struct jsonw w = jsonw_init(&b, false);
    jsonw_string(&w, all);

    struct err e = { 0 };
    AUTO_JSON struct json_doc *d =
        json_parse(buf_span(&b), JSON_STRICT, ERR_CORRUPT, &e);
    assert_non_null(d);
    struct json r = json_root(d);
    assert_string_equal(json_string(&r, 127), all);
}

static void numbers_that_json_has_not_are_null(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = buf_init(1000);
    struct jsonw w = jsonw_init(&b, false);
    jsonw_array(&w);
    jsonw_double(&w, __builtin_inf(), 1);
    jsonw_double(&w, __builtin_nan(""), 1);
    jsonw_double(&w, -1.0, 0);
    jsonw_end_array(&w);
    is(&b, "[null,null,-1]");
}

static void the_deepest_level_works_and_one_more_fails(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(1000);
    struct jsonw w = jsonw_init(&b, false);
    for (unsigned i = 0; i < JSONW_DEPTH; i++)
        jsonw_array(&w);
    assert_int_equal(buf_check(&b, &e), 0);
    jsonw_array(&w);
    assert_int_equal(buf_check(&b, &e), -1);
}

static void an_end_out_of_place_fails(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(1000);
    struct jsonw w = jsonw_init(&b, false);
    jsonw_end_array(&w);
    assert_int_equal(buf_check(&b, &e), -1);

    AUTO_BUF struct buf c = buf_init(1000);
    w = jsonw_init(&c, false);
    jsonw_object(&w);
    jsonw_key(&w, "a");
    jsonw_end_object(&w);
    assert_int_equal(buf_check(&c, &e), -1);
}

static void a_full_buffer_stays_failed(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(10);
    struct jsonw w = jsonw_init(&b, false);
    jsonw_array(&w);
    jsonw_string(&w, "longer than that");
    jsonw_end_array(&w);
    assert_int_equal(buf_check(&b, &e), -1);
    assert_true(b.len <= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_output_has_no_blanks),
        cmocka_unit_test(indented_output_has_a_line_per_element),
        cmocka_unit_test(strings_and_keys_are_escaped),
        cmocka_unit_test(every_escaped_string_is_read_back),
        cmocka_unit_test(numbers_that_json_has_not_are_null),
        cmocka_unit_test(the_deepest_level_works_and_one_more_fails),
        cmocka_unit_test(an_end_out_of_place_fails),
        cmocka_unit_test(a_full_buffer_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

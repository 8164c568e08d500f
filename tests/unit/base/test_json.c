// SPDX-License-Identifier: Apache-2.0
//
// Strict JSON: what is refused, how it is named, and where.
#include "tests/unit/base/json_rig.h"

#include "base/buf.h"

/* The allocation of that number from now on fails; 0: none. */
static unsigned fail_nth;

static bool fails_now(void)
{
    return fail_nth > 0 && --fail_nth == 0;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return fails_now() ? NULL : __real_calloc(n, size);
}

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size)
{
    return fails_now() ? NULL : __real_realloc(p, size);
}

static void all_types_are_read(void **state)
{
    (void)state;
    static const char *const words[] = { "full", "incremental", NULL };
    AUTO_JSON struct json_doc *d =
        parse(" {\"s\":\"a\\u00e9\\n\",\"u\":9007199254740992,\"e\":1e3,"
              "\"b\":true,\"f\":false,\"t\":\"2026-11-22T10:00:00Z\","
              "\"h\":\"00ffa9\",\"w\":\"incremental\",\"n\":null} \n");
    struct json r = json_root(d);
    struct json s = json_field(&r, "s");
    struct json u = json_field(&r, "u");
    struct json n = json_field(&r, "e");
    struct json b = json_field(&r, "b");
    struct json f = json_field(&r, "f");
    struct json t = json_field(&r, "t");
    struct json h = json_field(&r, "h");
    struct json w = json_field(&r, "w");
    struct json null = json_field(&r, "n");
    uint8_t hex[3];

    assert_string_equal(json_string(&s, 4), "a\xc3\xa9\n");
    assert_true(json_uint(&u, UINT64_MAX) == UINT64_C(9007199254740992));
    assert_true(json_uint(&n, 1000) == 1000);
    assert_true(json_bool(&b));
    assert_false(json_bool(&f));
    assert_true(json_time(&t) == 1795341600);
    json_hex(&h, hex, sizeof(hex));
    assert_memory_equal(hex, "\x00\xff\xa9", 3);
    assert_int_equal(json_word(&w, words), 1);
    assert_true(json_is_null(&null) && json_present(&null));
    assert_true(json_is_string(&s) && !json_is_string(&u));
    assert_true(json_is_object(&r) && !json_is_array(&r));
    clean(d);
}

static void an_unknown_field_is_named_with_its_nearest_neighbour(void **state)
{
    (void)state;
    static const char *const fields[] = { "name", "size", "block_size", NULL };
    static const char *const none[] = { NULL };
    AUTO_JSON struct json_doc *d =
        parse("{\"disks\":[{\"name\":\"a\"},{\"siez\":1}]}");
    struct json r = json_root(d);
    struct json disks = json_field(&r, "disks");
    for (struct json el = json_first(&disks); json_present(&el);
         el = json_next(&el))
        json_object(&el, fields);
    failed_as(d, "disks[1].siez: unknown field; the nearest known one is "
                 "\"size\"");

    AUTO_JSON struct json_doc *other = parse("{\"block-sizes\":1}");
    struct json o = json_root(other);
    json_object(&o, fields);
    failed_as(other, "block-sizes: unknown field; the nearest known one is "
                     "\"block_size\"");

    AUTO_JSON struct json_doc *empty = parse("{\"x\":1}");
    struct json x = json_root(empty);
    json_object(&x, none);
    failed_as(empty, "x: unknown field");
}

static void a_foreign_field_name_is_shown_short_and_clean(void **state)
{
    (void)state;
    static const char *const fields[] = { "a", NULL };
    AUTO_JSON struct json_doc *d = parse("{\"\\u001b[31m\\u009b\\n\":1}");
    struct json r = json_root(d);
    json_object(&r, fields);
    failed_as(d, "?[31m?? : unknown field; the nearest known one is \"a\"");

    /* 46 bytes and half of a character do not fit into 47. */
    AUTO_JSON struct json_doc *cut =
        parse("{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9"
              "bbbbbb\":1}");
    struct json c = json_root(cut);
    json_object(&c, fields);
    failed_as(cut, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: unknown "
                   "field; the nearest known one is \"a\"");
}

static void a_duplicate_field_is_refused(void **state)
{
    (void)state;
    static const char *const fields[] = { "a", "b", NULL };
    AUTO_JSON struct json_doc *d = parse("{\"a\":1,\"b\":2,\"a\":1}");
    struct json r = json_root(d);
    json_object(&r, fields);
    failed_as(d, "a: the field is there twice");

    AUTO_JSON struct json_doc *open = parse("{\"a\":1,\"c\":2,\"a\":1}");
    struct json o = json_root(open);
    struct json a = json_optional(&o, "a");
    assert_false(json_present(&a));
    failed_as(open, "a: the field is there twice");
}

static void field_names_are_compared_exactly(void **state)
{
    (void)state;
    AUTO_JSON struct json_doc *d = parse("{\"Name\":1}");
    struct json r = json_root(d);
    struct json o = json_optional(&r, "name");
    assert_false(json_present(&o));
    clean(d);
    struct json f = json_field(&r, "name");
    assert_false(json_present(&f));
    failed_as(d, "name: the field is missing");
}

static void optional_fields_may_be_absent_or_null(void **state)
{
    (void)state;
    AUTO_JSON struct json_doc *d = parse("{\"a\":null}");
    struct json r = json_root(d);
    struct json a = json_optional(&r, "a");
    struct json b = json_optional(&r, "b");
    assert_false(json_present(&a));
    assert_false(json_present(&b));
    struct json c = json_field(&b, "c");
    struct json el = json_first(&b);
    struct json at = json_at(&b, 3);
    assert_false(json_present(&c) || json_present(&el) || json_present(&at));
    static const char *const fields[] = { "c", NULL };
    json_object(&b, fields);
    assert_true(json_uint(&b, 5) == 0);
    assert_int_equal(json_array(&b, 5), 0);
    assert_string_equal(json_string(&b, 5), "");
    clean(d);
    json_reject(&b, "needed with \"a\"");
    failed_as(d, "b: needed with \"a\"");
}

/* Reads {"v": X} by one getter, which must fail with `why`. */
static void rejects(const char *text, void (*get)(const struct json *v),
                    const char *why)
{
    AUTO_JSON struct json_doc *d = parse(text);
    struct json r = json_root(d);
    struct json v = json_field(&r, "v");
    get(&v);
    failed_as(d, why);
}

static void get_string(const struct json *v)
{
    assert_string_equal(json_string(v, 3), "");
}

static void get_uint(const struct json *v)
{
    assert_true(json_uint(v, 100) == 0);
}

static void get_any_uint(const struct json *v)
{
    assert_true(json_uint(v, UINT64_MAX) == 0);
}

static void get_bool(const struct json *v)
{
    assert_false(json_bool(v));
}

static void get_time(const struct json *v)
{
    assert_true(json_time(v) == 0);
}

static void get_hex(const struct json *v)
{
    uint8_t out[2] = { 1, 1 };
    json_hex(v, out, 2);
    assert_memory_equal(out, "\0\0", 2);
}

static void get_word(const struct json *v)
{
    static const char *const words[] = { "full", "incremental", NULL };
    assert_int_equal(json_word(v, words), 0);
}

static void get_array(const struct json *v)
{
    assert_int_equal(json_array(v, 2), 0);
}

static void get_fourth(const struct json *v)
{
    struct json el = json_at(v, 3);
    assert_false(json_present(&el));
}

static void get_first(const struct json *v)
{
    struct json el = json_first(v);
    assert_false(json_present(&el));
}

static void get_object(const struct json *v)
{
    static const char *const fields[] = { "a", NULL };
    json_object(v, fields);
}

static void get_field(const struct json *v)
{
    struct json f = json_field(v, "a");
    assert_false(json_present(&f));
}

static void mistyped_values_are_refused(void **state)
{
    (void)state;
    rejects("{\"v\":1}", get_string, "v: expected a string");
    rejects("{\"v\":null}", get_string, "v: expected a string");
    rejects("{\"v\":\"abcd\"}", get_string,
            "v: the text is longer than 3 bytes");
    rejects("{\"v\":\"1\"}", get_uint, "v: expected a whole number");
    rejects("{\"v\":1.5}", get_uint, "v: expected a whole number");
    rejects("{\"v\":-1}", get_uint, "v: expected a whole number");
    rejects("{\"v\":101}", get_uint, "v: the number is over 100");
    rejects("{\"v\":1e999}", get_any_uint,
            "v: the number is over 9007199254740992");
    rejects("{\"v\":9007199254740994}", get_any_uint,
            "v: the number is over 9007199254740992");
    rejects("{\"v\":1}", get_bool, "v: expected true or false");
    rejects("{\"v\":1}", get_time,
            "v: expected a time like \"2026-11-22T10:00:00Z\"");
    rejects("{\"v\":\"2026-02-30T10:00:00Z\"}", get_time,
            "v: expected a time like \"2026-11-22T10:00:00Z\"");
    rejects("{\"v\":[1,2,3]}", get_array, "v: more than 2 elements");
    rejects("{\"v\":{}}", get_array, "v: expected an array");
    rejects("{\"v\":{}}", get_first, "v: expected an array");
    rejects("{\"v\":[1,2,3]}", get_fourth, "v[3]: the element is missing");
    rejects("{\"v\":[]}", get_object, "v: expected an object");
    rejects("{\"v\":[]}", get_field, "v: expected an object");
    rejects("{\"v\":{}}", get_field, "v.a: the field is missing");
}

static void hex_is_exact_and_lower_case(void **state)
{
    (void)state;
    static const char why[] = "v: expected 2 bytes as lower-case hex digits";
    rejects("{\"v\":1}", get_hex, "v: expected a string of hex digits");
    rejects("{\"v\":\"01f\"}", get_hex, why);
    rejects("{\"v\":\"01ff0\"}", get_hex, why);
    rejects("{\"v\":\"01FF\"}", get_hex, why);
    rejects("{\"v\":\"01fg\"}", get_hex, why);
    rejects("{\"v\":\"\"}", get_hex, why);
}

static void an_unknown_word_is_shown_with_the_known_ones(void **state)
{
    (void)state;
    rejects("{\"v\":1}", get_word, "v: expected a string");
    rejects("{\"v\":\"fu\\nll\"}", get_word,
            "v: expected one of \"full\", \"incremental\", not \"fu ll\"");
}

static void the_first_error_sticks(void **state)
{
    (void)state;
    AUTO_JSON struct json_doc *d =
        parse("{\"disks\":[{\"size\":1},{\"size\":2},{\"size\":\"x\"}],"
              "\"n\":7}");
    struct json r = json_root(d);
    struct json before = json_field(&r, "n");
    struct json disks = json_field(&r, "disks");
    assert_int_equal(json_array(&disks, 10), 3);
    struct json third = json_at(&disks, 2);
    struct json size = json_field(&third, "size");
    assert_true(json_uint(&size, 100) == 0);

    struct json after = json_field(&r, "nothing");
    struct json again = json_root(d);
    assert_false(json_present(&after) || json_present(&again));
    assert_true(json_uint(&before, 100) == 0);
    assert_false(json_bool(&before));
    assert_int_equal(json_array(&disks, 10), 0);
    json_reject(&before, "another");
    failed_as(d, "disks[2].size: expected a whole number");
}

static void an_array_is_walked_in_order(void **state)
{
    (void)state;
    AUTO_JSON struct json_doc *d = parse("[5,6,[7],\"x\"]");
    struct json r = json_root(d);
    struct json el = json_first(&r);
    assert_true(json_uint(&el, 9) == 5);
    el = json_next(&el);
    assert_true(json_uint(&el, 9) == 6);
    el = json_next(&el);
    struct json inner = json_first(&el);
    assert_true(json_uint(&inner, 9) == 7);
    inner = json_next(&inner);
    assert_false(json_present(&inner));
    inner = json_next(&inner);
    assert_false(json_present(&inner));
    el = json_next(&el);
    assert_true(json_is_string(&el));
    clean(d);
    assert_true(json_uint(&el, 9) == 0);
    failed_as(d, "[3]: expected a whole number");
    el = json_first(&r);
    assert_false(json_present(&el));
}

static void the_top_level_has_a_name_in_errors(void **state)
{
    (void)state;
    AUTO_JSON struct json_doc *d = parse("[]");
    struct json r = json_root(d);
    struct json f = json_field(&r, "a");
    assert_false(json_present(&f));
    failed_as(d, "top level: expected an object");
}

static void a_path_too_long_is_cut(void **state)
{
    (void)state;
    char name[400];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    AUTO_JSON struct json_doc *d = parse("{}");
    struct json r = json_root(d);
    struct json a = json_optional(&r, name);
    struct json b = json_optional(&a, "b");
    json_reject(&b, "%s", name);
    struct err e = { 0 };
    assert_int_equal(json_failed(d, &e), -1);
    assert_true(strlen(e.msg) > 255 && strlen(e.msg) < sizeof(e.msg));
    assert_memory_equal(e.msg + 253, "nn: nn", 6);
}

static void a_lack_of_memory_is_told_from_bad_syntax(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,\"x\",null],\"b\":{\"c\":\"d\"}}";
    unsigned nth = 1;
    for (; nth < 100; nth++) {
        struct err e = { 0 };
        fail_nth = nth;
        AUTO_JSON struct json_doc *d =
            json_parse(span_str(text), JSON_STRICT, ERR_CORRUPT, &e);
        fail_nth = 0;
        if (d != NULL)
            break;
        assert_int_equal(e.kind, ERR_NOMEM);
    }
    /* The text, the document, 7 values, 3 names and 2 strings at least. */
    assert_true(nth >= 15 && nth < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_types_are_read),
        cmocka_unit_test(an_unknown_field_is_named_with_its_nearest_neighbour),
        cmocka_unit_test(a_foreign_field_name_is_shown_short_and_clean),
        cmocka_unit_test(a_duplicate_field_is_refused),
        cmocka_unit_test(field_names_are_compared_exactly),
        cmocka_unit_test(optional_fields_may_be_absent_or_null),
        cmocka_unit_test(mistyped_values_are_refused),
        cmocka_unit_test(hex_is_exact_and_lower_case),
        cmocka_unit_test(an_unknown_word_is_shown_with_the_known_ones),
        cmocka_unit_test(the_first_error_sticks),
        cmocka_unit_test(an_array_is_walked_in_order),
        cmocka_unit_test(the_top_level_has_a_name_in_errors),
        cmocka_unit_test(a_path_too_long_is_cut),
        cmocka_unit_test(a_lack_of_memory_is_told_from_bad_syntax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

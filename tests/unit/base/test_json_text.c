// SPDX-License-Identifier: Apache-2.0
/* What is JSON at all: the text before any field is looked at. */
#include "tests/unit/base/json_rig.h"

#include "base/buf.h"

static void text_after_the_document_is_refused(void **state)
{
    (void)state;
    refused("{} {}", "line 1, column 4: text after the end of the document");
    refused("1 ]", "line 1, column 3: text after the end of the document");
    refused_as(span_of("{}\0", 3), JSON_STRICT,
               "line 1, column 3: text after the end of the document");
}

static void a_syntax_error_is_placed_by_line_and_column(void **state)
{
    (void)state;
    refused("{\n  \"a\": 1\n  \"b\": 2\n}", "line 3, column 3: syntax error");
    refused("[\"\xc3\xa9\xc3\xa9\", x]", "line 1, column 8: unexpected "
                                         "character");
    refused("", "line 1, column 1: the text ends too early");
    refused(" \n ", "line 2, column 2: the text ends too early");
    refused("[1,\n", "line 2, column 1: the text ends too early");
    refused("[1,]", "line 1, column 4: syntax error");
    refused("[1}", "line 1, column 3: syntax error");
    refused("]", "line 1, column 1: closes what was never opened");
    refused("{\"a\" 1}", "line 1, column 6: syntax error");
    refused("[tru]", "line 1, column 2: unexpected character");
    refused("\xef\xbb\xbf{}", "line 1, column 1: unexpected character");
}

static void malformed_numbers_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "01", "-",   "1.",  "-.5",
                                       "1e", "1e+", "-01", "1.e5" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused(bad[i], "line 1, column 1: malformed number");
    refused(".5", "line 1, column 1: unexpected character");
    refused("+1", "line 1, column 1: unexpected character");
    refused("NaN", "line 1, column 1: unexpected character");
    refused("9007199254740993", "line 1, column 1: number over 2^53");

    static const char *const good[] = {
        "0", "-0", "-1.5e-3", "1E+2", "0.0", "1e999", "10000000000000000000000"
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        AUTO_JSON struct json_doc *d = parse(good[i]);
        clean(d);
    }
}

static void nul_and_controls_are_refused(void **state)
{
    (void)state;
    refused("\"a\\u0000\"",
            "line 1, column 3: a string must not contain \\u0000");
    refused_as(span_of("\"a\0\"", 4), JSON_STRICT,
               "line 1, column 3: control character in a string (write it as "
               "an escape)");
    refused("\"a\nb\"", "line 1, column 3: control character in a string "
                        "(write it as an escape)");
    refused("[\f1]", "line 1, column 2: unexpected character");
    refused_as(span_of("[\0]", 3), JSON_STRICT,
               "line 1, column 2: unexpected character");
}

static void bad_escapes_are_refused(void **state)
{
    (void)state;
    refused("\"\\x\"", "line 1, column 2: unknown escape in a string");
    refused("\"\\u12g4\"", "line 1, column 2: \\u without four hex digits");
    refused("\"\\u12", "line 1, column 2: \\u without four hex digits");
    refused("\"\\", "line 1, column 2: unknown escape in a string");
    refused("\"abc", "line 1, column 1: a string that is not closed");
    refused("\"abc\\\"", "line 1, column 1: a string that is not closed");
}

static void lone_surrogates_are_refused_and_pairs_read(void **state)
{
    (void)state;
    static const char *const bad[] = { "\"\\ud800\"", "\"\\udc00\"",
                                       "\"\\ud800\\u0041\"", "\"\\ud800x\"" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = { 0 };
        AUTO_JSON struct json_doc *d =
            json_parse(span_str(bad[i]), JSON_STRICT, ERR_CORRUPT, &e);
        assert_null(d);
        assert_int_equal(e.kind, ERR_CORRUPT);
    }
    AUTO_JSON struct json_doc *d = parse("\"\\ud83d\\ude00\"");
    struct json r = json_root(d);
    assert_string_equal(json_string(&r, 4), "\xf0\x9f\x98\x80");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\"\x80\"",
        "\"\xc0\xaf\"",
        "\"\xc1\xbf\"",
        "\"\xe0\x9f\xbf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf0\x8f\xbf\xbf\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xe2\x82\"",
        "\"\xff\"",
        "\"\xf0\x9f\x98",
        "\"\xe2(\xa1\"",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused(bad[i], "line 1, column 2: a byte that is not UTF-8");
    static const char *const good[] = {
        "\"\xc2\x80\"",         "\"\xdf\xbf\"",     "\"\xe0\xa0\x80\"",
        "\"\xed\x9f\xbf\"",     "\"\xee\x80\x80\"", "\"\xf0\x90\x80\x80\"",
        "\"\xf4\x8f\xbf\xbf\"", "\"\xef\xbf\xbd\"",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        AUTO_JSON struct json_doc *d = parse(good[i]);
        clean(d);
    }
}

static void nesting_is_limited_to_32_levels(void **state)
{
    (void)state;
    char text[80];
    memset(text, '[', 32);
    memset(text + 32, ']', 32);
    text[64] = '\0';
    AUTO_JSON struct json_doc *d = parse(text);
    struct json at[32];
    at[0] = json_root(d);
    for (size_t i = 1; i < 32; i++)
        at[i] = json_at(&at[i - 1], 0);
    json_reject(&at[31], "deep");
    failed_as(d, "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
                 "[0][0][0][0][0][0][0][0][0][0][0]: deep");

    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    text[66] = '\0';
    refused(text, "line 1, column 33: nested deeper than 32 levels");
}

static void too_many_values_are_refused(void **state)
{
    (void)state;
    const size_t values = (size_t)1 << 22;
    AUTO_BUF struct buf b = buf_init(3 * values);
    buf_append_char(&b, '[');
    for (size_t i = 0; i < values; i++)
        buf_append(&b, "1,", 2);
    buf_append(&b, "1]", 2);
    struct err e = { 0 };
    AUTO_JSON struct json_doc *d =
        json_parse(buf_span(&b), JSON_STRICT, ERR_CORRUPT, &e);
    assert_null(d);
    assert_non_null(strstr(e.msg, "more values than any document may have"));
}

static void comments_are_read_where_they_are_allowed(void **state)
{
    (void)state;
    static const char text[] = "// head \xc3\xa9 \"\n"
                               "{ /* one /* \n\n */ \"a\": // x\n"
                               "\"http://h/*p*/\\\"//\" /**/ }//";
    struct err e = { 0 };
    AUTO_JSON struct json_doc *d =
        json_parse(span_str(text), JSON_COMMENTS, ERR_CONFIG, &e);
    assert_non_null(d);
    struct json r = json_root(d);
    struct json a = json_field(&r, "a");
    assert_string_equal(json_string(&a, 100), "http://h/*p*/\"//");
    clean(d);

    refused("{} // x", "line 1, column 4: text after the end of the document");
    refused("// x\n{}", "line 1, column 1: unexpected character");
    refused_as(span_str("{ /* x *"), JSON_COMMENTS,
               "line 1, column 3: a comment that is not closed");
    refused_as(span_str("{ /*/"), JSON_COMMENTS,
               "line 1, column 3: a comment that is not closed");
    refused_as(span_str("{ / }"), JSON_COMMENTS,
               "line 1, column 3: unexpected character");
}

static void comments_do_not_move_the_place_of_an_error(void **state)
{
    (void)state;
    refused_as(span_str("{ /* \n\n */ \"a\": // x\n  ?"), JSON_COMMENTS,
               "line 4, column 3: unexpected character");
    refused_as(span_str("[1 /* \n */ 2]"), JSON_COMMENTS,
               "line 2, column 5: syntax error");
}

static void freeing_no_document_is_fine(void **state)
{
    (void)state;
    json_doc_free(NULL);
    refused_as((struct span){ 0 }, JSON_STRICT,
               "line 1, column 1: the text ends too early");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_after_the_document_is_refused),
        cmocka_unit_test(a_syntax_error_is_placed_by_line_and_column),
        cmocka_unit_test(malformed_numbers_are_refused),
        cmocka_unit_test(nul_and_controls_are_refused),
        cmocka_unit_test(bad_escapes_are_refused),
        cmocka_unit_test(lone_surrogates_are_refused_and_pairs_read),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(nesting_is_limited_to_32_levels),
        cmocka_unit_test(too_many_values_are_refused),
        cmocka_unit_test(comments_are_read_where_they_are_allowed),
        cmocka_unit_test(comments_do_not_move_the_place_of_an_error),
        cmocka_unit_test(freeing_no_document_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

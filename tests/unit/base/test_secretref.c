// SPDX-License-Identifier: Apache-2.0
//
// Secrets found in files, variables, commands' output and configuration.
#include "base/secretref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/objvault-secret-XXXXXX";

static int file_make(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    return setenv("OBJVAULT_TEST_SECRET", "from env\n", 1);
}

static int file_remove(void **state)
{
    (void)state;
    return unlink(path);
}

static void file_write(const char *text, size_t len)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static struct json_doc *parse(const char *text)
{
    struct err e = { 0 };
    struct json_doc *d =
        json_parse(span_str(text), JSON_STRICT, ERR_CONFIG, &e);
    assert_non_null(d);
    return d;
}

/* {"file": path} in buf. */
static const char *file_ref(char buf[100])
{
    snprintf(buf, 100, "{\"file\":\"%s\"}", path);
    return buf;
}

static void resolves_to(const char *text, const char *bytes, size_t len)
{
    struct err e = { 0 };
    AUTO_JSON struct json_doc *d = parse(text);
    struct json r = json_root(d);
    AUTO_SECRET struct secret *s = secretref_resolve(&r, NULL, &e);
    if (s == NULL)
        fail_msg("%s: %s", text, e.msg);
    assert_int_equal(secret_span(s).len, len);
    assert_memory_equal(secret_span(s).p, bytes, len);
}

static void fails(const char *text, enum err_kind kind, const char *why)
{
    struct err e = { 0 };
    AUTO_JSON struct json_doc *d = parse(text);
    struct json r = json_root(d);
    assert_null(secretref_resolve(&r, NULL, &e));
    assert_int_equal(e.kind, kind);
    assert_non_null(strstr(e.msg, why));
}

static void a_text_is_the_secret_itself(void **state)
{
    (void)state;
    resolves_to("\"pass word\\n\"", "pass word\n", 10);
    fails("\"\"", ERR_CONFIG, "top level: the secret is empty");
}

static void a_file_loses_one_line_break(void **state)
{
    (void)state;
    char ref[100];
    file_write("in file\n", 8);
    resolves_to(file_ref(ref), "in file", 7);
    file_write("in file\r\n", 9);
    resolves_to(file_ref(ref), "in file", 7);
    file_write("in\nfile\n\n", 9);
    resolves_to(file_ref(ref), "in\nfile\n", 8);
    file_write("\0\xff", 2);
    resolves_to(file_ref(ref), "\0\xff", 2);
}

static void an_empty_file_is_no_secret(void **state)
{
    (void)state;
    char ref[100];
    file_write("", 0);
    fails(file_ref(ref), ERR_CONFIG, "the secret is empty");
    file_write("\r\n", 2);
    fails(file_ref(ref), ERR_CONFIG, "the secret is empty");
    fails(file_ref(ref), ERR_CONFIG, path);
}

static void a_file_may_have_64_kib_and_no_more(void **state)
{
    (void)state;
    static char text[65537];
    char ref[100];
    memset(text, 's', sizeof(text));
    file_write(text, 65536);
    resolves_to(file_ref(ref), text, 65536);
    file_write(text, 65537);
    fails(file_ref(ref), ERR_CONFIG, "larger than 65536 bytes");
}

static void a_missing_file_is_not_found(void **state)
{
    (void)state;
    fails("{\"file\":\"/nonexistent/secret\"}", ERR_NOTFOUND,
          "secret from file /nonexistent/secret: ");
}

static void a_variable_is_taken_as_it_is(void **state)
{
    (void)state;
    resolves_to("{\"env\":\"OBJVAULT_TEST_SECRET\"}", "from env\n", 9);
    fails("{\"env\":\"OBJVAULT_TEST_UNSET\"}", ERR_CONFIG,
          "secret from environment variable OBJVAULT_TEST_UNSET: the variable "
          "is not set");
}

static void a_command_prints_the_secret(void **state)
{
    (void)state;
    resolves_to("{\"command\":[\"printf\",\"%s-%s\\\\n\",\"a b\",\"\"]}",
                "a b-", 4);
    fails("{\"command\":[\"true\"]}", ERR_CONFIG,
          "secret from command true: the secret is empty");
    fails("{\"command\":[\"sh\",\"-c\",\"echo locked >&2; exit 2\"]}",
          ERR_FAILED, "secret from command sh: sh: exit status 2");
    fails("{\"command\":[\"objvault-no-such-program\"]}", ERR_NOTFOUND,
          "secret from command objvault-no-such-program: ");
    fails("{\"command\":[\"yes\"]}", ERR_CONFIG, "larger than 65536 bytes");
}

static void a_wrong_shape_is_recorded_in_the_document(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        { "5", "top level: expected a text, or an object" },
        { "null", "top level: expected a text, or an object" },
        { "{}", "top level: expected one of \"file\", \"env\"" },
        { "{\"file\":\"a\",\"env\":\"b\"}", "expected one of \"file\"" },
        { "{\"files\":\"a\"}", "files: unknown field; the nearest known one "
                               "is \"file\"" },
        { "{\"file\":\"\"}", "top level: the name is empty" },
        { "{\"env\":1}", "env: expected a string" },
        { "{\"command\":\"ls\"}", "command: expected an array" },
        { "{\"command\":[]}", "command: expected a program and its" },
        { "{\"command\":[\"ls\",1]}", "command[1]: expected a string" },
        { "{\"command\":[\"\",\"x\"]}",
          "command: the program's name is empty" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = { 0 };
        struct err again = { 0 };
        AUTO_JSON struct json_doc *d = parse(bad[i][0]);
        struct json r = json_root(d);
        assert_null(secretref_resolve(&r, NULL, &e));
        assert_int_equal(json_failed(d, &again), -1);
        assert_string_equal(e.msg, again.msg);
        assert_int_equal(e.kind, ERR_CONFIG);
        if (strstr(e.msg, bad[i][1]) == NULL)
            fail_msg("%s: %s", bad[i][0], e.msg);
    }
}

static void too_many_arguments_are_refused(void **state)
{
    (void)state;
    char text[400] = "{\"command\":[\"echo\"";
    size_t at = strlen(text);
    for (int i = 0; i < 64; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, ",\"x\"");
    snprintf(text + at, sizeof(text) - at, "]}");
    fails(text, ERR_CONFIG, "command: more than 64 elements");
}

static void an_absent_reference_is_an_error(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_JSON struct json_doc *d = parse("{}");
    struct json r = json_root(d);
    struct json none = json_optional(&r, "password");
    assert_null(secretref_resolve(&none, NULL, &e));
    assert_non_null(strstr(e.msg, "password: expected a text"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_the_secret_itself),
        cmocka_unit_test(a_file_loses_one_line_break),
        cmocka_unit_test(an_empty_file_is_no_secret),
        cmocka_unit_test(a_file_may_have_64_kib_and_no_more),
        cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(a_variable_is_taken_as_it_is),
        cmocka_unit_test(a_command_prints_the_secret),
        cmocka_unit_test(a_wrong_shape_is_recorded_in_the_document),
        cmocka_unit_test(too_many_arguments_are_refused),
        cmocka_unit_test(an_absent_reference_is_an_error),
    };
    return cmocka_run_group_tests(tests, file_make, file_remove);
}

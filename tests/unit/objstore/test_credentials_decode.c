// SPDX-License-Identifier: Apache-2.0
//
// Answers that hold keys, from programs and servers that may say anything, and
// command lines.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "objstore/credentials_source.h"

#define PROCESS OBJ_CREDENTIALS_BY_PROCESS
#define ENDPOINT OBJ_CREDENTIALS_BY_ENDPOINT
#define HUSH "hush-hush-hush"
#define ID "\"AccessKeyId\":\"AK\","
#define SECRET "\"SecretAccessKey\":\"" HUSH "\""

static void assert_keys(const struct obj_credentials *c, const char *token,
                        int64_t expires)
{
    assert_string_equal(c->access_key, "AK");
    assert_true(span_eq(secret_span(c->secret), span_str(HUSH)));
    assert_int_equal(c->token != NULL, token != NULL);
    if (token != NULL)
        assert_true(span_eq(secret_span(c->token), span_str(token)));
    assert_int_equal(c->expires, expires);
}

static void answers_of_each_kind_are_read(void **state)
{
    static const struct {
        enum obj_credentials_writer by;
        const char *text, *token;
        int64_t expires;
    } cases[] = {
        { PROCESS, "{\"Version\":1," ID SECRET "}", NULL, 0 },
        { PROCESS,
          "{\"Version\":1," ID SECRET ",\"SessionToken\":\"tok\","
          "\"Expiration\":\"2026-11-22T19:55:06Z\",\"AccountId\":\"1\"}",
          "tok", 1795377306 },
        { PROCESS,
          "{\"Version\":1," ID SECRET ",\"Expiration\":"
          "\"2026-11-22T20:55:06.123+01:00\",\"SessionToken\":null}",
          NULL, 1795377306 },
        { ENDPOINT,
          "{\"Code\":\"Success\",\"LastUpdated\":\"2026-11-22T10:00:00Z\","
          "\"Type\":\"AWS-HMAC\"," ID SECRET ",\"Token\":\"tok\","
          "\"Expiration\":\"2026-11-22T19:55:06Z\"}",
          "tok", 1795377306 },
        { ENDPOINT,
          "{\"RoleArn\":\"arn\"," ID SECRET ",\"Token\":\"tok\","
          "\"Expiration\":\"2026-11-22T19:55:06Z\"}",
          "tok", 1795377306 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_OBJ_CREDENTIALS struct obj_credentials c = { 0 };
        struct err e = { 0 };
        if (obj_credentials_decode(span_str(cases[i].text), cases[i].by, &c,
                                   &e) < 0)
            fail_msg("%zu: %s", i, e.msg);
        assert_keys(&c, cases[i].token, cases[i].expires);
    }
}

static void assert_rejected(enum obj_credentials_writer by, const char *text,
                            const char *why)
{
    AUTO_OBJ_CREDENTIALS struct obj_credentials c = { 0 };
    struct err e = { 0 };

    assert_int_equal(obj_credentials_decode(span_str(text), by, &c, &e), -1);
    if (e.kind != ERR_DENIED || strstr(e.msg, why) == NULL)
        fail_msg("%.80s: %s", text, e.msg);
    assert_null(strstr(e.msg, HUSH));
}

static void hostile_answers_are_refused_without_quoting_them(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "ends too early" },
        { "<html>" HUSH "</html>", "line 1" },
        { "[]", "expected an object" },
        { "{\"Version\":1," ID SECRET "} " HUSH, "line 1" },
        { "{" ID SECRET "}", "Version" },
        { "{\"Version\":2," ID SECRET "}", "Version" },
        { "{\"Version\":\"1\"," ID SECRET "}", "Version" },
        { "{\"Version\":1," SECRET "}", "AccessKeyId" },
        { "{\"Version\":1,\"AccessKeyId\":\"\"," SECRET "}", "AccessKeyId" },
        { "{\"Version\":1,\"AccessKeyId\":7," SECRET "}", "AccessKeyId" },
        { "{\"Version\":1,\"AccessKeyId\":\"AK\"}", "SecretAccessKey" },
        { "{\"Version\":1," ID "\"SecretAccessKey\":[\"" HUSH "\"]}",
          "SecretAccessKey" },
        { "{\"Version\":1," ID "\"SecretAccessKey\":null}", "SecretAccessKey" },
        { "{\"Version\":1," ID SECRET "," SECRET "}", "twice" },
        { "{\"Version\":1," ID SECRET ",\"SessionToken\":{}}", "SessionToken" },
        { "{\"Version\":1," ID SECRET ",\"Expiration\":\"soon\"}",
          "Expiration" },
        { "{\"Version\":1," ID SECRET ",\"Expiration\":\"\"}", "Expiration" },
        { "{\"Version\":1," ID SECRET ",\"Expiration\":1795377306}",
          "Expiration" },
        { "{\"Version\":1," ID SECRET
          ",\"Expiration\":\"2026-13-45T99:99:99Z\"}",
          "Expiration" },
        { "{\"Version\":1," ID SECRET ",\"Expiration\":\"" HUSH HUSH HUSH HUSH
          "x\"}",
          "Expiration" },
        { "{\"Version\":1," ID "\"SecretAccessKey\":\"a\\u0000b\"}", "line 1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_rejected(PROCESS, cases[i].text, cases[i].why);
    assert_rejected(ENDPOINT, "{\"Code\":\"AssumeRoleUnauthorizedAccess\"}",
                    "AssumeRoleUnauthorizedAccess");
    assert_rejected(ENDPOINT, "{\"Code\":\"a\\u001b[31mb\"," ID SECRET "}",
                    "a?[31mb");
    assert_rejected(ENDPOINT, "{\"Code\":7," ID SECRET "}", "Code");
}

static void oversized_fields_are_refused(void **state)
{
    static char text[40000], big[20000];

    (void)state;
    memset(big, 'x', sizeof big - 1);
    snprintf(text, sizeof text,
             "{\"Version\":1," ID SECRET ",\"SessionToken\":\"%s\"}", big);
    assert_rejected(PROCESS, text, "SessionToken");
    snprintf(text, sizeof text,
             "{\"Version\":1," ID "\"SecretAccessKey\":\"%.300s\"}", big);
    assert_rejected(PROCESS, text, "SecretAccessKey");
}

#define STS(inner)                                                             \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">" \
    "<AssumeRoleResult><Credentials>" inner                                    \
    "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
#define STS_ID "<AccessKeyId>AK</AccessKeyId>"
#define STS_SECRET "<SecretAccessKey>" HUSH "</SecretAccessKey>"
#define STS_TOKEN "<SessionToken>tok</SessionToken>"

static void answers_of_sts_are_read(void **state)
{
    AUTO_OBJ_CREDENTIALS struct obj_credentials c = { 0 };
    struct err e = { 0 };

    (void)state;
    assert_int_equal(
        obj_credentials_decode_sts(
            span_str(STS(STS_ID STS_SECRET STS_TOKEN
                         "<Expiration>2026-11-22T19:55:06Z</Expiration>")),
            "AssumeRole", &c, &e),
        0);
    assert_keys(&c, "tok", 1795377306);
}

static void hostile_answers_of_sts_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "empty document" },
        { "{}", "line 1" },
        { "<html>" HUSH "</html>", "html" },
        { STS(""), "no keys" },
        { STS(STS_ID STS_SECRET), "no keys" },
        { STS(STS_ID STS_TOKEN), "no keys" },
        { STS(STS_SECRET STS_TOKEN), "no keys" },
        { STS(STS_ID "<SecretAccessKey/>" STS_TOKEN), "SecretAccessKey" },
        { STS(STS_ID STS_SECRET STS_TOKEN "<Expiration>" HUSH "</Expiration>"),
          "Expiration" },
        { "<!DOCTYPE a [<!ENTITY b \"c\">]>" STS(STS_ID), "document type" },
        { "<AssumeRoleResponse>" STS_ID STS_SECRET STS_TOKEN
          "</AssumeRoleResponse>",
          "no keys" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_OBJ_CREDENTIALS struct obj_credentials c = { 0 };
        struct err e = { 0 };
        assert_int_equal(obj_credentials_decode_sts(span_str(cases[i].text),
                                                    "AssumeRole", &c, &e),
                         -1);
        if (e.kind != ERR_DENIED || strstr(e.msg, cases[i].why) == NULL)
            fail_msg("%zu: %s", i, e.msg);
        assert_null(strstr(e.msg, HUSH));
    }
}

static void command_lines_are_split_as_shlex_does(void **state)
{
    /* Each checked against Python 3.11: shlex.split. */
    static const struct {
        const char *text, *words; /* with a bar behind each */
    } cases[] = {
        { "a", "a|" },
        { "  a\tb  c\n", "a|b|c|" },
        { "'a b' \"c d\"", "a b|c d|" },
        { "a'b c'd", "ab cd|" },
        { "a\\ b c", "a b|c|" },
        { "\"a\\\"b\\\\c\\d\" e", "a\"b\\c\\d|e|" },
        { "'a\\b'", "a\\b|" },
        { "a '' b", "a||b|" },
        { "a $HOME `id` ;b | c > d #e", "a|$HOME|`id`|;b|||c|>|d|#e|" },
        { "a \"it's\" 'say \"x\"'", "a|it's|say \"x\"|" },
    };
    static const char *const bad[] = { "",      "  ",  "''",   "a 'b",
                                       "a \"b", "a\\", "\"a\\" };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64], words[128] = "";
        const char *argv[17];
        struct err e = { 0 };
        snprintf(text, sizeof text, "%s", cases[i].text);
        if (obj_credentials_split(text, argv, 16, &e) < 0)
            fail_msg("%s: %s", cases[i].text, e.msg);
        for (size_t n = 0; argv[n] != NULL; n++)
            snprintf(words + strlen(words), sizeof words - strlen(words), "%s|",
                     argv[n]);
        assert_string_equal(words, cases[i].words);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[64];
        const char *argv[17];
        struct err e = { 0 };
        snprintf(text, sizeof text, "%s", bad[i]);
        assert_int_equal(obj_credentials_split(text, argv, 16, &e), -1);
        assert_int_equal(e.kind, ERR_CONFIG);
    }
    char many[] = "a b c";
    const char *argv[3];
    struct err e = { 0 };
    assert_int_equal(obj_credentials_split(many, argv, 2, &e), -1);
    assert_int_equal(e.kind, ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_each_kind_are_read),
        cmocka_unit_test(hostile_answers_are_refused_without_quoting_them),
        cmocka_unit_test(oversized_fields_are_refused),
        cmocka_unit_test(answers_of_sts_are_read),
        cmocka_unit_test(hostile_answers_of_sts_are_refused),
        cmocka_unit_test(command_lines_are_split_as_shlex_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* What a configured repository may say, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine/job/config.h"

static char config_folder[] = "/etc/h";
static char state_folder[] = "/var/s";
static const struct eng_home home = { .config = config_folder,
                                      .state = state_folder };

static char *dup_or_null(const char *s)
{
    return s != NULL ? strdup(s) : NULL;
}

static void names_are_short_and_plain(void **state)
{
    struct err e = { 0 };
    char longest[66];
    (void)state;
    memset(longest, 'a', 65);
    longest[64] = '\0';
    assert_int_equal(eng_config_name_check("a", &e), 0);
    assert_int_equal(eng_config_name_check("A-b_c.9", &e), 0);
    assert_int_equal(eng_config_name_check(longest, &e), 0);
    longest[64] = 'a';
    longest[65] = '\0';
    const char *bad[] = { "",    ".a",       "-a",  "_a",   "a/b",
                          "a b", "\xc3\xa9", "a\n", longest };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(eng_config_name_check(bad[i], &e), -1);
        assert_int_equal(e.kind, ERR_USAGE);
        assert_non_null(strstr(e.msg, "is no name"));
    }
}

static void block_sizes_are_powers_of_two_within_limits(void **state)
{
    struct err e = { 0 };
    (void)state;
    assert_int_equal(eng_config_block_size_check(262144, &e), 0);
    assert_int_equal(eng_config_block_size_check(8388608, &e), 0);
    assert_int_equal(eng_config_block_size_check(131072, &e), -1);
    assert_int_equal(eng_config_block_size_check(16777216, &e), -1);
    assert_int_equal(eng_config_block_size_check(1000000, &e), -1);
    assert_string_equal(e.msg, "block size 1000000: must be a power of two, "
                               "256K to 8M");
}

/* A repository of this URL is refused with a message that begins so. */
static void bad_url(const char *url, const char *message)
{
    struct err e = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { .name = dup_or_null("r"),
                                                      .url = dup_or_null(url) };
    assert_int_equal(eng_config_repo_check(&r, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    if (strncmp(e.msg, message, strlen(message)) != 0)
        fail_msg("%s: %s", url, e.msg);
}

static void wrong_urls_are_refused(void **state)
{
    char prefix[600] = "s3://bucket/";
    (void)state;
    bad_url("bucket", "URL bucket: neither s3://bucket[/prefix] nor file:///");
    bad_url("http://x", "URL http://x: neither");
    bad_url("s3://", "URL s3://: \"\" is no bucket's name");
    bad_url("s3://ab", "URL s3://ab: \"ab\" is no bucket's name");
    bad_url("s3://Abc", "URL s3://Abc: \"Abc\" is no");
    bad_url("s3://-abc", "URL s3://-abc: ");
    bad_url("s3://abc-", "URL s3://abc-: ");
    bad_url("s3://a..b", "URL s3://a..b: ");
    bad_url("s3://a_b", "URL s3://a_b: ");
    bad_url("s3://user@bucket", "URL s3://user@bucket: ");
    bad_url("s3://abc//x", "URL s3://abc//x: a part of the prefix is empty");
    bad_url("s3://abc/../x", "URL s3://abc/../x: a part of the prefix");
    bad_url("s3://abc/./x", "URL s3://abc/./x: a part of the prefix");
    bad_url("s3://abc/a\tb", "URL: has a control character");
    bad_url("file://host/x", "URL file://host/x: the path must be absolute");
    bad_url("file://x", "URL file://x: the path must be absolute");
    bad_url("file:///", "URL file:///: the root folder cannot be");
    bad_url("file:////", "URL file:////: the root folder cannot be");
    bad_url("file:///a//b", "URL file:///a//b: a part of the path is empty");
    bad_url("file:///a/../b", "URL file:///a/../b: a part of the path");
    memset(prefix + strlen("s3://bucket/"), 'x', 501);
    bad_url(prefix, "URL s3://bucket/xxx");
}

/* The options are checked one by one: base is good, one member is not. */
static void bad_option(size_t offset, const char *value, const char *message)
{
    struct err e = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
        .name = dup_or_null("r"), .url = dup_or_null("s3://bucket")
    };
    char **member = (char **)(void *)((char *)&r + offset);
    *member = dup_or_null(value);
    assert_int_equal(eng_config_repo_check(&r, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_string_equal(e.msg, message);
}

#define AT(member) offsetof(struct eng_config_repo, member)
#define ENDPOINT_RULE                                                          \
    ": must be http://HOST[:PORT] or https://HOST[:PORT], without path, user " \
    "or query"

static void wrong_options_are_refused(void **state)
{
    (void)state;
    static const char *const endpoints[] = {
        "ftp://x",    "x",           "http://",         "http://x:0",
        "http://x:",  "http://x:p",  "http://x:123456", "http://x:65536",
        "http://x/a", "http://u@x",  "http://x?a",      "http://[::1",
        "http://[]",  "https://x y", "http://[::1]x",   "http://x:80/a",
    };
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        char want[200];
        (void)snprintf(want, sizeof want, "endpoint %s" ENDPOINT_RULE,
                       endpoints[i]);
        bad_option(AT(endpoint), endpoints[i], want);
    }
    bad_option(AT(region), "",
               "region \"\": must be at most 31 letters, "
               "digits, '-' and '_'");
    bad_option(AT(region), "a b",
               "region \"a b\": must be at most 31 letters, "
               "digits, '-' and '_'");
    bad_option(AT(ca), "ca.pem", "ca ca.pem: the path must be absolute");
    bad_option(AT(credentials), "a/b",
               "credentials: \"a/b\" is no name: use letters, digits, '.', "
               "'_' and '-', at most 64, the first a letter or digit");
    bad_option(AT(addressing), "x",
               "addressing \"x\": must be auto, path or virtual");
    bad_option(AT(payload), "x", "payload \"x\": must be signed or crc32c");
    bad_option(AT(driver), "x", "driver \"x\": must be s3, libs3 or file");
    bad_option(AT(driver), "file",
               "URL s3://bucket: does not go with driver file");
}

static void good_endpoints_are_accepted(void **state)
{
    (void)state;
    static const char *const endpoints[] = {
        "http://127.0.0.1:9000", "https://s3.example.com/", "http://[::1]:9000",
        "http://minio_1",        "https://x:65535",
    };
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        struct err e = { 0 };
        AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
            .name = dup_or_null("r"),
            .url = dup_or_null("s3://bucket"),
            .endpoint = dup_or_null(endpoints[i]),
        };
        if (eng_config_repo_check(&r, &e) < 0)
            fail_msg("%s", e.msg);
    }
}

static void options_of_s3_have_no_use_with_a_folder(void **state)
{
    (void)state;
    static const size_t members[] = { AT(endpoint),    AT(region),
                                      AT(addressing),  AT(ca),
                                      AT(credentials), AT(payload) };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct err e = { 0 };
        AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
            .name = dup_or_null("r"), .url = dup_or_null("file:///x")
        };
        *(char **)(void *)((char *)&r + members[i]) = dup_or_null("path");
        assert_int_equal(eng_config_repo_check(&r, &e), -1);
        assert_non_null(strstr(e.msg, " has no use with a file:/// URL"));
    }
    struct err e = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
        .name = dup_or_null("r"),
        .url = dup_or_null("file:///x"),
        .max_clock_skew_s = 5,
    };
    assert_int_equal(eng_config_repo_check(&r, &e), -1);
    assert_true(eng_config_repo_is_file(&r));
}

static void a_place_on_s3_has_all_that_was_configured(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_PLACE struct eng_config_place p = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
        .name = dup_or_null("main"),
        .url = dup_or_null("s3://bucket/a/b/"),
        .endpoint = dup_or_null("http://h"),
        .region = dup_or_null("r1"),
        .addressing = dup_or_null("path"),
        .ca = dup_or_null("/ca"),
        .credentials = dup_or_null("keys"),
        .payload = dup_or_null("signed"),
        .max_clock_skew_s = 7,
    };
    assert_int_equal(eng_config_place_init(&p, &home, &r, &e), 0);
    assert_string_equal(p.place.name, "main");
    assert_string_equal(p.place.state_dir, "/var/s");
    const struct obj_config *s = &p.place.store;
    assert_int_equal(s->driver, OBJ_DRIVER_S3);
    assert_string_equal(s->bucket, "bucket");
    assert_string_equal(s->prefix, "a/b");
    assert_string_equal(s->endpoint, "http://h");
    assert_string_equal(s->region, "r1");
    assert_string_equal(s->ca_file, "/ca");
    assert_string_equal(s->credentials_file, "/etc/h/credentials/keys.json");
    assert_int_equal(s->addressing, OBJ_ADDR_PATH);
    assert_int_equal(s->payload, OBJ_PAYLOAD_SIGNED);
    assert_int_equal(s->max_clock_skew_s, 7);
}

static void driver_libs3_has_a_place_and_no_use_for_some_options(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        const char *value, *problem;
    } useless[] = {
        { AT(region), "r1", "region has no use with driver libs3" },
        { AT(ca), "/ca", "ca has no use with driver libs3" },
        { AT(payload), "crc32c", "payload has no use with driver libs3" },
    };
    for (size_t i = 0; i <= sizeof useless / sizeof useless[0]; i++) {
        struct err e = { 0 };
        AUTO_ENG_CONFIG_PLACE struct eng_config_place p = { 0 };
        AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
            .name = dup_or_null("main"),
            .url = dup_or_null("s3://bucket/a"),
            .driver = dup_or_null("libs3"),
            .endpoint = dup_or_null("http://h"),
        };
        assert_string_equal(eng_config_repo_driver(&r), "libs3");
        if (i == sizeof useless / sizeof useless[0]) {
            assert_int_equal(eng_config_place_init(&p, &home, &r, &e), 0);
            assert_int_equal(p.place.store.driver, OBJ_DRIVER_LIBS3);
            assert_string_equal(p.place.store.prefix, "a");
            continue;
        }
        *(char **)((char *)&r + useless[i].at) = dup_or_null(useless[i].value);
        assert_int_equal(eng_config_place_init(&p, &home, &r, &e), -1);
        assert_int_equal(e.kind, ERR_USAGE);
        assert_string_equal(e.msg, useless[i].problem);
    }
}

static void a_place_has_defaults(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_PLACE struct eng_config_place p = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
        .name = dup_or_null("main"),
        .url = dup_or_null("s3://bucket"),
        .addressing = dup_or_null("virtual"),
    };
    assert_int_equal(eng_config_place_init(&p, &home, &r, &e), 0);
    assert_string_equal(p.place.store.prefix, "");
    assert_null(p.place.store.endpoint);
    assert_null(p.place.store.credentials_file);
    assert_int_equal(p.place.store.addressing, OBJ_ADDR_VIRTUAL);
    assert_int_equal(p.place.store.payload, OBJ_PAYLOAD_CRC32C);
    assert_int_equal(p.place.store.max_clock_skew_s, 600);
}

static void
what_the_probe_found_chooses_the_payload_unless_it_is_said(void **state)
{
    static const struct {
        enum eng_probe_result found;
        const char *said;
        enum obj_payload payload;
    } cases[] = {
        { ENG_PROBE_YES, NULL, OBJ_PAYLOAD_CRC32C },
        { ENG_PROBE_NO, NULL, OBJ_PAYLOAD_SIGNED },
        { ENG_PROBE_UNKNOWN, NULL, OBJ_PAYLOAD_CRC32C },
        { ENG_PROBE_DENIED, NULL, OBJ_PAYLOAD_CRC32C },
        { ENG_PROBE_YES, "signed", OBJ_PAYLOAD_SIGNED },
        { ENG_PROBE_NO, "crc32c", OBJ_PAYLOAD_CRC32C },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = { 0 };
        AUTO_ENG_CONFIG_PLACE struct eng_config_place p = { 0 };
        AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
            .name = dup_or_null("main"),
            .url = dup_or_null("s3://bucket"),
            .payload = dup_or_null(cases[i].said),
        };
        r.probe.results[ENG_PROBE_CRC32C] = cases[i].found;
        assert_int_equal(eng_config_place_init(&p, &home, &r, &e), 0);
        assert_int_equal(p.place.store.payload, cases[i].payload);
    }
}

static void a_place_in_a_folder_has_its_path(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_PLACE struct eng_config_place p = { 0 };
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = {
        .name = dup_or_null("main"), .url = dup_or_null("file:///srv/x y/")
    };
    assert_int_equal(eng_config_place_init(&p, &home, &r, &e), 0);
    assert_int_equal(p.place.store.driver, OBJ_DRIVER_FILE);
    assert_string_equal(p.place.store.path, "/srv/x y");
    free(r.url);
    r.url = dup_or_null("nonsense");
    AUTO_ENG_CONFIG_PLACE struct eng_config_place q = { 0 };
    assert_int_equal(eng_config_place_init(&q, &home, &r, &e), -1);
    assert_null(q.place.name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_short_and_plain),
        cmocka_unit_test(block_sizes_are_powers_of_two_within_limits),
        cmocka_unit_test(wrong_urls_are_refused),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(good_endpoints_are_accepted),
        cmocka_unit_test(options_of_s3_have_no_use_with_a_folder),
        cmocka_unit_test(a_place_on_s3_has_all_that_was_configured),
        cmocka_unit_test(a_place_has_defaults),
        cmocka_unit_test(driver_libs3_has_a_place_and_no_use_for_some_options),
        cmocka_unit_test(
            what_the_probe_found_chooses_the_payload_unless_it_is_said),
        cmocka_unit_test(a_place_in_a_folder_has_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

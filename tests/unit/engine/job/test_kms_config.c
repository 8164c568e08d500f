// SPDX-License-Identifier: Apache-2.0
/* Configured key servers: what kms/NAME.json may say, and how it comes and
 * goes. */
#include "tests/unit/engine/job/homed.h"

#include "engine/job/kms_config.h"
#include "engine/job/kms_servers.h"
#include "tests/unit/must.h"

static struct eng_config_kms config(const char *name, const char *server,
                                    const char *ca, const char *cert,
                                    const char *key)
{
    struct eng_config_kms k = {
        .name = strdup(name),
        .server = server != NULL ? strdup(server) : NULL,
        .ca = ca != NULL ? strdup(ca) : NULL,
        .cert = cert != NULL ? strdup(cert) : NULL,
        .key = key != NULL ? strdup(key) : NULL,
    };
    assert_non_null(k.name);
    return k;
}

static struct eng_config_kms good(void)
{
    return config("main", "kms1.example.org,[fd00::1]:5697", "/p/ca.pem",
                  "/p/host.pem", "/p/host.key");
}

/* Takes the configuration over. */
static void refused(struct eng_config_kms k, const char *part)
{
    struct err e = { 0 };

    assert_int_equal(eng_config_kms_check(&k, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    if (strstr(e.msg, part) == NULL)
        fail_msg("\"%s\": %s", part, e.msg);
    eng_config_kms_fini(&k);
}

static void each_member_is_checked_by_its_form(void **state)
{
    AUTO_ENG_CONFIG_KMS struct eng_config_kms right = good();

    (void)state;
    must(eng_config_kms_check(&right, why));
    refused(config("a/b", "h", "/c", "/d", "/e"), "is no name");
    refused(config("main", NULL, "/c", "/d", "/e"), "has no server");
    refused(config("main", "h:", "/c", "/d", "/e"), "server \"h:\"");
    refused(config("main", "h", "c", "/d", "/e"), "ca c: the path");
    refused(config("main", "h", NULL, "/d", "/e"), "ca : the path");
    refused(config("main", "h", "/c", "d/d", "/e"), "cert d/d");
    refused(config("main", "h", "/c", "/d", ""), "key : the path");
}

static void servers_are_hosts_with_ports_and_commas_between(void **state)
{
    AUTO(eng_kms_servers_fini) struct eng_kms_servers s = { 0 };

    (void)state;
    must(eng_kms_servers_parse("kms-1.example.org,10.0.0.1:1,[fd00::1]:65535,"
                               "[::1],under_score",
                               &s, why));
    static const struct {
        const char *host;
        uint16_t port;
    } want[] = {
        { "kms-1.example.org", 5696 }, { "10.0.0.1", 1 },
        { "fd00::1", 65535 },          { "::1", 5696 },
        { "under_score", 5696 },
    };
    assert_int_equal(s.n, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < s.n; i++) {
        assert_string_equal(s.s[i].host, want[i].host);
        assert_int_equal(s.s[i].port, want[i].port);
    }
}

static void what_is_no_list_of_servers_is_refused(void **state)
{
    static const char *const bad[] = {
        "",    ",",    "a,",      ",a",       "a,,b", "a b",
        "a:",  "a:0",  "a:65536", "a:123456", "a:1x", "a:-1",
        "::1", "[::1", "[::1]x",  "[::1]:",   "[]",   "a:1:2",
        "a/b", "a@b",  "a\n",     "[::1]:0",  "a:1 ", "\xc3\xa9",
    };
    char longest[256];
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        AUTO(eng_kms_servers_fini) struct eng_kms_servers s = { 0 };
        if (eng_kms_servers_parse(bad[i], &s, &e) == 0)
            fail_msg("\"%s\"", bad[i]);
        assert_int_equal(e.kind, ERR_USAGE);
    }
    memset(longest, 'a', sizeof longest);
    for (size_t len = 253; len <= 254; len++) {
        AUTO(eng_kms_servers_fini) struct eng_kms_servers s = { 0 };
        longest[len] = '\0';
        assert_int_equal(eng_kms_servers_parse(longest, &s, &e) == 0,
                         len == 253);
        longest[len] = 'a';
    }
}

static void more_servers_than_there_is_room_for_are_refused(void **state)
{
    char text[] = "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a";
    char *last = text + sizeof(text) - sizeof(",a");
    struct err e = { 0 };

    (void)state;
    *last = '\0';
    AUTO(eng_kms_servers_fini) struct eng_kms_servers most = { 0 };
    must(eng_kms_servers_parse(text, &most, why));
    assert_int_equal(most.n, KMS_SERVERS_MAX);
    *last = ',';
    AUTO(eng_kms_servers_fini) struct eng_kms_servers more = { 0 };
    assert_int_equal(eng_kms_servers_parse(text, &more, &e), -1);
    assert_non_null(strstr(e.msg, "at most 16"));
}

static void what_is_saved_is_loaded_and_removed_once(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_KMS struct eng_config_kms k = good();
    AUTO_ENG_CONFIG_KMS struct eng_config_kms back = { 0 };

    k.mode = strdup("remote");
    k.kmip_version = strdup("1.4");
    must(eng_config_kms_save(&f->home, &k, why));
    must(eng_config_kms_load(&f->home, "main", &back, why));
    assert_string_equal(back.name, "main");
    assert_string_equal(back.server, k.server);
    assert_string_equal(back.ca, k.ca);
    assert_string_equal(back.cert, k.cert);
    assert_string_equal(back.key, k.key);
    assert_string_equal(back.mode, "remote");
    assert_string_equal(back.kmip_version, "1.4");

    /* The name is taken, and what it stands for stays. */
    assert_int_equal(eng_config_kms_save(&f->home, &k, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_non_null(strstr(e.msg, "\"main\" is configured already"));

    must(eng_config_kms_remove(&f->home, "main", why));
    assert_int_equal(eng_config_kms_remove(&f->home, "main", &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    eng_config_kms_fini(&back);
    assert_int_equal(eng_config_kms_load(&f->home, "main", &back, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "none is configured in "));
    assert_null(back.name);
}

static void names_never_leave_the_folder(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    AUTO_ENG_CONFIG_KMS struct eng_config_kms back = { 0 };

    put(f, "outside.json", "{}");
    assert_int_equal(eng_config_kms_load(&f->home, "../outside", &back, &e),
                     -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(eng_config_kms_remove(&f->home, "../outside", &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
}

static void
what_a_file_says_wrongly_is_an_error_of_the_configuration(void **state)
{
    static const struct {
        const char *text, *part;
    } files[] = {
        { "{", "" },
        { "{\"server\":\"h\",\"ca\":\"/c\",\"cert\":\"/d\"}", "key" },
        { "{\"server\":\"a b\",\"ca\":\"/c\",\"cert\":\"/d\","
          "\"key\":\"/e\"}",
          "server \"a b\"" },
        { "{\"server\":\"h\",\"ca\":\"c\",\"cert\":\"/d\","
          "\"key\":\"/e\"}",
          "absolute" },
        { "{\"server\":\"h\",\"ca\":\"/c\",\"cert\":\"/d\","
          "\"key\":\"/e\",\"mode\":\"both\"}",
          "mode" },
        { "{\"server\":\"h\",\"ca\":\"/c\",\"cert\":\"/d\","
          "\"key\":\"/e\",\"kmip_version\":\"1.3\"}",
          "kmip_version" },
        { "{\"server\":\"h\",\"ca\":\"/c\",\"cert\":\"/d\","
          "\"key\":\"/e\",\"verify\":false}",
          "verify" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct err e = { 0 };
        AUTO_ENG_CONFIG_KMS struct eng_config_kms back = { 0 };
        char name[16], path[32];
        (void)snprintf(name, sizeof name, "f%zu", i);
        (void)snprintf(path, sizeof path, "kms/%s.json", name);
        put(f, path, files[i].text);
        assert_int_equal(eng_config_kms_load(&f->home, name, &back, &e), -1);
        if (e.kind != ERR_CONFIG || strstr(e.msg, files[i].part) == NULL)
            fail_msg("file %zu: %s: %s", i, err_kind_name(e.kind), e.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_is_checked_by_its_form),
        cmocka_unit_test(servers_are_hosts_with_ports_and_commas_between),
        cmocka_unit_test(what_is_no_list_of_servers_is_refused),
        cmocka_unit_test(more_servers_than_there_is_room_for_are_refused),
        HOMED(what_is_saved_is_loaded_and_removed_once),
        HOMED(names_never_leave_the_folder),
        HOMED(what_a_file_says_wrongly_is_an_error_of_the_configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

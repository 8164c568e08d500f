// SPDX-License-Identifier: Apache-2.0
/* A configured key server in use: what the repository layer unwraps keys by,
 * on servers that misbehave on request (tests/kmsserver). */
#include "tests/unit/kms/kms_rig.h"

#include "engine/job/kms_config.h"

#define REPO "0123456789abcdef0123456789abcdef"

/* The first n servers of the rig, with the certificate of this name. */
static struct eng_key_server *configured(size_t n, const char *client,
                                         const char *mode)
{
    char list[128] = "";
    struct err e = { 0 };

    for (size_t i = 0; i < n; i++)
        (void)snprintf(list + strlen(list), sizeof list - strlen(list),
                       "%s127.0.0.1:%u", i > 0 ? "," : "",
                       (unsigned)rig.at[i].port);
    struct eng_config_kms k = {
        .name = strdup("main"),
        .server = strdup(list),
        .ca = strdup(rig_file(0, "ca", "crt")),
        .cert = strdup(rig_file(1, client, "crt")),
        .key = strdup(rig_file(2, client, "key")),
        .kmip_version = strdup("1.4"),
        .mode = mode != NULL ? strdup(mode) : NULL,
    };
    struct eng_key_server *s = eng_key_server_new(&k, &e);
    assert_non_null(s);
    /* It is taken over. */
    assert_null(k.name);
    assert_null(k.key);
    return s;
}

static void nobody_is_asked_and_no_file_read_before_it_is_needed(void **state)
{
    struct secret *key = NULL;
    struct err e = { 0 };

    (void)state;
    rig_serve_plainly(0);
    struct eng_key_server *s = configured(1, "nobody", NULL);
    assert_string_equal(s->adapter.name, "main");
    assert_false(s->adapter.remote);
    assert_int_equal(s->adapter.key_get(s->adapter.client, NULL, "1", false,
                                        false, &key, &e),
                     -1);
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "nobody.crt"));
    assert_int_equal(kmsserver_connections(rig.s[0]), 0);
    eng_key_server_free(s);
}

static void a_key_that_is_made_belongs_to_the_repository(void **state)
{
    struct secret *key = NULL;

    (void)state;
    struct kmsserver *server = rig_serve_plainly(0);
    struct eng_key_server *s = configured(1, "client", NULL);
    must(eng_key_server_make_key(s, REPO, NULL, why));
    assert_string_equal(s->adapter.key, "2");
    assert_int_equal(strncmp(s->adapter.key_name, "objvault-" REPO "-",
                             strlen("objvault-" REPO "-")),
                     0);
    assert_int_equal(strlen(s->adapter.key_name),
                     strlen("objvault-" REPO "-") + 16);
    assert_int_equal(kmsserver_state(server, 2), KMIP_ACTIVE);
    char first[KMS_NAME_CHARS];
    (void)snprintf(first, sizeof first, "%s", s->adapter.key_name);
    must(eng_key_server_make_key(s, REPO, NULL, why));
    assert_string_not_equal(s->adapter.key_name, first);
    must(s->adapter.key_get(s->adapter.client, NULL, "2", true, false, &key,
                            why));
    assert_int_equal(secret_span(key).len, 32);
    secret_free(key);
    eng_key_server_free(s);
}

/* What is asked, in each state: wrapping, going on, restoring. */
static void the_wish_decides_which_states_do(void **state)
{
    static const struct {
        enum kmip_state state;
        bool wrap, append, restore;
    } cases[] = {
        { KMIP_PRE_ACTIVE, false, false, false },
        { KMIP_ACTIVE, true, true, true },
        { KMIP_DEACTIVATED, false, false, true },
        { KMIP_COMPROMISED, false, false, false },
    };

    (void)state;
    struct kmsserver *server = rig_serve_plainly(0);
    struct eng_key_server *s = configured(1, "client", "get");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bool want[] = { cases[i].wrap, cases[i].append,
                              cases[i].restore };
        kmsserver_set_state(server, 1, cases[i].state);
        for (int wish = 0; wish < 3; wish++) {
            struct secret *key = NULL;
            struct err e = { 0 };
            int got = s->adapter.key_get(s->adapter.client, NULL, "1",
                                         wish == 0, wish == 2, &key, &e);
            if ((got == 0) != want[wish])
                fail_msg("state %d, wish %d: %s", (int)cases[i].state, wish,
                         e.msg);
            assert_int_equal(key != NULL, want[wish]);
            if (got < 0)
                assert_int_equal(e.kind, ERR_DENIED);
            secret_free(key);
        }
    }
    eng_key_server_free(s);
}

static void a_key_that_is_too_long_to_wrap_is_a_bug(void **state)
{
    static const uint8_t zeros[4096];
    struct wrapped out;
    struct err e = { 0 };

    (void)state;
    rig_serve_plainly(0);
    struct eng_key_server *s = configured(1, "client", "remote");
    assert_true(s->adapter.remote);
    assert_int_equal(
        s->adapter.wrap_remote(s->adapter.client, NULL, "1", span_str("aad"),
                               span_of(zeros, sizeof(out.data) + 1), &out, &e),
        -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_int_equal(kmsserver_connections(rig.s[0]), 0);
    eng_key_server_free(s);
}

static void count_report(void *ctx, const struct kms_report *r)
{
    size_t *n = ctx;

    assert_string_equal(r->vendor, "kmsserver");
    assert_int_equal(r->version.minor, 4);
    (*n)++;
}

static void a_test_speaks_to_each_server_until_one_does_not_answer(void **state)
{
    struct err e = { 0 };
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        rig_serve_plainly(i);
    struct eng_key_server *s = configured(3, "client", NULL);
    must(eng_key_server_test(s, NULL, count_report, &n, why));
    assert_int_equal(n, 3);
    kmsserver_stop(rig.s[1]);
    rig.s[1] = NULL;
    n = 0;
    assert_int_equal(eng_key_server_test(s, NULL, count_report, &n, &e), -1);
    assert_int_equal(e.kind, ERR_UNREACHABLE);
    assert_int_equal(n, 1);
    eng_key_server_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(nobody_is_asked_and_no_file_read_before_it_is_needed),
        RIG_TEST(a_key_that_is_made_belongs_to_the_repository),
        RIG_TEST(the_wish_decides_which_states_do),
        RIG_TEST(a_key_that_is_too_long_to_wrap_is_a_bug),
        RIG_TEST(a_test_speaks_to_each_server_until_one_does_not_answer),
    };

    eng_key_server_free(NULL);
    return cmocka_run_group_tests(tests, rig_make_pki, rig_remove_pki);
}

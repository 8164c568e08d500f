// SPDX-License-Identifier: Apache-2.0
/* Acceptance 16 and 17 of kms/DESIGN.md: replicas in their order, connections
 * that died meanwhile, versions. */
#include "kms_rig.h"

/* Nothing listens on it. */
static void leave_dead(size_t i)
{
    rig_serve_plainly(i);
    kmsserver_stop(rig.s[i]);
    rig.s[i] = NULL;
}

static void second_server_answers_where_the_first_does_not(void **state)
{
    static const enum kmsserver_act acts[] = {
        KMSSERVER_NO_HANDSHAKE, KMSSERVER_PLAIN,         KMSSERVER_HANG_UP,
        KMSSERVER_RESET,        KMSSERVER_NEVER,         KMSSERVER_DRIP,
        KMSSERVER_HALF,         KMSSERVER_LOST,          KMSSERVER_HUGE,
        KMSSERVER_ODD,          KMSSERVER_WRONG_MESSAGE,
    };

    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        struct kmsserver *bad = rig_serve_plainly(0);
        rig_serve_plainly(1);
        struct kms_config c = rig_config(2, "client");
        c.attempt_ms = 1500;
        struct kms *k = rig_open_config(&c);
        kmsserver_fault(bad, (struct kmsserver_fault){ .act = acts[i] });
        rig_expect_key(k);
        assert_int_equal(kmsserver_requests(rig.s[1], 0), 1);
        kms_close(k);
        rig_stop(NULL);
    }
}

static void dead_server_is_passed_over(void **state)
{
    (void)state;
    leave_dead(0);
    rig_serve_plainly(1);
    rig_serve_plainly(2);
    struct kms *k = rig_open(3);
    rig_expect_key(k);
    rig_expect_key(k);
    /* In their order, and whoever answered is asked again. */
    assert_int_equal(kmsserver_requests(rig.s[1], 0), 2);
    assert_int_equal(kmsserver_connections(rig.s[1]), 1);
    assert_int_equal(kmsserver_connections(rig.s[2]), 0);
    kms_close(k);
}

static void all_servers_down_end_at_the_deadline(void **state)
{
    (void)state;
    leave_dead(0);
    leave_dead(1);
    struct kms_config c = rig_config(2, "client");
    c.deadline_ms = 1500;
    struct kms *k = rig_open_config(&c);
    int64_t took = 0;
    /* Late each time: see ends_at_the_deadline in test_kms_fault.c. */
    for (int i = 0; i < 5 && (i == 0 || took > 1650); i++) {
        int64_t began = utc_mono_ms();
        rig_expect_error(k, ERR_UNREACHABLE, "refused");
        took = utc_mono_ms() - began;
    }
    assert_in_range(took, 1350, 1650);
    kms_close(k);
}

static void impostor_is_never_used_and_never_waited_for(void **state)
{
    (void)state;
    rig_serve(0, (struct kmsserver_opts){ .cert = "server-other" });
    rig_serve_plainly(1);
    struct kms *k = rig_open(2);
    rig_expect_key(k);
    kms_close(k);
    assert_int_equal(kmsserver_requests(rig.s[0], 0), 0);

    struct kms_config c = rig_config(1, "client");
    k = rig_open_config(&c);
    rig_expect_error(k, ERR_DENIED, "does not verify");
    kms_close(k);
    assert_int_equal(kmsserver_requests(rig.s[0], 0), 0);
}

static void replica_may_know_a_key_that_the_first_does_not(void **state)
{
    struct secret *key = NULL;
    struct err e = { 0 };

    (void)state;
    rig_serve_plainly(0);
    rig_serve_plainly(1);
    assert_int_equal(kmsserver_key(rig.s[1], "late", KMIP_ACTIVE, KEY_FILL), 2);
    struct kms *k = rig_open(2);
    assert_int_equal(
        kms_key_get(k, NULL, "2", KMS_APPEND, false, &key, NULL, &e), 0);
    secret_free(key);
    key = NULL;
    kms_close(k);

    struct kms_config c = rig_config(2, "client");
    c.one_copy_is_enough = true;
    k = rig_open_config(&c);
    assert_int_equal(
        kms_key_get(k, NULL, "2", KMS_APPEND, false, &key, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    kms_close(k);
}

static void key_that_no_replica_knows_is_not_waited_for(void **state)
{
    struct secret *key = NULL;
    struct err e = { 0 };

    (void)state;
    rig_serve_plainly(0);
    leave_dead(1);
    struct kms *k = rig_open(2);
    int64_t began = utc_mono_ms();
    assert_int_equal(
        kms_key_get(k, NULL, "7", KMS_APPEND, false, &key, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_true(utc_mono_ms() - began < RIG_AT_ONCE_MS);
    kms_close(k);
}

static void stale_connection_is_replaced_once(void **state)
{
    (void)state;
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);
    rig_expect_key(k);
    /* Closed while it was idle: seen before anything is sent. */
    kmsserver_hang_up(s);
    usleep(50 * 1000);
    rig_expect_key(k);
    assert_int_equal(kmsserver_connections(s), 2);
    assert_int_equal(kmsserver_requests(s, 0), 2);
    /* Closed when the request comes: one more attempt, at once. */
    kmsserver_fault(
        s, (struct kmsserver_fault){ .act = KMSSERVER_DROP, .times = 1 });
    int64_t began = utc_mono_ms();
    rig_expect_key(k);
    assert_true(utc_mono_ms() - began < RIG_AT_ONCE_MS);
    assert_int_equal(kmsserver_connections(s), 3);
    assert_int_equal(kmsserver_requests(s, 0), 4);
    kms_close(k);
}

static void server_that_closes_after_each_answer_is_no_trouble(void **state)
{
    char uid[KMS_UID_CHARS] = "";

    (void)state;
    for (int tls = TLS1_2_VERSION; tls <= TLS1_3_VERSION; tls++) {
        struct kmsserver *s = rig_serve(
            0, (struct kmsserver_opts){ .tls_min = tls, .tls_max = tls });
        struct kms_config c = rig_config(1, "client");
        c.version = KMS_VERSION_AUTO;
        kmsserver_fault(s,
                        (struct kmsserver_fault){ .act = KMSSERVER_ONE_EACH });
        /* Each operation is the first of its client: it learns the version. */
        struct kms *k = rig_open_config(&c);
        rig_expect_key(k);
        rig_expect_key(k);
        kms_close(k);
        k = rig_open_config(&c);
        must(kms_key_create(k, NULL, "new", uid, why));
        kms_close(k);
        k = rig_open_config(&c);
        must(kms_key_destroy(k, NULL, uid, why));
        kms_close(k);
        assert_int_equal(kmsserver_requests(s, KMIP_CREATE), 1);
        assert_int_equal(kmsserver_requests(s, KMIP_DESTROY), 1);
        rig_stop(NULL);
    }
}

static void answer_that_nobody_asked_for_is_not_taken(void **state)
{
    struct secret *key = NULL;

    (void)state;
    struct kmsserver *s = rig_serve_plainly(0);
    assert_int_equal(kmsserver_key(s, "second", KMIP_ACTIVE, 7), 2);
    struct kms *k = rig_open(1);
    kmsserver_fault(
        s, (struct kmsserver_fault){ .act = KMSSERVER_TWICE, .times = 1 });
    rig_expect_key(k);
    usleep(300 * 1000);
    must(kms_key_get(k, NULL, "2", KMS_APPEND, false, &key, NULL, why));
    assert_int_equal(secret_span(key).p[0], 7);
    assert_int_equal(kmsserver_connections(s), 2);
    secret_free(key);
    kms_close(k);
}

static void version_is_asked_for_once_for_each_server(void **state)
{
    (void)state;
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms_config c = rig_config(1, "client");
    c.version = KMS_VERSION_AUTO;
    struct kms *k = rig_open_config(&c);
    rig_expect_key(k);
    rig_expect_key(k);
    assert_int_equal(kmsserver_requests(s, KMIP_DISCOVER_VERSIONS), 1);
    kms_close(k);
}

static void version_that_is_not_understood_is_followed_by_another(void **state)
{
    (void)state;
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms_config c = rig_config(1, "client");
    c.version = KMS_VERSION_AUTO;
    struct kms *k = rig_open_config(&c);
    kmsserver_fault(s, (struct kmsserver_fault){
                           .act = KMSSERVER_REFUSE,
                           .op = KMIP_DISCOVER_VERSIONS,
                           .reason = KMIP_INVALID_MESSAGE,
                           .times = 2,
                       });
    rig_expect_key(k);
    assert_int_equal(kmsserver_requests(s, KMIP_DISCOVER_VERSIONS), 3);
    kms_close(k);

    k = rig_open_config(&c);
    kmsserver_fault(s, (struct kmsserver_fault){
                           .act = KMSSERVER_REFUSE,
                           .op = KMIP_DISCOVER_VERSIONS,
                           .reason = KMIP_INVALID_MESSAGE,
                       });
    rig_expect_error(k, ERR_UNSUPPORTED, "Discover Versions");
    assert_int_equal(kmsserver_requests(s, KMIP_DISCOVER_VERSIONS), 6);
    kms_close(k);
}

/* It speaks 1.4, and has never heard of Discover Versions. */
static void server_without_discovery_is_spoken_to_as_it_answers(void **state)
{
    struct kms_report r;

    (void)state;
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms_config c = rig_config(1, "client");
    c.version = KMS_VERSION_AUTO;
    struct kms *k = rig_open_config(&c);
    kmsserver_fault(s, (struct kmsserver_fault){
                           .act = KMSSERVER_REFUSE,
                           .op = KMIP_DISCOVER_VERSIONS,
                           .reason = KMIP_OPERATION_NOT_SUPPORTED,
                       });
    rig_expect_key(k);
    assert_int_equal(kmsserver_requests(s, KMIP_DISCOVER_VERSIONS), 1);
    must(kms_test(k, 0, NULL, &r, why));
    assert_int_equal(r.version.minor, 4);
    kms_close(k);
}

static void server_that_fails_while_versions_are_found_out_is_replaced(void **s)
{
    (void)s;
    rig_serve_plainly(0);
    rig_serve_plainly(1);
    struct kms_config c = rig_config(2, "client");
    c.version = KMS_VERSION_AUTO;
    struct kms *k = rig_open_config(&c);
    kmsserver_fault(rig.s[0], (struct kmsserver_fault){
                                  .act = KMSSERVER_REFUSE,
                                  .op = KMIP_DISCOVER_VERSIONS,
                                  .reason = KMIP_GENERAL_FAILURE,
                              });
    rig_expect_key(k);
    assert_int_equal(kmsserver_requests(rig.s[1], KMIP_GET_ATTRIBUTES), 1);
    kms_close(k);
}

/* A server that takes 1.2 alone is asked in it, and told from what is wanted
 * where it cannot do that. */
static void server_of_1_2_is_no_place_to_wrap_at(void **state)
{
    struct kms_report r;
    struct err e = { 0 };

    (void)state;
    struct kmsserver *s = rig_serve(0, (struct kmsserver_opts){ .minor = 2 });
    struct kms_config c = rig_config(1, "client");
    c.version = KMS_VERSION_AUTO;
    struct kms *k = rig_open_config(&c);
    must(kms_test(k, 0, NULL, &r, why));
    assert_int_equal(r.version.major, 1);
    assert_int_equal(r.version.minor, 2);
    assert_int_equal(kmsserver_requests(s, KMIP_DISCOVER_VERSIONS), 2);
    rig_expect_key(k);
    kms_close(k);

    c.mode = KMS_MODE_REMOTE;
    k = rig_open_config(&c);
    assert_int_equal(kms_test(k, 0, NULL, &r, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_non_null(strstr(e.msg, "speaks 1.2"));
    kms_close(k);
}

static void server_that_does_not_say_what_it_is_passes_the_test(void **state)
{
    static const struct {
        uint32_t reason;
        bool passes;
    } cases[] = {
        { KMIP_OPERATION_NOT_SUPPORTED, true },
        { KMIP_FEATURE_NOT_SUPPORTED, true },
        { KMIP_PERMISSION_DENIED, true },
        { KMIP_AUTHENTICATION_NOT_SUCCESSFUL, false },
        { KMIP_NOT_AUTHORISED, false },
    };

    (void)state;
    struct kmsserver *s = rig_serve_plainly(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kms_report r;
        struct err e = { 0 };
        struct kms *k = rig_open(1);
        kmsserver_fault(s,
                        (struct kmsserver_fault){ .act = KMSSERVER_REFUSE,
                                                  .op = KMIP_QUERY,
                                                  .reason = cases[i].reason });
        int got = kms_test(k, 0, NULL, &r, &e);
        assert_int_equal(got == 0, cases[i].passes);
        assert_int_equal(got == 0 ? ERR_NONE : e.kind,
                         cases[i].passes ? ERR_NONE : ERR_DENIED);
        if (got == 0)
            assert_string_equal(r.vendor, "");
        kms_close(k);
    }
    /* It answers nothing else either. */
    struct kms_report r;
    struct err e = { 0 };
    struct kms *k = rig_open(1);
    kmsserver_fault(
        s, (struct kmsserver_fault){ .act = KMSSERVER_REFUSE,
                                     .reason = KMIP_PERMISSION_DENIED });
    assert_int_equal(kms_test(k, 0, NULL, &r, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_non_null(strstr(e.msg, "Locate"));
    kms_close(k);
}

static void test_speaks_to_one_server_and_asks_once(void **state)
{
    struct kms_report r;
    struct err e = { 0 };

    (void)state;
    leave_dead(0);
    rig_serve_plainly(1);
    struct kms *k = rig_open(2);
    assert_int_equal(kms_servers(k), 2);
    int64_t began = utc_mono_ms();
    assert_int_equal(kms_test(k, 0, NULL, &r, &e), -1);
    assert_int_equal(e.kind, ERR_UNREACHABLE);
    assert_true(utc_mono_ms() - began < RIG_AT_ONCE_MS);
    assert_int_equal(kmsserver_connections(rig.s[1]), 0);
    assert_int_equal(kms_test(k, 1, NULL, &r, &e), 0);
    kms_close(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(second_server_answers_where_the_first_does_not),
        RIG_TEST(dead_server_is_passed_over),
        RIG_TEST(all_servers_down_end_at_the_deadline),
        RIG_TEST(impostor_is_never_used_and_never_waited_for),
        RIG_TEST(replica_may_know_a_key_that_the_first_does_not),
        RIG_TEST(key_that_no_replica_knows_is_not_waited_for),
        RIG_TEST(stale_connection_is_replaced_once),
        RIG_TEST(server_that_closes_after_each_answer_is_no_trouble),
        RIG_TEST(answer_that_nobody_asked_for_is_not_taken),
        RIG_TEST(version_is_asked_for_once_for_each_server),
        RIG_TEST(version_that_is_not_understood_is_followed_by_another),
        RIG_TEST(server_without_discovery_is_spoken_to_as_it_answers),
        RIG_TEST(server_that_fails_while_versions_are_found_out_is_replaced),
        RIG_TEST(server_of_1_2_is_no_place_to_wrap_at),
        RIG_TEST(server_that_does_not_say_what_it_is_passes_the_test),
        RIG_TEST(test_speaks_to_one_server_and_asks_once),
    };

    return cmocka_run_group_tests(tests, rig_make_pki, rig_remove_pki);
}

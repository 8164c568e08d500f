// SPDX-License-Identifier: Apache-2.0
/*
 * The client on a real server, PyKMIP (kms-test/server.sh), with TLS 1.2 and
 * 1.3.  Which test is which of the list in kms/DESIGN.md:
 *
 *   2   life_cycle_of_a_key_in_each_version
 *   6   state_decides_what_a_real_key_may_be_used_for
 *   7   unknown_foreign_and_destroyed_keys_are_told_apart
 *   8   fresh_database_gives_other_bytes_under_the_same_identifier
 *   10  second_key_of_a_name_is_not_adopted
 *   11  real_server_refuses_certificates_that_are_wrong
 *   12  real_server_with_a_wrong_certificate_is_not_used
 *   13  rsa_server_needs_ciphers_that_are_named
 *   16  replica_with_the_same_keys_takes_over
 *   17  restarted_server_is_connected_to_again
 *   21  remote_wrapping_needs_version_1_4
 *   25  main: without the server the whole program is skipped, with its reason
 */
#include "kms_rig.h"

#include <pthread.h>

#include "base/aead.h"
#include "kms/kms_impl.h"

static const struct {
    enum kms_version version;
    int major, minor;
} versions[] = {
    { KMS_VERSION_1_2, 1, 2 },
    { KMS_VERSION_1_4, 1, 4 },
    { KMS_VERSION_2_0, 2, 0 },
    { KMS_VERSION_AUTO, 2, 0 },
};

/* Servers, each in a folder of its name. */
static const char *const tls_servers[] = { "tls12", "tls13" };

static int command(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int command(const char *fmt, ...)
{
    char args[512], line[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(args, sizeof args, fmt, ap);
    va_end(ap);
    (void)snprintf(line, sizeof line, "cd '%s' && '%s/server.sh' %s", rig_pki,
                   KMS_TEST_DIR, args);
    return system(line); /* NOLINT(cert-env33-c): a path of our own */
}

static uint16_t port_of(const char *name)
{
    char path[160];
    char text[16] = "";

    (void)snprintf(path, sizeof path, "%s/%s/port", rig_pki, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    (void)fclose(f);
    return (uint16_t)strtoul(text, NULL, 10);
}

/* Server i of the configuration is the one of this name. */
static void place(size_t i, const char *name)
{
    rig.at[i] = (struct kms_endpoint){ "127.0.0.1", port_of(name) };
}

static struct kms *open_version(const char *name, enum kms_version version)
{
    place(0, name);
    struct kms_config c = rig_config(1, "client");
    c.version = version;
    c.attempt_ms = 5000;
    c.deadline_ms = 10000;
    return rig_open_config(&c);
}

static struct kms *open_as(const char *name, const char *client)
{
    place(0, name);
    struct kms_config c = rig_config(1, client);
    return rig_open_config(&c);
}

/* A name that no other test uses. */
static const char *new_name(void)
{
    static char name[64];
    static unsigned n;

    (void)snprintf(name, sizeof name, "objvault/test/kek/%u", ++n);
    return name;
}

static void make(struct kms *k, const char *name, char uid[KMS_UID_CHARS])
{
    struct err e = { 0 };

    if (kms_key_create(k, NULL, name, uid, &e) < 0)
        fail_msg("%s", e.msg);
}

static struct secret *take(struct kms *k, const char *uid)
{
    struct secret *key = NULL;
    struct err e = { 0 };

    if (kms_key_get(k, NULL, uid, KMS_WRAP, false, &key, NULL, &e) < 0)
        fail_msg("%s", e.msg);
    return key;
}

static void refuse(struct kms *k, const char *uid, enum kms_use use,
                   enum err_kind kind, const char *part)
{
    struct secret *key = NULL;
    struct err e = { 0 };

    assert_int_equal(kms_key_get(k, NULL, uid, use, false, &key, NULL, &e), -1);
    assert_null(key);
    if (e.kind != kind || strstr(e.msg, part) == NULL)
        fail_msg("%s: %s", err_kind_name(e.kind), e.msg);
}

static enum kmip_state state_of(struct kms *k, const char *uid)
{
    enum kmip_state now = KMIP_DESTROYED;

    must(kms_key_state(k, NULL, uid, &now, why));
    return now;
}

static void live_and_die(struct kms *k)
{
    char uid[KMS_UID_CHARS] = "", found[KMS_UID_CHARS] = "";
    const char *name = new_name();

    make(k, name, uid);
    must(kms_key_find(k, NULL, name, found, why));
    assert_string_equal(found, uid);
    struct secret *one = take(k, uid), *two = take(k, uid);
    assert_int_equal(secret_span(one).len, 32);
    assert_true(span_eq(secret_span(one), secret_span(two)));
    secret_free(one);
    secret_free(two);
    assert_int_equal(state_of(k, uid), KMIP_ACTIVE);
    must(kms_key_revoke(k, NULL, uid, KMIP_SUPERSEDED, why));
    assert_int_equal(state_of(k, uid), KMIP_DEACTIVATED);
    must(kms_key_destroy(k, NULL, uid, why));
    refuse(k, uid, KMS_RESTORE, ERR_NOTFOUND, "not found");
}

static void life_cycle_of_a_key_in_each_version(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        for (size_t v = 0; v < sizeof versions / sizeof versions[0]; v++) {
            struct kms *k = open_version(tls_servers[t], versions[v].version);
            struct kms_report r;

            must(kms_test(k, 0, NULL, &r, why));
            assert_int_equal(r.version.major, versions[v].major);
            assert_int_equal(r.version.minor, versions[v].minor);
            assert_non_null(strstr(r.vendor, "PyKMIP"));
            assert_string_equal(r.protocol, t == 0 ? "TLSv1.2" : "TLSv1.3");
            live_and_die(k);
            kms_close(k);
        }
    }
}

static void state_decides_what_a_real_key_may_be_used_for(void **state)
{
    struct kms *k = open_version("tls12", KMS_VERSION_1_4);
    char uid[KMS_UID_CHARS] = "";
    struct secret *key = NULL;
    bool deactivated = false;

    (void)state;
    make(k, new_name(), uid);
    must(kms_key_revoke(k, NULL, uid, KMIP_SUPERSEDED, why));
    refuse(k, uid, KMS_WRAP, ERR_DENIED, "deactivated");
    refuse(k, uid, KMS_APPEND, ERR_DENIED, "deactivated");
    must(
        kms_key_get(k, NULL, uid, KMS_RESTORE, false, &key, &deactivated, why));
    assert_true(deactivated);
    secret_free(key);
    must(kms_key_revoke(k, NULL, uid, KMIP_KEY_COMPROMISE, why));
    refuse(k, uid, KMS_WRAP, ERR_DENIED, "compromised");
    refuse(k, uid, KMS_RESTORE, ERR_DENIED, "compromised");
    must(kms_key_get(k, NULL, uid, KMS_RESTORE, true, &key, &deactivated, why));
    assert_false(deactivated);
    secret_free(key);

    /* Made, and never activated. */
    const struct kms_ask ask = {
        .items = { { .op = KMIP_CREATE, .attrs = kms_key_kind() } },
        .count = 1,
        .max = KMS_REPLY_MAX,
    };
    struct kms_ask with_use = ask;
    with_use.items[0].attrs.has |= KMIP_ATTR_USAGE;
    with_use.items[0].attrs.usage = KMS_KEY_USES;
    struct kms_limits l = kms_limits(k, NULL);
    AUTO_ANSWER struct kms_answer a = { 0 };
    must(kms_call(k, &with_use, &l, &a, why));
    refuse(k, a.results[0].uid, KMS_RESTORE, ERR_DENIED, "pre-active");
    kms_close(k);
}

static void unknown_foreign_and_destroyed_keys_are_told_apart(void **state)
{
    struct kms *k = open_as("tls12", "client");
    struct kms *stranger = open_as("tls12", "client2");
    char uid[KMS_UID_CHARS] = "", found[KMS_UID_CHARS] = "";
    const char *name = new_name();
    struct err e = { 0 };

    (void)state;
    make(k, name, uid);
    refuse(k, "999999", KMS_RESTORE, ERR_NOTFOUND, "999999");
    refuse(stranger, uid, KMS_RESTORE, ERR_DENIED, "permission denied");
    assert_int_equal(kms_key_find(stranger, NULL, name, found, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    must(kms_key_revoke(k, NULL, uid, KMIP_SUPERSEDED, why));
    must(kms_key_destroy(k, NULL, uid, why));
    refuse(k, uid, KMS_RESTORE, ERR_NOTFOUND, "not found");
    assert_int_equal(kms_key_destroy(k, NULL, uid, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    kms_close(stranger);
    kms_close(k);
}

static void
fresh_database_gives_other_bytes_under_the_same_identifier(void **state)
{
    char a[KMS_UID_CHARS] = "", b[KMS_UID_CHARS] = "";

    (void)state;
    assert_int_equal(command("start fresh-a ."), 0);
    assert_int_equal(command("start fresh-b ."), 0);
    struct kms *one = open_as("fresh-a", "client");
    make(one, "same", a);
    struct secret *first = take(one, a);
    kms_close(one);
    struct kms *two = open_as("fresh-b", "client");
    make(two, "same", b);
    struct secret *second = take(two, b);
    kms_close(two);
    assert_string_equal(a, b);
    assert_false(span_eq(secret_span(first), secret_span(second)));
    secret_free(first);
    secret_free(second);
    command("stop fresh-a");
    command("stop fresh-b");
}

static void second_key_of_a_name_is_not_adopted(void **state)
{
    struct kms *k = open_version("tls12", KMS_VERSION_1_4);
    const char *name = new_name();
    char uid[KMS_UID_CHARS] = "";
    struct err e = { 0 };
    struct kms_ask again = {
        .items = { { .op = KMIP_CREATE, .attrs = kms_key_kind() } },
        .count = 1,
        .max = KMS_REPLY_MAX,
    };
    struct kms_limits l = kms_limits(k, NULL);
    AUTO_ANSWER struct kms_answer a = { 0 };

    (void)state;
    make(k, name, uid);
    assert_int_equal(kms_key_create(k, NULL, name, uid, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    /* Names are not unique there: somebody else makes another. */
    again.items[0].attrs.has |= KMIP_ATTR_NAME | KMIP_ATTR_USAGE;
    again.items[0].attrs.usage = KMS_KEY_USES;
    again.items[0].attrs.names[0] = span_str(name);
    again.items[0].attrs.name_count = 1;
    must(kms_call(k, &again, &l, &a, why));
    assert_int_equal(kms_key_find(k, NULL, name, uid, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_non_null(strstr(e.msg, "more than one"));
    kms_close(k);
}

static void real_server_refuses_certificates_that_are_wrong(void **state)
{
    static const struct {
        const char *client, *part;
    } cases[] = {
        { "client-other", "does not take our certificate" },
        { "client-expired", "does not take our certificate" },
        { "client-server-eku", "does not take our certificate" },
        { "client-no-eku", "authentication not successful" },
        { "client-no-cn", "authentication not successful" },
    };

    (void)state;
    for (size_t t = 0; t < 2; t++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            place(0, tls_servers[t]);
            struct kms_config c = rig_config(1, cases[i].client);
            c.version = i % 2 == 0 ? KMS_VERSION_1_4 : KMS_VERSION_AUTO;
            struct kms *k = rig_open_config(&c);
            int64_t began = utc_mono_ms();
            rig_expect_error(k, ERR_DENIED, cases[i].part);
            assert_true(utc_mono_ms() - began < 2000);
            kms_close(k);
        }
    }
}

static void real_server_with_a_wrong_certificate_is_not_used(void **state)
{
    (void)state;
    assert_int_equal(command("start wrong . --cert server-wrong"), 0);
    struct kms *k = open_as("wrong", "client");
    rig_expect_error(k, ERR_DENIED, "IP address mismatch");
    kms_close(k);
    /* The right one for its address, and a CA that we do not trust. */
    place(0, "tls12");
    struct kms_config c = rig_config(1, "client");
    c.tls.ca_file = rig_file(3, "other-ca", "crt");
    k = rig_open_config(&c);
    rig_expect_error(k, ERR_DENIED, "does not verify");
    kms_close(k);
    command("stop wrong");
}

static void rsa_server_needs_ciphers_that_are_named(void **state)
{
    struct kms_report r;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(command("start rsa . --cert server-rsa"), 0);
    place(0, "rsa");
    struct kms_config c = rig_config(1, "client");
    struct kms *k = rig_open_config(&c);
    rig_expect_error(k, ERR_CONFIG, "no TLS that both sides take");
    kms_close(k);
    c.tls.tls12_ciphers = "ECDHE-RSA-AES256-SHA384:AES128-SHA256";
    k = rig_open_config(&c);
    if (kms_test(k, 0, NULL, &r, &e) < 0)
        fail_msg("%s", e.msg);
    kms_close(k);
    command("stop rsa");
}

struct killer {
    const char *name;
    int after_ms;
};

static void *kill_later(void *arg)
{
    const struct killer *k = arg;

    usleep((useconds_t)k->after_ms * 1000);
    command("stop %s", k->name);
    return NULL;
}

static void replica_with_the_same_keys_takes_over(void **state)
{
    char uid[KMS_UID_CHARS] = "";
    struct err e = { 0 };
    struct secret *key = NULL;

    (void)state;
    assert_int_equal(command("start one ."), 0);
    struct kms *k = open_as("one", "client");
    make(k, "shared", uid);
    struct secret *want = take(k, uid);
    kms_close(k);
    assert_int_equal(command("start two . --database one/pykmip.db"), 0);
    place(0, "one");
    place(1, "two");
    struct kms_config c = rig_config(2, "client");
    c.attempt_ms = 1500;
    c.deadline_ms = 6000;

    /* Frozen: it takes the connection and says nothing. */
    assert_int_equal(command("freeze one"), 0);
    k = rig_open_config(&c);
    key = take(k, uid);
    assert_true(span_eq(secret_span(key), secret_span(want)));
    secret_free(key);
    kms_close(k);

    /* Killed while the client waits for it. */
    pthread_t thread;
    struct killer killer = { .name = "one", .after_ms = 300 };
    int64_t began = utc_mono_ms();
    k = rig_open_config(&c);
    assert_int_equal(pthread_create(&thread, NULL, kill_later, &killer), 0);
    key = take(k, uid);
    assert_true(utc_mono_ms() - began < 1400);
    assert_true(span_eq(secret_span(key), secret_span(want)));
    secret_free(key);
    kms_close(k);
    pthread_join(thread, NULL);

    /* Not there at all. */
    k = rig_open_config(&c);
    key = take(k, uid);
    assert_true(span_eq(secret_span(key), secret_span(want)));
    secret_free(key);

    /* Neither is the other. */
    command("stop two");
    c.deadline_ms = 1500;
    kms_close(k);
    k = rig_open_config(&c);
    key = NULL;
    assert_int_equal(kms_key_get(k, NULL, uid, KMS_WRAP, false, &key, NULL, &e),
                     -1);
    assert_int_equal(e.kind, ERR_UNREACHABLE);
    assert_null(key);
    kms_close(k);
    secret_free(want);
}

static void restarted_server_is_connected_to_again(void **state)
{
    char uid[KMS_UID_CHARS] = "";

    (void)state;
    assert_int_equal(command("start restart ."), 0);
    struct kms *k = open_as("restart", "client");
    make(k, "kept", uid);
    struct secret *before = take(k, uid);
    command("stop restart");
    assert_int_equal(command("again restart"), 0);
    struct secret *after = take(k, uid);
    assert_true(span_eq(secret_span(before), secret_span(after)));
    secret_free(before);
    secret_free(after);
    kms_close(k);
    command("stop restart");
}

static void remote_wrapping_needs_version_1_4(void **state)
{
    static const uint8_t data_key[32] = { 1, 2, 3 };
    uint8_t iv[12], tag[16], wrapped[32], plain[32];
    struct err e = { 0 };

    (void)state;
    for (size_t v = 0; v < sizeof versions / sizeof versions[0]; v++) {
        struct kms *k = open_version("tls12", versions[v].version);
        char uid[KMS_UID_CHARS] = "";
        struct secret *key = NULL;
        struct span aad = span_str("the place of this slot");

        make(k, new_name(), uid);
        int result = kms_wrap_remote(k, NULL, uid, aad, span_of(data_key, 32),
                                     iv, wrapped, tag, &e);
        if (versions[v].version == KMS_VERSION_1_2) {
            assert_int_equal(result, -1);
            assert_int_equal(e.kind, ERR_UNSUPPORTED);
            kms_close(k);
            continue;
        }
        if (result < 0)
            fail_msg("%s", e.msg);
        /* It is what GCM makes of it here. */
        struct secret *kek = take(k, uid);
        must(aead_open(secret_span(kek).p, iv, aad, span_of(wrapped, 32), tag,
                       plain, why));
        assert_memory_equal(plain, data_key, 32);
        secret_free(kek);
        must(kms_unwrap_remote(k, NULL, uid, KMS_APPEND, false, aad, iv,
                               span_of(wrapped, 32), tag, &key, NULL, why));
        assert_memory_equal(secret_span(key).p, data_key, 32);
        secret_free(key);
        key = NULL;
        /* Another place, another tag, another key. */
        assert_int_equal(kms_unwrap_remote(k, NULL, uid, KMS_APPEND, false,
                                           span_str("elsewhere"), iv,
                                           span_of(wrapped, 32), tag, &key,
                                           NULL, &e),
                         -1);
        assert_int_equal(e.kind, ERR_CORRUPT);
        tag[0] ^= 1;
        assert_int_equal(kms_unwrap_remote(k, NULL, uid, KMS_APPEND, false, aad,
                                           iv, span_of(wrapped, 32), tag, &key,
                                           NULL, &e),
                         -1);
        assert_int_equal(e.kind, ERR_CORRUPT);
        assert_null(key);
        must(kms_key_revoke(k, NULL, uid, KMIP_SUPERSEDED, why));
        assert_int_equal(kms_wrap_remote(k, NULL, uid, aad,
                                         span_of(data_key, 32), iv, wrapped,
                                         tag, &e),
                         -1);
        assert_int_equal(e.kind, ERR_DENIED);
        assert_non_null(strstr(e.msg, "deactivated"));
        kms_close(k);
    }
}

static int stop_servers(void **state)
{
    static const char *const names[] = { "tls12",   "tls13", "fresh-a",
                                         "fresh-b", "wrong", "rsa",
                                         "one",     "two",   "restart" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        command("stop %s", names[i]);
    return rig_remove_pki(state);
}

static int start_servers(void **state)
{
    if (rig_make_pki(state) < 0)
        return -1;
    if (command("start tls12 .") == 0 &&
        command("start tls13 . --tls 1.3") == 0)
        return 0;
    stop_servers(state);
    return -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(life_cycle_of_a_key_in_each_version),
        RIG_TEST(state_decides_what_a_real_key_may_be_used_for),
        RIG_TEST(unknown_foreign_and_destroyed_keys_are_told_apart),
        RIG_TEST(fresh_database_gives_other_bytes_under_the_same_identifier),
        RIG_TEST(second_key_of_a_name_is_not_adopted),
        RIG_TEST(real_server_refuses_certificates_that_are_wrong),
        RIG_TEST(real_server_with_a_wrong_certificate_is_not_used),
        RIG_TEST(rsa_server_needs_ciphers_that_are_named),
        RIG_TEST(replica_with_the_same_keys_takes_over),
        RIG_TEST(restarted_server_is_connected_to_again),
        RIG_TEST(remote_wrapping_needs_version_1_4),
    };

    /* Says why on its last line. */
    /* NOLINTNEXTLINE(cert-env33-c): a path of our own */
    if (system("'" KMS_TEST_DIR "/server.sh' find") != 0) {
        const char *ci = getenv("CI");
        return ci != NULL && strcmp(ci, "true") == 0 ? 1 : 77;
    }
    return cmocka_run_group_tests(tests, start_servers, stop_servers);
}

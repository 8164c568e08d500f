// SPDX-License-Identifier: Apache-2.0
/* Acceptance 11, 12, 13 and 23 of kms/DESIGN.md: who is trusted, on both sides,
 * with TLS 1.2 and 1.3. */
#include "kms_rig.h"

#include <openssl/x509.h>

#include "base/digest.h"

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* Serves with the options and gets a key by the certificate; ERR_NONE: it must
 * come. */
static void try_once(struct kmsserver_opts o, const char *client,
                     enum err_kind kind, const char *part)
{
    rig_serve(0, o);
    struct kms_config c = rig_config(1, client);
    struct kms *k = rig_open_config(&c);
    int64_t began = utc_mono_ms();

    if (kind == ERR_NONE)
        rig_expect_key(k);
    else
        rig_expect_error(k, kind, part);
    /* Trust does not come by waiting. */
    assert_true(utc_mono_ms() - began < RIG_AT_ONCE_MS);
    kms_close(k);
    rig_stop(NULL);
}

static void server_that_refuses_our_certificate_is_a_denial(void **state)
{
    static const char *const clients[] = { "client-other", "client-expired",
                                           "client-server-eku" };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        const struct kmsserver_opts o = { .tls_min = versions[v],
                                          .tls_max = versions[v] };
        for (size_t i = 0; i < 3; i++)
            try_once(o, clients[i], ERR_DENIED,
                     "does not take our certificate");
        try_once(o, "client", ERR_NONE, "");
    }
}

static void server_whose_certificate_is_wrong_gets_no_request(void **state)
{
    static const struct {
        const char *cert;
        enum err_kind kind;
        const char *part;
    } cases[] = {
        { "server-other", ERR_DENIED, "unable to get local issuer" },
        { "server-wrong", ERR_DENIED, "IP address mismatch" },
        { "server-name", ERR_DENIED, "IP address mismatch" },
        { "server-expired", ERR_DENIED, "expired" },
        { "client", ERR_DENIED, "" }, /* not for servers */
        { "server-ip", ERR_NONE, "" },
        { "server", ERR_NONE, "" },
    };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct kmsserver_opts o = { .cert = cases[i].cert,
                                        .tls_min = versions[v],
                                        .tls_max = versions[v] };
            try_once(o, "client", cases[i].kind, cases[i].part);
        }
    }
}

static void name_is_looked_up_and_must_be_in_the_certificate(void **state)
{
    static const struct {
        const char *cert;
        enum err_kind kind;
    } cases[] = {
        { "server", ERR_NONE },
        { "server-name", ERR_NONE },
        { "server-ip", ERR_DENIED },
        { "server-wrong", ERR_DENIED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_serve(0, (struct kmsserver_opts){ .cert = cases[i].cert });
        rig.at[0].host = "localhost";
        struct kms *k = rig_open(1);
        if (cases[i].kind == ERR_NONE)
            rig_expect_key(k);
        else
            rig_expect_error(k, cases[i].kind, "mismatch");
        kms_close(k);
        rig_stop(NULL);
    }
}

static void name_that_nobody_knows_is_unreachable(void **state)
{
    (void)state;
    rig.at[0] = (struct kms_endpoint){ .host = "kms.invalid", .port = 5696 };
    struct kms_config c = rig_config(1, "client");
    c.deadline_ms = 1000;
    c.connect_ms = 500;
    struct kms *k = rig_open_config(&c);
    rig_expect_error(k, ERR_UNREACHABLE, "kms.invalid");
    kms_close(k);
}

static void address_of_version_six_works(void **state)
{
    (void)state;
    if (access("/proc/net/if_inet6", R_OK) < 0)
        skip();
    rig_serve(0, (struct kmsserver_opts){ .six = true });
    struct kms *k = rig_open(1);
    rig_expect_key(k);
    kms_close(k);
}

static void pin_of(const char *name, struct kms_pin *pin)
{
    struct err e;
    FILE *f = fopen(rig_file(3, name, "crt"), "r");
    uint8_t *der = NULL;

    assert_non_null(f);
    X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
    (void)fclose(f);
    assert_non_null(x);
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    assert_true(len > 0);
    assert_int_equal(digest_sha256(span_of(der, (size_t)len), pin->sha256, &e),
                     0);
    OPENSSL_free(der);
    X509_free(x);
}

static void pinned_key_is_asked_for_beside_the_ca(void **state)
{
    struct kms_pin pins[2];

    (void)state;
    rig_serve_plainly(0);
    struct kms_config c = rig_config(1, "client");
    c.tls.pins = pins;
    c.tls.npins = 1;
    pin_of("server-ip", &pins[0]);
    struct kms *k = rig_open_config(&c);
    rig_expect_error(k, ERR_DENIED, "none of the pinned ones");
    kms_close(k);
    pin_of("server", &pins[1]);
    c.tls.npins = 2;
    k = rig_open_config(&c);
    rig_expect_key(k);
    kms_close(k);
    assert_int_equal(kmsserver_requests(rig.s[0], 0), 1);
}

static void old_tls_is_refused(void **state)
{
    (void)state;
    try_once((struct kmsserver_opts){ .tls_min = TLS1_VERSION,
                                      .tls_max = TLS1_1_VERSION,
                                      .ciphers = "ALL:@SECLEVEL=0" },
             "client", ERR_CONFIG, "no TLS that both sides take");
}

static void weak_ciphers_are_taken_only_where_they_are_named(void **state)
{
    const struct kmsserver_opts cbc = {
        .tls_max = TLS1_2_VERSION,
        .ciphers = "ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0",
    };

    (void)state;
    try_once(cbc, "client", ERR_CONFIG, "no TLS that both sides take");
    rig_serve(0, cbc);
    struct kms_config c = rig_config(1, "client");
    c.tls.tls12_ciphers = "ECDHE-ECDSA-AES256-SHA384";
    struct kms *k = rig_open_config(&c);
    rig_expect_key(k);
    kms_close(k);
}

static void expect_config_error(const struct kms_config *c, const char *part)
{
    struct err e = { 0 };

    assert_null(kms_open(c, &e));
    if (e.kind != ERR_CONFIG || strstr(e.msg, part) == NULL)
        fail_msg("%s: %s", err_kind_name(e.kind), e.msg);
}

static void key_file_that_others_can_read_is_refused(void **state)
{
    static const mode_t modes[] = { 0644, 0640, 0604, 0660 };
    struct kms_config c = rig_config(1, "client2");

    (void)state;
    rig.at[0] = (struct kms_endpoint){ .host = "127.0.0.1", .port = 1 };
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(c.tls.key_file, modes[i]), 0);
        expect_config_error(&c, "chmod 600");
    }
    assert_int_equal(chmod(c.tls.key_file, 0600), 0);
    kms_close(rig_open_config(&c));
}

static void wrong_files_are_named(void **state)
{
    rig.at[0] = (struct kms_endpoint){ .host = "127.0.0.1", .port = 1 };
    struct kms_config c = rig_config(1, "client");
    char command[512];

    (void)state;
    c.tls.key_file = rig_file(3, "client2", "key");
    expect_config_error(&c, "client2.key");
    c.tls.key_file = rig_file(3, "nobody", "key");
    expect_config_error(&c, "nobody.key");
    c = rig_config(1, "client");
    c.tls.ca_file = rig_file(3, "nobody", "crt");
    expect_config_error(&c, "nobody.crt");
    c = rig_config(1, "nobody");
    expect_config_error(&c, "nobody.crt");
    c = rig_config(1, "client");
    c.tls.cert_file = NULL;
    expect_config_error(&c, "needs the files");
    c = rig_config(1, "client");
    c.tls.tls12_ciphers = "ALL:@SECLEVEL=0";
    expect_config_error(&c, "no list of ciphers");
    /* Nobody is asked for the password of a key. */
    (void)snprintf(command, sizeof command,
                   "cd %s && openssl ec -in client.key -aes128 -passout "
                   "pass:secret -out locked.key 2>/dev/null && chmod 600 "
                   "locked.key",
                   rig_pki);
    rig_run(command);
    c = rig_config(1, "client");
    c.tls.key_file = rig_file(3, "locked", "key");
    expect_config_error(&c, "locked.key");
}

static void test_reports_both_certificates(void **state)
{
    struct kms_report r;
    struct err e = { 0 };

    (void)state;
    rig_serve_plainly(0);
    struct kms_config c = rig_config(1, "client-soon");
    c.version = KMS_VERSION_AUTO;
    struct kms *k = rig_open_config(&c);
    if (kms_test(k, 0, NULL, &r, &e) < 0)
        fail_msg("%s", e.msg);
    assert_in_range(r.client_days_left, 9, 10);
    assert_in_range(r.server_days_left, 59, 60);
    assert_int_equal(r.version.major, 1);
    assert_int_equal(r.version.minor, 4);
    assert_string_equal(r.vendor, "kmsserver");
    assert_string_equal(r.protocol, "TLSv1.3");
    assert_non_null(strstr(r.subject, "CN=objvault"));
    assert_non_null(strstr(r.identity, "CN=server"));
    assert_non_null(strstr(r.server, "127.0.0.1:"));
    assert_in_range(r.round_trip_ms, 0, 2000);
    kms_close(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(server_that_refuses_our_certificate_is_a_denial),
        RIG_TEST(server_whose_certificate_is_wrong_gets_no_request),
        RIG_TEST(name_is_looked_up_and_must_be_in_the_certificate),
        RIG_TEST(name_that_nobody_knows_is_unreachable),
        RIG_TEST(address_of_version_six_works),
        RIG_TEST(pinned_key_is_asked_for_beside_the_ca),
        RIG_TEST(old_tls_is_refused),
        RIG_TEST(weak_ciphers_are_taken_only_where_they_are_named),
        RIG_TEST(key_file_that_others_can_read_is_refused),
        RIG_TEST(wrong_files_are_named),
        RIG_TEST(test_reports_both_certificates),
    };

    return cmocka_run_group_tests(tests, rig_make_pki, rig_remove_pki);
}

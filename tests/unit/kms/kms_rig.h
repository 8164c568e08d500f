// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_KMS_KMS_RIG_H
#define TESTS_UNIT_KMS_KMS_RIG_H

/* The client on servers that misbehave on request (tests/kmsserver), with
 * certificates that are made for the run.  Include first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/utc.h"
#include "kms/kms.h"
#include "tests/kmsserver/kmsserver.h"
#include "tests/unit/must.h"

#define KEY_FILL 0x5a
#define RIG_SERVERS 3
/* What is not waited for is done within this also where other programs take the
 * machine, and far from the deadline. */
#define RIG_AT_ONCE_MS 5000

/* Folder of the certificates, for the whole program. */
static char rig_pki[64];

static struct rig {
    struct kmsserver *s[RIG_SERVERS];
    struct kms_endpoint at[RIG_SERVERS];
    char path[4][128]; /* of the files in a configuration */
} rig;

static inline void rig_run(const char *command)
{
    /* NOLINTNEXTLINE(cert-env33-c): a path of our own */
    if (system(command) != 0)
        fail_msg("%s", command);
}

static inline int rig_make_pki(void **state)
{
    char command[512];

    (void)state;
    /* The client must not need that SIGPIPE is ignored. */
    (void)signal(SIGPIPE, SIG_DFL);
    (void)snprintf(rig_pki, sizeof rig_pki, "/tmp/objvault-kms-XXXXXX");
    if (mkdtemp(rig_pki) == NULL)
        return -1;
    (void)snprintf(command, sizeof command, "'%s/pki.sh' '%s'", KMS_TEST_DIR,
                   rig_pki);
    /* NOLINTNEXTLINE(cert-env33-c): a path of our own */
    return system(command) == 0 ? 0 : -1;
}

static inline int rig_remove_entry(const char *path, const struct stat *st,
                                   int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline int rig_remove_pki(void **state)
{
    (void)state;
    return nftw(rig_pki, rig_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Server i, with one key, active, of which each byte is KEY_FILL. */
static inline struct kmsserver *rig_serve(size_t i,
                                          struct kmsserver_opts options)
{
    options.pki = rig_pki;
    rig.s[i] = kmsserver_start(&options);
    assert_non_null(rig.s[i]);
    rig.at[i] = (struct kms_endpoint){
        .host = options.six ? "::1" : "127.0.0.1",
        .port = kmsserver_port(rig.s[i]),
    };
    assert_int_equal(kmsserver_key(rig.s[i], "first", KMIP_ACTIVE, KEY_FILL),
                     1);
    return rig.s[i];
}

static inline struct kmsserver *rig_serve_plainly(size_t i)
{
    return rig_serve(i, (struct kmsserver_opts){ 0 });
}

static inline int rig_stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < RIG_SERVERS; i++)
        kmsserver_stop(rig.s[i]);
    memset(&rig, 0, sizeof rig);
    return 0;
}

static inline const char *rig_file(size_t slot, const char *name,
                                   const char *end)
{
    (void)snprintf(rig.path[slot], sizeof rig.path[slot], "%s/%s.%s", rig_pki,
                   name, end);
    return rig.path[slot];
}

/* For the first n servers, with the certificate of this name.  Tests that wait
 * until a time has passed set it. */
static inline struct kms_config rig_config(size_t n, const char *client)
{
    struct kms_config c = kms_config_init();

    c.name = "vault";
    c.servers = rig.at;
    c.nservers = n;
    c.version = KMS_VERSION_1_4;
    c.tls = (struct kms_tls_config){
        .ca_file = rig_file(0, "ca", "crt"),
        .cert_file = rig_file(1, client, "crt"),
        .key_file = rig_file(2, client, "key"),
    };
    c.connect_ms = 15000;
    c.attempt_ms = 15000;
    c.deadline_ms = 30000;
    return c;
}

static inline struct kms *rig_open_config(const struct kms_config *c)
{
    struct err e = { 0 };
    struct kms *k = kms_open(c, &e);

    if (k == NULL)
        fail_msg("%s", e.msg);
    return k;
}

static inline struct kms *rig_open(size_t n)
{
    const struct kms_config c = rig_config(n, "client");

    return rig_open_config(&c);
}

/* Gets key 1 and expects it. */
static inline void rig_expect_key(struct kms *k)
{
    struct secret *key = NULL;
    struct err e = { 0 };

    if (kms_key_get(k, NULL, "1", KMS_APPEND, false, &key, NULL, &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(secret_span(key).len, 32);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(secret_span(key).p[i], KEY_FILL);
    secret_free(key);
}

/* Gets key 1 and expects an error of this kind, whose text holds `part`. */
static inline void rig_expect_error(struct kms *k, enum err_kind kind,
                                    const char *part)
{
    struct secret *key = NULL;
    struct err e = { 0 };

    assert_int_equal(
        kms_key_get(k, NULL, "1", KMS_APPEND, false, &key, NULL, &e), -1);
    assert_null(key);
    if (e.kind != kind || strstr(e.msg, part) == NULL)
        fail_msg("%s instead of %s with \"%s\": %s", err_kind_name(e.kind),
                 err_kind_name(kind), part, e.msg);
    assert_non_null(strstr(e.msg, "vault"));
}

#define RIG_TEST(f) cmocka_unit_test_teardown(f, rig_stop)

#endif

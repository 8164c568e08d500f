// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_AWS_HOME_H
#define TESTS_UNIT_OBJSTORE_AWS_HOME_H

/* A home folder of the test's own, and nothing in the environment that says
 * where keys are: neither this machine's files nor its servers are asked. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/utc.h"
#include "objstore/credentials.h"

static char dir[] = "/tmp/objvault-unit-XXXXXX";

static inline void write_to(const char *file, const char *text, mode_t mode)
{
    char full[128];
    struct err e;

    snprintf(full, sizeof full, "%s/%s", dir, file);
    unlink(full);
    assert_int_equal(io_write_file(full, span_str(text), mode, false, &e), 0);
}

/* The absolute path of a file of the home; in one of four buffers. */
static inline const char *at_home(const char *file)
{
    static char full[4][128];
    static unsigned next;
    char *out = full[next++ % 4];

    snprintf(out, sizeof full[0], "%s/%s", dir, file);
    return out;
}

/* Nothing but an empty home. */
static inline int clean(void **state)
{
    static const char *const variables[] = {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_STS",
        "AWS_CA_BUNDLE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "http_proxy",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    };

    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        unsetenv(variables[i]);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("HOME", dir, 1);
    mkdir(at_home(".aws"), 0700);
    write_to(".aws/credentials", "", 0600);
    write_to(".aws/config", "", 0600);
    return 0;
}

static inline int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static inline int remove_dir(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

static inline void assert_loaded(const char *file, const char *id,
                                 const char *secret, const char *token)
{
    AUTO_OBJ_CREDENTIALS struct obj_credentials c;
    struct err e = { 0 };

    if (obj_credentials_load(file, NULL, &c, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(c.access_key, id);
    assert_true(span_eq(secret_span(c.secret), span_str(secret)));
    assert_int_equal(c.token != NULL, token != NULL);
    if (token != NULL)
        assert_true(span_eq(secret_span(c.token), span_str(token)));
}

static inline void assert_refused(const char *file, enum err_kind kind,
                                  const char *why)
{
    struct obj_credentials c;
    struct err e = { 0 };

    assert_int_equal(obj_credentials_load(file, NULL, &c, &e), -1);
    if (e.kind != kind || strstr(e.msg, why) == NULL)
        fail_msg("%s: %s", err_kind_name(e.kind), e.msg);
    assert_null(c.access_key);
    assert_null(c.secret);
}

/* "2026-11-22T10:00:00Z", in so many seconds; in one of two buffers. */
static inline const char *in_seconds(int64_t s)
{
    static char text[2][UTC_ISO_CHARS];
    static unsigned next;
    char *out = text[next++ % 2];

    utc_format_iso(utc_real_now() + s, out);
    return out;
}

#define TEST(f) cmocka_unit_test_setup(f, clean)

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_KEYS_RIG_H
#define TESTS_UNIT_OBJSTORE_KEYS_RIG_H

/* A fake on the loopback that plays whoever gives out keys. */
#include "aws_home.h"
#include "fake_http.h"

#define HUSH "hush-hush-hush"
#define JWT "eyJhbGciOi.J9-jwt-jwt_jwt"

static struct fake *fake;

static inline int with_fake(void **state)
{
    fake = fake_start();
    return clean(state);
}

static inline int without_fake(void **state)
{
    (void)state;
    fake_stop(fake);
    return 0;
}

static inline void add(const char *status, const char *body)
{
    char text[8192];

    snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
             status, strlen(body), body);
    fake_add(fake, text, FAKE_NONE);
}

/* Keys as endpoints write them, valid for an hour. */
static inline const char *endpoint_json(const char *id, const char *token)
{
    static char text[1024];

    snprintf(text, sizeof text,
             "{\"Code\":\"Success\",\"AccessKeyId\":\"%s\","
             "\"SecretAccessKey\":\"" HUSH "\",\"Token\":\"%s\","
             "\"Expiration\":\"%s\"}",
             id, token, in_seconds(3600));
    return text;
}

static inline const char *sts_xml(const char *action, const char *id,
                                  const char *token)
{
    static char text[1024];

    snprintf(text, sizeof text,
             "<%sResponse><%sResult><Credentials><AccessKeyId>%s</AccessKeyId>"
             "<SecretAccessKey>" HUSH "</SecretAccessKey><SessionToken>%s"
             "</SessionToken><Expiration>%s</Expiration></Credentials>"
             "</%sResult></%sResponse>",
             action, action, id, token, in_seconds(3600), action, action);
    return text;
}

static inline void point_to_fake(const char *variable, const char *path)
{
    char url[256];

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", fake->port, path);
    setenv(variable, url, 1);
}

static inline void metadata_is_the_fake(void)
{
    unsetenv("AWS_EC2_METADATA_DISABLED");
    point_to_fake("AWS_EC2_METADATA_SERVICE_ENDPOINT", "/");
}

static inline void assert_asked(size_t nth, const char *what)
{
    if (strcasestr(fake_head(fake, nth), what) == NULL)
        fail_msg("request %zu without %s: %s", nth, what, fake_head(fake, nth));
}

static inline void assert_body(size_t nth, const char *what, bool there)
{
    if ((strstr(fake->requests[nth].body, what) != NULL) != there)
        fail_msg("request %zu, %s: %s", nth, what, fake->requests[nth].body);
}

#define WITH_FAKE(f) cmocka_unit_test_setup_teardown(f, with_fake, without_fake)

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_S3_RIG_H
#define TESTS_UNIT_OBJSTORE_S3_RIG_H

/* The S3 driver, opened on a server that does what it is told. */
#include "base/utc.h"
#define D obj_s3_driver
#include "driver_rig.h"

#define TOKEN "t0ken-t0ken-t0ken"
#define DATE "Date: Sun, 22 Nov 2026 19:55:06 GMT\r\n"
#define DATE_UNIX 1795377306
#define OK_EMPTY "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 0\r\n\r\n"

static inline void *open_on(unsigned port, const char *host,
                            enum obj_addressing addressing, const char *region)
{
    char endpoint[64];
    const struct obj_config c = { .bucket = "bucket",
                                  .prefix = "pre",
                                  .endpoint = endpoint,
                                  .region = region,
                                  .addressing = addressing };

    snprintf(endpoint, sizeof endpoint, "http://%s:%u", host, port);
    return open_driver(&c);
}

static inline int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    keys_are_of_the_test(TOKEN);
    rig->fake = fake_start();
    rig->self =
        open_on(rig->fake->port, "127.0.0.1", OBJ_ADDR_AUTO, "us-east-1");
    rig->r = (struct obj_req){ .key = "k" };
    *state = rig;
    return 0;
}

static inline void put(struct rig *rig, const char *body)
{
    D.put(rig->self, &rig->r, span_str(body), NULL, NULL, &rig->a);
}

static inline void get(struct rig *rig)
{
    AUTO_BUF struct buf out = buf_init(1000);

    D.get(rig->self, &rig->r, NULL, &out, NULL, &rig->a);
    if (rig->a.outcome != OBJ_OK)
        assert_int_equal(out.len, 0);
}

static inline const char *header_of(struct fake *f, size_t nth,
                                    const char *name)
{
    static char value[4096];
    char wanted[64];

    snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    const char *at = strcasestr(fake_head(f, nth), wanted);
    if (at == NULL)
        return NULL;
    at += strlen(wanted);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

#define ERROR(status, code, message, headers)                                  \
    "HTTP/1.1 " status " x\r\n" DATE headers                                   \
    "Connection: close\r\n\r\n<Error><Code>" code "</Code><Message>" message   \
    "</Message><RequestId>RID</RequestId></Error>"

/* A whole answer with a body. */
static inline const char *with_body(char *out, size_t cap, const char *headers,
                                    const char *body)
{
    snprintf(out, cap, "HTTP/1.1 %s\r\n" DATE "Content-Length: %zu\r\n\r\n%s",
             headers, strlen(body), body);
    return out;
}

#endif

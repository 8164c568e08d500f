// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_LIBS3_RIG_H
#define TESTS_UNIT_OBJSTORE_LIBS3_RIG_H

/* The driver libs3, with the module of this build, on a server that does what
 * it is told. */
#define D obj_libs3_driver
#include "driver_rig.h"

/* Of "hello" and of nothing. */
#define MD5 "5d41402abc4b2a76b9719d911017c592"
#define MD5_BASE64 "XUFAKrxLKna5cZ2REBfFkg=="
#define MD5_EMPTY "d41d8cd98f00b204e9800998ecf8427e"
#define MODIFIED "Last-Modified: Sun, 22 Nov 2026 19:55:06 GMT\r\n"
#define MODIFIED_UNIX 1795377306
#define OK "HTTP/1.1 200 OK\r\n"
#define HELLO_HEAD                                                             \
    OK "ETag: \"" MD5 "\"\r\n" MODIFIED "Content-Length: 5\r\n\r\n"
#define HELLO HELLO_HEAD "hello"
#define OK_EMPTY OK "Content-Length: 0\r\n\r\n"
#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
#define ERROR(status, code, message)                                           \
    "HTTP/1.1 " status " x\r\nConnection: close\r\n\r\n<Error><Code>" code     \
    "</Code><Message>" message "</Message><RequestId>RID</RequestId></Error>"

static inline void keys_of_test(void)
{
    keys_are_of_the_test(NULL);
    no_proxy();
    setenv("OBJVAULT_LIBS3", LIBS3_MODULE, 1);
}

static inline int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    char endpoint[64];

    keys_of_test();
    rig->fake = fake_start();
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", rig->fake->port);
    const struct obj_config c = { .driver = OBJ_DRIVER_LIBS3,
                                  .bucket = "bucket",
                                  .endpoint = endpoint };
    rig->self = open_driver(&c);
    rig->r = (struct obj_req){ .key = "k" };
    *state = rig;
    return 0;
}

static inline void put_hello(struct rig *rig, struct obj_info *info)
{
    D.put(rig->self, &rig->r, span_str("hello"), NULL, info, &rig->a);
}

/* Gets "k"; what came is in `text`, nothing where it failed. */
static inline void get_text(struct rig *rig, const struct obj_range *range,
                            char *text, size_t cap)
{
    AUTO_BUF struct buf out = buf_init(cap - 1);

    D.get(rig->self, &rig->r, range, &out, NULL, &rig->a);
    if (rig->a.outcome != OBJ_OK)
        assert_int_equal(out.len, 0);
    memset(text, 0, cap);
    if (out.len > 0)
        memcpy(text, out.p, out.len);
}

static inline void fails_to_get(struct rig *rig, enum obj_outcome expected)
{
    char text[100];

    get_text(rig, NULL, text, sizeof text);
    assert_outcome(&rig->a, expected);
}

#endif

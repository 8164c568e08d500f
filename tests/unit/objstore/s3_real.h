// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_S3_REAL_H
#define TESTS_UNIT_OBJSTORE_S3_REAL_H

/* The S3 driver on a real server, which the environment names:
 * OBJVAULT_TEST_S3_ENDPOINT, _ACCESS_KEY, _SECRET_KEY, and for https perhaps
 * _CA.  Each run works in buckets of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/utc.h"
#include "objstore/driver.h"

struct real {
    void *plain, *versions; /* drivers: bucket without, and with object lock */
    char plain_name[64], versions_name[64];
    char run[17];
};

static struct real real;

/* Whether there is a server; sets the keys where the driver looks for them. */
static inline bool real_wanted(void)
{
    const char *access = getenv("OBJVAULT_TEST_S3_ACCESS_KEY");
    const char *secret = getenv("OBJVAULT_TEST_S3_SECRET_KEY");

    if (getenv("OBJVAULT_TEST_S3_ENDPOINT") == NULL || access == NULL ||
        secret == NULL)
        return false;
    setenv("AWS_ACCESS_KEY_ID", access, 1);
    setenv("AWS_SECRET_ACCESS_KEY", secret, 1);
    unsetenv("AWS_SESSION_TOKEN");
    return true;
}

static inline struct obj_config real_config(const char *bucket)
{
    return (struct obj_config){
        .bucket = bucket,
        .endpoint = getenv("OBJVAULT_TEST_S3_ENDPOINT"),
        .ca_file = getenv("OBJVAULT_TEST_S3_CA"),
        .region = getenv("OBJVAULT_TEST_S3_REGION"),
    };
}

static inline void *real_open_config(const struct obj_config *c)
{
    struct err e = { 0 };
    char *name = NULL;
    void *self = obj_s3_driver.open(c, &name, &e);

    if (self == NULL)
        fail_msg("%s", e.msg);
    free(name);
    return self;
}

static inline void *real_open(const char *bucket)
{
    const struct obj_config c = real_config(bucket);

    return real_open_config(&c);
}

static inline void assert_outcome(const struct obj_attempt *a,
                                  enum obj_outcome expected)
{
    if (a->outcome != expected)
        fail_msg("outcome %d instead of %d: %d %s %s %s", (int)a->outcome,
                 (int)expected, a->http, a->code, a->message,
                 a->outcome == OBJ_LOCAL ? a->err.msg : "");
}

static inline struct obj_req real_req(const char *key)
{
    return (struct obj_req){ .key = key };
}

static inline struct obj_req real_version(const char *key, const char *version)
{
    return (struct obj_req){ .key = key, .version = version };
}

/* Opens both buckets, made for this run. */
static inline int real_setup(void **state)
{
    uint8_t random[8];
    struct err e;

    (void)state;
    if (digest_random(random, sizeof random, &e) < 0)
        return -1;
    digest_hex(span_of(random, sizeof random), real.run);
    snprintf(real.plain_name, sizeof real.plain_name, "objvault-unit-%s-plain",
             real.run);
    snprintf(real.versions_name, sizeof real.versions_name,
             "objvault-unit-%s-lock", real.run);
    real.plain = real_open(real.plain_name);
    real.versions = real_open(real.versions_name);
    struct obj_req none = real_req("");
    struct obj_attempt a = { 0 };
    obj_s3_driver.bucket_create(real.plain, &none, false, &a);
    if (a.outcome != OBJ_OK)
        return -1;
    obj_s3_driver.bucket_create(real.versions, &none, true, &a);
    return a.outcome == OBJ_OK ? 0 : -1;
}

static inline int real_teardown(void **state)
{
    (void)state;
    obj_s3_driver.close(real.plain);
    obj_s3_driver.close(real.versions);
    return 0;
}

static inline struct obj_info real_put(void *self, const char *key,
                                       const char *body)
{
    struct obj_req r = real_req(key);
    struct obj_info info = { 0 };
    struct obj_attempt a = { 0 };

    obj_s3_driver.put(self, &r, span_str(body), NULL, &info, &a);
    assert_outcome(&a, OBJ_OK);
    return info;
}

static inline struct obj_info real_put_locked(void *self, const char *key,
                                              enum obj_lock_mode mode,
                                              int64_t seconds, bool hold)
{
    struct obj_req r = real_req(key);
    struct obj_info info = { 0 };
    struct obj_attempt a = { 0 };
    const struct obj_put_opts o = {
        .lock = { .mode = mode,
                  .until = mode == OBJ_LOCK_NONE ? 0 : utc_real_now() + seconds,
                  .legal_hold = hold },
    };

    obj_s3_driver.put(self, &r, span_str("locked"), &o, &info, &a);
    assert_outcome(&a, OBJ_OK);
    assert_true(info.version[0] != '\0');
    return info;
}

/* Reads what req names; "" for what is not there. */
static inline enum obj_outcome real_get(void *self, const struct obj_req *r,
                                        const struct obj_range *range,
                                        char *out, size_t cap)
{
    AUTO_BUF struct buf b = buf_init(cap - 1);
    struct obj_attempt a = { 0 };

    obj_s3_driver.get(self, r, range, &b, NULL, &a);
    if (b.len > 0)
        memcpy(out, b.p, b.len);
    out[b.len] = '\0';
    return a.outcome;
}

/* Reads pages of `page` entries to the end; returns how many pages, fills keys
 * with "key version;" texts. */
static inline unsigned real_list(void *self, const char *prefix,
                                 const struct obj_list_opts *o,
                                 struct buf *keys)
{
    struct obj_req r = real_req(prefix);
    struct obj_page page = { 0 };
    unsigned pages = 0;

    do {
        struct obj_attempt a = { 0 };
        obj_s3_driver.list(self, &r, o, &page, &a);
        assert_outcome(&a, OBJ_OK);
        assert_int_equal(a.verb, OBJ_LIST);
        pages++;
        for (size_t i = 0; i < page.n; i++) {
            const struct obj_info *info = &page.entries[i].info;
            assert_true(info->modified > 0);
            buf_printf(keys, "%s%s;", page.entries[i].key,
                       !o->versions          ? ""
                       : info->delete_marker ? " marker"
                       : info->latest        ? " latest"
                                             : " old");
        }
    } while (page.next != NULL);
    obj_page_clear(&page);
    return pages;
}

#endif

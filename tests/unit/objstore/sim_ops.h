// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_SIM_OPS_H
#define TESTS_UNIT_OBJSTORE_SIM_OPS_H

/* A store of the S3 driver on the server of the tests, and every operation of
 * store.h as something that can be prepared, run, and looked at afterwards from
 * the server's side.  Findings are kept as texts: cells run in threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "quick_tuning.h"
#include "tests/s3server/s3server.h"

#define SIM_BODY 200000
#define SIM_KEY "obj-1"
#define SIM_OTHER "obj-2"

struct sim {
    struct s3server *server;
    struct obj_store *store;
    const char *bucket; /* "plain", or "vault": versions and locks */
    char wrong[700];    /* the first finding; "": none */
};

static inline void sim_env(void)
{
    setenv("AWS_ACCESS_KEY_ID", S3SERVER_KEY, 1);
    setenv("AWS_SECRET_ACCESS_KEY", S3SERVER_SECRET, 1);
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
}

/* Content that tells every position from its neighbours. */
static inline const uint8_t *sim_body(void)
{
    static uint8_t body[SIM_BODY];
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    uint32_t x = 12345;

    pthread_mutex_lock(&once);
    for (size_t i = 0; body[0] == 0 && i < SIM_BODY; i++) {
        x = x * 1664525 + 1013904223;
        body[SIM_BODY - 1 - i] = (uint8_t)(x >> 24 | 1);
    }
    pthread_mutex_unlock(&once);
    return body;
}

#define SIM_WRONG(s, ...)                                                      \
    do {                                                                       \
        if ((s)->wrong[0] == '\0')                                             \
            snprintf((s)->wrong, sizeof(s)->wrong, __VA_ARGS__);               \
    } while (0)

/* limit_ms: of one request; deadline_ms: of a call. */
static inline struct obj_store *sim_store(const struct s3server *server,
                                          const struct obj_config *config,
                                          int64_t limit_ms, int64_t deadline_ms)
{
    const struct obj_tuning t = quick_tuning();
    struct obj_config c = *config;
    struct err e = { 0 };

    c.endpoint = s3server_endpoint(server);
    c.deadline_ms = limit_ms;
    if (c.prefix == NULL)
        c.prefix = "pre";
    if (c.region == NULL)
        c.region = "us-east-1";
    struct obj_store *s = obj_store_open_driver(&obj_s3_driver, &c, &t, &e);
    if (s == NULL) {
        fprintf(stderr, "%s\n", e.msg);
        abort();
    }
    s->deadline_ms = deadline_ms;
    return s;
}

static inline void sim_open_with(struct sim *s, const struct s3server_opts *o,
                                 const struct obj_config *config,
                                 int64_t limit_ms, int64_t deadline_ms)
{
    *s = (struct sim){ .server = s3server_start(o), .bucket = config->bucket };
    s3server_bucket(s->server, "plain", S3SERVER_NEVER, false);
    s3server_bucket(s->server, "vault", S3SERVER_ENABLED, true);
    s->store = sim_store(s->server, config, limit_ms, deadline_ms);
}

static inline void sim_open(struct sim *s, const char *bucket, int64_t limit_ms,
                            int64_t deadline_ms)
{
    const struct obj_config c = { .bucket = bucket };

    sim_open_with(s, NULL, &c, limit_ms, deadline_ms);
}

static inline void sim_close(struct sim *s)
{
    obj_store_close(s->store);
    s3server_stop(s->server);
}

struct sim_op {
    const char *name;
    const char *request; /* glob of the requests that it makes */
    const char *bucket;
    const char *subject; /* what its errors name */
    void (*prepare)(struct sim *s);
    int (*run)(struct sim *s, struct err *e);
    /* What must hold at the server; result: run's. */
    void (*look)(struct sim *s, int result);
};

/* What the server has under a key: 1 our body, 0 nothing, -1 else. */
static inline int sim_has(struct sim *s, const char *key)
{
    AUTO_BUF struct buf got = buf_init(2 * SIM_BODY);
    char full[64];

    snprintf(full, sizeof full, "pre/%s", key);
    if (!s3server_read(s->server, s->bucket, full, &got))
        return 0;
    return span_eq(buf_span(&got), span_of(sim_body(), SIM_BODY)) ? 1 : -1;
}

static inline void sim_write(struct sim *s, const char *key)
{
    char full[64];

    snprintf(full, sizeof full, "pre/%s", key);
    s3server_write(s->server, s->bucket, full, sim_body(), SIM_BODY);
}

static inline void sim_both_there(struct sim *s)
{
    sim_write(s, SIM_KEY);
    sim_write(s, SIM_OTHER);
}

static inline void sim_other_there(struct sim *s)
{
    sim_write(s, SIM_OTHER);
}

static inline void sim_look_unchanged(struct sim *s, int result)
{
    (void)result;
    if (sim_has(s, SIM_KEY) != 1 || sim_has(s, SIM_OTHER) != 1 ||
        s3server_keys(s->server, s->bucket) != 2)
        SIM_WRONG(s, "objects changed");
}

static inline void sim_look_put(struct sim *s, int result)
{
    int has = sim_has(s, SIM_KEY);

    if (has < 0 || (result == 0 && has != 1))
        SIM_WRONG(s, "what was put is not there (%d)", has);
    /* A put that was given up may still arrive. */
    size_t keys = s3server_keys(s->server, s->bucket);
    if (sim_has(s, SIM_OTHER) != 1 || keys > 2 || (result == 0 && keys != 2))
        SIM_WRONG(s, "other objects changed");
}

static inline int sim_put(struct sim *s, struct err *e)
{
    const struct obj_req r = { .key = SIM_KEY };

    return obj_put(s->store, &r, span_of(sim_body(), SIM_BODY), NULL, NULL, e);
}

static inline int sim_put_absent(struct sim *s, struct err *e)
{
    const struct obj_req r = { .key = SIM_KEY };
    const struct obj_put_opts o = { .if_absent = true };

    return obj_put(s->store, &r, span_of(sim_body(), SIM_BODY), &o, NULL, e);
}

static inline void sim_look_absent(struct sim *s, int result)
{
    unsigned n = s3server_puts(s->server, s->bucket, "pre/" SIM_KEY);

    sim_look_put(s, result);
    if (n > 1)
        SIM_WRONG(s, "stored %u times", n);
}

static inline int sim_get(struct sim *s, struct err *e)
{
    AUTO_BUF struct buf out = buf_init(SIM_BODY);
    const struct obj_req r = { .key = SIM_KEY };

    if (obj_get(s->store, &r, NULL, &out, NULL, e) < 0)
        return -1;
    if (!span_eq(buf_span(&out), span_of(sim_body(), SIM_BODY)))
        SIM_WRONG(s, "got other bytes");
    return 0;
}

static inline int sim_get_range(struct sim *s, struct err *e)
{
    AUTO_BUF struct buf out = buf_init(SIM_BODY);
    const struct obj_req r = { .key = SIM_KEY };
    const struct obj_range part = { 1000, 50000 };

    if (obj_get(s->store, &r, &part, &out, NULL, e) < 0)
        return -1;
    if (!span_eq(buf_span(&out), span_of(sim_body() + 1000, 50000)))
        SIM_WRONG(s, "got other bytes");
    return 0;
}

static inline int sim_head(struct sim *s, struct err *e)
{
    const struct obj_req r = { .key = SIM_KEY };
    struct obj_info info = { 0 };

    if (obj_head(s->store, &r, &info, e) < 0)
        return -1;
    if (info.size != SIM_BODY)
        SIM_WRONG(s, "size %llu", (unsigned long long)info.size);
    return 0;
}

struct sim_listed {
    char text[512];
};

static inline int sim_note(void *ctx, const char *key,
                           const struct obj_info *info, struct err *e)
{
    struct sim_listed *l = ctx;
    size_t n = strlen(l->text);

    (void)e;
    snprintf(l->text + n, sizeof l->text - n, "%s%s ", key,
             info->delete_marker ? "(marker)" : "");
    return 0;
}

static inline int sim_list_as(struct sim *s, bool versions,
                              const char *expected, struct err *e)
{
    const struct obj_req r = { .key = "obj-" };
    const struct obj_list_opts o = { .versions = versions, .page = 1 };
    struct sim_listed l = { "" };

    if (obj_list(s->store, &r, &o, sim_note, &l, e) < 0)
        return -1;
    if (strcmp(l.text, expected) != 0)
        SIM_WRONG(s, "listed \"%.200s\"", l.text);
    return 0;
}

static inline int sim_list(struct sim *s, struct err *e)
{
    return sim_list_as(s, false, SIM_KEY " " SIM_OTHER " ", e);
}

static inline void sim_versions_there(struct sim *s)
{
    const struct obj_req r = { .key = SIM_OTHER };
    struct err e;

    sim_write(s, SIM_KEY);
    sim_write(s, SIM_KEY);
    sim_write(s, SIM_OTHER);
    if (obj_delete(s->store, &r, false, &e) < 0)
        SIM_WRONG(s, "%s", e.msg);
}

static inline int sim_list_versions(struct sim *s, struct err *e)
{
    return sim_list_as(
        s, true, SIM_KEY " " SIM_KEY " " SIM_OTHER "(marker) " SIM_OTHER " ",
        e);
}

static inline void sim_look_versions(struct sim *s, int result)
{
    (void)result;
    if (s3server_versions(s->server, s->bucket, "pre/" SIM_KEY) != 2 ||
        s3server_versions(s->server, s->bucket, "pre/" SIM_OTHER) != 1)
        SIM_WRONG(s, "versions changed");
}

static inline int sim_delete(struct sim *s, struct err *e)
{
    const struct obj_req r = { .key = SIM_KEY };

    return obj_delete(s->store, &r, false, e);
}

static inline void sim_look_delete(struct sim *s, int result)
{
    int has = sim_has(s, SIM_KEY);

    if (has < 0 || (result == 0 && has != 0))
        SIM_WRONG(s, "what was deleted is there (%d)", has);
    if (sim_has(s, SIM_OTHER) != 1)
        SIM_WRONG(s, "another object is gone");
}

static inline int sim_delete_many(struct sim *s, struct err *e)
{
    const struct obj_req r = { .key = "" };
    struct obj_name names[] = { { .key = SIM_KEY }, { .key = "obj-never" } };

    if (obj_delete_many(s->store, &r, names, 2, false, e) < 0)
        return -1;
    if (names[0].result != ERR_NONE || names[1].result != ERR_NONE)
        SIM_WRONG(s, "results %d and %d", (int)names[0].result,
                  (int)names[1].result);
    return 0;
}

#define SIM_UNTIL INT64_C(4102444800) /* 2100 */

static inline int sim_set_lock(struct sim *s, struct err *e)
{
    const struct obj_req r = { .key = SIM_KEY };
    const struct obj_lock l = { .mode = OBJ_LOCK_GOVERNANCE,
                                .until = SIM_UNTIL };

    return obj_set_lock(s->store, &r, &l, false, e);
}

static inline int sim_get_lock(struct sim *s, struct err *e)
{
    const struct obj_req r = { .key = SIM_KEY };
    struct obj_lock l = { 0 };

    if (obj_get_lock(s->store, &r, &l, e) < 0)
        return -1;
    if (l.mode != OBJ_LOCK_GOVERNANCE || l.until != SIM_UNTIL)
        SIM_WRONG(s, "lock %d until %lld", (int)l.mode, (long long)l.until);
    return 0;
}

static inline void sim_locked_there(struct sim *s)
{
    struct err e;

    sim_both_there(s);
    if (sim_set_lock(s, &e) < 0)
        SIM_WRONG(s, "%s", e.msg);
}

/* The rules are gone by now. */
static inline void sim_look_lock(struct sim *s, int result)
{
    struct err e;

    sim_look_unchanged(s, result);
    if (result == 0 && sim_get_lock(s, &e) < 0)
        SIM_WRONG(s, "%s", e.msg);
}

static inline int sim_bucket_info(struct sim *s, struct err *e)
{
    const struct obj_req r = { .key = "" };
    struct obj_bucket b = { 0 };

    if (obj_bucket_info(s->store, &r, &b, e) < 0)
        return -1;
    if (b.versioning != OBJ_VERSIONS_ON || !b.object_lock)
        SIM_WRONG(s, "bucket: versioning %d, lock %d", (int)b.versioning,
                  b.object_lock);
    return 0;
}

static inline int sim_put_locked(struct sim *s, struct err *e)
{
    const struct obj_req r = { .key = SIM_KEY };
    const struct obj_put_opts o = { .bulk = true,
                                    .lock = { .mode = OBJ_LOCK_GOVERNANCE,
                                              .until = SIM_UNTIL } };

    return obj_put(s->store, &r, span_of(sim_body(), SIM_BODY), &o, NULL, e);
}

static inline void sim_look_locked(struct sim *s, int result)
{
    struct err e;

    sim_look_put(s, result);
    if (result == 0 && sim_get_lock(s, &e) < 0)
        SIM_WRONG(s, "%s", e.msg);
}

static inline void sim_no_bucket_yet(struct sim *s)
{
    (void)s;
}

static inline int sim_create_bucket(struct sim *s, struct err *e)
{
    const struct obj_req r = { .key = "" };

    return obj_bucket_create(s->store, &r, false, e);
}

static inline void sim_look_bucket(struct sim *s, int result)
{
    const struct obj_req r = { .key = "" };
    struct obj_bucket b = { 0 };
    struct err e;

    if (result == 0 && obj_bucket_info(s->store, &r, &b, &e) < 0)
        SIM_WRONG(s, "%s", e.msg);
}

static const struct sim_op sim_ops[] = {
    { "put", "PutObject", "plain", SIM_KEY, sim_other_there, sim_put,
      sim_look_put },
    { "put if absent", "PutObject", "plain", SIM_KEY, sim_other_there,
      sim_put_absent, sim_look_absent },
    { "put if absent among versions", "PutObject", "vault", SIM_KEY,
      sim_other_there, sim_put_absent, sim_look_absent },
    { "put locked", "PutObject", "vault", SIM_KEY, sim_other_there,
      sim_put_locked, sim_look_locked },
    { "get", "GetObject", "plain", SIM_KEY, sim_both_there, sim_get,
      sim_look_unchanged },
    { "get range", "GetObject", "plain", SIM_KEY, sim_both_there, sim_get_range,
      sim_look_unchanged },
    { "head", "HeadObject", "plain", SIM_KEY, sim_both_there, sim_head,
      sim_look_unchanged },
    { "list", "ListObjectsV2", "plain", "obj-", sim_both_there, sim_list,
      sim_look_unchanged },
    { "list versions", "ListObjectVersions", "vault", "obj-",
      sim_versions_there, sim_list_versions, sim_look_versions },
    { "delete", "DeleteObject", "plain", SIM_KEY, sim_both_there, sim_delete,
      sim_look_delete },
    { "delete many", "DeleteObjects", "plain", SIM_KEY, sim_both_there,
      sim_delete_many, sim_look_delete },
    { "set lock", "PutObjectRetention", "vault", SIM_KEY, sim_both_there,
      sim_set_lock, sim_look_lock },
    { "get lock", "GetObjectRetention", "vault", SIM_KEY, sim_locked_there,
      sim_get_lock, sim_look_unchanged },
    { "bucket info", "GetBucketVersioning", "vault", "the bucket",
      sim_both_there, sim_bucket_info, sim_look_unchanged },
    { "bucket create", "CreateBucket", "newone", "the bucket",
      sim_no_bucket_yet, sim_create_bucket, sim_look_bucket },
};

#define SIM_OPS (sizeof sim_ops / sizeof sim_ops[0])

#endif

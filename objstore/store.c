// SPDX-License-Identifier: Apache-2.0
/*
 * Front end of store.h: chooses the driver, checks and completes keys, and
 * hands each call to the retry layer.  The rule for "was it maybe done?" is
 * here too (obj_put), because it takes two calls to answer.
 */
#include "objstore/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/utc.h"
#include "objstore/key.h"
#include "objstore/retry.h"

#define NONCE_BYTES 16

static int init_shared(struct obj_store *s, const struct obj_config *c,
                       struct err *e)
{
    unsigned flying = c->max_in_flight;
    struct obj_pace_tuning pace = s->tuning.pace;

    if (c->min_in_flight != 0)
        pace.least = c->min_in_flight;
    if (flying == 0)
        flying = s->tuning.max_in_flight;
    s->shared = calloc(1, sizeof *s->shared);
    if (s->shared == NULL)
        return err_nomem(e);
    pthread_mutex_init(&s->shared->auth.lock, NULL);
    if (obj_pace_init(&s->shared->pace, &pace, flying, c->upload_bytes_per_s,
                      c->download_bytes_per_s, e) < 0) {
        pthread_mutex_destroy(&s->shared->auth.lock);
        free(s->shared);
        return -1;
    }
    return 0;
}

struct obj_store *obj_store_open_driver(const struct obj_driver *driver,
                                        const struct obj_config *config,
                                        const struct obj_tuning *tuning,
                                        struct err *e)
{
    const char *prefix = config->prefix != NULL ? config->prefix : "";

    if (obj_key_check_prefix(prefix, e) < 0)
        return NULL;
    struct obj_store *s = calloc(1, sizeof *s);
    if (s == NULL) {
        err_nomem(e);
        return NULL;
    }
    s->driver = driver;
    s->tuning = tuning != NULL ? *tuning : obj_tuning_default;
    s->deadline_ms =
        config->deadline_ms > 0 ? config->deadline_ms : s->tuning.deadline_ms;
    s->max_clock_skew_s = config->max_clock_skew_s;
    if (init_shared(s, config, e) < 0) {
        free(s);
        return NULL;
    }
    s->prefix = strdup(prefix);
    if (s->prefix == NULL)
        err_nomem(e);
    else
        s->self = driver->open(config, &s->name, e);
    if (s->self == NULL) {
        obj_store_close(s);
        return NULL;
    }
    return s;
}

struct obj_store *obj_store_open(const struct obj_config *config, struct err *e)
{
    switch (config->driver) {
    case OBJ_DRIVER_S3:
        return obj_store_open_driver(&obj_s3_driver, config, NULL, e);
    case OBJ_DRIVER_FILE:
        return obj_store_open_driver(&obj_file_driver, config, NULL, e);
    case OBJ_DRIVER_LIBS3:
        return obj_store_open_driver(&obj_libs3_driver, config, NULL, e);
    }
    err_set(e, ERR_CONFIG, 0, "no such storage driver: %d",
            (int)config->driver);
    return NULL;
}

void obj_store_close(struct obj_store *s)
{
    if (s == NULL)
        return;
    if (s->of == NULL) {
        if (s->self != NULL)
            s->driver->close(s->self);
        obj_pace_fini(&s->shared->pace);
        pthread_mutex_destroy(&s->shared->auth.lock);
        free(s->shared);
        free(s->name);
        free(s->prefix);
    }
    free(s);
}

struct obj_store *obj_store_again(const struct obj_store *s, struct err *e)
{
    struct obj_store *again = calloc(1, sizeof *again);

    if (again == NULL) {
        err_nomem(e);
        return NULL;
    }
    again->of = s;
    again->driver = s->driver;
    again->self = s->self;
    again->name = s->name;
    again->prefix = s->prefix;
    again->tuning = s->tuning;
    again->deadline_ms = s->deadline_ms;
    again->max_clock_skew_s = s->max_clock_skew_s;
    again->shared = s->shared;
    return again;
}

const char *obj_store_name(const struct obj_store *s)
{
    return s->name;
}

int64_t obj_store_clock_offset(struct obj_store *s)
{
    return (int64_t)atomic_load(&s->shared->clock_offset);
}

void obj_store_counters(struct obj_store *s, struct obj_counters *out)
{
    for (int v = 0; v < OBJ_VERBS; v++)
        out->requests[v] = atomic_load(&s->count.requests[v]);
    out->retries = atomic_load(&s->count.retries);
    out->throttled = atomic_load(&s->count.throttled);
    out->unanswered = atomic_load(&s->count.unanswered);
    out->sent_bytes = atomic_load(&s->count.sent);
    out->received_bytes = atomic_load(&s->count.received);
    out->stored = atomic_load(&s->count.stored);
    out->stored_bytes = atomic_load(&s->count.stored_bytes);
    out->network_ns = atomic_load(&s->count.network_ns);
}

const char *obj_verb_name(enum obj_verb v)
{
    switch (v) {
    case OBJ_PUT:
        return "put";
    case OBJ_GET:
        return "get";
    case OBJ_HEAD:
        return "head";
    case OBJ_LIST:
        return "list";
    case OBJ_DELETE:
        return "delete";
    case OBJ_RETENTION:
        return "retention";
    case OBJ_BUCKET:
        return "bucket";
    case OBJ_VERBS:
        break;
    }
    return "unknown";
}

/* A request with its complete key; `full` must outlive it. */
struct whole_req {
    struct obj_req req;
    char key[OBJ_KEY_MAX + 1];
};

static int complete(const struct obj_store *s, const struct obj_req *req,
                    struct whole_req *w, struct err *e)
{
    w->req = *req;
    w->req.key = w->key;
    return obj_key_join(s->prefix, req->key, w->key, e);
}

/* What the attempts of every call get at. */
struct args {
    const struct obj_req *req;
    struct span body;
    const struct obj_put_opts *opts;
    const struct obj_range *range;
    struct buf *out;
    size_t out_start;
    struct obj_info *info;
    const struct obj_lock *lock_in;
    struct obj_lock *lock_out;
    struct obj_bucket *bucket;
    struct obj_lifecycle *lifecycle;
    bool flag; /* bypass, or object lock wanted */
};

static void attempt_put(struct obj_store *s, void *ctx, struct obj_attempt *a)
{
    struct args *g = ctx;

    *g->info = (struct obj_info){ 0 };
    s->driver->put(s->self, g->req, g->body, g->opts, g->info, a);
}

static void attempt_get(struct obj_store *s, void *ctx, struct obj_attempt *a)
{
    struct args *g = ctx;

    /* What an earlier attempt left is dropped. */
    g->out->len = g->out_start;
    g->out->failed = false;
    g->out->nomem = false;
    *g->info = (struct obj_info){ 0 };
    s->driver->get(s->self, g->req, g->range, g->out, g->info, a);
    if (a->outcome == OBJ_OK && buf_check(g->out, &a->err) < 0)
        a->outcome = OBJ_LOCAL;
}

static void attempt_head(struct obj_store *s, void *ctx, struct obj_attempt *a)
{
    struct args *g = ctx;

    *g->info = (struct obj_info){ 0 };
    s->driver->head(s->self, g->req, g->info, a);
}

static void attempt_remove(struct obj_store *s, void *ctx,
                           struct obj_attempt *a)
{
    struct args *g = ctx;

    s->driver->remove(s->self, g->req, g->flag, a);
    if (a->outcome == OBJ_ABSENT)
        a->outcome = OBJ_OK;
}

static void attempt_set_lock(struct obj_store *s, void *ctx,
                             struct obj_attempt *a)
{
    struct args *g = ctx;

    if (s->driver->set_lock == NULL)
        a->outcome = OBJ_UNABLE;
    else
        s->driver->set_lock(s->self, g->req, g->lock_in, g->flag, a);
}

static void attempt_get_lock(struct obj_store *s, void *ctx,
                             struct obj_attempt *a)
{
    struct args *g = ctx;

    *g->lock_out = (struct obj_lock){ 0 };
    if (s->driver->get_lock == NULL)
        a->outcome = OBJ_UNABLE;
    else
        s->driver->get_lock(s->self, g->req, g->lock_out, a);
}

static void attempt_bucket_info(struct obj_store *s, void *ctx,
                                struct obj_attempt *a)
{
    struct args *g = ctx;

    *g->bucket = (struct obj_bucket){ 0 };
    s->driver->bucket_info(s->self, g->req, g->bucket, a);
}

static void attempt_lifecycle(struct obj_store *s, void *ctx,
                              struct obj_attempt *a)
{
    struct args *g = ctx;

    *g->lifecycle = (struct obj_lifecycle){ 0 };
    if (s->driver->lifecycle == NULL)
        a->outcome = OBJ_OK;
    else
        s->driver->lifecycle(s->self, g->req, g->lifecycle, a);
}

static void attempt_bucket_create(struct obj_store *s, void *ctx,
                                  struct obj_attempt *a)
{
    struct args *g = ctx;

    s->driver->bucket_create(s->self, g->req, g->flag, a);
}

/* A put found an object, or found one after its own answer was lost: whose is
 * it?  0: the nonce is ours, so our put is what is there. */
static int is_it_ours(struct obj_store *s, const struct obj_call *put,
                      struct obj_info *info, struct err *e)
{
    struct args g = { .req = put->req, .info = info };
    struct obj_call head = {
        .verb = OBJ_HEAD,
        .what = "look who stored",
        .key = put->key,
        .req = put->req,
        .deadline = put->started + s->deadline_ms,
        .attempt = attempt_head,
        .ctx = &g,
    };

    int r = obj_retry_run(s, &head, e);
    if (r < 0 && head.last.outcome != OBJ_ABSENT)
        return -1;
    if (r == 0 && head.last.nonce[0] != '\0' &&
        strcmp(head.last.nonce, put->nonce) == 0)
        return 0;
    return err_set(e, ERR_EXISTS, 0, "put %s: there already", put->key);
}

static int make_nonce(char out[2 * NONCE_BYTES + 1], struct err *e)
{
    uint8_t raw[NONCE_BYTES];

    if (digest_random(raw, sizeof raw, e) < 0)
        return -1;
    digest_hex(span_of(raw, sizeof raw), out);
    return 0;
}

int obj_put(struct obj_store *s, const struct obj_req *req, struct span body,
            const struct obj_put_opts *opts, struct obj_info *info,
            struct err *e)
{
    static const struct obj_put_opts no_opts;
    struct obj_info unused = { 0 };
    struct whole_req w;
    char nonce[2 * NONCE_BYTES + 1];

    if (opts == NULL)
        opts = &no_opts;
    if (info == NULL)
        info = &unused;
    if (complete(s, req, &w, e) < 0)
        return -1;
    if (body.len > OBJ_BODY_MAX)
        return err_set(e, ERR_USAGE, 0, "put %s: %zu bytes, at most %u fit",
                       req->key, body.len, OBJ_BODY_MAX);
    if (opts->if_absent && make_nonce(nonce, e) < 0)
        return -1;

    struct args g = { .req = &w.req, .body = body, .opts = opts, .info = info };
    struct obj_call c = {
        .verb = OBJ_PUT,
        .what = "put",
        .key = req->key,
        .req = &w.req,
        .up_bytes = body.len,
        .nonce = opts->if_absent ? nonce : NULL,
        .attempt = attempt_put,
        .ctx = &g,
    };
    int r = obj_retry_run(s, &c, e);
    if (r == 0 || !opts->if_absent || c.last.outcome != OBJ_THERE ||
        e->kind != ERR_EXISTS)
        return r;
    /* An HTTP library may send a request again by itself when a kept
     * connection turns out to be dead, so even the first 412 may be due to
     * our own success. */
    if (c.maybe_done || c.last.http != 0)
        return is_it_ours(s, &c, info, e);
    return r;
}

int obj_get(struct obj_store *s, const struct obj_req *req,
            const struct obj_range *range, struct buf *out,
            struct obj_info *info, struct err *e)
{
    struct obj_info unused = { 0 };
    struct whole_req w;

    if (complete(s, req, &w, e) < 0)
        return -1;
    struct args g = { .req = &w.req,
                      .range = range,
                      .out = out,
                      .out_start = out->len,
                      .info = info != NULL ? info : &unused };
    struct obj_call c = {
        .verb = OBJ_GET,
        .what = "get",
        .key = req->key,
        .req = &w.req,
        .down_bytes = range != NULL && range->len > 0
                          ? range->len
                          : atomic_load(&s->shared->usual_bytes),
        .attempt = attempt_get,
        .ctx = &g,
    };
    if (obj_retry_run(s, &c, e) < 0) {
        out->len = g.out_start;
        return -1;
    }
    atomic_store(&s->shared->usual_bytes, c.last.received);
    return 0;
}

int obj_head(struct obj_store *s, const struct obj_req *req,
             struct obj_info *info, struct err *e)
{
    struct obj_info unused = { 0 };
    struct whole_req w;

    if (complete(s, req, &w, e) < 0)
        return -1;
    struct args g = { .req = &w.req, .info = info != NULL ? info : &unused };
    struct obj_call c = { .verb = OBJ_HEAD,
                          .what = "look up",
                          .key = req->key,
                          .req = &w.req,
                          .attempt = attempt_head,
                          .ctx = &g };
    return obj_retry_run(s, &c, e);
}

int obj_delete(struct obj_store *s, const struct obj_req *req, bool bypass,
               struct err *e)
{
    struct whole_req w;

    if (complete(s, req, &w, e) < 0)
        return -1;
    struct args g = { .req = &w.req, .flag = bypass };
    struct obj_call c = { .verb = OBJ_DELETE,
                          .what = "delete",
                          .key = req->key,
                          .req = &w.req,
                          .attempt = attempt_remove,
                          .ctx = &g };
    return obj_retry_run(s, &c, e);
}

int obj_set_lock(struct obj_store *s, const struct obj_req *req,
                 const struct obj_lock *lock, bool bypass, struct err *e)
{
    struct whole_req w;

    if (complete(s, req, &w, e) < 0)
        return -1;
    struct args g = { .req = &w.req, .lock_in = lock, .flag = bypass };
    struct obj_call c = { .verb = OBJ_RETENTION,
                          .what = "lock",
                          .key = req->key,
                          .req = &w.req,
                          .attempt = attempt_set_lock,
                          .ctx = &g };
    return obj_retry_run(s, &c, e);
}

int obj_get_lock(struct obj_store *s, const struct obj_req *req,
                 struct obj_lock *lock, struct err *e)
{
    struct whole_req w;

    if (complete(s, req, &w, e) < 0)
        return -1;
    struct args g = { .req = &w.req, .lock_out = lock };
    struct obj_call c = { .verb = OBJ_RETENTION,
                          .what = "read the lock of",
                          .key = req->key,
                          .req = &w.req,
                          .attempt = attempt_get_lock,
                          .ctx = &g };
    return obj_retry_run(s, &c, e);
}

int obj_bucket_info(struct obj_store *s, const struct obj_req *req,
                    struct obj_bucket *b, struct err *e)
{
    struct obj_req bare = *req;
    struct args g = { .req = &bare, .bucket = b };
    struct obj_call c = { .verb = OBJ_BUCKET,
                          .what = "inspect",
                          .key = "",
                          .req = &bare,
                          .attempt = attempt_bucket_info,
                          .ctx = &g };

    bare.key = "";
    return obj_retry_run(s, &c, e);
}

int obj_bucket_lifecycle(struct obj_store *s, const struct obj_req *req,
                         struct obj_lifecycle *l, struct err *e)
{
    struct obj_req bare = *req;
    struct args g = { .req = &bare, .lifecycle = l };
    struct obj_call c = { .verb = OBJ_BUCKET,
                          .what = "read the lifecycle of",
                          .key = "",
                          .req = &bare,
                          .attempt = attempt_lifecycle,
                          .ctx = &g };

    bare.key = s->prefix;
    return obj_retry_run(s, &c, e);
}

int obj_bucket_create(struct obj_store *s, const struct obj_req *req,
                      bool object_lock, struct err *e)
{
    struct obj_req bare = *req;
    struct args g = { .req = &bare, .flag = object_lock };
    struct obj_call c = { .verb = OBJ_BUCKET,
                          .what = "create",
                          .key = "",
                          .req = &bare,
                          .attempt = attempt_bucket_create,
                          .ctx = &g };

    bare.key = "";
    return obj_retry_run(s, &c, e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The driver libs3: plain objects on servers that know only the old signature
 * (version 2), by way of the module objvault-libs3.so.  What is open, and one
 * request from its parts to its outcome.
 */
#include "objstore/libs3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"
#include "objstore/http.h"
#include "objstore/xml.h"

/* As those of http.c. */
#define LIMIT_BASE_MS 60000
#define LIMIT_BYTES_PER_MS 50
/* libs3 cuts a longer one off, and signs with what is left. */
#define ACCESS_KEY_MAX 64
/* libs3's own checks of a bucket's name are S3's. */
#define BUCKET_MAX 255
/* URLs have room for this; libs3's answer to more is no clear one. */
#define HOST_MAX 255

static void libs3_close(void *self)
{
    struct obj_libs3 *s = self;

    if (s == NULL)
        return;
    while (s->locked.n_idle > 0)
        s->table->line_close(s->locked.idle[--s->locked.n_idle]);
    obj_credentials_fini(&s->locked.credentials);
    pthread_mutex_destroy(&s->locked.mutex);
    free(s->bucket);
    free(s->host);
    free(s->credentials_file);
    free(s);
}

static void libs3_closep(struct obj_libs3 **s)
{
    libs3_close(*s);
}

bool obj_libs3_key_ok(const char *key)
{
    return key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "abcdefghijklmnopqrstuvwxyz0123456789._/-")] == '\0';
}

/* What libs3 2.0 would do wrong in silence is refused before anything goes
 * out. */
static int check_config(const struct obj_config *c, struct err *e)
{
    if (c->endpoint == NULL)
        return err_set(e, ERR_CONFIG, 0,
                       "driver libs3 needs an endpoint: AWS refuses its old "
                       "signatures");
    if (c->ca_file != NULL)
        return err_set(e, ERR_CONFIG, 0,
                       "driver libs3 does not verify certificates: it has no "
                       "use for a CA");
    if (c->prefix != NULL && !obj_libs3_key_ok(c->prefix))
        return err_set(e, ERR_CONFIG, 0,
                       "prefix \"%.200s\": driver libs3 sends only letters, "
                       "digits and \"._/-\" as they are",
                       c->prefix);
    return 0;
}

static int set_place(struct obj_libs3 *s, const struct obj_config *c,
                     struct err *e)
{
    AUTO_MEM char *scheme = NULL;

    if (c->bucket == NULL || c->bucket[0] == '\0' ||
        strlen(c->bucket) > BUCKET_MAX || strchr(c->bucket, '/') != NULL ||
        !obj_libs3_key_ok(c->bucket))
        return err_set(e, ERR_USAGE, 0, "\"%.80s\" is no bucket's name",
                       c->bucket == NULL ? "" : c->bucket);
    s->bucket = io_format(e, "%s", c->bucket);
    if (s->bucket == NULL ||
        obj_http_endpoint(c->endpoint, &scheme, &s->host, e) < 0)
        return -1;
    if (strcmp(scheme, "http") != 0)
        return err_set(e, ERR_CONFIG, 0,
                       "driver libs3 does not speak %s: libs3 2.0 would not "
                       "verify the server's certificate; use driver s3",
                       scheme);
    if (strlen(s->host) > HOST_MAX)
        return err_set(e, ERR_USAGE, 0, "the endpoint's host is too long");
    s->virtual_host = c->addressing == OBJ_ADDR_VIRTUAL;
    return 0;
}

static int load_credentials(const struct obj_libs3 *s,
                            struct obj_credentials *out, struct err *e)
{
    if (obj_credentials_load(s->credentials_file, s->cancel, out, e) < 0)
        return -1;
    int r = 0;
    if (out->token != NULL)
        r = err_set(e, ERR_CONFIG, 0,
                    "driver libs3 cannot send a session token (%s has one)",
                    out->origin);
    else if (strlen(out->access_key) > ACCESS_KEY_MAX)
        r = err_set(e, ERR_CONFIG, 0,
                    "driver libs3 cannot send an access key of more than %d "
                    "characters",
                    ACCESS_KEY_MAX);
    if (r < 0)
        obj_credentials_fini(out);
    return r;
}

static void *libs3_open(const struct obj_config *c, char **name_out,
                        struct err *e)
{
    if (check_config(c, e) < 0)
        return NULL;
    AUTO(libs3_closep) struct obj_libs3 *s = calloc(1, sizeof *s);
    if (s == NULL) {
        err_nomem(e);
        return NULL;
    }
    pthread_mutex_init(&s->locked.mutex, NULL);
    s->limit_ms = c->deadline_ms;
    if (set_place(s, c, e) < 0)
        return NULL;
    s->cancel = c->cancel;
    if (c->credentials_file != NULL) {
        s->credentials_file = io_format(e, "%s", c->credentials_file);
        if (s->credentials_file == NULL)
            return NULL;
    }
    s->table = obj_libs3_load(e);
    if (s->table == NULL || load_credentials(s, &s->locked.credentials, e) < 0)
        return NULL;
    const char *prefix = c->prefix == NULL ? "" : c->prefix;
    *name_out = io_format(e, "s3://%s%s%s on http://%s (libs3)", s->bucket,
                          prefix[0] == '\0' ? "" : "/", prefix, s->host);
    if (*name_out == NULL)
        return NULL;
    log_debug("libs3", "%s: keys from %s", *name_out,
              s->locked.credentials.origin);
    return STEAL(s);
}

static bool libs3_refresh(void *self)
{
    struct obj_libs3 *s = self;
    struct obj_credentials newer;
    struct err e;

    if (load_credentials(s, &newer, &e) < 0) {
        if (e.kind != ERR_CANCELLED)
            log_warn("libs3", "cannot read the keys again: %s", e.msg);
        return false;
    }
    pthread_mutex_lock(&s->locked.mutex);
    bool changed = !obj_credentials_equal(&newer, &s->locked.credentials);
    if (changed) {
        struct obj_credentials older = s->locked.credentials;
        s->locked.credentials = newer;
        newer = older;
    }
    pthread_mutex_unlock(&s->locked.mutex);
    obj_credentials_fini(&newer);
    return changed;
}

bool obj_libs3_end(struct obj_attempt *a, enum obj_outcome outcome,
                   const char *message)
{
    a->outcome = outcome;
    obj_xml_copy(a->message, sizeof a->message, message);
    return false;
}

bool obj_libs3_fail(struct obj_attempt *a, const struct err *e)
{
    a->outcome = OBJ_LOCAL;
    a->err = *e;
    return false;
}

bool obj_libs3_can_send(const struct obj_req *req, struct obj_attempt *a)
{
    if (req->version != NULL)
        return obj_libs3_end(a, OBJ_UNABLE, "driver libs3 knows no versions");
    if (!obj_libs3_key_ok(req->key))
        return obj_libs3_end(a, OBJ_UNABLE,
                             "driver libs3 sends only letters, digits and "
                             "\"._/-\" of a key as they are");
    return true;
}

static int take_data(void *ctx, const void *p, size_t len)
{
    struct obj_libs3_call *c = ctx;

    c->got += len;
    if (c->out == NULL)
        return 0;
    buf_append(c->out, p, len);
    return c->out->failed ? 1 : 0;
}

static int is_cancelled(void *ctx)
{
    const struct obj_libs3_call *c = ctx;

    return cancel_requested(c->req->cancel) ? 1 : 0;
}

struct obj_libs3_call obj_libs3_call_of(struct obj_libs3 *s,
                                        const struct obj_req *req,
                                        enum obj_libs3_verb how, bool of_key,
                                        enum obj_verb verb,
                                        struct obj_attempt *a)
{
    return (struct obj_libs3_call){
        .s = s,
        .req = req,
        .a = a,
        .verb = verb,
        .q = { .verb = how,
               .host = s->host,
               .bucket = s->bucket,
               .virtual_host = s->virtual_host,
               .key = of_key ? req->key : "",
               .md5 = "",
               .content_type = "",
               .data = take_data,
               .stop = is_cancelled },
    };
}

/* An idle line, or a new one; NULL: no memory. */
static void *take_line(struct obj_libs3 *s)
{
    void *line = NULL;

    pthread_mutex_lock(&s->locked.mutex);
    if (s->locked.n_idle > 0)
        line = s->locked.idle[--s->locked.n_idle];
    pthread_mutex_unlock(&s->locked.mutex);
    return line != NULL ? line : s->table->line_open();
}

static void give_line(struct obj_libs3 *s, void *line)
{
    pthread_mutex_lock(&s->locked.mutex);
    bool room = s->locked.n_idle < OBJ_LIBS3_LINES;
    if (room)
        s->locked.idle[s->locked.n_idle++] = line;
    pthread_mutex_unlock(&s->locked.mutex);
    if (!room)
        s->table->line_close(line);
}

/* Copies of the keys: another thread may read newer ones meanwhile. */
struct keys {
    char access[ACCESS_KEY_MAX + 1];
    struct secret *secret;
};

static void keys_fini(struct keys *k)
{
    secret_free(k->secret);
}
#define AUTO_KEYS AUTO(keys_fini)

static int keys_init(struct obj_libs3 *s, struct keys *k, struct err *e)
{
    pthread_mutex_lock(&s->locked.mutex);
    obj_xml_copy(k->access, sizeof k->access, s->locked.credentials.access_key);
    k->secret = secret_new(secret_span(s->locked.credentials.secret), e);
    pthread_mutex_unlock(&s->locked.mutex);
    return k->secret != NULL ? 0 : -1;
}

static int64_t limit_of(const struct obj_libs3_call *c)
{
    uint64_t bytes = c->q.body_len;

    if (c->q.verb == OBJ_LIBS3_GET)
        bytes = c->q.len != 0 ? c->q.len : OBJ_BODY_MAX;
    int64_t ms = LIMIT_BASE_MS + (int64_t)(bytes / LIMIT_BYTES_PER_MS);
    if (c->s->limit_ms > 0 && c->s->limit_ms < ms)
        ms = c->s->limit_ms;
    if (c->a->deadline > 0) {
        int64_t left = c->a->deadline - utc_mono_ms();
        ms = left < 1 ? 1 : left < ms ? left : ms;
    }
    return ms;
}

/* libs3 signs with this machine's clock as it is: it must be right. */
static int check_time(const struct obj_req *req, struct err *e)
{
    int64_t late = utc_real_now() - req->sign_before;

    if (req->sign_before == 0 || late <= 0)
        return 0;
    return err_set(e, ERR_PRECONDITION, 0,
                   "not sent: its time ran out %lld s ago", (long long)late);
}

bool obj_libs3_send(struct obj_libs3_call *c)
{
    AUTO_KEYS struct keys keys = { .secret = NULL };
    struct obj_attempt *a = c->a;
    struct err e;

    if (check_time(c->req, &e) < 0 || keys_init(c->s, &keys, &e) < 0)
        return obj_libs3_fail(a, &e);
    void *line = take_line(c->s);
    if (line == NULL) {
        err_nomem(&e);
        return obj_libs3_fail(a, &e);
    }
    c->q.access_key = keys.access;
    c->q.secret_key = (const char *)secret_span(keys.secret).p;
    c->q.limit_ms = limit_of(c);
    c->q.fresh = a->fresh_connection;
    c->q.ctx = c;
    int64_t from = utc_mono_ms();
    c->s->table->run(line, &c->q, &c->r);
    int64_t ms = utc_mono_ms() - from;
    give_line(c->s, line);
    a->sent += c->r.sent;
    a->received += c->got;
    obj_libs3_classify(&c->r, c->verb, c->q.key[0] != '\0', c->q.body_len, ms,
                       a);
    if (c->out != NULL && c->out->failed && buf_check(c->out, &e) < 0)
        return obj_libs3_fail(a, &e);
    return a->outcome == OBJ_OK;
}

const struct obj_driver obj_libs3_driver = {
    .name = "libs3",
    .open = libs3_open,
    .close = libs3_close,
    .put = obj_libs3_put,
    .get = obj_libs3_get,
    .head = obj_libs3_head,
    .list = obj_libs3_list,
    .remove = obj_libs3_remove,
    .bucket_info = obj_libs3_bucket_info,
    .bucket_create = obj_libs3_bucket_create,
    .refresh = libs3_refresh,
};

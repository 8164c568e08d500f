// SPDX-License-Identifier: Apache-2.0
/*
 * One request from its parts to its outcome: URL, headers, signature, transfer,
 * classification, and the one line in the log that lets a user argue with a
 * provider.
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/utc.h"
#include "objstore/s3.h"
#include "objstore/xml.h"

#define URL_MAX (32u << 10)
#define HEADER_TEXT_MAX (64u << 10)

void obj_s3_call_init(struct obj_s3_call *c, struct obj_s3 *s3,
                      const struct obj_req *req, const char *key,
                      enum obj_verb verb, const char *method,
                      struct obj_attempt *a)
{
    *c = (struct obj_s3_call){
        .s3 = s3, .req = req, .a = a, .verb = verb, .method = method, .key = key
    };
    a->verb = verb;
}

void obj_s3_call_fini(struct obj_s3_call *c)
{
    obj_http_end(c->s3->http, c->http);
    c->http = NULL;
}

void obj_s3_call_query(struct obj_s3_call *c, const char *name,
                       const char *value)
{
    if (c->nquery < sizeof c->query / sizeof c->query[0])
        c->query[c->nquery++] = (struct obj_sigv4_pair){ name, value };
    else
        c->overfull = true;
}

void obj_s3_call_header(struct obj_s3_call *c, const char *name,
                        const char *value)
{
    if (c->nheaders < sizeof c->headers / sizeof c->headers[0])
        c->headers[c->nheaders++] = (struct obj_sigv4_pair){ name, value };
    else
        c->overfull = true;
}

bool obj_s3_fail(struct obj_attempt *a, const struct err *e)
{
    a->outcome = OBJ_LOCAL;
    a->err = *e;
    return false;
}

struct obj_attempt obj_s3_further(const struct obj_attempt *a)
{
    return (struct obj_attempt){ .clock_offset = a->clock_offset,
                                 .deadline = a->deadline };
}

bool obj_s3_call_xml(struct obj_s3_call *c, struct buf *xml)
{
    uint8_t digest[DIGEST_SHA256_BYTES];
    struct err e;

    if (buf_check(xml, &e) < 0)
        return obj_s3_fail(c->a, &e);
    c->body = buf_span(xml);
    c->has_body = true;
    obj_s3_call_header(c, "content-type", "application/xml");
    /* Servers demand one of the two.  All know the older one, but a machine
     * in FIPS mode has no MD5. */
    if (digest_md5(c->body, digest, &e) == 0) {
        digest_base64(span_of(digest, DIGEST_MD5_BYTES), c->digest);
        obj_s3_call_header(c, "content-md5", c->digest);
        return true;
    }
    if (digest_sha256(c->body, digest, &e) < 0)
        return obj_s3_fail(c->a, &e);
    digest_base64(span_of(digest, sizeof digest), c->digest);
    obj_s3_call_header(c, "x-amz-checksum-sha256", c->digest);
    return true;
}

/* What a request is signed with: copies, so that the lock is held for no
 * longer than copying takes. */
struct identity {
    int64_t time;
    unsigned generation; /* of the keys */
    char region[OBJ_S3_REGION_CHARS];
    char access_key[OBJ_S3_ACCESS_KEY_CHARS];
    uint8_t key[OBJ_SIGV4_KEY_BYTES];
    struct buf token; /* empty: none */
};

static void identity_fini(struct identity *id)
{
    secret_wipe(id->key, sizeof id->key);
    buf_free(&id->token);
}
#define AUTO_IDENTITY AUTO(identity_fini)

/* With the lock held: the signing key of the day, made when the day, the
 * region or the credentials changed. */
static int day_key(struct obj_s3 *s3, const struct identity *id, struct err *e)
{
    const struct obj_sigv4_scope scope = { .time = id->time,
                                           .region = id->region,
                                           .service = "s3" };
    char stamp[UTC_BASIC_CHARS];
    uint8_t key[OBJ_SIGV4_KEY_BYTES];

    utc_format_basic(id->time, stamp);
    stamp[8] = '\0';
    if (s3->locked.key != NULL && strcmp(s3->locked.key_day, stamp) == 0 &&
        strcmp(s3->locked.key_region, id->region) == 0)
        return 0;
    secret_free(STEAL(s3->locked.key));
    if (obj_sigv4_key(secret_span(s3->locked.credentials.secret), &scope, key,
                      e) < 0)
        return -1;
    s3->locked.key = secret_new(span_of(key, sizeof key), e);
    secret_wipe(key, sizeof key);
    if (s3->locked.key == NULL)
        return -1;
    memcpy(s3->locked.key_day, stamp, sizeof s3->locked.key_day);
    memcpy(s3->locked.key_region, id->region, sizeof s3->locked.key_region);
    return 0;
}

static int identity_locked(struct obj_s3 *s3, struct identity *id,
                           const char *region, struct err *e)
{
    const struct obj_credentials *c = &s3->locked.credentials;

    obj_xml_copy(id->region, sizeof id->region,
                 region != NULL ? region : s3->locked.region);
    obj_xml_copy(id->access_key, sizeof id->access_key, c->access_key);
    id->generation = s3->locked.generation;
    if (day_key(s3, id, e) < 0)
        return -1;
    memcpy(id->key, secret_span(s3->locked.key).p, sizeof id->key);
    if (c->token != NULL) {
        struct span token = secret_span(c->token);
        id->token = secret_buf(token.len);
        buf_append(&id->token, token.p, token.len);
        buf_cstr(&id->token);
    }
    return buf_check(&id->token, e);
}

static int identity_init(const struct obj_s3_call *c, struct identity *id,
                         struct err *e)
{
    struct obj_s3 *s3 = c->s3;

    id->time = utc_real_now() + c->a->clock_offset;
    /* The layer above has checked this before a wait; time has passed. */
    if (c->req->sign_before != 0 && id->time > c->req->sign_before)
        return err_set(e, ERR_PRECONDITION, 0,
                       "not sent: its time ran out %lld s ago",
                       (long long)(id->time - c->req->sign_before));
    pthread_mutex_lock(&s3->locked.mutex);
    int r = obj_s3_keys_fresh(s3, id->time, c->req->cancel, e);
    if (r == 0)
        r = identity_locked(s3, id, c->region, e);
    pthread_mutex_unlock(&s3->locked.mutex);
    return r;
}

/* A request as it goes out. */
struct letter {
    struct buf host, path, query, url, authorization;
    char stamp[UTC_BASIC_CHARS];
    char payload[OBJ_SIGV4_HEX_CHARS];
    struct obj_sigv4_pair headers[24];
    size_t nheaders;
};

static void letter_fini(struct letter *l)
{
    buf_free(&l->host);
    buf_free(&l->path);
    buf_free(&l->query);
    buf_free(&l->url);
    buf_free(&l->authorization);
}
#define AUTO_LETTER AUTO(letter_fini)

static int set_address(const struct obj_s3_call *c, const struct identity *id,
                       struct letter *l, struct err *e)
{
    const struct obj_s3 *s3 = c->s3;
    bool china = strncmp(id->region, "cn-", 3) == 0;

    if (s3->virtual_host)
        buf_printf(&l->host, "%s.", s3->bucket);
    if (s3->host != NULL)
        buf_append_str(&l->host, s3->host);
    else
        buf_printf(&l->host, "s3.%s.amazonaws.com%s", id->region,
                   china ? ".cn" : "");
    buf_append_char(&l->path, '/');
    if (!s3->virtual_host) {
        obj_sigv4_encode(&l->path, s3->bucket, false);
        if (c->key != NULL)
            buf_append_char(&l->path, '/');
    }
    if (c->key != NULL)
        obj_sigv4_encode(&l->path, c->key, true);
    if (obj_sigv4_query(c->query, c->nquery, &l->query, e) < 0)
        return -1;
    buf_printf(&l->url, "%s://%s%s%s%s", s3->scheme, buf_cstr(&l->host),
               buf_cstr(&l->path), l->query.len > 0 ? "?" : "",
               buf_cstr(&l->query));
    buf_cstr(&l->url);
    if (buf_check(&l->host, e) < 0 || buf_check(&l->path, e) < 0 ||
        buf_check(&l->query, e) < 0)
        return -1;
    return buf_check(&l->url, e);
}

static int set_payload(const struct obj_s3_call *c, struct letter *l,
                       struct err *e)
{
    uint8_t digest[DIGEST_SHA256_BYTES];

    if (c->payload != NULL) {
        obj_xml_copy(l->payload, sizeof l->payload, c->payload);
        return 0;
    }
    if (!c->has_body) {
        obj_xml_copy(l->payload, sizeof l->payload, OBJ_SIGV4_EMPTY_SHA256);
        return 0;
    }
    if (digest_sha256(c->body, digest, e) < 0)
        return -1;
    digest_hex(span_of(digest, sizeof digest), l->payload);
    return 0;
}

static void add(struct letter *l, const char *name, const char *value)
{
    l->headers[l->nheaders++] = (struct obj_sigv4_pair){ name, value };
}

/* Fills the letter; every header in it but the last, the signature itself, is
 * signed. */
static int write_letter(const struct obj_s3_call *c, struct identity *id,
                        struct letter *l, struct err *e)
{
    const struct obj_sigv4_scope scope = { .time = id->time,
                                           .region = id->region,
                                           .service = "s3" };

    _Static_assert(sizeof l->headers / sizeof l->headers[0] >=
                       sizeof c->headers / sizeof c->headers[0] + 5,
                   "a call's own headers and the five of each request");
    if (c->overfull)
        return err_set(e, ERR_INTERNAL, 0, "request with too many parts");
    if (set_address(c, id, l, e) < 0 || set_payload(c, l, e) < 0)
        return -1;
    utc_format_basic(id->time, l->stamp);
    add(l, "Host", buf_cstr(&l->host));
    for (size_t i = 0; i < c->nheaders; i++)
        add(l, c->headers[i].name, c->headers[i].value);
    add(l, "x-amz-content-sha256", l->payload);
    add(l, "x-amz-date", l->stamp);
    if (id->token.len > 0)
        add(l, "x-amz-security-token", buf_cstr(&id->token));
    const struct obj_sigv4_request request = {
        .method = c->method,
        .path = buf_cstr(&l->path),
        .query = buf_cstr(&l->query),
        .headers = l->headers,
        .nheaders = l->nheaders,
        .payload = l->payload,
    };
    if (obj_sigv4_authorization(&request, &scope, id->access_key, id->key,
                                &l->authorization, e) < 0)
        return -1;
    add(l, "Authorization", buf_cstr(&l->authorization));
    return buf_check(&l->authorization, e);
}

static void log_line(const struct obj_s3_call *c, int64_t ms)
{
    const struct obj_attempt *a = c->a;
    char key[160];

    if (!log_enabled(LOG_DEBUG))
        return;
    obj_xml_copy(key, sizeof key, c->key == NULL ? "" : c->key);
    log_debug("s3",
              "%s /%s/%s%s%s status=%d ms=%lld sent=%llu received=%llu "
              "request_id=%s%s%s%s%s",
              c->method, c->s3->bucket, key, c->nquery > 0 ? "?" : "",
              c->nquery > 0 ? c->query[0].name : "", a->http, (long long)ms,
              (unsigned long long)a->sent, (unsigned long long)a->received,
              a->request_id[0] == '\0' ? "-" : a->request_id,
              a->code[0] == '\0' ? "" : " code=", a->code,
              a->outcome == OBJ_OK || a->message[0] == '\0' ? "" : " ",
              a->outcome == OBJ_OK ? "" : a->message);
}

static bool transfer(struct obj_s3_call *c, const struct letter *l,
                     const char *signed_for)
{
    AUTO_BUF struct buf error_body = buf_init(OBJ_HTTP_ERROR_BODY_MAX);
    struct obj_attempt *a = c->a;
    uint64_t sent = a->sent, received = a->received;
    uint64_t up = c->has_body ? c->body.len : 0;
    const struct obj_http_request r = {
        .method = c->method,
        .url = (const char *)l->url.p,
        .headers = l->headers,
        .nheaders = l->nheaders,
        .body = c->body,
        .has_body = c->has_body,
        .expect_bytes = up > c->expect_bytes ? up : c->expect_bytes,
        .out = c->out,
        .error_body = &error_body,
        .cancel = c->req->cancel,
    };

    int64_t from = utc_mono_ms();
    obj_http_perform(c->s3->http, c->http, &r, a);
    if (a->http != 0)
        obj_s3_answer(c, buf_span(&error_body), signed_for);
    log_line(c, utc_mono_ms() - from);
    a->sent += sent;
    a->received += received;
    return a->outcome == OBJ_OK;
}

/* There is nothing to sign with.  Whoever gives out keys may be down together
 * with the store, and come back with it. */
static bool no_identity(struct obj_attempt *a, const struct err *e)
{
    if (e->kind != ERR_UNREACHABLE && e->kind != ERR_TIMEOUT)
        return obj_s3_fail(a, e);
    a->outcome = OBJ_NETWORK;
    obj_xml_copy(a->message, sizeof a->message, e->msg);
    return false;
}

/* Signs and sends once, and says what became of it. */
static bool send_once(struct obj_s3_call *c,
                      char signed_for[OBJ_S3_REGION_CHARS])
{
    AUTO_IDENTITY struct identity id = { 0 };
    AUTO_LETTER struct letter l = {
        .host = buf_init(URL_MAX),
        .path = buf_init(URL_MAX),
        .query = buf_init(URL_MAX),
        .url = buf_init((size_t)4 * URL_MAX),
        .authorization = buf_init(HEADER_TEXT_MAX),
    };
    struct obj_attempt *a = c->a;
    struct err e;

    a->code[0] = '\0';
    a->message[0] = '\0';
    a->request_id[0] = '\0';
    a->region[0] = '\0';
    a->retry_after_ms = 0;
    if (identity_init(c, &id, &e) < 0)
        return no_identity(a, &e);
    if (write_letter(c, &id, &l, &e) < 0)
        return obj_s3_fail(a, &e);
    if (c->http == NULL)
        c->http = obj_http_begin(c->s3->http, &e);
    if (c->http == NULL)
        return obj_s3_fail(a, &e);
    memcpy(signed_for, id.region, sizeof id.region);
    bool good = transfer(c, &l, id.region);
    if (a->outcome == OBJ_AUTH)
        obj_s3_keys_refused(c->s3, id.generation);
    return good;
}

/* The server wants another region but did not say which: asks for it.  Any
 * region may ask that question. */
static void find_region(struct obj_s3_call *c, const char *signed_for)
{
    struct obj_attempt a = obj_s3_further(c->a);
    const struct obj_req req = { .cancel = c->req->cancel,
                                 .sign_before = c->req->sign_before };
    AUTO_BUF struct buf xml = buf_init(OBJ_HTTP_ERROR_BODY_MAX);
    char region[sizeof c->a->region];
    char used[OBJ_S3_REGION_CHARS];
    struct err e;

    AUTO_OBJ_S3_CALL struct obj_s3_call ask;
    obj_s3_call_init(&ask, c->s3, &req, NULL, OBJ_BUCKET, "GET", &a);
    obj_s3_call_query(&ask, "location", "");
    ask.region = "us-east-1";
    ask.out = &xml;
    if (send_once(&ask, used) &&
        obj_xml_location(buf_span(&xml), region, sizeof region, &e) == 0 &&
        strcmp(region, signed_for) != 0)
        obj_xml_copy(c->a->region, sizeof c->a->region, region);
    else
        c->a->outcome = OBJ_REJECTED;
}

bool obj_s3_send(struct obj_s3_call *c)
{
    char signed_for[OBJ_S3_REGION_CHARS];

    if (!send_once(c, signed_for) && c->a->outcome == OBJ_REGION &&
        c->a->region[0] == '\0')
        find_region(c, signed_for);
    return c->a->outcome == OBJ_OK;
}

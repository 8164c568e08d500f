// SPDX-License-Identifier: Apache-2.0
/*
 * objvault-libs3.so: requests by way of Debian's libs3 2.0.  Built apart,
 * loaded only for repositories that ask for it (libs3.c), and the one file
 * that includes <libs3.h>.
 *
 * LICENCE.  This file is under the Apache License 2.0 like the rest.  libs3 2.0
 * is under the GNU GPL, version 3 only, with an exception for OpenSSL: the
 * module, once linked with it, may be passed on under GPL-3 only, and so may a
 * package that holds both.  The program objvault neither links nor needs it.
 *
 * Requests run in a request context although they are made one at a time:
 * libs3's blocking calls cannot be interrupted while a server is silent.
 */
#include "objstore/libs3_module.h"

#include <libs3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

#define SLICE_MS 50
#define UNCONNECTED_MS 5
/* libs3 has room for so many, and forgets to stop there. */
#define DETAILS_MAX 8
#define METAS_MAX 32
#define NONCE_META "objvault-nonce"

/* libs3 composes a request's date with gmtime(), whose result all threads
 * share: another thread's date under this one's signature is refused. */
static pthread_mutex_t begin_lock = PTHREAD_MUTEX_INITIALIZER;

struct running {
    const struct obj_libs3_request *request;
    struct obj_libs3_result *result;
    int done;
    size_t at; /* of the body */
};

static void copy(char *out, size_t cap, const char *text)
{
    size_t n = 0;

    while (text != NULL && text[n] != '\0' && n + 1 < cap) {
        char c = text[n];
        if ((unsigned char)c < 0x20 || c == 0x7f)
            c = '?';
        out[n++] = c;
    }
    out[n] = '\0';
}

static void set_status(struct obj_libs3_result *r, S3Status status)
{
    copy(r->status, sizeof r->status, S3_get_status_name(status));
}

static S3Status on_headers(const S3ResponseProperties *p, void *ctx)
{
    struct running *run = ctx;
    struct obj_libs3_result *r = run->result;

    r->headers = 1;
    r->length = p->contentLength;
    r->modified = p->lastModified;
    copy(r->etag, sizeof r->etag, p->eTag);
    copy(r->request_id, sizeof r->request_id, p->requestId);
    for (int i = 0; i < p->metaDataCount && i < METAS_MAX; i++) {
        if (strcmp(p->metaData[i].name, NONCE_META) == 0)
            copy(r->nonce, sizeof r->nonce, p->metaData[i].value);
    }
    return S3StatusOK;
}

static void on_end(S3Status status, const S3ErrorDetails *details, void *ctx)
{
    struct running *run = ctx;
    struct obj_libs3_result *r = run->result;

    run->done = 1;
    set_status(r, status);
    if (details == NULL || status == S3StatusOK)
        return;
    copy(r->message, sizeof r->message, details->message);
    for (int i = 0; i < details->extraDetailsCount && i < DETAILS_MAX; i++) {
        const S3NameValue *d = &details->extraDetails[i];
        if (strcmp(d->name, "RequestId") == 0)
            copy(r->request_id, sizeof r->request_id, d->value);
        else if (strcmp(d->name, "Region") == 0)
            copy(r->region, sizeof r->region, d->value);
    }
}

static S3Status on_data(int len, const char *p, void *ctx)
{
    const struct obj_libs3_request *q = ((struct running *)ctx)->request;

    return q->data(q->ctx, p, (size_t)len) == 0 ? S3StatusOK
                                                : S3StatusAbortedByCallback;
}

static int give_body(int room, char *p, void *ctx)
{
    struct running *run = ctx;
    size_t n = run->request->body_len - run->at;

    if (n > (size_t)room)
        n = (size_t)room;
    memcpy(p, (const char *)run->request->body + run->at, n);
    run->at += n;
    run->result->sent = run->at;
    return (int)n;
}

static void begin(const struct obj_libs3_request *q, S3RequestContext *line,
                  struct running *run)
{
    const S3BucketContext bucket = {
        .hostName = q->host,
        .bucketName = q->bucket,
        .protocol = S3ProtocolHTTP,
        .uriStyle = q->virtual_host ? S3UriStyleVirtualHost : S3UriStylePath,
        .accessKeyId = q->access_key,
        .secretAccessKey = q->secret_key,
    };
    const S3PutProperties properties = {
        .contentType = q->content_type,
        .md5 = q->md5,
        .expires = -1,
        .cannedAcl = S3CannedAclPrivate,
    };
    const S3ResponseHandler plain = { on_headers, on_end };
    const S3GetObjectHandler get = { plain, on_data };
    const S3PutObjectHandler put = { plain, give_body };

    switch (q->verb) {
    case OBJ_LIBS3_GET:
        S3_get_object(&bucket, q->key, NULL, q->offset, q->len, line, &get,
                      run);
        break;
    case OBJ_LIBS3_HEAD:
        S3_head_object(&bucket, q->key, line, &plain, run);
        break;
    case OBJ_LIBS3_PUT:
        S3_put_object(&bucket, q->key, q->body_len, &properties, line, &put,
                      run);
        break;
    case OBJ_LIBS3_DELETE:
        S3_delete_object(&bucket, q->key, line, &plain, run);
        break;
    case OBJ_LIBS3_MAKE_BUCKET:
        S3_create_bucket(S3ProtocolHTTP, q->access_key, q->secret_key, q->host,
                         q->bucket, S3CannedAclPrivate, NULL, line, &plain,
                         run);
        break;
    }
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Sleeps until there is something to do, or it is time to ask stop(). */
static void wait_a_little(S3RequestContext *line)
{
    fd_set in, out, other;
    int last = -1;
    int64_t ms = S3_get_request_context_timeout(line);

    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&other);
    /* Without a descriptor libcurl is waiting for something of its own, or
     * for one that select() cannot take. */
    if (S3_get_request_context_fdsets(line, &in, &out, &other, &last) !=
        S3StatusOK)
        last = -1;
    int64_t most = last >= 0 ? SLICE_MS : UNCONNECTED_MS;
    if (ms < 0 || ms > most)
        ms = most;
    struct timeval t = { .tv_usec = (suseconds_t)ms * 1000 };
    select(last + 1, &in, &out, &other, &t);
}

/* Runs what was begun to its end, or until it must not go on. */
static enum obj_libs3_end drive(S3RequestContext *context, struct running *run)
{
    const struct obj_libs3_request *q = run->request;
    int64_t until = now_ms() + q->limit_ms;
    int left = 0;

    while (!run->done) {
        if (q->stop(q->ctx))
            return OBJ_LIBS3_STOPPED;
        if (now_ms() >= until)
            return OBJ_LIBS3_LATE;
        S3Status s = S3_runonce_request_context(context, &left);
        if (s != S3StatusOK || (left == 0 && !run->done)) {
            set_status(run->result, s);
            return OBJ_LIBS3_BROKEN;
        }
        if (!run->done)
            wait_a_little(context);
    }
    return OBJ_LIBS3_DONE;
}

struct line {
    S3RequestContext *context; /* holds the connection; NULL: none yet */
};

static void line_drop(struct line *l)
{
    if (l->context != NULL)
        S3_destroy_request_context(l->context);
    l->context = NULL;
}

static void *line_open(void)
{
    return calloc(1, sizeof(struct line));
}

static void line_close(void *line)
{
    line_drop(line);
    free(line);
}

static void line_run(void *line, const struct obj_libs3_request *request,
                     struct obj_libs3_result *result)
{
    struct line *l = line;
    struct running run = { .request = request, .result = result };

    memset(result, 0, sizeof *result);
    if (request->fresh)
        line_drop(l);
    if (l->context == NULL) {
        S3Status s = S3_create_request_context(&l->context);
        if (s != S3StatusOK) {
            l->context = NULL;
            set_status(result, s);
            result->end = OBJ_LIBS3_BROKEN;
            return;
        }
    }
    pthread_mutex_lock(&begin_lock);
    begin(request, l->context, &run);
    pthread_mutex_unlock(&begin_lock);
    result->end = drive(l->context, &run);
    /* What did not end goes with its context, as long as `run` lives. */
    if (result->end != OBJ_LIBS3_DONE)
        line_drop(l);
}

static const char *start(const char *user_agent)
{
    S3Status s = S3_initialize(user_agent, S3_INIT_ALL, NULL);

    return s == S3StatusOK ? NULL : S3_get_status_name(s);
}

__attribute__((visibility("default")))
const struct obj_libs3_table obj_libs3_table = {
    .abi = OBJ_LIBS3_ABI,
    .built_for = "libs3 2.0",
    .start = start,
    .line_open = line_open,
    .line_close = line_close,
    .run = line_run,
};

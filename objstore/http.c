// SPDX-License-Identifier: Apache-2.0
/*
 * The only place that speaks to libcurl.  Blocking transfers, one handle per
 * running call: with TLS that took a third less processor time than one
 * multiplexed thread, and retries stay straight-line code.  Each handle drives
 * a private multi handle instead of curl_easy_perform, because that one can
 * also wait for a cancel token's descriptor.
 */
#include "objstore/http.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/utc.h"
#include "objstore/http_impl.h"

#define CONNECT_MS 5000
#define LOW_SPEED_BYTES 1024
#define LOW_SPEED_S 30
/* A request's time limit: this, and its bytes at the slowest rate that is
 * still worth waiting for. */
#define LIMIT_BASE_MS 60000
#define LIMIT_BYTES_PER_MS 50
/* S3 closes idle connections after 5 to 30 s; a younger one is mostly alive. */
#define KEEP_S 15
#define DNS_KEEP_S 30
#define BUFFER_BYTES (256 << 10)
#define POLL_MS 1000
#define CANCEL_DEPTH 8
/* An upload that is under way when the caller is told to stop may still end:
 * what it stored is known then, and not put again.  One that does not end soon
 * is given up, well within the second that callers were promised. */
#define GRACE_MS 500

struct obj_http_call {
    CURL *easy;
    CURLM *multi;
    struct obj_http_call *next; /* in the free list */
    bool used;                  /* has, or had, a connection */
    char curl_text[CURL_ERROR_SIZE];

    /* Of the running request. */
    const struct obj_http_request *r;
    struct obj_attempt *a;
    bool head_done; /* the answer's head is complete */
    bool body_begun;
    bool refused;       /* by us: a->err says why */
    int64_t give_up_ms; /* utc_mono_ms; 0: nobody wants it stopped yet */
};

struct obj_http {
    char *ca_file;
    int64_t limit_ms;
    bool direct;
    struct {
        pthread_mutex_t lock;
        struct obj_http_call *idle; /* guarded; last in, first out */
    } pool;
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result;

static void global_init(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct obj_http *obj_http_new(const char *ca_file, int64_t limit_ms,
                              struct err *e)
{
    pthread_once(&global_once, global_init);
    if (global_result != CURLE_OK) {
        err_set(e, ERR_INTERNAL, 0, "libcurl: %s",
                curl_easy_strerror(global_result));
        return NULL;
    }
    if (ca_file != NULL && access(ca_file, R_OK) < 0) {
        err_set(e, ERR_CONFIG, errno, "certificates %s", ca_file);
        return NULL;
    }
    struct obj_http *h = calloc(1, sizeof *h);
    if (h == NULL) {
        err_nomem(e);
        return NULL;
    }
    h->limit_ms = limit_ms;
    pthread_mutex_init(&h->pool.lock, NULL);
    if (ca_file != NULL) {
        h->ca_file = strdup(ca_file);
        if (h->ca_file == NULL) {
            err_nomem(e);
            obj_http_free(h);
            return NULL;
        }
    }
    return h;
}

static void call_free(struct obj_http_call *c)
{
    /* The connection lives in the multi handle and goes with it. */
    if (c->easy != NULL)
        curl_easy_cleanup(c->easy);
    if (c->multi != NULL)
        curl_multi_cleanup(c->multi);
    free(c);
}

void obj_http_free(struct obj_http *h)
{
    if (h == NULL)
        return;
    while (h->pool.idle != NULL) {
        struct obj_http_call *c = h->pool.idle;
        h->pool.idle = c->next;
        call_free(c);
    }
    pthread_mutex_destroy(&h->pool.lock);
    free(h->ca_file);
    free(h);
}

void obj_http_direct(struct obj_http *h)
{
    h->direct = true;
}

struct obj_http_call *obj_http_begin(struct obj_http *h, struct err *e)
{
    pthread_mutex_lock(&h->pool.lock);
    struct obj_http_call *c = h->pool.idle;
    if (c != NULL)
        h->pool.idle = c->next;
    pthread_mutex_unlock(&h->pool.lock);
    if (c == NULL) {
        c = calloc(1, sizeof *c);
        if (c == NULL) {
            err_nomem(e);
            return NULL;
        }
        c->easy = curl_easy_init();
        c->multi = curl_multi_init();
        if (c->easy == NULL || c->multi == NULL) {
            call_free(c);
            err_nomem(e);
            return NULL;
        }
    }
    c->next = NULL;
    /* Settings go, the connection stays. */
    curl_easy_reset(c->easy);
    return c;
}

void obj_http_end(struct obj_http *h, struct obj_http_call *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&h->pool.lock);
    c->next = h->pool.idle;
    h->pool.idle = c;
    pthread_mutex_unlock(&h->pool.lock);
}

const char *obj_http_header(const struct obj_http_call *c, const char *name)
{
    struct curl_header *h = NULL;

    if (curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return NULL;
    return h->value;
}

bool obj_http_length(const struct obj_http_call *c, uint64_t *bytes)
{
    curl_off_t n = -1;

    if (curl_easy_getinfo(c->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n) !=
            CURLE_OK ||
        n < 0)
        return false;
    *bytes = (uint64_t)n;
    return true;
}

static int status_of(const struct obj_http_call *c)
{
    long status = 0;

    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

/* An answer whose end nobody announced cannot be told from one that was cut:
 * libcurl takes the closing of the connection for its end. */
static bool has_end(const struct obj_http_call *c)
{
    uint64_t bytes;

    return obj_http_length(c, &bytes) ||
           obj_http_header(c, "transfer-encoding") != NULL;
}

/* At the first byte of a good answer: is there room for all of it? */
static bool make_room(struct obj_http_call *c, struct buf *out)
{
    uint64_t bytes = 0;

    c->body_begun = true;
    if (!obj_http_length(c, &bytes))
        return true;
    if (bytes <= out->max - out->len) {
        buf_reserve(out, (size_t)bytes);
        return buf_check(out, &c->a->err) == 0;
    }
    err_set(&c->a->err, ERR_CORRUPT, 0,
            "the answer has %llu bytes, more than the %zu that are expected",
            (unsigned long long)bytes, out->max - out->len);
    return false;
}

static size_t on_head(char *p, size_t size, size_t count, void *ctx)
{
    struct obj_http_call *c = ctx;
    struct span line = span_of(p, size * count);

    /* Line by line; an interim answer (100) is followed by another head. */
    c->head_done =
        span_eq(line, span_str("\r\n")) || span_eq(line, span_str("\n"));
    return line.len;
}

static size_t on_body(char *p, size_t size, size_t count, void *ctx)
{
    struct obj_http_call *c = ctx;
    const struct obj_http_request *r = c->r;
    size_t len = size * count;
    int status = status_of(c);

    if (status < 200 || status > 299 || r->out == NULL) {
        struct buf *b = r->error_body;
        size_t room = b == NULL ? 0 : b->max - b->len;
        if (room > 0)
            buf_append(b, p, len < room ? len : room);
        return len;
    }
    if (!c->body_begun && !make_room(c, r->out)) {
        c->refused = true;
        return 0;
    }
    buf_append(r->out, p, len);
    if (buf_check(r->out, &c->a->err) < 0) {
        c->refused = true;
        return 0;
    }
    return len;
}

/* Whether the running request must end, now that its token is requested. */
static bool must_end(struct obj_http_call *c)
{
    if (!cancel_requested(c->r->cancel))
        return false;
    if (c->give_up_ms == 0)
        c->give_up_ms = utc_mono_ms() + (c->r->has_body ? GRACE_MS : 0);
    return utc_mono_ms() >= c->give_up_ms;
}

static int on_progress(void *ctx, curl_off_t dltotal, curl_off_t dlnow,
                       curl_off_t ultotal, curl_off_t ulnow)
{
    struct obj_http_call *c = ctx;

    (void)dltotal;
    (void)dlnow;
    (void)ultotal;
    (void)ulnow;
    return must_end(c) ? 1 : 0;
}

static int append_header(struct curl_slist **list, const char *name,
                         const char *value)
{
    /* A token may be in it.  It has its full size at once, and is wiped; on the
     * heap, where curl's copy is as well. */
    AUTO_BUF struct buf line = buf_init(strlen(name) + strlen(value) + 2);
    struct err e;

    if (buf_reserve(&line, line.max) == NULL)
        return -1;
    buf_append_str(&line, name);
    buf_append_str(&line, value[0] == '\0' ? ":" : ": ");
    buf_append_str(&line, value);
    const char *text = buf_cstr(&line);
    struct curl_slist *longer =
        buf_check(&line, &e) == 0 ? curl_slist_append(*list, text) : NULL;
    secret_wipe(line.p, line.cap);
    if (longer == NULL)
        return -1;
    *list = longer;
    return 0;
}

static void free_headers(struct curl_slist *list)
{
    for (struct curl_slist *h = list; h != NULL; h = h->next)
        secret_wipe(h->data, strlen(h->data));
    curl_slist_free_all(list);
}

/* A value with a line break in it would be another header. */
static bool is_one_line(const char *value)
{
    return strpbrk(value, "\r\n") == NULL;
}

static struct curl_slist *make_headers(const struct obj_http_request *r,
                                       struct err *e)
{
    struct curl_slist *list = NULL;
    int bad = 0;

    for (size_t i = 0; i < r->nheaders; i++) {
        const struct obj_sigv4_pair *h = &r->headers[i];
        if (!is_one_line(h->value)) {
            free_headers(list);
            err_set(e, ERR_USAGE, 0, "header %s holds a line break", h->name);
            return NULL;
        }
        bad |= append_header(&list, h->name, h->value);
    }
    /* Without a value: not sent.  Waiting for "100 Continue" costs a round
     * trip, or a second where the server does not know it. */
    bad |= append_header(&list, "Expect", "");
    if (bad != 0) {
        free_headers(list);
        err_nomem(e);
        return NULL;
    }
    return list;
}

static void set_transport(struct obj_http_call *c, const struct obj_http *h)
{
    CURL *x = c->easy;

    curl_easy_setopt(x, CURLOPT_NOSIGNAL, 1L);
    /* Do not wait for a name server that is silent. */
    curl_easy_setopt(x, CURLOPT_QUICK_EXIT, 1L);
    /* S3 has no HTTP/2, and libcurl before 8.7 can damage its uploads. */
    curl_easy_setopt(x, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(x, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(x, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(x, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(x, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(x, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(x, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(x, CURLOPT_SSL_VERIFYHOST, 2L);
    if (h->ca_file != NULL) {
        curl_easy_setopt(x, CURLOPT_CAINFO, h->ca_file);
        curl_easy_setopt(x, CURLOPT_CAPATH, NULL);
    }
    if (h->direct)
        curl_easy_setopt(x, CURLOPT_PROXY, "");
    curl_easy_setopt(x, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(x, CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED_BYTES);
    curl_easy_setopt(x, CURLOPT_LOW_SPEED_TIME, (long)LOW_SPEED_S);
    curl_easy_setopt(x, CURLOPT_MAXAGE_CONN, (long)KEEP_S);
    curl_easy_setopt(x, CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_KEEP_S);
    curl_easy_setopt(x, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
    curl_easy_setopt(x, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
    curl_easy_setopt(x, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
    curl_easy_setopt(x, CURLOPT_USERAGENT, "objvault/" OBJVAULT_VERSION);
    curl_easy_setopt(x, CURLOPT_ERRORBUFFER, c->curl_text);
}

/* How long a request may take: by its size, and never past its deadline. */
static int64_t time_limit(const struct obj_http *h,
                          const struct obj_http_request *r, int64_t deadline)
{
    int64_t ms =
        LIMIT_BASE_MS + (int64_t)(r->expect_bytes / LIMIT_BYTES_PER_MS);

    if (h->limit_ms > 0 && ms > h->limit_ms)
        ms = h->limit_ms;
    if (deadline > 0 && ms > deadline - utc_mono_ms())
        ms = deadline - utc_mono_ms();
    return ms > 0 ? ms : 1; /* 0 would be none */
}

static void set_request(struct obj_http_call *c, const struct obj_http *h,
                        const struct obj_http_request *r,
                        struct curl_slist *headers)
{
    CURL *x = c->easy;

    curl_easy_setopt(x, CURLOPT_TIMEOUT_MS,
                     (long)time_limit(h, r, c->a->deadline));
    curl_easy_setopt(x, CURLOPT_URL, r->url);
    curl_easy_setopt(x, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(x, CURLOPT_FRESH_CONNECT,
                     c->a->fresh_connection ? 1L : 0L);
    if (strcmp(r->method, "HEAD") == 0) {
        curl_easy_setopt(x, CURLOPT_NOBODY, 1L);
    } else {
        if (r->has_body) {
            /* From memory: libcurl can begin again by itself. */
            curl_easy_setopt(x, CURLOPT_POSTFIELDSIZE_LARGE,
                             (curl_off_t)r->body.len);
            curl_easy_setopt(x, CURLOPT_POSTFIELDS,
                             r->body.len > 0 ? (const void *)r->body.p : "");
        }
        curl_easy_setopt(x, CURLOPT_CUSTOMREQUEST, r->method);
    }
    curl_easy_setopt(x, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(x, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(x, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(x, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(x, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(x, CURLOPT_XFERINFODATA, c);
    curl_easy_setopt(x, CURLOPT_NOPROGRESS, 0L);
}

/* Descriptors that become readable when the call is to end. */
static unsigned cancel_fds(const struct cancel *cancel,
                           struct curl_waitfd fds[CANCEL_DEPTH])
{
    unsigned n = 0;

    for (; cancel != NULL && n < CANCEL_DEPTH; cancel = cancel->parent) {
        if (cancel->fd >= 0)
            fds[n++] = (struct curl_waitfd){ .fd = cancel->fd,
                                             .events = CURL_WAIT_POLLIN };
    }
    return n;
}

static CURLcode transfer(struct obj_http_call *c, const struct cancel *cancel)
{
    struct curl_waitfd fds[CANCEL_DEPTH];
    unsigned nfds = cancel_fds(cancel, fds);
    CURLcode result = CURLE_FAILED_INIT;
    CURLMcode m = curl_multi_add_handle(c->multi, c->easy);
    int running = 1;

    if (m != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    while (m == CURLM_OK && running > 0) {
        if (must_end(c)) {
            curl_multi_remove_handle(c->multi, c->easy);
            return CURLE_ABORTED_BY_CALLBACK;
        }
        /* Once requested, the tokens' descriptors would end every poll. */
        bool stopping = c->give_up_ms != 0;
        m = curl_multi_perform(c->multi, &running);
        if (m == CURLM_OK && running > 0)
            m = curl_multi_poll(c->multi, fds, stopping ? 0 : nfds,
                                stopping ? GRACE_MS / 10 : POLL_MS, NULL);
    }
    int left = 0;
    for (CURLMsg *msg = curl_multi_info_read(c->multi, &left); msg != NULL;
         msg = curl_multi_info_read(c->multi, &left)) {
        if (msg->msg == CURLMSG_DONE)
            result = msg->data.result;
    }
    curl_multi_remove_handle(c->multi, c->easy);
    return m == CURLM_OK ? result : CURLE_OUT_OF_MEMORY;
}

/* What went over the wire, and whether the server may have acted on it. */
static void set_traffic(struct obj_http_call *c, bool complete, bool fresh)
{
    struct obj_attempt *a = c->a;
    curl_off_t up = 0, down = 0;
    long request_bytes = 0, connects = 0;

    curl_easy_getinfo(c->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(c->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    curl_easy_getinfo(c->easy, CURLINFO_NUM_CONNECTS, &connects);
    a->sent = up > 0 ? (uint64_t)up : 0;
    a->received = down > 0 ? (uint64_t)down : 0;
    bool all_sent =
        request_bytes > 0 && (!c->r->has_body || a->sent >= c->r->body.len);
    bool repeated = c->used && connects > 0 && !fresh;
    a->maybe_done = repeated || (!complete && all_sent);
    c->used = c->used || connects > 0;
}

static void reset_attempt(struct obj_attempt *a)
{
    a->outcome = OBJ_OK;
    a->http = 0;
    a->sent = 0;
    a->received = 0;
    a->maybe_done = false;
    a->message[0] = '\0';
}

void obj_http_perform(struct obj_http *h, struct obj_http_call *c,
                      const struct obj_http_request *r, struct obj_attempt *a)
{
    reset_attempt(a);
    c->r = r;
    c->a = a;
    c->head_done = false;
    c->body_begun = false;
    c->refused = false;
    /* What was to stop before it began does not begin. */
    c->give_up_ms = cancel_requested(r->cancel) ? utc_mono_ms() : 0;
    c->curl_text[0] = '\0';
    struct curl_slist *headers = make_headers(r, &a->err);
    if (headers == NULL) {
        a->outcome = OBJ_LOCAL;
        return;
    }
    curl_easy_reset(c->easy);
    set_transport(c, h);
    set_request(c, h, r, headers);

    CURLcode code = transfer(c, r->cancel);
    /* A status whose head was cut behind it is no answer. */
    a->http = c->head_done ? status_of(c) : 0;
    /* A server that refuses early answers, closes and resets what we still
     * send: the answer is what counts. */
    bool complete = code == CURLE_OK ||
                    (a->http >= 300 &&
                     (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
                      code == CURLE_PARTIAL_FILE));
    set_traffic(c, complete, a->fresh_connection);
    if (c->refused && !complete) {
        a->outcome = OBJ_LOCAL;
    } else if (!complete) {
        obj_http_failed(c->easy, code, c->curl_text, a);
    } else if (r->out != NULL && a->http >= 200 && a->http < 300 &&
               a->http != 204 && !has_end(c)) {
        a->outcome = OBJ_NETWORK;
        a->maybe_done = true;
        obj_http_message(a, "the answer's length is not known");
    }
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, NULL);
    free_headers(headers);
    c->r = NULL;
    c->a = NULL;
}

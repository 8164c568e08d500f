// SPDX-License-Identifier: Apache-2.0
/*
 * A POST that tells of a run.  What a URL holds besides scheme and host (a user
 * name, a path, a query) is often a key, so nothing of it is ever in an error:
 * not ours, and not the library's.
 */
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "base/utf8.h"
#include "engine/run/notify.h"
#include "engine/run/notify_impl.h"
#include "objstore/http.h"

#define ATTEMPT_MS 10000
#define FIRST_WAIT_MS 500
#define ANSWER_MAX ((size_t)4096) /* read, and not looked at */

void eng_webhook_shown(const char *url, char out[ENG_WEBHOOK_SHOWN_CHARS])
{
    const char *host = strstr(url, "://");
    size_t scheme = host != NULL ? (size_t)(host - url) : 0;

    host = host != NULL ? host + 3 : url;
    size_t n = strcspn(host, "/?#\\");
    for (size_t i = 0; i < n; i++) {
        if (host[i] == '@') {
            host += i + 1;
            n -= i + 1;
            i = (size_t)-1;
        }
    }
    snprintf(out, ENG_WEBHOOK_SHOWN_CHARS, "%.*s://%.*s",
             (int)(scheme < 8 ? scheme : 8), url, (int)(n < 128 ? n : 128),
             host);
    utf8_clean(out, false);
}

static bool is_retried(const struct obj_attempt *a)
{
    if (a->outcome == OBJ_OK)
        return a->http == 429 || a->http >= 500;
    return a->outcome == OBJ_NETWORK || a->outcome == OBJ_SLOW;
}

static bool is_taken(const struct obj_attempt *a)
{
    return a->outcome == OBJ_OK && a->http >= 200 && a->http <= 299;
}

/* What an attempt that failed means. */
static int explain(const struct obj_attempt *a, struct err *e)
{
    switch ((int)a->outcome) {
    case OBJ_OK:
        err_set(e, a->http == 401 || a->http == 403 ? ERR_DENIED : ERR_FAILED,
                0, "it answers %d", a->http);
        e->http = a->http;
        return -1;
    case OBJ_TLS:
        return err_set(e, ERR_DENIED, 0, "its certificate does not verify");
    case OBJ_SLOW:
        return err_set(e, ERR_TIMEOUT, 0, "no answer within %d s",
                       ATTEMPT_MS / 1000);
    case OBJ_NETWORK:
        return err_set(e, ERR_UNREACHABLE, 0, "it cannot be reached");
    case OBJ_STOPPED:
        return err_set(e, ERR_CANCELLED, 0, "interrupted");
    case OBJ_LOCAL:
        *e = a->err;
        return -1;
    default:
        return err_set(e, ERR_FAILED, 0, "that is no web server");
    }
}

static int attempt(struct obj_http *http, const struct obj_http_request *r,
                   struct obj_attempt *a, struct err *e)
{
    struct obj_http_call *call = obj_http_begin(http, e);

    if (call == NULL)
        return -1;
    *a = (struct obj_attempt){ .fresh_connection = true };
    obj_http_perform(http, call, r, a);
    obj_http_end(http, call);
    return 0;
}

static int post(struct obj_http *http, const struct obj_http_request *r,
                int64_t give_up_ms, struct err *e)
{
    int64_t deadline = utc_mono_ms() + give_up_ms;
    int64_t wait = FIRST_WAIT_MS;

    for (;;) {
        struct obj_attempt a;
        if (attempt(http, r, &a, e) < 0)
            return -1;
        if (is_taken(&a))
            return 0;
        if (!is_retried(&a) || utc_mono_ms() + wait > deadline)
            return explain(&a, e);
        if (cancel_sleep(r->cancel, wait, e) < 0)
            return -1;
        wait *= 2;
    }
}

int eng_webhook_post(const char *url, const char *ca_file, struct span json,
                     int64_t give_up_ms, const struct cancel *cancel,
                     struct err *e)
{
    static const struct obj_sigv4_pair headers[] = {
        { "Content-Type", "application/json" },
    };
    AUTO_BUF struct buf answer = buf_init(ANSWER_MAX);
    AUTO_OBJ_HTTP struct obj_http *http = obj_http_new(ca_file, ATTEMPT_MS, e);
    const struct obj_http_request r = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .nheaders = 1,
        .body = json,
        .has_body = true,
        .expect_bytes = json.len,
        .error_body = &answer,
        .cancel = cancel,
    };
    char shown[ENG_WEBHOOK_SHOWN_CHARS];

    if (http != NULL && post(http, &r, give_up_ms, e) == 0)
        return 0;
    eng_webhook_shown(url, shown);
    return err_ctx(e, "webhook %s", shown);
}

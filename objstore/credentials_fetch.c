// SPDX-License-Identifier: Apache-2.0
/*
 * Requests to those who give out keys.  They are not part of the retry layer,
 * which is about one store: here a few quick attempts must do, and an early
 * refresh leaves minutes for more.
 */
#include "base/cancel.h"
#include "objstore/credentials_source.h"

#define TRIES 3
#define PAUSE_MS 100

static int failure(const struct obj_attempt *a, struct err *e)
{
    if (a->outcome == OBJ_STOPPED)
        return err_set(e, ERR_CANCELLED, 0, "interrupted");
    if (a->outcome == OBJ_LOCAL) {
        *e = a->err;
        if (e->kind == ERR_CORRUPT)
            e->kind = ERR_DENIED; /* larger than anything that makes sense */
        return -1;
    }
    enum err_kind kind = a->outcome == OBJ_TLS    ? ERR_DENIED
                         : a->outcome == OBJ_SLOW ? ERR_TIMEOUT
                                                  : ERR_UNREACHABLE;
    return err_set(e, kind, 0, "%s", a->message);
}

static bool is_busy(int status)
{
    return status == 429 || status >= 500;
}

int obj_credentials_fetch(struct obj_http *http,
                          const struct obj_http_request *r, int *status,
                          struct err *e)
{
    struct obj_http_call *call = obj_http_begin(http, e);

    if (call == NULL)
        return -1;
    int result = 0;
    for (int i = 0; i < TRIES; i++) {
        struct obj_attempt a = { 0 };
        if (i > 0 && cancel_sleep(r->cancel, (int64_t)PAUSE_MS << i, e) < 0) {
            result = -1;
            break;
        }
        if (r->error_body != NULL)
            buf_reset(r->error_body);
        obj_http_perform(http, call, r, &a);
        *status = a.http;
        result = a.outcome == OBJ_OK ? 0 : failure(&a, e);
        if (result < 0 || !is_busy(a.http))
            break;
    }
    obj_http_end(http, call);
    return result;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Front end of probe.h.  A refusal is what a probe wants to hear: it settles
 * the call here, before the retry layer would correct the clock or the region,
 * or send the body again.
 */
#include "objstore/probe.h"

#include "objstore/key.h"
#include "objstore/retry.h"

/* So often in a row a server breaks down over a wrong request, and that is its
 * way to refuse it.  Once might be chance. */
#define BREAKS 3

struct question {
    const struct obj_req *req;
    struct span body;
    const struct obj_probe *how; /* NULL: unlock */
    enum obj_probe_answer answer;
    unsigned broke; /* answers 500 to a request that is wrong on purpose */
};

/* True where the outcome is an answer to the question. */
static bool settles(enum obj_outcome o, enum obj_probe_answer *answer)
{
    switch (o) {
    case OBJ_OK:
        *answer = OBJ_PROBE_TAKEN;
        return true;
    case OBJ_FORBIDDEN:
        *answer = OBJ_PROBE_FORBIDDEN;
        return true;
    case OBJ_UNABLE:
        *answer = OBJ_PROBE_UNABLE;
        return true;
    case OBJ_THERE:
    case OBJ_PRECOND:
    case OBJ_AUTH:
    case OBJ_WORM:
    case OBJ_DIGEST:
    case OBJ_CLOCK:
    case OBJ_REGION:
    case OBJ_REJECTED:
        *answer = OBJ_PROBE_REFUSED;
        return true;
    case OBJ_ABSENT:
    case OBJ_NO_BUCKET:
    case OBJ_CONFLICT:
    case OBJ_UNREADABLE:
    case OBJ_THROTTLE:
    case OBJ_UNAVAIL:
    case OBJ_NETWORK:
    case OBJ_SLOW:
    case OBJ_TLS:
    case OBJ_NO_SPACE:
    case OBJ_STOPPED:
    case OBJ_LOCAL:
        return false;
    }
    return false;
}

static bool is_wrong(const struct obj_probe *how)
{
    return how != NULL &&
           (how->wrong || how->signed_ago_s != 0 || how->region != NULL);
}

static void attempt(struct obj_store *s, void *ctx, struct obj_attempt *a)
{
    struct question *q = ctx;

    if (q->how != NULL && s->driver->probe_put != NULL)
        s->driver->probe_put(s->self, q->req, q->body, q->how, a);
    else if (q->how == NULL && s->driver->probe_unlock != NULL)
        s->driver->probe_unlock(s->self, q->req, a);
    else
        a->outcome = OBJ_UNABLE;
    if (settles(a->outcome, &q->answer)) {
        a->outcome = OBJ_OK;
    } else if (is_wrong(q->how) && a->http == 500 && ++q->broke == BREAKS) {
        q->answer = OBJ_PROBE_REFUSED;
        a->outcome = OBJ_OK;
    }
}

static int ask(struct obj_store *s, const struct obj_req *req, struct span body,
               const struct obj_probe *how, enum obj_probe_answer *answer,
               struct err *e)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req whole = *req;
    struct question q = { .req = &whole, .body = body, .how = how };
    struct obj_call c = {
        .verb = how != NULL ? OBJ_PUT : OBJ_RETENTION,
        .what = "probe",
        .key = req->key,
        .req = &whole,
        .up_bytes = body.len,
        .attempt = attempt,
        .ctx = &q,
    };

    whole.key = key;
    if (obj_key_join(s->prefix, req->key, key, e) < 0 ||
        obj_retry_run(s, &c, e) < 0)
        return -1;
    *answer = q.answer;
    return 0;
}

int obj_probe_put(struct obj_store *s, const struct obj_req *req,
                  struct span body, const struct obj_probe *how,
                  enum obj_probe_answer *answer, struct err *e)
{
    return ask(s, req, body, how, answer, e);
}

int obj_probe_unlock(struct obj_store *s, const struct obj_req *req,
                     enum obj_probe_answer *answer, struct err *e)
{
    return ask(s, req, span_of(NULL, 0), NULL, answer, e);
}

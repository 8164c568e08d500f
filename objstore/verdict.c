// SPDX-License-Identifier: Apache-2.0
/*
 * From the last attempt of a failed call to what people read and code branches
 * on: one line that names the object, says what the server said, how often it
 * was asked, and what to do about it.
 */
#include "objstore/retry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utc.h"

/* Failures that lasted so long are told with the time when they began. */
#define SINCE_S 60

struct verdict {
    enum err_kind kind;
    const char *plain; /* where the server gave no code and no message */
    const char *hint;  /* NULL: none */
};

static struct verdict verdict_of_refusal(const struct obj_attempt *a)
{
    if (strcmp(a->code, "InvalidAccessKeyId") == 0)
        return (struct verdict){ ERR_DENIED, "access key refused",
                                 "the server does not know this access key" };
    if (strcmp(a->code, "SignatureDoesNotMatch") == 0)
        return (struct verdict){ ERR_DENIED, "signature refused",
                                 "the secret key does not belong to the "
                                 "access key" };
    if (strcmp(a->code, "ExpiredToken") == 0)
        return (struct verdict){ ERR_DENIED, "session token expired",
                                 "get new temporary credentials" };
    return (struct verdict){ ERR_DENIED, "credentials refused",
                             "check access key, secret key and token" };
}

/* A range behind an object's end: the object is shorter than it was. */
static struct verdict verdict_of_rejection(const struct obj_attempt *a)
{
    if (a->http == 416 || strcmp(a->code, "InvalidRange") == 0)
        return (struct verdict){ ERR_CORRUPT, "shorter than the range asked",
                                 "the object is truncated" };
    return (struct verdict){ ERR_FAILED, "request rejected", NULL };
}

/* What the server says for good about the object or the bucket. */
static struct verdict verdict_of_state(const struct obj_attempt *a)
{
    switch ((int)a->outcome) {
    case OBJ_ABSENT:
        return (struct verdict){ ERR_NOTFOUND, "no such object", NULL };
    case OBJ_NO_BUCKET:
        return (struct verdict){ ERR_NOTFOUND, "no such bucket or directory",
                                 "create it, or check its name" };
    case OBJ_THERE:
        return (struct verdict){ ERR_EXISTS, "there already", NULL };
    case OBJ_CONFLICT:
        return (struct verdict){ ERR_BUSY, "another request was under way",
                                 NULL };
    case OBJ_PRECOND:
        return (struct verdict){ ERR_PRECONDITION, "condition does not hold",
                                 NULL };
    case OBJ_WORM:
        return (struct verdict){ ERR_LOCKED, "locked by retention or a hold",
                                 NULL };
    case OBJ_NO_SPACE:
        return (struct verdict){ ERR_FULL, "no space left",
                                 "free space, or raise the quota" };
    case OBJ_UNABLE:
        return (struct verdict){ ERR_UNSUPPORTED, "the storage cannot do this",
                                 NULL };
    case OBJ_REJECTED:
        return verdict_of_rejection(a);
    default:
        return (struct verdict){ ERR_INTERNAL, "unknown outcome", NULL };
    }
}

static struct verdict verdict_of(const struct obj_attempt *a)
{
    switch ((int)a->outcome) {
    case OBJ_AUTH:
        return verdict_of_refusal(a);
    case OBJ_FORBIDDEN:
        return (struct verdict){ ERR_DENIED, "not allowed",
                                 "the rights of these credentials do not "
                                 "cover it" };
    case OBJ_DIGEST:
        return (struct verdict){ ERR_CORRUPT, "damaged on the way",
                                 "check network and memory" };
    case OBJ_UNREADABLE:
        return (struct verdict){ ERR_CORRUPT, "the storage cannot read it",
                                 "the object is damaged there" };
    case OBJ_THROTTLE:
        return (struct verdict){ ERR_THROTTLED, "throttled",
                                 "the server is overloaded, or limits this "
                                 "client" };
    case OBJ_UNAVAIL:
        return (struct verdict){ ERR_UNREACHABLE, "server error", NULL };
    case OBJ_NETWORK:
        return (struct verdict){ ERR_UNREACHABLE, "network failure",
                                 "check endpoint and network" };
    case OBJ_SLOW:
        return (struct verdict){ ERR_TIMEOUT, "too slow", "check the network" };
    case OBJ_TLS:
        return (struct verdict){ ERR_DENIED, "certificate not trusted",
                                 "give the authority's certificate (ca), or "
                                 "use the name in the certificate" };
    case OBJ_CLOCK:
        return (struct verdict){ ERR_DENIED, "clocks differ too much",
                                 "set this machine's clock" };
    case OBJ_REGION:
        return (struct verdict){ ERR_CONFIG, "bucket is in another region",
                                 "set the region" };
    case OBJ_STOPPED:
        return (struct verdict){ ERR_CANCELLED, "interrupted", NULL };
    default:
        return verdict_of_state(a);
    }
}

/* A text that grows in a buffer of fixed size, and is cut at its end. */
struct text {
    char *at;
    size_t left; /* NUL included */
};

static void add(struct text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(t->at, t->left, fmt, ap);
    va_end(ap);
    if (n <= 0)
        return;
    size_t used = (size_t)n < t->left ? (size_t)n : t->left - 1;
    t->at += used;
    t->left -= used;
}

void obj_verdict_label(const struct obj_attempt *a, char *out, size_t cap)
{
    struct text t = { out, cap };

    out[0] = '\0';
    if (a->outcome == OBJ_OK) {
        add(&t, "ok");
        return;
    }
    if (a->http != 0)
        add(&t, "%d ", a->http);
    if (a->code[0] != '\0' && a->message[0] != '\0')
        add(&t, "%s (%s)", a->code, a->message);
    else if (a->code[0] != '\0' || a->message[0] != '\0')
        add(&t, "%s%s", a->code, a->message);
    else
        add(&t, "%s", verdict_of(a).plain);
}

void obj_verdict_subject(const struct obj_call *c, char *out, size_t cap)
{
    const char *key = c->key;

    if (key[0] == '\0')
        key = c->verb == OBJ_BUCKET ? "the bucket" : "all objects";
    if (c->verb == OBJ_PUT)
        snprintf(out, cap, "%s %s (%llu bytes)", c->what, key,
                 (unsigned long long)c->up_bytes);
    else
        snprintf(out, cap, "%s %s", c->what, key);
}

/* ", 5 attempts over 3 s (before: ...), request id X"; a long time is also told
 * by its beginning, which is what one looks up in other logs. */
static void add_history(const struct obj_call *c, char *out, size_t cap)
{
    struct text t = { out, cap };
    char last[sizeof c->earlier.text];
    char since[UTC_ISO_CHARS];
    int64_t took_s = (utc_mono_ms() - c->started + 500) / 1000;

    out[0] = '\0';
    obj_verdict_label(&c->last, last, sizeof last);
    if (c->tries > 1)
        add(&t, ", %u attempts over %lld s", c->tries, (long long)took_s);
    if (c->tries > 1 && took_s >= SINCE_S) {
        utc_format_iso(utc_real_now() - took_s, since);
        add(&t, ", since %s", since);
    }
    if (c->earlier.n > 0 && strcmp(c->earlier.text, last) != 0)
        add(&t, " (before: %s)", c->earlier.text);
    if (c->last.request_id[0] != '\0')
        add(&t, ", request id %s", c->last.request_id);
}

int obj_verdict(const struct obj_store *s, const struct obj_call *c,
                struct err *e)
{
    const struct obj_attempt *a = &c->last;
    struct verdict v = verdict_of(a);
    char subject[256];
    char label[256];
    char history[400];

    obj_verdict_subject(c, subject, sizeof subject);
    add_history(c, history, sizeof history);
    if (a->outcome == OBJ_LOCAL) {
        *e = a->err;
        if (history[0] != '\0')
            err_hint(e, "%s", history + 2); /* without its comma */
        return err_ctx(e, "%s", subject);
    }
    obj_verdict_label(a, label, sizeof label);
    err_set(e, v.kind, a->sys, "%s: %s%s", subject, label, history);
    e->http = a->http;
    if (a->outcome == OBJ_REGION && a->region[0] != '\0')
        err_hint(e, "set the region to %s", a->region);
    else if (v.hint != NULL)
        err_hint(e, "%s", v.hint);
    if (v.kind == ERR_UNREACHABLE || a->outcome == OBJ_NO_BUCKET ||
        a->outcome == OBJ_TLS)
        err_hint(e, "storage: %s", s->name);
    if (c->maybe_done && c->verb == OBJ_PUT && v.kind != ERR_EXISTS)
        err_hint(e, "it may have been stored all the same");
    return -1;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * One attempt at one server: a connection, the version of KMIP, the request,
 * and what its answer means for the next step.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utc.h"
#include "kms/kms_impl.h"

/* Connections are short-lived.  One that was silent longer than this is not
 * used again: servers and firewalls forget them. */
#define KEEP_MS 10000
#define WARN_DAYS 30

/* The attempt that is running. */
struct attempt {
    struct kms *k;
    struct kms_server *server;
    const struct kms_limits *l; /* its own: at most the configured time */
};

static int in_context(const struct kms_server *s, struct err *e)
{
    bool six = strchr(s->host, ':') != NULL;

    return err_ctx(e, "%s%s%s:%u", six ? "[" : "", s->host, six ? "]" : "",
                   (unsigned)s->port);
}

void kms_drop_channel(struct kms *k)
{
    kms_channel_close(k->channel);
    k->channel = NULL;
}

static enum kms_step step_of_fault(enum kms_fault fault)
{
    switch (fault) {
    case KMS_FAULT_LINE:
        return KMS_STEP_NEXT;
    case KMS_FAULT_IDENTITY:
    case KMS_FAULT_TLS:
    case KMS_FAULT_GARBAGE:
        return KMS_STEP_SKIP;
    case KMS_FAULT_REFUSED:
    case KMS_FAULT_LOCAL:
    case KMS_FAULT_NONE:
        break;
    }
    return KMS_STEP_STOP;
}

static void log_failure(const struct attempt *t, enum kms_fault fault,
                        const struct err *e)
{
    /* Where another server may answer, nobody else says it. */
    if (fault == KMS_FAULT_IDENTITY && t->k->n > 1)
        log_warn("kms", "key server %s at %s:%u is not who it should be: %s",
                 t->k->name, t->server->host, (unsigned)t->server->port,
                 e->msg);
    else
        log_debug("kms", "%s:%u: %s", t->server->host,
                  (unsigned)t->server->port, e->msg);
}

/* Gives up the connection, and says what the fault means. */
static enum kms_step failed(const struct attempt *t, enum kms_fault fault,
                            struct err *e)
{
    kms_drop_channel(t->k);
    log_failure(t, fault, e);
    /* A server that is too slow is one that cannot be reached. */
    if (fault == KMS_FAULT_LINE)
        e->kind = ERR_UNREACHABLE;
    return step_of_fault(fault);
}

static void warn_of(const char *whose, const X509 *certificate,
                    const struct attempt *t)
{
    int days = kms_tls_days_left(certificate);

    if (days >= WARN_DAYS)
        return;
    t->k->warned = true;
    log_warn("kms", "key server %s: %s certificate (at %s:%u) ends in %d days",
             t->k->name, whose, t->server->host, (unsigned)t->server->port,
             days);
}

static enum kms_step connect_now(const struct attempt *t, struct err *e)
{
    struct kms *k = t->k;
    enum kms_fault fault = KMS_FAULT_NONE;

    kms_drop_channel(k);
    k->channel = kms_channel_open(
        k->tls,
        (struct kms_endpoint){ .host = t->server->host,
                               .port = t->server->port },
        utc_mono_ms() + k->connect_ms, t->l->deadline, t->l->cancel, &fault, e);
    if (k->channel == NULL)
        return failed(t, fault, e);
    k->channel_to = (size_t)(t->server - k->servers);
    if (!k->warned) {
        warn_of("our", kms_tls_certificate(k->tls), t);
        warn_of("the server's", kms_channel_certificate(k->channel), t);
    }
    return KMS_STEP_DONE;
}

/* One line for each operation: never what it carried. */
static void log_results(const struct attempt *t, const struct kmip_request *q,
                        const struct kmip_result *results)
{
    for (size_t i = 0; i < q->count && log_enabled(LOG_DEBUG); i++) {
        const struct kmip_result *r = &results[i];
        const char *uid = q->items[i].uid;
        if (!r->answered)
            continue;
        log_debug("kms",
                  "%s:%u: KMIP %d.%d %s %s: status %u, %s, \"%s\", "
                  "%lld ms",
                  t->server->host, (unsigned)t->server->port, q->version.major,
                  q->version.minor, kmip_operation_name((uint32_t)r->op),
                  uid != NULL ? uid : r->uid, r->status,
                  r->status == KMIP_SUCCESS ? "done"
                                            : kmip_reason_name(r->reason),
                  r->message, (long long)t->k->round_trip_ms);
    }
}

/* A request and its answer, on the open connection.  0: answered, perhaps by a
 * refusal. */
static int exchange(const struct attempt *t, const struct kmip_request *q,
                    struct kms_answer *a, bool *sent, enum kms_fault *fault,
                    struct err *e)
{
    struct kms *k = t->k;
    AUTO_SECRET_BUF struct buf out = secret_buf(KMIP_REQUEST_MAX);
    int64_t began = utc_mono_ms();

    *sent = false;
    *fault = KMS_FAULT_LOCAL;
    if (kmip_encode(q, &out, e) < 0)
        return -1;
    if (kms_channel_exchange(k->channel, buf_span(&out),
                             (size_t)q->max_response, t->l->deadline,
                             t->l->cancel, &a->message, sent, fault, e) < 0)
        return -1;
    k->channel_used = utc_mono_ms();
    k->round_trip_ms = k->channel_used - began;
    *fault = KMS_FAULT_LOCAL;
    if (kmip_decode(q, buf_span(&a->message), a->results, e) < 0)
        return -1;
    *fault = KMS_FAULT_NONE;
    log_results(t, q, a->results);
    return 0;
}

static struct kmip_request request_of(const struct attempt *t,
                                      const struct kms_ask *ask)
{
    const struct kms *k = t->k;

    return (struct kmip_request){
        .version = t->server->version,
        .max_response = (int32_t)ask->max,
        .username = k->username,
        .password =
            k->password != NULL ? secret_span(k->password) : span_of(NULL, 0),
        .items = ask->items,
        .count = ask->count,
    };
}

/* --- what a refusal means --- */

static bool is_about_the_version(const struct kmip_result *r)
{
    return r->reason == KMIP_INVALID_MESSAGE ||
           r->reason == KMIP_UNSUPPORTED_VERSION ||
           r->reason == KMIP_OPERATION_NOT_SUPPORTED ||
           r->reason == KMIP_FEATURE_NOT_SUPPORTED ||
           r->reason == KMIP_INVALID_FIELD;
}

static enum kms_step step_of_reason(const struct kmip_result *r, bool changes)
{
    if (r->status != KMIP_FAILED)
        return KMS_STEP_STOP;
    switch (r->reason) {
    case KMIP_ITEM_NOT_FOUND:
    case KMIP_OBJECT_DESTROYED:
    case KMIP_OBJECT_NOT_FOUND:
        return KMS_STEP_MISSING;
    case KMIP_GENERAL_FAILURE:
    case KMIP_INTERNAL_SERVER_ERROR:
    case KMIP_SERVER_LIMIT_EXCEEDED:
        return changes ? KMS_STEP_STOP : KMS_STEP_BUSY;
    default:
        return KMS_STEP_STOP;
    }
}

/* --- the version --- */

/* Newest first: the best that both sides know is used. */
static const struct kmip_version known[] = { { 2, 0 }, { 1, 4 }, { 1, 2 } };
/* Which a server is asked in: 1.4 is what most know. */
static const struct kmip_version asked_in[] = { { 1, 4 }, { 1, 2 }, { 2, 0 } };
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool same_version(struct kmip_version a, struct kmip_version b)
{
    return a.major == b.major && a.minor == b.minor;
}

static enum kms_step choose_version(const struct attempt *t,
                                    const struct kmip_result *r,
                                    struct kmip_version asked, struct err *e)
{
    if (r->version_count == 0) {
        /* It says nothing, but understood the question. */
        t->server->version = asked;
        return KMS_STEP_DONE;
    }
    for (size_t i = 0; i < COUNT(known); i++) {
        for (size_t j = 0; j < r->version_count; j++) {
            if (same_version(known[i], r->versions[j])) {
                t->server->version = known[i];
                return KMS_STEP_DONE;
            }
        }
    }
    err_set(e, ERR_UNSUPPORTED, 0,
            "the server knows KMIP %d.%d and the like, not 2.0, 1.4 or 1.2",
            r->versions[0].major, r->versions[0].minor);
    return KMS_STEP_SKIP;
}

/* Asks in one version.  *asked_again: not this one, perhaps another. */
static enum kms_step discover_in(const struct attempt *t,
                                 struct kmip_version version, bool *another,
                                 struct err *e)
{
    const struct kms_ask ask = {
        .items = { { .op = KMIP_DISCOVER_VERSIONS } },
        .count = 1,
        .max = KMS_REPLY_MAX,
    };
    struct kmip_request q = request_of(t, &ask);
    enum kms_fault fault = KMS_FAULT_NONE;
    AUTO_ANSWER struct kms_answer a = { 0 };
    bool sent = false;

    *another = false;
    q.version = version;
    if (exchange(t, &q, &a, &sent, &fault, e) < 0)
        return failed(t, fault, e);
    const struct kmip_result *r = &a.results[0];
    if (kmip_result_check(r, e) == 0)
        return choose_version(t, r, version, e);
    if (r->reason == KMIP_OPERATION_NOT_SUPPORTED &&
        same_version(r->spoken, version)) {
        /* It speaks the version, and does not know this question. */
        t->server->version = version;
        return KMS_STEP_DONE;
    }
    *another = is_about_the_version(r);
    return *another ? KMS_STEP_SKIP : step_of_reason(r, false);
}

static enum kms_step discover(const struct attempt *t, struct err *e)
{
    enum kms_step step = KMS_STEP_STOP;
    bool another = true;

    for (size_t i = 0; i < COUNT(asked_in) && another; i++) {
        /* Who does not understand may have closed. */
        if (i > 0) {
            step = connect_now(t, e);
            if (step != KMS_STEP_DONE)
                return step;
        }
        step = discover_in(t, asked_in[i], &another, e);
    }
    return step;
}

/* --- the answer --- */

static enum kms_step judge(const struct kms_ask *ask,
                           const struct kms_answer *a, struct err *e)
{
    for (size_t i = 0; i < ask->count; i++) {
        if (kmip_result_check(&a->results[i], e) < 0)
            return step_of_reason(&a->results[i], ask->changes);
    }
    return KMS_STEP_DONE;
}

static bool can_reuse(const struct attempt *t)
{
    struct kms *k = t->k;

    return k->channel != NULL &&
           k->channel_to == (size_t)(t->server - k->servers) &&
           utc_mono_ms() - k->channel_used < KEEP_MS &&
           kms_channel_idle(k->channel);
}

/* A connection whose server's version is known.  *kept: something went over it
 * already, after which there are servers that close. */
static enum kms_step prepare(const struct attempt *t, const struct kms_ask *ask,
                             bool reuse, bool *kept, struct err *e)
{
    enum kms_step step = reuse ? KMS_STEP_DONE : connect_now(t, e);

    *kept = reuse;
    if (step != KMS_STEP_DONE || t->server->version.major != 0)
        return step;
    step = discover(t, e);
    if (step != KMS_STEP_DONE)
        return step;
    *kept = !ask->changes;
    return ask->changes ? connect_now(t, e) : step;
}

/* *stale: nothing is wrong but the connection, perhaps. */
static enum kms_step ask_on(const struct attempt *t, const struct kms_ask *ask,
                            bool reuse, struct kms_answer *a, bool *stale,
                            struct err *e)
{
    enum kms_fault fault = KMS_FAULT_NONE;
    bool sent = false, kept = false;
    enum kms_step step = prepare(t, ask, reuse, &kept, e);

    *stale = false;
    if (step != KMS_STEP_DONE)
        return step;

    struct kmip_request q = request_of(t, ask);
    if (exchange(t, &q, a, &sent, &fault, e) == 0)
        return judge(ask, a, e);
    /* A server that refuses our certificate has read nothing. */
    a->unclear = ask->changes && sent && fault != KMS_FAULT_REFUSED;
    /* What lay on a kept line may be of another request. */
    *stale = kept && (fault == KMS_FAULT_LINE || fault == KMS_FAULT_GARBAGE);
    step = failed(t, fault, e);
    return a->unclear ? KMS_STEP_STOP : step;
}

enum kms_step kms_server_ask(struct kms *k, size_t server,
                             const struct kms_ask *ask,
                             const struct kms_limits *l, struct kms_answer *a,
                             struct err *e)
{
    int64_t end = utc_mono_ms() + k->attempt_ms;
    const struct kms_limits own = {
        .deadline = end < l->deadline ? end : l->deadline,
        .cancel = l->cancel,
    };
    const struct attempt t = { .k = k,
                               .server = &k->servers[server],
                               .l = &own };
    bool stale = false;

    a->unclear = false;
    bool reuse = !ask->changes && can_reuse(&t);
    enum kms_step step = ask_on(&t, ask, reuse, a, &stale, e);
    if (stale)
        step = ask_on(&t, ask, false, a, &stale, e);
    if (step != KMS_STEP_DONE)
        in_context(t.server, e);
    return step;
}

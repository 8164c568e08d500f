// SPDX-License-Identifier: Apache-2.0
/*
 * Opening a key server's configuration, and testing that one of its servers
 * can be spoken to.
 */
#include "kms/kms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "base/utf8.h"
#include "kms/kms_impl.h"

#define CONNECT_MS 3000
#define ATTEMPT_MS 10000
#define DEADLINE_MS 60000

struct kms_config kms_config_init(void)
{
    return (struct kms_config){
        .connect_ms = CONNECT_MS,
        .attempt_ms = ATTEMPT_MS,
        .deadline_ms = DEADLINE_MS,
    };
}

static struct kmip_version pinned(enum kms_version v)
{
    switch (v) {
    case KMS_VERSION_1_2:
        return (struct kmip_version){ 1, 2 };
    case KMS_VERSION_1_4:
        return (struct kmip_version){ 1, 4 };
    case KMS_VERSION_2_0:
        return (struct kmip_version){ 2, 0 };
    case KMS_VERSION_AUTO:
        break;
    }
    return (struct kmip_version){ 0, 0 };
}

static int check_config(const struct kms_config *c, struct err *e)
{
    if (c->nservers == 0 || c->nservers > KMS_SERVERS_MAX)
        return err_set(e, ERR_CONFIG, 0, "needs 1 to %d servers",
                       KMS_SERVERS_MAX);
    for (size_t i = 0; i < c->nservers; i++) {
        if (c->servers[i].host[0] == '\0' || c->servers[i].port == 0)
            return err_set(e, ERR_CONFIG, 0,
                           "server %zu needs a host and a port", i + 1);
    }
    if (c->mode == KMS_MODE_REMOTE && c->version == KMS_VERSION_1_2)
        return err_set(e, ERR_CONFIG, 0,
                       "mode remote needs KMIP 1.4 or newer, not 1.2");
    if (c->connect_ms <= 0 || c->attempt_ms <= 0 || c->deadline_ms <= 0)
        return err_set(e, ERR_CONFIG, 0, "times must be above zero");
    return 0;
}

static int copy_servers(struct kms *k, const struct kms_config *c,
                        struct err *e)
{
    k->servers = calloc(c->nservers, sizeof *k->servers);
    if (k->servers == NULL)
        return err_nomem(e);
    for (k->n = 0; k->n < c->nservers; k->n++) {
        struct kms_server *s = &k->servers[k->n];
        s->host = strdup(c->servers[k->n].host);
        if (s->host == NULL)
            return err_nomem(e);
        s->port = c->servers[k->n].port;
        s->version = pinned(c->version);
    }
    return 0;
}

static int fill(struct kms *k, const struct kms_config *c, struct err *e)
{
    k->mode = c->mode;
    k->connect_ms = c->connect_ms;
    k->attempt_ms = c->attempt_ms;
    k->deadline_ms = c->deadline_ms;
    k->one_copy_is_enough = c->one_copy_is_enough;
    if (copy_servers(k, c, e) < 0)
        return -1;
    k->tls = kms_tls_new(&c->tls, e);
    if (k->tls == NULL)
        return -1;
    if (c->username == NULL)
        return 0;
    k->username = strdup(c->username);
    if (k->username == NULL)
        return err_nomem(e);
    k->password = secret_new(c->password, e);
    return k->password == NULL ? -1 : 0;
}

struct kms *kms_open(const struct kms_config *c, struct err *e)
{
    struct kms *k = calloc(1, sizeof *k);

    if (k != NULL)
        k->name = strdup(c->name);
    if (k == NULL || k->name == NULL) {
        free(k);
        err_nomem(e);
        return NULL;
    }
    if (check_config(c, e) < 0 || fill(k, c, e) < 0) {
        err_ctx(e, "key server %s", k->name);
        kms_close(k);
        return NULL;
    }
    return k;
}

void kms_close(struct kms *k)
{
    if (k == NULL)
        return;
    kms_drop_channel(k);
    for (size_t i = 0; i < k->n; i++)
        free(k->servers[i].host);
    free(k->servers);
    kms_tls_free(k->tls);
    free(k->username);
    secret_free(k->password);
    free(k->name);
    free(k);
}

size_t kms_servers(const struct kms *k)
{
    return k->n;
}

static void copy_subject(const X509 *certificate, char out[KMS_TEXT_CHARS])
{
    char text[4 * KMS_TEXT_CHARS] = "";

    X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof text);
    utf8_clean(text, false);
    utf8_copy(out, KMS_TEXT_CHARS, text);
}

/* Query tells who the server is, and servers may keep that from clients. */
static bool hides_itself(const struct kmip_result *r)
{
    return r->answered && r->status == KMIP_FAILED &&
           (r->reason == KMIP_OPERATION_NOT_SUPPORTED ||
            r->reason == KMIP_FEATURE_NOT_SUPPORTED ||
            r->reason == KMIP_PERMISSION_DENIED);
}

/* Then a search for what is not there shows as well that it answers us. */
static int ask_anything(struct kms *k, const struct kms_limits *l,
                        struct kms_answer *a, struct err *e)
{
    struct kms_ask ask = {
        .items = { { .op = KMIP_QUERY,
                     .functions = 1u << KMIP_QUERY_SERVER_INFORMATION } },
        .count = 1,
        .max = KMS_LONG_REPLY_MAX,
        .only_one = true,
    };

    if (kms_call(k, &ask, l, a, e) == 0)
        return 0;
    if (!hides_itself(&a->results[0]))
        return -1;
    kms_answer_free(a);
    ask.items[0] = (struct kmip_item){
        .op = KMIP_LOCATE,
        .attrs = { .has = KMIP_ATTR_OBJECT_TYPE | KMIP_ATTR_NAME,
                   .object_type = KMIP_SYMMETRIC_KEY,
                   .names = { span_str("objvault-test") },
                   .name_count = 1 },
        .max_items = 1,
    };
    return kms_call(k, &ask, l, a, e);
}

/* What the configuration wants of the server, its version allows. */
static int check_mode(const struct kms *k, const struct kms_server *s,
                      struct err *e)
{
    struct kmip_version v = s->version;

    if (k->mode != KMS_MODE_REMOTE || v.major > 1 || v.minor >= 4)
        return 0;
    return err_set(e, ERR_UNSUPPORTED, 0,
                   "key server %s: mode remote needs KMIP 1.4 or newer, and "
                   "%s:%u speaks %d.%d",
                   k->name, s->host, (unsigned)s->port, v.major, v.minor);
}

int kms_test(struct kms *k, size_t server, const struct cancel *cancel,
             struct kms_report *report, struct err *e)
{
    struct kms_limits l = kms_limits(k, cancel);
    AUTO_ANSWER struct kms_answer a = { 0 };

    if (server >= k->n)
        return err_set(e, ERR_INTERNAL, 0, "no server %zu", server);
    k->first = server;
    kms_drop_channel(k); /* what is tested is the whole way */
    const struct kms_server *s = &k->servers[server];
    if (ask_anything(k, &l, &a, e) < 0 || check_mode(k, s, e) < 0)
        return -1;

    const X509 *theirs = kms_channel_certificate(k->channel);
    const X509 *ours = kms_tls_certificate(k->tls);
    *report = (struct kms_report){
        .version = s->version,
        .server_days_left = kms_tls_days_left(theirs),
        .client_days_left = kms_tls_days_left(ours),
        .round_trip_ms = k->round_trip_ms,
    };
    (void)snprintf(report->server, sizeof report->server, "%s:%u", s->host,
                   (unsigned)s->port);
    (void)snprintf(report->protocol, sizeof report->protocol, "%s",
                   kms_channel_protocol(k->channel));
    utf8_copy(report->vendor, sizeof report->vendor, a.results[0].vendor);
    copy_subject(theirs, report->identity);
    copy_subject(ours, report->subject);
    return 0;
}

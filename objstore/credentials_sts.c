// SPDX-License-Identifier: Apache-2.0
/*
 * Takes on roles: one POST to AWS's Security Token Service, or to a server that
 * speaks its language, and the keys out of its XML answer.
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/utc.h"
#include "base/xml_walk.h"
#include "objstore/credentials_source.h"
#include "objstore/sigv4.h"
#include "objstore/xml.h"
#include "objstore/xml_answer.h"

#define BODY_MAX (128u << 10)
#define HEADER_MAX (64u << 10)
#define LIMIT_MS 10000
#define CONTENT_TYPE "application/x-www-form-urlencoded; charset=utf-8"

/* What is read while walking through an answer. */
struct reader {
    const char *root;
    char prefix[128]; /* of the paths of keys */
    struct obj_credentials *out;
};

static int set_secret(struct secret **at, const char *text, const char *what,
                      size_t max, struct err *e)
{
    size_t len = strlen(text);

    if (len == 0 || len > max)
        return err_set(e, ERR_CORRUPT, 0, "%s of %zu bytes", what, len);
    secret_free(STEAL(*at));
    *at = secret_new(span_of(text, len), e);
    return *at == NULL ? -1 : 0;
}

static int on_element(void *ctx, const char *path, char *text, struct err *e)
{
    struct reader *r = ctx;
    size_t n = strlen(r->prefix);
    int result = 0;

    if (strncmp(path, r->prefix, n) == 0) {
        const char *name = path + n;
        if (strcmp(name, "AccessKeyId") == 0)
            result = obj_xml_set_text(&r->out->access_key, text, e);
        else if (strcmp(name, "SecretAccessKey") == 0)
            result = set_secret(&r->out->secret, text, name,
                                OBJ_CREDENTIALS_SECRET_MAX, e);
        else if (strcmp(name, "SessionToken") == 0)
            result = set_secret(&r->out->token, text, name,
                                OBJ_CREDENTIALS_TOKEN_MAX, e);
        else if (strcmp(name, "Expiration") == 0 &&
                 (!utc_parse_rfc3339(text, &r->out->expires) ||
                  r->out->expires == 0))
            result = err_set(e, ERR_CORRUPT, 0, "Expiration is no time");
        secret_wipe(text, strlen(text));
    }
    return result < 0 ? -1 : obj_xml_root(path, r->root, e);
}

int obj_credentials_decode_sts(struct span xml, const char *action,
                               struct obj_credentials *out, struct err *e)
{
    char root[64];
    struct reader r = { .root = root, .out = out };

    (void)snprintf(root, sizeof root, "%.50sResponse", action);
    (void)snprintf(r.prefix, sizeof r.prefix, "%.62s/%.30sResult/Credentials/",
                   root, action);
    int result = xml_walk(xml, NULL, on_element, &r, e);
    if (result == 0 &&
        (out->access_key == NULL || out->secret == NULL || out->token == NULL))
        result = err_set(e, ERR_DENIED, 0, "the answer holds no keys");
    if (result < 0 && e->kind == ERR_CORRUPT)
        e->kind = ERR_DENIED;
    return result;
}

static int on_error(void *ctx, const char *path, char *text, struct err *e)
{
    struct obj_xml_error *x = ctx;

    if (strcmp(path, "ErrorResponse/Error/Code") == 0)
        obj_xml_copy(x->code, sizeof x->code, text);
    else if (strcmp(path, "ErrorResponse/Error/Message") == 0)
        obj_xml_copy(x->message, sizeof x->message, text);
    return obj_xml_root(path, "ErrorResponse", e);
}

/* Why STS refused.  It may quote what it was given. */
static int refusal(struct span body, int status,
                   const struct obj_credentials_role *role, struct err *e)
{
    struct obj_xml_error x = { 0 };
    struct err ignored;

    if (xml_walk(body, NULL, on_error, &x, &ignored) < 0)
        x = (struct obj_xml_error){ 0 };
    if (role->token != NULL) {
        struct span t = secret_span(role->token);
        size_t n = t.len < 16 ? t.len : 16;
        if (memmem(x.message, strlen(x.message), t.p, n) != NULL)
            x.message[0] = '\0';
    }
    return err_set(
        e, status == 429 || status >= 500 ? ERR_UNREACHABLE : ERR_DENIED, 0,
        "HTTP %d%s%s%s%s", status, x.code[0] == '\0' ? "" : " ", x.code,
        x.message[0] == '\0' ? "" : ": ", x.message);
}

static void add_field(struct buf *body, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(body, "%s%s=", body->len > 0 ? "&" : "", name);
    obj_sigv4_encode(body, value, false);
}

static int write_body(const struct obj_credentials_role *role,
                      const char *action, struct buf *body, struct err *e)
{
    char session[40];

    (void)snprintf(session, sizeof session, "objvault-%lld",
                   (long long)utc_real_now());
    add_field(body, "Action", action);
    add_field(body, "Version", "2011-06-15");
    add_field(body, "RoleArn", role->arn);
    add_field(body, "RoleSessionName",
              role->session != NULL ? role->session : session);
    add_field(body, "DurationSeconds", role->duration);
    add_field(body, "ExternalId", role->external_id);
    if (role->token != NULL)
        add_field(body, "WebIdentityToken",
                  (const char *)secret_span(role->token).p);
    return buf_check(body, e);
}

/* A request to STS as it goes out. */
struct letter {
    char *scheme, *host, *region, *url;
    char stamp[UTC_BASIC_CHARS];
    struct obj_sigv4_pair headers[5];
    size_t n;
    struct buf body;          /* holds the web identity's token */
    struct buf authorization; /* with a signature only */
};

static void letter_fini(struct letter *l)
{
    free(l->scheme);
    free(l->host);
    free(l->region);
    free(l->url);
    buf_free(&l->body);
    buf_free(&l->authorization);
}
#define AUTO_LETTER AUTO(letter_fini)

static int set_address(struct letter *l, struct err *e)
{
    const char *endpoint = obj_credentials_endpoint("STS");
    AUTO_MEM char *own = NULL;

    l->region = obj_credentials_region(e);
    if (l->region == NULL)
        return -1;
    if (endpoint == NULL) {
        own = io_format(e, "https://sts.%s.amazonaws.com%s", l->region,
                        strncmp(l->region, "cn-", 3) == 0 ? ".cn" : "");
        if (own == NULL)
            return -1;
        endpoint = own;
    }
    if (obj_http_endpoint(endpoint, &l->scheme, &l->host, e) < 0) {
        e->kind = ERR_CONFIG;
        return -1;
    }
    l->url = io_format(e, "%s://%s/", l->scheme, l->host);
    return l->url == NULL ? -1 : 0;
}

static void add_header(struct letter *l, const char *name, const char *value)
{
    l->headers[l->n++] = (struct obj_sigv4_pair){ name, value };
}

static int sign(struct letter *l, const struct obj_credentials *by,
                struct err *e)
{
    const struct obj_sigv4_scope scope = { .time = utc_real_now(),
                                           .region = l->region,
                                           .service = "sts" };
    uint8_t digest[DIGEST_SHA256_BYTES];
    uint8_t key[OBJ_SIGV4_KEY_BYTES];
    char payload[OBJ_SIGV4_HEX_CHARS];

    if (digest_sha256(buf_span(&l->body), digest, e) < 0)
        return -1;
    digest_hex(span_of(digest, sizeof digest), payload);
    utc_format_basic(scope.time, l->stamp);
    add_header(l, "x-amz-date", l->stamp);
    if (by->token != NULL)
        add_header(l, "x-amz-security-token",
                   (const char *)secret_span(by->token).p);
    const struct obj_sigv4_request request = {
        .method = "POST",
        .path = "/",
        .query = "",
        .headers = l->headers,
        .nheaders = l->n,
        .payload = payload,
    };
    if (obj_sigv4_key(secret_span(by->secret), &scope, key, e) < 0)
        return -1;
    int r = obj_sigv4_authorization(&request, &scope, by->access_key, key,
                                    &l->authorization, e);
    secret_wipe(key, sizeof key);
    add_header(l, "Authorization", buf_cstr(&l->authorization));
    return r < 0 ? -1 : buf_check(&l->authorization, e);
}

static int write_letter(struct letter *l,
                        const struct obj_credentials_role *role,
                        const char *action, const struct obj_credentials *by,
                        struct err *e)
{
    l->body = secret_buf(BODY_MAX);
    l->authorization = secret_buf(HEADER_MAX);
    if (set_address(l, e) < 0 || write_body(role, action, &l->body, e) < 0)
        return -1;
    add_header(l, "Host", l->host);
    add_header(l, "Content-Type", CONTENT_TYPE);
    return by == NULL ? 0 : sign(l, by, e);
}

static int post(const struct letter *l, const struct obj_credentials_role *role,
                const char *action, const struct cancel *cancel,
                struct obj_credentials *out, struct err *e)
{
    AUTO_OBJ_HTTP struct obj_http *http =
        obj_http_new(obj_credentials_variable("AWS_CA_BUNDLE"), LIMIT_MS, e);
    AUTO_SECRET_BUF struct buf answer = secret_buf(OBJ_CREDENTIALS_ANSWER_MAX);
    AUTO_BUF struct buf error_body = buf_init(OBJ_HTTP_ERROR_BODY_MAX);
    const struct obj_http_request r = {
        .method = "POST",
        .url = l->url,
        .headers = l->headers,
        .nheaders = l->n,
        .body = buf_span(&l->body),
        .has_body = true,
        .out = &answer,
        .error_body = &error_body,
        .cancel = cancel,
    };
    int status = 0;

    if (http == NULL || obj_credentials_fetch(http, &r, &status, e) < 0)
        return -1;
    if (status != 200)
        return refusal(buf_span(&error_body), status, role, e);
    return obj_credentials_decode_sts(buf_span(&answer), action, out, e);
}

int obj_credentials_assume(const struct obj_credentials_role *role,
                           const struct obj_credentials *by,
                           const struct cancel *cancel,
                           struct obj_credentials *out, struct err *e)
{
    const char *action =
        by == NULL ? "AssumeRoleWithWebIdentity" : "AssumeRole";
    AUTO_LETTER struct letter l = { 0 };

    if (write_letter(&l, role, action, by, e) < 0 ||
        post(&l, role, action, cancel, out, e) < 0)
        return err_ctx(e, "%s %.150s at %s", action, role->arn,
                       l.host == NULL ? "STS" : l.host);
    return 0;
}

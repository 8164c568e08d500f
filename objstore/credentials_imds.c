// SPDX-License-Identifier: Apache-2.0
/*
 * Keys of the machine's own role, from instance metadata (IMDSv2): a token
 * first, then the role's name, then its keys.  Most machines have no such
 * service, so one second must do, and silence is no error.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/io.h"
#include "base/utf8.h"
#include "objstore/credentials_source.h"

#define LIMIT_MS 1000
#define URL_CHARS 1024
#define TTL_S "300" /* of the token: three requests */
#define ROLES "/latest/meta-data/iam/security-credentials/"

struct metadata {
    struct obj_http *http;
    const struct cancel *cancel;
    char base[256];         /* "http://169.254.169.254" */
    struct secret *session; /* the token that lets us ask */
};

static void metadata_fini(struct metadata *m)
{
    obj_http_free(m->http);
    secret_free(m->session);
}
#define AUTO_METADATA AUTO(metadata_fini)

static int set_base(struct metadata *m, struct err *e)
{
    const char *mode =
        obj_credentials_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    const char *url =
        obj_credentials_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    AUTO_MEM char *scheme = NULL;
    AUTO_MEM char *host = NULL;

    if (url == NULL)
        url = mode != NULL && strcasecmp(mode, "IPv6") == 0
                  ? "http://[fd00:ec2::254]"
                  : "http://169.254.169.254";
    if (obj_http_endpoint(url, &scheme, &host, e) < 0) {
        e->kind = ERR_CONFIG;
        return err_ctx(e, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    }
    int n = snprintf(m->base, sizeof m->base, "%s://%s", scheme, host);
    if (n < 0 || (size_t)n >= sizeof m->base)
        return err_set(e, ERR_CONFIG, 0,
                       "AWS_EC2_METADATA_SERVICE_ENDPOINT is too long");
    return 0;
}

/* One question; out gets the answer where *status is 200. */
static int ask(const struct metadata *m, const char *method, const char *path,
               struct buf *out, int *status, struct err *e)
{
    char url[URL_CHARS];
    const struct obj_sigv4_pair header =
        m->session == NULL
            ? (struct obj_sigv4_pair){ "X-aws-ec2-metadata-token-ttl-seconds",
                                       TTL_S }
            : (struct obj_sigv4_pair){
                  "X-aws-ec2-metadata-token",
                  (const char *)secret_span(m->session).p
              };
    const struct obj_http_request r = {
        .method = method,
        .url = url,
        .headers = &header,
        .nheaders = 1,
        .has_body = m->session == NULL,
        .out = out,
        .cancel = m->cancel,
    };

    int n = snprintf(url, sizeof url, "%s%s", m->base, path);
    if (n < 0 || (size_t)n >= sizeof url)
        return err_set(e, ERR_DENIED, 0, "the role's name is too long");
    if (buf_check(out, e) < 0)
        return -1;
    return obj_credentials_fetch(m->http, &r, status, e);
}

/* The first line of the list, as it stands in the URL. */
static int take_role(struct buf *list, char *role, size_t cap, struct err *e)
{
    size_t len = strcspn(buf_cstr(list), "\r\n");

    for (size_t i = 0; i < len; i++) {
        uint8_t c = list->p[i];
        if (c <= ' ' || c >= 0x7f || strchr("/?#%\\", c) != NULL)
            len = 0;
    }
    if (len == 0 || len >= cap)
        return err_set(e, ERR_DENIED, 0, "its list of roles makes no sense");
    memcpy(role, list->p, len);
    role[len] = '\0';
    return 0;
}

static int take_session(struct metadata *m, struct buf *token, struct err *e)
{
    for (size_t i = 0; i < token->len; i++) {
        if (token->p[i] <= ' ' || token->p[i] >= 0x7f)
            return err_set(e, ERR_DENIED, 0, "its token makes no sense");
    }
    m->session = secret_new(buf_span(token), e);
    return m->session == NULL ? -1 : 0;
}

/* Keys of the role; with the session at hand the service is there. */
static int read_role(const struct metadata *m, struct obj_credentials *out,
                     struct err *e)
{
    AUTO_SECRET_BUF struct buf answer = secret_buf(OBJ_CREDENTIALS_ANSWER_MAX);
    char role[256];
    char path[sizeof ROLES + sizeof role];
    int status = 0;

    if (ask(m, "GET", ROLES, &answer, &status, e) < 0)
        return -1;
    if (status == 404)
        return obj_credentials_absent(
            e, "instance metadata at %s (the machine has no role)", m->base);
    if (status != 200)
        return err_set(e, ERR_DENIED, 0, "list of roles: HTTP %d", status);
    if (take_role(&answer, role, sizeof role, e) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s%s", ROLES, role);
    buf_reset(&answer);
    if (ask(m, "GET", path, &answer, &status, e) < 0)
        return -1;
    if (status != 200)
        return err_set(e, ERR_DENIED, 0, "role %s: HTTP %d", role, status);
    if (obj_credentials_decode(buf_span(&answer), OBJ_CREDENTIALS_BY_ENDPOINT,
                               out, e) < 0)
        return err_ctx(e, "role %s", role);
    out->origin = io_format(e, "instance metadata, role %s", role);
    return out->origin == NULL ? -1 : 0;
}

int obj_credentials_from_imds(const struct cancel *cancel,
                              struct obj_credentials *out, struct err *e)
{
    AUTO_METADATA struct metadata m = { .cancel = cancel };
    AUTO_SECRET_BUF struct buf token = secret_buf(OBJ_CREDENTIALS_ANSWER_MAX);
    const char *off = obj_credentials_variable("AWS_EC2_METADATA_DISABLED");
    int status = 0;

    if (off != NULL && strcasecmp(off, "true") == 0)
        return obj_credentials_absent(
            e, "instance metadata (AWS_EC2_METADATA_DISABLED)");
    if (set_base(&m, e) < 0)
        return -1;
    m.http = obj_http_new(NULL, LIMIT_MS, e);
    if (m.http == NULL)
        return -1;
    obj_http_direct(m.http);
    int r = ask(&m, "PUT", "/latest/api/token", &token, &status, e);
    if (r < 0 && (e->kind == ERR_UNREACHABLE || e->kind == ERR_TIMEOUT))
        return obj_credentials_absent(e, "instance metadata at %s (no answer)",
                                      m.base);
    if (r == 0 && (status != 200 || token.len == 0))
        return obj_credentials_absent(
            e, "instance metadata at %s (HTTP %d for a token)", m.base, status);
    if (r == 0)
        r = take_session(&m, &token, e);
    if (r == 0)
        r = read_role(&m, out, e);
    return r < 0 ? err_ctx(e, "instance metadata at %s", m.base) : r;
}

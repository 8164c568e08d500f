// SPDX-License-Identifier: Apache-2.0
/*
 * Keys of a container's role, from the endpoint that its environment names
 * (ECS, EKS Pod Identity, Greengrass).  The request may carry a token, so only
 * https and the few hosts at which such endpoints live are asked.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/io.h"
#include "objstore/credentials_source.h"

#define RELATIVE "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define HOST "http://169.254.170.2"
#define LIMIT_MS 2000

/* Numbers only, and one name: others are whatever a resolver says. */
static bool is_local(const char *host)
{
    static const char *const known[] = { "localhost", "169.254.170.2",
                                         "169.254.170.23", "[fd00:ec2::23]",
                                         "[::1]" };
    struct in_addr a;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcasecmp(host, known[i]) == 0)
            return true;
    }
    return inet_pton(AF_INET, host, &a) == 1 && ntohl(a.s_addr) >> 24 == 127;
}

/* malloc'd; NULL with ERR_NONE: nothing is configured. */
static char *find_url(struct err *e)
{
    const char *relative = obj_credentials_variable(RELATIVE);
    const char *full = obj_credentials_variable(FULL);
    AUTO_MEM char *host = NULL;
    bool tls = false;

    e->kind = ERR_NONE;
    if (relative != NULL) {
        if (relative[0] == '/')
            return io_format(e, "%s%s", HOST, relative);
        err_set(e, ERR_CONFIG, 0, "%s must begin with a slash", RELATIVE);
        return NULL;
    }
    if (full == NULL)
        return NULL;
    if (obj_http_host(full, &tls, &host, e) < 0) {
        e->kind = ERR_CONFIG;
        err_ctx(e, "%s", FULL);
        return NULL;
    }
    if (!tls && !is_local(host)) {
        err_set(e, ERR_CONFIG, 0,
                "%s: without https only this machine (localhost, 127.0.0.1) "
                "and 169.254.170.2 or .23 are asked, not %.100s",
                FULL, host);
        return NULL;
    }
    return io_format(e, "%s", full);
}

/* The text of the Authorization header; *out stays NULL where there is none. */
static int find_token(struct secret **out, struct err *e)
{
    const char *file = obj_credentials_variable(TOKEN "_FILE");
    const char *text = obj_credentials_variable(TOKEN);

    if (file != NULL) {
        *out = obj_credentials_token_file(file, e);
        return *out == NULL ? err_ctx(e, "%s_FILE", TOKEN) : 0;
    }
    if (text == NULL)
        return 0;
    if (strpbrk(text, "\r\n") != NULL)
        return err_set(e, ERR_CONFIG, 0, "%s holds a line break", TOKEN);
    *out = secret_new(span_str(text), e);
    return *out == NULL ? -1 : 0;
}

static int ask(const char *url, const struct secret *token,
               const struct cancel *cancel, struct obj_credentials *out,
               struct err *e)
{
    AUTO_OBJ_HTTP struct obj_http *http =
        obj_http_new(obj_credentials_variable("AWS_CA_BUNDLE"), LIMIT_MS, e);
    AUTO_SECRET_BUF struct buf answer = secret_buf(OBJ_CREDENTIALS_ANSWER_MAX);
    struct obj_sigv4_pair headers[2] = { { "Accept", "application/json" } };
    struct obj_http_request r = {
        .method = "GET",
        .url = url,
        .headers = headers,
        .nheaders = 1,
        .out = &answer,
        .cancel = cancel,
    };
    int status = 0;

    if (http == NULL)
        return -1;
    obj_http_direct(http);
    if (token != NULL)
        headers[r.nheaders++] =
            (struct obj_sigv4_pair){ "Authorization",
                                     (const char *)secret_span(token).p };
    if (obj_credentials_fetch(http, &r, &status, e) < 0)
        return -1;
    if (status != 200)
        return err_set(e, ERR_DENIED, 0, "HTTP %d", status);
    return obj_credentials_decode(buf_span(&answer),
                                  OBJ_CREDENTIALS_BY_ENDPOINT, out, e);
}

int obj_credentials_from_container(const struct cancel *cancel,
                                   struct obj_credentials *out, struct err *e)
{
    AUTO_MEM char *url = find_url(e);
    AUTO_SECRET struct secret *token = NULL;
    AUTO_MEM char *host = NULL;
    bool tls = false;

    if (url == NULL && e->kind == ERR_NONE)
        return obj_credentials_absent(e, RELATIVE " and _FULL_URI (not set)");
    if (url == NULL || find_token(&token, e) < 0 ||
        obj_http_host(url, &tls, &host, e) < 0)
        return -1;
    /* The path may be all that protects the keys: it is not shown. */
    out->origin = io_format(e, "the container's endpoint at %s", host);
    if (out->origin == NULL)
        return -1;
    if (ask(url, token, cancel, out, e) < 0)
        return err_ctx(e, "%s", out->origin);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A request's head, taken apart: line, headers, query, and from them bucket,
 * key and the name of the operation.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/s3server/impl.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *s3server_decode(const char *text, size_t n)
{
    char *out = s3server_alloc(n + 1);
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        int high = text[i] == '%' && i + 2 < n ? hex(text[i + 1]) : -1;
        int low = high >= 0 ? hex(text[i + 2]) : -1;
        if (low >= 0) {
            out[len++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[len++] = text[i];
        }
    }
    return out;
}

void s3server_encode(struct buf *out, const char *text, bool slash)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (isalnum((unsigned char)*c) || strchr("-._~", *c) != NULL ||
            (slash && *c == '/'))
            buf_append_char(out, *c);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*c);
    }
}

const char *s3server_header(const struct s3_request *q, const char *name)
{
    for (size_t i = 0; i < q->nheaders; i++) {
        if (strcmp(q->headers[i].name, name) == 0)
            return q->headers[i].value;
    }
    return NULL;
}

const char *s3server_param(const struct s3_request *q, const char *name)
{
    for (size_t i = 0; i < q->nparams; i++) {
        if (strcmp(q->params[i].name, name) == 0)
            return q->params[i].value;
    }
    return NULL;
}

static bool parse_headers(struct s3_request *q, char *at)
{
    while (*at != '\0') {
        char *end = strstr(at, "\r\n");
        char *colon = strchr(at, ':');
        if (end == NULL || colon == NULL || colon > end ||
            q->nheaders == S3SERVER_HEADERS)
            return false;
        *end = '\0';
        *colon = '\0';
        for (char *c = at; c < colon; c++)
            *c = (char)tolower((unsigned char)*c);
        char *value = colon + 1;
        value += strspn(value, " \t");
        for (char *c = end; c > value && (c[-1] == ' ' || c[-1] == '\t');)
            *--c = '\0';
        q->headers[q->nheaders++] = (struct s3_header){ at, value };
        at = end + 2;
    }
    return true;
}

static bool parse_query(struct s3_request *q)
{
    const char *at = q->query;

    while (*at != '\0') {
        size_t n = strcspn(at, "&");
        size_t name = strcspn(at, "=&");
        if (q->nparams == S3SERVER_PARAMS)
            return false;
        struct s3_param *p = &q->params[q->nparams++];
        p->name = s3server_decode(at, name);
        p->value = name < n ? s3server_decode(at + name + 1, n - name - 1)
                            : s3server_copy("");
        at += n;
        at += *at == '&' ? 1 : 0;
    }
    return true;
}

/* "bucket.s3.test:80" names one, where the server's domain is s3.test. */
static bool bucket_of_host(struct s3server *s, struct s3_request *q)
{
    const char *host = s3server_header(q, "host");
    size_t domain = strlen(s->opts.domain);

    if (domain == 0 || host == NULL)
        return false;
    size_t n = strcspn(host, ":");
    if (n <= domain + 1 || host[n - domain - 1] != '.' ||
        strncmp(host + n - domain, s->opts.domain, domain) != 0 ||
        n - domain - 1 >= sizeof q->bucket)
        return false;
    snprintf(q->bucket, sizeof q->bucket, "%.*s", (int)(n - domain - 1), host);
    return true;
}

static bool parse_path(struct s3server *s, struct s3_request *q)
{
    const char *at = q->path;

    if (*at++ != '/')
        return false;
    if (!bucket_of_host(s, q)) {
        size_t n = strcspn(at, "/");
        if (n >= sizeof q->bucket)
            return false;
        snprintf(q->bucket, sizeof q->bucket, "%.*s", (int)n, at);
        at += n;
        at += *at == '/' ? 1 : 0;
    }
    q->key = s3server_decode(at, strlen(at));
    return true;
}

struct known {
    const char *method, *param, *op;
};

static const char *choose(const struct known *known, const struct s3_request *q)
{
    for (; known->method != NULL; known++) {
        if (strcmp(known->method, q->method) == 0 &&
            (known->param == NULL || s3server_param(q, known->param) != NULL))
            return known->op;
    }
    return "Unknown";
}

static const char *operation(const struct s3_request *q)
{
    static const struct known service[] = { { "GET", NULL, "ListBuckets" },
                                            { 0 } };
    static const struct known of_bucket[] = {
        { "GET", "location", "GetBucketLocation" },
        { "GET", "versioning", "GetBucketVersioning" },
        { "PUT", "versioning", "PutBucketVersioning" },
        { "GET", "object-lock", "GetObjectLockConfiguration" },
        { "PUT", "object-lock", "PutObjectLockConfiguration" },
        { "GET", "lifecycle", "GetBucketLifecycleConfiguration" },
        { "PUT", "lifecycle", "PutBucketLifecycleConfiguration" },
        { "GET", "versions", "ListObjectVersions" },
        { "GET", "list-type", "ListObjectsV2" },
        { "POST", "delete", "DeleteObjects" },
        { "PUT", NULL, "CreateBucket" },
        { "DELETE", NULL, "DeleteBucket" },
        { "HEAD", NULL, "HeadBucket" },
        { 0 }
    };
    static const struct known of_key[] = {
        { "PUT", "retention", "PutObjectRetention" },
        { "GET", "retention", "GetObjectRetention" },
        { "PUT", "legal-hold", "PutObjectLegalHold" },
        { "GET", "legal-hold", "GetObjectLegalHold" },
        { "PUT", NULL, "PutObject" },
        { "GET", NULL, "GetObject" },
        { "HEAD", NULL, "HeadObject" },
        { "DELETE", NULL, "DeleteObject" },
        { 0 }
    };

    if (q->bucket[0] == '\0')
        return choose(service, q);
    return choose(q->key[0] == '\0' ? of_bucket : of_key, q);
}

bool s3server_parse(struct s3server *s, struct s3_request *q, char *text)
{
    *q = (struct s3_request){ .text = text, .op = "Unknown" };
    char *end = strstr(text, "\r\n");
    char *target = strchr(text, ' ');
    char *version = target == NULL ? NULL : strchr(target + 1, ' ');
    if (end == NULL || version == NULL || version > end)
        return false;
    *target++ = '\0';
    *version++ = '\0';
    *end = '\0';
    q->method = text;
    q->path = target;
    q->query = version - 1; /* the NUL before it: "" */
    char *question = strchr(target, '?');
    if (question != NULL) {
        *question = '\0';
        q->query = question + 1;
    }
    char *blank = strstr(end + 2, "\r\n\r\n");
    if (blank != NULL)
        blank[2] = '\0';
    else
        end[2] = '\0'; /* no header at all */
    if (!parse_headers(q, end + 2) || !parse_query(q) || !parse_path(s, q))
        return false;
    q->op = operation(q);
    return strncmp(version, "HTTP/1.1", 8) == 0;
}

void s3server_request_free(struct s3_request *q)
{
    for (size_t i = 0; i < q->nparams; i++) {
        free(q->params[i].name);
        free(q->params[i].value);
    }
    free(q->key);
    free(q->text);
    s3server_blob_unref(q->body);
    *q = (struct s3_request){ 0 };
}

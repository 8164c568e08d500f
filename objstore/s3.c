// SPDX-License-Identifier: Apache-2.0
/*
 * The S3 driver: opening, closing, and the region, which may change while it is
 * open.
 */
#include "objstore/s3.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cond.h"
#include "base/io.h"
#include "base/log.h"

static void s3_close(void *self)
{
    struct obj_s3 *s3 = self;

    if (s3 == NULL)
        return;
    obj_http_free(s3->http);
    obj_credentials_fini(&s3->locked.credentials);
    secret_free(s3->locked.key);
    pthread_cond_destroy(&s3->locked.renewed);
    pthread_mutex_destroy(&s3->locked.mutex);
    free(s3->bucket);
    free(s3->scheme);
    free(s3->host);
    free(s3->credentials_file);
    free(s3);
}

static void s3_closep(struct obj_s3 **s3)
{
    s3_close(*s3);
}

/* The rules of S3 for names, as far as URLs depend on them. */
static int check_bucket(const char *bucket, struct err *e)
{
    size_t len = bucket == NULL ? 0 : strlen(bucket);

    if (len < 3 || len > 63)
        return err_set(e, ERR_USAGE, 0,
                       "bucket \"%.80s\": a name has 3 to 63 characters",
                       bucket == NULL ? "" : bucket);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bucket[i];
        bool inner = i > 0 && i + 1 < len;
        if (!islower(c) && !isdigit(c) &&
            !(inner && (c == '-' || c == '.' || c == '_')))
            return err_set(e, ERR_USAGE, 0,
                           "bucket \"%s\": a name consists of lower-case "
                           "letters, digits, dots and hyphens",
                           bucket);
    }
    if (strstr(bucket, "..") != NULL)
        return err_set(e, ERR_USAGE, 0, "bucket \"%s\": two dots in a row",
                       bucket);
    return 0;
}

/* A region is part of a signature and of host names. */
static bool is_region(const char *region)
{
    size_t len = strlen(region);

    if (len == 0 || len >= OBJ_S3_REGION_CHARS)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)region[i];
        if (!isalnum(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

static int set_region_of(struct obj_s3 *s3, const struct obj_config *c,
                         struct err *e)
{
    AUTO_MEM char *found = NULL;
    const char *region = c->region;

    if (region == NULL) {
        found = obj_credentials_region(e);
        if (found == NULL)
            return -1;
        region = found;
    }
    if (!is_region(region))
        return err_set(e, ERR_USAGE, 0, "\"%.80s\" is no region", region);
    memcpy(s3->locked.region, region, strlen(region) + 1);
    return 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Takes the endpoint that is configured, else the environment's, apart. */
static int set_host(struct obj_s3 *s3, const struct obj_config *c,
                    struct err *e)
{
    const char *url = obj_credentials_endpoint("S3");

    if (c->endpoint != NULL)
        return obj_http_endpoint(c->endpoint, &s3->scheme, &s3->host, e);
    if (url == NULL) {
        s3->scheme = io_format(e, "https");
        return s3->scheme == NULL ? -1 : 0;
    }
    if (obj_http_endpoint(url, &s3->scheme, &s3->host, e) < 0)
        return err_ctx(e, "AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL");
    return 0;
}

static int set_endpoint(struct obj_s3 *s3, const struct obj_config *c,
                        struct err *e)
{
    if (set_host(s3, c, e) < 0)
        return -1;
    s3->aws = s3->host == NULL || ends_with(s3->host, ".amazonaws.com") ||
              ends_with(s3->host, ".amazonaws.com.cn");
    switch (c->addressing) {
    case OBJ_ADDR_AUTO:
        /* A wildcard certificate does not cover a bucket with dots. */
        s3->virtual_host = s3->aws && strchr(s3->bucket, '.') == NULL;
        break;
    case OBJ_ADDR_PATH:
        s3->virtual_host = false;
        break;
    case OBJ_ADDR_VIRTUAL:
        s3->virtual_host = true;
        break;
    }
    return 0;
}

static int set_http(struct obj_s3 *s3, const struct obj_config *c,
                    struct err *e)
{
    const char *ca_file = c->ca_file;

    if (ca_file == NULL)
        ca_file = obj_credentials_variable("AWS_CA_BUNDLE");
    s3->http = obj_http_new(ca_file, c->deadline_ms, e);
    return s3->http == NULL ? -1 : 0;
}

static void init_lock(struct obj_s3 *s3)
{
    pthread_mutex_init(&s3->locked.mutex, NULL);
    cond_init(&s3->locked.renewed);
}

static char *make_name(const struct obj_s3 *s3, const struct obj_config *c,
                       struct err *e)
{
    const char *prefix = c->prefix == NULL ? "" : c->prefix;
    const char *slash = prefix[0] == '\0' ? "" : "/";

    if (s3->host == NULL)
        return io_format(e, "s3://%s%s%s", s3->bucket, slash, prefix);
    return io_format(e, "s3://%s%s%s on %s://%s", s3->bucket, slash, prefix,
                     s3->scheme, s3->host);
}

static void *s3_open(const struct obj_config *c, char **name_out, struct err *e)
{
    if (check_bucket(c->bucket, e) < 0)
        return NULL;
    AUTO(s3_closep) struct obj_s3 *s3 = calloc(1, sizeof *s3);
    if (s3 == NULL) {
        err_nomem(e);
        return NULL;
    }
    init_lock(s3);
    s3->payload = c->payload;
    s3->bucket = io_format(e, "%s", c->bucket);
    if (s3->bucket == NULL)
        return NULL;
    s3->cancel = c->cancel;
    if (c->credentials_file != NULL) {
        s3->credentials_file = io_format(e, "%s", c->credentials_file);
        if (s3->credentials_file == NULL)
            return NULL;
    }
    /* Keys come last: they may be asked for over a network. */
    if (set_endpoint(s3, c, e) < 0 || set_region_of(s3, c, e) < 0 ||
        set_http(s3, c, e) < 0 || obj_s3_keys_init(s3, e) < 0)
        return NULL;
    *name_out = make_name(s3, c, e);
    if (*name_out == NULL)
        return NULL;
    log_debug("s3", "%s: keys from %s, region %s", *name_out,
              s3->locked.credentials.origin, s3->locked.region);
    return STEAL(s3);
}

static void s3_set_region(void *self, const char *region)
{
    struct obj_s3 *s3 = self;

    /* The name came from a server. */
    if (!is_region(region))
        return;
    pthread_mutex_lock(&s3->locked.mutex);
    memcpy(s3->locked.region, region, strlen(region) + 1);
    pthread_mutex_unlock(&s3->locked.mutex);
}

const struct obj_driver obj_s3_driver = {
    .name = "s3",
    .open = s3_open,
    .close = s3_close,
    .put = obj_s3_put,
    .get = obj_s3_get,
    .head = obj_s3_head,
    .list = obj_s3_list,
    .remove = obj_s3_remove,
    .remove_many = obj_s3_remove_many,
    .set_lock = obj_s3_set_lock,
    .get_lock = obj_s3_get_lock,
    .bucket_info = obj_s3_bucket_info,
    .lifecycle = obj_s3_lifecycle,
    .bucket_create = obj_s3_bucket_create,
    .probe_put = obj_s3_probe_put,
    .probe_unlock = obj_s3_probe_unlock,
    .refresh = obj_s3_keys_refresh,
    .set_region = s3_set_region,
};

// SPDX-License-Identifier: Apache-2.0
/*
 * Finds the keys that requests are signed with.  One source is used as a whole:
 * half of a pair in one place is an error and never completed from another.
 */
#include "objstore/credentials.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/utc.h"
#include "objstore/credentials_source.h"

void obj_credentials_fini(struct obj_credentials *c)
{
    free(c->access_key);
    free(c->origin);
    secret_free(c->secret);
    secret_free(c->token);
    *c = (struct obj_credentials){ 0 };
}

static bool secret_equal(const struct secret *a, const struct secret *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return span_eq(secret_span(a), secret_span(b));
}

bool obj_credentials_equal(const struct obj_credentials *a,
                           const struct obj_credentials *b)
{
    return strcmp(a->access_key, b->access_key) == 0 &&
           secret_equal(a->secret, b->secret) &&
           secret_equal(a->token, b->token);
}

int obj_credentials_set(const char *id, const char *secret, const char *token,
                        struct obj_credentials *out, struct err *e)
{
    out->access_key = io_format(e, "%s", id);
    if (out->access_key == NULL)
        return -1;
    out->secret = secret_new(span_str(secret), e);
    if (out->secret == NULL)
        return -1;
    if (token == NULL || token[0] == '\0')
        return 0;
    out->token = secret_new(span_str(token), e);
    return out->token == NULL ? -1 : 0;
}

int obj_credentials_absent(struct err *e, const char *fmt, ...)
{
    va_list ap;

    *e = (struct err){ .kind = ERR_DENIED };
    va_start(ap, fmt);
    (void)vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    return 1;
}

/* What goes into a header must not end it. */
static bool is_header_text(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] <= ' ' || s.p[i] == 0x7f)
            return false;
    }
    return true;
}

static int check(const struct obj_credentials *c, struct err *e)
{
    size_t len = strlen(c->access_key);

    if (len == 0 || len > OBJ_CREDENTIALS_ID_MAX ||
        !is_header_text(span_str(c->access_key)) ||
        strpbrk(c->access_key, "/,") != NULL)
        return err_set(e, ERR_CONFIG, 0, "the access key id is malformed");
    if (secret_span(c->secret).len > OBJ_CREDENTIALS_SECRET_MAX)
        return err_set(e, ERR_CONFIG, 0,
                       "the secret access key is longer than %d bytes",
                       OBJ_CREDENTIALS_SECRET_MAX);
    if (c->token != NULL && !is_header_text(secret_span(c->token)))
        return err_set(e, ERR_CONFIG, 0,
                       "the session token holds blanks or line breaks");
    if (c->expires != 0 && c->expires <= utc_real_now()) {
        char when[UTC_ISO_CHARS];
        utc_format_iso(c->expires, when);
        return err_set(e, ERR_DENIED, 0,
                       "they expired at %s; get new ones there, or set this "
                       "machine's clock",
                       when);
    }
    return 0;
}

/* The order of AWS's tools.  Instance metadata is last: where there is none,
 * the question costs a second. */
static int from_elsewhere(const struct cancel *cancel,
                          struct obj_credentials *out, struct err *e)
{
    static int (*const sources[])(const struct cancel *,
                                  struct obj_credentials *, struct err *) = {
        obj_credentials_from_environment, obj_credentials_from_web_identity,
        obj_credentials_from_profile,     obj_credentials_from_container,
        obj_credentials_from_imds,
    };
    char looked[sizeof e->msg - 160] = "";
    size_t at = 0;

    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        int r = sources[i](cancel, out, e);
        if (r != 1)
            return r;
        int n = snprintf(looked + at, sizeof looked - at, "%s%s",
                         at > 0 ? ", " : "", e->msg);
        at += n > 0 ? (size_t)n : 0;
        if (at >= sizeof looked)
            at = sizeof looked - 1;
    }
    return err_set(e, ERR_DENIED, 0,
                   "no S3 keys: looked at %s; set AWS_ACCESS_KEY_ID and "
                   "AWS_SECRET_ACCESS_KEY, or name a file of keys with "
                   "--credentials",
                   looked);
}

int obj_credentials_load(const char *file, const struct cancel *cancel,
                         struct obj_credentials *out, struct err *e)
{
    *out = (struct obj_credentials){ 0 };
    int r = file != NULL ? obj_credentials_from_file(file, cancel, out, e)
                         : from_elsewhere(cancel, out, e);
    if (r == 0 && check(out, e) < 0)
        r = err_ctx(e, "keys from %s", out->origin);
    if (r < 0)
        obj_credentials_fini(out);
    return r;
}

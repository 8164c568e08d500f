// SPDX-License-Identifier: Apache-2.0
/*
 * Finds the keys that requests are signed with.  One source is used as a whole:
 * half of a pair in one place is an error and never completed from another.
 */
#include "objstore/credentials.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secretref.h"
#include "objstore/profile.h"

#define FILE_MAX (64u << 10)
#define ACCESS_KEY_MAX 256
#define SECRET_KEY_MAX 256

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

    if (len == 0 || len > ACCESS_KEY_MAX ||
        !is_header_text(span_str(c->access_key)) ||
        strpbrk(c->access_key, "/,") != NULL)
        return err_set(e, ERR_CONFIG, 0, "the access key id is malformed");
    if (secret_span(c->secret).len > SECRET_KEY_MAX)
        return err_set(e, ERR_CONFIG, 0,
                       "the secret access key is longer than %d bytes",
                       SECRET_KEY_MAX);
    if (c->token != NULL && !is_header_text(secret_span(c->token)))
        return err_set(e, ERR_CONFIG, 0,
                       "the session token holds blanks or line breaks");
    return 0;
}

/* A secret that stands in the file itself is as safe as the file. */
static void warn_if_open(const char *file, const struct json *secret)
{
    struct stat st;

    if (json_is_string(secret) && stat(file, &st) == 0 &&
        (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        log_warn("s3", "%s holds a secret and others may read it; chmod 600",
                 file);
}

static int read_fields(const char *file, struct json_doc *doc,
                       struct obj_credentials *out, struct err *e)
{
    static const char *const fields[] = { "access_key_id", "secret_access_key",
                                          "session_token", NULL };
    struct json root = json_root(doc);

    json_object(&root, fields);
    struct json access = json_field(&root, "access_key_id");
    struct json secret = json_field(&root, "secret_access_key");
    struct json token = json_optional(&root, "session_token");
    const char *id = json_string(&access, ACCESS_KEY_MAX);
    if (json_failed(doc, e) < 0)
        return -1;
    warn_if_open(file, &secret);
    out->access_key = io_format(e, "%s", id);
    out->origin = io_format(e, "%s", file);
    if (out->access_key == NULL || out->origin == NULL)
        return -1;
    out->secret = secretref_resolve(&secret, e);
    if (out->secret == NULL)
        return json_failed(doc, e) < 0 ? -1 : err_ctx(e, "secret_access_key");
    if (!json_present(&token))
        return 0;
    out->token = secretref_resolve(&token, e);
    if (out->token == NULL)
        return json_failed(doc, e) < 0 ? -1 : err_ctx(e, "session_token");
    return 0;
}

static int from_file(const char *file, struct obj_credentials *out,
                     struct err *e)
{
    AUTO_BUF struct buf text = buf_init(FILE_MAX);

    /* At once, so that growing leaves no copies behind. */
    buf_reserve(&text, FILE_MAX);
    int r = buf_check(&text, e);
    if (r == 0)
        r = io_read_file(file, &text, e);
    if (r == 0) {
        AUTO_JSON struct json_doc *doc =
            json_parse(buf_span(&text), JSON_COMMENTS, ERR_CONFIG, e);
        r = doc == NULL ? -1 : read_fields(file, doc, out, e);
        if (r < 0)
            err_ctx(e, "%s", file);
    } else if (e->kind == ERR_NOTFOUND) {
        e->kind = ERR_DENIED;
    } else if (e->kind == ERR_CORRUPT) {
        e->kind = ERR_CONFIG; /* over FILE_MAX */
    }
    if (text.p != NULL)
        secret_wipe(text.p, text.cap);
    return r;
}

/* Takes over copies of texts; token may be NULL. */
static int from_texts(const char *id, const char *secret, const char *token,
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

static const char *variable(const char *name)
{
    const char *text = getenv(name);

    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* 1: nothing there. */
static int from_environment(struct obj_credentials *out, struct err *e)
{
    const char *id = variable("AWS_ACCESS_KEY_ID");
    const char *secret = variable("AWS_SECRET_ACCESS_KEY");

    if (id == NULL && secret == NULL)
        return 1;
    if (id == NULL || secret == NULL)
        return err_set(e, ERR_CONFIG, 0,
                       "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: only one "
                       "of the two is set");
    out->origin = io_format(e, "the environment");
    if (out->origin == NULL)
        return -1;
    return from_texts(id, secret, variable("AWS_SESSION_TOKEN"), out, e);
}

static int from_profile(struct obj_credentials *out, struct err *e)
{
    AUTO_OBJ_PROFILE struct obj_profile p = { 0 };
    const char *name = NULL;

    if (obj_profile_load(&p, &name, e) < 0)
        return -1;
    if (p.access_key != NULL && p.secret != NULL) {
        out->origin = io_format(e, "the AWS profile %s", name);
        if (out->origin == NULL)
            return -1;
        return from_texts(p.access_key, p.secret, p.token, out, e);
    }
    if (p.access_key != NULL || p.secret != NULL)
        return err_set(e, ERR_CONFIG, 0,
                       "the AWS profile %s has only one of aws_access_key_id "
                       "and aws_secret_access_key",
                       name);
    if (p.foreign)
        return err_set(e, ERR_CONFIG, 0,
                       "the AWS profile %s has no keys but a role, a process "
                       "or a sign-on, which are not supported; export keys "
                       "into the environment, or into a credentials file",
                       name);
    return err_set(e, ERR_DENIED, 0,
                   "no S3 keys: neither a credentials file is configured, nor "
                   "AWS_ACCESS_KEY_ID set, nor are there keys in the AWS "
                   "profile %s%s",
                   name, p.found ? "" : " (no such profile)");
}

int obj_credentials_load(const char *file, struct obj_credentials *out,
                         struct err *e)
{
    *out = (struct obj_credentials){ 0 };
    int r = file != NULL ? from_file(file, out, e) : from_environment(out, e);
    if (r == 1)
        r = from_profile(out, e);
    if (r == 0 && check(out, e) < 0)
        r = err_ctx(e, "keys from %s", out->origin);
    if (r < 0)
        obj_credentials_fini(out);
    return r;
}

char *obj_credentials_region(struct err *e)
{
    AUTO_OBJ_PROFILE struct obj_profile p = { 0 };
    const char *name = NULL;
    const char *region = variable("AWS_REGION");

    if (region == NULL)
        region = variable("AWS_DEFAULT_REGION");
    if (region == NULL) {
        if (obj_profile_load(&p, &name, e) < 0)
            return NULL;
        region = p.region != NULL ? p.region : "us-east-1";
    }
    return io_format(e, "%s", region);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Keys in files: credentials/NAME.json of ours, and files that hold one token.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secretref.h"
#include "objstore/credentials_source.h"

#define FILE_MAX (64u << 10)

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
                       const struct cancel *cancel, struct obj_credentials *out,
                       struct err *e)
{
    /* The last two are an account in guests, which is another's to read. */
    static const char *const fields[] = { "access_key_id", "secret_access_key",
                                          "session_token", "user",
                                          "password",      NULL };
    struct json root = json_root(doc);

    json_object(&root, fields);
    struct json access = json_field(&root, "access_key_id");
    struct json secret = json_field(&root, "secret_access_key");
    struct json token = json_optional(&root, "session_token");
    const char *id = json_string(&access, OBJ_CREDENTIALS_ID_MAX);
    if (json_failed(doc, e) < 0)
        return -1;
    warn_if_open(file, &secret);
    out->access_key = io_format(e, "%s", id);
    out->origin = io_format(e, "%s", file);
    if (out->access_key == NULL || out->origin == NULL)
        return -1;
    out->secret = secretref_resolve(&secret, cancel, e);
    if (out->secret == NULL)
        return json_failed(doc, e) < 0 ? -1 : err_ctx(e, "secret_access_key");
    if (!json_present(&token))
        return 0;
    out->token = secretref_resolve(&token, cancel, e);
    if (out->token == NULL)
        return json_failed(doc, e) < 0 ? -1 : err_ctx(e, "session_token");
    return 0;
}

int obj_credentials_from_file(const char *file, const struct cancel *cancel,
                              struct obj_credentials *out, struct err *e)
{
    AUTO_SECRET_BUF struct buf text = secret_buf(FILE_MAX);

    int r = io_read_file(file, &text, e);
    if (r == 0) {
        AUTO_JSON struct json_doc *doc =
            json_parse(buf_span(&text), JSON_COMMENTS, ERR_CONFIG, e);
        r = doc == NULL ? -1 : read_fields(file, doc, cancel, out, e);
        if (r < 0)
            err_ctx(e, "%s", file);
    } else if (e->kind == ERR_NOTFOUND) {
        e->kind = ERR_DENIED;
    } else if (e->kind == ERR_CORRUPT) {
        e->kind = ERR_CONFIG; /* over FILE_MAX */
    }
    return r;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span s)
{
    while (s.len > 0 && is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

static bool is_one_word(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    }
    return s.len > 0;
}

struct secret *obj_credentials_token_file(const char *path, struct err *e)
{
    AUTO_SECRET_BUF struct buf text = secret_buf(OBJ_CREDENTIALS_ANSWER_MAX);
    struct span token = { 0 };

    int r = io_read_file(path, &text, e);
    if (r < 0 && e->kind == ERR_CORRUPT)
        e->kind = ERR_CONFIG; /* too large */
    if (r < 0)
        return NULL;
    token = trim(buf_span(&text));
    if (!is_one_word(token)) {
        err_set(e, ERR_CONFIG, 0, "%s: the token is empty or not one line",
                path);
        return NULL;
    }
    return secret_new(token, e);
}

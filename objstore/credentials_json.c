// SPDX-License-Identifier: Apache-2.0
/*
 * The one reader of keys in JSON.  Programs, containers' endpoints and instance
 * metadata write nearly the same document; none of them is ours, so fields that
 * are not known are passed over, and the known ones are bounded and typed.
 */
#include "base/json.h"
#include "base/utc.h"
#include "base/utf8.h"
#include "objstore/credentials_source.h"

#define CODE_CHARS 64

/* Instance metadata answers 200 also where it has no keys to give. */
static void check_code(const struct json *root)
{
    struct json code = json_optional(root, "Code");
    const char *text = json_string(&code, 1024);
    char shown[CODE_CHARS];

    if (!json_present(&code) || span_eq(span_str(text), span_str("Success")))
        return;
    utf8_copy(shown, sizeof shown, text);
    utf8_clean(shown, false);
    json_reject(&code, "\"%s\" instead of \"Success\"", shown);
}

static void check_version(const struct json *root)
{
    struct json version = json_field(root, "Version");

    if (json_uint(&version, 1) != 1)
        json_reject(&version, "only 1 is known");
}

static int64_t read_expiration(const struct json *root)
{
    struct json field = json_optional(root, "Expiration");
    const char *text = json_string(&field, 64);
    int64_t t = 0;

    if (!json_present(&field))
        return 0;
    if (!utc_parse_rfc3339(text, &t) || t == 0)
        json_reject(&field, "expected a time like \"2026-11-22T10:00:00Z\"");
    return t;
}

/* A text that must not be empty. */
static const char *read_text(const struct json *root, const char *name,
                             size_t max)
{
    struct json field = json_field(root, name);
    const char *text = json_string(&field, max);

    if (text[0] == '\0')
        json_reject(&field, "it is empty");
    return text;
}

int obj_credentials_decode(struct span text, enum obj_credentials_writer by,
                           struct obj_credentials *out, struct err *e)
{
    AUTO_JSON struct json_doc *doc =
        json_parse(text, JSON_STRICT, ERR_DENIED, e);
    if (doc == NULL)
        return -1;
    struct json root = json_root(doc);

    if (by == OBJ_CREDENTIALS_BY_PROCESS)
        check_version(&root);
    else
        check_code(&root);
    const char *id = read_text(&root, "AccessKeyId", OBJ_CREDENTIALS_ID_MAX);
    const char *secret =
        read_text(&root, "SecretAccessKey", OBJ_CREDENTIALS_SECRET_MAX);
    struct json field = json_optional(
        &root, by == OBJ_CREDENTIALS_BY_PROCESS ? "SessionToken" : "Token");
    const char *token = json_string(&field, OBJ_CREDENTIALS_TOKEN_MAX);
    int64_t expires = read_expiration(&root);
    if (json_failed(doc, e) < 0)
        return -1;
    out->expires = expires;
    return obj_credentials_set(id, secret, token, out, e);
}

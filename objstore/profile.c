// SPDX-License-Identifier: Apache-2.0
/*
 * Reads ~/.aws/credentials and ~/.aws/config as far as keys, roles and a region
 * are concerned: sections in brackets, "name = value" lines, comments from '#'
 * or
 * ';', and indented lines that belong to the setting above them.
 */
#include "objstore/profile.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/secret.h"

#define FILE_MAX (256u << 10)

#define MEMBER(m) offsetof(struct obj_profile, m)

static const struct {
    const char *name;
    size_t offset; /* of a char * */
    bool key;      /* goes with the other keys of the file */
} settings[] = {
    { "aws_access_key_id", MEMBER(access_key), true },
    { "aws_secret_access_key", MEMBER(secret), true },
    { "aws_session_token", MEMBER(token), true },
    { "region", MEMBER(region), false },
    { "credential_process", MEMBER(process), false },
    { "role_arn", MEMBER(role_arn), false },
    { "source_profile", MEMBER(source_profile), false },
    { "credential_source", MEMBER(credential_source), false },
    { "web_identity_token_file", MEMBER(token_file), false },
    { "external_id", MEMBER(external_id), false },
    { "role_session_name", MEMBER(session_name), false },
    { "duration_seconds", MEMBER(duration), false },
    { "mfa_serial", MEMBER(mfa_serial), false },
    { "sso_session", MEMBER(sso_session), false },
    { "sso_start_url", MEMBER(sso_start_url), false },
};
#define SETTINGS (sizeof settings / sizeof settings[0])

static char **member(struct obj_profile *p, size_t i)
{
    return (void *)((char *)p + settings[i].offset);
}

void obj_profile_fini(struct obj_profile *p)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        char *text = *member(p, i);
        if (text != NULL)
            secret_wipe(text, strlen(text));
        free(text);
    }
    *p = (struct obj_profile){ 0 };
}

static struct span trim(struct span s)
{
    while (s.len > 0 && isspace(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && isspace(s.p[s.len - 1]))
        s.len--;
    return s;
}

/* Cuts the next line off rest. */
static struct span take_line(struct span *rest)
{
    const uint8_t *end = memchr(rest->p, '\n', rest->len);
    size_t len = end == NULL ? rest->len : (size_t)(end - rest->p);
    size_t skip = end == NULL ? len : len + 1;
    struct span line = span_of(rest->p, len);

    *rest = span_of(rest->p + skip, rest->len - skip);
    return line;
}

static bool span_is(struct span s, const char *text)
{
    return span_eq(s, span_str(text));
}

/* Is this "[...]" the section of the profile? */
static bool names_profile(struct span line, bool config_file, const char *name)
{
    static const char word[] = "profile";
    struct span s = trim(span_of(line.p + 1, line.len - 1));
    const uint8_t *end = memchr(s.p, ']', s.len);

    if (end == NULL)
        return false;
    s = trim(span_of(s.p, (size_t)(end - s.p)));
    if (!config_file || strcmp(name, "default") == 0) {
        if (span_is(s, name))
            return true;
        if (!config_file)
            return false;
    }
    size_t n = sizeof word - 1;
    if (s.len <= n || memcmp(s.p, word, n) != 0 || !isspace(s.p[n]))
        return false;
    s = trim(span_of(s.p + n, s.len - n));
    if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"')
        s = span_of(s.p + 1, s.len - 2);
    return span_is(s, name);
}

/* In values a comment begins at a blank and '#' or ';'. */
static struct span cut_comment(struct span value)
{
    for (size_t i = 1; i < value.len; i++) {
        if ((value.p[i] == '#' || value.p[i] == ';') && isspace(value.p[i - 1]))
            return trim(span_of(value.p, i));
    }
    return value;
}

static int set(char **at, struct span value, struct err *e)
{
    if (*at != NULL || value.len == 0)
        return 0;
    *at = strndup((const char *)value.p, value.len);
    return *at == NULL ? err_nomem(e) : 0;
}

static int apply(struct obj_profile *p, struct span name, struct span value,
                 struct err *e)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!span_is(name, settings[i].name))
            continue;
        if (settings[i].key && p->keys_known)
            return 0;
        return set(member(p, i), value, e);
    }
    return 0;
}

int obj_profile_parse(struct span text, bool config_file, const char *name,
                      struct obj_profile *p, struct err *e)
{
    bool ours = false;

    for (unsigned nr = 1; text.len > 0; nr++) {
        struct span raw = take_line(&text);
        struct span line = trim(raw);
        if (line.len == 0 || line.p[0] == '#' || line.p[0] == ';')
            continue;
        if (line.p[0] == '[') {
            ours = names_profile(line, config_file, name);
            p->found = p->found || ours;
            continue;
        }
        if (!ours || isspace(raw.p[0]))
            continue;
        const uint8_t *eq = memchr(line.p, '=', line.len);
        if (eq == NULL)
            return err_set(e, ERR_CONFIG, 0,
                           "line %u: neither a section nor \"name = value\"",
                           nr);
        size_t at = (size_t)(eq - line.p);
        struct span value = trim(span_of(eq + 1, line.len - at - 1));
        if (apply(p, trim(span_of(line.p, at)), cut_comment(value), e) < 0)
            return -1;
    }
    return 0;
}

/* malloc'd: the file that a variable names, else one in ~/.aws; NULL with
 * e->kind ERR_NONE where there is no home folder either. */
static char *file_path(const char *variable, const char *file, struct err *e)
{
    const char *named = getenv(variable);
    const char *home = getenv("HOME");

    e->kind = ERR_NONE;
    if (named != NULL && named[0] != '\0')
        return io_format(e, "%s", named);
    if (home == NULL || home[0] == '\0')
        return NULL;
    return io_format(e, "%s/.aws/%s", home, file);
}

static int load_file(const char *variable, const char *file, bool config_file,
                     const char *name, struct obj_profile *p, struct err *e)
{
    AUTO_SECRET_BUF struct buf text = secret_buf(FILE_MAX);
    AUTO_MEM char *path = file_path(variable, file, e);

    if (path == NULL)
        return e->kind == ERR_NONE ? 0 : -1;
    int r = io_read_file(path, &text, e);
    if (r < 0 && e->kind == ERR_NOTFOUND)
        return 0;
    if (r < 0 && e->kind == ERR_CORRUPT)
        e->kind = ERR_CONFIG; /* over FILE_MAX */
    if (r == 0 &&
        obj_profile_parse(buf_span(&text), config_file, name, p, e) < 0)
        r = err_ctx(e, "%s", path);
    p->keys_known = p->access_key != NULL || p->secret != NULL;
    return r;
}

const char *obj_profile_chosen(void)
{
    const char *name = getenv("AWS_PROFILE");

    return name != NULL && name[0] != '\0' ? name : "default";
}

int obj_profile_load(struct obj_profile *p, const char *name, struct err *e)
{
    *p = (struct obj_profile){ 0 };
    if (load_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", false, name, p,
                  e) < 0 ||
        load_file("AWS_CONFIG_FILE", "config", true, name, p, e) < 0) {
        obj_profile_fini(p);
        return -1;
    }
    return 0;
}

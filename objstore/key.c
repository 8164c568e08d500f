// SPDX-License-Identifier: Apache-2.0
/*
 * Object keys: the alphabet and shape that all storages agree on.  Servers
 * differ in what they do with the rest (refuse it, store it under another
 * name, hide it from listings), so it is refused here.
 */
#include "objstore/key.h"

#include <stdio.h>
#include <string.h>

#define COMPONENT_MAX 255

/* Why [s, s+len) cannot be a component, or NULL. */
static const char *bad_component(const char *s, size_t len)
{
    if (len == 0)
        return "has an empty component";
    if (len > COMPONENT_MAX)
        return "has a component over 255 bytes";
    if ((len == 1 && s[0] == '.') || (len == 2 && memcmp(s, "..", 2) == 0))
        return "has a component \".\" or \"..\"";
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return "has a control character";
    }
    return NULL;
}

/* partial: the last component may be anything a component can begin with. */
static int check(const char *key, bool partial, struct err *e)
{
    for (const char *at = key;;) {
        size_t len = strcspn(at, "/");
        bool last = at[len] == '\0';
        const char *why = bad_component(at, len);
        if (last && partial && len <= 2)
            why = NULL;
        if (why != NULL)
            return err_set(e, ERR_USAGE, 0, "object key \"%.200s\" %s", key,
                           why);
        if (last)
            return 0;
        at += len + 1;
    }
}

int obj_key_check_prefix(const char *prefix, struct err *e)
{
    if (prefix[0] == '\0')
        return 0;
    if (strlen(prefix) > OBJ_KEY_MAX)
        return err_set(e, ERR_USAGE, 0, "object prefix over %d bytes",
                       OBJ_KEY_MAX);
    return check(prefix, false, e);
}

static int join(const char *prefix, const char *key, bool partial,
                char out[OBJ_KEY_MAX + 1], struct err *e)
{
    if (check(key, partial, e) < 0)
        return -1;
    int n = snprintf(out, OBJ_KEY_MAX + 1, "%s%s%s", prefix,
                     prefix[0] != '\0' ? "/" : "", key);
    if (n < 0 || n > OBJ_KEY_MAX)
        return err_set(e, ERR_USAGE, 0,
                       "object key \"%.100s...\" over %d bytes", key,
                       OBJ_KEY_MAX);
    return 0;
}

int obj_key_join(const char *prefix, const char *key, char out[OBJ_KEY_MAX + 1],
                 struct err *e)
{
    return join(prefix, key, false, out, e);
}

int obj_key_join_part(const char *prefix, const char *part,
                      char out[OBJ_KEY_MAX + 1], struct err *e)
{
    return join(prefix, part, true, out, e);
}

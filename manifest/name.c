// SPDX-License-Identifier: Apache-2.0
/* The rules for texts and names in manifests.  Names come from guests' hosts
 * on the way in and from an untrusted bucket on the way out, where they become
 * paths. */
#include "manifest/name.h"

#include <stdint.h>
#include <string.h>

#define NOT_UTF8 UINT32_MAX

/* Takes one character from *p (NUL-terminated); NOT_UTF8 for what RFC 3629
 * does not allow: overlong forms, surrogates, over U+10FFFF. */
static uint32_t take_char(const char **p)
{
    static const uint32_t lowest[] = { 0, 0x80, 0x800, 0x10000 };
    const uint8_t *s = (const uint8_t *)*p;
    uint32_t c = s[0];
    unsigned more = 0;

    if (c >= 0xf8 || (c >= 0x80 && c < 0xc0))
        return NOT_UTF8;
    if (c >= 0xf0)
        more = 3;
    else if (c >= 0xe0)
        more = 2;
    else if (c >= 0xc0)
        more = 1;
    if (more > 0)
        c &= 0x3fu >> more;
    for (unsigned i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80) /* the NUL included */
            return NOT_UTF8;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c < lowest[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return NOT_UTF8;
    *p += 1 + more;
    return c;
}

static bool check_chars(const char *s, size_t max, bool controls)
{
    if (s[0] == '\0' || strnlen(s, max + 1) > max)
        return false;
    while (*s != '\0') {
        uint32_t c = take_char(&s);
        if (c == NOT_UTF8)
            return false;
        if (!controls && (c < 0x20 || (c >= 0x7f && c < 0xa0)))
            return false;
    }
    return true;
}

bool mf_name_is_text(const char *s, size_t max)
{
    return check_chars(s, max, true);
}

bool mf_name_is_plain(const char *s, size_t max)
{
    return check_chars(s, max, false);
}

static bool component_ok(const char *s, size_t len)
{
    return len > 0 && !(len == 1 && s[0] == '.') &&
           !(len == 2 && s[0] == '.' && s[1] == '.');
}

bool mf_name_is_disk(const char *s)
{
    return check_chars(s, MF_NAME_MAX, false) && strchr(s, '/') == NULL &&
           component_ok(s, strlen(s));
}

bool mf_name_is_path(const char *s)
{
    if (!check_chars(s, MF_PATH_MAX, false))
        return false;
    for (;;) {
        size_t len = strcspn(s, "/");
        if (!component_ok(s, len))
            return false;
        if (s[len] == '\0')
            return true;
        s += len + 1;
    }
}

/* Rank of a byte: the end, then '/', then all others in their order. */
static unsigned rank(char c)
{
    if (c == '\0')
        return 0;
    return c == '/' ? 1 : 1u + (uint8_t)c;
}

int mf_name_compare(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (int)rank(*a) - (int)rank(*b);
}

bool mf_name_covers(const char *folder, const char *name)
{
    size_t n = strlen(folder);

    return strncmp(folder, name, n) == 0 && (name[n] == '\0' || name[n] == '/');
}

// SPDX-License-Identifier: Apache-2.0
// Well-formed UTF-8, and foreign text made fit for a line.
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed sequence at p (1..4), or 0.  Overlong forms,
 * surrogates and code points past U+10FFFF are not well-formed (Unicode
 * table 3-7: only the second byte has ranges of its own). */
static inline size_t utf8_len(const uint8_t *p, size_t left)
{
    uint8_t c = p[0];
    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    size_t n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (left < n)
        return 0;
    uint8_t low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    uint8_t high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* Terminal escapes travel in C0, DEL and C1 (U+0080..U+009F). */
static inline bool utf8_is_control(const uint8_t *p, size_t n)
{
    if (n == 1)
        return p[0] < 0x20 || p[0] == 0x7f;
    return n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

/* Puts '?' over every byte that is not UTF-8 and, without keep_controls, over
 * control characters (blanks over white space), in place. */
static inline void utf8_clean(char *s, bool keep_controls)
{
    uint8_t *p = (uint8_t *)s;
    size_t left = __builtin_strlen(s);
    while (left > 0) {
        size_t n = utf8_len(p, left);
        bool bad = n == 0 || (!keep_controls && utf8_is_control(p, n));
        size_t step = n == 0 ? 1 : n;
        for (size_t i = 0; bad && i < step; i++)
            p[i] = p[i] == '\n' || p[i] == '\t' || p[i] == '\r' ? ' ' : '?';
        p += step;
        left -= step;
    }
}

/* Copies as much of s as fits into cap bytes, whole characters only. */
static inline void utf8_copy(char *out, size_t cap, const char *s)
{
    size_t len = __builtin_strlen(s);
    if (len >= cap) {
        len = cap - 1;
        while (len > 0 && ((uint8_t)s[len] & 0xc0) == 0x80)
            len--;
    }
    __builtin_memcpy(out, s, len);
    out[len] = '\0';
}

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

/* A borrowed view of bytes; valid as long as its owner keeps them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *p;
    size_t len;
};

static inline struct span span_of(const void *p, size_t len)
{
    return (struct span){ .p = (const uint8_t *)p, .len = len };
}

static inline struct span span_str(const char *s)
{
    return span_of(s, strlen(s));
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

/* Arithmetic on sizes that somebody else chose: false where it overflows. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool checked_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool checked_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* a / b rounded up; b is not 0.  Cannot overflow. */
static inline uint64_t checked_div_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

static inline uint64_t checked_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif

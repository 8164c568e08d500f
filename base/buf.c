// SPDX-License-Identifier: Apache-2.0
/*
 * The growing buffer.  One byte more than the content is always allocated, so
 * that buf_cstr finds room for its NUL.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/secret.h"

enum { FIRST_CAP = 64 };

void buf_free(struct buf *b)
{
    if (b->secret)
        secret_pages_free(b->p, b->cap);
    else
        free(b->p);
    *b = (struct buf){ .max = b->max, .secret = b->secret };
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    b->nomem = false;
}

/* What to allocate for `need` bytes: doubled, so that many small appends cost
 * linear time, but never past the maximum and its NUL. */
static size_t next_cap(const struct buf *b, size_t need)
{
    size_t cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;

    if (!checked_mul_size(cap, 2, &cap) || cap < need)
        cap = need;
    if (b->max < SIZE_MAX && cap > b->max + 1)
        cap = b->max + 1;
    return cap;
}

static bool grow(struct buf *b, size_t need)
{
    size_t cap = next_cap(b, need);
    uint8_t *p = b->secret ? secret_pages(&cap) : realloc(b->p, cap);

    if (p == NULL)
        return false;
    if (b->secret && b->p != NULL) {
        memcpy(p, b->p, b->len);
        secret_pages_free(b->p, b->cap); /* wipes what it held */
    }
    b->p = p;
    b->cap = cap;
    return true;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    size_t need = 0;

    if (b->failed)
        return NULL;
    if (n > b->max - b->len || !checked_add_size(b->len, n, &need) ||
        !checked_add_size(need, 1, &need)) {
        b->failed = true;
        return NULL;
    }
    if (need > b->cap && !grow(b, need)) {
        b->failed = true;
        b->nomem = true;
        return NULL;
    }
    return b->p + b->len;
}

void buf_append(struct buf *b, const void *p, size_t len)
{
    uint8_t *at = buf_reserve(b, len);

    if (at == NULL || len == 0)
        return;
    memcpy(at, p, len);
    b->len += len;
}

void buf_append_str(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_append_char(struct buf *b, char c)
{
    buf_append(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    char small[256];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if ((size_t)n < sizeof(small))
        buf_append(b, small, (size_t)n);
    if (b->secret)
        secret_wipe(small, sizeof(small));
    if ((size_t)n < sizeof(small))
        return;

    /* buf_reserve leaves one byte behind the n that it promises: the NUL's. */
    uint8_t *at = buf_reserve(b, (size_t)n);
    if (at == NULL)
        return;
    va_start(ap, fmt);
    vsnprintf((char *)at, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

int buf_check(const struct buf *b, struct err *e)
{
    if (!b->failed)
        return 0;
    if (b->nomem)
        return err_nomem(e);
    return err_set(e, ERR_CORRUPT, 0, "larger than %zu bytes", b->max);
}

const char *buf_cstr(struct buf *b)
{
    uint8_t *end = buf_reserve(b, 0);

    if (end == NULL)
        return "";
    *end = 0;
    return (const char *)b->p;
}

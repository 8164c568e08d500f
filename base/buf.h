// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * Growing byte buffer that was told its maximum.  The first append that would
 * pass the maximum, or that finds no memory, marks it failed; later appends do
 * nothing, so a writer checks once, at its end, with buf_check.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/span.h"

struct buf {
    uint8_t *p;  /* owned */
    size_t len;  /* bytes in use */
    size_t cap;  /* bytes allocated */
    size_t max;  /* len never passes it */
    bool failed; /* an append did not fit */
    bool nomem;  /* ... for lack of memory */
    bool secret; /* lies in pages of base/secret.h, not on the heap */
};

/* An empty buffer of at most max bytes; nothing is allocated. */
static inline struct buf buf_init(size_t max)
{
    return (struct buf){ .max = max };
}

/* Frees the memory (a secret one is wiped); the buffer is empty, of the same
 * kind and maximum, afterwards. */
void buf_free(struct buf *b);
#define AUTO_BUF AUTO(buf_free)

/* Forgets the content and the failure, keeps the memory. */
void buf_reset(struct buf *b);

void buf_append(struct buf *b, const void *p, size_t len);
void buf_append_str(struct buf *b, const char *s);
void buf_append_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes room for n more bytes and returns where they go, or NULL (failed).
 * The caller fills them and then adds to b->len what it used. */
uint8_t *buf_reserve(struct buf *b, size_t n);

/* 0, or -1 with ERR_NOMEM or ERR_CORRUPT ("larger than N bytes"). */
int buf_check(const struct buf *b, struct err *e)
    __attribute__((warn_unused_result));

/* NUL-terminates (not counted in len) and returns the text, owned by b; ""
 * after a failure. */
const char *buf_cstr(struct buf *b);

static inline struct span buf_span(const struct buf *b)
{
    return span_of(b->p, b->len);
}

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

/* Bytes that must not reach a disk, a log or a later reader of the memory:
 * locked (mlock), left out of core dumps, wiped when freed. */
#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

struct secret;

/* No core file, and no debugger of another process, for the rest of this one:
 * libraries keep copies of secrets in memory of their own for a while.  Before
 * the first secret; other programs that are started are as they were. */
void secret_forbid_dumps(void);

/* Copies in; the caller wipes its own copy.  Where the limit on locked memory
 * is reached the secret is kept all the same, and one warning is logged. */
struct secret *secret_new(struct span in, struct err *e);
void secret_free(struct secret *s); /* wipes; NULL is fine */

/* The bytes, borrowed until secret_free; never print them.  They are followed
 * by a NUL that is not counted. */
struct span secret_span(const struct secret *s);

/* Overwrites memory in a way that the compiler keeps. */
void secret_wipe(void *p, size_t len);

/* Pages of their own for at least *bytes, zeroed, locked like a secret's;
 * *bytes becomes what there is.  NULL, with errno: no memory. */
void *secret_pages(size_t *bytes);
void secret_pages_free(void *p, size_t bytes); /* wipes; NULL is fine */

/* An empty buffer for what holds secrets on its way: it lies in such pages,
 * wipes those that it outgrows, and is wiped when freed. */
static inline struct buf secret_buf(size_t max)
{
    return (struct buf){ .max = max, .secret = true };
}
#define AUTO_SECRET_BUF AUTO(buf_free)

static inline void secret_freep(struct secret **s)
{
    secret_free(*s);
}
#define AUTO_SECRET AUTO(secret_freep)

#endif

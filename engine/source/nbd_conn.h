// SPDX-License-Identifier: Apache-2.0
// Private to engine/: a connection to an NBD server with many requests in
// flight.  One thread at a time.
#ifndef ENGINE_SOURCE_NBD_CONN_H
#define ENGINE_SOURCE_NBD_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/span.h"

struct eng_nbd_conn;

/* Connects; name is for messages only (copied).  ERR_IO. */
struct eng_nbd_conn *eng_nbd_conn_open(const char *socket, const char *name,
                                       struct err *e);
void eng_nbd_conn_close(struct eng_nbd_conn *c); /* NULL is fine */

uint64_t eng_nbd_conn_size(const struct eng_nbd_conn *c); /* bytes */

/* Queues a read or a write of any length; returns before it is done.  The
 * memory is borrowed until eng_nbd_conn_finish, or until one of these fails:
 * then the connection is dead, and nothing refers to the memory any more. */
int eng_nbd_conn_read(struct eng_nbd_conn *c, uint64_t offset, uint64_t len,
                      uint8_t *out, struct err *e)
    __attribute__((warn_unused_result));
int eng_nbd_conn_write(struct eng_nbd_conn *c, uint64_t offset,
                       struct span data, struct err *e)
    __attribute__((warn_unused_result));

/* Waits for everything queued.  -1: the first that failed (ERR_FULL, ERR_IO);
 * nothing is in flight in any case. */
int eng_nbd_conn_finish(struct eng_nbd_conn *c, struct err *e)
    __attribute__((warn_unused_result));

/* Makes finished writes durable. */
int eng_nbd_conn_flush(struct eng_nbd_conn *c, struct err *e)
    __attribute__((warn_unused_result));

/* One piece of the disk; zero: it reads as zeros.  False ends the walk. */
typedef bool (*eng_nbd_extent_fn)(void *ctx, uint64_t len, bool zero);

/* Asks for the allocation from offset on, at most len bytes (under 4 GiB); the
 * pieces come in order and may cover less than was asked for.  A server that
 * does not tell has one piece of data. */
int eng_nbd_conn_extents(struct eng_nbd_conn *c, uint64_t offset, uint64_t len,
                         eng_nbd_extent_fn fn, void *ctx, struct err *e)
    __attribute__((warn_unused_result));

static inline void eng_nbd_conn_closep(struct eng_nbd_conn **c)
{
    eng_nbd_conn_close(*c);
}
#define AUTO_ENG_NBD_CONN AUTO(eng_nbd_conn_closep)

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_TTLV_H
#define KMS_TTLV_H

/*
 * TTLV, the encoding of KMIP (1.2, section 9.1): tag (3 bytes), type (1),
 * length (4), value, zeros up to a multiple of 8; all big-endian.  The length
 * does not count the padding, but a structure's counts that of its children.
 *
 * Writing appends to a struct buf; one that was made by secret_buf leaves no
 * copies of what it holds.  Reading allocates nothing: a foreign message passes
 * ttlv_check once, as a whole, and is then walked by cursors, which lend what
 * they find.  Functions share nothing: any thread may call them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define TTLV_HEADER_BYTES 8
#define TTLV_DEPTH_MAX 32   /* structures within each other */
#define TTLV_ITEMS_MAX 4096 /* of one message, structures included */

enum ttlv_type {
    TTLV_STRUCTURE = 1,
    TTLV_INTEGER,
    TTLV_LONG,
    TTLV_BIG,
    TTLV_ENUM,
    TTLV_BOOL,
    TTLV_TEXT,
    TTLV_BYTES,
    TTLV_DATE,
    TTLV_INTERVAL,
    TTLV_DATE_MICRO, /* 2.0 and later */
};

/* --- writing --- */

struct ttlv_writer {
    struct buf *out;             /* borrowed */
    size_t open[TTLV_DEPTH_MAX]; /* where the open structures begin */
    unsigned depth;
    bool wrong; /* too deep, unbalanced, or a value that is too long */
};

/* Appends to out, which the caller owns and which stays until the end. */
struct ttlv_writer ttlv_writer(struct buf *out);

/* A structure holds what is written until its end. */
void ttlv_begin(struct ttlv_writer *w, uint32_t tag);
void ttlv_end(struct ttlv_writer *w);

void ttlv_put_int(struct ttlv_writer *w, uint32_t tag, int32_t value);
void ttlv_put_long(struct ttlv_writer *w, uint32_t tag, int64_t value);
void ttlv_put_enum(struct ttlv_writer *w, uint32_t tag, uint32_t value);
void ttlv_put_bool(struct ttlv_writer *w, uint32_t tag, bool value);
void ttlv_put_text(struct ttlv_writer *w, uint32_t tag, struct span utf8);
void ttlv_put_bytes(struct ttlv_writer *w, uint32_t tag, struct span value);
/* value: seconds since 1970 in UTC */
void ttlv_put_date(struct ttlv_writer *w, uint32_t tag, int64_t value);
/* A number of any length: two's complement, big-endian, not empty. */
void ttlv_put_big(struct ttlv_writer *w, uint32_t tag, struct span value);

/* 0 where all was written and every structure was ended; else -1 with
 * ERR_NOMEM, ERR_CORRUPT (larger than the buffer's maximum) or ERR_INTERNAL. */
int ttlv_written(const struct ttlv_writer *w, struct err *e)
    __attribute__((warn_unused_result));

/* --- reading --- */

struct ttlv_item {
    uint32_t tag;
    enum ttlv_type type;
    struct span value; /* without padding; lent by the message */
};

struct ttlv_cursor {
    struct span rest;
};

/* What the first 8 bytes of an answer say: the bytes that follow them.  -1
 * with ERR_CORRUPT where they are no structure with this tag, whose length is a
 * multiple of 8, or where header and content pass max bytes. */
int ttlv_frame(const uint8_t header[TTLV_HEADER_BYTES], uint32_t tag,
               size_t max, size_t *follow, struct err *e)
    __attribute__((warn_unused_result));

/* The whole message is one well-formed structure: every child within its
 * parent, known types, lengths of fixed types exact, booleans 0 or 1, texts
 * UTF-8, at most TTLV_DEPTH_MAX deep and TTLV_ITEMS_MAX items.  -1 with
 * ERR_CORRUPT otherwise.  Tags are not looked at, nor is what pads. */
int ttlv_check(struct span message, struct err *e)
    __attribute__((warn_unused_result));

/* A message that passed ttlv_check, as the item that it is; false: it is none.
 */
bool ttlv_root(struct span message, struct ttlv_item *root);

/* The children of a structure; none of anything else. */
struct ttlv_cursor ttlv_children(const struct ttlv_item *of);

/* The next item, and moves on.  False at the end (and at what is malformed: a
 * cursor never leaves its memory, checked or not). */
bool ttlv_next(struct ttlv_cursor *c, struct ttlv_item *item);

/* The first child with this tag and type; false where there is none. */
bool ttlv_find(const struct ttlv_item *of, uint32_t tag, enum ttlv_type type,
               struct ttlv_item *item);

/* Values, where the item is of the type; else false. */
bool ttlv_int(const struct ttlv_item *item, int32_t *value);
bool ttlv_enum(const struct ttlv_item *item, uint32_t *value);
bool ttlv_long(const struct ttlv_item *item, int64_t *value);
bool ttlv_bool(const struct ttlv_item *item, bool *value);
bool ttlv_date(const struct ttlv_item *item, int64_t *value);

#endif

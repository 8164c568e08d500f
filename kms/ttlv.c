// SPDX-License-Identifier: Apache-2.0
/* TTLV: writer, check of a whole message, cursors. */
#include "kms/ttlv.h"

#include <string.h>

#include "base/utf8.h"

/* Lengths are 32 bits; padding and sums stay far from their end. */
#define VALUE_MAX ((size_t)1 << 30)

static size_t padded(size_t len)
{
    return (len + 7) & ~(size_t)7;
}

static void store32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void store64(uint8_t *p, uint64_t v)
{
    store32(p, (uint32_t)(v >> 32));
    store32(p + 4, (uint32_t)v);
}

static uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static uint64_t load64(const uint8_t *p)
{
    return (uint64_t)load32(p) << 32 | load32(p + 4);
}

/* --- writing --- */

struct ttlv_writer ttlv_writer(struct buf *out)
{
    return (struct ttlv_writer){ .out = out };
}

static void put_header(struct ttlv_writer *w, uint32_t tag, enum ttlv_type type,
                       size_t len)
{
    uint8_t head[TTLV_HEADER_BYTES];

    store32(head, tag << 8 | (uint32_t)type);
    store32(head + 4, (uint32_t)len);
    buf_append(w->out, head, sizeof(head));
}

/* The value, after `before` bytes with which it begins, and its padding. */
static void put(struct ttlv_writer *w, uint32_t tag, enum ttlv_type type,
                struct span value)
{
    static const uint8_t zeros[8];

    if (value.len > VALUE_MAX) {
        w->wrong = true;
        return;
    }
    put_header(w, tag, type, value.len);
    buf_append(w->out, value.p, value.len);
    buf_append(w->out, zeros, padded(value.len) - value.len);
}

static void put32(struct ttlv_writer *w, uint32_t tag, enum ttlv_type type,
                  uint32_t value)
{
    uint8_t b[4];

    store32(b, value);
    put(w, tag, type, span_of(b, sizeof(b)));
}

static void put64(struct ttlv_writer *w, uint32_t tag, enum ttlv_type type,
                  uint64_t value)
{
    uint8_t b[8];

    store64(b, value);
    put(w, tag, type, span_of(b, sizeof(b)));
}

void ttlv_begin(struct ttlv_writer *w, uint32_t tag)
{
    if (w->depth == TTLV_DEPTH_MAX) {
        w->wrong = true;
        return;
    }
    w->open[w->depth++] = w->out->len;
    put_header(w, tag, TTLV_STRUCTURE, 0);
}

void ttlv_end(struct ttlv_writer *w)
{
    if (w->depth == 0) {
        w->wrong = true;
        return;
    }
    size_t at = w->open[--w->depth];
    if (w->out->failed)
        return;
    size_t len = w->out->len - at - TTLV_HEADER_BYTES;
    if (len > VALUE_MAX)
        w->wrong = true;
    else
        store32(w->out->p + at + 4, (uint32_t)len);
}

void ttlv_put_int(struct ttlv_writer *w, uint32_t tag, int32_t value)
{
    put32(w, tag, TTLV_INTEGER, (uint32_t)value);
}

void ttlv_put_enum(struct ttlv_writer *w, uint32_t tag, uint32_t value)
{
    put32(w, tag, TTLV_ENUM, value);
}

void ttlv_put_long(struct ttlv_writer *w, uint32_t tag, int64_t value)
{
    put64(w, tag, TTLV_LONG, (uint64_t)value);
}

void ttlv_put_bool(struct ttlv_writer *w, uint32_t tag, bool value)
{
    put64(w, tag, TTLV_BOOL, value ? 1 : 0);
}

void ttlv_put_date(struct ttlv_writer *w, uint32_t tag, int64_t value)
{
    put64(w, tag, TTLV_DATE, (uint64_t)value);
}

void ttlv_put_text(struct ttlv_writer *w, uint32_t tag, struct span utf8)
{
    put(w, tag, TTLV_TEXT, utf8);
}

void ttlv_put_bytes(struct ttlv_writer *w, uint32_t tag, struct span value)
{
    put(w, tag, TTLV_BYTES, value);
}

void ttlv_put_big(struct ttlv_writer *w, uint32_t tag, struct span value)
{
    if (value.len == 0 || value.len > VALUE_MAX) {
        w->wrong = true;
        return;
    }
    /* The sign is repeated in front; here that counts in the length. */
    uint8_t sign = (value.p[0] & 0x80) != 0 ? 0xff : 0;
    put_header(w, tag, TTLV_BIG, padded(value.len));
    for (size_t i = value.len; i < padded(value.len); i++)
        buf_append(w->out, &sign, 1);
    buf_append(w->out, value.p, value.len);
}

int ttlv_written(const struct ttlv_writer *w, struct err *e)
{
    if (w->wrong || w->depth != 0)
        return err_set(e, ERR_INTERNAL, 0, "a TTLV message that is not whole");
    return buf_check(w->out, e);
}

/* --- reading --- */

int ttlv_frame(const uint8_t header[TTLV_HEADER_BYTES], uint32_t tag,
               size_t max, size_t *follow, struct err *e)
{
    size_t len = load32(header + 4);

    if (load32(header) != (tag << 8 | TTLV_STRUCTURE))
        return err_set(e, ERR_CORRUPT, 0, "not a KMIP message");
    if (len % 8 != 0)
        return err_set(e, ERR_CORRUPT, 0,
                       "KMIP message of %zu bytes, which is no multiple of 8",
                       len);
    if (max < TTLV_HEADER_BYTES || len > max - TTLV_HEADER_BYTES)
        return err_set(e, ERR_CORRUPT, 0,
                       "KMIP message of %zu bytes; the limit is %zu", len, max);
    *follow = len;
    return 0;
}

/* Takes one item from the front of rest: its header, and a value that with its
 * padding lies within rest.  NULL, or what is wrong. */
static const char *take(struct span *rest, struct ttlv_item *item)
{
    if (rest->len < TTLV_HEADER_BYTES)
        return "an item without a whole header";
    size_t left = rest->len - TTLV_HEADER_BYTES;
    size_t len = load32(rest->p + 4);
    /* len <= left first, so that padding it cannot overflow. */
    if (len > left || padded(len) > left)
        return "an item that is longer than what holds it";
    *item = (struct ttlv_item){ .tag = load32(rest->p) >> 8,
                                .type = (enum ttlv_type)rest->p[3],
                                .value =
                                    span_of(rest->p + TTLV_HEADER_BYTES, len) };
    *rest =
        span_of(rest->p + TTLV_HEADER_BYTES + padded(len), left - padded(len));
    return NULL;
}

static bool is_utf8(struct span s)
{
    while (s.len > 0) {
        size_t n = utf8_len(s.p, s.len);
        if (n == 0)
            return false;
        s = span_of(s.p + n, s.len - n);
    }
    return true;
}

/* What is wrong with a value of this type, or NULL. */
static const char *value_fault(const struct ttlv_item *item)
{
    size_t len = item->value.len;
    static const char wrong[] = "a value whose length is not its type's";

    switch (item->type) {
    case TTLV_STRUCTURE:
        return len % 8 == 0 ? NULL : wrong;
    case TTLV_INTEGER:
    case TTLV_ENUM:
    case TTLV_INTERVAL:
        return len == 4 ? NULL : wrong;
    case TTLV_LONG:
    case TTLV_DATE:
    case TTLV_DATE_MICRO:
        return len == 8 ? NULL : wrong;
    case TTLV_BIG:
        return len > 0 && len % 8 == 0 ? NULL : wrong;
    case TTLV_BOOL:
        if (len != 8)
            return wrong;
        return load64(item->value.p) <= 1 ? NULL : "a boolean beyond 1";
    case TTLV_TEXT:
        return is_utf8(item->value) ? NULL : "a text that is not UTF-8";
    case TTLV_BYTES:
        return NULL;
    }
    return "an item of an unknown type";
}

/* The walk of ttlv_check: what is left of each open structure. */
struct walk {
    struct span rest[TTLV_DEPTH_MAX];
    unsigned depth; /* open structures */
    unsigned items;
};

/* One item of what is left of the innermost structure. */
static const char *step(struct walk *k, struct span *from)
{
    struct ttlv_item item;
    const char *fault = take(from, &item);

    if (fault == NULL)
        fault = value_fault(&item);
    if (fault != NULL)
        return fault;
    if (++k->items > TTLV_ITEMS_MAX)
        return "too many items";
    if (item.type != TTLV_STRUCTURE)
        return NULL;
    if (k->depth == TTLV_DEPTH_MAX)
        return "structures nested too deep";
    k->rest[k->depth++] = item.value;
    return NULL;
}

int ttlv_check(struct span message, struct err *e)
{
    struct walk k = { .depth = 0 };
    const char *fault = step(&k, &message);

    if (fault == NULL && (k.depth == 0 || message.len != 0))
        fault = "it is not one structure";
    while (fault == NULL && k.depth > 0) {
        struct span *innermost = &k.rest[k.depth - 1];
        if (innermost->len == 0)
            k.depth--;
        else
            fault = step(&k, innermost);
    }
    if (fault != NULL)
        return err_set(e, ERR_CORRUPT, 0, "malformed KMIP message: %s", fault);
    return 0;
}

bool ttlv_root(struct span message, struct ttlv_item *root)
{
    return take(&message, root) == NULL && root->type == TTLV_STRUCTURE;
}

struct ttlv_cursor ttlv_children(const struct ttlv_item *of)
{
    return (struct ttlv_cursor){
        .rest = of->type == TTLV_STRUCTURE ? of->value : span_of(NULL, 0),
    };
}

bool ttlv_next(struct ttlv_cursor *c, struct ttlv_item *item)
{
    if (c->rest.len > 0 && take(&c->rest, item) == NULL)
        return true;
    c->rest = span_of(NULL, 0);
    return false;
}

bool ttlv_find(const struct ttlv_item *of, uint32_t tag, enum ttlv_type type,
               struct ttlv_item *item)
{
    struct ttlv_cursor c = ttlv_children(of);

    while (ttlv_next(&c, item))
        if (item->tag == tag && item->type == type)
            return true;
    return false;
}

static bool is(const struct ttlv_item *item, enum ttlv_type type, size_t len)
{
    return item->type == type && item->value.len == len;
}

bool ttlv_int(const struct ttlv_item *item, int32_t *value)
{
    if (!is(item, TTLV_INTEGER, 4))
        return false;
    *value = (int32_t)load32(item->value.p);
    return true;
}

bool ttlv_enum(const struct ttlv_item *item, uint32_t *value)
{
    if (!is(item, TTLV_ENUM, 4))
        return false;
    *value = load32(item->value.p);
    return true;
}

bool ttlv_long(const struct ttlv_item *item, int64_t *value)
{
    if (!is(item, TTLV_LONG, 8))
        return false;
    *value = (int64_t)load64(item->value.p);
    return true;
}

bool ttlv_bool(const struct ttlv_item *item, bool *value)
{
    if (!is(item, TTLV_BOOL, 8))
        return false;
    *value = load64(item->value.p) != 0;
    return true;
}

bool ttlv_date(const struct ttlv_item *item, int64_t *value)
{
    if (!is(item, TTLV_DATE, 8))
        return false;
    *value = (int64_t)load64(item->value.p);
    return true;
}

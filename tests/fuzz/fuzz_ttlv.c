// SPDX-License-Identifier: Apache-2.0
/* TTLV.  Input: a message.  What passes the check is walked to its end by
 * cursors, and written again comes out as it was but for its padding; what does
 * not pass is walked all the same, and no cursor leaves its memory. */
#include <string.h>

#include "kms/ttlv.h"
#include "tests/fuzz/fuzz_mf.h"

static void write_again(const struct ttlv_item *item, struct ttlv_writer *w);

static void write_children(const struct ttlv_item *item, struct ttlv_writer *w)
{
    struct ttlv_cursor c = ttlv_children(item);
    struct ttlv_item child;

    ttlv_begin(w, item->tag);
    while (ttlv_next(&c, &child))
        write_again(&child, w);
    ttlv_end(w);
}

/* Types that are not written (intervals, microseconds) stand as bytes of the
 * same length. */
static void write_again(const struct ttlv_item *item, struct ttlv_writer *w)
{
    int32_t i = 0;
    uint32_t u = 0;
    int64_t l = 0;
    bool b = false;

    if (item->type == TTLV_STRUCTURE)
        write_children(item, w);
    else if (ttlv_int(item, &i))
        ttlv_put_int(w, item->tag, i);
    else if (ttlv_enum(item, &u))
        ttlv_put_enum(w, item->tag, u);
    else if (ttlv_long(item, &l))
        ttlv_put_long(w, item->tag, l);
    else if (ttlv_date(item, &l))
        ttlv_put_date(w, item->tag, l);
    else if (ttlv_bool(item, &b))
        ttlv_put_bool(w, item->tag, b);
    else if (item->type == TTLV_BIG)
        ttlv_put_big(w, item->tag, item->value);
    else if (item->type == TTLV_TEXT)
        ttlv_put_text(w, item->tag, item->value);
    else
        ttlv_put_bytes(w, item->tag, item->value);
}

/* The same items with the same values. */
static void compare(const struct ttlv_item *a, const struct ttlv_item *b)
{
    struct ttlv_cursor of_a = ttlv_children(a);
    struct ttlv_cursor of_b = ttlv_children(b);
    struct ttlv_item x, y;

    MUST(a->tag == b->tag && a->value.len == b->value.len);
    if (a->type != TTLV_STRUCTURE) {
        MUST(span_eq(a->value, b->value));
        return;
    }
    while (ttlv_next(&of_a, &x)) {
        MUST(ttlv_next(&of_b, &y));
        compare(&x, &y);
    }
    MUST(!ttlv_next(&of_b, &y));
}

/* As deep as a cursor finds structures, checked or not. */
static void walk(struct ttlv_cursor c, unsigned depth, size_t *sum)
{
    struct ttlv_item item;

    while (*sum < 100000 && ttlv_next(&c, &item)) {
        for (size_t i = 0; i < item.value.len; i++)
            *sum += item.value.p[i] != 0 ? 1 : 0;
        if (depth < TTLV_DEPTH_MAX)
            walk(ttlv_children(&item), depth + 1, sum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span message = span_of(data, size);
    struct err e = { 0 };
    struct ttlv_item root, again;
    size_t follow = 0, sum = 0;

    walk((struct ttlv_cursor){ .rest = message }, 0, &sum);
    if (ttlv_check(message, &e) < 0) {
        MUST(e.kind == ERR_CORRUPT);
        return 0;
    }
    MUST(ttlv_root(message, &root));
    MUST(ttlv_frame(data, root.tag, size, &follow, &e) == 0);
    MUST(follow == size - TTLV_HEADER_BYTES);
    MUST(ttlv_frame(data, root.tag, size - 1, &follow, &e) < 0);
    AUTO_BUF struct buf b = buf_init(size);
    struct ttlv_writer w = ttlv_writer(&b);
    write_again(&root, &w);
    MUST(ttlv_written(&w, &e) == 0);
    MUST(b.len == size);
    MUST(ttlv_check(buf_span(&b), &e) == 0);
    MUST(ttlv_root(buf_span(&b), &again));
    compare(&root, &again);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// Writes JSON token by token into a buffer.  The writer knows only what commas
// and indents need; a call that does not fit its place (a level too many, an
// end without a beginning) marks the buffer as failed, like lack of room.
#include "base/jsonw.h"

#include <inttypes.h>
#include <string.h>

#include "base/utc.h"

struct jsonw jsonw_init(struct buf *out, bool indented)
{
    return (struct jsonw){ .out = out, .indented = indented };
}

static void line_break(struct jsonw *w)
{
    if (!w->indented)
        return;
    buf_append_char(w->out, '\n');
    for (unsigned i = 0; i < w->depth; i++)
        buf_append(w->out, "  ", 2);
}

/* What stands between the element before and a new key or element. */
static void separate(struct jsonw *w)
{
    if (w->depth == 0)
        return;
    if (w->some[w->depth - 1])
        buf_append_char(w->out, ',');
    w->some[w->depth - 1] = true;
    line_break(w);
}

static void before_value(struct jsonw *w)
{
    if (!w->after_key)
        separate(w);
    w->after_key = false;
}

static void append_escaped(struct buf *out, uint8_t c)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letter[] = "\"\\bfnrt";
    const char *p = memchr(plain, c, sizeof(plain) - 1);
    if (p == NULL) {
        buf_printf(out, "\\u%04x", c);
        return;
    }
    buf_append_char(out, '\\');
    buf_append_char(out, letter[p - plain]);
}

static void append_quoted(struct buf *out, const char *s)
{
    buf_append_char(out, '"');
    const char *from = s;
    for (; *s != '\0'; s++) {
        uint8_t c = (uint8_t)*s;
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(out, from, (size_t)(s - from));
        append_escaped(out, c);
        from = s + 1;
    }
    buf_append(out, from, (size_t)(s - from));
    buf_append_char(out, '"');
}

void jsonw_key(struct jsonw *w, const char *name)
{
    separate(w);
    append_quoted(w->out, name);
    buf_append_char(w->out, ':');
    if (w->indented)
        buf_append_char(w->out, ' ');
    w->after_key = true;
}

static void container_open(struct jsonw *w, char c)
{
    before_value(w);
    if (w->depth == JSONW_DEPTH) {
        w->out->failed = true;
        return;
    }
    buf_append_char(w->out, c);
    w->some[w->depth++] = false;
}

static void container_end(struct jsonw *w, char c)
{
    if (w->depth == 0 || w->after_key) {
        w->out->failed = true;
        return;
    }
    w->depth--;
    if (w->some[w->depth])
        line_break(w);
    buf_append_char(w->out, c);
}

void jsonw_object(struct jsonw *w)
{
    container_open(w, '{');
}

void jsonw_array(struct jsonw *w)
{
    container_open(w, '[');
}

void jsonw_end_object(struct jsonw *w)
{
    container_end(w, '}');
}

void jsonw_end_array(struct jsonw *w)
{
    container_end(w, ']');
}

void jsonw_raw(struct jsonw *w, const char *json)
{
    before_value(w);
    buf_append_str(w->out, json);
}

void jsonw_string(struct jsonw *w, const char *s)
{
    if (s == NULL) {
        jsonw_null(w);
        return;
    }
    before_value(w);
    append_quoted(w->out, s);
}

void jsonw_uint(struct jsonw *w, uint64_t v)
{
    before_value(w);
    buf_printf(w->out, "%" PRIu64, v);
}

void jsonw_int(struct jsonw *w, int64_t v)
{
    before_value(w);
    buf_printf(w->out, "%" PRId64, v);
}

void jsonw_double(struct jsonw *w, double v, int decimals)
{
    /* JSON has no word for infinities and not-a-number. */
    if (!__builtin_isfinite(v)) {
        jsonw_null(w);
        return;
    }
    before_value(w);
    buf_printf(w->out, "%.*f", decimals, v);
}

void jsonw_bool(struct jsonw *w, bool v)
{
    jsonw_raw(w, v ? "true" : "false");
}

void jsonw_null(struct jsonw *w)
{
    jsonw_raw(w, "null");
}

void jsonw_time(struct jsonw *w, int64_t t)
{
    char iso[UTC_ISO_CHARS];
    utc_format_iso(t, iso);
    jsonw_string(w, iso);
}

void jsonw_hex(struct jsonw *w, const uint8_t *p, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    before_value(w);
    buf_append_char(w->out, '"');
    for (size_t i = 0; i < len; i++) {
        char pair[2] = { digits[p[i] >> 4], digits[p[i] & 15] };
        buf_append(w->out, pair, sizeof(pair));
    }
    buf_append_char(w->out, '"');
}

void jsonw_kstring(struct jsonw *w, const char *k, const char *s)
{
    jsonw_key(w, k);
    jsonw_string(w, s);
}

void jsonw_kuint(struct jsonw *w, const char *k, uint64_t v)
{
    jsonw_key(w, k);
    jsonw_uint(w, v);
}

void jsonw_kbool(struct jsonw *w, const char *k, bool v)
{
    jsonw_key(w, k);
    jsonw_bool(w, v);
}

void jsonw_knull(struct jsonw *w, const char *k)
{
    jsonw_key(w, k);
    jsonw_null(w);
}

void jsonw_ktime(struct jsonw *w, const char *k, int64_t t)
{
    jsonw_key(w, k);
    jsonw_time(w, t);
}

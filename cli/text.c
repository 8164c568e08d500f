// SPDX-License-Identifier: Apache-2.0
/*
 * Text for people: names from images and repositories made harmless for a
 * terminal, wrapped paragraphs, aligned tables.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "base/utc.h"
#include "cli/cli.h"

#define COLUMNS 80
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Bytes of the UTF-8 sequence at s (RFC 3629), 0 where it is none. */
static size_t utf8_len(const unsigned char *s)
{
    size_t n = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        n = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        n = 3;
        if (s[0] == 0xe0)
            low = 0xa0;
        if (s[0] == 0xed)
            high = 0x9f;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        n = 4;
        if (s[0] == 0xf0)
            low = 0x90;
        if (s[0] == 0xf4)
            high = 0x8f;
    } else {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if (s[i] < low || s[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

void cli_clean(struct buf *out, const char *s)
{
    const unsigned char *at = (const unsigned char *)s;
    while (*at != '\0') {
        size_t n = utf8_len(at);
        bool c1 = n == 2 && at[0] == 0xc2 && at[1] < 0xa0;
        if (n == 0 || c1) {
            buf_append_str(out, REPLACEMENT);
            at += n == 0 ? 1 : n;
        } else if (*at < 0x20 || *at == 0x7f) {
            buf_append_char(out, ' ');
            at++;
        } else {
            buf_append(out, at, n);
            at += n;
        }
    }
}

size_t cli_width(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

void cli_wrap(struct buf *out, const char *text, size_t indent, size_t at)
{
    bool first = true;
    while (*text != '\0') {
        size_t n = strcspn(text, " \n");
        if (n > 0) {
            if (!first && at + 1 + n > COLUMNS) {
                buf_printf(out, "\n%*s", (int)indent, "");
                at = indent;
                first = true;
            }
            if (!first) {
                buf_append_char(out, ' ');
                at++;
            }
            buf_append(out, text, n);
            at += n;
            first = false;
        }
        text += n;
        if (*text == '\n') {
            buf_printf(out, "\n\n%*s", (int)indent, "");
            at = indent;
            first = true;
        }
        text += *text != '\0';
    }
    buf_append_char(out, '\n');
}

void cli_table_add(struct cli_table *t, const char *fmt, ...)
{
    if (t->n == t->cap && !t->failed) {
        size_t cap = t->cap == 0 ? 64 : t->cap * 2;
        char **more = reallocarray(t->cells, cap, sizeof *more);
        if (more != NULL) {
            t->cells = more;
            t->cap = cap;
        }
        t->failed = more == NULL;
    }
    if (t->failed)
        return;
    va_list ap;
    AUTO_MEM char *text = NULL;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    AUTO_BUF struct buf clean = buf_init(8192);
    if (text != NULL)
        cli_clean(&clean, text);
    char *cell = text != NULL ? strdup(buf_cstr(&clean)) : NULL;
    t->failed = cell == NULL;
    if (cell != NULL)
        t->cells[t->n++] = cell;
}

void cli_table_size(struct cli_table *t, uint64_t bytes)
{
    char text[UNITS_TEXT_CHARS];
    units_format_size(bytes, text);
    cli_table_add(t, "%s", text);
}

void cli_table_time(struct cli_table *t, int64_t time)
{
    char iso[UTC_ISO_CHARS] = "-";

    if (time != 0)
        utc_format_iso(time, iso);
    cli_table_add(t, "%s", iso);
}

void cli_table_made(struct cli_table *t, const struct cli_made *made)
{
    static const char *const heads[] = { "POINT",     "KIND",   "READ",
                                         "BLOCKS",    "STORED", "TIME",
                                         "BOTTLENECK" };

    t->align = "llrrrrl";
    for (size_t i = 0; t->n < sizeof heads / sizeof heads[0]; i++)
        cli_table_add(t, "%s", heads[i]);
    cli_table_add(t, "%s", made->point);
    cli_table_add(t, "%s", made->kind);
    cli_table_size(t, made->read_bytes);
    cli_table_add(t, "%" PRIu64 " new", made->new_blocks);
    cli_table_size(t, made->stored_bytes);
    cli_table_add(t, "%.1f s", made->seconds);
    cli_table_add(t, "%s", made->bottleneck != NULL ? made->bottleneck : "");
}

void cli_table_print(struct cli_table *t, struct buf *out)
{
    size_t columns = strlen(t->align);
    size_t widths[16] = { 0 };
    if (t->failed || columns > sizeof widths / sizeof widths[0]) {
        out->failed = true;
        out->nomem = t->failed;
        return;
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t w = cli_width(t->cells[i]);
        if (w > widths[i % columns])
            widths[i % columns] = w;
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t column = i % columns;
        int pad = (int)(widths[column] - cli_width(t->cells[i]));
        bool last = column + 1 == columns;
        bool right = t->align[column] == 'r';
        buf_printf(out, "%*s%s", right ? pad : 0, "", t->cells[i]);
        if (!last) {
            buf_printf(out, "%*s", 2 + (right ? 0 : pad), "");
            continue;
        }
        while (!out->failed && out->len > 0 && out->p[out->len - 1] == ' ')
            out->len--;
        buf_append_char(out, '\n');
    }
}

void cli_table_free(struct cli_table *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct cli_table){ 0 };
}

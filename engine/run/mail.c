// SPDX-License-Identifier: Apache-2.0
/*
 * A mail as a program like sendmail takes it.  Headers hold one line of ASCII
 * each, whatever the texts were: controls are gone before anything is written,
 * other characters are encoded words (RFC 2047), the body is quoted-printable
 * (RFC 2045, 6.7).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "base/utf8.h"
#include "engine/run/notify_impl.h"

#define LINE_CHARS 76  /* of the body */
#define WORD_BYTES 42  /* of text in an encoded word: 56 of its 75 letters */
#define PLAIN_CHARS 66 /* of a subject that needs no folding */

static bool is_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] < ' ' || s[i] > '~')
            return false;
    return true;
}

static void put_base64(struct buf *out, const uint8_t *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/=";

    for (size_t i = 0; i < n; i += 3) {
        uint32_t three = (uint32_t)p[i] << 16;
        three |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
        three |= i + 2 < n ? p[i + 2] : 0;
        buf_append_char(out, digits[three >> 18]);
        buf_append_char(out, digits[three >> 12 & 63]);
        buf_append_char(out, digits[i + 1 < n ? three >> 6 & 63 : 64]);
        buf_append_char(out, digits[i + 2 < n ? three & 63 : 64]);
    }
}

/* Words of whole characters, each on a line of its own. */
static void put_encoded(struct buf *out, const char *s, size_t n)
{
    const uint8_t *p = (const uint8_t *)s;

    while (n > 0) {
        size_t some = 0;
        while (some < n) {
            size_t one = utf8_len(p + some, n - some);
            one = one == 0 ? 1 : one;
            if (some + one > WORD_BYTES)
                break;
            some += one;
        }
        buf_append_str(out, "=?utf-8?B?");
        put_base64(out, p, some);
        buf_append_str(out, "?=");
        p += some;
        n -= some;
        if (n > 0)
            buf_append_str(out, "\n ");
    }
}

static void put_subject(struct buf *out, const char *text)
{
    size_t n = strlen(text);

    if (n <= PLAIN_CHARS && is_plain(text, n) && strstr(text, "=?") == NULL)
        buf_append(out, text, n);
    else
        put_encoded(out, text, n);
}

/* `Name <address>`, or an address alone.  A name that is no ASCII loses its
 * quotes and is encoded. */
static void put_address(struct buf *out, const char *s, size_t n)
{
    const char *angle = memrchr(s, '<', n);
    size_t name = angle != NULL ? (size_t)(angle - s) : 0;

    if (is_plain(s, name)) {
        buf_append(out, s, n);
        return;
    }
    while (name > 0 && (s[name - 1] == ' ' || s[name - 1] == '"'))
        name--;
    while (name > 0 && (*s == ' ' || *s == '"')) {
        s++;
        name--;
        n--;
    }
    put_encoded(out, s, name);
    buf_append_char(out, ' ');
    buf_append(out, angle, n - (size_t)(angle - s));
}

/* Addresses with commas between, each on a line of its own. */
static void put_addresses(struct buf *out, const char *list)
{
    const char *s = list;

    for (;;) {
        bool quoted = false;
        size_t n = 0;
        s += strspn(s, " ");
        for (; s[n] != '\0' && (quoted || s[n] != ','); n++)
            quoted ^= s[n] == '"';
        put_address(out, s, n);
        if (s[n] == '\0')
            return;
        buf_append_str(out, ",\n ");
        s += n + 1;
    }
}

/* One line of a header: without controls, and with what is UTF-8 only. */
static char *one_line(struct buf *out, const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        out->failed = out->nomem = true;
    else
        utf8_clean(copy, false);
    return copy;
}

static void put_header(struct buf *out, const char *name, const char *text,
                       void (*put)(struct buf *out, const char *text))
{
    AUTO_MEM char *line = one_line(out, text);

    buf_printf(out, "%s: ", name);
    if (line != NULL)
        put(out, line);
    buf_append_char(out, '\n');
}

/* What a host's name may hold, of it. */
static void put_host(struct buf *out, const char *host)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    size_t before = out->len;

    for (const char *p = host != NULL ? host : ""; *p != '\0'; p++)
        if (strchr(allowed, *p) != NULL)
            buf_append_char(out, *p);
    if (out->len == before)
        buf_append_str(out, "localhost");
}

static void put_from(struct buf *out, const struct eng_mail *m)
{
    if (m->from != NULL) {
        put_header(out, "From", m->from, put_addresses);
        return;
    }
    buf_append_str(out, "From: objvault <objvault@");
    put_host(out, m->host);
    buf_append_str(out, ">\n");
}

static void put_date(struct buf *out, int64_t date)
{
    char http[UTC_HTTP_CHARS];

    utc_format_http(date, http);
    buf_printf(out, "Date: %.*s +0000\n", (int)strlen(http) - 4, http);
}

/* A byte of the body as it is written: at most three letters. */
static size_t quoted(uint8_t c, bool last, size_t column, char out[4])
{
    /* A dot alone would end the mail for some programs, and blanks at the end
     * of a line get lost. */
    bool plain =
        (c > ' ' && c <= '~' && c != '=' && (c != '.' || column > 0)) ||
        (c == ' ' && !last);

    if (plain)
        snprintf(out, 4, "%c", c);
    else
        snprintf(out, 4, "=%02X", c);
    return plain ? 1 : 3;
}

static void put_body(struct buf *out, const char *body)
{
    const uint8_t *p = (const uint8_t *)body;
    size_t column = 0;

    for (; *p != '\0'; p++) {
        char text[4];
        if (*p == '\n') {
            buf_append_char(out, '\n');
            column = 0;
            continue;
        }
        size_t n = quoted(*p, p[1] == '\n' || p[1] == '\0', column, text);
        if (column + n > LINE_CHARS - 1) {
            buf_append_str(out, "=\n");
            column = 0;
            n = quoted(*p, p[1] == '\n' || p[1] == '\0', column, text);
        }
        buf_append_str(out, text);
        column += n;
    }
    if (column > 0)
        buf_append_char(out, '\n');
}

void eng_mail_compose(const struct eng_mail *m, struct buf *out)
{
    put_from(out, m);
    put_header(out, "To", m->to, put_addresses);
    put_header(out, "Subject", m->subject, put_subject);
    put_date(out, m->date);
    buf_append_str(out, "Message-ID: <");
    put_host(out, m->id);
    buf_append_char(out, '@');
    put_host(out, m->host);
    buf_append_str(out, ">\nAuto-Submitted: auto-generated\n"
                        "MIME-Version: 1.0\n"
                        "Content-Type: text/plain; charset=utf-8\n"
                        "Content-Transfer-Encoding: quoted-printable\n\n");
    put_body(out, m->body);
}

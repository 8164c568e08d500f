// SPDX-License-Identifier: Apache-2.0
/*
 * What answers are made of: errors, XML bodies, and the reading of the few XML
 * bodies that requests bring.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/s3server/impl.h"

const char *s3server_reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 206:
        return "Partial Content";
    case 304:
        return "Not Modified";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 412:
        return "Precondition Failed";
    case 503:
        return "Slow Down";
    default:
        return status < 400 ? "Other" : "Error";
    }
}

void s3server_escape(struct buf *xml, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte < 0x20 || strchr("&<>\"'", *c) != NULL)
            buf_printf(xml, "&#%u;", (unsigned)byte);
        else
            buf_append_char(xml, *c);
    }
}

void s3server_xml(struct s3_answer *a, struct buf *xml)
{
    struct err e;

    if (buf_check(xml, &e) < 0)
        abort();
    buf_append_str(&a->headers, "Content-Type: application/xml\r\n");
    s3server_blob_unref(a->body);
    a->body = s3server_blob_new(xml->p, xml->len);
    a->from = 0;
    a->len = xml->len;
}

void s3server_error(struct s3_answer *a, const struct s3_request *q, int status,
                    const char *code, const char *message, const char *more)
{
    AUTO_BUF struct buf xml = buf_init(64u << 10);

    buf_append_str(&xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    buf_printf(&xml, "<Code>%s</Code><Message>", code);
    s3server_escape(&xml, message);
    buf_append_str(&xml, "</Message>");
    if (q->key != NULL && q->key[0] != '\0') {
        buf_append_str(&xml, "<Key>");
        s3server_escape(&xml, q->key);
        buf_append_str(&xml, "</Key>");
    }
    buf_printf(&xml, "%s<RequestId>%s</RequestId><HostId>host</HostId></Error>",
               more == NULL ? "" : more, a->request_id);
    a->status = status;
    s3server_xml(a, &xml);
    /* The answer to HEAD has no body and so no code. */
    if (q->method != NULL && strcmp(q->method, "HEAD") == 0) {
        a->len = 0;
        a->is_head = true;
    }
}

static void append_entity(struct buf *out, const char *name, size_t n)
{
    static const struct {
        const char *name;
        char c;
    } known[] = { { "amp", '&' },
                  { "lt", '<' },
                  { "gt", '>' },
                  { "quot", '"' },
                  { "apos", '\'' } };

    if (n > 1 && name[0] == '#') {
        bool is_hex = name[1] == 'x';
        unsigned long c =
            strtoul(name + (is_hex ? 2 : 1), NULL, is_hex ? 16 : 10);
        buf_append_char(out, (char)c); /* what clients escape is ASCII */
        return;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) == n && strncmp(known[i].name, name, n) == 0)
            buf_append_char(out, known[i].c);
    }
}

static void unescape(const char *text, size_t n, char *out, size_t cap)
{
    AUTO_BUF struct buf b = buf_init(cap - 1);

    for (size_t i = 0; i < n; i++) {
        const char *semicolon =
            text[i] == '&' ? memchr(text + i, ';', n - i) : NULL;
        if (semicolon == NULL) {
            buf_append_char(&b, text[i]);
            continue;
        }
        append_entity(&b, text + i + 1, (size_t)(semicolon - text) - i - 1);
        i = (size_t)(semicolon - text);
    }
    snprintf(out, cap, "%s", buf_cstr(&b));
}

bool s3server_element(const char *doc, const char **at, const char *tag,
                      char *out, size_t cap)
{
    char open[64], close[64];
    const char *from = *at != NULL ? *at : doc;

    snprintf(open, sizeof open, "<%s", tag);
    snprintf(close, sizeof close, "</%s>", tag);
    for (const char *p = strstr(from, open); p != NULL; p = strstr(p, open)) {
        p += strlen(open);
        if (*p != '>' && *p != ' ')
            continue; /* a longer name */
        const char *begin = strchr(p, '>');
        const char *end = begin == NULL ? NULL : strstr(begin, close);
        if (end == NULL)
            return false;
        unescape(begin + 1, (size_t)(end - begin) - 1, out, cap);
        *at = end + strlen(close);
        return true;
    }
    return false;
}

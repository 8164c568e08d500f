// SPDX-License-Identifier: Apache-2.0
/*
 * Listings of keys and of versions, page by page.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "tests/s3server/impl.h"

#define XML_MAX (64u << 20)

struct list {
    struct s3_work *w;
    struct buf rows;
    const char *prefix;
    bool url;
    unsigned max;
    unsigned n;
};

/* AWS's encoding-type=url: blanks become '+', slashes and '*' stay. */
static void add_text(const struct list *l, struct buf *xml, const char *text)
{
    if (!l->url) {
        s3server_escape(xml, text);
        return;
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == ' ')
            buf_append_char(xml, '+');
        else if (isalnum((unsigned char)*c) || strchr("-._/*", *c) != NULL)
            buf_append_char(xml, *c);
        else
            buf_printf(xml, "%%%02X", (unsigned)(unsigned char)*c);
    }
}

static bool begin(struct s3_work *w, struct list *l)
{
    const char *max = s3server_param(w->q, "max-keys");
    const char *prefix = s3server_param(w->q, "prefix");
    const char *encoding = s3server_param(w->q, "encoding-type");
    const char *delimiter = s3server_param(w->q, "delimiter");
    char *end = NULL;
    unsigned long n = max == NULL ? 1000 : strtoul(max, &end, 10);

    if (max != NULL && (*max == '-' || end == max || *end != '\0')) {
        s3server_fail(w, 400, "InvalidArgument",
                      "Provided max-keys not an integer");
        return false;
    }
    if (delimiter != NULL && *delimiter != '\0') {
        s3server_fail(w, 501, "NotImplemented", "no delimiters here");
        return false;
    }
    *l = (struct list){ .w = w, .rows = buf_init(XML_MAX) };
    l->max = n < w->s->opts.page ? (unsigned)n : w->s->opts.page;
    l->prefix = prefix == NULL ? "" : prefix;
    l->url = encoding != NULL && strcmp(encoding, "url") == 0;
    return true;
}

static bool has_prefix(const struct list *l, const char *key)
{
    return strncmp(key, l->prefix, strlen(l->prefix)) == 0;
}

static void add_row(struct list *l, const struct s3_object *o,
                    const struct s3_version *v, bool versions)
{
    const char *tag =
        !versions ? "Contents" : (v->marker ? "DeleteMarker" : "Version");
    char modified[UTC_ISO_CHARS];
    struct buf *b = &l->rows;

    utc_format_iso(v->modified, modified);
    buf_printf(b, "<%s><Key>", tag);
    add_text(l, b, o->key);
    buf_printf(b, "</Key><LastModified>%.19s.000Z</LastModified>", modified);
    if (versions)
        buf_printf(b, "<VersionId>%s</VersionId><IsLatest>%s</IsLatest>", v->id,
                   v == s3server_newest(o) ? "true" : "false");
    if (!v->marker)
        buf_printf(b, "<ETag>&quot;%s&quot;</ETag><Size>%zu</Size>", v->etag,
                   v->body->len);
    buf_printf(b, "<StorageClass>STANDARD</StorageClass></%s>", tag);
    l->n++;
}

static void finish(struct list *l, const char *root, const char *frame)
{
    AUTO_BUF struct buf xml = buf_init(XML_MAX);

    buf_printf(&xml,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s " S3SERVER_XMLNS
               "><Name>%s</Name><MaxKeys>%u</MaxKeys>",
               root, l->w->q->bucket, l->max);
    buf_append_str(&xml, "<Prefix>");
    add_text(l, &xml, l->prefix);
    buf_printf(&xml, "</Prefix>%s%s",
               l->url ? "<EncodingType>url</EncodingType>" : "", frame);
    buf_append(&xml, l->rows.p, l->rows.len);
    buf_printf(&xml, "</%s>", root);
    s3server_xml(l->w->a, &xml);
    buf_free(&l->rows);
}

/* Tokens are opaque: the last key in hex, and a letter before it. */
static void make_token(const char *key, struct buf *out)
{
    buf_append_char(out, 'T');
    for (; *key != '\0'; key++)
        buf_printf(out, "%02x/+", (unsigned)(unsigned char)*key);
}

static bool read_token(const char *text, char key[S3SERVER_KEY_MAX + 1])
{
    size_t n = 0;

    if (*text++ != 'T')
        return false;
    for (; *text != '\0'; text += 4) {
        unsigned byte;
        if (n == S3SERVER_KEY_MAX || strlen(text) < 4 ||
            strncmp(text + 2, "/+", 2) != 0 || sscanf(text, "%2x", &byte) != 1)
            return false;
        key[n++] = (char)byte;
    }
    key[n] = '\0';
    return true;
}

void s3server_list_keys(struct s3_work *w)
{
    const char *token = s3server_param(w->q, "continuation-token");
    const char *after = s3server_param(w->q, "start-after");
    char from[S3SERVER_KEY_MAX + 1] = "";
    AUTO_BUF struct buf frame = buf_init(64u << 10);
    struct list l;

    if (token != NULL && !read_token(token, from)) {
        s3server_fail(w, 400, "InvalidArgument",
                      "The continuation token provided is incorrect");
        return;
    }
    if (token == NULL && after != NULL)
        snprintf(from, sizeof from, "%s", after);
    if (!begin(w, &l))
        return;
    const char *start = strcmp(from, l.prefix) > 0 ? from : l.prefix;
    const char *last = NULL;
    bool more = false;
    for (size_t i = s3server_lower_bound(w->b, start); i < w->b->n; i++) {
        const struct s3_object *o = w->b->objects[i];
        const struct s3_version *v = s3server_newest(o);
        if (!has_prefix(&l, o->key))
            break;
        if (v == NULL || v->marker ||
            (*from != '\0' && strcmp(o->key, from) == 0))
            continue;
        more = l.n == l.max && l.max > 0;
        if (l.n == l.max)
            break;
        add_row(&l, o, v, false);
        last = o->key;
    }
    buf_printf(&frame, "<KeyCount>%u</KeyCount><IsTruncated>%s</IsTruncated>",
               l.n, more ? "true" : "false");
    if (more) {
        buf_append_str(&frame, "<NextContinuationToken>");
        make_token(last, &frame);
        buf_append_str(&frame, "</NextContinuationToken>");
    }
    finish(&l, "ListBucketResult", buf_cstr(&frame));
}

/* Where a page of versions ended. */
struct place {
    const struct s3_object *o;
    const struct s3_version *v;
};

/* The versions of one key, newest first, behind the marker.  False: the page
 * is full, and there is more. */
static bool list_one(struct list *l, const struct s3_object *o,
                     const char *behind, struct place *last)
{
    bool on = behind == NULL;

    for (size_t i = o->n; i > 0; i--) {
        const struct s3_version *v = o->versions[i - 1];
        if (!on) {
            on = strcmp(v->id, behind) == 0;
            continue;
        }
        if (l->n == l->max)
            return false;
        add_row(l, o, v, true);
        *last = (struct place){ o, v };
    }
    return true;
}

void s3server_list_versions(struct s3_work *w)
{
    const char *from = s3server_param(w->q, "key-marker");
    const char *id = s3server_param(w->q, "version-id-marker");
    AUTO_BUF struct buf frame = buf_init(64u << 10);
    struct place last = { NULL, NULL };
    struct list l;

    if (id != NULL && *id != '\0' && from == NULL) {
        s3server_fail(w, 400, "InvalidArgument",
                      "A version-id marker cannot be specified without a key "
                      "marker.");
        return;
    }
    if (!begin(w, &l))
        return;
    from = from == NULL ? "" : from;
    id = id != NULL && *id == '\0' ? NULL : id;
    const char *start = strcmp(from, l.prefix) > 0 ? from : l.prefix;
    bool more = false;
    for (size_t i = s3server_lower_bound(w->b, start); i < w->b->n && !more;
         i++) {
        const struct s3_object *o = w->b->objects[i];
        bool same = *from != '\0' && strcmp(o->key, from) == 0;
        if (!has_prefix(&l, o->key))
            break;
        if (same && id == NULL)
            continue;
        more = !list_one(&l, o, same ? id : NULL, &last) && l.max > 0;
    }
    buf_printf(&frame, "<IsTruncated>%s</IsTruncated>",
               more ? "true" : "false");
    if (more) {
        buf_append_str(&frame, "<NextKeyMarker>");
        add_text(&l, &frame, last.o->key);
        buf_printf(&frame,
                   "</NextKeyMarker><NextVersionIdMarker>%s"
                   "</NextVersionIdMarker>",
                   last.v->id);
    }
    finish(&l, "ListVersionsResult", buf_cstr(&frame));
}

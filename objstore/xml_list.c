// SPDX-License-Identifier: Apache-2.0
/*
 * Readers of S3's listings and of the results of multi-deletes, and the writer
 * of their requests.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "base/xml_walk.h"
#include "objstore/xml.h"
#include "objstore/xml_answer.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

void obj_xml_url_decode(char *text)
{
    char *to = text;

    for (const char *s = text; *s != '\0'; s++) {
        int high = s[0] == '%' ? hex_digit(s[1]) : -1;
        int low = high >= 0 ? hex_digit(s[2]) : -1;
        int byte = high * 16 + low;
        /* %00 would cut the key short: it stays as it came. */
        if (low >= 0 && byte != 0) {
            *to++ = (char)byte;
            s += 2;
        } else {
            *to = *s;
            if (*s == '+')
                *to = ' ';
            to++;
        }
    }
    *to = '\0';
}

struct list_reader {
    struct obj_page *page;
    const char *root;   /* "ListBucketResult" or "ListVersionsResult" */
    const char *prefix; /* every key begins with it */
    size_t max;
    bool versions;
    bool in_entry;
    bool truncated;
};

static bool is_entry(const struct list_reader *l, const char *child)
{
    if (!l->versions)
        return strcmp(child, "Contents") == 0;
    return strcmp(child, "Version") == 0 || strcmp(child, "DeleteMarker") == 0;
}

/* What follows the root and a slash; "" at the root itself. */
static const char *below_root(const struct list_reader *l, const char *path)
{
    size_t n = strlen(l->root);

    return strncmp(path, l->root, n) == 0 && path[n] == '/' ? path + n + 1 : "";
}

static int list_begin(void *ctx, const char *path,
                      const char *const *attributes, struct err *e)
{
    struct list_reader *l = ctx;
    struct obj_page *p = l->page;
    const char *child = below_root(l, path);

    (void)attributes;
    if (obj_xml_root(path, l->root, e) < 0)
        return -1;
    if (!is_entry(l, child))
        return 0;
    if (p->n == l->max)
        return err_set(e, ERR_CORRUPT, 0,
                       "the listing has more than the %zu entries asked for",
                       l->max);
    if (p->n == p->cap) {
        size_t cap = p->cap == 0 ? 64 : p->cap * 2;
        struct obj_list_entry *bigger =
            reallocarray(p->entries, cap, sizeof *bigger);
        if (bigger == NULL)
            return err_nomem(e);
        p->entries = bigger;
        p->cap = cap;
    }
    p->entries[p->n] = (struct obj_list_entry){ 0 };
    p->entries[p->n++].info.delete_marker = strcmp(child, "DeleteMarker") == 0;
    l->in_entry = true;
    return 0;
}

static int set_key(const struct list_reader *l, char **at, char *text,
                   struct err *e)
{
    obj_xml_url_decode(text);
    size_t len = strlen(text);
    if (len == 0 || len > OBJ_KEY_MAX)
        return err_set(e, ERR_CORRUPT, 0, "listed key of %zu bytes", len);
    if (strncmp(text, l->prefix, strlen(l->prefix)) != 0)
        return err_set(e, ERR_CORRUPT, 0,
                       "the listing of \"%.200s\" names \"%.200s\"", l->prefix,
                       text);
    return obj_xml_set_text(at, text, e);
}

static int set_size(uint64_t *size, const char *text, struct err *e)
{
    char *end = NULL;

    errno = 0;
    uintmax_t v = strtoumax(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        return err_set(e, ERR_CORRUPT, 0, "size \"%.40s\" is no number", text);
    *size = v;
    return 0;
}

static int set_etag(struct obj_info *info, char *text, struct err *e)
{
    size_t len = strlen(text);

    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text[len - 1] = '\0';
        text++;
    }
    return obj_xml_set_exact(info->etag, sizeof info->etag, text, "etag", e);
}

/* A field of an entry: Contents/Key and so on. */
static int list_field(struct list_reader *l, const char *field, char *text,
                      struct err *e)
{
    struct obj_list_entry *entry = &l->page->entries[l->page->n - 1];
    struct obj_info *info = &entry->info;

    if (strcmp(field, "Key") == 0)
        return set_key(l, &entry->key, text, e);
    if (strcmp(field, "Size") == 0)
        return set_size(&info->size, text, e);
    if (strcmp(field, "ETag") == 0)
        return set_etag(info, text, e);
    if (strcmp(field, "VersionId") == 0 && l->versions)
        return obj_xml_set_exact(info->version, sizeof info->version, text,
                                 "version id", e);
    if (strcmp(field, "IsLatest") == 0)
        info->latest = strcmp(text, "true") == 0;
    if (strcmp(field, "LastModified") == 0 &&
        !utc_parse_rfc3339(text, &info->modified))
        return err_set(e, ERR_CORRUPT, 0, "\"%.40s\" is no date", text);
    return 0;
}

/* A field of the listing itself. */
static int list_frame(struct list_reader *l, const char *child, char *text,
                      struct err *e)
{
    struct obj_page *p = l->page;

    if (strcmp(child, "IsTruncated") == 0)
        l->truncated = strcmp(text, "true") == 0;
    else if (!l->versions && strcmp(child, "NextContinuationToken") == 0)
        return obj_xml_set_text(&p->next, text, e);
    else if (l->versions && strcmp(child, "NextVersionIdMarker") == 0)
        return obj_xml_set_text(&p->next_version, text, e);
    else if (l->versions && strcmp(child, "NextKeyMarker") == 0) {
        /* Encoded like a key, but not one: some servers append to it. */
        obj_xml_url_decode(text);
        return obj_xml_set_text(&p->next, text, e);
    }
    return 0;
}

static int list_end(void *ctx, const char *path, char *text, struct err *e)
{
    struct list_reader *l = ctx;
    const char *child = below_root(l, path);

    if (!l->in_entry)
        return list_frame(l, child, text, e);
    const char *field = strchr(child, '/');
    if (field != NULL)
        return list_field(l, field + 1, text, e);
    l->in_entry = false;
    if (l->page->entries[l->page->n - 1].key == NULL)
        return err_set(e, ERR_CORRUPT, 0, "listed entry without a key");
    if (l->versions && l->page->entries[l->page->n - 1].info.version[0] == '\0')
        return err_set(e, ERR_CORRUPT, 0, "listed version without its id");
    return 0;
}

/* Reads a page as the server says it; *more: that it is not the last one. */
static int read_page(struct list_reader *l, struct span doc, bool *more,
                     struct err *e)
{
    *l->page = (struct obj_page){ 0 };
    if (xml_walk(doc, list_begin, list_end, l, e) < 0)
        return err_ctx(e, "listing");
    *more = l->truncated;
    if (!*more) {
        free(STEAL(l->page->next));
        free(STEAL(l->page->next_version));
    }
    return 0;
}

int obj_xml_list(struct span doc, bool versions, const char *prefix, size_t max,
                 struct obj_page *page, struct err *e)
{
    struct list_reader l = {
        .page = page,
        .root = versions ? "ListVersionsResult" : "ListBucketResult",
        .prefix = prefix,
        .max = max,
        .versions = versions,
    };
    bool more = false;

    if (read_page(&l, doc, &more, e) < 0)
        return -1;
    if (!more)
        return 0;
    if (page->next == NULL || page->next[0] == '\0')
        return err_set(e, ERR_CORRUPT, 0,
                       "listing: it goes on, but does not say where");
    return 0;
}

int obj_xml_list_marked(struct span doc, const char *prefix, size_t max,
                        struct obj_page *page, struct err *e)
{
    struct list_reader l = {
        .page = page,
        .root = "ListBucketResult",
        .prefix = prefix,
        .max = max,
    };
    bool more = false;

    if (read_page(&l, doc, &more, e) < 0)
        return -1;
    free(STEAL(page->next));
    if (!more)
        return 0;
    if (page->n == 0)
        return err_set(e, ERR_CORRUPT, 0,
                       "listing: it goes on, but does not say where");
    return obj_xml_set_text(&page->next, page->entries[page->n - 1].key, e);
}

struct delete_reader {
    obj_xml_deleted_fn fn;
    void *ctx;
    char *key, *version, *code, *message;
};

static void delete_entry_clear(struct delete_reader *d)
{
    free(STEAL(d->key));
    free(STEAL(d->version));
    free(STEAL(d->code));
    free(STEAL(d->message));
}

static int delete_end(void *ctx, const char *path, char *text, struct err *e)
{
    struct delete_reader *d = ctx;
    static const char root[] = "DeleteResult/";

    if (strncmp(path, root, sizeof root - 1) != 0)
        return obj_xml_root(path, "DeleteResult", e);
    const char *child = path + sizeof root - 1;
    const char *slash = strchr(child, '/');
    if (slash != NULL) {
        if (strcmp(slash, "/Key") == 0)
            return obj_xml_set_text(&d->key, text, e);
        if (strcmp(slash, "/VersionId") == 0)
            return obj_xml_set_text(&d->version, text, e);
        if (strcmp(slash, "/Code") == 0)
            return obj_xml_set_text(&d->code, text, e);
        if (strcmp(slash, "/Message") == 0)
            return obj_xml_set_text(&d->message, text, e);
        return 0;
    }
    bool failed = strcmp(child, "Error") == 0;
    if ((failed || strcmp(child, "Deleted") == 0) && d->key != NULL) {
        const char *version = d->version;
        if (version != NULL && version[0] == '\0')
            version = NULL;
        const char *code = d->code == NULL ? "" : d->code;
        const char *message = d->message == NULL ? "" : d->message;
        d->fn(d->ctx, d->key, version, failed ? code : NULL,
              failed ? message : NULL);
    }
    delete_entry_clear(d);
    return 0;
}

int obj_xml_delete_result(struct span doc, obj_xml_deleted_fn fn, void *ctx,
                          struct err *e)
{
    struct delete_reader d = { .fn = fn, .ctx = ctx };

    int r = xml_walk(doc, NULL, delete_end, &d, e);
    delete_entry_clear(&d);
    return r < 0 ? err_ctx(e, "result of a deletion") : 0;
}

/* False for what XML 1.0 has no way to write. */
static bool append_escaped(struct buf *out, const char *text)
{
    for (const char *s = text; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return false;
        if (c < 0x20 || c == '&' || c == '<' || c == '>' || c == '"')
            buf_printf(out, "&#%u;", (unsigned)c);
        else
            buf_append_char(out, *s);
    }
    return true;
}

bool obj_xml_delete_request(const struct obj_name *names, size_t n,
                            struct buf *out)
{
    buf_append_str(out, "<Delete xmlns=\"http://s3.amazonaws.com/doc/"
                        "2006-03-01/\">");
    for (size_t i = 0; i < n; i++) {
        buf_append_str(out, "<Object><Key>");
        if (!append_escaped(out, names[i].key))
            return false;
        buf_append_str(out, "</Key>");
        if (names[i].version != NULL) {
            buf_append_str(out, "<VersionId>");
            if (!append_escaped(out, names[i].version))
                return false;
            buf_append_str(out, "</VersionId>");
        }
        buf_append_str(out, "</Object>");
    }
    buf_append_str(out, "</Delete>");
    return true;
}

// SPDX-License-Identifier: Apache-2.0
/* Point manifest from hostile JSON.  This file looks at shape only; content is
 * checked by mf_point_check, and canonical form by encoding again. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "manifest/block.h"
#include "manifest/canon.h"
#include "manifest/objkey.h"
#include "manifest/page.h"
#include "manifest/point.h"
#include "manifest/point_priv.h"

struct reader {
    struct json_doc *doc; /* holds the first error, but for ... */
    bool nomem;
};

static char *copy_text(struct reader *r, const char *s)
{
    char *copy = strdup(s);

    if (copy == NULL)
        r->nomem = true;
    return copy;
}

static char *read_text(struct reader *r, const struct json *object,
                       const char *field, size_t max)
{
    struct json v = json_field(object, field);

    return copy_text(r, json_string(&v, max));
}

static char *read_text_or_null(struct reader *r, const struct json *object,
                               const char *field, size_t max)
{
    struct json v = json_field(object, field);

    return json_is_null(&v) ? NULL : copy_text(r, json_string(&v, max));
}

static uint64_t read_uint(const struct json *object, const char *field,
                          uint64_t max)
{
    struct json v = json_field(object, field);

    return json_uint(&v, max);
}

static int64_t read_time(const struct json *object, const char *field)
{
    struct json v = json_field(object, field);

    return json_time(&v);
}

static size_t read_word(const struct json *object, const char *field,
                        const char *const *words)
{
    struct json v = json_field(object, field);

    return json_word(&v, words);
}

static void read_vm(struct reader *r, const struct json *root,
                    struct mf_point *p)
{
    static const char *const fields[] = { "name", "uuid", "source", "container",
                                          NULL };
    struct json vm = json_field(root, "vm");

    json_object(&vm, fields);
    p->vm.name = read_text(r, &vm, "name", MF_NAME_MAX);
    p->vm.uuid = read_text_or_null(r, &vm, "uuid", MF_NAME_MAX);
    p->vm.source = read_text(r, &vm, "source", MF_TEXT_MAX);
    p->vm.container = read_text_or_null(r, &vm, "container", MF_TEXT_MAX);
}

static void read_retention(struct reader *r, const struct json *root,
                           struct mf_retention *to)
{
    static const char *const fields[] = { "days", "gfs", "timezone", NULL };
    static const char *const gfs_fields[] = { "weekly", "monthly", "yearly",
                                              NULL };
    struct json v = json_field(root, "retention");

    to->present = !json_is_null(&v);
    if (!to->present)
        return;
    json_object(&v, fields);
    struct json gfs = json_field(&v, "gfs");
    json_object(&gfs, gfs_fields);
    to->days = (uint32_t)read_uint(&v, "days", MF_RETENTION_DAYS_MAX);
    to->weekly = (uint32_t)read_uint(&gfs, "weekly", MF_GFS_MAX);
    to->monthly = (uint32_t)read_uint(&gfs, "monthly", MF_GFS_MAX);
    to->yearly = (uint32_t)read_uint(&gfs, "yearly", MF_GFS_MAX);
    to->timezone = read_text(r, &v, "timezone", MF_NAME_MAX);
}

static void read_gfs(const struct json *root, struct mf_point *p)
{
    struct json gfs = json_field(root, "gfs");
    size_t n = json_array(&gfs, 3);
    struct json v = json_first(&gfs);

    for (size_t i = 0; i < n; i++) {
        p->gfs |= 1u << json_word(&v, mf_gfs_words);
        v = json_next(&v);
    }
}

static void read_mode(const struct json *object, struct mf_stream *s)
{
    struct json v = json_field(object, "mode");
    const char *text = json_string(&v, 4);

    if (strlen(text) != 4 || strspn(text, "01234567") != 4) {
        json_reject(&v, "is not 4 octal digits");
        return;
    }
    for (; *text != '\0'; text++)
        s->mode = s->mode << 3 | (uint32_t)(*text - '0');
}

static void read_pages(struct reader *r, const struct json *object,
                       struct mf_stream *s)
{
    struct json pages = json_field(object, "pages");
    uint64_t want = mf_page_count(mf_block_count(s->size, s->block_size));
    size_t n = json_array(&pages, (size_t)want);

    if (n != want)
        json_reject(&pages, "has %zu elements where size asks for %llu", n,
                    (unsigned long long)want);
    if (n != want || n == 0)
        return;
    /* No more than the document's own elements: it bounds this memory. */
    s->pages = calloc(n, sizeof(*s->pages));
    if (s->pages == NULL) {
        r->nomem = true;
        return;
    }
    s->n_pages = n;
    struct json v = json_first(&pages);
    for (size_t i = 0; i < n; i++) {
        s->pages[i].zero = json_is_null(&v);
        if (!s->pages[i].zero)
            json_hex(&v, s->pages[i].id.b, MF_ID_BYTES);
        v = json_next(&v);
    }
}

static void read_stream(struct reader *r, const struct json *v, bool disk,
                        struct mf_stream *s)
{
    static const char *const disk_fields[] = { "name", "bus",        "format",
                                               "size", "block_size", "pages",
                                               NULL };
    static const char *const file_fields[] = { "name",       "mode",  "size",
                                               "block_size", "pages", NULL };

    json_object(v, disk ? disk_fields : file_fields);
    s->name = read_text(r, v, "name", disk ? MF_NAME_MAX : MF_PATH_MAX);
    if (disk) {
        s->bus = read_text_or_null(r, v, "bus", MF_NAME_MAX);
        s->format = read_text(r, v, "format", MF_NAME_MAX);
    } else {
        read_mode(v, s);
    }
    s->size = read_uint(v, "size", MF_SIZE_MAX);
    struct json block_size = json_field(v, "block_size");
    s->block_size = (uint32_t)json_uint(&block_size, MF_BLOCK_MAX);
    if (!mf_block_size_ok(s->block_size)) {
        json_reject(&block_size, "is not a power of two from 256 KiB to 8 MiB");
        return;
    }
    read_pages(r, v, s);
}

static void read_streams(struct reader *r, const struct json *root,
                         const char *field, bool disks, struct mf_stream **to,
                         size_t *n_to)
{
    struct json list = json_field(root, field);
    size_t n = json_array(&list, disks ? MF_DISKS_MAX : MF_FILES_MAX);

    if (n == 0)
        return;
    *to = calloc(n, sizeof(**to));
    if (*to == NULL) {
        r->nomem = true;
        return;
    }
    *n_to = n;
    struct json v = json_first(&list);
    for (size_t i = 0; i < n; i++) {
        read_stream(r, &v, disks, &(*to)[i]);
        v = json_next(&v);
    }
}

static void read_stats(const struct json *root, struct mf_point *p)
{
    static const char *const fields[] = { "source_bytes", "read_bytes",
                                          "new_bytes",    "stored_bytes",
                                          "seconds",      NULL };
    struct json v = json_field(root, "stats");

    json_object(&v, fields);
    p->stats.source_bytes = read_uint(&v, "source_bytes", MF_UINT_MAX);
    p->stats.read_bytes = read_uint(&v, "read_bytes", MF_UINT_MAX);
    p->stats.new_bytes = read_uint(&v, "new_bytes", MF_UINT_MAX);
    p->stats.stored_bytes = read_uint(&v, "stored_bytes", MF_UINT_MAX);
    p->stats.seconds = read_uint(&v, "seconds", MF_UINT_MAX);
}

static int read_point(struct reader *r, struct mf_point *p, struct err *e)
{
    static const char *const fields[] = {
        "objvault", "vm",          "job",       "time", "kind",         "chain",
        "parent",   "consistency", "retention", "gfs",  "locked_until", "disks",
        "files",    "stats",       "program",   NULL
    };

    if (mf_canon_version(r->doc, "objvault", "manifest", e) < 0)
        return -1;
    struct json root = json_root(r->doc);
    json_object(&root, fields);
    read_vm(r, &root, p);
    p->job = read_text_or_null(r, &root, "job", MF_NAME_MAX);
    p->time = read_time(&root, "time");
    p->kind = (enum mf_kind)read_word(&root, "kind", mf_kind_words);
    p->chain = read_time(&root, "chain");
    p->parent = read_text_or_null(r, &root, "parent", MF_POINT_FILE_CHARS);
    p->consistency = (enum mf_consistency)read_word(&root, "consistency",
                                                    mf_consistency_words);
    read_retention(r, &root, &p->retention);
    read_gfs(&root, p);
    struct json locked = json_field(&root, "locked_until");
    p->locked_until = json_is_null(&locked) ? 0 : json_time(&locked);
    read_streams(r, &root, "disks", true, &p->disks, &p->n_disks);
    read_streams(r, &root, "files", false, &p->files, &p->n_files);
    read_stats(&root, p);
    p->program = read_text(r, &root, "program", MF_NAME_MAX);
    if (r->nomem)
        return err_nomem(e);
    return json_failed(r->doc, e);
}

static int decode(struct span bytes, struct mf_point *p, struct err *e)
{
    if (bytes.len > MF_POINT_JSON_MAX)
        return err_set(e, ERR_CORRUPT, 0, "has %zu bytes of JSON", bytes.len);

    AUTO_JSON struct json_doc *doc =
        json_parse(bytes, JSON_STRICT, ERR_CORRUPT, e);
    struct reader r = { .doc = doc };
    if (doc == NULL || read_point(&r, p, e) < 0)
        return -1;
    /* The tree is many times as big as the document: not both at once. */
    json_doc_free(STEAL(doc));
    if (mf_point_check(p, ERR_CORRUPT, e) < 0)
        return -1;

    AUTO_BUF struct buf again = buf_init(bytes.len);
    mf_point_write(p, &again);
    return mf_canon_check(bytes, &again, e);
}

struct mf_point *mf_point_decode(struct span bytes, struct err *e)
{
    AUTO_MF_POINT struct mf_point *p = mf_point_new(e);

    if (p == NULL)
        return NULL;
    if (decode(bytes, p, e) == 0)
        return STEAL(p);
    if (e->kind != ERR_UNSUPPORTED)
        (void)err_ctx(e, "manifest");
    return NULL;
}

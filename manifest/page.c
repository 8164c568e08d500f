// SPDX-License-Identifier: Apache-2.0
/* Pages: up to 1,024 map entries as canonical JSON, and the object that holds
 * it. */
#include "manifest/page.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/checked.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "manifest/block.h"
#include "manifest/canon.h"
#include "manifest/descriptor.h"

/* JSON of map entries repeats only within ids, which do not compress: a higher
 * level gains nothing. */
#define PAGE_LEVEL 3

#define UNITS_BYTES 8 /* of a mask, 16 hex digits */

uint64_t mf_page_count(uint64_t blocks)
{
    return checked_div_up(blocks, MF_PAGE_ENTRIES);
}

size_t mf_page_len(uint64_t blocks, uint64_t i)
{
    return (size_t)checked_min(MF_PAGE_ENTRIES, blocks - i * MF_PAGE_ENTRIES);
}

bool mf_page_is_zero(const struct mf_entry *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (m[i].kind != MF_ZERO)
            return false;
    }
    return true;
}

static void write_id(struct jsonw *w, bool has, const struct mf_id *id)
{
    if (has)
        jsonw_hex(w, id->b, MF_ID_BYTES);
    else
        jsonw_null(w);
}

static void write_over(struct jsonw *w, const struct mf_entry *m)
{
    char mask[2 * UNITS_BYTES + 1];

    (void)snprintf(mask, sizeof(mask), "%016" PRIx64, m->units);
    jsonw_array(w);
    write_id(w, m->has_base, &m->id);
    write_id(w, m->has_over, &m->over);
    jsonw_string(w, mask);
    write_id(w, m->has_whole, &m->whole);
    jsonw_end_array(w);
}

static void write_page(const struct mf_entry *m, size_t n, struct buf *json)
{
    struct jsonw w = jsonw_init(json, false);

    jsonw_object(&w);
    jsonw_kuint(&w, "v", MF_FORMAT_VERSION);
    jsonw_key(&w, "blocks");
    jsonw_array(&w);
    for (size_t i = 0; i < n; i++) {
        if (m[i].kind == MF_OVER)
            write_over(&w, &m[i]);
        else
            write_id(&w, m[i].kind == MF_WHOLE, &m[i].id);
    }
    jsonw_end_array(&w);
    jsonw_end_object(&w);
}

int mf_page_encode(const struct mf_entry *m, size_t n, struct buf *json,
                   struct err *e)
{
    if (n == 0 || n > MF_PAGE_ENTRIES || mf_page_is_zero(m, n))
        return err_set(e, ERR_INTERNAL, 0,
                       "a page of %zu map entries, or of zeros only", n);
    for (size_t i = 0; i < n; i++) {
        if (m[i].kind > MF_OVER ||
            (m[i].kind == MF_OVER &&
             (m[i].units == 0 || (!m[i].has_base && !m[i].has_over))))
            return err_set(e, ERR_INTERNAL, 0,
                           "map entry %zu of a page makes no sense", i);
    }
    write_page(m, n, json);
    return buf_check(json, e);
}

static bool read_id(const struct json *v, struct mf_id *id)
{
    if (json_is_null(v))
        return false;
    json_hex(v, id->b, MF_ID_BYTES);
    return true;
}

static void read_over(const struct json *v, uint32_t block_size,
                      uint32_t block_len, struct mf_entry *m)
{
    if (json_array(v, 4) != 4) {
        json_reject(v, "must have 4 elements");
        return;
    }
    struct json base = json_first(v);
    struct json over = json_next(&base);
    struct json units = json_next(&over);
    struct json whole = json_next(&units);
    uint8_t mask[UNITS_BYTES] = { 0 };
    uint32_t bytes;
    struct err why = { 0 };

    m->kind = MF_OVER;
    m->has_base = read_id(&base, &m->id);
    m->has_over = read_id(&over, &m->over);
    m->has_whole = read_id(&whole, &m->whole);
    if (!m->has_base && !m->has_over)
        json_reject(v, "names neither a block nor an overlay");

    json_hex(&units, mask, sizeof(mask));
    for (size_t i = 0; i < sizeof(mask); i++)
        m->units = m->units << 8 | mask[i];
    if (mf_units_bytes(m->units, block_size, block_len, &bytes, &why) < 0)
        json_reject(&units, "%s", why.msg);
}

static void read_entry(const struct json *v, uint32_t block_size,
                       uint32_t block_len, struct mf_entry *m)
{
    *m = (struct mf_entry){ .kind = MF_ZERO };
    if (json_is_null(v))
        return;
    if (json_is_array(v)) {
        read_over(v, block_size, block_len, m);
        return;
    }
    m->kind = MF_WHOLE;
    json_hex(v, m->id.b, MF_ID_BYTES);
}

static int read_page(struct json_doc *doc, struct mf_entry *m, size_t n,
                     uint32_t block_size, uint32_t last_len, struct err *e)
{
    static const char *const fields[] = { "v", "blocks", NULL };

    if (mf_canon_version(doc, "v", "page", e) < 0)
        return -1;
    struct json root = json_root(doc);
    json_object(&root, fields);
    struct json blocks = json_field(&root, "blocks");
    size_t found = json_array(&blocks, MF_PAGE_ENTRIES);
    if (found != n)
        json_reject(&blocks, "has %zu elements where the map has %zu", found,
                    n);
    if (json_failed(doc, e) < 0)
        return -1;

    struct json v = json_first(&blocks);
    for (size_t i = 0; i < n; i++) {
        read_entry(&v, block_size, i + 1 < n ? block_size : last_len, &m[i]);
        v = json_next(&v);
    }
    return json_failed(doc, e);
}

int mf_page_decode(struct span json, struct mf_entry *m, size_t n,
                   uint32_t block_size, uint32_t last_len, struct err *e)
{
    if (n == 0 || n > MF_PAGE_ENTRIES || !mf_block_size_ok(block_size) ||
        last_len == 0 || last_len > block_size)
        return err_set(e, ERR_INTERNAL, 0,
                       "no page has %zu entries of %u bytes, the last of %u", n,
                       block_size, last_len);
    if (json.len > MF_PAGE_JSON_MAX)
        return err_set(e, ERR_CORRUPT, 0, "page: has %zu bytes of JSON",
                       json.len);

    AUTO_JSON struct json_doc *doc =
        json_parse(json, JSON_STRICT, ERR_CORRUPT, e);
    if (doc == NULL)
        return err_ctx(e, "page");
    if (read_page(doc, m, n, block_size, last_len, e) < 0)
        return e->kind == ERR_UNSUPPORTED ? -1 : err_ctx(e, "page");
    if (mf_page_is_zero(m, n))
        return err_set(e, ERR_CORRUPT, 0,
                       "page: holds zeros only, which is no page");

    AUTO_BUF struct buf again = buf_init(json.len);
    write_page(m, n, &again);
    if (mf_canon_check(json, &again, e) < 0)
        return err_ctx(e, "page");
    return 0;
}

int mf_page_seal(const struct mf_keys *k, struct zst *z, struct span json,
                 struct mf_id *id, struct buf *object, struct err *e)
{
    if (mf_keys_id(k, MF_OBJECT_PAGE, json, id, e) < 0)
        return -1;
    size_t at = mf_keys_seal_begin(k, object);
    if (zst_compress(z, PAGE_LEVEL, json, object, e) < 0)
        return -1;
    return mf_keys_seal_end(k, MF_OBJECT_PAGE, mf_id_span(id), object, at, e);
}

static int open_object(const struct mf_keys *k, struct zst *z,
                       struct span object, const struct mf_id *id,
                       struct buf *json, struct err *e)
{
    const size_t max = mf_object_max(MF_PAGE_JSON_MAX);
    struct span frame;
    size_t len;

    if (object.len > max)
        return err_set(e, ERR_CORRUPT, 0,
                       "object has %zu bytes, more than any page", object.len);
    if (mf_keys_open(k, MF_OBJECT_PAGE, mf_id_span(id), object,
                     zst_scratch(z, max), &frame, e) < 0 ||
        zst_content_size(frame, MF_PAGE_JSON_MAX, &len, e) < 0)
        return -1;
    uint8_t *at = buf_reserve(json, len);
    if (at == NULL)
        return buf_check(json, e);
    if (zst_decompress(z, frame, at, len, &len, e) < 0 ||
        mf_keys_check_id(k, MF_OBJECT_PAGE, span_of(at, len), id, e) < 0)
        return -1;
    json->len += len;
    return 0;
}

int mf_page_open(const struct mf_keys *k, struct zst *z, struct span object,
                 const struct mf_id *id, struct buf *json, struct err *e)
{
    if (open_object(k, z, object, id, json, e) == 0)
        return 0;

    char hex[MF_ID_CHARS];
    mf_id_hex(id, hex);
    return err_ctx(e, "page %s", hex);
}

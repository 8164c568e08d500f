// SPDX-License-Identifier: Apache-2.0
/* Objects as the model sees them. */
#include "tests/interleave/model_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/zst.h"
#include "manifest/block.h"
#include "manifest/objkey.h"
#include "manifest/page.h"
#include "tests/interleave/world.h"

#define OBJECT_MAX (1u << 20)

static struct zst *codec(void)
{
    static struct zst *z;
    struct err e = { 0 };

    if (z == NULL)
        z = zst_new(&e);
    if (z == NULL)
        abort();
    return z;
}

static const struct mf_keys *keys(void)
{
    static struct mf_keys *plain;
    struct err e = { 0 };

    if (plain == NULL)
        plain = mf_keys_plain(&e);
    if (plain == NULL)
        abort();
    return plain;
}

void model_refs_free(struct model_refs *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->keys[i]);
    free(r->keys);
    *r = (struct model_refs){ 0 };
}

bool model_refs_have(const struct model_refs *r, const char *key)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->keys[i], key) == 0)
            return true;
    return false;
}

void model_refs_add(struct model_refs *r, const char *key)
{
    if (model_refs_have(r, key))
        return;
    if (r->n == r->cap) {
        r->cap = r->cap == 0 ? 16 : 2 * r->cap;
        r->keys = reallocarray(r->keys, r->cap, sizeof(*r->keys));
        if (r->keys == NULL)
            abort();
    }
    r->keys[r->n++] = strdup(key);
}

static void add_entry(struct model_refs *r, const struct mf_entry *m)
{
    struct mf_key key;

    if (m->kind == MF_WHOLE || (m->kind == MF_OVER && m->has_base)) {
        key = mf_key_block(MF_KEYSET_PLAIN, &m->id);
        model_refs_add(r, key.s);
    }
    if (m->kind == MF_OVER && m->has_over) {
        key = mf_key_block(MF_KEYSET_PLAIN, &m->over);
        model_refs_add(r, key.s);
    }
}

/* The id that the entry's content has must be the machine's. */
static bool same_content(const struct mf_entry *m, bool has,
                         const struct mf_id *id)
{
    const struct mf_id *is = mf_entry_content(m);

    if (m->kind == MF_OVER && is == NULL)
        return true; /* the entry does not say */
    return has ? is != NULL && mf_id_eq(is, id) : is == NULL;
}

static unsigned file_number(const char *name)
{
    unsigned i = 0;

    while (i + 1 < GUEST_FILES && strcmp(name, guest_file_names[i]) != 0)
        i++;
    return i;
}

static int check_entries(const struct mf_stream *s, const struct mf_entry *m,
                         size_t n, const struct guest *g, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct mf_id id;
        bool has = false;
        if (strcmp(s->name, "disk.raw") == 0)
            has = guest_block_id(g, (unsigned)i, &id);
        else
            has = guest_file_id(g, file_number(s->name), &id);
        if (!same_content(&m[i], has, &id))
            return err_set(e, ERR_CORRUPT, 0,
                           "block %zu of %s is not what the machine held", i,
                           s->name);
    }
    return 0;
}

static int read_object(struct obj_store *s, const char *key, struct buf *out,
                       struct err *e)
{
    struct obj_req r = { .key = key };

    return obj_get(s, &r, NULL, out, NULL, e);
}

/* Machines here are small: one page for each stream. */
static int read_page(struct obj_store *s, const struct mf_stream *st,
                     struct mf_entry *m, size_t n, struct model_refs *refs,
                     struct err *e)
{
    AUTO_BUF struct buf object = buf_init(OBJECT_MAX);
    AUTO_BUF struct buf json = buf_init(MF_PAGE_JSON_MAX);
    struct mf_key page = mf_key_page(MF_KEYSET_PLAIN, &st->pages[0].id);
    uint32_t last = mf_block_len(st->size, st->block_size, n - 1);

    model_refs_add(refs, page.s);
    if (read_object(s, page.s, &object, e) < 0 ||
        mf_page_open(keys(), codec(), buf_span(&object), &st->pages[0].id,
                     &json, e) < 0 ||
        mf_page_decode(buf_span(&json), m, n, st->block_size, last, e) < 0)
        return err_ctx(e, "it needs %s", page.s);
    return 0;
}

static int read_stream(struct obj_store *s, const struct mf_stream *st,
                       const struct guest *g, struct model_refs *refs,
                       struct err *e)
{
    struct mf_entry m[GUEST_BLOCKS] = { 0 };
    size_t n = mf_block_count(st->size, st->block_size);

    if (n > GUEST_BLOCKS)
        return err_set(e, ERR_CORRUPT, 0, "%s has %zu blocks", st->name, n);
    if (n == 0)
        return 0;
    if (!st->pages[0].zero && read_page(s, st, m, n, refs, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        add_entry(refs, &m[i]);
    return g == NULL ? 0 : check_entries(st, m, n, g, e);
}

int model_read_point(struct obj_store *s, const struct mf_point *m,
                     const struct guest *g, struct model_refs *refs,
                     struct err *e)
{
    for (size_t i = 0; i < m->n_disks; i++)
        if (read_stream(s, &m->disks[i], g, refs, e) < 0)
            return -1;
    for (size_t i = 0; i < m->n_files; i++)
        if (read_stream(s, &m->files[i], g, refs, e) < 0)
            return -1;
    return 0;
}

struct search {
    const char *key;
    bool found;
    int64_t until; /* the latest lock of a version */
};

static int on_version(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    struct search *s = ctx;

    (void)e;
    if (strcmp(key, s->key) != 0 || info->delete_marker)
        return 0;
    s->found = true;
    if (info->lock.mode != OBJ_LOCK_NONE && info->lock.until > s->until)
        s->until = info->lock.until;
    return 0;
}

bool model_read_there(struct obj_store *s, const char *key, int64_t until,
                      char *why, size_t cap)
{
    struct search find = { .key = key };
    struct obj_req r = { .key = key };
    struct obj_list_opts o = { .versions = until != 0 };
    struct obj_info info;
    struct err e = { 0 };

    if (until == 0) {
        find.found = obj_head(s, &r, &info, &e) == 0;
    } else if (obj_list(s, &r, &o, on_version, &find, &e) < 0) {
        snprintf(why, cap, "%s", e.msg);
        return false;
    }
    if (!find.found) {
        snprintf(why, cap, "it is not there");
        return false;
    }
    if (until != 0 && find.until < until) {
        snprintf(why, cap,
                 "it is locked until %" PRId64 ", %" PRId64 " s short",
                 find.until, until - find.until);
        return false;
    }
    return true;
}

/* Objects that verified once need not again: same name, same bytes. */
static bool was_verified(const char *key, struct span body)
{
    static uint64_t seen[4096];
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *key != '\0'; key++)
        h = (h ^ (uint8_t)*key) * UINT64_C(1099511628211);
    for (size_t i = 0; i < body.len; i++)
        h = (h ^ body.p[i]) * UINT64_C(1099511628211);
    if (seen[h % 4096] == h)
        return true;
    seen[h % 4096] = h;
    return false;
}

void model_read_bytes(struct obj_store *s, const char *point,
                      const struct model_refs *refs)
{
    static uint8_t plain[GUEST_BLOCK];
    AUTO_BUF struct buf object = buf_init(OBJECT_MAX);
    struct err e = { 0 };

    for (size_t i = 0; i < refs->n; i++) {
        struct mf_id id;
        size_t len = 0;
        if (!mf_key_parse_block(refs->keys[i], MF_KEYSET_PLAIN, &id))
            continue;
        buf_reset(&object);
        if (read_object(s, refs->keys[i], &object, &e) < 0 ||
            (!was_verified(refs->keys[i], buf_span(&object)) &&
             mf_block_decode(keys(), codec(), buf_span(&object), &id, plain,
                             sizeof(plain), &len, &e) < 0)) {
            world_fail("%s needs %s: %s", point, refs->keys[i], e.msg);
            return;
        }
    }
}

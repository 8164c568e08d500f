// SPDX-License-Identifier: Apache-2.0
/*
 * Verifying a point: its manifest was checked when it was found; here its
 * pages are read, and then every distinct block is fetched and opened (level
 * full) or looked for in listings (level list).  Damage is reported and
 * counted, not an error: one bad block must not hide the next.
 */
#include "engine/restore/restore.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/workers.h"
#include "engine/repo/map.h"
#include "engine/restore/restore_stream.h"
#include "manifest/block.h"
#include "manifest/page.h"

/* Threads that list prefixes. */
#define LISTERS 8

/* One map entry to be looked at, with a place where it stands. */
struct item {
    struct mf_entry entry;
    const struct mf_stream *stream;
    uint64_t offset;
};

struct verify {
    struct eng_repo *repo;
    const struct eng_restore_opts *o;
    eng_verify_fn report;
    void *ctx;
    struct eng_verify_result *res;
    struct item *items;
    size_t n, cap;
    struct mf_id *needed; /* level list: the ids to be found, sorted */
    bool *there;
    size_t n_needed;
    struct progress_task *task;
    const struct eng_point *point;
    pthread_mutex_t lock; /* around report, the count of damage, and: */
    bool removed;         /* the point is gone: nothing more is said */
};

/* The first damage asks whether the point is still there. */
static bool is_removed(struct verify *v)
{
    struct err ignored = { 0 };

    if (v->res->damaged == 1 && v->point->manifest != NULL)
        v->removed =
            eng_point_is_there(v->repo, v->o->cancel, v->point, &ignored) == 0;
    return v->removed;
}

static void damage(struct verify *v, const char *what)
{
    pthread_mutex_lock(&v->lock);
    v->res->damaged++;
    if (!is_removed(v) && v->report != NULL)
        v->report(v->ctx, what);
    pthread_mutex_unlock(&v->lock);
}

static int add_item(struct verify *v, const struct mf_entry *m,
                    const struct mf_stream *s, uint64_t block, struct err *e)
{
    if (v->n == v->cap) {
        size_t cap = v->cap == 0 ? 1024 : v->cap * 2;
        struct item *grown = realloc(v->items, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        v->items = grown;
        v->cap = cap;
    }
    v->items[v->n++] = (struct item){ .entry = *m,
                                      .stream = s,
                                      .offset = block * s->block_size };
    return 0;
}

static int add_page(struct verify *v, const struct eng_map *map,
                    const struct mf_stream *s, uint64_t page, struct err *e)
{
    uint64_t first = page * MF_PAGE_ENTRIES;

    for (uint64_t i = first; i < map->n && i < first + MF_PAGE_ENTRIES; i++)
        if (map->entries[i].kind != MF_ZERO &&
            add_item(v, &map->entries[i], s, i, e) < 0)
            return -1;
    return 0;
}

/* Reads the pages of a stream one by one, so that one lost page does not hide
 * the blocks of the others. */
static int read_pages(struct verify *v, const struct mf_stream *s,
                      struct err *e)
{
    AUTO_ENG_MAP struct eng_map map = { 0 };
    AUTO_ENG_BLOCKIO struct eng_blockio *io =
        eng_blockio_new(v->repo, 0, v->o->cancel, e);

    if (io == NULL || eng_map_init(&map, s->size, s->block_size, e) < 0)
        return -1;
    for (uint64_t page = 0; page < s->n_pages; page++) {
        if (s->pages[page].zero)
            continue;
        v->res->pages++;
        if (eng_map_load_page(io, s, page, &map, e) == 0) {
            if (add_page(v, &map, s, page, e) < 0)
                return -1;
        } else if (e->kind == ERR_CORRUPT) {
            damage(v, e->msg);
        } else {
            return -1;
        }
    }
    return 0;
}

static uint32_t item_len(const struct item *it)
{
    return mf_block_len(it->stream->size, it->stream->block_size,
                        it->offset / it->stream->block_size);
}

static bool same_content(const struct item *a, const struct item *b)
{
    return mf_entry_eq(&a->entry, &b->entry) && item_len(a) == item_len(b);
}

static int by_content(const void *pa, const void *pb)
{
    const struct item *a = pa;
    const struct item *b = pb;

    int c = memcmp(&a->entry.id, &b->entry.id, sizeof(a->entry.id));
    if (c == 0)
        c = memcmp(&a->entry.over, &b->entry.over, sizeof(a->entry.over));
    if (c == 0 && a->entry.units != b->entry.units)
        c = a->entry.units < b->entry.units ? -1 : 1;
    return c;
}

/* The same entry stands at many places; it is looked at once. */
static void drop_doubles(struct verify *v)
{
    size_t kept = 0;

    if (v->n > 1)
        qsort(v->items, v->n, sizeof(*v->items), by_content);
    for (size_t i = 0; i < v->n; i++)
        if (kept == 0 || !same_content(&v->items[kept - 1], &v->items[i]))
            v->items[kept++] = v->items[i];
    v->n = kept;
}

static int verify_items(struct verify *v, struct workers *group,
                        struct eng_blockio *io, uint8_t *block, struct err *e)
{
    uint64_t i = 0;

    while (workers_claim(group, &i)) {
        const struct item *it = &v->items[i];
        uint32_t len = item_len(it);
        int r = eng_entry_get(io, &it->entry, it->stream->block_size, len,
                              block, e);
        if (r < 0 && e->kind != ERR_CORRUPT)
            return -1;
        if (r < 0) {
            err_ctx(e, "%s at byte %" PRIu64, it->stream->name, it->offset);
            damage(v, e->msg);
        }
        progress_add(v->task, len, 0, len);
    }
    return 0;
}

static int verify_worker(void *ctx, struct workers *group, unsigned index,
                         struct err *e)
{
    struct verify *v = ctx;
    AUTO_MEM uint8_t *block = malloc(MF_BLOCK_MAX);
    AUTO_ENG_BLOCKIO struct eng_blockio *io =
        eng_blockio_new(v->repo, 0, workers_cancel(group), e);

    (void)index;
    if (io == NULL)
        return -1;
    return block != NULL ? verify_items(v, group, io, block, e) : err_nomem(e);
}

static int verify_full(struct verify *v, struct err *e)
{
    uint64_t bytes = 0;
    unsigned n = eng_blockio_readers(v->repo, v->o->memory_bytes, MF_BLOCK_MAX);

    for (size_t i = 0; i < v->n; i++)
        bytes += item_len(&v->items[i]);
    v->task = progress_begin(v->o->progress, "verify", "blocks", bytes);
    int r =
        v->n == 0 ? 0 : workers_run(n, v->n, v->o->cancel, verify_worker, v, e);
    progress_end(v->task);
    return r;
}

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct mf_id));
}

static int collect_ids(struct verify *v, struct err *e)
{
    size_t n = 0;

    v->needed = calloc(v->n * 2 + 1, sizeof(*v->needed));
    v->there = calloc(v->n * 2 + 1, sizeof(*v->there));
    if (v->needed == NULL || v->there == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < v->n; i++) {
        const struct mf_entry *m = &v->items[i].entry;
        if (m->kind == MF_WHOLE || m->has_base)
            v->needed[n++] = m->id;
        if (m->kind == MF_OVER && m->has_over)
            v->needed[n++] = m->over;
    }
    if (n > 1)
        qsort(v->needed, n, sizeof(*v->needed), by_id);
    for (size_t i = 0; i < n; i++)
        if (v->n_needed == 0 ||
            !mf_id_eq(&v->needed[v->n_needed - 1], &v->needed[i]))
            v->needed[v->n_needed++] = v->needed[i];
    return 0;
}

static bool *there(struct verify *v, const struct mf_id *id)
{
    const struct mf_id *at =
        bsearch(id, v->needed, v->n_needed, sizeof(*v->needed), by_id);

    return at != NULL ? &v->there[at - v->needed] : NULL;
}

static int on_block(void *ctx, const char *key, const struct obj_info *info,
                    struct err *e)
{
    struct verify *v = ctx;
    struct mf_id id;

    (void)e;
    if (info->size > 0 &&
        mf_key_parse_block(key, eng_repo_keyset(v->repo), &id)) {
        bool *at = there(v, &id);
        if (at != NULL)
            *at = true;
    }
    return 0;
}

static bool prefix_needed(const struct verify *v, uint64_t prefix)
{
    for (size_t i = 0; i < v->n_needed; i++)
        if (v->needed[i].b[0] == prefix)
            return true;
    return false;
}

/* Prefixes are disjoint, so no two workers touch the same flag. */
static int list_worker(void *ctx, struct workers *group, unsigned index,
                       struct err *e)
{
    struct verify *v = ctx;
    uint64_t prefix = 0;

    (void)index;
    while (workers_claim(group, &prefix)) {
        if (!prefix_needed(v, prefix))
            continue;
        struct mf_key key =
            mf_key_blocks_prefix(eng_repo_keyset(v->repo), (int)prefix);
        struct obj_req req = { .key = key.s, .cancel = workers_cancel(group) };
        struct obj_list_opts opts = { 0 };
        if (eng_repo_keeps_versions(v->repo, req.cancel, &opts.versions, e) <
                0 ||
            obj_list(eng_repo_store(v->repo), &req, &opts, on_block, v, e) < 0)
            return -1;
    }
    return 0;
}

static void report_absent(struct verify *v, const struct item *it,
                          const struct mf_id *id)
{
    char hex[MF_ID_CHARS];
    char text[400];

    if (*there(v, id))
        return;
    mf_id_hex(id, hex);
    snprintf(text, sizeof(text),
             "%.200s at byte %" PRIu64 ": block %s is missing",
             it->stream->name, it->offset, hex);
    damage(v, text);
}

static int verify_list(struct verify *v, struct err *e)
{
    if (collect_ids(v, e) < 0 ||
        workers_run(LISTERS, 256, v->o->cancel, list_worker, v, e) < 0)
        return -1;
    for (size_t i = 0; i < v->n; i++) {
        const struct mf_entry *m = &v->items[i].entry;
        if (m->kind == MF_WHOLE || m->has_base)
            report_absent(v, &v->items[i], &m->id);
        if (m->kind == MF_OVER && m->has_over)
            report_absent(v, &v->items[i], &m->over);
    }
    return 0;
}

static int verify_streams(struct verify *v, const struct mf_stream *s, size_t n,
                          struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (read_pages(v, &s[i], e) < 0)
            return -1;
    return 0;
}

static int verify_blocks(struct verify *v, const struct mf_point *m,
                         enum eng_verify_level level, struct err *e)
{
    if (verify_streams(v, m->disks, m->n_disks, e) < 0 ||
        verify_streams(v, m->files, m->n_files, e) < 0)
        return -1;
    drop_doubles(v);
    v->res->blocks = v->n;
    return level == ENG_VERIFY_FULL ? verify_full(v, e) : verify_list(v, e);
}

int eng_verify_point(struct eng_repo *repo, const struct eng_point *point,
                     enum eng_verify_level level,
                     const struct eng_restore_opts *o, eng_verify_fn report,
                     void *ctx, struct eng_verify_result *res, struct err *e)
{
    struct verify v = {
        .repo = repo,
        .o = o,
        .report = report,
        .ctx = ctx,
        .res = res,
        .point = point,
    };
    int r = 0;

    *res = (struct eng_verify_result){ 0 };
    pthread_mutex_init(&v.lock, NULL);
    if (point->manifest == NULL)
        damage(&v, point->why != NULL ? point->why : "manifest is damaged");
    else
        r = verify_blocks(&v, point->manifest, level, e);
    pthread_mutex_destroy(&v.lock);
    free(v.items);
    free(v.needed);
    free(v.there);
    if (r < 0 || point->manifest == NULL || res->damaged == 0)
        return r;
    /* Removed is not damaged, also where it was removed later. */
    struct err gone = { .kind = ERR_CORRUPT };
    (void)eng_point_explain(repo, o->cancel, point, &gone);
    if (gone.kind != ERR_NOTFOUND)
        return 0;
    *e = gone;
    return -1;
}

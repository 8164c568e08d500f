// SPDX-License-Identifier: Apache-2.0
/* Maps in memory and as pages; pages are read and written by a few workers. */
#include "engine/repo/map.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/workers.h"
#include "engine/repo/internal.h"
#include "manifest/block.h"
#include "manifest/page.h"

int eng_map_init(struct eng_map *m, uint64_t size, uint32_t block_size,
                 struct err *e)
{
    *m = (struct eng_map){ .n = mf_block_count(size, block_size),
                           .size = size,
                           .block_size = block_size };
    /* calloc: MF_ZERO is 0, and untouched pages of memory cost nothing. */
    m->entries = calloc(m->n > 0 ? m->n : 1, sizeof(*m->entries));
    if (m->entries != NULL)
        return 0;
    err_nomem(e);
    return err_ctx(e,
                   "map of %" PRIu64 " blocks of %u bytes (it takes %" PRIu64
                   " MiB; larger blocks take less)",
                   m->n, block_size, m->n * sizeof(*m->entries) >> 20);
}

void eng_map_fini(struct eng_map *m)
{
    free(m->entries);
    *m = (struct eng_map){ 0 };
}

uint32_t eng_map_block_len(const struct eng_map *m, uint64_t i)
{
    return mf_block_len(m->size, m->block_size, i);
}

int eng_map_load_page(struct eng_blockio *io, const struct mf_stream *s,
                      uint64_t page, struct eng_map *m, struct err *e)
{
    uint64_t first = page * MF_PAGE_ENTRIES;
    size_t n = mf_page_len(m->n, page);
    uint32_t last_len = eng_map_block_len(m, first + n - 1);

    if (s->pages[page].zero)
        return 0;
    if (eng_page_get(io, &s->pages[page].id, m->entries + first, n,
                     m->block_size, last_len, e) < 0)
        return err_ctx(e, "page %" PRIu64 " of %s", page, s->name);
    return 0;
}

struct map_job {
    struct eng_repo *repo;
    struct eng_map *map;
    const struct mf_stream *from; /* load */
    struct mf_page_ref *pages;    /* store */
    pthread_mutex_t lock;
    struct eng_blockio_use use; /* under lock */
};

static int load_worker(void *ctx, struct workers *w, unsigned index,
                       struct err *e)
{
    struct map_job *j = ctx;
    uint64_t page = 0;

    (void)index;
    AUTO_ENG_BLOCKIO struct eng_blockio *io =
        eng_blockio_new(j->repo, 0, workers_cancel(w), e);
    if (io == NULL)
        return -1;
    while (workers_claim(w, &page))
        if (eng_map_load_page(io, j->from, page, j->map, e) < 0)
            return -1;
    return 0;
}

static unsigned map_workers(uint64_t pages)
{
    return (unsigned)checked_min(pages, ENG_REPO_READERS);
}

int eng_map_load(struct eng_repo *repo, const struct mf_stream *s,
                 const struct cancel *cancel, struct eng_map *m, struct err *e)
{
    struct map_job j = { .repo = repo, .map = m, .from = s };

    if (eng_map_init(m, s->size, s->block_size, e) < 0)
        return -1;
    if (s->n_pages == 0)
        return 0;
    int r = workers_run(map_workers(s->n_pages), s->n_pages, cancel,
                        load_worker, &j, e);
    if (r < 0)
        eng_map_fini(m);
    return r;
}

static int store_page(struct eng_blockio *io, struct map_job *j, uint64_t page,
                      struct buf *json, struct err *e)
{
    const struct mf_entry *m = j->map->entries + page * MF_PAGE_ENTRIES;
    size_t n = mf_page_len(j->map->n, page);
    struct mf_page_ref *ref = &j->pages[page];

    ref->zero = mf_page_is_zero(m, n);
    if (ref->zero)
        return 0;
    buf_reset(json);
    if (mf_page_encode(m, n, json, e) < 0)
        return -1;
    return eng_page_put(io, buf_span(json), &ref->id, e);
}

static int store_worker(void *ctx, struct workers *w, unsigned index,
                        struct err *e)
{
    struct map_job *j = ctx;
    uint64_t page = 0;
    AUTO_BUF struct buf json = buf_init(MF_PAGE_JSON_MAX);

    (void)index;
    AUTO_ENG_BLOCKIO struct eng_blockio *io =
        eng_blockio_new(j->repo, 0, workers_cancel(w), e);
    if (io == NULL)
        return -1;
    while (workers_claim(w, &page))
        if (store_page(io, j, page, &json, e) < 0)
            return err_ctx(e, "page %" PRIu64, page);
    pthread_mutex_lock(&j->lock);
    eng_blockio_use_add(&j->use, eng_blockio_use(io));
    pthread_mutex_unlock(&j->lock);
    return 0;
}

int eng_map_store(struct eng_repo *repo, const struct eng_map *m,
                  const struct cancel *cancel, struct mf_stream *s,
                  struct eng_blockio_use *use, struct err *e)
{
    uint64_t n = mf_page_count(m->n);
    struct eng_map map = *m; /* shares the entries, which are only read */
    struct map_job j = { .repo = repo, .map = &map };

    j.pages = calloc(n > 0 ? n : 1, sizeof(*j.pages));
    if (j.pages == NULL)
        return err_nomem(e);
    pthread_mutex_init(&j.lock, NULL);
    int r = n == 0
                ? 0
                : workers_run(map_workers(n), n, cancel, store_worker, &j, e);
    pthread_mutex_destroy(&j.lock);
    if (r < 0) {
        free(j.pages);
        return -1;
    }
    free(s->pages);
    s->pages = j.pages;
    s->n_pages = n;
    if (use != NULL)
        eng_blockio_use_add(use, &j.use);
    return 0;
}

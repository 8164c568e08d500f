// SPDX-License-Identifier: Apache-2.0
/* The worker loop of a restore: claim a block → get → open → verify → write at
 * its offset.  Zeros are not fetched and become holes. */
#include "engine/restore/restore_stream.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/workers.h"
#include "engine/repo/map.h"

struct shared {
    const struct eng_restore_run *run;
    const struct eng_map *map;
    struct progress_task *task;
    pthread_mutex_t lock;
    struct eng_blockio_use *use; /* under lock */
};

static int restore_block(const struct shared *s, struct eng_blockio *io,
                         const struct cancel *cancel, uint8_t *block,
                         uint64_t i, struct err *e)
{
    const struct eng_map *m = s->map;
    uint64_t offset = i * m->block_size;
    uint32_t len = eng_map_block_len(m, i);

    if (m->entries[i].kind == MF_ZERO)
        return eng_target_zero(s->run->target, cancel, offset, len, e);
    if (eng_entry_get(io, &m->entries[i], m->block_size, len, block, e) < 0)
        return -1;
    return eng_target_write(s->run->target, cancel, offset, span_of(block, len),
                            e);
}

static int restore_blocks(struct shared *s, struct workers *group,
                          struct eng_blockio *io, uint8_t *block, struct err *e)
{
    uint64_t i = 0;

    while (workers_claim(group, &i)) {
        uint64_t fetched = eng_blockio_use(io)->fetched_bytes;
        if (restore_block(s, io, workers_cancel(group), block, i, e) < 0)
            return err_ctx(e, "%s at byte %" PRIu64, s->run->stream->name,
                           i * s->map->block_size);
        progress_add(s->task, eng_map_block_len(s->map, i), 0,
                     eng_blockio_use(io)->fetched_bytes - fetched);
    }
    return 0;
}

static int work(void *ctx, struct workers *group, unsigned index, struct err *e)
{
    struct shared *s = ctx;
    AUTO_MEM uint8_t *block =
        aligned_alloc(ENG_TARGET_ALIGN, s->map->block_size);
    AUTO_ENG_BLOCKIO struct eng_blockio *io =
        eng_blockio_new(s->run->repo, 0, workers_cancel(group), e);

    (void)index;
    if (io == NULL)
        return -1;
    if (block == NULL)
        return err_nomem(e);
    int r = restore_blocks(s, group, io, block, e);
    pthread_mutex_lock(&s->lock);
    eng_blockio_use_add(s->use, eng_blockio_use(io));
    pthread_mutex_unlock(&s->lock);
    return r;
}

int eng_restore_stream(const struct eng_restore_run *run,
                       struct eng_blockio_use *use, struct err *e)
{
    AUTO_ENG_MAP struct eng_map map = { 0 };
    struct shared s = { .run = run, .map = &map, .use = use };

    if (eng_map_load(run->repo, run->stream, run->cancel, &map, e) < 0)
        return -1;
    if (map.n == 0)
        return 0;
    s.task = progress_begin(run->progress, "restore", run->stream->name,
                            run->stream->size);
    pthread_mutex_init(&s.lock, NULL);
    unsigned n = map.n < run->workers ? (unsigned)map.n : run->workers;
    int r = workers_run(n, map.n, run->cancel, work, &s, e);
    pthread_mutex_destroy(&s.lock);
    progress_end(s.task);
    return r;
}

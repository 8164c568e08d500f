// SPDX-License-Identifier: Apache-2.0
/*
 * The worker loop of a backup.  Each worker claims the next block and carries
 * it from the image to storage itself, with its own buffer, reader and codec
 * contexts, then writes the block's entry into its slot of the map: slots are
 * distinct, so the map needs no lock.  The thread that started the workers
 * reads the map after it has joined them.
 */
#include "engine/backup/backup_stream.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cpu.h"
#include "base/io.h"
#include "base/utc.h"
#include "base/workers.h"
#include "engine/repo/keywatch.h"
#include "engine/repo/runlease.h"

struct shared {
    const struct eng_stream_run *run;
    struct eng_map *map;
    pthread_mutex_t lock;
    struct eng_stream_use *use; /* under lock */
};

struct worker {
    const struct eng_stream_run *run;
    struct eng_map *map;
    struct eng_image_reader *reader;
    struct eng_blockio *io;
    struct eng_fingerprinter *fingerprinter; /* NULL: none are taken */
    const struct cancel *cancel;
    uint8_t *block; /* block size bytes, aligned for direct I/O */
    struct eng_stream_use use;
};

static void worker_fini(struct worker *w)
{
    eng_image_reader_close(w->reader);
    eng_blockio_free(w->io);
    eng_fingerprinter_free(w->fingerprinter);
    free(w->block);
}

static int worker_init(struct worker *w, const struct shared *s,
                       const struct cancel *cancel, struct err *e)
{
    *w = (struct worker){ .run = s->run, .map = s->map, .cancel = cancel };
    w->block = aligned_alloc(ENG_IMAGE_ALIGN, s->map->block_size);
    if (w->block == NULL)
        return err_nomem(e);
    w->reader = eng_image_reader_open(s->run->image, e);
    if (w->reader == NULL)
        return -1;
    w->io = eng_blockio_new(s->run->repo, s->run->level, cancel, e);
    if (w->io == NULL)
        return -1;
    if (s->run->fingerprints == NULL)
        return 0;
    w->fingerprinter = eng_fingerprinter_new(s->run->fingerprints, e);
    return w->fingerprinter != NULL ? 0 : -1;
}

/* Reads block i; *zero: all of it is zeros (then nothing else is set). */
static int read_block(struct worker *w, uint64_t i, uint32_t len, bool *zero,
                      struct err *e)
{
    uint32_t data = 0;
    int64_t t0 = utc_mono_ns();

    if (eng_image_read(w->reader, i * w->map->block_size, len, w->block, &data,
                       e) < 0)
        return -1;
    w->use.source_ns += (uint64_t)(utc_mono_ns() - t0);
    w->use.read_bytes += data;
    *zero = data == 0 || io_all_zero(w->block, len);
    progress_add(w->run->task, 0, data, 0);
    return 0;
}

/* The parent's entry of block i, where the block has the same length there
 * (then an equal id means equal content) and the index knows all that it names:
 * what a listing has shown to be gone is neither kept nor built upon. */
static const struct mf_entry *parent_entry(const struct worker *w, uint64_t i,
                                           uint32_t len)
{
    const struct eng_map *p = w->run->parent;

    if (p == NULL || i >= p->n || eng_map_block_len(p, i) != len ||
        !eng_entry_known(w->io, &p->entries[i]))
        return NULL;
    return &p->entries[i];
}

/* What block i holds that is being looked at. */
struct look {
    uint32_t len;
    const struct mf_entry *before; /* the parent's, if it can be kept */
    bool compared;                 /* by fingerprints: changed is known */
    uint64_t changed;              /* units */
    bool same;                     /* as in the parent */
    struct mf_id id;               /* of the content; not set where `same` was
                                      told by fingerprints */
};

static int hash_block(struct worker *w, uint32_t len, struct mf_id *id,
                      struct err *e)
{
    int64_t t0 = utc_mono_ns();
    int r = mf_keys_id(eng_repo_keys(w->run->repo), MF_OBJECT_BLOCK,
                       span_of(w->block, len), id, e);

    w->use.hash_ns += (uint64_t)(utc_mono_ns() - t0);
    return r;
}

/* Compares by fingerprints, and by id where they do not say "unchanged". */
static int compare(struct worker *w, uint64_t i, struct look *l, struct err *e)
{
    if (w->fingerprinter != NULL) {
        int64_t t0 = utc_mono_ns();
        l->compared =
            eng_fingerprints_take(w->fingerprinter, i,
                                  span_of(w->block, l->len), &l->changed) &&
            l->before != NULL;
        w->use.hash_ns += (uint64_t)(utc_mono_ns() - t0);
    }
    l->same = l->compared && l->changed == 0;
    if (l->same)
        return 0;
    if (hash_block(w, l->len, &l->id, e) < 0)
        return -1;
    const struct mf_id *known =
        l->before != NULL ? mf_entry_content(l->before) : NULL;
    l->same = known != NULL && mf_id_eq(known, &l->id);
    return 0;
}

/* Makes sure that the first len bytes of the buffer are stored under id. */
static int store_block(struct worker *w, const struct mf_id *id, uint32_t len,
                       struct err *e)
{
    if (!w->run->dry_run)
        return eng_block_put(w->io, id, span_of(w->block, len), e);
    if (eng_block_known(w->io, id)) {
        w->use.io.reused_blocks++;
    } else {
        w->use.io.new_blocks++;
        w->use.io.new_bytes += len;
    }
    return 0;
}

/* The units that an overlay on the parent's base must hold, or 0 where a whole
 * block is the better answer: the changes are not known by unit, there is no
 * base, or more than half of the block would be in it. */
static uint64_t overlay_units(const struct worker *w, const struct look *l)
{
    if (!l->compared || l->before == NULL || l->before->kind == MF_ZERO)
        return 0;
    uint64_t units = l->changed;
    if (l->before->kind == MF_OVER)
        units |= l->before->units;
    unsigned n = mf_unit_count(w->map->block_size, l->len);
    return 2 * (unsigned)__builtin_popcountll(units) <= n ? units : 0;
}

/* The block as its parent's base with these units replaced.  Uses the buffer
 * up. */
static int store_overlay(struct worker *w, const struct look *l, uint64_t units,
                         struct mf_entry *slot, struct err *e)
{
    const struct mf_entry *b = l->before;
    struct mf_entry made = { .kind = MF_OVER,
                             .has_base = b->kind == MF_WHOLE || b->has_base,
                             .units = units,
                             .id = b->id,
                             .has_whole = true,
                             .whole = l->id };
    uint32_t len = mf_units_gather(units, w->map->block_size, w->block, l->len);

    made.has_over = !io_all_zero(w->block, len);
    if (made.has_over && (hash_block(w, len, &made.over, e) < 0 ||
                          store_block(w, &made.over, len, e) < 0))
        return -1;
    *slot = made;
    if (!w->run->dry_run)
        eng_block_remember(w->io, slot, w->map->block_size);
    return 0;
}

/* Does the repository hold this content as a base with an overlay? */
static bool composed_before(struct worker *w, const struct look *l,
                            struct mf_entry *slot)
{
    if (!w->run->reuse ||
        !eng_block_composed(w->io, &l->id, w->map->block_size, slot))
        return false;
    w->use.io.reused_blocks++;
    return true;
}

/* A block that is not what it was: by the cheapest entry that says so. */
static int store_changed(struct worker *w, const struct look *l,
                         struct mf_entry *slot, struct err *e)
{
    uint64_t units = overlay_units(w, l);

    if (!eng_block_known(w->io, &l->id)) {
        if (composed_before(w, l, slot))
            return 0;
        if (units != 0)
            return store_overlay(w, l, units, slot, e);
    }
    if (store_block(w, &l->id, l->len, e) < 0)
        return -1;
    *slot = (struct mf_entry){ .kind = MF_WHOLE, .id = l->id };
    return 0;
}

static int do_block(struct worker *w, uint64_t i, struct err *e)
{
    struct look l = { .len = eng_map_block_len(w->map, i) };
    struct mf_entry *slot = &w->map->entries[i];
    bool zero = false;

    if (read_block(w, i, l.len, &zero, e) < 0)
        return -1;
    if (zero) {
        w->use.zero_blocks++;
        return 0; /* the slot is zero already */
    }
    if (w->run->reuse)
        l.before = parent_entry(w, i, l.len);
    if (cpu_enter(w->cancel, e) < 0)
        return -1;
    int r = compare(w, i, &l, e);
    cpu_leave();
    if (r < 0)
        return -1;
    if (!l.same)
        return store_changed(w, &l, slot, e);
    w->use.kept_blocks++;
    *slot = *l.before;
    return 0;
}

static int do_blocks(struct worker *w, struct workers *group, struct err *e)
{
    uint64_t i = 0;

    while (workers_claim(group, &i)) {
        uint64_t stored = eng_blockio_use(w->io)->stored_bytes;
        eng_runlease_tick(w->run->repo, workers_cancel(group));
        if (eng_keywatch_tick(w->run->repo, workers_cancel(group), e) < 0)
            return -1;
        if (do_block(w, i, e) < 0)
            return err_ctx(e, "%s at byte %" PRIu64, w->run->name,
                           i * w->map->block_size);
        progress_add(w->run->task, eng_map_block_len(w->map, i), 0,
                     eng_blockio_use(w->io)->stored_bytes - stored);
    }
    return 0;
}

static void add_use(struct shared *s, const struct worker *w)
{
    pthread_mutex_lock(&s->lock);
    eng_blockio_use_add(&s->use->io, &w->use.io);
    eng_blockio_use_add(&s->use->io, eng_blockio_use(w->io));
    s->use->read_bytes += w->use.read_bytes;
    s->use->zero_blocks += w->use.zero_blocks;
    s->use->kept_blocks += w->use.kept_blocks;
    s->use->source_ns += w->use.source_ns;
    s->use->hash_ns += w->use.hash_ns;
    pthread_mutex_unlock(&s->lock);
}

static int work(void *ctx, struct workers *group, unsigned index, struct err *e)
{
    struct shared *s = ctx;
    struct worker w;

    (void)index;
    int r = worker_init(&w, s, workers_cancel(group), e);
    if (r == 0)
        r = do_blocks(&w, group, e);
    if (r == 0)
        add_use(s, &w);
    worker_fini(&w);
    return r;
}

int eng_stream_blocks(const struct eng_stream_run *run, struct eng_map *map,
                      struct eng_stream_use *use, struct err *e)
{
    struct shared s = { .run = run, .map = map, .use = use };
    uint64_t n = map->n < run->workers ? map->n : run->workers;

    if (n == 0)
        return 0;
    pthread_mutex_init(&s.lock, NULL);
    int r = workers_run((unsigned)n, map->n, run->cancel, work, &s, e);
    pthread_mutex_destroy(&s.lock);
    return r;
}

static int put_again(struct worker *w, uint64_t i, struct mf_entry *slot,
                     struct err *e)
{
    const struct mf_id *was = mf_entry_content(slot);
    uint32_t len = eng_map_block_len(w->map, i);
    struct mf_id id;
    bool zero = false;

    if (read_block(w, i, len, &zero, e) < 0 || hash_block(w, len, &id, e) < 0)
        return -1;
    /* What is known must be the same; an overlay on zeros may have become
     * zeros, which need no object. */
    if (was != NULL && !mf_id_eq(was, &id))
        return err_set(e, ERR_PRECONDITION, 0,
                       "the source has changed while it was backed up, and "
                       "what it held is gone from the repository; run again");
    if (zero) {
        *slot = (struct mf_entry){ .kind = MF_ZERO };
        return 0;
    }
    if (eng_block_put_again(w->io, &id, span_of(w->block, len), e) < 0)
        return -1;
    *slot = (struct mf_entry){ .kind = MF_WHOLE, .id = id };
    return 0;
}

int eng_stream_again(const struct eng_stream_run *run,
                     const struct eng_map *map, uint64_t i,
                     struct mf_entry *slot, struct eng_stream_use *use,
                     struct err *e)
{
    struct eng_map of = *map; /* only its sizes are used */
    struct shared s = { .run = run, .map = &of, .use = use };
    struct worker w;

    int r = worker_init(&w, &s, run->cancel, e);
    if (r == 0)
        r = put_again(&w, i, slot, e);
    if (r == 0) {
        eng_blockio_use_add(&use->io, eng_blockio_use(w.io));
        use->read_bytes += w.use.read_bytes;
    }
    worker_fini(&w);
    return r;
}

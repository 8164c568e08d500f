// SPDX-License-Identifier: Apache-2.0
/*
 * A benchmark's cells: which there are, how much each may move, and that
 * nothing of them stays.
 */
#include "engine/repo/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "engine/repo/bench_cell.h"
#include "engine/repo/blockio.h"
#include "engine/repo/scratch.h"
#include "manifest/block.h"

/* What a connection takes besides its buffer. */
#define CONNECTION_BYTES (1u << 20)

const char *eng_bench_work_name(enum eng_bench_work w)
{
    return w == ENG_BENCH_RAW ? "raw" : "backup";
}

double eng_bench_rate(const struct eng_bench_cell *c)
{
    return c->seconds > 0 ? (double)c->bytes / c->seconds : 0;
}

/* The connections that the memory allows, of those wanted. */
static unsigned allowed(const struct eng_bench_opts *o, enum eng_bench_work w,
                        uint32_t size, unsigned wanted)
{
    uint64_t memory =
        o->memory_bytes != 0 ? o->memory_bytes : ENG_MEMORY_DEFAULT;
    uint64_t n = w == ENG_BENCH_BACKUP
                     ? eng_blockio_count(memory, size, o->level)
                     : memory / ((uint64_t)size + CONNECTION_BYTES);

    if (n < 1)
        n = 1;
    return n < wanted ? (unsigned)n : wanted;
}

/* No cell of its own: no block is so large, or two numbers of connections come
 * down to one. */
static bool left_out(const struct eng_bench_opts *o, enum eng_bench_work w,
                     uint32_t size, size_t i)
{
    unsigned n = allowed(o, w, size, o->connections[i]);

    if (w == ENG_BENCH_BACKUP && size > MF_BLOCK_MAX)
        return true;
    for (size_t j = 0; j < i; j++)
        if (allowed(o, w, size, o->connections[j]) == n)
            return true;
    return false;
}

static size_t count_pairs(const struct eng_bench_opts *o)
{
    size_t n = 0;

    for (int w = 0; w < ENG_BENCH_WORKS; w++)
        for (size_t s = 0; s < o->n_sizes; s++)
            for (size_t c = 0; c < o->n_connections; c++)
                n += !left_out(o, (enum eng_bench_work)w, o->sizes[s], c);
    return n;
}

/* What a pair may put: its share, but each connection puts one object. */
static uint64_t pair_bytes(const struct eng_bench_opts *o, uint32_t size,
                           unsigned connections)
{
    uint64_t pairs = count_pairs(o);
    uint64_t share = pairs > 0 ? o->total_bytes / pairs / size * size : 0;
    uint64_t least = (uint64_t)size * connections;

    return share > least ? share : least;
}

struct eng_bench_plan eng_bench_plan(const struct eng_bench_opts *o)
{
    struct eng_bench_plan plan = { .cells = 2 * count_pairs(o) };

    plan.ms = (int64_t)plan.cells * o->cell_ms;
    for (int w = 0; w < ENG_BENCH_WORKS; w++)
        for (size_t s = 0; s < o->n_sizes; s++)
            for (size_t c = 0; c < o->n_connections; c++) {
                enum eng_bench_work work = (enum eng_bench_work)w;
                if (left_out(o, work, o->sizes[s], c))
                    continue;
                uint64_t bytes = pair_bytes(
                    o, o->sizes[s],
                    allowed(o, work, o->sizes[s], o->connections[c]));
                plan.put_bytes += bytes;
                if (bytes > plan.held_bytes)
                    plan.held_bytes = bytes;
            }
    return plan;
}

struct bench {
    struct obj_store *store;
    const struct eng_bench_opts *o;
    const struct cancel *cancel;
    struct progress_task *task;
    const struct eng_bench_watch *watch;
    uint8_t *noise;
    char base[ENG_SCRATCH_CHARS];
    struct eng_scratch_puts puts;
};

/* Objects that stay would fill the storage: it is tried with a small one. */
static int check_removable(struct bench *b, struct err *e)
{
    char key[ENG_SCRATCH_CHARS + 8];
    struct obj_req req = { .key = key, .cancel = b->cancel };
    struct obj_info info = { 0 };

    (void)snprintf(key, sizeof key, "%stry", b->base);
    if (obj_put(b->store, &req, span_of(key, strlen(key)), NULL, &info, e) < 0)
        return -1;
    if (info.version[0] != '\0')
        req.version = info.version;
    if (obj_delete(b->store, &req, false, e) == 0)
        return 0;
    if (e->kind == ERR_DENIED)
        return err_hint(e, "what a benchmark stores must be removed again: "
                           "use keys that may delete");
    return -1;
}

static int run_pair(struct bench *b, enum eng_bench_work work, uint32_t size,
                    unsigned connections, uint64_t *left_over, struct err *e)
{
    struct eng_bench_cell put, get;
    unsigned n = allowed(b->o, work, size, connections);
    const struct eng_bench_pair pair = {
        .store = b->store,
        .cancel = b->cancel,
        .base = b->base,
        .puts = &b->puts,
        .noise = b->noise,
        .work = work,
        .size = size,
        .connections = n,
        .ms = b->o->cell_ms,
        .max_bytes = pair_bytes(b->o, size, n),
        .level = b->o->level,
    };

    int r = eng_bench_pair(&pair, b->task, &put, &get, e);
    *left_over += eng_scratch_remove(b->store, b->base, &b->puts, b->cancel);
    if (r < 0)
        return -1;
    b->watch->cell(b->watch->ctx, &put);
    b->watch->cell(b->watch->ctx, &get);
    return 0;
}

static int run_all(struct bench *b, uint64_t *left_over, struct err *e)
{
    for (int w = 0; w < ENG_BENCH_WORKS; w++)
        for (size_t s = 0; s < b->o->n_sizes; s++)
            for (size_t c = 0; c < b->o->n_connections; c++) {
                enum eng_bench_work work = (enum eng_bench_work)w;
                if (!left_out(b->o, work, b->o->sizes[s], c) &&
                    run_pair(b, work, b->o->sizes[s], b->o->connections[c],
                             left_over, e) < 0)
                    return -1;
            }
    return 0;
}

static int prepare(struct bench *b, struct err *e)
{
    struct obj_bucket bucket;
    bool known;
    uint32_t largest = 0;

    for (size_t s = 0; s < b->o->n_sizes; s++)
        largest = b->o->sizes[s] > largest ? b->o->sizes[s] : largest;
    if (largest == 0)
        return err_set(e, ERR_USAGE, 0, "no size to measure");
    b->noise = malloc(largest);
    if (b->noise == NULL)
        return err_nomem(e);
    if (digest_random(b->noise, largest, e) < 0 ||
        eng_scratch_name("bench", b->base, e) < 0)
        return -1;
    if (eng_scratch_check(b->store, b->base, b->cancel, &bucket, &known, e) <
            0 ||
        check_removable(b, e) < 0) {
        (void)eng_scratch_remove(b->store, b->base, NULL, b->cancel);
        return -1;
    }
    eng_scratch_sweep(b->store, b->cancel);
    return eng_scratch_look(&b->puts, b->store, b->base, b->cancel, e);
}

int eng_bench_run(struct eng_repo *r, const struct eng_bench_opts *o,
                  const struct cancel *cancel, struct progress *progress,
                  const struct eng_bench_watch *watch, uint64_t *left_over,
                  struct err *e)
{
    struct eng_bench_plan plan = eng_bench_plan(o);
    struct bench b = {
        .store = eng_repo_store(r), .o = o, .cancel = cancel, .watch = watch
    };

    *left_over = 0;
    eng_scratch_puts_init(&b.puts);
    int done = prepare(&b, e);
    if (done == 0) {
        watch->begins(watch->ctx, &plan);
        b.task = progress_begin(progress, "bench", eng_repo_name(r),
                                2 * plan.put_bytes);
        done = run_all(&b, left_over, e);
        progress_end(b.task);
    }
    eng_scratch_puts_fini(&b.puts);
    free(b.noise);
    return done < 0 ? err_ctx(e, "bench") : 0;
}

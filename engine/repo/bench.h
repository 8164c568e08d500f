// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_BENCH_H
#define ENGINE_REPO_BENCH_H

/*
 * How fast a repository's storage is: PUT and GET of objects of one size over
 * one number of connections at a time (a cell).  The objects lie below
 * gc/bench-<random>/ and are removed after each cell, also after an error or
 * when it is cancelled.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "base/progress.h"
#include "engine/repo/repo.h"

#define ENG_BENCH_SIZE_MIN (4u << 10)
#define ENG_BENCH_SIZE_MAX OBJ_BODY_MAX
#define ENG_BENCH_CONNECTIONS_MAX 64

struct eng_bench_opts {
    const uint32_t *sizes; /* bytes of an object's content */
    size_t n_sizes;
    const unsigned *connections;
    size_t n_connections;
    int64_t cell_ms;       /* how long a PUT or a GET cell lasts */
    uint64_t total_bytes;  /* put at most, in all; as much is got at most */
    uint64_t memory_bytes; /* for buffers; 0: ENG_MEMORY_DEFAULT.  Cells that
                              need more get fewer connections. */
    int level;             /* zstd's, for what a backup would do */
};

enum eng_bench_work {
    ENG_BENCH_RAW,    /* random bytes, put and got as they are */
    ENG_BENCH_BACKUP, /* hash, compress, put; get, decompress, verify */
    ENG_BENCH_WORKS
};

struct eng_bench_cell {
    enum eng_bench_work work;
    bool get; /* else put */
    uint32_t size;
    unsigned connections;
    uint64_t requests, bytes; /* bytes of content */
    uint64_t stored_bytes;    /* bytes of the objects */
    double seconds, cpu_seconds;
    double p50_ms, p99_ms; /* of one object, work included */
};

/* What a benchmark will do at most. */
struct eng_bench_plan {
    size_t cells;
    int64_t ms;
    uint64_t put_bytes;  /* in all */
    uint64_t held_bytes; /* at one time */
};
struct eng_bench_plan eng_bench_plan(const struct eng_bench_opts *o);

/* Called on the calling thread. */
struct eng_bench_watch {
    /* The storage was looked at, nothing else has happened yet. */
    void (*begins)(void *ctx, const struct eng_bench_plan *plan);
    void (*cell)(void *ctx, const struct eng_bench_cell *cell); /* as it ends */
    void *ctx;
};

/* Runs all cells: raw ones, then those of a backup (up to the largest block);
 * sizes and connections in the order given.  *left_over: objects that could not
 * be removed.  -1: ERR_LOCKED, where the bucket's default retention would lock
 * the objects; ERR_DENIED, where these keys could not remove them again. */
int eng_bench_run(struct eng_repo *r, const struct eng_bench_opts *o,
                  const struct cancel *cancel, struct progress *progress,
                  const struct eng_bench_watch *watch, uint64_t *left_over,
                  struct err *e) __attribute__((warn_unused_result));

/* "raw", "backup". */
const char *eng_bench_work_name(enum eng_bench_work w);
/* Bytes of content a second; 0 where nothing was measured. */
double eng_bench_rate(const struct eng_bench_cell *c);

#endif

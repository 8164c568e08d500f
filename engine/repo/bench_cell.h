// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_BENCH_CELL_H
#define ENGINE_REPO_BENCH_CELL_H

/* Private to engine/repo: one pair of cells of a benchmark. */
#include "engine/repo/bench.h"
#include "engine/repo/scratch.h"

struct eng_bench_pair {
    struct obj_store *store;
    const struct cancel *cancel;
    const char *base; /* keys begin with it */
    struct eng_scratch_puts *puts;
    const uint8_t *noise; /* `size` random bytes */
    enum eng_bench_work work;
    uint32_t size;
    unsigned connections;
    int64_t ms;
    uint64_t max_bytes; /* of content; each of put and get */
    int level;
};

/* Puts for `ms` (at least one object for each connection), then gets what was
 * put for as long.  The objects stay. */
int eng_bench_pair(const struct eng_bench_pair *pair,
                   struct progress_task *task, struct eng_bench_cell *put,
                   struct eng_bench_cell *get, struct err *e)
    __attribute__((warn_unused_result));

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_RESTORE_WRITE_JOB_H
#define TESTS_UNIT_ENGINE_RESTORE_WRITE_JOB_H

/* Workers that write a known disk, zeros among it, to a target. */
#include "base/workers.h"
#include "engine/restore/target.h"
#include "tests/unit/engine/source/scratch.h"

#define BLOCK (256u << 10)

struct job {
    struct eng_target *t;
    const uint8_t *disk;
    uint64_t size;
    uint64_t zero_every; /* this block of each so many is zeros */
};

static inline int write_blocks(void *ctx, struct workers *w, unsigned index,
                               struct err *e)
{
    struct job *j = ctx;
    uint64_t i = 0;
    (void)index;
    while (workers_claim(w, &i)) {
        uint64_t o = i * BLOCK;
        uint64_t n = j->size - o < BLOCK ? j->size - o : BLOCK;
        int r = i % j->zero_every == 0
                    ? eng_target_zero(j->t, workers_cancel(w), o, n, e)
                    : eng_target_write(j->t, workers_cancel(w), o,
                                       span_of(j->disk + o, n), e);
        if (r < 0)
            return -1;
    }
    return 0;
}

/* A disk of blocks and zeros, and the job that writes it. */
static inline struct job make_job(uint64_t size, uint64_t zero_every)
{
    uint8_t *p = room(size);
    fill(p, size, 0);
    for (uint64_t o = 0; o < size; o += zero_every * BLOCK)
        memset(p + o, 0, size - o < BLOCK ? size - o : BLOCK);
    return (struct job){ .disk = p, .size = size, .zero_every = zero_every };
}

static inline void drop_job(struct job *j)
{
    free((void *)(uintptr_t)j->disk);
}

static inline void assert_refused(const struct eng_target_opts *o,
                                  enum err_kind kind, const char *part)
{
    struct err e = { 0 };
    struct eng_target *t = eng_target_open(o, &e);
    assert_null(t);
    assert_err(&e, kind, part);
}

#endif

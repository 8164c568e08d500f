// SPDX-License-Identifier: Apache-2.0
/*
 * One pair of cells: workers put objects until the time is over, then get them
 * again.  The connections are as many as the workers; what each does between
 * two requests is what a backup or a restore would do, or nothing.
 */
#include "engine/repo/bench_cell.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/utc.h"
#include "base/workers.h"
#include "manifest/block.h"

/* Latencies are counted in classes an eighth of a power of two wide. */
#define CLASSES 512
#define OBJECTS_MAX (1u << 20)
#define TEXT_SHARE 2 /* of 5 parts of a block, this many compress well */
#define KEY_CHARS 128

struct measure {
    const struct eng_bench_pair *pair;
    struct progress_task *task;
    bool get;
    struct mf_id *ids; /* backup: names of the objects */
    uint64_t limit;    /* objects; get: requests */
    uint64_t have;     /* get: objects that are there */
    int64_t until_ms;
    atomic_ullong next, done, bytes, stored;
    atomic_ullong classes[CLASSES];
};

/* A worker's buffers. */
struct bench_worker {
    struct mf_keys *keys;
    struct zst *z;
    uint8_t *plain; /* NULL: raw */
    struct buf object;
};

static void bench_worker_fini(struct bench_worker *b)
{
    zst_free(b->z);
    mf_keys_free(b->keys);
    free(b->plain);
    buf_free(&b->object);
}
#define AUTO_BENCH_WORKER AUTO(bench_worker_fini)

static unsigned class_of(uint64_t us)
{
    if (us < 16)
        return (unsigned)us;
    unsigned top = 63u - (unsigned)__builtin_clzll(us);
    return top * 8 + (unsigned)((us >> (top - 3)) & 7);
}

/* The upper end of a class, in milliseconds. */
static double class_ms(unsigned c)
{
    if (c < 16)
        return (double)c / 1000.0;
    return (double)((uint64_t)(9 + c % 8) << (c / 8 - 3)) / 1000.0;
}

static double percentile(struct measure *m, double share)
{
    uint64_t total = atomic_load(&m->done), below = 0;

    for (unsigned c = 0; c < CLASSES; c++) {
        below += atomic_load(&m->classes[c]);
        if (total > 0 && (double)below >= share * (double)total)
            return class_ms(c);
    }
    return 0;
}

static void key_of(const struct measure *m, uint64_t i, char out[KEY_CHARS])
{
    char hex[MF_ID_CHARS];

    if (m->pair->work == ENG_BENCH_RAW) {
        (void)snprintf(out, KEY_CHARS, "%s%" PRIu64, m->pair->base, i);
        return;
    }
    mf_id_hex(&m->ids[i], hex);
    (void)snprintf(out, KEY_CHARS, "%s%s", m->pair->base, hex);
}

/* Content like that of a disk: two fifths of it compress about three to one,
 * the rest not at all. */
static void fill_plain(const struct eng_bench_pair *p, uint8_t *to)
{
    static const char letters[] = "etaoin s";
    size_t text = (size_t)p->size / 5 * TEXT_SHARE;

    for (size_t i = 0; i < text; i++)
        to[i] = (uint8_t)letters[p->noise[i] % 8];
    memcpy(to + text, p->noise + text, p->size - text);
}

static int put_one(struct measure *m, struct bench_worker *b, uint64_t i,
                   const struct cancel *cancel, struct err *e)
{
    const struct eng_bench_pair *p = m->pair;
    struct span body = span_of(p->noise, p->size);
    struct obj_put_opts opts = { .bulk = true };
    char key[KEY_CHARS];
    struct obj_req req = { .key = key, .cancel = cancel };
    struct obj_info info = { 0 };

    if (b->plain != NULL) {
        memcpy(b->plain, &i, sizeof i); /* no two blocks are the same */
        body = span_of(b->plain, p->size);
        buf_reset(&b->object);
        if (mf_id_of(body, &m->ids[i], e) < 0 ||
            mf_block_encode(b->keys, b->z, p->level, &m->ids[i], body,
                            &b->object, e) < 0)
            return -1;
        body = buf_span(&b->object);
    }
    key_of(m, i, key);
    if (obj_put(p->store, &req, body, &opts, &info, e) < 0)
        return -1;
    eng_scratch_note(p->puts, key, &info);
    atomic_fetch_add(&m->stored, body.len);
    return 0;
}

static int get_one(struct measure *m, struct bench_worker *b, uint64_t i,
                   const struct cancel *cancel, struct err *e)
{
    const struct eng_bench_pair *p = m->pair;
    char key[KEY_CHARS];
    struct obj_req req = { .key = key, .cancel = cancel };
    size_t len = 0;

    key_of(m, i, key);
    buf_reset(&b->object);
    if (obj_get(p->store, &req, NULL, &b->object, NULL, e) < 0)
        return -1;
    atomic_fetch_add(&m->stored, b->object.len);
    if (b->plain != NULL)
        return mf_block_decode(b->keys, b->z, buf_span(&b->object), &m->ids[i],
                               b->plain, p->size, &len, e);
    if (b->object.len != p->size)
        return err_set(e, ERR_CORRUPT, 0, "%s: %zu bytes, not %" PRIu32, key,
                       b->object.len, p->size);
    return 0;
}

static int worker_init(const struct eng_bench_pair *p, struct bench_worker *b,
                       struct err *e)
{
    b->object = buf_init(mf_object_max(p->size));
    if (p->work == ENG_BENCH_RAW)
        return 0;
    b->keys = mf_keys_plain(e);
    b->z = b->keys != NULL ? zst_new(e) : NULL;
    if (b->z == NULL)
        return -1;
    b->plain = malloc(p->size);
    if (b->plain == NULL)
        return err_nomem(e);
    fill_plain(p, b->plain);
    return 0;
}

static int worker_loop(struct measure *m, struct bench_worker *b,
                       const struct cancel *cancel, struct err *e)
{
    for (bool first = true; first || utc_mono_ms() < m->until_ms;
         first = false) {
        uint64_t i = atomic_fetch_add(&m->next, 1);
        if (i >= m->limit)
            return 0;
        int64_t from = utc_mono_ns();
        int r = m->get ? get_one(m, b, i % m->have, cancel, e)
                       : put_one(m, b, i, cancel, e);
        if (r < 0)
            return -1;
        int64_t us = (utc_mono_ns() - from) / 1000;
        atomic_fetch_add(&m->classes[class_of((uint64_t)us)], 1);
        atomic_fetch_add(&m->done, 1);
        progress_add(m->task, m->pair->size, 0, m->pair->size);
    }
    return 0;
}

/* Each worker works until the time is over: the group's items are just one for
 * each, so that all of them are seen to have ended well. */
static int worker(void *ctx, struct workers *w, unsigned index, struct err *e)
{
    struct measure *m = ctx;
    uint64_t item;

    (void)index;
    AUTO_BENCH_WORKER struct bench_worker b = { 0 };
    if (worker_init(m->pair, &b, e) < 0 ||
        worker_loop(m, &b, workers_cancel(w), e) < 0)
        return -1;
    while (workers_claim(w, &item))
        ;
    return 0;
}

static double cpu_seconds(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_SELF, &u) < 0)
        return 0;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int run(struct measure *m, struct eng_bench_cell *cell, struct err *e)
{
    const struct eng_bench_pair *p = m->pair;
    double cpu = cpu_seconds();
    int64_t from = utc_mono_ns();

    m->until_ms = utc_mono_ms() + p->ms;
    if (workers_run(p->connections, p->connections, p->cancel, worker, m, e) <
        0)
        return -1;
    *cell = (struct eng_bench_cell){
        .work = p->work,
        .get = m->get,
        .size = p->size,
        .connections = p->connections,
        .requests = atomic_load(&m->done),
        .bytes = atomic_load(&m->done) * p->size,
        .stored_bytes = atomic_load(&m->stored),
        .seconds = (double)(utc_mono_ns() - from) / 1e9,
        .cpu_seconds = cpu_seconds() - cpu,
        .p50_ms = percentile(m, 0.5),
        .p99_ms = percentile(m, 0.99),
    };
    return 0;
}

int eng_bench_pair(const struct eng_bench_pair *pair,
                   struct progress_task *task, struct eng_bench_cell *put,
                   struct eng_bench_cell *get, struct err *e)
{
    struct measure puts = { .pair = pair, .task = task };
    struct measure gets = { .pair = pair, .task = task, .get = true };
    uint64_t limit = pair->max_bytes / pair->size;

    limit = limit < pair->connections ? pair->connections : limit;
    puts.limit = limit < OBJECTS_MAX ? limit : OBJECTS_MAX;
    AUTO_MEM struct mf_id *ids = calloc(puts.limit, sizeof *ids);
    if (ids == NULL)
        return err_nomem(e);
    puts.ids = ids;
    gets.ids = ids;
    if (run(&puts, put, e) < 0)
        return -1;
    gets.have = put->requests;
    gets.limit = limit;
    return run(&gets, get, e);
}

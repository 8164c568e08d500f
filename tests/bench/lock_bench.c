// SPDX-License-Identifier: Apache-2.0
/*
 * What extending locks costs: the real extension step over a point of N
 * objects, all of them short.
 *
 *   lock_bench N memory            over the storage in memory: the client's
 * part lock_bench N s3 BUCKET         on the server that
 * OBJVAULT_TEST_S3_ENDPOINT names, with AWS_ACCESS_KEY_ID and
 *                                  AWS_SECRET_ACCESS_KEY; the bucket is made
 *
 * Prints a line a round: objects, seconds, seconds of this process's CPU.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utc.h"
#include "base/workers.h"
#include "engine/repo/blockio.h"
#include "engine/repo/extend.h"
#include "engine/repo/learn.h"
#include "objstore/retry.h"
#include "tests/conformance/memory.h"

#define ROUNDS 3
#define PUTTERS 32
#define BLOCK (256u << 10)
#define IMMUTABLE_S 3600
#define GENERATION_S 60

static bool in_memory;

/* The linker's names. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
struct obj_store *__real_obj_store_open(const struct obj_config *c,
                                        struct err *e);
struct obj_store *__wrap_obj_store_open(const struct obj_config *c,
                                        struct err *e);

struct obj_store *__wrap_obj_store_open(const struct obj_config *c,
                                        struct err *e)
{
    return in_memory ? obj_store_open_driver(&memory_driver, c, NULL, e)
                     : __real_obj_store_open(c, e);
}

/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static struct err why;

static void must(int result)
{
    if (result == 0)
        return;
    fprintf(stderr, "lock_bench: %s\n", why.msg);
    exit(1); /* NOLINT(concurrency-mt-unsafe): nobody else runs */
}

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int never_again(void *ctx, size_t stream, uint64_t i,
                       struct mf_entry *slot, struct err *e)
{
    (void)ctx;
    (void)stream;
    (void)i;
    (void)slot;
    return err_set(e, ERR_INTERNAL, 0, "a block is gone");
}

struct putting {
    struct eng_repo *repo;
    struct eng_map *map;
};

static int put_worker(void *ctx, struct workers *w, unsigned index,
                      struct err *e)
{
    struct putting *p = ctx;
    AUTO_ENG_BLOCKIO struct eng_blockio *io =
        eng_blockio_new(p->repo, 1, workers_cancel(w), e);
    uint64_t i = 0;

    (void)index;
    if (io == NULL)
        return -1;
    while (workers_claim(w, &i)) {
        struct mf_entry *slot = &p->map->entries[i];
        struct span content = span_of(&i, sizeof(i));
        slot->kind = MF_WHOLE;
        if (mf_id_of(content, &slot->id, e) < 0 ||
            (!eng_entry_known(io, slot) &&
             eng_block_put(io, &slot->id, content, e) < 0))
            return -1;
    }
    return 0;
}

static void describe(struct mf_point *p, uint64_t blocks)
{
    p->disks = calloc(1, sizeof(*p->disks));
    p->vm.name = strdup("vm");
    p->vm.source = strdup("dir:/machines");
    p->program = strdup("lock_bench");
    must(p->disks == NULL ? -1 : 0);
    p->n_disks = 1;
    p->disks[0].name = strdup("disk.raw");
    p->disks[0].format = strdup("raw");
    p->disks[0].size = blocks * BLOCK;
    p->disks[0].block_size = BLOCK;
    p->time = utc_now();
    p->chain = p->time;
    p->kind = MF_FULL;
    p->consistency = MF_CRASH;
}

/* One point; told: what its extension step took. */
static void make_point(const struct eng_repo_place *place, uint64_t blocks,
                       bool told)
{
    struct eng_map map = { 0 };
    struct eng_blockio_use use = { 0 };
    struct eng_repo *r = eng_repo_open(place, NULL, &why);
    struct mf_point *p = mf_point_new(&why);

    must(r == NULL || p == NULL ? -1 : 0);
    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, &why));
    describe(p, blocks);
    must(eng_map_init(&map, p->disks[0].size, BLOCK, &why));
    struct putting putting = { r, &map };
    must(workers_run(PUTTERS, map.n, NULL, put_worker, &putting, &why));
    must(eng_map_store(r, &map, NULL, &p->disks[0], &use, &why));
    struct eng_extend x = {
        .point = p, .maps = &map, .n_maps = 1, .again = never_again, .use = &use
    };
    int64_t began = utc_mono_ns();
    double cpu = cpu_seconds();
    must(eng_extend_commit(r, &x, &why));
    if (told)
        printf("%llu locks extended in %.2f s, %.2f s of CPU\n",
               (unsigned long long)x.extended,
               (double)(utc_mono_ns() - began) / 1e9, cpu_seconds() - cpu);
    (void)fflush(stdout);
    eng_map_fini(&map);
    mf_point_free(p);
    eng_repo_close(r);
}

int main(int argc, char **argv)
{
    char state[] = "/tmp/objvault-lock-bench-XXXXXX";
    struct eng_repo_place place = { .name = "bench", .state_dir = state };
    struct eng_repo_create_opts o = { .create_bucket = true,
                                      .block_size = BLOCK,
                                      .locked = true,
                                      .immutability_s = IMMUTABLE_S,
                                      .generation_s = GENERATION_S };
    uint64_t blocks = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;

    in_memory = argc == 3 && strcmp(argv[2], "memory") == 0;
    if (blocks == 0 ||
        (!in_memory && (argc != 4 || strcmp(argv[2], "s3") != 0))) {
        fprintf(stderr,
                "usage: lock_bench N memory | lock_bench N s3 BUCKET\n");
        return 2;
    }
    log_setup(LOG_ERROR, false);
    place.store = (struct obj_config){ .driver = OBJ_DRIVER_S3,
                                       .bucket = in_memory ? "b" : argv[3] };
    if (!in_memory) {
        place.store.endpoint = getenv("OBJVAULT_TEST_S3_ENDPOINT");
    }
    if (mkdtemp(state) == NULL)
        return 1;
    must(eng_repo_create(&place, &o, NULL, &why));
    make_point(&place, blocks, false);
    for (unsigned i = 1; i <= ROUNDS; i++) {
        place.immutability_s = IMMUTABLE_S + i * 10 * GENERATION_S;
        make_point(&place, blocks, true);
    }
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", state);
    return system(command); /* NOLINT(cert-env33-c): a path of our own */
}

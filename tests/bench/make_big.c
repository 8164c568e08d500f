// SPDX-License-Identifier: Apache-2.0
/*
 * A repository of many blocks, in a directory, for measuring what goes through
 * all of them:
 *
 *   make_big DIR BLOCKS GARBAGE
 *
 * makes DIR/store with one VM of BLOCKS different blocks (empty files: only
 * their names count), three points that share its pages, and GARBAGE blocks
 * that nobody needs.  DIR/state is the maker's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "engine/repo/learn.h"
#include "engine/repo/map.h"
#include "engine/repo/point_store.h"

#define BLOCK (256u << 10)
#define POINTS 3
#define FIRST_TIME INT64_C(1767225600)

static void die(const struct err *e)
{
    (void)fprintf(stderr, "make_big: %s\n", e->msg);
    exit(1);
}

#define MUST(call)                                                             \
    do {                                                                       \
        struct err e_ = { 0 };                                                 \
        struct err *e = &e_;                                                   \
        if ((call) < 0)                                                        \
            die(e);                                                            \
    } while (0)

/* Ids that look like digests, the same in each run. */
static struct mf_id id_of(uint64_t n)
{
    struct mf_id id;

    MUST(digest_sha256(span_of(&n, sizeof(n)), id.b, e));
    return id;
}

static void make_block(const char *store, const struct mf_id *id)
{
    char path[4096];
    struct mf_key key = mf_key_block(MF_KEYSET_PLAIN, id);

    (void)snprintf(path, sizeof(path), "%s/%s", store, key.s);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, (mode_t)0644);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    close(fd);
}

static void make_folders(const char *store)
{
    char path[4096];

    for (int i = 0; i < 256; i++) {
        struct mf_key key = mf_key_blocks_prefix(MF_KEYSET_PLAIN, i);
        (void)snprintf(path, sizeof(path), "%s/%s", store, key.s);
        MUST(io_mkdirs(path, 0755, e));
    }
}

static void make_points(struct eng_repo *r, uint64_t blocks)
{
    struct err why = { 0 };
    AUTO_ENG_MAP struct eng_map map = { 0 };
    AUTO_MF_POINT struct mf_point *p = mf_point_new(&why);

    if (p == NULL)
        die(&why);
    MUST(eng_map_init(&map, blocks * BLOCK, BLOCK, e));
    for (uint64_t i = 0; i < blocks; i++) {
        map.entries[i].kind = MF_WHOLE;
        map.entries[i].id = id_of(i);
    }
    p->vm.name = strdup("big");
    p->vm.source = strdup("dir:/big");
    p->program = strdup("make_big");
    p->kind = MF_FULL;
    p->consistency = MF_CRASH;
    p->disks = calloc(1, sizeof(*p->disks));
    p->n_disks = 1;
    p->disks[0].name = strdup("disk.raw");
    p->disks[0].format = strdup("raw");
    p->disks[0].size = blocks * BLOCK;
    p->disks[0].block_size = BLOCK;
    MUST(eng_map_store(r, &map, NULL, &p->disks[0], NULL, e));
    for (int i = 0; i < POINTS; i++) {
        struct eng_point_made made = { 0 };
        p->time = p->chain = FIRST_TIME + i * INT64_C(86400);
        MUST(eng_point_put(r, NULL, p, &made, e));
    }
}

int main(int argc, char **argv)
{
    char store[4096];
    char state[4096];
    struct err why = { 0 };

    if (argc != 4) {
        (void)fprintf(stderr, "usage: make_big DIR BLOCKS GARBAGE\n");
        return 2;
    }
    uint64_t blocks = strtoull(argv[2], NULL, 10);
    uint64_t garbage = strtoull(argv[3], NULL, 10);
    (void)snprintf(store, sizeof(store), "%s/store", argv[1]);
    (void)snprintf(state, sizeof(state), "%s/state", argv[1]);
    const struct eng_repo_place place = {
        .name = "big",
        .state_dir = state,
        .store = { .driver = OBJ_DRIVER_FILE, .path = store },
    };
    const struct eng_repo_create_opts o = { .block_size = BLOCK };
    MUST(eng_repo_create(&place, &o, NULL, e));
    AUTO_ENG_REPO struct eng_repo *r = eng_repo_open(&place, NULL, &why);
    if (r == NULL)
        die(&why);
    MUST(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, e));
    make_points(r, blocks);
    make_folders(store);
    for (uint64_t i = 0; i < blocks + garbage; i++) {
        struct mf_id id = id_of(i);
        make_block(store, &id);
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_FIXTURE_H
#define TESTS_UNIT_ENGINE_FIXTURE_H

/* A repository in a temporary folder (file driver), with block size 256 KiB,
 * for the tests of the engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "engine/repo/repo.h"
#include "tests/unit/must.h"

#define FIXTURE_BLOCK (256u << 10)

struct fixture {
    char dir[64];
    char store[80];
    char state[80];
    struct eng_repo_place place;
};

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct eng_repo_create_opts o = { .block_size = FIXTURE_BLOCK };

    /* In memory where that is possible: hundreds of puts wait for as many
     * syncs on a disk, and what a disk does is the scenarios' matter. */
    snprintf(f->dir, sizeof(f->dir), "%s/objvault-unit-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->store, sizeof(f->store), "%s/store", f->dir);
    snprintf(f->state, sizeof(f->state), "%s/state", f->dir);
    f->place = (struct eng_repo_place){
        .name = "test",
        .state_dir = f->state,
        .store = { .driver = OBJ_DRIVER_FILE, .path = f->store },
    };
    must(eng_repo_create(&f->place, &o, NULL, why));
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
    int r = system(command); /* NOLINT(cert-env33-c): a path of our own */
    free(f);
    return r;
}

static inline struct eng_repo *fixture_open(struct fixture *f)
{
    struct err e = { 0 };
    struct eng_repo *r = eng_repo_open(&f->place, NULL, &e);

    if (r == NULL)
        fail_msg("open: %s", e.msg);
    return r;
}

/* Fills p with bytes that do not compress, different for each seed. */
static inline void fixture_noise(uint8_t *p, size_t len, uint64_t seed)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        p[i] = (uint8_t)(x >> 32);
    }
}

static inline char *fixture_path(const struct fixture *f, const char *name)
{
    char *p = NULL;

    assert_true(asprintf(&p, "%s/%s", f->dir, name) > 0);
    return p;
}

#endif

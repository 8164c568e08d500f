// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_CARE_COLLECTING_H
#define TESTS_UNIT_ENGINE_CARE_COLLECTING_H

/* What tests of collection have in common. */
#include "tests/unit/engine/care/attacked.h"

#include "base/utc.h"
#include "engine/care/check.h"
#include "engine/care/collect.h"
#include "engine/repo/blockio.h"
#include "engine/repo/damaged.h"
#include "engine/repo/keep.h"
#include "engine/repo/learn.h"
#include "engine/repo/lease.h"
#include "engine/repo/point_store.h"
#include "engine/repo/runlease.h"
#include "engine/repo/sweeping.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

static inline struct eng_collect_result collect(struct eng_repo *r, bool dry)
{
    const struct eng_collect_opts o = { .dry_run = dry };
    struct eng_collect_result res;

    must(eng_collect_run(r, &o, &res, why));
    return res;
}

/* It must stop with damage, and delete nothing. */
static inline void stops(struct eng_repo *r)
{
    const struct eng_collect_opts o = { 0 };
    struct eng_collect_result res;
    struct err e = { 0 };

    assert_int_equal(eng_collect_run(r, &o, &res, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "repo recover"));
    assert_int_equal(res.deleted.objects + res.removed, 0);
}

static inline int on_any(void *ctx, const char *key,
                         const struct obj_info *info, struct err *e)
{
    size_t *n = ctx;

    (void)key;
    (void)info;
    (void)e;
    ++*n;
    return 0;
}

/* Versions and delete markers, or objects where there are no versions. */
static inline size_t count(struct eng_repo *r, const char *prefix)
{
    struct obj_req req = { .key = prefix };
    struct obj_list_opts o = { 0 };
    size_t n = 0;

    must(eng_repo_keeps_versions(r, NULL, &o.versions, why));
    must(obj_list(eng_repo_store(r), &req, &o, on_any, &n, why));
    return n;
}

/* What only the oldest point needed is garbage then. */
static inline void delete_oldest(struct eng_repo *r)
{
    AUTO_ENG_POINTS struct eng_points all = { 0 };

    must(eng_points_list(r, NULL, NULL, &all, why));
    assert_true(all.n > 1);
    must(eng_point_delete(r, NULL, &all.p[0], why));
}

static inline void new_disk(const char *vm, uint64_t seed)
{
    AUTO_MEM uint8_t *block = malloc(FIXTURE_BLOCK);
    int fd = vm_disk_open(vm);

    for (unsigned i = 0; i < VM_BLOCKS; i++) {
        fixture_noise(block, FIXTURE_BLOCK, seed * 1000 + i);
        must(io_pwrite_full(fd, block, FIXTURE_BLOCK,
                            (uint64_t)i * FIXTURE_BLOCK, "disk", why));
    }
    close(fd);
}

static inline void put_old(struct eng_repo *r, int64_t time)
{
    struct err e = { 0 };
    AUTO_MF_POINT struct mf_point *p = mf_point_new(&e);
    struct eng_point_made made = { 0 };

    assert_non_null(p);
    p->vm.name = strdup("old");
    p->vm.source = strdup("dir:/x");
    p->program = strdup("objvault test");
    p->time = p->chain = time;
    p->kind = MF_FULL;
    p->retention.present = true;
    p->retention.days = 1;
    p->retention.timezone = strdup("UTC");
    must(eng_point_put(r, NULL, p, &made, why));
}

#endif

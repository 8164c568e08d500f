// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_REPO_LEASING_H
#define TESTS_UNIT_ENGINE_REPO_LEASING_H

/* For tests of leases and sweeps, on a server whose clock is ours to set. */
#include "tests/unit/engine/care/attacked.h"

#include "engine/repo/lease.h"
#include "engine/repo/runlease.h"
#include "engine/repo/sweeping.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)

/* The server's clock goes on, and our store learns of it. */
static inline void pass(struct attacked *a, struct eng_repo *r, int64_t seconds)
{
    struct obj_req req = { .key = "" };
    struct obj_bucket b;

    s3server_set_clock(a->server, seconds);
    must(obj_bucket_info(eng_repo_store(r), &req, &b, why));
}

/* Whether somebody is in the way of a sweep that does not wait. */
static inline bool in_the_way(struct eng_repo *r)
{
    struct eng_sweep s;
    struct eng_sweep_way way;
    struct err e = { 0 };
    int live = eng_sweep_begin(r, NULL, 0, &s, &way, &e);

    if (live < 0)
        fail_msg("%s", e.msg);
    if (live == 0)
        eng_sweep_end(&s);
    return live == 1;
}

/* The one lease that is not ended. */
static inline struct eng_lease living(struct eng_repo *r)
{
    AUTO_ENG_LEASES struct eng_leases all = { 0 };

    must(eng_leases_list(eng_repo_store(r), NULL, ENG_LEASE_RUN, &all, why));
    for (size_t i = 0; i < all.n; i++)
        if (!all.s[i].l.ended)
            return all.s[i].l;
    fail_msg("nobody is at work");
    return (struct eng_lease){ 0 };
}

/* The lease that was taken last. */
static inline struct eng_lease newest(struct eng_repo *r)
{
    AUTO_ENG_LEASES struct eng_leases all = { 0 };

    must(eng_leases_list(eng_repo_store(r), NULL, ENG_LEASE_RUN, &all, why));
    for (size_t i = all.n; i-- > 0;)
        if (!all.s[i].unreadable)
            return all.s[i].l;
    fail_msg("there is no lease that can be read");
    return (struct eng_lease){ 0 };
}

#endif

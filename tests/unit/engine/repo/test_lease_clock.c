// SPDX-License-Identifier: Apache-2.0
/* This machine's clock is set between two requests, or another machine breaks a
 * lease late: no lease or mark ends by that before its time.  Linked with
 * --wrap, so that the clock is ours to set. */
#include "tests/unit/engine/repo/leasing.h"

#include <stdatomic.h>
#include <time.h>

#include "engine/repo/internal.h"
#include "objstore/retry.h"

#define JUMP_S (2 * HOUR)

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);

static atomic_llong ahead_s; /* our clock minus the right one */

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
    int r = __real_clock_gettime(id, t);

    if (id == CLOCK_REALTIME)
        t->tv_sec += atomic_load(&ahead_s);
    return r;
}

/* The clock is set when the first lease or mark has been read; before the
 * second one is read its sweep ends. */
static struct {
    struct attacked *a;
    struct eng_repo *other;
    struct eng_sweep *sweep;
    unsigned looks;
} plot;

/* The server, which is in this process, keeps its time; the other one knows. */
static void set_our_clock(void)
{
    atomic_store(&ahead_s, JUMP_S);
    pass(plot.a, plot.other, -JUMP_S);
}

static void jumping_get(void *self, const struct obj_req *r,
                        const struct obj_range *range, struct buf *out,
                        struct obj_info *info, struct obj_attempt *a)
{
    bool looks = strncmp(r->key, "gc/leases/", 10) == 0 ||
                 strncmp(r->key, "gc/sweeps/", 10) == 0;

    plot.looks += looks;
    if (looks && plot.looks == 2 && plot.sweep != NULL)
        eng_sweep_end(plot.sweep);
    obj_s3_driver.get(self, r, range, out, info, a);
    if (looks && plot.looks == 1)
        set_our_clock();
}

/* A repository that is opened on the machine whose clock will be set. */
static struct eng_repo *open_here(struct attacked *a, struct eng_repo *other)
{
    static struct obj_driver jumping;
    struct eng_repo *r = fixture_open(&a->f);
    struct err e = { 0 };

    jumping = obj_s3_driver;
    jumping.get = jumping_get;
    plot.a = a;
    plot.other = other;
    plot.sweep = NULL;
    plot.looks = 0;
    obj_store_close(r->store);
    r->store = obj_store_open_driver(&jumping, &a->f.place.store, NULL, &e);
    if (r->store == NULL)
        fail_msg("%s", e.msg);
    return r;
}

/* The only lease that there is: that of the repository's first run goes. */
static struct eng_lease begin_run(struct eng_repo *run)
{
    struct obj_store *store = eng_repo_store(run);
    char key[ENG_LEASE_KEY_CHARS];
    struct obj_req req = { .key = key };
    AUTO_ENG_LEASES struct eng_leases old = { 0 };
    AUTO_ENG_LEASES struct eng_leases all = { 0 };

    must(eng_leases_list(store, NULL, ENG_LEASE_RUN, &old, why));
    for (size_t i = 0; i < old.n; i++) {
        eng_lease_key(ENG_LEASE_RUN, old.s[i].l.name, key);
        must(obj_delete(store, &req, false, why));
    }
    must(eng_runlease_begin(run, "vm", NULL, why));
    must(eng_leases_list(store, NULL, ENG_LEASE_RUN, &all, why));
    assert_int_equal(all.n, 1);
    return all.s[0].l;
}

static int clock_teardown(void **state)
{
    atomic_store(&ahead_s, 0);
    return attacked_teardown(state);
}

static void a_run_waits_for_a_sweep_whatever_its_clock_says(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *other = fixture_open(&a->f);
    struct eng_repo *run = open_here(a, other);
    struct eng_sweep s;
    struct eng_sweep_way way;
    char counter[ENG_COUNTER_CHARS];

    must(eng_sweep_begin(other, NULL, 0, &s, &way, why));
    plot.sweep = &s;
    must(eng_counter_settled(run, NULL, counter, why));
    assert_int_equal(plot.looks, 2);
    eng_repo_close(run);
    eng_repo_close(other);
}

static void a_sweep_waits_for_a_run_whatever_its_clock_says(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *collector = open_here(a, run);
    struct eng_sweep_way way;
    struct err e = { 0 };

    begin_run(run);
    assert_int_equal(eng_sweep_look(collector, NULL, 0, &way, &e), 1);
    assert_int_equal(plot.looks, 1);
    eng_runlease_end(run);
    eng_repo_close(collector);
    eng_repo_close(run);
}

/* The run may have looked at its lease just before it was written. */
static void a_broken_lease_counts_from_when_that_was_written(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    struct eng_lease l = begin_run(run);

    l.until = l.seen;
    pass(a, other, 40 * MINUTE);
    must(eng_lease_put(eng_repo_store(other), NULL, &l, 0, 0, why));
    pass(a, other, 69 * MINUTE);
    assert_true(in_the_way(other));
    pass(a, other, 71 * MINUTE);
    assert_false(in_the_way(other));
    eng_repo_close(run);
    eng_repo_close(other);
}

#define C(name)                                                                \
    cmocka_unit_test_setup_teardown(name, attacked_setup_plain, clock_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        C(a_run_waits_for_a_sweep_whatever_its_clock_says),
        C(a_sweep_waits_for_a_run_whatever_its_clock_says),
        C(a_broken_lease_counts_from_when_that_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

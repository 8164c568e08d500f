// SPDX-License-Identifier: Apache-2.0
/* The estimate as a pure function, against figures that were made by hand; that
 * it holds for what the engine does is the matter of
 * tests/interleave/month.c. */
#include <math.h>
#include <string.h>

#include "engine/care/estimate.h"
#include "tests/unit/must.h"

#define DAY INT64_C(86400)
#define NOW (INT64_C(20000) * DAY)
#define GIB 1073741824.0

static const struct eng_prices no_prices;

/* One VM with one point, made a day ago, of 1,000 whole blocks in one page. */
struct world {
    struct eng_estimate_facts f;
    struct eng_estimate_series s;
    struct eng_kept points[8];
};

static void one_vm(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->points[0] = (struct eng_kept){ .time = NOW - DAY };
    w->s = (struct eng_estimate_series){ .points = w->points,
                                         .n_points = 1,
                                         .entries = 1000,
                                         .used = 1000,
                                         .bases = 1000,
                                         .pages = 1,
                                         .page_refs = 1,
                                         .disk_pages = 1,
                                         .whole_share = 1,
                                         .unit_bytes = 1024,
                                         .manifest_bytes = 500 };
    w->f = (struct eng_estimate_facts){ .now = NOW,
                                        .stored = { .points = 1,
                                                    .blocks = 1000,
                                                    .block_bytes = 65536000,
                                                    .pages = 1,
                                                    .page_bytes = 40000,
                                                    .manifest_bytes = 500 },
                                        .series = &w->s,
                                        .n_series = 1 };
}

static void lock(struct world *w, int64_t days)
{
    w->f.locked = true;
    w->f.versions = true;
    w->f.immutability_s = (uint64_t)(days * DAY);
    w->f.generation_s = 10 * DAY;
    w->points[0].locked_until = NOW - DAY + days * DAY;
}

static struct eng_estimate make(const struct world *w, double change,
                                unsigned days, const struct eng_prices *prices)
{
    struct eng_estimate x;

    must(eng_estimate_make(&w->f, change, days, prices, &x, why));
    return x;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-6 * (1 + fabs(b));
}

#define assert_near(a, b) assert_true(near((a), (b)))

static void
a_day_puts_what_changed_its_page_a_manifest_and_a_lease(void **state)
{
    struct world w;
    (void)state;

    one_vm(&w);
    struct eng_estimate x = make(&w, 0.1, 1, &no_prices);
    double page = 1 - pow(0.9, 1000);
    /* 100 blocks, the page, the manifest, the lease and its end. */
    assert_near(x.requests[OBJ_PUT], 100 + page + 3);
    /* Descriptor; lease, counter before and after the look at sweeps, and a
     * look before the manifest; the parent and its page. */
    assert_near(x.requests[OBJ_GET], 1 + 4 + 2);
    /* Leases, sweeps; keysets, all points, damaged objects; the points of the
     * VM. */
    assert_near(x.requests[OBJ_LIST], 2 + 3 + 1);
    assert_near(x.requests[OBJ_BUCKET], 1);
    assert_near(x.requests[OBJ_HEAD] + x.requests[OBJ_DELETE] +
                    x.requests[OBJ_RETENTION],
                0);
    assert_near(x.sent_bytes, 100 * 65536.0 + page * 40000 + 500);
    assert_near(x.stored_bytes, 65536000.0 + 40000 + 500);
    assert_near(x.stored_bytes_end, x.stored_bytes + x.sent_bytes);
    assert_int_equal(x.points, 1);
    assert_int_equal(x.collections, 0);
}

static void a_day_extends_a_tenth_where_a_generation_has_ten(void **state)
{
    struct world w;
    (void)state;

    one_vm(&w);
    lock(&w, 14);
    struct eng_estimate x = make(&w, 0.1, 1, &no_prices);
    double stays = 900 + pow(0.9, 1000);
    assert_near(x.extensions, stays / 10 + 0.1); /* and the descriptor */
    assert_near(x.requests[OBJ_RETENTION], x.extensions);
    /* The manifest's lock, and eight blocks'. */
    assert_near(x.requests[OBJ_HEAD], 1 + 8);
    assert_near(x.requests[OBJ_BUCKET], 3);
}

static void
nothing_changes_and_every_lock_is_extended_once_a_generation(void **state)
{
    struct world w;
    (void)state;

    one_vm(&w);
    lock(&w, 14);
    struct eng_estimate x = make(&w, 0, 30, &no_prices);
    assert_near(x.extensions, 3 * 1002); /* blocks, page, descriptor */
    for (unsigned d = 0; d < 30; d++)
        assert_near(x.extensions_of_day[d], 100.2);
}

static void after_missed_days_so_many_days_worth_comes_at_once(void **state)
{
    struct world w;
    (void)state;

    one_vm(&w);
    lock(&w, 14);
    w.points[0].time -= 3 * DAY;
    w.points[0].locked_until -= 3 * DAY;
    struct eng_estimate x = make(&w, 0, 2, &no_prices);
    assert_near(x.extensions_of_day[0], 4 * 100.2);
    assert_near(x.extensions_of_day[1], 100.2);
}

/* Sundays are day 3 of a week since 1970; NOW is a Monday or later. */
static void
a_flagged_point_under_scope_retention_extends_all_at_once(void **state)
{
    static struct mf_retention policy = { .present = true,
                                          .days = 7,
                                          .weekly = 8,
                                          .timezone =
                                              (char *)(uintptr_t) "UTC" };
    struct world w;
    unsigned bursts = 0;
    (void)state;

    one_vm(&w);
    lock(&w, 7);
    w.f.scope = MF_SCOPE_RETENTION;
    w.points[0].policy = &policy;
    w.points[0].gfs = MF_GFS_WEEKLY; /* this week has its point */
    struct eng_estimate x = make(&w, 0, 14, &no_prices);
    for (unsigned d = 0; d < 14; d++)
        bursts += x.extensions_of_day[d] > 500;
    /* Of two weeks' points the first locks all for eight weeks, and the second
     * extends them by a week: 7 of 10 days. */
    assert_int_equal(bursts, 2);
    assert_true(x.extensions > 1002 * 1.7);
    assert_true(x.extensions < 1002 * 2.5);
}

static void overlays_grow_until_half_of_a_block(void **state)
{
    struct world w;
    (void)state;

    one_vm(&w);
    w.s.whole_share = 0;
    w.s.added = 2;
    struct eng_estimate x = make(&w, 1, 1, &no_prices);
    assert_near(x.sent_bytes, 1000 * 2 * 1024.0 + 40000 + 500);
    w.s.units = 31;
    x = make(&w, 1, 1, &no_prices);
    assert_near(x.sent_bytes, 1000 * 32 * 1024.0 + 40000 + 500);
}

static void a_week_ends_with_a_collection(void **state)
{
    struct world w;
    (void)state;

    one_vm(&w);
    assert_int_equal(make(&w, 0.1, 6, &no_prices).collections, 0);
    struct eng_estimate x = make(&w, 0.1, 30, &no_prices);
    assert_int_equal(x.collections, 4);
    /* Leases go, and points stay: there is no policy. */
    assert_near(x.requests[OBJ_DELETE], 4);
    assert_near(x.stored_bytes_end, x.stored_bytes_peak);
}

static void what_expires_is_freed(void **state)
{
    static struct mf_retention policy = {
        .present = true, .days = 7, .timezone = (char *)(uintptr_t) "UTC"
    };
    struct world w;
    (void)state;

    one_vm(&w);
    w.points[0].policy = &policy;
    struct eng_estimate x = make(&w, 0.1, 70, &no_prices);
    /* Seven days of a tenth and what is needed now: 2,000 blocks at most, and
     * a week's more before each collection. */
    assert_true(x.stored_bytes_end < 1.9 * 65536000);
    assert_true(x.stored_bytes_peak < 2.6 * 65536000);
    assert_true(x.sent_bytes > 6.9 * 65536000);
}

static void the_price_is_that_of_requests_storage_and_downloads(void **state)
{
    const struct eng_prices p = { .requests = { [OBJ_PUT] = 2, [OBJ_GET] = 10 },
                                  .stored = 3,
                                  .received = 5 };
    struct world w;
    (void)state;

    one_vm(&w);
    struct eng_estimate x = make(&w, 0, 30, &p);
    assert_near(x.request_prices[OBJ_PUT], x.requests[OBJ_PUT] * 0.002);
    assert_near(x.request_prices[OBJ_GET], x.requests[OBJ_GET] * 0.01);
    assert_near(x.request_prices[OBJ_LIST], 0);
    assert_near(x.stored_price, x.gib_months * 3);
    assert_true(x.gib_months > 65540500.0 / GIB);
    assert_true(x.gib_months < 65540500.0 / GIB * 1.01);
    assert_near(x.received_price, x.received_bytes / GIB * 5);
    assert_near(x.price, x.request_prices[OBJ_PUT] + x.request_prices[OBJ_GET] +
                             x.stored_price + x.received_price);
}

static void an_empty_repository_costs_nothing_but_collections(void **state)
{
    struct world w;
    (void)state;

    one_vm(&w);
    w.f.n_series = 0;
    w.f.stored = (struct eng_repo_stats){ 0 };
    struct eng_estimate x = make(&w, 0.1, 6, &no_prices);
    for (int v = 0; v < OBJ_VERBS; v++)
        assert_near(x.requests[v], 0);
    assert_near(x.stored_bytes_end, 0);
}

static void days_and_changes_out_of_range_are_refused(void **state)
{
    struct world w;
    struct eng_estimate x;
    struct err e = { 0 };
    (void)state;

    one_vm(&w);
    assert_int_equal(eng_estimate_make(&w.f, 0.1, 0, &no_prices, &x, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(eng_estimate_make(&w.f, 0.1, 367, &no_prices, &x, &e), -1);
    assert_int_equal(eng_estimate_make(&w.f, 1.1, 30, &no_prices, &x, &e), -1);
    assert_int_equal(
        eng_estimate_make(&w.f, (double)NAN, 30, &no_prices, &x, &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_day_puts_what_changed_its_page_a_manifest_and_a_lease),
        cmocka_unit_test(a_day_extends_a_tenth_where_a_generation_has_ten),
        cmocka_unit_test(
            nothing_changes_and_every_lock_is_extended_once_a_generation),
        cmocka_unit_test(after_missed_days_so_many_days_worth_comes_at_once),
        cmocka_unit_test(
            a_flagged_point_under_scope_retention_extends_all_at_once),
        cmocka_unit_test(overlays_grow_until_half_of_a_block),
        cmocka_unit_test(a_week_ends_with_a_collection),
        cmocka_unit_test(what_expires_is_freed),
        cmocka_unit_test(the_price_is_that_of_requests_storage_and_downloads),
        cmocka_unit_test(an_empty_repository_costs_nothing_but_collections),
        cmocka_unit_test(days_and_changes_out_of_range_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

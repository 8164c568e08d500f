// SPDX-License-Identifier: Apache-2.0
//
// The benchmark: it measures what it was asked to, moves no more than it said,
// and nothing of it stays.
#include "engine/repo/bench.h"
#include "tests/s3server/s3server.h"
#include "tests/unit/engine/fixture.h"

struct got {
    struct eng_bench_cell cells[64];
    size_t n;
    struct eng_bench_plan said;
    struct cancel *cancel; /* requested after the first cell */
};

static void on_cell(void *ctx, const struct eng_bench_cell *cell)
{
    struct got *g = ctx;

    g->cells[g->n++] = *cell;
    if (g->cancel != NULL)
        cancel_request(g->cancel);
}

static void on_begin(void *ctx, const struct eng_bench_plan *plan)
{
    struct got *g = ctx;

    g->said = *plan;
}

/* One benchmark; what it found is in g. */
static int bench(struct eng_repo *r, const struct eng_bench_opts *o,
                 struct got *g, uint64_t *left_over, struct err *e)
{
    const struct eng_bench_watch watch = { on_begin, on_cell, g };

    return eng_bench_run(r, o, g->cancel, NULL, &watch, left_over, e);
}

static const uint32_t sizes[] = { 4096, 65536 };
static const unsigned connections[] = { 1, 3 };

static struct eng_bench_opts small(void)
{
    return (struct eng_bench_opts){
        .sizes = sizes,
        .n_sizes = 2,
        .connections = connections,
        .n_connections = 2,
        .cell_ms = 20,
        .total_bytes = 4u << 20,
        .level = 1,
    };
}

static int count(void *ctx, const char *key, const struct obj_info *info,
                 struct err *e)
{
    (void)info;
    (void)e;
    if (strncmp(key, "gc/", 3) == 0)
        (*(size_t *)ctx)++;
    return 0;
}

static size_t what_stays(struct eng_repo *r)
{
    struct obj_req req = { .key = "" };
    size_t n = 0;

    must(obj_list(eng_repo_store(r), &req, NULL, count, &n, why));
    return n;
}

static void every_cell_is_measured_and_nothing_stays(void **state)
{
    struct eng_bench_opts o = small();
    struct eng_bench_plan plan = eng_bench_plan(&o);
    struct obj_counters counters;
    uint64_t left_over = 1, put = 0;
    struct got g = { 0 };

    AUTO_ENG_REPO struct eng_repo *r = fixture_open(*state);
    must(bench(r, &o, &g, &left_over, why));
    assert_int_equal(plan.cells, 16);
    assert_memory_equal(&g.said, &plan, sizeof plan);
    assert_int_equal(g.n, 16);
    assert_int_equal(left_over, 0);
    assert_int_equal(what_stays(r), 0);
    for (size_t i = 0; i < g.n; i++) {
        const struct eng_bench_cell *c = &g.cells[i];
        assert_int_equal(c->work, i < 8 ? ENG_BENCH_RAW : ENG_BENCH_BACKUP);
        assert_int_equal(c->get, i % 2);
        assert_int_equal(c->size, sizes[i / 4 % 2]);
        assert_int_equal(c->connections, connections[i / 2 % 2]);
        assert_true(c->requests >= c->connections);
        assert_int_equal(c->bytes, c->requests * c->size);
        assert_true(c->seconds > 0 && eng_bench_rate(c) > 0);
        assert_true(c->p50_ms <= c->p99_ms);
        if (c->work == ENG_BENCH_RAW)
            assert_int_equal(c->stored_bytes, c->bytes);
        else
            assert_true(c->stored_bytes < c->bytes * 9 / 10);
        put += c->get ? 0 : c->bytes;
    }
    assert_true(put <= plan.put_bytes);
    obj_store_counters(eng_repo_store(r), &counters);
    assert_true(counters.sent_bytes <= plan.put_bytes + 4096);
}

static void no_more_is_put_than_was_said(void **state)
{
    struct eng_bench_opts o = small();
    struct got g = { 0 };
    uint64_t left_over, put = 0;

    o.cell_ms = 60000; /* the bytes end it, not the time */
    o.total_bytes = 1u << 20;
    struct eng_bench_plan plan = eng_bench_plan(&o);
    AUTO_ENG_REPO struct eng_repo *r = fixture_open(*state);
    must(bench(r, &o, &g, &left_over, why));
    for (size_t i = 0; i < g.n; i++)
        put += g.cells[i].get ? 0 : g.cells[i].bytes;
    assert_int_equal(put, plan.put_bytes);
    /* A connection puts at least one object, whatever the share. */
    assert_true(plan.put_bytes <= (1u << 20) + 2 * 3 * (65536 + 4096));
    assert_true(plan.held_bytes <= plan.put_bytes);
}

static void memory_bounds_the_connections(void **state)
{
    static const uint32_t large[] = { 8u << 20 };
    static const unsigned many[] = { 1, 16, 64 };
    struct eng_bench_opts o = { .sizes = large,
                                .n_sizes = 1,
                                .connections = many,
                                .n_connections = 3,
                                .cell_ms = 1,
                                .total_bytes = 1,
                                .memory_bytes = 100u << 20,
                                .level = 1 };
    struct got g = { 0 };
    uint64_t left_over;

    AUTO_ENG_REPO struct eng_repo *r = fixture_open(*state);
    must(bench(r, &o, &g, &left_over, why));
    assert_int_equal(g.n, eng_bench_plan(&o).cells);
    /* 16 and 64 come down to the same, so they are measured once. */
    assert_int_equal(g.n, 8);
    for (size_t i = 0; i < g.n; i++)
        assert_true(g.cells[i].connections * (uint64_t)g.cells[i].size <=
                    100u << 20);
    assert_true(g.cells[2].connections > 1);
}

/* An object may be larger than any block: it is only measured raw. */
static void a_size_that_no_block_has_is_measured_raw_alone(void **state)
{
    static const uint32_t huge[] = { 16u << 20 };
    static const unsigned one[] = { 1 };
    struct eng_bench_opts o = small();
    struct got g = { 0 };
    uint64_t left_over;

    o.sizes = huge;
    o.n_sizes = 1;
    o.connections = one;
    o.n_connections = 1;
    AUTO_ENG_REPO struct eng_repo *r = fixture_open(*state);
    must(bench(r, &o, &g, &left_over, why));
    assert_int_equal(g.n, 2);
    assert_int_equal(g.cells[0].work, ENG_BENCH_RAW);
    assert_int_equal(g.cells[1].work, ENG_BENCH_RAW);
}

static void a_cancelled_benchmark_leaves_nothing(void **state)
{
    AUTO(cancel_fini) struct cancel cancel;
    struct eng_bench_opts o = small();
    struct got g = { .cancel = &cancel };
    struct err e = { 0 };
    uint64_t left_over = 1;

    must(cancel_init(&cancel, NULL, why));
    AUTO_ENG_REPO struct eng_repo *r = fixture_open(*state);
    assert_int_equal(bench(r, &o, &g, &left_over, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_int_equal(g.n, 2);
    assert_int_equal(left_over, 0);
    assert_int_equal(what_stays(r), 0);
}

/* A repository in a bucket with versions. */
struct versioned {
    struct s3server *server;
    struct eng_repo *repo;
};

static void versioned_open(struct versioned *v, struct fixture *f)
{
    struct eng_repo_create_opts o = { .block_size = FIXTURE_BLOCK };
    struct err e = { 0 };

    setenv("AWS_ACCESS_KEY_ID", S3SERVER_KEY, 1);
    setenv("AWS_SECRET_ACCESS_KEY", S3SERVER_SECRET, 1);
    v->server = s3server_start(NULL);
    s3server_bucket(v->server, "bucket", S3SERVER_ENABLED, false);
    const struct eng_repo_place place = {
        .name = "versioned",
        .state_dir = f->state,
        .store = { .bucket = "bucket",
                   .endpoint = s3server_endpoint(v->server) },
    };
    must(eng_repo_create(&place, &o, NULL, why));
    v->repo = eng_repo_open(&place, NULL, &e);
    assert_non_null(v->repo);
}

static void versioned_close(struct versioned *v)
{
    eng_repo_close(v->repo);
    s3server_stop(v->server);
}

/* Versions and delete markers. */
static size_t versions_that_stay(const struct versioned *v)
{
    struct obj_req req = { .key = "gc/" };
    struct obj_list_opts o = { .versions = true };
    size_t n = 0;

    s3server_script(v->server, NULL, 0);
    must(obj_list(eng_repo_store(v->repo), &req, &o, count, &n, why));
    return n;
}

static const struct s3server_rule hides_versions = {
    .op = "ListObjectVersions",
    .act = S3SERVER_REPLY,
    .status = 403,
    .code = "AccessDenied",
};

static void nothing_stays_where_versions_may_not_be_listed(void **state)
{
    struct eng_bench_opts o = small();
    struct got g = { 0 };
    struct versioned v;
    uint64_t left_over = 1;

    versioned_open(&v, *state);
    s3server_script(v.server, &hides_versions, 1);
    must(bench(v.repo, &o, &g, &left_over, why));
    assert_int_equal(g.n, 16);
    assert_true(s3server_acted(v.server, 0) > 0);
    assert_int_equal(left_over, 0);
    assert_int_equal(versions_that_stay(&v), 0);
    versioned_close(&v);
}

/* Nobody knows the version of a put whose answer was lost. */
static void a_version_that_is_hidden_and_unknown_is_counted(void **state)
{
    const struct s3server_rule rules[] = {
        hides_versions,
        { .op = "PutObject",
          .key = "gc/bench-*/0",
          .times = 1,
          .act = S3SERVER_LOSE_ANSWER },
    };
    struct eng_bench_opts o = small();
    struct got g = { 0 };
    struct versioned v;
    uint64_t left_over = 0;

    versioned_open(&v, *state);
    s3server_script(v.server, rules, 2);
    must(bench(v.repo, &o, &g, &left_over, why));
    assert_int_equal(s3server_acted(v.server, 1), 1);
    assert_int_equal(left_over, 1);
    /* It, and the marker that hides it. */
    assert_int_equal(versions_that_stay(&v), 2);
    versioned_close(&v);
}

static void what_a_killed_benchmark_left_is_swept_a_day_later(void **state)
{
    static const char left[] = "gc/bench-0123456789abcdef/7";
    struct eng_bench_opts o = small();
    struct got g = { 0 };
    struct versioned v;
    uint64_t left_over;

    versioned_open(&v, *state);
    s3server_set_clock(v.server, -86400 - 60);
    for (int i = 0; i < 1100; i++) { /* more than a page */
        char key[64];
        snprintf(key, sizeof key, "gc/bench-fedcba9876543210/%d", i);
        s3server_write(v.server, "bucket", key, "1", 1);
    }
    s3server_set_clock(v.server, 0);
    s3server_write(v.server, "bucket", left, "1", 1);
    must(bench(v.repo, &o, &g, &left_over, why));
    assert_int_equal(left_over, 0);
    assert_int_equal(versions_that_stay(&v), 1);
    assert_int_equal(s3server_versions(v.server, "bucket", left), 1);
    versioned_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_measured_and_nothing_stays),
        cmocka_unit_test(no_more_is_put_than_was_said),
        cmocka_unit_test(memory_bounds_the_connections),
        cmocka_unit_test(a_size_that_no_block_has_is_measured_raw_alone),
        cmocka_unit_test(a_cancelled_benchmark_leaves_nothing),
        cmocka_unit_test(nothing_stays_where_versions_may_not_be_listed),
        cmocka_unit_test(a_version_that_is_hidden_and_unknown_is_counted),
        cmocka_unit_test(what_a_killed_benchmark_left_is_swept_a_day_later),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}

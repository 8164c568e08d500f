// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/engine/fixture.h"

#include <unistd.h>

#include "base/utc.h"
#include "engine/repo/learn.h"
#include "engine/repo/point_store.h"

#define T0 1763805600 /* 2025-11-22T10:00:00Z */

static struct mf_point *make(const char *vm, int64_t time)
{
    struct err e = { 0 };
    struct mf_point *p = mf_point_new(&e);

    assert_non_null(p);
    p->vm.name = strdup(vm);
    p->vm.source = strdup("dir:/x");
    p->program = strdup("objvault test");
    p->time = time;
    p->chain = time;
    p->kind = MF_FULL;
    return p;
}

static void put(struct eng_repo *r, const char *vm, int64_t time,
                const char *job)
{
    struct mf_point *p = make(vm, time);

    p->job = job != NULL ? strdup(job) : NULL;
    struct eng_point_made made = { 0 };
    must(eng_point_put(r, NULL, p, &made, why));
    mf_point_free(p);
}

static struct eng_repo *writable(struct fixture *f)
{
    struct eng_repo *r = fixture_open(f);

    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    return r;
}

static void points_are_listed_by_vm_and_time(void **state)
{
    struct eng_repo *r = writable(*state);
    struct eng_points ps = { 0 };

    put(r, "web 1", T0 + 60, NULL);
    put(r, "db", T0, NULL);
    put(r, "web 1", T0, NULL);
    must(eng_points_list(r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 3);
    assert_string_equal(ps.p[0].vm, "db");
    assert_string_equal(ps.p[1].vm, "web 1");
    assert_true(ps.p[1].time == T0);
    eng_points_free(&ps);
    must(eng_points_list(r, NULL, "web 1", &ps, why));
    assert_int_equal(ps.n, 2);
    eng_points_free(&ps);
    eng_repo_close(r);
}

static void a_series_whose_name_begins_alike_is_another_one(void **state)
{
    struct eng_repo *r = writable(*state);
    struct eng_points ps = { 0 };

    put(r, "web", T0, NULL);
    put(r, "web2", T0, NULL);
    must(eng_points_list(r, NULL, "web", &ps, why));
    assert_int_equal(ps.n, 1);
    eng_points_free(&ps);
    eng_repo_close(r);
}

static void find_takes_time_latest_and_suffix(void **state)
{
    struct eng_repo *r = writable(*state);
    struct eng_point p;
    struct eng_points ps = { 0 };
    struct err e = { 0 };

    put(r, "a@b", T0, NULL);
    put(r, "a@b", T0 + 1, "one");
    put(r, "a@b", T0 + 1, "two");
    must(eng_point_find(r, NULL, "a@b@2025-11-22T10:00:00Z", &p, why));
    assert_true(p.time == T0);
    eng_point_free(&p);

    assert_int_equal(
        eng_point_find(r, NULL, "a@b@2025-11-22T10:00:01Z", &p, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);

    must(eng_points_list(r, NULL, "a@b", &ps, why));
    char *text = eng_point_text(&ps, &ps.p[1], &e);
    assert_non_null(text);
    must(eng_point_find(r, NULL, text, &p, why));
    assert_string_equal(p.file, ps.p[1].file);
    eng_point_free(&p);
    free(text);
    eng_points_free(&ps);

    must(eng_point_find(r, NULL, "a@b@latest", &p, why));
    assert_true(p.time == T0 + 1);
    eng_point_free(&p);
    eng_repo_close(r);
}

static void find_refuses_what_is_no_point(void **state)
{
    struct eng_repo *r = writable(*state);
    static const char *const bad[] = { "x",
                                       "@latest",
                                       "x@",
                                       "x@2025",
                                       "x@2025-11-22T10:00:00Z-12",
                                       "x@2025-13-22T10:00:00Z" };
    struct eng_point p;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = { 0 };
        assert_int_equal(eng_point_find(r, NULL, bad[i], &p, &e), -1);
        assert_int_equal(e.kind, ERR_USAGE);
    }
    struct err e = { 0 };
    assert_int_equal(eng_point_find(r, NULL, "x@latest", &p, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(eng_point_find(r, NULL, "x@2025-11-22T10:00:00Z", &p, &e),
                     -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    eng_repo_close(r);
}

/* Writes over the stored manifest of a point. */
static void overwrite(struct fixture *f, const struct eng_point *p,
                      const char *text)
{
    char path[700];

    snprintf(path, sizeof(path), "%s/plain/points/%s/%s", f->store, p->vm_key,
             p->file);
    must(io_write_file(path, span_str(text), 0600, false, why));
}

static void
a_damaged_manifest_is_listed_as_such_and_never_the_latest(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = writable(f);
    struct eng_points ps = { 0 };
    struct eng_point p;

    put(r, "vm", T0, NULL);
    put(r, "vm", T0 + 9, NULL);
    must(eng_points_list(r, NULL, "vm", &ps, why));
    overwrite(f, &ps.p[1], "{}");
    eng_points_free(&ps);

    must(eng_points_list(r, NULL, "vm", &ps, why));
    assert_int_equal(ps.n, 2);
    assert_non_null(ps.p[0].manifest);
    assert_null(ps.p[1].manifest);
    assert_non_null(ps.p[1].why);
    assert_string_equal(ps.p[1].vm, "vm");
    eng_points_free(&ps);

    must(eng_point_find(r, NULL, "vm@latest", &p, why));
    assert_true(p.time == T0);
    eng_point_free(&p);
    must(eng_point_find(r, NULL, "vm@2025-11-22T10:00:09Z", &p, why));
    assert_null(p.manifest);
    eng_point_free(&p);

    /* With no other left, "latest" is damage, not absence. */
    struct err e = { 0 };
    must(eng_point_find(r, NULL, "vm@2025-11-22T10:00:00Z", &p, why));
    must(eng_point_delete(r, NULL, &p, why));
    eng_point_free(&p);
    assert_int_equal(eng_point_find(r, NULL, "vm@latest", &p, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    eng_repo_close(r);
}

static void a_manifest_moved_to_another_vm_is_damaged(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = writable(f);
    struct eng_points ps = { 0 };
    char command[512];

    put(r, "mine", T0, NULL);
    snprintf(command, sizeof(command),
             "cd '%s/plain/points' && cp -r mine yours", f->store);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    must(eng_points_list(r, NULL, "yours", &ps, why));
    assert_int_equal(ps.n, 1);
    assert_null(ps.p[0].manifest);
    assert_non_null(strstr(ps.p[0].why, "another VM"));
    eng_points_free(&ps);
    eng_repo_close(r);
}

static void a_point_in_the_future_is_not_the_latest(void **state)
{
    struct eng_repo *r = writable(*state);
    struct eng_point p;

    put(r, "vm", T0, NULL);
    put(r, "vm", utc_real_now() + 86400, NULL);
    must(eng_point_find(r, NULL, "vm@latest", &p, why));
    assert_true(p.time == T0);
    eng_point_free(&p);
    eng_repo_close(r);
}

static void a_deleted_point_is_gone_and_the_others_stay(void **state)
{
    struct eng_repo *r = writable(*state);
    struct eng_point p;
    struct eng_points ps = { 0 };

    put(r, "vm", T0, NULL);
    put(r, "vm", T0 + 5, NULL);
    must(eng_point_find(r, NULL, "vm@2025-11-22T10:00:05Z", &p, why));
    must(eng_point_delete(r, NULL, &p, why));
    eng_point_free(&p);
    must(eng_points_list(r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 1);
    assert_true(ps.p[0].time == T0);
    eng_points_free(&ps);
    eng_repo_close(r);
}

static void a_lost_manifest_is_damage_and_a_deleted_one_is_not(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = writable(f);
    struct eng_point p;
    struct err e = { 0 };
    char command[400];

    put(r, "vm", T0, NULL);
    put(r, "vm", T0 + 5, NULL);
    must(eng_point_find(r, NULL, "vm@2025-11-22T10:00:05Z", &p, why));
    must(eng_point_delete(r, NULL, &p, why));
    eng_point_free(&p);
    assert_int_equal(eng_point_find(r, NULL, "vm@2025-11-22T10:00:05Z", &p, &e),
                     -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);

    snprintf(command, sizeof(command), "rm '%s'/plain/points/vm/*", f->store);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    assert_int_equal(eng_point_find(r, NULL, "vm@2025-11-22T10:00:00Z", &p, &e),
                     -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "20251122T100000Z-"));
    eng_repo_close(r);
}

static void a_point_that_readers_would_refuse_is_not_published(void **state)
{
    struct eng_repo *r = writable(*state);
    struct mf_point *p = make("", T0);
    struct err e = { 0 };

    struct eng_point_made made = { 0 };
    assert_int_equal(eng_point_put(r, NULL, p, &made, &e), -1);
    struct eng_points ps = { 0 };
    must(eng_points_list(r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 0);
    mf_point_free(p);
    eng_repo_close(r);
}

static void a_second_repository_in_the_same_place_is_refused(void **state)
{
    struct fixture *f = *state;
    struct eng_repo_create_opts o = { 0 };
    struct err e = { 0 };

    assert_int_equal(eng_repo_create(&f->place, &o, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_non_null(strstr(e.msg, "attach"));
}

static void a_repository_inside_another_is_refused(void **state)
{
    struct fixture *f = *state;
    struct eng_repo_place inner = f->place;
    struct eng_repo_create_opts o = { 0 };
    struct err e = { 0 };
    char path[128];

    snprintf(path, sizeof(path), "%s/deep/er", f->store);
    inner.store.path = path;
    assert_int_equal(eng_repo_create(&inner, &o, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_repository_around_another_is_refused(void **state)
{
    struct fixture *f = *state;
    struct eng_repo_place outer = f->place;
    struct eng_repo_create_opts o = { 0 };
    struct err e = { 0 };

    outer.store.path = f->dir;
    assert_int_equal(eng_repo_create(&outer, &o, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
}

static void a_newer_format_is_refused_by_its_number(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    char path[128];

    snprintf(path, sizeof(path), "%s/objvault.json", f->store);
    must(io_write_file(path, span_str("{\"objvault\":7,\"new\":1}"), 0600,
                       false, why));
    assert_null(eng_repo_open(&f->place, NULL, &e));
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_non_null(strstr(e.msg, "7"));
}

static void a_block_size_that_is_no_power_of_two_is_refused(void **state)
{
    struct fixture *f = *state;
    struct eng_repo_place other = f->place;
    struct eng_repo_create_opts o = { .block_size = 3u << 20 };
    struct err e = { 0 };
    char path[128];

    snprintf(path, sizeof(path), "%s/other", f->dir);
    other.store.path = path;
    assert_int_equal(eng_repo_create(&other, &o, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(access(path, F_OK), -1);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(points_are_listed_by_vm_and_time),
        T(a_series_whose_name_begins_alike_is_another_one),
        T(find_takes_time_latest_and_suffix),
        T(find_refuses_what_is_no_point),
        T(a_damaged_manifest_is_listed_as_such_and_never_the_latest),
        T(a_manifest_moved_to_another_vm_is_damaged),
        T(a_point_in_the_future_is_not_the_latest),
        T(a_deleted_point_is_gone_and_the_others_stay),
        T(a_lost_manifest_is_damage_and_a_deleted_one_is_not),
        T(a_point_that_readers_would_refuse_is_not_published),
        T(a_second_repository_in_the_same_place_is_refused),
        T(a_repository_inside_another_is_refused),
        T(a_repository_around_another_is_refused),
        T(a_newer_format_is_refused_by_its_number),
        T(a_block_size_that_is_no_power_of_two_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Runs of a job: what becomes of its VMs, and what is recorded. */
#include "tests/unit/engine/run/scene.h"

#include "engine/repo/point_store.h"

#define SCENE struct scene *s = scene_new(*state)

static void each_vm_gets_its_point_and_its_record(void **state)
{
    SCENE;

    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(s->run.n_vms, 3);
    assert_int_equal(s->run.tries, 1);
    assert_int_equal(s->begun, 3);
    assert_int_equal(s->ended, 3);
    const struct eng_vm_record *v = scene_vm(&s->run, "db");
    assert_int_equal(v->status, ENG_STATUS_SUCCESS);
    assert_string_equal(v->source, "lab");
    assert_string_equal(v->id, "prod/sql/db");
    assert_string_equal(v->kind, "full");
    assert_string_equal(v->keyset, "plain");
    assert_int_equal(v->new_blocks, 8);
    assert_int_equal(v->requests[OBJ_PUT], 8 + 2);
    assert_int_equal(v->tried, 1);
    assert_non_null(v->point);
    scene_restores(s, "web", "prod/web");
    scene_restores(s, "db", "prod/sql/db");
    scene_restores(s, "test", "test");
    scene_free(s);
}

static void a_point_tells_its_job_and_its_container(void **state)
{
    SCENE;

    scene_run(s, ENG_STATUS_SUCCESS);
    struct eng_repo *r = fixture_open(s->f);
    AUTO_ENG_POINT struct eng_point db = { 0 };
    AUTO_ENG_POINT struct eng_point test = { 0 };
    must(eng_point_find(r, NULL, "db@latest", &db, why));
    must(eng_point_find(r, NULL, "test@latest", &test, why));
    assert_string_equal(db.manifest->job, "night");
    assert_string_equal(db.manifest->vm.container, "lab:prod/sql");
    assert_null(test.manifest->vm.container);
    eng_repo_close(r);
    scene_free(s);
}

static void the_history_has_what_the_run_returns(void **state)
{
    SCENE;
    struct eng_run_record kept = { 0 };
    struct err e = { 0 };

    scene_run(s, ENG_STATUS_SUCCESS);
    struct eng_history *h = eng_history_open(s->home.state, NULL, &e);
    assert_non_null(h);
    must(eng_history_run(h, s->run.id, &kept, why));
    assert_int_equal(kept.status, ENG_STATUS_SUCCESS);
    assert_int_equal(kept.n_vms, 3);
    assert_string_equal(kept.job, "night");
    assert_string_equal(kept.repo, "main");
    assert_string_equal(scene_vm(&kept, "web")->point,
                        scene_vm(&s->run, "web")->point);
    eng_run_record_fini(&kept);
    eng_history_close(h);
    scene_free(s);
}

/* One is no image, one is gone before its turn. */
static void
a_vm_that_fails_stops_no_other_and_a_retry_touches_it_alone(void **state)
{
    SCENE;

    scene_write(s, "vms/prod/web/bad.qcow2", "no image");
    scene_run(s, ENG_STATUS_WARNING);
    scene_expect(s, "web", ENG_STATUS_FAILED);
    scene_expect(s, "db", ENG_STATUS_SUCCESS);
    scene_expect(s, "test", ENG_STATUS_SUCCESS);
    assert_null(scene_vm(&s->run, "web")->point);
    assert_int_not_equal(s->first.kind, ERR_NONE);
    assert_int_equal(scene_points(s, NULL), 2);
    int64_t id = s->run.id;

    s->o.retry = true;
    scene_run(s, ENG_STATUS_WARNING);
    assert_int_equal(s->run.id, id);
    assert_int_equal(s->run.tries, 2);
    assert_int_equal(s->ended, 1);
    assert_int_equal(scene_vm(&s->run, "db")->tried, 1);
    assert_int_equal(scene_vm(&s->run, "web")->tried, 2);

    vm_shell_in(s->f->dir, "rm vms/prod/web/bad.qcow2");
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(s->run.tries, 3);
    assert_int_equal(s->ended, 1);
    assert_int_equal(scene_points(s, NULL), 3);
    assert_int_equal(scene_points(s, "web"), 1);
    scene_restores(s, "web", "prod/web");

    assert_int_equal(scene_try(s), -1);
    assert_int_equal(s->first.kind, ERR_NOTFOUND);
    scene_free(s);
}

/* Two more tries: whoever asks for one, the daemon makes the others. */
static void a_run_is_told_of_once_after_its_last_try(void **state)
{
    SCENE;
    char text[400];

    snprintf(text, sizeof text,
             ",\"schedule\":\"daily 22:00\",\"retries\":\"2 after 10m\","
             "\"notify\":{\"mail_to\":\"a@example.com\",\"mail\":[\"sh\","
             "\"-c\",\"grep ^Subject: >>%s/told\"]}",
             s->f->dir);
    scene_job(s, text);
    scene_write(s, "vms/prod/web/bad.qcow2", "no image");
    s->o.why = ENG_WHY_SCHEDULE;
    scene_run(s, ENG_STATUS_WARNING);
    assert_null(scene_read(s, "told"));
    s->o.retry = true;
    s->o.why = ENG_WHY_ASKED;
    scene_run(s, ENG_STATUS_WARNING);
    assert_null(scene_read(s, "told"));
    s->o.why = ENG_WHY_SCHEDULE;
    scene_run(s, ENG_STATUS_WARNING);
    char *told = scene_read(s, "told");
    assert_string_equal(told, "Subject: [objvault] night: warning, 1 of 3 VMs "
                              "failed\n");
    free(told);
    scene_free(s);
}

static void where_all_fail_the_run_has_failed(void **state)
{
    SCENE;

    scene_write(s, "vms/prod/web/bad.qcow2", "no image");
    scene_job(s, ",\"exclude_vms\":[\"db\",\"test\"]");
    scene_run(s, ENG_STATUS_FAILED);
    assert_non_null(strstr(s->first.msg, "bad.qcow2"));
    assert_int_equal(scene_points(s, NULL), 0);
    scene_free(s);
}

static void a_vm_that_runs_fails_with_the_reason(void **state)
{
    SCENE;
    struct eng_config_source live = { .name = strdup("live"),
                                      .place =
                                          strdup("libvirt:test:///default") };

    must(eng_config_source_save(&s->home, &live, why));
    eng_config_source_fini(&live);
    scene_job(s, ",\"vms\":[\"live:test\"]");
    scene_run(s, ENG_STATUS_WARNING);
    /* Two of one name: by their ids. */
    bool seen = false;
    for (size_t i = 0; i < s->run.n_vms; i++) {
        const struct eng_vm_record *v = &s->run.vms[i];
        if (strcmp(v->source, "live") != 0)
            continue;
        seen = true;
        assert_int_equal(v->status, ENG_STATUS_FAILED);
        assert_non_null(strstr(v->message, "run"));
    }
    assert_true(seen);
    scene_free(s);
}

static void a_repository_that_cannot_be_opened_fails_the_run(void **state)
{
    SCENE;

    s->closed = true;
    scene_run(s, ENG_STATUS_FAILED);
    assert_int_equal(s->first.kind, ERR_UNREACHABLE);
    assert_string_equal(s->run.message, "nobody answers");
    scene_expect(s, "web", ENG_STATUS_FAILED);
    assert_int_equal(s->ended, 0); /* no VM's turn came */

    s->closed = false;
    s->o.retry = true;
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(s->run.tries, 2);
    assert_null(s->run.message);
    assert_int_equal(s->ended, 3);
    scene_free(s);
}

static void
a_source_that_is_gone_fails_the_run_and_a_retry_does_all(void **state)
{
    SCENE;

    vm_shell_in(s->f->dir, "mv vms away");
    scene_run(s, ENG_STATUS_FAILED);
    assert_int_equal(s->run.n_vms, 0);
    vm_shell_in(s->f->dir, "mv away vms");
    s->o.retry = true;
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(s->run.n_vms, 3);
    scene_free(s);
}

static void a_job_that_selects_nothing_has_failed(void **state)
{
    SCENE;

    scene_job(s, ",\"exclude_vms\":[\"*\"]");
    scene_run(s, ENG_STATUS_FAILED);
    assert_int_equal(s->first.kind, ERR_NOTFOUND);
    assert_non_null(strstr(s->first.msg, "selects no VM"));
    scene_free(s);
}

static void only_those_that_are_asked_for_are_processed(void **state)
{
    SCENE;
    const char *const by_name[] = { "db" };
    const char *const by_source[] = { "lab:web", "lab:test" };
    const char *const wrong[] = { "db", "lab:mail" };

    s->o.only = by_name;
    s->o.n_only = 1;
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(s->run.n_vms, 1);
    s->o.only = by_source;
    s->o.n_only = 2;
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(s->run.n_vms, 2);
    int64_t id = s->run.id;
    s->o.only = wrong;
    assert_int_equal(scene_try(s), -1);
    assert_int_equal(s->first.kind, ERR_NOTFOUND);
    assert_non_null(strstr(s->first.msg, "lab:mail"));
    assert_int_equal(scene_points(s, NULL), 3);
    /* That was no run. */
    s->o.n_only = 0;
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(s->run.id, id + 1);
    scene_free(s);
}

/* --- fulls and blocks --- */

static void at_time(const char *iso)
{
    struct err e = { 0 };

    setenv("OBJVAULT_NOW", iso, 1);
    assert_int_equal(utc_shift_from_env(&e), 0);
}

static void a_day_of_an_active_full_begins_a_chain_once(void **state)
{
    SCENE;

    /* 2026-01-03 is a Saturday. */
    scene_job(s, ",\"active_full\":\"sat\",\"timezone\":\"UTC\"");
    at_time("2026-01-01T10:00:00Z");
    scene_run(s, ENG_STATUS_SUCCESS);
    at_time("2026-01-02T10:00:00Z");
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_string_equal(scene_vm(&s->run, "db")->kind, "incremental");
    at_time("2026-01-03T10:00:00Z");
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_string_equal(scene_vm(&s->run, "db")->kind, "full");
    assert_int_equal(scene_vm(&s->run, "db")->new_blocks, 0);
    at_time("2026-01-03T22:00:00Z");
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_string_equal(scene_vm(&s->run, "db")->kind, "incremental");
    s->o.full = true;
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_string_equal(scene_vm(&s->run, "db")->kind, "full");
    at_time("2026-02-01T00:00:00Z");
    scene_free(s);
}

static void a_day_of_a_synthetic_full_adds_one(void **state)
{
    SCENE;

    scene_job(s, ",\"synthetic_full\":\"sat\",\"timezone\":\"UTC\"");
    at_time("2026-01-02T10:00:00Z");
    scene_run(s, ENG_STATUS_SUCCESS);
    at_time("2026-01-04T10:00:00Z"); /* the Saturday was missed */
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(scene_points(s, "db"), 3);
    at_time("2026-01-05T10:00:00Z");
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_int_equal(scene_points(s, "db"), 4);
    assert_string_equal(scene_vm(&s->run, "db")->kind, "incremental");
    scene_restores(s, "db", "prod/sql/db");
    at_time("2026-02-01T00:00:00Z");
    scene_free(s);
}

static void another_block_size_begins_a_chain(void **state)
{
    SCENE;

    scene_run(s, ENG_STATUS_SUCCESS);
    scene_job(s, ",\"block_size\":\"512K\"");
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_string_equal(scene_vm(&s->run, "db")->kind, "full");
    assert_int_equal(scene_vm(&s->run, "db")->new_blocks, 4);
    scene_restores(s, "db", "prod/sql/db");
    scene_run(s, ENG_STATUS_SUCCESS);
    assert_string_equal(scene_vm(&s->run, "db")->kind, "incremental");
    scene_free(s);
}

static void points_carry_the_jobs_policy(void **state)
{
    SCENE;

    scene_job(s, ",\"retention\":\"14d\",\"gfs\":\"weekly=4\","
                 "\"timezone\":\"Europe/Berlin\"");
    scene_run(s, ENG_STATUS_SUCCESS);
    struct eng_repo *r = fixture_open(s->f);
    AUTO_ENG_POINT struct eng_point db = { 0 };
    must(eng_point_find(r, NULL, "db@latest", &db, why));
    assert_true(db.manifest->retention.present);
    assert_int_equal(db.manifest->retention.days, 14);
    assert_int_equal(db.manifest->retention.weekly, 4);
    assert_string_equal(db.manifest->retention.timezone, "Europe/Berlin");
    eng_repo_close(r);
    scene_free(s);
}

/* Two VMs at once, twins among them, on a server that counts. */
static void in_a_bucket_requests_are_told_by_vm(void **state)
{
    struct attacked *a = *state;
    struct scene *s = scene_new(&a->f);
    uint64_t puts = 0;

    scene_make_vm(s, "twin", 3, 8);
    scene_job(s, ",\"parallel\":4");
    uint64_t before = s3server_requests(a->server, "PutObject");
    scene_run(s, ENG_STATUS_SUCCESS);
    for (size_t i = 0; i < s->run.n_vms; i++)
        puts += s->run.vms[i].requests[OBJ_PUT];
    assert_int_equal(puts, s3server_requests(a->server, "PutObject") - before);
    assert_int_equal(scene_vm(&s->run, "twin")->new_blocks +
                         scene_vm(&s->run, "test")->new_blocks,
                     8);
    scene_restores(s, "twin", "twin");
    scene_restores(s, "test", "test");
    scene_free(s);
}

int main(void)
{
#define FOLDER(test)                                                           \
    cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        FOLDER(each_vm_gets_its_point_and_its_record),
        FOLDER(a_point_tells_its_job_and_its_container),
        FOLDER(the_history_has_what_the_run_returns),
        FOLDER(a_vm_that_fails_stops_no_other_and_a_retry_touches_it_alone),
        FOLDER(a_run_is_told_of_once_after_its_last_try),
        FOLDER(where_all_fail_the_run_has_failed),
        FOLDER(a_vm_that_runs_fails_with_the_reason),
        FOLDER(a_repository_that_cannot_be_opened_fails_the_run),
        FOLDER(a_source_that_is_gone_fails_the_run_and_a_retry_does_all),
        FOLDER(a_job_that_selects_nothing_has_failed),
        FOLDER(only_those_that_are_asked_for_are_processed),
        FOLDER(a_day_of_an_active_full_begins_a_chain_once),
        FOLDER(a_day_of_a_synthetic_full_adds_one),
        FOLDER(another_block_size_begins_a_chain),
        FOLDER(points_carry_the_jobs_policy),
        cmocka_unit_test_setup_teardown(in_a_bucket_requests_are_told_by_vm,
                                        attacked_setup_plain,
                                        attacked_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* What is written into the history, and read from it. */
#include "tests/unit/engine/history/runs.h"

#include <stdio.h>
#include <unistd.h>

static int setup(void **state)
{
    char dir[] = "/tmp/objvault-history-XXXXXX";

    assert_non_null(mkdtemp(dir));
    *state = strdup(dir);
    return 0;
}

static int teardown(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
    free(*state);
    return system(command); /* NOLINT(cert-env33-c): a path of our own */
}

static struct eng_history *opened(void **state)
{
    struct err e = { 0 };
    struct eng_history *h = eng_history_open(*state, NULL, &e);

    if (h == NULL)
        fail_msg("%s", e.msg);
    return h;
}

/* A run of that job that has begun and ended then; its id. */
static int64_t done(struct eng_history *h, const char *job, int64_t started)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new(job, started);

    must(eng_history_begin(h, &r, why));
    r.status = ENG_STATUS_SUCCESS;
    r.ended = started + 60;
    must(eng_history_end(h, &r, why));
    return r.id;
}

static void what_a_run_writes_is_read_back_whole(void **state)
{
    AUTO_ENG_HISTORY struct eng_history *h = opened(state);
    AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new("nightly", T0);
    AUTO_ENG_RUN_RECORD struct eng_run_record back = { 0 };
    AUTO(eng_vm_record_fini) struct eng_vm_record v = vm_new("web 1", T0 + 2);

    must(eng_history_begin(h, &r, why));
    runs_set(&v.message, "quiescing fell back\xff");
    must(eng_history_vm(h, r.id, &v, why));
    r.status = ENG_STATUS_WARNING;
    r.ended = T0 + 70;
    runs_set(&r.message, "\"it\" <ended>");
    run_warn(&r, "VM prod:old is not there");
    run_warn(&r, "second");
    must(eng_history_end(h, &r, why));

    must(eng_history_run(h, r.id, &back, why));
    assert_string_equal(back.job, "nightly");
    assert_string_equal(back.repo, "main");
    assert_string_equal(back.host, "backup1");
    assert_int_equal(back.why, ENG_WHY_SCHEDULE);
    assert_int_equal(back.status, ENG_STATUS_WARNING);
    assert_int_equal(back.tries, 1);
    assert_int_equal(back.started, T0);
    assert_int_equal(back.ended, T0 + 70);
    assert_false(back.rebuilt);
    assert_string_equal(back.message, "\"it\" <ended>");
    assert_int_equal(back.n_warnings, 2);
    assert_string_equal(back.warnings[1], "second");
    assert_int_equal(back.n_vms, 1);
    const struct eng_vm_record *b = &back.vms[0];
    assert_string_equal(b->source, "prod");
    assert_string_equal(b->id, "web 1");
    assert_string_equal(b->vm, "web 1");
    assert_int_equal(b->status, ENG_STATUS_SUCCESS);
    assert_int_equal(b->tried, 1);
    assert_int_equal(b->started, T0 + 2);
    assert_int_equal(b->ended, T0 + 66);
    assert_string_equal(b->point, v.point);
    assert_string_equal(b->kind, "incremental");
    assert_string_equal(b->keyset, "plain");
    assert_true(b->source_bytes == v.source_bytes);
    assert_true(b->read_bytes == v.read_bytes);
    assert_true(b->new_bytes == v.new_bytes);
    assert_true(b->stored_bytes == v.stored_bytes);
    assert_true(b->new_blocks == 225 && b->reused_blocks == 1311);
    assert_true(b->seconds == 63.5);
    assert_memory_equal(b->busy, v.busy, sizeof(v.busy));
    assert_string_equal(b->bottleneck, "source");
    assert_memory_equal(b->requests, v.requests, sizeof(v.requests));
    assert_string_equal(b->message, "quiescing fell back\xff");
}

static void another_try_replaces_what_it_did_again(void **state)
{
    AUTO_ENG_HISTORY struct eng_history *h = opened(state);
    AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new("nightly", T0);
    AUTO_ENG_RUN_RECORD struct eng_run_record back = { 0 };
    AUTO(eng_vm_record_fini) struct eng_vm_record a = vm_new("a", T0);
    AUTO(eng_vm_record_fini) struct eng_vm_record b = vm_new("b", T0);

    must(eng_history_begin(h, &r, why));
    must(eng_history_vm(h, r.id, &a, why));
    b.status = ENG_STATUS_FAILED;
    must(eng_history_vm(h, r.id, &b, why));
    r.status = ENG_STATUS_WARNING;
    r.ended = T0 + 9;
    runs_set(&r.message, "one failed");
    must(eng_history_end(h, &r, why));

    must(eng_history_again(h, &r, why));
    assert_int_equal(r.tries, 2);
    assert_int_equal(r.status, ENG_STATUS_RUNNING);
    assert_null(r.message);
    must(eng_history_run(h, r.id, &back, why));
    assert_int_equal(back.status, ENG_STATUS_RUNNING);
    assert_int_equal(back.ended, 0);
    assert_null(back.message);
    assert_int_equal(back.vms[1].status, ENG_STATUS_FAILED);
    eng_run_record_fini(&back);

    b.tried = 2;
    b.status = ENG_STATUS_SUCCESS;
    must(eng_history_vm(h, r.id, &b, why));
    must(eng_history_run(h, r.id, &back, why));
    assert_int_equal(back.n_vms, 2);
    assert_string_equal(back.vms[0].vm, "a");
    assert_int_equal(back.vms[0].tried, 1);
    assert_string_equal(back.vms[1].vm, "b");
    assert_int_equal(back.vms[1].tried, 2);
    assert_int_equal(back.vms[1].status, ENG_STATUS_SUCCESS);
}

static void two_vms_of_one_name_are_two(void **state)
{
    AUTO_ENG_HISTORY struct eng_history *h = opened(state);
    AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new("nightly", T0);
    AUTO_ENG_RUN_RECORD struct eng_run_record back = { 0 };
    AUTO(eng_vm_record_fini) struct eng_vm_record v = vm_new("web", T0);

    must(eng_history_begin(h, &r, why));
    must(eng_history_vm(h, r.id, &v, why));
    runs_set(&v.source, "test");
    must(eng_history_vm(h, r.id, &v, why));
    must(eng_history_run(h, r.id, &back, why));
    assert_int_equal(back.n_vms, 2);
}

static void runs_come_in_the_order_in_which_they_began(void **state)
{
    AUTO_ENG_HISTORY struct eng_history *h = opened(state);
    struct eng_run_record *runs = NULL;
    size_t n = 0;

    int64_t first = done(h, "nightly", T0 + 1000);
    done(h, "other", T0);
    int64_t last = done(h, "nightly", T0); /* the clock was set back */
    must(eng_history_runs(h, "nightly", 10, &runs, &n, why));
    assert_int_equal(n, 2);
    assert_int_equal(runs[0].id, last);
    assert_int_equal(runs[1].id, first);
    eng_history_runs_free(runs, n);
    must(eng_history_runs(h, NULL, 2, &runs, &n, why));
    assert_int_equal(n, 2);
    assert_string_equal(runs[0].job, "nightly");
    assert_string_equal(runs[1].job, "other");
    eng_history_runs_free(runs, n);
}

static void a_run_that_is_not_there_is_said(void **state)
{
    AUTO_ENG_HISTORY struct eng_history *h = opened(state);
    AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new("nightly", T0);
    AUTO(eng_vm_record_fini) struct eng_vm_record v = vm_new("a", T0);
    struct eng_run_record back = { 0 };
    struct err e = { 0 };

    r.id = 7;
    assert_int_equal(eng_history_run(h, 7, &back, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "no run 7"));
    assert_int_equal(eng_history_end(h, &r, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(eng_history_again(h, &r, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(eng_history_vm(h, 7, &v, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void expect(struct eng_history *h, int64_t id, enum eng_status status)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record back = { 0 };

    must(eng_history_run(h, id, &back, why));
    assert_int_equal(back.status, status);
}

static void what_was_cut_off_is_closed_as_failed(void **state)
{
    AUTO_ENG_HISTORY struct eng_history *h = opened(state);
    AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new("nightly", T0);
    AUTO_ENG_RUN_RECORD struct eng_run_record other = run_new("other", T0);
    AUTO_ENG_RUN_RECORD struct eng_run_record back = { 0 };
    AUTO(eng_vm_record_fini) struct eng_vm_record a = vm_new("a", T0);
    AUTO(eng_vm_record_fini) struct eng_vm_record b = vm_new("b", T0);
    size_t n = 9;

    int64_t whole = done(h, "nightly", T0 - 100);
    must(eng_history_begin(h, &r, why));
    must(eng_history_begin(h, &other, why));
    must(eng_history_vm(h, r.id, &a, why));
    b.status = ENG_STATUS_RUNNING;
    must(eng_history_vm(h, r.id, &b, why));
    must(eng_history_close_lost(h, "nightly", T0 + 500, "cut off", &n, why));
    assert_int_equal(n, 1);
    must(eng_history_run(h, r.id, &back, why));
    assert_int_equal(back.status, ENG_STATUS_FAILED);
    assert_int_equal(back.ended, T0 + 500);
    assert_string_equal(back.message, "cut off");
    assert_int_equal(back.vms[0].status, ENG_STATUS_SUCCESS);
    assert_int_equal(back.vms[1].status, ENG_STATUS_FAILED);
    assert_string_equal(back.vms[1].message, "cut off");
    expect(h, whole, ENG_STATUS_SUCCESS);
    expect(h, other.id, ENG_STATUS_RUNNING);
    must(eng_history_close_lost(h, "nightly", T0 + 501, "again", &n, why));
    assert_int_equal(n, 0);
}

static void a_schedule_holds_since_it_was_seen_first(void **state)
{
    AUTO_ENG_HISTORY struct eng_history *h = opened(state);
    int64_t since = 0;

    must(eng_history_since(h, "nightly", "daily 22:00", T0, &since, why));
    assert_int_equal(since, T0);
    must(eng_history_since(h, "nightly", "daily 22:00", T0 + 9, &since, why));
    assert_int_equal(since, T0);
    must(eng_history_since(h, "other", "daily 22:00", T0 + 9, &since, why));
    assert_int_equal(since, T0 + 9);
    must(eng_history_since(h, "nightly", "daily 23:00", T0 + 10, &since, why));
    assert_int_equal(since, T0 + 10);
}

static void trimming_keeps_the_newest_of_each_job(void **state)
{
    AUTO_ENG_HISTORY struct eng_history *h = opened(state);
    struct eng_run_record *runs = NULL;
    size_t n = 0;

    for (int i = 0; i < 5; i++)
        done(h, "nightly", T0 + i * 100);
    done(h, "seldom", T0 - 1000);
    AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new("lost", T0 - 2000);
    must(eng_history_begin(h, &r, why));
    done(h, "lost", T0 - 1000);

    must(eng_history_trim(h, T0 + 300, 1, why));
    must(eng_history_runs(h, NULL, 10, &runs, &n, why));
    assert_int_equal(n, 5);
    assert_string_equal(runs[0].job, "lost");
    assert_int_equal(runs[1].status, ENG_STATUS_RUNNING);
    assert_string_equal(runs[2].job, "seldom");
    assert_int_equal(runs[3].started, T0 + 400);
    assert_int_equal(runs[4].started, T0 + 300);
    eng_history_runs_free(runs, n);
}

/* Letters: running, success, warning, failed, stopped (x). */
static struct eng_run_record judged(const char *vms)
{
    static const char letters[] = "rswfx";
    struct eng_run_record r = run_new("nightly", T0);

    for (size_t i = 0; vms[i] != '\0'; i++) {
        run_add_vm(&r, vm_new("a", T0));
        r.vms[i].status = (enum eng_status)(strchr(letters, vms[i]) - letters);
    }
    return r;
}

static void a_run_is_judged_by_its_vms_and_warnings(void **state)
{
    static const struct {
        const char *vms;
        bool warned, message;
        enum eng_status want;
    } rows[] = {
        { "sss", false, false, ENG_STATUS_SUCCESS },
        { "sws", false, false, ENG_STATUS_WARNING },
        { "sfs", false, false, ENG_STATUS_WARNING },
        { "fff", false, false, ENG_STATUS_FAILED },
        { "fxs", false, false, ENG_STATUS_STOPPED },
        { "xxx", false, false, ENG_STATUS_STOPPED },
        { "sss", true, false, ENG_STATUS_WARNING },
        { "", false, true, ENG_STATUS_FAILED },
        { "", true, false, ENG_STATUS_WARNING },
        { "f", true, true, ENG_STATUS_FAILED },
        { "r", false, false, ENG_STATUS_FAILED },
        { "rs", false, false, ENG_STATUS_WARNING },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_ENG_RUN_RECORD struct eng_run_record r = judged(rows[i].vms);
        if (rows[i].warned)
            run_warn(&r, "look at this");
        if (rows[i].message)
            runs_set(&r.message, "no repository");
        if (eng_run_judge(&r) != rows[i].want)
            fail_msg("row %zu: %s", i, eng_status_name(eng_run_judge(&r)));
    }
}

int main(void)
{
#define HISTORY_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(what_a_run_writes_is_read_back_whole),
        HISTORY_TEST(another_try_replaces_what_it_did_again),
        HISTORY_TEST(two_vms_of_one_name_are_two),
        HISTORY_TEST(runs_come_in_the_order_in_which_they_began),
        HISTORY_TEST(a_run_that_is_not_there_is_said),
        HISTORY_TEST(what_was_cut_off_is_closed_as_failed),
        HISTORY_TEST(a_schedule_holds_since_it_was_seen_first),
        HISTORY_TEST(trimming_keeps_the_newest_of_each_job),
        cmocka_unit_test(a_run_is_judged_by_its_vms_and_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Leases: what is stored, and taking part by them, on a server whose clock is
 * ours to set. */
#include "tests/unit/engine/repo/leasing.h"

#include <pthread.h>

#include "base/utc.h"
#include "engine/repo/dirlock.h"
#include "engine/repo/learn.h"
#include "engine/repo/lease.h"

static const struct eng_lease sample = {
    .host = "alpha",
    .pid = 71,
    .vm = "000102030405060708090a0b0c0d0e0f",
    .lock = "0011223344556677",
    .begun = 1763805600,
    .until = 1763809200,
};

static void a_lease_has_one_form(void **state)
{
    static const char text[] =
        "{\"objvault\":1,\"host\":\"alpha\",\"pid\":71,"
        "\"begun\":\"2025-11-22T10:00:00Z\","
        "\"until\":\"2025-11-22T11:00:00Z\",\"ended\":false,"
        "\"vm\":\"000102030405060708090a0b0c0d0e0f\","
        "\"lock\":\"0011223344556677\"}";
    AUTO_BUF struct buf out = buf_init(ENG_LEASE_BYTES_MAX);
    struct eng_lease back = { 0 };

    (void)state;
    must(eng_lease_encode(&sample, &out, why));
    assert_string_equal(buf_cstr(&out), text);
    must(eng_lease_decode(buf_span(&out), &back, why));
    assert_memory_equal(&back, &sample, sizeof sample);
}

static void what_is_no_lease_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "{\"objvault\":1}",
        "{\"objvault\":1,\"host\":\"a\",\"pid\":1,\"begun\":\"2025-11-22T10:00:"
        "00Z\","
        "\"until\":\"2025-11-22T11:00:00Z\",\"ended\":false,\"vm\":null,"
        "\"lock\":null,\"more\":1}",
        "{\"objvault\":1,\"host\":\"a\",\"pid\":1,\"begun\":\"yesterday\","
        "\"until\":\"2025-11-22T11:00:00Z\",\"ended\":false,\"vm\":null,"
        "\"lock\":null}",
        "{\"objvault\":1,\"host\":\"a\",\"pid\":1,\"begun\":\"2025-11-22T10:00:"
        "00Z\","
        "\"until\":\"2025-11-22T11:00:00Z\",\"ended\":false,\"vm\":\"00\","
        "\"lock\":null}",
        "{\"objvault\":1, "
        "\"host\":\"a\",\"pid\":1,\"begun\":\"2025-11-22T10:00:00Z\","
        "\"until\":\"2025-11-22T11:00:00Z\",\"ended\":false,\"vm\":null,"
        "\"lock\":null}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct err e = { 0 };
        struct eng_lease l = { 0 };
        assert_int_equal(eng_lease_decode(span_str(texts[i]), &l, &e), -1);
        assert_int_equal(e.kind, ERR_CORRUPT);
    }
}

static void a_later_version_cannot_be_read(void **state)
{
    struct err e = { 0 };
    struct eng_lease l = { 0 };

    (void)state;
    assert_int_equal(
        eng_lease_decode(span_str("{\"objvault\":2,\"x\":1}"), &l, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
}

static void a_run_keeps_a_sweep_away_until_it_ends(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);

    assert_false(in_the_way(other));
    must(eng_runlease_begin(run, "vm", NULL, why));
    assert_true(in_the_way(other));
    eng_runlease_end(run);
    assert_false(in_the_way(other));
    eng_repo_close(run);
    eng_repo_close(other);
}

/* A run that was killed: its handle is not closed before the end. */
static void a_lease_runs_out_half_an_hour_after_its_end(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);

    must(eng_runlease_begin(run, "vm", NULL, why));
    pass(a, other, HOUR + 29 * MINUTE);
    assert_true(in_the_way(other));
    pass(a, other, HOUR + 31 * MINUTE);
    assert_false(in_the_way(other));
    eng_repo_close(run);
    eng_repo_close(other);
}

static void an_unreadable_lease_counts_for_an_hour_and_a_half(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);

    attacked_put(a, "gc/leases/0123456789abcdef", "rubbish");
    attacked_put(a, "gc/leases/no lease", "rubbish");
    assert_true(in_the_way(r));
    pass(a, r, 89 * MINUTE);
    assert_true(in_the_way(r));
    pass(a, r, 91 * MINUTE);
    assert_false(in_the_way(r));
    eng_repo_close(r);
}

/* Who has the keys must not stop collection for ever with one object. */
static void a_lease_for_years_counts_as_unreadable(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    struct eng_lease l = sample;

    l.kind = ENG_LEASE_RUN;
    memcpy(l.name, "0123456789abcdef", sizeof l.name);
    l.until = UTC_LAST;
    must(eng_lease_put(eng_repo_store(r), NULL, &l, 0, 0, why));
    assert_true(in_the_way(r));
    pass(a, r, 91 * MINUTE);
    assert_false(in_the_way(r));
    eng_repo_close(r);
}

static void ticks_renew_a_lease(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);

    must(eng_runlease_begin(run, "vm", NULL, why));
    for (int64_t at = 4 * MINUTE; at < 3 * HOUR; at += 20 * MINUTE) {
        pass(a, run, at);
        eng_runlease_tick(run, NULL);
        eng_runlease_tick(run, NULL);
    }
    pass(a, other, 3 * HOUR + 20 * MINUTE);
    assert_true(in_the_way(other));
    int64_t sign_before = 0;
    bool swept = true;
    pass(a, run, 3 * HOUR + 20 * MINUTE);
    must(eng_runlease_confirm(run, NULL, &sign_before, &swept, why));
    assert_false(swept);
    assert_in_range(sign_before, eng_lease_now(eng_repo_store(run)) + 290,
                    eng_lease_now(eng_repo_store(run)) + 301);
    eng_runlease_end(run);
    assert_false(in_the_way(other));
    eng_repo_close(run);
    eng_repo_close(other);
}

/* Others wait for it no longer than for any other: its owner must know. */
static void a_lease_put_with_a_wrong_clock_is_taken_anew(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    int64_t sign_before = 0;
    bool swept = true;

    pass(a, run, 2 * HOUR);
    must(eng_runlease_begin(run, "vm", NULL, why));
    struct eng_lease l = living(other);
    pass(a, run, 0);
    pass(a, other, 0);
    must(eng_lease_put(eng_repo_store(other), NULL, &l, 0, 0, why));
    must(eng_runlease_confirm(run, NULL, &sign_before, &swept, why));
    assert_false(swept);
    assert_string_not_equal(newest(other).name, l.name);
    eng_repo_close(run);
    eng_repo_close(other);
}

static void a_broken_lease_is_taken_anew(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    struct eng_lease_seen was;
    struct err e = { 0 };
    int64_t sign_before = 0;
    bool swept = false;

    must(eng_runlease_begin(run, "vm", NULL, why));
    must(eng_lease_break(eng_repo_store(other), NULL, living(other).name, &was,
                         why));
    assert_in_range(was.counts_until,
                    eng_lease_now(eng_repo_store(other)) + 29 * MINUTE,
                    eng_lease_now(eng_repo_store(other)) + 30 * MINUTE);
    assert_true(in_the_way(other));
    must(eng_runlease_confirm(run, NULL, &sign_before, &swept, why));
    assert_false(swept);
    eng_runlease_end(run);
    /* The new one is ended; the broken one still counts. */
    assert_true(in_the_way(other));
    pass(a, other, 31 * MINUTE);
    assert_false(in_the_way(other));
    assert_int_equal(eng_lease_break(eng_repo_store(other), NULL,
                                     "00000000000000ff", &was, &e),
                     -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    eng_repo_close(run);
    eng_repo_close(other);
}

/* A request that may be carried out yet: nobody may think that all is over. */
static void a_lease_is_not_ended_over_a_request_without_an_answer(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    struct obj_req req = { .key = "gc/damaged/x",
                           .sign_before = utc_real_now() + HOUR };
    const struct s3server_rule rule = { .op = "PutObject",
                                        .key = "gc/damaged/x",
                                        .times = 1,
                                        .act = S3SERVER_LOSE_ANSWER };

    must(eng_runlease_begin(run, "vm", NULL, why));
    s3server_script(a->server, &rule, 1);
    must(obj_put(eng_repo_store(run), &req, span_str("x"), NULL, NULL, why));
    assert_int_equal(s3server_acted(a->server, 0), 1);
    struct obj_counters c;
    obj_store_counters(eng_repo_store(run), &c);
    assert_int_equal(c.unanswered, 1);
    s3server_script(a->server, NULL, 0);
    eng_runlease_end(run);
    assert_true(in_the_way(other));
    eng_repo_close(run);
    eng_repo_close(other);
}

static void *ask_to_stop(void *ctx)
{
    usleep(300000);
    cancel_request(ctx);
    return NULL;
}

/* A run's beginning, until somebody asks to stop: it would wait. */
static bool waits(struct eng_repo *r, const char *vm)
{
    struct err e = { 0 };
    struct cancel c;
    pthread_t t;

    must(cancel_init(&c, NULL, why));
    assert_int_equal(pthread_create(&t, NULL, ask_to_stop, &c), 0);
    int begun = eng_runlease_begin(r, vm, &c, &e);
    if (begun == 0)
        begun = eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, &c, &e);
    pthread_join(t, NULL);
    cancel_fini(&c);
    if (begun < 0)
        assert_int_equal(e.kind, ERR_CANCELLED);
    eng_runlease_end(r);
    return begun < 0;
}

static void a_run_waits_for_a_sweep(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    struct eng_sweep s;
    struct eng_sweep_way way;

    must(eng_sweep_begin(other, NULL, 0, &s, &way, why));
    assert_true(waits(run, "vm"));
    eng_sweep_end(&s);
    assert_false(waits(run, "vm"));
    eng_repo_close(run);
    eng_repo_close(other);
}

static void a_sweep_that_was_killed_is_waited_for_half_an_hour(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *run = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    struct eng_sweep s;
    struct eng_sweep_way way;

    must(eng_sweep_begin(other, NULL, 0, &s, &way, why));
    pass(a, run, 34 * MINUTE);
    assert_true(waits(run, "vm"));
    pass(a, run, 36 * MINUTE);
    assert_false(waits(run, "vm"));
    eng_repo_close(run);
    eng_repo_close(other);
}

static void of_two_collectors_the_later_one_yields(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *one = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    struct eng_sweep s;
    struct eng_sweep_way way;

    must(eng_sweep_begin(one, NULL, 0, &s, &way, why));
    assert_true(in_the_way(other));
    eng_sweep_end(&s);
    assert_false(in_the_way(other));
    eng_repo_close(one);
    eng_repo_close(other);
}

static void the_same_vm_is_not_backed_up_twice_at_once(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *one = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);

    must(eng_runlease_begin(one, "vm", NULL, why));
    assert_true(waits(other, "vm"));
    assert_false(waits(other, "another"));
    eng_runlease_end(one);
    assert_false(waits(other, "vm"));
    eng_repo_close(one);
    eng_repo_close(other);
}

/* Its file is here, and nobody holds it: as after a kill. */
static void a_killed_run_delays_nobody_on_its_host(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *one = fixture_open(&a->f);
    struct eng_repo *other = fixture_open(&a->f);
    char path[300];

    must(eng_runlease_begin(one, "vm", NULL, why));
    snprintf(path, sizeof path, "%s/leases/%s", eng_repo_state_dir(one),
             living(one).lock);
    assert_int_equal(access(path, F_OK), 0);
    assert_true(waits(other, "vm"));
    /* No such file here says nothing: another host may have our name. */
    assert_int_equal(unlink(path), 0);
    assert_true(waits(other, "vm"));
    /* Another file of this name, which nobody has locked. */
    must(io_write_file(path, span_str(""), 0600, true, why));
    assert_false(waits(other, "vm"));
    eng_repo_close(one);
    eng_repo_close(other);
}

static void a_lease_names_no_vm(void **state)
{
    struct attacked *a = *state;
    struct eng_repo *r = fixture_open(&a->f);
    AUTO_BUF struct buf text = buf_init(4096);
    char key[ENG_LEASE_KEY_CHARS];

    must(eng_runlease_begin(r, "SecretName", NULL, why));
    eng_lease_key(ENG_LEASE_RUN, living(r).name, key);
    assert_true(s3server_read(a->server, ATTACKED_BUCKET, key, &text));
    assert_null(strstr(buf_cstr(&text), "Secret"));
    eng_repo_close(r);
}

/* --- in a directory --- */

static void in_a_directory_files_are_locked(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *one = fixture_open(f);
    struct eng_repo *other = fixture_open(f);
    struct err e = { 0 };
    struct eng_sweep s;
    struct eng_sweep_way way;

    must(eng_dirlock_probe(f->store, why));
    must(eng_runlease_begin(one, "vm", NULL, why));
    assert_true(in_the_way(other));
    assert_true(waits(other, "vm"));
    assert_false(waits(other, "another"));
    eng_runlease_end(one);
    assert_false(in_the_way(other));
    must(eng_sweep_begin(other, NULL, 0, &s, &way, why));
    assert_true(waits(one, "vm"));
    assert_int_equal(eng_dirlock_is_swept(f->store, &e), 1);
    eng_sweep_end(&s);
    assert_int_equal(eng_dirlock_is_swept(f->store, &e), 0);
    assert_false(waits(one, "vm"));
    eng_repo_close(one);
    eng_repo_close(other);
}

static void a_removed_lock_file_is_no_lock(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    int one = -1, other = -1;

    assert_int_equal(
        eng_dirlock_try(f->store, ENG_DIRLOCK_RUNS, true, &one, &e), 1);
    assert_int_equal(
        eng_dirlock_try(f->store, ENG_DIRLOCK_RUNS, false, &other, &e), 0);
    vm_shell(f, "rm gc/lock");
    assert_int_equal(
        eng_dirlock_try(f->store, ENG_DIRLOCK_RUNS, false, &other, &e), 1);
    close(one);
    close(other);
}

#define T(name) cmocka_unit_test(name)
#define S(name)                                                                \
    cmocka_unit_test_setup_teardown(name, attacked_setup_plain,                \
                                    attacked_teardown)
#define F(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_lease_has_one_form),
        T(what_is_no_lease_is_refused),
        T(a_later_version_cannot_be_read),
        S(a_run_keeps_a_sweep_away_until_it_ends),
        S(a_lease_runs_out_half_an_hour_after_its_end),
        S(an_unreadable_lease_counts_for_an_hour_and_a_half),
        S(a_lease_for_years_counts_as_unreadable),
        S(ticks_renew_a_lease),
        S(a_lease_put_with_a_wrong_clock_is_taken_anew),
        S(a_broken_lease_is_taken_anew),
        S(a_lease_is_not_ended_over_a_request_without_an_answer),
        S(a_run_waits_for_a_sweep),
        S(a_sweep_that_was_killed_is_waited_for_half_an_hour),
        S(of_two_collectors_the_later_one_yields),
        S(the_same_vm_is_not_backed_up_twice_at_once),
        S(a_killed_run_delays_nobody_on_its_host),
        S(a_lease_names_no_vm),
        F(in_a_directory_files_are_locked),
        F(a_removed_lock_file_is_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

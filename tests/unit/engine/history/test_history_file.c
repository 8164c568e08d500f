// SPDX-License-Identifier: Apache-2.0
/* The history's file: several processes, crashes, damage, other versions, no
 * room. */
#include "tests/unit/engine/history/runs.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

static char dir[64];
static char file[96];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/objvault-history-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof(file), "%s/history.db", dir);
    return 0;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command); /* NOLINT(cert-env33-c): a path of our own */
}

static struct eng_history *opened(void)
{
    struct err e = { 0 };
    struct eng_history *h = eng_history_open(dir, NULL, &e);

    if (h == NULL)
        fail_msg("%s", e.msg);
    return h;
}

/* A run with two VMs, in a child: no assertion.  0, or -1. */
static int run_once(struct eng_history *h, const char *job, int64_t started)
{
    struct err e = { 0 };
    AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new(job, started);
    AUTO(eng_vm_record_fini) struct eng_vm_record a = vm_new("a", started);
    AUTO(eng_vm_record_fini) struct eng_vm_record b = vm_new("b", started);

    run_warn(&r, "a warning");
    r.ended = started + 1;
    if (eng_history_begin(h, &r, &e) < 0 ||
        eng_history_vm(h, r.id, &a, &e) < 0 ||
        eng_history_vm(h, r.id, &b, &e) < 0)
        return -1;
    r.status = ENG_STATUS_SUCCESS;
    return eng_history_end(h, &r, &e);
}

static pid_t writer(const char *job, int runs)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    struct err e = { 0 };
    AUTO_ENG_HISTORY struct eng_history *h = eng_history_open(dir, NULL, &e);
    if (h == NULL)
        _exit(1);
    for (int i = 0; i < runs; i++)
        if (run_once(h, job, T0 + i) < 0)
            _exit(1);
    _exit(0);
}

static int status_of(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void two_processes_write_at_once(void **state)
{
    enum { RUNS = 40 };
    struct eng_run_record *runs = NULL;
    size_t n = 0;

    (void)state;
    pid_t one = writer("one", RUNS);
    pid_t two = writer("two", RUNS);
    assert_int_equal(status_of(one), 0);
    assert_int_equal(status_of(two), 0);
    AUTO_ENG_HISTORY struct eng_history *h = opened();
    must(eng_history_runs(h, NULL, 1000, &runs, &n, why));
    assert_int_equal(n, 2 * RUNS);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || runs[i].id < runs[i - 1].id);
        assert_int_equal(runs[i].status, ENG_STATUS_SUCCESS);
        assert_int_equal(runs[i].n_vms, 2);
        assert_int_equal(runs[i].n_warnings, 1);
    }
    eng_history_runs_free(runs, n);
}

static void a_process_that_is_killed_leaves_whole_records(void **state)
{
    (void)state;
    for (useconds_t round = 1; round <= 12; round++) {
        struct eng_run_record *runs = NULL;
        size_t n = 0;
        size_t lost = 0;
        pid_t pid = writer("job", 1000000);
        usleep(round * 3700);
        kill(pid, SIGKILL);
        assert_true(WIFSIGNALED(status_of(pid)));

        AUTO_ENG_HISTORY struct eng_history *h = opened();
        must(eng_history_close_lost(h, "job", T0, "cut off", &lost, why));
        assert_true(lost <= 1);
        must(eng_history_runs(h, NULL, 100000, &runs, &n, why));
        for (size_t i = 0; i < n; i++) {
            assert_int_not_equal(runs[i].status, ENG_STATUS_RUNNING);
            assert_int_equal(runs[i].n_warnings, 1);
            if (runs[i].status == ENG_STATUS_SUCCESS)
                assert_int_equal(runs[i].n_vms, 2);
        }
        eng_history_runs_free(runs, n);
    }
}

static bool is_there(const char *name)
{
    AUTO_MEM char *path = NULL;

    assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
    return access(path, F_OK) == 0;
}

static void damage(off_t at, const char *what)
{
    AUTO_FD int fd = open(file, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    for (size_t i = 0; i < 8; i++)
        must(io_pwrite_full(fd, what, strlen(what),
                            (uint64_t)at + i * strlen(what), file, why));
}

/* Some hundred runs, so that the tables have pages of their own. */
static void fill(void)
{
    AUTO_ENG_HISTORY struct eng_history *h = opened();

    for (int i = 0; i < 200; i++)
        assert_int_equal(run_once(h, "job", T0 + i), 0);
}

static void expect_begun_anew(void)
{
    struct eng_run_record *runs = NULL;
    struct err e = { 0 };
    size_t n = 9;
    bool fresh = false;

    AUTO_ENG_HISTORY struct eng_history *h = eng_history_open(dir, &fresh, &e);
    if (h == NULL)
        fail_msg("%s", e.msg);
    assert_true(fresh);
    assert_true(is_there("history.db.damaged"));
    must(eng_history_runs(h, NULL, 10, &runs, &n, why));
    assert_int_equal(n, 0);
    assert_int_equal(run_once(h, "job", T0), 0);
}

static void what_is_no_database_is_moved_aside(void **state)
{
    (void)state;
    must(io_write_file(file, span_str("this is no database, not at all"), 0600,
                       false, why));
    expect_begun_anew();
}

static void a_damaged_page_is_found_and_the_file_begun_anew(void **state)
{
    struct stat st;

    (void)state;
    fill();
    assert_int_equal(stat(file, &st), 0);
    /* The end holds pages of tables. */
    damage(st.st_size - 4096, "garbage in the middle of it all ");
    expect_begun_anew();
}

static void a_torn_off_end_is_found(void **state)
{
    struct stat st;

    (void)state;
    fill();
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(truncate(file, st.st_size / 2), 0);
    expect_begun_anew();
}

static void the_second_process_that_finds_damage_finds_a_good_file(void **state)
{
    (void)state;
    fill();
    damage(0, "no header any more, sorry ");
    pid_t one = writer("one", 5);
    pid_t two = writer("two", 5);
    assert_int_equal(status_of(one), 0);
    assert_int_equal(status_of(two), 0);

    struct eng_run_record *runs = NULL;
    size_t n = 0;
    AUTO_ENG_HISTORY struct eng_history *h = opened();
    must(eng_history_runs(h, NULL, 100, &runs, &n, why));
    assert_int_equal(n, 10);
    eng_history_runs_free(runs, n);
}

static void a_newer_versions_file_is_refused_and_untouched(void **state)
{
    struct err e = { 0 };
    sqlite3 *db = NULL;

    (void)state;
    fill();
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA user_version=2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_null(eng_history_open(dir, NULL, &e));
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_non_null(strstr(e.msg, "newer version"));
    assert_false(is_there("history.db.damaged"));
}

static void a_file_that_nobody_has_asked_manifests_for_is_fresh(void **state)
{
    struct err e = { 0 };
    bool fresh = false;

    (void)state;
    struct eng_history *h = eng_history_open(dir, &fresh, &e);
    assert_true(fresh);
    assert_int_equal(run_once(h, "job", T0), 0);
    eng_history_close(h);
    h = eng_history_open(dir, &fresh, &e);
    assert_true(fresh);
    must(eng_history_asked(h, why));
    eng_history_close(h);
    h = eng_history_open(dir, &fresh, &e);
    assert_false(fresh);
    eng_history_close(h);
}

static void a_disk_without_room_is_an_error_and_nothing_is_lost(void **state)
{
    struct stat st;

    (void)state;
    fill();
    assert_int_equal(stat(file, &st), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = { 0 };
        AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new("job", T0);
        struct rlimit none = { 1024, 1024 };
        AUTO_ENG_HISTORY struct eng_history *h =
            eng_history_open(dir, NULL, &e);
        (void)signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &none);
        int got = h != NULL ? eng_history_begin(h, &r, &e) : 0;
        _exit(got == -1 && (e.kind == ERR_FULL || e.kind == ERR_IO) &&
                      strstr(e.msg, "history.db") != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(status_of(pid), 0);

    struct eng_run_record *runs = NULL;
    size_t n = 0;
    AUTO_ENG_HISTORY struct eng_history *h = opened();
    must(eng_history_runs(h, NULL, 1000, &runs, &n, why));
    assert_int_equal(n, 200);
    eng_history_runs_free(runs, n);
}

static void
a_place_that_cannot_be_written_is_an_error_that_names_it(void **state)
{
    struct err e = { 0 };
    char below[128];

    (void)state;
    assert_int_equal(mkdir(file, 0700), 0); /* in the file's place */
    assert_null(eng_history_open(dir, NULL, &e));
    assert_int_not_equal(e.kind, ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "history.db"));
    snprintf(below, sizeof(below), "/dev/null/state");
    assert_null(eng_history_open(below, NULL, &e));
    assert_non_null(strstr(e.msg, "/dev/null"));
}

static void a_file_that_is_held_for_long_is_busy(void **state)
{
    struct err e = { 0 };
    sqlite3 *db = NULL;

    (void)state;
    AUTO_ENG_HISTORY struct eng_history *h = opened();
    AUTO_ENG_RUN_RECORD struct eng_run_record r = run_new("job", T0);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(eng_history_begin(h, &r, &e), -1);
    assert_int_equal(e.kind, ERR_BUSY);
    sqlite3_close(db);
    must(eng_history_begin(h, &r, why));
}

int main(void)
{
#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        FILE_TEST(two_processes_write_at_once),
        FILE_TEST(a_process_that_is_killed_leaves_whole_records),
        FILE_TEST(what_is_no_database_is_moved_aside),
        FILE_TEST(a_damaged_page_is_found_and_the_file_begun_anew),
        FILE_TEST(a_torn_off_end_is_found),
        FILE_TEST(the_second_process_that_finds_damage_finds_a_good_file),
        FILE_TEST(a_newer_versions_file_is_refused_and_untouched),
        FILE_TEST(a_file_that_nobody_has_asked_manifests_for_is_fresh),
        FILE_TEST(a_disk_without_room_is_an_error_and_nothing_is_lost),
        FILE_TEST(a_place_that_cannot_be_written_is_an_error_that_names_it),
        FILE_TEST(a_file_that_is_held_for_long_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Restores to stdout.
#include "tests/unit/engine/restore/write_job.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/utc.h"

/* Stdout for the time of a test: cmocka writes there too. */
static int saved_stdout = -1;

static void redirect(int fd)
{
    fflush(stdout);
    saved_stdout = dup(STDOUT_FILENO);
    assert_true(dup2(fd, STDOUT_FILENO) >= 0);
    close(fd);
}

static void restore_stdout(void)
{
    fflush(stdout);
    assert_true(dup2(saved_stdout, STDOUT_FILENO) >= 0);
    close(saved_stdout);
}

struct sink {
    int fd;
    uint8_t *p;
    size_t len, cap;
};

static void *drain(void *arg)
{
    struct sink *s = arg;
    ssize_t n;
    while (s->len < s->cap &&
           (n = read(s->fd, s->p + s->len, s->cap - s->len)) > 0)
        s->len += (size_t)n;
    return NULL;
}

static const struct eng_target_opts to_stdout = { .path = "-", .writers = 4 };

static void stdout_gets_the_bytes_in_order(void **state)
{
    struct err e = { 0 };
    int fds[2];
    pthread_t reader;
    struct job j = make_job(33 * BLOCK + 5, 5);
    struct sink s = { .p = room(j.size + 1), .cap = j.size + 1 };
    struct eng_target_opts o = to_stdout;
    (void)state;
    o.size = j.size;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    s.fd = fds[0];
    assert_int_equal(pthread_create(&reader, NULL, drain, &s), 0);
    redirect(fds[1]);
    j.t = eng_target_open(&o, &e);
    int r = j.t == NULL ? -1 : workers_run(4, 34, NULL, write_blocks, &j, &e);
    if (r == 0)
        r = eng_target_commit(j.t, &e);
    eng_target_close(j.t);
    restore_stdout();
    pthread_join(reader, NULL);
    if (r < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(s.len, j.size);
    assert_memory_equal(s.p, j.disk, j.size);
    close(fds[0]);
    free(s.p);
    drop_job(&j);
}

static void stdout_may_be_a_file(void **state)
{
    struct err e = { 0 };
    size_t len = 0;
    struct job j = make_job(9 * BLOCK + 5, 3);
    struct eng_target_opts o = to_stdout;
    (void)state;
    o.size = j.size;
    redirect(open(at("out"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    j.t = eng_target_open(&o, &e);
    int r = j.t == NULL ? -1 : workers_run(4, 10, NULL, write_blocks, &j, &e);
    if (r == 0)
        r = eng_target_commit(j.t, &e);
    eng_target_close(j.t);
    restore_stdout();
    if (r < 0)
        fail_msg("%s", e.msg);
    uint8_t *have = slurp(at("out"), &len);
    assert_int_equal(len, j.size);
    assert_memory_equal(have, j.disk, len);
    free(have);
    drop_job(&j);
}

static void *cancel_soon(void *arg)
{
    struct timespec ts = { .tv_nsec = 200000000 };
    nanosleep(&ts, NULL);
    cancel_request(arg);
    return NULL;
}

static void a_reader_that_stalls_does_not_stop_a_cancel(void **state)
{
    struct err e = { 0 };
    struct cancel c;
    int fds[2];
    pthread_t other;
    struct job j = make_job(8 * BLOCK, 100);
    struct eng_target_opts o = to_stdout;
    (void)state;
    o.size = j.size;
    assert_int_equal(cancel_init(&c, NULL, &e), 0);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    redirect(fds[1]);
    j.t = eng_target_open(&o, &e);
    assert_int_equal(pthread_create(&other, NULL, cancel_soon, &c), 0);
    int64_t t0 = utc_mono_ms();
    int r = workers_run(4, 8, &c, write_blocks, &j, &e);
    int64_t took = utc_mono_ms() - t0;
    eng_target_close(j.t);
    restore_stdout();
    pthread_join(other, NULL);
    cancel_fini(&c);
    assert_int_equal(r, -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_true(took >= 100 && took < 5000);
    close(fds[0]);
    drop_job(&j);
}

static void a_reader_that_leaves_is_an_error(void **state)
{
    struct err e = { 0 };
    int fds[2];
    struct job j = make_job(8 * BLOCK, 100);
    struct eng_target_opts o = to_stdout;
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    o.size = j.size;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    redirect(fds[1]);
    j.t = eng_target_open(&o, &e);
    close(fds[0]);
    int r = workers_run(4, 8, NULL, write_blocks, &j, &e);
    struct err left = { 0 };
    int late = eng_target_zero(j.t, NULL, 7 * BLOCK, BLOCK, &left);
    struct err early = { 0 };
    int end = eng_target_commit(j.t, &early);
    eng_target_close(j.t);
    restore_stdout();
    assert_int_equal(r, -1);
    assert_err(&e, ERR_IO, "stdout");
    assert_int_equal(late, -1);
    assert_err(&left, ERR_CANCELLED, "stdout");
    assert_int_equal(end, -1);
    assert_err(&early, ERR_INTERNAL, "stdout");
    drop_job(&j);
}

static void stdout_is_no_terminal_and_takes_raw_only(void **state)
{
    struct err e = { 0 };
    struct eng_target_opts o = to_stdout;
    (void)state;
    o.format = ENG_TARGET_QCOW2;
    assert_refused(&o, ERR_USAGE, "raw");
    int tty = posix_openpt(O_RDWR | O_NOCTTY);
    if (tty < 0 || grantpt(tty) < 0 || unlockpt(tty) < 0)
        skip();
    int side = open(ptsname(tty), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (side < 0)
        skip();
    redirect(side);
    o.format = ENG_TARGET_RAW;
    struct eng_target *t = eng_target_open(&o, &e);
    restore_stdout();
    close(tty);
    assert_null(t);
    assert_err(&e, ERR_USAGE, "terminal");
}

static void a_range_that_comes_twice_is_a_bug(void **state)
{
    struct err e = { 0 };
    struct eng_target_opts o = to_stdout;
    (void)state;
    o.size = 8;
    redirect(open(at("out"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    struct eng_target *t = eng_target_open(&o, &e);
    int a = eng_target_write(t, NULL, 0, span_of("abcd", 4), &e);
    int b = eng_target_write(t, NULL, 0, span_of("abcd", 4), &e);
    eng_target_close(t);
    restore_stdout();
    assert_int_equal(a, 0);
    assert_int_equal(b, -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stdout_gets_the_bytes_in_order),
        TEST(stdout_may_be_a_file),
        TEST(a_reader_that_stalls_does_not_stop_a_cancel),
        TEST(a_reader_that_leaves_is_an_error),
        TEST(stdout_is_no_terminal_and_takes_raw_only),
        TEST(a_range_that_comes_twice_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
//
// Children that answer, fail, hang, flood, and leave descendants behind.
#include "base/process.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/utc.h"

#define SH(text)                                                               \
    (const char *const[])                                                      \
    {                                                                          \
        "sh", "-c", text, NULL                                                 \
    }
#define LONG_MS 30000

static void sleep_ms(long ms)
{
    struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    nanosleep(&t, NULL);
}

/* Waits at most 10 s for a process that is not our child to be gone. */
static bool gone(pid_t pid)
{
    for (int i = 0; i < 2000; i++) {
        char path[64];
        char stat[256] = "";
        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return true;
        ssize_t n = read(fd, stat, sizeof(stat) - 1);
        /* An orphan may wait for a lazy init. */
        if (n <= 0 || strstr(stat, ") Z ") != NULL)
            return true;
        sleep_ms(5);
    }
    return false;
}

static void stdout_is_appended(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    buf_append_str(&out, "had ");
    assert_int_equal(process_run(SH("printf one; echo no >&2; printf ' two'"),
                                 LONG_MS, NULL, &out, &e),
                     0);
    assert_string_equal(buf_cstr(&out), "had one two");
}

static void output_may_be_dropped(void **state)
{
    (void)state;
    struct err e = { 0 };
    assert_int_equal(process_run(SH("echo one"), -1, NULL, NULL, &e), 0);
}

static void much_output_arrives_whole(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(4 << 20);
    assert_int_equal(process_run(SH("head -c 3000000 /dev/zero;"
                                    "head -c 3000000 /dev/zero >&2"),
                                 LONG_MS, NULL, &out, &e),
                     0);
    assert_int_equal(out.len, 3000000);
}

static void too_much_output_kills_the_child(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(100000);
    assert_int_equal(process_run(SH("yes"), LONG_MS, NULL, &out, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_string_equal(e.msg, "sh: larger than 100000 bytes");

    AUTO_BUF struct buf little = buf_init(3);
    assert_int_equal(process_run(SH("echo four"), LONG_MS, NULL, &little, &e),
                     -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
}

static void a_missing_program_is_not_found(void **state)
{
    (void)state;
    struct err e = { 0 };
    pid_t pid = 0;
    const char *const argv[] = { "objvault-no-such-program", "x", NULL };
    assert_int_equal(process_run(argv, LONG_MS, NULL, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(e.sys, ENOENT);
    assert_memory_equal(e.msg, "objvault-no-such-program: start the program",
                        43);
    assert_int_equal(process_start(argv, -1, &pid, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void a_file_that_is_no_program_is_denied(void **state)
{
    (void)state;
    struct err e = { 0 };
    const char *const argv[] = { "/dev/null", NULL };
    assert_int_equal(process_run(argv, LONG_MS, NULL, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
}

static void a_failure_shows_status_and_stderr(void **state)
{
    (void)state;
    struct err e = { 0 };
    assert_int_equal(
        process_run(SH("echo first >&2; printf '\\033[1mlast\\n\\n' >&2;"
                       "exit 3"),
                    LONG_MS, NULL, NULL, &e),
        -1);
    assert_int_equal(e.kind, ERR_FAILED);
    assert_string_equal(e.msg, "sh: exit status 3: first ?[1mlast");
    assert_int_equal(process_run(SH("exit 4"), LONG_MS, NULL, NULL, &e), -1);
    assert_string_equal(e.msg, "sh: exit status 4");
    assert_int_equal(process_run(SH("kill -KILL $$"), LONG_MS, NULL, NULL, &e),
                     -1);
    assert_int_equal(e.kind, ERR_FAILED);
    assert_string_equal(e.msg, "sh: ended by signal 9");
}

static void a_failed_program_with_a_secret_shows_its_status_only(void **state)
{
    AUTO_SECRET_BUF struct buf out = secret_buf(100);
    struct err e = { 0 };

    (void)state;
    assert_int_equal(
        process_run_secret(SH("echo hunter2; echo hunter2 >&2; exit 3"),
                           LONG_MS, NULL, &out, &e),
        -1);
    assert_string_equal(e.msg, "sh: exit status 3");
    buf_reset(&out);
    assert_int_equal(process_run_secret(SH("head -c 300000 /dev/zero >&2;"
                                           "echo hunter2"),
                                        LONG_MS, NULL, &out, &e),
                     0);
    assert_true(span_eq(buf_span(&out), span_str("hunter2\n")));
}

static void only_the_end_of_a_long_stderr_is_shown(void **state)
{
    (void)state;
    struct err e = { 0 };
    /* 451 bytes: the tail begins within a character. */
    assert_int_equal(process_run(SH("i=0; while [ $i -lt 149 ]; do "
                                    "printf '\\342\\202\\254' >&2; "
                                    "i=$((i+1)); done; "
                                    "printf 'end!' >&2; exit 1"),
                                 LONG_MS, NULL, NULL, &e),
                     -1);
    assert_memory_equal(e.msg, "sh: exit status 1: \xe2\x82\xac", 22);
    size_t n = strlen(e.msg);
    assert_true(n > 250 && n < 350);
    assert_string_equal(e.msg + n - 7, "\xe2\x82\xac"
                                       "end!");

    assert_int_equal(
        process_run(SH("printf '\\342\\202' >&2; head -c 5000 /dev/zero | "
                       "tr '\\0' x >&2; exit 1"),
                    LONG_MS, NULL, NULL, &e),
        -1);
    assert_int_equal(strspn(e.msg + 19, "x"), 300);
}

static void a_timeout_kills_the_whole_group(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    int64_t before = utc_mono_ms();
    assert_int_equal(
        process_run(SH("sleep 600 & echo $!; wait"), 300, NULL, &out, &e), -1);
    int64_t took = utc_mono_ms() - before;
    assert_int_equal(e.kind, ERR_TIMEOUT);
    assert_string_equal(e.msg, "sh: killed, it took too long");
    assert_true(took >= 300 && took < 20000);
    pid_t pid = (pid_t)strtol(buf_cstr(&out), NULL, 10);
    assert_true(pid > 1);
    assert_true(gone(pid));
}

static void a_child_that_closed_its_output_still_times_out(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    assert_int_equal(
        process_run(SH("exec >&- 2>&-; exec sleep 600"), 200, NULL, &out, &e),
        -1);
    assert_int_equal(e.kind, ERR_TIMEOUT);
}

static void *request_later(void *ctx)
{
    sleep_ms(200);
    cancel_request(ctx);
    return NULL;
}

static void a_request_at_the_parent_token_kills_the_child(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct cancel top;
    struct cancel group;
    pthread_t thread;
    assert_int_equal(cancel_init(&top, NULL, &e), 0);
    assert_int_equal(cancel_init(&group, &top, &e), 0);
    assert_int_equal(pthread_create(&thread, NULL, request_later, &top), 0);
    int64_t before = utc_mono_ms();
    assert_int_equal(process_run(SH("sleep 600"), -1, &group, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_true(utc_mono_ms() - before < 20000);
    pthread_join(thread, NULL);

    /* Requested before: nothing is started. */
    char path[] = "/tmp/objvault-test-XXXXXX";
    AUTO_FD int fd = mkstemp(path);
    assert_true(fd >= 0);
    const char *const argv[] = { "rm", path, NULL };
    assert_int_equal(process_run(argv, -1, &group, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_int_equal(unlink(path), 0);
    cancel_fini(&group);
    cancel_fini(&top);
}

static void a_descendant_with_our_pipe_is_not_waited_for(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    int64_t before = utc_mono_ms();
    assert_int_equal(
        process_run(SH("sleep 600 & echo $!"), LONG_MS, NULL, &out, &e), 0);
    assert_true(utc_mono_ms() - before < 20000);
    pid_t pid = (pid_t)strtol(buf_cstr(&out), NULL, 10);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
}

static void a_child_has_only_three_descriptors(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(1000);
    int leaky = dup(STDERR_FILENO); /* not close-on-exec */
    assert_true(leaky > 2);
    /* The shell expands the pattern in the child itself. */
    assert_int_equal(process_run(SH("for f in /proc/self/fd/*; do "
                                    "[ -e $f ] && printf '%s ' ${f##*/}; done;"
                                    "readlink /proc/self/fd/0"),
                                 LONG_MS, NULL, &out, &e),
                     0);
    close(leaky);
    assert_string_equal(buf_cstr(&out), "0 1 2 /dev/null\n");
}

static void a_child_has_default_signals(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(1000);
    sigset_t all;
    sigset_t old;
    sigfillset(&all);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &all, &old), 0);
    void (*pipe_was)(int) = signal(SIGPIPE, SIG_IGN);
    const char *const argv[] = { "grep", "-E", "Sig(Blk|Ign)",
                                 "/proc/self/status", NULL };
    int r = process_run(argv, LONG_MS, NULL, &out, &e);
    signal(SIGPIPE, pipe_was);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    assert_int_equal(r, 0);
    assert_string_equal(buf_cstr(&out), "SigBlk:\t0000000000000000\n"
                                        "SigIgn:\t0000000000000000\n");
}

static void it_works_with_closed_standard_descriptors(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    int in = dup(STDIN_FILENO);
    assert_true(in > 2);
    close(STDIN_FILENO);
    int r = process_run(SH("cat; echo ok; echo no >&2; exit 1"), LONG_MS, NULL,
                        &out, &e);
    dup2(in, STDIN_FILENO);
    close(in);
    assert_int_equal(r, -1);
    assert_string_equal(buf_cstr(&out), "ok\n");
    assert_string_equal(e.msg, "sh: exit status 1: no");
}

static void *run_many(void *ctx)
{
    int *bad = ctx;
    for (int i = 0; i < 20; i++) {
        struct err e = { 0 };
        AUTO_BUF struct buf out = buf_init(100);
        if (process_run(SH("echo hello"), LONG_MS, NULL, &out, &e) < 0 ||
            strcmp(buf_cstr(&out), "hello\n") != 0)
            (*bad)++;
    }
    return NULL;
}

static void threads_run_children_side_by_side(void **state)
{
    (void)state;
    pthread_t threads[4];
    int bad[4] = { 0 };
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, &bad[i]),
                         0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(bad[i], 0);
    }
}

static void a_background_child_is_stopped(void **state)
{
    (void)state;
    struct err e = { 0 };
    int status = -1;
    pid_t pid = 0;
    assert_int_equal(process_start(SH("exec sleep 600"), -1, &pid, &e), 0);
    assert_true(pid > 0);
    assert_int_equal(process_ended(pid, &status), 0);
    process_stop(pid, LONG_MS);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(process_ended(pid, &status), 1);
    assert_int_equal(WEXITSTATUS(status), 127);
    process_stop(pid, LONG_MS);
    process_stop(0, LONG_MS);
    process_stop(-1, LONG_MS);
}

static void a_child_that_ignores_term_is_killed(void **state)
{
    (void)state;
    struct err e = { 0 };
    pid_t pid = 0;
    int fds[2];
    char ready = '\0';
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(
        process_start(SH("trap '' TERM; printf r >&2; while :; do sleep 1; "
                         "done"),
                      fds[1], &pid, &e),
        0);
    close(fds[1]);
    assert_int_equal(read(fds[0], &ready, 1), 1);
    assert_int_equal(ready, 'r');
    int64_t before = utc_mono_ms();
    process_stop(pid, 300);
    int64_t took = utc_mono_ms() - before;
    assert_true(took >= 300 && took < 20000);
    /* The end of the pipe: no one of the group holds it any more. */
    assert_int_equal(read(fds[0], &ready, 1), 0);
    close(fds[0]);
}

static void an_ended_child_tells_its_status(void **state)
{
    (void)state;
    struct err e = { 0 };
    pid_t pid = 0;
    int status = -1;
    assert_int_equal(process_start(SH("exit 5"), -1, &pid, &e), 0);
    for (int i = 0; i < 2000 && process_ended(pid, &status) == 0; i++)
        sleep_ms(5);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 5);

    assert_int_equal(process_start(SH("exit 6"), -1, &pid, &e), 0);
    process_stop(pid, LONG_MS);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
}

#define FEW 40

/* Opens descriptors until there are no more; how many. */
static int use_up_descriptors(int fds[FEW])
{
    int n = 0;
    while (n < FEW && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    return n;
}

static void a_lack_of_descriptors_is_an_error(void **state)
{
    (void)state;
    struct rlimit old;
    int fds[FEW];
    int failures = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    struct rlimit low = { .rlim_cur = FEW, .rlim_max = old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int used = use_up_descriptors(fds);
    int left = used;
    while (left > 0) {
        struct err e = { 0 };
        AUTO_BUF struct buf out = buf_init(100);
        if (process_run(SH("echo x"), LONG_MS, NULL, &out, &e) == 0)
            break;
        failures++;
        assert_int_equal(e.kind, ERR_IO);
        assert_int_equal(e.sys, EMFILE);
        close(fds[--left]);
    }
    assert_in_range(failures, 4, 8);
    while (left > 0)
        close(fds[--left]);
    /* Nothing leaked: as many can be opened as before. */
    int again = use_up_descriptors(fds);
    for (int i = 0; i < again; i++)
        close(fds[i]);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_int_equal(again, used);
}

static void a_bad_descriptor_for_stderr_is_an_error(void **state)
{
    (void)state;
    struct err e = { 0 };
    pid_t pid = 0;
    assert_int_equal(process_start(SH("exit 0"), 9999, &pid, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
    assert_int_equal(e.sys, EBADF);
}

/* Runs in a process of its own, which dies with a child still running. */
static void die_with_child(int report)
{
    struct err e = { 0 };
    pid_t pid = 0;
    if (process_start(SH("exec sleep 600"), -1, &pid, &e) < 0 ||
        write(report, &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
        _exit(1);
    kill(getpid(), SIGKILL);
}

static void a_child_dies_with_its_parent(void **state)
{
    (void)state;
    int fds[2];
    pid_t child = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t parent = fork();
    assert_true(parent >= 0);
    if (parent == 0)
        die_with_child(fds[1]);
    assert_int_equal(read(fds[0], &child, sizeof(child)), sizeof(child));
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_true(gone(child));
}

static void a_program_reads_its_input(void **state)
{
    enum { BYTES = 3 << 20 }; /* more than a pipe holds */
    struct err e = { 0 };
    AUTO_MEM uint8_t *input = malloc(BYTES);

    (void)state;
    assert_non_null(input);
    memset(input, 'x', BYTES);
    assert_int_equal(process_run_input(SH("test $(wc -c) -eq 3145728"),
                                       span_of(input, BYTES), LONG_MS, NULL,
                                       &e),
                     0);
    /* Whether it does is its own matter. */
    assert_int_equal(process_run_input(SH("exit 0"), span_of(input, BYTES),
                                       LONG_MS, NULL, &e),
                     0);
    assert_int_equal(process_run_input(SH("test $(wc -c) -eq 0"),
                                       span_of(input, 0), LONG_MS, NULL, &e),
                     0);
    assert_int_equal(process_run_input(SH("cat >&2; exit 3"), span_str("why"),
                                       LONG_MS, NULL, &e),
                     -1);
    assert_non_null(strstr(e.msg, "exit status 3: why"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_reads_its_input),
        cmocka_unit_test(stdout_is_appended),
        cmocka_unit_test(output_may_be_dropped),
        cmocka_unit_test(much_output_arrives_whole),
        cmocka_unit_test(too_much_output_kills_the_child),
        cmocka_unit_test(a_missing_program_is_not_found),
        cmocka_unit_test(a_file_that_is_no_program_is_denied),
        cmocka_unit_test(a_failure_shows_status_and_stderr),
        cmocka_unit_test(a_failed_program_with_a_secret_shows_its_status_only),
        cmocka_unit_test(only_the_end_of_a_long_stderr_is_shown),
        cmocka_unit_test(a_timeout_kills_the_whole_group),
        cmocka_unit_test(a_child_that_closed_its_output_still_times_out),
        cmocka_unit_test(a_request_at_the_parent_token_kills_the_child),
        cmocka_unit_test(a_descendant_with_our_pipe_is_not_waited_for),
        cmocka_unit_test(a_child_has_only_three_descriptors),
        cmocka_unit_test(a_child_has_default_signals),
        cmocka_unit_test(it_works_with_closed_standard_descriptors),
        cmocka_unit_test(threads_run_children_side_by_side),
        cmocka_unit_test(a_background_child_is_stopped),
        cmocka_unit_test(a_child_that_ignores_term_is_killed),
        cmocka_unit_test(an_ended_child_tells_its_status),
        cmocka_unit_test(a_lack_of_descriptors_is_an_error),
        cmocka_unit_test(a_bad_descriptor_for_stderr_is_an_error),
        cmocka_unit_test(a_child_dies_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

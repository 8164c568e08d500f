// SPDX-License-Identifier: Apache-2.0
/* Reads and writes of any split, folders, paths, zeros. */
#include <pthread.h>

#include "tests/unit/base/io_faults.h"

static void reading_keeps_to_the_maximum(void **state)
{
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(10);

    (void)state;
    write_text("a", "0123456789");
    assert_int_equal(io_read_file(in_root("a"), &b, &e), 0);
    assert_string_equal(buf_cstr(&b), "0123456789");
    buf_reset(&b);
    write_text("a", "0123456789x");
    assert_int_equal(io_read_file(in_root("a"), &b, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_non_null(strstr(e.msg, path));
    assert_non_null(strstr(e.msg, "larger than 10 bytes"));
}

static void reading_appends(void **state)
{
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(100);

    (void)state;
    write_text("a", "two");
    buf_append_str(&b, "one ");
    fault.most = 2;
    fault.interrupts = 2;
    assert_int_equal(io_read_file(in_root("a"), &b, &e), 0);
    assert_string_equal(buf_cstr(&b), "one two");
    buf_append(&b, (uint8_t[100]){ 0 }, 100);
    assert_int_equal(io_read_file(in_root("a"), &b, &e), -1);
}

static void reading_what_is_no_file_fails(void **state)
{
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(100);

    (void)state;
    assert_int_equal(io_read_file(in_root("no"), &b, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, path));
    assert_int_equal(io_read_file(root, &b, &e), -1);
    assert_int_equal(e.sys, EISDIR);
}

static void pipes_can_be_read(void **state)
{
    int fds[2];
    char name[40];
    struct err e = { 0 };
    AUTO_BUF struct buf b = buf_init(100);

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(io_write_full(fds[1], "secret", 6, "pipe", &e), 0);
    close(fds[1]);
    snprintf(name, sizeof(name), "/dev/fd/%d", fds[0]);
    int r = io_read_file(name, &b, &e);
    close(fds[0]);
    assert_int_equal(r, 0);
    assert_string_equal(buf_cstr(&b), "secret");
}

static void positioned_transfers_survive_splits_and_interrupts(void **state)
{
    uint8_t out[1000];
    uint8_t in[1000];
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 7);
    AUTO_FD int fd = open(in_root("a"), O_RDWR | O_CREAT, 0600);
    fault.most = 33;
    fault.interrupts = 3;
    assert_int_equal(io_pwrite_full(fd, out, sizeof(out), 5, path, &e), 0);
    fault.interrupts = 3;
    assert_int_equal(io_pread_full(fd, in, sizeof(in), 5, path, &e), 0);
    assert_memory_equal(in, out, sizeof(out));
    assert_int_equal(io_pread_full(fd, in, 5, 0, path, &e), 0);
    assert_true(io_all_zero(in, 5));
    assert_int_equal(io_pread_full(fd, in, 0, 5000, path, &e), 0);
}

static void a_file_that_ends_early_is_an_error(void **state)
{
    uint8_t in[100];
    struct err e = { 0 };

    (void)state;
    write_text("a", "0123456789");
    AUTO_FD int fd = open(path, O_RDWR);
    assert_int_equal(io_pread_full(fd, in, 10, 0, path, &e), 0);
    assert_int_equal(io_pread_full(fd, in, 11, 0, path, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
    assert_non_null(strstr(e.msg, "ends at byte 10, 1 bytes early"));
    assert_int_equal(io_pread_full(fd, in, 1, 10, path, &e), -1);
    fault.write_nothing = true;
    assert_int_equal(io_pwrite_full(fd, in, 1, 10, path, &e), -1);
    assert_int_equal(e.kind, ERR_FULL);
}

static void failing_transfers_name_path_and_errno(void **state)
{
    uint8_t in[10] = { 0 };
    struct err e = { 0 };

    (void)state;
    AUTO_FD int fd = open(in_root("a"), O_RDWR | O_CREAT, 0600);
    fault.fail_io = EIO;
    assert_int_equal(io_pread_full(fd, in, 10, 0, path, &e), -1);
    assert_int_equal(e.sys, EIO);
    assert_non_null(strstr(e.msg, path));
    assert_int_equal(io_write_full(fd, in, 10, path, &e), -1);
    assert_int_equal(e.sys, EIO);
    fault.fail_io = ENOSPC;
    assert_int_equal(io_pwrite_full(fd, in, 10, 0, path, &e), -1);
    assert_int_equal(e.kind, ERR_FULL);
    assert_non_null(strstr(e.msg, path));
}

static void offsets_past_what_files_have_are_refused(void **state)
{
    uint8_t in[10] = { 0 };
    struct err e = { 0 };

    (void)state;
    AUTO_FD int fd = open(in_root("a"), O_RDWR | O_CREAT, 0600);
    assert_int_equal(io_pread_full(fd, in, 10, UINT64_MAX, path, &e), -1);
    assert_int_equal(e.sys, EFBIG);
    assert_int_equal(io_pwrite_full(fd, in, 10, INT64_MAX - 5, path, &e), -1);
    assert_int_equal(e.sys, EFBIG);
}

static void *drain(void *arg)
{
    int *fd = arg;
    uint8_t in[4096];
    size_t total = 0;
    ssize_t n;

    usleep(20000);
    while ((n = __real_read(*fd, in, sizeof(in))) > 0)
        total += (size_t)n;
    return (void *)(uintptr_t)total;
}

static void a_non_blocking_pipe_is_waited_for(void **state)
{
    const size_t len = 1 << 20; /* more than a pipe holds */
    int fds[2];
    pthread_t thread;
    void *total = NULL;
    struct err e = { 0 };
    AUTO_MEM uint8_t *bytes = calloc(1, len);

    (void)state;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, drain, &fds[0]), 0);
    fault.interrupts = 2;
    int r = io_write_full(fds[1], bytes, len, "pipe", &e);
    close(fds[1]);
    pthread_join(thread, &total);
    close(fds[0]);
    assert_int_equal(r, 0);
    assert_int_equal((uintptr_t)total, len);
}

static void a_pipe_that_cannot_be_waited_for_is_an_error(void **state)
{
    struct err e = { 0 };
    int fds[2];
    static uint8_t bytes[1 << 20];

    (void)state;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    fault.fail_poll = ENOMEM;
    int r = io_write_full(fds[1], bytes, sizeof(bytes), "pipe", &e);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(r, -1);
    assert_int_equal(e.sys, ENOMEM);
}

static void folders_are_made_with_their_parents(void **state)
{
    struct err e = { 0 };
    struct stat st;

    (void)state;
    assert_int_equal(io_mkdirs(in_root("a/b//c/"), 0750, &e), 0);
    assert_int_equal(stat(in_root("a/b"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_int_equal(stat(in_root("a/b/c"), &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(io_mkdirs(in_root("a/b/c"), 0750, &e), 0);
    assert_int_equal(io_mkdirs(in_root("a/b/d"), 0750, &e), 0);
    assert_int_equal(io_mkdirs("/", 0750, &e), 0);
    assert_int_equal(io_mkdirs_for(in_root("x/y/file"), 0750, &e), 0);
    assert_int_equal(stat(in_root("x/y"), &st), 0);
    assert_int_equal(stat(in_root("x/y/file"), &st), -1);
    assert_int_equal(io_mkdirs_for("/file", 0750, &e), 0);
}

static void a_link_to_a_folder_counts_as_one(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(symlink(root, in_root("l")), 0);
    assert_int_equal(io_mkdirs(in_root("l/n"), 0700, &e), 0);
    assert_int_equal(access(in_root("n"), F_OK), 0);
}

static void a_file_in_the_way_of_a_folder_is_named(void **state)
{
    struct err e = { 0 };

    (void)state;
    write_text("f", "");
    assert_int_equal(io_mkdirs(in_root("f"), 0700, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_non_null(strstr(e.msg, path));
    assert_int_equal(io_mkdirs(in_root("f/g"), 0700, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_int_equal(io_mkdirs("", 0700, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(io_mkdirs("/proc/no/folder", 0700, &e), -1);
}

static void joined_paths_have_one_slash(void **state)
{
    static const struct {
        const char *a, *b, *joined;
    } all[] = {
        { "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "/", "b", "/b" },
        { "", "b", "b" },    { "a", "", "a/" },
    };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        AUTO_MEM char *s = io_join(all[i].a, all[i].b, &e);
        assert_string_equal(s, all[i].joined);
    }
    AUTO_MEM char *s = io_format(&e, "%s-%03d", "x", 7);
    assert_string_equal(s, "x-007");
}

static void one_bit_anywhere_is_not_all_zero(void **state)
{
    static uint8_t p[5000];

    (void)state;
    assert_true(io_all_zero(NULL, 0));
    for (size_t len = 1; len < sizeof(p); len += 1 + len / 3) {
        assert_true(io_all_zero(p, len));
        for (size_t at = 0; at < len; at++) {
            p[at] = 0x80;
            assert_false(io_all_zero(p, len));
            p[at] = 0;
        }
        p[len] = 1; /* behind the end: not looked at */
        assert_true(io_all_zero(p, len));
        p[len] = 0;
    }
    memset(p, 7, sizeof(p)); /* all equal, but not zero */
    assert_false(io_all_zero(p, sizeof(p)));
    memset(p, 0, sizeof(p));
    assert_true(io_all_zero(p + 3, sizeof(p) - 3)); /* unaligned */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(reading_keeps_to_the_maximum),
        FILE_TEST(reading_appends),
        FILE_TEST(reading_what_is_no_file_fails),
        FILE_TEST(pipes_can_be_read),
        FILE_TEST(positioned_transfers_survive_splits_and_interrupts),
        FILE_TEST(a_file_that_ends_early_is_an_error),
        FILE_TEST(failing_transfers_name_path_and_errno),
        FILE_TEST(offsets_past_what_files_have_are_refused),
        FILE_TEST(a_non_blocking_pipe_is_waited_for),
        FILE_TEST(a_pipe_that_cannot_be_waited_for_is_an_error),
        FILE_TEST(folders_are_made_with_their_parents),
        FILE_TEST(a_link_to_a_folder_counts_as_one),
        FILE_TEST(a_file_in_the_way_of_a_folder_is_named),
        cmocka_unit_test(joined_paths_have_one_slash),
        cmocka_unit_test(one_bit_anywhere_is_not_all_zero),
    };
    umask(022);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

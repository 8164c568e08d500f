// SPDX-License-Identifier: Apache-2.0
/* Files that are replaced whole, and what is left when that fails. */
#include "tests/unit/base/io_faults.h"

static void written_files_are_read_back(void **state)
{
    struct stat st;

    (void)state;
    write_text("a", "hello");
    assert_content("a", "hello");
    assert_int_equal(stat(in_root("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    write_text("a", "");
    assert_content("a", "");
    assert_int_equal(files_in_root(), 1);
}

static void the_mode_is_that_of_the_new_file(void **state)
{
    struct err e = { 0 };
    struct stat st;

    (void)state;
    write_text("a", "open");
    assert_int_equal(
        io_write_file(in_root("a"), span_str("shut"), 0600, false, &e), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void fresh_refuses_an_existing_file(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(
        io_write_file(in_root("a"), span_str("one"), 0644, true, &e), 0);
    assert_int_equal(
        io_write_file(in_root("a"), span_str("two"), 0644, true, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_content("a", "one");
    assert_int_equal(files_in_root(), 1);
}

static void fresh_works_without_renameat2(void **state)
{
    struct err e = { 0 };

    (void)state;
    fault.fail_rename = EINVAL;
    assert_int_equal(
        io_write_file(in_root("a"), span_str("one"), 0644, true, &e), 0);
    assert_content("a", "one");
    assert_int_equal(files_in_root(), 1);
    fault.fail_rename = ENOSYS;
    assert_int_equal(
        io_write_file(in_root("a"), span_str("two"), 0644, true, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_content("a", "one");
    assert_int_equal(files_in_root(), 1);
    fault.fail_link = EPERM;
    assert_int_equal(
        io_write_file(in_root("b"), span_str("two"), 0644, true, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_int_equal(files_in_root(), 1);
}

static void names_as_long_as_they_get_can_be_written(void **state)
{
    char name[256];
    struct err e = { 0 };

    (void)state;
    memset(name, 'n', 255);
    name[255] = '\0';
    AUTO_MEM char *at = io_join(root, name, &e);
    assert_int_equal(io_write_file(at, span_str("x"), 0600, false, &e), 0);
    assert_int_equal(files_in_root(), 1);
}

static void a_file_in_the_current_folder_needs_no_slash(void **state)
{
    struct err e = { 0 };
    AUTO_MEM char *before = getcwd(NULL, 0);

    (void)state;
    assert_int_equal(chdir(root), 0);
    int r = io_write_file("a", span_str("x"), 0600, false, &e);
    int m = io_mkdirs_for("b", 0700, &e);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(r, 0);
    assert_int_equal(m, 0);
    assert_content("a", "x");
}

/* After each failure the old content is there, and nothing else is. */
static void assert_replace_fails(enum err_kind kind)
{
    struct err e = { 0 };

    assert_int_equal(
        io_write_file(in_root("a"), span_str("new"), 0644, false, &e), -1);
    assert_int_equal(e.kind, kind);
    assert_non_null(strstr(e.msg, path));
    memset(&fault, 0, sizeof(fault));
    assert_content("a", "old");
    assert_int_equal(files_in_root(), 1);
}

static void a_failed_replacement_leaves_the_old_file(void **state)
{
    (void)state;
    write_text("a", "old");
    fault.fail_io = ENOSPC;
    assert_replace_fails(ERR_FULL);
    fault.fail_fsync = EIO;
    assert_replace_fails(ERR_IO);
    fault.fail_close = EDQUOT;
    assert_replace_fails(ERR_FULL);
}

static void writing_over_a_folder_fails(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(mkdir(in_root("d"), 0700), 0);
    assert_int_equal(io_write_file(path, span_str("x"), 0600, false, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
    assert_int_equal(e.sys, EISDIR);
    assert_int_equal(files_in_root(), 1);
}

static void writing_into_a_missing_folder_is_not_found(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(
        io_write_file(in_root("no/a"), span_str("x"), 0600, false, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, path));
}

static void folder_fsync_errors_are_reported(void **state)
{
    struct err e = { 0 };

    (void)state;
    fault.fail_fsync_dir = EIO;
    assert_int_equal(
        io_write_file(in_root("a"), span_str("x"), 0600, false, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
    assert_int_equal(io_mkdirs(in_root("d"), 0700, &e), -1);
    fault.fail_fsync_dir = EINVAL; /* "cannot do that here" is fine */
    assert_int_equal(
        io_write_file(in_root("a"), span_str("x"), 0600, false, &e), 0);
    assert_int_equal(io_fsync_dir(in_root("no"), &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(io_fsync_dir(in_root("a"), &e), -1);
    assert_int_equal(e.sys, ENOTDIR);
}

/* Each allocation of a call fails once; nothing is left behind. */
static void lack_of_memory_is_reported_wherever_it_strikes(void **state)
{
    int fails[4] = { 0 };
    struct err e = { 0 };

    (void)state;
    for (int nth = 1; nth < 10; nth++) {
        fault.fail_nth_alloc = 0;
        AUTO_MEM char *a = io_join(root, "a", &e);
        AUTO_MEM char *d = io_join(root, "d/e/f", &e);
        fault.fail_nth_alloc = nth;
        if (io_write_file(a, span_str("x"), 0600, true, &e) < 0) {
            assert_int_equal(e.kind, ERR_NOMEM);
            assert_int_equal(access(a, F_OK), -1);
            fails[0]++;
        }
        unlink(a);
        fault.fail_nth_alloc = nth;
        if (io_mkdirs(d, 0700, &e) < 0) {
            assert_int_equal(e.kind, ERR_NOMEM);
            fails[1]++;
        }
        fault.fail_nth_alloc = nth;
        if (io_mkdirs_for(d, 0700, &e) < 0) {
            assert_int_equal(e.kind, ERR_NOMEM);
            fails[2]++;
        }
        fault.fail_nth_alloc = nth;
        AUTO_MEM char *j = io_join("a", "b", &e);
        fails[3] += j == NULL;
    }
    fault.fail_nth_alloc = 0;
    assert_int_equal(fails[0], 2); /* folder, temporary name */
    assert_true(fails[1] >= 2);
    assert_true(fails[2] >= 1);
    assert_int_equal(fails[3], 1);
    assert_int_equal(files_in_root(), 1); /* d */
}

static void without_random_bytes_nothing_is_written(void **state)
{
    struct err e = { 0 };

    (void)state;
    fault.no_random = true;
    assert_int_equal(
        io_write_file(in_root("a"), span_str("x"), 0600, false, &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_int_equal(files_in_root(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(written_files_are_read_back),
        FILE_TEST(the_mode_is_that_of_the_new_file),
        FILE_TEST(fresh_refuses_an_existing_file),
        FILE_TEST(fresh_works_without_renameat2),
        FILE_TEST(names_as_long_as_they_get_can_be_written),
        FILE_TEST(a_file_in_the_current_folder_needs_no_slash),
        FILE_TEST(a_failed_replacement_leaves_the_old_file),
        FILE_TEST(writing_over_a_folder_fails),
        FILE_TEST(writing_into_a_missing_folder_is_not_found),
        FILE_TEST(folder_fsync_errors_are_reported),
        FILE_TEST(lack_of_memory_is_reported_wherever_it_strikes),
        FILE_TEST(without_random_bytes_nothing_is_written),
    };
    umask(022);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

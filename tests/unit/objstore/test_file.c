// SPDX-License-Identifier: Apache-2.0
/* The file driver: what is so because it is a directory.  What every driver
 * must do is in tests/conformance. */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/utc.h"

static void a_folder_is_no_object_but_takes_the_name(void **state)
{
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "d/k", "first");
    assert_int_equal(put(s, "d", "x", true, &e), -1);
    assert_int_equal(e.kind, ERR_FAILED);
    assert_int_equal(put(s, "d", "x", false, &e), -1);
    assert_int_equal(e.kind, ERR_FAILED);
    assert_int_equal(put(s, "d/k/below", "x", false, &e), -1);
    assert_int_equal(e.kind, ERR_FAILED);
}

static void keys_that_storages_disagree_about_are_refused(void **state)
{
    static const char *const bad[] = { "",    "/a",   "a/",   "a//b",
                                       ".",   "..",   "a/.",  "a/../b",
                                       "./a", "a\nb", "\x7f", "../../x" };
    struct err e = { 0 };
    char long_key[OBJ_KEY_MAX + 2];

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(put(s, bad[i], "x", false, &e), -1);
        assert_int_equal(e.kind, ERR_USAGE);
    }
    memset(long_key, 'a', sizeof long_key);
    long_key[256] = '\0';
    assert_int_equal(put(s, long_key, "x", false, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    for (size_t i = 0; i <= OBJ_KEY_MAX; i++)
        long_key[i] = i % 2 ? '/' : 'b';
    long_key[OBJ_KEY_MAX] = 'b';
    long_key[OBJ_KEY_MAX - 1] = 'b';
    long_key[OBJ_KEY_MAX + 1] = '\0';
    assert_int_equal(put(s, long_key, "x", false, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(put(s, ".tmp/x", "x", false, &e), -1);
    assert_int_equal(e.kind, ERR_FAILED);
    assert_int_equal(get_kind(s, ".tmp/x"), ERR_FAILED);
    struct obj_name name = { .key = ".tmp/x" };
    struct obj_req r = { .key = "" };
    assert_int_equal(obj_delete_many(s, &r, &name, 1, false, &e), 0);
    assert_int_equal(name.result, ERR_USAGE);
}

static void the_directory_is_made_on_request_and_missed_before(void **state)
{
    struct obj_req r = { .key = "" };
    struct obj_bucket b;
    struct err e = { 0 };
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/not//yet/", root);
    struct obj_config c = { .driver = OBJ_DRIVER_FILE, .path = path };
    AUTO_OBJ_STORE struct obj_store *s = obj_store_open(&c, &e);
    assert_non_null(s);
    assert_int_equal(obj_bucket_info(s, &r, &b, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(put(s, "k", "x", false, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    struct list l = { 0 };
    assert_int_equal(obj_list(s, &r, NULL, collect, &l, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, path));
    assert_int_equal(obj_bucket_create(s, &r, false, &e), 0);
    assert_int_equal(obj_bucket_info(s, &r, &b, &e), 0);
    must_put(s, "k", "x");
    assert_holds(s, "k", "x");
}

static void a_directory_that_cannot_be_made_is_an_error(void **state)
{
    struct obj_req r = { .key = "" };
    struct obj_bucket b;
    struct err e = { 0 };
    char path[128];

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "file", "x");
    snprintf(path, sizeof path, "%s/file/below", root);
    struct obj_config c = { .driver = OBJ_DRIVER_FILE, .path = path };
    AUTO_OBJ_STORE struct obj_store *t = obj_store_open(&c, &e);
    assert_non_null(t);
    assert_int_equal(obj_bucket_create(t, &r, false, &e), -1);
    assert_int_equal(obj_bucket_info(t, &r, &b, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    c.path = "relative";
    assert_null(obj_store_open(&c, &e));
    assert_int_equal(e.kind, ERR_CONFIG);
    c.path = NULL;
    assert_null(obj_store_open(&c, &e));
}

static bool tmp_has(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/.tmp/%s", root, name);
    return access(path, F_OK) == 0;
}

static void stale_files_of_dead_writers_are_cleaned_when_opening(void **state)
{
    static const char *const names[] = { "objvault-old.part",
                                         "objvault-new.part", "foreign" };
    struct timespec old[2] = { { .tv_sec = utc_real_now() - 25 * 3600 },
                               { .tv_sec = utc_real_now() - 25 * 3600 } };
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/.tmp", root);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/.tmp/%s", root, names[i]);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        if (i != 1)
            assert_int_equal(futimens(fd, old), 0);
        close(fd);
    }
    obj_store_close(open_store());
    assert_false(tmp_has(names[0]));
    assert_true(tmp_has(names[1]));
    assert_true(tmp_has(names[2]));
}

static void a_folder_removed_behind_our_back_is_made_again(void **state)
{
    char path[128];

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "d/e/k", "x");
    snprintf(path, sizeof path, "%s/d/e/k", root);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/d/e", root);
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof path, "%s/d", root);
    assert_int_equal(rmdir(path), 0);
    must_put(s, "d/e/k", "y");
    assert_holds(s, "d/e/k", "y");
}

/* Skipped where this process may not mount. */
static void a_full_disk_is_said_to_be_full(void **state)
{
    const size_t len = (size_t)3 << 20;
    AUTO_MEM uint8_t *body = calloc(1, len);
    struct err e = { 0 };
    struct obj_put_opts o = { .if_absent = true };
    char path[128];

    (void)state;
    assert_non_null(body);
    snprintf(path, sizeof path, "%s/small", root);
    assert_int_equal(mkdir(path, 0700), 0);
    if (mount("none", path, "tmpfs", 0, "size=2m") < 0)
        skip();
    struct obj_config c = { .driver = OBJ_DRIVER_FILE, .path = path };
    struct obj_req r = { .key = "k" };
    struct list l = { 0 };
    struct obj_store *s = obj_store_open(&c, &e);
    int plain = obj_put(s, &r, span_of(body, len), NULL, NULL, &e);
    enum err_kind plain_kind = e.kind;
    int fresh = obj_put(s, &r, span_of(body, len), &o, NULL, &e);
    enum err_kind fresh_kind = e.kind;
    list_all(s, &l);
    int small = put(s, "small", "x", false, &e); /* its room was given back */
    obj_store_close(s);
    umount(path);
    assert_int_equal(plain, -1);
    assert_int_equal(plain_kind, ERR_FULL);
    assert_int_equal(fresh, -1);
    assert_int_equal(fresh_kind, ERR_FULL);
    assert_int_equal(l.n, 0);
    assert_int_equal(small, 0);
    list_free(&l);
}

/* In a child without root's power to read everything.  0: as it should be. */
static int look_as_nobody(void)
{
    struct obj_req r = { .key = "" };
    struct list l = { 0 };
    struct err e = { 0 };

    if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
        return 1;
    struct obj_store *s = open_store();
    if (obj_list(s, &r, NULL, collect, &l, &e) == 0 || e.kind != ERR_DENIED)
        return 2;
    if (put(s, "d/x", "x", false, &e) == 0 || e.kind != ERR_DENIED)
        return 3;
    if (get_kind(s, "d/k") != ERR_DENIED)
        return 4;
    r.key = "d/k";
    if (obj_delete(s, &r, false, &e) == 0 || e.kind != ERR_DENIED)
        return 5;
    list_free(&l);
    obj_store_close(s);
    return 0;
}

static void an_unreadable_directory_is_not_an_empty_one(void **state)
{
    char path[128];
    int status = 0;

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "d/k", "x");
    snprintf(path, sizeof path, "%s/d", root);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(root, 0755), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(look_as_nobody());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(chmod(path, 0700), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void every_errno_has_its_outcome(void **state)
{
    static const struct {
        int sys;
        enum obj_outcome outcome;
    } cases[] = {
        { ENOENT, OBJ_ABSENT },     { EACCES, OBJ_FORBIDDEN },
        { EPERM, OBJ_FORBIDDEN },   { EROFS, OBJ_FORBIDDEN },
        { ENOSPC, OBJ_NO_SPACE },   { EDQUOT, OBJ_NO_SPACE },
        { EFBIG, OBJ_NO_SPACE },    { ESTALE, OBJ_UNAVAIL },
        { ETIMEDOUT, OBJ_UNAVAIL }, { ENOTDIR, OBJ_REJECTED },
        { EISDIR, OBJ_REJECTED },   { ENAMETOOLONG, OBJ_REJECTED },
        { EIO, OBJ_LOCAL },         { ENOMEM, OBJ_LOCAL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct obj_attempt a = { 0 };
        obj_file_fail(&a, cases[i].sys, "test");
        assert_int_equal(a.outcome, cases[i].outcome);
        assert_int_equal(a.sys, cases[i].sys);
        if (a.outcome == OBJ_LOCAL)
            assert_int_equal(a.err.kind, err_of_errno(cases[i].sys));
    }
}

static void only_files_of_ours_are_listed(void **state)
{
    char path[128];
    struct list l = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "k", "x");
    must_put(s, "k", "y"); /* makes .tmp */
    snprintf(path, sizeof path, "%s/link", root);
    assert_int_equal(symlink("k", path), 0);
    snprintf(path, sizeof path, "%s/.tmp/objvault-x.part", root);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    snprintf(path, sizeof path, "%s/lost+found", root);
    assert_int_equal(mkdir(path, 0), 0);
    snprintf(path, sizeof path, "%s/fifo", root);
    assert_int_equal(mkfifo(path, 0600), 0);
    list_all(s, &l);
    assert_int_equal(l.n, 1);
    list_free(&l);
    assert_int_equal(get_kind(s, "link"), ERR_NOTFOUND);
    assert_int_equal(get_kind(s, "fifo"), ERR_NOTFOUND);
    struct obj_req r = { .key = "link" };
    struct err e = { 0 };
    assert_int_equal(obj_head(s, &r, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_is_no_object_but_takes_the_name),
        TEST(keys_that_storages_disagree_about_are_refused),
        TEST(the_directory_is_made_on_request_and_missed_before),
        TEST(a_directory_that_cannot_be_made_is_an_error),
        TEST(stale_files_of_dead_writers_are_cleaned_when_opening),
        TEST(a_folder_removed_behind_our_back_is_made_again),
        TEST(a_full_disk_is_said_to_be_full),
        TEST(an_unreadable_directory_is_not_an_empty_one),
        TEST(every_errno_has_its_outcome),
        TEST(only_files_of_ours_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The file driver when the system refuses: system calls and allocations are
 * wrapped by the linker, and fail on request.  Whatever fails, an object is
 * there whole or not at all, and a listing is complete or an error. */
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

enum call {
    FAULT_NONE,
    FAULT_LINKAT,
    FAULT_LINKAT_ANSWER, /* it is done, but the answer says otherwise */
    FAULT_RENAMEAT2,
    FAULT_TMPFILE, /* openat with O_TMPFILE */
    FAULT_OPENAT,
    FAULT_FSTATAT,
    FAULT_FSYNC,
    FAULT_MKDIRAT,
    FAULT_UNLINKAT,
    FAULT_WRITE,
    FAULT_PREAD,
    FAULT_READDIR,
    FAULT_ALLOC,
    FAULTS
};

/* The nth call from now on fails with sys; count of them in a row. */
static struct {
    unsigned nth, count;
    int sys;
    bool hit;
} faults[FAULTS];
static bool unknown_types; /* readdir tells no types, as on some systems */

static void arm(enum call c, unsigned nth, unsigned count, int sys)
{
    faults[c].nth = nth;
    faults[c].count = count;
    faults[c].sys = sys;
    faults[c].hit = false;
}

static void disarm(void)
{
    memset(faults, 0, sizeof faults);
    unknown_types = false;
}

static bool fails(enum call c)
{
    if (faults[c].nth == 0 || faults[c].count == 0)
        return false;
    if (faults[c].nth > 1) {
        faults[c].nth--;
        return false;
    }
    faults[c].count--;
    faults[c].hit = true;
    errno = faults[c].sys;
    return true;
}

/* Names that begin with __real_ and __wrap_ are the linker's. */
#define WRAP(ret, name, params, args, fault, bad)                              \
    ret __real_##name params;                                                  \
    ret __wrap_##name params;                                                  \
    ret __wrap_##name params                                                   \
    {                                                                          \
        if (fails(fault))                                                      \
            return bad;                                                        \
        return __real_##name args;                                             \
    }

WRAP(int, renameat2,
     (int a, const char *from, int b, const char *to, unsigned flags),
     (a, from, b, to, flags), FAULT_RENAMEAT2, -1)
WRAP(int, fstatat64, (int dir, const char *path, struct stat *st, int flags),
     (dir, path, st, flags), FAULT_FSTATAT, -1)
WRAP(int, fsync, (int fd), (fd), FAULT_FSYNC, -1)
WRAP(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode),
     FAULT_MKDIRAT, -1)
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags),
     FAULT_UNLINKAT, -1)
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), FAULT_WRITE,
     -1)
WRAP(ssize_t, pread64, (int fd, void *p, size_t n, off_t at), (fd, p, n, at),
     FAULT_PREAD, faults[FAULT_PREAD].sys == 0 ? 0 : -1)
WRAP(void *, malloc, (size_t n), (n), FAULT_ALLOC, NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), FAULT_ALLOC, NULL)
WRAP(void *, realloc, (void *p, size_t n), (p, n), FAULT_ALLOC, NULL)
WRAP(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size),
     FAULT_ALLOC, NULL)
WRAP(char *, strdup, (const char *s), (s), FAULT_ALLOC, NULL)

int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
    if (fails(FAULT_LINKAT))
        return -1;
    int r = __real_linkat(a, from, b, to, flags);
    return fails(FAULT_LINKAT_ANSWER) ? -1 : r;
}

int __real_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...)
{
    va_list ap;

    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if ((flags & O_TMPFILE) == O_TMPFILE && fails(FAULT_TMPFILE))
        return -1;
    if (fails(FAULT_OPENAT))
        return -1;
    return __real_openat64(dir, path, flags, mode);
}

struct dirent *__real_readdir64(DIR *d);
struct dirent *__wrap_readdir64(DIR *d);
struct dirent *__wrap_readdir64(DIR *d)
{
    if (fails(FAULT_READDIR))
        return NULL;
    struct dirent *entry = __real_readdir64(d);
    if (entry != NULL && unknown_types)
        entry->d_type = DT_UNKNOWN;
    return entry;
}

static int armed_setup(void **state)
{
    disarm();
    return setup(state);
}

static int armed_teardown(void **state)
{
    disarm();
    return teardown(state);
}

/* A store whose back-offs take no time. */
static struct obj_store *try_open(struct err *e)
{
    struct obj_config c = { .driver = OBJ_DRIVER_FILE, .path = root };
    struct obj_tuning t = obj_tuning_default;

    for (int i = 0; i < OBJ_RULES; i++)
        t.rules[i].base_ms = t.rules[i].cap_ms = 0;
    return obj_store_open_driver(&obj_file_driver, &c, &t, e);
}

static struct obj_store *open_quick(void)
{
    struct err e = { 0 };
    struct obj_store *s = try_open(&e);

    if (s == NULL)
        fail_msg("%s", e.msg);
    return s;
}

static int get(struct obj_store *s, const char *key, struct buf *out,
               struct err *e)
{
    struct obj_req r = { .key = key };

    buf_reset(out);
    return obj_get(s, &r, NULL, out, NULL, e);
}

static void assert_whole(struct obj_store *s, const char *key)
{
    AUTO_BUF struct buf out = buf_init(100);
    struct err e = { 0 };

    if (get(s, key, &out, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(buf_cstr(&out), "hello");
}

static void assert_gone(struct obj_store *s, const char *key)
{
    AUTO_BUF struct buf out = buf_init(100);
    struct err e = { 0 };

    assert_int_equal(get(s, key, &out, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
}

static int count_key(void *ctx, const char *key, const struct obj_info *info,
                     struct err *e)
{
    size_t *n = ctx;

    (void)key;
    (void)info;
    (void)e;
    ++*n;
    return 0;
}

static int list(struct obj_store *s, size_t *n, struct err *e)
{
    struct obj_req r = { .key = "" };

    *n = 0;
    return obj_list(s, &r, NULL, count_key, n, e);
}

static void assert_tmp_empty(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", root, OBJ_FILE_TMP);
    if (rmdir(path) < 0)
        assert_int_equal(errno, ENOENT);
}

static void without_nameless_files_named_ones_serve(void **state)
{
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    arm(FAULT_TMPFILE, 1, 1, EOPNOTSUPP);
    assert_int_equal(put(s, "d/k", "hello", true, &e), 0);
    assert_whole(s, "d/k");
    arm(FAULT_TMPFILE, 1, 1, EOPNOTSUPP); /* learned: not even tried */
    assert_int_equal(put(s, "d/l", "hello", true, &e), 0);
    assert_false(faults[FAULT_TMPFILE].hit);
    assert_int_equal(put(s, "d/k", "hello", true, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_tmp_empty();
}

static void without_proc_the_body_is_written_once_more(void **state)
{
    struct obj_counters n;
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    arm(FAULT_LINKAT, 1, 1, ENOENT);
    assert_int_equal(put(s, "k", "hello", true, &e), 0);
    assert_whole(s, "k");
    obj_store_counters(s, &n);
    assert_int_equal(n.sent_bytes, 5);
    assert_tmp_empty();
}

static void without_links_a_rename_that_replaces_nothing_serves(void **state)
{
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    arm(FAULT_LINKAT, 1, 100, EPERM);
    assert_int_equal(put(s, "k", "hello", true, &e), 0);
    assert_whole(s, "k");
    assert_int_equal(put(s, "k", "hello", true, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    arm(FAULT_RENAMEAT2, 1, 1, EINVAL);
    assert_int_equal(put(s, "l", "hello", true, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_gone(s, "l");
    arm(FAULT_RENAMEAT2, 1, 1, EEXIST); /* taken since the look, and gone */
    assert_int_equal(put(s, "m", "hello", true, &e), 0);
    assert_tmp_empty();
}

static void a_link_whose_answer_was_lost_is_a_success(void **state)
{
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    arm(FAULT_TMPFILE, 1, 1, EOPNOTSUPP);
    arm(FAULT_LINKAT_ANSWER, 1, 1, ETIMEDOUT);
    assert_int_equal(put(s, "k", "hello", true, &e), 0);
    assert_true(faults[FAULT_LINKAT_ANSWER].hit);
    assert_whole(s, "k");
    assert_tmp_empty();
}

static void a_name_that_goes_away_again_is_tried_again(void **state)
{
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    arm(FAULT_LINKAT, 1, 1, EEXIST);
    assert_int_equal(put(s, "k", "hello", true, &e), 0);
    assert_whole(s, "k");
    arm(FAULT_LINKAT, 1, 1, EIO);
    assert_int_equal(put(s, "l", "hello", true, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
    assert_gone(s, "l");
}

/* Each single call fails once, until none is left to fail. */
static void every_refusal_of(enum call c, int sys, enum err_kind kind)
{
    for (unsigned round = 0; round < 2; round++) {
        bool if_absent = round == 0;
        unsigned nth = 1;
        for (;; nth++) {
            char key[32];
            struct err e = { 0 };
            snprintf(key, sizeof key, "d%u-%u-%u/k", (unsigned)c, round, nth);
            AUTO_OBJ_STORE struct obj_store *s = open_quick();
            arm(c, nth, 1, sys);
            int r = put(s, key, "hello", if_absent, &e);
            bool hit = faults[c].hit;
            disarm();
            if (r == 0)
                assert_whole(s, key);
            if (!hit)
                break;
            if (r < 0 && e.kind != kind)
                fail_msg("call %d, %u: %s", (int)c, nth, e.msg);
            AUTO_BUF struct buf out = buf_init(100);
            if (r < 0 && get(s, key, &out, &e) == 0)
                assert_string_equal(buf_cstr(&out), "hello");
        }
        assert_true(nth > 1);
    }
    assert_tmp_empty();
}

static void a_put_that_is_refused_anything_leaves_no_part(void **state)
{
    (void)state;
    every_refusal_of(FAULT_FSYNC, EIO, ERR_IO);
    every_refusal_of(FAULT_WRITE, ENOSPC, ERR_FULL);
    every_refusal_of(FAULT_WRITE, EIO, ERR_IO);
    every_refusal_of(FAULT_OPENAT, EMFILE, ERR_IO);
    every_refusal_of(FAULT_OPENAT, EACCES, ERR_DENIED);
    every_refusal_of(FAULT_MKDIRAT, EROFS, ERR_DENIED);
}

static void a_put_whose_last_sync_fails_is_an_error(void **state)
{
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    arm(FAULT_FSYNC, 2, 1, EIO); /* file, folder */
    assert_int_equal(put(s, "k", "hello", false, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
    assert_non_null(strstr(e.msg, "stored, but"));
    assert_whole(s, "k");
    arm(FAULT_FSYNC, 2, 1, ESTALE); /* passing, yet not tried again */
    assert_int_equal(put(s, "l", "hello", true, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
}

static void a_folder_that_cannot_be_synced_is_accepted(void **state)
{
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    arm(FAULT_FSYNC, 2, 1, EINVAL);
    assert_int_equal(put(s, "k", "hello", false, &e), 0);
    assert_true(faults[FAULT_FSYNC].hit);
}

static void a_root_that_vanishes_is_a_missing_directory(void **state)
{
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    arm(FAULT_MKDIRAT, 1, 2, ENOENT);
    assert_int_equal(put(s, "d/k", "hello", false, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "storage: file://"));
}

static void a_disk_that_cannot_read_is_damage_after_three_tries(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);
    struct obj_counters n;
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    assert_int_equal(put(s, "k", "hello", false, &e), 0);
    arm(FAULT_PREAD, 1, 2, EIO);
    assert_int_equal(get(s, "k", &out, &e), 0);
    arm(FAULT_PREAD, 1, 3, EIO);
    assert_int_equal(get(s, "k", &out, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    obj_store_counters(s, &n);
    assert_int_equal(n.requests[OBJ_GET], 6);
    arm(FAULT_PREAD, 1, 3, 0); /* the file ends before its length */
    assert_int_equal(get(s, "k", &out, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    arm(FAULT_PREAD, 1, 1, EBADF);
    assert_int_equal(get(s, "k", &out, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
}

static void a_listing_is_complete_or_an_error(void **state)
{
    static const enum call calls[] = { FAULT_OPENAT, FAULT_READDIR,
                                       FAULT_FSTATAT };
    struct err e = { 0 };
    size_t n = 0;

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    assert_int_equal(put(s, "a", "hello", false, &e), 0);
    assert_int_equal(put(s, "b/c", "hello", false, &e), 0);
    assert_int_equal(put(s, "b/d/e", "hello", false, &e), 0);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        bool hit = true;
        for (unsigned nth = 1; hit; nth++) {
            arm(calls[i], nth, 1, EIO);
            int r = list(s, &n, &e);
            hit = faults[calls[i]].hit;
            disarm();
            assert_int_equal(r, hit ? -1 : 0);
            if (hit)
                assert_int_equal(e.kind, ERR_IO);
        }
        assert_int_equal(n, 3);
    }
}

static void folders_are_told_where_the_system_tells_no_types(void **state)
{
    struct err e = { 0 };
    char path[128];
    size_t n = 0;

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    assert_int_equal(put(s, "a", "hello", false, &e), 0);
    assert_int_equal(put(s, "b/c", "hello", false, &e), 0);
    snprintf(path, sizeof path, "%s/link", root);
    assert_int_equal(symlink("a", path), 0);
    unknown_types = true;
    assert_int_equal(list(s, &n, &e), 0);
    assert_int_equal(n, 2);
}

static void what_vanishes_during_a_listing_is_left_out(void **state)
{
    struct err e = { 0 };
    size_t n = 0;

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    assert_int_equal(put(s, "a", "hello", false, &e), 0);
    assert_int_equal(put(s, "b/c", "hello", false, &e), 0);
    arm(FAULT_FSTATAT, 1, 1, ENOENT);
    assert_int_equal(list(s, &n, &e), 0);
    assert_int_equal(n, 1);
    arm(FAULT_OPENAT, 2, 1, ENOENT); /* the root is the first */
    assert_int_equal(list(s, &n, &e), 0);
    assert_int_equal(n, 1);
}

static void a_removal_that_fails_is_an_error(void **state)
{
    struct obj_req r = { .key = "d/k" };
    struct obj_name names[2] = { { .key = "d/k" }, { .key = "d/l" } };
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    assert_int_equal(put(s, "d/k", "hello", false, &e), 0);
    arm(FAULT_UNLINKAT, 1, 1, EROFS);
    assert_int_equal(obj_delete(s, &r, false, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_whole(s, "d/k");
    arm(FAULT_UNLINKAT, 1, 1, EACCES);
    assert_int_equal(obj_delete_many(s, &r, names, 2, false, &e), 0);
    assert_int_equal(names[0].result, ERR_DENIED);
    assert_int_equal(names[1].result, ERR_NONE);
    arm(FAULT_FSYNC, 1, 1, EIO);
    assert_int_equal(obj_delete(s, &r, false, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
    arm(FAULT_FSYNC, 1, 1, EIO);
    assert_int_equal(obj_delete_many(s, &r, names, 2, false, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
}

static void a_requested_token_stops_the_driver_itself(void **state)
{
    struct cancel c;
    struct obj_req r = { .key = "k", .cancel = &c };
    struct obj_name name = { .key = "k" };
    struct obj_list_opts o = { 0 };
    struct obj_page page = { 0 };
    struct obj_info info;
    struct obj_attempt a = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_quick();
    assert_int_equal(put(s, "k", "hello", false, &e), 0);
    assert_int_equal(cancel_init(&c, NULL, &e), 0);
    cancel_request(&c);
    obj_file_driver.get(s->self, &r, NULL, &out, &info, &a);
    assert_int_equal(a.outcome, OBJ_STOPPED);
    a = (struct obj_attempt){ 0 };
    obj_file_driver.remove_many(s->self, &r, &name, 1, false, &a);
    assert_int_equal(a.outcome, OBJ_STOPPED);
    a = (struct obj_attempt){ 0 };
    r.key = "";
    obj_file_driver.list(s->self, &r, &o, &page, &a);
    assert_int_equal(a.outcome, OBJ_STOPPED);
    obj_page_clear(&page);
    assert_whole(s, "k");
    cancel_fini(&c);
}

/* Everything that a store can do, once.  0, or -1 with the first error. */
static int do_everything(struct err *e)
{
    struct obj_req r = { .key = "d/k" };
    struct obj_name names[2] = { { .key = "d/k" }, { .key = "d/l" } };
    struct obj_list_opts o = { .page = 1 };
    AUTO_BUF struct buf out = buf_init(100);
    size_t n = 0;

    AUTO_OBJ_STORE struct obj_store *s = try_open(e);
    if (s == NULL)
        return -1;
    if (obj_bucket_create(s, &r, false, e) < 0 ||
        put(s, "d/k", "hello", true, e) < 0 ||
        put(s, "d/l", "hello", false, e) < 0 || get(s, "d/k", &out, e) < 0)
        return -1;
    r.key = "";
    if (obj_list(s, &r, &o, count_key, &n, e) < 0)
        return -1;
    assert_int_equal(n, 2);
    return obj_delete_many(s, &r, names, 2, false, e);
}

static void each_allocation_may_fail(void **state)
{
    bool hit = true;
    unsigned nth = 1;

    (void)state;
    for (; hit; nth++) {
        struct err e = { 0 };
        char path[128];
        arm(FAULT_ALLOC, nth, 1, ENOMEM);
        int r = do_everything(&e);
        hit = faults[FAULT_ALLOC].hit;
        disarm();
        if (r < 0)
            assert_int_equal(e.kind, ERR_NOMEM);
        if (!hit)
            assert_int_equal(r, 0);
        snprintf(path, sizeof path, "%s/d/k", root);
        (void)unlink(path);
        snprintf(path, sizeof path, "%s/d/l", root);
        (void)unlink(path);
    }
    assert_true(nth > 15);
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, armed_setup, armed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_nameless_files_named_ones_serve),
        TEST(without_proc_the_body_is_written_once_more),
        TEST(without_links_a_rename_that_replaces_nothing_serves),
        TEST(a_link_whose_answer_was_lost_is_a_success),
        TEST(a_name_that_goes_away_again_is_tried_again),
        TEST(a_put_that_is_refused_anything_leaves_no_part),
        TEST(a_put_whose_last_sync_fails_is_an_error),
        TEST(a_folder_that_cannot_be_synced_is_accepted),
        TEST(a_root_that_vanishes_is_a_missing_directory),
        TEST(a_disk_that_cannot_read_is_damage_after_three_tries),
        TEST(a_listing_is_complete_or_an_error),
        TEST(folders_are_told_where_the_system_tells_no_types),
        TEST(what_vanishes_during_a_listing_is_left_out),
        TEST(a_removal_that_fails_is_an_error),
        TEST(a_requested_token_stops_the_driver_itself),
        TEST(each_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

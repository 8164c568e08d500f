// SPDX-License-Identifier: Apache-2.0
/* The file driver, through the store's own interface: what a directory
 * promises as a bucket. */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/utc.h"

static void what_is_put_is_got(void **state)
{
    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "a/b/c", "hello");
    assert_holds(s, "a/b/c", "hello");
    must_put(s, "a/b/empty", "");
    assert_holds(s, "a/b/empty", "");
    must_put(s, "a/b/c", "replaced");
    assert_holds(s, "a/b/c", "replaced");
    assert_int_equal(get_kind(s, "a/b/d"), ERR_NOTFOUND);
    assert_int_equal(get_kind(s, "a/b"), ERR_NOTFOUND);
    assert_int_equal(get_kind(s, "a/b/c/d"), ERR_NOTFOUND);
}

static void a_large_body_survives_in_pieces(void **state)
{
    const size_t len = (size_t)9 << 20;
    AUTO_MEM uint8_t *body = malloc(len);
    AUTO_BUF struct buf out = buf_init(len);
    struct obj_req r = { .key = "large" };
    struct err e = { 0 };
    struct obj_counters n;

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    assert_non_null(body);
    for (size_t i = 0; i < len; i++)
        body[i] = (uint8_t)(i * 7 + i / 4096);
    assert_int_equal(obj_put(s, &r, span_of(body, len), NULL, NULL, &e), 0);
    assert_int_equal(obj_get(s, &r, NULL, &out, NULL, &e), 0);
    assert_true(span_eq(buf_span(&out), span_of(body, len)));
    obj_store_counters(s, &n);
    assert_int_equal(n.sent_bytes, len);
    assert_int_equal(n.received_bytes, len);
}

static void info_tells_size_time_and_a_changing_etag(void **state)
{
    struct obj_req r = { .key = "k" };
    struct obj_info a;
    struct obj_info b;
    struct obj_info h;
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    assert_int_equal(obj_put(s, &r, span_str("one"), NULL, &a, &e), 0);
    assert_int_equal(obj_head(s, &r, &h, &e), 0);
    assert_int_equal(h.size, 3);
    assert_string_equal(a.etag, h.etag);
    assert_string_equal(h.version, "");
    assert_true(llabs(h.modified - utc_real_now()) < 60);
    assert_true(llabs(h.server_time - utc_real_now()) < 60);
    assert_int_equal(obj_put(s, &r, span_str("two"), NULL, &b, &e), 0);
    assert_string_not_equal(a.etag, b.etag);
    r.key = "none";
    assert_int_equal(obj_head(s, &r, &h, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_string_equal(e.msg, "look up none: no such object");
}

static void put_if_absent_refuses_an_existing_object(void **state)
{
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    assert_int_equal(put(s, "d/k", "first", true, &e), 0);
    assert_int_equal(put(s, "d/k", "second", true, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_holds(s, "d/k", "first");
    /* A folder is no object, but takes the name. */
    assert_int_equal(put(s, "d", "x", true, &e), -1);
    assert_int_equal(e.kind, ERR_FAILED);
    assert_int_equal(put(s, "d", "x", false, &e), -1);
    assert_int_equal(e.kind, ERR_FAILED);
    assert_int_equal(put(s, "d/k/below", "x", false, &e), -1);
    assert_int_equal(e.kind, ERR_FAILED);
}

struct range_case {
    uint64_t offset, len;
    const char *want; /* NULL: ERR_CORRUPT */
};

static void ranges_are_cut_at_the_end_and_refused_behind_it(void **state)
{
    static const struct range_case cases[] = {
        { 0, 0, "0123456789" },  { 0, 3, "012" },  { 2, 3, "234" },
        { 7, 0, "789" },         { 7, 99, "789" }, { 9, UINT64_MAX, "9" },
        { 10, 1, NULL },         { 99, 0, NULL },  { UINT64_MAX, 5, NULL },
        { 0, 100, "0123456789" }
    };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "k", "0123456789");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF struct buf out = buf_init(100);
        struct obj_range range = { cases[i].offset, cases[i].len };
        struct obj_req r = { .key = "k" };
        struct err e = { 0 };
        int got = obj_get(s, &r, &range, &out, NULL, &e);
        if (cases[i].want == NULL) {
            assert_int_equal(got, -1);
            assert_int_equal(e.kind, ERR_CORRUPT);
        } else {
            assert_int_equal(got, 0);
            assert_string_equal(buf_cstr(&out), cases[i].want);
        }
    }
}

static void an_object_over_the_buffers_maximum_is_an_error(void **state)
{
    AUTO_BUF struct buf out = buf_init(4);
    struct obj_req r = { .key = "k" };
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "k", "12345");
    assert_int_equal(obj_get(s, &r, NULL, &out, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
}

static void deleting_what_is_not_there_is_fine(void **state)
{
    struct obj_req r = { .key = "a/b" };
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    assert_int_equal(obj_delete(s, &r, false, &e), 0);
    must_put(s, "a/b", "x");
    assert_int_equal(obj_delete(s, &r, false, &e), 0);
    assert_int_equal(get_kind(s, "a/b"), ERR_NOTFOUND);
    must_put(s, "a/b", "again");
    r.key = "a"; /* a folder is no object */
    assert_int_equal(obj_delete(s, &r, false, &e), 0);
    r.key = "a/b/c";
    assert_int_equal(obj_delete(s, &r, false, &e), 0);
    assert_holds(s, "a/b", "again");
}

static void many_are_deleted_with_a_result_each(void **state)
{
    struct obj_name names[2001];
    AUTO_MEM char *keys = calloc(2001, 16);
    struct obj_req r = { .key = "" };
    struct err e = { 0 };
    struct obj_counters n;

    (void)state;
    assert_non_null(keys);
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "d/0000", "x");
    must_put(s, "d/2000", "x");
    for (size_t i = 0; i < 2001; i++) {
        snprintf(keys + 16 * i, 16, "d/%04zu", i);
        names[i] =
            (struct obj_name){ .key = keys + 16 * i, .result = ERR_FAILED };
    }
    names[5].version = "v";
    names[6].key = ".tmp/x";
    assert_int_equal(obj_delete_many(s, &r, names, 2001, false, &e), 0);
    for (size_t i = 0; i < 2001; i++)
        assert_int_equal(names[i].result, i == 5   ? ERR_UNSUPPORTED
                                          : i == 6 ? ERR_USAGE
                                                   : ERR_NONE);
    assert_int_equal(get_kind(s, "d/0000"), ERR_NOTFOUND);
    assert_int_equal(get_kind(s, "d/2000"), ERR_NOTFOUND);
    obj_store_counters(s, &n);
    assert_int_equal(n.requests[OBJ_DELETE], 3);
    assert_int_equal(obj_delete_many(s, &r, names, 0, false, &e), 0);
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
}

static void a_prefix_is_part_of_every_key(void **state)
{
    struct list l = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *in = open_prefixed("repo/one");
    AUTO_OBJ_STORE struct obj_store *all = open_store();
    must_put(in, "a", "x");
    must_put(in, "b/c", "y");
    must_put(all, "repo/oneself", "z");
    assert_holds(all, "repo/one/b/c", "y");
    list_all(in, "", NULL, 1, &l);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.keys[0], "a");
    assert_string_equal(l.keys[1], "b/c");
    list_free(&l);
    list_all(in, "", "a", 1, &l);
    assert_int_equal(l.n, 1);
    list_free(&l);
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
    assert_int_equal(obj_bucket_create(s, &r, true, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_int_equal(obj_bucket_create(s, &r, false, &e), 0);
    assert_int_equal(obj_bucket_create(s, &r, false, &e), 0);
    assert_int_equal(obj_bucket_info(s, &r, &b, &e), 0);
    assert_int_equal(b.versioning, OBJ_VERSIONS_NEVER);
    assert_false(b.object_lock);
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

static void there_are_no_versions_and_no_locks(void **state)
{
    struct obj_req r = { .key = "k", .version = "v1" };
    struct obj_lock lock = { .mode = OBJ_LOCK_COMPLIANCE, .until = 1 };
    struct obj_put_opts o = { .lock = lock };
    struct obj_list_opts versions = { .versions = true };
    struct err e = { 0 };
    struct list l = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    must_put(s, "k", "x");
    assert_int_equal(obj_head(s, &r, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    r.version = NULL;
    assert_int_equal(obj_put(s, &r, span_str("y"), &o, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_int_equal(obj_set_lock(s, &r, &lock, false, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_int_equal(obj_get_lock(s, &r, &lock, &e), 0);
    assert_int_equal(lock.mode, OBJ_LOCK_NONE);
    assert_int_equal(lock.until, 0);
    assert_int_equal(obj_list(s, &r, &versions, collect, &l, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_holds(s, "k", "x");
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

static void a_cancelled_put_leaves_nothing(void **state)
{
    struct cancel c;
    struct err e = { 0 };
    struct obj_req r = { .key = "k", .cancel = &c };

    (void)state;
    assert_int_equal(cancel_init(&c, NULL, &e), 0);
    AUTO_OBJ_STORE struct obj_store *s = open_store();
    cancel_request(&c);
    assert_int_equal(obj_put(s, &r, span_str("x"), NULL, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_int_equal(get_kind(s, "k"), ERR_NOTFOUND);

    /* The driver itself looks at the token too. */
    struct obj_attempt a = { 0 };
    struct obj_info info;
    struct obj_put_opts o = { 0 };
    obj_file_driver.put(s->self, &r, span_str("x"), &o, &info, &a);
    assert_int_equal(a.outcome, OBJ_STOPPED);
    cancel_fini(&c);
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
    list_all(s, "", NULL, 0, &l);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_is_got),
        TEST(a_large_body_survives_in_pieces),
        TEST(info_tells_size_time_and_a_changing_etag),
        TEST(put_if_absent_refuses_an_existing_object),
        TEST(ranges_are_cut_at_the_end_and_refused_behind_it),
        TEST(an_object_over_the_buffers_maximum_is_an_error),
        TEST(deleting_what_is_not_there_is_fine),
        TEST(many_are_deleted_with_a_result_each),
        TEST(keys_that_storages_disagree_about_are_refused),
        TEST(a_prefix_is_part_of_every_key),
        TEST(the_directory_is_made_on_request_and_missed_before),
        TEST(a_directory_that_cannot_be_made_is_an_error),
        TEST(there_are_no_versions_and_no_locks),
        TEST(stale_files_of_dead_writers_are_cleaned_when_opening),
        TEST(a_folder_removed_behind_our_back_is_made_again),
        TEST(a_cancelled_put_leaves_nothing),
        TEST(a_full_disk_is_said_to_be_full),
        TEST(an_unreadable_directory_is_not_an_empty_one),
        TEST(every_errno_has_its_outcome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Raw targets: files and devices.
#include "tests/unit/engine/restore/write_job.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

static struct eng_target *open_target(const struct eng_target_opts *o)
{
    struct err e = { 0 };
    struct eng_target *t = eng_target_open(o, &e);
    if (t == NULL)
        fail_msg("%s", e.msg);
    return t;
}

static void put(struct eng_target *t, uint64_t offset, const uint8_t *p,
                size_t len)
{
    struct err e = { 0 };
    if (eng_target_write(t, NULL, offset, span_of(p, len), &e) < 0)
        fail_msg("%s", e.msg);
}

static void commit(struct eng_target *t)
{
    struct err e = { 0 };
    if (eng_target_commit(t, &e) < 0)
        fail_msg("%s", e.msg);
    eng_target_close(t);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void every_size_becomes_a_file(void **state)
{
    static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, BLOCK + 513 };
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct stat st;
        size_t len = 0;
        uint8_t *want = room(sizes[i]);
        struct eng_target_opts o = { .path = at("f"),
                                     .size = sizes[i],
                                     .writers = 1 };
        fill(want, sizes[i], 0);
        struct eng_target *t = open_target(&o);
        for (size_t at_ = 0; at_ < sizes[i]; at_ += BLOCK)
            put(t, at_, want + at_,
                sizes[i] - at_ < BLOCK ? sizes[i] - at_ : BLOCK);
        assert_false(exists(at("f")));
        assert_true(exists(at("f.objvault-part")));
        commit(t);
        assert_false(exists(at("f.objvault-part")));
        uint8_t *have = slurp(at("f"), &len);
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(have, want, len);
        assert_int_equal(stat(at("f"), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
        free(have);
        free(want);
        unlink(at("f"));
    }
}

static void zeros_become_holes(void **state)
{
    struct stat st;
    struct err e = { 0 };
    size_t len = 0;
    uint8_t *p = room(BLOCK);
    struct eng_target_opts o = { .path = at("f"),
                                 .size = 64u << 20,
                                 .writers = 1 };
    (void)state;
    struct eng_target *t = open_target(&o);
    memset(p, 0, BLOCK);
    p[0] = 1;         /* page 0 */
    p[8191] = 2;      /* page 1 */
    p[40960] = 3;     /* page 10 */
    p[BLOCK - 1] = 4; /* the last */
    put(t, 32u << 20, p, BLOCK);
    memset(p, 0, BLOCK);
    put(t, 16u << 20, p, BLOCK);
    assert_int_equal(eng_target_zero(t, NULL, 0, 16u << 20, &e), 0);
    commit(t);
    assert_int_equal(stat(at("f"), &st), 0);
    assert_int_equal(st.st_size, 64u << 20);
    assert_int_equal(st.st_blocks * 512, 4 * 4096);
    uint8_t *have = slurp(at("f"), &len);
    have += 32u << 20;
    assert_int_equal(have[0] * 1000 + have[8191] * 100 + have[40960] * 10 +
                         have[BLOCK - 1],
                     1234);
    free(have - (32u << 20));
    free(p);
}

static void an_existing_file_is_left_alone_without_force(void **state)
{
    struct eng_target_opts o = { .path = at("f"), .size = 3, .writers = 1 };
    size_t len = 0;
    (void)state;
    put_text(at("f"), "old");
    assert_refused(&o, ERR_EXISTS, "--force");
    assert_false(exists(at("f.objvault-part")));
    uint8_t *have = slurp(at("f"), &len);
    assert_memory_equal(have, "old", 3);
    free(have);
    o.force = true;
    o.mode = 04644;
    struct eng_target *t = open_target(&o);
    put(t, 0, (const uint8_t *)"new", 3);
    have = slurp(at("f"), &len);
    assert_memory_equal(have, "old", 3);
    free(have);
    commit(t);
    have = slurp(at("f"), &len);
    assert_memory_equal(have, "new", 3);
    free(have);
    struct stat st;
    assert_int_equal(stat(at("f"), &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0644);
}

static void an_image_in_use_is_not_replaced(void **state)
{
    struct eng_target_opts o = {
        .path = at("f"), .size = 3, .force = true, .writers = 1
    };
    struct flock fl = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 101, .l_len = 1
    };
    (void)state;
    put_text(at("f"), "old");
    int fd = open(at("f"), O_RDWR | O_CLOEXEC);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &fl), 0);
    assert_refused(&o, ERR_BUSY, "in use");
    close(fd);
    eng_target_close(open_target(&o));
    assert_true(exists(at("f")));
}

static void without_commit_nothing_is_left(void **state)
{
    struct eng_target_opts o = { .path = at("f"), .size = 8, .writers = 1 };
    (void)state;
    struct eng_target *t = open_target(&o);
    put(t, 0, (const uint8_t *)"12345678", 8);
    eng_target_close(t);
    assert_false(exists(at("f")));
    assert_false(exists(at("f.objvault-part")));
    eng_target_close(NULL);
}

static void a_stale_part_is_replaced_a_live_one_is_not(void **state)
{
    struct eng_target_opts o = { .path = at("f"), .size = 4, .writers = 1 };
    size_t len = 0;
    (void)state;
    put_text(at("f.objvault-part"), "left by a killed restore");
    struct eng_target *t = open_target(&o);
    assert_refused(&o, ERR_BUSY, "f.objvault-part");
    put(t, 0, (const uint8_t *)"good", 4);
    commit(t);
    uint8_t *have = slurp(at("f"), &len);
    assert_int_equal(len, 4);
    assert_memory_equal(have, "good", 4);
    free(have);
    unlink(at("f"));
    assert_int_equal(symlink("elsewhere", at("f.objvault-part")), 0);
    assert_refused(&o, ERR_EXISTS, "f.objvault-part");
    unlink(at("f.objvault-part"));
    assert_int_equal(mkdir(at("f.objvault-part"), 0700), 0);
    assert_int_equal(eng_target_open(&o, &(struct err){ 0 }) == NULL, 1);
    assert_true(exists(at("f.objvault-part")));
}

static void a_name_that_appears_meanwhile_is_not_replaced(void **state)
{
    struct eng_target_opts o = { .path = at("f"), .size = 4, .writers = 1 };
    struct err e = { 0 };
    size_t len = 0;
    (void)state;
    struct eng_target *t = open_target(&o);
    put(t, 0, (const uint8_t *)"ours", 4);
    put_text(at("f"), "theirs");
    assert_int_equal(eng_target_commit(t, &e), -1);
    assert_err(&e, ERR_EXISTS, "meanwhile");
    eng_target_close(t);
    assert_false(exists(at("f.objvault-part")));
    uint8_t *have = slurp(at("f"), &len);
    assert_memory_equal(have, "theirs", 6);
    free(have);
}

static void odd_paths_are_refused(void **state)
{
    struct eng_target_opts o = { .size = 4, .force = true, .writers = 1 };
    (void)state;
    o.path = scratch;
    assert_refused(&o, ERR_EXISTS, "neither");
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    o.path = at("pipe");
    assert_refused(&o, ERR_USAGE, "neither");
    o.path = at("none/f");
    assert_refused(&o, ERR_NOTFOUND, "none/f");
    assert_int_equal(symlink("nowhere", at("link")), 0);
    o.path = at("link");
    assert_refused(&o, ERR_EXISTS, "link");
    o.path = at("huge");
    o.size = UINT64_MAX;
    assert_refused(&o, ERR_FULL, "huge");
}

static void a_path_may_be_relative(void **state)
{
    struct eng_target_opts o = { .path = "f", .size = 4, .writers = 1 };
    char old[256];
    (void)state;
    assert_non_null(getcwd(old, sizeof(old)));
    assert_int_equal(chdir(scratch), 0);
    struct eng_target *t = open_target(&o);
    put(t, 0, (const uint8_t *)"good", 4);
    commit(t);
    assert_true(exists(at("f")));
    assert_int_equal(chdir(old), 0);
    o.path = at("f/below");
    assert_refused(&o, ERR_IO, "f/below");
}

static void writes_past_the_end_are_a_bug(void **state)
{
    struct eng_target_opts o = { .path = at("f"), .size = 10, .writers = 1 };
    struct err e = { 0 };
    (void)state;
    struct eng_target *t = open_target(&o);
    assert_int_equal(eng_target_write(t, NULL, 8, span_of("abc", 3), &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    assert_int_equal(eng_target_zero(t, NULL, UINT64_MAX, 2, &e), -1);
    assert_int_equal(e.kind, ERR_INTERNAL);
    eng_target_close(t);
}

static void a_full_file_system_is_named(void **state)
{
    struct eng_target_opts o = { .path = at("mnt/f"),
                                 .size = 64u << 20,
                                 .writers = 1 };
    struct err e = { 0 };
    int r = 0;
    uint8_t *p = room(BLOCK);
    (void)state;
    assert_int_equal(mkdir(at("mnt"), 0700), 0);
    if (mount("tmpfs", at("mnt"), "tmpfs", 0, "size=1m") < 0) {
        print_message("no tmpfs: mounting needs root\n");
        free(p);
        skip();
    }
    struct eng_target *t = open_target(&o);
    for (uint64_t i = 0; i < 8 && r == 0; i++) {
        fill(p, BLOCK, i * BLOCK);
        r = eng_target_write(t, NULL, i * BLOCK, span_of(p, BLOCK), &e);
    }
    assert_int_equal(r, -1);
    assert_err(&e, ERR_FULL, "mnt/f");
    eng_target_close(t);
    assert_false(exists(at("mnt/f.objvault-part")));
    assert_int_equal(umount(at("mnt")), 0);
    free(p);
}

static void a_file_size_limit_is_named(void **state)
{
    struct eng_target_opts o = { .path = at("f"),
                                 .size = 8u << 20,
                                 .writers = 1 };
    struct rlimit old;
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = { .rlim_cur = 1u << 20, .rlim_max = old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct err e = { 0 };
    struct eng_target *t = eng_target_open(&o, &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_null(t);
    assert_err(&e, ERR_FULL, "f.objvault-part");
    assert_false(exists(at("f.objvault-part")));
}

static void many_writers_make_one_file(void **state)
{
    struct err e = { 0 };
    size_t len = 0;
    struct job j = make_job(20 * BLOCK + 77, 4);
    struct eng_target_opts o = { .path = at("f"),
                                 .size = j.size,
                                 .writers = 6 };
    (void)state;
    j.t = open_target(&o);
    if (workers_run(6, 21, NULL, write_blocks, &j, &e) < 0)
        fail_msg("%s", e.msg);
    commit(j.t);
    uint8_t *have = slurp(at("f"), &len);
    assert_int_equal(len, j.size);
    assert_memory_equal(have, j.disk, len);
    free(have);
    drop_job(&j);
}

static void a_device_is_overwritten_zeros_included(void **state)
{
    struct err e = { 0 };
    size_t len = 0;
    struct job j = make_job(9 * BLOCK + 4608, 3);
    struct eng_target_opts o = { .size = j.size, .writers = 3 };
    (void)state;
    put_data(at("d.img"), 0, 10 * BLOCK);
    o.path = loop_make(at("d.img"));
    if (o.path == NULL) {
        drop_job(&j);
        skip();
    }
    assert_refused(&o, ERR_EXISTS, "--force");
    o.force = true;
    o.size = 10 * BLOCK + 1;
    assert_refused(&o, ERR_FULL, "2621440 bytes");
    o.size = j.size;
    o.format = ENG_TARGET_QCOW2;
    assert_refused(&o, ERR_USAGE, "raw");
    o.format = ENG_TARGET_RAW;
    int fd = open(o.path, O_RDONLY | O_EXCL | O_CLOEXEC);
    assert_refused(&o, ERR_BUSY, "in use");
    close(fd);
    j.t = open_target(&o);
    if (workers_run(3, 10, NULL, write_blocks, &j, &e) < 0)
        fail_msg("%s", e.msg);
    /* Ends within a sector, and begins within one. */
    assert_int_equal(eng_target_zero(j.t, NULL, 3 * BLOCK + 100, 5000, &e), 0);
    commit(j.t);
    uint8_t *have = slurp(o.path, &len);
    free(have);
    sh("sync d.img");
    have = slurp(at("d.img"), &len);
    assert_int_equal(len, 10 * BLOCK);
    assert_memory_equal(have, j.disk, j.size);
    /* What lies behind the disk's end is as it was. */
    assert_int_equal(have[len - 1], byte_at(len - 1));
    free(have);
    loop_drop(o.path);
    drop_job(&j);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_size_becomes_a_file),
        TEST(zeros_become_holes),
        TEST(an_existing_file_is_left_alone_without_force),
        TEST(an_image_in_use_is_not_replaced),
        TEST(without_commit_nothing_is_left),
        TEST(a_stale_part_is_replaced_a_live_one_is_not),
        TEST(a_name_that_appears_meanwhile_is_not_replaced),
        TEST(odd_paths_are_refused),
        TEST(a_path_may_be_relative),
        TEST(writes_past_the_end_are_a_bug),
        TEST(a_full_file_system_is_named),
        TEST(a_file_size_limit_is_named),
        TEST(many_writers_make_one_file),
        TEST(a_device_is_overwritten_zeros_included),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

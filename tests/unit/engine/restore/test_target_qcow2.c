// SPDX-License-Identifier: Apache-2.0
// Restores into a qcow2 image, by the real tools.
#include "tests/unit/engine/source/scratch.h"

#include <signal.h>
#include <sys/mount.h>

#include "base/workers.h"
#include "engine/restore/target.h"

#define BLOCK (1u << 20)

static struct eng_target *open_target(const struct eng_target_opts *o)
{
    struct err e = { 0 };
    struct eng_target *t = eng_target_open(o, &e);
    if (t == NULL)
        fail_msg("%s", e.msg);
    return t;
}

static struct eng_target_opts opts(const char *path, uint64_t size)
{
    return (struct eng_target_opts){
        .path = path, .format = ENG_TARGET_QCOW2, .size = size, .writers = 4
    };
}

struct job {
    struct eng_target *t;
    uint8_t *disk;
    uint64_t size;
};

static int write_blocks(void *ctx, struct workers *w, unsigned index,
                        struct err *e)
{
    struct job *j = ctx;
    uint64_t i = 0;
    (void)index;
    while (workers_claim(w, &i)) {
        uint64_t o = i * BLOCK;
        uint64_t n = j->size - o < BLOCK ? j->size - o : BLOCK;
        int r = i % 4 == 0 ? eng_target_zero(j->t, workers_cancel(w), o, n, e)
                           : eng_target_write(j->t, workers_cancel(w), o,
                                              span_of(j->disk + o, n), e);
        if (r < 0)
            return -1;
    }
    return 0;
}

/* Every fourth block zeros, every sixteenth with one byte in it. */
static struct job make_job(uint64_t size)
{
    struct job j = { .disk = room(size), .size = size };
    fill(j.disk, size, 0);
    for (uint64_t o = 0; o < size; o += BLOCK) {
        uint64_t n = size - o < BLOCK ? size - o : BLOCK;
        uint64_t i = o / BLOCK;
        if (i % 4 == 0 || i % 16 == 5)
            memset(j.disk + o, 0, n);
        if (i % 16 == 5)
            j.disk[o + n / 2] = 1;
    }
    return j;
}

static void assert_image_is(const char *name, const struct job *j)
{
    size_t len = 0;
    sh("qemu-img check -f qcow2 %s && qemu-img convert -f qcow2 -O raw %s "
       "back.raw",
       name, name);
    uint8_t *have = slurp(at("back.raw"), &len);
    assert_int_equal(len, (j->size + 511) / 512 * 512);
    assert_memory_equal(have, j->disk, j->size);
    for (size_t i = j->size; i < len; i++)
        assert_int_equal(have[i], 0);
    free(have);
}

static void many_writers_make_one_image(void **state)
{
    struct err e = { 0 };
    struct stat st;
    struct job j = make_job(32 * BLOCK + 1000);
    struct eng_target_opts o = opts(at("f.qcow2"), j.size);
    (void)state;
    o.mode = 0640;
    j.t = open_target(&o);
    if (workers_run(4, 33, NULL, write_blocks, &j, &e) < 0)
        fail_msg("%s", e.msg);
    assert_true(access(at("f.qcow2"), F_OK) < 0);
    if (eng_target_commit(j.t, &e) < 0)
        fail_msg("%s", e.msg);
    eng_target_close(j.t);
    assert_true(access(at("f.qcow2.objvault-part"), F_OK) < 0);
    assert_image_is("f.qcow2", &j);
    assert_int_equal(stat(at("f.qcow2"), &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0640);
    /* 9 blocks of 33 are zeros, 2 hold one cluster each. */
    assert_true(st.st_blocks * 512 < 23 * (int64_t)BLOCK);
    free(j.disk);
}

static void an_empty_disk_is_an_image_too(void **state)
{
    struct err e = { 0 };
    struct job j = { .disk = room(0) };
    struct eng_target_opts o = opts(at("f.qcow2"), 0);
    (void)state;
    struct eng_target *t = open_target(&o);
    if (eng_target_commit(t, &e) < 0)
        fail_msg("%s", e.msg);
    eng_target_close(t);
    assert_image_is("f.qcow2", &j);
    free(j.disk);
}

static void existing_images_need_force(void **state)
{
    struct err e = { 0 };
    struct job j = make_job(2 * BLOCK);
    struct eng_target_opts o = opts(at("f.qcow2"), j.size);
    (void)state;
    put_text(at("f.qcow2"), "old");
    put_text(at("f.qcow2.objvault-part"), "stale");
    assert_null(eng_target_open(&o, &e));
    assert_err(&e, ERR_EXISTS, "f.qcow2");
    o.force = true;
    j.t = open_target(&o);
    assert_int_equal(workers_run(2, 2, NULL, write_blocks, &j, &e), 0);
    assert_int_equal(eng_target_commit(j.t, &e), 0);
    eng_target_close(j.t);
    assert_image_is("f.qcow2", &j);
    free(j.disk);
}

static void without_commit_no_image_is_left(void **state)
{
    struct err e = { 0 };
    struct job j = make_job(4 * BLOCK);
    struct eng_target_opts o = opts(at("f.qcow2"), j.size);
    (void)state;
    j.t = open_target(&o);
    assert_null(eng_target_open(&o, &e));
    assert_err(&e, ERR_BUSY, "f.qcow2.objvault-part");
    assert_int_equal(workers_run(2, 4, NULL, write_blocks, &j, &e), 0);
    eng_target_close(j.t);
    assert_true(access(at("f.qcow2"), F_OK) < 0);
    assert_true(access(at("f.qcow2.objvault-part"), F_OK) < 0);
    free(j.disk);
}

static void a_full_file_system_is_named(void **state)
{
    struct err e = { 0 };
    struct job j = make_job(16 * BLOCK);
    struct eng_target_opts o = opts(at("mnt/f.qcow2"), j.size);
    (void)state;
    assert_int_equal(mkdir(at("mnt"), 0700), 0);
    if (mount("tmpfs", at("mnt"), "tmpfs", 0, "size=3m") < 0) {
        print_message("no tmpfs: mounting needs root\n");
        free(j.disk);
        skip();
    }
    j.t = open_target(&o);
    assert_int_equal(workers_run(4, 16, NULL, write_blocks, &j, &e), -1);
    assert_err(&e, ERR_FULL, "mnt/f.qcow2");
    eng_target_close(j.t);
    assert_true(access(at("mnt/f.qcow2.objvault-part"), F_OK) < 0);
    assert_int_equal(umount(at("mnt")), 0);
    free(j.disk);
}

static void missing_tools_are_named_with_their_package(void **state)
{
    struct err e = { 0 };
    struct eng_target_opts o = opts(at("f.qcow2"), BLOCK);
    (void)state;
    char *path = strdup(getenv("PATH"));
    sh("mkdir empty half && ln -s $(command -v qemu-img) half/");
    setenv("PATH", at("empty"), 1);
    assert_null(eng_target_open(&o, &e));
    assert_err(&e, ERR_UNSUPPORTED, "qemu-utils");
    setenv("PATH", at("half"), 1);
    assert_null(eng_target_open(&o, &e));
    assert_err(&e, ERR_UNSUPPORTED, "qemu-nbd");
    setenv("PATH", path, 1);
    free(path);
    assert_true(access(at("f.qcow2.objvault-part"), F_OK) < 0);
}

static void a_server_that_dies_fails_the_restore(void **state)
{
    struct err e = { 0 };
    char text[64];
    int pid = 0;
    struct job j = make_job(4 * BLOCK);
    struct eng_target_opts o = opts(at("f.qcow2"), j.size);
    (void)state;
    j.t = open_target(&o);
    snprintf(text, sizeof(text), "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(text, "r");
    assert_int_equal(fscanf(f, "%d", &pid), 1);
    fclose(f);
    assert_int_equal(workers_run(2, 4, NULL, write_blocks, &j, &e), 0);
    kill(pid, SIGKILL);
    assert_int_equal(workers_run(2, 4, NULL, write_blocks, &j, &e), -1);
    assert_err(&e, ERR_IO, "f.qcow2");
    assert_int_equal(eng_target_commit(j.t, &e), -1);
    assert_err(&e, ERR_IO, "f.qcow2");
    eng_target_close(j.t);
    assert_true(access(at("f.qcow2"), F_OK) < 0);
    assert_true(access(at("f.qcow2.objvault-part"), F_OK) < 0);
    free(j.disk);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_writers_make_one_image),
        TEST(an_empty_disk_is_an_image_too),
        TEST(existing_images_need_force),
        TEST(without_commit_no_image_is_left),
        TEST(a_full_file_system_is_named),
        TEST(missing_tools_are_named_with_their_package),
        TEST(a_server_that_dies_fails_the_restore),
    };
    if (!have_tools()) {
        print_message("qemu-img, qemu-io and qemu-nbd are not installed\n");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// Raw images, devices and plain files, read by the program itself.
#include "tests/unit/engine/source/scratch.h"

#include <errno.h>

#include "base/workers.h"
#include "engine/source/image.h"

#define BLOCK (64u << 10)

static const struct eng_image_opts raw = { .format = ENG_IMAGE_RAW };
static const struct eng_image_opts plain = { .plain_file = true };

static struct eng_image *open_raw(const char *path)
{
    struct err e = { 0 };
    struct eng_image *im = eng_image_open(path, &raw, &e);
    if (im == NULL)
        fail_msg("%s", e.msg);
    return im;
}

/* Reads all of it block by block; data: allocated bytes. */
static uint8_t *read_all(struct eng_image *im, uint64_t *data)
{
    struct err e = { 0 };
    uint64_t size = eng_image_size(im);
    uint8_t *all = room((size_t)size);
    uint8_t *block = room(BLOCK);
    AUTO_ENG_IMAGE_READER struct eng_image_reader *r =
        eng_image_reader_open(im, &e);
    assert_non_null(r);
    *data = 0;
    for (uint64_t o = 0; o < size; o += BLOCK) {
        uint32_t n = (uint32_t)(size - o < BLOCK ? size - o : BLOCK);
        uint32_t got = 0;
        memset(block, 0xaa, BLOCK);
        if (eng_image_read(r, o, n, block, &got, &e) < 0)
            fail_msg("%s", e.msg);
        assert_true(got <= n);
        if (got > 0)
            memcpy(all + o, block, n);
        else
            memset(all + o, 0, n);
        *data += got;
    }
    free(block);
    return all;
}

static void assert_reads_as_file(const char *path, uint64_t data)
{
    size_t len = 0;
    uint64_t got = 0;
    AUTO_ENG_IMAGE struct eng_image *im = open_raw(path);
    uint8_t *want = slurp(path, &len);
    assert_int_equal(eng_image_size(im), len);
    uint8_t *have = read_all(im, &got);
    assert_memory_equal(have, want, len);
    assert_int_equal(got, data);
    free(have);
    free(want);
}

/* So that the next read is not answered from memory. */
static void drop_cache(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fsync(fd), 0);
    assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    close(fd);
}

static void every_size_is_read_exactly(void **state)
{
    static const size_t sizes[] = {
        0, 1, 511, 4095, 4096, 4097, BLOCK - 1, BLOCK, BLOCK + 1, 1000003
    };
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char name[32];
        snprintf(name, sizeof(name), "%zu.raw", sizes[i]);
        put_data(at(name), 0, sizes[i]);
        assert_reads_as_file(at(name), sizes[i]);
        drop_cache(at(name));
        assert_reads_as_file(at(name), sizes[i]);
    }
}

static void holes_are_not_read(void **state)
{
    (void)state;
    set_size(at("s.raw"), 16u << 20);
    put_data(at("s.raw"), 1u << 20, 4096);
    put_data(at("s.raw"), (5u << 20) + 3 * 4096, 4096);
    put_data(at("s.raw"), (16u << 20) - 4096, 4096);
    assert_reads_as_file(at("s.raw"), 3 * 4096);
    drop_cache(at("s.raw"));
    assert_reads_as_file(at("s.raw"), 3 * 4096);
}

static void a_hole_leaves_the_buffer_alone(void **state)
{
    struct err e = { 0 };
    uint32_t data = 1;
    uint8_t *p = room(BLOCK);
    (void)state;
    set_size(at("h.raw"), 4u << 20);
    put_data(at("h.raw"), 2u << 20, 4096);
    AUTO_ENG_IMAGE struct eng_image *im = open_raw(at("h.raw"));
    AUTO_ENG_IMAGE_READER struct eng_image_reader *r =
        eng_image_reader_open(im, &e);
    p[0] = 0x77;
    assert_int_equal(eng_image_read(r, 0, BLOCK, p, &data, &e), 0);
    assert_int_equal(data, 0);
    assert_int_equal(p[0], 0x77);
    /* In a block with data the holes are zeros. */
    memset(p, 0x77, BLOCK);
    assert_int_equal(eng_image_read(r, 2u << 20, BLOCK, p, &data, &e), 0);
    assert_int_equal(data, 4096);
    assert_int_equal(p[4095], byte_at((2u << 20) + 4095));
    assert_int_equal(p[4096], 0);
    assert_int_equal(p[BLOCK - 1], 0);
    free(p);
}

static void a_tail_behind_a_hole_is_read(void **state)
{
    (void)state;
    set_size(at("t.raw"), (5u << 20) + 100);
    put_data(at("t.raw"), 5u << 20, 100);
    assert_reads_as_file(at("t.raw"), 100);
}

static void a_file_in_memory_is_read(void **state)
{
    char path[] = "/dev/shm/objvault-test-XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0)
        skip();
    close(fd);
    put_data(path, 0, 300001);
    assert_reads_as_file(path, 300001);
    unlink(path);
}

static void memory_that_is_not_aligned_will_do(void **state)
{
    struct err e = { 0 };
    uint32_t data = 0;
    uint8_t *p = room(BLOCK + 8);
    (void)state;
    put_data(at("u.raw"), 0, BLOCK);
    drop_cache(at("u.raw"));
    AUTO_ENG_IMAGE struct eng_image *im = open_raw(at("u.raw"));
    AUTO_ENG_IMAGE_READER struct eng_image_reader *r =
        eng_image_reader_open(im, &e);
    assert_int_equal(eng_image_read(r, 0, BLOCK, p + 8, &data, &e), 0);
    assert_int_equal(data, BLOCK);
    assert_int_equal(p[8 + BLOCK - 1], byte_at(BLOCK - 1));
    free(p);
}

static void a_range_past_the_end_is_a_bug(void **state)
{
    struct err e = { 0 };
    uint32_t data = 0;
    uint8_t p[1];
    (void)state;
    put_data(at("r.raw"), 0, 5000);
    AUTO_ENG_IMAGE struct eng_image *im = open_raw(at("r.raw"));
    AUTO_ENG_IMAGE_READER struct eng_image_reader *r =
        eng_image_reader_open(im, &e);
    assert_int_equal(eng_image_read(r, 4096, 905, p, &data, &e), -1);
    assert_err(&e, ERR_INTERNAL, "5000");
    assert_int_equal(eng_image_read(r, 8192, 1, p, &data, &e), -1);
    assert_int_equal(eng_image_read(r, 1, 1, p, &data, &e), -1);
}

static void a_file_that_shrinks_is_not_taken_for_zeros(void **state)
{
    struct err e = { 0 };
    uint32_t data = 0;
    uint8_t *p = room(BLOCK);
    (void)state;
    put_data(at("c.raw"), 0, 4 * BLOCK);
    AUTO_ENG_IMAGE struct eng_image *im = open_raw(at("c.raw"));
    AUTO_ENG_IMAGE_READER struct eng_image_reader *r =
        eng_image_reader_open(im, &e);
    set_size(at("c.raw"), BLOCK + 10);
    assert_int_equal(eng_image_read(r, 2 * BLOCK, BLOCK, p, &data, &e), -1);
    assert_err(&e, ERR_IO, "shrunk");
    assert_int_equal(eng_image_read(r, BLOCK, BLOCK, p, &data, &e), -1);
    assert_int_equal(e.kind, ERR_IO);
    free(p);
}

static void only_files_and_devices_are_images(void **state)
{
    struct err e = { 0 };
    (void)state;
    assert_null(eng_image_open(at("none.raw"), &raw, &e));
    assert_err(&e, ERR_NOTFOUND, "none.raw");
    assert_null(eng_image_open(scratch, &raw, &e));
    assert_err(&e, ERR_USAGE, scratch);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    assert_null(eng_image_open(at("fifo"), &raw, &e));
    assert_err(&e, ERR_USAGE, "fifo");
    assert_null(eng_image_open("/dev/null", &raw, &e));
    assert_err(&e, ERR_USAGE, "/dev/null");
}

static void a_plain_file_may_not_have_become_a_link(void **state)
{
    struct err e = { 0 };
    (void)state;
    put_text(at("vm.xml"), "<domain/>");
    assert_int_equal(symlink("vm.xml", at("link")), 0);
    assert_null(eng_image_open(at("link"), &plain, &e));
    assert_err(&e, ERR_USAGE, "link");
    AUTO_ENG_IMAGE struct eng_image *im =
        eng_image_open(at("vm.xml"), &plain, &e);
    assert_non_null(im);
    assert_int_equal(eng_image_size(im), 9);
    AUTO_ENG_IMAGE struct eng_image *image =
        eng_image_open(at("link"), &raw, &e);
    assert_non_null(image);
}

static int hold(int fd, int byte)
{
    struct flock fl = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1
    };
    return fcntl(fd, F_OFD_SETLK, &fl);
}

static void an_image_held_for_writing_is_refused(void **state)
{
    static const int bytes[] = { 101, 103, 200 };
    struct err e = { 0 };
    (void)state;
    put_data(at("l.raw"), 0, 1000);
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        int fd = open(at("l.raw"), O_RDWR | O_CLOEXEC);
        assert_int_equal(hold(fd, bytes[i]), 0);
        assert_null(eng_image_open(at("l.raw"), &raw, &e));
        assert_err(&e, ERR_BUSY, "l.raw");
        /* A plain file has nothing to do with QEMU. */
        AUTO_ENG_IMAGE struct eng_image *im =
            eng_image_open(at("l.raw"), &plain, &e);
        assert_non_null(im);
        close(fd);
    }
    /* Other readers, and what denies writing alone, are welcome. */
    int fd = open(at("l.raw"), O_RDWR | O_CLOEXEC);
    assert_int_equal(hold(fd, 100), 0);
    assert_int_equal(hold(fd, 201), 0);
    AUTO_ENG_IMAGE struct eng_image *a = open_raw(at("l.raw"));
    AUTO_ENG_IMAGE struct eng_image *b = open_raw(at("l.raw"));
    assert_true(a != b);
    close(fd);
}

static void an_exclusive_lock_of_another_program_is_refused(void **state)
{
    struct err e = { 0 };
    struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    (void)state;
    put_data(at("x.raw"), 0, 1000);
    int fd = open(at("x.raw"), O_RDWR | O_CLOEXEC);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &fl), 0);
    assert_null(eng_image_open(at("x.raw"), &raw, &e));
    assert_err(&e, ERR_BUSY, "x.raw");
    close(fd);
}

struct job {
    struct eng_image *im;
    uint64_t blocks;
};

static int read_some(void *ctx, struct workers *w, unsigned index,
                     struct err *e)
{
    struct job *j = ctx;
    uint64_t i = 0;
    (void)index;
    AUTO_MEM uint8_t *p = aligned_alloc(ENG_IMAGE_ALIGN, BLOCK);
    AUTO_ENG_IMAGE_READER struct eng_image_reader *r =
        eng_image_reader_open(j->im, e);
    if (r == NULL || p == NULL)
        return -1;
    while (workers_claim(w, &i)) {
        uint32_t data = 0;
        if (eng_image_read(r, i * BLOCK, BLOCK, p, &data, e) < 0)
            return -1;
        bool hole = i % 3 == 0;
        if (data != (hole ? 0 : BLOCK) ||
            (!hole && p[1234] != byte_at(i * BLOCK + 1234)))
            return err_set(e, ERR_CORRUPT, 0, "block %u", (unsigned)i);
    }
    return 0;
}

static void many_readers_share_an_image(void **state)
{
    struct err e = { 0 };
    struct job j = { .blocks = 120 };
    (void)state;
    set_size(at("m.raw"), j.blocks * BLOCK);
    for (uint64_t i = 0; i < j.blocks; i++)
        if (i % 3 != 0)
            put_data(at("m.raw"), i * BLOCK, BLOCK);
    drop_cache(at("m.raw"));
    j.im = open_raw(at("m.raw"));
    if (workers_run(8, j.blocks, NULL, read_some, &j, &e) < 0)
        fail_msg("%s", e.msg);
    eng_image_close(j.im);
}

static void a_block_device_is_read_whole_and_alone(void **state)
{
    struct err e = { 0 };
    size_t len = 0;
    uint64_t data = 0;
    (void)state;
    set_size(at("d.img"), 3 * BLOCK + 512);
    put_data(at("d.img"), BLOCK, 5000);
    const char *dev = loop_make(at("d.img"));
    if (dev == NULL)
        skip();
    struct eng_image *im = open_raw(dev);
    uint8_t *want = slurp(at("d.img"), &len);
    assert_int_equal(eng_image_size(im), len);
    uint8_t *have = read_all(im, &data);
    assert_memory_equal(have, want, len);
    assert_int_equal(data, len);
    /* While it is read it can be mounted by nobody. */
    assert_true(open(dev, O_RDONLY | O_EXCL | O_CLOEXEC) < 0);
    assert_int_equal(errno, EBUSY);
    eng_image_close(im);
    int fd = open(dev, O_RDONLY | O_EXCL | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_null(eng_image_open(dev, &raw, &e));
    assert_err(&e, ERR_BUSY, "in use");
    close(fd);
    loop_drop(dev);
    free(have);
    free(want);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_size_is_read_exactly),
        TEST(holes_are_not_read),
        TEST(a_hole_leaves_the_buffer_alone),
        TEST(a_tail_behind_a_hole_is_read),
        TEST(a_file_in_memory_is_read),
        TEST(memory_that_is_not_aligned_will_do),
        TEST(a_range_past_the_end_is_a_bug),
        TEST(a_file_that_shrinks_is_not_taken_for_zeros),
        TEST(only_files_and_devices_are_images),
        TEST(a_plain_file_may_not_have_become_a_link),
        TEST(an_image_held_for_writing_is_refused),
        TEST(an_exclusive_lock_of_another_program_is_refused),
        TEST(many_readers_share_an_image),
        TEST(a_block_device_is_read_whole_and_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

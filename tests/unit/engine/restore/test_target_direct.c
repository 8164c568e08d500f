// SPDX-License-Identifier: Apache-2.0
// Writing past the page cache: what goes there, and what happens where a file
// system does not take it.  The linker puts these open and pwrite between the
// targets and libc; they watch, and refuse where a test asks for it.
#include "tests/unit/engine/restore/write_job.h"
#include "tests/unit/must.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mount.h>

#define PAGE ENG_TARGET_ALIGN
#define MANY (1u << 20)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    bool refuse_open;
    int fail_with;       /* errno of every write past the cache; 0: none */
    size_t at_most;      /* bytes that one such write takes; 0: any number */
    unsigned direct;     /* writes past the cache */
    uint64_t direct_sum; /* bytes that these took */
    unsigned cached;     /* writes through it */
    uint64_t cached_sum;
    unsigned misaligned; /* writes past the cache that a disk would refuse */
} seen;

/* Names that begin with __real_ and __wrap_ are the linker's. */
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list ap;

    va_start(ap, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if ((flags & O_DIRECT) != 0 && seen.refuse_open) {
        errno = EINVAL;
        return -1;
    }
    return __real_open64(path, flags, mode);
}

ssize_t __real_pwrite64(int fd, const void *p, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *p, size_t len, off_t at)
{
    bool direct = (fcntl(fd, F_GETFL) & O_DIRECT) != 0;
    ssize_t n = -1;

    errno = direct ? seen.fail_with : 0;
    if (errno == 0) {
        if (direct && seen.at_most != 0 && len > seen.at_most)
            len = seen.at_most;
        n = __real_pwrite64(fd, p, len, at);
    }
    int saved = errno;
    pthread_mutex_lock(&lock);
    if (direct) {
        seen.direct++;
        seen.direct_sum += n > 0 ? (uint64_t)n : 0;
        seen.misaligned += (uintptr_t)p % PAGE != 0 || at % PAGE != 0;
    } else {
        seen.cached++;
        seen.cached_sum += n > 0 ? (uint64_t)n : 0;
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
    return n;
}

static int start(void **state)
{
    memset(&seen, 0, sizeof(seen));
    return scratch_make(state);
}

/* A skip where the file system of the test itself refuses it. */
static void need_direct(void)
{
    int fd = open(at("probe"), O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
    if (fd < 0) {
        print_message("no O_DIRECT: %s is on a file system without it\n",
                      scratch);
        skip();
    }
    close(fd);
    unlink(at("probe"));
}

static struct eng_target *open_target(const char *path, uint64_t size)
{
    struct eng_target_opts o = {
        .path = path, .size = size, .writers = 4, .force = true
    };
    struct err e = { 0 };
    struct eng_target *t = eng_target_open(&o, &e);
    if (t == NULL)
        fail_msg("%s", e.msg);
    memset(&seen.direct, 0, sizeof(seen) - offsetof(__typeof__(seen), direct));
    return t;
}

static void put(struct eng_target *t, uint64_t offset, const uint8_t *p,
                size_t len)
{
    must(eng_target_write(t, NULL, offset, span_of(p, len), why));
}

static void commit(struct eng_target *t)
{
    must(eng_target_commit(t, why));
    eng_target_close(t);
}

static void assert_holds(const char *path, const uint8_t *want, size_t n)
{
    size_t len = 0;
    uint8_t *have = slurp(path, &len);
    assert_true(len >= n);
    assert_memory_equal(have, want, n);
    free(have);
}

/* Writes a disk of 13 blocks and `rest` bytes from four workers, a block of
 * zeros in three, and compares what came of it in the file `holds`. */
static void write_disk(const char *path, const char *holds, size_t rest)
{
    struct job j = make_job(13 * BLOCK + rest, 3);
    j.t = open_target(path, j.size);
    must(workers_run(4, 13 + (rest > 0), NULL, write_blocks, &j, why));
    commit(j.t);
    assert_holds(holds, j.disk, j.size);
    drop_job(&j);
}

static void whole_pages_go_past_the_cache_and_the_rest_through_it(void **state)
{
    static const size_t rests[] = { 0, 1, 511, 4095, 4097, BLOCK - 1 };
    (void)state;
    need_direct();
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        size_t size = 2 * BLOCK + rests[i];
        uint8_t *p = room(size);
        fill(p, size, 0);
        struct eng_target *t = open_target(at("f"), size);
        put(t, BLOCK, p + BLOCK, BLOCK + rests[i]);
        put(t, 0, p, BLOCK);
        commit(t);
        assert_holds(at("f"), p, size);
        assert_int_equal(seen.direct, 2);
        assert_int_equal(seen.direct_sum, size / PAGE * PAGE);
        assert_int_equal(seen.cached_sum, size % PAGE);
        assert_int_equal(seen.misaligned, 0);
        free(p);
        unlink(at("f"));
    }
}

static void holes_stay_and_short_pieces_go_through_the_cache(void **state)
{
    uint8_t *p = room(MANY);
    struct stat st;
    (void)state;
    need_direct();
    memset(p, 0, MANY);
    fill(p, 128u << 10, 0);                     /* long */
    fill(p + (200u << 10), 4096, 0);            /* short */
    p[(300u << 10) + 4000] = 1;                 /* a page for one byte */
    fill(p + (512u << 10), (64u << 10) - 1, 0); /* fills a page but a byte */
    struct eng_target *t = open_target(at("f"), MANY);
    put(t, 0, p, MANY);
    commit(t);
    assert_holds(at("f"), p, MANY);
    assert_int_equal(stat(at("f"), &st), 0);
    assert_int_equal(st.st_blocks * 512, (128 + 4 + 4 + 64) << 10);
    assert_int_equal(seen.direct_sum, (128 + 64) << 10);
    assert_int_equal(seen.cached_sum, 8 << 10);
    free(p);
}

static void memory_that_is_not_aligned_goes_through_the_cache(void **state)
{
    uint8_t *p = room(BLOCK + PAGE);
    (void)state;
    fill(p, BLOCK + PAGE, 0);
    struct eng_target *t = open_target(at("f"), BLOCK);
    put(t, 0, p + 8, BLOCK);
    commit(t);
    assert_holds(at("f"), p + 8, BLOCK);
    assert_int_equal(seen.direct, 0);
    free(p);
}

static void a_file_system_without_it_gets_everything_as_usual(void **state)
{
    (void)state;
    seen.refuse_open = true;
    write_disk(at("f"), at("f"), 4608);
    assert_int_equal(seen.direct, 0);
    assert_true(seen.cached > 0);
}

static void a_write_that_is_refused_goes_as_usual_and_is_not_tried_on(void **s)
{
    (void)s;
    need_direct();
    seen.fail_with = EINVAL;
    write_disk(at("f"), at("f"), 4608);
    assert_in_range(seen.direct, 1, 4); /* one for each writer at most */
    assert_int_equal(seen.direct_sum, 0);
}

static void a_short_write_is_carried_on(void **state)
{
    (void)state;
    need_direct();
    seen.at_most = 3 * PAGE;
    write_disk(at("f"), at("f"), 4608);
    assert_int_equal(seen.misaligned, 0);
    assert_int_equal(seen.direct_sum, 8 * BLOCK);
}

static void an_error_of_the_disk_is_not_hidden_by_the_cache(void **state)
{
    static const struct {
        int sys;
        enum err_kind kind;
    } of[] = { { EIO, ERR_IO }, { ENOSPC, ERR_FULL }, { EFBIG, ERR_FULL } };
    uint8_t *p = room(BLOCK);
    (void)state;
    need_direct();
    fill(p, BLOCK, 0);
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        struct err e = { 0 };
        struct eng_target *t = open_target(at("f"), BLOCK);
        seen.fail_with = of[i].sys;
        assert_int_equal(eng_target_write(t, NULL, 0, span_of(p, BLOCK), &e),
                         -1);
        assert_err(&e, of[i].kind, "f.objvault-part");
        assert_int_equal(seen.cached, 0);
        eng_target_close(t);
        seen.fail_with = 0;
    }
    free(p);
}

static void a_file_system_in_memory_is_written(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("mnt"), 0700), 0);
    if (mount("tmpfs", at("mnt"), "tmpfs", 0, "size=16m") < 0) {
        print_message("no tmpfs: mounting needs root\n");
        skip();
    }
    write_disk(at("mnt/f"), at("mnt/f"), 77);
    assert_int_equal(umount(at("mnt")), 0);
}

static void a_device_is_written_past_the_cache(void **state)
{
    (void)state;
    put_data(at("d.img"), 0, 14 * BLOCK);
    const char *device = loop_make(at("d.img"));
    if (device == NULL)
        skip();
    write_disk(device, at("d.img"), 4608);
    loop_drop(device);
    assert_int_equal(seen.misaligned, 0);
    assert_int_equal(seen.direct_sum, 8 * BLOCK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, scratch_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_pages_go_past_the_cache_and_the_rest_through_it),
        TEST(holes_stay_and_short_pieces_go_through_the_cache),
        TEST(memory_that_is_not_aligned_goes_through_the_cache),
        TEST(a_file_system_without_it_gets_everything_as_usual),
        TEST(a_write_that_is_refused_goes_as_usual_and_is_not_tried_on),
        TEST(a_short_write_is_carried_on),
        TEST(an_error_of_the_disk_is_not_hidden_by_the_cache),
        TEST(a_file_system_in_memory_is_written),
        TEST(a_device_is_written_past_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

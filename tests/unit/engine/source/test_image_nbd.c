// SPDX-License-Identifier: Apache-2.0
// Images that are read through qemu-nbd, made by the real tools.
#include "tests/unit/engine/source/scratch.h"

#include <dirent.h>
#include <signal.h>

#include "base/workers.h"
#include "engine/source/image.h"
#include "engine/source/nbd_conn.h"
#include "engine/source/qemu_nbd.h"

#define BLOCK (1u << 20)
#define DISK_BYTES (24ull << 20)

static struct eng_image *open_as(const char *path, enum eng_image_format f)
{
    struct err e = { 0 };
    struct eng_image_opts o = { .format = f };
    struct eng_image *im = eng_image_open(path, &o, &e);
    if (im == NULL)
        fail_msg("%s", e.msg);
    return im;
}

static void assert_refused(const char *path, enum eng_image_format f,
                           enum err_kind kind, const char *part)
{
    struct err e = { 0 };
    struct eng_image_opts o = { .format = f };
    struct eng_image *im = eng_image_open(path, &o, &e);
    assert_null(im);
    assert_err(&e, kind, part);
}

/* The image reads as the raw file does; returns the bytes it had to read. */
static uint64_t assert_same(const char *path, enum eng_image_format f,
                            const char *raw_path)
{
    struct err e = { 0 };
    size_t len = 0;
    uint64_t sum = 0;
    uint8_t *want = slurp(raw_path, &len);
    uint8_t *block = room(BLOCK);
    uint8_t *zero = calloc(1, BLOCK);
    AUTO_ENG_IMAGE struct eng_image *im = open_as(path, f);
    AUTO_ENG_IMAGE_READER struct eng_image_reader *r =
        eng_image_reader_open(im, &e);
    assert_non_null(r);
    assert_int_equal(eng_image_size(im), len);
    for (uint64_t o = 0; o < len; o += BLOCK) {
        uint32_t n = (uint32_t)(len - o < BLOCK ? len - o : BLOCK);
        uint32_t data = 0;
        memset(block, 0x55, BLOCK);
        if (eng_image_read(r, o, n, block, &data, &e) < 0)
            fail_msg("%s", e.msg);
        assert_memory_equal(data > 0 ? block : zero, want + o, n);
        assert_true(data > 0 || block[0] == 0x55);
        sum += data;
    }
    free(zero);
    free(block);
    free(want);
    return sum;
}

/* disk.raw: data in places, the rest holes. */
static void make_raw(void)
{
    set_size(at("disk.raw"), DISK_BYTES);
    put_data(at("disk.raw"), 0, 4096);
    put_data(at("disk.raw"), (3u << 20) + 65536, 300000);
    put_data(at("disk.raw"), 10u << 20, 5u << 20);
    put_data(at("disk.raw"), DISK_BYTES - 512, 512);
}

static void each_format_reads_as_the_disk_it_was_made_of(void **state)
{
    static const enum eng_image_format formats[] = {
        ENG_IMAGE_QCOW2, ENG_IMAGE_VMDK, ENG_IMAGE_VHDX, ENG_IMAGE_VDI
    };
    (void)state;
    make_raw();
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        const char *name = eng_image_format_name(formats[i]);
        sh("qemu-img convert -O %s disk.raw disk.%s", name, name);
        char file[32];
        snprintf(file, sizeof(file), "disk.%s", name);
        uint64_t read = assert_same(at(file), formats[i], at("disk.raw"));
        /* vhdx and vdi allocate 8 MiB and 1 MiB at a time. */
        assert_true(read >= (5u << 20));
        assert_true(read <= DISK_BYTES);
    }
    /* Clusters of 64 KiB that hold data, and none besides. */
    assert_int_equal(
        assert_same(at("disk.qcow2"), ENG_IMAGE_QCOW2, at("disk.raw")),
        65536 + 327680 + (5u << 20) + 65536);
}

static void compressed_clusters_are_read(void **state)
{
    (void)state;
    make_raw();
    sh("qemu-img convert -c -O qcow2 disk.raw z.qcow2");
    assert_same(at("z.qcow2"), ENG_IMAGE_QCOW2, at("disk.raw"));
}

static void an_internal_snapshot_does_not_show(void **state)
{
    (void)state;
    make_raw();
    sh("qemu-img create -q -f qcow2 s.qcow2 %llu && "
       "qemu-io -f qcow2 -c 'write -P 1 0 4M' s.qcow2 && "
       "qemu-img snapshot -c old s.qcow2 && "
       "qemu-io -f qcow2 -c 'write -P 2 1M 1M' -c 'write -z 2M 1M' s.qcow2 && "
       "qemu-img convert -O raw s.qcow2 s.raw",
       (unsigned long long)DISK_BYTES);
    uint64_t read = assert_same(at("s.qcow2"), ENG_IMAGE_QCOW2, at("s.raw"));
    assert_int_equal(read, 3u << 20);
}

static void backing_files_are_read_through(void **state)
{
    (void)state;
    make_raw();
    sh("mkdir sub && qemu-img convert -O qcow2 disk.raw sub/base.qcow2 && "
       "qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 sub/mid.qcow2 && "
       "qemu-img create -q -f qcow2 -b %s -F qcow2 top.qcow2 && "
       "qemu-io -f qcow2 -c 'write -P 9 1M 64k' -c 'write -z 10M 1M' "
       "top.qcow2 && qemu-img convert -O raw top.qcow2 top.raw",
       at("sub/mid.qcow2"));
    assert_same(at("top.qcow2"), ENG_IMAGE_QCOW2, at("top.raw"));
}

static void an_image_that_is_written_to_is_refused(void **state)
{
    static const enum eng_image_format formats[] = { ENG_IMAGE_RAW,
                                                     ENG_IMAGE_QCOW2 };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct err e = { 0 };
        const char *name = eng_image_format_name(formats[i]);
        sh("qemu-img create -q -f %s w.%s 8M", name, name);
        char file[32];
        snprintf(file, sizeof(file), "w.%s", name);
        struct eng_qemu_nbd *q = eng_qemu_nbd_start(at(file), name, true, &e);
        if (q == NULL)
            fail_msg("%s", e.msg);
        assert_refused(at(file), formats[i], ERR_BUSY, "in use");
        eng_qemu_nbd_free(q);
        eng_image_close(open_as(at(file), formats[i]));
    }
}

static void a_backing_file_that_is_written_to_is_refused(void **state)
{
    struct err e = { 0 };
    (void)state;
    sh("qemu-img create -q -f qcow2 base.qcow2 8M && "
       "qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 top.qcow2");
    struct eng_qemu_nbd *q =
        eng_qemu_nbd_start(at("base.qcow2"), "qcow2", true, &e);
    assert_non_null(q);
    assert_refused(at("top.qcow2"), ENG_IMAGE_QCOW2, ERR_BUSY, "in use");
    eng_qemu_nbd_free(q);
}

static void nobody_writes_while_it_is_read(void **state)
{
    static const enum eng_image_format formats[] = { ENG_IMAGE_RAW,
                                                     ENG_IMAGE_QCOW2 };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *name = eng_image_format_name(formats[i]);
        sh("qemu-img create -q -f %s n.%s 8M", name, name);
        char file[32];
        snprintf(file, sizeof(file), "n.%s", name);
        struct eng_image *im = open_as(at(file), formats[i]);
        assert_true(try_sh("qemu-io -f %s -c 'write 0 4k' n.%s", name, name) !=
                    0);
        eng_image_close(im);
        assert_int_equal(
            try_sh("qemu-io -f %s -c 'write 0 4k' n.%s", name, name), 0);
    }
}

static void missing_tools_are_named_with_their_package(void **state)
{
    (void)state;
    char *path = strdup(getenv("PATH"));
    sh("mkdir empty half && qemu-img create -q -f qcow2 p.qcow2 8M && "
       "ln -s $(command -v qemu-img) half/");
    setenv("PATH", at("empty"), 1);
    assert_refused(at("p.qcow2"), ENG_IMAGE_QCOW2, ERR_UNSUPPORTED,
                   "qemu-utils");
    setenv("PATH", at("half"), 1);
    assert_refused(at("p.qcow2"), ENG_IMAGE_QCOW2, ERR_UNSUPPORTED, "qemu-nbd");
    setenv("PATH", path, 1);
    free(path);
    eng_image_close(open_as(at("p.qcow2"), ENG_IMAGE_QCOW2));
}

static void a_damaged_image_is_refused(void **state)
{
    (void)state;
    make_raw();
    sh("qemu-img convert -O qcow2 disk.raw whole.qcow2; "
       "head -c 1000 whole.qcow2 >head.qcow2; "
       "head -c 3000000 whole.qcow2 >half.qcow2; "
       "head -c 100000 /dev/urandom >junk.qcow2; : >empty.qcow2; "
       "for f in vmdk vhdx vdi; do qemu-img convert -O $f disk.raw v.$f; "
       "truncate -s 4M v.$f; done");
    assert_refused(at("head.qcow2"), ENG_IMAGE_QCOW2, ERR_CORRUPT,
                   "head.qcow2");
    assert_refused(at("half.qcow2"), ENG_IMAGE_QCOW2, ERR_CORRUPT, "truncated");
    assert_refused(at("junk.qcow2"), ENG_IMAGE_QCOW2, ERR_CORRUPT,
                   "not in qcow2 format");
    assert_refused(at("junk.qcow2"), ENG_IMAGE_VMDK, ERR_CORRUPT, "junk");
    assert_refused(at("junk.qcow2"), ENG_IMAGE_VHDX, ERR_CORRUPT, "junk");
    assert_refused(at("junk.qcow2"), ENG_IMAGE_VDI, ERR_CORRUPT, "junk");
    assert_refused(at("empty.qcow2"), ENG_IMAGE_QCOW2, ERR_CORRUPT, "empty");
    assert_refused(at("v.vmdk"), ENG_IMAGE_VMDK, ERR_CORRUPT, "v.vmdk");
    assert_refused(at("v.vhdx"), ENG_IMAGE_VHDX, ERR_CORRUPT, "v.vhdx");
    assert_refused(at("v.vdi"), ENG_IMAGE_VDI, ERR_CORRUPT, "missing");
}

static void a_missing_backing_file_is_named(void **state)
{
    (void)state;
    sh("qemu-img create -q -f qcow2 gone.qcow2 8M && "
       "qemu-img create -q -f qcow2 -b gone.qcow2 -F qcow2 o.qcow2 && "
       "rm gone.qcow2");
    assert_refused(at("o.qcow2"), ENG_IMAGE_QCOW2, ERR_CORRUPT, "gone.qcow2");
    assert_refused(at("none.qcow2"), ENG_IMAGE_QCOW2, ERR_NOTFOUND,
                   "none.qcow2");
}

/* The children of this process. */
static unsigned children(pid_t *first)
{
    char text[256];
    snprintf(text, sizeof(text), "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(text, "r");
    unsigned n = 0;
    int pid = 0;
    assert_non_null(f);
    while (fscanf(f, "%d", &pid) == 1)
        if (n++ == 0)
            *first = pid;
    fclose(f);
    return n;
}

static void a_server_that_dies_is_an_error_not_a_hang(void **state)
{
    struct err e = { 0 };
    pid_t pid = 0;
    uint32_t data = 0;
    uint8_t *p = room(BLOCK);
    (void)state;
    make_raw();
    sh("qemu-img convert -O qcow2 disk.raw k.qcow2");
    AUTO_ENG_IMAGE struct eng_image *im =
        open_as(at("k.qcow2"), ENG_IMAGE_QCOW2);
    AUTO_ENG_IMAGE_READER struct eng_image_reader *r =
        eng_image_reader_open(im, &e);
    assert_int_equal(eng_image_read(r, 10u << 20, BLOCK, p, &data, &e), 0);
    assert_int_equal(children(&pid), 1);
    kill(pid, SIGKILL);
    assert_int_equal(eng_image_read(r, 11u << 20, BLOCK, p, &data, &e), -1);
    assert_err(&e, ERR_IO, "k.qcow2");
    assert_int_equal(eng_image_read(r, 12u << 20, BLOCK, p, &data, &e), -1);
    assert_err(&e, ERR_IO, "lost");
    assert_null(eng_image_reader_open(im, &e));
    assert_err(&e, ERR_IO, "k.qcow2");
    free(p);
}

static unsigned entries(const char *path, mode_t *mode)
{
    DIR *d = opendir(path);
    const struct dirent *ent;
    unsigned n = 0;
    assert_non_null(d);
    while ((ent = readdir(d)) != NULL) {
        if (ent->d_name[0] == '.')
            continue;
        struct stat st;
        assert_int_equal(fstatat(dirfd(d), ent->d_name, &st, 0), 0);
        *mode = st.st_mode;
        n++;
    }
    closedir(d);
    return n;
}

static void nothing_is_left_behind(void **state)
{
    pid_t pid = 0;
    mode_t mode = 0;
    (void)state;
    sh("mkdir tmp && qemu-img create -q -f qcow2 l.qcow2 8M");
    setenv("TMPDIR", at("tmp"), 1);
    struct eng_image *im = open_as(at("l.qcow2"), ENG_IMAGE_QCOW2);
    assert_int_equal(entries(at("tmp"), &mode), 1);
    assert_int_equal(mode, S_IFDIR | 0700);
    assert_int_equal(children(&pid), 1);
    eng_image_close(im);
    assert_int_equal(entries(at("tmp"), &mode), 0);
    assert_int_equal(children(&pid), 0);
    sh("echo junk >j.vdi");
    assert_refused(at("j.vdi"), ENG_IMAGE_VDI, ERR_CORRUPT, "j.vdi");
    assert_int_equal(entries(at("tmp"), &mode), 0);
    assert_int_equal(children(&pid), 0);
    unsetenv("TMPDIR");
}

/* More pieces than a window holds: every other 4 KiB is a hole. */
static void a_scattered_disk_is_read(void **state)
{
    const uint64_t pieces = 9000;
    uint8_t page[4096];
    (void)state;
    int fd = open(at("f.raw"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (uint64_t i = 0; i < pieces; i++) {
        fill(page, sizeof(page), i * 8192);
        assert_int_equal(pwrite(fd, page, sizeof(page), (off_t)(i * 8192)),
                         sizeof(page));
    }
    assert_int_equal(ftruncate(fd, (off_t)(pieces * 8192)), 0);
    close(fd);
    sh("qemu-img convert -S 4k -O qcow2 -o cluster_size=4k f.raw f.qcow2");
    assert_int_equal(assert_same(at("f.qcow2"), ENG_IMAGE_QCOW2, at("f.raw")),
                     pieces * 4096);
}

struct job {
    struct eng_image *im;
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
        bool full = i >= 10 && i < 15;
        if (full && (data != BLOCK || p[777] != byte_at(i * BLOCK + 777)))
            return err_set(e, ERR_CORRUPT, 0, "block %u", (unsigned)i);
    }
    return 0;
}

static void many_readers_share_a_server(void **state)
{
    struct err e = { 0 };
    struct job j = { 0 };
    (void)state;
    make_raw();
    sh("qemu-img convert -O qcow2 disk.raw m.qcow2");
    j.im = open_as(at("m.qcow2"), ENG_IMAGE_QCOW2);
    if (workers_run(12, DISK_BYTES / BLOCK, NULL, read_some, &j, &e) < 0)
        fail_msg("%s", e.msg);
    eng_image_close(j.im);
}

static void a_name_is_never_taken_for_a_protocol(void **state)
{
    (void)state;
    make_raw();
    sh("qemu-img convert -O qcow2 disk.raw p.qcow2 && "
       "mv p.qcow2 'nbd:a,b=c.qcow2' && ln -s 'nbd:a,b=c.qcow2' lnk");
    assert_same(at("nbd:a,b=c.qcow2"), ENG_IMAGE_QCOW2, at("disk.raw"));
    assert_same(at("lnk"), ENG_IMAGE_QCOW2, at("disk.raw"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_format_reads_as_the_disk_it_was_made_of),
        TEST(compressed_clusters_are_read),
        TEST(an_internal_snapshot_does_not_show),
        TEST(backing_files_are_read_through),
        TEST(an_image_that_is_written_to_is_refused),
        TEST(a_backing_file_that_is_written_to_is_refused),
        TEST(nobody_writes_while_it_is_read),
        TEST(missing_tools_are_named_with_their_package),
        TEST(a_damaged_image_is_refused),
        TEST(a_missing_backing_file_is_named),
        TEST(a_server_that_dies_is_an_error_not_a_hang),
        TEST(nothing_is_left_behind),
        TEST(a_scattered_disk_is_read),
        TEST(many_readers_share_a_server),
        TEST(a_name_is_never_taken_for_a_protocol),
    };
    if (!have_tools()) {
        print_message("qemu-img, qemu-io and qemu-nbd are not installed\n");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// What a path makes of a machine.
#include "tests/unit/engine/source/scratch.h"

#include "engine/source/machine.h"

static struct eng_machine *scan(const char *path)
{
    struct err e = { 0 };
    struct eng_machine *m = eng_machine_scan(path, &e);
    if (m == NULL)
        fail_msg("%s", e.msg);
    return m;
}

static void assert_refused(const char *path, enum err_kind kind,
                           const char *part)
{
    struct err e = { 0 };
    struct eng_machine *m = eng_machine_scan(path, &e);
    if (m != NULL)
        fail_msg("%s was taken", path);
    assert_err(&e, kind, part);
}

static void assert_disk(const struct eng_machine *m, size_t i, const char *name,
                        enum eng_image_format format)
{
    assert_true(i < m->n_disks);
    assert_string_equal(m->disks[i].name, name);
    assert_int_equal(m->disks[i].format, format);
    assert_int_equal(m->disks[i].path[0], '/');
    assert_int_equal(access(m->disks[i].path, R_OK), 0);
}

/* A qcow2 header that names another file. */
static void put_qcow2(const char *name, const char *backing)
{
    uint8_t p[1024] = "QFI\xfb";
    p[7] = 3;
    p[103] = 104;
    if (backing != NULL) {
        p[14] = 2; /* at 512 */
        p[19] = (uint8_t)strlen(backing);
        memcpy(p + 512, backing, strlen(backing));
    }
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, sizeof(p)), sizeof(p));
    close(fd);
}

static void a_folder_is_a_machine_of_disks_and_files(void **state)
{
    char source[128];
    (void)state;
    sh("mkdir web1 web1/nvram && : >web1/empty.raw && echo x >web1/b.IMG && "
       "echo '<domain/>' >web1/vm.xml && echo iso >web1/cd.iso && "
       "echo v >web1/nvram/vars.fd && chmod 640 web1/vm.xml");
    put_qcow2("web1/vda.qcow2", NULL);
    put_qcow2("web1/snap.1", NULL);
    AUTO_ENG_MACHINE struct eng_machine *m = scan(at("web1"));
    snprintf(source, sizeof(source), "dir:%s/web1", scratch);
    assert_string_equal(m->name, "web1");
    assert_string_equal(m->source, source);
    assert_int_equal(m->n_disks, 4);
    assert_disk(m, 0, "b.IMG", ENG_IMAGE_RAW);
    assert_disk(m, 1, "empty.raw", ENG_IMAGE_RAW);
    assert_disk(m, 2, "snap.1", ENG_IMAGE_QCOW2);
    assert_disk(m, 3, "vda.qcow2", ENG_IMAGE_QCOW2);
    assert_int_equal(m->n_files, 3);
    assert_string_equal(m->files[0].name, "cd.iso");
    assert_string_equal(m->files[1].name, "nvram/vars.fd");
    assert_string_equal(m->files[2].name, "vm.xml");
    assert_int_equal(m->files[2].mode, 0640);
    assert_int_equal(m->files[2].size, 10);
    assert_string_equal(m->files[2].path, at("web1/vm.xml"));
}

static void extensions_tell_the_format(void **state)
{
    (void)state;
    sh("mkdir d && for x in raw qcow2 vmdk vhdx vdi; do : >d/a.$x; done");
    AUTO_ENG_MACHINE struct eng_machine *m = scan(at("d"));
    assert_int_equal(m->n_disks, 5);
    assert_disk(m, 0, "a.qcow2", ENG_IMAGE_QCOW2);
    assert_disk(m, 1, "a.raw", ENG_IMAGE_RAW);
    assert_disk(m, 2, "a.vdi", ENG_IMAGE_VDI);
    assert_disk(m, 3, "a.vhdx", ENG_IMAGE_VHDX);
    assert_disk(m, 4, "a.vmdk", ENG_IMAGE_VMDK);
}

static void raw_stays_raw_and_img_goes_by_its_magic(void **state)
{
    (void)state;
    sh("mkdir d");
    put_qcow2("d/a.raw", "/etc/shadow");
    put_qcow2("d/b.img", NULL);
    AUTO_ENG_MACHINE struct eng_machine *m = scan(at("d"));
    assert_disk(m, 0, "a.raw", ENG_IMAGE_RAW);
    assert_disk(m, 1, "b.img", ENG_IMAGE_QCOW2);
}

static void a_broken_header_in_a_raw_disk_does_not_matter(void **state)
{
    (void)state;
    sh("mkdir d e && printf 'QFI\\373' >d/a.raw && cp d/a.raw e/a.img");
    AUTO_ENG_MACHINE struct eng_machine *m = scan(at("d"));
    assert_disk(m, 0, "a.raw", ENG_IMAGE_RAW);
    assert_refused(at("e"), ERR_CORRUPT, "a.img");
}

static void backing_files_are_no_disks(void **state)
{
    (void)state;
    sh("mkdir d d/base && : >d/data.raw && ln d/data.raw link.raw");
    put_qcow2("d/base/root.qcow2", NULL);
    put_qcow2("d/mid.qcow2", "base/root.qcow2");
    put_qcow2("d/vda.qcow2", at("d/mid.qcow2"));
    put_qcow2("d/vdb.qcow2", "file:data.raw");
    put_qcow2("d/vdc.qcow2", "nbd:localhost:1");
    put_qcow2("d/vdd.qcow2", "gone.qcow2");
    AUTO_ENG_MACHINE struct eng_machine *m = scan(at("d"));
    assert_int_equal(m->n_disks, 4);
    assert_disk(m, 0, "vda.qcow2", ENG_IMAGE_QCOW2);
    assert_disk(m, 1, "vdb.qcow2", ENG_IMAGE_QCOW2);
    assert_disk(m, 2, "vdc.qcow2", ENG_IMAGE_QCOW2);
    assert_disk(m, 3, "vdd.qcow2", ENG_IMAGE_QCOW2);
    assert_int_equal(m->n_files, 0);
}

static void extents_of_a_vmdk_are_no_disks(void **state)
{
    (void)state;
    sh("mkdir d && : >d/x-flat.vmdk && "
       "printf '# Disk DescriptorFile\\nRW 1 FLAT \"x-flat.vmdk\" 0\\n' "
       ">d/x.vmdk");
    AUTO_ENG_MACHINE struct eng_machine *m = scan(at("d"));
    assert_int_equal(m->n_disks, 1);
    assert_disk(m, 0, "x.vmdk", ENG_IMAGE_VMDK);
    assert_int_equal(m->n_files, 0);
}

/* A guest can write such a header to its raw disk. */
static void magic_alone_does_not_reach_out_of_the_folder(void **state)
{
    (void)state;
    sh("mkdir a b c d && : >secret");
    put_qcow2("a/disk.img", "/etc/shadow");
    assert_refused(at("a"), ERR_USAGE, "disk.img");
    put_qcow2("b/disk", "../secret");
    assert_refused(at("b"), ERR_USAGE, "../secret");
    /* By way of another disk of the same guest. */
    put_qcow2("c/vda.img", "vdb.raw");
    put_qcow2("c/vdb.raw", "/etc/shadow");
    assert_refused(at("c"), ERR_USAGE, "/etc/shadow");
    sh("printf 'QFI\\373' >c/vdb.raw");
    assert_refused(at("c"), ERR_USAGE, "vdb.raw");
    /* A snapshot within the folder is fine, a name that says qcow2 too. */
    put_qcow2("d/vda.snap1", "vda.qcow2");
    put_qcow2("d/vda.qcow2", NULL);
    put_qcow2("d/vdb.qcow2", "../secret");
    AUTO_ENG_MACHINE struct eng_machine *m = scan(at("d"));
    assert_int_equal(m->n_disks, 2);
    assert_disk(m, 0, "vda.snap1", ENG_IMAGE_QCOW2);
    assert_disk(m, 1, "vdb.qcow2", ENG_IMAGE_QCOW2);
    put_qcow2("single.img", "vda.qcow2");
    assert_refused(at("single.img"), ERR_USAGE, "single.img");
}

static void circles_end(void **state)
{
    (void)state;
    sh("mkdir d");
    put_qcow2("d/a.img", "b.img");
    put_qcow2("d/b.img", "a.img");
    assert_refused(at("d"), ERR_USAGE, "no disk image");
    put_qcow2("d/c.img", "c.img");
    AUTO_ENG_MACHINE struct eng_machine *m = scan(at("d"));
    assert_int_equal(m->n_disks, 1);
    assert_disk(m, 0, "c.img", ENG_IMAGE_QCOW2);
}

static void what_is_no_file_is_refused_by_name(void **state)
{
    (void)state;
    sh("for d in l f s; do mkdir $d; : >$d/a.raw; done; "
       "ln -s a.raw l/link.raw; mkfifo f/pipe; mkdir s/sub; "
       "ln -s / s/sub/root");
    assert_refused(at("l"), ERR_USAGE, "link.raw");
    assert_refused(at("f"), ERR_USAGE, "f/pipe");
    assert_refused(at("s"), ERR_USAGE, "sub/root");
}

static void names_are_utf8_without_controls(void **state)
{
    (void)state;
    sh("mkdir a b c && : >a/a.raw && : >\"a/$(printf 'x\\377y')\" && "
       ": >b/a.raw && : >\"b/$(printf 'x\\033y')\" && "
       ": >\"c/$(printf 'd\\303\\274.raw')\"");
    assert_refused(at("a"), ERR_USAGE, "x?y");
    assert_refused(at("b"), ERR_USAGE, "x?y");
    AUTO_ENG_MACHINE struct eng_machine *m = scan(at("c"));
    assert_disk(m, 0, "d\xc3\xbc.raw", ENG_IMAGE_RAW);
    sh("mv c \"$(printf 'v\\377m')\"");
    char path[128];
    snprintf(path, sizeof(path), "%s/v\xffm", scratch);
    assert_refused(path, ERR_USAGE, "v?m");
}

static void a_folder_without_an_image_is_refused(void **state)
{
    (void)state;
    sh("mkdir d && echo >d/notes.txt");
    assert_refused(at("d"), ERR_USAGE, "no disk image");
    sh("mkdir d/sub && : >d/a.raw && : >d/sub/b.raw");
    assert_refused(at("d"), ERR_USAGE, "sub/b.raw");
    assert_refused(at("none"), ERR_NOTFOUND, "none");
}

static void an_image_file_is_a_machine(void **state)
{
    char source[128];
    (void)state;
    sh(": >web1.example.com.raw; : >disk; echo >notes.txt; mkfifo p; "
       "ln -s web1.example.com.raw current.raw; : >.raw");
    AUTO_ENG_MACHINE struct eng_machine *m = scan(at("web1.example.com.raw"));
    snprintf(source, sizeof(source), "file:%s/web1.example.com.raw", scratch);
    assert_string_equal(m->name, "web1.example.com");
    assert_string_equal(m->source, source);
    assert_int_equal(m->n_disks, 1);
    assert_int_equal(m->n_files, 0);
    assert_disk(m, 0, "web1.example.com.raw", ENG_IMAGE_RAW);
    AUTO_ENG_MACHINE struct eng_machine *link = scan(at("current.raw"));
    assert_string_equal(link->name, "web1.example.com");
    put_qcow2("web2.v1", NULL);
    AUTO_ENG_MACHINE struct eng_machine *magic = scan(at("web2.v1"));
    assert_string_equal(magic->name, "web2.v1");
    assert_disk(magic, 0, "web2.v1", ENG_IMAGE_QCOW2);
    assert_refused(at("disk"), ERR_USAGE, "disk");
    assert_refused(at("notes.txt"), ERR_USAGE, "notes.txt");
    assert_refused(at("p"), ERR_USAGE, "neither");
    assert_refused(at(".raw"), ERR_USAGE, ".raw");
    assert_refused("/", ERR_USAGE, "/");
}

static void a_device_goes_by_the_name_it_was_given(void **state)
{
    char source[128];
    (void)state;
    set_size(at("d.img"), 1u << 20);
    const char *dev = loop_make(at("d.img"));
    if (dev == NULL)
        skip();
    assert_int_equal(symlink(dev, at("web1")), 0);
    struct eng_machine *m = scan(at("web1"));
    snprintf(source, sizeof(source), "file:%s/web1", scratch);
    assert_string_equal(m->name, "web1");
    assert_string_equal(m->source, source);
    assert_disk(m, 0, "web1", ENG_IMAGE_RAW);
    assert_string_equal(m->disks[0].path, dev);
    eng_machine_free(m);
    loop_drop(dev);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_is_a_machine_of_disks_and_files),
        TEST(extensions_tell_the_format),
        TEST(raw_stays_raw_and_img_goes_by_its_magic),
        TEST(a_broken_header_in_a_raw_disk_does_not_matter),
        TEST(backing_files_are_no_disks),
        TEST(extents_of_a_vmdk_are_no_disks),
        TEST(magic_alone_does_not_reach_out_of_the_folder),
        TEST(circles_end),
        TEST(what_is_no_file_is_refused_by_name),
        TEST(names_are_utf8_without_controls),
        TEST(a_folder_without_an_image_is_refused),
        TEST(an_image_file_is_a_machine),
        TEST(a_device_goes_by_the_name_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

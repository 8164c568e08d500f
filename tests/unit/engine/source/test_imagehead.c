// SPDX-License-Identifier: Apache-2.0
// What the first bytes of a file tell: formats and the names of other files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "engine/source/imagehead.h"

struct head {
    uint8_t p[4096];
};

static void put_be(uint8_t *p, uint64_t v, size_t n)
{
    while (n > 0) {
        p[--n] = (uint8_t)v;
        v >>= 8;
    }
}

static struct head qcow2(uint32_t version, const char *backing)
{
    struct head h = { .p = "QFI\xfb" };
    put_be(h.p + 4, version, 4);
    if (version >= 3)
        put_be(h.p + 100, 104, 4);
    if (backing != NULL) {
        put_be(h.p + 8, 512, 8);
        put_be(h.p + 16, strlen(backing), 4);
        memcpy(h.p + 512, backing, strlen(backing));
    }
    return h;
}

static struct eng_imagehead parse(const void *p, size_t len)
{
    struct eng_imagehead out;
    struct err e = { 0 };
    if (eng_imagehead_parse(span_of(p, len), &out, &e) < 0)
        fail_msg("%s", e.msg);
    return out;
}

static void assert_corrupt(const void *p, size_t len)
{
    AUTO_ENG_IMAGEHEAD struct eng_imagehead out;
    struct err e = { 0 };
    assert_int_equal(eng_imagehead_parse(span_of(p, len), &out, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
}

static void each_magic_is_known(void **state)
{
    uint8_t vdi[512] = { 0 };
    uint8_t vmdk[512] = "KDMV";
    (void)state;
    memcpy(vdi + 0x40, "\x7f\x10\xda\xbe", 4);
    AUTO_ENG_IMAGEHEAD struct eng_imagehead a = parse(vdi, sizeof(vdi));
    assert_true(a.known);
    assert_int_equal(a.format, ENG_IMAGE_VDI);
    AUTO_ENG_IMAGEHEAD struct eng_imagehead b = parse("vhdxfile", 8);
    assert_true(b.known);
    assert_int_equal(b.format, ENG_IMAGE_VHDX);
    AUTO_ENG_IMAGEHEAD struct eng_imagehead c = parse(vmdk, sizeof(vmdk));
    assert_true(c.known);
    assert_int_equal(c.format, ENG_IMAGE_VMDK);
    struct head h = qcow2(3, NULL);
    AUTO_ENG_IMAGEHEAD struct eng_imagehead d = parse(h.p, sizeof(h.p));
    assert_true(d.known);
    assert_int_equal(d.format, ENG_IMAGE_QCOW2);
    assert_int_equal(d.n_refs, 0);
}

static void other_files_are_not_known(void **state)
{
    static const char *const heads[] = { "",     "Q",   "QFI",   "<domain/>",
                                         "vhdx", "KDM", "# Disk" };
    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        AUTO_ENG_IMAGEHEAD struct eng_imagehead h =
            parse(heads[i], strlen(heads[i]));
        assert_false(h.known);
    }
}

static void qcow2_names_its_backing_file(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 3; version++) {
        struct head h = qcow2(version, "../base.qcow2");
        AUTO_ENG_IMAGEHEAD struct eng_imagehead out = parse(h.p, sizeof(h.p));
        assert_int_equal(out.n_refs, 1);
        assert_string_equal(out.refs[0], "../base.qcow2");
    }
}

static void qcow2_names_its_data_file(void **state)
{
    struct head h = qcow2(3, "base");
    (void)state;
    put_be(h.p + 104, 0xe2792aca, 4); /* backing format, to be skipped */
    put_be(h.p + 108, 3, 4);
    memcpy(h.p + 112, "raw", 3);
    put_be(h.p + 120, 0x44415441, 4);
    put_be(h.p + 124, 8, 4);
    memcpy(h.p + 128, "data.raw", 8);
    AUTO_ENG_IMAGEHEAD struct eng_imagehead out = parse(h.p, sizeof(h.p));
    assert_int_equal(out.n_refs, 2);
    assert_string_equal(out.refs[0], "base");
    assert_string_equal(out.refs[1], "data.raw");
}

static void a_broken_qcow2_header_is_an_error(void **state)
{
    (void)state;
    struct head h = qcow2(3, NULL);
    assert_corrupt(h.p, 4);
    assert_corrupt(h.p, 71);
    assert_corrupt(h.p, 103);
    h = qcow2(3, "base");
    put_be(h.p + 8, UINT64_MAX, 8);
    assert_corrupt(h.p, sizeof(h.p));
    put_be(h.p + 8, sizeof(h.p) - 3, 8);
    assert_corrupt(h.p, sizeof(h.p));
    h = qcow2(3, "base");
    put_be(h.p + 16, 1024, 4);
    assert_corrupt(h.p, sizeof(h.p));
    h = qcow2(3, "base");
    h.p[513] = 0;
    assert_corrupt(h.p, sizeof(h.p));
    h = qcow2(3, NULL);
    put_be(h.p + 104, 1, 4);
    put_be(h.p + 108, 0xffffffff, 4);
    assert_corrupt(h.p, sizeof(h.p));
}

static const char descriptor[] = "# Disk DescriptorFile\n"
                                 "version=1\n"
                                 "parentFileNameHint=\"base.vmdk\"\r\n"
                                 "RW 4194304 SPARSE \"x-s001.vmdk\"\n"
                                 "RDONLY 10 FLAT \"x-f002.vmdk\" 0\n"
                                 "RW broken line\n"
                                 "RW 1 ZERO\n"
                                 "ddb.adapterType = \"ide\"\n";

static void assert_vmdk(const struct eng_imagehead *h)
{
    assert_int_equal(h->format, ENG_IMAGE_VMDK);
    assert_int_equal(h->n_refs, 3);
    assert_string_equal(h->refs[0], "base.vmdk");
    assert_string_equal(h->refs[1], "x-s001.vmdk");
    assert_string_equal(h->refs[2], "x-f002.vmdk");
}

static void vmdk_names_its_extents_and_parent(void **state)
{
    uint8_t sparse[8192] = "KDMV";
    (void)state;
    AUTO_ENG_IMAGEHEAD struct eng_imagehead text =
        parse(descriptor, strlen(descriptor));
    assert_vmdk(&text);
    sparse[28] = 1;  /* sector of the text ... */
    sparse[36] = 20; /* ... and how many, more than there are */
    memcpy(sparse + 512, descriptor, sizeof(descriptor));
    AUTO_ENG_IMAGEHEAD struct eng_imagehead inside =
        parse(sparse, sizeof(sparse));
    assert_vmdk(&inside);
    memset(sparse + 28, 0xff, 8);
    AUTO_ENG_IMAGEHEAD struct eng_imagehead none =
        parse(sparse, sizeof(sparse));
    assert_true(none.known);
    assert_int_equal(none.n_refs, 0);
    assert_corrupt(sparse, 100);
}

static void a_vmdk_with_endless_extents_is_an_error(void **state)
{
    static char text[64u << 10];
    size_t len =
        (size_t)snprintf(text, sizeof(text), "# Disk DescriptorFile\n");
    (void)state;
    while (len + 12 < sizeof(text))
        len += (size_t)snprintf(text + len, sizeof(text) - len, "RW \"x\"\n");
    assert_corrupt(text, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_magic_is_known),
        cmocka_unit_test(other_files_are_not_known),
        cmocka_unit_test(qcow2_names_its_backing_file),
        cmocka_unit_test(qcow2_names_its_data_file),
        cmocka_unit_test(a_broken_qcow2_header_is_an_error),
        cmocka_unit_test(vmdk_names_its_extents_and_parent),
        cmocka_unit_test(a_vmdk_with_endless_extents_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

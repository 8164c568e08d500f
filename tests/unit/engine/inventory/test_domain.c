// SPDX-License-Identifier: Apache-2.0
/* What is taken from libvirt's XML, as it writes it and as it should not be. */
#include "tests/unit/engine/inventory/look.h"

#include "base/buf.h"
#include "engine/inventory/domain.h"

static struct eng_domain parse(const char *xml)
{
    struct err e = { 0 };
    struct eng_domain d;
    if (eng_domain_parse(span_str(xml), &d, &e) < 0)
        fail_msg("%s", e.msg);
    return d;
}

static const char whole[] =
    "<domain type='kvm'><name>web1</name>"
    "<metadata><l:libosinfo xmlns:l='http://l'><l:os id='x'/></l:libosinfo>"
    "<o:tags xmlns:o='urn:o'><o:tag>Gold</o:tag><o:tag> night \n</o:tag>"
    "<o:tag>Gold</o:tag><o:tag/><o:tag>a&#10;b</o:tag></o:tags></metadata>"
    "<os><type>hvm</type><nvram template='/t'>/var/nvram/web1.fd</nvram></os>"
    "<devices>"
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
    "<source file='/img/a.qcow2'/><backingStore type='file'><format "
    "type='raw'/><source file='/img/base.raw'/></backingStore>"
    "<target dev='vda' bus='virtio'/></disk>"
    "<disk type='block' device='disk'><driver type='raw'/>"
    "<source dev='/dev/vg/b'/><target dev='vdb'/></disk>"
    "<disk type='volume'><source pool='fast' volume='c.raw'/>"
    "<target dev='vdc'/><shareable/></disk>"
    "<disk type='network'><source protocol='rbd' name='p/x'><host "
    "name='h'/></source><target dev='vdd'/></disk>"
    "<disk type='file' device='cdrom'><target dev='sda'/></disk>"
    "<interface type='network'><source network='lan'/></interface>"
    "<interface type='bridge'><source bridge='br0'/></interface>"
    "<interface type='network'><source network='lan'/></interface>"
    "</devices></domain>";

static void disks_networks_and_tags_are_found(void **state)
{
    (void)state;
    AUTO_ENG_DOMAIN struct eng_domain d = parse(whole);
    assert_int_equal(d.n_disks, 5);
    assert_string_equal(d.disks[0].target, "vda");
    assert_string_equal(d.disks[0].format, "qcow2");
    assert_string_equal(d.disks[0].path, "/img/a.qcow2");
    assert_string_equal(d.disks[1].path, "/dev/vg/b");
    assert_string_equal(d.disks[2].pool, "fast");
    assert_string_equal(d.disks[2].volume, "c.raw");
    assert_true(d.disks[2].shared);
    assert_false(d.disks[0].shared);
    assert_string_equal(d.disks[3].protocol, "rbd");
    assert_false(eng_domain_disk_counts(&d.disks[4]));
    assert_true(eng_domain_disk_counts(&d.disks[2]));
    assert_int_equal(d.n_networks, 2);
    assert_string_equal(d.networks[0], "lan");
    assert_string_equal(d.networks[1], "br0");
    assert_int_equal(d.n_tags, 2);
    assert_string_equal(d.tags[0], "Gold");
    assert_string_equal(d.tags[1], "night");
    assert_string_equal(d.nvram, "/var/nvram/web1.fd");
}

static void the_firmwares_variables_may_be_a_source(void **state)
{
    (void)state;
    AUTO_ENG_DOMAIN struct eng_domain d =
        parse("<domain><os><nvram type='file'>\n<source file='/n.fd'/>\n"
              "</nvram></os></domain>");
    assert_string_equal(d.nvram, "/n.fd");
}

static void of_two_sources_the_first_counts(void **state)
{
    (void)state;
    AUTO_ENG_DOMAIN struct eng_domain d =
        parse("<domain><devices><disk><source file='/a'/><source file='/b'/>"
              "</disk></devices></domain>");
    assert_int_equal(d.n_disks, 1);
    assert_string_equal(d.disks[0].path, "/a");
}

static void check(struct eng_domain_disk d, const char *path, int want,
                  enum eng_image_format format, const char *part)
{
    struct err e = { 0 };
    enum eng_image_format got = ENG_IMAGE_VDI;
    assert_int_equal(eng_domain_disk_check(&d, path, &got, &e), want);
    if (want == 0)
        assert_int_equal(got, format);
    else
        assert_has(e.msg, part);
}

#define TEXT(name, text) static char name[] = text

static void a_disk_that_cannot_be_read_is_told_from_the_others(void **state)
{
    TEXT(file, "file");
    TEXT(block, "block");
    TEXT(network, "network");
    TEXT(nvme, "nvme");
    TEXT(lun, "lun");
    TEXT(qcow2, "qcow2");
    TEXT(qed, "qed");
    TEXT(rbd, "rbd");
    (void)state;
    check((struct eng_domain_disk){ .type = file, .format = qcow2 }, "/a", 0,
          ENG_IMAGE_QCOW2, NULL);
    check((struct eng_domain_disk){ .type = block }, "/dev/a", 0, ENG_IMAGE_RAW,
          NULL);
    check((struct eng_domain_disk){ .type = file, .format = qed }, "/a", -1, 0,
          "format qed is not read");
    check((struct eng_domain_disk){ .type = network, .protocol = rbd }, NULL,
          -1, 0, "network storage (rbd)");
    check((struct eng_domain_disk){ .type = nvme }, NULL, -1, 0, "type nvme");
    check((struct eng_domain_disk){ .type = block, .device = lun }, "/a", -1, 0,
          "(lun)");
    check((struct eng_domain_disk){ .type = file, .shared = true }, "/a", -1, 0,
          "shared with other machines");
    check((struct eng_domain_disk){ .type = file }, "a", -1, 0, "not absolute");
    check((struct eng_domain_disk){ .type = file }, "/a\n", -1, 0, "control");
}

static void refused(const char *xml, const char *part)
{
    struct err e = { 0 };
    AUTO_ENG_DOMAIN struct eng_domain d;
    assert_int_equal(eng_domain_parse(span_str(xml), &d, &e), -1);
    assert_err(&e, ERR_CORRUPT, part);
}

static void hostile_documents_are_refused_or_passed_over(void **state)
{
    (void)state;
    refused("", "empty");
    refused("<domain>", "line 1");
    refused("<network/>", "is <network>, not <domain>");
    refused("<!DOCTYPE d [<!ENTITY a 'b'>]><domain>&a;</domain>",
            "document type");
    AUTO_BUF struct buf doc = buf_init(1u << 24);
    buf_append_str(&doc, "<domain><devices>");
    for (int i = 0; i <= ENG_DOMAIN_DISKS_MAX; i++)
        buf_append_str(&doc, "<disk/>");
    buf_append_str(&doc, "</devices></domain>");
    refused(buf_cstr(&doc), "more than 1024 disks");
    buf_reset(&doc);
    buf_append_str(&doc, "<domain><metadata>");
    for (int i = 0; i <= ENG_DOMAIN_NAMES_MAX; i++)
        buf_printf(&doc, "<tag>%d</tag>", i);
    buf_append_str(&doc, "</metadata></domain>");
    refused(buf_cstr(&doc), "more than 256");
    buf_reset(&doc);
    buf_append_str(&doc, "<domain><metadata><tag>");
    for (int i = 0; i <= ENG_TAG_MAX; i++)
        buf_append_char(&doc, 't');
    buf_append_str(&doc, "</tag></metadata></domain>");
    AUTO_ENG_DOMAIN struct eng_domain d = parse(buf_cstr(&doc));
    assert_int_equal(d.n_tags, 0);
}

static void a_pool_tells_its_folder(void **state)
{
    struct err e = { 0 };
    AUTO_MEM char *path = NULL;
    AUTO_MEM char *none = NULL;
    (void)state;
    assert_int_equal(
        eng_pool_parse(span_str("<pool type='dir'><target><path>/img</path>"
                                "</target></pool>"),
                       &path, &e),
        0);
    assert_string_equal(path, "/img");
    assert_int_equal(eng_pool_parse(span_str("<pool/>"), &none, &e), 0);
    assert_null(none);
    assert_int_equal(eng_pool_parse(span_str("<pool>"), &none, &e), -1);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disks_networks_and_tags_are_found),
        cmocka_unit_test(the_firmwares_variables_may_be_a_source),
        cmocka_unit_test(of_two_sources_the_first_counts),
        cmocka_unit_test(a_disk_that_cannot_be_read_is_told_from_the_others),
        cmocka_unit_test(hostile_documents_are_refused_or_passed_over),
        cmocka_unit_test(a_pool_tells_its_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

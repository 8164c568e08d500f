// SPDX-License-Identifier: Apache-2.0
/* libvirt's own test driver as the host: its library, its XML, no daemon. */
#include "tests/unit/engine/inventory/look.h"

#define OFF                                                                    \
    " xmlns:t='http://libvirt.org/schemas/domain/test/1.0'>"                   \
    "<t:runstate>5</t:runstate>"
#define UUID "11111111-2222-3333-4444-55555555555"

/* A domain that is shut off; scratch is where its images are. */
static void put_domain(FILE *f, int n, const char *name, const char *metadata,
                       const char *os, const char *devices)
{
    fprintf(f,
            "<domain type='test'" OFF "<name>%s</name><uuid>" UUID "%d</uuid>"
            "<metadata>%s</metadata><memory>65536</memory>"
            "<os><type>hvm</type>%s</os><devices>%s</devices></domain>\n",
            name, n, metadata, os, devices);
}

static FILE *begin_host(void)
{
    FILE *f = fopen(at("node.xml"), "w");
    assert_non_null(f);
    fprintf(f, "<node>\n");
    return f;
}

static void end_host(FILE *f)
{
    fprintf(f, "</node>\n");
    assert_int_equal(fclose(f), 0);
}

#define FILE_DISK(path, format, target)                                        \
    "<disk type='file'><driver name='qemu' type='" format "'/><source "        \
    "file='" path "'/><target dev='" target "' bus='virtio'/></disk>"

#define VOLUME_DISK(volume, target)                                            \
    "<disk type='volume'><source pool='images' volume='" volume "'/><target "  \
    "dev='" target "' bus='virtio'/></disk>"

static void make_host(void)
{
    char text[4000];
    sh("mkdir img && : >img/a.raw && : >img/b.qcow2 && : >c.raw && : "
       ">img/v.raw && "
       "echo nv >web.fd");
    FILE *f = begin_host();
    fprintf(f,
            "<network><name>lan</name><forward mode='nat'/>"
            "<ip address='192.168.77.1' netmask='255.255.255.0'/></network>\n"
            "<network><name>unused</name>"
            "<ip address='192.168.78.1' netmask='255.255.255.0'/></network>\n"
            "<pool type='dir'><name>images</name><target><path>%s/img</path>"
            "</target><volume type='file'><name>v.raw</name><capacity>1"
            "</capacity></volume></pool>\n",
            scratch);
    snprintf(text, sizeof text,
             FILE_DISK("%s/img/b.qcow2", "qcow2", "vdb") FILE_DISK(
                 "%s/img/a.raw", "raw",
                 "vda") "<disk type='file' device='cdrom'><target dev='sda'/>"
                        "</disk><interface type='network'><source "
                        "network='lan'/></interface>",
             scratch, scratch);
    char os[300];
    snprintf(os, sizeof os,
             "<loader readonly='yes' type='pflash'>/l.fd</loader>"
             "<nvram>%s/web.fd</nvram>",
             scratch);
    put_domain(f, 1, "Web 1",
               "<o:tags xmlns:o='urn:o'><o:tag>gold</o:tag></o:tags>", os,
               text);
    snprintf(text, sizeof text,
             FILE_DISK("%s/c.raw", "raw", "vda")
                 FILE_DISK("%s/gone.raw", "raw", "vdb")
                     VOLUME_DISK("v.raw", "vdc") VOLUME_DISK("no.raw", "vdd"),
             scratch, scratch);
    put_domain(f, 2, "db", "", "", text);
    fprintf(f, "<domain type='test'><name>busy</name><uuid>" UUID
               "3</uuid><memory>65536</memory><os><type>hvm</type></os>"
               "</domain>\n");
    end_host(f);
}

static void domains_are_vms_in_pools_networks_and_tags(void **state)
{
    (void)state;
    make_host();
    AUTO_ENG_INVENTORY struct eng_inventory *inv =
        look("libvirt:test://", at("node.xml"));
    assert_string_equal(ids(inv), UUID "1 " UUID "2 " UUID "3!");
    assert_string_equal(
        containers(inv->containers, inv->n_containers, true),
        "pool:images=2 network:lan=1 network:unused=0 tag:gold=1");

    const struct eng_vm *web = vm_of(inv, UUID "1");
    assert_string_equal(web->name, "Web 1");
    assert_false(web->live);
    assert_int_equal(web->n_disks, 2);
    for (size_t i = 0; i < 2; i++)
        assert_null(web->disks[i].problem);
    assert_string_equal(containers(web->containers, web->n_containers, false),
                        "pool:images network:lan tag:gold");
    assert_int_equal(web->n_files, 2);
    assert_string_equal(web->files[0], "domain.xml");
    assert_string_equal(web->files[1], "nvram.fd");

    const struct eng_vm *busy = vm_of(inv, UUID "3");
    assert_true(busy->live);
    assert_has(busy->problem, "busy is running");
}

static void a_disk_that_is_not_there_is_told_and_the_others_stay(void **state)
{
    (void)state;
    make_host();
    AUTO_ENG_INVENTORY struct eng_inventory *inv =
        look("libvirt:test://", at("node.xml"));
    const struct eng_vm *db = vm_of(inv, UUID "2");
    assert_null(db->problem);
    assert_int_equal(db->n_disks, 4);
    assert_null(db->disks[0].problem);
    assert_has(db->disks[1].problem, "gone.raw: No such file");
    assert_null(db->disks[2].problem);
    assert_string_equal(db->disks[2].path, at("img/v.raw"));
    assert_has(db->disks[3].problem, "volume no.raw of pool images");
    assert_null(db->disks[3].path);
}

static struct eng_machine *machine(const char *id, eng_disk_wanted_fn wanted,
                                   struct err *e)
{
    char text[400];
    snprintf(text, sizeof text, "libvirt:test://%s", at("node.xml"));
    AUTO_ENG_PLACE struct eng_place p = place_of(text);
    return eng_inventory_machine(&p, id, wanted, NULL, e);
}

static bool is_vda(void *ctx, const char *disk)
{
    (void)ctx;
    return strcmp(disk, "vda") == 0;
}

static void a_machine_has_its_images_its_xml_and_its_firmware(void **state)
{
    struct err e = { 0 };
    (void)state;
    make_host();
    AUTO_ENG_MACHINE struct eng_machine *m = machine(UUID "1", NULL, &e);
    if (m == NULL)
        fail_msg("%s", e.msg);
    assert_string_equal(m->name, "Web 1");
    assert_string_equal(m->source, "libvirt:" UUID "1");
    assert_int_equal(m->n_disks, 2);
    assert_string_equal(m->disks[0].name, "vda");
    assert_string_equal(m->disks[0].path, at("img/a.raw"));
    assert_int_equal(m->disks[0].format, ENG_IMAGE_RAW);
    assert_string_equal(m->disks[1].name, "vdb");
    assert_int_equal(m->disks[1].format, ENG_IMAGE_QCOW2);
    assert_int_equal(m->n_files, 2);
    assert_string_equal(m->files[0].name, "domain.xml");
    assert_has(m->files[0].text, "<name>Web 1</name>");
    assert_int_equal(m->files[0].size, strlen(m->files[0].text));
    assert_string_equal(m->files[1].name, "nvram.fd");
    assert_string_equal(m->files[1].path, at("web.fd"));
    assert_null(m->files[1].text);
}

static void a_text_is_read_as_a_file_is(void **state)
{
    struct err e = { 0 };
    static const char text[] = "<domain>\n</domain>\n";
    struct eng_image_opts o = { .plain_file = true, .text = text };
    (void)state;
    AUTO_ENG_IMAGE struct eng_image *im = eng_image_open("of x", &o, &e);
    if (im == NULL)
        fail_msg("%s", e.msg);
    assert_int_equal(eng_image_size(im), strlen(text));
    AUTO_ENG_IMAGE_READER struct eng_image_reader *r =
        eng_image_reader_open(im, &e);
    assert_non_null(r);
    uint8_t *p = room(strlen(text));
    uint32_t data = 0;
    assert_int_equal(eng_image_read(r, 0, (uint32_t)strlen(text), p, &data, &e),
                     0);
    assert_int_equal(data, strlen(text));
    assert_memory_equal(p, text, strlen(text));
    free(p);
}

static void only_wanted_disks_need_to_be_readable(void **state)
{
    struct err e = { 0 };
    (void)state;
    make_host();
    AUTO_ENG_MACHINE struct eng_machine *m = machine(UUID "2", is_vda, &e);
    if (m == NULL)
        fail_msg("%s", e.msg);
    assert_int_equal(m->n_disks, 1);
    assert_null(machine(UUID "2", NULL, &e));
    assert_err(&e, ERR_NOTFOUND, "db: disk vdb: ");
}

static void what_runs_or_is_gone_is_refused(void **state)
{
    struct err e = { 0 };
    (void)state;
    make_host();
    assert_null(machine(UUID "3", NULL, &e));
    assert_err(&e, ERR_BUSY, "busy is running");
    assert_null(machine(UUID "4", NULL, &e));
    assert_err(&e, ERR_NOTFOUND, "there is no domain " UUID "4");
    assert_null(machine("nonsense", NULL, &e));
    assert_err(&e, ERR_NOTFOUND, "there is no domain nonsense");
}

static void a_host_that_does_not_answer_is_unreachable(void **state)
{
    struct err e = { 0 };
    (void)state;
    AUTO_ENG_PLACE struct eng_place p =
        place_of("libvirt:qemu+unix:///system?socket=/nowhere/sock");
    assert_null(eng_inventory_read(&p, NULL, &e));
    assert_err(&e, ERR_UNREACHABLE, "/nowhere/sock");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(domains_are_vms_in_pools_networks_and_tags),
        TEST(a_disk_that_is_not_there_is_told_and_the_others_stay),
        TEST(a_machine_has_its_images_its_xml_and_its_firmware),
        TEST(a_text_is_read_as_a_file_is),
        TEST(only_wanted_disks_need_to_be_readable),
        TEST(what_runs_or_is_gone_is_refused),
        TEST(a_host_that_does_not_answer_is_unreachable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

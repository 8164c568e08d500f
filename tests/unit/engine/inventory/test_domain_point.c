// SPDX-License-Identifier: Apache-2.0
/* A domain that is shut off becomes a point, and comes back: its disk by its
 * target, its XML, the variables of its firmware. */
#include "tests/unit/engine/fixture.h"

#include "engine/backup/backup.h"
#include "engine/inventory/inventory.h"
#include "engine/restore/restore.h"

#define UUID "11111111-2222-3333-4444-555555555551"

#define NODE                                                                   \
    "<node><domain type='test' "                                               \
    "xmlns:t='http://libvirt.org/schemas/domain/test/1.0'>"                    \
    "<t:runstate>5</t:runstate><name>%s</name><uuid>" UUID "</uuid>"           \
    "<memory>65536</memory><os><type>hvm</type>"                               \
    "<loader readonly='yes' type='pflash'>/l.fd</loader>"                      \
    "<nvram>%s/vars</nvram></os><devices><disk type='file'>"                   \
    "<driver name='qemu' type='raw'/><source file='%s/%s'/>"                   \
    "<target dev='vda' bus='virtio'/></disk></devices></domain></node>"

/* A host whose one domain has its disk in this file. */
static void put_host(const struct fixture *f, const char *name,
                     const char *image)
{
    AUTO_MEM char *path = fixture_path(f, "node.xml");
    AUTO_BUF struct buf text = buf_init(8192);

    buf_printf(&text, NODE, name, f->dir, f->dir, image);
    must(io_write_file(path, buf_span(&text), 0600, false, why));
}

static void put_noise(const struct fixture *f, const char *name, size_t len,
                      uint64_t seed)
{
    AUTO_MEM char *path = fixture_path(f, name);
    AUTO_MEM uint8_t *p = malloc(len);

    assert_non_null(p);
    fixture_noise(p, len, seed);
    must(io_write_file(path, span_of(p, len), 0600, false, why));
}

static void back_up(struct fixture *f, struct eng_repo *r, const char *vm,
                    struct eng_backup_result *res)
{
    struct err e = { 0 };
    AUTO_ENG_PLACE struct eng_place p = { 0 };
    AUTO_MEM char *text = NULL;
    struct eng_backup_opts o = { .vm = vm };

    assert_true(asprintf(&text, "libvirt:test://%s/node.xml", f->dir) > 0);
    must(eng_place_parse(text, &p, why));
    AUTO_ENG_MACHINE struct eng_machine *m =
        eng_inventory_machine(&p, UUID, NULL, NULL, &e);
    if (m == NULL)
        fail_msg("%s", e.msg);
    must(eng_backup_machine(r, m, &o, res, why));
}

static void same(const struct fixture *f, const char *a, const char *b)
{
    AUTO_MEM char *one = fixture_path(f, a);
    AUTO_MEM char *two = fixture_path(f, b);
    AUTO_BUF struct buf x = buf_init(1u << 24);
    AUTO_BUF struct buf y = buf_init(1u << 24);

    must(io_read_file(one, &x, why));
    must(io_read_file(two, &y, why));
    assert_true(span_eq(buf_span(&x), buf_span(&y)));
}

static void a_domain_comes_back_with_its_xml_and_its_firmware(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    struct eng_backup_result res = { 0 };
    struct eng_restore_opts o = { 0 };
    struct eng_restore_result back = { 0 };
    struct eng_points ps = { 0 };

    put_noise(f, "disk.raw", 3 * FIXTURE_BLOCK + 512, 1);
    put_noise(f, "vars", 700, 2);
    put_host(f, "web", "disk.raw");
    back_up(f, r, NULL, &res);
    assert_int_equal(strncmp(res.point, "web@", 4), 0);

    must(eng_points_list(r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 1);
    AUTO_MEM char *to = fixture_path(f, "back");
    must(eng_restore_vm(r, &ps.p[0], to, &o, &back, why));
    assert_int_equal(back.disks, 1);
    assert_int_equal(back.files, 2);
    same(f, "disk.raw", "back/vda");
    same(f, "vars", "back/nvram.fd");
    AUTO_MEM char *xml = fixture_path(f, "back/domain.xml");
    AUTO_BUF struct buf text = buf_init(1u << 20);
    must(io_read_file(xml, &text, why));
    assert_non_null(strstr(buf_cstr(&text), "<name>web</name>"));
    eng_points_free(&ps);
    eng_repo_close(r);
}

/* As after a snapshot that has become the disk. */
static void its_disk_is_the_same_under_another_file_name(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    struct eng_backup_result res = { 0 };

    put_noise(f, "disk.raw", 3 * FIXTURE_BLOCK, 1);
    put_noise(f, "vars", 700, 2);
    put_host(f, "web", "disk.raw");
    back_up(f, r, NULL, &res);
    assert_int_equal(res.kind, MF_FULL);
    put_noise(f, "disk.snap1", 3 * FIXTURE_BLOCK, 1);
    put_host(f, "renamed", "disk.snap1");
    back_up(f, r, "web", &res);
    assert_int_equal(res.kind, MF_INCREMENTAL);
    assert_int_equal(res.new_blocks, 1); /* the XML */
    eng_repo_close(r);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_domain_comes_back_with_its_xml_and_its_firmware),
        T(its_disk_is_the_same_under_another_file_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Machines in a folder, however they are nested. */
#include "tests/unit/engine/inventory/look.h"

static void folders_with_images_are_vms_and_others_containers(void **state)
{
    (void)state;
    sh("mkdir -p v/web1/nvram v/prod/db/db1 v/prod/db2 v/none && : "
       ">v/web1/vda.raw && : >v/web1/vdb.qcow2 && echo x >v/web1/vm.xml && "
       "echo x >v/web1/nvram/vars && : >v/prod/db/db1/a.raw && : "
       ">v/prod/db2/a.raw && echo x >v/prod/notes.txt");
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    assert_string_equal(ids(inv), "prod/db/db1 prod/db2 web1");
    assert_string_equal(containers(inv->containers, inv->n_containers, true),
                        "folder:none=0 folder:prod=2 folder:prod/db=1");
    assert_int_equal(inv->n_notes, 0);

    const struct eng_vm *web = vm_of(inv, "web1");
    assert_string_equal(web->name, "web1");
    assert_int_equal(web->n_containers, 0);
    assert_int_equal(web->n_disks, 2);
    assert_string_equal(web->disks[0].name, "vda.raw");
    assert_string_equal(web->disks[0].path, at("v/web1/vda.raw"));
    assert_int_equal(web->disks[1].format, ENG_IMAGE_QCOW2);
    assert_int_equal(web->n_files, 2);
    assert_string_equal(web->files[0], "nvram/vars");
    assert_false(web->live);

    const struct eng_vm *db = vm_of(inv, "prod/db/db1");
    assert_string_equal(db->name, "db1");
    assert_string_equal(containers(db->containers, db->n_containers, false),
                        "folder:prod folder:prod/db");
}

static void an_image_in_the_place_itself_is_a_vm_of_one_disk(void **state)
{
    (void)state;
    sh("mkdir v && : >v/a.raw && : >v/b.img && echo iso >v/cd.iso && "
       "printf 'QFI\\373' >v/broken.img");
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    assert_string_equal(ids(inv), "a.raw b.img broken.img!");
    assert_string_equal(vm_of(inv, "b.img")->name, "b");
    assert_int_equal(vm_of(inv, "b.img")->n_disks, 1);
    assert_string_equal(vm_of(inv, "broken.img")->name, "broken");
    assert_has(vm_of(inv, "broken.img")->problem, "qcow2 header");
}

static void a_part_of_another_image_is_no_vm_and_noted(void **state)
{
    (void)state;
    sh("mkdir v && : >v/x-flat.vmdk && "
       "printf '# Disk DescriptorFile\\nRW 1 FLAT \"x-flat.vmdk\" 0\\n' "
       ">v/x.vmdk");
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    assert_string_equal(ids(inv), "x.vmdk");
    assert_noted(inv, false, "x-flat.vmdk: is a part of another image");
}

/* A guest can write such a text to its raw disk, and the neighbour would be
 * backed up no more. */
static void what_a_guest_writes_hides_no_neighbour(void **state)
{
    (void)state;
    sh("mkdir v && : >v/victim.raw && "
       "printf '# Disk DescriptorFile\\nRW 1 FLAT \"victim.raw\" 0\\n' "
       ">v/evil.img");
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    assert_string_equal(ids(inv), "evil.img! victim.raw");
    assert_has(vm_of(inv, "evil.img")->problem, "victim.raw");
}

static void what_backup_run_would_refuse_is_listed_with_the_reason(void **state)
{
    (void)state;
    sh("mkdir -p v/a/old v/b v/c && : >v/a/x.raw && : >v/a/old/y.raw && : "
       ">v/b/x.raw && ln -s x.raw v/b/link && : >v/c/x.raw && "
       "touch \"$(printf 'v/c/odd\\377')\"");
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    assert_string_equal(ids(inv), "a! b! c!");
    assert_has(vm_of(inv, "a")->problem, "old/y.raw: is an image in a subf");
    assert_has(vm_of(inv, "b")->problem, "link: is a symbolic link");
    assert_has(vm_of(inv, "c")->problem, "not UTF-8");
    assert_int_equal(inv->n_notes, 0);
}

static void links_and_pipes_among_vms_are_noted_and_not_followed(void **state)
{
    (void)state;
    sh("mkdir -p v/p/vm out && : >v/p/vm/x.raw && : >out/y.raw && "
       "ln -s ../out v/out && ln -s .. v/p/up && ln -s vm/x.raw v/p/x.raw && "
       "mkfifo v/pipe.raw");
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    assert_string_equal(ids(inv), "p/vm");
    assert_int_equal(inv->n_notes, 4);
    assert_noted(inv, false, "v/out: is a symbolic link, which is passed over");
    assert_noted(inv, false, "v/p/x.raw: is a symbolic link");
    assert_noted(inv, false, "v/pipe.raw: is a named pipe");
}

static void a_name_that_cannot_be_told_is_a_warning(void **state)
{
    (void)state;
    sh("mkdir -p v/vm && : >v/vm/x.raw && d=\"$(printf 'v/odd\\377')\" && "
       "mkdir \"$d\" && : >\"$d/x.raw\" && : >\"$(printf 'v/a\\nb.raw')\"");
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    assert_string_equal(ids(inv), "vm");
    assert_int_equal(inv->n_notes, 2);
    assert_noted(inv, true, "'odd?': the name is not UTF-8");
    assert_noted(inv, true, "'a b.raw'");
}

static void a_folder_that_cannot_be_read_is_a_warning(void **state)
{
    (void)state;
    sh("mkdir -p v/vm v/shut && : >v/vm/x.raw && chmod 755 . v v/vm && "
       "chmod 0 v/shut");
    bool root = geteuid() == 0; /* who reads every folder */
    assert_true(!root || seteuid(65534) == 0);
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    assert_true(!root || seteuid(0) == 0);
    sh("chmod 700 v/shut");
    assert_string_equal(ids(inv), "vm");
    assert_noted(inv, true, "v/shut");
}

static void folders_too_deep_are_a_warning(void **state)
{
    (void)state;
    sh("mkdir v && p=v && for i in $(seq 40); do p=$p/d; done && mkdir -p $p "
       "&& : >$p/x.raw");
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    assert_int_equal(inv->n_vms, 0);
    assert_int_equal(inv->n_containers, ENG_FOLDERS_DEEP);
    assert_noted(inv, true, "nested too deeply");
}

static void notes_are_bounded(void **state)
{
    (void)state;
    sh("mkdir v && for i in $(seq %d); do ln -s x v/$i; done",
       ENG_NOTES_MAX + 20);
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    assert_int_equal(inv->n_notes, ENG_NOTES_MAX + 1);
    assert_noted(inv, false, "more to tell");
}

static void a_place_that_is_no_folder_is_an_error(void **state)
{
    struct err e = { 0 };
    (void)state;
    sh(": >file");
    AUTO_MEM char *gone = NULL;
    assert_true(asprintf(&gone, "dir:%s", at("gone")) > 0);
    AUTO_ENG_PLACE struct eng_place p = place_of(gone);
    assert_null(eng_inventory_read(&p, NULL, &e));
    assert_err(&e, ERR_NOTFOUND, "gone");
    AUTO_MEM char *file = NULL;
    assert_true(asprintf(&file, "dir:%s", at("file")) > 0);
    AUTO_ENG_PLACE struct eng_place q = place_of(file);
    assert_null(eng_inventory_read(&q, NULL, &e));
    assert_err(&e, ERR_IO, "file");
}

static void it_stops_when_it_is_told_to(void **state)
{
    struct cancel c;
    struct err e = { 0 };
    (void)state;
    sh("mkdir -p v/vm");
    AUTO_MEM char *text = NULL;
    assert_true(asprintf(&text, "dir:%s", at("v")) > 0);
    AUTO_ENG_PLACE struct eng_place p = place_of(text);
    assert_int_equal(cancel_init(&c, NULL, &e), 0);
    cancel_request(&c);
    assert_null(eng_inventory_read(&p, &c, &e));
    assert_int_equal(e.kind, ERR_CANCELLED);
    cancel_fini(&c);
}

static bool is_b(void *ctx, const char *disk)
{
    (void)ctx;
    return strcmp(disk, "b.raw") == 0;
}

static void a_machine_is_taken_as_it_is_by_then(void **state)
{
    struct err e = { 0 };
    (void)state;
    sh("mkdir -p v/p/vm && : >v/p/vm/a.raw && : >v/p/vm/b.raw");
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    sh(": >v/p/vm/c.raw");
    AUTO_ENG_MACHINE struct eng_machine *m =
        eng_inventory_machine(&inv->place, "p/vm", NULL, NULL, &e);
    assert_non_null(m);
    assert_string_equal(m->name, "vm");
    assert_has(m->source, "dir:");
    assert_int_equal(m->n_disks, 3);
    AUTO_ENG_MACHINE struct eng_machine *part =
        eng_inventory_machine(&inv->place, "p/vm", is_b, NULL, &e);
    assert_non_null(part);
    assert_int_equal(part->n_disks, 1);
    assert_string_equal(part->disks[0].name, "b.raw");
}

static void a_machine_that_is_gone_or_a_link_is_refused(void **state)
{
    struct err e = { 0 };
    (void)state;
    sh("mkdir -p v/vm out && : >v/vm/a.raw && : >out/a.raw");
    AUTO_ENG_INVENTORY struct eng_inventory *inv = look("dir:", at("v"));
    sh("rm -r v/vm && ln -s ../out v/vm");
    assert_null(eng_inventory_machine(&inv->place, "vm", NULL, NULL, &e));
    assert_err(&e, ERR_USAGE, "has become a link");
    assert_null(eng_inventory_machine(&inv->place, "gone", NULL, NULL, &e));
    assert_err(&e, ERR_NOTFOUND, "v/gone");
    assert_null(eng_inventory_machine(&inv->place, "../out", NULL, NULL, &e));
    assert_err(&e, ERR_USAGE, "no VM's path");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(folders_with_images_are_vms_and_others_containers),
        TEST(an_image_in_the_place_itself_is_a_vm_of_one_disk),
        TEST(a_part_of_another_image_is_no_vm_and_noted),
        TEST(what_a_guest_writes_hides_no_neighbour),
        TEST(what_backup_run_would_refuse_is_listed_with_the_reason),
        TEST(links_and_pipes_among_vms_are_noted_and_not_followed),
        TEST(a_name_that_cannot_be_told_is_a_warning),
        TEST(a_folder_that_cannot_be_read_is_a_warning),
        TEST(folders_too_deep_are_a_warning),
        TEST(notes_are_bounded),
        TEST(a_place_that_is_no_folder_is_an_error),
        TEST(it_stops_when_it_is_told_to),
        TEST(a_machine_is_taken_as_it_is_by_then),
        TEST(a_machine_that_is_gone_or_a_link_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

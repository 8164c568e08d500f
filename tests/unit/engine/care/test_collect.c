// SPDX-License-Identifier: Apache-2.0
/* Collection in a directory. */
#include "tests/unit/engine/care/collecting.h"

static void garbage_goes_and_what_points_need_stays(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    AUTO_MEM char *vm = vm_make(f, "vm");

    vm_run(r, vm, NULL);
    assert_int_equal(collect(r, false).deleted.objects, 0);
    assert_int_equal(count(r, "gc/counter"), 0); /* indexes stay good */
    new_disk(vm, 7);
    vm_run(r, vm, NULL);
    delete_oldest(r);
    struct eng_collect_result dry = collect(r, true);
    assert_int_equal(dry.garbage.objects, VM_BLOCKS + 1);
    assert_int_equal(dry.deleted.objects, 0);
    assert_int_equal(count(r, "plain/blocks/"), 2 * VM_BLOCKS + 1);
    struct eng_collect_result res = collect(r, false);
    assert_int_equal(res.deleted.objects, VM_BLOCKS + 1);
    assert_int_equal(res.deleted.bytes, dry.garbage.bytes);
    assert_int_equal(res.points, 1);
    assert_int_equal(res.blocks, VM_BLOCKS + 1);
    assert_int_equal(count(r, "plain/blocks/"), VM_BLOCKS + 1);
    assert_int_equal(count(r, "plain/pages/"), 2);
    assert_int_equal(count(r, "gc/counter"), 1);
    vm_check_restore(r, f, vm);
    /* What was collected is put again, for the index knows of the sweep. */
    new_disk(vm, 1);
    vm_run(r, vm, NULL);
    vm_check_restore(r, f, vm);
    eng_repo_close(r);
}

static void many_ranges_find_the_same_garbage(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    AUTO_MEM char *vm = vm_make(f, "vm");
    const struct eng_collect_opts o = { .ids_max = 2 };
    struct eng_collect_result res;

    vm_run(r, vm, NULL);
    new_disk(vm, 7);
    vm_run(r, vm, NULL);
    delete_oldest(r);
    must(eng_collect_run(r, &o, &res, why));
    assert_true(res.marks > 2);
    assert_int_equal(res.deleted.objects, VM_BLOCKS + 1);
    vm_check_restore(r, f, vm);
    eng_repo_close(r);
}

static void a_run_in_a_directory_is_in_the_way(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    struct eng_repo *run = fixture_open(f);
    AUTO_MEM char *vm = vm_make(f, "vm");

    vm_run(r, vm, NULL);
    new_disk(vm, 7);
    vm_run(r, vm, NULL);
    delete_oldest(r);
    must(eng_runlease_begin(run, "other", NULL, why));
    struct eng_collect_result res = collect(r, false);
    assert_true(res.blocked);
    assert_true(res.way.who[0] != '\0');
    assert_int_equal(res.deleted.objects, 0);
    eng_runlease_end(run);
    res = collect(r, false);
    assert_false(res.blocked);
    assert_int_equal(res.deleted.objects, VM_BLOCKS + 1);
    eng_repo_close(run);
    eng_repo_close(r);
}

static void expired_points_go_but_for_protected_ones(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    AUTO_ENG_POINTS struct eng_points all = { 0 };
    bool changed = false;

    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    for (int i = 0; i < 6; i++)
        put_old(r, 1767268800 + i * DAY);
    must(eng_points_list(r, NULL, NULL, &all, why));
    must(eng_keep_put(r, NULL, &all.p[1], &changed, why));
    struct eng_collect_result dry = collect(r, true);
    assert_int_equal(dry.expired, 2);
    assert_int_equal(dry.removed, 0);
    assert_int_equal(dry.points, 4);
    struct eng_collect_result res = collect(r, false);
    assert_int_equal(res.expired, 2);
    assert_int_equal(res.removed, 2);
    assert_int_equal(res.points, 4);
    assert_int_equal(count(r, "plain/points/"), 4);
    assert_int_equal(collect(r, false).expired, 0);
    eng_repo_close(r);
}

static void a_manifest_that_cannot_be_read_stops(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    AUTO_MEM char *vm = vm_make(f, "vm");

    vm_run(r, vm, NULL);
    vm_shell(f, "f=$(ls plain/points/vm/*) && echo rubbish > $f");
    stops(r);
    assert_int_equal(count(r, "plain/blocks/"), VM_BLOCKS + 1);
    eng_repo_close(r);
}

static void a_page_that_is_missing_stops(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    AUTO_MEM char *vm = vm_make(f, "vm");

    vm_run(r, vm, NULL);
    vm_shell(f, "rm -r plain/pages");
    stops(r);
    assert_int_equal(count(r, "plain/blocks/"), VM_BLOCKS + 1);
    eng_repo_close(r);
}

static void names_of_others_stay(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    AUTO_MEM char *vm = vm_make(f, "vm");

    vm_run(r, vm, NULL);
    vm_shell(f, "mkdir -p plain/blocks/ab gc/x && echo > plain/blocks/ab/x && "
                "echo > gc/x/y && echo > plain/points/x");
    struct eng_collect_result res = collect(r, false);
    assert_int_equal(res.junk, 3);
    assert_int_equal(res.deleted.objects, 0);
    vm_shell(f, "test -f plain/blocks/ab/x && test -f gc/x/y");
    eng_repo_close(r);
}

static void encrypted_keysets_are_skipped(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);

    vm_shell(
        f, "mkdir -p keysets/k-0011223344556677/slots "
           "k-0011223344556677/blocks/ab && "
           "echo > "
           "keysets/k-0011223344556677/slots/00000001-00000000000000aa.json && "
           "echo > k-0011223344556677/blocks/ab/x");
    struct eng_collect_result res = collect(r, false);
    assert_int_equal(res.keysets_skipped, 1);
    vm_shell(f, "test -f k-0011223344556677/blocks/ab/x");
    eng_repo_close(r);
}

static void marks_go_with_what_they_are_about(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    AUTO_MEM char *vm = vm_make(f, "vm");
    struct mf_id needed, lost, gone = { { 1 } };
    AUTO_MEM uint8_t *block = malloc(FIXTURE_BLOCK);

    vm_run(r, vm, NULL);
    fixture_noise(block, FIXTURE_BLOCK, 1000);
    must(mf_id_of(span_of(block, FIXTURE_BLOCK), &needed, why));
    fixture_noise(block, FIXTURE_BLOCK, 1001);
    must(mf_id_of(span_of(block, FIXTURE_BLOCK), &lost, why));
    struct mf_key key = mf_key_block(MF_KEYSET_PLAIN, &lost);
    struct obj_req req = { .key = key.s };
    must(obj_delete(eng_repo_store(r), &req, false, why));
    must(eng_damaged_mark(eng_repo_store(r), NULL, ENG_INDEX_BLOCK, &needed,
                          why));
    must(
        eng_damaged_mark(eng_repo_store(r), NULL, ENG_INDEX_BLOCK, &lost, why));
    must(
        eng_damaged_mark(eng_repo_store(r), NULL, ENG_INDEX_BLOCK, &gone, why));
    collect(r, false);
    /* Both are needed; that one of them is lost is no reason to forget it. */
    assert_int_equal(count(r, ENG_DAMAGED_PREFIX), 2);
    eng_repo_close(r);
}

/* By a collection, of a point whose time was over; else it is a loss. */
static void what_another_host_collected_is_not_missing(void **state)
{
    struct fixture *f = *state;
    struct fixture other = *f;
    struct eng_check_opts o = { .level = ENG_CHECK_LIST };
    struct eng_check_result res;

    strcat(other.state, "-other");
    other.place.state_dir = other.state;
    struct eng_repo *r = fixture_open(f);
    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    for (int i = 0; i < 6; i++)
        put_old(r, 1767268800 + i * DAY);
    eng_repo_close(r);
    r = fixture_open(&other);
    assert_int_equal(collect(r, false).removed, 3);
    eng_repo_close(r);
    r = fixture_open(f);
    must(eng_check_run(r, &o, &res, why));
    assert_int_equal(res.points, 3);
    assert_int_equal(res.missing_points, 0);
    vm_shell(f, "rm $(ls plain/points/old/* | head -n 1)");
    must(eng_check_run(r, &o, &res, why));
    assert_int_equal(res.points, 2);
    assert_int_equal(res.missing_points, 1);
    eng_repo_close(r);
}

static void a_point_that_was_removed_is_not_damaged(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    AUTO_MEM char *vm = vm_make(f, "vm");
    struct eng_restore_opts o = { .force = true };
    struct eng_restore_result res;
    struct eng_verify_result verified;
    struct eng_point p;
    struct err e = { 0 };
    AUTO_MEM char *out = fixture_path(f, "out.raw");

    vm_run(r, vm, NULL);
    must(eng_point_find(r, NULL, "vm@latest", &p, why));
    vm_shell(f, "rm -r plain/blocks");
    assert_int_equal(eng_restore_disk(r, &p, "disk.raw", out, &o, &res, &e),
                     -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    must(eng_point_delete(r, NULL, &p, why));
    assert_int_equal(eng_restore_disk(r, &p, "disk.raw", out, &o, &res, &e),
                     -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "removed"));
    for (int level = ENG_VERIFY_LIST; level <= ENG_VERIFY_FULL; level++) {
        assert_int_equal(eng_verify_point(r, &p, (enum eng_verify_level)level,
                                          &o, NULL, NULL, &verified, &e),
                         -1);
        assert_int_equal(e.kind, ERR_NOTFOUND);
    }
    eng_point_free(&p);
    eng_repo_close(r);
}

#define F(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        F(garbage_goes_and_what_points_need_stays),
        F(many_ranges_find_the_same_garbage),
        F(a_run_in_a_directory_is_in_the_way),
        F(expired_points_go_but_for_protected_ones),
        F(a_manifest_that_cannot_be_read_stops),
        F(a_page_that_is_missing_stops),
        F(names_of_others_stay),
        F(encrypted_keysets_are_skipped),
        F(marks_go_with_what_they_are_about),
        F(what_another_host_collected_is_not_missing),
        F(a_point_that_was_removed_is_not_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

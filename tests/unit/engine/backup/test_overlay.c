// SPDX-License-Identifier: Apache-2.0
/* Increments as small as the change: what changed within a block is stored as
 * an overlay on the block that was there, and comes back. */
#include "tests/unit/engine/backup/vm.h"

#include "engine/repo/map.h"
#include "manifest/block.h"

#define UNIT (FIXTURE_BLOCK / MF_UNITS)

/* The entry of block i of the newest point. */
static struct mf_entry entry_of(struct eng_repo *r, uint64_t i)
{
    AUTO_ENG_POINT struct eng_point p = { 0 };
    AUTO_ENG_MAP struct eng_map map = { 0 };

    must(eng_point_find(r, NULL, "vm@latest", &p, why));
    must(eng_map_load(r, &p.manifest->disks[0], NULL, &map, why));
    assert_true(i < map.n);
    return map.entries[i];
}

static void change_units(const char *dir, uint64_t block, unsigned first,
                         unsigned n, uint64_t seed)
{
    uint8_t unit[UNIT];
    int fd = vm_disk_open(dir);

    for (unsigned u = first; u < first + n; u++) {
        fixture_noise(unit, UNIT, seed * 1000 + u);
        must(io_pwrite_full(fd, unit, UNIT,
                            block * FIXTURE_BLOCK + (uint64_t)u * UNIT, "disk",
                            why));
    }
    close(fd);
}

static void a_changed_sector_costs_a_unit(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");

    vm_run(r, dir, NULL);
    struct mf_entry base = entry_of(r, 3);
    vm_poke(dir, 3 * FIXTURE_BLOCK + 7 * UNIT + 512, "a sector");
    struct eng_backup_result inc = vm_run(r, dir, NULL);
    assert_int_equal(inc.new_blocks, 1);
    assert_int_equal(inc.new_bytes, UNIT);

    struct mf_entry e = entry_of(r, 3);
    assert_int_equal(e.kind, MF_OVER);
    assert_int_equal(e.units, 1u << 7);
    assert_true(e.has_base && mf_id_eq(&e.id, &base.id));
    assert_true(e.has_over && e.has_whole);
    vm_check_restore(r, *state, dir);
    free(dir);
    eng_repo_close(r);
}

/* Always base and one overlay: what an overlay held before is in the next. */
static void changes_add_up_on_one_base_until_half_of_the_block(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");

    vm_run(r, dir, NULL);
    struct mf_entry base = entry_of(r, 2);
    change_units(dir, 2, 0, 10, 1);
    assert_int_equal(vm_run(r, dir, NULL).new_bytes, 10 * UNIT);
    change_units(dir, 2, 5, 27, 2);
    assert_int_equal(vm_run(r, dir, NULL).new_bytes, 32 * UNIT);
    struct mf_entry e = entry_of(r, 2);
    assert_int_equal(e.kind, MF_OVER);
    assert_true(mf_id_eq(&e.id, &base.id));
    assert_true(e.units == UINT32_MAX);
    vm_check_restore(r, *state, dir);

    change_units(dir, 2, 63, 1, 3);
    assert_int_equal(vm_run(r, dir, NULL).new_bytes, FIXTURE_BLOCK);
    assert_int_equal(entry_of(r, 2).kind, MF_WHOLE);
    vm_check_restore(r, *state, dir);
    free(dir);
    eng_repo_close(r);
}

static void units_that_became_zeros_need_no_object(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    static const uint8_t zeros[2 * UNIT];

    vm_run(r, dir, NULL);
    int fd = vm_disk_open(dir);
    must(io_pwrite_full(fd, zeros, sizeof(zeros), FIXTURE_BLOCK, "disk", why));
    close(fd);
    assert_int_equal(vm_run(r, dir, NULL).new_blocks, 0);
    struct mf_entry e = entry_of(r, 1);
    assert_int_equal(e.kind, MF_OVER);
    assert_false(e.has_over);
    vm_check_restore(r, *state, dir);
    free(dir);
    eng_repo_close(r);
}

static void content_that_comes_back_needs_no_object(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");

    vm_run(r, dir, NULL);
    change_units(dir, 4, 1, 1, 1);
    vm_run(r, dir, NULL);
    vm_poke(dir, 4 * FIXTURE_BLOCK + UNIT, "something else");
    vm_run(r, dir, NULL);

    /* The overlay of two runs before, and then the whole block at first. */
    change_units(dir, 4, 1, 1, 1);
    assert_int_equal(vm_run(r, dir, NULL).new_blocks, 0);
    assert_int_equal(entry_of(r, 4).kind, MF_OVER);
    char *fresh = vm_make(*state, "fresh");
    char command[512];
    snprintf(command, sizeof(command), "cp '%s/disk.raw' '%s/disk.raw'", fresh,
             dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    assert_int_equal(vm_run(r, dir, NULL).new_blocks, 0);
    assert_int_equal(entry_of(r, 4).kind, MF_WHOLE);
    vm_check_restore(r, *state, dir);
    free(fresh);
    free(dir);
    eng_repo_close(r);
}

static void lost_fingerprints_cost_hashing_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");

    vm_run(r, dir, NULL);
    change_units(dir, 4, 1, 3, 1);
    vm_run(r, dir, NULL);
    vm_shell(f, "rm -r ../state/*/plain/fingerprints");
    uint64_t before = vm_puts_so_far(r);
    vm_run(r, dir, NULL);
    assert_int_equal(vm_puts_so_far(r) - before, 1); /* the manifest */
    assert_int_equal(entry_of(r, 4).kind, MF_OVER);

    /* Without them a change costs the block. */
    vm_shell(f, "rm -r ../state/*/plain/fingerprints");
    change_units(dir, 5, 1, 1, 1);
    assert_int_equal(vm_run(r, dir, NULL).new_bytes, FIXTURE_BLOCK);
    vm_check_restore(r, f, dir);
    free(dir);
    eng_repo_close(r);
}

/* Somebody puts the state folder of yesterday back. */
static void fingerprints_of_an_older_point_hide_no_change(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");

    vm_run(r, dir, NULL);
    vm_shell(f, "cp -r ../state/*/plain/fingerprints ../old");
    change_units(dir, 6, 0, 2, 1);
    vm_run(r, dir, NULL);
    vm_shell(f, "cp ../old/* ../state/*/plain/fingerprints/");
    change_units(dir, 6, 0, 2, 2);
    vm_run(r, dir, NULL);
    vm_check_restore(r, f, dir);
    free(dir);
    eng_repo_close(r);
}

/* Point 2 was made by another host: our fingerprints are those of point 1. */
static void another_hosts_point_in_between_hides_no_change(void **state)
{
    struct fixture *f = *state;
    struct err e = { 0 };
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");
    char *elsewhere = fixture_path(f, "state2");
    struct eng_repo_place other = f->place;

    vm_run(r, dir, NULL);
    change_units(dir, 6, 0, 2, 1);
    other.state_dir = elsewhere;
    struct eng_repo *r2 = eng_repo_open(&other, NULL, &e);
    assert_non_null(r2);
    vm_run(r2, dir, NULL);
    eng_repo_close(r2);
    eng_repo_close(r);

    r = fixture_open(f);
    char *fresh = vm_make(f, "fresh"); /* as it was at point 1 */
    char command[512];
    snprintf(command, sizeof(command), "cp '%s/disk.raw' '%s/disk.raw'", fresh,
             dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    vm_run(r, dir, NULL);
    vm_check_restore(r, f, dir);
    free(fresh);
    free(elsewhere);
    free(dir);
    eng_repo_close(r);
}

static void a_replaced_or_resized_disk_comes_back(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");
    static const off_t sizes[] = { 9 * FIXTURE_BLOCK + 3 * UNIT + 5,
                                   10 * FIXTURE_BLOCK + 77,
                                   10 * FIXTURE_BLOCK + UNIT + 77,
                                   4 * FIXTURE_BLOCK };

    vm_run(r, dir, NULL);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int fd = vm_disk_open(dir);
        assert_int_equal(ftruncate(fd, sizes[i]), 0);
        close(fd);
        change_units(dir, 1, (unsigned)i, 1, i);
        vm_run(r, dir, NULL);
        vm_check_restore(r, f, dir);
    }
    uint8_t *noise = malloc(10 * FIXTURE_BLOCK);
    char path[256];
    fixture_noise(noise, 10 * FIXTURE_BLOCK, 77);
    snprintf(path, sizeof(path), "%s/disk.raw", dir);
    must(io_write_file(path, span_of(noise, 10 * FIXTURE_BLOCK), 0600, false,
                       why));
    vm_run(r, dir, NULL);
    vm_check_restore(r, f, dir);
    free(noise);
    free(dir);
    eng_repo_close(r);
}

/* The index was lost, and the listing that fills a new one shows that the base
 * is gone: it is not built upon, and stored again where it is still there. */
static void a_base_that_a_listing_does_not_show_is_not_built_upon(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");
    char hex[MF_ID_CHARS];
    char command[256];

    vm_run(r, dir, NULL);
    struct mf_entry changed = entry_of(r, 3);
    struct mf_entry same = entry_of(r, 4);
    eng_repo_close(r);
    vm_shell(f, "rm ../state/*/plain/index.db*");
    mf_id_hex(&changed.id, hex);
    snprintf(command, sizeof(command), "rm plain/blocks/%.2s/%s", hex, hex);
    vm_shell(f, command);
    mf_id_hex(&same.id, hex);
    snprintf(command, sizeof(command), "rm plain/blocks/%.2s/%s", hex, hex);
    vm_shell(f, command);

    change_units(dir, 3, 7, 1, 1);
    r = fixture_open(f);
    assert_int_equal(vm_run(r, dir, NULL).new_blocks, 2);
    assert_int_equal(entry_of(r, 3).kind, MF_WHOLE);
    vm_check_restore(r, f, dir);
    free(dir);
    eng_repo_close(r);
}

static void a_full_run_stores_whole_blocks_only(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_backup_opts full = { .full = true };

    vm_run(r, dir, NULL);
    change_units(dir, 3, 1, 1, 1);
    vm_run(r, dir, NULL);
    assert_int_equal(entry_of(r, 3).kind, MF_OVER);
    vm_run(r, dir, &full);
    assert_int_equal(entry_of(r, 3).kind, MF_WHOLE);
    vm_check_restore(r, *state, dir);

    /* And its fingerprints serve the next run. */
    change_units(dir, 3, 2, 1, 1);
    assert_int_equal(vm_run(r, dir, NULL).new_bytes, UNIT);
    vm_check_restore(r, *state, dir);
    free(dir);
    eng_repo_close(r);
}

static void a_dry_run_counts_the_units_and_keeps_the_fingerprints(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_backup_opts dry = { .dry_run = true };

    vm_run(r, dir, NULL);
    change_units(dir, 3, 1, 2, 1);
    assert_int_equal(vm_run(r, dir, &dry).new_bytes, 2 * UNIT);
    assert_int_equal(vm_run(r, dir, NULL).new_bytes, 2 * UNIT);
    vm_check_restore(r, *state, dir);
    free(dir);
    eng_repo_close(r);
}

/* Many rounds of random changes; every point must come back. */
static void a_long_chain_of_random_changes_comes_back(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    uint32_t x = 12345;

    vm_run(r, dir, NULL);
    for (unsigned round = 0; round < 12; round++) {
        for (unsigned n = 0; n < 4; n++) {
            x = x * 1103515245u + 12345u;
            change_units(dir, x >> 8 & 7, x >> 16 & 31, 1 + (x >> 24 & 15),
                         round * 10 + n);
        }
        vm_run(r, dir, NULL);
        vm_check_restore(r, *state, dir);
    }
    free(dir);
    eng_repo_close(r);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_changed_sector_costs_a_unit),
        T(changes_add_up_on_one_base_until_half_of_the_block),
        T(units_that_became_zeros_need_no_object),
        T(content_that_comes_back_needs_no_object),
        T(lost_fingerprints_cost_hashing_and_nothing_else),
        T(fingerprints_of_an_older_point_hide_no_change),
        T(another_hosts_point_in_between_hides_no_change),
        T(a_replaced_or_resized_disk_comes_back),
        T(a_base_that_a_listing_does_not_show_is_not_built_upon),
        T(a_full_run_stores_whole_blocks_only),
        T(a_dry_run_counts_the_units_and_keeps_the_fingerprints),
        T(a_long_chain_of_random_changes_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The backup flow on a repository in a folder: what is read, put and kept. */
#include "tests/unit/engine/backup/vm.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/repo/blockio.h"
#include "engine/repo/learn.h"

static void
an_increment_puts_the_changed_blocks_one_page_and_the_manifest(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_backup_result full = vm_run(r, dir, NULL);

    assert_int_equal(full.kind, MF_FULL);
    assert_int_equal(full.new_blocks, VM_BLOCKS + 1);
    assert_int_equal(full.new_pages, 2);

    vm_poke(dir, 3 * FIXTURE_BLOCK + 5, "changed");
    vm_poke(dir, 8 * FIXTURE_BLOCK, "changed");
    uint64_t before = vm_puts_so_far(r);
    struct eng_backup_result inc = vm_run(r, dir, NULL);
    assert_int_equal(inc.kind, MF_INCREMENTAL);
    assert_int_equal(inc.new_blocks, 2);
    assert_int_equal(inc.new_pages, 1);
    assert_int_equal(vm_puts_so_far(r) - before, 2 + 1 + 1);
    free(dir);
    eng_repo_close(r);
}

static void an_unchanged_run_puts_one_manifest_and_nothing_else(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");

    vm_run(r, dir, NULL);
    uint64_t before = vm_puts_so_far(r);
    struct eng_backup_result same = vm_run(r, dir, NULL);
    assert_int_equal(same.new_blocks, 0);
    assert_int_equal(same.reused_blocks, VM_BLOCKS + 1);
    assert_int_equal(vm_puts_so_far(r) - before, 1);
    free(dir);
    eng_repo_close(r);
}

static void a_twin_puts_no_block(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    char *twin = vm_make(*state, "twin");

    vm_run(r, dir, NULL);
    struct eng_backup_result res = vm_run(r, twin, NULL);
    assert_int_equal(res.kind, MF_FULL);
    assert_int_equal(res.new_blocks, 0);
    assert_int_equal(res.new_pages, 0);
    free(dir);
    free(twin);
    eng_repo_close(r);
}

static void another_host_knows_what_the_first_one_put(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");
    struct eng_repo_place other = f->place;
    char *elsewhere = fixture_path(f, "state2");
    struct err e = { 0 };

    vm_run(r, dir, NULL);
    other.state_dir = elsewhere;
    struct eng_repo *r2 = eng_repo_open(&other, NULL, &e);
    assert_non_null(r2);
    struct eng_backup_result res = vm_run(r2, dir, NULL);
    assert_int_equal(res.kind, MF_INCREMENTAL);
    assert_int_equal(res.new_blocks, 0);
    assert_int_equal(res.new_pages, 0);

    /* And the first learns from the second's manifests. */
    vm_poke(dir, 0, "second host");
    assert_int_equal(vm_run(r2, dir, NULL).new_blocks, 1);
    eng_repo_close(r2);
    eng_repo_close(r);
    r = fixture_open(f);
    char *twin = vm_make(f, "twin");
    vm_poke(twin, 0, "second host");
    assert_int_equal(vm_run(r, twin, NULL).new_blocks, 0);
    eng_repo_close(r);
    free(dir);
    free(twin);
    free(elsewhere);
}

static void a_full_run_opens_a_new_chain(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_backup_opts full = { .full = true };
    struct eng_points ps = { 0 };

    vm_run(r, dir, NULL);
    vm_run(r, dir, NULL);
    assert_int_equal(vm_run(r, dir, &full).kind, MF_FULL);
    vm_run(r, dir, NULL);
    must(eng_points_list(r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 4);
    assert_true(ps.p[1].manifest->chain == ps.p[0].time);
    assert_true(ps.p[2].manifest->chain == ps.p[2].time);
    assert_null(ps.p[2].manifest->parent);
    assert_true(ps.p[3].manifest->chain == ps.p[2].time);
    assert_string_equal(ps.p[3].manifest->parent, ps.p[2].file);
    eng_points_free(&ps);
    free(dir);
    eng_repo_close(r);
}

static void runs_within_a_second_get_times_of_their_own(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_points ps = { 0 };

    for (int i = 0; i < 4; i++)
        vm_run(r, dir, NULL);
    must(eng_points_list(r, NULL, NULL, &ps, why));
    for (size_t i = 1; i < ps.n; i++)
        assert_true(ps.p[i].time > ps.p[i - 1].time);
    eng_points_free(&ps);
    free(dir);
    eng_repo_close(r);
}

static void
another_machine_of_the_same_name_is_refused_unless_adopted(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    char *other = vm_make(*state, "elsewhere/vm");
    struct eng_backup_opts o = { 0 };
    struct eng_backup_result res;
    struct err e = { 0 };

    vm_run(r, dir, NULL);
    struct eng_machine *m = eng_machine_scan(other, &e);
    assert_non_null(m);
    assert_int_equal(eng_backup_machine(r, m, &o, &res, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_non_null(strstr(e.msg, "--adopt"));
    o.adopt = true;
    must(eng_backup_machine(r, m, &o, &res, why));
    assert_int_equal(res.kind, MF_INCREMENTAL);
    o = (struct eng_backup_opts){ .vm = "second" };
    must(eng_backup_machine(r, m, &o, &res, why));
    assert_int_equal(res.kind, MF_FULL);
    eng_machine_free(m);
    free(dir);
    free(other);
    eng_repo_close(r);
}

static void a_dry_run_stores_nothing_and_says_what_it_would(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_backup_opts dry = { .dry_run = true };
    struct eng_points ps = { 0 };
    uint64_t before = vm_puts_so_far(r);
    struct eng_backup_result res = vm_run(r, dir, &dry);

    assert_int_equal(res.new_blocks, VM_BLOCKS + 1);
    assert_string_equal(res.point, "");
    assert_int_equal(vm_puts_so_far(r), before);
    must(eng_points_list(r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 0);
    free(dir);
    eng_repo_close(r);
}

static void a_name_that_no_manifest_can_hold_is_refused_at_once(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    static const char *const bad[] = { "", "a\nb", "\xff" };
    struct err e = { 0 };
    AUTO_ENG_MACHINE struct eng_machine *m = eng_machine_scan(dir, &e);

    assert_non_null(m);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct eng_backup_opts o = { .vm = bad[i] };
        struct eng_backup_result res;
        assert_int_equal(eng_backup_machine(r, m, &o, &res, &e), -1);
        assert_int_equal(e.kind, ERR_USAGE);
    }
    assert_int_equal(vm_puts_so_far(r), 0);
    free(dir);
    eng_repo_close(r);
}

/* Restores the newest point's disk and compares it with the source. */
static void a_disk_that_grows_shrinks_and_becomes_zero_comes_back(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    int fd = vm_disk_open(dir);
    static const off_t sizes[] = { 10 * FIXTURE_BLOCK + 77,
                                   3 * FIXTURE_BLOCK + 1,
                                   3 * FIXTURE_BLOCK,
                                   7 * FIXTURE_BLOCK,
                                   0,
                                   1 };

    vm_run(r, dir, NULL);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(ftruncate(fd, sizes[i]), 0);
        vm_run(r, dir, NULL);
        vm_check_restore(r, *state, dir);
    }
    close(fd);
    free(dir);
    eng_repo_close(r);
}

static void a_parent_whose_page_is_lost_costs_only_reading(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");

    vm_run(r, dir, NULL);
    eng_repo_close(r);
    vm_shell(f, "rm -rf plain/pages ../state");
    r = fixture_open(f);
    struct eng_backup_result res = vm_run(r, dir, NULL);
    assert_int_equal(res.new_blocks, 0);
    assert_int_equal(res.new_pages, 2);
    vm_check_restore(r, f, dir);
    free(dir);
    eng_repo_close(r);
}

static void an_index_whose_points_are_gone_is_not_trusted(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");

    vm_run(r, dir, NULL);
    eng_repo_close(r);
    vm_shell(f, "rm -rf plain");
    r = fixture_open(f);
    assert_int_equal(vm_run(r, dir, NULL).new_blocks, VM_BLOCKS + 1);
    vm_check_restore(r, f, dir);
    eng_repo_close(r);
    free(dir);
}

/* Puts the first n blocks of the disk and dies at once, as by kill -9. */
static void put_and_die(struct fixture *f, const char *dir, unsigned n)
{
    struct err e = { 0 };
    struct eng_repo *r = fixture_open(f);
    uint8_t *block = malloc(FIXTURE_BLOCK);
    int fd = vm_disk_open(dir);

    must(eng_repo_prepare_writes(r, ENG_UPLOAD_NEW, NULL, why));
    struct eng_blockio *io = eng_blockio_new(r, 3, NULL, &e);
    for (unsigned i = 0; i < n; i++) {
        struct mf_id id;
        struct span plain = span_of(block, FIXTURE_BLOCK);
        must(io_pread_full(fd, block, FIXTURE_BLOCK, i * FIXTURE_BLOCK, "disk",
                           why));
        must(mf_id_of(plain, &id, why));
        must(eng_block_put(io, &id, plain, why));
    }
    kill(getpid(), SIGKILL);
}

static void
what_a_killed_run_put_in_its_last_second_is_not_put_again(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    int status = 0;

    for (unsigned n = 4; n <= 6; n += 2) {
        pid_t child = fork();
        if (child == 0) {
            put_and_die(f, dir, n);
            _exit(1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
    }
    struct eng_repo *r = fixture_open(f);
    assert_int_equal(vm_run(r, dir, NULL).new_blocks, VM_BLOCKS + 1 - 6);
    eng_repo_close(r);
    /* Its mark is gone: the next run looks at keysets, at manifests, and at
     * marks of damaged objects, and lists nothing else. */
    r = fixture_open(f);
    vm_run(r, dir, NULL);
    struct obj_counters c;
    obj_store_counters(eng_repo_store(r), &c);
    assert_int_equal(c.requests[OBJ_LIST], 4);
    eng_repo_close(r);
    free(dir);
}

static void a_full_run_puts_lost_blocks_again(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");
    struct eng_backup_opts full = { .full = true };

    vm_run(r, dir, NULL);
    eng_repo_close(r);
    vm_shell(f, "rm -r plain/blocks/*");
    r = fixture_open(f);
    assert_int_equal(vm_run(r, dir, &full).new_blocks, VM_BLOCKS + 1);
    vm_check_restore(r, f, dir);
    eng_repo_close(r);
    free(dir);
}

static uint64_t damaged_in_latest(struct eng_repo *r)
{
    struct eng_point p;
    struct eng_restore_opts o = { 0 };
    struct eng_verify_result v;

    must(eng_point_find(r, NULL, "vm@latest", &p, why));
    must(eng_verify_point(r, &p, ENG_VERIFY_FULL, &o, NULL, NULL, &v, why));
    eng_point_free(&p);
    return v.damaged;
}

static void lost_pages_that_the_index_knows_are_put_again(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");

    vm_run(r, dir, NULL);
    eng_repo_close(r);
    vm_shell(f, "rm -r plain/pages/*");
    r = fixture_open(f);
    struct eng_backup_result res = vm_run(r, dir, NULL);
    assert_int_equal(res.new_pages, 2);
    assert_int_equal(res.new_blocks, 0);
    assert_non_null(strstr(res.warning, "damaged"));
    assert_int_equal(damaged_in_latest(r), 0);
    eng_repo_close(r);
    free(dir);
}

static void a_damaged_page_is_put_again(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");

    vm_run(r, dir, NULL);
    eng_repo_close(r);
    vm_shell(f, "for p in plain/pages/*/*; do echo rot > $p; done");
    r = fixture_open(f);
    assert_int_equal(vm_run(r, dir, NULL).new_pages, 2);
    assert_int_equal(damaged_in_latest(r), 0);
    eng_repo_close(r);
    free(dir);
}

static void upload_all_repairs_damaged_blocks(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");
    struct eng_backup_opts all = { .upload = ENG_UPLOAD_ALL };

    vm_run(r, dir, NULL);
    eng_repo_close(r);
    vm_shell(f, "for b in plain/blocks/*/*; do echo rot > $b; done");
    r = fixture_open(f);
    assert_int_equal(damaged_in_latest(r), VM_BLOCKS + 1);
    eng_repo_close(r);
    r = fixture_open(f);
    assert_int_equal(vm_run(r, dir, &all).new_blocks, VM_BLOCKS + 1);
    assert_int_equal(damaged_in_latest(r), 0);
    eng_repo_close(r);
    free(dir);
}

static void a_run_beside_a_damaged_point_says_so(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");

    vm_run(r, dir, NULL);
    vm_shell(f, "for m in plain/points/*/*; do echo rot > $m; done");
    struct eng_backup_result res = vm_run(r, dir, NULL);
    assert_int_equal(res.kind, MF_FULL);
    assert_int_equal(res.new_blocks, 0);
    assert_non_null(strstr(res.warning, "damaged"));
    eng_repo_close(r);
    free(dir);
}

static void a_state_folder_that_cannot_be_used_stops_nothing(void **state)
{
    struct fixture *f = *state;
    struct eng_repo *r = fixture_open(f);
    char *dir = vm_make(f, "vm");

    /* A file where the folder should be. */
    must(io_write_file(f->state, span_str("x"), 0600, false, why));
    assert_int_equal(vm_run(r, dir, NULL).new_blocks, VM_BLOCKS + 1);
    assert_int_equal(vm_run(r, dir, NULL).new_blocks, 0);
    vm_check_restore(r, f, dir);
    eng_repo_close(r);
    free(dir);
}

static void memory_for_one_worker_is_enough(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct eng_backup_opts o = { .memory_bytes = 1 };

    assert_int_equal(vm_run(r, dir, &o).new_blocks, VM_BLOCKS + 1);
    vm_check_restore(r, *state, dir);
    free(dir);
    eng_repo_close(r);
}

static void a_cancelled_run_makes_no_point(void **state)
{
    struct eng_repo *r = fixture_open(*state);
    char *dir = vm_make(*state, "vm");
    struct cancel c;
    struct eng_backup_opts o = { .cancel = &c };
    struct eng_backup_result res;
    struct eng_points ps = { 0 };
    struct err e = { 0 };

    must(cancel_init(&c, NULL, why));
    cancel_request(&c);
    struct eng_machine *m = eng_machine_scan(dir, &e);
    assert_non_null(m);
    assert_int_equal(eng_backup_machine(r, m, &o, &res, &e), -1);
    assert_int_equal(e.kind, ERR_CANCELLED);
    must(eng_points_list(r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 0);
    eng_machine_free(m);
    cancel_fini(&c);
    free(dir);
    eng_repo_close(r);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_increment_puts_the_changed_blocks_one_page_and_the_manifest),
        T(an_unchanged_run_puts_one_manifest_and_nothing_else),
        T(a_twin_puts_no_block),
        T(another_host_knows_what_the_first_one_put),
        T(a_full_run_opens_a_new_chain),
        T(runs_within_a_second_get_times_of_their_own),
        T(another_machine_of_the_same_name_is_refused_unless_adopted),
        T(a_name_that_no_manifest_can_hold_is_refused_at_once),
        T(a_dry_run_stores_nothing_and_says_what_it_would),
        T(a_disk_that_grows_shrinks_and_becomes_zero_comes_back),
        T(a_parent_whose_page_is_lost_costs_only_reading),
        T(an_index_whose_points_are_gone_is_not_trusted),
        T(what_a_killed_run_put_in_its_last_second_is_not_put_again),
        T(a_full_run_puts_lost_blocks_again),
        T(lost_pages_that_the_index_knows_are_put_again),
        T(a_damaged_page_is_put_again),
        T(upload_all_repairs_damaged_blocks),
        T(a_run_beside_a_damaged_point_says_so),
        T(a_state_folder_that_cannot_be_used_stops_nothing),
        T(memory_for_one_worker_is_enough),
        T(a_cancelled_run_makes_no_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Checks of a repository in a folder: what they find, and what marks do. */
#include "tests/unit/engine/backup/vm.h"

#include "engine/care/check.h"
#include "engine/repo/damaged.h"

#define WORDS (ENG_CHECK_NOTE + 1)

struct heard {
    unsigned n[WORDS];
    char last[WORDS][300];
};

static void hear(void *ctx, enum eng_check_word word, const char *what)
{
    struct heard *h = ctx;

    h->n[word]++;
    snprintf(h->last[word], sizeof h->last[word], "%s", what);
}

static struct eng_check_result check(struct fixture *f, struct eng_check_opts o,
                                     struct heard *h)
{
    struct eng_repo *r = fixture_open(f);
    struct eng_check_result res;

    *h = (struct heard){ 0 };
    o.report = hear;
    o.ctx = h;
    must(eng_check_run(r, &o, &res, why));
    eng_repo_close(r);
    return res;
}

static void back_up(struct fixture *f, const char *dir)
{
    struct eng_repo *r = fixture_open(f);

    vm_run(r, dir, NULL);
    eng_repo_close(r);
}

static size_t standing(struct fixture *f)
{
    struct eng_repo *r = fixture_open(f);
    AUTO_ENG_DAMAGED struct eng_damaged d = { 0 };
    size_t n = 0;

    must(eng_damaged_list(eng_repo_store(r), NULL, &d, why));
    for (size_t i = 0; i < d.n; i++)
        n += !d.ids[i].cleared;
    eng_repo_close(r);
    return n;
}

static const struct eng_check_opts list_it = { .level = ENG_CHECK_LIST };
static const struct eng_check_opts full = { .level = ENG_CHECK_FULL };

/* The first file below a folder of the store, by name. */
#define FIRST(folder)                                                          \
    "f=$(find plain/" folder " -type f | sort | head -n 1) && "

static void a_sound_repository_is_well_at_every_level(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct heard h;

    back_up(f, dir);
    for (int level = ENG_CHECK_LIST; level <= ENG_CHECK_FULL; level++) {
        struct eng_check_opts o = { .level = (enum eng_check_level)level,
                                    .sample_ppm = 500000 };
        struct eng_check_result res = check(f, o, &h);
        assert_int_equal(res.points, 1);
        assert_int_equal(res.damaged + res.damaged_points + res.junk, 0);
        assert_int_equal(res.blocks, VM_BLOCKS + 1); /* and the file's */
        assert_int_equal(res.marked, 0);
    }
    assert_int_equal(standing(f), 0);
    free(dir);
}

static void a_missing_block_is_named_by_a_listing(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct heard h;

    back_up(f, dir);
    vm_shell(f, FIRST("blocks") "rm $f");
    struct eng_check_result res = check(f, list_it, &h);
    assert_int_equal(res.damaged, 1);
    assert_int_equal(res.damaged_points, 1);
    assert_int_equal(res.marked, 1);
    assert_non_null(strstr(h.last[ENG_CHECK_DAMAGED], "plain/blocks/"));
    assert_non_null(strstr(h.last[ENG_CHECK_POINT], "vm@"));
    assert_int_equal(standing(f), 1);
    /* Said again, marked once. */
    assert_int_equal(check(f, list_it, &h).marked, 1);
    assert_int_equal(standing(f), 1);
    free(dir);
}

static void damage_inside_is_found_by_reading_only(void **state)
{
    static const char *const ways[] = {
        FIRST("blocks") "truncate -s -1 $f",
        FIRST("blocks") "printf X | dd of=$f bs=1 seek=50 conv=notrunc "
                        "status=none",
    };
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct heard h;

    back_up(f, dir);
    for (size_t i = 0; i < 2; i++) {
        vm_shell(f, ways[i]);
        assert_int_equal(check(f, list_it, &h).damaged, 0);
        struct eng_check_result res = check(f, full, &h);
        assert_int_equal(res.damaged, 1);
        assert_int_equal(res.damaged_points, i + 1); /* all share it */
        back_up(f, dir); /* the source still has it */
        assert_int_equal(check(f, full, &h).damaged, 0);
        assert_int_equal(standing(f), 0);
    }
    free(dir);
}

static void a_size_that_cannot_be_is_seen_in_a_listing(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct heard h;

    back_up(f, dir);
    vm_shell(f, FIRST("blocks") "truncate -s 0 $f");
    assert_int_equal(check(f, list_it, &h).damaged, 1);
    vm_shell(f, FIRST("blocks") "truncate -s 1000000 $f");
    assert_int_equal(check(f, list_it, &h).damaged, 1);
    free(dir);
}

static void the_next_run_on_any_host_stores_marked_objects_again(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct heard h;

    back_up(f, dir);
    vm_shell(f, FIRST("blocks") "printf X >$f");
    vm_shell(f, FIRST("pages") "printf X >$f");
    /* Blocks behind a lost page are not seen. */
    assert_true(check(f, full, &h).marked >= 1);

    snprintf(f->state, sizeof f->state, "%s/state2", f->dir);
    f->place.state_dir = f->state;
    back_up(f, dir);
    assert_int_equal(standing(f), 0);
    (void)check(f, full, &h);
    back_up(f, dir);
    struct eng_check_result res = check(f, full, &h);
    assert_int_equal(res.damaged + res.damaged_points, 0);
    assert_int_equal(res.points, 3);
    struct eng_repo *r = fixture_open(f);
    vm_check_restore(r, f, dir);
    eng_repo_close(r);
    free(dir);
}

static void a_damaged_manifest_and_one_that_is_gone_are_named(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct heard h;

    back_up(f, dir);
    vm_shell(f, FIRST("points") "cp $f keep && printf X >>$f");
    struct eng_check_result res = check(f, list_it, &h);
    assert_int_equal(res.damaged_points, 1);
    assert_non_null(strstr(h.last[ENG_CHECK_POINT], "vm@"));
    assert_int_equal(res.marked, 0); /* a run makes its own */
    vm_shell(f, FIRST("points") "mv $f gone");
    res = check(f, list_it, &h);
    assert_int_equal(res.missing_points, 1);
    assert_non_null(strstr(h.last[ENG_CHECK_MISSING], "plain/points/vm/"));
    /* Another machine never saw it. */
    snprintf(f->state, sizeof f->state, "%s/state2", f->dir);
    f->place.state_dir = f->state;
    assert_int_equal(check(f, list_it, &h).missing_points, 0);
    free(dir);
}

static void what_is_not_ours_is_junk_and_no_damage(void **state)
{
    struct fixture *f = *state;
    char *dir = vm_make(f, "vm");
    struct heard h;

    back_up(f, dir);
    vm_shell(f, "echo x >notes.txt && echo x >plain/points/readme && "
                "mkdir -p plain/points/vm/sub other/a && "
                "echo x >plain/points/vm/sub/y && echo x >other/a/b && "
                "d=$(find plain/blocks -mindepth 1 -type d | head -n 1) && "
                "echo x >$d/z");
    struct eng_check_result res = check(f, list_it, &h);
    assert_int_equal(res.junk, 5);
    assert_int_equal(res.damaged + res.damaged_points + res.missing_points, 0);
    free(dir);
}

static void few_ids_at_once_find_the_same(void **state)
{
    struct fixture *f = *state;
    struct eng_check_opts o = { .level = ENG_CHECK_FULL, .ids_max = 2 };
    char *dir = vm_make(f, "vm");
    struct heard h;

    back_up(f, dir);
    vm_shell(f, "for f in $(find plain/blocks -type f | sort | head -n 3); do "
                "printf X >$f; done");
    struct eng_check_result res = check(f, o, &h);
    assert_true(res.ranges > 2);
    assert_int_equal(res.blocks, VM_BLOCKS + 1);
    assert_int_equal(res.damaged, 3);
    assert_int_equal(h.n[ENG_CHECK_DAMAGED], 3);
    assert_int_equal(res.damaged_points, 1);
    free(dir);
}

static void another_repository_mends_block_page_and_manifest(void **state)
{
    struct fixture *f = *state;
    struct fixture other = *f;
    char *dir = vm_make(f, "vm");
    struct heard h;

    back_up(f, dir);
    snprintf(other.store, sizeof other.store, "%s/store2", f->dir);
    other.place.store.path = other.store;
    vm_shell(f, "cp -r . ../store2");
    vm_shell(f, FIRST("blocks") "rm $f");
    vm_shell(f, FIRST("pages") "printf X >$f");
    vm_shell(f, FIRST("points") "printf X >$f");
    struct eng_repo *from = fixture_open(&other);
    const struct eng_check_opts o = { .repair = true, .from = from };
    struct eng_check_result res = check(f, o, &h);
    assert_int_equal(res.damaged, 3);
    assert_int_equal(res.repaired, 3);
    assert_int_equal(res.damaged_points + res.marked, 0);
    vm_shell(f, FIRST("points") "rm $f");
    res = check(f, o, &h);
    assert_int_equal(res.repaired, 1);
    assert_false(eng_check_damage(&res));
    eng_repo_close(from);
    vm_shell(f, "diff -r plain ../store2/plain");
    assert_int_equal(check(f, full, &h).damaged, 0);
    free(dir);
}

static void a_sample_reads_some_and_full_reads_all(void **state)
{
    struct fixture *f = *state;
    struct eng_check_opts o = { .level = ENG_CHECK_SAMPLE, .sample_ppm = 1 };
    char *dir = vm_make(f, "vm");
    struct heard h;

    back_up(f, dir);
    uint64_t pages = check(f, list_it, &h).read_objects;
    assert_int_equal(check(f, o, &h).read_objects, pages + 1);
    o.sample_ppm = 1000000;
    assert_int_equal(check(f, o, &h).read_objects, pages + VM_BLOCKS + 1);
    assert_int_equal(check(f, full, &h).read_objects, pages + VM_BLOCKS + 1);
    free(dir);
}

#define CASE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_sound_repository_is_well_at_every_level),
        CASE(a_missing_block_is_named_by_a_listing),
        CASE(damage_inside_is_found_by_reading_only),
        CASE(a_size_that_cannot_be_is_seen_in_a_listing),
        CASE(the_next_run_on_any_host_stores_marked_objects_again),
        CASE(a_damaged_manifest_and_one_that_is_gone_are_named),
        CASE(what_is_not_ours_is_junk_and_no_damage),
        CASE(few_ids_at_once_find_the_same),
        CASE(another_repository_mends_block_page_and_manifest),
        CASE(a_sample_reads_some_and_full_reads_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Looking after a repository with keysets: all that are at hand, and no word
 * too much about the others. */
#include "tests/unit/engine/keyed_scene.h"

#include "engine/care/check.h"
#include "engine/care/collect.h"
#include "engine/repo/damaged.h"

static int setup(void **state)
{
    struct eng_encrypt_opts clear = { .what = ENG_ENCRYPT_NONE };
    struct eng_backup_opts none = { .encrypt = &clear };
    int r = keyed_setup(state);
    struct scene *s = *state;

    vm_run(s->r, s->vm, &none);
    vm_run(s->r, s->vm, &s->k.run);
    return r;
}

/* The program is started anew, with the password or without. */
static void again(struct scene *s, bool with)
{
    struct eng_key_ways ways = { &s->k.way, with ? 1 : 0 };
    size_t closed = 0;

    s->r = keyed_again(s->f, s->r);
    must(eng_keysets_open(s->r, &ways, NULL, &closed, why));
    assert_int_equal(closed, with ? 0 : 1);
}

static struct eng_collect_result collect(struct scene *s)
{
    struct eng_collect_opts o = { 0 };
    struct eng_collect_result res;

    must(eng_collect_run(s->r, &o, &res, why));
    return res;
}

static struct eng_check_result check(struct scene *s)
{
    struct eng_check_opts o = { .level = ENG_CHECK_FULL };
    struct eng_check_result res;

    must(eng_check_run(s->r, &o, &res, why));
    return res;
}

/* The only point of every keyset goes. */
static void forget_points(struct scene *s, const char *folder)
{
    char what[128];

    snprintf(what, sizeof what, "rm -r %s/points", folder);
    vm_shell(s->f, what);
}

static void a_collection_leaves_alone_what_it_has_no_key_for(void **state)
{
    struct scene *s = *state;

    forget_points(s, "k-*");
    again(s, false);
    struct eng_collect_result res = collect(s);
    assert_int_equal(res.keysets_skipped, 1);
    assert_int_equal(res.deleted.objects, 0);
    assert_int_equal(res.points, 1);
    vm_shell(s->f, "test $(find k-*/blocks -type f | wc -l) = 11");
}

static void a_collection_goes_over_all_keysets_at_hand(void **state)
{
    struct scene *s = *state;

    forget_points(s, "k-*");
    again(s, true);
    struct eng_collect_result res = collect(s);
    assert_int_equal(res.keysets_skipped, 0);
    assert_int_equal(res.deleted.objects, VM_BLOCKS + 1 + 2);
    assert_int_equal(res.points, 1);
    vm_shell(s->f, "test -z \"$(find k-*/blocks -type f)\"");
    vm_shell(s->f, "test -n \"$(find keysets -type f)\"");
    must(eng_repo_select(s->r, "plain", why));
    vm_check_restore(s->r, s->f, s->vm);

    forget_points(s, "plain");
    res = collect(s);
    assert_int_equal(res.deleted.objects, VM_BLOCKS + 1 + 2);
    assert_string_equal(eng_repo_keyset(s->r), "plain");
}

static void
a_keyset_that_cannot_be_read_stops_its_own_collection_only(void **state)
{
    struct scene *s = *state;
    struct eng_collect_opts o = { 0 };
    struct eng_collect_result res;
    struct err e = { 0 };

    vm_shell(s->f,
             "for p in $(find plain/pages -type f); do echo x > $p; done");
    forget_points(s, "k-*");
    again(s, true);
    assert_int_equal(eng_collect_run(s->r, &o, &res, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    vm_shell(s->f, "test -z \"$(find k-*/blocks -type f)\"");
    vm_shell(s->f, "test $(find plain/blocks -type f | wc -l) = 11");
}

static void a_check_reads_all_keysets_at_hand(void **state)
{
    struct scene *s = *state;

    again(s, true);
    struct eng_check_result res = check(s);
    assert_int_equal(res.points, 2);
    assert_int_equal(res.blocks, 2 * (VM_BLOCKS + 1));
    assert_int_equal(res.pages, 4);
    assert_int_equal(res.damaged, 0);
    assert_int_equal(res.junk, 0);
    assert_int_equal(res.keysets_skipped, 0);

    vm_shell(s->f, "b=$(find k-*/blocks -type f -size +100k | head -1) && "
                   "printf x | dd of=$b bs=1 seek=5000 conv=notrunc 2>&1");
    res = check(s);
    assert_int_equal(res.damaged, 1);
    assert_int_equal(res.damaged_points, 1);
    assert_int_equal(res.marked, 1);
}

static void
a_check_without_the_key_compares_manifests_with_their_names(void **state)
{
    struct scene *s = *state;

    again(s, false);
    struct eng_check_result res = check(s);
    assert_int_equal(res.points, 1);
    assert_int_equal(res.keysets_skipped, 1);
    assert_int_equal(res.sealed_points, 1);
    assert_int_equal(res.damaged, 0);
    assert_int_equal(res.junk, 0);
    vm_shell(s->f, "m=$(find k-*/points -type f) && printf x >> $m");
    res = check(s);
    assert_int_equal(res.damaged, 1);
    assert_true(eng_check_damage(&res));
}

static size_t marks(struct scene *s)
{
    AUTO_ENG_DAMAGED struct eng_damaged d = { 0 };

    must(eng_damaged_list(eng_repo_store(s->r), NULL, &d, why));
    return d.n;
}

/* Neither check nor collection knows without the key whether it is needed. */
static void a_mark_of_a_keyset_outlives_who_has_no_key_for_it(void **state)
{
    struct scene *s = *state;

    vm_shell(s->f, "rm $(find k-*/blocks -type f -size +100k | head -1)");
    again(s, true);
    assert_int_equal(check(s).marked, 1);
    again(s, false);
    assert_int_equal(check(s).damaged, 0);
    collect(s);
    assert_int_equal(marks(s), 1);
    again(s, true);
    collect(s);
    assert_int_equal(marks(s), 1);

    /* A run that meets the content puts it again. */
    struct eng_backup_opts full = s->k.run;
    full.full = true;
    assert_int_equal(vm_run(s->r, s->vm, &full).new_blocks, 1);
    assert_int_equal(check(s).damaged, 0);
    assert_int_equal(marks(s), 0);
}

static void what_lies_in_no_keyset_is_junk(void **state)
{
    struct scene *s = *state;

    vm_shell(s->f, "echo > keysets/readme; mkdir -p k-12/blocks; "
                   "echo > k-12/blocks/x; for k in k-????????????????; do "
                   "echo > $k/points/x; echo > $k/y; done");
    again(s, false);
    assert_int_equal(check(s).junk, 4);
    again(s, true);
    assert_int_equal(check(s).junk, 4);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, keyed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_collection_leaves_alone_what_it_has_no_key_for),
        T(a_collection_goes_over_all_keysets_at_hand),
        T(a_keyset_that_cannot_be_read_stops_its_own_collection_only),
        T(a_check_reads_all_keysets_at_hand),
        T(a_check_without_the_key_compares_manifests_with_their_names),
        T(a_mark_of_a_keyset_outlives_who_has_no_key_for_it),
        T(what_lies_in_no_keyset_is_junk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

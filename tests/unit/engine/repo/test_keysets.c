// SPDX-License-Identifier: Apache-2.0
/* Keysets: made at first use, opened by what is at hand, and never anything
 * else instead. */
#include "tests/unit/engine/keyed_scene.h"

#include <dirent.h>
#include <errno.h>

#include "engine/repo/keyset_slot.h"
#include "engine/repo/point_store.h"

static void the_first_run_makes_a_keyset_and_the_next_one_opens_it(void **state)
{
    struct scene *s = *state;

    struct eng_backup_result first = vm_run(s->r, s->vm, &s->k.run);
    assert_true(first.keyset_made);
    assert_int_equal(strncmp(first.keyset, "k-", 2), 0);
    assert_int_equal(first.kind, MF_FULL);
    vm_check_restore(s->r, s->f, s->vm);

    s->r = keyed_again(s->f, s->r);
    vm_poke(s->vm, 3 * FIXTURE_BLOCK, "changed");
    struct eng_backup_result second = vm_run(s->r, s->vm, &s->k.run);
    assert_false(second.keyset_made);
    assert_string_equal(second.keyset, first.keyset);
    assert_int_equal(second.kind, MF_INCREMENTAL);
    assert_int_equal(second.new_blocks, 1);
    vm_check_restore(s->r, s->f, s->vm);
    assert_string_equal(keyed_only(s)->label, ENG_KEYSET_LABEL);
}

static void what_is_stored_shows_no_name_and_no_content(void **state)
{
    struct scene *s = *state;

    vm_poke(s->vm, 0, "the secret of the machine");
    vm_run(s->r, s->vm, &s->k.run);
    vm_shell(s->f, "! test -e plain");
    vm_shell(s->f, "! grep -rqa 'secret of the machine' k-*");
    vm_shell(s->f, "! grep -rqaE 'vm.conf|disk.raw' .");
    vm_shell(s->f, "test -z \"$(find k-* -name 'vm*')\"");
    vm_shell(s->f, "for b in $(find k-*/blocks k-*/pages -type f); do "
                   "test \"$(head -c 4 $b)\" = OVE1 || exit 1; done");
}

static void a_keyset_shares_nothing_with_another(void **state)
{
    struct scene *s = *state;
    struct keyed other;

    struct eng_backup_result plain = vm_run(s->r, s->vm, NULL);
    struct eng_backup_result sealed = vm_run(s->r, s->vm, &s->k.run);
    assert_int_equal(plain.new_blocks, VM_BLOCKS + 1);
    assert_int_equal(sealed.kind, MF_FULL);
    assert_int_equal(sealed.new_blocks, plain.new_blocks);
    assert_int_equal(sealed.new_pages, plain.new_pages);

    keyed_init(&other, "another");
    other.how.label = "second";
    struct eng_backup_result third = vm_run(s->r, s->vm, &other.run);
    assert_int_equal(third.new_blocks, plain.new_blocks);
    assert_string_not_equal(third.keyset, sealed.keyset);
    /* No name occurs twice. */
    vm_shell(s->f, "test -z \"$(find plain k-* -type f -printf '%f\\n' | sort "
                   "| uniq -d)\"");
    keyed_free(&other);
}

static void a_keyset_deduplicates_as_plain_does(void **state)
{
    struct scene *s = *state;
    struct eng_encrypt_opts clear = { .what = ENG_ENCRYPT_NONE };
    struct eng_backup_opts none = { .encrypt = &clear };
    const struct eng_backup_opts *how[] = { &none, &s->k.run };
    struct eng_backup_result is[2][4];
    char *twin = vm_make(s->f, "twin");

    for (int i = 0; i < 2; i++) {
        char *vm = vm_make(s->f, i == 0 ? "a/vm" : "b/vm");
        is[i][0] = vm_run(s->r, vm, how[i]);
        vm_poke(vm, 3 * FIXTURE_BLOCK + 70000, "changed");
        is[i][1] = vm_run(s->r, vm, how[i]);
        is[i][2] = vm_run(s->r, twin, how[i]);
        is[i][3] = vm_run(s->r, vm, how[i]);
        free(vm);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(is[0][i].kind, is[1][i].kind);
        assert_int_equal(is[0][i].new_blocks, is[1][i].new_blocks);
        assert_int_equal(is[0][i].new_bytes, is[1][i].new_bytes);
        assert_int_equal(is[0][i].reused_blocks, is[1][i].reused_blocks);
        assert_int_equal(is[0][i].new_pages, is[1][i].new_pages);
    }
    free(twin);
}

/* By a password from here on. */
static void use_password(struct scene *s)
{
    keyed_free(&s->k);
    keyed_init_password(&s->k, "correct horse");
}

static void a_wrong_password_opens_nothing_and_makes_nothing(void **state)
{
    struct scene *s = *state;
    struct keyed wrong;

    use_password(s);
    vm_run(s->r, s->vm, &s->k.run);
    s->r = keyed_again(s->f, s->r);
    keyed_init_password(&wrong, "wrong horse");
    struct err e = keyed_fails(s->r, s->vm, &wrong.run);
    assert_int_equal(e.kind, ERR_DENIED);
    const struct eng_keyset *k = keyed_only(s);
    assert_non_null(strstr(e.msg, k->name));
    assert_non_null(strstr(e.msg, "the usual one"));
    assert_null(strstr(e.msg, "horse"));
    assert_null(k->keys);
    assert_int_equal(vm_puts_so_far(s->r), 0);
    assert_string_equal(eng_repo_keyset(s->r), "plain");
    keyed_free(&wrong);
}

static void a_run_must_say_where_to_once_there_are_keysets(void **state)
{
    struct scene *s = *state;
    struct eng_encrypt_opts clear = { .what = ENG_ENCRYPT_NONE };
    struct eng_backup_opts none = { .encrypt = &clear };

    vm_run(s->r, s->vm, NULL);
    vm_run(s->r, s->vm, &s->k.run);
    s->r = keyed_again(s->f, s->r);
    struct err e = keyed_fails(s->r, s->vm, &(struct eng_backup_opts){ 0 });
    assert_int_equal(e.kind, ERR_USAGE);
    assert_non_null(strstr(e.msg, "--encrypt none"));
    assert_int_equal(vm_puts_so_far(s->r), 0);
    assert_int_equal(vm_run(s->r, s->vm, &none).kind, MF_INCREMENTAL);
}

static void a_dry_run_makes_no_keyset(void **state)
{
    struct scene *s = *state;

    s->k.run.dry_run = true;
    assert_int_equal(keyed_fails(s->r, s->vm, &s->k.run).kind, ERR_NOTFOUND);
    keyed_load(s);
    assert_int_equal(eng_repo_keysets(s->r)->n, 0);
}

static void data_without_slots_is_left_alone(void **state)
{
    struct scene *s = *state;

    struct eng_backup_result first = vm_run(s->r, s->vm, &s->k.run);
    vm_shell(s->f, "rm -r keysets && mkdir -p k-zz/x k-00000000000000aa/x && "
                   "touch k-zz/x/y k-00000000000000aa/x/y");
    s->r = keyed_again(s->f, s->r);
    struct eng_backup_result second = vm_run(s->r, s->vm, &s->k.run);
    assert_true(second.keyset_made);
    assert_string_not_equal(second.keyset, first.keyset);
    assert_int_equal(second.kind, MF_FULL);
    vm_shell(s->f, "test $(ls -d k-*/blocks | wc -l) = 2");
}

/* Both have looked before either had put. */
static void of_two_that_are_made_at_once_one_stands_for_both(void **state)
{
    struct scene *s = *state;
    struct keyed other;
    char names[2][MF_KEYSET_CHARS];
    bool made = false;
    struct err e = { 0 };

    keyed_init(&other, "another");
    must(eng_keyset_make(s->r, "default", NULL, &s->k.how.slots, NULL, names[0],
                         why));
    must(eng_keyset_make(s->r, "default", NULL, &other.how.slots, NULL,
                         names[1], why));
    keyed_load(s);
    const struct eng_keysets *all = eng_repo_keysets(s->r);
    assert_int_equal(all->n, 2);
    bool in_order = all->k[0]->created < all->k[1]->created ||
                    (all->k[0]->created == all->k[1]->created &&
                     strcmp(all->k[0]->name, all->k[1]->name) < 0);
    assert_true(in_order);
    const struct eng_keyset *stands = eng_keysets_of_label(s->r, "default");
    assert_ptr_equal(stands, all->k[0]);
    bool mine = strcmp(stands->name, names[0]) == 0;

    /* Whose it is goes on; who has lost is told, and makes no third one. */
    must(eng_encrypt_choose(s->r, mine ? &s->k.how : &other.how, NULL, &made,
                            why));
    assert_false(made);
    assert_string_equal(eng_repo_keyset(s->r), mine ? names[0] : names[1]);
    s->r = keyed_again(s->f, s->r);
    assert_int_equal(eng_encrypt_choose(s->r, mine ? &other.how : &s->k.how,
                                        NULL, &made, &e),
                     -1);
    assert_int_equal(e.kind, ERR_CORRUPT); /* the server's key is another */
    keyed_load(s);
    assert_int_equal(eng_repo_keysets(s->r)->n, 2);
    assert_string_equal(eng_repo_keyset(s->r), "plain");
    keyed_free(&other);
}

static void the_newest_of_a_line_is_written_to(void **state)
{
    struct scene *s = *state;
    char first[MF_KEYSET_CHARS];
    char second[MF_KEYSET_CHARS];
    bool made = false;

    must(eng_keyset_make(s->r, "default", NULL, &s->k.how.slots, NULL, first,
                         why));
    must(eng_keyset_make(s->r, "default", first, &s->k.how.slots, NULL, second,
                         why));
    must(eng_encrypt_choose(s->r, &s->k.how, NULL, &made, why));
    assert_string_equal(eng_repo_keyset(s->r), second);
}

static void a_slot_that_was_moved_opens_nothing(void **state)
{
    struct scene *s = *state;
    size_t closed = 0;
    struct eng_key_ways ways = { &s->k.way, 1 };

    vm_run(s->r, s->vm, &s->k.run);
    /* Into another keyset, and to another id in its own. */
    vm_shell(s->f, "cd keysets && mkdir -p k-00000000000000aa/slots && "
                   "cp k-*/slots/00000001-* k-00000000000000aa/slots/");
    s->r = keyed_again(s->f, s->r);
    must(eng_keysets_open(s->r, &ways, NULL, &closed, why));
    assert_int_equal(closed, 1);
    const struct eng_keyset *k = eng_keysets_find(s->r, "k-00000000000000aa");
    assert_non_null(k);
    assert_int_equal(k->n_slots, 0);
    assert_null(k->keys);
}

static void
a_slot_of_another_place_with_its_texts_changed_does_not_open(void **state)
{
    struct scene *s = *state;
    size_t closed = 0;
    struct eng_key_ways ways = { &s->k.way, 1 };

    vm_run(s->r, s->vm, &s->k.run);
    /* Well formed, and its label is another one. */
    vm_shell(s->f, "sed -i 's/\"label\":\"default\"/\"label\":\"defaulu\"/' "
                   "keysets/k-*/slots/*");
    s->r = keyed_again(s->f, s->r);
    must(eng_keysets_open(s->r, &ways, NULL, &closed, why));
    assert_int_equal(closed, 1);
    assert_non_null(strstr(eng_repo_keysets(s->r)->k[0]->why, "main"));
}

static void a_new_generation_replaces_the_old_password(void **state)
{
    struct scene *s = *state;
    struct keyed fresh;
    struct err e = { 0 };
    struct eng_key_ways old = { &s->k.way, 1 };

    use_password(s);
    vm_run(s->r, s->vm, &s->k.run);
    keyed_init_password(&fresh, "battery staple");
    const struct eng_keyset *k = keyed_only(s);
    AUTO_SECRET struct secret *key =
        eng_keyset_unwrap(s->r, k->name, &old, false, NULL, NULL, &e);
    assert_non_null(key);
    must(eng_slot_add(s->r, k, &k->slots[0], key, &fresh.way, NULL, why));

    s->r = keyed_again(s->f, s->r);
    k = keyed_only(s);
    assert_int_equal(k->n_slots, 1);
    assert_int_equal(k->slots[0].s.gen, 2);
    assert_int_equal(eng_keyset_open(s->r, k->name, &old, false, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_int_equal(vm_run(s->r, s->vm, &fresh.run).kind, MF_INCREMENTAL);
    keyed_free(&fresh);
}

static void no_slot_is_made_for_another_key(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };
    static const uint8_t wrong[MF_DATA_KEY_BYTES] = { 1 };
    AUTO_SECRET struct secret *key =
        secret_new(span_of(wrong, sizeof wrong), &e);

    vm_run(s->r, s->vm, &s->k.run);
    const struct eng_keyset *k = keyed_only(s);
    assert_int_equal(eng_slot_add(s->r, k, NULL, key, &s->k.way, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(keyed_only(s)->n_slots, 1);
}

static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n"
    "-----END PRIVATE KEY-----\n"; /* of RFC 7748 */

static void what_a_private_key_opens_is_not_written_to(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };
    struct wrap_pkey *pair =
        wrap_pkey_private(span_str(pem), (struct span){ 0 }, &e);
    assert_non_null(pair);
    struct eng_pkey for_it = { .key = pair };
    struct eng_pkey of_it = { .key = pair, .private_half = true };
    struct eng_key_way slots[] = { s->k.way, eng_way_pkey(&for_it) };
    struct eng_key_way opens[] = { eng_way_pkey(&of_it) };
    struct eng_key_ways ways = { opens, 1 };
    size_t closed = 0;

    s->k.how.slots = (struct eng_key_ways){ slots, 2 };
    vm_run(s->r, s->vm, &s->k.run);
    s->r = keyed_again(s->f, s->r);
    must(eng_keysets_open(s->r, &ways, NULL, &closed, why));
    assert_int_equal(closed, 0);
    must(eng_repo_select(s->r, eng_repo_keysets(s->r)->k[0]->name, why));
    vm_check_restore(s->r, s->f, s->vm);
    assert_int_equal(eng_repo_prepare_writes(s->r, ENG_UPLOAD_NEW, NULL, &e),
                     -1);
    assert_int_equal(e.kind, ERR_DENIED);
    s->k.how.ways = ways;
    assert_int_equal(keyed_fails(s->r, s->vm, &s->k.run).kind, ERR_DENIED);
    eng_pkey_fini(&for_it);
    wrap_pkey_free(pair);
}

/* --- a key server --- */

struct server {
    uint8_t key[WRAP_KEY_BYTES];
    enum err_kind fails;
};

static int server_get(void *client, const struct cancel *cancel,
                      const char *uid, bool wrapping, bool restoring,
                      struct secret **kek, struct err *e)
{
    const struct server *server = client;

    (void)cancel;
    (void)wrapping;
    (void)restoring;
    assert_string_equal(uid, "uid-1");
    if (server->fails != ERR_NONE)
        return err_set(e, server->fails, ECONNREFUSED, "it says no");
    *kek = secret_new(span_of(server->key, sizeof server->key), e);
    return *kek != NULL ? 0 : -1;
}

static void a_key_server_opens_or_nothing_is_written(void **state)
{
    struct scene *s = *state;
    struct server server = { .key = { 1, 2, 3 } };
    struct eng_kms kms = { .name = "main",
                           .client = &server,
                           .key_get = server_get,
                           .key = "uid-1",
                           .key_name = "backup" };
    struct eng_key_way way = eng_way_kms(&kms);
    static const enum err_kind kinds[] = { ERR_UNREACHABLE, ERR_DENIED };

    s->k.how.ways = s->k.how.slots = (struct eng_key_ways){ &way, 1 };
    vm_run(s->r, s->vm, &s->k.run);
    for (size_t i = 0; i < 2; i++) {
        s->r = keyed_again(s->f, s->r);
        server.fails = kinds[i];
        struct err e = keyed_fails(s->r, s->vm, &s->k.run);
        assert_int_equal(e.kind, kinds[i]);
        assert_non_null(strstr(e.msg, "main"));
        const char *once = strstr(e.msg, strerror(ECONNREFUSED));
        assert_non_null(once);
        assert_null(strstr(once + 1, strerror(ECONNREFUSED)));
        assert_int_equal(vm_puts_so_far(s->r), 0);
    }
    /* The name stayed, and the key is another one. */
    server = (struct server){ .key = { 9 } };
    struct err e = keyed_fails(s->r, s->vm, &s->k.run);
    assert_int_equal(e.kind, ERR_CORRUPT);
    server = (struct server){ .key = { 1, 2, 3 } };
    assert_int_equal(vm_run(s->r, s->vm, &s->k.run).kind, MF_INCREMENTAL);
}

/* --- points --- */

static void points_without_a_key_are_shown_by_their_times(void **state)
{
    struct scene *s = *state;
    struct eng_points ps = { 0 };
    struct eng_point p = { 0 };
    struct eng_repo_stats stats;
    struct eng_key_ways ways = { &s->k.way, 1 };
    size_t closed = 0;

    vm_run(s->r, s->vm, NULL);
    vm_run(s->r, s->vm, &s->k.run);
    s->r = keyed_again(s->f, s->r);
    must(eng_points_list_all(s->r, NULL, NULL, &ps, why));
    assert_int_equal(ps.n, 2);
    assert_false(ps.p[0].sealed);
    assert_true(ps.p[1].sealed);
    assert_true(ps.p[1].time >= ps.p[0].time);
    assert_null(ps.p[1].manifest);
    eng_points_free(&ps);
    must(eng_points_list_all(s->r, NULL, "vm", &ps, why));
    assert_int_equal(ps.n, 1);
    eng_points_free(&ps);
    must(eng_repo_stats(s->r, NULL, &stats, why));
    assert_int_equal(stats.points, 2);
    assert_int_equal(stats.sealed_points, 1);
    assert_int_equal(stats.damaged_points, 0);
    assert_int_equal(stats.blocks, 2 * (VM_BLOCKS + 1));

    must(eng_point_find_any(s->r, NULL, "vm@latest", &p, why));
    assert_string_equal(p.keyset, "plain");
    eng_point_free(&p);
    must(eng_keysets_open(s->r, &ways, NULL, &closed, why));
    must(eng_points_list_all(s->r, NULL, "vm", &ps, why));
    assert_int_equal(ps.n, 2);
    assert_string_equal(ps.p[1].vm, "vm");
    eng_points_free(&ps);
}

static void the_newest_point_is_found_in_whatever_keyset(void **state)
{
    struct scene *s = *state;
    struct eng_point p = { 0 };

    vm_run(s->r, s->vm, NULL);
    sleep(1);
    struct eng_backup_result sealed = vm_run(s->r, s->vm, &s->k.run);
    must(eng_repo_select(s->r, "plain", why));
    must(eng_point_find_any(s->r, NULL, "vm@latest", &p, why));
    assert_string_equal(p.keyset, sealed.keyset);
    assert_string_equal(eng_repo_keyset(s->r), sealed.keyset);
    eng_point_free(&p);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, keyed_setup, keyed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_first_run_makes_a_keyset_and_the_next_one_opens_it),
        T(what_is_stored_shows_no_name_and_no_content),
        T(a_keyset_shares_nothing_with_another),
        T(a_keyset_deduplicates_as_plain_does),
        T(a_wrong_password_opens_nothing_and_makes_nothing),
        T(a_run_must_say_where_to_once_there_are_keysets),
        T(a_dry_run_makes_no_keyset),
        T(data_without_slots_is_left_alone),
        T(of_two_that_are_made_at_once_one_stands_for_both),
        T(the_newest_of_a_line_is_written_to),
        T(a_slot_that_was_moved_opens_nothing),
        T(a_slot_of_another_place_with_its_texts_changed_does_not_open),
        T(a_new_generation_replaces_the_old_password),
        T(no_slot_is_made_for_another_key),
        T(what_a_private_key_opens_is_not_written_to),
        T(a_key_server_opens_or_nothing_is_written),
        T(points_without_a_key_are_shown_by_their_times),
        T(the_newest_point_is_found_in_whatever_keyset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

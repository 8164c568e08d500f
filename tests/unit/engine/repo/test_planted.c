// SPDX-License-Identifier: Apache-2.0
/* Keysets where others can write to the bucket too: slots that were planted or
 * spoilt, points in the clear, and two hosts at once. */
#include "tests/unit/engine/keyed_scene.h"

#include "engine/repo/keyset_slot.h"
#include "engine/repo/point_store.h"

/* Whose slots were overwritten by somebody who has no key may be the keyset of
 * the label. */
static void no_keyset_is_made_in_place_of_one_that_lost_its_slots(void **state)
{
    struct scene *s = *state;

    vm_run(s->r, s->vm, &s->k.run);
    vm_shell(s->f, "cp -r keysets kept && cd keysets/k-*/slots && f=$(ls) && "
                   "echo '{}' > $f");
    s->r = keyed_again(s->f, s->r);
    const struct eng_keyset *k = keyed_only(s);
    assert_int_equal(k->n_slots, 0);
    struct err e = keyed_fails(s->r, s->vm, &s->k.run);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_non_null(strstr(e.msg, keyed_only(s)->name));
    assert_int_equal(vm_puts_so_far(s->r), 0);
    vm_shell(s->f, "rm -r keysets && mv kept keysets");
    s->r = keyed_again(s->f, s->r);
    assert_false(vm_run(s->r, s->vm, &s->k.run).keyset_made);
}

/* What anybody can lay over a slot f of generation 1: one that says that it is
 * removed, and one that holds no key, of another label. */
static const char *const laid_over[] = {
    "sed -e 's/\"gen\":1,/\"gen\":2,/' "
    "-e 's/\"type\":.*,\"mac\"/\"type\":\"removed\",\"password\":null,"
    "\"kms\":null,\"pubkey\":null,\"key_print\":null,\"iv\":null,"
    "\"data\":null,\"tag\":null,\"mac\"/' $f | tr -d '\\n' > 00000002-${f#*-}",
    "sed -e 's/\"gen\":1,/\"gen\":2,/' "
    "-e 's/\"label\":\"default/\"label\":\"another/' "
    "-e 's/\"iv\":\"[0-9a-f]*/\"iv\":\"000000000000000000000000/' "
    "$f | tr -d '\\n' > 00000002-${f#*-}",
};
#define EACH_SLOT "cd keysets/k-*/slots && for f in 00000001-*; do "

static void lay_over(struct scene *s, size_t what)
{
    char command[700];

    (void)snprintf(command, sizeof command, EACH_SLOT "%s; done",
                   laid_over[what]);
    vm_shell(s->f, command);
    s->r = keyed_again(s->f, s->r);
}

static void
a_false_generation_keeps_nobody_from_reading_and_writing(void **state)
{
    struct scene *s = *state;
    struct eng_key_ways ways = { &s->k.way, 1 };
    size_t closed = 0;

    vm_run(s->r, s->vm, &s->k.run);
    for (size_t i = 0; i < 2; i++) {
        lay_over(s, i);
        keyed_load(s);
        must(eng_keysets_open(s->r, &ways, NULL, &closed, why));
        assert_int_equal(closed, 0);
        const struct eng_keyset *k = keyed_only(s);
        assert_string_equal(k->label, "default");
        assert_int_equal(k->n_slots, 1);
        assert_int_equal(k->slots[0].s.gen, 1);
        assert_int_equal(k->n_junk, 1);
        assert_true(eng_keyset_is_forged(k, k->junk[0].key.s));
        assert_false(eng_keyset_is_forged(k, k->slots[0].key.s));
        must(eng_repo_select(s->r, k->name, why));
        vm_check_restore(s->r, s->f, s->vm);
        s->r = keyed_again(s->f, s->r);
        assert_false(vm_run(s->r, s->vm, &s->k.run).keyset_made);
        assert_int_equal(keyed_only(s)->slots[0].s.gen, 1);
        vm_shell(s->f, "rm keysets/k-*/slots/00000002-*");
    }
}

static void a_slot_under_a_false_generation_is_changed_and_removed(void **state)
{
    struct scene *s = *state;
    struct eng_key_way two[] = { s->k.way, s->k.way };
    struct eng_key_ways ways = { &s->k.way, 1 };
    char name[MF_KEYSET_CHARS];
    bool stays = false;
    struct err e = { 0 };

    must(eng_keyset_make(s->r, "default", NULL,
                         &(struct eng_key_ways){ two, 2 }, NULL, name, why));
    lay_over(s, 1);
    keyed_load(s);
    must(eng_keyset_open(s->r, name, &ways, false, NULL, why));
    const struct eng_keyset *k = keyed_only(s);
    assert_int_equal(k->n_slots, 2);
    assert_int_equal(eng_slot_next(k, &k->slots[0]), 3);
    AUTO_SECRET struct secret *key =
        eng_keyset_unwrap(s->r, name, &ways, false, NULL, NULL, &e);
    assert_non_null(key);
    must(eng_slot_add(s->r, k, &k->slots[0], key, &s->k.way, NULL, why));
    k = keyed_only(s);
    assert_int_equal(k->n_slots, 2);
    assert_int_equal(k->slots[0].s.gen, 3);
    must(eng_slot_remove(s->r, k, &k->slots[0], NULL, &stays, why));
    k = keyed_only(s);
    assert_int_equal(k->n_slots, 1);
    assert_int_equal(eng_slot_remove(s->r, k, &k->slots[0], NULL, &stays, &e),
                     -1);
    assert_int_equal(e.kind, ERR_USAGE);
}

/* As `keyset remove-slot` would count it as the one that is left. */
static void
a_copy_of_a_slot_under_another_id_is_no_slot_that_is_left(void **state)
{
    struct scene *s = *state;
    struct eng_key_ways ways = { &s->k.way, 1 };
    bool stays = false;
    struct err e = { 0 };

    vm_run(s->r, s->vm, &s->k.run);
    vm_shell(s->f, "cd keysets/k-*/slots && f=$(ls) && "
                   "sed -e 's/\"slot\":\"[0-9a-f]*/"
                   "\"slot\":\"0000000000000000/' $f "
                   "> 00000001-0000000000000000.json");
    s->r = keyed_again(s->f, s->r);
    const struct eng_keyset *k = keyed_only(s);
    assert_int_equal(k->n_slots, 2);
    must(eng_keyset_open(s->r, k->name, &ways, false, NULL, why));
    assert_int_equal(k->n_slots, 1);
    assert_string_not_equal(k->slots[0].s.slot, "0000000000000000");
    assert_int_equal(eng_slot_remove(s->r, k, &k->slots[0], NULL, &stays, &e),
                     -1);
    assert_int_equal(e.kind, ERR_USAGE);
    vm_shell(s->f, "test $(find keysets -type f | wc -l) = 2");
}

/* Its wrap does not bind the mac. */
static void a_slot_whose_mac_was_changed_opens_nothing(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };

    vm_run(s->r, s->vm, &s->k.run);
    vm_shell(s->f, "sed -i 's/\"mac\":\"[0-9a-f]*/"
                   "\"mac\":\"00000000000000000000000000000000/' "
                   "keysets/k-*/slots/*");
    for (int restoring = 0; restoring < 2; restoring++) {
        s->r = keyed_again(s->f, s->r);
        const struct eng_keyset *k = keyed_only(s);
        assert_int_equal(eng_keyset_open(s->r, k->name, &s->k.how.ways,
                                         restoring == 1, NULL, &e),
                         -1);
        assert_int_equal(e.kind, ERR_DENIED);
        assert_non_null(strstr(e.msg, "was changed"));
        assert_null(k->keys);
    }
}

static void more_names_than_any_repository_has_are_refused(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };

    vm_shell(s->f, "mkdir -p keysets/k-0123456789abcdef/slots && "
                   "cd keysets/k-0123456789abcdef/slots && "
                   "seq -f '00000001-%016.0f.json' 10001 | xargs touch");
    assert_int_equal(eng_keysets_load(s->r, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "10000"));
}

/* Puts a slot beside those of a keyset, as anybody can; edit: what sed makes of
 * a real one. */
static void plant(struct scene *s, const char *keyset, const char *edit)
{
    char command[512];

    (void)snprintf(command, sizeof command,
                   "cd keysets/%s/slots && f=$(ls) && "
                   "sed -e 's/\"slot\":\"[0-9a-f]*/"
                   "\"slot\":\"0000000000000000/' "
                   "-e 's/\"supersedes\":\"[^,]*/\"supersedes\":null/' "
                   "%s $f > 00000001-0000000000000000.json",
                   keyset, edit);
    vm_shell(s->f, command);
    s->r = keyed_again(s->f, s->r);
}

static void a_planted_slot_leads_to_no_other_keyset(void **state)
{
    struct scene *s = *state;
    char first[MF_KEYSET_CHARS];
    char second[MF_KEYSET_CHARS];
    char other[MF_KEYSET_CHARS];
    bool made = false;

    must(eng_keyset_make(s->r, "default", NULL, &s->k.how.slots, NULL, first,
                         why));
    must(eng_keyset_make(s->r, "default", first, &s->k.how.slots, NULL, second,
                         why));
    must(eng_keyset_make(s->r, "other", first, &s->k.how.slots, NULL, other,
                         why));
    /* As if it replaced none: then the one before would stand. */
    plant(s, second, "");
    must(eng_encrypt_choose(s->r, &s->k.how, NULL, &made, why));
    assert_string_equal(eng_repo_keyset(s->r), second);
    /* As if it were of this label, and the oldest of all. */
    plant(s, other,
          "-e 's/\"label\":\"other/\"label\":\"default/' "
          "-e 's/\"created\":\"..../\"created\":\"2000/'");
    must(eng_encrypt_choose(s->r, &s->k.how, NULL, &made, why));
    assert_string_equal(eng_repo_keyset(s->r), second);
    assert_false(made);
}

static void a_slot_that_costs_more_than_ours_is_tried_last(void **state)
{
    struct scene *s = *state;
    struct mf_slot slot = { 0 };

    keyed_free(&s->k);
    keyed_init_password(&s->k, "correct horse");
    must(s->k.way.describe(s->k.way.ctx, NULL, &slot, why));
    assert_int_equal(s->k.way.fits(s->k.way.ctx, &slot), ENG_FIT_LIKELY);
    slot.password.p *= 2;
    assert_int_equal(s->k.way.fits(s->k.way.ctx, &slot), ENG_FIT_MAYBE);
    slot.password.p /= 2;
    slot.password.n *= 2;
    assert_int_equal(s->k.way.fits(s->k.way.ctx, &slot), ENG_FIT_MAYBE);
    slot.type = MF_SLOT_KMS;
    assert_int_equal(s->k.way.fits(s->k.way.ctx, &slot), ENG_FIT_NO);
}

static void two_hosts_do_not_remove_the_last_two_slots(void **state)
{
    struct scene *s = *state;
    struct eng_key_way two[] = { s->k.way, s->k.way };
    struct eng_key_ways ways = { &s->k.way, 1 };
    char name[MF_KEYSET_CHARS];
    bool stays = false;
    size_t closed = 0;
    struct err e = { 0 };

    must(eng_keyset_make(s->r, "default", NULL,
                         &(struct eng_key_ways){ two, 2 }, NULL, name, why));
    const struct eng_keyset *k = keyed_only(s);
    struct eng_repo *other = fixture_open(s->f);
    must(eng_keysets_load(other, NULL, why));
    const struct eng_keyset *same = eng_repo_keysets(other)->k[0];
    must(eng_keyset_open(s->r, name, &ways, true, NULL, why));
    must(eng_keyset_open(other, name, &ways, true, NULL, why));
    must(eng_slot_remove(s->r, k, &k->slots[0], NULL, &stays, why));
    /* What it knows is of before. */
    assert_int_equal(same->n_slots, 2);
    assert_int_equal(
        eng_slot_remove(other, same, &same->slots[1], NULL, &stays, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    eng_repo_close(other);
    s->r = keyed_again(s->f, s->r);
    must(eng_keysets_open(s->r, &ways, NULL, &closed, why));
    assert_int_equal(closed, 0);
}

static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n"
    "-----END PRIVATE KEY-----\n"; /* of RFC 7748 */

/* Anybody can wrap a key of theirs for a public key. */
static void
what_opens_a_keyset_later_does_not_write_by_another_key(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };
    struct wrap_pkey *pair =
        wrap_pkey_private(span_str(pem), (struct span){ 0 }, &e);
    assert_non_null(pair);
    struct eng_pkey for_it = { .key = pair };
    struct eng_pkey of_it = { .key = pair, .private_half = true };
    struct eng_key_way planted = eng_way_pkey(&for_it);
    struct eng_key_way opens = eng_way_pkey(&of_it);
    uint8_t theirs[MF_DATA_KEY_BYTES] = "known to somebody else";

    vm_run(s->r, s->vm, &s->k.run);
    struct mf_slot slot = keyed_only(s)->slots[0].s;
    must(eng_keyset_random_id(slot.slot, why));
    must(eng_slot_put(s->r, &slot, span_of(theirs, sizeof theirs), &planted, 0,
                      NULL, why));
    s->r = keyed_again(s->f, s->r);
    const char *name = keyed_only(s)->name;
    must(eng_keyset_open(s->r, name, &(struct eng_key_ways){ &opens, 1 }, true,
                         NULL, why));
    assert_int_equal(
        eng_keyset_open(s->r, name, &s->k.how.ways, false, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(keyed_fails(s->r, s->vm, &s->k.run).kind, ERR_CORRUPT);
    /* Where both are at hand the one that proves slots is tried first. */
    struct eng_key_way both[] = { opens, s->k.way };
    bool stays = false;
    s->r = keyed_again(s->f, s->r);
    name = keyed_only(s)->name;
    must(eng_keyset_open(s->r, name, &(struct eng_key_ways){ &opens, 1 }, true,
                         NULL, why));
    const struct eng_keyset *k = eng_repo_keysets(s->r)->k[0];
    assert_false(k->proven);
    assert_int_equal(k->n_slots, 2);
    assert_int_equal(eng_slot_remove(s->r, k, &k->slots[0], NULL, &stays, &e),
                     -1);
    assert_int_equal(e.kind, ERR_DENIED);
    s->r = keyed_again(s->f, s->r);
    name = keyed_only(s)->name;
    must(eng_keyset_open(s->r, name, &(struct eng_key_ways){ both, 2 }, true,
                         NULL, why));
    assert_int_equal(eng_repo_keysets(s->r)->k[0]->n_slots, 1);
    s->r = keyed_again(s->f, s->r);
    vm_run(s->r, s->vm, &s->k.run);
    eng_pkey_fini(&for_it);
    wrap_pkey_free(pair);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, keyed_setup, keyed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(no_keyset_is_made_in_place_of_one_that_lost_its_slots),
        T(a_false_generation_keeps_nobody_from_reading_and_writing),
        T(a_slot_under_a_false_generation_is_changed_and_removed),
        T(a_copy_of_a_slot_under_another_id_is_no_slot_that_is_left),
        T(a_slot_whose_mac_was_changed_opens_nothing),
        T(more_names_than_any_repository_has_are_refused),
        T(a_planted_slot_leads_to_no_other_keyset),
        T(a_slot_that_costs_more_than_ours_is_tried_last),
        T(two_hosts_do_not_remove_the_last_two_slots),
        T(what_opens_a_keyset_later_does_not_write_by_another_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

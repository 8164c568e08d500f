// SPDX-License-Identifier: Apache-2.0
/* Slots that were hidden, overwritten and shadowed: reading finds the good
 * ones, and a recovery puts them back. */
#include "tests/unit/engine/care/attacked.h"
#include "tests/unit/engine/keyed.h"

#include "engine/care/check.h"
#include "engine/care/recover.h"
#include "engine/repo/keysets.h"
#include "engine/repo/point_store.h"

struct scene {
    struct attacked *a;
    struct keyed k;
    char slot[200], folder[40], keyset[MF_KEYSET_CHARS];
    unsigned opened; /* how often a recovery had keysets opened */
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    void *a = NULL;

    attacked_setup(&a);
    s->a = a;
    keyed_init(&s->k, "correct horse");
    struct eng_repo *r = fixture_open(&s->a->f);
    struct eng_backup_result res = vm_run(r, s->a->vm, &s->k.run);
    snprintf(s->keyset, sizeof s->keyset, "%s", res.keyset);
    s->a->n = 0;
    struct obj_req all = { .key = "" };
    must(obj_list(eng_repo_store(r), &all, NULL, attacked_on_key, s->a, why));
    eng_repo_close(r);
    snprintf(s->slot, sizeof s->slot, "%s", attacked_key(s->a, "keysets/"));
    snprintf(s->folder, sizeof s->folder, "keysets/%s", s->keyset);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    void *a = s->a;

    keyed_free(&s->k);
    free(s);
    return attacked_teardown(&a);
}

static int open_keysets(void *ctx, struct eng_repo *r, struct err *e)
{
    struct scene *s = ctx;
    size_t closed = 0;

    s->opened++;
    if (eng_keysets_load(r, NULL, e) < 0)
        return -1;
    return eng_keysets_open(r, &s->k.how.ways, NULL, &closed, e);
}

static struct eng_recover_result recover(struct scene *s, bool dry)
{
    struct eng_repo *r = fixture_open(&s->a->f);
    const struct eng_recover_opts o = { .dry_run = dry,
                                        .open = open_keysets,
                                        .ctx = s };
    struct eng_recover_result res;

    must(open_keysets(s, r, why));
    s->opened = 0;
    must(eng_recover_run(r, &o, &res, why));
    eng_repo_close(r);
    return res;
}

/* Both points, that of `plain` and the sealed one. */
static void both_restore(struct scene *s)
{
    struct eng_repo *r = fixture_open(&s->a->f);

    vm_check_restore(r, &s->a->f, s->a->vm);
    must(open_keysets(s, r, why));
    must(eng_repo_select(r, s->keyset, why));
    vm_check_restore(r, &s->a->f, s->a->vm);
    eng_repo_close(r);
}

static void objects_in_place_of_folders_of_slots_are_told_and_go(void **state)
{
    struct scene *s = *state;
    char slots[220];
    struct eng_points ps = { 0 };
    struct err e = { 0 };
    const struct eng_check_opts check = { .level = ENG_CHECK_LIST };
    struct eng_check_result checked;

    snprintf(slots, sizeof slots, "%s/slots", s->folder);
    attacked_put(s->a, "keysets", "junk");
    attacked_put(s->a, s->folder, "junk");
    attacked_hide(s->a, s->folder);
    attacked_put(s->a, slots, "junk");
    struct eng_repo *r = fixture_open(&s->a->f);
    assert_int_equal(eng_points_list_all(r, NULL, NULL, &ps, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "is an object"));
    assert_int_equal(eng_check_run(r, &check, &checked, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    /* Neither in the clear, unasked, nor to a new keyset. */
    struct err clear = keyed_fails(r, s->a->vm, &(struct eng_backup_opts){ 0 });
    assert_int_equal(clear.kind, ERR_CORRUPT);
    eng_repo_close(r);
    r = fixture_open(&s->a->f);
    struct err sealed = keyed_fails(r, s->a->vm, &s->k.run);
    assert_int_equal(sealed.kind, ERR_CORRUPT);
    assert_int_equal(vm_puts_so_far(r), 0);
    eng_repo_close(r);

    struct eng_recover_result res = recover(s, true);
    assert_int_equal(res.hiding, 3);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].junk, 3);
    res = recover(s, false);
    assert_int_equal(res.hiding, 0);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].junk_removed, 3);
    assert_int_equal(s->opened, 1);
    assert_int_equal(res.points.points, 2);
    both_restore(s);
}

static void folders_of_every_keyset_are_opened(void **state)
{
    struct scene *s = *state;
    char key[200];
    static const char *const names[] = { "", "/points", "/keep", "/pages/00",
                                         "/blocks/ff" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(key, sizeof key, "%s%s", s->keyset, names[i]);
        attacked_put(s->a, key, "junk");
    }
    snprintf(key, sizeof key, "%s", attacked_key(s->a, s->keyset));
    struct eng_recover_result res = recover(s, true);
    assert_int_equal(res.hiding, 5);
    res = recover(s, false);
    assert_int_equal(res.hiding, 0);
    assert_int_equal(s->opened, 0);
    assert_int_equal(res.points.points, 2);
    both_restore(s);
    assert_int_equal(recover(s, false).areas[ENG_RECOVER_OTHER].junk, 0);
}

static void rubbish_over_a_slot_is_read_past_and_taken_away(void **state)
{
    struct scene *s = *state;

    attacked_put(s->a, s->slot, "rubbish");
    both_restore(s);
    struct eng_recover_result res = recover(s, true);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].overwritten, 1);
    res = recover(s, false);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].overwritten, 1);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].uncovered, 1);
    both_restore(s);
    assert_int_equal(recover(s, false).areas[ENG_RECOVER_SLOTS].overwritten, 0);
}

static void a_delete_marker_on_a_slot_is_read_past_and_taken_away(void **state)
{
    struct scene *s = *state;

    attacked_put(s->a, s->slot, "rubbish");
    attacked_hide(s->a, s->slot);
    both_restore(s);
    struct eng_recover_result res = recover(s, false);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].markers, 1);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].removed, 1);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].uncovered, 1);
    both_restore(s);
}

static void a_name_like_a_slots_is_junk_and_stays(void **state)
{
    struct scene *s = *state;
    char key[200];

    snprintf(key, sizeof key, "%s/slots/00000009-0123456789abcdef.json",
             s->folder);
    attacked_put(s->a, key, "rubbish");
    attacked_put(s->a, key, "other rubbish");
    struct eng_recover_result res = recover(s, false);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].junk, 1);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].lost, 0);
    both_restore(s);
}

/* Lays two generations over the slot: one that holds no key, and one that says
 * that there is none; and a copy beside it; each in two versions. */
static void plant(struct scene *s)
{
    struct eng_repo *r = fixture_open(&s->a->f);

    must(eng_keysets_load(r, NULL, why));
    struct mf_slot slot = eng_repo_keysets(r)->k[0]->slots[0].s;
    eng_repo_close(r);
    for (uint32_t gen = 1; gen <= 3; gen++) {
        struct mf_slot is = slot;
        AUTO_BUF struct buf bytes = buf_init(MF_SLOT_JSON_MAX);
        is.gen = gen;
        if (gen == 1)
            memcpy(is.slot, "0000000000000000", sizeof is.slot);
        if (gen == 2)
            is.data[0] ^= 1;
        if (gen == 3) {
            is.type = MF_SLOT_REMOVED;
            is.data_len = 0;
        }
        must(mf_slot_encode(&is, &bytes, why));
        struct mf_key key = mf_key_slot(s->keyset, gen, is.slot);
        for (int twice = 0; twice < 2; twice++)
            s3server_write(s->a->server, ATTACKED_BUCKET, key.s,
                           (char *)bytes.p, bytes.len);
    }
}

static void false_slots_are_told_and_go(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };
    bool made = false;
    const struct eng_check_opts check = { .level = ENG_CHECK_LIST };
    struct eng_check_result checked;

    plant(s);
    both_restore(s);
    struct eng_repo *r = fixture_open(&s->a->f);
    must(eng_keysets_load(r, NULL, why));
    if (eng_encrypt_choose(r, &s->k.how, NULL, &made, &e) < 0)
        fail_msg("%s", e.msg);
    assert_false(made);
    must(eng_check_run(r, &check, &checked, why));
    assert_int_equal(checked.junk, 3);
    eng_repo_close(r);

    struct eng_recover_result res = recover(s, true);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].junk, 3);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].junk_removed, 0);
    res = recover(s, false);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].junk, 3);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].junk_removed, 3);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].lost, 0);
    res = recover(s, false);
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].junk, 0);
    both_restore(s);
}

/* Archived, or encrypted by a key of somebody else. */
static void a_slot_that_the_server_refuses_hides_no_other(void **state)
{
    struct scene *s = *state;
    struct s3server_rule refused = { .op = "GetObject",
                                     .key = "*-0000000000000000.json",
                                     .act = S3SERVER_REPLY };
    static const struct {
        int status;
        const char *code;
    } ways[] = { { 403, "InvalidObjectState" }, { 400, "InvalidRequest" } };

    plant(s);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        refused.status = ways[i].status;
        refused.code = ways[i].code;
        s3server_script(s->a->server, &refused, 1);
        both_restore(s);
        struct eng_recover_result res = recover(s, true);
        assert_int_equal(res.areas[ENG_RECOVER_SLOTS].junk, 2);
        assert_int_equal(res.areas[ENG_RECOVER_SLOTS].lost, 1);
        assert_true(s3server_acted(s->a->server, 0) > 0);
    }
    s3server_script(s->a->server, NULL, 0);
}

/* Who cannot open the keyset cannot tell which slots are false. */
static void of_a_closed_keyset_no_slot_is_removed(void **state)
{
    struct scene *s = *state;
    const struct eng_recover_opts o = { .dry_run = false };
    struct eng_recover_result res;

    plant(s);
    struct eng_repo *r = fixture_open(&s->a->f);
    must(eng_keysets_load(r, NULL, why));
    must(eng_recover_run(r, &o, &res, why));
    assert_int_equal(res.areas[ENG_RECOVER_SLOTS].junk, 0);
    eng_repo_close(r);
    assert_int_equal(recover(s, true).areas[ENG_RECOVER_SLOTS].junk, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            objects_in_place_of_folders_of_slots_are_told_and_go, setup,
            teardown),
        cmocka_unit_test_setup_teardown(folders_of_every_keyset_are_opened,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            rubbish_over_a_slot_is_read_past_and_taken_away, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_delete_marker_on_a_slot_is_read_past_and_taken_away, setup,
            teardown),
        cmocka_unit_test_setup_teardown(a_name_like_a_slots_is_junk_and_stays,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(false_slots_are_told_and_go, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_slot_that_the_server_refuses_hides_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(of_a_closed_keyset_no_slot_is_removed,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

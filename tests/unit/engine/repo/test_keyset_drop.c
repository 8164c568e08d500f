// SPDX-License-Identifier: Apache-2.0
/* Slots that go, wherever that is cut off. */
#include "tests/unit/engine/repo/rotating.h"

struct scene {
    struct fixture *f;
    struct eng_repo *r;
    struct eng_kms kms[2];
    struct eng_key_way ways[2];
    char name[MF_KEYSET_CHARS];
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    void *f = NULL;

    shelf = mmap(NULL, sizeof *shelf, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shelf, MAP_FAILED);
    fixture_setup(&f);
    s->f = f;
    s->r = fixture_open(s->f);
    for (unsigned i = 0; i < 2; i++) {
        s->kms[i] = (struct eng_kms){ .name = i == 0 ? "main" : "second",
                                      .key_get = shelf_get,
                                      .key = i == 0 ? "1" : "2",
                                      .key_name = "" };
        assert_int_equal(shelf_add(s->kms[i].name), i + 1);
        s->kms[i].key_name = s->kms[i].name;
        s->ways[i] = eng_way_kms(&s->kms[i]);
    }
    const struct eng_key_ways slots = { s->ways, 2 };
    must(eng_keyset_make(s->r, ENG_KEYSET_LABEL, NULL, &slots, NULL, s->name,
                         why));
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    void *f = s->f;

    eng_repo_close(s->r);
    free(s);
    munmap(shelf, sizeof *shelf);
    shelf = NULL;
    return fixture_teardown(&f);
}

static const struct eng_keyset *open_by(struct scene *s, size_t way)
{
    const struct eng_key_ways one = { &s->ways[way], 1 };

    s->r = keyed_again(s->f, s->r);
    must(eng_keysets_load(s->r, NULL, why));
    must(eng_keyset_open(s->r, s->name, &one, false, NULL, why));
    return eng_keysets_find(s->r, s->name);
}

static const struct eng_slot *slot_of(const struct eng_keyset *k,
                                      const char *kms)
{
    for (size_t i = 0; i < k->n_slots; i++)
        if (strcmp(k->slots[i].s.kms.name, kms) == 0)
            return &k->slots[i];
    return NULL;
}

static void a_removed_slot_opens_nothing_and_is_deleted(void **state)
{
    struct scene *s = *state;
    bool stays = true;
    struct err e = { 0 };
    const struct eng_key_ways second = { &s->ways[1], 1 };
    const struct eng_keyset *k = open_by(s, 0);

    must(eng_slot_remove(s->r, k, slot_of(k, "second"), NULL, &stays, why));
    assert_false(stays);
    k = open_by(s, 0);
    assert_int_equal(k->n_slots, 1);
    shelf->key[0].lost = true;
    AUTO_SECRET struct secret *key =
        eng_keyset_unwrap(s->r, s->name, &second, true, NULL, NULL, &e);
    assert_null(key);
    assert_int_equal(e.kind, ERR_DENIED);
    /* One is in force, one says that the other is removed. */
    vm_shell(s->f, "test $(find keysets -type f | wc -l) = 2");
}

static void the_last_slot_stays(void **state)
{
    struct scene *s = *state;
    bool stays = false;
    struct err e = { 0 };
    const struct eng_keyset *k = open_by(s, 0);

    must(eng_slot_remove(s->r, k, slot_of(k, "second"), NULL, &stays, why));
    k = open_by(s, 0);
    assert_int_equal(eng_slot_remove(s->r, k, &k->slots[0], NULL, &stays, &e),
                     -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(open_by(s, 0)->n_slots, 1);
}

/* In a child that is killed at this step: one slot is removed, or gets another
 * generation as a changed password does.  Whether it came to its end. */
static bool in_child(struct scene *s, int at, bool change, const char *slot)
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct err e = { 0 };
        bool stays = false;
        const struct eng_keyset *k = open_by(s, 0);
        const struct eng_key_ways first = { s->ways, 1 };
        const struct eng_slot *of = NULL;
        for (size_t i = 0; i < k->n_slots; i++)
            if (strcmp(k->slots[i].s.slot, slot) == 0)
                of = &k->slots[i];
        struct secret *key =
            eng_keyset_unwrap(s->r, s->name, &first, false, NULL, NULL, &e);
        shelf->steps = at;
        int r = -1;
        if (of == NULL)
            r = eng_slot_clear(s->r, k, slot, NULL, &stays, &e);
        else if (!change)
            r = eng_slot_remove(s->r, k, of, NULL, &stays, &e);
        else if (key != NULL &&
                 eng_slot_add(s->r, k, of, key, &s->ways[1], NULL, &e) == 0)
            r = eng_slot_forget(s->r, s->name, slot, of->s.gen + 1, NULL,
                                &stays, &e);
        if (r < 0)
            print_error("%s\n", e.msg);
        _exit(r < 0 || stays ? 4 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    shelf->steps = 0;
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 9)
        assert_int_equal(WEXITSTATUS(status), 0);
    return WEXITSTATUS(status) == 0;
}

static void add_second(struct scene *s)
{
    struct err e = { 0 };
    const struct eng_key_ways first = { s->ways, 1 };
    const struct eng_keyset *k = open_by(s, 0);
    AUTO_SECRET struct secret *key =
        eng_keyset_unwrap(s->r, s->name, &first, false, NULL, NULL, &e);

    assert_non_null(key);
    must(eng_slot_add(s->r, k, NULL, key, &s->ways[1], NULL, why));
}

static void removing_may_be_killed_at_every_step(void **state)
{
    struct scene *s = *state;
    char slot[MF_SLOT_ID_CHARS];
    char left[200];

    for (int at = 1;; at++) {
        snprintf(slot, sizeof slot, "%s",
                 slot_of(open_by(s, 0), "second")->s.slot);
        bool done = in_child(s, at, false, slot);
        /* Either it is there, or it is not; the same command ends it. */
        assert_in_range(open_by(s, 0)->n_slots, 1, 2);
        if (!done)
            assert_true(in_child(s, 0, false, slot));
        assert_int_equal(open_by(s, 0)->n_slots, 1);
        snprintf(left, sizeof left,
                 "test $(find keysets -name '*-%s.json' | wc -l) = 1", slot);
        vm_shell(s->f, left);
        if (done) {
            assert_in_range(at, 3, 20);
            break;
        }
        add_second(s);
    }
}

static void changing_may_be_killed_at_every_step(void **state)
{
    struct scene *s = *state;
    char slot[MF_SLOT_ID_CHARS];

    snprintf(slot, sizeof slot, "%s", slot_of(open_by(s, 0), "second")->s.slot);
    for (int at = 1;; at++) {
        bool done = in_child(s, at, true, slot);
        assert_int_equal(open_by(s, 1)->n_slots, 2);
        if (done)
            break;
        assert_true(in_child(s, 0, true, slot));
        assert_int_equal(open_by(s, 1)->n_slots, 2);
        vm_shell(s->f, "test $(find keysets -type f | wc -l) = 2");
    }
}

static void only_what_was_removed_is_cleared(void **state)
{
    struct scene *s = *state;
    bool stays = false;
    struct err e = { 0 };
    const struct eng_keyset *k = open_by(s, 0);

    assert_int_equal(
        eng_slot_clear(s->r, k, k->slots[0].s.slot, NULL, &stays, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(
        eng_slot_clear(s->r, k, "0123456789abcdef", NULL, &stays, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_int_equal(open_by(s, 0)->n_slots, 2);
}

static void forgetting_leaves_what_is_in_force_and_other_slots(void **state)
{
    struct scene *s = *state;
    bool stays = false;
    struct err e = { 0 };
    const struct eng_key_ways first = { s->ways, 1 };
    char slot[MF_SLOT_ID_CHARS];

    for (int i = 0; i < 3; i++) {
        const struct eng_keyset *k = open_by(s, 0);
        AUTO_SECRET struct secret *key =
            eng_keyset_unwrap(s->r, s->name, &first, false, NULL, NULL, &e);
        const struct eng_slot *of = slot_of(k, "second");
        must(eng_slot_add(s->r, k, of, key, &s->ways[1], NULL, why));
        snprintf(slot, sizeof slot, "%s", of->s.slot);
    }
    vm_shell(s->f, "test $(find keysets -type f | wc -l) = 5");
    must(eng_slot_forget(s->r, s->name, slot, 3, NULL, &stays, why));
    vm_shell(s->f, "test $(find keysets -type f | wc -l) = 3");
    must(eng_slot_forget(s->r, s->name, slot, 4, NULL, &stays, why));
    assert_int_equal(open_by(s, 1)->n_slots, 2);
    vm_shell(s->f, "test $(find keysets -type f | wc -l) = 2");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_removed_slot_opens_nothing_and_is_deleted),
        T(the_last_slot_stays),
        T(removing_may_be_killed_at_every_step),
        T(changing_may_be_killed_at_every_step),
        T(only_what_was_removed_is_cleared),
        T(forgetting_leaves_what_is_in_force_and_other_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

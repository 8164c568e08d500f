// SPDX-License-Identifier: Apache-2.0
/* Rotation: new keys in place of old ones, wherever it is cut off. */
#include "tests/unit/engine/repo/rotating.h"

struct scene {
    struct fixture *f;
    struct eng_repo *r;
    char *vm;
    struct eng_kms kms, second; /* servers, and their keys in one shelf */
    struct eng_kms *servers[2];
    struct eng_key_way ways[2];
    struct eng_rotate_opts o;
    struct eng_encrypt_opts how;
    struct eng_backup_opts run;
};

static struct scene *scene; /* for the other host */

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
    s->vm = vm_make(s->f, "vm");
    s->kms = (struct eng_kms){ .name = "main",
                               .key_get = shelf_get,
                               .key_take = shelf_take,
                               .key_active = shelf_active,
                               .key_retire = shelf_retire,
                               .key = "1",
                               .key_name = "first" };
    assert_int_equal(shelf_add("first"), 1);
    s->servers[0] = &s->kms;
    s->ways[0] = eng_way_kms(&s->kms);
    s->o = (struct eng_rotate_opts){ .ways = { s->ways, 1 },
                                     .servers = s->servers,
                                     .n_servers = 1 };
    s->how = (struct eng_encrypt_opts){ .what = ENG_ENCRYPT_KEY,
                                        .ways = { s->ways, 1 },
                                        .slots = { s->ways, 1 } };
    s->run = (struct eng_backup_opts){ .encrypt = &s->how };
    scene = s;
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    void *f = s->f;

    eng_repo_close(s->r);
    free(s->vm);
    free(s);
    munmap(shelf, sizeof *shelf);
    shelf = NULL;
    return fixture_teardown(&f);
}

/* The newest keyset of the label, open, in a program that is started anew. */
static const struct eng_keyset *again(struct scene *s)
{
    char name[MF_KEYSET_CHARS];

    s->r = keyed_again(s->f, s->r);
    must(eng_keysets_load(s->r, NULL, why));
    const struct eng_keyset *k = eng_keysets_of_label(s->r, ENG_KEYSET_LABEL);
    assert_non_null(k);
    snprintf(name, sizeof name, "%s", k->name);
    must(eng_keyset_open(s->r, name, &s->o.ways, true, NULL, why));
    return eng_keysets_find(s->r, name);
}

static struct eng_rotation rotate(struct scene *s)
{
    struct eng_rotation x = { 0 };

    must(eng_keyset_rotate(s->r, again(s)->name, &s->o, NULL, &x, why));
    return x;
}

static struct err rotate_fails(struct scene *s)
{
    struct eng_rotation x = { 0 };
    struct err e = { 0 };

    assert_int_equal(
        eng_keyset_rotate(s->r, again(s)->name, &s->o, NULL, &x, &e), -1);
    eng_rotation_free(&x);
    return e;
}

/* What is stored beside slots, with the times at which it was written. */
static void note_data(struct scene *s, const char *file)
{
    char command[200];

    snprintf(command, sizeof command,
             "find . -path ./keysets -prune -o -path ./gc -prune -o -type f "
             "-printf '%%p %%s %%T@\\n' | sort > ../%s",
             file);
    vm_shell(s->f, command);
}

/* The one slot, in force, and nothing else of it, by the one active key. */
static void check_one_key(struct scene *s)
{
    const struct eng_keyset *k = again(s);
    char uid[16];

    assert_int_equal(k->n_slots, 1);
    unsigned at = shelf_active_one();
    assert_int_not_equal(at, 0);
    snprintf(uid, sizeof uid, "%u", at);
    assert_string_equal(k->slots[0].s.kms.key, uid);
    assert_string_equal(k->slots[0].s.kms.key_name, shelf->key[at - 1].name);
    vm_shell(s->f, "test $(find keysets -type f | wc -l) = 1");
}

static void slots_get_new_keys_and_the_old_ones_are_retired(void **state)
{
    struct scene *s = *state;

    vm_run(s->r, s->vm, &s->run);
    note_data(s, "before");
    struct eng_rotation x = rotate(s);
    assert_int_equal(x.n, 1);
    assert_int_equal(x.of[0].what, ENG_TURN_ROTATED);
    assert_string_equal(x.of[0].old_key, "1");
    assert_string_equal(x.of[0].key, "2");
    assert_string_equal(x.of[0].kms, "main");
    assert_true(x.of[0].retired);
    assert_false(x.of[0].stays);
    assert_int_equal(x.of[0].why_kind, ERR_NONE);
    eng_rotation_free(&x);
    assert_false(shelf->key[0].active);
    check_one_key(s);
    note_data(s, "after");
    vm_shell(s->f, "cmp ../before ../after");
    must(eng_repo_select(s->r, eng_repo_keysets(s->r)->k[0]->name, why));
    vm_check_restore(s->r, s->f, s->vm);
    s->r = keyed_again(s->f, s->r);
    assert_int_equal(vm_run(s->r, s->vm, &s->run).kind, MF_INCREMENTAL);
}

static void a_dry_run_changes_nothing(void **state)
{
    struct scene *s = *state;

    vm_run(s->r, s->vm, &s->run);
    s->o.dry_run = true;
    struct eng_rotation x = rotate(s);
    assert_int_equal(x.of[0].what, ENG_TURN_ROTATED);
    assert_string_equal(x.of[0].key, "");
    eng_rotation_free(&x);
    struct eng_rotation y = { 0 };
    must(eng_keyset_renew(s->r, again(s)->name, &s->o, NULL, &y, why));
    eng_rotation_free(&y);
    assert_int_equal(shelf->n, 1);
    assert_int_equal(again(s)->slots[0].s.gen, 1);
    assert_int_equal(eng_repo_keysets(s->r)->n, 1);
}

/* In a child that is killed at this step; whether it came to its end. */
static bool in_child(struct scene *s, int step, bool renew)
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct err e = { 0 };
        struct eng_rotation x = { 0 };
        struct eng_repo *r = eng_repo_open(&s->f->place, NULL, &e);
        if (r == NULL || eng_keysets_load(r, NULL, &e) < 0)
            _exit(2);
        const struct eng_keyset *k = eng_keysets_of_label(r, ENG_KEYSET_LABEL);
        if (k == NULL ||
            eng_keyset_open(r, k->name, &s->o.ways, true, NULL, &e) < 0)
            _exit(3);
        shelf->steps = step;
        int done = renew ? eng_keyset_renew(r, k->name, &s->o, NULL, &x, &e)
                         : eng_keyset_rotate(r, k->name, &s->o, NULL, &x, &e);
        if (done < 0)
            print_error("%s\n", e.msg);
        _exit(done < 0 ? 4 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    shelf->steps = 0;
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 9)
        assert_int_equal(WEXITSTATUS(status), 0);
    return WEXITSTATUS(status) == 0;
}

static void a_rotation_may_be_killed_at_every_step(void **state)
{
    struct scene *s = *state;
    int step = 1;

    vm_run(s->r, s->vm, &s->run);
    note_data(s, "before");
    for (bool done = false; !done; step++) {
        done = in_child(s, step, false);
        /* It opens all the time, for writing too. */
        const struct eng_keyset *k = again(s);
        must(eng_keyset_open(s->r, k->name, &s->o.ways, false, NULL, why));
        if (done)
            break;
        struct eng_rotation x = rotate(s);
        assert_int_not_equal(x.of[0].what, ENG_TURN_KEPT);
        assert_true(x.of[0].retired);
        eng_rotation_free(&x);
        check_one_key(s);
    }
    assert_in_range(step, 12, 100);
    check_one_key(s);
    note_data(s, "after");
    vm_shell(s->f, "cmp ../before ../after");
    must(eng_repo_select(s->r, again(s)->name, why));
    vm_check_restore(s->r, s->f, s->vm);
}

/* One that was cut off after the new slot was there made its key already. */
static void
a_rotation_that_was_killed_is_finished_with_the_key_it_made(void **state)
{
    struct scene *s = *state;
    bool finished = false;
    unsigned most = 0;

    vm_run(s->r, s->vm, &s->run);
    for (int step = 1; !in_child(s, step, false); step++) {
        unsigned keys = shelf->n;
        bool retired =
            shelf_active_one() != 0 && keys > 1 && again(s)->slots[0].s.gen > 1;
        struct eng_rotation x = rotate(s);
        finished |= x.of[0].what == ENG_TURN_FINISHED;
        /* A key that was made is used, and no other one is made beside. */
        if (x.of[0].what == ENG_TURN_FINISHED)
            assert_int_equal(shelf->n, keys);
        else if (!retired)
            assert_in_range(shelf->n, keys, keys + 1);
        most = shelf->n > most ? shelf->n : most;
        eng_rotation_free(&x);
    }
    assert_true(finished);
}

/* Two slots, so that there is something between them. */
static void two_servers(struct scene *s)
{
    s->second = s->kms;
    s->second.name = "second";
    s->second.key = "2";
    s->second.key_name = "of the second";
    assert_int_equal(shelf_add(s->second.key_name), 2);
    s->servers[1] = &s->second;
    s->ways[1] = eng_way_kms(&s->second);
    s->o.n_servers = s->o.ways.n = s->how.slots.n = s->how.ways.n = 2;
}

/* The first server has not got the key that the second one began with. */
static int only_its_own(void *client, const struct cancel *cancel,
                        const char *uid, bool wrapping, bool restoring,
                        struct secret **kek, struct err *e)
{
    return strcmp(uid, "2") == 0
               ? err_set(e, ERR_NOTFOUND, 0, "no key 2")
               : shelf_get(client, cancel, uid, wrapping, restoring, kek, e);
}

/* A slot of some keyset is wrapped by this key. */
static bool is_named(struct scene *s, unsigned key)
{
    const struct eng_keysets *all = eng_repo_keysets(s->r);
    char uid[16];

    snprintf(uid, sizeof uid, "%u", key);
    for (size_t i = 0; i < all->n; i++)
        for (size_t n = 0; n < all->k[i]->n_slots; n++)
            if (strcmp(all->k[i]->slots[n].s.kms.key, uid) == 0)
                return true;
    return false;
}

static void a_new_data_key_may_be_killed_at_every_step(void **state)
{
    struct scene *s = *state;
    char first[MF_KEYSET_CHARS];
    char was[MF_KEYSET_CHARS];

    two_servers(s);
    vm_run(s->r, s->vm, &s->run);
    note_data(s, "before");
    snprintf(first, sizeof first, "%s", again(s)->name);
    for (int step = 1;; step++) {
        snprintf(was, sizeof was, "%s", again(s)->name);
        bool done = in_child(s, step, true);
        if (!done)
            assert_true(in_child(s, 0, true));
        const struct eng_keyset *k = again(s);
        assert_string_not_equal(k->name, was);
        assert_int_equal(k->n_slots, 2);
        for (unsigned n = 1; n <= shelf->n; n++)
            assert_true(is_named(s, n));
        if (done)
            break;
    }
    note_data(s, "after");
    vm_shell(s->f, "cmp ../before ../after");
    must(eng_keyset_open(s->r, first, &s->o.ways, true, NULL, why));
    must(eng_repo_select(s->r, first, why));
    vm_check_restore(s->r, s->f, s->vm);
    s->r = keyed_again(s->f, s->r);
    assert_int_equal(vm_run(s->r, s->vm, &s->run).kind, MF_FULL);
}

static void a_new_keyset_is_opened_by_what_opened_the_old_one(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };
    AUTO_SECRET struct secret *paper = secret_new(span_str("on paper"), &e);
    AUTO_SECRET struct secret *safe = secret_new(span_str("in a safe"), &e);
    struct eng_password by = { .password = paper, .hint = "desk" };
    struct eng_rotation x = { 0 };

    s->ways[1] = eng_way_password(&by);
    s->how.slots = (struct eng_key_ways){ s->ways, 2 };
    vm_run(s->r, s->vm, &s->run);
    s->o.password = paper;
    s->o.recovery = safe;
    must(eng_keyset_renew(s->r, again(s)->name, &s->o, NULL, &x, why));
    for (size_t i = 0; i < x.n; i++)
        assert_int_equal(x.of[i].what, ENG_TURN_ROTATED);
    const struct eng_keyset *k = again(s);
    assert_string_equal(k->name, x.keyset);
    eng_rotation_free(&x);
    assert_int_equal(k->n_slots, 3);
    for (size_t i = 0; i < 3; i++)
        if (k->slots[i].s.type == MF_SLOT_PASSWORD)
            assert_string_equal(k->slots[i].s.password.hint, "desk");
    by = (struct eng_password){ .password = safe };
    s->o.ways = (struct eng_key_ways){ &s->ways[1], 1 };
    k = again(s);
    /* It was at no time the old keyset's. */
    assert_int_equal(
        eng_keyset_open(s->r, k->supersedes, &s->o.ways, true, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
}

static void a_keyset_that_was_superseded_gets_no_other_successor(void **state)
{
    struct scene *s = *state;
    struct eng_rotation x = { 0 };
    struct err e = { 0 };
    char old[MF_KEYSET_CHARS];

    vm_run(s->r, s->vm, &s->run);
    snprintf(old, sizeof old, "%s", again(s)->name);
    must(eng_keyset_renew(s->r, old, &s->o, NULL, &x, why));
    eng_rotation_free(&x);
    must(eng_keysets_load(s->r, NULL, why));
    must(eng_keyset_open(s->r, old, &s->o.ways, true, NULL, why));
    assert_int_equal(eng_keyset_renew(s->r, old, &s->o, NULL, &x, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    eng_rotation_free(&x);
    assert_int_equal(shelf->n, 2);
}

static void passwords_stay_and_need_a_key_server_beside(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };
    AUTO_SECRET struct secret *paper = secret_new(span_str("on paper"), &e);
    struct eng_password by = { .password = paper };

    s->ways[1] = eng_way_password(&by);
    s->how.slots = (struct eng_key_ways){ s->ways, 2 };
    vm_run(s->r, s->vm, &s->run);
    struct eng_rotation x = rotate(s);
    for (size_t i = 0; i < 2; i++) {
        bool is_kms = x.of[i].type == MF_SLOT_KMS;
        assert_int_equal(x.of[i].what,
                         is_kms ? ENG_TURN_ROTATED : ENG_TURN_KEPT);
        assert_int_equal(x.of[i].why_kind, ERR_NONE);
    }
    eng_rotation_free(&x);
    const struct eng_keyset *k = again(s);
    for (size_t i = 0; i < 2; i++)
        if (k->slots[i].s.type == MF_SLOT_KMS) {
            bool stays = false;
            must(eng_slot_remove(s->r, k, &k->slots[i], NULL, &stays, why));
        }
    s->o.ways = (struct eng_key_ways){ &s->ways[1], 1 };
    assert_int_equal(rotate_fails(s).kind, ERR_USAGE);
}

static void a_lost_key_is_replaced_where_a_password_opens(void **state)
{
    struct scene *s = *state;
    struct err e = { 0 };
    AUTO_SECRET struct secret *paper = secret_new(span_str("on paper"), &e);
    struct eng_password by = { .password = paper };

    s->ways[1] = eng_way_password(&by);
    s->how.slots = (struct eng_key_ways){ s->ways, 2 };
    vm_run(s->r, s->vm, &s->run);
    shelf->key[0].lost = true;
    s->o.ways = (struct eng_key_ways){ &s->ways[1], 1 };
    struct eng_rotation x = rotate(s);
    for (size_t i = 0; i < 2; i++)
        if (x.of[i].type == MF_SLOT_KMS)
            assert_int_equal(x.of[i].what, ENG_TURN_ROTATED);
    eng_rotation_free(&x);
    s->o.ways = (struct eng_key_ways){ s->ways, 1 };
    (void)again(s); /* by the new key */
}

static void a_key_that_another_keyset_needs_is_not_retired(void **state)
{
    struct scene *s = *state;
    char other[MF_KEYSET_CHARS];

    vm_run(s->r, s->vm, &s->run);
    must(
        eng_keyset_make(s->r, "second", NULL, &s->how.slots, NULL, other, why));
    for (int i = 0; i < 2; i++) { /* and it does not wait for that */
        struct eng_rotation x = rotate(s);
        assert_int_equal(x.of[0].what, ENG_TURN_ROTATED);
        assert_int_equal(x.of[0].retired, i > 0);
        if (i == 0)
            assert_non_null(strstr(x.of[0].why, other));
        eng_rotation_free(&x);
        assert_true(shelf->key[0].active);
    }
}

static void what_somebody_planted_retires_no_key(void **state)
{
    struct scene *s = *state;

    vm_run(s->r, s->vm, &s->run);
    /* A key of the same server that is somebody else's. */
    assert_int_equal(shelf_add("other"), 2);
    vm_shell(s->f, "cp keysets/k-*/slots/00000001-* ../old");
    struct eng_rotation x = rotate(s);
    eng_rotation_free(&x);
    vm_shell(s->f, "n=$(basename keysets/k-*/slots/00000002-*) && "
                   "sed 's/\"key\":\"1\"/\"key\":\"2\"/' ../old > "
                   "$(echo keysets/k-*/slots)/00000001-${n#00000002-}");
    x = rotate(s);
    assert_int_equal(x.of[0].what, ENG_TURN_ROTATED);
    assert_string_equal(x.of[0].old_key, "3");
    assert_true(x.of[0].retired);
    eng_rotation_free(&x);
    assert_true(shelf->key[1].active);
    assert_false(shelf->key[2].active);
}

static void a_key_that_may_not_be_retired_is_tried_again(void **state)
{
    struct scene *s = *state;

    vm_run(s->r, s->vm, &s->run);
    shelf->refuses = ERR_DENIED;
    struct eng_rotation x = rotate(s);
    assert_int_equal(x.of[0].what, ENG_TURN_ROTATED);
    assert_false(x.of[0].retired);
    assert_int_equal(x.of[0].why_kind, ERR_DENIED);
    eng_rotation_free(&x);
    x = rotate(s);
    assert_int_equal(x.of[0].what, ENG_TURN_FINISHED);
    assert_false(x.of[0].retired);
    eng_rotation_free(&x);
    assert_int_equal(shelf->n, 2);
    shelf->refuses = ERR_NONE;
    x = rotate(s);
    assert_int_equal(x.of[0].what, ENG_TURN_FINISHED);
    assert_true(x.of[0].retired);
    eng_rotation_free(&x);
    check_one_key(s);
}

static void of_two_servers_the_one_that_is_there_is_done(void **state)
{
    struct scene *s = *state;
    static char second[] = "second";

    two_servers(s);
    vm_run(s->r, s->vm, &s->run);
    s->second.client = second;
    shelf->away = second;
    /* In this test each key is in the shelf of both. */
    s->kms.key_get = only_its_own;
    struct eng_rotation x = rotate(s);
    for (size_t i = 0; i < 2; i++) {
        bool away = strcmp(x.of[i].kms, second) == 0;
        assert_int_equal(x.of[i].what, away ? ENG_TURN_KEPT : ENG_TURN_ROTATED);
        assert_int_equal(x.of[i].why_kind, away ? ERR_UNREACHABLE : ERR_NONE);
    }
    eng_rotation_free(&x);
    assert_true(shelf->key[1].active);
    shelf->away = NULL;
    x = rotate(s);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(x.of[i].what, ENG_TURN_ROTATED);
    eng_rotation_free(&x);
    assert_false(shelf->key[1].active);
}

static void a_server_that_is_away_leaves_all_as_it_is(void **state)
{
    struct scene *s = *state;

    vm_run(s->r, s->vm, &s->run);
    shelf->refuses = ERR_UNREACHABLE;
    struct err e = rotate_fails(s);
    assert_int_equal(e.kind, ERR_UNREACHABLE);
    assert_non_null(strstr(e.msg, "next keyset rotate"));
    shelf->refuses = ERR_NONE;
    struct eng_rotation x = rotate(s);
    assert_int_equal(x.of[0].what, ENG_TURN_FINISHED);
    eng_rotation_free(&x);
    check_one_key(s);
    /* None is configured that has the key. */
    s->o.n_servers = 0;
    e = rotate_fails(s);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "main"));
}

static void other_host(void)
{
    assert_true(in_child(scene, 0, false));
    /* A server that took both: keys may have one name. */
    snprintf(shelf->key[shelf->n - 1].name, 8, "twin");
}

static void of_two_hosts_one_rotates_and_no_key_is_left_over(void **state)
{
    struct scene *s = *state;

    vm_run(s->r, s->vm, &s->run);
    shelf_meanwhile = other_host;
    shelf->meanwhile = true;
    struct err e = rotate_fails(s);
    assert_non_null(strstr(e.msg, "another host"));
    assert_int_equal(shelf->n, 3);
    assert_int_equal(shelf_active_one(), 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(slots_get_new_keys_and_the_old_ones_are_retired),
        T(a_dry_run_changes_nothing),
        T(a_rotation_may_be_killed_at_every_step),
        T(a_rotation_that_was_killed_is_finished_with_the_key_it_made),
        T(a_new_data_key_may_be_killed_at_every_step),
        T(a_new_keyset_is_opened_by_what_opened_the_old_one),
        T(a_keyset_that_was_superseded_gets_no_other_successor),
        T(passwords_stay_and_need_a_key_server_beside),
        T(a_lost_key_is_replaced_where_a_password_opens),
        T(a_key_that_another_keyset_needs_is_not_retired),
        T(what_somebody_planted_retires_no_key),
        T(a_key_that_may_not_be_retired_is_tried_again),
        T(of_two_servers_the_one_that_is_there_is_done),
        T(a_server_that_is_away_leaves_all_as_it_is),
        T(of_two_hosts_one_rotates_and_no_key_is_left_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* A run asks now and then whether its key may still be used. */
#include "tests/unit/engine/keyed_scene.h"

#include "engine/repo/keywatch.h"
#include "engine/repo/points.h"

/* What the key server says to the next questions. */
static struct {
    enum err_kind answer; /* ERR_NONE: it may be used */
    int asked;
} server;

static int key_ask(void *client, const struct cancel *cancel, const char *uid,
                   struct err *e)
{
    (void)client;
    (void)cancel;
    assert_string_equal(uid, "uid-1");
    server.asked++;
    if (server.answer == ERR_NONE)
        return 0;
    return err_set(e, server.answer, 0, "what the server says");
}

static int setup(void **state)
{
    server.answer = ERR_NONE;
    server.asked = 0;
    return keyed_setup(state);
}

/* Seconds, as they are configured. */
static void asks(struct scene *s, int64_t ask_s, int64_t grace_s)
{
    s->k.kms.key_ask = key_ask;
    s->k.kms.ask_s = ask_s;
    s->k.kms.grace_s = grace_s;
    keyed_ways(&s->k, eng_way_kms(&s->k.kms));
}

static size_t points(struct scene *s)
{
    AUTO_ENG_POINTS struct eng_points ps = { 0 };

    must(eng_points_list(s->r, NULL, NULL, &ps, why));
    return ps.n;
}

static void a_run_stops_where(struct scene *s, enum err_kind answer,
                              enum err_kind as)
{
    vm_run(s->r, s->vm, &s->k.run);
    size_t before = points(s);
    vm_poke(s->vm, (uint64_t)3 * FIXTURE_BLOCK, "changed");
    server.answer = answer;
    struct err e = keyed_fails(s->r, s->vm, &s->k.run);
    assert_int_equal(e.kind, as);
    assert_non_null(strstr(e.msg, "what the server says"));
    assert_non_null(strstr(e.msg, "main"));
    assert_int_equal(points(s), before);
}

static void a_run_whose_key_is_revoked_stops_and_makes_no_point(void **state)
{
    struct scene *s = *state;

    asks(s, 0, 3600);
    a_run_stops_where(s, ERR_DENIED, ERR_DENIED);
}

static void a_key_that_is_gone_is_one_that_may_not_be_used(void **state)
{
    struct scene *s = *state;

    asks(s, 0, 0);
    a_run_stops_where(s, ERR_NOTFOUND, ERR_DENIED);
}

static void without_an_answer_a_run_stops(void **state)
{
    struct scene *s = *state;

    asks(s, 0, 0);
    a_run_stops_where(s, ERR_UNREACHABLE, ERR_UNREACHABLE);
}

static void without_an_answer_a_run_goes_on_for_the_grace(void **state)
{
    struct scene *s = *state;

    asks(s, 0, 3600);
    server.answer = ERR_UNREACHABLE;
    vm_run(s->r, s->vm, &s->k.run);
    assert_int_equal(server.asked, 1); /* and is not asked with each block */
    assert_int_equal(points(s), 1);
}

static void nobody_is_asked_before_it_is_time(void **state)
{
    struct scene *s = *state;

    asks(s, 3600, 0);
    server.answer = ERR_DENIED;
    vm_run(s->r, s->vm, &s->k.run);
    assert_int_equal(server.asked, 0);
    assert_int_equal(points(s), 1);
}

static void a_run_asks_again_and_again(void **state)
{
    struct scene *s = *state;

    asks(s, 0, 0);
    vm_run(s->r, s->vm, &s->k.run);
    assert_true(server.asked > 2);
}

static void of_a_password_there_is_nothing_to_ask(void **state)
{
    struct scene *s = *state;
    struct eng_password p = { .password = s->k.secret };
    struct eng_key_way way = eng_way_password(&p);
    struct mf_slot slot = { .gen = 1 };
    struct eng_keywatch *w = NULL;

    must(eng_keywatch_new(&way, &slot, &w, why));
    assert_null(w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, keyed_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_run_whose_key_is_revoked_stops_and_makes_no_point),
        T(a_key_that_is_gone_is_one_that_may_not_be_used),
        T(without_an_answer_a_run_stops),
        T(without_an_answer_a_run_goes_on_for_the_grace),
        T(nobody_is_asked_before_it_is_time),
        T(a_run_asks_again_and_again),
        T(of_a_password_there_is_nothing_to_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

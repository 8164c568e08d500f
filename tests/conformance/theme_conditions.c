// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: an object that is put only if none is there, alone and among
 * racing writers.
 */
#include <pthread.h>

#include "suite.h"

#define RACERS 32
#define ROUNDS 3

static const struct obj_put_opts only_new = { .if_absent = true };

static void put_if_absent_refuses_an_existing_object(void **state)
{
    (void)state;
    assert_outcome(put_as(&plain, "d/k", span_str("first"), &only_new, NULL),
                   OBJ_OK);
    assert_outcome(put_as(&plain, "d/k", span_str("second"), &only_new, NULL),
                   OBJ_THERE);
    assert_holds(&plain, "d/k", NULL, "first");
    assert_outcome(removed(&plain, "d/k", NULL, false), OBJ_OK);
    assert_outcome(put_as(&plain, "d/k", span_str("third"), &only_new, NULL),
                   OBJ_OK);
    assert_holds(&plain, "d/k", NULL, "third");
}

static void delete_marker_counts_as_absent(void **state)
{
    (void)state;
    must_put(&versioned, "k", "old");
    assert_outcome(put_as(&versioned, "k", span_str("x"), &only_new, NULL),
                   OBJ_THERE);
    assert_outcome(removed(&versioned, "k", NULL, false), OBJ_OK);
    assert_outcome(put_as(&versioned, "k", span_str("new"), &only_new, NULL),
                   OBJ_OK);
    assert_outcome(put_as(&versioned, "k", span_str("x"), &only_new, NULL),
                   OBJ_THERE);
    assert_holds(&versioned, "k", NULL, "new");
}

static void nonce_tells_who_put_the_object(void **state)
{
    static const char *const nonces[] = { "00112233445566778899aabbccddeeff",
                                          "ffffffffffffffffffffffffffffffff" };
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key };
    struct obj_info info;
    struct obj_attempt a = { 0 };

    (void)state;
    whole_key(&plain, "k", key);
    memcpy(a.nonce, nonces[0], sizeof a.nonce);
    plain.store->driver->put(plain.store->self, &r, span_str("first"),
                             &only_new, &info, &a);
    assert_outcome(a, OBJ_OK);
    a = (struct obj_attempt){ 0 };
    memcpy(a.nonce, nonces[1], sizeof a.nonce);
    plain.store->driver->put(plain.store->self, &r, span_str("second"),
                             &only_new, &info, &a);
    assert_outcome(a, OBJ_THERE);
    a = head(&plain, "k", NULL, NULL);
    assert_string_equal(a.nonce, nonces[0]);
    must_put(&plain, "k", "without one");
    a = head(&plain, "k", NULL, NULL);
    assert_string_equal(a.nonce, "");
}

/* The store's driver, but the answer to its first put is lost. */
static const struct obj_driver *behind;
static unsigned puts_seen;

static void lose_first_answer(void *self, const struct obj_req *r,
                              struct span body, const struct obj_put_opts *o,
                              struct obj_info *info, struct obj_attempt *a)
{
    behind->put(self, r, body, o, info, a);
    if (puts_seen++ > 0)
        return;
    a->outcome = OBJ_NETWORK;
    a->http = 0;
    a->maybe_done = true;
    *info = (struct obj_info){ 0 };
}

static enum err_kind put_with_a_lost_answer(const char *name)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key };
    struct err e = { 0 };
    struct place p = place_open(plain.bucket, NULL);

    behind = p.store->driver;
    puts_seen = 0;
    struct obj_driver lossy = *behind;
    lossy.put = lose_first_answer;
    p.store->driver = &lossy;
    whole_key(&p, name, key);
    int result = obj_put(p.store, &r, span_str("x"), &only_new, NULL, &e);
    p.store->driver = behind;
    place_close(&p);
    assert_int_equal(puts_seen, 2);
    return result == 0 ? ERR_NONE : e.kind;
}

static void success_whose_answer_was_lost_is_recognised(void **state)
{
    (void)state;
    assert_int_equal(put_with_a_lost_answer("k"), ERR_NONE);
    assert_holds(&plain, "k", NULL, "x");
    must_put(&plain, "theirs", "of somebody else");
    assert_int_equal(put_with_a_lost_answer("theirs"), ERR_EXISTS);
    assert_holds(&plain, "theirs", NULL, "of somebody else");
}

struct race {
    const struct place *place;
    pthread_barrier_t start;
    const char *const *names; /* ROUNDS */
    unsigned won[RACERS];     /* a bit for each round */
};

static int run_race(void *ctx, uint64_t self, struct err *e)
{
    struct race *race = ctx;
    char key[OBJ_KEY_MAX + 1];
    char body[16];
    struct obj_req r = { .key = key };
    int result = 0;

    snprintf(body, sizeof body, "%u", (unsigned)self);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct err lost = { 0 };
        whole_key(race->place, race->names[round], key);
        /* Nobody may stay away from the next round. */
        pthread_barrier_wait(&race->start);
        if (obj_put(race->place->store, &r, span_str(body), &only_new, NULL,
                    &lost) == 0) {
            race->won[self] |= 1u << round;
        } else if (lost.kind != ERR_EXISTS) {
            *e = lost;
            result = -1;
        }
    }
    return result;
}

static void race_for(const struct place *p, const char *const *names)
{
    struct race race = { .place = p, .names = names };

    assert_int_equal(pthread_barrier_init(&race.start, NULL, RACERS), 0);
    in_threads(RACERS, RACERS, run_race, &race);
    pthread_barrier_destroy(&race.start);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned winners = 0;
        char body[16] = "";
        for (unsigned i = 0; i < RACERS; i++) {
            if ((race.won[i] >> round & 1) == 0)
                continue;
            winners++;
            snprintf(body, sizeof body, "%u", i);
        }
        assert_int_equal(winners, 1);
        assert_holds(p, names[round], NULL, body);
    }
}

static const char *const names[ROUNDS] = { "r/0/k", "r/1/k", "r/2/k" };

static void of_32_racing_creators_exactly_one_wins(void **state)
{
    (void)state;
    race_for(&plain, names);
}

static void race_among_versions_leaves_a_single_one(void **state)
{
    AUTO_LISTING struct listing l = { 0 };
    const struct obj_list_opts o = { .versions = true };

    (void)state;
    race_for(&versioned, names);
    list(&versioned, "", &o, &l);
    assert_int_equal(l.n, ROUNDS);
}

static void race_above_delete_markers_has_one_winner(void **state)
{
    AUTO_LISTING struct listing l = { 0 };
    const struct obj_list_opts o = { .versions = true };

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        must_put(&versioned, names[i], "old");
        assert_outcome(removed(&versioned, names[i], NULL, false), OBJ_OK);
    }
    race_for(&versioned, names);
    list(&versioned, "", &o, &l);
    assert_int_equal(l.n, 3 * ROUNDS); /* old, its marker, and the winner */
}

static void driver_without_conditions_refuses_them(void **state)
{
    (void)state;
    assert_outcome(put_as(&plain, "k", span_str("x"), &only_new, NULL),
                   OBJ_UNABLE);
    assert_outcome(head(&plain, "k", NULL, NULL), OBJ_ABSENT);
}

static const struct test tests[] = {
    TEST(put_if_absent_refuses_an_existing_object, CAP_IF_ABSENT),
    TEST(delete_marker_counts_as_absent, CAP_IF_ABSENT | CAP_VERSIONS),
    TEST(nonce_tells_who_put_the_object, CAP_IF_ABSENT | CAP_NONCE),
    TEST(success_whose_answer_was_lost_is_recognised,
         CAP_IF_ABSENT | CAP_NONCE),
    TEST(of_32_racing_creators_exactly_one_wins, CAP_IF_ABSENT),
    TEST(race_among_versions_leaves_a_single_one, CAP_IF_ABSENT | CAP_VERSIONS),
    TEST(race_above_delete_markers_has_one_winner,
         CAP_IF_ABSENT | CAP_VERSIONS),
    TEST_WITHOUT(driver_without_conditions_refuses_them, CAP_IF_ABSENT),
};
THEME(theme_conditions, "conditions");

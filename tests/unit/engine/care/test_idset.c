// SPDX-License-Identifier: Apache-2.0
/* The set of ids that stays small. */
#include "tests/unit/engine/fixture.h"

#include "engine/care/idset.h"

#define MANY 20000

static struct mf_id id_of(uint64_t i)
{
    struct mf_id id;

    fixture_noise(id.b, sizeof id.b, i + 1);
    return id;
}

static void each_id_is_in_the_set_once_whatever_its_number(void **state)
{
    AUTO_ENG_IDSET struct eng_idset s = { 0 };

    (void)state;
    eng_idset_begin(&s, 0, 256, SIZE_MAX);
    for (int twice = 0; twice < 2; twice++)
        for (uint64_t i = 0; i < MANY; i++) {
            struct mf_id id = id_of(i);
            must(eng_idset_add(&s, &id, 4096, why));
        }
    assert_int_equal(s.n, MANY);
    for (uint64_t i = 0; i < MANY; i++) {
        struct mf_id id = id_of(i);
        struct eng_idset_slot *at = eng_idset_find(&s, &id, NULL);
        assert_non_null(at);
        assert_true(mf_id_eq(&at->id, &id));
        assert_null(eng_idset_find(&s, &id, at));
    }
    struct mf_id other = id_of(MANY);
    assert_null(eng_idset_find(&s, &other, NULL));
}

static void one_id_with_two_lengths_is_two_elements(void **state)
{
    AUTO_ENG_IDSET struct eng_idset s = { 0 };
    struct mf_id id = id_of(1);
    uint32_t sum = 0;

    (void)state;
    eng_idset_begin(&s, 0, 256, SIZE_MAX);
    must(eng_idset_add(&s, &id, 100, why));
    must(eng_idset_add(&s, &id, 200, why));
    for (struct eng_idset_slot *at = NULL;
         (at = eng_idset_find(&s, &id, at)) != NULL;)
        sum += at->len;
    assert_int_equal(sum, 300);
}

static void ranges_of_a_small_set_cover_every_id_once(void **state)
{
    AUTO_ENG_IDSET struct eng_idset s = { 0 };
    size_t sum = 0;
    unsigned ranges = 0;

    (void)state;
    for (unsigned lo = 0; lo < 256; lo = s.hi) {
        eng_idset_begin(&s, lo, 256, 1000);
        for (uint64_t i = 0; i < MANY; i++) {
            struct mf_id id = id_of(i);
            must(eng_idset_add(&s, &id, 4096, why));
        }
        assert_true(s.n <= 1000);
        assert_true(s.hi > lo);
        for (size_t i = 0; i < s.cap; i++)
            assert_true(s.slots[i].len == 0 || (s.slots[i].id.b[0] >= lo &&
                                                s.slots[i].id.b[0] < s.hi));
        sum += s.n;
        ranges++;
    }
    assert_int_equal(sum, MANY);
    assert_true(ranges >= MANY / 1000);
}

static void ids_that_begin_alike_stay_together_over_the_limit(void **state)
{
    AUTO_ENG_IDSET struct eng_idset s = { 0 };

    (void)state;
    eng_idset_begin(&s, 0, 256, 10);
    for (uint64_t i = 0; i < 100; i++) {
        struct mf_id id = id_of(i);
        id.b[0] = 0;
        must(eng_idset_add(&s, &id, 1, why));
    }
    assert_int_equal(s.n, 100);
    assert_int_equal(s.hi, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_id_is_in_the_set_once_whatever_its_number),
        cmocka_unit_test(one_id_with_two_lengths_is_two_elements),
        cmocka_unit_test(ranges_of_a_small_set_cover_every_id_once),
        cmocka_unit_test(ids_that_begin_alike_stay_together_over_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

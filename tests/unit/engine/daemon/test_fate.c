// SPDX-License-Identifier: Apache-2.0
/* Which points of VMs that are gone are removed. */
#include <string.h>

#include "engine/daemon/forget.h"
#include "tests/unit/must.h"

#define DAY 86400
#define NOW (INT64_C(1000) * DAY)
#define AFTER (INT64_C(30) * DAY)

/* A point of VM `vm`, so many days ago, made by the job. */
static struct eng_fated point(const char *vm, int64_t days)
{
    return (
        struct eng_fated){ .vm = vm, .time = NOW - days * DAY, .of_job = true };
}

static void decide(struct eng_fated *p, size_t n)
{
    eng_fate_decide(p, n, AFTER, NOW);
}

static void all_points_of_a_vm_that_is_gone_for_long_go(void **state)
{
    struct eng_fated p[] = { point("web1", 90), point("web1", 31),
                             point("web2", 90), point("web2", 30) };

    (void)state;
    p[2].there = p[3].there = true;
    decide(p, 4);
    assert_int_equal(p[0].fate, ENG_FATE_REMOVED);
    assert_int_equal(p[1].fate, ENG_FATE_REMOVED);
    assert_int_equal(p[2].fate, ENG_FATE_STAYS);
    assert_int_equal(p[3].fate, ENG_FATE_STAYS);
}

static void the_newest_point_says_since_when_it_is_gone(void **state)
{
    struct eng_fated p[] = { point("web1", 90), point("web1", 29) };

    (void)state;
    decide(p, 2);
    assert_int_equal(p[0].fate, ENG_FATE_STAYS);
    p[1].time = NOW - AFTER;
    decide(p, 2);
    assert_int_equal(p[0].fate, ENG_FATE_REMOVED);
    assert_int_equal(p[1].fate, ENG_FATE_REMOVED);
    p[1].time = NOW - AFTER + 1;
    decide(p, 2);
    assert_int_equal(p[0].fate, ENG_FATE_STAYS);
}

static void a_point_of_the_future_keeps_the_others(void **state)
{
    struct eng_fated p[] = { point("web1", 90), point("web1", -400) };

    (void)state;
    decide(p, 2);
    assert_int_equal(p[0].fate, ENG_FATE_STAYS);
    assert_int_equal(p[1].fate, ENG_FATE_STAYS);
}

static void points_of_other_jobs_stay_and_count(void **state)
{
    struct eng_fated p[] = { point("web1", 90), point("web1", 60) };

    (void)state;
    p[1].of_job = false;
    decide(p, 2);
    assert_int_equal(p[0].fate, ENG_FATE_REMOVED);
    assert_int_equal(p[1].fate, ENG_FATE_STAYS);
    p[1].time = NOW - DAY; /* another job has it now */
    decide(p, 2);
    assert_int_equal(p[0].fate, ENG_FATE_STAYS);
}

static void locked_and_protected_points_stay(void **state)
{
    struct eng_fated p[] = { point("web1", 90), point("web1", 80),
                             point("web1", 70), point("web1", 60) };

    (void)state;
    p[0].locked_until = NOW + 1;
    p[1].locked_until = NOW;
    p[2].protect = true;
    p[3].protect = true;
    p[3].locked_until = NOW + 1;
    decide(p, 4);
    assert_int_equal(p[0].fate, ENG_FATE_LOCKED);
    assert_int_equal(p[1].fate, ENG_FATE_REMOVED);
    assert_int_equal(p[2].fate, ENG_FATE_PROTECTED);
    assert_int_equal(p[3].fate, ENG_FATE_PROTECTED);
}

static void one_point_whose_vm_is_there_keeps_all_of_its_name(void **state)
{
    struct eng_fated p[] = { point("web1", 90), point("web1", 80) };

    (void)state;
    p[0].there = true; /* known by its UUID */
    decide(p, 2);
    assert_int_equal(p[1].fate, ENG_FATE_STAYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_points_of_a_vm_that_is_gone_for_long_go),
        cmocka_unit_test(the_newest_point_says_since_when_it_is_gone),
        cmocka_unit_test(a_point_of_the_future_keeps_the_others),
        cmocka_unit_test(points_of_other_jobs_stay_and_count),
        cmocka_unit_test(locked_and_protected_points_stay),
        cmocka_unit_test(one_point_whose_vm_is_there_keeps_all_of_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

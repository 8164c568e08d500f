// SPDX-License-Identifier: Apache-2.0
/* What the record of a run means for what comes after it. */
#include "engine/run/job_past.h"
#include "tests/unit/must.h"

static const struct eng_schedule_retry retry = { .times = 3, .wait_s = 600 };

static struct eng_schedule_past past_of(const struct eng_run_record *r)
{
    struct eng_schedule_past past;

    eng_job_past(r, 0, &retry, &past);
    return past;
}

static void what_failed_or_was_stopped_is_left(void **state)
{
    struct eng_vm_record vms[] = { { .status = ENG_STATUS_SUCCESS },
                                   { .status = ENG_STATUS_WARNING } };
    struct eng_run_record r = { .status = ENG_STATUS_WARNING,
                                .vms = vms,
                                .n_vms = 2 };

    (void)state;
    assert_false(eng_job_is_left(&r));
    vms[1].status = ENG_STATUS_FAILED;
    assert_true(eng_job_is_left(&r));
    vms[1].status = ENG_STATUS_STOPPED;
    assert_true(eng_job_is_left(&r));
}

static void a_run_that_failed_before_it_knew_its_vms_leaves_all(void **state)
{
    struct eng_run_record r = { .status = ENG_STATUS_FAILED };

    (void)state;
    assert_true(eng_job_is_left(&r));
    r.status = ENG_STATUS_STOPPED;
    assert_false(eng_job_is_left(&r));
}

static void a_warning_that_is_a_vms_failure_has_failed(void **state)
{
    struct eng_vm_record vms[] = { { .status = ENG_STATUS_SUCCESS },
                                   { .status = ENG_STATUS_FAILED } };
    struct eng_run_record r = { .why = ENG_WHY_SCHEDULE,
                                .status = ENG_STATUS_WARNING,
                                .tries = 2,
                                .vms = vms,
                                .n_vms = 2 };

    (void)state;
    assert_int_equal(past_of(&r).result, ENG_SCHEDULE_FAILED);
    assert_int_equal(past_of(&r).retries, 1);
    r.status = ENG_STATUS_STOPPED;
    assert_int_equal(past_of(&r).result, ENG_SCHEDULE_STOPPED);
    r.status = ENG_STATUS_WARNING;
    vms[1].status = ENG_STATUS_WARNING;
    assert_int_equal(past_of(&r).result, ENG_SCHEDULE_DONE);
}

static void what_somebody_began_has_no_retries_left(void **state)
{
    struct eng_run_record r = { .why = ENG_WHY_ASKED,
                                .status = ENG_STATUS_FAILED,
                                .started = 1000,
                                .tries = 1 };
    struct eng_schedule_past past;

    (void)state;
    assert_int_equal(past_of(&r).retries, retry.times);
    r.why = ENG_WHY_SCHEDULE;
    assert_int_equal(past_of(&r).retries, 0);
    eng_job_past(&r, 1001, &retry, &past); /* under another schedule */
    assert_int_equal(past.retries, retry.times);
}

static void the_newest_try_began_with_its_first_vm(void **state)
{
    struct eng_vm_record vms[] = { { .tried = 1, .started = 1000 },
                                   { .tried = 2, .started = 2010 },
                                   { .tried = 2, .started = 2000 },
                                   { .tried = 2 } };
    struct eng_run_record r = { .status = ENG_STATUS_RUNNING,
                                .started = 1000,
                                .tries = 2,
                                .vms = vms,
                                .n_vms = 4 };

    (void)state;
    assert_int_equal(past_of(&r).start, 2000);
    assert_true(past_of(&r).running);
}

/* Else it would have begun in 1970: outside of every window, and before every
 * moment. */
static void a_try_that_came_to_no_vm_began_with_the_run_at_least(void **state)
{
    struct eng_vm_record vms[] = { { .tried = 1, .started = 1000 },
                                   { .tried = 2 } };
    struct eng_run_record r = { .status = ENG_STATUS_FAILED,
                                .started = 990,
                                .tries = 2,
                                .vms = vms,
                                .n_vms = 2 };

    (void)state;
    assert_int_equal(past_of(&r).start, 990);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_failed_or_was_stopped_is_left),
        cmocka_unit_test(a_run_that_failed_before_it_knew_its_vms_leaves_all),
        cmocka_unit_test(a_warning_that_is_a_vms_failure_has_failed),
        cmocka_unit_test(what_somebody_began_has_no_retries_left),
        cmocka_unit_test(the_newest_try_began_with_its_first_vm),
        cmocka_unit_test(a_try_that_came_to_no_vm_began_with_the_run_at_least),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

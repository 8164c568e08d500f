// SPDX-License-Identifier: Apache-2.0
/* Whether the next point is a full, by days, the chain's full and the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/utc.h"
#include "engine/job/job.h"
#include "tests/unit/must.h"

static int64_t when(const char *iso)
{
    int64_t t = 0;

    if (!utc_parse_iso(iso, &t))
        fail_msg("%s is no time", iso);
    return t;
}

struct due {
    const char *days, *zone, *chain, *now;
    bool due;
};

/* Days by the calendar of 2026: 1 January is a Thursday, 29 March and 25
 * October are the days on which Berlin's clock is changed; New York's are 8
 * March and 1 November. */
static const struct due cases[] = {
    /* Friday's chain: Saturday is due once, until its full is there. */
    { "sat", "UTC", "2026-01-02T22:00:00Z", "2026-01-02T23:59:59Z", false },
    { "sat", "UTC", "2026-01-02T22:00:00Z", "2026-01-03T00:00:00Z", true },
    { "sat", "UTC", "2026-01-03T00:00:00Z", "2026-01-03T23:59:59Z", false },
    { "sat", "UTC", "2026-01-03T22:00:00Z", "2026-01-09T22:00:00Z", false },
    { "sat", "UTC", "2026-01-03T22:00:00Z", "2026-01-10T22:00:00Z", true },
    /* Missed on Saturday: the next run makes up for it, and is enough. */
    { "sat", "UTC", "2026-01-02T22:00:00Z", "2026-01-05T22:00:00Z", true },
    { "sat", "UTC", "2026-01-05T22:00:00Z", "2026-01-06T22:00:00Z", false },
    { "sat", "UTC", "2026-01-05T22:00:00Z", "2026-01-10T01:00:00Z", true },
    /* Two of a week, each its own. */
    { "sat,sun", "UTC", "2026-01-03T22:00:00Z", "2026-01-04T22:00:00Z", true },
    { "sat,sun", "UTC", "2026-01-04T22:00:00Z", "2026-01-09T22:00:00Z", false },
    { "weekdays", "UTC", "2026-01-02T22:00:00Z", "2026-01-04T22:00:00Z",
      false },
    { "weekdays", "UTC", "2026-01-02T22:00:00Z", "2026-01-05T00:00:00Z", true },
    { "fri-mon", "UTC", "2026-01-05T22:00:00Z", "2026-01-08T22:00:00Z", false },
    /* No point yet, and a clock that went back: nothing. */
    { "sat", "UTC", NULL, "2026-01-03T12:00:00Z", false },
    { "sat", "UTC", "2026-01-20T22:00:00Z", "2026-01-03T12:00:00Z", false },
    /* Years without a run are looked at to an end. */
    { "sat", "UTC", "1980-01-02T22:00:00Z", "2026-01-07T12:00:00Z", true },
    { "monthly day 29 in feb", "UTC", "1980-01-02T00:00:00Z",
      "2026-01-07T12:00:00Z", true },
    /* Month ends. */
    { "monthly last day", "UTC", "2026-01-31T10:00:00Z", "2026-02-27T23:00:00Z",
      false },
    { "monthly last day", "UTC", "2026-01-31T10:00:00Z", "2026-02-28T00:00:00Z",
      true },
    { "monthly last day", "UTC", "2028-01-31T10:00:00Z", "2028-02-28T23:00:00Z",
      false },
    { "monthly last day", "UTC", "2028-01-31T10:00:00Z", "2028-02-29T00:00:00Z",
      true },
    { "monthly day 31", "UTC", "2026-03-31T10:00:00Z", "2026-05-30T23:00:00Z",
      false },
    { "monthly day 31", "UTC", "2026-03-31T10:00:00Z", "2026-05-31T00:00:00Z",
      true },
    { "monthly last sun", "UTC", "2026-01-25T01:00:00Z", "2026-02-21T23:00:00Z",
      false },
    { "monthly last sun", "UTC", "2026-01-25T01:00:00Z", "2026-02-22T01:00:00Z",
      true },
    { "monthly last sun in jan,jul", "UTC", "2026-01-25T01:00:00Z",
      "2026-07-25T01:00:00Z", false },
    { "monthly last sun in jan,jul", "UTC", "2026-01-25T01:00:00Z",
      "2026-07-26T01:00:00Z", true },
    { "monthly first mon", "UTC", "2026-05-31T22:00:00Z",
      "2026-06-01T00:00:00Z", true },
    { "monthly day 29 in feb", "UTC", "2024-02-29T22:00:00Z",
      "2028-02-28T22:00:00Z", false },
    { "monthly day 29 in feb", "UTC", "2024-02-29T22:00:00Z",
      "2028-02-29T00:00:00Z", true },
    { "monthly day 1 in jan", "UTC", "2025-12-31T23:59:59Z",
      "2026-01-01T00:00:00Z", true },
    /* Days are the zone's: 23:00 UTC on Friday is Saturday in Berlin. */
    { "sat", "Europe/Berlin", "2026-01-02T20:00:00Z", "2026-01-02T22:59:59Z",
      false },
    { "sat", "Europe/Berlin", "2026-01-02T20:00:00Z", "2026-01-02T23:00:00Z",
      true },
    { "sat", "Europe/Berlin", "2026-01-02T23:00:00Z", "2026-01-03T22:59:59Z",
      false },
    { "sat", "Asia/Tokyo", "2026-01-02T14:00:00Z", "2026-01-02T15:00:00Z",
      true },
    { "sat", "America/New_York", "2026-01-03T04:59:59Z", "2026-01-03T05:00:00Z",
      true },
    /* The day that has 23 hours, and the one that has 25. */
    { "sun", "Europe/Berlin", "2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z",
      true },
    { "mon", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z",
      false },
    { "mon", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z",
      true },
    { "sun", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z",
      false },
    { "mon", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z",
      false },
    { "mon", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z",
      true },
    { "sun", "America/New_York", "2026-10-31T23:00:00Z", "2026-11-01T04:00:00Z",
      true },
    { "sun", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59Z",
      false },
};

static void days_make_a_full_due_once_and_are_made_up_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct due *c = &cases[i];
        bool due = !c->due;
        must(eng_job_full_due(c->days, c->zone,
                              c->chain != NULL ? when(c->chain) : 0,
                              when(c->now), &due, why));
        if (due != c->due)
            fail_msg("%s %s: chain %s, now %s: %s", c->days, c->zone,
                     c->chain != NULL ? c->chain : "none", c->now,
                     due ? "due" : "not due");
    }
}

static void what_is_no_day_is_refused(void **state)
{
    static const char *const texts[][2] = {
        { "", "the schedule ends too early; write a weekday next" },
        { "daily", "the nearest known word is \"" },
        { "sat 22:00", "the schedule has \"22:00\" in the wrong place; write "
                       "nothing there" },
        { "sat,", "the schedule ends too early; write a weekday next" },
        { "monthly", "the schedule ends too early" },
        { "monthly last", "the schedule ends too early; write a weekday next" },
        { "monthly last sun 03:00", "the schedule has \"03:00\" in the wrong" },
        { "monthly day 31 in feb", "no month of the schedule has a day 31" },
        { "monthly day 32", "the schedule has \"32\" in the wrong place" },
        { "monthly last sun in", "the schedule ends too early; write a month" },
        { "monthly fist sun", "the nearest known word is \"first\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bool due = true;
        struct err e = { 0 };
        assert_int_equal(eng_job_full_due(texts[i][0], "UTC", 1, 2, &due, &e),
                         -1);
        assert_int_equal(e.kind, ERR_USAGE);
        assert_false(due);
        if (strstr(e.msg, texts[i][1]) == NULL)
            fail_msg("%s: %s", texts[i][0], e.msg);
    }
    bool due = true;
    struct err e = { 0 };
    assert_int_equal(eng_job_full_due("sat", "No/Zone", 1, 2, &due, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
}

/* Each day of eight years, asked once: a run a day makes a full on exactly the
 * days that the rule names. */
static void a_run_a_day_makes_a_full_on_each_of_the_days(void **state)
{
    int64_t day = when("2020-01-01T12:00:00Z") / 86400;
    int64_t chain = day * 86400;
    int fulls = 0;

    (void)state;
    for (int i = 1; i <= 366 * 8; i++) {
        bool due = false;
        int64_t now = (day + i) * 86400 + 3600;
        must(eng_job_full_due("monthly second tue in mar,sep,nov", "UTC", chain,
                              now, &due, why));
        if (due) {
            fulls++;
            chain = now;
        }
    }
    assert_int_equal(fulls, 3 * 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_make_a_full_due_once_and_are_made_up_for),
        cmocka_unit_test(what_is_no_day_is_refused),
        cmocka_unit_test(a_run_a_day_makes_a_full_on_each_of_the_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

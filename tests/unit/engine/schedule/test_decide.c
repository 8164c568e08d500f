// SPDX-License-Identifier: Apache-2.0
/* What the daemon does now, worked out by hand. */
#include "base/utc.h"
#include "engine/schedule/schedule.h"
#include "tests/unit/engine/calendar/when.h"
#include "tests/unit/must.h"

#define DONE ENG_SCHEDULE_DONE
#define FAILED ENG_SCHEDULE_FAILED
#define STOPPED ENG_SCHEDULE_STOPPED

static const char *const acts[] = { "wait", "run", "again", "stop" };

/* Times without a date are of 6 January 2026, a Tuesday; NULL: none.  want: the
 * act, and until when it waits; "run late": the moment was missed. */
struct row {
    const char *text, *now;
    const char *start, *end;
    enum eng_schedule_result result;
    int retries;
    const char *want, *at;
};

static int64_t time_of(const char *text)
{
    char iso[UTC_ISO_CHARS];

    if (text == NULL)
        return 0;
    if (strcmp(text, "never") == 0)
        return ENG_SCHEDULE_NEVER;
    if (strlen(text) == 5)
        snprintf(iso, sizeof(iso), "2026-01-06T%sZ", "00:00:00");
    else
        snprintf(iso, sizeof(iso), "2026-%s:00Z", text);
    if (strlen(text) == 5)
        memcpy(iso + 11, text, 5);
    return when(iso);
}

static struct eng_schedule_decision
decide(const char *text, const struct eng_schedule_past *past, int64_t now)
{
    struct eng_schedule s;
    struct eng_schedule_decision d;
    struct eng_schedule_retry retry = ENG_SCHEDULE_RETRY;

    must(eng_schedule_parse(text, &s, why));
    must(eng_schedule_decide(&s, "UTC", past, &retry, now, &d, why));
    return d;
}

static void is(const struct eng_schedule_decision *d, const char *want,
               const char *at, const char *what)
{
    char act[16];

    snprintf(act, sizeof(act), "%s%s", acts[d->act], d->missed ? " late" : "");
    if (strcmp(act, want) != 0)
        fail_msg("%s: %s, not %s", what, act, want);
    if (d->at != time_of(at))
        fail_msg("%s: at %lld, not %s", what, (long long)d->at, at);
}

/* The schedule holds since the beginning of the year. */
static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        struct eng_schedule_past past = { .since = when("2026-01-01"),
                                          .start = time_of(r->start),
                                          .end = time_of(r->end),
                                          .result = r->result,
                                          .retries = r->retries };
        char what[128];
        snprintf(what, sizeof(what), "row %zu: %s, now %s", i, r->text, r->now);
        struct eng_schedule_decision d =
            decide(r->text, &past, time_of(r->now));
        is(&d, r->want, r->at, what);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

static void a_run_begins_at_its_moment(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "daily 22:00", "21:59", "01-05T22:00", "01-05T23:00", DONE, 0, "wait",
          "22:00" },
        { "daily 22:00", "22:00", "01-05T22:00", "01-05T23:00", DONE, 0, "run",
          "22:00" },
        { "daily 22:00", "22:05", "01-05T22:00", "01-05T23:00", DONE, 0, "run",
          "22:00" },
        { "daily 22:00", "22:30", "22:00", "22:30", DONE, 0, "wait",
          "01-07T22:00" },
        { "daily 22:00 weekdays", "01-09T23:00", "01-09T22:00", "01-09T22:30",
          DONE, 0, "wait", "01-12T22:00" },
        { "monthly last day 03:00", "12:00", "01-01T12:00", "01-01T13:00", DONE,
          0, "wait", "01-31T03:00" },
        /* by hand before its time: the schedule's run takes place */
        { "daily 22:00", "22:00", "21:00", "21:30", DONE, 0, "run", "22:00" },
    };
    CHECK(rows);
}

/* Only manual ones and those of other jobs never begin by themselves. */
static void without_a_schedule_nothing_runs(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "manual", "12:00", NULL, NULL, DONE, 0, "wait", "never" },
        { "manual", "12:00", "01-05T12:00", "01-05T13:00", DONE, 0, "wait",
          "never" },
        { "manual", "13:30", "12:00", "13:00", FAILED, 0, "wait", "never" },
        { "after x", "12:00", NULL, NULL, DONE, 0, "wait", "never" },
    };
    CHECK(rows);
}

static void a_machine_that_slept_for_three_days_runs_once(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "daily 22:00", "08:00", "01-02T22:00", "01-02T23:00", DONE, 0,
          "run late", "01-03T22:00" },
        { "daily 22:00", "09:00", "08:00", "09:00", DONE, 0, "wait", "22:00" },
        { "every 15m", "08:07", "01-03T08:00", "01-03T08:01", DONE, 0,
          "run late", "01-03T08:15" },
        { "every 15m", "08:09", "08:07", "08:09", DONE, 0, "wait", "08:15" },
        /* into the window that is open, and not into one that is not */
        { "daily 22:00 between 22:00-06:00", "05:00", "01-02T22:00",
          "01-02T23:00", DONE, 0, "run late", "01-03T22:00" },
        { "daily 22:00 between 22:00-06:00", "08:00", "01-02T22:00",
          "01-02T23:00", DONE, 0, "wait", "22:00" },
        { "daily 22:00 between 20:00-06:00", "08:00", "01-02T22:00",
          "01-02T23:00", DONE, 0, "wait", "20:00" },
        { "daily 22:00 between 20:00-06:00", "20:00", "01-02T22:00",
          "01-02T23:00", DONE, 0, "run late", "01-03T22:00" },
        /* the run under way was the one that took so long */
        { "every 1h", "12:40", "10:00", "12:40", DONE, 0, "run late", "11:00" },
    };
    CHECK(rows);
}

static void missed_runs_may_be_left_out(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "daily 22:00 missed skip", "08:00", "01-02T22:00", "01-02T23:00",
          DONE, 0, "wait", "22:00" },
        { "every 15m missed skip", "08:07", "01-03T08:00", "01-03T08:01", DONE,
          0, "wait", "08:15" },
        /* five minutes are no delay; of several moments the last counts */
        { "every 15m missed skip", "08:05", "01-03T08:00", "01-03T08:01", DONE,
          0, "run late", "08:00" },
        { "daily 22:00 missed skip", "22:05", "01-05T22:00", "01-05T23:00",
          DONE, 0, "run", "22:00" },
        { "daily 22:00 missed skip", "22:06", "01-05T22:00", "01-05T23:00",
          DONE, 0, "wait", "01-07T22:00" },
        { "daily 22:00 between 21:00-22:02 missed skip", "22:03", "01-05T22:00",
          "01-05T22:01", DONE, 0, "wait", "01-07T22:00" },
        { "daily 12:00 between 22:00-06:00 missed skip", "12:00", "01-05T22:00",
          "01-05T22:01", DONE, 0, "wait", "22:00" },
    };
    CHECK(rows);
}

static void what_failed_is_tried_three_times_after_ten_minutes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "daily 22:00", "22:31", "22:00", "22:30", FAILED, 0, "wait",
          "22:40" },
        { "daily 22:00", "22:40", "22:00", "22:30", FAILED, 0, "again",
          "22:40" },
        { "daily 22:00", "22:55", "22:40", "22:45", FAILED, 1, "again",
          "22:55" },
        { "daily 22:00", "23:10", "22:55", "23:00", FAILED, 2, "again",
          "23:10" },
        { "daily 22:00", "23:30", "23:10", "23:15", FAILED, 3, "wait",
          "01-07T22:00" },
        { "daily 22:00", "22:40", "22:00", "22:30", DONE, 0, "wait",
          "01-07T22:00" },
        { "daily 22:00", "22:40", "22:00", "22:30", STOPPED, 0, "wait",
          "01-07T22:00" },
    };
    CHECK(rows);
}

/* The next run does what has failed as well. */
static void a_run_that_is_due_takes_the_place_of_a_retry(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "every 1h", "22:56", "22:00", "22:55", FAILED, 0, "wait", "23:00" },
        { "every 1h", "23:00", "22:00", "22:55", FAILED, 0, "run", "23:00" },
        { "every 1h", "22:50", "22:00", "22:50", FAILED, 0, "wait", "23:00" },
        { "every 1h", "22:59", "22:00", "22:49", FAILED, 0, "again", "22:59" },
        /* asleep meanwhile */
        { "daily 22:00", "08:00", "01-02T22:00", "01-02T22:30", FAILED, 0,
          "run late", "01-03T22:00" },
        { "daily 22:00 missed skip", "08:00", "01-02T22:00", "01-02T22:30",
          FAILED, 0, "wait", "22:00" },
        { "daily 22:00 missed skip", "08:00", "01-05T22:00", "01-05T22:30",
          FAILED, 0, "again", "01-05T22:40" },
    };
    CHECK(rows);
}

static void a_retry_waits_for_its_window(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "monthly day 5 22:00 between 22:00-06:00", "05:56", "01-05T22:00",
          "05:55", FAILED, 0, "wait", "22:00" },
        { "monthly day 5 22:00 between 22:00-06:00", "22:00", "01-05T22:00",
          "05:55", FAILED, 0, "again", "22:00" },
        { "daily 22:00 between 22:00-06:00", "22:00", "01-05T22:00", "05:55",
          FAILED, 0, "run", "22:00" },
    };
    CHECK(rows);
}

static void a_clock_that_is_set_back_neither_stops_nor_repeats(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* by up to an hour: what ran does not run again */
        { "daily 22:00", "21:59", "22:00", "22:01", DONE, 0, "wait",
          "01-07T22:00" },
        { "daily 22:00", "21:05", "22:00", "22:01", DONE, 0, "wait",
          "01-07T22:00" },
        { "every 15m", "21:31", "22:00", "22:01", DONE, 0, "wait", "22:15" },
        /* by more: the last run was noted by a clock that was wrong */
        { "daily 22:00", "20:00", "22:00", "22:01", DONE, 0, "wait", "22:00" },
        { "daily 22:00", "22:00", "03-01T22:00", "03-01T23:00", DONE, 0, "run",
          "22:00" },
        { "daily 22:00", "22:06", "03-01T22:00", "03-01T23:00", DONE, 0, "wait",
          "01-07T22:00" },
        { "every 15m", "20:01", "03-01T22:00", "03-01T23:00", DONE, 0, "run",
          "20:00" },
        { "every 15m", "20:10", "03-01T22:00", "03-01T23:00", DONE, 0, "wait",
          "20:15" },
        { "daily 22:00", "12:00", "03-01T22:00", "03-01T23:00", FAILED, 0,
          "again", "12:00" },
    };
    CHECK(rows);
    struct eng_schedule_past past = { .since = when("2026-01-01"),
                                      .start = time_of("03-01T22:00"),
                                      .end = time_of("03-01T23:00") };
    assert_int_equal(decide("continuously", &past, time_of("12:00")).act,
                     ENG_SCHEDULE_RUN);
}

static void what_runs_continuously_pauses_after_a_failure(void **state)
{
    (void)state;
    struct eng_schedule_past past = { .since = when("2026-01-01"),
                                      .start = time_of("12:00"),
                                      .end = time_of("12:10") };
    static const char text[] = "continuously between 06:00-18:00";

    struct eng_schedule_decision d = decide(text, &past, past.end);
    assert_int_equal(d.act, ENG_SCHEDULE_WAIT);
    assert_true(d.at == past.end + 1);
    d = decide(text, &past, past.end + 1);
    assert_int_equal(d.act, ENG_SCHEDULE_RUN);
    assert_false(decide(text, &past, past.end + 7200).missed);

    past.result = ENG_SCHEDULE_FAILED;
    d = decide(text, &past, past.end + 1);
    is(&d, "wait", "12:20", "failed");
    d = decide(text, &past, time_of("12:20"));
    is(&d, "run", "12:20", "failed");

    past.end = time_of("17:55");
    d = decide(text, &past, past.end + 1);
    is(&d, "wait", "01-07T06:00", "failed before the window closed");
    past = (struct eng_schedule_past){ .since = time_of("12:00") };
    d = decide("continuously", &past, time_of("12:01"));
    assert_int_equal(d.act, ENG_SCHEDULE_RUN);
}

/* Of another job: when its last run ended, and when this one began. */
static void a_job_follows_another(void **state)
{
    (void)state;
    static const struct {
        const char *text, *now, *other, *start, *want, *at;
    } rows[] = {
        { "after x", "12:00", "12:00", NULL, "run", "12:00" },
        { "after x", "12:00", "12:00", "01-05T12:00", "run", "12:00" },
        { "after x", "12:30", "12:00", "12:00", "wait", "never" },
        { "after x", "12:30", "12:00", "12:10", "wait", "never" },
        /* the daemon was away */
        { "after x", "12:30", "12:00", NULL, "run late", "12:00" },
        { "after x missed skip", "12:30", "12:00", NULL, "wait", "never" },
        { "after x missed skip", "12:05", "12:00", NULL, "run", "12:00" },
        { "after x missed skip", "12:06", "12:00", NULL, "wait", "never" },
        /* before the schedule held */
        { "after x", "12:00", "01-01T11:59", NULL, "wait", "never" },
        { "after x between 22:00-06:00", "12:00", "12:00", NULL, "wait",
          "22:00" },
        { "after x between 22:00-06:00", "22:00", "12:00", NULL, "run",
          "22:00" },
        { "after x between 22:00-06:00", "05:00", "01-05T12:00", NULL,
          "run late", "01-05T22:00" },
        /* by clocks that were wrong */
        { "after x", "12:00", "03-01T12:00", NULL, "wait", "never" },
        { "after x", "12:00", "12:00", "03-01T12:00", "run", "12:00" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct eng_schedule_past past = { .since = when("2026-01-01"),
                                          .start = time_of(rows[i].start),
                                          .end = time_of(rows[i].start),
                                          .other_end = time_of(rows[i].other) };
        char what[64];
        snprintf(what, sizeof(what), "row %zu", i);
        struct eng_schedule_decision d =
            decide(rows[i].text, &past, time_of(rows[i].now));
        is(&d, rows[i].want, rows[i].at, what);
    }
}

static void a_run_ends_with_its_window(void **state)
{
    (void)state;
    static const struct {
        const char *text, *now, *start, *want, *at;
    } rows[] = {
        { "daily 22:00", "22:30", "22:00", "wait", "never" },
        { "daily 22:00 between 22:00-06:00", "05:00", "01-05T22:00", "wait",
          "never" },
        { "daily 22:00 between 22:00-06:00 terminate", "05:59", "01-05T22:00",
          "wait", "06:00" },
        { "daily 22:00 between 22:00-06:00 terminate", "06:00", "01-05T22:00",
          "stop", "06:00" },
        /* asleep over the end, and until the next window */
        { "daily 22:00 between 22:00-06:00 terminate", "23:00", "01-05T22:00",
          "stop", "06:00" },
        /* by hand, outside of its window */
        { "daily 22:00 between 22:00-06:00 terminate", "13:00", "12:00", "wait",
          "never" },
        { "manual", "13:00", "12:00", "wait", "never" },
        /* the clock was set back while it ran */
        { "daily 22:00 between 22:00-06:00 terminate", "05:00", "03-01T22:00",
          "wait", "06:00" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct eng_schedule_past past = { .since = when("2026-01-01"),
                                          .start = time_of(rows[i].start),
                                          .running = true };
        char what[64];
        snprintf(what, sizeof(what), "row %zu", i);
        struct eng_schedule_decision d =
            decide(rows[i].text, &past, time_of(rows[i].now));
        is(&d, rows[i].want, rows[i].at, what);
    }
}

static void a_schedule_misses_nothing_from_before_it_held(void **state)
{
    (void)state;
    struct eng_schedule_past past = { .since = time_of("12:00") };

    struct eng_schedule_decision d =
        decide("daily 10:00", &past, time_of("12:01"));
    is(&d, "wait", "01-07T10:00", "new");
    /* changed after a run */
    past.start = time_of("09:00");
    past.end = time_of("09:30");
    d = decide("daily 10:00", &past, time_of("12:01"));
    is(&d, "wait", "01-07T10:00", "changed");
    /* by a clock that was wrong */
    past = (struct eng_schedule_past){ .since = time_of("03-01T00:00") };
    d = decide("daily 10:00", &past, time_of("12:01"));
    is(&d, "wait", "01-07T10:00", "wrong clock");
}

static void only_what_failed_is_not_over(void **state)
{
    (void)state;
    struct eng_schedule_retry retry = ENG_SCHEDULE_RETRY;
    struct eng_schedule_past past = { .start = 1,
                                      .end = 2,
                                      .result = ENG_SCHEDULE_FAILED };
    struct eng_schedule s;

    must(eng_schedule_parse("daily 22:00", &s, why));
    assert_true(eng_schedule_tries_again(&s, &past, &retry));
    past.retries = 3;
    assert_false(eng_schedule_tries_again(&s, &past, &retry));
    past.retries = 0;
    past.running = true;
    assert_false(eng_schedule_tries_again(&s, &past, &retry));
    past.running = false;
    past.result = ENG_SCHEDULE_STOPPED;
    assert_false(eng_schedule_tries_again(&s, &past, &retry));
    past.result = ENG_SCHEDULE_FAILED;
    must(eng_schedule_parse("continuously", &s, why));
    assert_false(eng_schedule_tries_again(&s, &past, &retry));
}

static void a_zone_that_is_not_there_decides_nothing(void **state)
{
    (void)state;
    struct eng_schedule_retry retry = ENG_SCHEDULE_RETRY;
    struct eng_schedule_past past = { .since = 1 };
    struct eng_schedule_decision d;
    struct eng_schedule s;
    struct err e = { 0 };

    must(eng_schedule_parse("daily 22:00", &s, why));
    assert_int_equal(
        eng_schedule_decide(&s, "Europe/Atlantis", &past, &retry, 1000, &d, &e),
        -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(d.act, ENG_SCHEDULE_WAIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_begins_at_its_moment),
        cmocka_unit_test(without_a_schedule_nothing_runs),
        cmocka_unit_test(a_machine_that_slept_for_three_days_runs_once),
        cmocka_unit_test(missed_runs_may_be_left_out),
        cmocka_unit_test(what_failed_is_tried_three_times_after_ten_minutes),
        cmocka_unit_test(a_run_that_is_due_takes_the_place_of_a_retry),
        cmocka_unit_test(a_retry_waits_for_its_window),
        cmocka_unit_test(a_clock_that_is_set_back_neither_stops_nor_repeats),
        cmocka_unit_test(what_runs_continuously_pauses_after_a_failure),
        cmocka_unit_test(a_job_follows_another),
        cmocka_unit_test(a_run_ends_with_its_window),
        cmocka_unit_test(a_schedule_misses_nothing_from_before_it_held),
        cmocka_unit_test(only_what_failed_is_not_over),
        cmocka_unit_test(a_zone_that_is_not_there_decides_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

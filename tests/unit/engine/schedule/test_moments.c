// SPDX-License-Identifier: Apache-2.0
/* When runs begin and windows end: the cases of cases.txt, and what holds for
 * every schedule. */
#include "engine/schedule/schedule.h"
#include "tests/unit/engine/calendar/when.h"
#include "tests/unit/must.h"

#define LINE_CHARS 1024

static struct eng_schedule parsed(const char *text)
{
    struct eng_schedule s;
    struct err e = { 0 };

    if (eng_schedule_parse(text, &s, &e) < 0)
        fail_msg("\"%s\": %s", text, e.msg);
    return s;
}

static int64_t next(const char *text, const char *zone, int64_t after)
{
    struct eng_schedule s = parsed(text);
    int64_t t = 0;

    must(eng_schedule_next(&s, zone, after, &t, why));
    return t;
}

static int64_t end(const char *text, const char *zone, int64_t start)
{
    struct eng_schedule s = parsed(text);
    int64_t t = 0;

    must(eng_schedule_end(&s, zone, start, &t, why));
    return t;
}

/* "never" or a time. */
static void is_moment(int64_t got, const char *want, const char *what)
{
    if (strcmp(want, "never") != 0)
        same_time(got, want, what);
    else if (got != ENG_SCHEDULE_NEVER)
        fail_msg("%s: %lld, not never", what, (long long)got);
}

/* "next ZONE AFTER; SCHEDULE; MOMENT MOMENT ..." */
static void check_case(char *line)
{
    char kind[8];
    char zone[64];
    char at[UTC_ISO_CHARS];
    char what[LINE_CHARS];
    char *save = NULL;

    snprintf(what, sizeof(what), "%s", line);
    if (sscanf(line, "%7s %63s %20[^;]", kind, zone, at) != 3)
        fail_msg("%s: no case", line);
    int64_t t = when(at);
    assert_non_null(strtok_r(line, ";", &save));
    const char *text = strtok_r(NULL, ";", &save);
    char *moment = strtok_r(NULL, " \n", &save);
    assert_non_null(moment);
    if (strcmp(kind, "end") == 0) {
        is_moment(end(text, zone, t), moment, what);
        return;
    }
    for (; moment != NULL; moment = strtok_r(NULL, " \n", &save)) {
        t = next(text, zone, t);
        is_moment(t, moment, what);
    }
}

static void every_case_has_its_moments(void **state)
{
    (void)state;
    FILE *f = fopen(CASES, "r");
    char line[LINE_CHARS];
    size_t n = 0;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL)
        if (line[0] != '#' && line[0] != '\n') {
            check_case(line);
            n++;
        }
    fclose(f);
    if (n < 90)
        fail_msg("only %zu cases", n);
}

/* Schedules of every kind, for what holds for all of them. */
static const char *const samples[] = {
    "daily 02:30",
    "daily 00:00 weekdays",
    "daily 23:59 sun between 22:00-02:30 terminate",
    "monthly last sun 02:30",
    "monthly day 31 00:00 in jan,mar",
    "monthly first mon 12:00 allowed weekdays 01-03, sat 22-24",
    "every 7h offset 30m",
    "every 20m between 02:00-03:00",
    "every 24h allowed sun 02-03",
    "continuously allowed sat 10-12",
    "continuously",
};
#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static const char *const zones[] = { "UTC",
                                     "Europe/Berlin",
                                     "America/New_York",
                                     "Australia/Lord_Howe",
                                     "Asia/Kathmandu",
                                     "Africa/Cairo",
                                     "America/Havana",
                                     "Pacific/Apia" };
#define N_ZONES (sizeof(zones) / sizeof(zones[0]))

/* Asked at ever other moments of eighteen years, and around what it answers:
 * the answer lies behind, is the same from each moment before it, and never
 * goes back. */
static void the_next_run_is_the_first_after_a_moment(void **state)
{
    (void)state;
    int64_t from = when("2010-01-01");
    int64_t until = when("2028-01-01");

    for (size_t i = 0; i < N_SAMPLES * N_ZONES; i++) {
        const char *text = samples[i % N_SAMPLES];
        const char *zone = zones[i / N_SAMPLES];
        struct eng_schedule s = parsed(text);
        int64_t before = 0;
        for (int64_t t = from; t < until; t += 3217 * 1009) {
            int64_t a = 0;
            int64_t same = 0;
            must(eng_schedule_next(&s, zone, t, &a, why));
            if (a <= t || a < before)
                fail_msg("%s in %s after %lld: %lld", text, zone, (long long)t,
                         (long long)a);
            before = a;
            must(eng_schedule_next(&s, zone, a - 1, &same, why));
            if (same != a)
                fail_msg("%s in %s after %lld: %lld, not %lld", text, zone,
                         (long long)a - 1, (long long)same, (long long)a);
            must(eng_schedule_next(&s, zone, t + (a - t) / 2, &same, why));
            if (t + (a - t) / 2 < a && same != a)
                fail_msg("%s in %s: %lld is forgotten", text, zone,
                         (long long)a);
        }
    }
}

/* A run that begins by its schedule begins inside of its window. */
static void runs_begin_where_they_may_go_on(void **state)
{
    (void)state;
    static const char *const windowed[] = {
        "daily 12:00 between 22:00-02:30 terminate",
        "every 20m between 02:00-03:00 terminate",
        "every 5h allowed weekdays 01-03, sat 22-24 terminate",
    };

    for (size_t i = 0; i < 3 * N_ZONES; i++) {
        struct eng_schedule s = parsed(windowed[i % 3]);
        const char *zone = zones[i / 3];
        int64_t t = when("2026-01-01");
        for (int n = 0; n < 300; n++) {
            int64_t until = 0;
            must(eng_schedule_next(&s, zone, t, &t, why));
            must(eng_schedule_end(&s, zone, t, &until, why));
            if (until <= t || until > t + 86400)
                fail_msg("%s in %s: from %lld until %lld", windowed[i % 3],
                         zone, (long long)t, (long long)until);
        }
    }
}

static void what_nothing_begins_is_never(void **state)
{
    (void)state;
    int64_t now = when("2026-01-01");

    assert_true(next("manual", "UTC", now) == ENG_SCHEDULE_NEVER);
    assert_true(next("after nightly", "UTC", now) == ENG_SCHEDULE_NEVER);
    assert_true(next("after nightly between 22:00-06:00", "UTC", now) ==
                ENG_SCHEDULE_NEVER);
}

/* Times end with the year 9999, and begin with 1970. */
static void moments_lie_within_the_calendar(void **state)
{
    (void)state;

    assert_true(next("daily 00:00", "UTC", UTC_LAST) == ENG_SCHEDULE_NEVER);
    assert_true(next("daily 00:00", "UTC", UTC_LAST - 1) == ENG_SCHEDULE_NEVER);
    assert_true(next("daily 23:59", "UTC", UTC_LAST - 60) == UTC_LAST - 59);
    assert_true(next("every 1m between 00:00-12:00", "UTC", UTC_LAST - 60) ==
                ENG_SCHEDULE_NEVER);
    assert_true(next("monthly day 29 00:00 in feb", "Europe/Berlin",
                     UTC_LAST - 60) == ENG_SCHEDULE_NEVER);
    assert_true(next("daily 00:00", "UTC", INT64_MAX) == ENG_SCHEDULE_NEVER);
    assert_true(next("daily 00:00", "UTC", INT64_MIN) == 0);
    assert_true(next("every 2h", "UTC", -1) == 0);
}

static void a_zone_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct eng_schedule s = parsed("daily 22:00");
    struct err e = { 0 };
    int64_t t = 0;

    assert_int_equal(eng_schedule_next(&s, "Europe/Atlantis", 0, &t, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(eng_schedule_end(&s, "Europe/Atlantis", 0, &t, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_has_its_moments),
        cmocka_unit_test(the_next_run_is_the_first_after_a_moment),
        cmocka_unit_test(runs_begin_where_they_may_go_on),
        cmocka_unit_test(what_nothing_begins_is_never),
        cmocka_unit_test(moments_lie_within_the_calendar),
        cmocka_unit_test(a_zone_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

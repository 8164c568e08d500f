// SPDX-License-Identifier: Apache-2.0
/* Which points get which flags, worked out by hand; and the rules as text. */
#include "engine/retention/gfs.h"
#include "tests/unit/engine/retention/flags.h"

#define POINTS_MAX 12

/* Points in the order in which they are made, each with the flags that it gets
 * in view of those before it. */
struct row {
    const char *what, *rules, *zone;
    struct {
        const char *made, *flags;
    } points[POINTS_MAX];
};

static struct eng_zone *zone_of(const char *name)
{
    struct err e = { 0 };
    struct eng_zone *z = eng_zone_open(name, &e);

    if (z == NULL)
        fail_msg("%s", e.msg);
    return z;
}

static void play(const struct row *r)
{
    struct eng_kept series[POINTS_MAX] = { 0 };
    struct eng_gfs_rules rules;
    struct err e = { 0 };

    if (eng_gfs_parse(r->rules, &rules, &e) < 0)
        fail_msg("%s: %s", r->what, e.msg);
    AUTO_ENG_ZONE struct eng_zone *zone = zone_of(r->zone);
    for (size_t i = 0; i < POINTS_MAX && r->points[i].made != NULL; i++) {
        struct eng_kept *p = &series[i];
        p->time = when(r->points[i].made);
        p->gfs = eng_gfs_flags(&rules, zone, series, i, p->time);
        if (p->gfs != flags_of(r->points[i].flags))
            fail_msg("%s: %s has flags %u, not \"%s\"", r->what,
                     r->points[i].made, p->gfs, r->points[i].flags);
    }
}

static void play_all(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        play(&rows[i]);
}
#define PLAY(rows) play_all(rows, sizeof(rows) / sizeof((rows)[0]))

/* 1 January 2026 is a Thursday: Sundays are 28 December, 4, 11, 18, 25. */
static void a_week_has_one_weekly_point(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "the first of all, then each Sunday",
          "weekly=4",
          "UTC",
          { { "2026-01-01", "W" },
            { "2026-01-02", "" },
            { "2026-01-03", "" },
            { "2026-01-04", "W" },
            { "2026-01-05", "" },
            { "2026-01-11", "W" } } },
        { "a missed Sunday goes to the next point",
          "weekly=4",
          "UTC",
          { { "2026-01-03", "W" },
            { "2026-01-05", "W" },
            { "2026-01-06", "" } } },
        { "weeks without points leave no debt",
          "weekly=4",
          "UTC",
          { { "2026-01-04", "W" },
            { "2026-01-28", "W" },
            { "2026-01-29", "" },
            { "2026-02-01", "W" } } },
        { "several on one Sunday",
          "weekly=4",
          "UTC",
          { { "2026-01-04T00:00:00Z", "W" },
            { "2026-01-04T12:00:00Z", "" },
            { "2026-01-04T23:59:59Z", "" } } },
        { "weeks from Wednesday: 31 December to 6 January, and so on",
          "weekly=4@wed",
          "UTC",
          { { "2026-01-06", "W" },
            { "2026-01-07", "W" },
            { "2026-01-08", "" },
            { "2026-01-13", "" },
            { "2026-01-14", "W" } } },
        { "weeks from Saturday",
          "weekly=4@sat",
          "UTC",
          { { "2026-01-02", "W" },
            { "2026-01-03", "W" },
            { "2026-01-09", "" } } },
        { "a week over the end of the year: Monday 28 December 2026",
          "weekly=4@mon",
          "UTC",
          { { "2026-12-28", "W" },
            { "2026-12-31", "" },
            { "2027-01-01", "" },
            { "2027-01-03", "" },
            { "2027-01-04", "W" } } },
        { "over 29 February 2024, a Thursday",
          "weekly=4",
          "UTC",
          { { "2024-02-25", "W" },
            { "2024-02-29", "" },
            { "2024-03-02", "" },
            { "2024-03-03", "W" } } },
    };
    PLAY(rows);
}

/* Weeks of a month begin on day 1, 8, 15, 22, or are its last seven days. */
static void a_month_has_one_monthly_point(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "only monthly, first week",
          "monthly=12",
          "UTC",
          { { "2026-01-31", "M" },
            { "2026-02-01", "M" },
            { "2026-02-02", "" },
            { "2026-02-28", "" },
            { "2026-03-01", "M" } } },
        { "a missed first week goes to the next point",
          "monthly=12@1st",
          "UTC",
          { { "2026-01-01", "M" },
            { "2026-02-20", "M" },
            { "2026-02-21", "" },
            { "2026-03-01", "M" } } },
        { "second week: 8 December to 7 January",
          "monthly=12@2nd",
          "UTC",
          { { "2026-01-07", "M" },
            { "2026-01-08", "M" },
            { "2026-02-07", "" },
            { "2026-02-08", "M" } } },
        { "third week",
          "monthly=12@3rd",
          "UTC",
          { { "2026-01-14", "M" },
            { "2026-01-15", "M" },
            { "2026-02-14", "" } } },
        { "fourth week, which is not the last",
          "monthly=12@4th",
          "UTC",
          { { "2026-01-21", "M" },
            { "2026-01-22", "M" },
            { "2026-01-25", "" },
            { "2026-02-22", "M" } } },
        { "last week: 24 to 30 April, 25 to 31 May",
          "monthly=12@last",
          "UTC",
          { { "2026-04-23", "M" },
            { "2026-04-24", "M" },
            { "2026-05-24", "" },
            { "2026-05-25", "M" },
            { "2026-05-31", "" } } },
        { "last week of February: from 22, in a leap year from 23",
          "monthly=12@last",
          "UTC",
          { { "2024-02-22", "M" },
            { "2024-02-23", "M" },
            { "2026-02-21", "M" },
            { "2026-02-22", "M" },
            { "2026-02-28", "" } } },
    };
    PLAY(rows);
}

static void a_year_has_one_yearly_point(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "only yearly, from January",
          "yearly=3",
          "UTC",
          { { "2025-12-31", "Y" },
            { "2026-01-01", "Y" },
            { "2026-06-01", "" },
            { "2026-12-31", "" },
            { "2027-01-01", "Y" } } },
        { "from April",
          "yearly=3@apr",
          "UTC",
          { { "2026-03-31", "Y" },
            { "2026-04-01", "Y" },
            { "2027-03-31", "" },
            { "2027-04-01", "Y" } } },
        { "from December",
          "yearly=3@dec",
          "UTC",
          { { "2026-11-30", "Y" },
            { "2026-12-01", "Y" },
            { "2027-11-30", "" } } },
        { "a missed month goes to the next point",
          "yearly=3@jan",
          "UTC",
          { { "2026-01-05", "Y" },
            { "2027-06-10", "Y" },
            { "2027-06-11", "" },
            { "2028-01-01", "Y" } } },
    };
    PLAY(rows);
}

/* With several kinds a larger one needs the next smaller one on the point. */
static void larger_kinds_need_the_smaller_ones(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "M waits for a W: Thursday 1 January has none",
          "weekly=4,monthly=12",
          "UTC",
          { { "2025-12-28", "WM" },
            { "2025-12-29", "" },
            { "2026-01-01", "" },
            { "2026-01-04", "WM" },
            { "2026-01-05", "" },
            { "2026-01-11", "W" },
            { "2026-02-01", "WM" } } },
        { "Y waits for an M",
          "weekly=4,monthly=12,yearly=3",
          "UTC",
          { { "2025-12-28", "WMY" },
            { "2026-01-01", "" },
            { "2026-01-04", "WMY" },
            { "2026-01-11", "W" },
            { "2026-02-01", "WM" },
            { "2027-01-03", "WMY" } } },
        { "a missed first week: W and M go together",
          "weekly=4,monthly=12",
          "UTC",
          { { "2026-01-25", "WM" },
            { "2026-02-10", "WM" },
            { "2026-02-15", "W" } } },
        { "W and Y without M: Y needs a W",
          "weekly=4,yearly=3",
          "UTC",
          { { "2025-12-28", "WY" },
            { "2026-01-01", "" },
            { "2026-01-04", "WY" },
            { "2026-01-11", "W" } } },
        { "M and Y without W",
          "monthly=12,yearly=3",
          "UTC",
          { { "2025-12-31", "MY" },
            { "2026-01-01", "MY" },
            { "2026-01-02", "" },
            { "2026-02-01", "M" } } },
        { "a kind counted 0 times is none",
          "weekly=0,monthly=12",
          "UTC",
          { { "2026-01-01", "M" },
            { "2026-01-04", "" },
            { "2026-02-01", "M" } } },
    };
    PLAY(rows);
}

/* A clock that went back makes points before others that have the flag. */
static void a_clock_that_went_back_gives_no_second_flag(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "within the week, and into the week before",
          "weekly=4",
          "UTC",
          { { "2026-01-05", "W" },
            { "2026-01-04", "" },
            { "2025-12-30", "W" },
            { "2026-01-06", "" } } },
        { "from a period's first day into the one before",
          "weekly=4",
          "UTC",
          { { "2026-01-04", "W" },
            { "2026-01-03", "W" },
            { "2026-01-10", "" } } },
        { "within the month, and into the month before",
          "monthly=12",
          "UTC",
          { { "2026-02-10", "M" },
            { "2026-02-05", "" },
            { "2026-01-20", "M" },
            { "2026-02-11", "" } } },
        { "within the year",
          "yearly=3",
          "UTC",
          { { "2026-07-01", "Y" },
            { "2026-01-01", "" },
            { "2025-12-31", "Y" } } },
    };
    PLAY(rows);
}

/* A period begins at midnight of the zone. */
static void periods_are_those_of_the_zone(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "Sunday in Tokyo begins at 15:00 UTC",
          "weekly=4",
          "Asia/Tokyo",
          { { "2026-01-03T14:59:59Z", "W" },
            { "2026-01-03T15:00:00Z", "W" },
            { "2026-01-04T14:59:59Z", "" } } },
        { "Sunday in Los Angeles begins at 8:00 UTC",
          "weekly=4",
          "America/Los_Angeles",
          { { "2026-01-04T07:59:59Z", "W" },
            { "2026-01-04T08:00:00Z", "W" } } },
        { "the year in Auckland begins at 11:00 UTC the day before",
          "yearly=3",
          "Pacific/Auckland",
          { { "2026-12-31T10:59:59Z", "Y" },
            { "2026-12-31T11:00:00Z", "Y" } } },
        { "the year in New York begins at 5:00 UTC",
          "yearly=3",
          "America/New_York",
          { { "2027-01-01T04:59:59Z", "Y" },
            { "2027-01-01T05:00:00Z", "Y" } } },
        { "the month in Kolkata begins at 18:30 UTC the day before",
          "monthly=3",
          "Asia/Kolkata",
          { { "2026-01-31T18:29:59Z", "M" },
            { "2026-01-31T18:30:00Z", "M" } } },
        { "the Sunday in Berlin that has 23 hours, and the week after it",
          "weekly=4",
          "Europe/Berlin",
          { { "2026-03-28T22:59:59Z", "W" },
            { "2026-03-28T23:00:00Z", "W" },
            { "2026-03-29T21:59:59Z", "" },
            { "2026-04-04T21:59:59Z", "" },
            { "2026-04-04T22:00:00Z", "W" } } },
        { "the Sunday in Berlin that has 25 hours",
          "weekly=4",
          "Europe/Berlin",
          { { "2026-10-24T21:59:59Z", "W" },
            { "2026-10-24T22:00:00Z", "W" },
            { "2026-10-31T22:59:59Z", "" },
            { "2026-10-31T23:00:00Z", "W" } } },
        { "a Sunday in Beirut without midnight",
          "weekly=4",
          "Asia/Beirut",
          { { "2025-03-29T21:59:59Z", "W" },
            { "2025-03-29T22:00:00Z", "W" } } },
    };
    PLAY(rows);
}

static unsigned flags_after(const struct eng_kept *before, const char *rules,
                            const char *made)
{
    struct eng_gfs_rules r;
    struct err e = { 0 };
    AUTO_ENG_ZONE struct eng_zone *zone = zone_of("UTC");

    assert_int_equal(eng_gfs_parse(rules, &r, &e), 0);
    return eng_gfs_flags(&r, zone, before, 1, when(made));
}

static void a_damaged_point_leaves_its_flag_to_the_next(void **state)
{
    (void)state;
    struct eng_kept sunday = { .time = when("2026-01-04"),
                               .gfs = MF_GFS_WEEKLY };

    assert_int_equal(flags_after(&sunday, "weekly=4", "2026-01-05"), 0);
    sunday.damaged = true;
    assert_int_equal(flags_after(&sunday, "weekly=4", "2026-01-05"),
                     MF_GFS_WEEKLY);
}

/* The periods of today's rules count, whatever rules gave the flag. */
static void edited_rules_look_at_the_flags_that_are_there(void **state)
{
    (void)state;
    struct eng_kept sunday = { .time = when("2026-01-04"),
                               .gfs = MF_GFS_WEEKLY };

    assert_int_equal(flags_after(&sunday, "weekly=4@wed", "2026-01-06"), 0);
    assert_int_equal(flags_after(&sunday, "weekly=4@wed", "2026-01-07"),
                     MF_GFS_WEEKLY);
    /* a kind that is counted from now on */
    assert_int_equal(flags_after(&sunday, "monthly=12", "2026-01-05"),
                     MF_GFS_MONTHLY);
    assert_int_equal(flags_after(&sunday, "weekly=4,monthly=12", "2026-01-05"),
                     0);
}

static void rules_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        { "weekly=4", "weekly=4@sun" },
        { "weekly=4@wed,monthly=12@last,yearly=3@dec",
          "weekly=4@wed,monthly=12@last,yearly=3@dec" },
        { "yearly=3,weekly=4", "weekly=4@sun,yearly=3@jan" },
        { "monthly=5000@2nd", "monthly=5000@2nd" },
        { "weekly=0@fri,yearly=1", "yearly=1@jan" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct eng_gfs_rules r;
        struct err e = { 0 };
        char text[ENG_GFS_TEXT_CHARS];
        if (eng_gfs_parse(rows[i].in, &r, &e) < 0)
            fail_msg("%s: %s", rows[i].in, e.msg);
        eng_gfs_format(&r, text);
        assert_string_equal(text, rows[i].out);
    }
    struct eng_gfs_rules none = ENG_GFS_NONE;
    char text[ENG_GFS_TEXT_CHARS] = "x";
    eng_gfs_format(&none, text);
    assert_string_equal(text, "");
}

static void wrong_rules_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "weekly",
        "weekly=",
        "weekly=x",
        "weekly=-1",
        "weekly=4@",
        "weekly=4@jan",
        "weekly=4 ",
        "weekly=4,",
        ",weekly=4",
        "weekly=5001",
        "daily=3",
        "weekly=0",
        "monthly=1@0",
        "monthly=1@5th",
        "yearly=1@1",
        "Weekly=4",
        "weekly=4@Sun",
        "weekly=4,weekly=5",
        "weekly=99999999999999999999",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct eng_gfs_rules r;
        struct err e = { 0 };
        if (eng_gfs_parse(bad[i], &r, &e) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(e.kind, ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_week_has_one_weekly_point),
        cmocka_unit_test(a_month_has_one_monthly_point),
        cmocka_unit_test(a_year_has_one_yearly_point),
        cmocka_unit_test(larger_kinds_need_the_smaller_ones),
        cmocka_unit_test(a_clock_that_went_back_gives_no_second_flag),
        cmocka_unit_test(periods_are_those_of_the_zone),
        cmocka_unit_test(a_damaged_point_leaves_its_flag_to_the_next),
        cmocka_unit_test(edited_rules_look_at_the_flags_that_are_there),
        cmocka_unit_test(rules_are_read_and_written),
        cmocka_unit_test(wrong_rules_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

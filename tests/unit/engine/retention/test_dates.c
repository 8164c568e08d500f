// SPDX-License-Identifier: Apache-2.0
/* Until when a point stays: dates worked out by hand. */
#include "tests/unit/engine/retention/flags.h"

static char utc[] = "UTC";
static char berlin[] = "Europe/Berlin";
static char tokyo[] = "Asia/Tokyo";

/* One point, the policy days/weekly/monthly/yearly, and the first second in
 * which the point is not kept. */
struct row {
    char *zone;
    const char *made;
    uint32_t days, weekly, monthly, yearly;
    const char *flags;
    const char *until;
};

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        struct mf_retention policy = { .present = true,
                                       .days = r->days,
                                       .weekly = r->weekly,
                                       .monthly = r->monthly,
                                       .yearly = r->yearly,
                                       .timezone = r->zone };
        struct err e = { 0 };
        int64_t until = 0;
        char what[128];
        snprintf(what, sizeof(what), "row %zu: %s in %s", i, r->made, r->zone);
        if (eng_retention_end(&policy, flags_of(r->flags), when(r->made),
                              &until, &e) < 0)
            fail_msg("%s: %s", what, e.msg);
        same_time(until, r->until, what);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

/* Days are those of the calendar, whatever the hour: day of the point + N. */
static void days_are_counted_on_the_calendar(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { utc, "2026-01-01T00:00:00Z", 1, 0, 0, 0, "", "2026-01-02T00:00:00Z" },
        { utc, "2026-01-01T23:59:59Z", 1, 0, 0, 0, "", "2026-01-02T00:00:00Z" },
        /* 20 + 14 = 34 = 31 + 3 */
        { utc, "2026-01-20", 14, 0, 0, 0, "", "2026-02-03T00:00:00Z" },
        /* 25 + 7 = 32 = 31 + 1 */
        { utc, "2026-12-25", 7, 0, 0, 0, "", "2027-01-01T00:00:00Z" },
        /* 2024 has a 29 February, 2026 has none */
        { utc, "2024-02-28", 1, 0, 0, 0, "", "2024-02-29T00:00:00Z" },
        { utc, "2024-02-28", 2, 0, 0, 0, "", "2024-03-01T00:00:00Z" },
        { utc, "2026-02-28", 1, 0, 0, 0, "", "2026-03-01T00:00:00Z" },
        /* a year without and one with the leap day in between */
        { utc, "2026-03-01", 365, 0, 0, 0, "", "2027-03-01T00:00:00Z" },
        { utc, "2027-03-01", 365, 0, 0, 0, "", "2028-02-29T00:00:00Z" },
        /* nothing keeps it: over from its own second on */
        { utc, "2026-01-01", 0, 4, 0, 0, "", "2026-01-01T12:00:00Z" },
        /* dates end with the year 9999 */
        { utc, "9990-01-01", 1000000, 0, 0, 0, "", "9999-12-31T23:59:59Z" },
        { utc, "9990-01-01", 1, 0, 0, 5000, "Y", "9999-12-31T23:59:59Z" },
    };
    CHECK(rows);
}

/* Weekly: 7 days for each.  4 January 2026 is a Sunday. */
static void a_weekly_point_stays_seven_days_for_each_week(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { utc, "2026-01-04", 1, 1, 0, 0, "W", "2026-01-11T00:00:00Z" },
        /* 4 + 28 = 32 = 31 + 1 */
        { utc, "2026-01-04", 1, 4, 0, 0, "W", "2026-02-01T00:00:00Z" },
        /* 364 days: a day less than the year */
        { utc, "2026-01-04", 1, 52, 0, 0, "W", "2027-01-03T00:00:00Z" },
        /* over 29 February: 25 + 7 = 32 = 29 + 3 */
        { utc, "2024-02-25", 1, 1, 0, 0, "W", "2024-03-03T00:00:00Z" },
        /* the days reach further */
        { utc, "2026-01-04", 14, 1, 0, 0, "W", "2026-01-18T00:00:00Z" },
    };
    CHECK(rows);
}

/* Monthly: the same day N months later, or that month's last; and a day. */
static void a_monthly_point_stays_months_and_a_day(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* 31 February is none: 28 February, and a day */
        { utc, "2026-01-31", 1, 0, 1, 0, "M", "2026-03-01T00:00:00Z" },
        { utc, "2026-01-30", 1, 0, 1, 0, "M", "2026-03-01T00:00:00Z" },
        { utc, "2026-01-29", 1, 0, 1, 0, "M", "2026-03-01T00:00:00Z" },
        { utc, "2026-01-28", 1, 0, 1, 0, "M", "2026-03-01T00:00:00Z" },
        { utc, "2026-01-27", 1, 0, 1, 0, "M", "2026-02-28T00:00:00Z" },
        /* in a leap year 29 February is the last */
        { utc, "2024-01-31", 1, 0, 1, 0, "M", "2024-03-01T00:00:00Z" },
        { utc, "2024-01-29", 1, 0, 1, 0, "M", "2024-03-01T00:00:00Z" },
        { utc, "2024-01-28", 1, 0, 1, 0, "M", "2024-02-29T00:00:00Z" },
        { utc, "2024-02-29", 1, 0, 12, 0, "M", "2025-03-01T00:00:00Z" },
        { utc, "2026-01-31", 1, 0, 25, 0, "M", "2028-03-01T00:00:00Z" },
        /* April has 30 days, May 31 */
        { utc, "2026-03-31", 1, 0, 1, 0, "M", "2026-05-01T00:00:00Z" },
        { utc, "2026-03-31", 1, 0, 2, 0, "M", "2026-06-01T00:00:00Z" },
        { utc, "2026-05-31", 1, 0, 12, 0, "M", "2027-06-01T00:00:00Z" },
        { utc, "2026-08-31", 1, 0, 6, 0, "M", "2027-03-01T00:00:00Z" },
        /* over the end of the year */
        { utc, "2026-12-31", 1, 0, 1, 0, "M", "2027-02-01T00:00:00Z" },
        { utc, "2026-12-31", 1, 0, 2, 0, "M", "2027-03-01T00:00:00Z" },
        { utc, "2026-12-01", 1, 0, 1, 0, "M", "2027-01-02T00:00:00Z" },
    };
    CHECK(rows);
}

/* Yearly: the same day N years later, or that month's last; and a day. */
static void a_yearly_point_stays_years_and_a_day(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { utc, "2026-01-01", 1, 0, 0, 1, "Y", "2027-01-02T00:00:00Z" },
        { utc, "2026-12-31", 1, 0, 0, 1, "Y", "2028-01-01T00:00:00Z" },
        { utc, "2024-02-29", 1, 0, 0, 1, "Y", "2025-03-01T00:00:00Z" },
        { utc, "2024-02-29", 1, 0, 0, 4, "Y", "2028-03-01T00:00:00Z" },
        { utc, "2025-02-28", 1, 0, 0, 3, "Y", "2028-02-29T00:00:00Z" },
        /* 2100 is no leap year */
        { utc, "2096-02-29", 1, 0, 0, 4, "Y", "2100-03-01T00:00:00Z" },
        /* 2000 was one */
        { utc, "1996-02-29", 1, 0, 0, 4, "Y", "2000-03-01T00:00:00Z" },
    };
    CHECK(rows);
}

/* The latest of all dates counts, and a flag only while its kind is counted. */
static void of_several_dates_the_latest_counts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { utc, "2026-01-04", 14, 4, 12, 3, "WMY", "2029-01-05T00:00:00Z" },
        { utc, "2026-01-04", 14, 4, 12, 0, "WMY", "2027-01-05T00:00:00Z" },
        { utc, "2026-01-04", 14, 4, 0, 0, "WMY", "2026-02-01T00:00:00Z" },
        { utc, "2026-01-04", 14, 0, 0, 0, "WMY", "2026-01-18T00:00:00Z" },
        { utc, "2026-01-04", 0, 4, 0, 0, "MY", "2026-01-04T12:00:00Z" },
        { utc, "2026-01-04", 14, 4, 12, 3, "W", "2026-02-01T00:00:00Z" },
        { utc, "2026-01-04", 14, 4, 12, 3, "", "2026-01-18T00:00:00Z" },
        /* 60 weeks are 420 days: 365 to 4 January 2027, 27 to 31 January, 28
         * to 28 February */
        { utc, "2026-01-04", 14, 60, 1, 0, "WM", "2027-02-28T00:00:00Z" },
        { utc, "2026-01-04", 1000, 4, 12, 1, "WMY", "2028-09-30T00:00:00Z" },
    };
    CHECK(rows);
}

/* The day is that of the zone, and so is the midnight that ends it. */
static void days_begin_at_midnight_of_the_zone(void **state)
{
    (void)state;
    static char la[] = "America/Los_Angeles";
    static char kiritimati[] = "Pacific/Kiritimati";
    static char pago[] = "Pacific/Pago_Pago";
    static char kolkata[] = "Asia/Kolkata";
    static char kathmandu[] = "Asia/Kathmandu";
    static char auckland[] = "Pacific/Auckland";
    static char new_york[] = "America/New_York";
    static const struct row rows[] = {
        /* UTC+9: 11 January, 5:00 */
        { tokyo, "2026-01-10T20:00:00Z", 1, 0, 0, 0, "",
          "2026-01-11T15:00:00Z" },
        /* UTC-8: 9 January, 21:00 */
        { la, "2026-01-10T05:00:00Z", 1, 0, 0, 0, "", "2026-01-10T08:00:00Z" },
        /* UTC+14: the last second of the 10th, the first of the 11th */
        { kiritimati, "2026-01-10T09:59:59Z", 1, 0, 0, 0, "",
          "2026-01-10T10:00:00Z" },
        { kiritimati, "2026-01-10T10:00:00Z", 1, 0, 0, 0, "",
          "2026-01-11T10:00:00Z" },
        /* UTC-11: the last second of the 9th */
        { pago, "2026-01-10T10:59:59Z", 1, 0, 0, 0, "",
          "2026-01-10T11:00:00Z" },
        /* UTC+5:30: the last second of 31 January, the first of 1 February */
        { kolkata, "2026-01-31T18:29:59Z", 1, 0, 1, 0, "M",
          "2026-02-28T18:30:00Z" },
        { kolkata, "2026-01-31T18:30:00Z", 1, 0, 1, 0, "M",
          "2026-03-01T18:30:00Z" },
        /* UTC+5:45 */
        { kathmandu, "2026-01-01T00:00:00Z", 1, 0, 0, 0, "",
          "2026-01-01T18:15:00Z" },
        /* UTC+13 in summer: 1 January 2027, 0:00; ends with 1 January 2028 */
        { auckland, "2026-12-31T11:00:00Z", 1, 0, 0, 1, "Y",
          "2028-01-01T11:00:00Z" },
        /* UTC-5: 31 December 2026; ends with 31 December 2027 */
        { new_york, "2027-01-01T04:59:59Z", 1, 0, 0, 1, "Y",
          "2028-01-01T05:00:00Z" },
    };
    CHECK(rows);
}

/* Berlin: 29 March 2026 has 23 hours (UTC+1 to +2), 25 October 25. */
static void days_of_23_and_25_hours_are_days(void **state)
{
    (void)state;
    static char dublin[] = "Europe/Dublin";
    static char lord_howe[] = "Australia/Lord_Howe";
    static char sydney[] = "Australia/Sydney";
    static const struct row rows[] = {
        { berlin, "2026-03-28", 1, 0, 0, 0, "", "2026-03-28T23:00:00Z" },
        { berlin, "2026-03-28", 2, 0, 0, 0, "", "2026-03-29T22:00:00Z" },
        { berlin, "2026-10-24", 1, 0, 0, 0, "", "2026-10-24T22:00:00Z" },
        { berlin, "2026-10-24", 2, 0, 0, 0, "", "2026-10-25T23:00:00Z" },
        /* 2:30 twice on the same day */
        { berlin, "2026-10-25T00:30:00Z", 1, 0, 0, 0, "",
          "2026-10-25T23:00:00Z" },
        { berlin, "2026-10-25T01:30:00Z", 1, 0, 0, 0, "",
          "2026-10-25T23:00:00Z" },
        /* made in winter time, over in summer time: 4 April and a day */
        { berlin, "2026-01-04", 1, 0, 3, 0, "M", "2026-04-04T22:00:00Z" },
        /* Dublin's winter is what is defined as the deviation */
        { dublin, "2026-10-24", 2, 0, 0, 0, "", "2026-10-26T00:00:00Z" },
        { dublin, "2026-06-30", 1, 0, 1, 0, "M", "2026-07-30T23:00:00Z" },
        /* half an hour: +10:30 to +11 on 4 October 2026 */
        { lord_howe, "2026-10-03T00:00:00Z", 2, 0, 0, 0, "",
          "2026-10-04T13:00:00Z" },
        /* behind what the zone's file lists: 27 March 2050 is the last Sunday
         * of its month, 3 April 2050 the first */
        { berlin, "2050-03-26", 2, 0, 0, 0, "", "2050-03-27T22:00:00Z" },
        { sydney, "2050-04-02T00:00:00Z", 1, 0, 0, 0, "",
          "2050-04-02T13:00:00Z" },
        { sydney, "2050-04-02T00:00:00Z", 2, 0, 0, 0, "",
          "2050-04-03T14:00:00Z" },
    };
    CHECK(rows);
}

/* Where the clock jumps over midnight the day begins behind the jump; where it
 * goes back over midnight, or there is no such day, at the first second that
 * is not before it. */
static void a_day_without_midnight_begins_with_its_first_second(void **state)
{
    (void)state;
    static char beirut[] = "Asia/Beirut";
    static char cairo[] = "Africa/Cairo";
    static char havana[] = "America/Havana";
    static char sao_paulo[] = "America/Sao_Paulo";
    static char apia[] = "Pacific/Apia";
    static const struct row rows[] = {
        /* 30 March 2025 begins at 1:00 UTC+3 */
        { beirut, "2025-03-29", 1, 0, 0, 0, "", "2025-03-29T22:00:00Z" },
        { beirut, "2025-03-29", 2, 0, 0, 0, "", "2025-03-30T21:00:00Z" },
        /* 24 April 2026 begins at 1:00 UTC+3 */
        { cairo, "2026-04-23", 1, 0, 0, 0, "", "2026-04-23T22:00:00Z" },
        /* 29 October 2026 ends twice; the second time at 24:00 UTC+2 */
        { cairo, "2026-10-29", 1, 0, 0, 0, "", "2026-10-29T22:00:00Z" },
        { cairo, "2026-10-29T21:30:00Z", 1, 0, 0, 0, "",
          "2026-10-29T22:00:00Z" },
        /* 8 March 2026 begins at 1:00 UTC-4 */
        { havana, "2026-03-07", 1, 0, 0, 0, "", "2026-03-08T05:00:00Z" },
        /* 0:00 to 1:00 of 1 November 2026 are twice: the first counts */
        { havana, "2026-10-31", 1, 0, 0, 0, "", "2026-11-01T04:00:00Z" },
        /* 4 November 2018 begins at 1:00 UTC-2; 17 February ends twice */
        { sao_paulo, "2018-11-03", 1, 0, 0, 0, "", "2018-11-04T03:00:00Z" },
        { sao_paulo, "2018-02-17", 1, 0, 0, 0, "", "2018-02-18T03:00:00Z" },
        /* from UTC-10 to UTC+14: there was no 30 December 2011 */
        { apia, "2011-12-29", 1, 0, 0, 0, "", "2011-12-30T10:00:00Z" },
        { apia, "2011-12-29", 2, 0, 0, 0, "", "2011-12-30T10:00:00Z" },
    };
    CHECK(rows);
}

static void without_a_policy_there_is_no_end(void **state)
{
    (void)state;
    struct mf_retention none = { 0 };
    struct err e = { 0 };
    int64_t until = 1;

    assert_int_equal(
        eng_retention_end(&none, 7, when("2026-01-01"), &until, &e), 0);
    assert_int_equal(until, 0);
}

static void a_zone_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    static char atlantis[] = "Europe/Atlantis";
    struct mf_retention policy = { .present = true,
                                   .days = 1,
                                   .timezone = atlantis };
    struct err e = { 0 };
    int64_t until = 0;

    assert_int_equal(eng_retention_end(&policy, 0, 0, &until, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_non_null(strstr(e.msg, "Europe/Atlantis"));
}

static void days_are_written_in_days_or_weeks(void **state)
{
    (void)state;
    static const char *const bad[] = { "",    "d",    "14",  "0d",      "24h",
                                       "60m", "-1d",  "1d ", "1.5d",    "d14",
                                       "0w",  "336h", "1dd", "1000001d" };
    uint32_t days = 0;
    struct err e = { 0 };

    assert_int_equal(eng_retention_parse_days("14d", &days, &e), 0);
    assert_int_equal(days, 14);
    assert_int_equal(eng_retention_parse_days("2w", &days, &e), 0);
    assert_int_equal(days, 14);
    assert_int_equal(eng_retention_parse_days("1000000d", &days, &e), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (eng_retention_parse_days(bad[i], &days, &e) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(e.kind, ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_counted_on_the_calendar),
        cmocka_unit_test(a_weekly_point_stays_seven_days_for_each_week),
        cmocka_unit_test(a_monthly_point_stays_months_and_a_day),
        cmocka_unit_test(a_yearly_point_stays_years_and_a_day),
        cmocka_unit_test(of_several_dates_the_latest_counts),
        cmocka_unit_test(days_begin_at_midnight_of_the_zone),
        cmocka_unit_test(days_of_23_and_25_hours_are_days),
        cmocka_unit_test(a_day_without_midnight_begins_with_its_first_second),
        cmocka_unit_test(without_a_policy_there_is_no_end),
        cmocka_unit_test(a_zone_that_is_not_there_is_an_error),
        cmocka_unit_test(days_are_written_in_days_or_weeks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

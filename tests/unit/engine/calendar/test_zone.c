// SPDX-License-Identifier: Apache-2.0
/* Zones by name, against the C library, which reads the same files in its own
 * way. */
#include <stdlib.h>
#include <time.h>

#include "base/civil.h"
#include "engine/calendar/zone.h"
#include "tests/unit/engine/calendar/when.h"

#define ZONE_TABLE "/usr/share/zoneinfo/zone1970.tab"

static struct eng_zone *open_zone(const char *name)
{
    struct err e = { 0 };
    struct eng_zone *z = eng_zone_open(name, &e);

    if (z == NULL)
        fail_msg("%s", e.msg);
    return z;
}

/* The day's number by the C library. */
static int64_t library_day(time_t t)
{
    struct tm tm;

    assert_non_null(localtime_r(&t, &tm));
    struct civil_date d = { tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday };
    return civil_to_day(d);
}

static void same_days(const char *name)
{
    AUTO_ENG_ZONE struct eng_zone *z = open_zone(name);

    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
    /* 1970 to 2100, at ever other hours */
    for (int64_t t = 0; t < INT64_C(4102444800); t += 75 * 3600 + 797) {
        int64_t want = library_day((time_t)t);
        if (eng_zone_day(z, t) != want)
            fail_msg("%s at %lld: day %lld, not %lld", name, (long long)t,
                     (long long)eng_zone_day(z, t), (long long)want);
    }
}

/* The first second of each day is what it says: none before it. */
static void days_begin_once(const char *name)
{
    AUTO_ENG_ZONE struct eng_zone *z = open_zone(name);

    for (int64_t day = 0; day < 365 * 75; day++) {
        int64_t t = eng_zone_day_start(z, day);
        if (eng_zone_day(z, t) < day || eng_zone_day(z, t - 1) >= day)
            fail_msg("%s: day %lld does not begin at %lld", name,
                     (long long)day, (long long)t);
    }
}

static void all_zones(void (*check)(const char *name))
{
    FILE *table = fopen(ZONE_TABLE, "r");
    char line[512];
    char name[128];
    size_t n = 0;

    assert_non_null(table);
    while (fgets(line, sizeof(line), table) != NULL) {
        if (line[0] == '#' || sscanf(line, "%*s %*s %127s", name) != 1)
            continue;
        check(name);
        n++;
    }
    fclose(table);
    assert_true(n > 300);
    check("UTC");
    check("Etc/GMT+12");
    check("Etc/GMT-14");
}

static void every_zone_has_the_days_of_the_c_library(void **state)
{
    (void)state;
    all_zones(same_days);
}

static void every_day_of_every_zone_has_a_first_second(void **state)
{
    (void)state;
    all_zones(days_begin_once);
}

static void names_that_are_no_zones_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "/etc/localtime", "../zoneinfo/UTC", "Europe/../UTC",
        "Europe//X",  "Europe",         "Europe/",         "Europe/Atlantis",
        "zone.tab",   "tzdata.zi",      "localtime",       "posixrules",
        "right/UTC",  "CET-1CEST",      "Europe/Berlin ",  "europe/berlin",
        "leapseconds"
    };
    char longest[400];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    for (size_t i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
        const char *name = i < sizeof(bad) / sizeof(bad[0]) ? bad[i] : longest;
        struct err e = { 0 };
        if (eng_zone_open(name, &e) != NULL)
            fail_msg("\"%s\" was taken", name);
        assert_int_equal(e.kind, ERR_USAGE);
    }
}

static void the_zone_of_this_machine_can_be_opened(void **state)
{
    (void)state;
    char name[ENG_ZONE_NAME_CHARS];

    eng_zone_here(name);
    AUTO_ENG_ZONE struct eng_zone *z = open_zone(name);
    assert_non_null(z);
}

static void times_before_1970_have_days_too(void **state)
{
    (void)state;
    AUTO_ENG_ZONE struct eng_zone *z = open_zone("America/New_York");

    assert_int_equal(eng_zone_day(z, 0), -1);
    assert_int_equal(eng_zone_day(z, 5 * 3600), 0);
    assert_int_equal(eng_zone_day(z, 5 * 3600 - 1), -1);
    assert_true(eng_zone_day_start(z, 0) == 5 * 3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zone_has_the_days_of_the_c_library),
        cmocka_unit_test(every_day_of_every_zone_has_a_first_second),
        cmocka_unit_test(names_that_are_no_zones_are_refused),
        cmocka_unit_test(the_zone_of_this_machine_can_be_opened),
        cmocka_unit_test(times_before_1970_have_days_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

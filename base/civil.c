// SPDX-License-Identifier: Apache-2.0
/*
 * Dates as day numbers and back.  The arithmetic counts days in years that
 * begin on 1 March, so that the leap day is a year's last (Hinnant,
 * "chrono-compatible low-level date algorithms").
 */
#include "base/civil.h"

#include <stdbool.h>
#include <stddef.h>

#define ERA_DAYS 146097     /* of 400 years */
#define DAYS_TO_1970 719468 /* from 0000-03-01 */

const char *const civil_weekday_words[] = { "sun", "mon", "tue", "wed",
                                            "thu", "fri", "sat", NULL };
const char *const civil_month_words[] = { "jan", "feb", "mar", "apr", "may",
                                          "jun", "jul", "aug", "sep", "oct",
                                          "nov", "dec", NULL };

/* Rounds down where C rounds towards zero. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t civil_to_day(struct civil_date d)
{
    int64_t y = d.month <= 2 ? d.year - 1 : d.year;
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t month_from_march = (d.month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + d.day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * ERA_DAYS + day_of_era - DAYS_TO_1970;
}

struct civil_date civil_from_day(int64_t day)
{
    int64_t z = day + DAYS_TO_1970;
    int64_t era = floor_div(z, ERA_DAYS);
    int64_t day_of_era = z - era * ERA_DAYS;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                           day_of_era / 146096) /
                          365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int month = (int)(month_from_march < 10 ? month_from_march + 3
                                            : month_from_march - 9);

    return (struct civil_date){
        .year = (int)(year_of_era + era * 400) + (month <= 2),
        .month = month,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5) + 1,
    };
}

int civil_weekday(int64_t day)
{
    int64_t n = day + 4; /* 1970-01-01 was a Thursday */

    return (int)(n - floor_div(n, 7) * 7);
}

int civil_month_days(int year, int month)
{
    static const int days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

struct civil_date civil_add_months(struct civil_date d, int n)
{
    int64_t months = (int64_t)d.year * 12 + (d.month - 1) + n;

    d.year = (int)floor_div(months, 12);
    d.month = (int)(months - (int64_t)d.year * 12) + 1;
    int last = civil_month_days(d.year, d.month);
    if (d.day > last)
        d.day = last;
    return d;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * When runs begin.  A schedule has starts of its own; one that falls where the
 * window is closed is moved to where it opens, and several such are one run.
 */
#include "engine/schedule/moments.h"

#include "base/civil.h"
#include "base/utc.h"
#include "engine/schedule/days.h"

#define DAY_S INT64_C(86400)
#define MIN_S 60
/* From one 29 February to the next there may be eight years. */
#define MONTHS_MAX (12 * 9)

static int64_t at_minute(const struct eng_zone *z, int64_t day, int minute)
{
    return eng_zone_first(z, day * DAY_S + (int64_t)minute * MIN_S);
}

/* What the clock shows for the first time behind `after` is later than what it
 * shows then: no day before that one has to be looked at. */
static int64_t next_daily(const struct eng_schedule *s,
                          const struct eng_zone *z, int64_t after)
{
    for (int64_t day = eng_zone_day(z, after);; day++) {
        if ((s->weekdays & 1u << civil_weekday(day)) == 0)
            continue;
        int64_t t = at_minute(z, day, s->minute);
        if (t > after)
            return t;
    }
}

/* The day in that month, a number; false where it has none. */
static bool day_of_month(const struct eng_schedule *s, struct civil_date first,
                         int64_t *day)
{
    int n = civil_month_days(first.year, first.month);
    int64_t start = civil_to_day(first);

    if (s->week == 0) {
        int d = s->day == ENG_SCHEDULE_LAST_DAY ? n : s->day;
        *day = start + d - 1;
        return d <= n;
    }
    *day = start + (s->weekday - civil_weekday(start) + 7) % 7;
    if (s->week < ENG_SCHEDULE_LAST_WEEK)
        *day += INT64_C(7) * (s->week - 1);
    else
        *day += (start + n - 1 - *day) / 7 * 7;
    return true;
}

bool eng_days_have(const struct eng_schedule *s, int64_t day)
{
    struct civil_date month = civil_from_day(day);
    int64_t named = 0;

    if (s->kind == ENG_SCHEDULE_DAILY)
        return (s->weekdays & 1u << civil_weekday(day)) != 0;
    if ((s->months & 1u << month.month) == 0)
        return false;
    month.day = 1;
    return day_of_month(s, month, &named) && named == day;
}

static int64_t next_monthly(const struct eng_schedule *s,
                            const struct eng_zone *z, int64_t after)
{
    struct civil_date month = civil_from_day(eng_zone_day(z, after));

    month.day = 1;
    for (int i = 0; i < MONTHS_MAX; i++, month = civil_add_months(month, 1)) {
        int64_t day = 0;
        if ((s->months & 1u << month.month) == 0 ||
            !day_of_month(s, month, &day))
            continue;
        int64_t t = at_minute(z, day, s->minute);
        if (t > after)
            return t;
    }
    return ENG_SCHEDULE_NEVER;
}

/* Periods are seconds that pass, from the first second of the local day until
 * the next day begins. */
static int64_t next_period(const struct eng_schedule *s,
                           const struct eng_zone *z, int64_t after)
{
    int64_t period = (int64_t)s->every_min * MIN_S;

    for (int64_t day = eng_zone_day(z, after);; day++) {
        int64_t t = eng_zone_day_start(z, day) + (int64_t)s->offset_min * MIN_S;
        if (t <= after)
            t += ((after - t) / period + 1) * period;
        if (t < eng_zone_day_start(z, day + 1))
            return t;
    }
}

/* The first start > after, wherever the window is. */
static int64_t next_start(const struct eng_schedule *s,
                          const struct eng_zone *z, int64_t after)
{
    switch (s->kind) {
    case ENG_SCHEDULE_DAILY:
        return next_daily(s, z, after);
    case ENG_SCHEDULE_MONTHLY:
        return next_monthly(s, z, after);
    case ENG_SCHEDULE_EVERY:
        return next_period(s, z, after);
    case ENG_SCHEDULE_CONTINUOUSLY:
        return after + 1;
    case ENG_SCHEDULE_MANUAL:
    case ENG_SCHEDULE_AFTER:
        break;
    }
    return ENG_SCHEDULE_NEVER;
}

int64_t eng_moment_next(const struct eng_schedule *s, const struct eng_zone *z,
                        int64_t after)
{
    if (after < 0)
        after = -1;
    if (after >= UTC_LAST)
        return ENG_SCHEDULE_NEVER;
    /* A start since the window closed is moved to where it opens. */
    if (!eng_window_open(s, z, after))
        after = eng_window_closed_since(s, z, after) - 1;
    int64_t start = next_start(s, z, after);
    if (start > UTC_LAST)
        return ENG_SCHEDULE_NEVER;
    return eng_window_opens(s, z, start);
}

int64_t eng_moment_end(const struct eng_schedule *s, const struct eng_zone *z,
                       int64_t start)
{
    if (!s->terminate || !eng_window_open(s, z, start))
        return ENG_SCHEDULE_NEVER;
    return eng_window_closes(s, z, start);
}

int eng_schedule_next(const struct eng_schedule *s, const char *zone,
                      int64_t after, int64_t *next, struct err *e)
{
    AUTO_ENG_ZONE struct eng_zone *z = eng_zone_open(zone, e);

    if (z == NULL)
        return -1;
    *next = eng_moment_next(s, z, after);
    return 0;
}

int eng_schedule_end(const struct eng_schedule *s, const char *zone,
                     int64_t start, int64_t *end, struct err *e)
{
    AUTO_ENG_ZONE struct eng_zone *z = eng_zone_open(zone, e);

    if (z == NULL)
        return -1;
    *end = eng_moment_end(s, z, start);
    return 0;
}

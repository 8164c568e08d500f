// SPDX-License-Identifier: Apache-2.0
/*
 * The rule that a time zone file ends with, in the form of POSIX's TZ: names,
 * offsets west of Greenwich, and the days on which summer time begins and ends
 * in every year.  Hours may go from -167 to 167 (RFC 8536 3.3.1).
 */
#include "base/civil.h"
#include "engine/calendar/tzif.h"

#define DAY_S INT64_C(86400)
#define HOUR_S 3600
#define CHANGE_S (2 * HOUR_S) /* where a day has no time */

static bool next_is(const struct span *s, char c)
{
    return s->len > 0 && s->p[0] == (uint8_t)c;
}

static bool accept(struct span *s, char c)
{
    if (!next_is(s, c))
        return false;
    s->p++;
    s->len--;
    return true;
}

static bool next_is_digit(const struct span *s)
{
    return s->len > 0 && s->p[0] >= '0' && s->p[0] <= '9';
}

/* A number of 1 to 3 digits from min to max. */
static bool number(struct span *s, int min, int max, int *out)
{
    int v = 0;
    int digits = 0;

    while (next_is_digit(s) && digits < 3) {
        v = v * 10 + (s->p[0] - '0');
        s->p++;
        s->len--;
        digits++;
    }
    *out = v;
    return digits > 0 && v >= min && v <= max;
}

/* Letters, or anything in angle brackets; at least three characters. */
static bool name(struct span *s)
{
    size_t n = 0;
    bool quoted = accept(s, '<');

    while (s->len > 0) {
        uint8_t c = s->p[0];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool other = (c >= '0' && c <= '9') || c == '+' || c == '-';
        if (!letter && !(quoted && other))
            break;
        s->p++;
        s->len--;
        n++;
    }
    return n >= 3 && (!quoted || accept(s, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool clock_time(struct span *s, int hours_max, int32_t *out)
{
    int h = 0;
    int m = 0;
    int sec = 0;
    bool negative = accept(s, '-');

    if (!negative)
        (void)accept(s, '+');
    if (!number(s, 0, hours_max, &h))
        return false;
    if (accept(s, ':') &&
        (!number(s, 0, 59, &m) || (accept(s, ':') && !number(s, 0, 59, &sec))))
        return false;
    *out = h * HOUR_S + m * 60 + sec;
    if (negative)
        *out = -*out;
    return true;
}

static bool day(struct span *s, struct eng_tz_day *out)
{
    *out = (struct eng_tz_day){ .time_s = CHANGE_S };
    if (!accept(s, ','))
        return false;
    if (accept(s, 'M')) {
        out->form = ENG_TZ_WEEKDAY;
        if (!number(s, 1, 12, &out->month) || !accept(s, '.') ||
            !number(s, 1, 5, &out->week) || !accept(s, '.') ||
            !number(s, 0, 6, &out->day))
            return false;
    } else if (accept(s, 'J')) {
        out->form = ENG_TZ_JULIAN;
        if (!number(s, 1, 365, &out->day))
            return false;
    } else {
        out->form = ENG_TZ_ORDINAL;
        if (!number(s, 0, 365, &out->day))
            return false;
    }
    return !accept(s, '/') || clock_time(s, 167, &out->time_s);
}

bool eng_tz_rule_parse(struct span text, struct eng_tz_rule *out)
{
    struct span s = text;
    int32_t west = 0;

    *out = (struct eng_tz_rule){ .present = true };
    if (!name(&s) || !clock_time(&s, 24, &west))
        return false;
    out->standard_s = -west;
    if (s.len == 0)
        return true;
    out->summer = true;
    out->summer_s = out->standard_s + HOUR_S;
    if (!name(&s))
        return false;
    if (!next_is(&s, ',')) {
        if (!clock_time(&s, 24, &west))
            return false;
        out->summer_s = -west;
    }
    return day(&s, &out->begin) && day(&s, &out->end) && s.len == 0;
}

/* The number of the day that d is in a year. */
static int64_t day_in(const struct eng_tz_day *d, int year)
{
    struct civil_date first = { year, 1, 1 };
    int64_t start = civil_to_day(first);

    if (d->form == ENG_TZ_ORDINAL)
        return start + d->day;
    if (d->form == ENG_TZ_JULIAN) {
        bool leap = civil_month_days(year, 2) == 29;
        return start + d->day - 1 + (leap && d->day >= 60);
    }
    first.month = d->month;
    start = civil_to_day(first);
    int64_t found = start + (d->day - civil_weekday(start) + 7) % 7;
    int64_t end = start + civil_month_days(year, d->month);
    found += INT64_C(7) * (d->week - 1);
    return found < end ? found : found - 7;
}

int32_t eng_tz_rule_offset(const struct eng_tz_rule *r, int64_t t,
                           int64_t *next)
{
    int32_t offset_s = r->standard_s;
    int64_t last = INT64_MIN;

    *next = INT64_MAX;
    if (!r->summer)
        return offset_s;
    int year = civil_from_day(t / DAY_S - (t % DAY_S < 0)).year;
    /* A change may lie a week outside of its year. */
    for (int y = year - 1; y <= year + 1; y++) {
        int64_t begin =
            day_in(&r->begin, y) * DAY_S + r->begin.time_s - r->standard_s;
        int64_t end = day_in(&r->end, y) * DAY_S + r->end.time_s - r->summer_s;
        if (end <= t && end > last) {
            last = end;
            offset_s = r->standard_s;
        }
        /* Of two at one instant the beginning holds: summer all the year. */
        if (begin <= t && begin >= last) {
            last = begin;
            offset_s = r->summer_s;
        }
        if (begin > t && begin < *next)
            *next = begin;
        if (end > t && end < *next)
            *next = end;
    }
    return offset_s;
}

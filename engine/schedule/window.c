// SPDX-License-Identifier: Apache-2.0
/*
 * Windows.  One is open while the local clock shows a time in it: an hour that
 * comes twice counts twice, one that is jumped over not at all.
 */
#include "base/civil.h"
#include "base/utc.h"
#include "engine/schedule/moments.h"

#define DAY_S INT64_C(86400)
#define HOUR_S INT64_C(3600)
/* Windows are of a day or a week, and a week's may be jumped over once. */
#define CLOSED_MAX_S (15 * DAY_S)

/* What the local clock shows, and until when it goes on evenly. */
struct local {
    int64_t day;
    int64_t second; /* of the day */
    int64_t even;
};

static struct local local_at(const struct eng_zone *z, int64_t t)
{
    struct local l = { 0 };
    int64_t local = t + eng_zone_offset(z, t, &l.even);

    l.second = (local % DAY_S + DAY_S) % DAY_S;
    l.day = (local - l.second) / DAY_S;
    return l;
}

static bool is_open(const struct eng_schedule *s, const struct local *l)
{
    int64_t minute = l->second / 60;

    switch (s->window) {
    case ENG_SCHEDULE_BETWEEN:
        if (s->from_min < s->until_min)
            return minute >= s->from_min && minute < s->until_min;
        return minute >= s->from_min || minute < s->until_min;
    case ENG_SCHEDULE_HOURS:
        return (s->hours[civil_weekday(l->day)] >> l->second / HOUR_S & 1) != 0;
    case ENG_SCHEDULE_ALWAYS:
        break;
    }
    return true;
}

/* How long from a second of the day to the next time of the day, in seconds;
 * never 0. */
static int64_t until_minute(int64_t second, int minute)
{
    int64_t left = (int64_t)minute * 60 - second;

    return left > 0 ? left : left + DAY_S;
}

/* A moment > t up to which the window stays as it is at t. */
static int64_t unchanged_until(const struct eng_schedule *s, int64_t t,
                               const struct local *l)
{
    int64_t step = HOUR_S - l->second % HOUR_S;

    if (s->window == ENG_SCHEDULE_BETWEEN) {
        int64_t from = until_minute(l->second, s->from_min);
        step = until_minute(l->second, s->until_min);
        if (from < step)
            step = from;
    }
    return step < l->even - t ? t + step : l->even;
}

/* The first moment >= t at which the window is open, or closed; NEVER. */
static int64_t first(const struct eng_schedule *s, const struct eng_zone *z,
                     int64_t t, bool open)
{
    if (s->window == ENG_SCHEDULE_ALWAYS)
        return open ? t : ENG_SCHEDULE_NEVER;
    while (t <= UTC_LAST) {
        struct local l = local_at(z, t);
        if (is_open(s, &l) == open)
            return t;
        t = unchanged_until(s, t, &l);
    }
    return ENG_SCHEDULE_NEVER;
}

bool eng_window_open(const struct eng_schedule *s, const struct eng_zone *z,
                     int64_t t)
{
    struct local l = local_at(z, t);

    return is_open(s, &l);
}

int64_t eng_window_opens(const struct eng_schedule *s, const struct eng_zone *z,
                         int64_t t)
{
    return first(s, z, t, true);
}

int64_t eng_window_closes(const struct eng_schedule *s,
                          const struct eng_zone *z, int64_t t)
{
    return first(s, z, t, false);
}

int64_t eng_window_closed_since(const struct eng_schedule *s,
                                const struct eng_zone *z, int64_t t)
{
    int64_t closed = first(s, z, t - CLOSED_MAX_S, false);

    for (;;) {
        int64_t opens = first(s, z, closed, true);
        if (opens > t)
            return closed;
        closed = first(s, z, opens, false);
    }
}

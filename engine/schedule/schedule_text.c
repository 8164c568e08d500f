// SPDX-License-Identifier: Apache-2.0
/* The one text of a schedule.  Weeks are written from Monday on. */
#include "base/civil.h"
#include "engine/schedule/schedule_words.h"

/* Weekdays in the order in which they are written. */
static const int week[] = { 1, 2, 3, 4, 5, 6, 0 };

static void put_minute(int minute, struct buf *out)
{
    buf_printf(out, "%02d:%02d", minute / 60, minute % 60);
}

static void put_days(unsigned mask, struct buf *out)
{
    const char *comma = "";

    if (mask == WEEKDAYS) {
        buf_append_str(out, "weekdays");
        return;
    }
    for (int i = 0; i < 7; i++)
        if ((mask & 1u << week[i]) != 0) {
            buf_printf(out, "%s%s", comma, civil_weekday_words[week[i]]);
            comma = ",";
        }
}

static void put_daily(const struct eng_schedule *s, struct buf *out)
{
    buf_append_char(out, ' ');
    put_minute(s->minute, out);
    if (s->weekdays == ALL_DAYS)
        return;
    buf_append_char(out, ' ');
    put_days(s->weekdays, out);
}

static void put_monthly(const struct eng_schedule *s, struct buf *out)
{
    const char *before = " in ";

    if (s->week != 0)
        buf_printf(out, " %s %s", eng_schedule_week_words[s->week - 1],
                   civil_weekday_words[s->weekday]);
    else if (s->day == ENG_SCHEDULE_LAST_DAY)
        buf_append_str(out, " last day");
    else
        buf_printf(out, " day %d", s->day);
    buf_append_char(out, ' ');
    put_minute(s->minute, out);
    if (s->months == ALL_MONTHS)
        return;
    for (int m = 1; m <= 12; m++)
        if ((s->months & 1u << m) != 0) {
            buf_printf(out, "%s%s", before, civil_month_words[m - 1]);
            before = ",";
        }
}

static void put_period(const char *before, int min, struct buf *out)
{
    if (min % 60 == 0)
        buf_printf(out, " %s%dh", before, min / 60);
    else
        buf_printf(out, " %s%dm", before, min);
}

static void put_hour_ranges(uint32_t hours, struct buf *out)
{
    const char *comma = "";

    for (int h = 0; h < 24; h++) {
        if ((hours & 1u << h) == 0)
            continue;
        int from = h;
        while (h < 24 && (hours & 1u << h) != 0)
            h++;
        buf_printf(out, "%s%02d-%02d", comma, from, h);
        comma = ", ";
    }
}

/* Days with the same hours together, in the order of the first of each. */
static void put_hours(const uint32_t hours[7], struct buf *out)
{
    unsigned done = 0;
    const char *before = "";

    for (int i = 0; i < 7; i++) {
        unsigned same = 0;
        uint32_t mask = hours[week[i]];
        for (int d = 0; d < 7; d++)
            if (hours[d] == mask)
                same |= 1u << d;
        if (mask == 0 || (done & same) != 0)
            continue;
        done |= same;
        buf_append_str(out, before);
        if (same != ALL_DAYS) {
            put_days(same, out);
            buf_append_char(out, ' ');
        }
        put_hour_ranges(mask, out);
        before = ", ";
    }
}

static void put_window(const struct eng_schedule *s, struct buf *out)
{
    if (s->window == ENG_SCHEDULE_BETWEEN) {
        buf_append_str(out, " between ");
        put_minute(s->from_min, out);
        buf_append_char(out, '-');
        put_minute(s->until_min, out);
    } else if (s->window == ENG_SCHEDULE_HOURS) {
        buf_append_str(out, " allowed ");
        put_hours(s->hours, out);
    }
}

void eng_schedule_text(const struct eng_schedule *s, struct buf *out)
{
    buf_append_str(out, eng_schedule_kind_words[s->kind]);
    if (s->kind == ENG_SCHEDULE_DAILY)
        put_daily(s, out);
    else if (s->kind == ENG_SCHEDULE_MONTHLY)
        put_monthly(s, out);
    else if (s->kind == ENG_SCHEDULE_AFTER)
        buf_printf(out, " %s", s->after);
    if (s->kind == ENG_SCHEDULE_EVERY) {
        put_period("", s->every_min, out);
        if (s->offset_min > 0)
            put_period("offset ", s->offset_min, out);
    }
    put_window(s, out);
    if (s->terminate)
        buf_append_str(out, " terminate");
    if (s->skip_missed)
        buf_append_str(out, " missed skip");
}

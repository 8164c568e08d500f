// SPDX-License-Identifier: Apache-2.0
/*
 * Schedules as people write them: words between spaces, lists with commas,
 * ranges with a dash.  A text is either understood to its end or refused, with
 * the word that is wrong and the one that was probably meant.
 */
#include <string.h>

#include "base/civil.h"
#include "base/nearest.h"
#include "base/units.h"
#include "base/utf8.h"
#include "engine/schedule/days.h"
#include "engine/schedule/schedule_words.h"

#define SPACES " \t\r\n"

const char *const eng_schedule_kind_words[] = {
    "manual", "daily", "monthly", "every", "continuously", "after", NULL
};
const char *const eng_schedule_week_words[] = { "first",  "second", "third",
                                                "fourth", "last",   NULL };

/* What may stand behind the moments. */
enum limit { BETWEEN, ALLOWED, TERMINATE, MISSED };
static const char *const limit_words[] = { "between", "allowed", "terminate",
                                           "missed", NULL };
/* ... and behind a time of the day. */
static const char *const day_words[] = {
    "sun",      "mon",     "tue",     "wed",       "thu",    "fri", "sat",
    "weekdays", "between", "allowed", "terminate", "missed", NULL
};
/* ... where there is no time. */
static const char *const only_day_words[] = {
    "sun", "mon", "tue", "wed", "thu", "fri", "sat", "weekdays", "monthly", NULL
};
static const char *const in_words[] = { "in",        "between", "allowed",
                                        "terminate", "missed",  NULL };
static const char *const offset_words[] = { "offset",    "between", "allowed",
                                            "terminate", "missed",  NULL };
static const char *const monthly_words[] = { "first",  "second", "third",
                                             "fourth", "last",   "day",
                                             NULL };
static const char *const last_words[] = { "sun", "mon", "tue", "wed", "thu",
                                          "fri", "sat", "day", NULL };
static const char *const missed_words[] = { "run", "skip", NULL };

/* The word that is looked at: "" at the end, "," for itself. */
struct reader {
    const char *rest; /* behind it */
    const char *word; /* in the text; not terminated */
    size_t len;
    struct err *e;
};

static void advance(struct reader *r)
{
    r->word = r->rest + strspn(r->rest, SPACES);
    r->len = *r->word == ',' ? 1 : strcspn(r->word, SPACES ",");
    r->rest = r->word + r->len;
}

static bool at_end(const struct reader *r)
{
    return r->len == 0;
}

static bool is(const struct reader *r, const char *word)
{
    return strlen(word) == r->len && memcmp(word, r->word, r->len) == 0;
}

/* The word as a message may show it. */
static void show(const struct reader *r, char out[NEAREST_CHARS])
{
    char raw[NEAREST_CHARS] = "";

    memcpy(raw, r->word, r->len < sizeof(raw) ? r->len : sizeof(raw) - 1);
    utf8_copy(out, NEAREST_CHARS, raw);
    utf8_clean(out, false);
}

/* `form`: what should stand here. */
static int wrong(const struct reader *r, const char *form)
{
    char shown[NEAREST_CHARS];

    if (at_end(r))
        return err_set(r->e, ERR_USAGE, 0,
                       "the schedule ends too early; write %s next", form);
    show(r, shown);
    return err_set(r->e, ERR_USAGE, 0,
                   "the schedule has \"%s\" in the wrong place; write %s "
                   "there",
                   shown, form);
}

static int unknown(const struct reader *r, const char *const *words,
                   const char *form)
{
    char shown[NEAREST_CHARS];

    if (at_end(r))
        return wrong(r, form);
    show(r, shown);
    return err_set(r->e, ERR_USAGE, 0,
                   "the schedule has \"%s\", which is not known there; the "
                   "nearest known word is \"%s\"",
                   shown, nearest_word(words, shown));
}

/* Which of the words len bytes at p are; -1: none. */
static int index_of(const char *const *words, const char *p, size_t len)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == len && memcmp(words[i], p, len) == 0)
            return i;
    return -1;
}

static int index_here(const struct reader *r, const char *const *words)
{
    return index_of(words, r->word, r->len);
}

static bool at_limit(const struct reader *r)
{
    return at_end(r) || index_here(r, limit_words) >= 0;
}

/* All len bytes: 1 or 2 digits, at most max; -1: not that. */
static int number(const char *p, size_t len, int max)
{
    int v = 0;

    if (len < 1 || len > 2)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v <= max ? v : -1;
}

/* "22:00": minutes of the day, up to 24:00; -1: not that. */
static int minutes(const char *p, size_t len)
{
    const char *colon = memchr(p, ':', len);

    if (colon == NULL || p + len - colon != 3)
        return -1;
    int h = number(p, (size_t)(colon - p), 24);
    int m = number(colon + 1, 2, 59);
    return h < 0 || m < 0 || h * 60 + m > DAY_MIN ? -1 : h * 60 + m;
}

/* Behind the dash of a word; NULL: it has none. */
static const char *second_half(const struct reader *r)
{
    const char *dash = memchr(r->word, '-', r->len);

    return dash == NULL ? NULL : dash + 1;
}

static int take_minute(struct reader *r, int *minute)
{
    *minute = minutes(r->word, r->len);
    if (*minute < 0 || *minute == DAY_MIN)
        return wrong(r, "a time such as 22:00");
    advance(r);
    return 0;
}

/* "mon" or "fri-mon": sets their bits, of n words the first being `first`. */
static bool add_range(const struct reader *r, const char *const *words, int n,
                      int first, unsigned *mask)
{
    const char *second = second_half(r);
    size_t len = second == NULL ? r->len : (size_t)(second - 1 - r->word);
    int from = index_of(words, r->word, len);
    int to = from;

    if (second != NULL)
        to = index_of(words, second, (size_t)(r->rest - second));
    if (from < 0 || to < 0)
        return false;
    for (int i = from;; i = (i + 1) % n) {
        *mask |= 1u << (i + first);
        if (i == to)
            return true;
    }
}

/* words: what may stand there, for messages. */
static int take_days(struct reader *r, const char *const *words, unsigned *mask)
{
    for (;;) {
        if (is(r, "weekdays"))
            *mask |= WEEKDAYS;
        else if (!add_range(r, civil_weekday_words, 7, 0, mask))
            return unknown(r, words, "a weekday");
        advance(r);
        if (!is(r, ","))
            return 0;
        advance(r);
    }
}

static int take_months(struct reader *r, unsigned *mask)
{
    for (;;) {
        if (!add_range(r, civil_month_words, 12, 1, mask))
            return unknown(r, civil_month_words, "a month such as jan");
        advance(r);
        if (!is(r, ","))
            return 0;
        advance(r);
    }
}

static int take_daily(struct reader *r, struct eng_schedule *s)
{
    if (take_minute(r, &s->minute) < 0)
        return -1;
    if (!at_limit(r))
        return take_days(r, day_words, &s->weekdays);
    s->weekdays = ALL_DAYS;
    return 0;
}

static int take_day_number(struct reader *r, struct eng_schedule *s)
{
    s->day = number(r->word, r->len, 31);
    if (s->day < 1)
        return wrong(r, "the number of a day from 1 to 31");
    advance(r);
    return 0;
}

/* "second sat", "last day", "day 15". */
static int take_day_of_month(struct reader *r, struct eng_schedule *s)
{
    int week = index_here(r, eng_schedule_week_words);

    if (week < 0 && !is(r, "day"))
        return unknown(r, monthly_words, "first, last or day");
    advance(r);
    if (week < 0)
        return take_day_number(r, s);
    s->week = week + 1;
    if (s->week == ENG_SCHEDULE_LAST_WEEK && is(r, "day")) {
        s->week = 0;
        s->day = ENG_SCHEDULE_LAST_DAY;
    } else {
        s->weekday = index_here(r, civil_weekday_words);
        if (s->weekday < 0)
            return unknown(r,
                           s->week == ENG_SCHEDULE_LAST_WEEK
                               ? last_words
                               : civil_weekday_words,
                           "a weekday");
    }
    advance(r);
    return 0;
}

/* The most days that a chosen month ever has. */
static int longest_month(unsigned months)
{
    int longest = 0;

    for (int m = 1; m <= 12; m++)
        if ((months & 1u << m) != 0 && civil_month_days(2024, m) > longest)
            longest = civil_month_days(2024, m);
    return longest;
}

/* "in jan,jul", or nothing. */
static int take_chosen_months(struct reader *r, struct eng_schedule *s)
{
    s->months = ALL_MONTHS;
    if (is(r, "in")) {
        s->months = 0;
        advance(r);
        if (take_months(r, &s->months) < 0)
            return -1;
    }
    if (s->day != ENG_SCHEDULE_LAST_DAY && s->day > longest_month(s->months))
        return err_set(r->e, ERR_USAGE, 0,
                       "no month of the schedule has a day %d; write last day",
                       s->day);
    return 0;
}

static int take_monthly(struct reader *r, struct eng_schedule *s)
{
    if (take_day_of_month(r, s) < 0 || take_minute(r, &s->minute) < 0)
        return -1;
    if (!at_limit(r) && !is(r, "in"))
        return unknown(r, in_words, "in");
    return take_chosen_months(r, s);
}

/* "15m", "2h": whole minutes from min to max; -1: not that. */
static int take_period(struct reader *r, int min, int max, int *out)
{
    char text[UNITS_TEXT_CHARS] = "";
    int64_t seconds = -1;

    if (r->len < sizeof(text))
        memcpy(text, r->word, r->len);
    if (!units_parse_duration(text, &seconds) || seconds % 60 != 0 ||
        seconds < INT64_C(60) * min || seconds > INT64_C(60) * max)
        return -1;
    *out = (int)(seconds / 60);
    advance(r);
    return 0;
}

static int take_every(struct reader *r, struct eng_schedule *s)
{
    if (take_period(r, 1, DAY_MIN, &s->every_min) < 0)
        return wrong(r, "a period such as 2h or 15m, at most 24h");
    if (at_limit(r))
        return 0;
    if (!is(r, "offset"))
        return unknown(r, offset_words, "offset");
    advance(r);
    if (take_period(r, 0, s->every_min - 1, &s->offset_min) < 0)
        return wrong(r, "an offset such as 5m, less than the period");
    return 0;
}

static int take_after(struct reader *r, struct eng_schedule *s)
{
    if (at_end(r) || is(r, ",") || r->len >= sizeof(s->after))
        return wrong(r, "the name of a job");
    memcpy(s->after, r->word, r->len);
    advance(r);
    return 0;
}

static int take_kind(struct reader *r, struct eng_schedule *s)
{
    int kind = index_here(r, eng_schedule_kind_words);

    if (kind < 0)
        return unknown(r, eng_schedule_kind_words,
                       "daily, monthly, every, continuously, after or manual");
    s->kind = (enum eng_schedule_kind)kind;
    advance(r);
    switch (s->kind) {
    case ENG_SCHEDULE_DAILY:
        return take_daily(r, s);
    case ENG_SCHEDULE_MONTHLY:
        return take_monthly(r, s);
    case ENG_SCHEDULE_EVERY:
        return take_every(r, s);
    case ENG_SCHEDULE_AFTER:
        return take_after(r, s);
    case ENG_SCHEDULE_MANUAL:
    case ENG_SCHEDULE_CONTINUOUSLY:
        break;
    }
    return 0;
}

static int take_between(struct reader *r, struct eng_schedule *s)
{
    const char *second = second_half(r);
    int from = -1;
    int until = -1;

    if (second != NULL) {
        from = minutes(r->word, (size_t)(second - 1 - r->word));
        until = minutes(second, (size_t)(r->rest - second));
    }
    /* 24:00 is the 0:00 that comes next. */
    if (from < 0 || from == DAY_MIN || until < 0 || from == until % DAY_MIN)
        return wrong(r, "two times such as 22:00-06:00");
    s->window = ENG_SCHEDULE_BETWEEN;
    s->from_min = from;
    s->until_min = until % DAY_MIN;
    advance(r);
    return 0;
}

/* "09-17", for the days of a mask. */
static int take_hours(struct reader *r, unsigned days, struct eng_schedule *s)
{
    const char *second = second_half(r);
    int from = -1;
    int until = -1;

    if (second != NULL) {
        from = number(r->word, (size_t)(second - 1 - r->word), 24);
        until = number(second, (size_t)(r->rest - second), 24);
    }
    if (from < 0 || until <= from)
        return wrong(r, "whole hours of one day such as 09-17 or 22-24");
    for (int d = 0; d < 7; d++)
        if ((days & 1u << d) != 0)
            s->hours[d] |= ((1u << until) - 1) & ~((1u << from) - 1);
    advance(r);
    return 0;
}

/* "mon-fri 09-12, 13-17, sat 10-12": hours without days are for those before
 * them; at the beginning, for all. */
static int take_allowed(struct reader *r, struct eng_schedule *s)
{
    unsigned days = ALL_DAYS;
    uint32_t common = ALL_HOURS;

    s->window = ENG_SCHEDULE_HOURS;
    for (;;) {
        if (at_end(r) || *r->word < '0' || *r->word > '9') {
            days = 0;
            if (take_days(r, day_words, &days) < 0)
                return -1;
        }
        if (take_hours(r, days, s) < 0)
            return -1;
        if (!is(r, ","))
            break;
        advance(r);
    }
    for (int d = 0; d < 7; d++)
        common &= s->hours[d];
    if (common == ALL_HOURS)
        return err_set(r->e, ERR_USAGE, 0,
                       "the schedule allows every hour; leave `allowed` out");
    return 0;
}

static int take_missed(struct reader *r, struct eng_schedule *s)
{
    int i = index_here(r, missed_words);

    if (i < 0)
        return unknown(r, missed_words, "run or skip");
    s->skip_missed = i == 1;
    advance(r);
    return 0;
}

static int take_limit(struct reader *r, enum limit limit,
                      struct eng_schedule *s)
{
    switch (limit) {
    case BETWEEN:
        return take_between(r, s);
    case ALLOWED:
        return take_allowed(r, s);
    case MISSED:
        return take_missed(r, s);
    case TERMINATE:
        s->terminate = true;
        break;
    }
    return 0;
}

/* What was seen must fit together. */
static int fits(const struct eng_schedule *s, unsigned seen, struct err *e)
{
    bool missed = (seen & 1u << MISSED) != 0;

    if (s->kind == ENG_SCHEDULE_MANUAL && seen != 0)
        return err_set(e, ERR_USAGE, 0,
                       "a manual schedule has nothing behind it");
    if (s->kind == ENG_SCHEDULE_CONTINUOUSLY && missed)
        return err_set(e, ERR_USAGE, 0,
                       "what runs continuously misses nothing; leave `missed` "
                       "out");
    if ((seen & 1u << BETWEEN) != 0 && (seen & 1u << ALLOWED) != 0)
        return err_set(e, ERR_USAGE, 0,
                       "the schedule has two windows; write between or "
                       "allowed");
    if (s->terminate && s->window == ENG_SCHEDULE_ALWAYS)
        return err_set(e, ERR_USAGE, 0,
                       "the schedule has no window whose end could terminate "
                       "a run; write between or allowed as well");
    return 0;
}

static int take_limits(struct reader *r, struct eng_schedule *s)
{
    unsigned seen = 0;

    while (!at_end(r)) {
        int limit = index_here(r, limit_words);
        if (limit < 0)
            return unknown(r, limit_words, "nothing");
        if ((seen & 1u << limit) != 0)
            return err_set(r->e, ERR_USAGE, 0, "the schedule has %s twice",
                           limit_words[limit]);
        seen |= 1u << limit;
        advance(r);
        if (take_limit(r, (enum limit)limit, s) < 0)
            return -1;
    }
    return fits(s, seen, r->e);
}

int eng_schedule_parse(const char *text, struct eng_schedule *s, struct err *e)
{
    struct eng_schedule read = { 0 };
    struct reader r = { .rest = text, .e = e };

    *s = read;
    if (strlen(text) > ENG_SCHEDULE_TEXT_MAX)
        return err_set(e, ERR_USAGE, 0, "the schedule is longer than %u bytes",
                       ENG_SCHEDULE_TEXT_MAX);
    advance(&r);
    if (take_kind(&r, &read) < 0 || take_limits(&r, &read) < 0)
        return -1;
    *s = read;
    return 0;
}

int eng_days_parse(const char *text, struct eng_schedule *s, struct err *e)
{
    struct eng_schedule read = { .kind = ENG_SCHEDULE_DAILY };
    struct reader r = { .rest = text, .e = e };
    int result = 0;

    *s = (struct eng_schedule){ 0 };
    if (strlen(text) > ENG_SCHEDULE_TEXT_MAX)
        return err_set(e, ERR_USAGE, 0, "the days are longer than %u bytes",
                       ENG_SCHEDULE_TEXT_MAX);
    advance(&r);
    if (is(&r, "monthly")) {
        read.kind = ENG_SCHEDULE_MONTHLY;
        advance(&r);
        result = take_day_of_month(&r, &read);
        if (result == 0)
            result = take_chosen_months(&r, &read);
    } else {
        result = take_days(&r, only_day_words, &read.weekdays);
    }
    if (result < 0)
        return -1;
    if (!at_end(&r))
        return wrong(&r, read.months == ALL_MONTHS
                             ? "in and months, or nothing,"
                             : "nothing");
    *s = read;
    return 0;
}

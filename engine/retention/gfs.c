// SPDX-License-Identifier: Apache-2.0
/*
 * Periods and flags.  A flag is given when a point is made and never moves:
 * whichever host looks later sees the same, and no point has to be a full one
 * for it, since each can be read without any other.
 */
#include "engine/retention/gfs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"

static const char *const weeks[] = { "1st", "2nd", "3rd", "4th", "last", NULL };

/* The kinds, from the smallest on, and where the rules hold them. */
static const struct kind {
    unsigned bit;
    const char *name;
    const char *const *begins; /* words for where a period begins */
    unsigned first;            /* number of the first word */
} kinds[] = {
    { MF_GFS_WEEKLY, "weekly", civil_weekday_words, 0 },
    { MF_GFS_MONTHLY, "monthly", weeks, 1 },
    { MF_GFS_YEARLY, "yearly", civil_month_words, 1 },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

uint32_t eng_gfs_count(const struct eng_gfs_rules *r, unsigned kind)
{
    if (kind == MF_GFS_WEEKLY)
        return r->weekly;
    return kind == MF_GFS_MONTHLY ? r->monthly : r->yearly;
}

static unsigned begin_of(const struct eng_gfs_rules *r, unsigned kind)
{
    if (kind == MF_GFS_WEEKLY)
        return r->weekday;
    return kind == MF_GFS_MONTHLY ? r->week : r->month;
}

static void set(struct eng_gfs_rules *r, unsigned kind, uint32_t count,
                unsigned begin)
{
    if (kind == MF_GFS_WEEKLY) {
        r->weekly = count;
        r->weekday = begin;
    } else if (kind == MF_GFS_MONTHLY) {
        r->monthly = count;
        r->week = begin;
    } else {
        r->yearly = count;
        r->month = begin;
    }
}

/* Digits from p on, up to MF_GFS_MAX; *end: behind them. */
static bool parse_count(const char *p, uint32_t *count, const char **end)
{
    uint32_t v = 0;

    for (*end = p; **end >= '0' && **end <= '9' && v <= MF_GFS_MAX; (*end)++)
        v = v * 10 + (uint32_t)(**end - '0');
    *count = v;
    return *end > p && v <= MF_GFS_MAX;
}

/* The word of len bytes at p among words; its number from `first` on. */
static bool parse_word(const char *p, size_t len, const struct kind *k,
                       unsigned *out)
{
    for (unsigned i = 0; k->begins[i] != NULL; i++)
        if (strlen(k->begins[i]) == len && memcmp(k->begins[i], p, len) == 0) {
            *out = k->first + i;
            return true;
        }
    return false;
}

static int bad_item(const struct kind *k, const char *item, size_t len,
                    struct err *e)
{
    char words[64] = "";
    size_t n = 0;

    for (unsigned i = 0; k->begins[i] != NULL; i++)
        n +=
            (size_t)snprintf(words + n, sizeof(words) - n, " %s", k->begins[i]);
    return err_set(e, ERR_USAGE, 0,
                   "\"%.*s\": write %s=N, or %s=N@ and one of%s; N is at most "
                   "%u",
                   (int)(len < 40 ? len : 40), item, k->name, k->name, words,
                   MF_GFS_MAX);
}

/* "kind=N" or "kind=N@word"; each kind once. */
static int parse_item(const char *item, size_t len, unsigned *seen,
                      struct eng_gfs_rules *out, struct err *e)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct kind *k = &kinds[i];
        size_t name = strlen(k->name);
        uint32_t count = 0;
        const char *end = NULL;
        unsigned begin = begin_of(&ENG_GFS_NONE, k->bit);
        if (len <= name || memcmp(item, k->name, name) != 0 ||
            item[name] != '=')
            continue;
        if ((*seen & k->bit) != 0)
            return err_set(e, ERR_USAGE, 0, "%s is there twice", k->name);
        *seen |= k->bit;
        if (!parse_count(item + name + 1, &count, &end))
            return bad_item(k, item, len, e);
        size_t rest = (size_t)(item + len - end);
        if (rest > 0 &&
            (*end != '@' || !parse_word(end + 1, rest - 1, k, &begin)))
            return bad_item(k, item, len, e);
        set(out, k->bit, count, begin);
        return 0;
    }
    return err_set(e, ERR_USAGE, 0,
                   "\"%.*s\": write weekly=4, monthly=12 or yearly=3, or "
                   "several with commas between them",
                   (int)(len < 40 ? len : 40), item);
}

int eng_gfs_parse(const char *text, struct eng_gfs_rules *out, struct err *e)
{
    unsigned seen = 0;

    *out = ENG_GFS_NONE;
    for (const char *p = text;; p++) {
        size_t len = strcspn(p, ",");
        if (parse_item(p, len, &seen, out, e) < 0)
            return -1;
        p += len;
        if (*p == '\0')
            break;
    }
    if (out->weekly == 0 && out->monthly == 0 && out->yearly == 0)
        return err_set(e, ERR_USAGE, 0, "\"%s\" keeps nothing", text);
    return 0;
}

void eng_gfs_format(const struct eng_gfs_rules *r, char out[ENG_GFS_TEXT_CHARS])
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct kind *k = &kinds[i];
        uint32_t count = eng_gfs_count(r, k->bit);
        if (count == 0)
            continue;
        n += (size_t)snprintf(out + n, ENG_GFS_TEXT_CHARS - n,
                              "%s%s=%" PRIu32 "@%s", n > 0 ? "," : "", k->name,
                              count, k->begins[begin_of(r, k->bit) - k->first]);
    }
}

/* The day on which the flag's month begins in a month. */
static int64_t month_start(const struct eng_gfs_rules *r, struct civil_date d)
{
    if (r->week == ENG_GFS_LAST_WEEK)
        d.day = civil_month_days(d.year, d.month) - 6;
    else
        d.day = (int)(r->week - 1) * 7 + 1;
    return civil_to_day(d);
}

static void month_period(const struct eng_gfs_rules *r, int64_t day,
                         int64_t *from, int64_t *until)
{
    struct civil_date first = civil_from_day(day);

    first.day = 1;
    *from = month_start(r, first);
    if (day < *from) {
        *until = *from;
        *from = month_start(r, civil_add_months(first, -1));
    } else {
        *until = month_start(r, civil_add_months(first, 1));
    }
}

void eng_gfs_period(const struct eng_gfs_rules *r, unsigned kind, int64_t day,
                    int64_t *from, int64_t *until)
{
    if (kind == MF_GFS_WEEKLY) {
        *from = day - (civil_weekday(day) - (int)r->weekday + 7) % 7;
        *until = *from + 7;
        return;
    }
    if (kind == MF_GFS_MONTHLY) {
        month_period(r, day, from, until);
        return;
    }
    struct civil_date d = civil_from_day(day);
    struct civil_date first = { d.year - (d.month < (int)r->month),
                                (int)r->month, 1 };
    *from = civil_to_day(first);
    first.year++;
    *until = civil_to_day(first);
}

static bool taken(const struct eng_gfs_rules *r, const struct eng_zone *zone,
                  unsigned kind, const struct eng_kept *series, size_t n,
                  int64_t time)
{
    int64_t from = 0;
    int64_t until = 0;

    eng_gfs_period(r, kind, eng_zone_day(zone, time), &from, &until);
    for (size_t i = 0; i < n; i++) {
        if (series[i].damaged || (series[i].gfs & kind) == 0)
            continue;
        int64_t day = eng_zone_day(zone, series[i].time);
        if (day >= from && day < until)
            return true;
    }
    return false;
}

unsigned eng_gfs_flags(const struct eng_gfs_rules *r,
                       const struct eng_zone *zone,
                       const struct eng_kept *series, size_t n, int64_t time)
{
    unsigned flags = 0;

    for (size_t i = 0; i < N_KINDS; i++) {
        if (eng_gfs_count(r, kinds[i].bit) == 0)
            continue;
        if (taken(r, zone, kinds[i].bit, series, n, time))
            break;
        flags |= kinds[i].bit;
    }
    return flags;
}

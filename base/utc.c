// SPDX-License-Identifier: Apache-2.0
/* Dates without the C library's calendar: no time zone, no locale, no shared
 * state. */
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"

#define DAY_SECONDS INT64_C(86400)

struct civil {
    int year, month, day; /* from 1 */
    int hour, minute, second;
    int weekday; /* 0: Sunday */
};

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char day_names[] = "SunMonTueWedThuFriSat";

static int64_t shift_seconds; /* written once, before there are threads */

static struct civil civil_of(int64_t t)
{
    if (t < 0)
        t = 0;
    if (t > UTC_LAST)
        t = UTC_LAST;
    int64_t day = t / DAY_SECONDS;
    int secs = (int)(t % DAY_SECONDS);
    struct civil_date d = civil_from_day(day);

    return (struct civil){
        .year = d.year,
        .month = d.month,
        .day = d.day,
        .hour = secs / 3600,
        .minute = secs / 60 % 60,
        .second = secs % 60,
        .weekday = civil_weekday(day),
    };
}

/* False where c is no date and time between 1970 and 9999. */
static bool civil_to_seconds(const struct civil *c, int64_t *t)
{
    if (c->year < 1970 || c->year > 9999 || c->month < 1 || c->month > 12 ||
        c->day < 1 || c->day > civil_month_days(c->year, c->month) ||
        c->hour > 23 || c->minute > 59 || c->second > 59)
        return false;
    int secs = c->hour * 3600 + c->minute * 60 + c->second;
    struct civil_date d = { c->year, c->month, c->day };
    *t = civil_to_day(d) * DAY_SECONDS + secs;
    return true;
}

int64_t utc_real_now(void)
{
    struct timespec ts = { 0 };

    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec;
}

int64_t utc_now(void)
{
    return utc_real_now() + shift_seconds;
}

int64_t utc_shift(void)
{
    return shift_seconds;
}

int utc_shift_from_env(struct err *e)
{
    const char *text = getenv("OBJVAULT_NOW");
    int64_t t = 0;

    shift_seconds = 0;
    if (text == NULL)
        return 0;
    if (!utc_parse_iso(text, &t))
        return err_set(e, ERR_USAGE, 0,
                       "OBJVAULT_NOW: \"%s\" is no time like "
                       "2026-01-31T22:00:00Z",
                       text);
    shift_seconds = t - utc_real_now();
    return 0;
}

int64_t utc_mono_ns(void)
{
    struct timespec ts = { 0 };

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

int64_t utc_mono_ms(void)
{
    return utc_mono_ns() / 1000000;
}

/* v in decimal with leading zeros, `width` digits, no NUL. */
static void put_digits(char *at, int width, int v)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + v % 10);
        v /= 10;
    }
}

void utc_format_iso(int64_t t, char out[UTC_ISO_CHARS])
{
    struct civil c = civil_of(t);

    memcpy(out, "0000-00-00T00:00:00Z", UTC_ISO_CHARS);
    put_digits(out, 4, c.year);
    put_digits(out + 5, 2, c.month);
    put_digits(out + 8, 2, c.day);
    put_digits(out + 11, 2, c.hour);
    put_digits(out + 14, 2, c.minute);
    put_digits(out + 17, 2, c.second);
}

void utc_format_basic(int64_t t, char out[UTC_BASIC_CHARS])
{
    struct civil c = civil_of(t);

    memcpy(out, "00000000T000000Z", UTC_BASIC_CHARS);
    put_digits(out, 4, c.year);
    put_digits(out + 4, 2, c.month);
    put_digits(out + 6, 2, c.day);
    put_digits(out + 9, 2, c.hour);
    put_digits(out + 11, 2, c.minute);
    put_digits(out + 13, 2, c.second);
}

void utc_format_http(int64_t t, char out[UTC_HTTP_CHARS])
{
    struct civil c = civil_of(t);

    memcpy(out, "Day, 00 Mon 0000 00:00:00 GMT", UTC_HTTP_CHARS);
    memcpy(out, day_names + (size_t)c.weekday * 3, 3);
    put_digits(out + 5, 2, c.day);
    memcpy(out + 8, month_names + (size_t)(c.month - 1) * 3, 3);
    put_digits(out + 12, 4, c.year);
    put_digits(out + 17, 2, c.hour);
    put_digits(out + 20, 2, c.minute);
    put_digits(out + 23, 2, c.second);
}

/* Index of the three letters at s in a string of such names, or -1. */
static int find_name(const char *names, const char *s)
{
    for (int i = 0; names[(size_t)i * 3] != '\0'; i++) {
        if (memcmp(names + (size_t)i * 3, s, 3) == 0)
            return i;
    }
    return -1;
}

/*
 * Matches s against a pattern and fills c.  In the pattern 0 to 5 stand for one
 * digit of the year, month, day, hour, minute and second, ? for any character,
 * and all else for itself.  Returns the characters matched, which are the whole
 * pattern, or 0.
 */
static size_t scan(const char *pattern, const char *s, struct civil *c)
{
    int *const fields[] = { &c->year, &c->month,  &c->day,
                            &c->hour, &c->minute, &c->second };
    size_t i = 0;

    for (; pattern[i] != '\0'; i++) {
        if (s[i] == '\0')
            return 0;
        if (pattern[i] >= '0' && pattern[i] <= '5') {
            int *field = fields[pattern[i] - '0'];
            if (s[i] < '0' || s[i] > '9')
                return 0;
            *field = *field * 10 + (s[i] - '0');
        } else if (pattern[i] != '?' && pattern[i] != s[i]) {
            return 0;
        }
    }
    return i;
}

bool utc_parse_iso(const char *s, int64_t *t)
{
    struct civil c = { 0 };
    size_t n = scan("0000-11-22T33:44:55Z", s, &c);

    return n > 0 && s[n] == '\0' && civil_to_seconds(&c, t);
}

bool utc_parse_basic(const char *s, int64_t *t)
{
    struct civil c = { 0 };
    size_t n = scan("00001122T334455Z", s, &c);

    return n > 0 && s[n] == '\0' && civil_to_seconds(&c, t);
}

/* "Z", "+hh:mm" or "-hh:mm", and nothing behind it. */
static bool scan_offset(const char *s, int64_t *seconds)
{
    struct civil c = { 0 };

    *seconds = 0;
    if (strcmp(s, "Z") == 0)
        return true;
    if (s[0] != '+' && s[0] != '-')
        return false;
    size_t n = scan("33:44", s + 1, &c);
    if (n == 0 || s[1 + n] != '\0' || c.hour > 23 || c.minute > 59)
        return false;
    *seconds = (int64_t)c.hour * 3600 + (int64_t)c.minute * 60;
    if (s[0] == '-')
        *seconds = -*seconds;
    return true;
}

bool utc_parse_rfc3339(const char *s, int64_t *t)
{
    struct civil c = { 0 };
    size_t n = scan("0000-11-22T33:44:55", s, &c);
    int64_t local = 0;
    int64_t offset = 0;

    if (n == 0 || !civil_to_seconds(&c, &local))
        return false;
    if (s[n] == '.') {
        size_t digits = strspn(s + n + 1, "0123456789");
        if (digits == 0)
            return false;
        n += 1 + digits;
    }
    if (!scan_offset(s + n, &offset))
        return false;
    local -= offset;
    if (local < 0 || local > UTC_LAST)
        return false;
    *t = local;
    return true;
}

bool utc_parse_http(const char *s, int64_t *t)
{
    struct civil c = { 0 };
    size_t n = scan("???, 22 ??? 0000 33:44:55 GMT", s, &c);
    int64_t at = 0;

    if (n == 0 || s[n] != '\0')
        return false;
    c.month = find_name(month_names, s + 8) + 1;
    if (!civil_to_seconds(&c, &at) ||
        civil_of(at).weekday != find_name(day_names, s))
        return false;
    *t = at;
    return true;
}

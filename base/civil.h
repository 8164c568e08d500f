// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

/* Dates of the Gregorian calendar, without time and zone.  A day's number
 * counts from 1970-01-01, which is day 0.  Pure; any thread. */
#include <stdint.h>

struct civil_date {
    int year;
    int month; /* 1 to 12 */
    int day;   /* from 1 */
};

/* The number of a day; the date must be real. */
int64_t civil_to_day(struct civil_date d);
struct civil_date civil_from_day(int64_t day);

/* 0: Sunday. */
int civil_weekday(int64_t day);

/* "sun" to "sat", "jan" to "dec"; NULL-terminated. */
extern const char *const civil_weekday_words[];
extern const char *const civil_month_words[];

/* How many days month 1 to 12 of a year has. */
int civil_month_days(int year, int month);

/* The date n months later (earlier: n below 0).  Where that month has no such
 * day, its last one. */
struct civil_date civil_add_months(struct civil_date d, int n);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_RETENTION_GFS_H
#define ENGINE_RETENTION_GFS_H

/*
 * Weekly, monthly and yearly points (grandfather, father, son): which point
 * gets which flag.  Pure; any thread.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/calendar/zone.h"
#include "engine/retention/retention.h"

enum { ENG_GFS_LAST_WEEK = 5 };

/* How many periods a flag keeps its point, and when periods begin. */
struct eng_gfs_rules {
    uint32_t weekly, monthly, yearly; /* 0: this kind is not counted */
    unsigned weekday;                 /* the week begins on it; 0: Sunday */
    unsigned week;  /* the month begins with it; 1 to 4: on day 1, 8, 15, 22;
                       ENG_GFS_LAST_WEEK: seven days before its end */
    unsigned month; /* the year begins with it; 1 to 12 */
};

/* Nothing counted; weeks from Sunday, months from the first week, years from
 * January. */
#define ENG_GFS_NONE                                                           \
    (struct eng_gfs_rules)                                                     \
    {                                                                          \
        .week = 1, .month = 1                                                  \
    }

/* "weekly=4@sun,monthly=12@1st,yearly=3@jan": any of the three, each once, at
 * least one above 0; what stands behind @ may be left out.  ERR_USAGE. */
int eng_gfs_parse(const char *text, struct eng_gfs_rules *out, struct err *e)
    __attribute__((warn_unused_result));

#define ENG_GFS_TEXT_CHARS 64
/* The kinds that are counted, in that form; "" for none. */
void eng_gfs_format(const struct eng_gfs_rules *r,
                    char out[ENG_GFS_TEXT_CHARS]);

/* How many of a kind (one bit of enum mf_gfs) the rules count. */
uint32_t eng_gfs_count(const struct eng_gfs_rules *r, unsigned kind);

/* The period of a kind that a day lies in: days (numbers, civil.h) from *from
 * up to *until, which is the next one's first. */
void eng_gfs_period(const struct eng_gfs_rules *r, unsigned kind, int64_t day,
                    int64_t *from, int64_t *until);

/* The flags (enum mf_gfs) of a point that is made at `time`: of each counted
 * kind one for the first point of a period, whatever day of it that is.  A
 * point of the period that has the flag, made earlier or (the clock went back)
 * later, leaves none for this one.  Where several kinds are counted, a larger
 * one only goes to a point that has the next smaller one too.  series: the
 * VM's points before it, at least those of the periods that `time` lies in, in
 * any order; damaged ones count for nothing. */
unsigned eng_gfs_flags(const struct eng_gfs_rules *r,
                       const struct eng_zone *zone,
                       const struct eng_kept *series, size_t n, int64_t time);

#endif

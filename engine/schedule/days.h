// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_SCHEDULE_DAYS_H
#define ENGINE_SCHEDULE_DAYS_H

/*
 * Days without a time, in the words of schedules; pure, any thread:
 *
 *   sat,sun | mon-thu | weekdays
 *   monthly first|second|third|fourth|last sat [in jan,jul]
 *   monthly day 15 [in ...]         monthly last day [in ...]
 */
#include "engine/schedule/schedule.h"

/* s: kind, weekdays, week, weekday, day and months.  ERR_USAGE: not that, or
 * no day at all. */
int eng_days_parse(const char *text, struct eng_schedule *s, struct err *e)
    __attribute__((warn_unused_result));

/* Whether a day (its number, civil.h) is one of them. */
bool eng_days_have(const struct eng_schedule *s, int64_t day);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Private to engine/schedule. */
#ifndef ENGINE_SCHEDULE_SCHEDULE_WORDS_H
#define ENGINE_SCHEDULE_SCHEDULE_WORDS_H

/* The words of a schedule's text, for reading and writing it. */
#include "engine/schedule/schedule.h"

#define DAY_MIN (24 * 60)
#define ALL_DAYS 0x7fu
#define WEEKDAYS 0x3eu      /* Monday to Friday */
#define ALL_MONTHS 0x1ffeu  /* bits 1 to 12 */
#define ALL_HOURS 0xffffffu /* bits 0 to 23 */

/* In the order of enum eng_schedule_kind; NULL-terminated, as the others. */
extern const char *const eng_schedule_kind_words[];
/* Of the weeks of a month, from 1 on; the last is LAST_WEEK. */
extern const char *const eng_schedule_week_words[];

#endif

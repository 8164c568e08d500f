// SPDX-License-Identifier: Apache-2.0
/* Private to engine/schedule. */
#ifndef ENGINE_SCHEDULE_MOMENTS_H
#define ENGINE_SCHEDULE_MOMENTS_H

/* The moments of a schedule in a zone that is open: when it begins runs, and
 * when its window is open.  Pure; any thread. */
#include "engine/calendar/zone.h"
#include "engine/schedule/schedule.h"

/* True where a run may begin at t, or go on. */
bool eng_window_open(const struct eng_schedule *s, const struct eng_zone *z,
                     int64_t t);

/* The first moment from t on at which the window is open; t where it is. */
int64_t eng_window_opens(const struct eng_schedule *s, const struct eng_zone *z,
                         int64_t t);

/* The first moment > t at which the window, open at t, is closed; NEVER
 * without a window. */
int64_t eng_window_closes(const struct eng_schedule *s,
                          const struct eng_zone *z, int64_t t);

/* When the window, closed at t, closed; or two weeks before t, if that is
 * later. */
int64_t eng_window_closed_since(const struct eng_schedule *s,
                                const struct eng_zone *z, int64_t t);

/* As eng_schedule_next and eng_schedule_end. */
int64_t eng_moment_next(const struct eng_schedule *s, const struct eng_zone *z,
                        int64_t after);
int64_t eng_moment_end(const struct eng_schedule *s, const struct eng_zone *z,
                       int64_t start);

#endif

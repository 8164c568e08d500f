// SPDX-License-Identifier: Apache-2.0
/* Private to engine/history/report*.c. */
#ifndef ENGINE_HISTORY_REPORT_IMPL_H
#define ENGINE_HISTORY_REPORT_IMPL_H

#include "base/units.h"
#include "engine/calendar/zone.h"
#include "engine/history/report.h"

#define ENG_REPORT_WHEN_CHARS 24

/* Seconds that the run took; 0 while it is under way. */
int64_t eng_report_seconds(const struct eng_run_record *r);

/* The zone of the report's times: UTC where this machine does not know it.
 * NULL: ERR_NOMEM. */
struct eng_zone *eng_report_zone(const struct eng_report *r, const char **name,
                                 struct err *e);
/* "2026-11-28 22:00:05" there; "-" where t is 0. */
void eng_report_when(const struct eng_zone *z, int64_t t,
                     char out[ENG_REPORT_WHEN_CHARS]);

/* Appends ", by schedule, 2 tries": how it came about. */
void eng_report_origin(const struct eng_run_record *r, struct buf *out);

/* "94.2 MiB/s"; "-" where nothing was measured. */
void eng_report_rate(uint64_t bytes, double seconds,
                     char out[UNITS_TEXT_CHARS]);
/* "12.3 s", "3m 20s". */
void eng_report_took(double seconds, char out[UNITS_TEXT_CHARS]);

/* Appends text for HTML: what is markup is escaped, and what is no character of
 * a document (controls, bytes that are not UTF-8) becomes U+FFFD. */
void eng_report_escape(struct buf *out, const char *text);

/* Appends an entry of a picture's key: a box of this class, and what it is. */
void eng_report_legend(struct buf *out, const char *class, const char *text);

/* Appends the pictures. */
void eng_report_trend(const struct eng_report *r, const struct eng_zone *z,
                      struct buf *out);
void eng_report_chains(const struct eng_report *r, const struct eng_zone *z,
                       struct buf *out);

extern const char eng_report_style[]; /* CSS */

#endif

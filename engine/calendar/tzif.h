// SPDX-License-Identifier: Apache-2.0
/* Private to engine/calendar. */
#ifndef ENGINE_CALENDAR_TZIF_H
#define ENGINE_CALENDAR_TZIF_H

/* The bytes of a time zone file (TZif, RFC 8536), decoded: what local time is
 * at any instant.  Pure, over hostile bytes. */
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/span.h"

/* Larger than any of the database's. */
#define ENG_TZ_FILE_MAX (1u << 20)

/* A day of each year, as the file's last line gives it. */
struct eng_tz_day {
    enum {
        ENG_TZ_WEEKDAY, /* weekday of the week-th week of month (5: last) */
        ENG_TZ_JULIAN,  /* day 1 to 365, leap days not counted */
        ENG_TZ_ORDINAL, /* day 0 to 365, leap days counted */
    } form;
    int month, week, day;
    int32_t time_s; /* of the local clock before the change */
};

/* The rule for all times behind the last transition. */
struct eng_tz_rule {
    bool present;
    bool summer; /* else standard time all the year */
    int32_t standard_s, summer_s;
    struct eng_tz_day begin, end; /* of summer time */
};

struct eng_tz {
    struct eng_tz_step {
        int64_t at; /* from this instant on */
        int32_t offset_s;
    } * steps; /* owned; ascending */
    size_t n;
    int32_t before_s; /* before the first step */
    struct eng_tz_rule rule;
};

/* ERR_CORRUPT: not such a file; ERR_UNSUPPORTED: one without 64-bit times, or
 * with leap seconds; ERR_NOMEM. */
int eng_tz_decode(struct span bytes, struct eng_tz *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_tz_fini(struct eng_tz *z);
#define AUTO_ENG_TZ AUTO(eng_tz_fini)

/* Local time minus UTC at t, in seconds; always less than 26 hours either way.
 * *next: an instant after t up to which it stays so; INT64_MAX: for ever. */
int32_t eng_tz_offset(const struct eng_tz *z, int64_t t, int64_t *next);

/* The file's last line, such as "CET-1CEST,M3.5.0,M10.5.0/3". */
bool eng_tz_rule_parse(struct span text, struct eng_tz_rule *out);
/* The same as eng_tz_offset, by a rule. */
int32_t eng_tz_rule_offset(const struct eng_tz_rule *r, int64_t t,
                           int64_t *next);

#endif

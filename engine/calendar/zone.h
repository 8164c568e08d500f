// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CALENDAR_ZONE_H
#define ENGINE_CALENDAR_ZONE_H

/*
 * Calendar days in a time zone, by the zone database of this machine.  The
 * files are read here, not by the C library: its zone is one for the whole
 * process and lives in the environment, which other threads read.
 */
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"

#define ENG_ZONE_NAME_CHARS 256

struct eng_zone; /* immutable; any thread */

/* Opens a zone by its IANA name ("Europe/Berlin"); "UTC" needs no database.
 * NULL: ERR_USAGE, no such zone (or no database) on this machine; ERR_NOMEM. */
struct eng_zone *eng_zone_open(const char *name, struct err *e);
void eng_zone_close(struct eng_zone *z); /* NULL is fine */

/* The local day at instant t (unix seconds), as a day's number (civil.h). */
int64_t eng_zone_day(const struct eng_zone *z, int64_t t);

/* The first instant at which the local clock shows this day or a later one:
 * midnight, or what comes instead of it where the clock jumps. */
int64_t eng_zone_day_start(const struct eng_zone *z, int64_t day);

/* The first instant at which the local clock shows `local` or later: seconds
 * from 1970-01-01 on as if local time were UTC.  A time that is jumped over is
 * the end of the jump; of one that comes twice it is the first. */
int64_t eng_zone_first(const struct eng_zone *z, int64_t local);

/* Local time minus UTC at t, in seconds.  *next: an instant after t up to which
 * it stays so; INT64_MAX: for ever. */
int32_t eng_zone_offset(const struct eng_zone *z, int64_t t, int64_t *next);

/* The name of this machine's zone, as /etc/localtime tells it; "UTC" where it
 * does not, or the database has no such zone. */
void eng_zone_here(char name[ENG_ZONE_NAME_CHARS]);

static inline void eng_zone_closep(struct eng_zone **z)
{
    eng_zone_close(*z);
}
#define AUTO_ENG_ZONE AUTO(eng_zone_closep)

#endif

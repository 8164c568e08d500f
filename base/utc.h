// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_UTC_H
#define BASE_UTC_H

/* Time as whole seconds since 1970, UTC.  Formats: "2026-11-22T10:00:00Z"
 * (ISO), "20261122T100000Z" (basic, in object names), HTTP dates.  Years 1970
 * to 9999.  Thread-safe; no time zone of the process is ever used. */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define UTC_ISO_CHARS 21   /* with NUL */
#define UTC_BASIC_CHARS 17 /* with NUL */
#define UTC_HTTP_CHARS 30  /* with NUL */

#define UTC_LAST INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* The real time. */
int64_t utc_real_now(void);

/* The engine's idea of the time: real time plus the offset that
 * utc_shift_from_env found; for names, schedules and retention. */
int64_t utc_now(void);

/* Reads OBJVAULT_NOW (ISO) once, at start, before threads; ERR_USAGE where it
 * is no time. */
int utc_shift_from_env(struct err *e) __attribute__((warn_unused_result));

/* That offset, in seconds. */
int64_t utc_shift(void);

/* A clock that never jumps, in milliseconds and nanoseconds. */
int64_t utc_mono_ms(void);
int64_t utc_mono_ns(void);

void utc_format_iso(int64_t t, char out[UTC_ISO_CHARS]);
void utc_format_basic(int64_t t, char out[UTC_BASIC_CHARS]);
void utc_format_http(int64_t t, char out[UTC_HTTP_CHARS]);

/* Strict: exactly the form above, a real date. */
bool utc_parse_iso(const char *s, int64_t *t);
bool utc_parse_basic(const char *s, int64_t *t);
/* What S3 servers send: RFC 3339 with any number of fraction digits (cut off),
 * "Z" or a numeric offset. */
bool utc_parse_rfc3339(const char *s, int64_t *t);
/* IMF-fixdate of RFC 9110 5.6.7. */
bool utc_parse_http(const char *s, int64_t *t);

#endif

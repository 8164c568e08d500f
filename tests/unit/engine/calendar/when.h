// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_CALENDAR_WHEN_H
#define TESTS_UNIT_ENGINE_CALENDAR_WHEN_H

/* Times as the tables of tests write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/utc.h"

/* "2026-01-31T12:00:00Z"; a mere date is its noon. */
static inline int64_t when(const char *text)
{
    char iso[UTC_ISO_CHARS];
    int64_t t = 0;

    snprintf(iso, sizeof(iso), "%s%s", text,
             strlen(text) == 10 ? "T12:00:00Z" : "");
    if (!utc_parse_iso(iso, &t))
        fail_msg("%s is no time", text);
    return t;
}

static inline void same_time(int64_t got, const char *want, const char *what)
{
    char iso[UTC_ISO_CHARS];

    utc_format_iso(got, iso);
    if (strcmp(iso, want) != 0)
        fail_msg("%s: %s, not %s", what, iso, want);
}

#endif

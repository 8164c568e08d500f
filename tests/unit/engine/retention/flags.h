// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_RETENTION_FLAGS_H
#define TESTS_UNIT_ENGINE_RETENTION_FLAGS_H

/* Flags as the tables of these tests write them. */
#include "engine/retention/retention.h"
#include "tests/unit/engine/calendar/when.h"

/* "WM": weekly and monthly. */
static inline unsigned flags_of(const char *letters)
{
    return (strchr(letters, 'W') != NULL ? MF_GFS_WEEKLY : 0u) |
           (strchr(letters, 'M') != NULL ? MF_GFS_MONTHLY : 0u) |
           (strchr(letters, 'Y') != NULL ? MF_GFS_YEARLY : 0u);
}

#endif

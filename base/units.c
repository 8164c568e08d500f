// SPDX-License-Identifier: Apache-2.0
/*
 * Sizes and durations as people write and read them.
 */
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

/* Digits from *s on; *s ends behind them.  False without one, or where the
 * number does not fit. */
static bool scan_number(const char **s, uint64_t *out)
{
    const char *at = *s;
    uint64_t v = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (!checked_mul(v, 10, &v) ||
            !checked_add(v, (uint64_t)(*at - '0'), &v))
            return false;
    }
    if (at == *s)
        return false;
    *s = at;
    *out = v;
    return true;
}

bool units_parse_size(const char *s, uint64_t *bytes)
{
    static const char letters[] = "KMGTPE";
    uint64_t v = 0;
    uint64_t unit = 1;

    if (!scan_number(&s, &v))
        return false;
    if (*s != '\0') {
        const char *at = strchr(letters, *s);
        if (at == NULL || s[1] != '\0')
            return false;
        unit = UINT64_C(1) << (10 * (at - letters + 1));
    }
    return checked_mul(v, unit, bytes);
}

static uint64_t duration_unit(char c)
{
    switch (c) {
    case '\0':
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return UINT64_C(7) * 86400;
    default:
        return 0;
    }
}

bool units_parse_duration(const char *s, int64_t *seconds)
{
    uint64_t v = 0;

    if (!scan_number(&s, &v))
        return false;
    uint64_t unit = duration_unit(*s);
    if (unit == 0 || (*s != '\0' && s[1] != '\0'))
        return false;
    if (!checked_mul(v, unit, &v) || v > INT64_MAX)
        return false;
    *seconds = (int64_t)v;
    return true;
}

void units_format_size(uint64_t bytes, char out[UNITS_TEXT_CHARS])
{
    static const char *const names[] = { "B",   "KiB", "MiB", "GiB",
                                         "TiB", "PiB", "EiB" };
    size_t unit = 0;
    double v = (double)bytes;

    if (bytes < 1024) {
        snprintf(out, UNITS_TEXT_CHARS, "%" PRIu64 " B", bytes);
        return;
    }
    /* 1023.95 would be printed as 1024.0 of the smaller unit. */
    while (v >= 1023.95 && unit + 1 < sizeof(names) / sizeof(names[0])) {
        v /= 1024;
        unit++;
    }
    snprintf(out, UNITS_TEXT_CHARS, "%.1f %s", v, names[unit]);
}

void units_format_duration(int64_t seconds, char out[UNITS_TEXT_CHARS])
{
    const char *sign = seconds < 0 ? "-" : "";
    /* Negated as unsigned: INT64_MIN has no positive twin. */
    uint64_t s = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    static const struct {
        uint64_t big, small;
        char big_name, small_name;
    } steps[] = {
        { 86400, 3600, 'd', 'h' },
        { 3600, 60, 'h', 'm' },
        { 60, 1, 'm', 's' },
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (s < steps[i].big)
            continue;
        uint8_t rest = (uint8_t)(s % steps[i].big / steps[i].small);
        snprintf(out, UNITS_TEXT_CHARS, "%s%" PRIu64 "%c %u%c", sign,
                 s / steps[i].big, steps[i].big_name, rest,
                 steps[i].small_name);
        return;
    }
    snprintf(out, UNITS_TEXT_CHARS, "%s%" PRIu64 " s", sign, s);
}

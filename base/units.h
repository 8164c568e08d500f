// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

/* Sizes ("256K", "4M", "1G", powers of 1,024), rates ("10M" a second) and
 * durations ("30s", "15m", "12h", "7d", "3w") as people write them. */
#include <stdbool.h>
#include <stdint.h>

#define UNITS_TEXT_CHARS 32

/* Digits and at most one unit: K M G T P E, or s m h d w; without one bytes, or
 * seconds.  False for anything else, or on overflow. */
bool units_parse_size(const char *s, uint64_t *bytes);
bool units_parse_duration(const char *s, int64_t *seconds);

/* "4.0 MiB", "512 B"; "3d 4h", "12 s".  For people only. */
void units_format_size(uint64_t bytes, char out[UNITS_TEXT_CHARS]);
void units_format_duration(int64_t seconds, char out[UNITS_TEXT_CHARS]);

#endif

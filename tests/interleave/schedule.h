// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_SCHEDULE_H
#define TESTS_INTERLEAVE_SCHEDULE_H

/* One schedule: a repository, some hosts, some weather, all from one seed. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule_regime {
    const char *name;
    bool folder; /* the driver for folders, else the one in memory */
    bool locked; /* a locked repository */
};

extern const struct schedule_regime schedule_regimes[];
extern const size_t schedule_regimes_n;

/* Plays it.  False: something that must hold did not; `why` says it. */
bool schedule_play(const struct schedule_regime *g, uint64_t seed, bool trace,
                   char *why, size_t cap);

#endif

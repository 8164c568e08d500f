// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_QUICK_TUNING_H
#define TESTS_UNIT_OBJSTORE_QUICK_TUNING_H

#include "objstore/retry.h"

/* The default tuning, a hundred times faster. */
static inline struct obj_tuning quick_tuning(void)
{
    struct obj_tuning t = obj_tuning_default;

    for (int i = 0; i < OBJ_RULES; i++) {
        t.rules[i].base_ms = t.rules[i].base_ms > 0 ? 1 : 0;
        t.rules[i].cap_ms /= 1000;
    }
    t.pace.grow_ms /= 20;
    t.pace.shrink_ms /= 20;
    t.pace.probe_ms /= 50;
    t.pace.slice_ms = 2;
    t.deadline_ms = 5000;
    return t;
}

#endif

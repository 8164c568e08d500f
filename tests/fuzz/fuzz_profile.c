// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a profile file of AWS's tools.
#include <stdlib.h>
#include <string.h>

#include "objstore/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "default", "two" };

    for (int i = 0; i < 4; i++) {
        AUTO_OBJ_PROFILE struct obj_profile p = { 0 };
        struct err e;
        if (obj_profile_parse(span_of(data, size), i % 2 == 1, names[i / 2], &p,
                              &e) == 0 &&
            !p.found && p.access_key != NULL)
            abort();
    }
    return 0;
}

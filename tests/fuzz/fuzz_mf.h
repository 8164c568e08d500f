// SPDX-License-Identifier: Apache-2.0
/* Private to the fuzz targets of manifest/. */
#ifndef TESTS_FUZZ_FUZZ_MF_H
#define TESTS_FUZZ_FUZZ_MF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input. */
#define MUST(condition)                                                        \
    do {                                                                       \
        if (!(condition)) {                                                    \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__,      \
                          __LINE__, #condition);                               \
            abort();                                                           \
        }                                                                      \
    } while (0)

#endif

// SPDX-License-Identifier: Apache-2.0
/* Private to the fuzz targets of manifest/. */
#ifndef TESTS_FUZZ_FUZZ_MF_H
#define TESTS_FUZZ_FUZZ_MF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "manifest/keys.h"

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

static inline const struct mf_keys *plain_keys(void)
{
    static struct mf_keys *k; /* lives as long as the program */
    struct err e = { 0 };

    if (k == NULL)
        k = mf_keys_plain(&e);
    MUST(k != NULL);
    return k;
}

/* Those of an encrypted keyset. */
static inline const struct mf_keys *sealed_keys(void)
{
    static struct mf_keys *k;
    struct err e = { 0 };
    const uint8_t data_key[MF_DATA_KEY_BYTES] = { 1, 2, 3 };

    if (k == NULL)
        k = mf_keys_derive("000102030405060708090a0b0c0d0e0f",
                           "k-0123456789abcdef",
                           span_of(data_key, sizeof(data_key)), &e);
    MUST(k != NULL);
    return k;
}

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef MANIFEST_ID_H
#define MANIFEST_ID_H

/* Names of blocks and pages: 32 bytes, 64 lower-case hex digits in text. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/span.h"

#define MF_ID_BYTES 32
#define MF_ID_CHARS 65 /* hex with NUL */

struct mf_id {
    uint8_t b[MF_ID_BYTES];
};

static inline bool mf_id_eq(const struct mf_id *a, const struct mf_id *b)
{
    return memcmp(a->b, b->b, MF_ID_BYTES) == 0;
}

static inline struct span mf_id_span(const struct mf_id *id)
{
    return span_of(id->b, MF_ID_BYTES);
}

void mf_id_hex(const struct mf_id *id, char out[MF_ID_CHARS]);
bool mf_id_parse(const char *hex, struct mf_id *id); /* exactly 64 digits */

/* The id of plaintext in the keyset `plain`: its SHA-256. */
int mf_id_of(struct span plain, struct mf_id *id, struct err *e)
    __attribute__((warn_unused_result));

#endif

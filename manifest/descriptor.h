// SPDX-License-Identifier: Apache-2.0
#ifndef MANIFEST_DESCRIPTOR_H
#define MANIFEST_DESCRIPTOR_H

/* The repository descriptor, objvault.json (FORMAT.md "Descriptor"). */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define MF_FORMAT_VERSION 1
#define MF_REPO_ID_CHARS 33 /* 32 lower-case hex digits and NUL */
#define MF_DESCRIPTOR_JSON_MAX 4096
/* Longest immutability and generation: 36,500 days, so that a time of now and
 * a lock date reckoned from it stay far below the year 9999. */
#define MF_LOCK_SECONDS_MAX (36500ull * 86400)

enum mf_lock_mode { MF_LOCK_COMPLIANCE, MF_LOCK_GOVERNANCE };
enum mf_lock_scope { MF_SCOPE_MINIMUM, MF_SCOPE_RETENTION };

struct mf_descriptor {
    char id[MF_REPO_ID_CHARS];
    int64_t created;
    uint32_t block_size; /* default for new chains */
    bool locked;         /* a locked repository: the rest is set */
    enum mf_lock_mode mode;
    uint64_t immutability_s; /* minimum */
    enum mf_lock_scope scope;
    uint64_t generation_s;
};

/* Appends the canonical JSON; ERR_INTERNAL for values that no reader takes. */
int mf_descriptor_encode(const struct mf_descriptor *d, struct buf *out,
                         struct err *e) __attribute__((warn_unused_result));

/* ERR_UNSUPPORTED for a format version that this program does not know (its
 * number in the message), ERR_CORRUPT for anything else that is wrong. */
int mf_descriptor_decode(struct span bytes, struct mf_descriptor *d,
                         struct err *e) __attribute__((warn_unused_result));

#endif

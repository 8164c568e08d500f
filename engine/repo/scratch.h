// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_SCRATCH_H
#define ENGINE_REPO_SCRATCH_H

/* Private to engine/repo: objects that are there for a moment only, below a
 * folder of their own in gc/: those of the probe and of the benchmark. */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "objstore/store.h"

#define ENG_SCRATCH_CHARS 64

/* "gc/<what>-<16 hex digits>/". */
int eng_scratch_name(const char *what, char out[ENG_SCRATCH_CHARS],
                     struct err *e) __attribute__((warn_unused_result));

/* True for the key of such an object, whosever it is. */
bool eng_scratch_owns(const char *key);

/* Removes everything below base: all versions and delete markers where there
 * are any.  Locks that end within a few seconds are waited for.  An error only
 * leaves more behind.  Once `cancel` is requested it still removes, but waits
 * for no lock, and for no request longer than three seconds.  Returns how many
 * stay, as far as that is known. */
uint64_t eng_scratch_remove(struct obj_store *store, const char *base,
                            const struct cancel *cancel);

/* Looks whether objects put below base stay without a lock: ERR_LOCKED where
 * the bucket's default retention would lock them all.  *known: bucket is
 * filled (these keys may read the settings). */
int eng_scratch_check(struct obj_store *store, const char *base,
                      const struct cancel *cancel, struct obj_bucket *bucket,
                      bool *known, struct err *e)
    __attribute__((warn_unused_result));

#endif

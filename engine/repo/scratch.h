// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_SCRATCH_H
#define ENGINE_REPO_SCRATCH_H

/* Private to engine/repo: objects that are there for a moment only, below a
 * folder of their own in gc/: those of the probe and of the benchmark. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "objstore/store.h"

#define ENG_SCRATCH_CHARS 64

/* "gc/<what>-<16 hex digits>/". */
int eng_scratch_name(const char *what, char out[ENG_SCRATCH_CHARS],
                     struct err *e) __attribute__((warn_unused_result));

/* True for the key of such an object, whosever it is. */
bool eng_scratch_owns(const char *key);

/* What was put into a bucket that keeps versions and does not list them to
 * these keys: each put's answer is all that tells what to remove. */
struct eng_scratch_puts {
    pthread_mutex_t lock;
    bool hidden;     /* else nothing is noted: a listing will tell */
    struct buf text; /* key and version in turn, each with its NUL */
    uint64_t lost;   /* puts that found no room in it */
};

void eng_scratch_puts_init(struct eng_scratch_puts *puts);
void eng_scratch_puts_fini(struct eng_scratch_puts *puts);

/* Asks whether versions below base can be listed, before anything is noted.
 * -1: the storage does not answer. */
int eng_scratch_look(struct eng_scratch_puts *puts, struct obj_store *store,
                     const char *base, const struct cancel *cancel,
                     struct err *e) __attribute__((warn_unused_result));

/* Notes what a put of this key answered.  Any thread. */
void eng_scratch_note(struct eng_scratch_puts *puts, const char *key,
                      const struct obj_info *info);

/* Removes everything below base: all versions and delete markers where there
 * are any; of hidden ones those of `puts` (may be NULL), which is empty then.
 * Locks that end within a few seconds are waited for.  An error only leaves
 * more behind.  Once `cancel` is requested it still removes, but waits for no
 * lock, and for no request longer than three seconds.  Returns how many stay,
 * as far as that is known. */
uint64_t eng_scratch_remove(struct obj_store *store, const char *base,
                            struct eng_scratch_puts *puts,
                            const struct cancel *cancel);

/* Removes what probes and benchmarks that were killed have left: objects,
 * versions and markers more than a day old by the server's clock, which a
 * request must have shown already.  An error only leaves them there. */
void eng_scratch_sweep(struct obj_store *store, const struct cancel *cancel);

/* Looks whether objects put below base stay without a lock: ERR_LOCKED where
 * the bucket's default retention would lock them all.  *known: bucket is
 * filled (these keys may read the settings). */
int eng_scratch_check(struct obj_store *store, const char *base,
                      const struct cancel *cancel, struct obj_bucket *bucket,
                      bool *known, struct err *e)
    __attribute__((warn_unused_result));

#endif

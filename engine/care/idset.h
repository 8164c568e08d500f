// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_IDSET_H
#define ENGINE_CARE_IDSET_H

/*
 * The distinct blocks that points need, in bounded memory: a set holds those
 * whose ids begin with the bytes lo..hi-1.  Where it gets too large it lets go
 * of the upper half of its range; what was let go is the matter of a later pass
 * over the pages.  Not for several threads at once but for eng_idset_find.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "manifest/id.h"

struct eng_idset_slot {
    struct mf_id id;
    uint32_t len; /* bytes of the plaintext; 0: the slot is empty */
    /* Notes of whoever lists: one thread for each first byte. */
    bool there : 1;      /* a version of a size that can be */
    bool hidden : 1;     /* the newest is a delete marker, or of another size */
    bool impossible : 1; /* one of a size that cannot be */
    uint32_t note : 29;  /* of whoever adds; 0 at first */
};
#define ENG_IDSET_NOTE_MAX ((1u << 29) - 1)

struct eng_idset {
    struct eng_idset_slot *slots; /* owned */
    size_t cap, n;
    size_t max;      /* ids; more only in a range of one byte */
    unsigned lo, hi; /* 0 <= lo < hi <= 256 */
};

/* Empties the set and begins a range. */
void eng_idset_begin(struct eng_idset *s, unsigned lo, unsigned hi, size_t max);

/* Adds a block of len bytes, unless it lies outside of the range.  The same id
 * with another length is another element. */
int eng_idset_add(struct eng_idset *s, const struct mf_id *id, uint32_t len,
                  struct err *e) __attribute__((warn_unused_result));

/* Elements of this id, one after the other: first with at NULL; NULL: no more.
 */
struct eng_idset_slot *eng_idset_find(const struct eng_idset *s,
                                      const struct mf_id *id,
                                      struct eng_idset_slot *at);

/* Whether an id is in a sample of ppm millionths: ids are uniform, the seed
 * makes each run choose others. */
bool eng_idset_sampled(const struct mf_id *id, uint64_t seed, unsigned ppm);

void eng_idset_fini(struct eng_idset *s);
#define AUTO_ENG_IDSET AUTO(eng_idset_fini)

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_LOCK_H
#define ENGINE_REPO_LOCK_H

/*
 * Lock dates, as arithmetic (DESIGN.md "Object lock").  A point that is made at
 * time t needs everything until its lock date L.  Each object has a phase of
 * its own within the generation G, and is locked until the first moment of that
 * phase that is not before L: so its lock serves for the points of one more
 * generation, and the days on which objects have to be extended are spread
 * evenly.  Pure functions; times are unix seconds, lengths seconds.
 */
#include <stdint.h>

#include "base/err.h"
#include "manifest/descriptor.h"

#define ENG_LOCK_HASH_BYTES 8

/* Where in a generation (at least 1 s) an object has its phase.  hash: the
 * first bytes of its id; of descriptor, manifests and the like of
 * eng_lock_key_hash. */
uint64_t eng_lock_phase(const uint8_t hash[ENG_LOCK_HASH_BYTES],
                        uint64_t generation_s);

/* The smallest date >= until (which is not negative) in the object's phase. */
int64_t eng_lock_cover(int64_t until, const uint8_t hash[ENG_LOCK_HASH_BYTES],
                       uint64_t generation_s);

/* First bytes of the SHA-256 of a key below the prefix. */
int eng_lock_key_hash(const char *key, uint8_t hash[ENG_LOCK_HASH_BYTES],
                      struct err *e) __attribute__((warn_unused_result));

/* The lock date of a point that is made at t.  retention_end counts under scope
 * retention only; 0: its retention has no end that a lock could wait for. */
int64_t eng_lock_until(enum mf_lock_scope scope, uint64_t immutability_s,
                       int64_t t, int64_t retention_end);

/* After this moment no manifest is signed whose objects were seen to t: a
 * quarter of the immutability, at most twelve hours. */
int64_t eng_lock_sign_before(int64_t t, uint64_t immutability_s);

#endif

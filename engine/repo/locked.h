// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_LOCKED_H
#define ENGINE_REPO_LOCKED_H

/* Private to engine/repo: an open repository's locks.  Time is the server's. */
#include "engine/repo/internal.h"
#include "engine/repo/lock.h"

/* Before a run writes to a locked repository: is the storage still fit for it?
 * ERR_CONFIG, ERR_UNSUPPORTED: not (lockcheck.h); ERR_USAGE: the engine's time
 * is shifted by more than an hour, and lock dates are not.  Nothing on others.
 */
int eng_locked_start(struct eng_repo *r, const struct cancel *cancel,
                     struct err *e) __attribute__((warn_unused_result));

/* The server's time; and the time that lock dates are reckoned from, which is
 * another one only in rehearsals (OBJVAULT_NOW_LOCKS). */
int64_t eng_locked_server_now(struct eng_repo *r);
int64_t eng_locked_now(struct eng_repo *r);

/* The lock date of a point that is made at t. */
int64_t eng_locked_until(const struct eng_repo *r, int64_t t);

/* The lock of an object of this hash for a point that is locked until `until`;
 * none on a repository that is not locked. */
struct obj_lock eng_locked_lock(const struct eng_repo *r, int64_t until,
                                const uint8_t hash[ENG_LOCK_HASH_BYTES]);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_GONE_H
#define ENGINE_REPO_GONE_H

/* Private to engine/repo: what this machine's index remembers of points that
 * are no longer there.  Best effort: without an index nothing is remembered. */
#include "engine/repo/points.h"

/* Whether the index has seen a manifest of this VM and time; its key in *key.
 * Of a point that is not there it means: deleted behind our back, or lost. */
bool eng_gone_was_seen(const struct eng_repo *r, const char *vm, int64_t time,
                       struct mf_key *key);

/* Calls fn for the key of each manifest that the index has seen, in byte
 * order.  fn: -1 with e filled ends it. */
int eng_gone_each(const struct eng_repo *r,
                  int (*fn)(void *ctx, const char *manifest_key, struct err *e),
                  void *ctx, struct err *e) __attribute__((warn_unused_result));

/* The point was deleted on purpose. */
void eng_gone_forget(const struct eng_repo *r, const char *manifest_key);

#endif

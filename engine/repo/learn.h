// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_LEARN_H
#define ENGINE_REPO_LEARN_H

/* Bringing the local index up to date before a run writes. */
#include "engine/repo/repo.h"

/* Opens the index; fills a new one by listing the blocks (in parallel once
 * there are more than a thousand); reads the pages of manifests that it has
 * not seen (other hosts' work, or another process's).  Call once, before any
 * put.  ERR_UNSUPPORTED on a locked repository: this version cannot lock what
 * it writes. */
int eng_repo_prepare_writes(struct eng_repo *r, const struct cancel *cancel,
                            struct err *e) __attribute__((warn_unused_result));

#endif

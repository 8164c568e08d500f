// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_QUOTA_H
#define ENGINE_REPO_QUOTA_H

/*
 * This machine's quotas of a repository.  What counts are the stored bytes of
 * blocks and pages, of every version where versions are kept, needed or not;
 * no manifests and small objects.  The index knows the sum (index.h), so that
 * a run makes no request for it.
 */
#include <stdbool.h>

#include "engine/repo/repo.h"

/* Before a run stores anything, with the index at hand.  ERR_QUOTA: the hard
 * quota is reached; that was found out by a listing made for it. */
int eng_quota_check(struct eng_repo *r, const struct cancel *cancel,
                    struct err *e) __attribute__((warn_unused_result));

/* 1: the soft quota is reached, and text says so; 0; -1. */
int eng_quota_warning(struct eng_repo *r, char *text, size_t cap, struct err *e)
    __attribute__((warn_unused_result));

#endif

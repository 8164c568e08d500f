// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_RUNLEASE_H
#define ENGINE_REPO_RUNLEASE_H

/*
 * A run takes part in a repository: nobody else backs up the same VM meanwhile,
 * and, where no locks protect what it refers to, nobody sweeps (DESIGN.md
 * "Leases and sweeps").
 *
 * In a directory both is done by flock.  In a bucket the run has a lease, which
 * is renewed on the way by whoever works for it (eng_runlease_tick): there is
 * no thread for it, for a lease that ran out costs looking again at what the
 * point needs, and nothing else.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "manifest/point.h"

struct eng_repo;

/* Begins: puts the lease and waits for a run of the same VM, and says so in the
 * log.  One for each repository at a time; after it, and before anything is
 * put, eng_repo_prepare_writes, which waits for sweeps. */
int eng_runlease_begin(struct eng_repo *r, const char *vm,
                       const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

/* Renews the lease where it is time to.  Cheap otherwise; any thread.  A
 * failure is found out at the end. */
void eng_runlease_tick(struct eng_repo *r, const struct cancel *cancel);

/* All that the run refers to was found to be there, or will be put, under the
 * sweep counter that the index has now: when the index was brought up to date
 * at the beginning of the run, and when everything was looked for anew.  Not
 * when the index alone is filled again on the way: what the run refers to
 * already was not looked at then. */
void eng_runlease_rely(struct eng_repo *r);

/* Before the manifest.  Looks at the lease; one that is broken or over is
 * taken anew, which may wait.  *sign_before: as in struct obj_req, of the
 * manifest; 0: no limit.  *swept: somebody has swept since
 * eng_runlease_rely, so that what the point needs may be gone. */
int eng_runlease_confirm(struct eng_repo *r, const struct cancel *cancel,
                         int64_t *sign_before, bool *swept, struct err *e)
    __attribute__((warn_unused_result));

/* The run is over.  The lease is written as ended, unless a request that was
 * made under it may be carried out yet: then it runs out.  Nothing was begun:
 * nothing happens. */
void eng_runlease_end(struct eng_repo *r);

/* The name of a VM by its digest in a lease, where the repository has a point
 * of it; else "". */
int eng_runlease_vm(struct eng_repo *r, const struct cancel *cancel,
                    const char *digest, char out[MF_NAME_MAX + 1],
                    struct err *e) __attribute__((warn_unused_result));

#endif

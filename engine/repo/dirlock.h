// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_DIRLOCK_H
#define ENGINE_REPO_DIRLOCK_H

/*
 * Locks on files (flock) in a repository that is a directory: of gc/lock runs
 * hold a shared one, sweeps an exclusive one; of gc/vm-<hash>.lock the one run
 * that backs up this VM.  The kernel lets them go when a process dies.
 */
#include <stdbool.h>

#include "base/err.h"

#define ENG_DIRLOCK_RUNS "lock"

/* True for the key of such a file, which is no object. */
bool eng_dirlock_owns(const char *key);

/* Tries to lock <dir>/gc/<name>, which is made where it is not there.  1: *fd
 * holds it until it is closed; 0: somebody else has it; -1: ERR_UNSUPPORTED
 * where this file system has no such locks, or another error. */
int eng_dirlock_try(const char *dir, const char *name, bool exclusive, int *fd,
                    struct err *e) __attribute__((warn_unused_result));

/* Whether somebody sweeps: 1, 0; nothing is made. */
int eng_dirlock_is_swept(const char *dir, struct err *e)
    __attribute__((warn_unused_result));

/* Tries between two processes whether locks keep each other out here.
 * ERR_UNSUPPORTED: they do not. */
int eng_dirlock_probe(const char *dir, struct err *e)
    __attribute__((warn_unused_result));

/* Removes the locks of VMs, by somebody who holds the exclusive lock: no run
 * holds one then. */
void eng_dirlock_tidy(const char *dir);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Private to engine/backup. */
#ifndef ENGINE_BACKUP_SYNTHETIC_H
#define ENGINE_BACKUP_SYNTHETIC_H

#include "engine/backup/backup.h"

/* Makes a full of the VM's newest point: what that holds, under a time one
 * second later, as the beginning of a new chain; no block is read or stored.
 * *out: the new point, the caller's also on failure (then maybe NULL).
 * ERR_USAGE: not a simple repository; ERR_NOTFOUND: no point; ERR_CORRUPT: a
 * page of it is lost. */
int eng_synthetic_full(struct eng_repo *repo, const char *vm,
                       const struct eng_backup_opts *o, struct mf_point **out,
                       struct err *e) __attribute__((warn_unused_result));

#endif

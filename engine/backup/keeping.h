// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_BACKUP_KEEPING_H
#define ENGINE_BACKUP_KEEPING_H

/* The retention policy that a new point carries, and its GFS flags. */
#include "engine/repo/point_store.h"
#include "engine/retention/gfs.h"

struct eng_keeping {
    uint32_t days; /* at least 1 */
    struct eng_gfs_rules gfs;
    const char *timezone; /* IANA name */
};

/* Fills p's retention and gfs; p->time is set.  names: the VM's points before
 * it (eng_points_names); of those that share a period with p as many manifests
 * are read as it takes to find the period's flag, the oldest first, and those
 * that were not there before are freed again.  ERR_USAGE: the time zone is not
 * known here. */
int eng_keeping_fill(struct eng_repo *repo, const struct cancel *cancel,
                     const struct eng_keeping *k, struct eng_points *names,
                     struct mf_point *p, struct err *e)
    __attribute__((warn_unused_result));

#endif

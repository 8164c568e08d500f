// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_KEPT_H
#define ENGINE_CARE_KEPT_H

/* Until when each point of a repository stays, and why. */
#include "engine/care/names.h"
#include "engine/repo/points.h"
#include "engine/retention/retention.h"

/* One entry for each point of ps (eng_points_list: whole series), in its order;
 * malloc'd.  They borrow from ps.  The marks of protected points are listed
 * once.  A series whose time zone this machine does not know stays, with a
 * warning in the log.  NULL: e is filled. */
struct eng_kept *eng_kept_judge(struct eng_repo *r, const struct cancel *cancel,
                                const struct eng_points *ps, int64_t now,
                                struct err *e);

/* Of manifests that are not there (keys, in byte order): whether retention
 * would have removed the point, without flags, which are not known any more.
 * One entry for each, malloc'd; false where it cannot be said.  NULL: e is
 * filled. */
bool *eng_kept_were_over(const char *keyset, const struct eng_points *ps,
                         const struct eng_names *gone, int64_t now,
                         struct err *e);

#endif

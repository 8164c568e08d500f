// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_KEPT_H
#define ENGINE_CARE_KEPT_H

/* Until when each point of a repository stays, and why. */
#include "engine/repo/points.h"
#include "engine/retention/retention.h"

/* One entry for each point of ps (eng_points_list: whole series), in its order;
 * malloc'd.  They borrow from ps.  The marks of protected points are listed
 * once.  A series whose time zone this machine does not know stays, with a
 * warning in the log.  NULL: e is filled. */
struct eng_kept *eng_kept_judge(struct eng_repo *r, const struct cancel *cancel,
                                const struct eng_points *ps, int64_t now,
                                struct err *e);

/* Whether retention would have removed a point of this VM and time, were it
 * still there: without flags, which are not known any more.  False where that
 * cannot be said. */
bool eng_kept_was_over(const struct eng_points *ps, const char *vm_key,
                       int64_t time, int64_t now);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_MEND_H
#define ENGINE_CARE_MEND_H

/* Putting a good copy of an object over what hides or replaces it. */
#include "engine/care/look.h"

/* The lock that a version has and still holds; none on repositories without
 * locks.  ERR_DENIED counts as none known: then as for a new point. */
int eng_mend_lock_of(struct eng_repo *r, const struct cancel *cancel,
                     const struct eng_look_want *w, const char *version,
                     struct obj_lock *lock, struct err *e)
    __attribute__((warn_unused_result));

/* The lock of an object that is needed until then (unix seconds). */
int eng_mend_lock_until(struct eng_repo *r, const struct eng_look_want *w,
                        int64_t until, struct obj_lock *lock, struct err *e)
    __attribute__((warn_unused_result));

/* Puts bytes that were verified as the newest version of the object. */
int eng_mend_put(struct eng_repo *r, const struct cancel *cancel,
                 const struct eng_look_want *w, struct span stored,
                 const struct obj_lock *lock, struct err *e)
    __attribute__((warn_unused_result));

#endif

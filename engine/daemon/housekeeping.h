// SPDX-License-Identifier: Apache-2.0
/* Private to engine/daemon/. */
#ifndef ENGINE_DAEMON_HOUSEKEEPING_H
#define ENGINE_DAEMON_HOUSEKEEPING_H

/*
 * Housekeeping: when each repository is collected and checked, and the points
 * of VMs that are gone are looked for.  What was done last is in the state
 * folder, a file for each (housekeeping/gc-NAME); where it is lost, nothing was
 * missed.
 */
#include "engine/daemon/known.h"

struct eng_chore {
    enum eng_work what;
    char *name; /* of the repository, or of the job */
    char *repo;
    bool wanted;     /* by the configuration as it is */
    int64_t since;   /* what was due up to then is done */
    uint64_t handle; /* 0: it does not run */
    bool stop_asked;
};

struct eng_chores {
    struct eng_chore *v; /* removals before collections before checks */
    size_t n, cap;
};

/* What the configuration wants. */
int eng_chore_list(struct eng_chores *c, const struct eng_known *k, int64_t now,
                   struct err *e) __attribute__((warn_unused_result));

/* What is to be done now for one; `begin` and `stop` are the caller's.  One
 * that is due while it still runs is left out. */
int eng_chore_decide(const struct eng_chores *c, struct eng_chore *one,
                     const struct eng_known *k, int64_t now,
                     struct eng_schedule_decision *out, struct err *e)
    __attribute__((warn_unused_result));

/* Notes that all that was due up to `now` is done. */
int eng_chore_done(const struct eng_known *k, struct eng_chore *one,
                   int64_t now, struct err *e)
    __attribute__((warn_unused_result));

void eng_chore_fini(struct eng_chores *c); /* zeroed is fine */
#define AUTO_ENG_CHORES AUTO(eng_chore_fini)

/* "collection of repository ": before a name, in the log. */
const char *eng_work_text(enum eng_work what);

#endif

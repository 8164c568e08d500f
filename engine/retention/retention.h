// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_RETENTION_RETENTION_H
#define ENGINE_RETENTION_RETENTION_H

/*
 * How long points stay.  Pure functions over the points of a series, the
 * policies that their manifests carry, and a time; any thread.  All dates are
 * calendar days of the policy's zone.  Times are unix seconds; those of points
 * and `now` are the engine's (utc_now), as their names are.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "manifest/point.h"

/* So many of the newest points of a series stay, whatever their age. */
#define ENG_RETENTION_FLOOR 3

enum eng_keep_reason {
    ENG_KEEP_NOT,  /* nothing keeps it: its time is over */
    ENG_KEEP_DAYS, /* its date of these ... */
    ENG_KEEP_WEEKLY,
    ENG_KEEP_MONTHLY,
    ENG_KEEP_YEARLY,
    ENG_KEEP_LOCK,      /* ... or the end of its lock lies ahead */
    ENG_KEEP_NEWEST,    /* over, but one of the newest ENG_RETENTION_FLOOR */
    ENG_KEEP_PROTECTED, /* somebody said so */
    ENG_KEEP_NO_POLICY, /* it, or the newest of its series, has none */
    ENG_KEEP_DAMAGED,   /* cannot be judged: its manifest does not verify */
};

/* One point of a series. */
struct eng_kept {
    /* in */
    int64_t time;
    int64_t locked_until;              /* 0: not locked */
    const struct mf_retention *policy; /* of its manifest, borrowed; NULL or
                                          not present: none */
    unsigned gfs;                      /* enum mf_gfs bits */
    bool protect, damaged;             /* damaged: time is all that counts */
    /* out */
    bool expired; /* reason is ENG_KEEP_NOT: retention may remove it */
    enum eng_keep_reason reason;
    int64_t until; /* the first second in which it is not kept; 0: no end */
};

/* Fills the out fields of a whole series: all points of one VM in one keyset,
 * by time and, where that is equal, file name.  The policy of the newest point
 * that verifies and is not in the future rules them all.  ERR_USAGE: its time
 * zone is not known here; then every point is ENG_KEEP_NO_POLICY. */
int eng_retention_apply(struct eng_kept *series, size_t n, int64_t now,
                        struct err *e) __attribute__((warn_unused_result));

/* When one point is over by a policy (and its flags), not looking at others or
 * at locks: for the lock of scope `retention`.  *until 0: never, there is no
 * policy.  ERR_USAGE as above. */
int eng_retention_end(const struct mf_retention *policy, unsigned gfs,
                      int64_t time, int64_t *until, struct err *e)
    __attribute__((warn_unused_result));

/* For programs ("days", "newest", ...; NULL for ENG_KEEP_NOT) and for people
 * ("among the newest 3"). */
const char *eng_keep_word(enum eng_keep_reason r);
const char *eng_keep_text(enum eng_keep_reason r);

/* "14d" or "2w", at least a day.  ERR_USAGE. */
int eng_retention_parse_days(const char *text, uint32_t *days, struct err *e)
    __attribute__((warn_unused_result));

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_CLIMB_H
#define OBJSTORE_CLIMB_H

/*
 * Private to objstore/.  How many requests in flight a server makes something
 * of: the number climbs as long as more of them bring more bytes in the same
 * time, and comes down as long as fewer bring as many.  Arithmetic only: the
 * caller brings the clock and the lock.  objstore/DESIGN.md has the rule with
 * its reasons.
 */
#include <stdbool.h>
#include <stdint.h>

enum obj_trial { OBJ_TRIAL_NONE, OBJ_TRIAL_MORE, OBJ_TRIAL_FEWER };

struct obj_climb {
    unsigned least, most;
    unsigned limit; /* requests in flight now; least .. most */

    enum obj_trial trial; /* whether `limit` is one */
    unsigned base;        /* what a trial is compared with */
    double base_rate;
    enum obj_trial next; /* when `rest` is over */
    unsigned rest;       /* rounds to stay at the base */
    unsigned patience;   /* the rest after a trial in vain; doubles */

    struct {          /* the measurement that runs */
        unsigned old; /* answers still to come that began under another limit */
        unsigned answers, full;
        double work;
        int64_t from_ns;
    } round;
};

/* Begins with `least` in flight. */
void obj_climb_init(struct obj_climb *c, unsigned least, unsigned most);

/* A request of so many body bytes was done at now_ns (monotonic).  full:
 * `limit` requests were in flight until then.  True: the limit changed. */
bool obj_climb_done(struct obj_climb *c, int64_t now_ns, uint64_t bytes,
                    bool full);

#endif

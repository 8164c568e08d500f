// SPDX-License-Identifier: Apache-2.0
/* Private to engine/daemon/. */
#ifndef ENGINE_DAEMON_PAST_H
#define ENGINE_DAEMON_PAST_H

/* What the history says of a job, as its schedule asks for it. */
#include "engine/history/history.h"
#include "engine/schedule/schedule.h"

struct eng_past {
    int64_t id;     /* of the newest run; 0: there is none */
    unsigned tries; /* of it */
    enum eng_status status;
    size_t n_vms;
    char message[256];             /* or "" */
    struct eng_schedule_past past; /* but `since` and `other_end` */
    int64_t over; /* when the last run ended that will not be tried again */
};

/* How far back is looked for a run that will not be tried again. */
#define ENG_PAST_RUNS 8

/* Fills *out from the newest `limit` runs of the job, whose schedule and
 * retries say what will be tried again.  What began before `since`, when this
 * schedule did not hold yet, is not. */
int eng_past_read(struct eng_history *h, const char *job, size_t limit,
                  const struct eng_schedule *s, int64_t since,
                  const struct eng_schedule_retry *retry, struct eng_past *out,
                  struct err *e) __attribute__((warn_unused_result));

/* Whether one is of a newer run, or a newer try, than the other. */
bool eng_past_is_newer(const struct eng_past *a, const struct eng_past *b);

#endif

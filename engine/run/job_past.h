// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_RUN_JOB_PAST_H
#define ENGINE_RUN_JOB_PAST_H

/*
 * What the record of a run means for what comes after it: what a retry would
 * take up, and what the job's schedule has to know.  Runs, retries,
 * notifications and the daemon all ask here.  Pure functions; any thread.
 */
#include "engine/history/record.h"
#include "engine/schedule/schedule.h"

/* Whether a retry takes this VM up. */
bool eng_job_vm_is_left(const struct eng_vm_record *v);
/* Whether a retry has anything to do: such a VM, or all of them where the run
 * failed before it knew any. */
bool eng_job_is_left(const struct eng_run_record *r);

/* The run as the last one of its job, in all but `since` and `other_end`.  One
 * that somebody began by hand, or that began before `since` (unix seconds,
 * engine's time), when this schedule did not hold, has no retries left. */
void eng_job_past(const struct eng_run_record *r, int64_t since,
                  const struct eng_schedule_retry *retry,
                  struct eng_schedule_past *out);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_RUN_NOTIFY_H
#define ENGINE_RUN_NOTIFY_H

/* Tells people of a run that is over: once, after its last try. */
#include "base/cancel.h"
#include "engine/history/record.h"
#include "engine/job/job.h"

/* By webhook (POST of the run's JSON; tried again for a minute where no answer
 * or 429 or 5xx comes) and by mail (a whole message on the program's stdin),
 * where the job asks for this result.  What cannot be told is a warning in the
 * log and ERR_FAILED here: a run never fails by it. */
int eng_notify(const struct eng_job *j, const struct eng_run_record *r,
               const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

#endif

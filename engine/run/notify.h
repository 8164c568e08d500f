// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_RUN_NOTIFY_H
#define ENGINE_RUN_NOTIFY_H

/* Tells people of a run that is over: once, after its last try. */
#include "base/cancel.h"
#include "engine/history/record.h"
#include "engine/job/job.h"

/* By webhook (POST of the run's JSON; tried again for a minute where no answer
 * or 429 or 5xx comes) and by mail (a whole message on the program's stdin),
 * where the job asks for this result; of a job that names none, for any.  Both
 * are tried, whatever becomes of the other.  -1: something could not be told,
 * the first of it is in *e (no secret of a URL is); a run never fails by it. */
int eng_notify(const struct eng_job *j, const struct eng_run_record *r,
               const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));

#define ENG_WEBHOOK_SHOWN_CHARS 160
/* "https://host:port" of a webhook's URL: all of it that may be shown, for the
 * rest is often a key. */
void eng_webhook_shown(const char *url, char out[ENG_WEBHOOK_SHOWN_CHARS]);

#endif

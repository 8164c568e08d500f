// SPDX-License-Identifier: Apache-2.0
/* Records of the history as a schedule's past. */
#include "engine/daemon/past.h"

#include <stdio.h>

#include "engine/run/job_past.h"

int eng_past_read(struct eng_history *h, const char *job, size_t limit,
                  const struct eng_schedule *s, int64_t since,
                  const struct eng_schedule_retry *retry, struct eng_past *out,
                  struct err *e)
{
    struct eng_run_record *runs = NULL;
    size_t n = 0;

    *out = (struct eng_past){ 0 };
    if (eng_history_runs(h, job, limit, &runs, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n && out->over == 0; i++) {
        struct eng_schedule_past past;
        eng_job_past(&runs[i], since, retry, &past);
        if (i == 0)
            *out = (struct eng_past){ .id = runs[0].id,
                                      .tries = runs[0].tries,
                                      .status = runs[0].status,
                                      .n_vms = runs[0].n_vms,
                                      .past = past };
        if (i == 0 && runs[0].message != NULL)
            (void)snprintf(out->message, sizeof out->message, "%s",
                           runs[0].message);
        /* What took the place of a retry ends that run, too: its own end does
         * not count. */
        if (!past.running && !eng_schedule_tries_again(s, &past, retry))
            out->over = past.end;
    }
    eng_history_runs_free(runs, n);
    return 0;
}

bool eng_past_is_newer(const struct eng_past *a, const struct eng_past *b)
{
    return a->id != b->id ? a->id > b->id : a->tries > b->tries;
}

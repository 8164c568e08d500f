// SPDX-License-Identifier: Apache-2.0
/* Records of the history as a schedule's past. */
#include "engine/daemon/past.h"

#include <stdio.h>

/* When the newest try of a run began, as far as its first VM tells. */
static int64_t try_began(const struct eng_run_record *r)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; r->tries > 1 && i < r->n_vms; i++)
        if (r->vms[i].tried == r->tries && r->vms[i].started < first)
            first = r->vms[i].started;
    return first != INT64_MAX ? first : r->started;
}

/* Something in it is left to be tried again, which `job run --retry` would take
 * up: a warning may be a VM's failure, beside others that have their points. */
static enum eng_schedule_result result_of(const struct eng_run_record *r)
{
    if (r->status == ENG_STATUS_STOPPED)
        return ENG_SCHEDULE_STOPPED;
    if (r->status == ENG_STATUS_FAILED && r->n_vms == 0)
        return ENG_SCHEDULE_FAILED;
    for (size_t i = 0; i < r->n_vms; i++)
        if (r->vms[i].status == ENG_STATUS_FAILED ||
            r->vms[i].status == ENG_STATUS_STOPPED)
            return ENG_SCHEDULE_FAILED;
    return ENG_SCHEDULE_DONE;
}

static void past_of(const struct eng_run_record *r, int64_t since,
                    const struct eng_schedule_retry *retry,
                    struct eng_schedule_past *out)
{
    *out = (struct eng_schedule_past){
        .start = try_began(r),
        .end = r->ended,
        .running = r->status == ENG_STATUS_RUNNING,
        .result = result_of(r),
        .retries = r->tries > 0 ? (int)r->tries - 1 : 0,
    };
    /* Who began it by hand sees what failed. */
    bool done = r->why == ENG_WHY_ASKED || out->start < since;
    if (done && out->retries < retry->times)
        out->retries = retry->times;
}

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
        past_of(&runs[i], since, retry, &past);
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

// SPDX-License-Identifier: Apache-2.0
/* Records of runs, as retries and schedules ask for them. */
#include "engine/run/job_past.h"

bool eng_job_vm_is_left(const struct eng_vm_record *v)
{
    return v->status == ENG_STATUS_FAILED || v->status == ENG_STATUS_STOPPED;
}

bool eng_job_is_left(const struct eng_run_record *r)
{
    for (size_t i = 0; i < r->n_vms; i++)
        if (eng_job_vm_is_left(&r->vms[i]))
            return true;
    return r->status == ENG_STATUS_FAILED && r->n_vms == 0;
}

/* When the newest try of a run began, as far as its first VM tells.  Where it
 * came to none (the repository did not answer) only the run's beginning is
 * known. */
static int64_t try_began(const struct eng_run_record *r)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; r->tries > 1 && i < r->n_vms; i++) {
        const struct eng_vm_record *v = &r->vms[i];
        if (v->tried == r->tries && v->started != 0 && v->started < first)
            first = v->started;
    }
    return first != INT64_MAX ? first : r->started;
}

/* A run that has points may have failed for its schedule: a warning may be a
 * VM's failure beside them. */
static enum eng_schedule_result result_of(const struct eng_run_record *r)
{
    if (r->status == ENG_STATUS_STOPPED)
        return ENG_SCHEDULE_STOPPED;
    return eng_job_is_left(r) ? ENG_SCHEDULE_FAILED : ENG_SCHEDULE_DONE;
}

void eng_job_past(const struct eng_run_record *r, int64_t since,
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
    bool over = r->why == ENG_WHY_ASKED || out->start < since;
    if (over && out->retries < retry->times)
        out->retries = retry->times;
}

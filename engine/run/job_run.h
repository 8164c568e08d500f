// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_RUN_JOB_RUN_H
#define ENGINE_RUN_JOB_RUN_H

/*
 * A run of a job: its VMs become points, several at a time over one pool of
 * connections; what became of each is recorded.  A VM that fails stops no
 * other.
 */
#include "base/cancel.h"
#include "base/progress.h"
#include "engine/history/history.h"
#include "engine/job/selection.h"

struct eng_job_run_opts {
    const struct eng_home *home;
    const struct eng_job *job;
    enum eng_run_why why;
    bool retry; /* only what failed (or was stopped) in the last run, as another
                   try of it; ERR_NOTFOUND where nothing did */
    bool full;  /* an active full, whatever the schedule of fulls says */
    const char *const *only; /* only these VMs (SOURCE:NAME or name) */
    size_t n_only;
    /* Opens the repository and finds the keys; called once, after the run is in
     * the history, so that what fails there is a failed run.  Both are the
     * caller's until the run returns. */
    int (*open)(void *ctx, struct eng_repo **repo,
                const struct eng_encrypt_opts **encrypt, struct err *e);
    /* A VM begins or has ended; from any thread, one at a time.  May be NULL.
     */
    void (*told)(void *ctx, const struct eng_vm_record *vm);
    void *ctx;
    uint64_t memory_bytes; /* of all VMs together; 0: the default */
    const struct cancel *cancel;
    struct progress *progress;
};

/* Carries it out, and notifies (notify.h) unless it will be tried again by the
 * daemon.  0: there was a run, and *out (zeroed before) says what became of it:
 * also where it failed, and *e is its first error then (of a VM: ERR_FAILED,
 * unless it could as well be another's: ERR_UNREACHABLE, ERR_QUOTA, ...).  -1:
 * there was none: ERR_BUSY (the job runs already: since when, where),
 * ERR_NOTFOUND, ERR_USAGE, ERR_CONFIG. */
int eng_job_run(const struct eng_job_run_opts *o, struct eng_run_record *out,
                struct err *e) __attribute__((warn_unused_result));

enum eng_stop {
    ENG_STOP_NOW,        /* within a second, after the present blocks */
    ENG_STOP_GRACEFULLY, /* VMs that are being processed are finished */
};
/* Asks the job's run, whatever process of this machine it is in, to stop.
 * ERR_NOTFOUND: it does not run. */
int eng_job_stop(const struct eng_home *h, const char *job, enum eng_stop how,
                 struct err *e) __attribute__((warn_unused_result));
/* 1: a run of the job is under way on this machine; 0: none; -1. */
int eng_job_runs(const struct eng_home *h, const char *job, struct err *e)
    __attribute__((warn_unused_result));
/* Waits until it does not run any more.  ERR_TIMEOUT, ERR_CANCELLED. */
int eng_job_wait(const struct eng_home *h, const char *job, int64_t timeout_ms,
                 const struct cancel *cancel, struct err *e)
    __attribute__((warn_unused_result));
/* Closes what is `running` in the history and does not run (the machine was
 * lost, the process killed).  Called when a run or the daemon begins. */
int eng_job_close_lost(const struct eng_home *h, struct eng_history *history,
                       const char *job, struct err *e)
    __attribute__((warn_unused_result));

#endif

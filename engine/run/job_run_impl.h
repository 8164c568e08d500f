// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_RUN_JOB_RUN_IMPL_H
#define ENGINE_RUN_JOB_RUN_IMPL_H

/* Private to engine/run: one run of a job that is under way. */
#include <pthread.h>
#include <stdatomic.h>

#include "engine/run/job_run.h"

/* The lock of a job's runs, on this machine (job_lock.c). */
struct eng_job_lock {
    int fd;       /* holds it; -1: not held */
    char *stop;   /* path of the file by which a run is asked to stop; owned */
    char who[96]; /* what our lock says: only who has read it stops us */
};

/* ERR_BUSY: it runs; since when, and by which process. */
int eng_job_lock_take(struct eng_job_lock *l, const struct eng_home *h,
                      const char *job, struct err *e)
    __attribute__((warn_unused_result));
void eng_job_lock_release(struct eng_job_lock *l);
/* Whether we are asked to stop, and how. */
bool eng_job_lock_asked(const struct eng_job_lock *l, enum eng_stop *how);
/* Closes runs in the history that are not ours, whose job's lock we hold. */
int eng_job_lock_close_lost(struct eng_history *history, const char *job,
                            struct err *e) __attribute__((warn_unused_result));

/* A VM that is to be processed. */
struct eng_job_item {
    const struct eng_selected *vm; /* in the selection */
    size_t at;                     /* its record's place in the run's */
};

struct eng_job_work {
    const struct eng_job_run_opts *o;
    const struct eng_job *job;
    struct eng_job_lock lock;
    struct eng_history *history; /* NULL: it cannot be kept */
    struct eng_run_record *run;  /* the caller's */
    struct eng_held *held;
    struct eng_selection selection;
    struct eng_job_item *items; /* owned */
    size_t n_items;
    struct eng_repo *repo; /* of the caller */
    const struct eng_encrypt_opts *encrypt;
    struct eng_keeping keeping;
    bool keeps;
    char zone_room[ENG_ZONE_NAME_CHARS];
    struct cancel cancel; /* below the caller's: stop now */
    bool cancel_made;
    bool stopped;         /* before it came to its VMs */
    atomic_bool enough;   /* nothing more is begun */
    pthread_mutex_t told; /* around records, the history and `told` */
    struct err first;     /* the first error; guarded by told */
};

/* Resolves the selection and fills items and the run's records of them, with
 * status running (job_select.c).  ERR_NOTFOUND: of a VM that was asked for and
 * is not selected, or a retry where nothing failed. */
int eng_job_choose(struct eng_job_work *w, struct err *e)
    __attribute__((warn_unused_result));

/* Processes all items (job_vms.c).  What became of each is in its record; those
 * that were not begun are still `running`. */
int eng_job_process(struct eng_job_work *w, struct err *e)
    __attribute__((warn_unused_result));
/* The record is written to the history, and told.  Any thread. */
void eng_job_tell(struct eng_job_work *w, const struct eng_vm_record *v);

/* A program of the job, before or after (job_script.c); status: of a run that
 * is over, or NULL.  None: nothing happens. */
int eng_job_script(const struct eng_job *job, const struct eng_texts *program,
                   int64_t run, const char *status, const struct cancel *cancel,
                   struct err *e) __attribute__((warn_unused_result));

/* One more warning of the run, which takes the text.  NULL: nothing. */
void eng_job_warn(struct eng_run_record *run, char *text);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_HISTORY_RECORD_H
#define ENGINE_HISTORY_RECORD_H

/*
 * What is known of a run of a job, and of each VM in it.  engine/run fills
 * records, the history keeps them, reports and notifications show them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "engine/backup/backup.h"
#include "objstore/store.h"

/* The history's file has these numbers. */
enum eng_status {
    ENG_STATUS_RUNNING,
    ENG_STATUS_SUCCESS,
    ENG_STATUS_WARNING, /* a point, and something to look at */
    ENG_STATUS_FAILED,
    ENG_STATUS_STOPPED, /* by somebody, or by the end of its window */
    ENG_STATUSES
};
const char *eng_status_name(enum eng_status s); /* "success" */

enum eng_run_why {
    ENG_WHY_ASKED,    /* `job run` */
    ENG_WHY_SCHEDULE, /* the daemon, at its time */
};

/* Requests by kind, in the order of the documents: put, get, head, list,
 * delete, retention. */
enum { ENG_REQUEST_KINDS = 6 };
const char *eng_request_name(size_t kind);
/* What was asked between two looks at a store's counters. */
void eng_requests_between(const struct obj_counters *before,
                          const struct obj_counters *after,
                          uint64_t out[ENG_REQUEST_KINDS]);

struct eng_vm_record {
    char *source; /* configured name */
    char *id;     /* within it */
    char *vm;     /* name that its points go by */
    enum eng_status status;
    unsigned tried;         /* in which try of the run this was, from 1 */
    int64_t started, ended; /* unix seconds, engine's time */
    char *point;            /* "vm@time"; NULL: none was made */
    char *kind;             /* "full", "incremental"; NULL as point */
    char *keyset;
    uint64_t source_bytes, read_bytes, new_bytes, stored_bytes;
    uint64_t new_blocks, reused_blocks;
    double seconds;
    double busy[ENG_STAGES];
    char *bottleneck; /* name of a stage, or NULL */
    uint64_t requests[ENG_REQUEST_KINDS];
    char *message; /* the error or the first warning; NULL: nothing */
};

struct eng_run_record {
    int64_t id; /* of those recorded here in the order in which they began */
    char *job, *repo, *host;
    enum eng_run_why why;
    enum eng_status status;
    unsigned tries; /* made; 1 where nothing was tried again */
    int64_t started, ended;
    bool rebuilt;    /* from manifests: what they do not tell is missing */
    char *message;   /* of the run as a whole; or NULL */
    char **warnings; /* of the selection, scripts, ... */
    size_t n_warnings;
    struct eng_vm_record *vms; /* the newest record of each VM */
    size_t n_vms;
};

void eng_vm_record_fini(struct eng_vm_record *v);   /* zeroed is fine */
void eng_run_record_fini(struct eng_run_record *r); /* zeroed is fine */
#define AUTO_ENG_RUN_RECORD AUTO(eng_run_record_fini)

/* The status that the VMs and warnings make: failed where every VM failed (or
 * there was none and something failed), stopped where one was stopped, warning
 * where one failed or warned or the run has warnings, else success. */
enum eng_status eng_run_judge(const struct eng_run_record *r);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_HISTORY_HISTORY_H
#define ENGINE_HISTORY_HISTORY_H

/*
 * The history of runs on this machine: an SQLite file, <state>/history.db.  A
 * cache: without it jobs run all the same, and what manifests tell is put back
 * (rebuild).  Several processes use it at a time; each call is one transaction.
 * One thread at a time for each handle.
 */
#include "base/cancel.h"
#include "engine/history/record.h"
#include "engine/repo/repo.h"

struct eng_history;

/* Opens, and makes it where it is missing; one that is damaged is moved aside
 * (history.db.damaged) with a warning, and begun anew.  *fresh (NULL: not
 * wanted): nobody has asked manifests for earlier runs since it was made
 * (rebuild).  NULL: ERR_IO, ERR_DENIED, ERR_FULL, ERR_BUSY, ERR_UNSUPPORTED (a
 * newer version's): a run goes on without, with a warning. */
struct eng_history *eng_history_open(const char *state_dir, bool *fresh,
                                     struct err *e);
void eng_history_close(struct eng_history *h); /* NULL is fine */
static inline void eng_history_closep(struct eng_history **h)
{
    eng_history_close(*h);
}
#define AUTO_ENG_HISTORY AUTO(eng_history_closep)

/* --- written by engine/run, which holds the job's lock --- */

/* A run begins: status running; fills r->id. */
int eng_history_begin(struct eng_history *h, struct eng_run_record *r,
                      struct err *e) __attribute__((warn_unused_result));
/* Another try of the run begins. */
int eng_history_again(struct eng_history *h, struct eng_run_record *r,
                      struct err *e) __attribute__((warn_unused_result));
/* What became of a VM in the present try. */
int eng_history_vm(struct eng_history *h, int64_t run,
                   const struct eng_vm_record *v, struct err *e)
    __attribute__((warn_unused_result));
/* The run (or this try of it) is over: status, ended, message, warnings. */
int eng_history_end(struct eng_history *h, const struct eng_run_record *r,
                    struct err *e) __attribute__((warn_unused_result));
/* Closes runs of the job that are still `running` as failed with `message`:
 * whoever holds the job's lock knows that they were cut off.  *n: how many. */
int eng_history_close_lost(struct eng_history *h, const char *job, int64_t now,
                           const char *message, size_t *n, struct err *e)
    __attribute__((warn_unused_result));

/* --- read by everybody --- */

/* The newest runs, newest first (in the order in which they began, whatever the
 * clock said; what was rebuilt is behind what was recorded), of a job (NULL: of
 * all), at most `limit`; with their VMs.  Free each, and the list. */
int eng_history_runs(struct eng_history *h, const char *job, size_t limit,
                     struct eng_run_record **out, size_t *n, struct err *e)
    __attribute__((warn_unused_result));
void eng_history_runs_free(struct eng_run_record *runs, size_t n);
/* One run.  ERR_NOTFOUND. */
int eng_history_run(struct eng_history *h, int64_t id,
                    struct eng_run_record *out, struct err *e)
    __attribute__((warn_unused_result));

/* 1: a run of the job on this machine (recorded, not rebuilt from manifests)
 * had a VM that points go by this name; 0: none that is kept; -1. */
int eng_history_had_vm(struct eng_history *h, const char *job, const char *vm,
                       struct err *e) __attribute__((warn_unused_result));

/* Since when a job's schedule holds: set by the daemon when it sees a schedule
 * that it did not know (made, edited, enabled); `key` is the text that stands
 * for it.  *since: `now` where the key is new, else what was kept. */
int eng_history_since(struct eng_history *h, const char *job, const char *key,
                      int64_t now, int64_t *since, struct err *e)
    __attribute__((warn_unused_result));

/* Drops runs that began before `before`, but the newest `keep` of each job. */
int eng_history_trim(struct eng_history *h, int64_t before, size_t keep,
                     struct err *e) __attribute__((warn_unused_result));

/* Puts back what the manifests of a repository tell of runs that the history
 * does not have.  Points with one job's name are one run where each began
 * before those before it had ended, or within a minute of that, and no VM comes
 * twice. Left out: points that the history has, and those made while a run of
 * the job into this repository went on, as the history has it.  *n: runs put
 * back. */
int eng_history_rebuild(struct eng_history *h, struct eng_repo *repo,
                        const struct cancel *cancel, size_t *n, struct err *e)
    __attribute__((warn_unused_result));
/* All manifests that there are have been asked: it is not fresh any more. */
int eng_history_asked(struct eng_history *h, struct err *e)
    __attribute__((warn_unused_result));

#endif

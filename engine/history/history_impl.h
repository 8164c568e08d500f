// SPDX-License-Identifier: Apache-2.0
/* Private to engine/history/history*.c. */
#ifndef ENGINE_HISTORY_HISTORY_IMPL_H
#define ENGINE_HISTORY_HISTORY_IMPL_H

#include <sqlite3.h>

#include "engine/history/history.h"

struct eng_history {
    sqlite3 *db;
    char *path;
};

/* The last error of the file, with what was tried ("read"). */
int eng_history_error(struct eng_history *h, const char *what, struct err *e);

/* ERR_NOTFOUND; always -1. */
int eng_history_no_run(int64_t id, struct err *e);

/* Statements: one SELECT or change each, freed at the end of the scope. */
sqlite3_stmt *eng_history_prepare(struct eng_history *h, const char *sql,
                                  struct err *e);
static inline void eng_history_stmtp(sqlite3_stmt **st)
{
    sqlite3_finalize(*st);
}
#define AUTO_STMT AUTO(eng_history_stmtp)

/* Steps to the next row: 1, or 0 at the end. */
int eng_history_step(struct eng_history *h, sqlite3_stmt *st, struct err *e)
    __attribute__((warn_unused_result));

/* Carries out statements that have no parameters. */
int eng_history_exec(struct eng_history *h, const char *sql, struct err *e)
    __attribute__((warn_unused_result));

/* A transaction: what fn does is there as a whole or not at all.  `begin` is
 * "BEGIN" to read one state, "BEGIN IMMEDIATE" to write. */
int eng_history_whole(struct eng_history *h, const char *begin,
                      int (*fn)(struct eng_history *h, void *ctx,
                                struct err *e),
                      void *ctx, struct err *e)
    __attribute__((warn_unused_result));

/* Adds a run with its warnings, under the id that it has, or the next one
 * where that is 0. */
int eng_history_insert_run(struct eng_history *h, struct eng_run_record *r,
                           struct err *e) __attribute__((warn_unused_result));
int eng_history_insert_vm(struct eng_history *h, int64_t run,
                          const struct eng_vm_record *v, struct err *e)
    __attribute__((warn_unused_result));

/* Columns of the table vm behind (run, which), in the order in which they are
 * written and read. */
#define ENG_HISTORY_VM_COLUMNS                                                 \
    "tried,source,id,vm,status,started,ended,point,kind,keyset,"               \
    "source_bytes,read_bytes,new_bytes,stored_bytes,new_blocks,"               \
    "reused_blocks,seconds,bottleneck,message,"                                \
    "source_s,hash_s,compress_s,seal_s,network_s,"                             \
    "puts,gets,heads,lists,deletes,retentions"
#define ENG_HISTORY_RUN_COLUMNS                                                \
    "id,job,repo,host,why,status,tries,started,ended,rebuilt,message"

/* Clocks may go back, so runs are in the order of their ids.  What was put back
 * from manifests is older than what was recorded here, and of that only times
 * are known. */
#define ENG_HISTORY_NEWEST_FIRST                                               \
    "rebuilt, iif(rebuilt, started, id) DESC, id DESC"

#endif

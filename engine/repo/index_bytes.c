// SPDX-License-Identifier: Apache-2.0
/*
 * How many bytes the repository holds, as far as the index knows: what a
 * listing summed up, and what was stored since.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/repo/index_impl.h"

static const char ADD[] =
    "INSERT INTO meta VALUES('bytes',?1) ON CONFLICT(k) DO UPDATE"
    " SET v=CAST(v AS INTEGER)+?1";
static const char SET[] = "INSERT OR REPLACE INTO meta VALUES('bytes',?1)";

static int write_bytes(struct eng_index *ix, const char *sql, uint64_t n,
                       struct err *e)
{
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(ix->core->db, sql, -1, &st, NULL) != SQLITE_OK)
        return eng_index_sql_error(ix, e, "write");
    sqlite3_bind_int64(st, 1, (sqlite3_int64)n);
    int rc = sqlite3_step(st);
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : eng_index_sql_error(ix, e, "write");
}

int eng_index_insert_bytes(struct eng_index *ix, struct err *e)
{
    return ix->core->locked.bytes == 0
               ? 0
               : write_bytes(ix, ADD, ix->core->locked.bytes, e);
}

void eng_index_add_bytes(struct eng_index *ix, uint64_t n)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    ix->core->locked.bytes += n;
    pthread_mutex_unlock(&ix->core->locked.lock);
}

int eng_index_set_bytes(struct eng_index *ix, uint64_t n, struct err *e)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    ix->core->locked.bytes = 0;
    int r = write_bytes(ix, SET, n, e);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

int eng_index_bytes(struct eng_index *ix, uint64_t *n, struct err *e)
{
    sqlite3_stmt *st = NULL;

    pthread_mutex_lock(&ix->core->locked.lock);
    *n = ix->core->locked.bytes;
    int rc = sqlite3_prepare_v2(
        ix->core->db, "SELECT v FROM meta WHERE k='bytes'", -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *n += (uint64_t)sqlite3_column_int64(st, 0);
    int r = rc == SQLITE_ROW || rc == SQLITE_DONE
                ? 0
                : eng_index_sql_error(ix, e, "read");
    sqlite3_finalize(st);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

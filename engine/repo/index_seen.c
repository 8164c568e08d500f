// SPDX-License-Identifier: Apache-2.0
/* The index's memory of manifests: which it has learned from, and which of
 * them are gone. */
#include <stdio.h>

#include "base/log.h"
#include "engine/repo/index_impl.h"

bool eng_index_seen(struct eng_index *ix, const char *manifest)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    sqlite3_bind_text(ix->core->find_seen, 1, manifest, -1, SQLITE_STATIC);
    bool seen = sqlite3_step(ix->core->find_seen) == SQLITE_ROW;
    sqlite3_reset(ix->core->find_seen);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return seen;
}

int eng_index_mark_seen(struct eng_index *ix, const char *manifest,
                        struct err *e)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    /* What the manifest names must be in the file before the mark is. */
    int r = eng_index_flush(ix, e);
    if (r == 0 && eng_index_is_current(ix)) {
        sqlite3_bind_text(ix->core->insert_seen, 1, manifest, -1,
                          SQLITE_STATIC);
        if (sqlite3_step(ix->core->insert_seen) != SQLITE_DONE)
            r = eng_index_sql_error(ix, e, "write");
        sqlite3_reset(ix->core->insert_seen);
    }
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

bool eng_index_seen_prefix(struct eng_index *ix, const char *prefix, char *out,
                           size_t cap)
{
    sqlite3_stmt *st = NULL;
    bool seen = false;

    pthread_mutex_lock(&ix->core->locked.lock);
    if (sqlite3_prepare_v2(ix->core->db,
                           "SELECT name FROM manifest WHERE name >= ?1 AND "
                           "substr(name, 1, length(?1)) = ?1 LIMIT 1",
                           -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_text(st, 1, prefix, -1, SQLITE_STATIC);
        seen = sqlite3_step(st) == SQLITE_ROW;
        if (seen)
            snprintf(out, cap, "%s", (const char *)sqlite3_column_text(st, 0));
    }
    sqlite3_finalize(st);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return seen;
}

int eng_index_each_seen(struct eng_index *ix,
                        int (*fn)(void *ctx, const char *manifest,
                                  struct err *e),
                        void *ctx, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = SQLITE_ROW;
    int r = 0;

    pthread_mutex_lock(&ix->core->locked.lock);
    if (sqlite3_prepare_v2(ix->core->db,
                           "SELECT name FROM manifest ORDER BY name", -1, &st,
                           NULL) != SQLITE_OK)
        r = eng_index_sql_error(ix, e, "read");
    while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
        r = fn(ctx, (const char *)sqlite3_column_text(st, 0), e);
    if (r == 0 && rc != SQLITE_DONE)
        r = eng_index_sql_error(ix, e, "read");
    sqlite3_finalize(st);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

/* Runs a DELETE whose one parameter is a manifest's key. */
static int delete_named(struct eng_index *ix, const char *sql,
                        const char *manifest, struct err *e)
{
    sqlite3_stmt *st = NULL;

    pthread_mutex_lock(&ix->core->locked.lock);
    int rc = sqlite3_prepare_v2(ix->core->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(st, 1, manifest, -1, SQLITE_STATIC);
        rc = sqlite3_step(st);
    }
    int r = rc == SQLITE_DONE ? 0 : eng_index_sql_error(ix, e, "write");
    sqlite3_finalize(st);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

void eng_index_unmark_seen(struct eng_index *ix, const char *manifest)
{
    struct err e = { 0 };

    if (delete_named(ix, "DELETE FROM manifest WHERE name=?1", manifest, &e) <
        0)
        log_info("index", "%s", e.msg);
}

static int seen_left(struct eng_index *ix, uint64_t *n, struct err *e)
{
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(ix->core->db, "SELECT count(*) FROM temp.unlisted",
                           -1, &st, NULL) != SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW) {
        sqlite3_finalize(st);
        return eng_index_sql_error(ix, e, "read");
    }
    *n = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return 0;
}

int eng_index_begin_listing(struct eng_index *ix, struct err *e)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    int r = eng_index_exec(
        ix,
        "DROP TABLE IF EXISTS temp.unlisted;"
        "CREATE TEMP TABLE unlisted AS SELECT name FROM manifest;"
        "CREATE INDEX temp.unlisted_name ON unlisted(name)",
        e);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

int eng_index_listed(struct eng_index *ix, const char *manifest, struct err *e)
{
    return delete_named(ix, "DELETE FROM temp.unlisted WHERE name=?1", manifest,
                        e);
}

int eng_index_unlisted(struct eng_index *ix, uint64_t *n, struct err *e)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    int r = seen_left(ix, n, e);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

// SPDX-License-Identifier: Apache-2.0
/* What is written into the history. */
#include <stdlib.h>

#include "base/io.h"
#include "engine/history/history_impl.h"

/* Of each job, whatever housekeeping does: a year of a run each hour. */
#define RUNS_MAX "10000"

static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
    sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

static void bind_uint(sqlite3_stmt *st, int at, uint64_t n)
{
    sqlite3_bind_int64(st, at, n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static int write_warnings(struct eng_history *h, const struct eng_run_record *r,
                          struct err *e)
{
    AUTO_STMT sqlite3_stmt *gone =
        eng_history_prepare(h, "DELETE FROM warning WHERE run=?1", e);
    AUTO_STMT sqlite3_stmt *st =
        eng_history_prepare(h, "INSERT INTO warning VALUES(?1,?2,?3)", e);

    if (gone == NULL || st == NULL)
        return -1;
    sqlite3_bind_int64(gone, 1, r->id);
    if (eng_history_step(h, gone, e) < 0)
        return -1;
    for (size_t i = 0; i < r->n_warnings; i++) {
        sqlite3_bind_int64(st, 1, r->id);
        bind_uint(st, 2, i);
        bind_text(st, 3, r->warnings[i]);
        if (eng_history_step(h, st, e) < 0)
            return -1;
        sqlite3_reset(st);
    }
    return 0;
}

int eng_history_insert_run(struct eng_history *h, struct eng_run_record *r,
                           struct err *e)
{
    AUTO_STMT sqlite3_stmt *st =
        eng_history_prepare(h,
                            "INSERT INTO run(" ENG_HISTORY_RUN_COLUMNS
                            ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
                            e);

    if (st == NULL)
        return -1;
    if (r->id != 0)
        sqlite3_bind_int64(st, 1, r->id);
    bind_text(st, 2, r->job);
    bind_text(st, 3, r->repo);
    bind_text(st, 4, r->host);
    sqlite3_bind_int(st, 5, (int)r->why);
    sqlite3_bind_int(st, 6, (int)r->status);
    sqlite3_bind_int64(st, 7, r->tries);
    sqlite3_bind_int64(st, 8, r->started);
    sqlite3_bind_int64(st, 9, r->ended);
    sqlite3_bind_int(st, 10, r->rebuilt ? 1 : 0);
    bind_text(st, 11, r->message);
    if (eng_history_step(h, st, e) < 0)
        return -1;
    r->id = sqlite3_last_insert_rowid(h->db);
    return write_warnings(h, r, e);
}

static int begin_run(struct eng_history *h, void *ctx, struct err *e)
{
    struct eng_run_record *r = ctx;
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(
        h,
        "DELETE FROM run WHERE id IN (SELECT id FROM run WHERE job=?1"
        " ORDER BY " ENG_HISTORY_NEWEST_FIRST " LIMIT -1 OFFSET " RUNS_MAX ")",
        e);

    if (st == NULL || eng_history_insert_run(h, r, e) < 0)
        return -1;
    bind_text(st, 1, r->job);
    return eng_history_step(h, st, e);
}

int eng_history_begin(struct eng_history *h, struct eng_run_record *r,
                      struct err *e)
{
    r->id = 0;
    r->status = ENG_STATUS_RUNNING;
    r->tries = 1;
    r->ended = 0;
    return eng_history_whole(h, "BEGIN IMMEDIATE", begin_run, r, e);
}

/* Changes one run, as the statement says. */
static int change_run(struct eng_history *h, sqlite3_stmt *st, int64_t id,
                      struct err *e)
{
    if (eng_history_step(h, st, e) < 0)
        return -1;
    return sqlite3_changes(h->db) == 1 ? 0 : eng_history_no_run(id, e);
}

static int again(struct eng_history *h, void *ctx, struct err *e)
{
    struct eng_run_record *r = ctx;
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(
        h,
        "UPDATE run SET tries=tries+1, status=?2, ended=0, message=NULL"
        " WHERE id=?1",
        e);
    AUTO_STMT sqlite3_stmt *tries =
        eng_history_prepare(h, "SELECT tries FROM run WHERE id=?1", e);

    if (st == NULL || tries == NULL)
        return -1;
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int(st, 2, ENG_STATUS_RUNNING);
    sqlite3_bind_int64(tries, 1, r->id);
    if (change_run(h, st, r->id, e) < 0 || eng_history_step(h, tries, e) < 0)
        return -1;
    r->tries = (unsigned)sqlite3_column_int64(tries, 0);
    r->status = ENG_STATUS_RUNNING;
    r->ended = 0;
    free(STEAL(r->message));
    return 0;
}

int eng_history_again(struct eng_history *h, struct eng_run_record *r,
                      struct err *e)
{
    return eng_history_whole(h, "BEGIN IMMEDIATE", again, r, e);
}

int eng_history_insert_vm(struct eng_history *h, int64_t run,
                          const struct eng_vm_record *v, struct err *e)
{
    AUTO_MEM char *which =
        v->id != NULL
            ? io_format(e, "%s:%s", v->source != NULL ? v->source : "", v->id)
            : io_format(e, "%s", v->vm);
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(
        h,
        "INSERT OR REPLACE INTO vm(run,which," ENG_HISTORY_VM_COLUMNS
        ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
        "?,?)",
        e);
    int at = 1;

    if (which == NULL || st == NULL)
        return -1;
    sqlite3_bind_int64(st, at++, run);
    bind_text(st, at++, which);
    sqlite3_bind_int64(st, at++, v->tried);
    bind_text(st, at++, v->source);
    bind_text(st, at++, v->id);
    bind_text(st, at++, v->vm);
    sqlite3_bind_int(st, at++, (int)v->status);
    sqlite3_bind_int64(st, at++, v->started);
    sqlite3_bind_int64(st, at++, v->ended);
    bind_text(st, at++, v->point);
    bind_text(st, at++, v->kind);
    bind_text(st, at++, v->keyset);
    bind_uint(st, at++, v->source_bytes);
    bind_uint(st, at++, v->read_bytes);
    bind_uint(st, at++, v->new_bytes);
    bind_uint(st, at++, v->stored_bytes);
    bind_uint(st, at++, v->new_blocks);
    bind_uint(st, at++, v->reused_blocks);
    sqlite3_bind_double(st, at++, v->seconds);
    bind_text(st, at++, v->bottleneck);
    bind_text(st, at++, v->message);
    for (size_t i = 0; i < ENG_STAGES; i++)
        sqlite3_bind_double(st, at++, v->busy[i]);
    for (size_t i = 0; i < ENG_REQUEST_KINDS; i++)
        bind_uint(st, at++, v->requests[i]);
    return eng_history_step(h, st, e);
}

int eng_history_vm(struct eng_history *h, int64_t run,
                   const struct eng_vm_record *v, struct err *e)
{
    if (eng_history_insert_vm(h, run, v, e) == 0)
        return 0;
    if (sqlite3_extended_errcode(h->db) == SQLITE_CONSTRAINT_FOREIGNKEY)
        return eng_history_no_run(run, e);
    return -1;
}

static int end_run(struct eng_history *h, void *ctx, struct err *e)
{
    const struct eng_run_record *r = ctx;
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(
        h, "UPDATE run SET status=?2, ended=?3, message=?4 WHERE id=?1", e);

    if (st == NULL)
        return -1;
    sqlite3_bind_int64(st, 1, r->id);
    sqlite3_bind_int(st, 2, (int)r->status);
    sqlite3_bind_int64(st, 3, r->ended);
    bind_text(st, 4, r->message);
    return change_run(h, st, r->id, e) < 0 ? -1 : write_warnings(h, r, e);
}

int eng_history_end(struct eng_history *h, const struct eng_run_record *r,
                    struct err *e)
{
    union {
        const struct eng_run_record *ours;
        void *ctx; /* which end_run does not change */
    } run = { .ours = r };

    return eng_history_whole(h, "BEGIN IMMEDIATE", end_run, run.ctx, e);
}

/* --- what others left, and what is old --- */

struct lost {
    const char *job;
    int64_t now;
    const char *message;
    size_t n;
};

static int close_lost(struct eng_history *h, void *ctx, struct err *e)
{
    static const char *const sql[] = {
        "UPDATE vm SET status=?2, ended=max(started,?3), message=?4"
        " WHERE status=?5 AND run IN"
        " (SELECT id FROM run WHERE job=?1 AND status=?5)",
        "UPDATE run SET status=?2, ended=max(started,?3), message=?4"
        " WHERE job=?1 AND status=?5",
    };
    struct lost *l = ctx;

    for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
        AUTO_STMT sqlite3_stmt *st = eng_history_prepare(h, sql[i], e);
        if (st == NULL)
            return -1;
        bind_text(st, 1, l->job);
        sqlite3_bind_int(st, 2, ENG_STATUS_FAILED);
        sqlite3_bind_int64(st, 3, l->now);
        bind_text(st, 4, l->message);
        sqlite3_bind_int(st, 5, ENG_STATUS_RUNNING);
        if (eng_history_step(h, st, e) < 0)
            return -1;
        l->n = (size_t)sqlite3_changes(h->db);
    }
    return 0;
}

int eng_history_close_lost(struct eng_history *h, const char *job, int64_t now,
                           const char *message, size_t *n, struct err *e)
{
    struct lost l = { .job = job, .now = now, .message = message };

    *n = 0;
    if (eng_history_whole(h, "BEGIN IMMEDIATE", close_lost, &l, e) < 0)
        return -1;
    *n = l.n;
    return 0;
}

struct since {
    const char *job, *key;
    int64_t since; /* now, and then what holds */
};

static int take_since(struct eng_history *h, void *ctx, struct err *e)
{
    struct since *s = ctx;
    AUTO_STMT sqlite3_stmt *put = eng_history_prepare(
        h,
        "INSERT INTO schedule VALUES(?1,?2,?3) ON CONFLICT(job) DO UPDATE SET"
        " key=excluded.key, since=excluded.since WHERE key<>excluded.key",
        e);
    AUTO_STMT sqlite3_stmt *get =
        eng_history_prepare(h, "SELECT since FROM schedule WHERE job=?1", e);

    if (put == NULL || get == NULL)
        return -1;
    bind_text(put, 1, s->job);
    bind_text(put, 2, s->key);
    sqlite3_bind_int64(put, 3, s->since);
    bind_text(get, 1, s->job);
    if (eng_history_step(h, put, e) < 0 || eng_history_step(h, get, e) < 0)
        return -1;
    s->since = sqlite3_column_int64(get, 0);
    return 0;
}

int eng_history_since(struct eng_history *h, const char *job, const char *key,
                      int64_t now, int64_t *since, struct err *e)
{
    struct since s = { .job = job, .key = key, .since = now };

    if (eng_history_whole(h, "BEGIN IMMEDIATE", take_since, &s, e) < 0)
        return -1;
    *since = s.since;
    return 0;
}

int eng_history_trim(struct eng_history *h, int64_t before, size_t keep,
                     struct err *e)
{
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(
        h,
        "DELETE FROM run WHERE started<?1 AND status<>?3 AND id IN"
        " (SELECT id FROM (SELECT id, row_number() OVER"
        " (PARTITION BY job ORDER BY " ENG_HISTORY_NEWEST_FIRST ") AS nth"
        " FROM run) WHERE nth>?2)",
        e);

    if (st == NULL)
        return -1;
    sqlite3_bind_int64(st, 1, before);
    bind_uint(st, 2, keep);
    sqlite3_bind_int(st, 3, ENG_STATUS_RUNNING);
    return eng_history_step(h, st, e);
}

int eng_history_asked(struct eng_history *h, struct err *e)
{
    return eng_history_exec(h, "DELETE FROM unasked", e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The history in SQLite: opening it.  The file is one of several
 * processes (runs, the daemon, whoever asks), so each call is a transaction
 * that waits a few seconds for others.  A version is SQLite's user_version; a
 * newer one is refused, for its runs must not be lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/io.h"
#include "base/log.h"
#include "engine/history/history_impl.h"

#define HISTORY_VERSION 1
#define BUSY_MS 5000
#define DAMAGED ".damaged"

static const char SCHEMA[] =
    "CREATE TABLE run(id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL,"
    " repo TEXT, host TEXT, why INTEGER NOT NULL, status INTEGER NOT NULL,"
    " tries INTEGER NOT NULL, started INTEGER NOT NULL,"
    " ended INTEGER NOT NULL, rebuilt INTEGER NOT NULL, message TEXT);"
    "CREATE INDEX run_job ON run(job, " ENG_HISTORY_NEWEST_FIRST ");"
    "CREATE TABLE warning(run INTEGER NOT NULL REFERENCES run(id)"
    " ON DELETE CASCADE, n INTEGER NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY(run, n)) WITHOUT ROWID;"
    /* which: source and id, or the name where those are not known. */
    "CREATE TABLE vm(run INTEGER NOT NULL REFERENCES run(id)"
    " ON DELETE CASCADE, which TEXT NOT NULL, tried INTEGER NOT NULL,"
    " source TEXT, id TEXT, vm TEXT, status INTEGER NOT NULL,"
    " started INTEGER NOT NULL, ended INTEGER NOT NULL, point TEXT, kind TEXT,"
    " keyset TEXT, source_bytes INTEGER, read_bytes INTEGER,"
    " new_bytes INTEGER, stored_bytes INTEGER, new_blocks INTEGER,"
    " reused_blocks INTEGER, seconds REAL, bottleneck TEXT, message TEXT,"
    " source_s REAL, hash_s REAL, compress_s REAL, seal_s REAL,"
    " network_s REAL, puts INTEGER, gets INTEGER, heads INTEGER,"
    " lists INTEGER, deletes INTEGER, retentions INTEGER,"
    " PRIMARY KEY(run, which, tried)) WITHOUT ROWID;"
    "CREATE INDEX vm_point ON vm(point);"
    "CREATE TABLE schedule(job TEXT PRIMARY KEY, key TEXT NOT NULL,"
    " since INTEGER NOT NULL) WITHOUT ROWID;"
    /* A row: manifests have not been asked yet what runs there were. */
    "CREATE TABLE unasked(one INTEGER PRIMARY KEY);"
    "INSERT INTO unasked VALUES(1);"
    "PRAGMA user_version=1;";

int eng_history_error(struct eng_history *h, const char *what, struct err *e)
{
    int code = h->db != NULL ? sqlite3_errcode(h->db) : SQLITE_NOMEM;
    const char *text = h->db != NULL ? sqlite3_errmsg(h->db) : "no memory";
    int sys = h->db != NULL ? sqlite3_system_errno(h->db) : 0;
    enum err_kind kind = ERR_IO;

    switch (code) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        kind = ERR_CORRUPT;
        break;
    case SQLITE_NOMEM:
        kind = ERR_NOMEM;
        break;
    case SQLITE_FULL:
        kind = ERR_FULL;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        kind = ERR_BUSY;
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        kind = ERR_DENIED;
        break;
    case SQLITE_CANTOPEN:
        if (sys != 0 && sys != ENOENT)
            return err_set(e, err_of_errno(sys), sys, "%s %s", what, h->path);
        break;
    default:
        break;
    }
    return err_set(e, kind, 0, "%s %s: %s", what, h->path, text);
}

int eng_history_no_run(int64_t id, struct err *e)
{
    return err_set(e, ERR_NOTFOUND, 0, "the history has no run %lld",
                   (long long)id);
}

sqlite3_stmt *eng_history_prepare(struct eng_history *h, const char *sql,
                                  struct err *e)
{
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(h->db, sql, -1, &st, NULL) != SQLITE_OK) {
        eng_history_error(h, "read", e);
        return NULL;
    }
    return st;
}

int eng_history_step(struct eng_history *h, sqlite3_stmt *st, struct err *e)
{
    switch (sqlite3_step(st)) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        return 0;
    default:
        return eng_history_error(
            h, sqlite3_stmt_readonly(st) != 0 ? "read" : "write", e);
    }
}

int eng_history_exec(struct eng_history *h, const char *sql, struct err *e)
{
    if (sqlite3_exec(h->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return eng_history_error(h, "write", e);
    return 0;
}

int eng_history_whole(struct eng_history *h, const char *begin,
                      int (*fn)(struct eng_history *h, void *ctx,
                                struct err *e),
                      void *ctx, struct err *e)
{
    if (eng_history_exec(h, begin, e) < 0)
        return -1;
    if (fn(h, ctx, e) < 0 || eng_history_exec(h, "COMMIT", e) < 0) {
        sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
        return -1;
    }
    return 0;
}

/* --- opening --- */

/* The first number that a statement brings; 0 where it brings none. */
static int number(struct eng_history *h, const char *sql, int64_t *out,
                  struct err *e)
{
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(h, sql, e);

    if (st == NULL || eng_history_step(h, st, e) < 0)
        return -1;
    *out = sqlite3_column_int64(st, 0);
    return 0;
}

static int make_tables(struct eng_history *h, void *ctx, struct err *e)
{
    int64_t version = 0;

    (void)ctx;
    /* Another process may have been quicker. */
    if (number(h, "PRAGMA user_version", &version, e) < 0)
        return -1;
    return version == 0 ? eng_history_exec(h, SCHEMA, e) : 0;
}

/* Pages that are no good are found here, not in the middle of a run: the file
 * is small, and whoever finds it damaged can begin it anew. */
static int is_whole(struct eng_history *h, struct err *e)
{
    AUTO_STMT sqlite3_stmt *st =
        eng_history_prepare(h, "PRAGMA quick_check(1)", e);

    if (st == NULL || eng_history_step(h, st, e) < 0)
        return -1;
    const char *said = (const char *)sqlite3_column_text(st, 0);
    if (said != NULL && strcmp(said, "ok") == 0)
        return 0;
    return err_set(e, ERR_CORRUPT, 0, "%s is damaged: %s", h->path,
                   said != NULL ? said : "no answer");
}

static int db_open(struct eng_history *h, struct err *e)
{
    int64_t version = 0;

    if (sqlite3_open_v2(h->path, &h->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                            SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return eng_history_error(h, "open", e);
    sqlite3_busy_timeout(h->db, BUSY_MS);
    if (number(h, "PRAGMA user_version", &version, e) < 0)
        return -1;
    if (version > HISTORY_VERSION)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "%s was written by a newer version of objvault",
                       h->path);
    if (eng_history_exec(h,
                         "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
                         "PRAGMA foreign_keys=ON",
                         e) < 0)
        return -1;
    if (version == 0)
        return eng_history_whole(h, "BEGIN IMMEDIATE", make_tables, NULL, e);
    return is_whole(h, e);
}

static void db_close(struct eng_history *h)
{
    sqlite3_close(h->db);
    h->db = NULL;
}

/* Of two processes that find the file damaged one moves it aside, and the other
 * one then finds a good one. */
static int begin_anew(struct eng_history *h, struct err *e)
{
    static const char *const parts[] = { "", "-wal", "-shm" };
    AUTO_MEM char *lock = io_format(e, "%s.lock", h->path);
    if (lock == NULL)
        return -1;
    AUTO_FD int fd =
        open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, (mode_t)0600);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return err_set(e, err_of_errno(errno), errno, "lock %s", lock);

    db_close(h);
    if (db_open(h, e) == 0)
        return 0;
    if (e->kind != ERR_CORRUPT)
        return -1;
    log_warn("history", "%s; it is moved to %s" DAMAGED " and begun anew",
             e->msg, h->path);
    db_close(h);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        AUTO_MEM char *from = io_format(e, "%s%s", h->path, parts[i]);
        AUTO_MEM char *to = io_format(e, "%s" DAMAGED "%s", h->path, parts[i]);
        if (from == NULL || to == NULL)
            return -1;
        if (rename(from, to) < 0 && errno != ENOENT)
            return err_set(e, err_of_errno(errno), errno, "rename %s", from);
        if (access(from, F_OK) == 0)
            return err_set(e, ERR_IO, 0, "%s is still there", from);
    }
    return db_open(h, e);
}

struct eng_history *eng_history_open(const char *state_dir, bool *fresh,
                                     struct err *e)
{
    int64_t unasked = 0;

    if (io_mkdirs(state_dir, 0700, e) < 0)
        return NULL;
    struct eng_history *h = calloc(1, sizeof(*h));
    if (h == NULL) {
        err_nomem(e);
        return NULL;
    }
    h->path = io_join(state_dir, "history.db", e);
    if (h->path == NULL ||
        (db_open(h, e) < 0 &&
         (e->kind != ERR_CORRUPT || begin_anew(h, e) < 0)) ||
        number(h, "SELECT count(*) FROM unasked", &unasked, e) < 0) {
        eng_history_close(h);
        return NULL;
    }
    if (fresh != NULL)
        *fresh = unasked > 0;
    return h;
}

void eng_history_close(struct eng_history *h)
{
    if (h == NULL)
        return;
    db_close(h);
    free(h->path);
    free(h);
}

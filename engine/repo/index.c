// SPDX-License-Identifier: Apache-2.0
/*
 * The index in SQLite.  What was learned lies in a hash set in memory first
 * (`fresh`) and goes to the file by one transaction a second, so that workers
 * do not wait for the disk; a crash loses at most that second, and only makes
 * the next run put some blocks again.  Another process may hold the file
 * meanwhile: then the batch just stays in memory for longer.
 */
#include "engine/repo/index_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cond.h"
#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"

#define INDEX_VERSION "6"
#define FLUSH_MS 1000
#define LOOK_MS 200 /* between looks at the token of who waits for a claim */
/* ... or so many ids, whichever comes first: a listing of millions must not lie
 * in memory. */
#define FLUSH_IDS ((size_t)32768)

/* ERR_CORRUPT: the file is no good, and may be begun anew; else ERR_IO. */
int eng_index_sql_error(struct eng_index *ix, struct err *e, const char *what)
{
    int code =
        ix->core->db != NULL ? sqlite3_errcode(ix->core->db) : SQLITE_NOMEM;
    bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;

    return err_set(
        e, damaged ? ERR_CORRUPT : ERR_IO, 0, "%s the index: %s", what,
        ix->core->db != NULL ? sqlite3_errmsg(ix->core->db) : "no memory");
}

int eng_index_exec(struct eng_index *ix, const char *sql, struct err *e)
{
    if (sqlite3_exec(ix->core->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return eng_index_sql_error(ix, e, "write");
    return 0;
}

static const char SCHEMA[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=NORMAL;"
    "CREATE TABLE IF NOT EXISTS meta(k TEXT PRIMARY KEY, v TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS object(kind INTEGER NOT NULL, id BLOB NOT NULL,"
    " version TEXT, until INTEGER, checksum BLOB, size INTEGER,"
    " PRIMARY KEY(kind, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS held(kind INTEGER NOT NULL, id BLOB NOT NULL,"
    " version TEXT, until INTEGER, checksum BLOB, size INTEGER,"
    " PRIMARY KEY(kind, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS manifest(name TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS composed(whole BLOB NOT NULL,"
    " block_size INTEGER NOT NULL, base BLOB, over BLOB,"
    " units INTEGER NOT NULL, checksum BLOB NOT NULL,"
    " PRIMARY KEY(whole, block_size)) WITHOUT ROWID;";

/* 1: the meta row k has this value; 0: another; `absent` where there is no such
 * row; -1: it cannot be read. */
static int meta_is(struct eng_index *ix, const char *k, const char *want,
                   int absent, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int is = 0;

    if (sqlite3_prepare_v2(ix->core->db, "SELECT v FROM meta WHERE k=?1", -1,
                           &st, NULL) != SQLITE_OK)
        return eng_index_sql_error(ix, e, "read");
    sqlite3_bind_text(st, 1, k, -1, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        const char *v = (const char *)sqlite3_column_text(st, 0);
        is = v != NULL && strcmp(v, want) == 0;
    } else {
        is = rc == SQLITE_DONE ? absent : eng_index_sql_error(ix, e, "read");
    }
    sqlite3_finalize(st);
    return is;
}

static int meta_set(struct eng_index *ix, const char *k, const char *v,
                    struct err *e)
{
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(ix->core->db,
                           "INSERT OR REPLACE INTO meta VALUES(?1,?2)", -1, &st,
                           NULL) != SQLITE_OK)
        return eng_index_sql_error(ix, e, "write");
    sqlite3_bind_text(st, 1, k, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, v, -1, SQLITE_STATIC);
    int rc = sqlite3_step(st);
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : eng_index_sql_error(ix, e, "write");
}

/* 1: what is in the file was learned under this sweep counter. */
static int is_under(struct eng_index *ix, const char *counter, struct err *e)
{
    return meta_is(ix, "sweep", counter, counter[0] == '\0', e);
}

static void db_close(struct eng_index *ix)
{
    sqlite3_finalize(ix->core->find);
    sqlite3_finalize(ix->core->insert);
    sqlite3_finalize(ix->core->find_version);
    sqlite3_finalize(ix->core->find_held);
    sqlite3_finalize(ix->core->find_seen);
    sqlite3_finalize(ix->core->insert_seen);
    sqlite3_finalize(ix->core->find_composed);
    sqlite3_finalize(ix->core->insert_composed);
    ix->core->find = ix->core->insert = ix->core->find_seen =
        ix->core->insert_seen = NULL;
    ix->core->find_version = ix->core->find_held = NULL;
    ix->core->find_composed = ix->core->insert_composed = NULL;
    sqlite3_close(ix->core->db);
    ix->core->db = NULL;
}

static const char FIND_COMPOSED[] =
    "SELECT base,over,units,checksum FROM composed"
    " WHERE whole=?1 AND block_size=?2";

/* Whoever only knows that an object is there takes nothing away from those who
 * know its version. */
static const char INSERT_OBJECT[] =
    "INSERT INTO object VALUES(?1,?2,?3,?4,?5,?6)"
    " ON CONFLICT(kind, id) DO UPDATE"
    " SET version=excluded.version, until=excluded.until,"
    " checksum=excluded.checksum, size=excluded.size"
    " WHERE excluded.version IS NOT NULL";

#define FIND_VERSION(table)                                                    \
    "SELECT version,until,checksum,size FROM " table " WHERE kind=?1 AND "     \
    "id=?2"

static int prepare(struct eng_index *ix, struct err *e)
{
    static const char *const sql[] = {
        "SELECT 1 FROM object WHERE kind=?1 AND id=?2",
        INSERT_OBJECT,
        "SELECT 1 FROM manifest WHERE name=?1",
        "INSERT OR IGNORE INTO manifest VALUES(?1)",
        FIND_COMPOSED,
        "INSERT OR REPLACE INTO composed VALUES(?1,?2,?3,?4,?5,?6)",
        FIND_VERSION("object"),
        FIND_VERSION("held"),
    };
    sqlite3_stmt **const st[] = {
        &ix->core->find,          &ix->core->insert,
        &ix->core->find_seen,     &ix->core->insert_seen,
        &ix->core->find_composed, &ix->core->insert_composed,
        &ix->core->find_version,  &ix->core->find_held
    };

    for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++)
        if (sqlite3_prepare_v3(ix->core->db, sql[i], -1,
                               SQLITE_PREPARE_PERSISTENT, st[i],
                               NULL) != SQLITE_OK)
            return eng_index_sql_error(ix, e, "open");
    return 0;
}

static int db_open(struct eng_index *ix, const char *path, const char *repo_id,
                   struct err *e)
{
    if (sqlite3_open_v2(path, &ix->core->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                            SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return eng_index_sql_error(ix, e, "open");
    sqlite3_busy_timeout(ix->core->db, ENG_INDEX_BUSY_MS);
    if (eng_index_exec(ix, SCHEMA, e) < 0)
        return -1;
    int version = meta_is(ix, "version", INDEX_VERSION, 1, e);
    int repository =
        version < 0 ? -1 : meta_is(ix, "repository", repo_id, 1, e);
    if (repository < 0)
        return -1;
    if (version == 0 || repository == 0)
        return err_set(e, ERR_CORRUPT, 0, "the index is of another kind");
    if (meta_set(ix, "version", INDEX_VERSION, e) < 0 ||
        meta_set(ix, "repository", repo_id, e) < 0)
        return -1;
    return prepare(ix, e);
}

static int index_begin(struct eng_index *ix, const char *dir,
                       const char *repo_id, struct err *e)
{
    /* An empty name: a file without one in the temporary folder, that SQLite
     * writes only where its cache does not hold it all. */
    if (dir == NULL)
        return db_open(ix, "", repo_id, e);
    if (io_mkdirs(dir, 0700, e) < 0)
        return -1;
    AUTO_MEM char *path = io_join(dir, "index.db", e);
    AUTO_MEM char *wal = io_join(dir, "index.db-wal", e);
    AUTO_MEM char *shm = io_join(dir, "index.db-shm", e);
    if (path == NULL || wal == NULL || shm == NULL)
        return -1;
    if (db_open(ix, path, repo_id, e) == 0)
        return 0;

    /* Only what is no good is thrown away: a file that is locked or on a full
     * disk may be another process's. */
    if (e->kind != ERR_CORRUPT)
        return -1;
    log_info("index", "%s; it is rebuilt", e->msg);
    db_close(ix);
    unlink(path);
    unlink(wal);
    unlink(shm);
    return db_open(ix, path, repo_id, e);
}

static struct index_core *core_new(struct err *e)
{
    struct index_core *core = calloc(1, sizeof(*core));

    if (core == NULL) {
        err_nomem(e);
        return NULL;
    }
    pthread_mutex_init(&core->locked.lock, NULL);
    cond_init(&core->locked.settled);
    core->locked.flushed_ms = utc_mono_ms();
    return core;
}

static void core_free(struct index_core *core)
{
    free(core->locked.fresh);
    free(core->locked.composed);
    pthread_cond_destroy(&core->locked.settled);
    pthread_mutex_destroy(&core->locked.lock);
    free(core);
}

/* One more handle, which knows the index under the present counter. */
static struct eng_index *handle_new(struct index_core *core, struct err *e)
{
    struct eng_index *ix = calloc(1, sizeof(*ix));

    if (ix == NULL) {
        err_nomem(e);
        return NULL;
    }
    ix->core = core;
    pthread_mutex_lock(&core->locked.lock);
    core->locked.handles++;
    memcpy(ix->sweep, core->locked.sweep, sizeof(ix->sweep));
    pthread_mutex_unlock(&core->locked.lock);
    return ix;
}

struct eng_index *eng_index_open(const char *dir, const char *repo_id,
                                 struct err *e)
{
    struct index_core *core = core_new(e);
    struct eng_index *ix = core != NULL ? handle_new(core, e) : NULL;

    if (ix == NULL) {
        if (core != NULL)
            core_free(core);
        return NULL;
    }
    if (index_begin(ix, dir, repo_id, e) < 0) {
        err_ctx(e, "%s", dir != NULL ? dir : "in memory");
        eng_index_close(ix);
        return NULL;
    }
    return ix;
}

struct eng_index *eng_index_again(struct eng_index *ix, struct err *e)
{
    return handle_new(ix->core, e);
}

bool eng_index_is_current(const struct eng_index *ix)
{
    return strcmp(ix->sweep, ix->core->locked.sweep) == 0;
}

static int insert_fresh(struct eng_index *ix, struct err *e)
{
    for (size_t i = 0; i < ix->core->locked.fresh_cap; i++) {
        const struct fresh_slot *f = &ix->core->locked.fresh[i];
        if (!f->used)
            continue;
        if (eng_index_insert(ix, f, e) < 0)
            return -1;
    }
    return 0;
}

int eng_index_flush(struct eng_index *ix, struct err *e)
{
    ix->core->locked.flushed_ms = utc_mono_ms();
    if (ix->core->locked.fresh_n == 0 && ix->core->locked.composed_n == 0 &&
        ix->core->locked.bytes == 0)
        return 0;
    if (eng_index_exec(ix, "BEGIN IMMEDIATE", e) < 0)
        return -1;
    int ours = is_under(ix, ix->core->locked.sweep, e);
    if (ours == 0)
        log_info("index", "another process has begun it anew, after a sweep");
    if (ours < 0 ||
        (ours == 1 &&
         (insert_fresh(ix, e) < 0 || eng_index_insert_composed(ix, e) < 0 ||
          eng_index_insert_bytes(ix, e) < 0)) ||
        eng_index_exec(ix, "COMMIT", e) < 0) {
        sqlite3_exec(ix->core->db, "ROLLBACK", NULL, NULL, NULL);
        return -1;
    }
    eng_index_fresh_clear(ix);
    eng_index_forget_composed(ix);
    ix->core->locked.bytes = 0;
    return 0;
}

void eng_index_flush_when_due(struct eng_index *ix)
{
    struct err e = { 0 };
    bool many = !ix->core->locked.failing &&
                (ix->core->locked.fresh_n >= FLUSH_IDS ||
                 ix->core->locked.composed_n >= ENG_INDEX_COMPOSED_MAX);

    if (utc_mono_ms() - ix->core->locked.flushed_ms < FLUSH_MS && !many)
        return;
    /* Nobody waits for another process here: the next second is as good, as
     * long as there is room for what it brings. */
    bool full = ix->core->locked.fresh_n >= 8 * FLUSH_IDS;
    sqlite3_busy_timeout(ix->core->db, full ? ENG_INDEX_BUSY_MS : 0);
    int r = eng_index_flush(ix, &e);
    sqlite3_busy_timeout(ix->core->db, ENG_INDEX_BUSY_MS);
    ix->core->locked.failing = r < 0;
    if (r < 0 && !ix->core->locked.complained) {
        ix->core->locked.complained = true;
        log_info("index", "%s; the run goes on with it in memory", e.msg);
    }
}

bool eng_index_close(struct eng_index *ix)
{
    struct err e = { 0 };
    bool written = true;

    if (ix == NULL)
        return true;
    pthread_mutex_lock(&ix->core->locked.lock);
    bool last = --ix->core->locked.handles == 0;
    if (ix->core->insert != NULL && eng_index_flush(ix, &e) < 0) {
        log_info("index", "%s", e.msg);
        written = false;
    }
    pthread_mutex_unlock(&ix->core->locked.lock);
    if (last) {
        db_close(ix);
        eng_index_fresh_clear(ix);
        core_free(ix->core);
    }
    free(ix);
    return written;
}

bool eng_index_complete(struct eng_index *ix)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    struct err ignored = { 0 };
    bool is = meta_is(ix, "complete", "1", 0, &ignored) == 1;
    pthread_mutex_unlock(&ix->core->locked.lock);
    return is;
}

int eng_index_set_complete(struct eng_index *ix, struct err *e)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    int r = eng_index_flush(ix, e);
    if (r == 0)
        r = meta_set(ix, "complete", "1", e);
    if (r == 0)
        r = eng_index_exec(ix, "DELETE FROM held", e);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

/* What is pending was learned under another counter, and is let go. */
static void know_under(struct eng_index *ix, const char *counter)
{
    struct index_core *core = ix->core;

    if (strcmp(core->locked.sweep, counter) != 0) {
        eng_index_fresh_clear(ix);
        eng_index_forget_composed(ix);
        core->locked.bytes = 0;
    }
    (void)snprintf(core->locked.sweep, sizeof(core->locked.sweep), "%s",
                   counter);
    (void)snprintf(ix->sweep, sizeof(ix->sweep), "%s", counter);
}

bool eng_index_has_sweep(struct eng_index *ix, const char *counter)
{
    struct err ignored = { 0 };

    pthread_mutex_lock(&ix->core->locked.lock);
    bool has = is_under(ix, counter, &ignored) == 1;
    if (has)
        know_under(ix, counter);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return has;
}

/* What is there is to be found out anew; until when a version is locked stays
 * true of that version, if it is found again (eng_index_get_held). */
static const char CLEAR[] =
    "INSERT OR REPLACE INTO held SELECT * FROM object"
    " WHERE version IS NOT NULL;"
    "DELETE FROM object; DELETE FROM manifest; DELETE FROM composed;"
    "DELETE FROM meta WHERE k IN ('complete','bytes')";

int eng_index_clear(struct eng_index *ix, const char *counter, struct err *e)
{
    struct err lost = { 0 };

    pthread_mutex_lock(&ix->core->locked.lock);
    if (eng_index_flush(ix, &lost) < 0)
        log_info("index", "%s", lost.msg);
    eng_index_fresh_clear(ix);
    eng_index_forget_composed(ix);
    ix->core->locked.bytes = 0;
    int r = eng_index_exec(ix, "BEGIN IMMEDIATE", e);
    if (r == 0 && (eng_index_exec(ix, CLEAR, e) < 0 ||
                   meta_set(ix, "sweep", counter, e) < 0 ||
                   eng_index_exec(ix, "COMMIT", e) < 0))
        r = -1;
    if (r == 0)
        know_under(ix, counter);
    else
        sqlite3_exec(ix->core->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

int eng_index_add(struct eng_index *ix, enum eng_index_kind kind,
                  const struct mf_id *id, struct err *e)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    int r = eng_index_is_current(ix)
                ? eng_index_fresh_add(ix, (uint8_t)kind, id, NULL, e)
                : 0;
    eng_index_flush_when_due(ix);
    /* Somebody fills the index, and it cannot be written: better none. */
    if (r == 0 && ix->core->locked.failing &&
        ix->core->locked.fresh_n >= 8 * FLUSH_IDS)
        r = err_set(e, ERR_IO, 0, "the index cannot be written");
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

bool eng_index_known(struct eng_index *ix, enum eng_index_kind kind,
                     const struct mf_id *id)
{
    size_t slot = 0;

    if (eng_index_fresh_find(ix, (uint8_t)kind, id, &slot))
        return true;
    sqlite3_bind_int(ix->core->find, 1, (int)kind);
    sqlite3_bind_blob(ix->core->find, 2, id->b, MF_ID_BYTES, SQLITE_STATIC);
    bool known = sqlite3_step(ix->core->find) == SQLITE_ROW;
    sqlite3_reset(ix->core->find);
    return known;
}

bool eng_index_knows(struct eng_index *ix, enum eng_index_kind kind,
                     const struct mf_id *id)
{
    pthread_mutex_lock(&ix->core->locked.lock);
    bool known = eng_index_known(ix, kind, id);
    pthread_mutex_unlock(&ix->core->locked.lock);
    return known;
}

static struct claim *claim_find(struct eng_index *ix, uint8_t kind,
                                const struct mf_id *id)
{
    for (size_t i = 0; i < ix->core->locked.n_claims; i++)
        if (ix->core->locked.claims[i].kind == kind &&
            mf_id_eq(&ix->core->locked.claims[i].id, id))
            return &ix->core->locked.claims[i];
    return NULL;
}

int eng_index_claim(struct eng_index *ix, enum eng_index_kind kind,
                    const struct mf_id *id, const struct cancel *cancel,
                    struct err *e)
{
    int r = 0;

    pthread_mutex_lock(&ix->core->locked.lock);
    while (claim_find(ix, (uint8_t)kind, id) != NULL ||
           ix->core->locked.n_claims == ENG_INDEX_CLAIMS_MAX) {
        r = cancel_check(cancel, e);
        if (r < 0)
            break;
        /* A claimant that hangs in the network must not keep us. */
        (void)cond_wait_ms(&ix->core->locked.settled, &ix->core->locked.lock,
                           LOOK_MS);
    }
    if (r == 0 && eng_index_known(ix, kind, id))
        r = 1;
    if (r == 0)
        ix->core->locked.claims[ix->core->locked.n_claims++] =
            (struct claim){ (uint8_t)kind, *id };
    pthread_mutex_unlock(&ix->core->locked.lock);
    return r;
}

void eng_index_settle(struct eng_index *ix, enum eng_index_kind kind,
                      const struct mf_id *id, bool stored)
{
    struct err e = { 0 };

    pthread_mutex_lock(&ix->core->locked.lock);
    struct claim *c = claim_find(ix, (uint8_t)kind, id);
    if (c != NULL)
        *c = ix->core->locked.claims[--ix->core->locked.n_claims];
    /* Without memory the id is only forgotten: it would be put once more. */
    if (stored && eng_index_is_current(ix) &&
        eng_index_fresh_add(ix, (uint8_t)kind, id, NULL, &e) < 0)
        log_info("index", "%s", e.msg);
    eng_index_flush_when_due(ix);
    pthread_cond_broadcast(&ix->core->locked.settled);
    pthread_mutex_unlock(&ix->core->locked.lock);
}

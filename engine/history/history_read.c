// SPDX-License-Identifier: Apache-2.0
/* What is read from the history.  A file may hold what nobody of ours wrote:
 * numbers are held to what they mean. */
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "engine/history/history_impl.h"

#define LIMIT_MAX ((size_t)100000)

/* A row that is read column by column; failed: no memory, or not a row of
 * ours. */
struct row {
    sqlite3_stmt *st;
    int at;
    enum err_kind failed;
};

static int64_t take_int(struct row *r)
{
    return sqlite3_column_int64(r->st, r->at++);
}

static uint64_t take_uint(struct row *r)
{
    int64_t n = take_int(r);

    return n < 0 ? 0 : (uint64_t)n;
}

static int64_t take_time(struct row *r)
{
    int64_t t = take_int(r);

    return t < 0 ? 0 : t > UTC_LAST ? UTC_LAST : t;
}

static double take_seconds(struct row *r)
{
    double s = sqlite3_column_double(r->st, r->at++);

    return s >= 0 && s < 1e12 ? s : 0;
}

static enum eng_status take_status(struct row *r)
{
    int64_t n = take_int(r);

    if (n >= 0 && n < ENG_STATUSES)
        return (enum eng_status)n;
    r->failed = ERR_CORRUPT;
    return ENG_STATUS_FAILED;
}

static char *take_text(struct row *r)
{
    int at = r->at++;

    if (sqlite3_column_type(r->st, at) == SQLITE_NULL)
        return NULL;
    const char *text = (const char *)sqlite3_column_text(r->st, at);
    char *copy = text != NULL ? strdup(text) : NULL;
    if (copy == NULL)
        r->failed = ERR_NOMEM;
    return copy;
}

static int row_check(const struct eng_history *h, const struct row *r,
                     struct err *e)
{
    if (r->failed == ERR_NONE)
        return 0;
    if (r->failed == ERR_NOMEM)
        return err_nomem(e);
    return err_set(e, r->failed, 0, "%s holds no runs of ours", h->path);
}

static int read_vm(const struct eng_history *h, sqlite3_stmt *st,
                   struct eng_vm_record *v, struct err *e)
{
    struct row r = { .st = st };

    v->tried = (unsigned)take_uint(&r);
    v->source = take_text(&r);
    v->id = take_text(&r);
    v->vm = take_text(&r);
    v->status = take_status(&r);
    v->started = take_time(&r);
    v->ended = take_time(&r);
    v->point = take_text(&r);
    v->kind = take_text(&r);
    v->keyset = take_text(&r);
    v->source_bytes = take_uint(&r);
    v->read_bytes = take_uint(&r);
    v->new_bytes = take_uint(&r);
    v->stored_bytes = take_uint(&r);
    v->new_blocks = take_uint(&r);
    v->reused_blocks = take_uint(&r);
    v->seconds = take_seconds(&r);
    v->bottleneck = take_text(&r);
    v->message = take_text(&r);
    for (size_t i = 0; i < ENG_STAGES; i++)
        v->busy[i] = take_seconds(&r);
    for (size_t i = 0; i < ENG_REQUEST_KINDS; i++)
        v->requests[i] = take_uint(&r);
    return row_check(h, &r, e);
}

static int read_run(const struct eng_history *h, sqlite3_stmt *st,
                    struct eng_run_record *out, struct err *e)
{
    struct row r = { .st = st };

    out->id = take_int(&r);
    out->job = take_text(&r);
    out->repo = take_text(&r);
    out->host = take_text(&r);
    out->why =
        take_int(&r) == ENG_WHY_SCHEDULE ? ENG_WHY_SCHEDULE : ENG_WHY_ASKED;
    out->status = take_status(&r);
    out->tries = (unsigned)take_uint(&r);
    out->started = take_time(&r);
    out->ended = take_time(&r);
    out->rebuilt = take_int(&r) != 0;
    out->message = take_text(&r);
    return row_check(h, &r, e);
}

/* Makes room for one more element of a list of n, and clears it. */
static void *grow(void *list, size_t n, size_t size)
{
    void *longer = (n & (n - 1)) == 0
                       ? reallocarray(list, n == 0 ? 1 : 2 * n, size)
                       : list;

    if (longer != NULL)
        memset((char *)longer + n * size, 0, size);
    return longer;
}

static int read_vms(struct eng_history *h, struct eng_run_record *r,
                    struct err *e)
{
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(
        h,
        "SELECT " ENG_HISTORY_VM_COLUMNS " FROM vm WHERE run=?1 AND tried="
        "(SELECT max(tried) FROM vm AS v WHERE v.run=vm.run AND"
        " v.which=vm.which) ORDER BY vm, which",
        e);
    int some = -1;

    if (st == NULL)
        return -1;
    sqlite3_bind_int64(st, 1, r->id);
    while ((some = eng_history_step(h, st, e)) == 1) {
        void *longer = grow(r->vms, r->n_vms, sizeof(*r->vms));
        if (longer == NULL)
            return err_nomem(e);
        r->vms = longer;
        if (read_vm(h, st, &r->vms[r->n_vms++], e) < 0)
            return -1;
    }
    return some;
}

static int read_warnings(struct eng_history *h, struct eng_run_record *r,
                         struct err *e)
{
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(
        h, "SELECT text FROM warning WHERE run=?1 ORDER BY n", e);
    int some = -1;

    if (st == NULL)
        return -1;
    sqlite3_bind_int64(st, 1, r->id);
    while ((some = eng_history_step(h, st, e)) == 1) {
        struct row row = { .st = st };
        void *longer = grow(r->warnings, r->n_warnings, sizeof(*r->warnings));
        if (longer == NULL)
            return err_nomem(e);
        r->warnings = longer;
        r->warnings[r->n_warnings++] = take_text(&row);
        if (row_check(h, &row, e) < 0)
            return -1;
    }
    return some;
}

struct reading {
    const char *job;
    size_t limit;
    struct eng_run_record *runs;
    size_t n;
};

static int read_runs(struct eng_history *h, void *ctx, struct err *e)
{
    /* Apart, so that those of one job are found by its index. */
    static const char all[] = "SELECT " ENG_HISTORY_RUN_COLUMNS " FROM run"
                              " ORDER BY " ENG_HISTORY_NEWEST_FIRST " LIMIT ?2";
    static const char of_job[] =
        "SELECT " ENG_HISTORY_RUN_COLUMNS " FROM run WHERE job=?1"
        " ORDER BY " ENG_HISTORY_NEWEST_FIRST " LIMIT ?2";
    struct reading *g = ctx;
    AUTO_STMT sqlite3_stmt *st =
        eng_history_prepare(h, g->job != NULL ? of_job : all, e);
    int some = -1;

    if (st == NULL)
        return -1;
    sqlite3_bind_text(st, 1, g->job, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (int64_t)g->limit);
    while ((some = eng_history_step(h, st, e)) == 1) {
        void *longer = grow(g->runs, g->n, sizeof(*g->runs));
        if (longer == NULL)
            return err_nomem(e);
        g->runs = longer;
        struct eng_run_record *r = &g->runs[g->n++];
        if (read_run(h, st, r, e) < 0 || read_vms(h, r, e) < 0 ||
            read_warnings(h, r, e) < 0)
            return -1;
    }
    return some;
}

int eng_history_runs(struct eng_history *h, const char *job, size_t limit,
                     struct eng_run_record **out, size_t *n, struct err *e)
{
    struct reading g = { .job = job,
                         .limit = limit < LIMIT_MAX ? limit : LIMIT_MAX };

    if (eng_history_whole(h, "BEGIN", read_runs, &g, e) < 0) {
        eng_history_runs_free(g.runs, g.n);
        return -1;
    }
    *out = g.runs;
    *n = g.n;
    return 0;
}

void eng_history_runs_free(struct eng_run_record *runs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        eng_run_record_fini(&runs[i]);
    free(runs);
}

int eng_history_had_vm(struct eng_history *h, const char *job, const char *vm,
                       struct err *e)
{
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(
        h,
        "SELECT 1 FROM run JOIN vm ON vm.run=run.id"
        " WHERE run.job=?1 AND NOT run.rebuilt AND vm.vm=?2 LIMIT 1",
        e);

    if (st == NULL)
        return -1;
    sqlite3_bind_text(st, 1, job, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, vm, -1, SQLITE_STATIC);
    return eng_history_step(h, st, e);
}

static int read_one(struct eng_history *h, void *ctx, struct err *e)
{
    struct eng_run_record *r = ctx;
    int64_t id = r->id;
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(
        h, "SELECT " ENG_HISTORY_RUN_COLUMNS " FROM run WHERE id=?1", e);

    if (st == NULL)
        return -1;
    sqlite3_bind_int64(st, 1, id);
    int some = eng_history_step(h, st, e);
    if (some == 0)
        return eng_history_no_run(id, e);
    if (some < 0 || read_run(h, st, r, e) < 0 || read_vms(h, r, e) < 0)
        return -1;
    return read_warnings(h, r, e);
}

int eng_history_run(struct eng_history *h, int64_t id,
                    struct eng_run_record *out, struct err *e)
{
    AUTO_ENG_RUN_RECORD struct eng_run_record r = { .id = id };

    if (eng_history_whole(h, "BEGIN", read_one, &r, e) < 0)
        return -1;
    *out = r;
    r = (struct eng_run_record){ 0 };
    return 0;
}

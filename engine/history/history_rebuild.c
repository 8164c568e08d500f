// SPDX-License-Identifier: Apache-2.0
/*
 * The history from manifests.  Points are read first, and then, in one
 * transaction, sorted into runs.  A point tells its job, when its VM began and
 * how long that took: VMs of a run follow each other without a gap, while the
 * next run or try begins minutes later.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/history/history_impl.h"
#include "engine/repo/points.h"

#define GAP_S 60 /* at most, between an end and the next beginning in a run */

/* A point that a run has made; borrowed but for its text. */
struct made {
    const struct eng_point *p;
    char *text;
    size_t run; /* its run's index */
};

struct rebuild {
    const char *repo;
    struct made *made; /* by job, then time */
    size_t n;
    size_t runs;
};

static void rebuild_fini(struct rebuild *b)
{
    for (size_t i = 0; i < b->n; i++)
        free(b->made[i].text);
    free(b->made);
}

static int64_t end_of(const struct mf_point *m)
{
    return m->time + (int64_t)m->stats.seconds;
}

static int by_job_and_time(const void *a, const void *b)
{
    const struct mf_point *x = ((const struct made *)a)->p->manifest;
    const struct mf_point *y = ((const struct made *)b)->p->manifest;
    int order = strcmp(x->job, y->job);

    if (order == 0)
        order = (x->time > y->time) - (x->time < y->time);
    return order != 0 ? order : strcmp(x->vm.name, y->vm.name);
}

static int collect(struct rebuild *b, const struct eng_points *ps,
                   struct err *e)
{
    b->made = calloc(ps->n + 1, sizeof(*b->made));
    if (b->made == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < ps->n; i++) {
        const struct mf_point *m = ps->p[i].manifest;
        if (m == NULL || m->job == NULL)
            continue;
        b->made[b->n].p = &ps->p[i];
        b->made[b->n].text = eng_point_text(ps, &ps->p[i], e);
        if (b->made[b->n].text == NULL)
            return -1;
        b->n++;
    }
    qsort(b->made, b->n, sizeof(*b->made), by_job_and_time);
    return 0;
}

/* Drops those points that the history knows of. */
static int drop_known(struct eng_history *h, struct rebuild *b, struct err *e)
{
    AUTO_STMT sqlite3_stmt *st = eng_history_prepare(
        h,
        "SELECT 1 FROM run WHERE job=?1 AND repo=?2 AND ((status=?5 AND"
        " started<=?3) OR ?3 BETWEEN started AND ended)"
        " UNION ALL SELECT 1 FROM vm JOIN run ON run.id=vm.run"
        " WHERE vm.point=?4 AND run.repo=?2",
        e);
    size_t kept = 0;

    if (st == NULL)
        return -1;
    for (size_t i = 0; i < b->n; i++) {
        struct made m = b->made[i];
        sqlite3_bind_text(st, 1, m.p->manifest->job, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, b->repo, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 3, m.p->manifest->time);
        sqlite3_bind_text(st, 4, m.text, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, 5, ENG_STATUS_RUNNING);
        int known = eng_history_step(h, st, e);
        if (known < 0)
            return -1;
        sqlite3_reset(st);
        /* Swapped, not overwritten: each text has one place that frees it. */
        if (known == 0) {
            b->made[i] = b->made[kept];
            b->made[kept++] = m;
        }
    }
    for (size_t i = kept; i < b->n; i++)
        free(b->made[i].text);
    b->n = kept;
    return 0;
}

static bool has_vm(const struct rebuild *b, size_t from, size_t to,
                   const char *vm)
{
    for (size_t i = from; i < to; i++)
        if (strcmp(b->made[i].p->manifest->vm.name, vm) == 0)
            return true;
    return false;
}

/* Numbers the runs that the points are of. */
static void sort_into_runs(struct rebuild *b)
{
    size_t first = 0; /* point of the run */
    int64_t end = 0;

    for (size_t i = 0; i < b->n; i++) {
        const struct mf_point *m = b->made[i].p->manifest;
        if (i == 0 || strcmp(m->job, b->made[first].p->manifest->job) != 0 ||
            m->time > end + GAP_S || has_vm(b, first, i, m->vm.name)) {
            b->runs++;
            first = i;
            end = m->time;
        }
        b->made[i].run = b->runs - 1;
        end = end_of(m) > end ? end_of(m) : end;
    }
}

/* Borrows from the point. */
static struct eng_vm_record record_of(const struct made *made)
{
    static char full[] = "full";
    static char incremental[] = "incremental";
    const struct mf_point *m = made->p->manifest;
    union {
        const char *theirs;
        char *text;
    } keyset = { .theirs = made->p->keyset };

    return (struct eng_vm_record){
        .vm = m->vm.name,
        .status = ENG_STATUS_SUCCESS,
        .tried = 1,
        .started = m->time,
        .ended = end_of(m),
        .point = made->text,
        .kind = m->kind == MF_FULL ? full : incremental,
        .keyset = keyset.text,
        .source_bytes = m->stats.source_bytes,
        .read_bytes = m->stats.read_bytes,
        .new_bytes = m->stats.new_bytes,
        .stored_bytes = m->stats.stored_bytes,
        .seconds = (double)m->stats.seconds,
    };
}

static int put_run(struct eng_history *h, const struct rebuild *b, size_t from,
                   size_t to, struct err *e)
{
    const struct mf_point *m = b->made[from].p->manifest;
    union {
        const char *ours;
        char *text;
    } repo = { .ours = b->repo };
    struct eng_run_record r = {
        .job = m->job,
        .repo = repo.text,
        .status = ENG_STATUS_SUCCESS,
        .tries = 1,
        .started = m->time,
        .rebuilt = true,
    };

    for (size_t i = from; i < to; i++)
        if (end_of(b->made[i].p->manifest) > r.ended)
            r.ended = end_of(b->made[i].p->manifest);
    if (eng_history_insert_run(h, &r, e) < 0)
        return -1;
    for (size_t i = from; i < to; i++) {
        struct eng_vm_record v = record_of(&b->made[i]);
        if (eng_history_insert_vm(h, r.id, &v, e) < 0)
            return -1;
    }
    return 0;
}

static int put_runs(struct eng_history *h, void *ctx, struct err *e)
{
    struct rebuild *b = ctx;

    if (drop_known(h, b, e) < 0)
        return -1;
    sort_into_runs(b);
    for (size_t from = 0; from < b->n;) {
        size_t to = from + 1;
        while (to < b->n && b->made[to].run == b->made[from].run)
            to++;
        if (put_run(h, b, from, to, e) < 0)
            return -1;
        from = to;
    }
    return 0;
}

int eng_history_rebuild(struct eng_history *h, struct eng_repo *repo,
                        const struct cancel *cancel, size_t *n, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points ps = { 0 };
    AUTO(rebuild_fini) struct rebuild b = { .repo = eng_repo_name(repo) };

    *n = 0;
    if (eng_points_list_all(repo, cancel, NULL, &ps, e) < 0 ||
        collect(&b, &ps, e) < 0 ||
        eng_history_whole(h, "BEGIN IMMEDIATE", put_runs, &b, e) < 0)
        return -1;
    *n = b.runs;
    return 0;
}

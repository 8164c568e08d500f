// SPDX-License-Identifier: Apache-2.0
/* The VMs of a run, several at a time: each worker has a handle of its own on
 * the repository, and processes one VM after the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"
#include "base/workers.h"
#include "engine/repo/blockio.h"
#include "engine/repo/point_store.h"
#include "engine/run/job_run_impl.h"

void eng_job_tell(struct eng_job_work *w, const struct eng_vm_record *v)
{
    struct err e = { 0 };

    pthread_mutex_lock(&w->told);
    if (w->history != NULL && eng_history_vm(w->history, w->run->id, v, &e) < 0)
        log_warn("run", "what became of %s is not kept: %s", v->vm, e.msg);
    if (w->o->told != NULL && v->started != 0)
        w->o->told(w->o->ctx, v);
    pthread_mutex_unlock(&w->told);
}

/* --- what becomes of one --- */

static void take_text(char **to, const char *text)
{
    free(*to);
    *to = text != NULL && text[0] != '\0' ? strdup(text) : NULL;
}

static void count_requests(struct eng_repo *r, struct eng_vm_record *v,
                           const struct obj_counters *before)
{
    struct obj_counters now;

    obj_store_counters(eng_repo_store(r), &now);
    eng_requests_between(before, &now, v->requests);
}

static void take_result(struct eng_vm_record *v,
                        const struct eng_backup_result *res)
{
    v->status =
        res->warning[0] != '\0' ? ENG_STATUS_WARNING : ENG_STATUS_SUCCESS;
    take_text(&v->point, res->point);
    take_text(&v->kind, res->kind == MF_FULL ? "full" : "incremental");
    take_text(&v->keyset, res->keyset);
    take_text(&v->bottleneck, res->bottleneck);
    take_text(&v->message, res->warning);
    v->source_bytes = res->source_bytes;
    v->read_bytes = res->read_bytes;
    v->new_bytes = res->new_bytes;
    v->stored_bytes = res->stored_bytes;
    v->new_blocks = res->new_blocks;
    v->reused_blocks = res->reused_blocks;
    v->seconds = res->seconds;
    memcpy(v->busy, res->busy, sizeof(v->busy));
}

/* What a VM failed by is its own matter, but for what keeps every VM from being
 * stored. */
static enum err_kind kind_of_run(enum err_kind of_vm)
{
    bool everybodys = of_vm == ERR_UNREACHABLE || of_vm == ERR_THROTTLED ||
                      of_vm == ERR_TIMEOUT || of_vm == ERR_QUOTA;

    return everybodys ? of_vm : ERR_FAILED;
}

static void take_error(struct eng_job_work *w, struct eng_vm_record *v,
                       const struct err *e)
{
    bool stopped = e->kind == ERR_CANCELLED && cancel_requested(&w->cancel);

    v->status = stopped ? ENG_STATUS_STOPPED : ENG_STATUS_FAILED;
    take_text(&v->message, stopped ? "stopped" : e->msg);
    pthread_mutex_lock(&w->told);
    if (!stopped && w->first.kind == ERR_NONE) {
        w->first = *e;
        w->first.kind = kind_of_run(e->kind);
    }
    pthread_mutex_unlock(&w->told);
}

/* --- one --- */

static bool is_wanted(void *ctx, const char *disk)
{
    const struct eng_selected *s = ctx;

    for (size_t i = 0; i < s->vm->n_disks; i++)
        if (strcmp(s->vm->disks[i].name, disk) == 0)
            return s->disks == NULL || s->disks[i];
    /* It is new since the VM was looked at; only a choice leaves it out. */
    for (size_t i = 0; s->disks != NULL && i < s->vm->n_disks; i++)
        if (!s->disks[i])
            return false;
    return true;
}

/* The deepest folder that it lies in, as a job names it; *out NULL: in none. */
static int container_of(const struct eng_job_work *w,
                        const struct eng_selected *s, char **out, struct err *e)
{
    const char *deepest = NULL;

    *out = NULL;
    for (size_t i = 0; i < s->vm->n_containers; i++) {
        const struct eng_container *c = &s->vm->containers[i];
        if (c->kind == ENG_FOLDER && c->name[0] != '\0' &&
            (deepest == NULL || strlen(c->name) > strlen(deepest)))
            deepest = c->name;
    }
    if (deepest == NULL)
        return 0;
    *out = io_format(e, "%s:%s", eng_held_source(w->held, s->looked), deepest);
    return *out != NULL ? 0 : -1;
}

/* Whether the schedules of fulls say that this VM's next point begins a
 * chain. */
static int look_for_fulls(const struct eng_job_work *w, struct eng_repo *repo,
                          const struct eng_selected *s, bool *active,
                          bool *synthetic, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points names = { 0 };
    char room[ENG_ZONE_NAME_CHARS];
    struct eng_point *newest = NULL;

    *active = w->o->full;
    *synthetic = false;
    if (*active ||
        (w->job->active_full == NULL && w->job->synthetic_full == NULL))
        return 0;
    if (eng_points_newest(repo, &w->cancel, s->name, &names, &newest, e) < 0)
        return -1;
    int64_t chain = newest != NULL ? newest->manifest->chain : 0;
    const char *zone = eng_job_zone(w->job, room);
    if (w->job->active_full != NULL &&
        eng_job_full_due(w->job->active_full, zone, chain, utc_now(), active,
                         e) < 0)
        return -1;
    if (*active || w->job->synthetic_full == NULL)
        return 0;
    return eng_job_full_due(w->job->synthetic_full, zone, chain, utc_now(),
                            synthetic, e);
}

/* A synthetic full of the point that was made just now, which stands whatever
 * comes of it. */
static void add_synthetic(struct eng_repo *repo, const struct eng_machine *m,
                          struct eng_backup_opts o, struct eng_vm_record *v)
{
    struct eng_backup_result res;
    struct err e = { 0 };

    o.synthetic_full = true;
    o.full = false;
    if (eng_backup_machine(repo, m, &o, &res, &e) == 0)
        return;
    (void)err_ctx(&e, "no synthetic full was made");
    v->status = ENG_STATUS_WARNING;
    take_text(&v->message, e.msg);
}

static int back_up(struct eng_job_work *w, struct eng_repo *repo,
                   const struct eng_selected *s, uint64_t memory,
                   struct progress_task *group, struct eng_vm_record *v,
                   struct err *e)
{
    struct eng_backup_result res;
    AUTO_MEM char *container = NULL;
    union {
        const struct eng_selected *ours;
        void *ctx; /* which is_wanted does not change */
    } choice = { .ours = s };
    bool synthetic = false;
    struct eng_backup_opts o = {
        .vm = s->name,
        .job = w->job->name,
        .block_size = (uint32_t)w->job->block_size,
        .keeping = w->keeps ? &w->keeping : NULL,
        .encrypt = w->encrypt,
        .compression = eng_compression_of(w->job->compression),
        .memory_bytes = memory,
        .cancel = &w->cancel,
        .progress = w->o->progress,
        .group = group,
    };
    AUTO_ENG_MACHINE struct eng_machine *m =
        eng_inventory_machine(eng_held_place(w->held, s->looked), s->vm->id,
                              is_wanted, choice.ctx, e);

    if (m == NULL || container_of(w, s, &container, e) < 0 ||
        look_for_fulls(w, repo, s, &o.full, &synthetic, e) < 0)
        return -1;
    o.container = container;
    if (eng_backup_machine(repo, m, &o, &res, e) < 0)
        return -1;
    take_result(v, &res);
    if (synthetic)
        add_synthetic(repo, m, o, v);
    return 0;
}

struct vm_worker {
    struct eng_job_work *w;
    struct eng_repo *repo;
    uint64_t memory;
};

static void process(struct vm_worker *x, const struct eng_job_item *item)
{
    struct eng_job_work *w = x->w;
    struct eng_vm_record *v = &w->run->vms[item->at];
    struct obj_counters before;
    struct err e = { 0 };
    struct progress_task *group = progress_begin_group(w->o->progress, v->vm);

    v->started = utc_now();
    eng_job_tell(w, v);
    obj_store_counters(eng_repo_store(x->repo), &before);
    if (back_up(w, x->repo, item->vm, x->memory, group, v, &e) < 0)
        take_error(w, v, &e);
    progress_end(group);
    count_requests(x->repo, v, &before);
    v->ended = utc_now();
    eng_job_tell(w, v);
}

/* --- all of them --- */

static int work(void *ctx, struct workers *group, unsigned index, struct err *e)
{
    struct vm_worker x = *(const struct vm_worker *)ctx;
    AUTO_ENG_REPO struct eng_repo *repo = eng_repo_again(x.w->repo, e);
    uint64_t i = 0;

    (void)index;
    if (repo == NULL)
        return -1;
    x.repo = repo;
    while (!atomic_load(&x.w->enough) && workers_claim(group, &i))
        process(&x, &x.w->items[i]);
    return 0;
}

int eng_job_process(struct eng_job_work *w, struct err *e)
{
    uint64_t parallel =
        w->job->parallel != 0 ? w->job->parallel : ENG_JOB_PARALLEL;
    struct vm_worker x = { .w = w };

    if (parallel > w->n_items)
        parallel = w->n_items;
    progress_expect(w->o->progress, w->n_items);
    x.memory = eng_blockio_share(w->o->memory_bytes, (unsigned)parallel);
    int r =
        workers_run((unsigned)parallel, w->n_items, &w->cancel, work, &x, e);
    /* What was left is in the records, and why is known here. */
    if (r < 0 && (cancel_requested(&w->cancel) || atomic_load(&w->enough))) {
        *e = (struct err){ 0 };
        return 0;
    }
    return r;
}

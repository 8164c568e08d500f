// SPDX-License-Identifier: Apache-2.0
/* Which VMs of a job are gone for long, and the end of their points. */
#include "engine/daemon/forget.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "engine/history/history.h"
#include "engine/inventory/inventory.h"
#include "engine/job/reference.h"
#include "engine/job/source_config.h"
#include "engine/repo/keep.h"
#include "engine/repo/keysets.h"

/* Whether the VM of the series [from, to) is gone for long. */
static bool is_over(const struct eng_fated *points, size_t from, size_t to,
                    int64_t after_s, int64_t now)
{
    for (size_t i = from; i < to; i++)
        if (points[i].there || points[i].time > now - after_s)
            return false;
    return true;
}

static enum eng_fate fate_of(const struct eng_fated *p, int64_t now)
{
    if (!p->of_job)
        return ENG_FATE_STAYS;
    if (p->protect)
        return ENG_FATE_PROTECTED;
    return p->locked_until > now ? ENG_FATE_LOCKED : ENG_FATE_REMOVED;
}

void eng_fate_decide(struct eng_fated *points, size_t n, int64_t after_s,
                     int64_t now)
{
    for (size_t from = 0, to = 0; from < n; from = to) {
        while (to < n && strcmp(points[to].vm, points[from].vm) == 0)
            to++;
        bool over = is_over(points, from, to, after_s, now);
        for (size_t i = from; i < to; i++)
            points[i].fate = over ? fate_of(&points[i], now) : ENG_FATE_STAYS;
    }
}

/* --- what the sources have --- */

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has(const struct eng_texts *l, const char *text)
{
    return text != NULL && l->n > 0 &&
           bsearch(&text, l->v, l->n, sizeof *l->v, compare) != NULL;
}

/* What the job's sources say. */
struct looked {
    struct eng_texts vms; /* names that a VM may be filed by, and ids; sorted */
    struct eng_texts places; /* that were looked at, as points name them */
    struct eng_texts empty;  /* folders in them that are empty or not there */
};

static void looked_fini(struct looked *l)
{
    eng_texts_fini(&l->vms);
    eng_texts_fini(&l->places);
    eng_texts_fini(&l->empty);
}

/* Whether a path, which may be NULL, is the folder or lies below it. */
static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    if (path == NULL || strncmp(path, folder, n) != 0)
        return false;
    return path[n] == '\0' || path[n] == '/' || (n > 0 && folder[n - 1] == '/');
}

static bool is_below_any(const char *path, const struct eng_texts *folders)
{
    for (size_t i = 0; i < folders->n; i++)
        if (is_below(path, folders->v[i]))
            return true;
    return false;
}

/* Folders below the place that have no VM at all: what is mounted there may be
 * away, as it may be with the place itself. */
static int add_empty(const struct eng_inventory *inv, const char *folder,
                     struct eng_texts *empty, struct err *e)
{
    for (size_t i = 0; i < inv->n_containers; i++)
        if (inv->containers[i].kind == ENG_FOLDER &&
            inv->containers[i].n_vms == 0 &&
            eng_texts_take(empty, io_join(folder, inv->containers[i].name, e),
                           e) < 0)
            return -1;
    return 0;
}

static bool has_folder(const struct eng_inventory *inv, const char *name)
{
    for (size_t i = 0; i < inv->n_containers; i++)
        if (inv->containers[i].kind == ENG_FOLDER &&
            strcmp(inv->containers[i].name, name) == 0)
            return true;
    return false;
}

/* Folders that the job names and that are not in the place any more,
 * likewise. */
static int add_missing(const struct eng_job *job, const char *source,
                       const struct eng_inventory *inv, const char *folder,
                       struct eng_texts *empty, struct err *e)
{
    for (size_t i = 0; i < job->containers.n; i++) {
        struct eng_ref ref;
        if (!eng_ref_split(job->containers.v[i], &ref) ||
            !span_eq(ref.source, span_str(source)))
            continue;
        struct eng_container_ref c = eng_container_ref_of(ref.rest);
        if (c.kind == ENG_FOLDER && c.name[0] != '\0' &&
            !has_folder(inv, c.name) &&
            eng_texts_take(empty, io_join(folder, c.name, e), e) < 0)
            return -1;
    }
    return 0;
}

/* The place as points name it (eng_machine's source): the path without links of
 * a folder, else only that it is libvirt. */
static int add_place(const struct eng_job *job, const char *source,
                     const struct eng_inventory *inv, struct looked *l,
                     struct err *e)
{
    if (inv->place.kind != ENG_PLACE_FOLDER)
        return eng_texts_take(&l->places, strdup("libvirt:"), e);
    AUTO_MEM char *real = realpath(inv->place.path, NULL);
    if (real == NULL)
        return err_set(e, err_of_errno(errno), errno, "%s", inv->place.path);
    if (add_empty(inv, real, &l->empty, e) < 0 ||
        add_missing(job, source, inv, real, &l->empty, e) < 0)
        return -1;
    return eng_texts_take(&l->places, STEAL(real), e);
}

/* Whether the VM of a point would have been seen, if it still were. */
static bool would_be_seen(const struct looked *l, const char *source)
{
    for (size_t i = 0; i < l->places.n; i++)
        if (strcmp(l->places.v[i], "libvirt:") == 0 &&
            strncmp(source, "libvirt:", strlen("libvirt:")) == 0)
            return true;
    const char *path = strchr(source, ':');
    struct stat st;
    /* What is there in its place may be a link to it. */
    if (path == NULL || lstat(path + 1, &st) == 0)
        return false;
    return is_below_any(path + 1, &l->places) &&
           !is_below_any(path + 1, &l->empty);
}

/* All VMs of a source.  Where some may be missing nothing is said. */
static int add_source(const struct eng_home *h, const struct eng_job *job,
                      const char *source, const struct cancel *cancel,
                      struct looked *l, struct err *e)
{
    AUTO_ENG_INVENTORY struct eng_inventory *inv =
        eng_config_source_look(h, source, cancel, e);

    if (inv == NULL)
        return err_ctx(e, "source %s", source);
    for (size_t i = 0; i < inv->n_notes; i++)
        if (inv->notes[i].warning)
            return err_set(e, ERR_FAILED, 0,
                           "source %s could not be looked at wholly: %s",
                           source, inv->notes[i].text);
    if (inv->n_vms == 0)
        return err_set(e, ERR_FAILED, 0,
                       "source %s has no VM at all, which looks like a place "
                       "that is not mounted",
                       source);
    for (size_t i = 0; i < inv->n_vms; i++) {
        const struct eng_vm *vm = &inv->vms[i];
        if (eng_texts_take(&l->vms, strdup(vm->name), e) < 0 ||
            eng_texts_take(&l->vms, strdup(vm->id), e) < 0 ||
            eng_texts_take(&l->vms, io_format(e, "%s/%s", source, vm->id), e) <
                0)
            return -1;
    }
    return add_place(job, source, inv, l, e);
}

static int add_sources(const struct eng_home *h, const struct eng_job *job,
                       const struct cancel *cancel, struct looked *l,
                       struct err *e)
{
    AUTO_ENG_TEXTS struct eng_texts sources = { 0 };

    if (eng_job_sources(job, &sources, e) < 0)
        return -1;
    if (sources.n == 0)
        return err_set(e, ERR_USAGE, 0, "job %s names no source", job->name);
    for (size_t i = 0; i < sources.n; i++)
        if (add_source(h, job, sources.v[i], cancel, l, e) < 0)
            return -1;
    if (l->vms.n > 0)
        qsort(l->vms.v, l->vms.n, sizeof *l->vms.v, compare);
    return 0;
}

/* --- points --- */

static int compare_points(const void *a, const void *b)
{
    const struct eng_point *x = a;
    const struct eng_point *y = b;
    int r = strcmp(x->vm, y->vm);

    if (r != 0)
        return r;
    return x->time < y->time ? -1 : x->time > y->time;
}

/* The marks of the keyset that p lies in; points of one keyset mostly follow
 * each other. */
static int marks_of(struct eng_repo *repo, const struct cancel *cancel,
                    const struct eng_point *p, struct eng_keeps *keeps,
                    char now[MF_KEYSET_CHARS], struct err *e)
{
    if (strcmp(now, p->keyset) == 0)
        return 0;
    if (eng_keeps_of_keyset(repo, cancel, p->keyset, keeps, e) < 0)
        return -1;
    memcpy(now, p->keyset, MF_KEYSET_CHARS);
    return 0;
}

/* Whether this machine's runs of the job had the VM of point i: asked once for
 * all of its points, which lie together. */
static int is_ours(struct eng_history *h, const struct eng_job *job,
                   const struct eng_forgetting *f, size_t i, int *ours,
                   struct err *e)
{
    if (i == 0 || strcmp(f->points.p[i - 1].vm, f->points.p[i].vm) != 0)
        *ours = eng_history_had_vm(h, job->name, f->points.p[i].vm, e);
    return *ours < 0 ? -1 : 0;
}

static int fill(struct eng_repo *repo, const struct cancel *cancel,
                const struct eng_job *job, struct eng_history *h,
                const struct looked *l, struct eng_forgetting *f, struct err *e)
{
    AUTO_ENG_KEEPS struct eng_keeps keeps = { 0 };
    char keyset[MF_KEYSET_CHARS] = "";
    int ours = 0;

    for (size_t i = 0; i < f->points.n; i++) {
        const struct eng_point *p = &f->points.p[i];
        const struct mf_point *m = p->manifest;
        if (marks_of(repo, cancel, p, &keeps, keyset, e) < 0 ||
            is_ours(h, job, f, i, &ours, e) < 0)
            return -1;
        f->fates[i] = (struct eng_fated){
            .vm = p->vm,
            .time = p->time,
            .locked_until = m != NULL ? m->locked_until : 0,
            .of_job = ours == 1 && m != NULL && m->job != NULL &&
                      strcmp(m->job, job->name) == 0,
            .there = has(&l->vms, p->vm) ||
                     (m != NULL && has(&l->vms, m->vm.uuid)) ||
                     (m != NULL && !would_be_seen(l, m->vm.source)),
            .protect = eng_keeps_has(&keeps, p),
        };
    }
    return 0;
}

static void count(struct eng_forgetting *f)
{
    const char *last = NULL;

    for (size_t i = 0; i < f->points.n; i++) {
        f->n[f->fates[i].fate]++;
        if (f->fates[i].fate == ENG_FATE_STAYS ||
            (last != NULL && strcmp(last, f->fates[i].vm) == 0))
            continue;
        last = f->fates[i].vm;
        f->vms++;
    }
}

static int find(const struct eng_home *h, const struct eng_job *job,
                struct eng_repo *repo, const struct cancel *cancel, int64_t now,
                struct eng_forgetting *f, struct err *e)
{
    AUTO(looked_fini) struct looked looked = { 0 };
    AUTO_ENG_HISTORY struct eng_history *history = NULL;

    if (job->deleted_vms_s <= 0)
        return err_set(e, ERR_USAGE, 0,
                       "job %s keeps the points of VMs that are gone: it has "
                       "no deleted_vms_after",
                       job->name);
    history = eng_history_open(h->state, NULL, e);
    if (history == NULL || add_sources(h, job, cancel, &looked, e) < 0 ||
        eng_points_list_all(repo, cancel, NULL, &f->points, e) < 0)
        return -1;
    f->fates = calloc(f->points.n + 1, sizeof *f->fates);
    if (f->fates == NULL)
        return err_nomem(e);
    if (f->points.n > 0)
        qsort(f->points.p, f->points.n, sizeof *f->points.p, compare_points);
    if (fill(repo, cancel, job, history, &looked, f, e) < 0)
        return -1;
    eng_fate_decide(f->fates, f->points.n, job->deleted_vms_s, now);
    count(f);
    return 0;
}

int eng_forget_find(const struct eng_home *h, const struct eng_job *job,
                    struct eng_repo *repo, const struct cancel *cancel,
                    int64_t now, struct eng_forgetting *out, struct err *e)
{
    *out = (struct eng_forgetting){ 0 };
    if (find(h, job, repo, cancel, now, out, e) == 0)
        return 0;
    eng_forget_fini(out);
    return -1;
}

int eng_forget_remove(struct eng_repo *repo, const struct eng_forgetting *f,
                      const struct cancel *cancel, size_t *removed,
                      struct err *e)
{
    *removed = 0;
    for (size_t i = 0; i < f->points.n; i++) {
        if (f->fates[i].fate != ENG_FATE_REMOVED)
            continue;
        if (eng_repo_select(repo, f->points.p[i].keyset, e) < 0 ||
            eng_point_delete(repo, cancel, &f->points.p[i], e) < 0)
            return -1;
        (*removed)++;
    }
    return 0;
}

void eng_forget_fini(struct eng_forgetting *f)
{
    eng_points_free(&f->points);
    free(f->fates);
    *f = (struct eng_forgetting){ 0 };
}

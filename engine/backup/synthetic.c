// SPDX-License-Identifier: Apache-2.0
/*
 * Synthetic fulls.  Every point stands on its own, so a full differs from an
 * increment by its marks alone: a manifest that names the same pages.  Its time
 * is the second after the newest point's, for the state that it holds is that
 * point's and not today's.
 */
#include "engine/backup/synthetic.h"

#include <string.h>

#include "base/utc.h"
#include "engine/repo/map.h"
#include "engine/repo/point_store.h"
#include "engine/repo/runlease.h"

static int refuse_objects(struct eng_repo *repo, struct err *e)
{
    if (eng_repo_is_simple(repo))
        return 0;
    err_set(e, ERR_USAGE, 0,
            "--synthetic-full is for repositories in a directory: in an object "
            "repository every point stands on its own, and a full would be a "
            "mark that saves and frees nothing");
    return err_hint(e, "--full reads the source again and begins a chain");
}

/* A copy of s, or NULL where s is NULL; *failed where memory is short. */
static char *copy(const char *s, bool *failed)
{
    char *c = s != NULL ? strdup(s) : NULL;

    *failed = *failed || (s != NULL && c == NULL);
    return c;
}

static void copy_stream(const struct mf_stream *from, struct mf_stream *to,
                        bool *failed)
{
    *to = *from;
    to->name = copy(from->name, failed);
    to->bus = copy(from->bus, failed);
    to->format = copy(from->format, failed);
    to->pages =
        malloc((from->n_pages > 0 ? from->n_pages : 1) * sizeof(*to->pages));
    if (to->pages == NULL) {
        to->n_pages = 0;
        *failed = true;
    } else if (from->n_pages > 0) {
        memcpy(to->pages, from->pages, from->n_pages * sizeof(*to->pages));
    }
}

/* The pages must be there; that their blocks are is known as well, or as
 * badly, as it is for an increment that keeps its parent's entries. */
static int check_pages(struct eng_repo *repo, const struct cancel *cancel,
                       const struct mf_stream *s, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        AUTO_ENG_MAP struct eng_map map = { 0 };
        if (eng_map_load(repo, &s[i], cancel, &map, e) < 0)
            return -1;
    }
    return 0;
}

static struct mf_stream *copy_streams(const struct mf_stream *from, size_t n,
                                      bool *failed)
{
    struct mf_stream *to = calloc(n > 0 ? n : 1, sizeof(*to));

    for (size_t i = 0; to != NULL && i < n; i++)
        copy_stream(&from[i], &to[i], failed);
    *failed = *failed || to == NULL;
    return to;
}

/* The first second behind `time` that no point of the VM has. */
static int64_t next_second(const struct eng_points *names, int64_t time)
{
    bool taken = true;

    while (taken) {
        taken = false;
        time++;
        for (size_t i = 0; i < names->n && !taken; i++)
            taken = names->p[i].time == time;
    }
    return time;
}

static int fill(const struct mf_point *from, int64_t time, struct mf_point *p,
                struct err *e)
{
    bool failed = false;

    p->vm.name = copy(from->vm.name, &failed);
    p->vm.uuid = copy(from->vm.uuid, &failed);
    p->vm.source = copy(from->vm.source, &failed);
    p->vm.container = copy(from->vm.container, &failed);
    p->job = copy(from->job, &failed);
    p->program = copy("objvault " OBJVAULT_VERSION, &failed);
    p->time = time;
    p->chain = time;
    p->kind = MF_FULL;
    p->consistency = from->consistency;
    p->stats.source_bytes = from->stats.source_bytes;
    p->disks = copy_streams(from->disks, from->n_disks, &failed);
    if (p->disks != NULL)
        p->n_disks = from->n_disks;
    p->files = copy_streams(from->files, from->n_files, &failed);
    if (p->files != NULL)
        p->n_files = from->n_files;
    return failed ? err_nomem(e) : 0;
}

static int newest(struct eng_repo *repo, const char *vm,
                  const struct eng_backup_opts *o, struct eng_points *names,
                  struct eng_point **found, struct err *e)
{
    if (eng_points_newest(repo, o->cancel, vm, names, found, e) < 0)
        return -1;
    if (*found != NULL)
        return 0;
    err_set(e, ERR_NOTFOUND, 0, "there is no point to make a full of");
    return err_hint(e, "the first run of a VM is a full; leave "
                       "--synthetic-full out");
}

static int publish(struct eng_repo *repo, const struct eng_backup_opts *o,
                   const struct mf_point *p, struct err *e)
{
    struct eng_point_made made = { 0 };
    int64_t early_s = p->time - utc_now();

    /* No point is ever in the future, where `latest` would not see it. */
    if (early_s > 0 && cancel_sleep(o->cancel, early_s * 1000, e) < 0)
        return -1;
    return eng_point_put(repo, o->cancel, p, &made, e);
}

int eng_synthetic_full(struct eng_repo *repo, const char *vm,
                       const struct eng_backup_opts *o, struct mf_point **out,
                       struct err *e)
{
    AUTO_ENG_POINTS struct eng_points names = { 0 };
    struct eng_point *from = NULL;

    *out = NULL;
    if (refuse_objects(repo, e) < 0 ||
        (!o->dry_run && eng_runlease_begin(repo, vm, o->cancel, e) < 0) ||
        eng_repo_prepare_writes(repo, ENG_UPLOAD_NEW, o->cancel, e) < 0 ||
        newest(repo, vm, o, &names, &from, e) < 0)
        return -1;
    const struct mf_point *m = from->manifest;
    struct mf_point *p = mf_point_new(e);
    *out = p;
    if (p == NULL ||
        check_pages(repo, o->cancel, m->disks, m->n_disks, e) < 0 ||
        check_pages(repo, o->cancel, m->files, m->n_files, e) < 0 ||
        fill(m, next_second(&names, from->time), p, e) < 0)
        return -1;
    if (o->keeping != NULL &&
        eng_keeping_fill(repo, o->cancel, o->keeping, &names, p, e) < 0)
        return -1;
    return o->dry_run ? 0 : publish(repo, o, p, e);
}

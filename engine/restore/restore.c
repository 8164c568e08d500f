// SPDX-License-Identifier: Apache-2.0
/* Restores: one disk to a file, device or pipe; a whole VM into a folder. */
#include "engine/restore/restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/utc.h"
#include "engine/restore/restore_stream.h"

/* A damaged manifest restores nothing; why says what is wrong with it. */
static int check_point(const struct eng_point *p, struct err *e)
{
    if (p->manifest != NULL)
        return 0;
    return err_set(e, ERR_CORRUPT, 0, "point of %s is damaged: %s", p->vm,
                   p->why != NULL ? p->why : "its manifest cannot be read");
}

static void list_names(const struct mf_point *m, char *out, size_t cap)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < m->n_disks && used < cap; i++)
        used += (size_t)snprintf(out + used, cap - used, "%s%s",
                                 i == 0 ? "" : ", ", m->disks[i].name);
}

static const struct mf_stream *find_disk(const struct mf_point *m,
                                         const char *disk, struct err *e)
{
    char names[400];

    for (size_t i = 0; i < m->n_disks; i++)
        if (disk != NULL ? strcmp(m->disks[i].name, disk) == 0
                         : m->n_disks == 1)
            return &m->disks[i];
    list_names(m, names, sizeof(names));
    if (disk == NULL)
        err_set(e, ERR_USAGE, 0, "name one of the disks: %s", names);
    else
        err_set(e, ERR_NOTFOUND, 0, "disk %s: the point has only %s", disk,
                names);
    return NULL;
}

static int restore_to(struct eng_repo *repo, const struct mf_stream *s,
                      const struct eng_target_opts *base,
                      const struct eng_restore_opts *o,
                      struct eng_restore_result *res, struct err *e)
{
    struct eng_target_opts t = *base;
    struct eng_blockio_use use = { 0 };

    t.size = s->size;
    t.writers = eng_blockio_readers(repo, o->memory_bytes, s->block_size);
    AUTO_ENG_TARGET struct eng_target *target = eng_target_open(&t, e);
    if (target == NULL)
        return -1;
    struct eng_restore_run run = { .repo = repo,
                                   .stream = s,
                                   .target = target,
                                   .workers = t.writers,
                                   .cancel = o->cancel,
                                   .progress = o->progress };
    if (eng_restore_stream(&run, &use, e) < 0 ||
        eng_target_commit(target, e) < 0)
        return -1;
    res->bytes += s->size;
    res->fetched_blocks += use.fetched_blocks;
    res->fetched_bytes += use.fetched_bytes;
    return 0;
}

int eng_restore_disk(struct eng_repo *repo, const struct eng_point *point,
                     const char *disk, const char *path,
                     const struct eng_restore_opts *o,
                     struct eng_restore_result *res, struct err *e)
{
    int64_t t0 = utc_mono_ns();
    struct eng_target_opts t = { .path = path,
                                 .format = o->format,
                                 .force = o->force };

    *res = (struct eng_restore_result){ .disks = 1 };
    if (check_point(point, e) < 0)
        return -1;
    const struct mf_stream *s = find_disk(point->manifest, disk, e);
    if (s == NULL)
        return -1;
    if (restore_to(repo, s, &t, o, res, e) < 0)
        return eng_point_explain(repo, o->cancel, point, e);
    res->seconds = (double)(utc_mono_ns() - t0) / 1e9;
    return 0;
}

/* Where one stream of a VM goes. */
struct place {
    const struct mf_stream *stream;
    bool disk;
    char *path; /* owned */
};

struct places {
    struct place *p;
    size_t n;
};

static void places_free(struct places *ps)
{
    for (size_t i = 0; i < ps->n; i++)
        free(ps->p[i].path);
    free(ps->p);
}

/* Disks are restored raw; the name says so where the source was not. */
static char *disk_path(const char *dir, const struct mf_stream *s,
                       struct err *e)
{
    bool raw = s->format == NULL || strcmp(s->format, "raw") == 0;

    return io_format(e, "%s/%s%s", dir, s->name, raw ? "" : ".raw");
}

static int plan(const struct mf_point *m, const char *dir, struct places *ps,
                struct err *e)
{
    size_t n = m->n_disks + m->n_files;

    ps->p = calloc(n > 0 ? n : 1, sizeof(*ps->p));
    if (ps->p == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++) {
        struct place *p = &ps->p[i];
        p->disk = i < m->n_disks;
        p->stream = p->disk ? &m->disks[i] : &m->files[i - m->n_disks];
        p->path = p->disk ? disk_path(dir, p->stream, e)
                          : io_join(dir, p->stream->name, e);
        if (p->path == NULL)
            return -1;
        ps->n = i + 1;
    }
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->path,
                  ((const struct place *)b)->path);
}

/* Everything that can be known to fail is refused before the first byte. */
static int check_places(struct places *ps, bool force, struct err *e)
{
    struct stat st;

    if (ps->n > 1)
        qsort(ps->p, ps->n, sizeof(*ps->p), by_path);
    for (size_t i = 0; i < ps->n; i++) {
        if (i > 0 && strcmp(ps->p[i].path, ps->p[i - 1].path) == 0)
            return err_set(e, ERR_USAGE, 0,
                           "two parts of the VM would become %s; restore its "
                           "disks one by one",
                           ps->p[i].path);
        if (force)
            continue;
        if (lstat(ps->p[i].path, &st) == 0) {
            err_set(e, ERR_EXISTS, 0, "%s is there already", ps->p[i].path);
            return err_hint(e, "nothing was written; --force replaces it");
        }
        if (errno != ENOENT && errno != ENOTDIR)
            return err_set(e, err_of_errno(errno), errno, "%s", ps->p[i].path);
    }
    return 0;
}

static int restore_place(struct eng_repo *repo, const struct place *p,
                         const struct eng_restore_opts *o,
                         struct eng_restore_result *res, struct err *e)
{
    struct eng_target_opts t = { .path = p->path,
                                 .format = ENG_TARGET_RAW,
                                 .mode = p->disk ? 0 : p->stream->mode,
                                 .force = o->force };

    if (io_mkdirs_for(p->path, 0755, e) < 0 ||
        restore_to(repo, p->stream, &t, o, res, e) < 0)
        return -1;
    if (p->disk)
        res->disks++;
    else
        res->files++;
    return 0;
}

static int restore_places(struct eng_repo *repo, const struct places *ps,
                          const struct eng_restore_opts *o,
                          struct eng_restore_result *res, struct err *e)
{
    for (size_t i = 0; i < ps->n; i++)
        if (restore_place(repo, &ps->p[i], o, res, e) < 0)
            return -1;
    return 0;
}

int eng_restore_vm(struct eng_repo *repo, const struct eng_point *point,
                   const char *dir, const struct eng_restore_opts *o,
                   struct eng_restore_result *res, struct err *e)
{
    int64_t t0 = utc_mono_ns();
    struct places ps = { 0 };

    *res = (struct eng_restore_result){ 0 };
    if (check_point(point, e) < 0)
        return -1;
    int r = plan(point->manifest, dir, &ps, e);
    if (r == 0)
        r = check_places(&ps, o->force, e);
    if (r == 0)
        r = io_mkdirs(dir, 0755, e);
    if (r == 0)
        r = restore_places(repo, &ps, o, res, e);
    if (r < 0)
        (void)eng_point_explain(repo, o->cancel, point, e);
    places_free(&ps);
    res->seconds = (double)(utc_mono_ns() - t0) / 1e9;
    return r;
}

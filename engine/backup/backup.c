// SPDX-License-Identifier: Apache-2.0
/*
 * One machine becomes one restore point:
 *   index up to date → parent from the repository → all images opened → per
 *   disk and file: blocks, then pages → manifest → fingerprints.
 * The manifest is written last, after every put before it was answered, so a
 * visible point is complete; a crash at any moment before leaves only objects
 * that nobody refers to, which the next run finds by their content.
 */
#include "engine/backup/backup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"
#include "engine/backup/run.h"
#include "engine/backup/synthetic.h"
#include "engine/repo/learn.h"
#include "engine/repo/point_store.h"
#include "engine/repo/quota.h"
#include "engine/repo/runlease.h"
#include "engine/retention/retention.h"
#include "engine/source/image.h"
#include "manifest/block.h"
#include "manifest/name.h"
#include "manifest/objkey.h"

void eng_run_warn(struct run *r, const char *fmt, ...)
{
    char text[ENG_WARNING_CHARS];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_warn("backup", "%s: %s", r->vm, text);
    if (r->warning[0] == '\0')
        snprintf(r->warning, ENG_WARNING_CHARS, "%s", text);
}

const char *eng_stage_name(enum eng_stage s)
{
    static const char *const names[ENG_STAGES] = { "source", "hash", "compress",
                                                   "seal", "network" };
    return names[s];
}

/* 1 is the default because 3 costs twice the processor time for 2 % fewer
 * bytes (docs/PERFORMANCE.md). */
int eng_compression_level(enum eng_compression c)
{
    switch (c) {
    case ENG_COMPRESS_NONE:
        return -7; /* a frame all the same, at next to no cost */
    case ENG_COMPRESS_FAST:
        return -1;
    case ENG_COMPRESS_OPTIMAL:
        return 1;
    case ENG_COMPRESS_HIGH:
        return 6;
    case ENG_COMPRESS_EXTREME:
        return 17;
    }
    return 1;
}

enum eng_compression eng_compression_of(const char *word)
{
    static const char *const words[] = {
        [ENG_COMPRESS_OPTIMAL] = "optimal", [ENG_COMPRESS_NONE] = "none",
        [ENG_COMPRESS_FAST] = "fast",       [ENG_COMPRESS_HIGH] = "high",
        [ENG_COMPRESS_EXTREME] = "extreme",
    };

    for (size_t i = 0; word != NULL && i < sizeof(words) / sizeof(words[0]);
         i++)
        if (strcmp(words[i], word) == 0)
            return (enum eng_compression)i;
    return ENG_COMPRESS_OPTIMAL;
}

static void run_fini(struct run *r)
{
    for (size_t i = 0; r->images != NULL && i < r->machine->n_disks; i++)
        eng_image_close(r->images[i]);
    free(r->images);
    for (size_t i = 0; r->fingerprints != NULL && i < r->machine->n_disks; i++)
        eng_fingerprints_close(r->fingerprints[i]);
    free(r->fingerprints);
    for (size_t i = 0; r->maps != NULL && i < eng_run_streams(r); i++)
        eng_map_fini(&r->maps[i]);
    free(r->maps);
    mf_point_free(r->point);
    eng_points_free(&r->names);
}

/* Opens all disks before anything is read, so that an image in use or
 * unreadable costs no work. */
static int open_images(struct run *r, struct err *e)
{
    const struct eng_machine *m = r->machine;

    size_t n = m->n_disks > 0 ? m->n_disks : 1;

    r->images = calloc(n, sizeof(struct eng_image *));
    r->fingerprints = calloc(n, sizeof(struct eng_fingerprints *));
    if (r->images == NULL || r->fingerprints == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < m->n_disks; i++) {
        struct eng_image_opts opts = { .format = m->disks[i].format };
        r->images[i] = eng_image_open(m->disks[i].path, &opts, e);
        if (r->images[i] == NULL)
            return -1;
    }
    return 0;
}

static void tell_total(const struct run *r)
{
    uint64_t total = 0;

    for (size_t i = 0; i < r->machine->n_disks; i++)
        total += eng_image_size(r->images[i]);
    for (size_t i = 0; i < r->machine->n_files; i++)
        total += r->machine->files[i].size;
    progress_total(r->o->group, total);
}

/* The newest point decides whether this is the same machine. */
static int same_machine(const struct run *r, const struct mf_point *newest,
                        struct err *e)
{
    if (newest == NULL || r->o->adopt || newest->vm.source == NULL ||
        strcmp(newest->vm.source, r->machine->source) == 0)
        return 0;
    err_set(e, ERR_USAGE, 0, "VM %s was backed up from %s before, this is %s",
            r->vm, newest->vm.source, r->machine->source);
    return err_hint(e, "--adopt says that it is the same machine, --vm gives "
                       "this one another name");
}

/* Blocks of another size cannot be compared, so the chain ends. */
static bool cut_alike(const struct run *r, const struct mf_point *p)
{
    for (size_t i = 0; i < p->n_disks; i++)
        if (p->disks[i].block_size != r->block_size)
            return false;
    for (size_t i = 0; i < p->n_files; i++)
        if (p->files[i].block_size != r->block_size)
            return false;
    return true;
}

static int find_parent(struct run *r, struct err *e)
{
    struct eng_point *newest = NULL;

    if (eng_points_newest(r->repo, r->o->cancel, r->vm, &r->names, &newest, e) <
        0)
        return -1;
    /* eng_points_newest logged them already. */
    for (size_t i = 0; i < r->names.n; i++)
        if (r->names.p[i].why != NULL)
            snprintf(r->warning, ENG_WARNING_CHARS,
                     "a point of this VM is damaged: %.200s",
                     r->names.p[i].why);
    if (r->names.hidden_by[0] != '\0')
        snprintf(r->warning, ENG_WARNING_CHARS,
                 "points of this VM may be hidden by %.170s; repo recover "
                 "removes it",
                 r->names.hidden_by);
    if (newest == NULL)
        return 0;
    if (same_machine(r, newest->manifest, e) < 0)
        return -1;
    if (r->o->full || !cut_alike(r, newest->manifest))
        return 0;
    if (eng_repo_learn(r->repo, newest, r->o->cancel, e) < 0)
        return -1;
    r->parent = newest->manifest;
    r->parent_file = newest->file;
    r->parent_chain = newest->manifest->chain;
    return 0;
}

/* The point's time: now, or the next second that no point of this VM has and
 * that lies behind the parent.  eng_run_commit waits for that second, so that
 * no point is ever in the future, where `latest` would not see it. */
static int64_t free_second(const struct run *r)
{
    int64_t t = utc_now();
    bool taken = true;

    if (r->parent != NULL && t <= r->parent->time)
        t = r->parent->time + 1;
    while (taken) {
        taken = false;
        for (size_t i = 0; i < r->names.n && !taken; i++)
            taken = r->names.p[i].time == t;
        t += taken;
    }
    return t;
}

static char *dup_text(const char *s, struct err *e)
{
    char *copy = strdup(s);

    if (copy == NULL)
        err_nomem(e);
    return copy;
}

/* The policy, and with it how long what is put from now on is locked. */
static int begin_keeping(struct run *r, struct err *e)
{
    struct mf_point *p = r->point;
    int64_t end = 0;

    if (r->o->keeping != NULL &&
        (eng_keeping_fill(r->repo, r->o->cancel, r->o->keeping, &r->names, p,
                          e) < 0 ||
         eng_retention_end(&p->retention, p->gfs, p->time, &end, e) < 0))
        return -1;
    /* Nobody takes such a lock back. */
    if (eng_run_locked(r) &&
        eng_repo_descriptor(r->repo)->scope == MF_SCOPE_RETENTION &&
        end > p->time + (int64_t)MF_LOCK_SECONDS_MAX)
        return err_set(e, ERR_USAGE, 0,
                       "with the scope \"retention\" this policy locks the "
                       "point for more than a hundred years");
    eng_repo_set_retention_end(r->repo, end);
    return 0;
}

static int begin_point(struct run *r, struct err *e)
{
    const struct eng_machine *m = r->machine;
    struct mf_point *p = mf_point_new(e);

    r->point = p;
    if (p == NULL)
        return -1;
    p->disks = calloc(m->n_disks > 0 ? m->n_disks : 1, sizeof(*p->disks));
    p->files = calloc(m->n_files > 0 ? m->n_files : 1, sizeof(*p->files));
    /* In a directory nothing that the point needs can be lost meanwhile. */
    bool keep_maps = !eng_repo_is_simple(r->repo) && !r->o->dry_run;
    if (keep_maps)
        r->maps = calloc(eng_run_streams(r) + 1, sizeof(*r->maps));
    if (p->disks == NULL || p->files == NULL || (keep_maps && r->maps == NULL))
        return err_nomem(e);
    p->time = free_second(r);
    p->kind = r->parent != NULL ? MF_INCREMENTAL : MF_FULL;
    p->chain = r->parent != NULL ? r->parent_chain : p->time;
    p->consistency = MF_CRASH;
    if ((p->vm.name = dup_text(r->vm, e)) == NULL ||
        (p->vm.source = dup_text(m->source, e)) == NULL ||
        (p->program = dup_text("objvault " OBJVAULT_VERSION, e)) == NULL)
        return -1;
    if ((r->parent != NULL &&
         (p->parent = dup_text(r->parent_file, e)) == NULL) ||
        (r->o->job != NULL && (p->job = dup_text(r->o->job, e)) == NULL) ||
        (r->o->container != NULL &&
         (p->vm.container = dup_text(r->o->container, e)) == NULL))
        return -1;
    return begin_keeping(r, e);
}

/* The parent's stream of this name, where its blocks can be compared. */
static const struct mf_stream *parent_stream(const struct run *r, bool disk,
                                             const char *name)
{
    if (r->parent == NULL)
        return NULL;
    const struct mf_stream *s = disk ? r->parent->disks : r->parent->files;
    size_t n = disk ? r->parent->n_disks : r->parent->n_files;
    for (size_t i = 0; i < n; i++)
        if (strcmp(s[i].name, name) == 0 && s[i].block_size == r->block_size)
            return &s[i];
    return NULL;
}

/* A parent whose pages are lost is no parent for this stream: everything is
 * compared with the index instead. */
static int load_parent(struct run *r, const struct mf_stream *s,
                       struct eng_map *map, bool *have, struct err *e)
{
    *have = false;
    if (s == NULL)
        return 0;
    if (eng_map_load(r->repo, s, r->o->cancel, map, e) == 0) {
        *have = true;
        return 0;
    }
    if (e->kind != ERR_CORRUPT)
        return -1;
    eng_run_warn(r,
                 "the point before is damaged (%.120s); %.60s is read as new",
                 e->msg, s->name);
    return r->o->dry_run ? 0 : eng_repo_distrust(r->repo, r->o->cancel, e);
}

/* Those of disk i, compared with the parent's where there is one. */
static int open_fingerprints(struct run *r, size_t i, uint64_t size,
                             struct err *e)
{
    const char *disk = r->point->disks[i].name;
    const struct mf_stream *before = parent_stream(r, true, disk);
    char vm_key[MF_VMKEY_CHARS];
    AUTO_MEM char *dir =
        io_format(e, "%s/%s/fingerprints", eng_repo_state_dir(r->repo),
                  eng_repo_keyset(r->repo));

    if (dir == NULL ||
        mf_keys_vm_key(eng_repo_keys(r->repo), r->vm, vm_key, e) < 0)
        return -1;
    struct eng_fingerprints_of of = {
        .dir = dir,
        .repo_id = eng_repo_descriptor(r->repo)->id,
        .keyset = eng_repo_keyset(r->repo),
        .vm_key = vm_key,
        .disk = disk,
        .block_size = r->block_size,
        .compare_only = r->o->dry_run,
    };
    r->fingerprints[i] =
        eng_fingerprints_open(&of, before != NULL ? r->parent_file : NULL,
                              before != NULL ? before->size : 0, size, e);
    return r->fingerprints[i] != NULL ? 0 : -1;
}

/* Carries one image into the repository and describes it in `s`, whose name,
 * bus, format and mode are set.  fp: a disk's fingerprints; files have none,
 * they are small. */
static int copy_stream(struct run *r, struct eng_image *image,
                       struct eng_fingerprints *fp, struct mf_stream *s,
                       struct err *e)
{
    AUTO_ENG_MAP struct eng_map map = { 0 };
    AUTO_ENG_MAP struct eng_map parent = { 0 };
    bool have_parent = false;

    s->size = eng_image_size(image);
    s->block_size = r->block_size;
    if (s->size > MF_SIZE_MAX)
        return err_set(e, ERR_USAGE, 0, "%s: larger than 1 PiB", s->name);
    if (eng_map_init(&map, s->size, s->block_size, e) < 0 ||
        load_parent(r, parent_stream(r, fp != NULL, s->name), &parent,
                    &have_parent, e) < 0)
        return -1;

    AUTO_MEM char *shown = io_format(e, "%s/%s", r->vm, s->name);
    if (shown == NULL)
        return -1;
    struct eng_stream_run run = {
        .repo = r->repo,
        .image = image,
        .parent = have_parent ? &parent : NULL,
        .fingerprints = fp,
        .name = s->name,
        .level = r->level,
        .workers = r->workers,
        .dry_run = r->o->dry_run,
        .reuse = r->upload == ENG_UPLOAD_NEW,
        .cancel = r->o->cancel,
        .task = progress_begin_in(r->o->progress, r->o->group, "backup", shown,
                                  s->size),
    };
    int result = eng_stream_blocks(&run, &map, &r->use, e);
    if (result == 0 && !r->o->dry_run)
        result = eng_map_store(r->repo, &map, r->o->cancel, s, &r->use.io, e);
    progress_end(run.task);
    r->point->stats.source_bytes += s->size;
    if (result == 0 && r->maps != NULL) {
        size_t at = fp != NULL
                        ? (size_t)(s - r->point->disks)
                        : r->machine->n_disks + (size_t)(s - r->point->files);
        r->maps[at] = map; /* until the point stands */
        map = (struct eng_map){ 0 };
    }
    return result;
}

static int copy_disks(struct run *r, struct err *e)
{
    const struct eng_machine *m = r->machine;
    struct mf_point *p = r->point;

    for (size_t i = 0; i < m->n_disks; i++) {
        struct mf_stream *s = &p->disks[i];
        p->n_disks = i + 1; /* owned by the point from here on */
        s->name = dup_text(m->disks[i].name, e);
        s->format = dup_text(eng_image_format_name(m->disks[i].format), e);
        if (s->name == NULL || s->format == NULL ||
            open_fingerprints(r, i, eng_image_size(r->images[i]), e) < 0 ||
            copy_stream(r, r->images[i], r->fingerprints[i], s, e) < 0)
            return -1;
    }
    return 0;
}

static int copy_file(struct run *r, const struct eng_machine_file *f,
                     struct mf_stream *s, struct err *e)
{
    AUTO_ENG_IMAGE struct eng_image *image = eng_run_open_file(f, e);

    if (image == NULL)
        return -1;
    s->mode = f->mode & 07777;
    s->name = dup_text(f->name, e);
    if (s->name == NULL)
        return -1;
    return copy_stream(r, image, NULL, s, e);
}

static int copy_files(struct run *r, struct err *e)
{
    struct mf_point *p = r->point;

    for (size_t i = 0; i < r->machine->n_files; i++) {
        p->n_files = i + 1;
        if (copy_file(r, &r->machine->files[i], &p->files[i], e) < 0)
            return -1;
    }
    return 0;
}

static void fill_result(const struct run *r, struct eng_backup_result *res)
{
    const struct eng_stream_use *u = &r->use;
    const uint64_t busy_ns[ENG_STAGES] = { u->source_ns, u->hash_ns,
                                           u->io.compress_ns, u->io.seal_ns,
                                           u->io.network_ns };
    size_t most = 0;

    res->kind = r->point->kind;
    res->source_bytes = r->point->stats.source_bytes;
    res->read_bytes = u->read_bytes;
    res->new_blocks = u->io.new_blocks;
    res->reused_blocks = u->io.reused_blocks + u->kept_blocks;
    res->zero_blocks = u->zero_blocks;
    res->new_bytes = u->io.new_bytes;
    res->stored_bytes = u->io.stored_bytes;
    res->new_pages = u->io.new_pages;
    res->seconds = (double)(utc_mono_ns() - r->started_ns) / 1e9;
    for (size_t i = 0; i < ENG_STAGES; i++) {
        res->busy[i] = (double)busy_ns[i] / 1e9;
        if (busy_ns[i] > busy_ns[most])
            most = i;
    }
    res->bottleneck = eng_stage_name((enum eng_stage)most);
}

/* A name that the manifest cannot hold is refused before anything is read. */
static int check_names(const struct run *r, struct err *e)
{
    const struct eng_machine *m = r->machine;

    if (!mf_name_is_plain(r->vm, MF_NAME_MAX))
        return err_set(e, ERR_USAGE, 0,
                       "\"%s\" cannot be a VM's name; give it one by --vm",
                       r->vm);
    if (!mf_block_size_ok(r->block_size))
        return err_set(e, ERR_USAGE, 0, "%u bytes: not a block size",
                       r->block_size);
    if ((r->o->job != NULL && !mf_name_is_plain(r->o->job, MF_NAME_MAX)) ||
        (r->o->container != NULL &&
         !mf_name_is_text(r->o->container, MF_TEXT_MAX)))
        return err_set(e, ERR_USAGE, 0,
                       "the name of the job or container cannot be stored");
    if (!mf_name_is_text(m->source, MF_TEXT_MAX))
        return err_set(e, ERR_USAGE, 0, "%s: the path is not UTF-8", m->source);
    if (m->n_disks > MF_DISKS_MAX || m->n_files > MF_FILES_MAX)
        return err_set(e, ERR_USAGE, 0,
                       "%zu disks and %zu files: a point holds at most %d and "
                       "%d; pack the files",
                       m->n_disks, m->n_files, MF_DISKS_MAX, MF_FILES_MAX);
    for (size_t i = 0; i < m->n_disks; i++)
        if (!mf_name_is_disk(m->disks[i].name))
            return err_set(e, ERR_USAGE, 0, "\"%s\" cannot be a disk's name",
                           m->disks[i].name);
    for (size_t i = 0; i < m->n_files; i++)
        if (!mf_name_is_path(m->files[i].name))
            return err_set(e, ERR_USAGE, 0, "\"%s\" cannot be a file's name",
                           m->files[i].name);
    return 0;
}

/* Files go first: they are small, so one that cannot be read fails the run
 * before the disks are carried. */
static int run_all(struct run *r, struct err *e)
{
    if (check_names(r, e) < 0 || open_images(r, e) < 0)
        return -1;
    tell_total(r);
    if ((!r->o->dry_run &&
         eng_runlease_begin(r->repo, r->vm, r->o->cancel, e) < 0) ||
        eng_repo_prepare_writes(r->repo, r->upload, r->o->cancel, e) < 0 ||
        find_parent(r, e) < 0 || begin_point(r, e) < 0 ||
        copy_files(r, e) < 0 || copy_disks(r, e) < 0)
        return -1;
    return r->o->dry_run ? 0 : eng_run_commit(r, e);
}

/* The point stands, whatever comes of it. */
static void warn_of_quota(struct run *r)
{
    char text[ENG_WARNING_CHARS];
    struct err e = { 0 };
    int reached = eng_quota_warning(r->repo, text, sizeof(text), &e);

    if (reached != 0)
        eng_run_warn(r, "%s", reached == 1 ? text : e.msg);
}

/* The parent, and all that is known already, is looked for in this keyset
 * alone. */
static int choose_keyset(struct eng_repo *repo, const struct eng_backup_opts *o,
                         struct eng_backup_result *res, struct err *e)
{
    struct eng_encrypt_opts how = { .what = ENG_ENCRYPT_UNSAID };

    if (o->encrypt != NULL)
        how = *o->encrypt;
    how.dry_run |= o->dry_run;
    if (eng_encrypt_choose(repo, &how, o->cancel, &res->keyset_made, e) < 0)
        return -1;
    (void)snprintf(res->keyset, sizeof(res->keyset), "%s",
                   eng_repo_keyset(repo));
    return 0;
}

int eng_backup_machine(struct eng_repo *repo, const struct eng_machine *m,
                       const struct eng_backup_opts *o,
                       struct eng_backup_result *res, struct err *e)
{
    struct run r = { .repo = repo, .machine = m, .o = o };

    *res = (struct eng_backup_result){ 0 };
    r.started_ns = utc_mono_ns();
    r.warning = res->warning;
    r.vm = o->vm != NULL ? o->vm : m->name;
    r.block_size = o->block_size != 0 ? o->block_size
                                      : eng_repo_descriptor(repo)->block_size;
    r.upload =
        o->full && o->upload == ENG_UPLOAD_NEW ? ENG_UPLOAD_MISSING : o->upload;
    r.level = eng_compression_level(o->compression);
    r.workers = eng_blockio_count(o->memory_bytes, r.block_size, r.level);
    int result = choose_keyset(repo, o, res, e);
    if (result == 0)
        result = o->synthetic_full
                     ? eng_synthetic_full(repo, r.vm, o, &r.point, e)
                     : run_all(&r, e);
    eng_runlease_end(repo);
    if (result == 0) {
        warn_of_quota(&r);
        fill_result(&r, res);
        if (!o->dry_run) {
            char iso[UTC_ISO_CHARS];
            utc_format_iso(r.point->time, iso);
            snprintf(res->point, sizeof(res->point), "%s@%s", r.vm, iso);
        }
    } else {
        err_ctx(e, "back up %s", r.vm);
    }
    run_fini(&r);
    return result;
}

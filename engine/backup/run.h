// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_BACKUP_RUN_H
#define ENGINE_BACKUP_RUN_H

/* Private to engine/backup: one run, from its source to its manifest. */
#include "engine/backup/backup_stream.h"
#include "engine/repo/point_store.h"
#include "engine/source/image.h"

/* What one run works on. */
struct run {
    struct eng_repo *repo;
    const struct eng_machine *machine;
    const struct eng_backup_opts *o;
    const char *vm;
    enum eng_upload upload;
    uint32_t block_size;
    int level;
    unsigned workers;
    struct eng_points names;       /* this VM's points */
    const struct mf_point *parent; /* in names; NULL: full */
    const char *parent_file;
    int64_t parent_chain;
    struct eng_image **images; /* of the disks; all open until the end */
    struct eng_fingerprints **fingerprints; /* of the disks */
    struct mf_point *point;                 /* being made */
    struct eng_map *maps;                   /* in buckets: of disks and files */
    struct eng_stream_use use;
    int64_t started_ns;
    char *warning; /* the result's */
};

/* Logs a warning; the first one goes into the result as well. */
void eng_run_warn(struct run *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Disks and files, in this order. */
static inline size_t eng_run_streams(const struct run *r)
{
    return r->machine->n_disks + r->machine->n_files;
}

static inline bool eng_run_locked(const struct run *r)
{
    return eng_repo_descriptor(r->repo)->locked;
}

struct eng_image *eng_run_open_file(const struct eng_machine_file *f,
                                    struct err *e);

/* A block that the point needs is gone: struct eng_extend's `again`; ctx is the
 * run. */
int eng_run_read_again(void *ctx, size_t stream, uint64_t i,
                       struct mf_entry *slot, struct err *e)
    __attribute__((warn_unused_result));

/* Where no locks hold what the point needs: puts the manifest under the run's
 * lease (leased.c). */
int eng_run_put_leased(struct run *r, struct eng_point_made *made,
                       struct err *e) __attribute__((warn_unused_result));

/* All that the point needs is stored: makes it visible, and its fingerprints
 * those that the next run compares with. */
int eng_run_commit(struct run *r, struct err *e)
    __attribute__((warn_unused_result));

#endif

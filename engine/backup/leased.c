// SPDX-License-Identifier: Apache-2.0
/*
 * The end of a run where no locks hold what its point needs, but its lease
 * keeps sweeps away.  If the lease was lost and somebody has swept, the index
 * is filled anew, and all that the map names and that is not there any more is
 * read from the source and stored again.
 */
#include <inttypes.h>

#include "base/log.h"
#include "engine/backup/run.h"
#include "engine/repo/runlease.h"

#define TRIES 10

static struct mf_stream *stream_of(const struct run *r, size_t i)
{
    size_t n = r->machine->n_disks;

    return i < n ? &r->point->disks[i] : &r->point->files[i - n];
}

static int check_stream(struct run *r, size_t i, struct eng_blockio *io,
                        uint64_t *again, struct err *e)
{
    struct eng_map *map = &r->maps[i];

    for (uint64_t b = 0; b < map->n; b++) {
        eng_runlease_tick(r->repo, r->o->cancel);
        if (eng_entry_known(io, &map->entries[b]))
            continue;
        if (eng_run_read_again(r, i, b, &map->entries[b], e) < 0)
            return err_ctx(e, "%s at byte %" PRIu64, stream_of(r, i)->name,
                           b * map->block_size);
        ++*again;
    }
    return eng_map_store(r->repo, map, r->o->cancel, stream_of(r, i),
                         &r->use.io, e);
}

static int check_all(struct run *r, struct err *e)
{
    uint64_t again = 0;
    AUTO_ENG_BLOCKIO struct eng_blockio *io =
        eng_blockio_new(r->repo, r->level, r->o->cancel, e);

    log_warn("backup",
             "%s: the lease of this run was lost, and a collection went by; "
             "what the point needs is looked for",
             r->vm);
    if (io == NULL || eng_repo_distrust(r->repo, r->o->cancel, e) < 0)
        return -1;
    eng_runlease_rely(r->repo);
    for (size_t i = 0; i < eng_run_streams(r); i++)
        if (check_stream(r, i, io, &again, e) < 0)
            return -1;
    if (again > 0)
        log_info("backup", "%s: %" PRIu64 " blocks are stored again", r->vm,
                 again);
    return 0;
}

/* 0: done; 1: the look at the lease was too long ago; -1. */
static int try_put(struct run *r, struct eng_point_made *made, struct err *e)
{
    bool swept = false;

    if (eng_runlease_confirm(r->repo, r->o->cancel, &made->sign_before, &swept,
                             e) < 0)
        return -1;
    if (swept)
        return check_all(r, e) < 0 ? -1 : 1;
    if (eng_point_put(r->repo, r->o->cancel, r->point, made, e) == 0)
        return 0;
    return e->kind == ERR_PRECONDITION && made->sign_before != 0 ? 1 : -1;
}

int eng_run_put_leased(struct run *r, struct eng_point_made *made,
                       struct err *e)
{
    int more = 1;

    for (int n = 0; n < TRIES && more == 1; n++)
        more = try_put(r, made, e);
    if (more != 1)
        return more;
    if (e->kind == ERR_NONE)
        (void)err_set(e, ERR_PRECONDITION, 0, "collections go by each time");
    return err_ctx(e, "this run cannot keep a lease for long enough");
}

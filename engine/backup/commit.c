// SPDX-License-Identifier: Apache-2.0
/* The end of a run: the point's manifest, on locked repositories after the
 * locks of all that it needs. */
#include <inttypes.h>
#include <string.h>

#include "base/utc.h"
#include "engine/backup/run.h"
#include "engine/repo/extend.h"
#include "engine/repo/keywatch.h"
#include "engine/repo/point_store.h"

/* Points of one VM made within seconds wait for a second of their own; longer
 * than this is no crowd but a clock that was set back. */
#define EARLY_MAX_S 60

struct eng_image *eng_run_open_file(const struct eng_machine_file *f,
                                    struct err *e)
{
    struct eng_image_opts opts = { .format = ENG_IMAGE_RAW,
                                   .plain_file = true,
                                   .text = f->text };

    return eng_image_open(f->path, &opts, e);
}

/* The source of a stream is read once more (struct eng_extend). */
int eng_run_read_again(void *ctx, size_t stream, uint64_t i,
                       struct mf_entry *slot, struct err *e)
{
    struct run *r = ctx;
    size_t n_disks = r->machine->n_disks;
    AUTO_ENG_IMAGE struct eng_image *file = NULL;
    struct eng_stream_run run = {
        .repo = r->repo,
        .name = stream < n_disks ? r->point->disks[stream].name
                                 : r->point->files[stream - n_disks].name,
        .level = r->level,
        .cancel = r->o->cancel,
    };

    if (stream < n_disks) {
        run.image = r->images[stream];
    } else {
        file = eng_run_open_file(&r->machine->files[stream - n_disks], e);
        run.image = file;
        if (file == NULL)
            return -1;
    }
    return eng_stream_again(&run, &r->maps[stream], i, slot, &r->use, e);
}

/* On a locked repository all that the point needs is locked first. */
static int put_point(struct run *r, char file[MF_POINT_FILE_CHARS],
                     struct err *e)
{
    struct eng_point_made made = { 0 };
    struct eng_extend x = { .point = r->point,
                            .maps = r->maps,
                            .n_maps = eng_run_streams(r),
                            .again = eng_run_read_again,
                            .ctx = r,
                            .cancel = r->o->cancel,
                            .use = &r->use.io };

    if (!eng_run_locked(r)) {
        int result = eng_run_put_leased(r, &made, e);
        memcpy(file, made.file, sizeof(made.file));
        return result;
    }
    if (eng_extend_commit(r->repo, &x, e) < 0)
        return -1;
    memcpy(file, x.file, sizeof(x.file));
    if (x.unseen)
        eng_run_warn(
            r, "these keys may not see whether the server locked the point");
    return 0;
}

int eng_run_commit(struct run *r, struct err *e)
{
    struct mf_point *p = r->point;
    int64_t early_s = p->time - utc_now();

    if (early_s > EARLY_MAX_S)
        return err_set(e, ERR_PRECONDITION, 0,
                       "the clock went back by %" PRId64
                       " s during the run; set it and run again",
                       early_s);
    if (early_s > 0 && cancel_sleep(r->o->cancel, early_s * 1000, e) < 0)
        return -1;
    if (eng_keywatch_tick(r->repo, r->o->cancel, e) < 0)
        return -1;
    p->stats.read_bytes = r->use.read_bytes;
    p->stats.new_bytes = r->use.io.new_bytes;
    p->stats.stored_bytes = r->use.io.stored_bytes;
    p->stats.seconds = (uint64_t)(utc_mono_ns() - r->started_ns) / 1000000000u;
    char file[MF_POINT_FILE_CHARS];
    if (put_point(r, file, e) < 0)
        return -1;
    for (size_t i = 0; i < r->machine->n_disks; i++)
        eng_fingerprints_commit(r->fingerprints[i], file);
    return 0;
}

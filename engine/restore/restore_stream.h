// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_RESTORE_RESTORE_STREAM_H
#define ENGINE_RESTORE_RESTORE_STREAM_H

/* Private to engine/restore: one disk (or file) from the repository into a
 * target: the backup's worker loop turned round. */
#include "base/progress.h"
#include "engine/repo/blockio.h"
#include "engine/repo/repo.h"
#include "engine/restore/target.h"
#include "manifest/point.h"

struct eng_restore_run {
    struct eng_repo *repo;
    const struct mf_stream *stream;
    struct eng_target *target; /* opened with the stream's size */
    unsigned workers;
    const struct cancel *cancel;
    struct progress *progress;
};

/* Writes the whole stream into the target; commits nothing.  *use grows.
 * ERR_CORRUPT names the object and the place on the disk. */
int eng_restore_stream(const struct eng_restore_run *run,
                       struct eng_blockio_use *use, struct err *e)
    __attribute__((warn_unused_result));

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_JOB_JOB_EDIT_H
#define ENGINE_JOB_JOB_EDIT_H

/* The file of a job as people wrote it, with its comments. */
#include "engine/job/job.h"

/* Appends the file.  ERR_NOTFOUND: no job of this name. */
int eng_job_file(const struct eng_home *h, const char *name, struct buf *text,
                 struct err *e) __attribute__((warn_unused_result));

/* Replaces it atomically by a text that was checked.  ERR_BUSY: it is no more
 * what it was. */
int eng_job_file_replace(const struct eng_home *h, const char *name,
                         struct span was, struct span text, struct err *e)
    __attribute__((warn_unused_result));

#endif

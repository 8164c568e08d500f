// SPDX-License-Identifier: Apache-2.0
/* Private to cli/cmd_job_*.c. */
#ifndef CLI_CMD_JOB_HISTORY_H
#define CLI_CMD_JOB_HISTORY_H

#include "base/units.h"
#include "cli/cli.h"
#include "engine/history/report.h"
#include "engine/job/job.h"

/* The history of this machine.  Where it is fresh, or `anew`, the repositories
 * of all jobs are asked first what runs there were, as far as they open without
 * a question; *put: runs that were put back.  NULL: e is filled. */
struct eng_history *cli_history_open(struct cli_ctx *c, bool anew,
                                     uint64_t *put, struct err *e);

/* ERR_NOTFOUND: there is no such job, or no run of it; always -1. */
int cli_history_none(const struct cli_ctx *c, const char *job, struct err *e);

#endif

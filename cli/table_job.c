// SPDX-License-Identifier: Apache-2.0
/* Commands: job, daemon: what is backed up when. */
#include "cli/table.h"

#define RUN_JOB_ARG                                                            \
    {                                                                          \
        .name = "NAME", .value = CLI_JOB, .help = "The job's name."            \
    }

static const struct cli_use job_run_uses[] = { { CLI_OPT_FULL, false },
                                               { CLI_OPT_RUN_VM, false },
                                               { CLI_OPT_RETRY, false },
                                               { CLI_OPT_SCHEDULED, false },
                                               { CLI_OPT_LIMIT_UPLOAD, false },
                                               { CLI_OPT_MEMORY, false },
                                               PASSWORD_USES };
static const struct cli_use job_stop_uses[] = { { CLI_OPT_GRACEFUL, false },
                                                { CLI_OPT_STOP_WAIT, false } };

const struct cli_command cli_commands_job[] = {
    { .noun = "job",
      .verb = "run",
      .summary = "run a job now",
      .text =
          "Looks at the job's sources and makes one restore point for each VM "
          "that it selects, several at a time.  A VM that fails does not stop "
          "the others.  Exit 0: each has its point; 3: some have, and another "
          "failed or something needs attention; else none has.  A job has one "
          "run at a time on a machine.\n"
          "The job's program `before` runs first, with OBJVAULT_JOB and "
          "OBJVAULT_RUN in its environment; where it fails nothing is stored. "
          " The program `after` always runs, with OBJVAULT_STATUS as well.  "
          "Each has an hour.\n"
          "A run by hand is not tried again by itself; with --retry only what "
          "failed is.",
      .args = { RUN_JOB_ARG },
      USES(job_run_uses),
      .example = "job run nightly --vm lab:web1",
      .run = cli_job_run },
    { .noun = "job",
      .verb = "stop",
      .summary = "stop a job's run",
      .text =
          "Asks the run of a job on this machine to stop: within a second, "
          "after the blocks that are under way, or gracefully.  VMs that got "
          "no point are `stopped`; what was stored of them is used by the next "
          "run.  A run that was stopped is not tried again by itself.",
      .args = { RUN_JOB_ARG },
      USES(job_stop_uses),
      .run = cli_job_stop },
    { .noun = NULL },
};

// SPDX-License-Identifier: Apache-2.0
/* Commands: job, daemon: what is backed up when. */
#include "cli/table.h"

#define JOB_ARG                                                                \
    {                                                                          \
        .name = "NAME", .value = CLI_JOB, .help = "The job's name."            \
    }

static const struct cli_use job_create_uses[] = {
    { CLI_OPT_DESCRIPTION, false },
    { CLI_OPT_JOB_VM, false },
    { CLI_OPT_CONTAINER, false },
    { CLI_OPT_EXCLUDE_VM, false },
    { CLI_OPT_EXCLUDE_DISK, false },
    { CLI_OPT_DISKS, false },
    { CLI_OPT_REPO, false },
    { CLI_OPT_RETENTION, false },
    { CLI_OPT_GFS, false },
    { CLI_OPT_JOB_TIMEZONE, false },
    { CLI_OPT_METHOD, false },
    { CLI_OPT_ACTIVE_FULL, false },
    { CLI_OPT_SYNTHETIC_WHEN, false },
    { CLI_OPT_COMPRESSION, false },
    { CLI_OPT_JOB_BLOCK_SIZE, false },
    { CLI_OPT_LIMIT_UPLOAD, false },
    { CLI_OPT_ENCRYPT, false },
    { CLI_OPT_KEYSET, false },
    { CLI_OPT_JOB_PASSWORD_FILE, false },
    { CLI_OPT_JOB_PASSWORD_COMMAND, false },
    { CLI_OPT_GUEST, false },
    { CLI_OPT_GUEST_CREDENTIALS, false },
    { CLI_OPT_GUEST_LOGS, false },
    { CLI_OPT_GUEST_VM, false },
    { CLI_OPT_SCHEDULE, false },
    { CLI_OPT_RETRIES, false },
    { CLI_OPT_PARALLEL, false },
    { CLI_OPT_BEFORE, false },
    { CLI_OPT_AFTER, false },
    { CLI_OPT_NOTIFY_ON, false },
    { CLI_OPT_WEBHOOK, false },
    { CLI_OPT_MAIL_TO, false },
    { CLI_OPT_MAIL_FROM, false },
    { CLI_OPT_MAIL_COMMAND, false },
    { CLI_OPT_DELETED_VMS_AFTER, false },
    { CLI_OPT_DISABLED, false },
    { CLI_OPT_RUN, false },
};
static const struct cli_use job_delete_uses[] = { { CLI_OPT_YES, false },
                                                  { CLI_OPT_DRY_RUN, false } };
static const struct cli_use job_next_uses[] = { { CLI_OPT_COUNT, false } };

static const struct cli_use job_run_uses[] = { { CLI_OPT_FULL, false },
                                               { CLI_OPT_RUN_VM, false },
                                               { CLI_OPT_RETRY, false },
                                               { CLI_OPT_SCHEDULED, false },
                                               { CLI_OPT_LIMIT_UPLOAD, false },
                                               { CLI_OPT_MEMORY, false },
                                               PASSWORD_USES };
static const struct cli_use job_stop_uses[] = { { CLI_OPT_GRACEFUL, false },
                                                { CLI_OPT_STOP_WAIT, false } };

static const struct cli_use job_history_uses[] = { { CLI_OPT_RUNS, false },
                                                   { CLI_OPT_REBUILD, false },
                                                   PASSWORD_USES };
static const struct cli_use job_report_uses[] = { { CLI_OPT_RUN_ID, false },
                                                  { CLI_OPT_HTML, false },
                                                  { CLI_OPT_POINTS, false },
                                                  PASSWORD_USES };

const struct cli_command cli_commands_job[] = {
    { .noun = "job",
      .verb = "create",
      .summary = "make a job: what is backed up, where to and when",
      .text =
          "Writes jobs/NAME.json.  Without NAME and options it asks for "
          "everything, step by step, on a terminal, shows a summary, and "
          "offers to run the job; what is asked there can all be said by "
          "options.\n"
          "What the job selects is looked up: a VM or container that is not "
          "there is refused with the names that look like it.  A source that "
          "cannot be looked at is a warning (exit 3).  A key server is spoken "
          "to, and where it does not answer nothing is saved (exit 8).  The "
          "repository need not be reachable.\n"
          "Points go by one method: the first of a VM is a full, later ones "
          "hold what changed, and each can be restored without the others.",
      .args = { { .name = "NAME",
                  .value = CLI_TEXT,
                  .optional = true,
                  .help = "What to call it: letters, digits, '.', '_' and "
                          "'-'." } },
      USES(job_create_uses),
      .example = "job create nightly --container lab:prod --repo main "
                 "--retention 14d --schedule daily",
      .run = cli_job_create },
    { .noun = "job",
      .verb = "list",
      .summary = "list the jobs",
      .text = "Lists the jobs of this machine and when each would run next.  A "
              "file that is wrong is named (exit 3).",
      .run = cli_job_list },
    { .noun = "job",
      .verb = "show",
      .summary = "show a job",
      .text = "Shows what a job does, in words.",
      .args = { JOB_ARG },
      .run = cli_job_show },
    { .noun = "job",
      .verb = "edit",
      .summary = "change a job's file in an editor",
      .text = "Opens a copy of jobs/NAME.json in $VISUAL, else $EDITOR, else "
              "vi, and takes it over once it is well.  Where it is wrong the "
              "reason is told, and on a terminal it can be edited again; else "
              "the job stays as it is, and the copy is kept (exit 2).",
      .args = { JOB_ARG },
      .run = cli_job_edit },
    { .noun = "job",
      .verb = "delete",
      .summary = "forget a job",
      .text = "Removes jobs/NAME.json.  The points that it made stay, with the "
              "retention that they carry.  A job that another one runs after "
              "is refused.",
      .args = { JOB_ARG },
      USES(job_delete_uses),
      .run = cli_job_delete },
    { .noun = "job",
      .verb = "enable",
      .summary = "let the daemon run a job",
      .text = "Lets the daemon run a job by its schedule again.",
      .args = { JOB_ARG },
      .run = cli_job_enable },
    { .noun = "job",
      .verb = "disable",
      .summary = "keep the daemon from running a job",
      .text = "Keeps the daemon from running a job.  By hand it still runs.",
      .args = { JOB_ARG },
      .run = cli_job_disable },
    { .noun = "job",
      .verb = "next",
      .summary = "show when jobs would run",
      .text = "Shows the coming moments at which a job, or each, would be run "
              "by its schedule, in the job's time zone and in UTC.",
      .args = { { .name = "NAME",
                  .value = CLI_JOB,
                  .optional = true,
                  .help = "The job.  Default: all." } },
      USES(job_next_uses),
      .example = "job next nightly --count 10",
      .run = cli_job_next },
    { .noun = "job",
      .verb = "run",
      .summary = "run a job now",
      .text =
          "Looks at the job's sources and makes one restore point for each VM "
          "that it selects, several at a time.  A VM that fails does not stop "
          "the others.  Exit 0: each has its point; 3: some have, and another "
          "failed or something needs attention; 1: none has, or the run was "
          "stopped; else what kept the run from beginning, such as 8 where the "
          "storage does not answer.  A job has one "
          "run at a time on a machine.\n"
          "The job's program `before` runs first, with OBJVAULT_JOB and "
          "OBJVAULT_RUN in its environment; where it fails nothing is stored. "
          " The program `after` always runs, with OBJVAULT_STATUS as well.  "
          "Each has an hour.\n"
          "A run by hand is not tried again by itself; with --retry only what "
          "failed is.",
      .args = { JOB_ARG },
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
      .args = { JOB_ARG },
      USES(job_stop_uses),
      .run = cli_job_stop },
    { .noun = "job",
      .verb = "history",
      .summary = "show past runs",
      .text =
          "Shows the newest runs, of a job or of all.  The history is a file "
          "of this machine in the state folder.  Where it was lost, what the "
          "manifests in the jobs' repositories tell is put back: when VMs got "
          "points, how large they are, and how long that took; not what "
          "failed.  Repositories that do not open without a question are left "
          "out, and named.",
      .args = { { .name = "NAME",
                  .value = CLI_JOB,
                  .optional = true,
                  .help = "The job's name; without it all of them." } },
      USES(job_history_uses),
      .example = "job history nightly --count 5",
      .run = cli_job_history },
    { .noun = "job",
      .verb = "report",
      .summary = "tell of a run",
      .text =
          "Tells of the newest run of a job: for each VM what was read, new "
          "and stored, how long it took, where the time went, and what went "
          "wrong.  As a page (--html) also how the last runs were, and with "
          "--points a picture of chains and locks.",
      .args = { JOB_ARG },
      USES(job_report_uses),
      .example = "job report nightly --html report.html --points",
      .run = cli_job_report },
    { .noun = NULL },
};

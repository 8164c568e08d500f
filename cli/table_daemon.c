// SPDX-License-Identifier: Apache-2.0
/* Commands and options: what runs jobs, and housekeeping of jobs. */
#include "cli/table.h"

static const struct cli_use daemon_uses[] = {
    { CLI_OPT_UNTIL_IDLE, false },
    { CLI_OPT_SYSTEMD, false },
};

static const struct cli_use forget_uses[] = {
    { CLI_OPT_YES, false },
    { CLI_OPT_DRY_RUN, false },
    PASSWORD_USES,
};

const struct cli_command cli_commands_daemon[] = {
    { .noun = "job",
      .verb = "forget-deleted",
      .summary = "remove points of VMs that are gone for long",
      .text = "Removes the points that the job made of VMs which its sources "
              "do not have any more, once the newest point is older than the "
              "job's deleted_vms_after.  VMs that are there, and are only not "
              "chosen any more, keep their points.  Nothing is removed where a "
              "source could not be looked at wholly, or has no VM at all; "
              "nor of VMs below a folder that has none, or that the job names "
              "and that is not there.  "
              "Locked points stay until their lock ends, protected ones stay.  "
              "The daemon does this before each collection.  Only VMs "
              "that this machine's runs of the job had are forgotten: another "
              "host may have a job of this name.",
      .args = { { .name = "NAME",
                  .value = CLI_JOB,
                  .help = "The job's name." } },
      USES(forget_uses),
      .example = "job forget-deleted nightly --dry-run",
      .run = cli_job_forget_deleted },
    { .noun = "daemon",
      .summary = "run jobs when they are due",
      .text = "Begins the runs of jobs when they are due, tries again what "
              "failed, ends runs whose window closes, and looks after the "
              "repositories as daemon.json says: retention and collection, "
              "checks, points of VMs that are gone.  One line on stderr for "
              "each event.\n"
              "Files are read again when they change, and on HUP; one that is "
              "wrong is told once, and the others go on.  On TERM runs are "
              "told to stop, and it ends when they have.  One daemon works "
              "with a state folder.",
      USES(daemon_uses),
      .example = "daemon --systemd",
      .run = cli_daemon },
    { .noun = NULL },
};

const struct cli_option cli_options_daemon[CLI_OPTS] = {
    [CLI_OPT_UNTIL_IDLE] =
        FLAG("until-idle",
             "Do what is due, wait for its end, and end.  Called each minute "
             "it does what a resident daemon does."),
    [CLI_OPT_SYSTEMD] = FLAG(
        "systemd", "Print units of systemd instead: a timer that calls it each "
                   "minute with its service, and a service that stays."),
};

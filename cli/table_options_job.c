// SPDX-License-Identifier: Apache-2.0
/* Options: jobs, and the daemon. */
#include "cli/table.h"

const struct cli_option cli_options_job[CLI_OPTS] = {
    [CLI_OPT_RUN_VM] = { .name = "vm",
                         .value = CLI_TEXT,
                         .metavar = "VM",
                         .many = true,
                         .help = "Process only this VM of those that the job "
                                 "selects: by the name of its points, "
                                 "SOURCE:NAME or SOURCE:ID." },
    [CLI_OPT_RETRY] = FLAG("retry", "Process only what failed or was stopped "
                                    "in the job's last run, as another try of "
                                    "it."),
    [CLI_OPT_SCHEDULED] = FLAG("scheduled", "Says that the daemon begins the "
                                            "run: what fails will be tried "
                                            "again, and nobody is notified "
                                            "before the last try."),
    [CLI_OPT_GRACEFUL] = FLAG("graceful", "Let the VMs that are being "
                                          "processed get their points; begin "
                                          "no other."),
    [CLI_OPT_STOP_WAIT] = FLAG("wait", "Return when the run has ended."),
};

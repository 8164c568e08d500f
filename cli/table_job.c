// SPDX-License-Identifier: Apache-2.0
/* Commands: job, daemon: what is backed up when. */
#include "cli/table.h"

const struct cli_command cli_commands_job[] = {
    { .noun = NULL },
};

// SPDX-License-Identifier: Apache-2.0
/* Options: jobs, and the daemon. */
#include "cli/table.h"

const struct cli_option cli_options_job[CLI_OPTS] = {
    [CLI_OPTS - 1] = { .name = NULL },
};

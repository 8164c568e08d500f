// SPDX-License-Identifier: Apache-2.0
/* Private to cli/. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

/* The command line, parsed by the table. */
#include "base/auto.h"
#include "cli/commands.h"

struct cli_given {
    unsigned times;   /* 0: not given */
    const char *text; /* as given; NULL for flags */
    uint64_t number;  /* sizes, durations, numbers; a word's index */
    const char **all; /* owned list of `times` borrowed texts; of options that
                         may be given many times, else NULL */
};

struct cli_call {
    const struct cli_command *command; /* NULL with help and version */
    const char *noun, *verb;           /* as given, for help; or NULL */
    struct cli_given opt[CLI_OPTS];
    const char **args; /* owned list of borrowed words */
    size_t n_args;
};

/* Parses; the strings of argv are borrowed.  With --help or --version nothing
 * that is missing counts.  ERR_USAGE; then out still says whether --json and
 * --quiet were among the words. */
int cli_parse(int argc, char *const *argv, struct cli_call *out, struct err *e)
    __attribute__((warn_unused_result));
void cli_call_fini(struct cli_call *call);
#define AUTO_CLI_CALL AUTO(cli_call_fini)

/* The one of `names` that looks most like word, or NULL. */
const char *cli_nearest(const char *word, const char *const *names, size_t n);

#endif

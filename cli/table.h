// SPDX-License-Identifier: Apache-2.0
/* Private to cli/table_*.c. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

/*
 * What several parts of the table say.  A new command is an entry in one of
 * them and a function in a cmd_*.c; a new option is an entry in a
 * table_options*.c and a word in the commands that take it.  Two options may
 * have one name where the meaning differs between commands.
 */
#include "cli/commands.h"

/* Of each command that opens keysets. */
#define PASSWORD_USES                                                          \
    { CLI_OPT_PASSWORD_FILE, false }, { CLI_OPT_PASSWORD_COMMAND, false },     \
    {                                                                          \
        CLI_OPT_PRIVATE_KEY, false                                             \
    }

#define FLAG(flag_name, flag_help)                                             \
    {                                                                          \
        .name = (flag_name), .value = CLI_FLAG, .help = (flag_help)            \
    }

#define USES(list) .uses = (list), .n_uses = sizeof(list) / sizeof((list)[0])

#define NAME_ARG                                                               \
    {                                                                          \
        .name = "NAME", .value = CLI_REPO, .help = "The repository's name."    \
    }
#define NEW_NAME_ARG                                                           \
    {                                                                          \
        .name = "NAME", .value = CLI_TEXT,                                     \
        .help = "What to call it on this machine: letters, digits, '.', '_' "  \
                "and '-'."                                                     \
    }

#endif

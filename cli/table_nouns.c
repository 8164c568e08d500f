// SPDX-License-Identifier: Apache-2.0
/*
 * The nouns of the commands, in the order of help; the exit codes; and looking
 * commands up.
 */
#include "cli/commands.h"

#include <string.h>

const struct cli_noun cli_nouns[] = {
    { "repo", "repositories: where points are kept" },
    { "source", "places with VMs" },
    { "vm", "VMs of sources" },
    { "backup", "making restore points" },
    { "point", "restore points" },
    { "restore", "getting disks and VMs back" },
    { "kms", "key servers" },
    { "keyset", "what encrypted points are opened by" },
    { "bench", "measuring" },
    { "config", "configuration files" },
    { "version", "the version" },
    { "help", "explanations" },
    { "completion", "shell completion" },
    { "man", "the manual page" },
};
const size_t cli_n_nouns = sizeof cli_nouns / sizeof cli_nouns[0];

const struct cli_exit cli_exits[] = {
    { 0, "Done." },
    { 1, "Failed." },
    { 2, "Wrong usage or configuration; nothing was done." },
    { 3, "Done with warnings: at least one VM has its point, but another "
         "failed, or something needs attention." },
    { 4, "Not found: repository, point, disk, file." },
    { 5, "Not allowed: credentials, policy, certificate." },
    { 6, "Locked: immutability forbids it." },
    { 7, "Damaged: data does not verify." },
    { 8, "Unreachable: the storage does not answer." },
    { 130, "Interrupted; what was uploaded is reused by the next run." },
};
const size_t cli_n_exits = sizeof cli_exits / sizeof cli_exits[0];

const struct cli_command *cli_command_find(const char *noun, const char *verb)
{
    for (size_t i = 0; i < cli_n_commands; i++) {
        const struct cli_command *c = &cli_commands[i];
        if (strcmp(c->noun, noun) != 0)
            continue;
        if (c->verb == NULL || (verb != NULL && strcmp(c->verb, verb) == 0))
            return c;
    }
    return NULL;
}

bool cli_noun_known(const char *noun)
{
    for (size_t i = 0; i < cli_n_nouns; i++)
        if (strcmp(cli_nouns[i].name, noun) == 0)
            return true;
    return false;
}

size_t cli_args_count(const struct cli_command *c)
{
    size_t n = 0;
    while (n < CLI_ARGS_MAX && c->args[n].name != NULL)
        n++;
    return n;
}

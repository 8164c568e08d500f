// SPDX-License-Identifier: Apache-2.0
/*
 * The nouns of the commands, in the order of help; the exit codes; and the
 * parts of the table as one.
 */
#include "cli/commands.h"

#include <string.h>

const struct cli_noun cli_nouns[] = {
    { "repo", "repositories: where points are kept" },
    { "source", "places with VMs" },
    { "vm", "VMs of sources" },
    { "job", "what is backed up when" },
    { "backup", "making restore points" },
    { "point", "restore points" },
    { "restore", "getting disks and VMs back" },
    { "kms", "key servers" },
    { "keyset", "what encrypted points are opened by" },
    { "daemon", "running jobs when they are due" },
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

static const struct cli_command *const commands[] = {
    cli_commands_repo,    cli_commands_machine, cli_commands_job,
    cli_commands_daemon,  cli_commands_point,   cli_commands_key,
    cli_commands_program,
};
#define PARTS (sizeof commands / sizeof commands[0])

static size_t count(const struct cli_command *part)
{
    size_t n = 0;
    while (part[n].noun != NULL)
        n++;
    return n;
}

size_t cli_command_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < PARTS; i++)
        n += count(commands[i]);
    return n;
}

const struct cli_command *cli_command_at(size_t i)
{
    size_t part = 0;
    while (part + 1 < PARTS && i >= count(commands[part]))
        i -= count(commands[part++]);
    return &commands[part][i];
}

const struct cli_option *cli_option(unsigned opt)
{
    const struct cli_option *o = &cli_options_common[opt];
    if (o->name == NULL)
        o = &cli_options_key[opt];
    if (o->name == NULL)
        o = &cli_options_job[opt];
    return o->name != NULL ? o : &cli_options_daemon[opt];
}

const struct cli_command *cli_command_find(const char *noun, const char *verb)
{
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *c = cli_command_at(i);
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

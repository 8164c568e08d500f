// SPDX-License-Identifier: Apache-2.0
/* Commands: bench, config, and what is about the program itself. */
#include "cli/table.h"

#include "engine/job/config.h"

static const char *const shell_words[] = { "bash", NULL };

static const struct cli_use bench_uses[] = {
    { CLI_OPT_SIZES, false },   { CLI_OPT_CONNECTIONS, false },
    { CLI_OPT_SECONDS, false }, { CLI_OPT_TOTAL, false },
    { CLI_OPT_MEMORY, false },
};

const struct cli_command cli_commands_program[] = {
    { .noun = "bench",
      .verb = "repo",
      .summary = "measure a repository's storage",
      .text = "Stores and fetches objects of several sizes over several "
              "connections, raw (random bytes, nothing is computed) and as a "
              "backup does it (hashed, compressed, verified), and prints the "
              "rates.  The objects lie below gc/ and are removed at the end; "
              "those of one that was killed, by the next a day later.  "
              "How much will be moved at most is said beforehand.",
      .args = { NAME_ARG },
      USES(bench_uses),
      .example = "bench repo main --sizes 1M,4M --connections 4,16",
      .run = cli_bench_repo },
    { .noun = "config",
      .verb = "check",
      .summary = "check all configuration files",
      .text = "Reads every configuration file and reports each one that is "
              "wrong, with the field.  With any the exit code is 2.",
      .run = cli_config_check },
    { .noun = "config",
      .verb = "schema",
      .summary = "print the JSON Schema of a configuration file",
      .text = "Prints the JSON Schema of a kind of configuration file.",
      .args = { { .name = "KIND",
                  .value = CLI_WORD,
                  .words = eng_config_kinds,
                  .help = "The kind: repo, credentials, kms, source, job, "
                          "daemon or prices." } },
      .run = cli_config_schema },
    { .noun = "version",
      .summary = "print the version",
      .text = "Prints the version of the program.",
      .run = cli_version },
    { .noun = "help",
      .summary = "explain commands",
      .text = "Explains a command, or lists those there are.",
      .args = { { .name = "NOUN",
                  .value = CLI_TEXT,
                  .optional = true,
                  .help = "The first word of a command." },
                { .name = "VERB",
                  .value = CLI_TEXT,
                  .optional = true,
                  .help = "The second word." } },
      .run = cli_help },
    { .noun = "completion",
      .summary = "print a shell's completion script",
      .text = "Prints the completion script of a shell.",
      .args = { { .name = "SHELL",
                  .value = CLI_WORD,
                  .words = shell_words,
                  .help = "The shell: bash." } },
      .example = "completion bash > ~/.local/share/bash-completion/"
                 "completions/objvault",
      .run = cli_completion },
    { .noun = "man",
      .summary = "print the manual page",
      .text = "Prints the manual page, in mdoc.",
      .example = "man | man -l -",
      .run = cli_man },
    { .noun = NULL },
};

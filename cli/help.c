// SPDX-License-Identifier: Apache-2.0
/*
 * Help texts, made from the table: for the program, a noun, a command.
 */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/cli.h"

#define TEXT_COLUMN 26
#define TEXT_MAX ((size_t)1 << 20)

void cli_usage(const struct cli_command *c, struct buf *out)
{
    buf_printf(out, "objvault %s", c->noun);
    if (c->verb != NULL)
        buf_printf(out, " %s", c->verb);
    for (size_t i = 0; i < cli_args_count(c); i++) {
        const struct cli_arg *a = &c->args[i];
        buf_printf(out, a->optional ? " [%s]" : " %s", a->name);
        if (a->many)
            buf_append_str(out, "...");
    }
    for (size_t i = 0; i < c->n_uses; i++)
        if (c->uses[i].required)
            buf_printf(out, " --%s %s", cli_option(c->uses[i].opt)->name,
                       cli_option(c->uses[i].opt)->metavar);
    buf_append_str(out, " [OPTION]...");
}

/* "  left      text", the text wrapped in its own column. */
static void entry(struct buf *out, const char *left, const char *text)
{
    size_t width = 2 + strlen(left);
    buf_printf(out, "  %s", left);
    if (width + 2 > TEXT_COLUMN)
        buf_printf(out, "\n%*s", TEXT_COLUMN, "");
    else
        buf_printf(out, "%*s", (int)(TEXT_COLUMN - width), "");
    cli_wrap(out, text, TEXT_COLUMN, TEXT_COLUMN);
}

static void option_entry(struct buf *out, enum cli_opt opt)
{
    const struct cli_option *o = cli_option(opt);
    AUTO_BUF struct buf left = buf_init(120);
    if (o->letter != 0)
        buf_printf(&left, "-%c, ", o->letter);
    buf_printf(&left, "--%s", o->name);
    if (o->metavar != NULL)
        buf_printf(&left, " %s%s", o->metavar, o->many ? "..." : "");
    entry(out, buf_cstr(&left), o->help);
}

static void command_line(struct buf *out, const struct cli_command *c)
{
    AUTO_BUF struct buf left = buf_init(120);
    buf_append_str(&left, c->noun);
    if (c->verb != NULL)
        buf_printf(&left, " %s", c->verb);
    entry(out, buf_cstr(&left), c->summary);
}

static void command_help(const struct cli_command *c, struct buf *out)
{
    size_t n_args = cli_args_count(c);
    AUTO_BUF struct buf usage = buf_init(TEXT_MAX);
    cli_usage(c, &usage);
    buf_append_str(out, "usage: ");
    cli_wrap(out, buf_cstr(&usage), 11, 7);
    buf_append_char(out, '\n');
    cli_wrap(out, c->text, 0, 0);
    if (n_args > 0)
        buf_append_str(out, "\nArguments:\n");
    for (size_t i = 0; i < n_args; i++)
        entry(out, c->args[i].name, c->args[i].help);
    if (c->n_uses > 0)
        buf_append_str(out, "\nOptions:\n");
    for (size_t i = 0; i < c->n_uses; i++)
        option_entry(out, c->uses[i].opt);
    buf_append_str(out, "\nGlobal options:\n");
    for (unsigned i = 0; i < CLI_OPT_GLOBALS; i++)
        option_entry(out, (enum cli_opt)i);
    if (c->example != NULL)
        buf_printf(out, "\nExample:\n  objvault %s\n", c->example);
}

static void noun_help(const char *noun, struct buf *out)
{
    buf_printf(out, "usage: objvault %s VERB [OPTION]... [ARGUMENT]...\n\n",
               noun);
    for (size_t i = 0; i < cli_command_count(); i++)
        if (strcmp(cli_command_at(i)->noun, noun) == 0)
            command_line(out, cli_command_at(i));
    buf_printf(out, "\nobjvault %s VERB --help explains each.\n", noun);
}

static void program_help(struct buf *out)
{
    buf_append_str(out, "usage: objvault [GLOBAL OPTION]... NOUN VERB "
                        "[OPTION]... [ARGUMENT]...\n\n"
                        "Backs up virtual machine disks, block by block, "
                        "into S3 buckets.\n\nCommands:\n");
    for (size_t i = 0; i < cli_command_count(); i++)
        command_line(out, cli_command_at(i));
    buf_append_str(out, "\nGlobal options:\n");
    for (unsigned i = 0; i < CLI_OPT_GLOBALS; i++)
        option_entry(out, (enum cli_opt)i);
    buf_append_str(out, "\nExit codes:\n");
    for (size_t i = 0; i < cli_n_exits; i++) {
        char code[8];
        (void)snprintf(code, sizeof code, "%d", cli_exits[i].code);
        entry(out, code, cli_exits[i].help);
    }
    buf_append_str(out, "\nobjvault NOUN VERB --help explains a command.\n");
}

int cli_help_text(const char *noun, const char *verb, struct buf *out,
                  struct err *e)
{
    if (noun == NULL) {
        program_help(out);
        return 0;
    }
    const struct cli_command *c = cli_command_find(noun, verb);
    bool known = cli_noun_known(noun);
    if (!known || (verb != NULL && (c == NULL || c->verb == NULL)))
        return err_set(e, ERR_USAGE, 0,
                       "there is no command \"%.60s%s%.60s\"; see objvault "
                       "help",
                       noun, verb != NULL ? " " : "", verb != NULL ? verb : "");
    if (c != NULL)
        command_help(c, out);
    else
        noun_help(noun, out);
    return 0;
}

int cli_help(struct cli_ctx *c, struct err *e)
{
    AUTO_BUF struct buf text = buf_init(TEXT_MAX);
    const char *noun = c->call->n_args > 0 ? c->call->args[0] : NULL;
    const char *verb = c->call->n_args > 1 ? c->call->args[1] : NULL;
    if (cli_help_text(noun, verb, &text, e) < 0)
        return -1;
    return cli_result_text(c, &text, e);
}

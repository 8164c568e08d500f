// SPDX-License-Identifier: Apache-2.0
/*
 * The manual page in mdoc(7), made from the table.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define TEXT_MAX ((size_t)1 << 20)
/* Fixed, so that two builds of one source give one page. */
#define MAN_DATE "November 22, 2026"
#define MAN_COLUMNS 78

/* A word, with what roff would take for its own escaped. */
static void word(struct buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\\')
            buf_append_str(out, "\\e");
        else if (p[i] == '-')
            buf_append_str(out, "\\-");
        else if (p[i] == '~')
            buf_append_str(out, "\\(ti");
        else
            buf_append_char(out, p[i]);
    }
}

/* Paragraphs: a new line for each sentence, as mdoc wants it. */
static void text(struct buf *out, const char *s)
{
    size_t column = 0;
    while (*s != '\0') {
        size_t n = strcspn(s, " \n");
        if (n > 0) {
            if (column > 0 && column + 1 + n > MAN_COLUMNS) {
                buf_append_char(out, '\n');
                column = 0;
            }
            if (column > 0)
                buf_append_char(out, ' ');
            else if (*s == '.' || *s == '\'')
                buf_append_str(out, "\\&");
            word(out, s, n);
            column += n + 1;
            if (s[n - 1] == '.' || s[n - 1] == '?') {
                buf_append_char(out, '\n');
                column = 0;
            }
        }
        s += n;
        if (*s == '\n') {
            buf_append_str(out, column > 0 ? "\n.Pp\n" : ".Pp\n");
            column = 0;
        }
        s += *s != '\0';
    }
    if (column > 0)
        buf_append_char(out, '\n');
}

static void flag(struct buf *out, const struct cli_option *o)
{
    if (o->letter != 0)
        buf_printf(out, "Fl %c , ", o->letter);
    buf_append_str(out, "Fl \\-");
    word(out, o->name, strlen(o->name));
    if (o->metavar != NULL)
        buf_printf(out, " Ar %s%s", o->metavar, o->many ? " ..." : "");
}

static void option_item(struct buf *out, enum cli_opt opt)
{
    buf_append_str(out, ".It ");
    flag(out, cli_option(opt));
    buf_append_char(out, '\n');
    text(out, cli_option(opt)->help);
}

static void arguments(struct buf *out, const struct cli_command *c)
{
    for (size_t i = 0; i < cli_args_count(c); i++) {
        const struct cli_arg *a = &c->args[i];
        buf_append_str(out, a->optional ? ".Op Ar " : ".Ar ");
        word(out, a->name, strlen(a->name));
        buf_append_str(out, a->many ? " ...\n" : "\n");
    }
}

static void command(struct buf *out, const struct cli_command *c)
{
    buf_printf(out, ".Ss objvault %s%s%s\n", c->noun, c->verb ? " " : "",
               c->verb ? c->verb : "");
    buf_printf(out, ".Nm\n.Cm %s%s%s\n", c->noun, c->verb ? " " : "",
               c->verb ? c->verb : "");
    arguments(out, c);
    for (size_t i = 0; i < c->n_uses; i++) {
        buf_append_str(out, c->uses[i].required ? "." : ".Op ");
        flag(out, cli_option(c->uses[i].opt));
        buf_append_char(out, '\n');
    }
    buf_append_str(out, ".Pp\n");
    text(out, c->text);
    size_t n_args = cli_args_count(c);
    if (n_args + c->n_uses > 0) {
        buf_append_str(out, ".Bl -tag -width Ds\n");
        for (size_t i = 0; i < n_args; i++) {
            buf_append_str(out, ".It Ar ");
            word(out, c->args[i].name, strlen(c->args[i].name));
            buf_append_char(out, '\n');
            text(out, c->args[i].help);
        }
        for (size_t i = 0; i < c->n_uses; i++)
            option_item(out, c->uses[i].opt);
        buf_append_str(out, ".El\n");
    }
    if (c->example != NULL) {
        buf_append_str(out, ".Pp\nExample:\n.Dl objvault ");
        word(out, c->example, strlen(c->example));
        buf_append_char(out, '\n');
    }
}

static const struct {
    const char *name;
    const char *help;
} variables[] = {
    { "OBJVAULT_HOME", "The folder of the configuration, where --home is not "
                       "given." },
    { "OBJVAULT_STATE", "The folder of caches, where --state is not given." },
    { "OBJVAULT_LIBS3", "The module of the driver libs3, by its absolute "
                        "path." },
    { "VISUAL", "The editor of job edit; else EDITOR, else vi." },
    { "OBJVAULT_NOW", "A time such as 2026-01-31T22:00:00Z that shifts the "
                      "program's clock for the names of points: for tests and "
                      "rehearsals." },
    { "AWS_ACCESS_KEY_ID", "With AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: "
                           "the keys of the S3 server, where --credentials is "
                           "not given." },
    { "AWS_WEB_IDENTITY_TOKEN_FILE",
      "With AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME: a token that is traded for "
      "the keys of a role, where the former are not set." },
    { "AWS_PROFILE",
      "The profile in the files that AWS tools use: written keys, a "
      "credential_process, or a role.  AWS_SHARED_CREDENTIALS_FILE and "
      "AWS_CONFIG_FILE name other files." },
    { "AWS_CONTAINER_CREDENTIALS_FULL_URI",
      "Or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: where a container asks for "
      "keys, with AWS_CONTAINER_AUTHORIZATION_TOKEN or the content of "
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE." },
    { "AWS_EC2_METADATA_DISABLED",
      "If true, instance metadata is not asked, as it is last of all; "
      "AWS_EC2_METADATA_SERVICE_ENDPOINT says where it is." },
    { "AWS_REGION", "The region, where none is configured." },
    { "AWS_ENDPOINT_URL_S3",
      "Or AWS_ENDPOINT_URL: the S3 server, where none is configured; "
      "AWS_ENDPOINT_URL_STS: the server that roles are asked from." },
    { "AWS_CA_BUNDLE", "Certificates to trust, where --ca is not given." },
};

static const struct {
    const char *path;
    const char *help;
} files[] = {
    { "repos/NAME.json", "A repository, below the configuration folder.  "
                         "Comments are allowed; config schema repo prints what "
                         "may be in it." },
    { "sources/NAME.json", "A place with VMs: place, which is dir:/path or "
                           "libvirt:URI." },
    { "jobs/NAME.json", "A backup job; config schema job prints what may be in "
                        "it." },
    { "credentials/NAME.json", "The keys of an S3 server: access_key_id, "
                               "secret_access_key and, for temporary ones, "
                               "session_token.  Or an account in guests: user "
                               "and password." },
};

static void tables(struct buf *out)
{
    buf_append_str(out, ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        buf_printf(out, ".It Ev %s\n", variables[i].name);
        text(out, variables[i].help);
    }
    buf_append_str(out, ".El\n.Sh FILES\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        buf_printf(out, ".It Pa %s\n", files[i].path);
        text(out, files[i].help);
    }
    buf_append_str(out, ".El\n.Sh EXIT STATUS\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < cli_n_exits; i++) {
        buf_printf(out, ".It %d\n", cli_exits[i].code);
        text(out, cli_exits[i].help);
    }
    buf_append_str(out, ".El\n");
}

void cli_man_text(struct buf *out)
{
    buf_append_str(out, ".\\\" Generated by objvault man: do not edit.\n"
                        ".Dd " MAN_DATE "\n.Dt OBJVAULT 1\n.Os\n"
                        ".Sh NAME\n.Nm objvault\n"
                        ".Nd back up virtual machine disks into S3 buckets\n"
                        ".Sh SYNOPSIS\n.Nm\n.Op Ar global option ...\n"
                        ".Ar noun verb\n.Op Ar option ...\n"
                        ".Op Ar argument ...\n.Sh DESCRIPTION\n");
    text(out,
         "objvault reads disk images, cuts them into blocks, stores each "
         "distinct block once as one object named by its content, and "
         "describes every restore point by a manifest. Any point can be "
         "restored without any other, and the bucket is all that is needed "
         "for it.\n"
         "Results go to stdout, progress and messages to stderr. Sizes are "
         "written as 256K, 1M or 4G (powers of 1,024), durations as 30s, 12h "
         "or 7d, times as in 2026-11-22T10:00:00Z (UTC). An option's value "
         "follows it as a word of its own or behind an equals sign; two "
         "dashes end the options.\n"
         "On SIGUSR1 a line of progress is printed. SIGINT and SIGTERM end "
         "the work in order, a second one at once.");
    buf_append_str(out, ".Ss Global options\nThese may stand anywhere.\n"
                        ".Bl -tag -width Ds\n");
    for (unsigned i = 0; i < CLI_OPT_GLOBALS; i++)
        option_item(out, (enum cli_opt)i);
    buf_append_str(out, ".El\n.Sh COMMANDS\n");
    for (size_t i = 0; i < cli_command_count(); i++)
        command(out, cli_command_at(i));
    tables(out);
}

int cli_man(struct cli_ctx *c, struct err *e)
{
    AUTO_BUF struct buf page = buf_init(TEXT_MAX);
    cli_man_text(&page);
    return cli_result_text(c, &page, e);
}

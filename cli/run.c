// SPDX-License-Identifier: Apache-2.0
/*
 * One run from the command line to the exit code: environment, parser,
 * signals, logging, the command, and the single place where stdout is written
 * and errors are shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/signals.h"
#include "base/utc.h"
#include "cli/cli.h"
#include "cli/unlock.h"

#define OUT_MAX ((size_t)1 << 30)

bool cli_given(const struct cli_ctx *c, enum cli_opt opt)
{
    return c->call->opt[opt].times > 0;
}

const char *cli_text(const struct cli_ctx *c, enum cli_opt opt)
{
    return c->call->opt[opt].text;
}

uint64_t cli_number(const struct cli_ctx *c, enum cli_opt opt)
{
    return c->call->opt[opt].number;
}

const char *const *cli_texts(const struct cli_ctx *c, enum cli_opt opt,
                             size_t *n)
{
    *n = c->call->opt[opt].times;
    return c->call->opt[opt].all;
}

int cli_share(const struct cli_ctx *c, enum cli_opt opt, unsigned *ppm,
              struct err *e)
{
    const char *text = cli_text(c, opt);
    char percent = '\0';
    char more = '\0';
    double share = 0;

    if (text == NULL)
        return 0;
    /* NOLINTNEXTLINE(cert-err34-c): the range is checked below */
    int n = sscanf(text, "%10lf%c%c", &share, &percent, &more);
    if (n != 2 || percent != '%' || !(share > 0) || !(share <= 100))
        return err_set(e, ERR_USAGE, 0,
                       "--%s %s: write a share such as 5%% or 0.1%%",
                       cli_option(opt)->name, text);
    *ppm = (unsigned)(share * 10000 + 0.5);
    if (*ppm == 0)
        *ppm = 1;
    return 0;
}

static void setup_log(const struct cli_ctx *c)
{
    enum log_level level = LOG_WARN;
    unsigned verbose = c->call->opt[CLI_OPT_VERBOSE].times;
    if (verbose == 1)
        level = LOG_INFO;
    else if (verbose > 1)
        level = LOG_DEBUG;
    else if (c->quiet)
        level = LOG_ERROR;
    log_setup(level, cli_given(c, CLI_OPT_LOG_JSON));
}

/* The descriptor was opened by whoever started us; looked at before we open
 * anything ourselves. */
static int check_progress_fd(const struct cli_ctx *c, struct err *e)
{
    if (!cli_given(c, CLI_OPT_PROGRESS_JSON))
        return 0;
    int fd = (int)cli_number(c, CLI_OPT_PROGRESS_JSON);
    int mode = fcntl(fd, F_GETFL);
    if (mode < 0 || (mode & O_ACCMODE) == O_RDONLY)
        return err_set(e, ERR_USAGE, 0,
                       "--progress-json %d: not open for writing", fd);
    if (fd == STDOUT_FILENO && c->json)
        return err_set(e, ERR_USAGE, 0,
                       "--progress-json 1 and --json exclude each other");
    return 0;
}

/* Help and version, asked for as options. */
static int run_flags(struct cli_ctx *c, struct err *e)
{
    if (!cli_given(c, CLI_OPT_HELP))
        return cli_version(c, e);
    AUTO_BUF struct buf text = buf_init(OUT_MAX);
    if (cli_help_text(c->call->noun, c->call->verb, &text, e) < 0)
        return -1;
    return cli_result_text(c, &text, e);
}

static int run_command(struct cli_ctx *c, struct err *e)
{
    /* The signal thread outlives this function. */
    static struct cancel cancel;
    if (cli_given(c, CLI_OPT_HELP) || cli_given(c, CLI_OPT_VERSION))
        return run_flags(c, e);
    if (check_progress_fd(c, e) < 0 || utc_shift_from_env(e) < 0 ||
        cancel_init(&cancel, NULL, e) < 0 || signals_start(&cancel, e) < 0)
        return -1;
    c->cancel = &cancel;
    if (eng_home_init(&c->home, cli_text(c, CLI_OPT_HOME),
                      cli_text(c, CLI_OPT_STATE), e) < 0)
        return -1;
    int code = c->call->command->run(c, e);
    if (code < 0)
        cli_unlock_hint(c, e);
    eng_home_fini(&c->home);
    return code;
}

/* Shows an error by all the ways that were asked for; its exit code. */
static int show_error(struct cli_ctx *c, const struct err *error)
{
    struct err e = { 0 };
    cli_error_line(error);
    buf_reset(&c->out);
    if (c->json) {
        struct jsonw w = cli_json_begin_failed(c, error);
        if (cli_json_end(c, &w, &e) < 0)
            cli_error_line(&e);
    }
    return cli_exit_of(error->kind);
}

int cli_main(int argc, char **argv)
{
    struct err e = { 0 };
    AUTO_CLI_CALL struct cli_call call = { 0 };
    struct cli_ctx c = { .call = &call, .out = buf_init(OUT_MAX) };

    secret_forbid_dumps();
    int parsed = cli_unlock_init(&c, &e);
    if (parsed == 0)
        parsed = cli_parse(argc, argv, &call, &e);
    c.json = cli_given(&c, CLI_OPT_JSON);
    c.quiet = cli_given(&c, CLI_OPT_QUIET);
    setup_log(&c);

    int code = parsed == 0 ? run_command(&c, &e) : -1;
    cli_unlock_fini(&c);
    if (code >= 0 && c.out.failed && buf_check(&c.out, &e) < 0)
        code = -1;
    if (code < 0)
        code = show_error(&c, &e);
    if (c.out.len > 0 &&
        io_write_full(STDOUT_FILENO, c.out.p, c.out.len, "stdout", &e) < 0) {
        if (e.sys != EPIPE) /* a reader that left needs no explanation */
            cli_error_line(&e);
        code = code != 0 ? code : 1;
    }
    buf_free(&c.out);
    return code;
}

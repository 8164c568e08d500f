// SPDX-License-Identifier: Apache-2.0
/*
 * Questions on the terminal: before something is destroyed, for passwords, and
 * those of dialogues.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>

#include "base/secret.h"
#include "cli/cli.h"

/* Less than a line of a terminal can have (4,095 bytes): what is longer is
 * seen. */
#define PASSWORD_MAX 1023

/* Appends a line of the terminal; it failed where the line was too long.  1:
 * the input has ended. */
static int read_answer(struct cli_ctx *c, struct buf *answer, struct err *e)
{
    struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                            { .fd = c->cancel->fd, .events = POLLIN } };
    for (;;) {
        char ch = '\0';
        int ready = poll(fds, 2, -1);
        if (ready < 0 && errno != EINTR)
            return err_set(e, ERR_IO, errno, "read the answer");
        if (cancel_check(c->cancel, e) < 0)
            return -1;
        if (ready <= 0 || fds[0].revents == 0)
            continue;
        ssize_t n = read(STDIN_FILENO, &ch, 1);
        if (n < 0 && errno != EINTR)
            return err_set(e, ERR_IO, errno, "read the answer");
        if (n < 0)
            continue;
        if (n == 0)
            return answer->len == 0;
        if (ch == '\n')
            return 0;
        buf_append_char(answer, ch);
    }
}

/* Reads a line that is not shown.  Ctrl-Z would leave the shell with a terminal
 * that shows nothing: it does nothing meanwhile. */
static int read_silently(struct cli_ctx *c, const char *question,
                         struct buf *answer, struct err *e)
{
    const struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct sigaction stop;
    struct termios was;

    if (tcgetattr(STDIN_FILENO, &was) < 0)
        return err_set(e, ERR_IO, errno, "ask for the password");
    struct termios silent = was;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)sigaction(SIGTSTP, &ignore, &stop);
    /* Before the question: what is typed after it counts, and is not shown. */
    int r = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) < 0
                ? err_set(e, ERR_IO, errno, "switch the terminal's echo off")
                : 0;
    if (r == 0) {
        (void)fprintf(stderr, "%s: ", question);
        (void)fflush(stderr);
        r = read_answer(c, answer, e);
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &was);
        (void)fputc('\n', stderr);
    }
    (void)sigaction(SIGTSTP, &stop, NULL);
    return r;
}

int cli_ask_line(struct cli_ctx *c, const char *question, struct buf *answer,
                 struct err *e)
{
    AUTO_BUF struct buf prompt = buf_init(4096);

    cli_clean(&prompt, question);
    (void)fprintf(stderr, "%s: ", buf_cstr(&prompt));
    (void)fflush(stderr);
    return read_answer(c, answer, e);
}

bool cli_may_ask(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

int cli_ask_secret(struct cli_ctx *c, const char *question, struct secret **out,
                   struct err *e)
{
    AUTO_BUF struct buf prompt = buf_init(4096);
    AUTO_SECRET_BUF struct buf line = secret_buf(PASSWORD_MAX);

    *out = NULL;
    cli_clean(&prompt, question);
    if (read_silently(c, buf_cstr(&prompt), &line, e) < 0)
        return -1;
    if (line.failed && !line.nomem)
        return err_set(e, ERR_USAGE, 0,
                       "the password is longer than %d bytes: keep it in a "
                       "file, and say --password-file",
                       PASSWORD_MAX);
    if (buf_check(&line, e) < 0)
        return -1;
    if (line.len == 0)
        return 0;
    *out = secret_new(buf_span(&line), e);
    return *out != NULL ? 0 : -1;
}

int cli_confirm(struct cli_ctx *c, const char *question, struct err *e)
{
    AUTO_BUF struct buf answer = buf_init(8); /* what is longer is no "yes" */
    if (cli_given(c, CLI_OPT_YES))
        return 0;
    if (!cli_may_ask())
        return err_set(e, ERR_USAGE, 0,
                       "nobody can be asked here: say --yes to do it, or "
                       "--dry-run to see what would be done");
    AUTO_BUF struct buf prompt = buf_init(4096);
    cli_clean(&prompt, question);
    (void)fprintf(stderr, "%s [y/N] ", buf_cstr(&prompt));
    (void)fflush(stderr);
    if (read_answer(c, &answer, e) < 0)
        return -1;
    const char *said = buf_cstr(&answer);
    if (strcasecmp(said, "y") == 0 || strcasecmp(said, "yes") == 0)
        return 0;
    return err_set(e, ERR_FAILED, 0, "nothing was done: the answer was no");
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Questions on the terminal: before something is destroyed, and for passwords.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>

#include "base/secret.h"
#include "cli/cli.h"

#define ANSWER_MAX 1024

/* Reads a line from the terminal, up to cap - 1 bytes; the rest is dropped. */
static int read_answer(struct cli_ctx *c, char *answer, size_t cap,
                       struct err *e)
{
    struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                            { .fd = c->cancel->fd, .events = POLLIN } };
    size_t n = 0;
    for (;;) {
        char ch = '\0';
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return err_set(e, ERR_IO, errno, "read the answer");
        if (cancel_check(c->cancel, e) < 0)
            return -1;
        if (fds[0].revents == 0)
            continue;
        if (read(STDIN_FILENO, &ch, 1) <= 0 || ch == '\n')
            break;
        if (n + 1 < cap)
            answer[n++] = ch;
    }
    answer[n] = '\0';
    return 0;
}

bool cli_may_ask(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

int cli_ask_secret(struct cli_ctx *c, const char *question, struct secret **out,
                   struct err *e)
{
    AUTO_BUF struct buf prompt = buf_init(4096);
    struct termios was;

    *out = NULL;
    if (tcgetattr(STDIN_FILENO, &was) < 0)
        return err_set(e, ERR_IO, errno, "ask for the password");
    struct termios silent = was;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    cli_clean(&prompt, question);
    /* Before the question: what is typed after it counts, and is not shown. */
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) < 0)
        return err_set(e, ERR_IO, errno, "switch the terminal's echo off");
    (void)fprintf(stderr, "%s: ", buf_cstr(&prompt));
    (void)fflush(stderr);
    char line[ANSWER_MAX];
    int r = read_answer(c, line, sizeof line, e);
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &was);
    (void)fputc('\n', stderr);
    if (r == 0 && line[0] != '\0') {
        *out = secret_new(span_str(line), e);
        r = *out != NULL ? 0 : -1;
    }
    secret_wipe(line, sizeof line);
    return r;
}

int cli_confirm(struct cli_ctx *c, const char *question, struct err *e)
{
    char answer[8] = "";
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
    if (read_answer(c, answer, sizeof answer, e) < 0)
        return -1;
    if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
        return 0;
    return err_set(e, ERR_FAILED, 0, "nothing was done: the answer was no");
}

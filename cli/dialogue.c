// SPDX-License-Identifier: Apache-2.0
/* Questions that follow each other on a terminal. */
#include "cli/dialogue.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Of a terminal's line, 4,095 bytes are all that there can be. */
#define ANSWER_MAX 4095

void cli_tell(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    AUTO_BUF struct buf clean = buf_init((size_t)1 << 20);
    cli_clean(&clean, text);
    free(text);
    (void)fprintf(stderr, "%s\n", buf_cstr(&clean));
}

void cli_tell_text(const char *text)
{
    AUTO_BUF struct buf wrapped = buf_init((size_t)1 << 20);

    cli_wrap(&wrapped, text, 0, 0);
    (void)fprintf(stderr, "%s", buf_cstr(&wrapped));
}

/* Cuts blanks off both ends; NULL: it is too long, or has what no answer has.
 */
static char *trim(struct buf *line)
{
    buf_append_char(line, '\0');
    if (line->failed)
        return NULL;
    char *text = (char *)line->p;
    size_t n = line->len - 1;

    while (n > 0 && isblank((unsigned char)text[n - 1]))
        n--;
    text[n] = '\0';
    while (isblank((unsigned char)*text))
        text++;
    for (const char *p = text; *p != '\0'; p++)
        if (iscntrl((unsigned char)*p))
            return NULL;
    return text;
}

/* One try.  -2: ask again. */
static int ask_once(struct cli_ctx *c, const struct cli_question *q,
                    const char *prompt, struct err *e)
{
    AUTO_BUF struct buf line = buf_init(ANSWER_MAX);
    struct err why = { 0 };
    int r = cli_ask_line(c, prompt, &line, e);

    if (r < 0)
        return -1;
    if (r == 1) {
        (void)fputc('\n', stderr);
        return err_set(e, ERR_USAGE, 0,
                       "the input ended before all was asked; nothing is "
                       "saved");
    }
    const char *answer = trim(&line);
    if (answer == NULL) {
        cli_tell("That is too long, or has keys in it that are no letters.");
        return -2;
    }
    if (strcmp(answer, "?") == 0) {
        cli_tell_text(q->help);
        return -2;
    }
    if (strcmp(answer, "<") == 0)
        return CLI_BACK;
    if (answer[0] == '\0' && q->shown != NULL)
        return CLI_RETURN;
    if (answer[0] == '\0') {
        cli_tell("An answer is needed here (? explains).");
        return -2;
    }
    if (q->take(q->ctx, answer, &why) >= 0)
        return CLI_ANSWERED;
    if (why.kind == ERR_CANCELLED || why.kind == ERR_NOMEM) {
        *e = why;
        return -1;
    }
    cli_tell("Not so: %s.", why.msg);
    return -2;
}

int cli_dialogue_ask(struct cli_ctx *c, const struct cli_question *q,
                     struct err *e)
{
    AUTO_BUF struct buf prompt = buf_init(4096);

    if (q->shown != NULL)
        buf_printf(&prompt, "%s [%s]", q->text, q->shown);
    else
        buf_append_str(&prompt, q->text);
    for (;;) {
        int r = ask_once(c, q, buf_cstr(&prompt), e);
        if (r != -2)
            return r;
    }
}

static int take_yes(void *ctx, const char *answer, struct err *e)
{
    bool *yes = ctx;

    if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
        *yes = true;
    else if (strcasecmp(answer, "n") == 0 || strcasecmp(answer, "no") == 0)
        *yes = false;
    else
        return err_set(e, ERR_USAGE, 0, "answer yes or no");
    return 0;
}

int cli_dialogue_yes(struct cli_ctx *c, const char *text, const char *help,
                     bool *yes, struct err *e)
{
    bool said = *yes;
    const struct cli_question q = { .text = text,
                                    .shown = said ? "yes" : "no",
                                    .help = help,
                                    .take = take_yes,
                                    .ctx = &said };
    int r = cli_dialogue_ask(c, &q, e);
    *yes = said;
    return r;
}

/* Reads a number of 1 to n; moves *p behind it. */
static bool read_number(const char **p, size_t n, size_t *out)
{
    size_t v = 0;

    if (!isdigit((unsigned char)**p))
        return false;
    while (isdigit((unsigned char)**p)) {
        v = v * 10 + (size_t)(**p - '0');
        if (v > n)
            return false;
        (*p)++;
    }
    *out = v;
    return v > 0;
}

/* Reads "N" or "N-M" of 1 to n, and the comma behind it; moves *p. */
static bool read_range(const char **p, size_t n, size_t *from, size_t *to)
{
    bool good = read_number(p, n, from);

    *to = *from;
    if (good && **p == '-') {
        (*p)++;
        good = read_number(p, n, to) && *to >= *from;
    }
    *p += strspn(*p, " ");
    if (good && **p == ',') {
        *p += 1 + strspn(*p + 1, " ");
        return **p != '\0';
    }
    return good && **p == '\0';
}

int cli_dialogue_numbers(const char *answer, size_t n,
                         int (*pick)(void *ctx, size_t i, struct err *e),
                         void *ctx, struct err *e)
{
    size_t from = 1;
    size_t to = n;

    if (strcasecmp(answer, "all") == 0)
        answer = "";
    /* All of it is read before anything is picked. */
    for (const char *p = answer; *p != '\0';)
        if (!read_range(&p, n, &from, &to))
            return err_set(e, ERR_USAGE, 0,
                           "write numbers of 1 to %zu, as in 1,3-5, or all", n);
    const char *p = answer;
    do {
        if (*p != '\0')
            (void)read_range(&p, n, &from, &to);
        for (size_t i = from; i <= to; i++)
            if (pick(ctx, i - 1, e) < 0)
                return -1;
    } while (*p != '\0');
    return 0;
}

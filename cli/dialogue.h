// SPDX-License-Identifier: Apache-2.0
/* Private to cli/. */
#ifndef CLI_DIALOGUE_H
#define CLI_DIALOGUE_H

/*
 * Questions that follow each other on a terminal.  Return takes what stands in
 * brackets, '?' explains, '<' goes back a step; an answer that cannot be taken
 * is told why, and the question comes again.  All of it is on stderr.
 */
#include "cli/cli.h"

struct cli_question {
    const char *text;  /* without the colon */
    const char *shown; /* what Return means; NULL: an answer is needed */
    const char *help;  /* for '?' */
    /* Takes an answer (never empty, no blanks around it).  What it fails with
     * is told, and the question comes again; but for ERR_CANCELLED and
     * ERR_NOMEM, which end the dialogue.  Return is not given to it. */
    int (*take)(void *ctx, const char *answer, struct err *e);
    void *ctx;
};

enum { CLI_ANSWERED, CLI_BACK, CLI_RETURN };

/* Asks until there is an answer.  CLI_ANSWERED: it was taken; CLI_RETURN: what
 * is shown holds; CLI_BACK: '<'; -1: ERR_USAGE (the input has ended),
 * ERR_CANCELLED, ERR_NOMEM. */
int cli_dialogue_ask(struct cli_ctx *c, const struct cli_question *q,
                     struct err *e) __attribute__((warn_unused_result));

/* Yes or no; *yes is what Return means. */
int cli_dialogue_yes(struct cli_ctx *c, const char *text, const char *help,
                     bool *yes, struct err *e)
    __attribute__((warn_unused_result));

/* "1,3-5" or "all": calls pick with each index below n, from 0 on. */
int cli_dialogue_numbers(const char *answer, size_t n,
                         int (*pick)(void *ctx, size_t i, struct err *e),
                         void *ctx, struct err *e)
    __attribute__((warn_unused_result));

/* A line of its own, cleaned; a paragraph, wrapped. */
void cli_tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_tell_text(const char *text);

#endif

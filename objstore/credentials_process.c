// SPDX-License-Identifier: Apache-2.0
/*
 * Keys that a program prints (credential_process of a profile).  AWS's tools
 * split its command line by shlex and run it without a shell; so do we.
 */
#include <string.h>

#include "base/io.h"
#include "base/process.h"
#include "objstore/credentials_source.h"

#define WORDS_MAX 64
/* A program may have to ask a server of its own. */
#define PROCESS_MS 60000

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Moves one word to *to, without its quotes, and ends it with a NUL; returns
 * where the next one may begin.  NULL: a quote or a backslash is left open. */
static const char *take_word(const char *from, char **to)
{
    char quote = '\0';

    for (; *from != '\0' && (quote != '\0' || !is_blank(*from)); from++) {
        if (quote == '\0' && (*from == '\'' || *from == '"')) {
            quote = *from;
        } else if (*from == quote) {
            quote = '\0';
        } else {
            bool escapes =
                *from == '\\' &&
                (quote == '\0' ||
                 (quote == '"' && (from[1] == '"' || from[1] == '\\')));
            if (escapes && *++from == '\0')
                return NULL;
            *(*to)++ = *from;
        }
    }
    if (quote != '\0')
        return NULL;
    if (*from != '\0')
        from++;
    *(*to)++ = '\0';
    return from;
}

int obj_credentials_split(char *text, const char **argv, size_t max,
                          struct err *e)
{
    const char *from = text;
    char *to = text; /* never overtakes from: words only get shorter */
    size_t n = 0;

    for (;;) {
        while (is_blank(*from))
            from++;
        if (*from == '\0')
            break;
        if (n == max)
            return err_set(e, ERR_CONFIG, 0, "more than %zu words", max);
        argv[n++] = to;
        from = take_word(from, &to);
        if (from == NULL)
            return err_set(e, ERR_CONFIG, 0,
                           "a quote or a backslash is left open");
    }
    argv[n] = NULL;
    if (n == 0 || argv[0][0] == '\0')
        return err_set(e, ERR_CONFIG, 0, "it names no program");
    return 0;
}

int obj_credentials_from_process(const char *command,
                                 const struct cancel *cancel,
                                 struct obj_credentials *out, struct err *e)
{
    AUTO_SECRET_BUF struct buf words = secret_buf(strlen(command) + 1);
    AUTO_SECRET_BUF struct buf answer = secret_buf(OBJ_CREDENTIALS_ANSWER_MAX);
    const char *argv[WORDS_MAX + 1] = { NULL };

    buf_append(&words, command, strlen(command) + 1);
    int r = buf_check(&words, e);
    if (r == 0)
        r = obj_credentials_split((char *)words.p, argv, WORDS_MAX, e);
    if (r == 0)
        r = process_run_secret(argv, PROCESS_MS, cancel, &answer, e);
    if (r < 0) {
        /* An answer without end, a program that is not there. */
        if (e->kind == ERR_CORRUPT || e->kind == ERR_NOTFOUND)
            e->kind = ERR_CONFIG;
        else if (e->kind == ERR_FAILED) /* it says no: "log in first" */
            e->kind = ERR_DENIED;
        return err_ctx(e, "credential_process");
    }
    if (obj_credentials_decode(buf_span(&answer), OBJ_CREDENTIALS_BY_PROCESS,
                               out, e) < 0)
        return err_ctx(e, "credential_process %s: its answer", argv[0]);
    return 0;
}

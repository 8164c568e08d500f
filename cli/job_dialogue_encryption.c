// SPDX-License-Identifier: Apache-2.0
/*
 * Step of the dialogue: how points are encrypted, and where the password is.  A
 * new one is typed once and kept in a file, which is made when all was asked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/job_dialogue.h"

/* A key server is spoken to at once: what cannot be reached is not chosen. */
static int take_encrypt(void *ctx, const char *answer, struct err *e)
{
    struct cli_job_draft *d = ctx;
    struct eng_job *j = d->j;
    char *was = STEAL(j->encrypt);
    char *password = STEAL(j->password);
    char *keyset = STEAL(j->keyset);

    if (cli_job_set(&j->encrypt, strcmp(answer, "-") == 0 ? "none" : answer,
                    e) == 0 &&
        cli_job_draft_check(d, e) == 0 &&
        cli_job_meet_key_server(d->c, j, e) == 0) {
        if (strcmp(j->encrypt, "none") != 0)
            j->keyset = STEAL(keyset);
        if (strcmp(j->encrypt, "password") == 0)
            j->password = STEAL(password);
        else
            cli_job_draft_forget(d);
        free(was);
        free(password);
        free(keyset);
        return 0;
    }
    free(j->encrypt);
    j->encrypt = was;
    j->password = password;
    j->keyset = keyset;
    return -1;
}

static int ask_encrypt(struct cli_job_draft *d, struct err *e)
{
    char **names = NULL;
    size_t n = 0;
    AUTO_BUF struct buf text = buf_init((size_t)1 << 16);

    if (eng_config_names(&d->c->home, "kms", &names, &n, e) < 0)
        return -1;
    buf_append_str(&text, "Encryption (none, password");
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, ", kms:%s", names[i]);
    buf_append_char(&text, ')');
    eng_config_names_free(names, n);
    const struct cli_question q = { .text = buf_cstr(&text),
                                    .shown = d->j->encrypt,
                                    .help = cli_option(CLI_OPT_ENCRYPT)->help,
                                    .take = take_encrypt,
                                    .ctx = d };
    return cli_dialogue_ask(d->c, &q, e);
}

/* --- where the password is --- */

#define COMMAND "command "

/* A file that is going to be made, by its whole path. */
static int new_file(struct cli_job_draft *d, const char *answer, struct err *e)
{
    const char *slash = strrchr(answer, '/');
    AUTO_MEM char *folder =
        slash == NULL ? io_format(e, ".")
                      : io_format(e, "%.*s/", (int)(slash - answer), answer);

    if (folder == NULL)
        return -1;
    AUTO_MEM char *real = realpath(folder, NULL);
    if (real == NULL)
        return err_set(e, err_of_errno(errno), errno, "%s", folder);
    free(d->password_file);
    d->password_file = io_join(real, slash != NULL ? slash + 1 : answer, e);
    return d->password_file != NULL ? 0 : -1;
}

/* A file that is not there yet may be made. */
static int take_place(void *ctx, const char *answer, struct err *e)
{
    struct cli_job_draft *d = ctx;
    bool command = strncmp(answer, COMMAND, strlen(COMMAND)) == 0;

    if (!command && access(answer, F_OK) < 0 && errno == ENOENT)
        return new_file(d, answer, e);
    int r = command
                ? cli_job_password_command(d->j, answer + strlen(COMMAND), e)
                : cli_job_password_file(d->j, answer, e);
    if (r < 0)
        return -1;
    char *place = STEAL(d->j->password);
    cli_job_draft_forget(d);
    d->j->password = place;
    return 0;
}

static int ask_place(struct cli_job_draft *d, struct err *e)
{
    const struct cli_question q = {
        .text = "Password file (or: command COMMAND)",
        .shown = d->j->password != NULL ? "as before" : NULL,
        .help = "The file that has the password, or the shell command that "
                "prints it.  The job keeps its place, and never the password: "
                "it runs when nobody can be asked.  A file that is not there "
                "can be made, with a password that you type.",
        .take = take_place,
        .ctx = d,
    };
    return cli_dialogue_ask(d->c, &q, e);
}

/* The password of a new file, typed twice; 1: they differ, or there is none. */
static int ask_password(struct cli_job_draft *d, struct err *e)
{
    AUTO_SECRET struct secret *again = NULL;

    if (cli_ask_secret(d->c, "New password", &d->password, e) < 0)
        return -1;
    if (d->password != NULL &&
        cli_ask_secret(d->c, "The same again", &again, e) < 0)
        return -1;
    if (again != NULL && span_eq(secret_span(again), secret_span(d->password)))
        return cli_job_password_place(d->j, d->password_file, e);
    cli_tell("%s", d->password == NULL ? "No password was typed."
                                       : "The two passwords differ.");
    return 1;
}

static int ask_password_place(struct cli_job_draft *d, struct err *e)
{
    for (;;) {
        bool make = false;
        int r = ask_place(d, e);
        if (r != CLI_ANSWERED || d->password_file == NULL)
            return r;
        r = cli_dialogue_yes(d->c,
                             "There is no such file: make it, with a password "
                             "that you type",
                             "The file is made when the dialogue is finished, "
                             "and only you can read it.",
                             &make, e);
        if (r < 0 || r == CLI_BACK)
            return r;
        r = make ? ask_password(d, e) : 1;
        if (r <= 0)
            return r;
        cli_job_draft_forget(d);
    }
}

void cli_job_draft_forget(struct cli_job_draft *d)
{
    if (d->password_file != NULL) { /* the job may name it */
        free(d->j->password);
        d->j->password = NULL;
    }
    secret_free(d->password);
    d->password = NULL;
    free(d->password_file);
    d->password_file = NULL;
}

int cli_job_draft_write(const struct cli_job_draft *d, struct err *e)
{
    if (d->password == NULL)
        return 0;
    return io_write_file(d->password_file, secret_span(d->password), 0600, true,
                         e);
}

int cli_job_step_encryption(struct cli_job_draft *d, struct err *e)
{
    const struct cli_job_text keyset = { .member = &d->j->keyset,
                                         .text = "Keyset",
                                         .unset = "default",
                                         .opt = CLI_OPT_KEYSET };
    int r = ask_encrypt(d, e);
    if (r < 0 || r == CLI_BACK || strcmp(d->j->encrypt, "none") == 0)
        return r;
    if (strcmp(d->j->encrypt, "password") == 0) {
        r = ask_password_place(d, e);
        if (r < 0 || r == CLI_BACK)
            return r;
    }
    return cli_job_ask_text(d, &keyset, e);
}

// SPDX-License-Identifier: Apache-2.0
/* A job as the options of job create say it. */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "cli/job.h"
#include "cli/unlock.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    enum cli_opt opt;
    size_t offset; /* of a char * */
} texts[] = {
    { CLI_OPT_DESCRIPTION, offsetof(struct eng_job, description) },
    { CLI_OPT_REPO, offsetof(struct eng_job, repo) },
    { CLI_OPT_RETENTION, offsetof(struct eng_job, retention) },
    { CLI_OPT_GFS, offsetof(struct eng_job, gfs) },
    { CLI_OPT_JOB_TIMEZONE, offsetof(struct eng_job, timezone) },
    { CLI_OPT_METHOD, offsetof(struct eng_job, method) },
    { CLI_OPT_ACTIVE_FULL, offsetof(struct eng_job, active_full) },
    { CLI_OPT_SYNTHETIC_WHEN, offsetof(struct eng_job, synthetic_full) },
    { CLI_OPT_COMPRESSION, offsetof(struct eng_job, compression) },
    { CLI_OPT_ENCRYPT, offsetof(struct eng_job, encrypt) },
    { CLI_OPT_KEYSET, offsetof(struct eng_job, keyset) },
    { CLI_OPT_GUEST, offsetof(struct eng_job, guest.mode) },
    { CLI_OPT_GUEST_CREDENTIALS, offsetof(struct eng_job, guest.credentials) },
    { CLI_OPT_GUEST_LOGS, offsetof(struct eng_job, guest.logs) },
    { CLI_OPT_SCHEDULE, offsetof(struct eng_job, schedule) },
    { CLI_OPT_RETRIES, offsetof(struct eng_job, retries) },
    { CLI_OPT_NOTIFY_ON, offsetof(struct eng_job, notify_on) },
    { CLI_OPT_WEBHOOK, offsetof(struct eng_job, webhook) },
    { CLI_OPT_MAIL_TO, offsetof(struct eng_job, mail_to) },
    { CLI_OPT_MAIL_FROM, offsetof(struct eng_job, mail_from) },
};

static const struct {
    enum cli_opt opt;
    size_t offset; /* of a struct eng_texts */
} lists[] = {
    { CLI_OPT_JOB_VM, offsetof(struct eng_job, vms) },
    { CLI_OPT_CONTAINER, offsetof(struct eng_job, containers) },
    { CLI_OPT_EXCLUDE_VM, offsetof(struct eng_job, exclude_vms) },
    { CLI_OPT_EXCLUDE_DISK, offsetof(struct eng_job, exclude_disks) },
    { CLI_OPT_DISKS, offsetof(struct eng_job, disks) },
}, commands[] = {
    { CLI_OPT_BEFORE, offsetof(struct eng_job, before) },
    { CLI_OPT_AFTER, offsetof(struct eng_job, after) },
    { CLI_OPT_MAIL_COMMAND, offsetof(struct eng_job, mail) },
};

int cli_job_set(char **member, const char *text, struct err *e)
{
    char *copy = text != NULL ? io_format(e, "%s", text) : NULL;

    if (text != NULL && copy == NULL)
        return -1;
    free(*member);
    *member = copy;
    return 0;
}

/* --- where the password is --- */

static int keep_password_place(struct eng_job *j, struct buf *json,
                               struct err *e)
{
    if (buf_check(json, e) < 0)
        return -1;
    return cli_job_set(&j->password, buf_cstr(json), e);
}

int cli_job_password_place(struct eng_job *j, const char *path, struct err *e)
{
    AUTO_BUF struct buf json = buf_init(8192);
    struct jsonw w = jsonw_init(&json, false);

    jsonw_object(&w);
    jsonw_kstring(&w, "file", path);
    jsonw_end_object(&w);
    return keep_password_place(j, &json, e);
}

int cli_job_password_file(struct eng_job *j, const char *path, struct err *e)
{
    /* It is named for good: from wherever the program is started. */
    AUTO_MEM char *real = realpath(path, NULL);
    if (real == NULL)
        return err_set(e, ERR_NOTFOUND, 0,
                       "password file %s: there is no such file", path);
    struct secret *password = cli_unlock_from_file(real, e);
    if (password == NULL)
        return -1;
    secret_free(password);
    return cli_job_password_place(j, real, e);
}

int cli_job_password_command(struct eng_job *j, const char *command,
                             struct err *e)
{
    AUTO_BUF struct buf json = buf_init(8192);
    struct jsonw w = jsonw_init(&json, false);

    jsonw_object(&w);
    jsonw_key(&w, "command");
    jsonw_array(&w);
    jsonw_string(&w, "/bin/sh");
    jsonw_string(&w, "-c");
    jsonw_string(&w, command);
    jsonw_end_array(&w);
    jsonw_end_object(&w);
    return keep_password_place(j, &json, e);
}

static int read_password_place(struct cli_ctx *c, struct eng_job *j,
                               struct err *e)
{
    const char *file = cli_text(c, CLI_OPT_JOB_PASSWORD_FILE);
    const char *command = cli_text(c, CLI_OPT_JOB_PASSWORD_COMMAND);

    if (file != NULL && command != NULL)
        return err_set(e, ERR_USAGE, 0,
                       "--password-file and --password-command exclude each "
                       "other");
    if (file != NULL)
        return cli_job_password_file(j, file, e);
    if (command != NULL)
        return cli_job_password_command(j, command, e);
    if (j->encrypt != NULL && strcmp(j->encrypt, "password") == 0)
        return err_set(e, ERR_USAGE, 0,
                       "--encrypt password needs --password-file or "
                       "--password-command: a job runs when nobody can be "
                       "asked");
    return 0;
}

/* --- guests --- */

/* One of "credentials=NAME" and "logs=HOW". */
static int read_guest_part(const char *part, struct eng_guest *g, struct err *e)
{
    if (strncmp(part, "credentials=", 12) == 0 && g->credentials == NULL)
        return cli_job_set(&g->credentials, part + 12, e);
    if (strncmp(part, "logs=", 5) == 0 && g->logs == NULL)
        return cli_job_set(&g->logs, part + 5, e);
    return err_set(e, ERR_USAGE, 0,
                   "\"%.80s\": behind the mode there may be credentials=NAME "
                   "and logs=HOW, each once",
                   part);
}

/* text is taken apart. */
static int read_guest(char *text, struct eng_guest_of *g, struct err *e)
{
    char *rest = NULL;
    char *head = strtok_r(text, ",", &rest);
    char *mode = head != NULL ? strrchr(head, '=') : NULL;

    if (mode == NULL)
        return err_set(e, ERR_USAGE, 0,
                       "write SOURCE:NAME=MODE, as in lab:db1=require");
    *mode = '\0';
    if (cli_job_set(&g->vm, head, e) < 0 ||
        cli_job_set(&g->guest.mode, mode + 1, e) < 0)
        return -1;
    for (char *p = strtok_r(NULL, ",", &rest); p != NULL;
         p = strtok_r(NULL, ",", &rest))
        if (read_guest_part(p, &g->guest, e) < 0)
            return -1;
    return 0;
}

int cli_job_add_guest(struct eng_job *j, const char *text, struct err *e)
{
    AUTO_MEM char *copy = io_format(e, "%s", text);

    if (copy == NULL)
        return -1;
    struct eng_guest_of *more =
        reallocarray(j->guests, j->n_guests + 1, sizeof *more);
    if (more == NULL)
        return err_nomem(e);
    j->guests = more;
    more[j->n_guests] = (struct eng_guest_of){ 0 };
    return read_guest(copy, &more[j->n_guests++], e);
}

/* --- all of it --- */

/* A shell command, as a program with its arguments. */
static int add_command(struct eng_texts *argv, const char *command,
                       struct err *e)
{
    if (eng_texts_add(argv, "/bin/sh", e) < 0 ||
        eng_texts_add(argv, "-c", e) < 0)
        return -1;
    return eng_texts_add(argv, command, e);
}

static int read_lists(struct cli_ctx *c, struct eng_job *j, struct err *e)
{
    for (size_t i = 0; i < COUNT(lists); i++) {
        size_t n = 0;
        const char *const *given = cli_texts(c, lists[i].opt, &n);
        for (size_t k = 0; k < n; k++)
            if (eng_texts_add((void *)((char *)j + lists[i].offset), given[k],
                              e) < 0)
                return -1;
    }
    for (size_t i = 0; i < COUNT(commands); i++)
        if (cli_given(c, commands[i].opt) &&
            add_command((void *)((char *)j + commands[i].offset),
                        cli_text(c, commands[i].opt), e) < 0)
            return -1;
    return 0;
}

/* Where one repository is configured it is meant. */
static int choose_repo(struct cli_ctx *c, struct eng_job *j, struct err *e)
{
    char **names = NULL;
    size_t n = 0;
    int r = 0;
    AUTO_BUF struct buf list = buf_init(400);

    if (j->repo != NULL)
        return 0;
    if (eng_config_names(&c->home, "repos", &names, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
    if (n == 0)
        r = err_set(e, ERR_USAGE, 0,
                    "no repository is configured; see objvault repo create");
    else if (n > 1)
        r = err_set(e, ERR_USAGE, 0,
                    "several repositories are configured: say --repo with one "
                    "of %s",
                    buf_cstr(&list));
    else
        r = cli_job_set(&j->repo, names[0], e);
    eng_config_names_free(names, n);
    return r;
}

int cli_job_from_options(struct cli_ctx *c, struct eng_job *j, struct err *e)
{
    size_t n = 0;
    const char *const *guests = cli_texts(c, CLI_OPT_GUEST_VM, &n);

    if (cli_job_set(&j->name, c->call->args[0], e) < 0)
        return -1;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (cli_given(c, texts[i].opt) &&
            cli_job_set((void *)((char *)j + texts[i].offset),
                        cli_text(c, texts[i].opt), e) < 0)
            return -1;
    if (read_lists(c, j, e) < 0 || read_password_place(c, j, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (cli_job_add_guest(j, guests[i], e) < 0)
            return err_ctx(e, "--guest-vm \"%.200s\"", guests[i]);
    j->block_size = cli_number(c, CLI_OPT_JOB_BLOCK_SIZE);
    j->limit_upload = cli_number(c, CLI_OPT_LIMIT_UPLOAD);
    j->parallel = cli_number(c, CLI_OPT_PARALLEL);
    j->deleted_vms_s = (int64_t)cli_number(c, CLI_OPT_DELETED_VMS_AFTER);
    j->disabled = cli_given(c, CLI_OPT_DISABLED);
    return choose_repo(c, j, e);
}

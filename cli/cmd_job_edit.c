// SPDX-License-Identifier: Apache-2.0
/*
 * job edit: a private copy in an editor, which becomes the job's file once it
 * is well.  Nothing that somebody wrote is lost: a copy that is not taken over
 * stays.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/job.h"
#include "engine/job/job_edit.h"

#define FILE_MAX ((size_t)1 << 20)

struct editing {
    struct cli_ctx *c;
    const char *name;
    char *folder, *path; /* of the copy; owned */
    struct buf was;      /* the job's file */
    struct buf text;     /* the copy, as it was read last */
};

static void editing_fini(struct editing *x)
{
    buf_free(&x->was);
    buf_free(&x->text);
    free(x->folder);
    free(x->path);
}

static void remove_copy(const struct editing *x)
{
    (void)unlink(x->path);
    (void)rmdir(x->folder);
}

static int make_copy(struct editing *x, struct err *e)
{
    const char *tmp = getenv("TMPDIR");

    x->folder = io_join(tmp != NULL && tmp[0] == '/' ? tmp : "/tmp",
                        "objvault-XXXXXX", e);
    if (x->folder == NULL)
        return -1;
    if (mkdtemp(x->folder) == NULL)
        return err_set(e, err_of_errno(errno), errno, "%s", x->folder);
    x->path = io_format(e, "%s/%s.json", x->folder, x->name);
    if (x->path == NULL)
        return -1;
    return io_write_file(x->path, buf_span(&x->was), 0600, true, e);
}

/* --- the editor --- */

/* With the signals as they were when this program was started. */
static int start(const char *editor, char *path, pid_t *pid)
{
    static char shell[] = "sh";
    static char option[] = "-c";
    posix_spawnattr_t attr;
    sigset_t none;
    sigset_t all;
    char *script = NULL;

    if (asprintf(&script, "%s \"$1\"", editor) < 0)
        return ENOMEM;
    char *argv[] = { shell, option, script, shell, path, NULL };
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int r = posix_spawnattr_init(&attr);
    if (r == 0) {
        (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF);
        (void)posix_spawnattr_setsigmask(&attr, &none);
        (void)posix_spawnattr_setsigdefault(&attr, &all);
        r = posix_spawn(pid, "/bin/sh", NULL, &attr, argv, environ);
        (void)posix_spawnattr_destroy(&attr);
    }
    free(script);
    return r;
}

static int run_editor(const struct editing *x, struct err *e)
{
    const char *editor = getenv("VISUAL");
    pid_t pid = 0;
    int status = 0;

    if (editor == NULL || editor[0] == '\0')
        editor = getenv("EDITOR");
    if (editor == NULL || editor[0] == '\0')
        editor = "vi";
    int r = start(editor, x->path, &pid);
    if (r != 0)
        return err_set(e, ERR_FAILED, r, "start the editor %s", editor);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(e, ERR_FAILED, errno, "wait for %s", editor);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(e, ERR_FAILED, 0, "the editor (%s) failed", editor);
    return cancel_check(x->c->cancel, e);
}

/* --- what was written --- */

/* A key server that is chosen now must answer now. */
static int check_key_server(const struct editing *x, const struct eng_job *j,
                            struct err *e)
{
    AUTO_ENG_JOB struct eng_job old = { 0 };
    struct err ignored = { 0 };

    if (j->encrypt == NULL)
        return 0;
    if (eng_job_load(&x->c->home, x->name, &old, &ignored) == 0 &&
        old.encrypt != NULL && strcmp(old.encrypt, j->encrypt) == 0)
        return 0;
    return cli_job_meet_key_server(x->c, j, e);
}

static int check(struct editing *x, struct eng_job *j, bool *warned,
                 struct err *e)
{
    if (eng_job_read(x->path, x->name, j, e) < 0)
        return -1;
    if (eng_job_check_home(&x->c->home, j, e) < 0)
        return err_ctx(e, "%s", x->path);
    if (check_key_server(x, j, e) < 0)
        return -1;
    return cli_job_warn(x->c, j, warned, e);
}

static bool wants_again(struct cli_ctx *c)
{
    struct err e = { 0 };
    AUTO_BUF struct buf answer = buf_init(8);

    return cli_ask_line(c, "Edit again? [yes]", &answer, &e) == 0 &&
           (answer.len == 0 || strncasecmp(buf_cstr(&answer), "y", 1) == 0);
}

/* Edits until the copy is well.  1: it is as it was. */
static int edit(struct editing *x, struct eng_job *j, bool *warned,
                struct err *e)
{
    for (;;) {
        if (run_editor(x, e) < 0)
            return -1;
        buf_reset(&x->text);
        if (io_read_file(x->path, &x->text, e) < 0)
            return -1;
        if (span_eq(buf_span(&x->text), buf_span(&x->was)))
            return 1;
        if (check(x, j, warned, e) == 0)
            return 0;
        if (e->kind == ERR_CANCELLED || !cli_may_ask())
            return -1;
        cli_error_line(e);
        if (!wants_again(x->c))
            return -1;
        eng_job_fini(j);
        *e = (struct err){ 0 };
    }
}

/* True where the copy is no more as it was made. */
static bool is_written(struct editing *x)
{
    struct err ignored = { 0 };

    buf_reset(&x->text);
    return io_read_file(x->path, &x->text, &ignored) < 0 ||
           !span_eq(buf_span(&x->text), buf_span(&x->was));
}

int cli_job_edit(struct cli_ctx *c, struct err *e)
{
    AUTO(editing_fini)
    struct editing x = { .c = c,
                         .name = c->call->args[0],
                         .was = buf_init(FILE_MAX),
                         .text = buf_init(FILE_MAX) };
    AUTO_ENG_JOB struct eng_job j = { 0 };
    bool warned = false;

    if (eng_job_file(&c->home, x.name, &x.was, e) < 0)
        return -1;
    if (make_copy(&x, e) < 0)
        return -1;
    int r = edit(&x, &j, &warned, e);
    if (r == 0)
        r = eng_job_file_replace(&c->home, x.name, buf_span(&x.was),
                                 buf_span(&x.text), e);
    if (r < 0 && is_written(&x))
        return err_hint(e, "the job is as it was, and what you wrote is in %s",
                        x.path);
    remove_copy(&x);
    if (r < 0)
        return -1;
    cli_say(c, "job %s is %s", x.name, r == 1 ? "as it was" : "changed");
    if (c->json && r == 1 && eng_job_load(&c->home, x.name, &j, e) < 0)
        return -1;
    if (c->json && cli_job_document(c, &j, e) < 0)
        return -1;
    return warned ? 3 : 0;
}

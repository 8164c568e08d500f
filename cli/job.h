// SPDX-License-Identifier: Apache-2.0
/* Private to cli/. */
#ifndef CLI_JOB_H
#define CLI_JOB_H

/* Jobs on the command line: how one is made, by options or by a dialogue, and
 * how one is shown. */
#include "cli/cli.h"
#include "engine/job/job.h"
#include "engine/job/selection.h"

/* --- job_look.c: what the sources have now --- */

struct cli_job_sources {
    struct cli_job_source {
        char *name;
        struct eng_inventory *inventory; /* NULL: could not be looked at ... */
        char *problem;                   /* ... and why */
    } * v;
    size_t n;
};
/* Looks at the sources of these names, each once.  One that cannot be looked at
 * is no error. */
int cli_job_sources_look(struct cli_ctx *c, const char *const *names, size_t n,
                         struct cli_job_sources *out, struct err *e)
    __attribute__((warn_unused_result));
void cli_job_sources_fini(struct cli_job_sources *s); /* zeroed is fine */
#define AUTO_CLI_JOB_SOURCES AUTO(cli_job_sources_fini)

/* A VM or container that the job names and its source does not have:
 * ERR_NOTFOUND, with the names that look like it. */
int cli_job_look_up(const struct eng_job *j, const struct cli_job_sources *s,
                    struct err *e) __attribute__((warn_unused_result));
/* What the job selects of that. */
int cli_job_select(const struct eng_job *j, const struct cli_job_sources *s,
                   struct eng_selection *out, struct err *e)
    __attribute__((warn_unused_result));

/* --- job_words.c: a job as people and programs read it --- */

/* Appends lines "Name:    value" that say what the job does. */
void cli_job_summary(const struct eng_job *j, struct buf *out);
/* The document of one job. */
int cli_job_document(struct cli_ctx *c, const struct eng_job *j, struct err *e)
    __attribute__((warn_unused_result));

#define CLI_MOMENT_CHARS 64
/* A moment on the clocks of a zone: "2026-11-22 23:00:00 +01:00", or for
 * programs "2026-11-22T23:00:00+01:00". */
void cli_moment_text(const struct eng_zone *z, int64_t t, bool program,
                     char out[CLI_MOMENT_CHARS]);

/* When a job runs next by itself.  *at: 0 where no moment can be said, and
 * `why` (for people: "by hand only", "after nightly", "disabled", "whenever its
 * last run has ended") says why. */
int cli_job_next_moment(const struct eng_job *j, int64_t after, int64_t *at,
                        struct buf *why, struct err *e)
    __attribute__((warn_unused_result));

/* --- job_options.c --- */

/* Fills a zeroed job with what the options say. */
int cli_job_from_options(struct cli_ctx *c, struct eng_job *j, struct err *e)
    __attribute__((warn_unused_result));
/* Adds VM=MODE[,credentials=NAME][,logs=HOW]. */
int cli_job_add_guest(struct eng_job *j, const char *text, struct err *e)
    __attribute__((warn_unused_result));
/* Keeps where the password is: a file that holds one now, or a shell command.
 * The password itself is looked at and forgotten. */
int cli_job_password_file(struct eng_job *j, const char *path, struct err *e)
    __attribute__((warn_unused_result));
/* The same of a file that need not be there yet; path: absolute. */
int cli_job_password_place(struct eng_job *j, const char *path, struct err *e)
    __attribute__((warn_unused_result));
int cli_job_password_command(struct eng_job *j, const char *command,
                             struct err *e) __attribute__((warn_unused_result));
/* Copies; text NULL: the member becomes NULL. */
int cli_job_set(char **member, const char *text, struct err *e)
    __attribute__((warn_unused_result));

/* --- cmd_job_create.c --- */

/* Speaks to the key server that the job names, if it does.  ERR_UNREACHABLE,
 * ... */
int cli_job_meet_key_server(struct cli_ctx *c, const struct eng_job *j,
                            struct err *e) __attribute__((warn_unused_result));
/* Looks at what the job selects now, and says what a run would warn of. */
int cli_job_warn(struct cli_ctx *c, const struct eng_job *j, bool *warned,
                 struct err *e) __attribute__((warn_unused_result));
/* All that must hold before a new job is saved.  *warned: something was said on
 * stderr that needs attention. */
int cli_job_check_new(struct cli_ctx *c, const struct eng_job *j, bool *warned,
                      struct err *e) __attribute__((warn_unused_result));

/* --- cmd_job_run.c --- */

/* Runs a job that is configured, as the options say, and shows what became of
 * it; the exit code. */
int cli_job_run_named(struct cli_ctx *c, const char *name, struct err *e)
    __attribute__((warn_unused_result));

/* --- job_dialogue.c --- */

/* Asks for a new job, step by step, and checks it; *run: whether it shall run
 * at once; *warned as above.  ERR_USAGE: the input has ended. */
int cli_job_dialogue(struct cli_ctx *c, struct eng_job *j, bool *run,
                     bool *warned, struct err *e)
    __attribute__((warn_unused_result));

#endif

// SPDX-License-Identifier: Apache-2.0
/* Private to cli/job_dialogue*.c. */
#ifndef CLI_JOB_DIALOGUE_H
#define CLI_JOB_DIALOGUE_H

#include "cli/dialogue.h"
#include "cli/job.h"

struct cli_job_draft {
    struct cli_ctx *c;
    struct eng_job *j;              /* what was answered so far */
    struct cli_job_sources sources; /* all that are configured */
    char **repos;                   /* names, owned */
    size_t n_repos;
    bool automatic; /* it runs by a schedule */
    bool run, warned;
    char *password_file;     /* that is not there yet; owned, or NULL */
    struct secret *password; /* what it is going to hold; owned */
};

/* Whether the job holds as far as it is known. */
int cli_job_draft_check(const struct cli_job_draft *d, struct err *e)
    __attribute__((warn_unused_result));

/* Asks for the text of a member.  unset: what NULL means, in brackets and as a
 * word; NULL: an answer is needed.  '-' makes it NULL.  help: of this option,
 * unless said.  Answers as cli_dialogue_ask. */
struct cli_job_text {
    char **member;
    const char *text, *unset, *help;
    enum cli_opt opt;
};
int cli_job_ask_text(struct cli_job_draft *d, const struct cli_job_text *t,
                     struct err *e) __attribute__((warn_unused_result));

/* Asks for entries of a list until Return; '-' empties it. */
int cli_job_ask_list(struct cli_job_draft *d, struct eng_texts *list,
                     const char *text, enum cli_opt opt, struct err *e)
    __attribute__((warn_unused_result));

/* The steps that job_dialogue_vms.c has.  CLI_ANSWERED, CLI_BACK or -1. */
int cli_job_step_vms(struct cli_job_draft *d, struct err *e)
    __attribute__((warn_unused_result));
int cli_job_step_exclusions(struct cli_job_draft *d, struct err *e)
    __attribute__((warn_unused_result));
/* ... and job_dialogue_storage.c. */
int cli_job_step_storage(struct cli_job_draft *d, struct err *e)
    __attribute__((warn_unused_result));
int cli_job_step_advanced(struct cli_job_draft *d, struct err *e)
    __attribute__((warn_unused_result));
/* ... and job_dialogue_encryption.c. */
int cli_job_step_encryption(struct cli_job_draft *d, struct err *e)
    __attribute__((warn_unused_result));
/* Forgets a password that was typed, and the job's place of it; writes the file
 * that is to hold it, if there is one. */
void cli_job_draft_forget(struct cli_job_draft *d);
int cli_job_draft_write(const struct cli_job_draft *d, struct err *e)
    __attribute__((warn_unused_result));

#endif

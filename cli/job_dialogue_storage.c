// SPDX-License-Identifier: Apache-2.0
/* Steps of the dialogue: where points go, and how they are made. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/units.h"
#include "cli/job_dialogue.h"

/* --- Storage --- */

static void show_repos(const struct cli_job_draft *d)
{
    AUTO_CLI_TABLE struct cli_table t = { .align = "rlll" };
    AUTO_BUF struct buf text = buf_init((size_t)1 << 20);

    for (size_t i = 0; i < d->n_repos; i++) {
        AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };
        struct err problem = { 0 };
        bool ok =
            eng_config_repo_load(&d->c->home, d->repos[i], &r, &problem) == 0;
        cli_table_add(&t, "%zu", i + 1);
        cli_table_add(&t, "%s", d->repos[i]);
        cli_table_add(&t, "%s", ok ? r.url : "(wrong configuration)");
        cli_table_add(&t, "%s",
                      !ok                           ? ""
                      : eng_config_repo_is_file(&r) ? "directory"
                                                    : "object "
                                                      "storage");
    }
    cli_table_print(&t, &text);
    (void)fprintf(stderr, "%s", buf_cstr(&text));
}

/* The entry of a list that an answer means: its number or its name. */
static const char *entry_of(char *const *names, size_t n, const char *answer)
{
    char *end = NULL;
    unsigned long number = strtoul(answer, &end, 10);

    if (isdigit((unsigned char)answer[0]) && *end == '\0' && number >= 1 &&
        number <= n)
        return names[number - 1];
    return answer;
}

static int take_repo(void *ctx, const char *answer, struct err *e)
{
    const struct cli_job_draft *d = ctx;
    struct eng_job *j = d->j;
    char *was = STEAL(j->repo);
    char *synthetic = STEAL(j->synthetic_full); /* may not be possible there */

    if (cli_job_set(&j->repo, entry_of(d->repos, d->n_repos, answer), e) == 0 &&
        cli_job_draft_check(d, e) == 0) {
        if (was != NULL && strcmp(was, j->repo) == 0)
            j->synthetic_full = STEAL(synthetic);
        free(was);
        free(synthetic);
        return 0;
    }
    free(j->repo);
    j->repo = was;
    j->synthetic_full = synthetic;
    return -1;
}

static int ask_repo(struct cli_job_draft *d, struct err *e)
{
    const struct cli_question q = {
        .text = "Backup repository, by number or name",
        .shown = d->j->repo != NULL ? d->j->repo
                 : d->n_repos == 1  ? d->repos[0]
                                    : NULL,
        .help = "Where the points of the job are kept.  objvault repo create "
                "and repo attach configure more of them.",
        .take = take_repo,
        .ctx = d,
    };

    show_repos(d);
    int r = cli_dialogue_ask(d->c, &q, e);
    if (r == CLI_RETURN && d->j->repo == NULL)
        return cli_job_set(&d->j->repo, d->repos[0], e);
    return r;
}

/* Days may be written without their unit. */
static int take_days(void *ctx, const char *answer, struct err *e)
{
    const struct cli_job_draft *d = ctx;
    bool none = strcmp(answer, "-") == 0 || strcmp(answer, "none") == 0;

    if (none) { /* and what stands on it */
        if (cli_job_set(&d->j->gfs, NULL, e) < 0)
            return -1;
        return cli_job_set(&d->j->retention, NULL, e);
    }
    char *was = STEAL(d->j->retention);
    bool bare = answer[strspn(answer, "0123456789")] == '\0';
    AUTO_MEM char *text = io_format(e, "%s%s", answer, bare ? "d" : "");

    if (text != NULL && cli_job_set(&d->j->retention, text, e) == 0 &&
        cli_job_draft_check(d, e) == 0) {
        free(was);
        return 0;
    }
    free(d->j->retention);
    d->j->retention = was;
    return -1;
}

int cli_job_step_storage(struct cli_job_draft *d, struct err *e)
{
    const struct cli_question days = {
        .text = "Days to keep points (none: until they are deleted by hand)",
        .shown = d->j->retention != NULL ? d->j->retention : "none",
        .help = cli_option(CLI_OPT_RETENTION)->help,
        .take = take_days,
        .ctx = d,
    };
    const struct cli_job_text gfs = {
        .member = &d->j->gfs,
        .text = "Weekly, monthly and yearly points (GFS), such as "
                "weekly=4,monthly=12,yearly=3",
        .unset = "none",
        .opt = CLI_OPT_GFS,
    };
    int r = ask_repo(d, e);
    if (r < 0 || r == CLI_BACK)
        return r;
    r = cli_dialogue_ask(d->c, &days, e);
    if (r < 0 || r == CLI_BACK || d->j->retention == NULL)
        return r;
    return cli_job_ask_text(d, &gfs, e);
}

/* --- Advanced --- */

/* Tells why there are no synthetic fulls here, in the words of the check; true
 * where there are. */
static bool offers_synthetic(const struct cli_job_draft *d)
{
    static char sunday[] = "sun";
    struct eng_job j = *d->j; /* borrows */
    struct err why = { 0 };

    j.synthetic_full = sunday;
    if (eng_job_check_home(&d->c->home, &j, &why) == 0)
        return true;
    cli_tell("Synthetic fulls are not offered: %s.", why.msg);
    return false;
}

static int take_block_size(void *ctx, const char *answer, struct err *e)
{
    const struct cli_job_draft *d = ctx;
    uint64_t was = d->j->block_size;

    if (strcmp(answer, "-") == 0) {
        d->j->block_size = 0;
        return 0;
    }
    if (!units_parse_size(answer, &d->j->block_size)) {
        d->j->block_size = was;
        return err_set(e, ERR_USAGE, 0,
                       "\"%.60s\" is not a size such as 512K or 4M", answer);
    }
    if (cli_job_draft_check(d, e) == 0)
        return 0;
    d->j->block_size = was;
    return -1;
}

static int ask_block_size(struct cli_job_draft *d, struct err *e)
{
    char size[UNITS_TEXT_CHARS];
    const struct cli_question q = {
        .text = "Block size",
        .shown = d->j->block_size != 0 ? size : "the repository's",
        .help = cli_option(CLI_OPT_JOB_BLOCK_SIZE)->help,
        .take = take_block_size,
        .ctx = d,
    };

    units_format_size(d->j->block_size, size);
    return cli_dialogue_ask(d->c, &q, e);
}

int cli_job_step_advanced(struct cli_job_draft *d, struct err *e)
{
    struct eng_job *j = d->j;
    const struct cli_job_text texts[] = {
        { .member = &j->method,
          .text = "Backup method",
          .unset = "forward",
          .opt = CLI_OPT_METHOD },
        { .member = &j->synthetic_full,
          .text = "Synthetic fulls on, such as sat or monthly last sun",
          .unset = "none",
          .opt = CLI_OPT_SYNTHETIC_WHEN },
        { .member = &j->active_full,
          .text = "Active fulls on, such as sat or monthly last sun",
          .unset = "none",
          .opt = CLI_OPT_ACTIVE_FULL },
        { .member = &j->compression,
          .text = "Compression (none, fast, optimal, high, extreme)",
          .unset = "optimal",
          .opt = CLI_OPT_COMPRESSION },
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].member == &j->synthetic_full && !offers_synthetic(d))
            continue;
        int r = cli_job_ask_text(d, &texts[i], e);
        if (r < 0 || r == CLI_BACK)
            return r;
    }
    return ask_block_size(d, e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * job create without options: a new job, step by step.  Each answer is checked
 * as it comes, by the checks that hold for a job's file, so that the dialogue
 * knows no rule of its own.
 */
#include "cli/job_dialogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utc.h"

/* --- answers that are members of the job --- */

int cli_job_draft_check(const struct cli_job_draft *d, struct err *e)
{
    static char name[] = "job";
    static char everything[] = "source:";
    static char *all[] = { everything };
    struct eng_job j = *d->j; /* borrows */
    bool selects = j.vms.n + j.containers.n > 0;
    bool whole = selects && j.name != NULL && j.repo != NULL;

    if (j.name == NULL)
        j.name = name;
    if (j.repo == NULL)
        j.repo = name;
    if (!selects)
        j.containers = (struct eng_texts){ .v = all, .n = 1 };
    if (eng_job_check(&j, e) < 0)
        return -1;
    return whole ? eng_job_check_home(&d->c->home, &j, e) : 0;
}

struct taking {
    const struct cli_job_draft *d;
    const struct cli_job_text *t;
};

static bool means_unset(const struct cli_job_text *t, const char *answer)
{
    return t->unset != NULL &&
           (strcmp(answer, "-") == 0 || strcasecmp(answer, t->unset) == 0);
}

static int take_text(void *ctx, const char *answer, struct err *e)
{
    const struct taking *x = ctx;
    char **member = x->t->member;
    char *was = STEAL(*member);
    const char *text = means_unset(x->t, answer) ? NULL : answer;

    if (cli_job_set(member, text, e) == 0 &&
        cli_job_draft_check(x->d, e) == 0) {
        free(was);
        return 0;
    }
    free(*member);
    *member = was;
    return -1;
}

static int ask_text(const struct cli_job_draft *d, const struct cli_job_text *t,
                    int (*take)(void *ctx, const char *answer, struct err *e),
                    struct err *e)
{
    struct taking x = { d, t };
    const struct cli_question q = {
        .text = t->text,
        .shown = *t->member != NULL ? *t->member : t->unset,
        .help = t->help != NULL ? t->help : cli_option(t->opt)->help,
        .take = take,
        .ctx = &x,
    };
    return cli_dialogue_ask(d->c, &q, e);
}

int cli_job_ask_text(struct cli_job_draft *d, const struct cli_job_text *t,
                     struct err *e)
{
    return ask_text(d, t, take_text, e);
}

struct adding {
    const struct cli_job_draft *d;
    struct eng_texts *list;
};

static void drop_last(struct eng_texts *list)
{
    free(list->v[--list->n]);
    list->v[list->n] = NULL;
}

static int take_entry(void *ctx, const char *answer, struct err *e)
{
    const struct adding *x = ctx;

    if (strcmp(answer, "-") == 0) {
        while (x->list->n > 0)
            drop_last(x->list);
        return 0;
    }
    if (eng_texts_add(x->list, answer, e) < 0)
        return -1;
    if (cli_job_draft_check(x->d, e) == 0)
        return 0;
    drop_last(x->list);
    return -1;
}

/* Asks the same until Return; *n: how many answers there are. */
static int ask_until_return(const struct cli_job_draft *d,
                            struct cli_question q, const size_t *n,
                            struct err *e)
{
    for (;;) {
        q.shown = *n > 0 ? "no more" : "none";
        int r = cli_dialogue_ask(d->c, &q, e);
        if (r != CLI_ANSWERED)
            return r;
    }
}

int cli_job_ask_list(struct cli_job_draft *d, struct eng_texts *list,
                     const char *text, enum cli_opt opt, struct err *e)
{
    struct adding x = { d, list };
    const struct cli_question q = { .text = text,
                                    .help = cli_option(opt)->help,
                                    .take = take_entry,
                                    .ctx = &x };
    for (size_t i = 0; i < list->n; i++)
        cli_tell("  %s", list->v[i]);
    return ask_until_return(d, q, &list->n, e);
}

/* --- Name --- */

static int take_name(void *ctx, const char *answer, struct err *e)
{
    struct cli_job_draft *d = ctx;
    AUTO_ENG_JOB struct eng_job there = { 0 };
    struct err why = { 0 };

    if (eng_config_name_check(answer, e) < 0)
        return -1;
    if (eng_job_load(&d->c->home, answer, &there, &why) == 0 ||
        why.kind != ERR_NOTFOUND)
        return err_set(e, ERR_EXISTS, 0, "there is a job \"%s\" already",
                       answer);
    return cli_job_set(&d->j->name, answer, e);
}

static int step_name(struct cli_job_draft *d, struct err *e)
{
    const struct cli_question name = {
        .text = "Name",
        .shown = d->j->name,
        .help = "What the job is called, and its file: letters, digits, '.', "
                "'_' and '-'.",
        .take = take_name,
        .ctx = d,
    };
    const struct cli_job_text description = { .member = &d->j->description,
                                              .text = "Description",
                                              .unset = "none",
                                              .opt = CLI_OPT_DESCRIPTION };
    int r = cli_dialogue_ask(d->c, &name, e);
    if (r < 0 || r == CLI_BACK)
        return r;
    return cli_job_ask_text(d, &description, e);
}

/* --- Guest Processing --- */

/* Keeps the first `keep` VMs with settings of their own. */
static void drop_guests(struct eng_job *j, size_t keep)
{
    while (j->n_guests > keep) {
        struct eng_guest_of *g = &j->guests[--j->n_guests];
        free(g->vm);
        free(g->guest.mode);
        free(g->guest.credentials);
        free(g->guest.logs);
    }
}

static int take_guest_vm(void *ctx, const char *answer, struct err *e)
{
    const struct cli_job_draft *d = ctx;
    struct eng_job *j = d->j;
    size_t n = j->n_guests;

    if (strcmp(answer, "-") == 0) {
        drop_guests(j, 0);
        return 0;
    }
    if (cli_job_add_guest(j, answer, e) == 0 && cli_job_draft_check(d, e) == 0)
        return 0;
    drop_guests(j, n);
    return -1;
}

static int ask_guest_vms(struct cli_job_draft *d, struct err *e)
{
    const struct cli_question q = { .text = "VM with settings of its own, "
                                            "such as lab:db1=require,"
                                            "credentials=dba",
                                    .help = cli_option(CLI_OPT_GUEST_VM)->help,
                                    .take = take_guest_vm,
                                    .ctx = d };
    for (size_t i = 0; i < d->j->n_guests; i++)
        cli_tell("  %s", d->j->guests[i].vm);
    return ask_until_return(d, q, &d->j->n_guests, e);
}

/* A guest that is not asked has no settings. */
static int take_mode(void *ctx, const char *answer, struct err *e)
{
    const struct taking *x = ctx;
    struct eng_guest *g = &x->d->j->guest;
    bool off = means_unset(x->t, answer);
    char *credentials = off ? STEAL(g->credentials) : NULL;
    char *logs = off ? STEAL(g->logs) : NULL;
    int r = take_text(ctx, answer, e);

    if (r < 0 && off) {
        g->credentials = STEAL(credentials);
        g->logs = STEAL(logs);
    }
    free(credentials);
    free(logs);
    return r;
}

static int step_guests(struct cli_job_draft *d, struct err *e)
{
    struct eng_guest *g = &d->j->guest;
    const struct cli_job_text questions[] = {
        { .member = &g->mode,
          .text = "Application-aware processing (require, try, disable)",
          .unset = "disable",
          .opt = CLI_OPT_GUEST },
        { .member = &g->credentials,
          .text = "Guest OS credentials, by name",
          .unset = "none",
          .opt = CLI_OPT_GUEST_CREDENTIALS },
        { .member = &g->logs,
          .text = "Database logs (process, copy-only)",
          .unset = "not said",
          .opt = CLI_OPT_GUEST_LOGS },
    };
    int r = ask_text(d, &questions[0], take_mode, e);
    if (r < 0 || r == CLI_BACK)
        return r;
    for (size_t i = 1; i < 3 && g->mode != NULL; i++) {
        r = cli_job_ask_text(d, &questions[i], e);
        if (r < 0 || r == CLI_BACK)
            return r;
    }
    return ask_guest_vms(d, e);
}

/* --- Schedule --- */

/* The next runs, so that one sees what the words mean. */
static int tell_moments(const struct cli_job_draft *d, struct err *e)
{
    char room[ENG_ZONE_NAME_CHARS];
    char text[CLI_MOMENT_CHARS];
    int64_t at = utc_now();
    const char *zone = eng_job_zone(d->j, room);
    AUTO_BUF struct buf why = buf_init(200);
    AUTO_ENG_ZONE struct eng_zone *z = eng_zone_open(zone, e);

    if (z == NULL)
        return -1;
    for (int i = 0; i < 3; i++) {
        if (cli_job_next_moment(d->j, at, &at, &why, e) < 0)
            return -1;
        if (at == 0) {
            if (i == 0)
                cli_tell("It will run %s.", buf_cstr(&why));
            return 0;
        }
        cli_moment_text(z, at, false, text);
        cli_tell("%s %s (%s)", i == 0 ? "It will run at" : "            and",
                 text, zone);
    }
    return 0;
}

static int ask_when(struct cli_job_draft *d, struct err *e)
{
    char here[ENG_ZONE_NAME_CHARS];
    AUTO_BUF struct buf zone = buf_init(ENG_ZONE_NAME_CHARS + 20);
    struct eng_job *j = d->j;

    eng_zone_here(here);
    buf_printf(&zone, "this machine's, %s", here);
    const struct cli_job_text questions[] = {
        { .member = &j->schedule, .text = "When", .opt = CLI_OPT_SCHEDULE },
        { .member = &j->timezone,
          .text = "Time zone",
          .unset = buf_cstr(&zone),
          .opt = CLI_OPT_JOB_TIMEZONE },
        { .member = &j->retries,
          .text = "Retries",
          .unset = "3 after 10m",
          .opt = CLI_OPT_RETRIES },
    };
    if (j->schedule == NULL && cli_job_set(&j->schedule, "daily 22:00", e) < 0)
        return -1;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        int r = cli_job_ask_text(d, &questions[i], e);
        if (r < 0 || r == CLI_BACK)
            return r;
    }
    return tell_moments(d, e);
}

static int step_schedule(struct cli_job_draft *d, struct err *e)
{
    int r = cli_dialogue_yes(d->c, "Run the job automatically",
                             "Whether the daemon runs it by a schedule.  "
                             "Without one it runs by hand only.",
                             &d->automatic, e);
    if (r < 0 || r == CLI_BACK)
        return r;
    if (d->automatic)
        return ask_when(d, e);
    cli_tell("It will run by hand only: objvault job run %s", d->j->name);
    if (cli_job_set(&d->j->schedule, NULL, e) < 0)
        return -1;
    return cli_job_set(&d->j->retries, NULL, e);
}

/* --- Summary --- */

static int step_summary(struct cli_job_draft *d, struct err *e)
{
    struct err why = { 0 };
    AUTO_BUF struct buf text = buf_init((size_t)1 << 20);

    if (cli_job_check_new(d->c, d->j, &d->warned, &why) < 0) {
        if (why.kind == ERR_CANCELLED || why.kind == ERR_NOMEM) {
            *e = why;
            return -1;
        }
        cli_tell("The job cannot be saved so: %s.", why.msg);
        return CLI_BACK;
    }
    cli_job_summary(d->j, &text);
    if (buf_check(&text, e) < 0)
        return -1;
    (void)fprintf(stderr, "%s", buf_cstr(&text));
    return cli_dialogue_yes(d->c, "Run the job when I finish?",
                            "The job is saved in any case.  With yes it is "
                            "also run at once.",
                            &d->run, e);
}

/* --- the steps --- */

static const struct {
    const char *name;
    int (*ask)(struct cli_job_draft *d, struct err *e);
} steps[] = {
    { "Name", step_name },
    { "Virtual Machines", cli_job_step_vms },
    { "Exclusions", cli_job_step_exclusions },
    { "Storage", cli_job_step_storage },
    { "Advanced", cli_job_step_advanced },
    { "Encryption", cli_job_step_encryption },
    { "Guest Processing", step_guests },
    { "Schedule", step_schedule },
    { "Summary", step_summary },
};
#define STEPS (sizeof steps / sizeof steps[0])

static void draft_fini(struct cli_job_draft *d)
{
    secret_free(d->password);
    free(d->password_file);
    cli_job_sources_fini(&d->sources);
    eng_config_names_free(d->repos, d->n_repos);
}

/* What there is to choose from. */
static int look_around(struct cli_job_draft *d, struct err *e)
{
    char **names = NULL;
    size_t n = 0;

    if (eng_config_names(&d->c->home, "repos", &d->repos, &d->n_repos, e) < 0 ||
        eng_config_names(&d->c->home, "sources", &names, &n, e) < 0)
        return -1;
    int r = cli_job_sources_look(d->c, (const char *const *)names, n,
                                 &d->sources, e);
    eng_config_names_free(names, n);
    if (r < 0)
        return -1;
    if (n == 0)
        return err_set(e, ERR_USAGE, 0,
                       "no source of VMs is configured; see objvault source "
                       "add");
    if (d->n_repos == 0)
        return err_set(e, ERR_USAGE, 0,
                       "no repository is configured; see objvault repo create");
    for (size_t i = 0; i < d->sources.n; i++)
        if (d->sources.v[i].problem != NULL)
            cli_message("warning: source %s: %s", d->sources.v[i].name,
                        d->sources.v[i].problem);
    return 0;
}

/* What Return means where a job by options would have nothing. */
static int begin(struct cli_job_draft *d, struct err *e)
{
    d->automatic = true;
    if (cli_job_set(&d->j->retention, "14d", e) < 0 ||
        cli_job_set(&d->j->encrypt, "none", e) < 0)
        return -1;
    return look_around(d, e);
}

int cli_job_dialogue(struct cli_ctx *c, struct eng_job *j, bool *run,
                     bool *warned, struct err *e)
{
    AUTO(draft_fini) struct cli_job_draft d = { .c = c, .j = j };
    size_t i = 0;

    if (begin(&d, e) < 0)
        return -1;
    cli_tell_text("A new job.  Return takes what stands in brackets, - takes "
                  "it away, ? explains, < goes back a step; Ctrl-C leaves, and "
                  "saves nothing.");
    while (i < STEPS) {
        cli_tell("%s", "");
        cli_tell("Step %zu of %zu: %s", i + 1, STEPS, steps[i].name);
        int r = steps[i].ask(&d, e);
        if (r < 0)
            return -1;
        if (r != CLI_BACK)
            i++;
        else if (i > 0)
            i--;
        else
            cli_tell("This is the first step.");
    }
    *run = d.run;
    *warned = d.warned;
    return cli_job_draft_write(&d, e);
}

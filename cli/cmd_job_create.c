// SPDX-License-Identifier: Apache-2.0
/* job create: by options, or by a dialogue; one way of saving for both. */
#include "base/utc.h"
#include "cli/job.h"
#include "cli/unlock.h"
#include "engine/job/kms_config.h"

static void ignore(void *ctx, const struct kms_report *r)
{
    (void)ctx;
    (void)r;
}

int cli_job_meet_key_server(struct cli_ctx *c, const struct eng_job *j,
                            struct err *e)
{
    AUTO_ENG_CONFIG_KMS struct eng_config_kms config = { 0 };
    const char *name = eng_job_kms(j);

    if (name == NULL)
        return 0;
    if (eng_config_kms_load(&c->home, name, &config, e) < 0)
        return -1;
    struct eng_key_server *s = eng_key_server_new(&config, e);
    if (s == NULL)
        return -1;
    s->somebody_waits = cli_may_ask();
    int r = eng_key_server_test(s, c->cancel, ignore, NULL, e);
    eng_key_server_free(s);
    return r;
}

/* Looks at the sources that the job names. */
static int look(struct cli_ctx *c, const struct eng_job *j,
                struct cli_job_sources *out, struct err *e)
{
    AUTO_ENG_TEXTS struct eng_texts names = { 0 };

    if (eng_job_sources(j, &names, e) < 0)
        return -1;
    return cli_job_sources_look(c, (const char *const *)names.v, names.n, out,
                                e);
}

/* What a run would warn of.  A pattern that nothing matches yet needs no
 * attention; a source that cannot be looked at does. */
static int warn_of(struct cli_ctx *c, const struct eng_job *j,
                   const struct cli_job_sources *s, bool *warned, struct err *e)
{
    AUTO_ENG_SELECTION struct eng_selection selected = { 0 };

    if (cli_job_select(j, s, &selected, e) < 0)
        return -1;
    for (size_t i = 0; i < selected.n_warnings && !c->quiet; i++)
        cli_message("warning: %s", selected.warnings[i]);
    *warned = false;
    for (size_t i = 0; i < s->n; i++)
        *warned = *warned || s->v[i].problem != NULL;
    return 0;
}

int cli_job_warn(struct cli_ctx *c, const struct eng_job *j, bool *warned,
                 struct err *e)
{
    AUTO_CLI_JOB_SOURCES struct cli_job_sources s = { 0 };

    return look(c, j, &s, e) < 0 ? -1 : warn_of(c, j, &s, warned, e);
}

int cli_job_check_new(struct cli_ctx *c, const struct eng_job *j, bool *warned,
                      struct err *e)
{
    AUTO_CLI_JOB_SOURCES struct cli_job_sources s = { 0 };

    if (eng_job_check(j, e) < 0 || eng_job_check_home(&c->home, j, e) < 0 ||
        look(c, j, &s, e) < 0 || cli_job_look_up(j, &s, e) < 0 ||
        cli_job_meet_key_server(c, j, e) < 0)
        return -1;
    return warn_of(c, j, &s, warned, e);
}

/* What became of it. */
static int told(struct cli_ctx *c, const struct eng_job *j, bool warned,
                struct err *e)
{
    char iso[UTC_ISO_CHARS];
    int64_t at = 0;
    AUTO_BUF struct buf why = buf_init(200);

    if (c->json)
        return cli_job_document(c, j, e) < 0 ? -1 : warned ? 3 : 0;
    if (cli_job_next_moment(j, utc_now(), &at, &why, e) < 0)
        return -1;
    utc_format_iso(at, iso);
    cli_say(c, "job %s is configured; it runs %s%s", j->name,
            at != 0 ? "at " : "", at != 0 ? iso : buf_cstr(&why));
    return warned ? 3 : 0;
}

/* Options, or anything else that a dialogue would ask for. */
static bool says_something(const struct cli_ctx *c)
{
    const struct cli_command *command = c->call->command;

    for (size_t i = 0; i < command->n_uses; i++)
        if (cli_given(c, command->uses[i].opt))
            return true;
    return c->call->n_args > 0;
}

/* The job that is asked for, checked; 0: there is one. */
static int make(struct cli_ctx *c, struct eng_job *j, bool *run, bool *warned,
                struct err *e)
{
    if (!says_something(c)) {
        if (!cli_may_ask())
            return err_set(e, ERR_USAGE, 0,
                           "nobody can be asked here: say NAME, --vm or "
                           "--container, and --repo (see objvault job create "
                           "--help)");
        return cli_job_dialogue(c, j, run, warned, e);
    }
    if (c->call->n_args == 0)
        return err_set(e, ERR_USAGE, 0,
                       "NAME is missing; without any option a dialogue asks "
                       "for everything");
    *run = cli_given(c, CLI_OPT_RUN);
    if (cli_job_from_options(c, j, e) < 0)
        return -1;
    return cli_job_check_new(c, j, warned, e);
}

int cli_job_create(struct cli_ctx *c, struct err *e)
{
    AUTO_ENG_JOB struct eng_job j = { 0 };
    bool run = false;
    bool warned = false;

    if (make(c, &j, &run, &warned, e) < 0 ||
        eng_job_save(&c->home, &j, false, e) < 0)
        return -1;
    if (!run)
        return told(c, &j, warned, e);
    cli_say(c, "job %s is configured, and runs now", j.name);
    int code = cli_job_run_named(c, j.name, e);
    return code == 0 && warned ? 3 : code;
}

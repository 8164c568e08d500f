// SPDX-License-Identifier: Apache-2.0
/* job forget-deleted: points of VMs that are gone for long. */
#include <inttypes.h>

#include "base/utc.h"
#include "cli/cli.h"
#include "cli/unlock.h"
#include "engine/daemon/forget.h"

static const char *fate_word(enum eng_fate fate)
{
    static const char *const words[] = {
        [ENG_FATE_STAYS] = "stays",
        [ENG_FATE_REMOVED] = "removed",
        [ENG_FATE_LOCKED] = "locked",
        [ENG_FATE_PROTECTED] = "protected",
    };
    return words[fate];
}

static int json_points(struct jsonw *w, const struct eng_forgetting *f,
                       struct err *e)
{
    jsonw_key(w, "points");
    jsonw_array(w);
    for (size_t i = 0; i < f->points.n; i++) {
        const struct eng_fated *p = &f->fates[i];
        if (p->fate == ENG_FATE_STAYS)
            continue;
        AUTO_MEM char *name = eng_point_text(&f->points, &f->points.p[i], e);
        if (name == NULL)
            return -1;
        jsonw_object(w);
        cli_json_text(w, "point", name);
        cli_json_text(w, "vm", p->vm);
        jsonw_kstring(w, "fate", fate_word(p->fate));
        cli_json_time(w, "locked_until", p->locked_until);
        jsonw_end_object(w);
    }
    jsonw_end_array(w);
    return 0;
}

static int result(struct cli_ctx *c, const struct eng_job *job,
                  const struct eng_forgetting *f, bool dry, size_t removed,
                  struct err *e)
{
    cli_say(c,
            "job %s: %zu VMs are gone for long; %zu points %s removed, %zu are "
            "locked, %zu protected",
            job->name, f->vms, dry ? f->n[ENG_FATE_REMOVED] : removed,
            dry ? "would be" : "are", f->n[ENG_FATE_LOCKED],
            f->n[ENG_FATE_PROTECTED]);
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "job", job->name);
    jsonw_kstring(&w, "repo", job->repo);
    jsonw_kbool(&w, "dry_run", dry);
    jsonw_kuint(&w, "vms", f->vms);
    jsonw_kuint(&w, "removed_points", removed);
    jsonw_kuint(&w, "locked_points", f->n[ENG_FATE_LOCKED]);
    jsonw_kuint(&w, "protected_points", f->n[ENG_FATE_PROTECTED]);
    if (json_points(&w, f, e) < 0)
        return -1;
    return cli_json_end(c, &w, e);
}

/* A line for each point that goes. */
static int tell(const struct cli_ctx *c, const struct eng_forgetting *f,
                struct err *e)
{
    for (size_t i = 0; !c->quiet && i < f->points.n; i++) {
        if (f->fates[i].fate == ENG_FATE_STAYS)
            continue;
        AUTO_MEM char *name = eng_point_text(&f->points, &f->points.p[i], e);
        if (name == NULL)
            return -1;
        cli_message("%s: %s",
                    f->fates[i].fate == ENG_FATE_REMOVED
                        ? "to be removed"
                        : fate_word(f->fates[i].fate),
                    name);
    }
    return 0;
}

static int ask(struct cli_ctx *c, const struct eng_job *job,
               const struct eng_forgetting *f, struct err *e)
{
    AUTO_BUF struct buf question = buf_init(4096);

    buf_printf(&question,
               "Remove %zu points of %zu VMs that are gone, from repository "
               "%s?",
               f->n[ENG_FATE_REMOVED], f->vms, job->repo);
    return cli_confirm(c, buf_cstr(&question), e);
}

/* The job, and what opens its points, until the command has ended. */
struct forget_call {
    struct cli_ctx *c;
    struct eng_job job;
    struct cli_repo repo;
    struct eng_forgetting f;
};

static void forget_call_fini(struct forget_call *x)
{
    eng_forget_fini(&x->f);
    cli_repo_close(&x->repo);
    cli_unlock_refer(x->c, NULL);
    eng_job_fini(&x->job);
}

static int find(struct forget_call *x, struct err *e)
{
    struct cli_ctx *c = x->c;

    if (eng_job_load(&c->home, c->call->args[0], &x->job, e) < 0 ||
        cli_repo_open(c, x->job.repo, CLI_TRANSFER, &x->repo, e) < 0)
        return -1;
    cli_unlock_refer(c, x->job.password);
    if (cli_unlock_open(c, x->repo.repo, e) < 0)
        return -1;
    return eng_forget_find(&c->home, &x->job, x->repo.repo, c->cancel,
                           utc_now(), &x->f, e);
}

int cli_job_forget_deleted(struct cli_ctx *c, struct err *e)
{
    AUTO(forget_call_fini) struct forget_call x = { .c = c };
    bool dry = cli_given(c, CLI_OPT_DRY_RUN);
    size_t removed = 0;

    if (find(&x, e) < 0)
        return -1;
    /* They stay, whatever the job says. */
    bool closed = cli_unlock_say_closed(x.repo.repo, "are not looked at") > 0;
    if (tell(c, &x.f, e) < 0)
        return -1;
    if (!dry && x.f.n[ENG_FATE_REMOVED] > 0 &&
        (ask(c, &x.job, &x.f, e) < 0 ||
         eng_forget_remove(x.repo.repo, &x.f, c->cancel, &removed, e) < 0))
        return -1;
    if (result(c, &x.job, &x.f, dry, removed, e) < 0)
        return -1;
    return closed ? 3 : 0;
}

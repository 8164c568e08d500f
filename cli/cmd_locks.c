// SPDX-License-Identifier: Apache-2.0
/*
 * repo locks: until when what points need is locked, and whether it is.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/utc.h"
#include "cli/cli.h"
#include "cli/unlock.h"
#include "engine/care/kept.h"
#include "engine/care/locks.h"

#define FINDINGS_MAX 10000

/* The whole answer. */
struct report {
    const char *name; /* of the repository */
    struct eng_repo *repo;
    struct eng_points points;
    struct eng_kept *kept; /* owned; one for each point */
    struct eng_locks_empty empty;
    bool verified;
    struct eng_locks_opts o;
    struct eng_locks_result res;
    struct buf json; /* findings, as elements of an array */
    uint64_t found;
};

static void report_fini(struct report *r)
{
    eng_points_free(&r->points);
    free(r->kept);
    buf_free(&r->json);
}

static const char *date_text(int64_t t, char iso[UTC_ISO_CHARS],
                             const char *none)
{
    if (t == 0)
        return none;
    utc_format_iso(t, iso);
    return iso;
}

static void say(const struct eng_locks_finding *f)
{
    char has[UTC_ISO_CHARS];
    char wants[UTC_ISO_CHARS];

    if (f->word == ENG_LOCKS_UNREADABLE)
        cli_message("%s cannot be read: %s; %s needs it", f->key, f->why,
                    f->point);
    else if (f->word == ENG_LOCKS_MISSING)
        cli_message("%s is missing; %s needs it until %s", f->key, f->point,
                    date_text(f->wants, wants, "-"));
    else
        cli_message("%s, version %s: locked until %s (mode %s), should be "
                    "until %s; %s needs it",
                    f->key, f->version, date_text(f->has, has, "now"), f->mode,
                    date_text(f->wants, wants, "-"), f->point);
}

static void on_finding(void *ctx, const struct eng_locks_finding *f)
{
    struct report *r = ctx;

    if (r->found++ >= FINDINGS_MAX)
        return;
    say(f);
    if (r->found == FINDINGS_MAX)
        cli_message("and more, which are counted only");
    if (r->json.len > 0)
        buf_append_char(&r->json, ',');
    struct jsonw w = jsonw_init(&r->json, false);
    jsonw_object(&w);
    jsonw_kstring(&w, "kind", eng_locks_word_name(f->word));
    cli_json_text(&w, "key", f->key);
    cli_json_text(&w, "version", f->version[0] != '\0' ? f->version : NULL);
    jsonw_kstring(&w, "mode", f->mode);
    cli_json_time(&w, "locked_until", f->has);
    cli_json_time(&w, "wanted_until", f->wants);
    cli_json_text(&w, "point", f->point);
    cli_json_text(&w, "text", f->why[0] != '\0' ? f->why : NULL);
    jsonw_end_object(&w);
}

/* Whether it is as it should be, as an error. */
static int judge(const struct report *r, struct err *problem)
{
    const struct eng_locks_result *v = &r->res;

    if (!r->verified)
        return 0;
    if (eng_locks_broken(v))
        return err_set(problem, ERR_CORRUPT, 0,
                       "repository %s: of %" PRIu64 " objects %" PRIu64
                       " are not locked for long enough, %" PRIu64
                       " are missing, %" PRIu64 " cannot be read",
                       r->name, v->asked, v->shorts, v->missing, v->unreadable);
    if (v->denied == 0)
        return 0;
    err_set(problem, ERR_DENIED, 0,
            "repository %s: these keys may not see the locks of %" PRIu64
            " of %" PRIu64 " objects",
            r->name, v->denied, v->asked);
    return err_hint(problem, "s3:GetObjectRetention is needed; nothing that "
                             "could be seen falls short");
}

static int json_points(struct jsonw *w, const struct report *r, struct err *e)
{
    jsonw_key(w, "points");
    jsonw_array(w);
    for (size_t i = 0; i < r->points.n; i++) {
        const struct eng_point *p = &r->points.p[i];
        AUTO_MEM char *name = eng_point_text(&r->points, p, e);
        if (name == NULL)
            return -1;
        jsonw_object(w);
        cli_json_text(w, "point", name);
        cli_json_time(w, "visible_until", r->kept[i].until);
        jsonw_kstring(w, "kept", eng_keep_word(r->kept[i].reason));
        cli_json_time(w, "locked_until",
                      p->manifest != NULL ? p->manifest->locked_until : 0);
        jsonw_kstring(w, "state",
                      p->sealed            ? NULL
                      : r->kept[i].damaged ? "damaged"
                      : r->kept[i].expired ? "expired"
                                           : "ok");
        jsonw_end_object(w);
    }
    jsonw_end_array(w);
    return 0;
}

static void json_verify(struct jsonw *w, struct report *r)
{
    const struct eng_locks_result *v = &r->res;

    jsonw_key(w, "verify");
    if (!r->verified) {
        jsonw_null(w);
        return;
    }
    jsonw_object(w);
    jsonw_kuint(w, "points", v->points);
    jsonw_kuint(w, "sealed_points", v->sealed);
    jsonw_kuint(w, "objects", v->objects);
    jsonw_kuint(w, "asked", v->asked);
    jsonw_kuint(w, "not_allowed", v->denied);
    jsonw_kuint(w, "short", v->shorts);
    jsonw_kuint(w, "missing", v->missing);
    jsonw_kuint(w, "unreadable", v->unreadable);
    cli_json_time(w, "latest", v->latest);
    jsonw_key(w, "findings");
    jsonw_array(w);
    if (r->json.len > 0)
        jsonw_raw(w, buf_cstr(&r->json));
    jsonw_end_array(w);
    jsonw_end_object(w);
}

static int json_result(struct cli_ctx *c, struct report *r,
                       const struct err *problem, struct err *e)
{
    struct jsonw w = problem->kind != ERR_NONE
                         ? cli_json_begin_failed(c, problem)
                         : cli_json_begin(c);

    jsonw_kstring(&w, "repo", r->name);
    jsonw_kbool(&w, "locked", eng_repo_descriptor(r->repo)->locked);
    if (json_points(&w, r, e) < 0)
        return -1;
    cli_json_time(&w, "empty_from", r->empty.from);
    cli_json_time(&w, "empty_by", r->empty.by);
    json_verify(&w, r);
    return cli_json_end(c, &w, e);
}

static int print_points(struct cli_ctx *c, const struct report *r,
                        struct err *e)
{
    char iso[UTC_ISO_CHARS];
    AUTO_CLI_TABLE struct cli_table t = { .align = "lll" };

    cli_table_add(&t, "POINT");
    cli_table_add(&t, "VISIBLE UNTIL");
    cli_table_add(&t, "EVERY OBJECT LOCKED UNTIL");
    for (size_t i = 0; i < r->points.n; i++) {
        const struct eng_point *p = &r->points.p[i];
        AUTO_MEM char *name = eng_point_text(&r->points, p, e);
        if (name == NULL)
            return -1;
        cli_table_add(&t, "%s", name);
        cli_table_add(&t, "%s", date_text(r->kept[i].until, iso, "-"));
        cli_table_add(&t, "%s",
                      p->sealed ? "(sealed)"
                      : p->manifest == NULL
                          ? "(damaged)"
                          : date_text(p->manifest->locked_until, iso, "-"));
    }
    if (r->points.n > 0)
        cli_table_print(&t, &c->out);
    return 0;
}

static int print_result(struct cli_ctx *c, const struct report *r,
                        const struct err *problem, struct err *e)
{
    const struct eng_locks_result *v = &r->res;
    char from[UTC_ISO_CHARS];
    char by[UTC_ISO_CHARS];

    if (print_points(c, r, e) < 0)
        return -1;
    if (!eng_repo_descriptor(r->repo)->locked) {
        cli_say(c,
                "nothing is locked in repository %s: it was made without "
                "--immutable",
                r->name);
        return 0;
    }
    if (r->empty.from != 0 && r->empty.from == r->empty.by)
        cli_pair(c, "Empty from", "%s at the earliest",
                 date_text(r->empty.from, from, "-"));
    else if (r->empty.from != 0)
        cli_pair(c, "Empty from", "%s to %s at the earliest",
                 date_text(r->empty.from, from, "-"),
                 date_text(r->empty.by, by, "-"));
    if (!r->verified)
        return 0;
    cli_pair(c, "Asked", "%" PRIu64 " of %" PRIu64 " objects", v->asked,
             v->objects);
    if (problem->kind != ERR_NONE)
        cli_error_line(problem);
    else if (v->sealed == 0)
        cli_say(c, "each of them is locked for as long as its points say");
    return 0;
}

static int verify(struct cli_ctx *c, struct report *r, struct err *e)
{
    AUTO_PROGRESS struct progress *progress = progress_new(e);
    AUTO_CLI_RENDER struct cli_render *render =
        progress != NULL ? cli_render_start(c, progress, e) : NULL;

    if (render == NULL)
        return -1;
    r->o.progress = progress;
    int done = eng_locks_verify(r->repo, &r->points, &r->o, &r->res, e);
    cli_render_stop(STEAL(render));
    if (done < 0 || buf_check(&r->json, e) < 0)
        return -1;
    /* What was seen may reach further than what the points say; and where all
     * was seen nothing does. */
    if (r->res.latest > r->empty.from)
        r->empty.from = r->res.latest;
    bool all = r->res.asked == r->res.objects && r->res.denied == 0 &&
               !eng_locks_broken(&r->res);
    if (r->empty.by < r->empty.from || (all && r->res.points > 0))
        r->empty.by = r->empty.from;
    return 0;
}

int cli_repo_locks(struct cli_ctx *c, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO(report_fini)
    struct report r = {
        .name = c->call->args[0],
        .verified = cli_given(c, CLI_OPT_VERIFY),
        .o = { .sample_ppm = ENG_LOCKS_ALL_PPM,
               .cancel = c->cancel,
               .report = on_finding,
               .ctx = &r },
        .json = buf_init((size_t)1 << 26),
    };
    struct err problem = { 0 };

    if (!r.verified && cli_given(c, CLI_OPT_SAMPLE_LOCKS))
        return err_set(e, ERR_USAGE, 0, "--sample goes with --verify");
    if (cli_share(c, CLI_OPT_SAMPLE_LOCKS, &r.o.sample_ppm, e) < 0 ||
        cli_repo_open(c, r.name, r.verified ? CLI_TRANSFER : CLI_INTERACTIVE,
                      &repo, e) < 0)
        return -1;
    r.repo = repo.repo;
    if (cli_unlock_open(c, r.repo, e) < 0 ||
        eng_points_list_all(r.repo, c->cancel, NULL, &r.points, e) < 0)
        return -1;
    r.kept = eng_kept_judge(r.repo, c->cancel, &r.points, utc_now(), e);
    if (r.kept == NULL)
        return -1;
    r.empty = eng_locks_empty(r.repo, &r.points);
    if (r.verified && verify(c, &r, e) < 0)
        return -1;
    int code = judge(&r, &problem) < 0 ? cli_exit_of(problem.kind)
               : r.res.sealed > 0      ? 3
                                       : 0;
    if (r.res.sealed > 0)
        cli_message("the locks of %" PRIu64 " sealed points are not known: "
                    "the keys of their keysets are not at hand",
                    r.res.sealed);
    int done = c->json ? json_result(c, &r, &problem, e)
                       : print_result(c, &r, &problem, e);
    return done < 0 ? -1 : code;
}

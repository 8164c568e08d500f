// SPDX-License-Identifier: Apache-2.0
/*
 * repo check.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/cli.h"
#include "cli/unlock.h"
#include "engine/care/check.h"

#define MESSAGES_MAX 10000
#define SAMPLE_DEFAULT_PPM 50000u

static const char *const word_names[] = {
    [ENG_CHECK_DAMAGED] = "damaged", [ENG_CHECK_POINT] = "point",
    [ENG_CHECK_MISSING] = "missing", [ENG_CHECK_HIDDEN] = "hidden",
    [ENG_CHECK_JUNK] = "junk",       [ENG_CHECK_REPAIRED] = "repaired",
    [ENG_CHECK_WELL] = "well",       [ENG_CHECK_NOTE] = "note",
};

/* What was found; its JSON grows while the check runs. */
struct findings {
    struct buf *json; /* elements of an array */
    size_t n;
};

static void on_finding(void *ctx, enum eng_check_word word, const char *what)
{
    struct findings *f = ctx;

    bool many = f->n++ >= MESSAGES_MAX;
    if (!many || word == ENG_CHECK_POINT)
        cli_message("%s%s", word == ENG_CHECK_POINT ? "point " : "", what);
    if (f->n == MESSAGES_MAX)
        cli_message("and more; from here on only points are named");
    if (many)
        return;
    if (f->json->len > 0)
        buf_append_char(f->json, ',');
    struct jsonw w = jsonw_init(f->json, false);
    jsonw_object(&w);
    jsonw_kstring(&w, "kind", word_names[word]);
    cli_json_text(&w, "text", what);
    jsonw_end_object(&w);
}

static int parse_level(struct cli_ctx *c, struct eng_check_opts *o,
                       struct err *e)
{
    const char *level = cli_text(c, CLI_OPT_LEVEL_CHECK);
    const char *share = cli_text(c, CLI_OPT_SAMPLE);

    o->sample_ppm = SAMPLE_DEFAULT_PPM;
    if (level == NULL)
        o->level = share != NULL ? ENG_CHECK_SAMPLE : ENG_CHECK_LIST;
    else if (strcmp(level, "full") == 0)
        o->level = ENG_CHECK_FULL;
    else if (strcmp(level, "sample") == 0)
        o->level = ENG_CHECK_SAMPLE;
    if (share == NULL)
        return 0;
    if (o->level != ENG_CHECK_SAMPLE)
        return err_set(e, ERR_USAGE, 0, "--sample goes with --level sample");
    return cli_share(c, CLI_OPT_SAMPLE, &o->sample_ppm, e);
}

static void print_result(struct cli_ctx *c, const char *name,
                         const struct eng_check_result *r)
{
    char bytes[UNITS_TEXT_CHARS];

    units_format_size(r->read_bytes, bytes);
    cli_pair(c, "Points", "%" PRIu64, r->points);
    cli_pair(c, "Objects", "%" PRIu64 " pages, %" PRIu64 " blocks", r->pages,
             r->blocks);
    cli_pair(c, "Read", "%" PRIu64 " objects, %s", r->read_objects, bytes);
    if (r->damaged > 0)
        cli_pair(c, "Damaged", "%" PRIu64 " objects", r->damaged);
    if (r->hidden > 0)
        cli_pair(c, "Hidden", "%" PRIu64 " objects", r->hidden);
    if (r->repaired > 0)
        cli_pair(c, "Repaired", "%" PRIu64 " objects", r->repaired);
    if (r->marked > 0)
        cli_pair(c, "Marked", "%" PRIu64 " objects", r->marked);
    if (r->junk > 0)
        cli_pair(c, "Junk", "%" PRIu64 " objects", r->junk);
    if (r->keysets_skipped > 0)
        cli_pair(c, "Not looked at",
                 "%" PRIu64 " keysets with %" PRIu64
                 " points: their keys are not at hand",
                 r->keysets_skipped, r->sealed_points);
    else if (!eng_check_damage(r))
        cli_say(c, "every point of repository %s is well", name);
    if (r->hidden > 0)
        cli_message("objects are hidden or overwritten: objvault repo recover "
                    "%s says what was done and undoes it",
                    name);
}

static int json_result(struct cli_ctx *c, const char *name,
                       const struct eng_check_opts *o,
                       const struct eng_check_result *r,
                       const struct err *damage, struct buf *messages,
                       struct err *e)
{
    static const char *const levels[] = { "list", "sample", "full" };
    struct jsonw w = damage->kind != ERR_NONE ? cli_json_begin_failed(c, damage)
                                              : cli_json_begin(c);

    jsonw_kstring(&w, "repo", name);
    jsonw_kstring(&w, "level", levels[o->level]);
    jsonw_kuint(&w, "points", r->points);
    jsonw_kuint(&w, "damaged_points", r->damaged_points);
    jsonw_kuint(&w, "missing_points", r->missing_points);
    jsonw_kuint(&w, "pages", r->pages);
    jsonw_kuint(&w, "blocks", r->blocks);
    jsonw_kuint(&w, "read_objects", r->read_objects);
    jsonw_kuint(&w, "read_bytes", r->read_bytes);
    jsonw_kuint(&w, "damaged", r->damaged);
    jsonw_kuint(&w, "hidden", r->hidden);
    jsonw_kuint(&w, "repaired", r->repaired);
    jsonw_kuint(&w, "marked", r->marked);
    jsonw_kuint(&w, "junk", r->junk);
    jsonw_kuint(&w, "keysets_skipped", r->keysets_skipped);
    jsonw_kuint(&w, "sealed_points", r->sealed_points);
    jsonw_key(&w, "messages");
    jsonw_array(&w);
    if (messages->len > 0)
        jsonw_raw(&w, buf_cstr(messages));
    jsonw_end_array(&w);
    return cli_json_end(c, &w, e);
}

static int finish(struct cli_ctx *c, const char *name,
                  const struct eng_check_opts *o,
                  const struct eng_check_result *r, struct buf *messages,
                  struct err *e)
{
    struct err damage = { 0 };
    int code = eng_check_hidden(r) || r->keysets_skipped > 0 ? 3 : 0;

    if (eng_check_damage(r)) {
        (void)err_set(&damage, ERR_CORRUPT, 0,
                      "repository %s: %" PRIu64 " of %" PRIu64
                      " points are damaged, %" PRIu64 " are gone",
                      name, r->damaged_points, r->points, r->missing_points);
        code = cli_exit_of(damage.kind);
    }
    if (c->json)
        return json_result(c, name, o, r, &damage, messages, e) < 0 ? -1 : code;
    print_result(c, name, r);
    if (damage.kind != ERR_NONE)
        cli_error_line(&damage);
    return code;
}

int cli_repo_check(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    const char *from_name = cli_text(c, CLI_OPT_FROM);
    AUTO_BUF struct buf messages = buf_init((size_t)1 << 28);
    struct findings found = { .json = &messages };
    struct eng_check_opts o = { .repair = cli_given(c, CLI_OPT_REPAIR),
                                .memory_bytes = cli_number(c, CLI_OPT_MEMORY),
                                .cancel = c->cancel,
                                .report = on_finding,
                                .ctx = &found };
    struct eng_check_result res;
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_CLI_REPO struct cli_repo from = { 0 };

    if (parse_level(c, &o, e) < 0)
        return -1;
    if (from_name != NULL && !o.repair)
        return err_set(e, ERR_USAGE, 0, "--from goes with --repair");
    if (from_name != NULL && strcmp(from_name, name) == 0)
        return err_set(e, ERR_USAGE, 0, "--from names the repository itself");
    if (cli_repo_open(c, name, CLI_TRANSFER, &repo, e) < 0 ||
        cli_unlock_open(c, repo.repo, e) < 0 ||
        (from_name != NULL &&
         (cli_repo_open(c, from_name, CLI_TRANSFER, &from, e) < 0 ||
          cli_unlock_open(c, from.repo, e) < 0)))
        return -1;
    o.from = from.repo;
    AUTO_PROGRESS struct progress *progress = progress_new(e);
    AUTO_CLI_RENDER struct cli_render *render =
        progress != NULL ? cli_render_start(c, progress, e) : NULL;
    if (render == NULL)
        return -1;
    o.progress = progress;
    int r = eng_check_run(repo.repo, &o, &res, e);
    cli_render_stop(STEAL(render));
    if (r < 0 || buf_check(&messages, e) < 0)
        return -1;
    return finish(c, name, &o, &res, &messages, e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * repo recover.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utc.h"
#include "cli/cli.h"
#include "cli/unlock.h"
#include "engine/care/recover.h"

#define SHOWN 3          /* examples of each kind on stderr */
#define LISTED 100       /* ... in the document */
#define POINTS_MAX 10000 /* in the document */

static const char *const word_names[] = {
    [ENG_RECOVER_MARKER] = "marker",
    [ENG_RECOVER_OVERWRITTEN] = "overwritten",
    [ENG_RECOVER_LOST] = "lost",
    [ENG_RECOVER_JUNK] = "junk",
    [ENG_RECOVER_HIDING] = "hiding",
    [ENG_RECOVER_ADDED] = "added",
    [ENG_RECOVER_REFUSED] = "refused",
    [ENG_RECOVER_POINT_BACK] = "point",
    [ENG_RECOVER_POINT_LOST] = "point_lost",
};
#define WORDS (sizeof word_names / sizeof word_names[0])

static const char *const word_texts[] = {
    [ENG_RECOVER_MARKER] = "hidden by a delete marker",
    [ENG_RECOVER_OVERWRITTEN] = "overwritten",
    [ENG_RECOVER_LOST] = "no version of it is good",
    [ENG_RECOVER_JUNK] = "not ours",
    [ENG_RECOVER_HIDING] = "an object in place of a folder may hide others",
    [ENG_RECOVER_ADDED] = "a point that is there since then",
    [ENG_RECOVER_REFUSED] = "something on it could not be removed",
};

struct findings {
    struct cli_ctx *c;
    bool quiet;
    struct buf *examples, *points; /* elements of arrays */
    uint64_t n[WORDS];
};

static void add_element(struct buf *json, const char *kind, const char *text)
{
    if (json->len > 0)
        buf_append_char(json, ',');
    struct jsonw w = jsonw_init(json, false);
    jsonw_object(&w);
    jsonw_kstring(&w, "kind", kind);
    cli_json_text(&w, "text", text);
    jsonw_end_object(&w);
}

static void on_finding(void *ctx, enum eng_recover_word word, const char *what)
{
    struct findings *f = ctx;
    uint64_t n = ++f->n[word];

    if (word == ENG_RECOVER_POINT_BACK || word == ENG_RECOVER_POINT_LOST) {
        if (word == ENG_RECOVER_POINT_LOST && !f->quiet)
            cli_message("lost: %s", what);
        if (n <= POINTS_MAX)
            add_element(f->points, word_names[word], what);
        return;
    }
    if (n <= SHOWN && !f->quiet)
        cli_message("%s: %s", what, word_texts[word]);
    if (n == SHOWN + 1 && !f->quiet)
        cli_message("... and more: %s", word_texts[word]);
    if (n <= LISTED)
        add_element(f->examples, word_names[word], what);
}

static int open_keysets(void *ctx, struct eng_repo *repo, struct err *e)
{
    struct findings *f = ctx;

    return cli_unlock_open(f->c, repo, e);
}

static void print_areas(struct cli_ctx *c, const struct eng_recover_result *r)
{
    AUTO_CLI_TABLE struct cli_table t = { .align = "lrrrrrr" };
    static const char *const heads[] = { "OBJECTS",     "MARKERS", "REMOVED",
                                         "OVERWRITTEN", "UNDONE",  "LOST",
                                         "JUNK" };

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        cli_table_add(&t, "%s", heads[i]);
    for (int i = 0; i < ENG_RECOVER_AREAS; i++) {
        const struct eng_recover_count *n = &r->areas[i];
        const uint64_t cells[] = { n->markers,     n->removed,
                                   n->overwritten, n->uncovered + n->put,
                                   n->lost,        n->junk };
        cli_table_add(&t, "%s", eng_recover_area_names[i]);
        for (size_t j = 0; j < sizeof cells / sizeof cells[0]; j++)
            cli_table_add(&t, "%" PRIu64, cells[j]);
    }
    cli_table_print(&t, &c->out);
}

static uint64_t points_back(const struct eng_recover_result *r)
{
    return r->points.points - r->points.damaged_points;
}

static void json_area(struct jsonw *w, const char *name,
                      const struct eng_recover_count *n)
{
    jsonw_key(w, name);
    jsonw_object(w);
    jsonw_kuint(w, "markers", n->markers);
    jsonw_kuint(w, "removed", n->removed);
    jsonw_kuint(w, "overwritten", n->overwritten);
    jsonw_kuint(w, "uncovered", n->uncovered);
    jsonw_kuint(w, "put_again", n->put);
    jsonw_kuint(w, "lost", n->lost);
    jsonw_kuint(w, "junk", n->junk);
    jsonw_kuint(w, "junk_removed", n->junk_removed);
    jsonw_kuint(w, "added", n->added);
    jsonw_kuint(w, "refused", n->refused);
    jsonw_end_object(w);
}

static void json_elements(struct jsonw *w, const char *name, struct buf *json)
{
    jsonw_key(w, name);
    jsonw_array(w);
    if (json->len > 0)
        jsonw_raw(w, buf_cstr(json));
    jsonw_end_array(w);
}

static int json_result(struct cli_ctx *c, const char *name,
                       const struct eng_recover_opts *o,
                       const struct eng_recover_result *r,
                       const struct err *failed, struct findings *f,
                       struct err *e)
{
    struct jsonw w = failed->kind != ERR_NONE ? cli_json_begin_failed(c, failed)
                                              : cli_json_begin(c);

    jsonw_kstring(&w, "repo", name);
    jsonw_kbool(&w, "dry_run", o->dry_run);
    cli_json_time(&w, "as_of", o->as_of);
    jsonw_key(&w, "objects");
    jsonw_object(&w);
    for (int i = 0; i < ENG_RECOVER_AREAS; i++)
        json_area(&w, eng_recover_area_names[i], &r->areas[i]);
    jsonw_end_object(&w);
    jsonw_kuint(&w, "hiding", r->hiding);
    jsonw_kuint(&w, "keysets_skipped", r->points.keysets_skipped);
    jsonw_kuint(&w, "points_back", points_back(r));
    jsonw_kuint(&w, "points_lost",
                r->points.damaged_points + r->points.missing_points);
    jsonw_kuint(&w, "locked_points_lost", r->points.locked_lost);
    json_elements(&w, "points", f->points);
    json_elements(&w, "examples", f->examples);
    return cli_json_end(c, &w, e);
}

static int finish(struct cli_ctx *c, const struct cli_repo *repo,
                  const struct eng_recover_opts *o,
                  const struct eng_recover_result *r, struct findings *f,
                  struct err *e)
{
    const char *name = eng_repo_name(repo->repo);
    struct err failed = { 0 };

    if (r->hiding > 0)
        (void)err_set(&failed, ERR_CORRUPT, 0,
                      "repository %s: %" PRIu64
                      " objects stand where it has folders; what lies below "
                      "them is not seen until they are %s",
                      name, r->hiding,
                      o->dry_run ? "removed (repo recover --yes)"
                                 : "removed, which was refused");
    else if (!eng_recover_complete(repo->repo, r))
        (void)err_set(&failed, ERR_CORRUPT, 0,
                      "repository %s: %" PRIu64
                      " points do not come back, %" PRIu64
                      " of them locked ones",
                      name, r->points.damaged_points + r->points.missing_points,
                      r->points.locked_lost);
    else if (r->denied)
        (void)err_set(&failed, ERR_DENIED, 0,
                      "repository %s can be read, but these keys may not "
                      "remove what lies over it; run it with those of the "
                      "collector",
                      name);
    int code = cli_exit_of(failed.kind);
    if (r->points.keysets_skipped > 0) {
        cli_message("%" PRIu64 " keysets were not opened: of their objects "
                    "delete markers are removed, and no more",
                    r->points.keysets_skipped);
        code = code == 0 ? 3 : code;
    }
    if (c->json)
        return json_result(c, name, o, r, &failed, f, e) < 0 ? -1 : code;
    print_areas(c, r);
    if (r->hiding == 0)
        cli_print(c, "%s%" PRIu64 " of %" PRIu64 " points can be restored",
                  o->dry_run ? "nothing was changed; " : "", points_back(r),
                  r->points.points + r->points.missing_points);
    if (failed.kind != ERR_NONE)
        cli_error_line(&failed);
    return code;
}

static int run(struct cli_ctx *c, struct cli_repo *repo,
               struct eng_recover_opts *o, struct eng_recover_result *res,
               struct err *e)
{
    AUTO_PROGRESS struct progress *progress = progress_new(e);
    AUTO_CLI_RENDER struct cli_render *render =
        progress != NULL ? cli_render_start(c, progress, e) : NULL;

    if (render == NULL)
        return -1;
    o->progress = progress;
    int r = eng_recover_run(repo->repo, o, res, e);
    cli_render_stop(STEAL(render));
    o->progress = NULL;
    return r;
}

/* On a terminal it is shown what would be done before anybody is asked. */
static int ask(struct cli_ctx *c, struct cli_repo *repo,
               const struct eng_recover_opts *o, struct err *e)
{
    AUTO_BUF struct buf question = buf_init(4096);
    struct eng_recover_opts dry = *o;
    struct eng_recover_result res;

    if (cli_given(c, CLI_OPT_YES))
        return 0;
    dry.dry_run = true;
    if (isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 &&
        run(c, repo, &dry, &res, e) < 0)
        return -1;
    buf_printf(&question, "Undo this in repository %s?",
               eng_repo_name(repo->repo));
    return cli_confirm(c, buf_cstr(&question), e);
}

int cli_repo_recover(struct cli_ctx *c, struct err *e)
{
    const char *since = cli_text(c, CLI_OPT_AS_OF);
    AUTO_BUF struct buf examples = buf_init((size_t)1 << 28);
    AUTO_BUF struct buf points = buf_init((size_t)1 << 28);
    struct findings found = {
        .c = c, .quiet = c->quiet, .examples = &examples, .points = &points
    };
    struct eng_recover_opts o = { .dry_run = cli_given(c, CLI_OPT_DRY_RUN),
                                  .cancel = c->cancel,
                                  .report = on_finding,
                                  .open = open_keysets,
                                  .ctx = &found };
    struct eng_recover_result res;
    AUTO_CLI_REPO struct cli_repo repo = { 0 };

    if (since != NULL && !utc_parse_iso(since, &o.as_of))
        return err_set(e, ERR_USAGE, 0,
                       "--as-of %s: write the time as 2026-11-22T10:00:00Z",
                       since);
    if (o.as_of > utc_real_now() + 3600)
        return err_set(e, ERR_USAGE, 0,
                       "--as-of %s lies in the future: nothing was done since",
                       since);
    if (cli_repo_open(c, c->call->args[0], CLI_TRANSFER, &repo, e) < 0 ||
        cli_unlock_open(c, repo.repo, e) < 0 ||
        (!o.dry_run && ask(c, &repo, &o, e) < 0))
        return -1;
    buf_reset(&examples);
    buf_reset(&points);
    memset(found.n, 0, sizeof found.n);
    if (run(c, &repo, &o, &res, e) < 0 || buf_check(&examples, e) < 0 ||
        buf_check(&points, e) < 0)
        return -1;
    return finish(c, &repo, &o, &res, &found, e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * repo gc.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/units.h"
#include "base/utc.h"
#include "cli/cli.h"
#include "cli/unlock.h"
#include "engine/care/collect.h"

#define LISTED 1000 /* of each kind, in the document and on stderr */

static const char *const word_names[] = {
    [ENG_COLLECT_EXPIRED] = "expired",
    [ENG_COLLECT_JUNK] = "junk",
    [ENG_COLLECT_NOTE] = "note",
};
#define WORDS (sizeof word_names / sizeof word_names[0])

struct findings {
    struct buf *json; /* elements of an array */
    bool quiet;
    size_t n[WORDS];
};

static void on_finding(void *ctx, enum eng_collect_word word, const char *what)
{
    struct findings *f = ctx;

    if (f->n[word]++ >= LISTED)
        return;
    if (!f->quiet)
        cli_message("%s%s", word == ENG_COLLECT_EXPIRED ? "expired: " : "",
                    what);
    if (f->json->len > 0)
        buf_append_char(f->json, ',');
    struct jsonw w = jsonw_init(f->json, false);
    jsonw_object(&w);
    jsonw_kstring(&w, "kind", word_names[word]);
    cli_json_text(&w, "text", what);
    jsonw_end_object(&w);
}

static void json_count(struct jsonw *w, const char *name,
                       const struct eng_collect_count *n)
{
    jsonw_key(w, name);
    jsonw_object(w);
    jsonw_kuint(w, "objects", n->objects);
    jsonw_kuint(w, "bytes", n->bytes);
    jsonw_end_object(w);
}

static int json_result(struct cli_ctx *c, const char *name,
                       const struct eng_collect_opts *o,
                       const struct eng_collect_result *r, struct buf *messages,
                       struct err *e)
{
    struct jsonw w = cli_json_begin(c);

    jsonw_kstring(&w, "repo", name);
    jsonw_kbool(&w, "dry_run", o->dry_run);
    jsonw_kuint(&w, "expired_points", r->expired);
    jsonw_kuint(&w, "removed_points", r->removed);
    jsonw_kuint(&w, "points", r->points);
    jsonw_kuint(&w, "pages", r->pages);
    jsonw_kuint(&w, "blocks", r->blocks);
    json_count(&w, "garbage", &r->garbage);
    json_count(&w, "surplus", &r->surplus);
    json_count(&w, "deleted", &r->deleted);
    json_count(&w, "locked", &r->locked);
    cli_json_time(&w, "locked_first_until", r->locked_first);
    cli_json_time(&w, "locked_last_until", r->locked_last);
    jsonw_kuint(&w, "tidied", r->tidied);
    jsonw_kuint(&w, "junk", r->junk);
    jsonw_kuint(&w, "keysets_skipped", r->keysets_skipped);
    jsonw_key(&w, "in_the_way");
    if (r->blocked) {
        jsonw_object(&w);
        cli_json_text(&w, "who", r->way.who);
        cli_json_text(&w, "vm", r->way_vm[0] != '\0' ? r->way_vm : NULL);
        cli_json_time(&w, "until", r->way.until);
        jsonw_end_object(&w);
    } else {
        jsonw_null(&w);
    }
    jsonw_key(&w, "messages");
    jsonw_array(&w);
    if (messages->len > 0)
        jsonw_raw(&w, buf_cstr(messages));
    jsonw_end_array(&w);
    return cli_json_end(c, &w, e);
}

static void print_count(struct cli_ctx *c, const char *name,
                        const struct eng_collect_count *n)
{
    char bytes[UNITS_TEXT_CHARS];

    units_format_size(n->bytes, bytes);
    cli_pair(c, name, "%" PRIu64 " objects, %s", n->objects, bytes);
}

static void print_locked(struct cli_ctx *c, const struct eng_collect_result *r)
{
    char first[UTC_ISO_CHARS];
    char last[UTC_ISO_CHARS];

    if (r->locked.objects == 0)
        return;
    print_count(c, "Still locked", &r->locked);
    if (r->locked_first == 0)
        return;
    utc_format_iso(r->locked_first, first);
    utc_format_iso(r->locked_last, last);
    cli_pair(c, "Locked until", "%s to %s", first, last);
}

static void print_result(struct cli_ctx *c, const struct eng_collect_opts *o,
                         const struct eng_collect_result *r)
{
    cli_pair(c, "Points", "%" PRIu64 " kept, %" PRIu64 " %s", r->points,
             o->dry_run ? r->expired : r->removed,
             o->dry_run ? "expired" : "removed");
    print_count(c, "Not needed", &r->garbage);
    if (r->surplus.objects > 0)
        print_count(c, "Surplus", &r->surplus);
    if (!o->dry_run)
        print_count(c, "Deleted", &r->deleted);
    print_locked(c, r);
    if (r->junk > 0)
        cli_pair(c, "Junk", "%" PRIu64 " objects", r->junk);
    if (o->dry_run)
        cli_say(c, "nothing was changed");
}

/* Somebody at work, or keysets without their key: not all was done. */
static int exit_code(const char *name, const struct eng_collect_result *r)
{
    char until[UTC_ISO_CHARS] = "";
    bool vm = r->way_vm[0] != '\0';

    if (r->way.until != 0)
        utc_format_iso(r->way.until, until);
    if (r->blocked)
        cli_message("%s%s%s is in the way%s%s%s: objvault repo gc %s --wait D "
                    "waits for it",
                    r->way.who, vm ? " of VM " : "", r->way_vm,
                    until[0] != '\0' ? ", until " : "", until,
                    until[0] != '\0' ? " at the latest" : "", name);
    if (r->keysets_skipped > 0)
        cli_message("%" PRIu64 " keysets were left alone: their keys are not "
                    "at hand",
                    r->keysets_skipped);
    return r->blocked || r->keysets_skipped > 0 ? 3 : 0;
}

static int ask(struct cli_ctx *c, const char *name, struct err *e)
{
    AUTO_BUF struct buf question = buf_init(4096);

    buf_printf(&question,
               "Remove the expired points of repository %s, and all that no "
               "point needs?",
               name);
    return cli_confirm(c, buf_cstr(&question), e);
}

int cli_repo_gc(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    AUTO_BUF struct buf messages = buf_init((size_t)1 << 24);
    struct findings found = { .json = &messages, .quiet = c->quiet };
    struct eng_collect_opts o = { .dry_run = cli_given(c, CLI_OPT_DRY_RUN),
                                  .wait_s =
                                      (int64_t)cli_number(c, CLI_OPT_WAIT),
                                  .cancel = c->cancel,
                                  .report = on_finding,
                                  .ctx = &found };
    struct eng_collect_result res;
    AUTO_CLI_REPO struct cli_repo repo = { 0 };

    if ((!o.dry_run && ask(c, name, e) < 0) ||
        cli_repo_open(c, name, CLI_TRANSFER, &repo, e) < 0 ||
        cli_unlock_open(c, repo.repo, e) < 0)
        return -1;
    if (eng_collect_run(repo.repo, &o, &res, e) < 0)
        return err_ctx(e, "repository %s", name);
    if (buf_check(&messages, e) < 0)
        return -1;
    int code = exit_code(name, &res);
    if (c->json)
        return json_result(c, name, &o, &res, &messages, e) < 0 ? -1 : code;
    print_result(c, &o, &res);
    return code;
}

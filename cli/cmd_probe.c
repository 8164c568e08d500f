// SPDX-License-Identifier: Apache-2.0
/*
 * repo probe: shows what a probe found and keeps it.
 */
#include <inttypes.h>

#include "base/utc.h"
#include "cli/cli.h"
#include "engine/repo/probe.h"

int cli_probe_warn(const struct eng_probe *p, const struct eng_probe_opts *opts)
{
    int code = 0;

    for (int i = 0; i < ENG_PROBE_ITEMS; i++) {
        enum eng_probe_item item = (enum eng_probe_item)i;
        if (!eng_probe_warns(p, item, opts))
            continue;
        code = 3;
        cli_message("warning: %s: no (%s): %s", eng_probe_title(item),
                    p->rows[item].detail, eng_probe_meaning(p, item));
    }
    return code;
}

static void print_table(struct cli_ctx *c, const struct eng_probe *p)
{
    AUTO_CLI_TABLE struct cli_table t = { .align = "lll" };

    cli_table_add(&t, "CAPABILITY");
    cli_table_add(&t, "RESULT");
    cli_table_add(&t, "WHAT IT MEANS");
    for (int i = 0; i < ENG_PROBE_ITEMS; i++) {
        const struct eng_probe_row *row = &p->rows[i];
        const char *meaning = eng_probe_meaning(p, (enum eng_probe_item)i);
        bool both = meaning[0] != '\0' && row->detail[0] != '\0';
        cli_table_add(&t, "%s", eng_probe_title((enum eng_probe_item)i));
        cli_table_add(&t, "%s", eng_probe_words[row->result]);
        cli_table_add(&t, "%s%s%s%s", meaning, both ? " (" : "", row->detail,
                      both ? ")" : "");
    }
    cli_table_print(&t, &c->out);
}

static void json_row(struct jsonw *w, const struct eng_probe *p,
                     enum eng_probe_item item,
                     const struct eng_probe_opts *opts)
{
    const struct eng_probe_row *row = &p->rows[item];
    const char *meaning = eng_probe_meaning(p, item);

    jsonw_object(w);
    jsonw_kstring(w, "name", eng_probe_name(item));
    jsonw_kstring(w, "title", eng_probe_title(item));
    jsonw_kstring(w, "result", eng_probe_words[row->result]);
    jsonw_kbool(w, "warning", eng_probe_warns(p, item, opts));
    cli_json_text(w, "detail", row->detail[0] != '\0' ? row->detail : NULL);
    jsonw_kstring(w, "meaning", meaning[0] != '\0' ? meaning : NULL);
    jsonw_end_object(w);
}

static int json_probe(struct cli_ctx *c, const char *name,
                      const struct eng_probe *p,
                      const struct eng_probe_opts *opts, bool kept,
                      struct err *e)
{
    struct jsonw w = cli_json_begin(c);

    jsonw_kstring(&w, "repo", name);
    jsonw_ktime(&w, "time", p->time);
    jsonw_kbool(&w, "kept", kept);
    jsonw_kuint(&w, "left_over", p->left_over);
    jsonw_key(&w, "capabilities");
    jsonw_array(&w);
    for (int i = 0; i < ENG_PROBE_ITEMS; i++)
        json_row(&w, p, (enum eng_probe_item)i, opts);
    jsonw_end_array(&w);
    return cli_json_end(c, &w, e);
}

/* What could not be done, and does no harm. */
static bool keep(struct cli_ctx *c, const char *name, const struct eng_probe *p)
{
    struct eng_probe_record record = eng_probe_record(p);
    struct err e = { 0 };

    if (eng_config_repo_set_probe(&c->home, name, &record, &e) == 0)
        return true;
    cli_message("the result is not kept: %s", e.msg);
    return false;
}

void cli_probe_left_over(const struct eng_probe *p)
{
    if (p->left_over > 0)
        cli_message("%" PRIu64
                    " small objects or more stay below %s: they could "
                    "not be removed; they do no harm",
                    p->left_over, p->place);
}

int cli_repo_probe(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    struct eng_probe probe = { 0 };

    if (cli_repo_open(c, name, CLI_INTERACTIVE, &repo, e) < 0)
        return -1;
    const struct mf_descriptor *d = eng_repo_descriptor(repo.repo);
    struct eng_probe_opts opts = {
        .governance = d->locked && d->mode == MF_LOCK_GOVERNANCE
    };
    int done =
        eng_probe_run(eng_repo_store(repo.repo), &opts, c->cancel, &probe, e);
    cli_probe_left_over(&probe);
    if (done < 0)
        return -1;
    bool kept = keep(c, name, &probe);
    int code = cli_probe_warn(&probe, &opts);
    if (c->json)
        return json_probe(c, name, &probe, &opts, kept, e) < 0 ? -1 : code;
    print_table(c, &probe);
    return code;
}

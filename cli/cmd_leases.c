// SPDX-License-Identifier: Apache-2.0
/*
 * repo leases.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "cli/cli.h"
#include "engine/repo/lease.h"
#include "engine/repo/runlease.h"

static const char *kind_of(const struct eng_lease_seen *s)
{
    return s->l.kind == ENG_LEASE_RUN ? "run" : "collection";
}

/* The VM of a lease where it can be told; else "". */
typedef char vm_name[MF_NAME_MAX + 1];

static void json_lease(struct jsonw *w, const struct eng_lease_seen *s,
                       const vm_name vm)
{
    jsonw_object(w);
    jsonw_kstring(w, "id", s->l.name);
    jsonw_kstring(w, "kind", kind_of(s));
    cli_json_text(w, "host", s->unreadable ? NULL : s->l.host);
    if (s->unreadable)
        jsonw_knull(w, "pid");
    else
        jsonw_kuint(w, "pid", s->l.pid);
    cli_json_text(w, "vm", vm[0] != '\0' ? vm : NULL);
    jsonw_ktime(w, "begun", s->l.begun);
    jsonw_ktime(w, "until", s->l.until);
    jsonw_ktime(w, "counts_until", s->counts_until);
    jsonw_kbool(w, "readable", !s->unreadable);
    jsonw_end_object(w);
}

/* What counts now. */
struct listed {
    struct eng_lease_seen s;
    vm_name vm;
};

struct listing {
    struct listed *l; /* owned */
    size_t n;
};

static void listing_free(struct listing *l)
{
    free(l->l);
}

static int add_kind(struct cli_ctx *c, struct cli_repo *repo,
                    enum eng_lease_kind kind, struct listing *out,
                    struct err *e)
{
    struct obj_store *store = eng_repo_store(repo->repo);
    AUTO_ENG_LEASES struct eng_leases all = { 0 };

    if (eng_leases_list(store, c->cancel, kind, &all, e) < 0)
        return -1;
    struct listed *grown =
        realloc(out->l, (out->n + all.n + 1) * sizeof(*grown));
    if (grown == NULL)
        return err_nomem(e);
    out->l = grown;
    for (size_t i = 0; i < all.n; i++) {
        if (!eng_lease_counts(&all.s[i]))
            continue;
        struct listed *l = &out->l[out->n++];
        l->s = all.s[i];
        if (eng_runlease_vm(repo->repo, c->cancel, l->s.l.vm, l->vm, e) < 0)
            return -1;
    }
    return 0;
}

static int json_list(struct cli_ctx *c, const char *name,
                     const struct listing *all, struct err *e)
{
    struct jsonw w = cli_json_begin(c);

    jsonw_kstring(&w, "repo", name);
    jsonw_key(&w, "leases");
    jsonw_array(&w);
    for (size_t i = 0; i < all->n; i++)
        json_lease(&w, &all->l[i].s, all->l[i].vm);
    jsonw_end_array(&w);
    return cli_json_end(c, &w, e);
}

static void table(struct cli_ctx *c, const struct listing *all, bool simple)
{
    static const char *const heads[] = { "ID", "KIND",  "HOST",        "PID",
                                         "VM", "SINCE", "COUNTS UNTIL" };
    AUTO_CLI_TABLE struct cli_table t = { .align = "lllrlll" };

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        cli_table_add(&t, "%s", heads[i]);
    for (size_t i = 0; i < all->n; i++) {
        const struct eng_lease_seen *s = &all->l[i].s;
        const char *vm = all->l[i].vm;
        char begun[UTC_ISO_CHARS];
        char until[UTC_ISO_CHARS];
        utc_format_iso(s->l.begun, begun);
        utc_format_iso(s->counts_until, until);
        cli_table_add(&t, "%s", s->l.name);
        cli_table_add(&t, "%s", kind_of(s));
        cli_table_add(&t, "%s", s->unreadable ? "?" : s->l.host);
        if (s->unreadable)
            cli_table_add(&t, "?");
        else
            cli_table_add(&t, "%" PRIu32, s->l.pid);
        cli_table_add(&t, "%s", vm[0] != '\0' ? vm : "-");
        cli_table_add(&t, "%s", begun);
        cli_table_add(&t, "%s", until);
    }
    if (all->n > 0)
        cli_table_print(&t, &c->out);
    else if (simple)
        cli_say(c, "in a directory runs lock files and have no leases");
    else
        cli_say(c, "nobody is at work");
}

static int list(struct cli_ctx *c, struct cli_repo *repo, struct err *e)
{
    AUTO(listing_free) struct listing all = { 0 };

    for (int k = 0; k < ENG_LEASE_KINDS; k++)
        if (add_kind(c, repo, (enum eng_lease_kind)k, &all, e) < 0)
            return -1;
    if (c->json)
        return json_list(c, eng_repo_name(repo->repo), &all, e);
    table(c, &all, eng_repo_is_simple(repo->repo));
    return 0;
}

static int find(struct cli_ctx *c, struct cli_repo *repo, const char *id,
                struct eng_lease_seen *out, struct err *e)
{
    struct obj_store *store = eng_repo_store(repo->repo);

    for (int k = 0; k < ENG_LEASE_KINDS; k++) {
        AUTO_ENG_LEASES struct eng_leases all = { 0 };
        if (eng_leases_list(store, c->cancel, (enum eng_lease_kind)k, &all, e) <
            0)
            return -1;
        for (size_t i = 0; i < all.n; i++)
            if (strcmp(all.s[i].l.name, id) == 0 &&
                eng_lease_counts(&all.s[i])) {
                *out = all.s[i];
                return 0;
            }
    }
    return err_set(e, ERR_NOTFOUND, 0, "there is no lease %s", id);
}

static int break_one(struct cli_ctx *c, struct cli_repo *repo, const char *id,
                     struct err *e)
{
    struct eng_lease_seen s = { 0 };
    char text[ENG_LEASE_TEXT_CHARS];
    char until[UTC_ISO_CHARS];
    vm_name vm;
    bool dry = cli_given(c, CLI_OPT_DRY_RUN);
    AUTO_BUF struct buf question = buf_init(4096);

    if (find(c, repo, id, &s, e) < 0 ||
        eng_runlease_vm(repo->repo, c->cancel, s.l.vm, vm, e) < 0)
        return -1;
    eng_lease_text(&s, text);
    buf_printf(&question, "End %s?", text);
    if (!dry &&
        (cli_confirm(c, buf_cstr(&question), e) < 0 ||
         eng_lease_break(eng_repo_store(repo->repo), c->cancel, id, &s, e) < 0))
        return -1;
    utc_format_iso(s.counts_until, until);
    cli_say(c, "%s%s: it counts until %s", dry ? "not changed, " : "", text,
            until);
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "repo", eng_repo_name(repo->repo));
    jsonw_kbool(&w, "dry_run", dry);
    jsonw_key(&w, "lease");
    json_lease(&w, &s, vm);
    return cli_json_end(c, &w, e);
}

int cli_repo_leases(struct cli_ctx *c, struct err *e)
{
    const char *id = cli_text(c, CLI_OPT_BREAK);
    AUTO_CLI_REPO struct cli_repo repo = { 0 };

    if (id == NULL &&
        (cli_given(c, CLI_OPT_YES) || cli_given(c, CLI_OPT_DRY_RUN)))
        return err_set(e, ERR_USAGE, 0, "--yes and --dry-run go with --break");
    if (cli_repo_open(c, c->call->args[0], CLI_INTERACTIVE, &repo, e) < 0)
        return -1;
    return id == NULL ? list(c, &repo, e) : break_one(c, &repo, id, e);
}

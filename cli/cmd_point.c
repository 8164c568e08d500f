// SPDX-License-Identifier: Apache-2.0
/*
 * point list, show, export, verify, delete, protect, unprotect.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "base/utc.h"
#include "cli/cli.h"
#include "cli/unlock.h"
#include "engine/care/kept.h"
#include "engine/repo/keep.h"
#include "engine/restore/restore.h"

#define VERIFY_MESSAGES_MAX 10000

static const char *kind_name(enum mf_kind k)
{
    return k == MF_FULL ? "full" : "incremental";
}

static const char *consistency_name(enum mf_consistency k)
{
    switch (k) {
    case MF_CRASH:
        return "crash";
    case MF_FS:
        return "fs";
    case MF_APP:
        return "app";
    }
    return "crash";
}

static const char *state_name(const struct eng_kept *k)
{
    if (k->damaged)
        return "damaged";
    return k->expired ? "expired" : "ok";
}

/* The parent's name, from the manifest file that the point names. */
static void json_parent(struct jsonw *w, const struct mf_point *m)
{
    int64_t time = 0;
    uint8_t hash[8];
    char iso[UTC_ISO_CHARS];
    jsonw_key(w, "parent");
    if (m->parent == NULL || !mf_point_file_parse(m->parent, &time, hash)) {
        jsonw_null(w);
        return;
    }
    AUTO_BUF struct buf name = buf_init(MF_NAME_MAX + 64);
    utc_format_iso(time, iso);
    buf_printf(&name, "%s@%s", m->vm.name, iso);
    jsonw_string(w, buf_cstr(&name));
}

static void json_gfs(struct jsonw *w, unsigned gfs)
{
    jsonw_key(w, "gfs");
    jsonw_array(w);
    if (gfs & MF_GFS_WEEKLY)
        jsonw_string(w, "weekly");
    if (gfs & MF_GFS_MONTHLY)
        jsonw_string(w, "monthly");
    if (gfs & MF_GFS_YEARLY)
        jsonw_string(w, "yearly");
    jsonw_end_array(w);
}

/* The members that a list and a single point share. */
static void json_point(struct jsonw *w, const struct eng_point *p,
                       const struct eng_kept *k, const char *name,
                       const char *repo)
{
    const struct mf_point *m = p->manifest;
    cli_json_text(w, "point", name);
    cli_json_text(w, "vm", p->sealed ? NULL : p->vm);
    jsonw_kbool(w, "sealed", p->sealed);
    jsonw_kstring(w, "keyset", p->keyset);
    jsonw_kstring(w, "repo", repo);
    cli_json_text(w, "job", m != NULL ? m->job : NULL);
    jsonw_ktime(w, "time", p->time);
    if (m == NULL) {
        static const char *const unknown[] = { "kind", "chain", "parent",
                                               "consistency" };
        static const char *const sizes[] = { "source_bytes",  "read_bytes",
                                             "new_bytes",     "stored_bytes",
                                             "visible_until", "locked_until" };
        for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
            jsonw_knull(w, unknown[i]);
        json_gfs(w, 0);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            jsonw_knull(w, sizes[i]);
        jsonw_kstring(w, "state", p->sealed ? NULL : state_name(k));
        jsonw_kstring(w, "kept", p->sealed ? NULL : eng_keep_word(k->reason));
        return;
    }
    jsonw_kstring(w, "kind", kind_name(m->kind));
    jsonw_ktime(w, "chain", m->chain);
    json_parent(w, m);
    jsonw_kstring(w, "consistency", consistency_name(m->consistency));
    json_gfs(w, m->gfs);
    jsonw_kuint(w, "source_bytes", m->stats.source_bytes);
    jsonw_kuint(w, "read_bytes", m->stats.read_bytes);
    jsonw_kuint(w, "new_bytes", m->stats.new_bytes);
    jsonw_kuint(w, "stored_bytes", m->stats.stored_bytes);
    cli_json_time(w, "visible_until", k->until);
    cli_json_time(w, "locked_until", m->locked_until);
    jsonw_kstring(w, "state", state_name(k));
    jsonw_kstring(w, "kept", eng_keep_word(k->reason));
}

static int json_list(struct cli_ctx *c, const struct eng_points *ps,
                     const struct eng_kept *kept, const char *repo,
                     struct err *e)
{
    struct jsonw w = cli_json_begin(c);
    jsonw_key(&w, "points");
    jsonw_array(&w);
    for (size_t i = 0; i < ps->n; i++) {
        AUTO_MEM char *name = eng_point_text(ps, &ps->p[i], e);
        if (name == NULL)
            return -1;
        jsonw_object(&w);
        json_point(&w, &ps->p[i], &kept[i], name, repo);
        jsonw_end_object(&w);
    }
    jsonw_end_array(&w);
    return cli_json_end(c, &w, e);
}

/* Kind, sizes and flags; "-" where the manifest cannot be read. */
static void table_point(struct cli_table *t, const struct mf_point *m)
{
    if (m == NULL) {
        for (int j = 0; j < 5; j++)
            cli_table_add(t, "-");
        return;
    }
    cli_table_add(t, "%s", kind_name(m->kind));
    cli_table_size(t, m->stats.source_bytes);
    cli_table_size(t, m->stats.read_bytes);
    cli_table_size(t, m->stats.stored_bytes);
    cli_table_add(t, "%s%s%s%s", m->gfs & MF_GFS_WEEKLY ? "W" : "",
                  m->gfs & MF_GFS_MONTHLY ? "M" : "",
                  m->gfs & MF_GFS_YEARLY ? "Y" : "", m->gfs == 0 ? "-" : "");
}

static const char *label_of(const struct eng_repo *repo, const char *keyset)
{
    const struct eng_keyset *k = eng_keysets_find(repo, keyset);

    return k != NULL && k->label[0] != '\0' ? k->label : keyset;
}

/* The dates of locks are shown where there are locks, keysets where there is
 * one that is encrypted. */
static int table_list(struct cli_ctx *c, const struct eng_repo *repo,
                      const struct eng_points *ps, const struct eng_kept *kept,
                      struct err *e)
{
    bool locks = false;
    bool keysets = eng_repo_keysets(repo)->n > 0;
    for (size_t i = 0; i < ps->n; i++)
        locks = locks || kept[i].locked_until != 0;
    AUTO_CLI_TABLE struct cli_table t = { .align = locks && keysets
                                                       ? "llrrrllllll"
                                                   : locks || keysets
                                                       ? "llrrrlllll"
                                                       : "llrrrllll" };
    static const char *const heads[] = { "POINT", "KIND",   "SOURCE",
                                         "READ",  "STORED", "GFS",
                                         "STATE", "KEPT",   "VISIBLE UNTIL" };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        cli_table_add(&t, "%s", heads[i]);
    if (locks)
        cli_table_add(&t, "LOCKED UNTIL");
    if (keysets)
        cli_table_add(&t, "KEYSET");
    for (size_t i = 0; i < ps->n; i++) {
        AUTO_MEM char *name = eng_point_text(ps, &ps->p[i], e);
        if (name == NULL)
            return -1;
        cli_table_add(&t, "%s", name);
        table_point(&t, ps->p[i].manifest);
        cli_table_add(&t, "%s",
                      ps->p[i].sealed ? "sealed" : state_name(&kept[i]));
        cli_table_add(&t, "%s",
                      kept[i].expired || kept[i].damaged
                          ? "-"
                          : eng_keep_text(kept[i].reason));
        cli_table_time(&t, kept[i].until);
        if (locks)
            cli_table_time(&t, kept[i].locked_until);
        if (keysets)
            cli_table_add(&t, "%s", label_of(repo, ps->p[i].keyset));
    }
    if (ps->n > 0)
        cli_table_print(&t, &c->out);
    return 0;
}

int cli_point_list(struct cli_ctx *c, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_ENG_POINTS struct eng_points ps = { 0 };
    if (cli_repo_open_chosen(c, CLI_INTERACTIVE, &repo, e) < 0 ||
        cli_unlock_open(c, repo.repo, e) < 0 ||
        eng_points_list_all(repo.repo, c->cancel,
                            cli_text(c, CLI_OPT_VM_FILTER), &ps, e) < 0)
        return -1;
    AUTO_MEM struct eng_kept *kept =
        eng_kept_judge(repo.repo, c->cancel, &ps, utc_now(), e);
    if (kept == NULL)
        return -1;
    for (size_t i = 0; i < ps.n; i++)
        if (ps.p[i].manifest == NULL && !ps.p[i].sealed)
            cli_message("%s: damaged: %s", ps.p[i].vm,
                        ps.p[i].why != NULL ? ps.p[i].why : "not readable");
    if (c->json)
        return json_list(c, &ps, kept, eng_repo_name(repo.repo), e);
    return table_list(c, repo.repo, &ps, kept, e);
}

/* The point that the first argument names. */
static int open_point(struct cli_ctx *c, enum cli_patience how,
                      struct cli_repo *repo, struct eng_point *point,
                      char **name, struct err *e)
{
    return cli_point_open(c, c->call->args[0], how, repo, point, name, e);
}

/* Commands that need the manifest end here without one. */
static int need_manifest(const struct eng_point *p, const char *name,
                         struct err *e)
{
    if (p->manifest != NULL)
        return 0;
    return err_set(e, ERR_CORRUPT, 0, "point %s: %s", name,
                   p->why != NULL ? p->why : "its manifest is damaged");
}

/* How long one point stays depends on the others of its series. */
static int judge(struct cli_ctx *c, struct eng_repo *repo,
                 const struct eng_point *p, struct eng_kept *out, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points ps = { 0 };
    if (eng_points_list(repo, c->cancel, p->vm, &ps, e) < 0)
        return -1;
    AUTO_MEM struct eng_kept *kept =
        eng_kept_judge(repo, c->cancel, &ps, utc_now(), e);
    if (kept == NULL)
        return -1;
    for (size_t i = 0; i < ps.n; i++)
        if (strcmp(ps.p[i].file, p->file) == 0) {
            *out = kept[i];
            out->policy = NULL; /* it goes with ps */
            return 0;
        }
    return err_set(e, ERR_NOTFOUND, 0, "the point was removed just now");
}

static int json_show(struct cli_ctx *c, const struct eng_point *p,
                     const struct eng_kept *k, const char *name,
                     const char *repo, struct err *e)
{
    const struct mf_point *m = p->manifest;
    struct jsonw w = cli_json_begin(c);
    jsonw_key(&w, "point");
    jsonw_object(&w);
    json_point(&w, p, k, name, repo);
    jsonw_key(&w, "disks");
    jsonw_array(&w);
    for (size_t i = 0; i < m->n_disks; i++) {
        jsonw_object(&w);
        jsonw_kstring(&w, "name", m->disks[i].name);
        jsonw_kuint(&w, "size", m->disks[i].size);
        jsonw_kuint(&w, "block_size", m->disks[i].block_size);
        jsonw_kstring(&w, "bus", m->disks[i].bus);
        jsonw_end_object(&w);
    }
    jsonw_end_array(&w);
    jsonw_key(&w, "files");
    jsonw_array(&w);
    for (size_t i = 0; i < m->n_files; i++) {
        jsonw_object(&w);
        jsonw_kstring(&w, "name", m->files[i].name);
        jsonw_kuint(&w, "size", m->files[i].size);
        jsonw_end_object(&w);
    }
    jsonw_end_array(&w);
    jsonw_end_object(&w);
    return cli_json_end(c, &w, e);
}

static void pair_size(struct cli_ctx *c, const char *name, uint64_t bytes)
{
    char text[UNITS_TEXT_CHARS];
    units_format_size(bytes, text);
    cli_pair(c, name, "%s", text);
}

static void print_streams(struct cli_ctx *c, const struct mf_point *m)
{
    AUTO_CLI_TABLE struct cli_table t = { .align = "lrl" };
    cli_table_add(&t, "NAME");
    cli_table_add(&t, "SIZE");
    cli_table_add(&t, "FORMAT");
    for (size_t i = 0; i < m->n_disks; i++) {
        cli_table_add(&t, "%s", m->disks[i].name);
        cli_table_size(&t, m->disks[i].size);
        cli_table_add(&t, "%s", m->disks[i].format);
    }
    for (size_t i = 0; i < m->n_files; i++) {
        cli_table_add(&t, "%s", m->files[i].name);
        cli_table_size(&t, m->files[i].size);
        cli_table_add(&t, "file");
    }
    buf_append_char(&c->out, '\n');
    cli_table_print(&t, &c->out);
}

static void pair_time(struct cli_ctx *c, const char *name, int64_t time)
{
    char iso[UTC_ISO_CHARS];
    if (time == 0)
        return;
    utc_format_iso(time, iso);
    cli_pair(c, name, "%s", iso);
}

static void print_point(struct cli_ctx *c, const struct mf_point *m,
                        const struct eng_kept *k)
{
    cli_pair(c, "Source", "%s", m->vm.source);
    if (m->job != NULL)
        cli_pair(c, "Job", "%s", m->job);
    cli_pair(c, "Kind", "%s", kind_name(m->kind));
    cli_pair(c, "Consistency", "%s", consistency_name(m->consistency));
    cli_pair(c, "State", "%s", state_name(k));
    if (!k->expired)
        cli_pair(c, "Kept", "%s", eng_keep_text(k->reason));
    pair_time(c, "Until", k->until);
    pair_time(c, "Locked", m->locked_until);
    pair_size(c, "Size", m->stats.source_bytes);
    pair_size(c, "Read", m->stats.read_bytes);
    pair_size(c, "New", m->stats.new_bytes);
    pair_size(c, "Stored", m->stats.stored_bytes);
    cli_pair(c, "Made by", "%s", m->program);
    print_streams(c, m);
}

int cli_point_show(struct cli_ctx *c, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_ENG_POINT struct eng_point p = { 0 };
    AUTO_MEM char *name = NULL;
    struct eng_kept k = { 0 };
    if (open_point(c, CLI_INTERACTIVE, &repo, &p, &name, e) < 0 ||
        need_manifest(&p, name, e) < 0 || judge(c, repo.repo, &p, &k, e) < 0)
        return -1;
    if (c->json)
        return json_show(c, &p, &k, name, eng_repo_name(repo.repo), e);
    cli_pair(c, "Point", "%s", name);
    cli_pair(c, "Repository", "%s", eng_repo_name(repo.repo));
    print_point(c, p.manifest, &k);
    return 0;
}

int cli_point_export(struct cli_ctx *c, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_ENG_POINT struct eng_point p = { 0 };
    AUTO_MEM char *name = NULL;
    AUTO_BUF struct buf manifest = buf_init(MF_POINT_JSON_MAX);
    if (open_point(c, CLI_INTERACTIVE, &repo, &p, &name, e) < 0 ||
        need_manifest(&p, name, e) < 0 ||
        eng_point_export(repo.repo, c->cancel, &p, &manifest, e) < 0)
        return -1;
    if (!c->json) {
        buf_append(&c->out, manifest.p, manifest.len);
        buf_append_char(&c->out, '\n');
        return 0;
    }
    struct jsonw w = cli_json_begin(c);
    cli_json_text(&w, "point", name);
    jsonw_key(&w, "manifest");
    jsonw_raw(&w, buf_cstr(&manifest));
    return cli_json_end(c, &w, e);
}

/* What verifying found; its JSON grows while it runs. */
struct findings {
    struct cli_ctx *c;
    struct buf *json; /* elements of an array of strings */
    size_t n;
};

static void on_damage(void *ctx, const char *what)
{
    struct findings *f = ctx;
    cli_message("%s", what);
    if (f->n++ >= VERIFY_MESSAGES_MAX)
        return;
    AUTO_BUF struct buf clean = buf_init(8192);
    cli_clean(&clean, what);
    if (f->json->len > 0)
        buf_append_char(f->json, ',');
    struct jsonw w = jsonw_init(f->json, false);
    jsonw_string(&w, buf_cstr(&clean));
}

static int result_verify(struct cli_ctx *c, const char *name, const char *level,
                         const struct eng_verify_result *res,
                         struct buf *messages, struct err *e)
{
    struct err damage = { 0 };
    bool bad = res->damaged > 0;
    if (bad)
        (void)err_set(&damage, ERR_CORRUPT, 0,
                      "point %s: %" PRIu64 " objects are damaged or missing",
                      name, res->damaged);
    if (!c->json) {
        if (bad)
            cli_error_line(&damage);
        else
            cli_say(c,
                    "point %s: %" PRIu64 " pages and %" PRIu64
                    " blocks are well",
                    name, res->pages, res->blocks);
        return bad ? 7 : 0;
    }
    struct jsonw w =
        bad ? cli_json_begin_failed(c, &damage) : cli_json_begin(c);
    cli_json_text(&w, "point", name);
    jsonw_kstring(&w, "level", level);
    jsonw_kuint(&w, "pages", res->pages);
    jsonw_kuint(&w, "blocks", res->blocks);
    jsonw_kuint(&w, "damaged", res->damaged);
    jsonw_key(&w, "messages");
    jsonw_array(&w);
    if (messages->len > 0)
        jsonw_raw(&w, buf_cstr(messages));
    jsonw_end_array(&w);
    if (cli_json_end(c, &w, e) < 0)
        return -1;
    return bad ? 7 : 0;
}

int cli_point_verify(struct cli_ctx *c, struct err *e)
{
    const char *level = cli_text(c, CLI_OPT_LEVEL);
    bool list = level != NULL && strcmp(level, "list") == 0;
    struct eng_verify_result res = { 0 };
    AUTO_BUF struct buf messages = buf_init((size_t)1 << 28);
    struct findings found = { .c = c, .json = &messages };
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_ENG_POINT struct eng_point p = { 0 };
    AUTO_MEM char *name = NULL;
    if (open_point(c, CLI_TRANSFER, &repo, &p, &name, e) < 0)
        return -1;
    AUTO_PROGRESS struct progress *progress = progress_new(e);
    AUTO_CLI_RENDER struct cli_render *render =
        progress != NULL ? cli_render_start(c, progress, e) : NULL;
    if (render == NULL)
        return -1;
    struct eng_restore_opts o = { .cancel = c->cancel, .progress = progress };
    int r = eng_verify_point(repo.repo, &p,
                             list ? ENG_VERIFY_LIST : ENG_VERIFY_FULL, &o,
                             on_damage, &found, &res, e);
    cli_render_stop(STEAL(render));
    if (r < 0 || buf_check(&messages, e) < 0)
        return -1;
    return result_verify(c, name, list ? "list" : "full", &res, &messages, e);
}

int cli_point_delete(struct cli_ctx *c, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_ENG_POINT struct eng_point p = { 0 };
    AUTO_MEM char *name = NULL;
    bool dry = cli_given(c, CLI_OPT_DRY_RUN);
    if (open_point(c, CLI_INTERACTIVE, &repo, &p, &name, e) < 0 ||
        eng_keep_forbids(repo.repo, c->cancel, &p, e) < 0)
        return -1;
    if (!dry) {
        AUTO_BUF struct buf question = buf_init(4096);
        buf_printf(&question, "Delete point %s from repository %s?", name,
                   eng_repo_name(repo.repo));
        if (cli_confirm(c, buf_cstr(&question), e) < 0 ||
            eng_point_delete(repo.repo, c->cancel, &p, e) < 0)
            return -1;
    }
    cli_say(c, "point %s %s deleted from repository %s", name,
            dry ? "would be" : "is", eng_repo_name(repo.repo));
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    cli_json_text(&w, "point", name);
    jsonw_kstring(&w, "repo", eng_repo_name(repo.repo));
    jsonw_kbool(&w, "deleted", !dry);
    jsonw_kbool(&w, "dry_run", dry);
    return cli_json_end(c, &w, e);
}

static int result_protect(struct cli_ctx *c, const char *name, const char *repo,
                          bool on, bool changed, struct err *e)
{
    cli_say(c, "point %s in repository %s %s %s", name, repo,
            changed ? "is" : "was", on ? "protected" : "not protected");
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    cli_json_text(&w, "point", name);
    jsonw_kstring(&w, "repo", repo);
    jsonw_kbool(&w, "protected", on);
    jsonw_kbool(&w, "changed", changed);
    return cli_json_end(c, &w, e);
}

int cli_point_protect(struct cli_ctx *c, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_ENG_POINT struct eng_point p = { 0 };
    AUTO_MEM char *name = NULL;
    bool changed = false;
    if (open_point(c, CLI_INTERACTIVE, &repo, &p, &name, e) < 0 ||
        need_manifest(&p, name, e) < 0 ||
        eng_keep_put(repo.repo, c->cancel, &p, &changed, e) < 0)
        return -1;
    return result_protect(c, name, eng_repo_name(repo.repo), true, changed, e);
}

int cli_point_unprotect(struct cli_ctx *c, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_ENG_POINT struct eng_point p = { 0 };
    AUTO_MEM char *name = NULL;
    bool changed = false;
    if (open_point(c, CLI_INTERACTIVE, &repo, &p, &name, e) < 0 ||
        eng_keep_remove(repo.repo, c->cancel, &p, &changed, e) < 0)
        return -1;
    return result_protect(c, name, eng_repo_name(repo.repo), false, changed, e);
}

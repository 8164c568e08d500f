// SPDX-License-Identifier: Apache-2.0
/*
 * Which repository, which point: what --repo says, else the only one that can
 * be meant.
 */
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "cli/cli.h"
#include "cli/unlock.h"
#include "engine/repo/bench.h"
#include "engine/repo/keysets.h"

void cli_repo_close(struct cli_repo *r)
{
    eng_repo_close(r->repo);
    eng_config_place_fini(&r->place);
    *r = (struct cli_repo){ 0 };
}

static int open_repo(struct cli_ctx *c, const char *name, enum cli_patience how,
                     struct cli_repo *r, struct err *e)
{
    AUTO_ENG_CONFIG_REPO struct eng_config_repo config = { 0 };
    if (eng_config_repo_load(&c->home, name, &config, e) < 0 ||
        eng_config_place_init(&r->place, &c->home, &config, e) < 0)
        return -1;
    struct obj_config *store = &r->place.place.store;
    store->deadline_ms = how == CLI_TRANSFER ? CLI_TRANSFER_DEADLINE_MS
                                             : CLI_INTERACTIVE_DEADLINE_MS;
    store->cancel = c->cancel;
    if (how == CLI_MEASURING) /* its connections are all that there are */
        store->min_in_flight = ENG_BENCH_CONNECTIONS_MAX;
    store->upload_bytes_per_s = cli_given(c, CLI_OPT_LIMIT_UPLOAD)
                                    ? cli_number(c, CLI_OPT_LIMIT_UPLOAD)
                                    : c->limit_upload;
    store->download_bytes_per_s = cli_number(c, CLI_OPT_LIMIT_DOWNLOAD);
    r->repo = eng_repo_open(&r->place.place, c->cancel, e);
    return r->repo != NULL ? 0 : -1;
}

int cli_repo_open(struct cli_ctx *c, const char *name, enum cli_patience how,
                  struct cli_repo *out, struct err *e)
{
    *out = (struct cli_repo){ 0 };
    if (open_repo(c, name, how, out, e) == 0)
        return 0;
    cli_repo_close(out);
    return -1;
}

struct name_list {
    char **names;
    size_t n;
};

static void name_list_free(struct name_list *l)
{
    eng_config_names_free(l->names, l->n);
    *l = (struct name_list){ 0 };
}

static int load_names(struct cli_ctx *c, struct name_list *l, struct err *e)
{
    if (eng_config_names(&c->home, "repos", &l->names, &l->n, e) < 0)
        return -1;
    if (l->n == 0)
        return err_set(e, ERR_NOTFOUND, 0,
                       "no repository is configured in %s; see objvault repo "
                       "create and repo attach",
                       c->home.config);
    return 0;
}

/* "a, b, c" of those that are marked (NULL: all). */
static void join_names(const struct name_list *l, const bool *marked,
                       struct buf *out)
{
    const char *between = "";
    for (size_t i = 0; i < l->n; i++)
        if (marked == NULL || marked[i]) {
            buf_printf(out, "%s%s", between, l->names[i]);
            between = ", ";
        }
}

int cli_repo_open_chosen(struct cli_ctx *c, enum cli_patience how,
                         struct cli_repo *out, struct err *e)
{
    *out = (struct cli_repo){ 0 };
    if (cli_given(c, CLI_OPT_REPO))
        return cli_repo_open(c, cli_text(c, CLI_OPT_REPO), how, out, e);
    AUTO(name_list_free) struct name_list l = { 0 };
    if (load_names(c, &l, e) < 0)
        return -1;
    if (l.n == 1)
        return cli_repo_open(c, l.names[0], how, out, e);
    AUTO_BUF struct buf names = buf_init(4096);
    join_names(&l, NULL, &names);
    return err_set(e, ERR_USAGE, 0,
                   "several repositories are configured: say --repo with one "
                   "of %s",
                   buf_cstr(&names));
}

/* The full name of a point that was found by `text`. */
static char *full_name(const char *text, const struct eng_point *p,
                       struct err *e)
{
    char time[UTC_ISO_CHARS];
    char *name = NULL;
    const char *at = strrchr(text, '@');
    if (at != NULL && strcmp(at, "@latest") != 0) {
        name = strdup(text);
    } else {
        utc_format_iso(p->time, time);
        if (asprintf(&name, "%s@%s", p->vm, time) < 0)
            name = NULL;
    }
    if (name == NULL)
        (void)err_nomem(e);
    return name;
}

/* Where a keyset is closed, the point may be in it: that is the reason then. */
static int explain_closed(const struct eng_repo *repo, const char *text,
                          struct err *e)
{
    const struct eng_keysets *all = eng_repo_keysets(repo);

    for (size_t i = 0; e->kind == ERR_NOTFOUND && i < all->n; i++)
        if (all->k[i]->keys == NULL && all->k[i]->why_kind != ERR_NONE)
            return err_set(e, all->k[i]->why_kind, 0,
                           "point %.200s is not among those that can be read: "
                           "%s",
                           text, all->k[i]->why);
    return -1;
}

static int find_in(struct cli_ctx *c, struct cli_repo *repo, const char *text,
                   struct eng_point *point, char **name, struct err *e)
{
    if (cli_unlock_open(c, repo->repo, e) < 0)
        return -1;
    if (eng_point_find_any(repo->repo, c->cancel, text, point, e) < 0)
        return explain_closed(repo->repo, text, e);
    *name = full_name(text, point, e);
    if (*name != NULL)
        return 0;
    eng_point_free(point);
    return -1;
}

/* Looks for the point in every repository; fills `has`.  One that cannot be
 * looked at may have it, so that is an error. */
static int look_everywhere(struct cli_ctx *c, const struct name_list *l,
                           const char *text, bool *has, size_t *found,
                           struct err *e)
{
    *found = 0;
    for (size_t i = 0; i < l->n; i++) {
        AUTO_CLI_REPO struct cli_repo repo = { 0 };
        AUTO_ENG_POINT struct eng_point point = { 0 };
        AUTO_MEM char *name = NULL;
        if (cli_repo_open(c, l->names[i], CLI_INTERACTIVE, &repo, e) < 0) {
            (void)err_ctx(e, "look in repository %s", l->names[i]);
            return err_hint(e, "name the point's repository by --repo");
        }
        if (find_in(c, &repo, text, &point, &name, e) == 0) {
            has[i] = true;
            (*found)++;
        } else if (e->kind != ERR_NOTFOUND) {
            return -1;
        }
    }
    return 0;
}

static int open_found(struct cli_ctx *c, const char *name_of_repo,
                      const char *text, enum cli_patience how,
                      struct cli_repo *repo, struct eng_point *point,
                      char **name, struct err *e)
{
    if (cli_repo_open(c, name_of_repo, how, repo, e) < 0)
        return -1;
    if (find_in(c, repo, text, point, name, e) == 0)
        return 0;
    cli_repo_close(repo);
    return -1;
}

int cli_point_open(struct cli_ctx *c, const char *text, enum cli_patience how,
                   struct cli_repo *repo, struct eng_point *point, char **name,
                   struct err *e)
{
    *repo = (struct cli_repo){ 0 };
    if (cli_given(c, CLI_OPT_REPO))
        return open_found(c, cli_text(c, CLI_OPT_REPO), text, how, repo, point,
                          name, e);
    AUTO(name_list_free) struct name_list l = { 0 };
    if (load_names(c, &l, e) < 0)
        return -1;
    if (l.n == 1)
        return open_found(c, l.names[0], text, how, repo, point, name, e);

    size_t found = 0;
    AUTO_MEM bool *has = calloc(l.n, sizeof *has);
    if (has == NULL)
        return err_nomem(e);
    if (look_everywhere(c, &l, text, has, &found, e) < 0)
        return -1;
    AUTO_BUF struct buf names = buf_init(4096);
    if (found == 0) {
        join_names(&l, NULL, &names);
        return err_set(e, ERR_NOTFOUND, 0, "no point %s in any repository (%s)",
                       text, buf_cstr(&names));
    }
    if (found > 1) {
        join_names(&l, has, &names);
        return err_set(e, ERR_USAGE, 0,
                       "point %s is in several repositories: say --repo with "
                       "one of %s",
                       text, buf_cstr(&names));
    }
    size_t i = 0;
    while (!has[i])
        i++;
    return open_found(c, l.names[i], text, how, repo, point, name, e);
}

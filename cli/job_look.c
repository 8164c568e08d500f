// SPDX-License-Identifier: Apache-2.0
/* What sources have now of what a job names. */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "cli/job.h"
#include "engine/job/reference.h"
#include "engine/job/source_config.h"

void cli_job_sources_fini(struct cli_job_sources *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->v[i].name);
        free(s->v[i].problem);
        eng_inventory_free(s->v[i].inventory);
    }
    free(s->v);
    *s = (struct cli_job_sources){ 0 };
}

static bool has_source(const struct cli_job_sources *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->v[i].name, name) == 0)
            return true;
    return false;
}

int cli_job_sources_look(struct cli_ctx *c, const char *const *names, size_t n,
                         struct cli_job_sources *out, struct err *e)
{
    AUTO_CLI_JOB_SOURCES struct cli_job_sources s = { .v = calloc(
                                                          n + 1, sizeof *s.v) };

    if (s.v == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++) {
        struct err why = { 0 };
        if (has_source(&s, names[i]))
            continue;
        struct cli_job_source *at = &s.v[s.n++];
        at->name = io_format(e, "%s", names[i]);
        if (at->name == NULL)
            return -1;
        at->inventory =
            eng_config_source_look(&c->home, names[i], c->cancel, &why);
        if (why.kind == ERR_CANCELLED || why.kind == ERR_NOMEM) {
            *e = why;
            return -1;
        }
        if (at->inventory == NULL) {
            at->problem = io_format(e, "%s", why.msg);
            if (at->problem == NULL)
                return -1;
        }
    }
    *out = s;
    s = (struct cli_job_sources){ 0 };
    return 0;
}

/* The source that a text "SOURCE:..." begins with; *rest: what stands behind.
 * NULL: none that was looked at. */
static const struct cli_job_source *
source_of(const struct cli_job_sources *s, const char *text, const char **rest)
{
    size_t len = strcspn(text, ":");

    *rest = text[len] == ':' ? text + len + 1 : "";
    for (size_t i = 0; i < s->n; i++)
        if (strlen(s->v[i].name) == len &&
            strncmp(s->v[i].name, text, len) == 0)
            return &s->v[i];
    return NULL;
}

static bool has_vm(const struct eng_inventory *inv, const char *text)
{
    for (size_t i = 0; i < inv->n_vms; i++)
        if (strcmp(inv->vms[i].name, text) == 0 ||
            strcmp(inv->vms[i].id, text) == 0)
            return true;
    return false;
}

static bool has_container(const struct eng_inventory *inv, const char *text)
{
    struct eng_container_ref ref = eng_container_ref_of(text);

    for (size_t i = 0; i < inv->n_containers; i++)
        if (inv->containers[i].kind == ref.kind &&
            strcmp(inv->containers[i].name, ref.name) == 0)
            return true;
    return text[0] == '\0'; /* all of it */
}

#define NEAREST 3 /* so many names are shown */

/* Adds to e the names that look most like word; the list loses them. */
static int hint_nearest(const char *word, const char **names, size_t n,
                        const char *source, struct err *e)
{
    AUTO_BUF struct buf list = buf_init(300);

    for (int i = 0; i < NEAREST; i++) {
        const char *near = cli_nearest(word, names, n);
        if (near == NULL)
            break;
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", near);
        size_t kept = 0;
        for (size_t j = 0; j < n; j++)
            if (strcmp(names[j], near) != 0)
                names[kept++] = names[j];
        n = kept;
    }
    if (list.len > 0)
        return err_hint(e, "did you mean %s?", buf_cstr(&list));
    return err_hint(e, "see objvault vm list %s", source);
}

static int no_vm(const struct cli_job_source *s, const char *text,
                 struct err *e)
{
    const struct eng_inventory *inv = s->inventory;
    AUTO_MEM const char **names = calloc(inv->n_vms + 1, sizeof *names);

    if (names == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < inv->n_vms; i++)
        names[i] = inv->vms[i].name;
    (void)err_set(e, ERR_NOTFOUND, 0, "source %s has no VM \"%.200s\"", s->name,
                  text);
    return hint_nearest(text, names, inv->n_vms, s->name, e);
}

static int no_container(const struct cli_job_source *s, const char *text,
                        struct err *e)
{
    const struct eng_inventory *inv = s->inventory;
    AUTO_MEM char **owned = calloc(inv->n_containers + 1, sizeof *owned);
    AUTO_MEM const char **names = calloc(inv->n_containers + 1, sizeof *names);
    size_t n = 0;

    if (owned == NULL || names == NULL)
        return err_nomem(e);
    while (n < inv->n_containers) {
        owned[n] = eng_container_text(&inv->containers[n], e);
        if (owned[n] == NULL)
            break;
        names[n] = owned[n];
        n++;
    }
    (void)err_set(e, ERR_NOTFOUND, 0, "source %s has no container \"%.200s\"",
                  s->name, text);
    (void)hint_nearest(text, names, n, s->name, e);
    for (size_t i = 0; i < n; i++)
        free(owned[i]);
    return -1;
}

int cli_job_look_up(const struct eng_job *j, const struct cli_job_sources *s,
                    struct err *e)
{
    const char *rest = NULL;

    for (size_t i = 0; i < j->vms.n; i++) {
        const struct cli_job_source *at = source_of(s, j->vms.v[i], &rest);
        if (at != NULL && at->inventory != NULL && !has_vm(at->inventory, rest))
            return no_vm(at, rest, e);
    }
    for (size_t i = 0; i < j->containers.n; i++) {
        const struct cli_job_source *at =
            source_of(s, j->containers.v[i], &rest);
        if (at != NULL && at->inventory != NULL &&
            !has_container(at->inventory, rest))
            return no_container(at, rest, e);
    }
    return 0;
}

int cli_job_select(const struct eng_job *j, const struct cli_job_sources *s,
                   struct eng_selection *out, struct err *e)
{
    AUTO_MEM struct eng_looked *looked = calloc(s->n + 1, sizeof *looked);

    if (looked == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < s->n; i++)
        looked[i] = (struct eng_looked){ .source = s->v[i].name,
                                         .inventory = s->v[i].inventory,
                                         .problem = s->v[i].problem };
    return eng_select(j, looked, s->n, out, e);
}

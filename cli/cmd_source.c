// SPDX-License-Identifier: Apache-2.0
/*
 * source add, list, show, remove: places with machines that are configured.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "cli/cli.h"
#include "engine/job/source_config.h"

#define FOLDER "dir:"

int cli_source_notes(const struct cli_ctx *c, const struct eng_inventory *inv)
{
    bool warned = false;

    for (size_t i = 0; i < inv->n_notes; i++) {
        const struct eng_note *n = &inv->notes[i];
        warned |= n->warning;
        if (!c->quiet)
            cli_message("%s%s", n->warning ? "warning: " : "", n->text);
    }
    return warned ? 3 : 0;
}

void cli_json_notes(struct jsonw *w, const struct eng_inventory *inv)
{
    jsonw_key(w, "notes");
    jsonw_array(w);
    for (size_t i = 0; i < inv->n_notes; i++) {
        jsonw_object(w);
        jsonw_kbool(w, "warning", inv->notes[i].warning);
        cli_json_text(w, "text", inv->notes[i].text);
        jsonw_end_object(w);
    }
    jsonw_end_array(w);
}

void cli_json_container(struct jsonw *w, const char *source,
                        const struct eng_container *container, bool count)
{
    jsonw_object(w);
    if (source != NULL)
        jsonw_kstring(w, "source", source);
    jsonw_kstring(w, "kind", eng_container_kind_name(container->kind));
    cli_json_text(w, "name", container->name);
    if (count)
        jsonw_kuint(w, "vms", container->n_vms);
    jsonw_end_object(w);
}

static int result(struct cli_ctx *c, const char *name,
                  const struct eng_inventory *inv, struct err *e)
{
    struct jsonw w = cli_json_begin(c);
    jsonw_key(&w, "source");
    jsonw_object(&w);
    jsonw_kstring(&w, "name", name);
    cli_json_text(&w, "place", inv->place.text);
    jsonw_kuint(&w, "vms", inv->n_vms);
    jsonw_key(&w, "containers");
    jsonw_array(&w);
    for (size_t i = 0; i < inv->n_containers; i++)
        cli_json_container(&w, NULL, &inv->containers[i], true);
    jsonw_end_array(&w);
    cli_json_notes(&w, inv);
    jsonw_end_object(&w);
    return cli_json_end(c, &w, e);
}

/* A folder of the command line still means the same tomorrow. */
static int place_from(const char *text, struct eng_config_source *s,
                      struct err *e)
{
    if (strncmp(text, FOLDER, strlen(FOLDER)) != 0) {
        s->place = strdup(text);
        return s->place != NULL ? 0 : err_nomem(e);
    }
    AUTO_MEM char *real = realpath(text + strlen(FOLDER), NULL);
    if (real == NULL)
        return err_set(e, err_of_errno(errno), errno, "%s", text);
    s->place = io_format(e, FOLDER "%s", real);
    return s->place != NULL ? 0 : -1;
}

int cli_source_add(struct cli_ctx *c, struct err *e)
{
    AUTO_ENG_CONFIG_SOURCE struct eng_config_source s = {
        .name = strdup(c->call->args[0])
    };
    AUTO_ENG_PLACE struct eng_place place = { 0 };

    if (s.name == NULL)
        return err_nomem(e);
    if (place_from(c->call->args[1], &s, e) < 0 ||
        eng_config_source_check(&s, &place, e) < 0)
        return -1;
    /* What cannot be looked at is not saved. */
    AUTO_ENG_INVENTORY struct eng_inventory *inv =
        eng_inventory_read(&place, c->cancel, e);
    if (inv == NULL || eng_config_source_save(&c->home, &s, e) < 0)
        return -1;
    cli_say(c, "source %s is configured: %s, %zu VMs in %zu containers", s.name,
            place.text, inv->n_vms, inv->n_containers);
    int exit_code = cli_source_notes(c, inv);
    if (c->json && result(c, s.name, inv, e) < 0)
        return -1;
    return exit_code;
}

int cli_source_show(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    AUTO_ENG_INVENTORY struct eng_inventory *inv =
        eng_config_source_look(&c->home, name, c->cancel, e);
    AUTO_CLI_TABLE struct cli_table t = { .align = "llr" };

    if (inv == NULL)
        return -1;
    int exit_code = cli_source_notes(c, inv);
    if (c->json)
        return result(c, name, inv, e) < 0 ? -1 : exit_code;
    cli_pair(c, "Source", "%s", name);
    cli_pair(c, "Place", "%s", inv->place.text);
    cli_pair(c, "VMs", "%zu", inv->n_vms);
    if (inv->n_containers == 0)
        return exit_code;
    cli_table_add(&t, "KIND");
    cli_table_add(&t, "CONTAINER");
    cli_table_add(&t, "VMS");
    for (size_t i = 0; i < inv->n_containers; i++) {
        cli_table_add(&t, "%s",
                      eng_container_kind_name(inv->containers[i].kind));
        cli_table_add(&t, "%s", inv->containers[i].name);
        cli_table_add(&t, "%zu", inv->containers[i].n_vms);
    }
    cli_print(c, "%s", "");
    cli_table_print(&t, &c->out);
    return exit_code;
}

int cli_source_remove(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];

    if (eng_config_source_remove(&c->home, name, e) < 0)
        return -1;
    cli_say(c, "source %s is forgotten here; its VMs are untouched", name);
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "source", name);
    return cli_json_end(c, &w, e);
}

/* One element, and row; a file that is wrong is a warning. */
static bool list_one(struct cli_ctx *c, const char *name, struct jsonw *w,
                     struct cli_table *t)
{
    struct err problem = { 0 };
    AUTO_ENG_CONFIG_SOURCE struct eng_config_source s = { 0 };
    bool ok = eng_config_source_load(&c->home, name, &s, &problem) == 0;

    if (!ok)
        cli_error_line(&problem);
    jsonw_object(w);
    jsonw_kstring(w, "name", name);
    cli_json_text(w, "place", s.place);
    cli_json_text(w, "problem", ok ? NULL : problem.msg);
    jsonw_end_object(w);
    cli_table_add(t, "%s", name);
    cli_table_add(t, "%s", ok ? s.place : "(wrong configuration)");
    return ok;
}

int cli_source_list(struct cli_ctx *c, struct err *e)
{
    static const char *const heads[] = { "NAME", "PLACE", NULL };

    return cli_list_configured(c, "sources", "ll", heads, list_one, e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * config check, config schema, version.
 */
#include <string.h>

#include "base/io.h"
#include "cli/cli.h"

/* The report; its JSON grows while the files are read. */
struct check {
    struct buf *files; /* elements of the JSON array */
    size_t total;
};

static void on_file(void *ctx, const char *file, const struct err *problem)
{
    struct check *k = ctx;
    if (k->total++ > 0)
        buf_append_char(k->files, ',');
    struct jsonw w = jsonw_init(k->files, false);
    jsonw_object(&w);
    cli_json_text(&w, "file", file);
    jsonw_kbool(&w, "ok", problem == NULL);
    cli_json_text(&w, "message", problem != NULL ? problem->msg : NULL);
    jsonw_end_object(&w);
    if (problem != NULL)
        cli_error_line(problem);
}

int cli_config_check(struct cli_ctx *c, struct err *e)
{
    size_t bad = 0;
    AUTO_BUF struct buf array = buf_init((size_t)1 << 28);
    struct check k = { .files = &array };
    if (eng_config_check(&c->home, on_file, &k, &bad, e) < 0 ||
        buf_check(&array, e) < 0)
        return -1;

    struct err wrong = { 0 };
    if (bad > 0)
        (void)err_set(&wrong, ERR_CONFIG, 0,
                      "%zu of %zu configuration files are wrong", bad, k.total);
    if (!c->json) {
        if (bad == 0)
            cli_say(c, "%zu configuration files are well", k.total);
        return bad > 0 ? 2 : 0;
    }
    struct jsonw w =
        bad > 0 ? cli_json_begin_failed(c, &wrong) : cli_json_begin(c);
    jsonw_key(&w, "files");
    jsonw_array(&w);
    if (k.total > 0)
        jsonw_raw(&w, buf_cstr(&array));
    jsonw_end_array(&w);
    if (cli_json_end(c, &w, e) < 0)
        return -1;
    return bad > 0 ? 2 : 0;
}

int cli_config_schema(struct cli_ctx *c, struct err *e)
{
    const char *kind = c->call->args[0];
    AUTO_BUF struct buf schema = buf_init((size_t)1 << 20);
    if (eng_config_schema(kind, !c->json, &schema, e) < 0)
        return -1;
    if (!c->json) {
        buf_append(&c->out, schema.p, schema.len);
        return 0;
    }
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "kind", kind);
    jsonw_key(&w, "schema");
    jsonw_raw(&w, buf_cstr(&schema));
    return cli_json_end(c, &w, e);
}

int cli_version(struct cli_ctx *c, struct err *e)
{
    cli_print(c, "objvault %s", OBJVAULT_VERSION);
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "version", OBJVAULT_VERSION);
    jsonw_kuint(&w, "format", MF_FORMAT_VERSION);
    return cli_json_end(c, &w, e);
}

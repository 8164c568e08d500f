// SPDX-License-Identifier: Apache-2.0
/*
 * restore disk, restore vm.
 */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/cli.h"
#include "engine/restore/restore.h"

static int result(struct cli_ctx *c, const char *point, const char *repo,
                  const char *to, const struct eng_restore_result *res,
                  struct err *e)
{
    char size[UNITS_TEXT_CHARS];
    units_format_size(res->bytes, size);
    cli_say(c,
            "restored %s to %s: %" PRIu64 " disks, %" PRIu64
            " files, %s in %.1f s",
            point, to, res->disks, res->files, size, res->seconds);
    if (!c->json)
        return 0;
    struct jsonw w = cli_json_begin(c);
    cli_json_text(&w, "point", point);
    jsonw_kstring(&w, "repo", repo);
    cli_json_text(&w, "to", to);
    jsonw_kuint(&w, "disks", res->disks);
    jsonw_kuint(&w, "files", res->files);
    jsonw_kuint(&w, "bytes", res->bytes);
    jsonw_kuint(&w, "fetched_blocks", res->fetched_blocks);
    jsonw_kuint(&w, "fetched_bytes", res->fetched_bytes);
    jsonw_key(&w, "seconds");
    jsonw_double(&w, res->seconds, 3);
    return cli_json_end(c, &w, e);
}

/* With the image on stdout nothing else may go there. */
static int check_stdout(struct cli_ctx *c, const char *to,
                        enum eng_target_format format, struct err *e)
{
    if (strcmp(to, "-") != 0)
        return 0;
    c->stdout_taken = true;
    if (c->json)
        return err_set(e, ERR_USAGE, 0,
                       "--json and --to - exclude each other: stdout is one or "
                       "the other");
    if (format != ENG_TARGET_RAW)
        return err_set(e, ERR_USAGE, 0,
                       "--to - takes --format raw only: other formats cannot "
                       "be written in one pass");
    if (isatty(STDOUT_FILENO) == 1)
        return err_set(e, ERR_USAGE, 0,
                       "--to -: stdout is a terminal; pipe it somewhere");
    if (cli_given(c, CLI_OPT_PROGRESS_JSON) &&
        cli_number(c, CLI_OPT_PROGRESS_JSON) == STDOUT_FILENO)
        return err_set(e, ERR_USAGE, 0,
                       "--progress-json 1 and --to - exclude each other");
    return 0;
}

/* Restores one disk (or, with vm, everything) of the point that the first
 * argument names. */
static int restore(struct cli_ctx *c, bool vm, const char *to,
                   enum eng_target_format format, struct err *e)
{
    struct eng_restore_result res = { 0 };
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    AUTO_ENG_POINT struct eng_point p = { 0 };
    AUTO_MEM char *name = NULL;
    if (cli_point_open(c, c->call->args[0], CLI_TRANSFER, &repo, &p, &name, e) <
        0)
        return -1;
    if (p.manifest == NULL)
        return err_set(e, ERR_CORRUPT, 0, "point %s: %s", name,
                       p.why != NULL ? p.why : "its manifest is damaged");
    AUTO_PROGRESS struct progress *progress = progress_new(e);
    AUTO_CLI_RENDER struct cli_render *render =
        progress != NULL ? cli_render_start(c, progress, e) : NULL;
    if (render == NULL)
        return -1;
    struct eng_restore_opts o = { .force = cli_given(c, CLI_OPT_FORCE),
                                  .format = format,
                                  .cancel = c->cancel,
                                  .progress = progress };
    int r;
    if (vm) {
        r = eng_restore_vm(repo.repo, &p, to, &o, &res, e);
    } else {
        const char *disk = c->call->n_args > 1 ? c->call->args[1] : NULL;
        r = eng_restore_disk(repo.repo, &p, disk, to, &o, &res, e);
    }
    cli_render_stop(STEAL(render));
    if (r < 0 && e->kind == ERR_CANCELLED)
        return err_hint(
            e, "complete in %.200s: %" PRIu64 " disks, %" PRIu64 " files", to,
            vm ? res.disks : 0, res.files);
    if (r < 0)
        return -1;
    return result(c, name, eng_repo_name(repo.repo), to, &res, e);
}

int cli_restore_disk(struct cli_ctx *c, struct err *e)
{
    const char *to = cli_text(c, CLI_OPT_TO_FILE);
    const char *word = cli_text(c, CLI_OPT_FORMAT);
    enum eng_target_format format = ENG_TARGET_RAW;
    if (word != NULL && strcmp(word, "qcow2") == 0)
        format = ENG_TARGET_QCOW2;
    if (check_stdout(c, to, format, e) < 0)
        return -1;
    return restore(c, false, to, format, e);
}

int cli_restore_vm(struct cli_ctx *c, struct err *e)
{
    return restore(c, true, cli_text(c, CLI_OPT_TO_DIR), ENG_TARGET_RAW, e);
}

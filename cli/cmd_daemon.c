// SPDX-License-Identifier: Apache-2.0
/*
 * daemon.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/signals.h"
#include "cli/cli.h"
#include "engine/daemon/daemon.h"

/* The file that this process runs; malloc'd. */
static char *own_path(struct err *e)
{
    char *path = realpath("/proc/self/exe", NULL);

    if (path == NULL)
        (void)err_set(e, err_of_errno(errno), errno,
                      "find the program's own file");
    return path;
}

/* A unit may be started in any folder. */
static int absolute(char **folder, struct err *e)
{
    if ((*folder)[0] == '/')
        return 0;
    AUTO_MEM char *here = getcwd(NULL, 0);
    if (here == NULL)
        return err_set(e, err_of_errno(errno), errno, "current folder");
    char *path = io_join(here, *folder, e);
    if (path == NULL)
        return -1;
    free(*folder);
    *folder = path;
    return 0;
}

static int print_units(struct cli_ctx *c, const char *program, struct err *e)
{
    struct jsonw w = cli_json_begin(c);

    if (absolute(&c->home.config, e) < 0 || absolute(&c->home.state, e) < 0)
        return -1;
    jsonw_key(&w, "units");
    jsonw_array(&w);
    for (int u = 0; u < ENG_UNITS; u++) {
        AUTO_BUF struct buf text = buf_init((size_t)1 << 16);
        const char *name = eng_unit_name((enum eng_unit)u);
        eng_unit_text((enum eng_unit)u, &c->home, program, &text);
        if (buf_check(&text, e) < 0)
            return -1;
        jsonw_object(&w);
        jsonw_kstring(&w, "name", name);
        jsonw_kstring(&w, "text", buf_cstr(&text));
        jsonw_end_object(&w);
    }
    jsonw_end_array(&w);
    if (c->json)
        return cli_json_end(c, &w, e);
    buf_reset(&c->out);
    for (int u = 0; u < ENG_UNITS; u++) {
        buf_printf(&c->out, "%s# /etc/systemd/system/%s\n", u > 0 ? "\n" : "",
                   eng_unit_name((enum eng_unit)u));
        if (u == ENG_UNIT_RESIDENT)
            buf_append_str(&c->out, "# (instead of the two above)\n");
        eng_unit_text((enum eng_unit)u, &c->home, program, &c->out);
    }
    return 0;
}

static void on_hup(void *ctx)
{
    eng_real_world_wake(ctx);
}

int cli_daemon(struct cli_ctx *c, struct err *e)
{
    AUTO_MEM char *program = own_path(e);
    struct eng_world world;

    if (program == NULL)
        return -1;
    if (cli_given(c, CLI_OPT_SYSTEMD))
        return print_units(c, program, e);
    if (!c->quiet && !cli_given(c, CLI_OPT_VERBOSE))
        log_setup(LOG_INFO, cli_given(c, CLI_OPT_LOG_JSON));
    AUTO_ENG_REAL_WORLD struct eng_real_world *w =
        eng_real_world_new(&c->home, program, c->cancel, &world, e);
    if (w == NULL)
        return -1;
    struct eng_daemon_opts o = { .home = &c->home,
                                 .world = &world,
                                 .until_idle =
                                     cli_given(c, CLI_OPT_UNTIL_IDLE) };
    signals_on_hup(on_hup, w);
    int r = eng_daemon_run(&o, e);
    signals_on_hup(NULL, NULL);
    if (r < 0)
        return -1;
    if (!c->json)
        return 0;
    struct jsonw out = cli_json_begin(c);
    return cli_json_end(c, &out, e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * backup run: one restore point for each source.  A VM that fails does not
 * stop the others; what became of each is the result.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/cli.h"
#include "cli/unlock.h"
#include "engine/backup/backup.h"
#include "engine/history/report.h"
#include "engine/source/machine.h"

/* One source, from the path to what became of it. */
struct vm_run {
    const char *path;            /* borrowed */
    struct eng_machine *machine; /* NULL: could not be looked at */
    const char *name;            /* of the VM; the path before it is known */
    bool failed;
    struct err error;
    struct eng_backup_result res;
    uint64_t requests[ENG_REQUEST_KINDS];
    uint64_t stored, stored_bytes; /* objects that it put */
};

struct runs {
    struct vm_run *vm;
    size_t n;
    const struct eng_keeping *keeping; /* NULL: none */
    struct cli_encrypt encrypt;
};

static void runs_free(struct runs *r)
{
    for (size_t i = 0; i < r->n; i++)
        eng_machine_free(r->vm[i].machine);
    free(r->vm);
    cli_encrypt_fini(&r->encrypt);
    *r = (struct runs){ 0 };
}

static void fail(struct vm_run *v, const struct err *e)
{
    v->failed = true;
    v->error = *e;
}

/* Looks at every source; one that cannot be read only fails itself. */
static int scan(struct cli_ctx *c, struct runs *r, struct err *e)
{
    r->vm = calloc(c->call->n_args, sizeof *r->vm);
    if (r->vm == NULL)
        return err_nomem(e);
    r->n = c->call->n_args;
    for (size_t i = 0; i < r->n; i++) {
        struct vm_run *v = &r->vm[i];
        struct err problem = { 0 };
        v->path = c->call->args[i];
        v->name = v->path;
        v->machine = eng_machine_scan(v->path, &problem);
        if (v->machine == NULL) {
            fail(v, &problem);
            continue;
        }
        v->name = cli_given(c, CLI_OPT_VM) ? cli_text(c, CLI_OPT_VM)
                                           : v->machine->name;
    }
    return 0;
}

/* Two machines under one name would end in one series of points. */
static int check_names(const struct runs *r, struct err *e)
{
    for (size_t i = 0; i < r->n; i++)
        for (size_t j = 0; j < i; j++)
            if (r->vm[i].machine != NULL && r->vm[j].machine != NULL &&
                strcmp(r->vm[i].name, r->vm[j].name) == 0)
                return err_set(e, ERR_USAGE, 0,
                               "%s and %s would both be VM %s: back them up "
                               "one by one, with --vm",
                               r->vm[j].path, r->vm[i].path, r->vm[i].name);
    return 0;
}

static enum eng_upload upload(struct cli_ctx *c)
{
    const char *word = cli_text(c, CLI_OPT_UPLOAD);

    if (word == NULL)
        return ENG_UPLOAD_NEW;
    return strcmp(word, "all") == 0 ? ENG_UPLOAD_ALL : ENG_UPLOAD_MISSING;
}

/* What the counters grew by. */
static void count(struct vm_run *v, const struct obj_counters *before,
                  const struct obj_counters *after)
{
    eng_requests_between(before, after, v->requests);
    v->stored = after->stored - before->stored;
    v->stored_bytes = after->stored_bytes - before->stored_bytes;
}

/* A run that broke off lost nothing of what it had stored, and says so. */
static void add_kept(struct vm_run *v)
{
    char size[UNITS_TEXT_CHARS];

    units_format_size(v->stored_bytes, size);
    if (v->stored > 0)
        (void)err_hint(&v->error,
                       "kept: %" PRIu64 " objects (%s) that it stored, which "
                       "the next run uses",
                       v->stored, size);
    else if (v->error.kind == ERR_CANCELLED)
        (void)err_hint(&v->error, "nothing was stored yet");
}

static void run_one(struct cli_ctx *c, const struct runs *r, struct vm_run *v,
                    struct eng_repo *repo, struct progress *progress)
{
    struct obj_counters before = { 0 };
    struct obj_counters after = { 0 };
    struct err e = { 0 };
    struct eng_backup_opts o = {
        .vm = cli_text(c, CLI_OPT_VM),
        .full = cli_given(c, CLI_OPT_FULL),
        .upload = upload(c),
        .synthetic_full = cli_given(c, CLI_OPT_SYNTHETIC_FULL),
        .keeping = r->keeping,
        .encrypt = &r->encrypt.o,
        .adopt = cli_given(c, CLI_OPT_ADOPT),
        .dry_run = cli_given(c, CLI_OPT_DRY_RUN_BACKUP),
        .compression = eng_compression_of(cli_text(c, CLI_OPT_COMPRESSION)),
        .memory_bytes = cli_number(c, CLI_OPT_MEMORY),
        .cancel = c->cancel,
        .progress = progress,
    };
    obj_store_counters(eng_repo_store(repo), &before);
    int made = eng_backup_machine(repo, v->machine, &o, &v->res, &e);
    obj_store_counters(eng_repo_store(repo), &after);
    count(v, &before, &after);
    if (made < 0) {
        fail(v, &e);
        add_kept(v);
    }
}

static void run_all(struct cli_ctx *c, struct runs *r, struct eng_repo *repo,
                    struct progress *progress)
{
    for (size_t i = 0; i < r->n; i++) {
        struct vm_run *v = &r->vm[i];
        struct err e = { 0 };
        if (!v->failed && cancel_check(c->cancel, &e) < 0)
            fail(v, &e);
        if (!v->failed)
            run_one(c, r, v, repo, progress);
        /* With one source its name would only repeat the message. */
        if (v->failed && r->n > 1)
            cli_message("%s: %s", v->name, v->error.msg);
        else if (v->failed)
            cli_error_line(&v->error);
        else if (v->res.warning[0] != '\0')
            cli_message("%s: %s", v->name, v->res.warning);
    }
}

enum run_status { RUN_SUCCESS, RUN_WARNING, RUN_FAILED };

static const char *status_name(enum run_status s)
{
    static const char *const names[] = { "success", "warning", "failed" };
    return names[s];
}

static enum run_status vm_status(const struct vm_run *v)
{
    if (v->failed)
        return RUN_FAILED;
    return v->res.warning[0] != '\0' ? RUN_WARNING : RUN_SUCCESS;
}

/* The run's status; *error is set where it failed. */
static enum run_status judge(struct cli_ctx *c, const struct runs *r,
                             struct err *error)
{
    size_t failed = 0;
    size_t warned = 0;
    const struct vm_run *first = NULL;
    for (size_t i = 0; i < r->n; i++) {
        enum run_status s = vm_status(&r->vm[i]);
        failed += s == RUN_FAILED;
        warned += s == RUN_WARNING;
        if (s == RUN_FAILED && first == NULL)
            first = &r->vm[i];
        /* An interrupted run is interrupted, whatever was done before. */
        if (s == RUN_FAILED && r->vm[i].error.kind == ERR_CANCELLED &&
            cancel_requested(c->cancel)) {
            *error = r->vm[i].error;
            return RUN_FAILED;
        }
    }
    if (first == NULL)
        return warned > 0 ? RUN_WARNING : RUN_SUCCESS;
    if (failed < r->n)
        return RUN_WARNING;
    *error = first->error;
    if (r->n > 1)
        (void)err_ctx(error, "%s", first->name);
    return RUN_FAILED;
}

static int exit_code(enum run_status s, const struct err *error)
{
    if (s == RUN_FAILED)
        return cli_exit_of(error->kind);
    return s == RUN_WARNING ? 3 : 0;
}

static void json_vm(struct jsonw *w, const struct vm_run *v)
{
    const struct eng_backup_result *res = &v->res;
    bool made = !v->failed && res->point[0] != '\0';
    jsonw_object(w);
    cli_json_text(w, "vm", v->name);
    jsonw_kstring(w, "status", status_name(vm_status(v)));
    cli_json_text(w, "point", made ? res->point : NULL);
    jsonw_kstring(w, "kind",
                  v->failed              ? NULL
                  : res->kind == MF_FULL ? "full"
                                         : "incremental");
    jsonw_kstring(w, "keyset", made ? res->keyset : NULL);
    jsonw_kuint(w, "read_bytes", res->read_bytes);
    jsonw_kuint(w, "new_blocks", res->new_blocks);
    jsonw_kuint(w, "reused_blocks", res->reused_blocks);
    jsonw_kuint(w, "stored_bytes", res->stored_bytes);
    jsonw_key(w, "seconds");
    jsonw_double(w, res->seconds, 3);
    jsonw_kstring(w, "bottleneck", v->failed ? NULL : res->bottleneck);
    eng_report_json_busy(w, res->busy);
    eng_report_json_requests(w, v->requests);
    jsonw_key(w, "kept");
    jsonw_object(w);
    jsonw_kuint(w, "objects", v->failed ? v->stored : 0);
    jsonw_kuint(w, "bytes", v->failed ? v->stored_bytes : 0);
    jsonw_end_object(w);
    jsonw_key(w, "messages");
    jsonw_array(w);
    const char *message = v->failed ? v->error.msg : res->warning;
    if (message[0] != '\0') {
        AUTO_BUF struct buf clean = buf_init(8192);
        cli_clean(&clean, message);
        jsonw_string(w, buf_cstr(&clean));
    }
    jsonw_end_array(w);
    jsonw_end_object(w);
}

static int json_result(struct cli_ctx *c, const struct runs *r,
                       enum run_status status, const struct err *error,
                       struct err *e)
{
    struct jsonw w = status == RUN_FAILED ? cli_json_begin_failed(c, error)
                                          : cli_json_begin(c);
    jsonw_kstring(&w, "status", status_name(status));
    jsonw_key(&w, "vms");
    jsonw_array(&w);
    for (size_t i = 0; i < r->n; i++)
        json_vm(&w, &r->vm[i]);
    jsonw_end_array(&w);
    return cli_json_end(c, &w, e);
}

static void table_result(struct cli_ctx *c, const struct runs *r)
{
    AUTO_CLI_TABLE struct cli_table t = { 0 };

    for (size_t i = 0; i < r->n; i++) {
        const struct eng_backup_result *res = &r->vm[i].res;
        AUTO_MEM char *none = NULL;
        if (r->vm[i].failed)
            continue;
        if (res->point[0] == '\0' &&
            asprintf(&none, "%s (nothing stored)", r->vm[i].name) < 0)
            none = NULL;
        const struct cli_made made = {
            .point = none != NULL ? none : res->point,
            .kind = res->kind == MF_FULL ? "full" : "incremental",
            .read_bytes = res->read_bytes,
            .new_blocks = res->new_blocks,
            .stored_bytes = res->stored_bytes,
            .seconds = res->seconds,
            .bottleneck = res->bottleneck,
        };
        cli_table_made(&t, &made);
    }
    if (t.n > 0)
        cli_table_print(&t, &c->out);
}

/* Backs up everything that could be looked at. */
static int run(struct cli_ctx *c, struct runs *r, struct err *e)
{
    AUTO_CLI_REPO struct cli_repo repo = { 0 };
    if (cli_repo_open_chosen(c, CLI_TRANSFER, &repo, e) < 0)
        return -1;
    if (cli_encrypt_begin(c, repo.repo, &r->encrypt, e) < 0)
        return -1;
    AUTO_PROGRESS struct progress *progress = progress_new(e);
    AUTO_CLI_RENDER struct cli_render *render =
        progress != NULL ? cli_render_start(c, progress, e) : NULL;
    if (render == NULL)
        return -1;
    run_all(c, r, repo.repo, progress);
    return 0;
}

/* The policy that the options make; zone: where a default is kept.
 * *keeping NULL: there is none. */
static int read_policy(struct cli_ctx *c, struct eng_keeping *k,
                       char zone[ENG_ZONE_NAME_CHARS],
                       const struct eng_keeping **keeping, struct err *e)
{
    *keeping = NULL;
    k->gfs = ENG_GFS_NONE;
    if (!cli_given(c, CLI_OPT_RETENTION)) {
        const char *needs = cli_given(c, CLI_OPT_GFS)        ? "--gfs"
                            : cli_given(c, CLI_OPT_TIMEZONE) ? "--timezone"
                                                             : NULL;
        if (needs == NULL)
            return 0;
        return err_set(e, ERR_USAGE, 0,
                       "%s needs --retention, which says how long all the "
                       "other points are kept",
                       needs);
    }
    if (eng_retention_parse_days(cli_text(c, CLI_OPT_RETENTION), &k->days, e) <
        0)
        return err_ctx(e, "--retention");
    if (cli_given(c, CLI_OPT_GFS) &&
        eng_gfs_parse(cli_text(c, CLI_OPT_GFS), &k->gfs, e) < 0)
        return err_ctx(e, "--gfs");
    k->timezone = cli_text(c, CLI_OPT_TIMEZONE);
    if (k->timezone == NULL) {
        eng_zone_here(zone);
        k->timezone = zone;
    }
    AUTO_ENG_ZONE struct eng_zone *z = eng_zone_open(k->timezone, e);
    if (z == NULL)
        return err_ctx(e, "--timezone");
    *keeping = k;
    return 0;
}

static int check_options(struct cli_ctx *c, struct err *e)
{
    if (cli_given(c, CLI_OPT_VM) && c->call->n_args > 1)
        return err_set(e, ERR_USAGE, 0,
                       "--vm names one VM, but there are %zu sources",
                       c->call->n_args);
    if (cli_given(c, CLI_OPT_SYNTHETIC_FULL) &&
        (cli_given(c, CLI_OPT_FULL) || cli_given(c, CLI_OPT_UPLOAD)))
        return err_set(e, ERR_USAGE, 0,
                       "--synthetic-full reads and stores no block: it goes "
                       "with neither --full nor --upload");
    return 0;
}

int cli_backup_run(struct cli_ctx *c, struct err *e)
{
    AUTO(runs_free) struct runs r = { 0 };
    struct eng_keeping keeping = { 0 };
    char zone[ENG_ZONE_NAME_CHARS];
    if (check_options(c, e) < 0 ||
        read_policy(c, &keeping, zone, &r.keeping, e) < 0)
        return -1;
    if (scan(c, &r, e) < 0 || check_names(&r, e) < 0 || run(c, &r, e) < 0)
        return -1;

    struct err error = { 0 };
    enum run_status status = judge(c, &r, &error);
    if (c->json && json_result(c, &r, status, &error, e) < 0)
        return -1;
    if (!c->json && !c->quiet)
        table_result(c, &r);
    return exit_code(status, &error);
}

// SPDX-License-Identifier: Apache-2.0
/* Looking at every configuration file: by itself, and at what it names. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/secretref.h"
#include "engine/job/account.h"
#include "engine/job/daemon_config.h"
#include "engine/job/fields.h"
#include "engine/job/job.h"
#include "engine/job/kms_config.h"
#include "engine/job/source_config.h"

/* The credentials that a repository names must be there. */
static int check_reference(const struct eng_home *h, const char *path,
                           const struct eng_config_repo *r, struct err *e)
{
    if (r->credentials == NULL)
        return 0;
    AUTO_MEM char *file =
        eng_config_path(h, &eng_kind_credentials, r->credentials, e);
    if (file == NULL)
        return -1;
    if (access(file, F_OK) < 0)
        return err_set(e, ERR_CONFIG, errno, "%s: credentials: %s", path, file);
    return 0;
}

/* The files with secrets of a key server must be its user's alone. */
static int check_key_files(const char *path, const struct eng_config_kms *k,
                           struct err *e)
{
    const char *const files[] = { k->key, k->password_file };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        AUTO_SECRET_BUF struct buf content = secret_buf(0);
        if (files[i] != NULL && secretref_key_file(files[i], &content, e) < 0)
            return err_ctx(e, "%s", path);
    }
    return 0;
}

static int check_repo(const struct eng_home *h, const char *path,
                      const char *name, struct err *e)
{
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };

    if (eng_config_repo_read(path, name, &r, e) < 0)
        return -1;
    return check_reference(h, path, &r, e);
}

static int check_credentials(const char *path, struct err *e)
{
    AUTO(eng_account_fini) struct eng_account a = { 0 };

    return eng_config_read(&eng_kind_credentials, path, &a, e);
}

static int check_kms(const char *path, const char *name, struct err *e)
{
    AUTO_ENG_CONFIG_KMS struct eng_config_kms kms = { 0 };

    if (eng_config_kms_read(path, name, &kms, e) < 0)
        return -1;
    return check_key_files(path, &kms, e);
}

static int check_source(const char *path, const char *name, struct err *e)
{
    AUTO_ENG_CONFIG_SOURCE struct eng_config_source source = { 0 };

    return eng_config_source_read(path, name, &source, e);
}

static int check_job(const struct eng_home *h, const char *path,
                     const char *name, struct err *e)
{
    AUTO_ENG_JOB struct eng_job j = { 0 };

    if (eng_job_read(path, name, &j, e) < 0)
        return -1;
    if (eng_job_check_home(h, &j, e) == 0)
        return 0;
    e->kind = ERR_CONFIG;
    return err_ctx(e, "%s", path);
}

/* Everything that can be wrong with one file. */
static int check_file(const struct eng_home *h, const struct eng_kind *k,
                      const char *path, const char *file, struct err *e)
{
    AUTO_MEM char *name =
        strndup(file, strlen(file) - strlen(ENG_CONFIG_SUFFIX));

    if (name == NULL)
        return err_nomem(e);
    if (eng_config_name_check(name, e) < 0) {
        e->kind = ERR_CONFIG;
        return err_ctx(e, "%s", path);
    }
    if (k == &eng_kind_kms)
        return check_kms(path, name, e);
    if (k == &eng_kind_source)
        return check_source(path, name, e);
    if (k == &eng_kind_job)
        return check_job(h, path, name, e);
    return k == &eng_kind_repo ? check_repo(h, path, name, e)
                               : check_credentials(path, e);
}

/* The one file of a kind, which need not be there. */
static int check_single(const struct eng_home *h, const struct eng_kind *k,
                        eng_config_report_fn report, void *ctx, size_t *bad,
                        struct err *e)
{
    struct err problem = { 0 };
    AUTO_ENG_CONFIG_PRICES struct eng_config_prices p = { 0 };
    AUTO_ENG_CONFIG_DAEMON struct eng_config_daemon d = { 0 };
    AUTO_MEM char *path = io_join(h->config, k->file, e);

    if (path == NULL)
        return -1;
    if (access(path, F_OK) < 0)
        return 0;
    bool ok = k == &eng_kind_daemon
                  ? eng_config_daemon_load(h, &d, &problem) == 0
                  : eng_config_prices_load(h, &p, &problem) == 0;
    *bad += !ok;
    report(ctx, path, ok ? NULL : &problem);
    return 0;
}

static int check_kind(const struct eng_home *h, const struct eng_kind *k,
                      eng_config_report_fn report, void *ctx, size_t *bad,
                      struct err *e)
{
    if (k->file != NULL)
        return check_single(h, k, report, ctx, bad, e);
    AUTO_MEM char *folder = io_join(h->config, k->folder, e);
    char **files = NULL;
    size_t n = 0;
    if (folder == NULL || eng_config_files(folder, &files, &n, e) < 0)
        return -1;
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct err problem = { 0 };
        AUTO_MEM char *path = io_join(folder, files[i], e);
        if (path == NULL) {
            r = -1;
        } else if (check_file(h, k, path, files[i], &problem) < 0) {
            (*bad)++;
            report(ctx, path, &problem);
        } else {
            report(ctx, path, NULL);
        }
    }
    eng_config_names_free(files, n);
    return r;
}

int eng_config_check(const struct eng_home *h, eng_config_report_fn report,
                     void *ctx, size_t *bad, struct err *e)
{
    *bad = 0;
    for (size_t i = 0; eng_kinds[i] != NULL; i++)
        if (check_kind(h, eng_kinds[i], report, ctx, bad, e) < 0)
            return -1;
    return 0;
}

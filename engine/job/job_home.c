// SPDX-License-Identifier: Apache-2.0
/* Whether what a job names is configured, and fits. */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "engine/job/account.h"
#include "engine/job/fields.h"
#include "engine/job/job.h"
#include "engine/job/kms_config.h"
#include "engine/job/reference.h"
#include "engine/job/source_config.h"

/* What is said of a name that is not there names the one that was probably
 * meant; other errors get the field in front. */
static int of_field(const struct eng_home *h, const struct eng_kind *k,
                    const char *field, const char *name, struct err *e)
{
    struct err ignored = { 0 };
    char **names = NULL;
    size_t n = 0;

    if (e->kind == ERR_NOMEM)
        return -1;
    if (e->kind != ERR_NOTFOUND) {
        e->kind = ERR_USAGE;
        return err_ctx(e, "%s", field);
    }
    (void)err_set(e, ERR_USAGE, 0, "%s: no %s \"%s\" is configured", field,
                  k->noun, name);
    if (eng_config_names(h, k->folder, &names, &n, &ignored) < 0)
        return -1;
    if (n == 0)
        (void)err_hint(e, "there is none at all");
    else
        (void)err_hint(e, "the nearest is \"%s\"",
                       nearest_word((const char *const *)names, name));
    eng_config_names_free(names, n);
    return -1;
}

static int check_repo(const struct eng_home *h, const struct eng_job *j,
                      struct err *e)
{
    AUTO_ENG_CONFIG_REPO struct eng_config_repo r = { 0 };

    if (eng_config_repo_load(h, j->repo, &r, e) < 0)
        return of_field(h, &eng_kind_repo, "repo", j->repo, e);
    if (j->synthetic_full == NULL || eng_config_repo_is_file(&r))
        return 0;
    return err_set(e, ERR_USAGE, 0,
                   "synthetic_full: repository %s is on object storage, which "
                   "cannot join what is stored on its side, and needs no such "
                   "full: every point there is restored as a full is; use "
                   "active_full to read everything anew",
                   j->repo);
}

static int check_sources(const struct eng_home *h, const struct eng_job *j,
                         struct err *e)
{
    AUTO_ENG_TEXTS struct eng_texts sources = { 0 };

    if (eng_job_sources(j, &sources, e) < 0)
        return -1;
    for (size_t i = 0; i < sources.n; i++) {
        AUTO_ENG_CONFIG_SOURCE struct eng_config_source s = { 0 };
        if (eng_config_source_load(h, sources.v[i], &s, e) == 0)
            continue;
        bool named = false;
        for (size_t k = 0; k < j->vms.n && !named; k++) {
            struct eng_ref ref;
            named = eng_ref_split(j->vms.v[k], &ref) &&
                    span_eq(ref.source, span_str(sources.v[i]));
        }
        return of_field(h, &eng_kind_source, named ? "vms" : "containers",
                        sources.v[i], e);
    }
    return 0;
}

static int check_kms(const struct eng_home *h, const struct eng_job *j,
                     struct err *e)
{
    AUTO_ENG_CONFIG_KMS struct eng_config_kms kms = { 0 };
    const char *name = eng_job_kms(j);

    if (name == NULL || eng_config_kms_load(h, name, &kms, e) == 0)
        return 0;
    return of_field(h, &eng_kind_kms, "encrypt", name, e);
}

/* name NULL: none is said. */
static int check_account(const struct eng_home *h, const char *field,
                         const char *name, struct err *e)
{
    AUTO(eng_account_fini) struct eng_account a = { 0 };

    if (name == NULL)
        return 0;
    AUTO_MEM char *path = eng_config_find(h, &eng_kind_credentials, name, e);
    if (path == NULL || eng_config_read(&eng_kind_credentials, path, &a, e) < 0)
        return of_field(h, &eng_kind_credentials, field, name, e);
    if (a.user == NULL)
        return err_set(e, ERR_USAGE, 0,
                       "%s: credentials \"%s\" have the keys of an S3 server, "
                       "and no user and password of an account in guests",
                       field, name);
    return 0;
}

static int check_guests(const struct eng_home *h, const struct eng_job *j,
                        struct err *e)
{
    if (check_account(h, "guest.credentials", j->guest.credentials, e) < 0)
        return -1;
    for (size_t i = 0; i < j->n_guests; i++) {
        char field[64];
        (void)snprintf(field, sizeof field, "guests[%zu].credentials", i);
        if (check_account(h, field, j->guests[i].guest.credentials, e) < 0)
            return -1;
    }
    return 0;
}

/* The job that a job runs after; "" for none, and for one whose file is wrong:
 * that is told of its own file. */
static int followed(const struct eng_home *h, const char *name,
                    char out[ENG_SCHEDULE_JOB_CHARS], struct err *e)
{
    AUTO_ENG_JOB struct eng_job j = { 0 };
    struct eng_schedule s = { 0 };

    out[0] = '\0';
    if (eng_job_load(h, name, &j, e) < 0 || eng_job_schedule(&j, &s, e) < 0) {
        if (e->kind != ERR_CONFIG)
            return -1;
        *e = (struct err){ 0 };
        return 0;
    }
    memcpy(out, s.after, sizeof s.after);
    return 0;
}

/* Whose turn would come only after its own. */
static int check_ring(const struct eng_home *h, const struct eng_job *j,
                      const char *after, struct err *e)
{
    AUTO_ENG_TEXTS struct eng_texts seen = { 0 };
    char next[ENG_SCHEDULE_JOB_CHARS];

    if (followed(h, after, next, e) < 0)
        return of_field(h, &eng_kind_job, "schedule: after", after, e);
    if (eng_texts_add(&seen, j->name, e) < 0 ||
        eng_texts_add(&seen, after, e) < 0)
        return -1;
    while (next[0] != '\0') {
        for (size_t i = 0; i < seen.n; i++) {
            if (strcmp(seen.v[i], next) != 0)
                continue;
            AUTO_BUF struct buf ring = buf_init(400);
            for (size_t k = i; k < seen.n && !ring.failed; k++)
                buf_printf(&ring, "%s after ", seen.v[k]);
            buf_printf(&ring, "%s", next);
            return err_set(e, ERR_USAGE, 0,
                           "schedule: jobs that wait for each other never "
                           "begin: %s",
                           ring.failed ? next : buf_cstr(&ring));
        }
        if (eng_texts_add(&seen, next, e) < 0)
            return -1;
        char name[ENG_SCHEDULE_JOB_CHARS];
        memcpy(name, next, sizeof name);
        if (followed(h, name, next, e) < 0) {
            if (e->kind != ERR_NOTFOUND)
                return -1;
            /* Told of the job that follows it. */
            *e = (struct err){ 0 };
            return 0;
        }
    }
    return 0;
}

int eng_job_check_home(const struct eng_home *h, const struct eng_job *j,
                       struct err *e)
{
    char room[ENG_ZONE_NAME_CHARS];
    struct eng_schedule s;
    AUTO_ENG_ZONE struct eng_zone *z = eng_zone_open(eng_job_zone(j, room), e);

    if (z == NULL)
        return err_ctx(e, "timezone");
    if (check_repo(h, j, e) < 0 || check_sources(h, j, e) < 0 ||
        check_kms(h, j, e) < 0 || check_guests(h, j, e) < 0 ||
        eng_job_schedule(j, &s, e) < 0)
        return -1;
    return s.kind == ENG_SCHEDULE_AFTER ? check_ring(h, j, s.after, e) : 0;
}

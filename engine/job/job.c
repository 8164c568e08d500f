// SPDX-License-Identifier: Apache-2.0
/* jobs/NAME.json: reading and writing it, and what its members mean. */
#include "engine/job/job.h"

#include <string.h>

#include "base/civil.h"
#include "base/io.h"
#include "engine/job/fields.h"
#include "engine/job/reference.h"
#include "engine/schedule/days.h"

/* No rule of days leaves out more than eight years. */
#define DAYS_LOOKED 3300

void eng_job_fini(struct eng_job *j)
{
    eng_fields_fini(&eng_kind_job, j);
    free(j->name);
    *j = (struct eng_job){ 0 };
}

int eng_job_read(const char *path, const char *name, struct eng_job *out,
                 struct err *e)
{
    AUTO_ENG_JOB struct eng_job j = { .name = strdup(name) };

    *out = (struct eng_job){ 0 };
    if (j.name == NULL)
        return err_nomem(e);
    if (eng_config_read(&eng_kind_job, path, &j, e) < 0)
        return -1;
    if (eng_job_check(&j, e) < 0) {
        e->kind = e->kind == ERR_NOMEM ? ERR_NOMEM : ERR_CONFIG;
        return err_ctx(e, "%s", path);
    }
    *out = j;
    j = (struct eng_job){ 0 };
    return 0;
}

int eng_job_load(const struct eng_home *h, const char *name,
                 struct eng_job *out, struct err *e)
{
    AUTO_MEM char *path = eng_config_find(h, &eng_kind_job, name, e);

    *out = (struct eng_job){ 0 };
    if (path == NULL)
        return -1;
    if (eng_job_read(path, name, out, e) == 0)
        return 0;
    return e->kind != ERR_NOTFOUND
               ? -1
               : eng_config_not_there(h, &eng_kind_job, name, e);
}

int eng_job_save(const struct eng_home *h, const struct eng_job *j,
                 bool replace, struct err *e)
{
    if (eng_job_check(j, e) < 0)
        return -1;
    if (!replace)
        return eng_config_write(h, &eng_kind_job, j->name, j, e);
    if (eng_config_rewrite(h, &eng_kind_job, j->name, j, e) == 0)
        return 0;
    return e->kind != ERR_NOTFOUND
               ? -1
               : eng_config_not_there(h, &eng_kind_job, j->name, e);
}

int eng_job_remove(const struct eng_home *h, const char *name, struct err *e)
{
    return eng_config_remove(h, &eng_kind_job, name, e);
}

int eng_job_text(const struct eng_job *j, struct buf *out, struct err *e)
{
    return eng_fields_encode(&eng_kind_job, j, out, e);
}

const char *eng_job_zone(const struct eng_job *j,
                         char room[ENG_ZONE_NAME_CHARS])
{
    if (j->timezone != NULL)
        return j->timezone;
    eng_zone_here(room);
    return room;
}

const char *eng_job_kms(const struct eng_job *j)
{
    static const char kms[] = "kms:";

    if (j->encrypt == NULL || strncmp(j->encrypt, kms, strlen(kms)) != 0)
        return NULL;
    return j->encrypt + strlen(kms);
}

int eng_job_keeping(const struct eng_job *j, char zone[ENG_ZONE_NAME_CHARS],
                    struct eng_keeping *keeping, bool *has, struct err *e)
{
    *has = j->retention != NULL;
    *keeping = (struct eng_keeping){ .gfs = ENG_GFS_NONE };
    if (!*has)
        return 0;
    keeping->timezone = eng_job_zone(j, zone);
    if (eng_retention_parse_days(j->retention, &keeping->days, e) < 0)
        return err_ctx(e, "retention");
    if (j->gfs != NULL && eng_gfs_parse(j->gfs, &keeping->gfs, e) < 0)
        return err_ctx(e, "gfs");
    return 0;
}

int eng_job_full_due(const char *text, const char *zone, int64_t chain,
                     int64_t now, bool *due, struct err *e)
{
    struct eng_schedule days;
    AUTO_ENG_ZONE struct eng_zone *z = NULL;

    *due = false;
    if (eng_days_parse(text, &days, e) < 0)
        return -1;
    z = eng_zone_open(zone, e);
    if (z == NULL)
        return -1;
    if (chain == 0)
        return 0;
    int64_t today = eng_zone_day(z, now);
    int64_t from = eng_zone_day(z, chain) + 1;
    if (from < today - DAYS_LOOKED)
        from = today - DAYS_LOOKED;
    for (int64_t day = today; day >= from && !*due; day--)
        *due = eng_days_have(&days, day);
    return 0;
}

struct eng_guest eng_job_guest(const struct eng_job *j, const char *source,
                               const char *id, const char *name)
{
    struct eng_guest g = j->guest;

    for (size_t i = 0; i < j->n_guests; i++) {
        const struct eng_guest *own = &j->guests[i].guest;
        if (!eng_ref_is_vm(j->guests[i].vm, source, id, name))
            continue;
        if (own->mode != NULL)
            g.mode = own->mode;
        if (own->credentials != NULL)
            g.credentials = own->credentials;
        if (own->logs != NULL)
            g.logs = own->logs;
    }
    return g;
}

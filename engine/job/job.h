// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_JOB_JOB_H
#define ENGINE_JOB_JOB_H

/*
 * A backup job as it is configured (jobs/NAME.json): what to back up, where to,
 * how, and when.  Members are what the file says, in the form in which it says
 * it, so that what is loaded and saved again is the same; functions below say
 * what they mean.  NULL, 0 and empty lists: the file says nothing, and the
 * default holds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/err.h"
#include "base/secret.h"
#include "engine/backup/backup.h"
#include "engine/backup/keeping.h"
#include "engine/job/config.h"
#include "engine/job/texts.h"
#include "engine/schedule/schedule.h"

/* How the guest takes part; stored and checked, carried out by live sources. */
struct eng_guest {
    char *mode;        /* "require", "try", "disable"; NULL: disable */
    char *credentials; /* NAME of credentials/NAME.json with a user */
    char *logs;        /* "process" or "copy-only" */
};

/* The guest of one VM, where it differs from the job's; what is NULL here is as
 * there. */
struct eng_guest_of {
    char *vm; /* SOURCE:NAME or SOURCE:ID */
    struct eng_guest guest;
};

struct eng_job {
    char *name; /* of the file */
    char *description;
    bool disabled;

    /* SOURCE:NAME or SOURCE:ID of a VM; SOURCE:PATH of a folder, or
     * SOURCE:KIND=NAME of another container (pool, network, tag); SOURCE: is
     * all of it. */
    struct eng_texts vms, containers;
    struct eng_texts exclude_vms;   /* patterns (*, ?) of names or ids, with
                                       SOURCE: before or without */
    struct eng_texts exclude_disks; /* VM:DISK, patterns both */
    struct eng_texts disks;         /* VM=all, VM=first, VM=DISK[,DISK...] */

    char *repo;
    char *retention;       /* "14d"; NULL: points stay */
    char *gfs;             /* "weekly=4,monthly=12" */
    char *timezone;        /* IANA; NULL: this machine's */
    char *method;          /* "forward"; "reverse" is refused with the reason */
    char *active_full;     /* "sat,sun", "monthly last sun [in jan,jul]" */
    char *synthetic_full;  /* the same; on simple repositories only */
    char *compression;     /* "optimal", ... */
    uint64_t block_size;   /* bytes; 0: the repository's */
    uint64_t limit_upload; /* bytes a second; 0: none */

    char *encrypt;  /* "none", "password", "kms:NAME"; NULL: nothing said */
    char *keyset;   /* label */
    char *password; /* where it is, as JSON: {"file":...}; never a text */

    struct eng_guest guest;
    struct eng_guest_of *guests;
    size_t n_guests;

    char *schedule;        /* schedule.h; NULL: manual */
    char *retries;         /* "3", "3 after 10m", "none" */
    uint64_t parallel;     /* VMs at once; 0: ENG_JOB_PARALLEL */
    int64_t deleted_vms_s; /* points of VMs that are gone for so long are
                              removed by the daemon; 0: they stay */

    struct eng_texts before, after; /* programs with their arguments */
    char *notify_on;                /* "success,warning,failed,stopped" */
    char *webhook;                  /* https:// or http:// URL */
    struct eng_texts mail; /* program that reads a mail, with arguments */
    char *mail_to, *mail_from;
};

#define ENG_JOB_PARALLEL 2u
#define ENG_JOB_PARALLEL_MAX 64u

void eng_job_fini(struct eng_job *j); /* zeroed is fine */
#define AUTO_ENG_JOB AUTO(eng_job_fini)

/* Form of every member, and how they fit together; asks nobody and reads no
 * other file.  ERR_USAGE with the field, and the nearest known word. */
int eng_job_check(const struct eng_job *j, struct err *e)
    __attribute__((warn_unused_result));

/* What only other files know: that repository, sources, key server, credentials
 * and the job of `after` exist; that no chain of jobs is a ring; and what the
 * kind of repository allows (no synthetic full on an object repository, with
 * the reason and what to do instead).  Reads files only.  ERR_USAGE. */
int eng_job_check_home(const struct eng_home *h, const struct eng_job *j,
                       struct err *e) __attribute__((warn_unused_result));

/* Reads and checks (eng_job_check) a job's file.  ERR_CONFIG, naming file, line
 * or field. */
int eng_job_read(const char *path, const char *name, struct eng_job *out,
                 struct err *e) __attribute__((warn_unused_result));
/* ERR_NOTFOUND: no job of this name (known ones are listed). */
int eng_job_load(const struct eng_home *h, const char *name,
                 struct eng_job *out, struct err *e)
    __attribute__((warn_unused_result));
/* Writes atomically.  ERR_EXISTS where the name is taken.  With `replace` it
 * must be there (ERR_NOTFOUND), without comments, which would be lost
 * (ERR_CONFIG). */
int eng_job_save(const struct eng_home *h, const struct eng_job *j,
                 bool replace, struct err *e)
    __attribute__((warn_unused_result));
/* ERR_NOTFOUND. */
int eng_job_remove(const struct eng_home *h, const char *name, struct err *e)
    __attribute__((warn_unused_result));
/* Appends the job as its file has it. */
int eng_job_text(const struct eng_job *j, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* The sources that vms and containers name, each once, in their order. */
int eng_job_sources(const struct eng_job *j, struct eng_texts *out,
                    struct err *e) __attribute__((warn_unused_result));

/* The key server that `encrypt` names ("kms:NAME"), borrowed; NULL: none. */
const char *eng_job_kms(const struct eng_job *j);

/* --- what the members of a checked job mean --- */

/* The zone that counts: the job's, or this machine's. */
const char *eng_job_zone(const struct eng_job *j,
                         char room[ENG_ZONE_NAME_CHARS]);
int eng_job_schedule(const struct eng_job *j, struct eng_schedule *out,
                     struct err *e) __attribute__((warn_unused_result));
int eng_job_retry(const struct eng_job *j, struct eng_schedule_retry *out,
                  struct err *e) __attribute__((warn_unused_result));
/* False where points carry no policy.  keeping->timezone is borrowed from
 * `zone`, or from the job. */
int eng_job_keeping(const struct eng_job *j, char zone[ENG_ZONE_NAME_CHARS],
                    struct eng_keeping *keeping, bool *has, struct err *e)
    __attribute__((warn_unused_result));

/* Whether the next point of a VM is a full by the schedule of fulls (the text
 * of active_full or synthetic_full): a day that it names, in the zone, lies
 * behind the day of the chain's full, up to today.  So a day that was missed is
 * made up for by the next run, and a day has one.  chain: unix seconds of the
 * full that the newest point's chain began with; 0: there is no point (false:
 * the first is a full anyway). */
int eng_job_full_due(const char *text, const char *zone, int64_t chain,
                     int64_t now, bool *due, struct err *e)
    __attribute__((warn_unused_result));

/* The guest settings that hold for a VM: what its entry in `guests`
 * (SOURCE:NAME or SOURCE:ID) says, and the job's where it says nothing.  Texts
 * are borrowed from j. */
struct eng_guest eng_job_guest(const struct eng_job *j, const char *source,
                               const char *id, const char *name);

#endif

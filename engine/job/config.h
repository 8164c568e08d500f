// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_JOB_CONFIG_H
#define ENGINE_JOB_CONFIG_H

/*
 * Configuration: one JSON file per object below the home folder
 * (repos/NAME.json, sources/NAME.json).  Comments are allowed; unknown
 * fields are errors with the nearest known name (ERR_CONFIG, naming the file).
 * One table per kind of object feeds reading, writing and the JSON Schema.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/care/estimate.h"
#include "engine/repo/repo.h"

struct eng_home {
    char *config; /* the home folder */
    char *state;  /* cache and history */
};

/* Where configuration and state live: the options, else OBJVAULT_HOME and
 * OBJVAULT_STATE, else the defaults of root or of a user.  NULL: none given. */
int eng_home_init(struct eng_home *h, const char *config, const char *state,
                  struct err *e) __attribute__((warn_unused_result));
void eng_home_fini(struct eng_home *h);

struct eng_config_repo {
    char *name;
    char *url;    /* "s3://bucket[/prefix]" or "file:///path" */
    char *driver; /* "s3", "libs3", "file"; NULL: by the URL */
    char *endpoint;
    char *region;
    char *addressing; /* "auto", "path", "virtual" */
    char *ca;
    char *credentials; /* NAME of credentials/NAME.json */
    char *payload;     /* "signed", "crc32c" */
    int64_t max_clock_skew_s;
    uint64_t quota, quota_hard; /* bytes; 0: none */
    int64_t immutable_s; /* this machine's, where it is longer than that of the
                            repository; else 0 */
    struct eng_probe_record probe; /* what `repo probe` found last */
};

/* Names: [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 bytes; else ERR_USAGE. */
int eng_config_name_check(const char *name, struct err *e)
    __attribute__((warn_unused_result));

/* Checks the URL, every option's form and how they fit together
 * (ERR_USAGE). */
int eng_config_repo_check(const struct eng_config_repo *r, struct err *e)
    __attribute__((warn_unused_result));

/* A block size that a repository may have: a power of two, 256K to 8M; else
 * ERR_USAGE. */
int eng_config_block_size_check(uint64_t bytes, struct err *e)
    __attribute__((warn_unused_result));

/* ERR_NOTFOUND: no repository of this name (known ones are listed). */
int eng_config_repo_load(const struct eng_home *h, const char *name,
                         struct eng_config_repo *out, struct err *e)
    __attribute__((warn_unused_result));
/* Writes atomically; ERR_EXISTS where the name is taken. */
int eng_config_repo_save(const struct eng_home *h,
                         const struct eng_config_repo *r, struct err *e)
    __attribute__((warn_unused_result));
/* Keeps the result of a probe in the repository's file.  ERR_CONFIG where the
 * file has comments, which would be lost: it stays as it is. */
int eng_config_repo_set_probe(const struct eng_home *h, const char *name,
                              const struct eng_probe_record *probe,
                              struct err *e)
    __attribute__((warn_unused_result));
/* What `repo set` changes; NULL: stays as it is. */
struct eng_config_settings {
    const int64_t *immutable_s; /* what it may be is the caller's to check */
    const uint64_t *quota, *quota_hard; /* 0: none any more */
};
/* Keeps settings of this machine's own there, and fills *now.  ERR_USAGE: they
 * do not fit together; ERR_CONFIG as above. */
int eng_config_repo_set(const struct eng_home *h, const char *name,
                        const struct eng_config_settings *s,
                        struct eng_config_repo *now, struct err *e)
    __attribute__((warn_unused_result));
int eng_config_repo_remove(const struct eng_home *h, const char *name,
                           struct err *e) __attribute__((warn_unused_result));
void eng_config_repo_fini(struct eng_config_repo *r); /* zeroed is fine */
#define AUTO_ENG_CONFIG_REPO AUTO(eng_config_repo_fini)

/* True where the object is on the file driver. */
bool eng_config_repo_is_file(const struct eng_config_repo *r);

/* The driver that is used: what the object says, else what its URL means. */
const char *eng_config_repo_driver(const struct eng_config_repo *r);

/* Names of all objects of a kind ("repos"), sorted, with a NULL behind them
 * (*names itself is NULL where there is none). */
int eng_config_names(const struct eng_home *h, const char *kind, char ***names,
                     size_t *n, struct err *e)
    __attribute__((warn_unused_result));
void eng_config_names_free(char **names, size_t n);

/* What storage costs: prices.json in the home, else an example. */
struct eng_config_prices {
    char *currency;
    struct eng_prices prices;
    bool example; /* there is no file */
};
/* The example's figures are round ones, of the size that large providers ask
 * for; nobody's in particular. */
int eng_config_prices_load(const struct eng_home *h,
                           struct eng_config_prices *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_config_prices_fini(struct eng_config_prices *p); /* zeroed is fine */
#define AUTO_ENG_CONFIG_PRICES AUTO(eng_config_prices_fini)

/* What the repository layer needs; owns the strings it points to. */
struct eng_config_place {
    struct eng_repo_place place;
    char *owned[10];
};
int eng_config_place_init(struct eng_config_place *p, const struct eng_home *h,
                          const struct eng_config_repo *r, struct err *e)
    __attribute__((warn_unused_result));
void eng_config_place_fini(struct eng_config_place *p);
#define AUTO_ENG_CONFIG_PLACE AUTO(eng_config_place_fini)

/* Reads every file below the home; calls report for each (problem NULL: it is
 * well).  0 where it could look at all; *bad counts the wrong ones. */
typedef void (*eng_config_report_fn)(void *ctx, const char *file,
                                     const struct err *problem);
int eng_config_check(const struct eng_home *h, eng_config_report_fn report,
                     void *ctx, size_t *bad, struct err *e)
    __attribute__((warn_unused_result));

/* Appends the JSON Schema (2020-12) of a kind: "repo", "job";
 * indented for people, or on one line.  ERR_USAGE names the kinds. */
int eng_config_schema(const char *kind, bool indented, struct buf *out,
                      struct err *e) __attribute__((warn_unused_result));
/* The kinds that have one, NULL-terminated. */
extern const char *const eng_config_kinds[];

#endif

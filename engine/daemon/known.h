// SPDX-License-Identifier: Apache-2.0
/* Private to engine/daemon/. */
#ifndef ENGINE_DAEMON_KNOWN_H
#define ENGINE_DAEMON_KNOWN_H

/*
 * The jobs as their files say, looked at anew when something below the home has
 * changed.  A job whose file is wrong is left out and told once; one that is
 * gone stays here while its run is under way.
 */
#include "engine/daemon/daemon.h"
#include "engine/daemon/past.h"
#include "engine/job/daemon_config.h"
#include "engine/job/job.h"

enum eng_known_state {
    ENG_KNOWN_GONE,     /* there is no file */
    ENG_KNOWN_WRONG,    /* it cannot be used, as `problem` says */
    ENG_KNOWN_DISABLED, /* it does not run by itself */
    ENG_KNOWN_ON,
};

struct eng_known_job {
    char *name;
    enum eng_known_state state;
    char *problem; /* that was told; NULL: none */
    /* of a file that is well: */
    struct eng_schedule schedule;
    struct eng_schedule_retry retry;
    char zone[ENG_ZONE_NAME_CHARS];
    char *repo;
    int64_t deleted_vms_s;
    bool followed;    /* a job runs after it */
    bool since_known; /* of this schedule */
    int64_t since;
    /* what the history says, as of the present pass: */
    struct eng_past past;
    bool past_known;
    /* the run that the daemon began: */
    uint64_t handle; /* 0: none */
    enum eng_work what;
    int64_t begun;
    struct eng_past before; /* as it was when that began */
    int64_t stop_asked;     /* the run's id; 0: none was asked to stop */
    /* A run that the history could not be told of: it counts until there is a
     * newer one. */
    struct eng_past untold;
};

struct eng_known {
    const struct eng_home *home;
    struct eng_known_job **jobs; /* by name; owned */
    size_t n;
    char **repos; /* names of configured repositories */
    size_t n_repos;
    struct eng_config_daemon config;
    char *problem;  /* of daemon.json, that was told */
    uint64_t stamp; /* of all files; 0: never looked */
};

/* Looks whether a file has changed, and reads all of them if so.  1: they were
 * read; 0: nothing has changed; -1: they could not be looked at. */
int eng_known_look(struct eng_known *k, struct err *e)
    __attribute__((warn_unused_result));
/* NULL: there is none. */
struct eng_known_job *eng_known_find(const struct eng_known *k,
                                     const char *name);
/* Since when its schedule holds, where that is not known yet. */
int eng_known_since(struct eng_known_job *j, struct eng_history *history,
                    int64_t now, struct err *e)
    __attribute__((warn_unused_result));
/* Forgets jobs that are gone and do not run. */
void eng_known_tidy(struct eng_known *k);
void eng_known_fini(struct eng_known *k); /* zeroed is fine */
#define AUTO_ENG_KNOWN AUTO(eng_known_fini)

#endif

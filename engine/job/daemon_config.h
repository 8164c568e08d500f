// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_JOB_DAEMON_CONFIG_H
#define ENGINE_JOB_DAEMON_CONFIG_H

/* What the daemon is told (daemon.json): housekeeping, limits, metrics. */
#include "engine/calendar/zone.h"
#include "engine/job/config.h"
#include "engine/schedule/schedule.h"

struct eng_config_daemon {
    char *timezone;         /* of the schedules here; NULL: this machine's */
    char *collect;          /* schedule; NULL: ENG_DAEMON_COLLECT */
    char *check;            /* schedule; NULL: ENG_DAEMON_CHECK */
    char *check_level;      /* "list", "sample"; NULL: list */
    char *metrics;          /* file for node_exporter; NULL: none */
    uint64_t max_runs;      /* jobs at once; 0: ENG_DAEMON_RUNS */
    int64_t keep_history_s; /* 0: ENG_DAEMON_HISTORY_S */
};

#define ENG_DAEMON_COLLECT "daily 06:00"
#define ENG_DAEMON_CHECK "monthly last sat 08:00"
#define ENG_DAEMON_RUNS 4u
#define ENG_DAEMON_HISTORY_S (INT64_C(365) * 86400)

/* Reads and checks daemon.json; all zero where there is none.  ERR_CONFIG,
 * naming file and field. */
int eng_config_daemon_load(const struct eng_home *h,
                           struct eng_config_daemon *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_config_daemon_fini(struct eng_config_daemon *d); /* zeroed is fine */
#define AUTO_ENG_CONFIG_DAEMON AUTO(eng_config_daemon_fini)

/* What the members of a loaded one mean. */
const char *eng_config_daemon_zone(const struct eng_config_daemon *d,
                                   char room[ENG_ZONE_NAME_CHARS]);
void eng_config_daemon_collect(const struct eng_config_daemon *d,
                               struct eng_schedule *out);
void eng_config_daemon_check(const struct eng_config_daemon *d,
                             struct eng_schedule *out);

#endif

// SPDX-License-Identifier: Apache-2.0
/* daemon.json: reading and checking it. */
#include "engine/job/daemon_config.h"

#include <string.h>

#include "base/io.h"
#include "engine/job/fields.h"

#define DAEMON(member) offsetof(struct eng_config_daemon, member)

static const char *const levels[] = { "list", "sample", NULL };

static const struct eng_field daemon_fields[] = {
    { .name = "timezone",
      .type = ENG_FIELD_TEXT,
      .offset = DAEMON(timezone),
      .max_bytes = ENG_ZONE_NAME_CHARS - 1,
      .help = "the IANA time zone of `collect` and `check`; this machine's "
              "where it is left out" },
    { .name = "collect",
      .type = ENG_FIELD_TEXT,
      .offset = DAEMON(collect),
      .max_bytes = ENG_SCHEDULE_TEXT_MAX - 1,
      .help =
          "when retention and collection run in each repository, and points "
          "of VMs that are gone for long are removed: a schedule, or "
          "manual; " ENG_DAEMON_COLLECT " where it is left out" },
    { .name = "check",
      .type = ENG_FIELD_TEXT,
      .offset = DAEMON(check),
      .max_bytes = ENG_SCHEDULE_TEXT_MAX - 1,
      .help = "when each repository is checked: a schedule, or "
              "manual; " ENG_DAEMON_CHECK " where it is left out" },
    { .name = "check_level",
      .type = ENG_FIELD_WORD,
      .offset = DAEMON(check_level),
      .words = levels,
      .help = "list, the default, or sample, which also reads a share of the "
              "blocks" },
    { .name = "metrics",
      .type = ENG_FIELD_TEXT,
      .offset = DAEMON(metrics),
      .max_bytes = 4095,
      .help = "a file ending in .prom, which node_exporter's textfile "
              "collector reads: the last run of each job" },
    { .name = "max_runs",
      .type = ENG_FIELD_NUMBER,
      .offset = DAEMON(max_runs),
      .max_n = 64,
      .help = "how many jobs run at once; 4 where it is left out" },
    { .name = "keep_history",
      .type = ENG_FIELD_DURATION,
      .offset = DAEMON(keep_history_s),
      .help = "how long runs stay in the history, but the last ones of each "
              "job, which stay; 365d where it is left out" },
};

const struct eng_kind eng_kind_daemon = {
    .name = "daemon",
    .file = "daemon.json",
    .help = "what `objvault daemon` does besides running jobs",
    .fields = daemon_fields,
    .n_fields = sizeof daemon_fields / sizeof daemon_fields[0],
};

void eng_config_daemon_fini(struct eng_config_daemon *d)
{
    eng_fields_fini(&eng_kind_daemon, d);
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

/* A schedule of housekeeping: there is no job that it could follow, and no end
 * after which it could begin again. */
static int check_schedule(const char *field, const char *text, struct err *e)
{
    struct eng_schedule s;

    if (eng_schedule_parse(text, &s, e) < 0)
        return err_ctx(e, "%s", field);
    if (s.kind == ENG_SCHEDULE_AFTER || s.kind == ENG_SCHEDULE_CONTINUOUSLY)
        return err_set(e, ERR_USAGE, 0,
                       "%s: needs daily, monthly, every or manual", field);
    return 0;
}

static int check(const struct eng_config_daemon *d, struct err *e)
{
    char room[ENG_ZONE_NAME_CHARS];
    AUTO_ENG_ZONE struct eng_zone *z =
        eng_zone_open(eng_config_daemon_zone(d, room), e);

    if (z == NULL)
        return err_ctx(e, "timezone");
    if (d->metrics != NULL && d->metrics[0] != '/')
        return err_set(e, ERR_USAGE, 0, "metrics: is no absolute path");
    if (check_schedule("collect", or_else(d->collect, ENG_DAEMON_COLLECT), e) <
        0)
        return -1;
    return check_schedule("check", or_else(d->check, ENG_DAEMON_CHECK), e);
}

int eng_config_daemon_load(const struct eng_home *h,
                           struct eng_config_daemon *out, struct err *e)
{
    AUTO_ENG_CONFIG_DAEMON struct eng_config_daemon d = { 0 };
    AUTO_MEM char *path = io_join(h->config, eng_kind_daemon.file, e);

    *out = (struct eng_config_daemon){ 0 };
    if (path == NULL)
        return -1;
    if (eng_config_read(&eng_kind_daemon, path, &d, e) < 0) {
        if (e->kind != ERR_NOTFOUND)
            return -1;
        *e = (struct err){ 0 };
        return 0;
    }
    if (check(&d, e) < 0) {
        e->kind = ERR_CONFIG;
        return err_ctx(e, "%s", path);
    }
    *out = d;
    d = (struct eng_config_daemon){ 0 };
    return 0;
}

const char *eng_config_daemon_zone(const struct eng_config_daemon *d,
                                   char room[ENG_ZONE_NAME_CHARS])
{
    if (d->timezone != NULL)
        return d->timezone;
    eng_zone_here(room);
    return room;
}

/* What was checked when it was loaded; manual, were it wrong after all. */
static void schedule_of(const char *text, struct eng_schedule *out)
{
    struct err ignored = { 0 };

    if (eng_schedule_parse(text, out, &ignored) < 0)
        *out = (struct eng_schedule){ 0 };
}

void eng_config_daemon_collect(const struct eng_config_daemon *d,
                               struct eng_schedule *out)
{
    schedule_of(or_else(d->collect, ENG_DAEMON_COLLECT), out);
}

void eng_config_daemon_check(const struct eng_config_daemon *d,
                             struct eng_schedule *out)
{
    schedule_of(or_else(d->check, ENG_DAEMON_CHECK), out);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Dates of removal.  Of the dates that the ruling policy gives a point the
 * latest counts, and never one before the end of its lock.
 */
#include "engine/retention/retention.h"

#include <inttypes.h>
#include <string.h>

#include "base/civil.h"
#include "base/units.h"
#include "base/utc.h"
#include "engine/calendar/zone.h"

#define DAY_S INT64_C(86400)

static bool has_policy(const struct eng_kept *p)
{
    return p->policy != NULL && p->policy->present;
}

/* The day on which a point of this day is removed for each reason there is. */
struct date {
    enum eng_keep_reason reason;
    int64_t day;
};

/* Months and years are counted on the calendar; where that month has no such
 * day its last one is taken; and the day itself is still kept: one more. */
static int64_t months_later(int64_t day, uint32_t months)
{
    return civil_to_day(civil_add_months(civil_from_day(day), (int)months)) + 1;
}

/* The latest of the dates. */
static struct date last_date(const struct mf_retention *policy, unsigned gfs,
                             int64_t day)
{
    struct date d[] = { { ENG_KEEP_DAYS, day + policy->days },
                        { ENG_KEEP_WEEKLY, day },
                        { ENG_KEEP_MONTHLY, day },
                        { ENG_KEEP_YEARLY, day } };
    struct date last = d[0];

    if ((gfs & MF_GFS_WEEKLY) != 0)
        d[1].day += INT64_C(7) * policy->weekly;
    if ((gfs & MF_GFS_MONTHLY) != 0 && policy->monthly > 0)
        d[2].day = months_later(day, policy->monthly);
    if ((gfs & MF_GFS_YEARLY) != 0 && policy->yearly > 0)
        d[3].day = months_later(day, policy->yearly * 12);
    for (size_t i = 1; i < sizeof(d) / sizeof(d[0]); i++)
        if (d[i].day > last.day)
            last = d[i];
    return last;
}

/* The first second in which the policy does not keep a point of this time;
 * what no date keeps is not kept from its own time on. */
static int64_t end_in(const struct eng_zone *zone,
                      const struct mf_retention *policy, unsigned gfs,
                      int64_t time, enum eng_keep_reason *reason)
{
    struct date last = last_date(policy, gfs, eng_zone_day(zone, time));
    int64_t until = last.day >= UTC_LAST / DAY_S
                        ? UTC_LAST
                        : eng_zone_day_start(zone, last.day);

    *reason = last.reason;
    return until > time ? until : time;
}

int eng_retention_end(const struct mf_retention *policy, unsigned gfs,
                      int64_t time, int64_t *until, struct err *e)
{
    enum eng_keep_reason reason = ENG_KEEP_NOT;

    *until = 0;
    if (!policy->present)
        return 0;
    AUTO_ENG_ZONE struct eng_zone *zone = eng_zone_open(policy->timezone, e);
    if (zone == NULL)
        return -1;
    *until = end_in(zone, policy, gfs, time, &reason);
    return 0;
}

/* The newest points that verify and are not in the future, the newest first;
 * fewer leave NULLs.  Of two of one time the later in the series is newer. */
static void find_newest(const struct eng_kept *series, size_t n, int64_t now,
                        const struct eng_kept *newest[ENG_RETENTION_FLOOR])
{
    for (size_t i = 0; i < ENG_RETENTION_FLOOR; i++)
        newest[i] = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct eng_kept *p = &series[i];
        if (p->damaged || p->time > now)
            continue;
        for (size_t j = 0; j < ENG_RETENTION_FLOOR; j++)
            if (newest[j] == NULL || p->time >= newest[j]->time) {
                const struct eng_kept *older = newest[j];
                newest[j] = p;
                p = older;
                if (p == NULL)
                    break;
            }
    }
}

static bool is_among(const struct eng_kept *p,
                     const struct eng_kept *const newest[ENG_RETENTION_FLOOR])
{
    for (size_t i = 0; i < ENG_RETENTION_FLOOR; i++)
        if (newest[i] == p)
            return true;
    return false;
}

/* What keeps a point whatever its dates are; ENG_KEEP_NOT: nothing does. */
static enum eng_keep_reason kept_anyway(const struct eng_kept *p,
                                        const struct mf_retention *ruling)
{
    if (p->damaged)
        return ENG_KEEP_DAMAGED;
    if (p->protect)
        return ENG_KEEP_PROTECTED;
    if (ruling == NULL || !has_policy(p))
        return ENG_KEEP_NO_POLICY;
    return ENG_KEEP_NOT;
}

static void judge_by_date(struct eng_kept *p, const struct eng_zone *zone,
                          const struct mf_retention *ruling, bool newest,
                          int64_t now)
{
    p->until = end_in(zone, ruling, p->gfs, p->time, &p->reason);
    if (p->until < p->locked_until) {
        p->until = p->locked_until;
        p->reason = ENG_KEEP_LOCK;
    }
    if (p->until > now)
        return;
    p->expired = !newest;
    p->reason = newest ? ENG_KEEP_NEWEST : ENG_KEEP_NOT;
    if (newest)
        p->until = 0;
}

int eng_retention_apply(struct eng_kept *series, size_t n, int64_t now,
                        struct err *e)
{
    const struct eng_kept *newest[ENG_RETENTION_FLOOR];
    AUTO_ENG_ZONE struct eng_zone *zone = NULL;
    const struct mf_retention *ruling = NULL;
    int result = 0;

    find_newest(series, n, now, newest);
    if (newest[0] != NULL && has_policy(newest[0])) {
        zone = eng_zone_open(newest[0]->policy->timezone, e);
        if (zone != NULL)
            ruling = newest[0]->policy;
        else
            result = -1;
    }
    for (size_t i = 0; i < n; i++) {
        struct eng_kept *p = &series[i];
        p->until = 0;
        p->expired = false;
        p->reason = kept_anyway(p, ruling);
        if (p->reason == ENG_KEEP_NOT)
            judge_by_date(p, zone, ruling, is_among(p, newest), now);
    }
    return result;
}

/* By enum eng_keep_reason. */
static const struct {
    const char *word, *text;
} reasons[] = {
    [ENG_KEEP_NOT] = { NULL, "expired" },
    [ENG_KEEP_DAYS] = { "days", "by its age" },
    [ENG_KEEP_WEEKLY] = { "weekly", "weekly" },
    [ENG_KEEP_MONTHLY] = { "monthly", "monthly" },
    [ENG_KEEP_YEARLY] = { "yearly", "yearly" },
    [ENG_KEEP_LOCK] = { "lock", "locked" },
    [ENG_KEEP_NEWEST] = { "newest", "among the newest 3" },
    [ENG_KEEP_PROTECTED] = { "protected", "protected" },
    [ENG_KEEP_NO_POLICY] = { "no-policy", "no policy" },
    [ENG_KEEP_DAMAGED] = { "damaged", "damaged" },
};

const char *eng_keep_word(enum eng_keep_reason r)
{
    return reasons[r].word;
}

const char *eng_keep_text(enum eng_keep_reason r)
{
    return reasons[r].text;
}

int eng_retention_parse_days(const char *text, uint32_t *days, struct err *e)
{
    size_t n = strlen(text);
    int64_t seconds = 0;

    if (n < 2 || (text[n - 1] != 'd' && text[n - 1] != 'w') ||
        !units_parse_duration(text, &seconds) || seconds == 0)
        return err_set(e, ERR_USAGE, 0,
                       "\"%s\": points are kept for whole days; write 14d or "
                       "2w",
                       text);
    if (seconds / DAY_S > MF_RETENTION_DAYS_MAX)
        return err_set(e, ERR_USAGE, 0, "\"%s\" is more than %u days", text,
                       MF_RETENTION_DAYS_MAX);
    *days = (uint32_t)(seconds / DAY_S);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Retention by the rules, as plainly as they can be written: days of UTC, one
 * loop over the points, the C library's calendar.  Policies change in the
 * course of the year.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/backup/keeping.h"
#include "engine/care/kept.h"
#include "tests/interleave/world.h"
#include "tests/interleave/year.h"

#define DAY_S 86400
#define POINTS_MAX 4096
#define NEWEST 3

/* From a day on; the last line of a machine that has begun counts. */
static const struct policy {
    unsigned machine, from;
    uint32_t days, weekly, monthly; /* days 0: none */
} policies[] = {
    { 0, 0, 30, 0, 0 },   { 1, 0, 14, 3, 2 },   { 1, 70, 7, 10, 4 },
    { 1, 200, 20, 0, 6 }, { 2, 0, 0, 0, 0 },    { 2, 25, 20, 2, 0 },
    { 2, 60, 16, 0, 0 },  { 2, 250, 16, 4, 3 },
};

struct kept {
    unsigned machine;
    char file[MF_POINT_FILE_CHARS];
    int64_t time, locked_until;
    unsigned gfs;
    const struct policy *policy;
    bool gone;
};

static struct kept points[POINTS_MAX];
static size_t n_points, n_gone;

static const struct policy *policy_of(unsigned machine, unsigned day)
{
    const struct policy *found = NULL;

    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
        if (policies[i].machine == machine && policies[i].from <= day)
            found = &policies[i];
    return found;
}

static struct tm civil(int64_t t)
{
    time_t at = t;
    struct tm tm;

    gmtime_r(&at, &tm);
    return tm;
}

/* Two points share a week (from Sunday) or a month. */
static bool same_period(unsigned kind, int64_t a, int64_t b)
{
    struct tm ta = civil(a), tb = civil(b);

    if (kind == MF_GFS_WEEKLY)
        return a / DAY_S - ta.tm_wday == b / DAY_S - tb.tm_wday;
    return ta.tm_year == tb.tm_year && ta.tm_mon == tb.tm_mon;
}

/* No point of the period has it yet. */
static bool is_first(unsigned machine, unsigned kind, int64_t time)
{
    for (size_t i = 0; i < n_points; i++)
        if (points[i].machine == machine && !points[i].gone &&
            (points[i].gfs & kind) != 0 &&
            same_period(kind, points[i].time, time))
            return false;
    return true;
}

static unsigned flags_of(unsigned machine, const struct policy *p, int64_t time)
{
    unsigned gfs = 0;

    if (p->weekly > 0 && is_first(machine, MF_GFS_WEEKLY, time))
        gfs |= MF_GFS_WEEKLY;
    if (p->monthly > 0 && (p->weekly == 0 || (gfs & MF_GFS_WEEKLY) != 0) &&
        is_first(machine, MF_GFS_MONTHLY, time))
        gfs |= MF_GFS_MONTHLY;
    return gfs;
}

void year_keep_fill(struct eng_repo *r, unsigned machine, unsigned day,
                    struct mf_point *p)
{
    const struct policy *is = policy_of(machine, day);
    struct eng_keeping k = { .days = is->days,
                             .gfs = ENG_GFS_NONE,
                             .timezone = "UTC" };
    AUTO_ENG_POINTS struct eng_points names = { 0 };

    if (is->days == 0)
        return;
    k.gfs.weekly = is->weekly;
    k.gfs.monthly = is->monthly;
    must(eng_points_names(r, NULL, p->vm.name, &names, why));
    must(eng_keeping_fill(r, NULL, &k, &names, p, why));
    unsigned want = flags_of(machine, is, p->time);
    if (p->gfs != want)
        year_fail("%s got the flags %u, the model says %u", p->vm.name, p->gfs,
                  want);
}

void year_keep_made(unsigned machine, const struct mf_point *p,
                    const char *file)
{
    if (n_points == POINTS_MAX)
        abort();
    struct kept *k = &points[n_points++];
    *k = (struct kept){ .machine = machine,
                        .time = p->time,
                        .locked_until = p->locked_until,
                        .gfs = p->gfs };
    snprintf(k->file, sizeof(k->file), "%s", file);
    k->policy = NULL;
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
        if (policies[i].machine == machine && p->retention.present &&
            policies[i].days == p->retention.days &&
            policies[i].weekly == p->retention.weekly &&
            policies[i].monthly == p->retention.monthly)
            k->policy = &policies[i];
}

/* The day (since 1970) n months after t's, and a day. */
static int64_t months_later(int64_t t, uint32_t n)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31 };
    struct tm tm = civil(t);

    tm.tm_mon += (int)n;
    tm.tm_year += tm.tm_mon / 12;
    tm.tm_mon %= 12;
    int year = tm.tm_year + 1900;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int last = lengths[tm.tm_mon] + (tm.tm_mon == 1 && leap);
    if (tm.tm_mday > last)
        tm.tm_mday = last;
    return timegm(&tm) / DAY_S + 1;
}

static bool is_over(const struct kept *k, const struct policy *ruling,
                    int64_t now)
{
    int64_t day = k->time / DAY_S;
    int64_t end = day + ruling->days;

    if ((k->gfs & MF_GFS_WEEKLY) != 0 && ruling->weekly > 0 &&
        day + 7 * (int64_t)ruling->weekly > end)
        end = day + 7 * (int64_t)ruling->weekly;
    if ((k->gfs & MF_GFS_MONTHLY) != 0 && ruling->monthly > 0 &&
        months_later(k->time, ruling->monthly) > end)
        end = months_later(k->time, ruling->monthly);
    return now / DAY_S >= end && now >= k->locked_until;
}

/* Points are in the order of their times. */
static bool model_over(const struct kept *k, int64_t now)
{
    const struct kept *newest = NULL;
    unsigned newer = 0;

    for (size_t i = n_points; i-- > 0;) {
        if (points[i].machine != k->machine || points[i].gone)
            continue;
        if (newest == NULL)
            newest = &points[i];
        newer += &points[i] > k;
    }
    return newest != NULL && newest->policy != NULL && k->policy != NULL &&
           newer >= NEWEST && is_over(k, newest->policy, now);
}

static struct kept *find(const struct eng_point *p)
{
    for (size_t i = 0; i < n_points; i++)
        if (strcmp(points[i].file, p->file) == 0 &&
            points[i].machine == (unsigned)(p->vm[2] - '0'))
            return &points[i];
    year_fail("%s/%s is not known to the model", p->vm, p->file);
}

/* A lock may last longer than the point: then it goes later. */
static void remove_point(struct eng_repo *r, const struct eng_point *p,
                         struct kept *k)
{
    struct err e = { 0 };

    if (eng_point_delete(r, NULL, p, &e) < 0) {
        if (e.kind != ERR_LOCKED)
            year_fail("%s", e.msg);
        return;
    }
    k->gone = true;
    n_gone++;
}

/* A collection was to remove it: it is gone, or the server holds it. */
static void find_removed(struct obj_store *view, struct kept *k, int64_t now)
{
    int64_t until = year_held(view, k->machine, k->file);

    if (until >= 0 && until <= now)
        year_fail("vm%u/%s is over, and was not collected", k->machine,
                  k->file);
    k->gone = until < 0;
    n_gone += k->gone;
}

void year_keep_remove(struct eng_repo *r, struct obj_store *view, bool collect)
{
    int64_t now = world_now_ms() / 1000;
    AUTO_ENG_POINTS struct eng_points all = { 0 };
    struct err e = { 0 };

    must(eng_points_list(r, NULL, NULL, &all, why));
    if (all.n != n_points - n_gone)
        year_fail("%zu points are there, the model has %zu", all.n,
                  n_points - n_gone);
    AUTO_MEM struct eng_kept *kept = eng_kept_judge(r, NULL, &all, now, &e);
    if (kept == NULL)
        year_fail("%s", e.msg);
    /* All are compared before any goes. */
    for (size_t i = 0; i < all.n; i++) {
        const struct kept *k = find(&all.p[i]);
        if (kept[i].expired != model_over(k, now))
            year_fail("%s/%s: the engine says %s, the model %s", all.p[i].vm,
                      k->file, kept[i].expired ? "over" : "kept",
                      kept[i].expired ? "kept" : "over");
    }
    if (collect)
        year_collect(r, view);
    for (size_t i = 0; i < all.n; i++) {
        if (kept[i].expired && collect)
            find_removed(view, find(&all.p[i]), now);
        else if (kept[i].expired)
            remove_point(r, &all.p[i], find(&all.p[i]));
    }
}

void year_keep_report(void)
{
    printf("%zu points made, %zu removed by retention\n", n_points, n_gone);
}

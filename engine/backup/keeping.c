// SPDX-License-Identifier: Apache-2.0
/*
 * A point's policy and flags are set once, when it is made: later edits of the
 * policy leave flags as they are, and any host sees the same.
 */
#include "engine/backup/keeping.h"

#include <stdlib.h>
#include <string.h>

/* What is known of the VM's points so far. */
struct looked {
    struct eng_kept *series; /* owned */
    size_t n;
};

/* Reads one manifest for its flags; others are many, and may be large. */
static int look_at(struct eng_repo *repo, const struct cancel *cancel,
                   struct eng_point *p, struct eng_kept *out, struct err *e)
{
    bool was_there = p->manifest != NULL;

    if (eng_point_load(repo, cancel, p, e) < 0)
        return -1;
    *out = (struct eng_kept){ .time = p->time, .damaged = p->manifest == NULL };
    if (p->manifest == NULL)
        return 0;
    out->gfs = p->manifest->gfs;
    if (!was_there) {
        mf_point_free(p->manifest);
        p->manifest = NULL;
    }
    return 0;
}

/* Adds the points from day `from` up to `until` to what is known, as far as to
 * the one that has the flag. */
static int look(struct eng_repo *repo, const struct cancel *cancel,
                const struct eng_zone *zone, struct eng_points *names,
                unsigned kind, int64_t from, int64_t until, struct looked *l,
                struct err *e)
{
    l->n = 0;
    for (size_t i = 0; i < names->n; i++) {
        int64_t day = eng_zone_day(zone, names->p[i].time);
        if (day < from || day >= until)
            continue;
        struct eng_kept *k = &l->series[l->n];
        if (look_at(repo, cancel, &names->p[i], k, e) < 0)
            return -1;
        l->n++;
        if (!k->damaged && (k->gfs & kind) != 0)
            return 0;
    }
    return 0;
}

/* Kind by kind, from the smallest on, since a larger one needs the smaller: it
 * is asked for once that one is known to be free, so that the points of its own
 * period are all that matters. */
static int set_flags(struct eng_repo *repo, const struct cancel *cancel,
                     const struct eng_keeping *k, const struct eng_zone *zone,
                     struct eng_points *names, struct mf_point *p,
                     struct err *e)
{
    struct looked l = { .series = NULL };
    AUTO_MEM struct eng_kept *series =
        calloc(names->n > 0 ? names->n : 1, sizeof(*series));

    if (series == NULL)
        return err_nomem(e);
    l.series = series;
    for (unsigned kind = MF_GFS_WEEKLY; kind <= MF_GFS_YEARLY; kind <<= 1) {
        int64_t from = 0;
        int64_t until = 0;
        if (eng_gfs_count(&k->gfs, kind) == 0)
            continue;
        eng_gfs_period(&k->gfs, kind, eng_zone_day(zone, p->time), &from,
                       &until);
        if (look(repo, cancel, zone, names, kind, from, until, &l, e) < 0)
            return -1;
        if ((eng_gfs_flags(&k->gfs, zone, l.series, l.n, p->time) & kind) == 0)
            return 0;
        p->gfs |= kind;
    }
    return 0;
}

int eng_keeping_fill(struct eng_repo *repo, const struct cancel *cancel,
                     const struct eng_keeping *k, struct eng_points *names,
                     struct mf_point *p, struct err *e)
{
    AUTO_ENG_ZONE struct eng_zone *zone = eng_zone_open(k->timezone, e);

    if (zone == NULL)
        return -1;
    p->retention = (struct mf_retention){
        .present = true,
        .days = k->days,
        .weekly = k->gfs.weekly,
        .monthly = k->gfs.monthly,
        .yearly = k->gfs.yearly,
        .timezone = strdup(k->timezone),
    };
    if (p->retention.timezone == NULL)
        return err_nomem(e);
    return set_flags(repo, cancel, k, zone, names, p, e);
}

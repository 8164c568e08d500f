// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_ESTIMATE_IMPL_H
#define ENGINE_CARE_ESTIMATE_IMPL_H

/* Private to the files of the estimate: the repository as it is expected to be,
 * day by day. */
#include "engine/calendar/zone.h"
#include "engine/care/estimate.h"
#include "engine/retention/gfs.h"

#define ESTIMATE_DAY_S 86400
#define ESTIMATE_LIST_PAGE 1000 /* keys of a listing's page */

/* Objects that were locked for points whose latest lock date is this: until
 * then, and on until their phase. */
struct estimate_cohort {
    int64_t until;
    double n;
    double gone; /* of n: deleted */
};

struct estimate_cohorts {
    struct estimate_cohort *c; /* owned */
    size_t n;
};

/* Objects of a kind that leave a point at one rate. */
enum estimate_class {
    ESTIMATE_BASES,
    ESTIMATE_OVERLAYS,
    ESTIMATE_PAGES,
    ESTIMATE_CLASSES
};

/* A VM. */
struct estimate_vm {
    const struct eng_estimate_series *of;
    struct eng_kept *points; /* owned; with those to come */
    size_t n_points;
    /* Owned; of the objects that a point was the last to need: blocks and pages
     * that were deleted. */
    double (*deleted)[2];
    struct eng_gfs_rules gfs;
    struct eng_zone *zone; /* owned; NULL: no policy */
    struct estimate_cohorts needed[ESTIMATE_CLASSES]; /* by the newest point */
    double leave[ESTIMATE_CLASSES]; /* share that leaves by the next point */
    double units;                   /* as eng_estimate_series has them */
};

struct estimate {
    const struct eng_estimate_facts *f;
    struct eng_estimate *out;
    struct estimate_vm *vm; /* owned; f->n_series */
    double change;
    unsigned day;
    int64_t collected; /* when points were removed last; 0: never yet */
    int64_t descriptor_until;
    double leases;               /* objects of them since a collection */
    bool swept;                  /* the next run lists anew */
    double blocks, pages, bytes; /* stored */
    /* Of these what no point needed at the beginning: blocks, pages. */
    struct estimate_cohorts unused[2];
};

/* --- estimate_cohorts.c --- */

int eng_estimate_cohorts_init(struct estimate_cohorts *c, size_t cap,
                              struct err *e)
    __attribute__((warn_unused_result));
/* There is room: the caller knows how many it adds. */
void eng_estimate_cohorts_add(struct estimate_cohorts *c, int64_t until,
                              double n);
double eng_estimate_cohorts_total(const struct estimate_cohorts *c);
void eng_estimate_cohorts_leave(struct estimate_cohorts *c, double share);
/* Locks all until `until`: the requests that takes. */
double eng_estimate_cohorts_extend(struct estimate_cohorts *c, int64_t until,
                                   uint64_t generation_s);
/* Deletes what no lock holds at t: how many that are. */
double eng_estimate_cohorts_delete(struct estimate_cohorts *c, int64_t t,
                                   uint64_t generation_s);
/* Until when the objects of the newest point are locked, as its points say. */
void eng_estimate_cohorts_begin(struct estimate_vm *vm,
                                enum estimate_class class, double n);
void eng_estimate_cohorts_free(struct estimate_cohorts *c);

/* --- estimate_run.c --- */

/* Opening: the descriptor, and which of its versions is the oldest. */
void eng_estimate_ask_open(struct estimate *s);
/* All VMs are backed up at t by one command. */
int eng_estimate_runs(struct estimate *s, int64_t t, struct err *e)
    __attribute__((warn_unused_result));

/* --- estimate_collect.c --- */

/* Objects that points before the newest one need and the next ones do not. */
double eng_estimate_older(const struct estimate_vm *vm,
                          enum estimate_class class);
/* A collection at t, after the day's runs. */
int eng_estimate_collection(struct estimate *s, int64_t t, struct err *e)
    __attribute__((warn_unused_result));

/* --- estimate.c --- */

void eng_estimate_ask(struct estimate *s, enum obj_verb verb, double n);
void eng_estimate_extend(struct estimate *s, double n);
/* Pages of a listing of n keys; at least one. */
double eng_estimate_list_pages(double n);
/* The share that stays over so many runs. */
double eng_estimate_stays(double leave, double runs);
/* The chance that an expired point's manifest, or an object that it was the
 * last to need, is not locked any more when a collection comes at t. */
double eng_estimate_unlocked(const struct estimate *s, const struct eng_kept *p,
                             int64_t t);
/* Points of all VMs that are there. */
double eng_estimate_points(const struct estimate *s);
/* The mean size of a page. */
double eng_estimate_page_bytes(const struct estimate *s);

#endif

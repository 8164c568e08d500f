// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CARE_ESTIMATE_H
#define ENGINE_CARE_ESTIMATE_H

/*
 * What a bucket will cost: requests by kind, bytes and lock extensions of the
 * days to come, as expectations.  A pure function of what the repository holds
 * (estimate_facts.c gathers that), a rate of change and prices: DESIGN.md
 * "Estimate" has the model.  It assumes a point of every VM a day, all of them
 * made one after the other by one command, and a collection a week.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "engine/repo/points.h"
#include "engine/repo/repo.h"
#include "engine/retention/retention.h"
#include "objstore/store.h"

#define ENG_ESTIMATE_DAYS_MAX 366
#define ENG_ESTIMATE_COLLECT_DAYS 7

/* What things cost, in any currency. */
struct eng_prices {
    double requests[OBJ_VERBS]; /* of 1,000, by kind */
    double stored;              /* of a GiB for 30 days */
    double received;            /* of a GiB that is downloaded */
};

/* One VM, as its newest point describes it.  Numbers are expectations (they may
 * be scaled up from a sample of ids), hence no integers. */
struct eng_estimate_series {
    struct eng_kept *points; /* borrowed; by time, at least one, none damaged */
    size_t n_points;
    double entries; /* of its maps */
    double used;    /* ... of disks, that are not zeros */
    /* Objects that it needs and no series before it: whole blocks and bases,
     * overlays, pages. */
    double bases, overlays, pages;
    double page_refs;   /* pages that its maps name */
    double disk_pages;  /* ... of disks; files do not change */
    double whole_share; /* of the changed blocks: stored whole */
    /* Overlays grow: units that are replaced in a block with data, in the mean;
     * units that a change adds; stored bytes of one. */
    double units, added, unit_bytes;
    double manifest_bytes;
};

struct eng_estimate_facts {
    bool versions; /* the bucket keeps them */
    bool locked;
    enum mf_lock_scope scope;
    uint64_t immutability_s, generation_s;
    int64_t now;
    struct eng_repo_stats stored;
    struct eng_estimate_series *series; /* owned */
    size_t n_series;
    /* What the series borrow from. */
    struct eng_points points;
    struct eng_kept *kept; /* owned */
};

struct eng_estimate {
    int64_t first; /* when the first day's runs are */
    double requests[OBJ_VERBS];
    double extensions; /* of locks; the other requests of their kind are looks
                          at locks that collections ask for */
    double extensions_of_day[ENG_ESTIMATE_DAYS_MAX];
    double sent_bytes, received_bytes;
    double stored_bytes;      /* now */
    double stored_bytes_end;  /* after the last day */
    double stored_bytes_peak; /* the most at the end of a day */
    double gib_months;        /* stored: GiB times days / 30 */
    unsigned points, collections;
    /* Prices. */
    double request_prices[OBJ_VERBS];
    double stored_price, received_price, price;
};

/* What a collection of facts looks like: manifests, the maps of the newest
 * point of each VM and of the one before it, sizes by listing.
 * ERR_UNSUPPORTED: a directory. */
int eng_estimate_gather(struct eng_repo *r, const struct cancel *cancel,
                        struct eng_estimate_facts *out, struct err *e)
    __attribute__((warn_unused_result));
void eng_estimate_facts_free(struct eng_estimate_facts *f);
#define AUTO_ENG_ESTIMATE_FACTS AUTO(eng_estimate_facts_free)

/* change: the share of the blocks with data that are others in the next point,
 * 0..1; days: 1..ENG_ESTIMATE_DAYS_MAX.  Pure, but for the files of time
 * zones.  ERR_USAGE: a policy's time zone is not known on this machine. */
int eng_estimate_make(const struct eng_estimate_facts *f, double change,
                      unsigned days, const struct eng_prices *prices,
                      struct eng_estimate *out, struct err *e)
    __attribute__((warn_unused_result));

/* Adds what another keyset of the repository asks for.  The days are the same;
 * collections go over all keysets at once. */
void eng_estimate_add(struct eng_estimate *to, const struct eng_estimate *x);

#endif

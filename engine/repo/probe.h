// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_REPO_PROBE_H
#define ENGINE_REPO_PROBE_H

/*
 * What a storage can do, found out by doing it, never by its name.  A probe
 * works below gc/probe-<random>/ of the repository's prefix and removes what
 * it put, also after an error or when it is cancelled, as far as it may.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "objstore/store.h"

enum eng_probe_item {
    ENG_PROBE_CONDITIONAL_PUT,
    ENG_PROBE_READ_AFTER_WRITE,
    ENG_PROBE_LIST_AFTER_WRITE,
    ENG_PROBE_LIST_ORDER,
    ENG_PROBE_LIST_PAGES,
    ENG_PROBE_NESTED_NAMES,
    ENG_PROBE_RANGES,
    ENG_PROBE_DELETE,
    ENG_PROBE_DELETE_ABSENT,
    ENG_PROBE_MULTI_DELETE,
    ENG_PROBE_SIGNED_PAYLOAD,
    ENG_PROBE_UNSIGNED_PAYLOAD,
    ENG_PROBE_CRC32C,
    ENG_PROBE_MD5,
    ENG_PROBE_SHA256,
    ENG_PROBE_SERVER_TIME,
    ENG_PROBE_OLD_SIGNATURES,
    ENG_PROBE_REGION,
    ENG_PROBE_VERSIONS,
    ENG_PROBE_LOCK_KEPT,
    ENG_PROBE_LOCK_HOLDS,
    ENG_PROBE_LOCK_SHORTEN,
    ENG_PROBE_LOCK_ENDS,
    ENG_PROBE_GOVERNANCE,
    ENG_PROBE_SETTINGS,
    ENG_PROBE_ITEMS
};

enum eng_probe_result {
    ENG_PROBE_UNKNOWN, /* not looked at, or not to be found out */
    ENG_PROBE_YES,
    ENG_PROBE_NO,
    ENG_PROBE_DENIED, /* the keys have not the right to try it */
    ENG_PROBE_NONE,   /* does not apply to this storage */
    ENG_PROBE_RESULTS
};

struct eng_probe_row {
    enum eng_probe_result result;
    char detail[160]; /* what was seen; "" where there is no more to say */
};

struct eng_probe {
    int64_t time; /* when, real; 0: never */
    struct eng_probe_row rows[ENG_PROBE_ITEMS];
    uint64_t left_over; /* objects that could not be removed */
    char place[64];     /* where they lie, below the prefix */
};

struct eng_probe_opts {
    bool quick;      /* what making a plain repository needs, no more ... */
    bool locks;      /* ... but versions and locks */
    bool governance; /* the repository relies on GOVERNANCE locks */
    unsigned lock_s; /* how long the probe locks, 3 to 10; 0: 6 */
};

/* What is kept of a probe. */
struct eng_probe_record {
    int64_t time; /* 0: there was none */
    enum eng_probe_result results[ENG_PROBE_ITEMS];
};
struct eng_probe_record eng_probe_record(const struct eng_probe *p);

/* Probes a store.  0: out is filled; -1: ERR_LOCKED, where the bucket's default
 * retention would lock all that a probe puts; ERR_UNREACHABLE, ERR_CANCELLED
 * and the like: out holds what was found so far. */
int eng_probe_run(struct obj_store *store, const struct eng_probe_opts *opts,
                  const struct cancel *cancel, struct eng_probe *out,
                  struct err *e) __attribute__((warn_unused_result));

/* "conditional_put": in JSON and configuration. */
const char *eng_probe_name(enum eng_probe_item item);
/* "conditional PUT": for people. */
const char *eng_probe_title(enum eng_probe_item item);
/* "yes", "no", "not allowed", "not applicable", "unknown". */
extern const char *const eng_probe_words[ENG_PROBE_RESULTS + 1];
/* What the result means for objvault. */
const char *eng_probe_meaning(const struct eng_probe *p,
                              enum eng_probe_item item);
/* True where objvault relies on what is missing. */
bool eng_probe_warns(const struct eng_probe *p, enum eng_probe_item item,
                     const struct eng_probe_opts *opts);

#endif

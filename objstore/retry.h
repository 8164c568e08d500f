// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_RETRY_H
#define OBJSTORE_RETRY_H

/*
 * Private to objstore/.  The one retry layer: runs a call as attempts of a
 * driver until one of them settles it, or time or patience ends.  DESIGN.md
 * has the table.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "objstore/driver.h"
#include "objstore/throttle.h"

/* Rows of the retry table. */
enum obj_rule_id {
    OBJ_RULE_CONNECT,    /* nothing went out */
    OBJ_RULE_NETWORK,    /* lost on the way */
    OBJ_RULE_BODY,       /* 400: the server did not get our whole body */
    OBJ_RULE_SLOW,       /* timeouts */
    OBJ_RULE_THROTTLE,   /* until the deadline */
    OBJ_RULE_UNAVAIL,    /* 5xx */
    OBJ_RULE_DIGEST,     /* digest differs */
    OBJ_RULE_CONFLICT,   /* 409 */
    OBJ_RULE_UNREADABLE, /* damaged at the server, or cut off */
    OBJ_RULE_NO_SPACE,   /* full, as a server says it */
    OBJ_RULES,
};

#define OBJ_RETRIES_UNLIMITED UINT32_MAX

struct obj_rule {
    unsigned retries;        /* beyond the first attempt */
    int64_t base_ms, cap_ms; /* full jitter: 0 .. min(cap, base * 2^n) */
    unsigned tokens;         /* cost in the retry budget */
};

/* Every number of the layer, so that tests can shrink the time. */
struct obj_tuning {
    struct obj_rule rules[OBJ_RULES];
    struct obj_pace_tuning pace;
    unsigned first_connects;  /* retries of a store that never answered: its
                                 endpoint is more likely wrong than down */
    unsigned short_same;      /* GET bodies cut at one place: damaged */
    unsigned short_any;       /* ... or cut anywhere */
    int64_t retry_after_ms;   /* longest wish of a server that counts */
    int64_t deadline_ms;      /* where the configuration has none */
    unsigned max_in_flight;   /* where the configuration has none */
    unsigned list_page;       /* where the caller wants none */
    unsigned list_empty_runs; /* pages without a key in a row: broken */
};

extern const struct obj_tuning obj_tuning_default;

/* What all handles of one open store have together. */
struct obj_shared {
    struct obj_pace pace;
    atomic_llong clock_offset; /* server minus ours, seconds */
    atomic_ullong answers;     /* attempts that showed the storage at work */
    atomic_ullong usual_bytes; /* of the last whole get: a guess at the next */
    struct {
        pthread_mutex_t lock;
        unsigned generation; /* guarded: grows with each refresh */
    } auth;
};

struct obj_store {
    /* NULL: the first handle, which owns what is shared, and the texts. */
    const struct obj_store *of;
    const struct obj_driver *driver;
    void *self;   /* the driver's */
    char *name;   /* for messages; owned */
    char *prefix; /* "" or without slash at either end; owned */
    struct obj_tuning tuning;
    int64_t deadline_ms;
    int64_t max_clock_skew_s; /* 0: any */
    struct obj_shared *shared;
    struct {
        atomic_ullong requests[OBJ_VERBS], retries, throttled, unanswered, sent,
            received, stored, stored_bytes, network_ns;
    } count;
};

/* Opens a store over a driver: what obj_store_open does once it has chosen
 * one.  Tests bring their own driver and tuning (NULL: the default). */
struct obj_store *obj_store_open_driver(const struct obj_driver *driver,
                                        const struct obj_config *config,
                                        const struct obj_tuning *tuning,
                                        struct err *e);

/* One call.  The caller fills the first part; all pointers are borrowed. */
struct obj_call {
    enum obj_verb verb;
    const char *what;          /* "put", "list versions of": for messages */
    const char *key;           /* as the caller knows it; "": the bucket */
    const struct obj_req *req; /* with the complete key */
    uint64_t up_bytes;         /* body that an attempt sends */
    uint64_t down_bytes;       /* ... or receives, where that is known */
    const char *nonce;         /* 32 hex digits, or NULL */
    int64_t deadline;          /* utc_mono_ms; 0: by configuration */
    void (*attempt)(struct obj_store *s, void *ctx, struct obj_attempt *a);
    void *ctx;

    /* Set by obj_retry_run. */
    struct obj_attempt last;
    unsigned tries;
    bool maybe_done; /* an attempt that failed may have been carried out */
    int64_t started;
    struct {
        char text[160]; /* what an earlier attempt said, if it was another */
        unsigned n;
    } earlier;
};

/* Runs the call.  0: last.outcome is OBJ_OK; -1 with e filled. */
int obj_retry_run(struct obj_store *s, struct obj_call *c, struct err *e)
    __attribute__((warn_unused_result));

/* verdict.c: the final text and kind of a call that failed; -1. */
int obj_verdict(const struct obj_store *s, const struct obj_call *c,
                struct err *e);

/* What an attempt said, in a few words: "503 SlowDown (Please reduce ...)". */
void obj_verdict_label(const struct obj_attempt *a, char *out, size_t cap);

/* "put ab12 (4096 bytes)". */
void obj_verdict_subject(const struct obj_call *c, char *out, size_t cap);

#endif

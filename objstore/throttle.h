// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_THROTTLE_H
#define OBJSTORE_THROTTLE_H

/*
 * Private to objstore/.  How hard a store may press its server: the number of
 * requests in flight (what it makes something of, and what it puts up with),
 * the budget of retries, and the byte rates.
 * One per store, shared by all its threads.  All waits end within 100 ms of a
 * request of the caller's token.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/err.h"
#include "objstore/climb.h"

/* The constants; tests shrink the times. */
struct obj_pace_tuning {
    unsigned least;    /* requests in flight at first, and always but for
                          throttling */
    int64_t grow_ms;   /* the ceiling grows by one after so long in peace */
    int64_t shrink_ms; /* ... and shrinks at most once in this time */
    unsigned budget;   /* retry tokens when full */
    int64_t probe_ms;  /* an empty budget lets one retry pass in this time */
    int64_t slice_ms;  /* how often a wait looks around */
};

enum obj_direction { OBJ_UP, OBJ_DOWN, OBJ_DIRECTIONS };

/* What one attempt says about the server's capacity. */
enum obj_signal {
    OBJ_SIGNAL_NONE,
    OBJ_SIGNAL_DONE,
    OBJ_SIGNAL_SLOW,
    OBJ_SIGNAL_THROTTLED,
};

struct obj_pace {
    struct obj_pace_tuning tuning;
    unsigned max_in_flight;
    uint64_t bytes_per_s[OBJ_DIRECTIONS]; /* 0: no limit */
    pthread_mutex_t lock;
    pthread_cond_t slot_free;
    struct {
        unsigned in_flight;
        double ceiling;         /* by throttling; 1 .. max_in_flight */
        struct obj_climb climb; /* by what the server gives back */
        int64_t grown_ms, shrunk_ms;
        unsigned tokens;
        int64_t next_probe_ms;
        int64_t free_ns[OBJ_DIRECTIONS]; /* when the next byte may go */
    } locked;
};

int obj_pace_init(struct obj_pace *p, const struct obj_pace_tuning *t,
                  unsigned max_in_flight, uint64_t up_bytes_per_s,
                  uint64_t down_bytes_per_s, struct err *e)
    __attribute__((warn_unused_result));
void obj_pace_fini(struct obj_pace *p);

/* Waits for a place in flight, until `deadline` (utc_mono_ms).  -1:
 * ERR_CANCELLED, ERR_TIMEOUT. */
int obj_pace_enter(struct obj_pace *p, const struct cancel *c, int64_t deadline,
                   struct err *e) __attribute__((warn_unused_result));
/* bytes: of both bodies, with OBJ_SIGNAL_DONE. */
void obj_pace_leave(struct obj_pace *p, enum obj_signal signal, uint64_t bytes);

/* Pays for a retry.  With an empty budget it waits for tokens or for the next
 * probe, whichever comes first; never fails for lack of tokens.  -1:
 * ERR_CANCELLED, ERR_TIMEOUT (deadline). */
int obj_pace_spend(struct obj_pace *p, unsigned tokens, const struct cancel *c,
                   int64_t deadline, struct err *e)
    __attribute__((warn_unused_result));
void obj_pace_refund(struct obj_pace *p, unsigned tokens);

/* Waits until `bytes` may go by the rate limit and books them; *waited_ms
 * grows by the wait.  What really went is corrected afterwards. */
int obj_pace_bytes(struct obj_pace *p, enum obj_direction d, uint64_t bytes,
                   const struct cancel *c, int64_t *waited_ms, struct err *e)
    __attribute__((warn_unused_result));
void obj_pace_correct(struct obj_pace *p, enum obj_direction d, uint64_t booked,
                      uint64_t real);

/* The present limit, for tests and debug lines. */
unsigned obj_pace_limit(struct obj_pace *p);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_INTERLEAVE_WORLD_H
#define TESTS_INTERLEAVE_WORLD_H

/*
 * A world whose time and chance the test owns.  Actors are coroutines that run
 * the real code; whatever waits there (a request, a sleep, a lock on a file)
 * comes back to the scheduler, which picks who goes on and lets time pass.  One
 * seed decides everything.
 *
 * The seams are made by the linker (seams.c): the product knows nothing of
 * this.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cancel.h"

#define WORLD_ACTORS 12
#define WORLD_START INT64_C(1790000000) /* unix seconds at which it begins */
#define WORLD_PATH 160

/* Minutes and hours in milliseconds of this world. */
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* What goes wrong, in thousandths of the occasions. */
struct weather {
    unsigned slow;       /* a request takes seconds */
    unsigned drag;       /* a deletion is under way for minutes */
    unsigned stall;      /* ... or the actor stands still for long */
    unsigned freeze;     /* of the stalls: its clocks stand still as well */
    unsigned lose_asked; /* a request is lost on its way */
    unsigned lose_told;  /* its answer is */
    unsigned linger;     /* of the lost requests: carried out later */
    unsigned jump;       /* the actor's clock is set, by somebody or wrongly */
    unsigned outage; /* none of the actor's requests gets there for a time */
    unsigned crash;
    unsigned focus;        /* how much more often at the requests that matter */
    const int64_t *stalls; /* lengths to choose from, ms */
    unsigned n_stalls;
};

struct actor {
    char name[16];
    char home[WORLD_PATH]; /* what a crash must leave as it was */
    void (*play)(struct actor *self);
    void *ctx;
    bool steady;        /* meets no weather */
    struct actor *mate; /* the other thread of its process, or NULL: they
                           have home, clocks, line and death together */

    /* The world's. */
    struct coro *coro;
    int64_t wake_ms;
    int64_t skew_ms;      /* its clock minus the server's */
    int64_t lag_ms;       /* what it missed while it was frozen */
    int64_t stood_ms;     /* how long it stood still since it was begun */
    int64_t cut_off_ms;   /* its line is down until then */
    bool dead;            /* crashed: nothing of it gets out */
    struct cancel cancel; /* requested by the crash, to unwind */
};

/* Everything below works on the one world there is. */
void world_begin(uint64_t seed, const struct weather *w, bool trace);
void world_end(void);
bool world_is_on(void);
void world_set_weather(struct weather w);

/* The server's time, ms since 1970. */
int64_t world_now_ms(void);

/* Who runs; NULL: the test itself, which meets no weather. */
struct actor *world_current(void);

/* What the running actor takes for the time, ms. */
int64_t world_wall_ms(void);
int64_t world_mono_ms(void);

/* While inside, the clock is the server's. */
void world_enter_server(void);
void world_leave_server(void);

/* Chance. */
uint64_t world_random(uint64_t below);
bool world_chance(unsigned thousandths);
int64_t world_between(int64_t low, int64_t high);
const struct weather *world_weather(void);

/* Adds an actor that begins after delay_ms; borrowed until world_end. */
void world_add(struct actor *a, int64_t delay_ms);

/* Runs until all actors have ended, then lets `rest_ms` pass. */
void world_run(int64_t rest_ms);

/* The running actor sleeps; the test itself just lets time pass. */
void world_sleep(int64_t ms);

/* The running actor waits until somebody wakes it, even a dead one: for its
 * mate.  It may be woken for nothing. */
void world_wait(void);
void world_wake(struct actor *a);

/* At a condition: until the mate has gone on, or for a minute where it stands
 * still.  A dead one does not wait. */
void world_wait_for_mate(void);

/* What the process of the running actor meets its mate meets, too. */
void world_cut_off(int64_t until_ms);

/* A place where others may come in: the running actor loses some time, by the
 * weather, or stands still, or dies (then false, and its home is put aside).
 * weight: how much more often than at an ordinary place. */
bool world_pass(unsigned weight);

/* Kills the running actor. */
void world_crash(void);

/* Its process is begun anew, on what the dead one left in its home; both of
 * mates have come to an end. */
void world_revive(struct actor *a);

/* Something is to happen at that time, outside of all actors. */
void world_later(int64_t at_ms, void (*fn)(void *ctx), void *ctx);

/* The first failure ends the schedule. */
void world_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *world_failure(void); /* NULL: none */

/* A line of the story, where somebody wants to read it. */
void world_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

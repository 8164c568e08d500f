// SPDX-License-Identifier: Apache-2.0
/* The scheduler, its clock and its chance. */
#include "tests/interleave/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/interleave/coro.h"
#include "tests/interleave/folders.h"

#define EVENTS_MAX 256
#define STEPS_MAX 200000 /* more: somebody waits for ever */

struct event {
    int64_t at_ms;
    void (*fn)(void *ctx);
    void *ctx;
};

static struct {
    bool on, trace;
    uint64_t random;
    struct weather weather;
    int64_t now_ms;
    struct actor *actors[WORLD_ACTORS];
    unsigned n;
    struct actor *current;
    unsigned in_server;
    struct event events[EVENTS_MAX];
    unsigned n_events;
    char failure[1024];
} world;

void world_begin(uint64_t seed, const struct weather *w, bool trace)
{
    memset(&world, 0, sizeof(world));
    world.on = true;
    world.trace = trace;
    world.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    world.weather = *w;
    world.now_ms = WORLD_START * 1000;
}

void world_end(void)
{
    for (unsigned i = 0; i < world.n; i++) {
        coro_free(world.actors[i]->coro);
        cancel_fini(&world.actors[i]->cancel);
    }
    world.on = false;
}

void world_set_weather(struct weather w)
{
    world.weather = w;
}

bool world_is_on(void)
{
    return world.on;
}

int64_t world_now_ms(void)
{
    return world.now_ms;
}

struct actor *world_current(void)
{
    return world.current;
}

int64_t world_wall_ms(void)
{
    const struct actor *a = world.in_server > 0 ? NULL : world.current;

    return a != NULL ? world.now_ms + a->skew_ms : world.now_ms;
}

int64_t world_mono_ms(void)
{
    const struct actor *a = world.current;

    return a != NULL ? world.now_ms - a->lag_ms : world.now_ms;
}

void world_enter_server(void)
{
    world.in_server++;
}

void world_leave_server(void)
{
    world.in_server--;
}

/* splitmix64 */
static uint64_t next_random(void)
{
    uint64_t z = (world.random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t world_random(uint64_t below)
{
    return below > 0 ? next_random() % below : 0;
}

bool world_chance(unsigned thousandths)
{
    return thousandths > 0 && world_random(1000) < thousandths;
}

int64_t world_between(int64_t low, int64_t high)
{
    return low + (int64_t)world_random((uint64_t)(high - low) + 1);
}

const struct weather *world_weather(void)
{
    return &world.weather;
}

static void body(void *arg)
{
    struct actor *a = arg;

    a->play(a);
}

void world_add(struct actor *a, int64_t delay_ms)
{
    struct err e = { 0 };

    if (world.n == WORLD_ACTORS || cancel_init(&a->cancel, NULL, &e) < 0)
        abort();
    a->coro = coro_new(body, a);
    a->wake_ms = world.now_ms + delay_ms;
    world.actors[world.n++] = a;
}

/* The events that are due, in the order of their times. */
static void run_events(void)
{
    for (;;) {
        unsigned first = 0;
        for (unsigned i = 1; i < world.n_events; i++)
            if (world.events[i].at_ms < world.events[first].at_ms)
                first = i;
        if (world.n_events == 0 || world.events[first].at_ms > world.now_ms)
            return;
        struct event ev = world.events[first];
        world.events[first] = world.events[--world.n_events];
        ev.fn(ev.ctx);
    }
}

/* One of those who could go on now; NULL: none of them yet, `next` says when
 * somebody can (INT64_MAX: all have ended). */
static struct actor *pick(int64_t *next)
{
    struct actor *ready[WORLD_ACTORS];
    unsigned n = 0;

    *next = INT64_MAX;
    for (unsigned i = 0; i < world.n; i++) {
        struct actor *a = world.actors[i];
        if (coro_ended(a->coro))
            continue;
        if (a->wake_ms <= world.now_ms)
            ready[n++] = a;
        else if (a->wake_ms < *next)
            *next = a->wake_ms;
    }
    return n > 0 ? ready[world_random(n)] : NULL;
}

static void advance(int64_t to_ms)
{
    for (unsigned i = 0; i < world.n_events; i++)
        if (world.events[i].at_ms < to_ms)
            to_ms = world.events[i].at_ms;
    if (to_ms > world.now_ms)
        world.now_ms = to_ms;
}

/* After a failure everybody comes to an end as fast as the code lets him. */
static void kill_all(void)
{
    for (unsigned i = 0; i < world.n; i++) {
        struct actor *a = world.actors[i];
        a->dead = true;
        cancel_request(&a->cancel);
        a->wake_ms = world.now_ms;
    }
}

void world_run(int64_t rest_ms)
{
    unsigned steps = 0;

    for (;;) {
        int64_t next = 0;
        run_events();
        if (world.failure[0] != '\0')
            kill_all();
        struct actor *a = pick(&next);
        if (a == NULL && next == INT64_MAX)
            break;
        if (a == NULL) {
            advance(next);
            continue;
        }
        if (++steps == STEPS_MAX)
            world_fail("somebody waits without end (%s)", a->name);
        world.current = a;
        coro_resume(a->coro);
        world.current = NULL;
    }
    world_sleep(rest_ms);
}

void world_sleep(int64_t ms)
{
    struct actor *a = world.current;

    if (a == NULL) {
        int64_t end = world.now_ms + ms;
        while (world.now_ms < end) {
            run_events();
            advance(end);
        }
        run_events();
        return;
    }
    if (a->dead)
        return;
    a->wake_ms = world.now_ms + ms;
    coro_yield();
}

void world_wait(void)
{
    world.current->wake_ms = INT64_MAX;
    coro_yield();
}

void world_wake(struct actor *a)
{
    if (a->wake_ms > world.now_ms)
        a->wake_ms = world.now_ms;
}

void world_wait_for_mate(void)
{
    int64_t ms = world.current->mate->wake_ms - world.now_ms;

    world_sleep(ms < 0 ? 1 : ms > MINUTE ? MINUTE : ms + world_between(0, 200));
}

/* One process: one clock, one line. */
static void share(const struct actor *a)
{
    struct actor *m = a->mate;

    if (m == NULL)
        return;
    m->skew_ms = a->skew_ms;
    m->lag_ms = a->lag_ms;
    m->stood_ms = a->stood_ms;
    m->cut_off_ms = a->cut_off_ms;
}

void world_cut_off(int64_t until_ms)
{
    world.current->cut_off_ms = until_ms;
    share(world.current);
}

/* It stands still as well, for that long. */
static void hold(struct actor *a, int64_t ms)
{
    if (a == NULL || a->wake_ms == INT64_MAX)
        return;
    a->wake_ms = ms + (a->wake_ms > world.now_ms ? a->wake_ms : world.now_ms);
}

static int64_t sample_stall(struct actor *a)
{
    const struct weather *w = &world.weather;
    int64_t ms = w->stalls[world_random(w->n_stalls)];

    ms += world_between(0, ms / 2);
    bool frozen = world_chance(w->freeze);
    a->stood_ms += ms;
    if (frozen) {
        a->lag_ms += ms;
        a->skew_ms -= ms;
    }
    /* The machine, or this thread alone. */
    if (a->mate != NULL && (frozen || world_chance(500)))
        hold(a->mate, ms);
    share(a);
    world_trace("stands still for %lld s", (long long)(ms / 1000));
    return ms;
}

/* Its clock is set right, or by hours wrong. */
static void set_clock(struct actor *a)
{
    a->skew_ms = world_between(-SECOND, SECOND);
    if (world_chance(500))
        a->skew_ms += world_between(-2 * HOUR, 2 * HOUR);
    share(a);
    world_trace("its clock is set: %lld s", (long long)(a->skew_ms / 1000));
}

bool world_pass(unsigned weight)
{
    struct actor *a = world.current;
    int64_t ms = world_between(0, 60);

    if (a == NULL)
        return true;
    if (a->dead)
        return false;
    if (a->steady) {
        world_sleep(ms);
        return !a->dead;
    }
    if (world_chance(weight * world.weather.crash)) {
        world_crash();
        return false;
    }
    if (world_chance(world.weather.jump))
        set_clock(a);
    if (world_chance(world.weather.slow))
        ms = world_between(SECOND, 2 * MINUTE);
    if (world_chance(weight * world.weather.stall))
        ms = sample_stall(a);
    world_sleep(ms);
    return !a->dead;
}

static void die(struct actor *a)
{
    if (a == NULL)
        return;
    a->dead = true;
    cancel_request(&a->cancel);
    world_wake(a);
}

void world_crash(void)
{
    struct actor *a = world.current;

    world_trace("dies");
    folder_put_aside(a->home);
    die(a);
    die(a->mate);
}

static void begin_anew(struct actor *a)
{
    struct err e = { 0 };

    a->lag_ms = 0;
    a->skew_ms = world_between(-40 * SECOND, 40 * SECOND);
    a->stood_ms = 0;
    if (!a->dead)
        return;
    cancel_fini(&a->cancel);
    if (cancel_init(&a->cancel, NULL, &e) < 0)
        abort();
    a->dead = false;
}

void world_revive(struct actor *a)
{
    if (world.failure[0] != '\0')
        return;
    if (a->dead)
        folder_put_back(a->home);
    begin_anew(a);
    if (a->mate != NULL)
        begin_anew(a->mate);
    share(a);
}

void world_later(int64_t at_ms, void (*fn)(void *ctx), void *ctx)
{
    if (world.n_events == EVENTS_MAX)
        abort();
    world.events[world.n_events++] = (struct event){ at_ms, fn, ctx };
}

void world_fail(const char *fmt, ...)
{
    va_list ap;

    if (world.failure[0] != '\0')
        return;
    va_start(ap, fmt);
    vsnprintf(world.failure, sizeof(world.failure), fmt, ap);
    va_end(ap);
    world_trace("FAILED: %s", world.failure);
}

const char *world_failure(void)
{
    return world.failure[0] != '\0' ? world.failure : NULL;
}

void world_trace(const char *fmt, ...)
{
    int64_t ms = world.now_ms - WORLD_START * 1000;
    va_list ap;

    if (!world.trace)
        return;
    printf("%3lldd%02lld:%02lld:%02lld.%03lld %-9s ", (long long)(ms / DAY),
           (long long)(ms / HOUR % 24), (long long)(ms / MINUTE % 60),
           (long long)(ms / SECOND % 60), (long long)(ms % SECOND),
           world.current != NULL ? world.current->name : "-");
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

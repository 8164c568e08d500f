// SPDX-License-Identifier: Apache-2.0
/*
 * Limits towards the server.  In flight: climb.c finds the number that is worth
 * it, below a ceiling with multiplicative decrease on throttling and additive
 * increase.  Retries: a token bucket, so that a sick server sees
 * few of them.  Bytes: a virtual clock per direction; each transfer books its
 * stretch of time and starts when the stretch begins.
 */
#include "objstore/throttle.h"

#include "base/cond.h"
#include "base/utc.h"

#define NS_PER_S 1000000000
#define NS_PER_MS 1000000

/* A transfer after a pause may start this much before its turn; keeps a
 * limited but idle store from waiting for every small object. */
#define BURST_NS (NS_PER_S / 10)

/* One booking never reaches further into the future. */
#define BOOK_MAX_NS ((int64_t)86400 * NS_PER_S)

int obj_pace_init(struct obj_pace *p, const struct obj_pace_tuning *t,
                  unsigned max_in_flight, uint64_t up_bytes_per_s,
                  uint64_t down_bytes_per_s, struct err *e)
{
    *p = (struct obj_pace){
        .tuning = *t,
        .max_in_flight = max_in_flight,
        .bytes_per_s = { [OBJ_UP] = up_bytes_per_s,
                         [OBJ_DOWN] = down_bytes_per_s },
    };
    p->locked.ceiling = max_in_flight;
    obj_climb_init(&p->locked.climb, t->least, max_in_flight);
    p->locked.tokens = t->budget;
    p->locked.grown_ms = utc_mono_ms();
    p->locked.shrunk_ms = p->locked.grown_ms - t->shrink_ms;

    if (pthread_mutex_init(&p->lock, NULL) != 0)
        return err_nomem(e);
    cond_init(&p->slot_free);
    return 0;
}

void obj_pace_fini(struct obj_pace *p)
{
    pthread_cond_destroy(&p->slot_free);
    pthread_mutex_destroy(&p->lock);
}

/* One more for each interval without throttling. */
static void grow(struct obj_pace *p, int64_t now)
{
    int64_t steps = (now - p->locked.grown_ms) / p->tuning.grow_ms;

    if (steps <= 0)
        return;
    p->locked.grown_ms += steps * p->tuning.grow_ms;
    p->locked.ceiling += (double)steps;
    if (p->locked.ceiling > p->max_in_flight)
        p->locked.ceiling = p->max_in_flight;
}

static unsigned limit_now(const struct obj_pace *p)
{
    unsigned ceiling = (unsigned)p->locked.ceiling;
    unsigned limit = p->locked.climb.limit;

    return limit < ceiling ? limit : ceiling;
}

/* The cut starts from what really was in flight: a limit that nobody used
 * would otherwise take many cuts to be felt. */
static void shrink(struct obj_pace *p, double factor, int64_t now)
{
    if (now - p->locked.shrunk_ms < p->tuning.shrink_ms)
        return;
    double used = p->locked.in_flight;
    if (used < p->locked.ceiling)
        p->locked.ceiling = used;
    p->locked.ceiling *= factor;
    if (p->locked.ceiling < 1)
        p->locked.ceiling = 1;
    p->locked.shrunk_ms = now;
}

int obj_pace_enter(struct obj_pace *p, const struct cancel *c, int64_t deadline,
                   struct err *e)
{
    int r = 0;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        int64_t now = utc_mono_ms();
        grow(p, now);
        if (p->locked.in_flight < limit_now(p))
            break;
        r = cancel_check(c, e);
        if (r == 0 && now >= deadline)
            r = err_set(e, ERR_TIMEOUT, 0,
                        "no free place among %u requests in flight",
                        p->locked.in_flight);
        if (r < 0)
            break;
        (void)cond_wait_ms(&p->slot_free, &p->lock, p->tuning.slice_ms);
    }
    if (r == 0)
        p->locked.in_flight++;
    pthread_mutex_unlock(&p->lock);
    return r;
}

/* True: more may go at once than the place that is given back. */
static bool learn(struct obj_pace *p, uint64_t bytes)
{
    bool full = p->locked.in_flight >= p->locked.climb.limit;

    return obj_climb_done(&p->locked.climb, utc_mono_ns(), bytes, full);
}

void obj_pace_leave(struct obj_pace *p, enum obj_signal signal, uint64_t bytes)
{
    bool changed = false;

    pthread_mutex_lock(&p->lock);
    int64_t now = utc_mono_ms();
    if (signal == OBJ_SIGNAL_THROTTLED) {
        shrink(p, 0.7, now);
        p->locked.grown_ms = now;
    } else if (signal == OBJ_SIGNAL_SLOW) {
        shrink(p, 0.9, now);
    } else if (signal == OBJ_SIGNAL_DONE) {
        changed = learn(p, bytes);
    }
    p->locked.in_flight--;
    if (changed)
        pthread_cond_broadcast(&p->slot_free);
    else
        pthread_cond_signal(&p->slot_free);
    pthread_mutex_unlock(&p->lock);
}

unsigned obj_pace_limit(struct obj_pace *p)
{
    pthread_mutex_lock(&p->lock);
    grow(p, utc_mono_ms());
    unsigned limit = limit_now(p);
    pthread_mutex_unlock(&p->lock);
    return limit;
}

static bool take_tokens(struct obj_pace *p, unsigned tokens)
{
    bool taken = false;

    pthread_mutex_lock(&p->lock);
    int64_t now = utc_mono_ms();
    if (p->locked.tokens >= tokens) {
        p->locked.tokens -= tokens;
        taken = true;
    } else if (now >= p->locked.next_probe_ms) {
        p->locked.next_probe_ms = now + p->tuning.probe_ms;
        taken = true;
    }
    pthread_mutex_unlock(&p->lock);
    return taken;
}

int obj_pace_spend(struct obj_pace *p, unsigned tokens, const struct cancel *c,
                   int64_t deadline, struct err *e)
{
    while (!take_tokens(p, tokens)) {
        if (utc_mono_ms() >= deadline)
            return err_set(e, ERR_TIMEOUT, 0, "the retry budget is spent");
        if (cancel_sleep(c, p->tuning.slice_ms, e) < 0)
            return -1;
    }
    return 0;
}

void obj_pace_refund(struct obj_pace *p, unsigned tokens)
{
    pthread_mutex_lock(&p->lock);
    unsigned room = p->tuning.budget - p->locked.tokens;
    p->locked.tokens += tokens < room ? tokens : room;
    pthread_mutex_unlock(&p->lock);
}

/* How long `bytes` take at the configured rate. */
static int64_t bytes_ns(const struct obj_pace *p, enum obj_direction d,
                        uint64_t bytes)
{
    double ns = (double)bytes * NS_PER_S / (double)p->bytes_per_s[d];

    return ns > (double)BOOK_MAX_NS ? BOOK_MAX_NS : (int64_t)ns;
}

int obj_pace_bytes(struct obj_pace *p, enum obj_direction d, uint64_t bytes,
                   const struct cancel *c, int64_t *waited_ms, struct err *e)
{
    if (p->bytes_per_s[d] == 0)
        return 0;
    pthread_mutex_lock(&p->lock);
    int64_t now = utc_mono_ns();
    int64_t start = p->locked.free_ns[d];
    if (start < now - BURST_NS)
        start = now - BURST_NS;
    p->locked.free_ns[d] = start + bytes_ns(p, d, bytes);
    pthread_mutex_unlock(&p->lock);

    int64_t wait_ms = (start - now + NS_PER_MS - 1) / NS_PER_MS;
    if (wait_ms <= 0)
        return 0;
    if (cancel_sleep(c, wait_ms, e) < 0) {
        obj_pace_correct(p, d, bytes, 0);
        return -1;
    }
    *waited_ms += wait_ms;
    return 0;
}

void obj_pace_correct(struct obj_pace *p, enum obj_direction d, uint64_t booked,
                      uint64_t real)
{
    if (p->bytes_per_s[d] == 0 || booked == real)
        return;
    pthread_mutex_lock(&p->lock);
    if (real > booked)
        p->locked.free_ns[d] += bytes_ns(p, d, real - booked);
    else
        p->locked.free_ns[d] -= bytes_ns(p, d, booked - real);
    pthread_mutex_unlock(&p->lock);
}

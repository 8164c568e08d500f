// SPDX-License-Identifier: Apache-2.0
/*
 * Hill climbing on the rate at which work gets done.  A round measures the rate
 * under one limit; a trial is a round under another one, half as much again or
 * a third less.  What a trial must show differs by direction, so that a server
 * that is busy, whose rate is the same under any limit, ends up with the fewest
 * requests, also where measurements are noisy.
 */
#include "objstore/climb.h"

/* Half as many more should do half as much more on a server that waits; this
 * much is enough to go on. */
#define WORTH_MORE 1.10
/* ... and with a third fewer, this much of the rate must be left. */
#define WORTH_FEWER 0.95

/* A request without a body is work, too: about as much as these bytes. */
#define REQUEST_BYTES (128u << 10)

/* Answers of a round: each place twice, and enough for a mean. */
#define ROUND_ANSWERS 24
#define ROUND_TURNS 2

#define PATIENCE_MOST 16

static void begin_round(struct obj_climb *c, int64_t now_ns, unsigned old)
{
    c->round = (__typeof__(c->round)){ .from_ns = now_ns, .old = old };
}

void obj_climb_init(struct obj_climb *c, unsigned least, unsigned most)
{
    unsigned first = least < most ? least : most;

    *c = (struct obj_climb){ .least = first,
                             .most = most,
                             .limit = first,
                             .base = first,
                             .next = OBJ_TRIAL_MORE,
                             .patience = 1 };
    /* The first answers come over connections that are being made. */
    begin_round(c, 0, first);
}

static unsigned stepped(const struct obj_climb *c, enum obj_trial trial)
{
    unsigned more = c->base + (c->base + 1) / 2;
    unsigned fewer = c->base - c->base / 3;

    if (trial == OBJ_TRIAL_MORE)
        return more < c->most ? more : c->most;
    return fewer > c->least ? fewer : c->least;
}

static enum obj_trial other(enum obj_trial trial)
{
    return trial == OBJ_TRIAL_MORE ? OBJ_TRIAL_FEWER : OBJ_TRIAL_MORE;
}

/* At an end of the range the other direction is tried. */
static void begin_trial(struct obj_climb *c)
{
    if (stepped(c, c->next) == c->base)
        c->next = other(c->next);
    c->trial = c->next;
    c->limit = stepped(c, c->next);
}

/* Back to the base, and for longer each time that nothing came of it. */
static void end_in_vain(struct obj_climb *c)
{
    c->next = other(c->trial);
    c->trial = OBJ_TRIAL_NONE;
    c->limit = c->base;
    c->rest = c->patience;
    if (c->patience < PATIENCE_MOST)
        c->patience *= 2;
}

static void judge(struct obj_climb *c, double rate)
{
    bool more = c->trial == OBJ_TRIAL_MORE;

    if (c->trial == OBJ_TRIAL_NONE) {
        c->base_rate = rate;
        if (c->rest > 0)
            c->rest--;
        else
            begin_trial(c);
    } else if (rate >= c->base_rate * (more ? WORTH_MORE : WORTH_FEWER)) {
        c->base = c->limit;
        c->base_rate = rate;
        c->patience = 1;
        begin_trial(c);
    } else {
        end_in_vain(c);
    }
}

bool obj_climb_done(struct obj_climb *c, int64_t now_ns, uint64_t bytes,
                    bool full)
{
    unsigned before = c->limit;
    unsigned enough = ROUND_TURNS * c->limit;

    if (c->round.old > 0) {
        c->round.old--;
        c->round.from_ns = now_ns;
        return false;
    }
    c->round.answers++;
    c->round.full += full;
    c->round.work += (double)bytes + REQUEST_BYTES;
    if (c->round.answers < (enough > ROUND_ANSWERS ? enough : ROUND_ANSWERS) ||
        now_ns <= c->round.from_ns)
        return false;
    double rate = c->round.work / (double)(now_ns - c->round.from_ns);
    /* Places that stayed empty say nothing about the server; and more of them
     * are not needed. */
    if (4 * c->round.full >= 3 * c->round.answers)
        judge(c, rate);
    else if (c->trial == OBJ_TRIAL_MORE)
        end_in_vain(c);
    begin_round(c, now_ns, c->limit != before ? before : 0);
    return c->limit != before;
}

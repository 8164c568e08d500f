// SPDX-License-Identifier: Apache-2.0
/*
 * What is to be done now.  Everything follows from the last run and the time:
 * nothing is remembered between two questions, so that a daemon that was away,
 * asleep or killed decides as one that never was.
 */
#include "engine/schedule/moments.h"

/* So much later a run still is on time. */
#define LATE_S 300
/* A moment further ahead than this was noted by a clock that was wrong. */
#define AHEAD_S 3600

/* Was t noted by a clock that was wrong? */
static bool is_ahead(int64_t t, int64_t now)
{
    return t > now + AHEAD_S;
}

/* t; where it is of such a clock, what is due only now counts. */
static int64_t believed(int64_t t, int64_t now)
{
    return is_ahead(t, now) ? now - LATE_S - 1 : t;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Up to when everything that was due is done or does not count. */
static int64_t settled(const struct eng_schedule *s,
                       const struct eng_schedule_past *past,
                       const struct eng_schedule_retry *retry, int64_t now)
{
    int64_t last = past->start;

    if (s->kind == ENG_SCHEDULE_CONTINUOUSLY && past->start != 0) {
        last = past->end;
        if (past->result == ENG_SCHEDULE_FAILED)
            last += retry->wait_s - 1;
    }
    return later(believed(past->since, now), believed(last, now));
}

/* When the next run is due, which may be past; missed moments count. */
static int64_t due_at(const struct eng_schedule *s, const struct eng_zone *z,
                      const struct eng_schedule_past *past, int64_t done,
                      int64_t now)
{
    if (s->kind != ENG_SCHEDULE_AFTER)
        return eng_moment_next(s, z, done);
    if (past->other_end == 0 || past->other_end <= done ||
        is_ahead(past->other_end, now))
        return ENG_SCHEDULE_NEVER;
    return eng_window_opens(s, z, past->other_end);
}

/* The same where missed moments do not count: what was due longer ago than
 * LATE_S, or has no window any more, is left out. */
static int64_t unmissed(const struct eng_schedule *s, const struct eng_zone *z,
                        int64_t due, int64_t now)
{
    bool open = eng_window_open(s, z, now);

    if (due > now || (open && now - due <= LATE_S))
        return due;
    return eng_moment_next(s, z, open ? now - LATE_S - 1 : now);
}

/* When the next run begins: a moment that is past where it begins now. */
static int64_t begins_at(const struct eng_schedule *s, const struct eng_zone *z,
                         int64_t due, int64_t now)
{
    if (s->skip_missed)
        return unmissed(s, z, due, now);
    return due > now || eng_window_open(s, z, now)
               ? due
               : eng_window_opens(s, z, now);
}

static void decide(const struct eng_schedule *s, const struct eng_zone *z,
                   const struct eng_schedule_past *past,
                   const struct eng_schedule_retry *retry, int64_t now,
                   struct eng_schedule_decision *out)
{
    int64_t done = settled(s, past, retry, now);
    int64_t due = due_at(s, z, past, done, now);

    out->act = ENG_SCHEDULE_RUN;
    out->at = begins_at(s, z, due, now);
    /* A run that is due does what has failed as well. */
    if (due > now && eng_schedule_tries_again(s, past, retry)) {
        int64_t again = eng_window_opens(
            s, z, is_ahead(past->end, now) ? now : past->end + retry->wait_s);
        if (again < due) {
            out->act = ENG_SCHEDULE_AGAIN;
            out->at = again;
        }
    }
    if (out->at > now)
        out->act = ENG_SCHEDULE_WAIT;
    out->missed = out->act == ENG_SCHEDULE_RUN &&
                  s->kind != ENG_SCHEDULE_CONTINUOUSLY && now - due > LATE_S;
}

bool eng_schedule_tries_again(const struct eng_schedule *s,
                              const struct eng_schedule_past *past,
                              const struct eng_schedule_retry *retry)
{
    return s->kind != ENG_SCHEDULE_MANUAL &&
           s->kind != ENG_SCHEDULE_CONTINUOUSLY && past->start != 0 &&
           !past->running && past->result == ENG_SCHEDULE_FAILED &&
           past->retries < retry->times;
}

int eng_schedule_decide(const struct eng_schedule *s, const char *zone,
                        const struct eng_schedule_past *past,
                        const struct eng_schedule_retry *retry, int64_t now,
                        struct eng_schedule_decision *out, struct err *e)
{
    AUTO_ENG_ZONE struct eng_zone *z = eng_zone_open(zone, e);

    *out = (struct eng_schedule_decision){ .at = ENG_SCHEDULE_NEVER };
    if (z == NULL)
        return -1;
    if (!past->running) {
        decide(s, z, past, retry, now, out);
        return 0;
    }
    out->at = eng_moment_end(s, z, past->start < now ? past->start : now);
    if (out->at <= now)
        out->act = ENG_SCHEDULE_STOP;
    return 0;
}

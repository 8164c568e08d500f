// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_SCHEDULE_SCHEDULE_H
#define ENGINE_SCHEDULE_SCHEDULE_H

/*
 * When a job runs: a schedule as text, the moments that it means in a time
 * zone, and what is to be done now.  Pure functions but for the files of time
 * zones; any thread.  Moments are unix seconds of the engine's time (utc_now).
 *
 *   daily 22:00 [weekdays | mon,wed,fri | mon-thu]
 *   monthly first|second|third|fourth|last sat 03:00 [in jan,jul]
 *   monthly day 15 03:00 [in ...]       monthly last day 03:00 [in ...]
 *   every 2h|15m [offset 5m]            counted from the beginning of each day
 *   continuously                        again as soon as a run has ended
 *   after JOB                           when a run of that job has ended
 *   manual                              never by itself
 *
 * and behind all but `manual`, in any order:
 *
 *   between 22:00-06:00                 a window, of every day
 *   allowed mon-fri 09-17, sat 10-12    whole hours of the week
 *   terminate                           a run is ended when its window closes
 *   missed run|skip                     what was missed runs once, or not
 *
 * The rules are in DESIGN.md, "Schedules".
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define ENG_SCHEDULE_JOB_CHARS 65   /* of a job's name, with NUL */
#define ENG_SCHEDULE_TEXT_MAX 1024u /* bytes of any schedule's text */
#define ENG_SCHEDULE_NEVER INT64_MAX

enum eng_schedule_kind {
    ENG_SCHEDULE_MANUAL, /* all zeros is this one */
    ENG_SCHEDULE_DAILY,
    ENG_SCHEDULE_MONTHLY,
    ENG_SCHEDULE_EVERY,
    ENG_SCHEDULE_CONTINUOUSLY,
    ENG_SCHEDULE_AFTER,
};

enum eng_schedule_window {
    ENG_SCHEDULE_ALWAYS,
    ENG_SCHEDULE_BETWEEN,
    ENG_SCHEDULE_HOURS,
};

enum { ENG_SCHEDULE_LAST_WEEK = 5, ENG_SCHEDULE_LAST_DAY = 32 };

/* What a text means; members that its kind has no use for are zero. */
struct eng_schedule {
    enum eng_schedule_kind kind;
    int minute;        /* of the local day: daily, monthly */
    unsigned weekdays; /* daily: a bit for each, 0 is Sunday */
    int week, weekday; /* monthly: 1 to 4 or LAST_WEEK; week 0: by `day` */
    int day;           /* monthly: 1 to 31, LAST_DAY */
    unsigned months;   /* monthly: bits 1 to 12 */
    int every_min, offset_min; /* every: minutes */
    char after[ENG_SCHEDULE_JOB_CHARS];
    enum eng_schedule_window window;
    int from_min, until_min; /* between: minutes of the day; never equal */
    uint32_t hours[7];       /* hours: a bit for each hour of each weekday;
                                neither none nor all of them */
    bool terminate, skip_missed;
};

/* ERR_USAGE: not a schedule, or one that could never run; names the word and
 * the nearest known one.  Whether the job of `after` may have its name, and
 * that no chain of jobs is a ring, is the caller's to check. */
int eng_schedule_parse(const char *text, struct eng_schedule *s, struct err *e)
    __attribute__((warn_unused_result));

/* Appends the one text that stands for s; it parses back to the same. */
void eng_schedule_text(const struct eng_schedule *s, struct buf *out);

/* The first moment > after at which a run begins in that zone (IANA name);
 * ENG_SCHEDULE_NEVER: none (manual, after a job).  ERR_USAGE: this machine
 * does not know the zone. */
int eng_schedule_next(const struct eng_schedule *s, const char *zone,
                      int64_t after, int64_t *next, struct err *e)
    __attribute__((warn_unused_result));

/* When a run that began at `start` must be ended: the end of its window, with
 * `terminate`.  ENG_SCHEDULE_NEVER: without it, or where the run began outside
 * of the window, as somebody wanted it.  ERR_USAGE as above. */
int eng_schedule_end(const struct eng_schedule *s, const char *zone,
                     int64_t start, int64_t *end, struct err *e)
    __attribute__((warn_unused_result));

/* How a run ended. */
enum eng_schedule_result {
    ENG_SCHEDULE_DONE,    /* nothing is left to be tried again */
    ENG_SCHEDULE_FAILED,  /* something failed, or the machine was lost */
    ENG_SCHEDULE_STOPPED, /* by somebody, or by the end of its window */
};

/* What is known of a job.  The last run is the one that began last in the
 * order of what happened, whatever the clock said. */
struct eng_schedule_past {
    int64_t since; /* from when on this schedule holds: nothing was missed
                      before */
    int64_t start; /* of the last run or retry; 0: there was none */
    int64_t end;   /* of it; counts where it does not run */
    bool running;
    enum eng_schedule_result result; /* as end */
    int retries;       /* how often the last run was tried again */
    int64_t other_end; /* `after`: when the last run of that job ended that
                          will not be tried again; 0: there is none */
};

/* How often what failed is tried again, and how long after its end. */
struct eng_schedule_retry {
    int times;
    int64_t wait_s;
};
#define ENG_SCHEDULE_RETRY                                                     \
    (struct eng_schedule_retry)                                                \
    {                                                                          \
        .times = 3, .wait_s = 600                                              \
    }

enum eng_schedule_act {
    ENG_SCHEDULE_WAIT,  /* nothing until `at`, or until something changes */
    ENG_SCHEDULE_RUN,   /* begin a run */
    ENG_SCHEDULE_AGAIN, /* try again what failed in the last run */
    ENG_SCHEDULE_STOP,  /* end the run that is under way */
};

struct eng_schedule_decision {
    enum eng_schedule_act act;
    int64_t at;  /* when it is due; may be past, ENG_SCHEDULE_NEVER: only
                    something that changes makes it due */
    bool missed; /* run: its moment passed more than five minutes ago */
};

/* What is to be done now.  Ask again when `at` comes, when a run of any job
 * has ended, when the configuration has changed, and when the clock was set.
 * ERR_USAGE: this machine does not know the zone. */
int eng_schedule_decide(const struct eng_schedule *s, const char *zone,
                        const struct eng_schedule_past *past,
                        const struct eng_schedule_retry *retry, int64_t now,
                        struct eng_schedule_decision *out, struct err *e)
    __attribute__((warn_unused_result));

/* True where the last run is not over: what failed in it will be tried again.
 * Who follows this job, and notifications, wait for the last try. */
bool eng_schedule_tries_again(const struct eng_schedule *s,
                              const struct eng_schedule_past *past,
                              const struct eng_schedule_retry *retry);

#endif

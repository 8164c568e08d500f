// SPDX-License-Identifier: Apache-2.0
/*
 * Asks engine/schedule for test_walk.py.  Lines of standard input:
 *
 *   next ZONE AFTER COUNT;SCHEDULE     answers with that many moments
 *   job NAME ZONE MINUTES FAILS;SCHEDULE
 *   sleep FROM UNTIL                   the machine is off
 *   back AT MINUTES                    then the clock is set back
 *   simulate FROM UNTIL                a daemon under virtual time
 *
 * The daemon looks once a minute, at what it was told to wait for.  A job's
 * n-th try (from 0) takes MINUTES + 9 (n mod 5) minutes; with FAILS it fails
 * where n mod 11 is 6 or more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "engine/schedule/schedule.h"

#define LINE_CHARS 1024
#define JOBS_MAX 16
#define SLEEPS_MAX 4

struct job {
    char name[64];
    char zone[64];
    int minutes, fails;
    struct eng_schedule schedule;
    struct eng_schedule_past past;
    int tries;
    int64_t run_end;
};

struct world {
    struct job jobs[JOBS_MAX];
    size_t n_jobs;
    struct sleep {
        int64_t from, until;
    } sleeps[SLEEPS_MAX];
    size_t n_sleeps;
    int64_t back_at;
    int64_t back_s;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "rig: %s\n", what);
    exit(1);
}

static int64_t time_of(const char *iso)
{
    int64_t t = 0;

    if (!utc_parse_iso(iso, &t))
        die(iso);
    return t;
}

static void print(int64_t t, const char *name, const char *act)
{
    char iso[UTC_ISO_CHARS] = "never";

    if (t <= UTC_LAST)
        utc_format_iso(t, iso);
    printf("%s%s%s%s%s\n", iso, name[0] == '\0' ? "" : " ", name,
           act[0] == '\0' ? "" : " ", act);
}

static void parse(char *line, struct eng_schedule *s)
{
    struct err e = { 0 };
    char *text = strchr(line, ';');

    if (text == NULL)
        die("no schedule");
    *text++ = '\0';
    if (eng_schedule_parse(text, s, &e) < 0)
        die(e.msg);
}

static void answer_next(char *line)
{
    struct eng_schedule s;
    struct err e = { 0 };
    char zone[64];
    char after[UTC_ISO_CHARS];
    int count = 0;

    parse(line, &s);
    if (sscanf(line, "next %63s %20s %d", zone, after, &count) != 3)
        die(line);
    int64_t t = time_of(after);
    for (int i = 0; i < count; i++) {
        if (eng_schedule_next(&s, zone, t, &t, &e) < 0)
            die(e.msg);
        print(t, "", "");
    }
}

static void add_job(struct world *w, char *line)
{
    struct job *j = &w->jobs[w->n_jobs++];

    if (w->n_jobs > JOBS_MAX)
        die("too many jobs");
    *j = (struct job){ 0 };
    parse(line, &j->schedule);
    if (sscanf(line, "job %63s %63s %d %d", j->name, j->zone, &j->minutes,
               &j->fails) != 4)
        die(line);
}

static void add_sleep(struct world *w, const char *line)
{
    char from[UTC_ISO_CHARS];
    char until[UTC_ISO_CHARS];

    if (w->n_sleeps == SLEEPS_MAX ||
        sscanf(line, "sleep %20s %20s", from, until) != 2)
        die(line);
    w->sleeps[w->n_sleeps++] = (struct sleep){ time_of(from), time_of(until) };
}

static void add_back(struct world *w, const char *line)
{
    char at[UTC_ISO_CHARS];
    int minutes = 0;

    if (sscanf(line, "back %20s %d", at, &minutes) != 2)
        die(line);
    w->back_at = time_of(at);
    w->back_s = INT64_C(60) * minutes;
}

/* A job that ends for good lets those begin that follow it. */
static void ended(struct world *w, struct job *j, int64_t now,
                  enum eng_schedule_result result)
{
    struct eng_schedule_retry retry = ENG_SCHEDULE_RETRY;

    j->past.running = false;
    j->past.end = now;
    j->past.result = result;
    if (eng_schedule_tries_again(&j->schedule, &j->past, &retry))
        return;
    for (size_t i = 0; i < w->n_jobs; i++)
        if (strcmp(w->jobs[i].schedule.after, j->name) == 0)
            w->jobs[i].past.other_end = now;
}

static void begin(struct job *j, int64_t now)
{
    j->past.running = true;
    j->past.start = now;
    j->run_end = now + INT64_C(60) * (j->minutes + 9 * (j->tries % 5));
    j->tries++;
}

/* Does all that is to be done now; when to look again. */
static int64_t act(struct world *w, struct job *j, int64_t now)
{
    struct eng_schedule_retry retry = ENG_SCHEDULE_RETRY;
    struct eng_schedule_decision d;
    struct err e = { 0 };

    for (;;) {
        if (eng_schedule_decide(&j->schedule, j->zone, &j->past, &retry, now,
                                &d, &e) < 0)
            die(e.msg);
        switch (d.act) {
        case ENG_SCHEDULE_WAIT:
            return d.at;
        case ENG_SCHEDULE_RUN:
            print(now, j->name, "run");
            j->past.retries = 0;
            begin(j, now);
            break;
        case ENG_SCHEDULE_AGAIN:
            print(now, j->name, "again");
            j->past.retries++;
            begin(j, now);
            break;
        case ENG_SCHEDULE_STOP:
            print(now, j->name, "stop");
            ended(w, j, now, ENG_SCHEDULE_STOPPED);
            break;
        }
    }
}

static int64_t look(struct world *w, int64_t now)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < w->n_jobs; i++) {
        struct job *j = &w->jobs[i];
        bool failed = j->fails != 0 && (j->tries - 1) % 11 >= 6;
        if (j->past.running && j->run_end <= now)
            ended(w, j, now, failed ? ENG_SCHEDULE_FAILED : ENG_SCHEDULE_DONE);
    }
    for (size_t i = 0; i < w->n_jobs; i++) {
        struct job *j = &w->jobs[i];
        int64_t at = act(w, j, now);
        if (j->past.running && j->run_end < at)
            at = j->run_end;
        if (at < next)
            next = at;
    }
    return next > UTC_LAST ? next : (next + 59) / 60 * 60;
}

static void simulate(struct world *w, const char *line)
{
    char from[UTC_ISO_CHARS];
    char to[UTC_ISO_CHARS];

    if (sscanf(line, "simulate %20s %20s", from, to) != 2)
        die(line);
    int64_t now = time_of(from);
    int64_t until = time_of(to);
    for (size_t i = 0; i < w->n_jobs; i++)
        w->jobs[i].past.since = now - 1;
    while (now < until) {
        for (size_t i = 0; i < w->n_sleeps; i++)
            if (now >= w->sleeps[i].from && now < w->sleeps[i].until)
                now = w->sleeps[i].until;
        int64_t next = look(w, now);
        if (w->back_at > now && w->back_at <= next) {
            next = w->back_at - w->back_s;
            w->back_at = 0;
        }
        now = next;
    }
}

int main(void)
{
    static struct world w;
    char line[LINE_CHARS];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (strncmp(line, "next ", 5) == 0)
            answer_next(line);
        else if (strncmp(line, "job ", 4) == 0)
            add_job(&w, line);
        else if (strncmp(line, "sleep ", 6) == 0)
            add_sleep(&w, line);
        else if (strncmp(line, "back ", 5) == 0)
            add_back(&w, line);
        else if (strncmp(line, "simulate ", 9) == 0)
            simulate(&w, line);
        else
            die(line);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The daemon under virtual time, for test_loop.py: its real loop, with files
 * and a history of its own, in a world that is played.  Lines of standard
 * input:
 *
 *   file PATH;CONTENT            of the home, before it begins
 *   run NAME MINUTES FAILS       how the job's runs go
 *   at TIME file PATH;CONTENT    somebody writes a file then
 *   at TIME remove PATH
 *   at TIME hand NAME MINUTES FAILS   somebody runs the job
 *   sleep FROM UNTIL             the machine is off
 *   back AT MINUTES              then the clock is set back
 *   simulate FROM UNTIL          a daemon; may be said again
 *   lose                         the state folder
 *
 * The world looks once a minute.  A job's n-th try (from 0) takes MINUTES + 9
 * (n mod 5) minutes; with FAILS 1 it fails where n mod 11 is 6 or more, with
 * FAILS 2 its process ends each time before it has noted anything.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"
#include "engine/daemon/daemon.h"
#include "engine/run/job_run.h"

#define LINE_CHARS 4096
#define JOBS_MAX 32
#define EVENTS_MAX 64
#define SLEEPS_MAX 4

/* A job's or a repository's work; at most one process at a time. */
struct work {
    char name[64];
    int minutes, fails;
    unsigned tries;
    uint64_t handle; /* 0: none */
    enum eng_work what;
    int64_t begun, end; /* of the process */
    bool over;          /* it has ended, and nobody has asked */
    bool hand;          /* somebody's */
    int code;
    struct eng_run_record record;
};

struct event {
    int64_t at;
    char line[LINE_CHARS];
};

static struct world {
    struct eng_home home;
    struct eng_history *history; /* as the runs' processes have it */
    int64_t now, steady, until;
    struct work works[JOBS_MAX];
    size_t n_works;
    struct event events[EVENTS_MAX];
    size_t n_events, done;
    struct sleep {
        int64_t from, until;
    } sleeps[SLEEPS_MAX];
    size_t n_sleeps;
    int64_t back_at, back_s;
    uint64_t handles;
} w;

/* No power is cut here: also for SQLite, which finds these first. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "rig: %s\n", what);
    exit(1);
}

static void must(int r, const struct err *e)
{
    if (r < 0)
        die(e->msg);
}

static int64_t time_of(const char *iso)
{
    int64_t t = 0;

    if (!utc_parse_iso(iso, &t))
        die(iso);
    return t;
}

static void print(const char *name, const char *act)
{
    char iso[UTC_ISO_CHARS];

    utc_format_iso(w.now, iso);
    printf("%s %s %s\n", iso, name, act);
}

static struct work *find(const char *name)
{
    for (size_t i = 0; i < w.n_works; i++)
        if (strcmp(w.works[i].name, name) == 0)
            return &w.works[i];
    if (w.n_works == JOBS_MAX)
        die("too many jobs");
    struct work *k = &w.works[w.n_works++];
    (void)snprintf(k->name, sizeof k->name, "%s", name);
    return k;
}

static char *copy(const char *text)
{
    char *c = strdup(text);

    if (c == NULL)
        die("no memory");
    return c;
}

/* --- the runs' side of the history --- */

static void note_begin(struct work *k)
{
    struct err e = { 0 };

    k->begun = w.now;
    if (k->what == ENG_WORK_AGAIN) {
        must(eng_history_again(w.history, &k->record, &e), &e);
        return;
    }
    eng_run_record_fini(&k->record);
    k->record = (struct eng_run_record){
        .job = copy(k->name),
        .repo = copy("main"),
        .host = copy("here"),
        .why = k->hand ? ENG_WHY_ASKED : ENG_WHY_SCHEDULE,
        .started = w.now,
    };
    must(eng_history_begin(w.history, &k->record, &e), &e);
}

static void note_vm(struct work *k, const char *name, enum eng_status status)
{
    struct err e = { 0 };
    char source[] = "here";
    char *vm = copy(name);
    struct eng_vm_record v = { .source = source,
                               .id = vm,
                               .vm = vm,
                               .status = status,
                               .tried = k->record.tries,
                               .started = k->begun,
                               .ended = w.now };

    must(eng_history_vm(w.history, k->record.id, &v, &e), &e);
    free(vm);
}

static void note_end(struct work *k, enum eng_status status)
{
    struct err e = { 0 };
    bool part = k->record.id % 2 == 0;

    /* Of two VMs one or both fail. */
    if (status == ENG_STATUS_FAILED && part)
        k->record.status = ENG_STATUS_WARNING;
    else
        k->record.status = status;
    note_vm(k, "one", status);
    note_vm(k, "two",
            status == ENG_STATUS_FAILED && part ? ENG_STATUS_SUCCESS : status);
    k->record.ended = w.now;
    must(eng_history_end(w.history, &k->record, &e), &e);
}

static bool is_run(const struct work *k)
{
    return k->what == ENG_WORK_RUN || k->what == ENG_WORK_AGAIN;
}

static void finish(struct work *k, enum eng_status status)
{
    k->over = true;
    k->code = status == ENG_STATUS_FAILED ? 1 : 0;
    if (is_run(k) && k->fails == 2)
        k->code = 2;
    else if (is_run(k))
        note_end(k, status);
    if (k->hand)
        k->over = k->hand = false;
}

/* --- what happens --- */

static void write_file(char *line)
{
    struct err e = { 0 };
    char *content = strchr(line, ';');

    if (content == NULL)
        die(line);
    *content++ = '\0';
    AUTO_MEM char *path = io_join(w.home.config, line, &e);
    must(path != NULL ? io_mkdirs_for(path, 0700, &e) : -1, &e);
    must(io_write_file(path, span_str(content), 0600, false, &e), &e);
}

static void happen(char *line)
{
    struct err e = { 0 };
    char name[64];
    int minutes = 0;
    int fails = 0;

    if (strncmp(line, "file ", 5) == 0) {
        write_file(line + 5);
    } else if (strncmp(line, "remove ", 7) == 0) {
        AUTO_MEM char *path = io_join(w.home.config, line + 7, &e);
        if (path == NULL || unlink(path) < 0)
            die(line);
    } else if (sscanf(line, "hand %63s %d %d", name, &minutes, &fails) == 3) {
        struct work *k = find(name);
        if (k->handle != 0 || k->hand)
            die("it runs already");
        k->hand = true;
        k->what = ENG_WORK_RUN;
        k->end = w.now + INT64_C(60) * minutes;
        k->code = fails;
        note_begin(k);
    } else {
        die(line);
    }
}

static enum eng_status status_of(const struct work *k)
{
    bool failed =
        k->hand ? k->code != 0 : k->fails != 0 && (k->tries - 1) % 11 >= 6;

    return failed ? ENG_STATUS_FAILED : ENG_STATUS_SUCCESS;
}

static bool goes_on(const struct work *k)
{
    return (k->handle != 0 && !k->over) || k->hand;
}

/* Everything up to now; how much there was. */
static size_t pass(void)
{
    size_t n = 0;

    for (; w.done < w.n_events && w.events[w.done].at <= w.now; w.done++, n++)
        happen(w.events[w.done].line);
    for (size_t i = 0; i < w.n_works; i++)
        if (goes_on(&w.works[i]) && w.works[i].end <= w.now) {
            finish(&w.works[i], status_of(&w.works[i]));
            n++;
        }
    return n;
}

static int64_t next_event(int64_t next)
{
    if (w.done < w.n_events && w.events[w.done].at < next)
        next = w.events[w.done].at;
    for (size_t i = 0; i < w.n_works; i++)
        if (goes_on(&w.works[i]) && w.works[i].end < next)
            next = w.works[i].end;
    return (next + 59) / 60 * 60;
}

static bool any_over(void)
{
    for (size_t i = 0; i < w.n_works; i++)
        if (w.works[i].over)
            return true;
    return false;
}

/* --- struct eng_world --- */

static int64_t world_now(void *ctx)
{
    (void)ctx;
    return w.now;
}

static int64_t world_steady(void *ctx)
{
    (void)ctx;
    return w.steady;
}

static int world_wait(void *ctx, int64_t seconds, struct err *e)
{
    int64_t next =
        seconds > w.until - w.now ? w.until : next_event(w.now + seconds);

    (void)ctx;
    if (any_over())
        return 0;
    next = next_event(next);
    if (w.back_at > w.now && w.back_at <= next) {
        w.steady += w.back_at - w.now;
        w.now = w.back_at - w.back_s;
        w.back_at = 0;
        return 0;
    }
    if (next > w.until)
        next = w.until;
    for (size_t i = 0; i < w.n_sleeps; i++)
        if (next >= w.sleeps[i].from && next < w.sleeps[i].until)
            next = w.sleeps[i].until;
    w.steady += next - w.now;
    w.now = next;
    if (w.now >= w.until)
        return err_set(e, ERR_CANCELLED, 0, "the quarter is over");
    pass();
    return 0;
}

static int world_begin(void *ctx, enum eng_work what, const char *name,
                       const struct eng_work_opts *how, uint64_t *handle,
                       struct err *e)
{
    static const char *const acts[ENG_WORKS] = { "run", "again", "deleted",
                                                 "gc", "check" };
    char of[80];

    (void)ctx;
    (void)how;
    (void)e;
    (void)snprintf(of, sizeof of, "%s%s%s", name,
                   what > ENG_WORK_AGAIN ? "-" : "",
                   what > ENG_WORK_AGAIN ? acts[what] : "");
    struct work *k = find(of);
    if (k->handle != 0 || k->hand)
        die("two at once");
    print(of, what > ENG_WORK_AGAIN ? "run" : acts[what]);
    k->what = what;
    k->handle = *handle = ++w.handles;
    k->end = w.now + INT64_C(60) * (k->minutes + 9 * (int)(k->tries % 5));
    k->tries++;
    if (is_run(k) && k->fails != 2)
        note_begin(k);
    return 0;
}

static struct work *of_handle(uint64_t handle)
{
    for (size_t i = 0; i < w.n_works; i++)
        if (w.works[i].handle == handle)
            return &w.works[i];
    die("no such work");
    return NULL;
}

static int world_ended(void *ctx, uint64_t handle, int *code)
{
    struct work *k = of_handle(handle);

    (void)ctx;
    if (!k->over)
        return 0;
    *code = k->code;
    k->over = false;
    k->handle = 0;
    return 1;
}

static void world_stop(void *ctx, uint64_t handle)
{
    struct work *k = of_handle(handle);

    (void)ctx;
    if (w.now < w.until)
        print(k->name, "stop");
    finish(k, ENG_STATUS_STOPPED);
}

static void world_finish(void *ctx)
{
    (void)ctx;
}

/* --- engine/run, as far as the daemon asks it --- */

int __wrap_eng_job_runs(const struct eng_home *h, const char *job,
                        struct err *e);
int __wrap_eng_job_close_lost(const struct eng_home *h,
                              struct eng_history *history, const char *job,
                              struct err *e);
int __wrap_eng_job_stop(const struct eng_home *h, const char *job,
                        enum eng_stop how, struct err *e);

int __wrap_eng_job_runs(const struct eng_home *h, const char *job,
                        struct err *e)
{
    (void)h;
    (void)e;
    if (!find(job)->hand)
        die("a run that nobody runs");
    return 1;
}

int __wrap_eng_job_close_lost(const struct eng_home *h,
                              struct eng_history *history, const char *job,
                              struct err *e)
{
    size_t n = 0;

    (void)h;
    return eng_history_close_lost(history, job, w.now, "lost", &n, e);
}

int __wrap_eng_job_stop(const struct eng_home *h, const char *job,
                        enum eng_stop how, struct err *e)
{
    (void)h;
    (void)how;
    (void)e;
    print(job, "stop");
    finish(find(job), ENG_STATUS_STOPPED);
    return 0;
}

/* --- input --- */

static int compare_events(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;

    return x->at < y->at ? -1 : x->at > y->at;
}

static void add_event(const char *line)
{
    char at[UTC_ISO_CHARS];

    if (w.n_events == EVENTS_MAX || strlen(line) < 3 + UTC_ISO_CHARS)
        die(line);
    struct event *v = &w.events[w.n_events++];
    memcpy(at, line + 3, UTC_ISO_CHARS - 1);
    at[UTC_ISO_CHARS - 1] = '\0';
    v->at = time_of(at);
    (void)snprintf(v->line, sizeof v->line, "%s", line + 3 + UTC_ISO_CHARS);
}

static void simulate(const char *from, const char *until)
{
    struct err e = { 0 };
    struct eng_world world = { .now = world_now,
                               .steady = world_steady,
                               .wait = world_wait,
                               .begin = world_begin,
                               .ended = world_ended,
                               .stop = world_stop,
                               .finish = world_finish };
    struct eng_daemon_opts o = { .home = &w.home, .world = &world };

    w.now = time_of(from);
    w.until = time_of(until);
    w.steady = 1000;
    qsort(w.events, w.n_events, sizeof w.events[0], compare_events);
    w.history = eng_history_open(w.home.state, NULL, &e);
    if (w.history == NULL)
        die(e.msg);
    must(eng_daemon_run(&o, &e), &e);
    eng_history_close(w.history);
    for (size_t i = 0; i < w.n_works; i++)
        eng_run_record_fini(&w.works[i].record);
}

static int remove_entry(const char *path, const struct stat *st, int flag,
                        struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void lose(const char *folder)
{
    if (nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) != 0)
        die(folder);
}

static void read_line(char *line)
{
    char a[64];
    char b[64];
    int minutes = 0;
    int fails = 0;

    if (strncmp(line, "file ", 5) == 0) {
        happen(line);
    } else if (strncmp(line, "at ", 3) == 0) {
        add_event(line);
    } else if (sscanf(line, "run %63s %d %d", a, &minutes, &fails) == 3) {
        find(a)->minutes = minutes;
        find(a)->fails = fails;
    } else if (sscanf(line, "sleep %63s %63s", a, b) == 2) {
        if (w.n_sleeps == SLEEPS_MAX)
            die(line);
        w.sleeps[w.n_sleeps++] = (struct sleep){ time_of(a), time_of(b) };
    } else if (sscanf(line, "back %63s %d", a, &minutes) == 2) {
        w.back_at = time_of(a);
        w.back_s = INT64_C(60) * minutes;
    } else if (strcmp(line, "lose") == 0) {
        lose(w.home.state);
    } else if (sscanf(line, "simulate %63s %63s", a, b) == 2) {
        simulate(a, b);
    } else {
        die(line);
    }
}

int main(void)
{
    char folder[] = "/tmp/objvault-daemon-XXXXXX";
    char state[64];
    char line[LINE_CHARS];

    if (mkdtemp(folder) == NULL)
        die("mkdtemp");
    (void)snprintf(state, sizeof state, "%s/state", folder);
    w.home = (struct eng_home){ .config = folder, .state = state };
    log_setup(LOG_WARN, false);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        read_line(line);
    }
    lose(folder);
    return fflush(stdout) == 0 ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Progress: a thread that looks at the engine's counters and shows them, as
 * bars on a terminal and as JSON lines where they were asked for.  Whoever
 * else writes to stderr takes the screen first, so that lines and bars never
 * mix.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cond.h"
#include "base/io.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/units.h"
#include "base/utc.h"
#include "cli/cli.h"
#include "cli/render.h"

#define TERMINAL_TICK_MS 200
#define JSON_TICK_MS 1000
#define LINE_TICK_S 60
#define BARS_MAX 8
#define FRAME_MAX ((size_t)1 << 24)
/* What the last look at a task said. */
struct seen {
    uint64_t done;
    double rate; /* bytes a second, smoothed */
    bool ended;  /* was told as ended already */
};

/* Tasks, or groups of them, as they were seen last. */
struct table {
    size_t (*snapshot)(struct progress *p, struct progress_view *out,
                       size_t cap);
    struct progress_view *views;
    struct seen *seen;
    size_t n, cap;
};

struct cli_render {
    struct progress *progress; /* borrowed */
    bool bars;
    int json_fd;     /* -1: none */
    int64_t line_ms; /* how often a line is due, where there are no bars */
    bool any_lines;  /* ... also of what is no job; 0 above: never */
    int64_t tick_ms;
    unsigned drawn; /* lines of bars on the screen */
    int64_t looked_ms, json_ms, lined_ms;
    struct table tasks, vms;
    struct seen all; /* VMs together */
    bool stop;
    bool thread_runs;
    pthread_t thread;
    pthread_cond_t wake;
};

/* Guards stderr as a screen, and `active` with all of its members. */
static pthread_mutex_t screen = PTHREAD_MUTEX_INITIALIZER;
static struct cli_render *active;

static void write_stderr(struct buf *b)
{
    struct err ignored = { 0 };
    if (b->len > 0 &&
        io_write_full(STDERR_FILENO, b->p, b->len, "stderr", &ignored) < 0)
        buf_reset(b); /* a lost bar harms nobody */
}

/* Removes the bars from the screen. */
static void erase(struct cli_render *r, struct buf *out)
{
    if (r->drawn > 0)
        buf_printf(out, "\r\033[%uA\033[J", r->drawn);
    r->drawn = 0;
}

void cli_render_hold(void)
{
    pthread_mutex_lock(&screen);
    if (active != NULL && active->drawn > 0) {
        AUTO_BUF struct buf out = buf_init(FRAME_MAX);
        erase(active, &out);
        write_stderr(&out);
    }
}

void cli_render_release(void)
{
    pthread_mutex_unlock(&screen);
}

static void log_hook(void *ctx, bool before)
{
    (void)ctx;
    if (before)
        cli_render_hold();
    else
        cli_render_release();
}

/* Takes a snapshot, with room for everything; false without memory. */
static bool snapshot(struct cli_render *r, struct table *t)
{
    size_t n = t->snapshot(r->progress, t->views, t->cap);
    while (n > t->cap) {
        size_t cap = n + 64;
        struct progress_view *views =
            reallocarray(t->views, cap, sizeof *views);
        if (views != NULL)
            t->views = views;
        struct seen *seen = reallocarray(t->seen, cap, sizeof *seen);
        if (seen != NULL)
            t->seen = seen;
        if (views == NULL || seen == NULL)
            return false;
        memset(seen + t->cap, 0, (cap - t->cap) * sizeof *seen);
        t->cap = cap;
        n = t->snapshot(r->progress, t->views, t->cap);
    }
    t->n = n;
    return true;
}

/* What was done since the last look (the beginning, where that was later), as
 * a smoothed rate. */
static void see(struct seen *s, uint64_t done, int64_t started_ms,
                int64_t looked_ms, int64_t now)
{
    bool known = s->done > 0 && looked_ms > started_ms;
    int64_t since = known ? looked_ms : started_ms;

    if (now <= since || done < s->done)
        return;
    double rate = (double)(done - s->done) * 1000.0 / (double)(now - since);
    s->rate = s->rate > 0 ? 0.8 * s->rate + 0.2 * rate : rate;
    s->done = done;
}

static bool look(struct cli_render *r)
{
    int64_t now = utc_mono_ms();
    uint64_t done = 0;

    if (!snapshot(r, &r->tasks) || !snapshot(r, &r->vms))
        return false;
    struct table *both[] = { &r->tasks, &r->vms };
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k]->n; i++)
            see(&both[k]->seen[i], both[k]->views[i].done,
                both[k]->views[i].started_ms, r->looked_ms, now);
    for (size_t i = 0; i < r->vms.n; i++)
        done += r->vms.views[i].done;
    if (r->vms.n > 0)
        see(&r->all, done, r->vms.views[0].started_ms, r->looked_ms, now);
    r->looked_ms = now;
    return true;
}

/* Whether it is a job, whose VMs are shown. */
static bool by_vm(struct cli_render *r)
{
    return progress_expected(r->progress) > 0;
}

static void append_total(struct cli_render *r, struct buf *out)
{
    struct cli_render_sum sum =
        cli_render_sum(r->vms.views, r->vms.n, progress_expected(r->progress));

    cli_render_total(&sum, r->all.rate, out);
}

static size_t terminal_columns(void)
{
    struct winsize w;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20)
        return w.ws_col - 1u; /* the last column would wrap */
    return 79;
}

static void draw(struct cli_render *r)
{
    AUTO_BUF struct buf out = buf_init(FRAME_MAX);
    const struct table *t = by_vm(r) ? &r->vms : &r->tasks;
    size_t columns = terminal_columns();
    unsigned running = 0;
    erase(r, &out);
    for (size_t i = 0; i < t->n; i++) {
        if (t->views[i].ended_ms != 0)
            continue;
        running++;
        if (running > BARS_MAX)
            continue;
        cli_render_bar(&t->views[i], t->seen[i].rate, columns, &out);
        buf_append_char(&out, '\n');
        r->drawn++;
    }
    if (running > BARS_MAX) {
        buf_printf(&out, "and %u more\n", running - BARS_MAX);
        r->drawn++;
    }
    if (by_vm(r)) {
        AUTO_BUF struct buf total = buf_init(1024);
        append_total(r, &total);
        cli_render_fit(&out, buf_cstr(&total), columns);
        buf_append_char(&out, '\n');
        r->drawn++;
    }
    write_stderr(&out);
}

/* Where nobody looks at bars: one line, for a log. */
static void line(struct cli_render *r)
{
    AUTO_BUF struct buf out = buf_init(FRAME_MAX);

    buf_append_str(&out, "objvault: ");
    if (by_vm(r)) {
        buf_append_str(&out, "progress: ");
        append_total(r, &out);
    } else if (r->any_lines) {
        cli_render_line(r->progress, &out);
    } else {
        return;
    }
    buf_append_char(&out, '\n');
    write_stderr(&out);
}

static void json_row(struct jsonw *w, const struct progress_view *v,
                     double rate)
{
    int64_t seconds = cli_render_eta(v, rate);
    jsonw_object(w);
    jsonw_kstring(w, "verb", v->verb);
    cli_json_text(w, "name", v->name);
    jsonw_kuint(w, "total_bytes", v->total);
    jsonw_kuint(w, "done_bytes", v->done);
    jsonw_kuint(w, "read_bytes", v->read);
    jsonw_kuint(w, "moved_bytes", v->moved);
    jsonw_kuint(w, "bytes_per_second", (uint64_t)rate);
    if (seconds >= 0)
        jsonw_kuint(w, "eta_seconds", (uint64_t)seconds);
    else
        jsonw_knull(w, "eta_seconds");
    jsonw_kbool(w, "running", v->ended_ms == 0);
    jsonw_end_object(w);
}

/* What runs, and what ended since the last line. */
static void json_rows(struct jsonw *w, const char *name, struct table *t)
{
    jsonw_key(w, name);
    jsonw_array(w);
    for (size_t i = 0; i < t->n; i++) {
        if (!t->seen[i].ended)
            json_row(w, &t->views[i], t->seen[i].rate);
        t->seen[i].ended = t->views[i].ended_ms != 0;
    }
    jsonw_end_array(w);
}

static void json_line(struct cli_render *r, bool final)
{
    struct err ignored = { 0 };
    struct progress_view sum = { 0 };
    AUTO_BUF struct buf out = buf_init(FRAME_MAX);
    struct jsonw w = jsonw_init(&out, false);
    jsonw_object(&w);
    jsonw_ktime(&w, "time", utc_now());
    jsonw_kbool(&w, "final", final);
    json_rows(&w, "tasks", &r->tasks);
    json_rows(&w, "vms", &r->vms);
    jsonw_kuint(&w, "vms_expected", progress_expected(r->progress));
    for (size_t i = 0; i < r->tasks.n; i++) {
        const struct progress_view *v = &r->tasks.views[i];
        sum.total += v->total;
        sum.done += v->done;
        sum.read += v->read;
        sum.moved += v->moved;
    }
    jsonw_kuint(&w, "total_bytes", sum.total);
    jsonw_kuint(&w, "done_bytes", sum.done);
    jsonw_kuint(&w, "read_bytes", sum.read);
    jsonw_kuint(&w, "moved_bytes", sum.moved);
    jsonw_end_object(&w);
    buf_append_char(&out, '\n');
    if (out.failed || io_write_full(r->json_fd, out.p, out.len,
                                    "the progress descriptor", &ignored) < 0)
        r->json_fd = -1; /* nobody reads any more */
}

static void tick(struct cli_render *r)
{
    if (!look(r))
        return;
    if (r->bars)
        draw(r);
    int64_t now = utc_mono_ms();
    if (r->line_ms > 0 && now - r->lined_ms >= r->line_ms) {
        r->lined_ms = now;
        line(r);
    }
    if (r->json_fd >= 0 && now - r->json_ms >= JSON_TICK_MS) {
        r->json_ms = now;
        json_line(r, false);
    }
}

static void *render_thread(void *ctx)
{
    struct cli_render *r = ctx;
    pthread_mutex_lock(&screen);
    while (!r->stop) {
        int64_t until = utc_mono_ms() + r->tick_ms;
        int64_t left = r->tick_ms;
        while (!r->stop && left > 0 && cond_wait_ms(&r->wake, &screen, left))
            left = until - utc_mono_ms();
        if (!r->stop)
            tick(r);
    }
    pthread_mutex_unlock(&screen);
    return NULL;
}

/* On the signal thread. */
static void on_usr1(void *ctx)
{
    (void)ctx;
    AUTO_BUF struct buf line = buf_init(4096);
    cli_render_hold();
    if (active != NULL) {
        cli_render_line(active->progress, &line);
        buf_append_char(&line, '\n');
        write_stderr(&line);
    }
    cli_render_release();
}

static bool wants_bars(const struct cli_ctx *c)
{
    const char *term = getenv("TERM");
    return !c->quiet && !cli_given(c, CLI_OPT_NO_PROGRESS) &&
           isatty(STDERR_FILENO) == 1 && term != NULL &&
           strcmp(term, "dumb") != 0;
}

/* How often a line is due where nobody looks at bars; 0: never. */
static int64_t line_ms(const struct cli_ctx *c)
{
    uint64_t s = LINE_TICK_S;

    if (c->quiet || cli_given(c, CLI_OPT_NO_PROGRESS))
        return 0;
    if (cli_given(c, CLI_OPT_PROGRESS_EVERY))
        s = cli_number(c, CLI_OPT_PROGRESS_EVERY);
    return (int64_t)s * 1000;
}

static int start_thread(struct cli_render *r, struct err *e)
{
    int failed = pthread_create(&r->thread, NULL, render_thread, r);
    if (failed != 0)
        return err_set(e, ERR_FAILED, failed, "start the progress thread");
    r->thread_runs = true;
    return 0;
}

struct cli_render *cli_render_start(const struct cli_ctx *c, struct progress *p,
                                    struct err *e)
{
    struct cli_render *r = calloc(1, sizeof *r);
    if (r == NULL) {
        (void)err_nomem(e);
        return NULL;
    }
    cond_init(&r->wake);
    r->progress = p;
    r->bars = wants_bars(c);
    r->json_fd = cli_given(c, CLI_OPT_PROGRESS_JSON)
                     ? (int)cli_number(c, CLI_OPT_PROGRESS_JSON)
                     : -1;
    r->tick_ms = r->bars ? TERMINAL_TICK_MS : JSON_TICK_MS;
    r->line_ms = r->bars ? 0 : line_ms(c);
    r->any_lines = cli_given(c, CLI_OPT_PROGRESS_EVERY);
    r->tasks.snapshot = progress_snapshot;
    r->vms.snapshot = progress_groups;
    r->json_ms = utc_mono_ms();
    r->lined_ms = r->json_ms;

    pthread_mutex_lock(&screen);
    active = r;
    pthread_mutex_unlock(&screen);
    log_set_hook(log_hook, NULL);
    signals_on_usr1(on_usr1, NULL);
    if ((r->bars || r->line_ms > 0 || r->json_fd >= 0) &&
        start_thread(r, e) < 0) {
        cli_render_stop(r);
        return NULL;
    }
    return r;
}

void cli_render_stop(struct cli_render *r)
{
    if (r == NULL)
        return;
    pthread_mutex_lock(&screen);
    r->stop = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&screen);
    if (r->thread_runs)
        pthread_join(r->thread, NULL);

    cli_render_hold();
    if (r->json_fd >= 0 && look(r))
        json_line(r, true);
    active = NULL;
    cli_render_release();
    signals_on_usr1(NULL, NULL);
    log_set_hook(NULL, NULL);
    pthread_cond_destroy(&r->wake);
    free(r->tasks.views);
    free(r->tasks.seen);
    free(r->vms.views);
    free(r->vms.seen);
    free(r);
}

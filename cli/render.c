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

#define TERMINAL_TICK_MS 200
#define JSON_TICK_MS 1000
#define BARS_MAX 8
#define FRAME_MAX ((size_t)1 << 24)
#define NAME_MIN 10 /* columns */
#define BAR_MIN 8
#define WIDE_COLUMNS 100

/* What the last look at a task said. */
struct seen {
    uint64_t done;
    double rate; /* bytes a second, smoothed */
    bool ended;  /* was told as ended already */
};

struct cli_render {
    struct progress *progress; /* borrowed */
    bool bars;
    int json_fd; /* -1: none */
    int64_t tick_ms;
    unsigned drawn; /* lines of bars on the screen */
    int64_t looked_ms, json_ms;
    struct progress_view *views;
    struct seen *seen;
    size_t n, cap;
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

/* Takes a snapshot, with room for all tasks; false without memory. */
static bool look(struct cli_render *r)
{
    int64_t now = utc_mono_ms();
    size_t n = progress_snapshot(r->progress, r->views, r->cap);
    while (n > r->cap) {
        size_t cap = n + 64;
        struct progress_view *views =
            reallocarray(r->views, cap, sizeof *views);
        if (views != NULL)
            r->views = views;
        struct seen *seen = reallocarray(r->seen, cap, sizeof *seen);
        if (seen != NULL)
            r->seen = seen;
        if (views == NULL || seen == NULL)
            return false;
        memset(seen + r->cap, 0, (cap - r->cap) * sizeof *seen);
        r->cap = cap;
        n = progress_snapshot(r->progress, r->views, r->cap);
    }
    r->n = n;
    for (size_t i = 0; i < n; i++) {
        struct seen *s = &r->seen[i];
        const struct progress_view *v = &r->views[i];
        bool known = s->done > 0 && r->looked_ms > v->started_ms;
        int64_t since = known ? r->looked_ms : v->started_ms;
        if (now <= since || v->done < s->done)
            continue;
        double rate =
            (double)(v->done - s->done) * 1000.0 / (double)(now - since);
        s->rate = s->rate > 0 ? 0.8 * s->rate + 0.2 * rate : rate;
        s->done = v->done;
    }
    r->looked_ms = now;
    return true;
}

/* Share of the bytes dealt with that did not have to go over the network. */
static unsigned saved_percent(const struct progress_view *v)
{
    if (v->done == 0 || v->moved >= v->done)
        return 0;
    return (unsigned)((double)(v->done - v->moved) * 100.0 / (double)v->done);
}

static unsigned done_percent(const struct progress_view *v)
{
    if (v->total == 0 || v->done >= v->total)
        return 100;
    return (unsigned)((double)v->done * 100.0 / (double)v->total);
}

/* Seconds that are left, or -1. */
static int64_t eta(const struct progress_view *v, double rate)
{
    if (v->done >= v->total)
        return 0;
    if (rate < 1.0)
        return -1;
    double left = (double)(v->total - v->done) / rate;
    return left < 1e9 ? (int64_t)left : -1;
}

/* The numbers of a task, in columns of one width from one look to the next.
 * wide: with the total. */
static void figures(const struct progress_view *v, double rate, bool wide,
                    struct buf *out)
{
    char text[UNITS_TEXT_CHARS];
    units_format_size(v->done, text);
    buf_printf(out, "%3u%% %10s", done_percent(v), text);
    units_format_size(v->total, text);
    if (wide)
        buf_printf(out, " of %s", text);
    units_format_size((uint64_t)rate, text);
    buf_printf(out, " %10s/s", text);
    if (strcmp(v->verb, "backup") == 0)
        buf_printf(out, " saved %3u%%", saved_percent(v));
    int64_t seconds = eta(v, rate);
    (void)snprintf(text, sizeof text, "-");
    if (seconds >= 0)
        units_format_duration(seconds, text);
    buf_printf(out, " ETA %-7s", text);
}

/* Appends s cut or padded to exactly `columns`. */
static void fit(struct buf *out, const char *s, size_t columns)
{
    size_t used = 0;
    while (*s != '\0') {
        bool begins = ((unsigned char)*s & 0xc0) != 0x80;
        if (begins && used == columns)
            break;
        used += begins;
        buf_append_char(out, *s++);
    }
    buf_printf(out, "%*s", (int)(columns - used), "");
}

void cli_render_bar(const struct progress_view *v, double rate, size_t columns,
                    struct buf *out)
{
    AUTO_BUF struct buf name = buf_init(1024);
    AUTO_BUF struct buf stats = buf_init(1024);
    cli_clean(&name, v->name);
    figures(v, rate, columns >= WIDE_COLUMNS, &stats);
    const char *name_text = buf_cstr(&name);
    const char *stats_text = buf_cstr(&stats);
    size_t stats_width = cli_width(stats_text);
    if (stats_width + NAME_MIN + 1 > columns) {
        fit(out, name_text, columns);
        return;
    }
    size_t left = columns - stats_width - 1;
    size_t bar = left >= NAME_MIN + BAR_MIN + 3 ? (left - NAME_MIN - 3) : 0;
    if (bar > BAR_MIN) /* what is left over is shared with the name */
        bar = BAR_MIN + (bar - BAR_MIN) / 2;
    fit(out, name_text, bar > 0 ? left - bar - 3 : left);
    buf_append_char(out, ' ');
    if (bar > 0) {
        size_t full = bar * done_percent(v) / 100;
        buf_append_char(out, '[');
        for (size_t i = 0; i < bar; i++)
            buf_append_char(out, i < full ? '#' : '.');
        buf_append_str(out, "] ");
    }
    buf_append_str(out, stats_text);
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
    size_t columns = terminal_columns();
    unsigned running = 0;
    erase(r, &out);
    for (size_t i = 0; i < r->n; i++) {
        if (r->views[i].ended_ms != 0)
            continue;
        running++;
        if (running > BARS_MAX)
            continue;
        cli_render_bar(&r->views[i], r->seen[i].rate, columns, &out);
        buf_append_char(&out, '\n');
        r->drawn++;
    }
    if (running > BARS_MAX) {
        buf_printf(&out, "and %u more\n", running - BARS_MAX);
        r->drawn++;
    }
    write_stderr(&out);
}

static void json_task(struct jsonw *w, const struct progress_view *v,
                      double rate)
{
    int64_t seconds = eta(v, rate);
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

/* One line: what runs, and what ended since the last line. */
static void json_line(struct cli_render *r, bool final)
{
    struct err ignored = { 0 };
    struct progress_view sum = { 0 };
    AUTO_BUF struct buf out = buf_init(FRAME_MAX);
    struct jsonw w = jsonw_init(&out, false);
    jsonw_object(&w);
    jsonw_ktime(&w, "time", utc_now());
    jsonw_kbool(&w, "final", final);
    jsonw_key(&w, "tasks");
    jsonw_array(&w);
    for (size_t i = 0; i < r->n; i++) {
        const struct progress_view *v = &r->views[i];
        sum.total += v->total;
        sum.done += v->done;
        sum.read += v->read;
        sum.moved += v->moved;
        if (!r->seen[i].ended)
            json_task(&w, v, r->seen[i].rate);
        r->seen[i].ended = v->ended_ms != 0;
    }
    jsonw_end_array(&w);
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

void cli_render_line(struct progress *p, struct buf *out)
{
    struct progress_view sum = { 0 };
    const struct progress_view *last = NULL;
    size_t n = progress_snapshot(p, NULL, 0);
    AUTO_MEM struct progress_view *views = calloc(n + 1, sizeof *views);
    size_t have = views != NULL ? progress_snapshot(p, views, n) : 0;
    have = have < n ? have : n;
    for (size_t i = 0; i < have; i++) {
        if (views[i].ended_ms != 0)
            continue;
        last = &views[i];
        sum.total += last->total;
        sum.done += last->done;
        sum.moved += last->moved;
        if (sum.started_ms == 0 || last->started_ms < sum.started_ms)
            sum.started_ms = last->started_ms;
    }
    if (last == NULL) {
        buf_append_str(out, "progress: no disk is being worked on");
        return;
    }
    memcpy(sum.verb, last->verb, sizeof sum.verb);
    int64_t ms = utc_mono_ms() - sum.started_ms;
    double rate = ms > 0 ? (double)sum.done * 1000.0 / (double)ms : 0;
    buf_append_str(out, "progress: ");
    cli_clean(out, last->name);
    buf_append_str(out, ": ");
    figures(&sum, rate, true, out);
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
    r->json_ms = utc_mono_ms();

    pthread_mutex_lock(&screen);
    active = r;
    pthread_mutex_unlock(&screen);
    log_set_hook(log_hook, NULL);
    signals_on_usr1(on_usr1, NULL);
    if ((r->bars || r->json_fd >= 0) && start_thread(r, e) < 0) {
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
    free(r->views);
    free(r->seen);
    free(r);
}

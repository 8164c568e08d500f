// SPDX-License-Identifier: Apache-2.0
/* Progress as text: the bar of a disk, the line of a VM, one line for all. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "base/utc.h"
#include "cli/cli.h"
#include "cli/render.h"

#define NAME_MIN 10 /* columns */
#define BAR_MIN 8
#define WIDE_COLUMNS 100

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

int64_t cli_render_eta(const struct progress_view *v, double rate)
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
    int64_t seconds = cli_render_eta(v, rate);
    (void)snprintf(text, sizeof text, "-");
    if (seconds >= 0)
        units_format_duration(seconds, text);
    buf_printf(out, " ETA %-7s", text);
}

void cli_render_fit(struct buf *out, const char *s, size_t columns)
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
        cli_render_fit(out, name_text, columns);
        return;
    }
    size_t left = columns - stats_width - 1;
    size_t bar = left >= NAME_MIN + BAR_MIN + 3 ? (left - NAME_MIN - 3) : 0;
    if (bar > BAR_MIN) /* what is left over is shared with the name */
        bar = BAR_MIN + (bar - BAR_MIN) / 2;
    cli_render_fit(out, name_text, bar > 0 ? left - bar - 3 : left);
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

struct cli_render_sum cli_render_sum(const struct progress_view *vms, size_t n,
                                     size_t expected)
{
    struct cli_render_sum s = { .expected = expected > n ? expected : n };

    for (size_t i = 0; i < n; i++) {
        bool over = vms[i].ended_ms != 0;
        s.over += over;
        s.at_work += !over;
        s.v.done += vms[i].done;
        s.v.moved += vms[i].moved;
        /* What one that failed did not do is not left to be done. */
        s.v.total += over ? vms[i].done : vms[i].total;
        if (i == 0)
            memcpy(s.v.verb, vms[i].verb, sizeof s.v.verb);
    }
    /* Those that have not begun are as large as the others are on average. */
    if (n > 0 && s.expected > n) {
        s.estimated = true;
        s.v.total += s.v.total / n * (s.expected - n);
    }
    return s;
}

void cli_render_total(const struct cli_render_sum *s, double rate,
                      struct buf *out)
{
    char text[UNITS_TEXT_CHARS];

    buf_printf(out, "%zu of %zu VMs, %zu at work: ", s->over, s->expected,
               s->at_work);
    if (s->over + s->at_work == 0) {
        buf_append_str(out, "nothing is read yet");
        return;
    }
    units_format_size(s->v.done, text);
    buf_printf(out, "%u%% %s", done_percent(&s->v), text);
    units_format_size(s->v.total, text);
    buf_printf(out, " of %s%s", s->estimated ? "about " : "", text);
    units_format_size((uint64_t)rate, text);
    buf_printf(out, ", %s/s, saved %u%%", text, saved_percent(&s->v));
    int64_t seconds = cli_render_eta(&s->v, rate);
    if (seconds >= 0) {
        units_format_duration(seconds, text);
        buf_printf(out, ", ETA %s", text);
    }
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

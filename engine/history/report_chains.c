// SPDX-License-Identifier: Apache-2.0
/*
 * The points of a repository as a picture: a lane for each VM on one axis of
 * time, a tick for each point (thick: a full), and two bands that tell until
 * when points are visible and locked.  Points come in any order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/history/report_impl.h"

#define WIDE 1000.0
#define DAY 86400
#define TICKS_MAX ((size_t)400) /* of a lane: the newest */

/* The axis: from the first point to the last date that is known. */
struct axis {
    int64_t from, to;
    int64_t run; /* when the run ended, or began */
};

/* Points of one VM, by time. */
struct lane {
    const struct eng_report_point *const *p;
    size_t n;
};

static double at(const struct axis *a, int64_t t)
{
    if (t <= a->from)
        return 0;
    if (t >= a->to)
        return WIDE;
    return WIDE * (double)(t - a->from) / (double)(a->to - a->from);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct axis axis_of(const struct eng_report *r)
{
    struct axis a = { .from = r->points[0].time };

    a.run = r->run->ended > 0 ? r->run->ended : r->run->started;
    a.to = a.run;
    for (size_t i = 0; i < r->n_points; i++) {
        const struct eng_report_point *p = &r->points[i];
        a.from = p->time < a.from ? p->time : a.from;
        a.to = later(later(a.to, p->time),
                     later(p->visible_until, p->locked_until));
    }
    a.to = later(a.to, a.from + DAY);
    return a;
}

static int by_vm_and_time(const void *a, const void *b)
{
    const struct eng_report_point *x =
        *(const struct eng_report_point *const *)a;
    const struct eng_report_point *y =
        *(const struct eng_report_point *const *)b;
    int order = strcmp(x->vm, y->vm);

    if (order != 0)
        return order;
    return (x->time > y->time) - (x->time < y->time);
}

static void band(struct buf *out, const char *class, const struct axis *a,
                 int64_t from, int64_t until, double top, double high)
{
    double x = at(a, from);
    double wide = at(a, until) - x;

    if (wide > 0)
        buf_printf(out,
                   "<rect class=\"%s\" x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" "
                   "height=\"%.0f\"/>",
                   class, x, top, wide, high);
}

static void ticks(struct buf *out, const struct lane *l, const struct axis *a,
                  const struct eng_zone *z)
{
    char when[ENG_REPORT_WHEN_CHARS];

    for (size_t i = l->n > TICKS_MAX ? l->n - TICKS_MAX : 0; i < l->n; i++) {
        const struct eng_report_point *p = l->p[i];
        double x = at(a, p->time);
        eng_report_when(z, p->time, when);
        buf_printf(
            out,
            "<path class=\"tick%s\" vector-effect=\"non-scaling-stroke\" "
            "d=\"M%.2f %sV%s\"><title>%s %s"
            "</title></path>",
            p->full ? " full" : "", x, p->full ? "4" : "12",
            p->full ? "32" : "24", p->full ? "full" : "incremental", when);
    }
}

/* What the lane says in words. */
static void words(struct buf *out, const struct lane *l,
                  const struct eng_zone *z, int64_t visible, int64_t locked,
                  bool for_good)
{
    char until[ENG_REPORT_WHEN_CHARS];
    size_t fulls = 0;

    for (size_t i = 0; i < l->n; i++)
        fulls += l->p[i]->full ? 1 : 0;
    buf_append_str(out, "<p><b><bdi>");
    eng_report_escape(out, l->p[0]->vm);
    buf_printf(out,
               "</bdi></b><br><small class=\"dim\">%zu full, "
               "%zu incremental, ",
               fulls, l->n - fulls);
    eng_report_when(z, visible, until);
    if (for_good)
        buf_append_str(out, "visible until deleted");
    else
        buf_printf(out, "visible until <span class=\"date\">%.10s</span>",
                   until);
    eng_report_when(z, locked, until);
    if (locked > 0)
        buf_printf(out, ", locked until <span class=\"date\">%.10s</span>",
                   until);
    buf_append_str(out, "</small></p>");
}

static void put_lane(struct buf *out, const struct lane *l,
                     const struct axis *a, const struct eng_zone *z)
{
    int64_t visible = 0;
    int64_t locked = 0;
    int64_t from_locked = INT64_MAX; /* the first point that is locked still */
    bool for_good = false;

    for (size_t i = 0; i < l->n; i++) {
        const struct eng_report_point *p = l->p[i];
        visible = later(visible, p->visible_until);
        for_good |= p->visible_until == 0;
        locked = later(locked, p->locked_until);
        if (p->locked_until > a->run && p->time < from_locked)
            from_locked = p->time;
    }
    buf_append_str(out, "<div class=\"lane\">");
    words(out, l, z, visible, locked, for_good);
    buf_append_str(out, "<svg viewBox=\"0 0 1000 36\" "
                        "preserveAspectRatio=\"none\" role=\"img\" "
                        "aria-label=\"Points on the axis of time\">");
    band(out, "vis", a, l->p[0]->time, for_good ? a->to : visible, 10, 16);
    if (from_locked < locked)
        band(out, "lock", a, from_locked, locked, 26, 4);
    buf_printf(out,
               "<path class=\"run\" vector-effect=\"non-scaling-stroke\" "
               "d=\"M%.2f 0V36\"/>",
               at(a, a->run));
    ticks(out, l, a, z);
    buf_append_str(out, "</svg></div>\n");
}

/* An entry of a picture's key that is a line. */
static void legend_line(struct buf *out, const char *class, const char *path,
                        const char *text)
{
    buf_printf(out,
               "<span><svg viewBox=\"0 0 8 8\" aria-hidden=\"true\">"
               "<path class=\"%s\" d=\"%s\"/></svg>%s</span>",
               class, path, text);
}

void eng_report_chains(const struct eng_report *r, const struct eng_zone *z,
                       struct buf *out)
{
    char from[ENG_REPORT_WHEN_CHARS];
    char to[ENG_REPORT_WHEN_CHARS];

    if (r->n_points == 0)
        return;
    AUTO_MEM const struct eng_report_point **sorted =
        calloc(r->n_points, sizeof(struct eng_report_point *));
    if (sorted == NULL) {
        out->failed = out->nomem = true;
        return;
    }
    for (size_t i = 0; i < r->n_points; i++)
        sorted[i] = &r->points[i];
    qsort(sorted, r->n_points, sizeof(struct eng_report_point *),
          by_vm_and_time);
    struct axis a = axis_of(r);
    eng_report_when(z, a.from, from);
    eng_report_when(z, a.to, to);
    buf_append_str(out, "<section>\n<h2>Chains and locks</h2>\n"
                        "<p class=\"key dim\">");
    legend_line(out, "tick full", "M4 0V8", "full");
    legend_line(out, "tick", "M4 1V7", "incremental");
    eng_report_legend(out, "vis", "visible");
    eng_report_legend(out, "lock", "locked");
    legend_line(out, "run", "M4 0V8", "this run");
    buf_append_str(out, "</p>\n");
    for (size_t i = 0; i < r->n_points;) {
        struct lane l = { .p = &sorted[i] };
        while (i + l.n < r->n_points &&
               strcmp(sorted[i + l.n]->vm, sorted[i]->vm) == 0)
            l.n++;
        put_lane(out, &l, &a, z);
        i += l.n;
    }
    buf_printf(out,
               "<div class=\"ends\"><span>%.10s</span><span>%.10s</span>"
               "</div>\n</section>\n",
               from, to);
}

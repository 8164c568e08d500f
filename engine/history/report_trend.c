// SPDX-License-Identifier: Apache-2.0
/* The last runs as two charts: how long they took, and what they stored.  Bars
 * are stretched to the width of the page; texts stand beside the picture. */
#include <stdio.h>

#include "engine/history/report_impl.h"

#define RUNS_MAX 40
#define HIGH 100.0 /* of the picture, in its own units */
#define STEP 10.0  /* from bar to bar */
#define BAR 7.0    /* width of one */
#define LEAST 1.5  /* a run that took no time is seen, too */

struct bar {
    const struct eng_run_record *run;
    double value;
    char text[UNITS_TEXT_CHARS];
};

static struct bar took(const struct eng_run_record *r)
{
    struct bar b = { .run = r, .value = (double)eng_report_seconds(r) };

    units_format_duration(eng_report_seconds(r), b.text);
    return b;
}

static struct bar stored(const struct eng_run_record *r)
{
    struct eng_report_sums sums = eng_report_sum(r);
    struct bar b = { .run = r, .value = (double)sums.stored_bytes };

    units_format_size(sums.stored_bytes, b.text);
    return b;
}

static void put_bars(const struct bar *bars, size_t n, double highest,
                     const struct eng_zone *z, struct buf *out)
{
    char when[ENG_REPORT_WHEN_CHARS];

    for (size_t i = 0; i < n; i++) {
        double share = highest > 0 ? bars[i].value / highest : 0;
        double high = share * (HIGH - LEAST) + LEAST;
        eng_report_when(z, bars[i].run->started, when);
        buf_printf(out,
                   "<rect class=\"b %s%s\" x=\"%.1f\" y=\"%.2f\" "
                   "width=\"%.1f\" height=\"%.2f\"><title>%s: %s, %s</title>"
                   "</rect>",
                   eng_status_name(bars[i].run->status),
                   i + 1 == n ? " this" : "", (double)i * STEP, HIGH - high,
                   BAR, high, when, bars[i].text,
                   eng_status_name(bars[i].run->status));
    }
}

/* Bars from the oldest run to this one, the last. */
static void chart(const char *what, const struct bar *bars, size_t n,
                  const struct eng_zone *z, struct buf *out)
{
    const struct bar *highest = &bars[0];
    char first[ENG_REPORT_WHEN_CHARS];
    char last[ENG_REPORT_WHEN_CHARS];

    for (size_t i = 1; i < n; i++)
        highest = bars[i].value > highest->value ? &bars[i] : highest;
    eng_report_when(z, bars[0].run->started, first);
    eng_report_when(z, bars[n - 1].run->started, last);
    buf_printf(out,
               "<figure>\n<figcaption><b>%s</b>: this run %s, at most %s"
               "</figcaption>\n<svg class=\"trend\" "
               "viewBox=\"0 0 %.0f %.0f\" preserveAspectRatio=\"none\" "
               "role=\"img\" aria-label=\"%s of the last %zu runs\">",
               what, bars[n - 1].text, highest->text,
               (double)n * STEP - (STEP - BAR), HIGH, what, n);
    put_bars(bars, n, highest->value, z, out);
    buf_printf(out,
               "</svg>\n<div class=\"ends\"><span>%.10s</span>"
               "<span>%.10s</span></div>\n</figure>\n",
               first, last);
}

static void key(struct buf *out)
{
    static const enum eng_status shown[] = { ENG_STATUS_SUCCESS,
                                             ENG_STATUS_WARNING,
                                             ENG_STATUS_FAILED,
                                             ENG_STATUS_STOPPED };

    buf_append_str(out, "<p class=\"key dim\">");
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        char class[32];
        snprintf(class, sizeof(class), "b %s", eng_status_name(shown[i]));
        eng_report_legend(out, class, eng_status_name(shown[i]));
    }
    buf_append_str(out, "</p>\n");
}

void eng_report_trend(const struct eng_report *r, const struct eng_zone *z,
                      struct buf *out)
{
    struct bar times[RUNS_MAX];
    struct bar bytes[RUNS_MAX];
    size_t before = r->n_before < RUNS_MAX - 1 ? r->n_before : RUNS_MAX - 1;
    size_t n = before + 1;

    if (before == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        const struct eng_run_record *run =
            i == before ? r->run : &r->before[before - 1 - i];
        times[i] = took(run);
        bytes[i] = stored(run);
    }
    buf_printf(out, "<section>\n<h2>The last %zu runs</h2>\n", n);
    key(out);
    buf_append_str(out, "<div class=\"charts\">\n");
    chart("Duration", times, n, z, out);
    chart("Stored", bytes, n, z, out);
    buf_append_str(out, "</div>\n</section>\n");
}

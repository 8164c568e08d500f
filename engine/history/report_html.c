// SPDX-License-Identifier: Apache-2.0
/*
 * A run as one page: no script, nothing fetched (which its own policy forbids
 * too).  Texts come from machines and servers, so each goes through
 * eng_report_escape; what is printed by format is numbers and words of ours.
 */
#include <stdio.h>

#include "engine/history/report_impl.h"

static void head(struct buf *out, const struct eng_run_record *r,
                 const char *began)
{
    buf_append_str(
        out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
             "<meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\""
             "default-src 'none'; style-src 'unsafe-inline'\">\n"
             "<meta name=\"viewport\" content=\""
             "width=device-width, initial-scale=1\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    eng_report_escape(out, r->job);
    buf_printf(out, ": %s, %s</title>\n<style>", eng_status_name(r->status),
               began);
    buf_append_str(out, eng_report_style);
    buf_append_str(out, "</style>\n</head>\n<body>\n");
}

static void badge(struct buf *out, enum eng_status s)
{
    buf_printf(out, "<span class=\"badge %s\">%s</span>", eng_status_name(s),
               eng_status_name(s));
}

/* A name in text of ours: the direction of its letters ends with it. */
static void name(struct buf *out, const char *before, const char *text)
{
    if (text == NULL)
        return;
    buf_append_str(out, before);
    buf_append_str(out, "<bdi>");
    eng_report_escape(out, text);
    buf_append_str(out, "</bdi>");
}

static void header(struct buf *out, const struct eng_run_record *r,
                   const char *began, const char *ended, const char *zone)
{
    buf_append_str(out, "<header>\n<div class=\"top\"><h1>");
    name(out, "", r->job);
    buf_append_str(out, "</h1>");
    badge(out, r->status);
    buf_printf(out, "</div>\n<p>Began %s", began);
    if (r->ended > 0)
        buf_printf(out, ", ended %s", ended);
    buf_append_str(out, " (");
    eng_report_escape(out, zone);
    buf_printf(out, ")</p>\n<p class=\"dim\">Run %lld", (long long)r->id);
    name(out, " on ", r->host);
    name(out, " into repository ", r->repo);
    eng_report_origin(r, out);
    buf_append_str(out, "</p>\n</header>\n");
}

static void tile(struct buf *out, const char *what, const char *value)
{
    buf_printf(out, "<li>%s<b>%s</b></li>\n", what, value);
}

static void tiles(struct buf *out, const struct eng_run_record *r)
{
    struct eng_report_sums sums = eng_report_sum(r);
    char text[2 * UNITS_TEXT_CHARS];

    buf_append_str(out, "<ul class=\"tiles\">\n");
    snprintf(text, sizeof(text), "%zu of %zu", sums.points, r->n_vms);
    tile(out, "VMs with a point", text);
    units_format_duration(eng_report_seconds(r), text);
    tile(out, "Duration", r->ended > 0 ? text : "-");
    units_format_size(sums.read_bytes, text);
    tile(out, "Read", text);
    units_format_size(sums.new_bytes, text);
    tile(out, "New", text);
    units_format_size(sums.stored_bytes, text);
    tile(out, "Stored", text);
    eng_report_rate(sums.read_bytes, (double)eng_report_seconds(r), text);
    tile(out, "Rate of reading", text);
    buf_append_str(out, "</ul>\n");
}

static void messages(struct buf *out, const struct eng_run_record *r)
{
    if (r->message == NULL && r->n_warnings == 0)
        return;
    buf_append_str(out, "<section>\n<h2>Messages</h2>\n<ul>\n");
    if (r->message != NULL) {
        buf_append_str(out, "<li>");
        eng_report_escape(out, r->message);
        buf_append_str(out, "</li>\n");
    }
    for (size_t i = 0; i < r->n_warnings; i++) {
        buf_append_str(out, "<li>");
        eng_report_escape(out, r->warnings[i]);
        buf_append_str(out, "</li>\n");
    }
    buf_append_str(out, "</ul>\n</section>\n");
}

static double busy_sum(const struct eng_vm_record *v)
{
    double sum = 0;

    for (size_t i = 0; i < ENG_STAGES; i++)
        sum += v->busy[i];
    return sum;
}

/* How the workers' time was spent, as a bar that is whole. */
static void busy(struct buf *out, const struct eng_vm_record *v)
{
    double sum = busy_sum(v);
    double at = 0;

    if (sum <= 0)
        return;
    buf_append_str(out, "<svg class=\"busy\" viewBox=\"0 0 100 8\" "
                        "preserveAspectRatio=\"none\" role=\"img\" "
                        "aria-label=\"Busy");
    for (size_t i = 0; i < ENG_STAGES; i++)
        buf_printf(out, "%s %s %.1f s", i == 0 ? ":" : ",",
                   eng_stage_name((enum eng_stage)i), v->busy[i]);
    buf_append_str(out, "\">");
    for (size_t i = 0; i < ENG_STAGES; i++) {
        double share = 100 * v->busy[i] / sum;
        if (share > 0)
            buf_printf(out,
                       "<rect class=\"s%zu\" x=\"%.2f\" y=\"0\" "
                       "width=\"%.2f\" height=\"8\">"
                       "<title>%s: %.1f s</title></rect>",
                       i, at, share, eng_stage_name((enum eng_stage)i),
                       v->busy[i]);
        at += share;
    }
    buf_append_str(out, "</svg>");
}

static void requests(struct buf *out, const uint64_t n[ENG_REQUEST_KINDS])
{
    const char *part = "";

    for (size_t k = 0; k < ENG_REQUEST_KINDS; k++) {
        if (n[k] == 0)
            continue;
        buf_printf(out, "%s%s&nbsp;%llu", part, eng_request_name(k),
                   (unsigned long long)n[k]);
        part = ", ";
    }
}

static void number(struct buf *out, const char *label, const char *text)
{
    buf_printf(out, "<td class=\"n\" data-l=\"%s\">%s</td>", label, text);
}

static void numbers(struct buf *out, const struct eng_vm_record *v)
{
    char text[UNITS_TEXT_CHARS];

    units_format_size(v->read_bytes, text);
    number(out, "Read", text);
    units_format_size(v->new_bytes, text);
    number(out, "New", text);
    units_format_size(v->stored_bytes, text);
    number(out, "Stored", text);
    eng_report_rate(v->read_bytes, v->seconds, text);
    number(out, "Rate", text);
    eng_report_took(v->seconds, text);
    number(out, "Duration", text);
}

static void vm(struct buf *out, const struct eng_vm_record *v)
{
    buf_append_str(out, "<tr><th scope=\"row\">");
    name(out, "", v->vm);
    buf_append_str(out, " ");
    badge(out, v->status);
    buf_append_str(out, "<br><small class=\"dim\">");
    buf_append_str(out, v->kind != NULL ? "" : "no point");
    name(out, "", v->kind);
    name(out, ", source ", v->source);
    if (v->tried > 1)
        buf_printf(out, ", try %u", v->tried);
    buf_append_str(out, "</small></th>");
    numbers(out, v);
    buf_append_str(out, "<td class=\"w\">");
    busy(out, v);
    name(out, "mostly ", v->bottleneck);
    buf_append_str(out, "</td><td class=\"w\">");
    requests(out, v->requests);
    buf_append_str(out, "</td></tr>\n");
    if (v->message != NULL) {
        buf_printf(out, "<tr class=\"note\"><td colspan=\"8\" class=\"%s\">",
                   eng_status_name(v->status));
        eng_report_escape(out, v->message);
        buf_append_str(out, "</td></tr>\n");
    }
}

static void key(struct buf *out)
{
    buf_append_str(out, "<p class=\"key dim\"><span>Busy time:</span>");
    for (size_t i = 0; i < ENG_STAGES; i++) {
        char class[16];
        snprintf(class, sizeof(class), "s%zu", i);
        eng_report_legend(out, class, eng_stage_name((enum eng_stage)i));
    }
    buf_append_str(out, "</p>\n");
}

static void vms(struct buf *out, const struct eng_run_record *r)
{
    struct eng_report_sums sums = eng_report_sum(r);

    if (r->n_vms == 0)
        return;
    buf_append_str(out, "<section>\n<h2>VMs</h2>\n");
    key(out);
    buf_append_str(out,
                   "<table>\n<thead><tr><th scope=\"col\">VM</th>"
                   "<th scope=\"col\" class=\"n\">Read</th>"
                   "<th scope=\"col\" class=\"n\">New</th>"
                   "<th scope=\"col\" class=\"n\">Stored</th>"
                   "<th scope=\"col\" class=\"n\">Rate</th>"
                   "<th scope=\"col\" class=\"n\">Duration</th>"
                   "<th scope=\"col\">Busy</th>"
                   "<th scope=\"col\">Requests</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < r->n_vms; i++)
        vm(out, &r->vms[i]);
    buf_append_str(out, "</tbody>\n</table>\n");
    if (sums.requests[0] > 0) {
        buf_append_str(out, "<p class=\"dim\"><small>Requests of all: ");
        requests(out, sums.requests);
        buf_append_str(out, "</small></p>\n");
    }
    buf_append_str(out, "</section>\n");
}

int eng_report_html(const struct eng_report *r, struct buf *out, struct err *e)
{
    char began[ENG_REPORT_WHEN_CHARS];
    char ended[ENG_REPORT_WHEN_CHARS];
    const char *zone = NULL;
    AUTO_ENG_ZONE struct eng_zone *z = eng_report_zone(r, &zone, e);

    if (z == NULL)
        return -1;
    eng_report_when(z, r->run->started, began);
    eng_report_when(z, r->run->ended, ended);
    head(out, r->run, began);
    header(out, r->run, began, ended, zone);
    buf_append_str(out, "<main>\n");
    tiles(out, r->run);
    messages(out, r->run);
    vms(out, r->run);
    eng_report_trend(r, z, out);
    eng_report_chains(r, z, out);
    buf_append_str(out, "</main>\n<footer>objvault " OBJVAULT_VERSION
                        "</footer>\n</body>\n</html>\n");
    return buf_check(out, e);
}

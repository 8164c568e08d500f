// SPDX-License-Identifier: Apache-2.0
/* What all forms of a report are made of: sums, times, rates, safe text. */
#include <stdio.h>
#include <string.h>

#include "base/utc.h"
#include "base/utf8.h"
#include "engine/history/report_impl.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

struct eng_report_sums eng_report_sum(const struct eng_run_record *r)
{
    struct eng_report_sums s = { 0 };

    for (size_t i = 0; i < r->n_vms; i++) {
        const struct eng_vm_record *v = &r->vms[i];
        s.points += v->point != NULL ? 1 : 0;
        s.read_bytes += v->read_bytes;
        s.new_bytes += v->new_bytes;
        s.stored_bytes += v->stored_bytes;
        for (size_t k = 0; k < ENG_REQUEST_KINDS; k++)
            s.requests[k] += v->requests[k];
    }
    return s;
}

int64_t eng_report_seconds(const struct eng_run_record *r)
{
    return r->ended > r->started ? r->ended - r->started : 0;
}

void eng_report_origin(const struct eng_run_record *r, struct buf *out)
{
    if (r->rebuilt)
        buf_append_str(out, ", as manifests tell");
    else
        buf_printf(out, ", %s",
                   r->why == ENG_WHY_SCHEDULE ? "by schedule" : "by hand");
    if (r->tries > 1)
        buf_printf(out, ", %u tries", r->tries);
}

struct eng_zone *eng_report_zone(const struct eng_report *r, const char **name,
                                 struct err *e)
{
    *name = r->zone != NULL ? r->zone : "UTC";
    struct eng_zone *z = eng_zone_open(*name, e);
    if (z != NULL || e->kind == ERR_NOMEM)
        return z;
    *name = "UTC";
    return eng_zone_open(*name, e);
}

void eng_report_when(const struct eng_zone *z, int64_t t,
                     char out[ENG_REPORT_WHEN_CHARS])
{
    char iso[UTC_ISO_CHARS];
    int64_t next;

    if (t <= 0 || t > UTC_LAST - 86400) {
        snprintf(out, ENG_REPORT_WHEN_CHARS, "-");
        return;
    }
    utc_format_iso(t + eng_zone_offset(z, t, &next), iso);
    snprintf(out, ENG_REPORT_WHEN_CHARS, "%.10s %.8s", iso, iso + 11);
}

void eng_report_rate(uint64_t bytes, double seconds, char out[UNITS_TEXT_CHARS])
{
    char size[UNITS_TEXT_CHARS];

    if (bytes == 0 || seconds < 0.001) {
        snprintf(out, UNITS_TEXT_CHARS, "-");
        return;
    }
    double rate = (double)bytes / seconds;
    units_format_size(rate < 1e18 ? (uint64_t)rate : (uint64_t)1e18, size);
    snprintf(out, UNITS_TEXT_CHARS, "%.20s/s", size);
}

void eng_report_took(double seconds, char out[UNITS_TEXT_CHARS])
{
    if (seconds < 60)
        snprintf(out, UNITS_TEXT_CHARS, "%.1f s", seconds);
    else
        units_format_duration((int64_t)seconds, out);
}

/* U+FFFE, U+FFFF and their like in the other planes, U+FDD0 to U+FDEF: well
 * formed, and no characters. */
static bool is_noncharacter(const uint8_t *p, size_t n)
{
    if (n == 3 && p[0] == 0xef)
        return (p[1] == 0xbf && p[2] >= 0xbe) ||
               (p[1] == 0xb7 && p[2] >= 0x90 && p[2] <= 0xaf);
    return n == 4 && (p[1] & 0x0f) == 0x0f && p[2] == 0xbf && p[3] >= 0xbe;
}

static const char *entity(uint8_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
    case '\r':
    case '\t':
        return " ";
    default:
        return NULL;
    }
}

void eng_report_escape(struct buf *out, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t left = strlen(text);

    while (left > 0) {
        size_t n = utf8_len(p, left);
        const char *safe = entity(p[0]);
        if (safe != NULL)
            buf_append_str(out, safe);
        else if (n == 0 || utf8_is_control(p, n) || is_noncharacter(p, n))
            buf_append_str(out, REPLACEMENT);
        else
            buf_append(out, p, n);
        n = n == 0 ? 1 : n;
        p += n;
        left -= n;
    }
}

void eng_report_legend(struct buf *out, const char *class, const char *text)
{
    buf_printf(out,
               "<span><svg viewBox=\"0 0 8 8\" aria-hidden=\"true\">"
               "<rect class=\"%s\" width=\"8\" height=\"8\"/></svg>"
               "%s</span>",
               class, text);
}

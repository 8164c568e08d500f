// SPDX-License-Identifier: Apache-2.0
/* A run for a terminal, and for the body of a mail: lines of plain text, in
 * which nothing that a machine is called can move the cursor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "engine/history/report_impl.h"

enum { COLUMNS = 9, CELL_BYTES = 96 };

struct row {
    char cell[COLUMNS][CELL_BYTES];
};

static const struct row heading = { { "VM", "Status", "Kind", "Read", "New",
                                      "Stored", "Rate", "Time",
                                      "Bottleneck" } };

static size_t width(const char *s)
{
    size_t n = 0;

    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void put_cell(char cell[CELL_BYTES], const char *text)
{
    utf8_copy(cell, CELL_BYTES, text != NULL ? text : "-");
    utf8_clean(cell, false);
}

static void fill(struct row *row, const struct eng_vm_record *v)
{
    put_cell(row->cell[0], v->vm);
    put_cell(row->cell[1], eng_status_name(v->status));
    put_cell(row->cell[2], v->kind);
    units_format_size(v->read_bytes, row->cell[3]);
    units_format_size(v->new_bytes, row->cell[4]);
    units_format_size(v->stored_bytes, row->cell[5]);
    eng_report_rate(v->read_bytes, v->seconds, row->cell[6]);
    eng_report_took(v->seconds, row->cell[7]);
    put_cell(row->cell[8], v->bottleneck);
}

static bool is_right(size_t column)
{
    return column >= 3 && column <= 7;
}

static void put_row(struct buf *out, const struct row *row,
                    const size_t wide[COLUMNS])
{
    for (size_t c = 0; c < COLUMNS; c++) {
        int pad = (int)(wide[c] - width(row->cell[c]));
        if (c > 0)
            buf_append_str(out, "  ");
        if (is_right(c))
            buf_printf(out, "%*s%s", pad, "", row->cell[c]);
        else
            buf_printf(out, "%s%*s", row->cell[c], c + 1 < COLUMNS ? pad : 0,
                       "");
    }
    buf_append_char(out, '\n');
}

static int put_table(struct buf *out, const struct eng_run_record *r,
                     struct err *e)
{
    size_t wide[COLUMNS];
    AUTO_MEM struct row *rows = calloc(r->n_vms, sizeof(*rows));

    if (rows == NULL)
        return err_nomem(e);
    for (size_t c = 0; c < COLUMNS; c++)
        wide[c] = width(heading.cell[c]);
    for (size_t i = 0; i < r->n_vms; i++) {
        fill(&rows[i], &r->vms[i]);
        for (size_t c = 0; c < COLUMNS; c++)
            if (width(rows[i].cell[c]) > wide[c])
                wide[c] = width(rows[i].cell[c]);
    }
    buf_append_char(out, '\n');
    put_row(out, &heading, wide);
    for (size_t i = 0; i < r->n_vms; i++)
        put_row(out, &rows[i], wide);
    return 0;
}

static void put_text(struct buf *out, const char *text)
{
    AUTO_MEM char *copy = strdup(text);

    if (copy == NULL) {
        out->failed = out->nomem = true;
        return;
    }
    utf8_clean(copy, false);
    buf_append_str(out, copy);
}

static void put_messages(struct buf *out, const struct eng_run_record *r)
{
    buf_append_char(out, '\n');
    if (r->message != NULL) {
        put_text(out, r->message);
        buf_append_char(out, '\n');
    }
    for (size_t i = 0; i < r->n_warnings; i++) {
        put_text(out, r->warnings[i]);
        buf_append_char(out, '\n');
    }
    for (size_t i = 0; i < r->n_vms; i++) {
        if (r->vms[i].message == NULL)
            continue;
        put_text(out, r->vms[i].vm != NULL ? r->vms[i].vm : "?");
        buf_append_str(out, ": ");
        put_text(out, r->vms[i].message);
        buf_append_char(out, '\n');
    }
}

static bool has_messages(const struct eng_run_record *r)
{
    for (size_t i = 0; i < r->n_vms; i++)
        if (r->vms[i].message != NULL)
            return true;
    return r->message != NULL || r->n_warnings > 0;
}

static void put_head(struct buf *out, const struct eng_run_record *r,
                     const struct eng_zone *z, const char *zone)
{
    char began[ENG_REPORT_WHEN_CHARS];
    char ended[ENG_REPORT_WHEN_CHARS];
    char took[UNITS_TEXT_CHARS];

    eng_report_when(z, r->started, began);
    eng_report_when(z, r->ended, ended);
    units_format_duration(eng_report_seconds(r), took);
    buf_append_str(out, "Job ");
    put_text(out, r->job);
    buf_printf(out, ": %s\nRun %lld", eng_status_name(r->status),
               (long long)r->id);
    if (r->host != NULL) {
        buf_append_str(out, " on ");
        put_text(out, r->host);
    }
    if (r->repo != NULL) {
        buf_append_str(out, " into repository ");
        put_text(out, r->repo);
    }
    eng_report_origin(r, out);
    buf_printf(out, "\nBegan %s", began);
    if (r->ended > 0)
        buf_printf(out, ", ended %s (%s)", ended, took);
    buf_printf(out, ", %s\n", zone);
}

int eng_report_text(const struct eng_report *r, struct buf *out, struct err *e)
{
    const struct eng_run_record *run = r->run;
    struct eng_report_sums sums = eng_report_sum(run);
    char read[UNITS_TEXT_CHARS];
    char stored[UNITS_TEXT_CHARS];
    const char *zone = NULL;
    AUTO_ENG_ZONE struct eng_zone *z = eng_report_zone(r, &zone, e);

    if (z == NULL)
        return -1;
    put_head(out, run, z, zone);
    units_format_size(sums.read_bytes, read);
    units_format_size(sums.stored_bytes, stored);
    buf_printf(out, "%zu of %zu VMs have a point; %s read, %s stored\n",
               sums.points, run->n_vms, read, stored);
    if (run->n_vms > 0 && put_table(out, run, e) < 0)
        return -1;
    if (has_messages(run))
        put_messages(out, run);
    return buf_check(out, e);
}

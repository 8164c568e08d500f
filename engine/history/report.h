// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_HISTORY_REPORT_H
#define ENGINE_HISTORY_REPORT_H

/* A run of a job, told to people and programs. */
#include "base/buf.h"
#include "base/jsonw.h"
#include "engine/history/history.h"
#include "engine/history/record.h"

/* A point of the repository, for the picture of chains and locks. */
struct eng_report_point {
    const char *vm;
    int64_t time, chain;
    bool full;
    int64_t visible_until, locked_until; /* 0: not known, or for good */
};

struct eng_report {
    const struct eng_run_record *run;
    const struct eng_run_record *before; /* runs before it, newest first */
    size_t n_before;
    const struct eng_report_point *points; /* NULL: not asked for */
    size_t n_points;
    const char *zone; /* that times are shown in */
};

/* The sums over the VMs of a run. */
struct eng_report_sums {
    size_t points; /* VMs that have one */
    uint64_t read_bytes, new_bytes, stored_bytes;
    uint64_t requests[ENG_REQUEST_KINDS];
};
struct eng_report_sums eng_report_sum(const struct eng_run_record *r);

/* For a terminal and for a mail's body. */
int eng_report_text(const struct eng_report *r, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));
/* Members of one object that is open: what `job run --json`, `job report
 * --json`, the webhook and the history show alike. */
void eng_report_json_run(struct jsonw *w, const struct eng_run_record *r);
/* Two members of one: seconds of each stage, and requests by kind. */
void eng_report_json_busy(struct jsonw *w, const double busy[ENG_STAGES]);
void eng_report_json_requests(struct jsonw *w,
                              const uint64_t requests[ENG_REQUEST_KINDS]);
/* One self-contained page: no script, nothing fetched, readable from 400 to
 * 1,600 pixels of width and on paper, in light and dark. */
int eng_report_html(const struct eng_report *r, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));

/* The text file for node_exporter's textfile collector: the last run of each
 * job, all of them ended.  Written whole or not at all. */
int eng_metrics_write(const struct eng_run_record *last, size_t n,
                      const char *path, struct err *e)
    __attribute__((warn_unused_result));

/* The same of these jobs, as the history has them: the newest run of each that
 * is not under way. */
int eng_metrics_update(struct eng_history *h, char *const *jobs, size_t n,
                       const char *path, struct err *e)
    __attribute__((warn_unused_result));

#endif

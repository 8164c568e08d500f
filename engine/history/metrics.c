// SPDX-License-Identifier: Apache-2.0
/* The last run of each job for node_exporter's textfile collector, in
 * Prometheus's text format 0.0.4: a family's samples follow its head. */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/utf8.h"
#include "engine/history/report_impl.h"

#define TEXT_MAX ((size_t)16 << 20)
#define NAME "objvault_job_last_run_"

struct page {
    const struct eng_run_record *last;
    size_t n;
    struct buf *out;
};

/* A label's value: backslash, quote and line feed are escaped; others that are
 * no text are replaced. */
static void put_label(struct buf *out, const char *text)
{
    AUTO_MEM char *copy = strdup(text);

    if (copy == NULL) {
        out->failed = out->nomem = true;
        return;
    }
    utf8_clean(copy, false);
    for (const char *p = copy; *p != '\0'; p++) {
        if (*p == '\\' || *p == '"')
            buf_append_char(out, '\\');
        buf_append_char(out, *p);
    }
}

static void put_head(const struct page *p, const char *name, const char *help)
{
    buf_printf(p->out, "# HELP " NAME "%s %s\n# TYPE " NAME "%s gauge\n", name,
               help, name);
}

/* label: of the sample besides the job, as `key="value"`; or NULL. */
static void put_sample(const struct page *p, const char *name,
                       const struct eng_run_record *r, const char *key,
                       const char *value, uint64_t n)
{
    buf_printf(p->out, NAME "%s{job=\"", name);
    put_label(p->out, r->job);
    if (key != NULL)
        buf_printf(p->out, "\",%s=\"%s", key, value);
    buf_printf(p->out, "\"} %llu\n", (unsigned long long)n);
}

/* One number of each run. */
struct figure {
    const char *name, *help;
    uint64_t (*of)(const struct eng_run_record *r);
};

static uint64_t ok_of(const struct eng_run_record *r)
{
    return r->status == ENG_STATUS_SUCCESS;
}

static uint64_t start_of(const struct eng_run_record *r)
{
    return (uint64_t)r->started;
}

static uint64_t end_of(const struct eng_run_record *r)
{
    return (uint64_t)r->ended;
}

static uint64_t duration_of(const struct eng_run_record *r)
{
    return (uint64_t)eng_report_seconds(r);
}

static uint64_t tries_of(const struct eng_run_record *r)
{
    return r->tries;
}

static uint64_t read_of(const struct eng_run_record *r)
{
    return eng_report_sum(r).read_bytes;
}

static uint64_t new_of(const struct eng_run_record *r)
{
    return eng_report_sum(r).new_bytes;
}

static uint64_t stored_of(const struct eng_run_record *r)
{
    return eng_report_sum(r).stored_bytes;
}

static const struct figure figures[] = {
    { "success", "Whether it succeeded without a warning.", ok_of },
    { "start_timestamp_seconds", "When it began.", start_of },
    { "end_timestamp_seconds", "When it ended.", end_of },
    { "duration_seconds", "From its beginning to its end, with all tries.",
      duration_of },
    { "tries", "How often it was tried.", tries_of },
    { "read_bytes", "Bytes read from its VMs.", read_of },
    { "new_bytes", "Bytes in blocks that the repository did not have.",
      new_of },
    { "stored_bytes", "Bytes put into the repository.", stored_of },
};

static void put_statuses(const struct page *p)
{
    put_head(p, "status", "1 for the status that it ended with.");
    for (size_t i = 0; i < p->n; i++)
        for (enum eng_status s = ENG_STATUS_SUCCESS; s < ENG_STATUSES; s++)
            put_sample(p, "status", &p->last[i], "status", eng_status_name(s),
                       p->last[i].status == s);
}

static void put_vms(const struct page *p)
{
    put_head(p, "vms", "Its VMs, by what became of them.");
    for (size_t i = 0; i < p->n; i++) {
        size_t n[ENG_STATUSES] = { 0 };
        for (size_t k = 0; k < p->last[i].n_vms; k++)
            n[p->last[i].vms[k].status]++;
        for (enum eng_status s = ENG_STATUS_SUCCESS; s < ENG_STATUSES; s++)
            put_sample(p, "vms", &p->last[i], "status", eng_status_name(s),
                       n[s]);
    }
}

static void put_requests(const struct page *p)
{
    put_head(p, "requests", "Requests to the repository, by kind.");
    for (size_t i = 0; i < p->n; i++) {
        struct eng_report_sums sums = eng_report_sum(&p->last[i]);
        for (size_t k = 0; k < ENG_REQUEST_KINDS; k++)
            put_sample(p, "requests", &p->last[i], "kind", eng_request_name(k),
                       sums.requests[k]);
    }
}

int eng_metrics_write(const struct eng_run_record *last, size_t n,
                      const char *path, struct err *e)
{
    AUTO_BUF struct buf text = buf_init(TEXT_MAX);
    struct page p = { .last = last, .n = n, .out = &text };

    for (size_t f = 0; f < sizeof(figures) / sizeof(figures[0]); f++) {
        put_head(&p, figures[f].name, figures[f].help);
        for (size_t i = 0; i < n; i++)
            put_sample(&p, figures[f].name, &last[i], NULL, NULL,
                       figures[f].of(&last[i]));
    }
    put_statuses(&p);
    put_vms(&p);
    put_requests(&p);
    if (buf_check(&text, e) < 0)
        return -1;
    return io_write_file(path, buf_span(&text), 0644, false, e);
}

/* The newest run of a job that has ended; found false: there is none. */
static int last_run(struct eng_history *h, const char *job,
                    struct eng_run_record *out, bool *found, struct err *e)
{
    struct eng_run_record *runs = NULL;
    size_t n = 0;

    *found = false;
    /* One at most is under way. */
    if (eng_history_runs(h, job, 2, &runs, &n, e) < 0)
        return -1;
    for (size_t i = 0; i < n && !*found; i++) {
        if (runs[i].status == ENG_STATUS_RUNNING)
            continue;
        *out = runs[i];
        runs[i] = (struct eng_run_record){ 0 };
        *found = true;
    }
    eng_history_runs_free(runs, n);
    return 0;
}

int eng_metrics_update(struct eng_history *h, char *const *jobs, size_t n,
                       const char *path, struct err *e)
{
    struct eng_run_record *last = calloc(n + 1, sizeof(*last));
    size_t some = 0;

    if (last == NULL)
        return err_nomem(e);
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        bool found = false;
        r = last_run(h, jobs[i], &last[some], &found, e);
        some += found ? 1 : 0;
    }
    if (r == 0)
        r = eng_metrics_write(last, some, path, e);
    eng_history_runs_free(last, some);
    return r;
}

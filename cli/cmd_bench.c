// SPDX-License-Identifier: Apache-2.0
/*
 * bench repo: which cells to measure, a table of the rates, the best of them.
 */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "cli/cli.h"
#include "engine/backup/backup.h"
#include "engine/repo/bench.h"

#define LIST_MAX 16
#define CELL_S 2
#define TOTAL_BYTES (UINT64_C(8) << 30)
#define GB 1e9

/* The options, as numbers. */
struct bench_lists {
    uint32_t sizes[LIST_MAX];
    unsigned connections[LIST_MAX];
    struct eng_bench_opts opts;
};

/* Sizes and plain numbers have one form here: 16, 64K. */
static int parse_list(const char *option, const char *text, uint64_t min,
                      uint64_t max, uint64_t out[LIST_MAX], size_t *n,
                      struct err *e)
{
    AUTO_MEM char *copy = strdup(text);
    char *rest = NULL;

    if (copy == NULL)
        return err_nomem(e);
    *n = 0;
    for (char *word = strtok_r(copy, ",", &rest); word != NULL;
         word = strtok_r(NULL, ",", &rest)) {
        if (*n == LIST_MAX)
            return err_set(e, ERR_USAGE, 0, "--%s: at most %d fit", option,
                           LIST_MAX);
        if (!units_parse_size(word, &out[*n]) || out[*n] < min || out[*n] > max)
            return err_set(e, ERR_USAGE, 0,
                           "--%s: \"%.40s\" is not between %" PRIu64
                           " and %" PRIu64,
                           option, word, min, max);
        (*n)++;
    }
    return *n > 0 ? 0 : err_set(e, ERR_USAGE, 0, "--%s is empty", option);
}

static const char *text_or(const struct cli_ctx *c, enum cli_opt opt,
                           const char *otherwise)
{
    return cli_given(c, opt) ? cli_text(c, opt) : otherwise;
}

static int read_options(struct cli_ctx *c, struct bench_lists *l, struct err *e)
{
    uint64_t sizes[LIST_MAX] = { 0 }, connections[LIST_MAX] = { 0 };

    l->opts = (struct eng_bench_opts){
        .sizes = l->sizes,
        .connections = l->connections,
        .cell_ms = 1000 * (cli_given(c, CLI_OPT_SECONDS)
                               ? (int64_t)cli_number(c, CLI_OPT_SECONDS)
                               : CELL_S),
        .total_bytes = cli_given(c, CLI_OPT_TOTAL)
                           ? cli_number(c, CLI_OPT_TOTAL)
                           : TOTAL_BYTES,
        .memory_bytes = cli_number(c, CLI_OPT_MEMORY),
        .level = eng_compression_level(ENG_COMPRESS_OPTIMAL),
    };
    if (parse_list("sizes", text_or(c, CLI_OPT_SIZES, "64K,256K,1M,4M,16M"),
                   ENG_BENCH_SIZE_MIN, ENG_BENCH_SIZE_MAX, sizes,
                   &l->opts.n_sizes, e) < 0 ||
        parse_list("connections", text_or(c, CLI_OPT_CONNECTIONS, "1,4,16,64"),
                   1, ENG_BENCH_CONNECTIONS_MAX, connections,
                   &l->opts.n_connections, e) < 0)
        return -1;
    for (size_t i = 0; i < l->opts.n_sizes; i++)
        l->sizes[i] = (uint32_t)sizes[i];
    for (size_t i = 0; i < l->opts.n_connections; i++)
        l->connections[i] = (unsigned)connections[i];
    return 0;
}

struct cells {
    bool quiet;
    struct eng_bench_cell *list; /* owned */
    size_t n, cap;
};

static void keep_cell(void *ctx, const struct eng_bench_cell *cell)
{
    struct cells *cells = ctx;

    if (cells->n < cells->cap)
        cells->list[cells->n++] = *cell;
}

/* The fastest of a kind; NULL: none. */
static const struct eng_bench_cell *best(const struct cells *cells,
                                         enum eng_bench_work work, bool get)
{
    const struct eng_bench_cell *found = NULL;

    for (size_t i = 0; i < cells->n; i++) {
        const struct eng_bench_cell *c = &cells->list[i];
        if (c->work == work && c->get == get &&
            (found == NULL || eng_bench_rate(c) > eng_bench_rate(found)))
            found = c;
    }
    return found;
}

static double cpu_per_gb(const struct eng_bench_cell *c)
{
    return c->bytes > 0 ? c->cpu_seconds / ((double)c->bytes / GB) : 0;
}

static double per_second(const struct eng_bench_cell *c)
{
    return c->seconds > 0 ? (double)c->requests / c->seconds : 0;
}

static void print_table(struct cli_ctx *c, const struct cells *cells)
{
    static const char *const heading[] = { "WORK",   "VERB",   "SIZE",
                                           "CONNS",  "MB/s",   "REQ/s",
                                           "P50 ms", "P99 ms", "CPU s/GB" };
    AUTO_CLI_TABLE struct cli_table t = { .align = "llrrrrrrr" };

    for (size_t i = 0; i < sizeof heading / sizeof heading[0]; i++)
        cli_table_add(&t, "%s", heading[i]);
    for (size_t i = 0; i < cells->n; i++) {
        const struct eng_bench_cell *cell = &cells->list[i];
        cli_table_add(&t, "%s", eng_bench_work_name(cell->work));
        cli_table_add(&t, "%s", cell->get ? "get" : "put");
        cli_table_size(&t, cell->size);
        cli_table_add(&t, "%u", cell->connections);
        cli_table_add(&t, "%.1f", eng_bench_rate(cell) / 1e6);
        cli_table_add(&t, "%.0f", per_second(cell));
        cli_table_add(&t, "%.1f", cell->p50_ms);
        cli_table_add(&t, "%.1f", cell->p99_ms);
        cli_table_add(&t, "%.2f", cpu_per_gb(cell));
    }
    cli_table_print(&t, &c->out);
}

static void print_best(struct cli_ctx *c, const struct cells *cells,
                       const char *what, enum eng_bench_work work, bool get)
{
    char size[UNITS_TEXT_CHARS];
    const struct eng_bench_cell *cell = best(cells, work, get);

    if (cell == NULL)
        return;
    units_format_size(cell->size, size);
    cli_pair(c, what, "%.1f MB/s (%s, %u connections)",
             eng_bench_rate(cell) / 1e6, size, cell->connections);
}

static void json_cell(struct jsonw *w, const struct eng_bench_cell *c)
{
    jsonw_object(w);
    jsonw_kstring(w, "work", eng_bench_work_name(c->work));
    jsonw_kstring(w, "verb", c->get ? "get" : "put");
    jsonw_kuint(w, "size", c->size);
    jsonw_kuint(w, "connections", c->connections);
    jsonw_kuint(w, "requests", c->requests);
    jsonw_kuint(w, "bytes", c->bytes);
    jsonw_kuint(w, "stored_bytes", c->stored_bytes);
    const struct {
        const char *name;
        double value;
    } numbers[] = { { "seconds", c->seconds },
                    { "bytes_per_second", eng_bench_rate(c) },
                    { "requests_per_second", per_second(c) },
                    { "p50_ms", c->p50_ms },
                    { "p99_ms", c->p99_ms },
                    { "cpu_seconds_per_gb", cpu_per_gb(c) } };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        jsonw_key(w, numbers[i].name);
        jsonw_double(w, numbers[i].value, 3);
    }
    jsonw_end_object(w);
}

static void json_best(struct jsonw *w, const char *key,
                      const struct eng_bench_cell *c)
{
    jsonw_key(w, key);
    if (c != NULL)
        json_cell(w, c);
    else
        jsonw_null(w);
}

static int json_bench(struct cli_ctx *c, const char *name,
                      const struct cells *cells, struct err *e)
{
    struct jsonw w = cli_json_begin(c);

    jsonw_kstring(&w, "repo", name);
    jsonw_key(&w, "cells");
    jsonw_array(&w);
    for (size_t i = 0; i < cells->n; i++)
        json_cell(&w, &cells->list[i]);
    jsonw_end_array(&w);
    jsonw_key(&w, "best");
    jsonw_object(&w);
    json_best(&w, "raw_put", best(cells, ENG_BENCH_RAW, false));
    json_best(&w, "raw_get", best(cells, ENG_BENCH_RAW, true));
    json_best(&w, "backup_put", best(cells, ENG_BENCH_BACKUP, false));
    json_best(&w, "backup_get", best(cells, ENG_BENCH_BACKUP, true));
    jsonw_end_object(&w);
    return cli_json_end(c, &w, e);
}

static void announce(void *ctx, const struct eng_bench_plan *p)
{
    const struct cells *cells = ctx;
    char put[UNITS_TEXT_CHARS], held[UNITS_TEXT_CHARS];
    char time[UNITS_TEXT_CHARS];

    if (cells->quiet)
        return;
    units_format_size(p->put_bytes, put);
    units_format_size(p->held_bytes, held);
    units_format_duration((p->ms + 999) / 1000, time);
    cli_message("%zu measurements in about %s: at most %s are stored (%s at a "
                "time) and as much is fetched",
                p->cells, time, put, held);
}

static int measure(struct cli_ctx *c, struct cli_repo *repo,
                   const struct eng_bench_opts *o, struct cells *cells,
                   struct err *e)
{
    const struct eng_bench_watch watch = { announce, keep_cell, cells };
    uint64_t left_over = 0;
    AUTO_PROGRESS struct progress *progress = progress_new(e);
    AUTO_CLI_RENDER struct cli_render *render =
        progress != NULL ? cli_render_start(c, progress, e) : NULL;

    if (render == NULL)
        return -1;
    int done = eng_bench_run(repo->repo, o, c->cancel, progress, &watch,
                             &left_over, e);
    if (left_over > 0)
        cli_message("warning: %" PRIu64
                    " objects or more stay below gc/bench-*: "
                    "they could not be removed; they do no harm",
                    left_over);
    if (done < 0)
        return -1;
    return left_over > 0 ? 3 : 0;
}

int cli_bench_repo(struct cli_ctx *c, struct err *e)
{
    const char *name = c->call->args[0];
    struct bench_lists lists;
    AUTO_CLI_REPO struct cli_repo repo = { 0 };

    if (read_options(c, &lists, e) < 0 ||
        cli_repo_open(c, name, CLI_MEASURING, &repo, e) < 0)
        return -1;
    struct eng_bench_plan plan = eng_bench_plan(&lists.opts);
    AUTO_MEM struct eng_bench_cell *list = calloc(plan.cells, sizeof *list);
    struct cells cells = { .quiet = c->quiet, .list = list, .cap = plan.cells };
    if (list == NULL)
        return err_nomem(e);
    int code = measure(c, &repo, &lists.opts, &cells, e);
    if (code < 0)
        return -1;
    if (c->json)
        return json_bench(c, name, &cells, e) < 0 ? -1 : code;
    print_table(c, &cells);
    buf_append_char(&c->out, '\n');
    print_best(c, &cells, "Raw PUT", ENG_BENCH_RAW, false);
    print_best(c, &cells, "Raw GET", ENG_BENCH_RAW, true);
    print_best(c, &cells, "Backup PUT", ENG_BENCH_BACKUP, false);
    print_best(c, &cells, "Backup GET", ENG_BENCH_BACKUP, true);
    return code;
}

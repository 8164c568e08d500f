// SPDX-License-Identifier: Apache-2.0
/* Private to cli/. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/*
 * One run of the program: what was asked for, and what it will print.  Stdout
 * is collected in memory and written once, at the end, so that a document is
 * there whole or not at all.  (The image of `restore disk --to -` is the only
 * exception; nothing else goes to stdout then.)
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/progress.h"
#include "base/secret.h"
#include "cli/options.h"
#include "engine/inventory/inventory.h"
#include "engine/job/config.h"
#include "engine/repo/points.h"
#include "engine/repo/repo.h"

struct cli_unlock; /* cli/unlock.h */

struct cli_ctx {
    const struct cli_call *call;
    struct eng_home home;
    struct cancel *cancel;
    struct cli_unlock *keys; /* what opens keysets */
    bool json, quiet;
    uint64_t limit_upload; /* of the job that runs; --limit-upload wins */
    bool stdout_taken;     /* by an image: words go to stderr */
    struct buf out;        /* stdout */
};

/* The whole program; the exit code.  Called once. */
int cli_main(int argc, char **argv);

/* --- run.c: options --- */
bool cli_given(const struct cli_ctx *c, enum cli_opt opt);
const char *cli_text(const struct cli_ctx *c, enum cli_opt opt); /* or NULL */
uint64_t cli_number(const struct cli_ctx *c, enum cli_opt opt);  /* or 0 */
/* All that an option was given, which may be given many times; *n: how many. */
const char *const *cli_texts(const struct cli_ctx *c, enum cli_opt opt,
                             size_t *n);
/* An option that was given as "5%" or "0.1%": in millionths, at least one.
 * Where it was not given *ppm stays.  ERR_USAGE. */
int cli_share(const struct cli_ctx *c, enum cli_opt opt, unsigned *ppm,
              struct err *e) __attribute__((warn_unused_result));

/* --- output.c: exit codes, messages, JSON --- */
int cli_exit_of(enum err_kind kind);

/* One line "objvault: ..." on stderr, at once; any bar makes room for it. */
void cli_error_line(const struct err *e);
void cli_message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What went well: dropped with --quiet and --json; on stderr where an image
 * takes stdout. */
void cli_say(struct cli_ctx *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A result that was asked for: to stdout, dropped with --json. */
void cli_print(struct cli_ctx *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "Name:      value", aligned. */
void cli_pair(struct cli_ctx *c, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The command's document: begins with {"ok":true, or with ok false and the
 * error; the caller writes more members and ends it. */
struct jsonw cli_json_begin(struct cli_ctx *c);
struct jsonw cli_json_begin_failed(struct cli_ctx *c, const struct err *e);
int cli_json_end(struct cli_ctx *c, struct jsonw *w, struct err *e)
    __attribute__((warn_unused_result));
/* A string that may hold bytes that are not UTF-8. */
void cli_json_text(struct jsonw *w, const char *key, const char *text);
/* A time (unix seconds), or null where it is 0. */
void cli_json_time(struct jsonw *w, const char *key, int64_t t);

/* A command whose result is text: as it is, or as {"ok":true,"text":...}. */
int cli_result_text(struct cli_ctx *c, struct buf *text, struct err *e)
    __attribute__((warn_unused_result));

/* --- text.c: text for people --- */

/* Appends s for a terminal: one line, control characters and bytes that are
 * not UTF-8 replaced. */
void cli_clean(struct buf *out, const char *s);
/* Columns that s takes (code points). */
size_t cli_width(const char *s);
/* Appends text wrapped to 80 columns, `indent` spaces before each line but
 * the first; at: columns of the first line that are taken. */
void cli_wrap(struct buf *out, const char *text, size_t indent, size_t at);

struct cli_table {
    const char *align; /* one of 'l', 'r' per column */
    char **cells;      /* owned, row by row */
    size_t n, cap;
    bool failed;
};
/* Adds a cell; the first row is the heading. */
void cli_table_add(struct cli_table *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cli_table_size(struct cli_table *t, uint64_t bytes);
void cli_table_time(struct cli_table *t, int64_t time); /* 0: "-" */
void cli_table_print(struct cli_table *t, struct buf *out);
/* A point that a run made. */
struct cli_made {
    const char *point, *kind;
    uint64_t read_bytes, new_blocks, stored_bytes;
    double seconds;
    const char *bottleneck; /* or NULL */
};
/* Adds it to a table of such points, with the heading before the first. */
void cli_table_made(struct cli_table *t, const struct cli_made *made);
void cli_table_free(struct cli_table *t);
/* Ends a command that shows a list: the document with --json, else the table,
 * of which nothing is shown where it has no row but the heading. */
int cli_list_end(struct cli_ctx *c, struct jsonw *w, struct cli_table *t,
                 struct err *e) __attribute__((warn_unused_result));
/* The list of what is configured of a kind ("repos"): `one` writes an element
 * of the open array, and a row, and is false where the file is wrong, which it
 * has told.  align, heads: as a table's; heads end in NULL.  The exit code: 3
 * where one was wrong. */
int cli_list_configured(struct cli_ctx *c, const char *kind, const char *align,
                        const char *const *heads,
                        bool (*one)(struct cli_ctx *c, const char *name,
                                    struct jsonw *w, struct cli_table *t),
                        struct err *e) __attribute__((warn_unused_result));
#define AUTO_CLI_TABLE AUTO(cli_table_free)

/* --- help.c, man.c, completion.c: generated from the table --- */

/* Help for everything (noun NULL), a noun, or a command; ERR_USAGE for what
 * there is not. */
int cli_help_text(const char *noun, const char *verb, struct buf *out,
                  struct err *e) __attribute__((warn_unused_result));
/* "objvault repo create [OPTION]... NAME URL". */
void cli_usage(const struct cli_command *c, struct buf *out);
void cli_man_text(struct buf *out);
void cli_completion_text(struct buf *out);

/* --- render.c: progress --- */
struct cli_render;
/* Shows p as the options say until stopped.  NULL: ERR_NOMEM. */
struct cli_render *cli_render_start(const struct cli_ctx *c, struct progress *p,
                                    struct err *e);
void cli_render_stop(struct cli_render *r); /* NULL is fine */
#define AUTO_CLI_RENDER AUTO(cli_render_stopp)
static inline void cli_render_stopp(struct cli_render **r)
{
    cli_render_stop(*r);
}
/* Takes the screen for a line of one's own, and gives it back. */
void cli_render_hold(void);
void cli_render_release(void);
/* Appends one line of a progress to out: what USR1 prints. */
void cli_render_line(struct progress *p, struct buf *out);
/* Appends the bar of one task, `columns` wide at most, without a newline. */
void cli_render_bar(const struct progress_view *v, double rate, size_t columns,
                    struct buf *out);

/* --- open.c: repositories and points by name --- */
struct cli_repo {
    struct eng_config_place place;
    struct eng_repo *repo;
};
void cli_repo_close(struct cli_repo *r); /* zeroed is fine */
#define AUTO_CLI_REPO AUTO(cli_repo_close)

/* How a command uses a repository: how long one call to the storage may take,
 * all attempts together. */
enum cli_patience {
    CLI_INTERACTIVE, /* somebody waits: a minute */
    CLI_TRANSFER,    /* long work: it outlives an outage of up to an hour */
    CLI_MEASURING,   /* a minute, and as many requests at once as are made */
};
#define CLI_INTERACTIVE_DEADLINE_MS (INT64_C(60) * 1000)
#define CLI_TRANSFER_DEADLINE_MS (INT64_C(60) * 60 * 1000)

/* Opens the named repository with the limits that the options set. */
int cli_repo_open(struct cli_ctx *c, const char *name, enum cli_patience how,
                  struct cli_repo *out, struct err *e)
    __attribute__((warn_unused_result));

/* Opens the one that --repo names, or the only one there is. */
int cli_repo_open_chosen(struct cli_ctx *c, enum cli_patience how,
                         struct cli_repo *out, struct err *e)
    __attribute__((warn_unused_result));

/* Opens the repository that has the point (--repo, the only one, or the only
 * one that has it).  *name: malloc'd, the point's full name. */
int cli_point_open(struct cli_ctx *c, const char *text, enum cli_patience how,
                   struct cli_repo *repo, struct eng_point *point, char **name,
                   struct err *e) __attribute__((warn_unused_result));

/* --- ask.c: questions --- */
bool cli_may_ask(void); /* there is a terminal to ask on */
/* Asks for a secret, with the echo off.  *out: owned by the caller; NULL where
 * the answer was empty. */
int cli_ask_secret(struct cli_ctx *c, const char *question, struct secret **out,
                   struct err *e) __attribute__((warn_unused_result));
/* Asks for a line, which is appended to answer (it failed where the line was
 * longer than fits).  1: the input has ended. */
int cli_ask_line(struct cli_ctx *c, const char *question, struct buf *answer,
                 struct err *e) __attribute__((warn_unused_result));
/* Asks on the terminal, unless --yes.  0: go on; -1: ERR_USAGE (nobody to
 * ask), ERR_FAILED (refused), ERR_CANCELLED. */
int cli_confirm(struct cli_ctx *c, const char *question, struct err *e)
    __attribute__((warn_unused_result));

/* --- cmd_source.c --- */

/* A line on stderr for each note; the exit code: 3 where one is a warning. */
int cli_source_notes(const struct cli_ctx *c, const struct eng_inventory *inv);
void cli_json_notes(struct jsonw *w, const struct eng_inventory *inv);
/* A container within an open array; source: NULL where it is not said. */
void cli_json_container(struct jsonw *w, const char *source,
                        const struct eng_container *container, bool count);

/* --- cmd_probe.c --- */

/* One line on stderr where objects of the probe stay. */
void cli_probe_left_over(const struct eng_probe *p);

/* One line on stderr for each thing that objvault relies on and a probe did
 * not find; 3 where there is any, else 0: an exit code. */
int cli_probe_warn(const struct eng_probe *p,
                   const struct eng_probe_opts *opts);

#endif

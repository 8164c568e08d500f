// SPDX-License-Identifier: Apache-2.0
/*
 * What the program says: exit codes, messages on stderr, results on stdout,
 * and the frame of every JSON document.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "cli/cli.h"

#define LINE_MAX_BYTES 8192
#define PAIR_COLUMN 20

int cli_exit_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return 0;
    case ERR_USAGE:
    case ERR_CONFIG:
    case ERR_EXISTS:
        return 2;
    case ERR_NOTFOUND:
        return 4;
    case ERR_DENIED:
    case ERR_QUOTA:
        return 5;
    case ERR_LOCKED:
        return 6;
    case ERR_CORRUPT:
        return 7;
    case ERR_UNREACHABLE:
    case ERR_THROTTLED:
    case ERR_TIMEOUT:
        return 8;
    case ERR_CANCELLED:
        return 130;
    case ERR_FAILED:
    case ERR_NOMEM:
    case ERR_IO:
    case ERR_FULL:
    case ERR_BUSY:
    case ERR_PRECONDITION:
    case ERR_UNSUPPORTED:
    case ERR_INTERNAL:
        return 1;
    }
    return 1;
}

/* One whole line at once, between the bars. */
static void stderr_line(const char *prefix, const char *text)
{
    struct err ignored = { 0 };
    AUTO_BUF struct buf line = buf_init(LINE_MAX_BYTES);
    buf_append_str(&line, prefix);
    cli_clean(&line, text);
    buf_append_char(&line, '\n');
    cli_render_hold();
    /* Nobody is left to tell where stderr itself fails. */
    if (io_write_full(STDERR_FILENO, line.p, line.len, "stderr", &ignored) < 0)
        ignored.kind = ERR_NONE;
    cli_render_release();
}

void cli_error_line(const struct err *e)
{
    stderr_line("objvault: ", e->msg[0] != '\0' ? e->msg : "failed");
}

/* The text of a printf, malloc'd; NULL without memory. */
static char *format(const char *fmt, va_list ap)
    __attribute__((format(printf, 1, 0)));
static char *format(const char *fmt, va_list ap)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, ap) < 0)
        return NULL;
    return text;
}

void cli_message(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    AUTO_MEM char *text = format(fmt, ap);
    va_end(ap);
    if (text != NULL)
        stderr_line("objvault: ", text);
}

/* Appends cleaned text; where there is no memory for it, the output fails. */
static void add_text(struct buf *out, const char *text)
{
    if (text != NULL) {
        cli_clean(out, text);
        return;
    }
    out->failed = true;
    out->nomem = true;
}

void cli_say(struct cli_ctx *c, const char *fmt, ...)
{
    if (c->json || c->quiet)
        return;
    va_list ap;
    va_start(ap, fmt);
    AUTO_MEM char *text = format(fmt, ap);
    va_end(ap);
    if (c->stdout_taken) {
        stderr_line("", text != NULL ? text : "");
        return;
    }
    add_text(&c->out, text);
    buf_append_char(&c->out, '\n');
}

void cli_print(struct cli_ctx *c, const char *fmt, ...)
{
    if (c->json)
        return;
    va_list ap;
    va_start(ap, fmt);
    AUTO_MEM char *text = format(fmt, ap);
    va_end(ap);
    add_text(&c->out, text);
    buf_append_char(&c->out, '\n');
}

void cli_pair(struct cli_ctx *c, const char *name, const char *fmt, ...)
{
    if (c->json)
        return;
    va_list ap;
    va_start(ap, fmt);
    AUTO_MEM char *text = format(fmt, ap);
    va_end(ap);
    int pad = PAIR_COLUMN - (int)strlen(name) - 1;
    buf_printf(&c->out, "%s:%*s", name, pad > 1 ? pad : 1, "");
    add_text(&c->out, text);
    buf_append_char(&c->out, '\n');
}

void cli_json_text(struct jsonw *w, const char *key, const char *text)
{
    if (text == NULL) {
        jsonw_knull(w, key);
        return;
    }
    AUTO_BUF struct buf clean = buf_init(SIZE_MAX / 2);
    cli_clean(&clean, text);
    jsonw_kstring(w, key, buf_cstr(&clean));
}

void cli_json_time(struct jsonw *w, const char *key, int64_t t)
{
    if (t != 0)
        jsonw_ktime(w, key, t);
    else
        jsonw_knull(w, key);
}

struct jsonw cli_json_begin(struct cli_ctx *c)
{
    buf_reset(&c->out);
    struct jsonw w = jsonw_init(&c->out, false);
    jsonw_object(&w);
    jsonw_kbool(&w, "ok", true);
    return w;
}

struct jsonw cli_json_begin_failed(struct cli_ctx *c, const struct err *e)
{
    buf_reset(&c->out);
    struct jsonw w = jsonw_init(&c->out, false);
    jsonw_object(&w);
    jsonw_kbool(&w, "ok", false);
    jsonw_key(&w, "error");
    jsonw_object(&w);
    jsonw_kstring(&w, "code", err_kind_name(e->kind));
    jsonw_kuint(&w, "exit", (uint64_t)cli_exit_of(e->kind));
    cli_json_text(&w, "message", e->msg);
    jsonw_end_object(&w);
    return w;
}

int cli_json_end(struct cli_ctx *c, struct jsonw *w, struct err *e)
{
    jsonw_end_object(w);
    buf_append_char(&c->out, '\n');
    return buf_check(&c->out, e);
}

int cli_list_end(struct cli_ctx *c, struct jsonw *w, struct cli_table *t,
                 struct err *e)
{
    if (cli_json_end(c, w, e) < 0)
        return -1;
    if (c->json)
        return 0;
    buf_reset(&c->out);
    if (t->n > strlen(t->align))
        cli_table_print(t, &c->out);
    return 0;
}

int cli_list_configured(struct cli_ctx *c, const char *kind, const char *align,
                        const char *const *heads,
                        bool (*one)(struct cli_ctx *c, const char *name,
                                    struct jsonw *w, struct cli_table *t),
                        struct err *e)
{
    char **names = NULL;
    size_t n = 0;
    bool ok = true;
    AUTO_CLI_TABLE struct cli_table t = { .align = align };

    if (eng_config_names(&c->home, kind, &names, &n, e) < 0)
        return -1;
    for (; *heads != NULL; heads++)
        cli_table_add(&t, "%s", *heads);
    struct jsonw w = cli_json_begin(c);
    jsonw_key(&w, kind);
    jsonw_array(&w);
    for (size_t i = 0; i < n; i++)
        ok &= one(c, names[i], &w, &t);
    jsonw_end_array(&w);
    eng_config_names_free(names, n);
    if (cli_list_end(c, &w, &t, e) < 0)
        return -1;
    return ok ? 0 : 3;
}

int cli_result_text(struct cli_ctx *c, struct buf *text, struct err *e)
{
    if (buf_check(text, e) < 0)
        return -1;
    if (!c->json) {
        buf_append(&c->out, text->p, text->len);
        return 0;
    }
    struct jsonw w = cli_json_begin(c);
    jsonw_kstring(&w, "text", buf_cstr(text));
    return cli_json_end(c, &w, e);
}

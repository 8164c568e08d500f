// SPDX-License-Identifier: Apache-2.0
/* A job in words, and as a document; moments of schedules. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "base/units.h"
#include "base/utc.h"
#include "cli/job.h"
#include "engine/run/notify.h"

#define COLUMN 17
#define LINE_MAX_BYTES ((size_t)1 << 20)

/* --- moments --- */

void cli_moment_text(const struct eng_zone *z, int64_t t, bool program,
                     char out[CLI_MOMENT_CHARS])
{
    int64_t next = 0;
    int32_t offset = eng_zone_offset(z, t, &next);
    int64_t local = t + offset;
    int64_t second = (local % 86400 + 86400) % 86400;
    struct civil_date d = civil_from_day((local - second) / 86400);
    int minutes = (offset < 0 ? -offset : offset) / 60;

    (void)snprintf(
        out, CLI_MOMENT_CHARS, "%04d-%02d-%02d%s%02d:%02d:%02d%s%c%02d:%02d",
        d.year, d.month, d.day, program ? "T" : " ", (int)(second / 3600),
        (int)(second / 60 % 60), (int)(second % 60), program ? "" : " ",
        offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

int cli_job_next_moment(const struct eng_job *j, int64_t after, int64_t *at,
                        struct buf *why, struct err *e)
{
    char zone[ENG_ZONE_NAME_CHARS];
    struct eng_schedule s = { 0 };

    *at = 0;
    if (eng_job_schedule(j, &s, e) < 0)
        return -1;
    if (j->disabled)
        buf_append_str(why, "not by itself: it is disabled");
    else if (s.kind == ENG_SCHEDULE_MANUAL)
        buf_append_str(why, "by hand only");
    else if (s.kind == ENG_SCHEDULE_AFTER)
        buf_printf(why, "after job %s", s.after);
    else if (s.kind == ENG_SCHEDULE_CONTINUOUSLY)
        buf_append_str(why, "again whenever a run of it has ended");
    else if (eng_schedule_next(&s, eng_job_zone(j, zone), after, at, e) < 0)
        return -1;
    if (*at == ENG_SCHEDULE_NEVER) {
        *at = 0;
        buf_append_str(why, "never again");
    }
    return 0;
}

/* --- for people --- */

static void pair(struct buf *out, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void pair(struct buf *out, const char *name, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        out->failed = true;
        out->nomem = true;
        return;
    }
    int pad = COLUMN - (int)strlen(name) - 1;
    buf_printf(out, "%s:%*s", name, pad > 1 ? pad : 1, "");
    cli_clean(out, text);
    buf_append_char(out, '\n');
    free(text);
}

/* A line, where the list has anything. */
static void list(struct buf *out, const char *name, const struct eng_texts *t)
{
    AUTO_BUF struct buf line = buf_init(LINE_MAX_BYTES);

    for (size_t i = 0; i < t->n; i++)
        buf_printf(&line, "%s%s", i > 0 ? ", " : "", t->v[i]);
    if (t->n > 0)
        pair(out, name, "%s", line.failed ? "(many)" : buf_cstr(&line));
}

/* A program; the shell's is shown as the command that it is. */
static void program(struct buf *out, const char *name,
                    const struct eng_texts *t)
{
    AUTO_BUF struct buf line = buf_init(LINE_MAX_BYTES);

    if (t->n == 3 && strcmp(t->v[0], "/bin/sh") == 0 &&
        strcmp(t->v[1], "-c") == 0) {
        pair(out, name, "%s", t->v[2]);
        return;
    }
    for (size_t i = 0; i < t->n; i++)
        buf_printf(&line, "%s%s", i > 0 ? " " : "", t->v[i]);
    if (t->n > 0)
        pair(out, name, "%s", buf_cstr(&line));
}

static void selection(const struct eng_job *j, struct buf *out)
{
    list(out, "VMs", &j->vms);
    list(out, "Containers", &j->containers);
    list(out, "VMs left out", &j->exclude_vms);
    list(out, "Disks left out", &j->exclude_disks);
    list(out, "Disks", &j->disks);
}

static void keeping(const struct eng_job *j, struct buf *out)
{
    pair(out, "Repository", "%s", j->repo);
    if (j->retention == NULL)
        pair(out, "Retention", "points stay until they are deleted by hand");
    else
        pair(out, "Retention", "%s%s%s", j->retention,
             j->gfs != NULL ? ", " : "", j->gfs != NULL ? j->gfs : "");
    if (j->deleted_vms_s != 0) {
        char time[UNITS_TEXT_CHARS];
        units_format_duration(j->deleted_vms_s, time);
        pair(out, "Deleted VMs", "their points are removed after %s", time);
    }
}

static void storing(const struct eng_job *j, struct buf *out)
{
    char size[UNITS_TEXT_CHARS];

    pair(out, "Active fulls", "%s",
         j->active_full != NULL ? j->active_full : "none");
    if (j->synthetic_full != NULL)
        pair(out, "Synthetic fulls", "%s", j->synthetic_full);
    pair(out, "Compression", "%s",
         j->compression != NULL ? j->compression : "optimal");
    units_format_size(j->block_size, size);
    pair(out, "Block size", "%s",
         j->block_size != 0 ? size : "the repository's");
    units_format_size(j->limit_upload, size);
    if (j->limit_upload != 0)
        pair(out, "Upload limit", "%s a second", size);
}

/* Where the password is, in words. */
static void password_place(const struct eng_job *j, struct buf *out)
{
    struct err e = { 0 };
    AUTO_JSON struct json_doc *doc =
        json_parse(span_str(j->password != NULL ? j->password : "{}"),
                   JSON_STRICT, ERR_CONFIG, &e);
    struct json root = { 0 };

    if (doc != NULL)
        root = json_root(doc);
    struct json file = json_optional(&root, "file");
    struct json env = json_optional(&root, "env");
    struct json command = json_optional(&root, "command");
    if (json_present(&file))
        buf_printf(out, " in file %s", json_string(&file, SIZE_MAX));
    else if (json_present(&env))
        buf_printf(out, " in $%s", json_string(&env, SIZE_MAX));
    else if (json_present(&command))
        buf_append_str(out, " that a command prints");
    else
        buf_append_str(out, " of whoever runs it");
}

static void encryption(const struct eng_job *j, struct buf *out)
{
    AUTO_BUF struct buf line = buf_init(LINE_MAX_BYTES);

    if (j->encrypt == NULL)
        buf_append_str(&line, "none, unless the repository has keysets");
    else
        buf_append_str(&line, j->encrypt);
    if (j->encrypt != NULL && strcmp(j->encrypt, "password") == 0)
        password_place(j, &line);
    if (j->encrypt != NULL && strcmp(j->encrypt, "none") != 0)
        buf_printf(&line, ", keyset %s",
                   j->keyset != NULL ? j->keyset : "default");
    pair(out, "Encryption", "%s", buf_cstr(&line));
}

static void guest_line(struct buf *out, const char *name, const char *vm,
                       const struct eng_guest *g)
{
    const char *unsaid = vm != NULL ? "as all" : "disable";

    pair(out, name, "%s%s%s%s%s%s%s", vm != NULL ? vm : "",
         vm != NULL ? ": " : "", g->mode != NULL ? g->mode : unsaid,
         g->credentials != NULL ? ", as " : "",
         g->credentials != NULL ? g->credentials : "",
         g->logs != NULL ? ", logs " : "", g->logs != NULL ? g->logs : "");
}

static void running(const struct eng_job *j, struct buf *out)
{
    char zone[ENG_ZONE_NAME_CHARS];

    if (j->schedule == NULL)
        pair(out, "Schedule", "by hand only");
    else
        pair(out, "Schedule", "%s (%s)", j->schedule, eng_job_zone(j, zone));
    if (j->schedule != NULL)
        pair(out, "Retries", "%s",
             j->retries != NULL ? j->retries : "3 after 10m");
    pair(out, "VMs at once", "%" PRIu64,
         j->parallel != 0 ? j->parallel : (uint64_t)ENG_JOB_PARALLEL);
    program(out, "Before", &j->before);
    program(out, "After", &j->after);
}

static void telling(const struct eng_job *j, struct buf *out)
{
    char url[ENG_WEBHOOK_SHOWN_CHARS];

    if (j->webhook == NULL && j->mail_to == NULL)
        return;
    pair(out, "Told of", "%s",
         j->notify_on != NULL ? j->notify_on : "all results");
    if (j->webhook != NULL) {
        eng_webhook_shown(j->webhook, url);
        pair(out, "Webhook", "%s", url);
    }
    if (j->mail_to != NULL)
        pair(out, "Mail to", "%s", j->mail_to);
    if (j->mail_from != NULL)
        pair(out, "Mail from", "%s", j->mail_from);
    program(out, "Mail by", &j->mail);
}

void cli_job_summary(const struct eng_job *j, struct buf *out)
{
    pair(out, "Job", "%s%s", j->name, j->disabled ? " (disabled)" : "");
    if (j->description != NULL)
        pair(out, "Description", "%s", j->description);
    selection(j, out);
    keeping(j, out);
    storing(j, out);
    encryption(j, out);
    guest_line(out, "Guests", NULL, &j->guest);
    for (size_t i = 0; i < j->n_guests; i++)
        guest_line(out, "Guest", j->guests[i].vm, &j->guests[i].guest);
    running(j, out);
    telling(j, out);
}

/* --- for programs --- */

/* JSON without its white space, so that a document is one line. */
static void compact(const char *text, struct buf *out)
{
    bool string = false;

    for (const char *p = text; *p != '\0'; p++) {
        if (string && *p == '\\' && p[1] != '\0')
            buf_append_char(out, *p++);
        else if (*p == '"')
            string = !string;
        else if (!string && strchr(" \t\r\n", *p) != NULL)
            continue;
        buf_append_char(out, *p);
    }
}

int cli_job_document(struct cli_ctx *c, const struct eng_job *j, struct err *e)
{
    char zone[ENG_ZONE_NAME_CHARS];
    int64_t at = 0;
    AUTO_BUF struct buf why = buf_init(LINE_MAX_BYTES);
    AUTO_BUF struct buf text = buf_init((size_t)1 << 24);
    AUTO_BUF struct buf line = buf_init((size_t)1 << 24);

    if (cli_job_next_moment(j, utc_now(), &at, &why, e) < 0 ||
        eng_job_text(j, &text, e) < 0)
        return -1;
    compact(buf_cstr(&text), &line);
    struct jsonw w = cli_json_begin(c);
    jsonw_key(&w, "job");
    jsonw_object(&w);
    jsonw_kstring(&w, "name", j->name);
    jsonw_kbool(&w, "enabled", !j->disabled);
    jsonw_kstring(&w, "timezone", eng_job_zone(j, zone));
    cli_json_time(&w, "next", at);
    jsonw_key(&w, "config");
    jsonw_raw(&w, buf_cstr(&line));
    jsonw_end_object(&w);
    return buf_check(&line, e) < 0 ? -1 : cli_json_end(c, &w, e);
}

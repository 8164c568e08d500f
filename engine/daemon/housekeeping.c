// SPDX-License-Identifier: Apache-2.0
/* When housekeeping is due. */
#include "engine/daemon/housekeeping.h"

#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/utc.h"

#define NOTE_BYTES_MAX 4096 /* of a file that notes what was done */

static const char *const words[ENG_WORKS] = {
    [ENG_WORK_DELETED] = "deleted",
    [ENG_WORK_GC] = "gc",
    [ENG_WORK_CHECK] = "check",
};

const char *eng_work_text(enum eng_work what)
{
    static const char *const texts[ENG_WORKS] = {
        [ENG_WORK_RUN] = "run of job ",
        [ENG_WORK_AGAIN] = "retry of job ",
        [ENG_WORK_DELETED] = "removal of points of deleted VMs of job ",
        [ENG_WORK_GC] = "collection of repository ",
        [ENG_WORK_CHECK] = "check of repository ",
    };
    return texts[what];
}

static void schedule_of(const struct eng_known *k, enum eng_work what,
                        struct eng_schedule *out)
{
    if (what == ENG_WORK_CHECK)
        eng_config_daemon_check(&k->config, out);
    else
        eng_config_daemon_collect(&k->config, out);
}

static char *note_path(const struct eng_known *k, const struct eng_chore *one,
                       struct err *e)
{
    return io_format(e, "%s/housekeeping/%s-%s", k->home->state,
                     words[one->what], one->name);
}

/* The text that stands for its schedule: another one holds from now on. */
static void key_of(const struct eng_known *k, enum eng_work what,
                   struct buf *out)
{
    char room[ENG_ZONE_NAME_CHARS];
    struct eng_schedule s;

    schedule_of(k, what, &s);
    eng_schedule_text(&s, out);
    buf_printf(out, " in %s\n", eng_config_daemon_zone(&k->config, room));
}

int eng_chore_done(const struct eng_known *k, struct eng_chore *one,
                   int64_t now, struct err *e)
{
    char iso[UTC_ISO_CHARS];
    AUTO_MEM char *path = note_path(k, one, e);
    AUTO_BUF struct buf text = buf_init(NOTE_BYTES_MAX);

    one->since = now;
    utc_format_iso(now, iso);
    buf_printf(&text, "%s ", iso);
    key_of(k, one->what, &text);
    if (path == NULL || buf_check(&text, e) < 0 ||
        io_mkdirs_for(path, 0700, e) < 0)
        return -1;
    return io_write_file(path, buf_span(&text), 0600, false, e);
}

/* What was noted; false: nothing, or of another schedule. */
static bool noted(const struct eng_known *k, struct eng_chore *one)
{
    struct err ignored = { 0 };
    AUTO_MEM char *path = note_path(k, one, &ignored);
    AUTO_BUF struct buf text = buf_init(NOTE_BYTES_MAX);
    AUTO_BUF struct buf key = buf_init(NOTE_BYTES_MAX);

    key_of(k, one->what, &key);
    if (path == NULL || key.failed || io_read_file(path, &text, &ignored) < 0 ||
        text.len < UTC_ISO_CHARS)
        return false;
    char *line = (char *)text.p;
    line[UTC_ISO_CHARS - 1] = '\0';
    return text.len - UTC_ISO_CHARS == key.len &&
           memcmp(line + UTC_ISO_CHARS, key.p, key.len) == 0 &&
           utc_parse_iso(line, &one->since);
}

static struct eng_chore *find(struct eng_chores *c, enum eng_work what,
                              const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->v[i].what == what && strcmp(c->v[i].name, name) == 0)
            return &c->v[i];
    return NULL;
}

static struct eng_chore *add(struct eng_chores *c, enum eng_work what,
                             const char *name, struct err *e)
{
    struct eng_chore one = { .what = what, .name = strdup(name) };
    size_t at = 0;

    if (c->n == c->cap) {
        size_t cap = c->cap == 0 ? 16 : c->cap * 2;
        struct eng_chore *more = reallocarray(c->v, cap, sizeof *more);
        if (more != NULL) {
            c->v = more;
            c->cap = cap;
        }
    }
    if (one.name == NULL || c->n == c->cap) {
        free(one.name);
        (void)err_nomem(e);
        return NULL;
    }
    while (at < c->n && c->v[at].what <= what)
        at++;
    memmove(&c->v[at + 1], &c->v[at], (c->n - at) * sizeof one);
    c->v[at] = one;
    c->n++;
    return &c->v[at];
}

static int want(struct eng_chores *c, const struct eng_known *k,
                enum eng_work what, const char *name, const char *repo,
                int64_t now, struct err *e)
{
    struct eng_chore *one = find(c, what, name);
    AUTO_MEM char *copy = strdup(repo);

    if (one == NULL)
        one = add(c, what, name, e);
    if (one == NULL)
        return -1;
    if (copy == NULL)
        return err_nomem(e);
    free(one->repo);
    one->repo = STEAL(copy);
    one->wanted = true;
    return noted(k, one) ? 0 : eng_chore_done(k, one, now, e);
}

static void drop_unwanted(struct eng_chores *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->n; i++) {
        if (c->v[i].wanted || c->v[i].handle != 0) {
            c->v[kept++] = c->v[i];
            continue;
        }
        free(c->v[i].name);
        free(c->v[i].repo);
    }
    c->n = kept;
}

int eng_chore_list(struct eng_chores *c, const struct eng_known *k, int64_t now,
                   struct err *e)
{
    for (size_t i = 0; i < c->n; i++)
        c->v[i].wanted = false;
    for (size_t i = 0; i < k->n_repos; i++) {
        const char *repo = k->repos[i];
        if (want(c, k, ENG_WORK_GC, repo, repo, now, e) < 0 ||
            want(c, k, ENG_WORK_CHECK, repo, repo, now, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < k->n; i++) {
        const struct eng_known_job *j = k->jobs[i];
        if (j->state == ENG_KNOWN_ON && j->deleted_vms_s > 0 &&
            want(c, k, ENG_WORK_DELETED, j->name, j->repo, now, e) < 0)
            return -1;
    }
    drop_unwanted(c);
    return 0;
}

/* Whether other housekeeping of its repository is under way. */
static bool is_held(const struct eng_chores *c, const struct eng_chore *one)
{
    for (size_t i = 0; i < c->n; i++)
        if (&c->v[i] != one && c->v[i].handle != 0 &&
            strcmp(c->v[i].repo, one->repo) == 0)
            return true;
    return false;
}

int eng_chore_decide(const struct eng_chores *c, struct eng_chore *one,
                     const struct eng_known *k, int64_t now,
                     struct eng_schedule_decision *out, struct err *e)
{
    char room[ENG_ZONE_NAME_CHARS];
    const char *zone = eng_config_daemon_zone(&k->config, room);
    struct eng_schedule_retry none = { 0 };
    struct eng_schedule_past past = { .since = one->since };
    struct eng_schedule s;

    schedule_of(k, one->what, &s);
    if (one->handle == 0) {
        if (eng_schedule_decide(&s, zone, &past, &none, now, out, e) < 0)
            return -1;
        if (out->act == ENG_SCHEDULE_RUN && is_held(c, one)) {
            /* The end of what is in its way is waited for. */
            out->act = ENG_SCHEDULE_WAIT;
            out->at = ENG_SCHEDULE_NEVER;
        }
        return 0;
    }
    past.start = one->since;
    past.running = true;
    if (eng_schedule_decide(&s, zone, &past, &none, now, out, e) < 0)
        return -1;
    int64_t next = 0;
    if (eng_schedule_next(&s, zone, one->since, &next, e) < 0)
        return -1;
    if (next <= now) {
        log_warn("daemon", "%s%s still runs: the next one is left out",
                 eng_work_text(one->what), one->name);
        if (eng_chore_done(k, one, now, e) < 0)
            return -1;
    } else if (next < out->at) {
        out->at = next;
    }
    return 0;
}

void eng_chore_fini(struct eng_chores *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->v[i].name);
        free(c->v[i].repo);
    }
    free(c->v);
    *c = (struct eng_chores){ 0 };
}

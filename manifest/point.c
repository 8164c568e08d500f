// SPDX-License-Identifier: Apache-2.0
/* A restore point in memory: its life, and the rules that hold for its content
 * whichever way it came. */
#include "manifest/point.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "manifest/block.h"
#include "manifest/canon.h"
#include "manifest/objkey.h"
#include "manifest/page.h"
#include "manifest/point_priv.h"

const char *const mf_kind_words[] = { "full", "incremental", NULL };
const char *const mf_consistency_words[] = { "crash", "fs", "app", NULL };
const char *const mf_gfs_words[] = { "weekly", "monthly", "yearly", NULL };

struct mf_point *mf_point_new(struct err *e)
{
    struct mf_point *p = calloc(1, sizeof(*p));

    if (p == NULL)
        (void)err_nomem(e);
    return p;
}

static void free_streams(struct mf_stream *s, size_t n)
{
    for (size_t i = 0; s != NULL && i < n; i++) {
        free(s[i].name);
        free(s[i].bus);
        free(s[i].format);
        free(s[i].pages);
    }
    free(s);
}

void mf_point_free(struct mf_point *p)
{
    if (p == NULL)
        return;
    free(p->vm.name);
    free(p->vm.uuid);
    free(p->vm.source);
    free(p->vm.container);
    free(p->job);
    free(p->parent);
    free(p->retention.timezone);
    free_streams(p->disks, p->n_disks);
    free_streams(p->files, p->n_files);
    free(p->program);
    free(p);
}

/* Where the checks report to. */
struct check {
    enum err_kind kind;
    struct err *e;
};

static int bad(const struct check *c, const char *field, const char *what)
{
    return err_set(c->e, c->kind, 0, "%s %s", field, what);
}

/* Texts that are required, and those that may be null. */
static int check_plain(const struct check *c, const char *field, const char *s)
{
    if (s == NULL || !mf_name_is_plain(s, MF_NAME_MAX))
        return bad(c, field,
                   "is not UTF-8 of 1 to 1024 bytes without control "
                   "characters");
    return 0;
}

static int check_text(const struct check *c, const char *field, const char *s)
{
    if (s == NULL || !mf_name_is_text(s, MF_TEXT_MAX))
        return bad(c, field, "is not UTF-8 of 1 to 8192 bytes");
    return 0;
}

static int check_texts(const struct mf_point *p, const struct check *c)
{
    if (check_plain(c, "vm.name", p->vm.name) < 0 ||
        check_text(c, "vm.source", p->vm.source) < 0 ||
        check_plain(c, "program", p->program) < 0)
        return -1;
    if (p->vm.uuid != NULL && check_plain(c, "vm.uuid", p->vm.uuid) < 0)
        return -1;
    if (p->vm.container != NULL &&
        check_text(c, "vm.container", p->vm.container) < 0)
        return -1;
    if (p->job != NULL && check_plain(c, "job", p->job) < 0)
        return -1;
    return 0;
}

static bool time_ok(int64_t t)
{
    return t >= 0 && t <= MF_TIME_MAX;
}

static int check_lineage(const struct mf_point *p, const struct check *c)
{
    int64_t parent_time;
    uint8_t hash[8];

    if (p->kind > MF_INCREMENTAL || p->consistency > MF_APP)
        return bad(c, "kind or consistency", "is unknown");
    if (!time_ok(p->time) || !time_ok(p->chain))
        return bad(c, "time or chain", "is out of range");
    if (p->locked_until < 0 || p->locked_until > MF_TIME_MAX)
        return bad(c, "locked_until", "is out of range");
    if (p->kind == MF_FULL) {
        if (p->parent != NULL)
            return bad(c, "parent", "is set in a full");
        return p->chain == p->time
                   ? 0
                   : bad(c, "chain", "is not a full's own time");
    }
    if (p->parent == NULL)
        return bad(c, "parent", "is missing in an incremental");
    if (!mf_point_file_parse(p->parent, &parent_time, hash))
        return bad(c, "parent", "is not a manifest's file name");
    if (parent_time < p->chain || parent_time >= p->time)
        return bad(c, "parent", "is not between the chain's begin and time");
    return 0;
}

static int check_policy(const struct mf_point *p, const struct check *c)
{
    const struct mf_retention *r = &p->retention;

    if ((p->gfs &
         ~(unsigned)(MF_GFS_WEEKLY | MF_GFS_MONTHLY | MF_GFS_YEARLY)) != 0)
        return bad(c, "gfs", "has unknown flags");
    if (!r->present)
        return 0;
    if (r->days > MF_RETENTION_DAYS_MAX || r->weekly > MF_GFS_MAX ||
        r->monthly > MF_GFS_MAX || r->yearly > MF_GFS_MAX)
        return bad(c, "retention", "is out of range");
    if (r->days == 0 && r->weekly == 0 && r->monthly == 0 && r->yearly == 0)
        return bad(c, "retention", "keeps nothing");
    return check_plain(c, "retention.timezone", r->timezone);
}

static int check_stats(const struct mf_point *p, const struct check *c)
{
    if (p->stats.source_bytes > MF_UINT_MAX ||
        p->stats.read_bytes > MF_UINT_MAX || p->stats.new_bytes > MF_UINT_MAX ||
        p->stats.stored_bytes > MF_UINT_MAX || p->stats.seconds > MF_UINT_MAX)
        return bad(c, "stats", "is out of range");
    return 0;
}

static int check_stream(const struct mf_stream *s, bool disk,
                        const struct check *c)
{
    if (s->name == NULL ||
        !(disk ? mf_name_is_disk(s->name) : mf_name_is_path(s->name)))
        return bad(c, "name",
                   disk ? "is not a disk's name (UTF-8, no control "
                          "characters, no '/', not \".\" or \"..\")"
                        : "is not a relative path (UTF-8, no control "
                          "characters, no empty, \".\" or \"..\" component)");
    if (disk && s->bus != NULL && check_plain(c, "bus", s->bus) < 0)
        return -1;
    if (disk && check_plain(c, "format", s->format) < 0)
        return -1;
    if (!disk && s->mode > 07777)
        return bad(c, "mode", "is more than 07777");
    if (s->size > MF_SIZE_MAX)
        return bad(c, "size", "is more than 1 PiB");
    if (!mf_block_size_ok(s->block_size))
        return bad(c, "block_size",
                   "is not a power of two from 256 KiB to 8 MiB");
    if (s->n_pages != mf_page_count(mf_block_count(s->size, s->block_size)))
        return bad(c, "pages", "does not have the length that size asks for");
    return 0;
}

static int check_streams(const struct mf_stream *s, size_t n, bool disks,
                         const struct check *c)
{
    size_t max = disks ? MF_DISKS_MAX : MF_FILES_MAX;
    const char *what = disks ? "disks" : "files";

    if (n > max)
        return err_set(c->e, c->kind, 0, "%zu %s, at most %zu are possible", n,
                       what, max);
    for (size_t i = 0; i < n; i++) {
        if (check_stream(&s[i], disks, c) < 0)
            return err_ctx(c->e, "%s[%zu]", what, i);
    }
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return mf_name_compare(*(const char *const *)a, *(const char *const *)b);
}

/* All names together must be able to stand in one folder. */
static int check_together(const struct mf_point *p, const struct check *c)
{
    size_t n = p->n_disks + p->n_files;
    AUTO_MEM const char **names = calloc(n + 1, sizeof(*names));

    if (names == NULL)
        return err_nomem(c->e);
    for (size_t i = 0; i < p->n_disks; i++)
        names[i] = p->disks[i].name;
    for (size_t i = 0; i < p->n_files; i++)
        names[p->n_disks + i] = p->files[i].name;
    qsort(names, n, sizeof(*names), compare_names);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(names[i - 1], names[i]) == 0)
            return err_set(c->e, c->kind, 0, "name \"%s\" is there twice",
                           names[i]);
        if (mf_name_covers(names[i - 1], names[i]))
            return err_set(c->e, c->kind, 0,
                           "name \"%s\" is also a folder, of \"%s\"",
                           names[i - 1], names[i]);
    }
    return 0;
}

int mf_point_check(const struct mf_point *p, enum err_kind kind, struct err *e)
{
    const struct check c = { .kind = kind, .e = e };

    if (check_texts(p, &c) < 0 || check_lineage(p, &c) < 0 ||
        check_policy(p, &c) < 0 || check_stats(p, &c) < 0 ||
        check_streams(p->disks, p->n_disks, true, &c) < 0 ||
        check_streams(p->files, p->n_files, false, &c) < 0)
        return -1;
    return check_together(p, &c);
}

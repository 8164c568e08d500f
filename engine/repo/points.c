// SPDX-License-Identifier: Apache-2.0
/* Restore points as objects: their names, reading them verified, finding the
 * one that a user means, making and deleting them. */
#include "engine/repo/points.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "base/utc.h"
#include "base/workers.h"
#include "engine/repo/folders.h"
#include "engine/repo/gone.h"
#include "engine/repo/internal.h"
#include "engine/repo/locked.h"
#include "engine/repo/point_store.h"
#include "engine/repo/versions.h"

/* A list is made so often, while points are removed. */
#define LISTINGS 5

void eng_point_free(struct eng_point *p)
{
    mf_point_free(p->manifest);
    free(p->why);
    *p = (struct eng_point){ 0 };
}

void eng_points_free(struct eng_points *ps)
{
    for (size_t i = 0; i < ps->n; i++)
        eng_point_free(&ps->p[i]);
    free(ps->p);
    *ps = (struct eng_points){ 0 };
}

static int points_add(struct eng_points *ps, const struct eng_point *p,
                      struct err *e)
{
    if (ps->n == ps->cap) {
        size_t cap = ps->cap == 0 ? 64 : ps->cap * 2;
        struct eng_point *grown = realloc(ps->p, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        ps->p = grown;
        ps->cap = cap;
    }
    ps->p[ps->n++] = *p;
    return 0;
}

/* Versions of one key come one after the other. */
static bool is_last(const struct eng_points *ps, const struct eng_point *p)
{
    if (ps->p == NULL || ps->n == 0)
        return false;
    const struct eng_point *last = &ps->p[ps->n - 1];
    return strcmp(last->file, p->file) == 0 &&
           strcmp(last->vm_key, p->vm_key) == 0;
}

/* A listing of names. */
struct naming {
    const char *keyset;
    struct eng_points *out;
};

/* Names that do not fit are junk of somebody else: ignored. */
static int on_name(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    const struct naming *n = ctx;
    struct eng_points *ps = n->out;
    struct eng_point p = { 0 };
    uint8_t hash[8];

    eng_folders_note(key, n->keyset, ps->hidden_by);
    if (info->delete_marker ||
        !mf_key_parse_point(key, n->keyset, p.vm_key, p.file) ||
        !mf_point_file_parse(p.file, &p.time, hash))
        return 0;
    if (is_last(ps, &p))
        return 0;
    (void)snprintf(p.keyset, sizeof(p.keyset), "%s", n->keyset);
    if (!mf_vmkey_decode(p.vm_key, p.vm))
        snprintf(p.vm, sizeof(p.vm), "%s", p.vm_key);
    return points_add(ps, &p, e);
}

int eng_points_names_of(struct eng_repo *r, const struct cancel *cancel,
                        const char *keyset, const char *vm_key,
                        struct eng_points *out, struct err *e)
{
    struct mf_key prefix = mf_key_points_prefix(keyset, vm_key);
    struct obj_req req = { .key = prefix.s, .cancel = cancel };
    struct obj_list_opts opts = { 0 };
    struct naming n = { keyset, out };

    *out = (struct eng_points){ 0 };
    if (eng_repo_keeps_versions(r, cancel, &opts.versions, e) < 0 ||
        obj_list(r->store, &req, &opts, on_name, &n, e) < 0 ||
        eng_folders_look(r, cancel, prefix.s, out->n, out->hidden_by, e) < 0) {
        eng_points_free(out);
        return err_ctx(e, "list points");
    }
    return 0;
}

static int list_names(struct eng_repo *r, const struct cancel *cancel,
                      const char *vm, struct eng_points *out, struct err *e)
{
    char vm_key[MF_VMKEY_CHARS];

    *out = (struct eng_points){ 0 };
    if (vm != NULL && mf_keys_vm_key(r->keys, vm, vm_key, e) < 0)
        return -1;
    return eng_points_names_of(r, cancel, eng_repo_keyset(r),
                               vm != NULL ? vm_key : NULL, out, e);
}

static int refuse_hidden(struct eng_points *ps, struct err *e)
{
    eng_folders_error(ps->hidden_by, e);
    eng_points_free(ps);
    return err_ctx(e, "list points");
}

static void warn_hidden(const struct eng_points *ps)
{
    struct err why = { 0 };

    if (ps->hidden_by[0] == '\0')
        return;
    (void)eng_folders_error(ps->hidden_by, &why);
    log_warn("repo", "%s", why.msg);
}

int eng_points_names(struct eng_repo *r, const struct cancel *cancel,
                     const char *vm, struct eng_points *out, struct err *e)
{
    if (list_names(r, cancel, vm, out, e) < 0)
        return -1;
    return out->hidden_by[0] == '\0' ? 0 : refuse_hidden(out, e);
}

int eng_points_visible(struct eng_repo *r, const struct cancel *cancel,
                       const char *vm, struct eng_points *out, struct err *e)
{
    if (list_names(r, cancel, vm, out, e) < 0)
        return -1;
    warn_hidden(out);
    return 0;
}

static int verify_manifest(void *ctx, struct span bytes, struct err *e)
{
    const struct eng_point *p = ctx;

    return mf_point_file_verify(p->file, bytes, e);
}

/* The manifest's bytes, checked against the name; of whatever version. */
static int get_manifest(struct eng_repo *r, const struct cancel *cancel,
                        const struct eng_point *p, struct buf *out,
                        struct err *e)
{
    struct mf_key key = eng_point_key(p);

    struct eng_point of = *p;
    const struct eng_verify verify = { verify_manifest, &of };
    if (eng_versions_get(r, cancel, key.s, &verify, out, e) < 0)
        return err_ctx(e, "manifest %s", key.s);
    return 0;
}

static int load(struct eng_repo *r, const struct cancel *cancel,
                struct eng_point *p, struct err *e)
{
    AUTO_BUF struct buf bytes = buf_init(MF_POINT_JSON_MAX);

    if (get_manifest(r, cancel, p, &bytes, e) < 0)
        return -1;
    AUTO_MF_POINT struct mf_point *m =
        mf_point_unseal(r->keys, p->vm_key, p->file, buf_span(&bytes), e);
    if (m == NULL)
        return err_ctx(e, "manifest %s/%s", p->vm_key, p->file);
    snprintf(p->vm, sizeof(p->vm), "%s", m->vm.name);
    p->manifest = STEAL(m);
    return 0;
}

/* Errors that tell about this object alone, not about our way to it. */
static bool is_damage(const struct err *e)
{
    return e->kind == ERR_CORRUPT || e->kind == ERR_NOTFOUND ||
           e->kind == ERR_UNSUPPORTED;
}

int eng_point_load(struct eng_repo *r, const struct cancel *cancel,
                   struct eng_point *p, struct err *e)
{
    if (p->manifest != NULL || load(r, cancel, p, e) == 0)
        return 0;
    if (!is_damage(e))
        return -1;
    p->absent = e->kind == ERR_NOTFOUND;
    free(p->why);
    p->why = strdup(e->msg);
    return p->why != NULL ? 0 : err_nomem(e);
}

/* Removed between its listing and its loading: no damage.  Nor is it one that
 * was absent and is there: its put was lost, repeated and carried out late, so
 * it came back.  That is loaded now. */
static bool has_vanished(struct eng_repo *r, const struct cancel *cancel,
                         struct eng_point *p)
{
    struct err ignored = { 0 };

    if (p->manifest != NULL)
        return false;
    if (eng_point_is_there(r, cancel, p, &ignored) == 0)
        return true;
    if (p->absent && eng_point_load(r, cancel, p, &ignored) < 0)
        log_info("repo", "%s", ignored.msg);
    return false;
}

struct load_job {
    struct eng_repo *repo;
    struct eng_points *points;
};

static int load_worker(void *ctx, struct workers *w, unsigned index,
                       struct err *e)
{
    struct load_job *j = ctx;
    uint64_t i = 0;

    (void)index;
    while (workers_claim(w, &i))
        if (eng_point_load(j->repo, workers_cancel(w), &j->points->p[i], e) < 0)
            return -1;
    return 0;
}

static int by_vm_and_time(const void *pa, const void *pb)
{
    const struct eng_point *a = pa;
    const struct eng_point *b = pb;
    int c = strcmp(a->vm, b->vm);

    if (c != 0)
        return c;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return strcmp(a->file, b->file);
}

static void sort_points(struct eng_points *ps)
{
    if (ps->n > 1)
        qsort(ps->p, ps->n, sizeof(*ps->p), by_vm_and_time);
}

static void drop_vanished(struct eng_repo *r, const struct cancel *cancel,
                          struct eng_points *ps)
{
    size_t kept = 0;

    for (size_t i = 0; i < ps->n; i++)
        if (has_vanished(r, cancel, &ps->p[i]))
            eng_point_free(&ps->p[i]);
        else
            ps->p[kept++] = ps->p[i];
    ps->n = kept;
}

static int load_all(struct eng_repo *r, const struct cancel *cancel,
                    struct eng_points *out, struct err *e)
{
    struct load_job j = { .repo = r, .points = out };

    if (out->n > 0 &&
        workers_run((unsigned)checked_min(out->n, ENG_REPO_READERS), out->n,
                    cancel, load_worker, &j, e) < 0) {
        eng_points_free(out);
        return -1;
    }
    drop_vanished(r, cancel, out);
    sort_points(out);
    return 0;
}

int eng_points_list(struct eng_repo *r, const struct cancel *cancel,
                    const char *vm, struct eng_points *out, struct err *e)
{
    if (list_names(r, cancel, vm, out, e) < 0)
        return -1;
    if (out->n == 0 && out->hidden_by[0] != '\0')
        return refuse_hidden(out, e);
    warn_hidden(out);
    return load_all(r, cancel, out, e);
}

int eng_points_list_visible(struct eng_repo *r, const struct cancel *cancel,
                            struct eng_points *out, struct err *e)
{
    return eng_points_visible(r, cancel, NULL, out, e) < 0
               ? -1
               : load_all(r, cancel, out, e);
}

/* *vanished: a point was removed meanwhile. */
static int find_newest(struct eng_repo *r, const struct cancel *cancel,
                       const char *vm, struct eng_points *names,
                       struct eng_point **newest, bool *vanished, struct err *e)
{
    int64_t now = utc_now();

    *newest = NULL;
    *vanished = false;
    if (eng_points_visible(r, cancel, vm, names, e) < 0)
        return -1;
    sort_points(names);
    for (size_t i = names->n; i-- > 0;) {
        struct eng_point *p = &names->p[i];
        if (p->time > now)
            continue;
        if (eng_point_load(r, cancel, p, e) < 0) {
            eng_points_free(names);
            return -1;
        }
        if (has_vanished(r, cancel, p)) {
            *vanished = true;
            continue;
        }
        if (p->manifest != NULL) {
            *newest = p;
            return 0;
        }
        log_warn("repo", "a newer point of %s is damaged and passed over: %s",
                 p->vm, p->why);
    }
    return 0;
}

int eng_points_newest(struct eng_repo *r, const struct cancel *cancel,
                      const char *vm, struct eng_points *names,
                      struct eng_point **newest, struct err *e)
{
    bool vanished = true;

    *newest = NULL;
    for (int i = 0; i < LISTINGS && vanished && *newest == NULL; i++) {
        eng_points_free(names);
        if (find_newest(r, cancel, vm, names, newest, &vanished, e) < 0)
            return -1;
    }
    return 0;
}

char *eng_point_text(const struct eng_points *ps, const struct eng_point *p,
                     struct err *e)
{
    char iso[UTC_ISO_CHARS];
    char *text = NULL;
    size_t twins = 0;

    for (size_t i = 0; i < ps->n; i++)
        if (ps->p[i].time == p->time && strcmp(ps->p[i].vm, p->vm) == 0)
            twins++;
    utc_format_iso(p->time, iso);
    int n = twins > 1 ? asprintf(&text, "%s@%s-%.16s", p->vm, iso,
                                 p->file + UTC_BASIC_CHARS)
                      : asprintf(&text, "%s@%s", p->vm, iso);
    if (n < 0) {
        err_nomem(e);
        return NULL;
    }
    return text;
}

/* "vm@time[-hex]" taken apart at the last '@'. */
struct point_name {
    char vm[MF_NAME_MAX + 1];
    bool latest;
    int64_t time;
    char hex[17]; /* "" where none was given */
};

static int parse_name(const char *text, struct point_name *out, struct err *e)
{
    const char *at = strrchr(text, '@');
    char iso[UTC_ISO_CHARS] = "";

    *out = (struct point_name){ 0 };
    if (at == NULL || at == text || (size_t)(at - text) >= sizeof(out->vm))
        return err_set(e, ERR_USAGE, 0,
                       "\"%s\" is no point; write VM@2026-11-22T10:00:00Z or "
                       "VM@latest",
                       text);
    memcpy(out->vm, text, (size_t)(at - text));
    if (strcmp(at + 1, "latest") == 0) {
        out->latest = true;
        return 0;
    }
    size_t len = strlen(at + 1);
    memcpy(iso, at + 1, checked_min(len, UTC_ISO_CHARS - 1));
    const char *rest = at + 1 + checked_min(len, UTC_ISO_CHARS - 1);
    if (!utc_parse_iso(iso, &out->time) ||
        (rest[0] != '\0' && (rest[0] != '-' || strlen(rest) != 17)))
        return err_set(e, ERR_USAGE, 0,
                       "\"%s\" is no time of a point; write it as "
                       "2026-11-22T10:00:00Z",
                       at + 1);
    if (rest[0] == '-')
        snprintf(out->hex, sizeof(out->hex), "%s", rest + 1);
    return 0;
}

/* The one point of names that n means, or NULL with e filled. */
static struct eng_point *pick(struct eng_points *names,
                              const struct point_name *n, const char *text,
                              struct err *e)
{
    struct eng_point *found = NULL;

    for (size_t i = 0; i < names->n; i++) {
        struct eng_point *p = &names->p[i];
        if (p->time != n->time ||
            (n->hex[0] != '\0' &&
             strncmp(p->file + UTC_BASIC_CHARS, n->hex, 16) != 0))
            continue;
        if (found != NULL) {
            err_set(e, ERR_USAGE, 0,
                    "%s: two points have this time; add -%.16s or -%.16s", text,
                    found->file + UTC_BASIC_CHARS, p->file + UTC_BASIC_CHARS);
            return NULL;
        }
        found = p;
    }
    if (found == NULL)
        err_set(e, ERR_NOTFOUND, 0, "point %s: there is none", text);
    return found;
}

/* A point that this machine has seen and that nobody deleted here is lost:
 * damage, not a wrong name. */
static int explain_absence(const struct eng_repo *r, const struct point_name *n,
                           const char *text, struct err *e)
{
    struct mf_key key;

    if (e->kind == ERR_NOTFOUND && eng_gone_was_seen(r, n->vm, n->time, &key))
        return err_set(e, ERR_CORRUPT, 0,
                       "point %s: its manifest %s is missing; it was there, "
                       "and was not deleted from this machine",
                       text, key.s);
    return -1;
}

int eng_point_find(struct eng_repo *r, const struct cancel *cancel,
                   const char *text, struct eng_point *out, struct err *e)
{
    struct point_name n;
    AUTO_ENG_POINTS struct eng_points names = { 0 };
    struct eng_point *found = NULL;

    *out = (struct eng_point){ 0 };
    if (parse_name(text, &n, e) < 0)
        return -1;
    if (n.latest) {
        if (eng_points_newest(r, cancel, n.vm, &names, &found, e) < 0)
            return -1;
        if (found == NULL && names.hidden_by[0] != '\0') {
            eng_folders_error(names.hidden_by, e);
            return err_ctx(e, "point %s", text);
        }
        if (found == NULL && names.n > 0)
            return err_set(e, ERR_CORRUPT, 0,
                           "point %s: none of the %zu points verifies, or all "
                           "are in the future",
                           text, names.n);
        if (found == NULL)
            return err_set(e, ERR_NOTFOUND, 0, "point %s: there is none", text);
    } else {
        if (eng_points_names(r, cancel, n.vm, &names, e) < 0)
            return -1;
        found = pick(&names, &n, text, e);
        if (found == NULL)
            return explain_absence(r, &n, text, e);
        if (eng_point_load(r, cancel, found, e) < 0)
            return -1;
        if (has_vanished(r, cancel, found))
            return err_set(e, ERR_NOTFOUND, 0, "point %s was removed meanwhile",
                           text);
    }
    *out = *found;
    *found = (struct eng_point){ 0 };
    return 0;
}

int eng_point_delete(struct eng_repo *r, const struct cancel *cancel,
                     const struct eng_point *p, struct err *e)
{
    struct mf_key key = eng_point_key(p);

    if (eng_object_erase(r, cancel, key.s, e) < 0) {
        /* Where these keys may not ask for locks, the manifest tells. */
        if (e->kind == ERR_LOCKED && p->manifest != NULL &&
            strstr(e->msg, "locked until") == NULL)
            eng_erase_locked(p->manifest->locked_until, e);
        return err_ctx(e, "the point");
    }
    eng_gone_forget(r, key.s);
    return 0;
}

int eng_point_export(struct eng_repo *r, const struct cancel *cancel,
                     const struct eng_point *p, struct buf *out, struct err *e)
{
    AUTO_BUF struct buf bytes = buf_init(MF_POINT_JSON_MAX);
    AUTO_BUF struct buf room = buf_init(MF_POINT_JSON_MAX);
    struct span json;

    if (get_manifest(r, cancel, p, &bytes, e) < 0 ||
        mf_point_open(r->keys, p->vm_key, p->file, buf_span(&bytes), &room,
                      &json, e) < 0)
        return -1;
    buf_append(out, json.p, json.len);
    return buf_check(out, e);
}

int eng_point_put(struct eng_repo *r, const struct cancel *cancel,
                  const struct mf_point *m, struct eng_point_made *made,
                  struct err *e)
{
    AUTO_BUF struct buf bytes = buf_init(MF_POINT_JSON_MAX);
    char vm_key[MF_VMKEY_CHARS];

    if (mf_point_seal(r->keys, m, &bytes, vm_key, made->file, e) < 0)
        return -1;
    /* Never publish what readers would refuse (a name out of bounds, say). */
    AUTO_MF_POINT struct mf_point *check =
        mf_point_unseal(r->keys, vm_key, made->file, buf_span(&bytes), e);
    if (check == NULL)
        return err_ctx(e, "this point cannot be described");
    struct mf_key key = mf_key_point(eng_repo_keyset(r), vm_key, made->file);
    struct obj_req req = { .key = key.s,
                           .cancel = cancel,
                           .sign_before = made->sign_before };
    struct obj_put_opts opts = { .content_type = "application/json" };
    uint8_t hash[ENG_LOCK_HASH_BYTES];
    if (eng_lock_key_hash(key.s, hash, e) < 0)
        return -1;
    opts.lock = eng_locked_lock(r, m->locked_until, hash);
    if (obj_put(r->store, &req, buf_span(&bytes), &opts, &made->info, e) < 0)
        return -1;
    made->key = key;

    /* Our own pages are in the index already; failing to say so costs a look
     * at this manifest in the next run. */
    struct err why = { 0 };
    if (eng_index_mark_seen(r->index, key.s, &why) < 0)
        log_info("repo", "%s", why.msg);
    return 0;
}

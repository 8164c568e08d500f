// SPDX-License-Identifier: Apache-2.0
/* Points of all keysets, each with the keyset that it lies in. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utc.h"
#include "engine/repo/internal.h"
#include "engine/repo/point_store.h"

static int append(struct eng_points *to, struct eng_points *from, struct err *e)
{
    if (from->n == 0)
        return 0;
    struct eng_point *grown =
        realloc(to->p, (to->n + from->n) * sizeof(*grown));
    if (grown == NULL)
        return err_nomem(e);
    to->p = grown;
    memcpy(to->p + to->n, from->p, from->n * sizeof(*grown));
    to->n += from->n;
    to->cap = to->n;
    free(from->p); /* what it holds has moved */
    *from = (struct eng_points){ 0 };
    return 0;
}

struct listing {
    const struct cancel *cancel;
    const char *vm;
    struct eng_points *out;
    struct eng_repo *repo;
};

static int list_open(void *ctx, struct eng_repo *r, struct err *e)
{
    struct listing *l = ctx;
    AUTO_ENG_POINTS struct eng_points ps = { 0 };

    if (eng_points_list(r, l->cancel, l->vm, &ps, e) < 0)
        return -1;
    return append(l->out, &ps, e);
}

/* Without the key there are only names, and whose they are is not known. */
static int list_sealed(void *ctx, const struct eng_keyset *k, struct err *e)
{
    struct listing *l = ctx;
    AUTO_ENG_POINTS struct eng_points ps = { 0 };

    if (l->vm != NULL)
        return 0;
    if (eng_points_names_of(l->repo, l->cancel, k->name, NULL, &ps, e) < 0)
        return -1;
    for (size_t i = 0; i < ps.n; i++) {
        ps.p[i].sealed = true;
        ps.p[i].why = strdup("the key of its keyset is not at hand");
        if (ps.p[i].why == NULL)
            return err_nomem(e);
    }
    return append(l->out, &ps, e);
}

int eng_points_list_all(struct eng_repo *r, const struct cancel *cancel,
                        const char *vm, struct eng_points *out, struct err *e)
{
    struct listing l = { cancel, vm, out, r };

    *out = (struct eng_points){ 0 };
    if (eng_keysets_each(r, cancel, list_open, list_sealed, &l, e) == 0 &&
        eng_keysets_whole(r, e) == 0)
        return 0;
    eng_points_free(out);
    return -1;
}

struct finding {
    const struct cancel *cancel;
    const char *text;
    struct eng_point *best;
    bool found;
    bool sealed; /* one of those that were found is */
    size_t closed;
    struct err why; /* the first that says more than that there is none */
};

static bool is_latest(const struct finding *f)
{
    size_t len = strlen(f->text);

    return len > 7 && strcmp(f->text + len - 7, "@latest") == 0;
}

static int find_in(void *ctx, struct eng_repo *r, struct err *e)
{
    struct finding *f = ctx;
    AUTO_ENG_POINT struct eng_point p = { 0 };

    if (eng_point_find(r, f->cancel, f->text, &p, e) < 0) {
        if (e->kind == ERR_CORRUPT && f->why.kind == ERR_NONE)
            f->why = *e;
        return e->kind == ERR_CORRUPT || e->kind == ERR_NOTFOUND ? 0 : -1;
    }
    f->sealed = f->sealed || mf_keys_sealed(r->keys);
    if (f->found && !is_latest(f))
        return err_set(e, ERR_USAGE, 0,
                       "%s: two keysets have a point of this time (%s and %s); "
                       "add -%.16s or -%.16s",
                       f->text, f->best->keyset, p.keyset,
                       f->best->file + UTC_BASIC_CHARS,
                       p.file + UTC_BASIC_CHARS);
    if (f->found && f->best->time >= p.time)
        return 0;
    eng_point_free(f->best);
    *f->best = p;
    p = (struct eng_point){ 0 };
    f->found = true;
    return 0;
}

static int count_closed(void *ctx, const struct eng_keyset *k, struct err *e)
{
    struct finding *f = ctx;

    (void)k;
    (void)e;
    f->closed++;
    return 0;
}

static void warn_hidden(const struct eng_repo *r)
{
    struct err why = { 0 };

    if (eng_keysets_whole(r, &why) < 0)
        log_warn("repo", "%s: there may be more keysets: %s", r->name, why.msg);
}

/* "latest" is what somebody wants who does not look which one that is.  Who may
 * only write to the bucket can make no sealed point, but any in the clear. */
static void warn_of_latest(const struct finding *f)
{
    char iso[UTC_ISO_CHARS];

    utc_format_iso(f->best->time, iso);
    if (f->sealed && strcmp(f->best->keyset, MF_KEYSET_PLAIN) == 0)
        log_warn("repo",
                 "%s: the newest point (%s) is in the clear, and there are "
                 "encrypted ones: whoever can write to the bucket may have "
                 "made it",
                 f->text, iso);
    if (f->closed > 0)
        log_warn("repo",
                 "%s: %zu keysets were not looked at, which may have a newer "
                 "one: their keys are not at hand",
                 f->text, f->closed);
}

int eng_point_find_any(struct eng_repo *r, const struct cancel *cancel,
                       const char *text, struct eng_point *out, struct err *e)
{
    struct finding f = { .cancel = cancel, .text = text, .best = out };

    *out = (struct eng_point){ 0 };
    if (eng_keysets_each(r, cancel, find_in, count_closed, &f, e) < 0) {
        eng_point_free(out);
        return -1;
    }
    if (f.found) {
        warn_hidden(r);
        if (is_latest(&f))
            warn_of_latest(&f);
        return eng_repo_select(r, out->keyset, e);
    }
    if (f.why.kind != ERR_NONE) {
        *e = f.why;
        return -1;
    }
    if (eng_keysets_whole(r, e) < 0)
        return -1;
    err_set(e, ERR_NOTFOUND, 0, "point %s: there is none", text);
    return f.closed == 0
               ? -1
               : err_hint(e,
                          "%zu keysets were not looked at: their keys are "
                          "not at hand",
                          f.closed);
}

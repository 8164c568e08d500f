// SPDX-License-Identifier: Apache-2.0
/*
 * A pass over a repository, piece by piece.  Counting finds out what there is
 * to do in each piece, and whether there is anything that forbids to do it;
 * deleting goes to the pieces where there is something.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/workers.h"
#include "engine/care/collect_impl.h"
#include "engine/repo/internal.h"

/* A folder is read from its beginning for each page of a listing. */
#define FOLDER_PAGE 10000

/* One worker. */
struct sweeper {
    struct collect *c;
    const struct cancel *cancel;
    unsigned piece;
    struct eng_looker *looker;   /* made when content has to be verified */
    struct collect_batch *batch; /* owned; NULL while counting */
    char key[OBJ_KEY_MAX];       /* being listed; "": none */
    struct collect_version *v;   /* owned; its versions, newest first */
    size_t n, cap;
    uint64_t work;
    bool late; /* time is up */
};

static bool is_needed(const struct collect *c, const struct eng_look_want *w)
{
    switch (w->kind) {
    case ENG_LOOK_BLOCK:
        return eng_idset_find(&c->blocks, &w->id, NULL) != NULL;
    case ENG_LOOK_PAGE:
        return eng_pagerefs_has(&c->pages, &w->id);
    case ENG_LOOK_MANIFEST: /* expired ones go elsewhere */
    case ENG_LOOK_DESCRIPTOR:
    case ENG_LOOK_SLOT:
        break;
    }
    return true;
}

/* Of a mark of a protected point; *needed: the point is there.  All that are
 * were listed after the mark of this collection, or in this turn. */
static bool is_keep(const struct collect *c, const char *key, bool *needed)
{
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];

    if (!mf_key_parse_keep(key, eng_repo_keyset(c->repo), vm_key, file))
        return false;
    struct mf_key point = mf_key_point(eng_repo_keyset(c->repo), vm_key, file);
    *needed = eng_names_has(&c->roots, point.s);
    return true;
}

/* What the key should hold; false: no name of ours. */
static bool want_of(const struct eng_repo *r, const char *key,
                    struct eng_look_want *w)
{
    struct mf_id id;

    if (mf_key_parse_block(key, eng_repo_keyset(r), &id))
        *w = eng_look_block(r, &id, 0);
    else if (mf_key_parse_page(key, eng_repo_keyset(r), &id))
        *w = eng_look_page(r, &id);
    else if (strcmp(key, MF_DESCRIPTOR_KEY) == 0)
        *w = eng_look_descriptor(); /* only markers are looked for */
    else
        return eng_look_manifest(r, key, w);
    return true;
}

int eng_collect_refuse_marker(const char *key, struct err *e)
{
    err_set(e, ERR_CORRUPT, 0,
            "a delete marker lies on %s, and objvault makes none", key);
    return err_hint(e, "collection stops, nothing that it may need is "
                       "deleted; see repo recover");
}

/* Pieces of other ranges are somebody else's turn, but for their markers. */
static bool is_mine(const struct collect *c, unsigned piece)
{
    return piece >= COLLECT_PAGES
               ? c->first
               : piece >= c->blocks.lo && piece < c->blocks.hi;
}

static void note_junk(const struct sweeper *s)
{
    struct collect *c = s->c;
    const char *key = s->key;

    if (!c->counting || c->told || !is_mine(c, s->piece))
        return;
    pthread_mutex_lock(&c->lock);
    c->res->junk++;
    pthread_mutex_unlock(&c->lock);
    eng_collect_say(c, ENG_COLLECT_JUNK, "%s is no object of a repository",
                    key);
}

/* Where locks decide, a mark is about what was there before it. */
static bool is_older(const struct collect *c, const struct collect_version *v)
{
    return !c->locked || v->modified < c->marked_at - 1;
}

static void count(struct sweeper *s, struct eng_collect_count *of, size_t from)
{
    for (size_t i = from; i < s->n; i++) {
        if (!is_older(s->c, &s->v[i]))
            continue;
        pthread_mutex_lock(&s->c->lock);
        of->objects++;
        of->bytes += s->v[i].size;
        pthread_mutex_unlock(&s->c->lock);
        s->work++;
    }
}

static int delete_from(struct sweeper *s, size_t from, struct err *e)
{
    for (size_t i = from; i < s->n; i++) {
        int r = is_older(s->c, &s->v[i])
                    ? eng_collect_doom(s->batch, s->key, &s->v[i], e)
                    : 0;
        if (r != 0)
            return r;
    }
    return 0;
}

static int delete_surplus(struct sweeper *s, const struct eng_look_want *w,
                          struct err *e)
{
    if (s->looker == NULL)
        s->looker = eng_looker_new(s->c->repo, s->cancel, e);
    if (s->looker == NULL)
        return -1;
    return eng_collect_surplus(s->batch, s->looker, w, s->v, s->n, e);
}

/* Marks have no content and no locks: any version is as good as another. */
static int judge_keep(struct sweeper *s, bool needed, struct err *e)
{
    struct eng_collect_result *res = s->c->res;
    size_t from = needed ? 1 : 0;

    if (!s->c->counting)
        return delete_from(s, from, e);
    count(s, needed ? &res->surplus : &res->garbage, from);
    return 0;
}

/* All versions of a key are known.  1: time is up. */
static int judge(struct sweeper *s, struct err *e)
{
    struct collect *c = s->c;
    struct eng_look_want w;
    bool needed = false;
    bool keep = is_keep(c, s->key, &needed);

    if (!keep && !want_of(c->repo, s->key, &w)) {
        note_junk(s);
        return 0;
    }
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].marker)
            return eng_collect_refuse_marker(s->key, e);
    if (keep)
        return judge_keep(s, needed, e);
    /* Blocks of other ranges were only looked at for their markers. */
    if (w.kind == ENG_LOOK_DESCRIPTOR ||
        (w.kind == ENG_LOOK_BLOCK &&
         (w.id.b[0] < c->blocks.lo || w.id.b[0] >= c->blocks.hi)))
        return 0;
    needed = is_needed(c, &w);
    if (needed && s->n == 1)
        return 0;
    if (c->counting) {
        count(s, needed ? &c->res->surplus : &c->res->garbage, needed ? 1 : 0);
        return 0;
    }
    return needed ? delete_surplus(s, &w, e) : delete_from(s, 0, e);
}

static int finish_key(struct sweeper *s, struct err *e)
{
    int r = 0;

    if (s->n > 0)
        r = !s->c->counting && eng_collect_time_is_up(s->c) ? 1 : judge(s, e);
    s->n = 0;
    s->late |= r == 1;
    return r;
}

static int on_version(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    struct sweeper *s = ctx;

    if (strcmp(key, s->key) != 0) {
        int r = finish_key(s, e);
        if (r != 0)
            return r;
        (void)snprintf(s->key, sizeof(s->key), "%s", key);
    }
    if (s->n == s->cap) {
        size_t cap = s->cap == 0 ? 4 : s->cap * 2;
        struct collect_version *grown = realloc(s->v, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        s->v = grown;
        s->cap = cap;
    }
    struct collect_version *v = &s->v[s->n++];
    *v = (struct collect_version){ .size = info->size,
                                   .modified = info->modified,
                                   .marker = info->delete_marker };
    memcpy(v->id, info->version, sizeof(v->id));
    return 0;
}

static struct mf_key prefix_of(const struct collect *c, unsigned piece)
{
    struct mf_key key = { MF_DESCRIPTOR_KEY };

    if (piece < COLLECT_PAGES)
        return mf_key_blocks_prefix(eng_repo_keyset(c->repo),
                                    c->fine ? (int)piece : -1);
    if (piece < COLLECT_POINTS)
        return mf_key_pages_prefix(eng_repo_keyset(c->repo),
                                   c->fine ? (int)(piece - COLLECT_PAGES) : -1);
    if (piece == COLLECT_POINTS)
        return mf_key_points_prefix(eng_repo_keyset(c->repo), NULL);
    if (piece == COLLECT_KEEPS)
        return mf_key_keeps_prefix(eng_repo_keyset(c->repo), NULL);
    return key;
}

static int do_piece(struct sweeper *s, struct err *e)
{
    struct mf_key prefix = prefix_of(s->c, s->piece);
    struct obj_req req = { .key = prefix.s, .cancel = s->cancel };
    struct obj_list_opts opts = { .versions = s->c->versions };

    if (eng_repo_is_simple(s->c->repo))
        opts.page = FOLDER_PAGE;
    s->key[0] = '\0';
    s->n = 0;
    s->work = 0;
    s->late = false;
    if (obj_list(eng_repo_store(s->c->repo), &req, &opts, on_version, s, e) < 0)
        return -1;
    if (!s->late && finish_key(s, e) < 0)
        return -1;
    if (s->batch != NULL) {
        int r = s->late ? 0 : eng_collect_flush(s->batch, e);
        s->batch->n = 0;
        s->late |= r == 1;
        if (r < 0)
            return -1;
    }
    if (!s->late)
        s->c->work[s->piece] = s->work;
    return 0;
}

/* What was counted is deleted.  Markers must be found before anything is:
 * where there may be some the first range looks at everything. */
static bool is_due(const struct collect *c, unsigned piece)
{
    if (!c->fine && piece < COLLECT_POINTS && piece % COLLECT_PREFIXES != 0)
        return false;
    if (!c->counting)
        return c->work[piece] > 0 && is_mine(c, piece);
    return is_mine(c, piece) || (c->first && c->versions);
}

static int work(void *ctx, struct workers *w, unsigned index, struct err *e)
{
    struct collect *c = ctx;
    struct sweeper s = { .c = c, .cancel = workers_cancel(w) };
    uint64_t i = 0;
    int r = 0;

    (void)index;
    if (!c->counting) {
        s.batch = calloc(1, sizeof(*s.batch));
        if (s.batch == NULL)
            return err_nomem(e);
        s.batch->c = c;
        s.batch->cancel = s.cancel;
    }
    while (r == 0 && workers_claim(w, &i)) {
        s.piece = (unsigned)i;
        if (is_due(c, s.piece) && (c->counting || !eng_collect_time_is_up(c)))
            r = do_piece(&s, e);
    }
    eng_looker_free(s.looker);
    free(s.batch);
    free(s.v);
    return r;
}

int eng_collect_pass(struct collect *c, struct err *e)
{
    if (c->counting)
        memset(c->work, 0, sizeof(c->work));
    return workers_run(ENG_REPO_READERS, COLLECT_PIECES, c->o->cancel, work, c,
                       e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The order of a collection: retention; what is needed; what is not, counted
 * and then deleted, in turns between which runs get in, or, on a locked
 * repository, as long as the mark is good; what lies below gc/.
 */
#include "engine/care/collect.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "engine/care/collect_impl.h"
#include "engine/repo/dirlock.h"
#include "engine/repo/internal.h"
#include "engine/repo/keysets.h"
#include "engine/repo/locked.h"
#include "engine/repo/runlease.h"

#define DAY_S 86400
/* Between two turns runs that wait get in. */
#define PAUSE_MS 1500
/* Marks that ran out one after the other without a deletion. */
#define VAIN_MARKS 5

void eng_collect_say(struct collect *c, enum eng_collect_word word,
                     const char *fmt, ...)
{
    char text[700];
    va_list ap;

    if (c->o->report == NULL)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&c->lock);
    c->o->report(c->o->ctx, word, text);
    pthread_mutex_unlock(&c->lock);
}

/* --- turns --- */

int eng_collect_begin_turn(struct collect *c, struct err *e)
{
    if (c->locked)
        return 0;
    int r = eng_sweep_begin(c->repo, c->o->cancel, c->give_up_ms, &c->turn,
                            &c->res->way, e);
    c->in_turn = r == 0;
    c->res->blocked = r == 1;
    if (r == 0)
        c->sign_before = eng_sweep_sign_before(&c->turn);
    return r;
}

void eng_collect_end_turn(struct collect *c)
{
    if (!c->in_turn)
        return;
    c->in_turn = false;
    if (eng_repo_is_simple(c->repo))
        eng_dirlock_tidy(c->repo->dir);
    eng_sweep_end(&c->turn);
}

static bool any_work(const struct collect *c)
{
    for (unsigned i = 0; i < COLLECT_PIECES; i++)
        if (c->work[i] > 0 &&
            (i >= COLLECT_PAGES || (i >= c->blocks.lo && i < c->blocks.hi)))
            return true;
    return false;
}

/* Deletes in turns; each looks for new points first. */
static int delete_in_turns(struct collect *c, struct err *e)
{
    while (any_work(c)) {
        int r = eng_collect_begin_turn(c, e);
        if (r != 0)
            return r < 0 ? -1 : 0;
        r = eng_collect_catch_up(c, e);
        if (r == 0)
            r = eng_collect_pass(c, e);
        eng_collect_end_turn(c);
        if (r < 0)
            return -1;
        if (any_work(c) && cancel_sleep(c->o->cancel, PAUSE_MS, e) < 0)
            return -1;
    }
    return 0;
}

/* --- marks --- */

/* A mark on a locked repository is good for half of the immutability that every
 * writer holds to, and never longer than a day. */
static int64_t mark_life_s(const struct collect *c)
{
    uint64_t half = eng_repo_descriptor(c->repo)->immutability_s / 2;

    return half < DAY_S ? (int64_t)half : DAY_S;
}

static void note_marks(struct collect *c)
{
    for (size_t i = 0; i < c->marks.n; i++) {
        const struct eng_damaged_id *m = &c->marks.ids[i];
        if (m->kind == ENG_INDEX_PAGE
                ? eng_pagerefs_has(&c->pages, &m->id)
                : eng_idset_find(&c->blocks, &m->id, NULL) != NULL)
            c->mark_live[i] = true;
    }
}

static int mark(struct collect *c, unsigned lo, struct err *e)
{
    c->marked_at = eng_locked_server_now(c->repo);
    if (c->locked)
        c->sign_before = c->marked_at + mark_life_s(c);
    if (eng_collect_roots(c, e) < 0 || eng_collect_mark(c, lo, e) < 0)
        return -1;
    note_marks(c);
    return 0;
}

/* Counts once more what is left to do: a mark has run out. */
static int mark_anew(struct collect *c, unsigned lo, uint64_t *deleted,
                     unsigned *vain, struct err *e)
{
    struct eng_collect_result before = *c->res;

    *vain = c->res->deleted.objects == *deleted ? *vain + 1 : 0;
    *deleted = c->res->deleted.objects;
    if (*vain == VAIN_MARKS)
        return err_set(e, ERR_PRECONDITION, 0,
                       "a mark is good for %" PRId64 " s, and that is too "
                       "short to delete anything by it",
                       mark_life_s(c));
    if (mark(c, lo, e) < 0)
        return -1;
    c->counting = true;
    int r = eng_collect_pass(c, e);
    c->counting = false;
    /* It was counted before. */
    c->res->garbage = before.garbage;
    c->res->surplus = before.surplus;
    return r;
}

static int delete_by_mark(struct collect *c, unsigned lo, struct err *e)
{
    uint64_t deleted = c->res->deleted.objects;
    unsigned vain = 0;

    while (any_work(c)) {
        if (eng_collect_pass(c, e) < 0)
            return -1;
        if (any_work(c) && mark_anew(c, lo, &deleted, &vain, e) < 0)
            return -1;
    }
    return 0;
}

/* There is more to go than is needed: that is listed in parallel. */
static void refine(struct collect *c)
{
    if (c->fine ||
        c->res->garbage.objects + c->res->surplus.objects <= COLLECT_FEW)
        return;
    c->fine = true;
    for (unsigned i = 0; i < COLLECT_POINTS; i++)
        c->work[i] = 1;
}

static int do_range(struct collect *c, unsigned lo, struct err *e)
{
    if (mark(c, lo, e) < 0)
        return -1;
    c->fine |= lo > 0 || c->blocks.hi < 256 || c->blocks.n > COLLECT_FEW;
    c->counting = true;
    int r = eng_collect_pass(c, e);
    c->counting = false;
    refine(c);
    if (c->first)
        c->res->pages += c->pages.n;
    c->told = true;
    c->res->blocks += c->blocks.n;
    if (r < 0 || c->o->dry_run)
        return r;
    return c->locked ? delete_by_mark(c, lo, e) : delete_in_turns(c, e);
}

static int do_ranges(struct collect *c, struct err *e)
{
    unsigned lo = 0;

    while (lo < 256 && !c->res->blocked) {
        c->first = lo == 0;
        c->told = false;
        if (do_range(c, lo, e) < 0)
            return -1;
        lo = c->blocks.hi;
    }
    return 0;
}

/* --- what there is --- */

/* A plain DELETE leaves a marker where versions are kept: whoever may not see
 * whether they are must not send one. */
static int look_at_bucket(struct collect *c, struct err *e)
{
    struct obj_req req = { .key = "", .cancel = c->o->cancel };
    struct obj_bucket b;

    if (eng_repo_is_simple(c->repo))
        return eng_dirlock_probe(c->repo->dir, e);
    if (obj_bucket_info(eng_repo_store(c->repo), &req, &b, e) < 0) {
        err_ctx(e, "whether the bucket keeps versions");
        return e->kind == ERR_DENIED
                   ? err_hint(e, "collection needs the right to read the "
                                 "bucket's versioning (SECURITY.md)")
                   : -1;
    }
    c->versions = b.versioning != OBJ_VERSIONS_NEVER;
    return 0;
}

static int read_marks(struct collect *c, struct err *e)
{
    if (eng_damaged_list(eng_repo_store(c->repo), c->o->cancel, &c->marks, e) <
        0)
        return -1;
    c->mark_live = calloc(c->marks.n + 1, sizeof(*c->mark_live));
    return c->mark_live != NULL ? 0 : err_nomem(e);
}

/* Nothing is begun, and nothing deleted, while somebody is in the way. */
static int look_around(struct collect *c, struct err *e)
{
    if (c->locked || c->o->dry_run)
        return 0;
    int live = 0;
    if (eng_repo_is_simple(c->repo)) {
        live = eng_collect_begin_turn(c, e);
        eng_collect_end_turn(c);
    } else {
        live = eng_sweep_look(c->repo, c->o->cancel, c->give_up_ms,
                              &c->res->way, e);
        c->res->blocked = live == 1;
    }
    return live < 0 ? -1 : 0;
}

static void forget_keyset(struct collect *c)
{
    eng_names_free(&c->expired);
    eng_names_free(&c->roots);
    eng_names_free(&c->bad);
    eng_names_free(&c->parents);
    eng_pagerefs_free(&c->pages);
    eng_pagerefs_free(&c->lost);
    eng_idset_fini(&c->blocks);
    c->points = 0;
    c->fine = c->counted = false;
}

static int collect_one(struct collect *c, struct err *e)
{
    if (eng_collect_expire(c, e) < 0)
        return -1;
    if (!c->res->blocked && do_ranges(c, e) < 0)
        return -1;
    c->res->points += c->points;
    return 0;
}

/* What cannot be read in one keyset stops the collection of that one. */
static int collect_keyset(void *ctx, struct eng_repo *r, struct err *e)
{
    struct collect *c = ctx;

    if (c->res->blocked)
        return 0;
    forget_keyset(c);
    if (collect_one(c, e) == 0)
        return 0;
    if (e->kind != ERR_CORRUPT)
        return -1;
    if (mf_keys_sealed(eng_repo_keys(r)))
        err_ctx(e, "keyset %s", eng_repo_keyset(r));
    if (c->stopped.kind == ERR_NONE)
        c->stopped = *e;
    return 0;
}

static int skip_keyset(void *ctx, const struct eng_keyset *k, struct err *e)
{
    struct collect *c = ctx;

    (void)e;
    c->res->keysets_skipped++;
    eng_collect_say(c, ENG_COLLECT_NOTE,
                    "keyset %s (%s) is skipped: its key is not at hand%s%s",
                    k->name, k->label, k->why[0] != '\0' ? ": " : "", k->why);
    return 0;
}

static int collect(struct collect *c, struct err *e)
{
    if (look_at_bucket(c, e) < 0 || look_around(c, e) < 0)
        return -1;
    if (c->res->blocked)
        return 0;
    if (read_marks(c, e) < 0 ||
        eng_keysets_each(c->repo, c->o->cancel, collect_keyset, skip_keyset, c,
                         e) < 0 ||
        eng_keysets_whole(c->repo, e) < 0)
        return -1;
    if (c->stopped.kind != ERR_NONE) {
        *e = c->stopped;
        return -1;
    }
    return c->o->dry_run || c->res->blocked ? 0 : eng_collect_tidy(c, e);
}

int eng_collect_run(struct eng_repo *r, const struct eng_collect_opts *o,
                    struct eng_collect_result *res, struct err *e)
{
    struct collect *c = calloc(1, sizeof(*c));

    *res = (struct eng_collect_result){ 0 };
    if (c == NULL)
        return err_nomem(e);
    c->repo = r;
    c->o = o;
    c->res = res;
    c->locked = eng_repo_descriptor(r)->locked;
    c->give_up_ms = utc_mono_ms() + o->wait_s * 1000;
    c->turn.fd = -1;
    pthread_mutex_init(&c->lock, NULL);
    int result = collect(c, e);
    if (result == 0 && res->blocked)
        result = eng_runlease_vm(r, o->cancel, res->way.vm, res->way_vm, e);
    eng_collect_end_turn(c);
    pthread_mutex_destroy(&c->lock);
    forget_keyset(c);
    eng_damaged_free(&c->marks);
    free(c->mark_live);
    free(c);
    return result;
}

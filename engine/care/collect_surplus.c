// SPDX-License-Identifier: Apache-2.0
/*
 * Several versions of one object that is needed: all but one of them are
 * surplus, once the content of that one was verified.  Where locks decide it
 * must also be locked for longer than any mark of today is good for, and half
 * an hour: so that of two collectors, each of which keeps another one, none
 * deletes what the other keeps.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/care/collect_impl.h"
#include "engine/repo/locked.h"

#define MARGIN_S 1800

struct candidate {
    const struct collect_version *v;
    int64_t until; /* of its lock; 0: none */
    bool held;     /* the server would not delete it */
};

/* Until when a version must be locked for others to be surplus.  With an
 * immutability that is for tests the margin is, too. */
static int64_t needed(const struct collect *c)
{
    uint64_t i = eng_repo_descriptor(c->repo)->immutability_s;
    int64_t margin =
        i < ENG_IMMUTABILITY_SAFE_S ? (int64_t)(i / 4) : (int64_t)MARGIN_S;

    return c->sign_before + margin + 1;
}

static int ask_lock(struct collect_batch *b, const char *key,
                    struct candidate *k, struct err *e)
{
    struct obj_req req = { .key = key,
                           .version = k->v->id,
                           .cancel = b->cancel };
    struct obj_lock lock = { 0 };

    if (!b->c->locked)
        return 0;
    if (obj_get_lock(eng_repo_store(b->c->repo), &req, &lock, e) < 0)
        return e->kind == ERR_NOTFOUND ? 0 : -1;
    if (lock.mode != OBJ_LOCK_NONE)
        k->until = lock.until;
    k->held = lock.legal_hold || k->until > eng_locked_server_now(b->c->repo);
    return 0;
}

/* Those that are locked longest come first, of equal ones the oldest: as
 * readers and writers choose. */
static int by_lock(const void *pa, const void *pb)
{
    const struct candidate *a = pa;
    const struct candidate *b = pb;

    if (a->until != b->until)
        return a->until > b->until ? -1 : 1;
    return a->v > b->v ? -1 : 1; /* listings are newest first */
}

/* 1: it is locked for long enough, or made so; 0: that cannot be. */
static int hold(struct collect_batch *b, const struct eng_look_want *w,
                struct candidate *k, struct err *e)
{
    struct collect *c = b->c;
    struct obj_req req = { .key = w->key.s,
                           .version = k->v->id,
                           .cancel = b->cancel,
                           .sign_before = c->sign_before };
    struct obj_lock lock = { .mode = OBJ_LOCK_COMPLIANCE, .until = needed(c) };

    if (!c->locked || k->until >= lock.until)
        return 1;
    if (eng_repo_descriptor(c->repo)->mode == MF_LOCK_GOVERNANCE)
        lock.mode = OBJ_LOCK_GOVERNANCE;
    if (obj_set_lock(eng_repo_store(c->repo), &req, &lock, false, e) == 0) {
        k->until = lock.until;
        return 1;
    }
    if (e->kind == ERR_NOTFOUND || e->kind == ERR_LOCKED ||
        e->kind == ERR_DENIED)
        return 0;
    return -1;
}

/* The one that stays: verified, and locked.  NULL: none (*failed: e). */
static const struct candidate *find_keeper(struct collect_batch *b,
                                           struct eng_looker *looker,
                                           const struct eng_look_want *w,
                                           struct candidate *k, size_t n,
                                           bool *failed, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        int r = eng_look_version(looker, w, k[i].v->id, NULL, e);
        if (r == 1)
            r = hold(b, w, &k[i], e);
        if (r == 0)
            continue;
        *failed = r < 0;
        return r < 0 ? NULL : &k[i];
    }
    return NULL;
}

int eng_collect_surplus(struct collect_batch *b, struct eng_looker *looker,
                        const struct eng_look_want *w,
                        const struct collect_version *v, size_t n,
                        struct err *e)
{
    size_t free_ones = 0;
    bool failed = false;
    AUTO_MEM struct candidate *k = calloc(n, sizeof(*k));

    if (k == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++) {
        k[i].v = &v[i];
        if (ask_lock(b, w->key.s, &k[i], e) < 0)
            return -1;
        free_ones += !k[i].held;
    }
    qsort(k, n, sizeof(*k), by_lock);
    /* Who keeps one of them looks again when another one is free. */
    if (free_ones == 0) {
        for (size_t i = 1; i < n; i++)
            eng_collect_left(b->c, b->cancel, w->key.s, k[i].v->id,
                             k[i].v->size);
        return 0;
    }
    const struct candidate *keeper =
        find_keeper(b, looker, w, k, n, &failed, e);
    if (failed)
        return e->kind == ERR_PRECONDITION && eng_collect_time_is_up(b->c) ? 1
                                                                           : -1;
    if (keeper == NULL) {
        eng_collect_say(b->c, ENG_COLLECT_NOTE,
                        "%s: none of its versions can be kept for sure, so "
                        "all stay",
                        w->key.s);
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        int r = &k[i] == keeper ? 0 : eng_collect_doom(b, w->key.s, k[i].v, e);
        if (r != 0)
            return r;
    }
    return 0;
}

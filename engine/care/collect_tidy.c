// SPDX-License-Identifier: Apache-2.0
/*
 * What lies below gc/: ended leases and marks, and those whose time is long
 * over, older versions of what was written again, marks of objects that are no
 * more, what a probe or a benchmark left.  None of it can be needed again, so
 * no turn is needed either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/care/collect_impl.h"
#include "engine/repo/dirlock.h"
#include "engine/repo/keysets.h"
#include "engine/repo/lease.h"
#include "engine/repo/locked.h"
#include "engine/repo/scratch.h"
#include "engine/repo/versions.h"

#define SIGN_S 600
/* A probe or a benchmark is over by then. */
#define SCRATCH_S 86400

struct tidying {
    struct collect *c;
    int64_t now; /* the server's */
    struct eng_leases leases[ENG_LEASE_KINDS];
    struct collect_batch *batch;
    char key[OBJ_KEY_MAX]; /* being listed */
    bool all;              /* all versions of it go, else all but the newest */
};

static void tidying_fini(struct tidying *t)
{
    for (int k = 0; k < ENG_LEASE_KINDS; k++)
        eng_leases_free(&t->leases[k]);
    free(t->batch);
}

/* A lease that the list did not have is gone, or newer. */
static bool lease_is_over(const struct tidying *t, enum eng_lease_kind kind,
                          const char *name)
{
    for (size_t i = 0; i < t->leases[kind].n; i++)
        if (strcmp(t->leases[kind].s[i].l.name, name) == 0)
            return !eng_lease_counts(&t->leases[kind].s[i]);
    return false;
}

/* 1: no version of the object is there, in this keyset; 0; -1. */
static int is_gone_in(struct collect *c, const char *keyset,
                      const struct eng_damaged_id *m, struct err *e)
{
    struct mf_key key = m->kind == ENG_INDEX_PAGE
                            ? mf_key_page(keyset, &m->id)
                            : mf_key_block(keyset, &m->id);
    int there = eng_versions_any(c->repo, c->o->cancel, key.s, true, e);

    return there < 0 ? -1 : !there;
}

/* A mark does not say which keyset it is of. */
static int is_gone(struct collect *c, const struct eng_damaged_id *m,
                   struct err *e)
{
    const struct eng_keysets *all = eng_repo_keysets(c->repo);
    int r = is_gone_in(c, MF_KEYSET_PLAIN, m, e);

    for (size_t i = 0; i < all->n && r == 1; i++)
        r = is_gone_in(c, all->k[i]->name, m, e);
    return r;
}

/* A mark that was cleared, or of an object that nobody needs and that is not
 * there: 1.  What was cleared when the marks were read may stand again. */
static int mark_is_over(struct tidying *t, const char *key,
                        const struct obj_info *newest, struct err *e)
{
    struct collect *c = t->c;
    char its[ENG_DAMAGED_KEY_CHARS];

    for (size_t i = 0; i < c->marks.n; i++) {
        eng_damaged_key(c->marks.ids[i].kind, &c->marks.ids[i].id, its);
        if (strcmp(its, key) != 0)
            continue;
        if (!newest->delete_marker && newest->size > 0)
            return 1;
        /* What a keyset needs that could not be read is not known. */
        if (c->mark_live[i] || c->res->keysets_skipped > 0)
            return 0;
        return is_gone(c, &c->marks.ids[i], e);
    }
    return 0;
}

/* Whether all versions of the key go: 1, 0; 2: it is not ours. */
static int judge(struct tidying *t, const char *key,
                 const struct obj_info *newest, struct err *e)
{
    enum eng_lease_kind kind;
    char name[ENG_LEASE_NAME_CHARS];

    if (strcmp(key, ENG_COUNTER_KEY) == 0)
        return 0;
    if (eng_lease_parse_key(key, &kind, name))
        return lease_is_over(t, kind, name);
    if (strncmp(key, ENG_DAMAGED_PREFIX, strlen(ENG_DAMAGED_PREFIX)) == 0)
        return mark_is_over(t, key, newest, e);
    if (eng_scratch_owns(key))
        return newest->modified + SCRATCH_S < t->now;
    return 2;
}

static int on_object(void *ctx, const char *key, const struct obj_info *info,
                     struct err *e)
{
    struct tidying *t = ctx;
    struct collect_version v = { .size = info->size };

    if (t->c->repo != NULL && eng_repo_is_simple(t->c->repo) &&
        eng_dirlock_owns(key))
        return 0;
    memcpy(v.id, info->version, sizeof(v.id));
    bool newest = strcmp(key, t->key) != 0;
    if (newest) {
        int all = judge(t, key, info, e);
        if (all < 0)
            return -1;
        (void)snprintf(t->key, sizeof(t->key), "%s", key);
        t->all = all == 1;
        if (all == 2) {
            t->c->res->junk++;
            eng_collect_say(t->c, ENG_COLLECT_JUNK,
                            "%s is no object of a repository", key);
        }
    }
    /* We make no delete markers: what one hides here is of no weight. */
    if (newest && !t->all && !info->delete_marker)
        return 0;
    return eng_collect_doom(t->batch, key, &v, e);
}

int eng_collect_tidy(struct collect *c, struct err *e)
{
    AUTO(tidying_fini) struct tidying t = { .c = c };
    struct obj_req req = { .key = "gc/", .cancel = c->o->cancel };
    struct obj_list_opts opts = { .versions = c->versions };

    t.batch = calloc(1, sizeof(*t.batch));
    if (t.batch == NULL)
        return err_nomem(e);
    t.batch->c = c;
    t.batch->cancel = c->o->cancel;
    t.batch->done = &c->res->tidied;
    for (int k = 0; k < ENG_LEASE_KINDS; k++)
        if (eng_leases_list(eng_repo_store(c->repo), c->o->cancel,
                            (enum eng_lease_kind)k, &t.leases[k], e) < 0)
            return -1;
    t.now = eng_locked_server_now(c->repo);
    c->sign_before = t.now + SIGN_S;
    if (obj_list(eng_repo_store(c->repo), &req, &opts, on_object, &t, e) < 0 ||
        eng_collect_flush(t.batch, e) < 0)
        return -1;
    return 0;
}

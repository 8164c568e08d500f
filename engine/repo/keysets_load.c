// SPDX-License-Identifier: Apache-2.0
/*
 * Which keysets there are.  A slot's name says its keyset, generation and id;
 * of a slot the highest generation that can be read is in force, until the
 * keyset is open and says which ones are its own (keyset_proof.c).  Nobody of
 * ours puts a name twice: on buckets that keep versions the oldest one that is
 * a slot counts, whatever was laid over it.
 */
#include "engine/repo/keysets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/repo/folders.h"
#include "engine/repo/internal.h"
#include "engine/repo/keyset_slot.h"

#define PREFIX "keysets/"
/* Whoever may put objects can put any number of names; each one is read. */
#define NAMES_MAX 10000

/* A slot's name, as it was listed. */
struct name {
    struct mf_slot_name n;
    struct mf_key key;
    unsigned versions;
};

struct names {
    struct eng_repo *repo;
    const struct cancel *cancel;
    struct name *p; /* owned */
    size_t n, cap;
    char hidden_by[MF_KEY_CHARS];
};

static void names_free(struct names *l)
{
    free(l->p);
}

/* Names that do not fit are junk of somebody else: ignored. */
static int on_name(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    struct names *l = ctx;
    struct name n = { .versions = 1 };

    if (mf_key_is_slot_folder(key) && l->hidden_by[0] == '\0')
        (void)snprintf(l->hidden_by, sizeof(l->hidden_by), "%s", key);
    if (info->delete_marker || !mf_key_parse_slot(key, &n.n))
        return 0;
    if (l->n > 0 && strcmp(l->p[l->n - 1].key.s, key) == 0) {
        l->p[l->n - 1].versions++;
        return 0;
    }
    if (l->n == NAMES_MAX) {
        err_set(e, ERR_CORRUPT, 0, "there are more than %d slots below " PREFIX,
                NAMES_MAX);
        return err_hint(e,
                        "somebody else put them there: delete those that are "
                        "not the repository's");
    }
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 16 : l->cap * 2;
        struct name *grown = realloc(l->p, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        l->p = grown;
        l->cap = cap;
    }
    (void)snprintf(n.key.s, sizeof(n.key.s), "%s", key);
    l->p[l->n++] = n;
    return 0;
}

/* By keyset and slot, the highest generation first. */
static int by_slot(const void *pa, const void *pb)
{
    const struct mf_slot_name *a = &((const struct name *)pa)->n;
    const struct mf_slot_name *b = &((const struct name *)pb)->n;
    int d = strcmp(a->keyset, b->keyset);

    if (d == 0)
        d = strcmp(a->slot, b->slot);
    if (d != 0 || a->gen == b->gen)
        return d;
    return a->gen > b->gen ? -1 : 1;
}

static int list_names(struct names *l, struct err *e)
{
    struct obj_req req = { .key = PREFIX, .cancel = l->cancel };
    struct obj_list_opts opts = { 0 };

    if (eng_repo_keeps_versions(l->repo, l->cancel, &opts.versions, e) < 0 ||
        obj_list(l->repo->store, &req, &opts, on_name, l, e) < 0 ||
        eng_folders_look(l->repo, l->cancel, PREFIX, l->n, l->hidden_by, e) < 0)
        return err_ctx(e, "list keysets");
    if (l->n > 1)
        qsort(l->p, l->n, sizeof(*l->p), by_slot);
    return 0;
}

/* --- the list --- */

static struct eng_keyset *keyset_of(struct eng_keysets *all, const char *name,
                                    struct err *e)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->k[i]->name, name) == 0)
            return all->k[i];
    if (all->n == all->cap) {
        size_t cap = all->cap == 0 ? 8 : all->cap * 2;
        struct eng_keyset **grown =
            realloc(all->k, cap * sizeof(struct eng_keyset *));
        if (grown == NULL) {
            err_nomem(e);
            return NULL;
        }
        all->k = grown;
        all->cap = cap;
    }
    struct eng_keyset *k = calloc(1, sizeof(*k));
    if (k == NULL) {
        err_nomem(e);
        return NULL;
    }
    (void)snprintf(k->name, sizeof(k->name), "%s", name);
    all->k[all->n++] = k;
    return k;
}

/* One generation of a slot; `first`: no higher one can be read.  The label is
 * taken also where nothing is in force: no other keyset is made by it. */
static int add_slot(struct eng_keyset *k, const struct eng_slot *slot,
                    bool first, struct err *e)
{
    const struct mf_slot *s = &slot->s;

    if (k->label[0] == '\0' ||
        (first && s->type != MF_SLOT_REMOVED && k->n_slots == 0)) {
        (void)snprintf(k->label, sizeof(k->label), "%s", s->label);
        (void)snprintf(k->supersedes, sizeof(k->supersedes), "%s",
                       s->supersedes);
        k->created = s->created;
    }
    return eng_keyset_add_slot(k, slot, first, e);
}

/* One slot's generations, from the i-th name on; *next: behind them. */
static int read_generations(const struct names *l, size_t i, size_t *next,
                            struct eng_keysets *all, struct err *e)
{
    const struct mf_slot_name *of = &l->p[i].n;
    bool first = true;

    struct eng_keyset *k = keyset_of(all, of->keyset, e);
    if (k == NULL)
        return -1;
    for (*next = i; *next < l->n && strcmp(l->p[*next].n.slot, of->slot) == 0 &&
                    strcmp(l->p[*next].n.keyset, of->keyset) == 0;
         ++*next) {
        const struct name *at = &l->p[*next];
        struct eng_slot slot = { .key = at->key };
        int r = eng_slot_read(l->repo, at->key.s, at->versions > 1, l->cancel,
                              &slot.s, e);
        if (r < 0 || (r == 0 && add_slot(k, &slot, first, e) < 0) ||
            (r > 0 && eng_keyset_add_junk(k, &at->key, false, e) < 0))
            return -1;
        first = first && r != 0;
    }
    return 0;
}

static int by_age(const void *pa, const void *pb)
{
    const struct eng_keyset *a = *(const struct eng_keyset *const *)pa;
    const struct eng_keyset *b = *(const struct eng_keyset *const *)pb;

    if (a->created != b->created)
        return a->created < b->created ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Keys that are open stay so, also where no slot is left. */
static int keep_keys(struct eng_keysets *was, struct eng_keysets *now,
                     struct err *e)
{
    for (size_t i = 0; i < was->n; i++) {
        struct eng_keyset *old = was->k[i];
        if (old->keys == NULL)
            continue;
        struct eng_keyset *k = keyset_of(now, old->name, e);
        if (k == NULL)
            return -1;
        (void)snprintf(k->label, sizeof(k->label), "%s", old->label);
        (void)snprintf(k->supersedes, sizeof(k->supersedes), "%s",
                       old->supersedes);
        k->created = old->created;
        k->proven = old->proven;
        k->current = old->current;
        if (k->proven && eng_keyset_prove(k, old->keys, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < was->n; i++)
        for (size_t n = 0; n < now->n; n++)
            if (strcmp(was->k[i]->name, now->k[n]->name) == 0) {
                now->k[n]->keys = was->k[i]->keys;
                now->k[n]->writable = was->k[i]->writable;
                now->k[n]->watch = was->k[i]->watch;
                was->k[i]->watch = NULL;
                was->k[i]->keys = NULL;
            }
    return 0;
}

int eng_keysets_whole(const struct eng_repo *r, struct err *e)
{
    return r->keysets.hidden_by[0] == '\0'
               ? 0
               : eng_folders_error(r->keysets.hidden_by, e);
}

int eng_keysets_load(struct eng_repo *r, const struct cancel *cancel,
                     struct err *e)
{
    AUTO(names_free) struct names l = { .repo = r, .cancel = cancel };
    AUTO(eng_keysets_free) struct eng_keysets now = { 0 };
    size_t next = 0;

    if (list_names(&l, e) < 0)
        return -1;
    for (size_t i = 0; i < l.n; i = next)
        if (read_generations(&l, i, &next, &now, e) < 0)
            return -1;
    if (keep_keys(&r->keysets, &now, e) < 0)
        return -1;
    if (now.n > 1)
        qsort(now.k, now.n, sizeof(struct eng_keyset *), by_age);
    eng_keysets_free(&r->keysets);
    memcpy(now.hidden_by, l.hidden_by, sizeof(now.hidden_by));
    r->keysets = now;
    r->keysets.loaded = true;
    now = (struct eng_keysets){ 0 };
    return 0;
}

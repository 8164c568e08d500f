// SPDX-License-Identifier: Apache-2.0
/*
 * Slots that go.  On a locked repository nothing can be deleted before its
 * time, so a slot first gets a generation without a key, which is in force
 * then; deleting what came before is the second step, as far as it goes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "engine/repo/internal.h"
#include "engine/repo/keyset_open.h"
#include "engine/repo/keyset_slot.h"
#include "engine/repo/locked.h"

/* The objects of a slot's generations before `gen`, as they are listed. */
struct earlier {
    const char *slot;
    uint32_t gen;
    struct mf_key *keys; /* owned */
    size_t n;
};

static void earlier_free(struct earlier *l)
{
    free(l->keys);
}

static int on_name(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    struct earlier *l = ctx;
    struct mf_slot_name n;

    (void)info;
    if (!mf_key_parse_slot(key, &n) || strcmp(n.slot, l->slot) != 0 ||
        n.gen >= l->gen)
        return 0;
    struct mf_key *grown = realloc(l->keys, (l->n + 1) * sizeof(*grown));
    if (grown == NULL)
        return err_nomem(e);
    l->keys = grown;
    (void)snprintf(grown[l->n].s, sizeof(grown[l->n].s), "%s", key);
    l->n++;
    return 0;
}

int eng_slot_forget(struct eng_repo *r, const char *keyset, const char *slot,
                    uint32_t gen, const struct cancel *cancel, bool *stays,
                    struct err *e)
{
    AUTO(earlier_free) struct earlier l = { .slot = slot, .gen = gen };
    char prefix[MF_KEYSET_CHARS + 16];
    struct obj_req req = { .key = prefix, .cancel = cancel };
    struct obj_list_opts opts = { 0 };

    *stays = false;
    (void)snprintf(prefix, sizeof(prefix), "keysets/%s/", keyset);
    if (obj_list(r->store, &req, &opts, on_name, &l, e) < 0)
        return err_ctx(e, "list the slots of keyset %s", keyset);
    for (size_t i = 0; i < l.n; i++) {
        struct err why = { 0 };
        if (eng_object_erase(r, cancel, l.keys[i].s, &why) == 0)
            continue;
        /* Keys that may only add are no reason to fail: it is out of force. */
        if (why.kind != ERR_LOCKED && why.kind != ERR_DENIED) {
            *e = why;
            return err_ctx(e, "delete %s", l.keys[i].s);
        }
        *stays = true;
    }
    return 0;
}

static int put_removed(struct eng_repo *r, const struct eng_keyset *k,
                       const struct eng_slot *of, uint32_t gen,
                       const struct cancel *cancel, struct err *e)
{
    struct mf_slot s = { .gen = gen,
                         .type = MF_SLOT_REMOVED,
                         .created = of->s.created,
                         .made = utc_now() };

    memcpy(s.repo, of->s.repo, sizeof(s.repo));
    memcpy(s.keyset, of->s.keyset, sizeof(s.keyset));
    memcpy(s.label, of->s.label, sizeof(s.label));
    memcpy(s.supersedes, of->s.supersedes, sizeof(s.supersedes));
    memcpy(s.slot, of->s.slot, sizeof(s.slot));
    return eng_slot_store(r, &s, k->keys, 0, cancel, e);
}

/* Slots of a keyset that are in force by now.  The list that is at hand stays:
 * the caller looks at it. */
static int count_now(struct eng_repo *r, const struct eng_keyset *was,
                     const struct cancel *cancel, size_t *n, struct err *e)
{
    struct eng_keysets all = r->keysets;

    *n = 0;
    r->keysets = (struct eng_keysets){ 0 };
    int result = eng_keysets_load(r, cancel, e);
    for (size_t i = 0; result == 0 && i < r->keysets.n; i++) {
        struct eng_keyset *k = r->keysets.k[i];
        if (strcmp(k->name, was->name) != 0)
            continue;
        result = eng_keyset_prove(k, was->keys, e);
        *n = k->n_slots;
    }
    eng_keysets_free(&r->keysets);
    r->keysets = all;
    return result;
}

/* Two hosts that take away the last two slots both put first and then look: at
 * least one of them finds none, and takes back what it did. */
static int check_left(struct eng_repo *r, const struct eng_keyset *k,
                      const struct mf_key *removed, const struct cancel *cancel,
                      struct err *e)
{
    size_t left = 0;

    if (count_now(r, k, cancel, &left, e) < 0)
        return -1;
    if (left > 0)
        return 0;
    if (eng_object_erase(r, cancel, removed->s, e) < 0)
        return err_ctx(e,
                       "keyset %s has lost its last slots at once; %s has to "
                       "be deleted",
                       k->label, removed->s);
    return err_set(e, ERR_USAGE, 0,
                   "it is the last slot of keyset %s now, and stays: the "
                   "other ones were removed meanwhile",
                   k->label);
}

int eng_slot_check_removal(const struct eng_keyset *k, struct err *e)
{
    if (k->keys == NULL)
        return err_set(e, ERR_DENIED, 0, "keyset %s (%s) is not open", k->name,
                       k->label);
    if (eng_keyset_check_change(k, e) < 0)
        return -1;
    return k->n_slots > 1
               ? 0
               : err_set(e, ERR_USAGE, 0,
                         "it is the last slot of keyset %s: without it nobody "
                         "could read the keyset any more",
                         k->label);
}

int eng_slot_remove(struct eng_repo *r, const struct eng_keyset *k,
                    const struct eng_slot *of, const struct cancel *cancel,
                    bool *stays, struct err *e)
{
    uint32_t gen = eng_slot_next(k, of);
    struct mf_key removed = mf_key_slot(k->name, gen, of->s.slot);

    if (eng_slot_check_removal(k, e) < 0 ||
        put_removed(r, k, of, gen, cancel, e) < 0 ||
        check_left(r, k, &removed, cancel, e) < 0)
        return -1;
    return eng_slot_forget(r, k->name, of->s.slot, gen, cancel, stays, e);
}

int eng_slot_clear(struct eng_repo *r, const struct eng_keyset *k,
                   const char *slot, const struct cancel *cancel, bool *stays,
                   struct err *e)
{
    const struct mf_slot *removed = NULL;

    if (eng_keyset_check_change(k, e) < 0)
        return -1;
    for (size_t i = 0; i < k->n_slots; i++)
        if (strcmp(k->slots[i].s.slot, slot) == 0)
            return err_set(e, ERR_NOTFOUND, 0,
                           "slot %.40s of keyset %s is not removed", slot,
                           k->name);
    for (size_t i = 0; i < k->n_earlier; i++) {
        const struct mf_slot *s = &k->earlier[i].s;
        if (s->type == MF_SLOT_REMOVED && strcmp(s->slot, slot) == 0 &&
            (removed == NULL || s->gen > removed->gen))
            removed = s;
    }
    if (removed == NULL)
        return err_set(e, ERR_NOTFOUND, 0, "keyset %s has no slot %.40s",
                       k->name, slot);
    return eng_slot_forget(r, k->name, slot, removed->gen, cancel, stays, e);
}

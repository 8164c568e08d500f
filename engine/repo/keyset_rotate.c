// SPDX-License-Identifier: Apache-2.0
/*
 * New keys in key servers.  For each slot: a key is made, or found where an
 * earlier attempt had made it; the slot's next generation is wrapped by it,
 * put, read back and unwrapped; the old key is retired; what it wrapped is
 * deleted. Wherever this is cut off, the next attempt finds in slots and in the
 * key server what was done, and a second key is never made.
 */
#include "engine/repo/keyset_rotate.h"

#include <stdio.h>
#include <string.h>

#include "engine/repo/internal.h"
#include "engine/repo/keyset_slot.h"
#include "engine/repo/keyset_turn.h"

/* The slot in force, after the list was read anew; NULL: *e. */
static const struct eng_slot *in_force(const struct turning *t,
                                       const char *slot, struct err *e)
{
    const struct eng_keyset *k = eng_keysets_find(t->r, t->keyset);

    for (size_t i = 0; k != NULL && i < k->n_slots; i++)
        if (strcmp(k->slots[i].s.slot, slot) == 0)
            return &k->slots[i];
    err_set(e, ERR_NOTFOUND, 0, "slot %s of keyset %s is gone", slot,
            t->keyset);
    return NULL;
}

/* Another host put this generation first: the key that we made wraps nothing,
 * unless it is the one that the other host uses, too. */
static int step_back(const struct turning *t, const struct eng_kms *server,
                     const char *slot, const char *made, struct err *e)
{
    struct err why = *e;
    struct err ignored = { 0 };

    if (eng_keysets_load(t->r, t->cancel, &ignored) < 0)
        return -1;
    const struct eng_slot *now = in_force(t, slot, &ignored);
    if (now != NULL && strcmp(now->s.kms.key, made) != 0 &&
        server->key_retire(server->client, t->cancel, made, &ignored) < 0)
        err_hint(&why, "key %s of %s was made and is not used: %s", made,
                 server->name, ignored.msg);
    *e = why;
    return err_hint(e, "it seems that another host rotates this keyset");
}

/* *out kept, with its reason, where no key could be made. */
static int give_new_key(const struct turning *t, const struct eng_slot *old,
                        const struct eng_kms *server, struct eng_turned *out,
                        struct err *e)
{
    struct eng_made_key made;
    struct err why = { 0 };
    const struct eng_keyset *k = eng_keysets_find(t->r, t->keyset);

    if (eng_turn_key(t, server, &old->s, ENG_NEXT_KEY, &made, &why) < 0) {
        if (eng_turn_ends(&why)) {
            *e = why;
            return -1;
        }
        eng_turned_why(out, &why);
        return 0;
    }
    if (eng_slot_add(t->r, k, old, t->data_key, &made.way, t->cancel, e) < 0)
        return e->kind == ERR_EXISTS || e->kind == ERR_PRECONDITION
                   ? step_back(t, server, old->s.slot, made.uid, e)
                   : -1;
    out->what = ENG_TURN_ROTATED;
    memcpy(out->key, made.uid, sizeof(out->key));
    return 0;
}

static int turn_slot(const struct turning *t, const struct eng_slot *old,
                     struct eng_turned *out, struct err *e)
{
    struct err why = { 0 };
    bool unfinished = false;
    const struct eng_kms *server = eng_turn_server(t, &old->s, &why);

    if (server == NULL && eng_turn_ends(&why)) {
        *e = why;
        return -1;
    }
    if (server == NULL) {
        eng_turned_why(out, &why);
        return 0;
    }
    (void)snprintf(out->kms, sizeof(out->kms), "%s", server->name);
    if (eng_turn_unfinished(t, old, server, &unfinished, e) < 0)
        return -1;
    if (unfinished) {
        out->what = ENG_TURN_FINISHED;
        memcpy(out->key, old->s.kms.key, sizeof(out->key));
        out->old_key[0] = '\0';
        return 0;
    }
    if (!t->o->dry_run)
        return give_new_key(t, old, server, out, e);
    out->what = ENG_TURN_ROTATED;
    return 0;
}

static const struct eng_kms *server_named(const struct turning *t,
                                          const char *name)
{
    for (size_t i = 0; i < t->o->n_servers; i++)
        if (strcmp(t->o->servers[i]->name, name) == 0)
            return t->o->servers[i];
    return NULL;
}

/* After all slots have their new keys: two of them may have had one key. */
static int retire_old(const struct turning *t, const struct eng_slots *before,
                      struct eng_rotation *out, struct err *e)
{
    if (eng_keysets_load(t->r, t->cancel, e) < 0)
        return -1;
    for (size_t i = 0; i < out->n; i++) {
        struct eng_turned *turned = &out->of[i];
        const struct eng_kms *server = server_named(t, turned->kms);
        if (turned->type != MF_SLOT_KMS || turned->what == ENG_TURN_KEPT ||
            server == NULL)
            continue;
        const struct eng_slot *now = in_force(t, turned->slot, e);
        if (now == NULL ||
            eng_turn_retire(t, now, &before->s[i].s, server, turned, e) < 0)
            return err_hint(e, "the new keys are in force; the old ones are "
                               "retired by the next keyset rotate");
    }
    return 0;
}

static int has_kms(const struct eng_slots *slots, const char *label,
                   struct err *e)
{
    for (size_t i = 0; i < slots->n; i++)
        if (slots->s[i].s.type == MF_SLOT_KMS)
            return 0;
    return err_set(e, ERR_USAGE, 0,
                   "keyset %s has no key of a key server: keyset "
                   "change-password changes a password, and --new-data-key "
                   "makes a new data key",
                   label);
}

/* Where nothing could be done, the first reason is the error. */
static int check_any(const struct eng_rotation *out, struct err *e)
{
    const struct eng_turned *first = NULL;

    for (size_t i = 0; i < out->n; i++) {
        if (out->of[i].what != ENG_TURN_KEPT)
            return 0;
        if (first == NULL && out->of[i].why_kind != ERR_NONE)
            first = &out->of[i];
    }
    if (first == NULL)
        return 0;
    return err_set(e, first->why_kind, 0, "slot %s: %s", first->slot,
                   first->why);
}

static int rotate(const struct turning *t, const struct eng_slots *before,
                  struct eng_rotation *out, struct err *e)
{
    for (size_t i = 0; i < before->n; i++)
        if (before->s[i].s.type == MF_SLOT_KMS &&
            turn_slot(t, &before->s[i], &out->of[i], e) < 0)
            return err_ctx(e, "slot %s", before->s[i].s.slot);
    if (check_any(out, e) < 0)
        return -1;
    return t->o->dry_run ? 0 : retire_old(t, before, out, e);
}

int eng_keyset_rotate(struct eng_repo *r, const char *keyset,
                      const struct eng_rotate_opts *o,
                      const struct cancel *cancel, struct eng_rotation *out,
                      struct err *e)
{
    AUTO_ENG_SLOTS struct eng_slots before = { 0 };
    struct turning t = { .r = r, .o = o, .cancel = cancel };
    const struct eng_keyset *k = eng_keysets_find(r, keyset);

    if (k == NULL)
        return err_set(e, ERR_NOTFOUND, 0, "repository %s has no keyset %s",
                       eng_repo_name(r), keyset);
    (void)snprintf(t.keyset, sizeof(t.keyset), "%s", keyset);
    (void)snprintf(out->keyset, sizeof(out->keyset), "%s", keyset);
    /* Reading is enough: what is written is wrapped by new keys only. */
    AUTO_SECRET struct secret *key =
        eng_keyset_unwrap(r, t.keyset, &o->ways, true, cancel, NULL, e);
    if (key == NULL || eng_keyset_check_change(k, e) < 0 ||
        eng_slots_copy(k, &before, e) < 0 ||
        has_kms(&before, k->label, e) < 0 ||
        eng_rotation_begin(&before, out, e) < 0)
        return -1;
    t.data_key = key;
    return rotate(&t, &before, out, e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Keys that slots were wrapped by before.  The earlier generations of a slot
 * are the list of what is left to do: they are deleted after their keys are
 * retired, and where they cannot be deleted yet, the key server says that it
 * was done.
 *
 * Whoever may write to the storage can put anything under a slot's name, so
 * only generations that are proven count, and a key is retired only if it opens
 * what names it, and that is the keyset's data key.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "engine/repo/internal.h"
#include "engine/repo/keyset_slot.h"
#include "engine/repo/keyset_turn.h"

/* The keyset with a slot in force that a key is needed for; NULL: none.  What
 * is not proven counts too: a key that is retired too early does harm. */
static const struct eng_keyset *needed_by(const struct turning *t,
                                          const struct mf_slot *old)
{
    const struct eng_keysets *all = eng_repo_keysets(t->r);

    for (size_t i = 0; i < all->n; i++)
        for (size_t n = 0; n < all->k[i]->n_slots; n++) {
            const struct mf_slot *s = &all->k[i]->slots[n].s;
            if (s->type == MF_SLOT_KMS &&
                strcmp(s->kms.key, old->kms.key) == 0 &&
                strcmp(s->kms.key_name, old->kms.key_name) == 0)
                return all->k[i];
        }
    return NULL;
}

static bool is_former(const struct mf_slot *old, const struct mf_slot *now)
{
    return old->type == MF_SLOT_KMS && strcmp(old->slot, now->slot) == 0 &&
           strcmp(old->kms.key, now->kms.key) != 0;
}

enum fate {
    FATE_RETIRED, /* it wraps nothing any more */
    FATE_RETIRE,  /* it does, and is ours to retire */
    FATE_STAYS,   /* it does, and must go on: *why */
};

static int judge(const struct turning *t, const struct eng_kms *server,
                 const struct mf_slot *old, enum fate *fate, struct err *why,
                 struct err *e)
{
    bool active = false;
    const struct eng_keyset *needs = needed_by(t, old);

    if (server->key_active(server->client, t->cancel, old->kms.key, &active,
                           e) < 0)
        return -1;
    *fate = active ? FATE_STAYS : FATE_RETIRED;
    if (!active)
        return 0;
    if (needs != NULL) {
        err_set(why, ERR_BUSY, 0, "key %s is needed by keyset %s (%s)",
                old->kms.key, needs->name, needs->label);
        return 0;
    }
    if (eng_turn_opens(t, server, old, why) == 1) {
        *fate = FATE_RETIRE;
        return 0;
    }
    if (eng_turn_ends(why) || why->kind == ERR_UNREACHABLE) {
        *e = *why;
        return -1;
    }
    err_ctx(why, "key %s does not open what names it, and is left alone",
            old->kms.key);
    return 0;
}

int eng_turn_unfinished(const struct turning *t, const struct eng_slot *now,
                        const struct eng_kms *server, bool *unfinished,
                        struct err *e)
{
    const struct eng_keyset *k = eng_keysets_find(t->r, t->keyset);

    *unfinished = false;
    for (size_t i = 0; k != NULL && i < k->n_earlier && !*unfinished; i++) {
        const struct mf_slot *old = &k->earlier[i].s;
        struct err why = { 0 };
        enum fate fate = FATE_STAYS;
        if (is_former(old, &now->s) &&
            judge(t, server, old, &fate, &why, e) < 0)
            return -1;
        *unfinished = fate == FATE_RETIRE;
    }
    return 0;
}

/* One former key.  What keeps it from being retired is no failure. */
static int retire(const struct turning *t, const struct eng_kms *server,
                  const struct mf_slot *old, struct eng_turned *out,
                  struct err *e)
{
    struct err why = { 0 };
    enum fate fate = FATE_STAYS;

    if (judge(t, server, old, &fate, &why, e) < 0)
        return -1;
    if (fate == FATE_RETIRED)
        return 0;
    if (out->old_key[0] == '\0')
        memcpy(out->old_key, old->kms.key, sizeof(out->old_key));
    if (fate == FATE_RETIRE) {
        if (server->key_retire(server->client, t->cancel, old->kms.key, &why) ==
            0) {
            log_info("repo", "key %s of %s is retired", old->kms.key,
                     server->name);
            return 0;
        }
        if (why.kind != ERR_DENIED) {
            *e = why;
            return -1;
        }
        err_ctx(&why, "key %s is not retired", old->kms.key);
    }
    out->retired = false;
    if (out->why_kind == ERR_NONE)
        eng_turned_why(out, &why);
    return 0;
}

int eng_turn_retire(const struct turning *t, const struct eng_slot *now,
                    const struct mf_slot *former, const struct eng_kms *server,
                    struct eng_turned *out, struct err *e)
{
    const struct eng_keyset *k = eng_keysets_find(t->r, t->keyset);

    out->retired = true;
    if (former != NULL && is_former(former, &now->s) &&
        retire(t, server, former, out, e) < 0)
        return -1;
    for (size_t i = 0; k != NULL && i < k->n_earlier; i++)
        if (is_former(&k->earlier[i].s, &now->s) &&
            retire(t, server, &k->earlier[i].s, out, e) < 0)
            return -1;
    /* As long as a key waits to be retired, what names it is kept. */
    if (!out->retired && out->why_kind == ERR_DENIED)
        return 0;
    return eng_slot_forget(t->r, t->keyset, now->s.slot, now->s.gen, t->cancel,
                           &out->stays, e);
}

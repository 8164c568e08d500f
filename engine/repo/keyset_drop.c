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

struct earlier {
    const char *slot;
    uint32_t gen;
    struct eng_slot_keys *out;
};

void eng_slot_keys_free(struct eng_slot_keys *l)
{
    free(l->keys);
    *l = (struct eng_slot_keys){ 0 };
}

static int on_name(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    const struct earlier *l = ctx;
    struct mf_slot_name n;

    (void)info;
    if (!mf_key_parse_slot(key, &n) || strcmp(n.slot, l->slot) != 0 ||
        n.gen >= l->gen)
        return 0;
    struct mf_key *grown =
        realloc(l->out->keys, (l->out->n + 1) * sizeof(*grown));
    if (grown == NULL)
        return err_nomem(e);
    l->out->keys = grown;
    (void)snprintf(grown[l->out->n].s, sizeof(grown[l->out->n].s), "%s", key);
    l->out->n++;
    return 0;
}

int eng_slot_earlier(struct eng_repo *r, const char *keyset, const char *slot,
                     uint32_t gen, const struct cancel *cancel,
                     struct eng_slot_keys *out, struct err *e)
{
    struct earlier l = { .slot = slot, .gen = gen, .out = out };
    char prefix[MF_KEYSET_CHARS + 16];
    struct obj_req req = { .key = prefix, .cancel = cancel };
    struct obj_list_opts opts = { 0 };

    (void)snprintf(prefix, sizeof(prefix), "keysets/%s/", keyset);
    if (obj_list(r->store, &req, &opts, on_name, &l, e) < 0)
        return err_ctx(e, "list the slots of keyset %s", keyset);
    return 0;
}

int eng_slot_forget(struct eng_repo *r, const char *keyset, const char *slot,
                    uint32_t gen, const struct cancel *cancel, bool *stays,
                    struct err *e)
{
    AUTO_ENG_SLOT_KEYS struct eng_slot_keys l = { 0 };

    *stays = false;
    if (eng_slot_earlier(r, keyset, slot, gen, cancel, &l, e) < 0)
        return -1;
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

static int put_removed(struct eng_repo *r, const struct eng_slot *of,
                       const struct cancel *cancel, struct err *e)
{
    struct mf_slot s = { .gen = of->s.gen + 1,
                         .type = MF_SLOT_REMOVED,
                         .created = of->s.created,
                         .made = utc_now() };
    AUTO_BUF struct buf bytes = buf_init(MF_SLOT_JSON_MAX);
    struct obj_put_opts opts = { .if_absent = true,
                                 .content_type = "application/json" };
    uint8_t hash[ENG_LOCK_HASH_BYTES];

    memcpy(s.repo, of->s.repo, sizeof(s.repo));
    memcpy(s.keyset, of->s.keyset, sizeof(s.keyset));
    memcpy(s.label, of->s.label, sizeof(s.label));
    memcpy(s.supersedes, of->s.supersedes, sizeof(s.supersedes));
    memcpy(s.slot, of->s.slot, sizeof(s.slot));
    struct mf_key key = mf_key_slot(s.keyset, s.gen, s.slot);
    struct obj_req req = { .key = key.s, .cancel = cancel };
    if (mf_slot_encode(&s, &bytes, e) < 0 ||
        eng_lock_key_hash(key.s, hash, e) < 0)
        return -1;
    opts.lock =
        eng_locked_lock(r, eng_locked_until(r, eng_locked_now(r)), hash);
    int put = obj_put(r->store, &req, buf_span(&bytes), &opts, NULL, e);
    if (put < 0 && e->kind == ERR_UNSUPPORTED) {
        opts.if_absent = false;
        put = obj_put(r->store, &req, buf_span(&bytes), &opts, NULL, e);
    }
    return put < 0 ? err_ctx(e, "slot %s", key.s) : 0;
}

/* Slots of a keyset that are in force by now.  The list that is at hand stays:
 * the caller looks at it. */
static int count_now(struct eng_repo *r, const char *keyset,
                     const struct cancel *cancel, size_t *n, struct err *e)
{
    struct eng_keysets was = r->keysets;

    *n = 0;
    r->keysets = (struct eng_keysets){ 0 };
    int result = eng_keysets_load(r, cancel, e);
    const struct eng_keyset *k = eng_keysets_find(r, keyset);
    if (k != NULL)
        *n = k->n_slots;
    eng_keysets_free(&r->keysets);
    r->keysets = was;
    return result;
}

/* Two hosts that take away the last two slots both put first and then look: at
 * least one of them finds none, and takes back what it did. */
static int check_left(struct eng_repo *r, const struct eng_keyset *k,
                      const struct eng_slot *of, const struct cancel *cancel,
                      struct err *e)
{
    struct mf_key removed = mf_key_slot(k->name, of->s.gen + 1, of->s.slot);
    size_t left = 0;

    if (count_now(r, k->name, cancel, &left, e) < 0)
        return -1;
    if (left > 0)
        return 0;
    if (eng_object_erase(r, cancel, removed.s, e) < 0)
        return err_ctx(e,
                       "keyset %s has lost its last slots at once; %s has to "
                       "be deleted",
                       k->label, removed.s);
    return err_set(e, ERR_USAGE, 0,
                   "it is the last slot of keyset %s now, and stays: the "
                   "other ones were removed meanwhile",
                   k->label);
}

int eng_slot_remove(struct eng_repo *r, const struct eng_keyset *k,
                    const struct eng_slot *of, const struct cancel *cancel,
                    bool *stays, struct err *e)
{
    if (k->n_slots < 2)
        return err_set(e, ERR_USAGE, 0,
                       "it is the last slot of keyset %s: without it nobody "
                       "could read the keyset any more",
                       k->label);
    if (put_removed(r, of, cancel, e) < 0 ||
        check_left(r, k, of, cancel, e) < 0)
        return -1;
    return eng_slot_forget(r, k->name, of->s.slot, of->s.gen + 1, cancel, stays,
                           e);
}

int eng_slot_clear(struct eng_repo *r, const char *keyset, const char *slot,
                   const struct cancel *cancel, bool *stays, struct err *e)
{
    AUTO_ENG_SLOT_KEYS struct eng_slot_keys l = { 0 };
    struct mf_slot_name newest = { .gen = 0 };
    struct mf_slot_name n;
    const char *key = NULL;
    struct mf_slot s;

    if (eng_slot_earlier(r, keyset, slot, UINT32_MAX, cancel, &l, e) < 0)
        return -1;
    for (size_t i = 0; i < l.n; i++)
        if (mf_key_parse_slot(l.keys[i].s, &n) && n.gen > newest.gen) {
            newest = n;
            key = l.keys[i].s;
        }
    int read = key == NULL ? 1 : eng_slot_read(r, key, false, cancel, &s, e);
    if (read < 0)
        return -1;
    if (read > 0 || s.type != MF_SLOT_REMOVED)
        return err_set(e, ERR_NOTFOUND, 0, "keyset %s has no slot %.40s",
                       keyset, slot);
    return eng_slot_forget(r, keyset, slot, newest.gen, cancel, stays, e);
}

// SPDX-License-Identifier: Apache-2.0
/* From slots to keys. */
#include "engine/repo/keyset_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/repo/internal.h"
#include "engine/repo/keyset_slot.h"
#include "engine/repo/keywatch.h"

/* One slot by one way.  The key print tells a key that the slot was not made
 * for, whatever has wrapped it. */
struct secret *eng_slot_unwrap(const struct eng_key_way *way,
                               const struct mf_slot *s, bool restoring,
                               const struct cancel *cancel, struct err *e)
{
    uint8_t print[WRAP_PRINT_BYTES];
    AUTO_BUF struct buf aad = buf_init(MF_SLOT_JSON_MAX);

    if (mf_slot_aad(s, &aad, e) < 0)
        return NULL;
    AUTO_SECRET struct secret *key =
        way->unwrap(way->ctx, cancel, s, buf_span(&aad), restoring, e);
    if (key == NULL)
        return NULL;
    if (secret_span(key).len != MF_DATA_KEY_BYTES) {
        err_set(e, ERR_CORRUPT, 0, "what it wraps is no data key");
        return NULL;
    }
    if (wrap_print(secret_span(key), s->keyset, print, e) < 0)
        return NULL;
    if (!span_eq(span_of(print, sizeof(print)),
                 span_of(s->key_print, sizeof(s->key_print)))) {
        err_set(e, ERR_CORRUPT, 0, "what it wraps is another key");
        return NULL;
    }
    return STEAL(key);
}

/* Errors after which no other way may be tried. */
static bool is_final(const struct err *e)
{
    return e->kind == ERR_CANCELLED || e->kind == ERR_NOMEM ||
           e->kind == ERR_INTERNAL;
}

static const char *type_name(const struct mf_slot *s)
{
    switch (s->type) {
    case MF_SLOT_PASSWORD:
        return "password";
    case MF_SLOT_RECOVERY:
        return "recovery password";
    case MF_SLOT_KMS:
        return "key server";
    case MF_SLOT_PUBKEY:
        return "private key";
    case MF_SLOT_REMOVED:
        break;
    }
    return "removed";
}

/* What would open the keyset: "password (hint: …), key server main". */
static void say_slots(const struct eng_keyset *k, char *out, size_t cap)
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < k->n_slots && n < cap; i++) {
        const struct mf_slot *s = &k->slots[i].s;
        const char *what =
            s->type == MF_SLOT_KMS ? s->kms.name : s->password.hint;
        n += (size_t)snprintf(
            out + n, cap - n, "%s%s%s%s%s%s", i > 0 ? ", " : "", type_name(s),
            what[0] != '\0' ? " (" : "",
            what[0] != '\0' && s->type != MF_SLOT_KMS ? "hint: " : "", what,
            what[0] != '\0' ? ")" : "");
    }
}

static int refuse(const struct eng_keyset *k, const struct err *why,
                  struct err *e)
{
    char slots[200];

    if (k->n_slots == 0)
        return err_set(e, ERR_DENIED, 0,
                       "keyset %s has no slot that could be read", k->name);
    say_slots(k, slots, sizeof(slots));
    /* A key that is not there is no reason to think that the keyset is not. */
    enum err_kind kind = why->kind == ERR_NOTFOUND ? ERR_DENIED : why->kind;
    if (why->kind == ERR_NONE)
        return err_set(e, ERR_DENIED, 0,
                       "keyset %s (%s) cannot be opened: none of its keys is "
                       "at hand: %s",
                       k->name, k->label, slots);
    /* What the system said is in its text already. */
    return err_set(e, kind, 0,
                   "keyset %s (%s) cannot be opened: %.250s; it has: %s",
                   k->name, k->label, why->msg, slots);
}

/* Which of two failures says more: that a key server was away, or a slot was
 * damaged, rather than that a password was not this slot's. */
static bool says_more(const struct err *a, const struct err *than)
{
    return than->kind == ERR_NONE ||
           (than->kind == ERR_DENIED && a->kind != ERR_DENIED);
}

/* An opening under way. */
struct opening {
    const struct eng_key_ways *ways;
    bool restoring;
    const struct cancel *cancel;
    const struct eng_key_way *way; /* out: what opened, */
    struct eng_slot slot;          /* and which slot */
    struct err first;              /* why none did */
};

/* All slots by all ways of one fit.  NULL: o->first says why; e is filled where
 * nothing more may be tried. */
static struct secret *unwrap_fitting(struct opening *o,
                                     const struct eng_slot *slots, size_t n,
                                     enum eng_fit fit, struct err *e)
{
    for (size_t w = 0; w < o->ways->n; w++)
        for (size_t i = 0; i < n; i++) {
            const struct eng_key_way *way = &o->ways->w[w];
            struct err why = { 0 };
            if (way->unwrap == NULL || way->fits(way->ctx, &slots[i].s) != fit)
                continue;
            struct secret *key = eng_slot_unwrap(way, &slots[i].s, o->restoring,
                                                 o->cancel, &why);
            if (key != NULL) {
                o->way = way;
                o->slot = slots[i];
                return key;
            }
            err_ctx(&why, "%s: slot %s", way->name,
                    strrchr(slots[i].key.s, '/') + 1);
            if (is_final(&why)) {
                *e = why;
                return NULL;
            }
            if (says_more(&why, &o->first))
                o->first = why;
        }
    return NULL;
}

static struct secret *unwrap_slots(struct opening *o,
                                   const struct eng_slot *slots, size_t n,
                                   struct err *e)
{
    struct err final = { 0 };

    for (int fit = ENG_FIT_LIKELY; fit > ENG_FIT_NO; fit--) {
        struct secret *key =
            unwrap_fitting(o, slots, n, (enum eng_fit)fit, &final);
        if (key != NULL || final.kind != ERR_NONE) {
            *e = final;
            return key;
        }
    }
    return NULL;
}

static struct secret *unwrap(const struct eng_keyset *k, struct opening *o,
                             struct err *e)
{
    struct err final = { 0 };
    struct secret *key = unwrap_slots(o, k->slots, k->n_slots, &final);

    if (key == NULL && final.kind == ERR_NONE)
        key = unwrap_slots(o, k->earlier, k->n_earlier, &final);
    if (key == NULL && final.kind != ERR_NONE)
        *e = final;
    else if (key == NULL)
        refuse(k, &o->first, e);
    return key;
}

static struct eng_keyset *find(struct eng_repo *r, const char *name,
                               struct err *e)
{
    for (size_t i = 0; i < r->keysets.n; i++)
        if (strcmp(r->keysets.k[i]->name, name) == 0)
            return r->keysets.k[i];
    err_set(e, ERR_NOTFOUND, 0, "repository %s has no keyset %s", r->name,
            name);
    return NULL;
}

/* The slot that was unwrapped proves what it says of its keyset. */
static void learn_from(struct eng_keyset *k, const struct mf_slot *s)
{
    (void)snprintf(k->label, sizeof(k->label), "%s", s->label);
    (void)snprintf(k->supersedes, sizeof(k->supersedes), "%s", s->supersedes);
    k->created = s->created;
    k->why[0] = '\0';
}

/* Once false slots are known, one below them may be in force, and open. */
static int unwrap_below(const struct eng_keyset *k, struct opening *o,
                        struct err *e)
{
    struct err final = { 0 };
    struct opening again = { .ways = o->ways,
                             .restoring = o->restoring,
                             .cancel = o->cancel };
    AUTO_SECRET struct secret *key =
        unwrap_slots(&again, k->slots, k->n_slots, &final);

    if (final.kind != ERR_NONE) {
        *e = final;
        return -1;
    }
    if (key != NULL)
        *o = again;
    return 0;
}

/* By a generation that was replaced a keyset is read, and not written to; by
 * one that is not proven, neither: it is none. */
static int judge(const struct eng_keyset *k, const struct opening *o,
                 struct err *e)
{
    if (eng_keyset_is_forged(k, o->slot.key.s))
        return err_set(e, ERR_DENIED, 0,
                       "keyset %s (%s) cannot be opened by %s, which was "
                       "changed since it was made",
                       k->name, k->label, o->slot.key.s);
    err_set(e, ERR_DENIED, 0,
            "keyset %s (%s) was opened by %s, which a later generation of the "
            "slot replaces: the password was changed, or the slot removed",
            k->name, k->label, o->slot.key.s);
    if (!o->restoring)
        return -1;
    log_warn("repo", "%s", e->msg);
    *e = (struct err){ 0 };
    return 0;
}

/* The list is proven by the keys that a slot of it gave, unless anybody can
 * have wrapped them. */
static int prove(struct eng_keyset *k, struct opening *o,
                 const struct mf_keys *keys, struct err *e)
{
    size_t index = 0;

    if (o->slot.s.type == MF_SLOT_PUBKEY || k->proven)
        return 0;
    if (eng_keyset_prove(k, keys, e) < 0)
        return -1;
    learn_from(k, &o->slot.s);
    if (eng_keyset_say_forged(k) == 0 ||
        eng_keyset_in_force(k, o->slot.key.s, &index))
        return 0;
    return unwrap_below(k, o, e);
}

/* The data key by a slot; *keys, owned by the caller, are those of the keyset.
 * One that was opened by what anybody can have wrapped may hold a key of
 * somebody else: nothing is written then, whatever opens it afterwards. */
static struct secret *unwrap_proven(const struct eng_repo *r,
                                    struct eng_keyset *k, struct opening *o,
                                    struct mf_keys **keys, struct err *e)
{
    size_t index = 0;
    AUTO_SECRET struct secret *key = unwrap(k, o, e);

    if (key == NULL)
        return NULL;
    *keys = mf_keys_derive(r->descriptor.id, k->name, secret_span(key), e);
    if (*keys == NULL)
        return NULL;
    if (k->keys != NULL && !mf_keys_same(k->keys, *keys)) {
        err_set(e, ERR_CORRUPT, 0,
                "keyset %s (%s) has slots that hold another key", k->name,
                k->label);
        return NULL;
    }
    if (prove(k, o, *keys, e) < 0)
        return NULL;
    bool in_force = eng_keyset_in_force(k, o->slot.key.s, &index);
    if (!in_force && judge(k, o, e) < 0)
        return NULL;
    k->current |= k->proven && in_force;
    return STEAL(key);
}

struct secret *eng_keyset_unwrap(struct eng_repo *r, const char *keyset,
                                 const struct eng_key_ways *ways,
                                 bool restoring, const struct cancel *cancel,
                                 size_t *slot, struct err *e)
{
    struct eng_keyset *k = find(r, keyset, e);
    AUTO_MF_KEYS struct mf_keys *keys = NULL;
    struct opening o = { .ways = ways,
                         .restoring = restoring,
                         .cancel = cancel };

    if (k == NULL)
        return NULL;
    struct secret *key = unwrap_proven(r, k, &o, &keys, e);
    if (key != NULL && slot != NULL)
        (void)eng_keyset_in_force(k, o.slot.key.s, slot);
    return key;
}

int eng_keyset_open(struct eng_repo *r, const char *keyset,
                    const struct eng_key_ways *ways, bool restoring,
                    const struct cancel *cancel, struct err *e)
{
    struct opening o = { .ways = ways,
                         .restoring = restoring,
                         .cancel = cancel };
    AUTO_MF_KEYS struct mf_keys *keys = NULL;
    struct eng_keyset *k = find(r, keyset, e);

    if (k == NULL)
        return -1;
    if (k->keys != NULL && (restoring || k->writable))
        return 0;
    AUTO_SECRET struct secret *key = unwrap_proven(r, k, &o, &keys, e);
    if (key == NULL ||
        (!restoring && eng_keywatch_new(o.way, &o.slot.s, &k->watch, e) < 0)) {
        (void)snprintf(k->why, sizeof(k->why), "%.299s", e->msg);
        k->why_kind = e->kind;
        return -1;
    }
    if (k->keys == NULL)
        k->keys = STEAL(keys);
    k->writable = !restoring;
    learn_from(k, &o.slot.s);
    return 0;
}

int eng_keysets_open(struct eng_repo *r, const struct eng_key_ways *ways,
                     const struct cancel *cancel, size_t *closed, struct err *e)
{
    *closed = 0;
    if (!r->keysets.loaded && eng_keysets_load(r, cancel, e) < 0)
        return -1;
    for (size_t i = 0; i < r->keysets.n; i++) {
        struct err why = { 0 };
        if (eng_keyset_open(r, r->keysets.k[i]->name, ways, true, cancel,
                            &why) == 0)
            continue;
        if (is_final(&why)) {
            *e = why;
            return -1;
        }
        ++*closed;
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Slots and their key servers, and the names of keys that are made for them. */
#include "engine/repo/keyset_turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "engine/repo/internal.h"
#include "engine/repo/keyset_slot.h"

/* Names that were taken by keys which may not be used any more. */
#define NAMES_MAX 8

int eng_slots_copy(const struct eng_keyset *k, struct eng_slots *out,
                   struct err *e)
{
    out->s = calloc(k->n_slots + 1, sizeof(*out->s));
    if (out->s == NULL)
        return err_nomem(e);
    if (k->n_slots > 0)
        memcpy(out->s, k->slots, k->n_slots * sizeof(*out->s));
    out->n = k->n_slots;
    return 0;
}

void eng_slots_free(struct eng_slots *s)
{
    free(s->s);
    *s = (struct eng_slots){ 0 };
}

void eng_rotation_free(struct eng_rotation *x)
{
    free(x->of);
    *x = (struct eng_rotation){ 0 };
}

int eng_rotation_begin(const struct eng_slots *slots, struct eng_rotation *out,
                       struct err *e)
{
    out->of = calloc(slots->n + 1, sizeof(*out->of));
    if (out->of == NULL)
        return err_nomem(e);
    out->n = slots->n;
    for (size_t i = 0; i < slots->n; i++) {
        struct eng_turned *t = &out->of[i];
        const struct mf_slot *s = &slots->s[i].s;
        *t = (struct eng_turned){ .type = s->type, .what = ENG_TURN_KEPT };
        memcpy(t->slot, s->slot, sizeof(t->slot));
        if (s->type != MF_SLOT_KMS)
            continue;
        memcpy(t->kms, s->kms.name, sizeof(t->kms));
        memcpy(t->old_key, s->kms.key, sizeof(t->old_key));
    }
    return 0;
}

void eng_turned_why(struct eng_turned *t, const struct err *why)
{
    (void)snprintf(t->why, sizeof(t->why), "%.299s", why->msg);
    t->why_kind = why->kind;
}

bool eng_turn_ends(const struct err *e)
{
    return e->kind == ERR_CANCELLED || e->kind == ERR_NOMEM ||
           e->kind == ERR_INTERNAL;
}

/* --- which server --- */

int eng_turn_opens(const struct turning *t, const struct eng_kms *server,
                   const struct mf_slot *s, struct err *why)
{
    struct eng_kms copy = *server;
    struct eng_key_way way = eng_way_kms(&copy);
    AUTO_SECRET struct secret *key =
        eng_slot_unwrap(&way, s, true, t->cancel, why);

    if (key == NULL)
        return -1;
    if (span_eq(secret_span(key), secret_span(t->data_key)))
        return 1;
    err_set(why, ERR_CORRUPT, 0, "it holds another key than the keyset's");
    return 0;
}

static bool opens(const struct turning *t, const struct eng_kms *server,
                  const struct mf_slot *s, struct err *why)
{
    int is = eng_turn_opens(t, server, s, why);

    if (is < 0)
        err_ctx(why, "key server %s", server->name);
    return is == 1;
}

const struct eng_kms *eng_turn_server(const struct turning *t,
                                      const struct mf_slot *s, struct err *why)
{
    const struct eng_kms *named = NULL;

    for (size_t i = 0; i < t->o->n_servers; i++)
        if (strcmp(t->o->servers[i]->name, s->kms.name) == 0)
            named = t->o->servers[i];
    if (named != NULL && opens(t, named, s, why))
        return named;
    for (size_t i = 0; i < t->o->n_servers; i++) {
        struct err ignored = { 0 };
        if (t->o->servers[i] == named || eng_turn_ends(why))
            continue;
        if (opens(t, t->o->servers[i], s, &ignored))
            return t->o->servers[i];
        if (eng_turn_ends(&ignored))
            *why = ignored;
    }
    if (named == NULL && !eng_turn_ends(why))
        err_set(why, ERR_NOTFOUND, 0,
                "no key server that is configured here has key %s of %s",
                s->kms.key, s->kms.name);
    if (named == NULL || eng_turn_ends(why) || why->kind == ERR_UNREACHABLE)
        return NULL;
    return named;
}

/* --- a new key --- */

/* Only who has the data key knows the name before the key is there, so that a
 * key of this name is one that was made for this. */
static int name_key(const struct turning *t, const struct mf_slot *s,
                    enum eng_new_key what, unsigned attempt,
                    char name[MF_SLOT_TEXT_CHARS], struct err *e)
{
    AUTO_BUF struct buf text = buf_init(4096);
    uint8_t mac[DIGEST_SHA256_BYTES];
    char hex[2 * DIGEST_SHA256_BYTES + 1];

    buf_printf(&text, "objvault-1 %s %s %u %s %s",
               what == ENG_NEXT_KEY ? "next-key" : "next-keyset-key", t->keyset,
               attempt, s->kms.key_name, s->kms.key);
    if (buf_check(&text, e) < 0 ||
        digest_hmac_sha256(secret_span(t->data_key), buf_span(&text), mac, e) <
            0)
        return -1;
    digest_hex(span_of(mac, sizeof(mac)), hex);
    (void)snprintf(name, MF_SLOT_TEXT_CHARS, "objvault-%s-%.16s",
                   t->r->descriptor.id, hex);
    return 0;
}

int eng_turn_key(const struct turning *t, const struct eng_kms *server,
                 const struct mf_slot *s, enum eng_new_key what,
                 struct eng_made_key *made, struct err *e)
{
    int r = -1;

    if (server->key_take == NULL || server->key_active == NULL ||
        server->key_retire == NULL)
        return err_set(e, ERR_INTERNAL, 0, "%s makes no keys", server->name);
    for (unsigned n = 0; n < NAMES_MAX; n++) {
        *e = (struct err){ 0 };
        if (name_key(t, s, what, n, made->name, e) < 0)
            return -1;
        r = server->key_take(server->client, t->cancel, made->name, made->uid,
                             e);
        if (r == 0 || e->kind != ERR_EXISTS)
            break;
    }
    if (r < 0)
        return err_ctx(e, "make a key at %s", server->name);
    made->with = *server;
    made->with.key = made->uid;
    made->with.key_name = made->name;
    made->way = eng_way_kms(&made->with);
    return 0;
}

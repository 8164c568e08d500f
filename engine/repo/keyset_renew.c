// SPDX-License-Identifier: Apache-2.0
/*
 * A new data key: a keyset that takes the place of another one.  Its slots are
 * made one after the other, and from the first on it is the one of its label;
 * if that is cut off it lacks some, and has no data yet, which is how the next
 * attempt knows it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/repo/internal.h"
#include "engine/repo/keyset_slot.h"
#include "engine/repo/keyset_turn.h"

/* A slot that the new keyset is going to have. */
struct wanted {
    enum mf_slot_type type;
    const char *kms;          /* of MF_SLOT_KMS: the server's name */
    struct eng_made_key made; /* of MF_SLOT_KMS, once it is there */
    const struct eng_kms *server;
    const struct mf_slot *old; /* what it is like; NULL: none */
    struct eng_password by;    /* of the others */
    bool once;                 /* made by this attempt alone: never there */
    struct eng_key_way way;
    struct eng_turned *turned; /* of the old slot, or NULL */
};

struct wishes {
    struct wanted *w; /* owned */
    size_t n;
};

static void wishes_free(struct wishes *l)
{
    free(l->w);
}

/* --- which slots --- */

/* One slot for each key server of the old keyset that is at hand. */
static int wish_kms(const struct turning *t, const struct eng_slots *before,
                    struct eng_rotation *out, struct wishes *l, struct err *e)
{
    for (size_t i = 0; i < before->n; i++) {
        const struct mf_slot *s = &before->s[i].s;
        struct err why = { 0 };
        if (s->type != MF_SLOT_KMS)
            continue;
        const struct eng_kms *server = eng_turn_server(t, s, &why);
        if (server == NULL && eng_turn_ends(&why)) {
            *e = why;
            return -1;
        }
        if (server == NULL) {
            eng_turned_why(&out->of[i], &why);
            continue;
        }
        (void)snprintf(out->of[i].kms, sizeof(out->of[i].kms), "%s",
                       server->name);
        l->w[l->n++] = (struct wanted){ .type = MF_SLOT_KMS,
                                        .kms = server->name,
                                        .server = server,
                                        .old = s,
                                        .turned = &out->of[i] };
    }
    return 0;
}

static struct wanted *wish_secret(struct wishes *l,
                                  const struct secret *password, bool recovery)
{
    struct wanted *w = &l->w[l->n++];

    w->type = recovery ? MF_SLOT_RECOVERY : MF_SLOT_PASSWORD;
    w->by = (struct eng_password){ .password = password, .recovery = recovery };
    w->way = eng_way_password(&w->by);
    return w;
}

/* The slot that the password at hand opens is the one that is carried over. */
static int wish_password(const struct turning *t,
                         const struct eng_slots *before,
                         struct eng_rotation *out, struct wishes *l,
                         struct err *e)
{
    struct eng_password by = { .password = t->o->password };
    const struct eng_key_way way = eng_way_password(&by);
    const struct eng_key_ways one = { &way, 1 };
    struct err why = { 0 };
    size_t at = 0;

    if (t->o->password == NULL)
        return 0;
    struct wanted *w = wish_secret(l, t->o->password, false);
    AUTO_SECRET struct secret *key =
        eng_keyset_unwrap(t->r, t->keyset, &one, true, t->cancel, &at, &why);
    if (key == NULL && eng_turn_ends(&why)) {
        *e = why;
        return -1;
    }
    if (key == NULL)
        return 0;
    w->turned = &out->of[at];
    w->type = before->s[at].s.type;
    w->by.recovery = w->type == MF_SLOT_RECOVERY;
    if (before->s[at].s.password.hint[0] != '\0')
        w->by.hint = before->s[at].s.password.hint;
    return 0;
}

static int wish(const struct turning *t, const struct eng_slots *before,
                struct eng_rotation *out, struct wishes *l, struct err *e)
{
    l->w = calloc(before->n + 2, sizeof(*l->w));
    if (l->w == NULL)
        return err_nomem(e);
    /* Key servers come first: what opens by itself, in the next attempt too, is
     * there before anything else is. */
    if (wish_kms(t, before, out, l, e) < 0 ||
        wish_password(t, before, out, l, e) < 0)
        return -1;
    if (t->o->recovery != NULL)
        wish_secret(l, t->o->recovery, true)->once = true;
    return l->n > 0 ? 0
                    : err_set(e, ERR_USAGE, 0,
                              "nothing that opens the keyset can open another: "
                              "give a password, or the key server");
}

/* --- an earlier attempt --- */

static bool has(const struct eng_keyset *k, const struct wanted *w)
{
    if (w->once)
        return false;
    for (size_t i = 0; i < k->n_slots; i++)
        if (k->slots[i].s.type == w->type &&
            (w->kms == NULL || strcmp(k->slots[i].s.kms.name, w->kms) == 0))
            return true;
    return false;
}

static bool lacks_any(const struct eng_keyset *k, const struct wishes *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (!l->w[i].once && !has(k, &l->w[i]))
            return true;
    return false;
}

static int on_any(void *ctx, const char *key, const struct obj_info *info,
                  struct err *e)
{
    (void)key;
    (void)info;
    (void)e;
    *(bool *)ctx = true;
    return 1;
}

static int has_data(const struct turning *t, const char *keyset, bool *any,
                    struct err *e)
{
    char prefix[MF_KEYSET_CHARS + 1];
    struct obj_req req = { .key = prefix, .cancel = t->cancel };
    struct obj_list_opts opts = { 0 };

    *any = false;
    (void)snprintf(prefix, sizeof(prefix), "%s/", keyset);
    return obj_list(t->r->store, &req, &opts, on_any, any, e) < 0 ? -1 : 0;
}

/* --- making it --- */

/* Keys come first: a keyset that no key could be made for is none. */
static int make_keys(const struct turning *t, struct wishes *l,
                     const struct eng_keyset *there, struct err *e)
{
    for (size_t i = 0; i < l->n; i++) {
        struct wanted *w = &l->w[i];
        if (w->server == NULL || (there != NULL && has(there, w)))
            continue;
        if (eng_turn_key(t, w->server, w->old, ENG_KEY_OF_NEXT_KEYSET, &w->made,
                         e) < 0)
            return -1;
        w->way = w->made.way;
    }
    return 0;
}

static void say_carried(const struct wishes *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct eng_turned *t = l->w[i].turned;
        if (t == NULL)
            continue;
        t->what = ENG_TURN_ROTATED;
        if (l->w[i].server != NULL)
            memcpy(t->key, l->w[i].made.uid, sizeof(t->key));
    }
}

static int make(const struct turning *t, const char *label, struct wishes *l,
                char name[MF_KEYSET_CHARS], struct err *e)
{
    struct eng_key_way *ways = calloc(l->n + 1, sizeof(*ways));

    if (ways == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < l->n; i++)
        ways[i] = l->w[i].way;
    const struct eng_key_ways all = { ways, l->n };
    int r = eng_keyset_make(t->r, label, t->keyset, &all, t->cancel, name, e);
    free(ways);
    return r;
}

static int complete(const struct turning *t, const char *keyset,
                    struct wishes *l, struct err *e)
{
    const struct eng_keyset *k = eng_keysets_find(t->r, keyset);

    if (eng_keyset_open(t->r, keyset, &t->o->ways, false, t->cancel, e) < 0)
        return -1;
    AUTO_SECRET struct secret *key =
        eng_keyset_unwrap(t->r, keyset, &t->o->ways, false, t->cancel, NULL, e);
    if (key == NULL)
        return -1;
    for (size_t i = 0; i < l->n; i++)
        if (!has(k, &l->w[i]) &&
            eng_slot_add(t->r, k, NULL, key, &l->w[i].way, t->cancel, e) < 0)
            return -1;
    return 0;
}

/* The data key of the keyset that is replaced, and what the new one is to have;
 * t->data_key is borrowed from *key. */
static int look(struct turning *t, const char *keyset, struct secret **key,
                struct eng_slots *before, struct eng_rotation *out,
                struct wishes *l, struct err *e)
{
    const struct eng_keyset *k = eng_keysets_find(t->r, keyset);

    if (k == NULL)
        return err_set(e, ERR_NOTFOUND, 0, "repository %s has no keyset %s",
                       eng_repo_name(t->r), keyset);
    (void)snprintf(t->keyset, sizeof(t->keyset), "%s", keyset);
    *key =
        eng_keyset_unwrap(t->r, keyset, &t->o->ways, true, t->cancel, NULL, e);
    if (*key == NULL || eng_keyset_check_change(k, e) < 0)
        return -1;
    t->data_key = *key;
    if (eng_slots_copy(k, before, e) < 0 ||
        eng_rotation_begin(before, out, e) < 0)
        return -1;
    return wish(t, before, out, l, e);
}

/* Goes on with an attempt that was cut off: 1; 0: there is none; -1. */
static int go_on(struct turning *t, const char *keyset,
                 struct eng_rotation *out, struct err *e)
{
    AUTO_SECRET struct secret *key = NULL;
    AUTO_ENG_SLOTS struct eng_slots before = { 0 };
    AUTO(wishes_free) struct wishes l = { 0 };
    AUTO(eng_rotation_free) struct eng_rotation was = { 0 };
    struct err ignored = { 0 };
    bool any = false;
    const struct eng_keyset *k = eng_keysets_find(t->r, keyset);

    if (k == NULL || k->supersedes[0] == '\0' ||
        eng_keysets_find(t->r, k->supersedes) == NULL)
        return 0;
    if (has_data(t, keyset, &any, e) < 0)
        return -1;
    if (any)
        return 0;
    /* What opens the new one may not open the old one any more. */
    if (look(t, k->supersedes, &key, &before, &was, &l, &ignored) < 0) {
        *e = ignored;
        return eng_turn_ends(&ignored) ? -1 : 0;
    }
    if (!lacks_any(k, &l))
        return 0;
    if (!t->o->dry_run &&
        (make_keys(t, &l, k, e) < 0 || complete(t, keyset, &l, e) < 0))
        return -1;
    say_carried(&l);
    *out = was;
    was = (struct eng_rotation){ 0 };
    (void)snprintf(out->keyset, sizeof(out->keyset), "%s", keyset);
    return 1;
}

int eng_keyset_renew(struct eng_repo *r, const char *keyset,
                     const struct eng_rotate_opts *o,
                     const struct cancel *cancel, struct eng_rotation *out,
                     struct err *e)
{
    struct turning t = { .r = r, .o = o, .cancel = cancel };
    AUTO_SECRET struct secret *key = NULL;
    AUTO_ENG_SLOTS struct eng_slots before = { 0 };
    AUTO(wishes_free) struct wishes l = { 0 };
    char label[MF_SLOT_TEXT_CHARS];
    int done = go_on(&t, keyset, out, e);

    if (done != 0)
        return done < 0 ? -1 : 0;
    *e = (struct err){ 0 };
    if (look(&t, keyset, &key, &before, out, &l, e) < 0)
        return -1;
    const struct eng_keyset *k = eng_keysets_find(r, keyset);
    const struct eng_keyset *newest = eng_keysets_of_label(r, k->label);
    if (newest != NULL && newest != k)
        return err_set(e, ERR_USAGE, 0, "keyset %s was superseded by %s",
                       keyset, newest->name);
    (void)snprintf(label, sizeof(label), "%s", k->label);
    if (!o->dry_run && (make_keys(&t, &l, NULL, e) < 0 ||
                        make(&t, label, &l, out->keyset, e) < 0))
        return -1;
    say_carried(&l);
    return o->dry_run ? 0 : eng_keysets_load(r, cancel, e);
}

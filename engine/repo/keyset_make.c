// SPDX-License-Identifier: Apache-2.0
/*
 * The keyset that a run writes to.  It is made where there is none of the
 * label, and only there: one that cannot be opened is refused.  Two hosts that
 * make one at once both put theirs and then look: the older one stands (of the
 * same second that of the smaller name), and the other is left alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/utc.h"
#include "engine/repo/internal.h"
#include "engine/repo/keyset_slot.h"
#include "engine/repo/keywatch.h"
#include "engine/repo/point_store.h"

/* --- which one --- */

/* Whether it is of a label, and replaces that keyset ("": none).  Until it is
 * open any slot may be the one that is real, so one that was planted hides
 * nothing; and what it claims comes out when the keyset is opened. */
static bool is_said(const struct eng_keyset *k, const char *label,
                    const char *supersedes)
{
    bool said = false;

    if (k->proven)
        return strcmp(k->label, label) == 0 &&
               strcmp(k->supersedes, supersedes) == 0;
    for (size_t i = 0; i < k->n_slots + k->n_earlier && !said; i++) {
        const struct mf_slot *s =
            i < k->n_slots ? &k->slots[i].s : &k->earlier[i - k->n_slots].s;
        said = strcmp(s->label, label) == 0 &&
               strcmp(s->supersedes, supersedes) == 0;
    }
    return said;
}

/* The list is by age, so the first that fits is the one that stands. */
static const struct eng_keyset *first_of(const struct eng_keysets *all,
                                         const char *label,
                                         const char *supersedes)
{
    for (size_t i = 0; i < all->n; i++)
        if (is_said(all->k[i], label, supersedes))
            return all->k[i];
    return NULL;
}

const struct eng_keyset *eng_keysets_of_label(const struct eng_repo *r,
                                              const char *label)
{
    const struct eng_keyset *k = first_of(&r->keysets, label, "");
    const struct eng_keyset *next = k;

    /* Slots are not proven yet: a ring of them must not hold us. */
    for (size_t n = 0; next != NULL && n < r->keysets.n; n++) {
        k = next;
        next = first_of(&r->keysets, label, k->name);
    }
    return k;
}

/* --- making one --- */

static int fill_slot(const struct eng_repo *r, const char *keyset,
                     const char *label, int64_t created, const char *supersedes,
                     struct mf_slot *s, struct err *e)
{
    (void)snprintf(s->repo, sizeof(s->repo), "%s", r->descriptor.id);
    (void)snprintf(s->keyset, sizeof(s->keyset), "%s", keyset);
    (void)snprintf(s->label, sizeof(s->label), "%s", label);
    (void)snprintf(s->supersedes, sizeof(s->supersedes), "%s",
                   supersedes != NULL ? supersedes : "");
    s->created = created;
    s->made = utc_now();
    return eng_keyset_random_id(s->slot, e);
}

int eng_keyset_check_label(const char *label, struct err *e)
{
    if (mf_slot_label_ok(label))
        return 0;
    return err_set(e, ERR_USAGE, 0, "\"%.80s\" cannot be a keyset's label",
                   label);
}

struct made {
    char name[MF_KEYSET_CHARS];
    int64_t created;
    struct secret *data_key; /* owned */
};

/* Stretching a password takes a while: it does not lie on a stack meanwhile. */
static struct secret *new_data_key(struct err *e)
{
    uint8_t raw[MF_DATA_KEY_BYTES];
    struct secret *key = NULL;

    if (digest_random(raw, sizeof(raw), e) == 0)
        key = secret_new(span_of(raw, sizeof(raw)), e);
    secret_wipe(raw, sizeof(raw));
    return key;
}

static int put_slots(struct eng_repo *r, const char *label,
                     const char *supersedes, const struct eng_key_ways *slots,
                     const struct cancel *cancel, struct made *m, struct err *e)
{
    char id[ENG_KEYSET_ID_CHARS];

    m->created = utc_now();
    if (eng_keyset_check_label(label, e) < 0 || eng_keysets_whole(r, e) < 0 ||
        eng_keyset_random_id(id, e) < 0)
        return -1;
    m->data_key = new_data_key(e);
    if (m->data_key == NULL)
        return -1;
    (void)snprintf(m->name, sizeof(m->name), "k-%s", id);
    for (size_t i = 0; i < slots->n; i++) {
        struct mf_slot s = { .gen = 1 };
        if (fill_slot(r, m->name, label, m->created, supersedes, &s, e) < 0 ||
            eng_slot_put(r, &s, secret_span(m->data_key), &slots->w[i], 0,
                         cancel, e) < 0)
            return -1;
    }
    return 0;
}

static int make(struct eng_repo *r, const char *label, const char *supersedes,
                const struct eng_key_ways *slots, const struct cancel *cancel,
                struct made *m, struct err *e)
{
    bool opens = false;

    /* Public keys alone would make what this host cannot read back. */
    for (size_t i = 0; i < slots->n; i++)
        opens |= slots->w[i].unwrap != NULL;
    if (!opens)
        return err_set(e, ERR_USAGE, 0,
                       "a keyset needs a slot that this host can open");
    return put_slots(r, label, supersedes, slots, cancel, m, e) < 0
               ? err_ctx(e, "make keyset %s", label)
               : 0;
}

int eng_keyset_make(struct eng_repo *r, const char *label,
                    const char *supersedes, const struct eng_key_ways *slots,
                    const struct cancel *cancel, char name[MF_KEYSET_CHARS],
                    struct err *e)
{
    struct made m = { 0 };

    int result = make(r, label, supersedes, slots, cancel, &m, e);
    secret_free(m.data_key);
    memcpy(name, m.name, sizeof(m.name));
    return result;
}

/* --- one more slot --- */

/* All slots of a keyset hold one key. */
static int check_key(const struct eng_keyset *k, const struct secret *data_key,
                     struct err *e)
{
    uint8_t print[WRAP_PRINT_BYTES];

    if (wrap_print(secret_span(data_key), k->name, print, e) < 0)
        return -1;
    for (size_t i = 0; i < k->n_slots; i++)
        if (memcmp(print, k->slots[i].s.key_print, sizeof(print)) != 0)
            return err_set(e, ERR_CORRUPT, 0,
                           "%s says that it holds another key than the one at "
                           "hand",
                           k->slots[i].key.s);
    return 0;
}

/* The latest lock date of the keyset's points; 0: none. */
static int latest_lock(struct eng_repo *r, const struct cancel *cancel,
                       int64_t *until, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points ps = { 0 };

    *until = 0;
    if (!r->descriptor.locked)
        return 0;
    if (eng_points_list(r, cancel, NULL, &ps, e) < 0)
        return -1;
    for (size_t i = 0; i < ps.n; i++) {
        if (ps.p[i].manifest == NULL)
            return err_set(e, ERR_CORRUPT, 0,
                           "until when the keyset's points are locked is not "
                           "known: %s",
                           ps.p[i].why != NULL ? ps.p[i].why : ps.p[i].file);
        if (ps.p[i].manifest->locked_until > *until)
            *until = ps.p[i].manifest->locked_until;
    }
    return 0;
}

int eng_slot_add(struct eng_repo *r, const struct eng_keyset *k,
                 const struct eng_slot *of, const struct secret *data_key,
                 const struct eng_key_way *way, const struct cancel *cancel,
                 struct err *e)
{
    const struct mf_keys *before = r->keys;
    int64_t until = 0;
    struct mf_slot s = { .gen = 1 };

    if (eng_keyset_check_change(k, e) < 0 || check_key(k, data_key, e) < 0 ||
        fill_slot(r, k->name, k->label, k->created, k->supersedes, &s, e) < 0)
        return -1;
    if (of != NULL) {
        memcpy(s.slot, of->s.slot, sizeof(s.slot));
        s.gen = eng_slot_next(k, of);
    }
    if (eng_repo_select(r, k->name, e) < 0)
        return -1;
    int result = latest_lock(r, cancel, &until, e);
    if (r->keys != before) {
        eng_repo_rest(r);
        r->keys = before;
    }
    return result < 0 ? -1
                      : eng_slot_put(r, &s, secret_span(data_key), way, until,
                                     cancel, e);
}

/* --- choosing --- */

static int choose_plain(struct eng_repo *r, enum eng_encrypt what,
                        struct err *e)
{
    if (what == ENG_ENCRYPT_UNSAID && r->keysets.n > 0) {
        err_set(e, ERR_USAGE, 0,
                "repository %s has encrypted keysets (%s), and nothing says "
                "whether this is to be encrypted",
                r->name, r->keysets.k[0]->label);
        return err_hint(e, "say --encrypt, or --encrypt none for in the clear");
    }
    return eng_repo_select(r, MF_KEYSET_PLAIN, e);
}

static int on_orphan(void *ctx, const char *key, const struct obj_info *info,
                     struct err *e)
{
    (void)info;
    (void)e;
    return eng_keyset_in_key(key, ctx) > 0 ? 1 : 0;
}

/* Data of a keyset without any slot: they were lost, or taken away on purpose.
 * A new keyset opens none of that, and whoever makes one is told. */
static int warn_of_orphans(struct eng_repo *r, const struct cancel *cancel,
                           struct err *e)
{
    struct obj_req req = { .key = "k-", .cancel = cancel };
    char after[MF_KEYSET_CHARS + 1] = "";

    for (;;) {
        char found[MF_KEYSET_CHARS] = "";
        struct obj_list_opts opts = { 0 };
        if (after[0] != '\0')
            opts.after = after;
        if (obj_list(r->store, &req, &opts, on_orphan, found, e) < 0)
            return -1;
        if (found[0] == '\0')
            return 0;
        if (eng_keysets_find(r, found) == NULL)
            log_warn("repo",
                     "%s: there is data of keyset %s, and no slot of it: "
                     "nobody can read it; a new keyset is made",
                     r->name, found);
        /* '0' comes right behind '/'. */
        (void)snprintf(after, sizeof(after), "%s0", found);
    }
}

/* The run asks for the key of the slot that it would have opened. */
static int watch(struct eng_keyset *k, const struct eng_key_ways *ways,
                 struct err *e)
{
    for (size_t w = 0; w < ways->n; w++)
        for (size_t i = 0; i < k->n_slots; i++) {
            const struct eng_key_way *way = &ways->w[w];
            const struct mf_slot *s = &k->slots[i].s;
            if (way->unwrap != NULL && way->fits(way->ctx, s) != ENG_FIT_NO)
                return eng_keywatch_new(way, s, &k->watch, e);
        }
    return 0;
}

/* Opens what was just made by the key at hand: its slots were read back and
 * opened, and once more by a password would be half a second for nothing. */
static int adopt(struct eng_repo *r, const char *label,
                 const struct eng_key_ways *ways, const struct made *m,
                 struct err *e)
{
    struct eng_keyset *k = NULL;

    for (size_t i = 0; i < r->keysets.n; i++)
        if (strcmp(r->keysets.k[i]->name, m->name) == 0)
            k = r->keysets.k[i];
    if (k == NULL)
        return err_set(e, ERR_CORRUPT, 0,
                       "keyset %s was made and is not listed", m->name);
    k->keys =
        mf_keys_derive(r->descriptor.id, m->name, secret_span(m->data_key), e);
    if (k->keys == NULL || eng_keyset_prove(k, k->keys, e) < 0)
        return -1;
    k->current = k->writable = true;
    (void)snprintf(k->label, sizeof(k->label), "%s", label);
    k->supersedes[0] = '\0';
    k->created = m->created;
    return watch(k, ways, e);
}

/* One that has lost its slots, or whose slots somebody has spoilt, may be the
 * keyset of any label. */
static int check_slotless(const struct eng_repo *r, const char *label,
                          struct err *e)
{
    for (size_t i = 0; i < r->keysets.n; i++) {
        const struct eng_keyset *k = r->keysets.k[i];
        if (k->n_slots > 0 || k->keys != NULL)
            continue;
        err_set(e, ERR_DENIED, 0,
                "keyset %s has no slot that could be read, and may be %s: none "
                "is made in its place",
                k->name, label);
        return err_hint(e,
                        "put its slots back; if it is of no use to anybody, "
                        "delete what is below keysets/%s/",
                        k->name);
    }
    return 0;
}

static int make_first(struct eng_repo *r, const struct eng_encrypt_opts *o,
                      const char *label, const struct cancel *cancel,
                      char name[MF_KEYSET_CHARS], struct err *e)
{
    struct made m = { 0 };

    if (check_slotless(r, label, e) < 0)
        return -1;
    if (o->dry_run)
        return err_set(e, ERR_NOTFOUND, 0,
                       "repository %s has no keyset %s yet: the first run "
                       "that is no dry one makes it",
                       r->name, label);
    if (warn_of_orphans(r, cancel, e) < 0)
        return -1;
    int result = make(r, label, NULL, &o->slots, cancel, &m, e);
    if (result == 0)
        result = eng_keysets_load(r, cancel, e);
    if (result == 0)
        result = adopt(r, label, &o->slots, &m, e);
    secret_free(m.data_key);
    memcpy(name, m.name, sizeof(m.name));
    return result;
}

/* *made: it is new.  A race is over when both have looked: ours may have to
 * stand back. */
static const struct eng_keyset *look_or_make(struct eng_repo *r,
                                             const struct eng_encrypt_opts *o,
                                             const char *label,
                                             const struct cancel *cancel,
                                             bool *made, struct err *e)
{
    char name[MF_KEYSET_CHARS];

    /* Another host may have made it since the list was read, or another run of
     * this process. */
    if (eng_keysets_load(r, cancel, e) < 0)
        return NULL;
    const struct eng_keyset *k = eng_keysets_of_label(r, label);
    if (k != NULL)
        return k;
    if (make_first(r, o, label, cancel, name, e) < 0)
        return NULL;
    k = eng_keysets_of_label(r, label);
    if (k == NULL) {
        err_set(e, ERR_CORRUPT, 0, "keyset %s is not that of label %s", name,
                label);
        return NULL;
    }
    *made = strcmp(k->name, name) == 0;
    if (!*made)
        log_warn("repo",
                 "%s: another host made keyset %s as well; %s stands, and %s "
                 "is not used",
                 r->name, label, k->name, name);
    return k;
}

/* The keyset of the label. */
static const struct eng_keyset *find_or_make(struct eng_repo *r,
                                             const struct eng_encrypt_opts *o,
                                             const char *label,
                                             const struct cancel *cancel,
                                             bool *made, struct err *e)
{
    const struct eng_keyset *k = eng_keysets_of_label(r, label);

    if (k != NULL || eng_commons_begin_making(r, cancel, e) < 0)
        return k;
    k = look_or_make(r, o, label, cancel, made, e);
    eng_commons_end_making(r);
    return k;
}

/* Opening proves what slots say; that may lead to another keyset. */
static int open_chosen(struct eng_repo *r, const struct eng_keyset *k,
                       const char *label, const struct eng_key_ways *ways,
                       const struct cancel *cancel, struct err *e)
{
    for (size_t n = 0; n <= r->keysets.n; n++) {
        if (eng_keyset_open(r, k->name, ways, false, cancel, e) < 0)
            return -1;
        const struct eng_keyset *proven = eng_keysets_of_label(r, label);
        if (proven == k)
            return eng_repo_select(r, k->name, e);
        if (proven == NULL)
            break;
        k = proven;
    }
    return err_set(e, ERR_CORRUPT, 0, "keyset %s is not that of label %s",
                   k->name, label);
}

int eng_encrypt_choose(struct eng_repo *r, const struct eng_encrypt_opts *o,
                       const struct cancel *cancel, bool *made, struct err *e)
{
    const char *label = o->label != NULL ? o->label : ENG_KEYSET_LABEL;

    *made = false;
    if (!r->keysets.loaded && eng_keysets_load(r, cancel, e) < 0)
        return -1;
    /* Which one is written to, or that there is none, is told by the list. */
    if (o->what != ENG_ENCRYPT_NONE && eng_keysets_whole(r, e) < 0)
        return -1;
    if (o->what != ENG_ENCRYPT_KEY)
        return choose_plain(r, o->what, e);
    const struct eng_keyset *k = find_or_make(r, o, label, cancel, made, e);
    if (k == NULL)
        return -1;
    return open_chosen(r, k, label, *made ? &o->slots : &o->ways, cancel, e);
}

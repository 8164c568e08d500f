// SPDX-License-Identifier: Apache-2.0
/*
 * Which slots are a keyset's own.  Whoever may put objects can put what has the
 * form of a slot, or of a later generation of one; the mac shows, once the
 * keyset is open, who had its key.  What has none that fits counts nowhere.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/repo/keyset_slot.h"

/* Names that a warning says. */
#define SAID_MAX 5

/* Room for one more element of `size` bytes. */
static void *room(void *list, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    size_t more = *cap == 0 ? 4 : *cap * 2;
    void *grown = realloc(list, more * size);
    if (grown != NULL)
        *cap = more;
    return grown;
}

static int append(struct eng_slot **slots, size_t *n, size_t *cap,
                  const struct eng_slot *slot, struct err *e)
{
    struct eng_slot *grown = room(*slots, *n, cap, sizeof(*grown));

    if (grown == NULL)
        return err_nomem(e);
    *slots = grown;
    grown[(*n)++] = *slot;
    return 0;
}

int eng_keyset_add_slot(struct eng_keyset *k, const struct eng_slot *slot,
                        bool first, struct err *e)
{
    if (first && slot->s.type != MF_SLOT_REMOVED)
        return append(&k->slots, &k->n_slots, &k->cap_slots, slot, e);
    return append(&k->earlier, &k->n_earlier, &k->cap_earlier, slot, e);
}

int eng_keyset_add_junk(struct eng_keyset *k, const struct mf_key *key,
                        bool forged, struct err *e)
{
    struct eng_false_slot *grown =
        room(k->junk, k->n_junk, &k->cap_junk, sizeof(*grown));

    if (grown == NULL)
        return err_nomem(e);
    k->junk = grown;
    grown[k->n_junk++] = (struct eng_false_slot){ *key, forged };
    return 0;
}

/* By slot, the highest generation first. */
static int by_slot(const void *pa, const void *pb)
{
    const struct mf_slot *a = &((const struct eng_slot *)pa)->s;
    const struct mf_slot *b = &((const struct eng_slot *)pb)->s;
    int d = strcmp(a->slot, b->slot);

    if (d != 0 || a->gen == b->gen)
        return d;
    return a->gen > b->gen ? -1 : 1;
}

static int sort_out(struct eng_keyset *k, const struct mf_keys *keys,
                    const struct eng_slot *all, size_t n, struct err *e)
{
    const char *settled = ""; /* of this slot, what is in force is known */

    for (size_t i = 0; i < n; i++) {
        const struct eng_slot *slot = &all[i];
        int proven = mf_slot_proven(&slot->s, keys, e);
        if (proven < 0 ||
            (proven == 0 && eng_keyset_add_junk(k, &slot->key, true, e) < 0))
            return -1;
        if (proven == 0)
            continue;
        bool first = strcmp(slot->s.slot, settled) != 0;
        if (eng_keyset_add_slot(k, slot, first, e) < 0)
            return -1;
        settled = slot->s.slot;
    }
    return 0;
}

int eng_keyset_prove(struct eng_keyset *k, const struct mf_keys *keys,
                     struct err *e)
{
    size_t n = k->n_slots + k->n_earlier;
    AUTO_MEM struct eng_slot *all = calloc(n + 1, sizeof(*all));

    if (all == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++)
        all[i] = i < k->n_slots ? k->slots[i] : k->earlier[i - k->n_slots];
    qsort(all, n, sizeof(*all), by_slot);
    k->n_slots = k->n_earlier = 0;
    k->proven = sort_out(k, keys, all, n, e) == 0;
    return k->proven ? 0 : -1;
}

size_t eng_keyset_say_forged(const struct eng_keyset *k)
{
    AUTO_BUF struct buf names = buf_init((size_t)(SAID_MAX + 1) * MF_KEY_CHARS);
    size_t n = 0;

    for (size_t i = 0; i < k->n_junk; i++)
        if (k->junk[i].forged && n++ < SAID_MAX)
            buf_printf(&names, "%s%s", n > 1 ? ", " : "", k->junk[i].key.s);
    if (n > 0)
        log_warn("repo",
                 "keyset %s (%s): %zu %s made by nobody who has its key, and "
                 "ignored: %s%s; repo recover removes that from buckets with "
                 "versions",
                 k->name, k->label, n, n == 1 ? "slot was" : "slots were",
                 buf_cstr(&names), n > SAID_MAX ? ", ..." : "");
    return n;
}

bool eng_keyset_is_forged(const struct eng_keyset *k, const char *key)
{
    for (size_t i = 0; i < k->n_junk; i++)
        if (k->junk[i].forged && strcmp(k->junk[i].key.s, key) == 0)
            return true;
    return false;
}

bool eng_keyset_in_force(const struct eng_keyset *k, const char *key,
                         size_t *index)
{
    for (*index = 0; *index < k->n_slots; ++*index)
        if (strcmp(k->slots[*index].key.s, key) == 0)
            return true;
    return false;
}

int eng_keyset_check_change(const struct eng_keyset *k, struct err *e)
{
    if (k->proven && k->current)
        return 0;
    return err_set(
        e, ERR_DENIED, 0, "the slots of keyset %s (%s) are not changed by %s",
        k->name, k->label,
        k->proven ? "a slot that is out of force itself"
                  : "what cannot tell them from false ones: it takes "
                    "a password or a key server");
}

uint32_t eng_slot_next(const struct eng_keyset *k, const struct eng_slot *of)
{
    uint32_t gen = of->s.gen + 1;

    for (size_t i = 0; i < k->n_junk; i++) {
        struct mf_key key = mf_key_slot(k->name, gen, of->s.slot);
        bool taken = false;
        for (size_t n = 0; n < k->n_junk && !taken; n++)
            taken = strcmp(k->junk[n].key.s, key.s) == 0;
        if (!taken)
            break;
        gen++;
    }
    return gen;
}

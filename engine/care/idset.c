// SPDX-License-Identifier: Apache-2.0
/* An open hash table of ids, whose range shrinks where it gets too large. */
#include "engine/care/idset.h"

#include <stdlib.h>
#include <string.h>

#define CAP_FIRST ((size_t)4096)

void eng_idset_begin(struct eng_idset *s, unsigned lo, unsigned hi, size_t max)
{
    s->lo = lo;
    s->hi = hi;
    s->max = max;
    s->n = 0;
    if (s->cap > 0)
        memset(s->slots, 0, s->cap * sizeof(*s->slots));
}

void eng_idset_fini(struct eng_idset *s)
{
    free(s->slots);
    *s = (struct eng_idset){ 0 };
}

/* Where the id's run begins.  Ids are uniform, but for their first byte. */
static size_t home_of(const struct eng_idset *s, const struct mf_id *id)
{
    size_t at;

    memcpy(&at, id->b + MF_ID_BYTES - sizeof(at), sizeof(at));
    return at & (s->cap - 1);
}

static struct eng_idset_slot *place_for(const struct eng_idset *s,
                                        const struct mf_id *id, uint32_t len)
{
    size_t at = home_of(s, id);

    while (s->slots[at].len != 0 &&
           (s->slots[at].len != len || !mf_id_eq(&s->slots[at].id, id)))
        at = (at + 1) & (s->cap - 1);
    return &s->slots[at];
}

/* Lays what is in the range into a table of this size. */
static int move_to(struct eng_idset *s, size_t cap, struct err *e)
{
    struct eng_idset old = *s;

    s->slots = calloc(cap, sizeof(*s->slots));
    if (s->slots == NULL) {
        *s = old;
        return err_nomem(e);
    }
    s->cap = cap;
    s->n = 0;
    for (size_t i = 0; i < old.cap; i++) {
        const struct eng_idset_slot *o = &old.slots[i];
        if (o->len == 0 || o->id.b[0] < s->lo || o->id.b[0] >= s->hi)
            continue;
        *place_for(s, &o->id, o->len) = *o;
        s->n++;
    }
    free(old.slots);
    return 0;
}

static int make_room(struct eng_idset *s, struct err *e)
{
    if (s->cap == 0)
        return move_to(s, CAP_FIRST, e);
    if (s->n >= s->max && s->hi - s->lo > 1) {
        s->hi = s->lo + (s->hi - s->lo) / 2;
        return move_to(s, s->cap, e);
    }
    /* Three quarters full. */
    return s->n + 1 > s->cap / 4 * 3 ? move_to(s, s->cap * 2, e) : 0;
}

int eng_idset_add(struct eng_idset *s, const struct mf_id *id, uint32_t len,
                  struct err *e)
{
    if (id->b[0] < s->lo || id->b[0] >= s->hi)
        return 0;
    if (s->cap > 0 && place_for(s, id, len)->len != 0)
        return 0;
    if (make_room(s, e) < 0)
        return -1;
    if (id->b[0] >= s->hi)
        return 0;
    struct eng_idset_slot *slot = place_for(s, id, len);
    slot->id = *id;
    slot->len = len;
    s->n++;
    return 0;
}

struct eng_idset_slot *eng_idset_find(const struct eng_idset *s,
                                      const struct mf_id *id,
                                      struct eng_idset_slot *at)
{
    if (s->cap == 0)
        return NULL;
    size_t i = at == NULL ? home_of(s, id)
                          : ((size_t)(at - s->slots) + 1) & (s->cap - 1);

    for (; s->slots[i].len != 0; i = (i + 1) & (s->cap - 1))
        if (mf_id_eq(&s->slots[i].id, id))
            return &s->slots[i];
    return NULL;
}

bool eng_idset_sampled(const struct mf_id *id, uint64_t seed, unsigned ppm)
{
    uint64_t x;

    memcpy(&x, id->b + 8, sizeof(x));
    x = (x ^ seed) * 0x9e3779b97f4a7c15u;
    return (x >> 32) % 1000000u < ppm;
}

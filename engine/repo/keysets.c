// SPDX-License-Identifier: Apache-2.0
/* Which keyset a repository works on, and going through all of them. */
#include "engine/repo/keysets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/repo/internal.h"
#include "engine/repo/keywatch.h"

void eng_keysets_free(struct eng_keysets *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct eng_keyset *k = all->k[i];
        free(k->slots);
        free(k->earlier);
        free(k->junk);
        mf_keys_free(k->keys);
        eng_keywatch_free(k->watch);
        free(k);
    }
    free(all->k);
    *all = (struct eng_keysets){ 0 };
}

/* NULL where from is; *failed where memory is short. */
static void *copy_list(const void *from, size_t n, size_t size, bool *failed)
{
    void *to = from != NULL && n > 0 ? calloc(n, size) : NULL;

    if (to != NULL)
        memcpy(to, from, n * size);
    *failed = *failed || (from != NULL && n > 0 && to == NULL);
    return to;
}

static int copy_keyset(const struct eng_keyset *from, struct eng_keyset *to,
                       struct err *e)
{
    bool failed = false;

    *to = *from;
    to->keys = NULL;
    to->watch = NULL;
    to->cap_slots = from->n_slots;
    to->cap_earlier = from->n_earlier;
    to->cap_junk = from->n_junk;
    to->slots =
        copy_list(from->slots, from->n_slots, sizeof(*to->slots), &failed);
    to->earlier = copy_list(from->earlier, from->n_earlier,
                            sizeof(*to->earlier), &failed);
    to->junk = copy_list(from->junk, from->n_junk, sizeof(*to->junk), &failed);
    if (failed)
        return err_nomem(e);
    if (from->keys != NULL && (to->keys = mf_keys_copy(from->keys, e)) == NULL)
        return -1;
    return eng_keywatch_copy(from->watch, &to->watch, e);
}

int eng_keysets_copy(const struct eng_keysets *from, struct eng_keysets *to,
                     struct err *e)
{
    *to = *from;
    to->n = 0;
    to->cap = from->n;
    to->k = calloc(from->n > 0 ? from->n : 1, sizeof(struct eng_keyset *));
    if (to->k == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < from->n; i++) {
        to->k[i] = calloc(1, sizeof(struct eng_keyset));
        if (to->k[i] == NULL)
            return err_nomem(e);
        to->n = i + 1;
        if (copy_keyset(from->k[i], to->k[i], e) < 0)
            return -1;
    }
    return 0;
}

const struct eng_keysets *eng_repo_keysets(const struct eng_repo *r)
{
    return &r->keysets;
}

const struct eng_keyset *eng_keysets_find(const struct eng_repo *r,
                                          const char *name)
{
    for (size_t i = 0; i < r->keysets.n; i++)
        if (strcmp(r->keysets.k[i]->name, name) == 0)
            return r->keysets.k[i];
    return NULL;
}

bool eng_keyset_at_hand(const struct eng_repo *r, const char *keyset)
{
    const struct eng_keyset *k = eng_keysets_find(r, keyset);

    return strcmp(keyset, MF_KEYSET_PLAIN) == 0 ||
           (k != NULL && k->keys != NULL);
}

static int find_keys(const struct eng_repo *r, const char *keyset,
                     const struct mf_keys **keys, struct err *e)
{
    const struct eng_keyset *k = eng_keysets_find(r, keyset);

    if (strcmp(keyset, MF_KEYSET_PLAIN) == 0) {
        *keys = r->plain;
        return 0;
    }
    if (k == NULL)
        return err_set(e, ERR_NOTFOUND, 0, "repository %s has no keyset %s",
                       r->name, keyset);
    if (k->keys == NULL)
        return err_set(e, ERR_DENIED, 0, "keyset %s (%s) is not open%s%s",
                       k->name, k->label, k->why[0] != '\0' ? ": " : "",
                       k->why);
    *keys = k->keys;
    return 0;
}

int eng_repo_select(struct eng_repo *r, const char *keyset, struct err *e)
{
    const struct mf_keys *keys = NULL;

    if (find_keys(r, keyset, &keys, e) < 0)
        return -1;
    if (keys == r->keys)
        return 0;
    eng_repo_rest(r);
    r->keys = keys;
    return 0;
}

static int each(struct eng_repo *r,
                int (*fn)(void *ctx, struct eng_repo *r, struct err *e),
                int (*closed)(void *ctx, const struct eng_keyset *k,
                              struct err *e),
                void *ctx, struct err *e)
{
    if (eng_repo_select(r, MF_KEYSET_PLAIN, e) < 0 || fn(ctx, r, e) < 0)
        return -1;
    for (size_t i = 0; i < r->keysets.n; i++) {
        const struct eng_keyset *k = r->keysets.k[i];
        if (k->keys == NULL) {
            if (closed != NULL && closed(ctx, k, e) < 0)
                return -1;
            continue;
        }
        if (eng_repo_select(r, k->name, e) < 0 || fn(ctx, r, e) < 0)
            return err_ctx(e, "keyset %s (%s)", k->name, k->label);
    }
    return 0;
}

int eng_keysets_each(struct eng_repo *r, const struct cancel *cancel,
                     int (*fn)(void *ctx, struct eng_repo *r, struct err *e),
                     int (*closed)(void *ctx, const struct eng_keyset *k,
                                   struct err *e),
                     void *ctx, struct err *e)
{
    const struct mf_keys *before = r->keys;

    if (!r->keysets.loaded && eng_keysets_load(r, cancel, e) < 0)
        return -1;
    int result = each(r, fn, closed, ctx, e);

    if (r->keys != before) {
        eng_repo_rest(r);
        r->keys = before;
    }
    return result;
}

size_t eng_keyset_in_key(const char *key, char keyset[MF_KEYSET_CHARS])
{
    size_t n = strcspn(key, "/");

    keyset[0] = '\0';
    if (key[n] != '/' || n >= MF_KEYSET_CHARS)
        return 0;
    (void)snprintf(keyset, MF_KEYSET_CHARS, "%.*s", (int)n, key);
    if (strcmp(keyset, MF_KEYSET_PLAIN) == 0 || mf_keyset_ok(keyset))
        return n + 1;
    keyset[0] = '\0';
    return 0;
}

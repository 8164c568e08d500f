// SPDX-License-Identifier: Apache-2.0
/* A keyset, version by version, in pieces that workers take: blocks and pages
 * by their 256 prefixes each, points; and what remains of the repository. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/workers.h"
#include "engine/care/recover_impl.h"
#include "engine/repo/internal.h"
#include "engine/repo/keysets.h"

#define PREFIXES 256
#define PIECES (2 * PREFIXES + 2)

/* Areas of a keyset that have pieces of their own, where its key is at hand. */
static const char *const elsewhere[] = { "blocks/", "pages/", "points/" };

static int add_version(struct recover_key *k, const struct obj_info *info,
                       struct err *e)
{
    if (k->n == k->cap) {
        size_t cap = k->cap == 0 ? 4 : k->cap * 2;
        struct recover_version *grown = realloc(k->v, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        k->v = grown;
        k->cap = cap;
    }
    struct recover_version *v = &k->v[k->n++];
    *v = (struct recover_version){ .size = info->size,
                                   .modified = info->modified,
                                   .marker = info->delete_marker };
    memcpy(v->id, info->version, sizeof(v->id));
    memcpy(v->etag, info->etag, sizeof(v->etag));
    return 0;
}

static int finish_key(struct recover_worker *w, struct err *e)
{
    int r = w->key.n > 0 ? eng_recover_one(w, e) : 0;

    w->key.n = 0;
    return r;
}

static int on_version(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    struct recover_worker *w = ctx;

    if (strcmp(key, w->key.key) != 0) {
        if (finish_key(w, e) < 0)
            return -1;
        (void)snprintf(w->key.key, sizeof(w->key.key), "%s", key);
    }
    return add_version(&w->key, info, e);
}

static int list_piece(struct recover_worker *w, const char *prefix,
                      struct err *e)
{
    struct obj_req req = { .key = prefix, .cancel = w->cancel };
    struct obj_list_opts opts = { .versions = true };

    w->key.key[0] = '\0';
    w->key.n = 0;
    if (obj_list(eng_repo_store(w->r->repo), &req, &opts, on_version, w, e) <
            0 ||
        finish_key(w, e) < 0)
        return -1;
    return eng_recover_flush(w, e);
}

/* What remains, jumping over the folders that others do. */
struct rest {
    struct recover_worker *w;
    char after[MF_KEY_CHARS]; /* go on behind this; "" at the end */
};

/* How much of the key is a folder that others do. */
static size_t is_elsewhere(const struct eng_repo *r, const char *key)
{
    char keyset[MF_KEYSET_CHARS];
    size_t n = eng_keyset_in_key(key, keyset);

    if (n == 0 || !eng_keyset_at_hand(r, keyset))
        return 0;
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
        if (strncmp(key + n, elsewhere[i], strlen(elsewhere[i])) == 0)
            return n + strlen(elsewhere[i]);
    return 0;
}

static enum eng_recover_area area_of(const char *key)
{
    struct mf_slot_name slot;

    if (strcmp(key, MF_DESCRIPTOR_KEY) == 0)
        return ENG_RECOVER_DESCRIPTOR;
    return mf_key_parse_slot(key, &slot) ? ENG_RECOVER_SLOTS
                                         : ENG_RECOVER_OTHER;
}

static int on_rest(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    struct rest *rest = ctx;

    size_t n = is_elsewhere(rest->w->r->repo, key);

    if (n > 0) {
        /* '0' comes right behind '/'. */
        (void)snprintf(rest->after, sizeof(rest->after), "%.*s0", (int)n - 1,
                       key);
        return 1;
    }
    if (strcmp(key, rest->w->key.key) != 0) {
        enum eng_recover_area area = area_of(key);
        if (finish_key(rest->w, e) < 0 ||
            (area != rest->w->area && eng_recover_flush(rest->w, e) < 0))
            return -1;
        rest->w->area = area;
    }
    return on_version(rest->w, key, info, e);
}

static int list_rest(struct recover_worker *w, struct err *e)
{
    struct rest rest = { .w = w };
    struct obj_req req = { .key = "", .cancel = w->cancel };

    w->area = ENG_RECOVER_OTHER;
    w->key.key[0] = '\0';
    w->key.n = 0;
    do {
        char after[MF_KEY_CHARS];
        memcpy(after, rest.after, sizeof(after));
        struct obj_list_opts opts = { .versions = true,
                                      .after =
                                          after[0] != '\0' ? after : NULL };
        rest.after[0] = '\0';
        if (obj_list(eng_repo_store(w->r->repo), &req, &opts, on_rest, &rest,
                     e) < 0 ||
            finish_key(w, e) < 0)
            return -1;
    } while (rest.after[0] != '\0');
    return eng_recover_flush(w, e);
}

static int do_piece(struct recover_worker *w, uint64_t piece, struct err *e)
{
    struct mf_key prefix;

    if (piece == 0)
        return w->r->rest ? list_rest(w, e) : 0;
    if (piece == 1) {
        w->area = ENG_RECOVER_POINTS;
        prefix = mf_key_points_prefix(eng_repo_keyset(w->r->repo), NULL);
    } else if (piece < 2 + PREFIXES) {
        w->area = ENG_RECOVER_PAGES;
        prefix =
            mf_key_pages_prefix(eng_repo_keyset(w->r->repo), (int)piece - 2);
    } else {
        w->area = ENG_RECOVER_BLOCKS;
        prefix = mf_key_blocks_prefix(eng_repo_keyset(w->r->repo),
                                      (int)piece - 2 - PREFIXES);
    }
    return list_piece(w, prefix.s, e);
}

static int list_worker(void *ctx, struct workers *group, unsigned index,
                       struct err *e)
{
    uint64_t piece = 0;
    int r = 0;
    AUTO_MEM struct recover_batch *batch = calloc(1, sizeof(*batch));
    struct recover_worker w = { .r = ctx,
                                .cancel = workers_cancel(group),
                                .batch = batch };

    (void)index;
    if (batch == NULL)
        return err_nomem(e);
    w.looker = eng_looker_new(w.r->repo, w.cancel, e);
    if (w.looker == NULL)
        return -1;
    while (r == 0 && workers_claim(group, &piece))
        r = do_piece(&w, piece, e);
    eng_looker_free(w.looker);
    free(w.key.v);
    return r;
}

int eng_recover_list(struct recover *r, struct err *e)
{
    return workers_run(ENG_REPO_READERS, PIECES, r->o->cancel, list_worker, r,
                       e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Objects that stand where the repository has folders.  They are never ours,
 * and on servers that keep objects as files they hide what lies below them, so
 * all their versions and markers go, the highest first.
 */
#include <stdio.h>
#include <string.h>

#include "base/workers.h"
#include "engine/care/recover_impl.h"
#include "engine/repo/internal.h"
#include "engine/repo/keysets.h"
#include "engine/repo/versions.h"

/* Each area's folders of a first byte. */
#define BYTES 256

/* Of a keyset; behind its name. */
static const struct top {
    const char *name;
    enum eng_recover_area area;
    bool by_vm; /* the folders in it are VMs' */
} tops[] = {
    { "", ENG_RECOVER_OTHER, false },
    { "/blocks", ENG_RECOVER_BLOCKS, false },
    { "/pages", ENG_RECOVER_PAGES, false },
    { "/points", ENG_RECOVER_POINTS, true },
    { "/keep", ENG_RECOVER_OTHER, true },
};
#define TOPS (sizeof(tops) / sizeof(tops[0]))

/* Of no keyset. */
static const char *const shared[] = { "gc", "gc/damaged", "gc/leases",
                                      "gc/sweeps" };

bool eng_recover_is_folder(const struct recover *r, const char *key)
{
    const struct eng_keysets *all = eng_repo_keysets(r->repo);

    if (mf_key_is_slot_folder(key) || mf_key_is_folder(key, MF_KEYSET_PLAIN))
        return true;
    for (size_t i = 0; i < all->n; i++)
        if (mf_key_is_folder(key, all->k[i]->name))
            return true;
    return false;
}

static bool touched(const struct recover_worker *w,
                    const struct eng_versions *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].modified >= w->r->o->as_of)
            return true;
    return false;
}

/* Removes the object `key`, if there is one. */
static int open_folder(struct recover_worker *w, const char *key, struct err *e)
{
    AUTO_ENG_VERSIONS struct eng_versions all = { 0 };
    struct eng_recover_count *n = eng_recover_area_count(w);
    bool gone = !w->r->o->dry_run;

    if (eng_versions_of(eng_repo_store(w->r->repo), w->cancel, key, &all, e) <
        0)
        return -1;
    if (!touched(w, &all))
        return 0;
    eng_recover_note(w, &n->junk, ENG_RECOVER_HIDING, key);
    for (size_t i = 0; i < all.n && !w->r->o->dry_run; i++) {
        int r = eng_recover_delete(w, key, all.v[i].id, e);
        if (r < 0)
            return -1;
        gone &= r == 1;
    }
    pthread_mutex_lock(&w->r->lock);
    n->junk_removed += gone;
    w->r->res->hiding += !gone;
    pthread_mutex_unlock(&w->r->lock);
    return 0;
}

/* --- folders that a listing names --- */

struct search {
    struct eng_names found;
    const char *keyset; /* NULL: folders of slots */
};

static void search_free(struct search *s)
{
    eng_names_free(&s->found);
}

static int on_folder(void *ctx, const char *key, const struct obj_info *info,
                     struct err *e)
{
    struct search *s = ctx;
    struct eng_names *found = &s->found;

    (void)info;
    if (s->keyset != NULL ? !mf_key_is_folder(key, s->keyset)
                          : !mf_key_is_slot_folder(key))
        return 0;
    if (found->n > 0 && strcmp(found->s[found->n - 1], key) == 0)
        return 0;
    return eng_names_add(found, key, e);
}

/* Opens what stands directly below the folder `top`, which is open. */
static int open_below(struct recover_worker *w, const char *top,
                      const char *keyset, struct err *e)
{
    AUTO(search_free) struct search s = { .keyset = keyset };
    struct obj_req req = { .key = top, .cancel = w->cancel };
    struct obj_list_opts opts = { .versions = true };

    if (obj_list(eng_repo_store(w->r->repo), &req, &opts, on_folder, &s, e) < 0)
        return -1;
    for (size_t i = 0; i < s.found.n; i++)
        if (strcmp(s.found.s[i], top) != 0 &&
            open_folder(w, s.found.s[i], e) < 0)
            return -1;
    return 0;
}

/* --- slots --- */

/* Those over a keyset's slots are seen when nothing stands above them: once
 * more, until nothing new is found. */
static int open_slots(struct recover_worker *w, struct err *e)
{
    const char *top = "keysets";
    struct recover *r = w->r;
    uint64_t junk = 0;
    struct eng_recover_count *n = &r->res->areas[ENG_RECOVER_SLOTS];

    w->area = ENG_RECOVER_SLOTS;
    if (open_folder(w, top, e) < 0)
        return -1;
    do {
        junk = n->junk_removed;
        if (open_below(w, top, NULL, e) < 0)
            return -1;
    } while (n->junk_removed > junk);
    if (n->junk_removed == 0 && eng_repo_keysets(r->repo)->loaded)
        return 0;
    return r->o->open != NULL ? r->o->open(r->o->ctx, r->repo, e)
                              : eng_keysets_load(r->repo, r->o->cancel, e);
}

/* --- a keyset --- */

struct bytes {
    struct recover *r;
    const char *keyset;
};

static int open_byte(struct recover_worker *w, const char *keyset,
                     uint64_t piece, struct err *e)
{
    bool blocks = piece < BYTES;
    int byte = (int)(piece % BYTES);
    struct mf_key key = blocks ? mf_key_blocks_prefix(keyset, byte)
                               : mf_key_pages_prefix(keyset, byte);

    w->area = blocks ? ENG_RECOVER_BLOCKS : ENG_RECOVER_PAGES;
    key.s[strlen(key.s) - 1] = '\0'; /* the slash */
    return open_folder(w, key.s, e);
}

static int bytes_worker(void *ctx, struct workers *group, unsigned index,
                        struct err *e)
{
    const struct bytes *b = ctx;
    struct recover_worker w = { .r = b->r, .cancel = workers_cancel(group) };
    uint64_t piece = 0;

    (void)index;
    while (workers_claim(group, &piece))
        if (open_byte(&w, b->keyset, piece, e) < 0)
            return -1;
    return 0;
}

static int open_keyset(struct recover_worker *w, const char *keyset,
                       struct err *e)
{
    struct bytes bytes = { w->r, keyset };
    char key[MF_KEYSET_CHARS + 16];

    /* The upper ones first: they hide the others. */
    for (size_t i = 0; i < TOPS; i++) {
        (void)snprintf(key, sizeof(key), "%s%s", keyset, tops[i].name);
        w->area = tops[i].area;
        if (open_folder(w, key, e) < 0 ||
            (tops[i].by_vm && open_below(w, key, keyset, e) < 0))
            return -1;
    }
    return workers_run(ENG_REPO_READERS, (uint64_t)2 * BYTES, w->cancel,
                       bytes_worker, &bytes, e);
}

int eng_recover_folders(struct recover *r, struct err *e)
{
    struct recover_worker w = { .r = r, .cancel = r->o->cancel };

    if (open_slots(&w, e) < 0)
        return -1;
    w.area = ENG_RECOVER_OTHER;
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
        if (open_folder(&w, shared[i], e) < 0)
            return -1;
    if (open_keyset(&w, MF_KEYSET_PLAIN, e) < 0)
        return -1;
    for (size_t i = 0; i < eng_repo_keysets(r->repo)->n; i++)
        if (open_keyset(&w, eng_repo_keysets(r->repo)->k[i]->name, e) < 0)
            return -1;
    return 0;
}

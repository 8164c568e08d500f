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
#include "engine/repo/versions.h"

/* Each area's folders of a first byte. */
#define BYTES 256

static const struct top {
    const char *key;
    enum eng_recover_area area;
    bool by_vm; /* the folders in it are VMs' */
} tops[] = {
    { MF_KEYSET_PLAIN, ENG_RECOVER_OTHER, false },
    { MF_KEYSET_PLAIN "/blocks", ENG_RECOVER_BLOCKS, false },
    { MF_KEYSET_PLAIN "/pages", ENG_RECOVER_PAGES, false },
    { MF_KEYSET_PLAIN "/points", ENG_RECOVER_POINTS, true },
    { MF_KEYSET_PLAIN "/keep", ENG_RECOVER_OTHER, true },
    { "gc", ENG_RECOVER_OTHER, false },
    { "gc/damaged", ENG_RECOVER_OTHER, false },
    { "gc/leases", ENG_RECOVER_OTHER, false },
    { "gc/sweeps", ENG_RECOVER_OTHER, false },
};

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

static int open_tops(struct recover_worker *w, struct err *e)
{
    for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
        w->area = tops[i].area;
        if (open_folder(w, tops[i].key, e) < 0)
            return -1;
    }
    return 0;
}

static int on_folder(void *ctx, const char *key, const struct obj_info *info,
                     struct err *e)
{
    struct eng_names *found = ctx;

    (void)info;
    if (!mf_key_is_folder(key, MF_KEYSET_PLAIN) ||
        (found->n > 0 && strcmp(found->s[found->n - 1], key) == 0))
        return 0;
    return eng_names_add(found, key, e);
}

static int open_vms(struct recover_worker *w, const struct top *top,
                    struct err *e)
{
    AUTO(eng_names_free) struct eng_names found = { 0 };
    struct obj_req req = { .key = top->key, .cancel = w->cancel };
    struct obj_list_opts opts = { .versions = true };

    w->area = top->area;
    if (obj_list(eng_repo_store(w->r->repo), &req, &opts, on_folder, &found,
                 e) < 0)
        return -1;
    /* The folders above them were opened before. */
    for (size_t i = 0; i < found.n; i++)
        if (strcmp(found.s[i], top->key) != 0 &&
            open_folder(w, found.s[i], e) < 0)
            return -1;
    return 0;
}

static int open_byte(struct recover_worker *w, uint64_t piece, struct err *e)
{
    bool blocks = piece < BYTES;
    int byte = (int)(piece % BYTES);
    struct mf_key key = blocks ? mf_key_blocks_prefix(MF_KEYSET_PLAIN, byte)
                               : mf_key_pages_prefix(MF_KEYSET_PLAIN, byte);

    w->area = blocks ? ENG_RECOVER_BLOCKS : ENG_RECOVER_PAGES;
    key.s[strlen(key.s) - 1] = '\0'; /* the slash */
    return open_folder(w, key.s, e);
}

static int bytes_worker(void *ctx, struct workers *group, unsigned index,
                        struct err *e)
{
    struct recover_worker w = { .r = ctx, .cancel = workers_cancel(group) };
    uint64_t piece = 0;

    (void)index;
    while (workers_claim(group, &piece))
        if (open_byte(&w, piece, e) < 0)
            return -1;
    return 0;
}

int eng_recover_folders(struct recover *r, struct err *e)
{
    struct recover_worker w = { .r = r, .cancel = r->o->cancel };

    if (open_tops(&w, e) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
        if (tops[i].by_vm && open_vms(&w, &tops[i], e) < 0)
            return -1;
    return workers_run(ENG_REPO_READERS, (uint64_t)2 * BYTES, r->o->cancel,
                       bytes_worker, r, e);
}

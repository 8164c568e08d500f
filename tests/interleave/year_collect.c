// SPDX-License-Identifier: Apache-2.0
/*
 * Collections in the year.  The model remembers of each point which contents
 * and pages it needs.  After a collection all of that is there, and every
 * version of a block or page that no point needs is one that the server holds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/care/collect.h"
#include "manifest/objkey.h"
#include "tests/interleave/world.h"
#include "tests/interleave/year.h"

#define POINTS_MAX 1200
#define CONTENTS_MAX (1u << 17)
#define PAGES_MAX 8

struct needs {
    struct mf_key key; /* of the manifest */
    struct mf_id pages[PAGES_MAX];
    size_t n_pages;
    uint8_t *contents; /* owned; a bit for each */
};

static struct needs points[POINTS_MAX];
static size_t n_points;
static uint64_t collections, collected;

static struct mf_key key_of(unsigned machine, const char *file)
{
    char vm_key[32];

    snprintf(vm_key, sizeof(vm_key), "vm%u", machine);
    return mf_key_point(MF_KEYSET_PLAIN, vm_key, file);
}

void year_collect_made(unsigned machine, const struct mf_point *p,
                       const char *file, const uint32_t *content, size_t n)
{
    struct needs *k = &points[n_points++];

    if (n_points == POINTS_MAX || p->disks[0].n_pages > PAGES_MAX)
        abort();
    k->key = key_of(machine, file);
    for (size_t i = 0; i < p->disks[0].n_pages; i++)
        if (!p->disks[0].pages[i].zero)
            k->pages[k->n_pages++] = p->disks[0].pages[i].id;
    k->contents = calloc(1, CONTENTS_MAX / 8);
    if (k->contents == NULL)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (content[i] >= CONTENTS_MAX)
            abort();
        k->contents[content[i] / 8] |= (uint8_t)(1u << (content[i] % 8));
    }
}

int64_t year_held(struct obj_store *view, unsigned machine, const char *file)
{
    struct mf_key key = key_of(machine, file);
    struct obj_req q = { .key = key.s };
    struct obj_info info = { 0 };
    struct err e = { 0 };

    if (obj_head(view, &q, &info, &e) == 0)
        return info.lock.mode != OBJ_LOCK_NONE ? info.lock.until : 0;
    if (e.kind != ERR_NOTFOUND)
        year_fail("%s", e.msg);
    return -1;
}

/* What all points that are there need, sorted. */
struct needed {
    struct mf_id ids[CONTENTS_MAX];
    size_t n;
    uint64_t found;         /* of them, by the listing */
    char last[OBJ_KEY_MAX]; /* key that was listed */
    int64_t now;
};

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct mf_id));
}

static bool is_there(struct obj_store *view, const struct needs *k)
{
    struct obj_req q = { .key = k->key.s };
    struct obj_info info = { 0 };
    struct err e = { 0 };

    return obj_head(view, &q, &info, &e) == 0;
}

static void add(struct needed *all, const struct mf_id *id)
{
    if (all->n == CONTENTS_MAX)
        abort();
    all->ids[all->n++] = *id;
}

static void find_needed(struct obj_store *view, struct needed *all)
{
    static uint8_t contents[CONTENTS_MAX / 8];
    size_t kept = 0;

    memset(contents, 0, sizeof(contents));
    for (size_t i = 0; i < n_points; i++) {
        if (!is_there(view, &points[i]))
            continue;
        for (size_t b = 0; b < sizeof(contents); b++)
            contents[b] |= points[i].contents[b];
        for (size_t k = 0; k < points[i].n_pages; k++)
            add(all, &points[i].pages[k]);
    }
    for (uint32_t c = 1; c < CONTENTS_MAX; c++) {
        struct mf_id id;
        if ((contents[c / 8] & (1u << (c % 8))) == 0)
            continue;
        year_id_of(c, &id);
        add(all, &id);
    }
    qsort(all->ids, all->n, sizeof(all->ids[0]), by_id);
    for (size_t i = 0; i < all->n; i++)
        if (i == 0 || !mf_id_eq(&all->ids[i], &all->ids[i - 1]))
            all->ids[kept++] = all->ids[i];
    all->n = kept;
}

static int on_version(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    struct needed *all = ctx;
    struct mf_id id;
    bool again = strcmp(key, all->last) == 0;

    (void)e;
    snprintf(all->last, sizeof(all->last), "%s", key);
    if (!mf_key_parse_block(key, MF_KEYSET_PLAIN, &id) &&
        !mf_key_parse_page(key, MF_KEYSET_PLAIN, &id))
        return 0;
    bool needed = bsearch(&id, all->ids, all->n, sizeof(id), by_id) != NULL;
    all->found += needed && !again;
    if ((needed && !again) ||
        (info->lock.mode != OBJ_LOCK_NONE && info->lock.until > all->now))
        return 0;
    year_fail("%s is %s, not locked, and was not collected", key,
              needed ? "surplus" : "garbage");
}

static void check_garbage(struct obj_store *view)
{
    struct obj_req q = { .key = "plain/" };
    struct obj_list_opts o = { .versions = true };
    struct needed *all = calloc(1, sizeof(*all));

    if (all == NULL)
        abort();
    all->now = world_now_ms() / 1000;
    find_needed(view, all);
    must(obj_list(view, &q, &o, on_version, all, why));
    if (all->found != all->n)
        year_fail("%zu blocks and pages are needed, %" PRIu64 " are there",
                  all->n, all->found);
    free(all);
}

void year_collect(struct eng_repo *r, struct obj_store *view)
{
    struct eng_collect_opts o = { 0 };
    struct eng_collect_result res;

    must(eng_collect_run(r, &o, &res, why));
    if (res.blocked)
        year_fail("a collection of a locked repository was blocked");
    collections++;
    collected += res.deleted.objects;
    check_garbage(view);
}

void year_collect_report(void)
{
    printf("%" PRIu64 " collections, %" PRIu64 " objects collected\n",
           collections, collected);
    for (size_t i = 0; i < n_points; i++)
        free(points[i].contents);
}

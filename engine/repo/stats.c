// SPDX-License-Identifier: Apache-2.0
/* Totals of a repository: one listing of blocks and pages, all manifests. */
#include <stdio.h>
#include <string.h>

#include "engine/repo/internal.h"
#include "engine/repo/points.h"

struct sum {
    uint64_t objects, bytes;
    char last[MF_KEY_CHARS]; /* the key that was counted last */
};

static int on_object(void *ctx, const char *key, const struct obj_info *info,
                     struct err *e)
{
    struct sum *s = ctx;

    (void)e;
    /* Of several versions the newest is counted. */
    if (info->delete_marker || strcmp(key, s->last) == 0)
        return 0;
    snprintf(s->last, sizeof(s->last), "%s", key);
    s->objects++;
    s->bytes += info->size;
    return 0;
}

static int sum_prefix(struct eng_repo *r, const struct cancel *cancel,
                      const char *prefix, struct sum *sum, struct err *e)
{
    struct obj_req req = { .key = prefix, .cancel = cancel };
    struct obj_list_opts opts = { 0 };

    if (eng_repo_keeps_versions(r, cancel, &opts.versions, e) < 0)
        return -1;
    return obj_list(r->store, &req, &opts, on_object, sum, e);
}

static void sum_points(const struct eng_points *ps, struct eng_repo_stats *out)
{
    for (size_t i = 0; i < ps->n; i++) {
        const struct eng_point *p = &ps->p[i];
        if (i == 0 || strcmp(p->vm_key, ps->p[i - 1].vm_key) != 0 ||
            strcmp(p->keyset, ps->p[i - 1].keyset) != 0)
            out->vms++;
        out->points++;
        if (p->sealed) {
            out->sealed_points++;
            continue;
        }
        if (p->manifest == NULL) {
            out->damaged_points++;
            continue;
        }
        out->source_bytes += p->manifest->stats.source_bytes;
        out->new_bytes += p->manifest->stats.new_bytes;
    }
}

static int add_sizes(struct eng_repo *r, const struct cancel *cancel,
                     const char *keyset, struct eng_repo_stats *out,
                     struct err *e)
{
    struct mf_key blocks = mf_key_blocks_prefix(keyset, -1);
    struct mf_key pages = mf_key_pages_prefix(keyset, -1);
    struct mf_key manifests = mf_key_points_prefix(keyset, NULL);
    struct sum block_sum = { 0 };
    struct sum page_sum = { 0 };
    struct sum manifest_sum = { 0 };

    if (sum_prefix(r, cancel, blocks.s, &block_sum, e) < 0 ||
        sum_prefix(r, cancel, pages.s, &page_sum, e) < 0 ||
        sum_prefix(r, cancel, manifests.s, &manifest_sum, e) < 0)
        return -1;
    out->blocks += block_sum.objects;
    out->block_bytes += block_sum.bytes;
    out->pages += page_sum.objects;
    out->page_bytes += page_sum.bytes;
    out->manifest_bytes += manifest_sum.bytes;
    return 0;
}

int eng_points_stats(struct eng_repo *r, const struct cancel *cancel,
                     struct eng_points *points, struct eng_repo_stats *out,
                     struct err *e)
{
    *out = (struct eng_repo_stats){ 0 };
    if (eng_points_list(r, cancel, NULL, points, e) < 0 ||
        add_sizes(r, cancel, eng_repo_keyset(r), out, e) < 0)
        return -1;
    sum_points(points, out);
    return 0;
}

int eng_repo_stats(struct eng_repo *r, const struct cancel *cancel,
                   struct eng_repo_stats *out, struct err *e)
{
    AUTO_ENG_POINTS struct eng_points points = { 0 };

    *out = (struct eng_repo_stats){ 0 };
    if (eng_points_list_all(r, cancel, NULL, &points, e) < 0 ||
        add_sizes(r, cancel, MF_KEYSET_PLAIN, out, e) < 0)
        return -1;
    for (size_t i = 0; i < r->keysets.n; i++)
        if (add_sizes(r, cancel, r->keysets.k[i]->name, out, e) < 0)
            return -1;
    sum_points(&points, out);
    return 0;
}

int eng_repo_other_bytes(struct eng_repo *r, const struct cancel *cancel,
                         uint64_t *bytes, struct err *e)
{
    struct eng_repo_stats of = { 0 };
    const char *selected = eng_repo_keyset(r);

    if (!r->keysets.loaded && eng_keysets_load(r, cancel, e) < 0)
        return -1;
    if (strcmp(selected, MF_KEYSET_PLAIN) != 0 &&
        add_sizes(r, cancel, MF_KEYSET_PLAIN, &of, e) < 0)
        return -1;
    for (size_t i = 0; i < r->keysets.n; i++)
        if (strcmp(selected, r->keysets.k[i]->name) != 0 &&
            add_sizes(r, cancel, r->keysets.k[i]->name, &of, e) < 0)
            return -1;
    *bytes = of.block_bytes + of.page_bytes;
    return 0;
}

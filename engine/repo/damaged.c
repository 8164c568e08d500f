// SPDX-License-Identifier: Apache-2.0
/* Marks of damaged objects: finding, setting and clearing them. */
#include "engine/repo/damaged.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utc.h"
#include "engine/repo/internal.h"
#include "engine/repo/scratch.h"

static const char *const words[] = { "block", "page" };

void eng_damaged_key(enum eng_index_kind kind, const struct mf_id *id,
                     char key[ENG_DAMAGED_KEY_CHARS])
{
    char hex[MF_ID_CHARS];

    mf_id_hex(id, hex);
    (void)snprintf(key, ENG_DAMAGED_KEY_CHARS, ENG_DAMAGED_PREFIX "%s-%s",
                   words[kind], hex);
}

static bool parse_key(const char *key, struct eng_damaged_id *out)
{
    const char *name = key + strlen(ENG_DAMAGED_PREFIX);

    if (strncmp(key, ENG_DAMAGED_PREFIX, strlen(ENG_DAMAGED_PREFIX)) != 0)
        return false;
    for (int kind = ENG_INDEX_BLOCK; kind <= ENG_INDEX_PAGE; kind++) {
        size_t n = strlen(words[kind]);
        if (strncmp(name, words[kind], n) != 0 || name[n] != '-' ||
            !mf_id_parse(name + n + 1, &out->id))
            continue;
        out->kind = (enum eng_index_kind)kind;
        return true;
    }
    return false;
}

static int on_mark(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    struct eng_damaged *d = ctx;
    struct eng_damaged_id id = { .cleared = info->size > 0 };

    if (!parse_key(key, &id))
        return 0;
    if (d->n == d->cap) {
        size_t cap = d->cap == 0 ? 16 : d->cap * 2;
        struct eng_damaged_id *grown = realloc(d->ids, cap * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(e);
        d->ids = grown;
        d->cap = cap;
    }
    d->ids[d->n++] = id;
    return 0;
}

static int by_id(const void *pa, const void *pb)
{
    const struct eng_damaged_id *a = pa;
    const struct eng_damaged_id *b = pb;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return memcmp(a->id.b, b->id.b, MF_ID_BYTES);
}

int eng_damaged_list(struct obj_store *store, const struct cancel *cancel,
                     struct eng_damaged *out, struct err *e)
{
    struct obj_req req = { .key = ENG_DAMAGED_PREFIX, .cancel = cancel };

    *out = (struct eng_damaged){ 0 };
    if (obj_list(store, &req, NULL, on_mark, out, e) < 0) {
        eng_damaged_free(out);
        return err_ctx(e, "list the marks of damaged objects");
    }
    if (out->n > 1)
        qsort(out->ids, out->n, sizeof(*out->ids), by_id);
    return 0;
}

void eng_damaged_free(struct eng_damaged *d)
{
    free(d->ids);
    *d = (struct eng_damaged){ 0 };
}

const struct eng_damaged_id *eng_damaged_find(const struct eng_damaged *d,
                                              enum eng_index_kind kind,
                                              const struct mf_id *id)
{
    struct eng_damaged_id wanted = { .kind = kind, .id = *id };

    if (d->n == 0)
        return NULL;
    return bsearch(&wanted, d->ids, d->n, sizeof(*d->ids), by_id);
}

static int put_mark(struct obj_store *store, const struct cancel *cancel,
                    enum eng_index_kind kind, const struct mf_id *id,
                    const char *content, struct err *e)
{
    char key[ENG_DAMAGED_KEY_CHARS];
    struct obj_req req = { .key = key, .cancel = cancel };
    struct obj_put_opts opts = { .content_type = "application/json" };

    eng_damaged_key(kind, id, key);
    return obj_put(store, &req, span_str(content), &opts, NULL, e);
}

int eng_damaged_mark(struct obj_store *store, const struct cancel *cancel,
                     enum eng_index_kind kind, const struct mf_id *id,
                     struct err *e)
{
    return put_mark(store, cancel, kind, id, "", e);
}

void eng_damaged_remove(struct obj_store *store, const struct cancel *cancel,
                        enum eng_index_kind kind, const struct mf_id *id)
{
    char key[ENG_DAMAGED_KEY_CHARS];

    eng_damaged_key(kind, id, key);
    if (eng_scratch_remove(store, key, NULL, cancel) > 0)
        log_info("repo", "%s stays; it does no harm", key);
}

int eng_damaged_begin(struct eng_repo *r, const struct cancel *cancel,
                      struct err *e)
{
    size_t standing = 0;

    eng_damaged_free(&r->damaged);
    if (eng_damaged_list(r->store, cancel, &r->damaged, e) < 0)
        return -1;
    for (size_t i = 0; i < r->damaged.n; i++) {
        const struct eng_damaged_id *d = &r->damaged.ids[i];
        if (d->cleared)
            continue;
        eng_index_forget(r->index, d->kind, &d->id);
        standing++;
    }
    if (standing > 0)
        log_info("repo",
                 "%zu objects are marked as damaged; they are put "
                 "again where their content is met",
                 standing);
    return 0;
}

void eng_damaged_stored(struct eng_repo *r, const struct cancel *cancel,
                        enum eng_index_kind kind, const struct mf_id *id)
{
    const struct eng_damaged_id *d = eng_damaged_find(&r->damaged, kind, id);
    struct err e = { 0 };
    char now[UTC_ISO_CHARS];
    char content[64];

    if (d == NULL || d->cleared)
        return;
    utc_format_iso(utc_real_now(), now);
    (void)snprintf(content, sizeof(content), "{\"cleared\":\"%s\"}", now);
    if (put_mark(r->store, cancel, kind, id, content, &e) < 0)
        log_info("repo", "a mark of a damaged object stays: %s", e.msg);
}

// SPDX-License-Identifier: Apache-2.0
/* Objects that are there for a moment only. */
#include "engine/repo/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/cancel.h"
#include "base/digest.h"
#include "base/utc.h"

#define BATCH 1000
#define STOP_MS 3000
#define ROUNDS 12 /* a second apart: the longest lock of a probe and some */

int eng_scratch_name(const char *what, char out[ENG_SCRATCH_CHARS],
                     struct err *e)
{
    uint8_t raw[8];
    char hex[2 * sizeof raw + 1];

    if (digest_random(raw, sizeof raw, e) < 0)
        return -1;
    digest_hex(span_of(raw, sizeof raw), hex);
    (void)snprintf(out, ENG_SCRATCH_CHARS, "gc/%s-%s/", what, hex);
    return 0;
}

bool eng_scratch_owns(const char *key)
{
    return strncmp(key, "gc/probe-", 9) == 0 ||
           strncmp(key, "gc/bench-", 9) == 0;
}

static int refuse(struct err *e)
{
    err_set(e, ERR_LOCKED, 0,
            "the bucket has a default retention: every object put here would "
            "be locked by it for days");
    return err_hint(e, "remove it from the bucket; objvault sets its locks "
                       "object by object");
}

/* Where the settings may not be read one object tells. */
static int try_one(struct obj_store *store, const char *base,
                   const struct cancel *cancel, struct err *e)
{
    char key[ENG_SCRATCH_CHARS + 8];
    struct obj_req req = { .key = key, .cancel = cancel };
    struct obj_info info;

    (void)snprintf(key, sizeof key, "%sfirst", base);
    if (obj_put(store, &req, span_of(key, strlen(key)), NULL, NULL, e) < 0 ||
        obj_head(store, &req, &info, e) < 0)
        return e->kind == ERR_DENIED ? 0 : -1;
    return info.lock.mode == OBJ_LOCK_NONE ? 0 : refuse(e);
}

int eng_scratch_check(struct obj_store *store, const char *base,
                      const struct cancel *cancel, struct obj_bucket *bucket,
                      bool *known, struct err *e)
{
    struct obj_req req = { .key = "", .cancel = cancel };

    *known = obj_bucket_info(store, &req, bucket, e) == 0;
    if (*known)
        return bucket->default_mode == OBJ_LOCK_NONE ? 0 : refuse(e);
    return e->kind == ERR_DENIED ? try_one(store, base, cancel, e) : -1;
}

/* A page's worth of what is to be removed; texts are owned. */
struct doomed {
    struct obj_name names[BATCH];
    char *keys[BATCH], *versions[BATCH];
    size_t n;
};

static void doomed_clear(struct doomed *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->keys[i]);
        free(d->versions[i]);
    }
    d->n = 0;
}

static int collect(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    struct doomed *d = ctx;
    bool versioned = info->version[0] != '\0';
    char **version = &d->versions[d->n];

    d->keys[d->n] = strdup(key);
    *version = versioned ? strdup(info->version) : NULL;
    d->names[d->n] =
        (struct obj_name){ .key = d->keys[d->n], .version = *version };
    if (d->keys[d->n++] == NULL || (versioned && *version == NULL))
        return err_nomem(e);
    return d->n == BATCH ? 1 : 0;
}

/* A server that is silent must not keep somebody who wants to stop. */
static int64_t patience(const struct cancel *cancel)
{
    return cancel_requested(cancel) ? utc_mono_ms() + STOP_MS : 0;
}

static int find(struct obj_store *store, const char *base,
                const struct cancel *cancel, struct doomed *d, struct err *e)
{
    struct obj_req req = { .key = base, .deadline = patience(cancel) };
    struct obj_list_opts versions = { .versions = true };

    doomed_clear(d);
    if (obj_list(store, &req, &versions, collect, d, e) == 0)
        return 0;
    doomed_clear(d);
    if (e->kind != ERR_UNSUPPORTED && e->kind != ERR_DENIED)
        return -1;
    return obj_list(store, &req, NULL, collect, d, e);
}

/* How many stay; the result of each is in d. */
static uint64_t remove_found(struct obj_store *store,
                             const struct cancel *cancel, struct doomed *d)
{
    struct obj_req req = { .deadline = patience(cancel) };
    struct err e = { 0 };
    uint64_t stay = 0;

    if (d->n == 0)
        return 0;
    if (obj_delete_many(store, &req, d->names, d->n, false, &e) == 0) {
        for (size_t i = 0; i < d->n; i++)
            stay += d->names[i].result != ERR_NONE;
        return stay;
    }
    bool singly = e.kind == ERR_UNSUPPORTED;
    for (size_t i = 0; i < d->n; i++) {
        struct obj_req one = { .key = d->names[i].key,
                               .version = d->names[i].version,
                               .deadline = patience(cancel) };
        int r = singly ? obj_delete(store, &one, false, &e) : -1;
        d->names[i].result = r == 0 ? ERR_NONE : e.kind;
        stay += r < 0;
    }
    return stay;
}

static bool any_locked(const struct doomed *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->names[i].result == ERR_LOCKED)
            return true;
    return false;
}

uint64_t eng_scratch_remove(struct obj_store *store, const char *base,
                            const struct cancel *cancel)
{
    AUTO_MEM struct doomed *d = calloc(1, sizeof *d);
    uint64_t stay = 0;
    struct err e;

    if (d == NULL)
        return 1;
    for (int round = 0; round < ROUNDS; round++) {
        if (find(store, base, cancel, d, &e) < 0) {
            stay = stay > 0 ? stay : 1;
            break;
        }
        bool more = d->n == BATCH;
        stay = remove_found(store, cancel, d);
        if (stay == 0 && more) {
            round = -1; /* it got shorter: the next page */
            continue;
        }
        if (stay == 0 || !any_locked(d))
            break;
        if (cancel_sleep(cancel, 1000, &e) < 0)
            break;
    }
    doomed_clear(d);
    return stay;
}

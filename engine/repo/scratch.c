// SPDX-License-Identifier: Apache-2.0
/* Objects that are there for a moment only. */
#include "engine/repo/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/cancel.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/utc.h"

#define BATCH 1000
#define STOP_MS 3000
#define ROUNDS 12 /* a second apart: the longest lock of a probe and some */
#define NOTED_MAX ((size_t)256 << 20)
#define OLD_S INT64_C(86400) /* nothing runs for so long */
#define RANDOM_CHARS 16      /* of a name */

static const char *const kinds[] = { "gc/probe-", "gc/bench-" };
#define KINDS (sizeof kinds / sizeof kinds[0])

int eng_scratch_name(const char *what, char out[ENG_SCRATCH_CHARS],
                     struct err *e)
{
    uint8_t raw[RANDOM_CHARS / 2];
    char hex[2 * sizeof raw + 1];

    if (digest_random(raw, sizeof raw, e) < 0)
        return -1;
    digest_hex(span_of(raw, sizeof raw), hex);
    (void)snprintf(out, ENG_SCRATCH_CHARS, "gc/%s-%s/", what, hex);
    return 0;
}

bool eng_scratch_owns(const char *key)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strncmp(key, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

/* What eng_scratch_name makes, and nothing that is only called alike. */
static bool is_ours(const char *key)
{
    const char *name = eng_scratch_owns(key) ? key + strlen(kinds[0]) : "";

    return strspn(name, "0123456789abcdef") == RANDOM_CHARS &&
           name[RANDOM_CHARS] == '/';
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
    if (info.lock.mode != OBJ_LOCK_NONE)
        return refuse(e);
    /* A listing may not show this version; else it goes with the others. */
    struct err ignored;
    req.version = info.version[0] != '\0' ? info.version : NULL;
    (void)!obj_delete(store, &req, false, &ignored);
    return 0;
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
    int64_t before; /* only those of ours from before that time; 0: all */
};

static void doomed_clear(struct doomed *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->keys[i]);
        free(d->versions[i]);
    }
    d->n = 0;
}

static int doom(struct doomed *d, const char *key, const char *version,
                struct err *e)
{
    bool versioned = version[0] != '\0';
    char **copy = &d->versions[d->n];

    d->keys[d->n] = strdup(key);
    *copy = versioned ? strdup(version) : NULL;
    d->names[d->n] =
        (struct obj_name){ .key = d->keys[d->n], .version = *copy };
    if (d->keys[d->n++] == NULL || (versioned && *copy == NULL))
        return err_nomem(e);
    return d->n == BATCH ? 1 : 0;
}

static int collect(void *ctx, const char *key, const struct obj_info *info,
                   struct err *e)
{
    struct doomed *d = ctx;

    if (d->before != 0 && (info->modified >= d->before || !is_ours(key)))
        return 0;
    return doom(d, key, info->version, e);
}

/* A server that is silent must not keep somebody who wants to stop. */
static int64_t patience(const struct cancel *cancel)
{
    return cancel_requested(cancel) ? utc_mono_ms() + STOP_MS : 0;
}

/* Who only sweeps can be stopped; else what is ours goes in any case. */
static int find(struct obj_store *store, const char *base,
                const struct cancel *cancel, struct doomed *d, struct err *e)
{
    struct obj_req req = { .key = base,
                           .cancel = d->before != 0 ? cancel : NULL,
                           .deadline = patience(cancel) };
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

static uint64_t remove_below(struct obj_store *store, const char *base,
                             const struct cancel *cancel, struct doomed *d)
{
    uint64_t stay = 0;
    struct err e;

    for (int round = 0; round < ROUNDS; round++) {
        if (find(store, base, cancel, d, &e) < 0)
            return stay > 0 ? stay : 1;
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
    return stay;
}

void eng_scratch_puts_init(struct eng_scratch_puts *puts)
{
    *puts = (struct eng_scratch_puts){ .text = buf_init(NOTED_MAX) };
    pthread_mutex_init(&puts->lock, NULL);
}

int eng_scratch_look(struct eng_scratch_puts *puts, struct obj_store *store,
                     const char *base, const struct cancel *cancel,
                     struct err *e)
{
    struct obj_req req = { .key = base, .cancel = cancel };
    struct obj_list_opts versions = { .versions = true };
    AUTO_MEM struct doomed *d = calloc(1, sizeof *d);

    if (d == NULL)
        return err_nomem(e);
    int r = obj_list(store, &req, &versions, collect, d, e);
    doomed_clear(d);
    puts->hidden = r < 0 && e->kind == ERR_DENIED;
    return r == 0 || puts->hidden || e->kind == ERR_UNSUPPORTED ? 0 : -1;
}

void eng_scratch_puts_fini(struct eng_scratch_puts *puts)
{
    buf_free(&puts->text);
    pthread_mutex_destroy(&puts->lock);
}

void eng_scratch_note(struct eng_scratch_puts *puts, const char *key,
                      const struct obj_info *info)
{
    struct err e;

    if (!puts->hidden || info->version[0] == '\0')
        return;
    pthread_mutex_lock(&puts->lock);
    size_t len = puts->text.len;
    buf_append(&puts->text, key, strlen(key) + 1);
    buf_append(&puts->text, info->version, strlen(info->version) + 1);
    if (buf_check(&puts->text, &e) < 0) {
        puts->text.len = len; /* no half of a pair */
        puts->lost++;
    }
    pthread_mutex_unlock(&puts->lock);
}

/* Takes names from *at of what was noted until the page is full. */
static int take_noted(const struct eng_scratch_puts *puts, size_t *at,
                      struct doomed *d, struct err *e)
{
    int r = 0;

    doomed_clear(d);
    while (r == 0 && *at < puts->text.len) {
        const char *key = (const char *)puts->text.p + *at;
        const char *version = key + strlen(key) + 1;
        *at += strlen(key) + strlen(version) + 2;
        r = doom(d, key, version, e);
    }
    return r < 0 ? -1 : 0;
}

/* Those whose versions are known go; what a listing shows then was put by a
 * request whose answer was lost: it can be hidden, but not removed. */
static uint64_t remove_hidden(struct obj_store *store, const char *base,
                              struct eng_scratch_puts *puts,
                              const struct cancel *cancel, struct doomed *d)
{
    uint64_t stay = puts->lost;
    size_t at = 0;
    struct err e;

    while (at < puts->text.len)
        stay += take_noted(puts, &at, d, &e) < 0
                    ? 1
                    : remove_found(store, cancel, d);
    buf_reset(&puts->text);
    puts->lost = 0;
    if (find(store, base, cancel, d, &e) < 0)
        return stay > 0 ? stay : 1;
    if (d->n > 0) {
        stay += d->n;
        (void)remove_below(store, base, cancel, d);
    }
    return stay;
}

uint64_t eng_scratch_remove(struct obj_store *store, const char *base,
                            struct eng_scratch_puts *puts,
                            const struct cancel *cancel)
{
    AUTO_MEM struct doomed *d = calloc(1, sizeof *d);

    if (d == NULL)
        return 1;
    uint64_t stay = puts != NULL && puts->hidden
                        ? remove_hidden(store, base, puts, cancel, d)
                        : remove_below(store, base, cancel, d);
    doomed_clear(d);
    return stay;
}

/* How many went. */
static uint64_t sweep(struct obj_store *store, const char *kind,
                      const struct cancel *cancel, struct doomed *d)
{
    uint64_t gone = 0, stay = 0;
    struct err e;
    bool more = true;

    while (more && stay == 0 && !cancel_requested(cancel)) {
        if (find(store, kind, cancel, d, &e) < 0)
            break;
        more = d->n == BATCH;
        stay = remove_found(store, cancel, d);
        gone += d->n - stay;
    }
    return gone;
}

void eng_scratch_sweep(struct obj_store *store, const struct cancel *cancel)
{
    AUTO_MEM struct doomed *d = calloc(1, sizeof *d);
    uint64_t gone = 0;

    if (d == NULL)
        return;
    d->before = utc_real_now() + obj_store_clock_offset(store) - OLD_S;
    for (size_t i = 0; i < KINDS; i++)
        gone += sweep(store, kinds[i], cancel, d);
    doomed_clear(d);
    if (gone > 0)
        log_info("scratch",
                 "%llu objects that a probe or a benchmark left behind are "
                 "removed",
                 (unsigned long long)gone);
}

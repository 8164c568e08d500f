// SPDX-License-Identifier: Apache-2.0
/*
 * A collector as the rules for locked repositories allow the meanest one to be:
 * it marks, dawdles, and deletes every version that no manifest named, until
 * its mark runs out.  Writers must withstand it whatever the engine's own
 * collector does.  Points go at random, once the server lets them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/objkey.h"
#include "tests/interleave/model_read.h"
#include "tests/interleave/net.h"
#include "tests/interleave/play.h"

#define FOUND_MAX 8192
#define BATCH 4

struct found {
    struct obj_name names[FOUND_MAX]; /* owned texts */
    size_t n;
};

struct sweep {
    struct player *player;
    struct obj_store *store;
    int64_t sign_before;
    struct found objects, points;
    struct model_refs needed;
};

static int note(void *ctx, const char *key, const struct obj_info *info,
                struct err *e)
{
    struct found *f = ctx;

    (void)e;
    if (f->n == FOUND_MAX) {
        fprintf(stderr, "more versions than a sweeper has room for\n");
        abort();
    }
    f->names[f->n++] = (struct obj_name){ .key = strdup(key),
                                          .version = strdup(info->version) };
    return 0;
}

static void found_fini(struct found *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free((void *)(uintptr_t)f->names[i].key);
        free((void *)(uintptr_t)f->names[i].version);
    }
}

static void sweep_fini(struct sweep *s)
{
    found_fini(&s->objects);
    found_fini(&s->points);
    model_refs_free(&s->needed);
    obj_store_close(s->store);
    free(s);
}

static int list(struct sweep *s, const char *prefix, struct found *to,
                struct err *e)
{
    struct obj_req r = { .key = prefix, .cancel = &s->player->actor.cancel };
    struct obj_list_opts o = { .versions = true };

    return obj_list(s->store, &r, &o, note, to, e);
}

/* Somebody else deleted this version since it was listed.  A page that was to
 * begin behind it leaves out all other versions of the manifest. */
static int list_again(struct sweep *s, const struct obj_name *name,
                      struct err *e)
{
    return list(s, name->key, &s->points, e);
}

static int mark_point(struct sweep *s, const struct obj_name *name,
                      struct err *e)
{
    AUTO_BUF struct buf bytes = buf_init(1u << 20);
    struct obj_req r = { .key = name->key,
                         .version = name->version,
                         .cancel = &s->player->actor.cancel };

    if (obj_get(s->store, &r, NULL, &bytes, NULL, e) < 0)
        return e->kind == ERR_NOTFOUND ? list_again(s, name, e) : -1;
    AUTO_MF_POINT struct mf_point *m = mf_point_decode(buf_span(&bytes), e);
    if (m == NULL)
        return -1;
    if (model_read_point(s->store, m, NULL, &s->needed, e) == 0)
        return 0;
    /* Its page may be gone because it is itself, by now. */
    return e->kind == ERR_NOTFOUND && obj_head(s->store, &r, NULL, e) < 0 &&
                   e->kind == ERR_NOTFOUND
               ? list_again(s, name, e)
               : -1;
}

/* Names in batches; what the server refuses stays. */
static int remove_batch(struct sweep *s, struct obj_name *names, size_t n,
                        struct err *e)
{
    struct obj_req r = { .key = "",
                         .cancel = &s->player->actor.cancel,
                         .sign_before = s->sign_before };

    if (n == 0)
        return 0;
    if (obj_delete_many(s->store, &r, names, n, false, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        play_counts.collected += names[i].result == ERR_NONE;
    return 0;
}

/* Of several versions of what is needed one that is locked for longer than the
 * mark lasts, and half an hour, makes the others surplus.  *keep: which; n:
 * none, and none could be made so. */
static int find_keeper(struct sweep *s, const struct obj_name *names, size_t n,
                       size_t *keep, struct err *e)
{
    int64_t until = s->sign_before + 1800 + 1;

    for (*keep = 0; *keep < n; (*keep)++) {
        struct obj_req r = { .key = names[*keep].key,
                             .version = names[*keep].version,
                             .cancel = &s->player->actor.cancel,
                             .sign_before = s->sign_before };
        struct obj_lock lock = { .mode = OBJ_LOCK_COMPLIANCE, .until = until };
        struct obj_info info;
        if (obj_head(s->store, &r, &info, e) < 0) {
            if (e->kind != ERR_NOTFOUND)
                return -1;
            continue;
        }
        if (info.lock.until >= until)
            return 0;
        if (world_chance(500) &&
            (obj_set_lock(s->store, &r, &lock, false, e) == 0 ||
             e->kind == ERR_LOCKED)) /* it lasts longer by now */
            return 0;
    }
    return 0;
}

static int delete_surplus(struct sweep *s, struct err *e)
{
    struct obj_name *all = s->objects.names;
    size_t n = 1;

    for (size_t i = 0; i < s->objects.n; i += n) {
        size_t keep = 0;
        for (n = 1;
             i + n < s->objects.n && strcmp(all[i].key, all[i + n].key) == 0;)
            n++;
        if (n == 1 || !model_refs_have(&s->needed, all[i].key))
            continue;
        if (find_keeper(s, all + i, n, &keep, e) < 0)
            return -1;
        for (size_t v = 0; keep < n && v < n; v++)
            if (v != keep && remove_batch(s, &all[i + v], 1, e) < 0)
                return -1;
    }
    return 0;
}

static int delete_garbage(struct sweep *s, struct err *e)
{
    struct obj_name batch[BATCH];
    size_t n = 0;

    for (size_t i = 0; i < s->objects.n; i++) {
        struct mf_id id;
        const char *key = s->objects.names[i].key;
        if ((!mf_key_parse_block(key, MF_KEYSET_PLAIN, &id) &&
             !mf_key_parse_page(key, MF_KEYSET_PLAIN, &id)) ||
            model_refs_have(&s->needed, key))
            continue;
        batch[n++] = s->objects.names[i];
        if (n < BATCH)
            continue;
        if (remove_batch(s, batch, n, e) < 0)
            return -1;
        n = 0;
        if (world_chance(200)) /* until the very end of the mark */
            world_sleep(world_between(0, 2 * HOUR));
    }
    return remove_batch(s, batch, n, e);
}

/* Some points go first: their time is over where the server lets them. */
static int delete_points(struct sweep *s, struct err *e)
{
    for (size_t i = 0; i < s->points.n; i++)
        if (world_chance(300) && remove_batch(s, &s->points.names[i], 1, e) < 0)
            return -1;
    return 0;
}

static int sweep(struct sweep *s, int64_t mark_s, struct err *e)
{
    struct obj_req r = { .key = "", .cancel = &s->player->actor.cancel };
    struct obj_bucket b;

    if (list(s, "plain/points/", &s->points, e) < 0 ||
        delete_points(s, e) < 0 || obj_bucket_info(s->store, &r, &b, e) < 0)
        return -1;
    s->sign_before = b.server_time + mark_s;
    found_fini(&s->points);
    s->points.n = 0;
    if (list(s, "plain/", &s->objects, e) < 0 ||
        list(s, "plain/points/", &s->points, e) < 0)
        return -1;
    for (size_t i = 0; i < s->points.n; i++)
        if (mark_point(s, &s->points.names[i], e) < 0)
            return -1;
    world_trace("has marked %zu points", s->points.n);
    return delete_surplus(s, e) < 0 ? -1 : delete_garbage(s, e);
}

int play_sweep(struct player *p, int64_t mark_s, struct err *e)
{
    struct sweep *s = calloc(1, sizeof(*s));

    if (s == NULL)
        abort();
    s->player = p;
    s->store = net_open(&p->place.store, e);
    int r = s->store != NULL ? sweep(s, mark_s, e) : -1;
    sweep_fini(s);
    return r;
}

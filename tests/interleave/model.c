// SPDX-License-Identifier: Apache-2.0
/* The model remembers each point that became visible, with the keys that it
 * needs and the machine that it is of. */
#include "tests/interleave/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "manifest/objkey.h"
#include "manifest/point.h"
#include "tests/interleave/model_read.h"
#include "tests/interleave/world.h"

#define POINTS_MAX 256
#define SIGNED_MAX 64

struct known_point {
    char *key; /* owned */
    bool visible;
    bool has_guest;
    struct guest guest;
    int64_t locked_until;
    struct model_refs refs;
};

static struct {
    struct obj_store *store;
    bool locked;
    struct known_point points[POINTS_MAX];
    unsigned n, made;
    struct {
        const struct actor *actor;
        struct guest guest;
    } machines[WORLD_ACTORS];
    unsigned n_machines;
    struct {
        char *key;
        struct guest guest;
    } about[SIGNED_MAX];
    unsigned n_about;
} model;

void model_begin(struct obj_store *store, bool locked)
{
    memset(&model, 0, sizeof(model));
    model.store = store;
    model.locked = locked;
}

void model_end(void)
{
    for (unsigned i = 0; i < model.n; i++) {
        free(model.points[i].key);
        model_refs_free(&model.points[i].refs);
    }
    for (unsigned i = 0; i < model.n_about; i++)
        free(model.about[i].key);
    model.n = model.n_about = 0;
    model.store = NULL;
}

static bool is_point(const char *key)
{
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];

    return mf_key_parse_point(key, MF_KEYSET_PLAIN, vm_key, file);
}

void model_machine(const struct guest *g)
{
    const struct actor *a = world_current();
    unsigned i = 0;

    while (i < model.n_machines && model.machines[i].actor != a)
        i++;
    if (i == model.n_machines)
        model.n_machines++;
    model.machines[i].actor = a;
    model.machines[i].guest = *g;
}

void model_signed(const char *key)
{
    const struct actor *a = world_current();

    if (model.store == NULL || !is_point(key) || model.n_about == SIGNED_MAX)
        return;
    for (unsigned i = 0; i < model.n_machines; i++)
        if (model.machines[i].actor == a) {
            model.about[model.n_about].key = strdup(key);
            model.about[model.n_about++].guest = model.machines[i].guest;
        }
}

static struct known_point *find_point(const char *key)
{
    for (unsigned i = 0; i < model.n; i++)
        if (strcmp(model.points[i].key, key) == 0)
            return &model.points[i];
    return NULL;
}

static struct known_point *add_point(const char *key)
{
    if (model.n == POINTS_MAX) {
        fprintf(stderr, "more points than the model has room for\n");
        abort();
    }
    struct known_point *p = &model.points[model.n++];
    *p = (struct known_point){ .key = strdup(key) };
    for (unsigned i = 0; i < model.n_about; i++)
        if (strcmp(model.about[i].key, key) == 0) {
            p->guest = model.about[i].guest;
            p->has_guest = true;
        }
    return p;
}

/* Everything that p needs is there, and locked for as long as p says. */
static void check_there(const struct known_point *p, bool deep)
{
    char why[256];

    for (size_t i = 0; i < p->refs.n; i++)
        if (!model_read_there(model.store, p->refs.keys[i],
                              model.locked ? p->locked_until : 0, why,
                              sizeof(why))) {
            world_fail("%s needs %s: %s", p->key, p->refs.keys[i], why);
            return;
        }
    if (model.locked && !model_read_there(model.store, p->key, p->locked_until,
                                          why, sizeof(why)))
        world_fail("%s itself: %s", p->key, why);
    if (deep)
        model_read_bytes(model.store, p->key, &p->refs);
}

void model_put(const char *key, struct span body)
{
    struct err e = { 0 };

    if (model.store == NULL || !is_point(key))
        return;
    struct known_point *p = find_point(key);
    if (p != NULL) { /* once more the same, perhaps after it was removed */
        bool back = !p->visible;
        p->visible = true;
        if (back)
            check_there(p, false);
        return;
    }
    p = add_point(key);
    AUTO_MF_POINT struct mf_point *m = mf_point_decode(body, &e);
    if (m == NULL) {
        world_fail("%s: %s", key, e.msg);
        return;
    }
    world_trace("visible: %s", key);
    p->visible = true;
    p->locked_until = m->locked_until;
    model.made++;
    if (model.locked)
        model_refs_add(&p->refs, MF_DESCRIPTOR_KEY);
    if (model_read_point(model.store, m, p->has_guest ? &p->guest : NULL,
                         &p->refs, &e) < 0)
        world_fail("%s: %s", key, e.msg);
    else
        check_there(p, false);
}

static bool is_there(const char *key)
{
    char why[256];

    return model_read_there(model.store, key, 0, why, sizeof(why));
}

void model_removed(const char *key)
{
    struct known_point *p = find_point(key);

    if (model.store == NULL || is_there(key))
        return;
    if (p != NULL) {
        world_trace("gone: %s", key);
        p->visible = false;
        return;
    }
    for (unsigned i = 0; i < model.n; i++) {
        p = &model.points[i];
        if (p->visible && model_refs_have(&p->refs, key))
            world_fail("%s was removed, and %s needs it", key, p->key);
    }
}

void model_check(void)
{
    int64_t now = world_now_ms() / 1000;

    for (unsigned i = 0; i < model.n && world_failure() == NULL; i++) {
        struct known_point *p = &model.points[i];
        if (!p->visible)
            continue;
        if (!is_there(p->key))
            world_fail("%s is gone, and nobody removed it", p->key);
        if (p->locked_until < now)
            p->locked_until = 0; /* its time is over */
        check_there(p, true);
    }
}

struct garbage {
    unsigned n;
    int64_t now;
};

static int on_object(void *ctx, const char *key, const struct obj_info *info,
                     struct err *e)
{
    struct garbage *g = ctx;
    struct mf_id id;

    (void)e;
    if (info->lock.mode != OBJ_LOCK_NONE && info->lock.until > g->now)
        return 0;
    if (!mf_key_parse_block(key, MF_KEYSET_PLAIN, &id) &&
        !mf_key_parse_page(key, MF_KEYSET_PLAIN, &id))
        return 0;
    for (unsigned i = 0; i < model.n; i++)
        if (model.points[i].visible &&
            model_refs_have(&model.points[i].refs, key))
            return 0;
    world_trace("garbage: %s", key);
    g->n++;
    return 0;
}

unsigned model_garbage(void)
{
    struct garbage g = { .now = world_now_ms() / 1000 };
    struct obj_req r = { .key = "" };
    struct obj_list_opts o = { .versions = model.locked };
    struct err e = { 0 };

    if (obj_list(model.store, &r, &o, on_object, &g, &e) < 0)
        world_fail("list: %s", e.msg);
    return g.n;
}

bool model_is_visible(const char *key)
{
    const struct known_point *p = find_point(key);

    return p != NULL && p->visible;
}

unsigned model_points_made(void)
{
    return model.made;
}

unsigned model_points(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < model.n; i++)
        n += model.points[i].visible;
    return n;
}

// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_REPO_ROTATING_H
#define TESTS_UNIT_ENGINE_REPO_ROTATING_H

/*
 * A key server in memory that processes share, and processes that are killed:
 * everything that a child does to it or to the storage counts as two steps, one
 * before it is done and one after, and at a given one the child is gone.  The
 * functions of the storage are the linker's --wrap (tests/unit/engine.cmake).
 */
#include "tests/unit/engine/keyed.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "engine/repo/keyset_rotate.h"
#include "objstore/store.h"

#define KEYS_MAX 200

struct shelf_key {
    char name[MF_SLOT_TEXT_CHARS];
    bool active, lost;
};

static struct shelf {
    struct shelf_key key[KEYS_MAX]; /* identifier: the index, plus 1 */
    unsigned n;
    int steps;             /* until the process is killed; 0: never */
    enum err_kind refuses; /* revocations */
    const char *away;      /* the server of this name */
    bool meanwhile;        /* once: another host rotates while a key is made */
} * shelf;

static inline void step(void)
{
    if (shelf != NULL && shelf->steps > 0 && --shelf->steps == 0)
        _exit(9);
}

static inline struct shelf_key *shelf_find(const char *uid)
{
    unsigned n = (unsigned)strtoul(uid, NULL, 10);

    return n >= 1 && n <= shelf->n && !shelf->key[n - 1].lost
               ? &shelf->key[n - 1]
               : NULL;
}

static inline int shelf_get(void *client, const struct cancel *cancel,
                            const char *uid, bool wrapping, bool restoring,
                            struct secret **kek, struct err *e)
{
    uint8_t bytes[DIGEST_SHA256_BYTES];
    const struct shelf_key *k = shelf_find(uid);

    (void)cancel;
    step();
    if (shelf->away != NULL && client != NULL &&
        strcmp(client, shelf->away) == 0)
        return err_set(e, ERR_UNREACHABLE, 0, "%s is away", shelf->away);
    if (k == NULL)
        return err_set(e, ERR_NOTFOUND, 0, "no key %s", uid);
    if (!k->active && (wrapping || !restoring))
        return err_set(e, ERR_DENIED, 0, "key %s is deactivated", uid);
    if (digest_sha256(span_str(k->name), bytes, e) < 0)
        return -1;
    *kek = secret_new(span_of(bytes, sizeof bytes), e);
    return *kek != NULL ? 0 : -1;
}

static inline unsigned shelf_add(const char *name)
{
    assert_true(shelf->n < KEYS_MAX);
    struct shelf_key *k = &shelf->key[shelf->n++];
    snprintf(k->name, sizeof k->name, "%s", name);
    k->active = true;
    return shelf->n;
}

static void (*shelf_meanwhile)(void);

static inline int shelf_take(void *client, const struct cancel *cancel,
                             const char *name, char uid[MF_SLOT_TEXT_CHARS],
                             struct err *e)
{
    unsigned at = 0;

    (void)client;
    (void)cancel;
    step();
    for (unsigned i = 0; i < shelf->n; i++)
        if (strcmp(shelf->key[i].name, name) == 0)
            at = i + 1;
    if (at != 0 && !shelf->key[at - 1].active)
        return err_set(e, ERR_EXISTS, 0, "key %u is deactivated", at);
    if (shelf->meanwhile) {
        shelf->meanwhile = false;
        shelf_meanwhile();
    }
    if (at == 0)
        at = shelf_add(name);
    snprintf(uid, MF_SLOT_TEXT_CHARS, "%u", at);
    step();
    return 0;
}

static inline int shelf_active(void *client, const struct cancel *cancel,
                               const char *uid, bool *active, struct err *e)
{
    const struct shelf_key *k = shelf_find(uid);

    (void)client;
    (void)cancel;
    step();
    /* What an attempt before the one that succeeded has left. */
    err_set(e, ERR_UNREACHABLE, 0, "the first attempt");
    *active = k != NULL && k->active;
    return 0;
}

static inline int shelf_retire(void *client, const struct cancel *cancel,
                               const char *uid, struct err *e)
{
    struct shelf_key *k = shelf_find(uid);

    (void)client;
    (void)cancel;
    step();
    if (shelf->refuses != ERR_NONE)
        return err_set(e, shelf->refuses, 0, "the server says no");
    if (k == NULL)
        return err_set(e, ERR_NOTFOUND, 0, "no key %s", uid);
    k->active = false;
    err_set(e, ERR_UNREACHABLE, 0, "the first attempt");
    step();
    return 0;
}

/* Identifier of the one active key; 0: there is none, or several. */
static inline unsigned shelf_active_one(void)
{
    unsigned at = 0, n = 0;

    for (unsigned i = 0; i < shelf->n; i++)
        if (shelf->key[i].active) {
            at = i + 1;
            n++;
        }
    return n == 1 ? at : 0;
}

/* --- the storage, with steps --- */

int __real_obj_put(struct obj_store *s, const struct obj_req *req,
                   struct span body, const struct obj_put_opts *o,
                   struct obj_info *info, struct err *e);
int __wrap_obj_put(struct obj_store *s, const struct obj_req *req,
                   struct span body, const struct obj_put_opts *o,
                   struct obj_info *info, struct err *e);
int __wrap_obj_put(struct obj_store *s, const struct obj_req *req,
                   struct span body, const struct obj_put_opts *o,
                   struct obj_info *info, struct err *e)
{
    step();
    int r = __real_obj_put(s, req, body, o, info, e);
    step();
    return r;
}

int __real_obj_delete(struct obj_store *s, const struct obj_req *req,
                      bool bypass, struct err *e);
int __wrap_obj_delete(struct obj_store *s, const struct obj_req *req,
                      bool bypass, struct err *e);
int __wrap_obj_delete(struct obj_store *s, const struct obj_req *req,
                      bool bypass, struct err *e)
{
    step();
    int r = __real_obj_delete(s, req, bypass, e);
    step();
    return r;
}

#endif

// SPDX-License-Identifier: Apache-2.0
/*
 * Probe: versions, and locks of a few seconds.  Everything is asked of one
 * version by its id; what is locked here is free again after 10 seconds.
 */
#include <string.h>

#include "engine/repo/probing.h"
#include "objstore/probe.h"

#define LOCK_S 6
#define SHORTER_S 1

static void none(struct eng_probing *p, enum eng_probe_item first,
                 enum eng_probe_item last, enum eng_probe_result result,
                 const char *why)
{
    for (int i = (int)first; i <= (int)last; i++)
        eng_probing_set(p, (enum eng_probe_item)i, result, "%s", why);
}

struct seen_versions {
    unsigned n;
    bool latest_first;
};

static int count_versions(void *ctx, const char *key,
                          const struct obj_info *info, struct err *e)
{
    struct seen_versions *s = ctx;

    (void)key;
    (void)e;
    if (s->n == 0)
        s->latest_first = info->latest;
    s->n++;
    return 0;
}

/* 1: as versions should be; 0: the row is filled; -1. */
static int versions(struct eng_probing *p, struct err *e)
{
    const enum eng_probe_item item = ENG_PROBE_VERSIONS;
    struct eng_probing_key key = eng_probing_key(p, "twice");
    struct obj_req req = { .key = key.s, .cancel = p->cancel };
    struct obj_list_opts all = { .versions = true };
    struct obj_info first = { 0 }, second = { 0 };
    struct seen_versions seen = { 0 };

    if (eng_probing_put(p, "twice", "first", NULL, &first, e) < 0 ||
        eng_probing_put(p, "twice", "second", NULL, &second, e) < 0 ||
        obj_list(p->store, &req, &all, count_versions, &seen, e) < 0)
        return eng_probing_failed(p, item, e);
    if (first.version[0] == '\0' ||
        strcmp(first.version, second.version) == 0) {
        eng_probing_set(p, item, ENG_PROBE_NO,
                        "two PUTs do not make two versions");
        return 0;
    }
    int old = eng_probing_holds(p, "twice", first.version, "first", e);
    if (old < 0)
        return eng_probing_failed(p, item, e);
    if (old == 0 || seen.n != 2 || !seen.latest_first) {
        eng_probing_set(p, item, ENG_PROBE_NO, "%s",
                        old == 0 ? "the old version cannot be read"
                                 : "the list of versions is not right");
        return 0;
    }
    eng_probing_set(p, item, ENG_PROBE_YES, "%s", "");
    if (eng_probing_delete(p, "twice", second.version, false, e) < 0) {
        if (e->kind != ERR_DENIED)
            return eng_probing_failed(p, item, e);
        return 0;
    }
    int back = eng_probing_holds(p, "twice", NULL, "first", e);
    if (back < 0)
        return eng_probing_failed(p, item, e);
    if (back == 0)
        eng_probing_set(p, item, ENG_PROBE_NO,
                        "deleting a version does not bring back the older one");
    return 0;
}

/* One locked version and what is known of it. */
struct locked {
    const char *name;
    struct obj_lock lock;
    struct obj_info info;
};

static struct obj_req req_of(const struct eng_probing *p,
                             const struct locked *l,
                             struct eng_probing_key *key)
{
    *key = eng_probing_key(p, l->name);
    return (struct obj_req){ .key = key->s,
                             .version = eng_probing_version(&l->info),
                             .cancel = p->cancel };
}

/* Reads the lock back: 1: as wanted; 0: the row is filled; -1. */
static int put_locked(struct eng_probing *p, struct locked *l,
                      enum eng_probe_item item, struct err *e)
{
    struct obj_put_opts opts = { .lock = l->lock };
    struct eng_probing_key key;
    struct obj_lock is = { 0 };

    if (eng_probing_put(p, l->name, "locked", &opts, &l->info, e) < 0)
        return eng_probing_failed(p, item, e);
    struct obj_req req = req_of(p, l, &key);
    if (obj_get_lock(p->store, &req, &is, e) < 0)
        return eng_probing_failed(p, item, e);
    if (is.mode == l->lock.mode && is.until >= l->lock.until)
        return 1;
    eng_probing_set(p, item, ENG_PROBE_NO, "%s",
                    is.mode == OBJ_LOCK_NONE
                        ? "the PUT succeeded, and there is no lock"
                        : "the lock is not the one that was asked for");
    return 0;
}

/* A call that a lock must refuse, and that asks for something that makes sense
 * only before `until`: fills the row by what became of it.  The server's time
 * is known to a second. */
static int must_be_locked(struct eng_probing *p, enum eng_probe_item item,
                          int64_t until, int result, const char *if_done,
                          struct err *e)
{
    bool refused = result < 0 && e->kind == ERR_LOCKED;

    if (!refused && eng_probing_now(p) + 1 >= until) {
        eng_probing_set(p, item, ENG_PROBE_UNKNOWN,
                        "the lock had ended before the server was asked");
        return 0;
    }
    if (result == 0) {
        eng_probing_set(p, item, ENG_PROBE_NO, "%s", if_done);
        return 0;
    }
    if (!refused)
        return eng_probing_failed(p, item, e);
    eng_probing_set(p, item, ENG_PROBE_YES, "%s", "");
    return 0;
}

static int compliance(struct eng_probing *p, struct locked *l, struct err *e)
{
    struct obj_lock shorter = l->lock;
    struct eng_probing_key key;

    int r = put_locked(p, l, ENG_PROBE_LOCK_KEPT, e);
    if (r <= 0)
        return r;
    eng_probing_set(p, ENG_PROBE_LOCK_KEPT, ENG_PROBE_YES, "%s", "");
    struct obj_req req = req_of(p, l, &key);
    shorter.until -= SHORTER_S;
    r = obj_set_lock(p->store, &req, &shorter, true, e);
    if (must_be_locked(p, ENG_PROBE_LOCK_SHORTEN, shorter.until, r,
                       "a COMPLIANCE lock was shortened", e) < 0)
        return -1;
    /* The bypass must make no difference under COMPLIANCE. */
    r = obj_delete(p->store, &req, true, e);
    return must_be_locked(p, ENG_PROBE_LOCK_HOLDS, l->lock.until, r,
                          "a locked version was deleted", e);
}

/* Some servers lift GOVERNANCE for anybody who asks for an empty retention;
 * and these keys may have the right to bypass it. */
static int governance(struct eng_probing *p, struct locked *l, struct err *e)
{
    const enum eng_probe_item item = ENG_PROBE_GOVERNANCE;
    struct eng_probing_key key;
    enum obj_probe_answer answer;
    struct obj_lock is = { 0 };

    int r = put_locked(p, l, item, e);
    if (r <= 0)
        return r;
    struct obj_req req = req_of(p, l, &key);
    if (obj_probe_unlock(p->store, &req, &answer, e) < 0 ||
        obj_get_lock(p->store, &req, &is, e) < 0)
        return eng_probing_failed(p, item, e);
    if (answer == OBJ_PROBE_TAKEN && is.mode == OBJ_LOCK_NONE) {
        eng_probing_set(p, item, ENG_PROBE_NO,
                        "an empty retention with the bypass header lifted it");
        return 0;
    }
    if (obj_delete(p->store, &req, true, e) == 0) {
        eng_probing_set(p, item, ENG_PROBE_NO,
                        "a delete with the bypass header went through");
        return 0;
    }
    if (e->kind != ERR_LOCKED && e->kind != ERR_DENIED)
        return eng_probing_failed(p, item, e);
    eng_probing_set(p, item, ENG_PROBE_YES, "%s", "");
    return 0;
}

/* Waits for the lock's end and deletes. */
static int ends(struct eng_probing *p, const struct locked *l, struct err *e)
{
    const enum eng_probe_item item = ENG_PROBE_LOCK_ENDS;
    struct eng_probing_key key;
    struct obj_req req = req_of(p, l, &key);

    if (p->out->rows[ENG_PROBE_LOCK_HOLDS].result != ENG_PROBE_YES)
        return 0; /* gone already, or never locked */
    int64_t left = l->lock.until + 1 - eng_probing_now(p);
    if (left > 0 && cancel_sleep(p->cancel, left * 1000, e) < 0)
        return -1;
    for (int tries = 0; tries < 3; tries++) {
        if (obj_delete(p->store, &req, false, e) == 0) {
            eng_probing_set(p, item, ENG_PROBE_YES, "%s", "");
            return 0;
        }
        if (e->kind != ERR_LOCKED)
            break;
        if (cancel_sleep(p->cancel, 1000, e) < 0)
            return -1;
    }
    return eng_probing_failed(p, item, e);
}

int eng_probing_locks(struct eng_probing *p, struct err *e)
{
    unsigned lock_s = p->opts->lock_s != 0 ? p->opts->lock_s : LOCK_S;
    int64_t until = eng_probing_now(p) + lock_s;
    struct locked c = { .name = "locked",
                        .lock = { OBJ_LOCK_COMPLIANCE, until, false } };
    struct locked g = { .name = "governed",
                        .lock = { OBJ_LOCK_GOVERNANCE, until, false } };

    if (!p->bucket_known) {
        none(p, ENG_PROBE_VERSIONS, ENG_PROBE_SETTINGS, ENG_PROBE_DENIED,
             "these keys may not read the bucket's settings");
        return 0;
    }
    if (p->bucket.versioning == OBJ_VERSIONS_ON) {
        if (versions(p, e) < 0)
            return -1;
    } else {
        none(p, ENG_PROBE_VERSIONS, ENG_PROBE_VERSIONS, ENG_PROBE_NONE,
             p->bucket.versioning == OBJ_VERSIONS_OFF
                 ? "versioning is suspended"
                 : "versioning is off");
    }
    if (!p->bucket.object_lock) {
        none(p, ENG_PROBE_LOCK_KEPT, ENG_PROBE_SETTINGS, ENG_PROBE_NONE,
             "no object lock here");
        return 0;
    }
    if (compliance(p, &c, e) < 0 || governance(p, &g, e) < 0)
        return -1;
    return ends(p, &c, e);
}

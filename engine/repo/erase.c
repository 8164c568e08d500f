// SPDX-License-Identifier: Apache-2.0
/* Deleting one object by hand: all that is there under its name, or nothing. */
#include "base/utc.h"
#include "engine/repo/internal.h"
#include "engine/repo/versions.h"

int eng_erase_locked(int64_t until, struct err *e)
{
    char iso[UTC_ISO_CHARS];

    utc_format_iso(until, iso);
    return err_set(e, ERR_LOCKED, 0,
                   "locked until %s, and cannot be deleted before", iso);
}

/* On a bucket with versions a plain DELETE would hide the object by a marker
 * that somebody has to clear away: each version is deleted by its id.  The
 * oldest goes first: if it is locked, nothing was done. */
static int delete_versions(struct eng_repo *r, const struct cancel *cancel,
                           const char *key, struct err *e)
{
    struct err ignored = { 0 };
    struct obj_lock lock = { 0 };
    AUTO_ENG_VERSIONS struct eng_versions all = { 0 };
    struct obj_req req = { .key = key, .cancel = cancel };

    if (eng_versions_of(r->store, cancel, key, &all, e) < 0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        req.version = all.v[i].id;
        if (obj_delete(r->store, &req, false, e) == 0)
            continue;
        if (e->kind == ERR_LOCKED &&
            obj_get_lock(r->store, &req, &lock, &ignored) == 0 &&
            lock.mode != OBJ_LOCK_NONE)
            return eng_erase_locked(lock.until, e);
        return -1;
    }
    return 0;
}

int eng_object_erase(struct eng_repo *r, const struct cancel *cancel,
                     const char *key, struct err *e)
{
    struct obj_req req = { .key = key, .cancel = cancel };
    bool versions = false;

    if (eng_repo_keeps_versions(r, cancel, &versions, e) < 0)
        return -1;
    return versions ? delete_versions(r, cancel, key, e)
                    : obj_delete(r->store, &req, false, e);
}

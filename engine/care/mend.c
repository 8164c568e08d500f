// SPDX-License-Identifier: Apache-2.0
/* Good copies and their locks. */
#include "engine/care/mend.h"

#include "engine/repo/locked.h"

/* Bare JSON, whose phase is that of its key. */
static bool is_json(const struct eng_look_want *w)
{
    return w->kind == ENG_LOOK_MANIFEST || w->kind == ENG_LOOK_DESCRIPTOR ||
           w->kind == ENG_LOOK_SLOT;
}

int eng_mend_lock_until(struct eng_repo *r, const struct eng_look_want *w,
                        int64_t until, struct obj_lock *lock, struct err *e)
{
    uint8_t of_key[ENG_LOCK_HASH_BYTES];
    const uint8_t *hash = w->id.b;

    *lock = (struct obj_lock){ 0 };
    if (!eng_repo_descriptor(r)->locked || until <= eng_locked_server_now(r))
        return 0;
    if (is_json(w)) {
        if (eng_lock_key_hash(w->key.s, of_key, e) < 0)
            return -1;
        hash = of_key;
    }
    *lock = eng_locked_lock(r, until, hash);
    return 0;
}

int eng_mend_lock_of(struct eng_repo *r, const struct cancel *cancel,
                     const struct eng_look_want *w, const char *version,
                     struct obj_lock *lock, struct err *e)
{
    struct obj_req req = { .key = w->key.s,
                           .version = version,
                           .cancel = cancel };

    *lock = (struct obj_lock){ 0 };
    if (!eng_repo_descriptor(r)->locked)
        return 0;
    if (obj_get_lock(eng_repo_store(r), &req, lock, e) < 0) {
        if (e->kind != ERR_DENIED)
            return err_ctx(e, "lock of %s", w->key.s);
        return eng_mend_lock_until(
            r, w, eng_locked_server_now(r) + (int64_t)eng_repo_immutability(r),
            lock, e);
    }
    lock->legal_hold = false;
    if (lock->mode == OBJ_LOCK_NONE || lock->until <= eng_locked_server_now(r))
        *lock = (struct obj_lock){ 0 };
    return 0;
}

int eng_mend_put(struct eng_repo *r, const struct cancel *cancel,
                 const struct eng_look_want *w, struct span stored,
                 const struct obj_lock *lock, struct err *e)
{
    struct obj_req req = { .key = w->key.s, .cancel = cancel };
    struct obj_put_opts opts = {
        .bulk = !is_json(w),
        .lock = *lock,
        .content_type = is_json(w) ? "application/json" : NULL,
    };

    return obj_put(eng_repo_store(r), &req, stored, &opts, NULL, e);
}

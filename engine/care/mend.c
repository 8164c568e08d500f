// SPDX-License-Identifier: Apache-2.0
/* Good copies and their locks. */
#include "engine/care/mend.h"

#include "base/utc.h"
#include "engine/repo/lock.h"

/* Now, by the server's clock. */
static int64_t server_now(struct eng_repo *r)
{
    return utc_real_now() + obj_store_clock_offset(eng_repo_store(r));
}

int eng_mend_lock_until(struct eng_repo *r, const struct eng_look_want *w,
                        int64_t until, struct obj_lock *lock, struct err *e)
{
    const struct mf_descriptor *d = eng_repo_descriptor(r);
    uint8_t of_key[ENG_LOCK_HASH_BYTES];
    const uint8_t *hash = w->id.b;

    *lock = (struct obj_lock){ 0 };
    if (!d->locked || until <= server_now(r))
        return 0;
    if (w->kind == ENG_LOOK_MANIFEST) {
        if (eng_lock_key_hash(w->key.s, of_key, e) < 0)
            return -1;
        hash = of_key;
    }
    lock->mode = d->mode == MF_LOCK_GOVERNANCE ? OBJ_LOCK_GOVERNANCE
                                               : OBJ_LOCK_COMPLIANCE;
    lock->until = eng_lock_cover(until, hash, d->generation_s);
    return 0;
}

int eng_mend_lock_of(struct eng_repo *r, const struct cancel *cancel,
                     const struct eng_look_want *w, const char *version,
                     struct obj_lock *lock, struct err *e)
{
    const struct mf_descriptor *d = eng_repo_descriptor(r);
    struct obj_req req = { .key = w->key.s,
                           .version = version,
                           .cancel = cancel };

    *lock = (struct obj_lock){ 0 };
    if (!d->locked)
        return 0;
    if (obj_get_lock(eng_repo_store(r), &req, lock, e) < 0) {
        if (e->kind != ERR_DENIED)
            return err_ctx(e, "lock of %s", w->key.s);
        return eng_mend_lock_until(
            r, w, server_now(r) + (int64_t)eng_repo_immutability(r), lock, e);
    }
    lock->legal_hold = false;
    if (lock->mode == OBJ_LOCK_NONE || lock->until <= server_now(r))
        *lock = (struct obj_lock){ 0 };
    return 0;
}

int eng_mend_put(struct eng_repo *r, const struct cancel *cancel,
                 const struct eng_look_want *w, struct span stored,
                 const struct obj_lock *lock, struct err *e)
{
    struct obj_req req = { .key = w->key.s, .cancel = cancel };
    struct obj_put_opts opts = {
        .bulk = w->kind != ENG_LOOK_MANIFEST,
        .lock = *lock,
        .content_type =
            w->kind == ENG_LOOK_MANIFEST ? "application/json" : NULL,
    };

    return obj_put(eng_repo_store(r), &req, stored, &opts, NULL, e);
}

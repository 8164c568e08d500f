// SPDX-License-Identifier: Apache-2.0
#include "engine/repo/locked.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utc.h"
#include "engine/repo/lockcheck.h"

#define SHIFT_MAX_S 3600

static int check_shift(struct eng_repo *r, struct err *e)
{
    const char *too = getenv("OBJVAULT_NOW_LOCKS");
    int64_t shift = utc_shift();

    r->lock_shift_s = 0;
    if (too != NULL && strcmp(too, "1") == 0) {
        r->lock_shift_s = shift;
        return 0;
    }
    if (shift >= -SHIFT_MAX_S && shift <= SHIFT_MAX_S)
        return 0;
    err_set(e, ERR_USAGE, 0,
            "OBJVAULT_NOW shifts the time by more than an hour, and repository "
            "%s is locked: lock dates keep the real time",
            r->name);
    return err_hint(e, "OBJVAULT_NOW_LOCKS=1 shifts them too");
}

int eng_locked_start(struct eng_repo *r, const struct cancel *cancel,
                     struct err *e)
{
    if (!r->descriptor.locked)
        return 0;
    if (check_shift(r, e) < 0 ||
        eng_lockcheck_bucket(r->store, cancel, e) < 0 ||
        eng_lockcheck_probe(&r->probe, e) < 0)
        return -1;
    if (r->descriptor.mode == MF_LOCK_GOVERNANCE &&
        r->probe.results[ENG_PROBE_GOVERNANCE] == ENG_PROBE_NO)
        log_warn("repo", "%s: these keys can lift its GOVERNANCE locks",
                 r->name);
    return 0;
}

int64_t eng_locked_server_now(struct eng_repo *r)
{
    return utc_real_now() + obj_store_clock_offset(r->store);
}

int64_t eng_locked_now(struct eng_repo *r)
{
    return eng_locked_server_now(r) + r->lock_shift_s;
}

int64_t eng_locked_until(const struct eng_repo *r, int64_t t)
{
    return eng_lock_until(r->descriptor.scope, r->immutability_s, t,
                          r->retention_end);
}

struct obj_lock eng_locked_lock(const struct eng_repo *r, int64_t until,
                                const uint8_t hash[ENG_LOCK_HASH_BYTES])
{
    struct obj_lock lock = { .mode = OBJ_LOCK_NONE };

    if (!r->descriptor.locked)
        return lock;
    lock.mode = r->descriptor.mode == MF_LOCK_GOVERNANCE ? OBJ_LOCK_GOVERNANCE
                                                         : OBJ_LOCK_COMPLIANCE;
    lock.until = eng_lock_cover(until, hash, r->descriptor.generation_s);
    return lock;
}

void eng_repo_set_retention_end(struct eng_repo *r, int64_t end)
{
    r->retention_end = end;
}

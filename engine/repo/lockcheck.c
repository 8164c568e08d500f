// SPDX-License-Identifier: Apache-2.0
/*
 * Locks that only seem to be there are worse than none: what a bucket's
 * settings, a probe and the objects themselves say about them.
 */
#include "engine/repo/lockcheck.h"

#include "base/log.h"
#include "base/utc.h"

static int check_settings(struct obj_store *store, const struct cancel *cancel,
                          struct err *e)
{
    struct obj_req req = { .key = "", .cancel = cancel };
    struct obj_bucket b;

    if (obj_bucket_info(store, &req, &b, e) < 0) {
        if (e->kind != ERR_DENIED)
            return -1;
        log_warn("repo",
                 "these keys may not read the bucket's settings: whether it "
                 "locks objects shows only after they are stored (%s)",
                 e->msg);
        return 0;
    }
    if (b.versioning != OBJ_VERSIONS_ON) {
        err_set(e, ERR_CONFIG, 0, "the bucket %s",
                b.versioning == OBJ_VERSIONS_OFF
                    ? "has versioning suspended"
                    : "keeps no versions, so it cannot lock anything");
        return err_hint(e, "objects are locked version by version: use a "
                           "bucket that was made with object lock");
    }
    if (!b.object_lock) {
        err_set(e, ERR_CONFIG, 0, "the bucket has no object lock");
        return err_hint(e, "most servers have it only for buckets that were "
                           "made with it: --create-bucket makes one");
    }
    if (b.default_mode != OBJ_LOCK_NONE) {
        err_set(e, ERR_CONFIG, 0,
                "the bucket has a default retention: it would lock leases and "
                "other small objects that have to go");
        return err_hint(e, "remove it from the bucket; objvault sets its "
                           "locks object by object");
    }
    return 0;
}

static int check_lifecycle(struct obj_store *store, const struct cancel *cancel,
                           struct err *e)
{
    struct obj_req req = { .key = "", .cancel = cancel };
    struct obj_lifecycle l;

    if (obj_bucket_lifecycle(store, &req, &l, e) < 0) {
        if (e->kind != ERR_DENIED)
            return -1;
        log_warn("repo",
                 "these keys may not read the bucket's lifecycle: make sure "
                 "that no rule hides or deletes what lies here");
        return 0;
    }
    if (!l.touches)
        return 0;
    err_set(e, ERR_CONFIG, 0,
            "the bucket's lifecycle rule \"%s\" hides, deletes or moves "
            "objects of the repository",
            l.rule);
    return err_hint(e, "remove the rule, or limit it to another prefix");
}

int eng_lockcheck_bucket(struct obj_store *store, const struct cancel *cancel,
                         struct err *e)
{
    if (check_settings(store, cancel, e) < 0 ||
        check_lifecycle(store, cancel, e) < 0)
        return err_ctx(e, "%s cannot be locked", obj_store_name(store));
    return 0;
}

int eng_lockcheck_probe(const struct eng_probe_record *probe, struct err *e)
{
    static const enum eng_probe_item needed[] = { ENG_PROBE_LOCK_KEPT,
                                                  ENG_PROBE_LOCK_HOLDS,
                                                  ENG_PROBE_LOCK_SHORTEN };

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (probe->results[needed[i]] == ENG_PROBE_NO)
            return err_set(e, ERR_UNSUPPORTED, 0,
                           "a probe has shown that this server does not do "
                           "what a locked repository needs: \"%s\"",
                           eng_probe_title(needed[i]));
    return 0;
}

int eng_lockcheck_object(struct obj_store *store, const struct cancel *cancel,
                         const char *key, const char *version, int64_t until,
                         struct err *e)
{
    struct obj_req req = { .key = key, .version = version, .cancel = cancel };
    struct obj_info info;
    char iso[UTC_ISO_CHARS];

    if (obj_head(store, &req, &info, e) < 0)
        return -1;
    /* Without the right to see locks a HEAD shows none. */
    if (info.lock.mode == OBJ_LOCK_NONE &&
        obj_get_lock(store, &req, &info.lock, e) < 0)
        return e->kind == ERR_DENIED ? 0 : -1;
    if (info.lock.mode != OBJ_LOCK_NONE && info.lock.until >= until)
        return 1;
    utc_format_iso(until, iso);
    return err_set(e, ERR_FAILED, 0,
                   "%s is stored, but the server did not lock it until %s: it "
                   "is not protected",
                   key, iso);
}

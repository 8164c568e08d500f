// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_ENGINE_REPO_LIAR_H
#define TESTS_UNIT_ENGINE_REPO_LIAR_H

/* The S3 driver, on a server that does everything right, with lies between:
 * each is what some server does wrong, or lacks. */
#include <stdlib.h>
#include <string.h>

#include "objstore/retry.h"
#include "tests/s3server/s3server.h"

enum lie {
    LIE_NONE = 0,
    LIE_EVERYBODY_WINS = 1 << 0,
    LIE_STALE_READS = 1 << 1,
    LIE_STALE_LISTS = 1 << 2,
    LIE_SHUFFLED_LISTS = 1 << 3,
    LIE_PAGES_LOSE = 1 << 4,
    LIE_NESTED_HIDDEN = 1 << 5,
    LIE_RANGES_IGNORED = 1 << 6,
    LIE_MAY_NOT_DELETE = 1 << 7,
    LIE_DELETES_NOTHING = 1 << 8,
    LIE_ABSENT_IS_AN_ERROR = 1 << 9,
    LIE_NO_MULTI_DELETE = 1 << 10,
    LIE_MULTI_DELETES_NOTHING = 1 << 11,
    LIE_TAKES_WRONG_SHA256 = 1 << 12,
    LIE_TAKES_WRONG_CRC32C = 1 << 13,
    LIE_REFUSES_ALL_UNSIGNED = 1 << 14,
    LIE_TAKES_OLD_SIGNATURES = 1 << 15,
    LIE_ANY_REGION = 1 << 16,
    LIE_NO_TIME = 1 << 17,
    LIE_OLD_VERSIONS_LOST = 1 << 18,
    LIE_LOCKS_DROPPED = 1 << 19,
    LIE_LOCKS_IGNORED = 1 << 20,
    LIE_LOCKS_SHORTENED = 1 << 21,
    LIE_LOCKS_FOR_EVER = 1 << 22,
    LIE_NO_BYPASS = 1 << 23, /* these keys lack the right: no lie at all */
    LIE_DEFAULT_RETENTION = 1 << 24,
    LIE_MAY_NOT_INSPECT = 1 << 25,
    LIE_MAY_NOT_PUT = 1 << 26,
    LIE_BREAKS_OVER_WRONG = 1 << 27, /* 500 where 400 is due */
};

struct liar {
    void *real;
    unsigned lies;
    unsigned fresh_puts, gone_deletes;
};

static unsigned liar_next; /* of the store that is opened next */

static inline bool liar_is(const char *key, const char *name)
{
    return strstr(key, name) != NULL;
}

static inline void liar_says(struct obj_attempt *a, enum obj_outcome o)
{
    a->outcome = o;
    a->http = o == OBJ_FORBIDDEN ? 403 : 400;
}

static inline void *liar_open(const struct obj_config *c, char **name,
                              struct err *e)
{
    struct liar *l = calloc(1, sizeof *l);

    l->lies = liar_next;
    l->real = obj_s3_driver.open(c, name, e);
    return l->real != NULL ? l : NULL;
}

static inline void liar_close(void *self)
{
    struct liar *l = self;

    obj_s3_driver.close(l->real);
    free(l);
}

static inline void liar_put(void *self, const struct obj_req *r,
                            struct span body, const struct obj_put_opts *o,
                            struct obj_info *info, struct obj_attempt *a)
{
    struct liar *l = self;
    struct obj_put_opts as = o != NULL ? *o : (struct obj_put_opts){ 0 };

    if (l->lies & LIE_MAY_NOT_PUT) {
        liar_says(a, OBJ_FORBIDDEN);
        return;
    }
    if (l->lies & LIE_EVERYBODY_WINS)
        as.if_absent = false;
    if (l->lies & LIE_LOCKS_DROPPED)
        as.lock = (struct obj_lock){ 0 };
    if ((l->lies & LIE_STALE_READS) && liar_is(r->key, "/fresh") &&
        !liar_is(r->key, "list") && l->fresh_puts++ > 0) {
        a->outcome = OBJ_OK; /* the newer one comes a little later */
        return;
    }
    obj_s3_driver.put(l->real, r, body, &as, info, a);
}

static inline void liar_get(void *self, const struct obj_req *r,
                            const struct obj_range *range, struct buf *out,
                            struct obj_info *info, struct obj_attempt *a)
{
    struct liar *l = self;
    struct obj_req as = *r;

    if (l->lies & LIE_RANGES_IGNORED)
        range = NULL;
    if (l->lies & LIE_OLD_VERSIONS_LOST)
        as.version = NULL;
    obj_s3_driver.get(l->real, &as, range, out, info, a);
}

static inline void liar_head(void *self, const struct obj_req *r,
                             struct obj_info *info, struct obj_attempt *a)
{
    struct liar *l = self;

    obj_s3_driver.head(l->real, r, info, a);
    if ((l->lies & LIE_NO_TIME) && info != NULL)
        info->server_time = 0;
}

static inline void liar_drop(struct obj_page *p, size_t i)
{
    free(p->entries[i].key);
    memmove(&p->entries[i], &p->entries[i + 1],
            (p->n - i - 1) * sizeof p->entries[0]);
    p->n--;
}

static inline void liar_list(void *self, const struct obj_req *r,
                             const struct obj_list_opts *o,
                             struct obj_page *page, struct obj_attempt *a)
{
    struct liar *l = self;

    obj_s3_driver.list(l->real, r, o, page, a);
    if (a->outcome != OBJ_OK || o->versions || page->n == 0)
        return;
    if ((l->lies & LIE_SHUFFLED_LISTS) && page->n > 1 &&
        liar_is(r->key, "order")) {
        struct obj_list_entry first = page->entries[0];
        page->entries[0] = page->entries[1];
        page->entries[1] = first;
    }
    if ((l->lies & LIE_STALE_LISTS) && liar_is(r->key, "fresh-list"))
        liar_drop(page, page->n - 1);
    else if ((l->lies & LIE_PAGES_LOSE) && page->next != NULL)
        liar_drop(page, page->n - 1);
    else if ((l->lies & LIE_NESTED_HIDDEN) && liar_is(r->key, "nest/"))
        liar_drop(page, page->n - 1);
}

static inline void liar_remove(void *self, const struct obj_req *r, bool bypass,
                               struct obj_attempt *a)
{
    struct liar *l = self;

    if (l->lies & LIE_MAY_NOT_DELETE)
        liar_says(a, OBJ_FORBIDDEN);
    else if ((l->lies & LIE_DELETES_NOTHING) && liar_is(r->key, "/gone"))
        a->outcome = OBJ_OK;
    else if ((l->lies & LIE_ABSENT_IS_AN_ERROR) && liar_is(r->key, "/gone") &&
             l->gone_deletes++ > 0)
        liar_says(a, OBJ_REJECTED);
    else if ((l->lies & LIE_LOCKS_IGNORED) && liar_is(r->key, "/locked"))
        a->outcome = OBJ_OK;
    else if ((l->lies & LIE_LOCKS_FOR_EVER) && liar_is(r->key, "/locked"))
        liar_says(a, OBJ_WORM);
    else
        obj_s3_driver.remove(l->real, r, bypass && !(l->lies & LIE_NO_BYPASS),
                             a);
}

static inline void liar_remove_many(void *self, const struct obj_req *r,
                                    struct obj_name *names, size_t n,
                                    bool bypass, struct obj_attempt *a)
{
    struct liar *l = self;
    bool nothing = (l->lies & LIE_MULTI_DELETES_NOTHING) && n == 3;

    if (l->lies & LIE_NO_MULTI_DELETE) {
        a->outcome = OBJ_UNABLE;
        a->http = 501;
    } else if ((l->lies & LIE_MAY_NOT_DELETE) || nothing) {
        for (size_t i = 0; i < n; i++)
            names[i].result = nothing ? ERR_NONE : ERR_DENIED;
        a->outcome = OBJ_OK;
    } else {
        obj_s3_driver.remove_many(l->real, r, names, n, bypass, a);
    }
}

static inline void liar_set_lock(void *self, const struct obj_req *r,
                                 const struct obj_lock *lock, bool bypass,
                                 struct obj_attempt *a)
{
    struct liar *l = self;

    if (l->lies & LIE_LOCKS_SHORTENED)
        a->outcome = OBJ_OK;
    else
        obj_s3_driver.set_lock(l->real, r, lock, bypass, a);
}

static inline void liar_get_lock(void *self, const struct obj_req *r,
                                 struct obj_lock *lock, struct obj_attempt *a)
{
    struct liar *l = self;

    obj_s3_driver.get_lock(l->real, r, lock, a);
}

static inline void liar_bucket_info(void *self, const struct obj_req *r,
                                    struct obj_bucket *b, struct obj_attempt *a)
{
    struct liar *l = self;

    if (l->lies & LIE_MAY_NOT_INSPECT) {
        liar_says(a, OBJ_FORBIDDEN);
        return;
    }
    obj_s3_driver.bucket_info(l->real, r, b, a);
    if (l->lies & LIE_DEFAULT_RETENTION)
        b->default_mode = OBJ_LOCK_COMPLIANCE;
}

static inline void liar_bucket_create(void *self, const struct obj_req *r,
                                      bool object_lock, struct obj_attempt *a)
{
    struct liar *l = self;

    obj_s3_driver.bucket_create(l->real, r, object_lock, a);
}

static inline void liar_probe_put(void *self, const struct obj_req *r,
                                  struct span body, const struct obj_probe *how,
                                  struct obj_attempt *a)
{
    struct liar *l = self;
    struct obj_probe as = *how;
    bool is_crc = how->guard == OBJ_PROBE_CRC32C;

    if ((l->lies & LIE_REFUSES_ALL_UNSIGNED) &&
        how->guard != OBJ_PROBE_SIGNED) {
        liar_says(a, OBJ_REJECTED);
        return;
    }
    if (l->lies & (is_crc ? LIE_TAKES_WRONG_CRC32C : LIE_TAKES_WRONG_SHA256))
        as.wrong = false;
    if (l->lies & LIE_TAKES_OLD_SIGNATURES)
        as.signed_ago_s = 0;
    if (l->lies & LIE_ANY_REGION)
        as.region = NULL;
    if ((l->lies & LIE_BREAKS_OVER_WRONG) &&
        (how->wrong || how->signed_ago_s != 0 || how->region != NULL)) {
        a->outcome = OBJ_UNAVAIL;
        a->http = 500;
    } else if (l->lies & LIE_MAY_NOT_PUT) {
        liar_says(a, OBJ_FORBIDDEN);
    } else {
        obj_s3_driver.probe_put(l->real, r, body, &as, a);
    }
}

static inline void liar_probe_unlock(void *self, const struct obj_req *r,
                                     struct obj_attempt *a)
{
    struct liar *l = self;

    if (l->lies & LIE_NO_BYPASS)
        liar_says(a, OBJ_FORBIDDEN);
    else
        obj_s3_driver.probe_unlock(l->real, r, a);
}

static const struct obj_driver liar_driver = {
    .name = "liar",
    .open = liar_open,
    .close = liar_close,
    .put = liar_put,
    .get = liar_get,
    .head = liar_head,
    .list = liar_list,
    .remove = liar_remove,
    .remove_many = liar_remove_many,
    .set_lock = liar_set_lock,
    .get_lock = liar_get_lock,
    .bucket_info = liar_bucket_info,
    .bucket_create = liar_bucket_create,
    .probe_put = liar_probe_put,
    .probe_unlock = liar_probe_unlock,
};

/* A store of prefix "p" in the bucket. */
static inline struct obj_store *liar_store(const struct s3server *s,
                                           const char *bucket, unsigned lies,
                                           struct err *e)
{
    const struct obj_config c = {
        .bucket = bucket,
        .prefix = "p",
        .endpoint = s3server_endpoint(s),
        .deadline_ms = 20000,
    };

    setenv("AWS_ACCESS_KEY_ID", S3SERVER_KEY, 1);
    setenv("AWS_SECRET_ACCESS_KEY", S3SERVER_SECRET, 1);
    liar_next = lies;
    return obj_store_open_driver(&liar_driver, &c, NULL, e);
}

#endif

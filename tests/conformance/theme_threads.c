// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: one store serves many threads.
 */
#include "suite.h"

#define THREADS 32
#define SHARED_BYTES 5000

static int wrong(struct err *e, const char *what, const char *name)
{
    return err_set(e, ERR_CORRUPT, 0, "%s %s: not what was put", what, name);
}

static int work_alone(const char *name, struct err *e)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key };
    AUTO_BUF struct buf out = buf_init(1000);
    struct obj_info info;

    whole_key(&plain, name, key);
    if (obj_put(plain.store, &r, span_str(key), NULL, NULL, e) < 0 ||
        obj_get(plain.store, &r, NULL, &out, NULL, e) < 0 ||
        obj_head(plain.store, &r, &info, e) < 0)
        return -1;
    if (!span_eq(buf_span(&out), span_str(key)) || info.size != strlen(key))
        return wrong(e, "own", name);
    return obj_delete(plain.store, &r, false, e);
}

/* All write and read one key: each body is of one letter. */
static int work_on_one_key(uint64_t item, struct err *e)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key };
    AUTO_BUF struct buf out = buf_init(SHARED_BYTES);
    char body[SHARED_BYTES];

    whole_key(&plain, "shared", key);
    memset(body, 'a' + (int)(item % 26), sizeof body);
    if (obj_put(plain.store, &r, span_of(body, sizeof body), NULL, NULL, e) <
            0 ||
        obj_get(plain.store, &r, NULL, &out, NULL, e) < 0)
        return -1;
    if (out.len != sizeof body ||
        memcmp(out.p, out.p + 1, sizeof body - 1) != 0)
        return wrong(e, "shared", "key");
    return 0;
}

static int see(void *ctx, const char *key, const struct obj_info *info,
               struct err *e)
{
    unsigned *seen = ctx;

    (void)info;
    (void)e;
    *seen += strstr(key, "fixed") != NULL;
    return 0;
}

static int work(void *ctx, uint64_t item, struct err *e)
{
    char name[32];
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key };
    unsigned seen = 0;

    (void)ctx;
    snprintf(name, sizeof name, "own/%llu", (unsigned long long)item);
    if (work_alone(name, e) < 0 || work_on_one_key(item, e) < 0)
        return -1;
    if (item % 8 != 0)
        return 0;
    whole_key(&plain, "", key);
    if (obj_list(plain.store, &r, NULL, see, &seen, e) < 0)
        return -1;
    return seen == 1 ? 0 : wrong(e, "listing", "fixed");
}

static void one_store_serves_32_threads(void **state)
{
    (void)state;
    must_put(&plain, "zz/fixed", "x");
    in_threads(THREADS, (uint64_t)THREADS * spec->rounds, work, NULL);
    assert_outcome(removed(&plain, "shared", NULL, false), OBJ_OK);
}

static const struct test tests[] = {
    TEST(one_store_serves_32_threads, 0),
};
THEME(theme_threads, "threads");

// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_OBJSTORE_DIRECTORY_H
#define TESTS_UNIT_OBJSTORE_DIRECTORY_H

/* A store in a fresh directory, and the short forms of its calls that tests of
 * the file driver use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "objstore/file_private.h"
#include "objstore/retry.h"

static char root[64];

static inline int remove_one(const char *path, const struct stat *st, int type,
                             struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline int setup(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/objvault-test-XXXXXX");
    return mkdtemp(root) != NULL ? 0 : -1;
}

static inline int teardown(void **state)
{
    (void)state;
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static inline struct obj_store *open_store(void)
{
    struct obj_config c = { .driver = OBJ_DRIVER_FILE, .path = root };
    struct err e = { 0 };
    struct obj_store *s = obj_store_open(&c, &e);

    if (s == NULL)
        fail_msg("%s", e.msg);
    return s;
}

static inline int put(struct obj_store *s, const char *key, const char *text,
                      bool if_absent, struct err *e)
{
    struct obj_req r = { .key = key };
    struct obj_put_opts o = { .if_absent = if_absent };

    return obj_put(s, &r, span_str(text), &o, NULL, e);
}

static inline void must_put(struct obj_store *s, const char *key,
                            const char *text)
{
    struct err e = { 0 };

    if (put(s, key, text, false, &e) < 0)
        fail_msg("%s", e.msg);
}

static inline void assert_holds(struct obj_store *s, const char *key,
                                const char *text)
{
    AUTO_BUF struct buf out = buf_init(1 << 20);
    struct obj_req r = { .key = key };
    struct obj_info info;
    struct err e = { 0 };

    if (obj_get(s, &r, NULL, &out, &info, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(buf_cstr(&out), text);
    assert_int_equal(info.size, strlen(text));
}

static inline enum err_kind get_kind(struct obj_store *s, const char *key)
{
    AUTO_BUF struct buf out = buf_init(1 << 20);
    struct obj_req r = { .key = key };
    struct err e = { 0 };

    return obj_get(s, &r, NULL, &out, NULL, &e) < 0 ? e.kind : ERR_NONE;
}

/* Collects what a listing says. */
struct list {
    char **keys;
    size_t n, cap;
};

static inline int collect(void *ctx, const char *key,
                          const struct obj_info *info, struct err *e)
{
    struct list *l = ctx;

    (void)info;
    (void)e;
    if (l->n == l->cap) {
        l->cap = l->cap > 0 ? 2 * l->cap : 64;
        l->keys = realloc(l->keys, l->cap * sizeof *l->keys);
        assert_non_null(l->keys);
    }
    l->keys[l->n++] = strdup(key);
    return 0;
}

static inline void list_free(struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->keys[i]);
    free(l->keys);
    *l = (struct list){ 0 };
}

static inline void list_all(struct obj_store *s, struct list *l)
{
    struct obj_req r = { .key = "" };
    struct err e = { 0 };

    if (obj_list(s, &r, NULL, collect, l, &e) < 0)
        fail_msg("%s", e.msg);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif

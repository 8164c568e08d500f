// SPDX-License-Identifier: Apache-2.0
/* The front end of the store: keys, listings that are not trusted, deletions
 * of many, counters, and what a driver leaves out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "scripted.h"

/* Pages by script: each list attempt takes the next. */
struct scripted_page {
    enum obj_outcome outcome;
    const char *keys[8];
    const char *next;
};

static struct {
    const struct scripted_page *pages;
    size_t n, calls;
    char asked[16][64]; /* continuation that each attempt got */
    char prefix[128], after[128];
    unsigned page;
} lists;

static void scripted_list(void *self, const struct obj_req *r,
                          const struct obj_list_opts *o, struct obj_page *page,
                          struct obj_attempt *a)
{
    const struct scripted_page *p =
        &lists.pages[lists.calls < lists.n ? lists.calls : lists.n - 1];
    struct obj_info info = { .size = 1 };

    (void)self;
    if (lists.calls < 16 && page->next != NULL)
        snprintf(lists.asked[lists.calls], sizeof lists.asked[0], "%s",
                 page->next);
    lists.calls++;
    lists.page = o->page;
    snprintf(lists.prefix, sizeof lists.prefix, "%s", r->key);
    snprintf(lists.after, sizeof lists.after, "%s",
             o->after != NULL ? o->after : "");
    free(STEAL(page->next));
    free(STEAL(page->next_version));
    for (size_t i = 0; i < 8 && p->keys[i] != NULL; i++)
        assert_true(obj_page_add(page, p->keys[i], &info));
    if (p->next != NULL)
        page->next = strdup(p->next);
    if (p->next != NULL && o->versions)
        page->next_version = strdup("v");
    a->outcome = p->outcome;
}

/* Deletes of many: the nth attempt gives these results. */
static struct {
    size_t calls;
    size_t sizes[16];
    enum err_kind first[4]; /* results of the first attempt's names, in turn */
    enum err_kind later;
    enum obj_outcome outcome;
    char key[64];
} many;

static void scripted_remove_many(void *self, const struct obj_req *r,
                                 struct obj_name *names, size_t n, bool bypass,
                                 struct obj_attempt *a)
{
    (void)self;
    (void)r;
    (void)bypass;
    if (many.calls < 16)
        many.sizes[many.calls] = n;
    snprintf(many.key, sizeof many.key, "%s", names[0].key);
    for (size_t i = 0; i < n; i++)
        names[i].result = many.calls == 0 ? many.first[i % 4] : many.later;
    many.calls++;
    a->outcome = many.outcome;
}

static void scripted_bucket_info(void *self, const struct obj_req *r,
                                 struct obj_bucket *b, struct obj_attempt *a)
{
    (void)self;
    struct answer got = script_next("bucket", r->key, a);
    script_settle(&got, a);
    b->object_lock = true;
}

static void scripted_bucket_create(void *self, const struct obj_req *r,
                                   bool lock, struct obj_attempt *a)
{
    (void)self;
    struct answer got = script_next(lock ? "create+lock" : "create", r->key, a);
    script_settle(&got, a);
}

static void scripted_set_lock(void *self, const struct obj_req *r,
                              const struct obj_lock *lock, bool bypass,
                              struct obj_attempt *a)
{
    (void)self;
    (void)lock;
    struct answer got = script_next(bypass ? "lock+bypass" : "lock", r->key, a);
    script_settle(&got, a);
}

static const struct obj_driver full_driver = {
    .name = "scripted",
    .open = scripted_open,
    .close = scripted_close,
    .put = scripted_put,
    .get = scripted_get,
    .head = scripted_head,
    .list = scripted_list,
    .remove = scripted_remove,
    .remove_many = scripted_remove_many,
    .set_lock = scripted_set_lock,
    .bucket_info = scripted_bucket_info,
    .bucket_create = scripted_bucket_create,
    .refresh = scripted_refresh,
    .set_region = scripted_set_region,
};

static struct obj_store *open_on(const struct obj_driver *d, const char *prefix)
{
    struct obj_tuning quick = quick_tuning();
    struct obj_config c = { .prefix = prefix };
    struct err e = { 0 };

    quick.list_empty_runs = 3;
    struct obj_store *s = obj_store_open_driver(d, &c, &quick, &e);
    if (s == NULL)
        fail_msg("%s", e.msg);
    return s;
}

static int setup(void **state)
{
    (void)state;
    script_reset();
    memset(&lists, 0, sizeof lists);
    memset(&many, 0, sizeof many);
    many.outcome = OBJ_OK;
    return 0;
}

static int append_key(void *ctx, const char *key, const struct obj_info *info,
                      struct err *e)
{
    struct buf *out = ctx;

    (void)info;
    (void)e;
    buf_append_str(out, key);
    buf_append_char(out, ' ');
    return 0;
}

static int list(struct obj_store *s, const struct scripted_page *pages,
                size_t n, const struct obj_list_opts *o, struct buf *out,
                struct err *e)
{
    struct obj_req r = { .key = "d/" };

    lists.pages = pages;
    lists.n = n;
    lists.calls = 0;
    return obj_list(s, &r, o, append_key, out, e);
}

static void a_listing_is_walked_page_by_page(void **state)
{
    static const struct scripted_page pages[] = {
        { OBJ_OK, { "p/d/a", "p/d/b" }, "token-1" },
        { OBJ_OK, { NULL }, "token-2" },
        { OBJ_OK, { "p/d/c" }, NULL },
    };
    struct obj_list_opts o = { .after = "d/0" };
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e = { 0 };
    struct obj_counters n;

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, "p");
    assert_int_equal(list(s, pages, 3, &o, &out, &e), 0);
    assert_string_equal(buf_cstr(&out), "d/a d/b d/c ");
    assert_string_equal(lists.prefix, "p/d/");
    assert_string_equal(lists.after, "p/d/0");
    assert_int_equal(lists.page, 1000);
    assert_string_equal(lists.asked[0], "");
    assert_string_equal(lists.asked[1], "token-1");
    assert_string_equal(lists.asked[2], "token-2");
    obj_store_counters(s, &n);
    assert_int_equal(n.requests[OBJ_LIST], 3);
}

static void a_failed_page_is_asked_again_from_the_same_place(void **state)
{
    static const struct scripted_page pages[] = {
        { OBJ_OK, { "d/a" }, "token-1" },
        { OBJ_UNAVAIL, { "d/b", "d/c" }, "half" },
        { OBJ_OK, { "d/b" }, NULL },
    };
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    assert_int_equal(list(s, pages, 3, NULL, &out, &e), 0);
    assert_string_equal(buf_cstr(&out), "d/a d/b ");
    assert_string_equal(lists.asked[2], "token-1");
}

static void listing_versions_repeats_keys(void **state)
{
    static const struct scripted_page pages[] = {
        { OBJ_OK, { "d/a", "d/a" }, "token-1" },
        { OBJ_OK, { "d/a", "d/b" }, NULL },
    };
    struct obj_list_opts o = { .versions = true, .page = 2 };
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    assert_int_equal(list(s, pages, 2, &o, &out, &e), 0);
    assert_string_equal(buf_cstr(&out), "d/a d/a d/a d/b ");
    assert_int_equal(lists.page, 2);
}

static void a_listing_that_cannot_be_right_is_an_error(void **state)
{
    static const struct scripted_page cases[][2] = {
        { { OBJ_OK, { "d/b", "d/a" }, NULL } },
        { { OBJ_OK, { "d/a", "d/a" }, NULL } },
        { { OBJ_OK, { "e/a" }, NULL } },
        { { OBJ_OK, { "d/b" }, "t" }, { OBJ_OK, { "d/b" }, NULL } },
        { { OBJ_OK, { NULL }, "t" }, { OBJ_OK, { NULL }, "t" } },
    };
    char long_key[OBJ_KEY_MAX + 2];
    struct scripted_page too_long = { OBJ_OK, { long_key }, NULL };
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        e = (struct err){ 0 };
        assert_int_equal(list(s, cases[i], 2, NULL, &out, &e), -1);
        assert_int_equal(e.kind, ERR_CORRUPT);
    }
    memset(long_key, 'x', sizeof long_key);
    long_key[sizeof long_key - 1] = '\0';
    memcpy(long_key, "d/", 2);
    assert_int_equal(list(s, &too_long, 1, NULL, &out, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
}

static void a_listing_error_names_the_place(void **state)
{
    static const struct scripted_page pages[] = {
        { OBJ_NO_BUCKET, { NULL }, NULL }
    };
    AUTO_BUF struct buf out = buf_init(1000);
    struct obj_list_opts versions = { .versions = true };
    struct obj_req r = { .key = "" };
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    assert_int_equal(list(s, pages, 1, &versions, &out, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "list versions of d/: "));
    assert_int_equal(obj_list(s, &r, NULL, append_key, &out, &e), -1);
    assert_non_null(strstr(e.msg, "list all objects: "));
    r.key = "/d";
    assert_int_equal(obj_list(s, &r, NULL, append_key, &out, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
}

static void fill_names(struct obj_name *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        names[i] = (struct obj_name){ .key = i % 2 ? "k/odd" : "k/even",
                                      .result = ERR_INTERNAL };
}

static void deletions_go_out_by_the_thousand(void **state)
{
    struct obj_name names[2500];
    struct obj_req r = { .key = "ignored" };
    struct err e = { 0 };
    struct obj_counters n;

    (void)state;
    fill_names(names, 2500);
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, "p/q");
    assert_int_equal(obj_delete_many(s, &r, names, 2500, false, &e), 0);
    assert_int_equal(many.calls, 3);
    assert_int_equal(many.sizes[0], 1000);
    assert_int_equal(many.sizes[2], 500);
    assert_string_equal(many.key, "p/q/k/even");
    assert_string_equal(names[0].key, "k/even");
    for (size_t i = 0; i < 2500; i++)
        assert_int_equal(names[i].result, ERR_NONE);
    obj_store_counters(s, &n);
    assert_int_equal(n.requests[OBJ_DELETE], 3);
}

static void only_names_that_may_do_better_are_sent_again(void **state)
{
    struct obj_name names[8];
    struct obj_req r = { .key = "" };
    struct err e = { 0 };

    (void)state;
    fill_names(names, 8);
    many.first[1] = ERR_THROTTLED;
    many.first[2] = ERR_LOCKED;
    many.first[3] = ERR_NOTFOUND; /* what is not there is deleted */
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    assert_int_equal(obj_delete_many(s, &r, names, 8, false, &e), 0);
    assert_int_equal(many.calls, 2);
    assert_int_equal(many.sizes[1], 2);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(names[i].result, i % 4 == 2 ? ERR_LOCKED : ERR_NONE);
}

static void names_that_never_do_better_keep_their_result(void **state)
{
    struct obj_name names[4];
    struct obj_req r = { .key = "" };
    struct err e = { 0 };

    (void)state;
    fill_names(names, 4);
    many.first[1] = ERR_UNREACHABLE;
    many.later = ERR_UNREACHABLE;
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    assert_int_equal(obj_delete_many(s, &r, names, 4, false, &e), 0);
    assert_int_equal(many.calls, 11);
    assert_int_equal(names[0].result, ERR_NONE);
    assert_int_equal(names[1].result, ERR_UNREACHABLE);
}

static void a_refused_deletion_of_many_is_an_error(void **state)
{
    struct obj_name names[4];
    struct obj_driver none = full_driver;
    struct obj_req r = { .key = "" };
    struct err e = { 0 };

    (void)state;
    fill_names(names, 4);
    many.outcome = OBJ_FORBIDDEN;
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    assert_int_equal(obj_delete_many(s, &r, names, 4, false, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_non_null(strstr(e.msg, "4 objects from k/even on"));
    names[3].key = "../x";
    assert_int_equal(obj_delete_many(s, &r, names, 4, false, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    none.remove_many = NULL;
    AUTO_OBJ_STORE struct obj_store *t = open_on(&none, NULL);
    assert_int_equal(obj_delete_many(t, &r, names, 3, false, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
}

static void a_delete_of_what_is_gone_succeeds(void **state)
{
    struct obj_req r = { .key = "k" };
    struct err e = { 0 };

    (void)state;
    script_add(
        (struct answer){ .a = { .outcome = OBJ_NETWORK, .maybe_done = true } });
    script_add((struct answer){ .a = { .outcome = OBJ_ABSENT, .http = 404 } });
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    assert_int_equal(obj_delete(s, &r, false, &e), 0);
    assert_int_equal(script.calls, 2);
}

static void what_a_driver_leaves_out_is_unsupported(void **state)
{
    struct obj_driver bare = full_driver;
    struct obj_req r = { .key = "k" };
    struct obj_lock lock = { .mode = OBJ_LOCK_COMPLIANCE };
    struct obj_counters n;
    struct err e = { 0 };

    (void)state;
    bare.set_lock = NULL;
    AUTO_OBJ_STORE struct obj_store *s = open_on(&bare, NULL);
    assert_int_equal(obj_set_lock(s, &r, &lock, false, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_int_equal(obj_get_lock(s, &r, &lock, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_int_equal(lock.mode, OBJ_LOCK_NONE);
    obj_store_counters(s, &n);
    assert_int_equal(n.requests[OBJ_RETENTION], 0); /* nothing went out */
}

static void calls_reach_the_driver_with_complete_keys(void **state)
{
    struct obj_req r = { .key = "a/b" };
    struct obj_lock lock = { .mode = OBJ_LOCK_COMPLIANCE };
    struct obj_bucket b;
    struct obj_info info;
    struct err e = { 0 };
    struct obj_counters n;

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_OK, .http = 200 } });
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, "x/y");
    assert_int_equal(obj_put(s, &r, span_str("1"), NULL, NULL, &e), 0);
    assert_int_equal(obj_head(s, &r, &info, &e), 0);
    assert_int_equal(info.size, 7);
    assert_int_equal(obj_head(s, &r, NULL, &e), 0);
    assert_int_equal(obj_set_lock(s, &r, &lock, true, &e), 0);
    assert_string_equal(script.seen[3].verb, "lock+bypass");
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(script.seen[i].key, "x/y/a/b");
    assert_int_equal(obj_bucket_info(s, &r, &b, &e), 0);
    assert_true(b.object_lock);
    assert_int_equal(obj_bucket_create(s, &r, true, &e), 0);
    assert_string_equal(script.seen[5].verb, "create+lock");
    assert_string_equal(script.seen[5].key, "");
    obj_store_counters(s, &n);
    assert_int_equal(n.requests[OBJ_PUT], 1);
    assert_int_equal(n.requests[OBJ_HEAD], 2);
    assert_int_equal(n.requests[OBJ_RETENTION], 1);
    assert_int_equal(n.requests[OBJ_BUCKET], 2);
    assert_int_equal(n.requests[OBJ_GET], 0);
    assert_int_equal(n.retries, 0);
}

static void a_bad_key_reaches_no_driver(void **state)
{
    struct obj_req r = { .key = "a//b" };
    AUTO_BUF struct buf out = buf_init(10);
    struct obj_lock lock = { .mode = OBJ_LOCK_NONE };
    struct obj_list_opts o = { .after = "../x" };
    struct err e = { 0 };

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_OK } });
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    assert_int_equal(obj_put(s, &r, span_str(""), NULL, NULL, &e), -1);
    assert_int_equal(obj_get(s, &r, NULL, &out, NULL, &e), -1);
    assert_int_equal(obj_head(s, &r, NULL, &e), -1);
    assert_int_equal(obj_delete(s, &r, false, &e), -1);
    assert_int_equal(obj_set_lock(s, &r, &lock, false, &e), -1);
    assert_int_equal(obj_get_lock(s, &r, &lock, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_non_null(strstr(e.msg, "a//b"));
    r.key = "";
    assert_int_equal(obj_list(s, &r, &o, append_key, &out, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(script.calls, 0);
}

static void a_body_over_the_maximum_is_refused(void **state)
{
    struct obj_req r = { .key = "k" };
    uint8_t byte = 0;
    struct err e = { 0 };

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_OK } });
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    /* Refused by its length, so the bytes are never looked at. */
    assert_int_equal(
        obj_put(s, &r, span_of(&byte, OBJ_BODY_MAX + 1u), NULL, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
    assert_int_equal(script.calls, 0);
}

static void bad_configurations_are_refused(void **state)
{
    static const char *const prefixes[] = { "/a", "a/", "a//b", "..", "a/." };
    char long_prefix[OBJ_KEY_MAX + 2];
    struct obj_config c = { .driver = (enum obj_driver_kind)99 };
    struct err e = { 0 };

    (void)state;
    assert_null(obj_store_open(&c, &e));
    assert_int_equal(e.kind, ERR_CONFIG);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        c.prefix = prefixes[i];
        e = (struct err){ 0 };
        assert_null(obj_store_open_driver(&full_driver, &c, NULL, &e));
        assert_int_equal(e.kind, ERR_USAGE);
    }
    memset(long_prefix, 'a', sizeof long_prefix);
    long_prefix[sizeof long_prefix - 1] = '\0';
    c.prefix = long_prefix;
    assert_null(obj_store_open_driver(&full_driver, &c, NULL, &e));
    obj_store_close(NULL);
}

static void verbs_have_names(void **state)
{
    (void)state;
    static const char *const names[] = { "put",    "get",    "head",
                                         "list",   "delete", "retention",
                                         "bucket", "unknown" };
    for (int v = 0; v <= OBJ_VERBS; v++)
        assert_string_equal(obj_verb_name((enum obj_verb)v), names[v]);
    AUTO_OBJ_STORE struct obj_store *s = open_on(&full_driver, NULL);
    assert_string_equal(obj_store_name(s), "s3://bucket on http://127.0.0.1:1");
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_listing_is_walked_page_by_page),
        TEST(a_failed_page_is_asked_again_from_the_same_place),
        TEST(listing_versions_repeats_keys),
        TEST(a_listing_that_cannot_be_right_is_an_error),
        TEST(a_listing_error_names_the_place),
        TEST(deletions_go_out_by_the_thousand),
        TEST(only_names_that_may_do_better_are_sent_again),
        TEST(names_that_never_do_better_keep_their_result),
        TEST(a_refused_deletion_of_many_is_an_error),
        TEST(a_delete_of_what_is_gone_succeeds),
        TEST(what_a_driver_leaves_out_is_unsupported),
        TEST(calls_reach_the_driver_with_complete_keys),
        TEST(a_bad_key_reaches_no_driver),
        TEST(a_body_over_the_maximum_is_refused),
        TEST(bad_configurations_are_refused),
        TEST(verbs_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

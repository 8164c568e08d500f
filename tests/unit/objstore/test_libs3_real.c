// SPDX-License-Identifier: Apache-2.0
/* The driver libs3 on a real server, beside the driver s3: what one stores the
 * other reads.  The environment names the server (s3_real.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#include "s3_real.h"

#define L obj_libs3_driver
#define THREADS 16
#define OBJECTS 8

static void *libs3;

static int open_both(void **state)
{
    char *name = NULL;
    struct err e = { 0 };

    setenv("OBJVAULT_LIBS3", LIBS3_MODULE, 1);
    if (real_setup(state) != 0)
        return -1;
    struct obj_config c = real_config(real.plain_name);
    c.region = NULL;
    libs3 = L.open(&c, &name, &e);
    free(name);
    if (libs3 == NULL)
        fail_msg("%s", e.msg);
    return 0;
}

static int close_both(void **state)
{
    L.close(libs3);
    return real_teardown(state);
}

static void each_reads_what_the_other_stored(void **state)
{
    const struct obj_driver *drivers[] = { &L, &obj_s3_driver };
    void *selves[] = { libs3, real.plain };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct obj_req r = real_req(i == 0 ? "each/libs3" : "each/s3");
        struct obj_attempt a = { 0 };
        struct obj_info put, head;
        AUTO_BUF struct buf out = buf_init(1000);
        drivers[i]->put(selves[i], &r, span_str("a body"), NULL, &put, &a);
        assert_outcome(&a, OBJ_OK);
        drivers[1 - i]->get(selves[1 - i], &r, NULL, &out, NULL, &a);
        assert_outcome(&a, OBJ_OK);
        assert_string_equal(buf_cstr(&out), "a body");
        L.head(libs3, &r, &head, &a);
        assert_outcome(&a, OBJ_OK);
        assert_int_equal(head.size, 6);
        assert_string_equal(head.etag, put.etag);
        assert_in_range(head.modified, utc_real_now() - 1000,
                        utc_real_now() + 1000);
        drivers[1 - i]->remove(selves[1 - i], &r, false, &a);
        assert_outcome(&a, OBJ_OK);
        drivers[i]->head(selves[i], &r, &head, &a);
        assert_outcome(&a, OBJ_ABSENT);
    }
}

static void listings_are_those_of_the_s3_driver(void **state)
{
    struct obj_req prefix = real_req("list/");
    const struct obj_list_opts o = { .page = 7, .after = "list/k0" };
    struct obj_page page = { 0 }, whole = { 0 };
    struct obj_attempt a = { 0 };
    size_t at = 0;

    (void)state;
    for (int i = 0; i < 31; i++) {
        char key[40];
        snprintf(key, sizeof key, "list/k%d/_%02X-x.json", i, i);
        real_put(real.plain, key, "body");
    }
    obj_s3_driver.list(real.plain, &prefix, NULL, &whole, &a);
    assert_outcome(&a, OBJ_OK);
    do {
        L.list(libs3, &prefix, &o, &page, &a);
        assert_outcome(&a, OBJ_OK);
        for (size_t i = 0; i < page.n; i++, at++) {
            const struct obj_list_entry *mine = &page.entries[i];
            const struct obj_list_entry *other = &whole.entries[at];
            assert_string_equal(mine->key, other->key);
            assert_int_equal(mine->info.size, other->info.size);
            assert_int_equal(mine->info.modified, other->info.modified);
            assert_string_equal(mine->info.etag, other->info.etag);
        }
    } while (page.next != NULL);
    assert_int_equal(at, whole.n);
    obj_page_clear(&page);
    obj_page_clear(&whole);
}

static void parts_and_empty_objects(void **state)
{
    struct obj_req r = real_req("part");
    const struct obj_range middle = { 2, 3 }, tail = { 7, 100 };
    struct obj_attempt a = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    struct obj_info info;

    (void)state;
    L.put(libs3, &r, span_str("0123456789"), NULL, NULL, &a);
    assert_outcome(&a, OBJ_OK);
    L.get(libs3, &r, &middle, &out, &info, &a);
    assert_outcome(&a, OBJ_OK);
    L.get(libs3, &r, &tail, &out, &info, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(info.size, 10);
    assert_string_equal(buf_cstr(&out), "234789");
    r.key = "empty";
    L.put(libs3, &r, span_of(NULL, 0), NULL, &info, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(info.size, 0);
    L.get(libs3, &r, NULL, &out, &info, &a);
    assert_outcome(&a, OBJ_OK);
}

static void *store_some(void *ctx)
{
    unsigned *good = ctx;
    AUTO_MEM char *body = malloc(100000);

    for (unsigned i = 0; body != NULL && i < OBJECTS; i++) {
        char key[64];
        struct obj_attempt a = { 0 };
        AUTO_BUF struct buf out = buf_init(100000);
        snprintf(key, sizeof key, "threads/%p/%u", ctx, i);
        struct obj_req r = real_req(key);
        memset(body, (int)i, 100000);
        L.put(libs3, &r, span_of(body, 100000), NULL, NULL, &a);
        if (a.outcome != OBJ_OK)
            continue;
        L.get(libs3, &r, NULL, &out, NULL, &a);
        *good += a.outcome == OBJ_OK && out.len == 100000 &&
                 memcmp(out.p, body, 100000) == 0;
    }
    return NULL;
}

static void sixteen_threads_store_and_read(void **state)
{
    pthread_t threads[THREADS];
    unsigned good[THREADS] = { 0 };

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, store_some, &good[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(good[i], OBJECTS);
    }
}

static void a_missing_bucket_is_told_by_every_function(void **state)
{
    struct obj_config c = real_config("objvault-no-such-bucket");
    struct obj_req r = real_req("k");
    struct obj_attempt a = { 0 };
    AUTO_BUF struct buf out = buf_init(100);
    struct obj_page page = { 0 };
    struct obj_bucket b;
    char *name = NULL;
    struct err e;

    (void)state;
    void *self = L.open(&c, &name, &e);
    assert_non_null(self);
    free(name);
    L.put(self, &r, span_str("x"), NULL, NULL, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    L.get(self, &r, NULL, &out, NULL, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    L.head(self, &r, NULL, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    L.list(self, &r, NULL, &page, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    L.remove(self, &r, false, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    L.bucket_info(self, &r, &b, &a);
    assert_outcome(&a, OBJ_NO_BUCKET);
    L.close(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reads_what_the_other_stored),
        cmocka_unit_test(listings_are_those_of_the_s3_driver),
        cmocka_unit_test(parts_and_empty_objects),
        cmocka_unit_test(sixteen_threads_store_and_read),
        cmocka_unit_test(a_missing_bucket_is_told_by_every_function),
    };
    const char *endpoint = getenv("OBJVAULT_TEST_S3_ENDPOINT");

    if (!real_wanted() || strncmp(endpoint, "http:", 5) != 0) {
        puts("no S3 server over plain HTTP: OBJVAULT_TEST_S3_ENDPOINT is not "
             "set to one");
        return 77;
    }
    return cmocka_run_group_tests(tests, open_both, close_both);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: a caller that wants to stop is let go within a second.
 */
#include <pthread.h>

#include "suite.h"

/* The promise is a second; the rest is for a machine that has other work.  A
 * server that says nothing at all is in tests/unit/objstore/test_s3_fault.c. */
#define STOPPED_MS 4000

static struct obj_attempt list_with(const struct cancel *token)
{
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key, .cancel = token };
    struct obj_list_opts o = { 0 };
    struct obj_page page = { 0 };
    struct obj_attempt a = { 0 };

    whole_key(&plain, "", key);
    plain.store->driver->list(plain.store->self, &r, &o, &page, &a);
    obj_page_clear(&page);
    return a;
}

static void requested_token_lets_nothing_begin(void **state)
{
    char key[OBJ_KEY_MAX + 1];
    AUTO_BUF struct buf out = buf_init(100);
    struct cancel token;
    struct err e;
    struct obj_info info;
    const struct obj_put_opts none = { 0 };
    struct obj_req r = { .key = key, .cancel = &token };
    struct obj_attempt a = { 0 };

    (void)state;
    must_put(&plain, "there", "x");
    assert_int_equal(cancel_init(&token, NULL, &e), 0);
    cancel_request(&token);
    whole_key(&plain, "new", key);
    plain.store->driver->put(plain.store->self, &r, span_str("x"), &none, &info,
                             &a);
    assert_outcome(a, OBJ_STOPPED);
    whole_key(&plain, "there", key);
    a = (struct obj_attempt){ 0 };
    plain.store->driver->get(plain.store->self, &r, NULL, &out, &info, &a);
    assert_outcome(a, OBJ_STOPPED);
    assert_int_equal(out.len, 0);
    assert_outcome(list_with(&token), OBJ_STOPPED);
    cancel_fini(&token);
    assert_outcome(head(&plain, "new", NULL, NULL), OBJ_ABSENT);
    assert_holds(&plain, "there", NULL, "x");
}

struct transfer {
    struct cancel token;
    struct span body;
    bool up;
    unsigned done;
    struct err e;
};

/* Moves the body up or down until it is stopped. */
static void *move_forever(void *ctx)
{
    struct transfer *t = ctx;
    AUTO_BUF struct buf out = buf_init(OBJ_BODY_MAX);
    char key[OBJ_KEY_MAX + 1];
    struct obj_req r = { .key = key, .cancel = &t->token };
    int result = 0;

    whole_key(&plain, "k", key);
    for (; result == 0; t->done++) {
        buf_reset(&out);
        result = t->up ? obj_put(plain.store, &r, t->body, NULL, NULL, &t->e)
                       : obj_get(plain.store, &r, NULL, &out, NULL, &t->e);
    }
    return NULL;
}

static void stop_while_moving(bool up)
{
    static const int64_t moments[] = { 5, 60, 150 };
    AUTO_MEM uint8_t *body = make_body(OBJ_BODY_MAX, 11);
    struct transfer t = { .body = span_of(body, OBJ_BODY_MAX), .up = up };

    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        pthread_t thread;
        struct err e;
        t.e = (struct err){ 0 };
        assert_int_equal(cancel_init(&t.token, NULL, &e), 0);
        assert_int_equal(pthread_create(&thread, NULL, move_forever, &t), 0);
        (void)!cancel_sleep(NULL, moments[i], &e);
        int64_t asked = utc_mono_ms();
        cancel_request(&t.token);
        pthread_join(thread, NULL);
        int64_t took = utc_mono_ms() - asked;
        cancel_fini(&t.token);
        if (t.e.kind != ERR_CANCELLED)
            fail_msg("ended with %s", t.e.msg);
        if (took > STOPPED_MS)
            fail_msg("stopped after %lld ms", (long long)took);
    }
}

static void running_put_is_stopped_and_leaves_no_part(void **state)
{
    struct obj_info info = { 0 };

    (void)state;
    stop_while_moving(true);
    /* A server that had it all may have kept it, but only whole. */
    struct obj_attempt a = head(&plain, "k", NULL, &info);
    if (a.outcome != OBJ_ABSENT) {
        assert_outcome(a, OBJ_OK);
        assert_int_equal(info.size, OBJ_BODY_MAX);
    }
}

static void running_get_is_stopped(void **state)
{
    AUTO_MEM uint8_t *body = make_body(OBJ_BODY_MAX, 12);

    (void)state;
    assert_outcome(put_as(&plain, "k", span_of(body, OBJ_BODY_MAX), NULL, NULL),
                   OBJ_OK);
    stop_while_moving(false);
}

static const struct test tests[] = {
    TEST(requested_token_lets_nothing_begin, 0),
    TEST(running_put_is_stopped_and_leaves_no_part, 0),
    TEST(running_get_is_stopped, 0),
};
THEME(theme_cancel, "cancel");

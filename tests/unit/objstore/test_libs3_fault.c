// SPDX-License-Identifier: Apache-2.0
/* The driver libs3 on bad lines and bad servers: bodies that are cut, servers
 * that fall silent, and the module's own border. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/utc.h"
#include "libs3_rig.h"
#include "objstore/libs3.h"

/* libs3 itself says OK to the first four of these. */
static void a_body_that_was_cut_is_never_whole(void **state)
{
    static const struct {
        const char *text;
        enum fake_fault fault;
        uint64_t received;
    } cuts[] = {
        { HELLO_HEAD "hel", FAKE_CLOSE, 3 },
        { HELLO_HEAD, FAKE_CLOSE, 0 },
        { OK "ETag: \"" MD5 "\"\r\nTransfer-Encoding: chunked\r\n\r\n"
             "5\r\nhel",
          FAKE_CLOSE, 3 },
        { OK "ETag: \"" MD5 "\"\r\n\r\nhello", FAKE_CLOSE, 5 },
        { HELLO_HEAD "hel", FAKE_RESET, 3 },
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        fake_forget(rig->fake);
        rig->a = (struct obj_attempt){ 0 };
        fake_add(rig->fake, cuts[i].text, cuts[i].fault);
        fails_to_get(rig, OBJ_NETWORK);
        /* The layer above tells damaged objects from bad lines by these. */
        assert_int_equal(rig->a.http, 200);
        if (cuts[i].fault == FAKE_CLOSE)
            assert_int_equal(rig->a.received, cuts[i].received);
    }
}

static void an_object_without_a_length_is_not_taken_for_an_empty_one(void **s)
{
    struct rig *rig = *s;

    fake_add(rig->fake, OK "ETag: \"" MD5 "\"\r\n\r\n", FAKE_CLOSE);
    fails_to_get(rig, OBJ_NETWORK);
    fake_forget(rig->fake);
    fake_add(rig->fake, OK "ETag: \"" MD5 "\"\r\n\r\n", FAKE_CLOSE);
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_NETWORK);
    /* A really empty one. */
    fake_forget(rig->fake);
    fake_add(rig->fake,
             OK "ETag: \"" MD5_EMPTY "\"\r\nContent-Length: 0\r\n\r\n",
             FAKE_NONE);
    char text[10];
    get_text(rig, NULL, text, sizeof text);
    assert_outcome(&rig->a, OBJ_OK);
}

static void headers_that_libs3_cannot_read_are_an_error(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake,
             OK "etag: \"" MD5 "\"\r\ncontent-length: 5\r\n\r\nhello",
             FAKE_CLOSE);
    fails_to_get(rig, OBJ_NETWORK);
    fake_forget(rig->fake);
    fake_add(rig->fake, OK "etag: \"" MD5 "\"\r\ncontent-length: 5\r\n\r\n",
             FAKE_CLOSE);
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_NETWORK);
    assert_non_null(strstr(rig->a.message, "no ETag"));
}

static void a_body_larger_than_its_buffer_is_refused(void **state)
{
    struct rig *rig = *state;
    char text[4]; /* room for three */

    fake_add(rig->fake, HELLO, FAKE_NONE);
    get_text(rig, NULL, text, sizeof text);
    assert_outcome(&rig->a, OBJ_LOCAL);
    assert_int_equal(rig->a.err.kind, ERR_CORRUPT);
}

static void throttling_and_refusals_are_told_apart(void **state)
{
    static const struct {
        const char *text;
        enum obj_outcome outcome;
    } answers[] = {
        { ERROR("503", "SlowDown", "Please reduce your request rate."),
          OBJ_THROTTLE },
        { ERROR("503", "SlowDownWrite",
                "Resource requested is unwritable, please reduce your request "
                "rate"),
          OBJ_THROTTLE },
        { ERROR("429", "TooManyRequests",
                "Deadline exceeded while waiting in incoming queue, please "
                "reduce your request rate"),
          OBJ_THROTTLE },
        { ERROR("500", "InternalError", "x"), OBJ_UNAVAIL },
        { ERROR("503", "Whatever", "x"), OBJ_UNAVAIL },
        { ERROR("403", "RequestTimeTooSkewed", "x"), OBJ_CLOCK },
        { ERROR("403", "SignatureDoesNotMatch", "x"), OBJ_AUTH },
        { ERROR("403", "AccessDenied", "x"), OBJ_FORBIDDEN },
        { ERROR("404", "NoSuchBucket", "x"), OBJ_NO_BUCKET },
        { "HTTP/1.1 502 x\r\nContent-Length: 9\r\n\r\n<html><hr", OBJ_UNAVAIL },
        { "HTTP/1.1 502 x\r\nContent-Length: 0\r\n\r\n", OBJ_UNAVAIL },
        { "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", OBJ_THROTTLE },
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fake_forget(rig->fake);
        fake_add(rig->fake, answers[i].text, FAKE_CLOSE);
        fails_to_get(rig, answers[i].outcome);
    }
}

static void a_lost_answer_may_have_been_a_success(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, NULL, FAKE_RESET);
    put_hello(rig, NULL);
    assert_outcome(&rig->a, OBJ_NETWORK);
    assert_true(rig->a.maybe_done);
    assert_int_equal(rig->a.http, 0);
}

static void a_closed_port_is_found_out_without_anything_sent(void **state)
{
    const struct obj_config c = { .bucket = "bucket",
                                  .endpoint = "http://127.0.0.1:1" };
    struct obj_req r = { .key = "k" };
    struct obj_attempt a = { 0 };
    char *name = NULL;
    struct err e;

    (void)state;
    keys_of_test();
    void *self = D.open(&c, &name, &e);
    assert_non_null(self);
    free(name);
    D.put(self, &r, span_str("hello"), NULL, NULL, &a);
    assert_outcome(&a, OBJ_NETWORK);
    assert_int_equal(a.sent, 0);
    assert_false(a.maybe_done);
    D.close(self);
}

static void *cancel_soon(void *ctx)
{
    usleep(200000);
    cancel_request(ctx);
    return NULL;
}

/* Runs `call` on a server that answers with `text` and then nothing more. */
static void stops(struct rig *rig, const char *text,
                  void (*call)(struct rig *rig))
{
    struct cancel token;
    struct err e;
    pthread_t t;

    assert_int_equal(cancel_init(&token, NULL, &e), 0);
    rig->r.cancel = &token;
    fake_forget(rig->fake);
    fake_add(rig->fake, text, FAKE_HANG);
    int64_t from = utc_mono_ms();
    assert_int_equal(pthread_create(&t, NULL, cancel_soon, &token), 0);
    call(rig);
    pthread_join(t, NULL);
    assert_outcome(&rig->a, OBJ_STOPPED);
    assert_in_range(utc_mono_ms() - from, 0, 1200);
    rig->r.cancel = NULL;
    cancel_fini(&token);
}

static void call_get(struct rig *rig)
{
    fails_to_get(rig, OBJ_STOPPED);
}

static void call_put(struct rig *rig)
{
    put_hello(rig, NULL);
}

static void call_list(struct rig *rig)
{
    struct obj_page page = { 0 };

    D.list(rig->self, &rig->r, NULL, &page, &rig->a);
}

static void a_silent_server_does_not_hold_up_who_is_told_to_stop(void **state)
{
    struct rig *rig = *state;

    stops(rig, NULL, call_get);
    stops(rig, HELLO_HEAD "he", call_get);
    stops(rig, NULL, call_put);
    stops(rig, NULL, call_list);
    /* What was broken off leaves a driver that works. */
    fake_forget(rig->fake);
    fake_add(rig->fake, HELLO, FAKE_NONE);
    char text[10];
    get_text(rig, NULL, text, sizeof text);
    assert_outcome(&rig->a, OBJ_OK);
    assert_string_equal(text, "hello");
}

static void what_is_late_is_not_sent(void **state)
{
    struct rig *rig = *state;

    rig->r.sign_before = utc_real_now() - 1;
    put_hello(rig, NULL);
    assert_outcome(&rig->a, OBJ_LOCAL);
    assert_int_equal(rig->a.err.kind, ERR_PRECONDITION);
    assert_int_equal(fake_requests(rig->fake), 0);
}

static void a_fresh_connection_is_one(void **state)
{
    struct rig *rig = *state;
    char text[10];

    for (int i = 0; i < 3; i++)
        fake_add(rig->fake, HELLO, FAKE_NONE);
    get_text(rig, NULL, text, sizeof text);
    get_text(rig, NULL, text, sizeof text);
    rig->a.fresh_connection = true;
    get_text(rig, NULL, text, sizeof text);
    assert_outcome(&rig->a, OBJ_OK);
    assert_int_equal(rig->fake->requests[1].connection, 1);
    assert_int_equal(rig->fake->requests[2].connection, 2);
}

#define CALLS 25

struct worker {
    struct rig *rig;
    pthread_t thread;
    unsigned good;
};

/* Refused connections: the threads meet in libs3, not at a server. */
static void *knock(void *ctx)
{
    struct worker *w = ctx;

    for (int i = 0; i < CALLS; i++) {
        struct obj_req r = { .key = "k" };
        struct obj_attempt a = { 0 };
        D.head(w->rig->self, &r, NULL, &a);
        w->good += a.outcome == OBJ_NETWORK;
    }
    return NULL;
}

static void sixteen_threads_do_not_get_into_each_others_way(void **state)
{
    struct worker workers[16];
    struct rig rig = { 0 };
    const struct obj_config c = { .bucket = "bucket",
                                  .endpoint = "http://127.0.0.1:1" };
    char *name = NULL;
    struct err e;

    (void)state;
    keys_of_test();
    rig.self = D.open(&c, &name, &e);
    assert_non_null(rig.self);
    free(name);
    for (size_t i = 0; i < 16; i++) {
        workers[i] = (struct worker){ .rig = &rig };
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, knock, &workers[i]), 0);
    }
    for (size_t i = 0; i < 16; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].good, CALLS);
    }
    D.close(rig.self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_body_that_was_cut_is_never_whole),
        WITH_SERVER(an_object_without_a_length_is_not_taken_for_an_empty_one),
        WITH_SERVER(headers_that_libs3_cannot_read_are_an_error),
        WITH_SERVER(a_body_larger_than_its_buffer_is_refused),
        WITH_SERVER(throttling_and_refusals_are_told_apart),
        WITH_SERVER(a_lost_answer_may_have_been_a_success),
        cmocka_unit_test(a_closed_port_is_found_out_without_anything_sent),
        WITH_SERVER(a_silent_server_does_not_hold_up_who_is_told_to_stop),
        WITH_SERVER(what_is_late_is_not_sent),
        WITH_SERVER(a_fresh_connection_is_one),
        cmocka_unit_test(sixteen_threads_do_not_get_into_each_others_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
//
// The S3 driver over broken transfers, and with answers that make no sense.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "s3_rig.h"

static void refused_connection_never_carried_anything(void **state)
{
    struct rig *rig = *state;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof a;

    /* Bound but not listening: nobody else can take the port. */
    assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&a, &len), 0);
    void *self = open_on(ntohs(a.sin_port), "127.0.0.1", OBJ_ADDR_AUTO, NULL);
    D.put(self, &rig->r, span_str("x"), NULL, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_NETWORK);
    assert_false(rig->a.maybe_done);
    assert_int_equal(rig->a.sent, 0);
    assert_int_equal(rig->a.http, 0);
    assert_true(rig->a.message[0] != '\0');
    D.close(self);
    close(s);
}

static void unknown_host_is_a_network_failure(void **state)
{
    struct rig *rig = *state;
    void *self = open_on(1, "host.invalid", OBJ_ADDR_AUTO, NULL);

    D.head(self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_NETWORK);
    assert_false(rig->a.maybe_done);
    D.close(self);
}

static void lost_answer_may_have_been_carried_out(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, NULL, FAKE_CLOSE);
    put(rig, "hello");
    assert_outcome(&rig->a, OBJ_NETWORK);
    assert_true(rig->a.maybe_done);
    assert_int_equal(rig->a.sent, 5);
}

static void body_that_was_not_sent_in_full_cannot_be_carried_out(void **state)
{
    struct rig *rig = *state;
    AUTO_BUF struct buf body = buf_init(32u << 20);

    memset(buf_reserve(&body, 32u << 20), 'x', 32u << 20);
    body.len = 32u << 20;
    fake_add(rig->fake, NULL, FAKE_CLOSE_HEAD);
    D.put(rig->self, &rig->r, buf_span(&body), NULL, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_NETWORK);
    assert_false(rig->a.maybe_done);
    assert_true(rig->a.sent < body.len);
}

static void kept_connection_that_died_is_replaced_and_reported(void **state)
{
    struct rig *rig = *state;
    const struct obj_put_opts o = { .if_absent = true };

    fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    /* The second request arrives on the kept connection and is lost; libcurl
     * sends it again by itself. */
    fake_add(rig->fake, NULL, FAKE_CLOSE);
    fake_add(rig->fake,
             "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n",
             FAKE_NONE);
    put(rig, "first");
    assert_outcome(&rig->a, OBJ_OK);
    assert_false(rig->a.maybe_done);
    D.put(rig->self, &rig->r, span_str("second"), &o, NULL, &rig->a);
    assert_int_equal(fake_requests(rig->fake), 3);
    assert_outcome(&rig->a, OBJ_THERE);
    /* So the 412 may be the echo of our own success. */
    assert_true(rig->a.maybe_done);
}

static void plain_refusal_of_a_condition_is_certain(void **state)
{
    struct rig *rig = *state;
    const struct obj_put_opts o = { .if_absent = true };

    fake_add(rig->fake,
             "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n",
             FAKE_NONE);
    D.put(rig->self, &rig->r, span_str("x"), &o, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_THERE);
    assert_false(rig->a.maybe_done);
    assert_string_equal(header_of(rig->fake, 0, "if-none-match"), "*");
}

static void fresh_connection_is_made_where_asked(void **state)
{
    struct rig *rig = *state;

    for (int i = 0; i < 3; i++)
        fake_add(rig->fake, OK_EMPTY, FAKE_NONE);
    put(rig, "1");
    put(rig, "2");
    rig->a.fresh_connection = true;
    put(rig, "3");
    assert_outcome(&rig->a, OBJ_OK);
    assert_int_equal(fake_requests(rig->fake), 3);
    assert_int_equal(rig->fake->requests[0].connection, 1);
    assert_int_equal(rig->fake->requests[1].connection, 1);
    assert_int_equal(rig->fake->requests[2].connection, 2);
}

static void short_body_is_a_network_failure(void **state)
{
    static const char *const replies[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789",
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "a\r\n0123456789\r\n"),
        /* Nobody said where it ends. */
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789",
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < 3; i++) {
        fake_add(rig->fake, replies[i], FAKE_CLOSE);
        rig->a = (struct obj_attempt){ 0 };
        get(rig);
        assert_outcome(&rig->a, OBJ_NETWORK);
        assert_int_equal(rig->a.http, 200);
        assert_int_equal(rig->a.received, 10);
    }
}

static void object_without_an_announced_length_is_not_taken(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake,
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "a\r\n0123456789\r\n0\r\n\r\n",
             FAKE_NONE);
    get(rig);
    assert_outcome(&rig->a, OBJ_NETWORK);
    assert_non_null(strstr(rig->a.message, "length"));
}

static void reset_during_the_body_is_a_network_failure(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake,
             "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789",
             FAKE_RESET);
    get(rig);
    assert_outcome(&rig->a, OBJ_NETWORK);
}

static void what_is_no_http_is_rejected(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, "SSH-2.0-OpenSSH_9.2\r\n", FAKE_CLOSE);
    get(rig);
    assert_outcome(&rig->a, OBJ_REJECTED);
}

static void tls_to_a_plain_server_is_rejected(void **state)
{
    struct rig *rig = *state;
    char endpoint[64];
    char *name = NULL;
    struct err e;
    const struct obj_config c = { .bucket = "bucket", .endpoint = endpoint };

    snprintf(endpoint, sizeof endpoint, "https://127.0.0.1:%u",
             rig->fake->port);
    void *self = D.open(&c, &name, &e);
    assert_non_null(self);
    /* The greeting of TLS has no end of a head in it: the server would read
     * on for ever, so it speaks first. */
    pthread_mutex_lock(&rig->fake->lock);
    rig->fake->greeting = "HTTP/1.0 400 Bad Request\r\n\r\n";
    pthread_mutex_unlock(&rig->fake->lock);
    D.head(self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_REJECTED);
    assert_non_null(strstr(rig->a.message, "does not speak TLS"));
    D.close(self);
    free(name);
}

static void *cancel_soon(void *ctx)
{
    usleep(300000);
    cancel_request(ctx);
    return NULL;
}

static void cancelled_call_ends_at_once(void **state)
{
    struct rig *rig = *state;
    struct cancel parent, child;
    pthread_t t;
    struct err e;

    assert_int_equal(cancel_init(&parent, NULL, &e), 0);
    assert_int_equal(cancel_init(&child, &parent, &e), 0);
    rig->r.cancel = &child;
    fake_add(rig->fake, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
             FAKE_HANG);
    assert_int_equal(pthread_create(&t, NULL, cancel_soon, &parent), 0);
    int64_t from = utc_mono_ms();
    get(rig);
    int64_t took = utc_mono_ms() - from;
    pthread_join(t, NULL);
    assert_outcome(&rig->a, OBJ_STOPPED);
    assert_true(took >= 250 && took < 1000);
    /* And one that was cancelled before does not begin. */
    put(rig, "x");
    assert_outcome(&rig->a, OBJ_STOPPED);
    assert_int_equal(fake_requests(rig->fake), 1);
    cancel_fini(&child);
    cancel_fini(&parent);
}

/* Puts on a token that is requested 300 ms later; how long that took. */
static int64_t put_and_stop(struct rig *rig)
{
    struct cancel c;
    pthread_t t;
    struct err e;

    assert_int_equal(cancel_init(&c, NULL, &e), 0);
    rig->r.cancel = &c;
    assert_int_equal(pthread_create(&t, NULL, cancel_soon, &c), 0);
    int64_t from = utc_mono_ms();
    put(rig, "hello");
    int64_t took = utc_mono_ms() - from;
    pthread_join(t, NULL);
    cancel_fini(&c);
    return took;
}

static void a_put_that_is_nearly_done_may_end_when_stopped(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, OK_EMPTY, FAKE_LATE);
    int64_t took = put_and_stop(rig);
    assert_outcome(&rig->a, OBJ_OK);
    assert_true(took >= 450 && took < 1300);
}

static void a_put_that_stalls_is_given_up_within_a_second(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, "", FAKE_HANG);
    int64_t took = put_and_stop(rig);
    assert_outcome(&rig->a, OBJ_STOPPED);
    assert_true(rig->a.maybe_done);
    assert_true(took >= 250 && took < 1300);
}

static void silent_server_is_slow(void **state)
{
    struct rig *rig = *state;
    char endpoint[64];
    char *name = NULL;
    struct err e;
    const struct obj_config c = { .bucket = "bucket",
                                  .endpoint = endpoint,
                                  .deadline_ms = 700 };

    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u/",
             rig->fake->port);
    void *self = D.open(&c, &name, &e);
    assert_non_null(self);
    fake_add(rig->fake, NULL, FAKE_HANG);
    D.put(self, &rig->r, span_str("x"), NULL, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_SLOW);
    assert_true(rig->a.maybe_done);
    D.close(self);
    free(name);
}

static void parts_that_were_not_asked_for_are_refused(void **state)
{
    static const struct {
        const char *headers;
        const char *body;
        enum err_kind kind;
    } cases[] = {
        { "200 OK", "0123456789", ERR_UNSUPPORTED },
        { "206 x", "234", ERR_CORRUPT },
        { "206 x\r\nContent-Range: bytes 2-4/x", "234", ERR_CORRUPT },
        { "206 x\r\nContent-Range: bytes 4-2/10", "234", ERR_CORRUPT },
        { "206 x\r\nContent-Range: bytes 3-5/10", "345", ERR_CORRUPT },
        { "206 x\r\nContent-Range: bytes 2-3/10", "23", ERR_CORRUPT },
        { "206 x\r\nContent-Range: bytes 2-4/10", "23", ERR_CORRUPT },
    };
    struct rig *rig = *state;
    const struct obj_range range = { 2, 3 };
    char text[sizeof cases / sizeof cases[0]][256];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_BUF struct buf out = buf_init(100);
        fake_add(
            rig->fake,
            with_body(text[i], sizeof text[i], cases[i].headers, cases[i].body),
            FAKE_NONE);
        D.get(rig->self, &rig->r, &range, &out, NULL, &rig->a);
        assert_outcome(&rig->a, OBJ_LOCAL);
        assert_int_equal(rig->a.err.kind, cases[i].kind);
        assert_int_equal(out.len, 0);
    }
    assert_string_equal(header_of(rig->fake, 0, "range"), "bytes=2-4");
    char whole[256];
    fake_add(rig->fake,
             with_body(whole, sizeof whole,
                       "206 x\r\nContent-Range: bytes 0-2/3", "012"),
             FAKE_NONE);
    get(rig);
    assert_outcome(&rig->a, OBJ_LOCAL);
}

/* Servers keep positions in 63 bits, and answer a range beyond with the whole
 * object. */
static void range_never_says_more_than_63_bits(void **state)
{
    static const struct {
        struct obj_range range;
        const char *header; /* NULL: nothing is sent */
    } cases[] = {
        { { 9, INT64_MAX - 9 }, "bytes=9-9223372036854775806" },
        { { 9, INT64_MAX - 8 }, "bytes=9-" },
        { { 9, UINT64_MAX }, "bytes=9-" },
        { { INT64_MAX, 5 }, "bytes=9223372036854775807-" },
        { { (uint64_t)INT64_MAX + 1, 5 }, NULL },
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_BUF struct buf out = buf_init(100);
        fake_add(rig->fake, ERROR("416", "InvalidRange", "", ""), FAKE_CLOSE);
        rig->a = (struct obj_attempt){ 0 };
        D.get(rig->self, &rig->r, &cases[i].range, &out, NULL, &rig->a);
        assert_outcome(&rig->a, OBJ_REJECTED);
        assert_int_equal(rig->a.http, cases[i].header != NULL ? 416 : 0);
        if (cases[i].header != NULL)
            assert_string_equal(header_of(rig->fake, i, "range"),
                                cases[i].header);
    }
}

static void headers_that_make_no_sense_are_refused(void **state)
{
    static const char *const headers[] = {
        "200 OK\r\nx-amz-object-lock-mode: NOPE\r\n"
        "x-amz-object-lock-retain-until-date: 2026-11-22T19:55:06.000Z",
        "200 OK\r\nx-amz-object-lock-mode: COMPLIANCE\r\n"
        "x-amz-object-lock-retain-until-date: soon",
        "200 OK\r\nx-amz-version-id: "
        "0123456789012345678901234567890123456789012345678901234567890123"
        "0123456789012345678901234567890123456789012345678901234567890123",
        "200 OK\r\nETag: \""
        "0123456789012345678901234567890123456789012345678901234567890123"
        "01234567890123456789\"",
    };
    struct rig *rig = *state;
    char text[4][512];

    for (size_t i = 0; i < 4; i++) {
        fake_add(rig->fake, with_body(text[i], sizeof text[i], headers[i], "x"),
                 FAKE_NONE);
        get(rig);
        assert_outcome(&rig->a, OBJ_LOCAL);
        assert_int_equal(rig->a.err.kind, ERR_CORRUPT);
    }
}

static void broken_listing_leaves_the_page_as_it_was(void **state)
{
    struct rig *rig = *state;
    struct obj_page page = { .next = strdup("token/+"), .next_version = NULL };
    char text[4][512];

    /* An error in a good answer. */
    fake_add(rig->fake,
             with_body(text[0], sizeof text[0], "200 OK",
                       "<Error><Code>InternalError</Code></Error>"),
             FAKE_NONE);
    D.list(rig->self, &rig->r, NULL, &page, &rig->a);
    assert_outcome(&rig->a, OBJ_UNAVAIL);
    assert_non_null(
        strstr(fake_head(rig->fake, 0), "continuation-token=token%2F%2B&"));

    fake_add(rig->fake,
             with_body(text[1], sizeof text[1], "200 OK", "<ListBucketResult>"),
             FAKE_NONE);
    D.list(rig->self, &rig->r, NULL, &page, &rig->a);
    assert_outcome(&rig->a, OBJ_LOCAL);
    assert_int_equal(rig->a.err.kind, ERR_CORRUPT);
    assert_string_equal(page.next, "token/+");

    fake_add(rig->fake,
             with_body(text[2], sizeof text[2], "200 OK",
                       "<ListBucketResult><IsTruncated>true</IsTruncated>"
                       "<NextContinuationToken>token/+"
                       "</NextContinuationToken></ListBucketResult>"),
             FAKE_NONE);
    D.list(rig->self, &rig->r, NULL, &page, &rig->a);
    assert_outcome(&rig->a, OBJ_LOCAL);
    assert_non_null(strstr(rig->a.err.msg, "repeats"));
    assert_string_equal(page.next, "token/+");
    obj_page_clear(&page);
}

static void early_refusal_counts_though_the_body_was_cut(void **state)
{
    struct rig *rig = *state;
    AUTO_BUF struct buf body = buf_init(32u << 20);

    memset(buf_reserve(&body, 32u << 20), 'x', 32u << 20);
    body.len = 32u << 20;
    fake_add(rig->fake, ERROR("403", "SignatureDoesNotMatch", "wrong", ""),
             FAKE_CLOSE_HEAD_LATE);
    D.put(rig->self, &rig->r, buf_span(&body), NULL, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_AUTH);
    assert_true(rig->a.sent < body.len);
}

static void unannounced_length_is_bounded_too(void **state)
{
    struct rig *rig = *state;
    AUTO_BUF struct buf out = buf_init(4);

    fake_add(rig->fake,
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "a\r\n0123456789\r\n0\r\n\r\n",
             FAKE_CLOSE);
    D.get(rig->self, &rig->r, NULL, &out, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_LOCAL);
    assert_int_equal(rig->a.err.kind, ERR_CORRUPT);
}

static void head_without_a_length_is_no_answer(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake,
             "HTTP/1.1 200 OK\r\nLast-Modified: once\r\n"
             "Connection: close\r\n\r\n",
             FAKE_CLOSE);
    D.head(rig->self, &rig->r, NULL, &rig->a);
    assert_outcome(&rig->a, OBJ_NETWORK);
}

static void body_of_an_answer_to_a_put_is_dropped(void **state)
{
    struct rig *rig = *state;

    fake_add(rig->fake, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
             FAKE_NONE);
    put(rig, "x");
    assert_outcome(&rig->a, OBJ_OK);
    assert_int_equal(rig->a.received, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(refused_connection_never_carried_anything),
        WITH_SERVER(unknown_host_is_a_network_failure),
        WITH_SERVER(lost_answer_may_have_been_carried_out),
        WITH_SERVER(body_that_was_not_sent_in_full_cannot_be_carried_out),
        WITH_SERVER(kept_connection_that_died_is_replaced_and_reported),
        WITH_SERVER(plain_refusal_of_a_condition_is_certain),
        WITH_SERVER(fresh_connection_is_made_where_asked),
        WITH_SERVER(short_body_is_a_network_failure),
        WITH_SERVER(object_without_an_announced_length_is_not_taken),
        WITH_SERVER(reset_during_the_body_is_a_network_failure),
        WITH_SERVER(what_is_no_http_is_rejected),
        WITH_SERVER(tls_to_a_plain_server_is_rejected),
        WITH_SERVER(cancelled_call_ends_at_once),
        WITH_SERVER(a_put_that_is_nearly_done_may_end_when_stopped),
        WITH_SERVER(a_put_that_stalls_is_given_up_within_a_second),
        WITH_SERVER(silent_server_is_slow),
        WITH_SERVER(parts_that_were_not_asked_for_are_refused),
        WITH_SERVER(range_never_says_more_than_63_bits),
        WITH_SERVER(headers_that_make_no_sense_are_refused),
        WITH_SERVER(broken_listing_leaves_the_page_as_it_was),
        WITH_SERVER(early_refusal_counts_though_the_body_was_cut),
        WITH_SERVER(unannounced_length_is_bounded_too),
        WITH_SERVER(head_without_a_length_is_no_answer),
        WITH_SERVER(body_of_an_answer_to_a_put_is_dropped),
    };

    no_proxy();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

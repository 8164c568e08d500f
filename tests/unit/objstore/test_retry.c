// SPDX-License-Identifier: Apache-2.0
/* The retry layer over a scripted driver: what is tried again, how often, and
 * what it says in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

#include "retry_fixture.h"

/* Each class of failure: so many attempts, and then this kind. */
struct limit_case {
    enum obj_outcome outcome;
    int http;
    bool maybe_done;
    size_t attempts;
    enum err_kind kind;
};

static void each_class_has_its_cap_and_its_kind(void **state)
{
    static const struct limit_case cases[] = {
        /* Never answered: the endpoint is more likely wrong than down. */
        { OBJ_NETWORK, 0, false, 7, ERR_UNREACHABLE },
        { OBJ_NETWORK, 0, true, 11, ERR_UNREACHABLE },
        { OBJ_NETWORK, 400, false, 6, ERR_UNREACHABLE },
        { OBJ_SLOW, 0, true, 7, ERR_TIMEOUT },
        { OBJ_UNAVAIL, 500, false, 11, ERR_UNREACHABLE },
        { OBJ_DIGEST, 400, false, 3, ERR_CORRUPT },
        { OBJ_CONFLICT, 409, false, 6, ERR_BUSY },
        { OBJ_UNREADABLE, 503, false, 3, ERR_CORRUPT },
        { OBJ_NO_SPACE, 507, false, 3, ERR_FULL },
        { OBJ_NO_SPACE, 0, false, 1, ERR_FULL },
        { OBJ_ABSENT, 404, false, 1, ERR_NOTFOUND },
        { OBJ_NO_BUCKET, 404, false, 1, ERR_NOTFOUND },
        { OBJ_PRECOND, 412, false, 1, ERR_PRECONDITION },
        { OBJ_FORBIDDEN, 403, false, 1, ERR_DENIED },
        { OBJ_WORM, 400, false, 1, ERR_LOCKED },
        { OBJ_TLS, 0, false, 1, ERR_DENIED },
        { OBJ_UNABLE, 501, false, 1, ERR_UNSUPPORTED },
        { OBJ_REJECTED, 400, false, 1, ERR_FAILED },
        { OBJ_REJECTED, 416, false, 1, ERR_CORRUPT },
        { OBJ_STOPPED, 0, false, 1, ERR_CANCELLED },
        { OBJ_CLOCK, 403, false, 1, ERR_DENIED },
        { OBJ_REGION, 301, false, 1, ERR_CONFIG },
        { OBJ_AUTH, 403, false, 1, ERR_DENIED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct limit_case *c = &cases[i];
        struct answer got = { .a = { .outcome = c->outcome,
                                     .http = c->http,
                                     .maybe_done = c->maybe_done } };
        struct err e = { 0 };
        script_reset();
        script_add(got);
        AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
        assert_int_equal(put_key(s, false, &e), -1);
        if (script.calls != c->attempts || e.kind != c->kind)
            fail_msg("case %zu: %zu attempts, %s", i, script.calls, e.msg);
        assert_int_equal(e.http, c->http);
    }
}

static void a_passing_failure_is_tried_again_until_it_succeeds(void **state)
{
    struct err e = { 0 };
    struct obj_counters n;

    (void)state;
    say(OBJ_UNAVAIL, 500, "InternalError");
    say(OBJ_THROTTLE, 503, "SlowDown");
    say(OBJ_NETWORK, 0, "");
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, false, &e), 0);
    assert_int_equal(script.calls, 4);
    obj_store_counters(s, &n);
    assert_int_equal(n.requests[OBJ_PUT], 4);
    assert_int_equal(n.retries, 3);
    assert_int_equal(n.throttled, 1);
    assert_int_equal(n.sent_bytes, 5);
    assert_int_equal(n.stored, 1);
    assert_int_equal(n.stored_bytes, 5);
    assert_true(n.network_ns > 0);
    assert_false(script.seen[1].in.fresh_connection);
    assert_true(script.seen[3].in.fresh_connection);
}

static void throttling_lasts_until_the_deadline_and_says_how_often(void **state)
{
    struct obj_config c = { .deadline_ms = 300 };
    struct err e = { 0 };
    struct answer got = { .a = { .outcome = OBJ_THROTTLE,
                                 .http = 503,
                                 .code = "SlowDown",
                                 .message = "Please reduce",
                                 .request_id = "R1" } };

    (void)state;
    script_add(got);
    AUTO_OBJ_STORE struct obj_store *s = open_store(&c, NULL);
    int64_t from = utc_mono_ms();
    assert_int_equal(put_key(s, false, &e), -1);
    int64_t took = utc_mono_ms() - from;
    assert_true(took >= 290 && took < 3000);
    assert_true(script.calls > 3);
    assert_int_equal(e.kind, ERR_THROTTLED);
    assert_non_null(strstr(e.msg, "put a/b (5 bytes): 503 SlowDown "
                                  "(Please reduce), "));
    assert_non_null(strstr(e.msg, " attempts over "));
    assert_non_null(strstr(e.msg, "request id R1"));
}

static void differing_failures_are_merged_into_one_text(void **state)
{
    struct err e = { 0 };

    (void)state;
    say(OBJ_UNAVAIL, 500, "InternalError");
    say(OBJ_FORBIDDEN, 403, "AccessDenied");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, false, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_non_null(strstr(e.msg, "403 AccessDenied, 2 attempts"));
    assert_non_null(strstr(e.msg, "(before: 500 InternalError)"));
}

static void wrong_keys_and_missing_buckets_come_with_advice(void **state)
{
    struct err e = { 0 };

    (void)state;
    say(OBJ_AUTH, 403, "InvalidAccessKeyId");
    say(OBJ_AUTH, 403, "SignatureDoesNotMatch");
    say(OBJ_AUTH, 403, "ExpiredToken");
    say(OBJ_AUTH, 401, "");
    say(OBJ_NO_BUCKET, 404, "NoSuchBucket");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, false, &e), -1);
    assert_non_null(strstr(e.msg, "does not know this access key"));
    assert_int_equal(put_key(s, false, &e), -1);
    assert_non_null(strstr(e.msg, "secret key"));
    assert_int_equal(put_key(s, false, &e), -1);
    assert_non_null(strstr(e.msg, "temporary credentials"));
    assert_int_equal(put_key(s, false, &e), -1);
    assert_non_null(strstr(e.msg, "check access key"));
    assert_int_equal(put_key(s, false, &e), -1);
    assert_non_null(strstr(e.msg, "create it"));
    assert_non_null(strstr(e.msg, "storage: s3://bucket on http://127.0.0.1"));
}

static void a_local_error_keeps_its_text_and_kind(void **state)
{
    struct answer got = { .a = { .outcome = OBJ_LOCAL } };
    struct err e = { 0 };

    (void)state;
    err_set(&got.a.err, ERR_NOMEM, 0, "out of memory");
    script_add(got);
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, false, &e), -1);
    assert_int_equal(e.kind, ERR_NOMEM);
    assert_string_equal(e.msg, "put a/b (5 bytes): out of memory");
}

static void credentials_are_refreshed_once(void **state)
{
    struct err e = { 0 };

    (void)state;
    say(OBJ_AUTH, 403, "ExpiredToken");
    say(OBJ_OK, 200, "");
    say(OBJ_AUTH, 403, "ExpiredToken");
    script.refresh_works = 10;
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, false, &e), 0);
    assert_int_equal(script.refreshes, 1);
    assert_int_equal(put_key(s, false, &e), -1);
    assert_int_equal(script.calls, 4);
    assert_int_equal(script.refreshes, 2);
    assert_int_equal(e.kind, ERR_DENIED);
}

static void the_region_is_corrected_once(void **state)
{
    struct answer got = {
        .a = { .outcome = OBJ_REGION, .http = 400, .region = "eu-central-1" }
    };
    struct err e = { 0 };

    (void)state;
    script_add(got);
    say(OBJ_OK, 200, "");
    script_add(got);
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, false, &e), 0);
    assert_string_equal(script.region, "eu-central-1");
    assert_int_equal(put_key(s, false, &e), -1);
    assert_int_equal(script.calls, 4);
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "set the region to eu-central-1"));
}

static void a_refused_clock_is_corrected_once(void **state)
{
    struct answer got = { .a = { .outcome = OBJ_CLOCK, .http = 403 } };
    struct err e = { 0 };

    (void)state;
    got.a.server_time = utc_real_now() + 1200;
    script_add(got);
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(obj_store_clock_offset(s), 0);
    assert_int_equal(put_key(s, false, &e), 0);
    assert_int_equal(script.seen[0].in.clock_offset, 0);
    assert_in_range(script.seen[1].in.clock_offset, 1198, 1200);
    assert_in_range(obj_store_clock_offset(s), 1198, 1200);

    script_reset();
    got.a.server_time = utc_real_now() - 1200;
    script_add(got);
    assert_int_equal(put_key(s, false, &e), -1);
    assert_int_equal(script.calls, 2);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_true(obj_store_clock_offset(s) < -1190);
}

/* Whether a text has a time to the minute, which may be over by now. */
static bool says_minute(const char *text, int64_t time)
{
    char iso[UTC_ISO_CHARS];

    utc_format_iso(time, iso);
    iso[16] = '\0';
    return strstr(text, iso) != NULL;
}

static void a_clock_outside_the_allowed_skew_stops_the_store(void **state)
{
    struct obj_config c = { .max_clock_skew_s = 600 };
    struct answer got = { .a = { .outcome = OBJ_CLOCK, .http = 403 } };
    struct err e = { 0 };

    (void)state;
    got.a.server_time = utc_real_now() - 1200;
    script_add(got);
    AUTO_OBJ_STORE struct obj_store *s = open_store(&c, NULL);
    assert_int_equal(put_key(s, false, &e), -1);
    assert_int_equal(script.calls, 1);
    assert_int_equal(e.kind, ERR_PRECONDITION);
    assert_non_null(strstr(e.msg, "behind ours"));
    assert_true(says_minute(e.msg, got.a.server_time) ||
                says_minute(e.msg, utc_real_now() - 1200));
    assert_non_null(strstr(e.msg, "set the clock that is wrong"));
}

static void an_answer_that_lay_around_does_not_move_the_clock(void **state)
{
    struct answer got = { .a = { .outcome = OBJ_OK, .http = 200 },
                          .takes_ms = 2100 };
    struct err e = { 0 };

    (void)state;
    got.a.server_time = utc_real_now();
    script_add(got);
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, false, &e), 0);
    assert_int_equal(obj_store_clock_offset(s), 0);
}

static void nothing_is_signed_after_its_time(void **state)
{
    struct obj_req r = { .key = "k", .sign_before = utc_real_now() - 5 };
    struct err e = { 0 };

    (void)state;
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(obj_delete(s, &r, false, &e), -1);
    assert_int_equal(e.kind, ERR_PRECONDITION);
    assert_int_equal(script.calls, 0);
    r.sign_before = utc_real_now() + 60;
    assert_int_equal(obj_delete(s, &r, false, &e), 0);
}

static void a_clock_correction_is_followed_by_a_look_at_the_fence(void **state)
{
    struct obj_req r = { .key = "k", .sign_before = utc_real_now() + 600 };
    struct answer got = { .a = { .outcome = OBJ_CLOCK, .http = 403 } };
    struct err e = { 0 };

    (void)state;
    got.a.server_time = utc_real_now() + 1200;
    script_add(got);
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(obj_delete(s, &r, false, &e), -1);
    assert_int_equal(e.kind, ERR_PRECONDITION);
    assert_int_equal(script.calls, 1);
}

static void the_fence_is_looked_at_after_each_back_off(void **state)
{
    struct obj_req r = { .key = "k", .sign_before = utc_real_now() + 1 };
    struct answer got = {
        .a = { .outcome = OBJ_THROTTLE, .http = 503, .maybe_done = true },
        .takes_ms = 20
    };
    struct err e = { 0 };

    (void)state;
    script_add(got);
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(obj_delete(s, &r, false, &e), -1);
    assert_int_equal(e.kind, ERR_PRECONDITION);
    assert_true(script.calls > 1);
    assert_non_null(strstr(e.msg, "may have been carried out"));
}

static void a_success_whose_answer_was_lost_is_recognised(void **state)
{
    struct obj_req r = { .key = "a/b" };
    struct obj_put_opts o = { .if_absent = true };
    struct obj_info info;
    struct err e = { 0 };

    (void)state;
    script_add(
        (struct answer){ .a = { .outcome = OBJ_NETWORK, .maybe_done = true } });
    say(OBJ_THERE, 412, "PreconditionFailed");
    script_add((struct answer){ .a = { .outcome = OBJ_OK, .http = 200 },
                                .body = "ours" });
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(obj_put(s, &r, span_str("x"), &o, &info, &e), 0);
    assert_int_equal(script.calls, 3);
    assert_string_equal(script.seen[2].verb, "head");
    assert_int_equal(strlen(script.seen[0].in.nonce), 32);
    assert_string_equal(script.seen[0].in.nonce, script.seen[1].in.nonce);
    assert_int_equal(info.size, 7);
}

static void somebody_elses_object_is_there_already(void **state)
{
    struct err e = { 0 };

    (void)state;
    script_add(
        (struct answer){ .a = { .outcome = OBJ_NETWORK, .maybe_done = true } });
    say(OBJ_THERE, 412, "PreconditionFailed");
    script_add((struct answer){
        .a = { .outcome = OBJ_OK, .http = 200, .nonce = "0" } });
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, true, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);

    /* Without a nonce, or gone by the time of the look: not ours either. */
    script_reset();
    say(OBJ_THERE, 412, "PreconditionFailed");
    say(OBJ_OK, 200, "");
    assert_int_equal(put_key(s, true, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    script_reset();
    say(OBJ_THERE, 412, "PreconditionFailed");
    say(OBJ_ABSENT, 404, "");
    assert_int_equal(put_key(s, true, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);

    /* Where the look fails, nobody knows. */
    script_reset();
    say(OBJ_THERE, 412, "PreconditionFailed");
    say(OBJ_FORBIDDEN, 403, "");
    assert_int_equal(put_key(s, true, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
}

static void a_driver_without_http_needs_no_second_look(void **state)
{
    struct err e = { 0 };

    (void)state;
    say(OBJ_THERE, 0, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, true, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_int_equal(script.calls, 1);
}

static void only_conditional_puts_carry_a_nonce_and_each_its_own(void **state)
{
    struct err e = { 0 };

    (void)state;
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, false, &e), 0);
    assert_int_equal(put_key(s, true, &e), 0);
    assert_int_equal(put_key(s, true, &e), 0);
    assert_string_equal(script.seen[0].in.nonce, "");
    assert_string_not_equal(script.seen[1].in.nonce, script.seen[2].in.nonce);
}

static void a_failed_put_that_may_be_stored_says_so(void **state)
{
    struct err e = { 0 };

    (void)state;
    script_add(
        (struct answer){ .a = { .outcome = OBJ_NETWORK, .maybe_done = true } });
    say(OBJ_FORBIDDEN, 403, "AccessDenied");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(put_key(s, false, &e), -1);
    assert_non_null(strstr(e.msg, "may have been stored"));
}

static void a_body_cut_at_one_place_is_damage(void **state)
{
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e = { 0 };

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_NETWORK, .http = 200 },
                                .body = "half" });
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    buf_append_str(&out, "before");
    assert_int_equal(get_key(s, &out, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(script.calls, 3);
    assert_int_equal(out.len, 6);
}

static void a_body_cut_anywhere_is_given_up_later(void **state)
{
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e = { 0 };

    (void)state;
    for (size_t i = 1; i < 10; i++)
        script_add((struct answer){
            .a = { .outcome = OBJ_NETWORK, .http = 206, .received = i },
            .body = "x" });
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(get_key(s, &out, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(script.calls, 6);
}

static void a_cut_body_that_comes_whole_the_next_time_is_fine(void **state)
{
    AUTO_BUF struct buf out = buf_init(1000);
    struct err e = { 0 };

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_NETWORK, .http = 200 },
                                .body = "hel" });
    script_add((struct answer){ .a = { .outcome = OBJ_OK, .http = 200 },
                                .body = "hello" });
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    buf_append_str(&out, "say ");
    assert_int_equal(get_key(s, &out, &e), 0);
    assert_string_equal(buf_cstr(&out), "say hello");
}

static void a_body_that_does_not_fit_is_an_error(void **state)
{
    AUTO_BUF struct buf out = buf_init(3);
    struct err e = { 0 };

    (void)state;
    script_add((struct answer){ .a = { .outcome = OBJ_OK, .http = 200 },
                                .body = "hello" });
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    assert_int_equal(get_key(s, &out, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(script.calls, 1);
}

/* What the log says during one put, from a file that takes stderr's place. */
static void put_and_read_log(struct obj_store *s, char *text, size_t cap)
{
    struct err e = { 0 };
    FILE *f = tmpfile();

    assert_non_null(f);
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0);
    assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
    log_setup(LOG_DEBUG, false);
    int r = put_key(s, false, &e);
    log_setup(LOG_WARN, false);
    fflush(stderr);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    assert_int_equal(r, 0);
    rewind(f);
    text[fread(text, 1, cap - 1, f)] = '\0';
    fclose(f);
}

static void each_attempt_is_one_debug_line(void **state)
{
    struct answer got = { .a = { .outcome = OBJ_UNAVAIL,
                                 .http = 500,
                                 .code = "InternalError",
                                 .request_id = "R7" } };
    char text[2000];

    (void)state;
    script_add(got);
    say(OBJ_OK, 200, "");
    AUTO_OBJ_STORE struct obj_store *s = open_store(NULL, NULL);
    put_and_read_log(s, text, sizeof text);
    char *first = strstr(text, "verb=put key=a/b attempt=1 status=500 ");
    char *second = strstr(text, "verb=put key=a/b attempt=2 status=200 ");
    assert_non_null(first);
    assert_non_null(second);
    assert_true(first < second);
    assert_non_null(strstr(text, "request_id=R7: 500 InternalError"));
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_class_has_its_cap_and_its_kind),
        TEST(each_attempt_is_one_debug_line),
        TEST(a_passing_failure_is_tried_again_until_it_succeeds),
        TEST(throttling_lasts_until_the_deadline_and_says_how_often),
        TEST(differing_failures_are_merged_into_one_text),
        TEST(wrong_keys_and_missing_buckets_come_with_advice),
        TEST(a_local_error_keeps_its_text_and_kind),
        TEST(credentials_are_refreshed_once),
        TEST(the_region_is_corrected_once),
        TEST(a_refused_clock_is_corrected_once),
        TEST(a_clock_outside_the_allowed_skew_stops_the_store),
        TEST(an_answer_that_lay_around_does_not_move_the_clock),
        TEST(nothing_is_signed_after_its_time),
        TEST(a_clock_correction_is_followed_by_a_look_at_the_fence),
        TEST(the_fence_is_looked_at_after_each_back_off),
        TEST(a_success_whose_answer_was_lost_is_recognised),
        TEST(somebody_elses_object_is_there_already),
        TEST(a_driver_without_http_needs_no_second_look),
        TEST(only_conditional_puts_carry_a_nonce_and_each_its_own),
        TEST(a_failed_put_that_may_be_stored_says_so),
        TEST(a_body_cut_at_one_place_is_damage),
        TEST(a_body_cut_anywhere_is_given_up_later),
        TEST(a_cut_body_that_comes_whole_the_next_time_is_fine),
        TEST(a_body_that_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

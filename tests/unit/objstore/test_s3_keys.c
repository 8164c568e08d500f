// SPDX-License-Identifier: Apache-2.0
//
// The keys of an open store: read anew before they expire, by one thread, while
// the others go on; and what happens when that fails.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "aws_home.h"
#include "objstore/s3.h"
#include "s3_rig.h"

#define THREADS 16

/* A program that counts its runs and takes its time. */
static const char program[] = "#!/bin/sh\n"
                              "echo run >>\"$HOME/runs\"\n"
                              "[ ! -e \"$HOME/broken\" ] || exit 7\n"
                              "[ ! -e \"$HOME/slow\" ] || sleep 0.5\n"
                              "cat \"$HOME/answer\"\n";

static void keys_are(const char *id, int64_t seconds)
{
    char text[256];

    snprintf(text, sizeof text,
             "{\"Version\":1,\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\""
             "hush\",\"Expiration\":\"%s\"}",
             id, in_seconds(seconds));
    write_to("answer", text, 0600);
}

static size_t runs(void)
{
    AUTO_BUF struct buf b = buf_init(4096);
    struct err e;

    return io_read_file(at_home("runs"), &b, &e) < 0 ? 0 : b.len / 4;
}

static void *open_store(struct fake *fake)
{
    return open_on(fake->port, "127.0.0.1", OBJ_ADDR_PATH, "us-east-1");
}

static int begin(void **state)
{
    char config[256];

    clean(state);
    unlink(at_home("runs"));
    unlink(at_home("broken"));
    unlink(at_home("slow"));
    write_to("keys.sh", program, 0700);
    snprintf(config, sizeof config, "[default]\ncredential_process = %s\n",
             at_home("keys.sh"));
    write_to(".aws/config", config, 0600);
    *state = fake_start();
    return 0;
}

static int end(void **state)
{
    fake_stop(*state);
    return 0;
}

/* Time passes. */
static void expire(void *self)
{
    struct obj_s3 *s3 = self;

    s3->locked.credentials.expires = utc_real_now() - 1;
}

static void put_once(void *self, struct obj_attempt *a)
{
    const struct obj_req r = { .key = "k" };

    *a = (struct obj_attempt){ 0 };
    obj_s3_driver.put(self, &r, span_str("x"), NULL, NULL, a);
}

static void *put_thread(void *self)
{
    struct obj_attempt *a = calloc(1, sizeof *a);

    put_once(self, a);
    return a;
}

/* Each thread puts once, all must succeed; how many signed with `id`. */
static unsigned put_by_threads(struct fake *fake, void *self, const char *id)
{
    pthread_t thread[THREADS];
    char wanted[64];
    unsigned n = 0;

    fake_forget(fake);
    for (int i = 0; i < THREADS; i++)
        fake_add(fake, OK_EMPTY, FAKE_NONE);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, put_thread, self), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(thread[i], &result);
        assert_outcome(result, OBJ_OK);
        free(result);
    }
    assert_int_equal(fake_requests(fake), THREADS);
    snprintf(wanted, sizeof wanted, "Credential=%s/", id);
    for (size_t i = 0; i < THREADS; i++)
        n += strstr(fake_head(fake, i), wanted) != NULL;
    return n;
}

static void lasting_keys_are_read_once(void **state)
{
    keys_are("LONG", 3600);
    void *self = open_store(*state);
    assert_int_equal(put_by_threads(*state, self, "LONG"), THREADS);
    assert_int_equal(runs(), 1);
    obj_s3_driver.close(self);
}

static void
one_thread_renews_and_the_others_go_on_with_the_old_keys(void **state)
{
    struct obj_attempt a;

    keys_are("OLD", 200);
    void *self = open_store(*state);
    keys_are("NEW", 3600);
    write_to("slow", "", 0600);
    unsigned old = put_by_threads(*state, self, "OLD");
    assert_int_equal(runs(), 2);
    /* The one that renewed signs with what it got. */
    assert_in_range(old, 1, THREADS - 1);
    fake_forget(*state);
    fake_add(*state, OK_EMPTY, FAKE_NONE);
    put_once(self, &a);
    assert_outcome(&a, OBJ_OK);
    assert_non_null(strstr(fake_head(*state, 0), "Credential=NEW/"));
    assert_int_equal(runs(), 2);
    obj_s3_driver.close(self);
}

static void all_wait_for_one_renewal_where_the_keys_have_expired(void **state)
{
    keys_are("OLD", 3600);
    void *self = open_store(*state);
    keys_are("NEW", 3600);
    write_to("slow", "", 0600);
    expire(self);
    assert_int_equal(put_by_threads(*state, self, "NEW"), THREADS);
    assert_int_equal(runs(), 2);
    obj_s3_driver.close(self);
}

static void failed_renewal_is_a_warning_while_the_keys_are_valid(void **state)
{
    char said[4096];
    int out[2], saved = dup(2);

    keys_are("OLD", 200);
    void *self = open_store(*state);
    write_to("broken", "", 0600);
    assert_int_equal(pipe2(out, O_NONBLOCK | O_CLOEXEC), 0);
    dup2(out[1], 2);
    unsigned old = put_by_threads(*state, self, "OLD");
    dup2(saved, 2);
    close(saved);
    ssize_t n = read(out[0], said, sizeof said - 1);
    close(out[0]);
    close(out[1]);
    assert_true(n > 0);
    said[n] = '\0';
    assert_non_null(strstr(said, "cannot renew the keys, which expire in "));
    assert_non_null(strstr(said, "exit status 7"));
    assert_int_equal(old, THREADS);
    /* Not at each request. */
    assert_int_equal(runs(), 2);
    obj_s3_driver.close(self);
}

static void expired_keys_that_cannot_be_renewed_are_an_error(void **state)
{
    struct obj_attempt a;

    keys_are("OLD", 3600);
    void *self = open_store(*state);
    write_to("broken", "", 0600);
    expire(self);
    put_once(self, &a);
    assert_outcome(&a, OBJ_LOCAL);
    assert_int_equal(a.err.kind, ERR_DENIED);
    assert_non_null(strstr(a.err.msg, "the keys have expired: "));
    assert_int_equal(fake_requests(*state), 0);
    /* The next attempt asks again. */
    unlink(at_home("broken"));
    keys_are("NEW", 3600);
    fake_add(*state, OK_EMPTY, FAKE_NONE);
    put_once(self, &a);
    assert_outcome(&a, OBJ_OK);
    obj_s3_driver.close(self);
}

/* Then the retry layer waits, as for the store itself. */
static void
unreachable_endpoint_of_expired_keys_is_a_network_failure(void **state)
{
    struct fake *keys = fake_start();
    struct obj_attempt a;
    char text[512], url[64];

    write_to(".aws/config", "", 0600);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/k", keys->port);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
    snprintf(text, sizeof text,
             "{\"AccessKeyId\":\"C\",\"SecretAccessKey\":\"hush\","
             "\"Expiration\":\"%s\"}",
             in_seconds(3600));
    char reply[1024];
    fake_add(keys, with_body(reply, sizeof reply, "200 OK", text), FAKE_CLOSE);
    void *self = open_store(*state);
    fake_stop(keys);
    expire(self);
    put_once(self, &a);
    assert_outcome(&a, OBJ_NETWORK);
    assert_int_equal(a.http, 0);
    assert_false(a.maybe_done);
    assert_non_null(strstr(a.message, "the container's endpoint"));
    obj_s3_driver.close(self);
}

static void refused_keys_are_read_again_once_and_kept_if_the_same(void **state)
{
    keys_are("OLD", 3600);
    void *self = open_store(*state);
    assert_false(obj_s3_driver.refresh(self));
    assert_int_equal(runs(), 2);
    keys_are("NEW", 3600);
    assert_true(obj_s3_driver.refresh(self));
    assert_int_equal(runs(), 3);
    write_to("broken", "", 0600);
    assert_false(obj_s3_driver.refresh(self));
    obj_s3_driver.close(self);
}

/* A request was on its way with the old keys while they were renewed. */
static void
refusal_of_keys_that_were_renewed_since_needs_no_reading(void **state)
{
    keys_are("OLD", 3600);
    void *self = open_store(*state);
    keys_are("NEW", 3600);
    assert_true(obj_s3_driver.refresh(self));
    assert_int_equal(runs(), 2);
    obj_s3_keys_refused(self, 0);
    assert_true(obj_s3_driver.refresh(self));
    assert_int_equal(runs(), 2);
    obj_s3_keys_refused(self, 1);
    assert_false(obj_s3_driver.refresh(self));
    assert_int_equal(runs(), 3);
    obj_s3_driver.close(self);
}

static void environment_names_endpoint_and_certificates(void **state)
{
    const struct obj_config c = { .bucket = "bucket", .region = "us-east-1" };
    struct fake *fake = *state;
    struct err e = { 0 };
    struct obj_attempt a;
    char url[64];
    char *name = NULL;

    keys_are("K", 3600);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", fake->port);
    setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1", 1);
    setenv("AWS_ENDPOINT_URL_S3", url, 1);
    void *self = obj_s3_driver.open(&c, &name, &e);
    assert_non_null(self);
    free(name);
    fake_add(fake, OK_EMPTY, FAKE_NONE);
    put_once(self, &a);
    assert_outcome(&a, OBJ_OK);
    assert_non_null(strstr(fake_head(fake, 0), "PUT /bucket/k HTTP"));
    obj_s3_driver.close(self);

    setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1", 1);
    self = open_store(fake); /* what is configured comes first */
    fake_add(fake, OK_EMPTY, FAKE_NONE);
    put_once(self, &a);
    assert_outcome(&a, OBJ_OK);
    obj_s3_driver.close(self);

    setenv("AWS_ENDPOINT_URL_S3", "http://h/path", 1);
    assert_null(obj_s3_driver.open(&c, &name, &e));
    assert_non_null(strstr(e.msg, "AWS_ENDPOINT_URL_S3"));
    unsetenv("AWS_ENDPOINT_URL_S3");
    setenv("AWS_CA_BUNDLE", "/no/such/bundle.pem", 1);
    assert_null(obj_s3_driver.open(&c, &name, &e));
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "/no/such/bundle.pem"));
    /* What is wrong is told before anybody is asked for keys. */
    assert_int_equal(runs(), 2);
}

static void *stop_soon(void *token)
{
    struct timespec t = { .tv_nsec = 200 * 1000000 };

    nanosleep(&t, NULL);
    cancel_request(token);
    return NULL;
}

static void stop_is_heard_while_keys_are_renewed(void **state)
{
    struct cancel token;
    struct err e = { 0 };
    struct obj_attempt a;
    pthread_t thread;

    assert_int_equal(cancel_init(&token, NULL, &e), 0);
    keys_are("OLD", 200);
    struct obj_s3 *s3 = open_store(*state);
    s3->cancel = &token;
    write_to("keys.sh", "#!/bin/sh\nsleep 30\n", 0700);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &token), 0);
    int64_t from = utc_mono_ms();
    put_once(s3, &a);
    assert_in_range((unsigned)(utc_mono_ms() - from), 150, 1200);
    assert_int_equal(a.outcome, OBJ_LOCAL);
    assert_int_equal(a.err.kind, ERR_CANCELLED);
    assert_int_equal(fake_requests(*state), 0);
    pthread_join(thread, NULL);
    obj_s3_driver.close(s3);
    cancel_fini(&token);
}

static void stop_while_refused_keys_are_read_again_is_no_refusal(void **state)
{
    struct fake *fake = *state;
    struct cancel token;
    char url[64];
    const struct obj_config c = { .bucket = "bucket",
                                  .region = "us-east-1",
                                  .endpoint = url,
                                  .cancel = &token };
    const struct obj_req r = { .key = "k", .cancel = &token };
    struct err e = { 0 };
    pthread_t thread;

    assert_int_equal(cancel_init(&token, NULL, &e), 0);
    keys_are("OLD", 3600);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", fake->port);
    struct obj_store *store = obj_store_open(&c, &e);
    assert_non_null(store);
    write_to("keys.sh", "#!/bin/sh\nsleep 30\n", 0700);
    fake_add(fake, ERROR("403", "InvalidAccessKeyId", "unknown", ""),
             FAKE_CLOSE);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &token), 0);
    int64_t from = utc_mono_ms();
    assert_int_equal(obj_put(store, &r, span_str("x"), NULL, NULL, &e), -1);
    assert_true(utc_mono_ms() - from < 1200);
    if (e.kind != ERR_CANCELLED)
        fail_msg("%s: %s", err_kind_name(e.kind), e.msg);
    pthread_join(thread, NULL);
    obj_store_close(store);
    cancel_fini(&token);
}

#define WITH_KEYS(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_KEYS(lasting_keys_are_read_once),
        WITH_KEYS(one_thread_renews_and_the_others_go_on_with_the_old_keys),
        WITH_KEYS(all_wait_for_one_renewal_where_the_keys_have_expired),
        WITH_KEYS(failed_renewal_is_a_warning_while_the_keys_are_valid),
        WITH_KEYS(expired_keys_that_cannot_be_renewed_are_an_error),
        WITH_KEYS(unreachable_endpoint_of_expired_keys_is_a_network_failure),
        WITH_KEYS(refused_keys_are_read_again_once_and_kept_if_the_same),
        WITH_KEYS(refusal_of_keys_that_were_renewed_since_needs_no_reading),
        WITH_KEYS(stop_is_heard_while_keys_are_renewed),
        WITH_KEYS(stop_while_refused_keys_are_read_again_is_no_refusal),
        WITH_KEYS(environment_names_endpoint_and_certificates),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

// SPDX-License-Identifier: Apache-2.0
//
// The probe, on a server that does everything right and on the same with lies:
// what is there is found, what is missing or wrong too, and nothing stays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>

#include "base/utc.h"
#include "engine/repo/probe.h"
#include "engine/repo/scratch.h"
#include "tests/unit/engine/fixture.h"
#include "tests/unit/engine/repo/liar.h"

#define PLAIN "plain-bucket"
#define VERSIONED "versioned-bucket"
#define LOCKED "locked-bucket"

static struct s3server *server;

static int start(void **state)
{
    (void)state;
    server = s3server_start(NULL);
    s3server_bucket(server, PLAIN, S3SERVER_NEVER, false);
    s3server_bucket(server, VERSIONED, S3SERVER_ENABLED, false);
    s3server_bucket(server, LOCKED, S3SERVER_ENABLED, true);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    s3server_stop(server);
    return 0;
}

/* One probe, on a thread of its own where it takes seconds. */
struct run {
    const char *bucket;
    unsigned lies;
    bool quick, governance;
    struct eng_probe probe;
    struct err e;
    int result;
    struct obj_store *store;
    pthread_t thread;
};

static void *run_thread(void *ctx)
{
    struct run *r = ctx;
    const struct eng_probe_opts o = { .quick = r->quick,
                                      .governance = r->governance,
                                      .lock_s = 3 };

    r->result = eng_probe_run(r->store, &o, NULL, &r->probe, &r->e);
    return NULL;
}

static void begin(struct run *r)
{
    r->store = liar_store(server, r->bucket, r->lies, &r->e);
    assert_non_null(r->store);
    assert_int_equal(pthread_create(&r->thread, NULL, run_thread, r), 0);
}

static void end(struct run *r)
{
    assert_int_equal(pthread_join(r->thread, NULL), 0);
    obj_store_close(r->store);
}

static struct run probe_with(const char *bucket, unsigned lies)
{
    struct run r = { .bucket = bucket, .lies = lies };

    begin(&r);
    end(&r);
    if (r.result < 0)
        fail_msg("lies %x: %s", lies, r.e.msg);
    return r;
}

static void finds(const struct run *r, enum eng_probe_item item,
                  enum eng_probe_result want)
{
    const struct eng_probe_row *row = &r->probe.rows[item];

    if (row->result != want)
        fail_msg("%s, lies %x: %s is \"%s\" (%s), not \"%s\"", r->bucket,
                 r->lies, eng_probe_name(item), eng_probe_words[row->result],
                 row->detail, eng_probe_words[want]);
}

/* Everything from first to last. */
static void finds_all(const struct run *r, enum eng_probe_item first,
                      enum eng_probe_item last, enum eng_probe_result want)
{
    for (int i = (int)first; i <= (int)last; i++)
        finds(r, (enum eng_probe_item)i, want);
}

static void a_right_server_has_everything_and_nothing_stays(void **state)
{
    const struct eng_probe_opts none = { 0 };

    (void)state;
    struct run r = probe_with(PLAIN, LIE_NONE);
    finds_all(&r, 0, ENG_PROBE_REGION, ENG_PROBE_YES);
    finds_all(&r, ENG_PROBE_VERSIONS, ENG_PROBE_SETTINGS, ENG_PROBE_NONE);
    for (int i = 0; i < ENG_PROBE_ITEMS; i++)
        assert_false(eng_probe_warns(&r.probe, (enum eng_probe_item)i, &none));
    assert_int_equal(r.probe.left_over, 0);
    assert_int_equal(s3server_keys(server, PLAIN), 0);

    struct run v = probe_with(VERSIONED, LIE_NONE);
    finds_all(&v, 0, ENG_PROBE_VERSIONS, ENG_PROBE_YES);
    finds_all(&v, ENG_PROBE_LOCK_KEPT, ENG_PROBE_SETTINGS, ENG_PROBE_NONE);
    assert_int_equal(v.probe.left_over, 0);
    assert_int_equal(s3server_keys(server, VERSIONED), 0);
}

static void each_lie_is_found_out(void **state)
{
    static const struct {
        const char *bucket;
        unsigned lie;
        enum eng_probe_item item;
        enum eng_probe_result result;
        bool warns;
    } cases[] = {
        { PLAIN, LIE_EVERYBODY_WINS, ENG_PROBE_CONDITIONAL_PUT, ENG_PROBE_NO,
          true },
        { VERSIONED, LIE_EVERYBODY_WINS, ENG_PROBE_CONDITIONAL_PUT,
          ENG_PROBE_NO, true },
        { PLAIN, LIE_STALE_READS, ENG_PROBE_READ_AFTER_WRITE, ENG_PROBE_NO,
          true },
        { PLAIN, LIE_STALE_LISTS, ENG_PROBE_LIST_AFTER_WRITE, ENG_PROBE_NO,
          true },
        { PLAIN, LIE_SHUFFLED_LISTS, ENG_PROBE_LIST_ORDER, ENG_PROBE_NO, true },
        { PLAIN, LIE_PAGES_LOSE, ENG_PROBE_LIST_PAGES, ENG_PROBE_NO, true },
        { PLAIN, LIE_NESTED_HIDDEN, ENG_PROBE_NESTED_NAMES, ENG_PROBE_NO,
          false },
        { PLAIN, LIE_RANGES_IGNORED, ENG_PROBE_RANGES, ENG_PROBE_NO, false },
        { PLAIN, LIE_DELETES_NOTHING, ENG_PROBE_DELETE, ENG_PROBE_NO, false },
        { PLAIN, LIE_ABSENT_IS_AN_ERROR, ENG_PROBE_DELETE_ABSENT, ENG_PROBE_NO,
          false },
        { PLAIN, LIE_NO_MULTI_DELETE, ENG_PROBE_MULTI_DELETE, ENG_PROBE_NO,
          false },
        { PLAIN, LIE_MULTI_DELETES_NOTHING, ENG_PROBE_MULTI_DELETE,
          ENG_PROBE_NO, false },
        { PLAIN, LIE_TAKES_WRONG_SHA256, ENG_PROBE_SIGNED_PAYLOAD, ENG_PROBE_NO,
          true },
        { PLAIN, LIE_TAKES_WRONG_CRC32C, ENG_PROBE_CRC32C, ENG_PROBE_NO,
          false },
        { PLAIN, LIE_BREAKS_OVER_WRONG, ENG_PROBE_CRC32C, ENG_PROBE_YES,
          false },
        { PLAIN, LIE_BREAKS_OVER_WRONG, ENG_PROBE_OLD_SIGNATURES, ENG_PROBE_YES,
          false },
        { PLAIN, LIE_BREAKS_OVER_WRONG, ENG_PROBE_REGION, ENG_PROBE_YES,
          false },
        { PLAIN, LIE_REFUSES_ALL_UNSIGNED, ENG_PROBE_UNSIGNED_PAYLOAD,
          ENG_PROBE_NO, false },
        { PLAIN, LIE_REFUSES_ALL_UNSIGNED, ENG_PROBE_CRC32C, ENG_PROBE_NO,
          false },
        { PLAIN, LIE_TAKES_OLD_SIGNATURES, ENG_PROBE_OLD_SIGNATURES,
          ENG_PROBE_NO, true },
        { PLAIN, LIE_ANY_REGION, ENG_PROBE_REGION, ENG_PROBE_NO, false },
        { PLAIN, LIE_NO_TIME, ENG_PROBE_SERVER_TIME, ENG_PROBE_NO, true },
        { VERSIONED, LIE_OLD_VERSIONS_LOST, ENG_PROBE_VERSIONS, ENG_PROBE_NO,
          false },
        { LOCKED, LIE_LOCKS_DROPPED, ENG_PROBE_LOCK_KEPT, ENG_PROBE_NO, true },
    };
    const struct eng_probe_opts none = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run r = probe_with(cases[i].bucket, cases[i].lie);
        finds(&r, cases[i].item, cases[i].result);
        if (eng_probe_warns(&r.probe, cases[i].item, &none) != cases[i].warns)
            fail_msg("lies %x: warns", cases[i].lie);
        assert_string_not_equal(eng_probe_meaning(&r.probe, cases[i].item), "");
        assert_int_equal(r.probe.left_over, 0);
        assert_int_equal(s3server_keys(server, cases[i].bucket), 0);
    }
}

static void locks_are_tried_and_waited_for(void **state)
{
    struct run honest = { .bucket = LOCKED, .lies = LIE_NO_BYPASS };
    struct run owner = { .bucket = LOCKED, .governance = true };
    struct run weak = { .bucket = LOCKED,
                        .lies = LIE_LOCKS_IGNORED | LIE_LOCKS_SHORTENED };
    struct run hard = { .bucket = LOCKED, .lies = LIE_LOCKS_FOR_EVER };
    struct run *all[] = { &honest, &owner, &weak, &hard };
    const struct eng_probe_opts governs = { .governance = true };
    const struct eng_probe_opts none = { 0 };

    (void)state;
    for (size_t i = 0; i < 4; i++)
        begin(all[i]);
    for (size_t i = 0; i < 4; i++) {
        end(all[i]);
        if (all[i]->result < 0)
            fail_msg("%zu: %s", i, all[i]->e.msg);
        assert_int_equal(all[i]->probe.left_over, 0);
    }
    finds_all(&honest, 0, ENG_PROBE_GOVERNANCE, ENG_PROBE_YES);
    finds(&honest, ENG_PROBE_SETTINGS, ENG_PROBE_UNKNOWN);

    finds_all(&owner, 0, ENG_PROBE_LOCK_ENDS, ENG_PROBE_YES);
    finds(&owner, ENG_PROBE_GOVERNANCE, ENG_PROBE_NO);
    assert_true(eng_probe_warns(&owner.probe, ENG_PROBE_GOVERNANCE, &governs));
    assert_false(eng_probe_warns(&owner.probe, ENG_PROBE_GOVERNANCE, &none));

    finds(&weak, ENG_PROBE_LOCK_KEPT, ENG_PROBE_YES);
    finds(&weak, ENG_PROBE_LOCK_HOLDS, ENG_PROBE_NO);
    finds(&weak, ENG_PROBE_LOCK_SHORTEN, ENG_PROBE_NO);
    assert_true(eng_probe_warns(&weak.probe, ENG_PROBE_LOCK_HOLDS, &none));
    assert_true(eng_probe_warns(&weak.probe, ENG_PROBE_LOCK_SHORTEN, &none));

    finds(&hard, ENG_PROBE_LOCK_HOLDS, ENG_PROBE_YES);
    finds(&hard, ENG_PROBE_LOCK_ENDS, ENG_PROBE_NO);
    assert_int_equal(s3server_keys(server, LOCKED), 0);
}

static void missing_rights_are_not_the_server_s_fault(void **state)
{
    const struct eng_probe_opts none = { 0 };

    (void)state;
    struct run writer = probe_with(PLAIN, LIE_MAY_NOT_DELETE);
    finds(&writer, ENG_PROBE_CONDITIONAL_PUT, ENG_PROBE_YES);
    finds(&writer, ENG_PROBE_DELETE, ENG_PROBE_DENIED);
    finds(&writer, ENG_PROBE_MULTI_DELETE, ENG_PROBE_DENIED);
    assert_true(writer.probe.left_over > 0);
    assert_int_equal(s3server_keys(server, PLAIN), writer.probe.left_over);
    for (int i = 0; i < ENG_PROBE_ITEMS; i++)
        assert_false(
            eng_probe_warns(&writer.probe, (enum eng_probe_item)i, &none));

    struct run blind = probe_with(LOCKED, LIE_MAY_NOT_INSPECT);
    finds_all(&blind, 0, ENG_PROBE_REGION, ENG_PROBE_YES);
    finds_all(&blind, ENG_PROBE_VERSIONS, ENG_PROBE_SETTINGS, ENG_PROBE_DENIED);
    assert_int_equal(blind.probe.left_over, 0);

    struct run reader = probe_with(PLAIN, LIE_MAY_NOT_PUT);
    finds(&reader, ENG_PROBE_CONDITIONAL_PUT, ENG_PROBE_DENIED);
    finds(&reader, ENG_PROBE_SIGNED_PAYLOAD, ENG_PROBE_DENIED);
}

static void a_default_retention_is_refused_before_anything_is_put(void **state)
{
    struct run r = { .bucket = LOCKED, .lies = LIE_DEFAULT_RETENTION };
    struct s3server_counts before, after;

    (void)state;
    s3server_counts(server, &before);
    begin(&r);
    end(&r);
    s3server_counts(server, &after);
    assert_int_equal(r.result, -1);
    assert_int_equal(r.e.kind, ERR_LOCKED);
    assert_int_equal(after.puts, before.puts);
}

static void a_quick_probe_takes_a_handful_of_requests(void **state)
{
    struct run r = { .bucket = VERSIONED, .quick = true };
    struct s3server_counts before, after;

    (void)state;
    s3server_counts(server, &before);
    begin(&r);
    end(&r);
    s3server_counts(server, &after);
    assert_int_equal(r.result, 0);
    finds(&r, ENG_PROBE_CONDITIONAL_PUT, ENG_PROBE_YES);
    finds(&r, ENG_PROBE_LIST_AFTER_WRITE, ENG_PROBE_YES);
    finds(&r, ENG_PROBE_CRC32C, ENG_PROBE_YES);
    finds(&r, ENG_PROBE_OLD_SIGNATURES, ENG_PROBE_UNKNOWN);
    assert_true(after.requests - before.requests < 35);
    assert_int_equal(s3server_keys(server, VERSIONED), 0);
}

/* Cancels in the middle of the listings, while a PUT was carried out and its
 * answer is not there yet.  (One that is carried out later, nobody could find.)
 */
static void *cancel_midway(void *ctx)
{
    while (s3server_acted(server, 0) == 0)
        usleep(1000);
    usleep(200000);
    cancel_request(ctx);
    return NULL;
}

static void a_cancelled_probe_leaves_nothing(void **state)
{
    static const struct s3server_rule slow = { .op = "PutObject",
                                               .key = "*order*",
                                               .act = S3SERVER_STALL_ANSWER,
                                               .ms = 2000 };
    const struct eng_probe_opts o = { 0 };
    AUTO(cancel_fini) struct cancel cancel;
    struct eng_probe probe;
    struct err e = { 0 };
    pthread_t thread;

    (void)state;
    must(cancel_init(&cancel, NULL, why));
    s3server_script(server, &slow, 1);
    AUTO_OBJ_STORE struct obj_store *store =
        liar_store(server, VERSIONED, LIE_NONE, &e);
    assert_non_null(store);
    assert_int_equal(pthread_create(&thread, NULL, cancel_midway, &cancel), 0);
    assert_int_equal(eng_probe_run(store, &o, &cancel, &probe, &e), -1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_int_equal(probe.rows[ENG_PROBE_LIST_AFTER_WRITE].result,
                     ENG_PROBE_YES);
    assert_int_equal(probe.left_over, 0);
    s3server_script(server, NULL, 0);
    assert_int_equal(s3server_keys(server, VERSIONED), 0);
}

static void a_silent_server_does_not_keep_who_wants_to_stop(void **state)
{
    static const struct s3server_rule silent = { .act = S3SERVER_STALL_ANSWER,
                                                 .ms = 60000 };
    const struct eng_probe_opts o = { 0 };
    AUTO(cancel_fini) struct cancel cancel;
    struct eng_probe probe;
    struct err e = { 0 };

    (void)state;
    must(cancel_init(&cancel, NULL, why));
    cancel_request(&cancel);
    s3server_script(server, &silent, 1);
    AUTO_OBJ_STORE struct obj_store *store =
        liar_store(server, VERSIONED, LIE_NONE, &e);
    assert_non_null(store);
    int64_t from = utc_mono_ms();
    assert_int_equal(eng_probe_run(store, &o, &cancel, &probe, &e), -1);
    assert_true(utc_mono_ms() - from < 10000);
    assert_int_equal(e.kind, ERR_CANCELLED);
    assert_true(probe.left_over > 0); /* as far as anybody can know */
    s3server_script(server, NULL, 0);
}

/* A day by the server's clock, wherever ours stands. */
static void what_a_killed_probe_left_is_swept_a_day_later(void **state)
{
    static const int64_t ahead[] = { 0, 3 * 86400, -3 * 86400 };
    static const char *const buckets[] = { PLAIN, VERSIONED };
    static const char old[] = "p/gc/probe-0123456789abcdef/old";
    static const char bench[] = "p/gc/bench-0123456789abcdef/old";
    static const char young[] = "p/gc/probe-fedcba9876543210/young";
    static const char other[] = "p/gc/probe-of-mine/old";
    static const char lease[] = "p/gc/lease-0123456789abcdef/old";

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        const char *bucket = buckets[i % 2];
        s3server_set_clock(server, ahead[i / 2] - 86400 - 60);
        s3server_write(server, bucket, old, "1", 1);
        s3server_write(server, bucket, old, "2", 1);
        s3server_write(server, bucket, bench, "1", 1);
        s3server_write(server, bucket, other, "1", 1);
        s3server_write(server, bucket, lease, "1", 1);
        s3server_set_clock(server, ahead[i / 2] - 86400 + 60);
        s3server_write(server, bucket, young, "1", 1);
        s3server_set_clock(server, ahead[i / 2]);

        struct run r = probe_with(bucket, LIE_NONE);
        assert_int_equal(r.probe.left_over, 0);
        assert_int_equal(s3server_versions(server, bucket, old), 0);
        assert_int_equal(s3server_versions(server, bucket, bench), 0);
        assert_int_equal(s3server_keys(server, bucket), 3);
        s3server_set_clock(server, ahead[i / 2] + 86400);
        r = probe_with(bucket, LIE_NONE);
        assert_int_equal(s3server_versions(server, bucket, young), 0);
        assert_int_equal(s3server_keys(server, bucket), 2);
        s3server_set_clock(server, 0);
        AUTO_OBJ_STORE struct obj_store *store =
            liar_store(server, bucket, LIE_NONE, &r.e);
        eng_scratch_remove(store, "gc/", NULL, NULL);
        assert_int_equal(s3server_keys(server, bucket), 0);
    }
}

/* The server takes the first two guarded PUTs, those with a signed SHA-256,
 * and none of the unsigned ones. */
static const struct s3server_rule no_unsigned = { .op = "PutObject",
                                                  .key = "*/guarded",
                                                  .skip = 2,
                                                  .act = S3SERVER_REPLY,
                                                  .status = 400,
                                                  .code = "InvalidRequest" };

static int create(const char *prefix, enum obj_payload payload,
                  struct eng_probe *probe, struct err *e)
{
    const struct eng_repo_place place = {
        .name = "test",
        .state_dir = "/nowhere",
        .store = { .bucket = VERSIONED,
                   .prefix = prefix,
                   .endpoint = s3server_endpoint(server),
                   .payload = payload },
    };
    const struct eng_repo_create_opts opts = { .probe = probe };

    return eng_repo_create(&place, &opts, NULL, e);
}

static void making_a_repository_probes_what_it_needs(void **state)
{
    static const struct s3server_rule stale = { .op = "GetObject",
                                                .key = "*/fresh",
                                                .act = S3SERVER_FLIP_ANSWER };
    struct eng_probe probe = { 0 };
    struct err e = { 0 };

    (void)state;
    s3server_script(server, &stale, 1);
    assert_int_equal(create("a", OBJ_PAYLOAD_SIGNED, &probe, &e), -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_non_null(strstr(e.msg, "read after write"));

    s3server_script(server, &no_unsigned, 1);
    /* Bodies are signed then, so nothing is missing. */
    must(create("a", OBJ_PAYLOAD_CRC32C, &probe, why));
    assert_int_equal(probe.rows[ENG_PROBE_CRC32C].result, ENG_PROBE_NO);
    if (probe.rows[ENG_PROBE_CONDITIONAL_PUT].result != ENG_PROBE_YES)
        fail_msg("%s", probe.rows[ENG_PROBE_CONDITIONAL_PUT].detail);
    assert_int_equal(probe.left_over, 0);
    assert_int_equal(s3server_keys(server, VERSIONED), 1);

    s3server_script(server, NULL, 0);
    must(create("b", OBJ_PAYLOAD_CRC32C, &probe, why));
    assert_int_equal(probe.left_over, 0);
    assert_int_equal(probe.rows[ENG_PROBE_CRC32C].result, ENG_PROBE_YES);
    assert_int_equal(s3server_keys(server, VERSIONED), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_server_has_everything_and_nothing_stays),
        cmocka_unit_test(each_lie_is_found_out),
        cmocka_unit_test(locks_are_tried_and_waited_for),
        cmocka_unit_test(a_default_retention_is_refused_before_anything_is_put),
        cmocka_unit_test(a_quick_probe_takes_a_handful_of_requests),
        cmocka_unit_test(a_cancelled_probe_leaves_nothing),
        cmocka_unit_test(a_silent_server_does_not_keep_who_wants_to_stop),
        cmocka_unit_test(what_a_killed_probe_left_is_swept_a_day_later),
        cmocka_unit_test(making_a_repository_probes_what_it_needs),
        cmocka_unit_test(missing_rights_are_not_the_server_s_fault),
    };

    return cmocka_run_group_tests(tests, start, stop);
}

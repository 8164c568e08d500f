// SPDX-License-Identifier: Apache-2.0
//
// Requests that are wrong on purpose: the server's refusal is the answer, and
// neither the clock nor the region is corrected because of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/utc.h"
#include "objstore/probe.h"
#include "objstore/retry.h"
#include "tests/s3server/s3server.h"

static struct s3server *server;
static struct obj_store *store;

static int start(void **state)
{
    struct err e = { 0 };

    (void)state;
    setenv("AWS_ACCESS_KEY_ID", S3SERVER_KEY, 1);
    setenv("AWS_SECRET_ACCESS_KEY", S3SERVER_SECRET, 1);
    server = s3server_start(NULL);
    s3server_bucket(server, "bucket", S3SERVER_ENABLED, true);
    const struct obj_config c = { .bucket = "bucket",
                                  .prefix = "p",
                                  .endpoint = s3server_endpoint(server) };
    store = obj_store_open(&c, &e);
    return store != NULL ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    obj_store_close(store);
    s3server_stop(server);
    return 0;
}

static enum obj_probe_answer ask(struct obj_store *s,
                                 const struct obj_probe *how)
{
    const struct obj_req req = { .key = "gc/probe-x/k" };
    enum obj_probe_answer answer = OBJ_PROBE_UNABLE;
    struct err e = { 0 };

    if (obj_probe_put(s, &req, span_of("body", 4), how, &answer, &e) < 0)
        fail_msg("%s", e.msg);
    return answer;
}

static void right_guards_are_taken_and_wrong_ones_refused(void **state)
{
    (void)state;
    for (int g = OBJ_PROBE_SIGNED; g <= OBJ_PROBE_SHA256; g++) {
        struct obj_probe how = { .guard = (enum obj_probe_guard)g };
        unsigned before = s3server_puts(server, "bucket", "p/gc/probe-x/k");
        assert_int_equal(ask(store, &how), OBJ_PROBE_TAKEN);
        how.wrong = true;
        assert_int_equal(ask(store, &how), OBJ_PROBE_REFUSED);
        assert_int_equal(s3server_puts(server, "bucket", "p/gc/probe-x/k"),
                         before + 1);
    }
}

static void an_old_signature_is_refused_and_moves_no_clock(void **state)
{
    const struct obj_probe old = { .signed_ago_s = 20 * 60 };
    const struct obj_probe young = { .signed_ago_s = 10 * 60 };

    (void)state;
    uint64_t before = s3server_requests(server, "PutObject");
    assert_int_equal(ask(store, &old), OBJ_PROBE_REFUSED);
    assert_int_equal(s3server_requests(server, "PutObject"), before + 1);
    assert_int_equal(obj_store_clock_offset(store), 0);
    assert_int_equal(ask(store, &young), OBJ_PROBE_TAKEN);
}

static void another_region_is_refused_and_not_kept(void **state)
{
    const struct obj_probe abroad = { .region = "elsewhere-1" };
    const struct obj_probe home = { 0 };

    (void)state;
    assert_int_equal(ask(store, &abroad), OBJ_PROBE_REFUSED);
    assert_int_equal(ask(store, &home), OBJ_PROBE_TAKEN);
}

static void a_lost_answer_is_asked_for_again(void **state)
{
    static const struct s3server_rule lost = { .op = "PutObject",
                                               .times = 1,
                                               .act = S3SERVER_LOSE_ANSWER };
    const struct obj_probe wrong = { .guard = OBJ_PROBE_CRC32C, .wrong = true };

    (void)state;
    s3server_script(server, &lost, 1);
    assert_int_equal(ask(store, &wrong), OBJ_PROBE_REFUSED);
    assert_int_equal(s3server_acted(server, 0), 1);
    s3server_script(server, NULL, 0);
}

static void a_missing_right_is_told_apart(void **state)
{
    static const struct s3server_rule denied = { .op = "PutObject",
                                                 .act = S3SERVER_REPLY,
                                                 .status = 403,
                                                 .code = "AccessDenied" };
    const struct obj_probe how = { 0 };

    (void)state;
    s3server_script(server, &denied, 1);
    assert_int_equal(ask(store, &how), OBJ_PROBE_FORBIDDEN);
    s3server_script(server, NULL, 0);
}

static void an_emptied_retention_is_the_server_s_to_refuse(void **state)
{
    const struct obj_put_opts opts = { .lock = { OBJ_LOCK_COMPLIANCE,
                                                 utc_real_now() + 60, false } };
    struct obj_req req = { .key = "gc/probe-x/locked" };
    struct obj_info info = { 0 };
    struct obj_lock is = { 0 };
    enum obj_probe_answer answer = OBJ_PROBE_TAKEN;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(obj_put(store, &req, span_of("x", 1), &opts, &info, &e),
                     0);
    req.version = info.version;
    assert_int_equal(obj_probe_unlock(store, &req, &answer, &e), 0);
    assert_int_equal(answer, OBJ_PROBE_REFUSED);
    assert_int_equal(obj_get_lock(store, &req, &is, &e), 0);
    assert_int_equal(is.mode, OBJ_LOCK_COMPLIANCE);
}

static void a_folder_has_nothing_to_be_probed_so(void **state)
{
    const struct obj_config c = { .driver = OBJ_DRIVER_FILE,
                                  .path = "/nowhere" };
    const struct obj_probe how = { 0 };
    struct err e = { 0 };

    (void)state;
    AUTO_OBJ_STORE struct obj_store *folder = obj_store_open(&c, &e);
    assert_non_null(folder);
    assert_int_equal(ask(folder, &how), OBJ_PROBE_UNABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_guards_are_taken_and_wrong_ones_refused),
        cmocka_unit_test(an_old_signature_is_refused_and_moves_no_clock),
        cmocka_unit_test(another_region_is_refused_and_not_kept),
        cmocka_unit_test(a_lost_answer_is_asked_for_again),
        cmocka_unit_test(a_missing_right_is_told_apart),
        cmocka_unit_test(an_emptied_retention_is_the_server_s_to_refuse),
        cmocka_unit_test(a_folder_has_nothing_to_be_probed_so),
    };

    return cmocka_run_group_tests(tests, start, stop);
}

// SPDX-License-Identifier: Apache-2.0
//
// Whatever stays ends: every fault that does not go away, at every operation,
// in time and with an error that names the object, the cause, the attempts and
// the request.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim_cells.h"

#define SHORT_MS 1000

/* Operations without a body of that kind, in one of the two directions. */
#define NO_BODY                                                                \
    ",put,put if absent,put if absent among versions,put locked,head,delete,"  \
    "set lock,bucket create,"
#define NO_TEXT NO_BODY "get,get range,"
#define NO_OBJECT NO_BODY "list,list versions,delete many,get lock,bucket info,"
#define NO_UPLOAD                                                              \
    ",get,get range,head,list,list versions,delete,get lock,bucket info,"      \
    "bucket create,"

static const struct sim_fault refusals[] = {
    { "500", .kind = ERR_UNREACHABLE,
      .rule = { .act = S3SERVER_REPLY,
                .status = 500,
                .code = "InternalError" } },
    { "502, a page", .kind = ERR_UNREACHABLE, .cause = "502",
      .rule = { .act = S3SERVER_REPLY, .status = 502 } },
    { "503 SlowDown", .kind = ERR_THROTTLED, .deadline_ms = SHORT_MS,
      .rule = { .act = S3SERVER_REPLY, .status = 503, .code = "SlowDown" } },
    { "429 that wants a minute", .kind = ERR_THROTTLED, .deadline_ms = SHORT_MS,
      .rule = { .act = S3SERVER_REPLY,
                .status = 429,
                .code = "TooManyRequests",
                .headers = "Retry-After: 60\r\n" } },
    { "409 OperationAborted", .except = ",head,", .kind = ERR_BUSY,
      .rule = { .act = S3SERVER_REPLY,
                .status = 409,
                .code = "OperationAborted" } },
    { "400 RequestTimeout", .except = ",head,", .kind = ERR_UNREACHABLE,
      .rule = { .act = S3SERVER_REPLY,
                .status = 400,
                .code = "RequestTimeout" } },
    { "200 with an error", .except = ",get,get range,head,",
      .kind = ERR_UNREACHABLE,
      .rule = { .act = S3SERVER_REPLY,
                .status = 200,
                .code = "InternalError" } },
    { "403 AccessDenied", .kind = ERR_DENIED, .once = true,
      .rule = { .act = S3SERVER_REPLY,
                .status = 403,
                .code = "AccessDenied" } },
    { "403 SignatureDoesNotMatch", .kind = ERR_DENIED, .once = true,
      .rule = { .act = S3SERVER_REPLY,
                .status = 403,
                .code = "SignatureDoesNotMatch" } },
    { "404 NoSuchBucket", .kind = ERR_NOTFOUND, .once = true,
      .rule = { .act = S3SERVER_REPLY,
                .status = 404,
                .code = "NoSuchBucket" } },
    { "507", .kind = ERR_FULL, .cause = "507",
      .rule = { .act = S3SERVER_REPLY, .status = 507 } },
    { "done, but 500", .kind = ERR_UNREACHABLE,
      .rule = { .act = S3SERVER_REPLY_AFTER,
                .status = 500,
                .code = "InternalError" } },
};

static void refusals_that_stay_are_told_in_full(void **state)
{
    (void)state;
    sim_matrix_holds(refusals, sizeof refusals / sizeof refusals[0]);
}

#define GONE .no_id = true, .deadline_ms = SHORT_MS, .kind = ERR_UNREACHABLE

static const struct sim_fault breaks[] = {
    { "reset behind the head", GONE, .cause = "",
      .rule = { .act = S3SERVER_RESET_HEAD } },
    { "reset in the request's body", GONE, .cause = "",
      .rule = { .act = S3SERVER_RESET_UPLOAD, .at = 1000 } },
    { "reset before the answer", GONE, .cause = "",
      .rule = { .act = S3SERVER_RESET_BEFORE } },
    { "done, answer lost", GONE, .cause = "",
      .rule = { .act = S3SERVER_LOSE_ANSWER } },
    { "done, closed", GONE, .cause = "Empty reply from server",
      .rule = { .act = S3SERVER_CLOSE_ANSWER } },
    { "reset in the answer's head", GONE, .cause = "",
      .rule = { .act = S3SERVER_RESET_ANSWER_HEAD } },
    { "no HTTP", .kind = ERR_FAILED, .no_id = true, .once = true,
      .cause = "HTTP/0.9", .rule = { .act = S3SERVER_NOT_HTTP } },
};

static void lost_connections_are_told_in_full(void **state)
{
    (void)state;
    sim_matrix_holds(breaks, sizeof breaks / sizeof breaks[0]);
}

static const struct sim_fault bodies[] = {
    { "object cut", .except = NO_OBJECT, .kind = ERR_CORRUPT, .cause = "",
      .rule = { .act = S3SERVER_CUT_ANSWER, .at = 10 } },
    { "object reset", .except = NO_OBJECT, .kind = ERR_CORRUPT, .cause = "",
      .rule = { .act = S3SERVER_RESET_ANSWER_BODY, .at = 10 } },
    { "object without a length", .except = NO_OBJECT, .kind = ERR_CORRUPT,
      .cause = "length", .rule = { .act = S3SERVER_NO_LENGTH } },
    { "answer cut", .except = NO_TEXT, .kind = ERR_UNREACHABLE, .cause = "",
      .rule = { .act = S3SERVER_CUT_ANSWER, .at = 10 } },
    { "answer without a length", .except = NO_TEXT, .kind = ERR_UNREACHABLE,
      .cause = "length", .rule = { .act = S3SERVER_NO_LENGTH } },
    { "answer damaged", .except = NO_TEXT, .kind = ERR_CORRUPT, .once = true,
      .cause = "",
      .rule = { .act = S3SERVER_FLIP_ANSWER, /* its end */ .at = UINT64_MAX } },
    { "request damaged", .except = NO_UPLOAD, .kind = ERR_CORRUPT,
      .cause = "400 ", /* by what protects it: BadDigest, SHA256Mismatch */
      .rule = { .act = S3SERVER_FLIP_REQUEST, .at = 100 } },
    { "stall before the answer", .kind = ERR_TIMEOUT, .limit_ms = 400,
      .deadline_ms = 1500, .no_id = true, .cause = "",
      .rule = { .act = S3SERVER_STALL_ANSWER, .ms = 60000 } },
    { "stall up to the deadline", .kind = ERR_TIMEOUT, .limit_ms = 20000,
      .deadline_ms = 1500, .no_id = true, .once = true, .cause = "",
      .rule = { .act = S3SERVER_STALL_ANSWER, .ms = 60000 } },
    { "stall in the answer's body", .except = NO_BODY, .kind = ERR_TIMEOUT,
      .limit_ms = 400, .deadline_ms = 1500, .cause = "",
      .rule = { .act = S3SERVER_STALL_BODY, .ms = 60000, .at = 10 } },
};

static void damage_and_stalls_are_told_in_full(void **state)
{
    (void)state;
    sim_matrix_holds(bodies, sizeof bodies / sizeof bodies[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_that_stay_are_told_in_full),
        cmocka_unit_test(lost_connections_are_told_in_full),
        cmocka_unit_test(damage_and_stalls_are_told_in_full),
    };

    sim_env();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

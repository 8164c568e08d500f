// SPDX-License-Identifier: Apache-2.0
//
// Whatever passes is survived: every fault that goes away, at every operation.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sim_cells.h"

#define TWO .times = 2, .act

static const struct sim_fault refusals[] = {
    { "500", .rule = { TWO = S3SERVER_REPLY, .status = 500,
                       .code = "InternalError" } },
    { "503 SlowDown",
      .rule = { TWO = S3SERVER_REPLY, .status = 503, .code = "SlowDown" } },
    { "503, a page", .rule = { TWO = S3SERVER_REPLY, .status = 503 } },
    { "502, a page", .rule = { TWO = S3SERVER_REPLY, .status = 502 } },
    { "429 that wants a minute",
      .rule = { TWO = S3SERVER_REPLY, .status = 429, .code = "TooManyRequests",
                .headers = "Retry-After: 60\r\n" } },
    /* Without a body, HEAD cannot say so. */
    { "400 RequestTimeout", .except = ",head,",
      .rule = { TWO = S3SERVER_REPLY, .status = 400,
                .code = "RequestTimeout" } },
    { "409 OperationAborted", .except = ",head,",
      .rule = { TWO = S3SERVER_REPLY, .status = 409,
                .code = "OperationAborted" } },
    /* Where a body is data, it is the caller who can tell. */
    { "200 with an error", .except = ",get,get range,head,",
      .rule = { TWO = S3SERVER_REPLY, .status = 200,
                .code = "InternalError" } },
    { "done, but 500", .rule = { TWO = S3SERVER_REPLY_AFTER, .status = 500,
                                 .code = "InternalError" } },
    { "done, but 503", .rule = { TWO = S3SERVER_REPLY_AFTER, .status = 503,
                                 .code = "SlowDown" } },
};

static void refusals_that_pass_are_outlived_everywhere(void **state)
{
    (void)state;
    sim_matrix_holds(refusals, sizeof refusals / sizeof refusals[0]);
}

static const struct sim_fault breaks[] = {
    { "reset as it is accepted", .rule = { TWO = S3SERVER_RESET_ACCEPT } },
    { "reset behind the head", .rule = { TWO = S3SERVER_RESET_HEAD } },
    { "reset in the request's body",
      .rule = { TWO = S3SERVER_RESET_UPLOAD, .at = 1000 } },
    { "reset before the answer", .rule = { TWO = S3SERVER_RESET_BEFORE } },
    { "done, answer lost", .rule = { TWO = S3SERVER_LOSE_ANSWER } },
    { "done, closed", .rule = { TWO = S3SERVER_CLOSE_ANSWER } },
    { "reset in the answer's head",
      .rule = { TWO = S3SERVER_RESET_ANSWER_HEAD } },
    { "reset in the answer's body",
      .rule = { TWO = S3SERVER_RESET_ANSWER_BODY, .at = 10 } },
    { "cut body", .rule = { TWO = S3SERVER_CUT_ANSWER, .at = 10 } },
    { "no length", .rule = { TWO = S3SERVER_NO_LENGTH } },
    { "no length, cut", .rule = { TWO = S3SERVER_NO_LENGTH_CUT, .at = 10 } },
    { "over-long body", .rule = { TWO = S3SERVER_OVERLONG, .at = 100 } },
};

static void broken_connections_are_outlived_everywhere(void **state)
{
    (void)state;
    sim_matrix_holds(breaks, sizeof breaks / sizeof breaks[0]);
}

static const struct sim_fault oddities[] = {
    { "late", .rule = { TWO = S3SERVER_DELAY, .ms = 30 } },
    { "stall before the answer", .limit_ms = 300,
      .rule = { .times = 1, .act = S3SERVER_STALL_ANSWER, .ms = 60000 } },
    { "stall in the answer's body", .limit_ms = 300,
      .rule = { .times = 1,
                .act = S3SERVER_STALL_BODY,
                .ms = 60000,
                .at = 10 } },
    { "wrong etag", .rule = { TWO = S3SERVER_WRONG_ETAG } },
    { "late duplicate", .rule = { TWO = S3SERVER_TWICE, .ms = 5 } },
    { "request damaged on its way",
      .rule = { TWO = S3SERVER_FLIP_REQUEST, .at = 100 } },
    { "date ahead",
      .rule = { .times = 1, .act = S3SERVER_SKEW_DATE, .ms = 1200000 } },
    { "date behind",
      .rule = { .times = 1, .act = S3SERVER_SKEW_DATE, .ms = -1200000 } },
};

static void stalls_duplicates_and_damage_are_outlived_everywhere(void **state)
{
    (void)state;
    sim_matrix_holds(oddities, sizeof oddities / sizeof oddities[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_that_pass_are_outlived_everywhere),
        cmocka_unit_test(broken_connections_are_outlived_everywhere),
        cmocka_unit_test(stalls_duplicates_and_damage_are_outlived_everywhere),
    };

    sim_env();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

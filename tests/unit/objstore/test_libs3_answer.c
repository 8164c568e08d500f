// SPDX-License-Identifier: Apache-2.0
/* What libs3's statuses mean, and how its module is looked for: no module is
 * needed for either. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objstore/libs3.h"

static struct obj_attempt classified(const char *status, const char *message,
                                     enum obj_verb verb, int64_t ms)
{
    struct obj_libs3_result r = { .end = OBJ_LIBS3_DONE, .sent = 5 };
    struct obj_attempt a = { 0 };

    snprintf(r.status, sizeof r.status, "%s", status);
    snprintf(r.message, sizeof r.message, "%s", message);
    obj_libs3_classify(&r, verb, verb != OBJ_LIST && verb != OBJ_BUCKET, 5, ms,
                       &a);
    return a;
}

static void means(const char *status, const char *message, enum obj_verb verb,
                  enum obj_outcome outcome, int http)
{
    struct obj_attempt a = classified(status, message, verb, 0);

    if (a.outcome != outcome || a.http != http)
        fail_msg("%s (%s): %d %d instead of %d %d", status, message,
                 (int)a.outcome, a.http, (int)outcome, http);
}

static void errors_that_libs3_knows(void **state)
{
    (void)state;
    means("OK", "", OBJ_GET, OBJ_OK, 200);
    means("ErrorSlowDown", "", OBJ_PUT, OBJ_THROTTLE, 503);
    means("ErrorInternalError", "", OBJ_PUT, OBJ_UNAVAIL, 500);
    means("ErrorInternalError", "cause(file is corrupted)", OBJ_GET,
          OBJ_UNREADABLE, 500);
    means("ErrorInternalError", "cause(no space left on device)", OBJ_PUT,
          OBJ_NO_SPACE, 500);
    means("ErrorBadDigest", "", OBJ_PUT, OBJ_DIGEST, 400);
    means("ErrorRequestTimeout", "", OBJ_PUT, OBJ_NETWORK, 400);
    means("ErrorIncompleteBody", "", OBJ_PUT, OBJ_NETWORK, 400);
    means("ErrorRequestTimeTooSkewed", "", OBJ_PUT, OBJ_CLOCK, 403);
    means("ErrorInvalidAccessKeyId", "", OBJ_PUT, OBJ_AUTH, 403);
    means("ErrorSignatureDoesNotMatch", "", OBJ_PUT, OBJ_AUTH, 403);
    means("ErrorExpiredToken", "", OBJ_PUT, OBJ_AUTH, 400);
    means("ErrorAccessDenied", "", OBJ_PUT, OBJ_FORBIDDEN, 403);
    means("ErrorNoSuchKey", "", OBJ_GET, OBJ_ABSENT, 404);
    means("ErrorNoSuchBucket", "", OBJ_GET, OBJ_NO_BUCKET, 404);
    means("ErrorNoSuchBucket", "", OBJ_LIST, OBJ_NO_BUCKET, 404);
    means("ErrorOperationAborted", "", OBJ_PUT, OBJ_CONFLICT, 409);
    means("ErrorNotImplemented", "", OBJ_LIST, OBJ_UNABLE, 501);
    means("ErrorInvalidRange", "", OBJ_GET, OBJ_REJECTED, 416);
    /* libs3 has no region to sign for, and none to be told. */
    means("ErrorPermanentRedirect", "", OBJ_GET, OBJ_REJECTED, 301);
    means("ErrorTemporaryRedirect", "", OBJ_PUT, OBJ_REJECTED, 307);
}

static void errors_that_libs3_does_not_know(void **state)
{
    (void)state;
    means("ErrorUnknown",
          "Resource requested is unreadable, please reduce your request rate",
          OBJ_GET, OBJ_UNREADABLE, 503);
    means("ErrorUnknown",
          "Resource requested is unwritable, please reduce your request rate",
          OBJ_PUT, OBJ_THROTTLE, 503);
    means("ErrorUnknown",
          "Storage backend has reached its minimum free drive threshold. "
          "Please delete a few objects to proceed.",
          OBJ_PUT, OBJ_NO_SPACE, 507);
    means("ErrorUnknown", "Bucket quota exceeded", OBJ_PUT, OBJ_NO_SPACE, 507);
    means("ErrorUnknown", "Object is WORM protected and cannot be overwritten",
          OBJ_DELETE, OBJ_WORM, 400);
    means("ErrorUnknown",
          "The authorization mechanism you have provided is not supported. "
          "Please use AWS4-HMAC-SHA256.",
          OBJ_GET, OBJ_REJECTED, 400);
    means("ErrorUnknown", "anything else", OBJ_PUT, OBJ_UNAVAIL, 0);
}

static void answers_without_a_text(void **state)
{
    (void)state;
    means("HttpErrorNotFound", "", OBJ_HEAD, OBJ_ABSENT, 404);
    means("HttpErrorNotFound", "", OBJ_BUCKET, OBJ_NO_BUCKET, 404);
    means("HttpErrorNotFound", "", OBJ_GET, OBJ_REJECTED, 404);
    means("HttpErrorNotFound", "", OBJ_DELETE, OBJ_REJECTED, 404);
    means("HttpErrorForbidden", "", OBJ_HEAD, OBJ_FORBIDDEN, 403);
    means("HttpErrorConflict", "", OBJ_DELETE, OBJ_CONFLICT, 409);
    means("HttpErrorUnknown", "", OBJ_HEAD, OBJ_UNAVAIL, 0);
    means("XmlParseFailure", "", OBJ_GET, OBJ_UNAVAIL, 0);
}

static void failures_without_an_answer(void **state)
{
    (void)state;
    means("FailedToConnect", "", OBJ_DELETE, OBJ_NETWORK, 0);
    means("NameLookupError", "", OBJ_GET, OBJ_NETWORK, 0);
    means("ConnectionFailed", "", OBJ_GET, OBJ_NETWORK, 0);
    means("InternalError", "", OBJ_GET, OBJ_NETWORK, 0);
    means("OutOfMemory", "", OBJ_GET, OBJ_LOCAL, 0);
    means("UriTooLong", "", OBJ_GET, OBJ_REJECTED, 0);
    assert_int_equal(classified("ConnectionFailed", "", OBJ_GET, 15000).outcome,
                     OBJ_SLOW);
    assert_false(classified("FailedToConnect", "", OBJ_DELETE, 0).maybe_done);
    assert_true(classified("InternalError", "", OBJ_PUT, 0).maybe_done);
    assert_true(classified("ErrorInternalError", "", OBJ_PUT, 0).maybe_done);
    assert_false(classified("ErrorAccessDenied", "", OBJ_PUT, 0).maybe_done);
    assert_false(classified("InternalError", "", OBJ_GET, 0).maybe_done);
}

static void only_keys_that_go_out_as_they_are(void **state)
{
    (void)state;
    assert_true(obj_libs3_key_ok("AZaz09._/-"));
    assert_true(obj_libs3_key_ok(""));
    for (int c = 1; c < 256; c++) {
        char key[] = { 'a', (char)c, 'b', '\0' };
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                     (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
                     c == '/' || c == '-';
        assert_int_equal(obj_libs3_key_ok(key), plain);
    }
}

static void not_loaded(const char *why)
{
    struct err e = { 0 };

    assert_null(obj_libs3_load(&e));
    assert_int_equal(e.kind, ERR_CONFIG);
    if (strstr(e.msg, why) == NULL)
        fail_msg("does not say \"%s\": %s", why, e.msg);
}

static void a_module_that_is_not_there_or_none_is_named(void **state)
{
    (void)state;
    /* Beside this test there is none; installed there may be one. */
    setenv("OBJVAULT_LIBS3", "/nowhere/objvault-libs3.so", 1);
    not_loaded("no module /nowhere/objvault-libs3.so");
    setenv("OBJVAULT_LIBS3", "objvault-libs3.so", 1);
    not_loaded("absolute path");
    setenv("OBJVAULT_LIBS3", "/etc/hosts", 1);
    not_loaded("/etc/hosts");
    setenv("OBJVAULT_LIBS3", LIBS3_OTHER, 1);
    not_loaded("another version of objvault");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_that_libs3_knows),
        cmocka_unit_test(errors_that_libs3_does_not_know),
        cmocka_unit_test(answers_without_a_text),
        cmocka_unit_test(failures_without_an_answer),
        cmocka_unit_test(only_keys_that_go_out_as_they_are),
        cmocka_unit_test(a_module_that_is_not_there_or_none_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

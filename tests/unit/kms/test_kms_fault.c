// SPDX-License-Identifier: Apache-2.0
/* Acceptance 14 and 15 of kms/DESIGN.md: what misbehaves never yields a key,
 * never takes longer than the deadline, and never ends the process. */
#include "kms_rig.h"

#include <pthread.h>

#include "base/log.h"

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* Gets the key and expects an error.  The last attempt before the deadline may
 * be cut short by it, and then says that instead. */
static void expect_error(struct kms *k, enum err_kind kind, const char *part)
{
    struct secret *key = NULL;
    struct err e = { 0 };

    assert_int_equal(
        kms_key_get(k, NULL, "1", KMS_APPEND, false, &key, NULL, &e), -1);
    assert_null(key);
    bool says =
        strstr(e.msg, part) != NULL ||
        (kind == ERR_UNREACHABLE && strstr(e.msg, "no answer in time") != NULL);
    if (e.kind != kind || !says)
        fail_msg("%s instead of %s with \"%s\": %s", err_kind_name(e.kind),
                 err_kind_name(kind), part, e.msg);
}

/* How long one call on one server took, in ms, that ended as expected. */
static int64_t time_of(int tls, enum kmsserver_act act, enum err_kind kind,
                       const char *part, int64_t deadline_ms)
{
    struct kmsserver *s =
        rig_serve(0, (struct kmsserver_opts){ .tls_min = tls, .tls_max = tls });
    struct kms_config c = rig_config(1, "client");
    c.attempt_ms = deadline_ms / 2;
    c.deadline_ms = deadline_ms;
    struct kms *k = rig_open_config(&c);

    kmsserver_fault(s, (struct kmsserver_fault){ .act = act });
    int64_t began = utc_mono_ms();
    if (kind == ERR_NONE)
        rig_expect_key(k);
    else
        expect_error(k, kind, part);
    int64_t took = utc_mono_ms() - began;
    kms_close(k);
    rig_stop(NULL);
    return took;
}

/* The call ends at the deadline, within 10 %.  Where other programs take the
 * machine, it may be woken late now and then; what is late each time is wrong.
 */
static void ends_at_the_deadline(int tls, enum kmsserver_act act,
                                 const char *part, int64_t deadline_ms)
{
    int64_t took = 0;

    for (int i = 0; i < 5; i++) {
        took = time_of(tls, act, ERR_UNREACHABLE, part, deadline_ms);
        if (took < deadline_ms * 9 / 10)
            fail_msg("act %d: %lld ms, too early", (int)act, (long long)took);
        if (took <= deadline_ms * 11 / 10)
            return;
    }
    fail_msg("act %d: %lld ms, the fifth time", (int)act, (long long)took);
}

static void each_silence_ends_at_the_deadline(void **state)
{
    static const enum kmsserver_act acts[] = {
        KMSSERVER_NO_HANDSHAKE,
        KMSSERVER_NEVER,
        KMSSERVER_DRIP,
    };

    (void)state;
    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
            ends_at_the_deadline(versions[v], acts[i], "no answer in time",
                                 2000);
}

static void
each_break_of_the_line_is_tried_again_until_the_deadline(void **state)
{
    static const struct {
        enum kmsserver_act act;
        const char *part;
    } cases[] = {
        { KMSSERVER_HANG_UP, "" },    { KMSSERVER_RESET, "" },
        { KMSSERVER_HALF, "closed" }, { KMSSERVER_HALF_BYE, "closed" },
        { KMSSERVER_HALF_RESET, "" }, { KMSSERVER_LOST, "" },
    };

    (void)state;
    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
            ends_at_the_deadline(versions[v], cases[i].act, cases[i].part,
                                 1000);
}

static void each_break_of_the_line_heals(void **state)
{
    static const enum kmsserver_act acts[] = {
        KMSSERVER_HANG_UP,    KMSSERVER_RESET, KMSSERVER_HALF,
        KMSSERVER_HALF_RESET, KMSSERVER_LOST,  KMSSERVER_HALF_BYE,
        KMSSERVER_DROP,
    };

    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        struct kmsserver *s = rig_serve_plainly(0);
        struct kms *k = rig_open(1);
        kmsserver_fault(s,
                        (struct kmsserver_fault){ .act = acts[i], .times = 2 });
        rig_expect_key(k);
        kms_close(k);
        rig_stop(NULL);
    }
}

static void each_wrong_answer_is_refused_at_once(void **state)
{
    static const struct {
        enum kmsserver_act act;
        enum err_kind kind;
        const char *part;
    } cases[] = {
        { KMSSERVER_HUGE, ERR_CORRUPT, "" },
        { KMSSERVER_ODD, ERR_CORRUPT, "" },
        { KMSSERVER_LARGER, ERR_CORRUPT, "" },
        { KMSSERVER_WRONG_MESSAGE, ERR_CORRUPT, "" },
        { KMSSERVER_WRONG_OPERATION, ERR_CORRUPT, "" },
        { KMSSERVER_WRONG_UID, ERR_CORRUPT, "" },
        { KMSSERVER_WRONG_COUNT, ERR_CORRUPT, "" },
        { KMSSERVER_ONE_MISSING, ERR_CORRUPT, "" },
        { KMSSERVER_FAILED_GIVES, ERR_DENIED, "permission denied" },
        { KMSSERVER_PENDING, ERR_UNSUPPORTED, "later" },
        { KMSSERVER_KEY_16, ERR_CORRUPT, "" },
        { KMSSERVER_KEY_31, ERR_CORRUPT, "" },
        { KMSSERVER_KEY_64, ERR_CORRUPT, "" },
        { KMSSERVER_PLAIN, ERR_CONFIG, "no TLS" },
    };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            int64_t took = time_of(versions[v], cases[i].act, cases[i].kind,
                                   cases[i].part, 30000);
            if (took > RIG_AT_ONCE_MS)
                fail_msg("act %d: %lld ms", (int)cases[i].act, (long long)took);
        }
    }
}

static void what_is_only_unusual_is_understood(void **state)
{
    static const enum kmsserver_act acts[] = {
        KMSSERVER_TRANSPARENT,
        KMSSERVER_ATTRIBUTE,
        KMSSERVER_UNKNOWN_TAGS,
    };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
            time_of(versions[v], acts[i], ERR_NONE, "", 30000);
    }
}

static void failure_inside_the_server_is_asked_about_twice(void **state)
{
    static const uint32_t reasons[] = { KMIP_GENERAL_FAILURE,
                                        KMIP_INTERNAL_SERVER_ERROR };
    static const char *const parts[] = { "general failure",
                                         "internal server error" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct kmsserver *s = rig_serve_plainly(0);
        struct kms *k = rig_open(1);
        kmsserver_fault(s, (struct kmsserver_fault){ .act = KMSSERVER_REFUSE,
                                                     .reason = reasons[i] });
        rig_expect_error(k, ERR_FAILED, parts[i]);
        assert_int_equal(kmsserver_requests(s, 0), 2);
        kmsserver_fault(s, (struct kmsserver_fault){ .act = KMSSERVER_REFUSE,
                                                     .reason = reasons[i],
                                                     .times = 1 });
        rig_expect_key(k);
        kms_close(k);
        rig_stop(NULL);
    }
}

static void refusal_is_final_and_says_why(void **state)
{
    static const struct {
        uint32_t reason;
        enum err_kind kind;
        const char *part;
    } cases[] = {
        { KMIP_ITEM_NOT_FOUND, ERR_NOTFOUND, "not found" },
        { KMIP_OBJECT_DESTROYED, ERR_NOTFOUND, "destroyed" },
        { KMIP_PERMISSION_DENIED, ERR_DENIED, "permission denied" },
        { KMIP_AUTHENTICATION_NOT_SUCCESSFUL, ERR_DENIED, "authentication" },
        { KMIP_NOT_AUTHORISED, ERR_DENIED, "not authorised" },
        { KMIP_SENSITIVE, ERR_DENIED, "sensitive" },
        { KMIP_NOT_EXTRACTABLE, ERR_DENIED, "not extractable" },
        { KMIP_WRONG_LIFECYCLE_STATE, ERR_DENIED, "lifecycle" },
        { KMIP_INVALID_MESSAGE, ERR_UNSUPPORTED, "invalid message" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kmsserver *s = rig_serve_plainly(0);
        struct kms *k = rig_open(1);
        kmsserver_fault(s,
                        (struct kmsserver_fault){ .act = KMSSERVER_REFUSE,
                                                  .reason = cases[i].reason });
        rig_expect_error(k, cases[i].kind, cases[i].part);
        assert_int_equal(kmsserver_requests(s, 0), 1);
        kms_close(k);
        rig_stop(NULL);
    }
}

static void *request_soon(void *token)
{
    usleep(300 * 1000);
    cancel_request(token);
    return NULL;
}

static void cancelling_ends_each_wait(void **state)
{
    static const enum kmsserver_act acts[] = { KMSSERVER_NO_HANDSHAKE,
                                               KMSSERVER_NEVER, KMSSERVER_DRIP,
                                               KMSSERVER_LOST };

    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        struct kmsserver *s = rig_serve_plainly(0);
        struct kms_config c = rig_config(1, "client");
        struct cancel token;
        pthread_t thread;
        struct secret *key = NULL;
        struct err e = { 0 };

        c.attempt_ms = 60000;
        c.deadline_ms = 60000;
        struct kms *k = rig_open_config(&c);
        kmsserver_fault(s, (struct kmsserver_fault){ .act = acts[i] });
        assert_int_equal(cancel_init(&token, NULL, &e), 0);
        int64_t began = utc_mono_ms();
        assert_int_equal(pthread_create(&thread, NULL, request_soon, &token),
                         0);
        assert_int_equal(
            kms_key_get(k, &token, "1", KMS_APPEND, false, &key, NULL, &e), -1);
        assert_int_equal(e.kind, ERR_CANCELLED);
        assert_true(utc_mono_ms() - began < RIG_AT_ONCE_MS);
        pthread_join(thread, NULL);
        kms_close(k);
        cancel_fini(&token);
        rig_stop(NULL);
    }
}

/* The credential goes with each request, on new connections too. */
static void
user_of_a_server_is_told_each_time_and_a_wrong_password_is_final(void **state)
{
    const struct kmsserver_opts opts = { .user = "host-1",
                                         .password = "hunter2" };
    struct kmsserver *s = rig_serve(0, opts);
    struct kms_config c = rig_config(1, "client");

    (void)state;
    c.username = "host-1";
    c.password = span_str("hunter2");
    struct kms *k = rig_open_config(&c);
    rig_expect_key(k);
    kmsserver_fault(s, (struct kmsserver_fault){
                           .act = KMSSERVER_LOST, .op = KMIP_GET, .times = 1 });
    rig_expect_key(k);
    kmsserver_hang_up(s);
    rig_expect_key(k);
    kms_close(k);

    c.password = span_str("hunter3");
    k = rig_open_config(&c);
    unsigned before = kmsserver_requests(s, 0);
    rig_expect_error(k, ERR_DENIED, "");
    assert_int_equal(kmsserver_requests(s, 0), before + 1);
    kms_close(k);

    k = rig_open(1);
    rig_expect_error(k, ERR_DENIED, "");
    kms_close(k);
    rig_stop(NULL);
}

/* All that is logged, with nothing left out, while a key is fetched, refused
 * and adopted. */
static void no_log_line_holds_a_key_or_a_control_character(void **state)
{
    char path[128];
    char uid[KMS_UID_CHARS];
    struct err e = { 0 };
    static char text[65536];
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    (void)snprintf(path, sizeof path, "%s/log", rig_pki);
    int saved = dup(STDERR_FILENO);
    FILE *f = fopen(path, "w+");
    assert_non_null(f);
    assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
    log_setup(LOG_DEBUG, false);
    rig_expect_key(k);
    kmsserver_fault(s, (struct kmsserver_fault){ .act = KMSSERVER_FAILED_GIVES,
                                                 .times = 1 });
    struct secret *key = NULL;
    int refused = kms_key_get(k, NULL, "1", KMS_APPEND, false, &key, NULL, &e);
    int made = kms_key_create(k, NULL, "new", uid, &e);
    log_setup(LOG_WARN, false);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    assert_int_equal(refused, -1);
    if (made < 0)
        fail_msg("%s", e.msg);
    assert_true(n > 200);
    assert_non_null(strstr(text, "KMIP 1.4 Get 1: status 0"));
    assert_non_null(strstr(text, "permission denied"));
    assert_null(strstr(text, "ZZZZ")); /* the key, as it is */
    assert_null(strstr(text, "5a5a")); /* in hex */
    assert_null(strstr(text, "5A5A"));
    assert_null(strstr(text, "WlpaWlpa")); /* in base64 */
    assert_null(strchr(text, '\033'));
    kms_close(k);
    rig_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(each_silence_ends_at_the_deadline),
        RIG_TEST(each_break_of_the_line_is_tried_again_until_the_deadline),
        RIG_TEST(each_break_of_the_line_heals),
        RIG_TEST(each_wrong_answer_is_refused_at_once),
        RIG_TEST(what_is_only_unusual_is_understood),
        RIG_TEST(failure_inside_the_server_is_asked_about_twice),
        RIG_TEST(refusal_is_final_and_says_why),
        RIG_TEST(cancelling_ends_each_wait),
        RIG_TEST(
            user_of_a_server_is_told_each_time_and_a_wrong_password_is_final),
        RIG_TEST(no_log_line_holds_a_key_or_a_control_character),
    };

    return cmocka_run_group_tests(tests, rig_make_pki, rig_remove_pki);
}

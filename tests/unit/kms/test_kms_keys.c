// SPDX-License-Identifier: Apache-2.0
/* Acceptance 6, 10 and 18 of kms/DESIGN.md: what a key's state allows, and that
 * a change whose answer is lost is never made twice. */
#include "kms_rig.h"

static int get(struct kms *k, const char *uid, enum kms_use use,
               bool compromised, bool *deactivated, struct err *e)
{
    struct secret *key = NULL;
    int result =
        kms_key_get(k, NULL, uid, use, compromised, &key, deactivated, e);

    assert_true((key != NULL) == (result == 0));
    secret_free(key);
    return result;
}

static void state_decides_what_a_key_may_be_used_for(void **state)
{
    enum { NO, YES, WARN, FLAG };
    static const struct {
        uint32_t state;
        int wrap, append, restore;
        enum err_kind kind;
        const char *part;
    } cases[] = {
        { KMIP_ACTIVE, YES, YES, YES, ERR_NONE, "" },
        { KMIP_DEACTIVATED, NO, NO, WARN, ERR_DENIED, "deactivated" },
        { KMIP_COMPROMISED, NO, NO, FLAG, ERR_DENIED, "compromised" },
        { KMIP_PRE_ACTIVE, NO, NO, NO, ERR_DENIED, "pre-active" },
        { KMIP_DESTROYED, NO, NO, NO, ERR_NOTFOUND, "destroyed" },
        { KMIP_DESTROYED_COMPROMISED, NO, NO, NO, ERR_NOTFOUND, "destroyed" },
        { 0, NO, NO, NO, ERR_DENIED, "unknown state" },
        { 7, NO, NO, NO, ERR_DENIED, "unknown state" },
        { 0x80000001, NO, NO, NO, ERR_DENIED, "unknown state" },
    };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int wanted[] = { cases[i].wrap, cases[i].append,
                               cases[i].restore };
        kmsserver_set_state(s, 1, cases[i].state);
        for (int use = KMS_WRAP; use <= KMS_RESTORE; use++) {
            for (int flag = 0; flag < 2; flag++) {
                int want = wanted[use];
                struct err e = { 0 };
                bool deactivated = false;
                bool good =
                    want == YES || want == WARN || (want == FLAG && flag == 1);
                int result =
                    get(k, "1", (enum kms_use)use, flag == 1, &deactivated, &e);
                if ((result == 0) != good)
                    fail_msg("state %u, use %d, flag %d: %s", cases[i].state,
                             use, flag, e.msg);
                if (good) {
                    assert_int_equal(deactivated, want == WARN);
                    continue;
                }
                assert_int_equal(e.kind, cases[i].kind);
                assert_non_null(strstr(e.msg, cases[i].part));
            }
        }
    }
    kms_close(k);
}

static void refusal_of_a_key_tells_its_state(void **state)
{
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    kmsserver_set_state(s, 1, KMIP_PRE_ACTIVE);
    kmsserver_fault(s, (struct kmsserver_fault){
                           .act = KMSSERVER_REFUSE_SECOND,
                           .reason = KMIP_PERMISSION_DENIED,
                       });
    assert_int_equal(get(k, "1", KMS_RESTORE, true, NULL, &e), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_non_null(strstr(e.msg, "permission denied"));
    assert_non_null(strstr(e.msg, "the key is pre-active"));
    enum kmip_state told = KMIP_ACTIVE;
    assert_int_equal(kms_key_state(k, NULL, "1", &told, &e), 0);
    assert_int_equal(told, KMIP_PRE_ACTIVE);
    kms_close(k);
}

static void identifier_is_checked_before_anything_is_asked(void **state)
{
    static char long_uid[KMS_UID_CHARS + 1];
    const char *const bad[] = {
        "", "a\nb", "\x7f", "\xff", "\xc2\x80", long_uid
    };
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    memset(long_uid, 'a', sizeof long_uid - 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(get(k, bad[i], KMS_RESTORE, false, NULL, &e), -1);
        assert_int_equal(e.kind, ERR_CONFIG);
    }
    assert_int_equal(kmsserver_connections(s), 0);
    kms_close(k);
}

static void key_is_made_activated_and_read_back(void **state)
{
    char uid[KMS_UID_CHARS] = "";
    char found[KMS_UID_CHARS] = "";
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    if (kms_key_create(k, NULL, "objvault/r/kek/1", uid, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(uid, "2");
    assert_int_equal(kmsserver_state(s, 2), KMIP_ACTIVE);
    assert_int_equal(kms_key_find(k, NULL, "objvault/r/kek/1", found, &e), 0);
    assert_string_equal(found, "2");
    assert_int_equal(kms_key_find(k, NULL, "none", found, &e), -1);
    assert_int_equal(e.kind, ERR_NOTFOUND);
    kms_close(k);
}

static void name_that_exists_is_refused(void **state)
{
    char uid[KMS_UID_CHARS] = "";
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    assert_int_equal(kms_key_create(k, NULL, "first", uid, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_int_equal(kmsserver_keys(s), 1);
    kms_close(k);
}

static void lost_answer_to_create_adopts_the_one_key(void **state)
{
    static const enum kmsserver_act acts[] = {
        KMSSERVER_LOST,          KMSSERVER_HALF,
        KMSSERVER_HALF_RESET,    KMSSERVER_NEVER,
        KMSSERVER_HUGE,          KMSSERVER_WRONG_OPERATION,
        KMSSERVER_WRONG_MESSAGE, KMSSERVER_WRONG_COUNT,
    };

    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        char uid[KMS_UID_CHARS] = "";
        struct err e = { 0 };
        struct kmsserver *s = rig_serve_plainly(0);
        struct kms_config c = rig_config(1, "client");
        c.attempt_ms = 1500;
        struct kms *k = rig_open_config(&c);
        kmsserver_fault(
            s, (struct kmsserver_fault){ .act = acts[i], .op = KMIP_CREATE });
        if (kms_key_create(k, NULL, "new", uid, &e) < 0)
            fail_msg("act %d: %s", (int)acts[i], e.msg);
        assert_string_equal(uid, "2");
        assert_int_equal(kmsserver_keys(s), 2);
        assert_int_equal(kmsserver_requests(s, KMIP_CREATE), 1);
        assert_int_equal(kmsserver_state(s, 2), KMIP_ACTIVE);
        kms_close(k);
        rig_stop(NULL);
    }
}

static void create_that_was_lost_on_its_way_is_not_repeated(void **state)
{
    char uid[KMS_UID_CHARS] = "";
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    kmsserver_fault(s, (struct kmsserver_fault){ .act = KMSSERVER_DROP,
                                                 .op = KMIP_CREATE });
    assert_int_equal(kms_key_create(k, NULL, "new", uid, &e), -1);
    assert_int_equal(e.kind, ERR_UNREACHABLE);
    assert_non_null(strstr(e.msg, "may have been made"));
    assert_int_equal(kmsserver_requests(s, KMIP_CREATE), 1);
    assert_int_equal(kmsserver_keys(s), 1);
    kms_close(k);
}

static void server_that_was_not_reached_leaves_create_to_the_next(void **state)
{
    char uid[KMS_UID_CHARS] = "";
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);

    (void)state;
    rig_serve_plainly(1);
    struct kms_config c = rig_config(2, "client");
    c.attempt_ms = 1500;
    struct kms *k = rig_open_config(&c);
    /* After Locate, so that Create meets it. */
    kmsserver_fault(s, (struct kmsserver_fault){ .act = KMSSERVER_NO_HANDSHAKE,
                                                 .after = 1 });
    if (kms_key_create(k, NULL, "new", uid, &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(kmsserver_requests(s, KMIP_CREATE), 0);
    assert_int_equal(kmsserver_requests(rig.s[1], KMIP_CREATE), 1);
    assert_int_equal(kmsserver_keys(rig.s[1]), 2);
    kms_close(k);
}

static void two_keys_of_one_name_are_not_adopted(void **state)
{
    char uid[KMS_UID_CHARS] = "";
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    kmsserver_key(s, "twin", KMIP_ACTIVE, 1);
    kmsserver_key(s, "twin", KMIP_ACTIVE, 2);
    assert_int_equal(kms_key_find(k, NULL, "twin", uid, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_non_null(strstr(e.msg, "more than one"));
    assert_int_equal(kms_key_create(k, NULL, "twin", uid, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_int_equal(kmsserver_keys(s), 3);
    kms_close(k);
}

static void key_of_an_attempt_that_was_cut_off_is_taken(void **state)
{
    static const uint32_t states[] = { KMIP_ACTIVE, KMIP_PRE_ACTIVE };

    (void)state;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        char uid[KMS_UID_CHARS] = "";
        struct err e = { 0 };
        struct kmsserver *s = rig_serve_plainly(0);
        struct kms *k = rig_open(1);
        kmsserver_key(s, "mine", states[i], 7);
        if (kms_key_take(k, NULL, "mine", uid, &e) < 0)
            fail_msg("%s", e.msg);
        assert_string_equal(uid, "2");
        assert_int_equal(kmsserver_state(s, 2), KMIP_ACTIVE);
        assert_int_equal(kmsserver_requests(s, KMIP_CREATE), 0);
        kms_close(k);
        rig_stop(NULL);
    }
}

static void key_to_take_is_made_where_there_is_none(void **state)
{
    char uid[KMS_UID_CHARS] = "";
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    if (kms_key_take(k, NULL, "mine", uid, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(uid, "2");
    assert_int_equal(kmsserver_state(s, 2), KMIP_ACTIVE);
    kms_close(k);
}

static void key_that_is_used_up_or_not_alone_is_not_taken(void **state)
{
    char uid[KMS_UID_CHARS] = "";
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    kmsserver_key(s, "old", KMIP_DEACTIVATED, 1);
    kmsserver_key(s, "twin", KMIP_ACTIVE, 1);
    kmsserver_key(s, "twin", KMIP_ACTIVE, 2);
    assert_int_equal(kms_key_take(k, NULL, "old", uid, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_int_equal(kms_key_take(k, NULL, "twin", uid, &e), -1);
    assert_int_equal(e.kind, ERR_EXISTS);
    assert_int_equal(kmsserver_keys(s), 4);
    kms_close(k);
}

static void key_that_was_found_must_have_the_name(void **state)
{
    char uid[KMS_UID_CHARS] = "";
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    kmsserver_fault(s, (struct kmsserver_fault){ .act = KMSSERVER_ANY_KEY });
    assert_int_equal(kms_key_find(k, NULL, "first", uid, &e), 0);
    assert_int_equal(kms_key_find(k, NULL, "other", uid, &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_non_null(strstr(e.msg, "does not have it"));
    kms_close(k);
}

static void lost_answer_to_activate_revoke_and_destroy_is_settled(void **state)
{
    static const uint32_t ops[] = { KMIP_ACTIVATE, KMIP_REVOKE, KMIP_DESTROY };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (int done = 0; done < 2; done++) {
            char uid[KMS_UID_CHARS] = "";
            struct err e = { 0 };
            struct kmsserver *s = rig_serve_plainly(0);
            struct kms *k = rig_open(1);
            kmsserver_fault(
                s, (struct kmsserver_fault){ .act = done == 1 ? KMSSERVER_LOST
                                                              : KMSSERVER_DROP,
                                             .op = ops[i],
                                             .times = 1 });
            if (kms_key_create(k, NULL, "new", uid, &e) < 0 ||
                kms_key_revoke(k, NULL, uid, KMIP_SUPERSEDED, &e) < 0 ||
                kms_key_destroy(k, NULL, uid, &e) < 0)
                fail_msg("op %u, done %d: %s", ops[i], done, e.msg);
            assert_int_equal(kmsserver_state(s, 2), KMIP_DESTROYED);
            assert_int_equal(kmsserver_requests(s, ops[i]), done == 1 ? 1 : 2);
            kms_close(k);
            rig_stop(NULL);
        }
    }
}

static void
revoking_twice_is_no_error_and_compromise_is_another_state(void **state)
{
    struct err e = { 0 };
    struct kmsserver *s = rig_serve_plainly(0);
    struct kms *k = rig_open(1);

    (void)state;
    assert_int_equal(kms_key_revoke(k, NULL, "1", KMIP_SUPERSEDED, &e), 0);
    assert_int_equal(kms_key_revoke(k, NULL, "1", KMIP_SUPERSEDED, &e), 0);
    assert_int_equal(kmsserver_requests(s, KMIP_REVOKE), 1);
    assert_int_equal(kmsserver_state(s, 1), KMIP_DEACTIVATED);
    assert_int_equal(kms_key_revoke(k, NULL, "1", KMIP_KEY_COMPROMISE, &e), 0);
    assert_int_equal(kmsserver_state(s, 1), KMIP_COMPROMISED);
    kms_close(k);
}

static void remote_mode_is_refused_before_version_1_4(void **state)
{
    struct err e = { 0 };

    (void)state;
    rig_serve_plainly(0);
    struct kms_config c = rig_config(1, "client");
    c.version = KMS_VERSION_1_2;
    c.mode = KMS_MODE_REMOTE;
    assert_null(kms_open(&c, &e));
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "1.4"));
    /* And where the version is only found out later. */
    c.mode = KMS_MODE_GET;
    struct kms *k = rig_open_config(&c);
    uint8_t iv[12], tag[16], data[32];
    assert_int_equal(kms_wrap_remote(k, NULL, "1", span_str("aad"),
                                     span_str("key"), iv, data, tag, &e),
                     -1);
    assert_int_equal(e.kind, ERR_UNSUPPORTED);
    assert_int_equal(kmsserver_requests(rig.s[0], 0), 0);
    kms_close(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(state_decides_what_a_key_may_be_used_for),
        RIG_TEST(refusal_of_a_key_tells_its_state),
        RIG_TEST(identifier_is_checked_before_anything_is_asked),
        RIG_TEST(key_is_made_activated_and_read_back),
        RIG_TEST(name_that_exists_is_refused),
        RIG_TEST(lost_answer_to_create_adopts_the_one_key),
        RIG_TEST(create_that_was_lost_on_its_way_is_not_repeated),
        RIG_TEST(server_that_was_not_reached_leaves_create_to_the_next),
        RIG_TEST(two_keys_of_one_name_are_not_adopted),
        RIG_TEST(key_of_an_attempt_that_was_cut_off_is_taken),
        RIG_TEST(key_to_take_is_made_where_there_is_none),
        RIG_TEST(key_that_is_used_up_or_not_alone_is_not_taken),
        RIG_TEST(key_that_was_found_must_have_the_name),
        RIG_TEST(lost_answer_to_activate_revoke_and_destroy_is_settled),
        RIG_TEST(revoking_twice_is_no_error_and_compromise_is_another_state),
        RIG_TEST(remote_mode_is_refused_before_version_1_4),
    };

    return cmocka_run_group_tests(tests, rig_make_pki, rig_remove_pki);
}

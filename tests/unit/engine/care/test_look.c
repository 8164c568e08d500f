// SPDX-License-Identifier: Apache-2.0
/* What one object is found to be. */
#include "tests/unit/engine/care/attacked.h"

#include "engine/care/look.h"

static struct eng_looked look_at(struct attacked *a, const char *key)
{
    struct eng_repo *r = fixture_open(&a->f);
    struct err e = { 0 };
    AUTO_ENG_LOOKER struct eng_looker *l = eng_looker_new(r, NULL, &e);
    struct eng_looked found;
    struct eng_look_want w;
    struct mf_id id;

    assert_non_null(l);
    if (mf_key_parse_block(key, MF_KEYSET_PLAIN, &id))
        w = eng_look_block(r, &id, 0);
    else if (mf_key_parse_page(key, MF_KEYSET_PLAIN, &id))
        w = eng_look_page(r, &id);
    else
        assert_true(eng_look_manifest(r, key, &w));
    must(eng_look(l, &w, &found, why));
    eng_repo_close(r);
    return found;
}

static const char *const kinds[] = { "plain/blocks/", "plain/pages/",
                                     "plain/points/" };
#define KINDS (sizeof kinds / sizeof kinds[0])

static void what_verifies_is_good(void **state)
{
    for (size_t i = 0; i < KINDS; i++)
        assert_int_equal(look_at(*state, attacked_key(*state, kinds[i])).state,
                         ENG_LOOK_GOOD);
}

static void what_is_hidden_or_overwritten_has_an_older_version(void **state)
{
    for (size_t i = 0; i < KINDS; i++) {
        const char *key = attacked_key(*state, kinds[i]);
        attacked_put(*state, key, "rubbish");
        assert_int_equal(look_at(*state, key).state, ENG_LOOK_OLDER);
        attacked_hide(*state, key);
        assert_int_equal(look_at(*state, key).state, ENG_LOOK_OLDER);
    }
}

static void rubbish_is_bad_as_it_was_uploaded(void **state)
{
    struct attacked *a = *state;

    for (size_t i = 0; i < KINDS; i++) {
        const char *key = attacked_key(a, kinds[i]);
        attacked_put(a, key, "rubbish");
        uint64_t before = s3server_requests(a->server, "GetObject");
        struct eng_looked found = look_at(a, key);
        assert_int_equal(found.state, ENG_LOOK_BAD);
        assert_int_equal(found.record, ENG_RECORD_MATCHES);
        /* It kept no versions: it may have been ours before. */
        assert_false(found.never);
        /* The descriptor, and the object once: the record fits. */
        assert_int_equal(s3server_requests(a->server, "GetObject"), before + 2);
    }
}

static void what_the_storage_damaged_differs_from_its_record(void **state)
{
    static const struct s3server_rule flip[] = {
        { .op = "GetObject",
          .key = "plain/blocks/*",
          .act = S3SERVER_FLIP_ANSWER,
          .at = 60 },
    };
    struct attacked *a = *state;
    const char *key = attacked_key(a, "plain/blocks/");

    s3server_script(a->server, flip, 1);
    struct eng_looked found = look_at(a, key);
    assert_int_equal(found.state, ENG_LOOK_BAD);
    assert_int_equal(found.record, ENG_RECORD_DIFFERS);
    s3server_script(a->server, NULL, 0);
}

static void a_bit_that_flipped_once_is_no_damage(void **state)
{
    static const struct s3server_rule flip[] = {
        { .op = "GetObject",
          .key = "plain/blocks/*",
          .times = 1,
          .act = S3SERVER_FLIP_ANSWER,
          .at = 60 },
    };
    struct attacked *a = *state;

    s3server_script(a->server, flip, 1);
    assert_int_equal(look_at(a, attacked_key(a, "plain/blocks/")).state,
                     ENG_LOOK_GOOD);
    assert_int_equal(s3server_acted(a->server, 0), 1);
    s3server_script(a->server, NULL, 0);
}

static void an_etag_that_is_no_md5_proves_nothing(void **state)
{
    static const char *const etags[] = {
        "",
        "d41d8cd98f00b204e9800998ecf8427e-2",
        "d41d8cd98f00b204e9800998ecf8427",
        "D41D8CD98F00B204E9800998ECF8427E",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    };
    struct obj_info info = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof etags / sizeof etags[0]; i++) {
        snprintf(info.etag, sizeof info.etag, "%s", etags[i]);
        assert_int_equal(eng_look_record(span_str(""), &info), ENG_RECORD_NONE);
    }
    snprintf(info.etag, sizeof info.etag, "d41d8cd98f00b204e9800998ecf8427e");
    assert_int_equal(eng_look_record(span_str(""), &info), ENG_RECORD_MATCHES);
    assert_int_equal(eng_look_record(span_str("x"), &info), ENG_RECORD_DIFFERS);
}

static void nothing_that_was_uploaded_never_was_ours(void **state)
{
    struct attacked *a = *state;
    static const char key[] =
        "plain/points/vm/20200101T000000Z-0123456789abcdef.json";

    assert_int_equal(look_at(a, key).state, ENG_LOOK_ABSENT);
    attacked_put(a, key, "rubbish");
    struct eng_looked found = look_at(a, key);
    assert_int_equal(found.state, ENG_LOOK_BAD);
    assert_true(found.never);
    /* The bytes of a manifest under the name of another. */
    struct buf other = buf_init(1 << 20);
    assert_true(s3server_read(a->server, ATTACKED_BUCKET,
                              attacked_key(a, "plain/points/"), &other));
    attacked_put(a, key, buf_cstr(&other));
    assert_int_equal(look_at(a, key).state, ENG_LOOK_BAD);
    buf_free(&other);
}

#define CASE(name, setup)                                                      \
    cmocka_unit_test_setup_teardown(name, setup, attacked_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_verifies_is_good, attacked_setup),
        CASE(what_is_hidden_or_overwritten_has_an_older_version,
             attacked_setup),
        CASE(rubbish_is_bad_as_it_was_uploaded, attacked_setup_plain),
        CASE(what_the_storage_damaged_differs_from_its_record,
             attacked_setup_plain),
        CASE(a_bit_that_flipped_once_is_no_damage, attacked_setup_plain),
        cmocka_unit_test(an_etag_that_is_no_md5_proves_nothing),
        CASE(nothing_that_was_uploaded_never_was_ours, attacked_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

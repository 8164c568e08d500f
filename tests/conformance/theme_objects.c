// SPDX-License-Identifier: Apache-2.0
/*
 * Conformance: what is put is got.
 */
#include "suite.h"

static void object_comes_back_with_its_properties(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);
    struct obj_info got = { 0 };
    struct obj_info seen = { 0 };

    (void)state;
    int64_t now = server_now(&plain);
    struct obj_info put = must_put(&plain, "a/b", "hello");
    assert_int_equal(put.size, 5);
    assert_string_equal(put.version, "");
    buf_append_str(&out, "before ");
    struct obj_attempt a = get(&plain, "a/b", NULL, NULL, &out, &got);
    assert_outcome(a, OBJ_OK);
    assert_string_equal(buf_cstr(&out), "before hello");
    assert_int_equal(a.received, 5);
    assert_int_equal(got.size, 5);

    assert_outcome(head(&plain, "a/b", NULL, &seen), OBJ_OK);
    assert_int_equal(seen.size, 5);
    assert_string_equal(seen.version, "");
    assert_true(seen.etag[0] != '\0');
    assert_string_equal(seen.etag, got.etag);
    assert_true(llabs(seen.modified - now) < 60);
    assert_int_equal(seen.lock.mode, OBJ_LOCK_NONE);
    assert_false(seen.lock.legal_hold);
    assert_false(seen.delete_marker);
}

static void attempt_says_what_went_over_the_line(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);

    (void)state;
    struct obj_attempt a = put_as(&plain, "k", span_str("hello"), NULL, NULL);
    assert_outcome(a, OBJ_OK);
    assert_int_equal(a.sent, 5);
    assert_false(a.maybe_done);
    a = get(&plain, "k", NULL, NULL, &out, NULL);
    assert_outcome(a, OBJ_OK);
    assert_int_equal(a.received, 5);
}

static void answers_carry_the_servers_time(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);
    struct obj_info info = { 0 };

    (void)state;
    int64_t now = server_now(&plain);
    struct obj_attempt a = put_as(&plain, "k", span_str("x"), NULL, &info);
    assert_true(llabs(a.server_time - now) < 60);
    assert_true(llabs(info.server_time - now) < 60);
    a = get(&plain, "k", NULL, NULL, &out, &info);
    assert_true(llabs(a.server_time - now) < 60);
    assert_true(llabs(info.server_time - now) < 60);
    a = head(&plain, "k", NULL, &info);
    assert_true(llabs(a.server_time - now) < 60);
    assert_true(llabs(info.server_time - now) < 60);
    a = head(&plain, "nothing", NULL, NULL);
    assert_true(llabs(a.server_time - now) < 60);
    a = removed(&plain, "k", NULL, false);
    assert_true(llabs(a.server_time - now) < 60);
}

static void body_of_any_size_survives(void **state)
{
    static const size_t sizes[] = { 0, 1, 1 << 20, OBJ_BODY_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        AUTO_MEM uint8_t *body = make_body(sizes[i], (unsigned)i);
        AUTO_BUF struct buf out = buf_init(sizes[i]);
        struct obj_info info = { 0 };
        assert_outcome(
            put_as(&plain, "size", span_of(body, sizes[i]), NULL, &info),
            OBJ_OK);
        assert_int_equal(info.size, sizes[i]);
        assert_outcome(get(&plain, "size", NULL, NULL, &out, &info), OBJ_OK);
        assert_int_equal(info.size, sizes[i]);
        assert_true(span_eq(buf_span(&out), span_of(body, sizes[i])));
        assert_outcome(head(&plain, "size", NULL, &info), OBJ_OK);
        assert_int_equal(info.size, sizes[i]);
    }
}

static void second_put_replaces_the_first(void **state)
{
    struct obj_info before = { 0 };
    struct obj_info after = { 0 };

    (void)state;
    must_put(&plain, "k", "the first and longer");
    assert_outcome(head(&plain, "k", NULL, &before), OBJ_OK);
    must_put(&plain, "k", "second");
    assert_holds(&plain, "k", NULL, "second");
    assert_outcome(head(&plain, "k", NULL, &after), OBJ_OK);
    assert_string_not_equal(before.etag, after.etag);
}

static void what_is_not_there_is_absent(void **state)
{
    AUTO_BUF struct buf out = buf_init(100);

    (void)state;
    assert_outcome(get(&plain, "nothing", NULL, NULL, &out, NULL), OBJ_ABSENT);
    assert_int_equal(out.len, 0);
    assert_outcome(head(&plain, "nothing", NULL, NULL), OBJ_ABSENT);
    must_put(&plain, "a/b", "x");
    /* Neither the beginning of a key nor what would lie below it. */
    assert_outcome(head(&plain, "a", NULL, NULL), OBJ_ABSENT);
    assert_outcome(head(&plain, "a/b/c", NULL, NULL), OBJ_ABSENT);
    assert_outcome(get(&plain, "a", NULL, NULL, &out, NULL), OBJ_ABSENT);
    assert_outcome(get(&plain, "a/b/c", NULL, NULL, &out, NULL), OBJ_ABSENT);
}

static void object_larger_than_the_buffer_is_refused(void **state)
{
    AUTO_BUF struct buf out = buf_init(9);

    (void)state;
    must_put(&plain, "k", "0123456789");
    struct obj_attempt a = get(&plain, "k", NULL, NULL, &out, NULL);
    assert_outcome(a, OBJ_LOCAL);
    assert_int_equal(a.err.kind, ERR_CORRUPT);
    assert_int_equal(out.len, 0);
}

static void long_keys_are_kept(void **state)
{
    char name[OBJ_KEY_MAX + 1];
    size_t room = OBJ_KEY_MAX - strlen(plain.prefix);
    AUTO_LISTING struct listing l = { 0 };

    (void)state;
    memset(name, 'n', sizeof name);
    for (size_t i = 200; i < room - 1; i += 201)
        name[i] = '/';
    name[room] = '\0';
    must_put(&plain, name, "as long as it may be");
    assert_holds(&plain, name, NULL, "as long as it may be");
    list(&plain, "", NULL, &l);
    assert_int_equal(l.n, 1);
    assert_string_equal(l.rows[0].name, name);
    assert_outcome(removed(&plain, name, NULL, false), OBJ_OK);
    memset(name, 'n', 255);
    name[255] = '\0';
    must_put(&plain, name, "one component");
    assert_holds(&plain, name, NULL, "one component");
}

static const struct test tests[] = {
    TEST(object_comes_back_with_its_properties, 0),
    TEST(attempt_says_what_went_over_the_line, 0),
    TEST(answers_carry_the_servers_time, CAP_CLOCK),
    TEST(body_of_any_size_survives, 0),
    TEST(second_put_replaces_the_first, 0),
    TEST(what_is_not_there_is_absent, 0),
    TEST(object_larger_than_the_buffer_is_refused, 0),
    TEST(long_keys_are_kept, 0),
};
THEME(theme_objects, "objects");

// SPDX-License-Identifier: Apache-2.0
/* What all documents share: version first, one encoding only. */
#include "manifest/canon.h"
#include "tests/unit/manifest/mf_test.h"

static int version_of(const char *text, struct err *e)
{
    *e = (struct err){ 0 };
    AUTO_JSON struct json_doc *doc =
        json_parse(span_str(text), JSON_STRICT, ERR_CORRUPT, e);

    if (doc == NULL)
        return -1;
    return mf_canon_version(doc, "objvault", "manifest x", e);
}

static void version_one_is_known_and_later_ones_are_named(void **state)
{
    (void)state;
    struct err e;

    assert_int_equal(version_of("{\"objvault\":1,\"x\":2}", &e), 0);
    assert_int_equal(version_of("{\"x\":2,\"objvault\":12}", &e), -1);
    assert_err(&e, ERR_UNSUPPORTED, "manifest x has format version 12");
    assert_int_equal(version_of("{\"objvault\":0}", &e), -1);
    assert_err(&e, ERR_CORRUPT, "objvault");
    assert_int_equal(version_of("{\"objvault\":9007199254740993}", &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
    assert_int_equal(version_of("{}", &e), -1);
    assert_err(&e, ERR_CORRUPT, "objvault");
    assert_int_equal(version_of("[1]", &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
}

static int compare(const char *given, const char *again, struct err *e)
{
    AUTO_BUF struct buf b = buf_init(strlen(given));

    *e = (struct err){ 0 };
    buf_append_str(&b, again);
    return mf_canon_check(span_str(given), &b, e);
}

static void the_first_difference_is_named(void **state)
{
    (void)state;
    struct err e;

    assert_int_equal(compare("abc", "abc", &e), 0);
    assert_int_equal(compare("abc", "abd", &e), -1);
    assert_err(&e, ERR_CORRUPT, "from byte 2 on");
    assert_int_equal(compare("abc", "ab", &e), -1);
    assert_err(&e, ERR_CORRUPT, "from byte 2 on");
    assert_int_equal(compare("abc", "abcd", &e), -1);
    assert_int_equal(e.kind, ERR_CORRUPT);
}

static void lack_of_memory_is_not_taken_for_damage(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct buf b = { .failed = true, .nomem = true };

    assert_int_equal(mf_canon_check(span_str("x"), &b, &e), -1);
    assert_int_equal(e.kind, ERR_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_one_is_known_and_later_ones_are_named),
        cmocka_unit_test(the_first_difference_is_named),
        cmocka_unit_test(lack_of_memory_is_not_taken_for_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

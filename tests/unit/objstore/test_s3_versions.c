// SPDX-License-Identifier: Apache-2.0
//
// The S3 driver's versions and delete markers on a real server; skipped where
// the environment names none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "s3_real.h"

#define D obj_s3_driver

static void versions_are_listed_newest_first_over_pages(void **state)
{
    AUTO_BUF struct buf keys = buf_init(10000);
    struct obj_list_opts o = { .versions = true, .page = 2 };
    struct obj_req r = real_req("v/a");
    struct obj_attempt a = { 0 };

    (void)state;
    struct obj_info first = real_put(real.versions, "v/a", "1");
    struct obj_info second = real_put(real.versions, "v/a", "2");
    assert_string_not_equal(first.version, second.version);
    D.remove(real.versions, &r, false, &a);
    assert_outcome(&a, OBJ_OK);
    real_put(real.versions, "v/b+ c", "3");
    real_put(real.versions, "v/d", "4");
    assert_int_equal(real_list(real.versions, "v/", &o, &keys), 3);
    assert_string_equal(buf_cstr(&keys), "v/a marker;v/a old;v/a old;"
                                         "v/b+ c latest;v/d latest;");
    buf_reset(&keys);
    o.after = "v/b+ c";
    assert_int_equal(real_list(real.versions, "v/", &o, &keys), 1);
    assert_string_equal(buf_cstr(&keys), "v/d latest;");
}

static void version_is_read_though_a_marker_hides_it(void **state)
{
    struct obj_req r = real_req("hidden");
    struct obj_attempt a = { 0 };
    struct obj_page page = { 0 };
    const struct obj_list_opts versions = { .versions = true };
    struct obj_info info;
    char got[100];

    (void)state;
    struct obj_info put = real_put(real.versions, "hidden", "still there");
    D.remove(real.versions, &r, false, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(real_get(real.versions, &r, NULL, got, sizeof got),
                     OBJ_ABSENT);
    D.head(real.versions, &r, &info, &a);
    assert_outcome(&a, OBJ_ABSENT);

    struct obj_req old = real_version("hidden", put.version);
    assert_int_equal(real_get(real.versions, &old, NULL, got, sizeof got),
                     OBJ_OK);
    assert_string_equal(got, "still there");
    D.head(real.versions, &old, &info, &a);
    assert_outcome(&a, OBJ_OK);
    assert_string_equal(info.version, put.version);

    /* The marker itself can be named, but not be read; taking it away brings
     * the object back. */
    D.list(real.versions, &r, &versions, &page, &a);
    assert_outcome(&a, OBJ_OK);
    assert_int_equal(page.n, 2);
    assert_true(page.entries[0].info.delete_marker);
    struct obj_req marker =
        real_version("hidden", page.entries[0].info.version);
    assert_int_equal(real_get(real.versions, &marker, NULL, got, sizeof got),
                     OBJ_ABSENT);
    D.head(real.versions, &marker, &info, &a);
    assert_outcome(&a, OBJ_ABSENT);
    D.remove(real.versions, &marker, false, &a);
    assert_outcome(&a, OBJ_OK);
    obj_page_clear(&page);
    assert_int_equal(real_get(real.versions, &r, NULL, got, sizeof got),
                     OBJ_OK);
    struct obj_req unknown =
        real_version("hidden", "11111111-2222-3333-4444-555555555555");
    assert_int_equal(real_get(real.versions, &unknown, NULL, got, sizeof got),
                     OBJ_ABSENT);
    D.remove(real.versions, &unknown, false, &a);
    assert_outcome(&a, OBJ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_listed_newest_first_over_pages),
        cmocka_unit_test(version_is_read_though_a_marker_hides_it),
    };

    if (!real_wanted())
        return 77;
    return cmocka_run_group_tests(tests, real_setup, real_teardown);
}

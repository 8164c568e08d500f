// SPDX-License-Identifier: Apache-2.0
//
// Which lifecycle rules of a bucket concern a repository.
#include "objstore/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static bool touched(const char *rules, const char *prefix, const char *rule)
{
    AUTO_BUF struct buf doc = buf_init(4096);
    struct obj_lifecycle l = { 0 };
    struct err e = { 0 };

    buf_printf(&doc,
               "<LifecycleConfiguration" NS ">%s</LifecycleConfiguration>",
               rules);
    assert_int_equal(obj_xml_lifecycle(buf_span(&doc), prefix, &l, &e), 0);
    if (l.touches)
        assert_string_equal(l.rule, rule);
    return l.touches;
}

#define RULE(filter, action)                                                   \
    "<Rule><ID>r</ID><Status>Enabled</Status>" filter action "</Rule>"
#define AFTER_A_DAY "<Expiration><Days>1</Days></Expiration>"

static void lifecycle_touches_what_its_prefix_meets(void **state)
{
    (void)state;
    assert_true(touched(RULE("", AFTER_A_DAY), "a/b", "r"));
    assert_true(touched(RULE("<Prefix>a</Prefix>", AFTER_A_DAY), "a/b", "r"));
    assert_true(touched(
        RULE("<Filter><Prefix>a/b/plain</Prefix></Filter>", AFTER_A_DAY), "a/b",
        "r"));
    assert_true(touched(RULE("<Filter><And><Prefix>a/b</Prefix>"
                             "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>"
                             "</And></Filter>",
                             AFTER_A_DAY),
                        "a/b", "r"));
    assert_true(touched(RULE("<Prefix>logs/</Prefix>", AFTER_A_DAY), "", "r"));
    assert_false(
        touched(RULE("<Prefix>logs/</Prefix>", AFTER_A_DAY), "a/b", ""));
    /* "a/bc" begins with "a/b" and is another place. */
    assert_false(
        touched(RULE("<Prefix>a/bc</Prefix>", AFTER_A_DAY), "a/b", ""));
}

static void lifecycle_counts_what_does_harm(void **state)
{
    static const char *const harmful[] = {
        RULE("", "<Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>"),
        RULE("", "<NoncurrentVersionExpiration><NoncurrentDays>3"
                 "</NoncurrentDays></NoncurrentVersionExpiration>"),
        RULE("", "<Transition><Days>1</Days><StorageClass>GLACIER"
                 "</StorageClass></Transition>"),
        RULE("", "<SomethingNew><Days>1</Days></SomethingNew>"),
        RULE("<Prefix>logs/</Prefix>", AFTER_A_DAY) RULE("", AFTER_A_DAY),
    };
    static const char *const harmless[] = {
        "",
        RULE("", "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7"
                 "</DaysAfterInitiation></AbortIncompleteMultipartUpload>"),
        RULE("", "<Expiration><ExpiredObjectDeleteMarker>true"
                 "</ExpiredObjectDeleteMarker></Expiration>"),
        RULE("<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>",
             AFTER_A_DAY),
        "<Rule><ID>off</ID><Status>Disabled</Status>" AFTER_A_DAY "</Rule>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof harmful / sizeof harmful[0]; i++)
        assert_true(touched(harmful[i], "p", "r"));
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        assert_false(touched(harmless[i], "p", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lifecycle_touches_what_its_prefix_meets),
        cmocka_unit_test(lifecycle_counts_what_does_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

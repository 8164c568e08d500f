// SPDX-License-Identifier: Apache-2.0
/* Finding by a part of a name. */
#include "tests/unit/engine/inventory/look.h"

#include "engine/inventory/find.h"

static int found(const char *part, const char *name, const char *folder)
{
    struct err e = { 0 };
    AUTO_MEM char *vm_name = strdup(name);
    AUTO_MEM char *container_name = strdup(folder);
    struct eng_container c = { ENG_FOLDER, container_name, 1 };
    struct eng_vm vm = { .name = vm_name, .containers = &c, .n_containers = 1 };
    AUTO_ENG_FIND struct eng_find f;
    assert_int_equal(eng_find_init(&f, part, &e), 0);
    int r = eng_find_vm(&f, &vm, &e);
    assert_true(r >= 0);
    assert_int_equal(
        eng_find_container(&f, &c, &e),
        eng_find_vm(&f, &(struct eng_vm){ .name = container_name }, &e));
    return r;
}

static void a_part_of_a_name_or_container_is_found_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(found("WEB", "web1", "x"), 1);
    assert_int_equal(found("eb", "WEB1", "x"), 1);
    assert_int_equal(found("prod/", "web1", "Prod/Web"), 1);
    assert_int_equal(found("", "web1", "x"), 1);
    assert_int_equal(found("db", "web1", "x"), 0);
    assert_int_equal(found("web12", "web1", "web"), 0);
}

static void case_is_that_of_all_alphabets(void **state)
{
    (void)state;
    assert_int_equal(found("B\xc3\x9c"
                           "RO",
                           "b\xc3\xbcro", "x"),
                     1);
    /* Cyrillic, Greek, and a letter whose lower case has fewer bytes. */
    assert_int_equal(
        found("\xd0\xa1\xd0\x95\xd0\xa0", "x", "\xd1\x81\xd0\xb5\xd1\x80"), 1);
    assert_int_equal(found("\xce\xa9", "\xcf\x89", "x"), 1);
    assert_int_equal(found("\xe2\x84\xaa", "k", "x"), 1);
    assert_int_equal(found("\xf0\x90\x90\x80", "\xf0\x90\x90\xa8", "x"), 1);
}

static void bytes_that_are_not_utf8_are_compared_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(found("A\xff", "xa\xff", "x"), 1);
    assert_int_equal(found("\xfe", "a\xff", "x"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_of_a_name_or_container_is_found_in_any_case),
        cmocka_unit_test(case_is_that_of_all_alphabets),
        cmocka_unit_test(bytes_that_are_not_utf8_are_compared_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* What the text of a place may be. */
#include "tests/unit/engine/inventory/look.h"

static void a_folder_is_named_by_one_text(void **state)
{
    (void)state;
    AUTO_ENG_PLACE struct eng_place p = place_of("dir:/srv/vms//");
    assert_int_equal(p.kind, ENG_PLACE_FOLDER);
    assert_string_equal(p.text, "dir:/srv/vms");
    assert_string_equal(p.path, "/srv/vms");
    assert_null(p.uri);
    AUTO_ENG_PLACE struct eng_place root = place_of("dir:/");
    assert_string_equal(root.path, "/");
}

static void a_uri_without_a_driver_is_qemus(void **state)
{
    static const char *const same[][2] = {
        { "libvirt:///system", "qemu:///system" },
        { "libvirt:qemu:///session", "qemu:///session" },
        { "libvirt:qemu+unix:///system?socket=/run/x",
          "qemu+unix:///system?socket=/run/x" },
        { "libvirt:test:///default", "test:///default" },
        { "libvirt:xen:///", "xen:///" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        AUTO_ENG_PLACE struct eng_place p = place_of(same[i][0]);
        assert_int_equal(p.kind, ENG_PLACE_LIBVIRT);
        assert_string_equal(p.uri, same[i][1]);
        assert_null(p.path);
        AUTO_ENG_PLACE struct eng_place again = place_of(p.text);
        assert_string_equal(again.text, p.text);
    }
}

static void what_is_no_place_is_refused_by_name(void **state)
{
    static const char *const bad[][2] = {
        { "", "empty" },
        { "/srv/vms", "/srv/vms: is neither dir:/path nor libvirt:URI" },
        { "dir:vms", "vms: the path must be absolute" },
        { "dir:", "the path must be absolute" },
        { "dir:/a/../b", "\"..\"" },
        { "dir:/a//b", "is empty" },
        { "dir:/a\nb", "control characters" },
        { "dir:/a\xff", "not UTF-8" },
        { "libvirt:", "is no URI" },
        { "libvirt:qemu", "is no URI" },
        { "libvirt:qemu:/system", "is no URI" },
        { "libvirt:+ssh:///system", "is no URI" },
        { "libvirt:qemu+ssh://h/system", "run objvault there" },
        { "libvirt:qemu+ssh:///system", "another host" },
        { "libvirt:qemu+unixes:///system", "another host" },
        { "libvirt:qemu://h/system", "with qemu:///system" },
        { "libvirt:qemu://h", "with qemu:///system" },
        { "libvirt://h/session", "with qemu:///session" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct eng_place p;
        struct err e = { 0 };
        if (eng_place_parse(bad[i][0], &p, &e) == 0)
            fail_msg("%s was taken", bad[i][0]);
        assert_err(&e, ERR_USAGE, bad[i][1]);
        assert_null(p.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_named_by_one_text),
        cmocka_unit_test(a_uri_without_a_driver_is_qemus),
        cmocka_unit_test(what_is_no_place_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Object names. */
#include "base/digest.h"
#include "manifest/name.h"
#include "manifest/objkey.h"
#include "tests/unit/manifest/mf_test.h"

#define FILE_NAME "20261122T100000Z-ba7816bf8f01cfea.json" /* of "abc" */
#define TIME 1795341600

static void objects_lie_in_the_folder_of_their_first_byte(void **state)
{
    (void)state;
    struct mf_id id = id_of_hex(HEX_B);

    assert_string_equal(mf_key_block("plain", &id).s, "plain/blocks/01/" HEX_B);
    assert_string_equal(mf_key_page("k-0123456789abcdef", &id).s,
                        "k-0123456789abcdef/pages/01/" HEX_B);
    assert_string_equal(mf_key_blocks_prefix("plain", -1).s, "plain/blocks/");
    assert_string_equal(mf_key_blocks_prefix("plain", 0).s, "plain/blocks/00/");
    assert_string_equal(mf_key_blocks_prefix("plain", 255).s,
                        "plain/blocks/ff/");
    assert_string_equal(mf_key_pages_prefix("plain", 10).s, "plain/pages/0a/");
    assert_string_equal(mf_key_pages_prefix("plain", -1).s, "plain/pages/");
    assert_string_equal(mf_key_points_prefix("plain", NULL).s, "plain/points/");
    assert_string_equal(mf_key_points_prefix("plain", "vm").s,
                        "plain/points/vm/");
    assert_string_equal(mf_key_point("plain", "vm", FILE_NAME).s,
                        "plain/points/vm/" FILE_NAME);
    assert_string_equal(mf_key_keeps_prefix("plain", NULL).s, "plain/keep/");
    assert_string_equal(mf_key_keeps_prefix("plain", "vm").s, "plain/keep/vm/");
    assert_string_equal(mf_key_keep("plain", "vm", FILE_NAME).s,
                        "plain/keep/vm/" FILE_NAME);
}

static void a_mark_is_named_like_its_manifest(void **state)
{
    (void)state;
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];

    assert_true(mf_key_parse_keep("plain/keep/B_C3_BCro/" FILE_NAME, "plain",
                                  vm_key, file));
    assert_string_equal(vm_key, "B_C3_BCro");
    assert_string_equal(file, FILE_NAME);
    assert_false(
        mf_key_parse_keep("plain/points/a/" FILE_NAME, "plain", vm_key, file));
    assert_false(mf_key_parse_keep("plain/keep/a/x", "plain", vm_key, file));
}

static void folders_are_told_from_objects_and_other_names(void **state)
{
    (void)state;
    static const char *const folders[] = {
        "plain",          "plain/blocks",    "plain/blocks/ab", "plain/pages",
        "plain/pages/00", "plain/points",    "plain/points/vm", "plain/keep",
        "plain/keep/a-b", "plain/points/_2E"
    };
    static const char *const others[] = { "",
                                          "plai",
                                          "plain2",
                                          "plain/",
                                          "plain/other",
                                          "plain/blocks2",
                                          "plain/blocks/",
                                          "plain/blocks/a",
                                          "plain/blocks/AB",
                                          "plain/blocks/abc",
                                          "plain/blocks/01/" HEX_B,
                                          "plain/points/",
                                          "plain/points/.x",
                                          "plain/points/a b",
                                          "plain/points/a/" FILE_NAME,
                                          "k-1/points",
                                          "objvault.json" };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        assert_true(mf_key_is_folder(folders[i], "plain"));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(mf_key_is_folder(others[i], "plain"));
}

static void names_of_folders_of_slots_are_told(void **state)
{
    (void)state;
    static const char *const folders[] = { "keysets",
                                           "keysets/k-0123456789abcdef",
                                           "keysets/k-0123456789abcdef/slots" };
    static const char *const others[] = { "",
                                          "keyset",
                                          "keysets2",
                                          "keysets/",
                                          "keysets/k-0123456789abcde",
                                          "keysets/k-0123456789ABCDEF",
                                          "keysets/k-0123456789abcdef0",
                                          "keysets/k-0123456789abcdef/",
                                          "keysets/k-0123456789abcdef/slots/",
                                          "keysets/plain",
                                          "plain" };

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        assert_true(mf_key_is_slot_folder(folders[i]));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(mf_key_is_slot_folder(others[i]));
}

static void a_name_that_does_not_fit_is_no_name(void **state)
{
    (void)state;
    char big[MF_KEY_CHARS];
    struct mf_id id;

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_string_equal(mf_key_points_prefix("plain", big).s, "");
    assert_false(mf_key_parse_block("plain/blocks/01/" HEX_B, big, &id));
}

static void ids_come_back_from_names(void **state)
{
    (void)state;
    struct mf_id want = id_of_hex(HEX_B);
    struct mf_id id = { 0 };

    assert_true(mf_key_parse_block("plain/blocks/01/" HEX_B, "plain", &id));
    assert_true(mf_id_eq(&id, &want));
    assert_true(mf_key_parse_page("k-1/pages/01/" HEX_B, "k-1", &id));
    assert_true(mf_id_eq(&id, &want));
}

static void names_that_are_not_ours_are_junk(void **state)
{
    (void)state;
    static const char *const junk[] = {
        "",
        "plain/blocks/",
        "plain/blocks/01",
        "plain/blocks/01/",
        "plain/blocks/02/" HEX_B,
        "plain/blocks/01/" HEX_B "0",
        "plain/blocks/01/" HEX_B "/",
        "plain/blocks/01-" HEX_B,
        "plain/blocks/01/0123456789ABCDEF0123456789abcdef0123456789abcdef"
        "0123456789abcdef",
        "plain/block/01/" HEX_B,
        "plain/pages/01/" HEX_B,
        "plainx/blocks/01/" HEX_B,
        "/plain/blocks/01/" HEX_B,
        "blocks/01/" HEX_B,
        "k-0/blocks/01/" HEX_B,
    };
    struct mf_id id;

    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        if (mf_key_parse_block(junk[i], "plain", &id))
            fail_msg("%s was taken", junk[i]);
    }
    assert_false(mf_key_parse_page("plain/blocks/01/" HEX_B, "plain", &id));
}

static void points_names_come_apart(void **state)
{
    (void)state;
    static const char *const junk[] = {
        "plain/points/" FILE_NAME,          "plain/points//" FILE_NAME,
        "plain/points/../" FILE_NAME,       "plain/points/.a/" FILE_NAME,
        "plain/points/a b/" FILE_NAME,      "plain/points/a/b/" FILE_NAME,
        "plain/points/a/" FILE_NAME ".tmp", "plain/points/a/",
        "plain/keep/a/" FILE_NAME,          "k-1/points/a/" FILE_NAME,
    };
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];
    char big[MF_KEY_CHARS];

    assert_true(mf_key_parse_point("plain/points/B_C3_BCro.1-/" FILE_NAME,
                                   "plain", vm_key, file));
    assert_string_equal(vm_key, "B_C3_BCro.1-");
    assert_string_equal(file, FILE_NAME);
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        if (mf_key_parse_point(junk[i], "plain", vm_key, file))
            fail_msg("%s was taken", junk[i]);
    }
    (void)snprintf(big, sizeof(big), "plain/points/%0*d/" FILE_NAME, 200, 1);
    assert_true(mf_key_parse_point(big, "plain", vm_key, file));
    (void)snprintf(big, sizeof(big), "plain/points/%0*d/" FILE_NAME, 201, 1);
    assert_false(mf_key_parse_point(big, "plain", vm_key, file));
}

static void vm_names_become_keys_and_come_back(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "web-1.example", "web-1.example" },
        { "a", "a" },
        { ".", "_2E" },
        { "..", "_2E." },
        { ".hidden db", "_2Ehidden_20db" },
        { "B\xc3\xbcro_3", "B_C3_BCro_5F3" },
        { "a/b", "a_2Fb" },
        { "A\x01\xff", "A_01_FF" },
        { "x@y:z~", "x_40y_3Az_7E" },
    };
    struct err e = { 0 };
    char key[MF_VMKEY_CHARS];
    char name[MF_VMKEY_CHARS];

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_int_equal(mf_vmkey_encode(pairs[i][0], key, &e), 0);
        assert_string_equal(key, pairs[i][1]);
        assert_true(mf_vmkey_decode(key, name));
        assert_string_equal(name, pairs[i][0]);
    }
}

static void keys_that_no_name_makes_do_not_decode(void **state)
{
    (void)state;
    static const char *const bad[] = { "",     "_",   "_4", "_4g", "_2f",
                                       "_00",  "_41", ".a", "a b", "a/b",
                                       "a_2E", "_G0", "x_" };
    char name[MF_VMKEY_CHARS];
    char big[300];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (mf_vmkey_decode(bad[i], name))
            fail_msg("%s was taken as %s", bad[i], name);
    }
    memset(big, ' ', sizeof(big));
    big[100] = '\0';
    assert_false(mf_vmkey_decode(big, name));
    memset(big, 'x', sizeof(big));
    big[200] = '\0';
    assert_true(mf_vmkey_decode(big, name));
    big[200] = 'x';
    big[201] = '\0';
    assert_false(mf_vmkey_decode(big, name));
}

static void long_names_are_cut_and_told_apart(void **state)
{
    (void)state;
    struct err e = { 0 };
    char name[MF_NAME_MAX + 2];
    char key[MF_VMKEY_CHARS];
    char other[MF_VMKEY_CHARS];
    char back[MF_VMKEY_CHARS];
    uint8_t hash[DIGEST_SHA256_BYTES];
    char hex[17];

    memset(name, 'x', sizeof(name));
    name[200] = '\0';
    assert_int_equal(mf_vmkey_encode(name, key, &e), 0);
    assert_string_equal(key, name); /* 200 still fit */

    name[200] = 'x';
    name[201] = '\0';
    assert_int_equal(mf_vmkey_encode(name, key, &e), 0);
    assert_int_equal(strlen(key), 137);
    assert_memory_equal(key, name, 120);
    assert_int_equal(digest_sha256(span_str(name), hash, &e), 0);
    digest_hex(span_of(hash, 8), hex);
    assert_int_equal(key[120], '-');
    assert_string_equal(key + 121, hex);
    assert_false(mf_vmkey_decode(key, back));

    name[200] = 'y';
    assert_int_equal(mf_vmkey_encode(name, other, &e), 0);
    assert_string_not_equal(key, other);

    /* Names of that length that are no cut keys stay as they are. */
    name[137] = '\0';
    assert_int_equal(mf_vmkey_encode(name, other, &e), 0);
    assert_string_equal(other, name);
    name[120] = '-';
    assert_int_equal(mf_vmkey_encode(name, other, &e), 0);
    assert_string_equal(other, name);

    /* A name that is another's cut key does not get that key. */
    assert_int_equal(mf_vmkey_encode(key, other, &e), 0);
    assert_int_equal(strlen(other), 137);
    assert_string_not_equal(key, other);
}

static void names_that_escape_to_many_bytes_are_cut_too(void **state)
{
    (void)state;
    struct err e = { 0 };
    char name[MF_NAME_MAX + 2];
    char key[MF_VMKEY_CHARS];

    memset(name, ' ', sizeof(name));
    name[66] = '\0';
    assert_int_equal(mf_vmkey_encode(name, key, &e), 0);
    assert_int_equal(strlen(key), 198);
    name[66] = ' ';
    name[67] = '\0';
    assert_int_equal(mf_vmkey_encode(name, key, &e), 0);
    assert_int_equal(strlen(key), 137);
    name[67] = ' ';
    name[MF_NAME_MAX] = '\0';
    assert_int_equal(mf_vmkey_encode(name, key, &e), 0);
    assert_int_equal(strlen(key), 137);
    name[MF_NAME_MAX] = ' ';
    name[MF_NAME_MAX + 1] = '\0';
    assert_int_equal(mf_vmkey_encode(name, key, &e), -1);
    assert_err(&e, ERR_USAGE, "1025");
    assert_int_equal(mf_vmkey_encode("", key, &e), -1);
    assert_err(&e, ERR_USAGE, "1 to 1024 bytes");
}

static void a_manifests_name_holds_its_time_and_hash(void **state)
{
    (void)state;
    struct err e = { 0 };
    char file[MF_POINT_FILE_CHARS];
    int64_t time = 0;
    uint8_t hash[8];

    assert_int_equal(mf_point_file(TIME, span_str("abc"), file, &e), 0);
    assert_string_equal(file, FILE_NAME);
    assert_true(mf_point_file_parse(file, &time, hash));
    assert_int_equal(time, TIME);
    assert_memory_equal(hash, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);

    assert_int_equal(mf_point_file(-1, span_str("abc"), file, &e), -1);
    assert_err(&e, ERR_INTERNAL, "out of range");
    assert_int_equal(mf_point_file(253402300800, span_str("abc"), file, &e),
                     -1);
    assert_err(&e, ERR_INTERNAL, "out of range");
}

static void other_file_names_are_not_manifests(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "20261122T100000Z-ba7816bf8f01cfea",
        "20261122T100000Z-ba7816bf8f01cfea.jsn",
        "20261122T100000Z-ba7816bf8f01cfeA.json",
        "20261122T100000Z-ba7816bf8f01cfe.json",
        "20261122T100000Z_ba7816bf8f01cfea.json",
        "20261322T100000Z-ba7816bf8f01cfea.json",
        "20261122T100000z-ba7816bf8f01cfea.json",
        "20261122T100000Z-ba7816bf8f01cfea.json.json",
        "20261122T100000Z-ba7816bf8f01cfea.jsom",
        "2026112-T100000Z-ba7816bf8f01cfea.json",
    };
    int64_t time;
    uint8_t hash[8];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (mf_point_file_parse(bad[i], &time, hash))
            fail_msg("%s was taken", bad[i]);
    }
}

static void a_manifest_is_checked_against_its_name(void **state)
{
    (void)state;
    struct err e = { 0 };

    assert_int_equal(mf_point_file_verify(FILE_NAME, span_str("abc"), &e), 0);
    assert_int_equal(mf_point_file_verify(FILE_NAME, span_str("abd"), &e), -1);
    assert_err(&e, ERR_CORRUPT, FILE_NAME);
    assert_int_equal(mf_point_file_verify("x.json", span_str("abc"), &e), -1);
    assert_err(&e, ERR_CORRUPT, "not a manifest's name");
}

#define SLOT_KEY                                                               \
    "keysets/k-0123456789abcdef/slots/00000042-fedcba9876543210.json"

static void names_of_slots_come_apart(void **state)
{
    (void)state;
    static const char *const junk[] = {
        "keysets/k-0123456789abcdef/slots/00000042-fedcba9876543210.jso",
        "keysets/k-0123456789abcdef/slots/00000042-fedcba9876543210.json1",
        "keysets/k-0123456789abcdef/slots/00000000-fedcba9876543210.json",
        "keysets/k-0123456789abcdef/slots/0000004x-fedcba9876543210.json",
        "keysets/k-0123456789abcdeF/slots/00000042-fedcba9876543210.json",
        "keysets/k-0123456789abcdef/slots/00000042-fedcba987654321g.json",
        "keysets/k-0123456789abcdef/slotx/00000042-fedcba9876543210.json",
        "keysetx/k-0123456789abcdef/slots/00000042-fedcba9876543210.json",
        "keysets/x-0123456789abcdef/slots/00000042-fedcba9876543210.json",
        "",
    };
    struct mf_slot_name n;

    assert_string_equal(
        mf_key_slot("k-0123456789abcdef", 42, "fedcba9876543210").s, SLOT_KEY);
    assert_string_equal(mf_key_slots_prefix(NULL).s, "keysets/");
    assert_string_equal(mf_key_slots_prefix("k-0123456789abcdef").s,
                        "keysets/k-0123456789abcdef/slots/");
    assert_true(mf_key_parse_slot(SLOT_KEY, &n));
    assert_string_equal(n.keyset, "k-0123456789abcdef");
    assert_int_equal(n.gen, 42);
    assert_string_equal(n.slot, "fedcba9876543210");
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        if (mf_key_parse_slot(junk[i], &n))
            fail_msg("taken: %s", junk[i]);
    }
}

static void only_encrypted_keysets_have_such_names(void **state)
{
    (void)state;
    assert_true(mf_keyset_ok("k-0123456789abcdef"));
    assert_false(mf_keyset_ok("plain"));
    assert_false(mf_keyset_ok("k-0123456789abcde"));
    assert_false(mf_keyset_ok("k-0123456789abcdef0"));
    assert_false(mf_keyset_ok("k-0123456789ABCDEF"));
    assert_false(mf_keyset_ok(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_lie_in_the_folder_of_their_first_byte),
        cmocka_unit_test(a_mark_is_named_like_its_manifest),
        cmocka_unit_test(folders_are_told_from_objects_and_other_names),
        cmocka_unit_test(names_of_folders_of_slots_are_told),
        cmocka_unit_test(a_name_that_does_not_fit_is_no_name),
        cmocka_unit_test(ids_come_back_from_names),
        cmocka_unit_test(names_that_are_not_ours_are_junk),
        cmocka_unit_test(points_names_come_apart),
        cmocka_unit_test(vm_names_become_keys_and_come_back),
        cmocka_unit_test(keys_that_no_name_makes_do_not_decode),
        cmocka_unit_test(long_names_are_cut_and_told_apart),
        cmocka_unit_test(names_that_escape_to_many_bytes_are_cut_too),
        cmocka_unit_test(a_manifests_name_holds_its_time_and_hash),
        cmocka_unit_test(other_file_names_are_not_manifests),
        cmocka_unit_test(a_manifest_is_checked_against_its_name),
        cmocka_unit_test(names_of_slots_come_apart),
        cmocka_unit_test(only_encrypted_keysets_have_such_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

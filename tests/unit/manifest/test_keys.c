// SPDX-License-Identifier: Apache-2.0
/* Keysets: ids, vm keys and seals.  The expected values were computed by
 * another implementation (Python's hmac, and AES-GCM of its package
 * `cryptography`). */
#include "manifest/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/digest.h"

#define REPO "000102030405060708090a0b0c0d0e0f"
#define KEYSET "k-0123456789abcdef"
#define BLOCK_ID                                                               \
    "6033ae421f57fa870a062c1ac85496a39d1950104ce04dc623439f5fed403cf3"

static struct mf_keys *derive(const char *repo, const char *keyset,
                              uint8_t first)
{
    struct err e = { 0 };
    uint8_t data_key[MF_DATA_KEY_BYTES];

    for (size_t i = 0; i < sizeof data_key; i++)
        data_key[i] = (uint8_t)(first + i);
    struct mf_keys *k =
        mf_keys_derive(repo, keyset, span_of(data_key, sizeof data_key), &e);
    if (k == NULL)
        fail_msg("%s", e.msg);
    return k;
}

static void id_is(const struct mf_keys *k, enum mf_object kind,
                  const char *want)
{
    struct err e = { 0 };
    struct mf_id id;
    char hex[MF_ID_CHARS];

    assert_int_equal(mf_keys_id(k, kind, span_str("hello"), &id, &e), 0);
    mf_id_hex(&id, hex);
    assert_string_equal(hex, want);
}

static void ids_and_vm_keys_are_macs_of_a_keyset(void **state)
{
    struct err e = { 0 };
    char vm[MF_VMKEY_CHARS];
    AUTO_MF_KEYS struct mf_keys *k = derive(REPO, KEYSET, 0);

    (void)state;
    assert_true(mf_keys_sealed(k));
    assert_string_equal(mf_keys_keyset(k), KEYSET);
    id_is(k, MF_OBJECT_BLOCK, BLOCK_ID);
    id_is(k, MF_OBJECT_PAGE,
          "42f4e43e200ca395d7e343d1e445fcf765c35e743b16496074207463f24b5442");
    assert_int_equal(mf_keys_vm_key(k, "web-1", vm, &e), 0);
    assert_string_equal(vm, "18c44c8f9b0af3eaf9f4e5c1cd172d3f");
    assert_int_equal(mf_keys_vm_key(k, "", vm, &e), -1);
    assert_int_equal(e.kind, ERR_USAGE);
}

static void plain_has_digests_and_names(void **state)
{
    struct err e = { 0 };
    char vm[MF_VMKEY_CHARS];
    AUTO_MF_KEYS struct mf_keys *k = mf_keys_plain(&e);

    (void)state;
    assert_false(mf_keys_sealed(k));
    assert_string_equal(mf_keys_keyset(k), "plain");
    id_is(k, MF_OBJECT_BLOCK,
          "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_int_equal(mf_keys_vm_key(k, "web-1", vm, &e), 0);
    assert_string_equal(vm, "web-1");
}

/* The same content shares no name with other repositories, keysets, keys. */
static void nothing_is_shared_between_keysets(void **state)
{
    struct err e = { 0 };
    struct mf_id id[4];
    AUTO_MF_KEYS struct mf_keys *a = derive(REPO, KEYSET, 0);
    AUTO_MF_KEYS struct mf_keys *b =
        derive("100102030405060708090a0b0c0d0e0f", KEYSET, 0);
    AUTO_MF_KEYS struct mf_keys *c = derive(REPO, "k-1123456789abcdef", 0);
    AUTO_MF_KEYS struct mf_keys *d = derive(REPO, KEYSET, 1);
    const struct mf_keys *all[] = { a, b, c, d };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(
            mf_keys_id(all[i], MF_OBJECT_BLOCK, span_str("hello"), &id[i], &e),
            0);
        for (size_t j = 0; j < i; j++)
            assert_false(mf_id_eq(&id[i], &id[j]));
    }
}

/* Appends the object that holds "frame". */
static void seal(const struct mf_keys *k, enum mf_object kind, struct span id,
                 struct buf *o)
{
    struct err e = { 0 };
    size_t at = mf_keys_seal_begin(k, o);

    buf_append_str(o, "frame");
    assert_int_equal(mf_keys_seal_end(k, kind, id, o, at, &e), 0);
}

static void opens(const struct mf_keys *k, enum mf_object kind,
                  const struct mf_id *id, struct span object, bool good)
{
    struct err e = { 0 };
    AUTO_BUF struct buf room = buf_init(1000);
    struct span content;
    int r = mf_keys_open(k, kind, mf_id_span(id), object, &room, &content, &e);

    if (good) {
        assert_int_equal(r, 0);
        assert_true(span_eq(content, span_str("frame")));
        assert_true(span_eq(content, buf_span(&room)));
    } else {
        assert_int_equal(r, -1);
        assert_int_equal(e.kind, ERR_CORRUPT);
        assert_int_equal(room.len, 0);
    }
}

static void an_object_of_another_implementation_opens(void **state)
{
    static const char hex[] =
        "4f56453101000102030405060708090a0b150f9b872624a0ccfd55f8e985b507f3d049"
        "edd8f6";
    uint8_t object[(sizeof hex - 1) / 2];
    struct mf_id id;
    AUTO_MF_KEYS struct mf_keys *k = derive(REPO, KEYSET, 0);

    (void)state;
    assert_true(digest_unhex(hex, strlen(hex), object, sizeof object));
    assert_true(mf_id_parse(BLOCK_ID, &id));
    opens(k, MF_OBJECT_BLOCK, &id, span_of(object, sizeof object), true);
}

static void a_seal_binds_every_byte_and_its_place(void **state)
{
    struct mf_id id;
    struct mf_id other;
    AUTO_BUF struct buf o = buf_init(1000);
    AUTO_MF_KEYS struct mf_keys *k = derive(REPO, KEYSET, 0);
    AUTO_MF_KEYS struct mf_keys *keyset = derive(REPO, "k-1123456789abcdef", 0);

    (void)state;
    assert_true(mf_id_parse(BLOCK_ID, &id));
    other = id;
    other.b[31] ^= 1;
    seal(k, MF_OBJECT_BLOCK, mf_id_span(&id), &o);
    assert_int_equal(o.len, 5 + MF_SEAL_BYTES);
    opens(k, MF_OBJECT_BLOCK, &id, buf_span(&o), true);
    opens(k, MF_OBJECT_PAGE, &id, buf_span(&o), false);
    opens(k, MF_OBJECT_BLOCK, &other, buf_span(&o), false);
    opens(keyset, MF_OBJECT_BLOCK, &id, buf_span(&o), false);
    for (size_t i = 0; i < o.len; i++) {
        o.p[i] ^= 1;
        opens(k, MF_OBJECT_BLOCK, &id, buf_span(&o), false);
        o.p[i] ^= 1;
        opens(k, MF_OBJECT_BLOCK, &id, span_of(o.p, i), false);
    }
}

static void two_seals_of_one_object_differ(void **state)
{
    AUTO_BUF struct buf o = buf_init(1000);
    AUTO_MF_KEYS struct mf_keys *k = derive(REPO, KEYSET, 0);

    (void)state;
    for (int i = 0; i < 2; i++)
        seal(k, MF_OBJECT_MANIFEST, span_str("vm/time"), &o);
    assert_memory_not_equal(o.p, o.p + o.len / 2, o.len / 2);
}

static void what_is_no_keyset_has_no_keys(void **state)
{
    struct err e = { 0 };
    uint8_t key[MF_DATA_KEY_BYTES] = { 0 };

    (void)state;
    assert_null(mf_keys_derive("short", KEYSET, span_of(key, sizeof key), &e));
    assert_null(mf_keys_derive(REPO, "plain", span_of(key, sizeof key), &e));
    assert_null(mf_keys_derive(REPO, KEYSET, span_of(key, 31), &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_vm_keys_are_macs_of_a_keyset),
        cmocka_unit_test(plain_has_digests_and_names),
        cmocka_unit_test(nothing_is_shared_between_keysets),
        cmocka_unit_test(an_object_of_another_implementation_opens),
        cmocka_unit_test(a_seal_binds_every_byte_and_its_place),
        cmocka_unit_test(two_seals_of_one_object_differ),
        cmocka_unit_test(what_is_no_keyset_has_no_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

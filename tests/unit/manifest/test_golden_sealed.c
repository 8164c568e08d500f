// SPDX-License-Identifier: Apache-2.0
/* Golden files of an encrypted keyset in format version 1, made by another
 * implementation.  GOLDEN_DIR is where they lie. */
#include "base/io.h"
#include "manifest/block.h"
#include "manifest/page.h"
#include "manifest/point.h"
#include "manifest/slot.h"
#include "tests/unit/manifest/mf_test.h"

#define REPO "000102030405060708090a0b0c0d0e0f"
#define KEYSET "k-0123456789abcdef"
#define BS 262144u
#define VM_KEY "ee00d29e4eea7772fa5dd02d3ab6b5c0"
#define POINT "20260103T000000Z-273d3011a05dbb0d.json"
#define PAGE "e8dc47da913b8e73c82c7c437c36576791488e4e3da33c66405b73b444da21ce"

static void load(const char *name, struct buf *out)
{
    struct err e = { 0 };
    AUTO_MEM char *path = io_join(GOLDEN_DIR "/sealed", name, &e);

    assert_non_null(path);
    buf_reset(out);
    if (io_read_file(path, out, &e) < 0)
        fail_msg("%s", e.msg);
}

static void load_object(struct mf_key key, struct buf *out)
{
    struct err e = { 0 };
    AUTO_MEM char *name = io_join("repository", key.s, &e);

    assert_non_null(name);
    load(name, out);
}

static void slots_are_read_and_written_alike(void **state)
{
    (void)state;
    static const struct {
        const char *slot;
        uint32_t gen;
        enum mf_slot_type type;
    } all[] = { { "00000000000000a1", 1, MF_SLOT_PASSWORD },
                { "00000000000000a1", 2, MF_SLOT_PASSWORD },
                { "00000000000000b2", 1, MF_SLOT_RECOVERY },
                { "00000000000000c3", 1, MF_SLOT_KMS },
                { "00000000000000d4", 1, MF_SLOT_PASSWORD },
                { "00000000000000d4", 2, MF_SLOT_REMOVED } };

    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct err e = { 0 };
        struct mf_slot s;
        AUTO_BUF struct buf in = buf_init(MF_SLOT_JSON_MAX);
        AUTO_BUF struct buf out = buf_init(MF_SLOT_JSON_MAX);
        struct mf_key key = mf_key_slot(KEYSET, all[i].gen, all[i].slot);

        load_object(key, &in);
        if (mf_slot_decode(buf_span(&in), &s, &e) < 0 ||
            mf_slot_verify(&s, REPO, key.s, &e) < 0)
            fail_msg("%s: %s", key.s, e.msg);
        assert_int_equal(s.type, all[i].type);
        assert_int_equal(mf_slot_encode(&s, &out, &e), 0);
        assert_true(span_eq(buf_span(&in), buf_span(&out)));
        assert_int_equal(mf_slot_proven(&s, k, &e), 1);
    }
}

static struct mf_point *point(const struct mf_keys *k)
{
    struct err e = { 0 };
    char vm_key[MF_VMKEY_CHARS];
    struct span json;
    AUTO_BUF struct buf in = buf_init(1u << 20);
    AUTO_BUF struct buf room = buf_init(1u << 20);
    AUTO_BUF struct buf golden = buf_init(1u << 20);

    load_object(mf_key_point(KEYSET, VM_KEY, POINT), &in);
    load("manifest.json", &golden);
    assert_int_equal(mf_keys_vm_key(k, "secret-vm_1", vm_key, &e), 0);
    assert_string_equal(vm_key, VM_KEY);
    assert_int_equal(mf_point_is_sealed(buf_span(&in), &e), 0);
    if (mf_point_open(k, VM_KEY, POINT, buf_span(&in), &room, &json, &e) < 0)
        fail_msg("%s", e.msg);
    assert_true(span_eq(json, buf_span(&golden)));
    return mf_point_unseal(k, VM_KEY, POINT, buf_span(&in), &e);
}

static void page(const struct mf_keys *k, struct zst *z,
                 const struct mf_point *p, struct mf_entry m[4])
{
    struct err e = { 0 };
    char hex[MF_ID_CHARS];
    const struct mf_id *id = &p->disks[0].pages[0].id;
    AUTO_BUF struct buf object = buf_init(1u << 20);
    AUTO_BUF struct buf json = buf_init(MF_PAGE_JSON_MAX);
    AUTO_BUF struct buf golden = buf_init(MF_PAGE_JSON_MAX);

    mf_id_hex(id, hex);
    assert_string_equal(hex, PAGE);
    load_object(mf_key_page(KEYSET, id), &object);
    load("page.json", &golden);
    if (mf_page_open(k, z, buf_span(&object), id, &json, &e) < 0 ||
        mf_page_decode(buf_span(&json), m, 4, BS, 100000, &e) < 0)
        fail_msg("%s", e.msg);
    assert_true(span_eq(buf_span(&json), buf_span(&golden)));
}

static size_t block(const struct mf_keys *k, struct zst *z,
                    const struct mf_id *id, uint8_t *out)
{
    struct err e = { 0 };
    size_t len = 0;
    AUTO_BUF struct buf object = buf_init(1u << 20);

    load_object(mf_key_block(KEYSET, id), &object);
    if (mf_block_decode(k, z, buf_span(&object), id, out, BS, &len, &e) < 0)
        fail_msg("%s", e.msg);
    return len;
}

static void a_point_opens_down_to_its_blocks(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_entry m[4] = { 0 };
    struct mf_id id;
    AUTO_MF_KEYS struct mf_keys *k = sealed_keys(0);
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_MEM uint8_t *base = malloc(BS);
    AUTO_MEM uint8_t *over = malloc(BS);
    AUTO_MF_POINT struct mf_point *p = point(k);

    assert_non_null(p);
    assert_non_null(base);
    assert_non_null(over);
    page(k, z, p, m);
    assert_int_equal(block(k, z, &m[0].id, base), BS);
    assert_memory_equal(base, "A unit 00\n", 10);
    assert_int_equal(m[1].kind, MF_ZERO);
    assert_int_equal(block(k, z, &m[3].id, base), 100000);
    /* `whole` is an id of the keyset, as that of any block. */
    assert_int_equal(block(k, z, &m[2].id, base), BS);
    size_t n = block(k, z, &m[2].over, over);
    assert_int_equal(mf_entry_compose(&m[2], BS, base, BS, over, n, &e), 0);
    assert_int_equal(mf_keys_id(k, MF_OBJECT_BLOCK, span_of(base, BS), &id, &e),
                     0);
    assert_true(m[2].has_whole && mf_id_eq(&id, &m[2].whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_read_and_written_alike),
        cmocka_unit_test(a_point_opens_down_to_its_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

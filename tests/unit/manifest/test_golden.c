// SPDX-License-Identifier: Apache-2.0
/* Golden files of format version 1: what was stored once is read for ever, and
 * canonical documents are written in the same bytes.  GOLDEN_DIR is where they
 * lie. */
#include "base/io.h"
#include "manifest/block.h"
#include "manifest/descriptor.h"
#include "manifest/objkey.h"
#include "manifest/page.h"
#include "manifest/point.h"
#include "tests/unit/manifest/mf_test.h"

#define BS 262144u
#define UNIT 4096u
#define VM_KEY "B_C3_BCro_5F3"
#define FULL "20260101T000000Z-65f1d085433486b6.json"
#define INCREMENTAL "20260102T123456Z-1e4dfa98db773c21.json"
#define BLOCK_A                                                                \
    "a0203890398aa03e1fb445b6a3667937bf2e3f5a51f4dcc7d57db3b6e37bc21d"
#define BLOCK_B                                                                \
    "050a7463cac25e31df0b33551acbb11bcff9fb607b4eb9904210783fdd057ea4"
#define BLOCK_C                                                                \
    "fc1075999940e54b944beedbd056359d5e722f0d08c2c1814339dcefb2e9ca58"
#define OVER_A                                                                 \
    "2e956eadc6ce18b44e8012e0645d4698b1586d44977ad9b0988742b871a0903a"
#define PAGE_OVER                                                              \
    "41c06ebbea75ca5a424dc9e606ea527fe6dda56145ae744274389dddcc2c629b"
#define PAGE_LONG                                                              \
    "29467c9953a3005f44801e3af1837eeccda2ed0c217240ac5bba28210ecd9d15"

static void load(const char *name, struct buf *out)
{
    struct err e = { 0 };
    AUTO_MEM char *path = io_join(GOLDEN_DIR, name, &e);

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

static void assert_same(const struct buf *a, const struct buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->p, b->p, a->len);
}

static void descriptors_are_read_and_written_alike(void **state)
{
    (void)state;
    static const char *const names[] = { "descriptor.json",
                                         "repository/objvault.json",
                                         "descriptor-locked.json" };
    struct mf_descriptor d = { 0 };

    for (size_t i = 0; i < 3; i++) {
        struct err e = { 0 };
        AUTO_BUF struct buf in = buf_init(MF_DESCRIPTOR_JSON_MAX);
        AUTO_BUF struct buf out = buf_init(MF_DESCRIPTOR_JSON_MAX);

        load(names[i], &in);
        if (mf_descriptor_decode(buf_span(&in), &d, &e) < 0)
            fail_msg("%s: %s", names[i], e.msg);
        assert_int_equal(d.locked, i == 2);
        assert_int_equal(mf_descriptor_encode(&d, &out, &e), 0);
        assert_same(&in, &out);
    }
    assert_string_equal(d.id, "ffeeddccbbaa99887766554433221100");
    assert_int_equal(d.block_size, MF_BLOCK_DEFAULT);
    assert_int_equal(d.mode, MF_LOCK_COMPLIANCE);
    assert_int_equal(d.immutability_s, 1209600);
    assert_int_equal(d.scope, MF_SCOPE_RETENTION);
    assert_int_equal(d.generation_s, 864000);
}

/* Reads a manifest, checks its name, writes it again; owned by the caller. */
static struct mf_point *point(const char *file)
{
    struct err e = { 0 };
    AUTO_BUF struct buf in = buf_init(1u << 20);
    AUTO_BUF struct buf out = buf_init(1u << 20);
    char name[MF_POINT_FILE_CHARS];
    char vm_key[MF_VMKEY_CHARS];

    load_object(mf_key_point(MF_KEYSET_PLAIN, VM_KEY, file), &in);
    assert_int_equal(mf_point_file_verify(file, buf_span(&in), &e), 0);
    struct mf_point *p = mf_point_decode(buf_span(&in), &e);
    if (p == NULL)
        fail_msg("%s", e.msg);
    assert_int_equal(mf_point_encode(p, &out, &e), 0);
    assert_same(&in, &out);
    assert_int_equal(mf_point_file(p->time, buf_span(&out), name, &e), 0);
    assert_string_equal(name, file);
    assert_int_equal(mf_vmkey_encode(p->vm.name, vm_key, &e), 0);
    assert_string_equal(vm_key, VM_KEY);
    return p;
}

static void manifests_are_read_and_written_alike(void **state)
{
    (void)state;
    AUTO_MF_POINT struct mf_point *full = point(FULL);
    AUTO_MF_POINT struct mf_point *inc = point(INCREMENTAL);

    assert_string_equal(full->vm.name, "B\xc3\xbcro_3");
    assert_string_equal(full->vm.source,
                        "dir:/vms/B\xc3\xbcro \"3\"\\\t\x01\x7f/");
    assert_int_equal(full->kind, MF_FULL);
    assert_int_equal(full->n_disks, 2);
    assert_int_equal(full->disks[0].n_pages, 2);
    assert_true(full->disks[0].pages[0].zero);
    assert_null(full->disks[1].bus);
    assert_int_equal(inc->kind, MF_INCREMENTAL);
    assert_string_equal(inc->parent, FULL);
    assert_int_equal(inc->chain, full->time);
    assert_int_equal(inc->consistency, MF_FS);
    assert_int_equal(inc->retention.monthly, 12);
    assert_int_equal(inc->gfs, MF_GFS_WEEKLY | MF_GFS_YEARLY);
    assert_int_equal(inc->locked_until - inc->time, 14 * 86400);
    assert_int_equal(inc->files[0].mode, 0640);
    assert_int_equal(inc->n_files, 2);
    assert_int_equal(inc->files[1].n_pages, 1);
}

/* Opens a stored page, reads n entries, and writes the same JSON again, which
 * is also the one of the golden file (NULL: there is none). */
static void page(const char *hex, const char *file, struct mf_entry *m,
                 size_t n, uint32_t last_len)
{
    struct err e = { 0 };
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_BUF struct buf object = buf_init(1u << 20);
    AUTO_BUF struct buf json = buf_init(MF_PAGE_JSON_MAX);
    AUTO_BUF struct buf again = buf_init(MF_PAGE_JSON_MAX);
    AUTO_BUF struct buf golden = buf_init(MF_PAGE_JSON_MAX);
    struct mf_id id = id_of_hex(hex);

    assert_non_null(z);
    load_object(mf_key_page(MF_KEYSET_PLAIN, &id), &object);
    if (mf_page_open(plain_keys(), z, buf_span(&object), &id, &json, &e) < 0 ||
        mf_page_decode(buf_span(&json), m, n, BS, last_len, &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(mf_page_encode(m, n, &again, &e), 0);
    assert_same(&json, &again);
    load(file, &golden);
    assert_same(&json, &golden);
}

static void pages_are_read_and_written_alike(void **state)
{
    (void)state;
    struct mf_entry m[MF_PAGE_ENTRIES];
    struct mf_id a = id_of_hex(BLOCK_A);
    struct mf_id b = id_of_hex(BLOCK_B);
    struct mf_id over = id_of_hex(OVER_A);

    page(PAGE_LONG, "page-29467c99.json", m, MF_PAGE_ENTRIES, BS);
    assert_true(mf_page_is_zero(m, MF_PAGE_ENTRIES - 1));
    assert_int_equal(m[1023].kind, MF_WHOLE);
    assert_true(mf_id_eq(&m[1023].id, &b));

    page(PAGE_OVER, "page-41c06ebb.json", m, 3, 100000);
    assert_true(mf_id_eq(&m[0].id, &a) && mf_id_eq(&m[0].over, &over));
    assert_true(m[0].has_whole);
    assert_true(m[0].units == ((1ull << 63) | 5));
    assert_true(!m[1].has_base && m[1].has_over && !m[1].has_whole);
    assert_true(m[1].units == 1u << 5);
    assert_true(m[2].has_base && !m[2].has_over);
    assert_true(m[2].units == (1u << 1 | 1u << 24));
}

/* The block's content by the rule in the folder's README. */
static void assert_letter(const uint8_t *p, size_t len, char letter)
{
    char line[16];

    for (size_t i = 0; i < len; i++) {
        int n = snprintf(line, sizeof(line), "%c unit %02zu\n", letter,
                         i / UNIT % 64);
        if (p[i] != (uint8_t)line[i % UNIT % (size_t)n])
            fail_msg("byte %zu of block %c is wrong", i, letter);
    }
}

static size_t block(const char *hex, uint8_t *out)
{
    struct err e = { 0 };
    AUTO_ZST struct zst *z = zst_new(&e);
    AUTO_BUF struct buf object = buf_init(1u << 20);
    struct mf_id id = id_of_hex(hex);
    size_t len = 0;

    assert_non_null(z);
    load_object(mf_key_block(MF_KEYSET_PLAIN, &id), &object);
    if (mf_block_decode(plain_keys(), z, buf_span(&object), &id, out, BS, &len,
                        &e) < 0)
        fail_msg("%s", e.msg);
    return len;
}

static void blocks_are_read(void **state)
{
    (void)state;
    AUTO_MEM uint8_t *p = malloc(BS);

    assert_non_null(p);
    assert_int_equal(block(BLOCK_A, p), BS);
    assert_letter(p, BS, 'A');
    assert_int_equal(block(BLOCK_B, p), BS);
    assert_letter(p, BS, 'B');
    assert_int_equal(block(BLOCK_C, p), 100000);
    assert_letter(p, 100000, 'C');
}

static void a_composed_block_has_its_whole_id(void **state)
{
    (void)state;
    struct err e = { 0 };
    struct mf_entry m[3];
    struct mf_id id;
    AUTO_MEM uint8_t *p = malloc(BS);
    AUTO_MEM uint8_t *over = malloc(BS);

    assert_true(p != NULL && over != NULL);
    page(PAGE_OVER, "page-41c06ebb.json", m, 3, 100000);
    assert_int_equal(block(BLOCK_A, p), BS);
    size_t len = block(OVER_A, over);
    assert_int_equal(mf_entry_compose(&m[0], BS, p, BS, over, len, &e), 0);
    assert_int_equal(mf_id_of(span_of(p, BS), &id, &e), 0);
    assert_true(mf_id_eq(&id, mf_entry_content(&m[0])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_read_and_written_alike),
        cmocka_unit_test(manifests_are_read_and_written_alike),
        cmocka_unit_test(pages_are_read_and_written_alike),
        cmocka_unit_test(blocks_are_read),
        cmocka_unit_test(a_composed_block_has_its_whole_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

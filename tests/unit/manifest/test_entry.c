// SPDX-License-Identifier: Apache-2.0
/* Map entries: units and composing. */
#include "manifest/block.h"
#include "manifest/entry.h"
#include "tests/unit/manifest/mf_test.h"

#define BS MF_BLOCK_MIN /* units of 4,096 bytes */
#define UNIT (BS / MF_UNITS)

static void a_full_block_has_64_units_and_a_short_one_fewer(void **state)
{
    (void)state;
    assert_int_equal(mf_unit_count(BS, BS), 64);
    assert_int_equal(mf_unit_count(BS, BS - 1), 64);
    assert_int_equal(mf_unit_count(BS, BS - UNIT), 63);
    assert_int_equal(mf_unit_count(BS, UNIT + 1), 2);
    assert_int_equal(mf_unit_count(BS, 1), 1);
    assert_int_equal(mf_unit_len(BS, BS, 63), UNIT);
    assert_int_equal(mf_unit_len(BS, BS - 1, 62), UNIT);
    assert_int_equal(mf_unit_len(BS, BS - 1, 63), UNIT - 1);
    assert_int_equal(mf_unit_len(BS, 1, 0), 1);
    assert_int_equal(mf_unit_len(MF_BLOCK_MAX, MF_BLOCK_MAX, 63), 131072);
}

static void a_mask_has_the_bytes_of_its_units(void **state)
{
    (void)state;
    struct err e = { 0 };
    uint32_t n = 0;

    assert_int_equal(mf_units_bytes(5, BS, BS, &n, &e), 0);
    assert_int_equal(n, 2 * UNIT);
    assert_int_equal(mf_units_bytes(UINT64_MAX, BS, BS, &n, &e), 0);
    assert_int_equal(n, BS);
    assert_int_equal(mf_units_bytes(UINT64_MAX, BS, BS - 1, &n, &e), 0);
    assert_int_equal(n, BS - 1);
    assert_int_equal(mf_units_bytes(1ull << 63, BS, BS - 1, &n, &e), 0);
    assert_int_equal(n, UNIT - 1);
    assert_int_equal(mf_units_bytes(2, BS, UNIT + 7, &n, &e), 0);
    assert_int_equal(n, 7);
}

static void a_mask_of_nothing_or_past_the_end_is_corrupt(void **state)
{
    (void)state;
    struct err e = { 0 };
    uint32_t n = 0;

    assert_int_equal(mf_units_bytes(0, BS, BS, &n, &e), -1);
    assert_err(&e, ERR_CORRUPT, "no unit");
    assert_int_equal(mf_units_bytes(4, BS, 2 * UNIT, &n, &e), -1);
    assert_err(&e, ERR_CORRUPT, "past the end");
    assert_int_equal(mf_units_bytes(1ull << 63, BS, BS - UNIT, &n, &e), -1);
    assert_err(&e, ERR_CORRUPT, "past the end");
    assert_int_equal(mf_units_bytes(1, BS, 0, &n, &e), -1);
    assert_err(&e, ERR_CORRUPT, "past the end");
}

static void the_content_id_is_that_of_the_whole_block(void **state)
{
    (void)state;
    struct mf_entry zero = { .kind = MF_ZERO };
    struct mf_entry whole = { .kind = MF_WHOLE, .id = id_of_hex(HEX_A) };
    struct mf_entry over = { .kind = MF_OVER,
                             .has_base = true,
                             .id = id_of_hex(HEX_A),
                             .whole = id_of_hex(HEX_B) };

    assert_null(mf_entry_content(&zero));
    assert_ptr_equal(mf_entry_content(&whole), &whole.id);
    assert_null(mf_entry_content(&over));
    over.has_whole = true;
    assert_ptr_equal(mf_entry_content(&over), &over.whole);
}

static void entries_are_equal_when_all_that_counts_is(void **state)
{
    (void)state;
    struct mf_entry a = { .kind = MF_ZERO, .id = id_of_hex(HEX_A) };
    struct mf_entry b = { .kind = MF_ZERO };

    assert_true(mf_entry_eq(&a, &b)); /* ids of zeros do not count */
    a.kind = MF_WHOLE;
    assert_false(mf_entry_eq(&a, &b));
    b.kind = MF_WHOLE;
    assert_false(mf_entry_eq(&a, &b));
    b.id = a.id;
    assert_true(mf_entry_eq(&a, &b));

    a = (struct mf_entry){ .kind = MF_OVER,
                           .has_base = true,
                           .has_over = true,
                           .has_whole = true,
                           .units = 1,
                           .id = id_of_hex(HEX_A),
                           .over = id_of_hex(HEX_B),
                           .whole = id_of_hex(HEX_C) };
    b = a;
    assert_true(mf_entry_eq(&a, &b));
    b.units = 2;
    assert_false(mf_entry_eq(&a, &b));
    b = a;
    b.id.b[5] ^= 1;
    assert_false(mf_entry_eq(&a, &b));
    b = a;
    b.over.b[5] ^= 1;
    assert_false(mf_entry_eq(&a, &b));
    b = a;
    b.whole.b[5] ^= 1;
    assert_false(mf_entry_eq(&a, &b));
    b.has_whole = false;
    assert_false(mf_entry_eq(&a, &b));
    a.has_whole = false;
    assert_true(mf_entry_eq(&a, &b)); /* an unset id does not count */
}

/* Block of 2 units and 7 bytes, full of 1; units 0 and 2 replaced. */
static void composing_lays_units_over_the_base(void **state)
{
    (void)state;
    struct err e = { 0 };
    const uint32_t len = 2 * UNIT + 7;
    AUTO_MEM uint8_t *block = malloc(len);
    AUTO_MEM uint8_t *over = malloc(UNIT + 7);
    struct mf_entry m = {
        .kind = MF_OVER, .has_base = true, .has_over = true, .units = 5
    };

    assert_true(block != NULL && over != NULL);
    memset(block, 1, len);
    memset(over, 2, UNIT);
    memset(over + UNIT, 3, 7);
    assert_int_equal(mf_entry_compose(&m, BS, block, len, over, UNIT + 7, &e),
                     0);
    for (uint32_t i = 0; i < len; i++) {
        int want = i < UNIT ? 2 : i < 2 * UNIT ? 1 : 3;
        if (block[i] != want)
            fail_msg("byte %u is %d", i, block[i]);
    }
}

static void composing_without_an_overlay_makes_zeros(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_MEM uint8_t *block = malloc(BS);
    struct mf_entry m = { .kind = MF_OVER, .has_base = true, .units = 2 };

    assert_non_null(block);
    memset(block, 1, BS);
    assert_int_equal(mf_entry_compose(&m, BS, block, BS, NULL, 0, &e), 0);
    for (uint32_t i = 0; i < BS; i++)
        assert_int_equal(block[i], i / UNIT == 1 ? 0 : 1);
}

static void composing_refuses_an_overlay_of_another_length(void **state)
{
    (void)state;
    struct err e = { 0 };
    AUTO_MEM uint8_t *block = calloc(1, BS);
    AUTO_MEM uint8_t *over = calloc(1, BS);
    struct mf_entry m = { .kind = MF_OVER, .has_over = true, .units = 3 };

    assert_int_equal(
        mf_entry_compose(&m, BS, block, BS, over, 2 * UNIT - 1, &e), -1);
    assert_err(&e, ERR_CORRUPT, "overlay has 8191 bytes");
    assert_int_equal(
        mf_entry_compose(&m, BS, block, BS, over, 2 * UNIT + 1, &e), -1);
    assert_err(&e, ERR_CORRUPT, "overlay has 8193 bytes");
    assert_int_equal(mf_entry_compose(&m, BS, block, UNIT, over, 2 * UNIT, &e),
                     -1);
    assert_err(&e, ERR_CORRUPT, "past the end");
}

static void composing_what_is_not_composed_is_a_bug(void **state)
{
    (void)state;
    struct err e = { 0 };
    uint8_t block[1] = { 0 };
    struct mf_entry whole = { .kind = MF_WHOLE };
    struct mf_entry over = { .kind = MF_OVER, .has_over = true, .units = 1 };

    assert_int_equal(mf_entry_compose(&whole, BS, block, 1, NULL, 0, &e), -1);
    assert_err(&e, ERR_INTERNAL, "cannot be composed");
    assert_int_equal(mf_entry_compose(&over, BS, block, 1, NULL, 0, &e), -1);
    assert_err(&e, ERR_INTERNAL, "cannot be composed");
    over.has_over = false;
    assert_int_equal(mf_entry_compose(&over, BS, block, 1, block, 1, &e), -1);
    assert_err(&e, ERR_INTERNAL, "cannot be composed");
}

/* Composing what was gathered gives the block again, whatever the units and
 * the block's length. */
static void gathering_is_the_inverse_of_composing(void **state)
{
    (void)state;
    struct err e = { 0 };
    static const uint32_t lens[] = { BS, BS - 1, 5 * UNIT + 17, UNIT, 9 };
    static const uint64_t masks[] = { 1, 2, 0x8000000000000001, UINT64_MAX,
                                      0x5a5a5a5a5a5a5a5a };
    AUTO_MEM uint8_t *block = malloc(BS);
    AUTO_MEM uint8_t *moved = malloc(BS);
    AUTO_MEM uint8_t *base = malloc(BS);

    for (uint32_t i = 0; i < BS; i++)
        block[i] = (uint8_t)(i * 31 + i / UNIT);
    for (size_t n = 0; n < 25; n++) {
        uint32_t len = lens[n / 5];
        unsigned count = mf_unit_count(BS, len);
        uint64_t units = masks[n % 5];
        if (count < 64)
            units &= (UINT64_C(1) << count) - 1;
        if (units == 0)
            continue;
        memcpy(moved, block, len);
        memcpy(base, block, len);
        for (unsigned u = 0; u < count; u++)
            if ((units >> u & 1) != 0)
                memset(base + (size_t)u * UNIT, 0xee, mf_unit_len(BS, len, u));
        uint32_t got = mf_units_gather(units, BS, moved, len);
        struct mf_entry m = { .kind = MF_OVER,
                              .has_over = true,
                              .units = units };
        assert_int_equal(mf_entry_compose(&m, BS, base, len, moved, got, &e),
                         0);
        assert_memory_equal(base, block, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_block_has_64_units_and_a_short_one_fewer),
        cmocka_unit_test(a_mask_has_the_bytes_of_its_units),
        cmocka_unit_test(a_mask_of_nothing_or_past_the_end_is_corrupt),
        cmocka_unit_test(the_content_id_is_that_of_the_whole_block),
        cmocka_unit_test(entries_are_equal_when_all_that_counts_is),
        cmocka_unit_test(composing_lays_units_over_the_base),
        cmocka_unit_test(composing_without_an_overlay_makes_zeros),
        cmocka_unit_test(composing_refuses_an_overlay_of_another_length),
        cmocka_unit_test(composing_what_is_not_composed_is_a_bug),
        cmocka_unit_test(gathering_is_the_inverse_of_composing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

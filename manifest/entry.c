// SPDX-License-Identifier: Apache-2.0
/* Map entries: comparing them, the arithmetic of units, and laying an overlay
 * over its base. */
#include "manifest/entry.h"

#include <string.h>

#include "base/checked.h"
#include "manifest/block.h"

static bool same_id(bool has_a, const struct mf_id *a, bool has_b,
                    const struct mf_id *b)
{
    return has_a == has_b && (!has_a || mf_id_eq(a, b));
}

bool mf_entry_eq(const struct mf_entry *a, const struct mf_entry *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == MF_ZERO)
        return true;
    if (a->kind == MF_WHOLE)
        return mf_id_eq(&a->id, &b->id);
    return a->units == b->units &&
           same_id(a->has_base, &a->id, b->has_base, &b->id) &&
           same_id(a->has_over, &a->over, b->has_over, &b->over) &&
           same_id(a->has_whole, &a->whole, b->has_whole, &b->whole);
}

unsigned mf_unit_count(uint32_t block_size, uint32_t block_len)
{
    return (unsigned)checked_div_up(block_len, block_size / MF_UNITS);
}

uint32_t mf_unit_len(uint32_t block_size, uint32_t block_len, unsigned i)
{
    uint32_t unit = block_size / MF_UNITS;
    return (uint32_t)checked_min(unit, block_len - i * unit);
}

int mf_units_bytes(uint64_t units, uint32_t block_size, uint32_t block_len,
                   uint32_t *bytes, struct err *e)
{
    unsigned count = mf_unit_count(block_size, block_len);
    uint64_t past = count >= MF_UNITS ? 0 : ~UINT64_C(0) << count;

    if (units == 0)
        return err_set(e, ERR_CORRUPT, 0, "no unit is set");
    if ((units & past) != 0)
        return err_set(e, ERR_CORRUPT, 0,
                       "a unit past the end of a block of %u bytes is set",
                       block_len);
    *bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        if ((units >> i & 1) != 0)
            *bytes += mf_unit_len(block_size, block_len, i);
    }
    return 0;
}

const struct mf_id *mf_entry_content(const struct mf_entry *m)
{
    if (m->kind == MF_WHOLE)
        return &m->id;
    if (m->kind == MF_OVER && m->has_whole)
        return &m->whole;
    return NULL;
}

int mf_entry_compose(const struct mf_entry *m, uint32_t block_size,
                     uint8_t *block, uint32_t block_len, const uint8_t *over,
                     size_t over_len, struct err *e)
{
    uint32_t need = 0;

    if (m->kind != MF_OVER || m->has_over != (over != NULL))
        return err_set(e, ERR_INTERNAL, 0,
                       "this map entry cannot be composed so");
    if (mf_units_bytes(m->units, block_size, block_len, &need, e) < 0)
        return -1;
    if (over != NULL && over_len != need)
        return err_set(e, ERR_CORRUPT, 0,
                       "overlay has %zu bytes where its units have %u",
                       over_len, need);

    uint32_t unit = block_size / MF_UNITS;
    unsigned count = mf_unit_count(block_size, block_len);
    for (unsigned i = 0; i < count; i++) {
        if ((m->units >> i & 1) == 0)
            continue;
        uint32_t len = mf_unit_len(block_size, block_len, i);
        uint8_t *at = block + (size_t)i * unit;
        if (over == NULL) {
            memset(at, 0, len);
        } else {
            memcpy(at, over, len);
            over += len;
        }
    }
    return 0;
}

uint32_t mf_units_gather(uint64_t units, uint32_t block_size, uint8_t *block,
                         uint32_t block_len)
{
    uint32_t unit = block_size / MF_UNITS;
    unsigned count = mf_unit_count(block_size, block_len);
    uint32_t done = 0;

    for (unsigned i = 0; i < count; i++) {
        if ((units >> i & 1) == 0)
            continue;
        uint32_t len = mf_unit_len(block_size, block_len, i);
        memmove(block + done, block + (size_t)i * unit, len);
        done += len;
    }
    return done;
}

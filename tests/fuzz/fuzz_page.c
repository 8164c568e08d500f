// SPDX-License-Identifier: Apache-2.0
/* Pages.  Input: number of entries - 1 (2 bytes, little-endian, mod 1,024),
 * block size (1 byte, 256 KiB << n mod 6), length of the last block - 1 (3
 * bytes, little-endian, mod block size), then the JSON.  What decodes is
 * canonical, and its unit masks fit their blocks. */
#include <string.h>

#include "manifest/block.h"
#include "manifest/page.h"
#include "tests/fuzz/fuzz_mf.h"

#define HEADER 6

static struct mf_entry entries[MF_PAGE_ENTRIES];

static void check_entries(size_t n, uint32_t block_size, uint32_t last_len)
{
    for (size_t i = 0; i < n; i++) {
        const struct mf_entry *m = &entries[i];
        uint32_t len = i + 1 < n ? block_size : last_len;
        uint32_t bytes = 0;
        struct err e = { 0 };

        MUST(mf_entry_eq(m, m));
        if (m->kind != MF_OVER)
            continue;
        MUST(m->has_base || m->has_over);
        MUST(mf_units_bytes(m->units, block_size, len, &bytes, &e) == 0);
        MUST(bytes > 0 && bytes <= len);
    }
}

/* The JSON as a stored page, and the input as an object that somebody stored.
 */
static void check_objects(struct span json, struct span object)
{
    static struct zst *z; /* lives as long as the program */
    struct err e = { 0 };
    struct mf_id id;
    AUTO_BUF struct buf sealed = buf_init(mf_object_max(MF_PAGE_JSON_MAX));
    AUTO_BUF struct buf back = buf_init(MF_PAGE_JSON_MAX);

    if (z == NULL)
        z = zst_new(&e);
    MUST(z != NULL);
    MUST(mf_page_seal(plain_keys(), z, json, &id, &sealed, &e) == 0);
    MUST(mf_page_open(plain_keys(), z, buf_span(&sealed), &id, &back, &e) == 0);
    MUST(span_eq(buf_span(&back), json));
    MUST(mf_page_open(plain_keys(), z, object, &id, &back, &e) < 0);
    MUST(e.kind == ERR_CORRUPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER)
        return 0;
    size_t n = (size_t)(data[0] | data[1] << 8) % MF_PAGE_ENTRIES + 1;
    uint32_t block_size = MF_BLOCK_MIN << data[2] % 6;
    uint32_t last_len =
        (uint32_t)(data[3] | data[4] << 8 | data[5] << 16) % block_size + 1;
    struct span json = span_of(data + HEADER, size - HEADER);
    struct err e = { 0 };

    if (mf_page_decode(json, entries, n, block_size, last_len, &e) < 0) {
        MUST(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
        return 0;
    }
    AUTO_BUF struct buf again = buf_init(MF_PAGE_JSON_MAX);
    MUST(mf_page_encode(entries, n, &again, &e) == 0);
    MUST(span_eq(buf_span(&again), json));
    check_entries(n, block_size, last_len);
    check_objects(json, span_of(data, size));
    return 0;
}

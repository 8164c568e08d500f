// SPDX-License-Identifier: Apache-2.0
/* Sealed objects.  The input is an object, which nobody can make without the
 * key: it is refused.  It is a block's plaintext too: it comes back, but not
 * with a byte of its object changed (which one, and how, the input says). */
#include <string.h>

#include "manifest/block.h"
#include "manifest/page.h"
#include "tests/fuzz/fuzz_mf.h"

#define CAP MF_BLOCK_MIN

static uint8_t back[CAP];

static void as_object(struct zst *z, struct span in)
{
    struct err e = { 0 };
    const struct mf_id id = { { 1 } };
    size_t len = 0;
    AUTO_BUF struct buf json = buf_init(MF_PAGE_JSON_MAX);

    MUST(mf_block_decode(sealed_keys(), z, in, &id, back, CAP, &len, &e) < 0);
    MUST(e.kind == ERR_CORRUPT);
    MUST(mf_page_open(sealed_keys(), z, in, &id, &json, &e) < 0);
    MUST(e.kind == ERR_CORRUPT && json.len == 0);
}

static void as_plaintext(struct zst *z, struct span in)
{
    const struct mf_keys *k = sealed_keys();
    struct err e = { 0 };
    struct mf_id id;
    size_t len = 0;
    AUTO_BUF struct buf object = buf_init(mf_object_max(in.len));

    if (in.len < 3 || in.len > CAP)
        return;
    MUST(mf_keys_id(k, MF_OBJECT_BLOCK, in, &id, &e) == 0);
    MUST(mf_block_encode(k, z, 1, &id, in, &object, &e) == 0);
    MUST(mf_block_decode(k, z, buf_span(&object), &id, back, CAP, &len, &e) ==
         0);
    MUST(span_eq(span_of(back, len), in));
    size_t at = (size_t)(in.p[0] | in.p[1] << 8) % object.len;
    object.p[at] ^= in.p[2] == 0 ? 1 : in.p[2];
    MUST(mf_block_decode(k, z, buf_span(&object), &id, back, CAP, &len, &e) <
         0);
    MUST(e.kind == ERR_CORRUPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zst *z; /* lives as long as the program */
    struct err e = { 0 };

    if (z == NULL)
        z = zst_new(&e);
    MUST(z != NULL);
    as_object(z, span_of(data, size));
    as_plaintext(z, span_of(data, size));
    return 0;
}

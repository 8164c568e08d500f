// SPDX-License-Identifier: Apache-2.0
/* Block objects.  The input is an object: it decodes under the id of its
 * content and under no other.  It is a plaintext too: it comes back. */
#include <string.h>

#include "manifest/block.h"
#include "tests/fuzz/fuzz_mf.h"

#define CAP MF_BLOCK_MIN

static uint8_t content[CAP];
static uint8_t back[CAP];

static void as_object(struct zst *z, struct span in)
{
    struct err e = { 0 };
    struct mf_id id = { 0 };
    size_t len = 0;
    size_t again = 0;

    MUST(mf_block_decode(plain_keys(), z, in, &id, back, CAP, &again, &e) < 0);
    MUST(e.kind == ERR_CORRUPT);
    if (zst_decompress(z, in, content, CAP, &len, &e) < 0)
        return;
    MUST(mf_id_of(span_of(content, len), &id, &e) == 0);
    if (mf_block_decode(plain_keys(), z, in, &id, back, CAP, &again, &e) < 0) {
        MUST(len == 0 || in.len > mf_object_max(CAP));
        return;
    }
    MUST(again == len && memcmp(content, back, len) == 0);
    id.b[0] ^= 1;
    MUST(mf_block_decode(plain_keys(), z, in, &id, back, CAP, &again, &e) < 0);
}

static void as_plaintext(struct zst *z, struct span in)
{
    struct err e = { 0 };
    struct mf_id id;
    size_t len = 0;
    AUTO_BUF struct buf object = buf_init(mf_object_max(in.len));

    if (in.len == 0 || in.len > CAP)
        return;
    MUST(mf_id_of(in, &id, &e) == 0);
    MUST(mf_block_encode(plain_keys(), z, (int)(in.p[0] % 8) - 3, &id, in,
                         &object, &e) == 0);
    MUST(mf_block_decode(plain_keys(), z, buf_span(&object), &id, back, in.len,
                         &len, &e) == 0);
    MUST(span_eq(span_of(back, len), in));
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

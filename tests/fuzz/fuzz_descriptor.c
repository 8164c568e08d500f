// SPDX-License-Identifier: Apache-2.0
/* Descriptors: what decodes is canonical. */
#include "manifest/descriptor.h"
#include "tests/fuzz/fuzz_mf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    struct mf_descriptor d;
    AUTO_BUF struct buf again = buf_init(MF_DESCRIPTOR_JSON_MAX);

    if (mf_descriptor_decode(span_of(data, size), &d, &e) < 0) {
        MUST(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
        return 0;
    }
    MUST(mf_descriptor_encode(&d, &again, &e) == 0);
    MUST(span_eq(buf_span(&again), span_of(data, size)));
    return 0;
}

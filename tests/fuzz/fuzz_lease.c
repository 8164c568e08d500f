// SPDX-License-Identifier: Apache-2.0
/* Leases: what decodes is canonical. */
#include "engine/repo/lease.h"
#include "tests/fuzz/fuzz_mf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    struct eng_lease l = { 0 };
    AUTO_BUF struct buf again = buf_init(ENG_LEASE_BYTES_MAX);

    if (eng_lease_decode(span_of(data, size), &l, &e) < 0) {
        MUST(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
        return 0;
    }
    MUST(eng_lease_encode(&l, &again, &e) == 0);
    MUST(span_eq(buf_span(&again), span_of(data, size)));
    return 0;
}

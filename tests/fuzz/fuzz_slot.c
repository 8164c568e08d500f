// SPDX-License-Identifier: Apache-2.0
/* Key slots: what decodes is canonical, and within the limits that whoever
 * opens it relies on. */
#include "manifest/slot.h"
#include "tests/fuzz/fuzz_mf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    struct mf_slot s;
    AUTO_BUF struct buf again = buf_init(MF_SLOT_JSON_MAX);
    AUTO_BUF struct buf aad = buf_init(MF_SLOT_JSON_MAX);

    if (mf_slot_decode(span_of(data, size), &s, &e) < 0) {
        MUST(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
        return 0;
    }
    MUST(mf_slot_encode(&s, &again, &e) == 0);
    MUST(span_eq(buf_span(&again), span_of(data, size)));
    MUST(mf_slot_aad(&s, &aad, &e) == 0);
    MUST(s.data_len <= MF_SLOT_DATA_MAX);
    MUST(128ull * s.password.n * s.password.r <= MF_SCRYPT_BYTES_MAX);
    MUST(mf_slot_verify(&s, s.repo, mf_key_slot(s.keyset, s.gen, s.slot).s,
                        &e) == 0);
    return 0;
}

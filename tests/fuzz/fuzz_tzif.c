// SPDX-License-Identifier: Apache-2.0
/* Time zone files: whatever decodes has sane offsets and always goes on. */
#include "engine/calendar/tzif.h"
#include "tests/fuzz/fuzz_mf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ENG_TZ struct eng_tz z = { 0 };
    struct err e = { 0 };
    int64_t t = INT64_C(-200000);

    if (eng_tz_decode(span_of(data, size), &z, &e) < 0)
        return 0;
    for (int i = 0; i < 1000; i++) {
        int64_t next = 0;
        int32_t offset_s = eng_tz_offset(&z, t, &next);
        MUST(offset_s > -93600 && offset_s < 93600);
        MUST(next > t);
        if (next > INT64_C(300000000000))
            break;
        t = next;
    }
    return 0;
}

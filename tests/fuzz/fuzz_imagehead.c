// SPDX-License-Identifier: Apache-2.0
// The first bytes of a disk are written by its guest.
#include <stdlib.h>
#include <string.h>

#include "engine/source/imagehead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ENG_IMAGEHEAD struct eng_imagehead h;
    struct err e = { 0 };
    if (eng_imagehead_parse(span_of(data, size), &h, &e) == 0) {
        for (size_t i = 0; i < h.n_refs; i++)
            if (strlen(h.refs[i]) == 0 || strlen(h.refs[i]) > size)
                abort();
        if (!h.known && h.n_refs > 0)
            abort();
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Manifests of sealed keysets.  The input is what is stored: without the key
 * only its form can be right.  It is a manifest's JSON too, with which the
 * round trip is made. */
#include <string.h>

#include "manifest/point.h"
#include "tests/fuzz/fuzz_mf.h"

static void as_stored(struct span in)
{
    static const char vm_key[] = "00112233445566778899aabbccddeeff";
    struct err e = { 0 };
    char file[MF_POINT_FILE_CHARS];
    AUTO_BUF struct buf room = buf_init(MF_POINT_JSON_MAX);
    struct span json;

    if (mf_point_is_sealed(in, &e) < 0)
        MUST(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
    else
        MUST(in.len > 100 && in.p[0] == '{' && in.p[in.len - 1] == '}');
    MUST(mf_point_file(1, in, file, &e) == 0);
    MUST(mf_point_open(sealed_keys(), vm_key, file, in, &room, &json, &e) < 0);
    MUST(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
}

static void as_json(struct span in)
{
    struct err e = { 0 };
    char vm_key[MF_VMKEY_CHARS];
    char file[MF_POINT_FILE_CHARS];
    struct span json;
    AUTO_BUF struct buf stored = buf_init(MF_POINT_JSON_MAX);
    AUTO_BUF struct buf room = buf_init(MF_POINT_JSON_MAX);
    AUTO_MF_POINT struct mf_point *p = mf_point_decode(in, &e);

    if (p == NULL)
        return;
    MUST(mf_point_seal(sealed_keys(), p, &stored, vm_key, file, &e) == 0);
    MUST(mf_point_is_sealed(buf_span(&stored), &e) == 0);
    MUST(mf_point_open(sealed_keys(), vm_key, file, buf_span(&stored), &room,
                       &json, &e) == 0);
    MUST(span_eq(json, in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_stored(span_of(data, size));
    as_json(span_of(data, size));
    return 0;
}

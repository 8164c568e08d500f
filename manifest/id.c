// SPDX-License-Identifier: Apache-2.0
/* Ids of blocks and pages: their text form, and how content gets one. */
#include "manifest/id.h"

#include "base/digest.h"

void mf_id_hex(const struct mf_id *id, char out[MF_ID_CHARS])
{
    digest_hex(span_of(id->b, MF_ID_BYTES), out);
}

bool mf_id_parse(const char *hex, struct mf_id *id)
{
    return digest_unhex(hex, strlen(hex), id->b, MF_ID_BYTES);
}

int mf_id_of(struct span plain, struct mf_id *id, struct err *e)
{
    return digest_sha256(plain, id->b, e);
}

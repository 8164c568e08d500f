// SPDX-License-Identifier: Apache-2.0
/* The rules that all JSON documents of the format share: version first, one
 * encoding only. */
#include "manifest/canon.h"

#include <inttypes.h>

#include "manifest/descriptor.h"

int mf_canon_version(struct json_doc *doc, const char *field, const char *what,
                     struct err *e)
{
    struct json root = json_root(doc);
    struct json v = json_field(&root, field);
    uint64_t version = json_uint(&v, MF_UINT_MAX);

    if (json_failed(doc, e) < 0)
        return -1;
    if (version > MF_FORMAT_VERSION)
        return err_set(e, ERR_UNSUPPORTED, 0,
                       "%s has format version %" PRIu64
                       ", this program knows only version %d; use a newer one",
                       what, version, MF_FORMAT_VERSION);
    if (version == 0)
        json_reject(&v, "is not a format version");
    return json_failed(doc, e);
}

int mf_canon_check(struct span given, const struct buf *again, struct err *e)
{
    if (again->nomem)
        return err_nomem(e);

    size_t at = 0;
    while (at < given.len && at < again->len && given.p[at] == again->p[at])
        at++;
    if (again->failed || at < given.len || at < again->len)
        return err_set(e, ERR_CORRUPT, 0,
                       "JSON is not in canonical form (from byte %zu on)", at);
    return 0;
}

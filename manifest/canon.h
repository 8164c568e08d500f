// SPDX-License-Identifier: Apache-2.0
/* Private to manifest/. */
#ifndef MANIFEST_CANON_H
#define MANIFEST_CANON_H

/* What all JSON documents of the format share: the version comes first, and
 * there is exactly one encoding of each content. */
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/span.h"

/* Largest integer that the format uses: every JSON reader has it exactly. */
#define MF_UINT_MAX ((UINT64_C(1) << 53) - 1)

/* The times that the format can write: years 1970 to 9999. */
#define MF_TIME_MAX INT64_C(253402300799)

/* Reads the version field of a document.  A newer one is ERR_UNSUPPORTED,
 * whatever else the document holds; 0, or what is no version, ERR_CORRUPT. */
int mf_canon_version(struct json_doc *doc, const char *field, const char *what,
                     struct err *e) __attribute__((warn_unused_result));

/* ERR_CORRUPT where given is not what encoding it again yields. `again` was
 * made with a maximum of given.len bytes, so that it may have failed. */
int mf_canon_check(struct span given, const struct buf *again, struct err *e)
    __attribute__((warn_unused_result));

#endif

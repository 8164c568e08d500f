// SPDX-License-Identifier: Apache-2.0
/* Private to manifest/. */
#ifndef MANIFEST_POINT_PRIV_H
#define MANIFEST_POINT_PRIV_H

/* What encoder and decoder of the point manifest share. */
#include "base/buf.h"
#include "base/err.h"
#include "manifest/point.h"

/* The words of the enums, in their order; gfs: of its bits. */
extern const char *const mf_kind_words[];
extern const char *const mf_consistency_words[];
extern const char *const mf_gfs_words[];

/* Checks every rule of FORMAT.md that is not one of shape; errors are of this
 * kind. */
int mf_point_check(const struct mf_point *p, enum err_kind kind, struct err *e)
    __attribute__((warn_unused_result));

/* Writes a point that was checked; errors stay in out. */
void mf_point_write(const struct mf_point *p, struct buf *out);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef OBJSTORE_KEY_H
#define OBJSTORE_KEY_H

/* Private to objstore/.  What an object key may look like, so that every
 * driver and server keeps it as it is: no empty component, no "." or "..",
 * components of at most 255 bytes, OBJ_KEY_MAX in all, no control characters.
 * All errors are ERR_USAGE. */
#include "base/err.h"
#include "objstore/store.h"

/* A store's prefix: "" or a key. */
int obj_key_check_prefix(const char *prefix, struct err *e)
    __attribute__((warn_unused_result));

/* prefix "/" key, both checked; only key where prefix is "". */
int obj_key_join(const char *prefix, const char *key, char out[OBJ_KEY_MAX + 1],
                 struct err *e) __attribute__((warn_unused_result));

/* The same for the beginning of a key, which may end anywhere: "" too. */
int obj_key_join_part(const char *prefix, const char *part,
                      char out[OBJ_KEY_MAX + 1], struct err *e)
    __attribute__((warn_unused_result));

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SECRETREF_H
#define BASE_SECRETREF_H

/* Where a secret is to be found, as configuration says it: {"file": PATH},
 * {"env": NAME}, {"command": [ARGV...]}, or the text itself. */
#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/json.h"
#include "base/secret.h"

/* Finds the secret; a trailing newline of a file's or command's output is cut.
 * At most 64 KiB; a command has 60 seconds.  A wrong shape is recorded in the
 * document (json_failed).  NULL: e filled; an empty or too large secret and an
 * unset variable are ERR_CONFIG; ERR_CANCELLED: a command was waited for. */
struct secret *secretref_resolve(const struct json *v,
                                 const struct cancel *cancel, struct err *e);

/* Two of these by themselves, for a command line. */
struct secret *secretref_file(const char *path, struct err *e);

/* The bytes of a file with a private key, in secret memory (out: made; wiped by
 * whoever frees it).  ERR_CONFIG: it is not there, is no file, or others than
 * its owner can use it. */
int secretref_key_file(const char *path, struct buf *out, struct err *e)
    __attribute__((warn_unused_result));
struct secret *secretref_command(const char *const *argv,
                                 const struct cancel *cancel, struct err *e);

#endif

// SPDX-License-Identifier: Apache-2.0
// Private to engine/: a qemu-nbd of our own, on a Unix socket that nobody else
// can reach.
#ifndef ENGINE_SOURCE_QEMU_NBD_H
#define ENGINE_SOURCE_QEMU_NBD_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/err.h"

struct eng_qemu_nbd;

/* Starts qemu-nbd on the image, whose format is never guessed, and waits until
 * it takes connections (any number).  It lives no longer than the thread that
 * starts it.  ERR_UNSUPPORTED: it is not installed, or does not know the
 * format; ERR_BUSY: others hold the image; ERR_TIMEOUT; ERR_CORRUPT (ERR_IO if
 * writable): it could not open the image, its own words are in the message. */
struct eng_qemu_nbd *eng_qemu_nbd_start(const char *path, const char *format,
                                        bool writable, struct err *e);

/* The socket's path, borrowed. */
const char *eng_qemu_nbd_socket(const struct eng_qemu_nbd *q);

/* Ends it in order: what was written is in the image afterwards.  ERR_IO where
 * it had died or could not close the image. */
int eng_qemu_nbd_stop(struct eng_qemu_nbd *q, struct err *e)
    __attribute__((warn_unused_result));

/* Ends it if it still runs; NULL is fine. */
void eng_qemu_nbd_free(struct eng_qemu_nbd *q);

/* Adds the package to install to the error of a QEMU program that could not
 * be started.  Always -1. */
int eng_qemu_missing(struct err *e);

static inline void eng_qemu_nbd_freep(struct eng_qemu_nbd **q)
{
    eng_qemu_nbd_free(*q);
}
#define AUTO_ENG_QEMU_NBD AUTO(eng_qemu_nbd_freep)

#endif
